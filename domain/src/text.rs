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

/// Whether a sign has no place in a text of the catalogue: control characters, and signs that are not seen but turn
/// the direction of what follows or hide what a text is.
pub fn is_hidden(sign: char) -> bool {
    sign.is_control()
        || matches!(sign,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text from outside on one line for people: cut after so many characters, its hidden signs told by their numbers.
pub fn visible(text: &str, most_chars: usize) -> String {
    let mut line = String::new();
    for (at, sign) in text.chars().enumerate() {
        if at == most_chars {
            line.push('…');
            break;
        }
        if is_hidden(sign) {
            line.push_str(&format!("<U+{:04X}>", u32::from(sign)));
        } else {
            line.push(sign);
        }
    }
    line
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

#[cfg(test)]
mod tests {
    use super::{is_hidden, visible};

    #[test]
    fn a_text_from_outside_stays_on_its_line() {
        for (text, shown) in [
            ("办件", "办件"),
            ("a\u{202e}b\nc", "a<U+202E>b<U+000A>c"),
            ("123456", "12345…"),
            ("\u{1b}[2J", "<U+001B>[2J"),
        ] {
            assert_eq!(visible(text, if text == "123456" { 5 } else { 40 }), shown);
        }
    }

    #[test]
    fn hidden_signs_are_found() {
        for (text, found) in [
            ("姓名 Name 𠅤·𬀩 བོད", None),
            ("", None),
            ("a\u{202e}b", Some('\u{202e}')),
            ("a\u{2066}b", Some('\u{2066}')),
            ("\u{feff}a", Some('\u{feff}')),
            ("a\nb", Some('\n')),
            ("a\u{0}", Some('\u{0}')),
        ] {
            assert_eq!(text.chars().find(|sign| is_hidden(*sign)), found, "{text:?}");
        }
    }
}
