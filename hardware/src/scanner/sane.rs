//! A scanner through `scanimage`: its arguments, its surroundings, and what it lists.
//!
//! Only the back ends that the settings name are loaded: asking all of them takes seconds, and each is foreign code.
//! Refuses names with signs that no device has.
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::batch::{self, Batch, MAX_SAID};
use super::options::Options;
use super::{Go, Heard, MAX_NAME, MAX_PAGES, SaneStatus, ScanError, ScanOrder, Scanner, Source, is_device};
use crate::process::Process;

/// Devices of a list, at most.
pub const MAX_DEVICES: usize = 16;
/// How long looking for devices may take.
const LIST_WITHIN: Duration = Duration::from_secs(10);
/// How long the options of a device may take to come.
const OPTIONS_WITHIN: Duration = Duration::from_secs(20);
/// Where SANE keeps the settings of its back ends.
const SYSTEM_FOLDER: &str = "/etc/sane.d";

/// Where a scanner is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaneConfig {
    /// The program, `scanimage` unless a test says otherwise.
    pub program: PathBuf,
    /// The device as `scanimage -L` names it, such as `airscan:e0:Office`; what stands before the colon is its back end.
    pub device: String,
    /// A folder of this scanner alone: it is emptied. Named pipes and one file of settings lie there, never a page.
    pub folder: PathBuf,
    /// How long a device may be silent while it scans: a lamp has to become warm.
    pub silence: Duration,
}

impl SaneConfig {
    /// A device with the usual program and times.
    pub fn new(device: &str, folder: PathBuf) -> Self {
        Self { program: "scanimage".into(), device: device.into(), folder, silence: Duration::from_secs(60) }
    }
}

/// A device that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, for the settings.
    pub device: String,
    /// Who made it, and which model.
    pub model: String,
}

/// A scanner through SANE.
#[derive(Debug)]
pub struct SaneScanner {
    config: SaneConfig,
    back_end: String,
    options: Option<Options>,
}

impl SaneScanner {
    /// A scanner by its settings; nothing is looked for yet.
    ///
    /// # Errors
    /// [`ScanError::Name`]
    pub fn new(config: SaneConfig) -> Result<Self, ScanError> {
        if !is_device(&config.device) {
            return Err(ScanError::Name(config.device.chars().take(MAX_NAME).collect()));
        }
        let back_end = config.device.split(':').next().unwrap_or_default().to_owned();
        Ok(Self { config, back_end, options: None })
    }

    /// The devices that the back end of this one finds, within ten seconds and at most sixteen.
    ///
    /// # Errors
    /// [`ScanError`]
    pub fn list(&self) -> Result<Vec<Listed>, ScanError> {
        self.prepare()?;
        // A sign that no name has parts the three.
        let (_, said) = self.ask(&["--formatted-device-list=%d\x1f%v %m%n"], LIST_WITHIN)?;
        let device = |line: &str| {
            let (device, model) = line.split_once('\x1f')?;
            Some(Listed { device: device.to_owned(), model: model.trim().to_owned() })
        };
        Ok(said.lines().filter_map(device).take(MAX_DEVICES).collect())
    }

    /// Makes the folder anew with nothing but the settings in it.
    fn prepare(&self) -> Result<(), ScanError> {
        let make = || -> io::Result<()> {
            match fs::remove_dir_all(&self.config.folder) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut builder = DirBuilder::new();
            builder.mode(0o700).create(&self.config.folder)?;
            // The first folder that has one is taken: no back end comes in by a package's own file.
            builder.create(self.config.folder.join("dll.d"))?;
            fs::write(self.config.folder.join("dll.conf"), format!("{}\n", self.back_end))
        };
        make().map_err(ScanError::Folder)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.config.program);
        command.env_clear().env("LC_ALL", "C");
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut folders = self.config.folder.clone().into_os_string();
        folders.push(":");
        folders.push(SYSTEM_FOLDER);
        command.env("SANE_CONFIG_DIR", folders);
        command
    }

    /// Runs the program to its end: what it said, if it ended well.
    fn ask(&self, arguments: &[&str], within: Duration) -> Result<(i32, String), ScanError> {
        let mut process = Process::start(self.command().args(arguments), MAX_SAID)?;
        let code = process.finish(within)?;
        let complaints = String::from_utf8_lossy(&process.err.bytes).into_owned();
        match SaneStatus::of_exit(code, &complaints) {
            None if code == 0 => Ok((code, String::from_utf8_lossy(&process.out.bytes).into_owned())),
            Some(status) => Err(ScanError::Status(status)),
            None => Err(ScanError::BrokeOff),
        }
    }

    fn device_argument(&self) -> String {
        format!("--device-name={}", self.config.device)
    }

    /// What the device can be asked for; remembered.
    fn options(&mut self) -> Result<Options, ScanError> {
        if let Some(options) = &self.options {
            return Ok(options.clone());
        }
        let (_, said) = self.ask(&[&self.device_argument(), "--all-options"], OPTIONS_WITHIN)?;
        Ok(self.options.insert(Options::read(&said)).clone())
    }

    fn pages(&mut self, order: &ScanOrder, hear: &mut dyn FnMut(Heard) -> Go) -> Result<u16, ScanError> {
        let options = self.options()?;
        if !options.has(order.source) {
            return Err(ScanError::Status(SaneStatus::Unsupported));
        }
        let most = if order.source == Source::Glass { 1 } else { MAX_PAGES };
        let pages = order.pages.clamp(1, most);
        batch::pipes(&self.config.folder, pages)?;
        let mut name = self.config.folder.clone().into_os_string();
        name.push("/%d.jpg");
        let mut file = std::ffi::OsString::from("--batch=");
        file.push(name);
        let mut command = self.command();
        command.arg(self.device_argument()).args(["--format=jpeg", "--progress", "--batch-print"]);
        command.arg(file).arg(format!("--batch-count={pages}")).args(options.arguments(order));
        Batch::start(&mut command, &self.config.folder, pages)?.run(self.config.silence, hear)
    }
}

impl Scanner for SaneScanner {
    fn look(&mut self) -> Result<(), ScanError> {
        self.prepare()?;
        self.options = None;
        self.options().map(|_| ())
    }

    fn scan(&mut self, order: &ScanOrder, hear: &mut dyn FnMut(Heard) -> Go) -> Result<u16, ScanError> {
        self.prepare()?;
        let scanned = self.pages(order, hear);
        if scanned.is_err() {
            // It may be another device when it comes back.
            self.options = None;
        }
        scanned
    }
}

impl Drop for SaneScanner {
    /// Leaves no pipe behind.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.config.folder);
    }
}
