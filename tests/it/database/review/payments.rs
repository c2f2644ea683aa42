//! The thread that speaks with the gateway, turn by turn against a gateway that does what a story says: a bill lapses only
//! after it was asked, orders and refunds are made again with the same numbers, and nobody waits for ever.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, FailPolicy};
use domain::ids::EnvelopeId;
use domain::money::{BillState, Fen, MAX_TRIES};
use sync_server::auth::role::Role;
use sync_server::centre::Centre;
use sync_server::gateway::{Gateway, GatewayError, Order, RefundAnswer, RefundOrder, Told};
use sync_server::jobs::payments::{look, look_alone};
use sync_server::services::cases::{self, BY_CENTRE};
use sync_server::services::clock_guard;
use sync_server::services::money::{self, BillRow};
use sync_server::services::review::Deed;
use sync_server::store::Database;
use tests::told::Told as Clock;

use super::super::driver::both_empty;
use super::stage::{DAY_MS, HOUR_MS, Stage, TUESDAY_MS, person, step};

/// A gateway that does what a story says.
#[derive(Default)]
struct Scripted {
    away: AtomicBool,
    refuses: AtomicBool,
    is_slow: AtomicBool,
    orders: Mutex<Vec<Order>>,
    asked: Mutex<Vec<String>>,
    closed: Mutex<Vec<String>>,
    paid: Mutex<BTreeMap<String, Vec<Told>>>,
    refunds: Mutex<Vec<RefundOrder>>,
}

fn of<T>(part: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    part.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Scripted {
    fn there(&self) -> Result<(), GatewayError> {
        if self.away.load(Ordering::Relaxed) { Err(GatewayError::Away) } else { Ok(()) }
    }
}

impl Gateway for Scripted {
    fn order(&self, order: &Order) -> Result<String, GatewayError> {
        of(&self.orders).push(order.clone());
        self.there()?;
        Ok(format!("http://127.0.0.1:1/pay/{}", order.order))
    }

    fn payments(&self, order: &str) -> Result<Vec<Told>, GatewayError> {
        self.there()?;
        of(&self.asked).push(order.to_owned());
        Ok(of(&self.paid).get(order).cloned().unwrap_or_default())
    }

    fn close(&self, order: &str) -> Result<(), GatewayError> {
        self.there()?;
        of(&self.closed).push(order.to_owned());
        Ok(())
    }

    fn refund(&self, refund: &RefundOrder) -> Result<RefundAnswer, GatewayError> {
        of(&self.refunds).push(refund.clone());
        self.there()?;
        let flag = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        Ok(match (flag(&self.refuses), flag(&self.is_slow)) {
            (true, _) => RefundAnswer::Refused,
            (false, true) => RefundAnswer::UnderWay,
            (false, false) => RefundAnswer::Done,
        })
    }
}

/// A centre with one open bill of 10 yuan, and its clock.
struct Scene {
    centre: Arc<Centre>,
    clock: Arc<AtomicI64>,
    gateway: Scripted,
    case: EnvelopeId,
    bill: String,
    store: Database,
}

impl Scene {
    fn on(store: Database) -> Result<Self> {
        let mut driver = store.open()?;
        let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
        let unit = "公安";
        let mut planned = step("公安", domain::bundle::StepKind::Review, &[]);
        planned.fail = FailPolicy::All;
        let case = stage.case("psb.licence-renew", domain::case::Plan::new(vec![planned])?)?;
        let who = person(2, unit, &[Role::Reviewer]);
        stage.click(&who, &case, &Deed::Accept)?;
        let deed = Deed::Bill { step: unit.into(), fen: None, basis: "0".into() };
        let bill = stage.click(&who, &case, &deed)?.bills[0].bill.clone();
        let Stage { context, .. } = stage;
        let clock = Arc::new(AtomicI64::new(TUESDAY_MS));
        let centre = Centre::single(store.open()?, context, Box::new(Clock(clock.clone())));
        let gateway = Scripted::default();
        Ok(Self { centre: Arc::new(centre), clock, gateway, case, bill, store })
    }

    fn turn(&self) -> Result<()> {
        Ok(look(&self.centre, &self.gateway, &AtomicBool::new(false))?)
    }

    /// Time goes by, a day at a time: a clock that jumps is not believed.
    fn later(&self, ms: i64) -> Result<()> {
        let mut left = ms;
        while left > 0 {
            let step = left.min(DAY_MS);
            let now_ms = self.clock.fetch_add(step, Ordering::AcqRel) + step;
            self.centre.write(move |tx| Ok(clock_guard::follow(tx, now_ms)?))?;
            left -= step;
        }
        Ok(())
    }

    fn row(&self) -> Result<BillRow> {
        let row = self.centre.read(|tx| money::find(tx, &self.bill))?;
        row.context("a bill")
    }

    fn standing(&self) -> Result<bool> {
        Ok(self.centre.read(|tx| cases::current(tx, &self.case))?.1.is_standing())
    }

    fn pays(&self, transaction: &str, fen: i64) -> Result<()> {
        let paid_at_ms = self.clock.load(Ordering::Acquire);
        let (transaction, order, fen) = (transaction.to_owned(), self.bill.clone(), Fen::new(fen)?);
        let told = Told { transaction, order, fen, currency: "CNY".into(), paid_at_ms };
        of(&self.gateway.paid).entry(self.bill.clone()).or_default().push(told);
        Ok(())
    }
}

fn on_both(story: impl Fn(&Scene) -> Result<()>) -> Result<()> {
    let (_folder, stores) = both_empty()?;
    for store in stores {
        let scene = Scene::on(store)?;
        story(&scene).with_context(|| format!("on {}", scene.store.kind()))?;
        let Scene { store, centre, .. } = scene;
        drop(centre);
        let report = sync_server::refold_command::verify(store.open()?.as_mut(), &mut |_| {})?;
        ensure!(report.differences == 0, "{:?}", report.told);
    }
    Ok(())
}

#[test]
fn an_order_is_made_once_and_again_only_while_nobody_answers() -> Result<()> {
    on_both(|scene| {
        scene.gateway.away.store(true, Ordering::Relaxed);
        for _ in 0..4 {
            scene.turn()?;
            scene.later(500)?;
        }
        ensure!(of(&scene.gateway.orders).len() == 2, "it waits longer each time");
        ensure!(scene.row()?.pay_url.is_empty());
        scene.gateway.away.store(false, Ordering::Relaxed);
        scene.later(HOUR_MS)?;
        scene.turn()?;
        scene.turn()?;
        let orders = of(&scene.gateway.orders).clone();
        ensure!(
            orders.len() == 3
                && orders.iter().all(|order| order.order == scene.bill && order.fen.get() == 1_000)
        );
        ensure!(orders[0].notify_url.ends_with("/payments/notify"));
        ensure!(scene.row()?.pay_url.ends_with(&scene.bill));
        Ok(())
    })
}

#[test]
fn a_payment_whose_call_back_was_lost_is_asked_for() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.pays("t1", 1_000)?;
        scene.turn()?;
        ensure!(scene.row()?.state == BillState::Open, "not all the time");
        scene.later(11 * 60_000)?;
        scene.turn()?;
        ensure!(scene.row()?.state == BillState::Paid && !scene.standing()?);
        Ok(())
    })
}

#[test]
fn a_bill_lapses_only_after_the_gateway_was_asked_and_the_order_is_closed() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.gateway.away.store(true, Ordering::Relaxed);
        scene.later(16 * DAY_MS)?;
        scene.turn()?;
        ensure!(
            scene.row()?.state == BillState::Open && scene.standing()?,
            "nobody knows whether it was paid"
        );
        scene.gateway.away.store(false, Ordering::Relaxed);
        scene.pays("t1", 400)?;
        scene.later(HOUR_MS)?;
        scene.turn()?;
        let row = scene.row()?;
        ensure!(row.state == BillState::Lapsed && row.owed.get() == 400 && !scene.standing()?, "{row:?}");
        ensure!(of(&scene.gateway.closed).as_slice() == std::slice::from_ref(&scene.bill));
        scene.turn()?;
        ensure!(scene.row()?.refunded.get() == 400 && of(&scene.gateway.refunds).len() == 1);
        Ok(())
    })
}

#[test]
fn a_gateway_that_stays_away_holds_up_no_case_for_ever() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.gateway.away.store(true, Ordering::Relaxed);
        scene.later(18 * DAY_MS)?;
        scene.turn()?;
        ensure!(scene.row()?.state == BillState::Lapsed && !scene.standing()?);
        Ok(())
    })
}

#[test]
fn a_payment_in_time_of_which_nobody_heard_before_the_end_counts() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.later(14 * DAY_MS)?;
        scene.pays("t1", 1_000)?;
        scene.later(3 * DAY_MS)?;
        scene.turn()?;
        ensure!(scene.row()?.state == BillState::Paid, "{:?}", scene.row()?);
        ensure!(of(&scene.gateway.closed).len() <= 1 && !scene.standing()?);
        Ok(())
    })
}

#[test]
fn without_a_gateway_a_bill_lapses_once_it_is_over_for_a_day() -> Result<()> {
    on_both(|scene| {
        let alone = || look_alone(&scene.centre, &AtomicBool::new(false));
        for (days, state) in [(0, BillState::Open), (16, BillState::Open), (2, BillState::Lapsed)] {
            scene.later(days * DAY_MS)?;
            alone()?;
            ensure!(scene.row()?.state == state, "{days} more days: {:?}", scene.row()?);
        }
        ensure!(!scene.standing()? && of(&scene.gateway.asked).is_empty());
        Ok(())
    })
}

#[test]
fn the_order_of_a_bill_that_was_taken_back_is_closed() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        let (own, case, bill) = (scene.centre.clone(), scene.case, scene.bill.clone());
        scene.centre.write(move |tx| {
            let (row, view) = cases::current(tx, &case)?;
            let step = row_step(&view);
            let action = Action::BillCancelled { step, bill: bill.clone(), text: None };
            let shelf = &own.context().shelf;
            cases::add(tx, shelf, own.now_ms(), (&row, view), (BY_CENTRE, action)).map(|_| ())
        })?;
        ensure!(scene.row()?.state == BillState::Cancelled && scene.row()?.wake_ms.is_some());
        scene.gateway.away.store(true, Ordering::Relaxed);
        scene.turn()?;
        ensure!(of(&scene.gateway.closed).is_empty() && scene.row()?.wake_ms.is_some());
        scene.gateway.away.store(false, Ordering::Relaxed);
        scene.pays("t1", 300)?;
        scene.later(HOUR_MS)?;
        scene.turn()?;
        let row = scene.row()?;
        ensure!(row.wake_ms.is_none() && row.owed.get() == 300, "{row:?}");
        scene.turn()?;
        ensure!(*of(&scene.gateway.closed) == [scene.bill.clone()] && scene.row()?.refunded.get() == 300);
        Ok(())
    })
}

/// The step that asked for the money.
fn row_step(view: &domain::case::CaseView) -> String {
    view.bills.first().map(|billed| billed.step.clone()).unwrap_or_default()
}

#[test]
fn what_is_no_payment_holds_up_no_payment() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.pays("t 1", 5)?;
        scene.pays("t2", 1_000)?;
        scene.later(HOUR_MS)?;
        scene.turn()?;
        let row = scene.row()?;
        ensure!(row.state == BillState::Paid && row.received.get() == 1_000, "{row:?}");
        Ok(())
    })
}

#[test]
fn a_refund_under_way_is_no_failure() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.pays("t1", 1_700)?;
        scene.gateway.is_slow.store(true, Ordering::Relaxed);
        for _ in 0..20 {
            scene.later(3 * HOUR_MS)?;
            scene.turn()?;
        }
        let asked = of(&scene.gateway.refunds).len();
        ensure!(asked > 10 && !scene.row()?.needs && scene.row()?.owed.get() == 700, "{asked}");
        scene.turn()?;
        ensure!(of(&scene.gateway.refunds).len() == asked, "not all the time");
        scene.gateway.is_slow.store(false, Ordering::Relaxed);
        scene.later(HOUR_MS)?;
        scene.turn()?;
        ensure!(scene.row()?.refunded.get() == 700 && of(&scene.gateway.refunds)[0].refund == "t1R1");
        Ok(())
    })
}

#[test]
fn a_refund_keeps_its_number_and_is_given_up_to_people() -> Result<()> {
    on_both(|scene| {
        scene.turn()?;
        scene.pays("t1", 1_700)?;
        scene.gateway.refuses.store(true, Ordering::Relaxed);
        let turns = RefCell::new(0_u32);
        while !scene.row()?.needs && *turns.borrow() < 40 {
            scene.later(3 * HOUR_MS)?;
            scene.turn()?;
            *turns.borrow_mut() += 1;
        }
        let refunds = of(&scene.gateway.refunds).clone();
        ensure!(refunds.len() as u32 == MAX_TRIES, "{refunds:?}");
        ensure!(refunds.iter().all(|r| *r == refunds[0] && r.fen.get() == 700 && r.transaction == "t1"));
        scene.later(DAY_MS)?;
        scene.turn()?;
        ensure!(of(&scene.gateway.refunds).len() as u32 == MAX_TRIES, "it is tried no more");
        Ok(())
    })
}
