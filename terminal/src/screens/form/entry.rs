//! What is typed on the number pad, and the answer that it stands for: phone, bank card, number, date.
//!
//! Refuses to judge: a number that is too short or a day that does not exist becomes an answer all the same, and
//! the form says what is wrong with it. Holds no state: the typed text is derived from the answer.
use domain::form::{PlanField, Widget, number_entered, number_written};
use serde_json::Value;

use crate::widgets::number_pad::PadKey;

/// Digits of a phone number: mobile numbers have 11, landlines up to 12.
const PHONE_DIGITS: usize = 12;
/// Digits of a bank card.
const BANK_CARD_DIGITS: usize = 19;
/// Digits of a number before the point.
const NUMBER_DIGITS: usize = 12;
/// Digits of a mobile number.
pub const MOBILE_DIGITS: usize = 11;

/// How the keys of the pad make an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Digits, grouped 3-4-4.
    Phone,
    /// Digits, grouped by four.
    BankCard,
    /// A number with so many places after the point.
    Number(u8),
    /// Eight digits: year, month, day.
    Date,
}

impl Entry {
    /// The entry of a field that uses the pad.
    pub fn of(field: &PlanField) -> Option<Self> {
        match field.widget {
            Widget::Phone => Some(Self::Phone),
            Widget::BankCard => Some(Self::BankCard),
            Widget::Number => Some(Self::Number(field.decimals)),
            Widget::Date => Some(Self::Date),
            _ => None,
        }
    }

    /// The key with a point is there.
    pub fn has_point(self) -> bool {
        matches!(self, Self::Number(decimals) if decimals > 0)
    }

    /// What was typed to give this answer; `zeros` as [`Self::zeros`] told them.
    pub fn typed(self, value: Option<&Value>, zeros: Option<usize>) -> String {
        match (self, value) {
            (Self::Number(decimals), Some(Value::Number(number))) => {
                let mut typed =
                    number.as_i64().map(|n| number_written(n.max(0), decimals)).unwrap_or_default();
                if let Some(zeros) = zeros.filter(|_| self.has_point() && !typed.is_empty()) {
                    if !typed.contains('.') {
                        typed.push('.');
                    }
                    typed.extend(std::iter::repeat_n('0', zeros.min(usize::from(decimals))));
                }
                typed
            }
            (_, Some(Value::String(text))) => {
                text.chars().filter(char::is_ascii_digit).take(self.most_digits()).collect()
            }
            _ => String::new(),
        }
    }

    /// The typed text after a key.
    pub fn press(self, typed: &str, key: PadKey) -> String {
        let mut typed = typed.to_owned();
        match key {
            PadKey::Digit(digit) if self.takes_digit(&typed) => {
                if matches!(self, Self::Number(_)) && typed == "0" {
                    typed.clear();
                }
                typed.push(char::from(b'0' + digit.min(9)));
            }
            PadKey::Point if self.has_point() && !typed.contains('.') => {
                if typed.is_empty() {
                    typed.push('0');
                }
                typed.push('.');
            }
            PadKey::Delete => {
                typed.pop();
            }
            PadKey::Clear => typed.clear(),
            PadKey::Digit(_) | PadKey::Point => {}
        }
        typed
    }

    /// The answer for a typed text; `None` for nothing.
    pub fn value(self, typed: &str) -> Option<Value> {
        if typed.is_empty() {
            return None;
        }
        match self {
            Self::Phone | Self::BankCard => Some(Value::from(typed)),
            Self::Date => Some(Value::from(dashed(typed))),
            Self::Number(decimals) => Some(Value::from(number_entered(typed, decimals).unwrap_or(0))),
        }
    }

    /// The point and zeros at the end of a typed number that the stored one does not show: how many zeros.
    pub fn zeros(self, typed: &str) -> Option<usize> {
        let (_, fraction) = typed.split_once('.').filter(|_| self.has_point())?;
        let zeros = fraction.len() - fraction.trim_end_matches('0').len();
        (zeros > 0 || fraction.is_empty()).then_some(zeros)
    }

    /// The typed text in groups that stand apart on the screen.
    pub fn groups(self, typed: &str) -> Vec<String> {
        let sizes: &[usize] = match self {
            Self::Phone if typed.starts_with('0') => &[4, 4, 4],
            Self::Phone => &[3, 4, 5],
            Self::BankCard => &[4, 4, 4, 4, 4],
            Self::Date => &[4, 2, 2],
            Self::Number(_) => return if typed.is_empty() { Vec::new() } else { vec![typed.to_owned()] },
        };
        let chars: Vec<char> = typed.chars().collect();
        let mut groups = Vec::new();
        let mut from = 0;
        for size in sizes {
            if from >= chars.len() {
                break;
            }
            let to = (from + size).min(chars.len());
            groups.push(chars[from..to].iter().collect());
            from = to;
        }
        groups
    }

    fn most_digits(self) -> usize {
        match self {
            Self::Phone => PHONE_DIGITS,
            Self::BankCard => BANK_CARD_DIGITS,
            Self::Number(_) => NUMBER_DIGITS,
            Self::Date => 8,
        }
    }

    fn takes_digit(self, typed: &str) -> bool {
        match (self, typed.split_once('.')) {
            (Self::Number(decimals), Some((_, fraction))) => fraction.len() < usize::from(decimals),
            (Self::Phone, _) if typed.starts_with('1') => typed.len() < MOBILE_DIGITS,
            _ => typed.len() < self.most_digits(),
        }
    }
}

/// `1988`, `1988-0`, `1988-04-1`: a date as far as it was typed.
fn dashed(digits: &str) -> String {
    let mut text = String::with_capacity(10);
    for (at, digit) in digits.chars().enumerate() {
        if at == 4 || at == 6 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_keys(entry: Entry, keys: &str) -> Option<Value> {
        let (mut value, mut zeros) = (None, None);
        for key in keys.chars() {
            let key = match key {
                '.' => PadKey::Point,
                '<' => PadKey::Delete,
                '!' => PadKey::Clear,
                digit => PadKey::Digit(u8::try_from(digit.to_digit(10).unwrap()).unwrap()),
            };
            let typed = entry.press(&entry.typed(value.as_ref(), zeros), key);
            (value, zeros) = (entry.value(&typed), entry.zeros(&typed));
        }
        value
    }

    #[test]
    fn keys_make_the_stored_answer() {
        let table = [
            (Entry::Phone, "13800000013", Some(Value::from("13800000013"))),
            (Entry::Phone, "138000000139", Some(Value::from("13800000013"))),
            (Entry::Phone, "138<<", Some(Value::from("1"))),
            (Entry::Phone, "138!", None),
            (Entry::BankCard, "62000000000000000005", Some(Value::from("6200000000000000000"))),
            (Entry::Number(0), "0012", Some(Value::from(12))),
            (Entry::Number(0), "3.5", Some(Value::from(35))),
            (Entry::Number(2), "12.5", Some(Value::from(1250))),
            (Entry::Number(2), "12.05", Some(Value::from(1205))),
            (Entry::Number(2), "12.", Some(Value::from(1200))),
            (Entry::Number(2), "12.0", Some(Value::from(1200))),
            (Entry::Number(2), "12.0<<", Some(Value::from(1200))),
            (Entry::Number(2), "12.50", Some(Value::from(1250))),
            (Entry::Number(2), "0.05", Some(Value::from(5))),
            (Entry::Number(2), "12.50<7", Some(Value::from(1257))),
            (Entry::Number(2), ".5", Some(Value::from(50))),
            (Entry::Number(2), "1.239", Some(Value::from(123))),
            (Entry::Date, "19880410", Some(Value::from("1988-04-10"))),
            (Entry::Date, "198804", Some(Value::from("1988-04"))),
            (Entry::Date, "1988041", Some(Value::from("1988-04-1"))),
        ];
        for (entry, keys, value) in table {
            assert_eq!(type_keys(entry, keys), value, "{entry:?} {keys}");
        }
    }

    #[test]
    fn digits_stand_in_groups() {
        let table: [(Entry, &str, &[&str]); 6] = [
            (Entry::Phone, "13800000013", &["138", "0000", "0013"]),
            (Entry::Phone, "1380", &["138", "0"]),
            (Entry::Phone, "09716123456", &["0971", "6123", "456"]),
            (Entry::BankCard, "6200000000000000005", &["6200", "0000", "0000", "0000", "005"]),
            (Entry::Date, "198804", &["1988", "04"]),
            (Entry::Number(2), "12.5", &["12.5"]),
        ];
        for (entry, typed, groups) in table {
            assert_eq!(entry.groups(typed), groups, "{typed}");
        }
    }

    #[test]
    fn strange_answers_do_not_break_it() {
        for value in [
            Value::Null,
            Value::from(-5),
            Value::from(1.5),
            Value::from("x".repeat(9_000)),
            Value::from(i64::MIN),
        ] {
            for entry in [Entry::Phone, Entry::BankCard, Entry::Number(6), Entry::Date] {
                let typed = entry.typed(Some(&value), Some(99));
                assert!(typed.len() <= 30, "{typed}");
                assert!(entry.groups(&typed).len() <= 5);
            }
        }
    }
}
