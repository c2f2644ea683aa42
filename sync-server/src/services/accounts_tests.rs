//! Accounts and sessions on a store: what each step leaves behind, and what is refused.
use super::*;
use crate::auth::token::Token;
use crate::services::sessions::{IDLE_MS, LONGEST_MS, MOST};
use crate::store::{Sqlite, fresh_in_memory};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const NOW: i64 = 1_795_541_400_000;

fn profile(roles: &[Role]) -> Profile {
    Profile::read("样例员", "人社", Roles::of(roles)).expect("a profile")
}

fn made(tx: &mut Tx<'_>, name: &str, roles: &[Role]) -> Account {
    let name = name.parse().expect("a name");
    add(tx, NOW, "operator", (&name, &profile(roles)), "hash").expect("stored").expect("made")
}

fn store() -> Sqlite {
    fresh_in_memory().expect("fresh")
}

fn events(tx: &mut Tx<'_>) -> Vec<String> {
    let rows = tx.query("SELECT actor, event, subject FROM audit ORDER BY seq", &[]).expect("rows");
    let text = |row: &Row, n| row.text(n).expect("a text").to_owned();
    rows.iter().map(|r| format!("{} {} {}", text(r, 0), text(r, 1), text(r, 2))).collect()
}

fn token(seed: u64) -> Token {
    Token::new(&mut ChaCha20Rng::seed_from_u64(seed))
}

#[test]
fn an_account_is_made_once_and_every_step_leaves_an_audit_row() {
    let mut db = store();
    let mut tx = Tx::new(&mut db);
    let boss = made(&mut tx, "boss", &[Role::Admin]);
    let one = made(&mut tx, "zhang", &[Role::Clerk]);
    assert_eq!((one.id.as_str(), one.must_change, one.locked, one.version), ("A-0002", true, false, 1));
    let again = add(&mut tx, NOW, "operator", (&one.name, &profile(&[Role::Clerk])), "x").expect("stored");
    assert_eq!(again, Err(Mistake::NameTaken));
    let id = &one.id;
    let changed = change(&mut tx, NOW, "A-0001", (id, 1), &profile(&[Role::Reviewer])).expect("stored");
    assert_eq!(changed.expect("changed").roles, Roles::of(&[Role::Reviewer]));
    let late = change(&mut tx, NOW, "A-0001", (id, 1), &profile(&[Role::Clerk])).expect("stored");
    assert_eq!(late, Err(Mistake::Changed));
    for (locked, changes) in [(true, true), (true, false), (false, true)] {
        let before = by_id(&mut tx, id).expect("read").expect("there").version;
        let after = set_locked(&mut tx, NOW, "A-0001", id, locked).expect("stored").expect("done");
        assert_eq!((after.locked, after.version != before), (locked, changes));
    }
    set_password(&mut tx, NOW + 1, "A-0001", id, ("other", true)).expect("stored").expect("set");
    assert_eq!(password_hash(&mut tx, id).expect("read").as_deref(), Some("other"));
    let nobody = "A-0099".parse().expect("an id");
    assert_eq!(set_password(&mut tx, NOW, "x", &nobody, ("h", true)).expect("stored"), Err(Mistake::Unknown));
    assert_eq!(set_locked(&mut tx, NOW, "x", &nobody, true).expect("stored"), Err(Mistake::Unknown));
    let rows = events(&mut tx);
    let expected = [
        "operator account.added A-0001",
        "operator account.added A-0002",
        "A-0001 account.roles A-0002",
        "A-0001 account.locked A-0002",
        "A-0001 account.unlocked A-0002",
        "A-0001 account.password-reset A-0002",
    ];
    assert_eq!(rows, expected);
    assert!(rows.iter().all(|r| !r.contains("zhang")), "rows hold ids, never names");
    assert_eq!(count(&mut tx).expect("read"), (2, 1));
    assert_eq!(format!("{boss:?}"), "Account(A-0001, {Admin})");
}

#[test]
fn somebody_is_always_left_to_give_out_accounts() {
    let mut db = store();
    let mut tx = Tx::new(&mut db);
    let boss = made(&mut tx, "boss", &[Role::Admin, Role::Operator]);
    let id = &boss.id;
    let plain = profile(&[Role::Operator]);
    assert_eq!(change(&mut tx, NOW, "x", (id, 1), &plain).expect("stored"), Err(Mistake::LastAdmin));
    assert_eq!(set_locked(&mut tx, NOW, "x", id, true).expect("stored"), Err(Mistake::LastAdmin));
    let other = made(&mut tx, "other", &[Role::Admin]);
    set_locked(&mut tx, NOW, "x", &other.id, true).expect("stored").expect("locked");
    assert_eq!(set_locked(&mut tx, NOW, "x", id, true).expect("stored"), Err(Mistake::LastAdmin));
    set_locked(&mut tx, NOW, "x", &other.id, false).expect("stored").expect("unlocked");
    assert!(change(&mut tx, NOW, "x", (id, 1), &plain).expect("stored").is_ok());
}

#[test]
fn the_list_is_found_by_text_role_and_state_page_by_page() {
    let mut db = store();
    let mut tx = Tx::new(&mut db);
    for n in 0..120 {
        let role = if n % 3 == 0 { Role::Clerk } else { Role::Reviewer };
        made(&mut tx, &format!("user{n}"), &[role]);
    }
    let all = |tx: &mut Tx<'_>, filter: Filter| {
        let (mut filter, mut seen) = (filter, Vec::new());
        loop {
            let (page, next) = list(tx, &filter).expect("listed");
            assert!(page.len() as u64 <= PAGE);
            seen.extend(page.iter().map(|a| a.place));
            let Some(after) = next else { return seen };
            filter.after = after;
        }
    };
    assert_eq!(all(&mut tx, Filter::default()), (1..=120).collect::<Vec<_>>());
    let with = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    for (text, count) in
        [("USER11", 11), ("样例", 120), ("人社", 120), ("%", 0), ("_", 0), ("!", 0), ("' --", 0)]
    {
        assert_eq!(all(&mut tx, with(text)).len(), count, "{text}");
    }
    let clerks = Filter { role: Some(Role::Clerk), ..with("user1") };
    assert_eq!(all(&mut tx, clerks).len(), 9);
    set_locked(&mut tx, NOW, "x", &AccountId::at(7), true).expect("stored").expect("locked");
    assert_eq!(all(&mut tx, Filter { locked: Some(true), ..Filter::default() }), [7]);
    assert_eq!(all(&mut tx, Filter { locked: Some(false), ..Filter::default() }).len(), 119);
}

#[test]
fn a_session_ends_by_idleness_age_lock_password_roles_and_number() {
    let mut db = store();
    let mut tx = Tx::new(&mut db);
    made(&mut tx, "boss", &[Role::Admin]);
    let id = made(&mut tx, "zhang", &[Role::Clerk]).id;
    let key = token(1).key();
    let begin = |tx: &mut Tx<'_>| sessions::begin(tx, NOW, &id, &key).expect("begun");
    let there = |tx: &mut Tx<'_>, at| sessions::find(tx, at, &key).expect("read").is_some();
    begin(&mut tx);
    let caller = sessions::find(&mut tx, NOW, &key).expect("read").expect("there");
    assert_eq!((caller.account.as_str(), caller.must_change), ("A-0002", true));
    assert!(there(&mut tx, NOW + IDLE_MS) && !there(&mut tx, NOW + IDLE_MS + 1));
    assert!(!there(&mut tx, NOW - LONGEST_MS), "a clock that was wrong makes no session that never ends");
    // With a call now and then it lives on, but not for ever.
    for n in 1..=28 {
        sessions::touch(&mut tx, NOW + n * (IDLE_MS - 1), &key).expect("noted");
    }
    assert!(there(&mut tx, NOW + LONGEST_MS) && !there(&mut tx, NOW + LONGEST_MS + 1));
    sessions::end(&mut tx, &key).expect("ended");
    assert!(!there(&mut tx, NOW));
    begin(&mut tx);
    set_locked(&mut tx, NOW, "x", &id, true).expect("stored").expect("locked");
    set_locked(&mut tx, NOW, "x", &id, false).expect("stored").expect("unlocked");
    assert!(!there(&mut tx, NOW), "a lock ends it for good");
    begin(&mut tx);
    set_password(&mut tx, NOW, "x", &id, ("h", false)).expect("stored").expect("set");
    assert!(!there(&mut tx, NOW));
    begin(&mut tx);
    let version = by_id(&mut tx, &id).expect("read").expect("there").version;
    change(&mut tx, NOW, "x", (&id, version), &profile(&[Role::Reviewer])).expect("stored").expect("changed");
    assert!(!there(&mut tx, NOW));
    begin(&mut tx);
    tx.execute("UPDATE account SET locked = 1 WHERE id = $1", &[id.as_str().into()]).expect("by hand");
    assert!(!there(&mut tx, NOW), "a locked account has no session, whoever locked it");
    tx.execute("UPDATE account SET locked = 0", &[]).expect("by hand");
    for n in 0..MOST + 3 {
        sessions::begin(&mut tx, NOW + 1 + n as i64, &id, &token(n + 10).key()).expect("begun");
    }
    let late = NOW + 20;
    assert_eq!(sessions::of_account(&mut tx, late, &id).expect("read").len() as u64, MOST);
    assert!(!there(&mut tx, late), "the oldest ended");
    let last = token(MOST + 12).key();
    assert_eq!(sessions::end_all(&mut tx, &id, Some(&last)).expect("ended"), MOST - 1);
    assert!(sessions::find(&mut tx, late, &last).expect("read").is_some());
    assert_eq!(sessions::of_account(&mut tx, late + IDLE_MS + 1, &id).expect("read"), []);
}
