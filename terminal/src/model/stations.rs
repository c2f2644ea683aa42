//! Other stations: what is looked for and what was found, worked out when it is asked for and once a minute, so that
//! a frame only draws. Refuses to ask anybody: the catalogue has all of it, also without a network.
use domain::catalogue::Entry;
use domain::ids::{ItemCode, StationId};
use domain::nearby::{Moment, Near, Opening, Wish, alone, near, opening};

use super::{Model, Screen, Session};
use crate::event::Job;

/// The page of stations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StationsView {
    /// The item or bundle that is to be done there, if it is a certain one.
    pub item: Option<ItemCode>,
    /// Only those that can do it.
    pub only_able: bool,
    /// Only those that are open now.
    pub only_open: bool,
    /// What was found, the nearest first.
    pub found: Vec<Near>,
    /// Page of the list, from 0.
    pub page: usize,
    /// The moment for which it was found.
    at: Option<Moment>,
}

impl Model {
    /// The frequent items and bundles of this station, the most used first; without a known station the catalogue's.
    pub fn frequent(&self) -> Vec<Entry<'_>> {
        match &self.station {
            Some(station) => station.frequent(&self.catalogue),
            None => self.catalogue.home_items.iter().filter_map(|code| self.catalogue.entry(code)).collect(),
        }
    }

    /// The minute that the device clock shows.
    pub fn moment(&self) -> Moment {
        Moment::in_china(self.now_ms)
    }

    /// How a station stands now: for what is looked for, if it is a certain item.
    pub fn opening_of(&self, station: &domain::catalogue::Station) -> Opening {
        let entry = self.stations.item.as_ref().and_then(|code| self.catalogue.entry(code));
        opening(station, alone(station, entry), self.moment(), &self.catalogue.calendar)
    }

    /// To the other stations, also while the terminal takes nothing: then this begins a visit.
    pub(super) fn open_stations(&mut self, item: Option<ItemCode>) -> Vec<Job> {
        if self.outage.is_some() {
            self.session.get_or_insert_with(|| Session::new(self.now_ms));
        }
        if self.session.is_none() {
            return Vec::new();
        }
        let item = item.filter(|code| self.catalogue.entry(code).is_some());
        self.stations = StationsView { only_able: item.is_some(), item, ..StationsView::default() };
        self.find_stations();
        self.open(Screen::Stations)
    }

    pub(super) fn filter_stations(&mut self, only_open: bool, only_able: bool) -> Vec<Job> {
        let view = &mut self.stations;
        view.only_open = only_open;
        view.only_able = only_able && view.item.is_some();
        view.page = 0;
        self.find_stations();
        Vec::new()
    }

    pub(super) fn open_station(&mut self, id: StationId) -> Vec<Job> {
        if self.catalogue.stations.contains_key(&id) { self.open(Screen::Station(id)) } else { Vec::new() }
    }

    /// Looks again when the minute has changed: stations open and close.
    pub(super) fn follow_stations(&mut self) {
        if self.screen == Screen::Stations && self.stations.at != Some(self.moment()) {
            self.find_stations();
        }
    }

    fn find_stations(&mut self) {
        let moment = self.moment();
        let view = &self.stations;
        let entry = view.item.as_ref().filter(|_| view.only_able);
        let wish = Wish {
            entry: entry.and_then(|code| self.catalogue.entry(code)),
            open_at: view.only_open.then_some(moment),
        };
        self.stations.found = near(&self.catalogue, self.station.as_ref(), wish);
        self.stations.at = Some(moment);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::command::Command;
    use crate::event::Event;
    use crate::model::{Outage, TextSize};

    /// 2026-11-24 08:59:30 in China, a Tuesday.
    const BEFORE_NINE_MS: i64 = 1_795_481_970_000;

    fn model() -> Model {
        let document = include_str!("../../../tests/fixtures/catalogue-1.json");
        let catalogue = domain::catalogue::Catalogue::from_document(document).expect("the frozen catalogue");
        let mut model = Model::new(Arc::new(catalogue), BEFORE_NINE_MS);
        model.command(Command::Start(TextSize::Normal));
        model
    }

    #[test]
    fn stations_open_while_one_looks() {
        let mut model = model();
        model.command(Command::OpenStations(None));
        assert_eq!(model.screen, Screen::Stations);
        assert_eq!(model.stations.found.len(), 2, "both stations of the catalogue");
        model.command(Command::FilterStations { only_open: true, only_able: true });
        // One has a 24-hour zone.
        assert_eq!((model.stations.found.len(), model.stations.only_able), (1, false));
        model.event(Event::Tick { now_ms: BEFORE_NINE_MS + 30_000 });
        assert_eq!(model.stations.found.len(), 2);
        model.command(Command::Finish);
        assert_eq!(model.stations, StationsView::default());
    }

    #[test]
    fn stations_can_be_looked_at_while_the_terminal_takes_nothing() {
        let mut model = model();
        let id = model.catalogue.stations.keys().next().cloned().expect("a station");
        model.event(Event::Outage(Some(Outage::StoreFull)));
        assert_eq!((&model.screen, model.session.is_none()), (&Screen::OutOfService, true));
        model.command(Command::OpenStations(None));
        model.command(Command::OpenStation(id.clone()));
        assert_eq!(model.screen, Screen::Station(id));
        model.command(Command::OpenSearch);
        model.command(Command::Back);
        assert_eq!(model.screen, Screen::Stations);
        model.command(Command::Back);
        assert_eq!((&model.screen, model.session.is_none()), (&Screen::OutOfService, true));
        model.command(Command::OpenStations(None));
        model.event(Event::Outage(None));
        assert_eq!((&model.screen, model.session.is_none()), (&Screen::Attract, true));
    }
}
