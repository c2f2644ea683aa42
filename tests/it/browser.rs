//! A real browser at the centre's own pages: it signs in, moves about, and finds nothing wrong.
use anyhow::Result;
use sync_server::auth::role::Role;
use tests::browser::Browser;
use tests::server::Server;

#[test]
fn a_real_browser_signs_somebody_in_by_cookie_and_walks_the_pages() -> Result<()> {
    let server = Server::start()?;
    let browser = Browser::start()?;
    browser.open(&format!("{}/cases", server.people))?;
    assert!(browser.address()?.contains("/sign-in"), "{}", browser.address()?);
    browser.become_person(&server, &server.person(&[Role::Operator])?)?;
    browser.open(&format!("{}/cases", server.people))?;
    assert!(browser.find("main h1")?.text()?.starts_with("办件"));
    browser.find_words("还没有办件")?;
    browser.fill("q", "hrss.flex")?;
    browser.choose("state", "completed")?;
    assert_eq!(browser.find("[name=q]")?.value()?, "hrss.flex");
    browser.wait_until("document.querySelector('main') !== null")?;
    assert_eq!(browser.complaints()?, Vec::<String>::new());
    let file = tempfile::NamedTempFile::new()?;
    browser.picture(file.path())?;
    assert!(std::fs::read(file.path())?.starts_with(b"\x89PNG"));
    browser
        .run("new Image().src = 'http://example.com/x.png'; await new Promise(r => setTimeout(r, 300));")?;
    assert_eq!(browser.complaints()?.len(), 1, "what a page loads from elsewhere is seen");
    Ok(())
}
