//! The catalogue by itself: the frozen shape of version 1, rules that may be broken one by one, differences.
mod difference;
mod old_shape;
mod rules;
mod steps;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Catalogue;

pub(super) const FROZEN: &str = include_str!("../../../../tests/fixtures/catalogue-1.json");

/// A small catalogue in the shape of version 1.
pub(super) fn frozen() -> Catalogue {
    Catalogue::from_document(FROZEN).expect("the frozen catalogue is readable")
}

/// The same as files.
pub(super) fn files(document: &Value) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut put = |name: &str, value: &Value| files.insert(name.to_owned(), value.to_string().into_bytes());
    for folder in ["items", "bundles"] {
        for entry in document[folder].as_array().expect("a list") {
            put(&format!("{folder}/{}.json", entry["code"].as_str().expect("a code")), entry);
        }
    }
    for name in ["stations", "life_events", "phrases", "regions", "situations"] {
        put(&format!("{name}.json"), &document[name]);
    }
    for name in ["policies", "messages"] {
        if let Some(value) = document.get(name) {
            put(&format!("{name}.json"), value);
        }
    }
    let days = document["calendar"].get("days").unwrap_or(&document["calendar"]);
    let days = days.as_object().expect("days").iter().map(|(date, kind)| json!({"date": date, "kind": kind}));
    put("calendar.json", &Value::Array(days.collect()));
    let head =
        ["version", "data_label", "notice", "home_items"].map(|key| (key.to_owned(), document[key].clone()));
    put("catalogue.json", &Value::Object(head.into_iter().collect()));
    files
}
