//! The desk in a real Chromium, by its keys.
use anyhow::Result;
use image::ImageFormat;
use tests::browser::Browser;

use super::{Desk, ID_NUMBER, leads_to};
use crate::images::{file, picture};

#[test]
fn a_reviewer_works_by_keys_and_sees_numbers_for_five_seconds() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.with_pages(&[file(&picture(400, 300), ImageFormat::Png)?])?;
    let other = desk.item()?;
    for case in [&case, &other] {
        leads_to(&desk.does((&desk.pension, case), "review", "accept", &[])?)?;
    }
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &desk.pension)?;
    browser.open(&format!("{}/desk", desk.server.people))?;
    let body = || browser.find("body");
    body()?.type_keys("?")?;
    browser.wait_until("document.querySelector('#keys').open")?;
    body()?.type_keys("/")?;
    browser.wait_until("document.activeElement.name === 'q'")?;
    browser.find("[name=q]")?.type_keys("j")?;
    assert_eq!(browser.find("[name=q]")?.value()?, "j", "a key that is typed does nothing else");
    browser.find("[name=q]")?.type_keys("\u{e00c}")?;
    body()?.type_keys("jjk")?;
    browser.wait_until("document.activeElement.closest('[data-here]') !== null")?;
    let first = browser.find("[data-here] a.mono")?.text()?;
    browser.find("[data-here] a.mono")?.type_keys("\u{e007}")?;
    browser.wait_until(&format!("document.title.includes('{first}')"))?;

    // The number in full, and masked again.
    let shown = "[...document.querySelectorAll('.said')].some(s => s.textContent === '639900199005201035')";
    browser.find("form[data-reveal] input[value='applicant.id_number'] + button")?.click()?;
    browser.wait_until(shown)?;
    browser.wait_until(&format!("!({shown})"))?;
    assert!(!browser.find("body")?.text()?.contains(ID_NUMBER), "masked again");

    // The notice counts what is chosen.
    browser.run("const s = document.querySelector('[data-flaw]'); s.selectedIndex = 2; s.dispatchEvent(new Event('change', { bubbles: true }))")?;
    browser.wait_until("document.querySelector('[data-return]').textContent.includes('退回补正（1 项）')")?;
    body()?.type_keys("r")?;
    browser.wait_until("document.querySelector('#box-return').open")?;
    browser.wait_until("document.activeElement.tagName === 'TEXTAREA'")?;
    browser.find("#return-text")?.type_keys("请重填\u{e00c}")?;

    // The next case, and by pass to the one after it.
    body()?.type_keys("n")?;
    browser.wait_until(&format!("!document.title.includes('{first}')"))?;
    body()?.type_keys("a")?;
    browser.find_words("已通过")?;
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    assert_eq!(desk.actions(&case, "passed")? + desk.actions(&other, "passed")?, 1);
    Ok(())
}

#[test]
fn pictures_are_turned_and_made_larger() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.with_pages(&[file(&picture(400, 300), ImageFormat::Png)?])?;
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &desk.pension)?;
    browser.open(&format!("{}/desk/{}", desk.server.people, case.number))?;
    let image = "document.querySelector('.scan img')";
    browser.run(&format!("{image}.scrollIntoView({{ block: 'center' }})"))?;
    browser.wait_until(&format!("{image}.complete && {image}.naturalWidth === 400"))?;
    let width = browser.run(&format!("return {image}.getBoundingClientRect().width"))?.as_f64();
    browser.find("[data-larger]")?.click()?;
    browser.find("[data-larger]")?.click()?;
    browser.find("[data-turn]")?.click()?;
    browser.wait_until("document.querySelector('.scan').dataset.zoom === '2'")?;
    let larger = browser.run(&format!("return {image}.getBoundingClientRect().height"))?.as_f64();
    assert!(larger > width, "{width:?} {larger:?}");
    let turned = browser.run(&format!("return getComputedStyle({image}).transform"))?;
    assert_ne!(turned, "none");
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    Ok(())
}
