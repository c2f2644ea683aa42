//! What the answers ask for: materials by what is to be done with them, and the steps of a bundle: whose they are, in
//! which order, what goes side by side, how long all of it takes.
//!
//! What this terminal cannot take yet is said here as plainly as on the guide, with the nearest way.
use std::ops::Range;

use domain::catalogue::Entry;
use domain::situation::{ActiveStep, Resolution};
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::screens::entry::{department_name, period};
use crate::screens::heading::heading_ui;
use crate::screens::materials::groups;
use crate::screens::refusal;
use crate::theme::radius;
use crate::widgets::shape::well;
use crate::widgets::{
    Cx, Footer, Lettering, Pages, at, card, frame, height_of, icon, pager, parts, rule, text,
};

/// From this width on two cards stand beside each other.
const TWO_COLUMNS: f32 = 1_300.0;
/// Share of the first of them.
const FIRST_COLUMN: f32 = 0.6;
/// Gap between them.
const COLUMN_GAP: f32 = 24.0;

/// What stands before a line.
enum Mark {
    Icon(&'static str),
    Number(String),
}

/// A line: bold words and a small line.
struct Line {
    mark: Mark,
    words: String,
    hint: String,
}

/// A card with a heading.
struct Block {
    heading: String,
    lines: Vec<Line>,
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let refused = model.session.as_ref().map(|s| s.situation.refused.as_slice()).unwrap_or_default();
    let footer = match refused {
        [] => Footer::go(cx.t("form.go_on"), Command::Continue),
        _ => Footer::say(cx.t("guide.unavailable.short")),
    };
    let code = model.session.as_ref().and_then(|session| session.item.as_ref());
    let found = code.and_then(|code| Some((model.catalogue.entry(code)?, model.resolution(code)?)));
    let refused = (!refused.is_empty()).then(|| refusal::needs_capture(cx, refused));
    frame(ui, cx, footer, |ui, cx, content| {
        if let Some((entry, resolution)) = found {
            page_ui(ui, cx, content, (entry, &resolution, refused));
        }
    });
}

fn page_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    content: Rect,
    (entry, resolution, refused): (Entry<'_>, &Resolution<'_>, Option<String>),
) {
    let key = match entry {
        Entry::Item(_) => "situation.needs",
        Entry::Bundle(_) => "situation.needs_bundle",
    };
    let caption = cx.tf("situation.needs_caption", &[("item", cx.say(entry.title()))]);
    let top = heading_ui(ui, cx, content, &caption, cx.t(key));
    let mut place = Rect::from_min_max(pos2(content.left(), top), content.max - vec2(0.0, 24.0));
    let mut blocks = Vec::new();
    match refused {
        // In the large version it is a page of its own.
        Some(words) if cx.elder() => blocks.push(refused_block(cx, words)),
        Some(words) => place = refused_ui(ui, cx, place, &words),
        None => {}
    }
    if let Entry::Bundle(bundle) = entry {
        blocks.push(steps_block(cx, resolution, &period(cx, bundle.promised)));
    }
    blocks.push(materials_block(cx, resolution));
    blocks_ui(ui, cx, place, &blocks);
}

fn refused_block(cx: &Cx<'_>, words: String) -> Block {
    let line = Line { mark: Mark::Icon("warn"), words, hint: String::new() };
    Block { heading: cx.t("guide.unavailable.title").to_owned(), lines: vec![line] }
}

/// A strip below; gives what is left above it.
fn refused_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, words: &str) -> Rect {
    let colors = &cx.theme.colors;
    let letters = cx.body().color(colors.ink).middle();
    let width = place.width() - 136.0;
    let height = height_of(ui, words, letters, width) + 24.0;
    let strip = at(place.left(), place.bottom() - height, place.width(), height);
    well(ui, cx, strip, radius::BUTTON, colors.warn50);
    icon(ui, cx, at(strip.left() + 32.0, strip.center().y - 24.0, 48.0, 48.0), "warn", colors.warn);
    text(ui, cx, at(strip.left() + 104.0, strip.top(), width, height), words, letters);
    place.with_max_y(strip.top() - 16.0)
}

fn materials_block(cx: &Cx<'_>, resolution: &Resolution<'_>) -> Block {
    let mut lines: Vec<Line> = groups(&resolution.materials)
        .iter()
        .map(|group| Line { mark: Mark::Icon(group.icon), words: group.words(cx), hint: group.hint(cx) })
        .collect();
    if !lines.iter().any(|line| matches!(line.mark, Mark::Icon("folder"))) {
        let words = cx.t("guide.no_bring").to_owned();
        lines.insert(0, Line { mark: Mark::Icon("folder"), words, hint: String::new() });
    }
    Block { heading: cx.t("situation.materials").to_owned(), lines }
}

fn steps_block(cx: &Cx<'_>, resolution: &Resolution<'_>, all: &str) -> Block {
    let stages = resolution.stages();
    let lines = stages.iter().enumerate().map(|(n, steps)| stage_line(cx, n, steps)).collect();
    Block { heading: cx.tf("situation.steps", &[("period", all)]), lines }
}

/// A stage: its steps, then whose they are and how long each takes as far as that is known.
fn stage_line(cx: &Cx<'_>, n: usize, steps: &[&ActiveStep<'_>]) -> Line {
    let names: Vec<&str> = steps.iter().map(|active| cx.say(&active.step.name)).collect();
    let mut who: Vec<String> = Vec::new();
    for active in steps {
        let unit = department_name(cx, active.step.department.as_str());
        let item = active.step.item.as_ref().and_then(|code| cx.model.catalogue.items.get(code));
        let said = item.map_or(unit.clone(), |item| format!("{unit} {}", period(cx, item.promised)));
        if !who.contains(&said) {
            who.push(said);
        }
    }
    let who = who.join(cx.t("guide.separator"));
    let hint = if steps.len() > 1 { cx.tf("situation.side_by_side", &[("who", &who)]) } else { who };
    Line { mark: Mark::Number((n + 1).to_string()), words: names.join(cx.t("guide.separator")), hint }
}

/// The cards beside each other where they fit, else one after another on pages.
fn blocks_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, blocks: &[Block]) {
    if let [first, second] = blocks
        && !cx.elder()
        && place.width() >= TWO_COLUMNS
    {
        let middle = place.left() + place.width() * FIRST_COLUMN;
        let left = place.with_max_x(middle - COLUMN_GAP / 2.0);
        let right = place.with_min_x(middle + COLUMN_GAP / 2.0);
        let whole = |ui: &Ui, block: &Block, place: Rect| split(ui, cx, block, place).len() == 1;
        if whole(ui, first, left) && whole(ui, second, right) {
            card_ui(ui, cx, left, (&first.heading, &first.lines));
            card_ui(ui, cx, right, (&second.heading, &second.lines));
            return;
        }
    }
    let cards = |ui: &Ui, cx: &Cx<'_>, place: Rect| -> Vec<(usize, Range<usize>)> {
        let all = blocks.iter().enumerate();
        all.flat_map(|(n, block)| split(ui, cx, block, place).into_iter().map(move |part| (n, part)))
            .collect()
    };
    let mut room = place;
    let mut all = cards(ui, cx, room);
    if all.len() > 1 {
        room = place.with_max_y(place.bottom() - cx.theme.metrics.target - 16.0);
        all = cards(ui, cx, room);
    }
    let pages = Pages::new(all.len(), 1, cx.model.list_page);
    for (n, part) in all[pages.shown()].iter().cloned() {
        let block = &blocks[n];
        card_ui(ui, cx, room, (&block.heading, &block.lines[part]));
    }
    let below = Rect::from_min_max(pos2(place.left(), room.bottom() + 16.0), place.max);
    pager(ui, cx, below, pages, Command::ShowPage);
}

/// Which lines of a block stand on which card of this size.
fn split(ui: &Ui, cx: &Cx<'_>, block: &Block, place: Rect) -> Vec<Range<usize>> {
    let heights: Vec<f32> = block.lines.iter().map(|line| height(ui, cx, line, place.width())).collect();
    parts(&heights, place.height() - heading_height(cx) - 2.0 * pad(cx))
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
fn card_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (heading, lines): (&str, &[Line])) {
    let heights: Vec<f32> = lines.iter().map(|line| height(ui, cx, line, place.width())).collect();
    let title = heading_height(cx);
    let rect = at(
        place.left(),
        place.top(),
        place.width(),
        (title + heights.iter().sum::<f32>() + 2.0 * pad(cx)).min(place.height()),
    );
    card(ui, cx, rect, radius::CARD);
    let inner = rect.shrink2(vec2(side_pad(cx), pad(cx)));
    let letters = if cx.elder() { cx.strong() } else { cx.h2().sized(30.0, 44.0) };
    text(ui, cx, at(inner.left(), inner.top(), inner.width(), title), heading, letters.middle());
    let mut top = inner.top() + title;
    for (line, height) in lines.iter().zip(heights) {
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
