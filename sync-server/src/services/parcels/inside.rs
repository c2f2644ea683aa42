//! What names somebody: to whom a parcel goes, what is in it, the carrier's number, words. Sealed under the data key of the
//! case beside the event, bound to the parcel. Refuses to print itself.
use std::fmt;

use domain::bundle::StepKind;
use domain::case::CaseView;
use domain::catalogue::regions;
use domain::certificate::CertificateNo;
use domain::envelope::{DataKey, Nonce};
use domain::ids::EnvelopeId;
use domain::parcel::{Event, ParcelNo, ParcelState};
use domain::wire::v1::Submission;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{StoredEvent, events, of_case};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::CaseRow;
use crate::services::results;
use crate::services::{Context, case_key, supplements, unseal};
use crate::store::Tx;

/// Fields of forms that say where something is to be sent, the first one that is answered.
const MAIL: &str = "mail_addr";
const HOME: &str = "residence_addr";
const PHONE: &str = "phone";

/// What is sealed beside an event. Never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// To whom it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<To>,
    /// 封装清单: what is in it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<String>,
    /// The carrier's number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tracking: String,
    /// What a carrier or somebody at the desk wrote.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// To whom a parcel goes. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct To {
    /// Name.
    pub name: String,
    /// Phone number; may be empty.
    pub phone: String,
    /// Region and detail in words.
    pub address: String,
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside(..)")
    }
}

impl fmt::Debug for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("To(..)")
    }
}

/// Sealed bytes, or none.
pub(super) struct Sealed {
    pub nonce: Vec<u8>,
    pub sealed: Vec<u8>,
}

impl Sealed {
    pub fn nothing() -> Self {
        Self { nonce: Vec::new(), sealed: Vec::new() }
    }

    pub fn of(
        (key, rng): (&DataKey, &mut dyn CryptoRng),
        number: &ParcelNo,
        inside: &Inside,
    ) -> Result<Self, ServiceError> {
        let wrong = |e: &dyn fmt::Display| ServiceError::Inconsistent(format!("parcel {number}: {e}"));
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(inside).map_err(|e| wrong(&e))?);
        let nonce = Nonce::new(rng);
        let sealed = key.encrypt(nonce, &plain, &bound_to(number)).map_err(|e| wrong(&e))?;
        Ok(Self { nonce: nonce.0.to_vec(), sealed })
    }
}

impl StoredEvent {
    /// What is sealed beside it; none if nothing is, or the case is erased.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open(&self, key: &DataKey, number: &ParcelNo) -> Result<Option<Inside>, ServiceError> {
        if self.sealed.is_empty() {
            return Ok(None);
        }
        let wrong = || ServiceError::Inconsistent(format!("parcel {number}: an event does not open"));
        let nonce = self.nonce.as_slice().try_into().map_err(|_| wrong())?;
        let plain = key.decrypt(Nonce(nonce), &self.sealed, &bound_to(number)).map_err(|_| wrong())?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| wrong())
    }
}

fn bound_to(number: &ParcelNo) -> Vec<u8> {
    format!("jinban parcel v1 {number}").into_bytes()
}

/// The key of a case; none once it is erased.
pub(super) fn key_of(
    tx: &mut Tx<'_>,
    context: &Context,
    id: &EnvelopeId,
) -> Result<Option<DataKey>, ServiceError> {
    match case_key::find(tx, id) {
        Ok(key) => Ok(Some(key.open(&context.keys)?)),
        Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Whether a case is erased: nobody knows any more to whom its parcel goes.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn is_erased(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<bool, ServiceError> {
    match case_key::find(tx, id) {
        Ok(_) => Ok(false),
        Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => Ok(true),
        Err(other) => Err(other),
    }
}

/// To whom the result of a case goes: name and phone of whoever applied, and the address of the form, if one was given;
/// none once the case is erased.
///
/// # Errors
/// [`ServiceError`] if the content does not open, or the store fails.
pub fn recipient(
    tx: &mut Tx<'_>,
    context: &Context,
    (row, view): (&CaseRow, &CaseView),
) -> Result<Option<(To, bool)>, ServiceError> {
    let id = &row.envelope_id;
    let Some(key) = key_of(tx, context, id)? else { return Ok(None) };
    let Some(sealed) = unseal::find(tx, id)? else { return Ok(None) };
    let (_, submission) = sealed.open::<Submission>(&key)?;
    let Submission { applicant, mut answers, .. } = submission;
    let supplements = supplements::of_case(tx, view)?;
    let brought: Vec<_> = supplements.iter().map(|s| s.open(&context.keys)).collect::<Result<_, _>>()?;
    supplements::overlay(&mut answers, &brought);
    let newest = context.shelf.newest(tx)?;
    let none = std::collections::BTreeMap::new();
    let tree = newest.as_deref().map_or(&none, |volume| &volume.catalogue.regions);
    let by_post = view.plan.steps().iter().any(|step| step.kind == StepKind::Mail && !step.off);
    let address = [MAIL, HOME].into_iter().filter(|key| *key == MAIL || by_post);
    let address = address.filter_map(|key| written(&answers, key, |code| regions::named(tree, code))).next();
    let phone = answers.get(PHONE).and_then(Json::as_str).unwrap_or_default().to_owned();
    let known = address.is_some();
    Ok(Some((To { name: applicant.name, phone, address: address.unwrap_or_default() }, known)))
}

/// An address of the answers in words.
fn written(answers: &Map<String, Json>, key: &str, named: impl Fn(&str) -> String) -> Option<String> {
    let part = |name: &str| answers.get(key)?.get(name)?.as_str().map(str::trim).filter(|s| !s.is_empty());
    let detail = part("detail")?;
    Some(part("region").map_or_else(|| detail.to_owned(), |code| format!("{} {detail}", named(code))))
}

/// What is to be in the parcel of a case: its certificates that are good and that no parcel brought, a line each.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn contents(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<String>, ServiceError> {
    Ok(left(tx, id)?.into_iter().map(|(_, line)| line).collect())
}

/// As [`contents`], each line with the number of its certificate.
pub(super) fn left(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<(CertificateNo, String)>, ServiceError> {
    let mut brought = Vec::new();
    for stored in of_case(tx, id)? {
        if stored.parcel.state.is_received() {
            brought.extend(of_parcel(&events(tx, &stored.number)?, stored.parcel.state));
        }
    }
    let mut left = Vec::new();
    for stored in results::of_case(tx, id)? {
        let issued = stored.issued;
        if issued.revoked.is_none() && !brought.contains(&issued.number) {
            let line = format!("{} {}", issued.title, issued.number);
            left.push((issued.number, line));
        }
    }
    Ok(left)
}

/// The certificates that a parcel brought: as it was packed last, or as it was handed over at a window.
fn of_parcel(events: &[StoredEvent], state: ParcelState) -> Vec<CertificateNo> {
    let fixed = |event: &StoredEvent| match &event.happened.event {
        Event::Packed { certificates, .. } if state == ParcelState::Delivered => Some(certificates.clone()),
        Event::PickedUp { certificates } if state == ParcelState::PickedUp => Some(certificates.clone()),
        _ => None,
    };
    events.iter().rev().find_map(fixed).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_its_region_and_its_detail() {
        let answers = json!({ "a": { "region": "630102", "detail": " 1 " }, "b": { "detail": "2" }, "c": { "region": "630102" },
                              "d": "text", "e": { "region": 7, "detail": "3" } });
        let answers = answers.as_object().cloned().unwrap_or_default();
        let table = [
            ("a", Some("R630102 1")),
            ("b", Some("2")),
            ("c", None),
            ("d", None),
            ("e", Some("3")),
            ("f", None),
        ];
        for (key, words) in table {
            assert_eq!(written(&answers, key, |code| format!("R{code}")).as_deref(), words, "{key}");
        }
    }

    #[test]
    fn nobody_is_printed() {
        let to = To { name: "secret".into(), phone: "secret".into(), address: "secret".into() };
        let inside = Inside { to: Some(to.clone()), ..Inside::default() };
        assert!(!format!("{to:?} {inside:?}").contains("secret"));
    }
}
