//! Rules that JSON Schema cannot say: dates that depend on today, order of two fields, control characters.
use serde_json::{Map, Value};

use super::Facts;
use super::error::FieldErrorKind;
use super::property::FieldRules;
use super::spec::{UiField, Widget};
use crate::applicant::check_id_number;
use crate::date::CivilDate;

/// Limits of a date or month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DateRules {
    /// Not before this.
    pub min: Option<DateBound>,
    /// Not after this.
    pub max: Option<DateBound>,
    /// Not before the answer to this field.
    pub not_before: Option<String>,
    /// Later than the answer to this field.
    pub after: Option<String>,
}

/// A limit: fixed, or counted from today (days) or this month (months).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateBound {
    /// Days after today.
    Days(i64),
    /// Months after this month.
    Months(i64),
    /// A fixed day; a fixed month is its first day.
    Fixed(CivilDate),
}

impl DateBound {
    /// `today`, `today+30`, `2000-01-01`; for months `month`, `month-1`, `2000-01`.
    pub(super) fn parse(text: &str, month: bool) -> Option<Self> {
        let word = if month { "month" } else { "today" };
        let Some(offset) = text.strip_prefix(word) else {
            return parse_date(text, month).map(Self::Fixed);
        };
        let n: i64 = match offset {
            "" => 0,
            signed if signed.starts_with(['+', '-']) && signed.len() <= 6 => signed.parse().ok()?,
            _ => return None,
        };
        Some(if month { Self::Months(n) } else { Self::Days(n) })
    }

    /// The day; `None` if it depends on a day that is not known.
    fn resolve(self, today: Option<CivilDate>) -> Option<CivilDate> {
        match self {
            Self::Fixed(date) => Some(date),
            Self::Days(n) => today.map(|today| today.plus_days(n)),
            Self::Months(n) => {
                let today = today?;
                let (year, month, _) = today.parts();
                let months = i64::from(year) * 12 + i64::from(month) - 1 + n;
                let year = i16::try_from(months.div_euclid(12)).unwrap_or(i16::MAX);
                let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
                Some(CivilDate::new(year, month, 1).unwrap_or(today))
            }
        }
    }

    fn is_now(self) -> bool {
        matches!(self, Self::Days(0) | Self::Months(0))
    }
}

/// A date, or a month as its first day.
pub(super) fn parse_date(text: &str, month: bool) -> Option<CivilDate> {
    if month { format!("{text}-01").parse().ok() } else { text.parse().ok() }
}

/// Answers in normal form, as a rule of one field sees them: those of its row, then those outside of rows.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    /// The field's row.
    pub row: Option<&'a Map<String, Value>>,
    /// The form's own object.
    pub top: &'a Map<String, Value>,
}

impl<'a> Texts<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.row.and_then(|row| row.get(key)).or_else(|| self.top.get(key))
    }

    fn text(&self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// What our own rules say to an answer that the schema accepts.
pub(super) fn check(
    field: &UiField,
    rules: &FieldRules,
    answers: &Texts<'_>,
    facts: &Facts,
) -> Option<FieldErrorKind> {
    let value = answers.get(&field.key)?;
    let today = facts.today;
    let text = value.as_str().unwrap_or_default();
    if has_control(value) {
        return Some(FieldErrorKind::Pattern);
    }
    match field.widget {
        Widget::Date | Widget::Month => check_date(field, rules, answers, today),
        Widget::Number => check_year(value, rules, today?),
        Widget::Region => rules
            .differs_from
            .as_ref()
            .filter(|other| answers.text(other) == text)
            .map(|other| FieldErrorKind::SameRegion { other: other.clone() }),
        // The keyword `x-idcard` cannot know today.
        Widget::Text if rules.id_card => {
            check_id_number(text, today).is_err().then_some(FieldErrorKind::IdNumber)
        }
        _ => None,
    }
}

fn check_date(
    field: &UiField,
    rules: &FieldRules,
    answers: &Texts<'_>,
    today: Option<CivilDate>,
) -> Option<FieldErrorKind> {
    let month = field.widget == Widget::Month;
    let Some(date) = parse_date(answers.text(&field.key), month) else { return Some(FieldErrorKind::Date) };
    let shown = |date: CivilDate| {
        let text = date.to_string();
        if month { text[..7].to_owned() } else { text }
    };
    let day = |bound: Option<DateBound>| bound.and_then(|bound| Some((bound, bound.resolve(today)?)));
    if let Some((bound, latest)) = day(rules.dates.max).filter(|(_, latest)| date > *latest) {
        let kind = FieldErrorKind::DateTooLate { latest: shown(latest) };
        return Some(if bound.is_now() { FieldErrorKind::DateInFuture } else { kind });
    }
    if let Some((bound, earliest)) = day(rules.dates.min).filter(|(_, earliest)| date < *earliest) {
        let kind = FieldErrorKind::DateTooEarly { earliest: shown(earliest) };
        return Some(if bound.is_now() { FieldErrorKind::DateInPast } else { kind });
    }
    let breaks = |other: &Option<String>, may_equal: bool| {
        let other = other.as_ref()?;
        let start = parse_date(answers.text(other), month)?;
        let good = date > start || (may_equal && date == start);
        (!good).then(|| FieldErrorKind::DateOrder { other: other.clone() })
    };
    breaks(&rules.dates.not_before, true).or_else(|| breaks(&rules.dates.after, false))
}

fn check_year(value: &Value, rules: &FieldRules, today: CivilDate) -> Option<FieldErrorKind> {
    let most = i64::from(today.parts().0) + rules.year_max?;
    (value.as_i64()? > most).then(|| FieldErrorKind::Above { most: most.to_string() })
}

/// A control character other than a line break, in any text of an answer.
fn has_control(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().any(|c| c.is_control() && c != '\n'),
        Value::Object(map) => map.values().any(has_control),
        Value::Array(list) => list.iter().any(has_control),
        _ => false,
    }
}
