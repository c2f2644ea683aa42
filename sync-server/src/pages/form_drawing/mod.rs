//! Draws a form as HTML: the render plan of `domain::form`, and nothing that the plan does not say.
//!
//! A drawn form is sent again after each change (htmx), or with a button where no script runs; rules, computed values
//! and mistakes come from the same code as on the terminal. Nothing is kept between two calls: all answers travel in
//! the page. Refuses to know who asks, where the form comes from and what becomes of the answers, so that a form that
//! is not published yet can be drawn as well.
mod deed;
mod field;
mod filled;
mod place;
mod region;
mod words;

use std::collections::BTreeMap;

use askama::Template;
use domain::catalogue::Region;
use domain::form::{Answers, Facts, FieldError, FieldErrorKind, Form, Layout, PlanPage, RenderPlan};
use domain::text::Language;

pub use deed::{DO, Deed};
pub use filled::{Filled, NotDrawnHere, STATE};
pub use place::id_of;
pub use words::{of_answer, of_error};

use crate::words::Words;
use field::{GroupView, Input};
use words::AnswerView;

/// Name of the hidden field with the page.
pub const PAGE: &str = "_page";

/// A form with what is filled in so far, and how it is to be drawn.
pub struct Sheet<'a> {
    /// The form, adjusted to the situation.
    pub form: &'a Form,
    /// What is known besides the answers.
    pub facts: &'a Facts,
    /// Regions to choose from.
    pub regions: &'a BTreeMap<String, Region>,
    /// What is filled in.
    pub filled: Filled,
    /// The page, from 0; one more than the last is the check of all answers.
    pub page: usize,
    /// Language of labels, buttons and mistakes.
    pub language: Language,
    /// Where the form is sent to. Whoever serves it takes all fields whose names do not begin with `_` to
    /// [`Filled::read`], [`PAGE`] to `page` and [`DO`] to [`Deed::read`].
    pub action: &'a str,
    /// Drawn in the form before its fields, such as the questions about the situation: trusted HTML.
    pub before: String,
    /// Somebody stands there: signatures are drawn, files are taken in, and at the check the form is handed in by the deed
    /// `submit`. Otherwise samples are put in their place, and the check shows what would be sent.
    pub live: bool,
}

/// Draws all pages of a form one below the other, as somebody sees them who has answered nothing yet, without a way to
/// send them: what a preview needs.
///
/// # Errors
/// [`askama::Error`] if the template fails, which it does only without memory.
pub fn draw_pages(
    (form, regions): (&Form, &BTreeMap<String, Region>),
    facts: &Facts,
    language: Language,
) -> Result<String, askama::Error> {
    let (filled, before) = (Filled::new(Answers::default()), String::new());
    let sheet = Sheet { form, facts, regions, filled, page: 0, language, action: "", before, live: false };
    let (plan, _) = sheet.judged();
    let page = |page| PageOfFields { title: title_of(page, language), groups: field::groups(&sheet, page) };
    Pages { w: Words(language), live: false, pages: plan.pages.iter().map(page).collect() }.render()
}

#[derive(Template)]
#[template(path = "form_drawing_pages.html")]
struct Pages {
    w: Words,
    live: bool,
    pages: Vec<PageOfFields>,
}

#[derive(Template)]
#[template(path = "form_drawing_fields.html")]
struct Fields {
    w: Words,
    live: bool,
    groups: Vec<GroupView>,
}

/// A page in a preview.
struct PageOfFields {
    title: String,
    groups: Vec<GroupView>,
}

fn title_of(page: &PlanPage, language: Language) -> String {
    page.title.get(language).to_owned()
}

#[derive(Template)]
#[template(path = "form_drawing.html")]
struct Drawn<'s> {
    w: Words,
    live: bool,
    action: &'s str,
    before: &'s str,
    state: String,
    page: usize,
    pages: Vec<PageView>,
    title: String,
    progress: String,
    mistakes: Vec<Mistake>,
    mistakes_title: String,
    groups: Vec<GroupView>,
    check: Option<Check>,
}

/// A page in the list of pages.
struct PageView {
    number: usize,
    title: String,
    current: bool,
}

/// A line of the list of mistakes.
struct Mistake {
    href: String,
    text: String,
}

/// The last page.
struct Check {
    answers: Vec<AnswerView>,
    document: String,
}

impl Sheet<'_> {
    /// The form as one HTML element with the id `form-drawing`.
    ///
    /// # Errors
    /// As [`draw_pages`].
    pub fn draw(mut self) -> Result<String, askama::Error> {
        let complete = self.filled.complete(self.form, self.facts);
        let (mut plan, errors) = self.judged();
        self.page = self.page.min(plan.pages.len());
        let told: Vec<FieldError> =
            errors.iter().filter(|error| self.is_told(&plan, error)).cloned().collect();
        plan.mark(&told);
        let w = Words(self.language);
        let pages = plan.pages.iter().enumerate();
        let pages: Vec<PageView> = pages
            .map(|(at, page)| PageView {
                number: at + 1,
                title: title_of(page, self.language),
                current: at == self.page,
            })
            .collect();
        let mistakes = self.mistakes(&plan, &told);
        let page = plan.pages.get(self.page);
        let (at, all) = ((self.page + 1).to_string(), pages.len().to_string());
        let drawn = Drawn {
            w,
            live: self.live,
            action: self.action,
            before: &self.before,
            state: self.filled.state(&complete, page),
            page: self.page,
            title: page.map_or_else(|| w.t("drawing.check").to_owned(), |page| title_of(page, self.language)),
            progress: match page {
                Some(_) => w.fill("drawing.progress", &[("page", &at), ("pages", &all)]),
                None => String::new(),
            },
            mistakes_title: w.fill("drawing.mistakes", &[("n", &mistakes.len().to_string())]),
            mistakes,
            groups: page.map(|page| field::groups(&self, page)).unwrap_or_default(),
            check: page.is_none().then(|| self.check(&plan, &complete)),
            pages,
        };
        drawn.render()
    }

    /// The fields of the first page alone, with these mistakes: whoever serves it puts them into a form of its own.
    ///
    /// # Errors
    /// As [`draw_pages`].
    pub fn draw_fields(&self, told: &[FieldError]) -> Result<String, askama::Error> {
        let (mut plan, _) = self.judged();
        plan.mark(told);
        let groups = plan.pages.first().map(|page| field::groups(self, page)).unwrap_or_default();
        Fields { w: Words(self.language), live: self.live, groups }.render()
    }

    /// What is asked now, and all that is wrong with the answers.
    pub fn judged(&self) -> (RenderPlan, Vec<FieldError>) {
        let mut complete = self.filled.answers.clone();
        self.form.prefill(&mut complete, self.facts);
        let errors = self.form.validate_with(&complete, self.facts);
        (self.form.plan(&complete, self.facts, Layout::Grouped), errors)
    }

    /// The answers that would be sent.
    pub fn effective(&self) -> Answers {
        let mut complete = self.filled.answers.clone();
        self.form.prefill(&mut complete, self.facts);
        self.form.effective(&complete, self.facts)
    }

    /// Mistakes are told once somebody went on from their page; an answer that cannot stand is told at once, one that
    /// is only not complete is not.
    fn is_told(&self, plan: &RenderPlan, error: &FieldError) -> bool {
        use FieldErrorKind as Kind;
        let waits = matches!(
            error.kind,
            Kind::Required | Kind::AddressIncomplete | Kind::TooFewRows { .. } | Kind::TooFewFiles { .. }
        );
        let answered = self.filled.answers.get(&error.key).is_some_and(|value| !value.is_null());
        let at_the_end = self.page >= plan.pages.len();
        at_the_end || self.filled.told.contains(&error.key) || (answered && !waits)
    }

    /// The told mistakes of this page; at the check, of all.
    fn mistakes(&self, plan: &RenderPlan, told: &[FieldError]) -> Vec<Mistake> {
        let page = plan.pages.get(self.page);
        let here = told.iter().filter(|error| page.is_none_or(|page| page.has(&error.key)));
        here.map(|error| {
            let label = self.form.spec().label(&error.key).map(|label| label.get(self.language));
            let words = words::of_error(Words(self.language), &error.kind);
            let text = match label {
                Some(label) => words::joined(Words(self.language), label, &words),
                None => words,
            };
            let place = page.map_or_else(|| "form-drawing".to_owned(), |_| id_of(&error.key));
            Mistake { href: format!("#{place}"), text }
        })
        .collect()
    }

    fn check(&self, plan: &RenderPlan, complete: &Answers) -> Check {
        let effective = self.form.effective(complete, self.facts);
        Check {
            answers: words::answers(self, plan),
            document: serde_json::to_string_pretty(effective.as_map()).unwrap_or_default(),
        }
    }
}
