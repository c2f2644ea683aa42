//! A folder's files numbered as the version after another: the version, and the revision of what changed.
use domain::catalogue::{Catalogue, Entry};
use serde_json::{Value, json};

use super::folder::Files;
use crate::readings::written;

/// Numbers the files of a catalogue, and gives it as they are then.
pub(super) fn after(files: &mut Files, catalogue: Catalogue, previous: &Catalogue) -> Catalogue {
    let numbered = catalogue.succeeding(previous);
    set(files, "catalogue.json", "version", numbered.version);
    for entry in numbered.entries() {
        let folder = match entry {
            Entry::Item(_) => "items",
            Entry::Bundle(_) => "bundles",
        };
        set(files, &format!("{folder}/{}.json", entry.code()), "revision", entry.revision());
    }
    numbered
}

/// Sets a number in a file, if it is another one; other files keep their bytes.
fn set(files: &mut Files, name: &str, member: &str, number: u64) {
    let Some(bytes) = files.get_mut(name) else { return };
    let Ok(Value::Object(mut map)) = serde_json::from_slice::<Value>(bytes) else { return };
    // A revision that is absent is 1.
    let stands = map.get(member).map_or(Some(1), Value::as_u64);
    if stands != Some(number) {
        map.insert(member.to_owned(), json!(number));
        *bytes = written(&Value::Object(map));
    }
}
