//! The page printer: a real IPP printer in software (`ippeveprinter`), followed to the end of each job.
use std::process::Command as Process;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hardware::device::Trouble;
use hardware::printer::{PageAddress, PagePrinter, PrintError};
use terminal::command::Command;
use terminal::fonts::FontChoice;
use terminal::headless::HeadlessTerminal;
use terminal::model::PrintStep;
use terminal::paper::PaperMaker;
use tests::binaries::repository;
use tests::device::now_ms;
use tests::page_printer::PagePrinterProcess;
use tests::printers::{Condition, ReceiptSimulator};
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

#[test]
fn a_slip_that_waits_for_a_roll_is_printed_once_on_a4_when_somebody_asks() -> Result<()> {
    let (process, roll) = (PagePrinterProcess::start()?, ReceiptSimulator::start()?);
    roll.set(Condition::NoPaper);
    let data = tempfile::tempdir()?;
    let mut terminal = visit::start(&enrolled(data.path(), &roll.place(), &process.place())?);
    let slip = visit::whole(&mut terminal, data.path())?;
    let step = |terminal: &mut HeadlessTerminal, wanted| -> Result<()> {
        let came = terminal.wait_until(PATIENCE, |m| m.print_of(slip.envelope_id) == Some(wanted));
        ensure!(came, "{wanted:?} did not come, but {:?}", terminal.model().print_of(slip.envelope_id));
        Ok(())
    };
    terminal.command(Command::Print);
    step(&mut terminal, PrintStep::Waiting(Trouble::NoPaper))?;
    terminal.command(Command::PrintPage);
    step(&mut terminal, PrintStep::Printed)?;
    roll.set(Condition::Well);
    let calls = roll.calls();
    ensure!(terminal.wait_until(PATIENCE, |_| roll.calls() > calls), "the roll is looked at again");
    assert_eq!((process.printed()?.len(), roll.strips().len()), (1, 0), "one wish, one paper");
    terminal.command(Command::Print);
    step(&mut terminal, PrintStep::Printed)?;
    assert_eq!((process.printed()?.len(), roll.strips().len()), (1, 1));
    Ok(())
}
