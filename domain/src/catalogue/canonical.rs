//! The one way to write a thing as JSON: keys sorted at every depth, no spaces, so that equal things have equal
//! digests.
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// A thing as a JSON value.
pub(super) fn to_value<T: Serialize + ?Sized>(part: &T) -> Value {
    // Cannot fail: every map key is a string or a date written as one, and no type refuses to be serialised.
    serde_json::to_value(part).unwrap_or_default()
}

/// Keys in order at every depth.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<String, Value> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(map.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}
