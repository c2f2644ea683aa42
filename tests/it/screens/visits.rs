//! Visits that have come as far as a story needs: questions answered, the form open, answers given.
use std::sync::Arc;

use domain::applicant::Applicant;
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{Look, Model, Network, Screen};

use super::stage::{FLEX, NOW_MS, catalogue, person};

/// A form of this item, opened by this person; `None` if the item cannot be filled in here.
pub fn in_form(look: Look, item: &str, person: Applicant) -> Option<Model> {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.station = catalogue.stations.values().find(|s| s.division_code == "630102").cloned();
    model.network = Network::Online;
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide(item.parse().expect("code")));
    model.command(Command::Begin);
    answer_situation(&mut model);
    model.event(Event::CardRead(Box::new(person)));
    model.command(Command::Continue);
    model.network = Network::Offline;
    (model.screen == Screen::Form).then_some(model)
}

/// Answers the situation questions, each with its first option that does not end the matter, and goes on.
pub fn answer_situation(model: &mut Model) {
    for _ in 0..20 {
        match model.screen {
            Screen::Question => {
                let question = model.question().expect("a question");
                let option = question.options.iter().find(|option| option.ends_with.is_none());
                let option = option.map(|option| option.id.clone());
                let question = question.id.clone();
                model.command(Command::Choose { question, option });
            }
            Screen::Needs => {}
            _ => return,
        }
        model.command(Command::Continue);
    }
}

/// The form of the story.
pub fn flex(look: Look) -> Model {
    in_form(look, FLEX, person()).expect("the form opens")
}

/// Goes to the page of a field.
pub fn to_field(model: &mut Model, key: &str) {
    let session = model.session.as_mut().expect("a session");
    let page = session.plan.pages.iter().position(|page| page.fields.iter().any(|field| field.key == key));
    session.page = page.expect("the field has a page");
    session.focus = None;
    session.errors.clear();
}

/// Gives an answer.
pub fn answer(model: &mut Model, key: &str, value: Value) {
    model.command(Command::Answer { key: key.to_owned(), value });
}

/// A signature of two strokes.
pub fn signature() -> Value {
    let down: Vec<[u32; 3]> = (0..20).map(|n| [500 + n * 5, 100 + n * 6, n * 12]).collect();
    let across: Vec<[u32; 3]> = (0..20).map(|n| [700 + n * 8, 200, 400 + n * 12]).collect();
    json!({"strokes": [down, across], "width": 1728, "height": 520})
}

/// Answers the whole form of the story.
pub fn answer_all(model: &mut Model) {
    for (key, value) in [
        ("phone", json!("13000000017")),
        ("hukou_region", json!("630102")),
        ("residence_addr", json!({"region": "630102", "detail": "样例路1号2单元"})),
        ("base_level", json!("60%")),
        ("start_month", json!("2026-11")),
        ("job_type", json!("网约配送")),
        ("sign", signature()),
    ] {
        answer(model, key, value);
    }
}
