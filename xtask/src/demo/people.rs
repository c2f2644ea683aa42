//! Sample people of the demo: an account for each role, made with the real command; and one of them at the console,
//! through the real pages.
//!
//! Refuses to go round the sign-in: whoever looks at a page has typed a password, and changed the first one.
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::http::{self, Page};
use super::programs::Server;
use super::words::Words;

/// Roles as the server names them, in the order in which they are shown.
const ROLES: [&str; 7] = ["clerk", "reviewer", "inspector", "editor", "checker", "operator", "admin"];
/// What comes behind the first password to make the next one, in this demo only.
const NEXT: &str = "-x1";

/// Somebody with an account.
#[derive(Clone)]
pub struct SamplePerson {
    /// Sign-in name, such as `sample.clerk`.
    pub name: String,
    /// The role in words.
    pub role: String,
    /// The first password.
    pub password: String,
}

/// Makes an account for each role; their names say that they are samples.
///
/// # Errors
/// If the server's program says so, or there are no words for a role.
pub fn make(server: &Server, words: &Path) -> Result<Vec<SamplePerson>> {
    let words = Words::read(words)?;
    let label = words.get("sample.person")?.to_owned();
    let each = ROLES.iter().map(|role| {
        let word = words.get(&format!("role.{role}"))?.to_owned();
        let (name, display) = (format!("sample.{role}"), label.replace("{role}", &word));
        let made = server.ask(&["account", "add", &name, "--role", role, "--display", &display])?;
        let password = made["password"].as_str().context("account add gave no password")?.to_owned();
        Ok(SamplePerson { name, role: word, password })
    });
    each.collect()
}

/// A person who is signed in at the console.
pub struct Visitor {
    base: String,
    cookie: String,
}

impl Visitor {
    /// Signs in as a browser does: is led from the list of cases to the sign-in page, types name and first password,
    /// must change it, and is led back to the list.
    ///
    /// # Errors
    /// If any page does something else.
    pub fn sign_in(base: &str, person: &SamplePerson) -> Result<Self> {
        let turned = http::get(&format!("{base}/cases"), None)?;
        let page = leads(&turned)?;
        ensure!(page.starts_with("/sign-in"), "the list of cases leads to {page}, not to sign-in");
        ensure!(http::get(&format!("{base}{page}"), None)?.status == 200, "there is no sign-in page");
        let fields = [("name", person.name.as_str()), ("password", &person.password), ("to", "/cases")];
        let entered = http::submit(&format!("{base}/sign-in"), None, &fields)?;
        let change = leads(&entered)?;
        ensure!(change.starts_with("/account/password"), "the first sign-in leads to {change}");
        let cookie = entered.cookie.context("sign-in gave no cookie")?;
        let new = format!("{}{NEXT}", person.password);
        let fields = [("old", person.password.as_str()), ("new", &new), ("again", &new), ("to", "/cases")];
        let changed = http::submit(&format!("{base}/account/password"), Some(&cookie), &fields)?;
        ensure!(leads(&changed)? == "/cases", "after the new password somebody is led elsewhere");
        let cookie = changed.cookie.context("the new password gave no cookie")?;
        Ok(Self { base: base.to_owned(), cookie })
    }

    /// A page, which must be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn page(&self, path: &str) -> Result<String> {
        let page = http::get(&format!("{}{path}", self.base), Some(&self.cookie))?;
        ensure!(page.status == 200, "{path} answers {}", page.status);
        Ok(page.text)
    }
}

fn leads(page: &Page) -> Result<&str> {
    ensure!(page.status == 303, "a page answers {} instead of leading on", page.status);
    page.location.as_deref().context("a page leads nowhere")
}
