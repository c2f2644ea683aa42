//! 办件内容 for the people who work at a case: the submission is opened for whoever has a part in it, and of it only what
//! that part needs (最小必要).
//!
//! A part is a step of the caller's unit, the accepting of the case, or an opinion that was asked for. A step needs the
//! fields and materials that its plan names. Where it names none (an item, the accepting step, a bundle of before): a
//! step that stands for one item of a bundle needs what that item's form asks; a step without an item needs all. Every
//! look leaves an audit row before the content leaves. Refuses other units, and writes no value anywhere.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::case::{CaseView, StepState, StepView};
use domain::catalogue::Catalogue;
use domain::envelope::{DataKey, Digest};
use domain::form::{Answers, Layout, PlanField, RenderPlan};
use domain::ids::{CaseNo, EnvelopeId, UnitId};
use domain::text::Text;
use domain::wire::v1::{Person, Submission};
use serde_json::Value as Json;

use super::blobs::Blob;
use super::case_key::{self, WrappedKey};
use super::cases::{self, CaseRow};
use super::catalogue::Volume;
use super::sessions::Caller;
use super::submission_form::{facts, filled_on, opened_form};
use super::supplements::{self, SealedSupplement, names};
use super::unseal::{self, Sealed};
use super::{Context, attachments, audit, blobs};
use crate::auth::names::AccountId;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// Key under which the applicant's name is revealed.
pub const APPLICANT_NAME: &str = "applicant.name";
/// Key under which the applicant's ID number is revealed.
pub const APPLICANT_ID: &str = "applicant.id_number";
/// Key under which the applicant's address is revealed.
pub const APPLICANT_ADDRESS: &str = "applicant.address";

/// How much of the answers somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those with these keys of fields and repeat groups.
    Keys(BTreeSet<String>),
}

impl Scope {
    /// Whether an answer or a material (`material.N`) with this path lies within it.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Keys(keys) => {
                let key = path.rsplit('.').next().unwrap_or(path);
                let rows = path.split('[').next().unwrap_or(path);
                keys.contains(key) || keys.contains(rows)
            }
        }
    }
}

/// Where a page or photo of a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePlace {
    /// Which supplement, from 1; 0 is the submission.
    pub round: u16,
    /// Its page.
    pub page: u16,
}

impl std::fmt::Display for FilePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.round {
            0 => write!(f, "{}", self.page),
            round => write!(f, "{round}-{}", self.page),
        }
    }
}

impl std::str::FromStr for FilePlace {
    type Err = ();

    /// As it is written in an address: digits without leading zeros.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse::<u16>().ok().filter(|n| *n > 0 && n.to_string() == text);
        let place = match text.split_once('-') {
            None => number(text).map(|page| Self { round: 0, page }),
            Some((round, page)) => number(round).zip(number(page)).map(|(round, page)| Self { round, page }),
        };
        place.ok_or(())
    }
}

/// A case in which the caller has a part, with its sealed submission.
pub struct Found {
    /// Its row.
    pub row: CaseRow,
    /// What it is now.
    pub view: CaseView,
    /// How much of the answers the caller may see.
    pub scope: Scope,
    /// The catalogue version of its form.
    pub volume: Option<Arc<Volume>>,
    /// Its pages and photos.
    pub blobs: Vec<Blob>,
    /// What was added to it.
    pub supplements: Vec<SealedSupplement>,
    key: WrappedKey,
    sealed: Sealed,
}

/// What is noted of a look at a case.
#[derive(Debug, Clone)]
pub struct Look {
    id: EnvelopeId,
    digest: String,
}

/// What the caller may see of a submission. Never printed.
pub struct Content {
    /// Who applies.
    pub applicant: Person,
    /// The pages of the form with the answers that the caller may see.
    pub pages: Vec<ContentPage>,
    /// How many answers the caller may not see.
    pub hidden: usize,
    /// When an answer or a material was last changed by a supplement, milliseconds since 1970, by its key.
    pub supplemented: BTreeMap<String, i64>,
    /// Files that supplements brought for materials, by the material's key.
    pub materials: BTreeMap<String, Json>,
    /// The key of the case, for what people wrote about it.
    pub key: DataKey,
}

/// A page of the form.
pub struct ContentPage {
    /// Its heading.
    pub title: Text,
    /// Its rows of fields.
    pub groups: Vec<ContentGroup>,
}

/// Fields that belong together: a group, or one row of a repeat group.
pub struct ContentGroup {
    /// The heading, if it has one.
    pub title: Option<Text>,
    /// The fields, with their answers.
    pub fields: Vec<PlanField>,
}

/// How much of a case a unit may see; nothing if it has no part in it.
pub fn scope(view: &CaseView, unit: &UnitId, catalogue: Option<&Catalogue>) -> Option<Scope> {
    let has_part = |step: &&StepView| view.books(unit, step) || step.consulted.as_ref() == Some(unit);
    // What was never needed gives nobody a part.
    let needed = |step: &&StepView| step.state != StepState::Skipped || step.ready_at_ms.is_some();
    let mine = view.steps.iter().filter(has_part).filter(needed);
    let mut keys = None;
    for step in mine {
        let keys = keys.get_or_insert_with(BTreeSet::new);
        keys.extend(
            view.wanted.iter().filter(|wanted| wanted.step == step.id).map(|wanted| wanted.key.clone()),
        );
        let planned = view.plan.step(&step.id);
        if let Some(sees) = planned.and_then(|planned| planned.sees.as_ref()) {
            keys.extend(sees.iter().cloned());
            continue;
        }
        let Some(code) = planned.and_then(|planned| planned.item.as_ref()) else {
            return Some(Scope::All);
        };
        // Of an item that its catalogue does not have nothing is known to be needed.
        let Some(form) = catalogue.and_then(|c| c.items.get(code)).map(|item| &item.form) else { continue };
        keys.extend(form.fields().map(|field| field.key.clone()));
        keys.extend(form.groups().filter_map(|group| group.repeat.as_ref()).map(|rows| rows.key.clone()));
    }
    keys.map(Scope::Keys)
}

/// The case that a number names, if the caller has a part in it.
///
/// # Errors
/// [`ServiceError`] `not-found`, also for a case that was not opened yet or is erased; `unit-needed`; or the store's.
pub fn find(
    tx: &mut Tx<'_>,
    context: &Context,
    number: &CaseNo,
    caller: &Caller,
) -> Result<Found, ServiceError> {
    let named = cases::by_number(tx, number)?.into_iter().next().ok_or(ProblemCode::NotFound)?;
    let (row, view) = cases::current(tx, &named.envelope_id)?;
    let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
    let volume = context.shelf.get(tx, row.catalogue_version)?;
    let scope = scope(&view, unit, volume.as_deref().map(|v| &v.catalogue)).ok_or(ProblemCode::UnitNeeded)?;
    let key = case_key::find(tx, &row.envelope_id)?;
    let sealed = unseal::find(tx, &row.envelope_id)?.ok_or(ProblemCode::NotFound)?;
    Ok(Found {
        blobs: blobs::of_envelope(tx, &row.envelope_id)?,
        supplements: supplements::of_case(tx, &view)?,
        view,
        scope,
        volume,
        key,
        sealed,
        row,
    })
}

impl Found {
    /// Opens it, and keeps of it what the caller may see. Computes only, but for a key file that is read for the first
    /// time.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open(&self, keys: &Keys) -> Result<Content, ServiceError> {
        let key = self.key.open(keys)?;
        let (header, submission) = self.sealed.open::<Submission>(&key)?;
        let Submission { applicant, mut answers, situation } = submission;
        let brought: Vec<_> = self.supplements.iter().map(|s| s.open(keys)).collect::<Result<_, _>>()?;
        let mut supplemented = supplements::overlay(&mut answers, &brought);
        supplemented.retain(|key, _| self.scope.has(key));
        let materials = brought.into_iter().flat_map(|brought| brought.materials);
        let materials = materials.filter(|(key, _)| self.scope.has(key)).collect();
        let form = opened_form(self.volume.as_deref(), &self.row, situation.as_ref())?;
        let facts = facts(&applicant, filled_on(&header, self.sealed.accepted_at_ms));
        let plan = form.plan(&Answers::from_map(answers), &facts, Layout::Grouped);
        let (pages, hidden) = visible(plan, &self.scope);
        Ok(Content { applicant, pages, hidden, supplemented, materials, key })
    }

    /// The data key of the case.
    ///
    /// # Errors
    /// [`ServiceError`] if the key of its year is not there.
    pub fn data_key(&self, keys: &Keys) -> Result<DataKey, ServiceError> {
        self.key.open(keys)
    }

    /// What is noted of a look at it.
    pub fn look(&self) -> Look {
        Look { id: self.row.envelope_id, digest: self.sealed.digest.to_string() }
    }

    /// The pages and photos of a round that are here and that the caller may see: all of them, or those that a visible
    /// answer or material names. None if there is no such round.
    ///
    /// # Errors
    /// [`ServiceError`] if the content does not open.
    pub fn attachments(&self, keys: &Keys, round: u16) -> Result<Vec<attachments::Found>, ServiceError> {
        let of_round = || self.supplements.iter().find(|supplement| supplement.round == round);
        let mut here = match (round > 0).then(of_round) {
            None => attachments::here((&self.row.envelope_id, &self.key), &self.blobs),
            Some(supplement) => supplement.map_or_else(Vec::new, |supplement| {
                attachments::here((&supplement.id, supplement.wrapped_key()), &supplement.blobs)
            }),
        };
        if self.scope != Scope::All && !here.is_empty() {
            let content = self.open(keys)?;
            here.retain(|found| content.shows(&found.blob.digest));
        }
        Ok(here)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ServiceError`] `not-found` if it is none of them; or that the content does not open.
    pub fn attachment(&self, keys: &Keys, place: FilePlace) -> Result<attachments::Found, ServiceError> {
        let mut all = self.attachments(keys, place.round)?.into_iter();
        Ok(all.find(|found| found.blob.page == place.page).ok_or(ProblemCode::NotFound)?)
    }
}

impl Look {
    /// Notes who is about to see the content.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails: then nobody sees it.
    pub fn note_seen(&self, tx: &mut Tx<'_>, now_ms: i64, by: &AccountId) -> Result<(), StoreError> {
        note(tx, now_ms, by, "case.seen", (&self.id, &self.digest))
    }

    /// Notes who is about to see a value in full; the row has the digest of its key.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails: then nobody sees it.
    pub fn note_revealed(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        by: &AccountId,
        key: &str,
    ) -> Result<(), StoreError> {
        let digest = Digest::of(key.as_bytes()).to_string();
        note(tx, now_ms, by, "case.revealed", (&self.id, &digest))
    }
}

impl Content {
    /// All fields that the caller may see.
    pub fn fields(&self) -> impl Iterator<Item = &PlanField> {
        self.pages.iter().flat_map(|page| &page.groups).flat_map(|group| &group.fields)
    }

    /// The field whose answer names these sealed bytes.
    pub fn names(&self, digest: &Digest) -> Option<&PlanField> {
        self.fields().find(|field| field.value.as_ref().is_some_and(|value| names(value, digest)))
    }

    /// The key of the material for which these sealed bytes were brought.
    pub fn material(&self, digest: &Digest) -> Option<&str> {
        self.materials.iter().find(|(_, value)| names(value, digest)).map(|(key, _)| key.as_str())
    }

    /// Whether something that the caller may see names these sealed bytes.
    fn shows(&self, digest: &Digest) -> bool {
        self.names(digest).is_some() || self.material(digest).is_some()
    }
}

fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &AccountId,
    event: &str,
    (id, digest): (&EnvelopeId, &str),
) -> Result<(), StoreError> {
    let subject = id.to_string();
    let event = audit::Event { actor: by.as_str(), event, subject: &subject, object_digest: digest };
    audit::append(tx, now_ms, event)
}

/// What of a plan lies within a scope, and how many answers do not.
fn visible(plan: RenderPlan, scope: &Scope) -> (Vec<ContentPage>, usize) {
    let mut hidden = 0;
    let mut pages = Vec::new();
    for page in plan.pages {
        let mut groups = Vec::new();
        for group in page.groups {
            for row in group.rows {
                let all = page.fields.get(row.fields.clone()).unwrap_or_default();
                let fields: Vec<_> = all.iter().filter(|field| scope.has(&field.key)).cloned().collect();
                hidden += all.len() - fields.len();
                if !fields.is_empty() {
                    groups.push(ContentGroup { title: row.title.or_else(|| group.title.clone()), fields });
                }
            }
        }
        if !groups.is_empty() {
            pages.push(ContentPage { title: page.title, groups });
        }
    }
    (pages, hidden)
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
