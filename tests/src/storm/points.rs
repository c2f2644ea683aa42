//! The named points at which a process of a storm dies, fails or is slow, and how it is told so.
//!
//! Refuses points that are not in the lists: what is not listed here is never counted as hit.
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

/// What a process must be doing so that it comes to a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Its folder is empty.
    Fresh,
    /// It starts.
    Start,
    /// It works.
    Running,
    /// It works and the centre cannot be reached.
    Offline,
    /// A citizen's whole visit, with desk and sync worker.
    Visit,
    /// It renews its catalogue.
    Update,
    /// A backup is made.
    BackUp,
    /// A backup copies an attachment.
    Copy,
    /// A backup is restored.
    Restore,
    /// Content over its time is erased.
    Erase,
    /// Receipts are shown to a restored centre.
    Offer,
    /// A terminal that a restored centre has forgotten is enrolled again.
    Return,
    /// Pages are captured, sent and taken in.
    Pages,
}

/// A named point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its name in the code.
    pub name: &'static str,
    /// When it is reached.
    pub when: When,
    /// It can give an error, not only kill or wait.
    pub fails: bool,
}

const fn point(name: &'static str, when: When, fails: bool) -> Point {
    Point { name, when, fails }
}

/// Points of the terminal, in the order of a submission's walk.
pub const TERMINAL: &[Point] = &[
    point("terminal::open::before_migration_commit", When::Fresh, true),
    point("terminal::open::before_rename", When::Fresh, true),
    point("terminal::open::after_rename", When::Fresh, true),
    point("terminal::enrol::before_exchange", When::Fresh, true),
    point("terminal::enrol::before_commit", When::Fresh, true),
    point("terminal::open::after_key", When::Start, true),
    point("terminal::open::before_migrate", When::Start, true),
    point("terminal::draft::after_row", When::Running, true),
    point("terminal::draft::after_commit", When::Running, false),
    point("terminal::draft::before_erase", When::Running, true),
    point("terminal::draft::after_erase", When::Running, false),
    point("terminal::submit::after_begin", When::Running, true),
    point("terminal::submit::after_place", When::Running, true),
    point("terminal::submit::after_outbox", When::Running, true),
    point("terminal::submit::after_draft", When::Running, true),
    point("terminal::submit::before_commit", When::Running, true),
    point("terminal::submit::after_commit", When::Running, false),
    point("terminal::desk::before_slip", When::Visit, false),
    point("terminal::desk::after_slip", When::Visit, false),
    point("terminal::sync::before_step", When::Visit, false),
    point("terminal::sync::after_step", When::Visit, false),
    point("terminal::send::before_exchange", When::Running, true),
    point("terminal::send::after_exchange", When::Running, true),
    point("terminal::send::before_receipt", When::Running, true),
    point("terminal::outbox::before_send_failed", When::Offline, true),
    point("terminal::receipt::before_commit", When::Running, true),
    point("terminal::receipt::after_commit", When::Running, false),
    point("terminal::send::after_receipts", When::Running, true),
    point("terminal::contact::before_commit", When::Running, true),
    point("terminal::contact::after_commit", When::Running, false),
    point("terminal::changes::before_exchange", When::Running, true),
    point("terminal::changes::after_exchange", When::Running, true),
    point("terminal::news::before_case", When::Running, true),
    point("terminal::news::after_case", When::Running, true),
    point("terminal::cursor::before_move", When::Running, true),
    point("terminal::cursor::before_store", When::Running, true),
];

/// Points of the server, in the order of an envelope's walk.
pub const SERVER: &[Point] = &[
    point("server::migrate::before_commit", When::Fresh, true),
    point("server::start::after_migrate", When::Start, true),
    point("server::start::before_bind", When::Start, true),
    point("server::start::after_keys", When::Start, true),
    point("server::start::after_publish", When::Start, true),
    point("server::batch::after_check", When::Running, true),
    point("server::batch::after_queue", When::Running, false),
    point("server::writer::after_begin", When::Running, true),
    point("server::intake::before_insert", When::Running, true),
    point("server::intake::after_insert", When::Running, true),
    point("server::intake::after_case", When::Running, true),
    point("server::writer::before_commit", When::Running, true),
    point("server::writer::after_commit", When::Running, false),
    point("server::batch::after_commit", When::Running, true),
    point("server::batch::before_series", When::Running, true),
    point("server::batch::before_answer", When::Running, true),
    point("server::job::after_read", When::Running, true),
    point("server::job::before_write", When::Running, true),
    point("server::job::after_action", When::Running, true),
    point("server::job::after_write", When::Running, false),
    point("server::changes::before_answer", When::Running, true),
];

/// Points of the terminal where a new catalogue is staged and put into force.
pub const CATALOGUE: &[Point] = &[
    point("terminal::catalogue::after_stage", When::Update, true),
    point("terminal::catalogue::before_commit", When::Update, true),
    point("terminal::catalogue::after_commit", When::Update, false),
];

/// Points of backups, restores, erasures and of what terminals offer after a restore; each with a test of its own.
pub const SAFETY: &[Point] = &[
    point("server::backup::before_read_back", When::Copy, true),
    point("server::backup::after_write", When::BackUp, true),
    point("server::backup::after_verify", When::BackUp, true),
    point("server::backup::after_blobs", When::BackUp, true),
    point("server::backup::after_name", When::BackUp, true),
    point("server::backup::after_note", When::BackUp, true),
    point("server::restore::after_mark", When::Restore, true),
    point("server::restore::before_commit", When::Restore, true),
    point("server::restore::after_rows", When::Restore, true),
    point("server::restore::after_blobs", When::Restore, true),
    point("server::restore::after_replay", When::Restore, true),
    point("server::restore::after_keep", When::Restore, true),
    point("server::restore::before_epoch", When::Restore, true),
    point("server::restore::after_epoch", When::Restore, true),
    point("server::erasure::after_journal", When::Erase, true),
    point("terminal::offer::before_exchange", When::Offer, true),
    point("terminal::offer::before_commit", When::Offer, true),
    point("terminal::return::before_commit", When::Return, true),
];

/// Points of pages on their way from the terminal's disk to the centre's.
pub const PAGES: &[Point] = &[
    point("terminal::page::after_file", When::Pages, true),
    point("terminal::page::after_row", When::Pages, true),
    point("terminal::page::before_exchange", When::Pages, true),
    point("terminal::page::after_exchange", When::Pages, true),
    point("terminal::page::after_sent", When::Pages, true),
    point("server::blob::before_keep", When::Pages, true),
    point("server::blob::after_keep", When::Pages, true),
    point("server::blob::after_arrived", When::Pages, true),
    point("server::blob::after_commit", When::Pages, true),
];

/// Points at which a storm kills: all of the terminal (`terminal::`) or of the server (`server::`), pages included.
pub fn of_storm(side: &str) -> Vec<Point> {
    let all = TERMINAL.iter().chain(SERVER).chain(PAGES);
    all.filter(|p| p.name.starts_with(side)).copied().collect()
}

/// The point with this name.
///
/// # Errors
/// If there is none.
pub fn named(name: &str) -> Result<Point> {
    let mut all = TERMINAL.iter().chain(SERVER).chain(CATALOGUE).chain(SAFETY).chain(PAGES);
    all.find(|p| p.name == name).copied().ok_or_else(|| anyhow!("there is no point {name}"))
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The thread stands still this long, milliseconds, while the others go on; then the process is killed (SIGKILL).
    Kill(u64),
    /// The step fails as if the disk were full, once.
    Fail,
    /// Every passage takes this long, milliseconds.
    Wait(u64),
}

/// What a process is told: at the n-th passage of this point, do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Where.
    pub point: Point,
    /// At which passage, from 1.
    pub nth: u32,
    /// What.
    pub action: Action,
}

impl Plan {
    /// Makes it so in this process.
    ///
    /// # Errors
    /// If the point cannot do that.
    pub fn arm(self) -> Result<()> {
        let name = self.point.name;
        let said = match self.action {
            Action::Fail if !self.point.fails => bail!("{name} cannot fail"),
            Action::Fail if self.nth > 1 => fail::cfg(name, &format!("{}*off->1*return->off", self.nth - 1)),
            Action::Fail => fail::cfg(name, "1*return->off"),
            Action::Wait(ms) => fail::cfg(name, &format!("sleep({ms})")),
            Action::Kill(ms) => {
                let passages = AtomicU32::new(0);
                fail::cfg_callback(name, move || {
                    if passages.fetch_add(1, Ordering::SeqCst) + 1 == self.nth {
                        die(ms);
                    }
                })
            }
        };
        said.map_err(|e| anyhow!("{name}: {e}"))
    }
}

/// Ends this process as `kill -9` does, after this thread stood still; nothing runs after it.
fn die(ms: u64) {
    let end = Instant::now() + Duration::from_millis(ms);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
        std::thread::park_timeout(left);
    }
    let own = rustix::process::getpid();
    if rustix::process::kill_process(own, rustix::process::Signal::KILL).is_err() {
        std::process::abort();
    }
    loop {
        std::thread::park();
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Kill(ms) => format!("kill{ms}"),
            Action::Fail => "fail".to_owned(),
            Action::Wait(ms) => format!("wait{ms}"),
        };
        write!(f, "{}@{}={action}", self.point.name, self.nth)
    }
}

impl FromStr for Plan {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (place, action) = text.split_once('=').context("point@nth=action")?;
        let (name, nth) = place.split_once('@').context("point@nth=action")?;
        let action = match (action.strip_prefix("wait"), action.strip_prefix("kill")) {
            (Some(ms), _) => Action::Wait(ms.parse()?),
            (_, Some(ms)) => Action::Kill(ms.parse()?),
            _ if action == "fail" => Action::Fail,
            _ => bail!("no action {action}"),
        };
        Ok(Self { point: named(name)?, nth: nth.parse()?, action })
    }
}
