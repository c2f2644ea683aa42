//! The error summary: always on top of a page with errors, with exactly the words that stand at the fields.
//!
//! Each row jumps to its field. Refuses blame: it says how many are left and that nothing was lost.
use domain::form::{FieldError, FieldErrorKind};
use egui::{Rect, Stroke, Ui, pos2, vec2};

use crate::command::Command;
use crate::widgets::button::target;
use crate::widgets::shape::{fill, focus_ring, outline_rect, well};
use crate::widgets::text::{height_of, width_of};
use crate::widgets::{Cx, Lettering, at, icon, text};

/// The most rows; the next ones follow as the first are mended.
const MAX_ROWS: usize = 4;
/// Wider places have the heading at the left and the rows at the right.
const WIDE: f32 = 1_400.0;
const PAD: f32 = 16.0;
const BAR: f32 = 10.0;

/// Names of all kinds of errors; the place in this list gives the code that staff can look up.
const CODES: [&str; 36] = [
    "required",
    "too_short",
    "too_long",
    "phone_length",
    "phone_too_short",
    "phone",
    "bank_card",
    "id_number",
    "uscc",
    "vin",
    "pattern",
    "shape",
    "unknown_field",
    "date",
    "date_in_future",
    "date_in_past",
    "date_order",
    "date_too_late",
    "date_too_early",
    "number",
    "below",
    "above",
    "not_a_choice",
    "region",
    "same_region",
    "address_incomplete",
    "signature_too_short",
    "signature_too_large",
    "other",
    "computed",
    "too_few_rows",
    "too_many_rows",
    "too_few_files",
    "too_many_files",
    "file_too_large",
    "file_kind",
];
/// Stands for a kind that is not in the list.
const OTHER: &str = "other";

/// The words of an error.
pub fn words(cx: &Cx<'_>, kind: &FieldErrorKind) -> String {
    let values = kind.values();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    cx.tf(&format!("form.error.{}", kind.name()), &values)
}

/// The code of an error, such as `F-201`.
pub fn code(kind: &FieldErrorKind) -> String {
    let place = |name: &str| CODES.iter().position(|code| *code == name);
    let place = place(kind.name()).or_else(|| place(OTHER)).unwrap_or_default();
    format!("F-{}", 201 + place)
}

/// Height of the summary in this width; 0 without errors.
pub fn height(ui: &Ui, cx: &Cx<'_>, width: f32, errors: &[FieldError]) -> f32 {
    if errors.is_empty() {
        return 0.0;
    }
    let target = cx.theme.metrics.target;
    let gap = cx.theme.metrics.gap;
    #[allow(clippy::cast_precision_loss)] // at most four
    let rows = errors.len().min(MAX_ROWS) as f32;
    let heading = heading_height(ui, cx, width, errors.len());
    if width >= WIDE {
        let lines = rows.min(2.0);
        return heading.max(lines * target + (lines - 1.0) * gap) + 2.0 * PAD;
    }
    heading + 8.0 + rows * target + (rows - 1.0) * gap + 2.0 * PAD
}

/// Draws the summary; a tap on a row jumps to its field. `label` gives a field's label.
pub fn summary_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    errors: &[FieldError],
    label: &dyn Fn(&Cx<'_>, &str) -> String,
) {
    well(ui, cx, rect, 12, cx.theme.colors.error50);
    fill(ui.painter(), Rect::from_min_size(rect.min, vec2(BAR, rect.height())), 4, cx.theme.colors.error);
    let inner = Rect::from_min_max(rect.min + vec2(BAR + 24.0, PAD), rect.max - vec2(PAD + 8.0, PAD));
    let side_by_side = rect.width() >= WIDE;
    let heading = heading_height(ui, cx, rect.width(), errors.len());
    let (words_place, rows_place) = if side_by_side {
        let middle = inner.left() + inner.width() * heading_part(cx);
        let top = inner.center().y - heading / 2.0;
        (
            Rect::from_min_size(pos2(inner.left(), top), vec2(middle - inner.left() - 24.0, heading)),
            Rect::from_min_max(pos2(middle, inner.top()), inner.max),
        )
    } else {
        (
            Rect::from_min_size(inner.min, vec2(inner.width(), heading)),
            Rect::from_min_max(pos2(inner.left(), inner.top() + heading + 8.0), inner.max),
        )
    };
    heading_ui(ui, cx, words_place, errors);
    let columns = if side_by_side && errors.len() > 2 { 2 } else { 1 };
    rows_ui(ui, cx, rows_place, (errors, columns), label);
}

/// Part of a wide summary that the heading takes.
fn heading_part(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(0.385, 0.46)
}

fn heading_width(cx: &Cx<'_>, width: f32) -> f32 {
    let inner = width - BAR - 48.0 - PAD;
    let part = if width >= WIDE { inner * heading_part(cx) - 24.0 } else { inner };
    part - icon_side(cx) - 24.0
}

fn icon_side(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(48.0, 64.0)
}

fn heading_words(cx: &Cx<'_>, count: usize) -> String {
    cx.tf("form.summary.title", &[("n", &count.to_string())])
}

/// A section title, or smaller where that would take two lines.
fn heading_letters(ui: &Ui, cx: &Cx<'_>, words: &str, width: f32) -> Lettering {
    if width_of(ui, words, cx.h2()) <= width { cx.h2() } else { cx.strong() }
}

fn heading_height(ui: &Ui, cx: &Cx<'_>, width: f32, count: usize) -> f32 {
    let (words, width) = (heading_words(cx, count), heading_width(cx, width));
    let letters = heading_letters(ui, cx, &words, width);
    height_of(ui, &words, letters, width).min(2.0 * letters.style.line) + cx.small().style.line
}

fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, errors: &[FieldError]) {
    let color = cx.theme.colors.error;
    let side = icon_side(cx);
    icon(ui, cx, at(place.left(), place.center().y - side / 2.0, side, side), "warn", color);
    let left = place.left() + side + 24.0;
    let small = cx.small();
    let title =
        Rect::from_min_max(pos2(left, place.top()), pos2(place.right(), place.bottom() - small.style.line));
    let words = heading_words(cx, errors.len());
    let letters = heading_letters(ui, cx, &words, title.width());
    text(ui, cx, title, &words, letters.color(color));
    let code = errors.first().map(|error| code(&error.kind)).unwrap_or_default();
    let help = format!("{}　{}", cx.t("form.summary.help"), cx.tf("form.summary.code", &[("code", &code)]));
    let below = Rect::from_min_max(pos2(left, title.bottom()), place.max);
    text(ui, cx, below, &help, small);
}

fn rows_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (errors, columns): (&[FieldError], usize),
    label: &dyn Fn(&Cx<'_>, &str) -> String,
) {
    let (target, gap) = (cx.theme.metrics.target, cx.theme.metrics.gap);
    #[allow(clippy::cast_precision_loss)] // one or two columns, at most four rows
    let (width, step) = ((place.width() - gap * (columns - 1) as f32) / columns as f32, |n: usize| n as f32);
    for (index, error) in errors.iter().take(MAX_ROWS).enumerate() {
        let offset = vec2(step(index % columns) * (width + gap), step(index / columns) * (target + gap));
        let row = Rect::from_min_size(place.min + offset, vec2(width, target));
        if row_ui(ui, cx, row, (&label(cx, &error.key), &words(cx, &error.kind))) {
            cx.push(Command::JumpTo(error.key.clone()));
        }
    }
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, row: Rect, (label, words): (&str, &str)) -> bool {
    let colors = &cx.theme.colors;
    let line = format!("{label}：{words}");
    let name = cx.tf("form.summary.jump", &[("words", &line)]);
    let response = target(ui, row, &name, None);
    let down = response.is_pointer_button_down_on();
    fill(ui.painter(), row, 12, if down { colors.error50 } else { colors.surface });
    outline_rect(ui.painter(), row, 12, Stroke::new(2.0, colors.error));
    let side = cx.theme.pick(28.0, 40.0);
    icon(ui, cx, at(row.left() + 24.0, row.center().y - side / 2.0, side, side), "down", colors.error);
    let letters = cx.body().bold().color(colors.error).quiet().middle();
    let room = Rect::from_min_max(
        pos2(row.left() + 24.0 + side + 16.0, row.top()),
        pos2(row.right() - 12.0, row.bottom()),
    );
    let letters = if height_of(ui, &line, letters, room.width()) > row.height() {
        cx.small().bold().color(colors.error).quiet().middle()
    } else {
        letters
    };
    text(ui, cx, room, &line, letters.data());
    if response.has_focus() {
        focus_ring(ui, cx, row, 12);
    }
    response.clicked()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::text::Language;

    use super::*;
    use crate::words::Words;

    #[test]
    fn every_kind_of_error_has_words_in_both_languages() {
        let words = Words::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")).unwrap();
        for name in CODES.iter().filter(|name| **name != OTHER) {
            let key = format!("form.error.{name}");
            let (chinese, english) = (words.find(Language::ZhCn, &key), words.find(Language::En, &key));
            assert!(chinese.is_some() && english.is_some() && chinese != english, "{key}");
        }
    }

    #[test]
    fn codes_never_move() {
        let table = [
            (FieldErrorKind::Required, "F-201"),
            (FieldErrorKind::PhoneLength { have: 10 }, "F-205"),
            (FieldErrorKind::BankCard, "F-207"),
            (FieldErrorKind::SignatureTooLarge, "F-228"),
            (FieldErrorKind::Computed, "F-230"),
            (FieldErrorKind::FileKind, "F-236"),
        ];
        for (kind, expected) in table {
            assert_eq!(code(&kind), expected, "{kind:?}");
        }
    }
}
