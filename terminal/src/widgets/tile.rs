//! Tiles and rows: one item, bundle or way to look, the whole surface being the target.
//!
//! The accessible name says everything that stands on it. Refuses more than one action.
use egui::{Color32, Rect, Response, Stroke, Ui, pos2, vec2};

use super::badge::{Badge, badges};
use super::button::target;
use super::shape::{card, fill, focus_ring, icon, icon_block, outline_rect};
use super::text::{Lettering, text};
use super::{Cx, at};
use crate::theme::radius;

/// What stands on a tile or row.
#[derive(Debug, Clone, Default)]
pub struct Tile<'a> {
    /// Icon name.
    pub icon: &'a str,
    /// Bold title.
    pub title: &'a str,
    /// One meta line; may be empty.
    pub meta: &'a str,
    /// Badges.
    pub badges: Vec<Badge>,
    /// Characters of the title that a search matched.
    pub matched: Option<(usize, usize)>,
}

impl Tile<'_> {
    /// Everything that it says, for those who hear it.
    pub fn name(&self, cx: &Cx<'_>) -> String {
        let badges = self.badges.iter().map(|badge| cx.t(badge.key()));
        let parts: Vec<&str> =
            [self.title, self.meta].into_iter().chain(badges).filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    }
}

/// A choice tile: icon block and title above, badges below; in the elder version large, with a chevron.
pub fn tile(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, look: &Tile<'_>) -> Response {
    let response = surface(ui, cx, rect, (&look.name(cx), radius::CARD));
    if cx.elder() {
        elder_tile(ui, cx, rect, look);
        return response;
    }
    let side = 72.0;
    let block = at(rect.left() + 24.0, rect.top() + 24.0, side, side);
    icon_block(ui, cx, block, look.icon, 48.0);
    let left = block.right() + 16.0;
    let words = Rect::from_min_max(pos2(left, rect.top() + 18.0), pos2(rect.right() - 16.0, rect.bottom()));
    let title = fitted(ui, look.title, words.width(), (cx.title().quiet(), cx.strong().quiet()));
    let filled =
        text(ui, cx, Rect::from_min_size(words.min, vec2(words.width(), 46.0)), look.title, title.middle());
    let meta = at(left, filled.bottom().max(rect.top() + 62.0), words.width(), 32.0);
    text(ui, cx, meta, look.meta, cx.small().quiet());
    let height = cx.theme.metrics.badge;
    let place = at(rect.left() + 24.0, rect.bottom() - 24.0 - height, rect.width() - 40.0, height);
    badges(ui, cx, place, &look.badges);
    response
}

/// A full-width row: icon, title and meta at the left, badges and a chevron at the right.
pub fn row(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, look: &Tile<'_>) -> Response {
    let response = surface(ui, cx, rect, (&look.name(cx), radius::BUTTON));
    let side = cx.theme.pick(64.0, 96.0);
    let block = at(rect.left() + 20.0, rect.center().y - side / 2.0, side, side);
    icon_block(ui, cx, block, look.icon, cx.theme.metrics.row_icon);
    let right = chevron(ui, cx, rect, cx.theme.pick(28.0, 44.0));
    let widths: f32 = look.badges.iter().map(|badge| badge.width(ui, cx) + 8.0).sum();
    let badges_left = right - widths;
    let height = cx.theme.metrics.badge;
    let place = at(badges_left, rect.center().y - height / 2.0, widths, height);
    badges(ui, cx, place, &look.badges);
    let words =
        Rect::from_min_max(pos2(block.right() + 16.0, rect.top()), pos2(badges_left - 12.0, rect.bottom()));
    title_and_meta(ui, cx, words, look);
    response
}

/// A way to look: icon, title, meta line, with a border and no fill of its own.
pub fn way(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, look: &Tile<'_>) -> Response {
    let response = target(ui, rect, &look.name(cx), None);
    let colors = &cx.theme.colors;
    let down = response.is_pointer_button_down_on();
    if down {
        fill(ui.painter(), rect, radius::CARD, colors.brand50);
    }
    let stroke = if down { Stroke::new(4.0, colors.brand600) } else { Stroke::new(2.0, colors.border) };
    outline_rect(ui.painter(), rect, radius::CARD, stroke);
    let place = at(rect.left() + 22.0, rect.center().y - 22.0, 44.0, 44.0);
    icon(ui, cx, place, look.icon, colors.brand600);
    let words =
        Rect::from_min_max(pos2(place.right() + 18.0, rect.top()), pos2(rect.right() - 12.0, rect.bottom()));
    let letters = cx.strong().quiet();
    let lines = if look.meta.is_empty() { 40.0 } else { 72.0 };
    let top = words.center().y - lines / 2.0;
    let letters =
        fitted(ui, look.title, words.width(), (letters, cx.body().bold().quiet().color(colors.ink)));
    text(ui, cx, at(words.left(), top, words.width(), 40.0), look.title, letters.middle());
    text(ui, cx, at(words.left(), top + 40.0, words.width(), 32.0), look.meta, cx.small().quiet());
    if response.has_focus() {
        focus_ring(ui, cx, rect, radius::CARD);
    }
    response
}

fn surface(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (name, corner): (&str, u8)) -> Response {
    let response = target(ui, rect, name, None);
    card(ui, cx, rect, corner);
    if response.is_pointer_button_down_on() {
        fill(ui.painter(), rect, corner, cx.theme.colors.brand50);
        outline_rect(ui.painter(), rect, corner, Stroke::new(4.0, cx.theme.colors.brand600));
    }
    if response.has_focus() {
        focus_ring(ui, cx, rect, corner);
    }
    response
}

fn elder_tile(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, look: &Tile<'_>) {
    let side = (rect.height() - 72.0).clamp(96.0, 152.0);
    let block = at(rect.left() + 44.0, rect.center().y - side / 2.0, side, side);
    icon_block(ui, cx, block, look.icon, side * 0.6);
    let right = chevron(ui, cx, rect, 56.0);
    let words = Rect::from_min_max(pos2(block.right() + 36.0, rect.top()), pos2(right - 12.0, rect.bottom()));
    title_and_meta(ui, cx, words, look);
}

/// Title with at most two lines and a meta line, in the middle of the place.
fn title_and_meta(ui: &mut Ui, cx: &Cx<'_>, place: Rect, look: &Tile<'_>) {
    let colors = &cx.theme.colors;
    let mut title = if cx.elder() { cx.title() } else { cx.title().sized(28.0, 38.0) }.quiet();
    if let Some((from, to)) = look.matched {
        title = title.underlined(from, to, colors.brand600);
    }
    let meta = if cx.elder() { cx.body() } else { cx.small() }.quiet();
    let meta_height = if look.meta.is_empty() { 0.0 } else { meta.style.line };
    let room = place.height() - 12.0 - meta_height;
    let wrapped = super::text::height_of(ui, look.title, title, place.width());
    let title_height = wrapped.min((room / title.style.line).floor().max(1.0) * title.style.line);
    let top = place.center().y - (title_height + meta_height) / 2.0;
    text(ui, cx, at(place.left(), top, place.width(), title_height), look.title, title);
    let below = at(place.left(), top + title_height, place.width(), meta_height.max(1.0));
    text(ui, cx, below, look.meta, meta);
}

/// The chevron at the right; gives its left end.
fn chevron(ui: &Ui, cx: &Cx<'_>, rect: Rect, side: f32) -> f32 {
    let left = rect.right() - cx.theme.pick(20.0, 40.0) - side;
    let place = at(left, rect.center().y - side / 2.0, side, side);
    icon(ui, cx, place, "chev", cx.theme.colors.brand600);
    left - cx.theme.pick(12.0, 20.0)
}

/// The first lettering if the words fit on one line with it, else the second, smaller one.
fn fitted(ui: &Ui, words: &str, width: f32, (large, small): (Lettering, Lettering)) -> Lettering {
    let large = Lettering {
        color: if large.color == Color32::PLACEHOLDER { small.color } else { large.color },
        ..large
    };
    if super::text::width_of(ui, words, large) <= width { large } else { small }
}
