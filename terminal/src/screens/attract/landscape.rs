//! The drawn landscape of the attract page: sky, mountains, lake, rape field, in the illustration's colours.
//!
//! Refuses pictures from files: it is a handful of outlines on a 1920 x 1080 sheet, filled by ear clipping.
use std::sync::Arc;

use egui::{Color32, Id, Mesh, Painter, Pos2, Rect, Shape, Stroke, lerp, pos2, vec2};

use crate::icons::outline;
use crate::theme::landscape as colors;

const SHEET: egui::Vec2 = vec2(1920.0, 1080.0);
/// The most corners of an outline that are filled.
const MAX_CORNERS: usize = 600;

const FAR_RIDGE: &str = "M520 670C620 640 690 600 770 596C840 600 880 618 930 612L1090 516C1110 506 1130 520 1180 552L1318 432C1328 424 1336 424 1346 432L1452 512C1490 500 1520 472 1552 470C1610 490 1650 560 1700 566C1740 560 1770 532 1810 530C1860 540 1900 575 1930 580V700H520";
const SNOW: [&str; 2] = [
    "M1318 432C1328 424 1336 424 1346 432L1398 471 1372 484 1350 466 1328 490 1302 472 1272 486 1262 481",
    "M1090 516C1104 508 1116 512 1136 524L1150 533 1124 536 1100 528 1066 539 1056 536",
];
const SHADE: [&str; 2] = [
    "M1346 432L1452 512C1474 560 1500 620 1520 690L1390 690 1364 610 1384 562 1346 512 1358 468",
    "M1136 524L1180 552C1200 590 1216 640 1226 690L1130 690 1112 640 1128 590 1098 548 1124 536",
];
const HILLS_FAR: &str = "M-10 676C180 628 380 640 560 650S900 606 1120 636S1540 586 1930 640V720H-10";
const HILLS_NEAR: &str = "M-10 686C260 662 520 680 820 678S1420 648 1930 672V720H-10";
const FIELD: &str = "M-10 1030C400 1002 900 1046 1300 1032S1750 1008 1930 1016V1400H-10";
const FIELD_NEAR: &str = "M-10 1058C420 1036 900 1070 1300 1060S1750 1042 1930 1048V1400H-10";
const RIPPLES: &str = "M120 728h210M420 716h120M880 722h300M1660 726h180M620 740h120";
const GLINTS: &str = "M1420 708h140M1446 724h88M1466 740h48";
const SHORE: f32 = 696.0;

/// The landscape of one page. Reading outlines and cutting ears takes longer than all the rest of a frame, so it is
/// done once for a size of window.
#[derive(Clone)]
struct Drawn {
    page: Rect,
    shapes: Arc<[Shape]>,
}

/// Paints the landscape over the whole page, leaving nothing of it uncovered.
pub fn paint(painter: &Painter, page: Rect) {
    let id = Id::unique("landscape");
    let known = painter.ctx().data(|data| data.get_temp::<Drawn>(id)).filter(|drawn| drawn.page == page);
    let drawn = known.unwrap_or_else(|| {
        let drawn = Drawn { page, shapes: shapes(page).into() };
        painter.ctx().data_mut(|data| data.insert_temp(id, drawn.clone()));
        drawn
    });
    painter.extend(drawn.shapes.iter().cloned());
}

fn shapes(page: Rect) -> Vec<Shape> {
    let sheet = Sheet::over(page);
    let mut out = Vec::new();
    let sky = [(0.0, colors::SKY_TOP), (420.0, colors::SKY_MIDDLE), (SHORE, colors::SKY_LOW)];
    sheet.bands(&mut out, page, &sky);
    out.push(Shape::circle_filled(sheet.at(pos2(1490.0, 400.0)), 58.0 * sheet.scale, colors::SUN));
    sheet.area(&mut out, FAR_RIDGE, (colors::FAR_TOP, colors::FAR_LOW));
    for shade in SHADE {
        sheet.area(&mut out, shade, (colors::SHADE, colors::FAR_TOP));
    }
    for snow in SNOW {
        sheet.area(&mut out, snow, (colors::SNOW, colors::SNOW));
    }
    sheet.area(&mut out, HILLS_FAR, (colors::HILL_FAR, colors::HILL_FAR));
    sheet.area(&mut out, HILLS_NEAR, (colors::HILL_NEAR, colors::HILL_NEAR));
    let lake = [(SHORE, colors::LAKE_TOP), (876.0, colors::LAKE_MIDDLE), (1180.0, colors::LAKE_LOW)];
    sheet.bands(&mut out, page, &lake);
    sheet.lines(&mut out, RIPPLES, Stroke::new(4.0, colors::WAVE));
    sheet.lines(&mut out, GLINTS, Stroke::new(6.0, colors::GLINT));
    sheet.area(&mut out, FIELD, (colors::FIELD, colors::FIELD));
    sheet.area(&mut out, FIELD_NEAR, (colors::FIELD_NEAR, colors::FIELD_NEAR));
    out
}

/// The drawing scaled so that it covers the page, standing on its bottom.
struct Sheet {
    origin: Pos2,
    scale: f32,
}

impl Sheet {
    fn over(page: Rect) -> Self {
        let scale = (page.width() / SHEET.x).max(page.height() / SHEET.y);
        let origin = pos2(page.center().x - SHEET.x * scale / 2.0, page.bottom() - SHEET.y * scale);
        Self { origin, scale }
    }

    fn at(&self, point: Pos2) -> Pos2 {
        self.origin + point.to_vec2() * self.scale
    }

    /// Full-width bands that run from colour to colour.
    fn bands(&self, out: &mut Vec<Shape>, page: Rect, stops: &[(f32, Color32)]) {
        for pair in stops.windows(2) {
            let [(from, upper), (to, lower)] = pair else { continue };
            let (top, bottom) = (self.at(pos2(0.0, *from)).y, self.at(pos2(0.0, *to)).y);
            let mut mesh = Mesh::default();
            for (y, color) in [(top, *upper), (bottom, *lower)] {
                mesh.colored_vertex(pos2(page.left(), y), color);
                mesh.colored_vertex(pos2(page.right(), y), color);
            }
            mesh.add_triangle(0, 1, 2);
            mesh.add_triangle(1, 3, 2);
            out.push(Shape::mesh(mesh));
        }
    }

    /// A filled outline that runs from one colour at its top to another at its foot.
    fn area(&self, out: &mut Vec<Shape>, path: &str, (top, foot): (Color32, Color32)) {
        let Ok(lines) = outline::parse(path) else { return };
        let Some(line) = lines.first().filter(|line| line.points.len() <= MAX_CORNERS) else { return };
        let points: Vec<Pos2> = line.points.iter().map(|point| self.at(*point)).collect();
        let high = points.iter().map(|p| p.y).fold(f32::MAX, f32::min);
        let low = points.iter().map(|p| p.y).fold(f32::MIN, f32::max);
        let color = |y: f32| mixed(top, foot, (y - high) / (low - high).max(1.0));
        let mut mesh = Mesh::default();
        for point in &points {
            mesh.colored_vertex(*point, color(point.y));
        }
        for [a, b, c] in ears(&points) {
            mesh.add_triangle(a, b, c);
        }
        out.push(Shape::mesh(mesh));
        // A mesh has hard edges; a thin line of the same colour smooths the visible upper one.
        for pair in points.windows(2) {
            let [from, to] = pair else { continue };
            out.push(Shape::line_segment([*from, *to], Stroke::new(1.5, color((from.y + to.y) / 2.0))));
        }
    }

    fn lines(&self, out: &mut Vec<Shape>, path: &str, stroke: Stroke) {
        for line in outline::parse(path).unwrap_or_default() {
            let points: Vec<Pos2> = line.points.iter().map(|point| self.at(*point)).collect();
            for end in [points.first(), points.last()].into_iter().flatten() {
                out.push(Shape::circle_filled(*end, stroke.width * self.scale / 2.0, stroke.color));
            }
            out.push(Shape::line(points, Stroke::new(stroke.width * self.scale, stroke.color)));
        }
    }
}

fn mixed(top: Color32, foot: Color32, t: f32) -> Color32 {
    let t = t.clamp(0.0, 1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // stays between two bytes
    let channel = |a: u8, b: u8| lerp(f32::from(a)..=f32::from(b), t).round() as u8;
    Color32::from_rgb(channel(top.r(), foot.r()), channel(top.g(), foot.g()), channel(top.b(), foot.b()))
}

/// Triangles of a simple polygon, by cutting ears; ends early rather than never on a tangled one.
fn ears(points: &[Pos2]) -> Vec<[u32; 3]> {
    let mut left: Vec<usize> = (0..points.len()).collect();
    let sign = area_of(points).signum();
    let mut triangles = Vec::new();
    while left.len() >= 3 {
        let count = left.len();
        let ear = (0..count).find(|i| is_ear(points, &left, *i, sign));
        let Some(i) = ear else { break };
        let corner = |at: usize| u32::try_from(left[at % count]).unwrap_or(0);
        triangles.push([corner(i + count - 1), corner(i), corner(i + 1)]);
        left.remove(i);
    }
    triangles
}

fn is_ear(points: &[Pos2], left: &[usize], i: usize, sign: f32) -> bool {
    let count = left.len();
    let corners = [left[(i + count - 1) % count], left[i], left[(i + 1) % count]];
    let [a, b, c] = corners.map(|corner| points[corner]);
    if cross(a, b, c) * sign < 0.0 {
        return false;
    }
    let inside =
        |p: Pos2| cross(a, b, p) * sign > 0.0 && cross(b, c, p) * sign > 0.0 && cross(c, a, p) * sign > 0.0;
    !left.iter().any(|other| !corners.contains(other) && inside(points[*other]))
}

fn cross(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

fn area_of(points: &[Pos2]) -> f32 {
    let next = points.iter().cycle().skip(1);
    points.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outline_of_the_drawing_is_filled_completely() {
        let areas =
            [FAR_RIDGE, SNOW[0], SNOW[1], SHADE[0], SHADE[1], HILLS_FAR, HILLS_NEAR, FIELD, FIELD_NEAR];
        for path in areas {
            let points = outline::parse(path).unwrap().remove(0).points;
            let triangles = ears(&points);
            assert_eq!(triangles.len(), points.len() - 2, "{path}");
            let filled: f32 =
                triangles.iter().map(|t| area_of(&t.map(|corner| points[corner as usize])).abs()).sum();
            assert!((filled - area_of(&points).abs()).abs() < 1.0, "{path}");
        }
    }
}
