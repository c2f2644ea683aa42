//! Documents for operators are held against the programs: keys, exit codes, findings, figures, commands; and the two
//! READMEs against each other.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use operator::exit::Exit;
use operator::manual;
use operator::settings::{Key, Settings as _};
use sync_server::metrics::{FIGURES, FigureKind};
use tests::binaries::repository;

use super::{json_of, run};

const HANDBOOK: &str = "docs/operations/README.md";
const KEYS: &str = "docs/operations/keys.md";
const CATALOGUE: &str = "docs/operations/catalogue.md";

fn document(path: &str) -> Result<String> {
    std::fs::read_to_string(repository().join(path)).with_context(|| path.to_owned())
}

/// Cells of the rows of all tables below a heading, up to the next heading.
fn table(text: &str, heading: &str) -> Result<Vec<Vec<String>>> {
    let start = text.lines().position(|l| l.starts_with('#') && l.contains(heading));
    let start = start.with_context(|| format!("there is no heading {heading}"))?;
    let below = text.lines().skip(start + 1).take_while(|l| !l.starts_with('#'));
    let rows = below.filter(|l| l.starts_with('|')).skip(2);
    Ok(rows
        .map(|row| row.trim_matches('|').split('|').map(|c| c.trim().trim_matches('`').to_owned()).collect())
        .collect())
}

/// Lines of all code blocks.
fn blocks(text: &str) -> Vec<&str> {
    let parts = text.split("\n```").skip(1).step_by(2);
    parts.flat_map(|block| block.lines().skip(1)).filter(|l| !l.is_empty()).collect()
}

#[test]
fn both_readmes_name_the_same_commands_and_link_to_each_other() -> Result<()> {
    let (english, chinese) = (document("README.md")?, document("README.zh-CN.md")?);
    assert!(english.contains("](README.zh-CN.md)") && chinese.contains("](README.md)"));
    assert_eq!(blocks(&english), blocks(&chinese));
    // Everything in backticks is a command, a file or something that is typed: the same in any language.
    let typed = |text: &str| -> BTreeSet<String> {
        let prose: String = text.split("\n```").step_by(2).collect();
        prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    assert_eq!(typed(&english), typed(&chinese));
    let pictures = |text: &str| -> Vec<String> {
        text.split("](").filter_map(|p| Some(p.split_once(".png")?.0.to_owned())).collect()
    };
    assert_eq!(pictures(&english), pictures(&chinese));
    let shape = |text: &str| -> Vec<usize> {
        let marks = text.lines().filter(|l| l.starts_with('#'));
        marks.map(|l| l.chars().take_while(|c| *c == '#').count()).collect()
    };
    assert_eq!(shape(&english), shape(&chinese), "the same headings");
    Ok(())
}

#[test]
fn links_of_the_documents_lead_somewhere() -> Result<()> {
    for path in ["README.md", "README.zh-CN.md", HANDBOOK, KEYS, CATALOGUE] {
        let text = document(path)?;
        let folder = repository().join(path).parent().context("a folder")?.to_owned();
        let targets: Vec<&str> = text.split("](").skip(1).filter_map(|t| t.split(')').next()).collect();
        let files = targets.iter().filter(|t| !t.contains("://") && !t.starts_with('#'));
        for target in files {
            assert!(folder.join(target).exists(), "{path} links to {target}, which is not there");
        }
    }
    Ok(())
}

fn hold_keys(program: &str, keys: &[Key]) -> Result<()> {
    let text = document(HANDBOOK)?;
    let written: Vec<Vec<String>> = table(&text, &format!("`{program}`"))?
        .into_iter()
        .map(|mut row| {
            assert!(row.pop().is_some_and(|about| !about.is_empty()), "{row:?} says nothing");
            row
        })
        .collect();
    let known: Vec<Vec<String>> = keys
        .iter()
        .map(|k| vec![k.name.to_owned(), k.variable(), format!("--{}", k.flag()), k.default.to_owned()])
        .collect();
    assert_eq!(written, known, "{program}: the table of keys in {HANDBOOK}");
    Ok(())
}

#[test]
fn the_tables_of_keys_are_those_of_the_programs() -> Result<()> {
    hold_keys("terminal", terminal::config::Config::KEYS)?;
    hold_keys("sync-server", sync_server::config::Config::KEYS)
}

#[test]
fn the_tables_of_exit_codes_and_figures_are_those_of_the_programs() -> Result<()> {
    let text = document(HANDBOOK)?;
    let column = |rows: Vec<Vec<String>>, n: usize| -> Vec<String> {
        rows.into_iter().map(|row| row.get(n).cloned().unwrap_or_default()).collect()
    };
    let codes: Vec<String> = Exit::ALL.iter().map(|e| e.code().to_string()).collect();
    assert_eq!(column(table(&text, "退出码")?, 0), codes);
    let figures: Vec<String> = FIGURES.iter().map(|f| f.name.to_owned()).collect();
    assert_eq!(column(table(&text, "监控")?, 0), figures);
    let kinds: Vec<&str> = FIGURES
        .iter()
        .map(|f| match f.kind {
            FigureKind::Counter => "counter",
            FigureKind::Gauge => "gauge",
            FigureKind::Seconds | FigureKind::Sizes => "histogram",
        })
        .collect();
    assert_eq!(column(table(&text, "监控")?, 1), kinds);
    Ok(())
}

#[test]
fn every_finding_of_a_doctor_stands_in_the_handbook() -> Result<()> {
    let rows = table(&document(HANDBOOK)?, "`doctor`")?;
    let folder = tempfile::tempdir()?;
    run("sync-server", folder.path(), &["migrate"], &[])?;
    drop(terminal::store::Store::open(&folder.path().join("data/terminal"), 0)?);
    for (column, program) in [(1, "terminal"), (2, "sync-server")] {
        let found = json_of(&run(program, folder.path(), &["doctor", "--json"], &[])?)?;
        let found: BTreeSet<String> = found
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|f| Some(f["subject"].as_str()?.to_owned()))
            .collect();
        let written: BTreeSet<String> =
            rows.iter().filter(|row| row[column] == "✓").map(|row| row[0].clone()).collect();
        assert_eq!(found, written, "{program}");
    }
    Ok(())
}

#[test]
fn every_command_of_the_documents_is_understood() -> Result<()> {
    let mut read = 0;
    for path in ["README.md", "README.zh-CN.md", HANDBOOK, KEYS, CATALOGUE] {
        for line in blocks(&document(path)?) {
            let words = || line.split('>').next().unwrap_or_default().split_whitespace();
            let command = match words().next() {
                Some("terminal") => manual::command::<terminal::cli::Cli>(),
                Some("sync-server") => manual::command::<sync_server::cli::Cli>(),
                _ => continue,
            };
            let matches = command.try_get_matches_from(words());
            assert!(matches.is_ok(), "{path}: `{line}`: {:?}", matches.err().map(|e| e.to_string()));
            read += 1;
        }
    }
    assert!(read > 15, "only {read} commands were found");
    Ok(())
}

#[test]
fn the_systemd_unit_starts_a_command_that_is_understood_and_knows_the_exit_codes() -> Result<()> {
    let unit = document("docs/operations/sync-server.service")?;
    let value =
        |key: &str| unit.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
    let start = value("ExecStart").context("a command")?;
    let command = start.strip_prefix("/usr/local/bin/").context("where the handbook installs it")?;
    let matches = manual::command::<sync_server::cli::Cli>().try_get_matches_from(command.split(' '));
    assert!(matches.is_ok(), "{start}: {:?}", matches.err().map(|e| e.to_string()));
    let codes = [Exit::Usage, Exit::Configuration].map(|e| e.code().to_string()).join(" ");
    assert_eq!(value("RestartPreventExitStatus"), Some(codes));
    Ok(())
}
