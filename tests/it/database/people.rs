//! The part of the conformance suite about people: accounts, sessions, wrong sign-ins.
use anyhow::{Context as _, Result, anyhow, ensure};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::auth::lockout::NAME;
use sync_server::auth::role::{Role, Roles};
use sync_server::auth::token::Token;
use sync_server::keys::Keys;
use sync_server::services::accounts::{self, Filter};
use sync_server::services::profile::Profile;
use sync_server::services::sessions::{self, MOST};
use sync_server::services::sign_in_failures::{self as failures, Counted};
use sync_server::store::{Driver, StoreError, in_transaction};

/// What people do in a day, with every statement that it needs.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let keys = Keys::in_memory(&mut rng)?;
    let tokens: Vec<Token> = (0..MOST + 2).map(|_| Token::new(&mut rng)).collect();
    let profile =
        |roles: &[Role]| Profile::read("样例员", "人社%_!", Roles::of(roles)).map_err(|m| anyhow!("{m:?}"));
    let (boss, clerk) = (profile(&[Role::Admin])?, profile(&[Role::Clerk, Role::Inspector])?);
    let names = ["boss".parse()?, "zhang".parse()?];
    in_transaction(driver, |tx| -> Result<()> {
        let boss = accounts::add(tx, now_ms, "operator", (&names[0], &boss), "h")??;
        let zhang = accounts::add(tx, now_ms, "operator", (&names[1], &clerk), "h")??;
        accounts::by_name(tx, &names[1])?.context("there")?;
        accounts::change(tx, now_ms, "x", (&zhang.id, 1), &clerk)??;
        ensure!(accounts::set_locked(tx, now_ms, "x", &boss.id, true)?.is_err(), "the last one");
        for locked in [true, false] {
            accounts::set_locked(tx, now_ms, "x", &zhang.id, locked)??;
        }
        accounts::set_password(tx, now_ms, "x", &zhang.id, ("other", false))??;
        accounts::password_hash(tx, &zhang.id)?.context("there")?;
        accounts::note_sign_in(tx, now_ms, &zhang.id)?;
        ensure!(accounts::count(tx)? == (2, 1));
        for (text, role, locked) in [
            (None, None, None),
            (Some("ZH"), None, Some(false)),
            (Some("%_!"), Some(Role::Clerk), None),
            (Some("社"), Some(Role::Admin), Some(true)),
        ] {
            let text = text.map(str::to_owned);
            accounts::list(tx, &Filter { text, role, locked, after: 0 })?;
        }
        for (n, token) in tokens.iter().enumerate() {
            sessions::begin(tx, now_ms + i64::try_from(n)?, &zhang.id, &token.key())?;
        }
        let (last, later) = (tokens.last().context("a token")?.key(), now_ms + 100_000);
        sessions::touch(tx, later, &last)?;
        ensure!(sessions::find(tx, later, &last)?.is_some_and(|c| c.seen_at_ms == later));
        ensure!(sessions::of_account(tx, later, &zhang.id)?.len() as u64 == MOST);
        ensure!(sessions::end_all(tx, &zhang.id, Some(&last))? == MOST - 1);
        sessions::end(tx, &last)?;
        Ok(())
    })?;
    let counted = Counted::new(&keys, "name", "zhang", NAME);
    in_transaction(driver, |tx| {
        for n in 0..6 {
            failures::count(tx, now_ms + n, &counted)?;
        }
        failures::wait_ms(tx, now_ms, &counted)?;
        failures::shorten(tx)?;
        failures::forget(tx, &counted)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}
