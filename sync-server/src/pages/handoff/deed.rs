//! What a clerk does with a handoff: hands it over after the formal review, notes that the result is there, archives.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::date::CivilDate;
use domain::handoff::{HandoffState, Side, Step};
use domain::ids::EnvelopeId;
use domain::wire::v1::{PartnerContent, PartnerSaid, Submission};

use super::{W, id_in, partners};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::pages::form::Fields;
use crate::partners::{Register, Silence, form_of};
use crate::services::handoff::{self, Heard, NewContent, Own, Row};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;

/// Boxes of the formal review (形审) and the identity check (核验): all are ticked, or nothing is handed over.
pub(super) const TICKS: [&str; 4] = ["complete", "identity", "consent", "phones"];
/// Fields of the form.
const FIELDS: [&str; 6] = ["deed", "seen", "complete", "identity", "consent", "phones"];

/// A deed.
pub async fn deed(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let id = id_in(id.ok().map(|Path(id)| id))?;
    let fields = fields.only(&FIELDS)?;
    let seen = fields.get("seen").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let told = blocking(move || {
        let register = partners(&app)?;
        let row = app.centre.read(|tx| own_row(tx, &caller, &id))?;
        let done = match fields.get("deed") {
            "hand_over" if !TICKS.iter().all(|tick| fields.has(tick)) => Ok("ticks"),
            "hand_over" => hand_over(&app, &caller, register, (row, seen)),
            "receive" => plain(&app, &caller, register, (id, seen), Some(PartnerSaid::ResultReceived)),
            "archive" => plain(&app, &caller, register, (id, seen), None),
            _ => Err(ProblemCode::MalformedRequest.into()),
        };
        match done {
            // The page showed something else than what stands there now: it is drawn anew, and says so.
            Err(ServiceError::Refused { code: ProblemCode::CaseChanged, .. }) => Ok("stale"),
            done => done,
        }
    })
    .await?;
    Ok(see_other(&format!("/handoffs/one/{id}?told={told}")))
}

fn own_row(tx: &mut crate::store::Tx<'_>, caller: &Caller, id: &EnvelopeId) -> Result<Row, ServiceError> {
    let row = handoff::find(tx, id)?;
    let own = row.side == Side::Accepting && row.clerk == caller.account.as_str();
    if own { Ok(row) } else { Err(ProblemCode::NotFound.into()) }
}

/// A step that needs nothing more.
fn plain(
    app: &App,
    caller: &Caller,
    register: Register,
    (id, seen): (EnvelopeId, u64),
    said: Option<PartnerSaid>,
) -> Result<&'static str, ServiceError> {
    let told = if said.is_some() { "received" } else { "archived" };
    let (here, caller, now_ms, rng) =
        (app.centre.clone(), caller.clone(), app.centre.now_ms(), app.centre.random());
    app.centre.write(move |tx| {
        let own = Own { context: here.context(), register: &register };
        let (mut row, mut rng) = (own_row(tx, &caller, &id)?, rng.clone());
        let step = said.as_ref().map_or(Step::Archived, PartnerSaid::step);
        let said = said.clone().map(|said| (EnvelopeId::new(now_ms, &mut rng), said));
        let over = said.is_none();
        handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen), (caller.account.as_str(), step, said))?;
        if over {
            handoff::wipe(tx, &id)?;
        }
        Ok(())
    })?;
    Ok(told)
}

/// 形审, 核验, 已传: by the form that the home region has now, as far as it answers.
fn hand_over(
    app: &App,
    caller: &Caller,
    register: Register,
    (row, seen): (Row, u64),
) -> Result<&'static str, ServiceError> {
    if row.state() == HandoffState::Sent && row.handoff.version == seen + 3 {
        // The same click once more.
        return Ok("sent");
    }
    // Before anything is asked or written: what somebody looks at is what is handed over.
    let open = matches!(row.state(), HandoffState::Received | HandoffState::Returned);
    if !open || row.handoff.version != seen {
        return Err(ProblemCode::CaseChanged.into());
    }
    let (centre, now_ms) = (&app.centre, app.centre.now_ms());
    let partner = register.partner(&row.partner).cloned().ok_or(ProblemCode::PartnerUnknown)?;
    let (known, content) = centre.read(|tx| {
        let known = handoff::heard(tx, &row.partner, &row.item)?;
        Ok::<_, ServiceError>((known, handoff::open_content(tx, &row.id, &centre.context().keys)?))
    })?;
    // A region that does not answer gets it with the form that it had: it judges by the version that is named.
    match form_of(&partner, &row.item) {
        Ok(form) => {
            let newer = Heard::now(form, now_ms)?;
            if let Some(told) = changed(app, &row, (&newer, known.as_ref()), &content)? {
                return Ok(told);
            }
        }
        Err(Silence::NotTaken) => return Ok("not_taken"),
        Err(_) => {}
    }
    let (here, caller, rng) = (centre.clone(), caller.clone(), centre.random());
    centre.write(move |tx| {
        let own = Own { context: here.context(), register: &register };
        let (mut row, mut rng) = (own_row(tx, &caller, &row.id)?, rng.clone());
        let actor = caller.account.as_str();
        // Filled in anew in another window while the home region was asked.
        if handoff::open_content(tx, &row.id, &here.context().keys)? != content {
            return Err(ProblemCode::CaseChanged.into());
        }
        for (n, step) in [Step::FormChecked, Step::IdentityChecked].into_iter().enumerate() {
            handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen + n as u64), (actor, step, None))?;
        }
        let id = EnvelopeId::new(now_ms, &mut rng);
        let content = PartnerContent::Submission { submission: content.clone() };
        let said = PartnerSaid::HandedOver {
            mode: row.handoff.mode,
            item: row.item.clone(),
            form_version: row.form_version,
            round: row.handoff.round + 1,
            sealed: handoff::seal_for(own, (&row, id), &content, &mut rng)?,
        };
        let step = said.step();
        handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen + 2), (actor, step, Some((id, said))))
    })?;
    Ok("sent")
}

/// Whether the home region has another form than the one that was filled in; what is told then. Where the answers fit the
/// new one, it takes its place and somebody looks once more; otherwise the form is filled in anew.
fn changed(
    app: &App,
    row: &Row,
    (newer, known): (&Heard, Option<&Heard>),
    content: &Submission,
) -> Result<Option<&'static str>, ServiceError> {
    let version = newer.form.catalogue_version;
    if version == row.form_version {
        return Ok(None);
    }
    let centre = &app.centre;
    let base = centre.read(|tx| centre.context().shelf.newest(tx))?.ok_or(ProblemCode::NotFound)?;
    let volume = handoff::with_item(&base, &newer.form.item);
    let day = CivilDate::in_china(centre.now_ms());
    let fits = handoff::misfits(&volume, &row.item, content, (day, W.0)).is_empty();
    let same =
        known.is_some_and(|k| k.form.catalogue_version == row.form_version && k.digest == newer.digest);
    let sealed =
        NewContent::seal((&row.id, centre.now_ms()), content, &centre.context().keys, &mut centre.random())?;
    let (newer, id, seen) = (newer.clone(), row.id, row.handoff.version);
    centre.write(move |tx| {
        handoff::keep_heard(tx, &newer)?;
        if handoff::find(tx, &id)?.handoff.version != seen {
            return Err(ProblemCode::CaseChanged.into());
        }
        if fits { handoff::keep_content(tx, &sealed, version) } else { Ok(()) }
    })?;
    Ok(match (fits, same) {
        (true, true) => None,
        (true, false) => Some("renewed"),
        (false, _) => Some("refill"),
    })
}
