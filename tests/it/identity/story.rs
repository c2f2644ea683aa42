//! The real programs over TLS: a technician enrols a terminal, a citizen hands in, the certificate is renewed.
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use domain::enrolment::{Fingerprint, take_apart};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::clock::{Clock, SystemClock};
use terminal::store::{Store, read_status};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::transport::Transport;
use terminal::sync::{Engine, Renewing, Tuning};
use tests::binaries::binary;
use tests::device::{STATION, now_ms};
use tests::server::Server;
use tests::submission::{courier, submit_as};
use tests::tls::authority_of;
use tests::visit;

const DAY_MS: i64 = 24 * 3_600_000;

fn enrol(server: &Server, data: &std::path::Path, code: &str) -> Result<Output> {
    let mut terminal = Command::new(binary("terminal"));
    terminal.args(["enrol", "--server", &server.terminals, "--code", code, "--data"]).arg(data);
    Ok(terminal.output()?)
}

#[test]
fn a_terminal_is_enrolled_by_code_and_fingerprint_and_hands_in_over_tls() -> Result<()> {
    let server = Server::start_secure(&[])?;
    ensure!(server.terminals.starts_with("https://127.0.0.1:"), "{}", server.terminals);
    let data = tempfile::tempdir()?;
    let typed = server.typed_code(STATION)?;
    let (code, centre) = take_apart(&typed).context("a code")?;
    assert_eq!(centre.as_ref(), Some(authority_of(&server)?.fingerprint()));
    let told = server.command(&["authority"])?;
    assert_eq!(Fingerprint::read(String::from_utf8(told.stdout)?.trim()), centre);
    // Without the fingerprint, or with another one, the code is not told to anybody.
    let another = Fingerprint::of(&tests::tls::key(9).public());
    for wrong in [code.clone(), domain::enrolment::typed(&code, &another)] {
        let output = enrol(&server, data.path(), &wrong)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("the link is not safe"), "{said}");
    }
    let output = enrol(&server, data.path(), &typed)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut terminal = visit::start(&visit::config(data.path(), &server.terminals));
    visit::whole(&mut terminal, data.path())?;
    visit::delivered(&mut terminal)?;
    let doctor = Command::new(binary("terminal"))
        .args(["doctor", "--reader", "none", "--server", &server.terminals, "--data"])
        .arg(data.path())
        .output()?;
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("renewed by itself") && said.contains("answers, version"), "{said}");
    Ok(())
}

#[test]
fn a_terminal_of_before_certificates_takes_one_with_a_code_and_stays_who_it_is() -> Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let free = ["--metrics", "127.0.0.1:0"];
    let plain = Server::start_with_default_metrics(folder.path(), &free)?;
    visit::enrol(&plain, data.path())?;
    let before = Store::open(data.path(), now_ms())?.identity()?.context("enrolled")?;
    ensure!(before.certified.is_none());
    drop(plain);
    let server =
        Server::start_with_default_metrics(folder.path(), &[&free[..], &["--terminals-tls=true"]].concat())?;
    visit::enrol(&server, data.path())?;
    let after = Store::open(data.path(), now_ms())?.identity()?.context("enrolled")?;
    ensure!(after.terminal == before.terminal && after.certified.is_some());
    let again = enrol(&server, data.path(), &server.typed_code(STATION)?)?;
    ensure!(String::from_utf8_lossy(&again.stderr).contains("enrolled already"), "{again:?}");
    let mut terminal = visit::start(&visit::config(data.path(), &server.terminals));
    visit::whole(&mut terminal, data.path())?;
    visit::delivered(&mut terminal)?;
    Ok(())
}

#[test]
fn a_terminal_renews_its_certificate_by_itself_also_after_its_end() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let authority = authority_of(&server)?;
    // Two certificates as they would be after a long time: one with less than a third left, one that has ended.
    for issued_ms in [now_ms() - 61 * DAY_MS, now_ms() - 91 * DAY_MS] {
        let mut store = Store::open(data.path(), now_ms())?;
        let terminal = store.identity()?.context("enrolled")?.terminal;
        store.keep_certificate(authority.certify(&terminal, &store.device_key().public(), issued_ms)?)?;
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let id = EnvelopeId::new(now_ms(), &mut rng);
        submit_as(&mut store, courier(), id, now_ms(), &mut rng)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let trust = Trust::of(&mut store, &clock)?;
        let Trust::Pinned(credentials) = &trust else { anyhow::bail!("{trust:?}") };
        ensure!(credentials.is_renewal_due());
        let store = Arc::new(Mutex::new(store));
        let link: Box<dyn Transport> = Box::new(HttpTransport::new(&server.terminals, &trust)?);
        let link = Renewing::new(link, credentials.clone(), store.clone(), clock.clone());
        let mut engine = Engine::new(store.clone(), Box::new(link), clock, 1).with_tuning(Tuning::default());
        engine.step();
        let store = store.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        let said = read_status(data.path(), 1)?.into_iter().next().and_then(|row| row.last_error);
        assert_eq!(
            (store.queue_view()?.waiting, said),
            (0, None),
            "sent over a connection with the new certificate"
        );
        let kept = store.identity()?.and_then(|i| i.certified).context("a certificate")?;
        ensure!(kept.issued_at_ms > issued_ms + 60 * DAY_MS && !credentials.is_renewal_due());
    }
    Ok(())
}
