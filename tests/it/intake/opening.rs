//! After the receipt the content is opened: valid, returned or quarantined; bad content is never a refused send.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::{EnvelopeUpload, Outcome};
use serde_json::json;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::server::{CANARIES, Server};

fn taken(device: &Device, server: &Server, upload: &EnvelopeUpload) -> Result<()> {
    let result = device.send(server, std::slice::from_ref(upload))?.results.remove(0);
    assert_eq!(result.outcome, Outcome::Accepted, "{:?}", result.problem);
    device.verify(&result.receipt.context("a receipt")?)?;
    Ok(())
}

#[test]
fn a_valid_submission_becomes_one_case_that_waits_for_its_department() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    taken(&device, &server, &upload)?;
    assert_eq!(wait_for_state(&device, &server, header.envelope_id, CaseState::Submitted)?, 2);
    let number = header.number.context("a number")?;
    let list = server.page("/cases")?.text();
    assert_eq!(list.matches(&format!("href=\"/cases/{number}\"")).count(), 1);
    let page = server.page(&format!("/cases/{number}"))?.text();
    assert!(page.contains(&upload.digest.to_string()));
    for text in [list, page] {
        assert!(CANARIES.iter().all(|c| !text.contains(c)), "personal data on a page");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM case_key")?, 1);
    assert_eq!(server.number("SELECT COUNT(*) FROM person_key")?, 4, "ID number, name, phone and its end");
    Ok(())
}

#[test]
fn nothing_of_a_person_stands_in_the_store_in_clear() -> Result<()> {
    let mut server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let mut wrong = courier();
    wrong.answers.insert("bank_card".into(), json!("6222000000000000"));
    wrong.answers.insert("13900139000样小川".into(), json!("x"));
    let (good, bad) = (device.seal(&courier())?, device.seal(&wrong)?);
    taken(&device, &server, &good)?;
    taken(&device, &server, &bad)?;
    wait_for_state(&device, &server, header_of(&bad)?.envelope_id, CaseState::Returned)?;
    server.stop()?;
    let mut canaries: Vec<Vec<u8>> = CANARIES.iter().map(|c| c.as_bytes().to_vec()).collect();
    canaries.push(b"6222000000000000".to_vec());
    let bytes = server.stored_bytes()?;
    let id = header_of(&good)?.envelope_id.to_string();
    assert!(bytes.windows(id.len()).any(|w| w == id.as_bytes()), "what is stored is looked at");
    for canary in canaries {
        let found = bytes.windows(canary.len()).any(|w| w == canary);
        assert!(!found, "{}", String::from_utf8_lossy(&canary));
    }
    Ok(())
}

#[test]
fn answers_that_do_not_fit_send_the_case_back_with_keys_and_no_values() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let mut wrong = courier();
    wrong.answers.insert("phone".into(), json!("139001390001234"));
    wrong.answers.remove("base_level");
    wrong.applicant.id_number = "639900199005201036".into();
    let upload = device.seal(&wrong)?;
    let header = header_of(&upload)?;
    taken(&device, &server, &upload)?;
    wait_for_state(&device, &server, header.envelope_id, CaseState::Returned)?;
    let page = server.page(&format!("/cases/{}", header.number.context("a number")?))?.text();
    for said in ["证件号（applicant.id_number）", "手机号（phone）", "缴费基数档（base_level）：没有填"]
    {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("13900139000") && !page.contains("639900199005201036"));
    Ok(())
}

#[test]
fn content_that_cannot_be_opened_or_understood_is_quarantined() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let plain = serde_json::to_vec(&courier())?;
    let deep = "[".repeat(100_000);
    let mut altered = device.seal(&courier())?;
    altered.ciphertext.0[5] ^= 1;
    let altered = device.sign(altered.header.0, altered.ciphertext.0);
    let table = [
        ("cannot_open", altered),
        ("cannot_open", device.seal_with(&plain, |h| h.wrapped_key.ciphertext.0[0] ^= 1)?),
        ("unknown_key", device.seal_with(&plain, |h| h.key_id = "0000000000000000".parse().expect("an id"))?),
        ("malformed", device.seal_with(b"not json", |_| {})?),
        ("malformed", device.seal_with(deep.as_bytes(), |_| {})?),
        ("malformed", device.seal_with(b"{\"applicant\":{},\"answers\":[]}", |_| {})?),
        ("malformed", device.seal_with(&plain, |h| h.item = None)?),
        ("unknown_catalogue", device.seal_with(&plain, |h| h.catalogue_version = Some(777))?),
        ("unknown_catalogue", device.seal_with(&plain, |h| h.catalogue_version = None)?),
        ("unknown_item", device.seal_with(&plain, |h| h.item = "no.such-item".parse().ok())?),
    ];
    for (reason, upload) in table {
        taken(&device, &server, &upload)?;
        let header = header_of(&upload)?;
        wait_for_state(&device, &server, header.envelope_id, CaseState::Quarantined)?;
        let id = header.envelope_id.to_string();
        let said = server.rows("SELECT reason FROM case_ WHERE envelope_id = $1", &[id.into()])?;
        assert_eq!(said.first().context("a case")?.text(0)?, reason);
        let page = server.page(&format!("/cases/{}", header.number.context("a number")?))?;
        assert_eq!(page.status, 200, "{reason}");
    }
    Ok(())
}

#[test]
fn a_slips_page_shows_the_marks_only_to_who_holds_the_digest() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    let number = header.number.context("a number")?;
    let address = format!("/slips/{number}?d={}", upload.digest.short());
    let before = server.page(&address)?;
    assert_eq!(before.status, 404);
    assert!(before.text().contains("中心还没有收到"));
    taken(&device, &server, &upload)?;
    let after = server.page(&address)?;
    assert_eq!(after.status, 200);
    let text = after.text();
    for mark in ["已保存本机", "已送达中心", "部门已受理", "已办结"] {
        assert!(text.contains(mark), "{mark}");
    }
    assert!(CANARIES.iter().all(|c| !text.contains(c)));
    assert!(server.page(&format!("{address}&lang=en"))?.text().contains("Delivered to the centre"));
    for wrong in ["", "0000000000000000", &upload.digest.short()[..15], &upload.digest.to_string()] {
        let answer = server.page(&format!("/slips/{number}?d={wrong}"))?;
        assert_eq!((answer.status, answer.body), (404, before.body.clone()), "{wrong}");
    }
    Ok(())
}
