//! Messages to citizens by a real server, and the page on which operators see how far they have come.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sync_server::auth::role::Role;
use tests::browser::Browser;
use tests::smsc::{Mood, NAME, PASSWORD, Smsc};

use super::fits::fits;
use super::{Desk, ID_NUMBER, NAME as CITIZEN, PHONE, leads_to};

/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(60);

/// A server whose gateway is this one.
fn desk(smsc: &Smsc, folder: &std::path::Path) -> Result<Desk> {
    let file = folder.join("sms");
    fs::write(&file, format!("{NAME}\n{PASSWORD}\n"))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let address = smsc.address.to_string();
    let file = file.to_str().context("a path")?;
    Desk::with(&["--sms-gateway", &address, "--sms-credentials", file, "--sms-sender", "10690000"])
}

impl Desk {
    /// Waits until so many messages stand in this state.
    fn messages(&self, state: &str, count: i64) -> Result<()> {
        let end = Instant::now() + SOON;
        let sql = format!("SELECT COUNT(*) FROM notification WHERE state = '{state}'");
        while self.server.number(&sql)? != count {
            ensure!(Instant::now() < end, "{state}: {}", self.server.number(&sql)?);
            std::thread::yield_now();
        }
        Ok(())
    }
}

#[test]
fn a_citizen_hears_of_each_turn_and_operators_see_whether_it_arrived() -> Result<()> {
    let (smsc, folder) = (Smsc::start()?, tempfile::tempdir()?);
    let mut desk = desk(&smsc, folder.path())?;
    let operator = desk.server.person_of(("运甲", "数据局"), &[Role::Operator])?;
    ensure!(desk.page(&operator, "/notifications")?.contains("没有短信"));

    let asked = desk.asked()?;
    let given = smsc.wait_for(1)?;
    let text = &given.last().context("a message")?.text;
    ensure!(text.contains("要补 2 样") && text.contains(&asked.number[12..]), "{text}");
    desk.messages("sent", 1)?;
    smsc.says(&format!("id:{} stat:DELIVRD", given.last().context("a message")?.id));
    desk.messages("delivered", 1)?;

    // One that the gateway refuses is seen, and sent again.
    let before = smsc.given().len();
    smsc.will(&[Mood::Refuse]);
    let case = desk.item()?;
    leads_to(&desk.does((&desk.pension, &case), "review", "accept", &[])?)?;
    desk.messages("failed", 1)?;
    let page = desk.page(&operator, "/notifications?state=failed")?;
    for told in [case.number.as_str(), "没送到", "网关不收这个号", "再发一次"] {
        ensure!(page.contains(told), "{told}: {page}");
    }
    for secret in [PHONE, ID_NUMBER, CITIZEN, "请补"] {
        ensure!(!page.contains(secret), "{secret}: {page}");
    }
    let version = page.split("name=\"version\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let id = case.id.to_string();
    let again = [("case", id.as_str()), ("version", version.context("a version")?), ("state", "failed")];
    let answer = desk.server.submit(&operator.cookie, "/notifications/again", &again)?;
    ensure!(leads_to(&answer)? == "/notifications?state=failed");
    smsc.wait_for(before + 1)?;
    let twice = desk.server.submit(&operator.cookie, "/notifications/again", &again)?;
    ensure!(twice.status == 409, "{}", twice.status);
    for bad in [("case", "x"), ("version", "-1")] {
        let fields: Vec<_> = again.iter().map(|f| if f.0 == bad.0 { bad } else { *f }).collect();
        ensure!(desk.server.submit(&operator.cookie, "/notifications/again", &fields)?.status == 400);
    }
    ensure!(desk.audited(&case, "notification.again")? == 1);
    ensure!(desk.server.page_of(&desk.pension, "/notifications")?.status == 403);
    for odd in ["?state=nonsense", "?after=1.2.3", "?after=%00"] {
        ensure!(desk.server.page_of(&operator, &format!("/notifications{odd}"))?.status == 200, "{odd}");
    }
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &operator)?;
    fits(&browser, &desk.server.people, ("notifications", "/notifications"))?;
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
