//! What whoever holds a slip sees of the case: where each step stands, what is missing, never how anything ended.
use anyhow::{Context as _, Result, ensure};
use tests::browser::Browser;
use tests::http;

use super::fits::fits;
use super::{Case, Desk, ID_NUMBER, NAME, PHONE, leads_to};

/// What would say how a step or a case ended, and who is meant.
const NEVER: [&str; 9] = ["refused", "不予", "准予", "不符合", "驳回", "社甲", NAME, ID_NUMBER, PHONE];

impl Desk {
    /// The address of a case's slip, as its QR code has it.
    pub(super) fn slip_address(&self, case: &Case) -> Result<String> {
        let page = self.page(&self.hall, &format!("/cases/{}", case.number))?;
        let address = page.split("href=\"/slips/").nth(1).and_then(|rest| rest.split('"').next());
        Ok(format!("/slips/{}", address.context("a slip")?))
    }

    pub(super) fn slip(&self, address: &str) -> Result<String> {
        let answer = http::get(&self.server.people, address, &[])?;
        ensure!(answer.status == 200, "{address}: {}", answer.status);
        let text = answer.text();
        ensure!(NEVER.iter().all(|word| !text.contains(word)), "{text}");
        Ok(text)
    }
}

/// The lines of the timeline: what happened or happens, and what is still to come.
fn lines(page: &str) -> Result<Vec<(bool, String, String)>> {
    let list = page.split("<ul class=\"tl\">").nth(1).and_then(|rest| rest.split("</ul>").next());
    let lines = list.context("a timeline")?.split("<li").skip(1).map(|line| {
        let word = line.split("</svg>").nth(1).and_then(|rest| rest.split("<small>").next());
        let note = line.split("<small>").nth(1).and_then(|rest| rest.split("</small>").next());
        let word = word.unwrap_or_default().replace("<b>", "").replace("</b>", "");
        (!line.starts_with(" class=\"not\""), word, note.unwrap_or_default().to_owned())
    });
    Ok(lines.collect())
}

#[test]
fn the_holder_of_a_slip_sees_each_step_and_what_is_missing() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.bundle()?;
    let address = desk.slip_address(&case)?;
    let before = desk.slip(&address)?;
    let open: Vec<_> = lines(&before)?.into_iter().map(|(begun, word, _)| (begun, word)).collect();
    let word = |begun: bool, word: &str| (begun, word.to_owned());
    ensure!(
        open.starts_with(&[word(true, "已保存本机"), word(true, "已送达中心"), word(false, "部门已受理")]),
        "{open:?}"
    );
    ensure!(open.last() == Some(&word(false, "已办结")) && open.len() > 4, "{open:?}");
    ensure!(!before.contains("请您"), "{before}");

    let asked = desk.asked()?;
    let address = desk.slip_address(&asked)?;
    let page = desk.slip(&address)?;
    for told in ["补 2 样", "办理时间已暂停", "看不清", "缺少", "请补", "到任一网点"] {
        ensure!(page.contains(told), "{told}: {page}");
    }
    let waits: Vec<_> = lines(&page)?.into_iter().filter(|(.., note)| note.contains("等您补正")).collect();
    ensure!(waits.len() == 1 && waits[0].0, "{waits:?}");

    let english = desk.slip(&format!("{address}&lang=en"))?;
    ensure!(
        english.contains("Please bring 2 things before") && english.contains("The clock stands"),
        "{english}"
    );
    Ok(())
}

#[test]
fn four_digits_tell_that_something_is_missing_and_not_what() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let fields = [("number", case.number.as_str()), ("proof", &PHONE[7..])];
    let page = desk.server.submit("", "/verify", &fields)?;
    let text = page.text();
    ensure!(page.status == 200 && text.contains("补 2 样") && text.contains("扫凭条上的二维码"), "{text}");
    for hidden in ["请补", "看不清", "缺少", "银行卡"] {
        ensure!(!text.contains(hidden), "{hidden}: {text}");
    }
    Ok(())
}

#[test]
fn a_slip_never_says_how_a_step_or_a_case_ended() -> Result<()> {
    let mut desk = Desk::new()?;
    let (passed, refused) = (desk.item()?, desk.item()?);
    for case in [&passed, &refused] {
        leads_to(&desk.does((&desk.pension, case), "review", "accept", &[])?)?;
    }
    let running = desk.slip(&desk.slip_address(&passed)?)?;
    ensure!(lines(&running)?.iter().any(|(begun, _, note)| *begun && note.ends_with("起在办")), "{running}");
    leads_to(&desk.does((&desk.pension, &passed), "review", "pass", &[])?)?;
    let words = [("basis", "0"), ("text", "不符合第十条")];
    leads_to(&desk.does((&desk.pension, &refused), "review", "refuse", &words)?)?;
    let told = |case: &Case| -> Result<Vec<(bool, String)>> {
        let page = desk.slip(&desk.slip_address(case)?)?;
        Ok(lines(&page)?.into_iter().map(|(begun, word, _)| (begun, word)).collect())
    };
    let (passed, refused) = (told(&passed)?, told(&refused)?);
    assert_eq!(passed, refused, "both read the same");
    ensure!(passed.iter().all(|(begun, _)| *begun) && passed.len() == 4, "the marks alone: {passed:?}");
    Ok(())
}

#[test]
fn a_slip_fits_a_phone_and_a_workstation() -> Result<()> {
    let mut desk = Desk::new()?;
    let asked = desk.asked()?;
    let case = desk.bundle()?;
    leads_to(&desk.does((&desk.hall, &case), "s1", "accept", &[])?)?;
    leads_to(&desk.does((&desk.pension, &case), "s3", "take", &[])?)?;
    let browser = Browser::start()?;
    for (name, case) in [("slip-asked", &asked), ("slip-running", &case)] {
        fits(&browser, &desk.server.people, (name, &desk.slip_address(case)?))?;
    }
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
