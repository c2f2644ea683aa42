//! A QR code: dark on white with its quiet zone, the same in every look, so that phones can read it.
//!
//! Refuses to know what the code says. Modules are whole pixels, otherwise thin white lines would run through it.
use domain::document::qr::QrCode;
use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Cx;
use crate::model::Look;
use crate::theme::{Theme, radius};

/// Light modules around the code that the standard asks for.
pub const QUIET_MODULES: usize = 4;

/// Draws a code in the middle of the square; `false` if the text does not fit into a code.
pub fn qr_ui(ui: &mut Ui, cx: &Cx<'_>, square: Rect, text: &str) -> bool {
    let Ok(code) = QrCode::new(text) else { return false };
    let colors = &Theme::of(Look::default()).colors;
    ui.painter().rect_filled(square, radius::FIELD, colors.surface);
    let pixels_per_point = ui.pixels_per_point();
    let snap = |points: f32| (points * pixels_per_point).round() / pixels_per_point;
    let modules = number(code.size + 2 * QUIET_MODULES);
    let module = (square.width() * pixels_per_point / modules).floor().max(1.0) / pixels_per_point;
    let side = module * number(code.size);
    let corner = square.center() - vec2(side, side) / 2.0;
    let corner = pos2(snap(corner.x), snap(corner.y));
    for (row, line) in code.dark.chunks(code.size.max(1)).enumerate() {
        for (from, to) in runs(line) {
            let min = corner + vec2(number(from), number(row)) * module;
            let size = vec2(number(to - from) * module, module);
            ui.painter().rect_filled(Rect::from_min_size(min, size), 0, colors.ink);
        }
    }
    let response = ui.interact(square, ui.scope_id().with("qr"), Sense::empty());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, cx.t("slip.qr")));
    true
}

/// Ranges of dark modules in a row.
fn runs(line: &[bool]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, dark) in line.iter().copied().chain([false]).enumerate() {
        match (dark, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

#[allow(clippy::cast_precision_loss)] // a code has at most 177 modules on a side
fn number(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_modules_are_joined_into_runs() {
        let line = [true, true, false, true, false, false, true];
        assert_eq!(runs(&line), [(0, 2), (3, 4), (6, 7)]);
        assert!(runs(&[false; 4]).is_empty());
        assert_eq!(runs(&[true; 4]), [(0, 4)]);
    }
}
