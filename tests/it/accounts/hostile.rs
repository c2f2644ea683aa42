//! What no page of ours sends: other sites, odd forms, odd cookies. Each is refused in words, none is trouble.
use anyhow::{Context as _, Result};
use sync_server::auth::policy::Who;
use sync_server::routes::{Entry, people_table};
use tests::http;
use tests::people::{FORM, OWN_PAGE, form};
use tests::server::{PASSWORD, Server};

use super::{made, owner, sign_in};

#[test]
fn every_address_that_changes_something_refuses_calls_from_other_sites() -> Result<()> {
    let server = Server::start()?;
    let person = server.console()?.clone();
    let host = server.people.strip_prefix("http://").context("http")?.to_owned();
    let ours = format!("http://{host}");
    let mut tried = 0;
    // What proves itself in the call has no cookie that another site could use.
    let by_cookie = |e: &&Entry| e.method != "GET" && e.permit.who != Who::Device;
    for entry in people_table().iter().filter(by_cookie) {
        let path = entry.path.replace("{id}", person.id.as_str());
        let others: [&[(&str, &str)]; 6] = [
            &[],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", &ours)],
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
            &[("origin", "http://evil.example"), ("referer", &ours)],
        ];
        for marks in others {
            let headers = [&[FORM, ("cookie", person.cookie.as_str())][..], marks].concat();
            let answer = http::post(&server.people, &path, &headers, b"")?;
            assert_eq!(answer.status, 403, "{path} {marks:?}");
            assert!(answer.text().contains("cross-site"), "{path}");
            assert!(answer.header("set-cookie").is_none());
            tried += 1;
        }
    }
    assert_eq!(tried, 6 * 42, "every address that changes something");
    assert_eq!(server.page("/account")?.status, 200, "nobody was signed out or locked");
    // A browser that says where it comes from, in either way, is served.
    for mark in [OWN_PAGE, ("origin", ours.as_str())] {
        let headers = [FORM, mark, ("cookie", person.cookie.as_str())];
        assert_eq!(http::post(&server.people, "/account/sessions", &headers, b"")?.status, 303, "{mark:?}");
    }
    // Every form of ours stays on the site, and no page may be framed.
    for path in ["/sign-in", "/accounts/new", "/account"] {
        let page = server.page(path)?;
        let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(
            policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!page.text().contains("<script") && !page.text().contains(" style="), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
    }
    Ok(())
}

#[test]
fn empty_huge_and_odd_forms_are_refused_in_words() -> Result<()> {
    let server = Server::start()?;
    owner(&server, "zhang", &["clerk"])?;
    let send = |headers: &[(&str, &str)], body: &[u8]| {
        http::post(&server.people, "/sign-in", &[headers, &[OWN_PAGE]].concat(), body)
    };
    let huge = format!("name=zhang&password={}", "x".repeat(10 << 20));
    let large = format!("name=zhang&password={}", "x".repeat(15_000));
    let long_name = format!("name={}&password=x", "é".repeat(2_000));
    let many = format!("name=zhang&{}", "a=b&".repeat(3_000));
    let table: [(&[u8], u16, &str); 16] = [
        (b"", 401, ""),
        (b"name=&password=", 401, ""),
        (b"name=zhang", 401, ""),
        (b"password=x", 401, ""),
        (large.as_bytes(), 401, ""),
        (long_name.as_bytes(), 401, ""),
        (b"name=%27+OR+1%3D1+--&password=%27+OR+%27%27%3D%27", 401, ""),
        (b"name=%3Cscript%3Ealert(1)%3C%2Fscript%3E&password=x", 401, ""),
        (b"name=zhang&name=boss&password=x", 400, "malformed-request"),
        (b"name=zhang&password=x&role=admin", 400, "malformed-request"),
        (b"name=zhang%00&password=x", 400, "malformed-request"),
        (b"name=zhang&password=%00", 400, "malformed-request"),
        (b"\xff\xfe\x00=\x80", 400, "malformed-request"),
        (b"{\"name\":\"zhang\"}", 400, "malformed-request"),
        (huge.as_bytes(), 413, "too-large"),
        (many.as_bytes(), 400, "malformed-request"),
    ];
    for (body, status, code) in table {
        let answer = send(&[FORM], body)?;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(answer.status, status, "{shown}");
        let text = answer.text();
        assert!(text.contains(code) && !text.contains("<script>") && answer.cookie().is_none(), "{shown}");
        assert!(answer.header("content-type").unwrap_or_default().starts_with("text/html"), "{shown}");
        assert!(text.len() < 20_000, "what was typed is not sent back whole: {}", text.len());
    }
    for headers in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "multipart/form-data; boundary=x")],
    ] {
        assert_eq!(send(headers, b"name=zhang&password=x")?.status, 415, "{headers:?}");
    }
    // None of it keeps the right one out: wrong ones of this name were few.
    assert_eq!(sign_in(&server, "zhang", PASSWORD)?.status, 303);
    Ok(())
}

#[test]
fn odd_cookies_are_nobodys() -> Result<()> {
    let server = Server::start()?;
    let person = server.console()?.clone();
    let token = person.cookie.split('=').nth(1).context("a token")?;
    let flipped: String = token.chars().rev().collect();
    let long = format!("jinban_session={}", "A".repeat(20_000));
    for cookie in [
        "",
        "jinban_session",
        "jinban_session=",
        &format!("jinban_session={flipped}"),
        &format!("jinban_session={token}="),
        &format!("jinban_session={}", token.to_lowercase()),
        &format!("__Host-jinban_session={token}"),
        &format!("JINBAN_SESSION={token}"),
        "jinban_session=%27%20OR%201%3D1",
        "jinban_session=\u{7f}",
        &long,
    ] {
        let answer = http::get(&server.people, "/cases", &[("cookie", cookie)])?;
        assert!([303, 400].contains(&answer.status), "{cookie} {}", answer.status);
    }
    let shown = format!("a=b; {}; c=d", person.cookie);
    assert_eq!(http::get(&server.people, "/cases", &[("cookie", &shown)])?.status, 200);
    // The key of the store is no token.
    let key = server.rows("SELECT token_digest FROM session", &[])?;
    let key = key.first().context("a row")?.text(0)?.to_owned();
    let answer = http::get(&server.people, "/cases", &[("cookie", &format!("jinban_session={key}"))])?;
    assert_eq!(answer.status, 303);
    Ok(())
}

#[test]
fn a_proxy_names_who_guesses_and_others_behind_it_go_on() -> Result<()> {
    let server = Server::start_with(&["--people-proxy", "--people-url", "https://jinban.example"])?;
    let first = made(&server, "zhang", &["clerk"])?;
    let send = |address: &str, name: &str, password: &str| {
        let fields = form(&[("name", name), ("password", password)]);
        let headers = [FORM, OWN_PAGE, ("x-forwarded-for", address)];
        http::post(&server.people, "/sign-in", &headers, fields.as_bytes())
    };
    for n in 0..50 {
        let answer = send("203.0.113.5, 192.0.2.1", &format!("guess{n}"), "x")?;
        assert_eq!(answer.status, if n < 49 { 401 } else { 429 }, "{n}");
    }
    assert_eq!(send("192.0.2.1", "zhang", &first)?.status, 429, "this one waits");
    assert_eq!(send("192.0.2.1, 198.51.100.7, 192.0.2.1", "zhang", &first)?.status, 429);
    let entered = send("192.0.2.1, 198.51.100.7", "zhang", &first)?;
    assert_eq!(entered.status, 303, "others go on");
    let cookie = entered.header("set-cookie").unwrap_or_default();
    assert!(cookie.starts_with("__Host-jinban_session=") && cookie.ends_with("; Secure"), "{cookie}");
    let back = http::get(
        &server.people,
        "/account/password",
        &[("cookie", &entered.cookie().context("a cookie")?)],
    )?;
    assert_eq!(back.status, 200);
    Ok(())
}
