//! Attachments of a case that came, and which of them a backup has: what somebody may want to give up.
use std::collections::BTreeSet;

use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};

use super::blobs::{BlobFile, upto_without};
use super::restore::restored_upto;
use crate::services::blobs::of_envelope;
use crate::services::durability;
use crate::store::{StoreError, Tx};

const OF_NUMBER: &str = "SELECT envelope_id FROM case_ WHERE number = $1";
const REFERRING: &str = "SELECT envelope_id FROM envelope WHERE refers_to = $1 ORDER BY server_seq";

/// Files of attachments that came, of the envelope of a case and of those that refer to it, such as supplements.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn of_case(tx: &mut Tx<'_>, number: &CaseNo) -> Result<Vec<(EnvelopeId, Vec<BlobFile>)>, StoreError> {
    let mut ids = Vec::new();
    // Not in one statement: all envelopes would be looked through.
    for row in tx.query(OF_NUMBER, &[number.as_str().into()])? {
        let case: EnvelopeId = row.parsed(0)?;
        ids.push(case);
        for row in tx.query(REFERRING, &[case.to_string().into()])? {
            ids.push(row.parsed(0)?);
        }
    }
    of_envelopes(tx, &ids)
}

/// Files of attachments that came, by envelope.
pub fn of_envelopes(
    tx: &mut Tx<'_>,
    envelopes: &[EnvelopeId],
) -> Result<Vec<(EnvelopeId, Vec<BlobFile>)>, StoreError> {
    let mut all = Vec::new();
    for id in envelopes {
        let came = of_envelope(tx, id)?.into_iter().filter(|blob| blob.arrived_at_ms.is_some());
        let files = came.map(|blob| BlobFile { digest: blob.digest, length: blob.length }).collect();
        all.push((*id, files));
    }
    Ok(all)
}

/// Whether there is, or was, a backup of this store.
pub fn is_backed_up(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(durability::last(tx)?.is_some() || restored_upto(tx)?.is_some())
}

/// Which of these files a backup may have, as far as the store knows: those of envelopes that were in its last backup, or
/// in the one from which it was restored. That an attachment of an older envelope is missing says nothing of a later one.
pub fn backed_up(tx: &mut Tx<'_>, files: &[BlobFile]) -> Result<BTreeSet<Digest>, StoreError> {
    let last = durability::last(tx)?.map(|backup| backup.server_seq);
    let upto = last.max(restored_upto(tx)?).unwrap_or(0);
    let mut known = BTreeSet::new();
    for BlobFile { digest, .. } in files {
        // Up to the one before the first that names it; of that one is the question.
        if upto_without(tx, &[*digest], u64::MAX)? < upto {
            known.insert(*digest);
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn what_belongs_to_a_case_is_found_without_looking_at_the_rest() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        for (sql, step) in
            [(OF_NUMBER, "SEARCH case_ USING"), (REFERRING, "USING INDEX envelope_that_refers (refers_to=?)")]
        {
            let plan = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &["x".into()]).expect("a plan");
            let told: Vec<_> = plan.iter().filter_map(|row| row.text(3).ok()).collect();
            assert!(told[0].contains(step) && told.iter().all(|step| !step.contains("SCAN")), "{told:?}");
        }
    }
}
