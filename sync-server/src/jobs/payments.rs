//! 支付: speaks with the gateway for bills and refunds on a thread of its own, so that a gateway that is slow or away holds up
//! nobody.
//!
//! Each call is made again until it is answered, with the same number, so that it is done once; what it came to is written
//! in a small transaction. Refuses to let a bill lapse before the gateway was asked whether it was paid.
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use operator::findings::with_causes;
use rand_core::Rng as _;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::gateway::{Gateway, GatewaySettings, HttpGateway, Order, RefundAnswer, RefundOrder, Told};
use crate::services::clock_guard::{self, Verdict};
use crate::services::money::{self, Arrival, BillDue, CURRENCY, LONGEST_WAIT_MS, RefundDue, Way};
use crate::store::{StoreError, Tx, WriteError};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// After a look that the store refused.
const PAUSE: Duration = Duration::from_secs(5);
/// Bills and refunds of one look.
const STRETCH: u64 = 50;
/// A gateway that did not answer is asked again after so long, twice as long each time, in milliseconds.
const AGAIN_MS: i64 = 1_000;
/// And not later than this.
const LONGEST_PAUSE_MS: i64 = 10 * 60_000;
/// Where the gateway's call-backs go.
pub const NOTIFY: &str = "/payments/notify";

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>, settings: PathBuf) -> std::io::Result<Ticker> {
    let mut said = String::new();
    Ticker::start("payments", move |stop| {
        let gateway = set_up(&centre, &settings, &mut said);
        let looked = match gateway {
            Some(gateway) => look(&centre, &gateway, stop),
            None => look_alone(&centre, stop),
        };
        if let Err(e) = &looked {
            tracing::error!(
                error = e as &dyn std::error::Error,
                "bills and refunds cannot be looked at; it is tried again"
            );
        }
        if looked.is_ok() { LOOK } else { PAUSE }
    })
}

/// The gateway as it is set up now; a mistake of the file is told once.
fn set_up(centre: &Arc<Centre>, path: &std::path::Path, said: &mut String) -> Option<HttpGateway> {
    let (settings, told) = match GatewaySettings::read(path) {
        Ok(settings) => (settings, String::new()),
        Err(e) => (None, format!("{}: {}", path.display(), with_causes(&e))),
    };
    if !told.is_empty() && told != *said {
        tracing::error!("nobody can pay on line: {told}");
    }
    *said = told;
    let (clock, random) = (centre.clone(), centre.clone());
    let nonce = move || {
        let mut bytes = [0; 16];
        random.random().fill_bytes(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    settings.map(|settings| HttpGateway::new(settings, move || clock.now_ms(), nonce))
}

/// Does what is due; a bill or refund with which the gateway does not help waits for its next turn.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn look(centre: &Arc<Centre>, gateway: &dyn Gateway, stop: &AtomicBool) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    // A clock that is not believed lets nothing lapse (`upkeep` says so).
    let due = |tx: &mut Tx<'_>| {
        if clock_guard::judge(tx, now_ms)? != Verdict::Plausible {
            return Ok::<_, ServiceError>((Vec::new(), Vec::new()));
        }
        Ok((money::due_bills(tx, now_ms, STRETCH)?, money::due_refunds(tx, now_ms, STRETCH)?))
    };
    let (bills, refunds) = centre.read(due)?;
    for bill in bills {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let done = if !bill.is_open || bill.due_ms < now_ms {
            end(centre, gateway, bill.clone())
        } else if bill.is_ordered {
            ask(centre, gateway, bill.clone())
        } else {
            order(centre, gateway, bill.clone())
        };
        if let Some(why) = alone(done)? {
            put_off(centre, bill, &why)?;
        }
    }
    for refund in refunds {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(why) = alone(give_back(centre, gateway, refund.clone()))? {
            put_off_refund(centre, refund, &why)?;
        }
    }
    Ok(())
}

/// Without a gateway nobody can pay, and no case waits for ever: what is over for longer than anybody waits for a gateway
/// lapses. Refunds wait.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn look_alone(centre: &Arc<Centre>, stop: &AtomicBool) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    let due = |tx: &mut Tx<'_>| {
        if clock_guard::judge(tx, now_ms)? != Verdict::Plausible {
            return Ok::<_, ServiceError>(Vec::new());
        }
        Ok(money::overdue_bills(tx, now_ms, STRETCH)?)
    };
    for bill in centre.read(due)? {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(why) = alone(lapse(centre, bill.number.clone()))? {
            put_off(centre, bill, &why)?;
        }
    }
    Ok(())
}

/// What is wrong with one bill alone holds up no other: it is told, and that bill waits. What is wrong with the store is
/// given on.
fn alone(done: Result<(), ServiceError>) -> Result<Option<String>, ServiceError> {
    match done {
        Ok(()) => Ok(None),
        Err(
            error @ (ServiceError::Refused { .. }
            | ServiceError::Inconsistent(_)
            | ServiceError::Write(WriteError::BrokeOff)
            | ServiceError::Store(
                StoreError::Stored { .. } | StoreError::Shape { .. } | StoreError::Constraint(_),
            )),
        ) if !is_busy(&error) => Ok(Some(with_causes(&error))),
        Err(error) => Err(error),
    }
}

/// A refusal that says nothing about the bill.
fn is_busy(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Refused { code, .. } if code.status() >= 500)
}

fn order(centre: &Arc<Centre>, gateway: &dyn Gateway, bill: BillDue) -> Result<(), ServiceError> {
    let order = Order {
        order: bill.number.clone(),
        fen: bill.left,
        currency: CURRENCY.to_owned(),
        until_ms: bill.due_ms,
        notify_url: format!("{}{NOTIFY}", centre.context().people_url),
    };
    match gateway.order(&order) {
        Ok(pay_url) => {
            let now_ms = centre.now_ms();
            let simulated = gateway.is_simulated();
            centre.write(move |tx| Ok(money::ordered(tx, now_ms, (&bill, &pay_url, simulated))?))
        }
        Err(error) => put_off(centre, bill, &error),
    }
}

/// Asks about an order, because a call-back can be lost.
fn ask(centre: &Arc<Centre>, gateway: &dyn Gateway, bill: BillDue) -> Result<(), ServiceError> {
    match gateway.payments(&bill.number) {
        Ok(told) => take(centre, told)?,
        Err(error) => return put_off(centre, bill, &error),
    }
    let then = (money::next_question(centre.now_ms(), bill.due_ms), 0);
    centre.write(move |tx| Ok(money::put_off(tx, &bill.number, then)?))
}

/// A bill whose time is over, or that was taken back: what was paid for it in time is taken, the order is closed, and only
/// then it lapses.
fn end(centre: &Arc<Centre>, gateway: &dyn Gateway, bill: BillDue) -> Result<(), ServiceError> {
    let waited_ms = centre.now_ms().saturating_sub(bill.due_ms);
    match gateway.payments(&bill.number) {
        Ok(told) => take(centre, told)?,
        Err(error) if waited_ms < LONGEST_WAIT_MS => return put_off(centre, bill, &error),
        Err(_) => {}
    }
    if let Err(error) = gateway.close(&bill.number)
        && waited_ms < LONGEST_WAIT_MS
    {
        return put_off(centre, bill, &error);
    }
    if bill.is_open {
        lapse(centre, bill.number)
    } else {
        centre.write(move |tx| Ok(money::closed(tx, &bill.number)?))
    }
}

fn lapse(centre: &Arc<Centre>, bill: String) -> Result<(), ServiceError> {
    let own = centre.clone();
    centre.write(move |tx| {
        let now_ms = own.now_ms();
        money::lapse(tx, own.context(), now_ms, &bill).map(|_| ())
    })
}

fn put_off(centre: &Arc<Centre>, bill: BillDue, why: &dyn std::fmt::Display) -> Result<(), ServiceError> {
    tracing::warn!(bill = bill.number, "{why}; it is asked again");
    let tries = u32::try_from(bill.tries).unwrap_or(u32::MAX).min(20);
    let pause_ms = AGAIN_MS.saturating_mul(2_i64.saturating_pow(tries)).min(LONGEST_PAUSE_MS);
    let at_ms = centre.now_ms().saturating_add(pause_ms);
    let then = (at_ms, bill.tries.saturating_add(1));
    centre.write(move |tx| Ok(money::put_off(tx, &bill.number, then)?))
}

/// Takes what the gateway says was paid, in the order in which it was: a centre that has forgotten it comes to the same
/// refunds again. What is no payment is told, and the others are taken.
fn take(centre: &Arc<Centre>, mut told: Vec<Told>) -> Result<(), ServiceError> {
    told.sort_by(|a, b| (a.paid_at_ms, &a.transaction).cmp(&(b.paid_at_ms, &b.transaction)));
    for told in told {
        let (own, arrival) = (centre.clone(), arrival(told, Way::Query));
        let order = arrival.order.clone();
        let taken =
            centre.write(move |tx| money::take(tx, own.context(), own.now_ms(), &arrival).map(|_| ()));
        match taken {
            Err(ServiceError::Refused { code: ProblemCode::MalformedRequest, detail }) => {
                let why = detail.unwrap_or_default();
                tracing::error!(bill = order, "the gateway tells a payment that is none: {why}");
            }
            taken => taken?,
        }
    }
    Ok(())
}

/// A payment that the gateway told.
pub fn arrival(told: Told, way: Way) -> Arrival {
    let Told { transaction, order, fen, currency, paid_at_ms } = told;
    Arrival { transaction, order, fen, currency, paid_at_ms, way }
}

fn give_back(centre: &Arc<Centre>, gateway: &dyn Gateway, due: RefundDue) -> Result<(), ServiceError> {
    let asked =
        RefundOrder { refund: due.number.clone(), transaction: due.transaction.clone(), fen: due.fen };
    let answer = gateway.refund(&asked);
    let now_ms = centre.now_ms();
    match answer {
        Ok(RefundAnswer::Done) => centre.write(move |tx| money::refund_done(tx, now_ms, &due)),
        Ok(RefundAnswer::Refused) => {
            tracing::warn!(refund = due.number, "a refund was refused; it is tried again");
            centre.write(move |tx| money::refund_failed(tx, now_ms, &due))
        }
        Ok(RefundAnswer::UnderWay) => put_off_refund(centre, due, &"the refund is under way"),
        Err(error) => put_off_refund(centre, due, &error),
    }
}

/// A refund that neither was done nor failed is asked about again: after as long as its bill lies there, so twice as late
/// each time, and not later than bills.
fn put_off_refund(
    centre: &Arc<Centre>,
    due: RefundDue,
    why: &dyn std::fmt::Display,
) -> Result<(), ServiceError> {
    tracing::warn!(refund = due.number, "{why}; it is asked again");
    let now_ms = centre.now_ms();
    let pause_ms = now_ms.saturating_sub(due.since_ms).clamp(AGAIN_MS, LONGEST_PAUSE_MS);
    let at_ms = now_ms.saturating_add(pause_ms);
    centre.write(move |tx| Ok(money::put_off_refund(tx, &due.number, at_ms)?))
}
