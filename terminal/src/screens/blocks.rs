//! Cards with a heading and lines: beside each other where they fit, else below each other on pages.
//!
//! Refuses scrolling, and to know what the lines tell.
use std::ops::Range;

use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::theme::radius;
use crate::widgets::{Cx, Lettering, Pages, at, card, height_of, icon, pager, parts, rule, text};

/// From this width on two columns of cards stand beside each other.
const TWO_COLUMNS: f32 = 1_300.0;
/// Share of the first of them.
const FIRST_COLUMN: f32 = 0.6;
/// Gap between cards.
const GAP: f32 = 24.0;

/// What stands before a line.
pub enum Mark {
    /// An icon.
    Icon(&'static str),
    /// A number on a disc.
    Number(String),
}

/// A line: bold words and a small line, which may be empty.
pub struct Line {
    /// What stands before it.
    pub mark: Mark,
    /// Bold words.
    pub words: String,
    /// Small line.
    pub hint: String,
}

impl Line {
    /// A line with an icon and no small line.
    pub fn plain(icon: &'static str, words: String) -> Self {
        Self { mark: Mark::Icon(icon), words, hint: String::new() }
    }
}

/// A card with a heading.
pub struct Block {
    /// Its heading.
    pub heading: String,
    /// Its lines, at least one.
    pub lines: Vec<Line>,
}

/// A part of a block on a page: which block, which of its lines, how high.
type Part = (usize, Range<usize>, f32);

/// Draws blocks. The first `left` of them stand in the left one of two columns where that shows all at once; otherwise
/// they stand below each other, on as many pages as they need. `before` pages of the screen come before them.
pub fn blocks_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (blocks, left): (&[Block], usize),
    before: usize,
) {
    let paged = place.with_max_y(place.bottom() - cx.theme.metrics.target - 16.0);
    let room = if before > 0 { paged } else { place };
    let mut shown = beside(ui, cx, room, (blocks, left));
    let mut all = 1;
    if shown.is_none() {
        let mut pages = pages_of(ui, cx, room, blocks);
        if pages.len() > 1 {
            pages = pages_of(ui, cx, paged, blocks);
        }
        all = pages.len();
        let page = cx.model.list_page.saturating_sub(before).min(all.saturating_sub(1));
        shown = pages.into_iter().nth(page);
    }
    for (card, (block, lines)) in shown.unwrap_or_default() {
        card_ui(ui, cx, card, (&blocks[block].heading, &blocks[block].lines[lines]));
    }
    let below = Rect::from_min_max(pos2(place.left(), paged.bottom() + 16.0), place.max);
    pager(ui, cx, below, Pages::new(before + all, 1, cx.model.list_page), Command::ShowPage);
}

/// Where a card stands, and which lines of which block it has.
type Placed = (Rect, (usize, Range<usize>));

/// Two columns, if the page is wide and everything fits into them.
fn beside(ui: &Ui, cx: &Cx<'_>, room: Rect, (blocks, left): (&[Block], usize)) -> Option<Vec<Placed>> {
    if cx.elder() || room.width() < TWO_COLUMNS || left == 0 || left >= blocks.len() {
        return None;
    }
    let middle = room.left() + room.width() * FIRST_COLUMN;
    let columns = [
        (0..left, room.with_max_x(middle - GAP / 2.0)),
        (left..blocks.len(), room.with_min_x(middle + GAP / 2.0)),
    ];
    let mut placed = Vec::new();
    for (range, column) in columns {
        let whole = range.map(|n| {
            let lines = 0..blocks[n].lines.len();
            (n, lines.clone(), card_height(ui, cx, &blocks[n].lines[lines], column.width()))
        });
        let stacked = stack(whole.collect(), column);
        placed.extend((stacked.len() == 1).then(|| stacked.into_iter().flatten())?);
    }
    Some(placed)
}

fn pages_of(ui: &Ui, cx: &Cx<'_>, room: Rect, blocks: &[Block]) -> Vec<Vec<Placed>> {
    let mut all: Vec<Part> = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        let heights: Vec<f32> = block.lines.iter().map(|line| height(ui, cx, line, room.width())).collect();
        for lines in parts(&heights, room.height() - heading_height(cx) - 2.0 * pad(cx)) {
            let high = card_height(ui, cx, &block.lines[lines.clone()], room.width());
            all.push((n, lines, high));
        }
    }
    stack(all, room)
}

/// Cards below each other, as many on a page as fit.
fn stack(parts_of_blocks: Vec<Part>, room: Rect) -> Vec<Vec<Placed>> {
    let heights: Vec<f32> = parts_of_blocks.iter().map(|(_, _, high)| high + GAP).collect();
    let pages = parts(&heights, room.height() + GAP);
    let page = |range: Range<usize>| {
        let mut top = room.top();
        let place = |(block, lines, high): &Part| {
            let card = at(room.left(), top, room.width(), high.min(room.height()));
            top = card.bottom() + GAP;
            (card, (*block, lines.clone()))
        };
        parts_of_blocks[range].iter().map(place).collect()
    };
    pages.into_iter().map(page).collect()
}

/// Space around and between the lines of a card.
fn pad(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(12.0, 10.0)
}

fn heading_height(cx: &Cx<'_>) -> f32 {
    cx.h2().style.line.min(56.0) + 8.0
}

fn side_pad(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(36.0, 32.0)
}

fn indent(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(64.0, 84.0)
}

fn bold(cx: &Cx<'_>) -> Lettering {
    if cx.elder() { cx.strong() } else { cx.body().bold().color(cx.theme.colors.ink) }
}

/// Height of a line on a card of this width.
fn height(ui: &Ui, cx: &Cx<'_>, line: &Line, width: f32) -> f32 {
    let width = width - 2.0 * side_pad(cx) - indent(cx);
    let hint = if line.hint.is_empty() { 0.0 } else { height_of(ui, &line.hint, cx.small(), width) };
    height_of(ui, &line.words, bold(cx), width) + hint + 2.0 * pad(cx)
}

/// A card that is as high as its lines need.
fn card_height(ui: &Ui, cx: &Cx<'_>, lines: &[Line], width: f32) -> f32 {
    let lines: f32 = lines.iter().map(|line| height(ui, cx, line, width)).sum();
    heading_height(cx) + lines + 2.0 * pad(cx)
}

fn card_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (heading, lines): (&str, &[Line])) {
    card(ui, cx, rect, radius::CARD);
    let title = heading_height(cx);
    let inner = rect.shrink2(vec2(side_pad(cx), pad(cx)));
    let letters = if cx.elder() { cx.strong() } else { cx.h2().sized(30.0, 44.0) };
    text(ui, cx, at(inner.left(), inner.top(), inner.width(), title), heading, letters.middle());
    let mut top = inner.top() + title;
    for line in lines {
        let height = height(ui, cx, line, rect.width());
        rule(ui, cx, inner.left(), inner.right(), top);
        line_ui(ui, cx, at(inner.left(), top, inner.width(), height), line);
        top += height;
    }
}

fn line_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, line: &Line) {
    let colors = &cx.theme.colors;
    let side = cx.theme.pick(44.0, 60.0);
    let mark = at(rect.left(), rect.center().y - side / 2.0, side, side);
    match &line.mark {
        Mark::Icon(name) => icon(ui, cx, mark.shrink(2.0), name, colors.brand600),
        Mark::Number(number) => {
            ui.painter().circle_filled(mark.center(), side / 2.0, colors.brand700);
            text(ui, cx, mark, number, cx.strong().color(colors.on_brand).center().quiet());
        }
    }
    let words = Rect::from_min_max(pos2(rect.left() + indent(cx), rect.top() + pad(cx)), rect.max);
    let filled = text(ui, cx, words, &line.words, bold(cx));
    text(ui, cx, words.with_min_y(filled.bottom()), &line.hint, cx.small());
}
