//! Which reader counts and what is to be reported, out of what all readers show. Pure.
use std::collections::VecDeque;

use crate::card_reader::ReaderStatus;
use crate::transport::pcsc::Slot;

/// Most cards that are remembered as lying there for good; more than readers are watched.
const MAX_LYING: usize = 16;
/// Most events that wait to be told; the fold gives at most two a look and they are told before the next look.
const MAX_WAITING: usize = 8;

/// A card: its reader, and the count of changes there when it was seen.
type Lying = (String, u32);

/// What was seen last, and the events not told yet.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The card that is served.
    active: Option<Lying>,
    /// Readers of the last look.
    known: Vec<String>,
    /// Cards that lay there when their reader was found.
    from_start: Vec<Lying>,
    /// Those of them that could not be read: a PSAM in a slot of its own says "card present" for ever, and waits for
    /// nobody. They count for nothing until they are taken out; a reader that is found again still has them.
    built_in: Vec<Lying>,
    last: ReaderStatus,
    waiting: VecDeque<ReaderStatus>,
    /// Another card that waits, as the served one is named.
    second: Option<Lying>,
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

    /// The served card could not be read. If it lay there when its reader was found, it is taken for a part of the
    /// reader: other cards are served, as if it were not there.
    pub(crate) fn set_aside(&mut self) {
        let lay_there = |card: &Lying| self.from_start.contains(card);
        let Some(card) = self.active.take_if(|card| lay_there(card)) else { return };
        self.from_start.retain(|other| *other != card);
        if self.built_in.len() < MAX_LYING {
            self.built_in.push(card);
        }
        self.report(ReaderStatus::Empty);
    }

    /// There is no service, so nothing is seen.
    pub(crate) fn service_off(&mut self) {
        self.active = None;
        self.known.clear();
        self.from_start.clear();
        self.report(ReaderStatus::ServiceOff);
    }

    /// Takes in what the readers show. The card that is served stays the served one while it lies there, whatever
    /// happens on other readers; a card changed for another is told as lifted and laid down.
    pub(crate) fn see(&mut self, slots: &[Slot]) {
        let slots = &self.without_built_in(slots)[..];
        if self.active.as_ref().is_some_and(|card| lies(slots, card)) {
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

    /// What the readers show besides cards that are parts of them.
    fn without_built_in(&mut self, slots: &[Slot]) -> Vec<Slot> {
        let found = |slot: &&Slot| slot.changes == 0 || !self.known.contains(&slot.name);
        let found: Vec<&Slot> = slots.iter().filter(|slot| slot.card).filter(found).collect();
        for (name, changes) in &mut self.built_in {
            // The reader counts anew.
            if let Some(slot) = found.iter().find(|slot| slot.name == *name) {
                *changes = slot.changes;
            }
        }
        let there = |name: &str| slots.iter().any(|slot| slot.name == name);
        self.built_in.retain(|card| !there(&card.0) || lies(slots, card));
        self.from_start.retain(|card| lies(slots, card));
        for slot in found {
            let card = (slot.name.clone(), slot.changes);
            if !self.built_in.contains(&card)
                && !self.from_start.contains(&card)
                && self.from_start.len() < MAX_LYING
            {
                self.from_start.push(card);
            }
        }
        self.known = slots.iter().map(|slot| slot.name.clone()).collect();
        let card = |slot: &Slot| slot.card && !self.built_in.contains(&(slot.name.clone(), slot.changes));
        slots.iter().map(|slot| Slot { card: card(slot), ..slot.clone() }).collect()
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

/// Whether this very card still lies there.
fn lies(slots: &[Slot], (name, changes): &Lying) -> bool {
    slots.iter().any(|slot| slot.card && slot.name == *name && slot.changes == *changes)
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

    /// What is told after the readers show this.
    fn told(presence: &mut Presence, shown: Shown<'_>) -> Vec<ReaderStatus> {
        presence.see(&slots(shown));
        std::iter::from_fn(|| presence.next()).collect()
    }

    #[test]
    fn a_card_that_lay_there_from_the_start_and_cannot_be_read_keeps_nobody_waiting() {
        let mut presence = Presence::default();
        assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 0)]), [Card]);
        presence.set_aside();
        assert_eq!(presence.next(), Some(Empty));
        let steps: &[Step] = &[
            (&[("a", false, 0), ("psam", true, 0)], &[], None),
            (&[("a", true, 1), ("psam", true, 0)], &[Card], Some("a")),
            (&[("a", false, 2), ("psam", true, 0)], &[Empty], None),
            // Its reader goes and comes again, with it.
            (&[("a", false, 2)], &[], None),
            (&[("a", false, 2), ("psam", true, 5)], &[], None),
            // Once it is taken out, whatever is put in there is a card like others.
            (&[("a", false, 2), ("psam", false, 6)], &[], None),
            (&[("a", false, 2), ("psam", true, 7)], &[Card], Some("psam")),
        ];
        for (at, (shown, events, active)) in steps.iter().enumerate() {
            assert_eq!(told(&mut presence, shown), *events, "step {at}");
            assert!(!presence.take_second(), "step {at}");
            assert_eq!(presence.active(), *active, "step {at}");
        }
        presence.set_aside();
        assert_eq!((presence.next(), presence.active()), (None, Some("psam")), "it was laid down");
    }

    #[test]
    fn a_service_that_comes_back_does_not_bring_such_a_card_back() {
        let mut presence = Presence::default();
        told(&mut presence, &[("psam", true, 3)]);
        presence.set_aside();
        presence.service_off();
        while presence.next().is_some() {}
        assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 0)]), [Empty]);
        assert_eq!(told(&mut presence, &[("a", true, 1), ("psam", true, 0)]), [Card]);
        assert_eq!((presence.take_second(), presence.active()), (false, Some("a")));
    }

    #[test]
    fn a_card_that_waits_for_another_and_lay_there_from_the_start_is_told_until_it_was_tried() {
        let mut presence = Presence::default();
        assert_eq!(told(&mut presence, &[("a", true, 0), ("psam", true, 0)]), [Card]);
        assert_eq!(told(&mut presence, &[("a", true, 0), ("psam", true, 0)]), []);
        assert!(presence.take_second());
        assert_eq!(told(&mut presence, &[("a", false, 1), ("psam", true, 0)]), [Empty, Card]);
        presence.set_aside();
        assert_eq!(told(&mut presence, &[("a", true, 2), ("psam", true, 0)]), [Empty, Card]);
        assert_eq!((presence.take_second(), presence.active()), (false, Some("a")));
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
