//! Colours of the three palettes and the table of pairs that must keep their contrast.
//!
//! Refuses any other colour: widgets take colours from here, so that the contrast test sees all of them.
use egui::Color32;

/// A palette. State is never told by colour alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Colors {
    /// Page ground (画布底色).
    pub ground: Color32,
    /// Cards and fields.
    pub surface: Color32,
    /// Wells: keyboard tray, read-only blocks.
    pub sunken: Color32,
    /// Body text.
    pub ink: Color32,
    /// Secondary text.
    pub ink2: Color32,
    /// Hints and placeholders.
    pub ink3: Color32,
    /// Decorative lines only, never the border of a control.
    pub line: Color32,
    /// Border of controls, at least 3:1.
    pub border: Color32,
    /// Primary button, pressed.
    pub brand800: Color32,
    /// Primary button, mark.
    pub brand700: Color32,
    /// Links, icons, selected.
    pub brand600: Color32,
    /// Illustrated lake.
    pub brand500: Color32,
    /// Illustration, ring track.
    pub brand200: Color32,
    /// Selected fill.
    pub brand100: Color32,
    /// Icon ground, information.
    pub brand50: Color32,
    /// Rapeseed yellow: at most one small point a page.
    pub rape: Color32,
    /// Emphasis fill.
    pub rape100: Color32,
    /// Text on the emphasis fill.
    pub rape_ink: Color32,
    /// Error.
    pub error: Color32,
    /// Error fill.
    pub error50: Color32,
    /// Success, works offline.
    pub ok: Color32,
    /// Its fill.
    pub ok50: Color32,
    /// Needs the network, reminder.
    pub warn: Color32,
    /// Its fill.
    pub warn50: Color32,
    /// Bank employee.
    pub staff: Color32,
    /// Its fill.
    pub staff50: Color32,
    /// Registered first, confirmed later.
    pub info: Color32,
    /// Its fill.
    pub info50: Color32,
    /// Past things that cannot be tapped any more.
    pub disabled: Color32,
    /// Text and icons on `brand700` and `brand800`.
    pub on_brand: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

pub(super) const NORMAL: Colors = Colors {
    ground: rgb(0x00F6_F3EC),
    surface: rgb(0x00FF_FFFF),
    sunken: rgb(0x00ED_E9DF),
    ink: rgb(0x0017_282C),
    ink2: rgb(0x0043_5357),
    ink3: rgb(0x005F_6D70),
    line: rgb(0x00DD_D7CA),
    border: rgb(0x0075_827F),
    brand800: rgb(0x0006_434D),
    brand700: rgb(0x000A_5763),
    brand600: rgb(0x000F_6F7A),
    brand500: rgb(0x001B_8A92),
    brand200: rgb(0x00B9_DCDB),
    brand100: rgb(0x00DC_EEEC),
    brand50: rgb(0x00EE_F6F5),
    rape: rgb(0x00F4_BE1A),
    rape100: rgb(0x00FF_F1C4),
    rape_ink: rgb(0x0066_4400),
    error: rgb(0x00B3_261E),
    error50: rgb(0x00FC_EDEB),
    ok: rgb(0x0023_683A),
    ok50: rgb(0x00E5_F2E7),
    warn: rgb(0x007A_4F00),
    warn50: rgb(0x00FF_F3D1),
    staff: rgb(0x0057_3B82),
    staff50: rgb(0x00F0_EBF8),
    info: rgb(0x0038_507A),
    info50: rgb(0x00E8_EEF7),
    disabled: rgb(0x00F0_EDE5),
    on_brand: rgb(0x00FF_FFFF),
};

pub(super) const ELDER: Colors = Colors {
    ground: rgb(0x00FB_F9F3),
    surface: rgb(0x00FF_FFFF),
    sunken: rgb(0x00F0_ECE2),
    ink: rgb(0x000B_1A1D),
    ink2: rgb(0x002A_3A3E),
    ink3: rgb(0x0044_545A),
    line: rgb(0x00CF_C8B8),
    border: rgb(0x004F_5E60),
    brand800: rgb(0x0005_3B44),
    brand700: rgb(0x0006_4A55),
    brand600: rgb(0x000A_5763),
    brand500: rgb(0x000F_6F7A),
    brand200: rgb(0x00A9_D3D2),
    brand100: rgb(0x00D8_ECEA),
    brand50: rgb(0x00EA_F4F3),
    rape: rgb(0x00F4_BE1A),
    rape100: rgb(0x00FF_EFB8),
    rape_ink: rgb(0x0055_3800),
    error: rgb(0x0094_180F),
    error50: rgb(0x00FC_EDEB),
    ok: rgb(0x0015_502A),
    ok50: rgb(0x00E1_F1E4),
    warn: rgb(0x005C_3B00),
    warn50: rgb(0x00FF_F0C4),
    staff: rgb(0x0045_2C6E),
    staff50: rgb(0x00EF_E9F8),
    info: rgb(0x0024_3C66),
    info50: rgb(0x00E6_ECF6),
    disabled: rgb(0x00F0_EDE5),
    on_brand: rgb(0x00FF_FFFF),
};

pub(super) const CONTRAST: Colors = Colors {
    ground: rgb(0x0000_0000),
    surface: rgb(0x0010_1415),
    sunken: rgb(0x001C_2223),
    ink: rgb(0x00FF_FFFF),
    ink2: rgb(0x00F1_F1F1),
    ink3: rgb(0x00D6_D6D6),
    line: rgb(0x008A_9496),
    border: rgb(0x00FF_FFFF),
    brand800: rgb(0x00FF_E27A),
    brand700: rgb(0x00FF_D23F),
    brand600: rgb(0x008B_E9EA),
    brand500: rgb(0x008B_E9EA),
    brand200: rgb(0x008B_E9EA),
    brand100: rgb(0x001D_3A3C),
    brand50: rgb(0x0014_282A),
    rape: rgb(0x00FF_D23F),
    rape100: rgb(0x003A_2F00),
    rape_ink: rgb(0x00FF_E27A),
    error: rgb(0x00FF_B0A6),
    error50: rgb(0x003A_0D09),
    ok: rgb(0x009B_EFA8),
    ok50: rgb(0x000C_2A13),
    warn: rgb(0x00FF_E27A),
    warn50: rgb(0x003A_2F00),
    staff: rgb(0x00DC_C6FF),
    staff50: rgb(0x002B_1B47),
    info: rgb(0x00BB_D4FF),
    info50: rgb(0x0013_233F),
    disabled: rgb(0x002A_2F30),
    on_brand: rgb(0),
};

/// A text colour on a ground and the contrast it needs.
pub struct Pair {
    /// For messages.
    pub name: &'static str,
    /// Text, icon or border.
    pub text: fn(&Colors) -> Color32,
    /// What it stands on.
    pub ground: fn(&Colors) -> Color32,
    /// WCAG contrast.
    pub at_least: f32,
}

macro_rules! pair {
    ($text:ident on $ground:ident, $at_least:expr) => {
        Pair {
            name: concat!(stringify!($text), " on ", stringify!($ground)),
            text: |c| c.$text,
            ground: |c| c.$ground,
            at_least: $at_least,
        }
    };
}

/// Every pair in use with the contrast it must keep in every palette.
pub const PAIRS: &[Pair] = &[
    pair!(ink on ground, 7.0),
    pair!(ink on surface, 7.0),
    pair!(ink2 on ground, 7.0),
    pair!(ink2 on surface, 7.0),
    pair!(ink3 on ground, 4.5),
    pair!(ink3 on surface, 4.5),
    pair!(on_brand on brand700, 7.0),
    pair!(on_brand on brand800, 7.0),
    pair!(brand600 on surface, 4.5),
    pair!(brand600 on ground, 4.5),
    pair!(brand600 on brand100, 4.5),
    pair!(brand700 on brand50, 4.5),
    pair!(border on surface, 3.0),
    pair!(border on ground, 3.0),
    pair!(error on surface, 4.5),
    pair!(error on error50, 4.5),
    pair!(ok on ok50, 4.5),
    pair!(warn on warn50, 4.5),
    pair!(staff on staff50, 4.5),
    pair!(info on info50, 4.5),
    // No text stands on `rape`: in high contrast `ink` on it would be 1.4:1.
    pair!(rape_ink on rape100, 4.5),
    pair!(ink3 on disabled, 4.5),
    pair!(ink on sunken, 7.0),
    pair!(ink2 on sunken, 4.5),
    pair!(ink on brand50, 7.0),
    pair!(ink2 on brand50, 4.5),
    pair!(ink on brand100, 7.0),
    pair!(brand700 on brand100, 4.5),
    pair!(brand700 on surface, 4.5),
    pair!(brand600 on brand50, 4.5),
    pair!(ink2 on error50, 4.5),
    pair!(ink on rape100, 7.0),
    pair!(error on ground, 4.5),
    pair!(ok on surface, 4.5),
    pair!(warn on surface, 4.5),
];

/// Colours of the drawn landscape; never behind text smaller than 40 points.
pub mod landscape {
    use super::rgb;
    use egui::Color32;

    /// Top of the sky.
    pub const SKY_TOP: Color32 = rgb(0x00E1_EEEC);
    /// Middle of the sky.
    pub const SKY_MIDDLE: Color32 = rgb(0x00F6_F3EC);
    /// Sky above the mountains.
    pub const SKY_LOW: Color32 = rgb(0x00FB_F0D2);
    /// The sun.
    pub const SUN: Color32 = rgb(0x00F6_C93A);
    /// Far ridge, top.
    pub const FAR_TOP: Color32 = rgb(0x00BF_D9D8);
    /// Far ridge, foot.
    pub const FAR_LOW: Color32 = rgb(0x00DC_E9E6);
    /// Snow.
    pub const SNOW: Color32 = rgb(0x00FF_FFFF);
    /// Shaded flank of a mountain.
    pub const SHADE: Color32 = rgb(0x00A9_CDCD);
    /// Far hills.
    pub const HILL_FAR: Color32 = rgb(0x00A3_C9C8);
    /// Near hills.
    pub const HILL_NEAR: Color32 = rgb(0x0078_B0B0);
    /// Lake at the far shore.
    pub const LAKE_TOP: Color32 = rgb(0x006C_B7B8);
    /// Middle of the lake.
    pub const LAKE_MIDDLE: Color32 = rgb(0x001B_8A92);
    /// Lake at the near shore.
    pub const LAKE_LOW: Color32 = rgb(0x000A_5763);
    /// Ripples.
    pub const WAVE: Color32 = rgb(0x00A3_D0D0);
    /// Sunlight on the water.
    pub const GLINT: Color32 = rgb(0x00FF_F1C4);
    /// Rape field.
    pub const FIELD: Color32 = rgb(0x00F4_BE1A);
    /// Rape field in front.
    pub const FIELD_NEAR: Color32 = rgb(0x00DF_A400);
}
