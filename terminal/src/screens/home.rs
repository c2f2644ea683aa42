//! The home page: what most people come for, and other ways to look.
//!
//! Refuses to rank by itself: the frequent items are the station's and the catalogue's, without those that this station
//! does not offer. In the elder version at most four choices.
use domain::catalogue::Entry;
use egui::{Rect, Stroke, Ui, pos2, vec2};

use super::entry::{tile_of, time_and_fee};
use super::items::{departments, life_events};
use super::stations::words;
use crate::command::Command;
use crate::model::ListOf;
use crate::theme::radius;
use crate::widgets::button::target;
use crate::widgets::shape::{card, focus_ring, outline_rect};
use crate::widgets::tile::way;
use crate::widgets::{
    Action, Back, Button, Cx, Footer, Tile, at, frame, icon, press, text, tile, upright, width_of,
};

/// Tiles on the page.
const MAX_TILES: usize = 8;
/// Items on the first page of the elder version; the fourth tile leads on.
const ELDER_ITEMS: usize = 3;
/// Ways to look on each further page of the elder version.
const ELDER_WAYS: usize = 4;
/// Height of the search field.
const FIELD: f32 = 104.0;
/// Height of a tile.
const TILE: f32 = 184.0;
/// Height of a way to look.
const WAY: f32 = 116.0;

/// Draws the home page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    if cx.elder() {
        return elder_ui(ui, cx);
    }
    let (line, more) = hours(cx);
    let footer = Footer { back: Back::Finish, note: Some(("clock", &line, &more)), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, room| {
        let grid = if upright(room) { &UPRIGHT } else { &WIDE };
        let field = title_ui(ui, cx, room);
        field_ui(ui, cx, field);
        let below = often_ui(ui, cx, room.with_min_y(field.bottom() + grid.often), grid);
        ways_ui(ui, cx, below, grid);
    });
}

/// How tiles and ways stand.
struct Grid {
    /// Distance of the line above the tiles from the search field.
    often: f32,
    /// Tiles beside each other.
    tiles: usize,
    /// Gap between tiles.
    gap: f32,
    /// Distance of the ways from the tiles.
    ways_above: f32,
    /// Ways beside each other.
    ways: usize,
}

const WIDE: Grid = Grid { often: 4.0, tiles: 4, gap: 24.0, ways_above: 16.0, ways: 6 };
const UPRIGHT: Grid = Grid { often: 16.0, tiles: 2, gap: 16.0, ways_above: 32.0, ways: 3 };

/// The greeting; gives the place of the search field, beside it or below it.
fn title_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect) -> Rect {
    let top = room.top() + 32.0;
    let title = cx.t("home.title");
    let width = width_of(ui, title, cx.h1()) + 2.0;
    let upright = upright(room);
    let height = if upright { cx.h1().style.line } else { FIELD };
    text(ui, cx, at(room.left(), top, width, height), title, cx.h1().middle());
    if upright {
        return at(room.left(), top + height + 24.0, room.width(), FIELD);
    }
    Rect::from_min_max(pos2(room.left() + width + 40.0, top), pos2(room.right(), top + FIELD))
}

/// A field that leads to the search page.
fn field_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: Rect) {
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

/// The frequent items; gives the room below them.
fn often_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, grid: &Grid) -> Rect {
    let line = at(room.left(), room.top(), room.width(), 84.0);
    text(ui, cx, line, cx.t("home.often"), cx.strong().middle());
    let count = cx.model.catalogue.items.len().to_string();
    let all = cx.tf("home.all", &[("count", &count)]);
    let look = Button::quiet(&all).icon_after("chev").lettering(cx.strong().sized(24.0, 38.0));
    let width = look.inner_width(ui, cx) + 32.0;
    let place = at(room.right() - width + 8.0, line.top(), width, 84.0);
    press(ui, cx, place, &look, Command::OpenList(ListOf::All));
    let tiles = room.with_min_y(line.bottom());
    let gap = grid.gap;
    let width = (room.width() - gap * part(grid.tiles - 1)) / part(grid.tiles);
    for (i, entry) in cx.model.frequent().into_iter().take(MAX_TILES).enumerate() {
        let (column, line) = (part(i % grid.tiles), part(i / grid.tiles));
        let left = tiles.left() + column * (width + gap);
        let place = at(left, tiles.top() + line * (TILE + gap), width, TILE);
        let meta = time_and_fee(cx, entry);
        if tile(ui, cx, place, &tile_of(cx, entry, &meta)).clicked() {
            cx.push(Command::OpenGuide(entry.code().clone()));
        }
    }
    let lines = part(MAX_TILES.div_ceil(grid.tiles));
    tiles.with_min_y(tiles.top() + lines * (TILE + gap) - gap + grid.ways_above)
}

fn ways_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, grid: &Grid) {
    const GAP: f32 = 16.0;
    let top = room.top();
    text(ui, cx, at(room.left(), top, room.width(), 44.0), cx.t("home.ways"), cx.strong().middle());
    let width = (room.width() - GAP * part(grid.ways - 1)) / part(grid.ways);
    for (i, (name, title, meta, command)) in ways(cx).into_iter().enumerate() {
        let (column, line) = (part(i % grid.ways), part(i / grid.ways));
        let left = room.left() + column * (width + GAP);
        let place = at(left, top + 52.0 + line * (WAY + GAP), width, WAY);
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
        ("pin", cx.t("stations.button"), cx.t("home.stations_hint").to_owned(), Command::OpenStations(None)),
        ("folder", cx.t("home.my_cases"), cx.t("home.my_cases_hint").to_owned(), Command::MyCases),
        ("help", cx.t("home.help"), cx.t("home.help_hint").to_owned(), Command::OpenHelp),
    ]
}

/// Pages of four large tiles: three items and "something else", then the ways to look.
fn elder_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let page = cx.model.list_page.min(2);
    let back = match page.checked_sub(1) {
        None => Back::Finish,
        Some(before) => Back::To(Command::ShowPage(before)),
    };
    let note = Some(("clock", cx.t("home.no_hurry"), ""));
    let more = Action {
        label: cx.t("home.more_ways"),
        icon: "right",
        command: Command::ShowPage(page + 1),
        filled: false,
    };
    let footer = Footer { back, note, action: (page == 1).then_some(more) };
    frame(ui, cx, footer, |ui, cx, room| {
        let title = at(room.left(), room.top() + 24.0, room.width(), 86.0);
        let words = cx.t("home.title_elder");
        let fits = width_of(ui, words, cx.h1()) <= title.width();
        text(ui, cx, title, words, if fits { cx.h1() } else { cx.h2() }.middle());
        if page == 0 { elder_items_ui(ui, cx, room) } else { elder_ways_ui(ui, cx, room, page - 1) }
    });
}

fn elder_items_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let popular = |entry: &Entry<'_>| matches!(entry, Entry::Item(item) if item.elder_popular);
    let (liked, others): (Vec<_>, Vec<_>) = cx.model.frequent().into_iter().partition(popular);
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

/// Search, all items and the ways of the normal version, four on a page.
fn elder_ways_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, page: usize) {
    let search =
        ("search", cx.t("home.search_elder"), cx.t("home.search_elder_hint").to_owned(), Command::OpenSearch);
    let count = cx.tf("items.count", &[("count", &cx.model.catalogue.items.len().to_string())]);
    let all = ("grid", cx.t("items.all"), count, Command::OpenList(ListOf::All));
    let ways = std::iter::once(search).chain(ways(cx)).chain(std::iter::once(all));
    let shown = ways.skip(page * ELDER_WAYS).take(ELDER_WAYS);
    for (i, (name, title, meta, command)) in shown.enumerate() {
        let look = Tile { icon: name, title, meta: &meta, ..Tile::default() };
        if tile(ui, cx, elder_place(room, i), &look).clicked() {
            cx.push(command);
        }
    }
}

/// One of four places: two by two, or below each other on an upright page.
fn elder_place(room: Rect, i: usize) -> Rect {
    const GAP: f32 = 24.0;
    let columns = if upright(room) { 1 } else { 2 };
    let lines = part(4 / columns);
    let width = (room.width() - GAP * part(columns - 1)) / part(columns);
    let height = (room.height() - 134.0 - 32.0 - GAP * (lines - 1.0)) / lines;
    let (column, line) = (part(i % columns), part(i / columns));
    let left_top = room.min + vec2(column * (width + GAP), 134.0 + line * (height + GAP));
    Rect::from_min_size(left_top, vec2(width, height))
}

/// The notice that this station shows today, the newest first.
fn notice<'a>(cx: &Cx<'a>) -> Option<&'a str> {
    let (model, today) = (cx.model, cx.model.today());
    let station = model.station.as_ref()?;
    let shown = model.catalogue.messages.iter().filter(|message| message.is_shown(&station.id, today));
    shown.max_by_key(|message| message.from).map(|message| message.text.get(cx.language()))
}

/// The hours of today, and below them a notice or whether Saturday is open too.
fn hours(cx: &Cx<'_>) -> (String, String) {
    let Some(station) = &cx.model.station else { return (String::new(), String::new()) };
    let line = words::today(cx, station);
    if let Some(notice) = notice(cx) {
        return (line, notice.to_owned());
    }
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
