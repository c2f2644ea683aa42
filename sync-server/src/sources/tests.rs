//! Every way in which a source may misbehave ends in time, as an answer or as a reason.
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use domain::rules::FactValue;
use serde_json::json;

use super::*;

const NOW_MS: i64 = 1_795_485_600_000;

fn sources(text: &Json) -> Sources {
    let file = SourcesFile::parse(text.to_string().as_bytes()).unwrap_or_else(|e| unreachable!("{e}"));
    Sources::new(file, true)
}

fn one(kind: &str, settings: Json) -> Sources {
    let mut source = json!({ "purpose": "p", "basis": "b", "limit_ms": 2_000, "sends": ["place", "none"] });
    source[kind] = settings;
    sources(&json!({ "sources": { "credit": source } }))
}

fn asked(sources: &Sources, consent: Consent) -> (Option<Evidence>, Vec<Look>) {
    let question = Question {
        case: "XN26112400010001".into(),
        person: ("样小川", "639900199005201035"),
        consent,
        answer: &|key| (key == "place").then(|| json!("here")),
    };
    let names = BTreeSet::from(["credit", "nowhere"]);
    let (mut said, looks) = sources.ask(&names, &question, (NOW_MS, &|| "r1".to_owned()));
    (said.remove("credit"), looks)
}

fn said(sources: &Sources) -> Result<bool, Why> {
    let (said, looks) = asked(sources, Consent::Signed);
    let said = said.expect("asked").answer;
    assert_eq!(looks.len(), 1, "one that is not set up is not asked");
    assert_eq!(looks[0].answered, Answered::of(said.as_ref().map(|_| ()).map_err(|why| *why)));
    said.map(|values| values.get("broken") == Some(&FactValue::Bool(false)))
}

#[test]
fn an_answer_counts_and_whatever_else_comes_is_a_reason() {
    let values = json!({ "broken": { "bool": false } });
    let table = [
        ("none", Ok(true)),
        ("twice", Ok(true)),
        ("two", Err(Why::Unusable)),
        ("other", Err(Why::Unusable)),
        ("nonsense", Err(Why::Unusable)),
        ("huge", Err(Why::Unusable)),
        ("down", Err(Why::SourceDown)),
    ];
    for (fault, expected) in table {
        let sources = one("simulated", json!({ "fault": fault, "values": values }));
        assert_eq!(said(&sources), expected, "{fault}");
    }
}

#[test]
fn a_late_answer_is_none_and_does_not_hold_anybody_up() {
    let file = json!({ "sources": { "credit": {
        "purpose": "p", "basis": "b", "limit_ms": 40,
        "simulated": { "delay_ms": 5_000, "values": { "broken": { "bool": false } } },
    } } });
    let begun = Instant::now();
    assert_eq!(said(&sources(&file)), Err(Why::SourceDown));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn nobody_is_asked_without_consent_and_that_is_noted() {
    let sources = one("simulated", json!({ "values": { "broken": { "bool": false } } }));
    let (said, looks) = asked(&sources, Consent::None);
    assert_eq!(said.expect("a reason").answer, Err(Why::NoConsent));
    assert_eq!((looks[0].answered, looks[0].consent), (Answered::NotAsked, Consent::None));
}

#[test]
fn simulators_are_left_out_where_the_data_are_official() {
    let file = json!({ "sources": { "credit": { "purpose": "p", "basis": "b", "simulated": {} } } });
    let file = SourcesFile::parse(file.to_string().as_bytes()).unwrap_or_else(|e| unreachable!("{e}"));
    let (said, looks) = asked(&Sources::new(file, false), Consent::Signed);
    assert!(said.is_none() && looks.is_empty());
}

/// A source that answers one question with these bytes; gives what it heard.
fn serve_once(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut heard = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains("here\"}}") {
            let n = stream.read(&mut part).expect("a request");
            if n == 0 {
                break;
            }
            heard.extend_from_slice(&part[..n]);
        }
        stream.write_all(answer.as_bytes()).expect("answered");
        String::from_utf8_lossy(&heard).into_owned()
    });
    (address, heard)
}

#[test]
fn a_source_over_http_is_asked_with_all_that_it_must_know_and_no_more() {
    let table = [
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"id\":\"r1\",\"on\":\"2026-11-24\",\"values\":{\"broken\":{\"bool\":false}}}",
            Ok(true),
        ),
        ("HTTP/1.1 503 Away\r\n\r\n{}", Err(Why::SourceDown)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Err(Why::SourceDown)),
        ("HTTP/1.1 200 OK\r\n\r\n{}", Err(Why::Unusable)),
        ("", Err(Why::SourceDown)),
    ];
    for (answer, expected) in table {
        let (address, heard) = serve_once(answer);
        let sources = one("http", json!({ "address": address, "path": "/ask" }));
        assert_eq!(said(&sources), expected, "{answer}");
        let heard = heard.join().expect("served");
        for part in ["POST /ask HTTP/1.1", "\"purpose\":\"p\"", "\"basis\":\"b\"", "\"consent\":\"signed\""] {
            assert!(heard.contains(part), "{part}: {heard}");
        }
        assert!(heard.contains("\"answers\":{\"place\":\"here\"}"), "{heard}");
    }
}

#[test]
fn mistakes_of_the_settings_are_told_with_their_place() {
    let source = |more: Json| {
        let mut source = json!({ "purpose": "p", "basis": "b", "simulated": {} });
        source.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        json!({ "sources": { "credit": source } }).to_string()
    };
    let far = json!({ "sources": { "credit": {
        "purpose": "p", "basis": "b", "http": { "address": "10.0.0.1:80", "path": "/" } } } });
    for (text, part) in [
        ("{".to_owned(), "EOF"),
        (source(json!({ "basis": " " })), "sources.credit: purpose and basis"),
        (source(json!({ "limit_ms": 0 })), "sources.credit: limit_ms"),
        (source(json!({ "limit_ms": 99_999 })), "sources.credit: limit_ms"),
        (far.to_string(), "sources.credit: address is IP and port of this machine"),
    ] {
        let told = SourcesFile::parse(text.as_bytes()).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn the_samples_can_be_used_and_are_simulators() {
    let file = SourcesFile::parse(include_bytes!("../../../assets/rules/sources.json"));
    let file = file.unwrap_or_else(|e| unreachable!("{e}"));
    assert!(file.data_label == "sample" && file.sources.values().all(SourceSettings::is_simulated));
}
