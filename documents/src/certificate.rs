//! A certificate for an A4 page, as PDF/A-2u: a frame, what it is, whose it is, the code that leads to its public page, and
//! the seal.
//!
//! The fonts are embedded as subsets and every sign keeps its character, so that the page looks and reads the same in
//! decades. Refuses to draw a seal that is not given: whoever has none leaves it out. What does not fit on one page is an
//! error, never cut off.
use domain::document::qr::QrCode;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings};

use crate::pdf::{Colour, Ink, PdfFonts};
use crate::typeface::{Pen, Weight};
use crate::{DocumentError, Fact, Typeface};

/// A4 in points.
const PAGE: (f32, f32) = (595.28, 841.89);
/// Where the outer frame stands.
const FRAME: f32 = 34.0;
/// Where words begin and end.
const MARGIN: f32 = 74.0;
/// Width of the words.
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// Side of the code: 38 mm.
const CODE: f32 = 108.0;
/// Where the part with code and seal begins.
const LOWER: f32 = 566.0;
/// Where the last line stands.
const FOOT: f32 = PAGE.1 - FRAME - 38.0;
/// Radius of the seal: 21 mm, as seals of offices have.
const SEAL: f32 = 60.0;
/// Sizes in which the title is tried, in points.
const TITLES: [f32; 3] = [30.0, 24.0, 18.0];
/// Lines of the words in a seal, at most.
const SEAL_LINES: usize = 4;
/// A line is so many times as high as its signs.
const LEADING: f32 = 1.45;

/// The time at which a page was made, as the document says it; in China.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day, from 1.
    pub day: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
}

/// A seal: red circles with words in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Small, above: whose it is.
    pub owner: String,
    /// Large, in the middle: such as 示例印章.
    pub words: String,
}

/// What stands on a certificate: words that are ready. Never printed by `Debug`: it names somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificatePaper {
    /// What it is.
    pub title: String,
    /// White on black below the title while the data are samples (示例).
    pub sample: Option<String>,
    /// Number, holder, validity.
    pub facts: Vec<Fact>,
    /// Text of the QR code.
    pub code: String,
    /// What the code is for.
    pub code_notes: Vec<String>,
    /// Beside the seal: who issued it, and when.
    pub signed: Vec<String>,
    /// The seal, if there is one.
    pub seal: Option<Seal>,
    /// Last line.
    pub foot: String,
    /// Language of the words, such as `zh-CN`.
    pub language: String,
    /// When it was issued.
    pub made: Moment,
}

impl std::fmt::Debug for CertificatePaper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificatePaper({} facts)", self.facts.len())
    }
}

/// Makes the page.
///
/// # Errors
/// [`DocumentError::Font`] if the fonts cannot be used, [`DocumentError::Code`] and [`DocumentError::TooLong`] if the
/// page cannot hold it, [`DocumentError::Pdf`] if the library finds that it is no PDF/A.
pub fn certificate(paper: &CertificatePaper, typeface: &Typeface) -> Result<Vec<u8>, DocumentError> {
    let faces = typeface.open()?;
    let fonts = PdfFonts::open(typeface)?;
    let code = QrCode::new(&paper.code).map_err(|_| DocumentError::Code)?;
    let archived = ConfigurationBuilder::new().with_archival_validator(Archival::A2_U).finish();
    let configuration = archived.map_err(|_| DocumentError::Pdf)?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    document.set_metadata(about(paper));
    let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(DocumentError::Pdf)?;
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let ink = Ink { surface: &mut surface, faces: &faces, fonts: &fonts };
    let mut sheet = Sheet { ink, top: 96.0 };
    sheet.frame();
    sheet.head(paper)?;
    sheet.facts(paper)?;
    sheet.proof(paper, &code)?;
    sheet.signed(paper)?;
    surface.finish();
    page.finish();
    document.finish().map_err(|_| DocumentError::Pdf)
}

fn about(paper: &CertificatePaper) -> Metadata {
    let Moment { year, month, day, hour, minute } = paper.made;
    let made = DateTime::new(year).month(month).day(day).hour(hour).minute(minute).second(0);
    let made = made.utc_offset_hour(8).utc_offset_minute(0);
    Metadata::new().title(paper.title.clone()).language(paper.language.clone()).creation_date(made)
}

/// A page that is filled from the top.
struct Sheet<'a, 's> {
    ink: Ink<'a, 's>,
    top: f32,
}

/// Left end, width, and lowest end of a column.
type Column = (f32, f32, f32);
const CAPTIONS: Column = (MARGIN, 84.0, LOWER - 12.0);
const WORDS: Column = (MARGIN + 96.0, WIDTH - 96.0, LOWER - 12.0);
const BELOW_CODE: Column = (MARGIN, 190.0, FOOT);
/// Where the seal stands, and the unit and the day below it.
const SIGNED: Column = (PAGE.0 - MARGIN - 190.0, 190.0, FOOT);

impl Sheet<'_, '_> {
    fn frame(&mut self) {
        for (at, line) in [(FRAME, 2.0), (FRAME + 5.0, 0.6)] {
            self.ink.outline((at, at), (PAGE.0 - 2.0 * at, PAGE.1 - 2.0 * at), line);
        }
    }

    fn head(&mut self, paper: &CertificatePaper) -> Result<(), DocumentError> {
        let lines = |size: f32| self.ink.faces.lines(&paper.title, Weight::Bold, WIDTH / size);
        let fits = TITLES.into_iter().find(|size| lines(*size).is_ok_and(|lines| lines.len() <= 2));
        let size = fits.unwrap_or(TITLES[2]);
        for line in lines(size)? {
            self.centred(&line, (size, Weight::Bold), Colour::Black, (PAGE.0 / 2.0, LOWER))?;
        }
        if let Some(sample) = &paper.sample {
            let wide = self.ink.faces.width(sample, Weight::Bold) * 13.0 + 28.0;
            self.top += 8.0;
            self.ink.fill(((PAGE.0 - wide) / 2.0, self.top), (wide, 24.0));
            self.top += 4.0;
            self.centred(sample, (13.0, Weight::Bold), Colour::White, (PAGE.0 / 2.0, LOWER))?;
        }
        self.top += 34.0;
        Ok(())
    }

    fn facts(&mut self, paper: &CertificatePaper) -> Result<(), DocumentError> {
        for fact in &paper.facts {
            let from = self.top;
            self.words(&fact.caption, (13.0, Weight::Regular), CAPTIONS)?;
            let after = std::mem::replace(&mut self.top, from);
            self.words(&fact.words, (13.0, Weight::Bold), WORDS)?;
            self.top = self.top.max(after) + 9.0;
        }
        Ok(())
    }

    fn proof(&mut self, paper: &CertificatePaper, code: &QrCode) -> Result<(), DocumentError> {
        self.ink.code(code, (MARGIN, LOWER), CODE);
        self.top = LOWER + CODE + 8.0;
        for note in &paper.code_notes {
            self.words(note, (10.0, Weight::Regular), BELOW_CODE)?;
        }
        self.top = FOOT;
        self.words(&paper.foot, (9.0, Weight::Regular), (MARGIN, WIDTH, PAGE.1 - FRAME - 8.0))
    }

    /// The seal, and below it who issued the certificate and when: nothing covers a word.
    fn signed(&mut self, paper: &CertificatePaper) -> Result<(), DocumentError> {
        let (left, wide, end) = SIGNED;
        let middle = left + wide / 2.0;
        if let Some(seal) = &paper.seal {
            self.seal(seal, middle)?;
        }
        self.top = LOWER + 2.0 * SEAL + 10.0;
        for words in &paper.signed {
            for line in self.ink.faces.lines(words, Weight::Regular, wide / 13.0)? {
                self.centred(&line, (13.0, Weight::Regular), Colour::Black, (middle, end))?;
            }
        }
        Ok(())
    }

    fn seal(&mut self, seal: &Seal, middle: f32) -> Result<(), DocumentError> {
        let centre = (middle, LOWER + SEAL);
        self.ink.circle(centre, SEAL, (3.0, Colour::Red));
        self.ink.circle(centre, SEAL - 5.0, (0.8, Colour::Red));
        let owner = self.ink.faces.lines(&seal.owner, Weight::Regular, SEAL * 1.3 / 8.0)?;
        if owner.len() > SEAL_LINES || self.ink.faces.width(&seal.words, Weight::Bold) > SEAL * 1.7 / 17.0 {
            return Err(DocumentError::TooLong);
        }
        let height = |lines: usize| f32::from(u16::try_from(lines).unwrap_or(0)) * 8.0 * LEADING;
        self.top = centre.1 + 4.0 - height(owner.len());
        for line in owner {
            self.centred(&line, (8.0, Weight::Regular), Colour::Red, (middle, FOOT))?;
        }
        self.top = centre.1 + 10.0;
        self.centred(&seal.words, (17.0, Weight::Bold), Colour::Red, (middle, FOOT))
    }

    /// A line around a middle; nothing may lie below the end.
    fn centred(
        &mut self,
        line: &str,
        (size, weight): (f32, Weight),
        colour: Colour,
        (middle, end): (f32, f32),
    ) -> Result<(), DocumentError> {
        let left = middle - self.ink.faces.width(line, weight) * size / 2.0;
        self.line(line, Pen { left, baseline: self.top + size, size, weight }, colour, end)
    }

    fn words(
        &mut self,
        words: &str,
        (size, weight): (f32, Weight),
        (left, room, end): Column,
    ) -> Result<(), DocumentError> {
        for line in self.ink.faces.lines(words, weight, room / size)? {
            let pen = Pen { left, baseline: self.top + size, size, weight };
            self.line(&line, pen, Colour::Black, end)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str, pen: Pen, colour: Colour, end: f32) -> Result<(), DocumentError> {
        if self.top + pen.size > end {
            return Err(DocumentError::TooLong);
        }
        self.ink.text(line, pen, colour);
        self.top += pen.size * LEADING;
        Ok(())
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
