//! Times of visits, by which "from 70 to 20 minutes" is measured, and how many came by hour.
use anyhow::{Context as _, Result};
use sync_server::auth::role::Role;
use sync_server::store::in_transaction;
use tests::device::{ITEM, courier, now_ms};
use tests::people::Person;

use super::{Window, leads_to};

const MINUTE_MS: i64 = 60_000;

/// One column of the only visit.
fn column(window: &Window, name: &str) -> Result<i64> {
    window.server.number(&format!("SELECT COALESCE({name}, -1) FROM visit"))
}

#[test]
fn a_visit_is_called_begins_with_the_form_and_ends_with_the_slip() -> Result<()> {
    let window = Window::new()?;
    let before = now_ms();
    for _ in 0..2 {
        leads_to(&window.call("window")?)?;
    }
    assert_eq!(window.count("visit")?, 1, "one person is called once");
    let called = column(&window, "called_at_ms")?;
    assert!(called >= before && column(&window, "started_at_ms")? == -1);
    let form = window.begins(ITEM)?;
    let started = column(&window, "started_at_ms")?;
    assert!(started >= called && column(&window, "finished_at_ms")? == -1);
    window.hands_in(&form, &courier())?;
    assert!(column(&window, "finished_at_ms")? >= started);
    let home = window.page(&window.clerk, "/window")?;
    assert!(home.contains("叫下一位"), "the next one may come");

    // One more matter of the same person: the time goes on.
    let id = window.page(&window.clerk, "/window/mine")?;
    let number = id.split("/window/slips/").nth(1).context("a case")?.split('"').next().unwrap_or_default();
    let slip = window.page(&window.clerk, &format!("/window/slips/{number}"))?;
    let with = slip.split("/window?with=").nth(1).context("a link")?.split('"').next().unwrap_or_default();
    let home = window.page(&window.clerk, &format!("/window?with={with}&q={ITEM}"))?;
    assert!(home.contains("同一个人再办一件") && home.contains(&format!("{ITEM}?with={with}")), "{home}");
    leads_to(&window.asks(ITEM, &[("with", with), ("window", "")])?)?;
    assert_eq!((window.count("visit")?, column(&window, "finished_at_ms")?), (1, -1));
    assert_eq!(column(&window, "started_at_ms")?, started, "since the first form");
    // It is ended without the second matter: what was handed in was handed in.
    let end = format!("/window/visits/{with}/end");
    leads_to(&window.server.submit(&window.clerk.cookie, &end, &[("reason", "left")])?)?;
    let served = "SELECT COUNT(*) FROM visit WHERE ended = 'served'";
    assert_eq!(window.server.number(served)?, 1);
    // What was begun before is handed in all the same: its slip is the last one. Half an hour later nobody goes on.
    let drafts = window.page(&window.clerk, "/window")?;
    let path = drafts.split("href=\"/window/forms/").nth(1).context("a form")?.split('"').next();
    let form = super::Form { path: format!("/window/forms/{}", path.unwrap_or_default()) };
    long_ago(&window, "finished_at_ms", 5)?;
    let before = now_ms();
    window.hands_in(&form, &courier())?;
    assert!(column(&window, "finished_at_ms")? >= before, "until the last slip");
    assert_eq!(window.server.number(served)?, 1);
    long_ago(&window, "finished_at_ms", 31)?;
    let home = window.page(&window.clerk, &format!("/window?with={with}"))?;
    assert!(!home.contains("同一个人再办一件") && home.contains("叫下一位"), "{home}");
    let refused = window.asks(ITEM, &[("with", with), ("window", "")])?;
    assert!(refused.status == 422 && refused.text().contains("请写窗口号"), "{}", refused.text());
    Ok(())
}

/// Sets a time of the only visit so many minutes back.
fn long_ago(window: &Window, column: &str, minutes: i64) -> Result<()> {
    let mut store = window.server.database()?.open()?;
    let at_ms = now_ms() - minutes * MINUTE_MS;
    in_transaction(store.as_mut(), |tx| {
        tx.execute(&format!("UPDATE visit SET {column} = $1"), &[at_ms.into()])
    })?;
    Ok(())
}

#[test]
fn a_visit_that_was_left_open_is_forgotten_on_the_next_day() -> Result<()> {
    let window = Window::new()?;
    leads_to(&window.call("window")?)?;
    long_ago(&window, "opened_at_ms", 24 * 60)?;
    assert!(
        window.page(&window.clerk, "/window")?.contains("action=\"/window/call\""),
        "it keeps nobody waiting"
    );
    leads_to(&window.call("window")?)?;
    let of =
        |ended: &str| window.server.number(&format!("SELECT COUNT(*) FROM visit WHERE ended = '{ended}'"));
    assert_eq!((window.count("visit")?, of("forgotten")?, of("")?), (2, 1, 1));
    Ok(())
}

#[test]
fn a_clerk_gets_the_own_visits_only_and_neither_accounts_nor_numbers() -> Result<()> {
    let window = Window::new()?;
    let (_, number) = window.opens()?;
    let csv = |who: &Person| window.page(who, "/window/visits.csv?rows=visits");
    let (leader, account) = (window.server.person(&[Role::Leader])?, window.clerk.id.to_string());
    let whole = csv(&leader)?;
    assert!(whole.contains(&number) && whole.contains(&account), "{whole}");
    let own = csv(&window.clerk)?;
    assert_eq!(own.lines().count(), 2, "{own}");
    assert!(!own.contains(&number) && !own.contains(&account), "{own}");
    assert_eq!(csv(&window.other)?.lines().count(), 1, "nobody else's");
    assert_eq!(window.page(&window.other, "/window/visits.csv?rows=hours")?.lines().count(), 2, "counted");
    Ok(())
}

#[test]
fn whoever_leaves_without_a_case_is_counted_with_a_reason_and_by_nobody_else() -> Result<()> {
    let window = Window::new()?;
    leads_to(&window.call("window")?)?;
    let home = window.page(&window.clerk, "/window")?;
    let end = home
        .split("action=\"/window/visits/")
        .nth(1)
        .context("a form")?
        .split('"')
        .next()
        .unwrap_or_default();
    let end = format!("/window/visits/{end}");
    let stranger = window.server.submit(&window.other.cookie, &end, &[("reason", "left")])?;
    assert_eq!(stranger.status, 404);
    for reason in ["", "served", "bored"] {
        assert_eq!(
            window.server.submit(&window.clerk.cookie, &end, &[("reason", reason)])?.status,
            400,
            "{reason}"
        );
    }
    leads_to(&window.server.submit(&window.clerk.cookie, &end, &[("reason", "papers")])?)?;
    leads_to(&window.server.submit(&window.clerk.cookie, &end, &[("reason", "left")])?)?;
    let ended = "SELECT COUNT(*) FROM visit WHERE ended = 'papers' AND finished_at_ms IS NOT NULL";
    assert_eq!(window.server.number(ended)?, 1, "what has ended stays");
    let page = window.page(&window.other, "/window/visits")?;
    assert!(page.contains("未办 1") && page.contains("按小时"), "{page}");
    let leader = window.server.person(&[Role::Leader])?;
    let csv = window.page(&leader, "/window/visits.csv?rows=visits")?;
    assert!(csv.trim_end().ends_with(",,,"), "neither numbers nor minutes: {csv}");
    Ok(())
}

#[test]
fn visits_are_counted_by_hour_and_no_window_is_a_formula() -> Result<()> {
    let window = Window::new()?;
    // Tuesday, 24 November 2026, 09:00 in China.
    let nine = 1_795_482_000_000_i64;
    let evil = "=cmd|' /C calc'!A0";
    let mut store = window.server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        let sql = "INSERT INTO visit (id, window_, clerk, kind, opened_at_ms, called_at_ms, started_at_ms,
                   finished_at_ms, ended) VALUES ($1, $2, 'A-0001', 'window', $3, $3, $4, $5, 'served')";
        for (n, minutes) in (0..).zip([16_i64, 20, 31]) {
            let at = nine + n * 25 * MINUTE_MS;
            let (begun, done) = (at + 2 * MINUTE_MS, at + minutes * MINUTE_MS);
            let id = format!("v{n}");
            tx.execute(sql, &[id.into(), evil.into(), at.into(), begun.into(), done.into()])?;
        }
        Ok::<_, sync_server::store::StoreError>(())
    })?;
    let page = window.page(&window.clerk, "/window/visits?from=2026-11-24&to=2026-11-24")?;
    for words in ["2026-11-24 9–10 时", "<b>20.0</b>", "<b>18.0</b>", "<b>3</b>", "已办 3"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let leader = window.server.person(&[Role::Leader])?;
    let csv = |rows: &str| {
        let path = format!("/window/visits.csv?from=2026-11-24&to=2026-11-24&rows={rows}");
        window.page(&leader, &path)
    };
    let hours = csv("hours")?;
    assert!(hours.ends_with("2026-11-24,9,3,3,0,0,18.0,20.0\r\n"), "{hours}");
    let visits = csv("visits")?;
    let lines: Vec<_> = visits.lines().collect();
    assert_eq!(lines.len(), 4, "{visits}");
    assert!(lines[1].contains(&format!(",'{evil},")) && !visits.contains(&format!(",{evil}")), "{visits}");
    assert!(lines[1].contains("2026-11-24 09:00:00") && lines[1].ends_with(",14.0,16.0"), "{visits}");
    for (address, status) in [
        ("/window/visits?from=x", 400),
        ("/window/visits?from=2026-11-25&to=2026-11-24", 200),
        ("/window/visits?from=1900-01-01&to=2999-12-31", 200),
        ("/window/visits.csv?rows=%3Cscript%3E", 200),
    ] {
        assert_eq!(window.status(&leader, address)?, status, "{address}");
    }
    assert!(window.page(&leader, "/window/visits?from=2020-01-01&to=2020-01-02")?.contains("这几天没有到访"));
    Ok(())
}
