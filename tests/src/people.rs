//! People of stories: accounts and sessions put straight into a server's store, and forms sent as a browser sends them.
//!
//! Signing in through the pages is a story of its own (`it/accounts`); all others begin signed in.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::auth::names::AccountId;
use sync_server::auth::role::{Role, Roles};
use sync_server::auth::token::Token;
use sync_server::services::profile::Profile;
use sync_server::services::{accounts, sessions};
use sync_server::store::{Driver, StoreError, in_transaction};

use crate::device::now_ms;
use crate::http::{self, Answer};
use crate::server::Server;

/// Media type of forms.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// What a browser says of a call from the site's own pages.
pub const OWN_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// The value of the header `Cookie`.
    pub cookie: String,
}

/// Makes somebody with these roles who is signed in.
///
/// # Errors
/// If the store refuses.
pub fn person(store: &mut dyn Driver, roles: &[Role]) -> Result<Person> {
    person_of(store, ("样例员", ""), roles)
}

/// As [`person`], with a name of its own and a unit.
///
/// # Errors
/// If the store refuses.
pub fn person_of(store: &mut dyn Driver, (display, unit): (&str, &str), roles: &[Role]) -> Result<Person> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let token = Token::new(&mut ChaCha20Rng::seed_from_u64(nanos.wrapping_add(count)));
    let name = format!("test{nanos}-{count}").parse()?;
    let profile = Profile::read(display, unit, Roles::of(roles)).map_err(|m| anyhow!("{m:?}"))?;
    let now_ms = now_ms();
    let id = in_transaction(store, |tx| {
        let Ok(account) = accounts::add(tx, now_ms, "test", (&name, &profile), "nobody's hash")? else {
            return Err(StoreError::Stored { what: "account" });
        };
        let _ = accounts::set_password(tx, now_ms, "test", &account.id, ("nobody's hash", false))?;
        sessions::begin(tx, now_ms, &account.id, &token.key())?;
        Ok(account.id)
    })?;
    Ok(Person { id, cookie: format!("jinban_session={}", token.to_text().as_str()) })
}

/// Values as a form sends them.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", sync_server::pages::in_query(value)));
    pairs.collect::<Vec<_>>().join("&")
}

impl Server {
    /// Makes somebody with these roles who is signed in.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn person(&self, roles: &[Role]) -> Result<Person> {
        person(self.database()?.open()?.as_mut(), roles)
    }

    /// Makes somebody of a unit with this name and these roles who is signed in.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn person_of(&self, whom: (&str, &str), roles: &[Role]) -> Result<Person> {
        person_of(self.database()?.open()?.as_mut(), whom, roles)
    }

    /// A page as somebody sees it.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn page_of(&self, person: &Person, path: &str) -> Result<Answer> {
        http::get(&self.people, path, &[("cookie", &person.cookie)])
    }

    /// A page as the public sees it.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn public_page(&self, path: &str) -> Result<Answer> {
        http::get(&self.people, path, &[])
    }

    /// Sends a form from one of the site's own pages; an empty cookie is none.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub fn submit(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let mut headers = vec![FORM, OWN_PAGE];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie));
        }
        http::post(&self.people, path, &headers, form(fields).as_bytes())
    }
}

impl Answer {
    /// The cookie that an answer gives, as it is sent back.
    pub fn cookie(&self) -> Option<String> {
        Some(self.header("set-cookie")?.split(';').next()?.to_owned())
    }
}
