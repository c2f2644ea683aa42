//! Type sizes, touch targets, spaces and radii, in points of the logical canvas. Refuses to know colours.
use crate::model::TextSize;

/// What a piece of text is for; decides size, line height and weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeRole {
    /// Attract page only.
    Display,
    /// Receipt number, countdown.
    Number,
    /// Page title or question; one a page.
    H1,
    /// Section or dialog title.
    H2,
    /// Tile or row title.
    Title,
    /// Body text.
    Body,
    /// A value, or a bold body line.
    Strong,
    /// Input of a field.
    Field,
    /// Button.
    Button,
    /// Meta lines; the smallest.
    Small,
    /// Badges.
    SmallBold,
}

/// How a role is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextStyle {
    /// Font size in points.
    pub size: f32,
    /// Line height in points.
    pub line: f32,
    /// Bold face.
    pub bold: bool,
    /// Extra letter spacing in points.
    pub spacing: f32,
}

/// Measures that differ between normal and elder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Smallest touch target.
    pub target: f32,
    /// Smallest gap between targets.
    pub gap: f32,
    /// Page margin left and right.
    pub margin: f32,
    /// Header height.
    pub header: f32,
    /// Footer height.
    pub footer: f32,
    /// Height of footer buttons.
    pub footer_button: f32,
    /// Width of Back.
    pub back_width: f32,
    /// Width of the call button.
    pub call_width: f32,
    /// Width of the named action.
    pub action_width: f32,
    /// Height of a field box.
    pub field: f32,
    /// Height of a badge.
    pub badge: f32,
    /// Icon in a badge.
    pub badge_icon: f32,
    /// Height of an item row.
    pub row: f32,
    /// Icon in a row.
    pub row_icon: f32,
    /// Icon in a button.
    pub button_icon: f32,
}

/// Radii: 8 badge, 12 key and field, 16 button and row, 24 card and tile, 32 dialog.
pub mod radius {
    /// Badge.
    pub const BADGE: u8 = 8;
    /// Key and field.
    pub const FIELD: u8 = 12;
    /// Button and row.
    pub const BUTTON: u8 = 16;
    /// Card and tile.
    pub const CARD: u8 = 24;
    /// Dialog.
    pub const DIALOG: u8 = 32;
    /// Pill and ring.
    pub const PILL: u8 = 255;
}

pub(super) const NORMAL: Metrics = Metrics {
    target: 84.0,
    gap: 12.0,
    margin: 96.0,
    header: 104.0,
    footer: 128.0,
    footer_button: 92.0,
    back_width: 240.0,
    call_width: 300.0,
    action_width: 480.0,
    field: 84.0,
    badge: 44.0,
    badge_icon: 26.0,
    row: 116.0,
    row_icon: 40.0,
    button_icon: 36.0,
};

pub(super) const ELDER: Metrics = Metrics {
    target: 104.0,
    gap: 20.0,
    margin: 96.0,
    header: 120.0,
    footer: 152.0,
    footer_button: 120.0,
    back_width: 300.0,
    call_width: 420.0,
    action_width: 620.0,
    field: 112.0,
    badge: 60.0,
    badge_icon: 36.0,
    row: 152.0,
    row_icon: 56.0,
    button_icon: 48.0,
};

/// Size, line height, bold, letter spacing of a role.
pub(super) fn style(size: TextSize, role: TypeRole) -> TextStyle {
    let row = |normal: (f32, f32), elder: (f32, f32), bold: bool, spacing: f32| {
        let (size, line) = if size == TextSize::Elder { elder } else { normal };
        TextStyle { size, line, bold, spacing }
    };
    match role {
        TypeRole::Display => row((88.0, 112.0), (104.0, 130.0), true, 2.0),
        TypeRole::Number => row((64.0, 76.0), (96.0, 116.0), true, 2.0),
        TypeRole::H1 => row((46.0, 62.0), (64.0, 86.0), true, 0.0),
        TypeRole::H2 => row((34.0, 48.0), (52.0, 70.0), true, 0.0),
        TypeRole::Title => row((30.0, 42.0), (48.0, 64.0), true, 0.0),
        TypeRole::Body => row((24.0, 38.0), (36.0, 54.0), false, 0.0),
        TypeRole::Strong => row((26.0, 40.0), (40.0, 58.0), true, 0.0),
        TypeRole::Field => row((32.0, 44.0), (52.0, 68.0), false, 0.0),
        TypeRole::Button => row((30.0, 42.0), (46.0, 62.0), true, 0.0),
        TypeRole::Small => row((21.0, 32.0), (32.0, 46.0), false, 0.0),
        TypeRole::SmallBold => row((21.0, 32.0), (32.0, 46.0), true, 0.0),
    }
}
