//! A version goes to one terminal, then to all; one that does not activate stops by itself and is taken back; a terminal
//! that was away catches up. And what people do with it on the pages.
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use domain::catalogue::Policies;
use serde_json::{Value, json};
use std::process::Command as Process;
use sync_server::auth::role::Role;
use sync_server::services::rollout::{self, Begin};
use sync_server::store::in_transaction;
use terminal::headless::HeadlessTerminal;
use terminal::store::Store;
use tests::binaries::binary;
use tests::browser::Browser;
use tests::device::{Device, now_ms};
use tests::server::Server;
use tests::visit::{self, PATIENCE};

use super::office::Office;

const STATION: &str = "XN-CCB-CD-01";

/// A terminal that is enrolled and not running.
pub(super) struct Enrolled(tempfile::TempDir);

impl Enrolled {
    pub(super) fn at(office: &Office, station: &str) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let code = office.server.enrol_code(station)?;
        let enrolled = Process::new(binary("terminal"))
            .args(["enrol", "--server", &office.server.terminals, "--code", &code, "--data"])
            .arg(data.path())
            .output()?;
        ensure!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        Ok(Self(data))
    }

    pub(super) fn start(&self, office: &Office) -> HeadlessTerminal {
        visit::start(&visit::config(self.0.path(), &office.server.terminals))
    }
}

#[track_caller]
pub(super) fn runs(terminal: &mut HeadlessTerminal, version: u64) {
    let came = terminal.wait_until(PATIENCE, |m| m.catalogue.version == version);
    assert!(came, "{version} did not come; it runs {}", terminal.model().catalogue.version);
}

/// Two rings: one terminal, then all; half of a ring is enough; what stops by itself goes back by itself.
pub(super) fn two_rings(folder: &Path) -> Result<()> {
    edit(&folder.join("policies.json"), |policies| {
        let ring = |id, size: Value| json!({ "id": id, "size": size, "success_percent": 50, "failure_percent": 60, "deadline_minutes": 30 });
        policies["rollout"] = json!([ring("first", 1.into()), ring("all", "all".into())]);
        policies["back_by_itself"] = true.into();
    })
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut value: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    change(&mut value);
    Ok(std::fs::write(file, value.to_string())?)
}

/// The ids of the last stations of the sample: no notice names them.
pub(super) fn stations() -> Result<Vec<String>> {
    let file = tests::binaries::repository().join("assets/catalogue/stations.json");
    let value: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let list = value.as_array().or_else(|| value["stations"].as_array()).context("stations")?;
    list.iter().rev().take(3).map(|s| Ok(s["id"].as_str().context("an id")?.to_owned())).collect()
}

/// A version that does not know one station: its terminal cannot serve with it.
pub(super) fn without_station(folder: &Path, station: &str) -> Result<()> {
    edit(&folder.join("stations.json"), |value| {
        let list = if value.is_array() { value } else { &mut value["stations"] };
        if let Some(list) = list.as_array_mut() {
            list.retain(|s| s["id"] != station);
        }
    })
}

#[test]
fn a_bad_version_stops_by_itself_and_goes_back_and_who_was_away_catches_up() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    let stations = stations()?;
    office.publish_edited((5, ""), two_rings)?;
    let enrolled =
        stations.iter().map(|station| Enrolled::at(&office, station)).collect::<Result<Vec<_>>>()?;
    let mut first = enrolled[0].start(&office);
    let mut second = enrolled[1].start(&office);
    // The third one is away the whole time.
    runs(&mut first, 5);
    runs(&mut second, 5);

    // Version 6 goes to the first, then to the others; 7 is its way back.
    office.publish_edited((6, "--pilot T-01"), two_rings)?;
    runs(&mut first, 6);
    runs(&mut second, 6);
    let page = office.server.page("/rollout")?.text();
    assert!(page.contains("v6 分批发布") && page.contains("内容与 v5 相同"), "{page}");

    // Version 8 does not know where the first one stands; 9 is its way back.
    office.publish_edited((8, "--pilot T-01"), |folder| {
        two_rings(folder)?;
        without_station(folder, &stations[0])
    })?;
    runs(&mut first, 9);
    assert_eq!(second.model().catalogue.version, 6, "it was never told");
    let state = office.server.rows("SELECT state FROM rollout WHERE version = 8", &[])?;
    assert_eq!(state.first().context("a row")?.text(0)?, "rolled_back");
    let page = office.server.page("/rollout?show=all")?.text();
    for words in ["已回退", "失败的终端到了门槛", "自动", "内容与 v6 相同"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (mut nine, six) = (document(&office, 9)?, document(&office, 6)?);
    assert_eq!(nine["version"], 9);
    nine["version"] = 6.into();
    assert!(nine == six, "the content before, under a higher number");

    // Who was away takes what it is told now, without 8.
    let mut third = enrolled[2].start(&office);
    runs(&mut third, 6);
    drop((first, second, third));
    let store = Store::open(enrolled[0].0.path(), now_ms())?;
    assert_eq!(store.order()?.and_then(|order| order.run), Some(9));
    Ok(())
}

fn document(office: &Office, version: u64) -> Result<Value> {
    let rows = office.server.rows("SELECT document FROM catalogue WHERE version = $1", &[version.into()])?;
    Ok(serde_json::from_str(rows.first().context("a version")?.text(0)?)?)
}

#[test]
fn an_item_is_withdrawn_from_a_running_terminal_and_given_back() -> Result<()> {
    let office = Office::new()?;
    let enrolled = Enrolled::at(&office, STATION)?;
    let mut terminal = enrolled.start(&office);
    office.does("withdraw hrss.flex-enroll --reason 系统升级，暂停办理")?;
    let gone =
        terminal.wait_until(PATIENCE, |m| m.withdrawn.values().any(|w| w.reason.zh.contains("系统升级")));
    assert!(gone, "{:?}", terminal.model().withdrawn);
    let again = office.says("withdraw hrss.flex-enroll --reason x")?;
    assert!(again.0 == Some(1) && again.1.contains("withdrawn already"), "{again:?}");
    let unknown = office.says("withdraw hrss.nothing-like-it --reason x")?;
    assert!(unknown.0 == Some(1) && unknown.1.contains("no item"), "{unknown:?}");
    office.does("withdraw hrss.flex-enroll --restore")?;
    assert!(terminal.wait_until(PATIENCE, |m| m.withdrawn.is_empty()), "{:?}", terminal.model().withdrawn);
    // It is remembered without the centre.
    office.does("withdraw hrss.flex-enroll --reason 系统升级，暂停办理")?;
    assert!(terminal.wait_until(PATIENCE, |m| !m.withdrawn.is_empty()));
    drop(terminal);
    let store = Store::open(enrolled.0.path(), now_ms())?;
    assert_eq!(store.withdrawn_items()?.len(), 1);
    Ok(())
}

/// A server with a rollout of version 3 under way and two terminals.
fn under_way() -> Result<Server> {
    let server = Server::start()?;
    Device::enrol(&server, 1)?;
    Device::enrol(&server, 2)?;
    let mut store = server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| rollout::settle(tx, now_ms(), 2))?;
    let begin = Begin {
        version: 3,
        way_back: Some(4),
        rings: Policies::default().rollout,
        back_by_itself: false,
        pilots: vec!["T-01".parse()?],
    };
    in_transaction(store.as_mut(), |tx| rollout::begin(tx, now_ms(), "operator", &begin))?;
    Ok(server)
}

/// What a page hides in its form.
fn hidden(page: &str, name: &str) -> Result<String> {
    let begin = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&begin).with_context(|| format!("{name} in {page}"))?.1;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

#[test]
fn steps_are_asked_for_twice_and_need_a_reason() -> Result<()> {
    let server = under_way()?;
    let person = server.person(&[Role::Operator])?;
    let page = server.page_of(&person, "/rollout")?;
    assert_eq!(page.status, 200, "{}", page.text());
    for words in ["v3 分批发布", "第 1 批", "等回报", "href=\"/rollout/pause\"", "href=\"/rollout/halt\""]
    {
        assert!(page.text().contains(words), "{words}");
    }
    assert!(!page.text().contains("href=\"/rollout/go_on\""), "not yet");
    let asked = server.page_of(&person, "/rollout/pause")?.text();
    let (id, seen) = (hidden(&asked, "id")?, hidden(&asked, "seen")?);
    let send = |step: &str, seen: &str, reason: &str| {
        let fields = [("id", id.as_str()), ("seen", seen), ("reason", reason)];
        server.submit(&person.cookie, &format!("/rollout/{step}"), &fields)
    };
    let empty = send("pause", &seen, "  ")?;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("请写一行原因"));
    assert_eq!(send("pause", &seen, "先等一等")?.status, 303);
    let page = server.page_of(&person, "/rollout")?.text();
    assert!(page.contains("已暂停") && page.contains("先等一等") && page.contains("样例员"), "{page}");
    // Somebody who still looks at the page from before.
    let late = send("halt", &seen, "x")?;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("情形已经变了"));
    let asked = server.page_of(&person, "/rollout/roll_back")?.text();
    assert_eq!(send("roll_back", &hidden(&asked, "seen")?, "不要了")?.status, 303);
    let page = server.page_of(&person, "/rollout")?.text();
    assert!(page.contains("已回退") && page.contains("等退回"), "{page}");
    assert!(!page.contains("href=\"/rollout/pause\""), "it is over");
    assert_eq!(server.page_of(&person, "/rollout/nonsense")?.status, 404);
    let more = server.submit(&person.cookie, "/rollout/halt", &[("reason", "x"), ("admin", "on")])?;
    assert_eq!(more.status, 400);
    Ok(())
}

#[test]
fn withdrawals_are_made_on_the_page_and_words_are_shown_as_words() -> Result<()> {
    let server = under_way()?;
    let person = server.person(&[Role::Operator])?;
    let asked = server.page_of(&person, "/rollout/withdraw?item=hrss.flex-enroll")?.text();
    assert_eq!(hidden(&asked, "item")?, "hrss.flex-enroll");
    let send = |step: &str, item: &str, reason: &str| {
        server.submit(&person.cookie, &format!("/rollout/{step}"), &[("item", item), ("reason", reason)])
    };
    assert_eq!(send("withdraw", "hrss.flex-enroll", "<b>暂停</b> & 请到窗口")?.status, 303);
    let page = server.page_of(&person, "/rollout")?.text();
    assert!(!page.contains("<b>暂停") && page.contains("请到窗口"), "{page}");
    assert_eq!(send("withdraw", "hrss.flex-enroll", "又一次")?.status, 409);
    for item in ["", "hrss.nothing-like-it", "../..", "<script>"] {
        assert_eq!(send("withdraw", item, "x")?.status, 409, "{item}");
        let page = server
            .page_of(&person, &format!("/rollout/withdraw?item={}", sync_server::pages::in_query(item)))?;
        assert!(page.status == 200 && page.text().contains("目录里没有这个事项"), "{item}: {}", page.status);
    }
    assert_eq!(send("withdraw", "hrss.flex-enroll", &"字".repeat(121))?.status, 409);
    assert_eq!(send("restore", "hrss.flex-enroll", "")?.status, 303);
    assert_eq!(send("restore", "hrss.flex-enroll", "")?.status, 409);
    assert_eq!(server.number("SELECT COUNT(*) FROM withdrawn")?, 0);
    Ok(())
}

#[test]
fn a_person_watches_adoption_in_a_real_browser_and_takes_a_version_back() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    office.publish(5)?;
    let data = Enrolled::at(&office, STATION)?;
    let mut terminal = data.start(&office);
    runs(&mut terminal, 5);
    let browser = Browser::start()?;
    browser.become_person(&office.server, &office.server.person(&[Role::Operator])?)?;
    browser.open(&format!("{}/rollout", office.server.people))?;
    browser.find_words("v5 分批发布")?;

    // The page follows by itself: nobody loads it anew.
    office.publish(6)?;
    runs(&mut terminal, 6);
    browser.find_words("v6 分批发布")?;
    browser.find_words("已用上")?;
    browser.find_control("回退 …")?;
    browser.press("回退 …")?;
    browser.find_words("不做了")?;
    browser.fill("reason", "群众看不懂新的名称")?;
    browser.press("回退")?;
    browser.find_words("已回退")?;
    browser.find_words("群众看不懂新的名称")?;
    runs(&mut terminal, 7);
    browser.find_words("已退回")?;
    // Chromium asks for an icon of its own accord.
    let complaints: Vec<_> = browser.complaints()?.into_iter().filter(|c| !c.contains("favicon")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
