//! The centre's folder is deleted in the middle of a run and restored from a backup: terminals offer what it lacks, and
//! what nobody has any more is said plainly.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::clock::SystemClock;
use terminal::store::{StatusRow, Store, read_audit_heads, read_status};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::{Engine, Tuning, enrol};
use tests::device::{JSON, STATION, now_ms};
use tests::http;
use tests::server::Server;
use tests::submission::{COURIER_ID, courier, submit_as};

use super::{PATIENCE, Safe, answer, copy_keys, envelopes};

/// A terminal without a window.
struct Terminal {
    folder: tempfile::TempDir,
    store: Arc<Mutex<Store>>,
    rng: ChaCha20Rng,
}

impl Terminal {
    fn enrol(server: &Server) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut store = Store::open(folder.path(), now_ms())?;
        let code = server.enrol_code(STATION)?;
        enrol(&mut store, &mut HttpTransport::new(&server.terminals, &Trust::Nobody)?, &code)?;
        Ok(Self { folder, store: Arc::new(Mutex::new(store)), rng: ChaCha20Rng::seed_from_u64(4) })
    }

    fn submit(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let id = EnvelopeId::new(now_ms(), &mut self.rng);
            let mut store = self.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?;
            submit_as(&mut store, courier(), id, now_ms(), &mut self.rng)?;
        }
        Ok(())
    }

    fn rows(&self) -> Result<Vec<StatusRow>> {
        Ok(read_status(self.folder.path(), 1_000)?)
    }

    /// Talks to a server until this holds.
    fn talk(&self, server: &Server, mut until: impl FnMut(&[StatusRow]) -> bool) -> Result<()> {
        let transport = Box::new(HttpTransport::new(&server.terminals, &Trust::Nobody)?);
        let tuning = Tuning { news_every_ms: 50, beat_every_ms: 100, ..Tuning::default() };
        let mut engine =
            Engine::new(Arc::clone(&self.store), transport, Arc::new(SystemClock), 7).with_tuning(tuning);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let step = engine.step();
            if until(&self.rows()?) {
                return Ok(());
            }
            std::thread::park_timeout(std::time::Duration::from_millis(step.wait_ms.min(20)));
        }
        anyhow::bail!("it never came to that: {:?}", self.rows()?)
    }

    fn settle(&self, server: &Server) -> Result<()> {
        self.talk(server, |_| {
            let store = self.store.lock();
            store.is_ok_and(|s| s.queue_view().is_ok_and(|q| q.waiting == 0))
        })
    }

    fn ids(&self) -> Result<BTreeSet<(String, String)>> {
        Ok(self.rows()?.into_iter().map(|r| (r.envelope_id, r.digest)).collect())
    }
}

/// A centre whose folder is deleted while it runs; gives its keys, as whoever keeps the key backup has them.
fn lose(mut server: Server, data: &Path) -> Result<tempfile::TempDir> {
    let keys = tempfile::tempdir()?;
    copy_keys(data, keys.path())?;
    server.kill()?;
    std::fs::remove_dir_all(data)?;
    Ok(keys)
}

fn restored(safe: &Safe, file: &Path, keys: &Path, to: &Path) -> Result<Server> {
    copy_keys(keys, to)?;
    answer(to, None, &["restore", "--from", file.to_str().context("a path")?, "--key", &safe.key])?;
    Server::start_in(to)
}

/// Two in the first backup, four in the second, all four erased at the terminal, and three that came later.
fn lived(data: &Path) -> Result<(Server, Terminal, Safe, [PathBuf; 2])> {
    let server = Server::start_in(data)?;
    let mut terminal = Terminal::enrol(&server)?;
    let safe = Safe::of(&server)?;
    let mut files = Vec::new();
    for round in 1..=2 {
        terminal.submit(2)?;
        terminal.settle(&server)?;
        ensure!(
            terminal.rows()?.iter().filter(|r| !r.content_erased).count() == 2,
            "a receipt alone erases nothing"
        );
        let (file, upto) = safe.back_up(&server)?;
        assert_eq!(upto, 2 * round);
        files.push(file);
        terminal.talk(&server, |rows| rows.iter().all(|r| r.content_erased))?;
    }
    terminal.submit(3)?;
    terminal.settle(&server)?;
    let files = files.try_into().map_err(|_| anyhow::anyhow!("two files"))?;
    Ok((server, terminal, safe, files))
}

#[test]
fn a_centre_restored_from_its_newest_backup_lacks_nothing_in_the_end() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, terminal, safe, [_, newest]) = lived(&data)?;
    let keys = lose(server, &data)?;
    let server = restored(&safe, &newest, keys.path(), &folder.path().join("new"))?;
    assert_eq!(envelopes(&server.database()?)?.len(), 4);
    terminal.settle(&server)?;
    terminal.talk(&server, |rows| rows.iter().all(|r| r.state == "delivered" && r.delivered_ms.is_some()))?;
    assert_eq!(envelopes(&server.database()?)?, terminal.ids()?, "the same set at both ends");
    assert_eq!(server.number("SELECT COUNT(*) FROM lost_submission")?, 0);
    assert!(terminal.rows()?.iter().all(|r| r.gone_ms.is_none()));
    // What the old centre said to be durable counts no more: the three have other places now.
    assert_eq!(terminal.rows()?.iter().filter(|r| r.content_erased).count(), 4);
    safe.back_up(&server)?;
    terminal.talk(&server, |rows| rows.iter().all(|r| r.content_erased))?;
    Ok(())
}

#[test]
fn what_nobody_has_any_more_is_said_at_both_ends() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, terminal, safe, [oldest, _]) = lived(&data)?;
    let keys = lose(server, &data)?;
    let server = restored(&safe, &oldest, keys.path(), &folder.path().join("new"))?;
    terminal.talk(&server, |rows| rows.iter().filter(|r| r.gone_ms.is_some()).count() == 2)?;
    terminal.settle(&server)?;
    let there = envelopes(&server.database()?)?;
    assert_eq!(there.len(), 5, "two of the backup, three sent again");
    let gone: Vec<_> = terminal.rows()?.into_iter().filter(|r| r.gone_ms.is_some()).collect();
    for row in &gone {
        assert!(!there.contains(&(row.envelope_id.clone(), row.digest.clone())));
        assert_eq!((row.delivered_ms, row.case_state.as_deref()), (None, None), "nothing is claimed of it");
        assert!(row.receipt.is_some(), "the receipt is all that is left");
    }
    let lost =
        server.rows("SELECT envelope_id, number FROM lost_submission ORDER BY envelope_id LIMIT 10", &[])?;
    let mut ids: Vec<_> = gone.iter().map(|r| r.envelope_id.clone()).collect();
    ids.sort();
    assert_eq!(lost.iter().map(|r| r.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?, ids);
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'submission.lost'";
    assert_eq!(server.number(alarms)?, 2);
    let slips = terminal.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?.my_slips(COURIER_ID)?;
    assert_eq!(slips.iter().filter(|s| s.marks.delivered_ms.is_none()).count(), 2);
    // Once more changes nothing.
    terminal.settle(&server)?;
    assert_eq!((server.number(alarms)?, envelopes(&server.database()?)?), (2, there));
    Ok(())
}

#[test]
fn a_terminal_keeps_the_heads_of_the_audit_chain() -> Result<()> {
    let server = Server::start_in(&tempfile::tempdir()?.keep())?;
    let mut terminal = Terminal::enrol(&server)?;
    terminal.submit(1)?;
    terminal.settle(&server)?;
    // The head of today was signed at the start if there was a row by then, else it is signed at the next start.
    let server = server.restart()?;
    terminal
        .talk(&server, |_| read_audit_heads(terminal.folder.path()).is_ok_and(|heads| !heads.is_empty()))?;
    let heads = terminal.folder.path().join("heads.json");
    std::fs::write(&heads, serde_json::to_string(&read_audit_heads(terminal.folder.path())?)?)?;
    let found = answer(server.data(), None, &["verify-audit", "--heads", heads.to_str().context("a path")?])?;
    assert_eq!((&found["heads"], &found["problems"]), (&2.into(), &serde_json::json!([])), "{found}");
    let data = server.data().to_owned();
    drop(server);
    Ok(std::fs::remove_dir_all(data)?)
}

#[test]
fn bytes_that_are_no_offer_are_refused_and_change_nothing() -> Result<()> {
    let server = Server::start()?;
    for body in ["e30=", "", "bm90IEpTT04="] {
        let sent =
            serde_json::json!({ "offer": { "body": body, "key_id": "0".repeat(16), "signature": "AAAA" } });
        let sent = serde_json::to_vec(&sent)?;
        let answer = http::post(&server.terminals, "/api/v1/offers", &[JSON], &sent)?;
        ensure!(answer.status == 400, "{body}: {} {}", answer.status, answer.text());
    }
    ensure!(server.number("SELECT COUNT(*) FROM lost_submission")? == 0, "nothing is noted");
    Ok(())
}
