//! `card`: a card laid on the simulated reader until the terminal hears of it, and a whole read by a module that takes
//! no time of its own: all of it is ours, the service's and the kernel's. pcscd is real.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hardware::card_reader::{CardReader as _, ReaderEvent, ReaderStatus};
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
    let mut reader = PcscReader::new(PcscConfig::default());
    comes(&mut reader, ReaderStatus::Empty)?;
    let (mut events, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        hand.insert(&image)?;
        comes(&mut reader, ReaderStatus::Card)?;
        events.push(begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        reader.read()?;
        reads.push(begun.elapsed().as_secs_f64() * 1e3);
        hand.remove()?;
        comes(&mut reader, ReaderStatus::Empty)?;
    }
    Row::alone("card.insert_to_event_p50", median(&events), "ms").tell()?;
    Row::alone("card.insert_to_event_p95", percentile(&events, 0.95), "ms").tell()?;
    Row::alone("card.read_p50", median(&reads), "ms").tell()?;
    Row::alone("card.read_p95", percentile(&reads, 0.95), "ms").tell()
}

fn comes(reader: &mut PcscReader, wanted: ReaderStatus) -> Result<()> {
    let event = reader.wait_event(PATIENCE);
    ensure!(event == ReaderEvent::Status(wanted), "{event:?} instead of {wanted:?}");
    Ok(())
}
