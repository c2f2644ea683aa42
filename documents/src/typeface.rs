//! Fonts given as bytes: which face has a sign, how wide words are, and where a line ends.
//!
//! Refuses to open files: whoever prints maps the terminal's own fonts and gives their bytes. A sign that no face has
//! keeps its place: whoever draws puts a box there, and nothing is left out.
use std::path::Path;
use std::sync::Arc;

use ab_glyph::{Font as _, FontRef};

use crate::DocumentError;
use crate::line_break::pieces;

/// The faces of the system's packages, each read by `open`; those for rare signs only if they are there.
///
/// # Errors
/// That of `open`, if the usual or the bold face cannot be read.
pub fn system<E>(open: impl Fn(&Path, u32) -> Result<FontBytes, E>) -> Result<Typeface, E> {
    let [regular, bold] = SYSTEM_FILES.map(|path| open(Path::new(path), SYSTEM_FACE));
    let rare = SYSTEM_RARE_FILES.iter().filter_map(|path| open(Path::new(path), 0).ok()).collect();
    Ok(Typeface { regular: regular?, bold: bold?, rare })
}

/// The subset of last resort, out of the folder of the assets.
///
/// # Errors
/// As [`system`].
pub fn subset<E>(assets: &Path, open: impl Fn(&Path, u32) -> Result<FontBytes, E>) -> Result<Typeface, E> {
    let [regular, bold] = SUBSET_FILES.map(|name| open(&assets.join("fonts").join(name), 0));
    Ok(Typeface { regular: regular?, bold: bold?, rare: Vec::new() })
}

/// Where the packages `fonts-noto-cjk` put the usual and the bold face: collections.
pub const SYSTEM_FILES: [&str; 2] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
];
/// The face of Simplified Chinese in those collections.
pub const SYSTEM_FACE: u32 = 2;
/// Where the package `fonts-hanazono` puts faces for rare signs.
pub const SYSTEM_RARE_FILES: [&str; 2] =
    ["/usr/share/fonts/truetype/hanazono/HanaMinA.ttf", "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"];
/// The subset of last resort, in the folder `fonts` of the assets: the usual and the bold face.
pub const SUBSET_FILES: [&str; 2] = ["JinbanSans-Regular.otf", "JinbanSans-Bold.otf"];

/// Lines of one text, at most.
const MAX_LINES: usize = 40;
/// Width of a sign without a glyph, in ems: that of a Chinese sign.
const BOX_WIDTH: f32 = 1.0;

/// Bytes of a font file, perhaps mapped, with the face in a collection.
#[derive(Clone)]
pub struct FontBytes {
    /// The file's bytes.
    pub data: Arc<dyn AsRef<[u8]> + Send + Sync>,
    /// Which face of a collection; 0 for a file with one.
    pub face: u32,
}

impl std::fmt::Debug for FontBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FontBytes(face {})", self.face)
    }
}

/// The faces of a document: one for most signs, one in bold, and some for rare signs.
#[derive(Debug, Clone)]
pub struct Typeface {
    /// The usual face.
    pub regular: FontBytes,
    /// The bold one.
    pub bold: FontBytes,
    /// Asked in this order for signs that the others do not have.
    pub rare: Vec<FontBytes>,
}

/// Which of the two main faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The usual one.
    Regular,
    /// The bold one.
    Bold,
}

/// Where and how a line of text stands: in dots on a bitmap, in points of 1/72 inch on a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    /// Left end.
    pub(crate) left: f32,
    /// Where the signs stand.
    pub(crate) baseline: f32,
    /// Size of an em.
    pub(crate) size: f32,
    /// Face.
    pub(crate) weight: Weight,
}

/// A sign, the face that has it and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    /// The sign.
    pub(crate) sign: char,
    /// Place of the face in [`Faces`] and number of the glyph; none if no face has the sign.
    pub(crate) glyph: Option<(usize, u16)>,
    /// In ems.
    pub(crate) advance: f32,
}

/// The faces of a typeface, opened for one document.
pub(crate) struct Faces<'a> {
    /// Regular, bold, then the rare ones; none where a rare one cannot be used.
    fonts: Vec<Option<FontRef<'a>>>,
}

impl Typeface {
    /// The bytes in the order of [`Faces`].
    pub(crate) fn files(&self) -> impl Iterator<Item = &FontBytes> {
        [&self.regular, &self.bold].into_iter().chain(&self.rare)
    }

    /// Opens all faces.
    pub(crate) fn open<'a>(&'a self) -> Result<Faces<'a>, DocumentError> {
        let open = |file: &'a FontBytes| {
            let bytes: &[u8] = (*file.data).as_ref();
            FontRef::try_from_slice_and_index(bytes, file.face).ok()
        };
        let fonts: Vec<_> = self.files().map(open).collect();
        // A rare face that cannot be used is missed where one of its signs is: a box says so.
        if fonts.iter().take(2).any(Option::is_none) {
            return Err(DocumentError::Font);
        }
        Ok(Faces { fonts })
    }
}

impl<'a> Faces<'a> {
    /// A face by its place.
    pub(crate) fn font(&self, place: usize) -> Option<&FontRef<'a>> {
        self.fonts.get(place)?.as_ref()
    }

    /// Finds a face for a sign: that of the weight, the other one, then the rare ones.
    pub(crate) fn place(&self, sign: char, weight: Weight) -> Placed {
        let first = usize::from(weight == Weight::Bold);
        let order = [first, 1 - first].into_iter().chain(2..self.fonts.len());
        for at in order {
            let Some(font) = self.font(at) else { continue };
            let id = font.glyph_id(sign);
            if id.0 != 0 {
                let advance = font.h_advance_unscaled(id) / em(font);
                return Placed { sign, glyph: Some((at, id.0)), advance };
            }
        }
        Placed { sign, glyph: None, advance: BOX_WIDTH }
    }

    /// A text as placed signs; control characters, and the mark of byte order, are left out.
    pub(crate) fn signs(&self, text: &str, weight: Weight) -> Vec<Placed> {
        let seen = text.chars().filter(|sign| !sign.is_control() && *sign != '\u{feff}');
        seen.map(|sign| self.place(sign, weight)).collect()
    }

    /// How wide a text is, in ems.
    pub(crate) fn width(&self, text: &str, weight: Weight) -> f32 {
        self.signs(text, weight).iter().map(|placed| placed.advance).sum()
    }

    /// A text in lines that are at most so many ems wide; a single word that is wider is cut.
    pub(crate) fn lines(
        &self,
        text: &str,
        weight: Weight,
        widest: f32,
    ) -> Result<Vec<String>, DocumentError> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for piece in pieces(text) {
            if self.width(line.trim_end(), weight) + self.width(piece.trim_end(), weight) > widest + 0.01
                && !line.is_empty()
            {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            if line.is_empty() && self.width(piece.trim_end(), weight) > widest {
                self.cut(piece, weight, widest, (&mut lines, &mut line));
            } else {
                line.push_str(if line.is_empty() { piece.trim_start() } else { piece });
            }
            if lines.len() > MAX_LINES {
                return Err(DocumentError::TooLong);
            }
        }
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        Ok(lines)
    }

    /// Cuts a piece that is wider than a line into lines; what is left stays open.
    fn cut(&self, piece: &str, weight: Weight, widest: f32, (lines, open): (&mut Vec<String>, &mut String)) {
        let mut width = 0.0;
        for placed in self.signs(piece, weight) {
            if width + placed.advance > widest && !open.is_empty() && lines.len() <= MAX_LINES {
                lines.push(std::mem::take(open));
                width = 0.0;
            }
            width += placed.advance;
            open.push(placed.sign);
        }
    }
}

/// Units of an em.
fn em(font: &FontRef<'_>) -> f32 {
    font.units_per_em().filter(|units| *units > 0.0).unwrap_or(1_000.0)
}

/// The scale that `ab_glyph` wants (line height in dots) for so many dots an em.
pub(crate) fn scale_of(font: &FontRef<'_>, dots: f32) -> ab_glyph::PxScale {
    ab_glyph::PxScale::from(dots * font.height_unscaled() / em(font))
}
