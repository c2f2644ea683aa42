//! The office that holds the keys: the commands of the handbook, with passphrases from a file.
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::server::{Server, command_in};

/// The commands of the handbook, with passphrases from a file.
pub(crate) struct Office {
    pub(crate) server: Server,
    stick: tempfile::TempDir,
}

impl Office {
    pub(crate) fn new() -> Result<Self> {
        let stick = tempfile::tempdir()?;
        let words: String = (1..=9).map(|n| format!("passphrase number {n}\n")).collect();
        std::fs::write(stick.path().join("words"), words)?;
        for n in 1..=4 {
            std::fs::write(stick.path().join(format!("word-{n}")), format!("passphrase number {n}\n"))?;
        }
        Ok(Self { server: Server::start()?, stick })
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.stick.path().join(name).display().to_string()
    }

    /// A command that works; words that begin with `@` are files on the stick.
    pub(super) fn does(&self, words: &str) -> Result<String> {
        let (status, said) = self.says(words)?;
        ensure!(status == Some(0), "{words}: {said}");
        Ok(said)
    }

    pub(super) fn says(&self, words: &str) -> Result<(Option<i32>, String)> {
        let words: Vec<String> =
            words.split(' ').map(|w| w.strip_prefix('@').map_or(w.to_owned(), |f| self.path(f))).collect();
        let words: Vec<&str> = ["catalogue"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let output = command_in(self.server.data(), &words)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.code(), if output.status.success() { said } else { errors }))
    }

    pub(crate) fn ceremony(&self) -> Result<()> {
        std::fs::write(self.path("online.json"), self.does("keys init --online")?)?;
        self.does("keys init --offline @keys --online-keys @online.json --passphrase-file @words")?;
        self.does("keys install @keys/1.root.json --bundle @keys/first")?;
        Ok(())
    }

    /// Edits the version of the sample catalogue, signs it and publishes it.
    pub(super) fn publish(&self, version: u64) -> Result<()> {
        self.publish_changed(version, |_| Ok(()))
    }

    /// The same, after a further change in the folder of the new version.
    pub(crate) fn publish_changed(
        &self,
        version: u64,
        change: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        self.publish_edited((version, ""), change)
    }

    /// The same, published with further words on the command line.
    pub(super) fn publish_edited(
        &self,
        (version, words): (u64, &str),
        edit: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let name = self.edited((version, edit))?;
        self.sign_and_publish(&name, (version, words))
    }

    /// Signs a folder or document that lies on the stick, and publishes it with further words.
    pub(super) fn sign_and_publish(&self, name: &str, (version, words): (u64, &str)) -> Result<()> {
        self.sign(name, version)?;
        let said = self.does(format!("publish @v{version} {words}").trim_end())?;
        ensure!(said.contains(&version.to_string()), "{said}");
        Ok(())
    }

    /// Signs a folder or document that lies on the stick.
    fn sign(&self, name: &str, version: u64) -> Result<()> {
        self.does("keys status --copy @in-force")?;
        self.does(&format!(
            "sign --catalogue @{name} --in-force @in-force --key @keys/targets.p8 --out @v{version} --passphrase-file @word-4"
        ))?;
        Ok(())
    }

    /// Edits the version of the sample catalogue and signs it, unpublished.
    pub(super) fn sign_edited(&self, version: u64, edit: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let name = self.edited((version, edit))?;
        self.sign(&name, version)
    }

    fn edited(&self, (version, edit): (u64, impl FnOnce(&Path) -> Result<()>)) -> Result<String> {
        let name = format!("edited-{version}");
        let folder = self.stick.path().join(&name);
        edited(&folder, version)?;
        edit(&folder)?;
        Ok(name)
    }

    pub(super) fn status(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.does("keys status --json")?)?)
    }
}

/// A copy of the sample catalogue with another version.
fn edited(folder: &Path, version: u64) -> Result<()> {
    let from = tests::binaries::repository().join("assets/catalogue");
    let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(folder).status()?;
    ensure!(copied.success(), "cp");
    let file = folder.join("catalogue.json");
    let mut head: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    head["version"] = version.into();
    Ok(std::fs::write(file, head.to_string())?)
}
