//! Simulator: drawn pages on a drawn table, with the faults that photos of pages have. Nobody's papers.
//!
//! The same description draws the same picture on every machine. Strokes stand in for text: nothing can be read.
//! Refuses to look real enough to be taken for a document.
use std::io::Cursor;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::corners::{Corners, Point};
use super::raster::Raster;
use super::straighten::Homography;

/// Width of the drawn paper by its height: A4.
const ASPECT: f32 = 210.0 / 297.0;
/// Height of the paper by that of the picture.
const FILLS: f32 = 0.80;
/// Skin, light to dark.
const SKIN: [[u8; 3]; 4] = [[236, 188, 160], [224, 172, 140], [198, 134, 96], [141, 85, 60]];

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invented {
    /// Chooses words, places and jitter.
    pub seed: u64,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Whether there is a table around the page; otherwise the page is the whole picture, as a scanner sees it.
    pub table: Option<[u8; 3]>,
    /// Whether there is text on the page.
    pub text: bool,
    /// How far the page is turned, in radians.
    pub tilt: f32,
    /// How far each corner is out of its place, as a share of the page.
    pub skew: f32,
    /// How often the picture is averaged over three by three pixels.
    pub soft: u8,
    /// A light mirrored on the page.
    pub glare: bool,
    /// A finger over its border.
    pub finger: bool,
    /// How much light there is; 1 is good.
    pub light: f32,
    /// How far a pixel may be off, of 255.
    pub noise: u8,
}

impl Default for Invented {
    fn default() -> Self {
        Self {
            seed: 1,
            width: 1_200,
            height: 900,
            table: Some([92, 78, 66]),
            text: true,
            tilt: 0.0,
            skew: 0.02,
            soft: 0,
            glare: false,
            finger: false,
            light: 1.0,
            noise: 6,
        }
    }
}

/// Numbers that look random (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From `low` up to `high`.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1_u64 << 24) as f32)
    }
}

/// A finger or a light, in units of the page's height from its top left corner.
struct Spot {
    from: Point,
    to: Point,
    radius: f32,
}

impl Spot {
    /// How far a place is from the spot's edge; below 0 is inside.
    fn off(&self, at: Point) -> f32 {
        let (along, here) = (self.from.to(self.to), self.from.to(at));
        let length = along.length().max(1e-6);
        let share = ((along.x * here.x + along.y * here.y) / (length * length)).clamp(0.0, 1.0);
        here.to(Point::new(along.x * share, along.y * share)).length() - self.radius
    }
}

impl Invented {
    /// Draws the picture; also where the page's corners are.
    pub fn draw(&self) -> (Raster, Corners) {
        let mut dice = Dice(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let corners = self.corners(&mut dice);
        let tall = self.height as f32 * if self.table.is_some() { FILLS } else { 1.0 };
        let paper = self.paper(tall as usize, &mut dice);
        let (finger, glare) = (finger(&mut dice), glare(&mut dice));
        let skin = SKIN[(dice.next() % 4) as usize];
        let (size, seen) = ((self.width as f32, self.height as f32), corners.points());
        let map = Homography::onto(seen.map(|p| Point::new(p.x * size.0, p.y * size.1))).inverse();
        let fall = (dice.between(-0.10, 0.10), dice.between(-0.10, 0.10));
        let mut picture = Raster::plain(self.width, self.height, self.table.unwrap_or([200; 3]));
        for (y, row) in picture.rows_mut().enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let at = map.map(x as f32 + 0.5, y as f32 + 0.5);
                let inside = (0.0..1.0).contains(&at.x) && (0.0..1.0).contains(&at.y);
                if inside {
                    let place = (at.x * paper.width() as f32, at.y * paper.height() as f32);
                    pixel.copy_from_slice(&paper.at(place.0 as usize, place.1 as usize));
                }
                let here = Point::new(at.x * ASPECT, at.y);
                if self.finger && finger.off(here) < 0.0 {
                    pixel.copy_from_slice(&skin);
                }
                let (across, down) = (x as f32 / size.0 - 0.5, y as f32 / size.1 - 0.5);
                let light = self.light * (0.94 + fall.0 * across + fall.1 * down);
                // Soft at its edge, white within.
                let mirrored =
                    if self.glare && inside { (60.0 - glare.off(here) * 6_000.0).max(0.0) } else { 0.0 };
                for channel in pixel {
                    *channel = (f32::from(*channel) * light + mirrored).clamp(0.0, 255.0) as u8;
                }
            }
        }
        for _ in 0..self.soft {
            soften(&mut picture);
        }
        self.make_noise(&mut picture, &mut dice);
        (picture, corners)
    }

    /// The picture as a JPEG file, as a camera gives it.
    ///
    /// # Errors
    /// [`image::ImageError`] if it cannot be written.
    pub fn jpeg(&self) -> Result<Vec<u8>, image::ImageError> {
        let (picture, _) = self.draw();
        let mut out = Cursor::new(Vec::new());
        let mut encoder = JpegEncoder::new_with_quality(&mut out, 92);
        encoder.encode(picture.rgb(), self.width as u32, self.height as u32, ExtendedColorType::Rgb8)?;
        Ok(out.into_inner())
    }

    fn corners(&self, dice: &mut Dice) -> Corners {
        if self.table.is_none() {
            return Corners::WHOLE;
        }
        let tall = self.height as f32 * FILLS;
        let (sin, cos) = self.tilt.sin_cos();
        let points = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(x, y)| {
            let x = (x + dice.between(-self.skew, self.skew)) * tall * ASPECT;
            let y = (y + dice.between(-self.skew, self.skew)) * tall;
            Point::new(
                (0.5 + (x * cos - y * sin) / self.width as f32).clamp(0.0, 1.0),
                (0.5 + (x * sin + y * cos) / self.height as f32).clamp(0.0, 1.0),
            )
        });
        Corners::new(points).unwrap_or(Corners::WHOLE)
    }

    /// The paper from above, so many pixels high, with its text and now and then a red stamp.
    fn paper(&self, tall: usize, dice: &mut Dice) -> Raster {
        let wide = if self.table.is_some() { (tall as f32 * ASPECT) as usize } else { self.width };
        let white = dice.between(196.0, 224.0) as u8;
        let mut paper = Raster::plain(wide, tall, [white, white, white.saturating_sub(6)]);
        if !self.text {
            return paper;
        }
        let sign = (tall / 66).max(6);
        let mut y = tall / 12;
        while y + sign < tall * 11 / 12 {
            let end = wide as f32 * dice.between(0.45, 0.90);
            let mut x = wide / 10;
            while ((x + sign) as f32) < end {
                strokes(&mut paper, (x, y), sign, dice);
                x += sign * 9 / 8;
            }
            y += sign * 17 / 10;
        }
        if dice.next().is_multiple_of(2) {
            stamp(&mut paper);
        }
        paper
    }

    fn make_noise(&self, picture: &mut Raster, dice: &mut Dice) {
        let span = u64::from(self.noise) * 2 + 1;
        for row in picture.rows_mut() {
            for channel in row {
                // Two throws: small errors are commoner than large ones.
                let (one, two) = (dice.next() >> 32, dice.next() >> 32);
                let off = ((one % span + two % span) / 2) as i16 - i16::from(self.noise);
                *channel = (i16::from(*channel) + off).clamp(0, 255) as u8;
            }
        }
    }
}

fn finger(dice: &mut Dice) -> Spot {
    let (at, deep) = (dice.between(0.30, 0.70), dice.between(0.05, 0.09));
    let (from, to) = match dice.next() % 3 {
        0 => (Point::new(-0.12, at), Point::new(deep, at + 0.02)),
        1 => (Point::new(ASPECT + 0.12, at), Point::new(ASPECT - deep, at - 0.02)),
        _ => (Point::new(at * ASPECT, 1.12), Point::new(at * ASPECT + 0.02, 1.0 - deep)),
    };
    Spot { from, to, radius: dice.between(0.028, 0.04) }
}

fn glare(dice: &mut Dice) -> Spot {
    let at = Point::new(dice.between(0.25, 0.75) * ASPECT, dice.between(0.2, 0.8));
    let to = Point::new(at.x + dice.between(0.0, 0.05), at.y + dice.between(0.0, 0.02));
    Spot { from: at, to, radius: dice.between(0.03, 0.07) }
}

/// Five strokes in a square: what a sign looks like from far.
fn strokes(paper: &mut Raster, (left, top): (usize, usize), sign: usize, dice: &mut Dice) {
    let thick = (sign / 9).max(1);
    for _ in 0..5 {
        let upright = dice.next().is_multiple_of(2);
        let across = dice.between(0.0, (sign - thick) as f32) as usize;
        let (from, to) = (dice.between(0.0, 0.3) * sign as f32, dice.between(0.6, 1.0) * sign as f32);
        let (from, to) = (from as usize, to as usize);
        let (columns, rows) =
            if upright { (across..across + thick, from..to) } else { (from..to, across..across + thick) };
        for row in paper.rows_mut().skip(top + rows.start).take(rows.len()) {
            let cells = (left + columns.start) * 3..(left + columns.end) * 3;
            if let Some(cells) = row.get_mut(cells) {
                cells.fill(38);
            }
        }
    }
}

/// A red ring at the lower right.
fn stamp(paper: &mut Raster) {
    let (wide, tall) = (paper.width() as f32, paper.height() as f32);
    let (middle, radius) = (Point::new(wide * 0.72, tall * 0.80), tall * 0.06);
    for (y, row) in paper.rows_mut().enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let off = middle.to(Point::new(x as f32, y as f32)).length() - radius;
            if off.abs() < tall * 0.004 {
                pixel.copy_from_slice(&[205, 60, 52]);
            }
        }
    }
}

/// Each pixel the mean of three by three.
fn soften(picture: &mut Raster) {
    let before = picture.reduced(usize::MAX);
    for (y, row) in picture.rows_mut().enumerate() {
        let rows =
            [before.row(y.saturating_sub(1)), before.row(y), before.row((y + 1).min(before.height() - 1))];
        let last = row.len() - 3;
        for (at, channel) in row.iter_mut().enumerate() {
            let columns = [if at < 3 { at } else { at - 3 }, at, if at >= last { at } else { at + 3 }];
            let sum: u16 = rows.iter().flat_map(|row| columns.map(|at| u16::from(row[at]))).sum();
            *channel = ((sum + 4) / 9) as u8;
        }
    }
}
