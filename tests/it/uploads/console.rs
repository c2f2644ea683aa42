//! Attachments on the console: listed for whoever looks after cases; handed out one by one as harmless files, each look
//! noted, to the department that has a part in the case.
use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use image::ImageFormat;
use sync_server::auth::role::Role;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http::Answer;
use tests::people::Person;
use tests::server::Server;

use super::Awaited;
use crate::images::{exif, file, picture, with_segments, zeros};

/// What a script would do if a browser ran it.
const SCRIPT: &[u8] = b"<script>alert('SECRET-SCRIPT')</script>";

/// An opened case with these pages.
struct Opened {
    awaited: Awaited,
    number: String,
    clerk: Person,
    reviewer: Person,
}

impl Opened {
    fn with(pages: &[Vec<u8>]) -> Result<Self> {
        let server = Server::start()?;
        let mut device = Device::enrol(&server, 1)?;
        let (envelope, pages) = device.seal_with_pages(&serde_json::to_vec(&courier())?, pages)?;
        let header = header_of(&envelope)?;
        let awaited = Awaited { server, device, envelope, id: header.envelope_id, pages };
        awaited.send()?;
        let number = header.number.context("a number")?.to_string();
        let clerk = awaited.server.person(&[Role::Clerk])?;
        let reviewer = awaited.server.person_of(("社甲", "人社"), &[Role::Reviewer])?;
        let opened = Self { awaited, number, clerk, reviewer };
        let page = opened.page()?;
        ensure!(
            page.contains("还没有传到") && page.contains("已达待附件") && !page.contains(">已到<"),
            "{page}"
        );
        ensure!(opened.get(1)?.status == 403, "nobody has a part in it yet");
        for page in 0..opened.awaited.pages.len() {
            let address = opened.awaited.begin(page)?;
            opened.awaited.send_rest(page, &address)?;
        }
        wait_for_state(
            &opened.awaited.device,
            &opened.awaited.server,
            header.envelope_id,
            CaseState::Submitted,
        )?;
        Ok(opened)
    }

    fn page(&self) -> Result<String> {
        Ok(self.awaited.server.page_of(&self.clerk, &format!("/cases/{}", self.number))?.text())
    }

    fn get(&self, page: usize) -> Result<Answer> {
        self.awaited.server.page_of(&self.reviewer, &self.address(page))
    }

    fn address(&self, page: usize) -> String {
        format!("/desk/{}/attachments/{page}", self.number)
    }

    fn seen(&self) -> Result<i64> {
        let mut store = self.awaited.server.database()?.open()?;
        let sql = "SELECT COUNT(*) FROM audit WHERE event = 'attachment.seen'";
        Ok(store.query(sql, &[])?[0].int(0)?)
    }
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|w| w == secret)
}

#[test]
fn t10_t11_what_is_handed_out_is_another_file_without_script_or_place() -> Result<()> {
    let plain = file(&picture(64, 32), ImageFormat::Jpeg)?;
    let dirty = with_segments(&plain, &[(0xe1, &exif(6)), (0xfe, SCRIPT)]);
    let jpeg = [&dirty[..], SCRIPT].concat();
    let png = [&file(&picture(64, 32), ImageFormat::Png)?[..], b"PK\x03\x04 SECRET-ARCHIVE"].concat();
    let pdf = b"%PDF-1.7 /JS (app.alert('x'))".to_vec();
    let opened = Opened::with(&[jpeg.clone(), png, pdf.clone()])?;
    let page = opened.page()?;
    assert_eq!(page.matches(">已到<").count(), 3, "{page}");
    for (n, media_type, ending, how) in [
        (1, "image/jpeg", "jpg", "inline"),
        (2, "image/png", "png", "inline"),
        (3, "application/pdf", "pdf", "attachment"),
    ] {
        let got = opened.get(n)?;
        assert_eq!((got.status, got.header("content-type")), (200, Some(media_type)), "{n}");
        let name = format!("{how}; filename=\"{}-{n}.{ending}\"", opened.number);
        assert_eq!(got.header("content-disposition"), Some(&*name));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(got.header("cache-control"), Some("no-store"));
        let policies: Vec<_> = got.headers.iter().filter(|(n, _)| n == "content-security-policy").collect();
        assert!(
            policies.len() == 1 && policies[0].1.starts_with("sandbox; default-src 'none'"),
            "{policies:?}"
        );
        assert!(!holds(&got.body, b"SECRET") && !holds(&got.body, b"GPS") && !holds(&got.body, b"<script"));
        assert_eq!(opened.seen()?, i64::try_from(n)?, "each look is noted");
    }
    let shown = image::load_from_memory(&opened.get(1)?.body)?;
    assert_eq!((shown.width(), shown.height()), (32, 64), "turned as its camera said");
    assert_eq!(opened.get(3)?.body, pdf, "a PDF is only handed out as a file");
    Ok(())
}

#[test]
fn t09_bombs_and_other_files_are_not_handed_out_and_harm_nothing() -> Result<()> {
    let bomb = zeros(9_000, 9_000)?;
    let svg = [b"<svg xmlns='http://www.w3.org/2000/svg'>", SCRIPT, b"</svg>"].concat();
    let html = [b"<!doctype html>", SCRIPT].concat();
    let opened = Opened::with(&[bomb, svg, html, b"PK\x03\x04".to_vec()])?;
    for n in 1..=4 {
        let got = opened.get(n)?;
        assert_eq!(got.status, 415, "{n}");
        assert!(!holds(&got.body, SCRIPT));
    }
    assert_eq!(opened.seen()?, 0, "nothing was seen");
    Ok(())
}

#[test]
fn only_a_department_that_has_a_part_gets_attachments_and_only_at_their_address() -> Result<()> {
    let opened = Opened::with(&[file(&picture(8, 8), ImageFormat::Png)?])?;
    let server = &opened.awaited.server;
    let path = opened.address(1);
    for role in [Role::Editor, Role::Checker, Role::Admin, Role::Operator, Role::Inspector, Role::Reviewer] {
        assert_eq!(server.page_of(&server.person(&[role])?, &path)?.status, 403, "{role:?}");
    }
    let other = server.person_of(("医甲", "医保"), &[Role::Reviewer])?;
    assert_eq!(server.page_of(&other, &path)?.status, 403, "it has no part in it");
    // Whoever looks after cases sees that they are there, and no more.
    let old = format!("/cases/{}/attachments/1", opened.number);
    for who in [&opened.clerk, &opened.reviewer] {
        assert_eq!(server.page_of(who, &old)?.status, 404);
    }
    let desk = format!("href=\"/desk/{}\"", opened.number);
    let linked =
        |who| anyhow::Ok(server.page_of(who, &format!("/cases/{}", opened.number))?.text().contains(&desk));
    assert_eq!([linked(&opened.clerk)?, linked(&other)?, linked(&opened.reviewer)?], [false, false, true]);
    assert_eq!(server.public_page(&path)?.status, 303, "sign in first");
    for odd in ["0", "01", "2", "-1", "65536", "x"] {
        let path = format!("/desk/{}/attachments/{odd}", opened.number);
        assert_eq!(server.page_of(&opened.reviewer, &path)?.status, 404, "{odd}");
    }
    assert_eq!(opened.seen()?, 0);
    // Bytes that were altered on the disk are never handed out.
    let name = opened.awaited.pages[0].digest.to_string();
    std::fs::write(server.data().join("blobs").join(&name[..2]).join(&name), b"other bytes")?;
    assert_eq!(opened.get(1)?.status, 500);
    assert_eq!(opened.seen()?, 0);
    Ok(())
}
