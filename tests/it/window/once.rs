//! Two clicks, a page of before, a power cut: one case, and nothing lost.
use anyhow::{Result, ensure};
use image::ImageFormat;
use serde_json::json;
use tests::device::{ITEM, courier};
use tests::people::Person;
use tests::server::Server;

use super::{Form, SCANNED, Window, change_of_name, fields, leads_to, sends_to};
use crate::images::{file, picture};

#[test]
fn two_clicks_at_the_same_time_are_one_case() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    let sent = fields(&courier(), "submit");
    let (people, cookie) = (&window.server.people, &window.clerk.cookie);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| sends_to(people, cookie, &form.path, (&sent, &[])));
        let clicks: Vec<_> = (0..6).map(|_| one()).collect();
        clicks.into_iter().map(|click| click.join().expect("ends")).collect()
    });
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let first = leads_to(&answers[0])?;
    for answer in &answers {
        assert_eq!(leads_to(answer)?, first);
    }
    for table in ["case_", "envelope", "visit_case", "visit"] {
        assert_eq!(window.count(table)?, 1, "{table}");
    }
    // A page of before leads to the slip, and changes nothing.
    let mut other = courier();
    other.answers.insert("phone".to_owned(), json!("13800138000"));
    for deed in ["submit", "next", ""] {
        let late = window.sends(&window.clerk, &form, &fields(&other, deed), &[])?;
        assert_eq!(leads_to(&late)?, first, "{deed}");
    }
    assert_eq!(leads_to(&window.server.page_of(&window.clerk, &form.path)?)?, first);
    assert_eq!(window.count("envelope")?, 1);
    Ok(())
}

#[test]
fn files_that_come_at_the_same_time_take_a_page_each() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(SCANNED)?;
    let sent = fields(&change_of_name(), "");
    let pngs = (0..5).map(|n| file(&picture(40 + n, 40), ImageFormat::Png)).collect::<Result<Vec<_>>>()?;
    let (people, cookie) = (&window.server.people, &window.clerk.cookie);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = |png| {
            let (sent, form) = (&sent, &form);
            scope.spawn(move || sends_to(people, cookie, &form.path, (sent, &[("scan", png)])))
        };
        let calls: Vec<_> = pngs.iter().map(|png| one(png.as_slice())).collect();
        calls.into_iter().map(|call| call.join().expect("ends")).collect()
    });
    // Whoever was second is told so, and sees the newest; nobody gets an error.
    for answer in answers {
        let answer = answer?;
        let told = answer.status == 422 && answer.text().contains("刚才在别处改过");
        ensure!(answer.status == 200 || told, "{}: {}", answer.status, answer.text());
    }
    assert_eq!(window.count("window_page")?, 5);
    assert!(window.page(&window.clerk, &form.path)?.contains("样大川"));
    Ok(())
}

#[test]
fn two_clicks_at_the_beginning_are_one_form() -> Result<()> {
    let window = Window::new()?;
    let path = format!("/window/start/{ITEM}");
    let form = super::hidden(&window.page(&window.clerk, &path)?, "form")?;
    let first = window.asks_with(&path, &form, &[])?;
    let again = window.asks_with(&path, &form, &[("name", "别人")])?;
    assert_eq!(leads_to(&first)?, leads_to(&again)?);
    assert_eq!((window.count("window_draft")?, window.count("visit")?), (1, 1));
    // The id of somebody else's form opens nothing.
    let fields = [
        ("form", form.as_str()),
        ("window", "9"),
        ("kind", "window"),
        ("number", super::ID_NUMBER),
        ("name", "乙"),
    ];
    let stolen = window.server.submit(&window.other.cookie, &path, &fields)?;
    assert_eq!(stolen.status, 400);
    for odd in ["", "x", "00000000"] {
        assert_eq!(window.asks_with(&path, odd, &[])?.status, 400, "{odd}");
    }
    Ok(())
}

/// The same desk over a server that was killed and started again.
fn after_a_kill(window: Window) -> Result<Window> {
    let Window { server, clerk, other } = window;
    Ok(Window { server: server.kill_and_restart()?, clerk, other })
}

fn handed_in(server: &Server, clerk: &Person, form: &Form) -> Result<String> {
    let sent = fields(&courier(), "submit");
    let answer = sends_to(&server.people, &clerk.cookie, &form.path, (&sent, &[]))?;
    Ok(leads_to(&answer)?.to_owned())
}

#[test]
fn a_kill_between_the_click_and_its_answer_makes_neither_two_cases_nor_none() -> Result<()> {
    let mut window = Window::new()?;
    // Killed as soon as the store has it: whoever clicked never hears of it.
    let form = window.begins(ITEM)?;
    let sent = fields(&courier(), "submit");
    let (people, cookie, path) =
        (window.server.people.clone(), window.clerk.cookie.clone(), form.path.clone());
    let click = std::thread::spawn(move || sends_to(&people, &cookie, &path, (&sent, &[])).is_ok());
    while window.count("case_")? == 0 {}
    window.server.kill()?;
    drop(click.join());
    window = after_a_kill(window)?;
    let slip = handed_in(&window.server, &window.clerk, &form)?;
    assert_eq!((window.count("case_")?, window.count("visit_case")?), (1, 1));
    let number = slip.strip_prefix("/window/slips/").unwrap_or_default().to_owned();
    window.settles(&number, "submitted")?;
    // Killed with a form that is half filled: it is there as it was kept.
    let form = window.begins(ITEM)?;
    let kept = window.sends(&window.clerk, &form, &fields(&courier(), ""), &[])?;
    ensure!(kept.status == 200, "{}", kept.text());
    window = after_a_kill(window)?;
    let page = window.page(&window.clerk, &form.path)?;
    assert!(page.contains("网约配送") || page.contains("样例路1号"), "{page}");
    let slip = handed_in(&window.server, &window.clerk, &form)?;
    assert_eq!((window.count("case_")?, window.count("window_draft")?), (2, 0), "{slip}");
    let gaps = "SELECT COUNT(*) FROM series WHERE highest_seq <> seqs_seen";
    assert_eq!(window.server.number(gaps)?, 0, "no place of the series is left out");
    Ok(())
}
