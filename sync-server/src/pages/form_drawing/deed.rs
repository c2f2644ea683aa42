//! What somebody pressed on a drawn form, and what that does: turn a page, add or take away a row, put a sample in the
//! place of what only a terminal can take.
use domain::form::{FieldError, FileLimits, RenderPlan, Widget};
use serde_json::{Value, json};

use super::Sheet;
use super::filled::widget_of;

/// Name of the buttons.
pub const DO: &str = "_do";

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Draw again: rules and computed values follow the answers.
    Update,
    /// To the page before.
    Back,
    /// To the next page, if this one is right.
    Next,
    /// To a page.
    Page(usize),
    /// One more row.
    Add(String),
    /// A row away, by its number from 0.
    Remove(String, usize),
    /// A sample in the place of a signature or file.
    Sample(String),
    /// Takes an answer away.
    Clear(String),
    /// The address of the card.
    CardAddress(String),
}

impl Deed {
    /// The deed of a button's value; anything else only draws again.
    pub fn read(value: &str) -> Self {
        let (name, rest) = value.split_once(':').unwrap_or((value, ""));
        let of = rest.to_owned();
        match name {
            "back" => Self::Back,
            "next" => Self::Next,
            "page" => rest.parse().map_or(Self::Update, Self::Page),
            "add" => Self::Add(of),
            "remove" => match rest.split_once(':').map(|(rows, row)| (rows, row.parse())) {
                Some((rows, Ok(row))) => Self::Remove(rows.to_owned(), row),
                _ => Self::Update,
            },
            "sample" => Self::Sample(of),
            "clear" => Self::Clear(of),
            "same" => Self::CardAddress(of),
            _ => Self::Update,
        }
    }
}

impl Sheet<'_> {
    /// Does what was pressed.
    pub fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Update => {}
            Deed::Back => self.page = self.page.saturating_sub(1),
            Deed::Next => self.next(),
            Deed::Page(page) => self.page = page,
            Deed::Add(rows) => {
                self.filled.complete(self.form, self.facts);
                self.form.add_row(&mut self.filled.answers, self.facts, &rows);
            }
            Deed::Remove(rows, row) => {
                self.filled.complete(self.form, self.facts);
                self.form.remove_row(&mut self.filled.answers, &rows, row);
            }
            Deed::Sample(path) => self.sample(&path),
            Deed::Clear(path) => self.filled.answers.clear(&path),
            Deed::CardAddress(path) => {
                let address = self.facts.offered_address();
                if widget_of(self.form, &path) == Some(Widget::Address)
                    && let Some(address) = address
                {
                    self.filled.answers.set(&path, address);
                }
            }
        }
    }

    /// Goes on as the terminal does: not from a page with a mistake, and to the check only if nothing is wrong anywhere.
    fn next(&mut self) {
        let (plan, errors) = self.judged();
        self.page = self.page.min(plan.pages.len());
        if self.tell(&plan, &errors, self.page) {
            return;
        }
        self.page = (self.page + 1).min(plan.pages.len());
        if self.page == plan.pages.len()
            && let Some(wrong) = errors.iter().find_map(|error| plan.page_of(&error.key))
        {
            self.page = wrong;
            self.tell(&plan, &errors, wrong);
        }
    }

    /// From now on the mistakes of a page are told; says whether there are any.
    fn tell(&mut self, plan: &RenderPlan, errors: &[FieldError], page: usize) -> bool {
        let Some(page) = plan.pages.get(page) else { return false };
        let fields = page.fields.iter().map(|field| &field.key);
        let rows = page.groups.iter().filter_map(|group| group.repeat.as_ref()).map(|repeat| &repeat.key);
        let here = errors.iter().map(|error| &error.key).filter(|key| page.has(key));
        self.filled.told.extend(fields.chain(rows).chain(here).cloned());
        errors.iter().any(|error| page.has(&error.key))
    }

    fn sample(&mut self, path: &str) {
        let (plan, _) = self.judged();
        let field = plan.pages.iter().flat_map(|page| &page.fields).find(|field| field.key == path);
        let Some(field) = field else { return };
        let file = || field.files.as_deref().map(sample_file);
        let value = match field.widget {
            Widget::Signature => Some(sample_signature()),
            Widget::Photo => file(),
            Widget::Attachment => {
                let mut list = field.value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
                let room = field.files.as_ref().is_some_and(|files| (list.len() as u64) < files.max);
                list.extend(file().filter(|_| room));
                Some(Value::Array(list))
            }
            _ => None,
        };
        if let Some(value) = value {
            self.filled.answers.set(path, value);
        }
    }
}

/// A signature of nobody: one wave.
pub(super) fn sample_signature() -> Value {
    let points: Vec<[i64; 3]> = (0..40).map(|n| [20 + n * 9, 100 + (n * n) % 61, n * 20]).collect();
    json!({"strokes": [points], "width": 400, "height": 240})
}

/// A file that nobody has: a hash of zeros.
fn sample_file(limits: &FileLimits) -> Value {
    let hash = "0".repeat(64);
    match (limits.kinds.first(), limits.max_bytes) {
        (Some(kind), Some(most)) => json!({"hash": hash, "bytes": most.min(200_000), "kind": kind}),
        _ => Value::from(hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_are_read_and_nonsense_only_draws_again() {
        let table = [
            ("next", Deed::Next),
            ("back", Deed::Back),
            ("page:2", Deed::Page(2)),
            ("page:x", Deed::Update),
            ("page:-1", Deed::Update),
            ("add:children", Deed::Add("children".into())),
            ("remove:children:1", Deed::Remove("children".into(), 1)),
            ("remove:children", Deed::Update),
            ("same:home", Deed::CardAddress("home".into())),
            ("", Deed::Update),
            ("drop table", Deed::Update),
        ];
        for (value, deed) in table {
            assert_eq!(Deed::read(value), deed, "{value}");
        }
    }
}
