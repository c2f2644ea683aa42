//! Money at the centre, on both databases: bills with the amount of the catalogue, every way of paying wrongly, refunds, what
//! people settle, and that rows are what events and cases say.
use anyhow::{Context as _, Result, ensure};
use domain::bundle::StepKind;
use domain::case::{BilledState, CaseView, FailPolicy, Plan, PlannedStep, StepState};
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use domain::money::{BillState, Fen, MAX_TRIES, Stray};
use sync_server::auth::role::Role;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::refold_command::verify;
use sync_server::services::money::{
    self, Arrival, BillRow, FileLine, Query, RefundDue, Shown, Side, Taken, Way, read_file,
};
use sync_server::services::review::Deed;
use sync_server::services::sessions::Caller;

use super::on_both;
use super::stage::{DAY_MS, HOUR_MS, Stage, code, person};

/// An item of which the catalogue says the fee: 10 yuan.
const FIXED: &str = "psb.licence-renew";
const POLICE: &str = "公安";
/// An item of which the catalogue only says that there may be a fee.
const WORKED_OUT: &str = "hrss.sscard-reissue";
const PENSION: &str = "人社";
const TAX: &str = "税务";
/// An item that costs nothing.
const FREE: &str = "hrss.flex-enroll";

fn single(unit: &str) -> Result<Plan> {
    let step = PlannedStep::new("review", unit.parse().ok().context("a unit")?, StepKind::Review);
    Ok(Plan::new(vec![PlannedStep { fail: FailPolicy::All, ..step }])?)
}

fn reviewer(unit: &str) -> Caller {
    person(2, unit, &[Role::Reviewer])
}

fn leader(unit: &str) -> Caller {
    person(3, unit, &[Role::Leader])
}

fn operator() -> Caller {
    person(4, "", &[Role::Operator])
}

fn bill(step: &str, fen: Option<i64>) -> Deed {
    let fen = fen.and_then(|fen| Fen::new(fen).ok());
    Deed::Bill { step: step.to_owned(), fen, basis: "0".to_owned() }
}

/// An accepted case of an item.
fn accepted(stage: &mut Stage<'_>, item: &str, unit: &str) -> Result<EnvelopeId> {
    let id = stage.case(item, single(unit)?)?;
    stage.click(&reviewer(unit), &id, &Deed::Accept)?;
    Ok(id)
}

/// An accepted case with a bill of 10 yuan.
fn billed(stage: &mut Stage<'_>) -> Result<(EnvelopeId, String)> {
    let id = accepted(stage, FIXED, POLICE)?;
    let view = stage.click(&reviewer(POLICE), &id, &bill("review", None))?;
    Ok((id, view.bills.last().context("a bill")?.bill.clone()))
}

fn row(stage: &mut Stage<'_>, number: &str) -> Result<BillRow> {
    stage.in_tx(|tx, _, _| Ok(money::find(tx, number)?))?.context("a bill")
}

fn arrival(stage: &Stage<'_>, transaction: &str, order: &str, fen: i64) -> Result<Arrival> {
    let (transaction, order) = (transaction.to_owned(), order.to_owned());
    let (currency, paid_at_ms, way) = ("CNY".to_owned(), stage.now_ms, Way::Call);
    Ok(Arrival { transaction, order, fen: Fen::new(fen)?, currency, paid_at_ms, way })
}

fn take(stage: &mut Stage<'_>, arrival: &Arrival) -> Result<Taken, ServiceError> {
    stage.in_tx(|tx, context, now_ms| money::take(tx, context, now_ms, arrival))
}

fn pay(stage: &mut Stage<'_>, transaction: &str, order: &str, fen: i64) -> Result<Taken> {
    let arrival = arrival(stage, transaction, order, fen)?;
    Ok(take(stage, &arrival)?)
}

fn state(view: &CaseView, number: &str) -> Option<BilledState> {
    view.bills.iter().find(|billed| billed.bill == number).map(|billed| billed.state)
}

fn due(stage: &mut Stage<'_>, bill: &str) -> Result<Vec<RefundDue>> {
    let all = stage.in_tx(|tx, _, now_ms| Ok(money::due_refunds(tx, now_ms, 50)?))?;
    Ok(all.into_iter().filter(|refund| refund.bill == bill).collect())
}

fn sums(row: &BillRow) -> [i64; 4] {
    [row.received, row.kept, row.refunded, row.owed].map(Fen::get)
}

#[test]
fn the_catalogue_says_how_much_and_the_clock_stands_until_it_is_paid() -> Result<()> {
    on_both(|stage| {
        let (id, number) = billed(stage)?;
        let view = stage.view(&id)?;
        ensure!(view.is_standing() && stage.current(&id)?.0.standing, "the clock stands");
        let open = row(stage, &number)?;
        ensure!(open.fen.get() == 1_000 && open.unit == POLICE && open.state == BillState::Open, "{open:?}");
        ensure!(open.case_number == view.number.as_str() && open.due_ms > stage.now_ms + 14 * DAY_MS);
        let seen = code(stage.click(&reviewer(POLICE), &id, &Deed::Pass { step: "review".into() }));
        ensure!(seen == Some(ProblemCode::CaseChanged), "nothing is passed before it is paid: {seen:?}");
        stage.now_ms += DAY_MS;
        ensure!(pay(stage, "t1", &number, 1_000)? == Taken::Counted);
        let view = stage.view(&id)?;
        ensure!(!view.is_standing() && state(&view, &number) == Some(BilledState::Paid));
        ensure!(view.pauses.len() == 1 && view.pauses[0].until_ms == Some(stage.now_ms));
        stage.click(&reviewer(POLICE), &id, &Deed::Pass { step: "review".into() })?;
        ensure!(sums(&row(stage, &number)?) == [1_000, 1_000, 0, 0], "what was done is paid for");
        Ok(())
    })
}

#[test]
fn an_amount_is_typed_only_where_it_is_worked_out_and_with_a_reason() -> Result<()> {
    on_both(|stage| {
        let fixed = accepted(stage, FIXED, POLICE)?;
        let free = accepted(stage, FREE, PENSION)?;
        let open = accepted(stage, WORKED_OUT, PENSION)?;
        let odd = Deed::Bill { step: "review".into(), fen: None, basis: "9".into() };
        for (who, id, deed, text) in [
            (POLICE, &fixed, bill("review", Some(999)), "样例"),
            (POLICE, &fixed, odd, ""),
            (PENSION, &free, bill("review", Some(500)), "样例"),
            (PENSION, &open, bill("review", None), "样例"),
            (PENSION, &open, bill("review", Some(500)), ""),
        ] {
            let refused = code(stage.click_with(&reviewer(who), id, (&deed, text)));
            ensure!(refused == Some(ProblemCode::MalformedRequest), "{deed:?} {text}: {refused:?}");
        }
        let deed = bill("review", Some(2_550));
        let who = person(9, PENSION, &[Role::Clerk]);
        ensure!(code(stage.click_with(&who, &open, (&deed, "样例"))) == Some(ProblemCode::RoleNeeded));
        let who = reviewer(POLICE);
        ensure!(code(stage.click_with(&who, &open, (&deed, "样例"))) == Some(ProblemCode::UnitNeeded));
        let view = stage.click_with(&reviewer(PENSION), &open, (&deed, "样例：工本费按张"))?;
        ensure!(view.bills[0].fen.get() == 2_550);
        ensure!(stage.texts(&open)?.values().any(|text| text.contains("按张")), "the reason is kept");
        let again = code(stage.click_with(&reviewer(PENSION), &open, (&deed, "样例")));
        ensure!(again == Some(ProblemCode::CaseChanged), "one bill at a time: {again:?}");
        let cancel = Deed::CancelBill { step: "review".into(), bill: view.bills[0].bill.clone() };
        let view = stage.click(&reviewer(PENSION), &open, &cancel)?;
        ensure!(!view.is_standing() && state(&view, &view.bills[0].bill) == Some(BilledState::Cancelled));
        Ok(())
    })
}

#[test]
fn who_recused_himself_and_who_has_not_the_step_asks_for_no_money() -> Result<()> {
    on_both(|stage| {
        let id = accepted(stage, FIXED, POLICE)?;
        stage.click(&reviewer(POLICE), &id, &Deed::Recuse { step: "review".into() })?;
        let refused = code(stage.click(&reviewer(POLICE), &id, &bill("review", None)));
        ensure!(refused == Some(ProblemCode::CaseChanged), "{refused:?}");
        let other = person(5, POLICE, &[Role::Reviewer]);
        stage.click(&other, &id, &Deed::Take { step: "review".into() })?;
        let refused = code(stage.click(&person(6, POLICE, &[Role::Reviewer]), &id, &bill("review", None)));
        ensure!(refused == Some(ProblemCode::CaseChanged), "somebody else has it: {refused:?}");
        let view = stage.click(&other, &id, &bill("review", None))?;
        let cancel = Deed::CancelBill { step: "review".into(), bill: view.bills[0].bill.clone() };
        let refused = code(stage.click_with(&reviewer(POLICE), &id, (&cancel, "样例")));
        ensure!(refused == Some(ProblemCode::CaseChanged), "{refused:?}");
        stage.click_with(&other, &id, (&cancel, "样例"))?;
        Ok(())
    })
}

#[test]
fn short_over_and_double_are_told_apart_and_nothing_is_lost() -> Result<()> {
    on_both(|stage| {
        let (id, number) = billed(stage)?;
        ensure!(pay(stage, "s1", &number, 400)? == Taken::Counted);
        ensure!(stage.view(&id)?.is_standing() && sums(&row(stage, &number)?) == [400, 400, 0, 0]);
        ensure!(pay(stage, "s2", &number, 700)? == Taken::Counted, "100 too much");
        ensure!(!stage.view(&id)?.is_standing() && sums(&row(stage, &number)?) == [1_100, 1_000, 0, 100]);
        ensure!(pay(stage, "s3", &number, 1_000)? == Taken::Counted, "once more");
        ensure!(sums(&row(stage, &number)?) == [2_100, 1_000, 0, 1_100]);
        for _ in 0..3 {
            ensure!(pay(stage, "s3", &number, 1_000)? == Taken::Known, "each payment counts once");
        }
        let actions = stage.names(&id)?;
        ensure!(actions.iter().filter(|name| **name == "bill_paid").count() == 1, "{actions:?}");
        for refund in due(stage, &number)? {
            stage.in_tx(|tx, _, now_ms| money::refund_done(tx, now_ms, &refund))?;
            stage.in_tx(|tx, _, now_ms| money::refund_done(tx, now_ms, &refund))?;
        }
        ensure!(sums(&row(stage, &number)?) == [2_100, 1_000, 1_100, 0]);
        Ok(())
    })
}

#[test]
fn what_fits_no_bill_lies_in_a_list_for_people() -> Result<()> {
    on_both(|stage| {
        let (_, number) = billed(stage)?;
        ensure!(pay(stage, "u1", "JF00", 700)? == Taken::Stray(Stray::Unknown));
        let dollars = Arrival { currency: "USD".into(), ..arrival(stage, "u2", &number, 1_000)? };
        ensure!(take(stage, &dollars)? == Taken::Stray(Stray::Currency));
        ensure!(pay(stage, "u3", &number, 100)? == Taken::Counted);
        let other = arrival(stage, "u3", &number, 200)?;
        ensure!(take(stage, &other)? == Taken::Differs, "the first word stands");
        for (transaction, order, fen) in
            [("u 4", "JF00", 1), ("", "JF00", 1), ("u5", "é", 1), ("u6", "JF00", 0)]
        {
            let odd = arrival(stage, transaction, order, fen)?;
            let refused = code(take(stage, &odd));
            ensure!(refused == Some(ProblemCode::MalformedRequest), "{odd:?}: {refused:?}");
        }
        let sql = "SELECT COUNT(*) FROM alarm WHERE kind IN ('payment.differs', 'payment.stray')";
        ensure!(stage.in_tx(|tx, _, _| Ok(tx.query_int(sql, &[])?))? == 3);
        let needs = Query { shown: Shown::Needs, ..Query::default() };
        let (listed, _) = stage.in_tx(|tx, _, _| Ok(money::page(tx, &needs)?))?;
        let numbers: Vec<_> = listed.iter().map(|row| row.number.as_str()).collect();
        ensure!(numbers == ["WZu2", "WZu1"], "{numbers:?}");
        let mut give = |who: &Caller| stage.in_tx(|tx, _, now_ms| money::give_back(tx, now_ms, who, "WZu1"));
        ensure!(code(give(&reviewer(POLICE))) == Some(ProblemCode::RoleNeeded));
        ensure!(code(give(&leader(POLICE))) == Some(ProblemCode::UnitNeeded));
        give(&operator())?;
        give(&operator())?;
        ensure!(sums(&row(stage, "WZu1")?) == [700, 0, 0, 700] && due(stage, "WZu1")?.len() == 1);
        Ok(())
    })
}

#[test]
fn late_money_goes_back_unless_the_case_still_waits_for_it() -> Result<()> {
    on_both(|stage| {
        let (id, number) = billed(stage)?;
        let lapse = |stage: &mut Stage<'_>, number: &str| {
            stage.in_tx(|tx, context, now_ms| money::lapse(tx, context, now_ms, number))
        };
        ensure!(!lapse(stage, &number)?, "it is not over yet");
        let (waits, tax) = waiting_for_tax(stage)?;
        stage.now_ms += 17 * DAY_MS;
        ensure!(lapse(stage, &number)? && !lapse(stage, &number)? && lapse(stage, &tax)?);
        ensure!(!stage.view(&id)?.is_standing(), "the office goes on");
        pay(stage, "l1", &number, 1_000)?;
        ensure!(row(stage, &number)?.state == BillState::Lapsed && due(stage, &number)?.len() == 1);
        pay(stage, "l2", &tax, 200)?;
        ensure!(row(stage, &tax)?.state == BillState::Lapsed, "a part of it does not help");
        ensure!(stage.view(&waits)?.is_standing(), "nothing goes on without the money");
        pay(stage, "l3", &tax, 30_000)?;
        ensure!(row(stage, &tax)?.state == BillState::Paid);
        ensure!(
            stage.state(&waits, "s5")? == StepState::Passed && stage.state(&waits, "s6")? == StepState::Ready
        );
        ensure!(!stage.view(&waits)?.is_standing());
        Ok(())
    })
}

/// A case that waits for a tax to be paid, and the bill.
fn waiting_for_tax(stage: &mut Stage<'_>) -> Result<(EnvelopeId, String)> {
    let unit = |name: &str| name.parse().ok().context("a unit");
    let after = |step: PlannedStep, on: &str| PlannedStep { depends: vec![on.to_owned()], ..step };
    let plan = Plan::new(vec![
        PlannedStep::new("s4", unit(TAX)?, StepKind::Review),
        after(PlannedStep::new("s5", unit("申请人")?, StepKind::Pay), "s4"),
        after(PlannedStep::new("s6", unit("自然资源(不动产)")?, StepKind::Issue), "s5"),
    ])?;
    let id = stage.case("one.realestate", plan)?;
    stage.click(&reviewer(TAX), &id, &Deed::Accept)?;
    stage.click(&reviewer(TAX), &id, &Deed::Pass { step: "s4".into() })?;
    let view = stage.click_with(&reviewer(TAX), &id, (&bill("s5", Some(30_000)), "样例：核定税额"))?;
    Ok((id, view.bills[0].bill.clone()))
}

#[test]
fn what_was_paid_for_in_vain_goes_back() -> Result<()> {
    on_both(|stage| {
        for end in [Deed::Withdraw, Deed::Refuse { step: "review".into(), basis: "0".into() }] {
            for paid in [0, 400, 1_000] {
                let (id, number) = billed(stage)?;
                if paid > 0 {
                    pay(stage, &format!("v{number}"), &number, paid)?;
                }
                stage.click(&reviewer(POLICE), &id, &end)?;
                let row = row(stage, &number)?;
                ensure!(sums(&row) == [paid, 0, 0, paid], "{end:?}: {row:?}");
                let state = if paid == 1_000 { BillState::GivenBack } else { BillState::Cancelled };
                ensure!(row.state == state && stage.current(&id)?.1.outcome.is_some());
                pay(stage, &format!("w{number}"), &number, 5)?;
                ensure!(
                    due(stage, &number)?.iter().any(|refund| refund.fen.get() == 5),
                    "and what comes after"
                );
            }
        }
        let (id, tax) = waiting_for_tax(stage)?;
        pay(stage, "v9", &tax, 30_000)?;
        stage.click(&reviewer(TAX), &id, &Deed::Withdraw)?;
        ensure!(row(stage, &tax)?.state == BillState::GivenBack);
        Ok(())
    })
}

#[test]
fn a_refund_that_fails_too_often_waits_for_a_person() -> Result<()> {
    on_both(|stage| {
        let (_, number) = billed(stage)?;
        pay(stage, "r1", &number, 1_500)?;
        let mut waited = Vec::new();
        for _ in 0..MAX_TRIES {
            let since = stage.now_ms;
            while due(stage, &number)?.is_empty() {
                stage.now_ms += 1_000;
            }
            waited.push((stage.now_ms - since) / 1_000);
            let refund = due(stage, &number)?.remove(0);
            stage.in_tx(|tx, _, now_ms| money::refund_failed(tx, now_ms, &refund))?;
        }
        ensure!(waited == [0, 4, 16, 64, 256, 1_024, 4_096, 16_384], "{waited:?}");
        stage.now_ms += DAY_MS;
        ensure!(due(stage, &number)?.is_empty() && row(stage, &number)?.needs, "a person looks");
        let mut retry = |who: &Caller| stage.in_tx(|tx, _, now_ms| money::retry(tx, now_ms, who, &number));
        ensure!(code(retry(&leader(PENSION))) == Some(ProblemCode::UnitNeeded));
        retry(&leader(POLICE))?;
        retry(&leader(POLICE))?;
        let refund = due(stage, &number)?.remove(0);
        stage.in_tx(|tx, _, now_ms| money::refund_done(tx, now_ms, &refund))?;
        ensure!(sums(&row(stage, &number)?) == [1_500, 1_000, 500, 0] && !row(stage, &number)?.needs);
        Ok(())
    })
}

#[test]
fn the_file_of_a_day_is_compared_line_by_line() -> Result<()> {
    on_both(compared)
}

fn compared(stage: &mut Stage<'_>) -> Result<()> {
    let (_, number) = billed(stage)?;
    let day = CivilDate::in_china(stage.now_ms);
    for (transaction, fen) in [("f1", 1_000), ("f2", 300), ("f3", 200)] {
        pay(stage, transaction, &number, fen)?;
    }
    let refund = due(stage, &number)?.remove(0);
    stage.in_tx(|tx, _, now_ms| money::refund_done(tx, now_ms, &refund))?;
    let head = "kind,number,order,fen,currency,paid_at_ms\n";
    let at = stage.now_ms;
    let file = format!(
        "{head}payment,f1,{number},1000,CNY,{at}\npayment,f2,{number},301,CNY,{at}\npayment,f9,{number},5,CNY,{at}\n\
         refund,R9,{number},7,CNY,{at}\nrefund,f3R1,{number},200,CNY,{at}\n"
    );
    let lines = read_file(file.as_bytes()).map_err(anyhow::Error::msg)?;
    let found = stage.in_tx(|tx, _, _| Ok(money::compare(tx, day, &lines)?))?;
    let told: Vec<_> = found.iter().map(|found| (found.side, found.number.as_str())).collect();
    let done = refund.number.as_str();
    let expected = [
        (Side::Differs, "f2"),
        (Side::MissingHere, "f9"),
        (Side::MissingHere, "R9"),
        // Done there, and not here.
        (Side::Differs, "f3R1"),
        (Side::MissingThere, "f3"),
        (Side::MissingThere, done),
    ];
    ensure!(told == expected, "{told:?}");
    let missing = lines.iter().find(|line| line.number == "f9").and_then(FileLine::arrival);
    ensure!(take(stage, &missing.context("a payment")?)? == Taken::Counted, "it is taken from the file");
    let other_day = stage.in_tx(|tx, _, _| Ok(money::compare(tx, day.plus_days(1), &[])?))?;
    ensure!(other_day.is_empty(), "{other_day:?}");
    Ok(())
}

#[test]
fn a_row_that_is_not_what_its_events_say_is_found() -> Result<()> {
    on_both(|stage| {
        let (_, number) = billed(stage)?;
        pay(stage, "p1", &number, 1_500)?;
        pay(stage, "p2", "JF00", 9)?;
        for (wrong, right) in [
            (
                "UPDATE bill SET kept_fen = 999 WHERE kept_fen = 1000",
                "UPDATE bill SET kept_fen = 1000 WHERE kept_fen = 999",
            ),
            (
                "UPDATE bill SET state = 'open' WHERE state = 'paid'",
                "UPDATE bill SET state = 'paid' WHERE state = 'open'",
            ),
            ("UPDATE payment SET fen = 8 WHERE fen = 9", "UPDATE payment SET fen = 9 WHERE fen = 8"),
            ("UPDATE refund SET tries = 7", "UPDATE refund SET tries = 0"),
        ] {
            stage.driver.run_script(wrong)?;
            let report = verify(&mut *stage.driver, &mut |_| {})?;
            ensure!(report.differences > 0, "{wrong}");
            stage.driver.run_script(right)?;
        }
        Ok(())
    })
}

/// Every statement about money, for the conformance suite.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    compared(stage)?;
    let (id, number) = billed(stage)?;
    let due_bills = stage.in_tx(|tx, _, now_ms| Ok(money::due_bills(tx, now_ms, 50)?))?;
    let due_bill = due_bills.iter().find(|due| due.number == number).context("an order is to be made")?;
    let order = (due_bill, "http://127.0.0.1:1/pay", true);
    stage.in_tx(|tx, _, now_ms| Ok(money::ordered(tx, now_ms, order)?))?;
    stage.in_tx(|tx, _, now_ms| Ok(money::put_off(tx, &number, (now_ms + HOUR_MS, 1))?))?;
    let ordered = row(stage, &number)?;
    ensure!(ordered.tries == 1 && !ordered.pay_url.is_empty() && ordered.simulated);
    let overdue = stage.in_tx(|tx, _, now_ms| Ok(money::overdue_bills(tx, now_ms, 50)?))?;
    ensure!(overdue.is_empty(), "{overdue:?}");
    stage.in_tx(|tx, _, now_ms| Ok(money::put_off_refund(tx, "f3R1", now_ms + HOUR_MS)?))?;
    stage.in_tx(|tx, _, _| Ok(money::closed(tx, &number)?))?;
    ensure!(row(stage, &number)?.wake_ms.is_some(), "an open bill is not done with");
    for unit in [None, Some(POLICE)] {
        for shown in Shown::ALL {
            for search in ["", number.as_str()] {
                let unit = unit.map(str::to_owned);
                let query = Query { shown, unit, search: search.to_owned(), before: Some(1_000_000) };
                stage.in_tx(|tx, _, _| Ok(money::page(tx, &query)?))?;
                stage.in_tx(|tx, _, _| Ok(money::page(tx, &Query { before: None, ..query.clone() })?))?;
            }
        }
        let counts = stage.in_tx(|tx, _, _| Ok(money::counts(tx, unit)?))?;
        ensure!(stage.in_tx(|tx, _, _| Ok(money::needs(tx, unit)?))? == counts.needs);
    }
    stage.in_tx(|tx, _, _| Ok(money::of_case(tx, &id)?))?;
    stage.in_tx(|tx, _, _| money::refunds_of(tx, &number))?;
    pay(stage, "e1", "JF00", 5)?;
    let named = stage.in_tx(|tx, _, _| Ok(money::named_by(tx, "WZe1")?))?;
    ensure!(named == Some(("JF00".into(), "CNY".into())), "{named:?}");
    let view = stage.view(&id)?;
    let odd = stage.in_tx(|tx, _, _| money::check_case(tx, &id, &view))?;
    let (_, strays) = stage.in_tx(|tx, _, _| money::check_strays(tx, 0, 100))?;
    ensure!(odd.is_empty() && strays.is_empty(), "{odd:?} {strays:?}");
    Ok(())
}
