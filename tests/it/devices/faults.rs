//! The fault story: every device fails at every step of a visit, and no visit is lost.
//!
//! A citizen hands in papers at a real terminal (without its window, without a link). At the step the device fails, and
//! stays so until the number is there, unless nothing can be done without it: then until it has been told. What was
//! answered stays, the visit ends with its number, the store has exactly one submission more, one wish makes one paper,
//! and the mended device comes back without anybody's doing. The table is in `pairs.rs`.
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::health::MAX_BACKOFF_MS;
use hardware::pages::invented::Invented;
use hardware::printer::{PageAddress, PagePrinter};
use operator::settings::Setting as _;
use serde_json::{Map, Value};
use terminal::clock::{Clock as _, ManualClock};
use terminal::command::Command;
use terminal::config::{
    CameraChoice, Config, PagePrinterChoice, ReaderChoice, ReceiptPrinterChoice, ScannerChoice,
};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Model, PrintStep, Screen, SlipView, Way};
use terminal::runtime::Outside;
use terminal::store::{Store, read_status};
use tests::binaries::repository;
use tests::centre::Centre;
use tests::device::now_ms;
use tests::devices::scanner::{Condition as Scanner, FailingScanner};
use tests::page_printer::PagePrinterProcess;
use tests::papers;
use tests::pcscd::Pcscd;
use tests::printers::{Condition, ReceiptSimulator};
use tests::visit::{self, PATIENCE, wait};
use virtual_reader::control::Control;
use virtual_reader::order::{Fault as Reply, Order};

use super::pairs::{self, Fault, Step};

/// A server that nobody runs: what is handed in stays in the store.
const NOBODY: &str = "http://127.0.0.1:9";

/// Where the cards are laid down.
enum Hand {
    /// A file: reader that never fails.
    File,
    /// The simulated reader in a real pcscd.
    Reader { control: Option<Control>, pcscd: Pcscd },
}

/// The printer of the slip.
enum Printer {
    Receipt { simulator: Option<ReceiptSimulator>, address: std::net::SocketAddr },
    Page(PagePrinterProcess),
}

impl Printer {
    fn kind(&self) -> DeviceKind {
        match self {
            Self::Receipt { .. } => DeviceKind::ReceiptPrinter,
            Self::Page(_) => DeviceKind::PagePrinter,
        }
    }

    /// Papers that came out of it.
    fn papers(&self) -> Result<usize> {
        match self {
            Self::Receipt { simulator, .. } => Ok(simulator.as_ref().map_or(0, |s| s.strips().len())),
            Self::Page(process) => Ok(process.printed()?.len()),
        }
    }
}

struct Rig {
    device: DeviceKind,
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    terminal: HeadlessTerminal,
    hand: Hand,
    printer: Printer,
    scanner: FailingScanner,
    /// Numbers that were given.
    numbers: Vec<String>,
}

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

fn image() -> Result<Vec<u8>> {
    let card = repository().join("assets/cards/courier.toml");
    Ok(hardware::card_file::load_image(&card)?.to_vec())
}

/// What was answered so far, by field.
fn answers(model: &Model) -> Result<Map<String, Value>> {
    let Some(session) = &model.session else { return Ok(Map::new()) };
    Ok(serde_json::to_value(&session.answers)?.as_object().cloned().unwrap_or_default())
}

impl Rig {
    fn new(device: DeviceKind) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        Store::open(&data, now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
        let scanner = FailingScanner::new(&folder.path().join("scanner"))?;
        let hand = if device == DeviceKind::CardReader {
            let pcscd = Pcscd::lock()?;
            Hand::Reader { control: Some(pcscd.control()?), pcscd }
        } else {
            Hand::File
        };
        let printer = if device == DeviceKind::PagePrinter {
            Printer::Page(PagePrinterProcess::start()?)
        } else {
            let simulator = ReceiptSimulator::start()?;
            Printer::Receipt { address: simulator.address(), simulator: Some(simulator) }
        };
        let (receipt, page) = match &printer {
            Printer::Receipt { address, .. } => (format!("tcp:{address}"), "none".to_owned()),
            Printer::Page(process) => ("none".to_owned(), process.place()),
        };
        let plain = visit::config(&data, NOBODY);
        let camera = folder.path().join("camera");
        std::fs::create_dir(&camera)?;
        let config = Config {
            reader: if matches!(hand, Hand::File) { plain.reader.clone() } else { ReaderChoice::Pcsc },
            receipt_printer: ReceiptPrinterChoice::read(&receipt).context("a receipt printer")?,
            page_printer: PagePrinterChoice::read(&page).context("a page printer")?,
            scanner: ScannerChoice::Sane("test:0".to_owned()),
            camera: CameraChoice::File(camera),
            ..plain
        };
        let clock = Arc::new(ManualClock::at(now_ms()));
        let outside =
            Outside { clock: clock.clone(), scanimage: Some(scanner.program()), ..Outside::default() };
        let terminal = HeadlessTerminal::start_with(&config, outside);
        let mut rig = Self { device, folder, clock, terminal, hand, printer, scanner, numbers: Vec::new() };
        rig.sees(&Invented { width: 1_000, height: 750, ..Invented::default() }.jpeg()?)?;
        rig.all_well()?;
        Ok(rig)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn camera(&self) -> PathBuf {
        self.folder.path().join("camera")
    }

    fn sees(&self, bytes: &[u8]) -> Result<()> {
        let new = self.folder.path().join("frame.new");
        std::fs::write(&new, bytes)?;
        Ok(std::fs::rename(new, self.camera().join("1.jpg"))?)
    }

    /// Time passes with nobody here, until the terminal has found by itself that every device is well.
    fn all_well(&mut self) -> Result<()> {
        self.clock.advance(MAX_BACKOFF_MS + 1_000);
        let well = |m: &Model| m.devices.list.iter().all(|device| device.state == DeviceState::Ready);
        let came = self.terminal.wait_until(PATIENCE, well);
        ensure!(came, "not every device came back: {:?}", self.terminal.model().devices.list);
        // The next visit shall not begin in the past, or it would have been idle for too long.
        while self.terminal.model().now_ms < self.clock.now_ms() {
            self.terminal.command(Command::Touch);
            self.terminal.wait_until(Duration::from_millis(100), |_| false);
        }
        Ok(())
    }

    /// Lays the card down.
    fn lay(&mut self) -> Result<()> {
        match &mut self.hand {
            Hand::File => visit::lay(&self.folder.path().join("data"), "courier"),
            Hand::Reader { control, .. } => {
                control.as_mut().context("no service")?.insert(&image()?)?;
                Ok(())
            }
        }
    }

    /// Lifts it, and waits until that is seen.
    fn lift(&mut self) -> Result<()> {
        match &mut self.hand {
            Hand::File => visit::lift(&self.folder.path().join("data"))?,
            Hand::Reader { control, .. } => control.as_mut().context("no service")?.remove()?,
        }
        wait(&mut self.terminal, "an empty reader", |m| m.reader == ReaderStatus::Empty)
    }

    /// An order to the simulated reader.
    fn order(&mut self, order: Order) -> Result<()> {
        let Hand::Reader { control, .. } = &mut self.hand else { anyhow::bail!("a file is no reader") };
        control.as_mut().context("no service")?.order(&order)?;
        Ok(())
    }

    fn receipt(&self) -> Result<&ReceiptSimulator> {
        match &self.printer {
            Printer::Receipt { simulator, .. } => simulator.as_ref().context("it is unplugged"),
            Printer::Page(_) => anyhow::bail!("there is no receipt printer"),
        }
    }

    fn page(&mut self) -> Result<&mut PagePrinterProcess> {
        match &mut self.printer {
            Printer::Page(process) => Ok(process),
            Printer::Receipt { .. } => anyhow::bail!("there is no page printer"),
        }
    }

    /// Makes the device fail.
    fn make(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Service => {
                let Hand::Reader { control, pcscd } = &mut self.hand else { anyhow::bail!("a file") };
                *control = None;
                pcscd.kill()?;
            }
            // A cable that nobody uses tells nothing: a card is laid down.
            Fault::Cable => {
                self.order(Order::UnplugAt(Some(0)))?;
                self.lay()?;
            }
            Fault::Lifted => self.order(Order::RemoveMidRead)?,
            Fault::Module => self.order(Order::Fault(Reply::Status(0x60, None), 20))?,
            Fault::Receipt(condition) => self.receipt()?.set(condition),
            Fault::MidPage(manner) => self.receipt()?.behave(manner),
            Fault::ReceiptGone => {
                if let Printer::Receipt { simulator, .. } = &mut self.printer {
                    *simulator = None;
                }
            }
            Fault::PageGone => self.page()?.unplug(),
            Fault::PageNoPaper => self.page()?.has_paper(false)?,
            Fault::PageGivesUp => self.page()?.gives_up(true)?,
            Fault::Scanner(condition) => self.scanner.set(condition)?,
            Fault::CameraGone => std::fs::rename(self.camera(), self.folder.path().join("away"))?,
            Fault::CameraSilent => {
                std::fs::rename(self.camera().join("1.jpg"), self.folder.path().join("1.jpg"))?;
            }
            Fault::CameraGarbage => {
                std::fs::copy(self.camera().join("1.jpg"), self.folder.path().join("1.jpg"))?;
                self.sees(b"no picture")?;
            }
        }
        Ok(())
    }

    /// Mends it.
    fn mend(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Service => {
                let Hand::Reader { control, pcscd } = &mut self.hand else { anyhow::bail!("a file") };
                pcscd.restart()?;
                *control = Some(pcscd.control()?);
            }
            Fault::Cable => {
                self.order(Order::Remove)?;
                self.order(Order::UnplugAt(None))?;
            }
            Fault::Lifted => {}
            Fault::Module => self.order(Order::Reset)?,
            Fault::Receipt(_) | Fault::MidPage(_) => self.receipt()?.set(Condition::Well),
            Fault::ReceiptGone => {
                if let Printer::Receipt { simulator, address } = &mut self.printer {
                    *simulator = Some(ReceiptSimulator::start_at(*address)?);
                }
            }
            Fault::PageGone => self.page()?.plug_in()?,
            Fault::PageNoPaper => self.page()?.has_paper(true)?,
            Fault::PageGivesUp => self.page()?.gives_up(false)?,
            Fault::Scanner(_) => self.scanner.set(Scanner::Well)?,
            Fault::CameraGone => std::fs::rename(self.folder.path().join("away"), self.camera())?,
            Fault::CameraSilent | Fault::CameraGarbage => {
                std::fs::rename(self.folder.path().join("1.jpg"), self.camera().join("1.jpg"))?;
            }
        }
        Ok(())
    }

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
