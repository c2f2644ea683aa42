//! What the centre knows about itself: its epoch, and which keys belong to its store.
use domain::ids::ServerEpoch;
use rand_core::CryptoRng;

use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

const EPOCH: &str = "server_epoch";
const KEYS: &str = "key_fingerprint";
const AUTHORITY: &str = "authority_fingerprint";
/// Names of the fingerprints of year keys begin with this, and end before [`YEAR_KEYS_END`].
const YEAR_KEYS: &str = "key_fingerprint.";
const YEAR_KEYS_END: &str = "key_fingerprint/";
/// Year keys that are read, at most.
const MAX_YEAR_KEYS: u64 = 500;
const MOVED_TO: &str = "moved_to";
const MOVING_FROM: &str = "moving_from";
const RESTORED: &str = "restored";
const CLOCK_SEEN: &str = "clock_seen_ms";
const SAMPLE_DATA: &str = "sample_data";
const ORDER_NUMBER: &str = "order_number";
/// Names of ends of earlier epochs begin with this.
const EPOCH_ENDED: &str = "epoch_ended.";

/// The store was written with other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherKeys;

/// The epoch of the store, made at the first start.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn epoch<R: CryptoRng>(tx: &mut Tx<'_>, rng: &mut R) -> Result<ServerEpoch, ServiceError> {
    if let Some(epoch) = known_epoch(tx)? {
        return Ok(epoch);
    }
    let epoch = ServerEpoch::new(rng);
    put(tx, EPOCH, &epoch.to_string())?;
    Ok(epoch)
}

/// The epoch of the store, if it has one yet.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn known_epoch(tx: &mut Tx<'_>) -> Result<Option<ServerEpoch>, StoreError> {
    let text = get(tx, EPOCH)?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "server epoch" })).transpose()
}

/// Begins a new epoch after a restore, and notes at which row of the audit chain the one before ended.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn begin_epoch<R: CryptoRng>(
    tx: &mut Tx<'_>,
    audit_seq: u64,
    rng: &mut R,
) -> Result<ServerEpoch, StoreError> {
    if let Some(before) = known_epoch(tx)? {
        replace(tx, &ended_name(&before), &audit_seq.to_string())?;
    }
    let epoch = ServerEpoch::new(rng);
    replace(tx, EPOCH, &epoch.to_string())?;
    Ok(epoch)
}

/// Under which name the end of an epoch is noted.
pub(super) fn ended_name(epoch: &ServerEpoch) -> String {
    format!("{EPOCH_ENDED}{epoch}")
}

/// Binds the store to its keys at the first start, and compares ever after.
///
/// # Errors
/// [`ServiceError`] if the store fails; the inner result says whether the keys are the right ones.
pub fn bind_keys(tx: &mut Tx<'_>, fingerprint: &str) -> Result<Result<(), OtherKeys>, ServiceError> {
    Ok(bind(tx, KEYS, fingerprint)?)
}

/// Binds the store to the authority whose certificates its terminals have, and compares ever after.
///
/// # Errors
/// [`StoreError`] if the store fails; the inner result says whether it is the right one.
pub fn bind_authority(tx: &mut Tx<'_>, fingerprint: &str) -> Result<Result<(), OtherKeys>, StoreError> {
    bind(tx, AUTHORITY, fingerprint)
}

/// The fingerprint of the authority that the store is bound to, if it is.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn authority(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, AUTHORITY)
}

/// Whether the store was bound to keys before, so that a missing key file is a loss and not a first start.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn has_keys(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(get(tx, KEYS)?.is_some())
}

/// Binds the store to the key of a year in the transaction that first uses it, and compares ever after.
///
/// # Errors
/// [`StoreError`] if the store fails; the inner result says whether the key is the right one.
pub fn bind_year_key(
    tx: &mut Tx<'_>,
    key_id: &str,
    fingerprint: &str,
) -> Result<Result<(), OtherKeys>, StoreError> {
    bind(tx, &format!("{YEAR_KEYS}{key_id}"), fingerprint)
}

/// The fingerprint of the keys that the store is bound to, if it is.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn fingerprint(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, KEYS)
}

/// Ids of the year keys that the store is bound to, each with its fingerprint.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn year_keys(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let id = |name: &str| name.strip_prefix(YEAR_KEYS).unwrap_or_default().to_owned();
    let found = facts_between(tx, (YEAR_KEYS, YEAR_KEYS_END), MAX_YEAR_KEYS)?;
    Ok(found.into_iter().map(|(name, fingerprint)| (id(&name), fingerprint)).collect())
}

/// Facts whose names lie between two, each with its name, in their order.
pub(super) fn facts_between(
    tx: &mut Tx<'_>,
    (after, before): (&str, &str),
    limit: u64,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT name, value FROM meta WHERE name > $1 AND name < $2 ORDER BY name LIMIT $3";
    let rows = tx.query(sql, &[after.into(), before.into(), limit.into()])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_owned(), r.text(1)?.to_owned()))).collect()
}

/// Number of the newest order to terminals; 0 if there was none.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn order_number(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let text = get(tx, ORDER_NUMBER)?;
    text.map_or(Ok(0), |t| t.parse().map_err(|_| StoreError::Stored { what: "order number" }))
}

/// What is ordered to terminals has changed: the next number is the newest. It is at least the time, so that a centre
/// that was restored from a backup does not give out numbers that terminals have seen.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn raise_order_number(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    let time = u64::try_from(now_ms).unwrap_or(0);
    let next = order_number(tx)?.saturating_add(1).max(time).to_string();
    replace(tx, ORDER_NUMBER, &next)
}

/// What the last restore noted of itself, if there was one.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn restored(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, RESTORED)
}

/// Notes a restore in its last transaction.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_restored(tx: &mut Tx<'_>, text: &str) -> Result<(), StoreError> {
    replace(tx, RESTORED, text)
}

/// The newest time at which the machine's clock was plausible, milliseconds since 1970; none before the first.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn clock_seen(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let text = get(tx, CLOCK_SEEN)?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "time" })).transpose()
}

/// Notes that the machine's clock is plausible.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_clock(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    replace(tx, CLOCK_SEEN, &now_ms.to_string())
}

/// Where the store was moved, if it was.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn moved_to(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, MOVED_TO)
}

/// Refuses to write to a store that was moved while this server ran.
///
/// # Errors
/// [`StoreError::Moved`], or the store's.
pub fn refuse_moved(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    match moved_to(tx)? {
        None => Ok(()),
        Some(_) => Err(StoreError::Moved),
    }
}

/// Where rows are on their way from, if a move to this store was begun and not ended.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn moving_from(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, MOVING_FROM)
}

/// Writes down that rows are on their way here, so that nobody begins a new centre on a store without them.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn mark_moving(tx: &mut Tx<'_>, from: &str) -> Result<(), StoreError> {
    end_moving(tx)?;
    put(tx, MOVING_FROM, from)
}

/// All rows are here.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn end_moving(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    remove(tx, MOVING_FROM)
}

/// Writes down that the store lives elsewhere from now on.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn mark_moved(tx: &mut Tx<'_>, to: &str) -> Result<(), StoreError> {
    put(tx, MOVED_TO, to)
}

fn bind(tx: &mut Tx<'_>, name: &str, fingerprint: &str) -> Result<Result<(), OtherKeys>, StoreError> {
    match get(tx, name)? {
        Some(known) => Ok(if known == fingerprint { Ok(()) } else { Err(OtherKeys) }),
        None => put(tx, name, fingerprint).map(Ok),
    }
}

/// Which sample data was loaded, if any was.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn sample_data(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    get(tx, SAMPLE_DATA)
}

/// Notes which sample data is loaded.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_sample_data(tx: &mut Tx<'_>, what: &str) -> Result<(), StoreError> {
    replace(tx, SAMPLE_DATA, what)
}

/// Reads a fact.
pub(super) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let row = tx.query_first("SELECT value FROM meta WHERE name = $1", &[name.into()])?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

/// Writes a fact, in the place of what was known before.
pub(super) fn replace(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
        &[name.into(), value.into()],
    )?;
    Ok(())
}

/// Forgets a fact.
pub(super) fn remove(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM meta WHERE name = $1", &[name.into()]).map(|_| ())
}

fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", &[name.into(), value.into()]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn the_epoch_stays_and_other_keys_are_noticed() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let first = epoch(&mut tx, &mut ChaCha20Rng::seed_from_u64(1)).expect("made");
        assert_eq!(epoch(&mut tx, &mut ChaCha20Rng::seed_from_u64(2)).expect("kept"), first);
        assert!(!has_keys(&mut tx).expect("read"));
        assert_eq!(bind_keys(&mut tx, "a").expect("bound"), Ok(()));
        assert_eq!(bind_keys(&mut tx, "a").expect("bound"), Ok(()));
        assert_eq!(bind_keys(&mut tx, "b").expect("bound"), Err(OtherKeys));
        for (id, fingerprint, expected) in
            [("year-2026", "a", Ok(())), ("year-2027", "b", Ok(())), ("year-2026", "b", Err(OtherKeys))]
        {
            assert_eq!(bind_year_key(&mut tx, id, fingerprint).expect("bound"), expected, "{id}");
        }
        let known = [("year-2026", "a"), ("year-2027", "b")].map(|(id, f)| (id.to_owned(), f.to_owned()));
        assert_eq!(year_keys(&mut tx).expect("read"), known, "and nothing else that the store knows");
        assert_eq!(moved_to(&mut tx).expect("read"), None);
        mark_moved(&mut tx, "elsewhere").expect("written");
        assert_eq!(moved_to(&mut tx).expect("read").as_deref(), Some("elsewhere"));
    }
}
