//! `card`: a card laid on the simulated reader until the terminal hears of it; a whole read by a module that takes no time
//! of its own; and what of the read lies outside of the exchanges with the device: opening and closing it, decoding,
//! judging. pcscd is real.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hardware::card_reader::{CardReader as _, ReaderEvent, ReaderStatus};
use hardware::trace::{MAX_LINES, Trace};
use hardware::{PcscConfig, PcscReader, card_file};
use tests::bench::row::Row;
use tests::bench::stats::{median, percentile};
use tests::binaries::repository;
use tests::pcscd::Pcscd;

/// No event takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 20 } else { 200 };
    let image = card_file::load_image(&repository().join("assets/cards/courier.toml"))?;
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let trace = Trace::default();
    let mut reader = PcscReader::new(PcscConfig { trace: trace.clone(), ..PcscConfig::default() });
    comes(&mut reader, ReaderStatus::Empty)?;
    let (mut events, mut reads, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        hand.insert(&image)?;
        comes(&mut reader, ReaderStatus::Card)?;
        events.push(begun.elapsed().as_secs_f64() * 1e3);
        let (before, begun) = (trace.count(), Instant::now());
        reader.read()?;
        let took = begun.elapsed();
        let lines = trace.newest(MAX_LINES).into_iter().filter(|line| line.number > before);
        let exchanges: Duration = lines.map(|line| line.took).sum();
        ensure!(!exchanges.is_zero(), "the exchanges of a read are not in the trace");
        reads.push(took.as_secs_f64() * 1e3);
        beyond.push(took.saturating_sub(exchanges).as_secs_f64() * 1e3);
        hand.remove()?;
        comes(&mut reader, ReaderStatus::Empty)?;
    }
    Row::alone("card.insert_to_event_p50", median(&events), "ms").tell()?;
    Row::alone("card.insert_to_event_p95", percentile(&events, 0.95), "ms").tell()?;
    Row::alone("card.read_p50", median(&reads), "ms").tell()?;
    Row::alone("card.read_p95", percentile(&reads, 0.95), "ms").tell()?;
    Row::alone("card.read_beyond_device_p50", median(&beyond), "ms").tell()?;
    Row::alone("card.read_beyond_device_p95", percentile(&beyond, 0.95), "ms").tell()
}

fn comes(reader: &mut PcscReader, wanted: ReaderStatus) -> Result<()> {
    let event = reader.wait_event(PATIENCE);
    ensure!(event == ReaderEvent::Status(wanted), "{event:?} instead of {wanted:?}");
    Ok(())
}
