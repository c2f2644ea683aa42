//! Every form of the sample is drawn in both languages: each field with its label and id, each mistake at its field.
use std::collections::BTreeSet;

use domain::form::{Answers, Layout, Widget};
use domain::text::Language;
use sync_server::pages::form_drawing::{Deed, draw_pages, id_of};

use super::html::{Tag, tags};
use super::{facts, form_of, sheet};
use crate::catalogue::{entries, sample};

/// Each id once, each `for`, `aria-describedby` and link to a place leads to one.
fn sound(html: &str, said: &str) -> Vec<Tag> {
    let tags = tags(html);
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len(), "an id twice: {said}");
    let leads = tags.iter().flat_map(|tag| {
        let described = tag.get("aria-describedby").unwrap_or_default().split(' ');
        let link = tag.get("href").and_then(|href| href.strip_prefix('#'));
        described.chain(tag.get("for")).chain(link).filter(|id| !id.is_empty())
    });
    for id in leads {
        assert!(known.contains(id), "nothing has the id {id}: {said}");
    }
    for group in [">drawing.", ">drawing_region.", ">form.error.", ">situation.", ">form_trial."] {
        assert!(!html.contains(group), "a key instead of words: {said}");
    }
    assert!(!html.contains(" style=") && !html.contains("<script"), "{said}");
    tags
}

#[test]
fn each_field_has_a_label_and_an_id_and_each_mistake_leads_to_it() {
    let catalogue = sample();
    let facts = facts();
    let (mut fields, mut mistakes) = (0, 0);
    for entry in entries(&catalogue) {
        let form = form_of(&catalogue, entry);
        for language in [Language::ZhCn, Language::En] {
            let plan = form.plan(&Answers::default(), &facts, Layout::Grouped);
            for at in 0..plan.pages.len() {
                let said = format!("{} page {at} {language:?}", entry.code());
                let mut sheet = sheet(&catalogue, &form, &facts, (Answers::default(), at), language);
                sheet.act(Deed::Next);
                let (now, errors) = sheet.judged();
                let shown = sheet.page;
                let html = sheet.draw().expect("drawn");
                let tags = sound(&html, &said);
                let Some(page) = now.pages.get(shown) else { continue };
                for field in &page.fields {
                    let id = id_of(&field.key);
                    let own = tags.iter().find(|tag| tag.get("id") == Some(&id)).expect("an id");
                    let label = field.label.get(language);
                    let labelled = tags.iter().any(|tag| {
                        tag.text.trim() == label && (tag.get("for") == Some(&id) || tag.name == "legend")
                    });
                    assert!(labelled, "{label}: {said}");
                    let group = ["fieldset", "input", "select", "textarea", "output"];
                    assert!(group.contains(&own.name.as_str()), "{}: {said}", own.name);
                    fields += 1;
                    if shown == at && errors.iter().any(|error| error.key == field.key) {
                        let link = format!("#{id}");
                        assert!(tags.iter().any(|tag| tag.get("href") == Some(&link)), "{label}: {said}");
                        let error = format!("{id}-error");
                        assert!(tags.iter().any(|tag| tag.get("id") == Some(&error)), "{label}: {said}");
                        mistakes += 1;
                    }
                }
            }
        }
    }
    assert!(fields > 600 && mistakes > 200, "{fields} fields, {mistakes} mistakes");
}

#[test]
fn every_kind_of_field_of_the_sample_is_drawn() {
    let catalogue = sample();
    let facts = facts();
    let mut seen = BTreeSet::new();
    for entry in entries(&catalogue) {
        let form = form_of(&catalogue, entry);
        let plan = form.plan(&Answers::default(), &facts, Layout::Grouped);
        for (at, page) in plan.pages.iter().enumerate() {
            let html = sheet(&catalogue, &form, &facts, (Answers::default(), at), Language::ZhCn).draw();
            sound(&html.expect("drawn"), entry.code().as_str());
            seen.extend(page.fields.iter().map(|field| field.widget));
        }
        // The preview shows the same fields, all of them, on one page.
        let preview = draw_pages((&form, &catalogue.regions), &facts, Language::ZhCn).expect("drawn");
        sound(&preview, entry.code().as_str());
        let mut known = Answers::default();
        form.prefill(&mut known, &facts);
        let plan = form.plan(&known, &facts, Layout::Grouped);
        for field in plan.pages.iter().flat_map(|page| &page.fields) {
            assert!(preview.contains(&id_of(&field.key)), "{}: {}", entry.code(), field.key);
        }
    }
    let all = [
        Widget::Text,
        Widget::Enum,
        Widget::Date,
        Widget::Month,
        Widget::Number,
        Widget::Phone,
        Widget::BankCard,
        Widget::Address,
        Widget::Region,
        Widget::Signature,
        Widget::Photo,
        Widget::Attachment,
    ];
    assert_eq!(seen, BTreeSet::from(all));
}
