//! The bank's own picture at both ends: shown without anything but its pixels if it is one, told and left out if not.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use image::ImageFormat;
use serde_json::Value;
use tests::http::get;
use tests::server::Server;

use crate::images::{exif, file, picture, with_segments, zeros};
use crate::operator::{PROGRAMS, json_of, run, text};

/// A JPEG as a camera makes it: a place, a comment, and larger than it is shown.
fn good(folder: &Path) -> Result<PathBuf> {
    let jpeg = file(&picture(600, 300), ImageFormat::Jpeg)?;
    written(folder, "good.jpg", &with_segments(&jpeg, &[(0xe1, &exif(1)), (0xfe, b"SECRET-COMMENT")]))
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, bytes)?;
    Ok(path)
}

/// Files that are not taken, each with words that the doctor says.
fn bad(folder: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let png = file(&picture(16, 16), ImageFormat::Png)?;
    let archive = [&png[..], b"PK\x03\x04 an archive"].concat();
    let pipe = folder.join("pipe");
    ensure!(Command::new("mkfifo").arg(&pipe).status()?.success(), "a pipe");
    Ok(vec![
        (written(folder, "bomb.png", &zeros(12_000, 12_000)?)?, "12000x12000"),
        (written(folder, "two.png", &archive)?, "behind the picture's end"),
        (written(folder, "page.png", b"<html><script>alert(1)</script>")?, "neither a PNG nor a JPEG"),
        (written(folder, "other.webp", b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0")?, "neither a PNG nor a JPEG"),
        (written(folder, "cut.png", &png[..png.len() / 2])?, "damaged"),
        (written(folder, "empty.png", b"")?, "empty"),
        (written(folder, "huge.png", &[&png[..], &vec![0; 2 << 20]].concat())?, "at most 1048576"),
        (folder.join("missing.png"), "No such file"),
        (folder.to_owned(), "no plain file"),
        (pipe, "no plain file"),
    ])
}

fn mark_of(program: &str, folder: &Path, mark: &Path) -> Result<Value> {
    let mark = mark.to_str().context("a path")?;
    let mut arguments = vec!["doctor", "--json", "--mark", mark];
    arguments.extend((program == "terminal").then_some("--reader=none"));
    let found = json_of(&run(program, folder, &arguments, &[])?)?;
    found.as_array().into_iter().flatten().find(|f| f["subject"] == "mark").cloned().context("a finding")
}

#[test]
fn both_doctors_say_what_is_wrong_with_a_picture_and_what_to_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (good, bad) = (good(folder.path())?, bad(folder.path())?);
    for program in PROGRAMS {
        let found = mark_of(program, folder.path(), &good)?;
        assert_eq!(found["level"], "ok", "{found}");
        assert!(found["found"].as_str().is_some_and(|f| f.contains("256x128")), "{found}");
        for (path, words) in &bad {
            let found = mark_of(program, folder.path(), path)?;
            let said = |part: &str| found[part].as_str().unwrap_or_default().to_owned();
            assert_eq!(found["level"], "warn", "{program} {found}");
            assert!(said("found").contains(words), "{program} {words}: {found}");
            assert!(said("remedy").contains("--mark"), "{found}");
        }
    }
    Ok(())
}

#[test]
fn peoples_pages_show_its_pixels_and_nothing_else_of_the_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = good(folder.path())?;
    let server = Server::start_with(&["--mark", path.to_str().context("a path")?])?;
    let answer = get(&server.people, "/static/bank-mark", &[])?;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let (before, after) = (std::fs::read(&path)?, &answer.body);
    for secret in [&b"GPS-36"[..], b"SECRET", b"Exif"] {
        let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|w| w == secret);
        assert!(has(&before) && !has(after), "{}", text(secret));
    }
    let shown = image::load_from_memory(after)?;
    assert_eq!((shown.width(), shown.height()), (256, 128));
    let tag = answer.header("etag").context("a tag")?;
    assert_eq!(get(&server.people, "/static/bank-mark", &[("if-none-match", tag)])?.status, 304);
    let style = get(&server.people, "/static/jinban.css", &[])?.text();
    assert!(style.contains("/static/bank-mark") && style.contains("width: 48px"), "{style}");
    Ok(())
}

#[test]
fn a_server_whose_picture_is_a_bomb_says_so_and_serves_without_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bomb = written(folder.path(), "bomb.png", &zeros(12_000, 12_000)?)?;
    let mut server = Server::start_with(&["--mark", bomb.to_str().context("a path")?])?;
    server.wait_for_log("the bank's mark is not shown")?;
    assert_eq!(get(&server.people, "/static/bank-mark", &[])?.status, 404);
    assert!(!get(&server.people, "/static/jinban.css", &[])?.text().contains("bank-mark"));
    assert_eq!(get(&server.people, "/sign-in", &[])?.status, 200);
    Ok(())
}
