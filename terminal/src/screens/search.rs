//! Search: results at the left, letter and digit keys at the right, so that the keys never cover a result.
//!
//! A physical keyboard types into the same text. Refuses to search by itself: the model does.
use std::sync::Arc;

use domain::search::Hit;
use domain::text::Language;
use egui::{Rect, Stroke, Ui, pos2, vec2};

use super::entry::{found, tile_of};
use crate::command::Command;
use crate::model::ListOf;
use crate::theme::radius;
use crate::widgets::button::Kind;
use crate::widgets::keyboard::{apply, keyboard, keyboard_height};
use crate::widgets::shape::{card, outline_rect};
use crate::widgets::{
    Button, Cx, Footer, Pages, Tile, at, frame, icon, pager, press, row, text, typed, upright,
};

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
        let (left, right) = panes(cx, room.with_min_y(top));
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

/// Results at the left and keys at the right; on an upright page the keys stand below, where hands reach them.
fn panes(cx: &Cx<'_>, room: Rect) -> (Rect, Rect) {
    if upright(room) {
        let keys = cx.theme.pick(60.0, 0.0) + keyboard_height(cx) + cx.theme.pick(104.0, 120.0) + 24.0;
        let phrases = cx.theme.metrics.target + 32.0;
        let right = room.with_min_y(room.bottom() - keys - phrases);
        return (room.with_max_y(right.top() - 16.0), right);
    }
    let left = room.with_max_x(room.left() + 736.0);
    (left, room.with_min_x(left.right() + 32.0))
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
        let command = Command::OpenList(ListOf::Phrase(phrase.clone()));
        press(ui, cx, at(left, room.top(), width, target), &look, command);
        left += width + 16.0;
    }
}

fn results_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let model = cx.model;
    let found = &model.search.found;
    let heading = cx.strong();
    let line = at(room.left(), room.top(), room.width(), heading.style.line);
    let below = Rect::from_min_max(pos2(room.left(), line.bottom() + 16.0), room.max);
    if model.search.query.trim().is_empty() {
        let hint = text(ui, cx, room, cx.t("search.start"), cx.body());
        let frequent = model.frequent().into_iter();
        let often: Vec<Hit> = frequent.map(|e| Hit { code: e.code().clone(), matched: None }).collect();
        return often_ui(ui, cx, room.with_min_y(hint.bottom() + 16.0), &often);
    }
    if found.hits.is_empty() && found.shared.is_none() && found.not_here.is_none() {
        return nothing_ui(ui, cx, room);
    }
    let count = found.hits.len();
    let words = match count {
        0 => cx.t("search.only_phrase").to_owned(),
        1 => cx.t("search.one_found").to_owned(),
        _ => cx.tf("search.found", &[("count", &count.to_string())]),
    };
    text(ui, cx, line, &words, heading);
    let below = phrase_ui(ui, cx, below);
    hits_ui(ui, cx, below);
}

/// A phrase that means several things, or something that is not done here, leads to its own page.
fn phrase_ui(ui: &mut Ui, cx: &mut Cx<'_>, below: Rect) -> Rect {
    let found = &cx.model.search.found;
    let phrases = &cx.model.catalogue.phrases;
    let (title, meta, list) = if let Some(phrase) = &found.not_here {
        let title = cx.tf("search.not_here", &[("phrase", phrase)]);
        (title, cx.t("search.not_here_hint"), ListOf::NotHere(phrase.clone()))
    } else if let Some((phrase, words)) =
        found.shared.as_ref().and_then(|p| Some((p, phrases.shared.get(p)?)))
    {
        let title = cx.tf("search.suggestions_name", &[("phrase", phrase)]);
        (title, cx.say(&words.ask), ListOf::Phrase(phrase.clone()))
    } else {
        return below;
    };
    let height = cx.theme.metrics.row;
    let look = Tile { icon: "help", title: &title, meta, ..Tile::default() };
    if row(ui, cx, at(below.left(), below.top(), below.width(), height), &look).clicked() {
        cx.push(Command::OpenList(list));
    }
    below.with_min_y(below.top() + height + cx.theme.metrics.gap)
}

/// Nothing was found: how else one may say it, and where else to turn.
fn nothing_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let title = text(ui, cx, room, cx.t("search.nothing"), cx.h2());
    let hint = text(ui, cx, room.with_min_y(title.bottom() + 4.0), cx.t("search.nothing_hint"), cx.body());
    let metrics = &cx.theme.metrics;
    let bottom = room.bottom() - cx.theme.pick(20.0, 16.0);
    let ways =
        [("stations.button", "pin", Command::OpenStations(None)), ("home.help", "help", Command::OpenHelp)];
    let width = (room.width() - metrics.gap) / 2.0;
    for (n, (key, icon, command)) in ways.into_iter().enumerate() {
        let left = room.left() + n as f32 * (width + metrics.gap);
        let look = Button::secondary(cx.t(key)).icon(icon).lettering(cx.strong());
        press(ui, cx, at(left, bottom - metrics.target, width, metrics.target), &look, command);
    }
    let mut top = hint.bottom() + 12.0;
    for (title, meta, query) in examples(cx) {
        if top + metrics.row > bottom - metrics.target - metrics.gap {
            return;
        }
        let look = Tile { icon: "search", title: &title, meta: &meta, ..Tile::default() };
        if row(ui, cx, at(room.left(), top, room.width(), metrics.row), &look).clicked() {
            cx.push(Command::SetQuery(query));
        }
        top += metrics.row + metrics.gap;
    }
}

/// Three ways to say it, each with something that this catalogue has: title, what it shows, query.
fn examples(cx: &Cx<'_>) -> Vec<(String, String, String)> {
    let catalogue = &cx.model.catalogue;
    let entry = cx.model.frequent().into_iter().next();
    let mut examples = Vec::new();
    let mut add = |key: &str, query: String| {
        if !query.is_empty() {
            examples.push((query.clone(), cx.tf(key, &[]), query));
        }
    };
    if let Some(entry) = entry {
        let initials = entry.short_pinyin().split(' ').filter_map(|syllable| syllable.chars().next());
        add("search.by_name", entry.short_name().zh.chars().take(4).collect());
        add("search.by_initials", initials.collect());
    }
    add("search.by_phrase", catalogue.phrases.shared.keys().next().cloned().unwrap_or_default());
    examples
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
    // In the elder version there is no badge beside the words: a title needs the whole width.
    let meta = found(cx, entry);
    let mut look = tile_of(cx, entry, &meta);
    look.badges.truncate(cx.theme.pick(1, 0));
    look.matched = hit.matched.as_ref().map(|range| (range.start, range.end));
    if row(ui, cx, place, &look).clicked() {
        cx.push(Command::OpenGuide(hit.code.clone()));
    }
}
