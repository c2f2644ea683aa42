//! Filling in: answers, errors, check, submit. Rules live in `domain::form`; this only keeps them up to date.
use std::sync::Arc;

use domain::applicant::mask_name;
use domain::form::{FieldError, Layout};
use domain::ids::EnvelopeId;
use serde_json::Value;

use super::{CardStep, Model, Screen, Session, SlipView, SubmitStep, TextSize};
use crate::event::{Draft, Job};

/// An answer larger than this is not taken (a signature has 8 KiB at most).
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// Personal data stay in clear this long after "show".
const REVEAL_MS: i64 = 5_000;
/// A save that takes longer does not hold the screen any more.
const SAVING_LIMIT_MS: u64 = 20_000;

impl Model {
    /// The form of the chosen item as the situation makes it. One that was opened before keeps its answers and its id.
    pub(super) fn start_form(&mut self) -> Vec<Job> {
        let begun = self.session.as_ref().is_some_and(|s| s.form.is_some() && s.envelope_id.is_some());
        if !self.adjust_form() {
            return Vec::new();
        }
        let catalogue = Arc::clone(self.pinned());
        if let Some(session) = &mut self.session {
            (session.page, session.from_check) = (0, false);
            session.errors.clear();
            session.catalogue = Some(catalogue);
        }
        self.replan();
        self.open(Screen::Form);
        if begun { Vec::new() } else { vec![Job::StartForm] }
    }

    /// The situation was changed on the way from the check page: the form follows, and the check page comes again as
    /// soon as nothing is missing.
    pub(super) fn readjust(&mut self) -> Vec<Job> {
        if !self.adjust_form() {
            return Vec::new();
        }
        self.replan();
        let today = self.today();
        let Some(session) = &mut self.session else { return Vec::new() };
        let form = session.form.clone();
        let errors = form.map(|form| form.validate_with(&session.answers, &session.facts(today)));
        self.screen = Screen::Form;
        let jobs = self.open_check(errors.unwrap_or_default());
        if let Some(session) = &mut self.session {
            session.from_check = self.screen == Screen::Form;
        }
        jobs
    }

    /// To the check page without a change.
    pub(super) fn back_to_check(&mut self) -> Vec<Job> {
        self.screen = Screen::Check;
        self.list_page = 0;
        Vec::new()
    }

    fn layout(&self) -> Layout {
        if self.look.size == TextSize::Elder { Layout::OneQuestion } else { Layout::Grouped }
    }

    /// Switching the size keeps the question that is on the screen.
    pub(super) fn set_size(&mut self, size: TextSize) -> Vec<Job> {
        self.look.size = size;
        let shown = self
            .session
            .as_ref()
            .and_then(|s| s.plan.pages.get(s.page)?.fields.first().map(|f| f.key.clone()));
        self.replan();
        if let (Some(session), Some(key)) = (&mut self.session, shown) {
            session.page = page_of(session, &key).unwrap_or(0);
        }
        Vec::new()
    }

    pub(super) fn replan(&mut self) {
        let (layout, today) = (self.layout(), self.today());
        let Some(session) = &mut self.session else { return };
        let Some(form) = session.form.clone() else { return };
        let facts = session.facts(today);
        form.prefill(&mut session.answers, &facts);
        session.plan = Arc::new(form.plan(&session.answers, &facts, layout));
        session.page = session.page.min(session.plan.pages.len().saturating_sub(1));
        if !session.errors.is_empty() {
            // Errors that were shown follow the answers; none appears before Continue.
            let now = form.validate_with(&session.answers, &facts);
            let shown: Vec<String> = session.errors.iter().map(|e| e.key.clone()).collect();
            session.errors = now.into_iter().filter(|e| shown.contains(&e.key)).collect();
        }
    }

    pub(super) fn focus(&mut self, key: Option<String>) -> Vec<Job> {
        if let Some(session) = &mut self.session {
            session.focus = key;
        }
        Vec::new()
    }

    pub(super) fn answer(&mut self, key: &str, value: Value) -> Vec<Job> {
        if self.screen != Screen::Form || value.to_string().len() > MAX_ANSWER_BYTES {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        let asked = session.plan.pages.iter().flat_map(|p| &p.fields).any(|f| f.key == key && !f.computed);
        if asked {
            session.answers.set(key, value);
            self.replan();
        }
        Vec::new()
    }

    pub(super) fn clear_answer(&mut self, key: &str) -> Vec<Job> {
        if let Some(session) = &mut self.session {
            session.answers.clear(key);
            self.replan();
        }
        Vec::new()
    }

    pub(super) fn use_card_address(&mut self, key: &str) -> Vec<Job> {
        match self.session.as_ref().and_then(|s| s.facts(self.today()).offered_address()) {
            Some(address) => self.answer(key, address),
            None => Vec::new(),
        }
    }

    /// Continue on whichever page it stands.
    pub(super) fn go_on(&mut self) -> Vec<Job> {
        match self.screen {
            Screen::Question => self.go_on_from_question(),
            Screen::Needs => self.go_on_from_needs(),
            Screen::Card => self.go_on_from_card(),
            Screen::Form => self.go_on_in_form(),
            Screen::Capture => self.leave_capture(),
            _ => Vec::new(),
        }
    }

    fn go_on_from_card(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        if session.card != CardStep::Done {
            return Vec::new();
        }
        session.photo = None;
        if session.for_cases { self.show_cases() } else { self.start_or_resume() }
    }

    fn go_on_in_form(&mut self) -> Vec<Job> {
        let today = self.today();
        let Some(session) = &mut self.session else { return Vec::new() };
        let Some(form) = session.form.clone() else { return Vec::new() };
        let all = form.validate_with(&session.answers, &session.facts(today));
        let errors = errors_of(session, &all);
        session.focus = errors.first().map(|e| e.key.clone());
        session.errors = errors;
        if !session.errors.is_empty() {
            return Vec::new();
        }
        let last = session.page + 1 >= session.plan.pages.len();
        let back_to_check = session.from_check && all.is_empty();
        if !last && !back_to_check {
            session.page += 1;
        } else {
            self.open_check(all);
        }
        self.keep_draft()
    }

    /// To the check page, or to the first page that still has an error.
    pub(super) fn open_check(&mut self, errors: Vec<FieldError>) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        session.from_check = false;
        if let Some(first) = errors.first() {
            session.page = page_of(session, &first.key).unwrap_or(0);
            session.focus = Some(first.key.clone());
            session.errors = errors_of(session, &errors);
            return Vec::new();
        }
        session.submit = SubmitStep::Idle;
        self.open(Screen::Check)
    }

    pub(super) fn back_in_form(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        session.errors.clear();
        session.focus = None;
        if session.from_check {
            session.from_check = false;
            return self.open(Screen::Check);
        }
        if session.page > 0 {
            session.page -= 1;
            return Vec::new();
        }
        self.pop()
    }

    pub(super) fn back_to_last_page(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        if session.submit.saving() {
            return Vec::new();
        }
        session.page = session.plan.pages.len().saturating_sub(1);
        session.from_check = false;
        self.leave_check()
    }

    fn leave_check(&mut self) -> Vec<Job> {
        // Check and form follow each other in the history as often as Change is used; keep one pair.
        self.history.retain(|s| !matches!(s, Screen::Form | Screen::Check));
        self.screen = Screen::Form;
        Vec::new()
    }

    pub(super) fn change(&mut self, key: &str) -> Vec<Job> {
        if self.screen != Screen::Check {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        let Some(page) = page_of(session, key).filter(|_| !session.submit.saving()) else {
            return Vec::new();
        };
        session.page = page;
        session.from_check = true;
        session.focus = Some(key.to_owned());
        self.leave_check()
    }

    pub(super) fn jump_to(&mut self, key: &str) -> Vec<Job> {
        if let Some(session) = &mut self.session
            && let Some(page) = page_of(session, key)
        {
            session.page = page;
            session.focus = Some(key.to_owned());
        }
        Vec::new()
    }

    pub(super) fn reveal(&mut self) -> Vec<Job> {
        if self.screen == Screen::Check
            && let Some(session) = &mut self.session
        {
            session.revealed_until_ms = Some(self.now_ms + REVEAL_MS);
        }
        Vec::new()
    }

    /// Hands in once; further taps are ignored while it is saved.
    pub(super) fn submit(&mut self) -> Vec<Job> {
        let today = self.today();
        let (catalogue_version, now_ms) = (self.pinned().version, self.now_ms);
        if self.screen != Screen::Check {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        if session.submit.saving() {
            return Vec::new();
        }
        let (Some(form), Some(applicant), Some(item)) =
            (session.form.clone(), session.applicant.clone(), session.item.clone())
        else {
            return Vec::new();
        };
        let facts = session.facts(today);
        let errors = form.validate_with(&session.answers, &facts);
        if !errors.is_empty() {
            self.leave_check();
            return self.open_check(errors);
        }
        session.submit = SubmitStep::Saving { since_ms: now_ms };
        let answers = form.effective(&session.answers, &facts);
        let situation = session.situation.answers.clone();
        vec![Job::Submit(Box::new(Draft { item, catalogue_version, applicant, situation, answers }))]
    }

    /// The desk opened a form under this id. It may say so late; it always says so before it queues a submission.
    pub(super) fn form_started(&mut self, envelope_id: EnvelopeId) -> Vec<Job> {
        if let Some(session) = &mut self.session
            && session.form.is_some()
        {
            session.envelope_id = Some(envelope_id);
        }
        Vec::new()
    }

    /// A submission is being saved: its slip must find this screen, so nothing else moves. Bounded.
    pub(super) fn is_saving(&self) -> bool {
        let step = self.session.as_ref().map(|s| s.submit);
        matches!(step, Some(SubmitStep::Saving { since_ms }) if self.now_ms.abs_diff(since_ms) < SAVING_LIMIT_MS)
    }

    /// It is on disk: the slip is shown, the answers are gone.
    pub(super) fn queued(&mut self, mut slip: SlipView) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        // Only the form that waits for it: never the slip of a visit that was ended.
        if !session.submit.saving() || session.envelope_id != Some(slip.envelope_id) {
            return Vec::new();
        }
        slip.masked_name = session.applicant.as_ref().map(|a| mask_name(&a.name)).unwrap_or_default();
        let (item, catalogue) = (session.item.take(), session.catalogue.take());
        session.drop_item();
        session.drafts.forget(&slip.item);
        (session.item, session.catalogue) = (item, catalogue);
        session.envelope_id = Some(slip.envelope_id);
        session.slip = Some(slip);
        self.screen = Screen::Slip;
        self.history.clear();
        self.idle.last_touch_ms = self.now_ms;
        Vec::new()
    }

    pub(super) fn submit_failed(&mut self, key: &'static str) -> Vec<Job> {
        if let Some(session) = &mut self.session
            && session.submit.saving()
        {
            session.submit = SubmitStep::Failed { key };
        }
        Vec::new()
    }
}

/// The page on which a field or repeat group stands.
fn page_of(session: &Session, key: &str) -> Option<usize> {
    session.plan.page_of(key)
}

/// Errors that belong to the page on the screen.
fn errors_of(session: &Session, all: &[FieldError]) -> Vec<FieldError> {
    let page = session.plan.pages.get(session.page);
    all.iter().filter(|error| page.is_some_and(|page| page.has(&error.key))).cloned().collect()
}
