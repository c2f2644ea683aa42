//! Other stations: the list, its filters and its map, one station, and the ways that lead there; bad places, none and
//! thousands of them.
use std::sync::Arc;

use domain::catalogue::{Catalogue, Offer, Station};
use domain::ids::{ItemCode, StationId};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{ListOf, Look, Model, Network, Outage, Screen, TextSize};

use super::stage::{FLEX, NOW_MS, Stage, catalogue, looks, usual};

const HOUR_MS: i64 = 3_600_000;
/// 2026-11-28 10:00 in China, a Saturday; 14:00 of a Tuesday is [`NOW_MS`].
const SATURDAY_MS: i64 = NOW_MS + 92 * HOUR_MS;

fn visit(look: Look) -> Model {
    at(look, catalogue(), NOW_MS)
}

fn at(look: Look, catalogue: Arc<Catalogue>, now_ms: i64) -> Model {
    let mut model = Model::new(Arc::clone(&catalogue), now_ms);
    model.station = catalogue.stations.values().next().cloned();
    model.network = Network::Offline;
    model.command(Command::Start(look.size));
    model.look = look;
    model
}

fn elder() -> Look {
    Look { size: TextSize::Elder, ..usual() }
}

fn code(text: &str) -> ItemCode {
    text.parse().expect("a code")
}

fn changed(change: impl Fn(&mut Catalogue)) -> Arc<Catalogue> {
    let mut catalogue = catalogue().as_ref().clone();
    change(&mut catalogue);
    Arc::new(catalogue)
}

/// A station like the first one, with another id and place.
fn copy(catalogue: &Catalogue, number: usize, (lon_e6, lat_e6): (i64, i64)) -> (StationId, Station) {
    let first = catalogue.stations.values().next().expect("a station").clone();
    let id: StationId = format!("XN-ICBC-HZ-{number:04}").parse().expect("an id");
    (id.clone(), Station { id, lon_e6, lat_e6, ..first })
}

/// Draws in both sizes and contrasts, wide and upright.
fn sound_everywhere(about: &str, arrange: impl Fn(Look) -> Model) {
    for look in looks() {
        let model = || {
            let mut model = arrange(look);
            model.look = look;
            model
        };
        Stage::of(model()).assert_sound(&format!("{about} {look:?}"));
        Stage::upright(model()).assert_sound(&format!("{about}, upright {look:?}"));
    }
}

fn stations(look: Look, item: Option<&str>) -> Model {
    let mut model = visit(look);
    model.command(Command::OpenStations(item.map(code)));
    model
}

#[test]
fn the_list_stands_in_every_look_with_and_without_an_item() {
    sound_everywhere("stations", |look| stations(look, None));
    sound_everywhere("stations for an item", |look| stations(look, Some(FLEX)));
    sound_everywhere("stations open at night", |look| {
        let mut model = at(look, catalogue(), NOW_MS + 9 * HOUR_MS);
        model.command(Command::OpenStations(Some(code(FLEX))));
        model.command(Command::FilterStations { only_open: true, only_able: true });
        model
    });
    sound_everywhere("the last page", |look| {
        let mut model = stations(look, None);
        model.command(Command::ShowPage(900));
        model
    });
}

#[test]
fn every_station_can_be_read_in_both_sizes() {
    for look in [usual(), elder()] {
        let mut stage = Stage::of(stations(look, Some(FLEX)));
        let mut narrow = Stage::upright(stations(look, None));
        for id in catalogue().stations.keys() {
            for stage in [&mut stage, &mut narrow] {
                stage.change(|model| model.screen = Screen::Station(id.clone()));
                stage.assert_sound(&format!("{id} {look:?}"));
            }
        }
    }
    let id: StationId = "XN-CCB-CD-02".parse().expect("an id");
    sound_everywhere("a station on a Saturday", |look| {
        let mut model = at(look, catalogue(), SATURDAY_MS);
        model.command(Command::OpenStation(id.clone()));
        model
    });
    sound_everywhere("a station that is gone", |look| {
        let mut model = visit(look);
        model.screen = Screen::Station("XN-ICBC-HZ-9999".parse().expect("an id"));
        model
    });
}

/// The names of the rows of stations, in order.
fn rows(stage: &Stage) -> Vec<String> {
    let minutes = stage.t("stations.walk");
    let word = minutes.split('{').next().expect("words").to_owned();
    stage.names().into_iter().filter(|name| name.contains(&word) && name.contains(" · ")).collect()
}

#[test]
fn the_nearest_stands_first_and_a_tap_opens_it() {
    let mut stage = Stage::of(stations(usual(), None));
    let first = rows(&stage).first().cloned().expect("a row");
    let model = stage.model();
    let near = &model.stations.found[0];
    let name = model.catalogue.stations[&near.id].name.zh.clone();
    assert!(first.starts_with(&name), "{first}");
    let walk = near.walk.expect("a way");
    assert!(
        first.contains(&stage.t("stations.walk").replace("{minutes}", &walk.minutes.to_string())),
        "{first}"
    );
    assert!(model.stations.found.iter().all(|other| other.walk.is_some_and(|w| w.minutes >= walk.minutes)));
    let id = near.id.clone();
    assert_eq!(stage.tap(&first), [Command::OpenStation(id.clone())]);
    stage.go_on(&first);
    assert_eq!(stage.model().screen, Screen::Station(id));
    stage.go_on(&stage.t("footer.back"));
    assert_eq!(stage.model().screen, Screen::Stations);
}

#[test]
fn filters_leave_what_is_open_and_what_can_do_it() {
    let item = code(FLEX);
    let catalogue = changed(|catalogue| {
        for (n, station) in catalogue.stations.values_mut().enumerate() {
            let offer =
                [Offer::SelfService, Offer::Assisted, Offer::Intake, Offer::Advice, Offer::None][n % 5];
            station.offers.insert(item.clone(), offer);
        }
    });
    let mut model = at(usual(), Arc::clone(&catalogue), SATURDAY_MS);
    model.command(Command::OpenStations(Some(item.clone())));
    let mut stage = Stage::of(model);
    let able = stage.model().stations.found.len();
    let cannot = |station: &Station| matches!(station.offers[&item], Offer::Advice | Offer::None);
    let wanted = catalogue.stations.values().skip(1).filter(|station| !cannot(station)).count();
    assert_eq!(able, wanted);
    stage.go_on(&stage.t("stations.only_open"));
    let open = &stage.model().stations.found;
    let saturday = |near: &domain::nearby::Near| {
        let station = &catalogue.stations[&near.id];
        !station.saturday_hours.is_empty()
            || (station.self_service_24h && station.offers[&item] == Offer::SelfService)
    };
    assert!(!open.is_empty() && open.len() < able && open.iter().all(saturday));
    stage.assert_sound("both filters");
    stage.go_on(&stage.t("stations.only_able"));
    stage.go_on(&stage.t("stations.only_open"));
    assert_eq!(stage.model().stations.found.len(), catalogue.stations.len() - 1);
}

#[test]
fn many_ways_lead_to_the_stations() {
    let mut stage = Stage::of(visit(usual()));
    let way = format!("{} · {}", stage.t("stations.button"), stage.t("home.stations_hint"));
    assert_eq!(stage.tap(&way), [Command::OpenStations(None)]);
    for screen in [Screen::Help, Screen::Search, Screen::Items(ListOf::NotHere("护照".into()))] {
        stage.change(|model| {
            model.screen = screen.clone();
            model.command(Command::SetQuery("qqqqqq".into()));
        });
        assert_eq!(stage.tap(&stage.t("stations.button")), [Command::OpenStations(None)], "{screen:?}");
    }
    stage.change(|model| model.screen = Screen::Guide(code("nhsa.account-query")));
    let wanted = Command::OpenStations(Some(code("nhsa.account-query")));
    assert_eq!(stage.tap(&stage.t("guide.elsewhere")), [wanted]);
}

#[test]
fn a_machine_out_of_service_still_shows_the_way_to_another() {
    let mut model = visit(usual());
    model.event(Event::Outage(Some(Outage::StoreFull)));
    let mut stage = Stage::of(model);
    stage.go_on(&stage.t("stations.button"));
    assert_eq!(stage.model().screen, Screen::Stations);
    stage.assert_sound("stations of a machine out of service");
    stage.go_on(&stage.t("footer.back"));
    assert_eq!((&stage.model().screen, stage.model().session.is_none()), (&Screen::OutOfService, true));
}

#[test]
fn bad_places_are_drawn_like_any_other() {
    let home = catalogue().stations.values().next().map(|s| (s.lon_e6, s.lat_e6)).expect("a station");
    let places = [
        vec![home; 9],
        vec![(0, 90_000_000), (0, -90_000_000), (180_000_000, 0), (-78_201_500, -36_617_200)],
        vec![(i64::MAX, i64::MIN), (i64::MIN, i64::MAX), (0, 0)],
        vec![],
    ];
    for (n, places) in places.iter().enumerate() {
        let catalogue = changed(|catalogue| {
            let first = catalogue.stations.pop_first().expect("a station");
            catalogue.stations.clear();
            catalogue.stations.extend([first]);
            let new: Vec<_> =
                places.iter().enumerate().map(|(n, place)| copy(catalogue, n + 1, *place)).collect();
            catalogue.stations.extend(new);
        });
        for look in [usual(), elder(), Look { high_contrast: true, ..usual() }] {
            let mut model = at(look, Arc::clone(&catalogue), NOW_MS);
            model.command(Command::OpenStations(None));
            assert_eq!(model.stations.found.len(), places.len());
            let mut stage = Stage::of(model);
            stage.assert_sound(&format!("places {n} {look:?}"));
            if let Some(near) = stage.model().stations.found.last().cloned() {
                stage.change(|model| model.screen = Screen::Station(near.id));
                stage.assert_sound(&format!("the last of places {n} {look:?}"));
            }
        }
    }
    let mut model = visit(usual());
    model.station = None;
    model.command(Command::OpenStations(None));
    Stage::of(model).assert_sound("a machine that does not know where it stands");
}

const MANY: usize = 5_000;

/// The list of thousands of stations.
fn many() -> Model {
    let catalogue = changed(|catalogue| {
        let place = |n: usize| {
            let n = i64::try_from(n).expect("a number");
            (101_500_000 + n * 7_919 % 600_000, 36_400_000 + n * 104_729 % 400_000)
        };
        let new: Vec<_> = (0..MANY).map(|n| copy(catalogue, n, place(n))).collect();
        catalogue.stations.extend(new);
    });
    let mut model = at(usual(), catalogue, NOW_MS);
    model.command(Command::OpenStations(None));
    model
}

#[test]
fn thousands_of_stations_are_paged_and_a_frame_draws_few_of_them() {
    let model = many();
    let all = model.stations.found.len();
    assert!(all >= MANY);
    let mut stage = Stage::of(model);
    stage.assert_sound("thousands of stations");
    stage.go_on(&stage.t("pager.next"));
    assert_eq!(stage.model().stations.page, 1);
    stage.assert_sound("the second page of thousands");
    // What a frame draws does not grow with the list.
    let few = Stage::of(stations(usual(), None));
    let (many, few) = (stage.shapes().len(), few.shapes().len());
    assert!(many < few + 300, "{many} shapes of thousands, {few} of a few");
}
