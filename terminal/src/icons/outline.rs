//! Outlines as text: the small part of the SVG path language that the icons use, flattened to points.
//!
//! Refuses anything else (no quadratic curves, no fills, no transforms) and anything endless: a path has at most
//! [`MAX_COMMANDS`] commands.
use egui::{Pos2, Rect, Vec2, pos2, vec2};

/// The most commands of a path.
pub const MAX_COMMANDS: usize = 400;
/// Points of a flattened curve.
const CURVE_STEPS: usize = 12;

/// A line of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its points.
    pub points: Vec<Pos2>,
    /// The last point is joined to the first.
    pub closed: bool,
}

/// Why an outline cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// A sign that is no command and no number.
    #[error("unknown sign {0:?}")]
    Sign(char),
    /// A command has too few numbers.
    #[error("command {0:?} lacks a number")]
    Number(char),
    /// Too many commands.
    #[error("too long")]
    TooLong,
}

/// Reads `M L H V C S A Z` and their relative forms.
///
/// # Errors
/// [`OutlineError`].
pub fn parse(path: &str) -> Result<Vec<Line>, OutlineError> {
    let mut scan = Scan { rest: path };
    let mut pen = Pen::default();
    let mut command = 'M';
    for _ in 0..MAX_COMMANDS {
        scan.skip_separators();
        let Some(sign) = scan.rest.chars().next() else { return Ok(pen.finish()) };
        if sign.is_ascii_alphabetic() {
            command = sign;
            scan.rest = &scan.rest[1..];
        }
        draw(&mut pen, &mut scan, command)?;
        command = match command {
            'M' => 'L',
            'm' => 'l',
            other => other,
        };
    }
    Err(OutlineError::TooLong)
}

/// A circle.
pub fn circle(center: Pos2, radius: f32) -> Line {
    let steps = 40;
    let points = (0..steps).map(|i| center + radius * Vec2::angled(std::f32::consts::TAU * part(i, steps)));
    Line { points: points.collect(), closed: true }
}

/// A rectangle with round corners.
pub fn round_rect(rect: Rect, radius: f32) -> Line {
    let corners = [
        (pos2(rect.right() - radius, rect.top() + radius), -0.25),
        (pos2(rect.right() - radius, rect.bottom() - radius), 0.0),
        (pos2(rect.left() + radius, rect.bottom() - radius), 0.25),
        (pos2(rect.left() + radius, rect.top() + radius), 0.5),
    ];
    let mut points = Vec::new();
    for (center, turn) in corners {
        let steps = if radius > 0.0 { 6 } else { 0 };
        for i in 0..=steps {
            let angle = std::f32::consts::TAU * (turn + 0.25 * if steps == 0 { 0.0 } else { part(i, steps) });
            points.push(center + radius * Vec2::angled(angle));
        }
    }
    Line { points, closed: true }
}

#[allow(clippy::cast_precision_loss)] // counts here are below a hundred
fn part(i: usize, of: usize) -> f32 {
    i as f32 / of as f32
}

#[derive(Default)]
struct Pen {
    lines: Vec<Line>,
    points: Vec<Pos2>,
    at: Pos2,
    start: Pos2,
    /// Second control point of the last curve, for `S`.
    control: Option<Pos2>,
}

impl Pen {
    fn move_to(&mut self, to: Pos2) {
        self.end(false);
        self.at = to;
        self.start = to;
    }

    fn line_to(&mut self, to: Pos2) {
        if self.points.is_empty() {
            self.points.push(self.at);
        }
        self.points.push(to);
        self.at = to;
    }

    fn curve_to(&mut self, first: Pos2, second: Pos2, to: Pos2) {
        let from = self.at;
        for i in 1..=CURVE_STEPS {
            let t = part(i, CURVE_STEPS);
            let s = 1.0 - t;
            let sum = s * s * s * from.to_vec2()
                + 3.0 * s * s * t * first.to_vec2()
                + 3.0 * s * t * t * second.to_vec2()
                + t * t * t * to.to_vec2();
            self.line_to(sum.to_pos2());
        }
        self.control = Some(second);
    }

    /// An arc of a circle (both radii are the same in our drawings).
    fn arc_to(&mut self, radius: f32, large: bool, sweep: bool, to: Pos2) {
        let from = self.at;
        let chord = to - from;
        let half = chord.length() / 2.0;
        if half == 0.0 {
            return;
        }
        let radius = radius.max(half);
        let height = (radius * radius - half * half).max(0.0).sqrt();
        let side = if large == sweep { 1.0 } else { -1.0 };
        let center = from + chord / 2.0 + side * height * vec2(chord.y, -chord.x) / (2.0 * half);
        let start = (from - center).angle();
        let mut turn = (to - center).angle() - start;
        if sweep && turn < 0.0 {
            turn += std::f32::consts::TAU;
        } else if !sweep && turn > 0.0 {
            turn -= std::f32::consts::TAU;
        }
        let steps = CURVE_STEPS * if large { 3 } else { 1 };
        for i in 1..steps {
            self.line_to(center + radius * Vec2::angled(start + turn * part(i, steps)));
        }
        self.line_to(to);
    }

    fn end(&mut self, closed: bool) {
        let points = std::mem::take(&mut self.points);
        if points.len() > 1 {
            self.lines.push(Line { points, closed });
        }
    }

    fn finish(mut self) -> Vec<Line> {
        self.end(false);
        self.lines
    }
}

fn draw(pen: &mut Pen, scan: &mut Scan<'_>, command: char) -> Result<(), OutlineError> {
    let base = if command.is_ascii_lowercase() { pen.at.to_vec2() } else { Vec2::ZERO };
    let mut number = || scan.number().ok_or(OutlineError::Number(command));
    let last_control = pen.control.take();
    match command.to_ascii_uppercase() {
        'M' => pen.move_to(pos2(number()?, number()?) + base),
        'L' => pen.line_to(pos2(number()?, number()?) + base),
        'H' => pen.line_to(pos2(number()? + base.x, pen.at.y)),
        'V' => pen.line_to(pos2(pen.at.x, number()? + base.y)),
        'C' => {
            let first = pos2(number()?, number()?) + base;
            let second = pos2(number()?, number()?) + base;
            pen.curve_to(first, second, pos2(number()?, number()?) + base);
        }
        'S' => {
            let first = last_control.map_or(pen.at, |control| pen.at + (pen.at - control));
            let second = pos2(number()?, number()?) + base;
            pen.curve_to(first, second, pos2(number()?, number()?) + base);
        }
        'A' => {
            let radius = number()?;
            let (_, _) = (number()?, number()?);
            let (large, sweep) = (number()? != 0.0, number()? != 0.0);
            pen.arc_to(radius, large, sweep, pos2(number()?, number()?) + base);
        }
        'Z' => {
            let start = pen.start;
            pen.end(true);
            pen.at = start;
        }
        _ => return Err(OutlineError::Sign(command)),
    }
    Ok(())
}

struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn skip_separators(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', ',', '\n']);
    }

    /// A number; `12-3` are two, `.5.5` are two.
    fn number(&mut self) -> Option<f32> {
        self.skip_separators();
        let mut dot = false;
        let end = self.rest.char_indices().find(|(i, sign)| match sign {
            '-' => *i > 0,
            '.' => std::mem::replace(&mut dot, true),
            other => !other.is_ascii_digit(),
        });
        let (number, rest) = self.rest.split_at(end.map_or(self.rest.len(), |(i, _)| i));
        let value = number.parse().ok()?;
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(path: &str) -> Vec<(f32, f32)> {
        parse(path).unwrap().iter().map(|l| l.points.last().map_or((0.0, 0.0), |p| (p.x, p.y))).collect()
    }

    #[test]
    fn commands_end_where_they_say() {
        let cases: &[(&str, &[(f32, f32)])] = &[
            ("M1 2L3 4", &[(3.0, 4.0)]),
            ("M1 2l3-4 1.5.5", &[(5.5, -1.5)]),
            ("M1 2h4v5H2V3", &[(2.0, 3.0)]),
            ("M0 0c1 1 2 2 4 4s2 2 4 4", &[(8.0, 8.0)]),
            ("M8 19a16 16 0 0 1 32 0M1 1h2", &[(40.0, 19.0), (3.0, 1.0)]),
            ("M1 1h2v2z", &[(3.0, 3.0)]),
        ];
        for (path, expected) in cases {
            assert_eq!(ends(path), *expected, "{path}");
        }
    }

    #[test]
    fn an_arc_bulges_to_the_side_that_its_flags_say() {
        let top = |path: &str| parse(path).unwrap()[0].points.iter().map(|p| p.y).fold(f32::MAX, f32::min);
        assert!(top("M0 10a10 10 0 0 1 20 0") < 0.5, "sweep 1 from left to right goes over the top");
        assert!(top("M0 10a10 10 0 0 0 20 0") > 9.5, "sweep 0 goes below");
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse("M1"), Err(OutlineError::Number('M')));
        assert_eq!(parse("M1 1Q1 1 2 2"), Err(OutlineError::Sign('Q')));
        assert_eq!(parse(&"M1 1".repeat(500)), Err(OutlineError::TooLong));
        assert_eq!(parse("é"), Err(OutlineError::Number('M')));
    }
}
