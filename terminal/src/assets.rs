//! Reading the catalogue's files from the assets folder, bounded.
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use domain::catalogue::{Catalogue, MAX_FILES};

/// Bytes of one file at most.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// The catalogue in the assets folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueFilesError {
    /// The folder or a file cannot be read.
    #[error("the catalogue's files cannot be read")]
    Read(#[source] std::io::Error),
    /// Too many or too large files.
    #[error("the catalogue has more or larger files than expected")]
    TooMuch,
    /// The files hold mistakes; each names file, item and field.
    #[error("the catalogue has {} mistakes, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Mistakes(Vec<domain::catalogue::CatalogueError>),
}

/// Loads and checks the catalogue below `assets/catalogue`.
///
/// # Errors
/// [`CatalogueFilesError`]
pub fn load_catalogue(assets: &Path) -> Result<Catalogue, CatalogueFilesError> {
    let mut files = BTreeMap::new();
    collect(&assets.join("catalogue"), "", &mut files)?;
    Catalogue::load(&files).map_err(CatalogueFilesError::Mistakes)
}

fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), CatalogueFilesError> {
    for entry in fs::read_dir(folder).map_err(CatalogueFilesError::Read)? {
        let entry = entry.map_err(CatalogueFilesError::Read)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(CatalogueFilesError::Read)?;
        if kind.is_dir() && prefix.is_empty() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else if kind.is_file() && name.ends_with(".json") {
            if files.len() >= MAX_FILES {
                return Err(CatalogueFilesError::TooMuch);
            }
            let mut bytes = Vec::new();
            let file = fs::File::open(entry.path()).map_err(CatalogueFilesError::Read)?;
            file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(CatalogueFilesError::Read)?;
            if bytes.len() as u64 > MAX_FILE_BYTES {
                return Err(CatalogueFilesError::TooMuch);
            }
            files.insert(name, bytes);
        }
    }
    Ok(())
}
