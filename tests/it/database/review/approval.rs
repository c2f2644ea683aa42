//! 自动审批 on both databases: what a machine approves, what it hands to people, by which version, with which facts; who has
//! which name; what fails is in `failing`.
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, Outcome, Plan, StepState};
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use domain::rules::company_name::NameWords;
use domain::rules::{Evidence, FactValue, OutcomeKind, Reason, RuleSet, Why};
use domain::wire::v1::Submission;
use serde_json::json;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::refold_command::{Report, confirm};
use sync_server::services::approval::names::{self, Register};
use sync_server::services::approval::rule_sets::{self, PublishError};
use sync_server::services::approval::{
    self, AUTOMATIC, Answered, Consent, Done, Judged, Look, Matter, Progress, last_facts, looks_of_case,
};
use sync_server::services::erasure::{self, Erasure, Why as Erased};
use sync_server::services::results;
use sync_server::services::review::Deed;
use sync_server::store::{in_transaction, migrate};
use tests::binaries::repository;
use tests::device::courier_at;

use super::super::driver::both_empty;
use super::bundles::{by, plan_of};
use super::clicks::pass;
use super::on_both;
use super::stage::{HOUR_MS, MINUTE_MS, Stage, TUESDAY_MS, code, sample};

pub(super) const PLEDGE: &str = "hrss.flex-job-reg";
pub(super) const COMPANY: &str = "one.ent-open";
const PENSION: &str = "人社";
pub(super) const REGISTRY: &str = "市场监管";

fn rules(name: &str) -> Result<Vec<u8>> {
    Ok(std::fs::read(repository().join("assets/rules").join(name))?)
}

pub(super) fn words() -> Result<NameWords> {
    Ok(NameWords::parse(&rules("company-names.json")?, &rules("name-signs.json")?)?)
}

/// The sample rules of an entry, as another version and with another text in the place of one.
pub(super) fn version(entry: &str, version: u64, (was, is): (&str, &str)) -> Result<RuleSet> {
    let text = String::from_utf8(rules(&format!("{entry}.json"))?)?;
    ensure!(was.is_empty() || text.contains(was), "{was}");
    let text = if was.is_empty() { text } else { text.replace(was, is) };
    let mut file: serde_json::Value = serde_json::from_str(&text)?;
    file["version"] = json!(version);
    RuleSet::parse(file.to_string().as_bytes()).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

pub(super) fn publish(stage: &mut Stage<'_>, set: &RuleSet) -> Result<bool, PublishError> {
    let (catalogue, now_ms) =
        (sample().map_err(|e| ServiceError::Inconsistent(e.to_string()))?, stage.now_ms);
    in_transaction(&mut *stage.driver, |tx| rule_sets::publish(tx, now_ms, (set, &catalogue), "样例员"))
}

pub(super) fn pledge(now_ms: i64) -> Submission {
    let mut submission = courier_at(now_ms);
    let today = CivilDate::in_china(now_ms).to_string();
    submission.answers.insert("job_type".into(), json!("家政"));
    submission.answers.insert("job_desc".into(), json!("打扫"));
    submission.answers.insert("start_date".into(), json!(today));
    submission
}

pub(super) fn company(now_ms: i64, name: &str) -> Submission {
    let mut submission = courier_at(now_ms);
    let sign = submission.answers.remove("sign").unwrap_or_default();
    let answers = json!({
        "biz_name": name, "biz_scope": "餐饮服务", "legal_rep": "样小川", "biz_capital": 10,
        "biz_addr": {"region": "630102", "detail": "样例路1号"}, "phone": "13900139000", "sign": sign,
    });
    submission.answers = answers.as_object().cloned().unwrap_or_default();
    submission
}

pub(super) fn one_step() -> Result<Plan> {
    plan_of(PLEDGE, &[])
}

pub(super) fn company_plan() -> Result<Plan> {
    plan_of(COMPANY, &[("staff", "no"), ("seal", "no"), ("bank", "no"), ("paper", "no")])
}

/// What sources say of everybody.
pub(super) fn said(stage: &Stage<'_>) -> BTreeMap<String, Evidence> {
    let on = CivilDate::in_china(stage.now_ms);
    let no = |values: &[&str]| Evidence {
        on,
        answer: Ok(values.iter().map(|v| ((*v).to_owned(), FactValue::Bool(false))).collect()),
    };
    BTreeMap::from([
        ("credit".to_owned(), no(&["promise_broken"])),
        ("social_insurance".to_owned(), no(&["insured_by_employer"])),
        ("market_register".to_owned(), no(&["representative_barred", "premises_irregular"])),
    ])
}

fn look() -> Look {
    Look {
        source: "credit".into(),
        purpose: "核对".into(),
        basis: "依据".into(),
        consent: Consent::Signed,
        simulated: true,
        asked_at_ms: TUESDAY_MS,
        took_ms: 12,
        answered: Answered::Yes,
    }
}

pub(super) fn read(stage: &mut Stage<'_>, id: &EnvelopeId, step: &str) -> Result<Option<Matter>> {
    let words = words()?;
    Ok(stage.in_tx(|tx, context, now_ms| approval::read(tx, context, now_ms, (id, step), Some(&words)))?)
}

fn judged(
    stage: &mut Stage<'_>,
    (id, step): (&EnvelopeId, &str),
    said: BTreeMap<String, Evidence>,
) -> Result<Judged> {
    Ok(read(stage, id, step)?.context("its turn")?.judge(stage.now_ms, said, vec![look()]))
}

fn write(stage: &mut Stage<'_>, judged: &Judged) -> Result<Done, ServiceError> {
    let words = words().map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    stage.in_tx_with_rng(|tx, context, now| approval::write(tx, context, now, judged, Some(&words)))
}

/// One turn of a step.
pub(super) fn turn(
    stage: &mut Stage<'_>,
    (id, step): (&EnvelopeId, &str),
    said: BTreeMap<String, Evidence>,
) -> Result<Done> {
    let judged = judged(stage, (id, step), said)?;
    Ok(write(stage, &judged)?)
}

fn due(stage: &mut Stage<'_>) -> Result<Vec<(EnvelopeId, String)>> {
    Ok(stage.in_tx(|tx, _, now_ms| Ok(approval::due(tx, now_ms, 1_000)?))?)
}

pub(super) fn progress(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<(Progress, Vec<Reason>)> {
    let all = stage.in_tx(|tx, _, _| Ok(approval::of_case(tx, id)?))?;
    let one = all.into_iter().next().context("judged by rules")?;
    Ok((one.progress, one.reasons))
}

pub(super) fn confirmed(stage: &mut Stage<'_>) -> Result<Report> {
    let mut report = Report::default();
    confirm(&mut *stage.driver, &stage.context.keys, &mut report)?;
    Ok(report)
}

/// The whole life, for the conformance suite as well.
pub fn approvals(stage: &mut Stage<'_>) -> Result<()> {
    ensure!(publish(stage, &version(PLEDGE, 1, ("", ""))?)?, "new");
    ensure!(!publish(stage, &version(PLEDGE, 1, ("", ""))?)?, "known");
    ensure!(publish(stage, &version(COMPANY, 1, ("", ""))?)?);
    pledges(stage)?;
    companies(stage)?;
    versions(stage)?;
    keeping(stage)
}

fn pledges(stage: &mut Stage<'_>) -> Result<()> {
    let now_ms = stage.now_ms;
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    ensure!(due(stage)?.iter().any(|(of, step)| *of == id && step == "review"));
    ensure!(turn(stage, (&id, "review"), said(stage))? == Done::Approved);
    ensure!(stage.names(&id)? == ["received", "submitted", "judged", "accepted", "passed", "completed"]);
    ensure!(stage.view(&id)?.outcome == Some(Outcome::Granted));
    let actors =
        "SELECT COUNT(*) FROM action WHERE envelope_id = $1 AND actor = 'automatic' AND role = 'automatic'";
    ensure!(stage.in_tx(|tx, _, _| Ok(tx.query_int(actors, &[id.to_string().into()])?))? == 3);
    ensure!(!due(stage)?.iter().any(|(of, _)| *of == id) && read(stage, &id, "review")?.is_none());
    let looks = stage.in_tx(|tx, _, _| Ok(looks_of_case(tx, &id)?))?;
    ensure!(looks == [look()], "{looks:?}");

    // What a rule objects to is for a person, with the reason; the person decides as ever.
    let mut driver = pledge(now_ms);
    driver.answers.insert("job_type".into(), json!("网约车驾驶"));
    let id = stage.case_with((PLEDGE, 0), one_step()?, &driver)?;
    let mut without = said(stage);
    let none = BTreeMap::from([("ridehail_permit".to_owned(), FactValue::Bool(false))]);
    let on = CivilDate::in_china(now_ms);
    without.insert("transport".into(), Evidence { on, answer: Ok(none) });
    ensure!(turn(stage, (&id, "review"), without)? == Done::Person);
    let why = (Progress::Person, vec![Reason::Rule("ridehail-none".into())]);
    ensure!(progress(stage, &id)? == why);
    ensure!(stage.names(&id)?.last() == Some(&"judged") && stage.view(&id)?.state == CaseState::Submitted);
    stage.click(&by(PENSION, 2), &id, &Deed::Accept)?;
    stage.click(&by(PENSION, 2), &id, &pass("review"))?;
    ensure!(stage.view(&id)?.outcome == Some(Outcome::Granted));

    // A source that is down is asked again, and that has an end.
    let down = |stage: &Stage<'_>| {
        let mut said = said(stage);
        said.insert("credit".into(), Evidence { on, answer: Err(Why::SourceDown) });
        said
    };
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    for _ in 0..3 {
        ensure!(turn(stage, (&id, "review"), down(stage))? == Done::Waits);
        ensure!(due(stage)?.iter().all(|(of, _)| *of != id), "not at once");
        stage.now_ms += 5 * MINUTE_MS;
    }
    ensure!(stage.names(&id)? == ["received", "submitted", "judged"], "that it waits is told once");
    ensure!(turn(stage, (&id, "review"), said(stage))? == Done::Approved, "it answered");
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    ensure!(turn(stage, (&id, "review"), down(stage))? == Done::Waits);
    stage.now_ms += HOUR_MS;
    ensure!(turn(stage, (&id, "review"), down(stage))? == Done::Person);
    let (state, reasons) = progress(stage, &id)?;
    ensure!(state == Progress::Person && matches!(reasons[..], [Reason::FactsMissing(_)]), "{reasons:?}");

    // What nobody is asked, and what was not said, comes no later by itself.
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    ensure!(turn(stage, (&id, "review"), BTreeMap::new())? == Done::Person);

    // Whoever is quicker than the machine has it.
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    let late = judged(stage, (&id, "review"), said(stage))?;
    stage.click(&by(PENSION, 2), &id, &Deed::Take { step: "review".into() })?;
    ensure!(code(write(stage, &late)) == Some(ProblemCode::CaseChanged));
    ensure!(read(stage, &id, "review")?.is_none());
    stage.in_tx(|tx, _, now_ms| approval::put_off(tx, now_ms, (&id, "review")))?;
    ensure!(progress(stage, &id)?.0 == Progress::Over && stage.state(&id, "review")? == StepState::Taken);

    // A turn that breaks off has others, and in the end a person.
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    let breaks = |stage: &mut Stage<'_>| {
        stage.in_tx(|tx, _, now_ms| Ok(approval::give_up(tx, now_ms, (&id, "review"))?))
    };
    for _ in 0..4 {
        ensure!(!breaks(stage)?);
    }
    ensure!(breaks(stage)? && progress(stage, &id)? == (Progress::Person, vec![]));
    Ok(())
}

fn companies(stage: &mut Stage<'_>) -> Result<()> {
    let now_ms = stage.now_ms;
    let name = "西宁市样禾餐饮有限公司";
    let id = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, name))?;
    let twin = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, name))?;
    // Both are judged while the name is free; the second one to be written hears that it is not any more.
    let (first, second) =
        (judged(stage, (&id, "s2"), said(stage))?, judged(stage, (&twin, "s2"), said(stage))?);
    ensure!(second.decision.outcome.kind() == OutcomeKind::Approve);
    ensure!(write(stage, &first)? == Done::Approved);
    ensure!(code(write(stage, &second)) == Some(ProblemCode::CaseChanged));
    ensure!(turn(stage, (&twin, "s2"), said(stage))? == Done::Person);
    ensure!(progress(stage, &twin)?.1 == [Reason::ProposesRefusal("name-taken".into())]);
    ensure!(stage.view(&twin)?.state == CaseState::Submitted, "a machine never refuses");

    let view = stage.view(&id)?;
    ensure!((stage.state(&id, "s1")?, stage.state(&id, "s2")?) == (StepState::Passed, StepState::Passed));
    ensure!(view.step("s2").is_some_and(|step| step.passed_by == [AUTOMATIC]));
    let issued = stage.in_tx(|tx, _, _| Ok(results::of_case(tx, &id)?))?;
    ensure!(issued.len() == 1 && issued[0].issued.revoked.is_none(), "one licence");

    // An answer that changes: the licence is taken back, the rules look again, another one is given.
    stage.by_centre(&id, Action::supplement(id, &["legal_rep"]))?;
    ensure!(progress(stage, &id)?.0 == Progress::Waiting && stage.state(&id, "s2")? == StepState::Ready);
    ensure!(turn(stage, (&id, "s2"), said(stage))? == Done::Approved);
    let issued = stage.in_tx(|tx, _, _| Ok(results::of_case(tx, &id)?))?;
    ensure!(issued.len() == 2 && issued[0].issued.revoked.is_some() && issued[1].issued.revoked.is_none());

    // What does not end as granted gives its name back.
    stage.click(&by(REGISTRY, 2), &id, &Deed::Withdraw)?;
    let again = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, name))?;
    ensure!(turn(stage, (&again, "s2"), said(stage))? == Done::Approved);
    // Something before it is still to be done: its turn comes later.
    let later = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, "西宁市样后餐饮有限公司"))?;
    stage.click(&by(REGISTRY, 2), &later, &Deed::Take { step: "s1".into() })?;
    ensure!(read(stage, &later, "s2")?.is_none(), "the desk has it");
    stage.in_tx(|tx, _, now_ms| approval::put_off(tx, now_ms, (&later, "s2")))?;
    ensure!(
        progress(stage, &later)?.0 == Progress::Waiting && due(stage)?.iter().all(|(of, _)| *of != later)
    );
    stage.now_ms += HOUR_MS;
    stage.click(&by(REGISTRY, 2), &later, &Deed::Accept)?;
    ensure!(turn(stage, (&later, "s2"), said(stage))? == Done::Approved);
    // A case that ends takes the turn with it.
    let ended = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, "西宁市样完餐饮有限公司"))?;
    stage.click(&by(REGISTRY, 2), &ended, &Deed::Withdraw)?;
    ensure!(progress(stage, &ended)?.0 == Progress::Over);
    Ok(())
}

fn versions(stage: &mut Stage<'_>) -> Result<()> {
    let now_ms = stage.now_ms;
    let old = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    let changed = version(PLEDGE, 2, (r#""value": 16"#, r#""value": 40"#))?;
    ensure!(matches!(publish(stage, &changed), Err(PublishError::NotReplayed { in_force: 1 })));
    let same = version(PLEDGE, 1, (r#""value": 16"#, r#""value": 40"#))?;
    ensure!(matches!(publish(stage, &same), Err(PublishError::Version { version: 1, in_force: 1 })));
    let entry = PLEDGE.parse()?;
    let cases = stage.in_tx(|tx, context, _| last_facts(tx, &context.keys, (&entry, "review"), 3))?;
    ensure!(cases.len() == 3, "the last ones");
    let all = stage.in_tx(|tx, context, _| last_facts(tx, &context.keys, (&entry, "review"), 1_000))?;
    let in_force = stage.in_tx(|tx, _, _| rule_sets::newest(tx, &entry, "review"))?.context("in force")?;
    let report =
        domain::rules::replay(&in_force, &changed, all.iter().map(|(number, facts)| (number.clone(), facts)));
    ensure!(report.decided_otherwise() > 0 && report.cases == all.len() as u64, "{report:?}");
    let first = report.changed[0].first.as_ref().context("a rule")?;
    ensure!(first.rule == "too-young", "{first:?}");
    let counts = (report.cases, report.decided_otherwise());
    in_transaction(&mut *stage.driver, |tx| {
        rule_sets::note_replay(tx, now_ms, (&changed, &in_force), counts, "样例员")
    })?;
    ensure!(publish(stage, &changed)?);
    let new = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    ensure!(turn(stage, (&new, "review"), said(stage))? == Done::Person, "36 is too young now");
    ensure!(turn(stage, (&old, "review"), said(stage))? == Done::Approved, "by the version of its opening");
    let audited = "SELECT COUNT(*) FROM audit WHERE event IN ('rules.published', 'rules.replayed')";
    ensure!(stage.in_tx(|tx, _, _| Ok(tx.query_int(audited, &[])?))? == 4);
    let listed = stage.in_tx(|tx, _, _| Ok(rule_sets::all(tx)?))?;
    ensure!(listed.iter().map(|set| set.version).collect::<Vec<_>>() == [1, 2, 1], "{listed:?}");
    let foreign = version(PLEDGE, 3, (r#""field": "start_date""#, r#""field": "birthday""#))?;
    let told = publish(stage, &foreign).err().map(|e| e.to_string()).unwrap_or_default();
    ensure!(told.contains("facts.form.start"), "{told}");
    Ok(())
}

fn keeping(stage: &mut Stage<'_>) -> Result<()> {
    ensure!(stage.in_tx(|tx, _, _| Ok(approval::any_judged(tx)?))?);
    let report = confirmed(stage)?;
    ensure!(report.differences == 0 && report.judgements > 5, "{report:?}");
    // Facts say who it was: they go with the case, and what was decided stays.
    let now_ms = stage.now_ms;
    let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
    turn(stage, (&id, "review"), said(stage))?;
    let version = stage.history(&id)?.iter().find(|r| r.action.name() == "judged").context("judged")?.version;
    let key = stage.key(&id)?;
    let judgement = |stage: &mut Stage<'_>| -> Result<approval::Judgement> {
        stage.in_tx(|tx, _, _| Ok(approval::of_action(tx, &id, version)?))?.context("stored")
    };
    ensure!(judgement(stage)?.open(&key)?.is_some());
    let erasures = [Erasure { envelope_id: id, at_ms: stage.now_ms, why: Erased::Request }];
    ensure!(stage.in_tx(|tx, _, _| Ok(erasure::erase(tx, &erasures)?))? == 1);
    ensure!(judgement(stage)?.open(&key)?.is_none(), "whoever kept the key has nothing to open");
    ensure!(confirmed(stage)?.differences == 0);

    let words = words()?;
    let register = Register { words: &words, authority: 630_100 };
    let keep = |stage: &mut Stage<'_>, name: &str, holder: &[u8]| {
        stage.in_tx(|tx, _, now_ms| register.keep(tx, (now_ms, 30), name, holder))
    };
    let (one, other) = (names::holder(&stage.context.keys, "1"), names::holder(&stage.context.keys, "2"));
    let until_ms = keep(stage, "西宁市样留餐饮有限公司", &one)?.context("free")?;
    ensure!(until_ms == stage.now_ms + 30 * MINUTE_MS);
    ensure!(keep(stage, "西宁样留餐饮有限责任公司", &other)?.is_none(), "the same by its parts");
    stage.now_ms += 10 * MINUTE_MS;
    ensure!(keep(stage, "西宁市样留餐饮有限公司", &one)? == Some(until_ms + 10 * MINUTE_MS), "longer");
    for name in ["西宁市样乙餐饮有限公司", "西宁市样丙餐饮有限公司"] {
        ensure!(keep(stage, name, &one)?.is_some());
    }
    ensure!(code(keep(stage, "西宁市样丁餐饮有限公司", &one)) == Some(ProblemCode::TooManyRequests));
    stage.now_ms += 31 * MINUTE_MS;
    ensure!(keep(stage, "西宁市样留餐饮有限公司", &other)?.is_some(), "its time was over");
    Ok(())
}

#[test]
fn machines_approve_or_hand_over_and_keep_why_on_both() -> Result<()> {
    on_both(approvals)
}

#[test]
fn a_decision_or_facts_that_somebody_changed_are_found_on_both() -> Result<()> {
    on_both(|stage| {
        publish(stage, &version(PLEDGE, 1, ("", ""))?)?;
        let now_ms = stage.now_ms;
        let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
        turn(stage, (&id, "review"), said(stage))?;
        ensure!(confirmed(stage)?.differences == 0);
        let mine = || id.to_string();
        let change = |stage: &mut Stage<'_>, sql: &str| -> Result<u64> {
            Ok(stage.in_tx(|tx, _, _| Ok(tx.execute(sql, &[mine().into()])?))?)
        };
        // The decision: a rule that held not is said to hold.
        let body = "SELECT body FROM action WHERE envelope_id = $1 AND kind = 'judged'";
        let stored = stage.in_tx(|tx, _, _| {
            Ok(tx.query_first(body, &[mine().into()])?.map(|row| row.text(0).map(str::to_owned)))
        })?;
        let stored = stored.context("judged")??;
        let lie = stored.replacen("\"truth\":\"false\"", "\"truth\":\"true\"", 1);
        ensure!(lie != stored);
        let put = |stage: &mut Stage<'_>, text: &str| -> Result<()> {
            let sql = "UPDATE action SET body = $2 WHERE envelope_id = $1 AND kind = 'judged'";
            stage.in_tx(|tx, _, _| Ok(tx.execute(sql, &[mine().into(), text.into()])?))?;
            Ok(())
        };
        put(stage, &lie)?;
        let report = confirmed(stage)?;
        ensure!(report.differences == 1 && report.told[0].stored.contains("another decision"), "{report:?}");
        put(stage, &stored)?;
        ensure!(confirmed(stage)?.differences == 0);
        ensure!(change(stage, "UPDATE judgement SET set_version = 9 WHERE envelope_id = $1")? == 1);
        ensure!(confirmed(stage)?.told[0].stored.contains("rule set is not there"));
        change(stage, "UPDATE judgement SET set_version = 1, step = 'other' WHERE envelope_id = $1")?;
        ensure!(confirmed(stage)?.told[0].stored.contains("others than the action names"));
        change(stage, "UPDATE judgement SET step = 'review' WHERE envelope_id = $1")?;
        Ok(())
    })
}

#[test]
fn of_many_who_want_a_name_in_the_same_moment_exactly_one_has_it_on_both() -> Result<()> {
    const MANY: usize = 8;
    let (_folder, stores) = both_empty()?;
    for store in stores {
        migrate(store.open()?.as_mut(), TUESDAY_MS)?;
        for round in 0..5 {
            let together = Arc::new(Barrier::new(MANY));
            let wanting = (0..MANY).map(|who| {
                let (mut driver, words, together) = (store.open()?, words()?, together.clone());
                Ok(std::thread::spawn(move || {
                    let register = Register { words: &words, authority: 630_100 };
                    let name = format!("西宁市样争{round}餐饮有限公司");
                    let holder = [u8::try_from(round * MANY + who).unwrap_or(0); 32];
                    together.wait();
                    in_transaction(driver.as_mut(), |tx| register.keep(tx, (TUESDAY_MS, 30), &name, &holder))
                }))
            });
            let wanting = wanting.collect::<Result<Vec<_>>>()?;
            let mut had = 0;
            for one in wanting {
                let outcome = one.join().map_err(|_| anyhow::anyhow!("a thread"))?;
                had += usize::from(outcome?.is_some());
            }
            ensure!(had == 1, "{had} on {}", store.kind());
        }
    }
    Ok(())
}
