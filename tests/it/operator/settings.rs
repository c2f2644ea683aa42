//! `config check` and `config show` of the real programs, and that nothing starts with a mistake in the settings.
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;

use super::{PROGRAMS, json_of, run, text};

/// A key that both programs have.
const FILE: &str = "# written by hand\ndata = 'from file'\n";

#[test]
fn file_environment_and_flags_win_in_this_order_and_show_their_source() -> Result<()> {
    for program in PROGRAMS {
        let folder = tempfile::tempdir()?;
        let file = format!("{program}.toml");
        let shown = |arguments: &[&str], variables: &[(&str, &str)]| -> Result<(String, String)> {
            let arguments = [&["config", "show", "--json"], arguments].concat();
            let output = run(program, folder.path(), &arguments, variables)?;
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            let shown = json_of(&output)?;
            let rows = shown["settings"].as_array().cloned().unwrap_or_default();
            let data = rows.iter().find(|row| row["key"] == "data").cloned().unwrap_or_default();
            let word = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            Ok((word("value"), word("source")))
        };
        let default = if program == "terminal" { "data/terminal" } else { "data/server" };
        assert_eq!(shown(&[], &[])?, (default.to_owned(), "default".to_owned()));
        std::fs::write(folder.path().join(&file), FILE)?;
        assert_eq!(shown(&[], &[])?, ("from file".to_owned(), format!("{file}:2")));
        let variable = ("JINBAN_DATA", "from environment");
        let source = "environment JINBAN_DATA".to_owned();
        assert_eq!(shown(&[], &[variable])?, ("from environment".to_owned(), source));
        let flag = ["--data", "from flag"];
        assert_eq!(shown(&flag, &[variable])?, ("from flag".to_owned(), "flag --data".to_owned()));
        // Without a file: neither the one in the folder nor one of the environment.
        assert_eq!(shown(&["--config="], &[("JINBAN_CONFIG", &file)])?.1, "default");
    }
    Ok(())
}

#[test]
fn every_mistake_is_told_once_with_its_place_and_nothing_starts() -> Result<()> {
    for program in PROGRAMS {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("odd.toml"), "dat = 'x'\nassets = 7\n")?;
        let given = ["--config", "odd.toml", "--log", "loud"];
        let variables = [("JINBAN_DATA", "")];
        let check =
            run(program, folder.path(), &[&["config", "check", "--json"], &given[..]].concat(), &variables)?;
        assert_eq!(check.status.code(), Some(78));
        let answer = json_of(&check)?;
        assert_eq!(answer["ok"], false);
        let said: Vec<String> = answer["mistakes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|m| format!("{} {} {}", m["place"], m["key"], m["said"]).replace('"', ""))
            .collect();
        let wanted = [
            "odd.toml:1 dat no such key; did you mean `data`?",
            "odd.toml:2 assets expected text in quotes (a path), not an integer",
            "environment JINBAN_DATA data expected a path, not ``",
            "flag --log log expected off, error",
        ];
        assert_eq!(said.len(), wanted.len(), "{said:#?}");
        for (said, wanted) in said.iter().zip(wanted) {
            assert!(said.starts_with(wanted), "{said} instead of {wanted}");
        }
        // The same for people, and for a command that would do something.
        let check = run(program, folder.path(), &[&["config", "check"], &given[..]].concat(), &variables)?;
        assert!(text(&check.stdout).starts_with("4 mistakes:\nodd.toml:1: dat:"), "{}", text(&check.stdout));
        let doctor = run(program, folder.path(), &[&["doctor", "--json"], &given[..]].concat(), &variables)?;
        assert_eq!((doctor.status.code(), text(&doctor.stdout)), (Some(78), String::new()));
        assert!(text(&doctor.stderr).contains("did you mean `data`"), "{}", text(&doctor.stderr));
    }
    Ok(())
}

#[test]
fn a_bad_settings_file_of_any_kind_is_78_in_a_second() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes);
    write("huge.toml", &vec![b'#'; 10 << 20])?;
    write("half.toml", b"data = 'x'\nassets = \"uns")?;
    write("gbk.toml", b"# \xd6\xd0\xce\xc4\ndata = 'x'\n")?;
    write("nul.toml", b"\0\0\0\0")?;
    write("json.toml", b"{\"data\": \"x\"}")?;
    std::fs::create_dir(folder.path().join("folder.toml"))?;
    std::os::unix::fs::symlink("loop.toml", folder.path().join("loop.toml"))?;
    let table = [
        ("huge.toml", "larger than"),
        ("half.toml", "half.toml:2: this is no TOML"),
        ("gbk.toml", "text in UTF-8 is expected, line 1"),
        ("nul.toml", "this is no TOML"),
        ("json.toml", "this is no TOML"),
        ("folder.toml", "a file is expected"),
        ("loop.toml", "cannot be read"),
        ("missing.toml", "cannot be read"),
    ];
    for program in PROGRAMS {
        for (name, wanted) in table {
            let output = run(program, folder.path(), &["config", "check", "--config", name], &[])?;
            let said = text(&output.stdout);
            assert_eq!(output.status.code(), Some(78), "{name}: {said}");
            assert!(said.contains(wanted) && said.contains(name), "{name}: {said}");
            assert!(said.len() < 2_000, "{name}: {} bytes", said.len());
        }
        write("empty.toml", b"")?;
        let output = run(program, folder.path(), &["config", "check", "--config", "empty.toml"], &[])?;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
    Ok(())
}

#[test]
fn a_file_that_may_not_be_read_is_a_mistake() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("closed.toml");
    std::fs::write(&file, FILE)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000))?;
    // Root reads everything: what nobody can read then is a file of the kernel that refuses.
    let name = if rustix::process::geteuid().is_root() { "/proc/self/mem" } else { "closed.toml" };
    for program in PROGRAMS {
        let output = run(program, folder.path(), &["config", "check", "--config", name], &[])?;
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("cannot be read") && said.contains(name), "{said}");
    }
    Ok(())
}

#[test]
fn secrets_stay_hidden_wherever_they_stand() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let good = ("JINBAN_DATABASE", "postgresql://jinban:s3cret@127.0.0.1:1/x?password=s3cret");
    let bad = ("JINBAN_DATABASE", "postgresql//jinban:s3cret@127.0.0.1");
    for arguments in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["config", "check", "--json"],
        &["doctor", "--json"],
        &["migrate"],
        &["enrol-code", "--station", "XN-CCB-CD-01"],
        &["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0", "--metrics", "off"],
    ] {
        for variable in [good, bad] {
            let output = run("sync-server", folder.path(), arguments, &[variable])?;
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!said.is_empty() && !said.contains("s3cret"), "{arguments:?}: {said}");
        }
    }
    let shown = run("sync-server", folder.path(), &["config", "show"], &[good])?;
    assert!(text(&shown.stdout).contains("postgresql://jinban:***@127.0.0.1:1/x?password=***"));
    Ok(())
}

#[test]
fn listeners_that_anybody_could_reach_need_a_word_of_consent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for listener in ["people", "metrics"] {
        let open = format!("--{listener}=0.0.0.0:0");
        let output = run("sync-server", folder.path(), &["config", "check", &open], &[])?;
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(&format!("flag --{listener}: {listener}:")), "{said}");
        assert!(said.contains(&format!("allow_public_{listener} overrides")), "{said}");
        let consent = format!("--allow-public-{listener}");
        let output = run("sync-server", folder.path(), &["config", "check", &open, &consent], &[])?;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
    Ok(())
}

#[test]
fn what_config_show_prints_is_a_settings_file() -> Result<()> {
    for program in PROGRAMS {
        let folder = tempfile::tempdir()?;
        let first = run(program, folder.path(), &["config", "show", "--data", "odd \"name\" # 1"], &[])?;
        std::fs::write(folder.path().join("again.toml"), &first.stdout)?;
        let again = run(program, folder.path(), &["config", "check", "--config", "again.toml"], &[])?;
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));
        let second = run(program, folder.path(), &["config", "show", "--config", "again.toml"], &[])?;
        let values = |output: &[u8]| -> Vec<String> {
            text(output).lines().filter_map(|l| Some(l.rsplit_once("  # ")?.0.trim().to_owned())).collect()
        };
        assert_eq!(values(&first.stdout), values(&second.stdout));
    }
    Ok(())
}
