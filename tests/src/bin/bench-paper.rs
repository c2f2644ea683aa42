//! `paper`: a slip becomes the dots of a receipt, and an A4 page; beside blackening every dot of such a strip once.
//! What the printer does with it is its own time.
use std::hint::black_box;

use anyhow::{Context as _, Result};
use documents::RollWidth;
use domain::date::CivilDate;
use domain::ids::{CaseNo, CounterState, Issuer};
use domain::text::Language;
use terminal::fonts::FontChoice;
use terminal::model::Marks;
use terminal::paper::{Around, PaperMaker};
use terminal::store::SlipToPrint;
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, median, micros_a_call};
use tests::binaries::repository;
use tests::device::{ITEM, now_ms};
use tests::storm::small_centre::sample_catalogue;

/// Characters of the code of a slip: number, digest and signature.
const CODE_CHARACTERS: usize = 240;

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 5 } else { 50 };
    let maker = PaperMaker::load(&repository().join("assets"), FontChoice::System)?;
    let catalogue = sample_catalogue()?;
    let now_ms = now_ms();
    let counter = CounterState { date: CivilDate::in_china(now_ms), counter: 7 };
    let slip = SlipToPrint {
        number: CaseNo::issue(Issuer::new(7).context("an issuer")?, counter),
        corrected_from: None,
        item: ITEM.parse()?,
        qr_url: format!("https://centre.example/s#{}", "5a".repeat(CODE_CHARACTERS / 2)),
        marks: Marks { saved_ms: Some(now_ms), ..Marks::default() },
    };
    let station = catalogue.stations.values().next();
    let around = Around { catalogue: &catalogue, station, language: Language::ZhCn, now_ms };
    let dots = |width| maker.dots(&maker.slip(&slip, around), width);
    for (name, width) in [("paper.receipt_80mm", RollWidth::Mm80), ("paper.receipt_58mm", RollWidth::Mm58)] {
        let mut strip = dots(width)?.bytes().to_vec();
        let real = |_| Ok(micros_a_call(1, || drop(black_box(dots(width)))) / 1e3);
        let floor =
            |_| Ok(micros_a_call(1, || black_box(&mut strip).iter_mut().for_each(|b| *b = !*b)) / 1e3);
        let (real, floor) = in_turns(rounds, real, floor)?;
        Row::beside(name, median(&real), "ms", median(&floor)).tell()?;
    }
    let page = || drop(black_box(maker.page(&maker.slip(&slip, around))));
    let pages: Vec<f64> = (0..rounds).map(|_| micros_a_call(1, page) / 1e3).collect();
    Row::alone("paper.page_a4", median(&pages), "ms").tell()
}
