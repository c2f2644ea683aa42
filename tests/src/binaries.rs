//! Where the real binaries lie: built once per process, into the target folder of the running test.
//!
//! `cargo test -p tests` builds no binary of another package, and a stale one would prove nothing; so the first
//! test that needs a binary has cargo build it. Cargo's own lock keeps parallel test processes apart.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// The path of a binary of this workspace, such as `sync-server` or `terminal`.
///
/// # Panics
/// If it cannot be built and is not there: no test can say anything then.
pub fn binary(name: &str) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = built.get(name) {
        return path.clone();
    }
    let profile = profile_folder();
    let path = profile.join(name);
    if let Some(cargo) = std::env::var_os("CARGO") {
        let status = build_command(&cargo, name, &profile).status();
        assert!(status.is_ok_and(|s| s.success()), "cargo cannot build {name}");
    }
    assert!(path.exists(), "{} is not there: run `cargo build --bin {name}`", path.display());
    built.insert(name.to_owned(), path.clone());
    path
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `target/debug` or `target/release`: the folder of a running program, and the one above a running test.
fn profile_folder() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let folder = exe.parent().unwrap_or(Path::new("."));
    let above = folder.parent().filter(|_| folder.ends_with("deps"));
    above.unwrap_or(folder).to_owned()
}

fn build_command(cargo: &std::ffi::OsStr, name: &str, profile: &Path) -> Command {
    let mut command = Command::new(cargo);
    // The whole workspace is selected so that the features are those of the test run and nothing is built twice.
    command.args(["build", "--quiet", "--workspace", "--bin", name]).current_dir(repository());
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    // What cargo tells a test of its own package: build scripts that look at it (that of `ring` does) would run anew, and
    // half of the workspace be built a second time.
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(own) {
            command.env_remove(name);
        }
    }
    if profile.ends_with("release") {
        command.arg("--release");
    }
    command
}
