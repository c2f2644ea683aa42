//! Tiles and rows: one item, bundle or way to look, the whole surface being the target.
//!
//! The accessible name says everything that stands on it. Refuses more than one action.
use egui::{Rect, Response, Stroke, Ui, pos2, vec2};

use super::badge::{Badge, badges};
use super::button::target;
use super::shape::{card, fill, focus_ring, icon, icon_block, outline_rect};
use super::text::{Lettering, height_of, text, width_of};
use super::{Cx, at};
use crate::theme::radius;

/// From this height on a tile has room for more lines.
const LARGE_TILE: f32 = 220.0;

/// What stands on a tile or row.
#[derive(Debug, Clone, Default)]
pub struct Tile<'a> {
    /// Icon name.
    pub icon: &'a str,
    /// In a row, a number on a disc in place of the icon: the same as on a map.
    pub number: Option<usize>,
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
    let sizes = [cx.title(), cx.strong(), cx.strong().sized(24.0, 32.0)];
    let one_line = |letters: &Lettering| width_of(ui, look.title, *letters) <= words.width();
    let found = sizes.into_iter().find(one_line);
    let height = if found.is_some() { 46.0 } else { 64.0 };
    let title = found.unwrap_or(sizes[2]).middle().quiet();
    text(ui, cx, Rect::from_min_size(words.min, vec2(words.width(), height)), look.title, title);
    text(ui, cx, at(left, words.top() + height, words.width(), 32.0), look.meta, cx.small().quiet());
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
    match look.number {
        Some(number) => number_disc(ui, cx, block.shrink(4.0), number),
        None => icon_block(ui, cx, block, look.icon, cx.theme.metrics.row_icon),
    }
    let right = chevron(ui, cx, rect, cx.theme.pick(28.0, 44.0));
    let words_left = block.right() + 16.0;
    let title = row_sizes(cx)[0];
    let wanted = width_of(ui, look.title, title).max(width_of(ui, look.meta, meta_sizes(cx)[0]));
    // The name says all badges; only the first must be seen where there is no room for more.
    let mut shown = look.badges.as_slice();
    let taken = |shown: &[Badge]| shown.iter().map(|badge| badge.width(ui, cx) + 8.0).sum::<f32>();
    while let [rest @ .., _] = shown
        && !rest.is_empty()
        && right - taken(shown) - 12.0 - words_left < wanted
    {
        shown = rest;
    }
    let width = taken(shown);
    let height = cx.theme.metrics.badge;
    badges(ui, cx, at(right - width, rect.center().y - height / 2.0, width, height), shown);
    let words = Rect::from_min_max(pos2(words_left, rect.top()), pos2(right - width - 12.0, rect.bottom()));
    title_and_meta(ui, cx, words, (look, &row_sizes(cx)));
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
    let ink = colors.ink;
    let sizes = [cx.strong(), cx.body().bold().color(ink), cx.body().bold().color(ink).sized(24.0, 32.0)];
    title_and_meta(ui, cx, words, (look, &sizes));
    if response.has_focus() {
        focus_ring(ui, cx, rect, radius::CARD);
    }
    response
}

/// A number on a disc.
pub fn number_disc(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, number: usize) {
    let colors = &cx.theme.colors;
    ui.painter().circle_filled(rect.center(), rect.width() / 2.0, colors.brand700);
    let size = rect.height() * 0.5;
    let letters = cx.strong().sized(size, size * 1.3).color(colors.on_brand).center().quiet();
    text(ui, cx, rect, &number.to_string(), letters);
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
    title_and_meta(ui, cx, words, (look, &row_sizes(cx)));
}

/// Title and meta line in the middle of the place: the largest lettering with which the title fits on one line or,
/// if there is room for it, on two.
fn title_and_meta(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (look, sizes): (&Tile<'_>, &[Lettering])) {
    let high = |letters: Lettering| height_of(ui, look.meta, letters, place.width());
    let metas = meta_sizes(cx);
    // A large tile has room for two lines of meta, any other one beside the smallest title on one line.
    let least = sizes.last().map_or(0.0, |title| height_of(ui, look.title, *title, place.width()));
    let two =
        |l: Lettering| place.height() > LARGE_TILE || least + 2.0 * l.style.line <= place.height() - 8.0;
    let most = if two(metas[1]) { 2.0 } else { 1.0 };
    let on_one = metas.into_iter().find(|l| high(*l) <= l.style.line + 1.0);
    let fitting =
        on_one.or_else(|| metas.into_iter().find(|l| two(*l) && high(*l) <= 2.0 * l.style.line + 1.0));
    // A meta line that would be cut is left to the tile's name.
    let (meta, meta_words) = fitting.map_or((metas[1], ""), |meta| (meta, look.meta));
    let meta_height = if meta_words.is_empty() { 0.0 } else { high(meta).min(most * meta.style.line) };
    let room = place.height() - 8.0 - meta_height;
    let fits = |letters: &&Lettering| {
        let height = height_of(ui, look.title, **letters, place.width());
        height <= 2.0 * letters.style.line + 1.0 && height <= room + 1.0
    };
    let Some(title) = sizes.iter().find(fits).or(sizes.last()) else { return };
    let mut title = title.quiet();
    let height = height_of(ui, look.title, title, place.width()).min(room.max(title.style.line));
    if let Some((from, to)) = look.matched {
        title = title.underlined(from, to, cx.theme.colors.brand600);
    }
    let top = place.center().y - (height + meta_height) / 2.0;
    text(ui, cx, at(place.left(), top, place.width(), height), look.title, title);
    text(ui, cx, at(place.left(), top + height, place.width(), meta_height.max(1.0)), meta_words, meta);
}

/// Letterings of a row's or large tile's title, largest first.
fn row_sizes(cx: &Cx<'_>) -> [Lettering; 3] {
    if cx.elder() {
        return [cx.title(), cx.strong(), cx.strong().sized(36.0, 44.0)];
    }
    [cx.title().sized(28.0, 38.0), cx.title().sized(26.0, 36.0), cx.title().sized(24.0, 34.0)]
}

/// Letterings of a meta line, larger first.
fn meta_sizes(cx: &Cx<'_>) -> [Lettering; 2] {
    let small = cx.small().quiet();
    if cx.elder() { [cx.body().quiet(), small] } else { [small, small] }
}

/// The chevron at the right; gives its left end.
fn chevron(ui: &Ui, cx: &Cx<'_>, rect: Rect, side: f32) -> f32 {
    let left = rect.right() - cx.theme.pick(20.0, 40.0) - side;
    let place = at(left, rect.center().y - side / 2.0, side, side);
    icon(ui, cx, place, "chev", cx.theme.colors.brand600);
    left - cx.theme.pick(12.0, 20.0)
}
