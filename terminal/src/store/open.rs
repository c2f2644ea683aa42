//! Opening and migrating the database file, without ever harming one that cannot be used.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::envelope::DeviceKey;
use domain::ids::Lineage;
use operator::private;
use rand_chacha::ChaCha20Rng;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::statements::Kept as _;
use super::{Identity, StoreError, anew, device_key, identity};

/// Name of the database in the data folder.
pub const DATABASE_FILE: &str = "terminal.db";
/// Marks the file as ours (`PRAGMA application_id`): "JBTM".
const APPLICATION_ID: i64 = 0x4A42_544D;
/// Migrations in order; the version of a database is how many of them it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
    include_str!("schema/005.sql"),
];

pub(super) fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

pub(super) fn open(
    directory: &Path,
    now_ms: i64,
    random: &mut ChaCha20Rng,
) -> Result<(Connection, DeviceKey), StoreError> {
    private::folder(directory).map_err(StoreError::Io)?;
    anew::finish(directory)?;
    let file = directory.join(DATABASE_FILE);
    let enrolled = match fs::metadata(&file) {
        Ok(m) if m.is_file() => identity::get::<Identity>(&inspect(&file)?, "identity")?,
        Ok(_) => return Err(StoreError::Corrupt),
        // A log without its database may hold rows that were never sent: a person looks at it first.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && has_leftover_log(directory) => {
            return Err(StoreError::Corrupt);
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            create(directory, &file, (now_ms, random))?;
            None
        }
        Err(e) => return Err(StoreError::Io(e)),
    };
    // Before anything is written: without its key an enrolled terminal leaves everything as it is.
    let device_key = device_key::load_or_create(directory, enrolled.as_ref(), random)?;
    fail::fail_point!("terminal::open::after_key", |_| Err(StoreError::Full));
    for file in files(directory) {
        private::close(&file).map_err(StoreError::Io)?;
    }
    let mut connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare(&connection)?;
    fail::fail_point!("terminal::open::before_migrate", |_| Err(StoreError::Full));
    migrate(&mut connection)?;
    identity::note_key(&connection, &device_key.public())?;
    Ok((connection, device_key))
}

/// The database, and what SQLite makes beside it with the same mode.
pub fn files(directory: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| directory.join(format!("{DATABASE_FILE}{ending}")))
}

/// A read-only connection to an existing, sound database; used beside a running terminal as well.
pub(super) fn open_read_only(directory: &Path) -> Result<Connection, StoreError> {
    inspect(&directory.join(DATABASE_FILE))
}

/// Looks at a file without writing: is it ours, sound, and not newer than this program? Gives the connection for reading.
fn inspect(file: &Path) -> Result<Connection, StoreError> {
    if fs::metadata(file).map_err(StoreError::Io)?.len() < 512 {
        return Err(StoreError::Corrupt);
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    if application != APPLICATION_ID {
        return Err(StoreError::Corrupt);
    }
    let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if found > known_version() {
        return Err(StoreError::Newer { found, known: known_version() });
    }
    check(&connection)?;
    Ok(connection)
}

/// Looks at every page. SQLite's own check passes by an empty index whose page says that it is another kind of page
/// (found by the simulation: nothing was ever sent from then on), so each index is asked as well.
///
/// # Errors
/// [`StoreError::Corrupt`] if anything is damaged; others if it cannot be read.
fn check(connection: &Connection) -> Result<(), StoreError> {
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if said != "ok" {
        return Err(found(&said));
    }
    let sql = "SELECT name, tbl_name, COALESCE(sql, '') FROM sqlite_schema WHERE type = 'index'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement
        .query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?)))?;
    for row in rows {
        let (index, table, sql) = row?;
        // An index of some rows only answers for those.
        let only = sql.split_once(" WHERE ").map(|(_, only)| format!("WHERE {only}")).unwrap_or_default();
        let ask = format!("SELECT 1 FROM \"{table}\" INDEXED BY \"{index}\" {only} LIMIT 1");
        connection.row_kept(&ask, [], |_| Ok(())).optional()?;
    }
    Ok(())
}

/// What a complaint of SQLite's check means. It also complains of a page that it could not read: that says nothing of the
/// page, and a store that may be sound is not put aside for it.
fn found(complaint: &str) -> StoreError {
    const NO_MEMORY: i32 = 7;
    const UNREAD: i32 = 10;
    let code = complaint.rsplit_once("error code=").and_then(|(_, code)| code.trim().parse::<i32>().ok());
    match code.map(|code| code & 0xFF) {
        Some(NO_MEMORY | UNREAD) => StoreError::Io(std::io::Error::other("a page could not be read")),
        _ => StoreError::Corrupt,
    }
}

fn has_leftover_log(directory: &Path) -> bool {
    ["terminal.db-wal", "terminal.db-shm", "terminal.db-journal"]
        .iter()
        .any(|name| directory.join(name).exists())
}

/// Makes a new database under another name and moves it into place, so that a half-made one is never met.
fn create(
    directory: &Path,
    file: &Path,
    (now_ms, random): (i64, &mut ChaCha20Rng),
) -> Result<(), StoreError> {
    let temporary = directory.join("terminal.db.new");
    for leftover in
        ["terminal.db.new", "terminal.db.new-journal", "terminal.db.new-wal", "terminal.db.new-shm"]
    {
        match fs::remove_file(directory.join(leftover)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::Io(e)),
            _ => {}
        }
    }
    let mut connection = Connection::open(&temporary)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&mut connection)?;
    identity::start_series(&connection, Lineage::new(random), now_ms)?;
    connection.close().map_err(|(_, e)| StoreError::from(e))?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).map_err(StoreError::Io)?;
    fs::File::open(&temporary).and_then(|f| f.sync_all()).map_err(StoreError::Io)?;
    fail::fail_point!("terminal::open::before_rename", |_| Err(StoreError::Full));
    fs::rename(&temporary, file).map_err(StoreError::Io)?;
    fail::fail_point!("terminal::open::after_rename", |_| Err(StoreError::Full));
    fs::File::open(directory).and_then(|d| d.sync_all()).map_err(StoreError::Io)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_secs(5))?;
    super::statements::keep(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synced())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Erased content shall not linger in free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(())
}

/// How commits reach the disk: before anybody hears of them. A planted fault lets them come when they will.
fn synced() -> &'static str {
    fail::fail_point!("planted::commit_without_sync", |_| "NORMAL");
    "FULL"
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    let done = usize::try_from(found).unwrap_or(0);
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(i64::MAX))?;
        fail::fail_point!("terminal::open::before_migration_commit", |_| Err(StoreError::Full));
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_read_is_no_damage() {
        for unread in [10, 266, 7] {
            let said = format!("Tree 5 page 9: unable to get the page. error code={unread}");
            assert!(matches!(found(&said), StoreError::Io(_)), "{said}");
        }
        for damaged in
            ["Tree 5 page 9: btreeInitPage() returns error code 11", "Page 7: never used", "error code=x", ""]
        {
            assert!(matches!(found(damaged), StoreError::Corrupt), "{damaged}");
        }
        let said = "Tree 5 page 9: unable to get the page. error code=11";
        assert!(matches!(found(said), StoreError::Corrupt), "{said}");
    }
}
