//! What a case waits for is brought to a window: a clerk finds the case by its number and the card of whoever stands
//! there, fills in just that, and hands it in once.
use anyhow::{Context as _, Result, ensure};
use domain::applicant::IdentitySource;
use domain::case::{Action, CaseState};
use domain::wire::v1::{EnvelopeKind, Withdrawal};
use image::ImageFormat;
use serde_json::json;
use sync_server::auth::role::Role;
use tests::browser::Browser;
use tests::device::{courier, wait_for_state};
use tests::http::Answer;
use tests::people::Person;

use super::fits::fits;
use super::{ADDRESS, Case, Desk, HALL, ID_NUMBER, NAME, PHONE, leads_to, offered};
use crate::images::{file, picture};
use crate::window::{Fields, hidden, sends_to};

/// Another person of nobody's region (样例).
const OTHER: &str = "639900194403150015";

/// What no clerk of a window sees of a case.
const NEVER: [&str; 6] = [PHONE, "139****9000", "送外卖", ID_NUMBER, NAME, ADDRESS];

impl Desk {
    pub(super) fn clerk(&self) -> Result<Person> {
        self.server.person_of(("窗丙", HALL), &[Role::Window])
    }

    /// A clerk types a case number and an ID number.
    fn looks_up(&self, clerk: &Person, number: &str, id_number: &str) -> Result<Answer> {
        let page = self.page(clerk, "/window/supplement")?;
        let form = hidden(&page, "form")?;
        self.looks_up_with(clerk, &form, number, id_number)
    }

    fn looks_up_with(&self, clerk: &Person, form: &str, number: &str, id_number: &str) -> Result<Answer> {
        let fields = [("form", form), ("window", "3"), ("number", number), ("id_number", id_number)];
        self.server.submit(&clerk.cookie, "/window/supplement", &fields)
    }

    fn fills(
        &self,
        (clerk, path): (&Person, &str),
        fields: &Fields,
        files: &[(&str, &[u8])],
    ) -> Result<Answer> {
        sends_to(&self.server.people, &clerk.cookie, path, (fields, files))
    }
}

/// What a page of the form sends.
fn fields(page: &str, values: &[(&str, &str)], deed: &str) -> Fields {
    let state = hidden(page, "_state").unwrap_or_default();
    let own = [("_state", state.as_str()), ("_page", "0"), ("_do", deed)];
    own.iter().chain(values).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_clerk_adds_what_is_missing_and_the_department_goes_on() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let clerk = desk.clerk()?;
    ensure!(desk.page(&clerk, "/window")?.contains("/window/supplement"), "the way there");
    // As people read it aloud.
    let spaced = format!(" {}-{} ", &case.number[..6], &case.number[6..].to_lowercase());
    let path = leads_to(&desk.looks_up(&clerk, &spaced, " 639900 19900520 1035")?)?.to_owned();
    let page = desk.page(&clerk, &path)?;
    for told in ["看不清", "缺少", "请补", &case.number, "name=\"phone\"", "_file.material_3"] {
        ensure!(page.contains(told), "{told}: {page}");
    }
    ensure!(NEVER.iter().all(|never| !page.contains(never)) && !page.contains("name=\"job_desc\""), "{page}");
    ensure!(desk.page(&clerk, "/window")?.contains("补正 · "), "it waits to be gone on with");

    // The scan first, then what is typed; a mistake is told at the field.
    let png = file(&picture(400, 300), ImageFormat::Png)?;
    let page = desk.fills((&clerk, &path), &fields(&page, &[], ""), &[("material_3", &png)])?.text();
    ensure!(page.contains("image/jpeg · ") || page.contains("image/png · "), "{page}");
    let kept = |page: &str| hidden(page, "material_3");
    let scan = kept(&page)?;
    let wrong = [("phone", "1370013"), ("material_3", scan.as_str())];
    let told = desk.fills((&clerk, &path), &fields(&page, &wrong, "next"), &[])?.text();
    ensure!(told.contains("aria-invalid") && kept(&told)? == scan, "{told}");
    let right = [("phone", "13700137123"), ("material_3", scan.as_str())];
    let check = desk.fills((&clerk, &path), &fields(&told, &right, "next"), &[])?.text();
    ensure!(check.contains("value=\"submit\"") && check.contains("13700137123"), "{check}");

    // Six clicks at the same time are one.
    let sent = fields(&check, &[], "submit");
    let (people, cookie) = (&desk.server.people, &clerk.cookie);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| sends_to(people, cookie, &path, (&sent, &[])));
        let clicks: Vec<_> = (0..6).map(|_| one()).collect();
        clicks.into_iter().map(|click| click.join().expect("ends")).collect()
    });
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let first = leads_to(&answers[0])?.to_owned();
    for answer in &answers {
        assert_eq!(leads_to(answer)?, first);
    }
    assert_eq!(leads_to(&desk.server.page_of(&clerk, &path)?)?, first, "and later");
    let done = desk.page(&clerk, &first)?;
    ensure!(done.contains("补正已提交") && NEVER.iter().all(|never| !done.contains(never)), "{done}");

    // One envelope of the centre's own series, taken; the department sees it and goes on.
    let id = first.rsplit('/').next().context("an id")?.parse()?;
    assert_eq!(desk.settled(&id)?, "taken");
    let own = "SELECT COUNT(*) FROM envelope WHERE kind = 'supplement' AND terminal = 'WINDOW'";
    assert_eq!((desk.server.number(own)?, desk.actions(&case, "supplement_received")?), (1, 1));
    let page = desk.case(&desk.pension, &case, "s3")?;
    ensure!(page.contains("137****7123") && offered(&page).contains(&"pass"), "{page}");
    let scan = format!("/desk/{}/attachments/1-1", case.number);
    assert_eq!(desk.server.page_of(&desk.pension, &scan)?.status, 200);
    assert_eq!(desk.audited_of(&id, "supplement.handed-in")?, 1);
    let served = "SELECT COUNT(*) FROM visit WHERE ended = 'served'";
    assert_eq!(
        (desk.server.number(served)?, desk.server.number("SELECT COUNT(*) FROM window_draft")?),
        (1, 0)
    );
    let verified = desk.server.command(&["verify"])?;
    ensure!(verified.status.success(), "{verified:?}");
    Ok(())
}

#[test]
fn who_is_not_the_applicant_gets_the_same_words_as_a_wrong_number() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let clerk = desk.clerk()?;
    let wrong = [
        (case.number.as_str(), OTHER),
        ("XN26112400100013", ID_NUMBER),
        ("", ""),
        (case.number.as_str(), "'; DROP TABLE case_; --"),
        ("<script>alert(1)</script>", ID_NUMBER),
    ];
    for (number, id_number) in wrong {
        let answer = desk.looks_up(&clerk, number, id_number)?;
        let page = answer.text();
        ensure!(answer.status == 422 && page.contains("都对得上的办件"), "{number}: {page}");
        ensure!(
            !page.contains("<script>alert") && (id_number.is_empty() || !page.contains(id_number)),
            "{page}"
        );
    }
    for count in ["visit", "window_draft"] {
        assert_eq!(desk.server.number(&format!("SELECT COUNT(*) FROM {count}"))?, 0, "{count}");
    }
    // Whoever goes on guessing waits, also with the right pair.
    let page = desk.page(&clerk, "/window/supplement")?;
    let form = hidden(&page, "form")?;
    for _ in 0..50 {
        desk.looks_up_with(&clerk, &form, "XN26112400100013", OTHER)?;
    }
    let waits = desk.looks_up(&clerk, &case.number, ID_NUMBER)?.text();
    ensure!(waits.contains("试得太多了"), "{waits}");
    // No page of ours sends these.
    let odd = [("form", "7"), ("window", "3"), ("number", ""), ("id_number", "")];
    assert_eq!(desk.server.submit(&clerk.cookie, "/window/supplement", &odd)?.status, 400);
    assert_eq!(desk.server.page_of(&clerk, "/window/supplements/7")?.status, 404);
    assert_eq!(desk.server.page_of(&desk.pension, "/window/supplement")?.status, 403);
    Ok(())
}

#[test]
fn nothing_asked_too_late_and_over_are_told_in_words() -> Result<()> {
    let mut desk = Desk::new()?;
    let clerk = desk.clerk()?;
    let plain = desk.bundle()?;
    let says = |desk: &Desk, case: &Case, words: &str| -> Result<()> {
        let answer = desk.looks_up(&clerk, &case.number, ID_NUMBER)?;
        ensure!(answer.status == 422 && answer.text().contains(words), "{words}: {}", answer.text());
        Ok(())
    };
    says(&desk, &plain, "现在没有要补的")?;
    // Begun in time, handed in too late: nothing is sent, and what was typed can be thrown away.
    let late = desk.asked()?;
    let path = leads_to(&desk.looks_up(&clerk, &late.number, ID_NUMBER)?)?.to_owned();
    let page = desk.page(&clerk, &path)?;
    desk.happens(&late, Action::SupplementLapsed)?;
    says(&desk, &late, "补正的时间已经过了")?;
    let sent = fields(&page, &[("phone", "13700137123")], "submit");
    let refused = desk.fills((&clerk, &path), &sent, &[])?;
    ensure!(refused.status == 422 && refused.text().contains("补正的时间已经过了"), "{}", refused.text());
    leads_to(&desk.server.submit(&clerk.cookie, &format!("{path}/discard"), &[])?)?;
    let over = desk.asked()?;
    let applicant = courier().applicant;
    ensure!(applicant.source == IdentitySource::Read);
    let withdrawal = serde_json::to_vec(&Withdrawal { applicant })?;
    assert_eq!(desk.follows(&over, EnvelopeKind::Withdrawal, &withdrawal)?, "taken");
    wait_for_state(&desk.device, &desk.server, over.id, CaseState::Completed)?;
    says(&desk, &over, "已经办结")?;
    assert_eq!(desk.server.number("SELECT COUNT(*) FROM envelope WHERE kind = 'supplement'")?, 0);
    Ok(())
}

#[test]
fn what_nobody_asked_for_is_not_taken_and_texts_stay_texts() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let clerk = desk.clerk()?;
    let path = leads_to(&desk.looks_up(&clerk, &case.number, ID_NUMBER)?)?.to_owned();
    let page = desk.page(&clerk, &path)?;
    // A field of the form that was not asked for, and a state of somebody's own.
    let odd = desk.fills((&clerk, &path), &fields(&page, &[("job_desc", "别的")], ""), &[])?;
    assert_eq!(odd.status, 400);
    let scan = json!([{ "hash": "0".repeat(64), "bytes": 3, "kind": "image/png" }]);
    let rest = json!({ "rest": { "job_desc": "别的", "phone": "13700137123", "material_3": scan } });
    let (rest, evil) = (rest.to_string(), "<img src=x onerror=alert(1)>");
    let state =
        |text: &str| vec![("_state".to_owned(), text.to_owned()), ("_do".to_owned(), "submit".to_owned())];
    let refused = desk.fills((&clerk, &path), &state(&rest), &[])?;
    ensure!(refused.status == 422 && refused.text().contains("多出了一项"), "{}", refused.text());
    let rest = rest.replace("\"job_desc\":\"别的\",", "");
    let refused = desk.fills((&clerk, &path), &state(&rest), &[])?;
    ensure!(refused.status == 422 && refused.text().contains("有扫描件不在了"), "{}", refused.text());
    let text = fields(&page, &[("phone", evil), ("material_3", evil)], "next");
    let shown = desk.fills((&clerk, &path), &text, &[("material_3", b"no picture")])?.text();
    ensure!(!shown.contains("<img src=x") && shown.contains("打不开，不是图片"), "{shown}");
    assert_eq!(desk.server.number("SELECT COUNT(*) FROM envelope WHERE kind = 'supplement'")?, 0);
    Ok(())
}

#[test]
fn the_pages_fit_a_workstation_and_a_phone() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let clerk = desk.clerk()?;
    let path = leads_to(&desk.looks_up(&clerk, &case.number, ID_NUMBER)?)?.to_owned();
    let browser = Browser::start()?;
    browser.become_person(&desk.server, &clerk)?;
    let people = desk.server.people.clone();
    for (name, path) in [("supplement-lookup", "/window/supplement"), ("supplement-form", path.as_str())] {
        fits(&browser, &people, (name, path))?;
    }
    ensure!(browser.complaints()?.is_empty());
    Ok(())
}
