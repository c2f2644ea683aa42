//! The console: every case once, filters in the URL, friendly errors, nothing personal, nothing inline.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;
use tests::server::{CANARIES, Server};

#[test]
fn an_empty_console_teaches_and_leads_to_the_list() -> Result<()> {
    let server = Server::start()?;
    let home = server.page("/")?;
    assert_eq!((home.status, home.header("location")), (303, Some("/cases")));
    let page = server.page("/cases")?;
    assert_eq!(page.status, 200);
    for words in ["还没有办件", "enrol-code", "示例数据", "样例员"] {
        assert!(page.text().contains(words), "{words}");
    }
    Ok(())
}

#[test]
fn the_list_pages_through_all_cases_and_filters_by_its_address() -> Result<()> {
    let server = Server::start()?;
    let mut here = Device::enrol(&server, 1)?;
    let mut there = Device::enrol_with(&server, &server.enrol_code("XN-CCB-CD-02")?, 2)?;
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let uploads = (0..20).map(|_| here.seal(&courier())).collect::<Result<Vec<_>>>()?;
        assert!(here.send(&server, &uploads)?.results.iter().all(|r| r.outcome == Outcome::Accepted));
        for upload in &uploads {
            numbers.push(header_of(upload)?.number.context("a number")?.to_string());
        }
    }
    let odd = there.seal_with(b"{}", |_| {})?;
    there.send(&server, std::slice::from_ref(&odd))?;
    let odd = header_of(&odd)?;
    wait_for_state(&there, &server, odd.envelope_id, CaseState::Quarantined)?;
    let odd_number = odd.number.context("a number")?.to_string();

    let mut address = "/cases".to_owned();
    let mut seen = Vec::new();
    loop {
        let text = server.page(&address)?.text();
        seen.extend(rows(&text));
        match text.split("rel=\"next\"").next().filter(|_| text.contains("rel=\"next\"")) {
            Some(before) => {
                let href =
                    before.rsplit("href=\"").next().and_then(|t| t.split('"').next()).context("href")?;
                address = href.replace("&#38;", "&");
            }
            None => break,
        }
    }
    let mut wanted: Vec<_> = numbers.iter().rev().cloned().collect();
    wanted.insert(0, odd_number.clone());
    assert_eq!(seen, wanted, "each once, newest first");

    let last_four = &numbers[5][12..];
    let table = [
        ("/cases?state=quarantined".to_owned(), vec![odd_number.clone()]),
        ("/cases?station=XN-CCB-CD-02".to_owned(), vec![odd_number.clone()]),
        (format!("/cases?q={}", numbers[5]), vec![numbers[5].clone()]),
        (format!("/cases?q={last_four}"), vec![numbers[5].clone()]),
        ("/cases?state=completed".to_owned(), vec![]),
        ("/cases?q=%27%20OR%201%3D1%20--".to_owned(), vec![]),
        ("/cases?q=hrss.flex&station=XN-CCB-CD-02".to_owned(), vec![odd_number]),
    ];
    for (address, wanted) in table {
        let page = server.page(&address)?;
        assert_eq!((page.status, rows(&page.text())), (200, wanted), "{address}");
    }
    assert!(server.page("/cases?state=completed")?.text().contains("没有符合条件的办件"));
    Ok(())
}

fn rows(page: &str) -> Vec<String> {
    let links = page.split("class=\"mono\" href=\"/cases/").skip(1);
    links.filter_map(|l| l.split('"').next().map(str::to_owned)).collect()
}

#[test]
fn unknown_addresses_are_friendly_pages_and_odd_texts_are_shown_as_text() -> Result<()> {
    let server = Server::start()?;
    for path in
        ["/cases/XN26112400100013", "/cases/%E5%BC%A0", "/cases/%ff", "/nothing", "/static/x", "/problems/x"]
    {
        let page = server.page(path)?;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text().contains("怎么办"), "{path}: {}", page.text());
        assert!(page.header("content-type").unwrap_or_default().starts_with("text/html"), "{path}");
    }
    let cookie = ("cookie", server.console()?.cookie.as_str());
    assert_eq!(http::call(&server.people, "POST", "/cases", &[cookie], Some(b""))?.status, 405);
    let page = server.page("/cases?q=%3Cscript%3Ealert(1)%3C/script%3E&state=%00&before=-1&station=..")?;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("<script"), "escaped");
    for code in sync_server::error::ProblemCode::ALL {
        let page = server.page(&format!("/problems/{}", code.as_str()))?;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(code.as_str()));
    }
    Ok(())
}

#[test]
fn pages_carry_a_strict_policy_and_nothing_inline_or_personal() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let header = header_of(&upload)?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header.envelope_id, CaseState::Submitted)?;
    let number = header.number.context("a number")?;
    let slip = format!("/slips/{number}?d={}", upload.digest.short());
    assert_eq!(server.public_page(&slip)?.status, 200, "whoever has the slip needs no account");
    for path in ["/cases", &format!("/cases/{number}"), &slip, "/problems/busy", "/nothing"] {
        let page = server.page(path)?;
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains(" style=") && !text.contains("<style"), "{path}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} loads from elsewhere");
        assert!(CANARIES.iter().all(|c| !text.contains(c)), "{path}");
        for group in [">problem.", ">state.", ">mark.", ">next.", ">action.", ">field_error."] {
            assert!(!text.contains(group), "{path} shows a key of {group} instead of words");
        }
    }
    for name in ["jinban.css", "icons.svg", "mark.svg"] {
        let file = server.page(&format!("/static/{name}"))?;
        assert_eq!(file.status, 200, "{name}");
        assert!(file.header("cache-control").unwrap_or_default().contains("max-age"), "{name}");
    }
    Ok(())
}
