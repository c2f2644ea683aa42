//! `sync-server move-store`: brings a store to another database, row by row, and verifies every row there.
//!
//! All or nothing: the rows appear in one transaction. The old store is kept as it was and marked, so that no
//! server goes on with it by mistake. Refuses a target that is not empty.
use domain::envelope::Digest;
use serde::Serialize;

use crate::services::{audit, meta};
use crate::store::{
    Database, MigrateError, StoreError, TABLES, Tx, Value, in_transaction, migrate, require_current,
};
use crate::whole_tables::{insert, walk};

/// A store could not be moved; the target has none of its rows.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The same address twice.
    #[error("--from and --to name the same store")]
    Same,
    /// Something is there already.
    #[error("there is something at {to} already: name an empty database")]
    NotEmpty {
        /// The target.
        to: Database,
    },
    /// The store to be moved is none, or not of this program's schema.
    #[error("the store {from} cannot be moved")]
    From {
        /// The source.
        from: Database,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// The source was moved before.
    #[error("this store was moved to {to} before")]
    MovedBefore {
        /// Where it lies now.
        to: String,
    },
    /// The target cannot be prepared.
    #[error("the store {to} cannot be made")]
    To {
        /// The target.
        to: Database,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// The target would lose what it is given.
    #[error("the store {to} is not sound ({said}): mend that first")]
    Unsound {
        /// The target.
        to: Database,
        /// The first thing that it says.
        said: String,
    },
    /// What came out is not what went in. A mistake of this program: nothing was kept.
    #[error("table {table} came out differently; nothing was kept at the target")]
    Differs {
        /// Which table.
        table: &'static str,
    },
    /// The chain of audit rows is broken.
    #[error("the chain of audit rows breaks at row {row}; nothing was kept at the target")]
    Chain {
        /// Where.
        row: u64,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Tables.
    pub tables: usize,
    /// Rows of all tables.
    pub rows: u64,
    /// Digest over all rows in order, the same at both ends.
    pub digest: Digest,
}

/// Moves a store; `progress` hears of each table that was copied and verified. Nobody else writes to the old store
/// meanwhile. A move that was broken off is begun anew, and one that was ended but not marked is marked.
///
/// # Errors
/// [`MoveError`]; the old store is then as it was, and the new one has none of its rows or all of them.
pub fn run(
    from: &Database,
    to: &Database,
    now_ms: i64,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Moved, MoveError> {
    if from == to {
        return Err(MoveError::Same);
    }
    let unfit = |source| MoveError::From { from: from.clone(), source };
    if from.is_new()? {
        return Err(unfit(MigrateError::Missing));
    }
    require_current(from.open_read_only()?.as_mut()).map_err(unfit)?;
    let mut source = from.open()?;
    in_transaction(source.as_mut(), |from_tx| {
        if let Some(to) = meta::moved_to(from_tx)? {
            return Err(MoveError::MovedBefore { to });
        }
        let moved = match look(to)? {
            Target::Free => bring(from_tx, from, to, now_ms, progress)?,
            Target::Taken => compare_all(from_tx, to, progress)?,
        };
        meta::mark_moved(from_tx, &to.to_string())?;
        Ok(moved)
    })
}

/// What is at the target.
enum Target {
    /// Nothing, or our tables without rows: a move that was broken off.
    Free,
    /// Rows of somebody.
    Taken,
}

/// Whether rows may be brought there: nothing, or our tables without rows, or what was broken off on its way there.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub(crate) fn is_free(database: &Database) -> Result<bool, StoreError> {
    Ok(matches!(look(database)?, Target::Free))
}

fn look(database: &Database) -> Result<Target, StoreError> {
    if database.is_new()? {
        return Ok(Target::Free);
    }
    let mut store = database.open_read_only()?;
    if require_current(store.as_mut()).is_err() {
        return Ok(Target::Taken);
    }
    let mut tx = Tx::new(store.as_mut());
    if meta::moving_from(&mut tx)?.is_some() {
        return Ok(Target::Free);
    }
    for table in TABLES {
        if tx.query_int(&format!("SELECT COUNT(*) FROM {}", table.name), &[])? > 0 {
            return Ok(Target::Taken);
        }
    }
    Ok(Target::Free)
}

/// Copies and verifies everything in one transaction of the target.
fn bring(
    from_tx: &mut Tx<'_>,
    from: &Database,
    to: &Database,
    now_ms: i64,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Moved, MoveError> {
    let mut target = to.open()?;
    if let Some(said) = target.check()?.into_iter().next() {
        return Err(MoveError::Unsound { to: to.clone(), said });
    }
    migrate(target.as_mut(), now_ms).map_err(|source| MoveError::To { to: to.clone(), source })?;
    in_transaction(target.as_mut(), |tx| meta::mark_moving(tx, &from.to_string()))?;
    in_transaction(target.as_mut(), |tx| {
        meta::end_moving(tx)?;
        copy_all(from_tx, tx, progress)
    })
}

/// Whether the target has exactly the rows of the source: a move whose end was not marked.
fn compare_all(
    from_tx: &mut Tx<'_>,
    to: &Database,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Moved, MoveError> {
    let not_empty = || MoveError::NotEmpty { to: to.clone() };
    let mut target = to.open_read_only()?;
    require_current(target.as_mut()).map_err(|_| not_empty())?;
    let mut to_tx = Tx::new(target.as_mut());
    let (mut rows, mut digests) = (0, String::new());
    for table in TABLES {
        let (here, there) = (walk(from_tx, table, &mut skip)?, walk(&mut to_tx, table, &mut skip)?);
        if here != there {
            return Err(not_empty());
        }
        progress(table.name, here.rows);
        rows += here.rows;
        digests.push_str(&here.digest.to_string());
    }
    Ok(Moved { tables: TABLES.len(), rows, digest: Digest::of(digests.as_bytes()) })
}

fn skip(_: &[Value]) -> Result<(), StoreError> {
    Ok(())
}

fn copy_all(
    from: &mut Tx<'_>,
    to: &mut Tx<'_>,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Moved, MoveError> {
    let (mut rows, mut digests) = (0, String::new());
    for table in TABLES {
        let sent = walk(from, table, &mut |row| insert(to, (table.name, table.columns), row))?;
        let arrived = walk(to, table, &mut skip)?;
        if sent != arrived {
            return Err(MoveError::Differs { table: table.name });
        }
        progress(table.name, sent.rows);
        rows += sent.rows;
        digests.push_str(&sent.digest.to_string());
    }
    audit::verify_all(to)?.map_err(|row| MoveError::Chain { row })?;
    Ok(Moved { tables: TABLES.len(), rows, digest: Digest::of(digests.as_bytes()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Driver as _, Sqlite};

    fn store(dir: &std::path::Path, name: &str) -> Database {
        Database::Sqlite(dir.join(name))
    }

    fn filled(database: &Database) {
        let mut db = database.open().expect("opens");
        migrate(db.as_mut(), 1).expect("schema");
        in_transaction(db.as_mut(), |tx| {
            for n in 0..450_i64 {
                let subject = n.to_string();
                let event = audit::Event { actor: "a", event: "e", subject: &subject, object_digest: "d" };
                audit::append(tx, n, event)?;
                tx.execute(
                    "INSERT INTO person_key (kind, hmac, envelope_id) VALUES ($1, $2, $3)",
                    &[
                        ["x", "y", "z"][(n % 3) as usize].into(),
                        vec![(n / 3) as u8; 4].into(),
                        subject.into(),
                    ],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .expect("filled");
    }

    #[test]
    fn every_row_arrives_and_the_old_store_is_marked() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (store(dir.path(), "a.db"), store(dir.path(), "b.db"));
        filled(&from);
        let mut told = Vec::new();
        let moved = run(&from, &to, 2, &mut |table, rows| told.push((table, rows))).expect("moved");
        assert_eq!((moved.tables, moved.rows), (TABLES.len(), 900));
        assert!(told.contains(&("audit", 450)) && told.contains(&("person_key", 450)));
        assert!(matches!(
            run(&from, &store(dir.path(), "c.db"), 3, &mut |_, _| ()),
            Err(MoveError::MovedBefore { .. })
        ));
        assert!(matches!(run(&to, &from, 3, &mut |_, _| ()), Err(MoveError::NotEmpty { .. })));
        assert!(matches!(run(&to, &to, 3, &mut |_, _| ()), Err(MoveError::Same)));
        let back = run(&to, &store(dir.path(), "d.db"), 4, &mut |_, _| ()).expect("moved on");
        assert_eq!(back.digest, moved.digest);
    }

    #[test]
    fn a_move_that_was_ended_but_not_marked_is_marked() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (store(dir.path(), "a.db"), store(dir.path(), "b.db"));
        filled(&from);
        let moved = run(&from, &to, 1, &mut |_, _| ()).expect("moved");
        let mut db = Sqlite::open(from.file().expect("a file")).expect("opens");
        db.run_script("DELETE FROM meta WHERE name = 'moved_to'")
            .expect("as if it had been killed before the mark");
        assert_eq!(run(&from, &to, 2, &mut |_, _| ()).expect("marked"), moved);
        assert!(meta::moved_to(&mut Tx::new(&mut db)).expect("read").is_some());
        db.run_script("DELETE FROM meta WHERE name = 'moved_to'; DELETE FROM alarm").expect("unmarked");
        db.run_script("UPDATE person_key SET kind = 'other' WHERE kind = 'x'").expect("changed since");
        assert!(matches!(run(&from, &to, 3, &mut |_, _| ()), Err(MoveError::NotEmpty { .. })));
    }

    #[test]
    fn a_store_with_a_broken_chain_and_one_that_is_none_are_not_moved() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (store(dir.path(), "a.db"), store(dir.path(), "b.db"));
        let nothing = run(&from, &to, 1, &mut |_, _| ());
        assert!(matches!(nothing, Err(MoveError::From { .. })));
        let nothing = nothing.err().map(|e| format!("{:#}", anyhow::Error::from(e))).unwrap_or_default();
        assert!(nothing.ends_with("a.db cannot be moved: there is no store at this address"), "{nothing}");
        filled(&from);
        let mut db = Sqlite::open(from.file().expect("a file")).expect("opens");
        db.run_script("UPDATE audit SET actor = 'b' WHERE seq = 300").expect("altered");
        assert!(matches!(run(&from, &to, 1, &mut |_, _| ()), Err(MoveError::Chain { row: 300 })));
        let mut kept = to.open().expect("opens");
        let mut tx = Tx::new(kept.as_mut());
        assert_eq!(tx.query_int("SELECT COUNT(*) FROM audit", &[]).ok(), Some(0), "nothing was kept");
        assert!(meta::moving_from(&mut tx).expect("read").is_some(), "and nobody begins anew there");
        let mut db = Sqlite::open(from.file().expect("a file")).expect("opens");
        assert_eq!(meta::moved_to(&mut Tx::new(&mut db)).expect("read"), None);
    }
}
