//! Columns of the two tables: where in an item, or a field of a form, each cell stands, and how it is written.
//!
//! A list stands in one cell, a line for each entry. What is said of each entry of a list in several columns stands in
//! the same line of each of them.
use domain::date::CivilDate;
use domain::form::MAX_LABEL_CHARS;
use domain::ids::{ItemCode, UnitId};
use domain::item::{
    AcceptedCard, Audience, Category, Certainty, CrossRegion, MaterialSource, OfflineMode, PeriodUnit,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Names the row.
    Name,
    /// Is shown for orientation, and not changed here.
    Shown,
    /// One line of text.
    Line,
    /// One line of text that may be empty, of a part that may be absent as a whole.
    Optional,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A number with at most one decimal, kept in tenths.
    Tenths,
    /// A list of texts.
    Lines,
    /// One member of each object of a list.
    Members,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name, the last word of its heading.
    pub key: &'static str,
    /// Where it stands: members separated by dots, `[]` after a list.
    pub path: &'static str,
    pub kind: Kind,
    /// Whether a text (a line of a list) can stand there; else why not.
    pub fits: fn(&str) -> Result<(), String>,
}

impl Column {
    const fn new(key: &'static str, path: &'static str, kind: Kind) -> Self {
        Self { key, path, kind, fits: anything }
    }

    const fn plain(key: &'static str, kind: Kind) -> Self {
        Self::new(key, key, kind)
    }

    const fn word(
        key: &'static str,
        path: &'static str,
        kind: Kind,
        fits: fn(&str) -> Result<(), String>,
    ) -> Self {
        Self { key, path, kind, fits }
    }

    /// Path of the list and of the member, for [`Kind::Members`].
    pub(super) fn member(&self) -> (&'static str, &'static str) {
        self.path.split_once("[].").unwrap_or((self.path, ""))
    }

    /// The part that is absent if all its columns are empty, for [`Kind::Optional`].
    pub(super) fn root(&self) -> &'static str {
        match self.path.strip_prefix("guide.").and_then(|rest| rest.split_once('.')) {
            Some((part, _)) => &self.path[..part.len() + "guide.".len()],
            None => self.path.split('.').next().unwrap_or(self.path),
        }
    }
}

fn anything(_: &str) -> Result<(), String> {
    Ok(())
}

/// Whether the text is a word of a type.
fn word<T: DeserializeOwned>(text: &str) -> Result<(), String> {
    serde_json::from_value::<T>(json!(text)).map(drop).map_err(|e| e.to_string())
}

/// The same, or nothing.
fn word_or_empty<T: DeserializeOwned>(text: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { word::<T>(text) }
}

use Kind::{Flag, Line, Lines, Members, Name, Optional, Shown, Tenths, Whole};

/// Columns of `items.csv`; the first names the row.
pub(super) const ITEMS: &[Column] = &[
    Column::plain("code", Name),
    Column::plain("name.zh", Line),
    Column::plain("name.en", Line),
    Column::plain("short_name.zh", Line),
    Column::plain("short_name.en", Line),
    Column::word("department", "department", Line, word::<UnitId>),
    Column::word("category", "category", Line, word::<Category>),
    Column::word("audience", "audience", Lines, word::<Audience>),
    Column::word("accepted_cards", "accepted_cards", Lines, word::<AcceptedCard>),
    Column::plain("theme", Line),
    Column::plain("needs_staff", Flag),
    Column::plain("proxy_allowed", Flag),
    Column::plain("elder_popular", Flag),
    Column::plain("immediate", Flag),
    Column::word("cross_region", "cross_region", Line, word::<CrossRegion>),
    Column::word("offline_mode", "offline_mode", Line, word::<OfflineMode>),
    Column::plain("results", Lines),
    Column::new("materials.zh", "materials[].name.zh", Members),
    Column::new("materials.en", "materials[].name.en", Members),
    Column::word("materials.source", "materials[].source", Members, word::<MaterialSource>),
    Column::new("promised", "promised.tenths", Tenths),
    Column::word("promised.unit", "promised.unit", Line, word::<PeriodUnit>),
    Column::new("legal", "legal.tenths", Tenths),
    Column::word("legal.unit", "legal.unit", Line, word::<PeriodUnit>),
    Column::word("days_source", "days_source", Line, word::<Certainty>),
    Column::new("legal_basis.name", "legal_basis[].name", Members),
    Column::word("legal_basis.certainty", "legal_basis[].certainty", Members, word::<Certainty>),
    Column::plain("synonyms", Lines),
    Column::plain("sensitive", Flag),
    Column::plain("neutral_title.zh", Optional),
    Column::plain("neutral_title.en", Optional),
    Column::plain("guide.icon", Line),
    Column::plain("guide.life_events", Lines),
    Column::plain("guide.one_line.zh", Line),
    Column::plain("guide.one_line.en", Line),
    Column::new("guide.who.zh", "guide.who[].zh", Members),
    Column::new("guide.who.en", "guide.who[].en", Members),
    Column::new("guide.how.zh", "guide.how[].zh", Members),
    Column::new("guide.how.en", "guide.how[].en", Members),
    Column::plain("guide.after.zh", Line),
    Column::plain("guide.after.en", Line),
    Column::plain("guide.minutes", Whole),
    Column::plain("guide.fee_fen", Whole),
    Column::plain("guide.fee_unsure", Flag),
    Column::plain("guide.fee_note.zh", Optional),
    Column::plain("guide.fee_note.en", Optional),
    Column::plain("guide.offline_note.zh", Line),
    Column::plain("guide.offline_note.en", Line),
    Column::new("guide.common_mistakes.zh", "guide.common_mistakes[].zh", Members),
    Column::new("guide.common_mistakes.en", "guide.common_mistakes[].en", Members),
    Column::word("withdrawn.since", "withdrawn.since", Optional, word_or_empty::<CivilDate>),
    Column::plain("withdrawn.reason.zh", Optional),
    Column::plain("withdrawn.reason.en", Optional),
    Column::word("withdrawn.instead", "withdrawn.instead", Optional, word_or_empty::<ItemCode>),
];

/// Columns of `fields.csv`; the first two name the row.
pub(super) const FIELDS: &[Column] = &[
    Column::plain("code", Name),
    Column::plain("key", Name),
    Column::plain("page", Shown),
    Column::plain("widget", Shown),
    Column::word("label.zh", "label.zh", Line, label),
    Column::word("label.en", "label.en", Line, label),
    Column::word("question.zh", "question.zh", Optional, label),
    Column::word("question.en", "question.en", Optional, label),
    Column::word("hint.zh", "hint.zh", Optional, label),
    Column::word("hint.en", "hint.en", Optional, label),
    Column::plain("required", Flag),
    Column::word("choices.value", "choices[].value", Members, label),
    Column::word("choices.zh", "choices[].label.zh", Members, label),
    Column::word("choices.en", "choices[].label.en", Members, label),
];

/// Whether a text is short enough for a form: told here because a form tells only its first mistake.
fn label(text: &str) -> Result<(), String> {
    let chars = text.chars().count();
    if chars > MAX_LABEL_CHARS {
        Err(format!("{chars} characters; at most {MAX_LABEL_CHARS}"))
    } else {
        Ok(())
    }
}

/// The value at a path of members separated by dots.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

/// The cell of a column in an entry.
pub(super) fn cell(entry: &Value, column: &Column) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let lines = |list: Option<&Value>, member: &dyn Fn(&Value) -> String| {
        let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().map(member).collect::<Vec<_>>().join("\n")
    };
    let value = at(entry, column.path);
    match column.kind {
        Kind::Name | Kind::Shown | Kind::Line | Kind::Optional => text(value),
        Kind::Flag => value.and_then(Value::as_bool).unwrap_or(false).to_string(),
        Kind::Whole => value.and_then(Value::as_i64).unwrap_or(0).to_string(),
        Kind::Tenths => tenths_text(value.and_then(Value::as_u64).unwrap_or(0)),
        Kind::Lines => lines(value, &|line| text(Some(line))),
        Kind::Members => {
            let (list, member) = column.member();
            lines(at(entry, list), &|part| text(at(part, member)))
        }
    }
}

fn tenths_text(tenths: u64) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

/// Tenths from `5`, `0.5` or `5.00`; none if that is not exact.
pub(super) fn tenths(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.bytes().skip(1).any(|b| b != b'0') {
        return None;
    }
    let tenth = rest.bytes().next().map_or(0, |b| u64::from(b - b'0'));
    whole.parse::<u64>().ok().map(|n| n * 10 + tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_exact_or_refused() {
        for (text, wanted) in [
            ("5", Some(50)),
            ("0.5", Some(5)),
            ("5.0", Some(50)),
            ("12.30", Some(123)),
            ("0.25", None),
            ("1,5", None),
            ("-1", None),
            (".5", None),
            ("5.", None),
            ("", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(tenths(text), wanted, "{text}");
        }
        for n in [0, 5, 50, 55, 100_000] {
            assert_eq!(tenths(&tenths_text(n)), Some(n));
        }
    }

    #[test]
    fn parts_that_may_be_absent_are_known_by_their_first_member() {
        for (key, root) in [
            ("neutral_title.zh", "neutral_title"),
            ("guide.fee_note.en", "guide.fee_note"),
            ("withdrawn.reason.zh", "withdrawn"),
            ("withdrawn.since", "withdrawn"),
        ] {
            let column = ITEMS.iter().find(|column| column.key == key).expect("a column");
            assert_eq!((column.root(), column.kind), (root, Kind::Optional));
        }
    }
}
