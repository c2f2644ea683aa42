//! What was said to the card reader: commands, lengths, status and times, the newest first. Data never stand here:
//! the trace has none.
use egui::{Rect, Ui, vec2};
use hardware::trace::Line;

use crate::command::Command;
use crate::theme::radius;
use crate::widgets::shape::card;
use crate::widgets::{Cx, Footer, Lettering, Pages, at, frame, pager, rule, text};

/// Widths of the columns as parts of the whole: number, reader, asked, sent, came, received, time.
const COLUMNS: [(f32, &str); 7] = [
    (0.08, "devices.column.number"),
    (0.2, "devices.column.reader"),
    (0.25, "devices.column.asked"),
    (0.08, "devices.column.sent"),
    (0.21, "devices.column.came"),
    (0.08, "devices.column.received"),
    (0.1, "devices.column.took"),
];
/// Most letters of a reader's name; the end of a longer one tells it from others of its model.
const MAX_NAME: usize = 20;

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
    let shown: Vec<[String; 7]> = lines.iter().rev().map(cells).collect();
    for (n, cells) in shown[pages.shown()].iter().enumerate() {
        let top = inner.top() + line * (n + 1) as f32;
        rule(ui, cx, inner.left(), inner.right(), top);
        row_ui(ui, cx, at(inner.left(), top, inner.width(), line), (cells, cx.small().middle()));
    }
    let strip = room.with_min_y(table.bottom() + 12.0).with_max_y(room.bottom() - 12.0);
    pager(ui, cx, strip, pages, Command::ShowPage);
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, row: Rect, (cells, letters): (&[String; 7], Lettering)) {
    let mut left = row.left();
    for ((part, _), cell) in COLUMNS.into_iter().zip(cells) {
        let width = row.width() * part;
        text(ui, cx, at(left, row.top(), width - 12.0, row.height()), cell, letters.data());
        left += width;
    }
}

fn cells(line: &Line) -> [String; 7] {
    let ms = format!("{:.1} ms", line.took.as_secs_f64() * 1_000.0);
    let (sent, received) = (line.sent.to_string(), line.received.to_string());
    let asked = if line.times > 1 { format!("{} × {}", line.times, line.asked) } else { line.asked.clone() };
    [line.number.to_string(), short(&line.reader), asked, sent, line.came.clone(), received, ms]
}

/// A reader's name without its middle, if it is long: `/dev/` and the model say less than the end.
fn short(name: &str) -> String {
    let name = name.strip_prefix("/dev/").unwrap_or(name);
    let count = name.chars().count();
    if count <= MAX_NAME {
        return name.to_owned();
    }
    let half = (MAX_NAME - 1) / 2;
    let begin: String = name.chars().take(half).collect();
    let end: String = name.chars().skip(count - half).collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_readers_of_a_model_keep_different_short_names() {
        let names = ["Jinban virtual SAM_V (simulator) 00 00", "Jinban virtual SAM_V (simulator) 01 00"];
        assert_eq!(names.map(short), ["Jinban vi…or) 00 00", "Jinban vi…or) 01 00"].map(str::to_owned));
        assert_eq!(short("/dev/ttyUSB0"), "ttyUSB0");
        assert_eq!(short("样".repeat(40).as_str()).chars().count(), MAX_NAME - 1);
    }
}
