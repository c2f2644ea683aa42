//! Photos and attachments: what a form lets be handed in. Only what is said of a file is judged here, its hash, size
//! and kind; the bytes travel beside the answers and are checked where they arrive.
use serde_json::{Map, Value};

use super::error::FormError;

/// Kinds of files that a form may name (media types).
pub const FILE_KINDS: [&str; 3] = ["image/jpeg", "image/png", "application/pdf"];
/// The largest file that a form may allow, in bytes.
pub const MAX_FILE_BYTES: u64 = 20 << 20;
/// The most files of one field.
pub const MAX_FILES: u64 = 50;
/// A SHA-256 in small letters.
pub(super) const HASH: &str = "^[0-9a-f]{64}$";

/// What a photo or attachment field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLimits {
    /// The fewest files, if there are any.
    pub min: u64,
    /// The most files.
    pub max: u64,
    /// The most bytes of one file; `None` in forms whose answers are hashes only.
    pub max_bytes: Option<u64>,
    /// Media types that may be handed in; empty in forms whose answers are hashes only.
    pub kinds: Vec<String>,
}

/// The limits of a photo, from its property.
pub(super) fn photo(key: &str, property: &Map<String, Value>) -> Result<FileLimits, FormError> {
    let (max_bytes, kinds) = one(key, property)?;
    Ok(FileLimits { min: 1, max: 1, max_bytes, kinds })
}

/// The limits of an attachment, from its property.
pub(super) fn attachment(key: &str, property: &Map<String, Value>) -> Result<FileLimits, FormError> {
    let wrong = |reason: String| FormError::new(key, reason);
    let items = property.get("items").and_then(Value::as_object);
    let (max_bytes, kinds) = one(key, items.ok_or_else(|| wrong("an attachment needs `items`".to_owned()))?)?;
    let count = |name: &str| property.get(name).and_then(Value::as_u64);
    let max = count("maxItems").filter(|max| (1..=MAX_FILES).contains(max));
    let max = max.ok_or_else(|| wrong(format!("an attachment needs `maxItems`, 1 to {MAX_FILES}")))?;
    let min = if property.contains_key("minItems") { count("minItems") } else { Some(1) };
    let min = min
        .filter(|min| *min <= max)
        .ok_or_else(|| wrong("`minItems` is no number up to `maxItems`".into()))?;
    Ok(FileLimits { min, max, max_bytes, kinds })
}

/// One file: its hash, or an object with hash, size and kind.
fn one(key: &str, schema: &Map<String, Value>) -> Result<(Option<u64>, Vec<String>), FormError> {
    let wrong = |reason: &str| Err(FormError::new(key, reason));
    match schema.get("type").and_then(Value::as_str) {
        Some("string") if is_hash(schema) => return Ok((None, Vec::new())),
        Some("object") if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {}
        _ => {
            return wrong(
                "a file is a SHA-256 in small letters, or an object with `hash`, `bytes` and `kind`",
            );
        }
    }
    let part = |name: &str| schema.get("properties")?.get(name)?.as_object();
    let (Some(hash), Some(bytes), Some(kind)) = (part("hash"), part("bytes"), part("kind")) else {
        return wrong("a file has `hash`, `bytes` and `kind`");
    };
    let names = schema.get("properties").and_then(Value::as_object).map_or(0, Map::len);
    let required = schema.get("required").and_then(Value::as_array).map_or(0, Vec::len);
    if names != 3 || required != 3 || !is_hash(hash) {
        return wrong("a file has `hash`, `bytes` and `kind`, all required, and nothing else");
    }
    let max_bytes = bytes.get("maximum").and_then(Value::as_u64).filter(|n| (1..=MAX_FILE_BYTES).contains(n));
    let whole = bytes.get("type").and_then(Value::as_str) == Some("integer");
    let least = bytes.get("minimum").and_then(Value::as_u64) == Some(1);
    let Some(max_bytes) = max_bytes.filter(|_| whole && least) else {
        return wrong("`bytes` is an integer with `minimum` 1 and a `maximum` of at most 20 MiB");
    };
    let kinds = kind.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kinds: Option<Vec<String>> = kinds
        .iter()
        .map(|kind| kind.as_str().filter(|kind| FILE_KINDS.contains(kind)).map(str::to_owned))
        .collect();
    match kinds {
        Some(kinds) if !kinds.is_empty() => Ok((Some(max_bytes), kinds)),
        _ => wrong("`kind` is an `enum` of image/jpeg, image/png, application/pdf"),
    }
}

fn is_hash(schema: &Map<String, Value>) -> bool {
    schema.get("pattern").and_then(Value::as_str) == Some(HASH)
}
