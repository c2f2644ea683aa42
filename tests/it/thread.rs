//! The thread: a citizen's case from the card to the centre, on the real server, with a headless terminal.
use std::fs;
use std::process::Command as Process;

use anyhow::{Context as _, Result, ensure};
use domain::envelope::{KeyRing, SignedDocument, SignedKind, verify_document};
use domain::wire::v1::{ReceiptBody, SlipBody};
use serde_json::Value;
use terminal::command::Command;
use terminal::config::Config;
use terminal::model::{CardStep, Outage, Screen, TextSize};
use terminal::store::{DATABASE_FILE, Store, read_status};
use tests::binaries::{binary, repository};
use tests::device::now_ms;
use tests::link::{Link, State};
use tests::server::Server;
use tests::visit::{self, PATIENCE};

fn cases_on_console(server: &Server, number: &str) -> Result<usize> {
    let page = server.page("/cases")?;
    ensure!(page.status == 200, "status {}", page.status);
    let text = String::from_utf8_lossy(&page.body).into_owned();
    Ok(text.matches(&format!("/cases/{number}\"")).count())
}

/// Rig: server, enrolled terminal folder, and a link that is down.
fn rig() -> Result<(Server, tempfile::TempDir, Link, Config)> {
    let server = Server::start_secure(&[])?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let link = Link::new()?;
    let config = visit::config(data.path(), &link.secure_url());
    Ok((server, data, link, config))
}

#[test]
fn a_submission_made_without_a_network_arrives_once_and_its_receipt_comes_home() -> Result<()> {
    let (server, data, link, config) = rig()?;
    let mut terminal = visit::start(&config);
    let slip = visit::whole(&mut terminal, data.path())?;
    assert_eq!((slip.marks.saved_ms.is_some(), slip.marks.delivered_ms), (true, None));
    assert_eq!(cases_on_console(&server, slip.number.as_str())?, 0);

    let server = server.restart()?;
    link.set(State::Up, &server.terminals)?;
    let delivered = visit::delivered(&mut terminal)?;
    assert_eq!((delivered.number, delivered.marks.accepted_ms), (slip.number.clone(), None));
    drop(terminal);

    let row = read_status(data.path(), 10)?.into_iter().next().context("a row")?;
    let store = Store::open(data.path(), now_ms())?;
    let ring = store.identity()?.context("identity")?.receipt_ring();
    let receipt: ReceiptBody = serde_json::from_slice(verify_document(
        SignedKind::Receipt,
        &row.receipt.context("receipt")?,
        &ring,
    )?)?;
    let own = KeyRing::new([store.device_key().public()]);
    let paper: SlipBody =
        serde_json::from_slice(verify_document(SignedKind::Slip, &row.slip.context("slip")?, &own)?)?;
    assert_eq!((receipt.digest, receipt.envelope_id), (paper.digest, paper.envelope_id));
    assert_eq!(cases_on_console(&server, slip.number.as_str())?, 1);
    let case = server.page(&format!("/cases/{}", slip.number))?;
    assert!(String::from_utf8_lossy(&case.body).contains(&paper.digest.to_string()));
    Ok(())
}

#[test]
fn replies_lost_after_the_commit_still_make_one_case() -> Result<()> {
    let (server, data, link, config) = rig()?;
    link.set(State::LosesReplies, &server.terminals)?;
    let mut terminal = visit::start(&config);
    let slip = visit::whole(&mut terminal, data.path())?;
    let lost = terminal.wait_until(PATIENCE, |_| link.lost() >= 5);
    assert!(lost, "the link lost only {}", link.lost());
    link.set(State::Up, &server.terminals)?;
    visit::delivered(&mut terminal)?;
    assert_eq!(cases_on_console(&server, slip.number.as_str())?, 1);
    Ok(())
}

#[test]
fn nothing_of_the_citizen_lies_on_the_disk_in_clear_and_nothing_stays_after_the_end() -> Result<()> {
    let (_server, data, _link, config) = rig()?;
    let mut terminal = visit::start(&config);
    visit::whole(&mut terminal, data.path())?;
    visit::lift(data.path())?;
    let address = "样例路";
    for entry in fs::read_dir(data.path())? {
        let bytes = fs::read(entry?.path())?;
        for secret in [visit::PHONE, "639900199005201035", "样小川", address] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
        }
    }
    terminal.command(Command::Finish);
    assert_eq!(
        (terminal.model().screen.clone(), terminal.model().session.is_none()),
        (Screen::Attract, true)
    );
    Ok(())
}

#[test]
fn a_terminal_started_again_still_has_and_sends_what_it_gave_a_number() -> Result<()> {
    let (server, data, link, config) = rig()?;
    let mut terminal = visit::start(&config);
    let slip = visit::whole(&mut terminal, data.path())?;
    drop(terminal);
    let mut terminal = visit::start(&config);
    assert_eq!(terminal.model().screen, Screen::Attract);
    link.set(State::Up, &server.terminals)?;
    let sent = terminal
        .wait_until(PATIENCE, |m| m.queue.waiting == 0 && m.network == terminal::model::Network::Online);
    assert!(sent);
    // The card still lies there: lift it and lay it down to see the own cases.
    visit::lift(data.path())?;
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::MyCases);
    visit::lay(data.path(), "courier")?;
    terminal.wait_until(PATIENCE, |m| m.session.as_ref().is_some_and(|s| s.card == CardStep::Done));
    if terminal.model().screen == Screen::Card {
        terminal.command(Command::Continue);
    }
    let shown = terminal.wait_until(PATIENCE, |m| {
        let cases = m.session.as_ref().and_then(|s| s.cases.as_ref());
        cases.is_some_and(|c| c.len() == 1 && c[0].marks.delivered_ms.is_some())
    });
    assert!(shown);
    let cases = terminal.model().session.as_ref().and_then(|s| s.cases.clone()).unwrap_or_default();
    assert_eq!(cases[0].number, slip.number);
    Ok(())
}

#[test]
fn another_card_ends_the_visit() -> Result<()> {
    let (_server, data, _link, config) = rig()?;
    let mut terminal = visit::start(&config);
    visit::search(&mut terminal)?;
    visit::identify(&mut terminal, data.path())?;
    terminal.command(Command::Answer { key: "phone".to_owned(), value: visit::PHONE.into() });
    visit::lay(data.path(), "elder")?;
    let ended = terminal.wait_until(PATIENCE, |m| {
        m.session.as_ref().and_then(|s| s.applicant.as_ref()).is_some_and(|a| a.id_number.ends_with("0015"))
    });
    assert!(ended);
    let session = terminal.model().session.as_ref().context("the new visit")?;
    assert!(session.answers.as_map().is_empty() && session.item.is_none());
    Ok(())
}

#[test]
fn an_expired_card_and_a_broken_card_say_so() -> Result<()> {
    let (_server, data, _link, config) = rig()?;
    let mut terminal = visit::start(&config);
    visit::search(&mut terminal)?;
    visit::begin(&mut terminal)?;
    visit::lay(data.path(), "expired")?;
    let step = |m: &terminal::model::Model| m.session.as_ref().map(|s| s.card);
    assert!(terminal.wait_until(PATIENCE, |m| step(m) == Some(CardStep::Expired)));
    fs::write(visit::card_file(data.path()), "this is no card")?;
    assert!(terminal.wait_until(PATIENCE, |m| matches!(step(m), Some(CardStep::Failed(_)))));
    assert_eq!(terminal.model().screen, Screen::Card);
    Ok(())
}

#[test]
fn an_unusable_store_is_put_aside_untouched_and_the_terminal_says_what_it_needs() -> Result<()> {
    let data = tempfile::tempdir()?;
    let file = data.path().join(DATABASE_FILE);
    fs::write(&file, b"not a database at all".repeat(200))?;
    let before = fs::read(&file)?;
    let mut terminal = visit::start(&visit::config(data.path(), "http://127.0.0.1:9"));
    assert_eq!(terminal.model().outage, Some(Outage::NotEnrolled), "nothing could be read of who it is");
    terminal.command(Command::Start(TextSize::Normal));
    assert_eq!(terminal.model().screen, Screen::OutOfService);
    drop(terminal);
    let aside =
        fs::read_dir(data.path())?.flatten().map(|e| e.path().join(DATABASE_FILE)).find(|f| f.exists());
    assert_eq!(fs::read(aside.expect("a folder with it"))?, before);
    let fresh = tempfile::tempdir()?;
    let terminal = visit::start(&visit::config(fresh.path(), "http://127.0.0.1:9"));
    assert_eq!(terminal.model().outage, Some(Outage::NotEnrolled));
    Ok(())
}

#[test]
fn the_program_enrols_once_and_tells_its_queue() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let data = tempfile::tempdir()?;
    visit::enrol(&server, data.path())?;
    let run = |arguments: &[&str]| {
        Process::new(binary("terminal"))
            .args(arguments)
            .arg("--data")
            .arg(data.path())
            .arg("--assets")
            .arg(repository().join("assets"))
            .output()
    };
    let code = server.typed_code(tests::device::STATION)?;
    let again = run(&["enrol", "--server", &server.terminals, "--code", &code])?;
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("enrolled already"));
    let status = run(&["status", "--json"])?;
    let status: Value = serde_json::from_slice(&status.stdout)?;
    assert_eq!((status["waiting"].as_u64(), status["rows"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let doctor = run(&["doctor", "--json", "--reader", "none", "--server", &server.terminals])?;
    let findings: Vec<Value> = serde_json::from_slice(&doctor.stdout)?;
    assert!(findings.iter().any(|f| f["subject"] == "server" && f["level"] == "ok"), "{findings:?}");
    let wrong = run(&["status", "--reader", "usb"])?;
    assert_eq!(wrong.status.code(), Some(78));
    Ok(())
}

#[test]
fn a_document_of_nobody_is_no_receipt() {
    let stranger = domain::envelope::DeviceKey::from_seed([77; 32]);
    let forged: SignedDocument =
        domain::envelope::sign_document(SignedKind::Receipt, b"{}".to_vec(), &stranger);
    let dir = tempfile::tempdir().expect("dir");
    let mut store = Store::open(dir.path(), 0).expect("store");
    store.save_enrolment(&tests::centre::Centre::default().enrolment().expect("sample")).expect("enrol");
    assert!(store.take_receipt(&domain::envelope::Digest::of(b"x"), &forged, 0).is_err());
}
