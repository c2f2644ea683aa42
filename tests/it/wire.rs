//! Wire version 1 as bytes: what is written here may never change, only gain optional fields.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p tests --test it wire` writes the files anew; read the difference before you
//! commit it.
mod enrolment;

use std::fs;
use std::path::PathBuf;

use domain::applicant::IdentitySource;
use domain::case::{CaseState, Flaw, Want};
use domain::envelope::{
    Bytes, DataKey, DeviceKey, Digest, Nonce, SealingKey, SignedKind, Suite, WrappedKey, envelope_digest,
    request_digest, sign_document,
};
use domain::ids::{CaseNo, CounterState, EnvelopeId, Issuer, Lineage, ServerEpoch};
use domain::wire::v1::{
    ActivationFailure, AuditHead, BatchResponse, BlobEntry, BlobKind, CaseNews, CertificateRequest,
    CertificateResponse, Certified, Change, ChangeNews, ChangesQuery, ChangesResponse, CitizenCase,
    CitizenQuery, CitizenRequest, CitizenResponse, Contact, DeviceReport, DeviceTrouble, EnrolRequest,
    EnrolResponse, EnvelopeBatch, EnvelopeHeader, EnvelopeKind, EnvelopeResult, EnvelopeUpload, FailureKind,
    Heartbeat, HeartbeatRequest, HeartbeatResponse, Offer, OfferRequest, OfferResponse, OfferedReceipt,
    Order, Outcome, Person, Problem, ReceiptBody, ReceiptKey, Returning, SealingKeyEntry, SealingKeyList,
    SeriesNews, SlipBody, Submission, Supplement, SupplementRequest, Withdrawal, WithdrawnItem,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tests::device::own_matter;

fn id() -> EnvelopeId {
    "019ab2c3-d4e5-7000-8000-000000000001".parse().expect("id")
}

fn number() -> CaseNo {
    let state = CounterState { date: "2026-11-24".parse().expect("date"), counter: 1 };
    CaseNo::issue(Issuer::new(1).expect("issuer"), state)
}

fn contact() -> Contact {
    Contact {
        server_epoch: "00000000-0000-4000-8000-0000000000ee".parse::<ServerEpoch>().expect("epoch"),
        server_time_ms: 1_795_500_000_000,
        durable_upto: Some(41),
        spread_ms: 2_000,
        retry_after_ms: None,
    }
}

fn series() -> SeriesNews {
    SeriesNews { lineage: header().lineage, highest_seq: 1 }
}

fn header() -> EnvelopeHeader {
    EnvelopeHeader {
        envelope_id: id(),
        kind: EnvelopeKind::Submission,
        refers_to: None,
        terminal: "T-001".parse().expect("terminal"),
        lineage: "00000000-0000-4000-8000-0000000000aa".parse::<Lineage>().expect("lineage"),
        seq: 1,
        number: Some(number()),
        item: Some("hrss.flex-enroll".parse().expect("item")),
        catalogue_version: Some(1),
        blobs: vec![BlobEntry { digest: Digest::of(b"page"), length: 1_024, kind: BlobKind::Page, page: 1 }],
        suite: Suite::One,
        key_id: SealingKey::from_seed([2; 32]).public().key_id(),
        wrapped_key: WrappedKey { encapsulated: Bytes(vec![1; 32]), ciphertext: Bytes(vec![2; 48]) },
        nonce: Nonce([3; 12]),
        device_time_ms: 1_795_500_000_000,
        boot_time_ms: 60_000,
        server_offset_ms: Some(-250),
    }
}

fn upload() -> EnvelopeUpload {
    let header = serde_json::to_vec(&header()).expect("header");
    let ciphertext =
        DataKey::from_bytes([4; 32]).encrypt(Nonce([3; 12]), b"sample", &header).expect("encrypt");
    let digest = envelope_digest(&header, &ciphertext);
    EnvelopeUpload {
        signature: DeviceKey::from_seed([5; 32]).sign(&digest),
        header: Bytes(header),
        ciphertext: Bytes(ciphertext),
        digest,
    }
}

fn receipt_body() -> ReceiptBody {
    ReceiptBody {
        envelope_id: id(),
        digest: upload().digest,
        server_seq: 42,
        accepted_at_ms: 1_795_500_001_000,
        number: Some(number()),
        complete: true,
    }
}

fn problem() -> Problem {
    Problem {
        type_uri: "/problems/envelope-conflict".to_owned(),
        title: "Another content under the same id".to_owned(),
        status: 409,
        detail: Some("kept as it was".to_owned()),
        code: "envelope-conflict".to_owned(),
        instance: None,
    }
}

/// Compares a value's JSON with its file and reads it back.
fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    let text = serde_json::to_string_pretty(value).expect("json") + "\n";
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("it/snapshots/wire").join(format!("{name}.json"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &text).expect("write");
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(stored, text, "{name}: the wire changed; a deployed terminal would not understand it");
    assert_eq!(&serde_json::from_str::<T>(&stored).expect("read back"), value, "{name}");
}

#[test]
fn every_type_of_wire_v1_is_written_as_recorded() {
    same("envelope_header", &header());
    same("envelope_batch", &EnvelopeBatch { envelopes: vec![upload()] });
    let receipt = sign_document(
        SignedKind::Receipt,
        serde_json::to_vec(&receipt_body()).expect("json"),
        &DeviceKey::from_seed([6; 32]),
    );
    let accepted = EnvelopeResult {
        digest: upload().digest,
        outcome: Outcome::Accepted,
        receipt: Some(receipt),
        missing_blobs: vec![Digest::of(b"page")],
        problem: None,
    };
    let conflict = EnvelopeResult {
        outcome: Outcome::Conflict,
        receipt: None,
        missing_blobs: Vec::new(),
        problem: Some(problem()),
        ..accepted.clone()
    };
    same(
        "batch_response",
        &BatchResponse { results: vec![accepted, conflict], series: Some(series()), contact: contact() },
    );
    same("receipt_body", &receipt_body());
    let slip = SlipBody {
        envelope_id: id(),
        digest: upload().digest,
        number: number(),
        item: "hrss.flex-enroll".parse().expect("item"),
        station: "XN-CCB-CD-01".parse().expect("station"),
        terminal: "T-001".parse().expect("terminal"),
        made_at_ms: 1_795_500_000_000,
    };
    same("slip_body", &slip);
    same("problem", &problem());
}

#[test]
fn what_is_inside_an_envelope_is_written_as_recorded() {
    let person = Person {
        source: IdentitySource::Read,
        name: "样例".to_owned(),
        id_number: "639900199005201035".to_owned(),
        sex: Some(1),
        birth: "1990-05-20".parse().ok(),
        address: Some("样例路1号".to_owned()),
    };
    let answers = json!({"phone": "13000000017"}).as_object().cloned().unwrap_or_default();
    let before = Submission { applicant: person, answers, situation: None };
    same("submission", &before);
    same("submission_with_situation", &Submission { situation: Some(own_matter()), ..before });
}

#[test]
fn a_list_of_sealing_keys_is_written_as_recorded() {
    let keys = [Suite::One, Suite::Two].map(|suite| {
        let key = SealingKey::from_secret(suite, [2; 32]).expect("a key").public();
        SealingKeyEntry { id: key.key_id(), suite, key }
    });
    let keys = keys.to_vec();
    same(
        "sealing_keys",
        &SealingKeyList { number: 3, issued_ms: 1_795_500_000_000, suite: Suite::Two, keys },
    );
}

#[test]
fn heartbeats_and_orders_are_written_as_recorded() {
    let device = DeviceKey::from_seed([5; 32]);
    let heartbeat = Heartbeat {
        terminal: "T-001".parse().expect("terminal"),
        number: 1_795_500_000_000,
        catalogue: 4,
        failures: vec![ActivationFailure { version: 5, kind: FailureKind::NotUnderstood, tries: 2 }],
        order: 3,
        sealing_keys: 0,
        program: "0.1.0".to_owned(),
        queued: 2,
        oldest_ms: Some(1_795_499_000_000),
        parked: 0,
        disk_free: Some(1_000_000),
        disk_percent: None,
        aside: None,
        clock_offset_ms: Some(-250),
        devices: vec![DeviceReport {
            device: "receipt_printer".to_owned(),
            trouble: Some(DeviceTrouble::NoPaper),
            for_secs: 90,
            done: 12,
            failed: 1,
            recovered: 2,
        }],
    };
    same("heartbeat", &heartbeat);
    let body = serde_json::to_vec(&heartbeat).expect("json");
    let heartbeat = sign_document(SignedKind::Heartbeat, body, &device);
    same("heartbeat_request", &HeartbeatRequest { heartbeat });
    let withdrawn = WithdrawnItem {
        item: "hrss.flex-enroll".parse().expect("item"),
        reason: "系统升级，暂停办理".to_owned(),
        since_ms: 1_795_499_000_000,
    };
    let order = Order {
        terminal: "T-001".parse().expect("terminal"),
        number: 4,
        issued_ms: 1_795_500_000_000,
        run: Some(5),
        withdrawn: vec![withdrawn],
    };
    same("order", &order);
    let body = serde_json::to_vec(&order).expect("json");
    let order = sign_document(SignedKind::Order, body, &DeviceKey::from_seed([6; 32]));
    same(
        "heartbeat_response",
        &HeartbeatResponse { order: Some(order), sealing_keys: None, audit_head: None, contact: contact() },
    );
    same("changes_query_with_order", &ChangesQuery { after: 7, wait: 25, order: Some(3) });
    let newer: ActivationFailure =
        serde_json::from_value(json!({"version": 5, "kind": "moonlight"})).expect("a kind of later");
    assert_eq!((newer.kind, newer.tries), (FailureKind::Other, 0));
    let newer: DeviceReport =
        serde_json::from_value(json!({"device": "palm_reader", "trouble": "asleep"})).expect("one of later");
    assert_eq!((newer.trouble, newer.done), (Some(DeviceTrouble::Other), 0));
}

#[test]
fn what_citizens_ask_for_and_add_is_written_as_recorded() {
    let device = DeviceKey::from_seed([5; 32]);
    let applicant = tests::device::courier_at(1_795_500_000_000).applicant;
    let query = CitizenQuery { terminal: "T-001".parse().expect("terminal"), applicant: applicant.clone() };
    same("citizen_query", &query);
    let body = serde_json::to_vec(&query).expect("json");
    same("citizen_request", &CitizenRequest { query: sign_document(SignedKind::Citizen, body, &device) });
    let want = Want { key: "phone".into(), flaw: Flaw::Unclear };
    let request = SupplementRequest {
        due_at_ms: 1_795_900_000_000,
        wants: vec![want, Want { key: "material.3".into(), flaw: Flaw::Missing }],
        words: vec!["请补齐".into()],
    };
    let case = CitizenCase {
        envelope_id: id(),
        number: number(),
        item: Some("hrss.flex-enroll".parse().expect("item")),
        catalogue_version: Some(1),
        state: CaseState::Accepted,
        received_at_ms: 1_795_400_000_000,
        changed_at_ms: 1_795_500_000_000,
        due_at_ms: None,
        expected: false,
        request: Some(request),
        withdrawable: true,
    };
    same("citizen_response", &CitizenResponse { cases: vec![case], contact: contact() });
    let answers = serde_json::json!({ "phone": "13700137123" });
    let answers = answers.as_object().cloned().expect("answers");
    same("supplement", &Supplement { applicant: applicant.clone(), answers });
    same("withdrawal", &Withdrawal { applicant });
}

#[test]
fn offers_and_audit_heads_are_written_as_recorded() {
    let (device, centre) = (DeviceKey::from_seed([5; 32]), DeviceKey::from_seed([6; 32]));
    let receipt = sign_document(SignedKind::Receipt, b"{}".to_vec(), &centre);
    let offer = Offer {
        terminal: "T-001".parse().expect("terminal"),
        receipts: vec![OfferedReceipt { receipt, kept: true }],
    };
    same("offer", &offer);
    let body = serde_json::to_vec(&offer).expect("json");
    same("offer_request", &OfferRequest { offer: sign_document(SignedKind::Offer, body, &device) });
    same("offer_response", &OfferResponse { lacking: vec![id()], contact: contact() });
    let head = AuditHead {
        epoch: "00000000-0000-4000-8000-0000000000ee".parse().expect("epoch"),
        day: "2026-11-24".parse().expect("date"),
        seq: 7,
        hash: Digest::of(b"row 7"),
        signed_at_ms: 1_795_500_000_000,
    };
    same("audit_head", &head);
    let body = serde_json::to_vec(&head).expect("json");
    let audit_head = Some(sign_document(SignedKind::AuditHead, body, &centre));
    same(
        "heartbeat_response_with_head",
        &HeartbeatResponse { order: None, sealing_keys: None, audit_head, contact: contact() },
    );
}

#[test]
fn digests_and_signatures_are_the_recorded_ones() {
    let recorded = json!({
        "envelope_digest": envelope_digest(b"header", b"ciphertext"),
        "request_digest": request_digest("GET", "/api/v1/changes?after=0&wait=0"),
        "device_signature": DeviceKey::from_seed([5; 32]).sign(&envelope_digest(b"header", b"ciphertext")),
        "slip": sign_document(SignedKind::Slip, b"{}".to_vec(), &DeviceKey::from_seed([5; 32])),
        "receipt": sign_document(SignedKind::Receipt, b"{}".to_vec(), &DeviceKey::from_seed([5; 32])),
    });
    same::<Value>("signed_bytes", &recorded);
}

#[test]
fn a_newer_sender_is_understood() {
    let mut newer = serde_json::to_value(header()).expect("json");
    newer["kind"] = json!("telepathy");
    newer["an_optional_field_of_later"] = json!({"deep": [1, 2]});
    newer["blobs"][0]["kind"] = json!("hologram");
    let read: EnvelopeHeader = serde_json::from_value(newer).expect("understood");
    assert_eq!(read.kind, EnvelopeKind::Other("telepathy".to_owned()));
    assert_eq!(read.blobs[0].kind, BlobKind::Other("hologram".to_owned()));
    let change: Change =
        serde_json::from_value(json!({"cursor": 3, "news": {"kind": "weather", "sunny": true}}))
            .expect("skipped");
    assert_eq!(change.news, ChangeNews::Unknown);
}

#[test]
fn personal_data_never_print() {
    let text = format!("{:?} {:?}", tests::submission::courier(), tests::submission::answers());
    assert!(!text.contains("6399") && !text.contains("样例") && !text.contains("1300"), "{text}");
}
