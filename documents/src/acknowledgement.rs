//! A slip for an A4 page, as a PDF: the number in large type, the code beside it, what is true and what happens next.
//!
//! The fonts are embedded as subsets, so that every printer prints the same; the text can be selected.
use domain::document::qr::QrCode;
use krilla::Document;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;

use crate::pdf::{Colour, Ink, PdfFonts};
use crate::typeface::{Pen, Weight};
use crate::{DocumentError, Paper, Typeface};

/// A4 in points.
const PAGE: (f32, f32) = (595.28, 841.89);
/// White around.
const MARGIN: f32 = 56.0;
/// Side of the code: 45 mm.
const CODE: f32 = 128.0;

/// Makes the page.
///
/// # Errors
/// [`DocumentError::Font`] if the fonts cannot be used, [`DocumentError::Code`] and [`DocumentError::TooLong`] if the
/// page cannot hold it, [`DocumentError::Pdf`] if the library refuses.
pub fn acknowledgement(paper: &Paper, typeface: &Typeface) -> Result<Vec<u8>, DocumentError> {
    let faces = typeface.open()?;
    let fonts = PdfFonts::open(typeface)?;
    let code = QrCode::new(&paper.code).map_err(|_| DocumentError::Code)?;
    let mut document = Document::new();
    let about = Metadata::new().title(paper.title.clone()).language(paper.language.clone());
    document.set_metadata(about);
    let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(DocumentError::Pdf)?;
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let ink = Ink { surface: &mut surface, faces: &faces, fonts: &fonts };
    let mut sheet = Sheet { ink, top: MARGIN };
    sheet.head(paper)?;
    sheet.number(paper, &code)?;
    sheet.body(paper)?;
    sheet.foot(paper)?;
    surface.finish();
    page.finish();
    document.finish().map_err(|_| DocumentError::Pdf)
}

/// A page that is filled from the top.
struct Sheet<'a, 's> {
    ink: Ink<'a, 's>,
    top: f32,
}

/// Left end and width of a column.
type Column = (f32, f32);
const WHOLE: Column = (MARGIN, PAGE.0 - 2.0 * MARGIN);
const BESIDE_CODE: Column = (MARGIN, PAGE.0 - 2.0 * MARGIN - CODE - 28.0);
const CAPTIONS: Column = (MARGIN, 104.0);
const WORDS: Column = (MARGIN + 112.0, PAGE.0 - 2.0 * MARGIN - 112.0);

impl Sheet<'_, '_> {
    fn head(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.words(&paper.title, (24.0, Weight::Bold), WHOLE)?;
        if let Some(sample) = &paper.sample {
            self.top += 6.0;
            self.ink.fill((MARGIN, self.top), (WHOLE.1, 24.0));
            let pen =
                Pen { left: MARGIN + 10.0, baseline: self.top + 17.0, size: 13.0, weight: Weight::Bold };
            self.ink.text(sample, pen, Colour::White);
            self.top += 24.0;
        }
        self.rule();
        Ok(())
    }

    fn number(&mut self, paper: &Paper, code: &QrCode) -> Result<(), DocumentError> {
        let from = self.top;
        self.ink.code(code, (PAGE.0 - MARGIN - CODE, from + 4.0), CODE);
        self.words(&paper.number_caption, (12.0, Weight::Regular), BESIDE_CODE)?;
        self.words(&paper.number.join(" "), (32.0, Weight::Bold), BESIDE_CODE)?;
        if let Some(note) = &paper.number_note {
            self.words(note, (12.0, Weight::Bold), BESIDE_CODE)?;
        }
        self.top += 4.0;
        for note in &paper.code_notes {
            self.words(note, (11.0, Weight::Regular), BESIDE_CODE)?;
        }
        self.top = self.top.max(from + CODE + 12.0);
        self.rule();
        Ok(())
    }

    fn body(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        self.words(&paper.item, (18.0, Weight::Bold), WHOLE)?;
        self.top += 6.0;
        for fact in &paper.facts {
            let from = self.top;
            self.words(&fact.caption, (12.0, Weight::Regular), CAPTIONS)?;
            let after = std::mem::replace(&mut self.top, from);
            self.words(&fact.words, (12.0, Weight::Bold), WORDS)?;
            self.top = self.top.max(after) + 3.0;
        }
        if !paper.next.is_empty() {
            self.rule();
        }
        for words in &paper.next {
            self.words(words, (13.0, Weight::Regular), WHOLE)?;
            self.top += 4.0;
        }
        Ok(())
    }

    fn foot(&mut self, paper: &Paper) -> Result<(), DocumentError> {
        let line = PAGE.1 - MARGIN - 30.0;
        if self.top > line {
            return Err(DocumentError::TooLong);
        }
        self.top = line;
        self.rule();
        self.words(&paper.foot, (10.0, Weight::Regular), WHOLE)
    }

    fn rule(&mut self) {
        self.top += 8.0;
        self.ink.fill((MARGIN, self.top), (WHOLE.1, 0.75));
        self.top += 10.0;
    }

    fn words(
        &mut self,
        words: &str,
        (size, weight): (f32, Weight),
        (left, room): Column,
    ) -> Result<(), DocumentError> {
        for line in self.ink.faces.lines(words, weight, room / size)? {
            if self.top + size > PAGE.1 - MARGIN / 2.0 {
                return Err(DocumentError::TooLong);
            }
            let pen = Pen { left, baseline: self.top + size, size, weight };
            self.ink.text(&line, pen, Colour::Black);
            self.top += size * 1.45;
        }
        Ok(())
    }
}
