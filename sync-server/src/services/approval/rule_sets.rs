//! 规则集 at the centre: published beside the catalogue, by a person, never changed, kept for ever.
//!
//! A version that follows another one is published only after somebody had it replayed against the one in force.
//! Refuses what does not fit the newest catalogue, with the place of each mistake.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::case::ONLY_STEP;
use domain::catalogue::{Catalogue, Entry};
use domain::envelope::Digest;
use domain::ids::ItemCode;
use domain::rules::{Origin, RuleSet};

use crate::error::ServiceError;
use crate::services::audit;
use crate::store::{Row, StoreError, Tx};

/// Rule sets that are listed, at most.
const MAX_LISTED: u64 = 2_000;
/// Steps of one entry with rule sets, at most.
const MAX_STEPS: u64 = domain::case::MAX_STEPS as u64;

/// Rule sets that stay in memory, at most.
const MAX_PARSED: usize = 64;
/// Rule sets that were checked, by their digest, which names what they say: a list of cases would check one many times.
static PARSED: Mutex<BTreeMap<String, Arc<RuleSet>>> = Mutex::new(BTreeMap::new());

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Published {
    /// Item or bundle.
    pub entry: String,
    /// The step.
    pub step: String,
    /// Version.
    pub version: u64,
    /// Digest.
    pub digest: String,
    /// Who published it.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A rule set cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It does not fit the catalogue.
    #[error("{}", .0.join("\n"))]
    Misfits(Vec<String>),
    /// A version that is not higher than the one in force.
    #[error("version {version} does not follow version {in_force}, which is in force: raise `version`")]
    Version {
        /// Its version.
        version: u64,
        /// The one in force.
        in_force: u64,
    },
    /// Nobody looked at what it changes.
    #[error(
        "nobody replayed it against version {in_force}, which is in force: run `sync-server rules replay FILE`, read \
         its report, then publish"
    )]
    NotReplayed {
        /// The version in force.
        in_force: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What of a rule set does not fit a catalogue, each with its place.
pub fn misfits(set: &RuleSet, catalogue: &Catalogue) -> Vec<String> {
    let file = set.file();
    let Some(entry) = catalogue.entry(&file.entry) else {
        return vec![format!("entry: the catalogue has no {}", file.entry)];
    };
    let mut wrong = Vec::new();
    let known = match entry {
        Entry::Item(_) => file.step == ONLY_STEP,
        Entry::Bundle(bundle) => bundle.steps.iter().any(|step| step.id == file.step),
    };
    if !known {
        wrong.push(format!("step: {} has no step {:?}", file.entry, file.step));
    }
    let form = entry.form();
    for fact in set.facts() {
        let there = match &fact.from {
            Origin::Form { field, .. } => form.label(field).is_some(),
            Origin::Rows(group) => {
                form.groups().filter_map(|g| g.repeat.as_ref()).any(|rows| rows.key == *group)
            }
            _ => true,
        };
        if !there {
            wrong.push(format!("facts.{}: the form of {} does not ask that", fact.id, file.entry));
        }
    }
    wrong
}

/// Publishes a version: cases that are opened from now on are judged by it. Says whether it was new.
///
/// # Errors
/// [`PublishError`]; nothing is changed then.
pub fn publish(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (set, catalogue): (&RuleSet, &Catalogue),
    by: &str,
) -> Result<bool, PublishError> {
    let wrong = misfits(set, catalogue);
    if !wrong.is_empty() {
        return Err(PublishError::Misfits(wrong));
    }
    let named = set.reference();
    if let Some(now) = newest(tx, &named.entry, &named.step)? {
        let old = now.reference();
        if old == named {
            return Ok(false);
        }
        if named.version <= old.version {
            return Err(PublishError::Version { version: named.version, in_force: old.version });
        }
        if !is_replayed(tx, &named.digest, &old.digest)? {
            return Err(PublishError::NotReplayed { in_force: old.version });
        }
    }
    let digest = named.digest.to_string();
    tx.execute(
        "INSERT INTO rule_set (entry, step, version, digest, document, published_by, published_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            named.entry.as_str().into(),
            named.step.as_str().into(),
            named.version.into(),
            digest.as_str().into(),
            set.to_json().into(),
            by.into(),
            now_ms.into(),
        ],
    )?;
    let subject = format!("{} {} {}", named.entry, named.step, named.version);
    let event =
        audit::Event { actor: by, event: "rules.published", subject: &subject, object_digest: &digest };
    audit::append(tx, now_ms, event)?;
    Ok(true)
}

/// Notes that somebody had a version replayed against the one in force.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_replay(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (new, old): (&RuleSet, &RuleSet),
    (cases, otherwise): (u64, u64),
    by: &str,
) -> Result<(), StoreError> {
    let (named, against) = (new.reference(), old.reference());
    let digest = named.digest.to_string();
    tx.execute(
        "INSERT INTO rule_replay (digest, against, cases, otherwise_, replayed_by, replayed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (digest, against) DO UPDATE SET cases = $3, otherwise_ = $4, replayed_by = $5, replayed_at_ms = $6",
        &[
            digest.as_str().into(),
            against.digest.to_string().into(),
            cases.into(),
            otherwise.into(),
            by.into(),
            now_ms.into(),
        ],
    )?;
    let subject = format!("{} {} {}", named.entry, named.step, named.version);
    let event =
        audit::Event { actor: by, event: "rules.replayed", subject: &subject, object_digest: &digest };
    audit::append(tx, now_ms, event)
}

fn is_replayed(tx: &mut Tx<'_>, new: &Digest, old: &Digest) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM rule_replay WHERE digest = $1 AND against = $2";
    Ok(tx.query_int(sql, &[new.to_string().into(), old.to_string().into()])? > 0)
}

/// The steps of an entry for which a rule set is in force, with its version.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn in_force(tx: &mut Tx<'_>, entry: &ItemCode) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = tx.query(
        "SELECT step, MAX(version) FROM rule_set WHERE entry = $1 GROUP BY step ORDER BY step LIMIT $2",
        &[entry.as_str().into(), MAX_STEPS.into()],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.uint(1)?))).collect()
}

/// The version in force of a step.
///
/// # Errors
/// As [`get`].
pub fn newest(tx: &mut Tx<'_>, entry: &ItemCode, step: &str) -> Result<Option<Arc<RuleSet>>, ServiceError> {
    let found = in_force(tx, entry)?.into_iter().find(|(of, _)| of == step);
    match found {
        Some((_, version)) => get(tx, (entry, step, version)),
        None => Ok(None),
    }
}

/// A version.
///
/// # Errors
/// [`ServiceError`] if the store fails, or what is stored is no rule set of this name.
pub fn get(
    tx: &mut Tx<'_>,
    (entry, step, version): (&ItemCode, &str, u64),
) -> Result<Option<Arc<RuleSet>>, ServiceError> {
    let row = tx.query_first(
        "SELECT document, digest FROM rule_set WHERE entry = $1 AND step = $2 AND version = $3",
        &[entry.as_str().into(), step.into(), version.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let digest = row.text(1)?;
    let kept = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(set) = kept().get(digest) {
        return Ok(Some(set.clone()));
    }
    let wrong =
        |why: String| ServiceError::Inconsistent(format!("stored rule set {entry} {step} {version}: {why}"));
    let set = RuleSet::parse(row.text(0)?.as_bytes())
        .map_err(|errors| wrong(errors.first().map(ToString::to_string).unwrap_or_default()))?;
    if set.reference().digest.to_string() != digest {
        return Err(wrong("it is another one than its digest names".into()));
    }
    let set = Arc::new(set);
    let mut kept = kept();
    if kept.len() >= MAX_PARSED {
        kept.clear();
    }
    kept.insert(digest.to_owned(), set.clone());
    Ok(Some(set))
}

/// All versions, by entry, step and version.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Published>, StoreError> {
    let rows = tx.query(
        "SELECT entry, step, version, digest, published_by, published_at_ms FROM rule_set
         ORDER BY entry, step, version LIMIT $1",
        &[MAX_LISTED.into()],
    )?;
    rows.iter().map(published).collect()
}

fn published(row: &Row) -> Result<Published, StoreError> {
    Ok(Published {
        entry: row.text(0)?.to_owned(),
        step: row.text(1)?.to_owned(),
        version: row.uint(2)?,
        digest: row.text(3)?.to_owned(),
        by: row.text(4)?.to_owned(),
        at_ms: row.int(5)?,
    })
}
