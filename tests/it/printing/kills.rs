//! `kill -9` of the terminal while it prints: the paper comes once, or the citizen is asked.
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use terminal::model::PrintStep;
use terminal::store::Store;
use tests::binaries::binary;
use tests::device::now_ms;
use tests::printers::{Condition, Manner, ReceiptSimulator};
use tests::visit::{self, PATIENCE};

use super::enrolled;

/// A visit in its own process, up to the wish for paper.
fn visit_in_a_process(data: &Path, simulator: &ReceiptSimulator) -> Result<(Child, EnvelopeId)> {
    let mut child = Process::new(binary("print-visit"))
        .arg(data)
        .arg(simulator.place())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its words")?).read_line(&mut line)?;
    let id = line.trim().parse().with_context(|| format!("it said {line:?}"))?;
    Ok((child, id))
}

fn kill(mut child: Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[test]
fn killed_in_mid_page_it_prints_nothing_by_itself_and_says_that_paper_may_be_there() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    simulator.behave(Manner::StandsAfter(150));
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path(), &simulator.place(), "none")?;
    let (child, id) = visit_in_a_process(data.path(), &simulator)?;
    simulator.wait_for(128, 0, PATIENCE)?;
    kill(child)?;
    simulator.set(Condition::Well);
    let calls = simulator.calls();
    let mut terminal = visit::start(&config);
    let looked = terminal.wait_until(PATIENCE, |_| simulator.calls() > calls);
    ensure!(looked, "the printer is looked at after the start");
    ensure!(terminal.wait_until(PATIENCE, |m| m.device(DeviceKind::ReceiptPrinter) == DeviceState::Ready));
    drop(terminal);
    assert!(simulator.strips().is_empty(), "never by itself");
    let store = Store::open(data.path(), now_ms())?;
    assert_eq!(store.print_step(id)?, Some(PrintStep::Doubtful(None)));
    Ok(())
}

#[test]
fn killed_while_the_paper_waits_it_is_printed_once_after_the_start() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    simulator.set(Condition::NoPaper);
    let data = tempfile::tempdir()?;
    let config = enrolled(data.path(), &simulator.place(), "none")?;
    let (child, id) = visit_in_a_process(data.path(), &simulator)?;
    let waits = Some(PrintStep::Waiting(Trouble::NoPaper));
    let end = std::time::Instant::now() + PATIENCE;
    while Store::open(data.path(), now_ms())?.print_step(id)? != waits {
        ensure!(std::time::Instant::now() < end, "the printer was never asked");
        std::thread::yield_now();
    }
    kill(child)?;
    // It may have been killed in the moment of a further try: then it is doubtful, and rightly not printed.
    let found = Store::open(data.path(), now_ms())?.print_step(id)?;
    simulator.set(Condition::Well);
    let terminal = visit::start(&config);
    if found == waits {
        simulator.wait_for(0, 1, PATIENCE)?;
    }
    drop(terminal);
    let store = Store::open(data.path(), now_ms())?;
    let step = store.print_step(id)?;
    let told = matches!(step, Some(PrintStep::Printed | PrintStep::Doubtful(_)));
    ensure!(told && simulator.strips().len() <= 1, "{step:?} {:?}", simulator.strips());
    Ok(())
}
