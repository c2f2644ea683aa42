//! Cards of both ways of addressing, locked ones, and records that break the rules.
use zeroize::Zeroizing;

use super::*;
use crate::card_reader::{CardData, ReadError};
use crate::chip_card::{self, NotRead};
use crate::simulated_card::{Sample, SimulatedCard};
use crate::transport::{ApduChannel, TransportError};

/// A simulated card in the hand, and all that was said to it.
struct Hand {
    card: SimulatedCard,
    said: Vec<Vec<u8>>,
}

impl ApduChannel for Hand {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        self.said.push(apdu.to_vec());
        Ok(Zeroizing::new(self.card.answer(apdu)))
    }
}

fn hand(sample: Sample) -> Hand {
    Hand { card: SimulatedCard::new(sample), said: vec![] }
}

fn social_security(sample: Sample) -> SocialSecurityCard {
    let mut hand = hand(sample);
    match chip_card::read(&mut hand) {
        Ok(CardData::SocialSecurity(card)) => card,
        other => panic!("{sample:?}: {other:?}"),
    }
}

#[test]
fn both_ways_of_addressing_give_the_same_card() {
    let card = social_security(Sample::SocialSecurity);
    assert_eq!((card.name.as_str(), card.id_number.as_str()), ("样小川", "639900199005201035"));
    assert_eq!((card.area.as_str(), card.version.as_str(), card.card_kind.as_str()), ("639900", "3.00", "3"));
    assert_eq!((card.valid_from.as_str(), card.valid_to.as_str()), ("20200102", "20491231"));
    assert_eq!((card.card_number.as_str(), card.birthplace.as_str()), ("Y12345678", "639900"));
    assert_eq!((card.sex, card.nation.as_str(), card.birth.as_str()), (1, "01", "19900520"));
    assert!(card.card_code.starts_with("63990011") && card.identifies() && !card.holder_locked);
    assert!(social_security(Sample::SocialSecurityByTag) == card, "by tag");
}

#[test]
fn a_locked_holder_leaves_the_card_and_asks_for_no_pin() {
    let card = social_security(Sample::SocialSecurityLocked);
    assert!(card.holder_locked && !card.identifies());
    assert_eq!((card.area.as_str(), card.name.as_str()), ("639900", ""));
}

#[test]
fn the_order_of_records_does_not_matter_and_a_cut_name_does_not_identify() {
    let card = social_security(Sample::SocialSecurityLongName);
    assert_eq!((card.name.as_str(), card.name_extension.as_str()), ("样小川", "样小川"));
    assert_eq!(card.id_number, "639900199005201035");
    assert!(!card.identifies());
}

#[test]
fn no_card_is_ever_asked_for_a_pin_or_for_payments() {
    for (name, sample) in Sample::ALL {
        let mut hand = hand(sample);
        let result = chip_card::read(&mut hand);
        assert_eq!(hand.card.forbidden(), 0, "{name}");
        assert!(hand.said.iter().all(|apdu| apdu[1] != 0x20), "{name}: a PIN was sent");
        assert!(hand.said.iter().all(|apdu| !apdu.windows(4).any(|w| w == b"PAY.")), "{name}: PPSE");
        match sample {
            Sample::Bank => assert_eq!(result, Err(NotRead::Unknown)),
            Sample::SocialSecurityDamaged => {
                assert_eq!(result, Err(NotRead::Failed(ReadError::Damaged)));
            }
            Sample::Staff => {
                assert!(matches!(result, Ok(CardData::Staff(number)) if number.as_str() == "1007"));
            }
            _ => assert!(matches!(result, Ok(CardData::SocialSecurity(_))), "{name}"),
        }
    }
}

#[test]
fn something_that_speaks_no_iso_7816_is_no_card() {
    struct Deaf;
    impl ApduChannel for Deaf {
        fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            Ok(Zeroizing::new(vec![0x6D, 0x00]))
        }
    }
    assert_eq!(chip_card::read(&mut Deaf), Err(NotRead::NoCard));
}

#[test]
fn a_card_lifted_at_any_exchange_is_said_to_be_lifted() {
    struct Lifted(Hand, usize);
    impl ApduChannel for Lifted {
        fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.1 = self.1.checked_sub(1).ok_or(TransportError::CardRemoved)?;
            self.0.transmit(apdu)
        }
    }
    let mut whole = hand(Sample::SocialSecurity);
    assert!(chip_card::read(&mut whole).is_ok());
    for exchanges in 0..whole.said.len() {
        let mut lifted = Lifted(hand(Sample::SocialSecurity), exchanges);
        assert_eq!(chip_card::read(&mut lifted), Err(NotRead::Failed(ReadError::Removed)), "{exchanges}");
    }
}

fn taken(answer: &[u8]) -> Result<SocialSecurityCard, RecordError> {
    let mut card = SocialSecurityCard::default();
    take_in(&mut card, answer).map(|()| card)
}

#[test]
fn published_records_are_understood() {
    let code = [
        0x01, 0x10, 0x33, 0x03, 0x00, 0xD1, 0x56, 0x00, 0x00, 0x05, 0x99, 0x11, 0x01, 0x45, 0xFF, 0xFF, 0xFF,
        0xFF,
    ];
    assert_eq!(taken(&code).expect("a record").area, "330300");
    assert_eq!(taken(&[3, 4, b'2', b'.', b'0', b'0']).expect("a record").version, "2.00");
    // Two records in one answer, and an unknown one between them.
    let two = [&[0x02, 1, b'1'][..], &[0x77, 2, 0, 1], &[0x0B, 1, 0x09], &[0, 0, 0]].concat();
    let card = taken(&two).expect("records");
    assert_eq!((card.card_kind.as_str(), card.nation.as_str()), ("1", "09"));
}

#[test]
fn rare_characters_keep_their_code_points() {
    // FE51 stays in the private use area, FE59 is U+9FB4 today.
    let record = [0x09, 6, 0xFE, 0x51, 0xFE, 0x59, 0xD1, 0xF9];
    assert_eq!(taken(&record).expect("a name").name, "\u{E816}\u{9FB4}样");
}

#[test]
fn bad_numbers_and_names_are_errors_and_other_bad_fields_are_left_out() {
    let errors: [(&[u8], RecordError); 7] = [
        (&[0x08], RecordError::Length(0x08)),
        (&[0x09, 30, 1], RecordError::Length(0x09)),
        (&[0x08, 2, 0xC1, 0xC1], RecordError::Field("id_number")),
        (&[0x08, 3, b'1', 0, b'2'], RecordError::Field("id_number")),
        (&[0x09, 1, 0xD1], RecordError::Field("name")),
        (&[0x09, 2, 0xD1, 0x20], RecordError::Field("name")),
        (&[0x09, 2, b'a', 7], RecordError::Field("name")),
    ];
    for (answer, error) in errors {
        assert_eq!(taken(answer).err(), Some(error), "{answer:02X?}");
    }
    let odd: [&[u8]; 7] = [
        &[0x05, 4, 0x20, 0x20, 0x13, 0x45],
        &[0x06, 4, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x0B, 1, 0xAB],
        &[0x0D, 2, 0x19, 0x90],
        &[0x0A, 1, b'7'],
        &[0x08, 4, 0, 0, 0, 0],
        &[],
    ];
    for answer in odd {
        assert!(taken(answer).is_ok_and(|card| card == SocialSecurityCard::default()), "{answer:02X?}");
    }
}

/// Records have one byte of length and hold no others: what means more than that in BER-TLV is a length like any here.
#[test]
fn wrong_lengths_and_records_without_end_end() {
    let empty = [0x77, 0x00].repeat(32 * 1024);
    assert_eq!(taken(&empty), Ok(SocialSecurityCard::default()), "each takes two bytes at least");
    let nested = [0x6F, 0x02].repeat(32 * 1024);
    assert!(taken(&nested).is_ok_and(|card| card == SocialSecurityCard::default()), "nothing is looked into");
    let table: [(&[u8], u8); 5] = [
        (&[0x6F, 0x80, 1, 2, 0, 0], 0x6F),
        (&[0x6F, 0x81, 2, 1, 2], 0x6F),
        (&[0x6F, 0x82, 0xFF, 0xFF, 1], 0x6F),
        (&[0x9F, 0x1F, 1, 1], 0x9F),
        (&[0x77, 1, 1, 0x77, 2, 1], 0x77),
    ];
    for (answer, tag) in table {
        assert_eq!(taken(answer).err(), Some(RecordError::Length(tag)), "{answer:02X?}");
    }
    // Every length with every number of bytes behind it: taken, or an error.
    for length in 0..=u8::MAX {
        for behind in 0..=usize::from(u8::MAX) {
            let record = [&[0x77, length][..], &vec![0x41; behind]].concat();
            let fits = behind >= usize::from(length);
            assert!(fits || taken(&record) == Err(RecordError::Length(0x77)), "{length} {behind}");
        }
    }
}

#[test]
fn nothing_of_a_card_is_printed_by_debug() {
    assert_eq!(format!("{:?}", social_security(Sample::SocialSecurity)), "SocialSecurityCard(..)");
}
