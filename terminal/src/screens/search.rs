//! Search: results at the left, letter and digit keys at the right, so that the keys never cover a result.
//!
//! A physical keyboard types into the same text. Refuses to search by itself: the model does.
use std::sync::Arc;

use domain::search::Hit;
use domain::text::Language;
use egui::{Rect, Stroke, Ui, pos2, vec2};

use super::entry::{badge_and_time, tile_of, time_and_department};
use crate::command::Command;
use crate::model::ListOf;
use crate::theme::radius;
use crate::widgets::button::Kind;
use crate::widgets::keyboard::{apply, keyboard, keyboard_height};
use crate::widgets::shape::{card, outline_rect};
use crate::widgets::{Button, Cx, Footer, Pages, Tile, at, frame, icon, pager, press, row, text, typed};

/// Characters of a search text.
const MAX_CHARS: usize = 40;
/// Suggested phrases.
const MAX_PHRASES: usize = 5;

/// Draws the search page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let query = cx.model.search.query.clone();
    if let Some(changed) = typed(ui, &query, MAX_CHARS) {
        cx.push(Command::SetQuery(changed));
    }
    frame(ui, cx, Footer::default(), |ui, cx, room| {
        let top = room.top() + cx.theme.pick(28.0, 20.0);
        let left_width = 736.0;
        let left = Rect::from_min_max(pos2(room.left(), top), pos2(room.left() + left_width, room.bottom()));
        let right = Rect::from_min_max(pos2(left.right() + 32.0, top), pos2(room.right(), room.bottom()));
        let field = at(right.left(), right.top(), right.width(), cx.theme.pick(104.0, 120.0));
        field_ui(ui, cx, field, &query);
        let height = cx.theme.pick(keyboard_height(cx) + 60.0, keyboard_height(cx));
        let keys = at(right.left(), field.bottom() + 24.0, right.width(), height);
        if let Some(key) = keyboard(ui, cx, keys) {
            cx.push(Command::SetQuery(apply(&query, key, MAX_CHARS)));
        }
        let rest = Rect::from_min_max(pos2(keys.left(), keys.bottom() + 16.0), right.max);
        if rest.height() >= cx.theme.metrics.target {
            phrases_ui(ui, cx, rest);
        }
        results_ui(ui, cx, left);
    });
}

fn field_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, query: &str) {
    card(ui, cx, rect, radius::BUTTON);
    outline_rect(ui.painter(), rect, radius::BUTTON, Stroke::new(4.0, cx.theme.colors.brand600));
    icon(
        ui,
        cx,
        at(rect.left() + 28.0, rect.center().y - 22.0, 44.0, 44.0),
        "search",
        cx.theme.colors.brand600,
    );
    let inner = Rect::from_min_max(pos2(rect.left() + 92.0, rect.top()), rect.max - vec2(32.0, 0.0));
    if query.trim().is_empty() {
        let hint = cx.body().color(cx.theme.colors.ink3).middle();
        text(ui, cx, inner, cx.t("search.placeholder"), hint);
        return;
    }
    let letters = cx.letters(crate::theme::TypeRole::Field, cx.theme.colors.ink).middle().data();
    let filled = text(ui, cx, inner, query, letters);
    let caret = at(filled.right() + 4.0, rect.center().y - 24.0, 3.0, 48.0);
    ui.painter().rect_filled(caret, 0, cx.theme.colors.brand600);
}

/// What others ask for: phrases that mean several things, in the language in which people say them.
fn phrases_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    if cx.language() != Language::ZhCn {
        return;
    }
    let catalogue = Arc::clone(&cx.model.catalogue);
    let target = cx.theme.metrics.target;
    let label = cx.body().middle();
    let also = text(ui, cx, at(room.left(), room.top(), 200.0, target), cx.t("search.also"), label);
    let mut left = also.right() + 20.0;
    for phrase in catalogue.phrases.shared.keys().take(MAX_PHRASES) {
        let look = Button::new(Kind::Pill, phrase);
        let width = (look.inner_width(ui, cx) + 56.0).max(target);
        if left + width > room.right() {
            return;
        }
        press(ui, cx, at(left, room.top(), width, target), &look, Command::SetQuery(phrase.clone()));
        left += width + 16.0;
    }
}

fn results_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let model = cx.model;
    let catalogue = Arc::clone(&model.catalogue);
    let found = &model.search.found;
    let heading = cx.strong();
    let line = at(room.left(), room.top(), room.width(), heading.style.line);
    let below = Rect::from_min_max(pos2(room.left(), line.bottom() + 16.0), room.max);
    if model.search.query.trim().is_empty() {
        let hint = text(ui, cx, room, cx.t("search.start"), cx.body());
        let often: Vec<Hit> =
            catalogue.home_items.iter().map(|code| Hit { code: code.clone(), matched: None }).collect();
        return often_ui(ui, cx, room.with_min_y(hint.bottom() + 16.0), &often);
    }
    let mut below = below;
    if let Some(words) = found.not_here.as_ref().and_then(|key| catalogue.phrases.not_here.get(key)) {
        let say =
            text(ui, cx, at(below.left(), line.top(), below.width(), 220.0), cx.say(&words.say), cx.strong());
        below.min.y = say.bottom() + 16.0;
    } else if found.hits.is_empty() && found.shared.is_none() {
        text(ui, cx, below, cx.t("search.nothing"), cx.body());
        return;
    } else {
        let count = found.hits.len();
        let key = if count == 1 { "search.one_found" } else { "search.found" };
        text(ui, cx, line, &cx.tf(key, &[("count", &count.to_string())]), heading);
    }
    below = shared_ui(ui, cx, below);
    hits_ui(ui, cx, below);
}

/// A phrase that means several things leads to its own list.
fn shared_ui(ui: &mut Ui, cx: &mut Cx<'_>, below: Rect) -> Rect {
    let model = cx.model;
    let Some(phrase) = model.search.found.shared.clone() else { return below };
    let Some(words) = model.catalogue.phrases.shared.get(&phrase) else { return below };
    let height = cx.theme.metrics.row;
    let title = cx.tf("search.suggestions_name", &[("phrase", &phrase)]);
    let look = Tile { icon: "help", title: &title, meta: cx.say(&words.ask), ..Tile::default() };
    if row(ui, cx, at(below.left(), below.top(), below.width(), height), &look).clicked() {
        cx.push(Command::OpenList(ListOf::Phrase(phrase)));
    }
    Rect::from_min_max(below.min + vec2(0.0, height + cx.theme.metrics.gap), below.max)
}

/// What most people come for, while nothing is typed: as many rows as fit.
fn often_ui(ui: &mut Ui, cx: &mut Cx<'_>, below: Rect, often: &[Hit]) {
    let step = cx.theme.metrics.row + cx.theme.metrics.gap;
    let mut top = below.top();
    for hit in often {
        if top + cx.theme.metrics.row > below.bottom() - 16.0 {
            return;
        }
        hit_ui(ui, cx, at(below.left(), top, below.width(), cx.theme.metrics.row), hit);
        top += step;
    }
}

fn hits_ui(ui: &mut Ui, cx: &mut Cx<'_>, below: Rect) {
    let model = cx.model;
    let hits = &model.search.found.hits;
    let metrics = &cx.theme.metrics;
    let bottom = below.bottom() - cx.theme.pick(20.0, 16.0);
    let fit = |height: f32| ((height + metrics.gap) / (metrics.row + metrics.gap)).floor().max(1.0) as usize;
    let all = fit(bottom - below.top());
    let rows = if hits.len() <= all { all } else { fit(bottom - metrics.target - metrics.gap - below.top()) };
    let pages = Pages::new(hits.len(), rows, model.search.page);
    for (n, hit) in hits.iter().skip(pages.shown().start).take(pages.shown().len()).enumerate() {
        let top = below.top() + n as f32 * (metrics.row + metrics.gap);
        hit_ui(ui, cx, at(below.left(), top, below.width(), metrics.row), hit);
    }
    let place = Rect::from_min_max(pos2(below.left(), bottom - metrics.target), pos2(below.right(), bottom));
    pager(ui, cx, place, pages, Command::ShowPage);
}

fn hit_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, hit: &Hit) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let Some(entry) = catalogue.entry(&hit.code) else { return };
    // In the elder version the badge is a word of the meta line: a title needs the whole width.
    let meta = if cx.elder() { badge_and_time(cx, entry) } else { time_and_department(cx, entry) };
    let mut look = tile_of(cx, entry, &meta);
    look.badges.truncate(cx.theme.pick(1, 0));
    look.matched = hit.matched.as_ref().map(|range| (range.start, range.end));
    if row(ui, cx, place, &look).clicked() {
        cx.push(Command::OpenGuide(hit.code.clone()));
    }
}
