//! Answers of printers, good and garbled: status bytes, HTTP, IPP. Nothing panics, nothing runs on.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ipp::attribute::IppAttribute;
use ipp::prelude::{DelimiterTag, IppAttributes, IppRequestResponse, IppValue, IppVersion, StatusCode};

use super::answer::parse;
use super::http;
use super::place::ReceiptPort;
use super::reasons::{JobState, keywords, of_printer, worst};
use super::status::{Answer, is_held, trouble};
use super::wire::{Wire, of_usb};
use crate::device::Trouble;
use crate::transport::serial::{BAUD_RATE, NotOpened, Serial, look_at_port};

/// Well: on line, cover closed, no error, paper.
const WELL: [u8; 4] = [0x12; 4];

#[test]
fn status_bytes_mean_what_the_reference_says() {
    assert_eq!(trouble(WELL), Ok(None));
    let table = [
        ([0x1a, 0x16, 0x12, 0x12], Trouble::CoverOpen),
        ([0x1a, 0x32, 0x12, 0x12], Trouble::NoPaper),
        ([0x1a, 0x12, 0x12, 0x72], Trouble::NoPaper),
        ([0x1a, 0x52, 0x1a, 0x12], Trouble::Jammed),
        ([0x1a, 0x52, 0x16, 0x12], Trouble::Jammed),
        ([0x1a, 0x52, 0x32, 0x12], Trouble::OutOfOrder),
        ([0x1a, 0x52, 0x52, 0x12], Trouble::Busy),
        ([0x1a, 0x52, 0x12, 0x12], Trouble::OutOfOrder),
        ([0x1a, 0x12, 0x12, 0x12], Trouble::Busy),
        ([0x12, 0x12, 0x12, 0x1e], Trouble::PaperLow),
        // Of several the one that must be mended first.
        ([0x1a, 0x36, 0x12, 0x7e], Trouble::CoverOpen),
    ];
    for (answers, wanted) in table {
        assert_eq!(trouble(answers), Ok(Some(wanted)), "{answers:x?}");
    }
    assert_eq!(trouble([0x12, 0x12, 0x12, 0xff]), Err(Trouble::Unsupported));
    assert_eq!((is_held(0x16), is_held(0x12), is_held(0x36)), (Ok(true), Ok(false), Ok(false)));
    assert_eq!(is_held(0), Err(Trouble::Unsupported));
}

#[test]
fn every_byte_is_one_kind_of_answer() {
    let count = |wanted: fn(Answer) -> bool| (0..=255).filter(|byte| wanted(Answer::of(*byte))).count();
    assert_eq!(count(|a| matches!(a, Answer::Status(_))), 16);
    assert_eq!(count(|a| a == Answer::Processed), 64);
    for byte in 0..=255_u8 {
        let is_status = matches!(Answer::of(byte), Answer::Status(_));
        assert_eq!(trouble([byte, 0x12, 0x12, 0x12]).is_ok(), is_status, "{byte:x}");
    }
}

/// Bytes that are the same each time.
struct Garbage(u64);

impl Garbage {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % end.max(1)
    }
}

#[test]
fn a_million_garbled_statuses_are_answers_or_garbage() {
    let mut garbage = Garbage(1);
    let mut good = 0;
    for _ in 0..1_000_000 {
        let answers = [garbage.byte(), garbage.byte(), garbage.byte(), garbage.byte()];
        let all = answers.iter().all(|byte| matches!(Answer::of(*byte), Answer::Status(_)));
        // Reading costs more than telling apart: garbage is not read on.
        if all {
            good += 1;
            assert!(trouble(answers).is_ok());
        } else {
            assert!(answers.iter().any(|byte| !matches!(Answer::of(*byte), Answer::Status(_))));
        }
    }
    assert!(good > 0, "one in 65,536 is whole");
}

fn attributes(state: i32, reasons: &[&str]) -> IppAttributes {
    let mut all = IppAttributes::new();
    let words = reasons.iter().map(|word| IppValue::new_keyword(*word).unwrap()).collect();
    for (name, value) in
        [("printer-state", IppValue::Enum(state)), ("printer-state-reasons", IppValue::Array(words))]
    {
        all.add(DelimiterTag::PrinterAttributes, IppAttribute::with_name(name, value).unwrap());
    }
    all
}

#[test]
fn reasons_of_page_printers_mean_what_the_standard_says() {
    let table: [(i32, &[&str], Option<Trouble>); 9] = [
        (3, &["none"], None),
        (3, &[], None),
        (4, &["media-low-warning"], Some(Trouble::PaperLow)),
        (5, &["media-empty-error"], Some(Trouble::NoPaper)),
        (5, &["media-jam-error", "media-empty-error"], Some(Trouble::Jammed)),
        (5, &["cover-open"], Some(Trouble::CoverOpen)),
        (5, &["paused"], Some(Trouble::ServiceOff)),
        (3, &["something-else-report"], None),
        (5, &["something-else"], Some(Trouble::OutOfOrder)),
    ];
    for (state, reasons, wanted) in table {
        assert_eq!(of_printer(&attributes(state, reasons)), Ok(wanted), "{state} {reasons:?}");
    }
    assert_eq!(of_printer(&IppAttributes::new()), Err(Trouble::Unsupported));
    let one = attributes(5, &["toner-empty"]);
    assert_eq!(keywords(&one, DelimiterTag::PrinterAttributes, "printer-state-reasons"), ["toner-empty"]);
    assert_eq!(worst(&["offline-report".to_owned()]), Some(Trouble::Silent));
    let states = [3, 4, 5, 6, 7, 8, 9, 0, 99].map(JobState::of);
    use JobState::{Completed, Ended, Open, Stopped};
    let wanted = [
        Some(Open),
        Some(Open),
        Some(Open),
        Some(Stopped),
        Some(Ended),
        Some(Ended),
        Some(Completed),
        None,
        None,
    ];
    assert_eq!(states, wanted);
}

/// Feeds an answer in pieces of at most `step` bytes; then the other end is gone.
fn read(bytes: &[u8], step: usize) -> Result<Vec<u8>, Trouble> {
    let mut left: VecDeque<u8> = bytes.iter().copied().collect();
    http::answer(|buffer| {
        let count = step.min(left.len()).min(buffer.len());
        if count == 0 {
            return Err(Trouble::NotFound);
        }
        for place in &mut buffer[..count] {
            *place = left.pop_front().unwrap_or(0);
        }
        Ok(count)
    })
}

#[test]
fn answers_are_read_whole_however_they_come() {
    let good: [(&[u8], &[u8]); 4] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", b"ab"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
    ];
    for (bytes, wanted) in good {
        for step in [1, 2, 7, 4_096] {
            assert_eq!(
                read(bytes, step).as_deref(),
                Ok(wanted),
                "{step}: {}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
    let bad: [(&[u8], Trouble); 8] = [
        (b"", Trouble::NotFound),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Trouble::NotFound),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Trouble::ServiceOff),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\n\r\n", Trouble::Unsupported),
        (b"SSH-2.0-OpenSSH\r\n", Trouble::Unsupported),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Trouble::Unsupported),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Trouble::NotFound),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", Trouble::Unsupported),
    ];
    for (bytes, wanted) in bad {
        assert_eq!(read(bytes, 512), Err(wanted), "{}", String::from_utf8_lossy(bytes));
    }
    let endless = [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"X: y\r\n".repeat(20_000)].concat();
    assert_eq!(read(&endless, 8_192), Err(Trouble::Unsupported));
    let heavy = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![7; 2 << 20]].concat();
    assert_eq!(read(&heavy, 8_192), Err(Trouble::Unsupported), "an answer has an end");
}

fn sample() -> Vec<u8> {
    let mut answer =
        IppRequestResponse::new_response(IppVersion::v1_1(), StatusCode::SuccessfulOk, 1).unwrap();
    let reasons = attributes(5, &["media-empty-error", "media-jam"]);
    for group in reasons.into_groups() {
        for attribute in group {
            answer.attributes_mut().add(DelimiterTag::PrinterAttributes, attribute);
        }
    }
    answer.to_bytes().to_vec()
}

#[test]
fn what_would_harm_the_parser_never_reaches_it() {
    let head = [1, 1, 0, 0, 0, 0, 0, 1, 4];
    let value = |tag: u8, name: &str, value: &[u8]| {
        let length = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
        [&[tag][..], &length(name.len()), name.as_bytes(), &length(value.len()), value].concat()
    };
    for tag in [0x35, 0x36] {
        let good = [&head[..], &value(tag, "a", b"\0\x02en\0\x01x"), &[3]].concat();
        assert!(parse(good).is_some());
        for bad in [b"\xff\xffen\0\x01x".as_slice(), b"\0\x02en\0\x09x", b"", b"\0"] {
            assert!(parse([&head[..], &value(tag, "a", bad), &[3]].concat()).is_none());
        }
    }
    let mut deep = [&head[..], &value(0x34, "a", b"")].concat();
    for _ in 0..20_000 {
        deep.extend(value(0x4a, "", b"b"));
        deep.extend(value(0x34, "", b""));
    }
    (0..=20_000).for_each(|_| deep.extend(value(0x37, "", b"")));
    deep.push(3);
    assert!(parse(deep).is_none());
}

#[test]
fn a_million_garbled_ipp_answers_are_no_panic() {
    let whole = sample();
    let parsed = parse(whole.clone()).expect("an answer");
    assert_eq!(of_printer(parsed.attributes()), Ok(Some(Trouble::Jammed)));
    let mut garbage = Garbage(2);
    let (mut read, mut refused) = (0, 0);
    for turn in 0..1_000_000 {
        let bytes: Vec<u8> = if turn % 4 == 0 {
            let length = garbage.below(48);
            (0..length).map(|_| garbage.byte()).collect()
        } else {
            let mut bytes = whole.clone();
            for _ in 0..=garbage.below(3) {
                let at = garbage.below(bytes.len());
                bytes[at] = garbage.byte();
            }
            bytes.truncate(whole.len() - garbage.below(whole.len()) / 2 * usize::from(turn % 3 == 0));
            bytes
        };
        match parse(bytes) {
            Some(answer) => {
                read += 1;
                let _ = of_printer(answer.attributes());
            }
            None => refused += 1,
        }
    }
    assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused");
}

#[test]
fn a_port_that_another_program_has_is_busy_and_not_gone() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other end");
    let path = ptsname(&master, Vec::new()).expect("a name").into_string().expect("plain");
    let open = |port: &ReceiptPort| Wire::open(port, Instant::now() + Duration::from_secs(5)).err();
    let ports = [ReceiptPort::Serial(path.clone().into(), 115_200), ReceiptPort::File(path.clone().into())];
    for port in &ports {
        assert_eq!(open(port), None, "nobody has {port:?}");
        let reader = Serial::open(&path, BAUD_RATE).expect("free");
        assert_eq!(open(port), Some(Trouble::Busy), "{port:?}");
        drop(reader);
        assert_eq!(open(port), None, "{port:?} is free again");
    }
    let own = Wire::open(&ports[0], Instant::now() + Duration::from_secs(5)).ok();
    assert_eq!(look_at_port(&path), Err(NotOpened::Held), "nor does a reader take a printer's port");
    drop(own);
    assert_eq!(open(&ReceiptPort::Serial("/dev/no-such-port".into(), 9_600)), Some(Trouble::NotFound));
}

#[test]
fn a_usb_printer_that_another_program_has_is_busy() {
    for words in ["interface is busy (errno 16)", "device is busy"] {
        assert_eq!(of_usb(words), Trouble::Busy, "{words}");
    }
    assert_eq!(of_usb("USB device not found"), Trouble::NotFound);
}
