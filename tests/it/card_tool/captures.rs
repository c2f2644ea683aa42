//! `card-tool decode`: every form of a capture of every kind of card, from a file and from standard input, and
//! everything that is no capture.
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tests::binaries::repository;

use super::blocks::{SAMPLES, frame};
use super::{card_tool, good, refused};

fn snapshot(kind: &str) -> PathBuf {
    repository().join("tests/it/snapshots/card_tool").join(format!("{kind}.json"))
}

#[test]
fn every_kind_of_card_prints_all_its_fields() -> Result<()> {
    for sample in &SAMPLES {
        let printed = good(&card_tool(&["decode", "--json", "-"], &sample.image())?)?;
        let path = snapshot(sample.kind);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, &printed)?;
        }
        let wanted = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        assert_eq!(printed, wanted, "{}", sample.kind);
        ensure!(wanted.contains(&format!("\"kind\": \"{}\"", sample.kind)));
    }
    Ok(())
}

#[test]
fn every_form_of_a_capture_prints_the_same() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for sample in &SAMPLES {
        let wanted = fs::read_to_string(snapshot(sample.kind))?;
        let dialogue = [
            frame(0x90, &[]),
            frame(0x9F, &[0; 4]),
            frame(0x90, &[0; 8]),
            frame(0x90, &sample.image()),
            frame(0x91, &[]),
        ];
        let captures = [
            ("text block", sample.text()),
            ("image", sample.image()),
            ("frame", frame(0x90, &sample.image())),
            ("fingerprints", sample.with_fingerprints(1024)),
            ("fewer fingerprints", sample.with_fingerprints(512)),
            ("no fingerprints", sample.with_fingerprints(0)),
            ("dialogue", dialogue.concat()),
        ];
        for (name, capture) in captures {
            let path = folder.path().join(format!("{} {name}.bin", sample.kind));
            fs::write(&path, &capture)?;
            let file = path.to_str().context("a path")?;
            for (arguments, input) in
                [(["decode", "-", "--json"], &capture[..]), (["decode", file, "--json"], &[])]
            {
                assert_eq!(good(&card_tool(&arguments, input)?)?, wanted, "{arguments:?}, {name}");
            }
        }
    }
    Ok(())
}

#[test]
fn without_json_the_same_stands_in_lines() -> Result<()> {
    let printed = good(&card_tool(&["decode", "-"], &SAMPLES[0].text())?)?;
    let row = |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    assert_eq!(row("name "), Some("样\u{3F06}\u{E816}·例"));
    assert_eq!((row("valid_from"), row("valid_to")), (Some("2020-01-01"), Some("long_term")));
    assert_eq!((row("number_valid"), row("pass_number")), (Some("true"), None));
    Ok(())
}

#[test]
fn a_wrong_number_is_shown_and_said_to_be_wrong() -> Result<()> {
    let mut text = SAMPLES[0].text();
    text[122 + 34] = b'1';
    let value = super::json(&card_tool(&["decode", "-", "--json"], &text)?)?;
    assert_eq!(
        (value["id_number"].as_str(), value["number_valid"].as_bool()),
        (Some("110105194912310021"), Some(false))
    );
    Ok(())
}

#[test]
fn what_is_no_capture_is_said_to_be_none() -> Result<()> {
    let resident = &SAMPLES[0];
    let with = |at: usize, bytes: &[u8]| {
        let mut text = resident.text();
        text[at..at + bytes.len()].copy_from_slice(bytes);
        text
    };
    let mut wrong_sum = frame(0x90, &resident.image());
    *wrong_sum.last_mut().context("bytes")? ^= 0xFF;
    let table: [(&str, Vec<u8>, &str); 12] = [
        ("nothing", vec![], "0 bytes"),
        ("all FF", vec![0xFF; 256], "flag FFFF"),
        ("unknown flag", with(248, b"Z"), "flag 005A"),
        ("lone surrogate", with(0, &[0x00, 0xD8]), "`name`"),
        ("NUL inside", with(2, &[0, 0]), "`name`"),
        ("no such day", with(36 + 8, b"0\x002\x003\x000\x00"), "`birth`"),
        ("no such sex", with(30, b"7"), "`sex`"),
        ("half an image", resident.image()[..1000].to_vec(), "1000 bytes"),
        ("half a frame", frame(0x90, &resident.image())[..1000].to_vec(), "ends early"),
        ("wrong checksum", wrong_sum, "checksum"),
        ("no card there", frame(0x80, &[]), "NoCard (80)"),
        ("far too long", vec![0xAA; 200_000], "longer than"),
    ];
    for (name, capture, wanted) in table {
        let said = refused(&card_tool(&["decode", "-", "--json"], &capture)?).context(name)?;
        ensure!(said.contains(wanted), "{name}: {said}");
        ensure!(!said.contains("19491231") && !said.contains('样'), "{name}: {said}");
    }
    let said = refused(&card_tool(&["decode", "/no/such/file"], &[])?)?;
    ensure!(said.contains("/no/such/file"), "{said}");
    refused(&card_tool(&["decode", "/"], &[])?)?;
    Ok(())
}

/// Each length once, with what a broken line would deliver: the frame's beginning, or the frame and noise behind.
#[test]
fn a_capture_of_any_length_is_a_card_or_one_line_of_complaint() -> Result<()> {
    let mut bytes = frame(0x90, &SAMPLES[3].image());
    let whole = bytes.len();
    bytes.extend((whole..3000).map(|n| u8::try_from(n * 31 % 251).unwrap_or_default()));
    let wanted = fs::read_to_string(snapshot(SAMPLES[3].kind))?;
    for length in 0..=3000 {
        let output = card_tool(&["decode", "-", "--json"], &bytes[..length])?;
        if length < whole {
            refused(&output).with_context(|| format!("{length} bytes"))?;
        } else {
            assert_eq!(good(&output).with_context(|| format!("{length} bytes"))?, wanted);
        }
    }
    Ok(())
}
