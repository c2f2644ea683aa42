//! A branch's network that lies: nothing that a citizen gave, and no code, goes to anybody but the centre.
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use domain::enrolment::typed;
use domain::envelope::DeviceKey;
use domain::wire::v1::Certified;
use sync_server::authority::{Authority, SERVER_DAYS, ServerCertificate};
use terminal::clock::SystemClock;
use terminal::store::Store;
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::{CentreTime, Credentials, Trouble, Trust};
use terminal::sync::transport::{Method, Request, Response, Transport as _, TransportError};
use terminal::sync::{EnrolError, enrol};
use tests::binaries::binary;
use tests::device::now_ms;
use tests::tls::{Answer, Stranger, key};

const DAY_MS: i64 = 24 * 3_600_000;
/// What a body holds; none of it may be heard.
const CANARY: &[u8] = b"{\"name\":\"canary of the body\"}";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nlogin";
const ELSEWHERE: &[u8] = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";

fn authority(seed: u64) -> Result<Authority> {
    Ok(Authority::of(&key(seed))?)
}

fn listener(authority: &Authority, name: &str, now_ms: i64) -> Result<Arc<ServerCertificate>> {
    let seed = key(1_000).to_seed();
    Ok(Arc::new(authority.serve_as(&[name.to_owned()], now_ms, &seed)?))
}

fn certified(authority: &Authority, device: &DeviceKey) -> Result<Certified> {
    Ok(authority.certify(&"T-01".parse()?, &device.public(), now_ms())?)
}

/// Trust in a centre by an enrolled terminal.
fn pinned(authority: &Authority) -> Result<Trust> {
    let device = key(2);
    let time = CentreTime::of_machine(Arc::new(SystemClock));
    Ok(Trust::Pinned(Credentials::new(certified(authority, &device)?, Arc::new(device), time)))
}

/// Sends a body to somebody; gives the answer and what was heard in clear.
fn send(trust: &Trust, scheme: &str, answer: Answer) -> Result<(Result<Response, TransportError>, Vec<u8>)> {
    let stranger = Stranger::start(answer)?;
    let link = HttpTransport::new(&format!("{scheme}://127.0.0.1:{}", stranger.port()), trust);
    let request = Request {
        method: Method::Post,
        path_and_query: "/api/v1/envelopes".to_owned(),
        headers: Vec::new(),
        body: Some(CANARY.to_vec()),
    };
    let answer = link.and_then(|mut link| link.exchange(&request));
    Ok((answer, stranger.heard()))
}

fn holds(heard: &[u8], words: &[u8]) -> bool {
    heard.windows(words.len()).any(|part| part == words)
}

#[test]
fn t06_nothing_is_sent_to_a_stranger() -> Result<()> {
    let (ours, foreign) = (authority(1)?, authority(9)?);
    let trust = pinned(&ours)?;
    let ended_ms = now_ms() - (SERVER_DAYS + 2) * DAY_MS;
    let as_terminal = certified(&ours, &key(1_000))?;
    let terminals_own = ServerCertificate {
        chain: vec![as_terminal.certificate.0, ours.certificate().to_vec()],
        key: key(1_000).to_pkcs8(),
        renew_at_ms: i64::MAX,
    };
    let table = [
        (
            "a foreign authority",
            "https",
            Answer::Tls(listener(&foreign, "127.0.0.1", now_ms())?, PAGE),
            Trouble::Foreign,
        ),
        ("ended", "https", Answer::Tls(listener(&ours, "127.0.0.1", ended_ms)?, PAGE), Trouble::Expired),
        (
            "another name",
            "https",
            Answer::Tls(listener(&ours, "192.0.2.7", now_ms())?, PAGE),
            Trouble::OtherName,
        ),
        ("a terminal as centre", "https", Answer::Tls(Arc::new(terminals_own), PAGE), Trouble::Foreign),
        ("a captive portal", "https", Answer::Plain(PAGE), Trouble::NoTls),
        ("a redirect in clear", "https", Answer::Plain(ELSEWHERE), Trouble::NoTls),
    ];
    for (what, scheme, answer, trouble) in table {
        let (answer, heard) = send(&trust, scheme, answer)?;
        assert_eq!(answer, Err(TransportError::Untrusted(trouble)), "{what}");
        for words in [CANARY, b"POST".as_slice(), b"canary", b"api/v1"] {
            assert!(!holds(&heard, words), "{what} heard {}", String::from_utf8_lossy(&heard));
        }
    }
    // Plain HTTP is not even dialled once a centre is known, on this machine as well.
    let (answer, heard) = send(&trust, "http", Answer::Plain(PAGE))?;
    assert_eq!((answer, heard), (Err(TransportError::NotSecure), Vec::new()));
    Ok(())
}

#[test]
fn t06_a_redirect_of_the_centre_itself_is_not_followed() -> Result<()> {
    let ours = authority(1)?;
    let other = Stranger::start(Answer::Plain(PAGE))?;
    let to_other = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
        other.port()
    );
    let answer: &'static [u8] = Box::leak(to_other.into_bytes().into_boxed_slice());
    let (answer, heard) =
        send(&pinned(&ours)?, "https", Answer::Tls(listener(&ours, "127.0.0.1", now_ms())?, answer))?;
    assert_eq!(answer.map(|a| a.status), Ok(307));
    assert!(holds(&heard, CANARY), "the centre heard it");
    assert_eq!(other.heard(), Vec::<u8>::new(), "and nobody else");
    Ok(())
}

#[test]
fn t06_a_code_is_told_only_to_the_centre_whose_fingerprint_came_with_it() -> Result<()> {
    let (ours, foreign) = (authority(1)?, authority(9)?);
    let folder = tempfile::tempdir()?;
    let mut store = Store::open(folder.path(), now_ms())?;
    let code = typed("EFTF-MWHF-G75T", ours.fingerprint());
    let table = [
        Answer::Tls(listener(&foreign, "127.0.0.1", now_ms())?, PAGE),
        Answer::Tls(listener(&ours, "192.0.2.7", now_ms())?, PAGE),
        Answer::Plain(PAGE),
    ];
    for answer in table {
        let stranger = Stranger::start(answer)?;
        let trust = Trust::Centre(ours.fingerprint().clone());
        let mut link = HttpTransport::new(&format!("https://127.0.0.1:{}", stranger.port()), &trust)?;
        let refused = enrol(&mut store, &mut link, &code);
        assert!(matches!(refused, Err(EnrolError::Unreachable(_))), "{refused:?}");
        let heard = stranger.heard();
        assert!(!holds(&heard, b"EFTF") && !holds(&heard, b"POST"), "{}", String::from_utf8_lossy(&heard));
    }
    // With the right one the code is told.
    let centre = Stranger::start(Answer::Tls(listener(&ours, "127.0.0.1", now_ms())?, PAGE))?;
    let trust = Trust::Centre(ours.fingerprint().clone());
    let mut link = HttpTransport::new(&format!("https://127.0.0.1:{}", centre.port()), &trust)?;
    assert!(enrol(&mut store, &mut link, &code).is_err(), "a page is no answer");
    assert!(holds(&centre.heard(), b"POST /api/v1/enrol"));
    assert_eq!(store.identity()?, None);
    Ok(())
}

#[test]
fn whoever_trusts_nobody_speaks_with_this_machine_only() -> Result<()> {
    let (answer, heard) = send(&Trust::Nobody, "https", Answer::Plain(PAGE))?;
    assert_eq!((answer, heard), (Err(TransportError::NotSecure), Vec::new()));
    let (answer, heard) = send(&Trust::Nobody, "http", Answer::Plain(PAGE))?;
    assert_eq!(answer.map(|a| a.content_type), Ok("text/html".to_owned()));
    assert!(holds(&heard, b"POST"), "for trying things out");
    let other = HttpTransport::new("http://192.0.2.1:8470", &Trust::Nobody).err().context("refused")?;
    assert_eq!(other, TransportError::NotSecure);
    Ok(())
}

#[test]
fn a_code_that_names_its_centre_is_told_to_nobody_over_plain_http() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let stranger = Stranger::start(Answer::Plain(PAGE))?;
    let code = typed("EFTF-MWHF-G75T", authority(1)?.fingerprint());
    let enrol = |server: &str| -> Result<(Option<i32>, String)> {
        let mut terminal = Command::new(binary("terminal"));
        terminal.args(["enrol", "--server", server, "--code", &code, "--data"]).arg(&data);
        let output = terminal.output()?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let (exit, said) = enrol(&format!("http://127.0.0.1:{}", stranger.port()))?;
    assert!(exit == Some(1) && said.contains("https://") && said.contains("nothing was sent"), "{said}");
    assert_eq!((stranger.heard(), data.exists()), (Vec::new(), false));
    // Elsewhere it is no address at all, and the reason is told.
    let (exit, said) = enrol("http://10.1.2.3")?;
    assert!(exit == Some(78) && said.contains("https://") && said.contains("in between"), "{said}");
    Ok(())
}
