//! A running centre is moved from SQLite to PostgreSQL, and terminals notice nothing.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::postgres::fresh_database;
use tests::server::{Server, command_in, command_with};

#[test]
fn a_moved_centre_goes_on_where_it_was_and_the_old_store_is_not_used_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::start_in(folder.path())?;
    let mut device = Device::enrol(&server, 1)?;
    let sent = (0..30).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    let receipts: Vec<_> = device.send(&server, &sent)?.results.into_iter().map(|r| r.receipt).collect();
    for upload in &sent {
        wait_for_state(&device, &server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    let news = device.changes(&server, 0, 0)?.changes;
    let (from, to) = (server.database()?.to_string(), fresh_database()?);
    let running = command_in(folder.path(), &["move-store", "--from", &from, "--to", &to])?;
    let said = String::from_utf8_lossy(&running.stderr).into_owned();
    assert!(!running.status.success() && said.contains("another sync-server"), "{said}");
    // Neither from another folder: the store's own one is looked at.
    let elsewhere = tempfile::tempdir()?;
    let running = command_in(elsewhere.path(), &["move-store", "--from", &from, "--to", &to])?;
    let said = String::from_utf8_lossy(&running.stderr).into_owned();
    assert!(!running.status.success() && said.contains("another sync-server"), "{said}");
    server.stop()?;
    let moved = command_in(folder.path(), &["move-store", "--from", &from, "--to", &to, "--json"])?;
    let said = String::from_utf8_lossy(&moved.stderr).into_owned();
    assert!(moved.status.success(), "{said}");
    let moved: serde_json::Value = serde_json::from_slice(&moved.stdout)?;
    assert!(moved["rows"].as_u64().context("rows")? > 300, "{moved}");

    let server = Server::start_on(folder.path(), &to)?;
    let again = device.send(&server, &sent)?;
    for (result, receipt) in again.results.iter().zip(&receipts) {
        assert_eq!((result.outcome, &result.receipt), (Outcome::Duplicate, receipt));
    }
    assert_eq!(device.changes(&server, 0, 0)?.changes, news);
    let one_more = device.seal(&courier())?;
    device.send(&server, std::slice::from_ref(&one_more))?;
    wait_for_state(&device, &server, header_of(&one_more)?.envelope_id, CaseState::Submitted)?;
    server.console()?;
    let doctor = server.command(&["doctor"])?;
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    drop(server);

    let code = vec!["enrol-code", "--station", "XN-CCB-CD-01"];
    for arguments in [vec!["migrate"], code, vec!["move-store", "--from", &from, "--to", &to]] {
        let output = command_in(folder.path(), &arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("was moved to"), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_store_that_does_not_answer_is_named_without_its_password() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let address = "postgresql://clerk:geheim@127.0.0.1:1/x";
    for command in ["migrate", "doctor"] {
        let output = command_in(folder.path(), &[command, "--database", address])?;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success() && said.contains("clerk@127.0.0.1:1"), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
    let nonsense = command_in(folder.path(), &["migrate", "--database", "mysql://h/x"])?;
    assert_eq!(nonsense.status.code(), Some(78));
    Ok(())
}

#[test]
fn a_server_on_a_moved_postgresql_store_writes_no_more() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (from, to) = (fresh_database()?, fresh_database()?);
    let server = Server::start_on(folder.path(), &from)?;
    let mut device = Device::enrol(&server, 1)?;
    let before = device.seal(&courier())?;
    device.send(&server, std::slice::from_ref(&before))?;
    wait_for_state(&device, &server, header_of(&before)?.envelope_id, CaseState::Submitted)?;
    // From another machine, where nobody sees that a server runs.
    let elsewhere = tempfile::tempdir()?;
    let moved = command_in(elsewhere.path(), &["move-store", "--from", &from, "--to", &to])?;
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    let after = device.seal(&courier())?;
    let refused = tests::device::send_raw(&server, std::slice::from_ref(&after))?;
    assert_eq!((refused.status, refused.problem()?.as_str()), (503, "busy"), "it would be left behind");
    drop(server);
    let server = Server::start_on(folder.path(), &to)?;
    let results = device.send(&server, &[before, after])?.results;
    let outcomes: Vec<_> = results.iter().map(|r| r.outcome).collect();
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Accepted]);
    Ok(())
}

#[test]
fn both_addresses_of_a_move_may_stand_where_no_list_of_processes_shows_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let with_password = |address: String| address.replace("jinban@", "jinban:geheim@");
    let (from, to) = (with_password(fresh_database()?), with_password(fresh_database()?));
    drop(Server::start_on(folder.path(), &from)?);
    let nowhere = command_with(folder.path(), &["move-store"], &[("JINBAN_DATABASE", &from)])?;
    let said = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(nowhere.status.code() == Some(78) && said.contains("move_to"), "{said}");
    let sides = [("JINBAN_DATABASE", from.as_str()), ("JINBAN_MOVE_TO", to.as_str())];
    let moved = command_with(folder.path(), &["move-store"], &sides)?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&moved.stdout), String::from_utf8_lossy(&moved.stderr));
    assert!(moved.status.success() && !said.contains("geheim"), "{said}");
    drop(Server::start_on(folder.path(), &to)?);
    let again = command_with(folder.path(), &["move-store"], &sides)?;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("was moved to") && !said.contains("geheim"), "{said}");
    Ok(())
}
