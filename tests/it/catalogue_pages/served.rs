//! The pages on the real server: who sees them, what they say, what they refuse, and that they leave nothing behind.
use anyhow::{Context as _, Result};
use sync_server::auth::role::Role;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;
use tests::people::{FORM, OWN_PAGE, form};
use tests::server::{CANARIES, Server};

use super::html::{put, sent, tags};

#[test]
fn bundles_are_listed_drawn_and_run_with_answers_from_the_address() -> Result<()> {
    let server = Server::start()?;
    let list = server.page("/catalogue/bundles")?;
    assert_eq!(list.status, 200);
    let text = list.text();
    assert!(text.contains("/catalogue/bundles/one.newborn") && text.contains("21 件"), "{text}");
    let page = server.page("/catalogue/bundles/one.newborn")?.text();
    assert!(page.contains("<svg class=\"graph\"") && page.contains("随整件承诺"), "{page}");
    assert_eq!(page.matches("class=\"step k-").count(), 8);
    let tags = tags(&page);
    let option = tags
        .iter()
        .filter(|tag| tag.get("name").is_some_and(|name| name.starts_with("_s.")))
        .find(|tag| tag.get("value").is_some_and(|value| !value.is_empty()))
        .context("a question")?;
    let (name, value) = (option.get("name").context("name")?, option.get("value").context("value")?);
    let asked = server.page(&format!("/catalogue/bundles/one.newborn?from=2027-02-01&{name}={value}"))?;
    assert!(asked.text().contains("（预计）"), "the year is not announced");
    let odd = "/catalogue/bundles/one.newborn?_s.nothing=1&from=x&_s.who=%3Cscript%3E&more=1";
    let odd = server.page(odd)?;
    assert!(odd.status == 200 && !odd.text().contains("<script>"), "{}", odd.status);
    for path in ["/catalogue/bundles/one.nothing", "/catalogue/bundles/%ff", "/catalogue/items/no.such/form"]
    {
        assert_eq!(server.page(path)?.status, 404, "{path}");
    }
    Ok(())
}

#[test]
fn a_sample_case_is_run_by_one_press() -> Result<()> {
    let server = Server::start()?;
    let path = "/catalogue/bundles/one.sscard";
    let page = server.page(&format!("{path}?from=2027-02-01"))?.text();
    assert!(page.contains("样例情形") && !page.contains("与预期不同"), "{page}");
    assert_eq!(page.matches("与预期一致").count(), 3);
    let links: Vec<String> = tags(&page)
        .into_iter()
        .filter_map(|tag| tag.get("href").filter(|href| href.contains("_s.card=")).map(str::to_owned))
        .collect();
    assert_eq!(links.len(), 3, "{links:?}");
    for (link, steps) in links.iter().zip([7, 3, 2]) {
        let run = server.page(&link.replace("&amp;", "&"))?.text();
        assert_eq!(run.matches("class=\"step k-").count() - run.matches("off-step").count(), steps, "{link}");
        let shown: Vec<_> = tags(&run)
            .into_iter()
            .filter(|tag| tag.get("aria-current").is_some_and(|v| v == "true"))
            .collect();
        let href = shown.iter().find_map(|tag| tag.get("href")).context("a case that is shown")?;
        assert_eq!(href, link.as_str(), "the day and the answers are kept");
    }
    Ok(())
}

#[test]
fn a_form_is_tried_without_scripts_and_nothing_is_left_behind() -> Result<()> {
    let server = Server::start()?;
    let cookie = server.console()?.cookie.clone();
    let rows = |server: &Server| -> Result<i64> {
        let mut all = 0;
        for table in ["case_", "envelope", "action", "audit", "change_"] {
            all += server.number(&format!("SELECT COUNT(*) FROM {table}"))?;
        }
        Ok(all)
    };
    let before = rows(&server)?;
    let path = "/catalogue/items/hrss.flex-enroll/form";
    let page = server.page(path)?.text();
    assert!(page.contains("试填") && page.contains("不保存，不发送"), "{page}");
    assert!(page.contains("<script src=\"/static/htmx.js\" defer></script>"));
    let mut pairs = sent(&tags(&page));
    pairs.retain(|(name, _)| name != "q");
    put(&mut pairs, "_do", "next");
    let send = |pairs: &[(String, String)], path: &str| -> Result<http::Answer> {
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let headers = [FORM, OWN_PAGE, ("cookie", cookie.as_str())];
        http::post(&server.people, path, &headers, form(&fields).as_bytes())
    };
    let answer = send(&pairs, path)?;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("这一项还没有填"), "{}", answer.text());
    let english = send(&pairs, &format!("{path}?lang=en"))?.text();
    assert!(english.contains("Not answered yet") && english.contains("Continue"), "{english}");
    // Too much, a field that is not there, a version that is not there, another site.
    let mut large = pairs.clone();
    put(&mut large, "_state", &"x".repeat(300_000));
    assert_eq!(send(&large, path)?.status, 413);
    let mut foreign = pairs.clone();
    put(&mut foreign, "admin", "1");
    assert_eq!(send(&foreign, path)?.status, 400);
    assert_eq!(send(&pairs, &format!("{path}?version=99"))?.status, 404);
    assert_eq!(send(&pairs, &format!("{path}?version=x"))?.status, 404);
    let elsewhere = [FORM, ("sec-fetch-site", "cross-site"), ("cookie", cookie.as_str())];
    assert_eq!(http::post(&server.people, path, &elsewhere, b"")?.status, 403);
    assert_eq!(rows(&server)?, before);
    Ok(())
}

#[test]
fn a_change_of_the_calendar_tells_which_cases_move_to_those_who_may_see_cases() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header.envelope_id, domain::case::CaseState::Submitted)?;
    let number = header.number.context("a number")?.to_string();
    let year = server.page("/catalogue/calendar?year=2026")?.text();
    assert_eq!(year.matches("<table class=\"month\">").count(), 12);
    for words in ["已公布", "2026-10-01 放假", "2026-10-10 调休上班"] {
        assert!(year.contains(words), "{words}");
    }
    let next = server.page("/catalogue/calendar?year=2031")?.text();
    assert!(next.contains("未公布，预计") && next.contains("预计放假"), "{next}");
    // Every weekday of the next weeks becomes a holiday: whatever was promised, it moves.
    let today = domain::date::CivilDate::in_china(tests::device::now_ms());
    let days = (1..=60).map(|n| today.plus_days(n)).filter(|day| day.weekday() <= 5).take(40);
    let changes: String = days.map(|day| format!("&change={day}:holiday")).collect();
    let address = format!("/catalogue/calendar?year=2026{changes}");
    let page = server.page(&address)?.text();
    assert!(page.contains("这些在办件会移动") && page.contains(&format!("/cases/{number}")), "{page}");
    let csv = server.page(&format!("/catalogue/calendar/moved.csv?year=2026{changes}"))?;
    assert!(csv.text().starts_with("\u{feff}\"办件号\"") && csv.text().contains(&number), "{}", csv.text());
    let file = server.page(&format!("/catalogue/calendar/calendar.json?{}", &changes[1..]))?;
    let file: serde_json::Value = file.json()?;
    assert!(file["days"].as_array().context("days")?.len() > 143 && file["years"]["2026"] == "published");
    let editor = server.person(&[Role::Editor])?;
    let seen = server.page_of(&editor, &address)?.text();
    assert!(seen.contains("1 / 1") && !seen.contains(&number), "counted, not named");
    let odd =
        server.page("/catalogue/calendar?year=99999&day=2026-02-30&change=2026-11-30:workday&change=x")?;
    assert!(odd.text().contains("不是周六或周日") && odd.text().contains("看不懂"), "{}", odd.text());
    for page in [&page, &seen, &year] {
        assert!(CANARIES.iter().all(|canary| !page.contains(canary)));
        assert!(!page.contains(" style=") && !page.contains("<style"));
        for group in [">calendar", ">bundles", ">nav.", ">step_kind", ">period."] {
            assert!(!page.contains(group), "a key instead of words: {group}");
        }
    }
    Ok(())
}
