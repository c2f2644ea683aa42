//! The gap that a restore leaves: terminals that were enrolled after the backup are not in the store, and nobody else
//! gets what they have.
//!
//! From a restore on, new ids and new issuers of numbers begin well behind the highest that the store knows. How far is
//! a draw, so that two lives that began with the same backup do not go on with the same ones. Refuses nothing: a centre
//! that has no issuer behind the gap left gives out the highest free one before it.
use domain::ids::{Issuer, TerminalId};
use rand_core::CryptoRng;

use super::super::{meta, terminals};
use super::{FIRST_CENTRE_ISSUER, FIRST_FURTHER_ISSUER};
use crate::store::{StoreError, Tx};

/// The last number of a terminal's id that was given out, or left out by a restore.
const LAST_ID: &str = "last_terminal";
/// The last issuer that a restore left out. None: there was no restore.
const LAST_ISSUER: &str = "last_issuer_left_out";
/// Terminals that may have been enrolled since the backup, at least: as many as a city has.
const LEAST: u64 = 50;
/// Drawn on top for ids, of which there is no end.
const IDS_DRAWN: u64 = 450;
/// Drawn on top for issuers, of which there are 850.
const ISSUERS_DRAWN: u64 = 50;

/// Leaves the gap, in the transaction that begins the epoch of a restored store.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn leave<R: CryptoRng + ?Sized>(tx: &mut Tx<'_>, rng: &mut R) -> Result<(), StoreError> {
    let id = last_id(tx)?.saturating_add(LEAST + rng.next_u64() % IDS_DRAWN);
    meta::replace(tx, LAST_ID, &id.to_string())?;
    let known = terminals::all(tx)?.into_iter().map(|t| t.issuer.get());
    let highest = known.filter(|n| *n < FIRST_CENTRE_ISSUER).chain(last_issuer(tx)?).max().unwrap_or(0);
    let highest = u64::from(highest.max(FIRST_FURTHER_ISSUER - 1));
    let end = u64::from(FIRST_CENTRE_ISSUER - 1);
    let last = highest.saturating_add(LEAST + rng.next_u64() % ISSUERS_DRAWN).min(end);
    meta::replace(tx, LAST_ISSUER, &last.to_string())
}

/// The id of the next new terminal. One that came back with an id of its own does not count: what lies behind it may be
/// somebody's who has not come back yet.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn next_id(tx: &mut Tx<'_>) -> Result<TerminalId, StoreError> {
    let taken: Vec<TerminalId> = terminals::all(tx)?.into_iter().map(|t| t.id).collect();
    let last = last_id(tx)?;
    for step in 1..=taken.len() as u64 + 1 {
        let place = last.saturating_add(step);
        let id: TerminalId =
            format!("T-{place:02}").parse().map_err(|_| StoreError::Stored { what: "terminal id" })?;
        if !taken.contains(&id) {
            if meta::get(tx, LAST_ID)?.is_some() {
                meta::replace(tx, LAST_ID, &place.to_string())?;
            }
            return Ok(id);
        }
    }
    Err(StoreError::Stored { what: "terminal id" })
}

/// Issuers that a new terminal may get, the first free one of them: the station's own and then from 050 on, after a
/// restore those behind the gap first. The station's own comes last then: it may be a forgotten terminal's.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn issuers(tx: &mut Tx<'_>, own: i64) -> Result<Vec<i64>, StoreError> {
    let (first, end) = (i64::from(FIRST_FURTHER_ISSUER), i64::from(FIRST_CENTRE_ISSUER));
    Ok(match last_issuer(tx)? {
        None => std::iter::once(own).chain((first..end).filter(|n| *n != own)).collect(),
        Some(last) => {
            let last = i64::from(last);
            (last + 1..end).chain((first..=last).rev()).filter(|n| *n != own).chain([own]).collect()
        }
    })
}

/// Whether a returning terminal may go on with this issuer as far as its kind goes; whether another has it is asked
/// elsewhere.
pub(super) fn is_a_terminals(issuer: Issuer) -> bool {
    issuer.get() < FIRST_CENTRE_ISSUER
}

fn last_id(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    if let Some(text) = meta::get(tx, LAST_ID)? {
        return text.parse().map_err(|_| StoreError::Stored { what: "last terminal" });
    }
    let all = terminals::all(tx)?;
    let number = |id: &TerminalId| id.as_str().strip_prefix("T-").and_then(|n| n.parse::<u32>().ok());
    let highest = all.iter().filter_map(|t| number(&t.id)).max().map_or(0, u64::from);
    Ok(highest.max(all.len() as u64))
}

fn last_issuer(tx: &mut Tx<'_>) -> Result<Option<u16>, StoreError> {
    let text = meta::get(tx, LAST_ISSUER)?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "last issuer" })).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::fresh_in_memory;

    const OWN: i64 = 7;
    const STATION: &str =
        "INSERT INTO station (id, number, name, district, catalogue_version) VALUES ('S-1', 7, '', '', 1)";

    fn add(tx: &mut Tx<'_>, id: &str, issuer: i64) {
        let add = "INSERT INTO terminal (id, station, public_key, issuer, status, software, enrolled_at_ms)
                   VALUES ($1, 'S-1', $2, $3, 'active', '', 0)";
        let key = issuer.to_be_bytes().to_vec();
        tx.execute(add, &[id.into(), key.into(), issuer.into()]).expect("a terminal");
    }

    fn next(tx: &mut Tx<'_>) -> u64 {
        next_id(tx).expect("an id").as_str()[2..].parse().expect("a number")
    }

    #[test]
    fn a_restore_leaves_out_what_terminals_may_have_that_it_does_not_know() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        tx.execute(STATION, &[]).expect("a station");
        assert_eq!(next_id(&mut tx).expect("an id").as_str(), "T-01");
        let first = issuers(&mut tx, OWN).expect("issuers");
        assert_eq!((&first[..2], first.len()), (&[7, 50][..], 851));
        add(&mut tx, "T-01", 60);
        assert_eq!((next(&mut tx), next(&mut tx)), (2, 2));
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (mut id, mut issuer) = (1, 60);
        for round in 0..30 {
            leave(&mut tx, &mut rng).expect("left");
            let begins = next(&mut tx);
            assert!(begins > id + LEAST, "round {round}: {begins} after {id}");
            id = next(&mut tx);
            assert_eq!(id, begins + 1, "each once");
            let all = issuers(&mut tx, OWN).expect("issuers");
            assert!(all[0] >= issuer + 50 || issuer > 790, "round {round}: {} after {issuer}", all[0]);
            issuer = all[0];
            assert_eq!(all.last(), Some(&OWN), "the station's own may be a forgotten terminal's");
            let each: BTreeSet<_> = all.iter().collect();
            assert_eq!((each.len(), all.len()), (851, 851), "none is lost to the centre");
        }
    }

    #[test]
    fn one_that_came_back_leads_nobody_behind_its_id() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        tx.execute(STATION, &[]).expect("a station");
        leave(&mut tx, &mut ChaCha20Rng::seed_from_u64(1)).expect("left");
        let before = next(&mut tx);
        add(&mut tx, "T-9000", 50);
        add(&mut tx, &format!("T-{}", before + 1), 51);
        assert_eq!(next(&mut tx), before + 2);
    }

    #[test]
    fn two_lives_of_one_backup_go_on_differently() {
        let draw = |seed| {
            let mut db = fresh_in_memory().expect("fresh");
            let mut tx = Tx::new(&mut db);
            leave(&mut tx, &mut ChaCha20Rng::seed_from_u64(seed)).expect("left");
            (next(&mut tx), issuers(&mut tx, OWN).expect("issuers")[0])
        };
        let lives: Vec<_> = (0..4).map(draw).collect();
        assert!(lives.iter().any(|life| *life != lives[0]), "{lives:?}");
    }
}
