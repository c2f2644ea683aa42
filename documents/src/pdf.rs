//! A page of a PDF that is written from the top: words in embedded subsets of the faces, rules, boxes, codes.
//!
//! The only place beside [`crate::scans`] that knows the library. Words stay words: they can be selected and read
//! aloud. A sign that no face has is a box.
use domain::document::qr::QrCode;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};

use crate::typeface::{Faces, Pen, Placed, Typeface};
use crate::{DocumentError, FontBytes};

/// The faces as the library wants them, in the order of [`Faces`].
pub(crate) struct PdfFonts(Vec<Option<Font>>);

impl PdfFonts {
    /// Opens all faces.
    pub(crate) fn open(typeface: &Typeface) -> Result<Self, DocumentError> {
        let open = |file: &FontBytes| Font::new(std::sync::Arc::clone(&file.data).into(), file.face);
        let fonts: Vec<Option<Font>> = typeface.files().map(open).collect();
        if fonts.iter().take(2).any(Option::is_none) {
            return Err(DocumentError::Font);
        }
        Ok(Self(fonts))
    }
}

/// In what something is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Nearly everything.
    Black,
    /// Words on black.
    White,
    /// Seals.
    Red,
}

impl Colour {
    fn rgb(self) -> rgb::Color {
        match self {
            Self::Black => rgb::Color::new(0, 0, 0),
            Self::White => rgb::Color::new(255, 255, 255),
            Self::Red => rgb::Color::new(200, 30, 30),
        }
    }
}

/// How far the handles of a curve stand off so that four curves look like a circle, in radii.
const CIRCLE: f32 = 0.552_285;

/// Corner and size.
type Area = ((f32, f32), (f32, f32));

/// Draws on one page.
pub(crate) struct Ink<'a, 's> {
    /// The page.
    pub(crate) surface: &'a mut Surface<'s>,
    /// Faces to measure with.
    pub(crate) faces: &'a Faces<'a>,
    /// Faces to draw with.
    pub(crate) fonts: &'a PdfFonts,
}

impl Ink<'_, '_> {
    /// Draws a line of text.
    pub(crate) fn text(&mut self, text: &str, pen: Pen, colour: Colour) {
        self.surface.set_fill(Some(Fill {
            paint: colour.rgb().into(),
            opacity: NormalizedF32::ONE,
            rule: FillRule::default(),
        }));
        let signs = self.faces.signs(text, pen.weight);
        let mut left = pen.left;
        // One run for as long as the face stays the same.
        for run in signs.chunk_by(|a, b| a.glyph.map(|g| g.0) == b.glyph.map(|g| g.0)) {
            let width: f32 = run.iter().map(|placed| placed.advance * pen.size).sum();
            self.run(run, Pen { left, ..pen });
            left += width;
        }
    }

    fn run(&mut self, run: &[Placed], pen: Pen) {
        let place = run.first().and_then(|placed| placed.glyph).map(|(at, _)| at);
        let Some(font) = place.and_then(|at| self.fonts.0.get(at).cloned().flatten()) else {
            let side = pen.size * 0.8;
            for (at, _) in (0_u16..).zip(run).filter(|(_, placed)| !placed.sign.is_whitespace()) {
                let left = pen.left + (f32::from(at) + 0.1) * pen.size;
                self.outline((left, pen.baseline - side), (side, side), pen.size / 16.0);
            }
            return;
        };
        let mut text = String::new();
        let mut glyphs = Vec::new();
        for placed in run {
            let start = text.len();
            text.push(placed.sign);
            let id = GlyphId::new(placed.glyph.map_or(0, |(_, id)| u32::from(id)));
            glyphs.push(KrillaGlyph::new(id, placed.advance, 0.0, 0.0, 0.0, start..text.len(), None));
        }
        let start = Point::from_xy(pen.left, pen.baseline);
        self.surface.draw_glyphs(start, &glyphs, font, &text, pen.size, false);
    }

    /// A black rectangle.
    pub(crate) fn fill(&mut self, corner: (f32, f32), size: (f32, f32)) {
        self.rectangles(&[(corner, size)]);
    }

    /// The frame of a rectangle.
    pub(crate) fn outline(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), line: f32) {
        self.rectangles(&[
            ((x, y), (width, line)),
            ((x, y + height - line), (width, line)),
            ((x, y), (line, height)),
            ((x + width - line, y), (line, height)),
        ]);
    }

    /// A circle around a point, as a line.
    pub(crate) fn circle(&mut self, (x, y): (f32, f32), radius: f32, (line, colour): (f32, Colour)) {
        let far = radius * CIRCLE;
        let mut path = PathBuilder::new();
        path.move_to(x + radius, y);
        path.cubic_to(x + radius, y + far, x + far, y + radius, x, y + radius);
        path.cubic_to(x - far, y + radius, x - radius, y + far, x - radius, y);
        path.cubic_to(x - radius, y - far, x - far, y - radius, x, y - radius);
        path.cubic_to(x + far, y - radius, x + radius, y - far, x + radius, y);
        path.close();
        let Some(path) = path.finish() else { return };
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke {
            paint: colour.rgb().into(),
            width: line,
            ..Stroke::default()
        }));
        self.surface.draw_path(&path);
        self.surface.set_stroke(None);
    }

    /// A QR code with this side, without its quiet zone.
    pub(crate) fn code(&mut self, code: &QrCode, (left, top): (f32, f32), side: f32) {
        let Ok(count) = u16::try_from(code.size) else { return };
        let module = side / f32::from(count.max(1));
        let place = |n: usize| f32::from(u16::try_from(n).unwrap_or(0)) * module;
        let dark = code.dark.iter().enumerate().filter(|(_, dark)| **dark);
        let rectangles: Vec<_> = dark
            .map(|(at, _)| {
                let corner = (left + place(at % code.size), top + place(at / code.size));
                // A hair more, or white lines run through it at some sizes.
                (corner, (module * 1.02, module * 1.02))
            })
            .collect();
        self.rectangles(&rectangles);
    }

    fn rectangles(&mut self, all: &[Area]) {
        self.surface.set_fill(Some(Fill::default()));
        let mut path = PathBuilder::new();
        for ((x, y), (width, height)) in all {
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rect);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }
}
