//! The guide of an item or bundle: how long, what to bring, what happens afterwards, and whether it can be begun. The
//! steps, frequent mistakes and what it stands on are on the pages after it.
//!
//! An item that cannot be begun says so here, before anything is typed, with the nearest way.
mod details;
mod top;

use std::sync::Arc;

use domain::catalogue::Entry;
use domain::ids::ItemCode;
use domain::item::{AcceptedCard, OfflineMode};
use domain::text::Text;
use egui::{Rect, Ui, pos2, vec2};

use super::caveat;
use super::materials::groups;
use super::refusal;
use crate::command::Command;
use crate::model::Unavailable;
use crate::theme::radius;
use crate::widgets::shape::{large_card, rule, well};
use crate::widgets::{
    Action, Button, Cx, Footer, Lettering, at, best_fit, frame, height_of, icon, press, text,
};

/// A narrower page is that of an upright panel: what stands beside each other elsewhere stands below each other there.
const ONE_COLUMN: f32 = 1_300.0;

/// Draws the guide.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, code: &ItemCode) {
    let catalogue = Arc::clone(&cx.model.catalogue);
    let Some(entry) = catalogue.entry(code) else {
        return frame(ui, cx, Footer::default(), |ui, cx, room| {
            text(ui, cx, room.shrink(40.0), cx.t("guide.missing"), cx.body());
        });
    };
    let refused = cx.model.can_begin(code).err();
    let footer = match refused {
        None => Footer { action: Some(Action::go(cx.t("guide.begin"), Command::Begin)), ..Footer::default() },
        Some(Unavailable::FieldType(_)) if cx.model.tells_what_to_prepare(code) => {
            let (label, command) = (cx.t("guide.prepare"), Command::Begin);
            Footer {
                action: Some(Action { filled: false, ..Action::go(label, command) }),
                ..Footer::default()
            }
        }
        Some(Unavailable::Withdrawn) => Footer::say(cx.t("guide.unavailable.short")),
        Some(_) => Footer {
            action: Some(Action {
                label: cx.t("guide.elsewhere"),
                icon: "pin",
                command: Command::OpenStations(Some(code.clone())),
                filled: true,
            }),
            ..Footer::default()
        },
    };
    frame(ui, cx, footer, |ui, cx, room| {
        if cx.model.list_page > 0 {
            return details::show(ui, cx, room, entry);
        }
        let below = top::heading_ui(ui, cx, room, entry);
        let below = top::facts_ui(ui, cx, below, entry);
        let notes = if below.width() < ONE_COLUMN { 2.0 * cx.small().style.line + 16.0 } else { 0.0 };
        let bottom = below.bottom() - cx.theme.pick(64.0_f32, 56.0).max(notes);
        let (who, other) = panes(cx, below.with_max_y(bottom));
        who_ui(ui, cx, who, entry);
        match refused {
            Some(why) => refused_ui(ui, cx, other, entry, why),
            None => after_ui(ui, cx, other, entry),
        }
        let place = Rect::from_min_max(pos2(below.left(), bottom), below.max);
        match caveat::note(cx, code) {
            Some(note) => text(ui, cx, place, &note, cx.small().bold().color(cx.theme.colors.warn).middle()),
            None => {
                let notice = cx.say(&catalogue.notice);
                text(ui, cx, place, notice, cx.small().color(cx.theme.colors.ink3).middle())
            }
        };
    });
}

/// The two cards: beside each other, or below each other on an upright page.
fn panes(cx: &Cx<'_>, room: Rect) -> (Rect, Rect) {
    let gap = 24.0;
    if room.width() < ONE_COLUMN {
        let middle = room.top() + room.height() * 0.54;
        return (room.with_max_y(middle), room.with_min_y(middle + gap));
    }
    let wide = if cx.elder() { room.width() * 0.52 } else { 968.0 };
    let left = room.with_max_x(room.left() + wide);
    (left, room.with_min_x(left.right() + gap))
}

/// Who can apply, and the materials by what is to be done with them: as far as the questions were answered.
fn who_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) {
    large_card(ui, cx, room);
    let inner = room.shrink2(vec2(cx.theme.pick(40.0, 28.0), cx.theme.pick(32.0, 20.0)));
    let guide = entry.guide();
    let who: Vec<&str> = guide.who.iter().map(|t: &Text| cx.say(t)).collect();
    let first = who.first().copied().unwrap_or_default();
    let others = who.get(1..).unwrap_or_default().join(" · ");
    let under = if others.is_empty() { proxy(cx, entry).to_owned() } else { others };
    let mut lines = vec![("people", first.to_owned(), under)];
    let needed = cx.model.resolution(entry.code()).unwrap_or_default();
    let groups = groups(&needed.materials);
    let depends = needed.next.is_some() && asks_for_materials(entry);
    if !groups.iter().any(|group| group.key == "bring") {
        let words = if depends { "guide.bring_depends" } else { "guide.no_bring" };
        lines.push(("folder", cx.t(words).to_owned(), String::new()));
    }
    for group in &groups {
        let more = depends && group.key == "bring";
        let hint = if more { cx.t("guide.more_depends").to_owned() } else { group.hint(cx) };
        lines.push((group.icon, group.words(cx), hint));
    }
    let h2 = if cx.elder() { cx.strong() } else { cx.h2() };
    let heading = h2.style.line + 12.0;
    // Without the small lines, then without the heading, where there is no room for them.
    let bare: Vec<Line<'_>> =
        lines.iter().map(|(icon, words, _)| (*icon, words.clone(), String::new())).collect();
    let fits = |lines: &[Line<'_>], bold: Lettering| {
        lines_height(ui, cx, lines, bold, inner.width()) <= inner.height() - heading - 24.0
    };
    let (lines, above) = match (fits(&lines, cx.body().bold()), fits(&bare, smallest(cx))) {
        (true, _) => (lines, heading),
        (false, true) => (bare, heading),
        _ => (bare, 0.0),
    };
    if above > 0.0 {
        text(ui, cx, at(inner.left(), inner.top(), inner.width(), h2.style.line), cx.t("guide.who"), h2);
    }
    lines_ui(ui, cx, inner.with_min_y(inner.top() + above), &lines);
}

/// Some answer to a question of its own asks for a material.
fn asks_for_materials(entry: Entry<'_>) -> bool {
    let mut options = entry.situations().questions.iter().flat_map(|question| &question.options);
    options.any(|option| !option.adds_materials.is_empty())
}

/// Whether somebody else may come for the person.
fn proxy<'a>(cx: &Cx<'a>, entry: Entry<'_>) -> &'a str {
    match entry {
        Entry::Item(item) if !item.accepted_cards.contains(&AcceptedCard::Idcard) => cx.t("guide.no_idcard"),
        Entry::Item(item) if item.proxy_allowed => cx.t("guide.proxy"),
        Entry::Item(_) => cx.t("guide.no_proxy"),
        Entry::Bundle(_) => "",
    }
}

/// Icon, bold words and a small line.
pub(super) type Line<'a> = (&'a str, String, String);

/// What is left of the icon of a line.
const INDENT: f32 = 56.0;

/// The smallest lettering of bold words: a tenth smaller, for the few lists that would not fit otherwise.
fn smallest(cx: &Cx<'_>) -> Lettering {
    let small = cx.small().bold().color(cx.theme.colors.ink);
    small.sized(small.style.size * 0.9, small.style.line * 0.9)
}

/// Heights of the bold words and of the small line.
fn line_heights(
    ui: &Ui,
    cx: &Cx<'_>,
    (_, strong, more): &Line<'_>,
    bold: Lettering,
    width: f32,
) -> (f32, f32) {
    let more = if more.is_empty() { 0.0 } else { height_of(ui, more, cx.small(), width - INDENT) };
    (height_of(ui, strong, bold, width - INDENT), more)
}

fn lines_height(ui: &Ui, cx: &Cx<'_>, lines: &[Line<'_>], bold: Lettering, width: f32) -> f32 {
    lines.iter().map(|line| line_heights(ui, cx, line, bold, width)).map(|(a, b)| a + b).sum()
}

/// Lines below each other: each as high as it needs, in the largest lettering with which all fit.
pub(super) fn lines_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, lines: &[Line<'_>]) {
    let (ink, small) = (cx.theme.colors.ink, cx.small());
    let width = room.width() - INDENT;
    let all = |bold: Lettering| lines_height(ui, cx, lines, bold, room.width());
    let sizes = [cx.strong(), cx.body().bold().color(ink), small.bold().color(ink), smallest(cx)];
    let bold = sizes.into_iter().find(|bold| all(*bold) <= room.height() - 24.0).unwrap_or(sizes[3]);
    let spare = (room.height() - all(bold)).max(0.0) / lines.len() as f32;
    let heights: Vec<(f32, f32)> =
        lines.iter().map(|line| line_heights(ui, cx, line, bold, room.width())).collect();
    let mut top = room.top();
    for ((name, strong, more), (bold_height, more_height)) in lines.iter().zip(heights) {
        let place = at(room.left(), top, room.width(), bold_height + more_height + spare);
        if top > room.top() {
            rule(ui, cx, place.left(), place.right(), place.top());
        }
        icon(ui, cx, at(place.left(), place.center().y - 20.0, 40.0, 40.0), name, cx.theme.colors.brand600);
        let words = at(place.left() + INDENT, top + spare / 2.0, width, bold_height);
        text(ui, cx, words, strong, bold);
        text(ui, cx, at(words.left(), words.bottom(), width, more_height.max(1.0)), more, small);
        top = place.bottom();
    }
}

/// What happens after it was handed in, with or without a network.
fn after_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) {
    large_card(ui, cx, room);
    let inner = room.shrink2(vec2(cx.theme.pick(40.0, 28.0), cx.theme.pick(32.0, 20.0)));
    let (note, after) = (cx.say(&entry.guide().offline_note), super::entry::after(cx, entry));
    let heading = if cx.elder() { cx.strong() } else { cx.h2() };
    let heading_height = heading.style.line + 12.0;
    // With heading and marks where there is room; the two sentences come before both.
    let tall = |letters: Lettering| {
        let height = |words: &str| height_of(ui, words, letters, inner.width());
        height(note) + 12.0 + height(&after)
    };
    let marks_height = cx.theme.pick(166.0, 0.0);
    let ways = [(heading_height, marks_height), (heading_height, 0.0), (0.0, 0.0)];
    let found = ways.into_iter().find_map(|(above, below)| {
        let room = inner.height() - above - below;
        [cx.body(), cx.small()].into_iter().find(|l| tall(*l) <= room + 1.0).map(|l| (above, below, l))
    });
    let (above, below, letters) = found.unwrap_or((0.0, 0.0, cx.small()));
    if above > 0.0 {
        let place = at(inner.left(), inner.top(), inner.width(), heading.style.line);
        text(ui, cx, place, cx.t(heading_key(entry)), heading);
    }
    let room = Rect::from_min_max(inner.min + vec2(0.0, above), inner.max - vec2(0.0, below));
    let filled = text(ui, cx, room, note, letters);
    text(ui, cx, room.with_min_y(filled.bottom() + 12.0), &after, letters);
    if below > 0.0 {
        marks_ui(ui, cx, inner.with_min_y(inner.bottom() - 150.0));
    }
}

fn heading_key(entry: Entry<'_>) -> &'static str {
    match entry {
        Entry::Item(item) => match item.offline_mode {
            OfflineMode::Queue => "guide.offline",
            OfflineMode::Online => "guide.online",
            OfflineMode::Tentative => "guide.tentative",
        },
        Entry::Bundle(_) => "guide.offline",
    }
}

/// The marks to come, all waiting.
fn marks_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect) {
    let marks = [
        ("saved", "guide.saved", "guide.saved_when"),
        ("center", "guide.delivered", "guide.delivered_when"),
        ("stamp", "guide.accepted", "guide.accepted_when"),
    ];
    let width = room.width() / 3.0;
    let stroke = egui::Stroke::new(3.0, cx.theme.colors.border);
    for (n, (name, key, when)) in marks.into_iter().enumerate() {
        let center = pos2(room.left() + (n as f32 + 0.5) * width, room.top() + 34.0);
        let disc = Rect::from_center_size(center, vec2(62.0, 62.0));
        crate::widgets::shape::dashed_circle(ui, disc, stroke);
        icon(ui, cx, disc.shrink(15.0), name, cx.theme.colors.ink2);
        if n > 0 {
            let from = pos2(center.x - width + 44.0, center.y);
            let line = [from, pos2(center.x - 44.0, center.y)];
            ui.painter().extend(egui::Shape::dashed_line(&line, stroke, 8.0, 6.0));
        }
        let words = at(center.x - width / 2.0, disc.bottom() + 8.0, width, 40.0);
        text(ui, cx, words, cx.t(key), cx.strong().centered_across());
        text(ui, cx, at(words.left(), words.bottom(), width, 32.0), cx.t(when), cx.small().centered_across());
    }
}

fn refused_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>, why: Unavailable) {
    let code = entry.code();
    well(ui, cx, room, radius::CARD, cx.theme.colors.warn50);
    let inner = room.shrink2(vec2(cx.theme.pick(40.0, 28.0), cx.theme.pick(32.0, 20.0)));
    let h2 = cx.h2().color(cx.theme.colors.warn);
    let filled = text(
        ui,
        cx,
        at(inner.left(), inner.top(), inner.width(), h2.style.line * 2.0),
        cx.t("guide.unavailable.title"),
        h2,
    );
    let words = refusal::words(cx, entry, why);
    let mut rest = Rect::from_min_max(pos2(inner.left(), filled.bottom() + 16.0), inner.max);
    if let Some((other, name)) = caveat::instead(cx, code) {
        let label = cx.tf("guide.instead", &[("item", &name)]);
        let button = Rect::from_min_max(pos2(rest.left(), rest.bottom() - cx.theme.metrics.target), rest.max);
        rest.max.y = button.top() - 12.0;
        press(ui, cx, button, &Button::secondary(&label).icon_after("right"), Command::OpenGuide(other));
    }
    let small = cx.small().color(cx.theme.colors.ink);
    let least = small.sized(small.style.size * 0.85, small.style.line * 0.85);
    let letters = best_fit(ui, &words, rest.size(), [cx.body().color(cx.theme.colors.ink), small, least]);
    text(ui, cx, rest, &words, letters);
}
