//! What people say and what it may mean: a chooser where a phrase means several things, and a page that says so where
//! it names something that is not done here. Refuses to guess which one was meant.
use std::sync::Arc;

use domain::catalogue::Entry;
use domain::ids::ItemCode;
use egui::{Rect, Ui, vec2};

use super::entry::tile_of;
use crate::command::Command;
use crate::model::ListOf;
use crate::theme::radius;
use crate::widgets::shape::well;
use crate::widgets::{
    Action, Cx, Footer, Lettering, Pages, at, frame, height_of, icon, pager, row, text, width_of,
};

/// The most lines of a note.
const MAX_LINES: f32 = 4.0;

/// Draws what a phrase may mean (key in the catalogue's shared phrases).
pub fn several(ui: &mut Ui, cx: &mut Cx<'_>, phrase: &str) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let shared = catalogue.phrases.shared.get(phrase);
    let all = Action {
        label: cx.t("chooser.other"),
        icon: "grid",
        command: Command::OpenList(ListOf::All),
        filled: false,
    };
    frame(ui, cx, Footer { action: Some(all), ..Footer::default() }, |ui, cx, room| {
        let ask = shared.map_or("", |words| cx.say(&words.ask));
        let below = heading_ui(ui, cx, room, (phrase, cx.t("chooser.title"), ask));
        let note = shared.map_or("", |words| cx.say(&words.note));
        let below = note_ui(ui, cx, below, ("info", note));
        let codes = shared.map(|words| words.codes.as_slice()).unwrap_or_default();
        choices_ui(ui, cx, below, codes);
    });
}

/// Draws what to do about something that is not done here (key in the catalogue's phrases).
pub fn not_here(ui: &mut Ui, cx: &mut Cx<'_>, phrase: &str) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let words = catalogue.phrases.not_here.get(phrase);
    let footer = Footer {
        action: Some(Action {
            label: cx.t("stations.button"),
            icon: "pin",
            command: Command::OpenStations(None),
            filled: true,
        }),
        ..Footer::default()
    };
    frame(ui, cx, footer, |ui, cx, room| {
        let codes = words.map(|words| words.codes.as_slice()).unwrap_or_default();
        let hint = if codes.is_empty() { "" } else { cx.t("chooser.may_help") };
        let below = heading_ui(ui, cx, room, (phrase, cx.t("chooser.not_here"), ""));
        let say = words.map_or("", |words| cx.say(&words.say));
        let below = said_ui(ui, cx, below, say);
        let hint = text(ui, cx, below, hint, cx.body());
        choices_ui(ui, cx, below.with_min_y(hint.bottom() + 12.0), codes);
    });
}

/// What was said, the question, and a line below it; gives the room below.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, (phrase, title, more): (&str, &str, &str)) -> Rect {
    let body = cx.body().data();
    let caption = cx.tf("chooser.said", &[("phrase", phrase)]);
    let top = room.top() + cx.theme.pick(24.0, 16.0);
    let line = at(room.left(), top, room.width(), body.style.line);
    text(ui, cx, line, &caption, body);
    let h1 = cx.h1();
    let place = at(room.left(), line.bottom(), room.width(), h1.style.line);
    let letters = if width_of(ui, title, h1) <= room.width() { h1 } else { cx.h2() };
    text(ui, cx, place, title, letters.middle());
    let below = room.with_min_y(place.bottom() + 4.0);
    let more = text(ui, cx, below, more, cx.body());
    room.with_min_y(more.bottom() + cx.theme.pick(24.0, 16.0))
}

/// What is true of all choices, at the bottom; gives the room above.
fn note_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, (name, words): (&str, &str)) -> Rect {
    let room = room.with_max_y(room.bottom() - cx.theme.pick(24.0, 16.0));
    if words.is_empty() {
        return room;
    }
    let colors = &cx.theme.colors;
    let letters = cx.body().color(colors.ink);
    let side = cx.theme.pick(44.0, 56.0);
    let width = room.width() - side - 28.0 - 20.0 - 24.0;
    let height = height_of(ui, words, letters, width).min(MAX_LINES * letters.style.line) + 32.0;
    let rect = room.with_min_y(room.bottom() - height);
    well(ui, cx, rect, radius::BUTTON, colors.brand50);
    icon(ui, cx, at(rect.left() + 28.0, rect.center().y - side / 2.0, side, side), name, colors.brand600);
    let place = rect.with_min_x(rect.left() + 28.0 + side + 20.0).shrink2(vec2(0.0, 8.0));
    text(ui, cx, place.with_max_x(rect.right() - 24.0), words, letters.middle());
    room.with_max_y(rect.top() - 16.0)
}

/// What to do instead, on a banner; gives the room below.
fn said_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, words: &str) -> Rect {
    let colors = &cx.theme.colors;
    let letters: Lettering = cx.strong().color(colors.ink);
    let side = cx.theme.pick(56.0, 72.0);
    let width = room.width() - side - 32.0 - 24.0 - 32.0;
    let height = height_of(ui, words, letters, width).min(MAX_LINES * letters.style.line).max(side) + 48.0;
    let rect = at(room.left(), room.top(), room.width(), height);
    well(ui, cx, rect, radius::CARD, colors.warn50);
    icon(ui, cx, at(rect.left() + 32.0, rect.center().y - side / 2.0, side, side), "info", colors.warn);
    let left = rect.left() + 32.0 + side + 24.0;
    text(ui, cx, at(left, rect.top() + 20.0, width, height - 40.0), words, letters.middle());
    room.with_min_y(rect.bottom() + 24.0)
}

/// One row a meaning, with what it is in a sentence.
fn choices_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, codes: &[ItemCode]) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let entries: Vec<Entry<'_>> = codes.iter().filter_map(|code| catalogue.entry(code)).collect();
    let metrics = &cx.theme.metrics;
    let gap = cx.theme.pick(16.0, 20.0);
    // A little lower rows where that saves a page.
    let count = entries.len().max(1) as f32;
    let lower = (room.height() - gap * (count - 1.0)) / count;
    let height = if lower >= metrics.target + 8.0 { lower.min(metrics.row) } else { metrics.row };
    let rows = |bottom: f32| ((bottom - room.top() + gap) / (height + gap)).floor().max(1.0) as usize;
    let pager_place = room.with_min_y(room.bottom() - metrics.target);
    let all = rows(room.bottom());
    let per_page = if entries.len() <= all { all } else { rows(pager_place.top() - gap) };
    let pages = Pages::new(entries.len(), per_page, cx.model.list_page);
    for (line, index) in pages.shown().enumerate() {
        let Some(entry) = entries.get(index).copied() else { continue };
        let place = at(room.left(), room.top() + line as f32 * (height + gap), room.width(), height);
        let look = tile_of(cx, entry, cx.say(&entry.guide().one_line));
        if row(ui, cx, place, &look).clicked() {
            cx.push(Command::OpenGuide(entry.code().clone()));
        }
    }
    pager(ui, cx, pager_place, pages, Command::ShowPage);
}
