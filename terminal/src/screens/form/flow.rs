//! Which field stands where: columns, and parts of a page when not all fits at once.
//!
//! Refuses to draw and to scroll.

/// Places of the fields of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flow {
    /// Parts of the page in order, each with the fields that it shows.
    pub parts: Vec<Vec<Place>>,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Index of the field on its page.
    pub field: usize,
    /// Column, from 0.
    pub column: usize,
    /// Distance from the top of the part.
    pub top: f32,
    /// Height, at most that of the part.
    pub height: f32,
}

/// Room that there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Columns, at least 1.
    pub columns: usize,
    /// Height of a part.
    pub height: f32,
    /// Height of a part when there are several: the arrows take some.
    pub height_with_arrows: f32,
    /// Gap below a field.
    pub gap: f32,
}

impl Flow {
    /// Places fields of these heights: each into the shorter column, on the next part when no column has room.
    pub fn of(heights: &[f32], room: Room) -> Self {
        let whole = Self::with_height(heights, room, room.height);
        if whole.parts.len() < 2 { whole } else { Self::with_height(heights, room, room.height_with_arrows) }
    }

    /// The part that shows a field.
    pub fn part_of(&self, field: usize) -> Option<usize> {
        self.parts.iter().position(|part| part.iter().any(|place| place.field == field))
    }

    fn with_height(heights: &[f32], room: Room, most: f32) -> Self {
        let mut parts: Vec<Vec<Place>> = Vec::new();
        let mut ends = vec![0.0_f32; room.columns.max(1)];
        for (field, height) in heights.iter().copied().enumerate() {
            let fits = |end: f32| end <= 0.0 || end + height <= most;
            let column = shortest(&ends, fits);
            let column = column.filter(|_| !parts.is_empty()).unwrap_or_else(|| {
                parts.push(Vec::new());
                ends.fill(0.0);
                0
            });
            let place = Place { field, column, top: ends[column], height: height.min(most) };
            ends[column] += height + room.gap;
            if let Some(part) = parts.last_mut() {
                part.push(place);
            }
        }
        Self { parts }
    }
}

/// The column that ends first of those in which there is room.
fn shortest(ends: &[f32], fits: impl Fn(f32) -> bool) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (column, end) in ends.iter().enumerate() {
        if fits(*end) && best.is_none_or(|b| *end < ends[b]) {
            best = Some(column);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(heights: &[f32], columns: usize) -> Vec<Vec<(usize, usize, f32)>> {
        let room = Room { columns, height: 500.0, height_with_arrows: 400.0, gap: 20.0 };
        let flow = Flow::of(heights, room);
        flow.parts.iter().map(|part| part.iter().map(|p| (p.field, p.column, p.top)).collect()).collect()
    }

    #[test]
    fn fields_fill_the_shorter_column_and_then_the_next_part() {
        assert_eq!(columns(&[100.0, 100.0, 100.0], 2), [[(0, 0, 0.0), (1, 1, 0.0), (2, 0, 120.0)]]);
        assert_eq!(columns(&[300.0, 100.0, 100.0], 2), [[(0, 0, 0.0), (1, 1, 0.0), (2, 1, 120.0)]]);
        let two = vec![vec![(0, 0, 0.0), (1, 0, 170.0)], vec![(2, 0, 0.0), (3, 0, 170.0)]];
        assert_eq!(columns(&[150.0; 4], 1), two);
        assert_eq!(columns(&[900.0, 900.0], 1), [[(0, 0, 0.0)], [(1, 0, 0.0)]]);
        assert!(columns(&[], 2).is_empty());
    }

    #[test]
    fn every_field_stands_on_one_part() {
        let heights: Vec<f32> = (0..40_u8).map(|i| f32::from(i % 7) * 90.0 + 80.0).collect();
        let room = Room { columns: 2, height: 700.0, height_with_arrows: 600.0, gap: 24.0 };
        let flow = Flow::of(&heights, room);
        let all: Vec<usize> = flow.parts.iter().flatten().map(|p| p.field).collect();
        assert_eq!(all, (0..40).collect::<Vec<_>>());
        for place in flow.parts.iter().flatten() {
            assert!(place.top + place.height <= 600.0 || place.top == 0.0, "{place:?}");
        }
        assert_eq!(flow.part_of(39), Some(flow.parts.len() - 1));
    }
}
