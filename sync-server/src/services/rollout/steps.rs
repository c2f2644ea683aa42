//! Beginning a rollout, what it does by itself, and what people do with it.
use domain::catalogue::Ring;
use domain::ids::TerminalId;

use super::course::{Course, Outcome, State, Step};
use super::rows::{self, Rollout};
use super::{orders, rings};
use crate::error::ServiceError;
use crate::services::{audit, item_history};
use crate::store::{StoreError, Tx};

/// Terminals of a rollout, at most.
const MAX_TERMINALS: u64 = 10_000;
/// Characters of a reason, at most.
const MAX_REASON_CHARS: usize = 200;
/// Who takes steps that follow by themselves.
const BY_ITSELF: &str = "centre";

/// Why somebody takes a step: one line, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// What somebody typed, without blanks around it; none if it is empty, too long or has control characters.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        let good =
            (1..=MAX_REASON_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        good.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A step that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// There is no rollout.
    #[error("there is no rollout")]
    Unknown,
    /// Somebody else was quicker, or it went on by itself.
    #[error("the rollout stands otherwise than when it was looked at: look again")]
    Changed,
    /// Nothing was signed to go back to.
    #[error(
        "no way back was signed for catalogue version {version}: see `sync-server catalogue sign --help`"
    )]
    NoWayBack {
        /// The version.
        version: u64,
    },
    /// A rollout is under way.
    #[error("the rollout of catalogue version {version} is under way: halt it, or wait for its end")]
    UnderWay {
        /// Its version.
        version: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for StepError {
    fn from(e: StoreError) -> Self {
        Self::Service(e.into())
    }
}

/// What shall be rolled out.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The version; the centre has it already.
    pub version: u64,
    /// The version with the content before, if one was signed.
    pub way_back: Option<u64>,
    /// The rings, as the version itself names them; none for all terminals at once.
    pub rings: Vec<Ring>,
    /// It goes back by itself when it halts by itself.
    pub back_by_itself: bool,
    /// Who goes first.
    pub pilots: Vec<TerminalId>,
}

/// Says that terminals run a version already, where nothing was ever rolled out; says whether that was so.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn settle(tx: &mut Tx<'_>, now_ms: i64, version: u64) -> Result<bool, StoreError> {
    if rows::latest(tx)?.is_some() {
        return Ok(false);
    }
    let begin = Begin { version, way_back: None, rings: vec![], back_by_itself: false, pilots: vec![] };
    insert(tx, now_ms, (BY_ITSELF, &begin), None)?;
    Ok(true)
}

/// Begins the rollout of a version at its first ring; the first version ever goes to all, as does one without rings. A
/// version whose rollout began before stays where it is. Says whether it began now.
///
/// # Errors
/// [`StepError::UnderWay`] while another one is, or the store's.
pub fn begin(tx: &mut Tx<'_>, now_ms: i64, actor: &str, begin: &Begin) -> Result<bool, StepError> {
    if rows::of_version(tx, begin.version)?.is_some() {
        return Ok(false);
    }
    let Some(last) = rows::latest(tx)? else { return Ok(settle(tx, now_ms, begin.version)?) };
    if last.is_under_way() {
        return Err(StepError::UnderWay { version: last.version });
    }
    insert(tx, now_ms, (actor, begin), Some(&last))?;
    advance(tx, now_ms)?;
    Ok(true)
}

/// Writes a rollout that begins now, with the ring of each terminal; without rings it is done.
fn insert(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, begin): (&str, &Begin),
    last: Option<&Rollout>,
) -> Result<(), StoreError> {
    let mut course = Course::begin(begin.rings.clone(), now_ms);
    let at_once = course.rings.is_empty();
    if at_once {
        course.state = State::Done;
    }
    let rollout = Rollout {
        id: last.map_or(1, |last| last.id + 1),
        version: begin.version,
        way_back: begin.way_back,
        before: last.map_or(0, Rollout::settled),
        back_by_itself: begin.back_by_itself,
        course,
        began_ms: now_ms,
        changed_ms: now_ms,
    };
    rows::insert(tx, &rollout)?;
    orders::raise(tx, now_ms)?;
    note(tx, now_ms, &rollout, (actor, if at_once { Step::Finish } else { Step::Begin }), "")?;
    if at_once {
        return Ok(());
    }
    for (terminal, ring) in rings::assign(&begin.rings, begin.version, active(tx)?, &begin.pilots) {
        tx.execute(
            "INSERT INTO rollout_terminal (rollout, terminal, ring, failure, tries) VALUES ($1, $2, $3, '', 0)",
            &[rollout.id.into(), terminal.as_str().into(), (ring as u64).into()],
        )?;
    }
    Ok(())
}

/// Terminals that may send, in the order of their ids.
fn active(tx: &mut Tx<'_>) -> Result<Vec<TerminalId>, StoreError> {
    let sql = "SELECT id FROM terminal WHERE status = 'active' ORDER BY id LIMIT $1";
    tx.query(sql, &[MAX_TERMINALS.into()])?.iter().map(|row| row.parsed(0)).collect()
}

/// Those of some terminals that cannot go first: they are not enrolled, or may no longer send.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn no_pilots(tx: &mut Tx<'_>, named: &[TerminalId]) -> Result<Vec<TerminalId>, StoreError> {
    let active = active(tx)?;
    Ok(named.iter().filter(|id| !active.contains(id)).cloned().collect())
}

/// Whether a new rollout may begin.
///
/// # Errors
/// [`StepError::UnderWay`] if not, or the store's.
pub fn may_begin(tx: &mut Tx<'_>, version: u64) -> Result<(), StepError> {
    match rows::latest(tx)? {
        Some(last) if last.is_under_way() && last.version != version => {
            Err(StepError::UnderWay { version: last.version })
        }
        _ => Ok(()),
    }
}

/// Whether a rollout would go on or halt by itself now; only reads.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn is_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<bool, StoreError> {
    let Some(rollout) = rows::latest(tx)?.filter(|r| r.course.state == State::Running) else {
        return Ok(false);
    };
    let count = rows::count(tx, &rollout, rollout.course.ring)?;
    Ok(rollout.course.judge(count, now_ms) != Outcome::Wait)
}

/// Lets a rollout go on or halt by itself, as far as it goes; says whether anything changed.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn advance(tx: &mut Tx<'_>, now_ms: i64) -> Result<bool, ServiceError> {
    let Some(mut rollout) = rows::latest(tx)? else { return Ok(false) };
    let mut changed = false;
    // Each turn begins a ring or ends it all.
    for _ in 0..=rollout.course.rings.len() {
        if rollout.course.state != State::Running {
            break;
        }
        let count = rows::count(tx, &rollout, rollout.course.ring)?;
        let (step, reason) = match rollout.course.judge(count, now_ms) {
            Outcome::Wait => break,
            Outcome::RingDone if rollout.course.is_last_ring() => (Step::Finish, ""),
            Outcome::RingDone => (Step::NextRing, ""),
            Outcome::Halt(why) => (Step::Halt, why.as_str()),
        };
        rollout = take(tx, now_ms, rollout, (BY_ITSELF, step), reason)?;
        if step == Step::Halt && rollout.back_by_itself && rollout.way_back.is_some() {
            rollout = take(tx, now_ms, rollout, (BY_ITSELF, Step::RollBack), reason)?;
        }
        changed = true;
    }
    Ok(changed)
}

/// Takes a step that somebody asked for, if the rollout still stands as it was seen.
///
/// # Errors
/// [`StepError`]
pub fn take_step(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, step): (&str, Step),
    (id, seen_ms): (u64, i64),
    reason: &Reason,
) -> Result<(), StepError> {
    let rollout = rows::latest(tx)?.ok_or(StepError::Unknown)?;
    if rollout.id != id || rollout.changed_ms != seen_ms {
        return Err(StepError::Changed);
    }
    if step == Step::RollBack && rollout.way_back.is_none() {
        return Err(StepError::NoWayBack { version: rollout.version });
    }
    if !rollout.course.may(step, rollout.way_back.is_some()) {
        return Err(StepError::Changed);
    }
    let halted = rollout.course.state == State::Halted;
    let (id, ring) = (rollout.id, rollout.course.ring as u64);
    take(tx, now_ms, rollout, (actor, step), reason.as_str())?;
    if halted && step == Step::GoOn {
        // What was said before counts no longer; whoever fails again says so again.
        tx.execute(
            "UPDATE rollout_terminal SET failed_ms = NULL, failure = '' WHERE rollout = $1 AND ring = $2",
            &[id.into(), ring.into()],
        )?;
    }
    advance(tx, now_ms)?;
    Ok(())
}

fn take(
    tx: &mut Tx<'_>,
    now_ms: i64,
    rollout: Rollout,
    by: (&str, Step),
    reason: &str,
) -> Result<Rollout, StoreError> {
    // Two steps of one moment must not look alike to whoever saw the first.
    let changed_ms = now_ms.max(rollout.changed_ms + 1);
    let rollout = Rollout { course: rollout.course.after(by.1, now_ms), changed_ms, ..rollout };
    rows::update(tx, &rollout)?;
    if let (Step::RollBack, Some(way_back)) = (by.1, rollout.way_back) {
        item_history::note_stored(tx, now_ms, way_back)?;
    }
    orders::raise(tx, now_ms)?;
    note(tx, now_ms, &rollout, by, reason)?;
    Ok(rollout)
}

/// Writes down who did what, in the history and in the chain of audit rows.
fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    rollout: &Rollout,
    (actor, step): (&str, Step),
    reason: &str,
) -> Result<(), StoreError> {
    let id = tx.take_next_in("rollout_step", "id")?;
    tx.execute(
        "INSERT INTO rollout_step (id, rollout, at_ms, actor, step, ring, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            id.into(),
            rollout.id.into(),
            now_ms.into(),
            actor.into(),
            step.as_str().into(),
            (rollout.course.ring as u64).into(),
            reason.into(),
        ],
    )?;
    let (event, subject) = (format!("rollout.{}", step.as_str()), rollout.version.to_string());
    audit::append(tx, now_ms, audit::Event { actor, event: &event, subject: &subject, object_digest: "" })
}
