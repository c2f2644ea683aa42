//! Where the page lies in a picture: what differs from the table, and the four lines that its outline follows.
//!
//! Refuses to guess: where table and page cannot be told apart, or the outline is no quadrilateral, nothing is found
//! and the whole picture is the page.
use super::corners::{Corners, Point};
use super::lines;
use super::raster::{Plane, Raster};

/// Pixels of the longer side that the search looks at.
const SIDE: usize = 320;
/// Share of the shorter side that is taken for table all around.
const RING: f32 = 0.03;
/// How far a pixel of the ring may be from its middle colour and still be table.
const NEAR: u8 = 45;
/// Share of the ring that must be table.
const LEAST_TABLE: f32 = 0.5;
/// How far page and table differ, at least, in the channel where they differ most.
const LEAST_STEP: f32 = 16.0;
/// Area of a page, at least, as a share of its picture.
const LEAST_AREA: f32 = 0.10;
/// Confidence from which on corners are believed.
const BELIEVED: f32 = 0.72;

/// Corners that were found, and how sure that is: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The corners.
    pub corners: Corners,
    /// Share of the outline that lies on straight sides, times how well the page fills them.
    pub confidence: f32,
}

/// Looks for a page on a table.
pub(super) fn find(picture: &Raster) -> Option<Found> {
    let small = picture.reduced(SIDE);
    let table = Table::of(&small)?;
    let differs = table.differences(&small);
    let page = Region::largest(&differs, step(&differs, table.noise))?;
    let (width, height) = (small.width(), small.height());
    if page.area < (LEAST_AREA * (width * height) as f32) as usize {
        return None;
    }
    let outline = page.outline();
    let points = lines::quadrilateral(&outline, width, height)?;
    let fraction =
        |p: Point| Point::new((p.x / width as f32).clamp(0.0, 1.0), (p.y / height as f32).clamp(0.0, 1.0));
    let corners = Corners::new(points.map(fraction)).ok()?;
    let confidence = lines::support(&outline, &points) * page.overlap(&corners);
    (confidence >= BELIEVED).then_some(Found { corners, confidence })
}

/// The table's colour: a plane for each channel, since light falls off to one side.
struct Table {
    planes: [[f32; 3]; 3],
    /// How much it varies beside that.
    noise: f32,
}

impl Table {
    /// From the pixels along the picture's border; none if they have no colour in common.
    fn of(picture: &Raster) -> Option<Self> {
        let ring = ring(picture);
        let middle = [0, 1, 2].map(|channel| {
            let mut values: Vec<u8> = ring.iter().map(|(_, color)| color[channel]).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or_default()
        });
        let table: Vec<_> = ring
            .iter()
            .filter(|(_, color)| color.iter().zip(middle).all(|(a, b)| a.abs_diff(b) <= NEAR))
            .collect();
        if (table.len() as f32) < LEAST_TABLE * ring.len() as f32 {
            return None;
        }
        let mut planes = [[0.0; 3]; 3];
        for (channel, plane) in planes.iter_mut().enumerate() {
            *plane = fitted(table.iter().map(|(at, color)| (*at, f32::from(color[channel])))).unwrap_or([
                f32::from(middle[channel]),
                0.0,
                0.0,
            ]);
        }
        let mut found = Self { planes, noise: 0.0 };
        let sum: f32 = table.iter().map(|(at, color)| found.difference(*at, *color).powi(2)).sum();
        found.noise = (sum / table.len() as f32).sqrt();
        Some(found)
    }

    /// How far a colour is from the table's in the channel where it is farthest.
    fn difference(&self, at: Point, color: [u8; 3]) -> f32 {
        let far = |channel: usize| {
            let [base, across, down] = self.planes[channel];
            (f32::from(color[channel]) - (base + across * at.x + down * at.y)).abs()
        };
        far(0).max(far(1)).max(far(2))
    }

    fn differences(&self, picture: &Raster) -> Plane {
        let (width, height) = (picture.width(), picture.height());
        let mut cells = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                cells.push(self.difference(place(picture, x, y), picture.at(x, y)).min(255.0) as u8);
            }
        }
        Plane { width, height, cells: cells.into() }
    }
}

/// From -1 to 1 in both directions.
fn place(picture: &Raster, x: usize, y: usize) -> Point {
    let fraction = |n: usize, size: usize| 2.0 * n as f32 / size as f32 - 1.0;
    Point::new(fraction(x, picture.width()), fraction(y, picture.height()))
}

/// Places and colours along the border.
fn ring(picture: &Raster) -> Vec<(Point, [u8; 3])> {
    let (width, height) = (picture.width(), picture.height());
    let deep = ((width.min(height) as f32 * RING) as usize).max(1);
    let border = |at: usize, size: usize| at < deep || at + deep >= size;
    let mut found = Vec::new();
    for y in 0..height {
        for x in (0..width).filter(|x| border(*x, width) || border(y, height)) {
            found.push((place(picture, x, y), picture.at(x, y)));
        }
    }
    found
}

/// The plane `base + across x + down y` nearest to these values (least squares, by Cramer's rule).
fn fitted(values: impl Iterator<Item = (Point, f32)>) -> Option<[f32; 3]> {
    let (mut m, mut r) = ([[0.0_f64; 3]; 3], [0.0_f64; 3]);
    for (at, value) in values {
        let row = [1.0, f64::from(at.x), f64::from(at.y)];
        for i in 0..3 {
            for j in 0..3 {
                m[i][j] += row[i] * row[j];
            }
            r[i] += row[i] * f64::from(value);
        }
    }
    let determinant = |m: &[[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let all = determinant(&m);
    if all.abs() < 1e-6 {
        return None;
    }
    let with = |column: usize| {
        let mut changed = m;
        for (row, value) in changed.iter_mut().zip(r) {
            row[column] = value;
        }
        (determinant(&changed) / all) as f32
    };
    Some([with(0), with(1), with(2)])
}

/// The difference that best parts table from page (Otsu 1979), above what the table varies anyway.
fn step(differs: &Plane, noise: f32) -> u8 {
    let mut counts = [0_f64; 256];
    for cell in differs.cells.iter() {
        counts[usize::from(*cell)] += 1.0;
    }
    let all: f64 = counts.iter().sum();
    let total: f64 = counts.iter().enumerate().map(|(level, count)| level as f64 * count).sum();
    let (mut below, mut sum, mut best, mut at) = (0.0, 0.0, 0.0, 0_u8);
    for (level, count) in (0_u8..=255).zip(counts) {
        below += count;
        sum += f64::from(level) * count;
        if below > 0.0 && below < all {
            let apart = sum / below - (total - sum) / (all - below);
            let between = below * (all - below) * apart * apart;
            if between > best {
                (best, at) = (between, level);
            }
        }
    }
    f32::from(at).max(LEAST_STEP).max(3.0 * noise).min(254.0) as u8
}

/// A connected part of a picture without holes.
struct Region {
    width: usize,
    height: usize,
    inside: Vec<bool>,
    area: usize,
}

impl Region {
    /// The largest part that differs by more than `step`, its holes filled.
    fn largest(differs: &Plane, step: u8) -> Option<Self> {
        let (width, height) = (differs.width, differs.height);
        let mut labels = vec![0_u32; width * height];
        let (mut label, mut best) = (0, (0, 0));
        for start in 0..labels.len() {
            if labels[start] == 0 && differs.cells[start] > step {
                label += 1;
                let area = flood((width, height), start, |at| {
                    let free = labels[at] == 0 && differs.cells[at] > step;
                    if free {
                        labels[at] = label;
                    }
                    free
                });
                best = best.max((area, label));
            }
        }
        if best.0 == 0 {
            return None;
        }
        // What cannot be reached from the border around it is inside.
        let mut outside = vec![false; width * height];
        let rim = (0..width).flat_map(|x| [x, (height - 1) * width + x]);
        let rim = rim.chain((0..height).flat_map(|y| [y * width, y * width + width - 1]));
        for start in rim {
            flood((width, height), start, |at| {
                let free = !outside[at] && labels[at] != best.1;
                outside[at] |= free;
                free
            });
        }
        let inside: Vec<bool> = outside.iter().map(|outside| !outside).collect();
        let area = inside.iter().filter(|inside| **inside).count();
        Some(Self { width, height, inside, area })
    }

    fn holds(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.inside[y * self.width + x]
    }

    /// Middles of the pixels along its border.
    fn outline(&self) -> Vec<Point> {
        let mut found = Vec::new();
        for y in 0..self.height {
            for x in (0..self.width).filter(|x| self.holds(*x, y)) {
                let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                if around.iter().any(|(x, y)| !self.holds(*x, *y)) {
                    found.push(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                }
            }
        }
        found
    }

    /// What it has in common with a page, of all that either has.
    fn overlap(&self, page: &Corners) -> f32 {
        let (mut both, mut either) = (0_u32, 0_u32);
        for y in 0..self.height {
            for x in 0..self.width {
                let at =
                    Point::new((x as f32 + 0.5) / self.width as f32, (y as f32 + 0.5) / self.height as f32);
                let (here, there) = (self.holds(x, y), page.holds(at));
                both += u32::from(here && there);
                either += u32::from(here || there);
            }
        }
        both as f32 / either.max(1) as f32
    }
}

/// Takes every pixel that can be reached from `start` over pixels that `take` takes; how many these are.
pub(super) fn flood(
    (width, height): (usize, usize),
    start: usize,
    mut take: impl FnMut(usize) -> bool,
) -> usize {
    let mut waiting = Vec::new();
    if take(start) {
        waiting.push(start);
    }
    let mut area = 0;
    while let Some(at) = waiting.pop() {
        area += 1;
        let (x, y) = (at % width, at / width);
        if x > 0 && take(at - 1) {
            waiting.push(at - 1);
        }
        if x + 1 < width && take(at + 1) {
            waiting.push(at + 1);
        }
        if y > 0 && take(at - width) {
            waiting.push(at - width);
        }
        if y + 1 < height && take(at + width) {
            waiting.push(at + width);
        }
    }
    area
}
