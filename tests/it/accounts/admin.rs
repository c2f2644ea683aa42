//! An administrator's pages: making accounts, changing, locking and resetting them, finding them.
use anyhow::{Context as _, Result};
use sync_server::auth::role::Role;
use tests::http;
use tests::people::Person;
use tests::server::{PASSWORD, Server};

use super::{leads_to, owner, sign_in};

fn boss(server: &Server) -> Result<Person> {
    server.person(&[Role::Admin])
}

/// The one password that a page shows.
fn shown(page: &str) -> Result<String> {
    let text = page.split("<dd class=\"number\">").nth(1).and_then(|t| t.split('<').next());
    Ok(text.context("a password")?.to_owned())
}

/// A hidden or typed value of a form.
fn value(page: &str, name: &str) -> Result<String> {
    let text = page.split(&format!("name=\"{name}\" value=\"")).nth(1).and_then(|t| t.split('"').next());
    Ok(text.with_context(|| format!("no {name}"))?.to_owned())
}

#[test]
fn an_account_is_made_used_changed_locked_and_given_a_new_password() -> Result<()> {
    let server = Server::start()?;
    let boss = boss(&server)?;
    let form = server.page_of(&boss, "/accounts/new")?.text();
    assert!(form.contains("<option value=\"人社\">"), "departments of the catalogue are offered");
    let fields =
        [("name", "Wang.Wu"), ("display", "样例王"), ("unit", "人社"), ("clerk", "on"), ("inspector", "on")];
    let made = server.submit(&boss.cookie, "/accounts", &fields)?;
    assert_eq!(made.status, 200, "{}", made.text());
    let first = shown(&made.text())?;
    assert_eq!(made.header("cache-control"), Some("no-store"), "nobody keeps it");
    let again = server.submit(&boss.cookie, "/accounts", &fields)?;
    assert!(again.status == 422 && again.text().contains("已经有人用了"));
    let entered = sign_in(&server, "wang.wu", &first)?;
    assert_eq!(leads_to(&entered), Some("/account/password"));

    let list = server.page_of(&boss, "/accounts?q=%E6%A0%B7%E4%BE%8B%E7%8E%8B")?.text();
    let address =
        list.split("<a href=\"/accounts/A-").nth(1).and_then(|t| t.split('"').next()).context("a link")?;
    let address = format!("/accounts/A-{address}");
    assert!(list.contains("受理员、巡查员") && list.contains("还没换初始密码"), "{list}");
    let page = server.page_of(&boss, &address)?.text();
    let version = value(&page, "version")?;
    let change = [("display", "样例五"), ("unit", ""), ("reviewer", "on"), ("version", version.as_str())];
    assert_eq!(leads_to(&server.submit(&boss.cookie, &address, &change)?), Some(address.as_str()));
    // The second administrator had the page open all the time: nothing is lost, what is there now is shown.
    let late = server.submit(
        &boss.cookie,
        &address,
        &[("display", "别的"), ("clerk", "on"), ("version", &version)],
    )?;
    assert_eq!(late.status, 409);
    let text = late.text();
    assert!(text.contains("别人刚改过") && text.contains("样例五") && !text.contains("别的"), "{text}");
    assert_ne!(value(&text, "version")?, version);

    assert_eq!(
        leads_to(&server.submit(&boss.cookie, &format!("{address}/lock"), &[])?),
        Some(address.as_str())
    );
    assert!(sign_in(&server, "wang.wu", &first)?.text().contains("已停用"));
    server.submit(&boss.cookie, &format!("{address}/unlock"), &[])?;
    let reset = server.submit(&boss.cookie, &format!("{address}/reset"), &[])?;
    let second = shown(&reset.text())?;
    assert_ne!(first, second);
    assert_eq!(sign_in(&server, "wang.wu", &first)?.status, 401);
    assert_eq!(sign_in(&server, "wang.wu", &second)?.status, 303);
    assert!(!server.page_of(&boss, &address)?.text().contains(&second), "shown once");
    let id = address.trim_start_matches("/accounts/");
    let rows = server.rows(
        "SELECT event FROM audit WHERE actor = $1 AND subject = $2 ORDER BY seq",
        &[boss.id.as_str().into(), id.into()],
    )?;
    let events: Vec<_> = rows.iter().map(|r| r.text(0)).collect::<Result<_, _>>()?;
    assert_eq!(
        events,
        ["account.added", "account.roles", "account.locked", "account.unlocked", "account.password-reset"]
    );
    Ok(())
}

/// What was typed, and words that the page must have.
type Typed<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn mistakes_are_told_at_their_fields_and_nothing_is_made() -> Result<()> {
    let server = Server::start()?;
    let boss = boss(&server)?;
    let long = "长".repeat(21);
    let table: [Typed<'_>; 5] = [
        (&[], &["登录名要", "姓名要", "至少选一个角色"]),
        (&[("name", "张三"), ("display", "甲"), ("clerk", "on")], &["登录名要"]),
        (
            &[("name", "a'--"), ("display", &long), ("unit", &long), ("clerk", "on")],
            &["登录名要", "姓名要", "单位最多"],
        ),
        (&[("name", "both"), ("display", "甲"), ("editor", "on"), ("checker", "on")], &["不能是同一个人"]),
        (&[("name", "x<script>"), ("display", "<script>alert(1)</script>"), ("clerk", "on")], &["登录名要"]),
    ];
    for (fields, words) in table {
        let refused = server.submit(&boss.cookie, "/accounts", fields)?;
        let text = refused.text();
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(words.iter().all(|w| text.contains(w)) && text.contains("有几处需要改"), "{words:?}: {text}");
        assert!(!text.contains("<script>"), "escaped");
    }
    let before = server.number("SELECT COUNT(*) FROM account")?;
    for fields in [
        &[("name", "sly"), ("display", "甲"), ("clerk", "on"), ("locked", "0")][..],
        &[("name", "sly"), ("display", "甲"), ("emperor", "on")],
        &[("name", "sly"), ("display", "甲\0"), ("clerk", "on")],
    ] {
        assert_eq!(server.submit(&boss.cookie, "/accounts", fields)?.status, 400, "{fields:?}");
    }
    let own = format!("/accounts/{}", boss.id);
    for (path, fields, status) in [
        ("/accounts/A-0099", &[("display", "甲"), ("clerk", "on"), ("version", "1")][..], 404),
        ("/accounts/A-0099/lock", &[], 404),
        ("/accounts/A-0099/reset", &[], 404),
        ("/accounts/x/lock", &[], 404),
        (own.as_str(), &[("display", "甲"), ("clerk", "on"), ("version", "-1")], 400),
        (own.as_str(), &[("display", "甲"), ("version", "1")], 422),
    ] {
        assert_eq!(server.submit(&boss.cookie, path, fields)?.status, status, "{path} {fields:?}");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM account")?, before);
    Ok(())
}

#[test]
fn the_last_administrator_stays() -> Result<()> {
    let server = Server::start()?;
    let boss = boss(&server)?;
    let own = format!("/accounts/{}", boss.id);
    let version = value(&server.page_of(&boss, &own)?.text(), "version")?;
    let plain = [("display", "甲"), ("operator", "on"), ("version", version.as_str())];
    for (path, fields) in [(own.clone(), &plain[..]), (format!("{own}/lock"), &[])] {
        let refused = server.submit(&boss.cookie, &path, fields)?;
        assert!(refused.status == 409 && refused.text().contains("最后一个能登录的管理员"), "{path}");
    }
    owner(&server, "second", &["admin"])?;
    assert_eq!(server.submit(&boss.cookie, &own, &plain)?.status, 303);
    assert_eq!(server.page_of(&boss, "/accounts")?.status, 303, "new roles end the session");
    Ok(())
}

#[test]
fn the_list_is_found_by_its_address_page_by_page() -> Result<()> {
    let server = Server::start()?;
    let boss = boss(&server)?;
    for n in 0..60 {
        server.person(if n % 2 == 0 { &[Role::Clerk] } else { &[Role::Reviewer] })?;
    }
    let rows = |path: &str| -> Result<(usize, Option<String>)> {
        let page = server.page_of(&boss, path)?;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text();
        let next = text.split("rel=\"next\"").next().filter(|_| text.contains("rel=\"next\""));
        let next =
            next.and_then(|t| t.rsplit("href=\"").next()?.split('"').next()).map(|t| t.replace("&#38;", "&"));
        Ok((text.matches("<a href=\"/accounts/A-").count(), next))
    };
    let (first, next) = rows("/accounts")?;
    let (second, end) = rows(&next.context("a second page")?)?;
    assert_eq!((first, second, end), (50, 11, None));
    for (path, count) in [
        ("/accounts?role=clerk", 30),
        ("/accounts?role=admin", 1),
        ("/accounts?state=locked", 0),
        ("/accounts?role=emperor&state=odd&after=-1&q=", 50),
        ("/accounts?q=%25", 0),
        ("/accounts?q=%27%20OR%201%3D1%20--", 0),
        ("/accounts?q=%00&after=99999999999999999999", 50),
        ("/accounts?after=9223372036854775807", 0),
    ] {
        assert_eq!(rows(path)?.0, count, "{path}");
    }
    let odd = server.page_of(&boss, "/accounts?q=%3Cscript%3E")?.text();
    assert!(!odd.contains("<script") && odd.contains("没有符合条件的账号"));
    assert_eq!(server.page_of(&boss, "/accounts?q=a&q=b")?.status, 400);
    Ok(())
}

#[test]
fn every_person_sees_their_own_pages_only() -> Result<()> {
    let server = Server::start()?;
    let clerk = server.person(&[Role::Clerk])?;
    let editor = server.person(&[Role::Editor])?;
    let boss = boss(&server)?;
    for (person, home) in [(&clerk, "/cases"), (&editor, "/catalogue/items"), (&boss, "/accounts")] {
        assert_eq!(leads_to(&server.page_of(person, "/")?), Some(home));
    }
    let page = server.page_of(&clerk, "/cases")?.text();
    assert!(
        page.contains("样例员") && page.contains("受理员") && !page.contains("href=\"/accounts\""),
        "{page}"
    );
    let page = server.page_of(&boss, "/accounts")?.text();
    assert!(!page.contains("href=\"/cases"), "no list of cases, no search: {page}");
    let refused = server.page_of(&boss, "/cases")?;
    assert!(refused.status == 403 && refused.text().contains("您的角色不能打开这一页"));
    assert!(!server.stored_bytes()?.windows(PASSWORD.len()).any(|w| w == PASSWORD.as_bytes()));
    assert_eq!(http::get(&server.people, "/account", &[])?.status, 303);
    Ok(())
}
