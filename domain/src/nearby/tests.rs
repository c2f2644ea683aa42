//! Distances held against pairs worked out by hand, order and symmetry for any place, and opening hours day by day.
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalogue::DayKind;
use crate::date::CivilDate;

fn place(lon_e6: i64, lat_e6: i64) -> Place {
    Place { lon_e6, lat_e6 }
}

/// A station here; the hours are those of most branches.
fn station(number: u16, lon_e6: i64, lat_e6: i64) -> Station {
    let value = json!({
        "id": format!("XN-CCB-CD-{number:02}"), "number": number, "bank": "CCB",
        "name": {"zh": "支行", "en": "Branch"}, "district": {"zh": "区", "en": "District"},
        "division_code": "630102", "address": {"zh": "路", "en": "Road"}, "lon_e6": lon_e6, "lat_e6": lat_e6,
        "weekday_hours": "09:00-12:00,14:00-17:00", "noon_service": false, "saturday_hours": "09:00-12:00",
        "sunday_hours": "", "self_service_24h": false, "network_profile": "fiber", "helpers_on_duty": 1,
        "data_label": "sample"});
    serde_json::from_value(value).expect("a station")
}

fn catalogue(stations: impl IntoIterator<Item = Station>) -> Catalogue {
    let document = include_str!("../../../tests/fixtures/catalogue-1.json");
    let mut catalogue = Catalogue::from_document(document).expect("the frozen catalogue");
    catalogue.stations = stations.into_iter().map(|s| (s.id.clone(), s)).collect();
    catalogue
}

fn found(catalogue: &Catalogue, here: Option<&Station>, wish: Wish<'_>) -> Vec<String> {
    near(catalogue, here, wish).into_iter().map(|near| near.id.as_str().to_owned()).collect()
}

fn day(text: &str) -> CivilDate {
    text.parse().expect("a date")
}

fn at(date: &str, hour: u16, minute: u16) -> Moment {
    Moment { date: day(date), minute: hour * 60 + minute }
}

/// Worked out with vectors (the angle between two of them by cross and dot product), R = 6,371,008.8 m;
/// minutes = metres x 1.3 / 1.2 / 60, rounded up.
#[test]
fn distances_and_minutes_are_those_worked_out_by_hand() {
    let table = [
        // Two branches of Xining; 21.80 minutes.
        (place(101_798_500, 36_617_200), place(101_812_000, 36_616_500), 1_207.38, 22),
        // A hundredth of a degree to the north is R x pi / 18,000; 20.08 minutes.
        (place(101_780_000, 36_620_000), place(101_780_000, 36_630_000), 1_111.95, 21),
        // The same to the east at 60 degrees is half of it; 10.04 minutes.
        (place(0, 60_000_000), place(10_000, 60_000_000), 555.98, 11),
        // Over the date line; 20.08 minutes.
        (place(179_995_000, 0), place(-179_995_000, 0), 1_111.95, 21),
        // Half round the Earth is R x pi; 361,384.01 minutes.
        (place(0, 0), place(180_000_000, 0), 20_015_114.44, 361_385),
        // One pole has every longitude, and one place no distance.
        (place(10, 90_000_000), place(777, 90_000_000), 0.0, 0),
        (place(101_780_000, 36_620_000), place(101_780_000, 36_620_000), 0.0, 0),
    ];
    for (a, b, metres, minutes) in table {
        let found = a.metres_to(b);
        assert!((found - metres).abs() < 0.01, "{a:?} {b:?} {found}");
        assert_eq!(walking_minutes(found), minutes, "{a:?} {b:?}");
    }
    assert_eq!((walking_minutes(0.1), walking_minutes(metres_in(15) - 0.1)), (1, 15));
}

#[test]
fn a_map_of_the_town_is_flat_and_right() {
    let here = place(101_780_000, 36_620_000);
    let (east, north) = place(101_790_000, 36_630_000).east_north_of(here);
    assert!((north - 1_111.95).abs() < 0.01 && (east - 1_111.95 * 36.62_f64.to_radians().cos()).abs() < 0.01);
    let (east, _) = place(-179_995_000, 0).east_north_of(place(179_995_000, 0));
    assert!((east - 1_111.95).abs() < 0.01, "{east}");
}

proptest! {
    #[test]
    fn any_two_places_have_one_finite_distance(a in any::<(i64, i64)>(), b in any::<(i64, i64)>()) {
        let (a, b) = (place(a.0, a.1), place(b.0, b.1));
        let metres = a.metres_to(b);
        prop_assert!(metres.is_finite() && (0.0..=20_015_115.0).contains(&metres), "{metres}");
        prop_assert_eq!(metres.to_bits(), b.metres_to(a).to_bits());
        prop_assert_eq!(a.metres_to(a), 0.0);
        let (east, north) = b.east_north_of(a);
        prop_assert!(east.is_finite() && north.is_finite());
    }

    #[test]
    fn stations_come_by_their_distance_whatever_they_are(places in prop::collection::vec(any::<(i64, i64)>(), 0..40)) {
        let numbered = (1..).zip(&places).map(|(number, (lon, lat))| station(number, *lon, *lat));
        let catalogue = catalogue(numbered);
        let here = catalogue.stations.values().next();
        let list = near(&catalogue, here, Wish::default());
        prop_assert_eq!(list.len(), places.len().saturating_sub(1));
        let walks: Vec<Walk> = list.iter().filter_map(|near| near.walk).collect();
        prop_assert!(walks.is_sorted_by(|a, b| a.metres <= b.metres && a.minutes <= b.minutes));
        prop_assert_eq!(walks.len(), list.len());
    }
}

#[test]
fn equal_distances_keep_the_order_of_ids_and_an_unknown_place_sorts_nothing() {
    let same = [3, 1, 2].map(|number| station(number, 101_000_000, 36_000_000));
    let catalogue = catalogue(same);
    let here = station(9, 101_010_000, 36_000_000);
    let all = ["XN-CCB-CD-01", "XN-CCB-CD-02", "XN-CCB-CD-03"];
    assert_eq!(found(&catalogue, Some(&here), Wish::default()), all);
    assert_eq!(found(&catalogue, None, Wish::default()), all);
    assert!(near(&catalogue, None, Wish::default()).iter().all(|near| near.walk.is_none()));
    assert_eq!(found(&catalogue, catalogue.stations.values().next(), Wish::default()), all[1..]);
}

#[test]
fn only_stations_that_can_do_an_item_are_found_for_it() {
    let mut stations = [1, 2, 3, 4, 5, 6].map(|number| station(number, 0, 0));
    let document = catalogue([]);
    let item = document.entries().find(|entry| !entry.needs_staff()).expect("an item done alone");
    let offers =
        [Offer::SelfService, Offer::Assisted, Offer::Intake, Offer::Advice, Offer::None, Offer::Assisted];
    for (station, offer) in stations.iter_mut().zip(offers) {
        station.offers.insert(item.code().clone(), offer);
    }
    stations[5].helpers_on_duty = 0;
    stations.iter_mut().for_each(|station| station.self_service_24h = true);
    let catalogue = catalogue(stations);
    let wish = Wish { entry: Some(item), open_at: None };
    assert_eq!(found(&catalogue, None, wish), ["XN-CCB-CD-01", "XN-CCB-CD-02", "XN-CCB-CD-03"]);
    // At night only the one that needs nobody: all have a 24-hour zone.
    let night = Wish { open_at: Some(at("2026-11-24", 23, 0)), ..wish };
    assert_eq!(found(&catalogue, None, night), ["XN-CCB-CD-01"]);
    assert_eq!(found(&catalogue, None, Wish { entry: None, ..night }).len(), 6);
}

#[test]
fn a_station_is_open_by_hours_holidays_and_make_up_days() {
    let mut calendar = catalogue([]).calendar;
    calendar.days = BTreeMap::from([
        (day("2026-10-01"), DayKind::Holiday),
        (day("2026-10-02"), DayKind::Holiday),
        (day("2026-10-10"), DayKind::Workday),
    ]);
    let station = station(1, 0, 0);
    let closed = |days: i64, date: &str, minute: u16| Opening::Closed {
        opens: Some(Opens { days, date: day(date), minute: minute * 60 }),
    };
    let table = [
        (at("2026-11-24", 8, 59), closed(0, "2026-11-24", 9)),
        (at("2026-11-24", 9, 0), Opening::Open { until: 720 }),
        (at("2026-11-24", 11, 59), Opening::Open { until: 720 }),
        (at("2026-11-24", 12, 0), closed(0, "2026-11-24", 14)),
        (at("2026-11-24", 16, 59), Opening::Open { until: 1_020 }),
        (at("2026-11-24", 17, 0), closed(1, "2026-11-25", 9)),
        (at("2026-11-28", 10, 0), Opening::Open { until: 720 }),
        (at("2026-11-28", 12, 0), closed(2, "2026-11-30", 9)),
        (at("2026-11-29", 10, 0), closed(1, "2026-11-30", 9)),
        (at("2026-10-01", 10, 0), closed(2, "2026-10-03", 9)),
        (at("2026-09-30", 17, 0), closed(3, "2026-10-03", 9)),
        (at("2026-10-10", 15, 0), Opening::Open { until: 1_020 }),
    ];
    for (moment, wanted) in table {
        assert_eq!(opening(&station, true, moment, &calendar), wanted, "{moment:?}");
    }
    let zone = Station { self_service_24h: true, ..station.clone() };
    assert_eq!(opening(&zone, true, at("2026-10-01", 3, 0), &calendar), Opening::SelfService);
    assert_eq!(opening(&zone, true, at("2026-11-24", 9, 0), &calendar), Opening::Open { until: 720 });
    assert!(!opening(&zone, false, at("2026-10-01", 3, 0), &calendar).is_open());
    let never = Station { weekday_hours: String::new(), saturday_hours: String::new(), ..station };
    let wanted = Opening::Closed { opens: None };
    assert_eq!(opening(&never, true, at("2026-11-24", 9, 0), &calendar), wanted);
}

#[test]
fn a_moment_is_that_of_china() {
    // 2026-11-24T17:30:00Z
    assert_eq!(Moment::in_china(1_795_541_400_000), at("2026-11-25", 1, 30));
}
