//! Pages of the catalogue: forms drawn as HTML, graphs of bundles, the calendar and what a change of it moves.
mod calendar;
mod drawing;
mod graphs;
mod hostile;
mod html;
mod round_trip;
mod served;

use domain::catalogue::{Catalogue, Entry};
use domain::form::{Answers, Facts, Form};
use domain::situation::{SituationAnswers, resolve};
use domain::text::Language;
use sync_server::pages::form_drawing::{Filled, Sheet};

use crate::catalogue::today;

const ACTION: &str = "/catalogue/items/x/form";

/// What is known of a sample person.
fn facts() -> Facts {
    Facts {
        name: Some("样例甲".to_owned()),
        id_number: Some("639900198804011022".to_owned()),
        card_address: Some("样例省样例市样例路1号".to_owned()),
        captures: true,
        ..Facts::on(today())
    }
}

/// The form of an entry before any question about the situation.
fn form_of(catalogue: &Catalogue, entry: Entry<'_>) -> Form {
    let form = Form::compile(entry.form()).expect("compiles");
    let resolution = resolve(catalogue, entry, &SituationAnswers::new());
    form.adjusted(&resolution.adjustments).expect("fits")
}

/// A sheet that shows a page of answers.
fn sheet<'a>(
    catalogue: &'a Catalogue,
    form: &'a Form,
    facts: &'a Facts,
    (answers, page): (Answers, usize),
    language: Language,
) -> Sheet<'a> {
    Sheet {
        form,
        facts,
        regions: &catalogue.regions,
        filled: Filled::new(answers),
        page,
        language,
        action: ACTION,
        before: String::new(),
        live: false,
    }
}
