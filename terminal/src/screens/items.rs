//! Lists of items, and the two choosers that lead to them: by life event, by department.
//!
//! Refuses scrolling: a list has pages with large arrows.
use std::collections::BTreeMap;

use domain::catalogue::{Catalogue, Entry, LifeEvent};
use domain::ids::ItemCode;
use egui::{Rect, Ui, pos2};

use super::chooser;
use super::entry::{department_name, tile_of, time_and_department};
use crate::command::Command;
use crate::model::{ListOf, Model};
use crate::widgets::tile::way;
use crate::widgets::{Cx, Footer, Pages, Tile, at, best_fit, frame, pager, row, text, tile, upright};

/// One line of a list: what it says, and what a tap asks for.
struct Line<'a> {
    tile: Tile<'a>,
    command: Command,
}

/// Departments that have items, those with most of them first.
pub fn departments(catalogue: &Catalogue) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in catalogue.items.values() {
        *counts.entry(item.department.as_str()).or_default() += 1;
    }
    let mut units: Vec<(&str, usize)> = counts.into_iter().collect();
    units.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    units.into_iter().map(|(unit, _)| unit).collect()
}

/// Life events that have items or bundles.
pub fn life_events(catalogue: &Catalogue) -> Vec<&LifeEvent> {
    catalogue.life_events.iter().filter(|event| !of_life_event(catalogue, &event.id).is_empty()).collect()
}

fn of_life_event<'c>(catalogue: &'c Catalogue, id: &str) -> Vec<&'c ItemCode> {
    let has = |entry: Entry<'_>| entry.guide().life_events.iter().any(|e| e == id);
    let bundles = catalogue.bundles.keys();
    bundles.chain(catalogue.items.keys()).filter(|code| catalogue.entry(code).is_some_and(has)).collect()
}

/// The entries of a list, in the order in which they are shown.
fn codes<'m>(model: &'m Model, list: &ListOf) -> Vec<&'m ItemCode> {
    let catalogue = &model.catalogue;
    match list {
        ListOf::All => {
            // What most people come for stands first.
            let frequent = model.frequent().into_iter().map(|entry| entry.code());
            let often: Vec<&ItemCode> = frequent.filter(|code| catalogue.items.contains_key(code)).collect();
            let others: Vec<&ItemCode> =
                catalogue.items.keys().filter(|code| !often.contains(code)).collect();
            [often, others].concat()
        }
        ListOf::Bundles => catalogue.bundles.keys().collect(),
        ListOf::LifeEvent(id) => of_life_event(catalogue, id),
        ListOf::Department(unit) => {
            catalogue.items.values().filter(|i| i.department.as_str() == unit).map(|i| &i.code).collect()
        }
        // Choosers have no items of their own.
        ListOf::LifeEvents | ListOf::Departments | ListOf::Phrase(_) | ListOf::NotHere(_) => Vec::new(),
    }
}

/// Draws a list or a chooser.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, list: &ListOf) {
    match list {
        ListOf::Phrase(phrase) => return chooser::several(ui, cx, phrase),
        ListOf::NotHere(phrase) => return chooser::not_here(ui, cx, phrase),
        _ => {}
    }
    frame(ui, cx, Footer::default(), |ui, cx, room| match list {
        ListOf::LifeEvents | ListOf::Departments => chooser_ui(ui, cx, room, list),
        _ => list_ui(ui, cx, room, list),
    });
}

fn title(cx: &Cx<'_>, list: &ListOf) -> String {
    let catalogue = &cx.model.catalogue;
    match list {
        ListOf::All => cx.t("items.all").to_owned(),
        ListOf::Bundles => cx.t("items.bundles").to_owned(),
        ListOf::LifeEvents => cx.t("items.life_events").to_owned(),
        ListOf::Departments => cx.t("items.departments").to_owned(),
        ListOf::LifeEvent(id) => {
            let event = catalogue.life_events.iter().find(|e| e.id == *id);
            event.map_or(id.as_str(), |e| cx.say(&e.name)).to_owned()
        }
        ListOf::Department(unit) => department_name(cx, unit),
        ListOf::Phrase(phrase) | ListOf::NotHere(phrase) => phrase.clone(),
    }
}

/// The heading; gives the room below it.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, (words, hint): (&str, &str)) -> Rect {
    let top = room.top() + cx.theme.pick(24.0, 20.0);
    let line = cx.h1().style.line;
    if upright(room) {
        let place = at(room.left(), top, room.width(), line);
        text(ui, cx, place, words, best_fit(ui, words, place.size(), [cx.h1(), cx.h2(), cx.strong()]));
        let hint = text(ui, cx, at(room.left(), place.bottom(), room.width(), line), hint, cx.body());
        return room.with_min_y(hint.bottom() + 16.0);
    }
    text(ui, cx, at(room.left(), top, room.width() * 0.62, line), words, cx.h1());
    let small = cx.body().right().middle();
    text(ui, cx, at(room.left() + room.width() * 0.64, top, room.width() * 0.36, line), hint, small);
    Rect::from_min_max(pos2(room.left(), top + line + cx.theme.pick(16.0, 12.0)), room.max)
}

fn list_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, list: &ListOf) {
    let catalogue = &cx.model.catalogue;
    let codes = codes(cx.model, list);
    let key = if *list == ListOf::Bundles { "items.bundle_count" } else { "items.count" };
    let count = cx.tf(key, &[("count", &codes.len().to_string())]);
    let below = heading_ui(ui, cx, room, (&title(cx, list), &count));
    if codes.is_empty() {
        text(
            ui,
            cx,
            at(below.left(), below.top() + 24.0, below.width(), 160.0),
            cx.t("items.empty"),
            cx.body(),
        );
        return;
    }
    let height = cx.theme.metrics.row;
    let gap = cx.theme.metrics.gap;
    let (rows, pager_place) = rows_of(cx, below);
    let columns = if upright(room) { 1 } else { cx.theme.pick(2usize, 1) };
    let width = (below.width() - (columns - 1) as f32 * 24.0) / columns as f32;
    let pages = Pages::new(codes.len(), rows * columns, cx.model.list_page);
    let entries: Vec<Entry<'_>> =
        pages.shown().filter_map(|n| codes.get(n).and_then(|code| catalogue.entry(code))).collect();
    for (n, entry) in entries.into_iter().enumerate() {
        let left = below.left() + (n / rows) as f32 * (width + 24.0);
        let place = at(left, below.top() + (n % rows) as f32 * (height + gap), width, height);
        let meta = time_and_department(cx, entry);
        if row(ui, cx, place, &tile_of(cx, entry, &meta)).clicked() {
            cx.push(Command::OpenGuide(entry.code().clone()));
        }
    }
    pager(ui, cx, pager_place, pages, Command::ShowPage);
}

/// How many rows fit above the pager, and where the pager stands.
fn rows_of(cx: &Cx<'_>, below: Rect) -> (usize, Rect) {
    let metrics = &cx.theme.metrics;
    let bottom = below.bottom() - cx.theme.pick(20.0, 16.0);
    let pager = Rect::from_min_max(pos2(below.left(), bottom - metrics.target), pos2(below.right(), bottom));
    let room = pager.top() - metrics.gap - below.top() + metrics.gap;
    (((room / (metrics.row + metrics.gap)).floor().max(1.0)) as usize, pager)
}

fn chooser_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, list: &ListOf) {
    let catalogue = std::sync::Arc::clone(&cx.model.catalogue);
    let hint = if *list == ListOf::LifeEvents { "items.life_events_hint" } else { "items.departments_hint" };
    let below = heading_ui(ui, cx, room, (&title(cx, list), cx.t(hint)));
    let counted = |n: usize| cx.tf("items.count", &[("count", &n.to_string())]);
    let choices: Vec<(String, String, String, ListOf)> = match list {
        ListOf::LifeEvents => life_events(&catalogue)
            .into_iter()
            .map(|e| {
                let count = counted(of_life_event(&catalogue, &e.id).len());
                (e.icon.clone(), cx.say(&e.name).to_owned(), count, ListOf::LifeEvent(e.id.clone()))
            })
            .collect(),
        _ => departments(&catalogue)
            .into_iter()
            .map(|unit| {
                let list = ListOf::Department(unit.to_owned());
                ("bank".to_owned(), department_name(cx, unit), counted(codes(cx.model, &list).len()), list)
            })
            .collect(),
    };
    let lines: Vec<Line<'_>> = choices
        .iter()
        .map(|(icon, title, meta, list)| Line {
            tile: Tile { icon, title, meta, ..Tile::default() },
            command: Command::OpenList(list.clone()),
        })
        .collect();
    grid_ui(ui, cx, below, lines);
}

/// Tiles in columns, by pages.
fn grid_ui(ui: &mut Ui, cx: &mut Cx<'_>, below: Rect, lines: Vec<Line<'_>>) {
    let columns = if upright(below) { cx.theme.pick(2usize, 1) } else { cx.theme.pick(4, 2) };
    let gap = cx.theme.pick(16.0, 24.0);
    let height = cx.theme.pick(116.0, 256.0);
    let target = cx.theme.metrics.target;
    let pager_place = Rect::from_min_max(
        pos2(below.left(), below.bottom() - 20.0 - target),
        pos2(below.right(), below.bottom() - 20.0),
    );
    let rows_above =
        |bottom: f32| (((bottom - below.top() + gap) / (height + gap)).floor().max(1.0)) as usize;
    let all = rows_above(pager_place.bottom());
    // Without a pager there may be room for one more row.
    let rows = if lines.len() <= all * columns { all } else { rows_above(pager_place.top() - 12.0) };
    let pages = Pages::new(lines.len(), rows * columns, cx.model.list_page);
    let width = (below.width() - (columns - 1) as f32 * gap) / columns as f32;
    for (n, line) in lines.iter().skip(pages.shown().start).take(pages.shown().len()).enumerate() {
        let (column, line_no) = ((n % columns) as f32, (n / columns) as f32);
        let place =
            at(below.left() + column * (width + gap), below.top() + line_no * (height + gap), width, height);
        let choice = if cx.elder() { tile } else { way };
        if choice(ui, cx, place, &line.tile).clicked() {
            cx.push(line.command.clone());
        }
    }
    pager(ui, cx, pager_place, pages, Command::ShowPage);
}
