//! The drawn map: this station in the middle, rings of five, ten and fifteen minutes on foot, numbered pins, north,
//! a scale. Refuses streets, tiles and networks: it is made of longitudes and latitudes, and says that it is a sketch.
use domain::nearby::{Place, metres_in};
use egui::{Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::words::distance;
use crate::theme::radius;
use crate::widgets::shape::{dashed_circle, fill, outline_rect, well};
use crate::widgets::{Cx, Lettering, at, text, width_of};

/// Minutes of the rings, the widest last.
const RINGS: [u32; 3] = [5, 10, 15];
/// Radius of the point for this station.
const HERE: f32 = 22.0;
/// Room at the bottom for the scale, where no dot is drawn.
const SCALE_ROOM: f32 = 96.0;
/// Other stations that are drawn as dots.
pub const MAX_DOTS: usize = 120;
/// Room that a pin takes beside the place that it stands for.
const PIN_ROOM: f32 = 96.0;
/// A ring smaller than this is not drawn.
const MIN_RING: f32 = 28.0;
/// Where the head of a pin may stand as seen from its place, the first that is free.
const HEADS: [(f32, f32); 12] = [
    (0.0, -1.0),
    (0.7, -0.7),
    (-0.7, -0.7),
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.7, 0.7),
    (-0.7, 0.7),
    (0.0, 1.0),
    (0.0, -2.2),
    (1.6, -1.6),
    (-1.6, -1.6),
    (2.2, 0.0),
];

/// What is on the map.
pub struct Map<'m> {
    /// Where this terminal stands.
    pub here: Place,
    /// Numbered stations.
    pub pins: &'m [(usize, Place)],
    /// Other stations.
    pub dots: &'m [Place],
}

/// How metres become points.
struct Sheet {
    here: Place,
    middle: Pos2,
    points_per_m: f64,
}

impl Sheet {
    /// As large as it can be with all pins and the widest ring on it.
    fn of(rect: Rect, map: &Map<'_>) -> Self {
        let half = rect.size() / 2.0;
        let ring = f64::from((half.min_elem() - 20.0).max(1.0)) / metres_in(RINGS[RINGS.len() - 1]);
        let room = |length: f32| f64::from((length - PIN_ROOM).max(1.0));
        let fitting = map.pins.iter().map(|(_, place)| {
            let (east, north) = place.east_north_of(map.here);
            (room(half.x) / east.abs().max(1.0)).min(room(half.y) / north.abs().max(1.0))
        });
        Self { here: map.here, middle: rect.center(), points_per_m: fitting.fold(ring, f64::min) }
    }

    #[allow(clippy::cast_possible_truncation)] // points of a screen
    fn points(&self, metres: f64) -> f32 {
        (metres * self.points_per_m) as f32
    }

    fn at(&self, place: Place) -> Pos2 {
        let (east, north) = place.east_north_of(self.here);
        self.middle + vec2(self.points(east), -self.points(north))
    }
}

/// Draws the map.
pub fn map_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, map: &Map<'_>) {
    let name = cx.tf("stations.map", &[("count", &map.pins.len().to_string())]);
    let id = ui.scope_id().with(("map", rect.min.x.to_bits()));
    ui.interact(rect, id, Sense::empty()).widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let colors = &cx.theme.colors;
    fill(ui.painter(), rect, radius::CARD, colors.sunken);
    let sheet = Sheet::of(rect, map);
    ui.scope(|ui| {
        ui.set_clip_rect(rect.intersect(ui.clip_rect()));
        rings_ui(ui, cx, &sheet);
        for place in map.dots.iter().take(MAX_DOTS) {
            let dot = sheet.at(*place);
            if rect.shrink(16.0).contains(dot) && dot.y < rect.bottom() - SCALE_ROOM {
                ui.painter().circle(dot, 9.0, colors.surface, Stroke::new(4.0, colors.brand600));
            }
        }
        let here = here_ui(ui, cx, sheet.middle);
        pins_ui(ui, cx, rect, (&sheet, map.pins), here);
    });
    north_ui(ui, cx, rect);
    scale_ui(ui, cx, rect, &sheet);
    outline_rect(ui.painter(), rect, radius::CARD, Stroke::new(2.0, colors.border));
}

fn rings_ui(ui: &mut Ui, cx: &Cx<'_>, sheet: &Sheet) {
    let colors = &cx.theme.colors;
    let letters = cx.small().color(colors.ink).quiet();
    let widest = sheet.points(metres_in(RINGS[RINGS.len() - 1]));
    if widest >= MIN_RING {
        ui.painter().circle_filled(sheet.middle, widest, colors.brand50);
    }
    // Words stand at the north of a ring: below the middle it says where one is.
    let mut last = HERE;
    for minutes in RINGS {
        let size = sheet.points(metres_in(minutes));
        if size < MIN_RING {
            continue;
        }
        let place = Rect::from_center_size(sheet.middle, Vec2::splat(2.0 * size));
        dashed_circle(ui, place, Stroke::new(3.0, colors.brand600));
        let words = cx.tf("stations.ring", &[("minutes", &minutes.to_string())]);
        if size - last > letters.style.line + 12.0 {
            plate(ui, cx, sheet.middle - vec2(0.0, size), &words, letters);
            last = size;
        }
    }
}

/// Words on a plate whose middle is here; gives the plate.
fn plate(ui: &mut Ui, cx: &Cx<'_>, middle: Pos2, words: &str, letters: Lettering) -> Rect {
    let size = vec2(width_of(ui, words, letters) + 24.0, letters.style.line + 4.0);
    let rect = Rect::from_center_size(middle, size);
    well(ui, cx, rect, radius::BADGE, cx.theme.colors.surface);
    text(ui, cx, rect, words, letters.center());
    rect
}

/// This station: the one yellow point; gives the room that it takes.
fn here_ui(ui: &mut Ui, cx: &Cx<'_>, middle: Pos2) -> Rect {
    let colors = &cx.theme.colors;
    let painter = ui.painter();
    painter.circle_filled(middle, HERE, colors.surface);
    painter.circle(middle, 16.0, colors.rape, Stroke::new(3.0, colors.ink));
    let letters = cx.small().bold().color(colors.ink).quiet();
    let down = 30.0 + letters.style.line / 2.0;
    let words = plate(ui, cx, middle + vec2(0.0, down), cx.t("stations.here"), letters);
    words.union(Rect::from_center_size(middle, Vec2::splat(2.0 * HERE)))
}

fn pins_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (sheet, pins): (&Sheet, &[(usize, Place)]), here: Rect) {
    let colors = &cx.theme.colors;
    let size = cx.theme.pick(26.0, 34.0);
    let mut heads: Vec<Pos2> = Vec::new();
    for (_, place) in pins {
        let point = sheet.at(*place);
        heads.push(head_of(point, size, rect, (&heads, here)));
    }
    // All stems first: no head is crossed by one.
    for ((_, place), head) in pins.iter().zip(&heads) {
        stem(ui.painter(), sheet.at(*place), *head, Stroke::new(6.0, colors.brand700));
    }
    for ((number, _), head) in pins.iter().zip(&heads) {
        ui.painter().circle(*head, size, colors.brand700, Stroke::new(3.0, colors.surface));
        let place = Rect::from_center_size(*head, Vec2::splat(2.0 * size));
        let letters = cx.strong().color(colors.on_brand).center().quiet();
        text(ui, cx, place, &number.to_string(), letters);
    }
}

fn stem(painter: &Painter, from: Pos2, to: Pos2, stroke: Stroke) {
    painter.add(Shape::line_segment([from, to], stroke));
    painter.circle_filled(from, stroke.width, stroke.color);
}

/// Where the head of a pin stands: on the map, clear of the heads before and of this station, if that can be.
fn head_of(point: Pos2, size: f32, rect: Rect, (heads, here): (&[Pos2], Rect)) -> Pos2 {
    let room = rect.shrink(size + 8.0);
    let free = |head: &Pos2| {
        room.contains(*head)
            && !here.expand(size + 4.0).contains(*head)
            && heads.iter().all(|other| other.distance(*head) >= 2.0 * size + 6.0)
    };
    let heads_of = |(x, y): &(f32, f32)| point + vec2(*x, *y) * (size * 2.0);
    let found = HEADS.iter().map(heads_of).find(free);
    found.unwrap_or_else(|| (point - vec2(0.0, 2.0 * size)).clamp(room.min, room.max))
}

/// An arrow to the north.
fn north_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect) {
    let colors = &cx.theme.colors;
    let letters = cx.small().bold().color(colors.ink).quiet();
    let width = width_of(ui, cx.t("stations.north"), letters).max(40.0);
    let place =
        at(rect.right() - 20.0 - width - 24.0, rect.top() + 20.0, width + 24.0, letters.style.line + 60.0);
    well(ui, cx, place, radius::FIELD, colors.surface);
    let (top, bottom) =
        (pos2(place.center().x, place.top() + 10.0), pos2(place.center().x, place.top() + 52.0));
    let stroke = Stroke::new(4.0, colors.ink);
    for from in [bottom, top + vec2(-12.0, 16.0), top + vec2(12.0, 16.0)] {
        ui.painter().line_segment([from, top], stroke);
    }
    let words = Rect::from_min_max(pos2(place.left(), place.top() + 54.0), place.max);
    text(ui, cx, words, cx.t("stations.north"), letters.center());
}

/// How long so much of the map is, and that it is a sketch.
fn scale_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, sheet: &Sheet) {
    let colors = &cx.theme.colors;
    let letters = cx.small().color(colors.ink).quiet().middle();
    let metres = round_length(200.0 / sheet.points_per_m.max(1e-9));
    let length = sheet.points(metres);
    let words = distance(cx, metres);
    let sketch = cx.t("stations.sketch");
    let gap = 16.0;
    let (words_width, sketch_width) = (width_of(ui, &words, letters), width_of(ui, sketch, letters));
    let width = length + words_width + sketch_width + 4.0 * gap + 8.0;
    let height = letters.style.line + 20.0;
    let place = at(rect.left() + 20.0, rect.bottom() - 20.0 - height, width, height);
    well(ui, cx, place, radius::FIELD, colors.surface);
    let (left, y) = (place.left() + gap, place.center().y);
    let stroke = Stroke::new(4.0, colors.ink);
    ui.painter().hline(left..=left + length, y, stroke);
    for x in [left, left + length] {
        ui.painter().vline(x, y - 8.0..=y + 8.0, stroke);
    }
    let after = left + length + gap;
    text(ui, cx, at(after, place.top(), words_width + 2.0, height), &words, letters);
    let last = after + words_width + gap;
    text(ui, cx, at(last, place.top(), sketch_width + 2.0, height), sketch, letters);
}

/// The longest of 1, 2, 5, 10 … that is not longer than this.
fn round_length(most: f64) -> f64 {
    let power = 10.0_f64.powf(most.max(1.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|part| part * power).find(|length| *length <= most).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lon_e6: i64, lat_e6: i64) -> Place {
        Place { lon_e6, lat_e6 }
    }

    #[test]
    fn a_scale_is_a_round_length() {
        for (most, length) in [(1.0, 1.0), (4.9, 2.0), (199.0, 100.0), (520.0, 500.0), (0.0, 1.0)] {
            assert!((round_length(most) - length).abs() < 1e-9, "{most}");
        }
    }

    #[test]
    fn every_pin_lies_on_the_map_and_north_is_up() {
        let rect = at(0.0, 0.0, 900.0, 700.0);
        let here = place(101_780_000, 36_620_000);
        let cases: [&[(usize, Place)]; 5] = [
            &[],
            &[(1, place(101_790_000, 36_630_000)), (2, here), (3, here)],
            &[(1, place(0, 90_000_000)), (2, place(-78_220_000, -36_620_000))],
            &[(1, place(i64::MAX, i64::MIN)), (2, place(i64::MIN, i64::MAX))],
            &[(1, place(101_780_000, 36_630_000))],
        ];
        for pins in cases {
            let sheet = Sheet::of(rect, &Map { here, pins, dots: &[] });
            for (_, place) in pins {
                let point = sheet.at(*place);
                assert!(rect.contains(point), "{place:?} at {point:?}");
                let head = head_of(point, 26.0, rect, (&[], Rect::NOTHING));
                assert!(rect.contains(head) && head != point, "{place:?} {head:?}");
            }
        }
        let sheet = Sheet::of(rect, &Map { here, pins: cases[4], dots: &[] });
        assert!(sheet.at(cases[4][0].1).y < rect.center().y);
    }

    #[test]
    fn pins_of_one_place_stand_side_by_side() {
        let rect = at(0.0, 0.0, 900.0, 700.0);
        let mut heads: Vec<Pos2> = Vec::new();
        for _ in 0..6 {
            heads.push(head_of(rect.center(), 26.0, rect, (&heads, Rect::NOTHING)));
        }
        for (n, head) in heads.iter().enumerate() {
            assert!(heads[..n].iter().all(|other| other.distance(*head) >= 40.0), "{heads:?}");
        }
    }
}
