//! A catalogue version that came while the terminal runs: it is taken between two people, never under an open form.
use std::fmt;
use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::search::SearchIndex;

use super::{Model, Outage, Screen};
use crate::event::Job;

/// A verified version with its search, prepared by a worker.
pub struct NewCatalogue {
    catalogue: Arc<Catalogue>,
    index: Arc<SearchIndex>,
}

impl fmt::Debug for NewCatalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewCatalogue({})", self.catalogue.version)
    }
}

impl NewCatalogue {
    /// Prepares the search of a version.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { index: Arc::new(SearchIndex::new(&catalogue)), catalogue }
    }
}

impl Model {
    /// Keeps a version until nobody is here; a later one takes its place.
    pub(super) fn catalogue_came(&mut self, new: NewCatalogue) -> Vec<Job> {
        self.next_catalogue = Some(Box::new(new));
        Vec::new()
    }

    /// Takes the version that waits, if nobody is here; the desk follows.
    pub(super) fn take_catalogue(&mut self) -> Vec<Job> {
        let nobody = self.session.is_none() && matches!(self.screen, Screen::Attract | Screen::OutOfService);
        let Some(new) = self.next_catalogue.take_if(|_| nobody) else { return Vec::new() };
        self.catalogue = new.catalogue;
        self.index = new.index;
        if let Some(station) = &self.station {
            self.station = self.catalogue.stations.get(&station.id).cloned();
        }
        let mut jobs = vec![Job::UseCatalogue(Arc::clone(&self.catalogue))];
        if self.outage == Some(Outage::NoCatalogue) {
            jobs.extend(self.outage_changed(None));
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::event::Event;
    use crate::model::TextSize;

    fn version(version: u64) -> NewCatalogue {
        NewCatalogue::new(Arc::new(Catalogue { version, ..Model::empty_catalogue() }))
    }

    #[test]
    fn a_version_is_taken_when_nobody_is_here_and_the_newest_wins() {
        let mut model = Model::new(Arc::new(Model::empty_catalogue()), 0);
        let jobs = model.event(Event::Catalogue(Box::new(version(2))));
        assert!(matches!(jobs.as_slice(), [Job::UseCatalogue(c)] if c.version == 2), "{jobs:?}");
        model.command(Command::Start(TextSize::Normal));
        for newer in [3, 4] {
            let jobs = model.event(Event::Catalogue(Box::new(version(newer))));
            assert!(jobs.is_empty() && model.catalogue.version == 2, "somebody is here: {jobs:?}");
        }
        model.command(Command::Finish);
        let jobs = model.event(Event::Tick { now_ms: 1_000 });
        assert!(jobs.iter().any(|j| matches!(j, Job::UseCatalogue(c) if c.version == 4)), "{jobs:?}");
        assert_eq!(model.catalogue.version, 4);
        assert!(model.event(Event::Tick { now_ms: 2_000 }).is_empty(), "once");
    }

    #[test]
    fn a_terminal_without_a_catalogue_begins_to_serve() {
        let mut model = Model::new(Arc::new(Model::empty_catalogue()), 0);
        model.outage = Some(Outage::NoCatalogue);
        model.screen = Screen::OutOfService;
        model.event(Event::Catalogue(Box::new(version(1))));
        assert_eq!((model.outage, &model.screen), (None, &Screen::Attract));
    }
}
