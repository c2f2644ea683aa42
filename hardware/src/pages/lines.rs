//! The four lines that an outline follows: a vote of its points (Duda and Hart 1972), the best four lines by how much of
//! the outline lies on them, and a fit of each line to its points.
//!
//! A finger across a side takes points away from it and adds none, so it does not move the line. Pure; refuses outlines
//! of less than some points.
use super::corners::Point;

/// Directions that are voted for, over half a turn.
const ANGLES: usize = 90;
/// Pixels between two distances that are voted for.
const STEP: f32 = 2.0;
/// Lines that are tried together, at most.
const LINES: usize = 10;
/// How far a point may be from a line that it belongs to, in pixels.
const NEAR: f32 = 2.5;
/// Points of an outline, at least.
const LEAST_POINTS: usize = 60;
/// Parts of a side that are looked at one by one for points.
const PARTS: usize = 24;

/// A line: all points p with `p · normal = distance`.
#[derive(Debug, Clone, Copy)]
struct Line {
    normal: Point,
    distance: f32,
}

impl Line {
    fn off(&self, p: Point) -> f32 {
        p.x * self.normal.x + p.y * self.normal.y - self.distance
    }

    /// Where two lines meet; none if they hardly do.
    fn meets(&self, other: &Self) -> Option<Point> {
        let turn = self.normal.cross(other.normal);
        (turn.abs() > 0.3).then(|| {
            Point::new(
                (self.distance * other.normal.y - other.distance * self.normal.y) / turn,
                (other.distance * self.normal.x - self.distance * other.normal.x) / turn,
            )
        })
    }
}

/// Corners of the quadrilateral that most of an outline follows, clockwise from the top left one, in pixels.
pub(super) fn quadrilateral(outline: &[Point], width: usize, height: usize) -> Option<[Point; 4]> {
    if outline.len() < LEAST_POINTS {
        return None;
    }
    let lines: Vec<Line> = voted(outline, (width as f32).hypot(height as f32));
    let lines: Vec<Line> = lines.into_iter().map(|line| fitted(line, outline)).collect();
    let mut best: Option<(f32, [Point; 4])> = None;
    for chosen in fours(lines.len()) {
        let Some(points) = around(chosen.map(|at| lines[at])) else { continue };
        let slack = NEAR * 2.0;
        let inside = |p: &Point| {
            (-slack..=width as f32 + slack).contains(&p.x) && (-slack..=height as f32 + slack).contains(&p.y)
        };
        if !points.iter().all(inside) {
            continue;
        }
        let score = support(outline, &points);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, points));
        }
    }
    best.map(|(_, points)| points)
}

/// Lines with most votes, far enough from each other.
fn voted(outline: &[Point], diagonal: f32) -> Vec<Line> {
    let normals: Vec<Point> = (0..ANGLES)
        .map(|at| (at as f32 * std::f32::consts::PI / ANGLES as f32).sin_cos())
        .map(|(sin, cos)| Point::new(cos, sin))
        .collect();
    let bins = (2.0 * diagonal / STEP) as usize + 2;
    let mut votes = vec![0_u32; bins * ANGLES];
    for p in outline {
        for (angle, normal) in normals.iter().enumerate() {
            let bin = ((p.x * normal.x + p.y * normal.y + diagonal) / STEP) as usize;
            votes[angle * bins + bin.min(bins - 1)] += 1;
        }
    }
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let Some((at, most)) = votes.iter().enumerate().max_by_key(|(_, votes)| **votes) else { break };
        if (*most as usize) < outline.len() / 40 {
            break;
        }
        let (angle, bin) = (at / bins, at % bins);
        lines.push(Line { normal: normals[angle], distance: (bin as f32 + 0.5) * STEP - diagonal });
        silence(&mut votes, bins, (angle, bin));
    }
    lines
}

/// Takes away the votes of a line and of those next to it. Half a turn on, the distance has the other sign.
fn silence(votes: &mut [u32], bins: usize, (angle, bin): (usize, usize)) {
    for turn in -6_i32..=6 {
        let at = angle as i32 + turn;
        let wraps = !(0..ANGLES as i32).contains(&at);
        let at = at.rem_euclid(ANGLES as i32) as usize;
        let bin = if wraps { bins.saturating_sub(1 + bin) } else { bin };
        for near in bin.saturating_sub(5)..(bin + 6).min(bins) {
            votes[at * bins + near] = 0;
        }
    }
}

/// A line moved to where its points are: three rounds of total least squares, each with the points near it.
fn fitted(mut line: Line, outline: &[Point]) -> Line {
    for near in [2.0 * NEAR, NEAR, NEAR] {
        let points: Vec<Point> = outline.iter().copied().filter(|p| line.off(*p).abs() <= near).collect();
        let count = points.len() as f32;
        if count < 8.0 {
            break;
        }
        let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.x / count, y + p.y / count));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for p in &points {
            xx += (p.x - x) * (p.x - x);
            xy += (p.x - x) * (p.y - y);
            yy += (p.y - y) * (p.y - y);
        }
        // The direction along the points, and its normal.
        let (sin, cos) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
        let normal = Point::new(-sin, cos);
        line = Line { normal, distance: normal.x * x + normal.y * y };
    }
    line
}

/// All choices of four out of `count`.
fn fours(count: usize) -> impl Iterator<Item = [usize; 4]> {
    (0..count).flat_map(move |a| {
        (a + 1..count)
            .flat_map(move |b| (b + 1..count).flat_map(move |c| (c + 1..count).map(move |d| [a, b, c, d])))
    })
}

/// The convex quadrilateral of four lines: the two that are most alike in direction lie opposite.
fn around(lines: [Line; 4]) -> Option<[Point; 4]> {
    let alike = |a: usize, b: usize| lines[a].normal.cross(lines[b].normal).abs();
    let pairs = [([0, 1], [2, 3]), ([0, 2], [1, 3]), ([0, 3], [1, 2])];
    let (one, two) = pairs.into_iter().min_by(|(a, b), (c, d)| {
        (alike(a[0], a[1]) + alike(b[0], b[1])).total_cmp(&(alike(c[0], c[1]) + alike(d[0], d[1])))
    })?;
    let meets = |a: usize, b: usize| lines[a].meets(&lines[b]);
    let points =
        [meets(one[0], two[0])?, meets(one[0], two[1])?, meets(one[1], two[1])?, meets(one[1], two[0])?];
    Some(from_top_left(points))
}

/// The same four points clockwise, beginning with the one nearest to the top left.
fn from_top_left(mut points: [Point; 4]) -> [Point; 4] {
    if points[0].to(points[2]).cross(points[1].to(points[3])) < 0.0 {
        points.reverse();
    }
    let nearest =
        (0..4).min_by(|a, b| (points[*a].x + points[*a].y).total_cmp(&(points[*b].x + points[*b].y)));
    points.rotate_left(nearest.unwrap_or(0));
    points
}

/// Share of a quadrilateral's sides that has points of the outline on it, times the share of the outline on its sides.
pub(super) fn support(outline: &[Point], points: &[Point; 4]) -> f32 {
    let mut hit = [[false; PARTS]; 4];
    let mut on = 0;
    for p in outline {
        let mut belongs = false;
        for (side, hit) in hit.iter_mut().enumerate() {
            let (from, to) = (points[side], points[(side + 1) % 4]);
            let (along, length) = (from.to(to), from.to(to).length());
            let off = along.cross(from.to(*p)) / length;
            let at = (along.x * (p.x - from.x) + along.y * (p.y - from.y)) / (length * length);
            if off.abs() <= NEAR && (0.0..1.0).contains(&at) {
                hit[(at * PARTS as f32) as usize] = true;
                belongs = true;
            }
        }
        on += usize::from(belongs);
    }
    let sides = hit.iter().flatten().filter(|hit| **hit).count() as f32 / (4 * PARTS) as f32;
    sides * (on as f32 / outline.len().max(1) as f32).sqrt()
}
