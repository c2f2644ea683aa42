//! What the writer and the readers rely on, on both databases: types, transactions, order, and what a lost connection
//! does.
use std::sync::mpsc::channel;

use anyhow::{Context as _, Result};
use sync_server::store::{
    Database, Driver, MigrateError, Row, StoreError, Tx, Value, Writer, in_transaction, migrate,
    require_current,
};
use tests::postgres::{Cluster, fresh_database};

/// A place for a store of each kind, in a folder that must outlive it.
pub fn both_empty() -> Result<(tempfile::TempDir, Vec<Database>)> {
    let folder = tempfile::tempdir()?;
    let stores = vec![Database::Sqlite(folder.path().join("server.db")), fresh_database()?.parse()?];
    Ok((folder, stores))
}

/// The same with its schema.
fn both() -> Result<(tempfile::TempDir, Vec<Database>)> {
    let (folder, stores) = both_empty()?;
    for store in &stores {
        migrate(store.open()?.as_mut(), 1)?;
    }
    Ok((folder, stores))
}

#[test]
fn all_four_types_come_back_and_parameters_are_not_swapped() -> Result<()> {
    let (_folder, stores) = both()?;
    for store in stores {
        let mut db = store.open()?;
        db.run_script("CREATE TABLE t (n BIGINT, s TEXT, b BLOB)")?;
        for n in [i64::MIN, -1, 0, i64::MAX] {
            let row = vec![
                Value::Int(n),
                Value::from("\u{529e}\u{4ef6} '$1' \u{1f600}"),
                Value::from(vec![0, 255]),
            ];
            let swapped = [row[2].clone(), row[0].clone(), row[1].clone()];
            assert_eq!(db.execute("INSERT INTO t (n, s, b) VALUES ($2, $3, $1)", &swapped)?, 1);
            let found = db.query("SELECT n, s, b FROM t WHERE s = $2 AND n = $1", &row[..2])?;
            assert_eq!(found, [Row(row)], "{store}");
        }
        let nothing = vec![Value::Null, Value::Null, Value::Null];
        db.execute("INSERT INTO t (n, s, b) VALUES ($1, $2, $3)", &nothing)?;
        assert_eq!(db.query("SELECT n, s, b FROM t WHERE n IS NULL", &[])?, [Row(nothing)]);
        let wrong = db.execute("INSERT INTO t (s) VALUES ($1)", &[Value::from("a\0b")]);
        assert!(wrong.is_err() || store.kind() == "SQLite", "PostgreSQL has no NUL in a text");
        assert_eq!(
            Tx::new(db.as_mut()).query_int("SELECT COUNT(*) FROM t", &[])?,
            5 + i64::from(wrong.is_ok())
        );
    }
    Ok(())
}

#[test]
fn texts_are_ordered_byte_by_byte_in_both() -> Result<()> {
    let (_folder, stores) = both()?;
    let mut orders = Vec::new();
    for store in stores {
        let mut db = store.open()?;
        for text in ["b", "A", "a", "B", "-", "\u{897f}\u{5b81}", "10", "9", "a-b", "ab"] {
            db.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", &[text.into(), "".into()])?;
        }
        orders.push(db.query("SELECT name FROM meta WHERE name > $1 ORDER BY name", &["-".into()])?);
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0].len(), 9);
    Ok(())
}

#[test]
fn a_savepoint_undoes_one_item_and_a_broken_key_is_a_constraint() -> Result<()> {
    let (_folder, stores) = both()?;
    for store in stores {
        let mut db = store.open()?;
        let insert = "INSERT INTO meta (name, value) VALUES ($1, $2)";
        db.begin()?;
        for name in ["a", "a", "b"] {
            db.savepoint()?;
            match db.execute(insert, &[name.into(), "".into()]) {
                Ok(_) => db.release()?,
                Err(StoreError::Constraint(_)) => db.rollback_to_savepoint()?,
                Err(e) => return Err(e.into()),
            }
        }
        db.commit()?;
        db.begin()?;
        db.execute(insert, &["c".into(), "".into()])?;
        db.rollback();
        let count = Tx::new(db.as_mut()).query_int("SELECT COUNT(*) FROM meta WHERE value = ''", &[])?;
        assert_eq!(count, 2, "{store}");
        let orphan = [1_i64.into(), "nobody".into(), "x".into()];
        let action = "INSERT INTO action (version, envelope_id, kind, body, actor, role, at_ms)
                      VALUES ($1, $2, $3, $3, $3, $3, 0)";
        assert!(matches!(db.execute(action, &orphan), Err(StoreError::Constraint(_))), "{store}");
    }
    Ok(())
}

#[test]
fn a_reader_sees_one_state_and_does_not_write() -> Result<()> {
    let (_folder, stores) = both()?;
    for store in stores {
        let (mut writer, mut reader) = (store.open()?, store.open_read_only()?);
        reader.begin_read()?;
        let count = |db: &mut dyn Driver| Tx::new(db).query_int("SELECT COUNT(*) FROM meta", &[]);
        let before = count(reader.as_mut())?;
        let row = ["x".into(), "y".into()];
        writer.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", &row)?;
        assert_eq!(count(reader.as_mut())?, before, "{store}");
        let written = reader.execute("INSERT INTO meta (value, name) VALUES ($1, $2)", &row);
        assert!(written.is_err(), "{store}: a reader wrote");
        reader.rollback();
        assert_eq!(count(reader.as_mut())?, before + 1, "{store}");
        // Neither outside a transaction, nor in one that somebody begins for writing by mistake.
        let late = ["late".into(), "y".into()];
        let insert = "INSERT INTO meta (name, value) VALUES ($1, $2)";
        let written = reader.execute(insert, &late);
        assert!(written.is_err(), "{store}: a reader wrote outside a transaction");
        let written = in_transaction(reader.as_mut(), |tx| tx.execute(insert, &late));
        assert!(written.is_err(), "{store}: a reader wrote in a transaction");
        assert_eq!(count(reader.as_mut())?, before + 1, "{store}: and the connection is as good as before");
    }
    Ok(())
}

#[test]
fn two_writers_give_numbers_in_the_order_of_commits() -> Result<()> {
    let (_folder, stores) = both()?;
    for store in stores {
        std::thread::scope(|scope| -> Result<()> {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| -> Result<()> {
                        let mut db = store.open()?;
                        for _ in 0..50 {
                            in_transaction(db.as_mut(), |tx| {
                                let next = tx.next_in("alarm", "id")?;
                                let row = [next.into(), next.to_string().into()];
                                tx.execute(
                                    "INSERT INTO alarm (kind, subject, object_digest, raised_at_ms, id)
                                     VALUES ('k', $2, '', 0, $1)",
                                    &row,
                                )
                            })?;
                        }
                        Ok(())
                    })
                })
                .collect();
            threads
                .into_iter()
                .try_for_each(|t| t.join().map_err(|_| anyhow::anyhow!("a writer broke off"))?)
        })?;
        let mut db = store.open()?;
        let mut tx = Tx::new(db.as_mut());
        let (highest, count) = (
            tx.query_int("SELECT MAX(id) FROM alarm", &[])?,
            tx.query_int("SELECT COUNT(*) FROM alarm", &[])?,
        );
        assert_eq!((highest, count), (100, 100), "{store}: no number twice, none left out");
    }
    Ok(())
}

#[test]
fn a_database_of_another_product_and_a_newer_one_are_refused_untouched() -> Result<()> {
    let store: Database = fresh_database()?.parse()?;
    assert!(store.is_new()?);
    let mut db = store.open()?;
    db.run_script("CREATE TABLE orders (n BIGINT)")?;
    assert!(!store.is_new()?);
    assert!(matches!(migrate(db.as_mut(), 1), Err(MigrateError::Foreign)));
    assert_eq!(
        db.query("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'", &[])?.len(),
        1
    );
    let (_folder, stores) = both()?;
    let mut newer = stores[1].open()?;
    newer.run_script("INSERT INTO schema_version VALUES (999, 'x', 0)")?;
    assert!(matches!(require_current(newer.as_mut()), Err(MigrateError::Newer { found: 999, .. })));
    assert!(matches!(migrate(newer.as_mut(), 1), Err(MigrateError::Newer { found: 999, .. })));
    Ok(())
}

#[test]
fn a_server_that_goes_away_in_mid_batch_and_comes_back_loses_nothing_that_was_committed() -> Result<()> {
    let mut cluster = Cluster::start()?;
    let store: Database = cluster.create_database("away")?.parse()?;
    migrate(store.open()?.as_mut(), 1)?;
    let writer = Writer::start(store.open()?)?;
    let insert = |tx: &mut Tx<'_>, name: &str| {
        tx.execute("INSERT INTO meta (value, name) VALUES ($2, $1)", &[name.into(), "".into()])
    };
    anyhow::ensure!(matches!(writer.write(move |tx| insert(tx, "before")), Ok(Ok(1))));
    // The piece holds the transaction open while the server dies under it.
    let (reached_in, reached) = channel::<()>();
    let (go_in, go) = channel::<()>();
    let (answer_in, answer) = channel();
    writer.submit(
        move |tx| {
            insert(tx, "in the middle")?;
            let _ = reached_in.send(());
            let _ = go.recv();
            insert(tx, "after the loss")
        },
        move |written: Result<Result<u64, StoreError>, _>| {
            let _ = answer_in.send(matches!(written, Ok(Ok(_))));
        },
    );
    reached.recv()?;
    cluster.kill()?;
    go_in.send(())?;
    assert!(!answer.recv()?, "what was not committed is not acknowledged");
    assert!(writer.write(move |tx| insert(tx, "while it is away")).is_err());
    let unreachable = store.open().map(|_| ());
    assert!(matches!(unreachable, Err(StoreError::Unreachable(_))));
    cluster.start_again()?;
    assert!(
        matches!(writer.write(move |tx| insert(tx, "back")), Ok(Ok(1))),
        "by itself, on a new connection"
    );
    writer.stop();
    let mut db = store.open()?;
    let rows = db.query("SELECT name FROM meta WHERE value = '' ORDER BY name", &[])?;
    let names: Vec<_> = rows.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    assert_eq!(names, ["back", "before"]);
    Ok(())
}

#[test]
fn a_loss_inside_a_transaction_is_never_taken_for_a_commit() -> Result<()> {
    let mut cluster = Cluster::start()?;
    let store: Database = cluster.create_database("lost")?.parse()?;
    migrate(store.open()?.as_mut(), 1)?;
    let mut db = store.open()?;
    db.begin()?;
    db.execute("INSERT INTO meta (name, value) VALUES ($1, $1)", &["x".into()])?;
    cluster.kill()?;
    cluster.start_again()?;
    let failed = db.execute("INSERT INTO meta (name, value) VALUES ($1, $1)", &["y".into()]);
    assert!(matches!(failed, Err(StoreError::Unreachable(_))), "{failed:?}");
    assert!(matches!(db.commit(), Err(StoreError::Unreachable(_))), "nothing to commit on a new connection");
    db.rollback();
    db.begin()?;
    let count = Tx::new(db.as_mut()).query_int("SELECT COUNT(*) FROM meta", &[]).context("usable again")?;
    assert_eq!(count, 0);
    Ok(())
}
