//! Other stations: a list by minutes on foot, beside it a drawn map, and two filters. All of it works offline.
//!
//! Refuses to search and sort: the model found the stations when they were asked for.
pub mod detail;
mod map;
pub mod words;

use std::sync::Arc;

use domain::catalogue::{Catalogue, Station};
use domain::nearby::{Opening, Place};
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::widgets::{
    Button, Cx, Footer, Pages, Tile, at, best_fit, frame, pager, press, row, text, upright,
};
use map::{MAX_DOTS, Map, map_ui};

/// Gap between list and map.
const GAP: f32 = 32.0;

/// Draws the list of stations.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let footer = Footer { note: Some(("info", cx.t("stations.estimate"), "")), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, room| {
        let room = room.shrink2(vec2(0.0, cx.theme.pick(24.0, 16.0)));
        if upright(room) {
            let below = heading_ui(ui, cx, room);
            let below = filters_ui(ui, cx, below);
            let map = below.with_max_y(below.top() + room.width() * cx.theme.pick(0.52, 0.5));
            let list = below.with_min_y(map.bottom() + GAP);
            let shown = list_ui(ui, cx, list);
            place_ui(ui, cx, map, &shown);
        } else {
            let wide = cx.theme.pick(840.0, 912.0);
            let left = room.with_max_x(room.left() + wide);
            let right = room.with_min_x(left.right() + GAP);
            let below = heading_ui(ui, cx, left);
            let shown = list_ui(ui, cx, below);
            let map = filters_ui(ui, cx, right);
            place_ui(ui, cx, map, &shown);
        }
    });
}

/// What is to be done, and how many stations were found; gives the room below.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect) -> Rect {
    let view = &cx.model.stations;
    let entry = view.item.as_ref().and_then(|code| cx.model.catalogue.entry(code));
    let caption = match entry {
        Some(entry) => cx.tf("stations.for", &[("item", cx.say(entry.title()))]),
        None => cx.t("stations.caption").to_owned(),
    };
    let body = cx.body().data();
    let line = at(room.left(), room.top(), room.width(), body.style.line);
    text(ui, cx, line, &caption, body);
    let count = view.found.len().to_string();
    let key = match (view.only_able, view.only_open) {
        (true, true) => "stations.title_able_open",
        (true, false) => "stations.title_able",
        (false, true) => "stations.title_open",
        (false, false) => "stations.title",
    };
    let title = cx.tf(key, &[("count", &count)]);
    let below = at(room.left(), line.bottom(), room.width(), cx.h1().style.line);
    let letters = best_fit(ui, &title, below.size(), [cx.h1(), cx.h2(), cx.strong()]);
    text(ui, cx, below, &title, letters.middle());
    room.with_min_y(below.bottom() + 16.0)
}

/// Two filters that are on or off; gives the room below.
fn filters_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) -> Rect {
    let view = &cx.model.stations;
    let (open, able) = (view.only_open, view.only_able);
    let mut filters = vec![(
        cx.t("stations.only_open"),
        open,
        Command::FilterStations { only_open: !open, only_able: able },
    )];
    if view.item.is_some() {
        let command = Command::FilterStations { only_open: open, only_able: !able };
        filters.push((cx.t("stations.only_able"), able, command));
    }
    let target = cx.theme.metrics.target;
    let gap = cx.theme.metrics.gap;
    let mut left = room.left();
    for (label, on, command) in filters {
        let icon = if on { "check" } else { "plus" };
        let look = Button::secondary(label).icon(icon).selected(on).lettering(cx.strong());
        let width = look.inner_width(ui, cx) + 64.0;
        press(ui, cx, at(left, room.top(), width, target), &look, command);
        left += width + gap;
    }
    room.with_min_y(room.top() + target + 16.0)
}

/// The stations of this page; gives those that it shows, with their numbers.
fn list_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) -> Vec<(usize, Place)> {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let view = &cx.model.stations;
    if view.found.is_empty() {
        nothing_ui(ui, cx, room);
        return Vec::new();
    }
    let metrics = &cx.theme.metrics;
    let (height, gap) = (metrics.row, metrics.gap);
    let pager_place = room.with_min_y(room.bottom() - metrics.target);
    let rows = |bottom: f32| ((bottom - room.top() + gap) / (height + gap)).floor().max(1.0) as usize;
    let all = rows(room.bottom());
    let per_page = if view.found.len() <= all { all } else { rows(pager_place.top() - gap) };
    let pages = Pages::new(view.found.len(), per_page, view.page);
    let mut shown = Vec::new();
    for (line, index) in pages.shown().enumerate() {
        let found = view.found.get(index).and_then(|near| Some((near, catalogue.stations.get(&near.id)?)));
        let Some((near, station)) = found else { continue };
        let place = at(room.left(), room.top() + line as f32 * (height + gap), room.width(), height);
        station_ui(ui, cx, place, (index + 1, station, words::walk(cx, near.walk)));
        shown.push((index + 1, Place::of(station)));
    }
    pager(ui, cx, pager_place, pages, Command::ShowPage);
    shown
}

fn station_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (number, station, walk): (usize, &Station, String)) {
    let opening = cx.model.opening_of(station);
    let state = words::state(cx, opening);
    // In the elder version a name needs the whole width, and the meta line says how it stands.
    let badges = if cx.elder() { Vec::new() } else { vec![words::badge_of(opening)] };
    let told = !cx.elder() && opening == Opening::SelfService;
    let meta = match (walk.is_empty(), told) {
        (true, _) => state,
        (false, true) => walk,
        (false, false) => format!("{walk} · {state}"),
    };
    let title = cx.say(&station.name);
    let look = Tile { number: Some(number), title, meta: &meta, badges, ..Tile::default() };
    if row(ui, cx, place, &look).clicked() {
        cx.push(Command::OpenStation(station.id.clone()));
    }
}

/// Why there is nothing, and what to do about it.
fn nothing_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect) {
    let view = &cx.model.stations;
    let key = match (view.only_open, view.only_able) {
        (true, _) => "stations.none_open",
        (false, true) => "stations.none_able",
        (false, false) => "stations.none",
    };
    text(ui, cx, room.with_min_y(room.top() + 8.0), cx.t(key), cx.body());
}

/// The map with these stations, or why there is none.
fn place_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, pins: &[(usize, Place)]) {
    let Some(here) = &cx.model.station else {
        crate::widgets::shape::large_card(ui, cx, rect);
        text(ui, cx, rect.shrink(40.0), cx.t("stations.no_place"), cx.body().center());
        return;
    };
    let catalogue: &Catalogue = &cx.model.catalogue;
    let numbers = pins.first().map_or(0, |pin| pin.0)..=pins.last().map_or(0, |pin| pin.0);
    let others = cx.model.stations.found.iter().enumerate().filter(|(n, _)| !numbers.contains(&(n + 1)));
    let places = others.filter_map(|(_, near)| catalogue.stations.get(&near.id)).map(Place::of);
    let dots: Vec<Place> = places.take(MAX_DOTS).collect();
    map_ui(ui, cx, rect, &Map { here: Place::of(here), pins, dots: &dots });
}

/// The map of one station.
fn one_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, station: &Station) {
    let number = cx.model.stations.found.iter().position(|near| near.id == station.id).map_or(1, |n| n + 1);
    place_ui(ui, cx, rect, &[(number, Place::of(station))]);
}

/// A rectangle below another one down to the end of the room.
fn below(room: Rect, top: f32) -> Rect {
    Rect::from_min_max(pos2(room.left(), top), room.max)
}
