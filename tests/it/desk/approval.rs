//! 自动审批 over a real server: a company from submission to a licence that anybody can check, what goes to people and why, and
//! a change of rules that is replayed before it is published.
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::envelope::SignedDocument;
use domain::wire::v1::Submission;
use serde_json::{Value, json};
use sync_server::auth::role::Role;
use tests::binaries::repository;
use tests::browser::Browser;
use tests::device::{courier, header_of, wait_for_state};
use tests::people::Person;

use super::{Case, Desk, NAME, leads_to, offered};

const COMPANY: &str = "one.ent-open";
const PLEDGE: &str = "hrss.flex-job-reg";
const REGISTRY: &str = "市场监管";

fn rules(name: &str) -> String {
    repository().join("assets/rules").join(name).display().to_string()
}

/// One person opens a company, all of it electronic.
fn company(name: &str) -> Submission {
    let mut submission = courier();
    let sign = submission.answers.remove("sign").unwrap_or_default();
    let answers = json!({
        "biz_name": name, "biz_scope": "餐饮服务", "legal_rep": NAME, "biz_capital": 10,
        "biz_addr": {"region": "630102", "detail": "样例路1号"}, "phone": "13900139000", "sign": sign,
    });
    submission.answers = answers.as_object().cloned().unwrap_or_default();
    let situation = [("staff", "no"), ("seal", "no"), ("bank", "no"), ("paper", "no")];
    let chosen = situation.map(|(q, o)| (q.to_owned(), std::iter::once(o.to_owned()).collect()));
    submission.situation = Some(chosen.into_iter().collect());
    submission
}

/// Somebody registers flexible work on a pledge.
fn pledge(job: &str) -> Submission {
    let mut submission = courier();
    let keep = ["phone", "residence_addr", "sign"];
    submission.answers.retain(|key, _| keep.contains(&key.as_str()));
    let today = domain::date::CivilDate::in_china(tests::device::now_ms()).to_string();
    for (key, value) in [("job_type", job), ("job_desc", "上门打扫"), ("start_date", &today)] {
        submission.answers.insert(key.to_owned(), json!(value));
    }
    submission.situation = None;
    submission
}

impl Desk {
    /// A desk whose rules for both samples are published.
    fn with_rules() -> Result<Self> {
        let desk = Self::new()?;
        for entry in [COMPANY, PLEDGE] {
            desk.says(&["rules", "publish", &rules(&format!("{entry}.json")), "--by", "样例员"])?;
        }
        Ok(desk)
    }

    /// What a command says, which must go well.
    fn says(&self, arguments: &[&str]) -> Result<String> {
        let output = self.server.command(arguments)?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A submission comes in, and is not waited for.
    fn hands_in(&mut self, submission: &Submission, code: &str) -> Result<Case> {
        let item = code.parse()?;
        let plain = serde_json::to_vec(submission)?;
        let upload = self.device.seal_with(&plain, |header| header.item = Some(item))?;
        let header = header_of(&upload)?;
        self.device.send(&self.server, std::slice::from_ref(&upload))?;
        Ok(Case { id: header.envelope_id, number: header.number.context("a number")?.to_string() })
    }

    /// Waits, through the news of the station, until a case is accepted or completed.
    fn until(&self, case: &Case, state: CaseState) -> Result<()> {
        wait_for_state(&self.device, &self.server, case.id, state).map(|_| ())
    }

    /// Waits until what stands of a case in the table of steps that rules judge is this.
    fn until_judged(&self, case: &Case, state: &str) -> Result<()> {
        let sql =
            format!("SELECT COUNT(*) FROM automatic WHERE envelope_id = '{}' AND state = '{state}'", case.id);
        let begun = Instant::now();
        while self.server.number(&sql)? == 0 {
            ensure!(begun.elapsed() < Duration::from_secs(60), "{} is never {state}", case.number);
            std::thread::yield_now();
        }
        Ok(())
    }
}

/// What stands behind a text on a page, up to a sign.
fn behind<'a>(page: &'a str, start: &str, end: char) -> Result<&'a str> {
    let rest = page.split(start).nth(1).with_context(|| format!("no {start} in {page}"))?;
    rest.split(end).next().context("an end")
}

#[test]
fn a_company_is_opened_while_its_owner_watches_and_anybody_can_check_the_licence() -> Result<()> {
    let mut desk = Desk::with_rules()?;
    let clerk = desk.server.person_of(("市甲", REGISTRY), &[Role::Clerk, Role::Reviewer])?;
    let begun = Instant::now();
    let case = desk.hands_in(&company("西宁市样稻餐饮有限公司"), COMPANY)?;
    desk.until(&case, CaseState::Accepted)?;
    let page = desk.case(&clerk, &case, "s2")?;
    let took = begun.elapsed();
    eprintln!("a company, from sending to its licence: {} ms", took.as_millis());
    ensure!(took < Duration::from_secs(120), "{took:?}");
    for words in
        ["自动审批", "自动准予", "名称可用、人员合格、资料齐全", "模拟数据源", "市场主体登记库", "已答复"]
    {
        ensure!(page.contains(words), "{words}: {page}");
    }
    let address = format!("/desk/{}/certificates/", case.number);
    let number = behind(&page, &format!("href=\"{address}"), '"')?;
    let file = desk.server.page_of(&clerk, &format!("{address}{number}/file"))?.json::<SignedDocument>()?;
    let body: Value = serde_json::from_slice(&file.body.0)?;
    let public = format!("/certificates/{number}?t={}", body["token"].as_str().context("a token")?);
    let public = desk.server.public_page(&public)?.text();
    ensure!(public.contains("有效") && public.contains("设立登记") && !public.contains(NAME), "{public}");
    // The tax office goes on; nobody had to do anything before.
    let tax = desk.server.person_of(("税甲", "税务"), &[Role::Reviewer])?;
    ensure!(desk.page(&tax, "/desk")?.contains(&case.number));
    let other = desk.case(&tax, &case, "s4")?;
    ensure!(!other.contains("id=\"approval\""), "what a rule found of somebody is for the step's unit");
    leads_to(&desk.does((&tax, &case), "s4", "pass", &[])?)?;
    ensure!(desk.case(&clerk, &case, "s2")?.contains("准予"));
    let told = desk.says(&["verify"])?;
    ensure!(told.contains("1 decisions by rules were made again of their facts"), "{told}");

    // The same name once more: a person looks, and hears why.
    let twin = desk.hands_in(&company("西宁市样稻餐饮有限责任公司"), COMPANY)?;
    desk.until_judged(&twin, "person")?;
    let inbox = desk.page(&clerk, "/desk")?;
    ensure!(inbox.contains("转人工：拟不予，请人工判断：名称与在先企业名称相同"), "{inbox}");
    let page = desk.case(&clerk, &twin, "s2")?;
    ensure!(page.contains("名称与在先企业名称相同") && offered(&page).contains(&"note"), "{page}");
    ensure!(desk.actions(&twin, "refused")? == 0 && desk.actions(&twin, "accepted")? == 0);
    // Whoever accepts it but does not do that step reads that a person decides, and not why.
    let away = [("unit", "税务"), ("text", "请税务受理")];
    leads_to(&desk.does((&clerk, &twin), "s1", "transfer", &away)?)?;
    let theirs = desk.page(&tax, "/desk")?;
    ensure!(theirs.contains(&twin.number) && theirs.contains("转人工"), "{theirs}");
    ensure!(!theirs.contains("转人工：") && !theirs.contains("名称与在先企业名称相同"), "{theirs}");
    Ok(())
}

#[test]
fn a_pledge_is_decided_at_once_and_a_source_that_is_away_ends_with_a_person() -> Result<()> {
    let mut desk = Desk::with_rules()?;
    let case = desk.hands_in(&pledge("家政"), PLEDGE)?;
    desk.until(&case, CaseState::Completed)?;
    let page = desk.case(&desk.pension, &case, "review")?;
    ensure!(page.contains("自动准予") && page.contains("自动审批 · "), "{page}");

    // One source talks nonsense, one is away; both are told as what they are.
    let away = json!({ "data_label": "sample", "sources": {
        "credit": { "purpose": "p", "basis": "b", "simulated": { "fault": "down" } },
        "social_insurance": { "purpose": "p", "basis": "b", "simulated": { "fault": "nonsense" } },
    } });
    let settings = desk.server.data().join("sources.json");
    std::fs::write(&settings, away.to_string())?;
    let waits = desk.hands_in(&pledge("家政"), PLEDGE)?;
    let sql = format!("SELECT COUNT(*) FROM action WHERE envelope_id = '{}' AND kind = 'judged'", waits.id);
    while desk.server.number(&sql)? == 0 {
        std::thread::yield_now();
    }
    let page = desk.case(&desk.pension, &waits, "review")?;
    for words in ["自动审批中", "数据源没有答复", "答复无法使用", "等数据源答复"] {
        ensure!(page.contains(words), "{words}: {page}");
    }
    // They answer again: it is decided without anybody's doing.
    std::fs::remove_file(&settings)?;
    desk.until(&waits, CaseState::Completed)?;

    // Nobody is set up to be asked: a person at once.
    std::fs::write(&settings, json!({ "sources": {} }).to_string())?;
    let alone = desk.hands_in(&pledge("家政"), PLEDGE)?;
    desk.until_judged(&alone, "person")?;
    let inbox = desk.page(&desk.pension, "/desk")?;
    std::fs::remove_file(&settings)?;
    ensure!(inbox.contains("转人工：没有取得：") && inbox.contains("没有查询"), "{inbox}");
    Ok(())
}

#[test]
fn a_change_of_rules_is_replayed_before_it_is_published() -> Result<()> {
    let mut desk = Desk::with_rules()?;
    for _ in 0..2 {
        let case = desk.hands_in(&pledge("家政"), PLEDGE)?;
        desk.until(&case, CaseState::Completed)?;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("new.json").display().to_string();
    let text = std::fs::read_to_string(rules("hrss.flex-job-reg.json"))?;
    let mut changed: Value = serde_json::from_str(&text.replace(r#""value": 16"#, r#""value": 40"#))?;
    changed["version"] = json!(2);
    std::fs::write(&file, changed.to_string())?;
    ensure!(desk.says(&["rules", "check", &file])?.contains("version 2: no mistakes"));
    let early = desk.server.command(&["rules", "publish", &file, "--by", "样例员"])?;
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    ensure!(!early.status.success() && told.contains("nobody replayed it against version 1"), "{told}");
    let report = desk.says(&["rules", "replay", &file, "--by", "样例员"])?;
    for part in [
        "2 cases replayed: 0 come out the same, 0 the same for other reasons, 2 otherwise",
        "approved to a person, refusal proposed: 2",
        "first differs too-young: nothing, now objected",
    ] {
        ensure!(report.contains(part), "{part}: {report}");
    }
    let json: Value =
        serde_json::from_str(&desk.says(&["rules", "replay", &file, "--by", "样例员", "--json"])?)?;
    ensure!(json["cases"] == 2 && json["changed"].as_array().is_some_and(|c| c.len() == 2), "{json}");
    ensure!(!json.to_string().contains(NAME), "nobody is named");
    ensure!(desk.says(&["rules", "publish", &file, "--by", "样例员"])?.contains("version 2 published"));
    ensure!(desk.says(&["rules", "list"])?.lines().count() == 3);
    let case = desk.hands_in(&pledge("家政"), PLEDGE)?;
    desk.until_judged(&case, "person")?;
    let page = desk.case(&desk.pension, &case, "review")?;
    ensure!(page.contains("未满十六周岁") && page.contains("第 2 版"), "{page}");

    // Mistakes are told with their place, and change nothing.
    changed["facts"][0]["id"] = json!("Not a name");
    std::fs::write(&file, changed.to_string())?;
    let wrong = desk.server.command(&["rules", "check", &file])?;
    let told = String::from_utf8_lossy(&wrong.stdout).into_owned();
    ensure!(wrong.status.code() == Some(1) && told.contains("facts.Not a name"), "{told}");
    Ok(())
}

#[test]
fn the_pages_of_what_rules_decided_fit_a_workstation_and_a_phone() -> Result<()> {
    let mut desk = Desk::with_rules()?;
    let clerk: Person = desk.server.person_of(("市甲", REGISTRY), &[Role::Clerk, Role::Reviewer])?;
    let good = desk.hands_in(&company("西宁市样果餐饮有限公司"), COMPANY)?;
    desk.until(&good, CaseState::Accepted)?;
    let bad = desk.hands_in(&company("西宁市样果餐饮有限责任公司"), COMPANY)?;
    desk.until_judged(&bad, "person")?;
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &clerk)?;
    for (name, path) in [
        ("approval-inbox", "/desk".to_owned()),
        ("approval-granted", format!("/desk/{}?step=s2#approval", good.number)),
        ("approval-person", format!("/desk/{}?step=s2#approval", bad.number)),
    ] {
        super::fits::fits(&browser, &desk.server.people, (name, &path))?;
    }
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
