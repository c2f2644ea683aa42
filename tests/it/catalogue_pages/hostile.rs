//! What no drawn form sends: it is refused, or drawn as text, and nothing breaks.
use domain::form::{Answers, Form};
use domain::text::Language;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use sync_server::pages::form_drawing::{Deed, Filled, NotDrawnHere, STATE};

use super::html::tags;
use super::{facts, form_of, sheet};
use crate::catalogue::{entries, sample};

/// A form with every kind of rule: the worked example of the handbook, with a region, an address and files.
fn rich() -> Form {
    let text = std::fs::read_to_string(tests::binaries::repository().join("docs/forms.md")).expect("docs");
    let json = text.split("```json").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    Form::compile(&serde_json::from_str(json).expect("a form")).expect("compiles")
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn names_and_states_that_were_not_drawn_are_refused() {
    let catalogue = sample();
    let form = rich();
    let deep = format!("{{\"rest\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let refused = [
        ("nothing", ""),
        ("people", "x"),
        ("people[0]", "x"),
        ("people[0].nothing", "x"),
        ("people[0].rent", "x"),
        ("rent.detail", "x"),
        ("rent.1", "x"),
        ("name", "x"),
        ("", ""),
        ("rows[", ""),
        ("\u{202e}rent", "1"),
        (STATE, "{"),
        (STATE, "[]"),
        (STATE, "{\"rest\":[]}"),
        (STATE, "{\"rest\":{},\"more\":1}"),
        (STATE, &deep),
    ];
    for (name, value) in refused {
        let read = Filled::read(&form, &catalogue.regions, &pairs(&[(name, value)]));
        assert_eq!(read.err(), Some(NotDrawnHere), "{name}");
    }
    for name in ["people[0].name", "people[49].name", "people[50].name", "rent", "_anything"] {
        assert!(Filled::read(&form, &catalogue.regions, &pairs(&[(name, "x")])).is_ok(), "{name}");
    }
}

#[test]
fn odd_texts_are_shown_as_text_and_odd_shapes_are_told() {
    let catalogue = sample();
    let facts = facts();
    let evil = "\"><script>alert(1)</script><input value='";
    let values = [
        json!(evil),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!([[1], {"a": evil}]),
        json!({"strokes": [[evil, [1], ["a", "b"]], 7], "width": -1, "height": 1e9}),
        json!({"region": evil, "detail": [evil]}),
        json!({"hash": 1, "bytes": evil, "kind": evil}),
        json!("\u{202e}\u{0}\u{7}"),
        json!("字".repeat(10_000)),
        Value::Null,
    ];
    for entry in entries(&catalogue).take(30) {
        let form = form_of(&catalogue, entry);
        for value in &values {
            let mut answers = Answers::default();
            for field in form.spec().fields() {
                answers.set(&field.key, value.clone());
            }
            for page in [0, 1, 99] {
                let sheet = sheet(&catalogue, &form, &facts, (answers.clone(), page), Language::ZhCn);
                let html = sheet.draw().expect("drawn");
                assert!(!html.contains("<script") && !html.contains("alert(1)<"), "{}", entry.code());
                tags(&html);
            }
        }
    }
}

#[test]
fn rows_stay_within_their_limits_whatever_is_pressed() {
    let catalogue = sample();
    let (form, facts) = (rich(), facts());
    let mut answers = Answers::default();
    answers.set("people[49].name", json!("x"));
    let mut sheet = sheet(&catalogue, &form, &facts, (answers, 0), Language::ZhCn);
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let presses =
        ["add:people", "remove:people:0", "remove:people:99", "add:nothing", "sample:rent", "page:7"];
    for _ in 0..200 {
        sheet.act(Deed::read(presses[rng.next_u32() as usize % presses.len()]));
        let (plan, _) = sheet.judged();
        let rows = plan.pages.iter().flat_map(|page| &page.groups).filter_map(|group| group.repeat.as_ref());
        for rows in rows {
            assert!((1..=4).contains(&rows.count), "{}", rows.count);
        }
    }
    assert!(sheet.draw().is_ok());
}

#[test]
fn a_taken_away_default_does_not_come_back_and_an_untouched_one_follows() {
    let catalogue = sample();
    let (form, facts) = (rich(), facts());
    let mut sheet = sheet(&catalogue, &form, &facts, (Answers::default(), 1), Language::ZhCn);
    sheet.act(Deed::Update);
    let html = sheet.draw().expect("drawn");
    let mut sent = super::html::sent(&tags(&html));
    let shown = sent.iter().find(|(name, _)| name == "fees").expect("a field").1.clone();
    assert_eq!(shown, "0", "the default is shown");
    super::html::put(&mut sent, "rent", "12.50");
    let read = |sent: &[(String, String)]| Filled::read(&form, &catalogue.regions, sent).expect("drawn here");
    let with = |filled| {
        let mut sheet = super::sheet(&catalogue, &form, &facts, (Answers::default(), 1), Language::ZhCn);
        sheet.filled = filled;
        sheet
    };
    let effective = with(read(&sent)).effective();
    assert_eq!((effective.get("rent"), effective.get("total")), (Some(&json!(1_250)), Some(&json!(1_250))));
    super::html::put(&mut sent, "fees", "");
    let again = with(read(&sent)).draw().expect("drawn");
    let effective = with(read(&super::html::sent(&tags(&again)))).effective();
    assert_eq!((effective.get("fees"), effective.get("total")), (None, None), "taken away for good");
}
