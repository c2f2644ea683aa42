//! Fonts: Noto Sans CJK SC and, for rare characters, HanaMin, mapped from the system's packages.
//!
//! Refuses to copy them into memory. Where the packages are missing, a small subset from `assets/fonts` is used and
//! the log says so.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use documents::typeface::{self, SUBSET_FILES, SYSTEM_FACE, SYSTEM_FILES, SYSTEM_RARE_FILES};
use documents::{FontBytes, Typeface};
use egui::{FontData, FontDefinitions, FontFamily};
use memmap2::Mmap;

/// Name of the bold family.
pub const BOLD: &str = "bold";
const SYSTEM_REGULAR: &str = SYSTEM_FILES[0];
const SYSTEM_BOLD: &str = SYSTEM_FILES[1];

/// Which fonts to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FontChoice {
    /// The system's packages; the subset only where they are missing.
    System,
    /// The subset of `assets/fonts`: the same on every machine.
    Subset,
}

/// Fonts that can be given to [`egui::Context::set_fonts`].
pub struct Fonts {
    /// For egui.
    pub definitions: FontDefinitions,
    /// The subset had to be used although the system's fonts were asked for.
    pub fell_back: bool,
}

/// No font can be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot map the font {path}")]
pub struct FontError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Maps the fonts.
///
/// # Errors
/// [`FontError`] when the subset cannot be read either.
pub fn load(assets: &Path, choice: FontChoice) -> Result<Fonts, FontError> {
    if choice == FontChoice::System {
        match system() {
            Ok(definitions) => return Ok(Fonts { definitions, fell_back: false }),
            Err(error) => tracing::warn!(
                error.path = %error.path.display(),
                "fonts-noto-cjk is missing; the small subset in assets/fonts is used and rare characters show as boxes"
            ),
        }
    }
    let folder = assets.join("fonts");
    let regular = map(&folder.join(SUBSET_FILES[0]), 0)?;
    let bold = map(&folder.join(SUBSET_FILES[1]), 0)?;
    let definitions = definitions(regular, bold, Vec::new());
    Ok(Fonts { definitions, fell_back: choice == FontChoice::System })
}

/// The same fonts for paper; the subset only where the system's packages are missing.
///
/// # Errors
/// [`FontError`] when the subset cannot be read either.
pub fn typeface(assets: &Path, choice: FontChoice) -> Result<Typeface, FontError> {
    let subset = || typeface::subset(assets, paper_font);
    if choice == FontChoice::System { typeface::system(paper_font).or_else(|_| subset()) } else { subset() }
}

fn paper_font(path: &Path, face: u32) -> Result<FontBytes, FontError> {
    Ok(FontBytes { data: Arc::new(map_file(path)?), face })
}

/// The family of a weight.
pub fn family(bold: bool) -> FontFamily {
    if bold { FontFamily::Name(Arc::from(BOLD)) } else { FontFamily::Proportional }
}

fn system() -> Result<FontDefinitions, FontError> {
    let regular = map(Path::new(SYSTEM_REGULAR), SYSTEM_FACE)?;
    let bold = map(Path::new(SYSTEM_BOLD), SYSTEM_FACE)?;
    let rare = SYSTEM_RARE_FILES.iter().filter_map(|path| map(Path::new(path), 0).ok()).collect();
    Ok(definitions(regular, bold, rare))
}

fn definitions(regular: FontData, bold: FontData, rare: Vec<FontData>) -> FontDefinitions {
    let mut data = BTreeMap::new();
    data.insert("regular".to_owned(), Arc::new(regular));
    data.insert(BOLD.to_owned(), Arc::new(bold));
    let mut fallback = Vec::new();
    for (i, font) in rare.into_iter().enumerate() {
        let name = format!("rare{i}");
        data.insert(name.clone(), Arc::new(font));
        fallback.push(name);
    }
    let list = |first: &[&str]| {
        first.iter().map(|name| (*name).to_owned()).chain(fallback.iter().cloned()).collect::<Vec<_>>()
    };
    let mut families = BTreeMap::new();
    families.insert(FontFamily::Proportional, list(&["regular"]));
    families.insert(FontFamily::Monospace, list(&["regular"]));
    families.insert(family(true), list(&[BOLD, "regular"]));
    FontDefinitions { font_data: data, families }
}

fn map(path: &Path, face: u32) -> Result<FontData, FontError> {
    Ok(FontData::from_blob(Arc::new(map_file(path)?), face))
}

#[allow(unsafe_code)]
fn map_file(path: &Path) -> Result<Mmap, FontError> {
    let failed = |source| FontError { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    // SAFETY: font files of the system or of our own assets are replaced by packages (a new inode), never rewritten
    // in place; the map only serves reads.
    unsafe { Mmap::map(&file) }.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_subset_has_both_weights_and_a_missing_one_is_named() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        let fonts = load(&assets, FontChoice::Subset).expect("subset");
        assert!(fonts.definitions.families.contains_key(&family(true)));
        assert!(!fonts.fell_back);
        let error = load(Path::new("/nowhere"), FontChoice::Subset).err().expect("missing");
        assert!(error.to_string().contains("JinbanSans-Regular.otf"));
    }

    fn assets() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
    }

    fn characters(folder: &Path, found: &mut BTreeSet<char>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                characters(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "toml" || kind == "json") {
                found.extend(std::fs::read_to_string(&path).unwrap().chars());
            }
        }
    }

    #[test]
    fn the_subset_has_every_character_of_the_words_and_the_catalogue() {
        let mut wanted: BTreeSet<char> = (' '..='~').collect();
        characters(&assets().join("text"), &mut wanted);
        characters(&assets().join("catalogue"), &mut wanted);
        wanted.retain(|sign| !sign.is_control());
        let fonts = load(&assets(), FontChoice::Subset).unwrap();
        assert!(!fonts.fell_back);
        let context = egui::Context::default();
        context.set_fonts(fonts.definitions);
        context.run_ui(egui::RawInput::default(), |_| {}).drop_without_applying_deltas();
        for bold in [false, true] {
            let font = egui::FontId::new(20.0, family(bold));
            let missing: String = context
                .fonts_mut(|fonts| wanted.iter().filter(|sign| !fonts.has_glyph(&font, **sign)).collect());
            assert!(missing.is_empty(), "make the subset again (assets/fonts/README.md): {missing}");
        }
    }
}
