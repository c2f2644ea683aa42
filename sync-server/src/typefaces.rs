//! Fonts of the pages that the centre makes as PDF: those of the system's packages, read once when the first page is made;
//! where they are missing, the small subset of `assets/fonts`, which shows rare signs as boxes.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use documents::typeface::{SUBSET_FILES, SYSTEM_FACE, SYSTEM_FILES, SYSTEM_RARE_FILES};
use documents::{FontBytes, Typeface};

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
        let found = system().or_else(|error| {
            tracing::warn!(
                error.path = %error.path.display(),
                "fonts-noto-cjk is missing; the small subset in assets/fonts is used and rare characters show as boxes"
            );
            subset(&self.assets)
        })?;
        Ok(read.insert(Arc::new(found)).clone())
    }
}

fn system() -> Result<Typeface, FontError> {
    let [regular, bold] = SYSTEM_FILES;
    let rare = SYSTEM_RARE_FILES.iter().filter_map(|path| font(Path::new(path), 0).ok()).collect();
    Ok(Typeface {
        regular: font(Path::new(regular), SYSTEM_FACE)?,
        bold: font(Path::new(bold), SYSTEM_FACE)?,
        rare,
    })
}

fn subset(assets: &Path) -> Result<Typeface, FontError> {
    let [regular, bold] = SUBSET_FILES.map(|name| assets.join("fonts").join(name));
    Ok(Typeface { regular: font(&regular, 0)?, bold: font(&bold, 0)?, rare: Vec::new() })
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
        assert!(subset(&assets).is_ok());
        let error = subset(Path::new("/nowhere")).expect_err("missing").to_string();
        assert!(error.contains("JinbanSans-Regular.otf") && error.contains("fonts-noto-cjk"), "{error}");
        let typefaces = Typefaces::new(&assets);
        let (first, second) = (typefaces.get().expect("fonts"), typefaces.get().expect("fonts"));
        assert!(Arc::ptr_eq(&first, &second), "read once");
    }
}
