//! The situation questions before the form: one at a time. Answers stay whichever way one goes; what they make of the
//! form is decided in `domain::situation`, the same as at the centre.
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use domain::catalogue::Entry;
use domain::form::{Answers, Form};
use domain::ids::ItemCode;
use domain::item::MaterialSource;
use domain::situation::{
    Adjustments, Ending, Question, Resolution, SituationAnswers, form_for, questions, resolve,
};
use domain::text::Text;
use serde_json::Value;

use super::{Model, Screen, Unavailable};
use crate::event::Job;

/// Answers to the situation questions of the item being done. Personal: what was chosen is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Situation {
    /// Answers so far.
    pub answers: SituationAnswers,
    /// The question on the screen, from 0, in the order of the questions.
    pub at: usize,
    /// Continue was tapped without an answer; the page says so.
    pub missing: bool,
    /// The question was opened by Change on the check page; these are the answers to which Back returns.
    pub before: Option<SituationAnswers>,
    /// With these answers the form needs what this terminal cannot take yet: labels of those fields.
    pub refused: Vec<Text>,
}

impl fmt::Debug for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Situation({} answers, at {})", self.answers.len(), self.at)
    }
}

impl Model {
    /// The item or bundle being done.
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.session.as_ref().and_then(|s| s.item.as_ref()).and_then(|code| self.pinned().entry(code))
    }

    /// The situation questions of the item being done, in the order in which they are asked.
    pub fn questions(&self) -> Vec<&Question> {
        self.entry().map(|entry| questions(self.pinned(), entry)).unwrap_or_default()
    }

    /// The question on the screen.
    pub fn question(&self) -> Option<&Question> {
        let at = self.session.as_ref()?.situation.at;
        self.questions().get(at).copied()
    }

    /// The end that the answer to the question on the screen means.
    pub fn ending(&self) -> Option<&Ending> {
        let (question, session) = (self.question()?, self.session.as_ref()?);
        let chosen = question.answer(&session.situation.answers)?;
        let mut options = chosen.iter().filter_map(|id| question.option(id));
        options.find_map(|option| option.ends_with.as_ref())
    }

    /// What the answers make of an item or bundle; without answers unless it is the one being done.
    pub fn resolution(&self, code: &ItemCode) -> Option<Resolution<'_>> {
        let session = self.session.as_ref().filter(|session| session.item.as_ref() == Some(code));
        let catalogue = if session.is_some() { self.pinned() } else { &self.catalogue };
        let entry = catalogue.entry(code)?;
        let none = SituationAnswers::new();
        let answers = session.map_or(&none, |session| &session.situation.answers);
        Some(resolve(catalogue, entry, answers))
    }

    /// Whether the questions of an item tell what to prepare: they are asked then although the item needs what this
    /// terminal cannot take yet.
    pub fn tells_what_to_prepare(&self, code: &ItemCode) -> bool {
        let Some(entry) = self.catalogue.entry(code) else { return false };
        matches!(entry, Entry::Bundle(_)) || !questions(&self.catalogue, entry).is_empty()
    }

    /// From the guide to the first question, or onwards if there is none. Answers that were given before stay.
    pub(super) fn begin(&mut self) -> Vec<Job> {
        let Screen::Guide(code) = self.screen.clone() else { return Vec::new() };
        match self.can_begin(&code) {
            Ok(()) => {}
            Err(Unavailable::FieldType(_)) if self.tells_what_to_prepare(&code) => {}
            Err(_) => return Vec::new(),
        }
        self.history.retain(|screen| !screen.is_of_an_item());
        let Some(session) = &mut self.session else { return Vec::new() };
        let same = session.item.as_ref() == Some(&code) && session.slip.is_none();
        if !same {
            session.drop_item();
            session.item = Some(code);
        }
        (session.from_check, session.situation.at, session.situation.before) = (false, 0, None);
        if self.questions().is_empty() { self.after_questions() } else { self.open(Screen::Question) }
    }

    /// Chooses an option of the question on the screen, or none of them where several may be chosen.
    pub(super) fn choose(&mut self, id: &str, option: Option<&str>) -> Vec<Job> {
        let shown = self.question().filter(|q| self.screen == Screen::Question && q.id == id);
        let Some(question) = shown else { return Vec::new() };
        let multi = question.multi;
        let known = option.map_or(multi, |option| question.option(option).is_some());
        let Some(session) = self.session.as_mut().filter(|_| known) else { return Vec::new() };
        let chosen = session.situation.answers.entry(id.to_owned()).or_default();
        match option {
            Some(option) if multi && chosen.contains(option) => {
                chosen.remove(option);
            }
            Some(option) => {
                if !multi {
                    chosen.clear();
                }
                chosen.insert(option.to_owned());
            }
            None => chosen.clear(),
        }
        // Taking the only choice back is no answer yet; "none of these" is one.
        if chosen.is_empty() && option.is_some() {
            session.situation.answers.remove(id);
        }
        session.situation.missing = false;
        Vec::new()
    }

    /// Continue on a question: to the next one, to the end that an answer means, or onwards after the last.
    pub(super) fn go_on_from_question(&mut self) -> Vec<Job> {
        let count = self.questions().len();
        let (Some(question), Some(session)) = (self.question(), &self.session) else { return Vec::new() };
        let answered = question.answer(&session.situation.answers).is_some();
        let ends = self.ending().is_some();
        let Some(session) = &mut self.session else { return Vec::new() };
        session.situation.missing = !answered;
        if !answered {
            return Vec::new();
        }
        if ends {
            return self.open(Screen::Ended);
        }
        if session.situation.before.is_none() && session.situation.at + 1 < count {
            session.situation.at += 1;
            self.list_page = 0;
            return Vec::new();
        }
        self.after_questions()
    }

    /// Back on a question: the one before, or where one came from. Answers stay, but a change that was begun on the
    /// check page is taken back.
    pub(super) fn back_from_question(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        session.situation.missing = false;
        if let Some(before) = session.situation.before.take() {
            session.situation.answers = before;
            session.situation.refused = Vec::new();
            return self.back_to_check();
        }
        if session.situation.at > 0 {
            session.situation.at -= 1;
            self.list_page = 0;
            return Vec::new();
        }
        self.pop()
    }

    /// From the check page to a question.
    pub(super) fn change_situation(&mut self, id: &str) -> Vec<Job> {
        let at = self.questions().iter().position(|question| question.id == id);
        let Some(at) = at.filter(|_| self.screen == Screen::Check) else { return Vec::new() };
        let Some(session) = self.session.as_mut().filter(|s| !s.submit.saving()) else { return Vec::new() };
        session.situation.at = at;
        session.situation.before = Some(session.situation.answers.clone());
        self.history.retain(|screen| !matches!(screen, Screen::Form | Screen::Check));
        self.screen = Screen::Question;
        self.list_page = 0;
        Vec::new()
    }

    /// Continue on the page of what is needed.
    pub(super) fn go_on_from_needs(&mut self) -> Vec<Job> {
        let refused = self.session.as_ref().is_none_or(|session| !session.situation.refused.is_empty());
        if refused { Vec::new() } else { self.leave_questions() }
    }

    /// All questions are answered: what that means is told where it is worth a page, else it goes on.
    fn after_questions(&mut self) -> Vec<Job> {
        let Some(code) = self.session.as_ref().and_then(|s| s.item.clone()) else { return Vec::new() };
        let form = self.situation_form();
        let Some(session) = &mut self.session else { return Vec::new() };
        let captures = session.captures;
        let unsupported = form.iter().filter(|_| !captures).flat_map(|form| form.unsupported_fields());
        let labels = unsupported.map(|field| field.label.clone());
        session.situation.refused = labels.collect();
        let (changing, refused) = (session.situation.before.is_some(), !session.situation.refused.is_empty());
        let Some(resolution) = self.resolution(&code) else { return Vec::new() };
        if resolution.nothing_left.is_some() {
            return self.open(Screen::Ended);
        }
        let tells = refused || (!changing && self.tells_something(&code, &resolution));
        if tells { self.open(Screen::Needs) } else { self.leave_questions() }
    }

    /// Whether the answers make something that the person should know before the form: steps of departments, things
    /// to bring or to promise, another list than the guide's.
    fn tells_something(&self, code: &ItemCode, resolution: &Resolution<'_>) -> bool {
        let Some(entry) = self.catalogue.entry(code) else { return false };
        let asked = resolve(&self.catalogue, entry, &SituationAnswers::new());
        let needed =
            |m: &domain::item::Material| matches!(m.source, MaterialSource::Bring | MaterialSource::Promise);
        matches!(entry, Entry::Bundle(_))
            || resolution.materials.iter().any(needed)
            || resolution.materials != asked.materials
    }

    /// Past the questions: to the card page or the form; back to the check page after a change.
    fn leave_questions(&mut self) -> Vec<Job> {
        let changed = self.session.as_mut().and_then(|session| session.situation.before.take()).is_some();
        if changed { self.readjust() } else { self.ask_for_card() }
    }

    /// The form as the answers make it; none if it cannot be used.
    pub(super) fn situation_form(&self) -> Option<Form> {
        let session = self.session.as_ref()?;
        let entry = self.entry()?;
        let form = Form::compile(entry.form()).ok()?;
        form_for(self.pinned(), entry, &form, Some(&session.situation.answers)).ok()
    }

    /// Puts the form that the answers make into the session; answers to it that no longer apply are dropped, the
    /// others stay. False if there is no such form.
    pub(super) fn adjust_form(&mut self) -> bool {
        let Some(form) = self.situation_form() else { return false };
        let code = self.session.as_ref().and_then(|s| s.item.clone());
        let adjustments =
            code.and_then(|code| self.resolution(&code)).map(|resolution| resolution.adjustments);
        let Some(session) = &mut self.session else { return false };
        drop_unfit(&mut session.answers, &adjustments.unwrap_or_default());
        session.form = Some(Arc::new(form));
        true
    }
}

/// Forgets answers to fields that are not asked any more, and choices that are no longer among those left.
fn drop_unfit(answers: &mut Answers, adjustments: &Adjustments) {
    let Adjustments { adds_fields, drops_fields, narrows_fields, presets } = adjustments;
    for key in drops_fields.difference(adds_fields) {
        answers.forget(key);
    }
    for (key, left) in presets.iter().chain(narrows_fields) {
        let fits = |value: &Value| match value {
            Value::String(text) => left.iter().any(|one| one == text.trim()),
            other => left.contains(&other.to_string()),
        };
        if answers.get(key).is_some_and(|value| !fits(value)) {
            answers.forget(key);
        }
    }
}
