//! The forms of the values of settings.
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;

use operator::settings::{Address, Hint, Kind, Setting, redacted_url};

use crate::admission::Admission;
use crate::authority::MAX_NAMES;
use crate::store::Database;

/// The address of a store as it was written; never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreAddress {
    text: String,
    database: Database,
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.database)
    }
}

impl StoreAddress {
    /// What it names.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

impl Setting for StoreAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned(), database: text.parse().ok()? })
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn shown(&self) -> String {
        redacted_url(&self.text)
    }
}

/// The address of a server that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address(String);

impl Setting for S3Address {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "an address such as http://127.0.0.1:9000";

    fn read(text: &str) -> Option<Self> {
        let host = text.strip_prefix("http://")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".:-[]".contains(&b);
        let fits = !host.is_empty() && host.bytes().all(plain) && text.len() <= MAX_WEB_ADDRESS_BYTES;
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// The name of a bucket, as S3 takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket(String);

impl Setting for Bucket {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "3 to 63 small letters, digits and hyphens";

    fn read(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (3..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// An address of web pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(String);

impl Setting for WebAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "an address such as https://jinban.example";

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '?' | '#' | '@');
        let fits = !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.chars().all(plain);
        (fits && text.len() <= MAX_WEB_ADDRESS_BYTES).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// The number from which short messages come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsSender(pub String);

impl Setting for SmsSender {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "1 to 20 digits, such as 10690000";

    fn read(text: &str) -> Option<Self> {
        let fits = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Names of DNS and IP addresses with commas between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(pub Vec<String>);

impl Setting for Names {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str =
        "at most 20 names or IP addresses with commas between them, such as 192.0.2.7,centre.example";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let part = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            plain && !part.is_empty() && part.len() <= 63 && !part.starts_with('-') && !part.ends_with('-')
        };
        let name = |name: &String| {
            let digits_only = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && !digits_only && name.split('.').all(part))
        };
        (names.len() <= MAX_NAMES && names.iter().all(name)).then_some(Self(names))
    }

    fn text(&self) -> String {
        self.0.join(",")
    }
}

/// A longer address would make a QR code that no telephone reads.
const MAX_WEB_ADDRESS_BYTES: usize = 200;

impl Deref for WebAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// How many calls fit into a minute: none would lock everybody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsPerMinute(pub u32);

impl Setting for CallsPerMinute {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 1 to 10000000";

    fn read(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let calls = digits.then(|| text.parse().ok()).flatten()?;
        (1..=10_000_000).contains(&calls).then_some(Self(calls))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Hours between two backups: a day at most, so that one that fails is noticed by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupHours(pub u32);

impl Setting for BackupHours {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 1 to 24";

    fn read(text: &str) -> Option<Self> {
        (1..=24).find(|hours: &u32| hours.to_string() == text).map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// How many calls fit into a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsPerSecond(pub u32);

impl Setting for CallsPerSecond {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 10 to 10000000";

    fn read(text: &str) -> Option<Self> {
        CallsPerMinute::read(text).map(|calls| Self(calls.0)).filter(|calls| calls.0 >= Admission::LEAST)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Where figures are served: an address, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsAddress(pub Option<SocketAddr>);

impl MetricsAddress {
    /// Whether this is the default, which a second server on the same machine may find taken.
    pub fn is_default(self) -> bool {
        self.0 == Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8_490)))
    }
}

impl Setting for MetricsAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "off, or an IP address with a port, such as 127.0.0.1:8490";

    fn read(text: &str) -> Option<Self> {
        if text == "off" { Some(Self(None)) } else { Address::read(text).map(|a| Self(Some(a.0))) }
    }

    fn text(&self) -> String {
        self.0.map_or("off".to_owned(), |a| a.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        for good in ["https://jinban.example", "http://127.0.0.1:8480", "https://a.example/jinban"] {
            assert_eq!(WebAddress::read(good).map(|a| a.text()).as_deref(), Some(good));
        }
        let long = format!("https://{}", "a".repeat(MAX_WEB_ADDRESS_BYTES));
        for bad in
            ["", "jinban.example", "http://", "http:///x", "http://a b", "ftp://a", "http://a?b", &long]
        {
            assert_eq!(WebAddress::read(bad), None, "{bad}");
        }
        for good in ["http://127.0.0.1:9000", "http://s3.example", "http://[::1]:9000"] {
            assert_eq!(S3Address::read(good).map(|a| a.text()).as_deref(), Some(good));
        }
        for bad in
            ["", "https://s3.example", "http://", "http://a/b", "http://user:word@a", "s3.example:9000"]
        {
            assert_eq!(S3Address::read(bad), None, "{bad}");
        }
        assert!(SmsSender::read("10690000").is_some());
        for bad in ["", "JINBAN", "1069 0000", "+861069", &"1".repeat(21)] {
            assert_eq!(SmsSender::read(bad), None, "{bad}");
        }
        assert!(Bucket::read("jinban-pages").is_some());
        for bad in ["", "ab", "Pages", "a/b", "-ab", "a..b", &"a".repeat(64)] {
            assert_eq!(Bucket::read(bad), None, "{bad}");
        }
        assert_eq!(MetricsAddress::read("off"), Some(MetricsAddress(None)));
        assert_eq!(MetricsAddress::read("on"), None);
    }

    #[test]
    fn names_are_those_that_a_certificate_holds() {
        for good in ["", "192.0.2.7", "centre.example,192.0.2.7,2001:db8::7", "a-b.example"] {
            assert_eq!(Names::read(good).map(|n| n.text()).as_deref(), Some(good), "{good}");
        }
        assert_eq!(
            Names::read("Centre.Example, 192.0.2.7").map(|n| n.text()).as_deref(),
            Some("centre.example,192.0.2.7")
        );
        let many = vec!["a"; MAX_NAMES + 1].join(",");
        for bad in [",", "a,", "a b", "https://a", "a:8470", "-a", "a..b", "1.2.3", "中心", "*.a", &many] {
            assert_eq!(Names::read(bad), None, "{bad}");
        }
    }
}
