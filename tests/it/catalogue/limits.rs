//! Catalogues at and beyond their limits: thousands of items, forms of many fields, endless and hidden signs.
use domain::catalogue::Catalogue;
use domain::form::MAX_FIELDS;
use serde_json::{Value, json};

use super::{Files, files};

const FLEX: &str = "items/hrss.flex-enroll.json";

fn json_of(files: &Files, name: &str) -> Value {
    serde_json::from_slice(&files[name]).expect("JSON")
}

fn put(files: &mut Files, name: String, value: &Value) {
    files.insert(name, value.to_string().into_bytes());
}

/// The sample's items again and again under other names, until there are so many.
pub fn enlarged(count: usize) -> Files {
    let mut files = files();
    let originals: Vec<Value> =
        files.keys().filter(|name| name.starts_with("items/")).map(|name| json_of(&files, name)).collect();
    for number in originals.len()..count {
        let mut item = originals[number % originals.len()].clone();
        let code = format!("many.item-{number}");
        item["code"] = json!(code);
        for (name, reading) in [("name", "pinyin"), ("short_name", "short_pinyin")] {
            let zh = format!("{}{number}", item[name]["zh"].as_str().expect("a name"));
            item[name]["zh"] = json!(zh);
            item[reading] = json!(format!("{} {number}", item[reading].as_str().expect("a reading")));
        }
        let letters = item["pinyin"].as_str().expect("a reading").split(' ').filter_map(|s| s.chars().next());
        item["pinyin_initials"] = json!(letters.collect::<String>());
        item["synonyms"] = json!([]);
        item["synonym_pinyin"] = json!([]);
        put(&mut files, format!("items/{code}.json"), &item);
    }
    files
}

#[test]
fn five_thousand_items_load_and_one_more_is_a_clear_mistake() {
    let mut files = enlarged(5_000);
    let catalogue = Catalogue::load(&files).unwrap_or_else(|errors| unreachable!("{:#?}", &errors[..3]));
    assert_eq!(catalogue.items.len(), 5_000);
    let document = catalogue.to_document();
    let again = Catalogue::from_document(&document.json);
    assert_eq!(again.expect("its own document"), catalogue);
    let mut item = json_of(&files, FLEX);
    item["code"] = json!("many.last");
    put(&mut files, "items/many.last.json".to_owned(), &item);
    let errors = Catalogue::load(&files).expect_err("one too many");
    assert!(errors.iter().any(|e| e.file == "catalogue.json" && e.field == "items"), "{:#?}", &errors[..1]);
}

#[test]
fn a_form_of_the_most_fields_loads_and_one_more_is_a_clear_mistake() {
    for (count, good) in [(MAX_FIELDS, true), (MAX_FIELDS + 1, false)] {
        let mut files = files();
        let mut item = json_of(&files, FLEX);
        let keys: Vec<String> = (0..count).map(|n| format!("field_{n}")).collect();
        let field =
            |key: &String| json!({"key": key, "widget": "text", "label": {"zh": "字段", "en": "Field"}});
        let property = |key: &String| (key.clone(), json!({"type": "string", "maxLength": 20}));
        item["form"] = json!({
            "schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": keys.iter().map(property).collect::<serde_json::Map<_, _>>(),
                "additionalProperties": false,
            },
            "pages": [{"title": {"zh": "很多", "en": "Many"},
                "groups": [{"fields": keys.iter().map(field).collect::<Vec<_>>()}]}],
        });
        put(&mut files, FLEX.to_owned(), &item);
        let errors = Catalogue::load(&files).err().unwrap_or_default();
        let told = errors.iter().any(|e| e.file == FLEX && e.field == "form");
        assert_eq!((errors.is_empty(), told), (good, !good), "{count}: {errors:#?}");
    }
}

#[test]
fn hidden_and_endless_signs_are_refused_wherever_they_stand() {
    type Change = (&'static str, &'static str, fn(&mut Value));
    let table: [Change; 6] = [
        (FLEX, "guide.after.zh", |v| v["guide"]["after"]["zh"] = json!("受理后\u{202e}办结")),
        (FLEX, "theme", |v| v["theme"] = json!("社保\u{0}")),
        (FLEX, "results[0]", |v| v["results"][0] = json!("长".repeat(10_000))),
        ("stations.json", "bank", |v| v[0]["bank"] = json!("CCB\u{feff}")),
        ("life_events.json", "name.en", |v| v[0]["name"]["en"] = json!("Having\u{2028}a child")),
        ("regions.json", "630102.name", |v| v["630102"]["name"] = json!("城\u{200e}东区")),
    ];
    for (file, field, change) in table {
        let mut files = files();
        let mut value = json_of(&files, file);
        change(&mut value);
        put(&mut files, file.to_owned(), &value);
        let errors = Catalogue::load(&files).expect_err("a sign that has no place there");
        assert!(errors.iter().any(|e| e.file == file && e.field == field), "{field}: {errors:#?}");
        assert!(
            errors.iter().all(|e| e.to_string().chars().count() < 500),
            "{field}: the sign is not repeated"
        );
    }
}
