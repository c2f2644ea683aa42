//! Messages to citizens: over real SMPP to a simulated gateway, with a clock that only the story moves.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, Outcome};
use domain::ids::EnvelopeId;
use domain::wire::v1::{EnvelopeBatch, Submission};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::Centre;
use sync_server::error::ServiceError;
use sync_server::jobs::notifier::Post;
use sync_server::jobs::open_received;
use sync_server::services::cases;
use sync_server::services::notifications::{self, IN_HAND_MS, LIFE_MS, MAX_TRIES, Notification, State};
use sync_server::sms::Gateway;
use sync_server::sms::smpp::{Account, Smpp};
use sync_server::store::Tx;
use tests::device::{Device, courier, header_of, now_ms};
use tests::smsc::{Mood, NAME, PASSWORD, Smsc};

use crate::intake::in_process::enrolled;

const PHONE: &str = "13900139000";
const HOUR_MS: i64 = 3_600_000;
/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(30);

/// A centre without threads, and a gateway.
struct Office {
    clock: Arc<AtomicI64>,
    centre: Arc<Centre>,
    device: Device,
    smsc: Smsc,
    post: Post,
    rng: ChaCha20Rng,
}

fn account(smsc: &Smsc, password: &str) -> Result<Account> {
    Account::new(smsc.address, (NAME, password), "10690000").map_err(anyhow::Error::msg)
}

fn gateway(smsc: &Smsc) -> Result<Option<Box<dyn Gateway>>> {
    Ok(Some(Box::new(Smpp::new(account(smsc, PASSWORD)?))))
}

impl Office {
    fn new() -> Result<Self> {
        let clock = Arc::new(AtomicI64::new(now_ms()));
        let (centre, device) = enrolled(&clock)?;
        let smsc = Smsc::start()?;
        let post = Post::new(gateway(&smsc)?);
        Ok(Self { clock, centre, device, smsc, post, rng: ChaCha20Rng::seed_from_u64(5) })
    }

    fn case(&mut self) -> Result<EnvelopeId> {
        self.case_of(&courier())
    }

    fn case_of(&mut self, submission: &Submission) -> Result<EnvelopeId> {
        let upload = self.device.seal(submission)?;
        let id = header_of(&upload)?.envelope_id;
        self.centre.take_batch(EnvelopeBatch { envelopes: vec![upload] })?;
        open_received(&self.centre, &mut self.rng, &AtomicBool::new(false))?;
        Ok(id)
    }

    /// Something happens to a case.
    fn happens(&self, id: &EnvelopeId, action: Action) -> Result<()> {
        let (id, now_ms, own) = (*id, self.centre.now_ms(), self.centre.clone());
        self.centre.write(move |tx| {
            let version = cases::current(tx, &id)?.0.version;
            cases::act(tx, &own.context().shelf, now_ms, (&id, version), action.clone())
        })?;
        Ok(())
    }

    /// A case that was accepted, so that a message waits.
    fn accepted(&mut self) -> Result<EnvelopeId> {
        let id = self.case()?;
        self.happens(&id, Action::Accepted { deemed: false })?;
        Ok(id)
    }

    fn look(&mut self) -> Result<usize> {
        Ok(self.post.look(&self.centre, &mut self.rng, &AtomicBool::new(false))?)
    }

    fn later(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::AcqRel);
    }

    fn messages(&self, id: &EnvelopeId) -> Result<Vec<Notification>> {
        Ok(self.centre.read(|tx| notifications::of_case(tx, id))?)
    }

    /// The only message of a case.
    fn message(&self, id: &EnvelopeId) -> Result<Notification> {
        let mut all = self.messages(id)?;
        ensure!(all.len() == 1, "{all:?}");
        all.pop().context("a message")
    }

    /// Looks until a message of a case stands so: what a gateway says takes its time.
    fn look_until(&mut self, id: &EnvelopeId, state: State) -> Result<Notification> {
        let end = Instant::now() + SOON;
        loop {
            self.look()?;
            let newest = self.messages(id)?.into_iter().next().context("a message")?;
            if newest.state == state {
                return Ok(newest);
            }
            ensure!(Instant::now() < end, "{newest:?}");
        }
    }
}

#[test]
fn a_citizen_is_told_once_and_what_the_gateway_says_only_rises() -> Result<()> {
    let mut office = Office::new()?;
    let id = office.accepted()?;
    assert_eq!(office.look()?, 1);
    let given = office.smsc.given();
    assert_eq!((given.len(), given[0].to.as_str()), (1, PHONE));
    let text = &given[0].text;
    ensure!(text.contains("已受理") && text.contains("24:00"), "{text}");
    for secret in ["样小川", "灵活就业", "639900"] {
        ensure!(!text.contains(secret), "{text}");
    }
    assert_eq!(office.message(&id)?.state, State::Sent);
    assert_eq!(office.look()?, 0, "once");

    office.smsc.says("id:M1 sub:001 dlvrd:001 stat:ENROUTE err:000 text:");
    office.smsc.says("id:M1 sub:001 dlvrd:001 stat:UNDELIV err:012 text:");
    assert_eq!(office.look_until(&id, State::Failed)?.reason, "UNDELIV");
    // A later segment of it did arrive; then an older report comes, and one of nobody.
    office.smsc.says("id:M1 stat:DELIVRD");
    office.look_until(&id, State::Delivered)?;
    office.smsc.says("id:M1 stat:EXPIRED");
    office.smsc.says("id:M99 stat:DELIVRD");
    office.smsc.says("what is this");
    let id2 = office.accepted()?;
    office.look_until(&id2, State::Sent)?;
    office.smsc.says("id:M2 stat:DELIVRD");
    office.look_until(&id2, State::Delivered)?;
    assert_eq!(office.message(&id)?.state, State::Delivered, "what arrived stays so");
    assert_eq!((office.smsc.given().len(), office.smsc.binds()), (2, 1), "one connection");
    Ok(())
}

#[test]
fn a_gateway_without_room_is_asked_again_later_and_at_last_given_up() -> Result<()> {
    let mut office = Office::new()?;
    let id = office.accepted()?;
    office.smsc.will(&[Mood::Throttle]);
    assert_eq!(office.look()?, 0);
    let waits = office.message(&id)?;
    assert_eq!((waits.state, waits.tries, waits.reason.as_str()), (State::Queued, 1, "busy"));
    assert_eq!(office.look()?, 0, "not at once");
    office.later(HOUR_MS);
    assert_eq!(office.look()?, 1);
    assert_eq!((office.message(&id)?.state, office.smsc.given().len()), (State::Sent, 1));

    let other = office.accepted()?;
    let tries = usize::try_from(MAX_TRIES)?;
    office.smsc.will(&vec![Mood::Throttle; tries]);
    for _ in 0..tries {
        office.look()?;
        office.later(HOUR_MS);
    }
    let given_up = office.message(&other)?;
    assert_eq!((given_up.state, given_up.tries, given_up.next_ms), (State::Failed, MAX_TRIES, None));
    assert_eq!(office.look()?, 0);
    Ok(())
}

#[test]
fn a_number_that_the_gateway_refuses_and_a_case_without_one_are_not_tried_again() -> Result<()> {
    let mut office = Office::new()?;
    let refused = office.accepted()?;
    office.smsc.will(&[Mood::Refuse]);
    office.look()?;
    let mut landline = courier();
    landline.answers.insert("phone".to_owned(), serde_json::json!("0971-6123456"));
    let without = office.case_of(&landline)?;
    let state = office.centre.read(|tx| cases::by_id(tx, &without))?.context("a case")?.state;
    assert_eq!(state, CaseState::Returned, "which is told as well");
    office.look()?;
    office.later(HOUR_MS);
    office.look()?;
    let told = office.message(&refused)?;
    assert_eq!((told.state, told.tries, told.reason.as_str()), (State::Failed, 1, "refused"));
    let told = office.message(&without)?;
    assert_eq!(
        (told.state, told.reason.as_str()),
        (State::Unreachable, "no_number"),
        "which is nobody's fault"
    );
    assert!(office.smsc.given().is_empty());
    // Somebody looked after it, and sends it again.
    let (now_ms, version) = (office.centre.now_ms(), office.message(&refused)?.version);
    let again =
        move |tx: &mut Tx<'_>| Ok::<_, ServiceError>(notifications::again(tx, now_ms, (&refused, version))?);
    assert!(office.centre.write(again)?);
    assert!(!office.centre.write(again)?, "once");
    assert_eq!(office.look()?, 1);
    Ok(())
}

#[test]
fn whoever_hangs_up_or_talks_nonsense_gets_it_once_more() -> Result<()> {
    for mood in [Mood::HangUp, Mood::Nonsense] {
        let mut office = Office::new()?;
        let id = office.accepted()?;
        office.smsc.will(&[mood]);
        assert_eq!(office.look()?, 0, "{mood:?}");
        let waits = office.message(&id)?;
        assert_eq!((waits.state, waits.reason.as_str()), (State::Queued, "unknown"), "{mood:?}");
        office.later(HOUR_MS);
        assert_eq!(office.look()?, 1, "{mood:?}");
        assert_eq!(office.smsc.binds(), 2, "on a new connection: {mood:?}");
        let texts: Vec<_> = office.smsc.given().into_iter().map(|given| given.text).collect();
        let times = if mood == Mood::HangUp { 2 } else { 1 };
        assert_eq!(texts, vec![texts[0].clone(); times], "the one that hung up has it twice");
    }
    Ok(())
}

#[test]
fn a_gateway_that_is_away_is_told_of_after_an_hour_and_nothing_is_lost() -> Result<()> {
    let mut office = Office::new()?;
    let address = office.smsc.address;
    office.smsc = Smsc::start()?;
    let id = office.accepted()?;
    let alarms = |office: &Office| -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM alarm WHERE kind = 'notification.waits'";
        Ok(office.centre.read(|tx| tx.query_int(sql, &[]))?)
    };
    office.look()?;
    assert_eq!((office.message(&id)?.state, alarms(&office)?), (State::Queued, 0));
    // For two days, every few minutes: no try is counted, and each day somebody is told.
    for _ in 0..2 * 24 * 6 {
        office.later(HOUR_MS / 6);
        office.look()?;
    }
    let waits = office.message(&id)?;
    assert_eq!((waits.state, waits.tries, waits.reason.as_str()), (State::Queued, 0, "down"));
    ensure!((2..=3).contains(&alarms(&office)?), "once a day: {}", alarms(&office)?);
    office.smsc = Smsc::at(address)?;
    office.later(HOUR_MS);
    assert_eq!(office.look()?, 1);
    Ok(())
}

#[test]
fn a_wrong_password_sends_nothing_and_loses_nothing() -> Result<()> {
    let mut office = Office::new()?;
    let id = office.accepted()?;
    let mut wrong = Post::new(Some(Box::new(Smpp::new(account(&office.smsc, "wrong")?))));
    assert_eq!(wrong.look(&office.centre, &mut office.rng, &AtomicBool::new(false))?, 0);
    assert_eq!(office.message(&id)?.reason, "down");
    office.later(HOUR_MS);
    assert_eq!((office.look()?, office.smsc.given().len()), (1, 1));
    for (name, password) in
        [("a name that is too long", "s3cret"), ("jinban", "longer than eight"), ("样例", "s3cret")]
    {
        assert!(Account::new(office.smsc.address, (name, password), "").is_err(), "{name} {password}");
    }
    Ok(())
}

#[test]
fn what_was_in_hand_when_everything_broke_goes_once_more() -> Result<()> {
    let mut office = Office::new()?;
    let id = office.accepted()?;
    let (of, now_ms) = (office.message(&id)?, office.centre.now_ms());
    // The centre notes it, and dies.
    assert!(
        office.centre.write(move |tx| { Ok::<_, ServiceError>(notifications::claim(tx, now_ms, &of)?) })?
    );
    assert_eq!(office.look()?, 0, "nobody knows yet");
    office.later(IN_HAND_MS);
    assert_eq!(office.look()?, 1);
    assert_eq!((office.message(&id)?.tries, office.smsc.given().len()), (2, 1));
    Ok(())
}

#[test]
fn without_a_gateway_messages_wait_and_expire() -> Result<()> {
    let mut office = Office::new()?;
    office.post = Post::new(None);
    let id = office.accepted()?;
    office.look()?;
    let waits = office.message(&id)?;
    assert_eq!((waits.state, waits.tries, waits.reason.as_str()), (State::Queued, 0, "no_gateway"));
    // Day by day, so that the clock is believed.
    for _ in 0..=LIFE_MS / (24 * HOUR_MS) {
        office.later(24 * HOUR_MS);
        office.case()?;
        office.look()?;
    }
    assert_eq!(office.message(&id)?.state, State::Expired);
    office.post = Post::new(gateway(&office.smsc)?);
    assert_eq!(office.look()?, 0, "nobody is told what is over");
    Ok(())
}

#[test]
fn a_report_that_comes_before_its_name_and_one_of_rubbish_spoil_nothing() -> Result<()> {
    let mut office = Office::new()?;
    office.accepted()?;
    // The next message will be called M2; its receipt is here first.
    office.look()?;
    office.smsc.says("id:M2 stat:DELIVRD");
    office.smsc.says("id:a\0b stat:DELIVRD");
    office.smsc.says(&format!("id:{} stat:DELIVRD", "x".repeat(200)));
    for _ in 0..5 {
        office.look()?;
    }
    let id = office.accepted()?;
    office.look_until(&id, State::Delivered)?;
    Ok(())
}

#[test]
fn a_case_that_does_not_open_keeps_no_other_from_its_turn() -> Result<()> {
    let mut office = Office::new()?;
    let spoilt = office.accepted()?;
    let sql = "UPDATE envelope SET header = ciphertext WHERE envelope_id = $1";
    let id = spoilt.to_string();
    office.centre.write(move |tx| Ok::<_, ServiceError>(tx.execute(sql, &[id.clone().into()])?))?;
    let good = office.accepted()?;
    assert_eq!(office.look()?, 1);
    assert_eq!(office.message(&good)?.state, State::Sent);
    let told = office.message(&spoilt)?;
    assert_eq!((told.state, told.reason.as_str()), (State::Failed, "unreadable"));
    office.smsc.says("id:M1 stat:DELIVRD");
    office.look_until(&good, State::Delivered)?;
    Ok(())
}

#[test]
fn a_clock_that_jumped_ends_no_message() -> Result<()> {
    let mut office = Office::new()?;
    office.post = Post::new(None);
    let id = office.accepted()?;
    office.look()?;
    office.later(500 * 24 * HOUR_MS);
    office.look()?;
    let waits = office.message(&id)?;
    assert_eq!((waits.state, waits.reason.as_str()), (State::Queued, "no_gateway"));
    // It is right again, and nothing waits for that time.
    office.later(-500 * 24 * HOUR_MS);
    office.post = Post::new(gateway(&office.smsc)?);
    assert_eq!(office.look()?, 1);
    Ok(())
}

#[test]
fn what_the_case_has_gone_past_is_not_told_any_more() -> Result<()> {
    let mut office = Office::new()?;
    let id = office.accepted()?;
    office.happens(&id, Action::Completed { outcome: Some(Outcome::Withdrawn), text: None })?;
    assert_eq!(office.look()?, 1);
    let states: Vec<_> = office.messages(&id)?.iter().map(|n| n.state).collect();
    assert_eq!(states, [State::Sent, State::Overtaken], "the newest first");
    let given = office.smsc.given();
    ensure!(given.len() == 1 && given[0].text.contains("已办结"), "{given:?}");
    ensure!(!given[0].text.contains("撤回"), "{given:?}");
    Ok(())
}
