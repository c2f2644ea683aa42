//! Recorded facts once more: for a replay of another version, and for `verify`, which holds stored decisions against them.
//!
//! Only reads. What is erased is left out.
use std::collections::BTreeSet;

use domain::case::Action;
use domain::ids::{EnvelopeId, ItemCode};
use domain::rules::Facts;

use super::facts::{COLUMNS, Judgement, of_action, read};
use super::rule_sets;
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::services::{case_key, cases, erasure};
use crate::store::{StoreError, Tx};

/// Judgements that are read for each case of a replay, so that enough are left where a case has several.
const FOR_EACH: u64 = 3;

/// The facts of the last cases that were judged at a step, the newest first, each with its number; a case once, as it
/// was judged last.
///
/// # Errors
/// [`ServiceError`] if something does not open, or the store fails.
pub fn last_facts(
    tx: &mut Tx<'_>,
    keys: &Keys,
    (entry, step): (&ItemCode, &str),
    limit: u64,
) -> Result<Vec<(String, Facts)>, ServiceError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM judgement WHERE entry = $1 AND step = $2
         ORDER BY at_ms DESC, envelope_id, version DESC LIMIT $3"
    );
    let read_at_most = limit.saturating_mul(FOR_EACH);
    let rows = tx.query(&sql, &[entry.as_str().into(), step.into(), read_at_most.into()])?;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for row in &rows {
        let judgement = read(row)?;
        if found.len() as u64 >= limit || !seen.insert(judgement.envelope_id) {
            continue;
        }
        let Some(facts) = opened(tx, keys, &judgement)? else { continue };
        let number = cases::by_id(tx, &judgement.envelope_id)?.map(|case| case.number.to_string());
        found.push((number.unwrap_or_default(), facts));
    }
    Ok(found)
}

fn opened(tx: &mut Tx<'_>, keys: &Keys, judgement: &Judgement) -> Result<Option<Facts>, ServiceError> {
    if judgement.is_erased() {
        return Ok(None);
    }
    judgement.open(&case_key::find(tx, &judgement.envelope_id)?.open(keys)?)
}

/// Whether there is any judgement, or an action that says so.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn any_judged(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let sql =
        "SELECT version FROM judgement UNION ALL SELECT version FROM action WHERE kind = 'judged' LIMIT 1";
    Ok(tx.query_first(sql, &[])?.is_some())
}

/// What a stretch of judgements came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Looked at.
    pub judgements: u64,
    /// The last of them; none if there was none.
    pub last: Option<(EnvelopeId, u64)>,
    /// Those whose decision is not what version and facts give: case, action, why.
    pub wrong: Vec<(EnvelopeId, u64, String)>,
}

/// Holds decisions against what their version gives of their facts, after a place. Goes by the actions, so that one whose
/// facts are gone is found, and by the facts, so that some without an action are.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn unconfirmed(
    tx: &mut Tx<'_>,
    keys: &Keys,
    after: Option<(EnvelopeId, u64)>,
    limit: u64,
) -> Result<Checked, ServiceError> {
    let (id, version) = after.map(|(id, version)| (id.to_string(), version)).unwrap_or_default();
    // Each part comes to an end by itself: a stretch never reads the whole table.
    let rows = tx.query(
        "SELECT envelope_id, version FROM (
             SELECT envelope_id, version FROM action
             WHERE kind = 'judged' AND envelope_id >= $1 AND (envelope_id > $1 OR version > $2)
             ORDER BY envelope_id, version LIMIT $3) AS said
         UNION
         SELECT envelope_id, version FROM (
             SELECT envelope_id, version FROM judgement
             WHERE envelope_id >= $1 AND (envelope_id > $1 OR version > $2)
             ORDER BY envelope_id, version LIMIT $3) AS kept
         ORDER BY envelope_id, version LIMIT $3",
        &[id.into(), version.into(), limit.into()],
    )?;
    let mut checked = Checked::default();
    for row in &rows {
        let (id, version) = (row.parsed(0)?, row.uint(1)?);
        checked.judgements += 1;
        checked.last = Some((id, version));
        if let Some(why) = wrong(tx, keys, (&id, version))? {
            checked.wrong.push((id, version, why));
        }
    }
    Ok(checked)
}

fn wrong(
    tx: &mut Tx<'_>,
    keys: &Keys,
    (id, version): (&EnvelopeId, u64),
) -> Result<Option<String>, ServiceError> {
    let Some(judgement) = of_action(tx, id, version)? else {
        return Ok(Some("the facts of the action are not there".into()));
    };
    let history = cases::history(tx, id)?;
    let action = history.into_iter().find(|recorded| recorded.version == judgement.version);
    let Some(Action::Judged { step, decision, facts: digest, .. }) = action.map(|recorded| recorded.action)
    else {
        return Ok(Some("no judgement stands there in the actions".into()));
    };
    if judgement.is_erased() {
        let erased = erasure::erased_at(tx, id)?.is_some();
        return Ok((!erased).then(|| "the facts are empty, and the case is not erased".into()));
    }
    if digest != judgement.digest() || step != judgement.step {
        return Ok(Some("the facts are others than the action names".into()));
    }
    let set = rule_sets::get(tx, (&judgement.entry, &judgement.step, judgement.set_version));
    let facts = opened(tx, keys, &judgement);
    Ok(match (set, facts) {
        (Ok(Some(set)), Ok(Some(facts))) => {
            (!set.confirms(&decision, &facts)).then(|| "version and facts give another decision".into())
        }
        (Ok(None), _) => Some("its rule set is not there".into()),
        (_, Ok(None)) => None,
        (Err(ServiceError::Inconsistent(why)), _) | (_, Err(ServiceError::Inconsistent(why))) => Some(why),
        (_, Err(ServiceError::Refused { code, .. })) => {
            Some(format!("its facts do not open: {}", code.as_str()))
        }
        (Err(e), _) | (_, Err(e)) => return Err(e),
    })
}
