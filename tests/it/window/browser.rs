//! The window in a real Chromium: a clerk calls, searches, types, signs, uploads, hands in and reads the slip; and its
//! pages at the widths of a workstation and of a phone.
use anyhow::{Result, ensure};
use image::ImageFormat;
use tests::browser::Browser;
use tests::device::{ITEM, courier};

use super::{ID_NUMBER, NAME, SCANNED, Window, fields};
use crate::desk::fits::fits;
use crate::images::{file, picture};

/// Draws into the box for signatures as a pen does.
const SIGN: &str = "
    const svg = document.querySelector('[data-sign]');
    svg.scrollIntoView({ block: 'center' });
    svg.setPointerCapture = () => {};
    const box = svg.getBoundingClientRect();
    const send = (kind, x, y) => svg.dispatchEvent(new PointerEvent(kind, { bubbles: true, cancelable: true,
        pointerId: 1, clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
    send('pointerdown', 0.1, 0.5);
    for (let n = 0; n < 60; n += 1) send('pointermove', 0.1 + n * 0.013, 0.5 + 0.3 * Math.sin(n / 4));
    send('pointerup', 0.9, 0.5);
";

/// Waits until the form shows a page.
fn shows(browser: &Browser, css: &str) -> Result<()> {
    browser.wait_until(&format!("document.querySelector('{css}') !== null"))
}

/// Answers the questions of the item: the own name is to be changed.
fn choose_a_new_name(browser: &Browser) -> Result<()> {
    let questions = ["[name=\"_s.what\"][value=name]", "[name=\"_s.agent\"][value=self]"];
    for choice in questions.into_iter().chain(["[name=change_item][value=姓名]"]) {
        browser.find(choice)?.click()?;
        browser.settle()?;
        browser.wait_until(&format!("document.querySelector('{choice}').checked"))?;
    }
    Ok(())
}

#[test]
fn a_clerk_does_a_whole_matter_with_a_scan_and_a_signature() -> Result<()> {
    let window = Window::new()?;
    let folder = tempfile::tempdir()?;
    let scan = folder.path().join("scan.png");
    std::fs::write(&scan, file(&picture(1_200, 900), ImageFormat::Png)?)?;
    let browser = Browser::start()?;
    browser.become_person(&window.server, &window.clerk)?;
    browser.open(&format!("{}/", window.server.people))?;
    browser.fill("window", "3")?;
    browser.press("叫下一位")?;
    browser.find_words("3 号窗口 · 窗口办理")?;
    browser.fill("q", "信息变更")?;
    browser.press("查找")?;
    browser.find(&format!("a[href^=\"/window/start/{SCANNED}\"]"))?.click()?;
    // A wrong number first.
    browser.fill("number", "639900199005201036")?;
    browser.fill("name", NAME)?;
    browser.press("开表")?;
    browser.find_words("身份证号校验不对，请再核对一遍")?;
    // What the browser says of an answer that is no success.
    ensure!(browser.complaints()?.iter().all(|complaint| complaint.contains("422")));
    browser.fill("number", ID_NUMBER)?;
    browser.follow("开表")?;
    browser.find("#form-drawing")?;
    let shown = browser.run("return document.querySelector('#file-too-large').checkVisibility()")?;
    ensure!(shown == false, "nothing is told that did not happen");
    // The questions, then the pages.
    choose_a_new_name(&browser)?;
    browser.fill("new_value", "样大川")?;
    browser.settle()?;
    let none = folder.path().join("none.png");
    std::fs::write(&none, b"no picture")?;
    let mut uploaded = false;
    let mut signed = false;
    for _ in 0..8 {
        if !uploaded && browser.run("return document.querySelector('[type=file]') !== null")? == true {
            browser.find("[type=file]")?.type_keys(&none.display().to_string())?;
            browser.find_words("打不开，不是图片")?;
            ensure!(browser.complaints()?.iter().all(|complaint| complaint.contains("422")));
            browser.wait_until("document.querySelector('[type=file]').value === ''")?;
            browser.find("[type=file]")?.type_keys(&scan.display().to_string())?;
            shows(&browser, "ul.files li")?;
            uploaded = true;
        }
        if browser.run("return document.querySelector('[name=phone]') !== null")? == true {
            browser.fill("phone", "13900139000")?;
        }
        if !signed && browser.run("return document.querySelector('[data-sign]') !== null")? == true {
            browser.run(SIGN)?;
            shows(&browser, ".signature polyline")?;
            browser.wait_until("document.querySelector('[name=sign]').value !== ''")?;
            browser.find_control("清空")?;
            signed = true;
        }
        if browser.run("return document.querySelector('[value=submit]') !== null")? == true {
            break;
        }
        browser.settle()?;
        browser.follow("下一页")?;
    }
    ensure!(uploaded && signed, "a scan {uploaded}, a signature {signed}");
    browser.find_words("全部符合规则")?;
    if let Some(kept) = std::env::var_os("JINBAN_PICTURES") {
        browser.resize(1440, 900)?;
        browser.picture(&std::path::Path::new(&kept).join("window-check-1440.png"))?;
    }
    browser.press("提交")?;
    browser.find_words("申报凭条")?;
    let address = browser.address()?;
    let number = address.rsplit('/').next().unwrap_or_default().to_owned();
    window.settles(&number, "submitted")?;
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    assert_eq!((window.count("case_")?, window.count("window_draft")?), (1, 0));
    Ok(())
}

#[test]
fn every_page_of_the_window_fits_a_workstation_and_a_phone() -> Result<()> {
    let window = Window::new()?;
    window.call("assisted")?;
    let (_, number) = window.opens()?;
    window.call("window")?;
    let form = window.begins(ITEM)?;
    window.sends(&window.clerk, &form, &fields(&courier(), ""), &[])?;
    let scanned = window.begins(SCANNED)?;
    window.settles(&number, "submitted")?;
    let pages = [
        ("window-home", "/window".to_owned()),
        ("window-search", "/window?q=社保".to_owned()),
        ("window-person", format!("/window/start/{SCANNED}")),
        ("window-form", scanned.path.clone()),
        ("window-form-later", form.path.clone()),
        ("window-slip", format!("/window/slips/{number}")),
        ("window-mine", "/window/mine".to_owned()),
        ("window-visits", "/window/visits".to_owned()),
    ];
    let browser = Browser::start()?;
    browser.become_person(&window.server, &window.clerk)?;
    for (name, path) in &pages {
        fits(&browser, &window.server.people, (name, path))?;
    }
    browser.become_person(&window.server, &window.other)?;
    for (name, path) in [("window-empty", "/window"), ("window-mine-empty", "/window/mine")] {
        fits(&browser, &window.server.people, (name, path))?;
    }
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
