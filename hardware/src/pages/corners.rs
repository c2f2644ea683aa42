//! Four corners of a page in a picture, as fractions of its width and height.
//!
//! Refuses corners outside of the picture, crossing sides, slivers, and what is no number.

/// Area of a page, at least, as a share of its picture.
pub const LEAST_AREA: f32 = 0.02;
/// How far from a straight line a corner bends, at least: the sine of its angle.
const LEAST_BEND: f32 = 0.2;

/// A place in a picture: 0 is left or top, 1 is right or bottom.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// From the left.
    pub x: f32,
    /// From the top.
    pub y: f32,
}

impl Point {
    /// A place.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self { x: other.x - self.x, y: other.y - self.y }
    }

    pub(super) fn length(self) -> f32 {
        self.x.hypot(self.y)
    }

    /// Which way `other` turns from this direction: above 0 is clockwise on a screen.
    pub(super) fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }
}

/// Why four places are no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CornersError {
    /// Not a finite number.
    #[error("a corner is not a number")]
    NotANumber,
    /// A corner lies outside of the picture.
    #[error("a corner lies outside of the picture")]
    Outside,
    /// Sides cross, a corner points inwards, or they do not go clockwise from the top left one.
    #[error("the corners do not go round a page")]
    NotConvex,
    /// Nothing would be left to read.
    #[error("the page would be too small")]
    TooSmall,
}

/// Corners of a page: convex, clockwise, beginning with its top left one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corners([Point; 4]);

impl Corners {
    /// The whole picture.
    pub const WHOLE: Self =
        Self([Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(1.0, 1.0), Point::new(0.0, 1.0)]);

    /// Checks four corners: top left, top right, bottom right, bottom left.
    ///
    /// # Errors
    /// [`CornersError`]
    pub fn new(points: [Point; 4]) -> Result<Self, CornersError> {
        if points.iter().any(|p| !p.x.is_finite() || !p.y.is_finite()) {
            return Err(CornersError::NotANumber);
        }
        if points.iter().any(|p| !(0.0..=1.0).contains(&p.x) || !(0.0..=1.0).contains(&p.y)) {
            return Err(CornersError::Outside);
        }
        let corners = Self(points);
        let sides = corners.sides();
        for (at, side) in sides.iter().enumerate() {
            let next = sides[(at + 1) % 4];
            let (lengths, bend) = (side.length() * next.length(), side.cross(next));
            if lengths <= 0.0 || bend <= 0.0 {
                return Err(CornersError::NotConvex);
            }
            if bend < LEAST_BEND * lengths {
                return Err(CornersError::TooSmall);
            }
        }
        if corners.area() < LEAST_AREA {
            return Err(CornersError::TooSmall);
        }
        Ok(corners)
    }

    /// The places.
    pub fn points(&self) -> [Point; 4] {
        self.0
    }

    /// The same page with one corner elsewhere.
    ///
    /// # Errors
    /// [`CornersError`]; the corners stay as they are then.
    pub fn with(&self, corner: usize, at: Point) -> Result<Self, CornersError> {
        let mut points = self.0;
        if let Some(point) = points.get_mut(corner) {
            *point = at;
        }
        Self::new(points)
    }

    /// The same page turned clockwise by quarters: what was at its left is on top after one.
    pub fn turned(&self, quarters: u8) -> Self {
        let mut points = self.0;
        points.rotate_right(usize::from(quarters % 4));
        Self(points)
    }

    /// From each corner to the next.
    fn sides(&self) -> [Point; 4] {
        let p = &self.0;
        [p[0].to(p[1]), p[1].to(p[2]), p[2].to(p[3]), p[3].to(p[0])]
    }

    /// Area as a share of the picture's.
    pub(super) fn area(&self) -> f32 {
        let p = &self.0;
        p[0].to(p[2]).cross(p[1].to(p[3])) / 2.0
    }

    /// Pixels across and down of the page in a picture of this size: the longer one of each two sides.
    pub(super) fn size(&self, width: usize, height: usize) -> (f32, f32) {
        let lengths =
            self.sides().map(|side| Point::new(side.x * width as f32, side.y * height as f32).length());
        (lengths[0].max(lengths[2]), lengths[1].max(lengths[3]))
    }

    /// Whether a place lies inside.
    pub(super) fn holds(&self, at: Point) -> bool {
        let p = &self.0;
        (0..4).all(|i| p[i].to(p[(i + 1) % 4]).cross(p[i].to(at)) >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: [f32; 8]) -> [Point; 4] {
        [0, 2, 4, 6].map(|at| Point::new(values[at], values[at + 1]))
    }

    #[test]
    fn corners_that_are_no_page_are_refused() {
        use CornersError::*;
        let table = [
            ([0.1, 0.1, 0.9, f32::NAN, 0.9, 0.9, 0.1, 0.9], NotANumber),
            ([0.1, 0.1, f32::INFINITY, 0.1, 0.9, 0.9, 0.1, 0.9], NotANumber),
            ([0.1, 0.1, 1.1, 0.1, 0.9, 0.9, 0.1, 0.9], Outside),
            ([-0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9], Outside),
            // Crossing sides, mirrored, one corner pointing inwards, two in one place.
            ([0.1, 0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.9], NotConvex),
            ([0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9], NotConvex),
            ([0.1, 0.1, 0.9, 0.1, 0.3, 0.3, 0.1, 0.9], NotConvex),
            ([0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.1, 0.9], NotConvex),
            ([0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.5, 0.6], TooSmall),
            ([0.0, 0.0, 1.0, 0.0, 1.0, 0.01, 0.0, 0.01], TooSmall),
            ([0.0, 0.0, 0.5, 0.01, 1.0, 0.0, 0.5, 0.9], TooSmall),
        ];
        for (values, error) in table {
            let found = Corners::new(points(values));
            // A corner that hardly bends is refused either way.
            assert!(
                found == Err(error) || found == Err(NotConvex) && error == TooSmall,
                "{values:?} {found:?}"
            );
        }
        assert_eq!(Corners::new(Corners::WHOLE.points()), Ok(Corners::WHOLE));
        assert_eq!(Corners::WHOLE.with(2, Point::new(0.2, 0.2)), Err(NotConvex));
    }

    #[test]
    fn four_quarters_are_no_turn() {
        let one = Corners::WHOLE.turned(1);
        assert_eq!(one.points()[0], Point::new(0.0, 1.0), "bottom left goes to the top left");
        assert_eq!(one.turned(3), Corners::WHOLE);
        assert_eq!(one.size(300, 200), (200.0, 300.0));
    }
}
