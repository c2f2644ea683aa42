//! Where a catalogue comes from: a folder of files, a canonical document, or a version that the centre has stored.
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use domain::catalogue::{Catalogue, CatalogueError, MAX_TOTAL_BYTES};

use super::folder::{self, Contents};
use super::format;
use crate::data_folder::DataFolder;
use crate::readings;
use crate::services::catalogue::newest_version;
use crate::services::readings::edition_text;
use crate::startup::{self, refused};
use crate::store::in_transaction;

/// A catalogue as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder of files, or a file with a canonical document.
    Path(PathBuf),
    /// A version in the store; none is the newest.
    Version(Option<u64>),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("version:") {
            None if text.is_empty() => Err("a folder, a document, or version:N".to_owned()),
            None => Ok(Self::Path(text.into())),
            Some("newest") => Ok(Self::Version(None)),
            Some(number) => match number.parse() {
                Ok(number) => Ok(Self::Version(Some(number))),
                Err(_) => Err("after `version:` stands a number, or `newest`".to_owned()),
            },
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Version(Some(number)) => write!(f, "version:{number}"),
            Self::Version(None) => f.write_str("version:newest"),
        }
    }
}

/// Where the store and the files of the settings are.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The data folder, whose store has the versions.
    pub data: &'a DataFolder,
    /// The folder with `catalogue/`.
    pub assets: &'a Path,
}

impl Source {
    /// The catalogue. What a folder lacks of readings is made.
    ///
    /// # Errors
    /// [`startup::StartupError::Catalogue`] with the first mistakes; what cannot be read.
    pub fn catalogue(&self, place: Place<'_>) -> anyhow::Result<Catalogue> {
        match self {
            Self::Path(path) if is_folder(path)? => {
                let mut contents = read(path)?;
                contents.files.extend(readings::fill(&contents.files).changed);
                contents.catalogue().map_err(|errors| refused(path, &errors).into())
            }
            Self::Path(path) => parsed(path, &document(path)?),
            Self::Version(number) => {
                let (number, text) = stored(*number, place.data)?;
                parsed(Path::new(&format!("version:{number}")), &text)
            }
        }
    }

    /// The catalogue's files: those of the folder, or those that a document or version comes to. A document has no
    /// words with other readings and no allowances: those of the settings' `assets` stand in for them.
    ///
    /// # Errors
    /// As [`Source::catalogue`]; mistakes in the files of a folder are not looked for.
    pub fn contents(&self, place: Place<'_>) -> anyhow::Result<Contents> {
        if let Self::Path(path) = self
            && is_folder(path)?
        {
            return read(path);
        }
        let mut files = format::files(&self.catalogue(place)?);
        if let Ok(mut companions) = folder::read(&place.assets.join("catalogue")) {
            for name in format::COMPANIONS {
                files.extend(companions.files.remove_entry(name));
            }
        }
        Ok(files.into())
    }
}

impl Contents {
    /// The checked catalogue.
    ///
    /// # Errors
    /// Faults of the folder and mistakes in its files.
    pub fn catalogue(&self) -> Result<Catalogue, Vec<CatalogueError>> {
        let loaded = Catalogue::load(&self.files);
        if self.faults.is_empty() {
            return loaded;
        }
        let mut errors = self.faults.clone();
        errors.extend(loaded.err().into_iter().flatten().filter(|e| !self.is_told(e)));
        Err(errors)
    }

    /// Whether a fault tells of the file already.
    pub fn is_told(&self, error: &CatalogueError) -> bool {
        self.faults.iter().any(|fault| fault.file == error.file)
    }
}

fn is_folder(path: &Path) -> anyhow::Result<bool> {
    Ok(std::fs::metadata(path).with_context(|| path.display().to_string())?.is_dir())
}

fn read(path: &Path) -> anyhow::Result<Contents> {
    folder::read(path).with_context(|| path.display().to_string())
}

fn document(path: &Path) -> anyhow::Result<String> {
    let bytes = publishing::files::read_if_there(path, MAX_TOTAL_BYTES as u64)?;
    let bytes = bytes.with_context(|| format!("{} is not there", path.display()))?;
    String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8 text", path.display()))
}

fn stored(number: Option<u64>, data: &DataFolder) -> anyhow::Result<(u64, String)> {
    let mut store = data.open_existing()?;
    let number = match number {
        Some(number) => number,
        None => in_transaction(store.as_mut(), newest_version)?.context("the store has no catalogue yet")?,
    };
    match in_transaction(store.as_mut(), |tx| edition_text(tx, number)) {
        Ok(text) => Ok((number, text)),
        Err(crate::error::ServiceError::Refused { .. }) => {
            bail!("the store {} has no catalogue version {number}", data.database())
        }
        Err(e) => Err(e.into()),
    }
}

fn parsed(path: &Path, text: &str) -> anyhow::Result<Catalogue> {
    Catalogue::from_document(text).map_err(|errors| startup::refused(path, &errors).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_strictly() {
        for (text, wanted) in [
            ("assets/catalogue", Some(Source::Path("assets/catalogue".into()))),
            ("./version:2", Some(Source::Path("./version:2".into()))),
            ("version:2", Some(Source::Version(Some(2)))),
            ("version:newest", Some(Source::Version(None))),
            ("version:", None),
            ("version:-1", None),
            ("version:two", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Source>().ok(), wanted, "{text}");
        }
        assert_eq!("version:newest".parse::<Source>().expect("a source").to_string(), "version:newest");
    }
}
