//! The form to which a submission belongs, and what its rules may see: the same for the job that judges a submission
//! and for the people who look at it afterwards.
use std::sync::Arc;

use domain::case::{QuarantineReason, ReturnReason};
use domain::date::CivilDate;
use domain::envelope::BLOB_OVERHEAD;
use domain::form::{Facts, Form};
use domain::ids::ItemCode;
use domain::situation::{Misfit, NoForm, SituationAnswers, form_for};
use domain::wire::v1::{BlobEntry, EnvelopeHeader, Person};
use serde_json::Value as Json;

use super::cases::CaseRow;
use super::catalogue::Volume;
use crate::error::ServiceError;

/// A device clock that lies further back than this is not believed.
const BELIEVED_MS: i64 = 60 * 24 * 60 * 60 * 1_000;

/// The form to which the answers of a submission belong: the one of this catalogue version, adjusted to the situation
/// as the terminal did it; or why the situation fits no form.
///
/// # Errors
/// [`QuarantineReason`] if the version does not have the item, or contradicts itself.
pub fn form_of(
    volume: &Volume,
    code: &ItemCode,
    situation: Option<&SituationAnswers>,
) -> Result<Result<Form, Vec<Misfit>>, QuarantineReason> {
    let form = plain_form(volume, code)?;
    let entry = volume.catalogue.entry(code).ok_or(QuarantineReason::UnknownItem)?;
    match form_for(&volume.catalogue, entry, &form, situation) {
        Ok(adjusted) => Ok(Ok(adjusted)),
        Err(NoForm::Misfits(misfits)) => Ok(Err(misfits)),
        Err(NoForm::Form(_)) => Err(QuarantineReason::Internal),
    }
}

/// The form of a case that was opened, as [`form_of`] gives it.
///
/// # Errors
/// [`ServiceError::Inconsistent`] if there is none any more.
pub fn opened_form(
    volume: Option<&Volume>,
    case: &CaseRow,
    situation: Option<&SituationAnswers>,
) -> Result<Form, ServiceError> {
    let form = volume.zip(case.item.as_ref());
    let form = form.and_then(|(volume, code)| form_of(volume, code, situation).ok().and_then(Result::ok));
    let wrong = || ServiceError::Inconsistent(format!("case {}: its form is not there", case.envelope_id));
    form.ok_or_else(wrong)
}

/// Notes files that an answer names and that did not come with the envelope, or have another size.
pub fn missing_files(field: &str, value: &Json, header: &EnvelopeHeader, reasons: &mut Vec<ReturnReason>) {
    match value {
        Json::Object(file) if file.contains_key("hash") => {
            let hash = file.get("hash").and_then(Json::as_str).unwrap_or_default();
            let bytes = file.get("bytes").and_then(Json::as_u64).unwrap_or_default();
            let came = |b: &BlobEntry| {
                b.digest.to_string() == hash && b.length == bytes.saturating_add(BLOB_OVERHEAD)
            };
            if !header.blobs.iter().any(came) {
                reasons.push(ReturnReason { field: field.to_owned(), kind: "file_missing".to_owned() });
            }
        }
        Json::Object(group) => group.values().for_each(|v| missing_files(field, v, header, reasons)),
        Json::Array(list) => list.iter().for_each(|v| missing_files(field, v, header, reasons)),
        _ => {}
    }
}

/// The form of a catalogue version, before any situation.
///
/// # Errors
/// As [`form_of`].
pub fn plain_form(volume: &Volume, code: &ItemCode) -> Result<Arc<Form>, QuarantineReason> {
    let form = volume.form(code).map_err(|_| QuarantineReason::Internal)?;
    form.ok_or(QuarantineReason::UnknownItem)
}

/// What the rules of a form may see, as the terminal saw it when the form was filled.
pub fn facts(person: &Person, day: CivilDate) -> Facts {
    Facts {
        card_address: person.address.clone(),
        id_number: Some(person.id_number.clone()),
        name: Some(person.name.clone()),
        birth: person.birth,
        sex: person.sex,
        ..Facts::on(day)
    }
}

/// The day on which the form was filled, as far as it can be known: that of the device's clock corrected by its last
/// known offset, if that is neither in the future nor unbelievably old.
pub fn filled_on(header: &EnvelopeHeader, accepted_at_ms: i64) -> CivilDate {
    let corrected = header.device_time_ms.saturating_add(header.server_offset_ms.unwrap_or(0));
    let believed = corrected <= accepted_at_ms && corrected > accepted_at_ms - BELIEVED_MS;
    CivilDate::in_china(if believed { corrected } else { accepted_at_ms })
}
