//! The page of the devices, for staff and technicians: how each one is, and what was said to the card reader.
//!
//! Nothing on it is of a person, so nobody signs in for it; it opens also while the terminal takes nothing.
use hardware::device::{DeviceKind, DeviceState};
use hardware::trace::Line;

use super::{Model, Screen, Session};
use crate::devices::DeviceView;
use crate::event::Job;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DevicesPage {
    /// All devices that this terminal is meant to have.
    pub list: Vec<DeviceView>,
    /// The newest exchanges with the card reader, oldest first; filled while a page of devices is open.
    pub lines: Vec<Line>,
    /// The supervisor was told that somebody looks.
    watched: bool,
}

impl Model {
    /// How a device is; [`DeviceState::Off`] if this terminal is meant to have none of the kind.
    pub fn device(&self, kind: DeviceKind) -> DeviceState {
        self.devices.list.iter().find(|device| device.kind == kind).map_or(DeviceState::Off, |d| d.state)
    }

    /// To the page, also while the terminal takes nothing: then this begins a visit.
    pub(super) fn open_devices(&mut self) -> Vec<Job> {
        if self.outage.is_some() {
            self.session.get_or_insert_with(|| Session::new(self.now_ms));
        }
        self.open(Screen::Devices)
    }

    /// Tells the supervisor whether somebody looks, when that has changed; what was seen goes with the page.
    pub(super) fn follow_devices(&mut self) -> Option<Job> {
        let watched = matches!(self.screen, Screen::Devices | Screen::DeviceTrace);
        if watched == self.devices.watched {
            return None;
        }
        self.devices.watched = watched;
        if !watched {
            self.devices.lines.clear();
        }
        Some(Job::WatchDevices(watched))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::command::Command;
    use crate::event::Event;
    use crate::model::{Outage, TextSize};

    fn watching(jobs: &[Job]) -> Option<bool> {
        jobs.iter().find_map(|job| match job {
            Job::WatchDevices(on) => Some(*on),
            _ => None,
        })
    }

    #[test]
    fn the_reader_is_watched_only_while_somebody_looks() {
        let mut model = Model::new(Arc::new(Model::empty_catalogue()), 1_000);
        model.command(Command::OpenDevices);
        assert_eq!(model.screen, Screen::Attract, "nobody is here");
        model.command(Command::Start(TextSize::Normal));
        model.command(Command::OpenDevices);
        assert_eq!(watching(&model.event(Event::Tick { now_ms: 1_001 })), Some(true));
        assert_eq!(watching(&model.event(Event::Tick { now_ms: 1_002 })), None, "told once");
        model.command(Command::OpenDeviceTrace);
        assert_eq!(watching(&model.event(Event::Tick { now_ms: 1_003 })), None);
        model.command(Command::Finish);
        assert_eq!(watching(&model.event(Event::Tick { now_ms: 1_004 })), Some(false));
    }

    #[test]
    fn it_opens_while_the_terminal_takes_nothing_and_ends_there() {
        let mut model = Model::new(Arc::new(Model::empty_catalogue()), 1_000);
        model.event(Event::Outage(Some(Outage::NoCatalogue)));
        model.command(Command::OpenDevices);
        assert_eq!(model.screen, Screen::Devices);
        let jobs = model.command(Command::CheckDevices);
        assert!(matches!(jobs[..], [Job::CheckDevices]), "{jobs:?}");
        model.command(Command::Back);
        assert_eq!((&model.screen, model.session.is_none()), (&Screen::OutOfService, true));
    }
}
