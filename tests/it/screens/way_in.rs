//! The way to a form: attract, home, lists, search, guide, card, help, out of service, in every look and link.
use std::collections::BTreeSet;
use std::sync::Arc;

use domain::catalogue::{TILE_NAME_HALVES, TILE_NAME_LETTERS};
use domain::ids::ItemCode;
use domain::text::Language;
use hardware::card_reader::{ReadError, ReaderStatus};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{CardStep, ListOf, Look, Model, Network, Outage, Screen, TextSize};

use super::stage::{FLEX, NOW_MS, Stage, catalogue, long_person, looks, person, usual};

const LINKS: [Network; 3] = [Network::Online, Network::Weak, Network::Offline];

/// A visit that has just begun.
fn visit(look: Look, network: Network) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.station = catalogue.stations.values().max_by_key(|s| s.name.zh.chars().count()).cloned();
    model.network = network;
    model.reader = ReaderStatus::Empty;
    model.command(Command::Start(look.size));
    model.look = look;
    model
}

fn code(text: &str) -> ItemCode {
    text.parse().expect("a code")
}

/// Draws in all looks and links, and asserts that everything is as it should be.
fn sound(about: &str, arrange: impl Fn(&mut Model)) {
    for look in looks() {
        for network in LINKS {
            let mut model = visit(look, network);
            arrange(&mut model);
            Stage::of(model).assert_sound(&format!("{about} {look:?} {network:?}"));
        }
    }
}

#[test]
fn attract_offers_two_ways_in_and_a_language() {
    sound("attract", |model| model.screen = Screen::Attract);
    let mut model = visit(usual(), Network::Offline);
    model.screen = Screen::Attract;
    let mut stage = Stage::of(model);
    assert_eq!(stage.tap(&stage.t("attract.start")), [Command::Start(TextSize::Normal)]);
    assert_eq!(stage.tap(&stage.t("attract.elder")), [Command::Start(TextSize::Elder)]);
    assert_eq!(stage.tap(&stage.t("header.to_english")), [Command::SetLanguage(Language::En)]);
}

#[test]
fn home_leads_to_items_and_to_every_way_of_looking() {
    sound("home", |_| {});
    sound("home, second page of the elder version", |model| model.list_page = 1);
    sound("home after a call", |model| {
        model.command(Command::CallStaff);
        // The short message lies over the page on purpose; the button says the same.
        assert!(model.toast.take().is_some());
    });
    let mut stage = Stage::of(visit(usual(), Network::Online));
    let all = stage.t("home.all").replace("{count}", &catalogue().items.len().to_string());
    assert_eq!(stage.tap(&all), [Command::OpenList(ListOf::All)]);
    assert_eq!(stage.tap(&stage.t("home.search")), [Command::OpenSearch]);
    assert_eq!(stage.tap(&stage.t("footer.finish")), [Command::Finish]);
    assert_eq!(stage.tap(&stage.t("footer.call")), [Command::CallStaff]);
    assert_eq!(stage.tap(&stage.t("header.to_high_contrast")), [Command::SetHighContrast(true)]);
}

/// A visit in which every name on the home page is as long as this.
fn named(look: Look, chinese: usize, english: usize) -> Model {
    let mut catalogue = catalogue().as_ref().clone();
    let letters = "Community medical welfare moneys for everybody who lives here";
    for home in catalogue.home_items.clone() {
        let Some(item) = catalogue.items.get_mut(&home) else { continue };
        item.short_name.zh = "参".repeat(chinese);
        item.short_name.en = letters.chars().take(english).collect();
    }
    let mut model = visit(look, Network::Offline);
    model.catalogue = Arc::new(catalogue);
    model
}

#[test]
fn the_longest_names_that_a_catalogue_may_have_fit() {
    for look in looks() {
        let longest = (TILE_NAME_HALVES / 2, TILE_NAME_LETTERS);
        let mut stage = Stage::of(named(look, longest.0, longest.1));
        stage.assert_sound(&format!("home with long names {look:?}"));
        let guide = catalogue().home_items[0].clone();
        stage.change(|model| drop(model.command(Command::OpenGuide(guide))));
        stage.assert_sound(&format!("guide with a long name {look:?}"));
    }
    for look in [usual(), Look { language: Language::En, ..usual() }] {
        let stage = Stage::of(named(look, 24, 60));
        assert!(!stage.cut().is_empty(), "names that do not fit are cut {look:?}");
    }
}

#[test]
fn the_elder_home_has_four_choices_and_leads_on() {
    let look = Look { size: TextSize::Elder, ..usual() };
    let mut stage = Stage::of(visit(look, Network::Offline));
    let other = stage.names().into_iter().find(|name| name.starts_with(&stage.t("home.other")));
    assert_eq!(stage.tap(&other.expect("something else")), [Command::ShowPage(1)]);
    stage.change(|model| model.list_page = 1);
    let search = format!("{} · {}", stage.t("home.search_elder"), stage.t("home.search_elder_hint"));
    assert_eq!(stage.tap(&search), [Command::OpenSearch]);
    assert_eq!(stage.tap(&stage.t("footer.back")), [Command::ShowPage(0)]);
}

#[test]
fn lists_show_every_item_once_over_their_pages() {
    for list in [ListOf::LifeEvents, ListOf::Departments, ListOf::Bundles, ListOf::LifeEvent("birth".into())]
    {
        sound(&format!("{list:?}"), |model| model.screen = Screen::Items(list.clone()));
    }
    for look in looks() {
        let mut seen = BTreeSet::new();
        let mut model = visit(look, Network::Offline);
        model.screen = Screen::Items(ListOf::All);
        let mut stage = Stage::of(model);
        for page in 0..catalogue().items.len() {
            stage.change(|model| model.list_page = page);
            stage.assert_sound(&format!("page {page} of all items {look:?}"));
            seen.extend(stage.names());
            if !stage.has(&stage.t("pager.next")) {
                break;
            }
        }
        for item in catalogue().items.values() {
            let name = item.short_name.get(look.language);
            assert!(seen.iter().any(|seen| seen.starts_with(name)), "{name} {look:?}");
        }
    }
}

#[test]
fn an_unknown_list_is_empty_and_says_so() {
    sound("a department that nobody knows", |model| {
        model.screen = Screen::Items(ListOf::Department("?".into()));
    });
}

#[test]
fn search_shows_results_and_takes_keys_from_both_keyboards() {
    for query in ["", "yl", "lhjycb", "老年证", "打流水", "不存在的事情", "zzzz"] {
        sound(&format!("search `{query}`"), |model| {
            model.command(Command::OpenSearch);
            model.command(Command::SetQuery(query.to_owned()));
        });
    }
    sound("search for something that is not done here", |model| {
        let key = catalogue().phrases.not_here.keys().next().cloned().expect("a phrase");
        model.command(Command::OpenSearch);
        model.command(Command::SetQuery(key));
    });
    let mut model = visit(usual(), Network::Offline);
    model.command(Command::OpenSearch);
    model.command(Command::SetQuery("lhjyc".into()));
    let mut stage = Stage::of(model);
    assert_eq!(stage.tap("b"), [Command::SetQuery("lhjycb".into())]);
    assert_eq!(stage.tap(&stage.t("keyboard.delete")), [Command::SetQuery("lhjy".into())]);
    assert_eq!(stage.type_text("养"), [Command::SetQuery("lhjyc养".into())]);
}

#[test]
fn no_query_breaks_the_search_page() {
    for query in ["长".repeat(40), "\u{5366}\u{20000}𠅤".into(), "W".repeat(40), "  ".into()] {
        sound(&format!("search `{query}`"), |model| {
            model.command(Command::OpenSearch);
            model.command(Command::SetQuery(query.clone()));
        });
    }
}

#[test]
fn every_guide_can_be_read_in_every_look() {
    let catalogue = catalogue();
    for look in looks() {
        let mut stage = Stage::of(visit(look, Network::Online));
        for code in catalogue.items.keys().chain(catalogue.bundles.keys()) {
            stage.change(|model| model.screen = Screen::Guide(code.clone()));
            stage.assert_sound(&format!("guide {code} {look:?}"));
        }
    }
    sound("guide", |model| model.screen = Screen::Guide(code(FLEX)));
    sound("guide of nothing", |model| model.screen = Screen::Guide(code("no.such-item")));
}

#[test]
fn a_guide_begins_only_what_can_be_done_and_otherwise_says_why() {
    let mut model = visit(usual(), Network::Offline);
    model.screen = Screen::Guide(code(FLEX));
    let mut stage = Stage::of(model);
    assert_eq!(stage.tap(&stage.t("guide.begin")), [Command::Begin]);
    stage.change(|model| model.screen = Screen::Guide(code("nhsa.account-query")));
    assert!(!stage.has(&stage.t("guide.begin")));
    assert!(stage.has(&stage.t("guide.unavailable.online_only")));
}

#[test]
fn the_card_page_has_words_for_every_state() {
    for reader in [
        ReaderStatus::Unknown,
        ReaderStatus::ServiceOff,
        ReaderStatus::NoReader,
        ReaderStatus::Busy,
        ReaderStatus::Empty,
        ReaderStatus::OutOfOrder,
    ] {
        sound(&format!("{reader:?}"), |model| at_card(model, reader, CardStep::Waiting));
    }
    for error in [
        ReadError::Removed,
        ReadError::LayAgain,
        ReadError::NoSecurityModule,
        ReadError::UnknownCard,
        ReadError::OutOfOrder,
        ReadError::Busy,
        ReadError::Damaged,
        ReadError::ReaderGone,
    ] {
        sound(&format!("{error:?}"), |model| at_card(model, ReaderStatus::Card, CardStep::Failed(error)));
    }
    for step in [
        CardStep::Reading,
        CardStep::Expired,
        CardStep::NotAccepted,
        CardStep::UseIdCard,
        CardStep::Staff,
        CardStep::Done,
    ] {
        sound(&format!("{step:?}"), |model| at_card(model, ReaderStatus::Card, step));
        sound(&format!("{step:?} and a second card"), |model| {
            at_card(model, ReaderStatus::Card, step);
            model.second_card = true;
        });
    }
}

#[test]
fn a_card_that_lay_there_the_wrong_way_is_to_be_lifted_and_laid_again() {
    for look in looks() {
        let mut model = visit(look, Network::Offline);
        model.command(Command::Finish);
        model.event(Event::Reader(ReaderStatus::Card));
        model.event(Event::CardFailed(ReadError::LayAgain));
        model.command(Command::Start(look.size));
        model.look = look;
        at_card(&mut model, ReaderStatus::Card, CardStep::Waiting);
        let mut stage = Stage::of(model);
        stage.assert_sound(&format!("{look:?}"));
        let says = |stage: &Stage, key: &str| stage.has(&stage.t(key));
        assert!(
            says(&stage, "card.failed.lay_again") && says(&stage, "card.failed.lay_again_hint"),
            "{look:?}"
        );
        assert!(!says(&stage, "card.state.waiting"), "{look:?}: nobody waits for another card");
        stage.change(|model| drop(model.event(Event::Reader(ReaderStatus::Empty))));
        assert!(says(&stage, "card.state.waiting") && !says(&stage, "card.failed.lay_again"), "{look:?}");
    }
}

#[test]
fn where_the_reader_is_in_use_elsewhere_nobody_is_sent_to_look_for_a_cable() {
    let mut model = visit(usual(), Network::Offline);
    at_card(&mut model, ReaderStatus::Busy, CardStep::Waiting);
    let stage = Stage::of(model);
    assert!(stage.has(&stage.t("card.state.out_of_order")) && !stage.has(&stage.t("card.state.no_reader")));
}

fn at_card(model: &mut Model, reader: ReaderStatus, step: CardStep) {
    model.screen = Screen::Card;
    model.reader = reader;
    let session = model.session.as_mut().expect("a session");
    session.item = Some(code(FLEX));
    session.card = step;
    session.applicant = (step == CardStep::Done).then(long_person);
}

#[test]
fn a_card_that_was_read_shows_a_masked_name_and_leads_on() {
    let mut model = visit(usual(), Network::Offline);
    at_card(&mut model, ReaderStatus::Card, CardStep::Done);
    model.session.as_mut().expect("a session").applicant = Some(person());
    let mut stage = Stage::of(model);
    assert!(!stage.names().iter().any(|name| name.contains(&person().name)), "{:?}", stage.names());
    assert_eq!(stage.tap(&stage.t("card.continue")), [Command::Continue]);
}

#[test]
fn help_and_out_of_service_say_what_is_true() {
    sound("help", |model| model.screen = Screen::Help);
    for outage in [
        Outage::NotEnrolled,
        Outage::StoreCorrupt,
        Outage::StoreNewer,
        Outage::KeyLost,
        Outage::StoreFull,
        Outage::NoCatalogue,
    ] {
        sound(&format!("{outage:?}"), |model| {
            model.screen = Screen::OutOfService;
            model.outage = Some(outage);
            model.session = None;
        });
    }
}

#[test]
fn a_terminal_without_catalogue_and_station_still_draws() {
    for look in looks() {
        for screen in
            [Screen::Attract, Screen::Home, Screen::Search, Screen::Items(ListOf::All), Screen::Help]
        {
            let mut drawn = Model::new(Arc::new(Model::empty_catalogue()), NOW_MS);
            (drawn.look, drawn.screen) = (look, screen.clone());
            Stage::of(drawn).assert_sound(&format!("{screen:?} {look:?}"));
        }
    }
}
