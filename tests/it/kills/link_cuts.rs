//! The link is cut at every place of the exchange, half-open, slow, and says everything twice: one case each, and the
//! receipt comes home.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::clock::SystemClock;
use terminal::event::Event;
use terminal::store::Store;
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::{Engine, Tuning, enrol};
use tests::device::now_ms;
use tests::history::{CentreView, DiskView, History, Op, Record, check, report};
use tests::link::{Fault, Link, State};
use tests::server::Server;
use tests::submission::{courier, submit_as};

const PATIENCE: Duration = Duration::from_secs(40);

struct Rig {
    server: Server,
    folder: tempfile::TempDir,
    link: Link,
    store: Arc<Mutex<Store>>,
    rng: ChaCha20Rng,
    history: History,
}

impl Rig {
    fn new(seed: u64) -> Result<Self> {
        let server = Server::start()?;
        let folder = tempfile::tempdir()?;
        let mut store = Store::open(folder.path(), now_ms())?;
        let code = server.enrol_code("XN-CCB-CD-01")?;
        enrol(&mut store, &mut HttpTransport::new(&server.terminals, &Trust::Nobody)?, &code)?;
        let link = Link::new()?;
        link.set(State::Up, &server.terminals)?;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Ok(Self {
            server,
            folder,
            link,
            store: Arc::new(Mutex::new(store)),
            rng,
            history: History::default(),
        })
    }

    /// An engine whose first connection is new.
    fn engine(&self) -> Result<Engine> {
        let transport = Box::new(HttpTransport::new(&self.link.url(), &Trust::Nobody)?);
        let tuning = Tuning { backoff_base_ms: 1, backoff_cap_ms: 4, news_every_ms: 20, ..Tuning::default() };
        Ok(Engine::new(Arc::clone(&self.store), transport, Arc::new(SystemClock), 1).with_tuning(tuning))
    }

    fn note(&mut self, op: Op) {
        self.history.0.push(Record { terminal: "t".into(), at_ms: now_ms(), op });
    }

    fn submit(&mut self) -> Result<EnvelopeId> {
        let id = EnvelopeId::new(now_ms(), &mut self.rng);
        self.note(Op::Created { id });
        let slip = {
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            submit_as(&mut store, courier(), id, now_ms(), &mut self.rng)?
        };
        self.note(Op::Slip { id, number: slip.number, digest: slip.digest });
        Ok(id)
    }

    /// Steps until the receipt of this submission is here.
    fn deliver(&mut self, engine: &mut Engine, id: EnvelopeId) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let step = engine.step();
            let delivered =
                |e: &Event| matches!(e, Event::Delivered { envelope_id, .. } if *envelope_id == id);
            if step.events.iter().any(delivered) {
                self.note(Op::Acked { id });
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(step.wait_ms.min(20)));
        }
        anyhow::bail!("{id} was not delivered")
    }

    /// One submission whose first connection has this fault.
    fn through(&mut self, fault: Fault) -> Result<()> {
        let id = self.submit()?;
        self.link.fault([fault]);
        let mut engine = self.engine()?;
        self.deliver(&mut engine, id)?;
        ensure!(self.link.faults_left() == 0, "no connection met it");
        Ok(())
    }

    /// Opens the rest, and checks everything.
    fn check(self) -> Result<usize> {
        let mut engine = self.engine()?;
        let end = Instant::now() + PATIENCE;
        while self.server.number("SELECT COUNT(*) FROM case_ WHERE state = 'received'")? > 0 {
            ensure!(Instant::now() < end, "cases were never opened");
            engine.step();
        }
        let centre = CentreView::read(self.server.database()?.open_read_only()?.as_mut())?;
        let disk = DiskView::read("t", self.folder.path())?;
        let broken = check(&self.history, &centre, &[disk]);
        ensure!(broken.is_empty(), "{}", report(&broken));
        Ok(centre.envelopes.len())
    }
}

/// Every byte at both ends, and some between.
fn cut_points(all: u64, between: u64) -> Vec<u64> {
    let step = usize::try_from((all / between).max(1)).unwrap_or(1);
    let mut points: Vec<u64> =
        (0..12).chain((12..all).step_by(step)).chain(all.saturating_sub(12)..=all).collect();
    points.sort_unstable();
    points.dedup();
    points.retain(|p| *p <= all);
    points
}

/// Bytes of one whole exchange of a batch, there and back.
fn whole_exchange(rig: &mut Rig) -> Result<(u64, u64)> {
    let id = rig.submit()?;
    let mut engine = rig.engine()?;
    rig.deliver(&mut engine, id)?;
    let (up, down) = rig.link.carried();
    ensure!(up > 1_000 && down > 300, "{up} up, {down} down");
    Ok((up, down))
}

#[test]
fn a_cut_at_any_place_of_the_exchange_costs_nothing() -> Result<()> {
    let mut rig = Rig::new(31)?;
    let (up, down) = whole_exchange(&mut rig)?;
    let mut cuts: Vec<Fault> = cut_points(up, 50).into_iter().map(Fault::CutRequest).collect();
    cuts.extend(cut_points(down, 50).into_iter().map(Fault::CutAnswer));
    let count = cuts.len();
    for fault in cuts {
        rig.through(fault).with_context(|| format!("{fault:?} of {up} up and {down} down"))?;
    }
    assert!(count >= 120, "{count} cuts");
    assert_eq!(rig.check()?, count + 1);
    Ok(())
}

#[test]
fn cut_news_come_again_and_nothing_is_seen_backwards() -> Result<()> {
    let mut rig = Rig::new(32)?;
    let mut seen = 0;
    for cut in (0..1_200).step_by(24) {
        let id = rig.submit()?;
        let mut engine = rig.engine()?;
        rig.deliver(&mut engine, id)?;
        // A new engine asks for news first, since nothing waits; its connection is cut somewhere.
        let faults = [Fault::CutAnswer(cut), Fault::CutRequest(cut / 4)];
        rig.link.fault(faults);
        let end = Instant::now() + PATIENCE;
        while rig.link.faults_left() > 0 {
            ensure!(Instant::now() < end, "{faults:?}: nobody asked");
            rig.engine()?.step();
        }
        let lines =
            rig.store.lock().unwrap_or_else(PoisonError::into_inner).my_slips(&courier().id_number)?;
        for line in lines {
            let marks = u8::from(line.marks.saved_ms.is_some()) + u8::from(line.marks.delivered_ms.is_some());
            rig.note(Op::Seen { number: line.number, state: line.state, marks });
            seen += usize::from(line.state.is_some());
        }
    }
    assert!(seen > 50, "{seen} looks saw a state");
    rig.check()?;
    Ok(())
}

#[test]
fn slow_half_open_and_repeating_links_still_make_one_case() -> Result<()> {
    let mut rig = Rig::new(33)?;
    let (_, down) = whole_exchange(&mut rig)?;
    let short = Duration::from_millis(120);
    let mut faults = vec![Fault::Delay(Duration::from_millis(80)), Fault::Repeat, Fault::Double];
    faults.extend([0, 1, 17, down / 2, down - 1].map(|n| Fault::HalfOpen(n, short)));
    for fault in faults.iter().cycle().take(32) {
        rig.through(*fault).with_context(|| format!("{fault:?}"))?;
    }
    assert_eq!(rig.check()?, 33);
    Ok(())
}

#[test]
fn a_link_that_stays_half_open_is_given_up_after_its_time() -> Result<()> {
    let mut rig = Rig::new(34)?;
    let started = Instant::now();
    rig.through(Fault::HalfOpen(40, Duration::from_secs(35)))?;
    let took = started.elapsed();
    assert!((29..35).contains(&took.as_secs()), "given up after {took:?}");
    assert_eq!(rig.check()?, 1);
    Ok(())
}
