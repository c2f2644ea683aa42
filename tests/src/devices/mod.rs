//! The virtual devices of a terminal, all together: for trying it by hand (`cargo xtask devices`) and for long runs.
//!
//! Every one of them is a SIMULATOR, or real software without hardware behind it: card readers that the real pcscd
//! loads, a receipt printer on a TCP port, CUPS's `ippeveprinter`, SANE's `test` back end, files in the place of a
//! camera. They prove nothing of any real model. All of it ends with this value.
pub mod deeds;
pub mod panel;
pub mod scanner;
pub mod soak;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hardware::card_file;
use hardware::pages::invented::Invented;
use virtual_reader::control::Control;
use virtual_reader::daemon::{Daemon, find_library};
use virtual_reader::order::Order;
use virtual_reader::serial::SerialReader;

use crate::binaries::repository;
use crate::page_printer::PagePrinterProcess;
use crate::printers::{Condition, Manner, ReceiptSimulator};
use deeds::{Deed, Light};
use scanner::FailingScanner;

/// The folder of the camera's frames, and the one frame in it.
const CAMERA: &str = "camera";
const PICTURE: &str = "1.jpg";
/// The port of the serial reader, by a name that stays when it is plugged in again.
const SERIAL: &str = "serial-reader";
/// Where the camera's folder is while it is gone.
const AWAY: &str = "camera-away";

/// A desk full of virtual devices.
pub struct Desk {
    folder: PathBuf,
    daemon: Daemon,
    /// None while its plug is pulled, or where there is no serial line.
    serial: Option<SerialReader>,
    has_serial: bool,
    receipt: ReceiptSimulator,
    page: Option<PagePrinterProcess>,
    /// Why there is no page printer.
    no_page: Option<String>,
    scanner: FailingScanner,
}

impl Desk {
    /// Puts up all of them; what they need lies in this folder, whose path must be short.
    ///
    /// # Errors
    /// If one of them cannot be started. A page printer that cannot is left out, and said so.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let library = find_library().context("looking for the simulated reader's library")?;
        let daemon = Daemon::start_readers(&folder.join("pcscd"), &library, 1)?;
        let serial = plug_in_serial(folder).ok();
        let receipt = ReceiptSimulator::start()?;
        let (page, no_page) = match PagePrinterProcess::start() {
            Ok(page) => (Some(page), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let scanner = FailingScanner::new(&folder.join("scanner"))?;
        std::fs::create_dir_all(folder.join(CAMERA))?;
        let (folder, has_serial) = (folder.to_owned(), serial.is_some());
        let desk = Self { folder, daemon, serial, has_serial, receipt, page, no_page, scanner };
        desk.see(Light::Good.picture())?;
        Ok(desk)
    }

    /// Settings of a terminal that has all of them, as a TOML file.
    pub fn settings(&self) -> String {
        let camera = self.camera();
        let mut lines = vec![
            "reader = \"pcsc\"".to_owned(),
            format!("receipt_printer = \"{},holds\"", self.receipt.place()),
            "scanner = \"sane:test:0\"".to_owned(),
            format!("camera = \"file:{}\"", camera.display()),
        ];
        lines.extend(self.page.iter().map(|page| format!("page_printer = \"{}\"", page.place())));
        if self.has_serial {
            lines.push(format!("readers = \"{}\"", self.readers_file().display()));
        }
        lines.join("\n") + "\n"
    }

    /// The file of readers: all of pcscd, and the one on the serial line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_readers(&self) -> Result<()> {
        if !self.has_serial {
            return Ok(());
        }
        let text = format!(
            "[[reader]]\npattern = \"*\"\n\n[[reader]]\nport = \"{}\"\nbaud = 115200\n",
            self.folder.join(SERIAL).display()
        );
        Ok(std::fs::write(self.readers_file(), text)?)
    }

    /// The program that stands before `scanimage`, so that the scanner can fail.
    pub fn scanimage(&self) -> PathBuf {
        self.scanner.program()
    }

    /// The folder that stands for the camera.
    pub fn camera(&self) -> PathBuf {
        self.folder.join(CAMERA)
    }

    /// Where the page printer is, as the terminal's settings name it.
    ///
    /// # Errors
    /// If there is none.
    pub fn page_place(&self) -> Result<String> {
        let why =
            || format!("there is no page printer here: {}", self.no_page.as_deref().unwrap_or_default());
        Ok(self.page.as_ref().with_context(why)?.place())
    }

    fn readers_file(&self) -> PathBuf {
        self.folder.join("readers.toml")
    }

    /// The socket by which programs find the smart-card service (`PCSCLITE_CSOCK_NAME`).
    pub fn card_service(&self) -> PathBuf {
        self.daemon.client_socket()
    }

    /// The receipt printer.
    pub fn receipt(&self) -> &ReceiptSimulator {
        &self.receipt
    }

    /// How many pages were printed.
    pub fn pages_printed(&self) -> usize {
        self.page.as_ref().and_then(|page| page.printed().ok()).map_or(0, |printed| printed.len())
    }

    /// Does what somebody pressed.
    ///
    /// # Errors
    /// If it cannot be done; nothing is half done.
    pub fn act(&mut self, deed: &Deed) -> Result<()> {
        match deed {
            Deed::Lay(name) => {
                let image = card_file::load_image(&card_path(name))?;
                self.control()?.insert(&image)?;
            }
            Deed::LaySerial(name) => {
                let image = card_file::load_image(&card_path(name))?;
                let serial = self.serial.as_ref().context("there is no serial line here")?;
                serial.obey(Order::Insert(image.to_vec()));
            }
            Deed::LiftSerial => {
                self.serial.as_ref().context("there is no serial line here")?.obey(Order::Remove);
            }
            Deed::UnplugSerial => drop(self.serial.take()),
            Deed::PlugSerial if self.serial.is_none() => {
                self.serial = Some(plug_in_serial(&self.folder).context("there is no serial line here")?);
            }
            Deed::PlugSerial => {}
            Deed::Reader(order) => drop(self.control()?.order(order)?),
            Deed::StopService => self.daemon.kill(),
            Deed::StartService => self.daemon.restart()?,
            Deed::Receipt(condition) => self.receipt.set(*condition),
            Deed::ReceiptManner(manner) => self.receipt.behave(*manner),
            Deed::HoldPaper => self.receipt.hold_paper(),
            Deed::TakePaper => self.receipt.take_paper(),
            Deed::UnplugReceipt => self.receipt.unplug(),
            Deed::PlugReceipt => self.receipt.plug_in()?,
            Deed::PagePaper(has) => self.page()?.has_paper(*has)?,
            Deed::PageGivesUp(does) => self.page()?.gives_up(*does)?,
            Deed::UnplugPage => self.page()?.unplug(),
            Deed::PlugPage => self.page()?.plug_in()?,
            Deed::Scanner(condition) => self.scanner.set(*condition)?,
            Deed::See(light) => self.see(light.picture())?,
            Deed::Frame(width, height) => {
                self.see(Invented { width: *width, height: *height, ..Light::Good.picture() })?;
            }
            Deed::NoFrame => std::fs::remove_file(self.camera().join(PICTURE))?,
            Deed::Garbage => self.frame(b"no picture")?,
            Deed::CameraGone(gone) => self.move_camera(*gone)?,
        }
        Ok(())
    }

    fn page(&mut self) -> Result<&mut PagePrinterProcess> {
        let why = self.no_page.clone().unwrap_or_default();
        self.page.as_mut().with_context(|| format!("there is no page printer here: {why}"))
    }

    fn control(&self) -> Result<Control> {
        self.daemon.control().context("the smart-card service does not run")
    }

    /// Lays another picture under the camera.
    fn see(&self, picture: Invented) -> Result<()> {
        self.frame(&picture.jpeg()?)
    }

    /// The next frame: written beside and renamed, so that none is half a picture.
    fn frame(&self, bytes: &[u8]) -> Result<()> {
        let new = self.folder.join("camera.new");
        std::fs::write(&new, bytes)?;
        Ok(std::fs::rename(new, self.camera().join(PICTURE))?)
    }

    fn move_camera(&self, gone: bool) -> Result<()> {
        let (here, away) = (self.camera(), self.folder.join(AWAY));
        let (from, to) = if gone { (here, away) } else { (away, here) };
        if from.exists() { Ok(std::fs::rename(from, to)?) } else { Ok(()) }
    }

    /// Puts everything well again.
    ///
    /// # Errors
    /// If a device does not obey.
    pub fn all_well(&mut self) -> Result<()> {
        self.act(&Deed::Reader(Order::Reset))?;
        if self.has_serial {
            self.act(&Deed::PlugSerial)?;
        }
        self.receipt.plug_in()?;
        self.receipt.set(Condition::Well);
        self.receipt.behave(Manner::Honest);
        if let Some(page) = &mut self.page {
            page.has_paper(true)?;
            page.gives_up(false)?;
            page.plug_in()?;
        }
        self.scanner.set(scanner::Condition::Well)?;
        self.move_camera(false)?;
        self.act(&Deed::See(Light::Good))
    }
}

/// A reader on a serial line, whose port has a name that stays, as udev gives one.
fn plug_in_serial(folder: &Path) -> Result<SerialReader> {
    let reader = SerialReader::plug_in(None)?;
    let port = folder.join(SERIAL);
    if port.is_symlink() {
        std::fs::remove_file(&port)?;
    }
    std::os::unix::fs::symlink(reader.port(), port)?;
    Ok(reader)
}

fn card_path(name: &str) -> PathBuf {
    repository().join("assets/cards").join(format!("{name}.toml"))
}
