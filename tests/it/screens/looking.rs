//! Ways to look for a matter: the home page wide and upright, choosers, what is not done here, and a search that found
//! nothing.
use std::sync::Arc;

use domain::catalogue::{Offer, StationMessage};
use domain::text::Text;
use terminal::command::Command;
use terminal::model::{ListOf, Look, Model, Network, Screen, TextSize};

use super::stage::{NOW_MS, Stage, catalogue, looks, usual};

fn visit(look: Look) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.station = catalogue.stations.values().max_by_key(|s| s.name.zh.chars().count()).cloned();
    model.network = Network::Offline;
    model.command(Command::Start(look.size));
    model.look = look;
    model
}

/// Draws in all looks, wide and upright.
fn sound(about: &str, arrange: impl Fn(&mut Model)) {
    for look in looks() {
        let model = || {
            let mut model = visit(look);
            arrange(&mut model);
            model
        };
        Stage::of(model()).assert_sound(&format!("{about} {look:?}"));
        Stage::upright(model()).assert_sound(&format!("{about}, upright {look:?}"));
    }
}

#[test]
fn pages_for_looking_stand_upright_too() {
    for page in 0..3 {
        sound(&format!("home {page}"), |model| model.list_page = page);
    }
    sound("help", |model| model.screen = Screen::Help);
    for list in [
        ListOf::All,
        ListOf::Bundles,
        ListOf::LifeEvents,
        ListOf::Departments,
        ListOf::LifeEvent("birth".into()),
        ListOf::Department("人社".into()),
    ] {
        sound(&format!("{list:?}"), |model| model.screen = Screen::Items(list.clone()));
    }
    for query in ["", "yl", "打流水", "qqqq"] {
        sound(&format!("search `{query}`"), |model| {
            model.command(Command::OpenSearch);
            model.command(Command::SetQuery(query.to_owned()));
        });
    }
}

#[test]
fn every_phrase_with_several_meanings_has_a_chooser() {
    let catalogue = catalogue();
    let elder = Look { size: TextSize::Elder, ..usual() };
    for look in [usual(), elder] {
        let (mut wide, mut narrow) = (Stage::of(visit(look)), Stage::upright(visit(look)));
        let shared = catalogue.phrases.shared.keys().cloned().map(ListOf::Phrase);
        let not_here = catalogue.phrases.not_here.keys().cloned().map(ListOf::NotHere);
        for list in shared.chain(not_here) {
            for stage in [&mut wide, &mut narrow] {
                stage.change(|model| model.screen = Screen::Items(list.clone()));
                stage.assert_sound(&format!("{list:?} {look:?}"));
            }
        }
    }
    sound("a phrase that nobody knows", |model| model.screen = Screen::Items(ListOf::Phrase("?".into())));
    sound("another one", |model| model.screen = Screen::Items(ListOf::NotHere("?".into())));
}

#[test]
fn a_search_for_a_phrase_leads_to_its_chooser_and_on_to_one_meaning() {
    let mut model = visit(usual());
    model.command(Command::OpenSearch);
    model.command(Command::SetQuery("打流水".into()));
    let mut stage = Stage::of(model);
    let phrase = stage.t("search.suggestions_name").replace("{phrase}", "打流水");
    let row = stage.names().into_iter().find(|name| name.starts_with(&phrase)).expect("a row");
    stage.go_on(&row);
    assert!(stage.has(&stage.t("chooser.title")));
    let words = &catalogue().phrases.shared["打流水"];
    assert!(stage.has(&words.note.zh) && stage.has(&words.ask.zh));
    let meaning = catalogue().items[&words.codes[0]].short_name.zh.clone();
    let row = stage.names().into_iter().find(|name| name.starts_with(&meaning)).expect("a meaning");
    assert_eq!(stage.tap(&row), [Command::OpenGuide(words.codes[0].clone())]);
    assert_eq!(stage.tap(&stage.t("chooser.other")), [Command::OpenList(ListOf::All)]);
}

#[test]
fn what_is_not_done_here_says_so_and_where_to_go() {
    let (phrase, words) =
        catalogue().phrases.not_here.iter().next().map(|(k, w)| (k.clone(), w.clone())).unwrap();
    let mut model = visit(usual());
    model.command(Command::OpenSearch);
    model.command(Command::SetQuery(phrase.clone()));
    let mut stage = Stage::of(model);
    let title = stage.t("search.not_here").replace("{phrase}", &phrase);
    let row = stage.names().into_iter().find(|name| name.starts_with(&title)).expect("a row");
    stage.go_on(&row);
    assert_eq!(stage.model().screen, Screen::Items(ListOf::NotHere(phrase)));
    assert!(stage.has(&words.say.zh));
    assert_eq!(stage.tap(&stage.t("stations.button")), [Command::OpenStations(None)]);
}

#[test]
fn a_search_that_finds_nothing_shows_three_ways_that_do() {
    let mut model = visit(usual());
    model.command(Command::OpenSearch);
    model.command(Command::SetQuery("qqqq".into()));
    let mut stage = Stage::of(model);
    for key in ["search.by_name", "search.by_initials", "search.by_phrase"] {
        let hint = stage.t(key);
        let row = stage.names().into_iter().find(|name| name.ends_with(&hint)).expect("an example");
        let asked = stage.tap(&row);
        let [Command::SetQuery(query)] = &asked[..] else { panic!("a query") };
        let found = stage.model().index.search(query);
        assert!(!found.hits.is_empty(), "{query} finds something");
    }
    assert_eq!(stage.tap(&stage.t("home.help")), [Command::OpenHelp]);
}

#[test]
fn a_result_says_its_official_name_and_that_it_is_a_bundle() {
    let catalogue = catalogue();
    let elder = Look { size: TextSize::Elder, ..usual() };
    let painted = |look: Look, query: &str| {
        let mut model = visit(look);
        model.command(Command::OpenSearch);
        model.command(Command::SetQuery(query.to_owned()));
        assert!(!model.search.found.hits.is_empty(), "{query}");
        Stage::of(model).painted()
    };
    for look in [usual(), elder] {
        let words = painted(look, "灵活就业参保");
        let official = &catalogue.items[&"hrss.flex-enroll".parse().expect("a code")].name.zh;
        assert!(words.iter().any(|line| line.contains(official)), "{look:?}: {official} in {words:?}");
        let words = painted(look, "灵活就业");
        assert!(words.iter().any(|line| line.contains("一件事")), "{look:?}: {words:?}");
        // A sensitive matter has no further name.
        let words = painted(look, "临时救助");
        assert!(!words.iter().any(|line| line.contains("临时救助申请")), "{look:?}: {words:?}");
    }
}

#[test]
fn a_station_has_frequent_items_of_its_own_before_those_of_all() {
    let catalogue = catalogue();
    let own = ["psb.residence-reg", "one.ent-open"].map(|code| code.parse().expect("a code"));
    let name = |code| catalogue.entry(code).expect("an entry").short_name().zh.clone();
    let place = |stage: &Stage, name: &str| stage.names().iter().position(|shown| shown.starts_with(name));
    let last = catalogue.home_items.get(7).expect("eight items of all");
    let mut stage = Stage::of(visit(usual()));
    stage.change(|model| model.station.as_mut().expect("a station").home_items.clear());
    assert!(place(&stage, &name(last)).is_some() && place(&stage, &name(&own[0])).is_none());
    stage.change(|model| model.station.as_mut().expect("a station").home_items = own.to_vec());
    let places = [&own[0], &own[1], &catalogue.home_items[0]].map(|code| place(&stage, &name(code)));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert_eq!(place(&stage, &name(last)), None, "there are eight tiles");
    stage.assert_sound("home with items of the station");
    // The list of all and the search page begin with them too.
    stage.change(|model| drop(model.command(Command::OpenSearch)));
    assert!(place(&stage, &name(&own[0])).is_some(), "{:?}", stage.names());
    stage.change(|model| drop(model.command(Command::OpenList(ListOf::All))));
    let first = place(&stage, &name(&own[0]));
    assert!(first.is_some() && first < place(&stage, &name(&catalogue.home_items[0])));
}

#[test]
fn home_shows_what_this_station_offers_its_hours_and_notice() {
    let mut catalogue = catalogue().as_ref().clone();
    let hidden = catalogue.home_items[0].clone();
    catalogue.messages = vec![StationMessage {
        id: "today".into(),
        text: Text::new("样例通知：今天有人帮忙", "Sample notice"),
        from: "2026-11-01".parse().expect("a date"),
        until: "2026-11-30".parse().expect("a date"),
        stations: Vec::new(),
    }];
    let name = catalogue.items[&hidden].short_name.zh.clone();
    let mut model = visit(usual());
    model.catalogue = Arc::new(catalogue);
    let mut stage = Stage::of(model);
    let has = |stage: &Stage| stage.names().iter().any(|shown| shown.starts_with(&name));
    assert!(has(&stage) && stage.has("样例通知：今天有人帮忙"));
    stage.change(|model| {
        let station = model.station.as_mut().expect("a station");
        station.offers.insert(hidden.clone(), Offer::None);
        station.weekday_hours = "09:00-12:00,14:00-17:00".into();
        station.noon_service = false;
    });
    assert!(!has(&stage), "not offered here");
    let separator = stage.t("guide.separator");
    assert!(
        stage.has(
            &stage.t("stations.today").replace("{hours}", &format!("09:00–12:00{separator}14:00–17:00"))
        )
    );
    stage.assert_sound("home with a notice");
}
