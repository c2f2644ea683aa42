//! From the envelope to the result: accepted, taken, returned, passed side by side, completed.
use anyhow::Result;
use domain::case::Action;
use sync_server::services::cases;
use sync_server::services::catalogue::Shelf;
use sync_server::store::in_transaction;
use tests::device::now_ms;

use super::{Case, Desk, leads_to, offered};

impl Desk {
    /// What a job or another envelope does to a case.
    pub(super) fn happens(&self, case: &Case, action: Action) -> Result<()> {
        let mut store = self.server.database()?.open()?;
        let done = in_transaction(store.as_mut(), |tx| {
            let version = cases::by_id(tx, &case.id)?.map_or(0, |row| row.version);
            cases::act(tx, &Shelf::default(), now_ms(), (&case.id, version), action.clone())
        });
        done.map(|_| ()).map_err(Into::into)
    }
}

#[test]
fn a_bundle_is_accepted_returned_passed_by_two_departments_and_completed() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.bundle()?;

    // Only the hall has something to do.
    let inbox = desk.page(&desk.hall, "/desk")?;
    assert!(inbox.contains(&case.number) && inbox.contains("灵活就业") && inbox.contains("前受理或一次告知"));
    let none = desk.page(&desk.pension, "/desk")?;
    assert!(none.contains("本部门没有待办") && !none.contains(&case.number));
    let page = desk.case(&desk.hall, &case, "s1")?;
    assert_eq!(offered(&page), ["accept", "take", "return", "decline", "note", "withdraw"]);
    let done = desk.sends((&desk.hall, &case), &page, "accept", &[])?;
    assert_eq!(leads_to(&done)?, format!("/desk?done=accept&was={}", case.number), "nothing else waits");
    assert!(desk.page(&desk.hall, leads_to(&done)?)?.contains("已受理"));

    // Both departments begin, and see each other.
    let inbox = desk.page(&desk.pension, "/desk?list=ready")?;
    assert!(inbox.contains(&case.number) && inbox.contains("医保 待签收"), "{inbox}");
    let taken = desk.does((&desk.pension, &case), "s3", "take", &[])?;
    assert_eq!(leads_to(&taken)?, format!("/desk/{0}?step=s3&done=take&was={0}", case.number));
    let mine = desk.page(&desk.pension, "/desk?list=mine")?;
    assert!(mine.contains(&case.number) && mine.contains("社甲"));

    // All that is wrong goes into one notice.
    let wants = [("want", ""), ("want", "phone:unclear"), ("want", "material.3:missing"), ("days", "5")];
    let returned =
        desk.does((&desk.pension, &case), "s3", "return", &[&wants[..], &[("text", "请补齐")]].concat())?;
    leads_to(&returned)?;
    let page = desk.case(&desk.pension, &case, "s3")?;
    for words in ["等补正", "手机号：看不清", "银行卡：缺少", "期限 5 个工作日", "请补齐", "社甲（审批员）"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(desk.actions(&case, "supplement_asked")?, 1, "one notice for both");
    desk.happens(&case, Action::SupplementSent { due_ms: now_ms() + 86_400_000 })?;
    let waits = desk.page(&desk.pension, "/desk?list=supplement")?;
    assert!(waits.contains("已暂停") && waits.contains("等补正，限"), "{waits}");
    desk.happens(&case, Action::supplement(case.id, &["phone"]))?;

    // A second notice is the leader's.
    let page = desk.case(&desk.pension, &case, "s3")?;
    assert!(!offered(&page).contains(&"return") && page.contains("再次退回须由部门负责人办"), "{page}");
    assert!(offered(&desk.case(&desk.leader, &case, "s3")?).contains(&"return"));

    leads_to(&desk.does((&desk.pension, &case), "s3", "pass", &[])?)?;
    let page = desk.case(&desk.medical, &case, "s4")?;
    assert!(page.contains("通过") && page.contains("社甲"), "the other department is done: {page}");
    leads_to(&desk.does((&desk.medical, &case), "s4", "pass", &[("text", "同意参保")])?)?;
    let page = desk.case(&desk.medical, &case, "s4")?;
    assert!(page.contains("准予") && page.contains("同意参保") && page.contains("办结"), "{page}");
    assert_eq!(offered(&page), ["note"], "only a note can be written to what is over");
    let state =
        desk.server.number("SELECT COUNT(*) FROM case_ WHERE state = 'completed' AND outcome = 'granted'")?;
    assert_eq!(state, 1);
    Ok(())
}

#[test]
fn an_item_is_refused_by_a_basis_and_with_a_reason_and_led_to_the_next() -> Result<()> {
    let mut desk = Desk::new()?;
    let (first, second) = (desk.item()?, desk.item()?);
    let accepted = desk.does((&desk.pension, &first), "review", "accept", &[])?;
    assert!(
        leads_to(&accepted)?.starts_with(&format!("/desk/{}?step=review", first.number)),
        "more to do here"
    );

    let typed = [("basis", ""), ("text", "")];
    let refused = desk.does((&desk.pension, &first), "review", "refuse", &typed)?;
    let page = refused.text();
    assert_eq!(refused.status, 422);
    assert!(
        page.contains("请选一条依据") && page.contains("请写明理由") && page.contains("社会保险法"),
        "{page}"
    );
    let kept = [("basis", ""), ("text", "不符合第十条")];
    let refused = desk.does((&desk.pension, &first), "review", "refuse", &kept)?;
    assert!(refused.text().contains("不符合第十条</textarea>"), "what was typed stays");
    assert_eq!(desk.actions(&first, "refused")?, 0);

    let whole = [("basis", "0"), ("text", "不符合第十条")];
    let refused = desk.does((&desk.pension, &first), "review", "refuse", &whole)?;
    let next = format!("/desk/{}?step=review&done=refuse&was={}", second.number, first.number);
    assert_eq!(leads_to(&refused)?, next);
    assert!(desk.page(&desk.pension, &next)?.contains("已作出不予决定"));
    let page = desk.case(&desk.pension, &first, "review")?;
    assert!(page.contains("依据：社会保险法第十条、第五十八条") && page.contains("不予"), "{page}");
    Ok(())
}

#[test]
fn another_department_is_asked_sees_it_answers_and_sees_it_no_more() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.item()?;
    leads_to(&desk.does((&desk.pension, &case), "review", "accept", &[])?)?;
    let page = desk.case(&desk.pension, &case, "review")?;
    assert!(offered(&page).contains(&"take") && offered(&page).contains(&"pass"), "{:?}", offered(&page));
    assert_eq!(page.matches("class=\"btn pri\" form=").count(), 1, "one clear action: {page}");
    leads_to(&desk.does((&desk.pension, &case), "review", "take", &[])?)?;
    let path = format!("/desk/{}", case.number);
    assert_eq!(desk.server.page_of(&desk.stranger, &path)?.status, 403);
    let asked = [("unit", "公安"), ("text", "户籍在哪里？")];
    leads_to(&desk.does((&desk.pension, &case), "review", "consult", &asked)?)?;
    let inbox = desk.page(&desk.stranger, "/desk?list=opinion")?;
    assert!(inbox.contains(&case.number), "{inbox}");
    let page = desk.case(&desk.stranger, &case, "review")?;
    assert!(page.contains("户籍在哪里？") && offered(&page) == ["answer"], "{:?}", offered(&page));
    leads_to(&desk.does((&desk.stranger, &case), "review", "answer", &[("text", "在城东区")])?)?;
    assert_eq!(desk.server.page_of(&desk.stranger, &path)?.status, 403, "its part is over");
    let page = desk.case(&desk.pension, &case, "review")?;
    assert!(page.contains("在城东区"));
    // Whoever sees the case and has no part in it reads who did what, and nothing that they wrote.
    let page = desk.page(&desk.stranger, &format!("/cases/{}", case.number))?;
    for words in ["由 社甲（审批员）", "由 中心", "审查：征询"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("户籍在哪里") && !page.contains("在城东区"), "{page}");
    Ok(())
}
