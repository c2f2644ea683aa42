//! An edited table into a catalogue's files: all of it, or every mistake with its row and column.
use std::collections::BTreeMap;

use domain::catalogue::{Catalogue, CatalogueError, Warning};
use serde_json::Value;

use super::change::{self, change_field, change_item};
use super::columns::{Column, FIELDS, ITEMS};
use super::table::{self, MAX_ERRORS, Mistakes, Table, TableError};
use crate::catalogue_tool::folder::Files;
use crate::readings;

/// What became of an import.
#[derive(Debug)]
pub struct Import {
    /// All files, those that changed with their new bytes.
    pub files: Files,
    /// The catalogue that they come to.
    pub catalogue: Catalogue,
    /// Rows of all tables.
    pub rows: usize,
    /// Names of the files that changed.
    pub changed: Vec<String>,
    /// What looks wrong in the whole catalogue and is not explained.
    pub warnings: Vec<Warning>,
}

/// An import that changes nothing, because of mistakes.
#[derive(Debug, Default)]
pub struct Refused {
    /// Mistakes of tables, in the order of tables and rows.
    pub errors: Vec<TableError>,
    /// Mistakes of the catalogue that belong to no row.
    pub others: Vec<CatalogueError>,
    /// Further ones that were only counted.
    pub uncollected: usize,
}

/// Applies tables (name, bytes) to a catalogue's files, which have no mistakes.
///
/// # Errors
/// Every mistake; nothing is applied then.
pub fn apply(tables: &[(String, Vec<u8>)], base: &Files) -> Result<Import, Refused> {
    let mut edit = Edit { base, entries: BTreeMap::new(), rows: BTreeMap::new() };
    let mut refused = Refused::default();
    let mut rows = 0;
    for (file, bytes) in tables {
        let mut mistakes = Mistakes::of(file);
        if let Some(table) = table::read(bytes, &mut mistakes) {
            rows += table.rows.len();
            edit.table(&table, &mut mistakes);
        }
        refused.uncollected += mistakes.uncollected;
        refused.errors.extend(mistakes.found);
    }
    if !refused.errors.is_empty() {
        return Err(refused);
    }
    let (mut files, changed) = edit.files();
    let filled = readings::fill(&files);
    files.extend(filled.changed);
    let review = Catalogue::review(&files, filled.warnings);
    match review.catalogue {
        Some(catalogue) if review.errors.is_empty() => {
            Ok(Import { files, catalogue, rows, changed, warnings: review.warnings })
        }
        _ => Err(edit.refusal(review.errors)),
    }
}

/// Where a row stands.
#[derive(Debug, Clone)]
struct Origin {
    file: String,
    row: usize,
}

/// Names of a row: code, and key of a field or nothing.
type Names = (String, String);

struct Edit<'a> {
    base: &'a Files,
    /// Items and bundles that rows name, by code: file, as it was, as it is.
    entries: BTreeMap<String, (String, Value, Value)>,
    rows: BTreeMap<Names, Origin>,
}

impl Edit<'_> {
    fn table(&mut self, table: &Table, mistakes: &mut Mistakes<'_>) {
        let fields = table.known.len() == FIELDS.len();
        for row in &table.rows {
            let (code, key) = (row.get("code").to_owned(), row.get("key").to_owned());
            let origin = Origin { file: mistakes.file.to_owned(), row: row.number };
            if let Some(other) = self.rows.insert((code.clone(), key.clone()), origin) {
                mistakes.tell(row.number, "code", format!("stands in row {} already", other.row));
                continue;
            }
            let Some((file, _, entry)) = self.entry(&code) else {
                mistakes.tell(
                    row.number,
                    "code",
                    format!("there is no `{code}`: what is new is made as a file"),
                );
                continue;
            };
            if !fields && !file.starts_with("items/") {
                mistakes.tell(row.number, "code", "is a bundle: this table has items only");
            } else if !fields {
                change_item(entry, row, mistakes);
            } else if !change_field(entry, &key, row, mistakes) {
                mistakes.tell(row.number, "key", format!("the form of `{code}` has no field `{key}`"));
            }
        }
    }

    /// The entry of a code, as it stands now.
    fn entry(&mut self, code: &str) -> Option<&mut (String, Value, Value)> {
        if !self.entries.contains_key(code) {
            let names = ["items", "bundles"].map(|folder| format!("{folder}/{code}.json"));
            let name = names.into_iter().find(|name| self.base.contains_key(name))?;
            let value: Value = serde_json::from_slice(self.base.get(&name)?).ok()?;
            self.entries.insert(code.to_owned(), (name, value.clone(), value));
        }
        self.entries.get_mut(code)
    }

    /// The files, and the names of those that changed.
    fn files(&self) -> (Files, Vec<String>) {
        let mut files = self.base.clone();
        let mut changed = Vec::new();
        for (name, before, after) in self.entries.values() {
            if before != after {
                files.insert(name.clone(), readings::written(after));
                changed.push(name.clone());
            }
        }
        (files, changed)
    }

    /// Mistakes of the catalogue, told by the rows that they come from.
    fn refusal(&self, errors: Vec<CatalogueError>) -> Refused {
        let mut refused = Refused::default();
        for error in errors.into_iter().take(MAX_ERRORS) {
            match self.origin(&error) {
                Some((origin, column)) => {
                    let Origin { file, row } = origin.clone();
                    refused.errors.push(TableError { file, row, column, reason: error.reason });
                }
                None => refused.others.push(error),
            }
        }
        refused.errors.sort_by(|a, b| (&a.file, a.row).cmp(&(&b.file, b.row)));
        refused
    }

    fn origin(&self, error: &CatalogueError) -> Option<(&Origin, String)> {
        let (_, _, entry) = self.entries.get(&error.item)?;
        let code = error.item.clone();
        if let Some((key, below)) = field_of(entry, &error.field) {
            let origin = self.rows.get(&(code, key))?;
            return Some((origin, column_of(FIELDS, &below)));
        }
        let origin = self.rows.get(&(code, String::new()))?;
        Some((origin, column_of(ITEMS, &error.field)))
    }
}

/// The field of a form that an error's path names (`form.KEY`, or `form.pages[0].groups[0].fields[0].label.zh`), and
/// what stands behind it.
fn field_of(entry: &Value, path: &str) -> Option<(String, String)> {
    let below = path.strip_prefix("form.")?;
    let Some((groups, rest)) = below.split_once(".fields[") else {
        return change::has_field(entry, below).then(|| (below.to_owned(), String::new()));
    };
    let (index, rest) = rest.split_once(']')?;
    let place = format!("/form/{groups}/fields/{index}/key").replace(['[', '.'], "/").replace(']', "");
    let key = entry.pointer(&place)?.as_str()?;
    Some((key.to_owned(), rest.trim_start_matches('.').to_owned()))
}

/// Name of the column that an error's path belongs to.
fn column_of(known: &[Column], path: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for sign in path.chars() {
        match sign {
            '[' => inside = true,
            ']' => inside = false,
            sign if !inside => plain.push(sign),
            _ => {}
        }
    }
    let below = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    let fits = |column: &&Column| {
        let own = column.path.replace("[]", "");
        own == plain || below(&own, &plain) || below(&plain, &own)
    };
    known.iter().find(fits).map_or_else(|| "-".to_owned(), |column| column.key.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_by_the_column_it_belongs_to() {
        for (path, column) in [
            ("guide.who[1].zh", "guide.who.zh"),
            ("name", "name.zh"),
            ("promised", "promised"),
            ("materials[0].name", "materials.zh"),
            ("synonyms[3]", "synonyms"),
            ("withdrawn.since", "withdrawn.since"),
            ("situations.questions[0].id", "-"),
            ("-", "-"),
        ] {
            assert_eq!(column_of(ITEMS, path), column, "{path}");
        }
        for (path, column) in [("label.zh", "label.zh"), ("choices[0].label.en", "choices.en"), ("", "-")] {
            assert_eq!(column_of(FIELDS, path), column, "{path}");
        }
        let entry = json!({"form": {"pages": [{"groups": [{"fields": [{"key": "a"}, {"key": "b"}]}]}]}});
        let found = |path: &str| field_of(&entry, path);
        let named = |key: &str, rest: &str| Some((key.to_owned(), rest.to_owned()));
        assert_eq!(found("form.b"), named("b", ""));
        assert_eq!(found("form.pages[0].groups[0].fields[1].label.zh"), named("b", "label.zh"));
        assert_eq!(found("form.pages[0].groups[0].fields[2].label.zh"), None);
        assert_eq!((found("form"), found("form.c"), found("name")), (None, None, None));
    }
}
