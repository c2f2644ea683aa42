//! Width and height of a screen as typed on the command line.
use std::fmt;
use std::str::FromStr;

/// Pixels of a screen or window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenSize {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// The smallest screen that the terminal is drawn for, and the largest that a virtual screen is made for.
const LEAST: ScreenSize = ScreenSize { width: 1280, height: 800 };
const MOST: ScreenSize = ScreenSize { width: 7680, height: 4320 };

impl Default for ScreenSize {
    /// The screen of the terminals in the branches.
    fn default() -> Self {
        Self { width: 1920, height: 1080 }
    }
}

impl FromStr for ScreenSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size = text
            .split_once('x')
            .and_then(|(w, h)| Some(Self { width: w.parse().ok()?, height: h.parse().ok()? }));
        let size = size.ok_or_else(|| format!("\"{text}\" is no size; write it as 1920x1080"))?;
        if size.width < LEAST.width || size.height < LEAST.height {
            return Err(format!("{size} is too small: the terminal is drawn for {LEAST} and more"));
        }
        if size.width > MOST.width || size.height > MOST.height {
            return Err(format!("{size} is too large: at most {MOST}"));
        }
        Ok(size)
    }
}

impl fmt::Display for ScreenSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_bounded() {
        assert_eq!("1280x800".parse(), Ok(ScreenSize { width: 1280, height: 800 }));
        for bad in ["", "1920", "1920×1080", "-1x5", "640x480", "99999x99999", "1920x1080x24"] {
            assert!(bad.parse::<ScreenSize>().is_err(), "{bad} was taken");
        }
    }
}
