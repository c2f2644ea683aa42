//! Device check (设备自检): how each device, the link, the queue and the catalogue are, and what to do about it.
//!
//! For staff and technicians, without anything of a person. Refuses to mend anything: it says who does.
mod lines;
mod trace;

use egui::{Rect, Ui, pos2, vec2};

use self::lines::{Line, Tone};
use crate::command::Command;
use crate::theme::{TypeRole, radius};
use crate::widgets::button::{Button, press};
use crate::widgets::shape::{card, fill, outline_rect};
use crate::widgets::text::width_of;
use crate::widgets::{Action, Cx, Footer, at, best_fit, frame, icon, text, upright};

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

/// Title at the left, whether the doors can be opened at the right; gives the room below.
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
    let beside = place.with_min_x(filled.right() + 72.0);
    let letters = best_fit(ui, &words, beside.size(), [cx.strong(), cx.body(), cx.small()]).right().middle();
    let right = text(ui, cx, beside, &words, letters);
    let side = cx.theme.pick(40.0, 52.0);
    icon(ui, cx, at(right.left() - 14.0 - side, place.center().y - side / 2.0, side, side), name, ink);
    room.with_min_y(place.bottom() + cx.theme.pick(16.0, 10.0))
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
    let inner = rect.shrink2(vec2(24.0, 8.0));
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
    let (strong, small) = (cx.strong(), cx.small());
    let top = words.center().y - (strong.style.line + small.style.line) / 2.0;
    text(ui, cx, at(words.left(), top, words.width(), strong.style.line), &line.name, strong);
    let second = at(words.left(), top + strong.style.line, words.width(), small.style.line);
    text(ui, cx, second, &line.detail, small.data());
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
