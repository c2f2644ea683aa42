//! A slip for a roll of paper, as a bitmap: 576 dots across on 80 mm, 384 on 58 mm.
//!
//! Drawn, not sent as text: receipt printers have no common code page for Chinese, none for Tibetan, and none at all for
//! rare signs.
use domain::document::qr::QrCode;

use crate::bitmap::Bitmap;
use crate::typeface::{Faces, Pen, Weight};
use crate::{DocumentError, Paper, Typeface};

/// Width of the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RollWidth {
    /// 80 mm: 576 dots.
    #[default]
    Mm80,
    /// 58 mm: 384 dots.
    Mm58,
}

impl RollWidth {
    /// Dots across at 8 dots a millimetre.
    pub fn dots(self) -> usize {
        match self {
            Self::Mm80 => 576,
            Self::Mm58 => 384,
        }
    }
}

/// Draws a slip.
///
/// # Errors
/// [`DocumentError::Font`] if the fonts cannot be used, [`DocumentError::Code`] and [`DocumentError::TooLong`] if the
/// paper cannot hold it.
pub fn receipt(paper: &Paper, typeface: &Typeface, width: RollWidth) -> Result<Bitmap, DocumentError> {
    let faces = typeface.open()?;
    let narrow = width == RollWidth::Mm58;
    let mut roll = Roll { bitmap: Bitmap::new(width.dots()), faces: &faces, top: 8, narrow };
    roll.head(paper)?;
    roll.number(paper)?;
    roll.body(paper)?;
    roll.code(paper)?;
    roll.foot(paper)?;
    Ok(roll.bitmap)
}

/// Sizes in dots an em.
#[derive(Clone, Copy)]
enum Size {
    Small,
    Body,
    Title,
    Number,
}

/// A strip that is filled from the top.
struct Roll<'a> {
    bitmap: Bitmap,
    faces: &'a Faces<'a>,
    top: usize,
    narrow: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Align {
    Left,
    Middle,
}

impl Roll<'_> {
    fn head(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.words(&paper.title, (Size::Title, Weight::Bold), Align::Middle)?;
        if let Some(sample) = &paper.sample {
            self.gap(6);
            let from = self.top;
            self.gap(4);
            self.words(sample, (Size::Body, Weight::Bold), Align::Middle)?;
            self.gap(6);
            self.bitmap.grow(self.top)?;
            self.bitmap.invert_rows(from, self.top);
        }
        self.rule()
    }

    fn number(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.words(&paper.number_caption, (Size::Small, Weight::Regular), Align::Left)?;
        // Two groups a line: the larger the type, the fewer ask a second time.
        for pair in paper.number.chunks(2) {
            self.words(&pair.join(" "), (Size::Number, Weight::Bold), Align::Left)?;
        }
        if let Some(note) = &paper.number_note {
            self.words(note, (Size::Small, Weight::Bold), Align::Left)?;
        }
        self.rule()
    }

    fn body(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.words(&paper.item, (Size::Title, Weight::Bold), Align::Left)?;
        self.gap(6);
        for fact in &paper.facts {
            self.words(&fact.caption, (Size::Small, Weight::Regular), Align::Left)?;
            self.words(&fact.words, (Size::Body, Weight::Bold), Align::Left)?;
            self.gap(4);
        }
        if !paper.next.is_empty() {
            self.rule()?;
        }
        for words in &paper.next {
            self.words(words, (Size::Body, Weight::Regular), Align::Left)?;
            self.gap(4);
        }
        Ok(())
    }

    fn code(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        let code = QrCode::new(&paper.code).map_err(|_| DocumentError::Code)?;
        self.top += self.bitmap.code(&code, self.top, 432)?;
        for note in &paper.code_notes {
            self.words(note, (Size::Small, Weight::Regular), Align::Middle)?;
        }
        Ok(())
    }

    fn foot(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.rule()?;
        self.words(&paper.foot, (Size::Small, Weight::Regular), Align::Middle)?;
        self.gap(8);
        self.bitmap.grow(self.top)
    }

    fn gap(&mut self, dots: usize) {
        self.top += dots;
    }

    fn rule(&mut self) -> Result<(), DocumentError> {
        self.gap(10);
        self.bitmap.grow(self.top + 2)?;
        // Dashes, as if torn off here.
        let width = self.bitmap.width();
        for left in (0..width).step_by(16) {
            self.bitmap.fill((left, self.top), (10, 2));
        }
        self.gap(12);
        Ok(())
    }

    fn words(
        &mut self,
        words: &str,
        (size, weight): (Size, Weight),
        align: Align,
    ) -> Result<(), DocumentError> {
        let size = self.dots(size);
        let room = dots(self.bitmap.width());
        for line in self.faces.lines(words, weight, room / size)? {
            let width = self.faces.width(&line, weight) * size;
            let left = if align == Align::Middle { ((room - width) / 2.0).max(0.0) } else { 0.0 };
            let height = rows(size * 1.3);
            self.bitmap.grow(self.top + height)?;
            let baseline = (dots(self.top) + size * 1.02).round();
            self.bitmap.text(self.faces, &line, Pen { left, baseline, size, weight });
            self.gap(height);
        }
        Ok(())
    }

    fn dots(&self, size: Size) -> f32 {
        match (size, self.narrow) {
            (Size::Small, false) => 24.0,
            (Size::Small, true) => 22.0,
            (Size::Body, false) => 28.0,
            (Size::Body, true) => 25.0,
            (Size::Title, false) => 38.0,
            (Size::Title, true) => 32.0,
            (Size::Number, false) => 96.0,
            (Size::Number, true) => 68.0,
        }
    }
}

#[allow(clippy::cast_precision_loss)] // at most some thousand
fn dots(value: usize) -> f32 {
    value as f32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a positive number of rows
fn rows(value: f32) -> usize {
    value.ceil() as usize
}
