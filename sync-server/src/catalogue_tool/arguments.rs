//! What the tools for catalogues take from the command line.
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::date::CivilDate;
use domain::ids::StationId;

use super::source::Source;

/// Catalogues before they are signed: checking, comparing, building, tables for departments.
///
/// A source is a folder of files, a file with a canonical document, or `version:N` (`version:newest`) of the store.
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// Tell every mistake of a catalogue with file, item and field, then what looks wrong; the last line counts.
    #[command(
        after_help = "Exit code 0 if it may be published, 1 if there are errors. Warnings do not count as errors;
those that allow.json explains are counted, and shown with --all.

Examples:
  sync-server catalogue check assets/catalogue
  sync-server catalogue check work/catalogue --all
  sync-server catalogue check version:newest --json"
    )]
    Check(CheckArgs),
    /// Tell what differs between two catalogues, by item and field.
    #[command(
        after_help = "Each of the two is a folder, a canonical document, or version:N (version:newest) of the store.

Examples:
  sync-server catalogue diff version:newest work/catalogue
  sync-server catalogue diff version:1 version:2 --json"
    )]
    Diff(DiffArgs),
    /// Make the canonical document of a folder, whose digest names it; what lacks of pinyin is made.
    #[command(
        after_help = "With --after, the version becomes the next one after that source, and the revision rises of each item and bundle
that changed.

Examples:
  sync-server catalogue build work/catalogue --out catalogue-3.json
  sync-server catalogue build work/catalogue --after version:newest --out catalogue-3.json"
    )]
    Build(BuildArgs),
    /// Write a catalogue as a folder of files, or as tables for a spreadsheet.
    #[command(
        after_help = "The folder must be new or empty. A version does not know the festivals of calendar.json, readings.json, allow.json
and notes in .md files: what is made from one lacks them.

With --csv: items.csv (one row for each item) and fields.csv (one row for each field of a form), RFC 4180, UTF-8. A list
stands in one cell, a line for each entry. A text that a spreadsheet would take for a formula has a ' before it.

Examples:
  sync-server catalogue export version:2 --to work/catalogue
  sync-server catalogue export assets/catalogue --csv --to work/tables"
    )]
    Export(ExportArgs),
    /// Apply edited tables to a catalogue, all or nothing, and show the difference.
    #[command(
        after_help = "Rows and columns that are left out keep what is there; nothing is added or removed by a table. Every mistake is told
with row and column, and then nothing is written. Without --to, only the difference is shown.

Examples:
  sync-server catalogue import work/tables --base assets/catalogue
  sync-server catalogue import work/tables --base assets/catalogue --after version:newest --to work/new
  sync-server catalogue import items.csv --base version:newest --to work/new --json"
    )]
    Import(ImportArgs),
}

/// What is checked.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder, document, or version:N.
    pub(super) source: Source,
    /// Show also the warnings that allow.json explains.
    #[arg(long)]
    pub(super) all: bool,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is compared.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The one: folder, document, or version:N.
    pub(super) from: Source,
    /// The other.
    pub(super) to: Source,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is built.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Folder, document, or version:N.
    pub(super) source: Source,
    /// File for the document; it is replaced if it is there.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Number it as the version after this one.
    #[arg(long, value_name = "SOURCE")]
    pub(super) after: Option<Source>,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is written, and where.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder, document, or version:N.
    pub(super) source: Source,
    /// New or empty folder for the files.
    #[arg(long, value_name = "FOLDER")]
    pub(super) to: PathBuf,
    /// Tables for a spreadsheet instead of the files of a catalogue.
    #[arg(long)]
    pub(super) csv: bool,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is applied to what.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Folder with items.csv and fields.csv (or one of them), or one table.
    pub(super) tables: PathBuf,
    /// The catalogue that is changed: folder, document, or version:N; it stays as it is.
    #[arg(long, value_name = "SOURCE")]
    pub(super) base: Source,
    /// New or empty folder for the changed catalogue.
    #[arg(long, value_name = "FOLDER")]
    pub(super) to: Option<PathBuf>,
    /// Number it as the version after this one.
    #[arg(long, value_name = "SOURCE")]
    pub(super) after: Option<Source>,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// The calendar of working days.
#[derive(Debug, Subcommand)]
pub enum CalendarCommand {
    /// Tell on which day a time ends that begins with a day.
    #[command(
        after_help = "The first day itself does not count. What is counted with a year that is not announced yet is marked as expected.

Examples:
  sync-server calendar due --from 2026-09-30 --days 3
  sync-server calendar due --from 2026-12-24 --days 20 --station XN-CCB-CD-01
  sync-server calendar due --from 2026-02-12 --days 1 --unit half --catalogue version:newest --json"
    )]
    Due(DueArgs),
}

/// What is counted.
#[derive(Debug, Args)]
pub struct DueArgs {
    /// The day of acceptance, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    pub(super) from: CivilDate,
    /// How many.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=2_000))]
    pub(super) days: u32,
    /// Of what.
    #[arg(long, value_enum, default_value_t = Unit::WorkingDay)]
    pub(super) unit: Unit,
    /// Tell also when this station is open on that day, or next.
    #[arg(long)]
    pub(super) station: Option<StationId>,
    /// The catalogue with the calendar: folder, document, or version:N; without it, that of the assets.
    #[arg(long, value_name = "SOURCE")]
    pub(super) catalogue: Option<Source>,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Days of the working calendar.
    #[value(name = "working_day")]
    WorkingDay,
    /// Days of the week alike; the last one may be a holiday.
    #[value(name = "natural_day")]
    NaturalDay,
    /// Halves of a working day; a half that is begun ends with its day.
    #[value(name = "half")]
    Half,
}
