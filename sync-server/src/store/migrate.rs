//! Numbered migrations, applied in order, each in its own transaction.
//!
//! A store that was written by a newer program is refused with advice and never touched; a migration that was
//! changed after it had been applied is refused as well.
use domain::envelope::Digest;

use super::{Driver, StoreError, Tx, Value};

/// Migrations in order; the first has number 1. They are only added.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
    include_str!("schema/005.sql"),
    include_str!("schema/006.sql"),
    include_str!("schema/007.sql"),
    include_str!("schema/008.sql"),
    include_str!("schema/009.sql"),
    include_str!("schema/010.sql"),
    include_str!("schema/011.sql"),
    include_str!("schema/012.sql"),
    include_str!("schema/013.sql"),
    include_str!("schema/014.sql"),
    include_str!("schema/015.sql"),
    include_str!("schema/016.sql"),
    include_str!("schema/017.sql"),
    include_str!("schema/018.sql"),
    include_str!("schema/019.sql"),
    include_str!("schema/020.sql"),
    include_str!("schema/021.sql"),
];

/// The schema that this program writes.
pub const SCHEMA_VERSION: u64 = MIGRATIONS.len() as u64;

/// The store's schema does not fit this program.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Written by a newer program.
    #[error(
        "the store has schema {found}, this program knows {known}: run the newer program, or restore the backup \
         that was made before the upgrade; nothing was changed"
    )]
    Newer {
        /// Version in the store.
        found: u64,
        /// Version of this program.
        known: u64,
    },
    /// Older than this program: only `serve` and `migrate` upgrade it.
    #[error("the store has schema {found}, this program needs {known}: run `sync-server migrate`")]
    Older {
        /// Version in the store.
        found: u64,
        /// Version of this program.
        known: u64,
    },
    /// The file holds tables, but not ours.
    #[error("the file is a database of something else; nothing was changed: name another data folder")]
    Foreign,
    /// A store is asked for, and there is nothing at its address.
    #[error("there is no store at this address")]
    Missing,
    /// A migration has another text than when it was applied.
    #[error("migration {number} is not the one that was applied to this store; nothing was changed")]
    Altered {
        /// Its number.
        number: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings a store to [`SCHEMA_VERSION`]; gives the version it had.
///
/// # Errors
/// [`MigrateError`]; the store is then unchanged, or at the last migration that could be applied.
pub fn migrate(driver: &mut dyn Driver, now_ms: i64) -> Result<u64, MigrateError> {
    migrate_to(driver, SCHEMA_VERSION, now_ms)
}

/// As [`migrate`], and no further than to this version: for rows of an older program, which are brought on afterwards.
///
/// # Errors
/// As [`migrate`].
pub fn migrate_to(driver: &mut dyn Driver, version: u64, now_ms: i64) -> Result<u64, MigrateError> {
    let found = found_version(driver)?;
    if found > SCHEMA_VERSION {
        return Err(MigrateError::Newer { found, known: SCHEMA_VERSION });
    }
    if found == 0 {
        driver.run_script(
            "CREATE TABLE IF NOT EXISTS schema_version (
                 version BIGINT PRIMARY KEY, digest TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)",
        )?;
    }
    for (number, sql) in (1..=version).zip(MIGRATIONS) {
        let digest = Digest::of(sql.as_bytes()).to_string();
        if number <= found {
            check_unaltered(driver, number, &digest)?;
            continue;
        }
        driver.begin()?;
        let applied = driver.run_script(sql).and_then(|()| {
            let row = [Value::from(number), digest.into(), now_ms.into()];
            driver.execute(
                "INSERT INTO schema_version (version, digest, applied_at_ms) VALUES ($1, $2, $3)",
                &row,
            )
        });
        fail::fail_point!("server::migrate::before_commit", |_| Err(StoreError::Full.into()));
        if let Err(e) = applied.and_then(|_| driver.commit()) {
            driver.rollback();
            return Err(e.into());
        }
    }
    Ok(found)
}

/// Checks, without writing, that a store has exactly the schema of this program.
///
/// # Errors
/// [`MigrateError`] if it has not.
pub fn require_current(driver: &mut dyn Driver) -> Result<(), MigrateError> {
    let found = found_version(driver)?;
    match found.cmp(&SCHEMA_VERSION) {
        std::cmp::Ordering::Less => Err(MigrateError::Older { found, known: SCHEMA_VERSION }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(MigrateError::Newer { found, known: SCHEMA_VERSION }),
    }
}

fn found_version(driver: &mut dyn Driver) -> Result<u64, MigrateError> {
    match Tx::new(driver).query_int("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[]) {
        Ok(n) => Ok(u64::try_from(n).unwrap_or(0)),
        Err(e @ (StoreError::Busy | StoreError::Full | StoreError::Open(_) | StoreError::Unreachable(_))) => {
            Err(e.into())
        }
        // No such table: an empty file is new, anything else belongs to somebody else.
        Err(_) if driver.is_empty()? => Ok(0),
        Err(_) => Err(MigrateError::Foreign),
    }
}

fn check_unaltered(driver: &mut dyn Driver, number: u64, digest: &str) -> Result<(), MigrateError> {
    let row = Tx::new(driver)
        .query_first("SELECT digest FROM schema_version WHERE version = $1", &[number.into()])?
        .ok_or(MigrateError::Altered { number })?;
    if row.text(0)? == digest { Ok(()) } else { Err(MigrateError::Altered { number }) }
}

/// A store in memory with the schema of this program, for tests and simulations.
///
/// # Errors
/// [`MigrateError`] if SQLite cannot make it.
pub fn fresh_in_memory() -> Result<super::Sqlite, MigrateError> {
    let mut db = super::Sqlite::open_in_memory()?;
    migrate(&mut db, 0)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sqlite;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut db = Sqlite::open_in_memory().expect("in memory");
        assert_eq!(migrate(&mut db, 1).ok(), Some(0));
        assert_eq!(migrate(&mut db, 2).ok(), Some(SCHEMA_VERSION));
        require_current(&mut db).expect("current");
    }

    #[test]
    fn a_newer_a_foreign_and_an_altered_store_are_refused() {
        let mut db = fresh_in_memory().expect("fresh");
        db.run_script("UPDATE schema_version SET digest = 'x'").expect("script");
        assert!(matches!(migrate(&mut db, 1), Err(MigrateError::Altered { number: 1 })));
        db.run_script("INSERT INTO schema_version VALUES (999, 'x', 0)").expect("script");
        assert!(matches!(migrate(&mut db, 1), Err(MigrateError::Newer { found: 999, .. })));
        assert!(require_current(&mut db).is_err());
        let mut other = Sqlite::open_in_memory().expect("in memory");
        other.run_script("CREATE TABLE somebody_else (n BIGINT)").expect("script");
        assert!(matches!(migrate(&mut other, 1), Err(MigrateError::Foreign)));
    }

    #[test]
    fn a_published_migration_never_changes() {
        // The snapshot of the schema: stores in the field were made from exactly these texts.
        let known = [
            "264920694d1dd614619b376de770c592fe2ba300e130224c6aad26d140fb9d73",
            "85f19e9818d130b25e14b8de343697702cac01c35e0f8b1431522ac08b7aa643",
            "273b84592a49d30c4aae6bf905c5a31c6064e892235580df2fb0e7b56a3286f7",
            "f5d36cd783c235bf9dac4c7182b097bd22a6845d1471257760f03d874db55dbe",
            "fe132cf89b216d62c3d6562d02677a7a8c6d5430cdf078adb0dfcbb9ecdff5e0",
            "69c126afb520e6c01a498c9f1a6b05d9ec06f4800185a27ed7016bd084e39374",
            "c5b324f3633d7d0fffd75a822a967dfc1e26146bf72b239614fd3594f6048fb3",
            "4989688d3f2fdb61e91d259606a813bf94ca6e599b34438964e0457757d113cf",
            "ddc239636db093e190b45c6a276d108c23806081c5fcba5a18e2d5b14e1314a5",
            "bac4ed720fd40373e5104d4cb4b77d9274434f1c8943c069b083b6f1e39f4fdc",
            "d4a2d8bc6c82b7013d9682e5cb5759e82efe83ce59f177395531d5267977e81a",
            "66d6d4c757a8392bd6a6a5bf1dee6c624584f7cbb35c36c0c76e4528e0ac1120",
            "d30fa64d067054f0129e4ff740ed6c804d6ef46de04a0137bd3a0892fa453247",
            "76e2e55973836a373f7bffa26b46a1678360c20f6ba9b3c81c395ff9a376d6f1",
            "971e430e6274c9a8f8888aa1d6ac47f793e018d58b9e1f33a67895da9d9b7bf1",
            "22b9f51523f3ed0602a1df7604fe09c7a27aa74e7aece71056cc6388fa1b3f73",
            "a8d34e02b4492120c5cd70eb03cb687e6cc3ea5a698752e797eaa5fd913e7c80",
            "af9bf916896f73b709e9d79e04a3df89f0ec54dce5eb9c2b2975f999b730c432",
            "a87dee64d5d53a1a7b9bc52331f26e1296f9d1f8fe7ac6dd96ac55ac2d1bd228",
            "b357f9a612e86d7dc55867f68056ba3e9c04202bc5e22868cf8af8d95baab4fd",
            "03369888f219eb145aa121d62f7f5ad7f1272a5e081d9b319de8c8b8ec449cb1",
        ];
        let now: Vec<_> = MIGRATIONS.iter().map(|m| Digest::of(m.as_bytes()).to_string()).collect();
        assert_eq!(now, known);
    }

    #[test]
    fn the_schema_uses_the_common_types_only() {
        let (mut in_table, mut columns) = (false, 0);
        for line in MIGRATIONS.iter().flat_map(|m| m.lines()) {
            in_table = line.starts_with("CREATE TABLE") || in_table && !line.starts_with(')');
            let column =
                line.strip_prefix("    ").filter(|l| !l.starts_with("PRIMARY") && !l.starts_with("UNIQUE"));
            let Some(column) = column.filter(|_| in_table) else { continue };
            let kind = column.split_whitespace().nth(1).unwrap_or_default().trim_end_matches(',');
            let own_number = column.trim_end_matches(',').ends_with(" INTEGER PRIMARY KEY");
            assert!(["BIGINT", "TEXT", "BLOB"].contains(&kind) || own_number, "{column}");
            columns += 1;
        }
        assert!(columns > 100, "{columns} columns were looked at");
    }
}
