//! More envelopes wait for pages than a list shows: what an operator means is found all the same.
use anyhow::{Context as _, Result, ensure};
use domain::wire::v1::EnvelopeKind;
use serde_json::Value;
use tests::device::{courier, header_of};

use super::{Awaited, noise};

/// Envelopes in one batch.
const BATCH: usize = 50;

#[test]
fn what_waits_behind_two_hundred_others_is_given_up_and_not_too_early() -> Result<()> {
    let mut awaited = Awaited::with(&[3_000])?;
    let plain = serde_json::to_vec(&courier())?;
    for _ in 0..4 {
        let one = |_| Ok(awaited.device.seal_with_pages(&plain, &[noise(9, 100)])?.0);
        let batch = (0..BATCH).map(one).collect::<Result<Vec<_>>>()?;
        awaited.device.send(&awaited.server, &batch)?;
    }
    // The last one belongs to the case of the first one.
    let first = awaited.id;
    let (last, pages) = awaited.device.seal_naming(&[noise(8, 100)], |header, _| {
        (header.kind, header.refers_to, header.number) = (EnvelopeKind::Supplement, Some(first), None);
        Ok(b"{}".to_vec())
    })?;
    awaited.device.send(&awaited.server, std::slice::from_ref(&last))?;
    let (server, id) = (&awaited.server, header_of(&last)?.envelope_id.to_string());
    let older =
        format!("UPDATE envelope SET accepted_at_ms = accepted_at_ms - 7200000 WHERE envelope_id <> '{id}'");
    server.database()?.open()?.run_script(&older)?;
    let answer = |arguments: &[&str]| -> Result<Value> {
        let output = server.command(&[&["attachments"], arguments, &["--json"]].concat())?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let listed = answer(&["list"])?;
    let listed = listed.as_array().context("a list")?;
    ensure!(listed.len() == 200 && listed.iter().all(|w| w["envelope_id"] != id), "it is not on the list");
    let number = listed[0]["number"].as_str().context("a number")?;
    for meant in [["--number", number], ["--envelope", &id]] {
        let early = server.command(&[&["attachments", "give-up"], &meant[..]].concat())?;
        let said = String::from_utf8_lossy(&early.stderr).into_owned();
        ensure!(
            !early.status.success() && said.contains("on their way"),
            "{meant:?}: it came just now: {said}"
        );
    }
    let both = [awaited.pages[0].digest.to_string(), pages[0].digest.to_string()];
    for _ in 0..2 {
        let given_up = answer(&["give-up", "--number", number, "--early"])?["given_up"].clone();
        assert_eq!(serde_json::from_value::<Vec<String>>(given_up)?, both);
    }
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'blob.given-up'";
    assert_eq!(server.number(alarms)?, 2, "of nobody else");
    Ok(())
}
