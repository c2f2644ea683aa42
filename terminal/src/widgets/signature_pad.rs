//! A pad for a signature: strokes follow the finger; at the end of each stroke the answer is told.
//!
//! Refuses to keep strokes: only the one being drawn lives here (in egui's memory) until the finger leaves.
use egui::{Color32, Id, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use super::Cx;
use super::shape::{fill, outline_rect};
use super::strokes::{MAX_DRAWN_POINTS, MAX_MS, MAX_STROKES, Point, Strokes};
use super::text::text;
use crate::theme::radius;

/// Width of the line, in points.
pub const LINE_WIDTH: f32 = 13.0;

/// The stroke being drawn.
#[derive(Clone, Default)]
struct Drawing {
    /// The first point of the signature was drawn at this time of egui's clock, in seconds.
    started_s: f64,
    points: Vec<Point>,
}

/// Draws pad and strokes; gives the new strokes when a stroke ended in this frame.
///
/// `name` stands small under the line on which people write.
pub fn signature_pad(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, strokes: &Strokes, name: &str) -> Option<Strokes> {
    let id = ui.scope_id().with("signature_pad");
    let response = ui.interact(rect, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, cx.t("signature.pad")));
    frame_ui(ui, cx, rect, name);
    let mut drawing = ui.data(|data| data.get_temp::<Drawing>(id)).unwrap_or_default();
    let pointer = response.interact_pointer_pos();
    let holds = response.is_pointer_button_down_on() && strokes.strokes.len() < MAX_STROKES;
    if let (true, Some(position)) = (holds, pointer) {
        follow(ui, &mut drawing, strokes, rect, position);
    }
    paint(ui, rect, strokes, cx.theme.colors.ink);
    paint_stroke(ui, rect, 1.0, &drawing.points, cx.theme.colors.ink);
    let ended = (!holds && !drawing.points.is_empty()).then(|| {
        let mut all = scaled(strokes, rect);
        all.strokes.push(std::mem::take(&mut drawing.points));
        all
    });
    keep(ui, id, drawing);
    ended
}

fn frame_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, name: &str) {
    let colors = &cx.theme.colors;
    fill(ui.painter(), rect, radius::CARD, colors.surface);
    outline_rect(ui.painter(), rect, radius::CARD, Stroke::new(2.0, colors.border));
    let y = rect.bottom() - cx.theme.pick(118.0, 130.0);
    let (left, right) = (rect.left() + 122.0, rect.right() - 122.0);
    let line = Stroke::new(3.0, colors.line);
    ui.painter().extend(Shape::dashed_line(&[pos2(left, y), pos2(right, y)], line, 14.0, 12.0));
    let place = Rect::from_min_max(pos2(left, y + 16.0), pos2(right, rect.bottom() - 8.0));
    text(ui, cx, place, name, cx.small().color(colors.ink3).data());
}

fn follow(ui: &Ui, drawing: &mut Drawing, strokes: &Strokes, rect: Rect, position: egui::Pos2) {
    let now_s = ui.input(|input| input.time);
    if drawing.points.is_empty() && (strokes.strokes.is_empty() || drawing.started_s <= 0.0) {
        drawing.started_s = now_s - f64::from(strokes.last_ms()) / 1_000.0;
    }
    let inside = rect.shrink(LINE_WIDTH / 2.0).clamp(position) - rect.min;
    let ms = whole((now_s - drawing.started_s) * 1_000.0).min(MAX_MS);
    let point = [whole(f64::from(inside.x)), whole(f64::from(inside.y)), ms];
    let moved = drawing.points.last().is_none_or(|last| last[..2] != point[..2]);
    if moved && drawing.points.len() < MAX_DRAWN_POINTS {
        drawing.points.push(point);
    }
}

/// The strokes as if they had been drawn on this pad (the size of the text may have been switched in between).
fn scaled(strokes: &Strokes, rect: Rect) -> Strokes {
    let (width, height) = (whole(f64::from(rect.width())), whole(f64::from(rect.height())));
    if strokes.strokes.is_empty() || (strokes.width, strokes.height) == (width, height) {
        return Strokes { strokes: strokes.strokes.clone(), width, height };
    }
    let scale = f64::from(scale(strokes, rect));
    let move_point = |[x, y, ms]: &Point| [whole(f64::from(*x) * scale), whole(f64::from(*y) * scale), *ms];
    let moved = strokes.strokes.iter().map(|stroke| stroke.iter().map(move_point).collect()).collect();
    Strokes { strokes: moved, width, height }
}

/// Paints a signature into a rectangle, scaled to fit.
pub fn paint(ui: &Ui, rect: Rect, strokes: &Strokes, color: Color32) {
    for stroke in &strokes.strokes {
        paint_stroke(ui, rect, scale(strokes, rect), stroke, color);
    }
}

fn paint_stroke(ui: &Ui, rect: Rect, scale: f32, stroke: &[Point], color: Color32) {
    #[allow(clippy::cast_precision_loss)] // a pad is a few thousand points wide
    let place = |p: &Point| rect.min + egui::vec2(p[0] as f32, p[1] as f32) * scale;
    let points: Vec<egui::Pos2> = stroke.iter().map(place).collect();
    let width = LINE_WIDTH * scale;
    for point in &points {
        ui.painter().circle_filled(*point, width / 2.0, color);
    }
    ui.painter().add(Shape::line(points, Stroke::new(width, color)));
}

#[allow(clippy::cast_precision_loss)] // a pad is a few thousand points wide
fn scale(strokes: &Strokes, rect: Rect) -> f32 {
    (rect.width() / strokes.width.max(1) as f32).min(rect.height() / strokes.height.max(1) as f32)
}

fn keep(ui: &Ui, id: Id, drawing: Drawing) {
    ui.data_mut(|data| data.insert_temp(id, drawing));
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped first
fn whole(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(MAX_MS)) as u32
}
