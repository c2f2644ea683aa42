//! What the citizen adds to a case, and takes back, through the terminal's own envelopes.
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::applicant::IdentitySource;
use domain::case::{Action, CaseState};
use domain::ids::EnvelopeId;
use domain::wire::v1::{EnvelopeHeader, EnvelopeKind, Supplement, Withdrawal};
use image::ImageFormat;
use serde_json::{Map, Value as Json, json};
use tests::device::{courier, header_of, now_ms, wait_for_state};

use sync_server::services::erasure::{self, Erasure, Why};
use sync_server::store::in_transaction;

use super::{Case, Desk, leads_to, offered};
use crate::images::{file, picture};

/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(60);

/// The header of what refers to a case.
pub(super) fn refers(header: &mut EnvelopeHeader, kind: EnvelopeKind, to: EnvelopeId) {
    (header.kind, header.refers_to, header.number) = (kind, Some(to), None);
}

/// A supplement of the applicant with these answers.
pub(super) fn supplement(answers: &Json) -> Result<Vec<u8>> {
    let answers: Map<String, Json> = answers.as_object().cloned().context("answers")?;
    Ok(serde_json::to_vec(&Supplement { applicant: courier().applicant, answers })?)
}

fn said(output: &Output) -> Result<String> {
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Desk {
    /// A case that waits for the phone and a copy of the bank card, both asked for by one department.
    pub(super) fn asked(&mut self) -> Result<Case> {
        let case = self.bundle()?;
        leads_to(&self.does((&self.hall, &case), "s1", "accept", &[])?)?;
        leads_to(&self.does((&self.pension, &case), "s3", "take", &[])?)?;
        let wants =
            [("want", "phone:unclear"), ("want", "material.3:missing"), ("days", "5"), ("text", "请补")];
        leads_to(&self.does((&self.pension, &case), "s3", "return", &wants)?)?;
        self.happens(&case, Action::SupplementSent { due_ms: now_ms() + 86_400_000 })?;
        Ok(case)
    }

    /// Sends a follow-up; gives what became of it.
    pub(super) fn follows(&mut self, case: &Case, kind: EnvelopeKind, plain: &[u8]) -> Result<String> {
        let upload = self.device.seal_with(plain, |header| refers(header, kind, case.id))?;
        self.device.send(&self.server, std::slice::from_ref(&upload))?;
        self.settled(&header_of(&upload)?.envelope_id)
    }

    /// What became of an envelope, once it waits no longer.
    pub(super) fn settled(&self, id: &EnvelopeId) -> Result<String> {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            let sql = format!("SELECT disposition FROM envelope WHERE envelope_id = '{id}'");
            let rows = self.server.rows(&sql, &[])?;
            match rows.first().context("an envelope")?.text(0)? {
                "held" | "waiting" => std::thread::yield_now(),
                other => return Ok(other.to_owned()),
            }
        }
        bail!("it waits for ever")
    }

    /// How many keys, and how many sealed contents, there are of a case and of what refers to it.
    fn kept(&self, case: &Case) -> Result<(i64, i64)> {
        let of =
            format!("(SELECT envelope_id FROM envelope WHERE '{0}' IN (envelope_id, refers_to))", case.id);
        let keys = self.server.number(&format!("SELECT COUNT(*) FROM case_key WHERE envelope_id IN {of}"))?;
        let full = "SELECT COUNT(*) FROM envelope WHERE LENGTH(ciphertext) > 0 AND envelope_id IN";
        Ok((keys, self.server.number(&format!("{full} {of}"))?))
    }

    fn alarms(&self, kind: &str) -> Result<i64> {
        self.server.number(&format!("SELECT COUNT(*) FROM alarm WHERE kind = '{kind}'"))
    }
}

#[test]
fn a_supplement_takes_the_place_of_what_was_asked_for_and_of_nothing_else() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("等补正") && page.contains("139****9000"), "{page}");
    let png = file(&picture(40, 30), ImageFormat::Png)?;
    let (upload, pages) = desk.device.seal_naming(std::slice::from_ref(&png), |header, pages| {
        refers(header, EnvelopeKind::Supplement, case.id);
        let page = pages.first().context("a page")?;
        let scan = json!([{ "hash": page.digest, "bytes": png.len(), "kind": "image/png" }]);
        supplement(&json!({ "phone": "13700137123", "material.3": scan, "job_desc": "没有问过的" }))
    })?;
    let header = desk.sends_pages(&upload, &pages)?;
    assert_eq!(desk.settled(&header.envelope_id)?, "taken");

    // The department sees the new ones, marked, and goes on where it stopped.
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("137****7123") && !page.contains("139****9000"), "{page}");
    assert_eq!(page.matches("补正于").count(), 3, "the phone, the material and the scan: {page}");
    assert!(offered(&page).contains(&"pass"), "{:?}", offered(&page));
    let shown = desk.case(&desk.hall, &case, "s1")?;
    assert!(shown.contains("送外卖") && !shown.contains("没有问过的"), "nobody asked for it: {shown}");
    let scan = format!("/desk/{}/attachments/1-1", case.number);
    let answer = desk.server.page_of(&desk.pension, &scan)?;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/png")));
    assert_eq!(desk.audited_of(&header.envelope_id, "attachment.seen")?, 1);
    assert_eq!(desk.server.page_of(&desk.stranger, &scan)?.status, 403, "no part in it");
    for odd in ["2-1", "1-2", "0-1", "1-01", "1-", "-1", "1-1-1"] {
        let path = format!("/desk/{}/attachments/{odd}", case.number);
        assert_eq!(desk.server.page_of(&desk.pension, &path)?.status, 404, "{odd}");
    }
    let pauses = desk.server.number("SELECT COUNT(*) FROM case_ WHERE standing = 1")?;
    assert_eq!(pauses, 0, "the clock goes on");
    assert_eq!(desk.sends_pages(&upload, &[])?.envelope_id, header.envelope_id, "sent once more");
    assert_eq!(desk.actions(&case, "supplement_received")?, 1);
    Ok(())
}

#[test]
fn what_does_not_fit_the_form_or_names_no_page_leaves_the_old_answer() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let file = json!([{ "hash": "0".repeat(64), "bytes": 3, "kind": "image/png" }]);
    let answers = json!({ "phone": "<script>alert(1)</script>", "material.3": file });
    assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &supplement(&answers)?)?, "taken");
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("139****9000") && !page.contains("<script>alert"), "{page}");
    assert!(!page.contains("补正于") && page.contains("补正内容不合格"), "{page}");
    for hostile in [json!({ "phone": [[[]]] }), json!({ "phone": null, "material.3": 7, "material.99": {} })]
    {
        assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &supplement(&hostile)?)?, "taken");
        assert!(desk.case(&desk.pension, &case, "s3")?.contains("139****9000"));
    }
    Ok(())
}

#[test]
fn what_a_step_has_decided_on_is_not_exchanged_behind_its_decision() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let first = supplement(&json!({ "phone": "13700137123" }))?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &first)?, "taken");
    leads_to(&desk.does((&desk.pension, &case), "s3", "pass", &[])?)?;
    let second = supplement(&json!({ "phone": "13700137999" }))?;
    desk.follows(&case, EnvelopeKind::Supplement, &second)?;
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("137****7123") && !page.contains("137****7999"), "{page}");
    Ok(())
}

#[test]
fn what_waited_for_its_pages_does_not_take_the_place_of_what_came_after_it() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let png = file(&picture(40, 30), ImageFormat::Png)?;
    let (first, pages) = desk.device.seal_naming(std::slice::from_ref(&png), |header, pages| {
        refers(header, EnvelopeKind::Supplement, case.id);
        let page = pages.first().context("a page")?;
        let scan = json!([{ "hash": page.digest, "bytes": png.len(), "kind": "image/png" }]);
        supplement(&json!({ "phone": "13700137001", "material.3": scan }))
    })?;
    // Both come in one call: no clock tells them apart.
    let second = supplement(&json!({ "phone": "13700137002" }))?;
    let second =
        desk.device.seal_with(&second, |header| refers(header, EnvelopeKind::Supplement, case.id))?;
    desk.device.send(&desk.server, &[first.clone(), second.clone()])?;
    assert_eq!(desk.settled(&header_of(&second)?.envelope_id)?, "taken");
    let second_scan = format!("/desk/{}/attachments/2-1", case.number);
    assert_eq!(desk.server.page_of(&desk.pension, &second_scan)?.status, 404, "its pages are awaited");
    let header = desk.sends_pages(&first, &pages)?;
    assert_eq!(desk.settled(&header.envelope_id)?, "taken");
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("137****7002") && !page.contains("137****7001"), "{page}");
    // What was taken last is the last, whatever came first.
    assert_eq!(desk.server.page_of(&desk.pension, &second_scan)?.status, 200);
    Ok(())
}

#[test]
fn a_page_that_was_given_up_did_not_come() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let png = file(&picture(40, 30), ImageFormat::Png)?;
    let (upload, _) = desk.device.seal_naming(std::slice::from_ref(&png), |header, pages| {
        refers(header, EnvelopeKind::Supplement, case.id);
        let page = pages.first().context("a page")?;
        let scan = json!([{ "hash": page.digest, "bytes": png.len(), "kind": "image/png" }]);
        supplement(&json!({ "phone": "13700137123", "material.3": scan }))
    })?;
    desk.device.send(&desk.server, std::slice::from_ref(&upload))?;
    said(&desk.server.command(&["attachments", "give-up", "--number", &case.number, "--early"])?)?;
    // The next one wakes whoever looks.
    desk.follows(&case, EnvelopeKind::Supplement, &supplement(&json!({}))?)?;
    assert_eq!(desk.settled(&header_of(&upload)?.envelope_id)?, "taken");
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("137****7123"), "{page}");
    assert!(page.contains("沿用原来的：银行卡（文件没有随申报送来）"), "{page}");
    Ok(())
}

#[test]
fn a_case_is_taken_back_with_the_card_and_not_with_a_number_that_somebody_knows() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.item()?;
    let mut typed = courier().applicant;
    typed.source = IdentitySource::Typed;
    let plain = serde_json::to_vec(&Withdrawal { applicant: typed })?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Withdrawal, &plain)?, "quarantined");
    assert_eq!((desk.alarms("follow-up.not-proven")?, desk.actions(&case, "completed")?), (1, 0));
    Ok(())
}

#[test]
fn somebody_else_can_neither_add_nor_take_back_and_is_told_of() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let mut other = courier().applicant;
    other.id_number = "639900194403150015".to_owned();
    let supplement = Supplement { applicant: other.clone(), answers: Map::new() };
    let withdrawal = Withdrawal { applicant: other };
    let envelopes = [
        (EnvelopeKind::Supplement, serde_json::to_vec(&supplement)?),
        (EnvelopeKind::Withdrawal, serde_json::to_vec(&withdrawal)?),
    ];
    for (n, (kind, plain)) in (1..).zip(envelopes) {
        assert_eq!(desk.follows(&case, kind, &plain)?, "quarantined");
        assert_eq!(desk.alarms("follow-up.another-person")?, n);
    }
    for kind in [EnvelopeKind::Supplement, EnvelopeKind::Withdrawal] {
        assert_eq!(desk.follows(&case, kind, b"{\"applicant\":7}")?, "quarantined");
    }
    assert_eq!(desk.alarms("follow-up.cannot-open")?, 2);
    assert_eq!(desk.actions(&case, "supplement_received")? + desk.actions(&case, "completed")?, 0);
    Ok(())
}

#[test]
fn a_withdrawal_ends_the_case_and_what_comes_afterwards_is_late() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let withdrawal = serde_json::to_vec(&Withdrawal { applicant: courier().applicant })?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Withdrawal, &withdrawal)?, "taken");
    wait_for_state(&desk.device, &desk.server, case.id, CaseState::Completed)?;
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(page.contains("撤回") && offered(&page) == ["note"], "{:?}", offered(&page));
    let late = supplement(&json!({ "phone": "13700137123" }))?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &late)?, "late");
    assert_eq!(desk.follows(&case, EnvelopeKind::Withdrawal, &withdrawal)?, "late");
    assert_eq!(desk.alarms("follow-up.late")?, 2);
    assert_eq!(desk.actions(&case, "completed")?, 1);

    // What is late is erased with its case, in whatever order they came.
    let mut store = desk.server.database()?.open()?;
    let erasures = [Erasure { envelope_id: case.id, at_ms: now_ms(), why: Why::Request }];
    in_transaction(store.as_mut(), |tx| erasure::erase(tx, &erasures))?;
    assert_eq!(desk.kept(&case)?, (0, 0));
    assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &late)?, "quarantined");
    assert_eq!(desk.alarms("follow-up.no-case")?, 1);
    in_transaction(store.as_mut(), erasure::erase_returned)?;
    assert_eq!(desk.kept(&case)?, (0, 0));
    Ok(())
}

#[test]
fn a_supplement_is_erased_with_its_case_and_its_pages_can_be_given_up() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let answers = supplement(&json!({ "phone": "13700137123" }))?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Supplement, &answers)?, "taken");
    assert_eq!(desk.kept(&case)?, (2, 2));
    // One page that never comes: it is told, and can be given up.
    let (upload, _) = desk.device.seal_naming(&[b"lost".to_vec()], |header, _| {
        refers(header, EnvelopeKind::Supplement, case.id);
        Ok(answers.clone())
    })?;
    desk.device.send(&desk.server, std::slice::from_ref(&upload))?;
    let id = header_of(&upload)?.envelope_id;
    let list = said(&desk.server.command(&["attachments", "list"])?)?;
    assert!(
        list.contains(&case.number) && list.contains(&id.to_string()) && list.contains("supplement"),
        "{list}"
    );
    let given =
        said(&desk.server.command(&["attachments", "give-up", "--number", &case.number, "--early"])?)?;
    assert!(given.contains("1 attachments"), "{given}");
    let withdrawal = serde_json::to_vec(&Withdrawal { applicant: courier().applicant })?;
    assert_eq!(desk.follows(&case, EnvelopeKind::Withdrawal, &withdrawal)?, "taken");
    assert_eq!(desk.settled(&id)?, "taken", "without its page");
    let mut store = desk.server.database()?.open()?;
    let erasures = [Erasure { envelope_id: case.id, at_ms: now_ms(), why: Why::Request }];
    in_transaction(store.as_mut(), |tx| erasure::erase(tx, &erasures))?;
    assert_eq!(desk.kept(&case)?, (0, 0));
    Ok(())
}

#[test]
fn what_comes_before_its_case_waits_for_it() -> Result<()> {
    let mut desk = Desk::new()?;
    let first = desk.device.seal(&courier())?;
    let id = header_of(&first)?.envelope_id;
    let plain = serde_json::to_vec(&Withdrawal { applicant: courier().applicant })?;
    let early = desk.device.seal_with(&plain, |header| refers(header, EnvelopeKind::Withdrawal, id))?;
    for upload in [&early, &first] {
        let answer = desk.device.send(&desk.server, std::slice::from_ref(upload))?;
        ensure!(answer.results.iter().all(|result| result.receipt.is_some()), "a receipt for each");
    }
    assert_eq!(desk.settled(&header_of(&early)?.envelope_id)?, "taken");
    wait_for_state(&desk.device, &desk.server, id, CaseState::Completed)?;
    Ok(())
}
