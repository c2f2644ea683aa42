//! Which reader counts and what is to be reported, out of what all readers show. Pure.
use std::collections::VecDeque;
use std::time::Instant;

use crate::card_reader::ReaderStatus;
use crate::ill_readers::IllReaders;
use crate::transport::pcsc::Slot;

/// Most cards that are remembered as lying there; more than readers are watched.
const MAX_LYING: usize = 16;
/// Most events that wait to be told; the fold gives at most two a look and they are told before the next look.
const MAX_WAITING: usize = 8;
/// Fewer steps than this lead on from one count of changes to another; more mean that a reader counts anew.
const HALF_OF_ALL: u32 = 0x8000;

/// A card: its reader, and the count of changes there when it was seen first.
///
/// The service writes down that a card is there before it counts the change, so the same card is seen with its count
/// or with one less; a change of cards is two steps. The count that was seen first stays, or two such steps would be
/// taken for none.
type Lying = (String, u32);

/// What was seen last, and the events not told yet.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The card that is served.
    active: Option<Lying>,
    /// What the readers showed at the last look.
    slots: Vec<Slot>,
    /// Cards that lay there when their reader was found.
    from_start: Vec<Lying>,
    /// Those of them that could not be read: a PSAM in a slot of its own says "card present" for ever, and waits for
    /// nobody. They count for nothing until they are taken out, or their reader is found anew: what lies on it then may
    /// be somebody's card, so it is tried once more.
    built_in: Vec<Lying>,
    /// Readers that said that they are out of order.
    ill: IllReaders,
    /// Cards on such readers that were tried: they are passed over while the reader is ill.
    tried: Vec<Lying>,
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
        self.active.is_none() || self.waiting.iter().any(|status| *status != ReaderStatus::Card)
    }

    /// Whether the card on this reader woke up and answered with what no card answers.
    pub(crate) fn is_garbage(&self, reader: &str) -> bool {
        self.slots.iter().any(|slot| slot.name == reader && slot.card && slot.garbage)
    }

    /// The served card could not be read. If it lay there when its reader was found, it is taken for a part of the
    /// reader: other cards are served, as if it were not there. On the only reader there is nobody else to serve
    /// (`beside_others`: there are others of which nothing is known here), and whoever laid the card there the wrong way
    /// shall go on being told.
    pub(crate) fn set_aside(&mut self, beside_others: bool) {
        let lone = self.slots.len() <= 1 && !beside_others;
        let Some(card) = self.active.clone().filter(|card| !lone && has(&self.from_start, card)) else {
            return;
        };
        self.from_start.retain(|other| other.0 != card.0);
        if self.built_in.len() < MAX_LYING {
            self.built_in.push(card);
        }
        self.settle();
    }

    /// This reader said that it is out of order. The card on it is passed over from now on, and the others serve.
    pub(crate) fn fell_ill(&mut self, reader: &str, now: Instant) {
        self.ill.fell_ill(reader, now);
        if let Some(card) = self.active.clone().filter(|card| card.0 == reader)
            && self.tried.len() < MAX_LYING
        {
            self.tried.push(card);
        }
        self.settle();
    }

    /// This reader is well again, or never was ill.
    pub(crate) fn well_again(&mut self, reader: &str) {
        self.ill.remove(reader);
        self.tried.retain(|card| card.0 != reader);
        self.settle();
    }

    /// This reader was asked, and is ill still.
    pub(crate) fn still_ill(&mut self, reader: &str, now: Instant) {
        self.ill.still_ill(reader, now);
    }

    /// Whether a reader that is there is out of order.
    pub(crate) fn misses(&self) -> bool {
        !self.ill.is_empty()
    }

    /// The reader that is to be asked next whether it is well again, and when; none: at once. A reader on which a card
    /// lies is not disturbed: it is asked when that one is lifted.
    pub(crate) fn next_question(&self) -> Option<(&str, Option<Instant>)> {
        let free = |name: &str| !self.slots.iter().any(|slot| slot.card && slot.name == name);
        self.ill.next(free)
    }

    /// There is no service, so nothing is seen.
    pub(crate) fn service_off(&mut self) {
        self.take_in(&[]);
        (self.active, self.second, self.second_waits) = (None, None, false);
        self.report(ReaderStatus::ServiceOff);
    }

    /// Takes in what the readers show. The card that is served stays the served one while it lies there, whatever
    /// happens on other readers; a card changed for another is told as lifted and laid down.
    pub(crate) fn see(&mut self, slots: &[Slot]) {
        self.take_in(slots);
        self.settle();
    }

    /// Notes what lies on readers that are found now, and forgets what lies there no more.
    fn take_in(&mut self, slots: &[Slot]) {
        let before = std::mem::replace(&mut self.slots, slots.to_vec());
        let counts_on = |slot: &Slot| {
            let same = before.iter().find(|old| old.name == slot.name);
            same.is_some_and(|old| steps(old.changes, slot.changes) < HALF_OF_ALL)
        };
        let found = |name: &str| slots.iter().any(|slot| slot.name == name && !counts_on(slot));
        for cards in [&mut self.built_in, &mut self.from_start, &mut self.tried] {
            cards.retain(|card| !found(&card.0) && slots.iter().any(|slot| lies(card, slot)));
        }
        for slot in slots.iter().filter(|slot| slot.card && !counts_on(slot)) {
            if self.from_start.len() < MAX_LYING {
                self.from_start.push((slot.name.clone(), slot.changes));
            }
        }
        self.ill.keep(|name| slots.iter().any(|slot| slot.name == name));
        for old in before.iter().filter(|old| old.card) {
            if slots.iter().any(|slot| slot.name == old.name && !slot.card) {
                self.ill.ask_now(&old.name);
            }
        }
    }

    /// Finds the card that is served now, and what is to be told of that.
    fn settle(&mut self) {
        let lies_there = |card: &Lying| self.slots.iter().any(|slot| lies(card, slot) && self.counts(slot));
        if self.active.as_ref().is_some_and(lies_there) {
            self.see_second();
            return;
        }
        (self.second, self.second_waits) = (None, false);
        let had_card = self.active.take().is_some();
        let cards = self.slots.iter().filter(|slot| self.counts(slot));
        let next = cards.min_by_key(|slot| self.ill.has(&slot.name));
        let next = next.map(|slot| (slot.name.clone(), slot.changes));
        if had_card || next.is_none() {
            self.report(self.idle());
        }
        if next.is_some() {
            self.active = next;
            self.report(ReaderStatus::Card);
        }
    }

    /// Whether a card lies there that waits to be served.
    fn counts(&self, slot: &Slot) -> bool {
        let is = |card: &Lying| lies(card, slot);
        slot.card && !self.built_in.iter().any(is) && !self.tried.iter().any(is)
    }

    /// What there is to say while no card is served. A slot whose card is a part of it takes no other.
    fn idle(&self) -> ReaderStatus {
        let is_full = |slot: &Slot| self.built_in.iter().any(|card| lies(card, slot));
        let mut free = self.slots.iter().filter(|slot| !is_full(slot)).peekable();
        if self.slots.is_empty() {
            ReaderStatus::NoReader
        } else if free.peek().is_some() && free.all(|slot| self.ill.has(&slot.name)) {
            ReaderStatus::OutOfOrder
        } else {
            ReaderStatus::Empty
        }
    }

    fn see_second(&mut self) {
        let served = self.active();
        let second = self.slots.iter().find(|slot| self.counts(slot) && Some(slot.name.as_str()) != served);
        let known = second.zip(self.second.as_ref()).is_some_and(|(slot, card)| lies(card, slot));
        if !known {
            self.second = second.map(|slot| (slot.name.clone(), slot.changes));
            self.second_waits = self.second.is_some();
        }
    }

    fn report(&mut self, status: ReaderStatus) {
        if self.last != status {
            self.last = status;
            if self.waiting.len() < MAX_WAITING {
                self.waiting.push_back(status);
            }
        }
    }
}

/// How often something changed from one count to the other: counts are modulo 65,536.
fn steps(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from) & 0xFFFF
}

/// Whether this very card still lies there.
fn lies((name, changes): &Lying, slot: &Slot) -> bool {
    slot.card && slot.name == *name && steps(*changes, slot.changes) <= 1
}

/// Whether this card is one of these, each as it was seen first.
fn has(cards: &[Lying], (name, changes): &Lying) -> bool {
    cards.iter().any(|(other, first)| other == name && steps(*first, *changes) <= 1)
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
#[path = "presence_tests.rs"]
mod tests;
