//! Where things lie in this repository and its build folder. Refuses to create anything.
use std::path::{Path, PathBuf};
use std::process::Command;

/// Root of the repository.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The build folder (`CARGO_TARGET_DIR`, else `target/`).
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A program or library built by `cargo build --workspace`.
pub fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// What a demo leaves to look at: pictures, `story.json`, logs.
pub fn demo_output() -> PathBuf {
    target().join("demo")
}

/// `assets/` and below.
pub fn assets(below: &str) -> PathBuf {
    root().join("assets").join(below)
}

/// The cargo that runs this program, started at the root of the repository.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // What cargo tells this program of its own package: build scripts that look at it (that of `ring` does) would run
    // anew, and half of the workspace be built a second time.
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(own) {
            command.env_remove(name);
        }
    }
    command
}
