//! Lines of different heights, as many on a part as fit. Refuses to know what the lines are.
use std::ops::Range;

/// Which lines stand on which part; a line that is higher than the room has a part of its own.
pub fn parts(heights: &[f32], room: f32) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut taken = 0.0;
    for (index, height) in heights.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if taken + height <= room + 1.0 => part.end = index + 1,
            _ => {
                parts.push(index..index + 1);
                taken = 0.0;
            }
        }
        taken += height;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_stands_on_one_part_and_none_is_fuller_than_the_room() {
        assert!(parts(&[], 10.0).is_empty());
        assert_eq!(parts(&[4.0, 4.0, 4.0], 8.0), [0..2, 2..3]);
        assert_eq!(parts(&[20.0, 4.0, 4.0, 20.0], 8.0), [0..1, 1..3, 3..4]);
    }
}
