//! When a ring is done: its shares, its deadline, and the minutes for which it is watched.
use super::*;

/// The second ring, which begins now: 8 of 9 terminals are enough, 3 failures too many.
fn second(watch_minutes: u32) -> Course {
    let rings = rings().into_iter().map(|ring| Ring { watch_minutes, ..ring }).collect();
    Course { ring: 1, ..Course::begin(rings, NOW_MS) }
}

fn count(all: u64, adopted: u64, failed: u64) -> Count {
    Count { all, adopted, failed, reached_ms: None }
}

fn reached(minute: i64, adopted: u64, failed: u64) -> Count {
    Count { reached_ms: Some(NOW_MS + minute * MINUTE_MS), ..count(9, adopted, failed) }
}

#[test]
fn a_ring_is_judged_by_its_shares_and_silence_counts_at_the_deadline() {
    let course = second(0);
    let (soon, late) = (NOW_MS + 30 * MINUTE_MS - 1, NOW_MS + 30 * MINUTE_MS);
    let table = [
        (count(9, 0, 0), soon, Outcome::Wait),
        (count(9, 7, 0), soon, Outcome::Wait),
        (reached(0, 8, 0), soon, Outcome::RingDone),
        (count(9, 7, 2), soon, Outcome::Wait),
        (count(9, 0, 3), soon, Outcome::Halt(Why::Failures)),
        // Failures come first.
        (Count { failed: 3, ..reached(0, 8, 0) }, soon, Outcome::Halt(Why::Failures)),
        (count(9, 6, 0), late, Outcome::Halt(Why::Failures)),
        (count(9, 7, 0), late, Outcome::Halt(Why::Deadline)),
        (reached(0, 8, 0), late, Outcome::RingDone),
        (count(0, 0, 0), soon, Outcome::RingDone),
    ];
    for (count, now_ms, outcome) in table {
        assert_eq!(course.judge(count, now_ms), outcome, "{count:?} {}", now_ms - NOW_MS);
    }
    for step in [Step::Pause, Step::Halt] {
        let stopped = course.clone().after(step, NOW_MS);
        assert_eq!(stopped.judge(reached(0, 9, 0), late), Outcome::Wait, "{step:?}");
    }
}

#[test]
fn a_ring_that_is_enough_is_watched_before_it_is_done() {
    let course = second(40);
    let at = |minute: i64| NOW_MS + minute * MINUTE_MS;
    let table = [
        (reached(5, 8, 0), at(5), Outcome::Wait),
        (reached(5, 8, 0), at(45) - 1, Outcome::Wait),
        (reached(5, 8, 0), at(45), Outcome::RingDone),
        // It was enough before the deadline: who is silent then is no failure, who fails is one.
        (reached(29, 6, 0), at(31), Outcome::Wait),
        (reached(29, 6, 3), at(31), Outcome::Halt(Why::Failures)),
        (reached(31, 6, 0), at(31), Outcome::Halt(Why::Failures)),
        (count(9, 7, 0), at(30), Outcome::Halt(Why::Deadline)),
        // Nobody is there to be watched.
        (count(0, 0, 0), at(0), Outcome::RingDone),
    ];
    for (count, now_ms, outcome) in table {
        assert_eq!(course.judge(count, now_ms), outcome, "{count:?} {}", now_ms - NOW_MS);
    }
    assert_eq!(course.watched_ms(reached(5, 8, 0)), Some(at(45)));
    assert_eq!(course.watched_ms(count(9, 7, 0)), None);
}

#[test]
fn the_next_ring_waits_for_the_watching_of_the_one_before() {
    let mut rig = Rig::new(12);
    let mut rings = rings();
    rings[0].watch_minutes = 20;
    let text = serde_json::to_string(&rings).expect("rings");
    assert_eq!(text.matches("watch_minutes").count(), 1, "{text}");
    let begin = |version, rings: &[Ring]| Begin {
        version,
        way_back: None,
        rings: rings.to_vec(),
        back_by_itself: false,
        pilots: Vec::new(),
    };
    assert!(rig.does(|tx| begin_(tx, &begin(2, &[]))).expect("the first goes to all"));
    assert!(rig.does(|tx| begin_(tx, &begin(3, &rings))).expect("begins"));
    let (first, watched) = (rig.ring(0), rig.latest());
    rig.says(&first[0], 3, &[], NOW_MS + MINUTE_MS);
    assert_eq!((rig.latest().course.state, rig.latest().course.ring), (State::Running, 0), "it is watched");
    let counts = rig.does(|tx| Ok(board::counts(tx, &watched)?)).expect("read");
    assert_eq!(counts[0].reached_ms, Some(NOW_MS + MINUTE_MS));
    let done = NOW_MS + 21 * MINUTE_MS;
    assert!(!rig.does(|tx| Ok(advance(tx, done - 1)?)).expect("too early"));
    assert!(rig.does(|tx| Ok(is_due(tx, done)?)).expect("read"));
    assert!(rig.does(|tx| Ok(advance(tx, done)?)).expect("advanced"));
    assert_eq!(rig.latest().course.ring, 1);
}

#[test]
fn only_terminals_that_are_enrolled_can_go_first() {
    let mut rig = Rig::new(2);
    let named: Vec<TerminalId> = ["T-02", "T-99"].iter().map(|id| id.parse().expect("an id")).collect();
    assert_eq!(rig.does(|tx| Ok(no_pilots(tx, &named)?)).expect("read"), [named[1].clone()]);
}
