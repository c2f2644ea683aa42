//! A million generated replies: whatever a card, a module or a line answers, there is no panic, no end that does not
//! come, and nothing kept beyond its bound. The generator is deterministic: a failure comes again.
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::chip_card;
use crate::iso7816::{Choice, Dialogue, RecordAddress};
use crate::samv::{Answer, Command, PREAMBLE, Parser, parse_request};
use crate::security_module::SecurityModule;
use crate::simulated_card::{Sample, SimulatedCard};
use crate::social_security::{SocialSecurityCard, take_in};
use crate::transport::serial::{Line, Serial};
use crate::transport::{ApduChannel, Transport, TransportError};

/// What is promised, in figures of its own: a bound that is raised in the program is to be raised here as well.
const MOST_KEPT: usize = 64 * 1024;
const MOST_FRAME: usize = 2_400;
const MOST_ANSWERS: usize = 16;
const LONGEST_COMMAND: Duration = Duration::from_secs(3);

/// Replies of each kind; together more than a million.
const FRAMES: usize = 450_000;
const RECORDS: usize = 350_000;
const APDUS: usize = 150_000;
const LINES: usize = 60_000;

/// Xorshift: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    /// A good frame, or one that was cut, stretched, bent, doubled, or never was one; now and then far too long.
    fn frame(&mut self) -> Vec<u8> {
        let long = self.below(4000) == 0;
        let data = self.bytes(if long { 3 * MOST_FRAME } else { 24 });
        let status = self.next().to_le_bytes()[0];
        let mut frame = Answer::encode(status, &data);
        match self.below(8) {
            0 => frame.truncate(self.below(frame.len() + 1)),
            1 => {
                let at = self.below(frame.len());
                frame[at] ^= self.next().to_le_bytes()[0];
            }
            2 => frame[5..7].copy_from_slice(&[self.next().to_le_bytes()[0], 0xFF]),
            3 => frame = [&PREAMBLE[..], &frame, &self.bytes(8)].concat(),
            4 => frame = self.bytes(if long { 70_000 } else { 32 }),
            5 => frame.extend_from_slice(&frame.clone()),
            6 => frame = PREAMBLE.repeat(self.below(5)),
            _ => {}
        }
        frame
    }

    /// An answer of a card: a record or noise, and a status that often asks to go on.
    fn answer(&mut self) -> Vec<u8> {
        let mut answer = match self.below(5) {
            0 => self.bytes(300),
            1 => vec![],
            2 if self.below(50) == 0 => self.bytes(20_000),
            _ => self.record(),
        };
        let any = self.next().to_le_bytes();
        let status = match self.below(10) {
            0..4 => [0x90, 0x00],
            4 => [0x61, any[0]],
            5 => [0x6C, any[0]],
            6 => [0x6A, 0x80 | any[0] & 0x0F],
            7 => [0x69, 0x82],
            8 => [0x62, 0x82],
            _ => [any[0], any[1]],
        };
        answer.extend_from_slice(&status[..if self.below(30) == 0 { 1 } else { 2 }]);
        answer
    }

    /// Something like a record: a tag of the table or another, a length that is right or not.
    fn record(&mut self) -> Vec<u8> {
        const TAGS: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D, 0xFE];
        let value = match self.below(4) {
            0 => vec![0xFF; self.below(20)],
            1 => b"639900199005201035"[..self.below(19)].to_vec(),
            _ => self.bytes(32),
        };
        let right = u8::try_from(value.len()).unwrap_or(u8::MAX);
        let length = if self.below(4) == 0 { self.next().to_le_bytes()[0] } else { right };
        [&[TAGS[self.below(TAGS.len())], length][..], &value].concat()
    }
}

/// A card that answers whatever comes to its mind, and a good card now and then.
struct Mad<'a> {
    numbers: &'a mut Numbers,
    good: SimulatedCard,
    given: usize,
    commands: usize,
}

impl ApduChannel for Mad<'_> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        assert_ne!(apdu.get(1), Some(&0x20), "a PIN was sent");
        self.commands += 1;
        let mad = self.numbers.below(4) == 0;
        if self.numbers.below(500) == 0 {
            return Err(TransportError::CardRemoved);
        }
        let answer = if mad { self.numbers.answer() } else { self.good.answer(apdu) };
        self.given += answer.len();
        Ok(Zeroizing::new(answer))
    }
}

/// A module that answers whatever comes to its mind.
struct MadModule<'a>(&'a mut Numbers);

impl Transport for MadModule<'_> {
    fn exchange(&mut self, frame: &[u8], time: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        assert!(parse_request(frame).is_ok() && time <= LONGEST_COMMAND, "{time:?}");
        Ok(Zeroizing::new(self.0.frame()))
    }
}

/// A line on which pieces come, and then nothing.
struct MadLine<'a> {
    numbers: &'a mut Numbers,
    pieces: usize,
}

impl Read for MadLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.pieces == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        self.pieces -= 1;
        let piece = self.numbers.frame();
        let count = piece.len().min(buffer.len()).max(1);
        buffer[..count.min(piece.len())].copy_from_slice(&piece[..count.min(piece.len())]);
        Ok(count)
    }
}

impl Write for MadLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Line for MadLine<'_> {
    fn wait_at_most(&mut self, _: Duration) -> std::io::Result<()> {
        Ok(())
    }

    fn forget_input(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A card that gives these answers, one after the other and from the start again.
struct Scripted {
    answers: Vec<Vec<u8>>,
    commands: usize,
}

impl ApduChannel for Scripted {
    fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let answer = self.answers.get(self.commands % self.answers.len()).cloned();
        self.commands += 1;
        answer.map(Zeroizing::new).ok_or(TransportError::CardMute)
    }
}

/// Status words that lead on, or end; and anything.
fn status() -> impl Strategy<Value = [u8; 2]> {
    prop_oneof![
        Just([0x90, 0x00]),
        any::<u8>().prop_map(|more| [0x61, more]),
        any::<u8>().prop_map(|exact| [0x6C, exact]),
        any::<[u8; 2]>(),
    ]
}

/// Objects within objects, of right and wrong lengths.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..20);
    leaf.prop_recursive(6, 40, 4, |inner| {
        (any::<u8>(), prop::option::of(any::<u8>()), prop::collection::vec(inner, 1..4)).prop_map(
            |(tag, length, parts)| {
                let value = parts.concat();
                let right = u8::try_from(value.len()).unwrap_or(u8::MAX);
                [&[tag, length.unwrap_or(right)][..], &value].concat()
            },
        )
    })
}

proptest! {
    #[test]
    fn whatever_a_card_answers_it_is_left(
        data in prop::collection::vec((nested(), status()), 1..8)
    ) {
        let answers = data.iter().map(|(data, status)| [&data[..], status].concat()).collect();
        let mut card = Scripted { answers, commands: 0 };
        let _ = chip_card::read(&mut card);
        prop_assert!(card.commands <= 40 * MOST_ANSWERS, "{}", card.commands);
    }

    #[test]
    fn whatever_a_record_holds_it_is_a_record_or_an_error(record in nested()) {
        let mut card = SocialSecurityCard::default();
        let _ = take_in(&mut card, &record);
        prop_assert!(card.name.chars().count() <= 64 && card.id_number.len() <= 64);
    }

    #[test]
    fn whatever_answers_a_reset_is_judged(atr in prop::collection::vec(any::<u8>(), 0..80), first in any::<bool>()) {
        let atr = if first { [&[0x3B][..], &atr].concat() } else { atr };
        prop_assert!(!crate::atr::is_sound(&atr) || (2..=33).contains(&atr.len()));
    }

    #[test]
    fn whatever_a_readers_file_holds_it_is_settings_or_an_error(text in ".{0,400}") {
        let _ = crate::readers_file::parse(&text);
        let entry = format!("[[reader]]\npattern = {text:?}\n");
        let _ = crate::readers_file::parse(&entry);
    }
}

#[test]
fn a_million_replies_harm_nothing() {
    let begun = Instant::now();
    let mut numbers = Numbers(0x4A_494E_4241_4E31);
    let mut replies = 0;
    // Frames, alone and in a run that one parser has to find its way through.
    let mut run = Parser::default();
    for _ in 0..FRAMES {
        let frame = numbers.frame();
        if let Ok(answer) = Answer::parse(&frame) {
            assert!(answer.data.len() <= MOST_FRAME);
        }
        run.feed(&frame);
        replies += 1;
    }
    for _ in 0..RECORDS {
        let mut card = SocialSecurityCard::default();
        let _ = take_in(&mut card, &numbers.record());
        assert!(card.name.chars().count() <= 64 && card.id_number.len() <= 64);
        replies += 1;
    }
    let mut given = 0;
    while given < APDUS {
        let sample = Sample::ALL[numbers.below(Sample::ALL.len())].1;
        let mut card = Mad { good: SimulatedCard::new(sample), numbers: &mut numbers, given: 0, commands: 0 };
        let _ = chip_card::read(&mut card);
        // 22 commands at most (two names, two files in two ways each, 15 records), each with its chain.
        assert!(card.commands <= 40 * MOST_ANSWERS && card.given <= MOST_KEPT + 20_002, "{}", card.commands);
        let mut dialogue = Dialogue::new(&mut card);
        let _ = dialogue.select(Choice::Child([0xEF, 5]));
        let _ = dialogue.read_record(RecordAddress::Tag(9));
        given += card.commands;
    }
    for _ in 0..LINES / 6 {
        let pieces = numbers.below(12);
        let mut line = Serial::on(MadLine { numbers: &mut numbers, pieces });
        if let Ok(bytes) = line.exchange(&Command::Find.encode(), Duration::from_secs(1)) {
            assert!(bytes.len() <= 2 * MOST_FRAME);
            let _ = Answer::parse(&bytes);
        }
        let mut module = SecurityModule::new(MadModule(&mut numbers)).with_retries(1);
        let _ = module.sam_id();
        let _ = module.still_there();
        let _ = module.body_number();
        replies += pieces + 3;
    }
    replies += given;
    assert!(replies >= 1_000_000, "{replies}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    eprintln!("{replies} replies in {:?}", begun.elapsed());
}
