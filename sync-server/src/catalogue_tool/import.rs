//! `catalogue import`: tables of the departments into a folder, all or nothing, the difference first.
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use domain::catalogue::{Difference, diff};
use domain::text::visible;
use operator::exit::Exit;
use serde_json::json;

use super::arguments::ImportArgs;
use super::csv::{FIELDS_FILE, ITEMS_FILE, Import, MAX_BYTES, Refused, apply};
use super::folder::write_new;
use super::number;
use super::source::Place;
use crate::answer::{say, say_json};
use crate::readings;
use crate::startup::refused;

pub(super) fn run(args: &ImportArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let tables = tables(&args.tables)?;
    let mut base = args.base.contents(place)?;
    base.files.extend(readings::fill(&base.files).changed);
    let name = args.base.to_string();
    let before = base.catalogue().map_err(|errors| refused(name.as_ref(), &errors))?;
    let mut import = match apply(&tables, &base.files) {
        Ok(import) => import,
        Err(refused) => return tell_refused(&refused, args.json),
    };
    if let Some(after) = &args.after {
        import.catalogue = number::after(&mut import.files, import.catalogue, &after.catalogue(place)?);
    }
    let difference = diff(&before, &import.catalogue);
    if !args.json {
        say(&format!("{difference}\n"))?;
    }
    if let Some(folder) = &args.to {
        write_new(folder, &import.files)?;
    }
    if args.json {
        return say_json(&json!({
            "rows": import.rows, "changed": import.changed, "difference": difference,
            "warnings": import.warnings, "folder": args.to,
        }));
    }
    say(&written(&import, &difference, args))
}

fn written(import: &Import, difference: &Difference, args: &ImportArgs) -> String {
    let mut text = String::new();
    for warning in &import.warnings {
        text.push_str(&format!("warning {}\n", visible(&warning.to_string(), 500)));
    }
    if difference.entries.iter().any(|entry| entry.revision_kept) {
        text.push_str(
            "note version and revisions are those of the base: --after gives them the next numbers\n",
        );
    }
    let place = match &args.to {
        Some(folder) => format!("written to {}", folder.display()),
        None => "nothing was written: name a folder with --to".to_owned(),
    };
    let (rows, changed, warnings) = (import.rows, import.changed.len(), import.warnings.len());
    text + &format!("{rows} rows, {changed} files changed by them, {warnings} warnings; {place}\n")
}

fn tell_refused(refused: &Refused, as_json: bool) -> anyhow::Result<Exit> {
    let Refused { errors, others, uncollected } = refused;
    if as_json {
        say_json(&json!({"errors": errors, "others": others, "uncollected": uncollected}))?;
        return Ok(Exit::Failure);
    }
    let mut text = String::new();
    errors.iter().for_each(|error| text.push_str(&format!("error {error}\n")));
    others.iter().for_each(|error| text.push_str(&format!("error {}\n", visible(&error.to_string(), 500))));
    let more = if *uncollected > 0 { format!(", {uncollected} more not shown") } else { String::new() };
    say(&format!("{text}{} mistakes{more}; nothing was changed\n", errors.len() + others.len()))?;
    Ok(Exit::Failure)
}

/// The tables of a folder, or one table, with their names.
fn tables(path: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let about = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    let paths = if about.is_dir() {
        let known = [ITEMS_FILE, FIELDS_FILE].map(|name| path.join(name));
        let there: Vec<_> = known.into_iter().filter(|path| path.exists()).collect();
        ensure!(!there.is_empty(), "{} has neither {ITEMS_FILE} nor {FIELDS_FILE}", path.display());
        there
    } else {
        vec![path.to_owned()]
    };
    let mut tables = Vec::new();
    for path in paths {
        let bytes = publishing::files::read_if_there(&path, MAX_BYTES as u64)?;
        let Some(bytes) = bytes else { bail!("{} is not there", path.display()) };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        tables.push((name, bytes));
    }
    Ok(tables)
}
