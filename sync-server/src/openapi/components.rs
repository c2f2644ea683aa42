//! Parts that calls share: parameters, headers, signatures, problems, and schemas that no body names by itself.
use std::collections::BTreeMap;

use domain::wire::v1::{
    CaseNews, DEFAULT_PAGE, EnvelopeHeader, MAX_PAGE, PROBLEM_MEDIA_TYPE, Problem, ReceiptBody,
    SIGNATURE_HEADER, TERMINAL_HEADER,
};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::calls::{Call, EVERY_CALL};
use super::{headers, reference};
use crate::api::MAX_CURSOR;
use crate::error::ProblemCode;
use crate::words;

/// Headers of every answer.
pub const EVERY_ANSWER: &[&str] =
    &["jinban-request-id", "jinban-server-epoch", "jinban-server-time-ms", "RateLimit", "RateLimit-Policy"];
/// A request id as examples show it.
const REQUEST_ID: &str = "19ab2c3d4e5-1";

/// Puts the shared parts beside the schemas that bodies brought along.
pub fn complete(components: &mut Value) {
    components["parameters"] = parameters();
    components["headers"] = header_texts();
    components["securitySchemes"] = json!({
        "terminal": {
            "type": "apiKey", "in": "header", "name": TERMINAL_HEADER,
            "description": "The terminal's id, as given at enrolment.",
        },
        "signature": {
            "type": "apiKey", "in": "header", "name": SIGNATURE_HEADER,
            "description": "Base64 of the device's Ed25519 signature over method, path and query; see the top.",
        },
    });
    add::<CaseNews>(components);
    add::<Problem>(components);
    add::<EnvelopeHeader>(components);
    add::<ReceiptBody>(components);
    let schemas = &mut components["schemas"];
    schemas["CatalogueDocument"] = catalogue();
    schemas["OpenApiDocument"] = json!({
        "type": "object", "required": ["openapi", "info", "paths"],
        "properties": { "openapi": { "type": "string", "pattern": "^3\\.1\\." } },
    });
    complete_problem(&mut schemas["Problem"]);
    for (owner, field, inside) in
        [("EnvelopeUpload", "header", "EnvelopeHeader"), ("SignedDocument", "body", "ReceiptBody")]
    {
        let field = &mut schemas[owner]["properties"][field];
        field["contentMediaType"] = json!("application/json");
        field["contentSchema"] = reference("schemas", inside);
    }
}

fn add<T: ToSchema + PartialSchema>(components: &mut Value) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        components["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
}

fn complete_problem(problem: &mut Value) {
    let codes: Vec<_> = ProblemCode::ALL.iter().map(|c| c.as_str()).collect();
    problem["properties"]["code"] = json!({
        "type": "string", "enum": codes,
        "description": "Stable code of the kind of problem. Later versions may have further ones.",
    });
    problem["properties"]["status"] =
        json!({ "type": "integer", "minimum": 400, "maximum": 599, "description": "HTTP status." });
    problem["properties"]["contact"] = json!({
        "$ref": "#/components/schemas/Contact",
        "description": "What every response carries; absent if the head could not be read, and in results of envelopes.",
    });
}

fn catalogue() -> Value {
    let list = |what: &str| json!({ "type": "array", "items": { "type": "object" }, "description": what });
    let map = |what: &str| json!({ "type": "object", "description": what });
    json!({
        "type": "object",
        "description": "A catalogue as it was published: canonical JSON, keys sorted, no spaces.",
        "required": ["version", "data_label", "notice", "home_items", "items", "bundles", "stations"],
        "properties": {
            "version": { "type": "integer", "minimum": 0, "maximum": MAX_CURSOR },
            "data_label": { "type": "string", "description": "`sample` until the official list replaces it." },
            "notice": map("Notice that goes with the label, by language."),
            "home_items": { "type": "array", "items": { "$ref": "#/components/schemas/ItemCode" } },
            "items": list("Service items with their forms."),
            "bundles": list("Bundles of items."),
            "stations": list("Stations."),
            "calendar": map("Exceptions of the working-day calendar, and how sure its years are; in older versions the exceptions by date."),
            "life_events": list("Life events, in screen order."),
            "phrases": map("Phrases that mean several things, and what terminals do not do."),
            "regions": map("Regions by their six digits (GB/T 2260)."),
            "situations": map("Questions asked with many items, and the materials that only questions name."),
            "policies": map("Times, limits and shares; absent in older versions, which have the usual ones."),
            "messages": list("Notices of stations; absent in older versions."),
        },
    })
}

/// The parameter by which a terminal asks for orders.
const KNOWN_ORDER: &str = "Number of the newest order that the caller has; without it no order comes.";

fn parameters() -> Value {
    let query = |name: &str, range: (u64, u64), default: u64, what: &str| {
        json!({
            "name": name, "in": "query", "required": false, "description": what, "example": default,
            "schema": { "type": "integer", "format": "int64", "minimum": range.0, "maximum": range.1, "default": default },
        })
    };
    json!({
        "After": query("after", (0, MAX_CURSOR), 0, "The last cursor seen; 0 at first."),
        "Wait": query("wait", (0, u32::MAX.into()), 0, "Seconds to wait for news; more than 25 are 25."),
        "KnownOrder": query("order", (0, MAX_CURSOR), 0, KNOWN_ORDER),
        "Limit": query("limit", (1, MAX_PAGE.into()), DEFAULT_PAGE.into(), "Cases on the page, at most."),
        "EnvelopeId": {
            "name": "envelope_id", "in": "path", "required": true, "description": "The submission's envelope id.",
            "schema": { "$ref": "#/components/schemas/EnvelopeId" },
            "example": "019ab2c3-d4e5-7000-8000-000000000001",
        },
        "ItemCode": {
            "name": "code", "in": "path", "required": true, "description": "An item.", "example": "hrss.flex-enroll",
            "schema": { "$ref": "#/components/schemas/ItemCode" },
        },
        "CatalogueVersion": {
            "name": "version", "in": "path", "required": true, "description": "A published version.", "example": 1,
            "schema": { "type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_CURSOR },
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "Entity tags that the caller has, or `*`: 304 if one of them still holds. A malformed field \
                            is as good as none.",
            "example": "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        },
    })
}

fn header_texts() -> Value {
    let text = |what: &str, example: &str| json!({ "description": what, "schema": { "type": "string" }, "example": example });
    json!({
        "jinban-request-id": text("Names this request in the server's log.", REQUEST_ID),
        "jinban-server-epoch": text("Changes when the centre was restored.", "00000000-0000-4000-8000-0000000000ee"),
        "jinban-server-time-ms": text("The server's clock, milliseconds since 1970.", "1795500000000"),
        "RateLimit": text(
            "What is left of each budget (r) and seconds until it is whole again (t); \
             draft-ietf-httpapi-ratelimit-headers.", "\"calls\";r=59999;t=60"),
        "RateLimit-Policy": text("The budgets: calls (q) in a window of seconds (w).", "\"calls\";q=60000;w=60"),
        "Retry-After": text("Seconds to wait before the next try.", "5"),
        "ETag": text("Entity tag of this version; weak when the answer is compressed.", "\"00000000-0000-4000-8000-0000000000ee-2\""),
        "Cache-Control": text("How long the answer may be kept.", "private, no-cache"),
        "Content-Location": text("Address of exactly this version.", "/api/v1/catalogue/1"),
        "Location": text(
            "Address of the new case, if the batch made exactly one.",
            "/api/v1/cases/019ab2c3-d4e5-7000-8000-000000000001"),
        "Link": text("The next page, while there is one.", "</api/v1/cases?after=42&limit=50>; rel=\"next\""),
    })
}

/// Problem answers of a call by status.
pub fn problems(call: &Call) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in EVERY_CALL.iter().chain(call.codes) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    let mut found: BTreeMap<_, _> =
        by_status.into_iter().map(|(status, codes)| (status.to_string(), answer(status, &codes))).collect();
    if !call.codes_of_one.is_empty() {
        let codes: Vec<_> = call.codes_of_one.iter().map(|c| format!("`{}`", c.as_str())).collect();
        found.entry("400".into()).and_modify(|response| {
            let whole = response["description"].as_str().unwrap_or_default().to_owned();
            let of_one = codes.join(", ");
            response["description"] = json!(format!(
                "{whole}\n\nOne envelope of a readable batch has its own problem, in its result: {of_one}."
            ));
        });
    }
    found
}

fn answer(status: u16, codes: &[ProblemCode]) -> Value {
    let words = |code: &ProblemCode, part: &str| words::english(&format!("problem.{}.{part}", code.as_str()));
    let lines: Vec<_> = codes.iter().map(|c| format!("- `{}`: {}", c.as_str(), words(c, "what"))).collect();
    let examples: Map<_, _> = codes
        .iter()
        .map(|c| {
            let problem = c.problem(None, Some(REQUEST_ID.to_owned()));
            (c.as_str().to_owned(), json!({ "summary": problem.title, "value": problem }))
        })
        .collect();
    let names: Vec<_> = codes.iter().map(|c| c.as_str()).collect();
    let waits: &[&str] = if matches!(status, 429 | 503) { &["Retry-After"] } else { &[] };
    json!({
        "description": lines.join("\n"),
        "headers": headers(waits),
        "content": { PROBLEM_MEDIA_TYPE: {
            "schema": { "allOf": [
                reference("schemas", "Problem"),
                { "type": "object", "properties": { "status": { "const": status }, "code": { "enum": names } } },
            ] },
            "examples": examples,
        } },
    })
}
