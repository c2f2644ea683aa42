//! A trace of what is said to readers, for technicians: commands, lengths, status words and times, and no data.
//!
//! What a card says never enters it, nor what is sent to it beyond the header: a line is made of the command's name
//! or its four header bytes, of lengths, and of the status. The trace is a ring in memory; it is never written down.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::samv::{self, Answer, Command};
use crate::transport::{ApduChannel, Transport, TransportError};

/// Lines that are kept; older ones go.
pub const MAX_LINES: usize = 200;

/// One exchange, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Number of the exchange since the start, of the last one if there were several: shows what went away.
    pub number: u64,
    /// Which reader: its name in the smart-card service, or its port.
    pub reader: Arc<str>,
    /// What was asked: a SAM_V command such as `Find 20 01`, or the header of an APDU such as `00 A4 04 00`.
    pub asked: String,
    /// Bytes that were sent.
    pub sent: usize,
    /// What came: a status such as `Done` or `6A 82`, or the words of an error.
    pub came: String,
    /// Bytes that came.
    pub received: usize,
    /// How long it took, the last time.
    pub took: Duration,
    /// How often the very same was asked of this reader and came in a row: a reader that is looked at all day would push everything
    /// else out of the ring.
    pub times: u64,
}

/// The ring of lines; cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Line>,
    count: u64,
}

impl Trace {
    /// The newest lines, oldest first, at most `most`.
    pub fn newest(&self, most: usize) -> Vec<Line> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = ring.lines.len().saturating_sub(most);
        ring.lines.iter().skip(skipped).cloned().collect()
    }

    /// How many exchanges there were since the start.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// A transport to this reader whose exchanges stand in this trace.
    pub fn over<T>(&self, reader: &str, inner: T) -> Traced<T> {
        Traced { inner, reader: reader.into(), trace: self.clone() }
    }

    fn note(
        &self,
        reader: &Arc<str>,
        (asked, sent): (String, usize),
        began: Instant,
        (came, received): (String, usize),
    ) {
        let took = began.elapsed();
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.count = ring.count.saturating_add(1);
        let number = ring.count;
        // Two readers that are looked at all day take turns: what counts is the last line of the same reader.
        let last = ring.lines.iter().rposition(|line| line.reader == *reader);
        let same = last.filter(|at| {
            ring.lines.get(*at).is_some_and(|line| {
                (&line.asked, line.sent, &line.came, line.received) == (&asked, sent, &came, received)
            })
        });
        if let Some(line) = same.and_then(|at| ring.lines.remove(at)) {
            let times = line.times.saturating_add(1);
            ring.lines.push_back(Line { number, took, times, ..line });
            return;
        }
        if ring.lines.len() == MAX_LINES {
            ring.lines.pop_front();
        }
        let reader = Arc::clone(reader);
        ring.lines.push_back(Line { number, reader, asked, sent, came, received, took, times: 1 });
    }
}

/// A transport that is traced.
#[derive(Debug)]
pub struct Traced<T> {
    inner: T,
    reader: Arc<str>,
    trace: Trace,
}

impl<T: Transport> Transport for Traced<T> {
    fn exchange(&mut self, frame: &[u8], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let began = Instant::now();
        let answer = self.inner.exchange(frame, timeout);
        let came = outcome(&answer, |bytes| match Answer::parse(bytes) {
            Ok(answer) => format!("{:?}", answer.status),
            Err(error) => error.to_string(),
        });
        self.trace.note(&self.reader, (frame_name(frame), frame.len()), began, came);
        answer
    }
}

impl<T: ApduChannel> ApduChannel for Traced<T> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let began = Instant::now();
        let answer = self.inner.transmit(apdu);
        let came = outcome(&answer, |bytes| match bytes {
            [.., sw1, sw2] => format!("{sw1:02X} {sw2:02X}"),
            _ => "no status".to_owned(),
        });
        self.trace.note(&self.reader, (header(apdu), apdu.len()), began, came);
        answer
    }
}

fn outcome(
    answer: &Result<Zeroizing<Vec<u8>>, TransportError>,
    status: impl FnOnce(&[u8]) -> String,
) -> (String, usize) {
    match answer {
        Ok(bytes) => (status(bytes), bytes.len()),
        Err(error) => (error.to_string(), 0),
    }
}

/// Command and parameter; what a frame carries beyond them is not told.
fn frame_name(frame: &[u8]) -> String {
    match samv::parse_request(frame) {
        Ok(code) => {
            let name =
                Command::from_code(code).map_or_else(|| "?".to_owned(), |command| format!("{command:?}"));
            format!("{name} {:02X} {:02X}", code[0], code[1])
        }
        Err(error) => error.to_string(),
    }
}

/// CLA, INS, P1 and P2; the rest may be data.
fn header(apdu: &[u8]) -> String {
    apdu.iter().take(4).map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers whatever it is asked with the same bytes.
    struct Always(Result<Vec<u8>, TransportError>);

    impl Always {
        fn answer(&self) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.0.clone().map(Zeroizing::new)
        }
    }

    impl Transport for Always {
        fn exchange(&mut self, _: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.answer()
        }
    }

    impl ApduChannel for Always {
        fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.answer()
        }
    }

    fn told(trace: &Trace) -> Vec<(String, String, usize)> {
        trace.newest(MAX_LINES).into_iter().map(|line| (line.asked, line.came, line.received)).collect()
    }

    #[test]
    fn a_line_holds_command_status_and_lengths_and_nothing_of_the_person() {
        let trace = Trace::default();
        let person = "王秀兰 639900194403120023".as_bytes();
        let frame = Answer::encode(0x90, person);
        let frame_len = frame.len();
        let second = Duration::from_secs(1);
        assert!(
            trace.over("a", Always(Ok(frame))).exchange(&Command::ReadTextPhoto.encode(), second).is_ok()
        );
        let spoilt = trace.over("a", Always(Ok(person.to_vec()))).exchange(person, second);
        assert!(spoilt.is_ok(), "the trace judges nothing");
        let record = [person, &[0x90, 0]].concat();
        let select = [&[0, 0xA4, 4, 0, 15][..], person].concat();
        assert!(trace.over("a", Always(Ok(record.clone()))).transmit(&select).is_ok());
        assert!(trace.over("a", Always(Ok(vec![1]))).transmit(&[0]).is_ok());
        let lifted = trace.over("a", Always(Err(TransportError::CardRemoved))).transmit(&select);
        assert_eq!(lifted.err(), Some(TransportError::CardRemoved));
        let wanted = [
            ("ReadTextPhoto 30 01", "Done", frame_len),
            (
                "the frame ends early or does not begin",
                "the frame ends early or does not begin",
                person.len(),
            ),
            ("00 A4 04 00", "90 00", record.len()),
            ("00", "no status", 1),
            ("00 A4 04 00", "the card was removed", 0),
        ];
        let wanted: Vec<_> = wanted.map(|(asked, came, n)| (asked.to_owned(), came.to_owned(), n)).into();
        assert_eq!(told(&trace), wanted);
        let all = format!("{trace:?}");
        assert!(!all.contains("639900") && !all.contains('王'), "{all}");
    }

    #[test]
    fn the_ring_keeps_the_newest() {
        let trace = Trace::default();
        let mut channel = trace.over("a", Always(Ok(vec![0x90, 0])));
        for n in 0..MAX_LINES + 50 {
            assert!(channel.transmit(&[0, 0xB2, n as u8, 4]).is_ok());
        }
        let lines = trace.newest(usize::MAX);
        let numbers = (lines.first().map(|line| line.number), lines.last().map(|line| line.number));
        assert_eq!((lines.len(), numbers, trace.count()), (MAX_LINES, (Some(51), Some(250)), 250));
        assert_eq!(trace.newest(3).len(), 3);
    }

    #[test]
    fn what_is_asked_again_and_again_takes_one_line() {
        let trace = Trace::default();
        let mut channel = trace.over("a", Always(Ok(vec![0x6A, 0x82])));
        for _ in 0..1_000 {
            assert!(channel.transmit(&[0, 0xA4, 4, 0]).is_ok());
        }
        assert!(channel.transmit(&[0, 0xB2, 1, 4]).is_ok());
        assert!(channel.transmit(&[0, 0xA4, 4, 0]).is_ok());
        let lines: Vec<_> = trace.newest(9).into_iter().map(|line| (line.number, line.times)).collect();
        assert_eq!(lines, [(1_000, 1_000), (1_001, 1), (1_002, 1)]);
    }

    #[test]
    fn each_line_names_its_reader_and_two_that_take_turns_have_a_line_each() {
        let trace = Trace::default();
        let mut readers = ["/dev/ttyUSB0", "Reader 00 00"].map(|name| {
            let answer = Always(Ok(vec![0x6A, 0x82]));
            trace.over(name, answer)
        });
        for _ in 0..100 {
            for reader in &mut readers {
                assert!(reader.transmit(&[0, 0xA4, 4, 0]).is_ok());
            }
        }
        let lines = trace.newest(9);
        let told: Vec<_> = lines.iter().map(|line| (&*line.reader, line.number, line.times)).collect();
        assert_eq!(told, [("/dev/ttyUSB0", 199, 100), ("Reader 00 00", 200, 100)]);
    }
}
