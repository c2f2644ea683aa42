//! A page that was seen at an angle becomes a rectangle: the projective map of a square onto four corners (Heckbert,
//! "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3), then four samples a pixel.
//!
//! Written here and not taken from `imageproc`, which brings `nalgebra`, `rand`, `rand_distr` and `num` for it. Refuses
//! to make a page larger than it was seen.
use super::corners::{Corners, Point};
use super::raster::Raster;

/// Pixels of a straightened page, at most: A4 at 210 dpi.
pub const MAX_PIXELS: f32 = 4_300_000.0;
/// Pixels of its longer side, at most.
const MAX_SIDE: f32 = 4_000.0;
/// Pixels of a side, at least.
const LEAST_SIDE: f32 = 16.0;
/// How many pixels of the picture one of the page stands for, from which on four are looked at and not one between.
const COARSE: f32 = 1.3;

/// Maps the unit square onto four corners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Homography {
    /// Row by row; the last number is 1.
    m: [f32; 8],
}

impl Homography {
    /// Onto these corners, in pixels.
    pub(super) fn onto([a, b, c, d]: [Point; 4]) -> Self {
        let sum = Point::new(a.x - b.x + c.x - d.x, a.y - b.y + c.y - d.y);
        let (one, two) = (c.to(b), c.to(d));
        let area = one.cross(two);
        let (g, h) = if area.abs() < f32::EPSILON {
            (0.0, 0.0)
        } else {
            (sum.cross(two) / area, one.cross(sum) / area)
        };
        let m = [
            b.x - a.x + g * b.x,
            d.x - a.x + h * d.x,
            a.x,
            b.y - a.y + g * b.y,
            d.y - a.y + h * d.y,
            a.y,
            g,
            h,
        ];
        Self { m }
    }

    /// The other way: from pixels to the unit square.
    pub(super) fn inverse(&self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.m;
        let last = a * e - b * d;
        let m = [
            e - f * h,
            c * h - b,
            b * f - c * e,
            f * g - d,
            a - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
        ];
        Self { m: m.map(|n| n / last) }
    }

    /// Where a place of the unit square comes to lie.
    pub(super) fn map(&self, u: f32, v: f32) -> Point {
        let m = &self.m;
        let inverse = 1.0 / (m[6] * u + m[7] * v + 1.0);
        Point::new((m[0] * u + m[1] * v + m[2]) * inverse, (m[3] * u + m[4] * v + m[5]) * inverse)
    }
}

/// Width and height of a straightened page, and how many pixels of the picture each of its pixels stands for.
fn size(corners: &Corners, picture: &Raster) -> (usize, usize, f32) {
    let (width, height) = corners.size(picture.width(), picture.height());
    let (width, height) = (width.max(LEAST_SIDE), height.max(LEAST_SIDE));
    let by_area = (width * height / MAX_PIXELS).sqrt();
    let scale = by_area.max(width.max(height) / MAX_SIDE).max(1.0);
    let pixels = |n: f32| (n / scale).round().max(LEAST_SIDE) as usize;
    (pixels(width), pixels(height), scale)
}

/// The page within these corners as a rectangle.
pub(super) fn straighten(picture: &Raster, corners: &Corners) -> Raster {
    let (width, height, scale) = size(corners, picture);
    if *corners == Corners::WHOLE && scale <= 1.0 {
        return picture.reduced(usize::MAX);
    }
    let (across, down) = (picture.width() as f32, picture.height() as f32);
    let map = Homography::onto(corners.points().map(|p| Point::new(p.x * across, p.y * down)));
    let mut page = Raster::plain(width, height, [0; 3]);
    let (step, step_down) = (1.0 / width as f32, 1.0 / height as f32);
    for (y, row) in page.rows_mut().enumerate() {
        let v = (y as f32 + 0.5) * step_down;
        let mut u = 0.5 * step;
        for pixel in row.chunks_exact_mut(3) {
            let color = if scale > COARSE {
                coarse(picture, &map, (u, v), (step, step_down))
            } else {
                fine(picture, map.map(u, v))
            };
            pixel.copy_from_slice(&color);
            u += step;
        }
    }
    page
}

/// The mean of four pixels, a quarter of a step around.
fn coarse(picture: &Raster, map: &Homography, (u, v): (f32, f32), (across, down): (f32, f32)) -> [u8; 3] {
    let mut sums = [2_u16; 3];
    for (du, dv) in [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)] {
        let at = map.map(u + du * across, v + dv * down);
        // A cast of what is below 0 gives 0, and `at` takes the nearest pixel.
        let color = picture.at(at.x as usize, at.y as usize);
        for (sum, channel) in sums.iter_mut().zip(color) {
            *sum += u16::from(channel);
        }
    }
    sums.map(|sum| (sum >> 2) as u8)
}

/// What lies between four pixels, by how near each is, in 256ths.
fn fine(picture: &Raster, at: Point) -> [u8; 3] {
    let (x, y) = ((at.x - 0.5).max(0.0), (at.y - 0.5).max(0.0));
    let (left, top) = (x as usize, y as usize);
    let (right, low) = (((x - left as f32) * 256.0) as u32, ((y - top as f32) * 256.0) as u32);
    let rows = [top, top + 1].map(|y| (picture.at(left, y), picture.at(left + 1, y)));
    let between =
        |(a, b): ([u8; 3], [u8; 3]), i: usize| u32::from(a[i]) * (256 - right) + u32::from(b[i]) * right;
    [0, 1, 2].map(|i| ((between(rows[0], i) * (256 - low) + between(rows[1], i) * low + 32_768) >> 16) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_corner_of_the_square_comes_to_its_own() {
        let corners = [(10.0, 20.0), (90.0, 10.0), (80.0, 95.0), (5.0, 70.0)].map(|(x, y)| Point::new(x, y));
        let map = Homography::onto(corners);
        for ((u, v), corner) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].into_iter().zip(corners) {
            assert!(map.map(u, v).to(corner).length() < 0.01, "{u} {v}");
            let back = map.inverse().map(corner.x, corner.y);
            assert!(back.to(Point::new(u, v)).length() < 0.001, "{u} {v}");
        }
    }

    #[test]
    fn a_page_is_never_made_larger_and_never_larger_than_the_bound() {
        let picture = Raster::plain(4_000, 3_000, [9, 9, 9]);
        let page = straighten(&picture, &Corners::WHOLE);
        assert!((4_200_000..4_310_000).contains(&(page.width() * page.height())), "{page:?}");
        let small = Raster::plain(300, 200, [1, 2, 3]);
        assert_eq!(straighten(&small, &Corners::WHOLE).rgb(), small.rgb());
        let turned = straighten(&small, &Corners::WHOLE.turned(1));
        assert_eq!((turned.width(), turned.height()), (200, 300));
        assert!(turned.rgb().chunks(3).all(|p| p == [1, 2, 3]));
    }
}
