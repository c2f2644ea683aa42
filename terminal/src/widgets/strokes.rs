//! Strokes of a signature: read from and written as the answer, and thinned so that it never gets too large.
//!
//! Refuses to draw and to judge: how few points are too few is the form's matter.
use domain::form::MAX_SIGNATURE_BYTES;
use serde_json::{Value, json};

/// A point: x and y in points of the pad, milliseconds since the first one.
pub type Point = [u32; 3];

/// The most strokes that are taken.
pub const MAX_STROKES: usize = 120;
/// The most points over all strokes.
pub const MAX_POINTS: usize = 480;
/// The most points of a stroke that is being drawn.
pub const MAX_DRAWN_POINTS: usize = 4_000;
/// The latest time that is told; later points say this.
pub const MAX_MS: u32 = 10_000_000;

/// Points closer than this (in points of the pad) say nothing new.
const FIRST_DISTANCE: f32 = 3.0;
/// Rounds of thinning; the last one leaves two points a stroke.
const ROUNDS: usize = 24;

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strokes {
    /// Strokes in order.
    pub strokes: Vec<Vec<Point>>,
    /// Width of the pad on which they were drawn.
    pub width: u32,
    /// Height of that pad.
    pub height: u32,
}

impl Strokes {
    /// Reads an answer; anything else is an empty signature.
    pub fn read(value: Option<&Value>) -> Self {
        let size = |key: &str| {
            let number = value.and_then(|v| v.get(key)).and_then(Value::as_u64).unwrap_or(1);
            u32::try_from(number).unwrap_or(1).clamp(1, 10_000)
        };
        let list = value.and_then(|v| v.get("strokes")).and_then(Value::as_array);
        let strokes = list
            .into_iter()
            .flatten()
            .take(MAX_STROKES)
            .map(|stroke| {
                stroke.as_array().into_iter().flatten().filter_map(point).take(MAX_DRAWN_POINTS).collect()
            })
            .filter(|stroke: &Vec<Point>| !stroke.is_empty())
            .collect();
        Self { strokes, width: size("width"), height: size("height") }
    }

    /// The answer, small enough for an envelope; `None` if nothing is drawn.
    pub fn write(&self) -> Option<Value> {
        if self.strokes.is_empty() {
            return None;
        }
        let mut distance = FIRST_DISTANCE;
        let mut value = Value::Null;
        for round in 1..=ROUNDS {
            let apart = if round == ROUNDS { f32::INFINITY } else { distance };
            let thin: Vec<Vec<Point>> =
                self.strokes.iter().take(MAX_STROKES).map(|stroke| thinned(stroke, apart)).collect();
            let points: usize = thin.iter().map(Vec::len).sum();
            value = json!({"strokes": thin, "width": self.width, "height": self.height});
            if points <= MAX_POINTS && value.to_string().len() <= MAX_SIGNATURE_BYTES {
                break;
            }
            distance *= 1.3;
        }
        Some(value)
    }

    /// When the last point was drawn.
    pub fn last_ms(&self) -> u32 {
        self.strokes.iter().flatten().map(|point| point[2]).max().unwrap_or(0)
    }

    /// Without its last stroke.
    pub fn undone(mut self) -> Self {
        self.strokes.pop();
        self
    }
}

fn point(value: &Value) -> Option<Point> {
    let [x, y, ms] = value.as_array()?.as_slice() else { return None };
    let whole = |number: &Value| number.as_u64().and_then(|n| u32::try_from(n).ok());
    Some([whole(x)?, whole(y)?, whole(ms)?])
}

/// First and last point, and those in between that lie at least so far from the one before.
fn thinned(stroke: &[Point], apart: f32) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for (at, point) in stroke.iter().enumerate() {
        let last = at + 1 == stroke.len();
        let far = kept.last().is_none_or(|before| distance(*before, *point) >= apart);
        if far || (last && kept.last() != Some(point)) {
            kept.push(*point);
        }
    }
    kept
}

#[allow(clippy::cast_precision_loss)] // a pad is a few thousand points wide
fn distance(a: Point, b: Point) -> f32 {
    let (dx, dy) = (a[0].abs_diff(b[0]) as f32, a[1].abs_diff(b[1]) as f32);
    dx.hypot(dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scribble(strokes: u32, points: u32) -> Strokes {
        let stroke =
            |s: u32| (0..points).map(|p| [(p * 7 + s) % 1728, (p * 13) % 520, s * 400 + p * 8]).collect();
        Strokes { strokes: (0..strokes).map(stroke).collect(), width: 1728, height: 520 }
    }

    #[test]
    fn a_signature_comes_back_as_it_was_drawn() {
        let drawn = scribble(3, 12);
        assert_eq!(Strokes::read(drawn.write().as_ref()), drawn);
        assert_eq!(drawn.clone().undone().strokes.len(), 2);
        assert_eq!(Strokes::default().write(), None);
    }

    #[test]
    fn it_is_thinned_until_it_fits() {
        for (strokes, points) in [(1, 4_000), (12, 900), (120, 300), (300, 40), (120, 2), (1, 1)] {
            let value = scribble(strokes, points).write().unwrap();
            assert!(value.to_string().len() <= MAX_SIGNATURE_BYTES, "{strokes} {points}");
            let read = Strokes::read(Some(&value));
            assert!(read.strokes.iter().map(Vec::len).sum::<usize>() <= MAX_POINTS);
            assert!(!read.strokes.is_empty());
        }
    }

    #[test]
    fn a_slow_short_stroke_keeps_its_ends_and_a_normal_one_its_shape() {
        let slow =
            Strokes { strokes: vec![(0..200).map(|p| [10 + p / 20, 5, p]).collect()], width: 9, height: 9 };
        let read = Strokes::read(slow.write().as_ref());
        let stroke = &read.strokes[0];
        assert_eq!((stroke[0], stroke[stroke.len() - 1]), ([10, 5, 0], [19, 5, 199]));
        let line = Strokes { strokes: vec![(0..60).map(|p| [p * 5, 5, p]).collect()], width: 9, height: 9 };
        assert_eq!(Strokes::read(line.write().as_ref()).strokes[0].len(), 60);
    }

    #[test]
    fn garbage_is_an_empty_signature() {
        for value in
            [json!(null), json!("x"), json!({"strokes": [[[1, 2]], [["a", 2, 3]], 7]}), json!({"strokes": 4})]
        {
            assert_eq!(Strokes::read(Some(&value)).strokes, Vec::<Vec<Point>>::new(), "{value}");
        }
    }
}
