//! The number pad: digits, perhaps a point, delete and clear, on the right pane of a page.
//!
//! Refuses to know what is typed: it says which key was tapped.
use egui::{Color32, Key, Rect, Stroke, Ui, Vec2, vec2};

use super::button::{Button, Kind, button};
use super::shape::{outline_rect, well};
use super::{Cx, at};
use crate::theme::{TypeRole, radius};

/// A key of the pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadKey {
    /// 0 to 9.
    Digit(u8),
    /// The decimal point.
    Point,
    /// Takes away the last sign.
    Delete,
    /// Takes away everything.
    Clear,
}

/// Rows from top to bottom; the point takes the place of Clear, which then moves into its own row.
const ROWS: [[PadKey; 3]; 4] = [
    [PadKey::Digit(1), PadKey::Digit(2), PadKey::Digit(3)],
    [PadKey::Digit(4), PadKey::Digit(5), PadKey::Digit(6)],
    [PadKey::Digit(7), PadKey::Digit(8), PadKey::Digit(9)],
    [PadKey::Clear, PadKey::Digit(0), PadKey::Delete],
];

/// Width of the pad with its tray.
pub fn width(cx: &Cx<'_>) -> f32 {
    let (key, gap, tray) = sizes(cx);
    3.0 * key.x + 2.0 * gap + 2.0 * tray
}

/// Draws the pad at the top right of `pane`; gives the key that was tapped, or typed on a physical keyboard.
pub fn number_pad(ui: &mut Ui, cx: &Cx<'_>, pane: Rect, has_point: bool) -> Option<PadKey> {
    let (key, gap, tray) = sizes(cx);
    let rows = if has_point { 5.0 } else { 4.0 };
    let most = (pane.height() - 2.0 * tray - (rows - 1.0) * gap) / rows;
    let key = vec2(key.x, key.y.min(most));
    let size = vec2(width(cx), rows * key.y + (rows - 1.0) * gap + 2.0 * tray);
    let place = Rect::from_min_size(egui::pos2(pane.right() - size.x, pane.top()), size);
    well(ui, cx, place, radius::CARD, cx.theme.colors.sunken);
    if cx.elder() {
        outline_rect(ui.painter(), place, radius::CARD, Stroke::new(2.0, cx.theme.colors.border));
    }
    let mut tapped = None;
    let mut row_at = |row: usize, keys: &[PadKey]| {
        for (column, pad_key) in keys.iter().enumerate() {
            #[allow(clippy::cast_precision_loss)] // at most five rows of three
            let offset = Vec2::new(column as f32 * (key.x + gap), row as f32 * (key.y + gap));
            let corner = place.min + vec2(tray, tray) + offset;
            if key_ui(ui, cx, at(corner.x, corner.y, key.x, key.y), *pad_key) {
                tapped = Some(*pad_key);
            }
        }
    };
    for (row, keys) in ROWS.iter().enumerate() {
        row_at(row, keys);
    }
    if has_point {
        row_at(4, &[PadKey::Point]);
    }
    tapped.or_else(|| typed_key(ui, has_point))
}

fn sizes(cx: &Cx<'_>) -> (Vec2, f32, f32) {
    let key = cx.theme.pick(vec2(140.0, 96.0), vec2(198.0, 148.0));
    (key, cx.theme.pick(12.0, 20.0), cx.theme.pick(16.0, 24.0))
}

fn key_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, key: PadKey) -> bool {
    let digit_size = cx.theme.pick(44.0, 64.0);
    let digits = cx.letters(TypeRole::Field, Color32::PLACEHOLDER).bold().sized(digit_size, digit_size * 1.3);
    let digit;
    let look = match key {
        PadKey::Digit(number) => {
            digit = number.to_string();
            Button::new(Kind::Key, &digit).lettering(digits)
        }
        PadKey::Point => Button::new(Kind::Key, ".").named(cx.t("pad.point")).lettering(digits),
        PadKey::Delete => Button::new(Kind::FunctionKey, cx.t("pad.delete")).icon("del"),
        PadKey::Clear => Button::new(Kind::FunctionKey, cx.t("pad.clear")),
    };
    let clicked = button(ui, cx, rect, &look).clicked();
    if !cx.theme.high_contrast {
        outline_rect(ui.painter(), rect, radius::FIELD, Stroke::new(2.0, cx.theme.colors.border));
    }
    clicked
}

/// The first key of a physical keyboard in this frame that the pad has too.
fn typed_key(ui: &Ui, has_point: bool) -> Option<PadKey> {
    ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            egui::Event::Text(text) => match text.as_bytes() {
                [digit] if digit.is_ascii_digit() => Some(PadKey::Digit(digit - b'0')),
                b"." if has_point => Some(PadKey::Point),
                _ => None,
            },
            egui::Event::Key { key: Key::Backspace, pressed: true, .. } => Some(PadKey::Delete),
            _ => None,
        })
    })
}
