//! What was said to the card reader: commands, lengths, status and times, the newest first. Data never stand here:
//! the trace has none.
//!
//! Refuses to cut: a cell takes as many rows as it needs.
use std::collections::BTreeMap;

use egui::{Rect, Ui, vec2};
use hardware::trace::Line;

use super::{names, said};
use crate::command::Command;
use crate::theme::radius;
use crate::widgets::shape::card;
use crate::widgets::{Cx, Footer, Lettering, Pages, at, frame, height_of, pager, parts, rule, text, upright};

/// A column.
#[derive(Debug, Clone, Copy)]
enum Column {
    Number,
    Reader,
    Asked,
    Sent,
    Came,
    Received,
    Took,
}

/// Columns beside each other, each with its part of the whole width.
type Storey = &'static [(f32, Column)];

/// On a wide page all stand in one row.
const WIDE: &[Storey] = &[&[
    (0.07, Column::Number),
    (0.24, Column::Reader),
    (0.22, Column::Asked),
    (0.08, Column::Sent),
    (0.21, Column::Came),
    (0.08, Column::Received),
    (0.1, Column::Took),
]];

/// On an upright one in two.
const UPRIGHT: &[Storey] = &[
    &[(0.18, Column::Number), (0.54, Column::Reader), (0.28, Column::Took)],
    &[(0.38, Column::Asked), (0.34, Column::Came), (0.14, Column::Sent), (0.14, Column::Received)],
];

/// Between two columns.
const GAP: f32 = 12.0;
/// Above and below the words of a line.
const PAD: f32 = 6.0;

impl Column {
    fn heading(self, cx: &Cx<'_>) -> String {
        let key = match self {
            Self::Number => "devices.column.number",
            Self::Reader => "devices.column.reader",
            Self::Asked => "devices.column.asked",
            Self::Sent => "devices.column.sent",
            Self::Came => "devices.column.came",
            Self::Received => "devices.column.received",
            Self::Took => "devices.column.took",
        };
        cx.t(key).to_owned()
    }

    fn words(self, cx: &Cx<'_>, line: &Line, names: &BTreeMap<&str, String>) -> String {
        match self {
            Self::Number => line.number.to_string(),
            Self::Reader => names.get(&*line.reader).cloned().unwrap_or_default(),
            Self::Asked => said::asked(cx, line),
            Self::Sent => line.sent.to_string(),
            Self::Came => said::came(cx, line),
            Self::Received => line.received.to_string(),
            Self::Took => format!("{:.1} ms", line.took.as_secs_f64() * 1_000.0),
        }
    }
}

/// A line of the table with its words, by storeys.
struct Row {
    /// Share of the width, words.
    storeys: Vec<Vec<(f32, String)>>,
    heights: Vec<f32>,
}

impl Row {
    fn of(
        ui: &Ui,
        storeys: &[Storey],
        (width, letters): (f32, Lettering),
        words: impl Fn(Column) -> String,
    ) -> Self {
        let storeys: Vec<Vec<(f32, String)>> = storeys
            .iter()
            .map(|storey| storey.iter().map(|(part, column)| (*part, words(*column))).collect())
            .collect();
        let height = |(part, words): &(f32, String)| height_of(ui, words, letters, width * part - GAP);
        let highest =
            |storey: &Vec<(f32, String)>| storey.iter().map(height).fold(letters.style.line, f32::max);
        let heights = storeys.iter().map(highest).collect();
        Self { storeys, heights }
    }

    fn height(&self) -> f32 {
        self.heights.iter().sum::<f32>() + 2.0 * PAD
    }

    fn show(&self, ui: &mut Ui, cx: &Cx<'_>, place: Rect, letters: Lettering) {
        let mut top = place.top() + PAD;
        for (storey, height) in self.storeys.iter().zip(&self.heights) {
            let mut left = place.left();
            for (part, words) in storey {
                let width = place.width() * part;
                text(ui, cx, at(left, top, width - GAP, *height), words, letters);
                left += width;
            }
            top += height;
        }
    }
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let words = cx.t("devices.trace_note");
    // The footer of a narrow page has no room for a sentence.
    let narrow = upright(ui.max_rect());
    let note = (!narrow).then_some(("info", words, ""));
    frame(ui, cx, Footer { note, ..Footer::default() }, |ui, cx, room| {
        let h1 = cx.h1();
        let top = room.top() + cx.theme.pick(24.0, 16.0);
        let title = at(room.left(), top, room.width(), h1.style.line);
        text(ui, cx, title, cx.t("devices.trace"), h1);
        let mut below = room.with_min_y(title.bottom() + 16.0);
        if narrow {
            let said = text(ui, cx, below, words, cx.body());
            below = room.with_min_y(said.bottom() + 16.0);
        }
        if cx.model.devices.lines.is_empty() {
            text(ui, cx, below, cx.t("devices.trace_empty"), cx.body());
        } else {
            table_ui(ui, cx, below);
        }
    });
}

fn table_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let below = cx.theme.metrics.target + 24.0;
    let table = room.with_max_y(room.bottom() - below);
    card(ui, cx, table, radius::CARD);
    let inner = table.shrink2(vec2(24.0, 12.0));
    let storeys = if upright(room) { UPRIGHT } else { WIDE };
    let (bold, plain) = (cx.small().bold(), cx.small());
    let head = Row::of(ui, storeys, (inner.width(), bold), |column| column.heading(cx));
    head.show(ui, cx, inner, bold);
    let lines = &cx.model.devices.lines;
    let names = names::short(lines.iter().map(|line| &*line.reader));
    let row =
        |line: &Line| Row::of(ui, storeys, (inner.width(), plain), |column| column.words(cx, line, &names));
    let rows: Vec<Row> = lines.iter().rev().map(row).collect();
    let heights: Vec<f32> = rows.iter().map(Row::height).collect();
    let mut top = inner.top() + head.height();
    let of_page = parts(&heights, inner.bottom() - top);
    let pages = Pages::new(of_page.len(), 1, cx.model.list_page);
    for row in of_page.get(pages.page).map_or(&[][..], |range| &rows[range.clone()]) {
        rule(ui, cx, inner.left(), inner.right(), top);
        row.show(ui, cx, inner.with_min_y(top), plain);
        top += row.height();
    }
    let strip = room.with_min_y(table.bottom() + 12.0).with_max_y(room.bottom() - 12.0);
    pager(ui, cx, strip, pages, Command::ShowPage);
}
