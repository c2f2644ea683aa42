//! What a terminal keeps and for how long: thirty days without a link, ninety days of receipts, and the operator's hand in
//! the queue.
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::clock::{Clock as _, ManualClock};
use terminal::store::{QueueChange, Store, read_status};
use terminal::sync::Engine;
use terminal::trusted_time::Reading;
use tests::centre::Centre;
use tests::submission::{courier, submit_as};

const NOW_MS: i64 = 1_795_500_000_000;
const DAY_MS: i64 = 86_400_000;

struct Rig {
    dir: tempfile::TempDir,
    store: Arc<Mutex<Store>>,
    centre: Centre,
    clock: Arc<ManualClock>,
    engine: Engine,
    rng: ChaCha20Rng,
}

impl Rig {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let centre = Centre::default();
        let mut store = Store::open(dir.path(), NOW_MS)?;
        store.save_enrolment(&centre.enrolment()?)?;
        let (store, clock) = (Arc::new(Mutex::new(store)), Arc::new(ManualClock::at(NOW_MS)));
        let engine = Engine::new(Arc::clone(&store), Box::new(centre.clone()), clock.clone(), 1);
        Ok(Self { dir, store, centre, clock, engine, rng: ChaCha20Rng::seed_from_u64(1) })
    }

    fn submit(&mut self) -> Result<EnvelopeId> {
        let now_ms = self.clock.now_ms();
        let id = EnvelopeId::new(now_ms, &mut self.rng);
        let mut store = self.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?;
        submit_as(&mut store, courier(), id, now_ms, &mut self.rng)?;
        Ok(id)
    }

    fn waiting(&self) -> Result<u64> {
        Ok(self.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?.queue_view()?.waiting)
    }

    fn drain(&mut self) -> Result<()> {
        for _ in 0..5_000 {
            let step = self.engine.step();
            if self.waiting()? == 0 {
                return Ok(());
            }
            self.clock.advance(i64::try_from(step.wait_ms)?.max(1));
        }
        anyhow::bail!("it does not drain")
    }

    /// Days pass; the desk looks around as it does, and the receipts over their time go.
    fn live(&self, days: i64, keep_days: u16) -> Result<usize> {
        self.clock.advance(days * DAY_MS);
        let mut store = self.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?;
        let lived_ms = store.tell_time(Reading::of(self.clock.as_ref()))?.lived_ms;
        Ok(store.purge_receipts(lived_ms, keep_days)?)
    }
}

#[test]
fn thirty_days_and_five_thousand_submissions_without_a_link_all_arrive() -> Result<()> {
    let mut rig = Rig::new()?;
    let mut made = Vec::new();
    for _ in 0..30 {
        for _ in 0..167 {
            made.push(rig.submit()?);
            rig.clock.advance(60_000);
        }
        // The link is tried and is not there.
        rig.centre.state().faults.push_back(tests::centre::Fault::Unreachable);
        rig.engine.step();
        rig.clock.advance(DAY_MS - 167 * 60_000);
    }
    ensure!(made.len() >= 5_000 && rig.waiting()? == made.len() as u64);
    rig.drain()?;
    let stored = rig.centre.state().stored.clone();
    ensure!(made.iter().all(|id| stored.get(id).is_some_and(|row| row.2 == 1)), "each once");
    assert_eq!(stored.len(), made.len());
    let bytes = std::fs::metadata(rig.dir.path().join(terminal::store::DATABASE_FILE))?.len();
    ensure!(bytes < 64 * 1024 * 1024, "{bytes} bytes for the text of {}", made.len());
    Ok(())
}

#[test]
fn receipts_stay_ninety_days_of_trusted_time_and_only_where_the_content_is_safe() -> Result<()> {
    let mut rig = Rig::new()?;
    rig.live(0, 90)?;
    let (safe, unsafe_yet) = (rig.submit()?, rig.submit()?);
    rig.drain()?;
    rig.centre.state().durable_upto = Some(1);
    rig.clock.advance(60_000);
    rig.engine.step();
    assert_eq!(rig.live(89, 90)?, 0);
    assert_eq!(rig.live(2, 90)?, 1, "a day too long");
    let left: Vec<_> = read_status(rig.dir.path(), 9)?.into_iter().map(|r| r.envelope_id).collect();
    assert_eq!(left, [unsafe_yet.to_string()], "content that is here is kept, however old; {safe} is gone");
    assert_eq!(rig.live(900, 90)?, 0);
    Ok(())
}

#[test]
fn an_operator_releases_a_row_from_quarantine_and_never_a_conflict() -> Result<()> {
    let mut rig = Rig::new()?;
    let (bad, other) = (rig.submit()?, rig.submit()?);
    rig.centre.state().poison.push(bad);
    rig.centre.state().stored.insert(other, (domain::envelope::Digest::of(b"other content"), 1, 1));
    rig.drain()?;
    let number = read_status(rig.dir.path(), 9)?;
    let number = number.iter().find(|r| r.envelope_id == bad.to_string()).and_then(|r| r.number.clone());
    let number = number.context("a number")?;
    rig.centre.state().poison.clear();
    {
        let mut store = rig.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?;
        let now_ms = rig.clock.now_ms();
        assert_eq!(store.release("XN00000000000000", now_ms)?, QueueChange::Unknown);
        let conflict = QueueChange::NotNow { state: "conflict".to_owned() };
        assert_eq!(store.release(&other.to_string(), now_ms)?, conflict);
        assert_eq!(store.retry(&number, now_ms)?, QueueChange::NotNow { state: "quarantined".to_owned() });
        assert_eq!(store.release(&number, now_ms)?, QueueChange::Queued);
        assert_eq!(store.retry(&number, now_ms)?, QueueChange::Queued);
    }
    rig.drain()?;
    assert!(rig.centre.state().stored.contains_key(&bad), "it arrived");
    Ok(())
}

#[test]
fn a_broken_store_is_put_aside_whole_and_the_terminal_goes_on_under_a_new_lineage() -> Result<()> {
    let mut rig = Rig::new()?;
    rig.submit()?;
    let lineage = rig.store.lock().map_err(|_| anyhow::anyhow!("a panic"))?.lineage()?;
    let folder = rig.dir.path().to_owned();
    let Rig { dir: _dir, store, centre: _, clock: _, engine, mut rng } = rig;
    drop((engine, store));
    let file = folder.join(terminal::store::DATABASE_FILE);
    let mut bytes = std::fs::read(&file)?;
    // The last page, which is none of those of the facts.
    let page = 4_096 * (bytes.len() / 4_096 - 1);
    bytes[page..page + 200].fill(0xa5);
    std::fs::write(&file, &bytes)?;
    ensure!(
        matches!(Store::open(&folder, NOW_MS), Err(terminal::store::StoreError::Corrupt)),
        "it is broken"
    );
    // Without its key there is nothing to go on with: it stays where it is.
    let (key, kept) = (folder.join(terminal::store::KEY_FILE), folder.join("kept"));
    std::fs::rename(&key, &kept)?;
    let keyless = Store::open_or_put_aside(&folder, NOW_MS).map(|_| ());
    ensure!(matches!(keyless, Err(terminal::store::StoreError::Key(_))), "{keyless:?}");
    ensure!(!key.exists() && std::fs::read(&file)? == bytes && terminal::store::count_aside(&folder) == 0);
    std::fs::rename(&kept, &key)?;
    let mut store = Store::open_or_put_aside(&folder, NOW_MS)?;
    ensure!(store.lineage()? != lineage && terminal::store::count_aside(&folder) == 1);
    let aside = folder.join(format!("broken-{NOW_MS}")).join(terminal::store::DATABASE_FILE);
    ensure!(std::fs::read(aside)? == bytes, "as it was");
    ensure!(store.identity()?.is_some(), "it need not be enrolled anew");
    let id = EnvelopeId::new(NOW_MS, &mut rng);
    submit_as(&mut store, courier(), id, NOW_MS, &mut rng)?;
    let rows = read_status(&folder, 9)?;
    ensure!(rows.len() == 1 && rows[0].seq == 1, "{rows:?}");
    drop(store);
    std::fs::write(&file, b"not a database at all, and longer than nothing".repeat(40))?;
    let store = Store::open_or_put_aside(&folder, NOW_MS)?;
    ensure!(store.identity()?.is_none() && terminal::store::count_aside(&folder) == 2, "enrolled anew");
    Ok(())
}
