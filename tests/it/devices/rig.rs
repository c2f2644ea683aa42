//! A terminal with devices that fail when they are told to, for the fault story: put up, broken, mended.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState};
use hardware::health::MAX_BACKOFF_MS;
use hardware::pages::invented::Invented;
use operator::settings::Setting as _;
use terminal::clock::{Clock as _, ManualClock};
use terminal::command::Command;
use terminal::config::{
    CameraChoice, Config, PagePrinterChoice, ReaderChoice, ReceiptPrinterChoice, ScannerChoice,
};
use terminal::headless::HeadlessTerminal;
use terminal::model::Model;
use terminal::runtime::Outside;
use terminal::store::Store;
use tests::binaries::repository;
use tests::centre::Centre;
use tests::device::now_ms;
use tests::devices::scanner::{Condition as Scanner, FailingScanner};
use tests::page_printer::PagePrinterProcess;
use tests::pcscd::Pcscd;
use tests::printers::{Condition, ReceiptSimulator};
use tests::visit::{self, PATIENCE, wait};
use virtual_reader::control::Control;
use virtual_reader::order::{Fault as Reply, Order};

use super::pairs::Fault;

/// A server that nobody runs: what is handed in stays in the store.
const NOBODY: &str = "http://127.0.0.1:9";

/// Where the cards are laid down.
pub(super) enum Hand {
    /// A file: reader that never fails.
    File,
    /// The simulated reader in a real pcscd.
    Reader { control: Option<Control>, pcscd: Pcscd },
}

/// The printer of the slip.
pub(super) enum Printer {
    Receipt { simulator: Option<ReceiptSimulator>, address: std::net::SocketAddr },
    Page(PagePrinterProcess),
}

impl Printer {
    pub(super) fn kind(&self) -> DeviceKind {
        match self {
            Self::Receipt { .. } => DeviceKind::ReceiptPrinter,
            Self::Page(_) => DeviceKind::PagePrinter,
        }
    }

    /// Papers that came out of it.
    pub(super) fn papers(&self) -> Result<usize> {
        match self {
            Self::Receipt { simulator, .. } => Ok(simulator.as_ref().map_or(0, |s| s.strips().len())),
            Self::Page(process) => Ok(process.printed()?.len()),
        }
    }
}

pub(super) struct Rig {
    pub(super) device: DeviceKind,
    pub(super) folder: tempfile::TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) terminal: HeadlessTerminal,
    pub(super) hand: Hand,
    pub(super) printer: Printer,
    pub(super) scanner: FailingScanner,
    /// Numbers that were given.
    pub(super) numbers: Vec<String>,
}

fn image() -> Result<Vec<u8>> {
    let card = repository().join("assets/cards/courier.toml");
    Ok(hardware::card_file::load_image(&card)?.to_vec())
}

impl Rig {
    pub(super) fn new(device: DeviceKind) -> Result<Self> {
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

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn camera(&self) -> PathBuf {
        self.folder.path().join("camera")
    }

    pub(super) fn sees(&self, bytes: &[u8]) -> Result<()> {
        let new = self.folder.path().join("frame.new");
        std::fs::write(&new, bytes)?;
        Ok(std::fs::rename(new, self.camera().join("1.jpg"))?)
    }

    /// Time passes with nobody here, until the terminal has found by itself that every device is well.
    pub(super) fn all_well(&mut self) -> Result<()> {
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
    pub(super) fn lay(&mut self) -> Result<()> {
        match &mut self.hand {
            Hand::File => visit::lay(&self.folder.path().join("data"), "courier"),
            Hand::Reader { control, .. } => {
                control.as_mut().context("no service")?.insert(&image()?)?;
                Ok(())
            }
        }
    }

    /// Lifts it, and waits until that is seen.
    pub(super) fn lift(&mut self) -> Result<()> {
        match &mut self.hand {
            Hand::File => visit::lift(&self.folder.path().join("data"))?,
            Hand::Reader { control, .. } => control.as_mut().context("no service")?.remove()?,
        }
        wait(&mut self.terminal, "an empty reader", |m| m.reader == ReaderStatus::Empty)
    }

    /// An order to the simulated reader.
    pub(super) fn order(&mut self, order: Order) -> Result<()> {
        let Hand::Reader { control, .. } = &mut self.hand else { anyhow::bail!("a file is no reader") };
        control.as_mut().context("no service")?.order(&order)?;
        Ok(())
    }

    pub(super) fn receipt(&self) -> Result<&ReceiptSimulator> {
        match &self.printer {
            Printer::Receipt { simulator, .. } => simulator.as_ref().context("it is unplugged"),
            Printer::Page(_) => anyhow::bail!("there is no receipt printer"),
        }
    }

    pub(super) fn page(&mut self) -> Result<&mut PagePrinterProcess> {
        match &mut self.printer {
            Printer::Page(process) => Ok(process),
            Printer::Receipt { .. } => anyhow::bail!("there is no page printer"),
        }
    }

    /// Makes the device fail.
    pub(super) fn make(&mut self, fault: Fault) -> Result<()> {
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
    pub(super) fn mend(&mut self, fault: Fault) -> Result<()> {
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
}
