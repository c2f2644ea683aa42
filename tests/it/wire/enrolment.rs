//! What is said at an enrolment, and what each answer to a terminal carries.
use super::*;

#[test]
fn what_a_terminal_sends_to_be_enrolled_is_written_as_recorded() {
    let request = EnrolRequest {
        code: "ABCD-EFGH".to_owned(),
        public_key: DeviceKey::from_seed([5; 32]).public(),
        software: "0.1.0".to_owned(),
        csr: None,
        terminal: None,
        returning: None,
    };
    same("enrol_request", &request);
    let csr = Some(Bytes(vec![0x30, 1, 2]));
    same("enrol_request_with_csr", &EnrolRequest { csr: csr.clone(), ..request.clone() });
    let terminal = Some("T-001".parse().expect("terminal"));
    same("enrol_request_of_a_terminal", &EnrolRequest { terminal, csr: csr.clone(), ..request.clone() });
    let returning = Returning {
        code: request.code.clone(),
        terminal: "T-001".parse().expect("terminal"),
        station: "XN-CCB-CD-01".parse().expect("station"),
        issuer: Issuer::new(1).expect("issuer"),
        certificate: Bytes(vec![0x30, 1, 2]),
    };
    same("returning", &returning);
    let body = serde_json::to_vec(&returning).expect("json");
    let returning = Some(sign_document(SignedKind::Return, body, &DeviceKey::from_seed([5; 32])));
    same("enrol_request_returning", &EnrolRequest { csr, returning, ..request });
}

#[test]
fn enrolment_and_news_are_written_as_recorded() {
    let receipt_key = DeviceKey::from_seed([6; 32]).public();
    let sealing = SealingKey::from_seed([2; 32]).public();
    let response = EnrolResponse {
        terminal: "T-001".parse().expect("terminal"),
        station: "XN-CCB-CD-01".parse().expect("station"),
        issuer: Issuer::new(1).expect("issuer"),
        last_counter: CounterState { date: "2026-11-24".parse().expect("date"), counter: 0 },
        receipt_keys: vec![ReceiptKey { id: receipt_key.key_id(), key: receipt_key }],
        sealing_key: SealingKeyEntry { id: sealing.key_id(), suite: Suite::One, key: sealing },
        people_url: "http://127.0.0.1:8480".to_owned(),
        certified: None,
        order: None,
        sealing_keys: None,
        contact: contact(),
    };
    same("enrol_response", &response);
    let certified = Certified {
        certificate: Bytes(vec![0x30, 1]),
        authority: Bytes(vec![0x30, 2]),
        issued_at_ms: 1_795_500_000_000,
        expires_at_ms: 1_803_276_000_000,
    };
    same(
        "enrol_response_with_certificate",
        &EnrolResponse { certified: Some(certified.clone()), ..response },
    );
    let request =
        CertificateRequest { terminal: "T-001".parse().expect("terminal"), csr: Bytes(vec![0x30, 3]) };
    same("certificate_request", &request);
    same("certificate_response", &CertificateResponse { certified, contact: contact() });
    same("changes_query", &ChangesQuery { after: 7, wait: 25, order: None });
    let case = CaseNews {
        envelope_id: id(),
        number: number(),
        state: CaseState::Submitted,
        version: 2,
        at_ms: 1_795_500_002_000,
    };
    let catalogue = ChangeNews::Catalogue { version: 2, digest: Digest::of(b"catalogue") };
    let changes = ChangesResponse {
        changes: vec![
            Change { cursor: 8, news: ChangeNews::Case(case) },
            Change { cursor: 9, news: catalogue },
        ],
        cursor: 9,
        more: false,
        series: Some(series()),
        order: None,
        contact: contact(),
    };
    same("changes_response", &changes);
}
