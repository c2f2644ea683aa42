//! Whether what was filled in fits a form: before it is handed over by the form that the home region has now, and at the
//! home region by its own.
use domain::date::CivilDate;
use domain::form::{Answers, Facts};
use domain::ids::ItemCode;
use domain::item::Item;
use domain::text::Language;
use domain::wire::v1::Submission;

use crate::services::catalogue::Volume;
use crate::services::submission_form::{facts, form_of};

/// A catalogue in which an item of another region stands in the place of this region's: its form is drawn and judged with
/// what all regions share. An item that relies on more than that is judged by its own region alone.
pub fn with_item(base: &Volume, item: &Item) -> Volume {
    let mut catalogue = base.catalogue.clone();
    catalogue.items.insert(item.code.clone(), item.clone());
    Volume::new(catalogue)
}

/// Labels of the answers that do not fit, in the language; the name of the item alone if the situation fits no form of it.
pub fn misfits(
    volume: &Volume,
    code: &ItemCode,
    submission: &Submission,
    (day, language): (CivilDate, Language),
) -> Vec<String> {
    let Ok(Ok(form)) = form_of(volume, code, submission.situation.as_ref()) else {
        return vec![code.to_string()];
    };
    let facts = Facts { captures: true, ..facts(&submission.applicant, day) };
    let errors = form.validate_with(&Answers::from_map(submission.answers.clone()), &facts);
    let label = |key: &str| form.spec().label(key).map_or(key, |label| label.get(language)).to_owned();
    errors.iter().map(|error| label(&error.key)).collect()
}
