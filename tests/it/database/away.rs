//! The whole server when its PostgreSQL goes away and comes back: terminals hear "come again", never an error of ours,
//! and nothing is lost or doubled.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use tests::device::{Device, courier, header_of, send_raw, wait_for_state};
use tests::http;
use tests::postgres::Cluster;
use tests::server::Server;

#[test]
fn a_terminal_is_told_to_come_again_and_its_envelopes_are_taken_once() -> Result<()> {
    let mut cluster = Cluster::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start_on(folder.path(), &cluster.create_database("jinban")?)?;
    let mut device = Device::enrol(&server, 1)?;
    let mut sent = vec![];
    assert_eq!(server.page("/cases")?.status, 200);
    for round in 0..3 {
        let uploads = (0..5).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
        cluster.kill()?;
        for _ in 0..3 {
            let answer = send_raw(&server, &uploads)?;
            assert_eq!((answer.status, answer.problem()?.as_str()), (503, "busy"), "{round}");
        }
        assert_eq!(http::get(&server.terminals, "/healthz", &[])?.problem()?, "busy");
        assert_eq!(server.page("/cases")?.status, 503);
        cluster.start_again()?;
        let taken = device.send(&server, &uploads)?;
        assert!(taken.results.iter().all(|r| r.outcome == Outcome::Accepted), "{round}: {:?}", taken.results);
        sent.extend(uploads);
        assert_eq!(http::get(&server.terminals, "/healthz", &[])?.status, 200);
    }
    let replay = device.send(&server, &sent)?;
    assert!(replay.results.iter().all(|r| r.outcome == Outcome::Duplicate));
    for upload in &sent {
        wait_for_state(&device, &server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM case_")?, 15);
    let doctor = server.command(&["doctor"])?;
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(0), "{said}");
    said.contains("PostgreSQL").then_some(()).context("the doctor names the database")
}
