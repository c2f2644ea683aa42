//! Drafts (草稿): what is kept of a form at each Continue, and what is offered when the same card is read again.
//!
//! Offered and kept only for a card that the reader read, never for a typed number. A draft is bound to the catalogue
//! version that it was begun with, and to the envelope id: going on never makes a second submission.
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use domain::applicant::{Applicant, IdentitySource};
use domain::catalogue::Catalogue;
use domain::form::{Answers, PlanPage};
use domain::ids::{EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use domain::text::Text;
use serde::{Deserialize, Serialize};

use super::{Model, Screen, Session};
use crate::event::{Job, Unfinished};

/// Form of a [`Snapshot`]; one that says another is not taken up.
pub const SNAPSHOT_FORM: u16 = 1;

/// What is kept of a form: enough to go on exactly where somebody stopped. The card is read again, so nothing of it
/// is kept. A field that is added later has a default, so that older snapshots stay readable.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SNAPSHOT_FORM`]
    pub form: u16,
    /// The answers.
    pub answers: Answers,
    /// Keys of answers that are defaults which nobody touched.
    #[serde(default)]
    pub untouched: BTreeSet<String>,
    /// Answers to the situation questions.
    #[serde(default)]
    pub situation: SituationAnswers,
    /// Where the person was.
    pub at: Place,
}

/// Where somebody was in a form; pages differ with the text size, so a field names its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The page that begins with this field or repeat group.
    Field(String),
    /// The check page.
    Check,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({:?}, {:?})", self.answers, self.at)
    }
}

impl Snapshot {
    /// What a visit has to keep now.
    pub fn of(session: &Session, screen: &Screen) -> Self {
        let at = match (screen, session.plan.pages.get(session.page).and_then(first_key)) {
            (Screen::Check, _) | (_, None) => Place::Check,
            (_, Some(key)) => Place::Field(key.clone()),
        };
        Self {
            form: SNAPSHOT_FORM,
            untouched: session.answers.untouched().clone(),
            answers: session.answers.clone(),
            situation: session.situation.answers.clone(),
            at,
        }
    }

    /// Puts what was kept into a visit; the form and its plan are the caller's.
    pub fn restore(self, session: &mut Session) -> Place {
        session.answers = Answers::kept(self.answers.as_map().clone(), self.untouched);
        session.situation.answers = self.situation;
        self.at
    }
}

fn first_key(page: &PlanPage) -> Option<&String> {
    let repeats = page.groups.iter().filter_map(|group| group.repeat.as_ref());
    page.fields.first().map(|field| &field.key).or(repeats.map(|repeat| &repeat.key).next())
}

/// A draft as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftLine {
    /// Item or bundle.
    pub item: ItemCode,
    /// Its title in the version that it was begun with; neutral for a sensitive matter.
    pub title: Text,
    /// How long ago it was written, milliseconds.
    pub age_ms: i64,
    /// How much longer it is kept, milliseconds.
    pub left_ms: i64,
}

/// Drafts of the person whose card was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drafts {
    /// Newest first; nothing is known before the store was asked.
    pub lines: Option<Vec<DraftLine>>,
    /// The card was just read and no matter was chosen: the newest draft is offered by itself, once.
    pub offer: bool,
    /// This one is being opened.
    pub opening: Option<ItemCode>,
    /// This one could not be opened and is gone.
    pub lost: Option<ItemCode>,
    /// The form that is open is kept on this terminal, so that it can be gone on with.
    pub kept: bool,
}

impl Drafts {
    /// The draft of an item.
    pub fn of(&self, item: &ItemCode) -> Option<&DraftLine> {
        self.lines.iter().flatten().find(|line| line.item == *item)
    }

    pub(super) fn forget(&mut self, item: &ItemCode) {
        self.lines.iter_mut().for_each(|lines| lines.retain(|line| line.item != *item));
    }
}

impl Model {
    /// The catalogue of the form that is open: the version that it was begun with, whatever came since.
    pub fn pinned(&self) -> &Arc<Catalogue> {
        let pinned = self.session.as_ref().and_then(|session| session.catalogue.as_ref());
        pinned.unwrap_or(&self.catalogue)
    }

    /// A card that the reader read: its drafts are looked for.
    pub(super) fn look_for_drafts(&mut self) -> Vec<Job> {
        let choosing = matches!(self.screen, Screen::Home);
        let Some(session) = &mut self.session else { return Vec::new() };
        let Some(applicant) = session.applicant.as_ref().filter(|a| a.source == IdentitySource::Read) else {
            return Vec::new();
        };
        session.drafts.offer = choosing && session.item.is_none() && !session.for_cases;
        vec![Job::FindDrafts(Box::new(applicant.clone()))]
    }

    /// The drafts that were asked for; a list that comes late for a person who has left is dropped.
    pub(super) fn drafts_found(&mut self, of: &Applicant, lines: Vec<DraftLine>) -> Vec<Job> {
        let Some(session) = self.session_of(of) else { return Vec::new() };
        let offer = std::mem::take(&mut session.drafts.offer);
        let newest = lines.first().map(|line| line.item.clone());
        session.drafts.lines = Some(lines);
        let begun = session.item.clone().filter(|item| session.drafts.of(item).is_some());
        let untouched = session.answers.untouched().len() == session.answers.as_map().len();
        let fresh = session.page == 0 && untouched && !session.drafts.kept;
        match (&self.screen, begun, newest) {
            (Screen::Home, _, Some(item)) if offer => self.open(Screen::Resume(item)),
            // The form was opened before the store had answered, and nobody has typed anything yet.
            (Screen::Form, Some(item), _) if fresh => {
                self.screen = Screen::Resume(item);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn session_of(&mut self, person: &Applicant) -> Option<&mut Session> {
        let session = self.session.as_mut()?;
        let same = session.applicant.as_ref().is_some_and(|a| a.id_number == person.id_number);
        same.then_some(session)
    }

    /// To the form of the chosen item, or to the page that offers the draft of it.
    pub(super) fn start_or_resume(&mut self) -> Vec<Job> {
        let session = self.session.as_ref();
        let kept = session.and_then(|s| s.item.clone().filter(|item| s.drafts.of(item).is_some()));
        match kept {
            Some(item) => self.open(Screen::Resume(item)),
            None => self.start_form(),
        }
    }

    /// What is kept at a Continue that went well.
    pub(super) fn keep_draft(&self) -> Vec<Job> {
        let Some(session) = &self.session else { return Vec::new() };
        let (Some(applicant), Some(item)) = (&session.applicant, &session.item) else { return Vec::new() };
        // Before the store has answered nothing is put in the place of a draft that may be there.
        let known = session.drafts.lines.is_some() && applicant.source == IdentitySource::Read;
        if !known || !matches!(self.screen, Screen::Form | Screen::Capture | Screen::Check) {
            return Vec::new();
        }
        let snapshot = Snapshot::of(session, &self.screen);
        vec![Job::KeepDraft(Box::new(Unfinished {
            applicant: applicant.clone(),
            item: item.clone(),
            snapshot,
        }))]
    }

    /// Whether the open form could be kept; the citizen is told so, and nothing else depends on it.
    pub(super) fn draft_kept(&mut self, envelope_id: EnvelopeId, kept: bool) -> Vec<Job> {
        if let Some(session) = &mut self.session
            && session.envelope_id == Some(envelope_id)
            && session.form.is_some()
        {
            session.drafts.kept = kept;
        }
        Vec::new()
    }

    fn offered(&self) -> Option<(ItemCode, Applicant)> {
        let Screen::Resume(item) = &self.screen else { return None };
        let session = self.session.as_ref()?;
        Some((item.clone(), session.applicant.clone()?))
    }

    /// 继续
    pub(super) fn resume(&mut self) -> Vec<Job> {
        let Some((item, applicant)) = self.offered() else { return Vec::new() };
        if self.can_finish(&item).is_err() {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        if session.drafts.opening.is_some() || session.drafts.of(&item).is_none() {
            return Vec::new();
        }
        session.drafts.opening = Some(item.clone());
        vec![Job::OpenDraft { applicant: Box::new(applicant), item }]
    }

    /// 重新填: the draft is erased, and its item begun anew.
    pub(super) fn start_over(&mut self) -> Vec<Job> {
        let Some((item, applicant)) = self.offered() else { return Vec::new() };
        if self.can_begin(&item).is_err() || !self.accepts(Some(&item), &applicant) {
            return Vec::new();
        }
        let Some(session) = &mut self.session else { return Vec::new() };
        session.drafts.forget(&item);
        let situation = std::mem::take(&mut session.situation);
        session.drop_item();
        session.item = Some(item.clone());
        session.situation.answers = situation.answers;
        let mut jobs = vec![Job::EraseDraft { applicant: Box::new(applicant), item }];
        self.leave_offer();
        jobs.extend(self.start_anew());
        self.history.retain(|screen| *screen != Screen::Home);
        jobs
    }

    /// The form of the chosen item; its questions first where they were not asked on the way here.
    fn start_anew(&mut self) -> Vec<Job> {
        let asked = self.session.as_ref().is_some_and(|session| !session.situation.answers.is_empty());
        if asked || self.questions().is_empty() { self.start_form() } else { self.open(Screen::Question) }
    }

    /// 删除: the draft is erased; back to where the person was.
    pub(super) fn delete_draft(&mut self) -> Vec<Job> {
        let Some((item, applicant)) = self.offered() else { return Vec::new() };
        if let Some(session) = &mut self.session {
            session.drafts.forget(&item);
        }
        self.show_toast("toast.draft_deleted");
        let mut jobs = vec![Job::EraseDraft { applicant: Box::new(applicant), item }];
        jobs.extend(self.pop());
        jobs
    }

    /// The page that offered it, and the card page before it, are not gone back to. Where it was offered on the home
    /// page, leaving the form is coming home, which forgets the form.
    fn leave_offer(&mut self) {
        while matches!(self.history.last(), Some(Screen::Card | Screen::Resume(_) | Screen::Form)) {
            self.history.pop();
        }
        self.screen = self.history.pop().unwrap_or(Screen::Home);
    }

    /// The draft was opened: everything is as it was when it was kept.
    pub(super) fn draft_opened(&mut self, opened: OpenedForm) -> Vec<Job> {
        let Some(session) = self.session.as_mut().filter(|s| s.drafts.opening.as_ref() == Some(&opened.item))
        else {
            return Vec::new();
        };
        session.drafts.opening = None;
        if !matches!(self.screen, Screen::Resume(_)) {
            return Vec::new();
        }
        let item = opened.item.clone();
        session.drop_item();
        session.item = Some(opened.item);
        session.envelope_id = Some(opened.envelope_id);
        session.catalogue = Some(opened.catalogue);
        session.drafts.kept = true;
        let at = opened.snapshot.restore(session);
        if !self.adjust_form() {
            self.session.iter_mut().for_each(Session::drop_item);
            return self.draft_lost(item);
        }
        self.leave_offer();
        self.replan();
        self.open(Screen::Form);
        self.history.retain(|screen| *screen != Screen::Home);
        self.go_to(&at)
    }

    fn go_to(&mut self, place: &Place) -> Vec<Job> {
        let today = self.today();
        let Some(session) = &mut self.session else { return Vec::new() };
        match place {
            Place::Field(key) => {
                session.page = session.plan.page_of(key).unwrap_or(0);
                Vec::new()
            }
            Place::Check => {
                session.page = session.plan.pages.len().saturating_sub(1);
                let Some(form) = session.form.clone() else { return Vec::new() };
                let errors = form.validate_with(&session.answers, &session.facts(today));
                self.open_check(errors)
            }
        }
    }

    /// The draft could not be opened and is gone: told on the page that offered it.
    pub(super) fn draft_lost(&mut self, item: ItemCode) -> Vec<Job> {
        if let Some(session) = &mut self.session {
            session.drafts.opening = None;
            session.drafts.forget(&item);
            session.drafts.lost = Some(item);
        }
        Vec::new()
    }
}

/// A draft that the desk has opened.
#[derive(Debug)]
pub struct OpenedForm {
    /// Item or bundle.
    pub item: ItemCode,
    /// Of the form that was begun.
    pub envelope_id: EnvelopeId,
    /// The version that it was begun with.
    pub catalogue: Arc<Catalogue>,
    /// What was kept.
    pub snapshot: Snapshot,
}
