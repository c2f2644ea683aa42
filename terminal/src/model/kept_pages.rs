//! The pages of a field that are kept: what the answer says of them, in their order, and the list that shows them.
//!
//! Refuses to name a page in the answer before it lies sealed on the disk.
use std::sync::Arc;

use domain::envelope::MAX_BLOBS;
use domain::form::{FileLimits, PlanField, Widget};
use domain::ids::EnvelopeId;
use domain::wire::v1::BlobKind;
use hardware::pages::Finding;
use serde_json::{Value, json};

use super::{CaptureStep, Model, Session, TakenPage};
use crate::event::{CaptureJob, Job, KeptPage, NewPage};

/// What a form's file says of a page: pages are JPEG.
const JPEG: &str = "image/jpeg";

/// A page of a field, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLine {
    /// What it is known by.
    pub hash: String,
    /// What is wrong with it, if it was taken in this visit.
    pub findings: Vec<Finding>,
}

/// Hashes of the files of an answer.
pub fn hashes(value: Option<&Value>) -> Vec<&str> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(hash).collect()
}

fn hash(file: &Value) -> Option<&str> {
    file.as_str().or_else(|| file.get("hash")?.as_str()).filter(|text| !text.is_empty())
}

/// The files of an answer as they stand in it.
fn files(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list.clone(),
        Some(one) if hash(one).is_some() => vec![one.clone()],
        _ => Vec::new(),
    }
}

impl Session {
    /// The field for which pages are taken.
    pub fn captured_field(&self) -> Option<&PlanField> {
        let key = &self.capture.as_ref()?.key;
        self.plan.pages.iter().flat_map(|page| &page.fields).find(|field| field.key == *key)
    }

    /// Its pages, in their order.
    pub fn captured_pages(&self) -> Vec<PageLine> {
        let value = self.captured_field().and_then(|field| field.value.as_ref());
        let line = |hash: &str| {
            let known = self.findings.iter().find(|(known, _)| known == hash);
            PageLine { hash: hash.to_owned(), findings: known.map(|(_, f)| f.clone()).unwrap_or_default() }
        };
        hashes(value).into_iter().map(line).collect()
    }

    /// How many more pages it takes.
    pub fn captured_room(&self) -> usize {
        let Some(field) = self.captured_field() else { return 0 };
        let most = field.files.as_ref().map_or(1, |files| usize::try_from(files.max).unwrap_or(1));
        // An only page is put in the place of the one before.
        if most == 1 { 1 } else { most.min(MAX_BLOBS).saturating_sub(hashes(field.value.as_ref()).len()) }
    }
}

/// Whether pages can be taken for a field: pages are JPEG.
pub fn takes_pages(field: &PlanField) -> bool {
    let takes = |files: &FileLimits| files.kinds.is_empty() || files.kinds.iter().any(|kind| kind == JPEG);
    matches!(field.widget, Widget::Photo | Widget::Attachment) && field.files.as_deref().is_some_and(takes)
}

impl Model {
    /// Has a page sealed and kept for the field.
    pub(super) fn keep_page(&mut self, page: Arc<TakenPage>) -> Vec<Job> {
        let Some(session) = &self.session else { return Vec::new() };
        let (Some(envelope_id), Some(field)) = (session.envelope_id, session.captured_field()) else {
            return Vec::new();
        };
        let kind = if field.widget == Widget::Photo { BlobKind::Photo } else { BlobKind::Page };
        vec![Job::KeepPage(Box::new(NewPage { envelope_id, key: field.key.clone(), kind, page }))]
    }

    /// A page lies sealed on the disk: it becomes part of the answer.
    pub(super) fn page_kept(&mut self, kept: KeptPage) -> Vec<Job> {
        let Some(session) = self.session_with(kept.envelope_id) else { return Vec::new() };
        let field = session.plan.pages.iter().flat_map(|page| &page.fields).find(|f| f.key == kept.key);
        let Some(field) = field else { return vec![Job::DropPage(kept.envelope_id, kept.hash)] };
        let limits = field.files.as_deref();
        let file = match limits.and_then(|limits| limits.max_bytes) {
            Some(_) => json!({"hash": kept.hash, "bytes": kept.bytes, "kind": JPEG}),
            None => json!(kept.hash),
        };
        let before = files(field.value.as_ref());
        let single = field.widget == Widget::Photo;
        let most = limits.map_or(1, |limits| usize::try_from(limits.max).unwrap_or(1));
        let mut jobs = Vec::new();
        let (value, gone) = match (single, before.len() < most) {
            (true, _) => (file, before),
            (false, true) => (Value::Array([before, vec![file]].concat()), Vec::new()),
            (false, false) if most == 1 => (json!([file]), before),
            (false, false) => (Value::Array(before), vec![file]),
        };
        let gone = gone.iter().filter_map(hash).map(str::to_owned);
        jobs.extend(gone.map(|hash| Job::DropPage(kept.envelope_id, hash)));
        if session.findings.len() >= MAX_BLOBS {
            session.findings.remove(0);
        }
        session.findings.push((kept.hash, kept.findings));
        jobs.extend(self.set_pages(&kept.key, Some(value)));
        if let Some(capture) = self.capture().filter(|c| matches!(c.step, CaptureStep::Keeping)) {
            capture.step = CaptureStep::Pages;
        }
        jobs
    }

    /// A page could not be kept (words `capture.failed.{key}`).
    pub(super) fn page_refused(&mut self, envelope_id: EnvelopeId, key: &'static str) -> Vec<Job> {
        if self.session_with(envelope_id).is_none() {
            return Vec::new();
        }
        let Some(capture) = self.capture() else { return Vec::new() };
        capture.failed = Some(key);
        let running = matches!(capture.step, CaptureStep::Taking { .. });
        (capture.step, capture.ticket) = (CaptureStep::Pages, 0);
        if running { vec![Job::Capture(CaptureJob::Stop)] } else { Vec::new() }
    }

    /// Takes a page out of the list.
    pub(super) fn remove_page(&mut self, hash: &str) -> Vec<Job> {
        let Some((key, envelope_id, mut list)) = self.listed() else { return Vec::new() };
        let before = list.len();
        list.retain(|file| self::hash(file) != Some(hash));
        if list.len() == before {
            return Vec::new();
        }
        let mut jobs = vec![Job::DropPage(envelope_id, hash.to_owned())];
        jobs.extend(self.set_pages(&key, (!list.is_empty()).then_some(Value::Array(list))));
        jobs
    }

    /// Puts a page before the one before it.
    pub(super) fn move_page_up(&mut self, hash: &str) -> Vec<Job> {
        let Some((key, _, mut list)) = self.listed() else { return Vec::new() };
        match list.iter().position(|file| self::hash(file) == Some(hash)) {
            Some(at @ 1..) => list.swap(at - 1, at),
            _ => return Vec::new(),
        }
        self.set_pages(&key, Some(Value::Array(list)))
    }

    /// Field, form and files of the list that is shown.
    fn listed(&mut self) -> Option<(String, EnvelopeId, Vec<Value>)> {
        self.capture().filter(|capture| matches!(capture.step, CaptureStep::Pages))?;
        let session = self.session.as_ref()?;
        let field = session.captured_field()?;
        Some((field.key.clone(), session.envelope_id?, files(field.value.as_ref())))
    }

    /// Answers with these pages and keeps the draft: it must not name a page that is gone.
    fn set_pages(&mut self, key: &str, value: Option<Value>) -> Vec<Job> {
        if let Some(session) = &mut self.session {
            match value {
                Some(value) => session.answers.set(key, value),
                None => session.answers.clear(key),
            }
        }
        self.replan();
        self.keep_draft()
    }

    fn session_with(&mut self, envelope_id: EnvelopeId) -> Option<&mut Session> {
        self.session.as_mut().filter(|s| s.envelope_id == Some(envelope_id) && s.form.is_some())
    }
}
