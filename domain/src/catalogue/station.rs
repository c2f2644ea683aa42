//! 网点服务站: a bank branch with a terminal, as the catalogue lists it, and what it offers.
//!
//! Refuses to look at a clock: day and minute come in.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Calendar, Catalogue, DayKind, Entry};
use crate::date::CivilDate;
use crate::ids::{ItemCode, StationId};
use crate::text::Text;

/// 网点服务站
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Id such as `XN-CCB-CD-01`.
    pub id: StationId,
    /// Number of the station, 1–899: issuer of its first terminal's case numbers.
    pub number: u16,
    /// Bank.
    pub bank: String,
    /// Name of the branch.
    pub name: Text,
    /// District.
    pub district: Text,
    /// GB/T 2260 code.
    pub division_code: String,
    /// Address.
    pub address: Text,
    /// Approximate WGS-84 longitude and latitude in millionths of a degree, sample.
    pub lon_e6: i64,
    /// See `lon_e6`.
    pub lat_e6: i64,
    /// Such as `09:00-17:00`; several spans are separated by commas.
    pub weekday_hours: String,
    /// Open at noon.
    pub noon_service: bool,
    /// Such as `09:00-12:00`, or empty.
    pub saturday_hours: String,
    /// Or empty.
    pub sunday_hours: String,
    /// Has a 24-hour zone.
    pub self_service_24h: bool,
    /// fiber, 4g, 4g-weak.
    pub network_profile: String,
    /// Bank employees who help.
    pub helpers_on_duty: u16,
    /// `sample`.
    pub data_label: String,
    /// What differs from the rule of [`Station::offer`], by item or bundle.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offers: BTreeMap<ItemCode, Offer>,
    /// What people come for most at this station, the most used first: stands on its home page before the
    /// catalogue's (see [`Station::frequent`]). May be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub home_items: Vec<ItemCode>,
}

/// How a station offers an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// 自助: done alone at the terminal.
    SelfService,
    /// 协助: done at the terminal together with staff.
    Assisted,
    /// 收件: papers are taken in and passed on.
    Intake,
    /// 咨询: questions are answered.
    Advice,
    /// Not here.
    None,
}

impl Station {
    /// How an item or bundle is offered here: as the station says, else together with staff where staff must be
    /// there, else alone.
    pub fn offer(&self, entry: Entry<'_>) -> Offer {
        let usual = if entry.needs_staff() { Offer::Assisted } else { Offer::SelfService };
        self.offers.get(entry.code()).copied().unwrap_or(usual)
    }

    /// The frequent items and bundles of this station: its own, then the catalogue's, each once, without those that
    /// it does not offer.
    pub fn frequent<'c>(&'c self, catalogue: &'c Catalogue) -> Vec<Entry<'c>> {
        let mut seen = BTreeSet::new();
        let codes = self.home_items.iter().chain(&catalogue.home_items).filter(|code| seen.insert(*code));
        let entries = codes.filter_map(|code| catalogue.entry(code));
        entries.filter(|entry| self.offer(*entry) != Offer::None).collect()
    }

    /// Spans of a day in minutes since midnight, from and until: none on a holiday; a make-up working day has the
    /// hours of a weekday.
    pub fn hours(&self, date: CivilDate, calendar: &Calendar) -> Vec<(u16, u16)> {
        let hours = match (calendar.days.get(&date), date.weekday()) {
            (Some(DayKind::Holiday), _) => "",
            (Some(DayKind::Workday), _) | (None, ..=5) => &self.weekday_hours,
            (None, 6) => &self.saturday_hours,
            (None, _) => &self.sunday_hours,
        };
        spans(hours).unwrap_or_default()
    }

    /// Whether its counter is open at a minute of a day.
    pub fn is_open(&self, date: CivilDate, minute: u16, calendar: &Calendar) -> bool {
        self.hours(date, calendar).iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

/// `HH:MM-HH:MM`, several separated by commas, each later than the one before; minutes since midnight.
pub(super) fn spans(text: &str) -> Option<Vec<(u16, u16)>> {
    let mut spans: Vec<(u16, u16)> = Vec::new();
    for span in text.split(',') {
        let (from, until) = span.split_once('-')?;
        let (from, until) = (minute_of_day(from)?, minute_of_day(until)?);
        if from >= until || spans.last().is_some_and(|(_, last)| from <= *last) {
            return None;
        }
        spans.push((from, until));
    }
    Some(spans)
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() == 2 && !part.starts_with('+'));
    let (hour, minute) = (number(hour)?, number(minute)?);
    ((0..=24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_strictly() {
        assert_eq!(spans("09:00-12:00,14:00-17:00"), Some(vec![(540, 720), (840, 1_020)]));
        for bad in
            ["", "9:00-12:00", "12:00-09:00", "09:00-12:00,12:00-13:00", "09:60-10:00", "+9:00-10:00", "a"]
        {
            assert_eq!(spans(bad), None, "{bad}");
        }
    }
}
