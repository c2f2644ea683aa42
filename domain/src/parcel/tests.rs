//! The life of a parcel: by hand, and by any events in any order.
use proptest::prelude::*;

use super::ParcelState::*;
use super::*;

fn happened(version: u64, event: Event) -> Happened {
    Happened { version, at_ms: i64::try_from(version).unwrap_or(0) * 1_000, event }
}

/// A parcel after these events.
fn after(way: Way, events: &[Event]) -> Result<Parcel, ParcelError> {
    let all = std::iter::once(Event::Made { way }).chain(events.iter().cloned());
    let all: Vec<_> = (1..).zip(all).map(|(version, event)| happened(version, event)).collect();
    Parcel::of(&all)
}

fn packed() -> Event {
    Event::Packed { seal: "F-1".into(), certificates: Vec::new() }
}

fn handed() -> Event {
    Event::Handed { carrier: "ems".into() }
}

fn picked_up() -> Event {
    Event::PickedUp { certificates: Vec::new() }
}

fn told(round: u16, news: News) -> Event {
    Event::Told { round, news, at_ms: 0 }
}

fn any_event() -> impl Strategy<Value = Event> {
    let news = (0u16..4, 0usize..5).prop_map(|(round, n)| told(round, News::ALL[n]));
    prop_oneof![
        4 => news,
        2 => Just(packed()),
        2 => Just(handed()),
        1 => Just(Event::Packed { seal: String::new(), certificates: Vec::new() }),
        1 => Just(Event::Opened),
        1 => Just(Event::Changed),
        1 => Just(Event::ToWindow),
        1 => Just(Event::MadeAgain),
        1 => Just(picked_up()),
        1 => Just(Event::Recalled),
        1 => Just(Event::Settled),
        1 => Just(Event::Made { way: Way::Post }),
    ]
}

proptest! {
    #[test]
    fn states_move_along_allowed_edges_only_and_what_does_not_fit_changes_nothing(
        post in any::<bool>(),
        events in proptest::collection::vec(any_event(), 0..60),
    ) {
        let way = if post { Way::Post } else { Way::PickUp };
        let mut parcel = after(way, &[]).expect("a parcel");
        for event in events {
            let before = parcel.clone();
            let version = parcel.version + 1;
            let applied = parcel.apply(&happened(version, event.clone()));
            if applied.is_err() {
                prop_assert_eq!(&parcel, &before);
                continue;
            }
            let stays = matches!(event, Event::Recalled | Event::Changed | Event::Settled)
                || matches!(event, Event::Told { round, .. } if round < before.round);
            prop_assert!(before.state.allows(parcel.state) || (stays && parcel.state == before.state), "{:?} {:?}", before, event);
            // The last round may end at a window.
            prop_assert!(parcel.round <= MAX_ROUNDS + 1 && parcel.round >= before.round);
            prop_assert!(!matches!(before.state, PickedUp | Withdrawn) || parcel.state == before.state);
            // Nothing is handed over by the carrier that it never had.
            prop_assert!(parcel.state != Delivered || !parcel.carrier.is_empty());
        }
    }

    #[test]
    fn the_same_news_once_more_and_older_news_move_nothing(
        news in proptest::collection::vec(0usize..5, 1..20),
    ) {
        let mut parcel = after(Way::Post, &[packed(), handed()]).expect("handed");
        for n in news {
            let event = told(1, News::ALL[n]);
            let version = parcel.version + 1;
            if parcel.apply(&happened(version, event.clone())).is_ok() {
                let once = parcel.clone();
                prop_assert_eq!(parcel.hear(1, News::ALL[n]), Heard::Late);
                prop_assert!(parcel.apply(&happened(once.version + 1, event)).is_err());
                prop_assert_eq!(&parcel, &once);
                prop_assert_eq!(parcel.hear(1, News::OnTheWay), Heard::Late, "it never goes back on its way");
            }
        }
    }
}

#[test]
fn a_parcel_lives_as_people_tell_it() {
    let table: [(&[Event], ParcelState); 8] = [
        (&[packed(), handed(), told(1, News::OnTheWay), told(1, News::Delivered)], Delivered),
        (&[packed(), handed(), told(1, News::Delivered)], Delivered),
        (
            &[
                packed(),
                handed(),
                told(1, News::Refused),
                told(1, News::Returned),
                Event::ToWindow,
                picked_up(),
            ],
            PickedUp,
        ),
        (
            &[
                packed(),
                handed(),
                told(1, News::Lost),
                Event::MadeAgain,
                packed(),
                handed(),
                told(2, News::Delivered),
            ],
            Delivered,
        ),
        (&[packed(), handed(), told(1, News::Lost), told(1, News::Delivered)], Delivered),
        (&[packed(), Event::Opened, packed(), handed()], Handed),
        (&[packed(), Event::Recalled], Withdrawn),
        (&[Event::ToWindow, picked_up()], PickedUp),
    ];
    for (events, state) in table {
        assert_eq!(after(Way::Post, events).map(|parcel| parcel.state), Ok(state), "{events:?}");
    }
    assert_eq!(after(Way::PickUp, &[picked_up()]).map(|parcel| parcel.state), Ok(PickedUp));
    assert!(after(Way::PickUp, &[picked_up(), picked_up()]).is_err(), "once only");
    assert!(after(Way::Post, &[handed()]).is_err(), "nothing is handed over that was not packed");
}

#[test]
fn what_is_called_back_needs_somebody_until_it_is_settled() {
    let way = [packed(), handed(), told(1, News::OnTheWay), Event::Recalled];
    let called = after(Way::Post, &way).expect("called back");
    assert!(called.needs_somebody() && called.state == OnTheWay);
    assert!(after(Way::Post, &[&way[..], &[Event::Settled]].concat()).is_err(), "it is still on its way");
    let to = [
        (News::Delivered, Delivered),
        (News::Returned, Withdrawn),
        (News::Lost, Withdrawn),
        (News::Refused, Withdrawn),
    ];
    for (news, state) in to {
        let there = after(Way::Post, &[&way[..], &[told(1, news)]].concat()).expect("there");
        assert!(there.needs_somebody(), "{news:?}");
        let settled = after(Way::Post, &[&way[..], &[told(1, news), Event::Settled]].concat());
        assert_eq!(settled.map(|p| (p.state, p.needs_somebody())), Ok((state, false)), "{news:?}");
    }
    assert!(after(Way::Post, &[&way[..], &[Event::Recalled]].concat()).is_err(), "once");
    assert!(after(Way::PickUp, &[picked_up(), Event::Recalled]).is_err(), "it is beyond reach");
}

#[test]
fn what_is_lost_stays_called_back_and_a_new_way_is_a_new_round() {
    let lost = [packed(), handed(), Event::Recalled, told(1, News::Lost)];
    for (back, news) in [(false, None), (true, Some(told(1, News::Returned)))] {
        for on in [Event::MadeAgain, Event::ToWindow] {
            let events: Vec<_> = lost.iter().cloned().chain(news.clone()).chain([on.clone()]).collect();
            let parcel = after(Way::Post, &events).expect("goes on");
            assert_eq!((parcel.recalled, parcel.round), (!back, 2), "{on:?}");
            assert_eq!(parcel.hear(1, News::Delivered), Heard::OfBefore, "{on:?}");
            if parcel.recalled {
                let settled = after(Way::Post, &[&events[..], &[Event::Settled]].concat()).expect("settled");
                assert_eq!((settled.state, settled.recalled), (parcel.state, false), "what is good goes on");
            }
        }
    }
    assert_eq!(
        after(Way::Post, &[Event::ToWindow]).map(|parcel| parcel.round),
        Ok(1),
        "nobody carried it yet"
    );
    let events = [packed(), handed(), Event::Recalled, told(1, News::Lost), Event::ToWindow, picked_up()];
    assert!(after(Way::Post, &events).is_ok_and(|parcel| parcel.needs_somebody()));
    let events = [&events[..], &[Event::Settled]].concat();
    assert_eq!(after(Way::Post, &events).map(|p| (p.state, p.needs_somebody())), Ok((PickedUp, false)));
}

#[test]
fn what_changed_stands_where_it_stood_and_what_nobody_gets_is_withdrawn() {
    for (way, before) in [(Way::PickUp, vec![]), (Way::Post, vec![]), (Way::Post, vec![packed()])] {
        let parcel = after(way, &before).expect("a parcel");
        let changed = after(way, &[&before[..], &[Event::Changed]].concat());
        match parcel.state {
            Packed => assert!(changed.is_err(), "it is opened"),
            state => assert_eq!(changed.map(|p| (p.state, p.version)), Ok((state, parcel.version + 1))),
        }
        let settled = after(way, &[&before[..], &[Event::Settled]].concat());
        assert_eq!(settled.map(|p| p.state), Ok(Withdrawn));
    }
    for events in [vec![packed(), handed()], vec![packed(), handed(), told(1, News::Delivered)]] {
        assert!(after(Way::Post, &[&events[..], &[Event::Changed]].concat()).is_err());
        assert!(after(Way::Post, &[&events[..], &[Event::Settled]].concat()).is_err());
    }
}

#[test]
fn news_of_a_parcel_that_was_made_again_is_noted_and_moves_nothing() {
    let again = [packed(), handed(), told(1, News::Lost), Event::MadeAgain];
    let parcel = after(Way::Post, &again).expect("made again");
    assert_eq!(
        (parcel.hear(1, News::Delivered), parcel.hear(2, News::Delivered)),
        (Heard::OfBefore, Heard::Late)
    );
    assert_eq!((parcel.hear(3, News::Lost), parcel.hear(0, News::Lost)), (Heard::Late, Heard::Late));
    let noted = after(Way::Post, &[&again[..], &[told(1, News::Delivered)]].concat()).expect("noted");
    assert_eq!((noted.state, noted.version), (ToPack, parcel.version + 1));
    let mut half = noted.clone();
    half.version = MAX_EVENTS / 2;
    assert_eq!(half.hear(1, News::Returned), Heard::Late, "old news leaves room for what is new");
    let handed_again = after(Way::Post, &[&again[..], &[packed(), handed()]].concat()).expect("handed");
    half = Parcel { version: MAX_EVENTS / 2, ..handed_again };
    assert_eq!(half.hear(2, News::Delivered), Heard::News);
    let mut full = noted.clone();
    full.version = MAX_EVENTS;
    assert_eq!(full.hear(1, News::Returned), Heard::Late, "a carrier does not fill the store");
}

#[test]
fn events_have_their_order_and_a_fixed_form() {
    assert_eq!(Parcel::of(&[]), Err(ParcelError::Order(0)));
    assert_eq!(Parcel::of(&[happened(1, packed())]), Err(ParcelError::Order(1)));
    let made = Event::Made { way: Way::PickUp };
    assert_eq!(
        Parcel::of(&[happened(1, made.clone()), happened(3, picked_up())]),
        Err(ParcelError::Order(3))
    );
    assert_eq!(serde_json::to_string(&made).expect("json"), r#"{"kind":"made","way":"pick_up"}"#);
    assert_eq!(serde_json::to_string(&picked_up()).expect("json"), r#"{"kind":"picked_up"}"#);
    assert_eq!(serde_json::from_str::<Event>(r#"{"kind":"picked_up"}"#).expect("read"), picked_up());
    let json = r#"{"kind":"packed","seal":"F-1","certificates":["ZZ"]}"#;
    assert!(serde_json::from_str::<Event>(json).is_err(), "no number of a certificate");
    let json = r#"{"kind":"told","round":2,"news":"on_the_way","at_ms":7}"#;
    let event = Event::Told { round: 2, news: News::OnTheWay, at_ms: 7 };
    assert_eq!(serde_json::from_str::<Event>(json).expect("read"), event);
    assert_eq!(serde_json::to_string(&event).expect("json"), json);
}

#[test]
fn numbers_read_back_and_orders_name_their_round() {
    let case = "XN26112400100013".parse().expect("a case number");
    let number = ParcelNo::of(&case, 1).expect("a number");
    assert_eq!(number.as_str().len(), 18);
    assert!(ParcelNo::of(&case, 0).is_none() && ParcelNo::of(&case, 100).is_none());
    assert_eq!(number.groups().join(" ").to_lowercase().parse(), Ok(number.clone()));
    assert_eq!(ParcelNo::of_order(&number.order(3)), Some((number.clone(), 3)));
    for wrong in ["", "-1", "JP-1", &format!("{number}-"), &format!("{number}-+1"), &format!("{number}-9999")]
    {
        assert_eq!(ParcelNo::of_order(wrong), None, "{wrong}");
    }
    let certificate = crate::certificate::CertificateNo::of(&case, 1).expect("a number");
    assert!(certificate.as_str().parse::<ParcelNo>().is_err(), "no certificate passes for a parcel");
}
