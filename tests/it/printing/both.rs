//! A terminal with both printers: one that is gone keeps neither the other one nor its papers waiting.
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use terminal::clock::ManualClock;
use terminal::command::Command;
use terminal::headless::HeadlessTerminal;
use terminal::model::{Model, PrintKind, PrintStep};
use terminal::runtime::Outside;
use terminal::store::Store;
use tests::device::now_ms;
use tests::page_printer::PagePrinterProcess;
use tests::printers::{Condition, Manner, ReceiptSimulator};
use tests::visit::{self, PATIENCE, wait};

use super::enrolled;

const KINDS: [DeviceKind; 2] = [DeviceKind::ReceiptPrinter, DeviceKind::PagePrinter];

/// Both printers.
struct Printers {
    roll: ReceiptSimulator,
    page: PagePrinterProcess,
}

impl Printers {
    fn plug(&mut self, kind: DeviceKind, plugged: bool) -> Result<()> {
        match (kind, plugged) {
            (DeviceKind::ReceiptPrinter, true) => self.roll.plug_in(),
            (DeviceKind::ReceiptPrinter, false) => {
                self.roll.unplug();
                Ok(())
            }
            (_, true) => self.page.plug_in(),
            (_, false) => {
                self.page.unplug();
                Ok(())
            }
        }
    }

    /// Papers that came out of it.
    fn papers(&self, kind: DeviceKind) -> usize {
        match kind {
            DeviceKind::ReceiptPrinter => self.roll.strips().len(),
            _ => self.page.printed().map_or(0, |printed| printed.len()),
        }
    }
}

/// The button that asks for this printer's paper.
fn button(kind: DeviceKind) -> Command {
    if kind == DeviceKind::ReceiptPrinter { Command::Print } else { Command::PrintPage }
}

fn is(terminal: &mut HeadlessTerminal, kind: DeviceKind, state: DeviceState) -> Result<()> {
    let came = terminal.wait_until(PATIENCE, |m| m.device(kind) == state);
    ensure!(came, "{kind:?} is {:?}, not {state:?}", terminal.model().device(kind));
    Ok(())
}

/// `gone` is unplugged while its paper waits.
fn one_is_gone(gone: DeviceKind) -> Result<()> {
    let lost = DeviceState::Trouble(Trouble::NotFound);
    let other = KINDS.into_iter().find(|kind| *kind != gone).context("the other one")?;
    let mut both = Printers { roll: ReceiptSimulator::start()?, page: PagePrinterProcess::start()? };
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path(), &both.roll.place(), &both.page.place())?;
    // Nobody waits too long: time stands.
    let outside = Outside { clock: Arc::new(ManualClock::at(now_ms())), ..visit::eager() };
    let mut terminal = HeadlessTerminal::start_with(&config, outside);
    for kind in KINDS {
        is(&mut terminal, kind, DeviceState::Ready)?;
    }
    let first = visit::whole(&mut terminal, data.path())?;
    both.plug(gone, false)?;
    terminal.command(button(gone));
    let waits = Some(PrintStep::Waiting(Trouble::NotFound));
    wait(&mut terminal, "that it waits", |m| m.print_of(first.envelope_id) == waits)?;
    is(&mut terminal, gone, lost)?;
    // The state of the other one is told as ever.
    both.plug(other, false)?;
    terminal.command(Command::CheckDevices);
    is(&mut terminal, other, lost)?;
    both.plug(other, true)?;
    is(&mut terminal, other, DeviceState::Ready)?;
    ensure!(terminal.model().print_of(first.envelope_id) == waits, "it waits still");
    // And so is its paper printed, of the next person.
    terminal.command(Command::Finish);
    visit::lift(data.path())?;
    wait(&mut terminal, "an empty reader", |m| m.reader == ReaderStatus::Empty)?;
    let second = visit::whole(&mut terminal, data.path())?;
    terminal.command(button(other));
    let printed = Some(PrintStep::Printed);
    wait(&mut terminal, "the other paper", |m| m.print_of(second.envelope_id) == printed)?;
    ensure!((both.papers(other), both.papers(gone)) == (1, 0), "one paper, on the printer that works");
    is(&mut terminal, gone, lost)?;
    both.plug(gone, true)?;
    wait(&mut terminal, "the paper that waited", |_| both.papers(gone) == 1)?;
    is(&mut terminal, gone, DeviceState::Ready)?;
    ensure!((both.papers(other), both.papers(gone)) == (1, 1), "each wish made one paper");
    Ok(())
}

/// A4 is tapped while the strip that waited is already being printed: it stays a strip, and that is what the screen says.
#[test]
fn a_strip_that_has_begun_is_told_as_a_strip_whatever_is_tapped() -> Result<()> {
    let (mut roll, page) = (ReceiptSimulator::start()?, PagePrinterProcess::start()?);
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path(), &roll.place(), &page.place())?;
    let mut terminal = visit::start(&config);
    for kind in KINDS {
        is(&mut terminal, kind, DeviceState::Ready)?;
    }
    let slip = visit::whole(&mut terminal, data.path())?;
    let id = slip.envelope_id;
    roll.set(Condition::NoPaper);
    terminal.command(Command::Print);
    wait(&mut terminal, "that it waits", |m| m.print_of(id) == Some(PrintStep::Waiting(Trouble::NoPaper)))?;
    // From here on it takes everything and never says that it is done.
    roll.behave(Manner::NeverDone);
    roll.set(Condition::Well);
    let store = Store::open(data.path(), now_ms())?;
    let begun = || store.paper(id).is_ok_and(|paper| paper == Some((PrintKind::Slip, PrintStep::Printing)));
    wait(&mut terminal, "that the strip begins", |_| begun())?;
    ensure!(terminal.model().print_of(id) != Some(PrintStep::Printing), "the screen does not know yet");
    terminal.command(Command::PrintPage);
    ensure!(terminal.model().printed_on(id) == Some(PrintKind::Page), "asked for");
    let strip =
        |m: &Model| (m.printed_on(id), m.print_of(id)) == (Some(PrintKind::Slip), Some(PrintStep::Printing));
    wait(&mut terminal, "that the screen says what is printed", strip)?;
    // Before its first byte is there, everybody knows that nothing was printed.
    roll.wait_for(0, 1, PATIENCE)?;
    roll.unplug();
    let doubtful = |m: &Model| matches!(m.print_of(id), Some(PrintStep::Doubtful(_)));
    wait(&mut terminal, "that nobody knows whether it was printed", doubtful)?;
    ensure!(terminal.model().printed_on(id) == Some(PrintKind::Slip));
    ensure!(page.printed()?.is_empty(), "no page came of it");
    Ok(())
}

#[test]
fn a_receipt_printer_that_is_gone_keeps_the_page_printer_from_nothing() -> Result<()> {
    one_is_gone(DeviceKind::ReceiptPrinter)
}

#[test]
fn a_page_printer_that_is_gone_keeps_the_receipt_printer_from_nothing() -> Result<()> {
    one_is_gone(DeviceKind::PagePrinter)
}
