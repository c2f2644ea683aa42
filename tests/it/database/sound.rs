//! Settings of PostgreSQL under which an acknowledged submission could be lost: refused, or made good and told.
use anyhow::{Context as _, Result};
use serde_json::Value;
use sync_server::store::Database;
use tests::postgres::{Cluster, fresh_database};
use tests::server::command_in;

fn doctor(address: &str) -> Result<(Option<i32>, Vec<Value>)> {
    let folder = tempfile::tempdir()?;
    let output = command_in(folder.path(), &["doctor", "--json", "--database", address])?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let found = found.as_array().context("a list")?;
    Ok((output.status.code(), found.iter().filter(|f| f["subject"] == "store").cloned().collect()))
}

#[test]
fn a_database_that_would_lose_what_was_answered_is_refused_new_and_old() -> Result<()> {
    for setting in ["fsync", "full_page_writes"] {
        let cluster = Cluster::start_with(&[&format!("{setting}=off")], |_| Ok(()))?;
        let address = cluster.create_database("jinban")?;
        let folder = tempfile::tempdir()?;
        let refused = |arguments: &[&str]| -> Result<()> {
            let output = command_in(folder.path(), arguments)?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(setting), "{arguments:?}: {said}");
            Ok(())
        };
        refused(&["migrate", "--database", &address])?;
        let store: Database = address.parse()?;
        assert!(store.is_new()?, "nothing was begun there");
        let (_, found) = doctor(&address)?;
        assert!(found[0]["found"].as_str().is_some_and(|f| f.contains(setting)), "{found:?}");
        assert!(found[0]["remedy"].as_str().is_some_and(|r| r.contains("postgresql.conf")), "{found:?}");
        // A store that is moved there, and one that was there before the setting was changed.
        let from = fresh_database()?;
        let begun = command_in(folder.path(), &["migrate", "--database", &from])?;
        assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
        refused(&["move-store", "--from", &from, "--to", &address])?;
        sync_server::store::migrate(store.open()?.as_mut(), 1)?;
        refused(&["migrate", "--database", &address])?;
    }
    Ok(())
}

#[test]
fn commits_that_would_not_wait_for_the_disk_wait_all_the_same_and_the_doctor_says_so() -> Result<()> {
    let cluster = Cluster::start_with(&["synchronous_commit=off"], |_| Ok(()))?;
    let address = cluster.create_database("jinban")?;
    let store: Database = address.parse()?;
    let setting = |db: &mut dyn sync_server::store::Driver| -> Result<String> {
        let rows = db.query("SELECT current_setting('synchronous_commit')", &[])?;
        Ok(rows.first().context("a row")?.text(0)?.to_owned())
    };
    assert_eq!(setting(store.open()?.as_mut())?, "on");
    let (_, found) = doctor(&address)?;
    let warned = found.iter().find(|f| f["level"] == "warn").context("a warning")?;
    assert!(warned["found"].as_str().is_some_and(|f| f.contains("synchronous_commit is off")), "{found:?}");
    // More than is needed is left as it is.
    cluster.order_database("jinban", "ALTER DATABASE jinban SET synchronous_commit TO remote_apply")?;
    assert_eq!(setting(store.open()?.as_mut())?, "remote_apply");
    let (_, found) = doctor(&address)?;
    assert!(found.iter().all(|f| f["level"] == "ok"), "{found:?}");
    Ok(())
}
