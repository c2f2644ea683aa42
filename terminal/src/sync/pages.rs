//! Sends pages and photos by tus 1.0, one call a step: begin, ask how far it has come, add a piece. Goes on wherever the
//! last run or the last link broke off.
use domain::envelope::Digest;
use domain::wire::v1::uploads::{TUS_VERSION, UPLOADS};
use domain::wire::v1::{PROBLEM_MEDIA_TYPE, ReceiptBody, SIGNATURE_HEADER, TERMINAL_HEADER};

use super::client::signature;
use super::engine::{Engine, Pending, Step};
use super::plan::full_jitter_ms;
use super::transport::{TransportError, UploadAnswer, UploadCall, UploadStep};
use crate::event::Event;
use crate::store::{DueEnvelope, DuePage, StoreError};

/// Bytes of the first piece.
const FIRST_PIECE: u64 = 256 * 1024;
/// Bytes of a piece at least, on a link that carries little.
const LEAST_PIECE: u64 = 16 * 1024;
/// Bytes of a piece at most: the text of another submission waits no longer than one.
const MOST_PIECE: u64 = 1024 * 1024;
/// The failures that make the longest pause between two tries of a page.
const PATIENT: u32 = 6;

/// A page whose file is damaged is tried again after this time, milliseconds: until somebody looks after it.
const DAMAGED_MS: i64 = 3_600_000;

/// How far the upload in hand has come, as the centre said last, and how much goes in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    address: Option<String>,
    offset: u64,
    piece: u64,
}

impl Default for Course {
    fn default() -> Self {
        Self { address: None, offset: 0, piece: FIRST_PIECE }
    }
}

impl Course {
    fn offset_of(&self, address: &str) -> Option<u64> {
        (self.address.as_deref() == Some(address)).then_some(self.offset)
    }
}

/// What an answer means for the page.
#[derive(Debug, PartialEq, Eq)]
enum Means {
    /// The upload is at this address and has come so far.
    At(Option<String>, u64),
    /// Ask how far it has come before anything else.
    AskFirst,
    /// The upload is gone: begin a new one.
    BeginAnew,
    /// The centre has no such envelope: the text goes first.
    TextFirst,
    /// The whole upload was thrown away, because its bytes were others.
    Mismatch,
    /// The link or the centre, never the page.
    Later { retry_after_secs: Option<u32>, reached: bool, smaller: bool },
    /// 401, 403.
    NotLetIn,
    /// Nothing that a second try would change.
    Refused,
}

impl Engine {
    /// The next call for a page: begins it, asks how far it has come, or adds a piece.
    pub(super) fn begin_page(&mut self, now_ms: i64) -> Result<Option<(UploadCall, Pending)>, StoreError> {
        let (page, identity, key) = {
            let store = self.store();
            let Some(page) = store.due_page(now_ms)? else { return Ok(None) };
            let Some(identity) = store.identity()? else { return Ok(None) };
            (page, identity, store.device_key().clone())
        };
        let known = page.address.as_deref().and_then(|address| self.course.offset_of(address));
        let mut call = match self.call(&page, known.filter(|offset| *offset < page.length)) {
            Ok(call) => call,
            Err(StoreError::Io(error)) => {
                tracing::error!(error = %error, page = %page.digest.short(), "a page cannot be read");
                self.put_off(&page, "its file cannot be read", now_ms)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let signed = signature(&key, call.step.method(), &call.path_and_query);
        call.headers = vec![(TERMINAL_HEADER, identity.terminal.to_string()), (SIGNATURE_HEADER, signed)];
        fail::fail_point!("terminal::page::before_exchange", |_| Err(StoreError::Full));
        let begins = matches!(call.step, UploadStep::Begin { .. });
        Ok(Some((call, Pending::Page { now_ms, page, begins })))
    }

    /// Takes in what was answered to [`Engine::begin_page`].
    pub(super) fn finish_page(
        &mut self,
        (now_ms, page, begins): (i64, &DuePage, bool),
        answer: Result<UploadAnswer, TransportError>,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        fail::fail_point!("terminal::page::after_exchange", |_| Err(StoreError::Full));
        let said = said(&answer);
        match means(begins, answer) {
            Means::At(address, offset) => self.page_came(page, (address, offset), (now_ms, step)),
            Means::AskFirst => {
                self.course.address = None;
                self.put_off_briefly(page, &said, now_ms)
            }
            Means::BeginAnew => self.begin_anew(page),
            Means::TextFirst => self.store().offer_text_again(page),
            Means::Mismatch => {
                self.begin_anew(page)?;
                let sound = self.store().page_is_sound(page).unwrap_or(false);
                tracing::error!(page = %page.digest.short(), sound, "the centre has other bytes of a page");
                if sound {
                    return self.put_off(page, &said, now_ms);
                }
                // No second try mends it: all of its bytes would go to the centre again and again.
                let next = now_ms.saturating_add(DAMAGED_MS);
                self.store().page_failed(page, "its file is damaged", next)
            }
            Means::Later { retry_after_secs, reached, smaller } => {
                self.course.address = None;
                if smaller {
                    self.course.piece = (self.course.piece / 2).max(LEAST_PIECE);
                }
                let wait = self.failed(retry_after_secs, reached, step);
                let next = now_ms.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
                self.store().page_failed(page, &said, next)
            }
            Means::NotLetIn | Means::Refused => {
                tracing::error!(reason = %said, page = %page.digest.short(), "the centre does not take a page");
                self.course.address = None;
                self.put_off(page, &said, now_ms)
            }
        }
    }

    /// A receipt was taken: all of it is at the centre, or pages are awaited still.
    pub(super) fn receipted(
        &mut self,
        row: &DueEnvelope,
        (body, missing): (ReceiptBody, &[Digest]),
        now_ms: i64,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let envelope_id = row.envelope_id;
        let pages = self.store().pages_sent(envelope_id)?;
        if pages.all > 0 {
            let next = now_ms.saturating_add(self.pause_ms(0));
            self.store().take_missing(envelope_id, missing, next)?;
            let pages = self.store().pages_sent(envelope_id)?;
            step.events.push(Event::PagesSent { envelope_id, pages });
        }
        if let Some(number) = body.number.filter(|_| body.complete) {
            step.events.push(Event::Delivered { envelope_id, number, at_ms: body.accepted_at_ms });
        }
        Ok(())
    }

    fn call(&self, page: &DuePage, offset: Option<u64>) -> Result<UploadCall, StoreError> {
        let (step, path_and_query) = match (&page.address, offset) {
            (None, _) => {
                let door = format!("{UPLOADS}?envelope={}&blob={}", page.envelope_id, page.digest);
                (UploadStep::Begin { length: page.length }, door)
            }
            (Some(address), None) => (UploadStep::Ask, address.clone()),
            (Some(address), Some(offset)) => {
                let bytes = self.store().page_bytes(page, offset, self.course.piece)?;
                (UploadStep::Add { offset, bytes }, address.clone())
            }
        };
        Ok(UploadCall { step, path_and_query, headers: Vec::new() })
    }

    fn page_came(
        &mut self,
        page: &DuePage,
        (address, offset): (Option<String>, u64),
        (now_ms, step): (i64, &mut Step),
    ) -> Result<(), StoreError> {
        self.failures = 0;
        if let Some(address) = &address {
            self.store().note_upload(page, Some(address))?;
        } else if offset > 0 {
            self.course.piece = (self.course.piece * 2).min(MOST_PIECE);
        }
        self.course.address = address.or_else(|| page.address.clone());
        self.course.offset = offset.min(page.length);
        if offset >= page.length { self.page_is_there(page, now_ms, step) } else { Ok(()) }
    }

    fn page_is_there(&mut self, page: &DuePage, now_ms: i64, step: &mut Step) -> Result<(), StoreError> {
        self.course.address = None;
        self.store().page_sent(page, now_ms)?;
        let pages = self.store().pages_sent(page.envelope_id)?;
        step.events.push(Event::PagesSent { envelope_id: page.envelope_id, pages });
        Ok(())
    }

    fn begin_anew(&mut self, page: &DuePage) -> Result<(), StoreError> {
        self.course.address = None;
        self.store().note_upload(page, None)
    }

    /// The page waits on its own, so that it never holds up the others.
    fn put_off(&mut self, page: &DuePage, why: &str, now_ms: i64) -> Result<(), StoreError> {
        let wait = self.pause_ms(PATIENT);
        self.store().page_failed(page, why, now_ms.saturating_add(wait))
    }

    fn put_off_briefly(&mut self, page: &DuePage, why: &str, now_ms: i64) -> Result<(), StoreError> {
        let wait = self.pause_ms(page.attempts.min(PATIENT));
        self.store().page_failed(page, why, now_ms.saturating_add(wait))
    }

    pub(super) fn pause_ms(&mut self, failures: u32) -> i64 {
        let wait =
            full_jitter_ms(failures, self.tuning.backoff_base_ms, self.tuning.backoff_cap_ms, &mut self.rng);
        i64::try_from(wait).unwrap_or(i64::MAX)
    }
}

/// Status of an answer for the log and the staff page.
fn said(answer: &Result<UploadAnswer, TransportError>) -> String {
    match answer {
        Ok(answer) => format!("status {}", answer.status),
        Err(error) => error.to_string(),
    }
}

fn means(begins: bool, answer: Result<UploadAnswer, TransportError>) -> Means {
    let later = |reached, smaller, retry_after_secs| Means::Later { retry_after_secs, reached, smaller };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return later(false, error == TransportError::TimedOut, None),
    };
    // A captive portal or a proxy speaks no tus.
    if answer.version.as_deref() != Some(TUS_VERSION) {
        return later(false, false, answer.retry_after_secs);
    }
    match answer.status {
        201 if begins => match answer.location.filter(|l| l.starts_with(&format!("{UPLOADS}/"))) {
            Some(address) => Means::At(Some(address), answer.offset.unwrap_or(0)),
            None => Means::Refused,
        },
        200 | 204 if !begins => answer.offset.map_or(Means::AskFirst, |offset| Means::At(None, offset)),
        408 => later(true, true, answer.retry_after_secs),
        425 | 429 | 500..=599 => {
            later(answer.content_type == PROBLEM_MEDIA_TYPE, false, answer.retry_after_secs)
        }
        401 | 403 => Means::NotLetIn,
        404 if begins => Means::TextFirst,
        404 | 410 => Means::BeginAnew,
        409 | 423 | 460 => Means::AskFirst,
        422 => Means::Mismatch,
        _ => Means::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> UploadAnswer {
        UploadAnswer {
            status,
            content_type: PROBLEM_MEDIA_TYPE.to_owned(),
            version: Some(TUS_VERSION.to_owned()),
            retry_after_secs: None,
            location: Some(format!("{UPLOADS}/0123")),
            offset: Some(7),
        }
    }

    #[test]
    fn every_kind_of_answer_has_one_meaning() {
        let (begin, add) = (true, false);
        let later = |reached, smaller| Means::Later { retry_after_secs: None, reached, smaller };
        let table = [
            (begin, 201, Means::At(Some(format!("{UPLOADS}/0123")), 7)),
            (begin, 200, Means::Refused),
            (begin, 404, Means::TextFirst),
            (add, 200, Means::At(None, 7)),
            (add, 404, Means::BeginAnew),
            (add, 410, Means::BeginAnew),
            (add, 204, Means::At(None, 7)),
            (add, 201, Means::Refused),
            (add, 409, Means::AskFirst),
            (add, 423, Means::AskFirst),
            (add, 460, Means::AskFirst),
            (add, 422, Means::Mismatch),
            (add, 408, later(true, true)),
            (add, 429, later(true, false)),
            (add, 503, later(true, false)),
            (add, 401, Means::NotLetIn),
            (add, 413, Means::Refused),
        ];
        for (begins, status, expected) in table {
            assert_eq!(means(begins, Ok(answer(status))), expected, "{begins} {status}");
        }
        assert_eq!(means(add, Err(TransportError::TimedOut)), later(false, true));
        assert_eq!(means(add, Err(TransportError::Unreachable)), later(false, false));
        let portal = UploadAnswer { version: None, ..answer(200) };
        assert_eq!(means(add, Ok(portal)), later(false, false));
        let elsewhere = UploadAnswer { location: Some("http://198.51.100.1/x".to_owned()), ..answer(201) };
        assert_eq!(means(begin, Ok(elsewhere)), Means::Refused);
    }
}
