//! What lies on the desk of a terminal: the card reader, and the printer that ends a visit with paper.
//!
//! The card's protocol, the decoding of the card and the print queue are the real ones; the reader is the virtual one
//! without pcscd, and the printer only counts its slips. Refuses to hand in what a card that was pulled did not say whole.
use anyhow::{Context as _, Result, ensure};
use domain::applicant::IdNumberKind;
use domain::ids::EnvelopeId;
use domain::text::Language;
use domain::wire::v1::Person;
use hardware::card_reader::IdCard;
use hardware::device::Trouble;
use hardware::id_card;
use hardware::security_module::SecurityModule;
use hardware::transport::{Transport, TransportError};
use rand_core::Rng as _;
use terminal::clock::Clock as _;
use terminal::model::PrintKind;
use terminal::store::{PrintEnd, Store, StoreError};
use virtual_reader::order::Order;
use virtual_reader::state::{Reply, State};
use zeroize::Zeroizing;

use super::faults::Fault;
use super::terminal::SimulatedTerminal;
use super::world::{Event, World};
use crate::history::{History, Op};

/// Exchanges of a read: look for the card, select it, read it. A card is pulled before one of them.
const EXCHANGES: u32 = 3;
/// One of so many citizens wants the slip on paper.
const WANTS_PAPER: u32 = 10;
/// How long a paper is being printed, milliseconds: the next one comes after it.
const PRINTS_MS: i64 = 5_000;
/// How soon a paper that could not be printed is tried again, milliseconds.
const TRY_AGAIN_MS: i64 = 20_000;

/// The security module of a reader, straight.
struct Module<'a>(&'a mut State);

impl Transport for Module<'_> {
    fn exchange(
        &mut self,
        frame: &[u8],
        _: std::time::Duration,
    ) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        match self.0.exchange_frame(frame) {
            Reply::Bytes(bytes) => Ok(bytes.into()),
            Reply::Removed => Err(TransportError::CardRemoved),
            Reply::Unplugged => Err(TransportError::ReaderGone),
            Reply::Unsupported => Err(TransportError::Unsupported),
        }
    }
}

/// A person's card as a reader reads it; none if it was pulled before this exchange, and that was noticed.
fn read(card: &IdCard, pulled_at: Option<u32>) -> Result<Option<IdCard>> {
    let mut reader = State::default();
    reader.obey(Order::Insert(id_card::encode(card)?.to_vec()));
    pulled_at.into_iter().for_each(|at| drop(reader.obey(Order::RemoveAt(at))));
    // One look: the real one waits between two.
    let image = SecurityModule::new(Module(&mut reader)).with_one_look().read_image();
    match image {
        Ok(image) => Ok(Some(id_card::decode(&image)?)),
        Err(error) if pulled_at.is_none() => Err(error).context("a card that lies still"),
        Err(_) => Ok(None),
    }
}

/// The card of an invented person.
fn card_of(person: &Person) -> IdCard {
    let mut card = IdCard::empty(IdNumberKind::Resident);
    card.name = person.name.clone();
    card.sex = person.sex.unwrap_or(1);
    card.nation = "01".into();
    card.birth = person.birth.map(|day| day.to_string().replace('-', "")).unwrap_or_default();
    card.address = "样例市样例路1号".into();
    card.id_number = person.id_number.clone();
    card.issuer = "样例公安局".into();
    card.valid_from = "20200101".into();
    card.valid_to = "20400101".into();
    card
}

/// Reads a person's card; one that is pulled is laid down again. What was read takes the place of what is known.
///
/// # Errors
/// If a card that lies still cannot be read, or a card is read as another one.
pub fn lay_card(person: &mut Person, pulled_at: Option<u32>) -> Result<()> {
    let card = card_of(person);
    let first = read(&card, pulled_at)?;
    let whole = match first {
        Some(whole) => whole,
        None => read(&card, None)?.context("a card that lies still")?,
    };
    // What is read behind the image is not there if the card went.
    let same = (&whole.id_number, &whole.name, &whole.birth) == (&card.id_number, &card.name, &card.birth);
    ensure!(same, "a card was read as another one");
    (person.id_number, person.name) = (whole.id_number.clone(), whole.name.clone());
    Ok(())
}

/// A terminal's printer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Printer {
    /// It has paper.
    #[default]
    Ready,
    /// Its paper ends in the middle of the next slip.
    RunsOut,
    /// It has none.
    Empty,
}

impl SimulatedTerminal {
    /// A citizen asks for a slip on paper; a second tap changes nothing.
    pub fn ask_for_paper(&mut self, id: EnvelopeId, history: &mut History) {
        let now_ms = self.clock.now_ms();
        let Some(running) = &self.running else { return };
        // Before it is asked: a store that ends behind its commit still prints it.
        history.note_at(&self.name, now_ms, Op::PaperAsked { id });
        for _tap in 0..2 {
            let _ = running.store().queue_print((PrintKind::Slip, id), Language::ZhCn, now_ms);
        }
    }

    /// One turn of the printer's thread; when to look again, milliseconds, if anything is left to do.
    pub fn print(&mut self, history: &mut History) -> Option<i64> {
        let now_ms = self.clock.now_ms();
        let running = self.running.as_ref()?;
        let turn = print_one(&mut running.store(), &mut self.printer, now_ms);
        match turn {
            Ok(None) => None,
            Ok(Some(Turn::Waits)) | Err(_) => Some(TRY_AGAIN_MS),
            Ok(Some(Turn::Over { paper, noted })) => {
                if let Some(id) = paper {
                    history.note_at(&self.name, now_ms, Op::Paper { id });
                }
                // What could not be noted is doubtful after the next start, and is not tried again before.
                noted.is_ok().then_some(PRINTS_MS)
            }
        }
    }

    /// Papers that wait or are being printed; none while it is off.
    pub fn paper_waits(&self) -> Option<bool> {
        let running = self.running.as_ref()?;
        let waits = running.store().due_print().map_or(true, |due| due.is_some());
        Some(waits)
    }
}

/// How a turn ended.
enum Turn {
    /// The paper waits for its printer.
    Waits,
    /// It was given to the printer; whose slip came out whole, and whether that could be noted.
    Over { paper: Option<EnvelopeId>, noted: Result<(), StoreError> },
}

/// Prints what is due, as the thread of the printers does.
fn print_one(store: &mut Store, printer: &mut Printer, now_ms: i64) -> Result<Option<Turn>, StoreError> {
    store.give_up_prints(now_ms)?;
    let Some(due) = store.due_print()? else { return Ok(None) };
    if !store.begin_print(&due)? {
        return Ok(Some(Turn::Waits));
    }
    match *printer {
        Printer::Empty => {
            store.put_back_print(due.id, Trouble::NoPaper)?;
            Ok(Some(Turn::Waits))
        }
        Printer::RunsOut => {
            *printer = Printer::Empty;
            let noted = store.end_print(due.id, PrintEnd::Doubtful(Some(Trouble::NoPaper)));
            Ok(Some(Turn::Over { paper: None, noted }))
        }
        Printer::Ready => {
            let noted = store.end_print(due.id, PrintEnd::Printed);
            Ok(Some(Turn::Over { paper: Some(due.envelope_id), noted }))
        }
    }
}

impl World {
    /// Before which exchange a citizen lifts the card, if that strikes.
    pub(super) fn pulls_card(&mut self) -> Option<u32> {
        if !self.weather.strikes(Fault::CardPulled, &mut self.rng) {
            return None;
        }
        self.count(Fault::CardPulled.name());
        Some(1 + self.rng.next_u32() % EXCHANGES)
    }

    /// Some citizens want their slip on paper.
    pub(super) fn may_want_paper(&mut self, place: usize, id: EnvelopeId) {
        if self.rng.next_u32().is_multiple_of(WANTS_PAPER) {
            self.terminals[place].ask_for_paper(id, &mut self.history);
            self.after(1_000, Event::Print(place));
        }
    }

    /// The printer's thread of a terminal has its turn.
    ///
    /// # Errors
    /// If a file of a disk cannot be used.
    pub(super) fn print(&mut self, place: usize) -> Result<()> {
        let again_ms = self.terminals[place].print(&mut self.history);
        again_ms.into_iter().for_each(|ms| self.after(ms, Event::Print(place)));
        self.look_after(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::courier_at;

    #[test]
    fn a_card_is_read_as_it_is_and_one_that_was_pulled_is_not_read_at_all() {
        let mut person = courier_at(1_795_993_200_000).applicant;
        let before = person.clone();
        let card = card_of(&person);
        for at in 1..=EXCHANGES {
            assert!(read(&card, Some(at)).expect("no error").is_none(), "{at}");
            lay_card(&mut person, Some(at)).expect("laid again");
            assert_eq!(person, before);
        }
        assert!(read(&card, Some(EXCHANGES + 1)).expect("read").is_some(), "the read was over");
    }
}
