//! The list of items: every item once, 25 a page, filters in the address, the same as CSV.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use tests::people::Person;
use tests::server::Server;

use super::{CODE, Console, leads_to};

fn codes(server: &Server, who: &Person, address: &str) -> Result<Vec<String>> {
    let text = server.page_of(who, address)?.text();
    let table = text.split("<tbody>").nth(1).unwrap_or_default();
    let links = table.split("href=\"/catalogue/items/").skip(1);
    Ok(links.filter_map(|l| l.split('"').next().map(str::to_owned)).collect())
}

#[test]
fn each_item_stands_once_and_filters_stand_in_the_address() -> Result<()> {
    let console = Console::new()?;
    let (server, who) = (&console.server, &console.maker);
    let mut address = "/catalogue/items".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = codes(server, who, &address)?;
        assert!((1..=25).contains(&page.len()), "{address}");
        seen.extend(page);
        let text = server.page_of(who, &address)?.text();
        let Some(before) = text.split("rel=\"next\"").next().filter(|_| text.contains("rel=\"next\"")) else {
            break;
        };
        let href = before.rsplit("href=\"").next().and_then(|t| t.split('"').next()).context("href")?;
        address = super::plain(href);
    }
    let catalogue =
        sync_server::startup::load_catalogue(&tests::binaries::repository().join("assets/catalogue"))?;
    let all: Vec<_> = catalogue.items.keys().map(ToString::to_string).collect();
    assert_eq!(seen, all);

    leads_to(&console.save(who, "guide", &[("guide.minutes", "9")])?)?;
    let department = sync_server::pages::in_query("人社");
    let of_department = codes(server, who, &format!("/catalogue/items?department={department}&page=1"))?;
    assert!(of_department.iter().all(|code| code.starts_with("hrss.")) && !of_department.is_empty());
    for (address, wanted) in [
        ("/catalogue/items?state=editing", vec![CODE.to_owned()]),
        ("/catalogue/items?state=ready", vec![]),
        ("/catalogue/items?q=hrss.sscard-status", vec![CODE.to_owned()]),
        ("/catalogue/items?q=shbzkzkjdcx", vec![CODE.to_owned()]),
        ("/catalogue/items?q=%27%20OR%201%3D1%20--", vec![]),
    ] {
        assert_eq!(codes(server, who, address)?, wanted, "{address}");
    }
    let said = format!("/catalogue/items?q={}", sync_server::pages::in_query("制卡进度"));
    assert_eq!(codes(server, who, &said)?, [CODE]);

    let csv = server.page_of(who, "/catalogue/items.csv")?;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = csv.text();
    let head = text.lines().next().unwrap_or_default();
    assert!(head.contains("承诺期限") && !text.contains("working_day"), "{head}");
    let first: BTreeSet<_> = text.split("\r\n").skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(all.iter().all(|code| first.contains(code.as_str())), "{text}");
    let few = server.page_of(who, "/catalogue/items.csv?state=editing")?.text();
    assert_eq!(few.trim_end().split("\r\n").count(), 2, "{few}");
    Ok(())
}
