//! How to use it: four steps, two sentences that take the fear away, and the way to other stations. Refuses anything
//! longer.
use egui::{Rect, Ui, pos2};

use crate::command::Command;
use crate::widgets::button::{Button, press};
use crate::widgets::{Action, Cx, Footer, at, frame, icon_block, shape, text, upright};

const STEPS: [(&str, &str, &str); 4] = [
    ("search", "help.step1", "help.step1_text"),
    ("idcard", "help.step2", "help.step2_text"),
    ("pen", "help.step3", "help.step3_text"),
    ("receipt", "help.step4", "help.step4_text"),
];

/// Draws the help page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let stations = Action {
        label: cx.t("stations.button"),
        icon: "pin",
        command: Command::OpenStations(None),
        filled: false,
    };
    frame(ui, cx, Footer { action: Some(stations), ..Footer::default() }, |ui, cx, room| {
        let line = cx.h1().style.line;
        let top = room.top() + cx.theme.pick(32.0, 20.0);
        text(ui, cx, at(room.left(), top, room.width(), line), cx.t("help.title"), cx.h1());
        devices_ui(ui, cx, at(room.left(), top, room.width(), line));
        let below = Rect::from_min_max(pos2(room.left(), top + line + 20.0), room.max);
        steps_ui(ui, cx, below);
    });
}

/// The way to the device check, at the right of this line.
pub(super) fn devices_ui(ui: &mut Ui, cx: &mut Cx<'_>, line: Rect) {
    let button = Button::quiet(cx.t("devices.button")).icon("cpu");
    let (width, height) = (button.inner_width(ui, cx) + 32.0, cx.theme.metrics.target);
    let place = at(line.right() - width, line.center().y - height / 2.0, width, height);
    press(ui, cx, place, &button, Command::OpenDevices);
}

fn steps_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let gap = 24.0;
    // Two sentences; on an upright page each may take two lines.
    let words = if upright(room) { cx.theme.pick(176.0, 248.0) } else { cx.theme.pick(104.0, 124.0) };
    let columns: usize = if upright(room) { 1 } else { 2 };
    let rows = (STEPS.len() / columns) as f32;
    let height = (room.height() - words - rows * gap - 12.0) / rows;
    let width = (room.width() - gap * (columns - 1) as f32) / columns as f32;
    for (n, (icon, title, line)) in STEPS.into_iter().enumerate() {
        let (column, row) = ((n % columns) as f32, (n / columns) as f32);
        let place =
            at(room.left() + column * (width + gap), room.top() + row * (height + gap), width, height);
        shape::large_card(ui, cx, place);
        let side = cx.theme.pick(112.0, 128.0);
        let block = at(place.left() + 32.0, place.center().y - side / 2.0, side, side);
        icon_block(ui, cx, block, icon, side * 0.6);
        let disc = at(block.left() - 12.0, block.top() - 12.0, side * 0.4, side * 0.4);
        ui.painter().circle_filled(disc.center(), disc.width() / 2.0, cx.theme.colors.brand700);
        let number = cx.strong().color(cx.theme.colors.on_brand).center();
        text(ui, cx, disc, &(n + 1).to_string(), number);
        let left = block.right() + 32.0;
        let inner = Rect::from_min_max(
            pos2(left, place.top() + 16.0),
            pos2(place.right() - 24.0, place.bottom() - 8.0),
        );
        let heading = cx.h2();
        let body = if cx.elder() { cx.body() } else { cx.body().sized(28.0, 42.0) };
        let all = heading.style.line + 8.0 + 2.0 * body.style.line;
        let top = (inner.center().y - all / 2.0).max(inner.top());
        text(ui, cx, at(left, top, inner.width(), heading.style.line), cx.t(title), heading);
        let rest = Rect::from_min_max(pos2(left, top + heading.style.line + 8.0), inner.max);
        text(ui, cx, rest, cx.t(line), body);
    }
    let top = room.top() + rows * (height + gap);
    text(ui, cx, at(room.left(), top, room.width(), words / 2.0), cx.t("help.safe"), cx.strong().middle());
    text(
        ui,
        cx,
        at(room.left(), top + words / 2.0, room.width(), words / 2.0),
        cx.t("help.people"),
        cx.body().middle(),
    );
}
