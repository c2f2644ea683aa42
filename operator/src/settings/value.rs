//! Types that a setting can have, each with its form as text and the words for what is expected.
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueHint;

/// How a value stands in a TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Switch,
}

/// A type of a setting.
pub trait Setting: Sized {
    /// How it stands in a file.
    const KIND: Kind;
    /// What a shell may complete.
    const HINT: ValueHint;
    /// What a value must look like, for errors and documents.
    const EXPECTED: &'static str;
    /// True if values hold secrets.
    const SECRET: bool = false;

    /// The value of a text, or nothing if it is not of its form.
    fn read(text: &str) -> Option<Self>;

    /// The text that reads as this value.
    fn text(&self) -> String;

    /// The text without secrets.
    fn shown(&self) -> String {
        self.text()
    }
}

impl Setting for PathBuf {
    const KIND: Kind = Kind::Text;
    const HINT: ValueHint = ValueHint::AnyPath;
    const EXPECTED: &'static str = "a path";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }

    fn text(&self) -> String {
        self.to_string_lossy().into_owned()
    }
}

impl Setting for bool {
    const KIND: Kind = Kind::Switch;
    const HINT: ValueHint = ValueHint::Other;
    const EXPECTED: &'static str = "true or false";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl Setting for Address {
    const KIND: Kind = Kind::Text;
    const HINT: ValueHint = ValueHint::Other;
    const EXPECTED: &'static str =
        "an IP address with a port, such as 127.0.0.1:8470 or [::1]:8470; port 0 takes a free one";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Nothing is the empty text.
impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;
    const HINT: ValueHint = T::HINT;
    const EXPECTED: &'static str = T::EXPECTED;
    const SECRET: bool = T::SECRET;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::read(text).map(Some) }
    }

    fn text(&self) -> String {
        self.as_ref().map(T::text).unwrap_or_default()
    }

    fn shown(&self) -> String {
        self.as_ref().map(T::shown).unwrap_or_default()
    }
}

/// A URL without its password and its query's values, which may hold one. A text that is no URL stays as it is.
pub fn redacted_url(text: &str) -> String {
    const HIDDEN: &str = "***";
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, q)| (r, Some(q)));
    let end = rest.find('/').unwrap_or(rest.len());
    // A password may hold `/` or `@` where it was not encoded as it should be: the last `@` ends it.
    let at = rest[..end].rfind('@').or_else(|| rest.rfind('@'));
    let host = match at {
        None => rest.to_owned(),
        Some(at) => {
            let user = rest[..at].split(':').next().unwrap_or_default();
            let password = if rest[..at].contains(':') { format!(":{HIDDEN}") } else { String::new() };
            format!("{user}{password}{}", &rest[at..])
        }
    };
    let hide =
        |pair: &str| pair.split_once('=').map_or(HIDDEN.to_owned(), |(name, _)| format!("{name}={HIDDEN}"));
    let query = query.map(|q| format!("?{}", q.split('&').map(hide).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{host}{}", query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_to_their_form() {
        assert_eq!(bool::read("true"), Some(true));
        assert_eq!((bool::read("yes"), bool::read("")), (None, None));
        assert_eq!((PathBuf::read(""), PathBuf::read("a\0b")), (None, None));
        assert_eq!(Option::<PathBuf>::read(""), Some(None));
        for good in ["127.0.0.1:0", "[::1]:8470"] {
            assert_eq!(Address::read(good).map(|a| a.text()).as_deref(), Some(good));
        }
        for bad in ["", "8470", "localhost:8470", "127.0.0.1", "127.0.0.1:65536"] {
            assert_eq!(Address::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let table = [
            ("postgresql://jinban@db/centre", "postgresql://jinban@db/centre"),
            ("postgresql://jinban:s3cret@db:5432/centre", "postgresql://jinban:***@db:5432/centre"),
            ("postgresql://jinban:s3c/r@t@db/centre", "postgresql://jinban:***@db/centre"),
            ("postgresql://db/centre?user=a&password=s3cret", "postgresql://db/centre?user=***&password=***"),
            ("postgresql://:s3cret@db", "postgresql://:***@db"),
            ("http://127.0.0.1:8470", "http://127.0.0.1:8470"),
            ("sqlite:/var/lib/x", "sqlite:/var/lib/x"),
            ("", ""),
        ];
        for (text, shown) in table {
            assert_eq!(redacted_url(text), shown);
        }
    }
}
