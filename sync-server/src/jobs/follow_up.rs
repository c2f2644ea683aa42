//! Takes in what refers to a case: a 补正 that was asked for, a 撤回. Idempotent work after the COMMIT, like opening.
//!
//! Only the applicant can do either: the ID number must be the one of the submission. What cannot be opened, or comes
//! from somebody else, is put aside for people and told; what comes for a case that is closed already is put aside as
//! late. Nothing of it is lost: the envelope stays. Refuses to judge whether a supplement is enough: departments do.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::applicant::IdentitySource;
use domain::case::{Action, CaseState, CaseView, Outcome, ReturnReason};
use domain::catalogue::Entry;
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, KeyId, StationId};
use domain::wire::v1::{EnvelopeHeader, Supplement, Withdrawal};
use rand_core::CryptoRng;
use serde_json::{Map, Value as Json};

use super::runner::JobError;
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::blobs::Blob;
use crate::services::case_key::{self, Wrapped, WrappedKey};
use crate::services::cases::{self, Actor, BY_CENTRE, CaseRow};
use crate::services::catalogue::{Shelf, Volume};
use crate::services::filled::{Filled, base};
use crate::services::submission_form::missing_files;
use crate::services::supplements::{self, SealedSupplement, is_material};
use crate::services::unseal::{self, Locked, Sealed};
use crate::services::{Context, audit, blobs, person_key, review};
use crate::store::{StoreError, Tx};

/// Envelopes read in one go.
const STRETCH: u64 = 100;
/// What becomes of what comes for a case that is closed.
const LATE: (&str, &str) = ("late", "follow-up.late");
/// Errors kept in an action, at most.
const MAX_UNFIT: usize = 50;

/// An envelope that refers to a case, with all that is needed to judge it.
struct Held {
    id: EnvelopeId,
    kind: String,
    terminal: String,
    sealed: Sealed,
    row: CaseRow,
    view: CaseView,
    /// The submission to which it refers.
    first: (WrappedKey, Sealed),
    before: Vec<SealedSupplement>,
    /// Its pages that are here.
    came: Vec<Digest>,
    volume: Option<Arc<Volume>>,
}

/// What an envelope comes to. Holds no plain text.
enum Verdict {
    /// It is to happen to the case, if it is this person's, and then what the new answers make of steps with a condition.
    Does { action: Box<Action>, then: Vec<Action>, person: [u8; 32], key: Option<Box<Wrapped>> },
    /// Its key is not there: it waits.
    Waits(KeyId),
    /// People have to look at it.
    Aside(&'static str),
    /// Its case is closed already.
    Late,
}

/// Takes in all that waits; gives how many envelopes were settled.
///
/// # Errors
/// [`JobError`] if the store cannot be read at all; a single envelope that fails is logged and waits.
pub fn take_follow_ups(
    centre: &Arc<Centre>,
    rng: &mut dyn CryptoRng,
    stop: &AtomicBool,
) -> Result<u64, JobError> {
    let (mut after, mut settled) = (0, 0);
    loop {
        let held = centre.read(|tx| Ok::<_, ServiceError>(supplements::held(tx, after, STRETCH)?))?;
        let Some((last, _)) = held.last() else { return Ok(settled) };
        after = *last;
        for (_, id) in &held {
            if stop.load(Ordering::Acquire) {
                return Ok(settled);
            }
            match take_one(centre, id, rng) {
                Ok(done) => settled += u64::from(done),
                Err(error) => {
                    tracing::error!(envelope.id = %id, error = ?error, "a follow-up could not be taken in");
                }
            }
        }
    }
}

/// Whether it was settled; if not, it waits.
fn take_one(centre: &Arc<Centre>, id: &EnvelopeId, rng: &mut dyn CryptoRng) -> Result<bool, JobError> {
    let held = match centre.read(|tx| read(tx, centre.context(), id))? {
        Read::Ready(held) => *held,
        Read::Waits => return Ok(false),
        Read::Strange(why) => {
            let (now_ms, id) = (centre.now_ms(), *id);
            centre.write(move |tx| Ok(aside(tx, now_ms, &id, ("quarantined", why))?))?;
            return Ok(true);
        }
    };
    let keys = &centre.context().keys;
    let closed = !held.row.state.is_open();
    let verdict = if closed { Ok(Verdict::Late) } else { judged(&held, keys, rng) }?;
    if let Verdict::Waits(key) = &verdict
        && centre
            .read(|tx| Ok::<_, ServiceError>(audit::is_raised(tx, unseal::UNKNOWN_KEY, key.as_str())?))?
    {
        return Ok(false);
    }
    let (now_ms, own) = (centre.now_ms(), centre.clone());
    let station = centre.write(move |tx| write(tx, own.context(), now_ms, (&held, &verdict)))?;
    if let Some(station) = &station {
        centre.ring(station);
    }
    Ok(station.is_some())
}

/// Judges it; a panic is what people look at.
fn judged(held: &Held, keys: &Keys, rng: &mut dyn CryptoRng) -> Result<Verdict, JobError> {
    match catch_unwind(AssertUnwindSafe(|| judge(held, keys, rng))) {
        Ok(verdict) => verdict,
        Err(_) => Ok(Verdict::Aside("follow-up.internal")),
    }
}

/// What reading an envelope gave.
enum Read {
    /// It can be judged.
    Ready(Box<Held>),
    /// Its case was not opened yet, or pages are awaited; or it is settled already.
    Waits,
    /// It never can be judged.
    Strange(&'static str),
}

/// Reads an envelope and its case.
fn read(tx: &mut Tx<'_>, context: &Context, id: &EnvelopeId) -> Result<Read, ServiceError> {
    let sql = "SELECT kind, refers_to, terminal, disposition FROM envelope WHERE envelope_id = $1";
    let Some(stored) = tx.query_first(sql, &[id.to_string().into()])? else { return Ok(Read::Waits) };
    if stored.text(3)? != "held" {
        return Ok(Read::Waits);
    }
    let Some(refers_to) = stored.text_or_null(1)? else { return Ok(Read::Strange("follow-up.no-case")) };
    let came = blobs::of_envelope(tx, id)?;
    if came.iter().any(Blob::is_awaited) {
        return Ok(Read::Waits);
    }
    let case = refers_to.parse().map_err(|_| StoreError::Stored { what: "envelope id" })?;
    match cases::by_id(tx, &case)? {
        None => return Ok(Read::Strange("follow-up.no-case")),
        Some(case) if is_unopened(case.state) => return Ok(Read::Waits),
        Some(_) => {}
    }
    let (row, view) = cases::current(tx, &case)?;
    let key = match case_key::find(tx, &case) {
        // It was opened when there was no key of its year, or is erased.
        Err(ServiceError::Refused { .. }) => return Ok(Read::Strange("follow-up.no-case")),
        key => key?,
    };
    let sealed = unseal::find(tx, id)?.ok_or(ProblemCode::NotFound)?;
    let first = unseal::find(tx, &case)?.ok_or(ProblemCode::NotFound)?;
    Ok(Read::Ready(Box::new(Held {
        id: *id,
        kind: stored.text(0)?.to_owned(),
        terminal: stored.text(2)?.to_owned(),
        sealed,
        first: (key, first),
        before: supplements::of_case(tx, &view)?,
        came: came.into_iter().filter(|blob| blob.arrived_at_ms.is_some()).map(|blob| blob.digest).collect(),
        volume: context.shelf.get(tx, row.catalogue_version)?,
        row,
        view,
    })))
}

fn is_unopened(state: CaseState) -> bool {
    matches!(state, CaseState::Received | CaseState::Quarantined)
}

/// Opens and judges an envelope. Computes only.
fn judge(held: &Held, keys: &Keys, rng: &mut dyn CryptoRng) -> Result<Verdict, JobError> {
    const CANNOT_OPEN: Verdict = Verdict::Aside("follow-up.cannot-open");
    let key = match held.sealed.unwrap(keys)? {
        Ok((_, key)) => key,
        Err(Locked { unknown_key: Some(key), .. }) => return Ok(Verdict::Waits(key)),
        Err(_) => return Ok(CANNOT_OPEN),
    };
    if held.kind == "withdrawal" {
        let Ok((_, Withdrawal { applicant })) = held.sealed.open(&key) else { return Ok(CANNOT_OPEN) };
        if applicant.source != IdentitySource::Read {
            return Ok(Verdict::Aside("follow-up.not-proven"));
        }
        let action = Action::Completed { outcome: Some(Outcome::Withdrawn), text: None };
        let person = person_key::id_number(keys, &applicant);
        return Ok(Verdict::Does { action: Box::new(action), then: Vec::new(), person, key: None });
    }
    let Ok((mut header, supplement)) = held.sealed.open::<Supplement>(&key) else { return Ok(CANNOT_OPEN) };
    // Pages that were given up did not come.
    header.blobs.retain(|blob| held.came.contains(&blob.digest));
    let person = person_key::id_number(keys, &supplement.applicant);
    let filled = Filled::open(&held.row, held.volume.as_deref(), &held.first, &held.before, keys)?;
    let (taken, unfit) = sort(held, &header, supplement, &filled);
    let then = switched(held, &taken, &filled);
    let taken = taken.into_iter().map(|(key, _)| key).collect();
    let action = Action::SupplementReceived { envelope: held.id, keys: taken, unfit };
    let key = case_key::wrap(&key, (&held.id, held.sealed.accepted_at_ms), keys, rng)?.map(Box::new);
    Ok(Verdict::Does { action: Box::new(action), then, person, key })
}

/// Which of the new answers were asked for and fit the form, and what is wrong with the others that were asked for.
fn sort(
    held: &Held,
    header: &EnvelopeHeader,
    supplement: Supplement,
    filled: &Filled,
) -> (Map<String, Json>, Vec<ReturnReason>) {
    // What was decided on is not exchanged behind the decision.
    let open = |step: &str| held.view.step(step).is_some_and(|step| step.state.is_open());
    let asked = |key: &str| held.view.wanted.iter().any(|wanted| wanted.is(key) && open(&wanted.step));
    // One that waited for its pages is older than what was taken in meanwhile.
    let newer = |key: &str| held.before.iter().any(|before| before.is_newer(held.sealed.server_seq, key));
    let answers = supplement.answers.into_iter().filter(|(key, _)| asked(key) && !newer(key));
    let mut new: Map<String, Json> = answers.collect();
    let mut unfit = Vec::new();
    new.retain(|key, value| {
        let before = unfit.len();
        missing_files(key, value, header, &mut unfit);
        let came = unfit.len() == before;
        unfit.truncate(before + 1);
        came && (!is_material(key) || is_file(value))
    });
    for error in filled.errors(&new) {
        let field = base(&error.key).to_owned();
        if new.remove(&field).is_some() {
            unfit.push(ReturnReason { field, kind: error.kind.name().to_owned() });
        }
    }
    unfit.truncate(MAX_UNFIT);
    (new, unfit)
}

/// What the new answers make of the steps with a condition.
fn switched(held: &Held, new: &Map<String, Json>, filled: &Filled) -> Vec<Action> {
    let entry =
        held.volume.as_deref().zip(held.row.item.as_ref()).and_then(|(v, code)| v.catalogue.entry(code));
    let Some(Entry::Bundle(bundle)) = entry else { return Vec::new() };
    if bundle.steps.iter().all(|step| step.when.is_none()) {
        return Vec::new();
    }
    let (answers, changed) = (filled.with(new), new.keys().cloned().collect::<Vec<_>>());
    held.view.switched(bundle, &changed, &|rule| filled.form.holds(rule, &answers, &filled.facts))
}

/// Whether an answer is a list of files, or one.
fn is_file(value: &Json) -> bool {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    list.iter().any(|file| file.get("hash").is_some())
}

/// Writes what an envelope came to, in one transaction; gives the station that has news if it was settled.
fn write(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (held, verdict): (&Held, &Verdict),
) -> Result<Option<StationId>, ServiceError> {
    let shelf = &context.shelf;
    let (action, then, person, key) = match verdict {
        Verdict::Does { action, then, person, key } => (action, then, person, key),
        Verdict::Waits(key) => {
            audit::raise_alarm(tx, now_ms, unseal::UNKNOWN_KEY, key.as_str(), None)?;
            return Ok(None);
        }
        Verdict::Aside(why) => return told(tx, shelf, now_ms, (held, ("quarantined", why))),
        Verdict::Late => return told(tx, shelf, now_ms, (held, LATE)),
    };
    let (row, view) = cases::current(tx, &held.row.envelope_id)?;
    if row.version != held.row.version {
        // Somebody did something meanwhile: the next round judges it anew.
        return Ok(None);
    }
    if !person_key::is_of(tx, (person_key::ID_NUMBER, person), &row.envelope_id)? {
        return told(tx, shelf, now_ms, (held, ("quarantined", "follow-up.another-person")));
    }
    let actor = Actor { id: &held.terminal, role: "terminal", on_behalf_of: None, click: None };
    let mut view = match cases::add(tx, shelf, now_ms, (&row, view), (actor, action.as_ref().clone())) {
        Err(ServiceError::Refused { .. }) => return told(tx, shelf, now_ms, (held, LATE)),
        view => view?,
    };
    if let Some(key) = key {
        key.keep(tx)?;
    }
    settle(tx, &held.id, "taken")?;
    for action in then {
        view = cases::add(tx, shelf, now_ms, (&row, view), (BY_CENTRE, action.clone()))?;
    }
    review::follow(tx, context, now_ms, (&row, view))?;
    Ok(Some(row.station))
}

/// Puts an envelope aside for people; gives the station that has news. Its case waits for it no longer.
fn told(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    now_ms: i64,
    (held, how): (&Held, (&str, &str)),
) -> Result<Option<StationId>, ServiceError> {
    aside(tx, now_ms, &held.id, how)?;
    let (row, view) = cases::current(tx, &held.row.envelope_id)?;
    cases::refresh(tx, shelf, &row, &view)?;
    Ok(Some(held.row.station.clone()))
}

fn aside(
    tx: &mut Tx<'_>,
    now_ms: i64,
    id: &EnvelopeId,
    (disposition, alarm): (&str, &str),
) -> Result<(), StoreError> {
    settle(tx, id, disposition)?;
    audit::raise_alarm(tx, now_ms, alarm, &id.to_string(), None)
}

fn settle(tx: &mut Tx<'_>, id: &EnvelopeId, disposition: &str) -> Result<(), StoreError> {
    let sql = "UPDATE envelope SET disposition = $2 WHERE envelope_id = $1 AND disposition = 'held'";
    tx.execute(sql, &[id.to_string().into(), disposition.into()]).map(|_| ())
}
