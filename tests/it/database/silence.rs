//! A PostgreSQL that accepts and then says nothing: the driver itself gives up, and goes on when it speaks again.
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use domain::wire::v1::Outcome;
use sync_server::store::{Database, StoreError, Tx, migrate};
use tests::device::{Device, courier, send_raw};
use tests::link::{Link, State};
use tests::postgres::Cluster;
use tests::server::Server;

/// Seconds of silence that the tests' addresses allow, and for a connection.
const SILENCE: u64 = 2;

struct Rig {
    cluster: Cluster,
    link: Link,
    address: String,
}

impl Rig {
    fn new() -> Result<Self> {
        let cluster = Cluster::start()?;
        cluster.create_database("jinban")?;
        let link = Link::new()?;
        let address = format!(
            "postgresql://jinban@127.0.0.1:{}/jinban?connect_timeout=1&tcp_user_timeout={SILENCE}",
            link.port()
        );
        let rig = Self { cluster, link, address };
        rig.put(State::Up)?;
        Ok(rig)
    }

    fn put(&self, state: State) -> Result<()> {
        self.link.set(state, &format!("http://127.0.0.1:{}", self.cluster.port()))
    }
}

/// What the work gives must come within so many seconds.
fn within<T>(seconds: u64, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(seconds), "it took {took:?}");
    done
}

#[test]
fn a_driver_gives_up_in_any_state_and_goes_on_by_itself() -> Result<()> {
    let rig = Rig::new()?;
    let store: Database = rig.address.parse()?;
    let mut db = store.open()?;
    migrate(db.as_mut(), 1)?;
    let insert = "INSERT INTO meta (name, value) VALUES ($1, 'v')";
    // In the middle of a transaction, which holds the lock of all writers.
    db.begin()?;
    db.execute(insert, &["lost".into()])?;
    rig.put(State::Silent)?;
    let said = within(SILENCE + 3, || db.execute(insert, &["unheard".into()]));
    assert!(matches!(said, Err(StoreError::Unreachable(_))), "{said:?}");
    db.rollback();
    let said = within(SILENCE + 3, || db.begin());
    assert!(matches!(said, Err(StoreError::Unreachable(_))), "{said:?}");
    let said = within(SILENCE + 3, || store.open().map(|_| ()));
    assert!(matches!(said, Err(StoreError::Unreachable(_))), "a new connection: {said:?}");
    // The database does not know yet that the transaction is nobody's; it ends it by itself.
    rig.put(State::Up)?;
    within(15, || -> Result<()> {
        let end = Instant::now() + Duration::from_secs(12);
        while let Err(e) = db.begin() {
            anyhow::ensure!(Instant::now() < end, "never free: {e}");
        }
        Ok(())
    })?;
    db.execute(insert, &["back".into()])?;
    db.commit()?;
    let count = Tx::new(db.as_mut()).query_int("SELECT COUNT(*) FROM meta WHERE value = 'v'", &[])?;
    assert_eq!(count, 1, "only what was committed");
    Ok(())
}

#[test]
fn a_connection_on_which_nothing_is_heard_is_replaced_when_a_transaction_begins() -> Result<()> {
    let rig = Rig::new()?;
    let store: Database = rig.address.parse()?;
    let mut db = store.open()?;
    migrate(db.as_mut(), 1)?;
    // A firewall forgot the old connection: what is said on it leads nowhere, and a new one works.
    rig.put(State::Silent)?;
    let begun = std::thread::scope(|scope| -> Result<_> {
        let beginning = scope.spawn(|| within(SILENCE + 3, || db.begin()));
        let end = Instant::now() + Duration::from_secs(10);
        while rig.link.swallowed() == 0 {
            anyhow::ensure!(Instant::now() < end, "nothing was said");
            std::thread::yield_now();
        }
        rig.put(State::Up)?;
        beginning.join().map_err(|_| anyhow::anyhow!("it took too long"))
    })?;
    assert!(begun.is_ok(), "{begun:?}");
    db.commit()?;
    Ok(())
}

#[test]
fn a_server_answers_and_stops_while_its_database_says_nothing_and_goes_on_afterwards() -> Result<()> {
    let rig = Rig::new()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start_on(folder.path(), &rig.address)?;
    let mut device = Device::enrol(&server, 1)?;
    let uploads = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    rig.put(State::Silent)?;
    for _ in 0..2 {
        let answer = within(20, || send_raw(&server, &uploads))?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (503, "busy"));
    }
    rig.put(State::Up)?;
    let end = Instant::now() + Duration::from_secs(30);
    let taken = loop {
        match device.send(&server, &uploads) {
            Ok(taken) if taken.results.iter().all(|r| r.receipt.is_some()) => break taken,
            other => anyhow::ensure!(Instant::now() < end, "{other:?}"),
        }
    };
    assert!(taken.results.iter().all(|r| matches!(r.outcome, Outcome::Accepted | Outcome::Duplicate)));
    let replay = device.send(&server, &uploads)?;
    assert!(replay.results.iter().all(|r| r.outcome == Outcome::Duplicate));
    assert_eq!(server.number("SELECT COUNT(*) FROM envelope")?, 3);
    rig.put(State::Silent)?;
    within(15, move || drop(server));
    rig.put(State::Up).context("the link")
}
