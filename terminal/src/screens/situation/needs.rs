//! What the answers ask for: materials by what is to be done with them, and the steps of a bundle: whose they are, in
//! which order, what goes side by side, how long all of it takes.
//!
//! What this terminal cannot take yet is said here as plainly as on the guide, with the nearest way.
use domain::catalogue::Entry;
use domain::situation::{ActiveStep, Resolution};
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::screens::blocks::{Block, Line, Mark, blocks_ui};
use crate::screens::entry::{department_name, period};
use crate::screens::heading::heading_ui;
use crate::screens::materials::groups;
use crate::screens::refusal;
use crate::theme::radius;
use crate::widgets::shape::well;
use crate::widgets::{Cx, Footer, at, frame, height_of, icon, text};

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
    blocks_ui(ui, cx, place, (&blocks, 1), 0);
}

fn refused_block(cx: &Cx<'_>, words: String) -> Block {
    let lines = vec![Line::plain("warn", words)];
    Block { heading: cx.t("guide.unavailable.title").to_owned(), lines }
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
        lines.insert(0, Line::plain("folder", words));
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
