//! A terminal that is taken out of service is refused from then on, although its key was kept ready in memory.
use anyhow::{Context as _, Result};
use domain::wire::v1::{EnvelopeUpload, Outcome};
use sync_server::store::in_transaction;
use tests::device::{Device, courier, set_status};
use tests::server::Server;

fn told(server: &Server, device: &Device, uploads: &[EnvelopeUpload]) -> Result<Vec<(Outcome, String)>> {
    let results = device.send(server, uploads)?.results.into_iter();
    Ok(results.map(|r| (r.outcome, r.problem.map(|p| p.code).unwrap_or_default())).collect())
}

#[test]
fn a_terminal_that_another_process_blocks_between_two_batches_is_refused() -> Result<()> {
    let server = Server::start()?;
    let (mut device, mut other) = (Device::enrol(&server, 1)?, Device::enrol(&server, 2)?);
    let accepted = || (Outcome::Accepted, String::new());
    let blocked = || (Outcome::Refused, "terminal-blocked".to_owned());
    for device in [&mut device, &mut other] {
        let first = device.seal(&courier())?;
        assert_eq!(told(&server, device, &[first])?, [accepted()]);
    }
    set_status(&server, &device, "blocked")?;
    let (late, theirs) = (device.seal(&courier())?, other.seal(&courier())?);
    // The first time the writer finds it out; afterwards whoever checks signatures does.
    for _ in 0..2 {
        assert_eq!(told(&server, &device, std::slice::from_ref(&late))?, [blocked()]);
    }
    // A batch of both, and a long one, which is checked elsewhere.
    let mixed = [late.clone(), theirs.clone()];
    assert_eq!(told(&server, &other, &mixed)?, [blocked(), accepted()], "the other one is not held up");
    let many: Vec<_> = (0..6).map(|_| device.seal(&courier())).collect::<Result<_>>()?;
    assert_eq!(told(&server, &device, &many)?, vec![blocked(); 6]);
    assert_eq!(server.number("SELECT COUNT(*) FROM envelope")?, 3);
    set_status(&server, &device, "active")?;
    assert_eq!(told(&server, &device, &[late])?, [accepted()], "nothing of the refusal is remembered");
    Ok(())
}

#[test]
fn a_terminal_whose_key_another_process_replaced_is_refused() -> Result<()> {
    let server = Server::start()?;
    let (mut device, other) = (Device::enrol(&server, 1)?, Device::enrol(&server, 2)?);
    device.send(&server, &[device.clone().seal(&courier())?])?;
    let mut store = server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        let sql = "UPDATE terminal SET public_key = $2 WHERE id = $1";
        tx.execute(sql, &[other.enrolled.terminal.as_str().into(), vec![1; 32].into()])?;
        tx.execute(sql, &[device.enrolled.terminal.as_str().into(), other.key.public().0.0.into()])
    })?;
    let upload = device.seal(&courier())?;
    let told = told(&server, &device, &[upload])?;
    let (outcome, code) = told.first().context("a result")?;
    assert_eq!((*outcome, code.as_str()), (Outcome::Refused, "signature-invalid"));
    Ok(())
}
