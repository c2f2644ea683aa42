//! How bright the paper is from place to place, and a page with that taken out: paper even and white, ink dark.
//!
//! Refuses to brighten what is dark over a large part of the page: that is no shadow but a photo or a stamp.
use super::raster::{Plane, Raster, luma};

/// Cells along the longer side of a page.
const CELLS: usize = 24;
/// Which share of a cell's pixels is darker than its paper: text leaves more white than black.
const PAPER_SHARE: f32 = 0.85;
/// Paper in shadow keeps this share of the page's brightness, at least.
const DARKEST: f32 = 0.5;
/// How bright paper becomes.
const WHITE: f32 = 246.0;
/// How often brighter a pixel becomes, at most.
const MOST: f32 = 3.0;

/// Brightness of the paper on a coarse grid.
pub(super) struct Light {
    across: usize,
    down: usize,
    cells: Vec<f32>,
    /// Brightness of most of the page's paper, 0 to 255.
    pub(super) paper: f32,
}

impl Light {
    /// Of a page, whatever its pixels' number says.
    pub(super) fn of(plane: &Plane) -> Self {
        let longer = plane.width.max(plane.height);
        let count = |n: usize| (n * CELLS / longer).clamp(1, n);
        let (across, down) = (count(plane.width), count(plane.height));
        let mut raw = Vec::with_capacity(across * down);
        for row in 0..down {
            for column in 0..across {
                raw.push(f32::from(brightness(plane, (column, across), (row, down))));
            }
        }
        let mut sorted = raw.clone();
        sorted.sort_by(f32::total_cmp);
        let paper = sorted.get(sorted.len() * 7 / 10).copied().unwrap_or(255.0).max(1.0);
        let cells = raw.iter().map(|cell| cell.clamp(paper * DARKEST, 255.0)).collect();
        Self { across, down, cells, paper }.smooth()
    }

    /// Each cell the mean of itself and its neighbours: no step may show on the paper.
    fn smooth(self) -> Self {
        let mut cells = Vec::with_capacity(self.cells.len());
        for row in 0..self.down {
            for column in 0..self.across {
                let (mut sum, mut count) = (0.0, 0.0);
                for y in row.saturating_sub(1)..=(row + 1).min(self.down - 1) {
                    for x in column.saturating_sub(1)..=(column + 1).min(self.across - 1) {
                        sum += self.cell(x, y);
                        count += 1.0;
                    }
                }
                cells.push(sum / count);
            }
        }
        Self { cells, ..self }
    }

    fn cell(&self, x: usize, y: usize) -> f32 {
        self.cells.get(y * self.across + x).copied().unwrap_or(self.paper)
    }

    /// Brightness of the paper along a row, at `width` places; `down` is the row's place, 0 to 1.
    pub(super) fn along(&self, down: f32, width: usize) -> Vec<f32> {
        let (top, low) = between(down, self.down);
        let bottom = (top + 1).min(self.down - 1);
        let column = |x: usize| self.cell(x, top) * (1.0 - low) + self.cell(x, bottom) * low;
        let columns: Vec<f32> = (0..self.across).map(column).collect();
        let place = |x: usize| {
            let (left, right) = between((x as f32 + 0.5) / width as f32, self.across);
            let next = (left + 1).min(self.across - 1);
            columns[left] * (1.0 - right) + columns[next] * right
        };
        (0..width).map(place).collect()
    }
}

/// The cell before a place (0 to 1) and how far it is towards the next.
fn between(place: f32, cells: usize) -> (usize, f32) {
    let at = (place * cells as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
    (at as usize, at.fract())
}

/// Brightness of the paper in a cell.
fn brightness(plane: &Plane, (column, across): (usize, usize), (row, down): (usize, usize)) -> u8 {
    let bounds = |at: usize, count: usize, size: usize| at * size / count..(at + 1) * size / count;
    let mut counts = [0_u32; 256];
    let mut all = 0_u32;
    for y in bounds(row, down, plane.height) {
        for x in bounds(column, across, plane.width) {
            counts[usize::from(plane.at(x, y))] += 1;
            all += 1;
        }
    }
    let below = (all as f32 * PAPER_SHARE) as u32;
    let mut sum = 0;
    let found = counts.iter().position(|count| {
        sum += count;
        sum > below
    });
    found.and_then(|level| u8::try_from(level).ok()).unwrap_or(u8::MAX)
}

/// Makes a page's paper even and white. `view` is the same page, maybe smaller.
pub(super) fn level(page: &mut Raster, view: &Raster) {
    let light = Light::of(&view.plane(luma));
    let (width, height) = (page.width(), page.height());
    for (y, row) in page.rows_mut().enumerate() {
        let levels = light.along((y as f32 + 0.5) / height as f32, width);
        for (pixel, level) in row.chunks_exact_mut(3).zip(levels) {
            let gain = ((WHITE / level.max(1.0)).clamp(1.0, MOST) * 256.0) as u32;
            for channel in pixel {
                *channel = ((u32::from(*channel) * gain) >> 8).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_in_half_a_shadow_becomes_even_and_ink_stays_dark() {
        let mut page = Raster::plain(600, 800, [0; 3]);
        for (y, row) in page.rows_mut().enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let paper = 210.0 - 90.0 * x as f32 / 600.0;
                let ink = y % 20 < 3 && x % 10 < 6;
                pixel.fill(if ink { paper * 0.2 } else { paper } as u8);
            }
        }
        let view = page.reduced(400);
        level(&mut page, &view);
        for x in [30, 300, 570] {
            let (paper, ink) = (page.at(x / 10 * 10 + 8, 410)[0], page.at(x / 10 * 10, 401)[0]);
            assert!(paper > 225 && ink < 80, "{x}: paper {paper}, ink {ink}");
        }
    }

    #[test]
    fn a_black_photo_on_the_page_stays_dark() {
        let mut page = Raster::plain(400, 400, [220; 3]);
        for row in page.rows_mut().skip(100).take(200) {
            row[300..900].fill(20);
        }
        let view = page.reduced(400);
        level(&mut page, &view);
        assert!(page.at(200, 200)[0] < 50, "{:?}", page.at(200, 200));
        assert!(page.at(20, 20)[0] > 235);
    }
}
