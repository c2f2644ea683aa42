//! The tools for catalogues as central IT meets them: the real program, its output, its exit codes, its files.
mod build;
mod calendar;
mod check;
mod hostile;
mod tables;

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::catalogue::Files;
use crate::operator::{run, text};

/// A folder to work in, with the sample catalogue in `c`.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Result<Self> {
        let desk = Self(tempfile::tempdir()?);
        desk.put("c", &crate::catalogue::files())?;
        Ok(desk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes files into a folder of the desk.
    fn put(&self, folder: &str, files: &Files) -> Result<()> {
        for (name, bytes) in files {
            self.write(&format!("{folder}/{name}"), bytes)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, bytes)?)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.path().join(name))?)
    }

    /// Changes a JSON file of the desk.
    fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut value: Value = serde_json::from_slice(&self.read(name)?)?;
        change(&mut value);
        self.write(name, &serde_json::to_vec_pretty(&value)?)
    }

    /// All files of a folder of the desk.
    fn files(&self, folder: &str) -> Result<Files> {
        let contents = sync_server::catalogue_tool::folder::read(&self.path().join(folder))?;
        ensure!(contents.faults.is_empty(), "{:?}", contents.faults);
        Ok(contents.files)
    }

    /// Exit code, standard output and standard error of a command.
    fn says(&self, words: &str) -> Result<(i32, String, String)> {
        let words: Vec<&str> = words.split(' ').collect();
        let output = run("sync-server", self.path(), &words, &[])?;
        let code = output.status.code().unwrap_or(-1);
        Ok((code, text(&output.stdout), text(&output.stderr)))
    }

    /// What a command says that works.
    fn does(&self, words: &str) -> Result<String> {
        let (code, out, errors) = self.says(words)?;
        ensure!(code == 0, "{words}: {code}: {out}{errors}");
        Ok(out)
    }

    /// What a command says that finds mistakes.
    fn refuses(&self, words: &str) -> Result<String> {
        let (code, out, errors) = self.says(words)?;
        ensure!(code == 1, "{words}: {code}: {out}{errors}");
        Ok(out + &errors)
    }

    /// Nothing of a broken-off step lies about.
    fn holds_only(&self, names: &[&str]) -> Result<()> {
        let mut found: Vec<String> = std::fs::read_dir(self.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        found.sort();
        ensure!(found == names, "{found:?}");
        Ok(())
    }
}

/// Lines that begin so.
fn lines<'a>(said: &'a str, begin: &str) -> Vec<&'a str> {
    said.lines().filter(|line| line.starts_with(begin)).collect()
}
