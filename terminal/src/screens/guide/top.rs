//! The upper part of the guide: title and summary, badges, the strip of facts.
use domain::catalogue::Entry;
use domain::item::Period;
use egui::{Rect, Ui, pos2};

use super::{ONE_COLUMN, details};
use crate::screens::entry::{fee, minutes, official_and_department, period};
use crate::widgets::shape::large_card;
use crate::widgets::{Badge, Cx, at, badge, badges, best_fit, height_of, icon, text, width_of};

/// Title and summary with the official name below, badges beside or, on an upright page, below; gives what is left.
pub(super) fn heading_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) -> Rect {
    let narrow = room.width() < ONE_COLUMN;
    let top = room.top() + cx.theme.pick(32.0, 16.0);
    let share = if narrow { 1.0 } else { 0.68 };
    let place = at(room.left(), top, room.width() * share, cx.h1().style.line);
    let words = cx.say(entry.title());
    let title = text(ui, cx, place, words, best_fit(ui, words, place.size(), [cx.h1(), cx.h2()]));
    let shown = Badge::now(cx.model, entry);
    let mut right = room.right();
    for look in shown.iter().rev().filter(|_| !narrow) {
        let width = look.width(ui, cx);
        badge(ui, cx, pos2(right - width, top + 8.0), *look);
        right -= width + 12.0;
    }
    let beside = Rect::from_min_max(pos2(title.right() + 28.0, top), pos2(right - 12.0, place.bottom()));
    let mut below = summary_ui(ui, cx, (beside, place.bottom()), room, entry);
    let small = cx.small();
    let official = official_and_department(cx, entry);
    let width = if narrow { room.width() } else { room.width() * 0.72 };
    let height = height_of(ui, &official, small, width).min(2.0 * small.style.line);
    below = text(ui, cx, at(room.left(), below, width, height), &official, small).bottom();
    if narrow {
        let place = at(room.left(), below + 12.0, room.width(), cx.theme.metrics.badge);
        badges(ui, cx, place, &shown);
        below = place.bottom();
    }
    Rect::from_min_max(pos2(room.left(), below + cx.theme.pick(20.0, 12.0)), room.max)
}

/// The summary: after the title where there is room, else on a line of its own; gives where both end. That of a
/// sensitive matter names its cause, so it is left out.
fn summary_ui(ui: &mut Ui, cx: &Cx<'_>, (beside, bottom): (Rect, f32), room: Rect, entry: Entry<'_>) -> f32 {
    let words = cx.say(&entry.guide().one_line);
    if words.is_empty() || entry.is_sensitive() {
        return bottom;
    }
    let letters = cx.body();
    if width_of(ui, words, letters) <= beside.width() {
        text(ui, cx, beside, words, letters.middle());
        return bottom;
    }
    let place = at(room.left(), bottom, room.width(), letters.style.line);
    text(ui, cx, place, words, best_fit(ui, words, place.size(), [letters, cx.small()])).bottom()
}

fn promised(entry: Entry<'_>) -> Period {
    match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    }
}

/// The strip of facts: how long, result when, fee, and the way to the steps; in two rows on an upright page.
pub(super) fn facts_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) -> Rect {
    let small = cx.small();
    let strong = cx.strong();
    let height = 32.0 + small.style.line + strong.style.line;
    let columns = if room.width() < ONE_COLUMN { 2 } else { 4 };
    let place = at(room.left(), room.top(), room.width(), height * (4 / columns) as f32);
    large_card(ui, cx, place);
    let promised = promised(entry);
    let result = if promised.tenths == 0 {
        cx.t("guide.result_at_once").to_owned()
    } else {
        cx.tf("guide.result_within", &[("period", &period(cx, promised))])
    };
    let facts = [
        ("clock", "guide.minutes", minutes(cx, entry)),
        ("check", "guide.result", result),
        ("yuan", "guide.fee", fee(cx, entry)),
    ];
    let width = (place.width() - 64.0) / columns as f32;
    let cell = |n: usize| {
        let (column, row) = ((n % columns) as f32, (n / columns) as f32);
        at(place.left() + 40.0 + column * width, place.top() + row * height, width, height)
    };
    for (n, (name, key, value)) in facts.iter().enumerate() {
        let cell = cell(n);
        icon(ui, cx, at(cell.left(), cell.center().y - 22.0, 44.0, 44.0), name, cx.theme.colors.brand600);
        let words = at(cell.left() + 60.0, cell.top() + 16.0, width - 68.0, small.style.line);
        text(ui, cx, words, cx.t(key), small);
        let below = at(words.left(), words.bottom(), words.width(), strong.style.line);
        let letters = best_fit(ui, value, below.size(), [strong, small.bold().color(strong.color)]);
        text(ui, cx, below, value, letters);
    }
    let last = cell(facts.len());
    details::way_ui(ui, cx, Rect::from_min_max(last.min - egui::vec2(12.0, 0.0), last.max), entry);
    Rect::from_min_max(pos2(room.left(), place.bottom() + cx.theme.pick(24.0, 16.0)), room.max)
}
