//! The form of a draft is tried before anybody publishes it; one that breaks a rule says which.
use anyhow::Result;
use serde_json::{Value, json};

use super::{CODE, Console, leads_to};

/// A form that asks for one field; the schema knows `known`.
fn form(asked: &str, known: &str) -> Result<String> {
    let form = json!({
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "properties": { known: { "type": "string", "maxLength": 40 } },
            "required": [known], "additionalProperties": false,
        },
        "pages": [{
            "title": { "zh": "一页", "en": "A page" },
            "groups": [{ "fields": [
                { "key": asked, "widget": "text", "required": true,
                  "label": { "zh": "只在草稿里", "en": "Only in the draft" } }
            ] }],
        }],
    });
    Ok(serde_json::to_string_pretty::<Value>(&form)?)
}

#[test]
fn the_form_of_a_saved_draft_is_tried_and_judged_by_its_own_rules() -> Result<()> {
    let console = Console::new()?;
    let (maker, server) = (&console.maker, &console.server);
    let address = format!("/catalogue/items/{CODE}/form?version=draft");
    assert_eq!(server.page_of(maker, &address)?.status, 404, "there is no draft yet");

    leads_to(&console.save(maker, "form", &[("form", &form("only_here", "only_here")?)])?)?;
    assert!(console.editor(maker, "form")?.contains(&address), "the editor leads to it");
    let page = server.page_of(maker, &address)?.text();
    assert!(page.contains("只在草稿里") && page.contains("已保存的草稿"), "{page}");
    assert!(page.contains("href=\"/catalogue/items\" aria-current=\"page\""), "it belongs to the items");
    let published = server.page_of(maker, &format!("/catalogue/items/{CODE}/form"))?.text();
    assert!(!published.contains("只在草稿里"), "what is published stays as it is");
    let empty = server.submit(&maker.cookie, &address, &[("_page", "0"), ("_do", "next")])?;
    assert!(empty.text().contains("aria-invalid=\"true\""), "{}", empty.text());

    leads_to(&console.save(maker, "form", &[("form", &form("nowhere", "only_here")?)])?)?;
    let page = server.page_of(maker, &address)?;
    assert_eq!(page.status, 200);
    let page = page.text();
    assert!(page.contains("请先改好表单") && page.contains("nowhere"), "{page}");
    assert!(page.contains(&format!("/catalogue/items/{CODE}/draft?part=form")), "the way back");
    Ok(())
}
