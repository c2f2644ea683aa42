//! A scanner that fails on demand: the real `scanimage` with SANE's `test` back end, and a small program before it that
//! meddles. A SIMULATOR: it proves nothing of any real model.
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// All is well.
    Well,
    /// No cable leads to it.
    Unplugged,
    /// Paper is stuck in it.
    Jammed,
    /// Its cover is open.
    CoverOpen,
    /// Its feeder is empty.
    NoPaper,
    /// Another program has it.
    Busy,
    /// The cable comes loose in mid-scan.
    Loose,
    /// The program crashes.
    Crashes,
}

impl Condition {
    /// What the program before `scanimage` is told; nothing if it shall not meddle.
    fn order(self) -> &'static str {
        match self {
            Self::Well => "",
            Self::Unplugged => "gone",
            Self::Crashes => "crash",
            Self::Jammed => "JAMMED",
            Self::CoverOpen => "COVER_OPEN",
            Self::NoPaper => "NO_DOCS",
            Self::Busy => "DEVICE_BUSY",
            Self::Loose => "IO_ERROR",
        }
    }
}

/// Stands before `scanimage`: asks it for a device that is not there, or has its reads end as a file says.
const PROGRAM: &str = r#"#!/bin/sh
PATH=REST
order=$(cat 'FOLDER/order')
case "$order" in
'') exec scanimage "$@" ;;
crash) kill -SEGV $$ ;;
gone)
  for word; do
    shift
    case "$word" in --device-name=*) word=--device-name=test:9 ;; esac
    set -- "$@" "$word"
  done
  exec scanimage "$@" ;;
*) exec scanimage "$@" "--read-return-value=SANE_STATUS_$order" ;;
esac
"#;

/// The program, in a folder of its own.
pub struct FailingScanner {
    folder: PathBuf,
}

impl FailingScanner {
    /// Puts the program into a folder, which it makes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let scanner = Self { folder: folder.to_owned() };
        scanner.set(Condition::Well)?;
        let rest = std::env::var("PATH").context("PATH")?;
        let text = PROGRAM.replace("FOLDER", &folder.to_string_lossy()).replace("REST", &quoted(&rest));
        std::fs::write(scanner.program(), text)?;
        std::fs::set_permissions(scanner.program(), std::fs::Permissions::from_mode(0o700))?;
        Ok(scanner)
    }

    /// What the terminal runs in the place of `scanimage`.
    pub fn program(&self) -> PathBuf {
        self.folder.join("scanimage")
    }

    /// From now on it is so.
    ///
    /// # Errors
    /// If the file that says so cannot be written.
    pub fn set(&self, condition: Condition) -> Result<()> {
        // Renamed, so that nobody reads half an order.
        let new = self.folder.join("order.new");
        std::fs::write(&new, condition.order())?;
        Ok(std::fs::rename(new, self.folder.join("order"))?)
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
