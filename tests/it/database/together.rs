//! Several servers on one database: with one folder of keys they are one centre, with another they are refused.
use anyhow::Result;
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::postgres::fresh_database;
use tests::server::{Server, command_in};

#[test]
fn servers_with_the_same_keys_serve_one_centre() -> Result<()> {
    let address = fresh_database()?;
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let first = Server::start_on(one.path(), &address)?;
    std::os::unix::fs::symlink(one.path().join("keys"), other.path().join("keys"))?;
    let second = Server::start_on(other.path(), &address)?;
    let mut device = Device::enrol(&first, 1)?;
    let uploads = (0..6).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    for (n, server) in [&second, &first, &second].into_iter().enumerate() {
        let results = device.send(server, &uploads[2 * n..2 * n + 2])?.results;
        for result in results {
            assert_eq!(result.outcome, Outcome::Accepted);
            device.verify(&result.receipt.ok_or_else(|| anyhow::anyhow!("a receipt"))?)?;
        }
    }
    let replay = device.send(&first, &uploads)?.results;
    assert!(replay.iter().all(|r| r.outcome == Outcome::Duplicate), "{replay:?}");
    for upload in &uploads {
        wait_for_state(&device, &first, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    assert_eq!(first.number("SELECT MAX(server_seq) FROM envelope")?, 6);
    first.console()?;
    for server in [&first, &second] {
        let doctor = server.command(&["doctor"])?;
        assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    }
    Ok(())
}

#[test]
fn a_server_with_other_keys_or_none_does_not_start_on_a_database_that_knows_its_own() -> Result<()> {
    let address = fresh_database()?;
    let right = tempfile::tempdir()?;
    drop(Server::start_on(right.path(), &address)?);
    let (none, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    drop(Server::start_on(other.path(), &fresh_database()?)?);
    for folder in [&none, &other] {
        let keys = folder.path().join("keys/receipt.key");
        let before = std::fs::read(&keys).ok();
        // Opens the folder just as `serve` does.
        let output = command_in(folder.path(), &["migrate", "--database", &address])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("not those of this store"), "{said}");
        assert_eq!(std::fs::read(&keys).ok(), before, "and no key is made or changed");
    }
    // One that was exchanged is enough: the receipts of a centre are all signed with one key.
    let ours = "not those of this store";
    for (name, words) in [
        ("receipt.key", ours),
        ("sealing.key", ours),
        ("person.key", ours),
        ("authority.key", "than terminals trust"),
    ] {
        let file = right.path().join("keys").join(name);
        let own = std::fs::read(&file)?;
        std::fs::copy(other.path().join("keys").join(name), &file)?;
        let output = command_in(right.path(), &["migrate", "--database", &address])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{name}: {said}");
        std::fs::remove_file(&file)?;
        let output = command_in(right.path(), &["migrate", "--database", &address])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words) && !file.exists(), "{name}: {said}");
        std::fs::write(&file, own)?;
    }
    drop(Server::start_on(right.path(), &address)?);
    Ok(())
}
