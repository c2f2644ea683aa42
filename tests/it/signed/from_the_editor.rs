//! The whole way of a change: edited and checked in a browser, signed apart, tried on one terminal, taken by the others;
//! the next version is bad, stops by itself and is taken back; a terminal that was away catches up.
use anyhow::{Result, ensure};
use sync_server::auth::role::Role;
use tests::browser::Browser;
use tests::people::Person;
use tests::server::Server;

use super::office::Office;
use super::rollout::{Enrolled, runs, stations, two_rings, without_station};

const CODE: &str = "hrss.sscard-status";
const WORDS: &str = "看看社保卡做到哪一步了";

/// In the browser: the maker changes the item's one line and hands it on, the checker lets it through and makes version 6.
fn edit_and_check(browser: &Browser, server: &Server, (maker, checker): (&Person, &Person)) -> Result<()> {
    let open = |path: &str| browser.open(&format!("{}{path}", server.people));
    browser.become_person(server, maker)?;
    open(&format!("/catalogue/items/{CODE}/draft?part=guide"))?;
    browser.fill("guide.one_line.zh", WORDS)?;
    browser.press("保存草稿")?;
    browser.find_words("草稿已保存")?;
    browser.find("[name='note']")?.type_keys("更好懂")?;
    browser.press("送审核")?;
    browser.find_words("待审核")?;
    browser.become_person(server, checker)?;
    open("/catalogue/changes")?;
    browser.find_words(WORDS)?;
    browser.press("通过")?;
    browser.press("用 1 份已通过的草稿生成候选版本")?;
    browser.find_words("候选版本 v6")?;
    Ok(())
}

#[test]
fn a_change_goes_from_the_editors_browser_to_every_terminal_and_a_bad_version_comes_back() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    let (server, stations) = (&office.server, stations()?);
    office.publish_edited((5, ""), two_rings)?;
    let enrolled =
        stations.iter().map(|station| Enrolled::at(&office, station)).collect::<Result<Vec<_>>>()?;
    let mut away = enrolled[2].start(&office);
    runs(&mut away, 5);
    drop(away);
    let (mut first, mut second) = (enrolled[0].start(&office), enrolled[1].start(&office));
    runs(&mut first, 5);
    runs(&mut second, 5);

    // The maker writes, the checker reads and makes version 6 of it.
    let [maker, checker, operator] = [Role::Editor, Role::Checker, Role::Operator];
    let (maker, checker) = (server.person(&[maker])?, server.person(&[checker])?);
    let operator = server.person(&[operator])?;
    let browser = Browser::start()?;
    let open = |path: &str| browser.open(&format!("{}{path}", server.people));
    edit_and_check(&browser, server, (&maker, &checker))?;

    // Signed apart, published to the first ring; the page follows by itself until all have it.
    let candidate = server.page_of(&checker, "/catalogue/candidate.json")?;
    ensure!(candidate.status == 200, "{}", candidate.text());
    std::fs::write(office.path("v6.json"), candidate.text())?;
    browser.become_person(server, &operator)?;
    open("/rollout")?;
    office.sign_and_publish("v6.json", (6, "--pilot T-01"))?;
    browser.find_words("v6 分批发布")?;
    runs(&mut first, 6);
    runs(&mut second, 6);
    browser.find_words("已用上")?;
    let shown = |catalogue: &domain::catalogue::Catalogue| {
        let item = catalogue.items.values().find(|item| item.code.as_str() == CODE);
        item.map(|item| item.guide.one_line.zh.clone())
    };
    assert_eq!(shown(&first.model().catalogue).as_deref(), Some(WORDS));

    // Version 8 does not know where the first one stands.
    office.publish_edited((8, "--pilot T-01"), |folder| {
        two_rings(folder)?;
        without_station(folder, &stations[0])
    })?;
    browser.find_words("v8 分批发布")?;
    runs(&mut first, 9);
    browser.find_words("已回退")?;
    browser.find_words("失败的终端到了门槛")?;
    assert_eq!(second.model().catalogue.version, 6, "it was never told");
    assert_eq!(shown(&first.model().catalogue).as_deref(), Some(WORDS), "the content before");

    // Who was away since version 5 takes what is good.
    let mut away = enrolled[2].start(&office);
    runs(&mut away, 6);
    assert_eq!(shown(&away.model().catalogue).as_deref(), Some(WORDS));

    // The history tells who, and the draft is closed.
    browser.become_person(server, &checker)?;
    open("/catalogue/versions")?;
    browser.find_words("更好懂")?;
    assert_eq!(server.number("SELECT COUNT(*) FROM catalogue_draft")?, 0);
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    Ok(())
}
