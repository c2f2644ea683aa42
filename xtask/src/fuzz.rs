//! Schema-driven fuzzing of the server's API: the tool in a virtual environment of its own, and its run.
//!
//! The environment lies in the build folder and is made once; with it there, nothing is fetched, so that the tests
//! also run offline. Refuses another version than the pinned one: the same seed would make other requests.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{Interrupt, run_bounded};
use crate::{progress, workspace};

/// The one version that is used.
const VERSION: &str = "4.32.5";
/// Versions of what it stands on.
const CONSTRAINTS: &str = "xtask/schemathesis-constraints.txt";
/// Debian's interpreter, for which `python3-venv` is installed; others of the same name may lack that module.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";

const MAKE_LIMIT: Duration = Duration::from_secs(120);
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// Both runs take about a minute and a half on two cores.
const RUN_LIMIT: Duration = Duration::from_secs(400);

/// Makes the environment if it is not there or is another one.
///
/// # Errors
/// If it cannot be made, or holds another version afterwards.
pub fn prepare(interrupt: &Interrupt) -> Result<()> {
    let home = home();
    if is_ready(&home)? {
        progress::note(&format!("schemathesis {VERSION} is there"));
        return Ok(());
    }
    progress::note(&format!("installing schemathesis {VERSION} into {}", home.display()));
    if home.exists() {
        std::fs::remove_dir_all(&home).with_context(|| format!("cannot clear {}", home.display()))?;
    }
    let python = if Path::new(DEBIAN_PYTHON).exists() { DEBIAN_PYTHON } else { "python3" };
    let mut make = Command::new(python);
    make.args(["-m", "venv"]).arg(&home);
    run_bounded(make, MAKE_LIMIT, interrupt).context("no virtual environment; is python3-venv installed?")?;
    let mut install = Command::new(home.join("bin/python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint"])
        .arg(workspace::root().join(CONSTRAINTS))
        .arg(format!("schemathesis=={VERSION}"));
    run_bounded(install, INSTALL_LIMIT, interrupt)?;
    std::fs::copy(workspace::root().join(CONSTRAINTS), stamp(&home))
        .context("cannot write into the environment")?;
    if is_ready(&home)? { Ok(()) } else { bail!("{} does not hold schemathesis {VERSION}", home.display()) }
}

/// Fuzzes the server that `cargo build --workspace` built.
///
/// # Errors
/// If something was found, or it did not end in time.
pub fn run(interrupt: &Interrupt) -> Result<()> {
    let home = home();
    if !is_ready(&home)? {
        bail!("schemathesis is not there; run `cargo xtask setup`");
    }
    let mut fuzz = Command::new(workspace::built("api_fuzz"));
    fuzz.arg(program(&home)).current_dir(workspace::root());
    run_bounded(fuzz, RUN_LIMIT, interrupt)
}

/// True if the environment holds what the constants and constraints of today say.
fn is_ready(home: &Path) -> Result<bool> {
    let wanted = std::fs::read(workspace::root().join(CONSTRAINTS)).context(CONSTRAINTS)?;
    if std::fs::read(stamp(home)).is_ok_and(|there| there != wanted) {
        return Ok(false);
    }
    // An environment that was moved or whose interpreter is gone cannot say its version.
    let said = Command::new(program(home)).arg("--version").output();
    Ok(said.is_ok_and(|o| o.status.success() && is_version(&String::from_utf8_lossy(&o.stdout))))
}

fn is_version(said: &str) -> bool {
    said.split_whitespace().any(|word| word == VERSION)
}

fn home() -> PathBuf {
    workspace::target().join("tools").join("schemathesis")
}

fn program(home: &Path) -> PathBuf {
    home.join("bin").join("schemathesis")
}

/// A copy of the constraints that the environment was made with.
fn stamp(home: &Path) -> PathBuf {
    home.join("constraints.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_will_do() {
        assert!(is_version(&format!("schemathesis, version {VERSION}\n")));
        assert!(!is_version("schemathesis, version 1.0.0") && !is_version(""));
        assert!(!is_version(&format!("schemathesis, version {VERSION}1")));
    }

    #[test]
    fn all_that_it_stands_on_is_pinned() {
        let text = std::fs::read_to_string(workspace::root().join(CONSTRAINTS)).unwrap();
        let pins: Vec<_> = text.lines().filter(|l| !l.starts_with('#')).collect();
        assert!(pins.len() > 10 && pins.iter().all(|l| l.contains("==")), "{text}");
    }

    #[test]
    fn an_empty_folder_is_no_environment() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_ready(dir.path()).unwrap());
    }
}
