//! Which reader counts and what is to be reported, out of what all readers show. Pure.
use std::collections::VecDeque;

use crate::card_reader::ReaderStatus;
use crate::transport::pcsc::Slot;

/// Most events that wait to be told; the fold gives at most two a look and they are told before the next look.
const MAX_WAITING: usize = 8;

/// What was seen last, and the events not told yet.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The reader whose card is served, and its count of changes when the card was seen.
    active: Option<(String, u32)>,
    last: ReaderStatus,
    waiting: VecDeque<ReaderStatus>,
    /// Another card that waits, as the served one is named.
    second: Option<(String, u32)>,
    /// That was not told yet.
    second_waits: bool,
}

impl Presence {
    /// The reader on which the served card lies.
    pub(crate) fn active(&self) -> Option<&str> {
        self.active.as_ref().map(|(name, _)| name.as_str())
    }

    /// What was seen last.
    pub(crate) fn last(&self) -> ReaderStatus {
        self.last
    }

    /// The next event to tell.
    pub(crate) fn next(&mut self) -> Option<ReaderStatus> {
        self.waiting.pop_front()
    }

    /// Whether another card was laid down since this was asked last, and still waits.
    pub(crate) fn take_second(&mut self) -> bool {
        std::mem::take(&mut self.second_waits)
    }

    /// Whether no event waits to be told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the card of the last told event is gone, be it that another one lies there already.
    pub(crate) fn lifted(&self) -> bool {
        let gone = [ReaderStatus::Empty, ReaderStatus::NoReader, ReaderStatus::ServiceOff];
        self.active.is_none() || self.waiting.iter().any(|status| gone.contains(status))
    }

    /// Tells this besides what is seen at the readers.
    pub(crate) fn tell(&mut self, status: ReaderStatus) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(status);
        }
    }

    /// There is no service, so nothing is seen.
    pub(crate) fn service_off(&mut self) {
        self.active = None;
        self.report(ReaderStatus::ServiceOff);
    }

    /// Takes in what the readers show. The card that is served stays the served one while it lies there, whatever
    /// happens on other readers; a card changed for another is told as lifted and laid down.
    pub(crate) fn see(&mut self, slots: &[Slot]) {
        let still = |(name, changes): &(String, u32)| {
            slots.iter().any(|slot| slot.card && slot.name == *name && slot.changes == *changes)
        };
        if self.active.as_ref().is_some_and(still) {
            self.see_second(slots);
            return;
        }
        (self.second, self.second_waits) = (None, false);
        let had_card = self.active.take().is_some();
        match slots.iter().find(|slot| slot.card) {
            Some(slot) => {
                if had_card {
                    self.report(ReaderStatus::Empty);
                }
                self.active = Some((slot.name.clone(), slot.changes));
                self.report(ReaderStatus::Card);
            }
            None if slots.is_empty() => self.report(ReaderStatus::NoReader),
            None => self.report(ReaderStatus::Empty),
        }
    }

    fn see_second(&mut self, slots: &[Slot]) {
        let served = self.active();
        let second = slots.iter().find(|slot| slot.card && Some(slot.name.as_str()) != served);
        let second = second.map(|slot| (slot.name.clone(), slot.changes));
        if second != self.second {
            (self.second_waits, self.second) = (second.is_some(), second);
        }
    }

    fn report(&mut self, status: ReaderStatus) {
        if self.last != status {
            self.last = status;
            self.tell(status);
        }
    }
}

/// Whether a reader's name fits a pattern: `*` stands for any characters, case does not matter, and a pattern
/// without `*` fits as a part of the name.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    if first.len() == pattern.len() {
        return name.contains(first);
    }
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::ReaderStatus::{Card, Empty, NoReader, ServiceOff};
    use super::*;

    /// What the readers show: name, whether a card lies there, and how often that changed.
    type Shown<'a> = &'a [(&'a str, bool, u32)];

    /// What the readers show, what is told then, and whose card is served.
    type Step<'a> = (Shown<'a>, &'a [ReaderStatus], Option<&'a str>);

    fn slots(shown: Shown<'_>) -> Vec<Slot> {
        shown
            .iter()
            .map(|(name, card, changes)| Slot { name: (*name).into(), card: *card, changes: *changes })
            .collect()
    }

    #[test]
    fn what_the_readers_show_becomes_events() {
        let mut presence = Presence::default();
        let steps: &[Step] = &[
            (&[], &[NoReader], None),
            (&[], &[], None),
            (&[("a", false, 0)], &[Empty], None),
            (&[("a", true, 1)], &[Card], Some("a")),
            (&[("a", true, 1), ("b", false, 0)], &[], Some("a")),
            (&[("a", true, 1), ("b", true, 1)], &[], Some("a")),
            (&[("a", false, 2), ("b", true, 1)], &[Empty, Card], Some("b")),
            (&[("a", false, 2), ("b", true, 3)], &[Empty, Card], Some("b")),
            (&[("a", false, 2), ("b", false, 4)], &[Empty], None),
            (&[("b", true, 5)], &[Card], Some("b")),
            (&[], &[NoReader], None),
            (&[("b", true, 0)], &[Card], Some("b")),
        ];
        for (at, (shown, events, active)) in steps.iter().enumerate() {
            presence.see(&slots(shown));
            let told: Vec<_> = std::iter::from_fn(|| presence.next()).collect();
            assert_eq!((told.as_slice(), presence.active()), (*events, *active), "step {at}");
        }
    }

    #[test]
    fn another_card_is_told_once_each_time_it_is_laid_down() {
        let mut presence = Presence::default();
        let steps: &[(Shown<'_>, bool)] = &[
            (&[("a", true, 1), ("b", true, 1)], false),
            (&[("a", true, 1), ("b", true, 1)], true),
            (&[("a", true, 1), ("b", true, 1)], false),
            (&[("a", true, 1), ("b", false, 2)], false),
            (&[("a", true, 1), ("b", true, 3)], true),
            (&[("a", false, 2), ("b", true, 3)], false),
            (&[("a", true, 3), ("b", true, 3)], true),
            (&[], false),
        ];
        for (at, (shown, told)) in steps.iter().enumerate() {
            presence.see(&slots(shown));
            assert_eq!(presence.take_second(), *told, "step {at}");
        }
    }

    #[test]
    fn a_service_that_stops_and_comes_back_is_told_once_each() {
        let mut presence = Presence::default();
        presence.see(&slots(&[("a", true, 1)]));
        presence.service_off();
        presence.service_off();
        presence.see(&slots(&[("a", true, 0)]));
        let told: Vec<_> = std::iter::from_fn(|| presence.next()).collect();
        assert_eq!(told, [Card, ServiceOff, Card]);
    }

    #[test]
    fn the_queue_of_events_is_bounded() {
        let mut presence = Presence::default();
        (0..100).for_each(|_| presence.tell(Empty));
        assert_eq!(presence.waiting.len(), MAX_WAITING);
    }

    #[test]
    fn patterns_choose_readers() {
        let name = "Jinban virtual SAM_V (simulator) 00 00";
        let table = [
            ("sam_v", true),
            ("", true),
            ("*", true),
            ("jinban*", true),
            ("*00 00", true),
            ("jinban*SAM_V*00 00", true),
            ("jinban*00 01", false),
            ("virtual*", false),
            ("*simulator", false),
            ("jinban*nothing*00", false),
            ("ACR122", false),
        ];
        for (pattern, fit) in table {
            assert_eq!(fits(pattern, name), fit, "{pattern}");
        }
    }
}
