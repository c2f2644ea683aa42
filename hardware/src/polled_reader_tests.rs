//! A module in memory whose card is laid, read and lifted; no line, no waiting.
use std::sync::{Arc, Mutex};

use super::*;
use crate::card_file;
use crate::samv::{Answer, Command, parse_request};
use zeroize::Zeroizing;

/// What the module is like now.
#[derive(Default)]
struct State {
    plugged: bool,
    card: Option<Vec<u8>>,
    read: bool,
    /// An answer to every command, in place of the right one.
    instead: Option<Result<Vec<u8>, TransportError>>,
    asked: Vec<Command>,
}

#[derive(Clone, Default)]
struct Module(Arc<Mutex<State>>);

impl Module {
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.0.lock().expect("a lock"))
    }
}

impl Transport for Module {
    fn exchange(&mut self, frame: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let command = Command::from_code(parse_request(frame).expect("a request")).expect("known");
        self.with(|state| {
            state.asked.push(command);
            if !state.plugged {
                return Err(TransportError::ReaderGone);
            }
            if let Some(answer) = &state.instead {
                return answer.clone().map(Zeroizing::new);
            }
            let answer = match (command, &state.card) {
                (Command::Status, _) => Answer::encode(0x90, &[]),
                (Command::Find, Some(_)) if !state.read => Answer::encode(0x9F, &[0; 4]),
                (Command::Find, _) => Answer::encode(0x80, &[]),
                (Command::Select, Some(_)) => Answer::encode(0x90, &[0; 8]),
                (Command::ReadTextPhoto, Some(image)) => {
                    state.read = true;
                    Answer::encode(0x90, image)
                }
                (Command::ReadNewestAddress, Some(_)) if state.read => Answer::encode(0x91, &[]),
                (Command::ReadBodyNumber, Some(_)) => Answer::encode(0x90, &[0xA1, 0xB2]),
                _ => Answer::encode(0x41, &[]),
            };
            Ok(Zeroizing::new(answer))
        })
    }
}

fn courier() -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/cards/courier.toml");
    card_file::load_image(&path).expect("a sample card").to_vec()
}

struct Desk {
    module: Module,
    reader: PolledReader,
}

fn desk() -> Desk {
    let module = Module::default();
    module.with(|state| state.plugged = true);
    let line = module.clone();
    let opens = move || {
        let plugged = line.with(|state| state.plugged);
        if plugged { Ok(Box::new(line.clone()) as OpenTransport) } else { Err(TransportError::ReaderGone) }
    };
    let mut desk = Desk { module, reader: PolledReader::new(opens, MIN_POLL, 2) };
    desk.tells(ReaderStatus::Empty);
    desk
}

impl Desk {
    /// Looks now, without waiting for the next turn.
    fn event(&mut self) -> ReaderEvent {
        self.reader.next = Instant::now();
        self.reader.wait_event(Duration::ZERO)
    }

    fn tells(&mut self, status: ReaderStatus) {
        assert_eq!(self.event(), ReaderEvent::Status(status));
    }

    fn is_quiet(&mut self) {
        assert_eq!(self.event(), ReaderEvent::Nothing);
    }

    fn lay(&mut self) {
        self.module.with(|state| (state.card, state.read) = (Some(courier()), false));
    }
}

#[test]
fn a_card_that_was_read_lies_there_until_it_is_lifted() {
    let mut desk = desk();
    desk.is_quiet();
    desk.lay();
    desk.tells(ReaderStatus::Card);
    desk.is_quiet();
    let Ok(CardData::IdCard(card)) = desk.reader.read() else { panic!("not read") };
    assert_eq!(card.body_number, "A1B2");
    desk.module.with(|state| state.asked.clear());
    for _ in 0..3 {
        desk.is_quiet();
    }
    assert_eq!(desk.module.with(|state| state.asked.clone()), [Command::ReadNewestAddress; 3]);
    desk.module.with(|state| state.card = None);
    desk.tells(ReaderStatus::Empty);
    assert_eq!(desk.reader.read().err(), Some(ReadError::Removed));
}

#[test]
fn a_card_laid_again_between_two_questions_is_lifted_and_a_new_card() {
    let mut desk = desk();
    desk.lay();
    desk.tells(ReaderStatus::Card);
    assert!(desk.reader.read().is_ok());
    // Laid anew: the module finds it, and has no address of a card that it did not read.
    desk.lay();
    desk.tells(ReaderStatus::Empty);
    assert_eq!(desk.reader.wait_event(Duration::ZERO), ReaderEvent::Status(ReaderStatus::Card));
    assert!(desk.reader.read().is_ok());
}

#[test]
fn a_failed_read_is_told_apart_from_a_card_lifted_and_a_reader_unplugged() {
    let mut desk = desk();
    desk.lay();
    desk.tells(ReaderStatus::Card);
    desk.module.with(|state| state.card = Some(vec![1, 0, 4, 0]));
    assert_eq!(desk.reader.read().err(), Some(ReadError::LayAgain));
    desk.is_quiet();
    desk.module.with(|state| state.card = None);
    assert_eq!(desk.reader.read().err(), Some(ReadError::Removed));
    desk.tells(ReaderStatus::Empty);
    desk.lay();
    desk.tells(ReaderStatus::Card);
    desk.module.with(|state| state.plugged = false);
    assert_eq!(desk.reader.read().err(), Some(ReadError::ReaderGone));
    desk.tells(ReaderStatus::NoReader);
    desk.module.with(|state| state.plugged = true);
    desk.tells(ReaderStatus::Card);
}

#[test]
fn a_silent_module_is_gone_and_a_sick_one_out_of_order_until_well() {
    let mut desk = desk();
    desk.module.with(|state| state.instead = Some(Err(TransportError::Failed)));
    desk.is_quiet();
    desk.tells(ReaderStatus::NoReader);
    desk.module.with(|state| state.instead = Some(Ok(Answer::encode(0x60, &[]))));
    desk.tells(ReaderStatus::OutOfOrder);
    desk.is_quiet();
    desk.module.with(|state| state.instead = None);
    desk.tells(ReaderStatus::Empty);
    desk.module.with(|state| state.instead = Some(Ok(Answer::encode(0x66, &[]))));
    desk.tells(ReaderStatus::OutOfOrder);
}

#[test]
fn a_port_that_another_program_has_is_told_apart_from_one_that_is_gone_or_closed_to_this_user() {
    let opening = Arc::new(Mutex::new(Err(TransportError::Busy)));
    let (module, answer) = (Module::default(), Arc::clone(&opening));
    module.with(|state| state.plugged = true);
    let line = module.clone();
    let opens = move || {
        let opened: Result<(), TransportError> = *answer.lock().expect("a lock");
        opened.map(|()| Box::new(line.clone()) as OpenTransport)
    };
    let mut desk = Desk { module, reader: PolledReader::new(opens, MIN_POLL, 2) };
    let now = |opened| *opening.lock().expect("a lock") = opened;
    desk.tells(ReaderStatus::Busy);
    desk.is_quiet();
    assert!(desk.reader.misses(), "it is there, and does not serve");
    assert_eq!(desk.reader.read().err(), Some(ReadError::ReaderGone));
    now(Err(TransportError::Refused));
    desk.tells(ReaderStatus::OutOfOrder);
    now(Err(TransportError::ReaderGone));
    desk.tells(ReaderStatus::NoReader);
    now(Ok(()));
    desk.tells(ReaderStatus::Empty);
    assert!(!desk.reader.misses());
}

#[test]
fn a_wait_ends_when_it_should() {
    let mut desk = desk();
    let begun = Instant::now();
    assert_eq!(desk.reader.wait_event(Duration::from_millis(30)), ReaderEvent::Nothing);
    assert!(begun.elapsed() >= Duration::from_millis(30) && begun.elapsed() < MIN_POLL);
}
