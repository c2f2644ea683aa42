//! Wrong numbers, hostile texts, files that are none, forms that no page of ours sends.
use anyhow::Result;
use image::ImageFormat;
use serde_json::json;
use tests::device::{ITEM, courier};

use super::{Fields, SCANNED, Window, change_of_name, fields, leads_to, sends_to};
use crate::images::{file, picture};

#[test]
fn a_wrong_number_is_told_by_its_mistake_and_what_was_typed_stays() -> Result<()> {
    let window = Window::new()?;
    let table = [
        ("", "应有 18 位"),
        ("63990019900520103", "应有 18 位"),
        ("63990019900520103Y", "只能有数字"),
        ("６３９９００１９９００５２０１０３５", "只能有数字"),
        ("639900199013201035", "出生日期不存在"),
        ("639900199005201036", "校验不对"),
        ("639900209905201034", "出生日期不存在"),
        ("'; DROP TABLE visit; --", "应有 18 位"),
    ];
    for (number, words) in table {
        let refused =
            window.asks(ITEM, &[("number", number), ("name", "张<b>三"), ("address", "某路\"1号")])?;
        let page = refused.text();
        assert_eq!(refused.status, 422, "{number}");
        assert!(page.contains(words), "{number}: {page}");
        assert!(page.contains("张&#60;b&#62;三") && page.contains("某路&#34;1号"), "kept: {page}");
    }
    let long = "长".repeat(61);
    for (field, value, words) in
        [("name", " ", "请填写姓名"), ("name", long.as_str(), "姓名太长"), ("window", "", "请写窗口号")]
    {
        let refused = window.asks(ITEM, &[(field, value)])?;
        assert!(refused.status == 422 && refused.text().contains(words), "{field}: {}", refused.text());
    }
    assert_eq!((window.count("window_draft")?, window.count("visit")?), (0, 0), "no visit was begun either");
    // Blanks and a small x are how people read a number aloud.
    leads_to(&window.asks(ITEM, &[("number", " 639900 19900520 1035 ")])?)?;
    assert_eq!(window.asks(ITEM, &[("kind", "royal")])?.status, 400);
    Ok(())
}

#[test]
fn hostile_texts_stay_texts() -> Result<()> {
    let window = Window::new()?;
    let evil = "<img src=x onerror=alert(1)>{{7*7}}";
    let answer = window.asks(ITEM, &[("name", evil), ("address", "\"><script>alert(2)</script>")])?;
    let form = super::Form { path: leads_to(&answer)?.to_owned() };
    let mut submission = courier();
    submission.answers.insert("residence_addr".to_owned(), json!({ "region": "630102", "detail": evil }));
    let page = window.sends(&window.clerk, &form, &fields(&submission, "page:0"), &[])?.text();
    let again = window.page(&window.clerk, &form.path)?;
    for page in [page, again] {
        assert!(!page.contains("<img src=x") && !page.contains("<script>alert"), "{page}");
        assert!(page.contains("&#60;img src=x") && page.contains("&#60;script"), "{page}");
        assert!(!page.contains(" style=") && !page.contains("onerror=alert(1)>{{7*7}}\""), "{page}");
    }
    window.hands_in(&form, &submission)?;
    assert_eq!(window.count("envelope")?, 1, "a text is content, not a reason to refuse");
    Ok(())
}

#[test]
fn files_that_are_none_or_too_large_are_told_and_nothing_is_lost() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(SCANNED)?;
    let submission = change_of_name();
    let mut bomb = file(&picture(64, 64), ImageFormat::Png)?;
    // A header that says 60,000 by 60,000.
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let huge = vec![0_u8; 13 * 1024 * 1024];
    let table: [(&[u8], &str); 5] = [
        (b"#!/bin/sh\nrm -rf /\n", "打不开"),
        (b"%PDF-1.7 nothing", "不收这种文件"),
        (&bomb, "打不开"),
        (&huge, "文件太大"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "打不开"),
    ];
    for (bytes, words) in table {
        let told = window.sends(&window.clerk, &form, &fields(&submission, ""), &[("scan", bytes)])?;
        assert_eq!(told.status, 422, "{words}");
        assert!(told.text().contains(words), "{words}: {}", told.text());
        assert!(told.text().contains("样大川"), "what was typed stays");
    }
    assert_eq!(window.count("window_page")?, 0);
    // Beyond what is read at all the call is refused; the form is as it was kept.
    let beyond = vec![0_u8; 33 * 1024 * 1024];
    let refused = window.sends(&window.clerk, &form, &fields(&submission, ""), &[("scan", &beyond)]);
    assert!(refused.map_or(true, |answer| answer.status == 413), "too large");
    assert!(window.page(&window.clerk, &form.path)?.contains("样大川"));
    // More files than the field takes, and one for a field that takes none.
    let png = |n: u32| file(&picture(20 + n, 20), ImageFormat::Png);
    let pngs = (0..8).map(png).collect::<Result<Vec<_>>>()?;
    let parts: Vec<(&str, &[u8])> = pngs.iter().map(|bytes| ("scan", bytes.as_slice())).collect();
    window.sends(&window.clerk, &form, &fields(&submission, ""), &parts)?;
    assert_eq!(window.count("window_page")?, 8);
    window.sends(
        &window.clerk,
        &form,
        &fields(&submission, ""),
        &[("phone", &pngs[0]), ("no_such", &pngs[0])],
    )?;
    assert_eq!(window.count("window_page")?, 8, "no field takes it");
    // A hash that is none of this form's is not handed in.
    let mut forged = submission.clone();
    forged.answers.insert("scan".to_owned(), json!(["0".repeat(64)]));
    let sent = window.sends(&window.clerk, &form, &fields(&forged, "submit"), &[])?;
    assert!(sent.status == 422 && sent.text().contains("扫描件"), "{} {}", sent.status, sent.text());
    assert_eq!(window.count("envelope")?, 0);
    Ok(())
}

#[test]
fn forms_that_no_page_sends_are_refused() -> Result<()> {
    let window = Window::new()?;
    let form = window.begins(ITEM)?;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let table: [(Fields, u16); 6] = [
        (vec![pair("_state", "[1]")], 400),
        (vec![pair("_state", "{\"more\":1}")], 400),
        (vec![pair("no such", "x")], 400),
        (vec![pair("phone", "1\u{0}2")], 400),
        (vec![pair("phone", &"9".repeat(300_000))], 413),
        ((0..4_000).map(|n| pair(&format!("_{n}"), "x")).collect(), 413),
    ];
    for (fields, status) in table {
        let answer = window.sends(&window.clerk, &form, &fields, &[])?;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let urlencoded = window.server.submit(&window.clerk.cookie, &form.path, &[("phone", "1")])?;
    assert_eq!(urlencoded.status, 415);
    for (path, fields, status) in [
        ("/window/call", vec![("window", "3"), ("kind", "royal")], 400),
        ("/window/call", vec![("window", "3"), ("kind", "window"), ("clerk", "A-0001")], 400),
        ("/window/visits/x/end", vec![("reason", "left")], 404),
        ("/window/visits/x/end", vec![("reason", "served")], 400),
    ] {
        assert_eq!(window.server.submit(&window.clerk.cookie, path, &fields)?.status, status, "{path}");
    }
    assert_eq!(
        leads_to(&window.server.submit(
            &window.clerk.cookie,
            "/window/call",
            &[("window", " "), ("kind", "window")]
        )?)?,
        "/window?wrong=window"
    );
    let nobody = sends_to(&window.server.people, "", &form.path, (&fields(&courier(), "submit"), &[]))?;
    assert_eq!((nobody.status, window.count("envelope")?), (401, 0));
    Ok(())
}
