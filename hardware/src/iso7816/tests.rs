//! A card that answers from a list, and one that never ends.
use std::collections::VecDeque;

use super::*;

/// Answers from a list; afterwards with `rest`. Notes every command.
struct Script {
    answers: VecDeque<Vec<u8>>,
    rest: Vec<u8>,
    asked: Vec<Vec<u8>>,
}

impl ApduChannel for Script {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        self.asked.push(apdu.to_vec());
        Ok(Zeroizing::new(self.answers.pop_front().unwrap_or_else(|| self.rest.clone())))
    }
}

fn script(answers: &[&[u8]]) -> Script {
    Script { answers: answers.iter().map(|a| a.to_vec()).collect(), rest: vec![0x6F, 0], asked: vec![] }
}

#[test]
fn a_selected_application_and_a_record_are_asked_for_as_the_standard_says() {
    let mut card = script(&[&[0x90, 0], &[0x90, 0], &[0x90, 0], &[1, 2, 0x90, 0], &[3, 0x90, 0]]);
    let mut dialogue = Dialogue::new(&mut card);
    assert!(dialogue.select(Choice::Application(&[0xA0, 1])).is_ok());
    assert!(dialogue.select(Choice::Child([0xEF, 5])).is_ok());
    assert!(dialogue.select(Choice::Identifier([0xEF, 6])).is_ok());
    assert_eq!(*dialogue.read_record(RecordAddress::Number(7)).expect("read"), [1, 2]);
    assert_eq!(*dialogue.read_record(RecordAddress::Tag(9)).expect("read"), [3]);
    let wanted: [&[u8]; 5] = [
        &[0, 0xA4, 4, 0, 2, 0xA0, 1],
        &[0, 0xA4, 2, 0, 2, 0xEF, 5],
        &[0, 0xA4, 0, 0, 2, 0xEF, 6],
        &[0, 0xB2, 7, 4, 0],
        &[0, 0xB2, 9, 0, 0],
    ];
    assert_eq!(card.asked, wanted);
}

#[test]
fn more_bytes_and_right_lengths_are_followed() {
    // A wrong length first, then two pieces, the second of which has to be asked for twice.
    let mut card = script(&[&[0x6C, 5], &[1, 2, 0x61, 3], &[0x6C, 2], &[3, 4, 0x90, 0]]);
    let answer = Dialogue::new(&mut card).read_record(RecordAddress::Number(1)).expect("read");
    assert_eq!(*answer, [1, 2, 3, 4]);
    let wanted: [&[u8]; 4] =
        [&[0, 0xB2, 1, 4, 0], &[0, 0xB2, 1, 4, 5], &[0, 0xC0, 0, 0, 3], &[0, 0xC0, 0, 0, 2]];
    assert_eq!(card.asked, wanted);
    // A command without Le gets one.
    let mut card = script(&[&[0x6C, 9], &[7, 0x90, 0]]);
    assert!(Dialogue::new(&mut card).select(Choice::Application(&[1])).is_ok());
    assert_eq!(card.asked[1], [0, 0xA4, 4, 0, 1, 1, 9]);
}

#[test]
fn an_endless_card_is_left() {
    for rest in [vec![0x61, 0], vec![0x6C, 1], [vec![7; 256], vec![0x61, 0]].concat()] {
        let mut card = Script { rest: rest.clone(), ..script(&[]) };
        let result = Dialogue::new(&mut card).read_record(RecordAddress::Number(1));
        assert_eq!(result.err(), Some(IsoError::Endless), "{:02X?}", &rest[rest.len() - 2..]);
        assert_eq!(card.asked.len(), MAX_CHAINED);
    }
    let mut card = Script { rest: [vec![7; 5000], vec![0x61, 0]].concat(), ..script(&[]) };
    assert_eq!(Dialogue::new(&mut card).read_record(RecordAddress::Number(1)).err(), Some(IsoError::TooLong));
    assert!(card.asked.len() * 5002 < MAX_KEPT + 2 * 5002);
}

#[test]
fn a_slow_card_is_left_between_two_exchanges() {
    let mut card = script(&[&[0x90, 0]]);
    let begun = Instant::now();
    let mut dialogue = Dialogue::new(&mut card);
    assert!(
        dialogue.end.duration_since(begun) < Duration::from_secs(6),
        "five seconds, and what a test takes"
    );
    dialogue.end = Instant::now() - Duration::from_millis(1);
    assert_eq!(dialogue.select(Choice::Application(&[1])).err(), Some(IsoError::TooSlow));
    assert!(card.asked.is_empty());
}

#[test]
fn refusals_and_broken_answers_are_told() {
    let table: [(&[u8], IsoError); 4] = [
        (&[0x6A, 0x82], IsoError::Status(StatusWord::NOT_FOUND)),
        (&[1, 2, 0x69, 0x82], IsoError::Status(StatusWord::NOT_ALLOWED_YET)),
        (&[0x90], IsoError::Short),
        (&[], IsoError::Short),
    ];
    for (answer, error) in table {
        let mut card = script(&[answer]);
        assert_eq!(Dialogue::new(&mut card).select(Choice::Application(&[1])).err(), Some(error));
    }
    let mut card = script(&[&[7, 0x62, 0x82]]);
    assert_eq!(*Dialogue::new(&mut card).read_record(RecordAddress::Number(1)).expect("short file"), [7]);
}

#[test]
fn a_pin_is_never_sent() {
    let mut card = script(&[]);
    let mut dialogue = Dialogue::new(&mut card);
    for class in [0x00, 0x80, 0xFF] {
        assert_eq!(dialogue.send([class, 0x20, 0, 0], &[0x88; 3], None).err(), Some(IsoError::Forbidden));
    }
    assert_eq!(dialogue.send([0, 0xA4, 4, 0], &[0; 256], None).err(), Some(IsoError::Forbidden));
    assert!(card.asked.is_empty());
}
