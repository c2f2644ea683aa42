//! Cards, rules, icons and the mark: filled and stroked shapes in theme colours. Refuses words and clicks.
use egui::epaint::Shadow;
use egui::{Color32, Painter, Rect, Shape, Stroke, StrokeKind, Ui, pos2, vec2};

use super::Cx;
use crate::icons::{LINE_WIDTH, outline, paint_lines};
use crate::theme::radius;

/// A card: surface with a shadow, or with a stroke in the elder and high-contrast looks.
pub fn card(ui: &Ui, cx: &Cx<'_>, rect: Rect, corner: u8) {
    let colors = &cx.theme.colors;
    if cx.theme.strokes_cards() {
        fill(ui.painter(), rect, corner, colors.surface);
        outline_rect(ui.painter(), rect, corner, Stroke::new(2.0, colors.border));
    } else {
        ui.painter().add(shadow(2, 10, 20).as_shape(rect, corner));
        fill(ui.painter(), rect, corner, colors.surface);
    }
}

/// A card of the usual radius.
pub fn large_card(ui: &Ui, cx: &Cx<'_>, rect: Rect) {
    card(ui, cx, rect, radius::CARD);
}

/// A filled well or banner; in high contrast it also has a stroke, because a tint alone is no boundary.
pub fn well(ui: &Ui, cx: &Cx<'_>, rect: Rect, corner: u8, color: Color32) {
    fill(ui.painter(), rect, corner, color);
    if cx.theme.high_contrast {
        outline_rect(ui.painter(), rect, corner, Stroke::new(2.0, cx.theme.colors.border));
    }
}

/// A filled rectangle with round corners.
pub fn fill(painter: &Painter, rect: Rect, corner: u8, color: Color32) {
    painter.rect_filled(rect, corner, color);
}

/// A stroke inside a rectangle, so that sizes do not move.
pub fn outline_rect(painter: &Painter, rect: Rect, corner: u8, stroke: Stroke) {
    painter.rect_stroke(rect, corner, stroke, StrokeKind::Inside);
}

/// A decorative line.
pub fn rule(ui: &Ui, cx: &Cx<'_>, left: f32, right: f32, y: f32) {
    ui.painter().line_segment([pos2(left, y), pos2(right, y)], Stroke::new(1.0, cx.theme.colors.line));
}

/// A shadow of the theme's ink: offset, blur, percent.
pub fn shadow(offset: i8, blur: u8, alpha: u8) -> Shadow {
    Shadow { offset: [0, offset], blur, spread: 0, color: Color32::from_rgba_unmultiplied(23, 40, 44, alpha) }
}

/// The ring of keyboard focus: a `rape` ring outside an `ink` ring, around the rectangle.
pub fn focus_ring(ui: &Ui, cx: &Cx<'_>, rect: Rect, corner: u8) {
    let colors = &cx.theme.colors;
    let ring = |by: f32, width: f32, color| {
        let corner = corner.saturating_add(8);
        ui.painter().rect_stroke(rect.expand(by), corner, Stroke::new(width, color), StrokeKind::Outside);
    };
    ring(2.0, 2.0, colors.ink);
    ring(4.0, 4.0, colors.rape);
}

/// An icon in a theme colour.
pub fn icon(ui: &Ui, cx: &Cx<'_>, rect: Rect, name: &str, color: Color32) {
    cx.kit.icons.paint(ui.painter(), rect, name, color);
}

/// An icon on its `brand50` block.
pub fn icon_block(ui: &Ui, cx: &Cx<'_>, rect: Rect, name: &str, icon_side: f32) {
    let corner = if rect.width() > 120.0 { radius::DIALOG } else { 20 };
    fill(ui.painter(), rect, corner, cx.theme.colors.brand50);
    let place = Rect::from_center_size(rect.center(), vec2(icon_side, icon_side));
    icon(ui, cx, place, name, cx.theme.colors.brand600);
}

/// The product's mark: two waves and the sun in a disc. The same in every look.
pub fn mark(ui: &Ui, rect: Rect) {
    let colors = &crate::theme::Theme::of(crate::model::Look::default()).colors;
    let scale = rect.width() / 56.0;
    let painter = ui.painter();
    painter.circle_filled(rect.center(), rect.width() / 2.0, colors.brand700);
    // The drawing has 56 units; lines are painted on a grid of 48.
    let grid = Rect::from_min_size(rect.min, rect.size() * (48.0 / 56.0));
    let waves = [
        ("M9 31c6-5 12-5 19 0s13 5 19 0", colors.on_brand),
        ("M14 41c5-4 9-4 14 0s9 4 14 0", colors.brand200),
    ];
    for (path, color) in waves {
        if let Ok(lines) = outline::parse(path) {
            paint_lines(painter, grid, &lines, Stroke::new(LINE_WIDTH + 1.0, color));
        }
    }
    painter.circle_filled(rect.min + vec2(37.0, 17.0) * scale, 6.5 * scale, colors.rape);
}

/// A dashed circle.
pub fn dashed_circle(ui: &Ui, rect: Rect, stroke: Stroke) {
    let line = outline::circle(rect.center(), rect.width() / 2.0 - stroke.width / 2.0);
    let mut points = line.points;
    points.extend(points.first().copied());
    ui.painter().extend(Shape::dashed_line(&points, stroke, 7.0, 5.0));
}
