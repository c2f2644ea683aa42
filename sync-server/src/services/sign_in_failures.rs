//! Wrong sign-ins, counted under a name or an address: so that guessing is slow and stays slow after a restart.
//!
//! Keys are hashes: what somebody types in place of a name may be a password. The table has an end; the oldest rows go
//! first.
use crate::auth::lockout::{Failures, Rule};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// Rows at most.
const MOST: i64 = 20_000;

/// What is counted, with the rule for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    key: String,
    rule: Rule,
}

impl Counted {
    /// What is counted under a kind (`name`, `address`) and its text.
    pub fn new(keys: &Keys, kind: &str, text: &str, rule: Rule) -> Self {
        let hash = keys.person_hmac(&format!("sign-in-{kind}"), text);
        let hex: String = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
        Self { key: format!("{kind}:{hex}"), rule }
    }

    /// The key, as audit rows may name it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// How long to wait, in milliseconds; nothing if another try may come now.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn wait_ms(tx: &mut Tx<'_>, now_ms: i64, counted: &Counted) -> Result<Option<i64>, StoreError> {
    Ok(counted.rule.wait_ms(find(tx, counted)?, now_ms))
}

/// Counts a try that is wrong, or not yet known to be right; gives how long the pause is from now on, in
/// milliseconds.
pub fn count(tx: &mut Tx<'_>, now_ms: i64, counted: &Counted) -> Result<i64, StoreError> {
    let failures = counted.rule.after_another(find(tx, counted)?, now_ms);
    if tx.query_int("SELECT COUNT(*) FROM sign_in_failure", &[])? >= MOST {
        shorten(tx)?;
    }
    tx.execute(
        "INSERT INTO sign_in_failure (key_hash, failures, last_ms) VALUES ($1, $2, $3)
         ON CONFLICT (key_hash) DO UPDATE SET failures = $2, last_ms = $3",
        &[counted.key.as_str().into(), i64::from(failures.count).into(), failures.last_ms.into()],
    )?;
    Ok(counted.rule.pause_ms(failures.count))
}

/// Removes the oldest thousand rows; fewer are left alone.
pub fn shorten(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM sign_in_failure WHERE last_ms <=
             (SELECT last_ms FROM sign_in_failure ORDER BY last_ms LIMIT 1 OFFSET 1000)",
        &[],
    )
    .map(|_| ())
}

/// Forgets what was counted.
pub fn forget(tx: &mut Tx<'_>, counted: &Counted) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sign_in_failure WHERE key_hash = $1", &[counted.key.as_str().into()]).map(|_| ())
}

fn find(tx: &mut Tx<'_>, counted: &Counted) -> Result<Failures, StoreError> {
    let sql = "SELECT failures, last_ms FROM sign_in_failure WHERE key_hash = $1";
    let Some(row) = tx.query_first(sql, &[counted.key.as_str().into()])? else {
        return Ok(Failures::default());
    };
    Ok(Failures { count: u32::try_from(row.int(0)?).unwrap_or(u32::MAX), last_ms: row.int(1)? })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::auth::lockout::NAME;
    use crate::store::fresh_in_memory;

    const NOW: i64 = 1_795_541_400_000;

    #[test]
    fn names_are_hashed_counted_one_by_one_and_forgotten() {
        let keys = Keys::in_memory(&mut ChaCha20Rng::seed_from_u64(1)).expect("keys");
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let (one, other) =
            (Counted::new(&keys, "name", "zhang", NAME), Counted::new(&keys, "address", "zhang", NAME));
        assert!(one != other && !one.key().contains("zhang"));
        let pauses: Vec<_> = (0..6).map(|n| count(&mut tx, NOW + n, &one).expect("counted")).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 15_000, 30_000]);
        assert_eq!(wait_ms(&mut tx, NOW + 5, &one).expect("read"), Some(30_000));
        assert_eq!(wait_ms(&mut tx, NOW + 5, &other).expect("read"), None);
        forget(&mut tx, &one).expect("forgotten");
        assert_eq!(wait_ms(&mut tx, NOW + 5, &one).expect("read"), None);
    }

    #[test]
    fn the_table_has_an_end() {
        let keys = Keys::in_memory(&mut ChaCha20Rng::seed_from_u64(1)).expect("keys");
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        tx.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO sign_in_failure (key_hash, failures, last_ms) SELECT 'k' || i, 1, i FROM n",
            &[],
        )
        .expect("filled");
        let rows = |tx: &mut Tx<'_>| tx.query_int("SELECT COUNT(*) FROM sign_in_failure", &[]).ok();
        assert_eq!(rows(&mut tx), Some(MOST));
        let fresh = Counted::new(&keys, "name", "zhang", NAME);
        count(&mut tx, NOW, &fresh).expect("counted");
        assert_eq!(rows(&mut tx), Some(MOST - 1_001 + 1));
        let oldest = tx.query_int("SELECT MIN(last_ms) FROM sign_in_failure", &[]).ok();
        assert_eq!(oldest, Some(1_002), "the oldest went");
    }
}
