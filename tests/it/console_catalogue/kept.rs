//! Nothing that was typed is lost by looking at it in another way or by going to another part, and what waits for a
//! signature keeps its number.
use anyhow::Result;

use super::{CODE, Console, leads_to};

#[test]
fn what_was_typed_stays_when_the_preview_changes_and_is_saved_on_the_way_to_another_part() -> Result<()> {
    let console = Console::new()?;
    let maker = &console.maker;
    let page = console.editor(maker, "guide")?;
    let typed = [("guide.one_line.zh", "看看社保卡")];
    let looked = console.press(maker, &page, &typed, "look en large")?;
    let text = looked.text();
    assert_eq!((looked.status, console.version()?), (200, 0), "nothing is kept yet");
    assert!(
        text.contains("value=\"看看社保卡\"") && text.contains("class=\"pv large\" lang=\"en\""),
        "{text}"
    );

    let went = console.press(maker, &page, &typed, "go search")?;
    let kept = format!("/catalogue/items/{CODE}/draft?part=search&lang=&size=&saved=1");
    assert_eq!(leads_to(&went)?, kept);
    let version = console.version()?;
    assert!(version > 0, "it was saved on the way");
    let page = console.editor(maker, "guide")?;
    assert!(page.contains("value=\"看看社保卡\""), "{page}");
    let went = console.press(maker, &page, &[], "go basics")?;
    assert!(!leads_to(&went)?.contains("saved"), "nothing was changed");
    assert_eq!(console.version()?, version);

    let wrong = console.press(maker, &page, &[("guide.minutes", "900")], "go basics")?;
    assert_eq!(wrong.status, 422, "a mistake is told before anybody leaves");
    assert!(wrong.text().contains("value=\"900\""));
    Ok(())
}

#[test]
fn a_version_that_waits_for_its_signature_keeps_its_number() -> Result<()> {
    let console = Console::new()?;
    console.candidate("guide", &[("guide.minutes", "9")])?;
    let waiting = || console.server.number("SELECT MAX(version) FROM catalogue_candidate");
    let first = waiting()?;
    leads_to(&console.server.submit(&console.checker.cookie, "/catalogue/candidate", &[])?)?;
    assert_eq!(waiting()?, first, "nothing else was approved since");
    let page = console.server.page_of(&console.checker, "/catalogue/changes")?.text();
    assert!(!page.contains("action=\"/catalogue/candidate\""), "and the page does not offer another one");
    Ok(())
}
