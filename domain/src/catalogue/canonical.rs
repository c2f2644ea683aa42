//! The one way to write a thing as JSON: keys sorted at every depth, no spaces, so that equal things have equal
//! digests.
use serde::Serialize;
use serde_json::Value;

/// A thing as a JSON value.
pub(crate) fn to_value<T: Serialize + ?Sized>(part: &T) -> Value {
    // Cannot fail: every map key is a string or a date written as one, and no type refuses to be serialised.
    serde_json::to_value(part).unwrap_or_default()
}

/// Keys in order at every depth.
pub(crate) fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}
