//! What nobody should send to the editor: texts without end, signs that turn or hide, forms that are too large, fields
//! that do not exist. Nothing of it is kept, and nothing breaks.
use anyhow::Result;
use serde_json::{Value, json};
use tests::http;
use tests::people::{FORM, OWN_PAGE};

use super::{CODE, Console, inputs, leads_to};

#[test]
fn texts_without_end_and_hidden_signs_are_told_and_not_kept() -> Result<()> {
    let console = Console::new()?;
    let long = "长".repeat(10_000);
    for (part, name, text) in [
        ("basics", "name.zh", long.as_str()),
        ("guide", "guide.after.zh", &long),
        ("materials", "materials.0.zh", &long),
        ("search", "synonyms.0.text", "甲\u{202e}乙"),
        ("basis", "legal_basis.0.name", "a\u{200b}b"),
        ("guide", "guide.how.0.zh", "甲\u{7}乙"),
        ("terms", "guide.fee_fen", "1e9"),
        ("terms", "promised.value", "-1"),
        ("reach", "offline_mode", "'; DROP TABLE item_revision; --"),
        ("form", "form", "{\"schema\": [["),
        ("situations", "situations", "[1, 2"),
    ] {
        let answer = console.save(&console.maker, part, &[(name, text)])?;
        assert_eq!(answer.status, 422, "{part} {name}");
        assert!(answer.text().contains("还没有保存"), "{part} {name}");
    }
    assert_eq!(console.version()?, 0, "nothing was kept");
    let script = "<script>alert(1)</script>\"'><b>";
    leads_to(&console.save(&console.maker, "guide", &[("guide.after.zh", script)])?)?;
    for address in [format!("/catalogue/items/{CODE}/draft?part=guide"), "/catalogue/changes".to_owned()] {
        let page = console.server.page_of(&console.checker, &address)?;
        let page = if page.status == 403 { console.server.page_of(&console.maker, &address)? } else { page };
        assert!(page.text().contains("alert(1)") && !page.text().contains("<script>alert"), "{address}");
    }
    Ok(())
}

#[test]
fn a_form_of_two_hundred_fields_is_kept_and_a_huge_one_refused() -> Result<()> {
    let console = Console::new()?;
    let names: Vec<String> = (0..200).map(|n| format!("field_{n}")).collect();
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|n| (n.clone(), json!({ "type": "string", "maxLength": 40 }))).collect();
    let fields: Vec<Value> = names
        .iter()
        .map(|n| json!({ "key": n, "widget": "text", "label": { "zh": format!("第 {n} 项"), "en": n } }))
        .collect();
    let pages: Vec<Value> = fields
        .chunks(10)
        .map(|some| json!({ "title": { "zh": "一页", "en": "A page" }, "groups": [{ "fields": some }] }))
        .collect();
    let form = json!({
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "properties": properties, "required": [], "additionalProperties": false,
        },
        "pages": pages,
    });
    let text = serde_json::to_string_pretty(&form)?;
    leads_to(&console.save(&console.maker, "form", &[("form", &text)])?)?;
    let page = console.editor(&console.maker, "form")?;
    assert!(page.contains("field_199"), "all of it is there");
    let version = console.version()?;

    let huge = " ".repeat(3 << 20);
    let answer = console.save(&console.maker, "form", &[("form", &huge)])?;
    assert_eq!((answer.status, console.version()?), (413, version));
    let heavy = format!("{{\"schema\": {{}}, \"pages\": [], \"x\": \"{}\"}}", "a".repeat(1 << 20));
    assert_eq!(console.save(&console.maker, "form", &[("form", &heavy)])?.status, 422);
    assert_eq!(console.version()?, version);
    Ok(())
}

#[test]
fn fields_that_do_not_exist_and_odd_addresses_are_refused() -> Result<()> {
    let console = Console::new()?;
    let page = console.editor(&console.maker, "guide")?;
    let here = format!("/catalogue/items/{CODE}/draft");
    let held = inputs(&page);
    let mut odd: Vec<Vec<(String, String)>> = Vec::new();
    for extra in [("revision", "99"), ("name.zh", "别的部分"), ("guide.minutes", "2"), ("version", "abc")]
    {
        let mut fields = held.clone();
        fields.push((extra.0.to_owned(), extra.1.to_owned()));
        odd.push(fields);
    }
    odd.push(vec![]);
    for fields in odd {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(console.server.submit(&console.maker.cookie, &here, &fields)?.status, 400, "{fields:?}");
    }
    for (method, address, status) in [
        ("GET", "/catalogue/items/no.such-item", 404),
        ("GET", "/catalogue/items/%00", 404),
        ("GET", "/catalogue/items/no.such-item/draft", 404),
        ("GET", "/catalogue/items?page=99999999999999999999&state=%00", 200),
        ("GET", "/catalogue/versions?from=1&to=99", 404),
        ("GET", "/catalogue/versions?from=x&to=", 200),
        ("GET", "/catalogue/candidate.json", 404),
        ("POST", "/catalogue/candidate", 303),
    ] {
        let who = if method == "POST" { &console.checker } else { &console.maker };
        let headers = [("cookie", who.cookie.as_str()), FORM, OWN_PAGE];
        let body = (method == "POST").then_some(&b""[..]);
        let answer = http::call(&console.server.people, method, address, &headers, body)?;
        assert_eq!(answer.status, status, "{method} {address}");
    }
    assert_eq!(console.version()?, 0);
    Ok(())
}
