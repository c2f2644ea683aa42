//! What is wrong with a page, by scores that a test set measures: blank, blurred, glare, a finger, too dark, too small.
//!
//! Every score is told, so that a threshold can be judged. Refuses to judge what a page says.
use super::find::flood;
use super::light::Light;
use super::raster::{Plane, Raster, least, luma};

/// Something that a person should know before a page is used; each has its own words (`page.finding.{name}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Nothing is on it.
    Blank,
    /// So little light that it is hard to read.
    Dark,
    /// Out of focus, or the hand shook.
    Blurred,
    /// Light is mirrored in it.
    Glare,
    /// A finger lies on it.
    Finger,
    /// Too few pixels to read it.
    Small,
}

impl Finding {
    /// All of them, the weightiest first.
    pub const ALL: [Self; 6] =
        [Self::Blank, Self::Dark, Self::Blurred, Self::Glare, Self::Finger, Self::Small];

    /// Name in `assets/text` and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Dark => "dark",
            Self::Blurred => "blurred",
            Self::Glare => "glare",
            Self::Finger => "finger",
            Self::Small => "small",
        }
    }
}

/// Share of the page along each border where edges of the paper do not count as content.
const MARGIN: f32 = 0.04;
/// How much darker than the paper ink is, of 256.
const INK: f32 = 184.0;
/// Ink below which a page is blank, in millionths of its area.
const BLANK_BELOW: u32 = 500;
/// Sharpness below which a page is blurred.
const BLURRED_BELOW: u32 = 250;
/// Side of the blocks in which sharpness is measured.
const BLOCK: usize = 24;
/// Variance from which on a block has something on it that could be sharp.
const TEXTURE: f32 = 220.0;
/// Blocks with texture, at least; of fewer nothing is said.
const LEAST_BLOCKS: usize = 6;
/// The darkest channel from which on a pixel is saturated.
const SATURATED: u8 = 248;
/// Paper brighter than this cannot be told from glare.
const BRIGHT_PAPER: f32 = 238.0;
/// Area of one mirrored light, at least, in millionths of the page's.
const LEAST_GLARE: u32 = 1_200;
/// Area of a finger in millionths of the page's.
const FINGER: std::ops::RangeInclusive<u32> = 2_000..=200_000;
/// Brightness of paper below which a page is too dark.
const DARK_BELOW: u32 = 90;
/// Pixels of the page's shorter side in the picture, at least.
const SMALL_BELOW: u32 = 700;

/// What was measured on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scores {
    /// Area with ink, in millionths.
    pub ink: u32,
    /// Variance of the Laplacian over the variance of the brightness, in thousandths, the median of all blocks with
    /// something on them; none if there are too few.
    pub sharpness: Option<u32>,
    /// Area of mirrored lights, in millionths.
    pub glare: u32,
    /// Area of skin that comes in over a border, in millionths.
    pub finger: u32,
    /// Brightness of the paper, 0 to 255.
    pub paper: u32,
    /// Pixels of the page's shorter side in the picture.
    pub short_side: u32,
}

impl Scores {
    /// Measures a page that was made straight and is otherwise as it was seen; `view` has at most 1,200 pixels a side.
    pub(super) fn of(view: &Raster, short_side: u32) -> Self {
        let (bright, dark) = (view.plane(luma), view.plane(least));
        let light = Light::of(&bright);
        Self {
            ink: ink(&dark),
            sharpness: sharpness(&bright),
            glare: if light.paper > BRIGHT_PAPER { 0 } else { glare(&dark) },
            finger: finger(view),
            paper: light.paper as u32,
            short_side,
        }
    }

    /// What these scores mean, the weightiest first. A blank page is not called blurred as well.
    pub fn findings(&self) -> Vec<Finding> {
        let is = |finding: &Finding| match finding {
            Finding::Blank => self.ink < BLANK_BELOW,
            Finding::Dark => self.paper < DARK_BELOW,
            Finding::Blurred => self.ink >= BLANK_BELOW && self.sharpness.is_some_and(|s| s < BLURRED_BELOW),
            Finding::Glare => self.glare > 0,
            Finding::Finger => self.finger > 0,
            Finding::Small => self.short_side < SMALL_BELOW,
        };
        Finding::ALL.into_iter().filter(is).collect()
    }
}

fn millionths(part: usize, all: usize) -> u32 {
    u32::try_from(part as u64 * 1_000_000 / all.max(1) as u64).unwrap_or(u32::MAX)
}

/// Columns or rows without the margins.
fn inner(size: usize) -> std::ops::Range<usize> {
    let margin = (size as f32 * MARGIN).ceil() as usize;
    margin.min(size / 2)..size - margin.min(size / 2)
}

/// Area that is darker than the paper around it.
fn ink(dark: &Plane) -> u32 {
    let light = Light::of(dark);
    let (mut found, mut all) = (0, 0);
    for y in inner(dark.height) {
        let levels = light.along((y as f32 + 0.5) / dark.height as f32, dark.width);
        for x in inner(dark.width) {
            all += 1;
            found += usize::from(f32::from(dark.at(x, y)) * 256.0 < levels[x] * INK);
        }
    }
    millionths(found, all)
}

/// The median over all blocks with something on them of how steep their edges are.
fn sharpness(bright: &Plane) -> Option<u32> {
    let mut found = Vec::new();
    for top in inner(bright.height).step_by(BLOCK) {
        for left in inner(bright.width).step_by(BLOCK) {
            let (variance, edges) = block(bright, left, top);
            if variance >= TEXTURE {
                found.push(edges / variance);
            }
        }
    }
    if found.len() < LEAST_BLOCKS {
        return None;
    }
    found.sort_by(f32::total_cmp);
    found.get(found.len() / 2).map(|median| (median * 1_000.0) as u32)
}

/// Variances of the brightness and of its Laplacian in a block.
fn block(bright: &Plane, left: usize, top: usize) -> (f32, f32) {
    let (mut sum, mut squares, mut edge_sum, mut edge_squares) = (0_i64, 0_i64, 0_i64, 0_i64);
    for y in top..top + BLOCK {
        for x in left..left + BLOCK {
            let here = i64::from(bright.at(x, y));
            let around = [
                bright.at(x.saturating_sub(1), y),
                bright.at(x + 1, y),
                bright.at(x, y.saturating_sub(1)),
                bright.at(x, y + 1),
            ];
            let edge = around.iter().map(|n| i64::from(*n)).sum::<i64>() - 4 * here;
            sum += here;
            squares += here * here;
            edge_sum += edge;
            edge_squares += edge * edge;
        }
    }
    let count = (BLOCK * BLOCK) as f32;
    let variance = |sum: i64, squares: i64| squares as f32 / count - (sum as f32 / count).powi(2);
    (variance(sum, squares), variance(edge_sum, edge_squares))
}

/// A connected part of a page.
struct Blob {
    area: usize,
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    /// Its pixels on each border: left, right, top, bottom.
    border: [usize; 4],
}

/// All connected parts where `is` says so.
fn blobs((width, height): (usize, usize), is: impl Fn(usize) -> bool) -> Vec<Blob> {
    let mut seen = vec![false; width * height];
    let mut found = Vec::new();
    for start in 0..seen.len() {
        if seen[start] || !is(start) {
            continue;
        }
        let mut blob = Blob { area: 0, left: width, right: 0, top: height, bottom: 0, border: [0; 4] };
        blob.area = flood((width, height), start, |at| {
            if seen[at] || !is(at) {
                return false;
            }
            seen[at] = true;
            let (x, y) = (at % width, at / width);
            (blob.left, blob.right) = (blob.left.min(x), blob.right.max(x));
            (blob.top, blob.bottom) = (blob.top.min(y), blob.bottom.max(y));
            let touches = [x < 2, x + 2 >= width, y < 2, y + 2 >= height];
            for (count, touches) in blob.border.iter_mut().zip(touches) {
                *count += usize::from(touches);
            }
            true
        });
        found.push(blob);
    }
    found
}

/// Area of mirrored lights: saturated spots that fill much of the box around them.
fn glare(dark: &Plane) -> u32 {
    let all = dark.width * dark.height;
    let spots = blobs((dark.width, dark.height), |at| dark.cells[at] >= SATURATED);
    let mirrored = |blob: &&Blob| {
        let around = (blob.right - blob.left + 1) * (blob.bottom - blob.top + 1);
        millionths(blob.area, all) >= LEAST_GLARE && blob.area * 5 >= around * 2
    };
    millionths(spots.iter().filter(mirrored).map(|blob| blob.area).sum(), all)
}

/// Area of fingers: skin that comes in over a border and is not as broad as that border.
fn finger(view: &Raster) -> u32 {
    let (width, height) = (view.width(), view.height());
    let skin = view.plane(|color| u8::from(is_skin(color)));
    let comes_in = |blob: &&Blob| {
        let area = millionths(blob.area, width * height);
        let (across, down) = (blob.right - blob.left + 1, blob.bottom - blob.top + 1);
        // Two rows of pixels count as border.
        let [left, right, top, bottom] = blob.border.map(|count| count / 2);
        // A strip of table beside the page is long and thin.
        let over = |touches: usize, side: usize, deep: usize| {
            touches > 0 && touches * 3 <= side && blob.area * 50 >= touches * side && deep * 5 >= touches * 2
        };
        FINGER.contains(&area)
            && (over(left.max(right), height, across) || over(top.max(bottom), width, down))
    };
    let fingers = blobs((width, height), |at| skin.cells[at] == 1);
    millionths(fingers.iter().filter(comes_in).map(|blob| blob.area).sum(), width * height)
}

/// Whether a colour may be skin, light or dark: a range of Cb and Cr (Chai and Ngan 1999), somewhat wider in Cb.
fn is_skin([red, green, blue]: [u8; 3]) -> bool {
    let (r, g, b) = (f32::from(red), f32::from(green), f32::from(blue));
    let cb = 128.0 - 0.169 * r - 0.331 * g + 0.5 * b;
    let cr = 128.0 + 0.5 * r - 0.419 * g - 0.081 * b;
    red >= 60 && (133.0..=173.0).contains(&cr) && (77.0..=127.0).contains(&cb) && r > g && r - b > 15.0
}
