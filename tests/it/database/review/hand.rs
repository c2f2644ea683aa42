//! `sync-server verify`: what a hand changed in a store is told, column by column.
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use sync_server::auth::role::Role;
use sync_server::services::cases::PROJECTED;
use sync_server::services::catalogue::Shelf;
use sync_server::services::refold::{self, Difference};
use sync_server::services::review::Deed;
use sync_server::services::tasks;
use sync_server::store::{Database, Driver, Tx};
use tests::server::command_in;

use super::on_both;
use super::stage::{FIVE_DAYS, Stage, TUESDAY_MS, parallel, person};

/// What is told after a statement that is taken back.
fn told_after(driver: &mut dyn Driver, sql: &str) -> Result<Vec<Difference>> {
    driver.begin()?;
    let told = (|| {
        ensure!(Tx::new(driver).execute(sql, &[])? > 0, "nothing was changed by {sql}");
        Ok(refold::stretch(&mut Tx::new(driver), &Shelf::default(), -1, 100)?.differences)
    })();
    driver.rollback();
    told
}

/// A case of which one unit has a step.
fn case(stage: &mut Stage<'_>) -> Result<()> {
    let id = stage.case(FIVE_DAYS, parallel()?)?;
    stage.click(&person(1, "desk", &[Role::Clerk]), &id, &Deed::Accept)?;
    stage.click(&person(2, "a", &[Role::Reviewer]), &id, &Deed::Take { step: "a".into() })?;
    stage.tick(&id)?;
    Ok(())
}

#[test]
fn every_column_that_a_hand_changed_is_told() -> Result<()> {
    on_both(|stage| {
        case(stage)?;
        let number = |column: &&str| {
            ["version", "due_expected", "standing", "open_"].contains(column) || column.ends_with("_ms")
        };
        let of_case = ["number", "slip_number", "received_at_ms"].into_iter().chain(PROJECTED);
        for column in of_case {
            let value = if number(&column) { "77" } else { "'x'" };
            let told = told_after(&mut *stage.driver, &format!("UPDATE case_ SET {column} = {value}"))?;
            let places: Vec<_> = told.iter().map(|difference| difference.place.as_str()).collect();
            ensure!(places == [format!("case_.{column}")], "{places:?}");
        }
        for column in tasks::PROJECTED.into_iter().skip(2) {
            let value = if number(&column) { "77" } else { "'x'" };
            let sql = format!("UPDATE task SET {column} = {value} WHERE place = 1");
            let told = told_after(&mut *stage.driver, &sql)?;
            let places: Vec<_> = told.iter().map(|difference| difference.place.as_str()).collect();
            ensure!(places == [format!("task 1.{column}")], "{places:?}");
        }
        for (sql, place, stored) in [
            ("DELETE FROM task WHERE place = 2", "task 2", "nothing"),
            (
                "INSERT INTO task (envelope_id, place, step, unit, state, open_, version, since_ms, due_ms)
                 SELECT envelope_id, 3, 'x', 'x', 'ready', 1, 1, 1, 1 FROM case_",
                "task 3",
                "a task",
            ),
            ("DELETE FROM action WHERE version = 2", "action", "version 3 follows where 2 should"),
            (
                "UPDATE action SET body = 'x' WHERE version = 2",
                "action",
                "a stored action cannot be read back",
            ),
            ("UPDATE action SET at_ms = at_ms + 1 WHERE version = 1", "case_.received_at_ms", ""),
            ("DELETE FROM action WHERE version = 4", "case_.version", "4"),
        ] {
            let told = told_after(&mut *stage.driver, sql)?;
            let first = told.iter().find(|difference| difference.place == place).context(sql)?;
            ensure!(stored.is_empty() || first.stored == stored, "{first}");
        }
        Ok(())
    })
}

#[test]
fn the_command_answers_with_its_exit_code_and_a_line_a_difference() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Database::Sqlite(folder.path().join("server.db"));
    let mut driver = store.open()?;
    let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
    for _ in 0..3 {
        case(&mut stage)?;
    }
    let verify = |arguments: &[&str]| command_in(folder.path(), &[&["verify"], arguments].concat());
    let fine = verify(&[])?;
    let said = String::from_utf8(fine.stdout)?;
    ensure!(fine.status.code() == Some(0) && said == "3 cases: each is what its actions say\n", "{said}");
    Tx::new(driver.as_mut()).execute("UPDATE task SET unit = '公安' WHERE place = 1", &[])?;
    let red = verify(&[])?;
    let said = String::from_utf8(red.stdout)?;
    ensure!(red.status.code() == Some(1) && said.lines().count() == 4, "{said}");
    ensure!(said.contains("task 1.unit: \"公安\" is stored, \"a\" follows from the actions"), "{said}");
    ensure!(said.ends_with("3 cases: 3 differences\n"), "{said}");
    let json: Json = serde_json::from_slice(&verify(&["--json"])?.stdout)?;
    ensure!(json["cases"] == 3 && json["differences"] == 3 && json["times_compared"] == true, "{json}");
    ensure!(json["told"][0]["place"] == "task 1.unit" && json["told"][0]["folded"] == "\"a\"", "{json}");
    let sql = "UPDATE case_ SET reason = 'x', outcome = 'x'";
    Tx::new(driver.as_mut()).execute(sql, &[])?;
    let json: Json = serde_json::from_slice(&verify(&["--json"])?.stdout)?;
    ensure!(json["differences"] == 9, "{json}");
    Ok(())
}
