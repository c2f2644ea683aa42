//! Signing in on a centre without threads, with a clock that is told and a hash function that counts.
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::ids::ServerEpoch;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::auth::hashing::Hash;
use crate::auth::names::AccountId;
use crate::auth::role::{Role, Roles};
use crate::centre::Surroundings;
use crate::keys::Keys;
use crate::services::Context;
use crate::services::catalogue::Shelf;
use crate::services::profile::Profile;
use crate::store::{Value, fresh_in_memory};

const START: i64 = 1_795_541_400_000;
const RIGHT: &str = "Blue-lake-37";
const WRONG: &str = "wrong";

struct Told(Arc<AtomicI64>, AtomicUsize);

impl Surroundings for Told {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    fn random(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.1.fetch_add(1, Ordering::AcqRel) as u64)
    }
}

/// A hash that is the password itself, and notes what it was compared with.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<String>>>);

impl Hash for Counting {
    fn make(&self, password: &Password, _: &[u8; SALT_BYTES]) -> Result<String, ServiceError> {
        Ok(password.reveal().to_owned())
    }

    fn matches(&self, password: &Password, stored: &str) -> Result<bool, ServiceError> {
        self.0.lock().expect("calls").push(stored.to_owned());
        Ok(password.reveal() == stored)
    }
}

struct Rig {
    centre: Centre,
    hashing: Hashing,
    compared: Counting,
    clock: Arc<AtomicI64>,
    zhang: AccountId,
}

fn rig() -> Rig {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let context = Context {
        durable: Default::default(),
        keys: Keys::in_memory(&mut rng).expect("keys"),
        epoch: ServerEpoch::new(&mut rng),
        people_url: "http://127.0.0.1:1".into(),
        shelf: Shelf::default(),
    };
    let clock = Arc::new(AtomicI64::new(START));
    let around = Box::new(Told(clock.clone(), AtomicUsize::new(0)));
    let centre = Centre::single(Box::new(fresh_in_memory().expect("fresh")), context, around);
    let zhang = centre
        .write(|tx| {
            let profile = Profile::read("样例员", "", Roles::of(&[Role::Clerk])).expect("a profile");
            let name = "zhang".parse().expect("a name");
            let made = accounts::add(tx, START, "operator", (&name, &profile), RIGHT)?.expect("made");
            Ok(made.id)
        })
        .expect("written");
    let compared = Counting::default();
    Rig { centre, hashing: Hashing::with(Box::new(compared.clone())), compared, clock, zhang }
}

impl Rig {
    fn from(&self, name: &str, password: &str, address: Option<&str>) -> Outcome {
        let attempt = Attempt {
            name: name.to_owned(),
            password: Password::typed(password),
            address: address.map(|a| a.parse().expect("an address")),
            earlier: None,
        };
        sign_in(&self.centre, &self.hashing, attempt).expect("no trouble")
    }

    fn tries(&self, name: &str, password: &str) -> Outcome {
        self.from(name, password, None)
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::AcqRel);
    }

    fn compared(&self) -> usize {
        self.compared.0.lock().expect("calls").len()
    }

    fn events(&self) -> Vec<String> {
        let sql = "SELECT actor, event, subject FROM audit ORDER BY seq";
        let rows = self.centre.read(|tx| tx.query(sql, &[])).expect("rows");
        rows.iter()
            .map(|r| (0..3).map(|n| r.text(n).expect("text").to_owned()).collect::<Vec<_>>().join(" "))
            .collect()
    }

    fn caller(&self, token: &Token) -> Option<Caller> {
        self.centre.read(|tx| sessions::find(tx, self.centre.now_ms(), &token.key())).expect("read")
    }
}

fn token(outcome: Outcome) -> Token {
    match outcome {
        Outcome::In { token, .. } => token,
        other => panic!("not signed in: {other:?}"),
    }
}

#[test]
fn a_name_that_nobody_has_costs_as_much_and_is_locked_out_alike() {
    let rig = rig();
    for name in ["zhang", "nobody", "' OR 1=1 --", ""] {
        let before = rig.compared();
        for n in 1..=4 {
            assert!(matches!(rig.tries(name, WRONG), Outcome::Wrong), "{name} {n}");
        }
        assert!(matches!(rig.tries(name, WRONG), Outcome::Wait(15_000)), "{name}");
        assert_eq!(rig.compared() - before, 5, "one comparison a try, whether there is a {name:?} or not");
        assert!(matches!(rig.tries(name, RIGHT), Outcome::Wait(15_000)), "{name}");
        assert_eq!(rig.compared() - before, 5, "while {name:?} waits nothing is compared");
    }
    let with = rig.compared.0.lock().expect("calls").clone();
    assert!(
        with.iter().take(5).all(|h| h == RIGHT) && with.iter().skip(5).all(|h| h.starts_with("$argon2id$"))
    );
}

#[test]
fn pauses_grow_end_and_are_forgotten_after_a_right_password() {
    let rig = rig();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        if let Outcome::Wait(ms) = rig.tries("zhang", WRONG) {
            pauses.push(ms / 1_000);
            assert!(matches!(rig.tries("zhang", RIGHT), Outcome::Wait(_)), "not even the right one");
            rig.pass(ms);
        }
    }
    assert_eq!(pauses, [15, 30, 60, 120]);
    token(rig.tries("Zhang ", RIGHT));
    assert!(matches!(rig.tries("zhang", WRONG), Outcome::Wrong), "counted from one again");
}

#[test]
fn wrong_tries_of_one_address_are_counted_over_all_names_and_nobody_else_waits() {
    let rig = rig();
    let here = Some("192.0.2.1");
    for n in 0..49 {
        assert!(matches!(rig.from(&format!("guess{n}"), WRONG, here), Outcome::Wrong), "{n}");
    }
    assert!(matches!(rig.from("guess49", WRONG, here), Outcome::Wait(15_000)));
    assert!(matches!(rig.from("zhang", RIGHT, here), Outcome::Wait(15_000)), "the address waits");
    token(rig.from("zhang", RIGHT, Some("192.0.2.2")));
    rig.pass(15_000);
    token(rig.from("zhang", RIGHT, here));
    assert!(matches!(rig.from("other", WRONG, here), Outcome::Wait(30_000)), "one right one is no pardon");
}

#[test]
fn audit_rows_tell_who_came_in_and_never_what_a_stranger_typed() {
    let rig = rig();
    let mine = token(rig.tries("zhang", RIGHT));
    let caller = rig.caller(&mine).expect("signed in");
    assert!(matches!(rig.tries(RIGHT, "zhang"), Outcome::Wrong), "password typed as name");
    sign_out(&rig.centre, caller).expect("signed out");
    assert!(rig.caller(&mine).is_none());
    let id = rig.zhang.as_str();
    let events = rig.events();
    assert_eq!(events[1], format!("{id} sign-in.ok {id}"));
    assert!(events[2].starts_with("unknown sign-in.failed name:"), "{}", events[2]);
    assert_eq!(events[3], format!("{id} sign-in.ended {id}"));
    let all = events.join("\n").to_lowercase();
    assert!(!all.contains("zhang") && !all.contains(&RIGHT.to_lowercase()), "{all}");
    let key = rig.centre.read(|tx| tx.query("SELECT key_hash FROM sign_in_failure", &[])).expect("rows");
    assert!(key.iter().all(|r| r.text(0).expect("text").starts_with("name:")));
    let shown = format!("{:?} {:?}", rig.tries("zhang", RIGHT), Password::typed(RIGHT));
    assert!(!shown.contains(RIGHT), "{shown}");
}

#[test]
fn a_browser_gets_a_new_token_and_what_it_had_before_ends() {
    let rig = rig();
    let first = token(rig.tries("zhang", RIGHT));
    let attempt = |earlier: &Token| Attempt {
        name: "zhang".into(),
        password: Password::typed(RIGHT),
        address: None,
        earlier: Some(earlier.key()),
    };
    let second = token(sign_in(&rig.centre, &rig.hashing, attempt(&first)).expect("no trouble"));
    assert_ne!(first.key(), second.key());
    assert!(rig.caller(&first).is_none() && rig.caller(&second).is_some());
    // A token that somebody else put into the browser opens nothing, before and after.
    let planted = Token::new(&mut ChaCha20Rng::seed_from_u64(99));
    let third = token(sign_in(&rig.centre, &rig.hashing, attempt(&planted)).expect("no trouble"));
    assert!(rig.caller(&planted).is_none() && rig.caller(&third).is_some());
}

#[test]
fn a_locked_account_is_told_so_only_to_whoever_knows_its_password() {
    let rig = rig();
    let (id, mine) = (rig.zhang.clone(), token(rig.tries("zhang", RIGHT)));
    let boss = move |tx: &mut Tx<'_>| {
        let profile = Profile::read("样例", "", Roles::of(&[Role::Admin])).expect("a profile");
        let name = "boss".parse().expect("a name");
        let _ = accounts::add(tx, START, "operator", (&name, &profile), "x")?;
        Ok::<_, ServiceError>(accounts::set_locked(tx, START, "A-0002", &id, true)?.is_ok())
    };
    assert_eq!(rig.centre.write(boss).ok(), Some(true));
    assert!(rig.caller(&mine).is_none(), "its sessions ended");
    assert!(matches!(rig.tries("zhang", WRONG), Outcome::Wrong));
    assert!(matches!(rig.tries("zhang", RIGHT), Outcome::Locked));
}

#[test]
fn a_password_changed_while_the_old_one_is_compared_wins() {
    type Act = Box<dyn FnOnce() + Send>;
    struct Meanwhile(Mutex<Option<Act>>);
    impl Hash for Meanwhile {
        fn make(&self, _: &Password, _: &[u8; SALT_BYTES]) -> Result<String, ServiceError> {
            Ok("new".into())
        }
        fn matches(&self, _: &Password, _: &str) -> Result<bool, ServiceError> {
            if let Some(act) = self.0.lock().expect("act").take() {
                act();
            }
            Ok(true)
        }
    }
    let rig = Arc::new(rig());
    let other = rig.clone();
    let act: Act = Box::new(move || {
        let id = other.zhang.clone();
        let reset =
            move |tx: &mut Tx<'_>| Ok(accounts::set_password(tx, START, "x", &id, ("other", true))?.is_ok());
        assert_eq!(other.centre.write(reset).ok(), Some(true));
    });
    let hashing = Hashing::with(Box::new(Meanwhile(Mutex::new(Some(act)))));
    let attempt =
        Attempt { name: "zhang".into(), password: Password::typed(RIGHT), address: None, earlier: None };
    assert!(matches!(sign_in(&rig.centre, &hashing, attempt).expect("no trouble"), Outcome::Wrong));
    let sessions = rig.centre.read(|tx| tx.query_int("SELECT COUNT(*) FROM session", &[]));
    assert_eq!(sessions.ok(), Some(0));
}

#[test]
fn a_changed_password_ends_all_sessions_but_gives_a_new_one() {
    let rig = rig();
    let (here, there) = (token(rig.tries("zhang", RIGHT)), token(rig.tries("zhang", RIGHT)));
    let caller = rig.caller(&here).expect("signed in");
    assert!(caller.must_change);
    let change = |old: &str, new: &str| {
        change_password(&rig.centre, &rig.hashing, &caller, (&Password::typed(old), &Password::typed(new)))
            .expect("no trouble")
    };
    let new = "Deep-lake-73";
    assert!(matches!(change(WRONG, new), Change::Wrong));
    assert!(matches!(change(RIGHT, "short"), Change::Unfit(PasswordMistake::TooShort)));
    assert!(matches!(change(RIGHT, "Blue-zhang-37"), Change::Unfit(PasswordMistake::HasName)));
    assert!(matches!(change(RIGHT, RIGHT), Change::Unfit(PasswordMistake::Same)));
    let Change::Done(fresh) = change(RIGHT, new) else { panic!("not changed") };
    assert!(rig.caller(&here).is_none() && rig.caller(&there).is_none());
    assert_eq!(rig.caller(&fresh).map(|c| c.must_change), Some(false));
    assert!(matches!(rig.tries("zhang", RIGHT), Outcome::Wrong));
    token(rig.tries("zhang", new));
    // Guessing the old one through a session that was left open is as slow as at the sign-in page.
    let caller = rig.caller(&fresh).expect("signed in");
    let guess = || {
        let wanted = (&Password::typed(WRONG), &Password::typed("Other-lake-11"));
        change_password(&rig.centre, &rig.hashing, &caller, wanted).expect("no trouble")
    };
    for _ in 0..4 {
        assert!(matches!(guess(), Change::Wrong));
    }
    assert!(matches!(guess(), Change::Wait(15_000)));
}

#[test]
fn many_tries_at_once_are_worth_no_more_than_one_after_the_other() {
    let rig = rig();
    let outcomes = std::thread::scope(|scope| {
        let all: Vec<_> = (0..10).map(|_| scope.spawn(|| rig.tries("zhang", WRONG))).collect();
        all.into_iter().map(|t| t.join().expect("done")).collect::<Vec<_>>()
    });
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Wrong | Outcome::Wait(_))), "{outcomes:?}");
    assert_eq!(rig.compared(), 5, "no more than five were compared: {outcomes:?}");
    let kept = rig.centre.read(|tx| tx.query("SELECT failures FROM sign_in_failure", &[])).expect("rows");
    assert_eq!(kept.iter().map(|r| r.0[0].clone()).collect::<Vec<_>>(), [Value::Int(5)]);
}
