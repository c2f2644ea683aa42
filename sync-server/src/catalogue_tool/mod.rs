//! 目录工具: what central IT does with a catalogue on the command line before it is signed: check it, compare it, build
//! its document, hand it to the departments as tables and take those back. `docs/operations/catalogue.md` tells the way.
//!
//! Refuses to publish: that needs a signature (`publish_cli`).
mod arguments;
mod check;
pub mod csv;
mod due;
pub mod folder;
pub mod format;
mod import;
mod number;
mod source;

use domain::catalogue::diff;
use operator::exit::Exit;
use serde_json::json;

use arguments::{BuildArgs, DiffArgs, ExportArgs};
pub use arguments::{CalendarCommand, ToolCommand};
use folder::Files;
pub use source::{Place, Source};

use crate::answer::{say, say_json};
use crate::readings;
use crate::startup::refused;

/// Runs a tool, writes its answer and gives the exit code.
///
/// # Errors
/// With the step that failed; nothing was written then.
pub fn run(command: &ToolCommand, place: Place<'_>) -> anyhow::Result<Exit> {
    match command {
        ToolCommand::Check(args) => check::run(args, place),
        ToolCommand::Diff(args) => compare(args, place),
        ToolCommand::Build(args) => build(args, place),
        ToolCommand::Export(args) => export(args, place),
        ToolCommand::Import(args) => import::run(args, place),
    }
}

/// Runs a command of the calendar.
///
/// # Errors
/// As [`run`].
pub fn run_calendar(command: &CalendarCommand, place: Place<'_>) -> anyhow::Result<Exit> {
    let CalendarCommand::Due(args) = command;
    due::run(args, place)
}

fn compare(args: &DiffArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let difference = diff(&args.from.catalogue(place)?, &args.to.catalogue(place)?);
    if args.json {
        return say_json(&difference);
    }
    say(&format!("{difference}\n"))
}

fn build(args: &BuildArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let mut contents = args.source.contents(place)?;
    contents.files.extend(readings::fill(&contents.files).changed);
    let name = args.source.to_string();
    let mut catalogue = contents.catalogue().map_err(|errors| refused(name.as_ref(), &errors))?;
    if let Some(after) = &args.after {
        catalogue = catalogue.succeeding(&after.catalogue(place)?);
    }
    let document = catalogue.to_document();
    publishing::files::replace(&args.out, document.json.as_bytes())?;
    let (items, bundles, bytes) = (catalogue.items.len(), catalogue.bundles.len(), document.json.len());
    if args.json {
        return say_json(&json!({
            "version": document.version, "digest": document.digest, "bytes": bytes, "items": items,
            "bundles": bundles, "file": args.out,
        }));
    }
    say(&format!(
        "version {}: {items} items, {bundles} bundles, {bytes} bytes, SHA-256 {}\n",
        document.version, document.digest
    ))
}

fn export(args: &ExportArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let catalogue = args.source.catalogue(place)?;
    let files = if args.csv {
        Files::from([
            (csv::ITEMS_FILE.to_owned(), csv::items_csv(&catalogue)),
            (csv::FIELDS_FILE.to_owned(), csv::fields_csv(&catalogue)),
        ])
    } else {
        format::files(&catalogue)
    };
    folder::write_new(&args.to, &files)?;
    if args.json {
        return say_json(&json!({"version": catalogue.version, "files": files.len(), "folder": args.to}));
    }
    say(&format!("version {}: {} files in {}\n", catalogue.version, files.len(), args.to.display()))
}
