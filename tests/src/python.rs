//! Outside programs in Python: packages of other people that speak with our programs, each in an environment of its own.
//!
//! Where a package cannot be had (no interpreter, no registry) the check says so and is not made; in CI it fails.
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, ensure};

use crate::binaries::repository;

/// Debian's interpreter, for which setup installs `python3-venv`; others of the same name may lack that module.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";

/// The interpreter of an environment with these packages, `name==version` each; none if it cannot be had, told on
/// standard error. Made once and kept below the target folder.
///
/// # Errors
/// In CI if it cannot be had; elsewhere if a program cannot be started for another reason than that it is not there.
pub fn python_with(name: &str, packages: &[&str]) -> Result<Option<PathBuf>> {
    let home = repository().join("target").join("python").join(name);
    let (interpreter, done) = (home.join("bin/python"), home.join("complete"));
    if std::fs::read_to_string(&done).is_ok_and(|kept| kept == packages.join("\n")) {
        return Ok(Some(interpreter));
    }
    let python = if Path::new(DEBIAN_PYTHON).exists() { DEBIAN_PYTHON } else { "python3" };
    let made = Command::new(python).args(["-m", "venv", "--clear"]).arg(&home).output();
    if !made.as_ref().is_ok_and(|made| made.status.success()) {
        return not_checked(name, made.ok());
    }
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    let installed = install.output()?;
    if !installed.status.success() {
        return not_checked(name, Some(installed));
    }
    std::fs::write(done, packages.join("\n"))?;
    Ok(Some(interpreter))
}

fn not_checked(name: &str, output: Option<Output>) -> Result<Option<PathBuf>> {
    let said = output.map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).unwrap_or_default();
    let words = format!("NOT CHECKED with {name}: the Python packages cannot be had here. {}", said.trim());
    ensure!(std::env::var_os("CI").is_none(), "{words}");
    eprintln!("{words}");
    Ok(None)
}
