//! Everything that a SQLite file holds, as text, to compare two states of a store.
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// All rows of all tables. Opens the file as it lies there, log included, and writes nothing.
///
/// # Errors
/// If the file is damaged.
pub fn dump(file: &Path) -> Result<String> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    dump_of(&connection).with_context(|| file.display().to_string())
}

fn dump_of(connection: &Connection) -> Result<String> {
    let mut names =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = names.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let mut text = String::new();
    for name in names {
        // Names come from the file's own schema.
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let mut line = name.clone();
            for n in 0..columns {
                match row.get_ref(n)? {
                    ValueRef::Null => line.push_str("|-"),
                    ValueRef::Integer(i) => write!(line, "|{i}")?,
                    ValueRef::Real(r) => write!(line, "|{r}")?,
                    ValueRef::Text(t) => write!(line, "|{}", std::str::from_utf8(t)?)?,
                    ValueRef::Blob(b) => write!(line, "|{}", domain::envelope::Digest::of(b).short())?,
                }
            }
            lines.push(line);
        }
        lines.sort();
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }
    Ok(text)
}
