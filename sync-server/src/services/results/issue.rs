//! Issuing: a step of kind `issue` whose last level passed gives one certificate, in the transaction of that action; so does
//! the only step of an item that gives one.
use domain::bundle::StepKind;
use domain::case::{CaseView, ONLY_STEP, StepState};
use domain::catalogue::{Catalogue, Entry};
use domain::certificate::{Certificate, CertificateNo, CertificateToken, Holder};
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::wire::v1::Submission;
use rand_core::CryptoRng;

use super::{Given, given_by, note, sealed};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::CaseRow;
use crate::services::{Context, case_key, meta, unseal};
use crate::store::{Tx, Value};

/// The kind of hash under which a token is kept.
pub(super) const TOKEN: &str = "certificate-token";

/// Issues the certificate of a step that was just passed; nothing if it is none that issues, or another level must pass
/// it still. `view` is the case after the action, whose version names the certificate: the same action never gives two.
///
/// # Errors
/// [`ServiceError`]: `numbers-exhausted` if the case has 99 already, that its content does not open, or the store's.
pub fn issue_granted(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (row, view): (&CaseRow, &CaseView),
    (step, by): (&str, &str),
) -> Result<(), ServiceError> {
    let granted = view.step(step).is_some_and(|step| step.state == StepState::Passed);
    let issues = view.plan.step(step).is_some_and(|planned| planned.kind == StepKind::Issue);
    let given = row.item.as_ref().and_then(given_by).filter(|_| step == ONLY_STEP);
    if !granted || (!issues && given.is_none()) {
        return Ok(());
    }
    let volume = context.shelf.get(tx, row.catalogue_version)?;
    let catalogue = volume.as_deref().map(|volume| &volume.catalogue);
    let is_sample = catalogue.is_some_and(Catalogue::is_sample);
    // Titles and days of items alone are invented: over a catalogue that is none of a sample nobody signs them.
    let given = given.filter(|_| is_sample);
    if !issues && given.is_none() {
        return Ok(());
    }
    let id = &row.envelope_id;
    let key = case_key::find(tx, id)?.open(&context.keys)?;
    let sealed_content = unseal::find(tx, id)?.ok_or(ProblemCode::NotFound)?;
    let (_, submission) = sealed_content.open::<Submission>(&key)?;
    let sql = "SELECT COUNT(*) FROM certificate WHERE envelope_id = $1";
    let place = tx.query_int(sql, &[id.to_string().into()])? + 1;
    let place = u8::try_from(place).ok().and_then(|place| CertificateNo::of(&row.number, place));
    let holder = Holder { name: submission.applicant.name, id_number: submission.applicant.id_number };
    let missing = || ServiceError::Inconsistent(format!("case {id}: its item or step is not there"));
    let certificate = Certificate {
        number: place.ok_or(ProblemCode::NumbersExhausted)?,
        title: title(catalogue, row, step, given).ok_or_else(missing)?,
        holder,
        unit: view.step(step).ok_or_else(missing)?.unit.clone(),
        item: row.item.clone().ok_or_else(missing)?,
        step: step.to_owned(),
        case: row.number.clone(),
        valid_from: CivilDate::in_china(now_ms),
        valid_until: given
            .and_then(|given| given.days)
            .map(|days| CivilDate::in_china(now_ms).plus_days(i64::from(days) - 1)),
        issued_at_ms: now_ms,
        token: CertificateToken::new(rng),
        // What is issued among invented cases proves nothing, whatever the catalogue says.
        sample: is_sample || meta::sample_data(tx)?.is_some(),
    };
    keep(tx, context, (&key, rng), (&certificate, row, view.version))?;
    note(tx, now_ms, (by, "certificate.issued"), (&certificate.number, id))?;
    Ok(())
}

fn keep(
    tx: &mut Tx<'_>,
    context: &Context,
    (key, rng): (&DataKey, &mut dyn CryptoRng),
    (certificate, row, version): (&Certificate, &CaseRow, u64),
) -> Result<(), ServiceError> {
    let number = &certificate.number;
    let document = certificate.sign(&context.keys.receipt);
    let file = serde_json::to_vec(&document)
        .map_err(|e| ServiceError::Inconsistent(format!("certificate {number}: {e}")))?;
    let (nonce, sealed) = sealed(key, rng, &file, (number, "certificate"))?;
    let token = context.keys.person_hmac(TOKEN, &format!("{number}:{}", certificate.token.as_str()));
    let nothing = Vec::new();
    tx.execute(
        "INSERT INTO certificate (number, envelope_id, version, step, title, unit, valid_from, valid_until,
             issued_at_ms, token_hash, nonce, sealed, said_nonce, said)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
        &[
            number.as_str().into(),
            row.envelope_id.to_string().into(),
            version.into(),
            certificate.step.as_str().into(),
            certificate.title.as_str().into(),
            certificate.unit.as_str().into(),
            certificate.valid_from.to_string().into(),
            Value::from(certificate.valid_until.map(|day| day.to_string())),
            certificate.issued_at_ms.into(),
            token.as_slice().into(),
            nonce.0.as_slice().into(),
            sealed.as_slice().into(),
            nothing.into(),
        ],
    )?;
    Ok(())
}

/// What a certificate is called: the step in the catalogue version of the case, or what the item gives.
fn title(catalogue: Option<&Catalogue>, row: &CaseRow, step: &str, given: Option<&Given>) -> Option<String> {
    match catalogue?.entry(row.item.as_ref()?)? {
        Entry::Item(item) => Some(given.map_or_else(|| item.name.zh.clone(), |given| given.title.clone())),
        Entry::Bundle(bundle) => {
            bundle.steps.iter().find(|known| known.id == step).map(|known| known.name.zh.clone())
        }
    }
}
