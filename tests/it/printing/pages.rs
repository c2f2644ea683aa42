//! The page printer: a real IPP printer in software (`ippeveprinter`), followed to the end of each job.
use std::process::Command as Process;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hardware::device::Trouble;
use hardware::printer::{PageAddress, PagePrinter, PrintError};
use terminal::command::Command;
use terminal::fonts::FontChoice;
use terminal::model::PrintStep;
use terminal::paper::PaperMaker;
use tests::binaries::repository;
use tests::device::now_ms;
use tests::page_printer::PagePrinterProcess;
use tests::visit::{self, PATIENCE};

use super::{enrolled, output};

fn page() -> Result<Vec<u8>> {
    let maker = PaperMaker::load(&repository().join("assets"), FontChoice::Subset)?;
    Ok(maker.page(&maker.test_page(now_ms()))?)
}

#[test]
fn a_page_is_printed_once_and_every_other_end_is_told() -> Result<()> {
    let mut process = PagePrinterProcess::start()?;
    let address = PageAddress::read(&process.place()).context("an address")?;
    let printer = PagePrinter::new(address.clone()).with_patience(Duration::from_secs(2));
    assert_eq!(printer.look(), None);
    let pdf = page()?;
    assert_eq!(printer.print(&pdf, "test"), Ok(None));
    let printed = process.printed()?;
    assert_eq!((printed.len(), std::fs::read(&printed[0])? == pdf), (1, true), "byte for byte");

    process.gives_up(true)?;
    let given_up = printer.print(&pdf, "test");
    ensure!(matches!(given_up, Err(PrintError::Broken(_))), "{given_up:?}");
    process.gives_up(false)?;

    process.has_paper(false)?;
    let began = Instant::now();
    assert_eq!(printer.print(&pdf, "test"), Err(PrintError::Broken(Trouble::NoPaper)));
    ensure!(began.elapsed() < Duration::from_secs(20), "it was given up and cancelled");
    process.has_paper(true)?;

    let wrong = PagePrinter::new(PageAddress { path: "/no/such".to_owned(), ..address });
    let elsewhere = wrong.print(&pdf, "test");
    ensure!(matches!(elsewhere, Err(PrintError::Refused(_))), "{elsewhere:?}");
    process.kill();
    assert_eq!(printer.look(), Some(Trouble::NotFound));
    assert_eq!(printer.print(&pdf, "test"), Err(PrintError::Refused(Trouble::NotFound)));
    Ok(())
}

#[test]
fn a_citizen_gets_an_a4_page_where_there_is_no_roll() -> Result<()> {
    let process = PagePrinterProcess::start()?;
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path(), "none", &process.place())?;
    let mut terminal = visit::start(&config);
    let slip = visit::whole(&mut terminal, data.path())?;
    terminal.command(Command::Print);
    let came = terminal.wait_until(PATIENCE, |m| m.print_of(slip.envelope_id) == Some(PrintStep::Printed));
    ensure!(came, "{:?}", terminal.model().print_of(slip.envelope_id));
    let printed = process.printed()?;
    ensure!(printed.len() == 1, "{printed:?}");
    let words = output(Process::new("pdftotext").args(["-layout"]).arg(&printed[0]).arg("-"))?;
    ensure!(words.contains(&slip.number.groups().join(" ")), "{words}");
    for secret in ["样小川", "639900199005201035", visit::PHONE] {
        ensure!(!words.contains(secret), "a paper says {secret}");
    }
    Ok(())
}
