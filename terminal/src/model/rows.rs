//! Rows of repeat groups: one more, one less, and one step back. How many there may be is decided in `domain::form`.
use domain::form::Answers;
use serde_json::Value;

use super::{Model, Screen, Session};
use crate::event::Job;

/// Key under which [`RemovedRow`] holds its row.
const ROW: &str = "row";

/// A row that was taken out, so that it can be put back where it was. Its answers are wiped with it.
#[derive(Debug, Clone)]
pub struct RemovedRow {
    /// Key of the repeat group.
    pub key: String,
    /// Where it stood, from 0.
    pub index: usize,
    answers: Answers,
}

impl Model {
    /// One more row; the attention goes to its first field.
    pub(super) fn add_row(&mut self, key: &str) -> Vec<Job> {
        let Some((session, today)) = self.filling() else { return Vec::new() };
        let Some(form) = session.form.clone() else { return Vec::new() };
        let facts = session.facts(today);
        if !form.add_row(&mut session.answers, &facts, key) {
            return Vec::new();
        }
        session.removed_row = None;
        let row = session.answers.rows(key).len().saturating_sub(1);
        self.replan();
        self.attend(key, row);
        Vec::new()
    }

    /// One row less; the attention goes to the group, whose field may be gone.
    pub(super) fn remove_row(&mut self, key: &str, row: usize) -> Vec<Job> {
        let Some((session, _)) = self.filling() else { return Vec::new() };
        let Some(form) = session.form.clone() else { return Vec::new() };
        let Some(content) = session.answers.rows(key).get(row).cloned() else { return Vec::new() };
        let removed = RemovedRow { key: key.to_owned(), index: row, answers: holding(content) };
        if !form.remove_row(&mut session.answers, key, row) {
            return Vec::new();
        }
        session.removed_row = Some(removed);
        // Errors name rows by their number, and the numbers have changed.
        session.errors.retain(|error| !is_in(&error.key, key));
        session.focus = Some(format!("{key}/seen"));
        self.replan();
        self.stay_with(key);
        Vec::new()
    }

    /// Puts the row back that was taken out last, if there is room for it.
    pub(super) fn undo_row(&mut self) -> Vec<Job> {
        let Some((session, today)) = self.filling() else { return Vec::new() };
        let (Some(form), Some(removed)) = (session.form.clone(), session.removed_row.take()) else {
            return Vec::new();
        };
        let facts = session.facts(today);
        // Adding says whether there may be one more; the row then takes its old place.
        if !form.add_row(&mut session.answers, &facts, &removed.key) {
            return Vec::new();
        }
        let mut rows = session.answers.rows(&removed.key).to_vec();
        rows.pop();
        let content = removed.answers.get(ROW).cloned().unwrap_or_default();
        rows.insert(removed.index.min(rows.len()), content);
        session.answers.set(&removed.key, Value::Array(rows));
        session.errors.retain(|error| !is_in(&error.key, &removed.key));
        self.replan();
        self.attend(&removed.key, removed.index);
        Vec::new()
    }

    /// The session, while its form is on the screen.
    fn filling(&mut self) -> Option<(&mut Session, domain::date::CivilDate)> {
        let today = self.today();
        let open = self.screen == Screen::Form;
        self.session.as_mut().filter(|_| open).map(|session| (session, today))
    }

    /// Brings the first field of a row onto the screen.
    fn attend(&mut self, key: &str, row: usize) {
        let Some(session) = &mut self.session else { return };
        let path = format!("{key}[{row}].");
        let pages = session.plan.pages.iter().enumerate();
        let mut found =
            pages.flat_map(|(page, plan)| plan.fields.iter().map(move |field| (page, &field.key)));
        if let Some((page, field)) = found.find(|(_, field)| field.starts_with(&path)) {
            session.page = page;
            session.focus = Some(format!("{field}/seen"));
        }
    }

    /// Stays on a page of a group whose rows have become fewer.
    fn stay_with(&mut self, key: &str) {
        let Some(session) = &mut self.session else { return };
        let pages = &session.plan.pages;
        let has = |page: usize| pages.get(page).is_some_and(|page| page.has(key));
        if !has(session.page) {
            let page = (0..session.page).rev().find(|page| has(*page));
            session.page = page.or_else(|| session.plan.page_of(key)).unwrap_or(session.page);
        }
    }
}

/// Whether a path names a repeat group, one of its rows or something in a row.
fn is_in(path: &str, rows: &str) -> bool {
    path.strip_prefix(rows).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

fn holding(row: Value) -> Answers {
    let mut answers = Answers::default();
    answers.set(ROW, row);
    answers
}
