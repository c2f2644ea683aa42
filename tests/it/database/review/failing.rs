//! 自动审批 where something is wrong: a turn that fails ends with a person and holds up no other case, a clock that is not
//! believed judges nothing, and facts that are gone are found.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::{Context as _, Result, ensure};
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use domain::rules::{Evidence, FactValue, Why};
use sync_server::centre::Centre;
use sync_server::error::ServiceError;
use sync_server::jobs::approval::{ApprovalPlan, Judge};
use sync_server::services::approval::names::Register;
use sync_server::services::approval::{self, Done, Progress};
use sync_server::services::erasure::{self, Erasure, Why as Erased};
use sync_server::store::Value;
use tests::binaries::repository;
use tests::told::Told;

use super::super::driver::both_empty;
use super::approval::{
    COMPANY, PLEDGE, REGISTRY, company, company_plan, confirmed, one_step, pledge, progress, publish, read,
    said, turn, version, words,
};
use super::bundles::by;
use super::clicks::ask;
use super::on_both;
use super::stage::{DAY_MS, MINUTE_MS, Stage, TUESDAY_MS};

/// A store with the rules of both samples.
fn ruled(stage: &mut Stage<'_>) -> Result<()> {
    for entry in [PLEDGE, COMPANY] {
        publish(stage, &version(entry, 1, ("", ""))?)?;
    }
    Ok(())
}

fn count(stage: &mut Stage<'_>, sql: &str, id: &EnvelopeId) -> Result<i64> {
    Ok(stage.in_tx(|tx, _, _| Ok(tx.query_int(sql, &[id.to_string().into()])?))?)
}

/// Runs a statement about one case, which is its first parameter.
fn change(stage: &mut Stage<'_>, sql: &str, id: &EnvelopeId, more: Option<Value>) -> Result<()> {
    let mut values = vec![Value::from(id.to_string())];
    values.extend(more);
    let changed = stage.in_tx(|tx, _, _| Ok(tx.execute(sql, &values)?))?;
    ensure!(changed == 1, "{changed}: {sql}");
    Ok(())
}

fn state_of(centre: &Centre, id: &EnvelopeId) -> Result<String> {
    let sql = "SELECT state FROM automatic WHERE envelope_id = $1";
    let row = centre.read(|tx| Ok::<_, ServiceError>(tx.query_first(sql, &[id.to_string().into()])?))?;
    Ok(row.context("judged by rules")?.text(0)?.to_owned())
}

#[test]
fn what_is_wrong_with_one_case_holds_up_no_other_on_both() -> Result<()> {
    let (folder, stores) = both_empty()?;
    for store in stores {
        let mut driver = store.open()?;
        let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
        ruled(&mut stage)?;
        let now_ms = stage.now_ms;
        // One whose row does not read back, and one whose name is taken by a row that no comparison finds.
        let bad = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
        change(&mut stage, "UPDATE automatic SET reasons = 'x' WHERE envelope_id = $1", &bad, None)?;
        let name = "西宁市样占餐饮有限公司";
        let contested = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, name))?;
        let words = words()?;
        let key = Register { words: &words, authority: 630_100 }.key(name);
        let other =
            "INSERT INTO company_name (key_, shop, name, state, envelope_id, holder, since_ms, until_ms)
                     VALUES ($1, 'x', '西宁市样异物流有限公司', 'registered', NULL, $2, 1, NULL)";
        let row = [Value::from(key), Value::from(vec![1_u8])];
        stage.in_tx(|tx, _, _| Ok(tx.execute(other, &row)?))?;
        // A clock that was ahead said that its turn comes in a day.
        let good = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
        let far = Some(Value::from(now_ms + DAY_MS));
        change(&mut stage, "UPDATE automatic SET next_ms = $2 WHERE envelope_id = $1", &good, far)?;
        let Stage { context, .. } = stage;
        drop(driver);

        let clock = Arc::new(AtomicI64::new(TUESDAY_MS + 3 * DAY_MS));
        let centre = Arc::new(Centre::single(store.open()?, context, Box::new(Told(clock.clone()))));
        let rules = repository().join("assets/rules");
        let mut judge = Judge::new(ApprovalPlan { data: folder.path().to_owned(), rules });
        let stop = AtomicBool::new(false);
        ensure!(judge.look(&centre, &stop)? == 0, "nobody believes this clock");
        clock.store(TUESDAY_MS + 1_000, Ordering::Release);
        ensure!(judge.look(&centre, &stop)? == 3, "all have their turn on {}", store.kind());
        ensure!(state_of(&centre, &good)? == "approved");
        ensure!(judge.look(&centre, &stop)? == 0, "a turn that failed has a pause");
        for _ in 0..4 {
            ensure!(state_of(&centre, &bad)? == "waiting" && state_of(&centre, &contested)? == "waiting");
            clock.fetch_add(MINUTE_MS, Ordering::AcqRel);
            ensure!(judge.look(&centre, &stop)? == 2);
        }
        ensure!(state_of(&centre, &bad)? == "person" && state_of(&centre, &contested)? == "person");
        clock.fetch_add(MINUTE_MS, Ordering::AcqRel);
        ensure!(judge.look(&centre, &stop)? == 0, "it has an end");
    }
    Ok(())
}

#[test]
fn waits_are_no_failures_and_failures_hide_no_wait_on_both() -> Result<()> {
    on_both(|stage| {
        ruled(stage)?;
        let now_ms = stage.now_ms;
        let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
        let breaks = |stage: &mut Stage<'_>| {
            stage.in_tx(|tx, _, now_ms| Ok(approval::give_up(tx, now_ms, (&id, "review"))?))
        };
        ensure!(!breaks(stage)?);
        for _ in 0..4 {
            let mut down = said(stage);
            let on = CivilDate::in_china(stage.now_ms);
            down.insert("credit".into(), Evidence { on, answer: Err(Why::SourceDown) });
            ensure!(turn(stage, (&id, "review"), down)? == Done::Waits);
            stage.now_ms += 5 * MINUTE_MS;
        }
        ensure!(stage.names(&id)? == ["received", "submitted", "judged"], "that it waits is told, once");
        for _ in 0..3 {
            ensure!(!breaks(stage)?);
        }
        ensure!(breaks(stage)? && progress(stage, &id)?.0 == Progress::Person);
        Ok(())
    })
}

#[test]
fn nothing_is_judged_while_the_desk_asks_and_no_name_with_faults_is_taken_on_both() -> Result<()> {
    on_both(|stage| {
        ruled(stage)?;
        let now_ms = stage.now_ms;
        let asked =
            stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, "西宁市样问餐饮有限公司"))?;
        stage.click(&by(REGISTRY, 2), &asked, &ask("s1", 5))?;
        ensure!(read(stage, &asked, "s2")?.is_none(), "the citizen has the next move");
        stage.in_tx(|tx, _, now_ms| approval::put_off(tx, now_ms, (&asked, "s2")))?;
        ensure!(progress(stage, &asked)?.0 == Progress::Waiting);
        // Two names of which no 字号 is left have one key.
        for name in ["西宁市有限公司", "西宁市股份有限公司"] {
            let id = stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, name))?;
            ensure!(turn(stage, (&id, "s2"), said(stage))? == Done::Person, "{name}");
            let sql = "SELECT COUNT(*) FROM company_name WHERE envelope_id = $1";
            ensure!(count(stage, sql, &id)? == 0, "{name}");
        }
        Ok(())
    })
}

#[test]
fn a_judgement_whose_facts_are_gone_is_a_difference_on_both() -> Result<()> {
    on_both(|stage| {
        ruled(stage)?;
        let now_ms = stage.now_ms;
        let id = stage.case_with((PLEDGE, 0), one_step()?, &pledge(now_ms))?;
        turn(stage, (&id, "review"), said(stage))?;
        let report = confirmed(stage)?;
        ensure!((report.judgements, report.differences) == (1, 0), "{report:?}");
        let nothing = Some(Value::from(Vec::<u8>::new()));
        change(stage, "UPDATE judgement SET sealed = $2 WHERE envelope_id = $1", &id, nothing)?;
        let report = confirmed(stage)?;
        ensure!(report.differences == 1 && report.told[0].stored.contains("not erased"), "{report:?}");
        change(stage, "DELETE FROM judgement WHERE envelope_id = $1", &id, None)?;
        ensure!(stage.in_tx(|tx, _, _| Ok(approval::any_judged(tx)?))?, "the action says so");
        let report = confirmed(stage)?;
        ensure!(report.differences == 1 && report.told[0].stored.contains("are not there"), "{report:?}");
        Ok(())
    })
}

#[test]
fn what_rules_found_and_who_wanted_a_name_go_with_the_case_on_both() -> Result<()> {
    on_both(|stage| {
        ruled(stage)?;
        let now_ms = stage.now_ms;
        let granted = company(now_ms, "西宁市样销餐饮有限公司");
        let granted = stage.case_with((COMPANY, 0), company_plan()?, &granted)?;
        ensure!(turn(stage, (&granted, "s2"), said(stage))? == Done::Approved);
        let barred =
            stage.case_with((COMPANY, 0), company_plan()?, &company(now_ms, "西宁市样除餐饮有限公司"))?;
        let mut told = said(stage);
        let found = [("representative_barred", true), ("premises_irregular", false)];
        let found = found.map(|(name, is)| (name.to_owned(), FactValue::Bool(is)));
        let register = Evidence { on: CivilDate::in_china(now_ms), answer: Ok(found.into_iter().collect()) };
        told.insert("market_register".into(), register);
        ensure!(turn(stage, (&barred, "s2"), told)? == Done::Person);
        let names = "SELECT COUNT(*) FROM company_name WHERE envelope_id = $1";
        ensure!(count(stage, names, &barred)? == 1 && !progress(stage, &barred)?.1.is_empty());
        let at_ms = stage.now_ms;
        let erasures =
            [granted, barred].map(|envelope_id| Erasure { envelope_id, at_ms, why: Erased::Request });
        ensure!(stage.in_tx(|tx, _, _| Ok(erasure::erase(tx, &erasures)?))? == 2);
        ensure!(count(stage, names, &barred)? == 0, "nobody wants it any more");
        ensure!(progress(stage, &barred)? == (Progress::Person, vec![]));
        let unnamed = "SELECT COUNT(*) FROM company_name WHERE envelope_id = $1 AND state = 'registered'
                       AND LENGTH(holder) = 0";
        ensure!(count(stage, unnamed, &granted)? == 1, "the register has the name, and nobody's hash");
        Ok(())
    })
}
