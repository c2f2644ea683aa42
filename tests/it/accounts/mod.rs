//! Sign-in for people: through the real pages, on the real server, and from the command line.
mod admin;
mod command;
mod hostile;
mod policy;
mod sign_in;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::http::Answer;
use tests::server::{PASSWORD, Server};

/// Makes an account with the real command and gives its first password.
fn made(server: &Server, name: &str, roles: &[&str]) -> Result<String> {
    let mut arguments = vec!["account", "add", name, "--json"];
    arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
    let output = server.command(&arguments)?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(answer["password"].as_str().context("a password")?.to_owned())
}

/// Signs in through the page.
fn sign_in(server: &Server, name: &str, password: &str) -> Result<Answer> {
    server.submit("", "/sign-in", &[("name", name), ("password", password)])
}

/// An account whose owner has changed the first password to [`PASSWORD`] and is signed in; gives the cookie.
fn owner(server: &Server, name: &str, roles: &[&str]) -> Result<String> {
    let first = made(server, name, roles)?;
    let cookie = sign_in(server, name, &first)?.cookie().context("a cookie")?;
    let fields = [("old", first.as_str()), ("new", PASSWORD), ("again", PASSWORD)];
    let changed = server.submit(&cookie, "/account/password", &fields)?;
    ensure!(changed.status == 303, "{} {}", changed.status, changed.text());
    changed.cookie().context("a new cookie")
}

/// Where an answer leads.
fn leads_to(answer: &Answer) -> Option<&str> {
    answer.header("location").filter(|_| answer.status == 303)
}
