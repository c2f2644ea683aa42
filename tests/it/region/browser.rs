//! The pages of handoffs at the widths of a workstation and of a phone, in both text sizes.
use anyhow::{Result, ensure};
use sync_server::auth::role::Role;
use tests::browser::Browser;
use tests::device::ITEM;

use super::{PENSION, Regions, THERE, leads_to};
use crate::desk::fits::fits;

#[test]
fn every_page_of_a_handoff_fits() -> Result<()> {
    let regions = Regions::new()?;
    let browser = Browser::start()?;
    browser.become_person(&regions.here, &regions.clerk)?;
    fits(&browser, &regions.here.people, ("handoffs-empty", "/handoffs"))?;
    let fresh = regions.taken_in()?;
    let (path, id) = regions.arrived()?;
    let form = format!("/handoffs/start/{THERE}/{ITEM}");
    let region = format!("/handoffs/start/{THERE}");
    let pages = [
        ("regions", "/handoffs/start"),
        ("items", region.as_str()),
        ("handoff-form", form.as_str()),
        ("handoff-review", fresh.as_str()),
        ("handoff-sent", path.as_str()),
        ("handoffs", "/handoffs"),
    ];
    for page in pages {
        fits(&browser, &regions.here.people, page)?;
    }
    let address = format!("/handoffs/incoming/{id}");
    browser.become_person(&regions.there, &regions.reviewer)?;
    fits(&browser, &regions.there.people, ("incoming", "/handoffs/incoming"))?;
    fits(&browser, &regions.there.people, ("incoming-sent", &address))?;
    leads_to(&regions.does(&id, "sign_for", &[])?)?;
    fits(&browser, &regions.there.people, ("incoming-signed", &address))?;
    // Without a register the page says what to do.
    std::fs::remove_file(regions.there.data().join("partners.json"))?;
    fits(&browser, &regions.there.people, ("incoming-unset", "/handoffs/incoming"))?;
    let clerk = regions.there.person_of(("窗丙", PENSION), &[Role::Window])?;
    let unset = regions.page(&regions.there, &clerk, "/handoffs")?;
    assert!(unset.contains("还没有协作地区") && !unset.contains("/handoffs/start"), "{unset}");
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
