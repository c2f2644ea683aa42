//! What terminals say of themselves, and what follows from it for the rollout in hand.
use domain::envelope::Digest;
use domain::wire::v1::{DeviceReport, Heartbeat, MAX_DEVICE_CHARS, MAX_DEVICES, MAX_FAILURES};

use super::course::State;
use super::{rows, steps};
use crate::error::ServiceError;
use crate::services::audit;
use crate::store::{StoreError, Tx, Value};

/// The longest text that names a program, in characters.
const MAX_PROGRAM_CHARS: usize = 40;

/// From this share of a terminal's disk on somebody has to look, percent.
const FILLING_PERCENT: u8 = 70;
/// From this share on it takes text only, percent.
const TEXT_ONLY_PERCENT: u8 = 95;

/// What became of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It was written down.
    New {
        /// The rollout went on or halted by it.
        moved: bool,
    },
    /// It is not newer than the last one: nothing was changed.
    Old,
}

/// Takes in a heartbeat whose signature was checked.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn hear(tx: &mut Tx<'_>, now_ms: i64, heartbeat: &Heartbeat) -> Result<Heard, ServiceError> {
    let id = heartbeat.terminal.as_str();
    let known = tx.query_first("SELECT number_ FROM heartbeat WHERE terminal = $1", &[id.into()])?;
    if known.map(|row| row.uint(0)).transpose()?.is_some_and(|number| number >= heartbeat.number) {
        return Ok(Heard::Old);
    }
    keep(tx, now_ms, heartbeat)?;
    alarm_if_full(tx, now_ms, heartbeat)?;
    if let Some(count) = heartbeat.aside {
        // Each one that comes to it is another alarm.
        let which = Digest::of(&count.to_be_bytes());
        audit::raise_alarm(tx, now_ms, "terminal.store-aside", heartbeat.terminal.as_str(), Some(&which))?;
    }
    let told = note_progress(tx, now_ms, heartbeat)?;
    let moved = told && steps::advance(tx, now_ms)?;
    Ok(Heard::New { moved })
}

fn keep(tx: &mut Tx<'_>, now_ms: i64, heartbeat: &Heartbeat) -> Result<(), StoreError> {
    let failures = &heartbeat.failures[..heartbeat.failures.len().min(MAX_FAILURES)];
    let failures = serde_json::to_string(failures)
        .map_err(|_| StoreError::Stored { what: "failures of a heartbeat" })?;
    let program = short(&heartbeat.program, MAX_PROGRAM_CHARS);
    let devices: Vec<DeviceReport> = heartbeat.devices.iter().take(MAX_DEVICES).cloned().map(named).collect();
    let devices =
        serde_json::to_string(&devices).map_err(|_| StoreError::Stored { what: "devices of a heartbeat" })?;
    tx.execute(
        "INSERT INTO heartbeat (terminal, number_, at_ms, catalogue, order_, failures, program, queued, oldest_ms,
             parked, disk_free, clock_offset_ms, devices)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (terminal) DO UPDATE SET number_ = $2, at_ms = $3, catalogue = $4, order_ = $5, failures = $6,
             program = $7, queued = $8, oldest_ms = $9, parked = $10, disk_free = $11, clock_offset_ms = $12,
             devices = $13",
        &[
            heartbeat.terminal.as_str().into(),
            heartbeat.number.into(),
            now_ms.into(),
            heartbeat.catalogue.into(),
            heartbeat.order.into(),
            failures.into(),
            program.into(),
            heartbeat.queued.into(),
            heartbeat.oldest_ms.into(),
            heartbeat.parked.into(),
            heartbeat.disk_free.into(),
            heartbeat.clock_offset_ms.into(),
            devices.into(),
        ],
    )?;
    Ok(())
}

/// A text that a terminal said of itself, without what does not belong into a line.
fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

fn named(device: DeviceReport) -> DeviceReport {
    DeviceReport { device: short(&device.device, MAX_DEVICE_CHARS), ..device }
}

/// A disk that fills up is looked at before the terminal takes no attachments any more.
fn alarm_if_full(tx: &mut Tx<'_>, now_ms: i64, heartbeat: &Heartbeat) -> Result<(), StoreError> {
    let kind = match heartbeat.disk_percent {
        Some(TEXT_ONLY_PERCENT..) => "terminal.disk-text-only",
        Some(FILLING_PERCENT..) => "terminal.disk-filling",
        _ => return Ok(()),
    };
    audit::raise_alarm(tx, now_ms, kind, heartbeat.terminal.as_str(), None)
}

/// Notes that a terminal of the rollout in hand has the version, or cannot have it; says whether that was news.
fn note_progress(tx: &mut Tx<'_>, now_ms: i64, heartbeat: &Heartbeat) -> Result<bool, StoreError> {
    let Some(rollout) = rows::latest(tx)? else { return Ok(false) };
    if matches!(rollout.course.state, State::RolledBack) {
        return Ok(false);
    }
    let Some(member) = rows::member(tx, rollout.id, &heartbeat.terminal)? else { return Ok(false) };
    let key: [Value; 3] = [rollout.id.into(), heartbeat.terminal.as_str().into(), now_ms.into()];
    if heartbeat.catalogue == rollout.version {
        if !member.adopted {
            tx.execute(
                "UPDATE rollout_terminal SET adopted_ms = $3, failed_ms = NULL, failure = ''
                 WHERE rollout = $1 AND terminal = $2",
                &key,
            )?;
        }
        return Ok(!member.adopted);
    }
    let failure = heartbeat.failures.iter().take(MAX_FAILURES).find(|f| f.version == rollout.version);
    let Some(failure) = failure.filter(|f| u64::from(f.tries) > member.tries) else { return Ok(false) };
    let [id, terminal, at] = key;
    tx.execute(
        "UPDATE rollout_terminal SET failed_ms = $3, failure = $4, tries = $5 WHERE rollout = $1 AND terminal = $2",
        &[id, terminal, at, failure.kind.as_str().into(), u64::from(failure.tries).into()],
    )?;
    Ok(true)
}
