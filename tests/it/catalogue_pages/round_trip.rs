//! What somebody types into a drawn form comes out exactly as it would on the terminal: same answers, same mistakes.
use domain::catalogue::{Catalogue, regions};
use domain::form::{Answers, Facts, Form, Layout, PlanField, Widget, number_written};
use domain::text::Language;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sync_server::pages::form_drawing::{DO, Deed, Filled, PAGE, Sheet};

use super::html::{put, sent, tags};
use super::{ACTION, facts, form_of};
use crate::catalogue::{entries, good_answer, sample};

/// A terminal: answers one after another, defaults filled in after each.
fn on_the_terminal(form: &Form, facts: &Facts, rng: &mut ChaCha20Rng) -> Answers {
    let mut answers = Answers::default();
    form.prefill(&mut answers, facts);
    for _ in 0..4 {
        let plan = form.plan(&answers, facts, Layout::Grouped);
        for rows in plan.pages.iter().flat_map(|page| &page.groups).filter_map(|group| group.repeat.as_ref())
        {
            if rng.next_u32().is_multiple_of(2) {
                form.add_row(&mut answers, facts, &rows.key);
            }
        }
        for field in plan.pages.iter().flat_map(|page| &page.fields).filter(|field| !field.computed) {
            match rng.next_u32() % 8 {
                0 => {}
                1 => answers.clear(&field.key),
                2 | 3 => answers.set(&field.key, odd_answer(field, rng)),
                _ => answers.set(&field.key, right_answer(form, field, rng)),
            }
            form.prefill(&mut answers, facts);
        }
    }
    answers
}

fn right_answer(form: &Form, field: &PlanField, rng: &mut ChaCha20Rng) -> Value {
    if !field.choices.is_empty() {
        let choice = &field.choices[rng.next_u32() as usize % field.choices.len()];
        return match field.widget {
            Widget::Number => json!(choice.value.parse::<i64>().expect("a number")),
            _ => json!(choice.value),
        };
    }
    let key = field.key.rsplit('.').next().expect("a key");
    good_answer(form.spec().fields().find(|f| f.key == key).expect("a field"))
}

/// Answers that are mostly wrong, of the shape that a terminal can give.
fn odd_answer(field: &PlanField, rng: &mut ChaCha20Rng) -> Value {
    let pick = |list: &[&str], rng: &mut ChaCha20Rng| json!(list[rng.next_u32() as usize % list.len()]);
    match field.widget {
        Widget::Number => json!(i64::from(rng.next_u32() % 100_000)),
        Widget::Date => pick(&["1900-01-01", "2099-12-31", "2026-02-30", "2026-11"], rng),
        Widget::Month => pick(&["1900-01", "2099-12", "2026-13"], rng),
        Widget::Phone => pick(&["1", "13000000013", "0971-6123456", "10000000000"], rng),
        Widget::BankCard => pick(&["62", "6200000000000005", "6200000000000006"], rng),
        Widget::Region => pick(&["630122", "630102", "440524"], rng),
        Widget::Address => json!({"region": "630102", "detail": "x".repeat(200)}),
        Widget::Signature => json!({"strokes": [[[1, 2, 3]]], "width": 10, "height": 10}),
        Widget::Photo => json!("no hash"),
        Widget::Attachment => json!(["no hash", "b".repeat(64)]),
        Widget::Enum => json!(field.choices[0].value),
        Widget::Text => pick(&["x", "<b>&\"'", " 样例 ", "1"], rng),
    }
}

/// Types an answer into what was drawn for it.
fn type_in(
    pairs: &mut Vec<(String, String)>,
    catalogue: &Catalogue,
    field: &PlanField,
    value: Option<&Value>,
) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let part = |name: &str| value.and_then(|v| v.get(name)).map(text).unwrap_or_default();
    let mut choose = |code: &str| {
        let mut path = regions::path(&catalogue.regions, code);
        if !catalogue.regions.get(code).is_some_and(|region| region.current) {
            path = vec![code.to_owned()];
        }
        for level in 1..=4 {
            let code = path.get(level - 1).map_or("", String::as_str);
            put(pairs, &format!("{}.{level}", field.key), code);
        }
    };
    let empty = || value.is_none_or(Value::is_null);
    match (field.widget, value) {
        (Widget::Region, _) => choose(&value.map(text).filter(|_| !empty()).unwrap_or_default()),
        (Widget::Address, _) => {
            choose(&part("region"));
            put(pairs, &format!("{}.detail", field.key), &part("detail"));
        }
        (_, None | Some(Value::Null)) => put(pairs, &field.key, ""),
        (Widget::Number, Some(number)) if field.choices.is_empty() => {
            put(pairs, &field.key, &number_written(number.as_i64().expect("a number"), field.decimals));
        }
        (Widget::Signature | Widget::Photo | Widget::Attachment, Some(value)) => {
            put(pairs, &field.key, &value.to_string());
        }
        (_, Some(value)) => put(pairs, &field.key, &text(value).replace('\n', "\r\n")),
    }
}

/// A browser without scripts: page by page, each sent as often as fields appear.
struct Browser<'a> {
    catalogue: &'a Catalogue,
    form: &'a Form,
    facts: &'a Facts,
    html: String,
}

impl Browser<'_> {
    fn send(&mut self, mut pairs: Vec<(String, String)>, deed: &str) {
        put(&mut pairs, DO, deed);
        let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
        let mut sheet = self.sheet(&pairs, value(PAGE).parse().expect("a page"));
        sheet.act(Deed::read(value(DO)));
        self.html = sheet.draw().expect("drawn");
    }

    fn sheet(&self, pairs: &[(String, String)], page: usize) -> Sheet<'_> {
        Sheet {
            form: self.form,
            facts: self.facts,
            regions: &self.catalogue.regions,
            filled: Filled::read(self.form, &self.catalogue.regions, pairs).expect("drawn here"),
            page,
            language: Language::ZhCn,
            action: ACTION,
            before: String::new(),
            live: false,
        }
    }

    /// What the form holds now.
    fn now(&self) -> Sheet<'_> {
        self.sheet(&sent(&tags(&self.html)), 0)
    }

    fn fill(&mut self, wanted: &Answers) {
        for page in 0..20 {
            self.send(sent(&tags(&self.html)), &format!("page:{page}"));
            for _ in 0..6 {
                let plan = self.now().judged().0;
                let Some(page) = plan.pages.get(page) else { return };
                let short = page
                    .groups
                    .iter()
                    .filter_map(|group| group.repeat.as_ref())
                    .find(|rows| rows.count < wanted.rows(&rows.key).len());
                if let Some(rows) = short {
                    self.send(sent(&tags(&self.html)), &format!("add:{}", rows.key));
                    continue;
                }
                let mut pairs = sent(&tags(&self.html));
                for field in page.fields.iter().filter(|field| !field.computed) {
                    type_in(&mut pairs, self.catalogue, field, wanted.get(&field.key));
                }
                self.send(pairs, "update");
            }
        }
    }
}

#[test]
fn typed_answers_are_judged_and_sent_as_on_the_terminal() {
    let catalogue = sample();
    let facts = facts();
    let (mut forms, mut wrong) = (0, 0);
    for (seed, entry) in entries(&catalogue).enumerate() {
        let form = form_of(&catalogue, entry);
        for round in 0..3 {
            let said = format!("{} round {round}", entry.code());
            let mut rng = ChaCha20Rng::seed_from_u64((seed * 10 + round) as u64);
            let terminal = on_the_terminal(&form, &facts, &mut rng);
            let html = String::new();
            let mut browser = Browser { catalogue: &catalogue, form: &form, facts: &facts, html };
            browser.send(vec![(PAGE.to_owned(), "0".to_owned())], "update");
            browser.fill(&terminal);
            let page = browser.now();
            assert_eq!(page.effective(), form.effective(&terminal, &facts), "{said}");
            let errors = form.validate_with(&terminal, &facts);
            assert_eq!(page.judged().1, errors, "{said}");
            wrong += errors.len();
            forms += 1;
        }
    }
    assert!(forms >= 300 && wrong > 300, "{forms} forms with {wrong} mistakes");
}

#[test]
fn a_form_filled_in_rightly_comes_to_its_check_and_would_be_taken() {
    let catalogue = sample();
    let facts = facts();
    for entry in entries(&catalogue) {
        let form = form_of(&catalogue, entry);
        let mut answers = Answers::default();
        for field in entry.form().fields() {
            answers.set(&field.key, good_answer(field));
        }
        if matches!(entry.code().as_str(), "nhsa.reimb") {
            answers.set("end_date", json!("2026-11-22"));
        }
        form.prefill(&mut answers, &facts);
        let html = String::new();
        let mut browser = Browser { catalogue: &catalogue, form: &form, facts: &facts, html };
        browser.send(vec![(PAGE.to_owned(), "0".to_owned())], "update");
        browser.fill(&answers);
        browser.send(sent(&tags(&browser.html)), "page:0");
        let pages = form.plan(&answers, &facts, Layout::Grouped).pages.len();
        for _ in 0..pages {
            browser.send(sent(&tags(&browser.html)), "next");
        }
        let right = browser.html.contains("全部符合规则");
        assert!(right, "{}: {:?}", entry.code(), browser.now().judged().1);
    }
}
