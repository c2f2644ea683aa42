//! Outside programs in Python: packages of other people that speak with our programs, each in an environment of its own.
//!
//! Where a package cannot be had (no interpreter, no registry) the check says so and is not made.
use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::Result;

use crate::binaries::repository;

/// The interpreter of an environment with these packages, `name==version` each; none if it cannot be had, told on
/// standard error. Made once and kept below the target folder.
///
/// # Errors
/// If a program cannot be started for another reason than that it is not there.
pub fn python_with(name: &str, packages: &[&str]) -> Result<Option<PathBuf>> {
    let home = repository().join("target").join("python").join(name);
    let (interpreter, done) = (home.join("bin/python"), home.join("complete"));
    if std::fs::read_to_string(&done).is_ok_and(|kept| kept == packages.join("\n")) {
        return Ok(Some(interpreter));
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).output();
    if !made.as_ref().is_ok_and(|made| made.status.success()) {
        return Ok(told(name, made.ok()));
    }
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    let installed = install.output()?;
    if !installed.status.success() {
        return Ok(told(name, Some(installed)));
    }
    std::fs::write(done, packages.join("\n"))?;
    Ok(Some(interpreter))
}

fn told(name: &str, output: Option<Output>) -> Option<PathBuf> {
    let said = output.map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).unwrap_or_default();
    eprintln!("NOT CHECKED with {name}: the Python packages cannot be had here. {}", said.trim());
    None
}
