//! A change in a real Chromium: typed, seen in the preview at once, saved, handed on, checked, made a version.
use anyhow::Result;
use tests::browser::Browser;

use super::{CODE, Console};

#[test]
fn an_item_is_edited_checked_and_made_a_version_in_a_real_browser() -> Result<()> {
    let console = Console::new()?;
    let (server, browser) = (&console.server, Browser::start()?);
    let page = |path: &str| format!("{}{path}", server.people);
    browser.become_person(server, &console.maker)?;
    browser.open(&page("/catalogue/items"))?;
    browser.fill("q", "社保卡进度")?;
    browser.press("查找")?;
    browser.press("社会保障卡制卡进度查询")?;
    browser.press("编辑")?;
    browser.press("指南文字")?;
    browser.fill("guide.one_line.zh", "看看社保卡")?;
    browser.wait_until("document.querySelector('.pv-lead').textContent === '看看社保卡'")?;
    browser.fill("guide.minutes", "900")?;
    browser.press("保存草稿")?;
    browser.find_words("填 1 到 120 的整数")?;
    assert!(browser.complaints()?.iter().all(|c| c.contains("422")), "only what was refused");
    assert_eq!(browser.find("[name='guide.one_line.zh']")?.value()?, "看看社保卡", "what was typed stays");
    browser.fill("guide.minutes", "3")?;
    browser.press("保存草稿")?;
    browser.find_words("草稿已保存")?;
    browser.find("[name='note']")?.type_keys("更好懂")?;
    browser.press("送审核")?;
    browser.find_words("待审核")?;

    browser.become_person(server, &console.checker)?;
    browser.open(&page("/"))?;
    assert!(browser.address()?.ends_with("/catalogue/changes"));
    assert_eq!(browser.find(&format!("[id='{CODE}'] .was.new"))?.text()?, "看看社保卡");
    browser.press("通过")?;
    browser.press("用 1 份已通过的草稿生成候选版本")?;
    browser.find_words("目录检查通过，没有新的提醒")?;
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_form_is_drawn_while_it_is_typed() -> Result<()> {
    let console = Console::new()?;
    let (server, browser) = (&console.server, Browser::start()?);
    browser.become_person(server, &console.maker)?;
    browser.open(&format!("{}/catalogue/items/hrss.flex-enroll/draft?part=form", server.people))?;
    let labels = "[...document.querySelectorAll('.pv-form label, .pv-form legend')].map(l => l.textContent)";
    browser.wait_until(&format!("{labels}.some(l => l.includes('手机'))"))?;
    let typed = |from: &str, to: &str| {
        browser.run(&format!(
            "const t = document.querySelector('textarea[name=form]'); t.value = t.value.replace({from}, {to}); \
             t.dispatchEvent(new Event('input', {{ bubbles: true }}));"
        ))
    };
    typed("/手机号/g", "'联系的号码'")?;
    browser.wait_until(&format!("{labels}.some(l => l.includes('联系的号码'))"))?;
    assert_eq!(
        browser.find("[name='form']")?.attribute("disabled")?,
        None,
        "only the preview is not filled in"
    );
    browser
        .wait_until("[...document.querySelectorAll('.pv-form input')].every(i => i.matches(':disabled'))")?;
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    Ok(())
}
