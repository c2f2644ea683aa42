//! The only colours, sizes and targets of the terminal, for the normal, elder and high-contrast look.
//!
//! Refuses to draw: widgets take what they need from here, so that a look changes in one place.
mod colors;
mod sizes;

use crate::model::{Look, TextSize};

pub use colors::{Colors, PAIRS, Pair, landscape};
pub use sizes::{Metrics, TextStyle, TypeRole, radius};

/// Everything that a look decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Which size it is.
    pub size: TextSize,
    /// High contrast: no shadows, every card and tile has a stroke.
    pub high_contrast: bool,
    /// Colours.
    pub colors: Colors,
    /// Sizes, targets, spacing, radii.
    pub metrics: Metrics,
}

static NORMAL: Theme =
    Theme { size: TextSize::Normal, high_contrast: false, colors: colors::NORMAL, metrics: sizes::NORMAL };
static ELDER: Theme =
    Theme { size: TextSize::Elder, high_contrast: false, colors: colors::ELDER, metrics: sizes::ELDER };
static CONTRAST: Theme =
    Theme { size: TextSize::Normal, high_contrast: true, colors: colors::CONTRAST, metrics: sizes::NORMAL };
static ELDER_CONTRAST: Theme =
    Theme { size: TextSize::Elder, high_contrast: true, colors: colors::CONTRAST, metrics: sizes::ELDER };

impl Theme {
    /// The theme of a look.
    pub fn of(look: Look) -> &'static Self {
        match (look.size, look.high_contrast) {
            (TextSize::Normal, false) => &NORMAL,
            (TextSize::Elder, false) => &ELDER,
            (TextSize::Normal, true) => &CONTRAST,
            (TextSize::Elder, true) => &ELDER_CONTRAST,
        }
    }

    /// Elder version (长辈版).
    pub fn elder(&self) -> bool {
        self.size == TextSize::Elder
    }

    /// Size, line height and weight of a role.
    pub fn style(&self, role: TypeRole) -> TextStyle {
        sizes::style(self.size, role)
    }

    /// Tiles and cards have a stroke (elder, high contrast) instead of a shadow.
    pub fn strokes_cards(&self) -> bool {
        self.elder() || self.high_contrast
    }

    /// The value for the normal version, or the one for the elder version.
    pub fn pick<T>(&self, normal: T, elder: T) -> T {
        if self.elder() { elder } else { normal }
    }

    /// A space of the scale 4 8 12 16 24 …; in the elder version 1.25 times as wide from 16 up, rounded to 4.
    pub fn space(&self, points: f32) -> f32 {
        if self.elder() && points >= 16.0 { (points * 1.25 / 4.0).round() * 4.0 } else { points }
    }
}

/// WCAG 2 contrast of two opaque colours, from 1 to 21.
pub fn contrast(a: egui::Color32, b: egui::Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: egui::Color32) -> f32 {
    let linear = |byte: u8| {
        let value = f32::from(byte) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_of_black_and_white_is_21() {
        assert!((contrast(egui::Color32::BLACK, egui::Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(egui::Color32::WHITE, egui::Color32::WHITE) - 1.0).abs() < 0.01);
    }

    #[test]
    fn every_pair_of_the_table_has_its_contrast_in_every_look() {
        for theme in [&NORMAL, &ELDER, &CONTRAST, &ELDER_CONTRAST] {
            for pair in PAIRS {
                let found = contrast((pair.text)(&theme.colors), (pair.ground)(&theme.colors));
                assert!(found >= pair.at_least, "{} is {found:.2} in {:?}", pair.name, theme.size);
            }
        }
    }

    #[test]
    fn targets_are_at_least_20_mm() {
        assert!(NORMAL.metrics.target >= 84.0 && ELDER.metrics.target >= 104.0);
    }

    #[test]
    fn elder_spaces_grow_from_16() {
        assert_eq!((NORMAL.space(24.0), ELDER.space(12.0), ELDER.space(24.0)), (24.0, 12.0, 32.0));
    }

    #[test]
    fn elder_text_is_at_least_one_and_a_half_times_as_large() {
        for role in [TypeRole::Body, TypeRole::Field, TypeRole::Button, TypeRole::Title, TypeRole::Small] {
            let (normal, elder) = (NORMAL.style(role), ELDER.style(role));
            assert!(elder.size >= 1.5 * normal.size, "{role:?}");
            assert!(elder.line >= 1.3 * elder.size, "{role:?}");
        }
    }
}
