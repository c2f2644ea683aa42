//! The history checker itself: a sound run passes, and every rule is turned red by a forged one.
use domain::case::{Action, CaseState, QuarantineReason, Recorded};
use domain::envelope::Digest;
use domain::ids::{CaseNo, CounterState, EnvelopeId, Issuer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::services::audit;
use sync_server::store::{Tx, fresh_in_memory, in_transaction};
use terminal::store::StatusRow;
use tests::history::{
    Broken, CentreView, DiskView, History, Op, Record, Recorder, Rule, StoredAction, StoredCase,
    StoredEnvelope, check, check_centre, check_disk, report,
};

/// A run: what was written down, the centre, the disks.
struct Run {
    history: History,
    centre: CentreView,
    disks: Vec<DiskView>,
}

fn id(n: u64) -> EnvelopeId {
    EnvelopeId::new(1_795_500_000_000, &mut ChaCha20Rng::seed_from_u64(n))
}

fn number(n: u16) -> CaseNo {
    let date = "2026-11-24".parse().expect("a date");
    CaseNo::issue(Issuer::new(7).expect("in range"), CounterState { date, counter: n })
}

fn digest(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

fn row(n: u64) -> StatusRow {
    StatusRow {
        envelope_id: id(n).to_string(),
        number: Some(number(n as u16).to_string()),
        item: None,
        seq: n as i64,
        state: "delivered".to_owned(),
        reason: None,
        attempts: 1,
        last_error: None,
        next_try_ms: 0,
        digest: digest(n).to_string(),
        saved_ms: 1,
        delivered_ms: Some(2),
        accepted_ms: None,
        completed_ms: None,
        case_state: None,
        content_erased: false,
        gone_ms: None,
        pages: 0,
        pages_sent: 0,
        page_error: None,
        slip: None,
        receipt: None,
    }
}

fn action(n: u64, version: u64, action: Action) -> StoredAction {
    let text = serde_json::to_string(&action).expect("json");
    let recorded = Recorded { version, at_ms: 5, action };
    StoredAction { id: id(n), recorded, digest: Digest::of(text.as_bytes()).to_string() }
}

fn records(n: u64) -> Vec<Record> {
    let seen = |state, marks| Op::Seen { number: number(n as u16), state, marks };
    [
        Op::Created { id: id(n) },
        Op::Slip { id: id(n), number: number(n as u16), digest: digest(n) },
        seen(None, 1),
        Op::Acked { id: id(n) },
        seen(None, 2),
        seen(Some(CaseState::Received), 2),
        seen(Some(CaseState::Submitted), 2),
    ]
    .map(|op| Record { terminal: "t".into(), at_ms: 1, op })
    .into()
}

/// Three submissions of one terminal, all well.
fn sound() -> Run {
    let mut run = Run {
        history: History::default(),
        centre: CentreView::default(),
        disks: vec![DiskView { terminal: "t".into(), rows: (1..=3).map(row).collect() }],
    };
    for n in 1..=3 {
        run.history.0.extend(records(n));
        run.centre.envelopes.push(StoredEnvelope {
            id: id(n),
            terminal: "T-1".into(),
            lineage: "L".into(),
            seq: n,
            digest: digest(n),
            computed: digest(n),
        });
        run.centre.cases.push(StoredCase {
            id: id(n),
            number: number(n as u16),
            slip_number: None,
            state: CaseState::Submitted,
            version: 2,
        });
        let received = Action::Received { number: number(n as u16), slip_number: None };
        let actions = [action(n, 1, received), action(n, 2, Action::submitted())];
        let stored = ("envelope.stored".to_owned(), id(n).to_string(), digest(n).to_string());
        run.centre.audit.push(stored);
        for a in &actions {
            let event = format!("case.{}", a.recorded.action.name());
            run.centre.audit.push((event, a.id.to_string(), a.digest.clone()));
        }
        run.centre.actions.extend(actions);
    }
    run
}

fn judge(run: &Run) -> Vec<Broken> {
    check(&run.history, &run.centre, &run.disks)
}

/// The rules that a forgery breaks, each once.
fn broken_by(forge: impl FnOnce(&mut Run)) -> Vec<Rule> {
    let mut run = sound();
    forge(&mut run);
    let mut rules: Vec<Rule> = judge(&run).into_iter().map(|b| b.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// Takes an envelope and everything of it out of the centre, as if it had never come.
fn forget(run: &mut Run, n: u64) {
    run.centre.envelopes.retain(|e| e.id != id(n));
    run.centre.cases.retain(|c| c.id != id(n));
    run.centre.actions.retain(|a| a.id != id(n));
    run.centre.audit.retain(|a| a.1 != id(n).to_string());
}

#[test]
fn a_sound_run_passes() {
    let broken = judge(&sound());
    assert!(broken.is_empty(), "{}", report(&broken));
}

#[test]
fn a_an_acknowledged_id_that_is_not_at_the_centre_is_red() {
    let only_told = |run: &mut Run| {
        forget(run, 3);
        run.disks[0].rows.pop();
        run.history.0.retain(
            |r| !matches!(&r.op, Op::Slip { number: n, .. } | Op::Seen { number: n, .. } if *n == number(3)),
        );
    };
    assert_eq!(broken_by(only_told), [Rule::Acknowledged]);
    let only_on_disk = |run: &mut Run| {
        forget(run, 3);
        run.history
            .0
            .retain(|r| r.op == Op::Created { id: id(3) } || records(3).iter().all(|o| o.op != r.op));
    };
    assert_eq!(broken_by(only_on_disk), [Rule::Acknowledged]);
}

#[test]
fn b_an_id_that_is_there_twice_is_red() {
    let envelope = |run: &mut Run| {
        let twin = run.centre.envelopes[1].clone();
        run.centre.envelopes.push(StoredEnvelope { seq: 4, ..twin });
    };
    assert!(broken_by(envelope).contains(&Rule::Once));
    let case = |run: &mut Run| {
        let twin = run.centre.cases[1].clone();
        run.centre.cases.push(StoredCase { number: number(9), ..twin });
    };
    assert!(broken_by(case).contains(&Rule::Once));
    let content = |run: &mut Run| run.centre.envelopes[1].digest = digest(1);
    assert!(broken_by(content).contains(&Rule::Once));
}

#[test]
fn c_an_id_that_was_never_made_is_red() {
    let forged = |run: &mut Run| run.history.0.retain(|r| r.op != Op::Created { id: id(2) });
    assert_eq!(broken_by(forged), [Rule::Made]);
}

#[test]
fn d_a_digest_that_differs_anywhere_is_red() {
    let bytes = |run: &mut Run| run.centre.envelopes[0].computed = digest(77);
    let disk = |run: &mut Run| run.disks[0].rows[0].digest = digest(77).to_string();
    let slip = |run: &mut Run| {
        if let Op::Slip { digest: d, .. } = &mut run.history.0[1].op {
            *d = digest(77);
        }
    };
    assert_eq!(broken_by(bytes), [Rule::Digest]);
    assert_eq!(broken_by(disk), [Rule::Digest]);
    assert_eq!(broken_by(slip), [Rule::Digest]);
}

#[test]
fn e_a_gap_in_a_series_is_red_unless_the_terminal_holds_the_row() {
    let gap = |run: &mut Run| run.centre.envelopes[1].seq = 7;
    assert_eq!(broken_by(gap), [Rule::Series]);
    let doubled = |run: &mut Run| run.centre.envelopes[2].seq = 2;
    assert_eq!(broken_by(doubled), [Rule::Series]);
    let on_disk = |run: &mut Run| run.disks[0].rows[2].seq = 5;
    assert_eq!(broken_by(on_disk), [Rule::Series]);
    let held = |run: &mut Run| {
        forget(run, 2);
        run.disks[0].rows[1].state = "quarantined".to_owned();
        run.history.0.retain(|r| {
            r.op != Op::Acked { id: id(2) } && !matches!(&r.op, Op::Seen { number: n, .. } if *n == number(2))
        });
    };
    assert_eq!(broken_by(held), [], "a parked row excuses its place");
    let lost = |run: &mut Run| {
        held(run);
        run.disks[0].rows[1].state = "queued".to_owned();
    };
    assert!(broken_by(lost).contains(&Rule::Series));
}

#[test]
fn f_a_state_along_no_edge_is_red() {
    let edge = |run: &mut Run| {
        run.centre.actions[1] = action(1, 2, Action::completed());
        run.centre.audit[2] =
            ("case.completed".into(), id(1).to_string(), run.centre.actions[1].digest.clone());
        run.centre.cases[0].state = CaseState::Completed;
    };
    assert!(broken_by(edge).contains(&Rule::Edges));
    let projection = |run: &mut Run| run.centre.cases[0].state = CaseState::Returned;
    assert_eq!(broken_by(projection), [Rule::Edges]);
    let version = |run: &mut Run| run.centre.cases[0].version = 3;
    assert_eq!(broken_by(version), [Rule::Edges]);
}

#[test]
fn g_an_older_state_after_a_newer_one_is_red() {
    let seen = |state, marks| Record {
        terminal: "t".into(),
        at_ms: 9,
        op: Op::Seen { number: number(1), state, marks },
    };
    for (state, marks) in [(Some(CaseState::Received), 2), (None, 2), (Some(CaseState::Submitted), 1)] {
        assert_eq!(
            broken_by(|run| run.history.0.push(seen(state, marks))),
            [Rule::Sight],
            "{state:?} {marks}"
        );
    }
    let never = Some(CaseState::Accepted);
    assert_eq!(broken_by(|run| run.history.0.push(seen(never, 2))), [Rule::Sight], "a state it never had");
    let again = |run: &mut Run| {
        // Submitted, quarantined, submitted again: the second time is newer.
        let quarantined = action(1, 3, Action::Quarantined { reason: QuarantineReason::SeriesFork });
        for a in [quarantined, action(1, 4, Action::submitted())] {
            let event = format!("case.{}", a.recorded.action.name());
            run.centre.audit.push((event, a.id.to_string(), a.digest.clone()));
            run.centre.actions.push(a);
        }
        run.centre.cases[0].version = 4;
        run.history.0.push(seen(Some(CaseState::Quarantined), 2));
        run.history.0.push(seen(Some(CaseState::Submitted), 2));
    };
    assert_eq!(broken_by(again), []);
}

#[test]
fn h_an_audit_row_without_its_change_and_a_change_without_its_row_are_red() {
    let missing = |run: &mut Run| drop(run.centre.audit.remove(4));
    assert_eq!(broken_by(missing), [Rule::Audit]);
    let invented =
        |run: &mut Run| run.centre.audit.push(("case.completed".into(), id(1).to_string(), "x".into()));
    assert_eq!(broken_by(invented), [Rule::Audit]);
    let doubled = |run: &mut Run| run.centre.audit.push(run.centre.audit[0].clone());
    assert_eq!(broken_by(doubled), [Rule::Audit]);
    assert_eq!(broken_by(|run| run.centre.broken_link = Some(3)), [Rule::Audit]);
}

#[test]
fn a_number_that_was_shown_must_be_on_the_disk_and_once_at_the_centre() {
    let other_on_disk = |run: &mut Run| run.disks[0].rows[0].number = Some(number(9).to_string());
    assert_eq!(broken_by(other_on_disk), [Rule::Shown]);
    let shown_twice = |run: &mut Run| {
        let op = Op::Slip { id: id(2), number: number(1), digest: digest(2) };
        run.history.0.push(Record { terminal: "t".into(), at_ms: 9, op });
    };
    assert_eq!(broken_by(shown_twice), [Rule::Shown, Rule::Promise]);
    let corrected = |run: &mut Run| {
        run.centre.cases[0].slip_number = Some(number(1));
        run.centre.cases[0].number = number(9);
        let received = Action::Received { number: number(9), slip_number: Some(number(1)) };
        run.centre.actions[0] = action(1, 1, received);
        run.centre.audit[1].2.clone_from(&run.centre.actions[0].digest);
    };
    assert_eq!(broken_by(corrected), [], "the number of the slip still finds it");
}

#[test]
fn what_lies_in_a_store_that_was_put_aside_is_missed_by_nobody_but_what_was_acknowledged_is() {
    let aside = |acked: bool| {
        move |run: &mut Run| {
            run.history.0.retain(|r| acked || r.op != Op::Acked { id: id(3) });
            run.history.0.retain(|r| !matches!(&r.op, Op::Seen { number: n, .. } if *n == number(3)));
            forget(run, 3);
            run.disks[0].rows.clear();
            run.history.0.push(Record { terminal: "t".into(), at_ms: 9, op: Op::PutAside });
        }
    };
    assert_eq!(broken_by(aside(false)), []);
    let red = broken_by(aside(true));
    assert!(red.contains(&Rule::Acknowledged) && red.contains(&Rule::Promise), "{red:?}");
    // Without a store that was put aside the same is red all over.
    let lost = |run: &mut Run| {
        aside(false)(run);
        run.history.0.pop();
    };
    assert!(broken_by(lost).contains(&Rule::Shown));
}

#[test]
fn a_slip_that_is_printed_oftener_than_it_was_asked_for_is_red() {
    let papers = |asked: usize, printed: usize| {
        move |run: &mut Run| {
            let note = |op| Record { terminal: "t".into(), at_ms: 9, op };
            run.history.0.extend((0..asked).map(|_| note(Op::PaperAsked { id: id(1) })));
            run.history.0.extend((0..printed).map(|_| note(Op::Paper { id: id(1) })));
        }
    };
    assert_eq!([broken_by(papers(2, 2)), broken_by(papers(1, 0))], [[], []]);
    assert_eq!([broken_by(papers(1, 2)), broken_by(papers(0, 1))], [[Rule::Paper], [Rule::Paper]]);
}

#[test]
fn what_still_waits_after_the_drain_is_red() {
    assert_eq!(broken_by(|run| run.disks[0].rows[0].state = "queued".into()), [Rule::Drained]);
    assert_eq!(broken_by(|run| run.centre.unsound.push("page 3".into())), [Rule::Sound]);
    assert_eq!(broken_by(|run| run.centre.differing.push("task 1.unit".into())), [Rule::Projection]);
}

#[test]
fn a_store_by_itself_is_judged_by_its_own_rules_only() {
    let run = sound();
    let disk = |run: &Run| check_disk(&run.history, run.disks[0].clone());
    let centre = |run: &Run| check_centre(&run.history, &run.centre);
    assert_eq!((disk(&run), centre(&run)), (Vec::new(), Vec::new()), "the other side is not missed");
    let mut undrained = sound();
    undrained.disks[0].rows[2].state = "queued".to_owned();
    assert_eq!(disk(&undrained), []);
    let mut short = sound();
    short.disks[0].rows.remove(1);
    forget(&mut short, 2);
    let rules = |broken: Vec<Broken>| broken.into_iter().map(|b| b.rule).collect::<Vec<_>>();
    assert_eq!(rules(disk(&short)), [Rule::Series, Rule::Shown]);
    assert_eq!(rules(centre(&short)), [Rule::Acknowledged, Rule::Series, Rule::Promise]);
}

#[test]
fn a_store_changed_by_hand_is_red() -> anyhow::Result<()> {
    let mut store = fresh_in_memory()?;
    in_transaction(&mut store, |tx| {
        let event = audit::Event { actor: "T-1", event: "envelope.stored", subject: "x", object_digest: "" };
        audit::append(tx, 1, event)?;
        audit::append(tx, 2, event)
    })?;
    let view = CentreView::read(&mut store)?;
    assert_eq!((view.audit.len(), view.broken_link), (2, None));
    Tx::new(&mut store).execute("UPDATE audit SET actor = 'T-2' WHERE seq = 2", &[])?;
    assert_eq!(CentreView::read(&mut store)?.broken_link, Some(2));
    Ok(())
}

#[test]
fn a_history_comes_back_from_its_file_and_a_torn_one_is_an_error() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("t.history");
    let mut recorder = Recorder::open(&path, "t")?;
    let ops: Vec<Op> = records(1).into_iter().map(|r| r.op).collect();
    for op in ops.clone() {
        recorder.note(op)?;
    }
    recorder.note(Op::Crash { who: "terminal".into(), point: "terminal::submit::after_commit".into() })?;
    let mut history = History::default();
    history.load(&path)?;
    assert_eq!(history.0.iter().map(|r| r.op.clone()).take(ops.len()).collect::<Vec<_>>(), ops);
    assert_eq!(history.count(|o| matches!(o, Op::Crash { .. })), 1);
    std::fs::write(&path, "{\"terminal\":\"t\"")?;
    assert!(History::default().load(&path).is_err());
    Ok(())
}
