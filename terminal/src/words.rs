//! The words of the screens, from `assets/text/{zh-CN,en}.toml`: key = screen.element.
//!
//! Refuses to invent words: a missing English word shows the Chinese one, a key that neither file has shows itself
//! (and a test fails).
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::text::Language;

/// Largest words file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// All words of all languages.
#[derive(Debug, Clone, Default)]
pub struct Words {
    chinese: BTreeMap<String, String>,
    english: BTreeMap<String, String>,
}

/// Why the words cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// The file cannot be read.
    #[error("cannot read the words in {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is far larger than words can be.
    #[error("{path} is larger than a words file may be")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not a table of tables of texts.
    #[error("{path} is not a table of words")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

/// What a file holds: tables of tables … of texts.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Node {
    Text(String),
    Table(BTreeMap<String, Node>),
}

impl Words {
    /// Loads both languages from `assets/text` below this folder.
    ///
    /// # Errors
    /// [`WordsError`], naming the file.
    pub fn load(assets: &Path) -> Result<Self, WordsError> {
        let text = assets.join("text");
        Ok(Self { chinese: read(&text.join("zh-CN.toml"))?, english: read(&text.join("en.toml"))? })
    }

    /// The words of a key; the key itself if there are none.
    pub fn get<'a>(&'a self, language: Language, key: &'a str) -> &'a str {
        self.find(language, key).unwrap_or(key)
    }

    /// The words of a key, if there are any.
    pub fn find(&self, language: Language, key: &str) -> Option<&str> {
        let own = match language {
            Language::En => self.english.get(key),
            Language::ZhCn => None,
        };
        own.or_else(|| self.chinese.get(key)).map(String::as_str)
    }

    /// The words of a key with `{name}` replaced by each value.
    pub fn fill(&self, language: Language, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.get(language, key), values)
    }

    /// All keys of a language, sorted.
    pub fn keys(&self, language: Language) -> impl Iterator<Item = &str> {
        let words = match language {
            Language::ZhCn => &self.chinese,
            Language::En => &self.english,
        };
        words.keys().map(String::as_str)
    }
}

/// Replaces each `{name}` in one pass, so that a value that looks like a placeholder stays as it is.
pub fn fill(pattern: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let value = from.find('}').and_then(|close| {
            let name = from.get(1..close)?;
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value, close + 1))
        });
        let (text, used) = value.unwrap_or(("{", 1));
        filled.push_str(text);
        rest = &from[used..];
    }
    filled.push_str(rest);
    filled
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, WordsError> {
    let failed = |source| WordsError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(WordsError::TooLarge { path: path.to_owned() });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let tables: BTreeMap<String, Node> = toml::from_str(&text)
        .map_err(|source| WordsError::Shape { path: path.to_owned(), source: Box::new(source) })?;
    let mut words = BTreeMap::new();
    flatten("", tables, &mut words);
    Ok(words)
}

fn flatten(prefix: &str, tables: BTreeMap<String, Node>, words: &mut BTreeMap<String, String>) {
    for (name, node) in tables {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match node {
            Node::Text(text) => {
                words.insert(key, text);
            }
            Node::Table(inner) => flatten(&key, inner, words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(chinese: &str, english: &str) -> Result<Words, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("text"))?;
        std::fs::write(folder.path().join("text/zh-CN.toml"), chinese)?;
        std::fs::write(folder.path().join("text/en.toml"), english)?;
        Ok(Words::load(folder.path())?)
    }

    #[test]
    fn a_key_names_screen_and_element() {
        let words =
            words("[home]\ntitle = \"甲\"\n[home.way]\nhelp = \"乙\"", "[home]\ntitle = \"A\"").unwrap();
        assert_eq!(words.get(Language::ZhCn, "home.title"), "甲");
        assert_eq!(words.get(Language::En, "home.title"), "A");
        assert_eq!(words.get(Language::En, "home.way.help"), "乙", "Chinese where English has none");
        assert_eq!(words.get(Language::En, "home.nothing"), "home.nothing");
        assert_eq!(words.keys(Language::ZhCn).collect::<Vec<_>>(), ["home.title", "home.way.help"]);
    }

    #[test]
    fn values_fill_their_places_once() {
        let cases = [
            ("{count} of {all}", "2 of {all}"),
            ("{name}", "{count}"),
            ("{ {count", "{ {count"),
            ("no place", "no place"),
        ];
        for (pattern, filled) in cases {
            assert_eq!(fill(pattern, &[("count", "2"), ("name", "{count}")]), filled, "{pattern}");
        }
    }

    #[test]
    fn a_broken_file_is_named() {
        for broken in ["[home", "[home]\ntitle = 3"] {
            let error = words(broken, "").unwrap_err().to_string();
            assert!(error.contains("zh-CN.toml"), "{error}");
        }
    }
}
