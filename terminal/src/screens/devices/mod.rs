//! Device check (设备自检): how each device, the link, the queue and the catalogue are, and what to do about it.
//!
//! For staff and technicians, without anything of a person. Refuses to mend anything: it says who does.
mod lines;
mod names;
mod said;
mod trace;

use egui::{Rect, Ui, pos2, vec2};

use self::lines::{Line, Tone};
use crate::command::Command;
use crate::theme::{TypeRole, radius};
use crate::widgets::button::{Button, press};
use crate::widgets::shape::{card, fill, outline_rect};
use crate::widgets::text::width_of;
use crate::widgets::{Action, Cx, Footer, Lettering, at, best_fit, frame, height_of, icon, text, upright};

pub use trace::show as show_trace;

/// Between two lines.
const GAP: f32 = 12.0;

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let again =
        Action { label: cx.t("devices.again"), icon: "rotate", command: Command::CheckDevices, filled: true };
    frame(ui, cx, Footer { action: Some(again), ..Footer::default() }, |ui, cx, room| {
        let lines = lines::of(cx);
        let below = heading_ui(ui, cx, room, &lines);
        let target = cx.theme.metrics.target;
        let list = below.with_max_y(below.bottom() - target - 2.0 * GAP);
        list_ui(ui, cx, list, &lines);
        let strip = at(below.left(), list.bottom() + GAP, below.width(), target);
        below_ui(ui, cx, strip);
    });
}

/// Title at the left, whether the doors can be opened at the right or below; gives the room below.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, lines: &[Line]) -> Rect {
    let h1 = cx.h1();
    let place = at(room.left(), room.top() + cx.theme.pick(24.0, 16.0), room.width(), h1.style.line);
    let filled = text(ui, cx, place, cx.t("devices.title"), h1);
    let count = |tone: Tone| lines.iter().filter(|line| line.tone == tone).count();
    let (bad, warn) = (count(Tone::Bad), count(Tone::Warn));
    let (key, name, ink) = match (bad, warn) {
        (0, 0) => ("devices.all_well", "check", cx.theme.colors.ok),
        (0, _) => ("devices.some_warn", "warn", cx.theme.colors.warn),
        _ => ("devices.some_bad", "warn", cx.theme.colors.error),
    };
    let words = cx.tf(key, &[("bad", &bad.to_string()), ("warn", &warn.to_string())]);
    let side = cx.theme.pick(40.0, 52.0);
    let mut beside = place.with_min_x(filled.right() + 32.0 + side);
    let letters = best_fit(ui, &words, beside.size(), [cx.strong(), cx.body(), cx.small()]);
    if height_of(ui, &words, letters, beside.width()) > beside.height() + 1.0 {
        // A narrow page has no room beside the title.
        beside = at(place.left() + side + 14.0, place.bottom(), place.width() - side - 14.0, place.height());
    }
    let letters = best_fit(ui, &words, beside.size(), [cx.strong(), letters]).right().middle();
    let right = text(ui, cx, beside, &words, letters);
    icon(ui, cx, at(right.left() - 14.0 - side, right.center().y - side / 2.0, side, side), name, ink);
    room.with_min_y(beside.bottom() + cx.theme.pick(16.0, 10.0))
}

fn list_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, lines: &[Line]) {
    let columns: usize = if upright(room) { 1 } else { 2 };
    let rows = lines.len().div_ceil(columns).max(1);
    let gap = GAP * 2.0;
    let width = (room.width() - gap * (columns - 1) as f32) / columns as f32;
    let most = cx.theme.pick(132.0, 156.0);
    let height = ((room.height() - GAP * (rows - 1) as f32) / rows as f32).min(most);
    for (n, line) in lines.iter().enumerate() {
        let (column, row) = ((n / rows) as f32, (n % rows) as f32);
        let left = room.left() + column * (width + gap);
        line_ui(ui, cx, at(left, room.top() + row * (height + GAP), width, height), line);
    }
}

/// Icon, name and what is true of it; at the right its state by icon, word and colour.
fn line_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, line: &Line) {
    card(ui, cx, rect, radius::CARD);
    let (ground, ink, glyph) = line.tone.look(cx);
    if line.tone != Tone::Well && line.tone != Tone::Off {
        outline_rect(ui.painter(), rect, radius::CARD, egui::Stroke::new(3.0, ink));
    }
    let inner = rect.shrink2(vec2(24.0, 6.0));
    let side = cx.theme.pick(48.0, 60.0);
    let mine = if line.tone == Tone::Well { cx.theme.colors.brand600 } else { ink };
    icon(ui, cx, at(inner.left(), inner.center().y - side / 2.0, side, side), line.icon, mine);
    let letters = cx.letters(TypeRole::SmallBold, ink).middle();
    let (height, glyph_side) = (cx.theme.metrics.badge, cx.theme.metrics.badge_icon);
    let width = 14.0 + glyph_side + 8.0 + width_of(ui, &line.state, letters) + 16.0;
    let badge = at(inner.right() - width, inner.center().y - height / 2.0, width, height);
    fill(ui.painter(), badge, radius::BADGE, ground);
    let corner = pos2(badge.left() + 14.0, badge.center().y - glyph_side / 2.0);
    icon(ui, cx, Rect::from_min_size(corner, vec2(glyph_side, glyph_side)), glyph, ink);
    text(ui, cx, badge.with_min_x(corner.x + glyph_side + 8.0), &line.state, letters);
    let words = Rect::from_min_max(
        pos2(inner.left() + side + 24.0, inner.top()),
        pos2(badge.left() - 16.0, inner.bottom()),
    );
    words_ui(ui, cx, words, line);
}

/// Name and detail, in the middle of their place. A detail of several lines stands closer where it must: what to do about
/// a trouble is never cut.
fn words_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, line: &Line) {
    let (strong, small) = (cx.strong(), cx.small());
    let close = (
        strong.sized(strong.style.size, strong.style.size * 1.15),
        small.sized(small.style.size * 0.88, small.style.size * 1.06),
    );
    let height = |(name, detail): (Lettering, Lettering)| {
        name.style.line + height_of(ui, &line.detail, detail, place.width())
    };
    let letters = if height((strong, small)) <= place.height() { (strong, small) } else { close };
    let high = height(letters).min(place.height());
    let (name, detail) = letters;
    let top = place.center().y - high / 2.0;
    text(ui, cx, at(place.left(), top, place.width(), name.style.line), &line.name, name);
    let below = at(place.left(), top + name.style.line, place.width(), high - name.style.line);
    text(ui, cx, below, &line.detail, detail);
}

/// The way to the trace, and which machine this is.
fn below_ui(ui: &mut Ui, cx: &mut Cx<'_>, strip: Rect) {
    let button = Button::secondary(cx.t("devices.trace")).icon("doc");
    let width = button.inner_width(ui, cx) + 72.0;
    let place = strip.with_max_x(strip.left() + width);
    press(ui, cx, place, &button, Command::OpenDeviceTrace);
    let station = cx.model.station.as_ref().map_or("", |station| cx.say(&station.name));
    let words = cx.tf("devices.machine", &[("station", station), ("version", env!("CARGO_PKG_VERSION"))]);
    text(ui, cx, strip.with_min_x(place.right() + 32.0), &words, cx.small().right().middle().data());
}
