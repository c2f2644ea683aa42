//! Whatever arrives at the terminals' listener is answered with a problem, never with a 500, and the next good
//! envelope is taken.
use anyhow::{Context as _, Result};
use domain::envelope::{Bytes, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES};
use domain::wire::v1::{EnvelopeBatch, EnvelopeUpload, MAX_BATCH_BYTES, Outcome};
use tests::device::{Device, JSON, courier};
use tests::http;
use tests::server::Server;

const ENVELOPES: &str = "/api/v1/envelopes";
const ZSTD: (&str, &str) = ("content-encoding", "zstd");

/// Name, headers, body, status, code.
type Case<'a> = (&'static str, &'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);

#[test]
fn odd_bodies_are_problems_and_the_server_lives_on() -> Result<()> {
    let server = Server::start()?;
    let deep = "[".repeat(200_000);
    let deep_object = format!("{{\"envelopes\":{}", "{\"a\":".repeat(50_000));
    let large = format!("{{\"envelopes\":\"{}\"}}", "x".repeat(MAX_BATCH_BYTES));
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(b' '), 1 << 30), 3)?;
    let nul = br#"{"envelopes":[{"header":"\u0000","ciphertext":"","digest":"","signature":""}]}"#;
    let short = br#"{"envelopes":[{"header":"e30=","ciphertext":"","digest":"00","signature":""}]}"#;
    let odd_encoding = [JSON, ("content-encoding", "br")];
    let twice = [JSON, ZSTD, ZSTD];
    let table: [Case<'_>; 17] = [
        ("empty", &[JSON], b"", 400, "malformed-request"),
        ("cut", &[JSON], b"{\"envelopes\":[", 400, "malformed-request"),
        ("not an object", &[JSON], b"[]", 400, "malformed-request"),
        ("wrong field", &[JSON], b"{\"envelope\":[]}", 400, "malformed-request"),
        ("not UTF-8", &[JSON], b"\xff\xfe", 400, "malformed-request"),
        ("deep", &[JSON], deep.as_bytes(), 400, "malformed-request"),
        ("deep object", &[JSON], deep_object.as_bytes(), 400, "malformed-request"),
        ("not base64", &[JSON], nul, 400, "malformed-request"),
        ("short digest", &[JSON], short, 400, "malformed-request"),
        ("large", &[JSON], large.as_bytes(), 413, "too-large"),
        ("bomb", &[JSON, ZSTD], &bomb, 413, "too-large"),
        ("no zstd", &[JSON, ZSTD], b"{\"envelopes\":[]}", 400, "malformed-request"),
        ("other encoding", &odd_encoding, b"x", 415, "unsupported-encoding"),
        ("encoded twice", &twice, b"x", 415, "unsupported-encoding"),
        ("no type", &[], b"{\"envelopes\":[]}", 415, "unsupported-media-type"),
        ("text", &[("content-type", "text/plain")], b"{\"envelopes\":[]}", 415, "unsupported-media-type"),
        ("form", &[("content-type", "multipart/form-data")], b"--", 415, "unsupported-media-type"),
    ];
    for (name, headers, body, status, code) in table {
        let answer = http::post(&server.terminals, ENVELOPES, headers, body).context(name)?;
        assert_eq!((answer.status, answer.problem().context(name)?.as_str()), (status, code), "{name}");
        assert!(answer.text().contains("\"server_epoch\""), "{name}: no contact");
    }
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    assert_eq!(device.send(&server, &[upload])?.results[0].outcome, Outcome::Accepted);
    Ok(())
}

#[test]
fn odd_envelopes_are_refused_one_by_one() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let good = device.seal(&courier())?;
    let text = String::from_utf8(good.header.0.clone())?;
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        device.sign(text.replace(from, to).into_bytes(), good.ciphertext.0.clone())
    };
    let digest_of_another = {
        let mut upload = good.clone();
        upload.digest = device.sign(b"{}".to_vec(), vec![]).digest;
        upload
    };
    let padded = [b"{\"x\":\"".to_vec(), vec![b'x'; MAX_HEADER_BYTES], b"\"}".to_vec()].concat();
    let deep = [b"[".repeat(5_000), text.clone().into_bytes()].concat();
    let table = [
        ("not json", device.sign(b"hello".to_vec(), vec![]), "envelope-malformed"),
        ("empty", device.sign(vec![], vec![]), "envelope-malformed"),
        ("deep", device.sign(deep, vec![]), "envelope-malformed"),
        ("seq 0", changed("\"seq\":1", "\"seq\":0"), "envelope-malformed"),
        ("seq below", changed("\"seq\":1", "\"seq\":-1"), "envelope-malformed"),
        ("seq large", changed("\"seq\":1", "\"seq\":18446744073709551615"), "envelope-malformed"),
        ("seq half", changed("\"seq\":1", "\"seq\":1.5"), "envelope-malformed"),
        ("kind", changed("\"kind\":\"submission\"", "\"kind\":\"a\\u0000b\""), "envelope-malformed"),
        ("suite", changed("\"suite\":1", "\"suite\":9"), "envelope-malformed"),
        ("item", changed("hrss.flex-enroll", "../../etc"), "envelope-malformed"),
        ("header size", device.sign(padded, vec![]), "envelope-too-large"),
        (
            "payload size",
            device.sign(good.header.0.clone(), vec![0; MAX_PAYLOAD_BYTES + 1]),
            "envelope-too-large",
        ),
        ("digest", digest_of_another, "digest-mismatch"),
    ];
    for (name, upload, code) in table {
        let result = device.send(&server, &[upload]).context(name)?.results.remove(0);
        assert_eq!(result.outcome, Outcome::Refused, "{name}");
        let problem = result.problem.context(name)?;
        assert_eq!(problem.code, code, "{name}");
        assert!([400, 413].contains(&problem.status), "{name}");
    }
    // None of them took the place of the good one.
    assert_eq!(device.send(&server, &[good])?.results[0].outcome, Outcome::Accepted);
    Ok(())
}

#[test]
fn odd_addresses_methods_and_queries_are_problems() -> Result<()> {
    let server = Server::start()?;
    let device = Device::enrol(&server, 1)?;
    let table = [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/cases", 404, "not-found"),
        ("GET", ENVELOPES, 405, "method-not-allowed"),
        ("DELETE", "/api/v1/changes", 405, "method-not-allowed"),
        ("GET", "/api/v1/changes?after=0", 401, "terminal-unknown"),
        ("GET", "/api/v1/changes?after=x", 400, "malformed-request"),
    ];
    for (method, path, status, code) in table {
        let answer = http::call(&server.terminals, method, path, &[], None)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (status, code), "{method} {path}");
    }
    for path in ["/api/v1/envelopes", "/api/v1/changes", "/api/v1/enrol"] {
        assert_eq!(http::get(&server.people, path, &[])?.status, 404, "{path} belongs to terminals");
    }
    let unsigned = [("jinban-terminal", device.enrolled.terminal.as_str()), ("jinban-signature", "AAAA")];
    let answer = http::get(&server.terminals, "/api/v1/changes?after=0", &unsigned)?;
    assert_eq!((answer.status, answer.problem()?.as_str()), (401, "signature-invalid"));
    let negative = device.signed_get(&server, "/api/v1/changes?after=-1")?;
    assert_eq!(negative.problem()?, "malformed-request");
    Ok(())
}

#[test]
fn a_signature_is_good_for_its_own_address_only() -> Result<()> {
    let server = Server::start()?;
    let device = Device::enrol(&server, 1)?;
    assert_eq!(device.signed_get(&server, "/api/v1/changes?after=0&wait=0")?.status, 200);
    let signed_elsewhere = {
        let digest = domain::envelope::request_digest("GET", "/api/v1/changes?after=0");
        serde_json::to_value(device.key.sign(&digest))?
    };
    let headers = [
        ("jinban-terminal", device.enrolled.terminal.as_str()),
        ("jinban-signature", signed_elsewhere.as_str().context("text")?),
    ];
    assert_eq!(http::get(&server.terminals, "/api/v1/changes?after=0", &headers)?.status, 200);
    assert_eq!(http::get(&server.terminals, "/api/v1/changes?after=1", &headers)?.status, 401);
    Ok(())
}

/// The most memory that a process ever had, KiB.
fn peak_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("a peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[test]
fn ten_thousand_envelopes_at_once_are_refused_whole_before_they_cost_anything() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let mut device = Device::enrol(&server, 1)?;
    let own = device.caller().context("TLS")?;
    let sealed = device.seal(&courier())?;
    let small = EnvelopeUpload { header: Bytes(Vec::new()), ciphertext: Bytes(Vec::new()), ..sealed.clone() };
    let batch = |one: &EnvelopeUpload, count: usize| -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(&EnvelopeBatch { envelopes: vec![one.clone(); count] })?)
    };
    let fit = MAX_BATCH_BYTES / batch(&small, 1)?.len();
    assert!(fit > 1_000, "{fit} stand in a body that is read");
    let (whole, all) = (batch(&sealed, 10_000)?, batch(&small, 10_000)?);
    let length = whole.len().to_string();
    let packed = [zstd::encode_all(whole.as_slice(), 3)?, zstd::encode_all(all.as_slice(), 3)?];
    assert!(packed.iter().all(|p| p.len() < MAX_BATCH_BYTES / 4), "they are small on the way");
    let most = zstd::encode_all(batch(&small, fit)?.as_slice(), 3)?;
    // What the connection of a caller costs is paid before.
    device.send(&server, &[])?;
    let before = peak_kib(server.pid().context("it runs")?)?;
    let cases: [Case<'_>; 4] = [
        ("announced", &[JSON, ("content-length", &length)], b"", 413, "too-large"),
        ("packed", &[JSON, ZSTD], &packed[0], 413, "too-large"),
        ("packed and small", &[JSON, ZSTD], &packed[1], 413, "too-large"),
        ("as many as a body holds", &[JSON, ZSTD], &most, 413, "too-many-envelopes"),
    ];
    for _ in 0..10 {
        for (name, headers, body, status, code) in cases {
            let body = Some(body).filter(|body| !body.is_empty());
            let answer = http::call_as(&own, &server.terminals, ("POST", ENVELOPES), headers, body);
            let answer = answer.context(name)?;
            assert_eq!((answer.status, answer.problem()?.as_str()), (status, code), "{name}");
        }
    }
    let after = peak_kib(server.pid().context("it runs")?)?;
    assert!(after < before + 8 * 1_024, "from {before} to {after} KiB, for 17 MB and more a call");
    assert_eq!(server.number("SELECT COUNT(*) FROM envelope")?, 0, "nothing was stored");
    assert_eq!(device.send(&server, &[sealed])?.results[0].outcome, Outcome::Accepted);
    Ok(())
}
