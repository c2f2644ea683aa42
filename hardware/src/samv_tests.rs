//! Tests of the SAM_V codec: published frames, faults, resynchronisation, arbitrary bytes.
use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |sum, d| sum * 16 + (*d as char).to_digit(16).unwrap_or(0) as u8))
        .collect()
}

#[test]
fn commands_are_the_published_bytes() {
    let table = [
        (Command::Reset, "AAAAAA9669 0003 10FF EC"),
        (Command::Status, "AAAAAA9669 0003 11FF ED"),
        (Command::SamId, "AAAAAA9669 0003 12FF EE"),
        (Command::Find, "AAAAAA9669 0003 2001 22"),
        (Command::Select, "AAAAAA9669 0003 2002 21"),
        (Command::ReadTextPhoto, "AAAAAA9669 0003 3001 32"),
        (Command::ReadNewestAddress, "AAAAAA9669 0003 3003 30"),
        (Command::ReadBodyNumber, "AAAAAA9669 0003 3005 36"),
    ];
    for (command, bytes) in table {
        assert_eq!(command.encode(), hex(bytes), "{command:?}");
        assert_eq!(parse_request(&hex(bytes)), Ok(command.code()));
        assert_eq!(Command::from_code(command.code()), Some(command));
    }
    assert_eq!(Command::from_code([0x60, 0]), None);
}

#[test]
fn answers_are_the_published_bytes() {
    let table = [
        ("AAAAAA9669 0004 000090 94", Sw3::Done, 0),
        ("AAAAAA9669 0008 00009F 00000000 97", Sw3::Found, 4),
        ("AAAAAA9669 0004 000080 84", Sw3::NoCard, 0),
        ("AAAAAA9669 000C 000090 0000000000000000 9C", Sw3::Done, 8),
    ];
    for (bytes, status, data) in table {
        let answer = Answer::parse(&hex(bytes)).expect("a published frame");
        assert_eq!((answer.status, answer.data.len()), (status, data), "{bytes}");
        assert_eq!(Answer::encode(status.byte(), &answer.data), hex(bytes));
    }
    let read = Answer::encode(0x90, &[0; 1284]);
    assert_eq!((read.len(), &read[5..7]), (1295, &[0x05, 0x08][..]));
}

#[test]
fn faulty_answers_are_told_apart() {
    let good = hex("AAAAAA9669 0004 000090 94");
    let mut wrong_sum = good.clone();
    wrong_sum[10] ^= 1;
    let table = [
        ("nothing", vec![], FrameError::Incomplete),
        ("no preamble", vec![0x55; 64], FrameError::Incomplete),
        ("cut", good[..10].to_vec(), FrameError::Incomplete),
        ("checksum", wrong_sum, FrameError::Checksum),
        ("length 0", hex("AAAAAA9669 0000 00"), FrameError::Length(0)),
        ("length 1", hex("AAAAAA9669 0001 01"), FrameError::Length(1)),
        ("length FFFF", hex("AAAAAA9669 FFFF 00"), FrameError::Length(0xFFFF)),
        ("no status", hex("AAAAAA9669 0002 90 92"), FrameError::Length(2)),
    ];
    for (name, bytes, error) in table {
        assert_eq!(Answer::parse(&bytes), Err(error), "{name}");
    }
}

#[test]
fn a_request_without_a_parameter_is_refused() {
    assert_eq!(parse_request(&hex("AAAAAA9669 0002 11 13")), Err(FrameError::Length(2)));
}

#[test]
fn a_good_frame_is_found_behind_noise_and_inside_a_broken_one() {
    let good = hex("AAAAAA9669 0004 000090 94");
    // A broken length swallows the good frame that follows.
    let inside = [hex("AAAAAA9669 0020 00"), good.clone(), vec![0x11; 64]].concat();
    // A long run of AA before 96 69 still holds a preamble.
    let table = [
        [vec![0x55, 0xAA, 0x96], good.clone()].concat(),
        [vec![0xAA; 9], good.clone()].concat(),
        [hex("AAAAAA9669 FFFF"), good.clone()].concat(),
        inside,
    ];
    for bytes in table {
        let answer = Answer::parse(&bytes).expect("resynchronised");
        assert_eq!(answer.status, Sw3::Done, "{bytes:02X?}");
    }
}

#[test]
fn two_frames_that_arrive_byte_by_byte_are_both_found() {
    let stream = [Command::Find.encode(), vec![0], Command::Select.encode()].concat();
    let mut parser = Parser::default();
    let bodies: Vec<_> = stream.iter().flat_map(|byte| parser.feed(&[*byte])).collect();
    assert_eq!(bodies, [Ok(Zeroizing::new(vec![0x20, 1])), Ok(Zeroizing::new(vec![0x20, 2]))]);
}

#[test]
fn every_status_has_its_byte_and_its_reaction() {
    for byte in 0..=u8::MAX {
        assert_eq!(Sw3::from(byte).byte(), byte);
    }
    let table = [
        (0x80, Reaction::KeepLooking),
        (0x81, Reaction::LayAgain),
        (0x41, Reaction::LayAgain),
        (0x31, Reaction::LayAgain),
        (0x32, Reaction::LayAgain),
        (0x33, Reaction::LayAgain),
        (0x40, Reaction::LayAgain),
        (0x60, Reaction::OutOfOrder),
        (0x66, Reaction::OutOfOrder),
        (0x10, Reaction::Repeat),
        (0x11, Reaction::Repeat),
        (0x90, Reaction::GoOn),
        (0x91, Reaction::GoOn),
        (0x9F, Reaction::GoOn),
        (0xEE, Reaction::LayAgain),
    ];
    for (byte, reaction) in table {
        assert_eq!(Sw3::from(byte).reaction(), reaction, "{byte:02X}");
    }
}

#[test]
fn an_answer_prints_no_data() {
    let answer = Answer { status: Sw3::Done, data: Zeroizing::new(b"secret".to_vec()) };
    assert_eq!(format!("{answer:?}"), "Answer(Done, 6 bytes)");
}

proptest! {
    #[test]
    fn arbitrary_bytes_neither_panic_nor_fill_memory(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let mut parser = Parser::default();
        for chunk in chunks {
            parser.feed(&chunk);
            prop_assert!(parser.pending.len() <= MAX_FRAME);
        }
    }

    #[test]
    fn pieces_of_preambles_and_lengths_neither_panic_nor_fill_memory(
        pieces in prop::collection::vec(prop::sample::select(vec![0xAA_u8, 0x96, 0x69, 0x00, 0x04, 0x09, 0x60, 0xFF]), 0..9000)
    ) {
        let mut parser = Parser::default();
        parser.feed(&pieces);
        prop_assert!(parser.pending.len() <= MAX_FRAME);
    }

    #[test]
    fn a_frame_survives_any_split_and_any_noise_without_a_preamble(
        data in prop::collection::vec(any::<u8>(), 0..2000),
        noise in prop::collection::vec(0_u8..0xAA, 0..50),
        cut in 0_usize..2060,
    ) {
        let bytes = [noise, Answer::encode(0x90, &data)].concat();
        let (left, right) = bytes.split_at(cut.min(bytes.len()));
        let mut parser = Parser::default();
        let mut found = parser.feed(left);
        found.extend(parser.feed(right));
        prop_assert_eq!(found, [Ok(Zeroizing::new([&[0, 0, 0x90][..], &data].concat()))]);
    }
}
