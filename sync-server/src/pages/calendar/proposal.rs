//! Changes of the calendar that somebody thinks about: they stand in the address, `change=2026-12-31:holiday` each,
//! and nowhere else.
use std::collections::BTreeMap;

use domain::catalogue::{Calendar, DayKind, YearCertainty};
use domain::date::CivilDate;

/// Changes of one proposal, at most.
pub const MOST: usize = 60;

/// What becomes of a day or a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// A holiday, a make-up working day, or an ordinary day again.
    Day(CivilDate, Option<DayKind>),
    /// A year is as announced, or only expected.
    Year(i16, YearCertainty),
}

/// Why a change is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It names no day and no year of the calendar.
    Unreadable,
    /// A make-up working day is a Saturday or Sunday.
    NotOnWeekend(CivilDate),
    /// There are too many.
    TooMany,
}

/// Changes that fit, one for each day and year, and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// By what they are about, such as `2026-12-31`.
    changes: BTreeMap<String, Becomes>,
    /// What is not taken.
    pub refused: Vec<Refused>,
}

impl Proposal {
    /// Reads changes; a later one of the same day replaces the one before.
    pub fn read<'p>(texts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut proposal = Self::default();
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            if proposal.changes.len() + proposal.refused.len() >= MOST {
                proposal.refused.push(Refused::TooMany);
                break;
            }
            match read(text) {
                Ok((name, becomes)) => drop(proposal.changes.insert(name, becomes)),
                Err(refused) => proposal.refused.push(refused),
            }
        }
        proposal
    }

    /// Nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes, by day, years last.
    pub fn changes(&self) -> impl Iterator<Item = Becomes> {
        self.changes.values().copied()
    }

    /// Whether a day is changed.
    pub fn touches(&self, day: CivilDate) -> bool {
        self.changes.contains_key(&day.to_string())
    }

    /// Each change as it is written in an address.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.changes.iter().map(|(name, becomes)| format!("{name}:{}", word(*becomes)))
    }

    /// The same without one change.
    pub fn without(&self, text: &str) -> Self {
        let mut rest = self.clone();
        let name = text.split(':').next().unwrap_or_default();
        rest.changes.remove(name);
        rest
    }

    /// The calendar with all changes.
    pub fn applied(&self, calendar: &Calendar) -> Calendar {
        let mut calendar = calendar.clone();
        for becomes in self.changes.values() {
            match becomes {
                Becomes::Day(day, Some(kind)) => drop(calendar.days.insert(*day, *kind)),
                Becomes::Day(day, None) => drop(calendar.days.remove(day)),
                Becomes::Year(year, certainty) => drop(calendar.years.insert(*year, *certainty)),
            }
        }
        calendar
    }
}

fn read(text: &str) -> Result<(String, Becomes), Refused> {
    let (name, kind) = text.split_once(':').ok_or(Refused::Unreadable)?;
    if let Ok(year) = name.parse::<i16>() {
        let certainty = match kind {
            "published" => YearCertainty::Published,
            "expected" => YearCertainty::Expected,
            _ => return Err(Refused::Unreadable),
        };
        let sane = (2000..=2199).contains(&year).then_some(year).ok_or(Refused::Unreadable)?;
        return Ok((sane.to_string(), Becomes::Year(sane, certainty)));
    }
    let day: CivilDate = name.parse().map_err(|_| Refused::Unreadable)?;
    let kind = match kind {
        "holiday" => Some(DayKind::Holiday),
        "workday" if day.weekday() <= 5 => return Err(Refused::NotOnWeekend(day)),
        "workday" => Some(DayKind::Workday),
        "plain" => None,
        _ => return Err(Refused::Unreadable),
    };
    Ok((day.to_string(), Becomes::Day(day, kind)))
}

/// Key of what a day or year becomes.
pub fn word(becomes: Becomes) -> &'static str {
    match becomes {
        Becomes::Day(_, Some(DayKind::Holiday)) => "holiday",
        Becomes::Day(_, Some(DayKind::Workday)) => "workday",
        Becomes::Day(_, None) => "plain",
        Becomes::Year(_, YearCertainty::Published) => "published",
        Becomes::Year(_, YearCertainty::Expected) => "expected",
    }
}

/// A calendar as the file `calendar.json` of a catalogue's folder.
pub fn file(calendar: &Calendar) -> Result<String, serde_json::Error> {
    let years = serde_json::to_string(&calendar.years)?;
    let days: Result<Vec<String>, serde_json::Error> = calendar
        .days
        .iter()
        .map(|(date, kind)| {
            Ok(format!("{{\"date\": \"{date}\", \"kind\": {}}}", serde_json::to_string(kind)?))
        })
        .collect();
    Ok(format!("{{\"years\": {years},\n\"days\": [\n{}\n]}}\n", days?.join(",\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_and_written_and_nonsense_is_told() {
        let texts = [
            "2026-12-31:holiday",
            "2027-01-02:workday",
            "2026-12-31:plain",
            "2027:published",
            "2026-12-30:workday",
            "2026-02-30:holiday",
            "x:holiday",
            "2026-12-29:feast",
            "",
            "99999:published",
        ];
        let proposal = Proposal::read(texts);
        let written: Vec<String> = proposal.texts().collect();
        assert_eq!(written, ["2026-12-31:plain", "2027:published", "2027-01-02:workday"]);
        assert_eq!(proposal.refused.len(), 5, "{:?}", proposal.refused);
        assert!(proposal.refused.contains(&Refused::NotOnWeekend("2026-12-30".parse().expect("a date"))));
        let many: Vec<String> = (0..200).map(|n| format!("2{n:03}-01-01:holiday")).collect();
        let many = Proposal::read(many.iter().map(String::as_str));
        assert_eq!((many.changes.len(), many.refused.last()), (MOST, Some(&Refused::TooMany)));
    }

    #[test]
    fn applied_changes_make_a_file_that_can_be_read() {
        let mut calendar = Calendar::default();
        calendar.days.insert("2026-01-01".parse().expect("a date"), DayKind::Holiday);
        let proposal = Proposal::read(["2026-01-01:plain", "2026-01-04:workday", "2026:published"]);
        let changed = proposal.applied(&calendar);
        let file: serde_json::Value = serde_json::from_str(&file(&changed).expect("a file")).expect("JSON");
        assert_eq!(file["days"], serde_json::json!([{"date": "2026-01-04", "kind": "workday"}]));
        assert_eq!(file["years"], serde_json::json!({"2026": "published"}));
        assert_eq!(proposal.without("2026-01-04:workday").texts().count(), 2);
    }
}
