//! Somebody at the centre changes the audit: edited, reordered and cut-off rows are found, also where the chain was written
//! anew from its beginning.
use std::path::Path;

use anyhow::Result;
use domain::envelope::SignedDocument;
use sync_server::keys::Keys;
use sync_server::services::audit::{self, Event};
use sync_server::services::audit_heads;
use sync_server::store::{Database, Driver, StoreError, in_transaction};
use tests::device::{Device, courier, now_ms};
use tests::server::{Server, command_in};

const DAY_MS: i64 = 86_400_000;

/// A store with a chain, and the head that a terminal keeps of it.
fn lived(data: &Path) -> Result<SignedDocument> {
    let mut server = Server::start_in(data)?;
    let mut device = Device::enrol(&server, 1)?;
    let sent = (0..5).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    device.send(&server, &sent)?;
    server.stop()?;
    let keys = Keys::load(&data.join("keys"))?;
    let mut store = open(data)?;
    let head = in_transaction(store.as_mut(), |tx| {
        audit_heads::sign_today(tx, now_ms() + DAY_MS, &keys)?;
        Ok::<_, sync_server::error::ServiceError>(audit_heads::newest(tx)?)
    })?;
    head.ok_or_else(|| anyhow::anyhow!("a head"))
}

fn open(data: &Path) -> Result<Box<dyn Driver>> {
    Ok(Database::Sqlite(data.join("server.db")).open()?)
}

/// What `verify-audit` says; the exit code tells the same.
fn verified(data: &Path, heads: Option<&Path>) -> Result<Vec<String>> {
    let mut arguments = vec!["verify-audit".to_owned(), "--json".to_owned()];
    arguments.extend(heads.iter().flat_map(|h| ["--heads".to_owned(), h.display().to_string()]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = command_in(data, &arguments)?;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let problems: Vec<String> = serde_json::from_value(found["problems"].clone())?;
    assert_eq!(output.status.code(), Some(if problems.is_empty() { 0 } else { 1 }));
    Ok(problems)
}

/// The rows after the fifth are written anew by somebody who knows how the chain is made.
fn rewrite(data: &Path) -> Result<()> {
    in_transaction(open(data)?.as_mut(), |tx| {
        let last = tx.query_int("SELECT MAX(seq) FROM audit", &[])?;
        tx.execute("DELETE FROM audit WHERE seq > 5", &[])?;
        for n in 5..last + 3 {
            let subject = n.to_string();
            let event = Event { actor: "centre", event: "nothing", subject: &subject, object_digest: "" };
            audit::append(tx, n, event)?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

#[test]
fn t19_an_audit_that_was_edited_reordered_or_cut_off_is_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let heads = folder.path().join("heads.json");
    std::fs::write(&heads, serde_json::to_string(&[lived(&data)?])?)?;
    let whole = std::fs::read(data.join("server.db"))?;
    assert_eq!(verified(&data, Some(&heads))?, Vec::<String>::new());
    let by_the_chain = [
        "UPDATE audit SET actor = 'somebody else' WHERE seq = 4",
        "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET seq = -1 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = -1",
    ];
    for attack in by_the_chain {
        open(&data)?.run_script(attack)?;
        assert!(verified(&data, None)?[0].contains("breaks at row"), "{attack}");
        put_back(&data, &whole)?;
    }
    open(&data)?.run_script("DELETE FROM audit WHERE seq > 5")?;
    assert!(verified(&data, None)?[0].contains("cut off"), "the centre's own heads tell it");
    open(&data)?.run_script("DELETE FROM audit_head")?;
    assert_eq!(
        verified(&data, None)?,
        Vec::<String>::new(),
        "whoever has the whole store tells what he likes"
    );
    assert!(verified(&data, Some(&heads))?[0].contains("cut off"), "and the head of a terminal tells it");
    put_back(&data, &whole)?;
    rewrite(&data)?;
    open(&data)?.run_script("DELETE FROM audit_head")?;
    assert!(verified(&data, Some(&heads))?[0].contains("written anew"));
    put_back(&data, &whole)?;
    let forged = std::fs::read_to_string(&heads)?.replacen("\"signature\":\"", "\"signature\":\"AAAA", 1);
    std::fs::write(&heads, forged)?;
    assert!(verified(&data, Some(&heads))?[0].contains("not signed by this centre"));
    Ok(())
}

fn put_back(data: &Path, whole: &[u8]) -> Result<()> {
    for name in ["server.db-wal", "server.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    Ok(std::fs::write(data.join("server.db"), whole)?)
}
