//! Hostile input at every call and page: a problem of the right kind, never a 500, never a hang, and the server
//! serves on.
use anyhow::{Context as _, Result};
use domain::wire::v1::EnrolRequest;
use serde_json::{Value, json};
use tests::device::{Device, JSON, STATION, new_key};
use tests::http;
use tests::server::Server;

const ENROL: &str = "/api/v1/enrol";
const ENVELOPES: &str = "/api/v1/envelopes";

fn key() -> Value {
    use rand_core::SeedableRng as _;
    let key = new_key(&mut rand_chacha::ChaCha20Rng::from_seed([7; 32]));
    serde_json::to_value(key.public()).expect("JSON")
}

/// Texts that are no JSON, or not the JSON of any call.
const BROKEN: &[&str] = &[
    "",
    " ",
    "{",
    "}",
    "[",
    "nul",
    "tru",
    "'a'",
    "{'a':1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "[1,]",
    "{,}",
    "01",
    "+1",
    ".5",
    "1.",
    "1e",
    "0x1",
    "NaN",
    "Infinity",
    "-",
    "1 2",
    "{} {}",
    "\"\u{1}\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\u{feff}{}",
    "//a\n{}",
    "null",
    "true",
    "7",
    "\"x\"",
    "[]",
    "{}",
];

/// JSON that means two things, holds what cannot be stored, or is too deep.
fn ambiguous() -> Vec<String> {
    let key = key();
    vec![
        format!("{{\"code\":\"0000-0000-0000\",\"code\":\"0000-0000-0000\",\"public_key\":{key}}}"),
        format!("{{\"code\":\"0000-0000-0000\",\"public_key\":{key},\"later\":{{\"a\":1,\"a\":2}}}}"),
        format!("{{\"code\":\"0000-0000-0000\\u0000\",\"public_key\":{key}}}"),
        format!("{{\"code\":\"0000-0000-0000\",\"public_key\":{key},\"software\":\"a\\u0000b\"}}"),
        format!("{{\"code\":\"0000-0000-0000\",\"public_key\":{key},\"a\\u0000\":1}}"),
        format!("{{\"code\":\"\\udfff\",\"public_key\":{key}}}"),
        format!("{{\"code\":7,\"public_key\":{key}}}"),
        format!("{{\"code\":null,\"public_key\":{key}}}"),
        "{\"code\":\"0000-0000-0000\",\"public_key\":\"===\"}".to_owned(),
        "[".repeat(300_000),
        "{\"a\":".repeat(80_000),
        format!("{}1{}", "[".repeat(129), "]".repeat(129)),
    ]
}

#[test]
fn t36_broken_and_ambiguous_json_is_a_malformed_request() -> Result<()> {
    let server = Server::start()?;
    let mut bodies: Vec<String> = BROKEN.iter().map(|b| (*b).to_owned()).collect();
    bodies.extend(ambiguous());
    for body in &bodies {
        for path in [ENROL, ENVELOPES] {
            let answer = http::post(&server.terminals, path, &[JSON], body.as_bytes())?;
            let code = answer.problem().with_context(|| body.chars().take(80).collect::<String>())?;
            assert_eq!((answer.status, code.as_str()), (400, "malformed-request"), "{path} {body:.80}");
        }
    }
    for bytes in [&b"\xff"[..], b"{\"code\":\"\xc3\x28\"}", b"\x00", b"\xed\xa0\x80", b"{\"a\":\"\xf5\"}"] {
        let answer = http::post(&server.terminals, ENROL, &[JSON], bytes)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (400, "malformed-request"), "{bytes:?}");
    }
    let details =
        http::post(&server.terminals, ENROL, &[JSON], "{\"code\":{\"\u{5f20}\u{4e09}\":1}}".as_bytes())?
            .text();
    assert!(details.contains("at code") && !details.contains('\u{5f20}'), "a place, no value: {details}");
    Ok(())
}

#[test]
fn unknown_fields_are_left_alone_and_whole_numbers_are_read_by_their_meaning() -> Result<()> {
    let server = Server::start()?;
    let mut body = serde_json::to_value(EnrolRequest {
        code: server.enrol_code(STATION)?,
        public_key: serde_json::from_value(key())?,
        software: "x".repeat(5_000),
        csr: None,
        terminal: None,
        returning: None,
    })?;
    body["an_optional_field_of_later"] = json!({ "deep": [1, 2.5, null] });
    let answer = http::post(&server.terminals, ENROL, &[JSON], body.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let device = Device::enrol(&server, 1)?;
    for path in [
        "/api/v1/changes?after=0.0&wait=0.00",
        "/api/v1/changes?unknown=1&unknown=2",
        "/api/v1/cases?limit=148.0&after=9223372036854775807",
        "/api/v1/cases?limit=%31",
        "/api/v1/changes?after=9223372036854775807",
    ] {
        let answer = device.signed_get(&server, path)?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for path in [
        "/api/v1/changes?after=-1",
        "/api/v1/changes?after=1.5",
        "/api/v1/changes?after=",
        "/api/v1/changes?after=1&after=2",
        "/api/v1/changes?after=9223372036854775808",
        "/api/v1/changes?after=1%00",
        "/api/v1/changes?later=%00",
        "/api/v1/changes?%00=1",
        "/api/v1/changes?wait=4294967296",
        "/api/v1/changes?wait=NaN",
        "/api/v1/cases?limit=0",
        "/api/v1/cases?limit=-5",
        "/api/v1/cases?limit=201",
        "/api/v1/cases?limit=%EF%BC%91",
        "/api/v1/cases?after=%ff",
        "/api/v1/cases?after=null",
    ] {
        let answer = device.signed_get(&server, path)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (400, "malformed-request"), "{path}");
    }
    Ok(())
}

#[test]
fn numbers_of_a_signed_header_stay_within_their_range() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let good = device.seal(&tests::device::courier())?;
    let text = String::from_utf8(good.header.0.clone())?;
    for (from, to) in [
        ("\"seq\":1", "\"seq\":0"),
        ("\"seq\":1", "\"seq\":148.0"),
        ("\"seq\":1", "\"seq\":1,\"seq\":1"),
        ("\"kind\":\"submission\"", "\"kind\":\"\\u0000\""),
        ("\"kind\":\"submission\"", "\"kind\":\"\\ud800\""),
        ("hrss.flex-enroll", "hrss.\\u0000"),
        ("\"catalogue_version\":2", "\"catalogue_version\":-2"),
        ("\"suite\":1", "\"suite\":1.0"),
    ] {
        assert!(text.contains(from), "{from}");
        let upload = device.sign(text.replace(from, to).into_bytes(), good.ciphertext.0.clone());
        let result = device.send(&server, &[upload])?.results.remove(0);
        let code = result.problem.map(|p| p.code);
        assert_eq!(code.as_deref(), Some("envelope-malformed"), "{to}");
    }
    Ok(())
}

#[test]
fn wrong_media_types_encodings_and_methods_are_told_apart() -> Result<()> {
    let server = Server::start()?;
    let types = [
        "",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "json",
        "*/*",
        "application/problem+json",
        "multipart/form-data; boundary=x",
        "\u{e9}",
    ];
    for path in [ENROL, ENVELOPES] {
        for media_type in types {
            let answer = http::post(&server.terminals, path, &[("content-type", media_type)], b"{}")?;
            assert_eq!(
                (answer.status, answer.problem()?.as_str()),
                (415, "unsupported-media-type"),
                "{media_type}"
            );
        }
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/json ; x=y"] {
            let answer = http::post(&server.terminals, path, &[("content-type", good)], b"{}")?;
            assert_eq!(answer.problem()?, "malformed-request", "{good}");
        }
        for encoding in ["gzip", "br", "zstd, zstd", "zstd,identity", "x"] {
            let answer = http::post(&server.terminals, path, &[JSON, ("content-encoding", encoding)], b"{}")?;
            assert_eq!(
                (answer.status, answer.problem()?.as_str()),
                (415, "unsupported-encoding"),
                "{encoding}"
            );
        }
        let answer = http::get(&server.terminals, path, &[])?;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{path}");
    }
    for method in ["BREW", "get", "CONNECT", "PROPFIND"] {
        let answer = http::call(&server.terminals, method, "/api/v1/changes", &[], None)?;
        assert!([400, 405].contains(&answer.status), "{method} {}", answer.status);
        answer.problem().context(method)?;
    }
    Ok(())
}

#[test]
fn odd_addresses_of_pages_are_pages_and_never_trouble() -> Result<()> {
    let server = Server::start()?;
    for (path, status) in [
        ("/cases?q=%00", 200),
        ("/cases?q=%ff%fe&state=%00&station=%00&before=%00", 200),
        ("/cases?before=-1&before=2", 400),
        ("/cases?before=99999999999999999999", 200),
        ("/cases?q=%27%20OR%201%3D1%20--", 200),
        ("/cases/%00", 404),
        ("/cases/%ff", 404),
        ("/cases/..%2f..%2fetc", 404),
        ("/slips/%00?d=%00", 404),
        ("/slips/XN26112400100013?d=%00&lang=%00", 404),
        ("/problems/%00", 404),
        ("/problems/%ff", 404),
        ("/static/%00", 404),
        ("/static/..%2f..%2fetc%2fpasswd", 404),
        ("/%00", 404),
    ] {
        let page = server.page(path)?;
        assert_eq!(page.status, status, "{path}");
        assert!(page.header("content-type").is_some_and(|t| t.starts_with("text/html")), "{path}");
    }
    for path in ["/%00", "/api/v1/cases/%00", "/api/v1/cases/%ff", "/api/v1/%2e%2e/enrol", "//api/v1/enrol"] {
        let answer = http::get(&server.terminals, path, &[])?;
        assert!([401, 404].contains(&answer.status), "{path} {}", answer.status);
        answer.problem().context(path)?;
    }
    Ok(())
}
