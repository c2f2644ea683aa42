//! 补正 at the centre's own counters: what a case waits for as a form of just that, and handing it in as an envelope that
//! goes the way of all others. At a window a clerk does it for whoever stands there, on a phone whoever holds the slip.
//!
//! No answer that is there already is shown; new ones are judged against all of them before they are sent, so that nobody
//! leaves with something that does not fit. Refuses to decide whether they are enough: departments do.
mod hand_in;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::applicant::IdentitySource;
use domain::case::{CaseState, CaseView, Want};
use domain::catalogue::Entry;
use domain::form::{Answers, Facts, FieldError, Form};
use domain::ids::EnvelopeId;
use domain::text::Text;
use domain::wire::v1::Person;
use serde_json::{Map, Value};

pub use hand_in::{Bringing, HandedIn, hand_in, handed_in, was_handed_in};

use super::cases::{self, CaseRow};
use super::catalogue::Volume;
use super::filled::{Filled, base};
use super::supplements::{self, SealedSupplement, is_material};
use super::unseal::{self, Sealed};
use super::{Context, case_key, citizen_cases};
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::services::case_key::WrappedKey;
use crate::services::window::PLACE;
use crate::store::{StoreError, Tx};

/// Why nothing can be handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// The case is over.
    Closed,
    /// No department has the case: it was not opened yet, or could not be taken.
    NotOpen,
    /// Something was handed in here already, and waits for its turn.
    UnderWay,
    /// The time for it is over; a department goes on with what it has.
    Lapsed,
    /// Nothing is missing.
    Nothing,
    /// What is missing is none that can be filled in or scanned.
    Elsewhere,
    /// What is missing needs more than one page on a phone.
    AtWindow,
}

impl NotAsked {
    /// The name used in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::NotOpen => "not_open",
            Self::UnderWay => "under_way",
            Self::Lapsed => "lapsed",
            Self::Nothing => "nothing",
            Self::Elsewhere => "elsewhere",
            Self::AtWindow => "at_window",
        }
    }
}

/// What a case waits for, its content still sealed.
pub struct Asked {
    /// The case.
    pub row: CaseRow,
    /// The last moment, milliseconds since 1970.
    pub due_at_ms: i64,
    /// What is missing, each thing once.
    pub wants: Vec<Want>,
    /// What people wrote with it.
    pub words: Vec<String>,
    /// The catalogue of the form.
    pub volume: Arc<Volume>,
    first: (WrappedKey, Sealed),
    before: Vec<SealedSupplement>,
}

/// What is asked for as a form. Never printed: it is opened.
pub struct Sheet {
    /// Just what is asked for; nothing if none of it can be filled in here.
    pub form: Option<Form>,
    /// What its rules see besides.
    pub facts: Facts,
    /// Who applied, as the supplement names the person.
    pub applicant: Person,
    /// What is asked for and cannot be filled in here: it is worked out, or the form has it no more.
    pub elsewhere: Vec<Want>,
    /// Keys of the form whose names in a supplement are others.
    materials: Vec<(String, String)>,
    filled: Filled,
}

/// What a case waits for, or why it waits for nothing.
///
/// # Errors
/// [`ServiceError`] `not-found` for a case that was not opened or is erased; or the store's.
pub fn find(
    tx: &mut Tx<'_>,
    context: &Context,
    id: &EnvelopeId,
) -> Result<Result<Asked, NotAsked>, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    if let Err(why) = may(tx, &row, &view)? {
        return Ok(Err(why));
    }
    let Some(request) = citizen_cases::request(tx, (&row, &view))? else { return Ok(Err(NotAsked::Nothing)) };
    let gone = |what: &str| ServiceError::Inconsistent(format!("case {id}: its {what} is gone"));
    Ok(Ok(Asked {
        due_at_ms: request.due_at_ms,
        wants: request.wants,
        words: citizen_cases::words(tx, context, (&row, &view))?,
        volume: context.shelf.get(tx, row.catalogue_version)?.ok_or_else(|| gone("catalogue"))?,
        first: (case_key::find(tx, id)?, unseal::find(tx, id)?.ok_or_else(|| gone("submission"))?),
        before: supplements::of_case(tx, &view)?,
        row,
    }))
}

/// Whether something can be handed in for a case. One whose last moment is over is taken until the clock's own turn: the
/// department decides what it is worth. Until what was handed in has had its turn the notice counts as open; a second one
/// must not follow it.
fn may(tx: &mut Tx<'_>, row: &CaseRow, view: &CaseView) -> Result<Result<(), NotAsked>, StoreError> {
    if !row.state.is_open() {
        let over = row.state == CaseState::Completed;
        return Ok(Err(if over { NotAsked::Closed } else { NotAsked::NotOpen }));
    }
    if !view.asked.iter().any(|asked| asked.sent) {
        let lapsed = view.steps.iter().any(|step| step.lapsed && step.state.is_open());
        return Ok(Err(if lapsed { NotAsked::Lapsed } else { NotAsked::Nothing }));
    }
    let sql = "SELECT COUNT(*) FROM envelope
               WHERE refers_to = $1 AND kind = 'supplement' AND terminal = $2 AND disposition = 'held'";
    let waits = tx.query_int(sql, &[row.envelope_id.to_string().into(), PLACE.into()])? > 0;
    Ok(if waits { Err(NotAsked::UnderWay) } else { Ok(()) })
}

impl Asked {
    /// The item or bundle.
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.row.item.as_ref().and_then(|code| self.volume.catalogue.entry(code))
    }

    /// Opens the case and makes the form. `title` stands over it. Computes only.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if something does not open any more.
    pub fn open(&self, keys: &Keys, title: &Text) -> Result<Sheet, ServiceError> {
        let filled = Filled::open(&self.row, Some(&self.volume), &self.first, &self.before, keys)?;
        let (mut files, mut materials, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
        let mut fields: BTreeSet<&str> = BTreeSet::new();
        let spec = filled.form.spec();
        for want in &self.wants {
            if is_material(&want.key) {
                match self.material(&want.key) {
                    Some(name) => {
                        let mut key = want.key.replace('.', "_");
                        while spec.keys().any(|own| own == key) {
                            key.push('_');
                        }
                        files.push((key.clone(), name));
                        materials.push((key, want.key.clone()));
                    }
                    None => elsewhere.push(want.clone()),
                }
            } else if spec.fields().any(|field| field.key == want.key && field.computed.is_some())
                || !spec.keys().any(|key| key == base(&want.key))
            {
                elsewhere.push(want.clone());
            } else {
                fields.insert(base(&want.key));
            }
        }
        let form = filled.form.only(&fields, &files, title);
        let form = form.map_err(|e| {
            ServiceError::Inconsistent(format!(
                "case {}: no form of what is asked: {e}",
                self.row.envelope_id
            ))
        })?;
        let mut applicant = filled.applicant.clone();
        // Nobody read the card again.
        applicant.source = IdentitySource::Typed;
        Ok(Sheet { facts: filled.facts.clone(), form, applicant, elsewhere, materials, filled })
    }

    fn material(&self, key: &str) -> Option<Text> {
        let place = key.strip_prefix("material.")?.parse::<usize>().ok()?;
        Some(self.entry()?.materials().get(place)?.name.clone())
    }
}

impl Sheet {
    /// The answers of the form as a supplement names them.
    pub fn named(&self, answers: &Answers) -> Map<String, Value> {
        let name = |key: &String| {
            let material = self.materials.iter().find(|(own, _)| own == key);
            material.map_or_else(|| key.clone(), |(_, name)| name.clone())
        };
        answers.as_map().iter().map(|(key, value)| (name(key), value.clone())).collect()
    }

    /// What is wrong with new answers beside those that are there, in what was asked for.
    pub fn errors(&self, named: &Map<String, Value>) -> Vec<FieldError> {
        let errors = self.filled.errors(named);
        errors.into_iter().filter(|error| named.contains_key(base(&error.key))).collect()
    }
}
