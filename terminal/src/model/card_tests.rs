//! Cards besides the ID card: what a social-security card opens, and what it does not.
use domain::item::AcceptedCard;

use super::tests::{COURIER, ELDER, NOW_MS, at_home, begin, catalogue, person};
use super::*;
use crate::command::Command;
use crate::event::{Event, Job, OtherCard};

/// At the card page of the first item that takes social-security cards, or of the first that does not.
fn at_card(takes_it: bool) -> Model {
    let catalogue = catalogue();
    let items = catalogue.items.values().filter(|item| {
        item.accepted_cards.contains(&AcceptedCard::Idcard)
            && item.accepted_cards.contains(&AcceptedCard::Sscard) == takes_it
            && item.situations.is_empty()
    });
    let models = items.map(|item| {
        let mut model = at_home();
        begin(&mut model, item.code.clone());
        model
    });
    // Items that need a link do not begin here.
    models.into_iter().find(|model| model.screen == Screen::Card).expect("an item that asks for a card")
}

fn step(model: &Model) -> CardStep {
    model.session.as_ref().expect("a session").card
}

#[test]
fn a_social_security_card_opens_a_form_where_the_item_takes_it_and_no_drafts() {
    let mut model = at_card(true);
    let jobs = model.event(Event::SocialSecurityRead(person(COURIER)));
    assert!(jobs.is_empty(), "no draft is looked for: {jobs:?}");
    assert_eq!(step(&model), CardStep::Done);
    assert!(matches!(model.command(Command::Continue).as_slice(), [Job::StartForm]));
    let mut model = at_card(false);
    model.event(Event::SocialSecurityRead(person(COURIER)));
    assert_eq!(step(&model), CardStep::UseIdCard);
    assert!(model.session.as_ref().is_some_and(|session| session.applicant.is_none()));
    let jobs = model.event(Event::CardRead(person(COURIER)));
    assert!(matches!(jobs.as_slice(), [Job::FindDrafts(_)]), "{jobs:?}");
    assert_eq!(step(&model), CardStep::Done);
    // One that is over does not do, and the ID card is asked for.
    let mut model = at_card(true);
    let mut over = person(COURIER);
    over.valid_to = "2020-01-01".parse().ok();
    model.event(Event::SocialSecurityRead(over));
    assert_eq!(step(&model), CardStep::UseIdCard);
}

#[test]
fn a_social_security_card_shows_nobodys_cases() {
    let mut model = at_home();
    model.command(Command::MyCases);
    model.event(Event::SocialSecurityRead(person(COURIER)));
    assert_eq!(step(&model), CardStep::UseIdCard);
    assert!(model.command(Command::Continue).is_empty());
    // Nor does one that was laid down before.
    let mut model = at_card(true);
    model.event(Event::SocialSecurityRead(person(COURIER)));
    assert!(model.command(Command::MyCases).is_empty());
    assert_eq!((model.screen.clone(), step(&model)), (Screen::Card, CardStep::UseIdCard));
    model.event(Event::CardRead(person(COURIER)));
    assert!(matches!(model.command(Command::Continue).as_slice(), [Job::LoadCases(_)]));
}

#[test]
fn a_social_security_card_takes_no_place_of_an_id_card_and_another_persons_ends_the_visit() {
    let mut model = at_card(true);
    let mut known = person(COURIER);
    known.address = "样例路1号".into();
    model.event(Event::CardRead(known));
    model.event(Event::SocialSecurityRead(person(COURIER)));
    let session = model.session.as_ref().expect("a session");
    assert!(!session.social_security);
    assert_eq!(session.applicant.as_ref().expect("a person").address, "样例路1号");
    let jobs = model.event(Event::SocialSecurityRead(person(ELDER)));
    assert!(matches!(jobs.as_slice(), [Job::Wipe]), "{jobs:?}");
    let session = model.session.as_ref().expect("a new visit");
    assert!(session.social_security && session.item.is_none());
}

#[test]
fn cards_that_open_nothing_say_so_unless_somebody_is_known() {
    let table = [(OtherCard::Staff, CardStep::Staff), (OtherCard::SocialSecurity, CardStep::UseIdCard)];
    for (other, wanted) in table {
        let mut model = at_card(true);
        assert!(model.event(Event::OtherCard(other)).is_empty());
        assert_eq!(step(&model), wanted);
        model.event(Event::CardRead(person(COURIER)));
        model.event(Event::OtherCard(other));
        assert_eq!(step(&model), CardStep::Done);
    }
    let mut attract = at_home();
    attract.command(Command::Finish);
    assert!(attract.event(Event::OtherCard(OtherCard::Staff)).is_empty());
    assert_eq!(attract.screen, Screen::Attract);
}

#[test]
fn a_second_card_is_told_in_words_for_a_moment_or_until_one_is_lifted_and_changes_nothing() {
    let mut model = Model::new(catalogue(), 1_000);
    model.event(Event::SecondCard);
    assert!(!model.second_card && model.toast.is_none(), "nobody is here to read it");
    let mut model = at_card(false);
    model.event(Event::Reader(ReaderStatus::Card));
    model.event(Event::CardRead(person(COURIER)));
    let before = step(&model);
    assert!(model.event(Event::SecondCard).is_empty());
    assert!(model.second_card && model.toast.as_ref().is_some_and(|toast| toast.key == "toast.second_card"));
    assert_eq!(step(&model), before);
    model.event(Event::Reader(ReaderStatus::Empty));
    assert!(!model.second_card);
    // The second one may be lifted again: nobody tells.
    model.event(Event::SecondCard);
    model.event(Event::Tick { now_ms: NOW_MS + 5_000 });
    assert!(!model.second_card && model.toast.is_none());
    model.event(Event::SecondCard);
    model.command(Command::Finish);
    assert!(!model.second_card, "it is nothing to the next person");
}

#[test]
fn the_photo_of_a_card_goes_with_its_page() {
    let mut bmp = vec![0; hardware::photo::BMP_LEN];
    bmp[..2].copy_from_slice(b"BM");
    for (at, number) in [(10, 54), (18, hardware::photo::WIDTH), (22, hardware::photo::HEIGHT)] {
        bmp[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    bmp[28] = 24;
    let photo = || hardware::photo::Photo::from_bmp(bmp.clone().into()).expect("a picture");
    let kept = |model: &Model| model.session.as_ref().is_some_and(|session| session.photo.is_some());
    let mut model = at_card(false);
    model.event(Event::CardRead(person(COURIER)));
    model.event(Event::CardPhoto(Box::new(photo())));
    assert!(kept(&model));
    model.command(Command::Continue);
    assert!(!kept(&model), "nothing shows it any more");
    model.event(Event::CardPhoto(Box::new(photo())));
    assert!(!kept(&model), "a decoder that is late");
}

#[test]
fn a_card_that_lay_there_before_the_visit_is_told_and_not_asked_for() {
    use hardware::card_reader::ReadError;
    use hardware::card_reader::ReaderStatus::{Card, Empty};
    let lay_again = CardStep::Failed(ReadError::LayAgain);
    let table = [
        (Event::CardFailed(ReadError::LayAgain), lay_again),
        (Event::CardFailed(ReadError::UnknownCard), CardStep::Failed(ReadError::UnknownCard)),
        (Event::OtherCard(OtherCard::Staff), CardStep::Staff),
    ];
    for (ended, wanted) in table {
        let about = format!("{ended:?}");
        let mut model = Model::new(catalogue(), NOW_MS);
        model.event(Event::Reader(Card));
        let early = at_card_of(&mut model);
        assert_eq!(early, CardStep::Reading, "it is being read");
        model.command(Command::Finish);
        model.event(ended);
        for visit in 1..3 {
            assert_eq!(at_card_of(&mut model), wanted, "{about}, visit {visit}");
            model.command(Command::Finish);
        }
        model.event(Event::Reader(Empty));
        assert_eq!(at_card_of(&mut model), CardStep::Waiting, "{about}: it was lifted");
        model.event(Event::Reader(Card));
        model.event(Event::CardRead(person(COURIER)));
        assert_eq!(model.card_step(), CardStep::Done, "{about}: laid the right way");
    }
    // Somebody left with a card on the reader: the next person is asked to lift it, and hears nothing of whose it was.
    let mut model = at_card(false);
    model.event(Event::Reader(Card));
    model.event(Event::CardRead(person(COURIER)));
    model.command(Command::Finish);
    assert_eq!(at_card_of(&mut model), lay_again);
    assert!(model.session.as_ref().is_some_and(|session| session.applicant.is_none()));
}

/// What the card page of a new visit says.
fn at_card_of(model: &mut Model) -> CardStep {
    model.command(Command::Start(crate::model::TextSize::Normal));
    begin(model, super::tests::code());
    assert_eq!(model.screen, Screen::Card);
    model.card_step()
}
