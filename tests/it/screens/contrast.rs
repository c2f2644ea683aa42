//! Contrast of what was really painted: every text against the surface that lies under it.
//!
//! Refuses to trust names: it reads the shapes of a frame in the order in which they were painted.
use std::sync::Arc;

use egui::epaint::{ClippedShape, Shape, TextShape};
use egui::{Color32, Mesh, Pos2};
use terminal::theme::contrast;

/// Text from this size on needs less.
const LARGE_POINTS: f32 = 28.0;
const LEAST: f32 = 4.5;
const LEAST_LARGE: f32 = 3.0;

/// Texts whose contrast is too low, in words.
pub fn weak_texts(shapes: &[ClippedShape]) -> Vec<String> {
    let mut painted: Vec<&Shape> = Vec::new();
    shapes.iter().for_each(|clipped| flatten(&clipped.shape, &mut painted));
    let mut weak = Vec::new();
    for (index, shape) in painted.iter().enumerate() {
        let Shape::Text(text) = shape else { continue };
        let (below, _) = painted.split_at(index);
        weak.extend(judge(text, below));
    }
    weak
}

/// All words that were painted, in order.
pub fn painted_words(shapes: &[ClippedShape]) -> Vec<String> {
    let mut painted: Vec<&Shape> = Vec::new();
    shapes.iter().for_each(|clipped| flatten(&clipped.shape, &mut painted));
    let words = painted.into_iter().filter_map(|shape| match shape {
        Shape::Text(text) => Some(text.galley.text().to_owned()),
        _ => None,
    });
    words.collect()
}

/// Words that were painted with an ellipsis in the place of their end.
pub fn elided_words(shapes: &[ClippedShape]) -> Vec<String> {
    let mut painted: Vec<&Shape> = Vec::new();
    shapes.iter().for_each(|clipped| flatten(&clipped.shape, &mut painted));
    let words = painted.into_iter().filter_map(|shape| match shape {
        Shape::Text(text) if text.galley.elided => Some(text.galley.text().to_owned()),
        _ => None,
    });
    words.collect()
}

fn flatten<'s>(shape: &'s Shape, painted: &mut Vec<&'s Shape>) {
    match shape {
        Shape::Vec(inner) => inner.iter().for_each(|shape| flatten(shape, painted)),
        other => painted.push(other),
    }
}

fn judge(text: &TextShape, below: &[&Shape]) -> Vec<String> {
    let middle = text.pos + text.galley.rect.center().to_vec2();
    let Some(ground) = below.iter().rev().find_map(|shape| color_at(shape, middle)) else {
        return vec![format!("`{}` stands on nothing", text.galley.text())];
    };
    let mut weak = Vec::new();
    for section in &text.galley.job.sections {
        let color = text.override_text_color.unwrap_or(section.format.color);
        let color = if color == Color32::PLACEHOLDER { text.fallback_color } else { color };
        let least = if section.format.font_id.size >= LARGE_POINTS { LEAST_LARGE } else { LEAST };
        let found = contrast(color, ground);
        if found < least {
            weak.push(format!("`{}` has {found:.2}: {color:?} on {ground:?}", text.galley.text()));
        }
    }
    weak
}

/// The opaque colour that a shape gives to a point, if it covers it.
fn color_at(shape: &Shape, point: Pos2) -> Option<Color32> {
    let color = match shape {
        Shape::Rect(rect) if rect.blur_width == 0.0 && rect.rect.contains(point) => rect.fill,
        Shape::Circle(circle) if circle.center.distance(point) < circle.radius => circle.fill,
        Shape::Mesh(mesh) => return mesh_color(mesh, point),
        _ => Color32::TRANSPARENT,
    };
    color.is_opaque().then_some(color)
}

/// The colour of a mesh at a point, mixed from the corners of the triangle that covers it.
fn mesh_color(mesh: &Arc<Mesh>, point: Pos2) -> Option<Color32> {
    for triangle in mesh.indices.chunks_exact(3) {
        let corners = [triangle[0], triangle[1], triangle[2]].map(|i| mesh.vertices[i as usize]);
        let cross = |a: Pos2, b: Pos2| (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x);
        let [a, b, c] = corners.map(|corner| corner.pos);
        let parts = [cross(b, c), cross(c, a), cross(a, b)];
        let whole: f32 = parts.iter().sum();
        if whole == 0.0 || parts.iter().any(|part| part / whole < 0.0) {
            continue;
        }
        let channel = |of: fn(&Color32) -> u8| {
            let mixed: f32 =
                corners.iter().zip(parts).map(|(v, part)| f32::from(of(&v.color)) * part / whole).sum();
            mixed.round().clamp(0.0, 255.0) as u8
        };
        return Some(Color32::from_rgb(channel(Color32::r), channel(Color32::g), channel(Color32::b)));
    }
    None
}

#[test]
fn grey_on_white_is_found() {
    let weak = |color| {
        let fonts = terminal::fonts::load(&super::stage::assets(), terminal::fonts::FontChoice::System)
            .expect("fonts");
        let mut harness = egui_kittest::Harness::builder()
            .with_context_setup(move |context| context.set_fonts(fonts.definitions))
            .build_ui(move |ui: &mut egui::Ui| {
                let rect = egui::Rect::from_min_size(Pos2::ZERO, egui::vec2(400.0, 200.0));
                ui.painter().rect_filled(rect, 0, Color32::WHITE);
                let font = egui::FontId::proportional(20.0);
                ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, "word", font, color);
            });
        harness.run_steps(1);
        weak_texts(&harness.output().shapes).len()
    };
    assert_eq!((weak(Color32::from_gray(170)), weak(Color32::BLACK)), (1, 0));
}
