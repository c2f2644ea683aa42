//! Fields that differ between two values. Parts of a list that have a name are compared by it, others by their place.
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::FieldDifference;

/// Keys by which a part of a list is named, the first that all parts have.
const NAMES: [&str; 4] = ["id", "code", "key", "value"];
/// Deepest path; what lies below is told as one field.
const MAX_DEPTH: usize = 24;

pub(super) fn between(old: &Value, new: &Value) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    compare("", old, new, 0, &mut found);
    found
}

fn compare(path: &str, old: &Value, new: &Value, depth: usize, found: &mut Vec<FieldDifference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if depth < MAX_DEPTH => maps(path, old, new, depth, found),
        (Value::Array(old), Value::Array(new)) if depth < MAX_DEPTH && (parts(old) && parts(new)) => {
            lists(path, old, new, depth, found);
        }
        _ => tell(path, Some(old), Some(new), found),
    }
}

/// A list of objects, and not of plain values, which is told as a whole.
fn parts(list: &[Value]) -> bool {
    list.iter().all(Value::is_object)
}

fn tell(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<FieldDifference>) {
    let path = if path.is_empty() { "-" } else { path };
    found.push(FieldDifference { path: path.to_owned(), old: old.cloned(), new: new.cloned() });
}

fn maps(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    depth: usize,
    found: &mut Vec<FieldDifference>,
) {
    let later = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(later) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        both(&path, old.get(key), new.get(key), depth, found);
    }
}

fn both(
    path: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    depth: usize,
    found: &mut Vec<FieldDifference>,
) {
    match (old, new) {
        (Some(old), Some(new)) => compare(path, old, new, depth + 1, found),
        (old, new) => tell(path, old, new, found),
    }
}

fn lists(path: &str, old: &[Value], new: &[Value], depth: usize, found: &mut Vec<FieldDifference>) {
    let named = NAMES.iter().find_map(|name| Some((names(old, name)?, names(new, name)?)));
    let Some((old_names, new_names)) = named else {
        for at in 0..old.len().max(new.len()) {
            both(&format!("{path}[{at}]"), old.get(at), new.get(at), depth, found);
        }
        return;
    };
    let place = |names: &[&str], name: &str| names.iter().position(|other| *other == name);
    let later = new_names.iter().filter(|name| !old_names.contains(name));
    for name in old_names.iter().chain(later) {
        let old = place(&old_names, name).and_then(|at| old.get(at));
        let new = place(&new_names, name).and_then(|at| new.get(at));
        both(&format!("{path}[{name}]"), old, new, depth, found);
    }
    let kept = |names: &[&str], others: &[&str]| -> Vec<Value> {
        names.iter().filter(|name| others.contains(name)).map(|name| Value::from(*name)).collect()
    };
    let (before, after) = (kept(&old_names, &new_names), kept(&new_names, &old_names));
    if before != after {
        let path = format!("{path}[order]");
        tell(&path, Some(&Value::Array(before)), Some(&Value::Array(after)), found);
    }
}

/// The names of all parts under a key; none if a part has no such name or two have the same.
fn names<'a>(list: &'a [Value], key: &str) -> Option<Vec<&'a str>> {
    let names: Vec<&str> = list.iter().map(|part| part.get(key)?.as_str()).collect::<Option<_>>()?;
    let different: BTreeSet<&str> = names.iter().copied().collect();
    (different.len() == names.len()).then_some(names)
}
