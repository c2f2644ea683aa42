//! The last button: what the page shows is handed in, once, whoever presses how often.
use std::collections::BTreeSet;

use domain::date::CivilDate;
use domain::envelope::{BLOB_OVERHEAD, Digest};
use domain::form::{Answers, FieldError};
use domain::situation::{SituationAnswers, misfits, questions};
use domain::wire::v1::{BlobEntry, BlobKind, Submission};
use serde_json::Value;

use super::form::{Became, Desk};
use super::purpose::{Adding, Purpose};
use super::{W, newest, refusal, supplement_refusal};
use crate::error::ServiceError;
use crate::services::rollout;
use crate::services::supplementing::Bringing;
use crate::services::window::drafts::KeptFile;
use crate::services::window::{self, Filled};

/// The answers as they would be sent, and what is wrong with them.
pub(super) struct Complete {
    pub(super) effective: Answers,
    pub(super) errors: Vec<FieldError>,
    /// Answers to what asks for files.
    pub(super) files: Vec<Value>,
}

/// Hands the form in; or why not, in words, and then nothing was done.
pub(super) fn submit(
    desk: &Desk<'_>,
    complete: Complete,
    situation: &SituationAnswers,
) -> Result<Result<Became, Vec<String>>, ServiceError> {
    if let Purpose::Supplement(adding) = &desk.purpose {
        return supplement(desk, adding, complete);
    }
    let Complete { effective, errors, files } = complete;
    let (catalogue, entry, centre) = (&desk.volume.catalogue, desk.entry()?, &desk.app.centre);
    if !misfits(catalogue, entry, situation).is_empty() {
        return Ok(Err(vec![W.t("window.situation_first").to_owned()]));
    }
    if !errors.is_empty() {
        // They stand in the summary of the check.
        return Ok(Err(Vec::new()));
    }
    let may = centre.read(|tx| {
        let (newest, withdrawn) = (newest(tx, centre)?, rollout::withdrawn(tx)?);
        let today = CivilDate::in_china(desk.now_ms);
        Ok::<_, ServiceError>(window::can_finish(
            (catalogue, &newest.catalogue),
            &withdrawn,
            &desk.draft.item,
            today,
        ))
    })?;
    if let Err(why) = may {
        return Ok(Err(vec![refusal(&why)]));
    }
    let Some(blobs) = kept(desk, &files)? else { return Ok(Err(vec![W.t("window.file_gone").to_owned()])) };
    let asked = !questions(catalogue, entry).is_empty();
    let submission = Submission {
        applicant: desk.content.person.clone(),
        answers: effective.as_map().clone(),
        situation: asked.then(|| situation.clone()),
    };
    let filled = Filled::new(&desk.draft, desk.key.clone(), &submission, blobs)?;
    let (own, clerk, now_ms, rng) = (centre.clone(), desk.clerk.clone(), desk.now_ms, centre.random());
    let handed_in = centre
        .write(move |tx| window::hand_in(tx, own.context(), (now_ms, &mut rng.clone()), &clerk, &filled))?;
    centre.ring_stored();
    remove(desk, &handed_in.left_over);
    Ok(Ok(Became::Case(handed_in.number)))
}

/// Hands in what a case waits for.
fn supplement(
    desk: &Desk<'_>,
    adding: &Adding,
    complete: Complete,
) -> Result<Result<Became, Vec<String>>, ServiceError> {
    let Complete { effective, errors, files } = complete;
    if !errors.is_empty() {
        return Ok(Err(Vec::new()));
    }
    let named = adding.sheet.named(&effective);
    let wrong = adding.sheet.errors(&named);
    if !wrong.is_empty() {
        return Ok(Err(adding.mistakes(W, &wrong)));
    }
    let Some(blobs) = kept(desk, &files)? else { return Ok(Err(vec![W.t("window.file_gone").to_owned()])) };
    let (id, case) = (desk.draft.id, adding.asked.row.envelope_id);
    let content = (adding.sheet.applicant.clone(), named);
    let bringing = Bringing::new((id, desk.key.clone()), case, content, blobs)?;
    let (centre, clerk, now_ms) = (desk.app.centre.clone(), desk.clerk.clone(), desk.now_ms);
    let (own, visit, rng) = (centre.clone(), desk.draft.visit.clone(), centre.random());
    let done = centre.write(move |tx| {
        let at = (now_ms, &mut rng.clone());
        window::hand_in_supplement(tx, own.context(), at, (&clerk, &visit), &bringing)
    })?;
    let (_, left_over) = match done {
        Ok(done) => done,
        Err(why) => return Ok(Err(vec![supplement_refusal(W, why)])),
    };
    centre.ring_stored();
    remove(desk, &left_over);
    Ok(Ok(Became::Supplement(id)))
}

/// Removes pages that were taken away again. After a kill before this they stay behind with no row that names them. They
/// lie sealed, but their key lives on in the case: decision 025 says so.
fn remove(desk: &Desk<'_>, left_over: &[Digest]) {
    for digest in left_over {
        if let Err(e) = desk.app.uploads.blobs().remove(digest) {
            tracing::warn!(
                error = &e as &dyn std::error::Error,
                "a page that was taken away again stays behind"
            );
        }
    }
}

/// The files that answers name, all of which are there; nothing if one is not.
fn kept(desk: &Desk<'_>, files: &[Value]) -> Result<Option<Vec<BlobEntry>>, ServiceError> {
    let Some(blobs) = named(files, &desk.content.files) else { return Ok(None) };
    for blob in &blobs {
        if desk.app.uploads.blobs().length(&blob.digest)? != Some(blob.length) {
            return Ok(None);
        }
    }
    Ok(Some(blobs))
}

/// The files that these answers name, as the header names them; nothing if one of them is none of this form's.
fn named(answers: &[Value], kept: &[KeptFile]) -> Option<Vec<BlobEntry>> {
    let mut found = BTreeSet::new();
    for answer in answers {
        let list = answer.as_array().map_or_else(|| std::slice::from_ref(answer), Vec::as_slice);
        for value in list {
            found.insert(kept.iter().position(|file| is(value, file))?);
        }
    }
    let entry = |file: &KeptFile| BlobEntry {
        digest: file.digest,
        length: file.length,
        kind: if file.photo { BlobKind::Photo } else { BlobKind::Page },
        page: file.page,
    };
    Some(found.iter().filter_map(|at| kept.get(*at)).map(entry).collect())
}

/// Whether an answer is this file: its hash, or its hash with its size.
fn is(value: &Value, file: &KeptFile) -> bool {
    let digest = file.digest.to_string();
    match value {
        Value::String(hash) => *hash == digest,
        value => {
            let bytes = value.get("bytes").and_then(Value::as_u64).unwrap_or_default();
            value.get("hash").and_then(Value::as_str) == Some(digest.as_str())
                && bytes.saturating_add(BLOB_OVERHEAD) == file.length
        }
    }
}
