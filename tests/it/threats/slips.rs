//! Slips and receipts: what they prove without a network, and what they tell nobody.
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::document::slip_code::{SlipFacts, slip_code};
use domain::envelope::SignedDocument;
use domain::ids::CaseNo;
use domain::wire::v1::{EnvelopeBatch, EnvelopeUpload};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use sync_server::centre::Centre;
use sync_server::jobs::open_received;
use sync_server::services::slips::{self, Asked, SlipView};
use tests::device::{Device, courier, header_of, now_ms, wait_for_state};
use tests::http::{self, Answer};
use tests::people::{FORM, OWN_PAGE, form};

use tests::server::{CANARIES, Server, command_in};
use tests::visit;

use crate::intake::in_process::enrolled;

/// The last four digits of the courier's phone number.
const PHONE_END: &str = "9000";

/// What the courier handed in.
struct HandedIn {
    device: Device,
    upload: EnvelopeUpload,
    number: CaseNo,
    receipt: SignedDocument,
}

fn hand_in(server: &Server) -> Result<HandedIn> {
    let mut device = Device::enrol(server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    let result = device.send(server, std::slice::from_ref(&upload))?.results.remove(0);
    wait_for_state(&device, server, header.envelope_id, CaseState::Submitted)?;
    let receipt = result.receipt.context("a receipt")?;
    Ok(HandedIn { device, upload, number: header.number.context("a number")?, receipt })
}

impl HandedIn {
    /// The text of the QR code that its terminal shows.
    fn code(&self) -> String {
        let facts = SlipFacts {
            people_url: "https://jinban.example",
            number: &self.number,
            digest: &self.upload.digest,
            terminal: &self.device.enrolled.terminal,
            made_at_ms: 1_795_541_400_000,
        };
        slip_code(&facts, &self.device.key)
    }
}

#[test]
fn t42_slip_and_receipt_prove_without_the_centre_what_was_handed_in_and_when() -> Result<()> {
    let mut server = Server::start()?;
    let handed_in = hand_in(&server)?;
    let (number, token) = (&handed_in.number, handed_in.upload.digest.short());
    let file = server.public_page(&format!("/slips/{number}/receipt?d={token}"))?;
    assert_eq!(file.header("content-disposition").map(|h| h.contains("attachment")), Some(true));
    assert_eq!(file.json::<SignedDocument>()?, handed_in.receipt, "the same that the terminal has");
    assert_eq!(server.public_page(&format!("/slips/{number}/receipt?d=0123456789abcdef"))?.status, 404);
    let away = tempfile::tempdir()?;
    let place = |name: &str| away.path().join(name).display().to_string();
    let keys = server.command(&["verification-keys"])?;
    fs::write(place("keys.json"), &keys.stdout)?;
    server.stop()?;
    // Elsewhere, with nothing but the public keys.
    let verify = |arguments: &[&str]| {
        let keys = place("keys.json");
        command_in(away.path(), &[&["verify-slip", "--json", "--keys", keys.as_str()], arguments].concat())
    };
    let code = handed_in.code();
    let output = verify(&[&code])?;
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((output.status.code(), &said["genuine"]), (Some(0), &true.into()), "{said}");
    assert_eq!(said["terminal"], handed_in.device.enrolled.terminal.as_str());
    assert_eq!((&said["number"], &said["at_ms"]), (&number.as_str().into(), &1_795_541_400_000_i64.into()));
    fs::write(place("receipt.json"), &file.body)?;
    let output = verify(&["--receipt", &place("receipt.json")])?;
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((output.status.code(), &said["genuine"]), (Some(0), &true.into()), "{said}");
    assert_eq!(said["receipt"]["digest"], handed_in.upload.digest.to_string());
    assert_eq!(said["receipt"]["number"], number.as_str());
    // Altered, of another terminal, or something else: each is refused in words.
    let other = code.replace("#T-01.", "#T-02.");
    let page = code.split('#').next().context("the address")?;
    for wrong in [code.replace("XN", "xn").as_str(), &other, page, "hello"] {
        let output = verify(&[wrong])?;
        let said: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(output.status.code() == Some(1) && said["genuine"] == false, "{wrong}: {said}");
    }
    let forged = String::from_utf8(file.body.clone())?.replacen("\"body\":\"e", "\"body\":\"f", 1);
    fs::write(place("receipt.json"), forged)?;
    assert_eq!(verify(&["--receipt", &place("receipt.json")])?.status.code(), Some(1));
    let half = &file.body[..file.body.len() / 2];
    for bytes in [&b""[..], half, b"\xff\xfe", b"[]"] {
        fs::write(place("receipt.json"), bytes)?;
        let output = verify(&["--receipt", &place("receipt.json")])?;
        let said: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(output.status.code() == Some(1) && said["genuine"] == false, "{said}");
    }
    // At the centre the keys are at hand, and the answer is for people.
    let said = String::from_utf8(server.command(&["verify-slip", &code])?.stdout)?;
    ensure!(said.contains("GENUINE slip") && said.contains("T-01") && said.contains("2026-11-25"), "{said}");
    Ok(())
}

#[test]
fn t42_no_altered_byte_of_a_receipt_passes() -> Result<()> {
    use domain::envelope::{KeyRing, SignedKind, verify_document};
    let server = Server::start()?;
    let HandedIn { device, receipt, .. } = hand_in(&server)?;
    let ring = KeyRing::new(device.enrolled.receipt_keys.iter().map(|k| k.key.clone()));
    ensure!(verify_document(SignedKind::Receipt, &receipt, &ring).is_ok());
    let whole = serde_json::to_vec(&receipt)?;
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            let Ok(altered) = serde_json::from_slice::<SignedDocument>(&bytes) else { continue };
            let passes = verify_document(SignedKind::Receipt, &altered, &ring).is_ok();
            ensure!(!passes, "bit {bit} of byte {place}");
        }
    }
    Ok(())
}

#[test]
fn t34_a_slip_left_behind_names_nobody() -> Result<()> {
    let (server, data) = (Server::start()?, tempfile::tempdir()?);
    visit::enrol(&server, data.path())?;
    let mut terminal = visit::start(&visit::config(data.path(), &server.terminals));
    visit::whole(&mut terminal, data.path())?;
    let slip = visit::delivered(&mut terminal)?;
    ensure!(slip.masked_name.contains('*') || slip.masked_name.contains('＊'), "{}", slip.masked_name);
    let address = slip.qr_url.split('#').next().context("an address")?;
    let path = address.strip_prefix(&server.people).context("of the centre")?;
    let page = server.public_page(path)?;
    assert_eq!(page.status, 200, "what the code opens is the case");
    let receipt = server.public_page(&path.replacen("?d=", "/receipt?d=", 1))?;
    let receipt: SignedDocument = receipt.json()?;
    let texts = [slip.qr_url.clone(), page.text(), String::from_utf8(receipt.body.0)?, slip.masked_name];
    for text in texts {
        for canary in CANARIES.iter().copied().chain([visit::PHONE]) {
            ensure!(!text.contains(canary), "{text}");
        }
    }
    Ok(())
}

#[test]
fn t15_log_and_figures_name_nobody_whatever_is_typed_where() -> Result<()> {
    let mut server = Server::start_with(&["--log", "debug"])?;
    let handed_in = hand_in(&server)?;
    assert_eq!(look(&server, "192.0.2.1", handed_in.number.as_str(), PHONE_END)?.status, 200);
    for canary in CANARIES {
        let in_address: String = canary.bytes().map(|b| format!("%{b:02X}")).collect();
        for path in [format!("/slips/{in_address}?d={in_address}"), format!("/verify?number={in_address}")] {
            ensure!(server.public_page(&path)?.status < 500, "{path}");
        }
        assert_eq!(look(&server, "192.0.2.1", canary, canary)?.status, 404);
    }
    let figures = http::get(&server.metrics, "/metrics", &[])?.text();
    ensure!(
        figures.contains("/slips/{number}") && CANARIES.iter().all(|c| !figures.contains(c)),
        "{figures}"
    );
    server.wait_for_log("/verify")?;
    // The end reads the whole log and fails where somebody is named.
    server.stop()
}

/// A word of the page that says that nothing was found.
const NOTHING: &str = "没有查到";

fn look(server: &Server, address: &str, number: &str, proof: &str) -> Result<Answer> {
    let fields = form(&[("number", number), ("proof", proof)]);
    let headers = [FORM, OWN_PAGE, ("x-forwarded-for", address)];
    http::post(&server.people, "/verify", &headers, fields.as_bytes())
}

#[test]
fn t37_wrong_unknown_and_locked_look_the_same() -> Result<()> {
    let server = Server::start_with(&["--people-proxy", "--people-url", "https://jinban.example"])?;
    let handed_in = hand_in(&server)?;
    let (number, token) = (handed_in.number.to_string(), handed_in.upload.digest.short());
    let unknown = "XN26112400100013";
    let grouped = format!("{} {}", &number[..8].to_lowercase(), &number[8..]);
    for (typed, proof) in [
        (number.as_str(), token.as_str()),
        (&grouped, PHONE_END),
        (&number, &token.to_uppercase()),
        (&number, &format!("{}-{}", &token[..8], &token[8..])),
    ] {
        let page = look(&server, "192.0.2.1", typed, proof)?;
        let text = page.text();
        assert_eq!(page.status, 200, "{typed} {text}");
        ensure!(text.contains("已送达中心") && text.contains("灵活就业"), "{text}");
        let link = format!("/slips/{number}/receipt?d={}", proof.replace('-', ""));
        assert_eq!(text.contains(&link), proof != PHONE_END, "{proof} {text}");
        ensure!(CANARIES.iter().all(|canary| !text.contains(canary)), "{text}");
    }
    let blank = |page: &Answer, typed: &str| page.text().replace(typed, "");
    let wrong = look(&server, "192.0.2.2", &number, "0123456789abcdef")?;
    let same = blank(&wrong, &number);
    ensure!(wrong.status == 404 && same.contains(NOTHING), "{same}");
    for (typed, proof) in
        [(unknown, "0123456789abcdef"), (unknown, PHONE_END), ("XN1", ""), (&number, "1234")]
    {
        let page = look(&server, "192.0.2.3", typed, proof)?;
        assert_eq!((page.status, blank(&page, typed)), (404, same.clone()), "{typed} {proof}");
        assert_eq!(page.header("retry-after"), None);
    }
    // Five wrong ends of the phone number from five places, and the right one is not told; the token still is.
    for n in 0..5 {
        assert_eq!(look(&server, &format!("198.51.100.{n}"), &number, "0000")?.status, 404);
    }
    let locked = look(&server, "203.0.113.9", &number, PHONE_END)?;
    assert_eq!((locked.status, blank(&locked, &number)), (404, same.clone()));
    assert_eq!(look(&server, "203.0.113.9", &number, &token)?.status, 200, "whoever holds the slip goes on");
    // Fifty wrong ones from one place, and it hears nothing any more, not even what is right; others do.
    for n in 0..50 {
        look(&server, "203.0.113.77", unknown, &format!("{n:016x}"))?;
    }
    let locked = look(&server, "203.0.113.77", &number, &token)?;
    assert_eq!((locked.status, blank(&locked, &number)), (404, same));
    assert_eq!(look(&server, "203.0.113.78", &number, &token)?.status, 200);
    Ok(())
}

/// A centre without threads and one opened case in it.
fn small_centre() -> Result<(Arc<AtomicI64>, Arc<Centre>, String, String)> {
    let clock = Arc::new(AtomicI64::new(now_ms()));
    let (centre, mut device) = enrolled(&clock)?;
    let upload = device.seal(&courier())?;
    let number = header_of(&upload)?.number.context("a number")?.to_string();
    let token = upload.digest.short();
    centre.take_batch(EnvelopeBatch { envelopes: vec![upload] })?;
    open_received(&centre, &mut ChaCha20Rng::seed_from_u64(2), &AtomicBool::new(false))?;
    Ok((clock, centre, number, token))
}

fn ask(centre: &Arc<Centre>, number: &str, proof: &str) -> Result<Option<SlipView>> {
    let asked = Asked { number: number.to_owned(), proof: proof.to_owned(), address: None };
    let (own, now_ms) = (centre.clone(), centre.now_ms());
    Ok(centre.write(move |tx| slips::ask(tx, now_ms, &own.context().keys, &asked))?)
}

#[test]
fn t37_ten_thousand_guesses_find_nothing() -> Result<()> {
    let (clock, centre, number, token) = small_centre()?;
    // Every end of a phone number there is, over a whole day.
    for n in (0..10_000).filter(|n| format!("{n:04}") != PHONE_END).chain([9_000]) {
        ensure!(ask(&centre, &number, &format!("{n:04}"))?.is_none(), "{n}");
        clock.fetch_add(8_640, Ordering::AcqRel);
    }
    ensure!(ask(&centre, &number, PHONE_END)?.is_none(), "the one that is right is not told meanwhile");
    for n in 0_u64..10_000 {
        ensure!(ask(&centre, &number, &format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))?.is_none());
    }
    ensure!(ask(&centre, &number, &token)?.is_some(), "the token is always good");
    clock.fetch_add(8 * 24 * 3_600_000, Ordering::AcqRel);
    ensure!(ask(&centre, &number, PHONE_END)?.is_some(), "a week later it is forgotten");
    Ok(())
}

/// The moment of refusals: none is answered before it.
const MOMENT: Duration = Duration::from_millis(150);
/// What a machine that does other things too may add to a moment.
const JITTER: Duration = Duration::from_millis(5);

#[test]
fn t37_an_unknown_number_takes_as_long_as_a_wrong_token() -> Result<()> {
    let server = Server::start()?;
    let number = hand_in(&server)?.number.to_string();
    let unknown = "XN26112400100013";
    ensure!(number != unknown);
    for way in ["", "/receipt", "/verify"] {
        alike_in_time(way, |number, n| refused(&server, way, number, n), (&number, unknown))?;
    }
    Ok(())
}

/// One refusal by one of the addresses, and how long it took.
fn refused(server: &Server, way: &str, number: &str, n: u32) -> Result<Duration> {
    let begun = Instant::now();
    let answer = match way {
        "/verify" => look(server, "192.0.2.9", number, &format!("{n:016x}"))?,
        of_slip => server.public_page(&format!("/slips/{number}{of_slip}?d={n:016x}"))?,
    };
    let taken = begun.elapsed();
    assert_eq!(answer.status, 404, "{way}");
    ensure!(taken >= MOMENT, "{way} was answered after {taken:?}");
    Ok(taken)
}

/// Compares the medians of a known and an unknown number: the same within limits, in one round of five, because the
/// machine does other things too.
fn alike_in_time(
    way: &str,
    taken: impl Fn(&str, u32) -> Result<Duration>,
    (known, unknown): (&str, &str),
) -> Result<()> {
    const SAMPLES: u32 = 11;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
        for n in 0..SAMPLES {
            of_known.push(taken(known, n)?);
            of_unknown.push(taken(unknown, n)?);
        }
        of_known.sort();
        of_unknown.sort();
        let middle = SAMPLES as usize / 2;
        let (one, other) = (of_known[middle], of_unknown[middle]);
        let ratio = one.as_secs_f64() / other.as_secs_f64();
        if (0.8..1.25).contains(&ratio) && one.abs_diff(other) < JITTER {
            return Ok(());
        }
        seen.push((one, other));
    }
    anyhow::bail!("{way}: told apart by time: {seen:?}")
}
