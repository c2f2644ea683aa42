//! `sync-server move-store`: brings a store to another database, from the command line.
use std::path::Path;

use clap::Args;
use operator::exit::Exit;
use operator::settings::{Mistake, Mistakes};

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::store::{Database, DatabaseError};
use crate::{move_store, startup};

/// From where to where.
#[derive(Debug, Args)]
pub struct MoveStore {
    /// Where the store lies now: sqlite:PATH or postgresql://USER@HOST/NAME; without it where the settings say.
    #[arg(long)]
    from: Option<String>,
    /// Where it shall lie, an empty database; without it what `move_to` says (JINBAN_MOVE_TO).
    #[arg(long)]
    to: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Brings the store there and verifies it.
///
/// # Errors
/// What was not understood, what another process holds, or what went wrong on the way.
pub fn run(args: &MoveStore, config: &Config) -> anyhow::Result<Exit> {
    let from = match &args.from {
        Some(text) => store_address("from", text)?,
        None => config.data_folder().database().clone(),
    };
    let to = match (&args.to, &config.move_to) {
        (Some(text), _) => store_address("to", text)?,
        (None, Some(address)) => address.database().clone(),
        (None, None) => return Err(nowhere().into()),
    };
    // Held until the end: a server that writes meanwhile would be left behind. A SQLite store may be that of another
    // data folder than the one that is named.
    let _lock = DataFolder::new(config.data.clone(), None).lock()?;
    let own = from.file().filter(|file| file.exists()).and_then(Path::parent);
    let own = own.filter(|folder| !same_folder(folder, &config.data));
    let _own_lock = own.map(|folder| DataFolder::new(folder.to_owned(), None).lock()).transpose()?;
    let moved = move_store::run(&from, &to, startup::now_ms(), &mut |table, rows| {
        tracing::info!(table, rows, "copied and verified");
    })?;
    if args.json {
        return say_json(&moved);
    }
    say(&format!(
        "{} rows in {} tables are at {} and verified\n\
         Name it with --database (or JINBAN_DATABASE) on every command from now on.\n",
        moved.rows, moved.tables, to
    ))
}

/// Read here and not by the command line's reader, whose error would repeat the password.
fn store_address(flag: &str, text: &str) -> Result<Database, Mistakes> {
    text.parse().map_err(|e: DatabaseError| {
        Mistakes(vec![Mistake { place: format!("flag --{flag}"), key: None, said: e.to_string() }])
    })
}

/// No target was named.
fn nowhere() -> Mistakes {
    let said = "expected where to bring the store: give --to, or move_to in the settings".to_owned();
    Mistakes(vec![Mistake { place: "flag --to".to_owned(), key: None, said }])
}

fn same_folder(one: &Path, other: &Path) -> bool {
    let whole =
        |path: &Path| std::fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path });
    matches!((whole(one), whole(other)), (Ok(a), Ok(b)) if a == b)
}
