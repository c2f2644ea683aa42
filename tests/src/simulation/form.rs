//! The catalogue of a simulation: the sample, whose item also takes pages.
use anyhow::{Context as _, Result};
use domain::catalogue::Catalogue;
use domain::form::Widget;
use serde_json::{Value, json};
use terminal::store::CapturedPage;

use crate::device::ITEM;
use crate::storm::small_centre::sample_catalogue;

/// The most pages of a submission.
pub const MOST_PAGES: u8 = 3;
/// What citizens photograph.
const KIND: &str = "image/jpeg";
/// The field that takes pages.
const FIELD: &str = "scan";

/// The sample catalogue; the item that citizens hand in takes pages if somebody has some.
///
/// # Errors
/// If the sample has no item that takes pages, or not the item itself.
pub fn catalogue_with_pages() -> Result<Catalogue> {
    let mut catalogue = sample_catalogue()?;
    let fields = catalogue.items.values().flat_map(|item| item.form.groups()).flat_map(|g| &g.fields);
    let mut scan = fields.into_iter().find(|f| f.widget == Widget::Attachment).context("a field")?.clone();
    scan.key = FIELD.to_owned();
    scan.required = false;
    let form = &mut catalogue.items.get_mut(&ITEM.parse()?).context("the item")?.form;
    let page = form.pages.first_mut().and_then(|page| page.groups.first_mut()).context("a page")?;
    page.fields.push(scan);
    form.schema["properties"][FIELD] = json!({ "type": "array", "items": file(), "maxItems": MOST_PAGES });
    Ok(catalogue)
}

fn file() -> Value {
    json!({
        "type": "object",
        "properties": {
            "hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "bytes": { "type": "integer", "minimum": 1, "maximum": 1 << 20 },
            "kind": { "type": "string", "enum": [KIND] },
        },
        "required": ["hash", "bytes", "kind"],
        "additionalProperties": false,
    })
}

/// What the answers say of captured pages: the field and its value.
pub fn answer_of(pages: &[CapturedPage]) -> (&'static str, Value) {
    let files = pages.iter().map(|p| json!({ "hash": p.digest, "bytes": p.bytes, "kind": KIND }));
    (FIELD, files.collect())
}

#[cfg(test)]
mod tests {
    use domain::form::Form;

    use super::*;

    #[test]
    fn the_form_that_takes_pages_is_a_form() {
        let catalogue = catalogue_with_pages().expect("a catalogue");
        let item = catalogue.items.get(&ITEM.parse().expect("a code")).expect("an item");
        assert!(Form::compile(&item.form).is_ok());
    }
}
