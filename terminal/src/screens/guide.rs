//! The guide of an item or bundle: how long, what to bring, what happens afterwards, and whether it can be begun.
//!
//! An item that cannot be begun says so here, before anything is typed, with the nearest way.
use std::sync::Arc;

use domain::catalogue::Entry;
use domain::ids::ItemCode;
use domain::item::{AcceptedCard, Material, MaterialSource, Period};
use domain::text::Text;
use egui::{Rect, Ui, pos2, vec2};

use super::entry::{department, minutes, period};
use crate::command::Command;
use crate::theme::radius;
use crate::widgets::shape::{large_card, rule, well};
use crate::widgets::{Action, Badge, Cx, Footer, at, badge, frame, icon, text};

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
        Some(_) => Footer::say(cx.t("guide.unavailable.short")),
    };
    frame(ui, cx, footer, |ui, cx, room| {
        let below = heading_ui(ui, cx, room, entry);
        let below = facts_ui(ui, cx, below, entry);
        let gap = 24.0;
        let bottom = below.bottom() - cx.theme.pick(64.0, 56.0);
        let wide = if cx.elder() { below.width() * 0.52 } else { 968.0 };
        let left = Rect::from_min_max(below.min, pos2(below.left() + wide, bottom));
        let right = Rect::from_min_max(pos2(left.right() + gap, below.top()), pos2(below.right(), bottom));
        who_ui(ui, cx, left, entry);
        match refused {
            Some(why) => refused_ui(ui, cx, right, why.name()),
            None => after_ui(ui, cx, right, entry),
        }
        let notice = cx.say(&catalogue.notice);
        let place = Rect::from_min_max(pos2(below.left(), bottom), below.max);
        text(ui, cx, place, notice, cx.small().color(cx.theme.colors.ink3).middle());
    });
}

fn heading_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) -> Rect {
    let top = room.top() + cx.theme.pick(32.0, 16.0);
    let h1 = cx.h1();
    let title =
        text(ui, cx, at(room.left(), top, room.width() * 0.68, h1.style.line), cx.say(entry.title()), h1);
    let official = match entry {
        Entry::Item(item) => &item.name,
        Entry::Bundle(bundle) => &bundle.name,
    };
    let meta = format!("{} · {}", cx.say(official), department(cx, entry));
    let body = cx.small();
    let place = at(room.left(), title.bottom(), room.width() * 0.72, body.style.line);
    text(ui, cx, place, &meta, body.data());
    let mut right = room.right();
    for look in Badge::of(entry).into_iter().rev() {
        let width = look.width(ui, cx);
        badge(ui, cx, pos2(right - width, top + 8.0), look);
        right -= width + 12.0;
    }
    Rect::from_min_max(pos2(room.left(), place.bottom() + cx.theme.pick(20.0, 12.0)), room.max)
}

fn promised(entry: Entry<'_>) -> Period {
    match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    }
}

/// The strip of facts: how long, result when, fee, steps.
fn facts_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) -> Rect {
    let small = cx.small();
    let strong = cx.strong();
    let height = 32.0 + small.style.line + strong.style.line;
    let place = at(room.left(), room.top(), room.width(), height);
    large_card(ui, cx, place);
    let promised = promised(entry);
    let result = if promised.tenths == 0 {
        cx.t("guide.result_at_once").to_owned()
    } else {
        cx.tf("guide.result_within", &[("period", &period(cx, promised))])
    };
    let steps = cx.tf("guide.steps", &[("count", &entry.guide().how.len().to_string())]);
    let facts = [
        ("clock", "guide.minutes", minutes(cx, entry)),
        ("check", "guide.result", result),
        ("yuan", "guide.fee", fee(cx, entry)),
        ("path", "guide.visits", steps),
    ];
    let width = (place.width() - 64.0) / 4.0;
    for (n, (name, key, value)) in facts.iter().enumerate() {
        let left = place.left() + 40.0 + n as f32 * width;
        icon(ui, cx, at(left, place.center().y - 22.0, 44.0, 44.0), name, cx.theme.colors.brand600);
        let words = at(left + 60.0, place.top() + 16.0, width - 68.0, small.style.line);
        text(ui, cx, words, cx.t(key), small);
        text(
            ui,
            cx,
            at(words.left(), words.bottom(), words.width(), strong.style.line),
            value,
            strong.data(),
        );
    }
    Rect::from_min_max(pos2(room.left(), place.bottom() + cx.theme.pick(24.0, 16.0)), room.max)
}

fn fee(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    super::entry::fee(cx, entry)
}

/// Who can apply and what to bring.
fn who_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) {
    large_card(ui, cx, room);
    let inner = room.shrink(cx.theme.pick(40.0, 28.0));
    let h2 = cx.h2();
    text(ui, cx, at(inner.left(), inner.top(), inner.width(), h2.style.line), cx.t("guide.who"), h2);
    let guide = entry.guide();
    let who: Vec<&str> = guide.who.iter().map(|t: &Text| cx.say(t)).collect();
    let (materials, cards, proxy): (&[Material], bool, Option<bool>) = match entry {
        Entry::Item(i) => {
            (&i.materials, i.accepted_cards.contains(&AcceptedCard::Idcard), Some(i.proxy_allowed))
        }
        Entry::Bundle(b) => (&b.materials, true, None),
    };
    let proxy = match proxy {
        Some(true) => cx.t("guide.proxy"),
        Some(false) => cx.t("guide.no_proxy"),
        None => "",
    };
    let card =
        if cards { ("guide.card", "guide.card_hint") } else { ("guide.no_idcard", "guide.no_idcard_hint") };
    let bring: Vec<&str> =
        materials.iter().filter(|m| m.source == MaterialSource::Bring).map(|m| cx.say(&m.name)).collect();
    let bring = if bring.is_empty() {
        cx.t("guide.no_bring").to_owned()
    } else {
        cx.tf("guide.bring", &[("list", &bring.join(cx.t("guide.separator")))])
    };
    let first = who.first().copied().unwrap_or_default();
    let others = who.get(1..).unwrap_or_default().join(" · ");
    let under = if others.is_empty() { proxy.to_owned() } else { others };
    let lines = [
        ("people", first, under),
        ("idcard", cx.t(card.0), cx.t(card.1).to_owned()),
        ("folder", &*bring, String::new()),
    ];
    let top = inner.top() + h2.style.line + 12.0;
    let height = (inner.bottom() - top) / 3.0;
    for (n, (name, strong, small)) in lines.iter().enumerate() {
        let place = at(inner.left(), top + n as f32 * height, inner.width(), height);
        if n > 0 {
            rule(ui, cx, place.left(), place.right(), place.top());
        }
        line_ui(ui, cx, place, (name, strong, small));
    }
}

fn line_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (name, strong, small): (&str, &str, &str)) {
    icon(ui, cx, at(place.left(), place.center().y - 20.0, 40.0, 40.0), name, cx.theme.colors.brand600);
    let left = place.left() + 56.0;
    let width = place.right() - left;
    let (bold, meta) = (cx.strong(), cx.small());
    let rows = if small.is_empty() { 2.0 } else { 1.0 };
    let all = bold.style.line * rows + if small.is_empty() { 0.0 } else { meta.style.line };
    let top = place.center().y - all / 2.0;
    let words = at(left, top, width, bold.style.line * rows);
    text(ui, cx, words, strong, if small.is_empty() { bold.middle().data() } else { bold.data() });
    text(ui, cx, at(left, words.bottom(), width, meta.style.line), small, meta.data());
}

/// What happens after it was handed in, with or without a network.
fn after_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) {
    large_card(ui, cx, room);
    let inner = room.shrink(cx.theme.pick(40.0, 28.0));
    let h2 = cx.h2();
    text(ui, cx, at(inner.left(), inner.top(), inner.width(), h2.style.line), cx.t("guide.offline"), h2);
    let guide = entry.guide();
    let body = cx.body();
    let top = inner.top() + h2.style.line + 12.0;
    let marks = if cx.elder() { 0.0 } else { 150.0 };
    let room_for_words = inner.bottom() - marks - top;
    let note = at(inner.left(), top, inner.width(), room_for_words / 2.0);
    let filled = text(ui, cx, note, cx.say(&guide.offline_note), body.data());
    let after = super::entry::after(cx, entry);
    let rest = Rect::from_min_max(
        pos2(inner.left(), filled.bottom() + 12.0),
        pos2(inner.right(), inner.bottom() - marks),
    );
    text(ui, cx, rest, &after, body.data());
    if marks > 0.0 {
        let line = Rect::from_min_max(pos2(inner.left(), inner.bottom() - marks), inner.max);
        marks_ui(ui, cx, line);
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

fn refused_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, name: &str) {
    well(ui, cx, room, radius::CARD, cx.theme.colors.warn50);
    let inner = room.shrink(cx.theme.pick(40.0, 28.0));
    let h2 = cx.h2().color(cx.theme.colors.warn);
    let filled = text(
        ui,
        cx,
        at(inner.left(), inner.top(), inner.width(), h2.style.line * 2.0),
        cx.t("guide.unavailable.title"),
        h2,
    );
    let words = cx.tf(&format!("guide.unavailable.{name}"), &[]);
    let rest = Rect::from_min_max(pos2(inner.left(), filled.bottom() + 16.0), inner.max);
    text(ui, cx, rest, &words, cx.body().color(cx.theme.colors.ink));
}
