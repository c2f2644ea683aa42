//! Whose a form is, what a sign-out and a throwing away leave of it, and what is not done at a window.
use anyhow::Result;
use image::ImageFormat;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::auth::role::Role;
use sync_server::auth::token::Token;
use sync_server::services::sessions;
use sync_server::store::in_transaction;
use tests::device::{ITEM, courier, now_ms};
use tests::people::Person;

use super::{ID_NUMBER, NAME, SCANNED, Window, change_of_name, fields, leads_to};
use crate::images::{file, picture};

/// Signs somebody in once more.
fn signed_in_again(window: &Window, who: &Person) -> Result<Person> {
    let token = Token::new(&mut ChaCha20Rng::seed_from_u64(77));
    let mut store = window.server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| sessions::begin(tx, now_ms(), &who.id, &token.key()))?;
    Ok(Person { id: who.id.clone(), cookie: format!("jinban_session={}", token.to_text().as_str()) })
}

#[test]
fn a_sign_out_in_the_middle_loses_nothing() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    let kept = window.sends(&window.clerk, &form, &fields(&courier(), ""), &[])?;
    assert_eq!(kept.status, 200);
    leads_to(&window.server.submit(&window.clerk.cookie, "/sign-out", &[])?)?;
    let refused = window.sends(&window.clerk, &form, &fields(&courier(), "submit"), &[])?;
    assert_eq!(refused.status, 401);
    assert_eq!(window.count("envelope")?, 0, "nobody is signed in");
    let clerk = signed_in_again(&window, &window.clerk)?;
    let home = window.page(&clerk, "/window")?;
    assert!(home.contains("没有提交的表") && home.contains(&form.path) && home.contains("样*川"), "{home}");
    let page = window.page(&clerk, &form.path)?;
    assert!(page.contains("网约配送") && page.contains("139"), "{page}");
    let sent = window.sends(&clerk, &form, &fields(&courier(), "submit"), &[])?;
    leads_to(&sent)?;
    assert!(!window.page(&clerk, "/window")?.contains("没有提交的表"));
    Ok(())
}

#[test]
fn nothing_of_a_form_lies_in_clear() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    window.sends(&window.clerk, &form, &fields(&courier(), ""), &[])?;
    let sql = "SELECT COUNT(*) FROM window_draft WHERE LENGTH(sealed) > 200";
    assert_eq!(window.server.number(sql)?, 1);
    // A whole store, as it lies there, has no word of it.
    let path = window.server.data().join("server.db");
    for file in [path.clone(), path.with_extension("db-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        for secret in [NAME, ID_NUMBER, "13900139000", "样例路1号"] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", file.display());
        }
    }
    Ok(())
}

#[test]
fn another_clerk_sees_neither_the_form_nor_the_case() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    assert_eq!(window.status(&window.other, &form.path)?, 404);
    let stranger = window.sends(&window.other, &form, &fields(&courier(), "submit"), &[])?;
    assert_eq!(stranger.status, 404);
    let thrown = window.server.submit(&window.other.cookie, &format!("{}/discard", form.path), &[])?;
    assert_eq!((leads_to(&thrown)?, window.count("window_draft")?), ("/window", 1), "not thrown away");
    let number = window.hands_in(&form, &courier())?;
    window.settles(&number, "submitted")?;
    let slip = format!("/window/slips/{number}");
    for path in [slip.clone(), format!("{slip}/slip.pdf"), form.path.clone()] {
        assert_eq!(window.status(&window.other, &path)?, 404, "{path}");
    }
    assert!(!window.page(&window.other, "/window/mine")?.contains(&number));
    // Who sits at a window reads no cases but the own ones, and even of those no content.
    let cases = [format!("/cases/{number}"), format!("/desk/{number}"), "/cases".into(), "/desk".into()];
    for path in cases {
        assert_eq!(window.status(&window.clerk, &path)?, 403, "{path}");
    }
    // Others do not work at windows; a leader reads the counts.
    let leader = window.server.person(&[Role::Leader])?;
    let reviewer = window.server.person(&[Role::Reviewer])?;
    assert_eq!((window.status(&leader, "/window")?, window.status(&leader, "/window/visits")?), (403, 200));
    assert_eq!(window.status(&reviewer, "/window/visits")?, 403);
    assert_eq!(window.server.page_of(&window.clerk, "/")?.header("location"), Some("/window"));
    Ok(())
}

#[test]
fn what_is_thrown_away_is_gone_with_its_pages() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(SCANNED)?;
    let png = file(&picture(400, 300), ImageFormat::Png)?;
    window.sends(&window.clerk, &form, &fields(&change_of_name(), ""), &[("scan", &png)])?;
    assert_eq!(window.count("window_page")?, 1);
    let path = format!("{}/discard", form.path);
    for _ in 0..2 {
        leads_to(&window.server.submit(&window.clerk.cookie, &path, &[])?)?;
    }
    assert_eq!((window.count("window_page")?, window.count("window_draft")?), (0, 0));
    let blobs = std::fs::read_dir(window.server.data().join("blobs"))?.flatten();
    let kept: usize = blobs.map(|part| std::fs::read_dir(part.path()).map_or(0, Iterator::count)).sum();
    assert_eq!(kept, 0);
    assert_eq!(window.status(&window.clerk, &form.path)?, 404);
    let late = window.sends(&window.clerk, &form, &fields(&change_of_name(), "submit"), &[])?;
    assert_eq!((late.status, window.count("envelope")?), (404, 0));
    let audited = "SELECT COUNT(*) FROM audit WHERE event = 'window-draft.discarded'";
    assert_eq!(window.server.number(audited)?, 1);
    Ok(())
}

#[test]
fn a_form_that_does_not_open_is_told_and_can_be_thrown_away() -> Result<()> {
    let window = Window::new()?;
    let (broken, whole) = (window.begins(ITEM)?, window.begins(SCANNED)?);
    let id = broken.path.trim_start_matches("/window/forms/").to_owned();
    let mut store = window.server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        let sql = "UPDATE window_draft SET sealed = $2 WHERE envelope_id = $1";
        tx.execute(sql, &[id.into(), [0_u8; 40].as_slice().into()])
    })?;
    drop(store);
    let home = window.page(&window.clerk, "/window")?;
    assert!(home.contains("打不开了") && home.contains(&whole.path), "{home}");
    let discard = format!("{}/discard", broken.path);
    assert!(home.contains(&discard) && !home.contains(&format!("href=\"{}\"", broken.path)), "{home}");
    leads_to(&window.server.submit(&window.clerk.cookie, &discard, &[])?)?;
    let home = window.page(&window.clerk, "/window")?;
    assert!(!home.contains("打不开了") && home.contains(&whole.path), "{home}");
    Ok(())
}

#[test]
fn a_form_says_when_it_was_kept_and_not_when_it_is_looked_at() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    let at_ms = now_ms() - 2 * 3_600_000;
    let mut store = window.server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        tx.execute("UPDATE window_draft SET saved_at_ms = $1", &[at_ms.into()])
    })?;
    drop(store);
    let (hour, minute) = domain::date::china_clock(at_ms);
    let page = window.page(&window.clerk, &form.path)?;
    assert!(page.contains(&format!("{hour:02}:{minute:02} 已加密保存")), "{page}");
    Ok(())
}

#[test]
fn a_form_of_yesterday_is_over() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    let mut store = window.server.database()?.open()?;
    let long_ago = now_ms() - 25 * 3_600_000;
    in_transaction(store.as_mut(), |tx| {
        tx.execute("UPDATE window_draft SET saved_at_ms = $1", &[long_ago.into()])
    })?;
    drop(store);
    assert_eq!(window.status(&window.clerk, &form.path)?, 404);
    assert!(!window.page(&window.clerk, "/window")?.contains(&form.path));
    let late = window.sends(&window.clerk, &form, &fields(&courier(), "submit"), &[])?;
    assert_eq!((late.status, window.count("envelope")?), (404, 0));
    // The next look of the upkeep takes it away; it looks when the server starts.
    let Window { server, clerk, other } = window;
    let window = Window { server: server.restart()?, clerk, other };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while window.count("window_draft")? > 0 {
        assert!(std::time::Instant::now() < deadline, "it is still there");
    }
    Ok(())
}

#[test]
fn what_is_not_done_at_a_window_is_told_before_anything_is_typed() -> Result<()> {
    let window = Window::new()?;
    // Queries belong to systems of their own.
    let online = "dpf.card-query";
    let page = window.page(&window.clerk, &format!("/window?q={online}"))?;
    assert!(page.contains("这个窗口不办") && !page.contains(&format!("/window/start/{online}")), "{page}");
    let page = window.page(&window.clerk, &format!("/window/start/{online}"))?;
    assert!(page.contains("这个窗口不办") && page.contains("disabled"), "{page}");
    let refused = window.asks(online, &[])?;
    assert_eq!((refused.status, window.count("window_draft")?), (422, 0));
    // A card that the item does not take.
    let refused = window.asks(SCANNED, &[("number", "911398199012310021")])?;
    assert!(refused.status == 422 && refused.text().contains("不能用这种证件"), "{}", refused.text());
    // Withdrawn in an emergency: neither begun nor handed in, and nothing typed is lost.
    let form = window.begins(ITEM)?;
    let mut store = window.server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| {
        let sql = "INSERT INTO withdrawn (item, reason, since_ms, actor) VALUES ($1, $2, $3, 'A-0001')";
        tx.execute(sql, &[ITEM.into(), "系统检修".into(), now_ms().into()])
    })?;
    let late = window.sends(&window.clerk, &form, &fields(&courier(), "submit"), &[])?;
    assert!(late.status == 422 && late.text().contains("系统检修"), "{}", late.text());
    assert!(late.text().contains("网约配送"), "kept");
    let refused = window.asks(ITEM, &[])?;
    assert!(refused.status == 422 && refused.text().contains("已经下架：系统检修"));
    for path in ["/window/start/no.such", "/window/start/x", "/window/forms/x", "/window/slips/x"] {
        assert_eq!(window.status(&window.clerk, path)?, 404, "{path}");
    }
    Ok(())
}
