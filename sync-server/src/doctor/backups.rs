//! What the doctor says of backups: how old the newest verified one is; and whether the clock by which old ones are removed
//! is believed.
use operator::findings::{Finding, span};

use crate::services::clock_guard::{self, Verdict};
use crate::services::durability;
use crate::store::{StoreError, Tx};

/// A newest backup older than this is a failure, in milliseconds: a day and two hours.
const OLD_MS: i64 = 26 * 3_600 * 1_000;
const SUBJECT: &str = "backup";

/// Looks at the newest verified backup; `by_itself` says that the server makes them by the clock.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn examine(tx: &mut Tx<'_>, by_itself: bool, now_ms: i64) -> Result<Finding, StoreError> {
    let remedy = if by_itself {
        "see the log of the server, or run `sync-server backup` and read what it says"
    } else {
        "name a folder on another disk with `backup`, or run `sync-server backup --to DIR` every day"
    };
    if let Some(last) = durability::last(tx)? {
        let age_ms = now_ms.saturating_sub(last.made_at_ms);
        let found =
            format!("the newest verified one is {} old, up to envelope {}", span(age_ms), last.server_seq);
        return Ok(if age_ms > OLD_MS {
            Finding::fail(SUBJECT, found, remedy)
        } else {
            Finding::ok(SUBJECT, found)
        });
    }
    let found = "there is none; terminals keep everything that they sent";
    let since_ms = now_ms.saturating_sub(durability::first_accepted_ms(tx, now_ms)?);
    Ok(if since_ms > OLD_MS { Finding::warn(SUBJECT, found, remedy) } else { Finding::ok(SUBJECT, found) })
}

/// Whether the machine's clock is believed where something cannot be undone.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn examine_clock(tx: &mut Tx<'_>, now_ms: i64) -> Result<Finding, StoreError> {
    const SUBJECT: &str = "clock-ahead";
    Ok(match clock_guard::judge(tx, now_ms)? {
        Verdict::Plausible => Finding::ok(SUBJECT, "the clock goes on from what the store saw last"),
        Verdict::Ahead { by_ms } => Finding::warn(
            SUBJECT,
            format!(
                "the clock is {} ahead of what the store saw last: nothing is erased, no old backup is removed and \
                 no time of a case runs out",
                span(by_ms)
            ),
            "set the clock (`timedatectl set-ntp true`); if it is right, wait half an hour for terminals to say so, or run \
             `sync-server confirm-clock`",
        ),
    })
}

#[cfg(test)]
mod tests {
    use domain::ids::EnvelopeId;
    use operator::findings::Level;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::durability::Backup;
    use crate::services::meta;
    use crate::store::fresh_in_memory;

    #[test]
    fn a_clock_far_ahead_is_told_with_what_to_do() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        clock_guard::follow(&mut tx, 1_000).expect("noted");
        for (now_ms, level) in
            [(1_000 + clock_guard::AHEAD_MS, Level::Ok), (1_001 + clock_guard::AHEAD_MS, Level::Warn)]
        {
            let found = examine_clock(&mut tx, now_ms).expect("read");
            assert_eq!(found.level, level, "{found:?}");
            assert_eq!(found.remedy.is_empty(), level == Level::Ok);
        }
    }

    #[test]
    fn a_backup_of_yesterday_is_well_and_an_older_one_is_not() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let epoch = meta::epoch(&mut tx, &mut rng).expect("made");
        let none = examine(&mut tx, false, OLD_MS * 9).expect("read");
        assert_eq!(none.level, Level::Ok, "nothing was sent yet");
        assert!(none.found.contains("there is none"));
        let backup = Backup { made_at_ms: 1_000, id: EnvelopeId::new(1, &mut rng), server_seq: 4, epoch };
        durability::note(&mut tx, 1_000, &backup, backup.server_seq).expect("noted");
        for (now_ms, level) in [(1_000 + OLD_MS, Level::Ok), (1_001 + OLD_MS, Level::Fail)] {
            let found = examine(&mut tx, true, now_ms).expect("read");
            assert_eq!(found.level, level, "{found:?}");
            assert_eq!(found.remedy.is_empty(), level == Level::Ok);
        }
    }
}
