//! What was said to the card reader: commands, lengths, status and times, the newest first. Data never stand here:
//! the trace has none.
use egui::{Rect, Ui, vec2};
use hardware::trace::Line;

use crate::command::Command;
use crate::theme::radius;
use crate::widgets::shape::card;
use crate::widgets::{Cx, Footer, Lettering, Pages, at, frame, pager, rule, text};

/// Widths of the columns as parts of the whole: number, asked, sent, came, received, time.
const COLUMNS: [(f32, &str); 6] = [
    (0.08, "devices.column.number"),
    (0.34, "devices.column.asked"),
    (0.1, "devices.column.sent"),
    (0.28, "devices.column.came"),
    (0.1, "devices.column.received"),
    (0.1, "devices.column.took"),
];

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let note = Some(("info", cx.t("devices.trace_note"), ""));
    frame(ui, cx, Footer { note, ..Footer::default() }, |ui, cx, room| {
        let h1 = cx.h1();
        let top = room.top() + cx.theme.pick(24.0, 16.0);
        let title = at(room.left(), top, room.width(), h1.style.line);
        text(ui, cx, title, cx.t("devices.trace"), h1);
        let below = room.with_min_y(title.bottom() + 16.0);
        if cx.model.devices.lines.is_empty() {
            text(ui, cx, below, cx.t("devices.trace_empty"), cx.body());
        } else {
            table_ui(ui, cx, below);
        }
    });
}

fn table_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let line = cx.small().style.line + 12.0;
    let below = cx.theme.metrics.target + 24.0;
    let table = room.with_max_y(room.bottom() - below);
    card(ui, cx, table, radius::CARD);
    let inner = table.shrink2(vec2(24.0, 12.0));
    let bold = cx.small().bold().middle();
    let heads = COLUMNS.map(|(_, key)| cx.t(key).to_owned());
    row_ui(ui, cx, at(inner.left(), inner.top(), inner.width(), line), (&heads, bold));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few lines
    let per_page = (((inner.height() - line) / line).floor()).max(1.0) as usize;
    let lines = &cx.model.devices.lines;
    let pages = Pages::new(lines.len(), per_page, cx.model.list_page);
    let shown: Vec<[String; 6]> = lines.iter().rev().map(cells).collect();
    for (n, cells) in shown[pages.shown()].iter().enumerate() {
        let top = inner.top() + line * (n + 1) as f32;
        rule(ui, cx, inner.left(), inner.right(), top);
        row_ui(ui, cx, at(inner.left(), top, inner.width(), line), (cells, cx.small().middle()));
    }
    let strip = room.with_min_y(table.bottom() + 12.0).with_max_y(room.bottom() - 12.0);
    pager(ui, cx, strip, pages, Command::ShowPage);
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, row: Rect, (cells, letters): (&[String; 6], Lettering)) {
    let mut left = row.left();
    for ((part, _), cell) in COLUMNS.into_iter().zip(cells) {
        let width = row.width() * part;
        text(ui, cx, at(left, row.top(), width - 12.0, row.height()), cell, letters.data());
        left += width;
    }
}

fn cells(line: &Line) -> [String; 6] {
    let ms = format!("{:.1} ms", line.took.as_secs_f64() * 1_000.0);
    let (sent, received) = (line.sent.to_string(), line.received.to_string());
    let asked = if line.times > 1 { format!("{} × {}", line.asked, line.times) } else { line.asked.clone() };
    [line.number.to_string(), asked, sent, line.came.clone(), received, ms]
}
