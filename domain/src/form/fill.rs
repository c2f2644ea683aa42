//! Answers that come by themselves: defaults, only choices, and the rows of repeat groups.
use serde_json::Value;

use super::answers::in_row;
use super::spec::Repeat;
use super::state::Filling;
use super::{Answers, Facts, Form};

/// What is to be written into the answers.
enum Write {
    /// A default or the only choice, by key.
    Default(String, Value),
    /// The same in a row, by path; it is an answer like any other from then on.
    InRow(String, Value),
    /// A default that cannot be made any more.
    Stale(String),
    /// Rows that must be there.
    Rows(String, usize),
}

impl Form {
    /// Fills in what comes by itself; call it when the form is opened and after every change of an answer.
    ///
    /// Filled are the region that the ID number names and other defaults, where nothing was answered yet; choices of
    /// which only one is left; and the rows that a repeat group must have at least. A default follows what it is made
    /// from until somebody answers the field or empties it; in a row it is made once, while the row is empty. The
    /// card's address is offered ([`Facts::offered_address`]), never filled in unasked.
    pub fn prefill(&self, answers: &mut Answers, facts: &Facts) {
        for write in self.writes(answers, facts) {
            match write {
                Write::Default(key, value) => answers.set_default(&key, value),
                Write::InRow(path, value) => answers.set(&path, value),
                Write::Stale(key) => answers.drop_default(&key),
                Write::Rows(key, count) => answers.pad_rows(&key, count),
            }
        }
    }

    fn writes(&self, answers: &Answers, facts: &Facts) -> Vec<Write> {
        let state = self.state(answers, facts, Filling::On);
        let mut writes = Vec::new();
        for (group, state) in self.spec().groups().zip(state.pages.into_iter().flatten()) {
            let rows = group.repeat.as_ref().map(|repeat| repeat.key.as_str());
            if let Some(key) = rows.filter(|key| answers.rows(key).len() < state.min) {
                writes.push(Write::Rows(key.to_owned(), state.min));
            }
            for (at, fields) in state.rows.into_iter().enumerate() {
                for (field, state) in group.fields.iter().zip(fields) {
                    match (state.filled, rows) {
                        (Some(value), Some(rows)) => {
                            writes.push(Write::InRow(in_row(rows, at, &field.key), value));
                        }
                        (Some(value), None) => writes.push(Write::Default(field.key.clone(), value)),
                        (None, _) if state.stale => writes.push(Write::Stale(field.key.clone())),
                        (None, _) => {}
                    }
                }
            }
        }
        writes
    }

    /// Adds a row to a repeat group, with its defaults; false if there is no such group or it is full.
    pub fn add_row(&self, answers: &mut Answers, facts: &Facts, key: &str) -> bool {
        let count = answers.rows(key).len();
        let room = self.repeat(key).is_some_and(|repeat| count < repeat.max);
        if room {
            answers.pad_rows(key, count + 1);
            self.prefill(answers, facts);
        }
        room
    }

    /// Takes a row away; false if there is no such row or no fewer may be there.
    pub fn remove_row(&self, answers: &mut Answers, key: &str, row: usize) -> bool {
        let count = answers.rows(key).len();
        let removable =
            row < count && self.repeat(key).is_some_and(|repeat| count > self.fewest_rows(repeat));
        if removable {
            answers.remove_row(key, row);
        }
        removable
    }

    fn repeat(&self, key: &str) -> Option<&Repeat> {
        self.spec().groups().filter_map(|group| group.repeat.as_ref()).find(|repeat| repeat.key == key)
    }
}
