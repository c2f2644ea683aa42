//! The desk's pages at the widths of a workstation and of a phone, in the browser's usual and a larger text size: nothing
//! is cut off sideways, and nothing in the flow lies on anything else that can be pressed.
//!
//! With `JINBAN_PICTURES` set to a folder the pictures are kept there, to be looked at.
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use domain::wire::v1::EnvelopeKind;
use image::ImageFormat;
use serde_json::json;
use tests::browser::Browser;

use super::supplement::{refers, supplement};
use super::{Desk, leads_to};
use crate::images::{file, picture};

/// What sticks out of the page sideways, and controls that lie on one another.
const AMISS: &str = r#"
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const floats = e => e !== null && (['sticky', 'fixed', 'absolute'].includes(getComputedStyle(e).position)
        || floats(e.parentElement));
    const seen = e => e.checkVisibility() && e.getBoundingClientRect().width > 0 && !floats(e);
    const all = [...document.querySelectorAll('main a, main button, main select, main input')].filter(seen);
    const box = e => e.getBoundingClientRect();
    const on = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
    const amiss = wide > 0 ? [`${wide} px too wide`] : [];
    all.forEach((a, i) => all.slice(i + 1).forEach(b => {
        if (!a.contains(b) && !b.contains(a) && on(box(a), box(b)))
            amiss.push(`${a.textContent.trim()} on ${b.textContent.trim()}`);
    }));
    return amiss.slice(0, 5).join('; ');
"#;

#[test]
fn every_page_fits_a_workstation_and_a_phone_in_both_text_sizes() -> Result<()> {
    let mut desk = Desk::new()?;
    let asked = desk.asked()?;
    let png = file(&picture(400, 300), ImageFormat::Png)?;
    let (upload, pages) = desk.device.seal_naming(std::slice::from_ref(&png), |header, pages| {
        refers(header, EnvelopeKind::Supplement, asked.id);
        let page = pages.first().context("a page")?;
        let scan = json!([{ "hash": page.digest, "bytes": png.len(), "kind": "image/png" }]);
        supplement(&json!({ "phone": "13700137123", "material.3": scan }))
    })?;
    let sent = desk.sends_pages(&upload, &pages)?;
    ensure!(desk.settled(&sent.envelope_id)? == "taken");
    let plain = desk.with_pages(&[png])?;
    leads_to(&desk.does((&desk.pension, &plain), "review", "accept", &[])?)?;
    let pages = [
        ("inbox", "/desk".to_owned()),
        ("supplemented", format!("/desk/{}?step=s3", asked.number)),
        ("case", format!("/desk/{}?step=review", plain.number)),
        ("public", format!("/cases/{}", asked.number)),
    ];
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &desk.pension)?;
    for (name, path) in &pages {
        fits(&browser, &desk.server.people, (name, path))?;
    }
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}

/// One page of the people's listener in both widths and text sizes.
pub fn fits(browser: &Browser, people: &str, (name, path): (&str, &str)) -> Result<()> {
    let kept = std::env::var_os("JINBAN_PICTURES").map(PathBuf::from);
    for (width, height) in [(1440, 900), (390, 844)] {
        for size in ["", "large"] {
            browser.resize(width, height)?;
            browser.open(&format!("{people}{path}"))?;
            if size == "large" {
                browser.run(
                    "document.documentElement.style.fontSize = '150%'; document.body.style.zoom = 1.25",
                )?;
            }
            let amiss = browser.run(AMISS)?;
            if let Some(folder) = &kept {
                browser.picture(&folder.join(format!("{name}-{width}{size}.png")))?;
            }
            ensure!(amiss.as_str() == Some(""), "{name} at {width} {size}: {amiss}");
        }
    }
    Ok(())
}
