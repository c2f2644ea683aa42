//! Cards that mean no good, or nothing at all, on a real pcscd: rubbish, too much, without end. Whatever they say, the
//! reader gives an ordinary error in bounded time and reads the next card.
use std::time::{Duration, Instant};

use hardware::card_reader::{CardData, CardReader as _, ReadError, ReaderEvent, ReaderStatus};
use hardware::simulated_card::{ATR, Sample};
use hardware::{PcscConfig, PcscReader, Route};
use tests::pcscd::Pcscd;
use virtual_reader::order::{Order, Part};
use virtual_reader::vpcd::VpcdCard;

use super::{SOON, desk_with};

/// A card may keep the reader for five seconds, and one exchange more: none here takes a second.
const MOST: Duration = Duration::from_secs(6);

/// The next event of this kind; others may come before it.
fn wait_for(reader: &mut PcscReader, wanted: ReaderStatus) {
    let end = Instant::now() + SOON;
    while reader.wait_event(SOON) != ReaderEvent::Status(wanted) {
        assert!(Instant::now() < end, "{wanted:?} does not come");
    }
}

#[test]
fn a_card_with_a_garbage_answer_to_reset_is_no_card_of_ours() {
    let garbage = [
        vec![],
        vec![0x3B],
        vec![0x3B, 0xFF],
        vec![0x00; 33],
        vec![0xFF; 33],
        vec![0x3F; 33],
        (0..33).map(|n| (n * 37 + 11) as u8).collect(),
    ];
    for route in [Route::Auto, Route::Contact, Route::Image, Route::PassThrough] {
        let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
        for atr in &garbage {
            desk.hand.order(&Order::InsertAtr(atr.clone())).expect("laid down");
            desk.wait_for(ReaderStatus::Card);
            let begun = Instant::now();
            let error = desk.read().err();
            assert!(begun.elapsed() < MOST, "{route:?} {atr:02X?}: {:?}", begun.elapsed());
            // A card that does not wake up may stand the wrong way; so may one that answers with garbage where chips are
            // read by their contacts. Elsewhere it is a card of another kind, whatever else the reader can do.
            let wanted: &[ReadError] = match route {
                Route::Contact => &[ReadError::LayAgain, ReadError::UnknownCard],
                Route::Image if atr.is_empty() => &[ReadError::NoSecurityModule],
                _ if atr.is_empty() => &[ReadError::LayAgain],
                _ => &[ReadError::UnknownCard],
            };
            assert!(error.is_some_and(|error| wanted.contains(&error)), "{route:?} {atr:02X?}: {error:?}");
            desk.lift();
        }
        if route != Route::Contact {
            desk.lay("courier");
            desk.reads("courier");
            desk.lift();
        }
    }
}

#[test]
fn a_slow_reader_is_left_after_five_seconds_whatever_is_tried_on_it() {
    for route in [Route::Auto, Route::Control, Route::Image, Route::PassThrough] {
        for module in [true, false] {
            let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
            if !module {
                desk.hand.order(&Order::Switch(Part::Module, false)).expect("ordered");
            }
            desk.hand.delay(Duration::from_millis(900)).expect("ordered");
            desk.lay("courier");
            let begun = Instant::now();
            let result = desk.reader.read().map(drop);
            assert!(begun.elapsed() < MOST, "{route:?} {module}: {:?} {result:?}", begun.elapsed());
            desk.hand.order(&Order::Reset).expect("ordered");
            desk.wait_for(ReaderStatus::Empty);
            desk.lay("elder");
            desk.reads("elder");
        }
    }
}

/// Numbers that look random, always the same ones (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Up to so many bytes, at least one.
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let count = 1 + self.next() % most;
        (0..count).map(|_| (self.next() >> 40) as u8).collect()
    }
}

/// How a card answers each command.
type Answers = Box<dyn FnMut(&[u8]) -> Vec<u8> + Send>;

/// What hostile cards answer, each by a name.
fn hostile() -> Vec<(&'static str, Answers)> {
    let always = |data: usize, status: [u8; 2]| -> Answers {
        Box::new(move |_| [&vec![0x41; data][..], &status[..]].concat())
    };
    let (mut short, mut long) = (Dice(1), Dice(2));
    let mut good = false;
    vec![
        ("rubbish", Box::new(move |_| short.bytes(258))),
        ("long rubbish", Box::new(move |_| long.bytes(3_000))),
        ("rubbish that is said to be good", {
            let mut dice = Dice(3);
            Box::new(move |_| [&dice.bytes(250)[..], &[0x90, 0x00]].concat())
        }),
        ("61xx without end", always(16, [0x61, 0x10])),
        ("6100 without end and full", always(256, [0x61, 0x00])),
        ("61xx without end and empty", always(0, [0x61, 0xFF])),
        ("6Cxx without end", always(0, [0x6C, 0x20])),
        ("more than a short answer", always(300, [0x90, 0x00])),
        ("more than anybody asked for", always(60_000, [0x90, 0x00])),
        ("one byte", Box::new(|_| vec![0x90])),
        ("records without end", {
            Box::new(move |apdu| match apdu.get(1) {
                Some(0xB2) => [&[0x09, 0xFF][..], &[0x42; 200], &[0x90, 0x00]].concat(),
                _ => vec![0x90, 0x00],
            })
        }),
        ("good and bad by turns", {
            Box::new(move |_| {
                good = !good;
                if good { vec![0x90, 0x00] } else { vec![0x61, 0x01] }
            })
        }),
    ]
}

#[test]
fn a_hostile_chip_card_is_left_in_time_and_the_next_card_is_read() {
    let (pcscd, port) = Pcscd::lock_vpcd().expect("a pcscd with vpcd");
    for route in [Route::Contact, Route::Auto] {
        let reader_pattern = Some("Virtual PCD 00 00".to_owned());
        let mut reader = PcscReader::new(PcscConfig { reader_pattern, route, ..PcscConfig::default() });
        for (name, answers) in hostile() {
            let card = VpcdCard::insert_hostile(port, &ATR, answers).expect("inserted");
            wait_for(&mut reader, ReaderStatus::Card);
            let begun = Instant::now();
            let result = reader.read();
            assert!(begun.elapsed() < MOST, "{route:?} {name}: {:?}", begun.elapsed());
            let harmless = match result {
                // It may say nothing of anybody.
                Ok(CardData::SocialSecurity(card)) => !card.identifies(),
                Ok(_) => false,
                Err(error) => error != ReadError::ReaderGone && error != ReadError::OutOfOrder,
            };
            assert!(harmless, "{route:?} {name}");
            drop(card);
            wait_for(&mut reader, ReaderStatus::Empty);
        }
        let card = VpcdCard::insert(port, Sample::Staff).expect("inserted");
        wait_for(&mut reader, ReaderStatus::Card);
        assert!(matches!(reader.read(), Ok(CardData::Staff(_))), "{route:?}: the next card");
        drop(card);
        wait_for(&mut reader, ReaderStatus::Empty);
    }
    drop(pcscd);
}
