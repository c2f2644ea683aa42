//! Certificates at the terminals' listener: asked for on every call but enrolment, agreeing with what was signed,
//! revoked with the next request, renewed by the device key.
use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::envelope::{SignedKind, sign_document};
use domain::wire::v1::{
    CertificateRequest, CertificateResponse, CitizenQuery, CitizenRequest, Offer, OfferRequest, Outcome,
    SIGNATURE_HEADER, TERMINAL_HEADER,
};
use rand_core::SeedableRng as _;
use sync_server::authority::{Authority, TERMINAL_DAYS};
use sync_server::services::rollout::Reason;
use sync_server::services::terminal_steps::{self, Step};
use sync_server::store::in_transaction;
use terminal::sync::tls::certificate_request;
use tests::device::{Device, JSON, courier, header_of, now_ms, send_as, set_status, wait_for_state};
use tests::http::{self, Answer};
use tests::server::Server;
use tests::tls::{Caller, authority_of, key};

const DAY_MS: i64 = 24 * 3_600_000;
const CHANGES: &str = "/api/v1/changes?after=0&wait=0";

/// A signed GET of a device, as somebody.
fn get_as(caller: &Caller, server: &Server, device: &Device, path: &str) -> Result<Answer> {
    let signature = device.signature("GET", path)?;
    let headers =
        [(TERMINAL_HEADER, device.enrolled.terminal.as_str()), (SIGNATURE_HEADER, signature.as_str())];
    http::call_as(caller, &server.terminals, ("GET", path), &headers, None)
}

/// The same caller with another certificate.
fn showing(caller: &Caller, certificate: Vec<u8>) -> Caller {
    let shows = caller.shows.as_ref().map(|(key, _)| (key.clone(), certificate));
    Caller { shows, ..caller.clone() }
}

fn renewed(server: &Server, caller: &Caller, request: &CertificateRequest) -> Result<Answer> {
    let body = serde_json::to_vec(request)?;
    http::call_as(caller, &server.terminals, ("POST", "/api/v1/certificate"), &[JSON], Some(&body))
}

#[test]
fn every_call_but_enrolment_needs_the_certificate_of_who_signed() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let mut device = Device::enrol(&server, 1)?;
    let other = Device::enrol(&server, 2)?;
    let (own, others) = (device.caller().context("TLS")?, other.caller().context("TLS")?);
    let nobody = Caller { shows: None, ..own.clone() };
    assert_eq!(get_as(&own, &server, &device, CHANGES)?.status, 200);
    assert_eq!(get_as(&nobody, &server, &device, CHANGES)?.problem()?, "certificate-needed");
    assert_eq!(get_as(&others, &server, &device, CHANGES)?.problem()?, "certificate-mismatch");
    for open in ["/healthz", "/openapi.json"] {
        assert_eq!(
            http::call_as(&nobody, &server.terminals, ("GET", open), &[], None)?.status,
            200,
            "{open}"
        );
    }
    // A batch is answered for each envelope.
    let upload = device.seal(&courier())?;
    let id = header_of(&upload)?.envelope_id;
    let batch = std::slice::from_ref(&upload);
    assert_eq!(send_as(&nobody, &server, batch)?.problem()?, "certificate-needed");
    let results: domain::wire::v1::BatchResponse = send_as(&others, &server, batch)?.json()?;
    let problem = results.results[0].problem.as_ref().context("a problem")?;
    assert_eq!((problem.status, problem.code.as_str()), (403, "certificate-mismatch"));
    assert_eq!(server.number("SELECT COUNT(*) FROM envelope")?, 0, "nothing was kept");
    assert_eq!(device.send(&server, batch)?.results[0].outcome, Outcome::Accepted);
    wait_for_state(&device, &server, id, CaseState::Submitted)?;
    Ok(())
}

#[test]
fn what_is_signed_by_another_terminal_than_the_connection_shows_is_refused_everywhere() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let device = Device::enrol(&server, 1)?;
    let others = Device::enrol(&server, 2)?.caller().context("TLS")?;
    let own = device.caller().context("TLS")?;
    let terminal = device.enrolled.terminal.clone();
    let query = CitizenQuery { terminal: terminal.clone(), applicant: courier().applicant };
    let offer = Offer { terminal, receipts: Vec::new() };
    let query = sign_document(SignedKind::Citizen, serde_json::to_vec(&query)?, &device.key);
    let offer = sign_document(SignedKind::Offer, serde_json::to_vec(&offer)?, &device.key);
    let calls = [
        ("/api/v1/citizen/cases", serde_json::to_vec(&CitizenRequest { query })?),
        ("/api/v1/offers", serde_json::to_vec(&OfferRequest { offer })?),
    ];
    for (path, body) in calls {
        let call = |caller| http::call_as(caller, &server.terminals, ("POST", path), &[JSON], Some(&body));
        assert_eq!(call(&others)?.problem()?, "certificate-mismatch", "{path}");
        let answer = call(&own)?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM audit WHERE event = 'citizen.looked'")?, 1);
    Ok(())
}

#[test]
fn foreign_and_ended_certificates_are_refused_in_the_handshake() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let device = Device::enrol(&server, 1)?;
    let own = device.caller().context("TLS")?;
    let (terminal, public) = (&device.enrolled.terminal, device.key.public());
    let (authority, foreign) = (authority_of(&server)?, Authority::of(&key(99))?);
    let ended_ms = now_ms() - (TERMINAL_DAYS + 1) * DAY_MS;
    let bad = [
        ("foreign", foreign.certify(terminal, &public, now_ms())?),
        ("ended", authority.certify(terminal, &public, ended_ms)?),
        ("not yet", authority.certify(terminal, &public, now_ms() + 30 * DAY_MS)?),
    ];
    for (what, certified) in bad {
        let answer = get_as(&showing(&own, certified.certificate.0), &server, &device, CHANGES);
        assert!(answer.is_err(), "{what}: {answer:?}");
    }
    // A certificate of the listener is none of a terminal.
    let listener = authority.serve_as(&["127.0.0.1".into()], now_ms(), &key(7).to_seed())?;
    let caller = Caller { shows: Some((key(7), listener.chain[0].clone())), ..own.clone() };
    assert!(get_as(&caller, &server, &device, CHANGES).is_err(), "the listener's");
    assert_eq!(get_as(&own, &server, &device, CHANGES)?.status, 200, "and the good one goes on");
    Ok(())
}

#[test]
fn revocation_holds_from_the_next_request_of_an_open_connection() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let mut device = Device::enrol(&server, 1)?;
    let host = server.terminals.strip_prefix("https://").context("https")?.to_owned();
    let mut stream = device.caller().context("TLS")?.connect(&host)?;
    let signature = device.signature("GET", CHANGES)?;
    let headers =
        [(TERMINAL_HEADER, device.enrolled.terminal.as_str()), (SIGNATURE_HEADER, signature.as_str())];
    let mut ask = || http::call_on(&mut stream, &host, ("GET", CHANGES), (&headers, None));
    assert_eq!(ask()?.status, 200);
    assert_eq!(ask()?.status, 200, "the same connection");
    set_status(&server, &device, "blocked")?;
    assert_eq!(ask()?.problem()?, "terminal-blocked");
    set_status(&server, &device, "active")?;
    assert_eq!(ask()?.status, 200, "and the other way round");
    set_status(&server, &device, "blocked")?;
    let upload = device.seal(&courier())?;
    let result = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
    assert_eq!(result.problem.context("a problem")?.code, "terminal-blocked");
    assert_eq!(server.number("SELECT COUNT(*) FROM envelope")?, 0);
    Ok(())
}

#[test]
fn the_device_key_renews_a_certificate_also_after_its_end() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let device = Device::enrol(&server, 1)?;
    let own = device.caller().context("TLS")?;
    let nobody = Caller { shows: None, ..own.clone() };
    let terminal = device.enrolled.terminal.clone();
    let request = CertificateRequest { terminal: terminal.clone(), csr: certificate_request(&device.key)? };
    for caller in [&own, &nobody] {
        let answer: CertificateResponse = renewed(&server, caller, &request)?.json()?;
        let certified = answer.certified;
        ensure!(certified.expires_at_ms - certified.issued_at_ms == TERMINAL_DAYS * DAY_MS);
        ensure!(certified.authority.0 == own.authority);
        let again = showing(&own, certified.certificate.0);
        assert_eq!(get_as(&again, &server, &device, CHANGES)?.status, 200);
    }
    let strange = CertificateRequest { csr: certificate_request(&key(5))?, ..request.clone() };
    assert_eq!(renewed(&server, &nobody, &strange)?.problem()?, "certificate-request-malformed");
    let mut altered = request.clone();
    if let Some(last) = altered.csr.0.last_mut() {
        *last ^= 1;
    }
    assert_eq!(renewed(&server, &nobody, &altered)?.problem()?, "certificate-request-malformed");
    let unknown = CertificateRequest { terminal: "T-77".parse()?, ..request.clone() };
    assert_eq!(renewed(&server, &nobody, &unknown)?.problem()?, "terminal-unknown");
    set_status(&server, &device, "blocked")?;
    assert_eq!(renewed(&server, &nobody, &request)?.problem()?, "terminal-blocked");
    let until = server.number("SELECT certificate_until_ms FROM terminal")?;
    assert!(until > now_ms() + (TERMINAL_DAYS - 1) * DAY_MS, "{until}");
    Ok(())
}

#[test]
fn t05_two_clones_with_one_certificate_are_found_and_quarantined() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let mut original = Device::enrol(&server, 1)?;
    let before = original.seal(&courier())?;
    original.send(&server, std::slice::from_ref(&before))?;
    wait_for_state(&original, &server, header_of(&before)?.envelope_id, CaseState::Submitted)?;
    // A copy of the disk has the key and the certificate, and lives on by itself.
    let mut clone = original.clone();
    clone.reseed(77);
    for device in [&mut original, &mut clone] {
        let upload = device.seal(&courier())?;
        let result = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
        assert_eq!(result.outcome, Outcome::Accepted, "what a citizen gave is kept in any case");
        assert!(result.receipt.is_some());
    }
    let quarantined = "SELECT COUNT(*) FROM case_ WHERE state = 'quarantined'";
    assert_eq!(server.number(quarantined)?, 2, "at the first sync of the second one");
    assert_eq!(server.number("SELECT COUNT(*) FROM alarm WHERE kind = 'series.fork'")?, 1);
    let forked = "SELECT COUNT(*) FROM series WHERE state = 'forked'";
    assert_eq!(server.number(forked)?, 1);

    // The clone hears how far its series was seen and begins another one: that is no way out for either of them.
    clone.begin_lineage();
    for round in 1..=3 {
        for device in [&mut original, &mut clone] {
            let upload = device.seal(&courier())?;
            device.send(&server, std::slice::from_ref(&upload))?;
        }
        assert_eq!(server.number(quarantined)?, 2 + 2 * round, "round {round}");
    }
    assert_eq!(server.number(forked)?, 2);

    // Somebody has found the real one, and takes it into service again.
    set_status(&server, &original, "blocked")?;
    let mut store = server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        let whom = (&original.enrolled.terminal, &Reason::typed("the copy was found").expect("a reason"));
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        terminal_steps::take(tx, now_ms(), ("operator", Step::Unblock), whom, &mut rng)
    })?;
    let upload = clone.seal(&courier())?;
    clone.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&clone, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    assert_eq!(server.number(forked)?, 0);
    let upload = original.seal(&courier())?;
    original.send(&server, std::slice::from_ref(&upload))?;
    assert_eq!(server.number(forked)?, 2, "and if both still speak, both wait again");
    assert_eq!(server.number("SELECT COUNT(*) FROM alarm WHERE kind = 'series.two-lineages'")?, 1);
    Ok(())
}
