//! What a citizen meets at the card reader, over a real pcscd that loads the simulated reader.
//!
//! Client library, daemon and driver interface are real; radio and security module are simulated.
mod chips;
mod faults;
mod hostile;
mod lines;
mod settings;
mod several;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hardware::card_reader::{CardData, CardReader, IdCard, ReadError, ReaderEvent, ReaderStatus};
use hardware::samv::Command;
use hardware::transport::ApduChannel;
use hardware::{PcscConfig, PcscReader, Route, card_file};
use tests::pcscd::Pcscd;
use virtual_reader::control::Control;
use virtual_reader::order::{Fault, Order, Part};

/// No step on this machine takes longer; a step that does has failed.
const SOON: Duration = Duration::from_secs(10);

const CARDS: [(&str, &str, &str); 8] = [
    ("courier", "样小川", "639900199005201035"),
    ("elder", "样国安", "639900194403150015"),
    ("dotted-name", "仁青·卓玛才让", "639900197808112029"),
    ("rare-character", "样\u{3F06}", "639900198511013032"),
    ("expired", "样过期", "639900196909074055"),
    ("taiwan", "样如兰", "830000198808080025"),
    ("foreigner-2017", "样安德", "UTO639985060700"),
    ("foreigner-2023", "样玛丽", "963999199002140022"),
];

/// A terminal's reader and the hand that lays cards on it.
struct Desk {
    reader: PcscReader,
    hand: Control,
    // Last: the daemon ends after its clients.
    pcscd: Pcscd,
}

fn desk() -> Desk {
    desk_with(PcscConfig::default())
}

fn desk_with(config: PcscConfig) -> Desk {
    let pcscd = Pcscd::lock().expect("a pcscd");
    let hand = pcscd.control().expect("the simulated reader");
    let mut desk = Desk { reader: PcscReader::new(config), hand, pcscd };
    desk.wait_for(ReaderStatus::Empty);
    desk
}

fn image(name: &str) -> Vec<u8> {
    let cards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/cards");
    let path: PathBuf = cards.join(name).with_extension("toml");
    card_file::load_image(&path).expect("a sample card").to_vec()
}

impl Desk {
    /// Waits for the next event, which must be this one.
    fn wait_for(&mut self, wanted: ReaderStatus) {
        assert_eq!(self.reader.wait_event(SOON), ReaderEvent::Status(wanted));
    }

    fn lay(&mut self, name: &str) {
        self.hand.insert(&image(name)).expect("laid down");
        self.wait_for(ReaderStatus::Card);
    }

    fn lift(&mut self) {
        self.hand.remove().expect("lifted");
        self.wait_for(ReaderStatus::Empty);
    }

    fn read(&mut self) -> Result<IdCard, ReadError> {
        match self.reader.read()? {
            CardData::IdCard(card) => Ok(card),
            CardData::SocialSecurity(_) | CardData::Staff(_) => Err(ReadError::UnknownCard),
        }
    }

    /// Lifts the card and lays it down again: a module reads no card twice.
    fn lay_again(&mut self, name: &str) {
        self.hand.insert(&image(name)).expect("laid again");
        self.wait_for(ReaderStatus::Empty);
        self.wait_for(ReaderStatus::Card);
    }

    /// The card that lies there can be read after all that happened.
    fn reads(&mut self, name: &str) {
        let (_, person, id_number) =
            CARDS.into_iter().find(|(card, ..)| *card == name).expect("a sample card");
        let card = self.read().expect(name);
        assert_eq!((card.name.as_str(), card.id_number.as_str()), (person, id_number));
    }
}

#[test]
fn a_card_laid_down_is_read_and_lifted() {
    let mut desk = desk();
    desk.lay("courier");
    let card = desk.read().expect("read");
    assert_eq!((card.name.as_str(), card.sex, card.birth.as_str()), ("样小川", 1, "19900520"));
    assert_eq!(card.photo.len(), 1024);
    desk.lift();
    assert_eq!(desk.reader.wait_event(Duration::ZERO), ReaderEvent::Nothing);
    assert_eq!(desk.read().err(), Some(ReadError::Removed));
}

#[test]
fn every_sample_card_is_read_whole() {
    let mut desk = desk();
    for (name, ..) in CARDS {
        desk.lay(name);
        desk.reads(name);
        desk.lift();
    }
}

#[test]
fn the_newest_address_takes_the_place_of_the_first_on_cards_that_have_one() {
    let newest = "样例省样例市新样例路9号";
    let bytes: Vec<u8> = newest.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut desk = desk();
    desk.hand.order(&Order::NewestAddress(bytes)).expect("ordered");
    for (name, has_one) in [("courier", true), ("taiwan", true), ("foreigner-2023", false)] {
        desk.lay(name);
        let card = desk.read().expect(name);
        assert_eq!((card.address == newest, card.address_is_newest), (has_one, has_one), "{name}");
        desk.lift();
    }
    desk.hand.order(&Order::NewestAddress(vec![])).expect("ordered");
    desk.lay("courier");
    let card = desk.read().expect("read");
    assert!(card.address.contains("骑手路") && !card.address_is_newest);
}

#[test]
fn the_modules_number_is_known_after_a_read_and_not_needed_for_one() {
    let mut desk = desk();
    assert_eq!(desk.reader.sam_id(), None);
    desk.lay("courier");
    desk.reads("courier");
    let number = desk.reader.sam_id().expect("a number").to_string();
    assert_eq!(number, "05.03-20160318-0000000001-0000000001");
    desk.lay_again("courier");
    desk.hand.fault(Fault::Status(0x21, Some(Command::SamId)), 100).expect("ordered");
    desk.reads("courier");
    assert_eq!(desk.reader.sam_id(), None);
}

#[test]
fn a_card_changed_for_another_in_one_movement_is_lifted_and_laid_down() {
    let mut desk = desk();
    desk.lay("courier");
    desk.hand.insert(&image("elder")).expect("changed");
    desk.wait_for(ReaderStatus::Empty);
    desk.wait_for(ReaderStatus::Card);
    desk.reads("elder");
}

#[test]
fn a_card_lifted_while_it_is_read_is_said_to_be_lifted_and_read_the_next_time() {
    for route in [Route::Control, Route::Image] {
        let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
        desk.lay("courier");
        desk.hand.remove_mid_read().expect("ordered");
        assert_eq!(desk.read().err(), Some(ReadError::Removed), "{route:?}");
        desk.wait_for(ReaderStatus::Empty);
        desk.lay("courier");
        desk.reads("courier");
    }
}

#[test]
fn one_broken_answer_is_not_noticed_and_many_are_an_error_that_passes() {
    let faults = [Fault::Truncate, Fault::Garbage, Fault::WrongChecksum, Fault::Oversize];
    let mut desk = desk();
    desk.lay("courier");
    desk.reads("courier");
    for fault in faults {
        desk.lay_again("courier");
        desk.hand.fault(fault, 1).expect("ordered");
        desk.reads("courier");
        desk.lay_again("courier");
        desk.hand.fault(fault, 3).expect("ordered");
        assert_eq!(desk.read().err(), Some(ReadError::LayAgain), "{fault:?}");
        desk.reads("courier");
    }
    desk.lay_again("courier");
    desk.hand.fault(Fault::Noise, 100).expect("ordered");
    desk.reads("courier");
}

#[test]
fn a_card_that_does_not_answer_is_to_be_laid_again() {
    let mut desk = desk();
    desk.lay("courier");
    let refusals = [(0x41, Command::ReadTextPhoto), (0x81, Command::Select), (0x80, Command::Find)];
    for (sw3, command) in refusals {
        desk.hand.fault(Fault::Status(sw3, Some(command)), 10).expect("ordered");
        assert_eq!(desk.read().err(), Some(ReadError::LayAgain), "{sw3:02X}");
        desk.hand.fault(Fault::Garbage, 0).expect("ordered");
        desk.lay_again("courier");
        desk.reads("courier");
    }
}

#[test]
fn a_card_that_was_read_is_to_be_laid_again_for_another_read() {
    let mut desk = desk();
    desk.lay("courier");
    assert_eq!(desk.read().expect("read").body_number, "4A42000000000001");
    assert_eq!(desk.read().err(), Some(ReadError::LayAgain));
    desk.lay_again("courier");
    desk.reads("courier");
}

#[test]
fn a_reader_out_of_order_tells_staff_until_it_is_well_again() {
    for sw3 in [0x60, 0x66] {
        let mut desk = desk();
        desk.lay("courier");
        desk.hand.fault(Fault::Status(sw3, None), 1).expect("ordered");
        assert_eq!(desk.read().err(), Some(ReadError::OutOfOrder), "{sw3:02X}");
        desk.wait_for(ReaderStatus::OutOfOrder);
        desk.lift();
        desk.lay("courier");
        desk.reads("courier");
    }
}

#[test]
fn a_reader_that_stays_out_of_order_is_never_shown_as_ready() {
    let mut desk = desk();
    desk.lay("courier");
    desk.hand.fault(Fault::Status(0x60, None), 100).expect("ordered");
    assert_eq!(desk.read().err(), Some(ReadError::OutOfOrder));
    desk.wait_for(ReaderStatus::OutOfOrder);
    desk.hand.remove().expect("lifted");
    assert_eq!(desk.reader.wait_event(Duration::from_millis(300)), ReaderEvent::Nothing);
}

#[test]
fn a_reader_without_a_security_module_says_so() {
    let mut desk = desk();
    desk.hand.switch(Part::Module, false).expect("ordered");
    desk.lay("courier");
    for _ in 0..2 {
        assert_eq!(desk.read().err(), Some(ReadError::NoSecurityModule));
    }
    desk.lift();
    desk.hand.switch(Part::Module, true).expect("ordered");
    desk.lay("courier");
    desk.reads("courier");
}

#[test]
fn something_that_is_no_security_module_is_not_taken_for_one() {
    let mut desk = desk();
    desk.hand.switch(Part::Image, false).expect("ordered");
    desk.hand.fault(Fault::Garbage, 1000).expect("ordered");
    desk.lay("courier");
    assert_eq!(desk.read().err(), Some(ReadError::NoSecurityModule));
}

#[test]
fn the_card_image_carries_the_same_bytes_as_control_commands() {
    let config = |route| PcscConfig { route, ..PcscConfig::default() };
    let mut desk = desk_with(config(Route::Control));
    desk.lay("dotted-name");
    let mut by_control = desk.read().expect("read by control");
    // Only the module tells it.
    by_control.body_number.clear();
    desk.reader = PcscReader::new(config(Route::Image));
    desk.wait_for(ReaderStatus::Card);
    let by_image = desk.read().expect("read by image");
    assert!(by_control == by_image, "the two ways differ");
    // Without control commands the reader finds the other way by itself.
    desk.hand.switch(Part::Control, false).expect("ordered");
    desk.reader = PcscReader::new(config(Route::Auto));
    desk.wait_for(ReaderStatus::Card);
    desk.reads("dotted-name");

    let mut service = hardware::transport::pcsc::Service::open().expect("pcscd");
    let slots = service.wait(Duration::ZERO).expect("a reader");
    let mut card = service.open_card(&slots[0].name).expect("the card");
    let bytes = hardware::transport::image::read_image(&mut card).expect("the image");
    assert!(*bytes == image("dotted-name"), "not the bytes on the card");
    let unknown = card.transmit(&[0x00, 0xA4, 0x04, 0x00]).expect("an answer");
    assert_eq!(unknown[..], [0x6D, 0x00]);
}

#[test]
fn a_damaged_card_is_told_apart_from_one_to_lay_again() {
    let mut desk = desk();
    let mut damaged = image("courier");
    // The last digit of the ID number: 639900199005201035 becomes …1030.
    damaged[4 + 122 + 34] = b'0';
    desk.hand.insert(&damaged).expect("laid down");
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::Damaged));
    let mut unknown = image("courier");
    unknown[4 + 248] = b'?';
    desk.hand.insert(&unknown).expect("laid down");
    desk.wait_for(ReaderStatus::Empty);
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::UnknownCard));
    desk.hand.insert(&[1, 0, 4, 0]).expect("laid down");
    desk.wait_for(ReaderStatus::Empty);
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::LayAgain));
}

#[test]
fn only_readers_that_fit_the_pattern_count() {
    let config = |pattern: &str| PcscConfig { reader_pattern: Some(pattern.into()), ..PcscConfig::default() };
    let mut desk = desk_with(config("jinban*"));
    desk.lay("courier");
    desk.reads("courier");
    desk.reader = PcscReader::new(config("another make"));
    desk.wait_for(ReaderStatus::NoReader);
    assert_eq!(desk.read().err(), Some(ReadError::Removed));
}

#[test]
fn the_service_killed_and_restarted_is_found_again() {
    let mut desk = desk();
    desk.lay("courier");
    desk.reads("courier");
    desk.pcscd.kill().expect("killed");
    desk.wait_for(ReaderStatus::ServiceOff);
    assert_eq!(desk.read().err(), Some(ReadError::ReaderGone));
    desk.pcscd.restart().expect("restarted");
    desk.hand = desk.pcscd.control().expect("the new reader");
    desk.wait_for(ReaderStatus::Empty);
    desk.lay("elder");
    desk.reads("elder");
}

#[test]
fn without_a_service_a_terminal_starts_and_waits() {
    let mut pcscd = Pcscd::lock().expect("a pcscd");
    pcscd.kill().expect("killed");
    let mut reader = PcscReader::new(PcscConfig::default());
    assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::ServiceOff));
    let start = Instant::now();
    assert_eq!(reader.wait_event(Duration::from_millis(50)), ReaderEvent::Nothing);
    assert!(start.elapsed() < Duration::from_secs(1), "waits no longer than it was told");
    assert_eq!(reader.read(), Err(ReadError::ReaderGone));
    pcscd.restart().expect("restarted");
    assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Empty));
}

#[test]
fn a_slow_reader_is_waited_for() {
    let mut desk = desk();
    desk.lay("courier");
    desk.hand.delay(Duration::from_millis(30)).expect("ordered");
    let start = Instant::now();
    desk.reads("courier");
    assert!(start.elapsed() >= Duration::from_millis(4 * 30), "status, find, select and read at least");
}
