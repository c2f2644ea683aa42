//! The sync engine over a centre in memory: a thousand faults, still exactly once.
use std::sync::{Arc, Mutex};

use domain::case::CaseState;
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, ServerEpoch};
use domain::wire::v1::{CaseNews, EnvelopeHeader, PROBLEM_MEDIA_TYPE, SeriesNews};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::clock::{Clock as _, ManualClock};
use terminal::event::Event;
use terminal::model::Network;
use terminal::store::{Store, read_status};
use terminal::sync::Engine;
use tests::centre::{Centre, Fault};
use tests::submission::{COURIER_ID, courier, submit_as};

const NOW_MS: i64 = 1_795_500_000_000;

struct Rig {
    dir: tempfile::TempDir,
    store: Arc<Mutex<Store>>,
    centre: Centre,
    clock: Arc<ManualClock>,
    engine: Engine,
    rng: ChaCha20Rng,
    events: Vec<Event>,
}

impl Rig {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let centre = Centre::default();
        let mut store = Store::open(dir.path(), NOW_MS).expect("open");
        store.save_enrolment(&centre.enrolment().expect("sample")).expect("enrol");
        let store = Arc::new(Mutex::new(store));
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let engine = Engine::new(Arc::clone(&store), Box::new(centre.clone()), clock.clone(), seed);
        Self { dir, store, centre, clock, engine, rng: ChaCha20Rng::seed_from_u64(seed), events: Vec::new() }
    }

    fn submit(&mut self) -> EnvelopeId {
        let now_ms = self.clock.now_ms();
        let id = EnvelopeId::new(now_ms, &mut self.rng);
        let mut store = self.store.lock().expect("store");
        submit_as(&mut store, courier(), id, now_ms, &mut self.rng).expect("submit");
        id
    }

    /// Runs steps and moves the clock by what the engine asks, until nothing waits; bounded.
    fn drain(&mut self) -> bool {
        for _ in 0..2_000 {
            let step = self.engine.step();
            self.events.extend(step.events);
            if self.store.lock().expect("store").queue_view().expect("queue").waiting == 0 {
                return true;
            }
            self.clock.advance(i64::try_from(step.wait_ms).expect("wait").max(1));
        }
        false
    }

    fn states(&self) -> Vec<(String, String)> {
        read_status(self.dir.path(), 100)
            .expect("status")
            .into_iter()
            .map(|r| (r.state, r.reason.or(r.last_error).unwrap_or_default()))
            .collect()
    }
}

fn news_of(id: EnvelopeId) -> CaseNews {
    let number = "XN26112400100013".parse().expect("number");
    CaseNews { envelope_id: id, number, state: CaseState::Submitted, version: 1, at_ms: NOW_MS }
}

fn delivered(events: &[Event]) -> usize {
    events.iter().filter(|e| matches!(e, Event::Delivered { .. })).count()
}

#[test]
fn a_queued_submission_is_delivered_and_its_marks_move() {
    let mut rig = Rig::new(1);
    let id = rig.submit();
    assert!(rig.drain());
    assert_eq!((delivered(&rig.events), rig.centre.state().stored.len()), (1, 1));
    assert!(rig.events.iter().any(|e| matches!(e, Event::Network(Network::Online))));
    let news = |state, version| CaseNews {
        envelope_id: id,
        number: rig.store.lock().expect("store").my_slips(COURIER_ID).expect("slips")[0].number.clone(),
        state,
        version,
        at_ms: NOW_MS + 9,
    };
    let accepted = news(CaseState::Accepted, 3);
    let late = news(CaseState::Submitted, 2);
    rig.centre.state().news = vec![accepted, late];
    rig.clock.advance(60_000);
    rig.engine.step();
    let line = rig.store.lock().expect("store").my_slips(COURIER_ID).expect("slips").remove(0);
    assert_eq!(line.state, Some(CaseState::Accepted), "older news never overwrites newer");
    assert_eq!((line.marks.accepted_ms, line.marks.completed_ms), (Some(NOW_MS + 9), None));
    assert_eq!(line.marks.delivered_ms, Some(1_795_500_000_000));
}

#[test]
fn a_reply_lost_a_thousand_times_still_counts_once() {
    let mut rig = Rig::new(2);
    rig.submit();
    rig.centre.state().faults.extend(std::iter::repeat_n(Fault::ReplyLost, 1_000));
    assert!(rig.drain());
    let state = rig.centre.state();
    let times: Vec<u32> = state.stored.values().map(|row| row.2).collect();
    assert_eq!(times, [1], "stored once");
    assert!(state.exchanges > 1_000);
    drop(state);
    assert_eq!(delivered(&rig.events), 1);
}

#[test]
fn answers_that_are_not_the_centre_change_nothing() {
    let odd: Vec<Fault> = vec![
        Fault::Unreachable,
        Fault::Answer(200, "text/html", b"<html>please log in</html>".to_vec()),
        Fault::Answer(200, "application/json", b"{\"results\":[".to_vec()),
        Fault::Answer(200, "application/json", b"[]".to_vec()),
        Fault::Answer(302, "text/html", Vec::new()),
        Fault::Answer(404, "text/html", b"no".to_vec()),
        Fault::Answer(503, "text/plain", b"busy".to_vec()),
        Fault::Answer(400, "text/html", b"proxy".to_vec()),
        Fault::Answer(401, PROBLEM_MEDIA_TYPE, b"{}".to_vec()),
        Fault::WrongKey,
        Fault::WrongDigest,
        Fault::Refuse(503),
        Fault::Refuse(403),
    ];
    for (n, fault) in odd.into_iter().enumerate() {
        let mut rig = Rig::new(100 + n as u64);
        rig.submit();
        rig.centre.state().faults.push_back(fault.clone());
        rig.engine.step();
        let rows = rig.states();
        assert_eq!(rows[0].0, "queued", "{fault:?}");
        assert!(!rows[0].1.is_empty(), "{fault:?} leaves a reason");
        assert!(rig.drain(), "{fault:?} heals");
        assert_eq!(rig.centre.state().stored.len(), 1);
    }
}

#[test]
fn t39_one_bad_row_is_parked_and_the_others_go() {
    // In the middle of a batch.
    const BAD: usize = 523;
    const ROWS: usize = 1_000;
    let mut rig = Rig::new(3);
    let ids: Vec<EnvelopeId> = (0..ROWS).map(|_| rig.submit()).collect();
    let bad = ids[BAD];
    rig.centre.state().poison.push(bad);
    assert!(rig.drain());
    let rows = read_status(rig.dir.path(), 2_000).expect("status");
    let (parked, others): (Vec<_>, Vec<_>) = rows.iter().partition(|r| r.envelope_id == bad.to_string());
    assert_eq!((parked[0].state.as_str(), parked.len()), ("quarantined", 1));
    let reason = parked[0].reason.as_deref().unwrap_or_default();
    assert!(reason.contains("400"), "the reason stands there: {reason:?}");
    assert_eq!(others.iter().filter(|r| r.state == "delivered").count(), ROWS - 1);
    let stored = &rig.centre.state().stored;
    assert!(stored.len() == ROWS - 1 && stored.values().all(|row| row.2 == 1), "each of the others once");
    assert_eq!(rig.store.lock().expect("store").queue_view().expect("queue").parked, 1);
}

#[test]
fn a_conflict_is_parked_and_never_sent_again() {
    let mut rig = Rig::new(4);
    let id = rig.submit();
    rig.centre.state().stored.insert(id, (Digest::of(b"other content"), 1, 1));
    assert!(rig.drain());
    assert_eq!(rig.states()[0].0, "conflict");
    let before = rig.centre.state().exchanges;
    rig.engine.step();
    assert!(rig.centre.state().exchanges <= before + 1, "only news is asked for");
    assert_eq!(rig.centre.state().stored[&id].0, Digest::of(b"other content"), "never overwritten");
}

#[test]
fn batches_are_bounded() {
    let mut rig = Rig::new(5);
    for _ in 0..120 {
        rig.submit();
    }
    assert!(rig.drain());
    let state = rig.centre.state();
    assert_eq!((state.stored.len(), state.largest_batch), (120, 50));
}

#[test]
fn content_is_erased_only_when_the_centre_holds_it_durably() {
    let mut rig = Rig::new(6);
    rig.submit();
    assert!(rig.drain());
    let erased = |rig: &Rig| read_status(rig.dir.path(), 1).expect("status")[0].content_erased;
    assert!(!erased(&rig), "a receipt alone does not erase");
    rig.centre.state().durable_upto = Some(1);
    rig.clock.advance(60_000);
    rig.engine.step();
    assert!(erased(&rig));
}

#[test]
fn a_restored_centre_is_offered_again_what_it_may_have_lost() {
    let mut rig = Rig::new(7);
    let id = rig.submit();
    assert!(rig.drain());
    {
        let mut state = rig.centre.state();
        state.stored.clear();
        state.news = vec![news_of(id)];
        state.epoch = ServerEpoch::new(&mut ChaCha20Rng::seed_from_u64(99));
    }
    rig.clock.advance(60_000);
    rig.engine.step();
    let line = rig.store.lock().expect("store").my_slips(COURIER_ID).expect("slips").remove(0);
    assert_eq!(line.marks.delivered_ms, None, "not delivered until the restored centre says so");
    assert_eq!(
        rig.store.lock().expect("store").cursor().expect("cursor"),
        0,
        "the feed is read from its start"
    );
    assert!(rig.drain());
    assert_eq!(rig.centre.state().stored.len(), 1);
    let line = rig.store.lock().expect("store").my_slips(COURIER_ID).expect("slips").remove(0);
    assert!(line.marks.delivered_ms.is_some());
}

#[test]
fn a_restored_terminal_takes_a_new_lineage_before_it_reuses_a_place() {
    let mut rig = Rig::new(11);
    rig.submit();
    assert!(rig.drain());
    let old = rig.store.lock().expect("store").lineage().expect("lineage");
    rig.centre.state().series = Some(SeriesNews { lineage: old, highest_seq: 1 });
    rig.clock.advance(60_000);
    rig.engine.step();
    assert_eq!(rig.store.lock().expect("store").lineage().expect("lineage"), old, "nothing is missing here");
    rig.centre.state().series = Some(SeriesNews { lineage: old, highest_seq: 7 });
    rig.clock.advance(60_000);
    rig.engine.step();
    let new = rig.store.lock().expect("store").lineage().expect("lineage");
    assert_ne!(new, old);
    rig.submit();
    let due = rig.store.lock().expect("store").due(rig.clock.now_ms(), 50, usize::MAX).expect("due");
    let header: EnvelopeHeader = serde_json::from_slice(&due[0].upload.header.0).expect("header");
    assert_eq!((header.lineage, header.seq), (new, 1));
    assert!(rig.drain());
    assert_eq!(rig.centre.state().stored.len(), 2);
}

#[test]
fn a_clock_that_was_wrong_for_a_while_does_not_hold_up_a_row() {
    let mut rig = Rig::new(9);
    rig.submit();
    let year_ms = 365 * 86_400_000;
    rig.clock.advance(year_ms);
    rig.centre.state().faults.push_back(Fault::Unreachable);
    rig.engine.step();
    rig.clock.advance(-year_ms);
    let start = rig.clock.now_ms();
    assert!(rig.drain());
    assert!(rig.clock.now_ms() - start < 2 * 3_600_000, "sent within two hours of the mended clock");
}

#[test]
fn t23_rows_go_in_the_order_of_the_series_whatever_the_clock_says() {
    let mut rig = Rig::new(10);
    rig.submit();
    rig.clock.advance(-3_600_000);
    rig.submit();
    let due =
        rig.store.lock().expect("store").due(rig.clock.now_ms() + 7_200_000, 50, usize::MAX).expect("due");
    let seqs: Vec<u64> = due
        .iter()
        .map(|d| serde_json::from_slice::<EnvelopeHeader>(&d.upload.header.0).expect("header").seq)
        .collect();
    assert_eq!(seqs, [1, 2]);
}

#[test]
fn a_dead_link_is_tried_at_a_bounded_pace() {
    let mut rig = Rig::new(8);
    rig.submit();
    rig.centre.state().faults.extend(std::iter::repeat_n(Fault::Unreachable, 5_000));
    let start = rig.clock.now_ms();
    for _ in 0..3_000 {
        let step = rig.engine.step();
        assert!(step.wait_ms <= 60_000);
        rig.clock.advance(i64::try_from(step.wait_ms).expect("wait").max(1));
    }
    let hours = (rig.clock.now_ms() - start) as f64 / 3_600_000.0;
    let per_hour = rig.centre.state().exchanges as f64 / hours;
    assert!(per_hour < 250.0, "{per_hour} tries an hour");
    assert_eq!(rig.states()[0].0, "queued");
}
