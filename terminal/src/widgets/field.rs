//! A field: label, help, what is wrong with it, and its box. Always in this order, so that the words stand where
//! the eye already is.
//!
//! Refuses to enter anything: it draws what is in the answer and says that it was tapped.
use egui::{Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::shape::{fill, focus_ring, icon, outline_rect, well};
use super::text::{Lettering, height_of, text, width_of};
use super::{Cx, at};
use crate::theme::{TypeRole, radius};

/// Words above a box.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// Label; may be empty where the page's title is the question.
    pub label: &'a str,
    /// It may be left empty: said in the label.
    pub optional: bool,
    /// One line of help.
    pub hint: Option<&'a str>,
    /// What is wrong.
    pub error: Option<&'a str>,
}

/// What stands in a box.
#[derive(Debug, Clone, Copy)]
pub struct Boxed<'a> {
    /// Accessible name.
    pub name: &'a str,
    /// Groups of the answer, with a gap between them.
    pub groups: &'a [String],
    /// Shown while there is no answer.
    pub placeholder: &'a str,
    /// It has the attention: a strong border.
    pub focused: bool,
    /// What is typed goes here: a caret while it has the attention.
    pub caret: bool,
    /// It has an error.
    pub wrong: bool,
    /// Words and icon at the right end.
    pub end: Option<(&'a str, &'a str)>,
    /// Typed by a keyboard: the end of a long text stays in sight.
    pub typed: bool,
}

/// Distance of the error bar from the field.
const BAR_LEFT: f32 = 30.0;
/// Gap between words and box.
const GAP: f32 = 8.0;

/// Height of the words above a box of this width.
pub fn head_height(ui: &Ui, cx: &Cx<'_>, width: f32, head: &Head<'_>) -> f32 {
    let label = if head.label.is_empty() && !head.optional {
        0.0
    } else {
        height_of(ui, &label_words(cx, head), cx.strong(), width).min(2.0 * cx.strong().style.line)
    };
    let hint =
        head.hint.map_or(0.0, |hint| height_of(ui, hint, cx.small(), width).min(2.0 * cx.small().style.line));
    let error = head.error.map_or(0.0, |error| error_height(ui, cx, width, error));
    let all = label + hint + error;
    if all > 0.0 { all + GAP } else { 0.0 }
}

/// Draws the words; gives where the box begins.
pub fn head_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, head: &Head<'_>) -> f32 {
    let mut top = rect.top();
    if !head.label.is_empty() || head.optional {
        let letters = cx.strong().quiet().data();
        let words = label_words(cx, head);
        let height = height_of(ui, &words, letters, rect.width()).min(2.0 * letters.style.line);
        top = text(ui, cx, at(rect.left(), top, rect.width(), height), &words, letters).bottom();
    }
    if let Some(hint) = head.hint {
        let height = height_of(ui, hint, cx.small(), rect.width()).min(2.0 * cx.small().style.line);
        top = text(ui, cx, at(rect.left(), top, rect.width(), height), hint, cx.small().data()).bottom();
    }
    if let Some(error) = head.error {
        top += error_ui(ui, cx, rect.left_top() + vec2(0.0, top - rect.top()), rect.width(), error);
    }
    if top > rect.top() { top + GAP } else { top }
}

/// The bar at the left of a field that has an error.
pub fn error_bar(ui: &Ui, cx: &Cx<'_>, rect: Rect) {
    let bar = at(rect.left() - BAR_LEFT, rect.top(), 6.0, rect.height());
    fill(ui.painter(), bar, 0, cx.theme.colors.error);
}

/// Draws a box that can be tapped.
pub fn box_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, boxed: &Boxed<'_>) -> Response {
    let colors = &cx.theme.colors;
    let id = ui.scope_id().with(("field", boxed.name, rect.min.x.to_bits(), rect.min.y.to_bits()));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(boxed.groups.join(" ")),
        ..WidgetInfo::labeled(Role::TextInput, true, boxed.name)
    });
    fill(ui.painter(), rect, radius::FIELD, colors.surface);
    let stroke = match (boxed.wrong, boxed.focused) {
        (true, _) => Stroke::new(4.0, colors.error),
        (false, true) => Stroke::new(4.0, colors.brand600),
        (false, false) => Stroke::new(2.0, colors.border),
    };
    outline_rect(ui.painter(), rect, radius::FIELD, stroke);
    let right = boxed.end.map_or(rect.right() - 20.0, |end| end_ui(ui, cx, rect, end) - 12.0);
    let room = Rect::from_min_max(pos2(rect.left() + 24.0, rect.top()), pos2(right, rect.bottom()));
    content_ui(ui, cx, room, boxed);
    if response.has_focus() {
        focus_ring(ui, cx, rect, radius::FIELD);
    }
    response
}

/// A value that need not be filled in: sunken, with where it comes from at the right.
pub fn read_only_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, value: &str, from: (&str, &str)) {
    well(ui, cx, rect, radius::FIELD, cx.theme.colors.sunken);
    let letters = cx.small().quiet();
    let width = width_of(ui, from.1, letters) + 2.0;
    let side = cx.theme.pick(30.0, 44.0);
    let words = at(rect.right() - 24.0 - width, rect.top(), width, rect.height());
    text(ui, cx, words, from.1, cx.small().middle());
    let place = at(words.left() - 10.0 - side, rect.center().y - side / 2.0, side, side);
    icon(ui, cx, place, from.0, cx.theme.colors.ink2);
    let room =
        Rect::from_min_max(pos2(rect.left() + 24.0, rect.top()), pos2(place.left() - 16.0, rect.bottom()));
    text(ui, cx, room, value, cx.letters(TypeRole::Field, cx.theme.colors.ink).middle().data());
}

fn label_words(cx: &Cx<'_>, head: &Head<'_>) -> String {
    if head.optional { format!("{}{}", head.label, cx.t("form.optional")) } else { head.label.to_owned() }
}

fn error_letters(cx: &Cx<'_>) -> Lettering {
    cx.body().bold().color(cx.theme.colors.error)
}

fn error_icon(cx: &Cx<'_>) -> (f32, f32) {
    (cx.theme.pick(30.0, 44.0), cx.theme.pick(12.0, 16.0))
}

fn error_height(ui: &Ui, cx: &Cx<'_>, width: f32, error: &str) -> f32 {
    let (side, gap) = error_icon(cx);
    height_of(ui, error, error_letters(cx), width - side - gap).min(2.0 * error_letters(cx).style.line)
}

fn error_ui(ui: &mut Ui, cx: &Cx<'_>, corner: egui::Pos2, width: f32, error: &str) -> f32 {
    let (side, gap) = error_icon(cx);
    let letters = error_letters(cx);
    let line = letters.style.line;
    icon(ui, cx, at(corner.x, corner.y + (line - side) / 2.0, side, side), "warn", letters.color);
    let height = error_height(ui, cx, width, error);
    text(ui, cx, at(corner.x + side + gap, corner.y, width - side - gap, height), error, letters);
    height
}

/// Words and icon at the right end of a box; gives their left end.
fn end_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (words, name): (&str, &str)) -> f32 {
    let color = cx.theme.colors.brand600;
    let letters = cx.body().bold().color(color).quiet();
    let side = cx.theme.pick(32.0, 44.0);
    let width = width_of(ui, words, letters) + 2.0;
    let place = at(rect.right() - 20.0 - side, rect.center().y - side / 2.0, side, side);
    icon(ui, cx, place, name, color);
    let left = place.left() - 8.0 - width;
    text(ui, cx, at(left, rect.top(), width, rect.height()), words, letters.middle());
    left
}

fn content_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, boxed: &Boxed<'_>) {
    let colors = &cx.theme.colors;
    let letters = cx.letters(TypeRole::Field, colors.ink).middle().quiet().data();
    let mut left = room.left();
    if boxed.groups.is_empty() && !(boxed.focused && boxed.caret) {
        text(ui, cx, room, boxed.placeholder, letters.color(colors.ink3));
        return;
    }
    let gap = letters.style.size * 0.4;
    for (at_group, group) in boxed.groups.iter().enumerate() {
        if at_group > 0 {
            left += gap;
        }
        let space = room.right() - 10.0 - left;
        let shown = if boxed.typed && boxed.focused {
            end_that_fits(ui, group, letters, space)
        } else {
            group.as_str()
        };
        let place =
            Rect::from_min_max(pos2(left, room.top()), pos2(room.right().max(left + 1.0), room.bottom()));
        left = text(ui, cx, place, shown, letters).right();
    }
    if boxed.focused && boxed.caret {
        let half = letters.style.size * 0.6;
        let x = left + 4.0;
        let y = room.center().y;
        ui.painter().vline(x, y - half..=y + half, Stroke::new(cx.theme.pick(3.0, 5.0), colors.brand600));
    }
}

/// The longest end of a text that is not wider than this.
pub fn end_that_fits<'t>(ui: &Ui, words: &'t str, letters: Lettering, width: f32) -> &'t str {
    let starts: Vec<usize> = words.char_indices().map(|(byte, _)| byte).collect();
    let first = starts.partition_point(|byte| width_of(ui, &words[*byte..], letters) > width);
    starts.get(first).map_or("", |byte| &words[*byte..])
}
