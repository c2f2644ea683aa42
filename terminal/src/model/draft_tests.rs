//! Tables over drafts, withdrawn items and an old catalogue in the pure model, and the round trip of every form.
use std::sync::{Arc, OnceLock};

use domain::applicant::IdentitySource;
use domain::catalogue::{Catalogue, StaleAction};
use domain::date::CivilDate;
use domain::form::{Facts, Form, Layout};
use domain::ids::EnvelopeId;
use domain::item::Withdrawal;
use domain::text::Text;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::tests::{
    COURIER, ELDER, NOW_MS, answers, at_check, at_home, begin, catalogue, code, in_form, person,
    through_questions,
};
use super::*;
use crate::command::Command;
use crate::event::{Event, Job};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn id(last: u8) -> EnvelopeId {
    format!("019ab2c3-d4e5-7000-8000-0000000000{last:02}").parse().expect("id")
}

fn line() -> DraftLine {
    let title = Text { zh: "灵活就业参保登记".to_owned(), ..Text::default() };
    DraftLine { item: code(), title, age_ms: HOUR_MS, left_ms: 23 * HOUR_MS }
}

fn found(model: &mut Model, of: &str, lines: Vec<DraftLine>) -> Vec<Job> {
    model.event(Event::Drafts { of: person(of), lines })
}

/// The jobs that a Continue with a phone number gives.
fn go_on(model: &mut Model) -> Vec<Job> {
    model.command(Command::Answer { key: "phone".to_owned(), value: json!("13000000017") });
    model.command(Command::Continue)
}

fn kept(jobs: &[Job]) -> Option<&Snapshot> {
    match jobs {
        [Job::KeepDraft(unfinished)] => Some(&unfinished.snapshot),
        _ => None,
    }
}

fn opened(snapshot: Snapshot, catalogue: Arc<Catalogue>) -> Event {
    Event::DraftOpened(Box::new(OpenedForm { item: code(), envelope_id: id(7), catalogue, snapshot }))
}

/// A visit that stopped after the first page, and what was kept of it.
fn stopped() -> Snapshot {
    let mut model = in_form();
    found(&mut model, COURIER, vec![]);
    kept(&go_on(&mut model)).expect("a draft").clone()
}

/// The courier comes again and is offered the draft.
fn offered() -> Model {
    let mut model = Model::new(catalogue(), NOW_MS);
    let jobs = model.event(Event::CardRead(person(COURIER)));
    assert!(matches!(jobs.as_slice(), [Job::FindDrafts(_)]), "{jobs:?}");
    found(&mut model, COURIER, vec![line()]);
    assert_eq!(model.screen, Screen::Resume(code()));
    model
}

#[test]
fn a_form_is_kept_at_each_continue_that_goes_well() {
    let mut model = in_form();
    assert!(go_on(&mut model).is_empty(), "not before the store has said what is there");
    model.command(Command::Back);
    found(&mut model, COURIER, vec![]);
    model.command(Command::ClearAnswer("phone".to_owned()));
    assert!(model.command(Command::Continue).is_empty(), "not with an error");
    let jobs = go_on(&mut model);
    let snapshot = kept(&jobs).expect("a draft");
    assert_eq!(snapshot.at, Place::Field("hukou_region".to_owned()), "where the person is now");
    assert_eq!(snapshot.answers.text("phone"), "13000000017");
    assert!(snapshot.untouched.contains("hukou_region"), "the region of the card is a default");
    assert!(!format!("{jobs:?}").contains("13000000017"));
}

#[test]
fn a_typed_number_is_neither_kept_nor_offered_anything() {
    let mut model = at_home();
    begin(&mut model, code());
    let mut typed = person(COURIER);
    typed.source = IdentitySource::Typed;
    assert!(model.event(Event::CardRead(typed)).is_empty());
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form);
    assert!(go_on(&mut model).is_empty());
}

#[test]
fn the_same_card_goes_on_where_it_stopped() {
    let snapshot = stopped();
    let mut model = offered();
    let jobs = model.command(Command::Resume);
    assert!(matches!(jobs.as_slice(), [Job::OpenDraft { item, .. }] if *item == code()), "{jobs:?}");
    assert!(model.command(Command::Resume).is_empty(), "a second tap is nothing");
    let old = Arc::new(Catalogue { version: 1, ..Catalogue::clone(&catalogue()) });
    model.event(opened(snapshot.clone(), old));
    let session = model.session.as_ref().expect("a visit");
    assert_eq!((&model.screen, session.page, session.envelope_id), (&Screen::Form, 1, Some(id(7))));
    assert_eq!((&session.answers, session.answers.untouched()), (&snapshot.answers, &snapshot.untouched));
    assert!(session.drafts.kept);
    assert_eq!(model.pinned().version, 1, "its own version");
    for (key, value) in answers() {
        model.command(Command::Answer { key: key.to_owned(), value });
    }
    while model.screen == Screen::Form {
        for (key, value) in answers() {
            model.command(Command::Answer { key: key.to_owned(), value });
        }
        assert!(kept(&model.command(Command::Continue)).is_some(), "kept on, in {:?}", model.screen);
    }
    let jobs = model.command(Command::Submit);
    assert!(matches!(jobs.as_slice(), [Job::Submit(draft)] if draft.catalogue_version == 1), "{jobs:?}");
}

#[test]
fn who_stopped_on_the_check_page_comes_back_to_it_or_to_what_does_not_fit_any_more() {
    let mut snapshot = Snapshot::of(at_check().session.as_ref().expect("a visit"), &Screen::Check);
    assert_eq!(snapshot.at, Place::Check);
    let mut model = offered();
    model.command(Command::Resume);
    model.event(opened(snapshot.clone(), catalogue()));
    assert_eq!(model.screen, Screen::Check);
    snapshot.answers.set("start_month", json!("2020-01"));
    let mut model = offered();
    model.command(Command::Resume);
    model.event(opened(snapshot, catalogue()));
    let session = model.session.as_ref().expect("a visit");
    assert_eq!((&model.screen, session.errors.len()), (&Screen::Form, 1));
}

#[test]
fn nobody_is_offered_what_is_not_theirs() {
    let mut model = Model::new(catalogue(), NOW_MS);
    model.event(Event::CardRead(person(ELDER)));
    found(&mut model, COURIER, vec![line()]);
    assert_eq!(model.screen, Screen::Home, "a list that comes late for another person");
    let mut model = offered();
    model.command(Command::Resume);
    model.event(Event::CardRead(person(ELDER)));
    model.event(opened(stopped(), catalogue()));
    assert_eq!(model.screen, Screen::Home, "a draft that opens late for a person who has left");
    assert!(model.session.as_ref().expect("a visit").answers.as_map().is_empty());
}

#[test]
fn a_draft_is_offered_when_its_item_is_begun_and_others_are_left_alone() {
    let at_card = || {
        let mut model = at_home();
        begin(&mut model, code());
        model.event(Event::CardRead(person(COURIER)));
        model
    };
    let mut model = at_card();
    found(&mut model, COURIER, vec![line()]);
    assert_eq!(model.screen, Screen::Card, "nothing jumps away under a finger");
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Resume(code()));
    model.command(Command::Back);
    assert!(matches!(model.screen, Screen::Question | Screen::Needs), "{:?}", model.screen);
    let mut model = at_card();
    model.command(Command::Continue);
    found(&mut model, COURIER, vec![line()]);
    assert_eq!(model.screen, Screen::Resume(code()), "the store answered after the form had opened");
    let mut model = at_card();
    found(&mut model, COURIER, vec![DraftLine { item: "psb.other".parse().expect("code"), ..line() }]);
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form);
}

#[test]
fn beginning_anew_and_deleting_erase_the_draft() {
    let mut model = offered();
    let jobs = model.command(Command::StartOver);
    assert!(matches!(jobs.as_slice(), [Job::EraseDraft { .. }]), "{jobs:?}");
    assert_eq!(model.screen, Screen::Question, "asked on the home page, before any question");
    let jobs = through_questions(&mut model);
    assert!(matches!(jobs.as_slice(), [Job::StartForm]), "{jobs:?}");
    assert_eq!(model.screen, Screen::Form);
    model.command(Command::Back);
    assert!(matches!(model.screen, Screen::Question | Screen::Needs), "{:?}", model.screen);
    let mut model = offered();
    assert!(matches!(model.command(Command::DeleteDraft).as_slice(), [Job::EraseDraft { .. }]));
    assert_eq!(model.screen, Screen::Home);
    assert!(model.session.as_ref().expect("a visit").drafts.of(&code()).is_none());
    let mut model = offered();
    model.command(Command::Resume);
    model.event(Event::DraftLost { item: code() });
    assert_eq!(model.screen, Screen::Resume(code()), "told where it was offered");
    assert!(model.command(Command::Resume).is_empty());
    model.command(Command::StartOver);
    through_questions(&mut model);
    assert_eq!(model.screen, Screen::Form);
}

fn withdrawn(days_ago: i64) -> Withdrawal {
    let since = CivilDate::in_china(NOW_MS).plus_days(-days_ago);
    Withdrawal { since, reason: Text::default(), instead: None }
}

#[test]
fn nobody_begins_a_withdrawn_item_and_what_was_begun_has_its_days_of_grace() {
    let grace = i64::from(catalogue().policies.grace_days);
    for (days_ago, begins, finishes) in
        [(-1, true, true), (0, false, true), (grace - 1, false, true), (grace, false, false)]
    {
        let mut model = offered();
        model.withdrawn.insert(code(), withdrawn(days_ago));
        assert_eq!(model.can_begin(&code()).is_ok(), begins, "{days_ago}");
        assert_eq!(model.can_finish(&code()).is_ok(), finishes, "{days_ago}");
        assert_eq!(model.caveat(&code()) == Some(Caveat::Withdrawn), !begins, "{days_ago}");
        assert_eq!(model.command(Command::StartOver).is_empty(), !begins, "{days_ago}");
        let mut model = offered();
        model.withdrawn.insert(code(), withdrawn(days_ago));
        assert_eq!(model.command(Command::Resume).is_empty(), !finishes, "{days_ago}");
    }
}

#[test]
fn a_wrong_machine_clock_neither_opens_nor_closes_a_withdrawn_item() {
    for now_ms in [0, NOW_MS, 2_208_988_800_000] {
        let mut model = at_home();
        model.withdrawn.insert(code(), withdrawn(1));
        model.standing.calendar_ms = Some(NOW_MS);
        model.event(Event::Tick { now_ms });
        assert_eq!(model.can_begin(&code()), Err(Unavailable::Withdrawn), "{now_ms}");
        assert_eq!(model.can_finish(&code()), Ok(()), "{now_ms}");
    }
}

/// A visit with a catalogue of this age and this policy for the item.
fn aged(unconfirmed_ms: Option<i64>, action: StaleAction) -> Model {
    let mut old = Catalogue::clone(&catalogue());
    old.policies.stale.items.insert(code(), action);
    let mut model = Model::new(Arc::new(old), NOW_MS);
    model.command(Command::Start(TextSize::Normal));
    model.event(Event::Standing(Standing { unconfirmed_ms, calendar_ms: Some(NOW_MS) }));
    model
}

#[test]
fn an_old_catalogue_limits_what_may_be_begun_item_by_item() {
    let limit_ms = i64::from(catalogue().policies.stale.after_hours) * HOUR_MS;
    for (action, caveat, begins) in [
        (StaleAction::Warn, Caveat::Old, true),
        (StaleAction::RegisterOnly, Caveat::RegisterOnly, true),
        (StaleAction::Block, Caveat::Blocked, false),
    ] {
        for current in [None, Some(0), Some(limit_ms)] {
            let model = aged(current, action);
            assert_eq!((model.caveat(&code()), model.can_begin(&code())), (None, Ok(())), "{current:?}");
        }
        let model = aged(Some(limit_ms + 1), action);
        assert_eq!((model.caveat(&code()), model.can_begin(&code()).is_ok()), (Some(caveat), begins));
        assert_eq!(model.can_finish(&code()), Ok(()), "what was begun is never stopped by age");
    }
}

#[test]
fn a_form_that_is_open_is_stopped_by_nothing_that_comes_to_be_known_meanwhile() {
    let mut model = at_check();
    let mut blocked = Catalogue::clone(&catalogue());
    blocked.policies.stale.otherwise = StaleAction::Block;
    model.catalogue = Arc::new(blocked);
    model.event(Event::Standing(Standing { unconfirmed_ms: Some(90 * DAY_MS), calendar_ms: Some(NOW_MS) }));
    model.withdrawn.insert(code(), withdrawn(0));
    assert!(model.can_begin(&code()).is_err());
    assert!(matches!(model.command(Command::Submit).as_slice(), [Job::Submit(_)]));
}

fn forms() -> &'static [Form] {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    FORMS.get_or_init(|| {
        catalogue().entries().map(|entry| Form::compile(entry.form()).expect("a form")).collect()
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was typed into whichever form: what comes back is what was kept, to the page.
    #[test]
    fn what_is_kept_of_any_form_comes_back_as_it_was(
        form in any::<Index>(),
        typed in prop::collection::vec((any::<Index>(), values()), 0..8),
        page in any::<Index>(),
    ) {
        let form = form.get(forms());
        let keys: Vec<String> = form.spec().fields().map(|field| field.key.clone()).collect();
        prop_assume!(!keys.is_empty());
        let facts = Facts::of_applicant(&person(COURIER), CivilDate::in_china(NOW_MS));
        let mut session = Session::new(NOW_MS);
        form.prefill(&mut session.answers, &facts);
        for (key, value) in typed {
            session.answers.set(&keys[key.index(keys.len())], value);
            form.prefill(&mut session.answers, &facts);
        }
        session.plan = form.plan(&session.answers, &facts, Layout::Grouped).into();
        session.page = page.index(session.plan.pages.len().max(1));
        let bytes = serde_json::to_vec(&Snapshot::of(&session, &Screen::Form)).expect("bytes");
        let mut other = Session::new(NOW_MS);
        let place = serde_json::from_slice::<Snapshot>(&bytes).expect("a snapshot").restore(&mut other);
        prop_assert_eq!(&other.answers, &session.answers);
        prop_assert_eq!(other.answers.untouched(), session.answers.untouched());
        let plan = form.plan(&other.answers, &facts, Layout::Grouped);
        prop_assert_eq!(&plan, session.plan.as_ref());
        if let Place::Field(key) = place {
            prop_assert_eq!(plan.page_of(&key), Some(session.page));
        }
    }
}
