//! A one-time code makes a device a terminal, once.
use anyhow::Result;
use domain::envelope::{Bytes, DeviceKey, PublicKey};
use domain::wire::v1::{EnrolRequest, EnrolResponse};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tests::device::{Device, JSON, STATION, courier, enrol_raw, new_key};
use tests::http;
use tests::server::{Server, command_in};

fn key(seed: u64) -> DeviceKey {
    new_key(&mut ChaCha20Rng::seed_from_u64(seed))
}

#[test]
fn the_first_terminal_of_a_station_issues_under_its_number_and_further_ones_from_050() -> Result<()> {
    let server = Server::start()?;
    let first = Device::enrol(&server, 1)?;
    let second = Device::enrol(&server, 2)?;
    let elsewhere = Device::enrol_with(&server, &server.enrol_code("XN-CCB-CD-02")?, 3)?;
    assert_eq!(first.enrolled.station.as_str(), STATION);
    assert!(first.enrolled.issuer.get() < 900);
    assert!(second.enrolled.issuer.get() >= 50, "{:?}", second.enrolled.issuer);
    let mut issuers = [&first, &second, &elsewhere].map(|d| d.enrolled.issuer);
    issuers.sort_unstable();
    assert!(issuers.windows(2).all(|w| w[0] != w[1]), "{issuers:?}");
    assert_ne!(first.enrolled.terminal, second.enrolled.terminal);
    assert_eq!(first.enrolled.people_url, server.people);
    assert_eq!(first.enrolled.contact.durable_upto, None, "no backup, no promise");
    Ok(())
}

#[test]
fn a_code_enrols_one_device_and_a_lost_answer_is_given_again() -> Result<()> {
    let server = Server::start()?;
    let code = server.enrol_code(STATION)?;
    let typed = code.to_lowercase().replace('-', " ");
    let first: EnrolResponse = enrol_raw(&server, &typed, &key(1))?.json()?;
    let again: EnrolResponse = enrol_raw(&server, &code, &key(1))?.json()?;
    assert_eq!((first.terminal, first.issuer), (again.terminal, again.issuer));
    let other = enrol_raw(&server, &code, &key(2))?;
    assert_eq!((other.status, other.problem()?.as_str()), (409, "enrol-code-used"));
    Ok(())
}

#[test]
fn a_device_that_enrols_anew_goes_on_after_its_last_number() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let uploads = [device.seal(&courier())?, device.seal(&courier())?];
    device.send(&server, &uploads)?;
    let again = Device::enrol_with(&server, &server.enrol_code(STATION)?, 1)?;
    assert_eq!(again.enrolled.terminal, device.enrolled.terminal);
    assert_eq!(again.enrolled.last_counter, device.counter);
    let code = server.enrol_code("XN-CCB-CD-02")?;
    let elsewhere = enrol_raw(&server, &code, &device.key)?;
    assert_eq!((elsewhere.status, elsewhere.problem()?.as_str()), (409, "key-enrolled-elsewhere"));
    Ok(())
}

#[test]
fn wrong_codes_and_keys_are_refused_with_their_reason() -> Result<()> {
    let server = Server::start()?;
    let code = server.enrol_code(STATION)?;
    let unknown = enrol_raw(&server, "0000-0000-0000", &key(1))?;
    assert_eq!((unknown.status, unknown.problem()?.as_str()), (401, "enrol-code-unknown"));
    for bad in ["", "0000", "张三张三张三张三张三张三", &"0".repeat(5_000)] {
        let answer = enrol_raw(&server, bad, &key(1))?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (400, "enrol-code-malformed"));
    }
    let nul = enrol_raw(&server, "0000-0000-000\u{0}", &key(1))?;
    assert_eq!((nul.status, nul.problem()?.as_str()), (400, "malformed-request"), "no text has NUL");
    for bad in [vec![], vec![0; 32], vec![7; 31], vec![2; 32]] {
        let request = EnrolRequest {
            code: code.clone(),
            public_key: PublicKey(Bytes(bad)),
            software: String::new(),
            csr: None,
            terminal: None,
            returning: None,
        };
        let answer = http::post(&server.terminals, "/api/v1/enrol", &[JSON], &serde_json::to_vec(&request)?)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (400, "public-key-malformed"));
    }
    // The code itself was not used up by any of this.
    assert_eq!(enrol_raw(&server, &code, &key(1))?.status, 200);
    Ok(())
}

#[test]
fn a_code_for_no_station_or_without_a_store_is_not_made() -> Result<()> {
    let server = Server::start()?;
    let output = server.command(&["enrol-code", "--station", "XN-NOWHERE-99"])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("XN-NOWHERE-99"));
    let empty = tempfile::tempdir()?;
    let output = command_in(empty.path(), &["enrol-code", "--station", STATION])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sync-server migrate"));
    assert_eq!(std::fs::read_dir(empty.path())?.count(), 0, "nothing was made");
    Ok(())
}
