//! A person's way in and out: the first password, the way back, wrong ones, and everything that ends a session.
use anyhow::{Context as _, Result};
use tests::http;
use tests::people::{FORM, OWN_PAGE, form};
use tests::server::{PASSWORD, Server};

use super::{leads_to, made, owner, sign_in};

#[test]
fn the_first_sign_in_changes_the_password_and_leads_where_somebody_wanted_to_go() -> Result<()> {
    let server = Server::start()?;
    assert!(server.public_page("/sign-in")?.text().contains("sync-server account add admin"), "how to begin");
    let first = made(&server, "zhang.san", &["clerk"])?;
    assert!(!server.public_page("/sign-in")?.text().contains("sync-server account add"), "no more");
    let turned = server.public_page("/cases?state=returned&q=%E5%8A%9E")?;
    let to = "/sign-in?to=%2Fcases%3Fstate%3Dreturned%26q%3D%25E5%258A%259E";
    assert_eq!(leads_to(&turned), Some(to));
    let page = server.public_page(to)?;
    assert!(page.status == 200 && page.text().contains("value=\"/cases?state=returned&#38;q=%E5%8A%9E\""));
    let wanted = "/cases?state=returned&q=%E5%8A%9E";
    let fields = [("name", " Zhang.San "), ("password", &first), ("to", wanted)];
    let entered = server.submit("", "/sign-in", &fields)?;
    let cookie = entered.cookie().context("a cookie")?;
    let attributes = entered.header("set-cookie").unwrap_or_default();
    for guard in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(attributes.contains(guard), "{attributes}");
    }
    assert!(!attributes.contains("Secure") && !attributes.contains("Max-Age"), "{attributes}");
    let change = leads_to(&entered).context("leads")?.to_owned();
    assert!(change.starts_with("/account/password?to=%2Fcases"), "{change}");
    // Nothing else can be done with a password that somebody else gave.
    for path in ["/cases", "/account", "/", "/accounts"] {
        let page = http::get(&server.people, path, &[("cookie", &cookie)])?;
        let expected = if path == "/accounts" { page.status == 403 } else { page.status == 303 };
        assert!(expected, "{path} {}", page.status);
    }
    let form = http::get(&server.people, &change, &[("cookie", &cookie)])?.text();
    assert!(form.contains("换成只有您知道的") && form.contains("autocomplete=\"new-password\""));
    let table = [
        ((first.as_str(), "short", "short"), "太短"),
        ((first.as_str(), PASSWORD, "Blue-lake-38"), "不一样"),
        (("wrong", PASSWORD, PASSWORD), "现在的密码不对"),
        ((first.as_str(), first.as_str(), first.as_str()), "和现在的密码一样"),
        ((first.as_str(), "Zhang.san-37-x", "Zhang.san-37-x"), "不能有登录名"),
    ];
    for ((old, new, again), words) in table {
        let fields = [("old", old), ("new", new), ("again", again), ("to", wanted)];
        let refused = server.submit(&cookie, "/account/password", &fields)?;
        assert_eq!(refused.status, 422, "{words}");
        assert!(refused.text().contains(words), "{words}");
        assert!(!refused.text().contains(&first), "no password is sent back");
    }
    let fields = [("old", first.as_str()), ("new", PASSWORD), ("again", PASSWORD), ("to", wanted)];
    let changed = server.submit(&cookie, "/account/password", &fields)?;
    assert_eq!(leads_to(&changed), Some(wanted));
    let fresh = changed.cookie().context("a cookie")?;
    assert_ne!(fresh, cookie);
    assert_eq!(http::get(&server.people, wanted, &[("cookie", &fresh)])?.status, 200);
    assert_eq!(http::get(&server.people, wanted, &[("cookie", &cookie)])?.status, 303, "the old one ended");
    let home = http::get(&server.people, "/", &[("cookie", &fresh)])?;
    assert_eq!(leads_to(&home), Some("/cases"));
    let own = http::get(&server.people, "/account", &[("cookie", &fresh)])?.text();
    assert!(own.contains("zhang.san") && own.contains("受理员"), "{own}");
    Ok(())
}

#[test]
fn nobody_is_led_to_another_site_after_signing_in() -> Result<()> {
    let server = Server::start()?;
    owner(&server, "zhang", &["clerk"])?;
    let evil =
        ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nx: y"];
    for to in evil {
        let address = format!("/sign-in?to={}", sync_server::pages::in_query(to));
        assert!(!server.public_page(&address)?.text().contains("evil"), "{to}");
        let entered =
            server.submit("", "/sign-in", &[("name", "zhang"), ("password", PASSWORD), ("to", to)])?;
        assert_eq!(leads_to(&entered), Some("/"), "{to}");
    }
    Ok(())
}

#[test]
fn ten_wrong_passwords_at_once_end_in_a_pause_that_is_told_and_survives_a_restart() -> Result<()> {
    let server = Server::start()?;
    owner(&server, "zhang", &["clerk"])?;
    let (people, wrong) = (server.people.as_str(), form(&[("name", "zhang"), ("password", "wrong")]));
    let guess = || http::post(people, "/sign-in", &[FORM, OWN_PAGE], wrong.as_bytes());
    let answers = std::thread::scope(|scope| {
        let all: Vec<_> = (0..10).map(|_| scope.spawn(guess)).collect();
        all.into_iter().map(|t| t.join().expect("no panic")).collect::<Result<Vec<_>>>()
    })?;
    let statuses = |code: u16| answers.iter().filter(|a| a.status == code).count();
    assert!(
        statuses(401) <= 4 && statuses(401) + statuses(429) == 10,
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    assert!(answers.iter().all(|a| a.cookie().is_none()));
    let refused = sign_in(&server, "zhang", PASSWORD)?;
    assert_eq!(refused.status, 429, "not even the right one");
    assert!(refused.text().contains("输错的次数太多") && refused.text().contains("value=\"zhang\""));
    let wait: u64 = refused.header("retry-after").context("Retry-After")?.parse()?;
    assert!((1..=15).contains(&wait), "{wait}");
    assert_eq!(server.number("SELECT failures FROM sign_in_failure")?, 5);
    // Longer than a restart takes on a busy machine.
    server.database()?.open()?.execute("UPDATE sign_in_failure SET failures = 12", &[])?;
    let server = server.restart()?;
    let refused = sign_in(&server, "zhang", PASSWORD)?;
    assert!(refused.status == 429 && refused.text().contains("分钟"), "a restart is no pardon");
    // Somebody else comes in meanwhile.
    owner(&server, "li", &["clerk"])?;
    Ok(())
}

#[test]
fn a_session_ends_by_sign_out_idleness_age_lock_reset_and_new_roles() -> Result<()> {
    let server = Server::start()?;
    made(&server, "boss", &["admin"])?;
    owner(&server, "zhang", &["clerk"])?;
    let enter = || -> Result<String> { sign_in(&server, "zhang", PASSWORD)?.cookie().context("a cookie") };
    let status = |cookie: &str| {
        Ok::<_, anyhow::Error>(http::get(&server.people, "/cases", &[("cookie", cookie)])?.status)
    };
    let age = |column: &str, ms: i64| -> Result<()> {
        let sql = format!("UPDATE session SET {column} = {column} - {ms}");
        server.database()?.open()?.execute(&sql, &[])?;
        Ok(())
    };
    let cookie = enter()?;
    assert_eq!(status(&cookie)?, 200);
    let out = server.submit(&cookie, "/sign-out", &[])?;
    assert_eq!(leads_to(&out), Some("/sign-in?out=1"));
    assert!(out.header("set-cookie").is_some_and(|c| c.starts_with("jinban_session=; Max-Age=0")));
    assert_eq!(status(&cookie)?, 303);
    assert!(server.public_page("/sign-in?out=1")?.text().contains("已退出"));

    let cookie = enter()?;
    age("seen_at_ms", 29 * 60_000)?;
    assert_eq!(status(&cookie)?, 200, "and this call is noted");
    age("seen_at_ms", 29 * 60_000)?;
    assert_eq!(status(&cookie)?, 200);
    age("seen_at_ms", 31 * 60_000)?;
    assert_eq!(status(&cookie)?, 303);
    let cookie = enter()?;
    age("created_at_ms", 12 * 3_600_000)?;
    assert_eq!(status(&cookie)?, 303);

    for command in [
        &["account", "lock", "zhang"][..],
        &["account", "roles", "zhang", "--role", "reviewer"],
        &["account", "reset", "zhang"],
    ] {
        let cookie = enter()?;
        assert_eq!(status(&cookie)?, 200);
        assert!(server.command(command)?.status.success());
        assert_eq!(status(&cookie)?, 303, "{command:?}");
        if command.contains(&"lock") {
            let refused = sign_in(&server, "zhang", PASSWORD)?;
            assert!(refused.status == 401 && refused.text().contains("已停用"));
            assert!(server.command(&["account", "unlock", "zhang"])?.status.success());
        }
    }
    Ok(())
}

#[test]
fn a_session_of_somebody_elses_making_is_never_taken_over() -> Result<()> {
    let server = Server::start()?;
    owner(&server, "zhang", &["clerk"])?;
    owner(&server, "evil", &["clerk"])?;
    let planted = sign_in(&server, "evil", PASSWORD)?.cookie().context("a cookie")?;
    let fields = form(&[("name", "zhang"), ("password", PASSWORD)]);
    let headers = [FORM, OWN_PAGE, ("cookie", planted.as_str())];
    let entered = http::post(&server.people, "/sign-in", &headers, fields.as_bytes())?;
    let fresh = entered.cookie().context("a cookie")?;
    assert_ne!(fresh, planted);
    let see = |cookie: &str| http::get(&server.people, "/account", &[("cookie", cookie)]);
    assert!(see(&fresh)?.text().contains("zhang"));
    assert_eq!(see(&planted)?.status, 303, "the planted one ended");
    // Two tokens at once are none, whichever comes first.
    let other = sign_in(&server, "evil", PASSWORD)?.cookie().context("a cookie")?;
    for both in [format!("{fresh}; {other}"), format!("{other}; {fresh}")] {
        assert_eq!(see(&both)?.status, 303);
    }
    Ok(())
}

#[test]
fn other_sessions_of_ones_own_are_seen_and_ended() -> Result<()> {
    let server = Server::start()?;
    let here = owner(&server, "zhang", &["clerk"])?;
    let there = sign_in(&server, "zhang", PASSWORD)?.cookie().context("a cookie")?;
    let see = |cookie: &str| http::get(&server.people, "/account", &[("cookie", cookie)]);
    assert!(see(&here)?.text().contains("结束其他登录"));
    assert_eq!(leads_to(&server.submit(&here, "/account/sessions", &[])?), Some("/account"));
    assert_eq!((see(&here)?.status, see(&there)?.status), (200, 303));
    assert!(!see(&here)?.text().contains("结束其他登录"), "there is none");
    Ok(())
}

#[test]
fn no_password_and_no_token_lies_anywhere_in_clear() -> Result<()> {
    let server = Server::start_with(&["--log", "trace"])?;
    let first = made(&server, "zhang", &["clerk"])?;
    let cookie = sign_in(&server, "zhang", &first)?.cookie().context("a cookie")?;
    let fields = [("old", first.as_str()), ("new", PASSWORD), ("again", PASSWORD)];
    let fresh = server.submit(&cookie, "/account/password", &fields)?.cookie().context("a cookie")?;
    sign_in(&server, PASSWORD, "zhang")?;
    server.submit(&fresh, "/account/password", &[("old", "x"), ("new", PASSWORD), ("again", PASSWORD)])?;
    let stored = server.stored_bytes()?;
    let has = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(has("$argon2id$v=19$m=19456,t=2,p=1$"), "hashes are there");
    for secret in [
        first.as_str(),
        PASSWORD,
        cookie.split('=').nth(1).context("a token")?,
        fresh.split('=').nth(1).context("a token")?,
    ] {
        assert!(!has(secret), "in the store");
    }
    // The harness looks for the password in the log when the server stops.
    let mut server = server;
    server.stop()
}
