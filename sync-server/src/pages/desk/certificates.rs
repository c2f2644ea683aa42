//! Certificates of a case at the desk: which there are, the page as PDF, the signed file, and revoking.
//!
//! Whoever sees all of the case, or whose unit did the step, may have them; each look leaves an audit row before the file
//! leaves. Refuses to revoke without words.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use documents::{CertificatePaper, DocumentError, Fact, Moment, Seal};
use domain::certificate::{Certificate, CertificateNo};
use domain::date::{CivilDate, china_clock};
use domain::envelope::SignedDocument;
use domain::ids::{CaseNo, UnitId};

use super::files::handed_out;
use super::gathered::Gathered;
use super::{W, history, number};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::pages::certificate::{Standing, valid};
use crate::pages::form::Fields;
use crate::pages::view::{self, Badge};
use crate::services::attachments::PDF_TYPE;
use crate::services::content::{self, Found, Scope};
use crate::services::results::{self, Stored};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;

/// A certificate in the list of a case.
pub struct CertificateView {
    /// What it is.
    pub title: String,
    /// Its number.
    pub number: String,
    /// Whether it is good.
    pub state: Badge,
    /// Unit and days.
    pub facts: String,
    /// Who revoked it, when and why.
    pub notes: Vec<String>,
    /// Address of its files; none if the caller may not have them.
    pub address: Option<String>,
    /// The caller may revoke it.
    pub revocable: bool,
}

/// Whether a caller of this unit may have a certificate: its step is theirs, or they see all of the case.
fn may_have(found: &Found, unit: &UnitId, step: &str) -> bool {
    found.scope == Scope::All || found.view.step(step).is_some_and(|step| found.view.books(unit, step))
}

/// The certificates of a case.
///
/// # Errors
/// [`ServiceError`] if a reason does not open.
pub fn list(of: &Gathered) -> Result<Vec<CertificateView>, ServiceError> {
    of.certificates.iter().map(|stored| one(of, stored)).collect()
}

fn one(of: &Gathered, stored: &Stored) -> Result<CertificateView, ServiceError> {
    let issued = &stored.issued;
    let theirs = may_have(&of.found, &of.unit, &issued.step);
    let mut notes = Vec::new();
    if let Some(revoked) = issued.revoked.as_ref().filter(|_| theirs) {
        let why = W.of("certificate_why", revoked.why.as_str());
        let time = view::time(revoked.at_ms, of.now_ms);
        let by = history::person(&of.story, &revoked.by);
        notes.push(W.fill("desk.certificate_revoked", &[("time", &time), ("who", by), ("why", &why)]));
        notes.extend(stored.said(&of.content.key)?);
    }
    Ok(CertificateView {
        title: issued.title.clone(),
        number: issued.number.groups().join(" "),
        state: Standing::of(issued, of.now_ms).badge(W),
        facts: format!("{} · {}", issued.unit, valid(W, issued)),
        notes,
        address: theirs.then(|| format!("/desk/{}/certificates/{}", of.found.row.number, issued.number)),
        revocable: stored.is_revocable_by(&of.caller),
    })
}

/// The number of a case and of a certificate that an address names.
type Named = Result<Path<(String, String)>, PathRejection>;

fn named(place: Named) -> Result<(CaseNo, CertificateNo), ServiceError> {
    let place = place.ok().and_then(|Path((case, no))| Some((number(&case).ok()?, no.parse().ok()?)));
    place.ok_or_else(|| ProblemCode::NotFound.into())
}

/// A certificate that the caller may have, and its case.
fn had(
    tx: &mut Tx<'_>,
    app: &App,
    (case, no): (&CaseNo, &CertificateNo),
    caller: &Caller,
) -> Result<(Found, Stored), ServiceError> {
    let context = app.centre.context();
    let found = content::find(tx, context, case, caller)?;
    let stored = results::of_case_numbered(tx, &found.row.envelope_id, no)?;
    let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
    if !may_have(&found, unit, &stored.issued.step) {
        return Err(ProblemCode::UnitNeeded.into());
    }
    Ok((found, stored))
}

/// How a file is made of a certificate.
type Make = fn(&App, &Stored, &SignedDocument, &Certificate) -> Result<Vec<u8>, ServiceError>;

/// Makes the bytes of a file of a certificate, and notes that somebody is about to see it.
async fn file(
    app: App,
    caller: Caller,
    place: Named,
    make: Make,
) -> Result<(CertificateNo, Vec<u8>), ServiceError> {
    let (case, no) = named(place)?;
    blocking(move || {
        let centre = &app.centre;
        let (found, stored) = centre.read(|tx| had(tx, &app, (&case, &no), &caller))?;
        let key = found.data_key(&centre.context().keys)?;
        let (document, certificate) = stored.open(&key)?.ok_or(ProblemCode::NotFound)?;
        let bytes = make(&app, &stored, &document, &certificate)?;
        let (now_ms, id, seen) = (centre.now_ms(), found.row.envelope_id, no.clone());
        centre.write(move |tx| Ok(results::note_seen(tx, now_ms, caller.account.as_str(), (&seen, &id))?))?;
        Ok((no, bytes))
    })
    .await
}

/// The page as PDF.
pub async fn pdf(State(app): State<App>, caller: Caller, place: Named) -> Page {
    let make = |app: &App, stored: &Stored, _: &SignedDocument, certificate: &Certificate| {
        let typeface = app
            .typefaces
            .get()
            .map_err(|e| ServiceError::Inconsistent(operator::findings::with_causes(&e)))?;
        let paper = paper(stored, certificate, &app.centre.context().people_url);
        documents::certificate(&paper, &typeface).map_err(|error| match error {
            DocumentError::TooLong | DocumentError::Code => {
                ServiceError::refused(ProblemCode::TooLarge, "the certificate does not fit on a page")
            }
            other => ServiceError::Inconsistent(operator::findings::with_causes(&other)),
        })
    };
    let (no, bytes) = file(app, caller, place, make).await?;
    Ok(handed_out("attachment", &format!("{no}.pdf"), (PDF_TYPE, bytes)))
}

/// The signed file, which terminals verify without a network.
pub async fn signed(State(app): State<App>, caller: Caller, place: Named) -> Page {
    let make = |_: &App, stored: &Stored, document: &SignedDocument, _: &Certificate| {
        serde_json::to_vec(document)
            .map_err(|e| ServiceError::Inconsistent(format!("certificate {}: {e}", stored.issued.number)))
    };
    let (no, bytes) = file(app, caller, place, make).await?;
    Ok(handed_out("attachment", &format!("{no}.json"), ("application/json", bytes)))
}

/// Revokes it, and leads back to the case.
pub async fn revoke(State(app): State<App>, caller: Caller, place: Named, fields: Fields) -> Page {
    let (case, no) = named(place)?;
    let reason = fields.only(&["text"])?.get("text").to_owned();
    let back = format!("/desk/{case}#certificates");
    blocking(move || {
        let (centre, own) = (app.centre.clone(), app.centre.clone());
        centre.write(move |tx| {
            let (context, now_ms) = (own.context(), own.now_ms());
            let found = content::find(tx, context, &case, &caller)?;
            let rng = &mut own.random();
            results::revoke(tx, context, (now_ms, rng), (&caller, &found.row), (&no, &reason))
        })
    })
    .await?;
    Ok(see_other(&back))
}

/// What stands on the page.
fn paper(stored: &Stored, certificate: &Certificate, people_url: &str) -> CertificatePaper {
    let fact = |key: &str, words: String| Fact { caption: W.t(key).to_owned(), words };
    let issued = CivilDate::in_china(certificate.issued_at_ms);
    let (year, month, day) = issued.parts();
    let (hour, minute) = china_clock(certificate.issued_at_ms);
    let part = |n: i8| u8::try_from(n).unwrap_or(1);
    let unit = certificate.unit.to_string();
    CertificatePaper {
        title: certificate.title.clone(),
        sample: certificate.sample.then(|| W.t("certificate.sample").to_owned()),
        facts: vec![
            fact("certificate.number", certificate.number.groups().join(" ")),
            fact("certificate.holder", certificate.holder.name.clone()),
            fact("certificate.id_number", certificate.holder.id_number.clone()),
            fact("certificate.valid", valid(W, &stored.issued)),
            fact("case.number", certificate.case.groups().join(" ")),
        ],
        code: certificate.address(people_url),
        code_notes: vec![W.t("certificate.scan").to_owned()],
        seal: certificate
            .sample
            .then(|| Seal { owner: unit.clone(), words: W.t("certificate.sample_seal").to_owned() }),
        signed: vec![unit, issued.to_string()],
        foot: W.t("certificate.foot").to_owned(),
        language: "zh-CN".to_owned(),
        made: Moment {
            year: u16::try_from(year).unwrap_or_default(),
            month: part(month),
            day: part(day),
            hour: u8::try_from(hour).unwrap_or_default(),
            minute: u8::try_from(minute).unwrap_or_default(),
        },
    }
}
