//! How files look: size, first line, names, words, sleeping and ignored tests, unsafe code.
//!
//! Refuses matters of taste: formatting and lints have their own tools.
use super::source::Source;
use super::{File, is_below};

/// Lines of the longest file.
const MOST_LINES: usize = 600;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "manager", "managers", "misc", "data2"];

/// Chinese in code, each with its reason.
const CHINESE_IN_CODE: &[(&str, &str)] = &[
    (
        "domain/src/applicant/mask.rs",
        "surnames of two characters and words for roads: rules, not words for people",
    ),
    ("domain/src/ids.rs", "doc glosses, given to a macro"),
    ("hardware/src/id_card/mod.rs", "a value of the chip's format"),
];

/// The only files with `unsafe`: foreign functions, SQLite's files, mapped fonts, the allocator, the environment of a test process.
const UNSAFE: &[&str] = &[
    "hardware/virtual-reader/src/ifd.rs",
    "terminal/src/fonts.rs",
    "sync-server/src/shell/memory.rs",
    "tests/src/pcscd.rs",
    "tests/src/simulation/vfs.rs",
];

/// A file that nobody reads to its end.
pub fn too_long(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    if lines > MOST_LINES { vec![format!("{lines} lines; at most {MOST_LINES}")] } else { Vec::new() }
}

/// A file that does not say first what it is for.
pub fn undescribed(file: &File) -> Vec<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
    if said { Vec::new() } else { vec!["the first line is no `//!` description".to_owned()] }
}

/// A file, folder, module or type with a name that says nothing.
pub fn empty_names(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    for part in file.path.split('/') {
        let stem = part.split('.').next().unwrap_or_default();
        if EMPTY_NAMES.contains(&stem) {
            complaints.push(format!("the name `{part}` says nothing"));
        }
    }
    let code = Source::new(&file.text).code;
    let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    while let Some(word) = words.next() {
        let Some(name) = ["mod", "struct", "enum", "trait"].contains(&word).then(|| words.next()).flatten()
        else {
            continue;
        };
        let lower = name.to_lowercase();
        if EMPTY_NAMES.iter().any(|empty| lower == *empty || (word != "mod" && lower.ends_with(empty))) {
            complaints.push(format!("the name `{name}` says nothing"));
        }
    }
    complaints
}

/// A test that is never run.
pub fn ignored_tests(file: &File) -> Vec<String> {
    let source = Source::new(&file.text);
    let compact = source.code.match_indices("ignore").filter(|(at, _)| source.code[..*at].ends_with("#["));
    compact.map(|(at, _)| format!("line {}: a test that is never run", source.line(at))).collect()
}

/// A test that sleeps instead of waiting for what it wants.
pub fn sleeping_tests(file: &File) -> Vec<String> {
    let whole = Source::new(&file.text);
    let product = Source::new(&file.text).product();
    let sleeps = whole
        .paths()
        .into_iter()
        .filter(|(_, path)| path.ends_with("thread::sleep") || path.ends_with("time::sleep"));
    // Lines of the product's own code; in the crate `tests` and in files of tests there is none.
    let lines: Vec<&str> = product.code.lines().collect();
    let tested =
        |line: usize| is_test(&file.path) || !lines.get(line - 1).is_some_and(|l| l.contains("sleep"));
    let wrong = sleeps.filter(|(line, _)| tested(*line));
    wrong.map(|(line, _)| format!("line {line}: a test that sleeps")).collect()
}

/// Chinese in the product's literals: words for people live in `assets/`.
pub fn chinese_in_code(file: &File) -> Vec<String> {
    if is_test(&file.path) || CHINESE_IN_CODE.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let source = Source::new(&file.text).product();
    let wrong = source.literals.iter().filter(|(_, literal)| literal.chars().any(is_chinese));
    wrong
        .map(|(at, literal)| format!("line {}: {literal} belongs into assets/text", source.line(*at)))
        .collect()
}

/// `unsafe` where nobody looks for it.
pub fn unsafe_code(file: &File) -> Vec<String> {
    if UNSAFE.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let source = Source::new(&file.text);
    let word = |at: usize| {
        let outside = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
        outside(source.code[..at].chars().last())
            && outside(source.code[at + "unsafe".len()..].chars().next())
    };
    let found = source.code.match_indices("unsafe").filter(|(at, _)| word(*at));
    found.map(|(at, _)| format!("line {}: unsafe code outside its files", source.line(at))).collect()
}

/// Files that hold nothing but tests or what tests need.
fn is_test(path: &str) -> bool {
    is_below(path, "tests")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.contains("/tests/")
}

/// Ideographs and their radicals; punctuation that separates values is no word.
fn is_chinese(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// Each rule with samples that it must complain about once, and samples that it must let pass.
    #[test]
    fn every_rule_is_red_on_a_bad_sample_and_green_on_a_good_one() {
        type Rule = fn(&File) -> Vec<String>;
        let long = "a\n".repeat(MOST_LINES + 1);
        let as_long_as_allowed = "a\n".repeat(MOST_LINES);
        let table: &[(Rule, bool, &str, &str)] = &[
            (too_long, true, "a.rs", &long),
            (too_long, false, "a.rs", &as_long_as_allowed),
            (undescribed, true, "a.rs", "use std::fmt;\n//! Late."),
            (undescribed, true, "a.rs", "//!\nuse std::fmt;"),
            (undescribed, true, "a.rs", ""),
            (undescribed, false, "a.rs", "//! For something.\n"),
            (empty_names, true, "domain/src/utils.rs", ""),
            (empty_names, true, "domain/src/helpers/mod.rs", ""),
            (empty_names, true, "a.rs", "pub struct SessionManager;"),
            (empty_names, true, "a.rs", "mod util;"),
            (empty_names, false, "domain/src/ids.rs", "// utils\nstruct Managed; fn helper() {}"),
            (ignored_tests, true, "a.rs", "#[test]\n#[ignore]\nfn a() {}"),
            (ignored_tests, true, "a.rs", "#[ignore = \"slow\"]\nfn a() {}"),
            (ignored_tests, false, "a.rs", "// #[ignore]\nfn ignore() { \"#[ignore]\" }"),
            (sleeping_tests, true, "tests/it/a.rs", "std::thread::sleep(x);"),
            (
                sleeping_tests,
                true,
                "domain/src/a.rs",
                "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { thread::sleep(x) }\n}",
            ),
            (sleeping_tests, true, "tests/it/a.rs", "async { tokio::time::sleep(x).await }"),
            (sleeping_tests, false, "xtask/src/a.rs", "fn a() { std::thread::sleep(x) }"),
            (chinese_in_code, true, "terminal/src/screens/a.rs", "const A: &str = \"办件\";"),
            (chinese_in_code, true, "terminal/src/a.rs", "if c == '办' {}"),
            (
                chinese_in_code,
                false,
                "terminal/src/a.rs",
                "/// 办件\n#[cfg(test)]\nmod tests { const A: &str = \"办件\"; }",
            ),
            (chinese_in_code, false, "terminal/src/a.rs", "const A: &str = \"{a}：{b}\";"),
            (chinese_in_code, false, "tests/it/a.rs", "const A: &str = \"办件\";"),
            (unsafe_code, true, "terminal/src/a.rs", "unsafe { b() }"),
            (unsafe_code, false, "terminal/src/a.rs", "// unsafe\nfn not_unsafe() {}"),
            (unsafe_code, false, "hardware/virtual-reader/src/ifd.rs", "unsafe { b() }"),
        ];
        for (index, (rule, red, path, text)) in table.iter().enumerate() {
            let complaints = rule(&file(path, text));
            assert_eq!(complaints.len(), usize::from(*red), "row {index}: {complaints:?}");
        }
    }
}
