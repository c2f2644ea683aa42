//! A citizen at the terminal with a printer that works, fails at each step, or is not there: the visit goes on, the
//! number stays, and one wish makes one paper.
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use terminal::clock::ManualClock;
use terminal::command::Command;
use terminal::headless::HeadlessTerminal;
use terminal::model::{Model, PrintStep, Screen, SlipView};
use terminal::runtime::Outside;
use terminal::store::Store;
use tests::device::now_ms;
use tests::printers::{Condition, Manner, ReceiptSimulator};
use tests::visit::{self, PATIENCE};

use super::{code_of, enrolled};

const RECEIPT: DeviceKind = DeviceKind::ReceiptPrinter;

/// Waits until the paper of a slip is where it shall be.
fn step(terminal: &mut HeadlessTerminal, id: EnvelopeId, wanted: PrintStep) -> Result<()> {
    let came = terminal.wait_until(PATIENCE, |m| m.print_of(id) == Some(wanted));
    ensure!(came, "{wanted:?} did not come, but {:?}", terminal.model().print_of(id));
    Ok(())
}

/// The number and its code are still on the screen.
fn stays(model: &Model, slip: &SlipView) -> bool {
    let shown = model.session.as_ref().and_then(|s| s.slip.as_ref());
    model.screen == Screen::Slip && shown.is_some_and(|s| s.number == slip.number && s.qr_url == slip.qr_url)
}

/// From the attract page to the own cases, with the card that lies there lifted and laid again.
fn to_own_cases(terminal: &mut HeadlessTerminal, data: &Path) -> Result<()> {
    use terminal::model::{CardStep, TextSize};
    let _ = visit::lift(data);
    terminal.wait_until(PATIENCE, |m| m.reader == hardware::card_reader::ReaderStatus::Empty);
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::MyCases);
    visit::lay(data, "courier")?;
    visit::wait(terminal, "the card", |m| m.session.as_ref().is_some_and(|s| s.card == CardStep::Done))?;
    if terminal.model().screen == Screen::Card {
        terminal.command(Command::Continue);
    }
    visit::wait(terminal, "the cases", |m| m.session.as_ref().is_some_and(|s| s.cases.is_some()))
}

#[test]
fn a_slip_is_printed_once_and_again_only_when_somebody_asks() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let data = tempfile::tempdir()?;
    let mut terminal = visit::start(&enrolled(data.path(), &simulator.place(), "none")?);
    let ready = terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready);
    ensure!(ready, "{:?}", terminal.model().devices.list);
    let slip = visit::whole(&mut terminal, data.path())?;
    for _ in 0..3 {
        terminal.command(Command::Print);
    }
    step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
    ensure!(stays(terminal.model(), &slip));
    let strips = simulator.strips();
    assert_eq!((strips.len(), code_of(&strips[0])?), (1, slip.qr_url.clone()), "three taps, one paper");
    assert!(simulator.complaints().is_empty(), "{:?}", simulator.complaints());
    terminal.command(Command::Finish);

    to_own_cases(&mut terminal, data.path())?;
    terminal.command(Command::PrintCase(slip.envelope_id));
    simulator.wait_for(0, 2, PATIENCE)?;
    step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
    let again = simulator.strips();
    assert_eq!((again.len(), code_of(&again[1])?), (2, slip.qr_url.clone()));
    // Somebody else's case is not printed, whoever names it.
    let before = simulator.strips().len();
    terminal.command(Command::PrintCase("0197a2b4-0000-7000-8000-000000000001".parse()?));
    terminal.command(Command::Finish);
    drop(terminal);
    assert_eq!(simulator.strips().len(), before);
    Ok(())
}

#[test]
fn a_printer_that_would_not_prints_by_itself_once_it_is_mended() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let data = tempfile::tempdir()?;
    let mut terminal = visit::start(&enrolled(data.path(), &simulator.place(), "none")?);
    let slip = visit::whole(&mut terminal, data.path())?;
    let table = [
        (Condition::NoPaper, Trouble::NoPaper),
        (Condition::CoverOpen, Trouble::CoverOpen),
        (Condition::Jammed, Trouble::Jammed),
        (Condition::Broken, Trouble::OutOfOrder),
    ];
    for (count, (condition, trouble)) in (1..).zip(table) {
        simulator.set(condition);
        terminal.command(Command::Print);
        step(&mut terminal, slip.envelope_id, PrintStep::Waiting(trouble))?;
        ensure!(stays(terminal.model(), &slip), "{condition:?}");
        terminal.command(Command::Print);
        simulator.set(Condition::Well);
        step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
        assert_eq!(simulator.strips().len(), count, "{condition:?}: one wish, one paper");
    }
    ensure!(terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready), "well again");
    simulator.set(Condition::PaperLow);
    terminal.command(Command::Print);
    step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
    let warned =
        terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Trouble(Trouble::PaperLow));
    ensure!(warned, "low paper is told and prints");
    Ok(())
}

#[test]
fn a_fault_in_mid_page_ends_no_visit_and_prints_nothing_again_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    let simulator = ReceiptSimulator::start()?;
    let mut terminal = visit::start(&enrolled(data.path(), &simulator.place(), "none")?);
    let slip = visit::whole(&mut terminal, data.path())?;
    let table = [
        (Manner::FailsAfter(200, Condition::NoPaper), Trouble::NoPaper),
        (Manner::FailsAfter(300, Condition::Jammed), Trouble::Jammed),
        (Manner::FailsAfter(1, Condition::CoverOpen), Trouble::CoverOpen),
        (Manner::ClosesAfter(200), Trouble::NotFound),
        (Manner::StandsAfter(200), Trouble::Silent),
    ];
    for (manner, trouble) in table {
        simulator.set(Condition::Well);
        simulator.behave(manner);
        terminal.command(Command::Print);
        step(&mut terminal, slip.envelope_id, PrintStep::Doubtful(Some(trouble)))?;
        ensure!(stays(terminal.model(), &slip), "{manner:?}");
        simulator.set(Condition::Well);
        let well = terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready);
        ensure!(well, "{manner:?}: it is well again");
        assert!(simulator.strips().is_empty(), "{manner:?}: nobody asked for another one");
    }
    terminal.command(Command::Print);
    step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
    assert_eq!(simulator.strips().len(), 1);
    Ok(())
}

#[test]
fn paper_that_nobody_waits_for_is_never_printed() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    simulator.set(Condition::NoPaper);
    let data = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::at(now_ms()));
    let outside = Outside { clock: clock.clone(), ..Outside::default() };
    let config = enrolled(data.path(), &simulator.place(), "none")?;
    let mut terminal = HeadlessTerminal::start_with(&config, outside);
    let slip = visit::whole(&mut terminal, data.path())?;
    terminal.command(Command::Print);
    step(&mut terminal, slip.envelope_id, PrintStep::Waiting(Trouble::NoPaper))?;
    terminal.command(Command::Finish);
    assert_eq!(terminal.model().screen, Screen::Attract, "a printer keeps nobody");
    let told = |m: &Model| m.printer_trouble() == Some(Trouble::NoPaper);
    ensure!(terminal.wait_until(PATIENCE, told), "whoever works here sees it on the attract page");
    clock.advance(61_000);
    let calls = simulator.calls();
    let looked = terminal.wait_until(PATIENCE, |_| simulator.calls() > calls + 1);
    ensure!(looked, "the printer is looked at");
    simulator.set(Condition::Well);
    let well = terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready);
    ensure!(well, "{:?}", terminal.model().devices.list);
    drop(terminal);
    assert!(simulator.strips().is_empty(), "it was given up");
    let store = Store::open(data.path(), now_ms())?;
    assert_eq!(store.print_step(slip.envelope_id)?, Some(PrintStep::Failed(Some(Trouble::NoPaper))));
    Ok(())
}

#[test]
fn paper_left_in_the_printer_is_told_to_staff() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    simulator.hold_paper();
    let data = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::at(now_ms()));
    let outside = Outside { clock: clock.clone(), ..Outside::default() };
    let config = enrolled(data.path(), &format!("{},holds", simulator.place()), "none")?;
    let mut terminal = HeadlessTerminal::start_with(&config, outside);
    let slip = visit::whole(&mut terminal, data.path())?;
    terminal.command(Command::Print);
    step(&mut terminal, slip.envelope_id, PrintStep::Printed)?;
    let ready = terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready);
    ensure!(ready, "half a minute is everybody's");
    terminal.command(Command::Finish);
    clock.advance(31_000);
    let left = DeviceState::Trouble(Trouble::Unclaimed);
    ensure!(terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == left), "nobody is told");
    simulator.take_paper();
    let gone = terminal.wait_until(PATIENCE, |m| m.device(RECEIPT) == DeviceState::Ready);
    ensure!(gone, "the paper is gone and the word stays");
    Ok(())
}

#[test]
fn a_terminal_without_its_printer_serves_all_the_same() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let place = simulator.place();
    drop(simulator);
    let data = tempfile::tempdir()?;
    let mut terminal = visit::start(&enrolled(data.path(), &place, "ipp://127.0.0.1:9/none")?);
    let slip = visit::whole(&mut terminal, data.path())?;
    terminal.command(Command::Print);
    step(&mut terminal, slip.envelope_id, PrintStep::Waiting(Trouble::NotFound))?;
    ensure!(stays(terminal.model(), &slip));
    // Without a printer in the settings there is nothing to ask for.
    drop(terminal);
    let bare = tempfile::tempdir()?;
    let mut terminal = visit::start(&enrolled(bare.path(), "none", "none")?);
    let slip = visit::whole(&mut terminal, bare.path())?;
    terminal.command(Command::Print);
    assert_eq!(terminal.model().print_of(slip.envelope_id), None);
    Ok(())
}
