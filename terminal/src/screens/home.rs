//! The home page: what most people come for, and other ways to look.
//!
//! Refuses to rank by itself: the frequent items are the catalogue's. In the elder version at most four choices.
use domain::catalogue::{Catalogue, Entry};
use egui::{Rect, Stroke, Ui, pos2, vec2};

use super::entry::{tile_of, time_and_fee};
use super::items::{departments, life_events};
use crate::command::Command;
use crate::model::ListOf;
use crate::theme::radius;
use crate::widgets::button::target;
use crate::widgets::shape::{card, focus_ring, outline_rect};
use crate::widgets::tile::way;
use crate::widgets::{Back, Button, Cx, Footer, Tile, at, frame, icon, press, text, tile, width_of};

/// Tiles on the page.
const MAX_TILES: usize = 8;
/// Items on the first page of the elder version; the fourth tile leads on.
const ELDER_ITEMS: usize = 3;

/// Draws the home page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    if cx.elder() {
        return elder_ui(ui, cx);
    }
    let (line, more) = hours(cx);
    let footer = Footer { back: Back::Finish, note: Some(("clock", &line, &more)), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, room| {
        title_ui(ui, cx, room);
        often_ui(ui, cx, room);
        ways_ui(ui, cx, room);
    });
}

fn title_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let top = room.top() + 32.0;
    let title = cx.t("home.title");
    let width = width_of(ui, title, cx.h1()) + 2.0;
    text(ui, cx, at(room.left(), top, width, 104.0), title, cx.h1().middle());
    let field = Rect::from_min_max(pos2(room.left() + width + 40.0, top), pos2(room.right(), top + 104.0));
    let button_width = 168.0;
    let hint = Rect::from_min_max(field.min, pos2(field.right() - button_width - 8.0 - 12.0, field.bottom()));
    let response = target(ui, hint, cx.t("home.search_hint"), None);
    card(ui, cx, field, radius::BUTTON);
    outline_rect(ui.painter(), field, radius::BUTTON, Stroke::new(3.0, cx.theme.colors.brand600));
    icon(
        ui,
        cx,
        at(hint.left() + 32.0, hint.center().y - 22.0, 44.0, 44.0),
        "search",
        cx.theme.colors.brand600,
    );
    let words = Rect::from_min_max(pos2(hint.left() + 94.0, hint.top()), hint.max);
    let letters = cx.body().sized(28.0, 40.0).color(cx.theme.colors.ink3).middle().quiet();
    text(ui, cx, words, cx.t("home.search_hint"), letters);
    if response.has_focus() {
        focus_ring(ui, cx, field, radius::BUTTON);
    }
    if response.clicked() {
        cx.push(Command::OpenSearch);
    }
    let place = at(field.right() - 10.0 - button_width, field.top() + 10.0, button_width, 84.0);
    press(ui, cx, place, &Button::primary(cx.t("home.search")), Command::OpenSearch);
}

fn often_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let line = at(room.left(), room.top() + 140.0, room.width(), 84.0);
    text(ui, cx, line, cx.t("home.often"), cx.strong().middle());
    let count = cx.model.catalogue.items.len().to_string();
    let all = cx.tf("home.all", &[("count", &count)]);
    let look = Button::quiet(&all).icon_after("chev").lettering(cx.strong().sized(24.0, 38.0));
    let width = look.inner_width(ui, cx) + 32.0;
    let place = at(room.right() - width + 8.0, line.top(), width, 84.0);
    press(ui, cx, place, &look, Command::OpenList(ListOf::All));
    let catalogue = cx.model.catalogue.clone();
    let tiles = room.with_min_y(line.bottom());
    let width = (room.width() - 3.0 * 24.0) / 4.0;
    for (i, entry) in frequent(&catalogue).take(MAX_TILES).enumerate() {
        let (column, line) = (part(i % 4), part(i / 4));
        let left = tiles.left() + column * (width + 24.0);
        let place = at(left, tiles.top() + line * (184.0 + 24.0), width, 184.0);
        let meta = time_and_fee(cx, entry);
        if tile(ui, cx, place, &tile_of(cx, entry, &meta)).clicked() {
            cx.push(Command::OpenGuide(entry.code().clone()));
        }
    }
}

fn ways_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let top = room.top() + 632.0;
    text(ui, cx, at(room.left(), top, room.width(), 44.0), cx.t("home.ways"), cx.strong().middle());
    let ways = ways(cx);
    let width = (room.width() - 16.0 * (part(ways.len()) - 1.0)) / part(ways.len());
    for (i, (name, title, meta, command)) in ways.into_iter().enumerate() {
        let place = at(room.left() + part(i) * (width + 16.0), top + 52.0, width, 116.0);
        let look = Tile { icon: name, title, meta: &meta, ..Tile::default() };
        if way(ui, cx, place, &look).clicked() {
            cx.push(command);
        }
    }
}

type Way<'a> = (&'static str, &'a str, String, Command);

fn ways<'a>(cx: &Cx<'a>) -> Vec<Way<'a>> {
    let count = |key: &str, count: usize| cx.tf(key, &[("count", &count.to_string())]);
    let bundles = count("home.bundles_count", cx.model.catalogue.bundles.len());
    let events = count("home.life_events_count", life_events(&cx.model.catalogue).len());
    let units = count("home.departments_count", departments(&cx.model.catalogue).len());
    vec![
        ("layers", cx.t("home.bundles"), bundles, Command::OpenList(ListOf::Bundles)),
        ("path", cx.t("home.life_events"), events, Command::OpenList(ListOf::LifeEvents)),
        ("bank", cx.t("home.departments"), units, Command::OpenList(ListOf::Departments)),
        ("folder", cx.t("home.my_cases"), cx.t("home.my_cases_hint").to_owned(), Command::MyCases),
        ("help", cx.t("home.help"), cx.t("home.help_hint").to_owned(), Command::OpenHelp),
    ]
}

/// Two pages of four large tiles: three items and "something else", then the ways to look.
fn elder_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let first = cx.model.list_page == 0;
    let back = if first { Back::Finish } else { Back::To(Command::ShowPage(0)) };
    let note = Some(("clock", cx.t("home.no_hurry"), ""));
    frame(ui, cx, Footer { back, note, ..Footer::default() }, |ui, cx, room| {
        let title = at(room.left(), room.top() + 24.0, room.width(), 86.0);
        text(ui, cx, title, cx.t("home.title_elder"), cx.h1().middle());
        if first { elder_items_ui(ui, cx, room) } else { elder_ways_ui(ui, cx, room) }
    });
}

fn elder_items_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let catalogue = cx.model.catalogue.clone();
    let popular = |entry: &Entry<'_>| matches!(entry, Entry::Item(item) if item.elder_popular);
    let (liked, others): (Vec<_>, Vec<_>) = frequent(&catalogue).partition(popular);
    for (i, entry) in liked.into_iter().chain(others).take(ELDER_ITEMS).enumerate() {
        let mut look = tile_of(cx, entry, cx.say(&entry.guide().one_line));
        look.badges.clear();
        if tile(ui, cx, elder_place(room, i), &look).clicked() {
            cx.push(Command::OpenGuide(entry.code().clone()));
        }
    }
    let count = cx.model.catalogue.items.len().to_string();
    let meta = cx.tf("home.other_hint", &[("count", &count)]);
    let look = Tile { icon: "grid", title: cx.t("home.other"), meta: &meta, ..Tile::default() };
    if tile(ui, cx, elder_place(room, ELDER_ITEMS), &look).clicked() {
        cx.push(Command::ShowPage(1));
    }
}

fn elder_ways_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let search =
        ("search", cx.t("home.search_elder"), cx.t("home.search_elder_hint").to_owned(), Command::OpenSearch);
    let ways = ways(cx).into_iter().filter(|way| ["path", "folder", "help"].contains(&way.0));
    for (i, (name, title, meta, command)) in std::iter::once(search).chain(ways).enumerate() {
        let look = Tile { icon: name, title, meta: &meta, ..Tile::default() };
        if tile(ui, cx, elder_place(room, i), &look).clicked() {
            cx.push(command);
        }
    }
}

/// One of four places, two by two.
pub(super) fn elder_place(room: Rect, i: usize) -> Rect {
    let width = (room.width() - 24.0) / 2.0;
    let height = (room.height() - 134.0 - 24.0 - 32.0) / 2.0;
    let left_top = room.min + vec2(part(i % 2) * (width + 24.0), 134.0 + part(i / 2) * (height + 24.0));
    Rect::from_min_size(left_top, vec2(width, height))
}

fn frequent(catalogue: &Catalogue) -> impl Iterator<Item = Entry<'_>> {
    catalogue.home_items.iter().filter_map(|code| catalogue.entry(code))
}

/// Opening hours in words, as the catalogue gives them.
fn hours(cx: &Cx<'_>) -> (String, String) {
    let Some(station) = &cx.model.station else { return (String::new(), String::new()) };
    let key = if station.noon_service { "home.hours_noon" } else { "home.hours" };
    let line = cx.tf(key, &[("weekday", &station.weekday_hours)]);
    let more = if station.saturday_hours.is_empty() {
        cx.t("home.hours_no_saturday").to_owned()
    } else {
        cx.tf("home.hours_saturday", &[("saturday", &station.saturday_hours)])
    };
    (line, more)
}

#[allow(clippy::cast_precision_loss)] // a page has a few tiles
pub(super) fn part(index: usize) -> f32 {
    index as f32
}
