//! TLS to a real PostgreSQL: whom the driver trusts, what it refuses, and what operators are told.
use anyhow::{Context as _, Result};
use domain::wire::v1::Outcome;
use serde_json::Value;
use sync_server::store::{Database, StoreError};
use tests::certificates::Authority;
use tests::device::{Device, courier};
use tests::postgres::{Cluster, fresh_database};
use tests::server::{Server, command_in};

const WITH_TLS: [&str; 3] = ["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"];

/// A database behind TLS, and who signed its certificate.
struct Rig {
    cluster: Cluster,
    authority: Authority,
}

impl Rig {
    fn new() -> Result<Self> {
        let authority = Authority::new()?;
        let cluster = Cluster::start_with(&WITH_TLS, |data| authority.equip(data))?;
        cluster.create_database("jinban")?;
        Ok(Self { cluster, authority })
    }

    /// Its address with these words.
    fn address(&self, words: &str) -> String {
        format!("{}?{words}", self.cluster.address("jinban"))
    }

    /// The same by a name that is that of another machine, as far as anybody can see.
    fn far_address(&self, words: &str) -> String {
        let port = self.cluster.port();
        format!("postgresql://jinban@db.example:{port}/jinban?hostaddr=127.0.0.1&{words}")
    }

    fn trusted(&self) -> String {
        format!("sslrootcert={}", self.authority.root().display())
    }
}

fn is_encrypted(address: &str) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let rows = address.parse::<Database>()?.open()?.query(sql, &[])?;
    Ok(rows.first().context("a row")?.int(0)? == 1)
}

/// Why an address is not used, with all causes.
fn refusal(address: &str) -> Result<String> {
    match address.parse::<Database>()?.open().map(|_| ()) {
        Err(e @ StoreError::Open(_)) => Ok(format!("{:#}", anyhow::Error::new(e))),
        other => anyhow::bail!("{other:?}"),
    }
}

#[test]
fn a_server_that_its_root_vouches_for_is_trusted_and_no_other() -> Result<()> {
    let rig = Rig::new()?;
    assert!(is_encrypted(&rig.address(&rig.trusted()))?);
    assert!(is_encrypted(&rig.address(&format!("sslmode=require&{}", rig.trusted())))?);
    // Without a root nobody is verified, as libpq has it.
    assert!(is_encrypted(&rig.address("sslmode=require"))?);
    assert!(is_encrypted(&rig.address("application_name=x"))?, "where it can be had, it is used");
    assert!(!is_encrypted(&rig.address("sslmode=disable"))?);

    let stranger = Authority::new()?;
    let other_root = format!("sslrootcert={}", stranger.root().display());
    for (address, words) in [
        (rig.address(&other_root), "invalid peer certificate"),
        (rig.address(&format!("sslmode=prefer&{other_root}")), "invalid peer certificate"),
        (rig.far_address(&rig.trusted()), "db.example"),
        (rig.address("sslrootcert=/nowhere/root.pem"), "/nowhere/root.pem"),
        (format!("{}?sslmode=require", fresh_database()?), "does not support TLS"),
    ] {
        let said = refusal(&address)?;
        assert!(said.contains(words), "{words}: {said}");
    }
    Ok(())
}

#[test]
fn a_whole_server_works_over_tls_and_says_what_is_wrong_with_a_root() -> Result<()> {
    let mut rig = Rig::new()?;
    let folder = tempfile::tempdir()?;
    let address = rig.address(&rig.trusted());
    let server = Server::start_on(folder.path(), &address)?;
    let mut device = Device::enrol(&server, 1)?;
    let uploads = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    let taken = device.send(&server, &uploads)?;
    assert!(taken.results.iter().all(|r| r.outcome == Outcome::Accepted), "{:?}", taken.results);
    // It is protected again after a loss.
    rig.cluster.kill()?;
    rig.cluster.start_again()?;
    let again = device.send(&server, &uploads)?;
    assert!(again.results.iter().all(|r| r.outcome == Outcome::Duplicate), "{:?}", again.results);
    server.console()?;
    let doctor = server.command(&["doctor"])?;
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    drop(server);

    let stranger = Authority::new()?;
    let address = rig.address(&format!("sslrootcert={}", stranger.root().display()));
    let output = command_in(folder.path(), &["migrate", "--database", &address])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("invalid peer certificate") && said.contains("sslrootcert"),
        "{said}"
    );
    let (code, found) = store_finding(&address)?;
    assert_eq!((code, found["level"].as_str()), (Some(1), Some("fail")), "{found}");
    assert!(found["found"].as_str().is_some_and(|f| f.contains("invalid peer certificate")), "{found}");
    assert!(found["remedy"].as_str().is_some_and(|r| r.contains("sslrootcert")), "{found}");
    Ok(())
}

/// The worst finding about the store, and the exit code of the doctor.
fn store_finding(address: &str) -> Result<(Option<i32>, Value)> {
    let folder = tempfile::tempdir()?;
    let output = command_in(folder.path(), &["doctor", "--json", "--database", address])?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let mut stores = found.as_array().context("a list")?.iter().filter(|f| f["subject"] == "store");
    let worst = stores.clone().find(|f| f["level"] != "ok").or_else(|| stores.next());
    Ok((output.status.code(), worst.context("a finding")?.clone()))
}

#[test]
fn an_unprotected_way_to_another_machine_is_told_at_the_start_and_by_the_doctor() -> Result<()> {
    let rig = Rig::new()?;
    let folder = tempfile::tempdir()?;
    for (words, told) in [("sslmode=disable", "not encrypted"), ("sslmode=require", "is not verified")] {
        let address = rig.far_address(words);
        let output = command_in(folder.path(), &["migrate", "--database", &address])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains(told) && said.contains("sslrootcert"), "{said}");
        let (_, found) = store_finding(&address)?;
        assert_eq!(found["level"], "warn", "{found}");
        assert!(found["found"].as_str().is_some_and(|f| f.contains(told)), "{found}");
        // On this machine nobody listens in between.
        let output = command_in(folder.path(), &["migrate", "--database", &rig.address(words)])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains(told), "{said}");
    }
    Ok(())
}
