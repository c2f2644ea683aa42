//! The description of the API: OpenAPI 3.1, made from the routes, the wire types and the problem codes.
//!
//! Routes and bodies come from the code by `utoipa`; what all calls share (headers, problems, parameters, examples) is
//! put in here, from one table. Refuses a call without an entry in the table: a test compares both.
mod calls;
mod components;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::routes;
pub use calls::{CALLS, Call};

/// Media type of bodies.
const JSON: &str = "application/json";
const EXAMPLES: &str = include_str!("examples.json");
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&build()).unwrap_or_default();
    text.push('\n');
    // Links between types are for the docs of the code.
    text.replace("[`", "`").replace("`]", "`")
});

/// What the API is, for people who begin here.
const INTRODUCTION: &str = "\
The terminals' listener of the sync server: enrolment, envelopes, news, and reads for programs.\n\n\
**Signing.** A GET carries `jinban-terminal` (the id given at enrolment) and `jinban-signature`: base64 of the Ed25519 \
signature over `SHA-256(\"jinban/request/1\" || u32 big-endian length of the method || method || path and query)`, \
exactly as sent. Envelopes carry their own signature.\n\n\
**Certificates.** The listener speaks TLS 1.3 with a certificate of the centre's own authority. Every call but \
`enrol`, `renew_certificate`, `health` and `describe` must come over a connection that shows the caller's certificate, \
and be signed by the same device.\n\n\
**Errors** are `application/problem+json` (RFC 9457) with a stable `code`; each code has a page at \
`/problems/{code}` of the people's listener. An address that does not exist is 404 `not-found`; a method that it does \
not take is 405 `method-not-allowed` with `Allow`.\n\n\
**Bodies** are JSON, plain or `Content-Encoding: zstd`, at most 512 KiB as sent and unpacked. Unknown fields and \
parameters are left alone; a key that stands twice and a text with NUL are refused; `148.0` is the whole number 148.\n\n\
**Attachments** come by tus 1.0 (core, creation, termination, checksum sha256, expiration) at \
`/api/v1/uploads?envelope=ID&blob=SHA256`, each call signed over its own method and address; tus describes itself.\n\n\
**Versions.** Version 1 only gains optional fields, calls and problem codes.";

/// The whole description as JSON text.
pub fn document() -> &'static str {
    &DOCUMENT
}

fn build() -> Value {
    let (_, api) = routes::described().split_for_parts();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Jinban sync server",
        "version": "1",
        "description": INTRODUCTION,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["tags"] = json!([
        { "name": "terminals", "description": "The sync protocol of the terminals." },
        { "name": "reads", "description": "Reads for programs, with entity tags and cursors; no personal data." },
        { "name": "partners", "description": "What centres of other regions say about handoffs, and what is taken from elsewhere." },
        { "name": "server", "description": "The server itself." },
    ]);
    components::complete(&mut document["components"]);
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for call in CALLS {
        if let Some(operation) = operation_mut(&mut document["paths"], call.operation) {
            complete(operation, call, &examples[call.operation]);
        }
    }
    document
}

/// The operation with this id.
fn operation_mut<'a>(paths: &'a mut Value, id: &str) -> Option<&'a mut Map<String, Value>> {
    let items = paths.as_object_mut()?.values_mut().filter_map(Value::as_object_mut);
    let mut operations = items.flat_map(|item| item.values_mut()).filter_map(Value::as_object_mut);
    operations.find(|o| o.get("operationId").and_then(Value::as_str) == Some(id))
}

fn complete(operation: &mut Map<String, Value>, call: &Call, examples: &Value) {
    let parameters: Vec<_> = call.parameters.iter().map(|name| reference("parameters", name)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".into(), Value::Array(parameters));
    }
    if let Some(media) = operation.get_mut("requestBody").and_then(|b| b["content"].get_mut(JSON)) {
        media["example"] = examples["request"].clone();
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let headers = headers(call.headers);
    if let Some(good) = responses.get_mut("200") {
        good["headers"] = headers.clone();
        let media = &mut good["content"][JSON];
        media["example"] = examples["response"].clone();
        if let Some(schema) = call.schema {
            media["schema"] = reference("schemas", schema);
        }
    }
    if call.parameters.contains(&"IfNoneMatch") {
        let known =
            json!({ "description": "The caller has this version already; no body.", "headers": headers });
        responses.insert("304".into(), known);
    }
    for (status, response) in components::problems(call) {
        responses.insert(status, response);
    }
}

/// Headers that every answer carries, and these.
fn headers(further: &[&str]) -> Value {
    let names = components::EVERY_ANSWER.iter().chain(further);
    Value::Object(names.map(|name| ((*name).to_owned(), reference("headers", name))).collect())
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_routed_call_stands_in_the_table_and_the_other_way_round() {
        let (_, api) = routes::described().split_for_parts();
        let paths = serde_json::to_value(api).expect("JSON")["paths"].clone();
        let items = paths.as_object().expect("paths").values();
        let mut routed: Vec<_> = items
            .flat_map(|i| i.as_object().expect("item").values())
            .map(|o| o["operationId"].as_str().expect("an id").to_owned())
            .collect();
        let mut told: Vec<_> = CALLS.iter().map(|c| c.operation.to_owned()).collect();
        routed.sort();
        told.sort();
        assert_eq!(routed, told);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value, seen: &mut usize) {
            match value {
                Value::Object(map) => {
                    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                        let pointer = target.strip_prefix('#').expect("a local reference");
                        assert!(document.pointer(pointer).is_some(), "{target}");
                        *seen += 1;
                    }
                    map.values().for_each(|v| walk(v, document, seen));
                }
                Value::Array(list) => list.iter().for_each(|v| walk(v, document, seen)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(document()).expect("JSON");
        let mut seen = 0;
        walk(&document, &document, &mut seen);
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn every_answer_has_an_example_and_a_media_type() {
        let document: Value = serde_json::from_str(document()).expect("JSON");
        let items = document["paths"].as_object().expect("paths").values();
        for operation in items.flat_map(|i| i.as_object().expect("item").values()) {
            let id = &operation["operationId"];
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{id}");
            for (status, response) in operation["responses"].as_object().expect("responses") {
                assert!(response["description"].is_string(), "{id} {status}");
                let Some(content) = response["content"].as_object() else {
                    assert_eq!(status, "304", "{id}");
                    continue;
                };
                for (media_type, media) in content {
                    let problem = media_type == "application/problem+json";
                    assert_eq!(problem, !status.starts_with('2'), "{id} {status} {media_type}");
                    let example = if problem { &media["examples"] } else { &media["example"] };
                    assert!(example.is_object(), "{id} {status}");
                    assert!(media["schema"].is_object(), "{id} {status}");
                }
            }
        }
    }
}
