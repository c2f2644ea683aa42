//! The fault story: every device fails at every step of a visit, and no visit is lost.
//!
//! A citizen hands in papers at a real terminal (without its window, without a link). At the step the device fails, and
//! stays so until the number is there, unless nothing can be done without it: then until it has been told. What was
//! answered stays, the visit ends with its number, the store has exactly one submission more, one wish makes one paper,
//! and the mended device comes back without anybody's doing. The table is in `pairs.rs`,
//! the terminal and its devices in `rig.rs`.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::printer::{PageAddress, PagePrinter};
use serde_json::{Map, Value};
use terminal::command::Command;
use terminal::model::{CardStep, Model, PrintStep, Screen, SlipView, Way};
use terminal::store::read_status;
use tests::papers;
use tests::visit::{self, PATIENCE, wait};

use super::pairs::{self, Fault, Step};
use super::rig::Rig;

/// A device that fails in a visit.
struct Broken {
    step: Step,
    fault: Fault,
    /// What was on the screen and answered when it failed.
    before: Option<(Screen, Map<String, Value>)>,
    mended: bool,
}

impl Broken {
    fn is_on(&self) -> bool {
        self.before.is_some() && !self.mended
    }
}

/// What was answered so far, by field.
fn answers(model: &Model) -> Result<Map<String, Value>> {
    let Some(session) = &model.session else { return Ok(Map::new()) };
    Ok(serde_json::to_value(&session.answers)?.as_object().cloned().unwrap_or_default())
}

impl Rig {
    fn is(&mut self, trouble: Trouble) -> Result<()> {
        let device = self.device;
        let told = self.terminal.wait_until(PATIENCE, |m| m.device(device) == DeviceState::Trouble(trouble));
        ensure!(told, "nobody is told {trouble:?}, but {:?}", self.terminal.model().device(device));
        Ok(())
    }

    /// The visit comes to a step: if that is the one, the device fails, and nothing changes by it.
    fn at(&mut self, step: Step, broken: &mut Broken) -> Result<()> {
        if broken.step != step {
            return Ok(());
        }
        let before = (self.terminal.model().screen.clone(), answers(self.terminal.model())?);
        self.make(broken.fault)?;
        if let Some(trouble) = broken.fault.seen() {
            // Somebody who works here looks at the devices.
            self.terminal.command(Command::CheckDevices);
            self.is(trouble)?;
        }
        let model = self.terminal.model();
        ensure!((model.screen.clone(), answers(model)?) == before, "it shows {:?}", model.screen);
        broken.before = Some(before);
        Ok(())
    }

    /// The card is read, if need be once the reader works again.
    fn identify(&mut self, broken: &mut Broken) -> Result<()> {
        let failed = |m: &Model| m.session.as_ref().is_some_and(|s| matches!(s.card, CardStep::Failed(_)));
        if self.device == DeviceKind::CardReader && broken.is_on() {
            match broken.fault {
                Fault::Lifted | Fault::Module => {
                    self.lay()?;
                    wait(&mut self.terminal, "the words of a bad read", failed)?;
                }
                _ => {}
            }
            if broken.fault == Fault::Module {
                self.is(Trouble::OutOfOrder)?;
            }
            self.mend(broken.fault)?;
            broken.mended = true;
            wait(&mut self.terminal, "the reader", |m| m.reader == ReaderStatus::Empty)?;
        }
        self.lay()?;
        wait(&mut self.terminal, "the card", |m| {
            m.session.as_ref().is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
        })
    }

    /// A page of the device that works, after the other one has said why it does not.
    fn take_pages(&mut self, broken: &Broken) -> Result<()> {
        let mut pages = 0;
        let ways = [(DeviceKind::Scanner, Way::Glass), (DeviceKind::Camera, Way::Camera)];
        let used = |kind| {
            matches!(self.device, DeviceKind::Scanner | DeviceKind::Camera) || kind == DeviceKind::Camera
        };
        for (kind, way) in ways.into_iter().filter(|(kind, _)| used(*kind)).collect::<Vec<_>>() {
            if self.device == kind && broken.is_on() {
                let refusal = broken.fault.refusal().context("words")?;
                papers::fails(&mut self.terminal, way, refusal)?;
                // A picture that is none is no fault of the camera's.
                if let Some(trouble) = Trouble::ALL.into_iter().find(|t| t.name() == refusal) {
                    self.is(trouble)?;
                }
            } else {
                papers::take(&mut self.terminal, way)?;
                pages += 1;
                papers::use_it(&mut self.terminal, pages)?;
            }
        }
        Ok(())
    }

    /// What was answered is still there, whatever pages came to it.
    fn still_has(&self, filled: &Map<String, Value>) -> Result<()> {
        let now = answers(self.terminal.model())?;
        let lost = filled.iter().find(|(key, value)| now.get(*key) != Some(*value) && *key != papers::FIELD);
        ensure!(!filled.is_empty() && lost.is_none(), "an answer was lost: {:?}", lost.map(|(key, _)| key));
        Ok(())
    }

    /// One visit in which the device fails; ends on the attract page with everything mended.
    fn visit(&mut self, step: Step, fault: Fault) -> Result<()> {
        let mut broken = Broken { step, fault, before: None, mended: false };
        self.at(Step::Attract, &mut broken)?;
        papers::to_guide(&mut self.terminal)?;
        visit::begin(&mut self.terminal)?;
        visit::on_the_card_page(&mut self.terminal);
        ensure!(self.terminal.model().screen == Screen::Card, "{:?}", self.terminal.model().screen);
        self.at(Step::Card, &mut broken)?;
        self.identify(&mut broken)?;
        self.at(Step::Identity, &mut broken)?;
        visit::to_the_form(&mut self.terminal)?;
        papers::to_field(&mut self.terminal)?;
        let filled = answers(self.terminal.model())?;
        self.at(Step::Form, &mut broken)?;
        papers::open(&mut self.terminal)?;
        self.at(Step::Capture, &mut broken)?;
        self.take_pages(&broken)?;
        // Looked at here: on the way on, whatever is missing would be answered once more.
        self.still_has(&filled)?;
        papers::to_check(&mut self.terminal)?;
        self.at(Step::Check, &mut broken)?;
        self.still_has(&filled)?;
        let slip = visit::submit(&mut self.terminal)?;
        self.handed_in(&slip)?;
        self.at(Step::Slip, &mut broken)?;
        self.print(&slip, &mut broken)?;
        self.leave(&broken)
    }

    /// Exactly one submission more stands in the store, and it is this one.
    fn handed_in(&mut self, slip: &SlipView) -> Result<()> {
        self.numbers.push(slip.number.as_str().to_owned());
        let rows = read_status(&self.data(), 1_000)?;
        let stored: Vec<_> = rows.iter().rev().filter_map(|row| row.number.clone()).collect();
        ensure!(stored == self.numbers, "the store has {stored:?}, and these were given: {:?}", self.numbers);
        Ok(())
    }

    /// The slip on paper: one, also where the printer would not at first.
    fn print(&mut self, slip: &SlipView, broken: &mut Broken) -> Result<()> {
        let before = self.printer.papers()?;
        let id = slip.envelope_id;
        self.terminal.command(Command::Print);
        if self.device == self.printer.kind() && broken.is_on() {
            self.printer_fails(slip, broken.fault)?;
            self.mend(broken.fault)?;
            broken.mended = true;
            // What may lie there is never printed again by itself.
            let asks = matches!(self.terminal.model().print_of(id), Some(PrintStep::Doubtful(_)));
            if asks {
                self.terminal.command(Command::Print);
            }
        }
        let printed = self.terminal.wait_until(PATIENCE, |m| m.print_of(id) == Some(PrintStep::Printed));
        ensure!(printed, "no paper but {:?}", self.terminal.model().print_of(id));
        let papers = self.printer.papers()?;
        ensure!(papers == before + 1, "{before} papers, then {papers}");
        Ok(())
    }

    /// Waits until it is told that the paper does not come; the number stays on the screen.
    fn printer_fails(&mut self, slip: &SlipView, fault: Fault) -> Result<()> {
        let id = slip.envelope_id;
        if fault == Fault::PageNoPaper {
            let place = self.page()?.place();
            let look = PagePrinter::new(PageAddress::read(&place).context("an address")?);
            let stands = self.terminal.wait_until(PATIENCE, |_| look.look() == Some(Trouble::NoPaper));
            ensure!(stands, "the printer was given no job");
            ensure!(self.terminal.model().print_of(id) == Some(PrintStep::Printing), "it is not on its way");
        } else {
            let told = |m: &Model| match fault.seen() {
                Some(trouble) => m.print_of(id) == Some(PrintStep::Waiting(trouble)),
                None => matches!(m.print_of(id), Some(PrintStep::Doubtful(Some(_)))),
            };
            ensure!(self.terminal.wait_until(PATIENCE, told), "{:?}", self.terminal.model().print_of(id));
        }
        let shown = self.terminal.model().session.as_ref().and_then(|s| s.slip.as_ref());
        ensure!(shown.is_some_and(|s| s.number == slip.number), "the number is gone");
        Ok(())
    }

    /// The visit ends; whatever still fails is mended, and comes back by itself.
    fn leave(&mut self, broken: &Broken) -> Result<()> {
        self.terminal.command(Command::Finish);
        wait(&mut self.terminal, "the attract page", |m| m.screen == Screen::Attract && m.session.is_none())?;
        if broken.is_on() {
            self.mend(broken.fault)?;
        }
        ensure!(broken.before.is_some(), "it never failed");
        if self.terminal.model().reader == ReaderStatus::Card {
            self.lift()?;
        }
        self.all_well()
    }
}

/// Plays all rows of a device in visits one after the other.
fn play(device: DeviceKind) -> Result<()> {
    let rows = pairs::of(device);
    let mut rig = Rig::new(device)?;
    for (step, fault) in &rows {
        rig.visit(*step, *fault).with_context(|| format!("{device:?} {fault:?} at {step:?}"))?;
    }
    let data = rig.data();
    drop(rig.terminal);
    let stored = read_status(&data, 1_000)?;
    let seqs: BTreeSet<i64> = stored.iter().map(|row| row.seq).collect();
    assert_eq!((stored.len(), seqs.len()), (rows.len(), rows.len()), "one submission for each visit");
    eprintln!("{device:?}: {} visits, none lost", rows.len());
    Ok(())
}

#[test]
fn each_of_five_devices_fails_at_each_of_seven_steps() {
    let mut pairs = BTreeSet::new();
    for device in DeviceKind::ALL {
        let rows = pairs::of(device);
        pairs.extend(rows.iter().map(|(step, _)| (device, *step)));
        let steps: BTreeSet<_> = rows.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps.len(), Step::ALL.len(), "{device:?}");
    }
    assert_eq!(pairs.len(), 35);
}

#[test]
fn a_card_reader_that_fails_at_any_step_loses_no_visit() -> Result<()> {
    play(DeviceKind::CardReader)
}

#[test]
fn a_receipt_printer_that_fails_at_any_step_loses_no_visit() -> Result<()> {
    play(DeviceKind::ReceiptPrinter)
}

#[test]
fn a_page_printer_that_fails_at_any_step_loses_no_visit() -> Result<()> {
    play(DeviceKind::PagePrinter)
}

#[test]
fn a_scanner_that_fails_at_any_step_loses_no_visit() -> Result<()> {
    play(DeviceKind::Scanner)
}

#[test]
fn a_camera_that_fails_at_any_step_loses_no_visit() -> Result<()> {
    play(DeviceKind::Camera)
}
