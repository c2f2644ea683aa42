//! Whether the machine's clock may be believed where something cannot be undone: erasing by age, removing old backups.
//!
//! A clock that comes back far ahead (another battery, another machine) makes everything old at once. The store remembers the
//! newest time that was plausible. What is further ahead of it waits until terminals, whose clocks are their own, say that the
//! time is right, or until an operator does. The times of cases stand still meanwhile; receipts, what people do and
//! backups never wait. Refuses to go back: a clock that is
//! behind makes nothing old.
use std::collections::BTreeMap;

use super::{audit, durability, meta};
use crate::store::{StoreError, Tx};

/// A clock that is further ahead than this of what the store saw last is not believed, in milliseconds: two days.
pub const AHEAD_MS: i64 = 2 * 24 * 3_600 * 1_000;
/// A terminal whose clock differs by less than this says that the centre's is right, in milliseconds: a day.
const NEAR_MS: i64 = 24 * 3_600 * 1_000;
/// Terminals that are heard, at most.
const MOST_HEARD: u64 = 1_000;

/// The alarm of a clock that is not believed; its subject is the time that the store saw last.
const ALARM: &str = "clock.ahead";
/// What the audit rows about the clock speak of.
const SUBJECT: &str = "clock";

/// What is to be thought of the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Plausible,
    /// Wait with what cannot be undone.
    Ahead {
        /// How far ahead of what the store saw last, milliseconds.
        by_ms: i64,
    },
}

/// Judges the machine's clock. Writes nothing.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn judge(tx: &mut Tx<'_>, now_ms: i64) -> Result<Verdict, StoreError> {
    Ok(verdict(seen(tx)?, now_ms))
}

fn verdict(seen_ms: Option<i64>, now_ms: i64) -> Verdict {
    match seen_ms.map(|seen_ms| now_ms.saturating_sub(seen_ms)) {
        Some(by_ms) if by_ms > AHEAD_MS => Verdict::Ahead { by_ms },
        _ => Verdict::Plausible,
    }
}

/// The newest plausible time; in a store that remembers none yet, when it was last given something. None of an empty one.
fn seen(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    if let Some(seen_ms) = meta::clock_seen(tx)? {
        return Ok(Some(seen_ms));
    }
    let accepted_ms = tx.query_int("SELECT COALESCE(MAX(accepted_at_ms), 0) FROM envelope", &[])?;
    let backup_ms = durability::last(tx)?.map(|backup| backup.made_at_ms);
    Ok(backup_ms.max(Some(accepted_ms)).filter(|seen_ms| *seen_ms > 0))
}

/// Judges the clock, remembers a plausible time, and raises an alarm for one that is not.
pub fn follow(tx: &mut Tx<'_>, now_ms: i64) -> Result<Verdict, StoreError> {
    let seen_ms = seen(tx)?;
    let verdict = verdict(seen_ms, now_ms);
    match (verdict, seen_ms) {
        (Verdict::Plausible, _) => meta::note_clock(tx, seen_ms.unwrap_or(now_ms).max(now_ms))?,
        (Verdict::Ahead { .. }, Some(seen_ms)) => {
            // Remembered before this clock stands on any row.
            meta::note_clock(tx, seen_ms)?;
            audit::raise_alarm(tx, now_ms, ALARM, &seen_ms.to_string(), None)?;
        }
        (Verdict::Ahead { .. }, None) => {}
    }
    Ok(verdict)
}

/// The machine's clock is right: an operator says so, or (`centre`) terminals do.
pub fn confirm(tx: &mut Tx<'_>, now_ms: i64, actor: &str) -> Result<(), StoreError> {
    meta::note_clock(tx, now_ms)?;
    let event = audit::Event { actor, event: "clock.confirmed", subject: SUBJECT, object_digest: "" };
    audit::append(tx, now_ms, event)
}

/// What a terminal's newest heartbeat says of the clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The terminal.
    pub terminal: String,
    /// Number of the heartbeat.
    pub number: u64,
    /// The centre's clock minus its own, milliseconds, as of the answer before.
    pub offset_ms: i64,
}

/// The newest heartbeats that came since a time.
pub fn heard(tx: &mut Tx<'_>, since_ms: i64) -> Result<Vec<Heard>, StoreError> {
    let rows = tx.query(
        "SELECT terminal, number_, clock_offset_ms FROM heartbeat
         WHERE at_ms >= $1 AND clock_offset_ms IS NOT NULL ORDER BY terminal LIMIT $2",
        &[since_ms.into(), MOST_HEARD.into()],
    )?;
    let read = |row: &crate::store::Row| {
        Ok(Heard { terminal: row.text(0)?.to_owned(), number: row.uint(1)?, offset_ms: row.int(2)? })
    };
    rows.iter().map(read).collect()
}

/// What terminals said since the clock is not believed. Lives in memory: after a restart they say it again.
#[derive(Debug, Default)]
pub struct Witnesses {
    since_ms: Option<i64>,
    first: BTreeMap<String, u64>,
}

impl Witnesses {
    /// From when on they are to be heard.
    pub fn since(&mut self, now_ms: i64) -> i64 {
        *self.since_ms.get_or_insert(now_ms)
    }

    /// Whether more terminals find the clock right than wrong. The first heartbeat of each does not count: what it says
    /// of the centre's clock it may have heard before that jumped.
    pub fn agree(&mut self, heard: &[Heard]) -> bool {
        let (mut right, mut wrong) = (0, 0);
        for Heard { terminal, number, offset_ms } in heard {
            if *self.first.entry(terminal.clone()).or_insert(*number) < *number {
                let near = offset_ms.saturating_abs() < NEAR_MS;
                *(if near { &mut right } else { &mut wrong }) += 1;
            }
        }
        right > wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh_in_memory;

    const NOW_MS: i64 = 1_795_500_000_000;

    #[test]
    fn a_clock_far_ahead_waits_and_is_alarmed_once_until_somebody_confirms_it() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        assert_eq!(
            follow(&mut tx, NOW_MS).expect("read"),
            Verdict::Plausible,
            "an empty store knows no time"
        );
        for (now_ms, expected) in [
            (NOW_MS + AHEAD_MS, Verdict::Plausible),
            (NOW_MS + 2 * AHEAD_MS + 1, Verdict::Ahead { by_ms: AHEAD_MS + 1 }),
            (NOW_MS + 3 * AHEAD_MS, Verdict::Ahead { by_ms: 2 * AHEAD_MS }),
            (0, Verdict::Plausible),
            (NOW_MS + 3 * AHEAD_MS, Verdict::Ahead { by_ms: 2 * AHEAD_MS }),
            (NOW_MS + 2 * AHEAD_MS, Verdict::Plausible),
            (i64::MAX, Verdict::Ahead { by_ms: i64::MAX - NOW_MS - 2 * AHEAD_MS }),
        ] {
            assert_eq!(judge(&mut tx, now_ms).expect("read"), expected, "{now_ms}");
            assert_eq!(follow(&mut tx, now_ms).expect("read"), expected, "{now_ms}");
        }
        assert_eq!(tx.query_int("SELECT COUNT(*) FROM alarm", &[]).ok(), Some(2), "one for each time");
        confirm(&mut tx, NOW_MS + 900 * AHEAD_MS, "operator").expect("confirmed");
        assert_eq!(judge(&mut tx, NOW_MS + 900 * AHEAD_MS).expect("read"), Verdict::Plausible);
    }

    #[test]
    fn terminals_confirm_a_clock_with_their_second_heartbeat() {
        let mut witnesses = Witnesses::default();
        assert_eq!((witnesses.since(5), witnesses.since(9)), (5, 5));
        let said = |terminal: &str, number, offset_ms| Heard { terminal: terminal.into(), number, offset_ms };
        assert!(!witnesses.agree(&[said("T-01", 7, 0), said("T-02", 1, 0)]), "heard before the jump");
        assert!(!witnesses.agree(&[said("T-01", 7, 0)]), "the same once more");
        assert!(
            !witnesses.agree(&[said("T-01", 8, 365 * 86_400_000), said("T-02", 2, 0)]),
            "one against one"
        );
        assert!(witnesses.agree(&[said("T-01", 9, -20_000), said("T-02", 2, 0)]));
        assert!(!witnesses.agree(&[said("T-01", 10, i64::MIN)]));
    }
}
