//! What somebody has filled in so far. Nothing of it is kept at the centre: it travels in the page, what is shown in
//! its fields and the rest in one hidden value, and comes back with the next call.
//!
//! Defaults are not part of it: they are made anew each time, so that they follow what they are made from until
//! somebody gives another answer, as on the terminal. Refuses to judge: `domain::form` does.
use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{Region, regions};
use domain::form::{Answers, Facts, Form, PlanPage, Widget};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::place::{MAX_LEVELS, Part, Place, key_of, rows_of};

/// Name of the hidden value.
pub const STATE: &str = "_state";
/// Places whose errors are told, at most: as many as a form can have fields.
const MAX_TOLD: usize = 1_200;

/// See the module. Holds answers, so it is never printed.
#[derive(Clone, Default)]
pub struct Filled {
    /// Answers that somebody gave; `null` where somebody emptied one.
    pub(super) answers: Answers,
    /// Paths whose errors are told even where nothing was answered.
    pub(super) told: BTreeSet<String>,
    /// Lists of regions that are open below which nothing is chosen yet, by path.
    pub(super) lists: BTreeMap<String, String>,
}

/// What came was not sent by a form that was drawn here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a field that this form does not have, or a state that was not drawn here")]
pub struct NotDrawnHere;

/// The hidden value.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Carried {
    /// Answers that no shown field holds; `null` where a shown field has one.
    rest: Map<String, Value>,
    /// Defaults as they were shown.
    given: Map<String, Value>,
    /// See [`Filled::told`].
    told: BTreeSet<String>,
}

impl Filled {
    /// With these answers, all of them given by somebody.
    pub fn new(answers: Answers) -> Self {
        Self { answers, ..Self::default() }
    }

    /// What somebody gave, defaults aside.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Gives an answer to a field, such as a file that was taken in.
    pub fn give(&mut self, path: &str, value: Value) {
        self.answers.set(path, value);
    }

    /// Takes what a drawn form sent: its fields by name, each once, and the hidden value. Names that begin with `_` or
    /// that the caller has taken out already are not looked at.
    ///
    /// # Errors
    /// [`NotDrawnHere`] for any other name, and for a hidden value that cannot be read.
    pub fn read(
        form: &Form,
        tree: &BTreeMap<String, Region>,
        pairs: &[(String, String)],
    ) -> Result<Self, NotDrawnHere> {
        let state = pairs.iter().find(|(name, _)| name == STATE).map_or("", |(_, value)| value.as_str());
        let carried: Carried = match state {
            "" => Carried::default(),
            // A list would be taken for the members in their order.
            list if !list.starts_with('{') => return Err(NotDrawnHere),
            state => serde_json::from_str(state).map_err(|_| NotDrawnHere)?,
        };
        let mut taken = Taken {
            form,
            given: carried.given,
            answers: Answers::from_map(carried.rest),
            parts: BTreeMap::new(),
        };
        for (name, value) in pairs.iter().filter(|(name, _)| !name.starts_with('_')) {
            taken.take(Place::read(name).ok_or(NotDrawnHere)?, value)?;
        }
        let told = carried.told.into_iter().take(MAX_TOLD).collect();
        Ok(taken.finish(tree, told))
    }

    /// The answers with what comes by itself, as the terminal would have them. What comes by itself in rows is an
    /// answer like any other from then on.
    pub(super) fn complete(&mut self, form: &Form, facts: &Facts) -> Answers {
        let mut complete = self.answers.clone();
        form.prefill(&mut complete, facts);
        let rows = form.spec().groups().filter_map(|group| group.repeat.as_ref());
        for rows in rows {
            if let Some(list) = complete.as_map().get(&rows.key) {
                self.answers.set(&rows.key, list.clone());
            }
        }
        complete
    }

    /// The hidden value beside the fields of a page.
    pub(super) fn state(&self, complete: &Answers, page: Option<&PlanPage>) -> String {
        let given: Map<String, Value> = complete
            .as_map()
            .iter()
            .filter(|(key, value)| self.answers.get(key) != Some(*value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut rest = self.answers.clone();
        for field in page.iter().flat_map(|page| &page.fields).filter(|field| !field.computed) {
            rest.clear(&field.key);
        }
        let carried = Carried { rest: rest.as_map().clone(), given, told: self.told.clone() };
        serde_json::to_string(&carried).unwrap_or_default()
    }
}

/// Values in the taking.
struct Taken<'a> {
    form: &'a Form,
    given: Map<String, Value>,
    answers: Answers,
    /// Lists and details of regions and addresses, by path.
    parts: BTreeMap<String, Parts>,
}

#[derive(Default)]
struct Parts {
    levels: [String; MAX_LEVELS],
    detail: Option<String>,
}

impl Taken<'_> {
    fn take(&mut self, place: Place, value: &str) -> Result<(), NotDrawnHere> {
        let widget = widget_of(self.form, &place.path).ok_or(NotDrawnHere)?;
        let regions = matches!(widget, Widget::Region | Widget::Address);
        match place.part {
            Part::Whole if !regions => self.whole(&place.path, widget, value),
            Part::Level(level) if regions => {
                let parts = self.parts.entry(place.path).or_default();
                if let Some(slot) = parts.levels.get_mut(level - 1) {
                    value.trim().clone_into(slot);
                }
            }
            Part::Detail if widget == Widget::Address => {
                self.parts.entry(place.path).or_default().detail = Some(value.replace("\r\n", "\n"));
            }
            _ => return Err(NotDrawnHere),
        }
        Ok(())
    }

    fn whole(&mut self, path: &str, widget: Widget, typed: &str) {
        let typed = typed.replace("\r\n", "\n");
        let value = match widget {
            _ if typed.trim().is_empty() => return self.emptied(path),
            Widget::Number => match self.form.number(path, &typed) {
                Some(number) => Value::from(number),
                None => Value::from(typed),
            },
            Widget::Phone | Widget::BankCard => Value::from(typed.replace(' ', "")),
            Widget::Signature | Widget::Photo | Widget::Attachment => {
                serde_json::from_str(&typed).unwrap_or(Value::from(typed))
            }
            _ => Value::from(typed),
        };
        if self.given.get(path) != Some(&value) {
            self.answers.set(path, value);
        }
    }

    /// A default that somebody took away does not come back.
    fn emptied(&mut self, path: &str) {
        if self.given.contains_key(path) {
            self.answers.set(path, Value::Null);
        }
    }

    fn finish(mut self, tree: &BTreeMap<String, Region>, told: BTreeSet<String>) -> Filled {
        let mut lists = BTreeMap::new();
        for (path, parts) in std::mem::take(&mut self.parts) {
            let (region, list) = chosen(tree, &parts.levels);
            lists.extend(list.map(|list| (path.clone(), list)));
            let value = match parts.detail {
                None => region.map(Value::from),
                Some(detail) if region.is_none() && detail.trim().is_empty() => None,
                Some(detail) => {
                    let region = region.map(|region| ("region".to_owned(), Value::from(region)));
                    let detail = ("detail".to_owned(), Value::from(detail));
                    Some(region.into_iter().chain([detail]).collect::<Map<_, _>>().into())
                }
            };
            match value {
                None => self.emptied(&path),
                Some(value) if self.given.get(&path) == Some(&value) => {}
                Some(value) => self.answers.set(&path, value),
            }
        }
        Filled { answers: self.answers, told, lists }
    }
}

/// The kind of the field at a path.
pub(super) fn widget_of(form: &Form, path: &str) -> Option<Widget> {
    let (rows, key) = (rows_of(path), key_of(path));
    let group = form.spec().groups().find(|group| {
        group.repeat.as_ref().map(|repeat| repeat.key.as_str()) == rows
            && group.fields.iter().any(|field| field.key == key)
    })?;
    group.fields.iter().find(|field| field.key == key).map(|field| field.widget)
}

/// The region that the lists have chosen, or else the list that is open. What is no province in the first list is a
/// region that no list offers (a retired one): it stays as it is.
fn chosen(tree: &BTreeMap<String, Region>, levels: &[String]) -> (Option<String>, Option<String>) {
    let mut open: Option<&str> = None;
    for code in levels.iter().map(String::as_str).filter(|code| !code.is_empty()) {
        let offered = tree.get(code).is_some_and(|region| region.current && region.parent.as_deref() == open);
        if !offered && open.is_none() {
            return (Some(code.to_owned()), None);
        }
        if !offered {
            break;
        }
        open = Some(code);
    }
    match open {
        Some(code) if regions::opens(tree, code) => (None, Some(code.to_owned())),
        code => (code.map(str::to_owned), None),
    }
}
