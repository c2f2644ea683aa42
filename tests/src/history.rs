//! What happened in a run, written down while it happens, and the rules that every run must keep.
//!
//! A record is one JSON line, appended by the process that saw it: what it wrote before it was killed stays. The
//! rules compare the records with what lies on the terminals' disks and at the centre afterwards. Refuses to
//! guess: a record, store or row that cannot be read is an error of its own, never a pass.
mod audited;
mod changed;
mod pages;
mod rules;
mod told;
mod view;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};
use serde::{Deserialize, Serialize};

pub use pages::{PAGES_FOLDER, PageAtCentre, PageOnDisk, PagesAtCentre, PagesOnDisk, check_pages};
pub use rules::{Broken, Rule, check, check_centre, check_disk, report};
pub use told::check_told;
pub use view::{CentreView, DiskView, StoredAction, StoredAudit, StoredCase, StoredEnvelope};

/// What was seen or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// A form began: an id was made. Nothing is promised yet.
    Created {
        /// The id.
        id: EnvelopeId,
    },
    /// Pages were captured for a form; whatever is handed in of it names all of them.
    Pages {
        /// The submission.
        id: EnvelopeId,
        /// Digests of their sealed bytes.
        digests: Vec<Digest>,
    },
    /// A number was shown to a citizen: the promise begins here.
    Slip {
        /// The submission.
        id: EnvelopeId,
        /// The number on the slip.
        number: CaseNo,
        /// Digest of what was sealed.
        digest: Digest,
    },
    /// A citizen was told that it could not be saved.
    Refused {
        /// The submission.
        id: EnvelopeId,
        /// The reason given.
        why: String,
    },
    /// A verified receipt was stored.
    Acked {
        /// The submission.
        id: EnvelopeId,
    },
    /// What a citizen saw of a case.
    Seen {
        /// The number looked at.
        number: CaseNo,
        /// The state shown, if any.
        state: Option<CaseState>,
        /// How many of the four marks were shown.
        marks: u8,
    },
    /// A process died.
    Crash {
        /// `terminal` or `server`.
        who: String,
        /// The named point, or `any` for a kill at any moment.
        point: String,
    },
    /// The disk of the terminal was copied.
    Copied,
    /// The store was set back to the last copy; the record names whose it was.
    Restored,
    /// The terminal found its store damaged and put it aside, whole: what had not reached the centre lies there.
    PutAside,
    /// A citizen asked for a slip on paper.
    PaperAsked {
        /// The submission.
        id: EnvelopeId,
    },
    /// A slip came out of the printer, whole.
    Paper {
        /// The submission.
        id: EnvelopeId,
    },
    /// A copy of the terminal's disk lives on by itself.
    Cloned {
        /// Its name in the history.
        twin: String,
    },
    /// A bit of a page turned; the record names where it lies.
    Flipped {
        /// Digest of the bytes as they were.
        digest: Digest,
    },
    /// People were told that a page at the centre could not be copied.
    NotCopied {
        /// Its digest.
        digest: Digest,
    },
    /// The terminal heard that the centre was set back: what it shows may be younger than what the centre knows.
    NewEpoch,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The terminal of the run, or the server.
    pub terminal: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub op: Op,
}

/// A history, in the order in which each terminal wrote it.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<Record>);

impl History {
    /// Adds what a file holds; a file that is not there holds nothing.
    ///
    /// # Errors
    /// If a line cannot be read.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.with_context(|| path.display().to_string())?,
        };
        for (number, line) in (1..).zip(text.lines()) {
            let record = serde_json::from_str(line);
            self.0.push(record.with_context(|| format!("{} line {number}", path.display()))?);
        }
        Ok(())
    }

    /// Notes what a terminal did, for a run that is over within one process.
    pub fn note(&mut self, terminal: &str, op: Op) {
        self.note_at(terminal, crate::device::now_ms(), op);
    }

    /// As [`History::note`], at a time that is not the machine's.
    pub fn note_at(&mut self, terminal: &str, at_ms: i64, op: Op) {
        self.0.push(Record { terminal: terminal.to_owned(), at_ms, op });
    }

    /// How many records are of a kind.
    pub fn count(&self, of: impl Fn(&Op) -> bool) -> usize {
        self.0.iter().filter(|r| of(&r.op)).count()
    }
}

/// Writes records to a file, each with one write, so that a kill leaves whole lines.
pub struct Recorder {
    file: File,
    terminal: String,
}

impl Recorder {
    /// Appends to a file for a terminal.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path, terminal: &str) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, terminal: terminal.to_owned() })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note(&mut self, op: Op) -> Result<()> {
        let record = Record { terminal: self.terminal.clone(), at_ms: crate::device::now_ms(), op };
        let mut line = serde_json::to_string(&record)?;
        line.push('\n');
        Ok(self.file.write_all(line.as_bytes())?)
    }
}
