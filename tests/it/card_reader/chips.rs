//! Chip cards on the reader: social-security and staff cards are read, a bank card is left alone.
use hardware::card_reader::{CardData, CardReader as _, ReadError, ReaderStatus};
use hardware::simulated_card::Sample;
use hardware::{PcscConfig, PcscReader, Route};
use tests::pcscd::Pcscd;
use virtual_reader::order::{Order, Part};
use virtual_reader::vpcd::VpcdCard;

use super::{Desk, SOON, desk_with};

fn config(route: Route) -> PcscConfig {
    PcscConfig { route, ..PcscConfig::default() }
}

impl Desk {
    fn lay_chip(&mut self, sample: Sample) {
        self.hand.order(&Order::InsertChip(sample)).expect("laid down");
        self.wait_for(ReaderStatus::Card);
    }

    /// Nothing was asked that is never to be asked: a PIN, or the directory of payments.
    fn asked_nothing_forbidden(&mut self) {
        let status = self.hand.status().expect("a status");
        assert!(status.ends_with(" forbidden=0"), "{status}");
    }
}

#[test]
fn a_social_security_card_is_read_on_every_reader_that_may_hold_one() {
    // A reader for ID cards as well, one for chip cards only, and one without a module.
    for (route, module) in [(Route::Auto, true), (Route::Contact, true), (Route::Auto, false)] {
        let mut desk = desk_with(config(route));
        desk.hand.switch(Part::Module, module).expect("ordered");
        for sample in [Sample::SocialSecurity, Sample::SocialSecurityByTag] {
            desk.lay_chip(sample);
            // A module does not keep a chip card from being read again.
            for _ in 0..2 {
                let Ok(CardData::SocialSecurity(card)) = desk.reader.read() else {
                    panic!("{route:?} {sample:?}: not read")
                };
                assert_eq!((card.name.as_str(), card.id_number.as_str()), ("样小川", "639900199005201035"));
                assert!(card.identifies() && card.birth == "19900520" && card.area == "639900");
            }
            desk.asked_nothing_forbidden();
            desk.lift();
        }
    }
}

#[test]
fn a_locked_holder_a_damaged_number_and_a_long_name_are_told_apart() {
    let mut desk = desk_with(config(Route::Auto));
    desk.lay_chip(Sample::SocialSecurityLocked);
    let Ok(CardData::SocialSecurity(card)) = desk.reader.read() else { panic!("not read") };
    assert!(card.holder_locked && card.name.is_empty() && card.area == "639900");
    desk.asked_nothing_forbidden();
    desk.lift();
    desk.lay_chip(Sample::SocialSecurityLongName);
    let Ok(CardData::SocialSecurity(card)) = desk.reader.read() else { panic!("not read") };
    assert!(!card.identifies() && !card.name_extension.is_empty());
    desk.lift();
    desk.lay_chip(Sample::SocialSecurityDamaged);
    assert_eq!(desk.reader.read().err(), Some(ReadError::Damaged));
}

#[test]
fn a_staff_card_tells_its_number_and_a_bank_card_is_not_asked_who_it_is() {
    for route in [Route::Auto, Route::Contact] {
        let mut desk = desk_with(config(route));
        desk.lay_chip(Sample::Staff);
        let Ok(CardData::Staff(number)) = desk.reader.read() else { panic!("{route:?}: not read") };
        assert_eq!(number.as_str(), "1007");
        desk.lift();
        desk.lay_chip(Sample::Bank);
        assert_eq!(desk.reader.read().err(), Some(ReadError::UnknownCard), "{route:?}");
        desk.asked_nothing_forbidden();
        desk.lift();
        desk.lay("courier");
        let wanted = if route == Route::Auto { None } else { Some(ReadError::UnknownCard) };
        assert_eq!(desk.reader.read().err(), wanted, "{route:?}: the next card");
    }
}

#[test]
fn a_card_that_does_not_wake_up_is_to_be_laid_again() {
    for route in [Route::Contact, Route::Auto, Route::PassThrough] {
        let mut desk = desk_with(config(route));
        desk.hand.order(&Order::InsertMute).expect("laid down");
        desk.wait_for(ReaderStatus::Card);
        assert_eq!(desk.reader.read().err(), Some(ReadError::LayAgain), "{route:?}");
        desk.lift();
    }
}

#[test]
fn frames_inside_apdus_carry_the_same_card() {
    let mut desk = desk_with(config(Route::PassThrough));
    for name in ["courier", "foreigner-2023"] {
        desk.lay(name);
        desk.reads(name);
        assert!(desk.reader.sam_id().is_some());
        desk.lift();
    }
    desk.lay("courier");
    desk.hand.switch(Part::Pass, false).expect("ordered");
    assert_eq!(desk.read().err(), Some(ReadError::NoSecurityModule));
}

#[test]
fn a_pure_chip_card_is_read_in_the_virtual_reader_of_another_project() {
    let (pcscd, port) = Pcscd::lock_vpcd().expect("a pcscd with vpcd");
    let only = PcscConfig { reader_pattern: Some("Virtual PCD 00 00".into()), ..PcscConfig::default() };
    let mut reader = PcscReader::new(only);
    for (sample, by_holder) in [(Sample::SocialSecurity, true), (Sample::SocialSecurityLocked, false)] {
        let card = VpcdCard::insert(port, sample).expect("inserted");
        wait_for(&mut reader, ReaderStatus::Card);
        let Ok(CardData::SocialSecurity(read)) = reader.read() else { panic!("{sample:?}: not read") };
        assert_eq!((read.identifies(), read.holder_locked), (by_holder, !by_holder));
        assert_eq!(card.forbidden(), 0);
        drop(card);
        wait_for(&mut reader, ReaderStatus::Empty);
    }
    let card = VpcdCard::insert(port, Sample::Bank).expect("inserted");
    wait_for(&mut reader, ReaderStatus::Card);
    assert_eq!(reader.read().err(), Some(ReadError::UnknownCard));
    assert_eq!(card.forbidden(), 0);
    drop(pcscd);
}

/// The next event of this kind; others may come before it.
fn wait_for(reader: &mut PcscReader, wanted: ReaderStatus) {
    use hardware::card_reader::ReaderEvent;
    while reader.wait_event(SOON) != ReaderEvent::Status(wanted) {}
}
