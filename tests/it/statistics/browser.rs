//! The charts in a real Chromium: drawn from the tables under the site's own rules, and the page fits both widths.
use anyhow::{Result, ensure};
use tests::browser::Browser;

use super::{Centre, PERIOD};
use crate::desk::fits::fits;

#[test]
fn charts_are_drawn_beside_their_tables_and_pages_fit() -> Result<()> {
    let centre = Centre::filled(&std::env::var("JINBAN_SAMPLE_PERCENT").unwrap_or_else(|_| "6".into()))?;
    let browser = Browser::start()?;
    browser.become_person(&centre.server, &centre.operator)?;
    browser.open(&format!("{}/statistics?{PERIOD}&item=one.realestate", centre.server.people))?;
    browser.wait_until("document.querySelectorAll('[data-drawn]').length === 2")?;
    let inked = browser.run(
        "return [...document.querySelectorAll('figure canvas')].every(c => \
         c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))",
    )?;
    ensure!(inked.as_bool() == Some(true), "something is drawn");
    let theme = browser.run("return JSON.parse(document.querySelector('figure').dataset.theme).color[0]")?;
    assert_eq!(theme.as_str(), Some("#0B6B78"));
    let rows = browser.run("return document.querySelectorAll('#course tbody tr').length")?;
    ensure!(rows.as_u64() > Some(10), "{rows}");
    let pages = [
        ("statistics-one", format!("/statistics?{PERIOD}&item=one.realestate")),
        ("statistics-all", format!("/statistics?{PERIOD}")),
        ("statistics-cases", format!("/statistics/cases?{PERIOD}&item=one.realestate&of=overdue")),
        ("statistics-none", "/statistics?from=2020-01-01&to=2020-02-01".to_owned()),
    ];
    for (name, path) in &pages {
        fits(&browser, &centre.server.people, (name, path))?;
    }
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    Ok(())
}
