//! What a case waits for is added on the phone of whoever holds its slip: number and token, one page, one button.
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, ensure};
use domain::case::Action;
use image::ImageFormat;
use tests::browser::Browser;
use tests::http::{self, Answer};
use tests::people::OWN_PAGE;

use super::fits::fits;
use super::{ADDRESS, Case, Desk, ID_NUMBER, NAME, PHONE, leads_to, offered};
use crate::images::{file, picture};
use crate::window::{Fields, hidden, sends_to};

/// What whoever holds a slip never sees.
const NEVER: [&str; 6] = [PHONE, "139****9000", "送外卖", ID_NUMBER, NAME, ADDRESS];

impl Desk {
    /// Where what is missing is added, as the page of the slip has it.
    fn adding(&self, case: &Case) -> Result<String> {
        let page = self.slip(&self.slip_address(case)?)?;
        let link = page.split("href=\"").find(|rest| rest.contains("/supplement?d=")).context("a link")?;
        Ok(link.split('"').next().unwrap_or_default().replace("&#38;", "&"))
    }

    fn phone(&self, path: &str) -> Result<String> {
        let answer = http::get(&self.server.people, path, &[])?;
        let text = answer.text();
        ensure!(answer.status == 200, "{path}: {} {text}", answer.status);
        ensure!(NEVER.iter().all(|never| !text.contains(never)), "{text}");
        Ok(text)
    }

    fn adds(&self, path: &str, fields: &Fields, files: &[(&str, &[u8])]) -> Result<Answer> {
        sends_to(&self.server.people, "", path, (fields, files))
    }

    fn supplements(&self) -> Result<i64> {
        self.server.number("SELECT COUNT(*) FROM envelope WHERE kind = 'supplement'")
    }
}

fn fields(page: &str, phone: &str) -> Result<Fields> {
    let own = [("_form", hidden(page, "_form")?), ("phone", phone.to_owned()), ("material_3", String::new())];
    Ok(own.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

#[test]
fn the_holder_of_a_slip_adds_what_is_missing_once() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let path = desk.adding(&case)?;
    let page = desk.phone(&path)?;
    for told in ["补 2 样", "请补", "name=\"phone\"", "_file.material_3", "补齐"] {
        ensure!(page.contains(told), "{told}: {page}");
    }
    ensure!(!page.contains("name=\"job_desc\""), "{page}");
    let png = file(&picture(1_200, 900), ImageFormat::Png)?;
    // Wrong first: what was typed stays, photos are chosen again, nothing is sent.
    let wrong = desk.adds(&path, &fields(&page, "1370013")?, &[("material_3", &png)])?;
    let text = wrong.text();
    ensure!(wrong.status == 422 && text.contains("1370013") && text.contains("请再选一次"), "{text}");
    let without = desk.adds(&path, &fields(&page, "13700137123")?, &[])?;
    ensure!(without.status == 422 && without.text().contains("aria-invalid"), "{}", without.text());
    let none = desk.adds(&path, &fields(&page, "13700137123")?, &[("material_3", b"no picture")])?;
    ensure!(none.status == 422 && none.text().contains("打不开，不是图片"), "{}", none.text());
    // A hash is no photo.
    let mut typed = fields(&page, "13700137123")?;
    typed[2].1 = serde_json::json!([{ "hash": "0".repeat(64), "bytes": 3, "kind": "image/png" }]).to_string();
    let typed = desk.adds(&path, &typed, &[])?;
    ensure!(typed.status == 422 && typed.text().contains("aria-invalid"), "{}", typed.text());
    assert_eq!(desk.supplements()?, 0);

    let sent = fields(&page, "13700137123")?;
    let people = &desk.server.people;
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| sends_to(people, "", &path, (&sent, &[("material_3", &png)])));
        let clicks: Vec<_> = (0..4).map(|_| one()).collect();
        clicks.into_iter().map(|click| click.join().expect("ends")).collect()
    });
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let first = leads_to(&answers[0])?.to_owned();
    for answer in &answers {
        assert_eq!(leads_to(answer)?, first);
    }
    assert_eq!(desk.supplements()?, 1);
    // Another device with the same slip begins none beside it.
    let mut second = sent.clone();
    second[0].1 = "019ad0c0-0000-7000-8000-000000000002".to_owned();
    let second = desk.adds(&path, &second, &[("material_3", &png)])?;
    assert_eq!((second.status, desk.supplements()?), (422, 1));
    let done = desk.phone(&first)?;
    ensure!(done.contains("已提交") && done.contains("送达时间"), "{done}");
    let id = hidden(&page, "_form")?.parse()?;
    assert_eq!(desk.settled(&id)?, "taken");
    let shown = desk.case(&desk.pension, &case, "s3")?;
    ensure!(shown.contains("137****7123") && offered(&shown).contains(&"pass"), "{shown}");
    let scan = format!("/desk/{}/attachments/1-1", case.number);
    assert_eq!(desk.server.page_of(&desk.pension, &scan)?.status, 200);
    // The slip asks for nothing any more, and an old page says so.
    ensure!(!desk.slip(&desk.slip_address(&case)?)?.contains("补上材料"));
    let mut late = fields(&page, "13700137999")?;
    late[0].1 = "019ad0c0-0000-7000-8000-000000000001".to_owned();
    let refused = desk.adds(&path, &late, &[])?;
    ensure!(refused.status == 422 && refused.text().contains("现在没有要补的"), "{}", refused.text());
    assert_eq!(desk.supplements()?, 1);
    Ok(())
}

#[test]
fn nobody_adds_without_the_token_and_hostile_calls_change_nothing() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let path = desk.adding(&case)?;
    let page = desk.phone(&path)?;
    let sent = fields(&page, "13700137123")?;
    let token = path.split("d=").nth(1).context("a token")?.to_owned();
    let others = [
        path.replace(&token, "0000000000000000"),
        path.replace(&token, ""),
        path.replace(&case.number, "XN26112400100013"),
        path.replace(&case.number, "x"),
    ];
    for other in &others {
        assert_eq!(http::get(&desk.server.people, other, &[])?.status, 404, "{other}");
        assert_eq!(desk.adds(other, &sent, &[])?.status, 404, "{other}");
    }
    let with = |name: &str, value: &str| -> Fields {
        let mut fields = sent.clone();
        fields.push((name.to_owned(), value.to_owned()));
        fields
    };
    for (name, value) in
        [("job_desc", "别的"), ("_state", "[1]"), ("phone.7", "1"), ("", "1"), ("phone", "1\0")]
    {
        assert_eq!(desk.adds(&path, &with(name, value), &[])?.status, 400, "{name}");
    }
    assert_eq!(desk.adds(&path, &Fields::new(), &[])?.status, 400, "no form of ours");
    let evil = desk.adds(&path, &fields(&page, "<img src=x onerror=alert(1)>")?, &[])?.text();
    ensure!(!evil.contains("<img src=x"), "{evil}");
    // The id of something else leads nowhere.
    let mut taken = sent.clone();
    taken[0].1 = case.id.to_string();
    let png = file(&picture(400, 300), ImageFormat::Png)?;
    assert_eq!(desk.adds(&path, &taken, &[("material_3", &png)])?.status, 400);
    // Whoever goes on for ever waits.
    for _ in 0..60 {
        desk.adds(&path, &fields(&page, "1")?, &[])?;
    }
    let waits = desk.adds(&path, &sent, &[])?;
    ensure!(waits.status == 422 && waits.text().contains("试得太多了"), "{}", waits.text());
    assert_eq!((desk.supplements()?, desk.actions(&case, "supplement_received")?), (0, 0));
    Ok(())
}

#[test]
fn few_phones_send_at_once_and_the_others_are_told() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let path = desk.adding(&case)?;
    let address = desk.server.people.trim_start_matches("http://").to_owned();
    let (name, value) = OWN_PAGE;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{name}: {value}\r\ncontent-length: 1000\r\n\
         content-type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    );
    // Five begin, none goes on: one of them is answered at once.
    let begins = || -> Result<TcpStream> {
        let mut stream = TcpStream::connect(&address)?;
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    };
    let streams = (0..5).map(|_| begins()).collect::<Result<Vec<_>>>()?;
    let (out, answers) = std::sync::mpsc::channel();
    let told = std::thread::scope(|scope| {
        for mut stream in &streams {
            let out = out.clone();
            scope.spawn(move || {
                let (mut text, mut some) = (Vec::new(), [0; 4_096]);
                while let Ok(n @ 1..) = stream.read(&mut some) {
                    text.extend_from_slice(&some[..n]);
                    let so_far = String::from_utf8_lossy(&text).into_owned();
                    if so_far.contains("</html>") {
                        let _ = out.send(so_far);
                        return;
                    }
                }
            });
        }
        let told = answers.recv_timeout(std::time::Duration::from_secs(20));
        for stream in &streams {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        told
    })?;
    ensure!(told.starts_with("HTTP/1.1 503") && told.contains("现在交材料的人多"), "{told}");
    assert_eq!(desk.supplements()?, 0);
    Ok(())
}

#[test]
fn what_one_page_cannot_ask_is_sent_to_a_window() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.item()?;
    leads_to(&desk.does((&desk.pension, &case), "review", "accept", &[])?)?;
    let wants = [("want", "sign:unclear"), ("days", "5"), ("text", "请重签")];
    leads_to(&desk.does((&desk.pension, &case), "review", "return", &wants)?)?;
    desk.happens(&case, Action::SupplementSent { due_ms: tests::device::now_ms() + 86_400_000 })?;
    let address = desk.slip_address(&case)?;
    let slip = desk.slip(&address)?;
    ensure!(slip.contains("任一政务窗口") && !slip.contains("补上材料"), "{slip}");
    let page = desk.phone(&address.replace("?d=", "/supplement?d="))?;
    ensure!(page.contains("这几样要当面填"), "{page}");
    Ok(())
}

#[test]
fn the_pages_fit_a_phone_in_both_text_sizes() -> Result<()> {
    let mut desk = Desk::new()?;
    let case = desk.asked()?;
    let path = desk.adding(&case)?;
    let browser = Browser::start()?;
    fits(&browser, &desk.server.people, ("phone-supplement", &path))?;
    fits(&browser, &desk.server.people, ("phone-slip", &desk.slip_address(&case)?))?;
    // As somebody does it.
    let folder = tempfile::tempdir()?;
    let photo = folder.path().join("photo.png");
    std::fs::write(&photo, file(&picture(1_200, 900), ImageFormat::Png)?)?;
    browser.resize(390, 844)?;
    browser.open(&format!("{}{path}", desk.server.people))?;
    browser.fill("phone", "13700137123")?;
    browser.find("[type=file]")?.type_keys(&photo.display().to_string())?;
    browser.press("提交")?;
    browser.find_words("已提交")?;
    if let Some(kept) = std::env::var_os("JINBAN_PICTURES") {
        browser.picture(&std::path::Path::new(&kept).join("phone-done-390.png"))?;
    }
    ensure!(browser.complaints()?.is_empty());
    assert_eq!(desk.supplements()?, 1);
    Ok(())
}
