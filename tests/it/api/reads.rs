//! Reads for programs: a station's own cases by cursor and entity tag, the catalogue by digest.
use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::envelope::{Digest, request_digest};
use domain::ids::EnvelopeId;
use domain::wire::v1::{CaseList, CaseResource, SIGNATURE_HEADER, TERMINAL_HEADER};
use serde_json::Value;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http::{self, Answer};
use tests::server::{CANARIES, Server};

/// A signed GET with further headers.
fn get(device: &Device, server: &Server, path: &str, further: &[(&str, &str)]) -> Result<Answer> {
    let signature = serde_json::to_value(device.key.sign(&request_digest("GET", path)))?;
    let mut headers = vec![
        (TERMINAL_HEADER, device.enrolled.terminal.as_str()),
        (SIGNATURE_HEADER, signature.as_str().context("text")?),
    ];
    headers.extend_from_slice(further);
    http::get(&server.terminals, path, &headers)
}

/// Sends submissions and waits until the last one was opened.
fn submit(device: &mut Device, server: &Server, count: usize) -> Result<Vec<EnvelopeId>> {
    let uploads: Vec<_> = (0..count).map(|_| device.seal(&courier())).collect::<Result<_>>()?;
    let ids: Vec<_> = uploads.iter().map(|u| Ok(header_of(u)?.envelope_id)).collect::<Result<_>>()?;
    device.send(server, &uploads)?;
    for id in &ids {
        wait_for_state(device, server, *id, CaseState::Submitted)?;
    }
    Ok(ids)
}

#[test]
fn a_station_pages_through_its_own_cases_by_the_link() -> Result<()> {
    let server = Server::start()?;
    let mut here = Device::enrol(&server, 1)?;
    let mut there = Device::enrol_with(&server, &server.enrol_code("XN-CCB-CD-02")?, 2)?;
    let mut ids = submit(&mut here, &server, 3)?;
    let others = submit(&mut there, &server, 1)?;
    ids.extend(submit(&mut here, &server, 2)?);
    let mut path = Some("/api/v1/cases?limit=2".to_owned());
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(address) = path {
        let answer = get(&here, &server, &address, &[])?;
        let list: CaseList = answer.json()?;
        assert!(list.cases.len() <= 2);
        assert!(CANARIES.iter().all(|c| !answer.text().contains(c)), "personal data");
        let next = answer.header("link").map(|l| {
            let inside = l.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\""));
            inside.map(ToOwned::to_owned).context("a link to the next page")
        });
        path = next.transpose()?;
        assert_eq!(path.is_some(), list.more);
        seen.extend(list.cases.into_iter().map(|c| c.envelope_id));
        pages += 1;
    }
    assert_eq!((seen, pages), (ids, 3));
    let foreign = get(&here, &server, &format!("/api/v1/cases/{}", others[0]), &[])?;
    assert_eq!((foreign.status, foreign.problem()?.as_str()), (404, "not-found"), "of another station");
    let own: CaseResource = get(&there, &server, &format!("/api/v1/cases/{}", others[0]), &[])?.json()?;
    assert_eq!(own.envelope_id, others[0]);
    Ok(())
}

#[test]
fn a_case_is_sent_again_only_when_it_changed() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let id = submit(&mut device, &server, 1)?[0];
    let path = format!("/api/v1/cases/{id}");
    let first = get(&device, &server, &path, &[])?;
    let case: CaseResource = first.json()?;
    assert_eq!((case.state, case.version), (CaseState::Submitted, 2));
    let tag = first.header("etag").context("a tag")?.to_owned();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let weak = format!("W/{tag}");
    let list = format!("\"other\", {tag}");
    for known in [tag.as_str(), weak.as_str(), list.as_str(), "*"] {
        let answer = get(&device, &server, &path, &[("if-none-match", known)])?;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    for unknown in ["\"other\"", "", "malformed", "\"open", "\"a\" \"b\"", tag.trim_matches('"')] {
        let answer = get(&device, &server, &path, &[("if-none-match", unknown)])?;
        assert_eq!((answer.status, answer.body == first.body), (200, true), "{unknown}");
    }
    // A second, newer case of the same version has the same tag at another address, and no older version's.
    let absent = format!("/api/v1/cases/{}", "019ab2c3-d4e5-7000-8000-000000000001");
    let missing = get(&device, &server, &absent, &[("if-none-match", "*")])?;
    assert_eq!(
        (missing.status, missing.problem()?.as_str()),
        (404, "not-found"),
        "nothing is there to be known"
    );
    Ok(())
}

#[test]
fn a_new_case_has_a_location_under_which_it_is_read() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    let id = header_of(&upload)?.envelope_id;
    let first = tests::device::send_raw(&server, std::slice::from_ref(&upload))?;
    let location = first.header("location").context("a location")?.to_owned();
    assert_eq!(location, format!("/api/v1/cases/{id}"));
    let case: CaseResource = get(&device, &server, &location, &[])?.json()?;
    assert_eq!(case.envelope_id, id);
    let again = tests::device::send_raw(&server, &[upload])?;
    assert_eq!((again.status, again.header("location")), (200, None), "a duplicate makes nothing");
    let two = [device.seal(&courier())?, device.seal(&courier())?];
    assert_eq!(
        tests::device::send_raw(&server, &two)?.header("location"),
        None,
        "two cases, no one location"
    );
    Ok(())
}

#[test]
fn the_catalogue_is_named_by_its_digest_and_a_version_is_kept_for_ever() -> Result<()> {
    let server = Server::start()?;
    let device = Device::enrol(&server, 1)?;
    let newest = get(&device, &server, "/api/v1/catalogue", &[])?;
    let tag = format!("\"{}\"", Digest::of(&newest.body));
    assert_eq!(newest.header("etag"), Some(tag.as_str()), "the digest of the text");
    assert_eq!(newest.header("cache-control"), Some("private, no-cache"));
    let version = newest.json::<Value>()?["version"].as_u64().context("a version")?;
    let address = format!("/api/v1/catalogue/{version}");
    assert_eq!(newest.header("content-location"), Some(address.as_str()));
    let exact = get(&device, &server, &address, &[])?;
    assert_eq!((exact.body == newest.body, exact.header("etag")), (true, Some(tag.as_str())));
    assert_eq!(exact.header("cache-control"), Some("private, max-age=31536000, immutable"));
    for path in ["/api/v1/catalogue", address.as_str()] {
        let known = get(&device, &server, path, &[("if-none-match", &tag)])?;
        assert_eq!(
            (known.status, known.body.len(), known.header("etag")),
            (304, 0, Some(tag.as_str())),
            "{path}"
        );
    }
    let packed = get(&device, &server, &address, &[("accept-encoding", "zstd")])?;
    assert_eq!(packed.header("content-encoding"), Some("zstd"));
    assert_eq!(packed.header("etag"), Some(format!("W/{tag}").as_str()), "other bytes, a weak tag");
    assert_eq!(zstd::decode_all(packed.body.as_slice())?, newest.body);
    for absent in ["9999", "0", "-1", "01", "1.0", "x", "9223372036854775808", "%00", "1%00"] {
        let answer = get(&device, &server, &format!("/api/v1/catalogue/{absent}"), &[])?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (404, "not-found"), "{absent}");
    }
    Ok(())
}

#[test]
fn only_a_terminal_reads() -> Result<()> {
    let server = Server::start()?;
    let device = Device::enrol(&server, 1)?;
    let case = "/api/v1/cases/019ab2c3-d4e5-7000-8000-000000000001";
    for path in ["/api/v1/cases", case, "/api/v1/catalogue", "/api/v1/catalogue/1"] {
        let unsigned = http::get(&server.terminals, path, &[])?;
        assert_eq!((unsigned.status, unsigned.problem()?.as_str()), (401, "terminal-unknown"), "{path}");
        let signature = serde_json::to_value(device.key.sign(&request_digest("GET", "/api/v1/changes")))?;
        let headers = [
            (TERMINAL_HEADER, device.enrolled.terminal.as_str()),
            (SIGNATURE_HEADER, signature.as_str().context("text")?),
        ];
        let elsewhere = http::get(&server.terminals, path, &headers)?;
        assert_eq!((elsewhere.status, elsewhere.problem()?.as_str()), (401, "signature-invalid"), "{path}");
        assert_eq!(http::get(&server.people, path, &[])?.status, 404, "{path} belongs to terminals");
    }
    Ok(())
}
