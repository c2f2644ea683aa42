//! What nobody sees, what is done once, and what stays a text.
use anyhow::Result;
use serde_json::json;
use sync_server::auth::role::Role;

use super::{BUNDLE, Desk, ID_NUMBER, NAME, PHONE, bundle, leads_to, offered};

#[test]
fn other_departments_see_nothing_and_each_look_is_noted() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.bundle()?;
    let path = format!("/desk/{}", case.number);
    let refused = desk.server.page_of(&desk.stranger, &path)?;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("unit-needed") && !refused.text().contains("送外卖"));
    let reveal = format!("{path}/reveal");
    let full = desk.server.submit(&desk.stranger.cookie, &reveal, &[("field", "applicant.id_number")])?;
    assert_eq!(full.status, 403);
    assert_eq!((desk.audited(&case, "case.seen")?, desk.audited(&case, "case.revealed")?), (0, 0));
    let unitless = desk.server.person(&[Role::Reviewer])?;
    for address in ["/desk", path.as_str()] {
        let page = desk.page(&unitless, address)?;
        assert!(page.contains("您的账号没有写部门") && page.contains("管理员") && !page.contains("送外卖"));
    }
    let table = ["/desk/XN26112400100013", "/desk/x", "/desk/%ff"];
    for address in table {
        assert_eq!(desk.server.page_of(&desk.hall, address)?.status, 404, "{address}");
    }

    let page = desk.page(&desk.hall, &path)?;
    for words in ["送外卖", "样*川", "639900********1035", "139****9000", "60%", "本部门办理需要全部内容"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!([NAME, ID_NUMBER, PHONE].iter().all(|secret| !page.contains(secret)), "masked");
    assert_eq!(desk.audited(&case, "case.seen")?, 1);
    let table = [("applicant.id_number", ID_NUMBER), ("applicant.name", NAME), ("phone", PHONE)];
    for (times, (field, value)) in (1..).zip(table) {
        let full = desk.server.submit(&desk.hall.cookie, &reveal, &[("field", field)])?;
        assert_eq!((full.status, full.header("cache-control")), (200, Some("no-store")), "{field}");
        assert!(full.text().contains(value), "{field}");
        assert_eq!(desk.audited(&case, "case.revealed")?, times);
    }
    for field in ["job_desc", "no_such", "applicant.birth", ""] {
        let full = desk.server.submit(&desk.hall.cookie, &reveal, &[("field", field)])?;
        assert_eq!(full.status, 404, "{field} is not masked");
    }
    assert_eq!(desk.audited(&case, "case.revealed")?, 3);
    Ok(())
}

#[test]
fn the_same_click_is_one_action_and_the_slower_of_two_hears_of_the_other() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.item()?;
    leads_to(&desk.does((&desk.pension, &case), "review", "accept", &[])?)?;
    let [mine, theirs] = [&desk.pension, &desk.colleague].map(|who| desk.case(who, &case, "review"));
    let (mine, theirs) = (mine?, theirs?);
    let note = [("text", "第一句")];
    for _ in 0..2 {
        leads_to(&desk.sends((&desk.pension, &case), &mine, "note", &note)?)?;
        leads_to(&desk.sends((&desk.pension, &case), &mine, "take", &[])?)?;
    }
    assert_eq!((desk.actions(&case, "noted")?, desk.actions(&case, "taken")?), (1, 1));

    let late =
        desk.sends((&desk.colleague, &case), &theirs, "transfer", &[("unit", "公安"), ("text", "归公安管")])?;
    let page = late.text();
    assert_eq!(late.status, 409);
    for words in ["办件已有变化", "签收", "社甲（审批员）", "归公安管</textarea>", "审核中"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(desk.actions(&case, "transferred")?, 0);
    // Given away, it is nobody's business here any more; the same click still leads on.
    let page = desk.case(&desk.pension, &case, "review")?;
    let away = [("unit", "公安"), ("text", "归公安管")];
    for _ in 0..2 {
        let given = desk.sends((&desk.pension, &case), &page, "transfer", &away)?;
        assert_eq!(leads_to(&given)?, format!("/desk?done=transfer&was={}", case.number));
    }
    assert_eq!(desk.server.page_of(&desk.pension, &format!("/desk/{}", case.number))?.status, 403);
    Ok(())
}

#[test]
fn what_people_write_is_shown_as_text() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut submission = bundle()?;
    let hostile = "<img src=x onerror=alert(1)>&{{7*7}}";
    submission.answers.insert("job_desc".to_owned(), json!(hostile));
    let case = desk.comes_in(&submission, BUNDLE)?;
    let note = "\"><script>alert(2)</script>\n=cmd|' /C calc'!A0";
    leads_to(&desk.does((&desk.hall, &case), "s1", "note", &[("text", note)])?)?;
    let page = desk.case(&desk.hall, &case, "s1")?;
    assert!(page.contains("&#60;img src=x") && page.contains("alert(2)"), "{page}");
    assert!(!page.contains("<img src=x") && !page.contains("<script>"), "escaped");
    assert!(!page.contains(" style=") && page.matches("<script").count() == 1, "only the script of the desk");
    Ok(())
}

#[test]
fn odd_forms_are_refused_and_nothing_is_done() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.item()?;
    let page = desk.case(&desk.pension, &case, "review")?;
    let hidden = super::form(&page, "return").unwrap_or_default();
    let fields = |more: &[(&'static str, &'static str)]| -> Vec<(String, String)> {
        let own = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let kept = hidden.iter().filter(|(name, _)| more.iter().all(|(n, _)| n != name || *n == "want"));
        kept.cloned().chain(own).collect()
    };
    let table: [(&[(&str, &str)], u16); 14] = [
        (&[("deed", "destroy")], 400),
        (&[("admin", "1")], 400),
        (&[("days", "5"), ("want", "phone")], 400),
        (&[("days", "5"), ("want", "phone:blue")], 400),
        (&[("days", "5"), ("want", "no_such:missing")], 400),
        (&[("days", "5"), ("want", "material.99:missing")], 400),
        (&[("days", "5"), ("want", "phone:missing"), ("want", "phone:unfit")], 400),
        (&[("seen", "x")], 400),
        (&[("click", "<b>")], 400),
        (&[("days", "5")], 422),
        (&[("days", "0"), ("want", "phone:missing")], 422),
        (&[("days", "61"), ("want", "phone:missing")], 422),
        (&[("days", "五"), ("want", "phone:missing")], 422),
        (&[("days", "5"), ("want", "phone:missing"), ("seen", "1")], 409),
    ];
    for (more, status) in table {
        let fields = fields(more);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = desk.server.submit(&desk.pension.cookie, &format!("/desk/{}", case.number), &fields)?;
        assert_eq!(answer.status, status, "{more:?}: {}", answer.text());
        if status == 422 || status == 409 {
            let wants = more.iter().any(|(n, _)| *n == "want");
            assert_eq!(answer.text().contains("value=\"phone:missing\" selected"), wants, "kept: {more:?}");
        }
    }
    let long = "长".repeat(2_001);
    let answer = desk.sends((&desk.pension, &case), &page, "note", &[("text", &long)])?;
    assert_eq!((answer.status, answer.text().contains("最多 2000 字")), (422, true));
    let most = "长".repeat(2_000);
    leads_to(&desk.sends((&desk.pension, &case), &page, "note", &[("text", &most)])?)?;
    assert_eq!(desk.actions(&case, "supplement_asked")?, 0);
    // A clerk of the same unit may look and note; what reviewers decide is not offered.
    let clerk = desk.server.person_of(("社丙", super::PENSION), &[Role::Clerk])?;
    let page = desk.case(&clerk, &case, "review")?;
    assert_eq!(offered(&page), ["accept", "decline", "note", "withdraw"]);
    Ok(())
}
