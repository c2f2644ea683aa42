//! The connection to PostgreSQL is cut at every step of a group's transaction, before and after the database hears it:
//! nothing that was acknowledged is lost, nothing is doubled, and the server comes back by itself.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::wire::v1::{BatchResponse, EnvelopeUpload, Outcome};
use tests::device::{Device, courier, header_of, send_raw, set_status, wait_for_state};
use tests::link::{Link, State, Trap};
use tests::postgres::Cluster;
use tests::server::Server;

/// What the driver says at each step, as it stands in a message of the protocol (the length before it tells a bare
/// SAVEPOINT from others).
const STEPS: [&[u8]; 4] = [
    b"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock",
    b"\x13SAVEPOINT item\0",
    b"RELEASE SAVEPOINT item\0",
    b"SELECT 1; COMMIT\0",
];

/// Envelopes of a batch.
const BATCH: usize = 4;

/// An envelope that is found out only inside the group: its terminal is blocked, and the server does not know it yet.
/// A group with such a piece is run again, each piece in its own savepoint. Gives the id of one that was taken before.
fn bad_piece(server: &Server, device: &mut Device) -> Result<(EnvelopeUpload, String)> {
    set_status(server, device, "active")?;
    let good = device.seal(&courier())?;
    device.send(server, std::slice::from_ref(&good))?;
    let id = header_of(&good)?.envelope_id;
    wait_for_state(device, server, id, CaseState::Submitted)?;
    set_status(server, device, "blocked")?;
    // A copy seals it: what is refused leaves no gap in the series.
    Ok((device.clone().seal(&courier())?, id.to_string()))
}

/// Sends what is not acknowledged yet until all of it is; gives how each envelope was acknowledged. What is `bad` goes
/// along.
fn until_taken(
    device: &Device,
    server: &Server,
    batch: &[EnvelopeUpload],
    bad: Option<&EnvelopeUpload>,
) -> Result<Vec<Outcome>> {
    let mut taken = vec![None; batch.len()];
    for _ in 0..5 {
        let left: Vec<_> = (0..batch.len()).filter(|n| taken[*n].is_none()).collect();
        let uploads: Vec<_> = left.iter().map(|n| &batch[*n]).chain(bad).cloned().collect();
        let answer = send_raw(server, &uploads)?;
        if answer.status != 200 {
            ensure!(answer.status == 503, "{}: {}", answer.status, answer.text());
            continue;
        }
        let results = answer.json::<BatchResponse>()?.results;
        for (n, result) in left.into_iter().zip(results) {
            match (result.outcome, result.receipt) {
                (outcome @ (Outcome::Accepted | Outcome::Duplicate), Some(receipt)) => {
                    device.verify(&receipt)?;
                    taken[n] = Some(outcome);
                }
                (Outcome::Refused, None) => {}
                (outcome, _) => anyhow::bail!("{outcome:?}"),
            }
        }
        if taken.iter().all(Option::is_some) {
            break;
        }
    }
    taken.into_iter().collect::<Option<_>>().context("taken within five attempts")
}

#[test]
fn a_connection_that_is_cut_at_any_step_costs_a_try_and_nothing_else() -> Result<()> {
    let cluster = Cluster::start()?;
    cluster.create_database("jinban")?;
    let link = Link::new()?;
    link.set(State::Up, &format!("http://127.0.0.1:{}", cluster.port()))?;
    let folder = tempfile::tempdir()?;
    let address = format!("postgresql://jinban@127.0.0.1:{}/jinban", link.port());
    let server = Server::start_on(folder.path(), &address)?;
    let (mut device, mut other) = (Device::enrol(&server, 1)?, Device::enrol(&server, 2)?);
    let mut all = BTreeSet::new();
    for words in STEPS {
        for heard in [false, true] {
            let step = String::from_utf8_lossy(words).into_owned();
            let batch = (0..BATCH).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
            let mut bad = None;
            if step.contains("SAVEPOINT") {
                let (upload, before) = bad_piece(&server, &mut other)?;
                all.insert(before);
                bad = Some(upload);
            }
            // Nobody else writes now: what comes before was opened.
            link.set_trap(Trap { words, heard });
            let outcomes =
                until_taken(&device, &server, &batch, bad.as_ref()).with_context(|| step.clone())?;
            assert!(!link.is_trap_set(), "{step}: nobody said it");
            // Only a COMMIT that was heard and not answered may have left rows behind.
            let found = outcomes.iter().filter(|o| **o == Outcome::Duplicate).count();
            let committed = heard && step.contains("; COMMIT\0");
            assert_eq!(found > 0, committed, "{step} {heard}: {outcomes:?}");
            for upload in &batch {
                let id = header_of(upload)?.envelope_id;
                wait_for_state(&device, &server, id, CaseState::Submitted)?;
                all.insert(id.to_string());
            }
        }
    }
    let rows = server.rows("SELECT envelope_id FROM envelope ORDER BY envelope_id", &[])?;
    let there: Vec<_> = rows.iter().map(|r| Ok(r.text(0)?.to_owned())).collect::<Result<_>>()?;
    assert_eq!(there, all.into_iter().collect::<Vec<_>>(), "every one once");
    assert_eq!(server.number("SELECT COUNT(*) FROM case_")?, there.len() as i64);
    assert_eq!(server.number("SELECT MAX(server_seq) FROM envelope")?, there.len() as i64, "without a gap");
    server.console()?;
    let doctor = server.command(&["doctor"])?;
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    Ok(())
}
