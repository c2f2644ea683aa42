//! What a backup tells of attachments that it could not copy: alarms, once for each, and not more of them at a time than
//! others can wait for.
use std::collections::BTreeSet;

use domain::envelope::Digest;
use domain::ids::EnvelopeId;

use super::blobs::Lacking;
use crate::services::audit;
use crate::store::{StoreError, Tx};

/// The alarm that says that a backup found an attachment gone or altered: its subject is the envelope.
const ROTTEN: &str = "blob.rotten";
/// The alarm that says that a backup could not read an attachment, though its place answers: its subject is the envelope.
const UNREAD: &str = "blob.unread";
/// Alarms that one backup raises, at most: the transaction keeps everybody else from writing.
const MOST_TOLD: usize = 100;

/// Alarms that are still to be raised.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Untold {
    first: Vec<(&'static str, EnvelopeId, Digest)>,
    /// Those that have to wait for the next backup.
    pub more: usize,
}

/// Files that a backup could not read at some time.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn unread(tx: &mut Tx<'_>) -> Result<BTreeSet<Digest>, StoreError> {
    let sql = "SELECT DISTINCT object_digest FROM alarm WHERE kind = $1";
    tx.query(sql, &[UNREAD.into()])?.iter().map(|row| row.parsed(0)).collect()
}

/// What is to be told of attachments that a backup found gone or altered, or could not read, and was not told yet. They
/// stay what they are: somebody may bring the file back, or give them up. Of what nobody could ask for nobody knows: the
/// next backup asks again. Writes nothing, and may be much to read.
pub fn untold(tx: &mut Tx<'_>, lacking: &Lacking) -> Result<Untold, StoreError> {
    let sql = "SELECT b.envelope_id FROM blob_ b WHERE b.digest = $1 AND NOT EXISTS (SELECT 1 FROM alarm a
               WHERE a.kind = $2 AND a.subject = b.envelope_id AND a.object_digest = b.digest)";
    let mut untold = Untold::default();
    // Those first that were not read: the next backup asks for them last because of it.
    for (kind, digests) in [(UNREAD, &lacking.unread), (ROTTEN, &lacking.gone)] {
        for digest in digests {
            for row in tx.query(sql, &[digest.to_string().into(), kind.into()])? {
                if untold.first.len() < MOST_TOLD {
                    untold.first.push((kind, row.parsed(0)?, *digest));
                } else {
                    untold.more += 1;
                }
            }
        }
    }
    Ok(untold)
}

/// Raises the alarms.
pub fn raise(tx: &mut Tx<'_>, now_ms: i64, untold: &Untold) -> Result<(), StoreError> {
    for (kind, id, digest) in &untold.first {
        audit::raise_alarm(tx, now_ms, kind, &id.to_string(), Some(digest))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn one_backup_raises_so_many_alarms_and_the_next_ones_the_others() {
        let mut db = fresh_in_memory().expect("fresh");
        let (mut tx, mut rng) = (Tx::new(&mut db), ChaCha20Rng::seed_from_u64(1));
        let mut name = |n: usize| {
            let digest = Digest::of(&n.to_be_bytes());
            let id = EnvelopeId::new(1, &mut rng).to_string();
            let sql =
                "INSERT INTO blob_ (envelope_id, digest, length, kind, page) VALUES ($1, $2, 1, 'page', 1)";
            tx.execute(sql, &[id.into(), digest.to_string().into()]).expect("named");
            digest
        };
        let gone: Vec<_> = (0..2 * MOST_TOLD).map(&mut name).collect();
        let unread: Vec<_> = (0..50).map(|n| name(2 * MOST_TOLD + n)).collect();
        let lacking = Lacking { gone, unread: unread.clone(), ..Lacking::default() };
        let count = |tx: &mut Tx<'_>, kind: &str| {
            let sql = "SELECT COUNT(*) FROM alarm WHERE kind = $1";
            tx.query_int(sql, &[kind.into()]).expect("counted")
        };
        for (more, rotten) in [(150, 50), (50, 150), (0, 200), (0, 200)] {
            let untold = untold(&mut tx, &lacking).expect("looked");
            raise(&mut tx, 1, &untold).expect("raised");
            assert_eq!((untold.more, count(&mut tx, ROTTEN), count(&mut tx, UNREAD)), (more, rotten, 50));
            assert_eq!(super::unread(&mut tx).expect("read"), unread.iter().copied().collect());
        }
    }
}
