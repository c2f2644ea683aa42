//! Fonts of the pages that the centre makes as PDF: those of the system's packages, read once when the first page is made;
//! where they are missing, the small subset of `assets/fonts`, which shows rare signs as boxes.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use documents::{FontBytes, Typeface, typeface};

/// The fonts, once they were read.
#[derive(Debug)]
pub struct Typefaces {
    assets: PathBuf,
    read: Mutex<Option<Arc<Typeface>>>,
}

/// No font can be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the font {path}: install fonts-noto-cjk, or name the folder of the assets")]
pub struct FontError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Typefaces {
    /// Fonts that are looked after in the system, then in this folder of assets.
    pub fn new(assets: &Path) -> Self {
        Self { assets: assets.to_owned(), read: Mutex::default() }
    }

    /// The fonts; whoever comes while they are read for the first time waits.
    ///
    /// # Errors
    /// [`FontError`] if neither the system's nor the subset can be read; the next one tries again.
    pub fn get(&self) -> Result<Arc<Typeface>, FontError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(typeface) = read.as_ref() {
            return Ok(typeface.clone());
        }
        let found = typeface::system(font).or_else(|error| {
            tracing::warn!(
                error.path = %error.path.display(),
                "fonts-noto-cjk is missing; the small subset in assets/fonts is used and rare characters show as boxes"
            );
            typeface::subset(&self.assets, font)
        })?;
        Ok(read.insert(Arc::new(found)).clone())
    }
}

fn font(path: &Path, face: u32) -> Result<FontBytes, FontError> {
    let data = std::fs::read(path).map_err(|source| FontError { path: path.to_owned(), source })?;
    Ok(FontBytes { data: Arc::new(data), face })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subset_is_there_and_a_missing_one_is_named() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        assert!(typeface::subset(&assets, font).is_ok());
        let error = typeface::subset(Path::new("/nowhere"), font).expect_err("missing").to_string();
        assert!(error.contains("JinbanSans-Regular.otf") && error.contains("fonts-noto-cjk"), "{error}");
        let typefaces = Typefaces::new(&assets);
        let (first, second) = (typefaces.get().expect("fonts"), typefaces.get().expect("fonts"));
        assert!(Arc::ptr_eq(&first, &second), "read once");
    }
}
