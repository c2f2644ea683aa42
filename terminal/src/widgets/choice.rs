//! Choices of an enum as rows with a round mark: tapping selects, and never goes on by itself.
//!
//! Refuses to scroll: a long list has pages with arrows.
use egui::{Rect, Stroke, Ui, pos2, vec2};

use super::button::{check_box, target};
use super::pager::{Pages, pager};
use super::shape::{fill, focus_ring, icon, outline_rect};
use super::text::{height_of, text, width_of};
use super::{Cx, at};
use crate::command::Command;
use crate::theme::radius;

/// One choice.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Value that is stored.
    pub value: &'a str,
    /// Words.
    pub label: &'a str,
}

/// Which choices are on.
#[derive(Debug, Clone, Copy)]
pub struct Picked<'a> {
    /// Their values.
    pub values: &'a [&'a str],
    /// Several may be on at once: square marks instead of round ones.
    pub several: bool,
}

/// What was tapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tapped {
    /// The choice at this index.
    Choice(usize),
    /// Another page of the list.
    Page(usize),
}

/// How choices are laid out in a width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Columns.
    pub columns: usize,
    /// Height of a row.
    pub row: f32,
    /// Gap in both directions.
    pub gap: f32,
    /// The most choices on a page.
    pub most: usize,
}

/// Columns and row height for these choices; `roomy` is for pages that hold nothing else.
pub fn grid(ui: &Ui, cx: &Cx<'_>, rows: &[Row<'_>], width: f32, roomy: bool) -> Grid {
    let gap = cx.theme.pick(12.0, if roomy { 24.0 } else { 20.0 });
    let letters = if cx.elder() { cx.title() } else { cx.strong() };
    let widest = rows.iter().map(|row| width_of(ui, row.label, letters)).fold(0.0, f32::max);
    let half = (width - gap) / 2.0;
    let few = roomy && rows.len() <= cx.theme.pick(6, 4);
    let columns = if !few && rows.len() > 1 && widest + mark_room(cx) <= half { 2 } else { 1 };
    let row = if roomy { cx.theme.pick(96.0, 128.0) } else { cx.theme.metrics.target };
    let column = if columns == 2 { half } else { width };
    let wrapped = if widest + mark_room(cx) > column { letters.style.line } else { 0.0 };
    // Elders see at most four at a time.
    let most = if cx.elder() { 4 } else { usize::MAX };
    Grid { columns, row: row + wrapped * 0.6, gap, most }
}

/// Height of all choices, or of a page of them.
#[allow(clippy::cast_precision_loss)] // a few dozen rows
pub fn height(cx: &Cx<'_>, count: usize, grid: Grid) -> f32 {
    let rows = count.min(grid.most).div_ceil(grid.columns).max(1) as f32;
    let arrows = if count > grid.most { cx.theme.metrics.target + grid.gap } else { 0.0 };
    rows * grid.row + (rows - 1.0) * grid.gap + arrows
}

/// Draws the choices, of which one may be on; what does not fit comes on further pages.
pub fn choices(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    (rows, selected): (&[Row<'_>], &str),
    pages: (Grid, Option<usize>),
) -> Option<Tapped> {
    pick(ui, cx, rect, (rows, Picked { values: &[selected], several: false }), pages)
}

/// Draws the choices, of which one or several may be on; what does not fit comes on further pages.
pub fn pick(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    (rows, picked): (&[Row<'_>], Picked<'_>),
    (grid, page): (Grid, Option<usize>),
) -> Option<Tapped> {
    let grid = squeezed(cx, rows.len(), grid, rect.height());
    let is_on = |row: &Row<'_>| picked.values.contains(&row.value);
    let chosen = rows.iter().position(is_on).unwrap_or(0);
    let first = pages(cx, rows.len(), grid, rect.height(), 0);
    let pages = Pages::new(rows.len(), first.per_page, page.unwrap_or(chosen / first.per_page));
    let column = (rect.width() - grid.gap) / 2.0;
    let mut tapped = None;
    for (place, index) in pages.shown().enumerate() {
        let (line, side) = (place / grid.columns, place % grid.columns);
        let width = if grid.columns == 2 { column } else { rect.width() };
        #[allow(clippy::cast_precision_loss)] // a few dozen rows
        let offset = vec2(side as f32 * (column + grid.gap), line as f32 * (grid.row + grid.gap));
        let cell = Rect::from_min_size(rect.min + offset, vec2(width, grid.row));
        let row = &rows[index];
        if row_ui(ui, cx, cell, row.label, (is_on(row), picked.several)) {
            tapped = Some(Tapped::Choice(index));
        }
    }
    let target = cx.theme.metrics.target;
    let below = Rect::from_min_max(pos2(rect.left(), rect.bottom() - target), rect.max);
    tapped.or_else(|| turned(ui, cx, below, pages).map(Tapped::Page))
}

/// The pager, for lists whose page does not live in the model; gives the page that was asked for.
pub fn turned(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, pages: Pages) -> Option<usize> {
    let mut out = Vec::new();
    let mut inner = Cx { model: cx.model, kit: cx.kit, theme: cx.theme, out: &mut out };
    pager(ui, &mut inner, place, pages, Command::ShowPage);
    out.into_iter().find_map(|command| if let Command::ShowPage(page) = command { Some(page) } else { None })
}

/// A full-width row with a round or square mark; gives whether it was tapped.
fn row_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, label: &str, (on, several): (bool, bool)) -> bool {
    let colors = &cx.theme.colors;
    let response = if several { check_box(ui, rect, label, on) } else { target(ui, rect, label, Some(on)) };
    let (ground, stroke) = match on || response.is_pointer_button_down_on() {
        true => (colors.brand50, Stroke::new(4.0, colors.brand600)),
        false => (colors.surface, Stroke::new(2.0, colors.border)),
    };
    fill(ui.painter(), rect, radius::BUTTON, ground);
    outline_rect(ui.painter(), rect, radius::BUTTON, stroke);
    let side = mark_side(cx);
    let mark = at(rect.left() + cx.theme.pick(24.0, 36.0), rect.center().y - side / 2.0, side, side);
    let corner = if several { radius::BADGE } else { radius::PILL };
    if on {
        fill(ui.painter(), mark, corner, colors.brand700);
        icon(ui, cx, mark.shrink(side * 0.18), "check", colors.on_brand);
    } else {
        outline_rect(ui.painter(), mark.shrink(0.5), corner, Stroke::new(3.0, colors.border));
    }
    let letters = if cx.elder() { cx.title() } else { cx.strong() }.quiet();
    let words = Rect::from_min_max(
        pos2(mark.right() + mark_gap(cx), rect.top()),
        pos2(rect.right() - 12.0, rect.bottom()),
    );
    let letters = if height_of(ui, label, letters, words.width()) > rect.height() {
        cx.body().quiet()
    } else {
        letters
    };
    text(ui, cx, words, label, letters.color(colors.ink).middle().data());
    if response.has_focus() {
        focus_ring(ui, cx, rect, radius::BUTTON);
    }
    response.clicked()
}

/// Lower rows, down to a target, where that saves a page.
fn squeezed(cx: &Cx<'_>, count: usize, grid: Grid, height: f32) -> Grid {
    #[allow(clippy::cast_precision_loss)] // a screen has a few rows
    let lines = count.min(grid.most).div_ceil(grid.columns).max(1) as f32;
    let fits = (height - (lines - 1.0) * grid.gap) / lines;
    if fits < grid.row && fits >= cx.theme.metrics.target && count <= grid.most {
        Grid { row: fits, ..grid }
    } else {
        grid
    }
}

fn pages(cx: &Cx<'_>, count: usize, grid: Grid, height: f32, page: usize) -> Pages {
    let fit = |height: f32| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few rows
        let lines = ((height + grid.gap + 1.0) / (grid.row + grid.gap)).floor().max(1.0) as usize;
        lines * grid.columns
    };
    let all = fit(height);
    let one = count <= all && count <= grid.most;
    let per_page = if one { all } else { fit(height - cx.theme.metrics.target - grid.gap).min(grid.most) };
    Pages::new(count, per_page, page)
}

fn mark_side(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(44.0, 60.0)
}

fn mark_gap(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(20.0, 32.0)
}

/// Width of a row that is not for words.
fn mark_room(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(24.0, 36.0) + mark_side(cx) + mark_gap(cx) + 14.0
}
