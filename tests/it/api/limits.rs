//! Budgets of callers, and limits in bytes, lines and time: each is answered with a problem, none is a hang.
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use domain::wire::v1::Outcome;
use rand_core::SeedableRng as _;
use tests::device::{Device, JSON, courier, enrol_raw, new_key};
use tests::http;
use tests::server::Server;

/// Enrolments of one address in a minute, as the server says in `RateLimit-Policy`.
fn enrolments(policy: &str) -> Result<usize> {
    let item = policy.split(", ").find_map(|i| i.strip_prefix("\"enrolments\";q=")).context("a policy")?;
    Ok(item.split(';').next().unwrap_or_default().parse()?)
}

#[test]
fn guessing_codes_ends_with_a_time_to_wait_and_terminals_go_on() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let key = new_key(&mut rand_chacha::ChaCha20Rng::from_seed([9; 32]));
    let first = enrol_raw(&server, "0000-0000-0000", &key)?;
    assert_eq!(first.problem()?, "enrol-code-unknown");
    let budget = enrolments(first.header("ratelimit-policy").context("a policy")?)?;
    assert!((49..=200).contains(&budget), "{budget}");
    let limit = first.header("ratelimit").context("what is left")?;
    assert!(limit.contains(&format!("\"enrolments\";r={};t=", budget - 2)), "{limit}");
    let mut refused = None;
    for _ in 2..=budget {
        let answer = enrol_raw(&server, "0000-0000-0000", &key)?;
        if answer.status != 401 {
            refused = Some(answer);
        }
    }
    let refused = refused.context("never refused")?;
    assert_eq!((refused.status, refused.problem()?.as_str()), (429, "too-many-requests"));
    let wait: u64 = refused.header("retry-after").context("Retry-After")?.parse()?;
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").is_some_and(|l| l.contains("\"enrolments\";r=0;t=")));
    // Only enrolments are refused.
    let upload = device.seal(&courier())?;
    assert_eq!(device.send(&server, &[upload])?.results[0].outcome, Outcome::Accepted);
    Ok(())
}

#[test]
fn t35_beyond_the_admission_rate_heartbeats_are_shed_and_submissions_go_on() -> Result<()> {
    let server = Server::start_with(&["--admitted-per-second", "10"])?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let beats: Vec<_> = (0..30)
        .map(|_| http::post(&server.terminals, "/api/v1/heartbeat", &[JSON], b"{}"))
        .collect::<Result<_>>()?;
    assert!(beats.iter().all(|a| matches!(a.status, 400 | 503)), "let in and malformed, or sent away");
    let sent_away = beats.iter().rfind(|a| a.status == 503).context("none was sent away")?;
    assert_eq!(sent_away.problem()?, "busy");
    let wait: u64 = sent_away.header("retry-after").context("Retry-After")?.parse()?;
    assert!((1..=30).contains(&wait), "{wait}");
    // What heartbeats may not use is there for a submission, and the server still says that it serves.
    assert_eq!(device.send(&server, &[upload])?.results[0].outcome, Outcome::Accepted);
    let health: serde_json::Value = http::get(&server.terminals, "/healthz", &[])?.json()?;
    assert_eq!(health["contact"]["spread_ms"], 300, "three calls of one terminal at ten a second");
    Ok(())
}

#[test]
fn t36_ten_thousand_headers_and_endless_addresses_are_answered() -> Result<()> {
    let server = Server::start()?;
    let many = |line: &str, n: usize| format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n", line.repeat(n));
    let long_name = format!("{}: x\r\n", "n".repeat(40_000));
    let heads = [
        many("a: b\r\n", 10_000),
        many("a: b\r\n", 101),
        many(&long_name, 1),
        many(&format!("a: {}\r\n", "v".repeat(1_000)), 60),
        format!("GET /healthz?{} HTTP/1.1\r\nhost: x\r\n\r\n", "q".repeat(2_000_000)),
    ];
    for base in [&server.terminals, &server.people] {
        let host = base.strip_prefix("http://").context("http")?;
        for head in &heads {
            let answer = http::raw(host, head.as_bytes())?;
            assert_eq!(
                (answer.status, answer.problem()?.as_str()),
                (431, "headers-too-large"),
                "{}",
                &head[..60]
            );
        }
        let enough = http::raw(
            host,
            many("a: b\r\n", 90).replace("host: x", "host: x\r\nconnection: close").as_bytes(),
        )?;
        assert_eq!(enough.status, 200, "90 are taken");
    }
    Ok(())
}

#[test]
fn t36_large_bodies_are_refused_before_they_have_arrived() -> Result<()> {
    let server = Server::start()?;
    let large = vec![b' '; 10 << 20];
    for path in ["/api/v1/enrol", "/api/v1/envelopes"] {
        let answer = http::post(&server.terminals, path, &[JSON], &large)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (413, "too-large"), "{path}");
        // Without a length, in chunks: counted as they come.
        let host = server.terminals.strip_prefix("http://").context("http")?;
        let mut request =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
                .into_bytes();
        request.extend(format!("{:x}\r\n", large.len()).into_bytes());
        request.extend(&large);
        let answer = http::raw(host, &request)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (413, "too-large"), "{path} in chunks");
    }
    assert_eq!(http::get(&server.terminals, "/healthz", &[])?.status, 200);
    Ok(())
}

#[test]
fn t36_a_slow_body_is_answered_and_a_slow_head_is_cut() -> Result<()> {
    let server = Server::start()?;
    let host = server.terminals.strip_prefix("http://").context("http")?;
    let began = Instant::now();
    let mut head = TcpStream::connect(host)?;
    head.write_all(b"GET /healthz HTTP/1.1\r\nx-slow: ")?;
    let mut body = TcpStream::connect(host)?;
    body.write_all(b"POST /api/v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{")?;
    // Both send a byte every second: silence alone would never end them.
    let (mut answer, mut head_ended, mut body_ended) = (Vec::new(), false, false);
    for stream in [&head, &body] {
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    }
    while !(head_ended && body_ended) && began.elapsed() < Duration::from_secs(90) {
        let mut chunk = [0; 4_096];
        if !head_ended {
            head_ended = head.write_all(b"a").is_err() || matches!(head.read(&mut chunk), Ok(0));
        }
        if !body_ended {
            let _ = body.write_all(b" ");
            match body.read(&mut chunk) {
                Ok(0) => body_ended = true,
                Ok(n) => answer.extend_from_slice(&chunk[..n]),
                Err(e) => body_ended = e.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
    assert!(head_ended && body_ended, "a hang: head {head_ended}, body {body_ended}");
    assert!(began.elapsed() > Duration::from_secs(20), "not before their time");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 408 ") && text.contains("\"request-timeout\""), "{text}");
    assert_eq!(http::get(&server.terminals, "/healthz", &[])?.status, 200);
    Ok(())
}
