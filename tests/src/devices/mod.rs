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

/// The picture that the camera sees.
const PICTURE: &str = "camera.jpg";

/// A desk full of virtual devices.
pub struct Desk {
    folder: PathBuf,
    daemon: Daemon,
    serial: Option<SerialReader>,
    receipt: ReceiptSimulator,
    page: Option<PagePrinterProcess>,
    /// Why there is no page printer.
    no_page: Option<String>,
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
        let serial = SerialReader::plug_in(None).ok();
        let receipt = ReceiptSimulator::start()?;
        let (page, no_page) = match PagePrinterProcess::start() {
            Ok(page) => (Some(page), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let desk = Self { folder: folder.to_owned(), daemon, serial, receipt, page, no_page };
        desk.see(Light::Good)?;
        Ok(desk)
    }

    /// Settings of a terminal that has all of them, as a TOML file.
    pub fn settings(&self) -> String {
        let camera = self.folder.join(PICTURE);
        let mut lines = vec![
            "reader = \"pcsc\"".to_owned(),
            format!("receipt_printer = \"{},holds\"", self.receipt.place()),
            "scanner = \"sane:test:0\"".to_owned(),
            format!("camera = \"file:{}\"", camera.display()),
        ];
        lines.extend(self.page.iter().map(|page| format!("page_printer = \"{}\"", page.place())));
        lines.extend(self.serial.iter().map(|_| format!("readers = \"{}\"", self.readers_file().display())));
        lines.join("\n") + "\n"
    }

    /// The file of readers: all of pcscd, and the one on the serial line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_readers(&self) -> Result<()> {
        let Some(serial) = &self.serial else { return Ok(()) };
        let text = format!(
            "[[reader]]\npattern = \"*\"\n\n[[reader]]\nport = \"{}\"\nbaud = 115200\n",
            serial.port().display()
        );
        Ok(std::fs::write(self.readers_file(), text)?)
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
            Deed::Reader(order) => drop(self.control()?.order(order)?),
            Deed::StopService => self.daemon.kill(),
            Deed::StartService => self.daemon.restart()?,
            Deed::Receipt(condition) => self.receipt.set(*condition),
            Deed::ReceiptManner(manner) => self.receipt.behave(*manner),
            Deed::HoldPaper => self.receipt.hold_paper(),
            Deed::TakePaper => self.receipt.take_paper(),
            Deed::PagePaper(has) => self.page()?.has_paper(*has)?,
            Deed::PageGivesUp(does) => self.page()?.gives_up(*does)?,
            Deed::See(light) => self.see(*light)?,
        }
        Ok(())
    }

    fn page(&self) -> Result<&PagePrinterProcess> {
        let why = || self.no_page.clone().unwrap_or_default();
        self.page.as_ref().with_context(|| format!("there is no page printer here: {}", why()))
    }

    fn control(&self) -> Result<Control> {
        self.daemon.control().context("the smart-card service does not run")
    }

    /// Lays another picture under the camera: written beside and renamed, so that no frame is half a picture.
    fn see(&self, light: Light) -> Result<()> {
        let picture = Invented { tilt: 0.06, ..light.of(Invented::default()) };
        let (file, new) = (self.folder.join(PICTURE), self.folder.join("camera.new"));
        std::fs::write(&new, picture.jpeg()?)?;
        Ok(std::fs::rename(new, file)?)
    }

    /// Puts everything well again.
    ///
    /// # Errors
    /// If a device does not obey.
    pub fn all_well(&mut self) -> Result<()> {
        self.act(&Deed::Reader(Order::Reset))?;
        self.receipt.set(Condition::Well);
        self.receipt.behave(Manner::Honest);
        if let Some(page) = &self.page {
            page.has_paper(true)?;
            page.gives_up(false)?;
        }
        self.see(Light::Good)
    }
}

fn card_path(name: &str) -> PathBuf {
    repository().join("assets/cards").join(format!("{name}.toml"))
}
