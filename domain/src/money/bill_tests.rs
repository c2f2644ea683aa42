//! Short, over, double, late: what becomes of each payment, and that sums always balance.
use proptest::prelude::*;

use super::*;

fn fen(n: i64) -> Fen {
    Fen::new(n).expect("an amount")
}

fn opened(amount: i64) -> BillEvent {
    BillEvent::Opened {
        case: "XN26112400100013".parse().expect("a number"),
        step: "review".into(),
        item: None,
        fen: fen(amount),
        basis: "x".into(),
        due_ms: 1_000,
    }
}

fn arrived(transaction: &str, amount: i64) -> BillEvent {
    BillEvent::Arrived {
        transaction: transaction.into(),
        fen: fen(amount),
        paid_at_ms: 5,
        still_wanted: false,
    }
}

fn wanted(transaction: &str, amount: i64) -> BillEvent {
    BillEvent::Arrived {
        transaction: transaction.into(),
        fen: fen(amount),
        paid_at_ms: 5,
        still_wanted: true,
    }
}

fn after(events: &[BillEvent]) -> Bill {
    let bill = Bill::fold([opened(1000)].iter().chain(events)).expect("a bill");
    assert!(balances(&bill), "{bill:?}");
    bill
}

fn balances(bill: &Bill) -> bool {
    bill.kept().plus(bill.refunded()).and_then(|sum| sum.plus(bill.owed())) == Some(bill.received())
}

fn told(bill: &Bill) -> (BillState, i64, i64, Vec<Why>) {
    let why = bill.refunds.iter().map(|refund| refund.why).collect();
    (bill.state, bill.kept().get(), bill.owed().get(), why)
}

#[test]
fn each_payment_is_kept_or_goes_back() {
    use BillState::{Cancelled, GivenBack, Lapsed, Open, Paid};
    type Row<'a> = (&'a [BillEvent], (BillState, i64, i64, Vec<Why>));
    let table: [Row<'_>; 12] = [
        (&[arrived("t1", 1000)], (Paid, 1000, 0, vec![])),
        (&[arrived("t1", 400)], (Open, 400, 0, vec![])),
        (&[arrived("t1", 400), arrived("t2", 600)], (Paid, 1000, 0, vec![])),
        (&[arrived("t1", 400), arrived("t2", 700)], (Paid, 1000, 100, vec![Why::Over])),
        (&[arrived("t1", 1500)], (Paid, 1000, 500, vec![Why::Over])),
        (&[arrived("t1", 1000), arrived("t2", 1000)], (Paid, 1000, 1000, vec![Why::Double])),
        (&[BillEvent::Lapsed, arrived("t1", 1000)], (Lapsed, 0, 1000, vec![Why::Late])),
        (&[BillEvent::Lapsed, wanted("t1", 1000)], (Paid, 1000, 0, vec![])),
        (&[BillEvent::Lapsed, wanted("t1", 999)], (Lapsed, 0, 999, vec![Why::Late])),
        (&[arrived("t1", 400), BillEvent::Lapsed], (Lapsed, 0, 400, vec![Why::Lapsed])),
        (&[BillEvent::Cancelled, arrived("t1", 1)], (Cancelled, 0, 1, vec![Why::Cancelled])),
        (&[arrived("t1", 1000), BillEvent::GivenBack], (GivenBack, 0, 1000, vec![Why::GivenBack])),
    ];
    for (events, expected) in table {
        assert_eq!(told(&after(events)), expected, "{events:?}");
    }
}

#[test]
fn a_refund_is_tried_a_bounded_number_of_times_and_then_a_person_looks() {
    let mut bill = after(&[arrived("t1", 1500)]);
    for n in 1..=MAX_TRIES {
        assert!(!bill.needs_somebody());
        bill.apply(&BillEvent::RefundFailed { refund: 1 }).expect("a try");
        assert_eq!(bill.refund(1).map(|r| r.tries), Some(n));
    }
    assert!(bill.needs_somebody() && balances(&bill) && bill.owed() == fen(500));
    bill.apply(&BillEvent::RefundRetried { refund: 1 }).expect("again");
    bill.apply(&BillEvent::RefundDone { refund: 1 }).expect("done");
    assert_eq!((bill.owed(), bill.refunded(), bill.needs_somebody()), (Fen::NOTHING, fen(500), false));
    for late in [BillEvent::RefundDone { refund: 1 }, BillEvent::RefundFailed { refund: 2 }] {
        assert_eq!(bill.apply(&late), Err(BillError::Refund));
    }
}

#[test]
fn refunds_are_numbered_by_their_payment() {
    let bill = after(&[arrived("t1", 1500), arrived("t2", 20), BillEvent::GivenBack]);
    let told: Vec<_> = bill.refunds.iter().map(|r| (r.number, r.transaction.as_str(), r.turn)).collect();
    assert_eq!(told, [(1, "t1", 1), (2, "t2", 1), (3, "t1", 2)]);
}

#[test]
fn what_fits_no_bill_waits_for_a_person() {
    let mut stray = Bill::begin(&BillEvent::Strayed { why: Stray::Unknown }).expect("a stray");
    stray.apply(&arrived("t1", 700)).expect("money");
    assert!(stray.needs_somebody() && stray.kept() == fen(700) && balances(&stray));
    assert_eq!(stray.apply(&arrived("t2", 1)), Err(BillError::Full));
    stray.apply(&BillEvent::GivenBack).expect("sent back");
    assert_eq!(told(&stray), (BillState::GivenBack, 0, 700, vec![Why::GivenBack]));
}

#[test]
fn what_is_no_payment_changes_nothing() {
    let mut bill = after(&[arrived("t1", 400)]);
    let before = bill.clone();
    let long = "t".repeat(65);
    for (event, error) in [
        (arrived("t1", 400), BillError::Twice),
        (arrived("", 1), BillError::Payment),
        (arrived("a b", 1), BillError::Payment),
        (arrived(&long, 1), BillError::Payment),
        (arrived("t2", 0), BillError::Payment),
        (arrived("t2", Fen::MOST.get()), BillError::Full),
        (opened(1), BillError::Beginning),
        (BillEvent::GivenBack, BillError::Misfit(BillState::Open)),
    ] {
        assert_eq!(bill.apply(&event), Err(error), "{event:?}");
    }
    assert_eq!(bill, before);
    assert_eq!(Bill::begin(&opened(0)), Err(BillError::Nothing));
    assert_eq!(Bill::begin(&BillEvent::Lapsed), Err(BillError::Beginning));
}

#[test]
fn the_stored_form_of_an_event_is_fixed() {
    let json = r#"{"kind":"arrived","transaction":"t1","fen":400,"paid_at_ms":5}"#;
    assert_eq!(serde_json::to_string(&arrived("t1", 400)).expect("json"), json);
    assert_eq!(serde_json::from_str::<BillEvent>(json).expect("read back"), arrived("t1", 400));
}

fn event() -> impl Strategy<Value = BillEvent> {
    prop_oneof![
        6 => (0_u8..20, 0_i64..2_500, any::<bool>()).prop_map(|(n, amount, still_wanted)| {
            BillEvent::Arrived { transaction: format!("t{n}"), fen: fen(amount), paid_at_ms: 5, still_wanted }
        }),
        1 => Just(BillEvent::Lapsed),
        1 => Just(BillEvent::Cancelled),
        1 => Just(BillEvent::GivenBack),
        2 => (0_u16..6).prop_map(|refund| BillEvent::RefundDone { refund }),
        2 => (0_u16..6).prop_map(|refund| BillEvent::RefundFailed { refund }),
        1 => (0_u16..6).prop_map(|refund| BillEvent::RefundRetried { refund }),
    ]
}

proptest! {
    /// Received = kept + refunded + to be refunded, after whatever happens; no more is kept than was asked for; a
    /// payment that was taken is never lost; and what is refused changes nothing.
    #[test]
    fn sums_balance_whatever_happens(events in prop::collection::vec(event(), 0..60), stray in any::<bool>()) {
        let first = if stray { BillEvent::Strayed { why: Stray::Unknown } } else { opened(1000) };
        let mut bill = Bill::begin(&first).expect("a bill");
        let (mut received, mut stored) = (0, vec![first]);
        for event in events {
            let before = bill.clone();
            match bill.apply(&event) {
                Ok(()) => {
                    if let BillEvent::Arrived { fen, .. } = &event {
                        received += fen.get();
                    }
                    stored.push(event);
                }
                Err(_) => prop_assert_eq!(&bill, &before),
            }
            prop_assert!(balances(&bill), "{:?}", bill);
            prop_assert_eq!(bill.received().get(), received);
            prop_assert!(stray || bill.kept() <= bill.fen);
            prop_assert_eq!(bill.state == BillState::Paid, !stray && bill.kept() == bill.fen);
            for payment in &bill.payments {
                let back: i64 = bill.refunds.iter().filter(|r| r.transaction == payment.transaction).map(|r| r.fen.get()).sum();
                prop_assert_eq!(payment.kept.get() + back, payment.fen.get());
            }
        }
        prop_assert_eq!(Bill::fold(&stored), Ok(bill));
    }
}
