//! The page that offers a draft, and what screens say of an old catalogue, a withdrawn item and a link that is down.
use std::sync::Arc;

use domain::catalogue::{Catalogue, StaleAction};
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::item::Withdrawal;
use domain::text::Text;
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{DraftLine, ListOf, Look, Model, Network, Screen, Standing};

use super::stage::{FLEX, NOW_MS, Stage, catalogue, flex, looks, person, usual};

const HOUR_MS: i64 = 3_600_000;

fn code() -> ItemCode {
    FLEX.parse().expect("a code")
}

/// The item with the longest title.
fn longest() -> ItemCode {
    let catalogue = catalogue();
    let longest = catalogue.entries().max_by_key(|entry| entry.title().en.chars().count());
    longest.expect("an entry").code().clone()
}

/// A card was laid down, and a draft of this item is offered.
fn offered(look: Look, item: &ItemCode, age_ms: i64) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.station = catalogue.stations.values().max_by_key(|s| s.name.zh.chars().count()).cloned();
    model.network = Network::Online;
    model.command(Command::Start(look.size));
    model.look = look;
    model.event(Event::CardRead(Box::new(person())));
    let title = catalogue.entry(item).map(|entry| entry.title().clone()).unwrap_or_default();
    let line = DraftLine { item: item.clone(), title, age_ms, left_ms: 24 * HOUR_MS - age_ms };
    model.event(Event::Drafts { of: Box::new(person()), lines: vec![line] });
    assert_eq!(model.screen, Screen::Resume(item.clone()));
    model
}

/// It is withdrawn since so many days, with a long reason and another item in its place.
fn withdraw(model: &mut Model, code: ItemCode, days_ago: i64) {
    let since = CivilDate::in_china(NOW_MS).plus_days(-days_ago);
    let reason = Text {
        zh: "按照新的规定，这项业务从本月起并入社会保险经办窗口统一办理，不再单独受理".to_owned(),
        en: "By the new rules this is done at the social insurance counters from this month on".to_owned(),
    };
    let instead = catalogue().items.keys().find(|other| **other != code).cloned();
    model.withdrawn.insert(code, Withdrawal { since, reason, instead });
}

/// The catalogue was not confirmed for four days, and this holds for the item.
fn grow_old(model: &mut Model, action: StaleAction) {
    let mut old = Catalogue::clone(&model.catalogue);
    old.policies.stale.items.insert(code(), action);
    model.catalogue = Arc::new(old);
    let unconfirmed_ms = Some(4 * 24 * HOUR_MS);
    model.event(Event::Standing(Standing { unconfirmed_ms, calendar_ms: Some(NOW_MS) }));
}

#[test]
fn the_page_that_offers_a_draft_can_be_read_in_every_look() {
    for look in looks() {
        for age_ms in [0, 60_000, 40 * 60_000, HOUR_MS, 22 * HOUR_MS, 23 * HOUR_MS + 60_000] {
            Stage::of(offered(look, &code(), age_ms)).assert_sound(&format!("{age_ms} {look:?}"));
        }
        Stage::of(offered(look, &longest(), HOUR_MS)).assert_sound(&format!("longest title {look:?}"));
        let mut too_late = offered(look, &code(), HOUR_MS);
        withdraw(&mut too_late, code(), 30);
        Stage::of(too_late).assert_sound(&format!("too late {look:?}"));
        let mut lost = offered(look, &code(), HOUR_MS);
        lost.event(Event::DraftLost { item: code() });
        Stage::of(lost).assert_sound(&format!("lost {look:?}"));
    }
}

#[test]
fn a_draft_can_be_gone_on_with_begun_anew_or_deleted() {
    let mut stage = Stage::of(offered(usual(), &code(), 2 * HOUR_MS));
    assert_eq!(stage.tap(&stage.t("resume.go_on")), [Command::Resume]);
    assert_eq!(stage.tap(&stage.t("resume.start_over")), [Command::StartOver]);
    assert_eq!(stage.tap(&stage.t("resume.delete")), [Command::DeleteDraft]);
    assert!(stage.names().iter().any(|name| name.contains("2 小时前")), "{:?}", stage.names());
    assert!(stage.names().iter().any(|name| name.contains("22 小时后")), "{:?}", stage.names());
    stage.change(|model| withdraw(model, code(), 1));
    assert!(
        stage.has(&stage.t("resume.go_on")) && !stage.has(&stage.t("resume.start_over")),
        "days of grace"
    );
    stage.change(|model| withdraw(model, code(), 30));
    assert!(!stage.has(&stage.t("resume.go_on")) && stage.has(&stage.t("resume.delete")), "too late");
    stage.change(|model| {
        model.withdrawn.clear();
        model.event(Event::DraftLost { item: code() });
    });
    assert!(stage.has(&stage.t("resume.lost")) && !stage.has(&stage.t("resume.go_on")));
    assert_eq!(stage.tap(&stage.t("resume.start_over")), [Command::StartOver]);
}

#[test]
fn the_countdown_says_that_a_draft_is_kept() {
    for look in looks() {
        let mut model = flex(look);
        model.session.as_mut().expect("a visit").drafts.kept = true;
        (model.idle.seconds_left, model.idle.countdown_secs) = (Some(17), 20);
        let stage = Stage::of(model);
        assert!(stage.cut().is_empty(), "{look:?}");
        assert!(stage.names().iter().any(|name| name.contains("24")), "{look:?}: {:?}", stage.names());
    }
}

/// A change of the model, by name.
type Change = (&'static str, fn(&mut Model));

const CHANGES: [Change; 5] = [
    ("warn", |model| grow_old(model, StaleAction::Warn)),
    ("register_only", |model| grow_old(model, StaleAction::RegisterOnly)),
    ("block", |model| grow_old(model, StaleAction::Block)),
    ("withdrawn", |model| withdraw(model, code(), 1)),
    ("offline", |model| model.network = Network::Offline),
];

#[test]
fn tiles_rows_and_guides_say_what_is_to_be_known_in_every_look() {
    for look in looks() {
        for (name, change) in CHANGES {
            let mut model = flex(look);
            model.command(Command::Home);
            model.network = Network::Online;
            change(&mut model);
            let mut stage = Stage::of(model);
            stage.assert_sound(&format!("home {name} {look:?}"));
            stage.change(|model| model.screen = Screen::Items(ListOf::All));
            stage.assert_sound(&format!("list {name} {look:?}"));
            stage.change(|model| model.screen = Screen::Guide(code()));
            stage.assert_sound(&format!("guide {name} {look:?}"));
        }
    }
}

#[test]
fn each_reason_has_its_badge_and_its_words_on_the_guide() {
    for (name, badge, words, begins) in [
        ("warn", "badge.old", "4 天没更新", true),
        ("register_only", "badge.register_only", "仅登记", true),
        ("block", "badge.blocked", "暂停新办", false),
        ("withdrawn", "badge.withdrawn", "并入社会保险经办窗口", false),
    ] {
        let mut model = flex(usual());
        model.command(Command::Home);
        model.network = Network::Online;
        model.screen = Screen::Guide(code());
        CHANGES.iter().find(|change| change.0 == name).expect("a change").1(&mut model);
        let mut stage = Stage::of(model);
        assert!(stage.names().iter().any(|said| said.contains(words)), "{name}: {:?}", stage.names());
        assert_eq!(stage.has(&stage.t("guide.begin")), begins, "{name}");
        stage.change(|model| model.screen = Screen::Items(ListOf::Department("人社".to_owned())));
        let badge = stage.t(badge);
        assert!(stage.names().iter().any(|said| said.contains(&badge)), "{name}: {:?}", stage.names());
    }
}

#[test]
fn a_withdrawn_item_leads_to_what_is_offered_instead() {
    let mut model = flex(usual());
    model.command(Command::Home);
    withdraw(&mut model, code(), 1);
    let instead = model.withdrawal(&code()).and_then(|w| w.instead.clone()).expect("another item");
    model.screen = Screen::Guide(code());
    let mut stage = Stage::of(model);
    let name = catalogue().entry(&instead).expect("it is there").title().zh.clone();
    let label = stage.names().into_iter().find(|label| label.contains(&name)).expect("its button");
    assert_eq!(stage.tap(&label), [Command::OpenGuide(instead)]);
}

#[test]
fn an_item_that_needs_the_network_says_so_on_its_tile_while_there_is_none() {
    let mut model = flex(usual());
    model.command(Command::Home);
    model.network = Network::Online;
    let mut stage = Stage::of(model);
    let badge = stage.t("badge.no_network");
    let told = |stage: &Stage| stage.names().iter().any(|name| name.contains(&badge));
    assert!(!told(&stage));
    stage.change(|model| model.network = Network::Offline);
    assert!(told(&stage), "{:?}", stage.names());
}
