//! The one running demo: a lock that the kernel gives back even after a crash, and a small file that tells other
//! shells where things are.
//!
//! Refuses a second demo at the same time: both would write the same pictures. Holds no personal data.
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Where the parts of the running demo are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoState {
    /// The demo itself.
    pub pid: u32,
    /// Control socket of the virtual reader.
    pub reader: PathBuf,
    /// Address of the console.
    pub console: String,
    /// Folder of its data, removed at its end.
    pub scratch: PathBuf,
}

/// How the names of such folders begin.
pub const SCRATCH_PREFIX: &str = "jinban-demo-";

/// The right to be the running demo, as long as this lives.
pub struct Claim {
    _lock: File,
    state: PathBuf,
}

impl Claim {
    /// Takes the right; `folder` is `target/demo`.
    ///
    /// # Errors
    /// If another demo runs.
    pub fn take(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("cannot write {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {
                let claim = Self { _lock: lock, state: state_file(folder) };
                claim.tidy_up_after_a_crash();
                Ok(claim)
            }
            Err(TryLockError::WouldBlock) => bail!("{}", busy(folder)),
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the demo's folder"),
        }
    }

    /// A demo that was killed could not remove its data; its processes ended with it.
    fn tidy_up_after_a_crash(&self) {
        let Ok(text) = std::fs::read(&self.state) else { return };
        let left = serde_json::from_slice(&text).map(|state: DemoState| state.scratch).unwrap_or_default();
        let name = left.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if left.parent() == Some(&std::env::temp_dir()) && name.starts_with(SCRATCH_PREFIX) {
            // If it is gone already, so much the better.
            let _ = std::fs::remove_dir_all(&left);
        }
        let _ = std::fs::remove_file(&self.state);
    }

    /// Tells other shells where things are.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn publish(&self, state: &DemoState) -> Result<()> {
        let text = serde_json::to_string_pretty(state).context("cannot describe the demo")?;
        let temporary = self.state.with_extension("tmp");
        std::fs::write(&temporary, text).context("cannot write the demo's state")?;
        std::fs::rename(&temporary, &self.state).context("cannot write the demo's state")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // It may never have been published.
        let _ = std::fs::remove_file(&self.state);
    }
}

/// The running demo.
///
/// # Errors
/// If none runs.
pub fn running(folder: &Path) -> Result<DemoState> {
    const NONE: &str = "no demo is running here; start one with `cargo xtask demo` in another shell";
    let lock = File::options().write(true).open(folder.join("lock")).context(NONE)?;
    if lock.try_lock().is_ok() {
        bail!(NONE);
    }
    let text =
        std::fs::read(state_file(folder)).context("the demo is still starting; try again in a moment")?;
    serde_json::from_slice(&text).context("the demo's state cannot be read")
}

fn busy(folder: &Path) -> String {
    match running(folder) {
        Ok(state) => format!(
            "another demo is running (process {}, console {}); end it with Ctrl-C there and try again",
            state.pid, state.console
        ),
        Err(_) => "another demo is just starting; end it with Ctrl-C there and try again".to_owned(),
    }
}

fn state_file(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(scratch: &Path) -> DemoState {
        let (reader, console) = ("/tmp/r.sock".into(), "http://127.0.0.1:1".into());
        DemoState { pid: 7, reader, console, scratch: scratch.to_owned() }
    }

    #[test]
    fn only_a_killed_demos_own_folder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let ours = tempfile::Builder::new().prefix(SCRATCH_PREFIX).tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        for (scratch, stays) in [(ours.path(), false), (other.path(), true)] {
            let text = serde_json::to_string(&state(scratch)).unwrap();
            std::fs::write(state_file(folder.path()), text).unwrap();
            drop(Claim::take(folder.path()).unwrap());
            assert_eq!(scratch.exists(), stays);
        }
    }

    #[test]
    fn there_is_one_demo_at_a_time_and_others_find_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(running(folder.path()).is_err());
        let claim = Claim::take(folder.path()).unwrap();
        assert!(running(folder.path()).unwrap_err().to_string().contains("starting"));
        let state = state(Path::new("/"));
        claim.publish(&state).unwrap();
        assert_eq!(running(folder.path()).unwrap(), state);
        let refused = Claim::take(folder.path()).err().unwrap().to_string();
        assert!(refused.contains("process 7") && refused.contains("Ctrl-C"), "{refused}");
        drop(claim);
        assert!(running(folder.path()).unwrap_err().to_string().contains("cargo xtask demo"));
        assert!(Claim::take(folder.path()).is_ok(), "a crashed or ended demo blocks nobody");
    }
}
