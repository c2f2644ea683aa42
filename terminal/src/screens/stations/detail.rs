//! One other station: how it stands now, its hours, where it is, how far, and how an item is done there.
use std::sync::Arc;

use domain::catalogue::{Offer, Station};
use domain::ids::StationId;
use domain::nearby::{Opening, Place, Walk, can_do, opens, walking_minutes};
use egui::{Rect, Ui, pos2, vec2};

use super::{GAP, below, one_ui, words};
use crate::screens::guide::lines_ui;
use crate::widgets::shape::large_card;
use crate::widgets::{Cx, Footer, at, badge, best_fit, frame, text, upright};

/// Icon, bold words and a small line.
type Line = (&'static str, String, String);

/// Draws a station.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, id: &StationId) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let footer = Footer { note: Some(("info", cx.t("stations.estimate"), "")), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, room| {
        let room = room.shrink2(vec2(0.0, cx.theme.pick(24.0, 16.0)));
        let Some(station) = catalogue.stations.get(id) else {
            text(ui, cx, room, cx.t("stations.gone"), cx.body());
            return;
        };
        if upright(room) {
            let rest = heading_ui(ui, cx, room, station);
            let card = rest.with_max_y(rest.top() + rest.height() * 0.55);
            facts_ui(ui, cx, card, station);
            one_ui(ui, cx, rest.with_min_y(card.bottom() + GAP), station);
        } else {
            let wide = cx.theme.pick(896.0, 1_000.0);
            let left = room.with_max_x(room.left() + wide);
            let rest = heading_ui(ui, cx, left, station);
            facts_ui(ui, cx, rest, station);
            one_ui(ui, cx, room.with_min_x(left.right() + GAP), station);
        }
    });
}

/// Name and how it stands; gives the room below.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, station: &Station) -> Rect {
    let name = cx.say(&station.name);
    let size = vec2(room.width(), cx.h1().style.line);
    let letters = best_fit(ui, name, size, [cx.h1(), cx.h2(), cx.strong()]).data();
    let place = at(room.left(), room.top(), room.width(), letters.style.line);
    text(ui, cx, place, name, letters);
    let look = words::badge_of(cx.model.opening_of(station));
    let drawn = badge(ui, cx, pos2(room.left(), place.bottom() + 8.0), look);
    below(room, drawn.bottom() + 16.0)
}

fn facts_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, station: &Station) {
    large_card(ui, cx, room);
    let inner = room.shrink2(vec2(cx.theme.pick(40.0, 28.0), cx.theme.pick(24.0, 16.0)));
    let facts = facts(cx, station);
    let lines: Vec<_> =
        facts.iter().map(|(icon, bold, small)| (*icon, bold.clone(), small.clone())).collect();
    lines_ui(ui, cx, inner, &lines);
}

fn facts(cx: &Cx<'_>, station: &Station) -> Vec<Line> {
    let opening = cx.model.opening_of(station);
    let mut lines = vec![
        ("clock", now(cx, station, opening), words::today(cx, station)),
        ("calendar", words::week(cx, station), zone(cx, station)),
        ("pin", cx.say(&station.address).to_owned(), cx.say(&station.district).to_owned()),
    ];
    if let Some(here) = &cx.model.station {
        let metres = Place::of(here).metres_to(Place::of(station));
        let walk = Walk { metres, minutes: walking_minutes(metres) };
        lines.push(("path", words::walk(cx, Some(walk)), words::way(cx, here, station)));
    }
    lines.push(("people", done(cx, station), helpers(cx, station)));
    lines
}

/// Until when it is open, or when it opens again.
fn now(cx: &Cx<'_>, station: &Station, opening: Opening) -> String {
    let state = words::state(cx, opening);
    if opening != Opening::SelfService {
        return state;
    }
    let again = opens(station, cx.model.moment(), &cx.model.catalogue.calendar);
    let counter = again.map(|again| words::opens_again(cx, again));
    counter.map_or(state.clone(), |counter| cx.tf("stations.zone_now", &[("counter", &counter)]))
}

fn zone(cx: &Cx<'_>, station: &Station) -> String {
    if station.self_service_24h { cx.t("stations.zone").to_owned() } else { String::new() }
}

/// How the item is done there, or what can be done there at all.
fn done(cx: &Cx<'_>, station: &Station) -> String {
    let entry = cx.model.stations.item.as_ref().and_then(|code| cx.model.catalogue.entry(code));
    let Some(entry) = entry else { return cx.t("stations.offers").to_owned() };
    let key = match station.offer(entry) {
        Offer::Advice => "advice",
        _ if !can_do(station, entry) => "none",
        Offer::SelfService => "self_service",
        Offer::Assisted => "assisted",
        Offer::Intake => "intake",
        Offer::None => "none",
    };
    cx.tf(&format!("stations.offer.{key}"), &[("item", cx.say(entry.title()))])
}

fn helpers(cx: &Cx<'_>, station: &Station) -> String {
    match station.helpers_on_duty {
        0 => cx.t("stations.no_helper").to_owned(),
        count => cx.tf("stations.helpers", &[("count", &count.to_string())]),
    }
}
