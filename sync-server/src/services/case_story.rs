//! 经过 of a case for the people who work at it: each action with who did it, as what, and what was written with it.
//!
//! Names of accounts are read beside it; an account that is no more has its id. Refuses to judge who may read it.
use std::collections::{BTreeMap, BTreeSet};

use domain::case::{Action, Recorded};
use domain::envelope::DataKey;
use domain::ids::EnvelopeId;

use super::{accounts, case_text, cases};
use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// Actors that are read, at most: as many as a case has actions.
const MAX_ACTORS: u64 = 1_000;

/// One thing that happened, as people are told. Never printed: it has what people wrote.
pub struct Told {
    /// What happened, and when.
    pub recorded: Recorded,
    /// Id of the account or terminal, or [`cases::CENTRE`].
    pub actor: String,
    /// As what.
    pub role: String,
    /// What was written with it.
    pub text: Option<String>,
}

/// The story of a case, oldest first.
pub struct Story {
    /// What happened.
    pub told: Vec<Told>,
    /// Names of the accounts that occur in it, by id.
    pub people: BTreeMap<String, String>,
}

impl Story {
    /// The name of an account, or its id if it has none.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.people.get(id).map_or(id, String::as_str)
    }

    /// Reads the names of these accounts as well.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn learn<'a>(
        &mut self,
        tx: &mut Tx<'_>,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), ServiceError> {
        for id in ids {
            if self.people.contains_key(id) {
                continue;
            }
            if let Some(account) = id.parse().ok().map(|id| accounts::by_id(tx, &id)).transpose()?.flatten() {
                self.people.insert(id.to_owned(), account.display);
            }
        }
        Ok(())
    }
}

/// Reads the story of a case.
///
/// # Errors
/// [`ServiceError`] if a text does not open, or the store fails.
pub fn of(tx: &mut Tx<'_>, key: &DataKey, id: &EnvelopeId) -> Result<Story, ServiceError> {
    let texts = case_text::all(tx, key, id)?;
    told(tx, id, texts)
}

/// As [`of`], without what people wrote: for whoever has no part in the case.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn without_texts(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Story, ServiceError> {
    told(tx, id, BTreeMap::new())
}

fn told(tx: &mut Tx<'_>, id: &EnvelopeId, mut texts: BTreeMap<u64, String>) -> Result<Story, ServiceError> {
    let mut actors = actors(tx, id)?;
    let mut told = Vec::new();
    for recorded in cases::history(tx, id)? {
        let (actor, role) = actors.remove(&recorded.version).unwrap_or_default();
        let text = texts.remove(&recorded.version);
        told.push(Told { recorded, actor, role, text });
    }
    let named = told.iter().flat_map(|t| std::iter::once(t.actor.as_str()).chain(named(&t.recorded.action)));
    let named: BTreeSet<String> = named.map(str::to_owned).collect();
    let mut story = Story { told, people: BTreeMap::new() };
    story.learn(tx, named.iter().map(String::as_str))?;
    Ok(story)
}

/// Accounts that an action names.
fn named(action: &Action) -> Vec<&str> {
    match action {
        Action::Taken { holder, .. } | Action::Assigned { holder, .. } | Action::Recused { holder, .. } => {
            vec![holder]
        }
        Action::Passed { by, .. } | Action::Refused { by, .. } => vec![by],
        Action::Answerable { clerk, .. } => vec![clerk],
        Action::Noted { mentions, .. } => mentions.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Who did each action of a case and as what, by its version.
fn actors(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<BTreeMap<u64, (String, String)>, StoreError> {
    let rows = tx.query(
        "SELECT version, actor, role FROM action WHERE envelope_id = $1 ORDER BY version LIMIT $2",
        &[id.to_string().into(), MAX_ACTORS.into()],
    )?;
    rows.iter().map(|row| Ok((row.uint(0)?, (row.text(1)?.to_owned(), row.text(2)?.to_owned())))).collect()
}
