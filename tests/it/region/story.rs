//! From the counter of one region to the decision of the other and back, with kills and with nobody at the other end.
use anyhow::{Context as _, Result, ensure};
use tests::device::ITEM;

use super::{NOWHERE, Regions, THERE, hidden, leads_to, until};

/// The number of the case that a handoff became.
fn number(regions: &Regions) -> Result<String> {
    let rows = regions.there.rows("SELECT number FROM case_", &[])?;
    ensure!(rows.len() == 1, "{} cases", rows.len());
    Ok(rows.first().context("a row")?.text(0)?.to_owned())
}

/// Accepts and passes the only step of the case at the home region's desk.
fn granted(regions: &Regions) -> Result<()> {
    let number = number(regions)?;
    until(&regions.there, "SELECT COUNT(*) FROM case_ WHERE state = 'submitted'", 1)?;
    for deed in ["accept", "pass"] {
        let page = regions.page(&regions.there, &regions.reviewer, &format!("/desk/{number}?step=review"))?;
        let form = page.split(&format!("<form id=\"deed-{deed}\"")).nth(1).context("a deed")?;
        let values = ["step", "seen", "click"].map(|name| hidden(form, name));
        let [step, seen, click] = values;
        let (step, seen, click) = (step?, seen?, click?);
        let fields =
            [("deed", deed), ("step", step.as_str()), ("seen", seen.as_str()), ("click", click.as_str())];
        leads_to(&regions.there.submit(&regions.reviewer.cookie, &format!("/desk/{number}"), &fields)?)?;
    }
    Ok(())
}

#[test]
fn what_one_region_takes_in_the_other_decides_and_each_sees_both_clocks() -> Result<()> {
    let regions = Regions::new()?;
    let start = regions.page(&regions.here, &regions.clerk, "/handoffs/start?q=ys")?;
    assert!(start.contains("玉树州政务服务中心") && start.contains("0976-0000002"), "{start}");
    let items = regions.page(&regions.here, &regions.clerk, &format!("/handoffs/start/{THERE}"))?;
    assert!(items.contains("/handoffs/start/632700/"), "{items}");
    let path = regions.taken_in()?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    for words in ["形式审查", "0971-0000001", "0976-0000002", "受理后起算", "异地代收代办", "样*川"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    // Without the review nothing goes out.
    let bare = [("deed", "hand_over"), ("seen", "1"), ("complete", "on")];
    let refused = regions.here.submit(&regions.clerk.cookie, &path, &bare)?;
    assert!(leads_to(&refused)?.ends_with("told=ticks"));
    assert_eq!(regions.here.number("SELECT COUNT(*) FROM partner_message")?, 0);
    let sent = regions.hands_over(&path)?;
    assert!(leads_to(&sent)?.ends_with("told=sent"));
    let id = path.rsplit('/').next().context("an id")?.to_owned();
    regions.settles(&regions.there, &id, "sent")?;

    // The home region signs for it, sees that it fits, accepts; two clicks are one case.
    let inbox = regions.page(&regions.there, &regions.reviewer, "/handoffs/incoming")?;
    assert!(inbox.contains(&id) && inbox.contains("西宁市政务服务中心"), "{inbox}");
    let address = format!("/handoffs/incoming/{id}");
    assert!(!regions.page(&regions.there, &regions.reviewer, &address)?.contains("样*川"), "not signed for");
    leads_to(&regions.does(&id, "sign_for", &[])?)?;
    let page = regions.page(&regions.there, &regions.reviewer, &address)?;
    assert!(page.contains("样*川") && page.contains("符合这一版表单"), "{page}");
    let seen = hidden(&page, "seen")?;
    for _ in 0..2 {
        let fields = [("deed", "accept"), ("seen", seen.as_str())];
        leads_to(&regions.there.submit(&regions.reviewer.cookie, &address, &fields)?)?;
    }
    regions.settles(&regions.here, &id, "accepted")?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    assert!(
        page.contains(&number(&regions)?) && page.contains("已完成") && !page.contains("受理后起算"),
        "{page}"
    );

    // Decided there; here nothing is told but that.
    granted(&regions)?;
    regions.settles(&regions.here, &id, "decided")?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    assert!(page.contains("已作决定") && !page.contains("准予"), "{page}");
    for (server, number) in [(&regions.here, 1), (&regions.there, 0)] {
        let kept = "SELECT COUNT(*) FROM handoff WHERE sealed IS NOT NULL";
        assert_eq!(server.number(kept)?, number, "it lies in the case, and sealed for a week here");
    }
    regions.settles(&regions.there, &id, "decided")?;
    leads_to(&regions.does(&id, "send_result", &[("way", "mail")])?)?;
    regions.settles(&regions.here, &id, "result_sent")?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    let seen = hidden(&page, "seen")?;
    let fields = [("deed", "receive"), ("seen", seen.as_str())];
    leads_to(&regions.here.submit(&regions.clerk.cookie, &path, &fields)?)?;
    regions.settles(&regions.there, &id, "result_received")?;
    assert_eq!(regions.there.number("SELECT COUNT(*) FROM case_")?, 1);
    let bytes = regions.here.stored_bytes()?;
    for secret in ["样小川", "639900199005201035", "13900139000"] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} lies in clear");
    }
    Ok(())
}

#[test]
fn a_region_that_does_not_answer_gets_it_once_when_it_comes_back() -> Result<()> {
    let mut regions = Regions::new()?;
    let path = regions.taken_in()?;
    regions.part()?;
    let sent = regions.hands_over(&path)?;
    assert!(leads_to(&sent)?.ends_with("told=sent"), "stored, and forwarded later");
    until(&regions.here, "SELECT COUNT(*) FROM partner_message WHERE tries > 1", 1)?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    assert!(page.contains("对方系统连不上") && page.contains("不能承诺时间"), "{page}");
    // Even a form can be begun that was seen before, and none that was not.
    let form = regions.page(&regions.here, &regions.clerk, &format!("/handoffs/start/{THERE}/{ITEM}"))?;
    assert!(form.contains("现在连不上") && !form.contains(NOWHERE), "{form}");
    let list = regions.page(&regions.here, &regions.clerk, &format!("/handoffs/start/{THERE}"))?;
    assert!(list.contains(ITEM) && list.contains("连不上"), "{list}");
    // Both are killed and come back elsewhere.
    let Regions { here, there, clerk, reviewer } = regions;
    let (here, there) = (here.kill_and_restart()?, there.kill_and_restart()?);
    regions = Regions { here, there, clerk, reviewer };
    regions.meet()?;
    let id = path.rsplit('/').next().context("an id")?;
    regions.settles(&regions.there, id, "sent")?;
    until(&regions.here, "SELECT COUNT(*) FROM partner_message WHERE state = 'confirmed'", 1)?;
    assert_eq!(regions.there.number("SELECT COUNT(*) FROM partner_message")?, 1);
    Ok(())
}

#[test]
fn a_kill_between_the_acceptance_and_its_answer_makes_one_case() -> Result<()> {
    let mut regions = Regions::new()?;
    let (_, id) = regions.arrived()?;
    leads_to(&regions.does(&id, "sign_for", &[])?)?;
    let address = format!("/handoffs/incoming/{id}");
    let seen = hidden(&regions.page(&regions.there, &regions.reviewer, &address)?, "seen")?;
    let (people, cookie, path) =
        (regions.there.people.clone(), regions.reviewer.cookie.clone(), address.clone());
    let click = std::thread::spawn(move || {
        let fields = format!("deed=accept&seen={seen}");
        let headers = [tests::people::FORM, tests::people::OWN_PAGE, ("cookie", cookie.as_str())];
        tests::http::post(&people, &path, &headers, fields.as_bytes()).is_ok()
    });
    while regions.there.number("SELECT COUNT(*) FROM case_")? == 0 {}
    regions.there.kill()?;
    drop(click.join());
    let Regions { here, there, clerk, reviewer } = regions;
    regions = Regions { here, there: there.kill_and_restart()?, clerk, reviewer };
    regions.meet()?;
    // Whoever clicked does not know, and clicks what the page offers; nothing is left to accept.
    let page = regions.page(&regions.there, &regions.reviewer, &address)?;
    assert!(!page.contains("value=\"accept\""), "{page}");
    regions.settles(&regions.here, &id, "accepted")?;
    for table in ["case_", "handoff"] {
        assert_eq!(regions.there.number(&format!("SELECT COUNT(*) FROM {table}"))?, 1, "{table}");
    }
    let told = "SELECT COUNT(*) FROM handoff_step WHERE step LIKE '%\"accepted\"%'";
    assert_eq!(regions.here.number(told)?, 1);
    Ok(())
}

#[test]
fn what_is_missing_is_asked_where_it_was_taken_in_and_what_is_not_theirs_ends_there() -> Result<()> {
    let regions = Regions::new()?;
    let (path, id) = regions.arrived()?;
    leads_to(&regions.does(&id, "sign_for", &[])?)?;
    let bare = regions.does(&id, "return", &[("words", "  ")])?;
    assert!(leads_to(&bare)?.ends_with("wrong=words"), "words are needed");
    leads_to(&regions.does(&id, "return", &[("words", "电话打不通，请核对 <b>")])?)?;
    regions.settles(&regions.here, &id, "returned")?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    assert!(page.contains("电话打不通") && page.contains("暂停") && !page.contains("核对 <b>"), "{page}");
    let form = regions.page(&regions.here, &regions.clerk, &format!("{path}/form"))?;
    let again = hidden(&form, "_id")?;
    assert_eq!(again, id);
    let kept = regions.sends_form(&format!("/handoffs/start/{THERE}/{ITEM}"), &again, "13900139001")?;
    assert_eq!(leads_to(&kept)?, path);
    assert!(leads_to(&regions.hands_over(&path)?)?.ends_with("told=sent"));
    regions.settles(&regions.there, &id, "sent")?;
    assert_eq!(regions.there.number("SELECT COUNT(*) FROM handoff")?, 1, "the same handoff, a second round");

    leads_to(&regions.does(&id, "not_ours", &[("words", "户籍在果洛，请转果洛州")])?)?;
    regions.settles(&regions.here, &id, "not_ours")?;
    let page = regions.page(&regions.here, &regions.clerk, &path)?;
    assert!(page.contains("不属本地") && page.contains("请转果洛州"), "{page}");
    assert_eq!(regions.there.number("SELECT COUNT(*) FROM case_")?, 0);
    // Nobody else's handoff is there for another clerk, nor for another unit.
    let other = regions
        .here
        .person_of(("窗乙", "政务服务中心(综合受理)"), &[sync_server::auth::role::Role::Window])?;
    assert_eq!(regions.here.page_of(&other, &path)?.status, 404);
    let police = regions.there.person_of(("公甲", "公安"), &[sync_server::auth::role::Role::Reviewer])?;
    let address = format!("/handoffs/incoming/{id}");
    assert_eq!(regions.there.page_of(&police, &address)?.status, 404);
    Ok(())
}
