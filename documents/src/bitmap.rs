//! Black dots on white paper, as a receipt printer wants them: eight dots a byte, the leftmost in the highest bit.
//!
//! Refuses anything but dots: where they go is decided by whoever lays out a page.
use ab_glyph::Font as _;
use domain::document::qr::QrCode;

use crate::DocumentError;
use crate::typeface::{Faces, Pen, Placed, scale_of};

/// Rows of the longest strip: 300 mm at 8 dots a millimetre.
pub const MAX_ROWS: usize = 2_400;
/// Part of a dot that a glyph must cover so that it is printed. A little under half: thin strokes of Chinese signs
/// vanish otherwise.
const COVERED: f32 = 0.42;
/// Light modules around a QR code that the standard asks for.
const QUIET_MODULES: usize = 4;

/// A strip of paper.
#[derive(Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: usize,
    dots: Vec<u8>,
}

impl std::fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bitmap({} x {})", self.width, self.rows())
    }
}

impl Bitmap {
    /// White paper of this width, rounded down to whole bytes, without a row yet.
    pub fn new(width: usize) -> Self {
        Self { width: width / 8 * 8, dots: Vec::new() }
    }

    /// Dots across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of dots.
    pub fn rows(&self) -> usize {
        self.dots.len().checked_div(self.width / 8).unwrap_or(0)
    }

    /// All rows, [`Bitmap::width`] / 8 bytes each.
    pub fn bytes(&self) -> &[u8] {
        &self.dots
    }

    /// Whether a dot is black; white outside of the paper.
    pub fn is_black(&self, x: usize, y: usize) -> bool {
        let byte = self.dots.get(y * (self.width / 8) + x / 8).copied().unwrap_or(0);
        x < self.width && byte & (0x80 >> (x % 8)) != 0
    }

    /// Makes the paper so many rows long.
    pub(crate) fn grow(&mut self, rows: usize) -> Result<(), DocumentError> {
        if rows > MAX_ROWS {
            return Err(DocumentError::TooLong);
        }
        let bytes = (rows * (self.width / 8)).max(self.dots.len());
        self.dots.resize(bytes, 0);
        Ok(())
    }

    /// Makes a dot black; nothing happens outside of the paper.
    fn blacken(&mut self, x: usize, y: usize) {
        let bytes = self.width / 8;
        if x < self.width
            && let Some(byte) = self.dots.get_mut(y * bytes + x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// Blackens a rectangle.
    pub(crate) fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize)) {
        for row in y..y + height {
            for column in x..x + width {
                self.blacken(column, row);
            }
        }
    }

    /// Turns white into black and black into white in full rows.
    pub(crate) fn invert_rows(&mut self, from: usize, to: usize) {
        let bytes = self.width / 8;
        let last = (to * bytes).min(self.dots.len());
        for byte in self.dots.get_mut(from * bytes..last).unwrap_or_default() {
            *byte = !*byte;
        }
    }

    /// Draws a line of text.
    pub(crate) fn text(&mut self, faces: &Faces<'_>, text: &str, pen: Pen) {
        let mut left = pen.left;
        for placed in faces.signs(text, pen.weight) {
            self.sign(faces, &placed, Pen { left, ..pen });
            left += placed.advance * pen.size;
        }
    }

    fn sign(&mut self, faces: &Faces<'_>, placed: &Placed, pen: Pen) {
        let Some((font, id)) = placed.glyph.and_then(|(at, id)| Some((faces.font(at)?, id))) else {
            if !placed.sign.is_whitespace() {
                self.missing(pen);
            }
            return;
        };
        let place = ab_glyph::point(pen.left.round(), pen.baseline);
        let glyph = ab_glyph::GlyphId(id).with_scale_and_position(scale_of(font, pen.size), place);
        let Some(outline) = font.outline_glyph(glyph) else { return };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, covered| {
            let (x, y) = (corner.x + cast(x), corner.y + cast(y));
            if covered >= COVERED && x >= 0.0 && y >= 0.0 {
                self.blacken(whole(x), whole(y));
            }
        });
    }

    /// A box in place of a sign that no face has.
    fn missing(&mut self, pen: Pen) {
        let side = whole(pen.size * 0.8);
        let x = whole((pen.left + pen.size * 0.1).max(0.0));
        let y = whole((pen.baseline - pen.size * 0.75).max(0.0));
        let line = (side / 12).max(1);
        self.fill((x, y), (side, line));
        self.fill((x, y + side.saturating_sub(line)), (side, line));
        self.fill((x, y), (line, side));
        self.fill((x + side.saturating_sub(line), y), (line, side));
    }

    /// Draws a QR code in the middle, at most so many dots wide with its quiet zone; gives how many rows it took.
    pub(crate) fn code(&mut self, code: &QrCode, top: usize, widest: usize) -> Result<usize, DocumentError> {
        let modules = code.size + 2 * QUIET_MODULES;
        let module = widest.min(self.width) / modules.max(1);
        if module < 3 {
            // Smaller modules run into each other on thermal paper.
            return Err(DocumentError::Code);
        }
        let side = module * modules;
        self.grow(top + side)?;
        let left = (self.width - side) / 2 + QUIET_MODULES * module;
        let first = top + QUIET_MODULES * module;
        for (at, _) in code.dark.iter().enumerate().filter(|(_, dark)| **dark) {
            let corner = (left + at % code.size * module, first + at / code.size * module);
            self.fill(corner, (module, module));
        }
        Ok(side)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // called with values from 0 to some thousand
fn whole(value: f32) -> usize {
    value as usize
}

#[allow(clippy::cast_precision_loss)] // a glyph is some hundred dots wide
fn cast(value: u32) -> f32 {
    value as f32
}
