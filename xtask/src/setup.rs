//! System packages that the build, the demo and the tests need on Debian, and their installation.
//!
//! Refuses to ask for a password: without root it prints the one line to run and ends.
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{Interrupt, run_bounded};
use crate::progress;

/// To build: headers and the tool that finds them.
const BUILD: &[&str] =
    &["gcc", "libc6-dev", "pkg-config", "libpcsclite-dev", "libwayland-dev", "libxkbcommon-dev"];

/// To run: card reader service, scanner, camera, fonts, and what the window library loads when it starts.
const RUN: &[&str] = &[
    "pcscd",
    "sane-utils",
    "v4l-utils",
    "fonts-noto-cjk",
    "fonts-hanazono",
    "libgl1",
    "libegl1",
    "libgl1-mesa-dri",
    "libx11-6",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
];

/// For the demo without a display and for the tests: virtual screen, pointer, pictures, accessibility bus, QR reader,
/// virtual printer (which announces itself through avahi), virtual contact card, a reader of PDF files, the second
/// database, virtual environments for a tool that is no package, and a browser with its driver.
const TESTS: &[&str] = &[
    "xvfb",
    "xdotool",
    "imagemagick",
    "at-spi2-core",
    "dbus",
    "dbus-daemon",
    "zbar-tools",
    "cups-ipp-utils",
    "avahi-daemon",
    "vsmartcard-vpcd",
    "poppler-utils",
    "util-linux",
    "faketime",
    "openssl",
    "postgresql",
    "python3-venv",
    "chromium",
    "chromium-driver",
];

const UPDATE_LIMIT: Duration = Duration::from_secs(600);
const INSTALL_LIMIT: Duration = Duration::from_secs(1_500);

/// Installs what is missing.
///
/// # Errors
/// Without root when something is missing, or when the installation fails.
pub fn run(interrupt: &Interrupt) -> Result<()> {
    let Some(missing) = missing_packages()? else {
        progress::note("no dpkg here: please install the equivalents of these Debian packages yourself:");
        progress::note(&wanted().join(" "));
        return Ok(());
    };
    if missing.is_empty() {
        progress::note("all system packages are there");
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "{} system packages are missing; run this and then the same command again:\n  sudo {}",
            missing.len(),
            install_line(&missing)
        );
    }
    progress::note(&format!("installing {}", missing.join(" ")));
    install(&missing, interrupt)?;
    match missing_packages()? {
        Some(left) if !left.is_empty() => bail!("still missing after the installation: {}", left.join(" ")),
        _ => Ok(()),
    }
}

/// Packages that are not installed; `None` where there is no dpkg.
fn missing_packages() -> Result<Option<Vec<&'static str>>> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f=${Package} ${db:Status-Status}\\n"]).args(wanted());
    let output = match query.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.context("cannot run dpkg-query")?,
    };
    // It ends with 1 as soon as one name is unknown; what it knows is on standard output all the same.
    Ok(Some(not_installed(&String::from_utf8_lossy(&output.stdout))))
}

fn not_installed(listing: &str) -> Vec<&'static str> {
    let installed: Vec<&str> = listing.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    wanted().into_iter().filter(|name| !installed.contains(name)).collect()
}

fn wanted() -> Vec<&'static str> {
    [BUILD, RUN, TESTS].concat()
}

fn install(missing: &[&str], interrupt: &Interrupt) -> Result<()> {
    if lists_are_empty() {
        update(interrupt)?;
    }
    if run_bounded(apt_install(missing), INSTALL_LIMIT, interrupt).is_ok() {
        return Ok(());
    }
    interrupt.check()?;
    progress::note("the installation failed; once more with fresh package lists");
    update(interrupt)?;
    run_bounded(apt_install(missing), INSTALL_LIMIT, interrupt)
}

fn update(interrupt: &Interrupt) -> Result<()> {
    run_bounded(apt(&["update", "-qq"]), UPDATE_LIMIT, interrupt)
}

fn apt_install(packages: &[&str]) -> Command {
    let mut command = apt(&["install", "-qq", "-y", "--no-install-recommends"]);
    command.args(packages);
    command
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"])
        .args(arguments);
    command
}

fn install_line(packages: &[&str]) -> String {
    format!(
        "sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y \
         --no-install-recommends {}'",
        packages.join(" ")
    )
}

fn lists_are_empty() -> bool {
    let lists = std::fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    !lists.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_fully_installed_counts() {
        let listing = "gcc installed\npcscd config-files\nxvfb installed\nlibc6-dev installed\n";
        let missing = not_installed(listing);
        assert!(!missing.contains(&"gcc") && !missing.contains(&"xvfb"));
        assert!(missing.contains(&"pcscd") && missing.contains(&"libpcsclite-dev"));
    }

    #[test]
    fn the_line_to_run_is_one_line_and_names_each_package() {
        let line = install_line(&["pcscd", "xvfb"]);
        assert!(!line.contains('\n') && line.ends_with("pcscd xvfb'"));
    }

    #[test]
    fn no_package_is_listed_twice() {
        let mut all = wanted();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), wanted().len());
    }
}
