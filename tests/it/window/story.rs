//! From the call to the decided case: an item, an item with a scan, a bundle.
use anyhow::{Context as _, Result};
use image::ImageFormat;
use serde_json::Value;
use sync_server::auth::role::Role;
use tests::device::{Device, ITEM, courier};
use tests::people::Person;

use super::{ID_NUMBER, NAME, SCANNED, Window, change_of_name, fields, hidden, leads_to};
use crate::desk::{BUNDLE, HALL, bundle};
use crate::images::{file, picture};

/// Does something at the department desk with the form that its page offers.
fn does(window: &Window, who: &Person, (number, step): (&str, &str), deed: &str) -> Result<()> {
    let page = window.page(who, &format!("/desk/{number}?step={step}"))?;
    let form = page.split(&format!("<form id=\"deed-{deed}\"")).nth(1);
    let form =
        form.with_context(|| format!("no {deed} in {page}"))?.split("</form>").next().unwrap_or_default();
    let values = ["deed", "step", "seen", "click"].map(|name| (name, hidden(form, name)));
    let values: Vec<(&str, String)> =
        values.into_iter().map(|(name, value)| value.map(|v| (name, v))).collect::<Result<_>>()?;
    let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    leads_to(&window.server.submit(&who.cookie, &format!("/desk/{number}"), &values)?)?;
    Ok(())
}

#[test]
fn an_item_is_opened_for_the_person_who_stands_there_and_decided_like_any_other() -> Result<()> {
    let window = Window::new()?;
    let page = window.page(&window.clerk, "/window")?;
    assert!(page.contains("叫下一位") && page.contains("还没有接过办件"), "{page}");
    assert_eq!(leads_to(&window.call("assisted")?)?, "/window");
    let page = window.page(&window.clerk, "/window?q=灵活就业")?;
    assert!(
        page.contains("3 号窗口 · 帮办代办") && page.contains(&format!("/window/start/{ITEM}")),
        "{page}"
    );
    let form = window.begins(ITEM)?;
    let page = window.page(&window.clerk, &form.path)?;
    for words in ["样*川", "639900********1035", "手工输入", "情形"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(NAME) && !page.contains(ID_NUMBER), "masked");

    // Nothing is sent before the last button, and what is wrong is told.
    let empty = window.sends(&window.clerk, &form, &vec![("_do".into(), "next".into())], &[])?;
    assert!(empty.text().contains("处要改"), "{}", empty.text());
    let mut wrong = courier();
    wrong.answers.remove("phone");
    let told = window.sends(&window.clerk, &form, &fields(&wrong, "submit"), &[])?;
    assert_eq!(told.status, 422);
    assert!(told.text().contains("手机号"), "{}", told.text());
    assert_eq!(window.count("envelope")?, 0);

    let number = window.hands_in(&form, &courier())?;
    window.settles(&number, "submitted")?;
    let slip = window.page(&window.clerk, &format!("/window/slips/{number}"))?;
    for words in ["申报凭条", "窗甲", "打印凭条", "已送达", "3 号窗口 · 帮办代办", number.as_str()]
    {
        assert!(slip.contains(words), "{words}: {slip}");
    }
    assert!(!slip.contains("样*川") && !slip.contains(NAME) && !slip.contains("6399"), "no person on a slip");
    let pdf = window.server.page_of(&window.clerk, &format!("/window/slips/{number}/slip.pdf"))?;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")));
    assert!(pdf.body.starts_with(b"%PDF-"));
    let kinds = ["received", "answerable", "submitted"];
    for (at, kind) in (1..).zip(kinds) {
        let sql = format!("SELECT COUNT(*) FROM action WHERE version = {at} AND kind = '{kind}'");
        assert_eq!(window.server.number(&sql)?, 1, "{kind}");
    }

    // The departments do with it what they do with any other, and see who is answerable.
    let reviewer = window.server.person_of(("社甲", "人社"), &[Role::Reviewer])?;
    let page = window.page(&reviewer, &format!("/desk/{number}?step=review"))?;
    assert!(
        page.contains("首位接待") && page.contains("窗甲（窗口人员）") && page.contains("帮办代办"),
        "{page}"
    );
    let page = window.page(&reviewer, &format!("/cases/{number}"))?;
    assert!(
        page.contains("首位接待人") && page.contains("窗甲 · 帮办代办") && page.contains("服务窗口"),
        "{page}"
    );
    for deed in ["accept", "pass"] {
        does(&window, &reviewer, (&number, "review"), deed)?;
    }
    let mine = window.page(&window.clerk, "/window/mine")?;
    assert!(mine.contains(&number) && mine.contains("办结") && mine.contains("灵活就业"), "{mine}");
    let verified = window.server.command(&["verify"])?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    // Found by the person's number, as what a terminal sent.
    assert_eq!(window.server.number("SELECT COUNT(*) FROM person_key WHERE kind = 'id_number'")?, 1);
    let keys = window.server.command(&["verification-keys"])?;
    assert!(String::from_utf8(keys.stdout)?.contains("\"WINDOW\""), "slips of windows can be verified");
    Ok(())
}

#[test]
fn a_scan_is_cleaned_sealed_and_in_the_case_at_once() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(SCANNED)?;
    let early = window.sends(&window.clerk, &form, &vec![("_do".into(), "next".into())], &[])?;
    assert!(early.text().contains("请先回答情形问题"), "{}", early.text());
    let png = file(&picture(400, 300), ImageFormat::Png)?;
    let submission = change_of_name();
    // Twice the same file is one page; another one is a second.
    let other = file(&picture(300, 400), ImageFormat::Jpeg)?;
    let parts: [(&str, &[u8]); 3] = [("scan", &png), ("scan", &png), ("scan", &other)];
    let taken = window.sends(&window.clerk, &form, &fields(&submission, "page:1"), &parts)?;
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(window.count("window_page")?, 2);
    // A reload has what was kept, without the page that was lost.
    let page = window.page(&window.clerk, &form.path)?;
    let state: Value = serde_json::from_str(&hidden(&page, "_state")?)?;
    let json = if state["rest"]["scan"].is_array() {
        state["rest"]["scan"].to_string()
    } else {
        hidden(&page, "scan")?
    };
    let scans: Value = serde_json::from_str(&json)?;
    assert_eq!(scans.as_array().map(Vec::len), Some(2), "{page}");
    let mut whole = submission.clone();
    whole.answers.insert("scan".to_owned(), Value::Array(vec![scans[1].clone()]));
    let number = window.hands_in(&form, &whole)?;
    window.settles(&number, "submitted")?;
    assert_eq!(window.server.number("SELECT COUNT(*) FROM blob_ WHERE arrived_at_ms IS NOT NULL")?, 1);
    assert_eq!((window.count("window_page")?, window.count("window_draft")?), (0, 0));
    let blobs = std::fs::read_dir(window.server.data().join("blobs"))?.flatten();
    let kept: usize = blobs.map(|part| std::fs::read_dir(part.path()).map_or(0, Iterator::count)).sum();
    assert_eq!(kept, 1, "what was not handed in is gone");
    let reviewer = window.server.person_of(("保甲", "医保"), &[Role::Reviewer])?;
    let scan = window.server.page_of(&reviewer, &format!("/desk/{number}/attachments/2"))?;
    assert_eq!((scan.status, scan.header("content-type")), (200, Some("image/jpeg")), "{}", scan.text());
    Ok(())
}

#[test]
fn a_bundle_is_opened_with_its_plan_and_its_departments() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(BUNDLE)?;
    let number = window.hands_in(&form, &bundle()?)?;
    window.settles(&number, "submitted")?;
    let tasks = window.server.number("SELECT COUNT(*) FROM task")?;
    assert!(tasks >= 3, "{tasks}");
    let hall = window.server.person_of(("厅甲", HALL), &[Role::Clerk])?;
    let page = window.page(&hall, &format!("/desk/{number}?step=s1"))?;
    assert!(page.contains("首位接待") && page.contains("送外卖"), "{page}");
    does(&window, &hall, (&number, "s1"), "accept")?;
    window.settles(&number, "accepted")?;
    let slip = window.page(&window.clerk, &format!("/window/slips/{number}"))?;
    assert!(slip.contains("受理"), "{slip}");
    let verified = window.server.command(&["verify"])?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    // Terminals beside it write their own series, and the centre's numbers are its own.
    let mut device = Device::enrol(&window.server, 1)?;
    let upload = device.seal(&courier())?;
    device.send(&window.server, std::slice::from_ref(&upload))?;
    assert_eq!(window.server.number("SELECT COUNT(DISTINCT terminal) FROM series")?, 2);
    assert!(number[8..11].parse::<u16>()? >= 900, "{number}");
    Ok(())
}
