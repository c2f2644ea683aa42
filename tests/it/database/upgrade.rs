//! A store of the first schema is brought to the present one with all its rows, on both databases.
use anyhow::{Context as _, Result};
use domain::envelope::Digest;
use sync_server::services::audit;
use sync_server::store::{
    Driver, Row, SCHEMA_VERSION, TABLES, Table, Tx, Value, fresh_in_memory, in_transaction, migrate,
    require_current,
};
use tests::binaries::repository;

use super::driver::both_empty;

/// Makes a store as the program wrote it when there was one migration.
fn first_schema(driver: &mut dyn Driver) -> Result<()> {
    let sql = std::fs::read_to_string(repository().join("sync-server/src/store/schema/001.sql"))?;
    driver.run_script(
        "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, digest TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)",
    )?;
    driver.run_script(&sql)?;
    let row = [Value::from(1_i64), Digest::of(sql.as_bytes()).to_string().into(), 0_i64.into()];
    driver
        .execute("INSERT INTO schema_version (version, digest, applied_at_ms) VALUES ($1, $2, $3)", &row)?;
    Ok(())
}

/// One value for a column of any table, different for each row.
fn value(column: &str, row: i64) -> Value {
    match column {
        "refers_to" | "slip_number" | "on_behalf_of" if row == 1 => Value::Null,
        "public_key" | "signature" | "header" | "ciphertext" | "nonce" | "wrapped" | "hmac" => {
            vec![u8::try_from(row).unwrap_or(0); 3].into()
        }
        "envelope_id" => format!("envelope-{row}").into(),
        "station" | "terminal" => "s-1".into(),
        "disposition" if row == 2 => "waiting".into(),
        "state" | "kind" if row == 2 => "accepted".into(),
        "server_seq" | "seq" | "version" | "issuer" | "number_" | "complete" | "cursor_" | "id_"
        | "place" | "highest_seq" | "seqs_seen" | "catalogue_version" => row.into(),
        name if name.ends_with("_ms") => (row * 1_000).into(),
        name => format!("{name} {row}").into(),
    }
}

/// Tables that the second migration writes anew, parents first.
const CHANGED: [&str; 6] = ["envelope", "case_", "action", "case_key", "person_key", "change_"];

/// Columns that came later.
const LATER: [(&str, &str); 7] = [
    ("case_", "outcome"),
    ("case_", "accepted_at_ms"),
    ("case_", "due_ms"),
    ("case_", "due_expected"),
    ("case_", "standing"),
    ("case_", "wake_ms"),
    ("action", "click"),
];

fn first_columns(table: &Table) -> Vec<&'static str> {
    table.columns.iter().copied().filter(|column| !LATER.contains(&(table.name, *column))).collect()
}

fn fill(driver: &mut dyn Driver, chain: &[Row]) -> Result<()> {
    for name in CHANGED {
        let table = TABLES.iter().find(|t| t.name == name).context("a table")?;
        let columns = first_columns(table);
        let places: Vec<_> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let (names, places) = (columns.join(", "), places.join(", "));
        for row in 1..=3 {
            let values: Vec<_> = columns.iter().map(|c| value(c, row)).collect();
            driver.execute(&format!("INSERT INTO {name} ({names}) VALUES ({places})"), &values)?;
        }
    }
    let mut previous = vec![0; 32];
    for row in chain {
        let mut values = row.0.clone();
        let hash = row.blob(6)?.to_vec();
        values.push(std::mem::replace(&mut previous, hash).into());
        driver.execute(
            "INSERT INTO audit (seq, at_ms, actor, event, subject, object_digest, hash, previous_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &values,
        )?;
    }
    Ok(())
}

/// A chain as this program writes it.
fn chain() -> Result<Vec<Row>> {
    let mut db = fresh_in_memory()?;
    in_transaction(&mut db, |tx| {
        for n in 1..=3 {
            let event = audit::Event { actor: "T-01", event: "e", subject: "s", object_digest: "d" };
            audit::append(tx, n, event)?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let sql = "SELECT seq, at_ms, actor, event, subject, object_digest, hash FROM audit ORDER BY seq";
    Ok(db.query(sql, &[])?)
}

#[test]
fn a_store_of_the_first_schema_keeps_all_its_rows() -> Result<()> {
    let (_folder, stores) = both_empty()?;
    let chain = chain()?;
    for store in &stores {
        let mut db = store.open()?;
        first_schema(db.as_mut())?;
        fill(db.as_mut(), &chain)?;
        assert_eq!(migrate(db.as_mut(), 9)?, 1, "{store}");
        require_current(db.as_mut())?;
        assert_eq!(migrate(db.as_mut(), 9)?, SCHEMA_VERSION);
        for table in TABLES.iter().filter(|t| CHANGED.contains(&t.name)) {
            let columns = first_columns(table);
            let sql = format!(
                "SELECT {} FROM {} ORDER BY {}",
                columns.join(", "),
                table.name,
                table.key.join(", ")
            );
            let row = |row| Row(columns.iter().map(|c| value(c, row)).collect());
            let mut expected: Vec<_> = (1..=3).map(row).collect();
            let mut found = db.query(&sql, &[])?;
            if table.name == "person_key" {
                // Its key begins with the kind.
                found.sort_by_key(|row| row.text(2).map(str::to_owned).ok());
                expected.sort_by_key(|row| row.text(2).map(str::to_owned).ok());
            }
            assert_eq!(found, expected, "{store} {}", table.name);
        }
        let accepted = db.query("SELECT accepted_at_ms FROM case_ ORDER BY server_seq", &[])?;
        let known = [Value::Null, Value::Int(2_000), Value::Null].map(|v| Row(vec![v]));
        assert_eq!(accepted, known, "{store}: when the clock began follows from what happened");
        let mut tx = Tx::new(db.as_mut());
        assert_eq!(audit::verify(&mut tx, 0, 100)?, Ok(3), "{store}: the chain holds");
        let orphan = "INSERT INTO action (envelope_id, version, kind, body, actor, role, at_ms)
                      VALUES ('nobody', 1, 'k', 'b', 'a', 'r', 1)";
        assert!(db.execute(orphan, &[]).is_err(), "{store}: an action still needs its case");
        let twice = "INSERT INTO envelope SELECT * FROM envelope WHERE server_seq = 1";
        assert!(db.execute(twice, &[]).is_err(), "{store}: an envelope is still there once");
        assert!(db.check()?.is_empty(), "{store}");
    }
    Ok(())
}
