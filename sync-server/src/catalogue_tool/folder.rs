//! A folder of a catalogue's files: read within bounds, written whole or not at all.
//!
//! Refuses to judge what the files say: that is the part of `domain::catalogue`.
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use domain::catalogue::{CatalogueError, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};

/// Files by their name below the folder, such as `items/psb.no-crime.json`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The most levels of folders: `items/` and `bundles/`.
const MAX_DEPTH: usize = 1;

/// The most faults that are told.
const MAX_FAULTS: usize = 1_000;

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Files that were read.
    pub files: Files,
    /// What could not be read, or has no place there.
    pub faults: Vec<CatalogueError>,
    bytes: u64,
    /// There is more than a catalogue can have: nothing further is read.
    full: bool,
}

/// Reads a folder's files. What is too large, unreadable or no file becomes a fault, so that the rest is judged too.
///
/// # Errors
/// The operating system's, if the folder itself cannot be read.
pub fn read(folder: &Path) -> io::Result<Contents> {
    let mut contents = Contents::default();
    let entries = fs::read_dir(folder)?;
    contents.walk(entries, "", 0);
    Ok(contents)
}

impl From<Files> for Contents {
    fn from(files: Files) -> Self {
        Self { files, ..Self::default() }
    }
}

impl Contents {
    fn walk(&mut self, entries: fs::ReadDir, prefix: &str, depth: usize) {
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries.take(MAX_FILES.saturating_add(1)) {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(e) => self.fault(prefix, e.to_string()),
            }
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let name = format!("{prefix}{name}");
            if self.is_full(&name) {
                return;
            }
            match fs::metadata(&path) {
                Err(e) => self.fault(&name, e.to_string()),
                Ok(about) if about.is_file() => self.file(name, &path, about.len()),
                Ok(about) if about.is_dir() && depth < MAX_DEPTH && !hidden(&path) => {
                    match fs::read_dir(&path) {
                        Ok(below) => self.walk(below, &format!("{name}/"), depth + 1),
                        Err(e) => self.fault(&name, e.to_string()),
                    }
                }
                Ok(about) if about.is_dir() => self.fault(&name, "a folder that is no part of a catalogue"),
                Ok(_) => self.fault(&name, "no file"),
            }
        }
    }

    /// Told once, with the first name that is not read.
    fn is_full(&mut self, name: &str) -> bool {
        let bytes = self.bytes > MAX_TOTAL_BYTES as u64;
        if !self.full && (bytes || self.files.len() > MAX_FILES || self.faults.len() >= MAX_FAULTS) {
            self.full = true;
            self.fault(name, "too many files, bytes or mistakes: nothing further was read");
        }
        self.full
    }

    fn file(&mut self, name: String, path: &Path, bytes: u64) {
        if bytes > MAX_FILE_BYTES as u64 {
            return self.fault(&name, format!("{bytes} bytes; at most {MAX_FILE_BYTES}"));
        }
        match publishing::files::read_if_there(path, MAX_FILE_BYTES as u64) {
            Ok(Some(read)) => {
                self.bytes += read.len() as u64;
                self.files.insert(name, read);
            }
            Ok(None) => self.fault(&name, "the file is gone"),
            Err(e) => self.fault(&name, e.source.to_string()),
        }
    }

    fn fault(&mut self, file: &str, reason: impl Into<String>) {
        let (item, field) = ("-".to_owned(), "-".to_owned());
        self.faults.push(CatalogueError { file: file.to_owned(), item, field, reason: reason.into() });
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Writes a folder that is not there yet, or is empty: the files come into a folder beside it, which then takes its
/// name, so that nobody meets half a catalogue.
///
/// # Errors
/// If something is there already, or the operating system's.
pub fn write_new(folder: &Path, files: &Files) -> anyhow::Result<()> {
    let shown = || folder.display().to_string();
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            ensure!(entries.next().is_none(), "{} is not empty: name a new folder", shown());
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e).with_context(shown),
    }
    let name = folder.file_name().with_context(|| format!("{} is no name of a folder", shown()))?;
    let beside = folder.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = write_all(&beside, files).and_then(|()| fs::rename(&beside, folder));
    if let Err(e) = written {
        // What is left of it says nothing new: the first error is the one to tell.
        drop(fs::remove_dir_all(&beside));
        return Err(e).with_context(shown);
    }
    Ok(())
}

fn write_all(folder: &Path, files: &Files) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    // One call for all files: each may be small, and there may be thousands.
    Ok(rustix::fs::syncfs(fs::File::open(folder)?)?)
}
