//! Pages of a case beside its answers: behind the same check of the unit, harmless, each look noted.
use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::envelope::SealedBlob;
use domain::wire::v1::uploads::{OFFSET_OCTETS, TUS_RESUMABLE, TUS_VERSION, UPLOAD_OFFSET, UPLOADS};
use domain::wire::v1::{EnvelopeHeader, EnvelopeUpload};
use image::ImageFormat;
use tests::device::{courier, header_of, wait_for_state};

use super::{Case, Desk};
use crate::images::{file, picture};

impl Desk {
    /// An item with these pages comes in and is opened.
    pub(super) fn with_pages(&mut self, pages: &[Vec<u8>]) -> Result<Case> {
        let (envelope, pages) = self.device.seal_with_pages(&serde_json::to_vec(&courier())?, pages)?;
        let header = self.sends_pages(&envelope, &pages)?;
        wait_for_state(&self.device, &self.server, header.envelope_id, CaseState::Submitted)?;
        Ok(Case { id: header.envelope_id, number: header.number.context("a number")?.to_string() })
    }

    /// An envelope and its pages come in.
    pub(super) fn sends_pages(
        &self,
        envelope: &EnvelopeUpload,
        pages: &[SealedBlob],
    ) -> Result<EnvelopeHeader> {
        let header = header_of(envelope)?;
        self.device.send(&self.server, std::slice::from_ref(envelope))?;
        let tus = (TUS_RESUMABLE, TUS_VERSION);
        for page in pages {
            let door = format!("{UPLOADS}?envelope={}&blob={}", header.envelope_id, page.digest);
            let length = page.bytes.len().to_string();
            let call = |method, path: &str, more: &[(&str, &str)], body: &[u8]| {
                let headers = [&[tus], more].concat();
                self.device.signed_call(&self.server.terminals, (method, path), &headers, Some(body))
            };
            let begun = call("POST", &door, &[("upload-length", &length)], b"")?;
            let address = begun.header("location").context("an address")?.to_owned();
            let octets = [("content-type", OFFSET_OCTETS), (UPLOAD_OFFSET, "0")];
            ensure!(call("PATCH", &address, &octets, &page.bytes)?.status == 204, "sent");
        }
        Ok(header)
    }
}

/// How many pages a PDF has, as another program counts them.
fn pages_of(pdf: &[u8]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("scans.pdf");
    std::fs::write(&path, pdf)?;
    let said = std::process::Command::new("pdfinfo").arg(&path).output().context("pdfinfo")?;
    let said = String::from_utf8(said.stdout)?;
    let line = said.lines().find_map(|line| line.strip_prefix("Pages:"));
    Ok(line.context("a line about pages")?.trim().to_owned())
}

#[test]
fn all_pictures_can_be_had_as_one_pdf_and_each_is_noted() -> Result<()> {
    let mut desk = Desk::new()?;
    let png = file(&picture(40, 30), ImageFormat::Png)?;
    let jpeg = file(&picture(30, 40), ImageFormat::Jpeg)?;
    let case = desk.with_pages(&[png.clone(), b"%PDF-1.4 sample".to_vec(), jpeg.clone()])?;
    let address = format!("/desk/{}/scans/0", case.number);
    let page = desk.case(&desk.pension, &case, "review")?;
    assert!(page.contains(&format!("href=\"{address}\"")), "{page}");
    let seen = |desk: &Desk, case: &Case| desk.audited(case, "attachment.seen");
    for who in [&desk.stranger, &desk.medical] {
        assert_eq!(desk.server.page_of(who, &address)?.status, 403);
    }
    assert_eq!(seen(&desk, &case)?, 0);
    let answer = desk.server.page_of(&desk.pension, &address)?;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pdf")));
    let name = format!("attachment; filename=\"{}-scans-0.pdf\"", case.number);
    assert_eq!(answer.header("content-disposition"), Some(&*name));
    assert!(answer.header("content-security-policy").unwrap_or_default().starts_with("sandbox"));
    assert_eq!(pages_of(&answer.body)?, "2", "the PDF of the case is a file of its own");
    assert_eq!(seen(&desk, &case)?, 2, "each page of it was seen");
    for odd in ["1", "01", "x", "-1", "65536"] {
        let path = format!("/desk/{}/scans/{odd}", case.number);
        assert_eq!(desk.server.page_of(&desk.pension, &path)?.status, 404, "{odd}");
    }

    let broken = desk.with_pages(&[png, b"<script>".to_vec(), jpeg])?;
    let address = format!("/desk/{}/scans/0", broken.number);
    let refused = desk.server.page_of(&desk.pension, &address)?;
    assert_eq!((refused.status, seen(&desk, &broken)?), (415, 0), "no page is left out in silence");
    Ok(())
}

#[test]
fn pictures_stand_in_the_page_and_a_pdf_is_a_file() -> Result<()> {
    let mut desk = Desk::new()?;
    let png = file(&picture(40, 30), ImageFormat::Png)?;
    let case = desk.with_pages(&[png, b"%PDF-1.4 sample".to_vec(), b"<script>".to_vec()])?;
    let page = desk.case(&desk.pension, &case, "review")?;
    let address = |n: u16| format!("/desk/{}/attachments/{n}", case.number);
    assert!(page.contains(&format!("<img src=\"{}\"", address(1))), "{page}");
    let seen = |desk: &Desk| desk.audited(&case, "attachment.seen");
    assert_eq!(seen(&desk)?, 0, "nothing is seen before it is loaded");
    let table = [(1, "image/png", "inline"), (2, "application/pdf", "attachment")];
    for (n, kind, how) in table {
        let answer = desk.server.page_of(&desk.pension, &address(n))?;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)));
        assert!(answer.header("content-disposition").unwrap_or_default().starts_with(how), "{n}");
        assert!(answer.header("content-security-policy").unwrap_or_default().starts_with("sandbox"), "{n}");
        assert_eq!(seen(&desk)?, i64::from(n));
    }
    assert_eq!(desk.server.page_of(&desk.pension, &address(3))?.status, 415);
    for path in ["9", "0", "01", "x"] {
        let path = format!("/desk/{}/attachments/{path}", case.number);
        assert_eq!(desk.server.page_of(&desk.pension, &path)?.status, 404, "{path}");
    }
    for who in [&desk.stranger, &desk.medical] {
        assert_eq!(desk.server.page_of(who, &address(1))?.status, 403);
    }
    assert_eq!(seen(&desk)?, 2);
    Ok(())
}
