//! Programs of neighbouring versions: what a newer one adds to a message, and what an older one leaves out.
//!
//! By the rules of the wire a field or a kind of news that the reader does not know is skipped, and what is optional may be
//! absent. Refuses to touch what is signed: nobody can change that on its way, whatever its version.
use serde_json::{Map, Value, json};

/// What a newer program has and this one does not.
const LATER: &str = "of_a_later_version";
/// Members of an answer that may be absent, and members of its `contact`.
const OPTIONAL: [&str; 4] = ["series", "order", "sealing_keys", "audit_head"];
const OPTIONAL_OF_CONTACT: [&str; 2] = ["durable_upto", "retry_after_ms"];
/// Lists whose entries get a field more; all are outside signatures.
const LISTS: [&str; 3] = ["envelopes", "results", "changes"];

/// The body as a newer program would have sent it; unchanged if it is no JSON object.
pub fn of_newer(body: &[u8]) -> Vec<u8> {
    changed(body, |members| {
        for list in LISTS {
            let entries = members.get_mut(list).and_then(Value::as_array_mut);
            entries.into_iter().flatten().filter_map(Value::as_object_mut).for_each(add_later);
        }
        if let Some(contact) = members.get_mut("contact").and_then(Value::as_object_mut) {
            add_later(contact);
        }
        if let Some(changes) = members.get_mut("changes").and_then(Value::as_array_mut) {
            // Its cursor is that of the news before it: nothing that is known is skipped with it.
            let cursor = changes.last().and_then(|change| change.get("cursor")).cloned();
            changes.extend(
                cursor.map(|cursor| json!({ "cursor": cursor, "news": { "kind": LATER, LATER: 1 } })),
            );
        }
        add_later(members);
    })
}

/// The body as an older program would have sent it: without what is optional.
pub fn of_older(body: &[u8]) -> Vec<u8> {
    changed(body, |members| {
        OPTIONAL.iter().for_each(|name| drop(members.remove(*name)));
        if let Some(contact) = members.get_mut("contact").and_then(Value::as_object_mut) {
            OPTIONAL_OF_CONTACT.iter().for_each(|name| drop(contact.remove(*name)));
        }
    })
}

fn add_later(members: &mut Map<String, Value>) {
    members.insert(LATER.to_owned(), json!({ "text": "x", "list": [1, null] }));
}

fn changed(body: &[u8], change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return body.to_vec() };
    change(&mut members);
    serde_json::to_vec(&members).unwrap_or_else(|_| body.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_program_adds_everywhere_and_an_older_one_leaves_out_what_is_optional() {
        let news = br#"{"changes":[{"cursor":7,"news":{"kind":"case"}}],"cursor":7,"order":1,"contact":{"durable_upto":3,"spread_ms":1}}"#;
        let newer: Value = serde_json::from_slice(&of_newer(news)).expect("JSON");
        assert_eq!(newer["changes"].as_array().map(Vec::len), Some(2));
        assert_eq!(newer["changes"][1]["cursor"], 7);
        for place in ["/of_a_later_version", "/contact/of_a_later_version", "/changes/0/of_a_later_version"] {
            assert!(newer.pointer(place).is_some(), "{place}");
        }
        let older: Value = serde_json::from_slice(&of_older(news)).expect("JSON");
        assert_eq!(older["contact"], json!({ "spread_ms": 1 }));
        assert_eq!((older.get("order"), &older["cursor"]), (None, &json!(7)));
        assert_eq!((of_newer(b"<html>"), of_older(b"")), (b"<html>".to_vec(), Vec::new()));
    }
}
