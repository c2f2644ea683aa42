//! On-screen letter and digit keys: they give signs to whoever drew them.
//!
//! Refuses Chinese input (a later issue brings pinyin, strokes and handwriting) and never takes the focus.
use egui::{Rect, Ui, pos2, vec2};

use super::button::{Button, Kind, button};
use super::shape::well;
use super::{Cx, at};
use crate::theme::radius;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPress {
    /// A letter, digit or space.
    Sign(char),
    /// Take the last sign away.
    Delete,
    /// Take all away.
    Clear,
}

const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
/// Gap between letter keys; only these stand closer than other targets.
const GAP: f32 = 8.0;
const PAD: f32 = 24.0;

/// Least height of the keyboard; in a higher place the keys are higher.
pub fn keyboard_height(cx: &Cx<'_>) -> f32 {
    let key = cx.theme.metrics.target;
    2.0 * PAD + 5.0 * key + 4.0 * GAP
}

/// Draws the keyboard; gives the key that was pressed in this frame.
pub fn keyboard(ui: &mut Ui, cx: &Cx<'_>, rect: Rect) -> Option<KeyPress> {
    well(ui, cx, rect, radius::CARD, cx.theme.colors.sunken);
    let inner = rect.shrink(PAD);
    let height = (inner.height() - 4.0 * GAP) / 5.0;
    let width = (inner.width() - 9.0 * GAP) / 10.0;
    let mut pressed = None;
    for (i, (signs, shift)) in ROWS.iter().zip([0.0, 0.0, 0.5, 1.5]).enumerate() {
        let top = inner.top() + row_offset(i, height);
        for (column, sign) in signs.chars().enumerate() {
            let left = inner.left() + (row_part(column) + shift) * (width + GAP);
            let mut label = [0; 4];
            let look = Button::new(Kind::Key, sign.encode_utf8(&mut label));
            if button(ui, cx, at(left, top, width, height), &look).clicked() {
                pressed = Some(KeyPress::Sign(sign));
            }
        }
    }
    functions_ui(ui, cx, inner, (width, height)).or(pressed)
}

fn functions_ui(ui: &mut Ui, cx: &Cx<'_>, inner: Rect, (width, height): (f32, f32)) -> Option<KeyPress> {
    let top = inner.top() + row_offset(4, height);
    let side = 2.5 * width + 1.5 * GAP;
    let clear = at(inner.left(), top, side, height);
    let delete = Rect::from_min_size(pos2(inner.right() - side, top), vec2(side, height));
    let space = Rect::from_min_max(pos2(clear.right() + GAP, top), pos2(delete.left() - GAP, top + height));
    let keys = [
        (clear, Button::new(Kind::FunctionKey, cx.t("keyboard.clear")).icon("x"), KeyPress::Clear),
        (space, Button::new(Kind::Key, cx.t("keyboard.space")).lettering(cx.body()), KeyPress::Sign(' ')),
        (delete, Button::new(Kind::FunctionKey, cx.t("keyboard.delete")).icon("del"), KeyPress::Delete),
    ];
    let mut pressed = None;
    for (place, look, key) in keys {
        if button(ui, cx, place, &look).clicked() {
            pressed = Some(key);
        }
    }
    pressed
}

/// The text after a key.
pub fn apply(text: &str, key: KeyPress, max_chars: usize) -> String {
    let mut changed = text.to_owned();
    match key {
        KeyPress::Sign(sign) if changed.chars().count() < max_chars => changed.push(sign),
        KeyPress::Sign(_) => {}
        KeyPress::Delete => {
            changed.pop();
        }
        KeyPress::Clear => changed.clear(),
    }
    changed
}

#[allow(clippy::cast_precision_loss)] // ten columns, five rows
fn row_part(index: usize) -> f32 {
    index as f32
}

fn row_offset(row: usize, height: f32) -> f32 {
    row_part(row) * (height + GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_the_text_within_its_bound() {
        let cases = [
            ("yl", KeyPress::Sign('r'), 40, "ylr"),
            ("yl", KeyPress::Sign('r'), 2, "yl"),
            ("养老", KeyPress::Delete, 40, "养"),
            ("", KeyPress::Delete, 40, ""),
            ("yl", KeyPress::Clear, 40, ""),
        ];
        for (text, key, max, after) in cases {
            assert_eq!(apply(text, key, max), after, "{text} {key:?}");
        }
    }
}
