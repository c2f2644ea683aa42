//! Rules of the repository that no compiler knows: directions, homes of packages, sizes, names, words.
//!
//! Each rule is a function over one file and is shown red on a bad sample beside it. Refuses to need git: it walks
//! the working tree.
mod edges;
pub mod source;
mod texts;

use std::path::{Path, PathBuf};

use tests::binaries::repository;

/// A file with its path from the root of the repository, with `/`.
pub struct File {
    path: String,
    /// Its text.
    pub text: String,
}

/// True if a path is this place or lies in this folder.
pub fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Files with this ending; build folders and hidden ones are none of the repository's business.
pub fn files(ending: &str) -> Vec<File> {
    let root = repository();
    let mut waiting = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository can be read").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let hidden = name.starts_with('.') || path.join("CACHEDIR.TAG").exists();
            if path.is_dir() && !hidden {
                waiting.push(path);
            } else if name.ends_with(ending) {
                files.push(read(&root, path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn read(root: &Path, path: PathBuf) -> File {
    let text = std::fs::read_to_string(&path).expect("a file of the repository is text");
    let below = path.strip_prefix(root).expect("the walk began at the root");
    File { path: below.to_string_lossy().into_owned(), text }
}

/// Fails with all complaints of a rule, each with its file.
fn hold(ending: &str, rule: fn(&File) -> Vec<String>) {
    let files = files(ending);
    assert!(files.len() > 5, "the walk found hardly any {ending}");
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|complaint| format!("{}: {complaint}", file.path)))
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn crates_depend_only_downwards() {
    hold("Cargo.toml", edges::wrong_dependencies);
}

#[test]
fn packages_stay_at_home() {
    hold(".rs", edges::strangers);
}

#[test]
fn modules_look_only_downwards() {
    hold(".rs", edges::wrong_paths);
}

#[test]
fn files_are_short() {
    hold(".rs", texts::too_long);
}

#[test]
fn files_say_what_they_are_for() {
    hold(".rs", texts::undescribed);
}

#[test]
fn names_say_something() {
    hold(".rs", texts::empty_names);
}

#[test]
fn every_test_is_run() {
    hold(".rs", texts::ignored_tests);
}

#[test]
fn tests_wait_for_conditions() {
    hold(".rs", texts::sleeping_tests);
}

#[test]
fn words_for_people_live_in_assets() {
    hold(".rs", texts::chinese_in_code);
}

#[test]
fn unsafe_code_stays_in_its_files() {
    hold(".rs", texts::unsafe_code);
}
