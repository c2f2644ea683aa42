//! A text in the languages of the product. Chinese is complete; English follows; more languages come later.
use serde::{Deserialize, Serialize};

/// Which language a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// 简体中文
    #[default]
    ZhCn,
    /// English
    En,
}

/// The same sentence in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English; empty means that Chinese is shown.
    #[serde(default)]
    pub en: String,
}

impl Text {
    /// A text from both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The words for a language, Chinese where the language has none.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En if !self.en.is_empty() => &self.en,
            _ => &self.zh,
        }
    }
}

/// A character that no text of the catalogue may hold: controls (line breaks too) and the invisible signs that turn
/// the direction of writing, by which a text can be made to read as another (Unicode TR 36, "bidirectional text
/// spoofing").
pub fn hidden_character(text: &str) -> Option<char> {
    text.chars().find(|c| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || *c == '\u{feff}'
    })
}

#[cfg(test)]
mod tests {
    use super::hidden_character;

    #[test]
    fn hidden_characters_are_found() {
        for (text, found) in [
            ("姓名 Name 𠅤·𬀩 བོད", None),
            ("", None),
            ("a\u{202e}b", Some('\u{202e}')),
            ("a\u{2066}b", Some('\u{2066}')),
            ("\u{feff}a", Some('\u{feff}')),
            ("a\nb", Some('\n')),
            ("a\u{0}", Some('\u{0}')),
        ] {
            assert_eq!(hidden_character(text), found, "{text:?}");
        }
    }
}
