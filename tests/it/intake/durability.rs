//! What was receipted is there after a restart, after `kill -9`, and is read at once; what cannot be read is refused.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::{ChangeNews, Outcome};
use tests::device::{CATALOGUE, Device, courier, header_of, wait_for_state};
use tests::server::{Server, command_in};

#[test]
fn a_restart_keeps_everything_even_the_bytes_of_the_receipt() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let number = header_of(&upload)?.number.context("a number")?;
    let receipt = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0).receipt;
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    let news = device.changes(&server, 0, 0)?;
    let server = server.restart()?;
    let again = device.send(&server, &[upload])?;
    assert_eq!(again.results[0].outcome, Outcome::Duplicate);
    assert_eq!(again.results[0].receipt, receipt);
    assert_eq!(again.contact.server_epoch, device.enrolled.contact.server_epoch);
    assert_eq!(device.changes(&server, 0, 0)?.changes, news.changes);
    assert_eq!(server.page(&format!("/cases/{number}"))?.status, 200);
    Ok(())
}

#[test]
fn a_killed_server_has_every_row_that_it_receipted_and_opens_the_rest() -> Result<()> {
    let mut server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let mut sent = Vec::new();
    for round in 0..5 {
        let uploads = (0..10).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
        let response = device.send(&server, &uploads)?;
        assert!(response.results.iter().all(|r| r.outcome == Outcome::Accepted), "round {round}");
        sent.extend(uploads);
        server = server.kill_and_restart()?;
    }
    for chunk in sent.chunks(50) {
        let replay = device.send(&server, chunk)?;
        assert!(replay.results.iter().all(|r| r.outcome == Outcome::Duplicate));
    }
    for upload in &sent {
        wait_for_state(&device, &server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    server.console()?;
    let doctor = server.command(&["doctor"])?;
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    Ok(())
}

#[test]
fn a_receipted_case_is_on_the_console_at_the_next_look() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    for _ in 0..20 {
        let upload = device.seal(&courier())?;
        let number = header_of(&upload)?.number.context("a number")?;
        device.send(&server, &[upload])?;
        let page = server.page(&format!("/cases/{number}"))?;
        assert_eq!(page.status, 200, "no reader sees an older state");
    }
    Ok(())
}

#[test]
fn news_come_once_in_order_and_wake_who_waits() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let start = device.changes(&server, 0, 0)?;
    assert!(matches!(start.changes[0].news, ChangeNews::Catalogue { version: CATALOGUE, .. }));
    let waiting = {
        let (device, cursor) = (device.clone(), start.cursor);
        let (terminals, people) = (server.terminals.clone(), server.people.clone());
        std::thread::spawn(move || {
            let path = format!("/api/v1/changes?after={cursor}&wait=25");
            signed_get(&device, &terminals, &path).map(|n| (n, people))
        })
    };
    let upload = device.seal(&courier())?;
    let id = header_of(&upload)?.envelope_id;
    device.send(&server, &[upload])?;
    let (woken, _) = waiting.join().expect("the waiting thread ends")?;
    let ChangeNews::Case(first) = &woken.changes[0].news else { panic!("{woken:?}") };
    assert_eq!((first.envelope_id, first.state, first.version), (id, CaseState::Received, 1));
    wait_for_state(&device, &server, id, CaseState::Submitted)?;
    let all = device.changes(&server, start.cursor, 0)?;
    let versions: Vec<_> = all
        .changes
        .iter()
        .filter_map(|c| if let ChangeNews::Case(n) = &c.news { Some(n.version) } else { None })
        .collect();
    assert_eq!(versions, [1, 2]);
    assert!(all.changes.is_sorted_by(|a, b| a.cursor < b.cursor));
    let elsewhere = Device::enrol_with(&server, &server.enrol_code("XN-CCB-CD-02")?, 2)?;
    assert!(elsewhere.changes(&server, start.cursor, 0)?.changes.is_empty(), "not its station");
    let ahead = device.changes(&server, 1_000_000, 0)?;
    assert_eq!(
        (ahead.changes.len(), ahead.cursor),
        (0, all.cursor),
        "a cursor from the future is brought back"
    );
    Ok(())
}

fn signed_get(device: &Device, base: &str, path: &str) -> Result<domain::wire::v1::ChangesResponse> {
    let signature = serde_json::to_value(device.key.sign(&domain::envelope::request_digest("GET", path)))?;
    let headers = [
        ("jinban-terminal", device.enrolled.terminal.as_str()),
        ("jinban-signature", signature.as_str().context("text")?),
    ];
    tests::http::get(base, path, &headers)?.json()
}

#[test]
fn stores_that_do_not_fit_are_refused_with_advice_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("server.db");
    Server::start_in(folder.path())?.stop()?;
    let whole = std::fs::read(&path)?;
    let newer = {
        let db = rusqlite::Connection::open(&path)?;
        db.execute("INSERT INTO schema_version VALUES (999, 'x', 0)", [])?;
        drop(db);
        std::fs::read(&path)?
    };
    let foreign = {
        let other = tempfile::tempdir()?;
        let db = rusqlite::Connection::open(other.path().join("x.db"))?;
        db.execute("CREATE TABLE somebody (n)", [])?;
        drop(db);
        std::fs::read(other.path().join("x.db"))?
    };
    let garbage = b"this is not a database at all, it only lies in its place".repeat(200);
    let table =
        [(newer, "run the newer program"), (foreign, "something else"), (garbage, "restore a backup")];
    for (bytes, advice) in table {
        std::fs::write(&path, &bytes)?;
        for command in
            [vec!["migrate"], vec!["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"]]
        {
            let output = command_in(folder.path(), &command)?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{advice}: {said}");
            assert!(said.contains(advice), "{advice}: {said}");
            assert!(std::fs::read(&path)? == bytes, "{advice}: the file was changed");
        }
        assert_eq!(command_in(folder.path(), &["doctor"])?.status.code(), Some(1));
    }
    std::fs::write(&path, &whole)?;
    std::fs::remove_file(folder.path().join("keys/sealing.key"))?;
    let output =
        command_in(folder.path(), &["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"])?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("key backup"));
    assert!(!folder.path().join("keys/sealing.key").exists(), "no new key was made");
    Ok(())
}

#[test]
fn a_damaged_or_lost_store_is_refused_and_left_as_it_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::start_in(folder.path())?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    server.stop()?;
    let store = folder.path().join("server.db");
    let sound = std::fs::read(&store)?;
    let mut scrambled = sound.clone();
    let half = scrambled.len() / 2;
    scrambled[half..].iter_mut().step_by(3).for_each(|byte| *byte ^= 0x5A);
    let emptied = Some(Vec::new());
    for (what, bytes) in
        [("was not changed", Some(scrambled)), ("there is no store", emptied), ("there is no store", None)]
    {
        match &bytes {
            Some(bytes) => std::fs::write(&store, bytes)?,
            None => std::fs::remove_file(&store)?,
        }
        let output = command_in(folder.path(), &["migrate"])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(what), "{what}: {said}");
        assert_eq!(std::fs::read(&store).ok(), bytes, "{what}: changed");
    }
    std::fs::write(&store, &sound)?;
    let year = std::fs::read_dir(folder.path().join("keys"))?
        .filter_map(Result::ok)
        .find(|e| e.file_name().to_string_lossy().starts_with("year-"))
        .context("a key of the year")?
        .path();
    let key = std::fs::read_to_string(&year)?;
    for (other, advice) in
        [(None, "is gone"), (Some("0".repeat(64)), "is not the one"), (Some("x".into()), "64")]
    {
        match &other {
            None => std::fs::remove_file(&year)?,
            Some(text) => std::fs::write(&year, text)?,
        }
        let output = command_in(folder.path(), &["migrate"])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("year-") && said.contains(advice), "{said}");
        assert_eq!(std::fs::read_to_string(&year).ok(), other, "no new key was made in its place");
    }
    std::fs::write(&year, key)?;
    assert!(command_in(folder.path(), &["migrate"])?.status.success());
    Ok(())
}

#[test]
fn a_second_server_on_the_folder_and_public_pages_are_refused() -> Result<()> {
    let server = Server::start()?;
    let second = server.command(&["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"])?;
    assert_eq!(second.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another sync-server"));
    let other = tempfile::tempdir()?;
    let public = command_in(other.path(), &["serve", "--terminals", "127.0.0.1:0", "--people", "0.0.0.0:0"])?;
    assert!(String::from_utf8_lossy(&public.stderr).contains("loopback"));
    let port = server.terminals.rsplit(':').next().context("a port")?.to_owned();
    let taken = format!("127.0.0.1:{port}");
    let busy = command_in(other.path(), &["serve", "--terminals", &taken, "--people", "127.0.0.1:0"])?;
    assert!(String::from_utf8_lossy(&busy.stderr).contains("--terminals"));
    Ok(())
}

#[test]
fn a_catalogue_that_changed_under_its_version_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Server::start_in(folder.path())?.stop()?;
    let assets = tempfile::tempdir()?;
    copy(&tests::binaries::repository().join("assets/catalogue"), &assets.path().join("catalogue"))?;
    let file = assets.path().join("catalogue/stations.json");
    let text = std::fs::read_to_string(&file)?;
    let name =
        text.split("\"zh\": \"").nth(1).and_then(|t| t.split('"').next()).context("a name")?.to_owned();
    std::fs::write(&file, text.replacen(&name, "换了名字的网点", 1))?;
    let arguments = ["migrate", "--assets", assets.path().to_str().context("UTF-8")?];
    let output = command_in(folder.path(), &arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("a published version never changes"), "{said}");
    std::fs::write(&file, "{")?;
    let output = command_in(folder.path(), &arguments)?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("stations.json"));
    Ok(())
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
