//! Words of the pages and problem answers: they lie in `assets/text/pages`, one file a language, and are built in.
//! What is wrong with an answer (`form.error.*`) is said in the terminal's own words.
//!
//! Refuses to invent: a key without words shows itself, and a test finds it.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::text::Language;

const CHINESE: &str = include_str!("../../assets/text/pages/zh-CN.toml");
const ENGLISH: &str = include_str!("../../assets/text/pages/en.toml");
const TERMINAL_CHINESE: &str = include_str!("../../assets/text/zh-CN.toml");
const TERMINAL_ENGLISH: &str = include_str!("../../assets/text/en.toml");
/// What the pages take from the terminal's words.
const SHARED: &str = "form.error.";

static WORDS: LazyLock<[BTreeMap<String, String>; 2]> =
    LazyLock::new(|| [both(CHINESE, TERMINAL_CHINESE), both(ENGLISH, TERMINAL_ENGLISH)]);

/// The words of the pages, and those that they share with the terminal.
fn both(pages: &str, terminal: &str) -> BTreeMap<String, String> {
    let mut words = flat(pages);
    words.extend(flat(terminal).into_iter().filter(|(key, _)| key.starts_with(SHARED)));
    words
}

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(pub Language);

impl Words {
    /// The words of a key, such as `cases.title`; the key itself if there are none.
    pub fn t<'a>(&self, key: &'a str) -> &'a str
    where
        'static: 'a,
    {
        let [chinese, english] = &*WORDS;
        let found = match self.0 {
            Language::ZhCn => chinese.get(key),
            Language::En => english.get(key).or_else(|| chinese.get(key)),
        };
        found.map_or(key, String::as_str)
    }

    /// The words of a key made of two parts, such as `state.` and a state's name.
    pub fn of(&self, group: &str, name: &str) -> String {
        let key = format!("{group}.{name}");
        self.t(&key).to_owned()
    }

    /// The words of a key with its placeholders filled: `{n}` and the like.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.t(key).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// The words of a key with a number in place of `{n}`.
    pub fn number(&self, key: &str, n: impl std::fmt::Display) -> String {
        self.fill(key, &[("n", &n.to_string())])
    }

    /// The tag of the language for `lang=`.
    pub fn tag(&self) -> &'static str {
        match self.0 {
            Language::ZhCn => "zh-CN",
            Language::En => "en",
        }
    }
}

/// English words of a key, for answers that programs read.
pub fn english(key: &str) -> String {
    Words(Language::En).t(key).to_owned()
}

/// Tables of a file as dotted keys. A file that cannot be read gives no words; a test finds that.
fn flat(text: &str) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &toml::Value, out: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::String(s) => {
                out.insert(prefix.to_owned(), s.clone());
            }
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&key, value, out);
                }
            }
            _ => {}
        }
    }
    let mut out = BTreeMap::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        walk("", &toml::Value::Table(table), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use domain::case::{CaseState, Mark};

    use super::*;
    use crate::auth::policy::PERMITS;
    use crate::auth::role::Role;
    use crate::error::ProblemCode;

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let [chinese, english] = &*WORDS;
        assert!(chinese.len() > 50, "the file is readable");
        assert_eq!(chinese.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
        for (key, words) in chinese {
            assert_eq!(words.matches('{').count(), english[key].matches('{').count(), "{key}");
            assert!(!words.trim().is_empty() && !english[key].trim().is_empty(), "{key}");
        }
    }

    #[test]
    fn every_problem_state_mark_role_and_permit_has_words() {
        let mut keys = vec![];
        for code in ProblemCode::ALL {
            keys.extend(
                ["title", "what", "safe", "next"].map(|part| format!("problem.{}.{part}", code.as_str())),
            );
        }
        for state in CaseState::ALL {
            keys.push(format!("state.{}", state.as_str()));
            keys.push(format!("next.{}", state.as_str()));
            keys.push(format!("action.{}", state.as_str()));
        }
        for role in Role::ALL {
            keys.extend(["role", "role_about"].map(|group| format!("{group}.{}", role.as_str())));
        }
        for permit in PERMITS {
            keys.push(format!("permit.{}", permit.name));
        }
        for mark in Mark::ALL {
            keys.push(format!("mark.{}", serde_json::to_string(&mark).expect("json").trim_matches('"')));
        }
        let missing: Vec<_> = keys.iter().filter(|k| !WORDS[0].contains_key(*k)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_key_that_a_template_names_has_words() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut named = 0;
        for file in std::fs::read_dir(folder).expect("templates") {
            let text = std::fs::read_to_string(file.expect("entry").path()).expect("readable");
            for call in ["w.t(\"", "w.fill(\"", "w.number(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap_or_default();
                    assert!(WORDS[0].contains_key(key), "{key}");
                    named += 1;
                }
            }
        }
        assert!(named > 30, "{named}");
    }
}
