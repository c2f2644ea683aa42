//! Each rule of tus 1.0, and each thing that the centre refuses.
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::case::CaseState;
use domain::envelope::Digest;
use domain::wire::v1::Outcome;
use domain::wire::v1::uploads::{MAX_BLOB_BYTES, UPLOAD_OFFSET, UPLOADS};
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;

use super::{Awaited, OCTETS, TUS};

#[test]
fn the_last_page_makes_the_envelope_complete_and_only_then_the_case_is_opened() -> Result<()> {
    let mut awaited = Awaited::with(&[10_000, 300_000])?;
    let first = awaited.begin(0)?;
    assert_eq!(awaited.begin(0)?, first, "there is one upload of a page");
    awaited.send_rest(0, &first)?;
    let (outcome, missing, receipt) = awaited.send()?;
    assert_eq!((outcome, missing, receipt.complete), (Outcome::Duplicate, 1, false));
    // A submission that came later is opened; the one that awaits a page is not.
    let later = awaited.device.seal(&courier())?;
    awaited.device.send(&awaited.server, std::slice::from_ref(&later))?;
    wait_for_state(&awaited.device, &awaited.server, header_of(&later)?.envelope_id, CaseState::Submitted)?;
    let path = format!("/api/v1/cases/{}", awaited.id);
    let case: serde_json::Value = awaited.device.signed_get(&awaited.server, &path)?.json()?;
    assert_eq!(case["state"], "received");
    let second = awaited.begin(1)?;
    awaited.send_rest(1, &second)?;
    awaited.assert_complete()?;
    wait_for_state(&awaited.device, &awaited.server, awaited.id, CaseState::Submitted)?;
    // A lost answer: the address still says that all is here.
    assert_eq!(awaited.offset(&second)?, awaited.pages[1].bytes.len());
    assert_eq!(awaited.begin(1)?, second);
    Ok(())
}

#[test]
fn the_server_says_what_it_can_do_and_names_its_version_in_every_answer() -> Result<()> {
    let awaited = Awaited::with(&[100])?;
    let address = awaited.begin(0)?;
    for path in [UPLOADS, &address] {
        let answer = http::call(&awaited.server.terminals, "OPTIONS", path, &[], None)?;
        assert_eq!(answer.status, 204);
        let said = ["tus-version", "tus-extension", "tus-checksum-algorithm", "tus-max-size"];
        let said = said.map(|name| answer.header(name).unwrap_or_default().to_owned());
        assert_eq!(
            said,
            ["1.0.0", "creation,termination,checksum,expiration", "sha256", &MAX_BLOB_BYTES.to_string()]
        );
    }
    let head = awaited.call("HEAD", &address, &[], None)?;
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert!(head.header("upload-expires").is_some_and(|t| t.ends_with(" GMT")));
    let wrong = awaited.add(&address, 5, b"x")?;
    for answer in [&head, &wrong] {
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"), "{}", answer.status);
    }
    for version in ["0.2.2", "1.0", ""] {
        let headers = [("tus-resumable", version)];
        let at = (&*awaited.server.terminals, ("HEAD", &*address));
        assert_eq!(awaited.device.signed_call(at.0, at.1, &headers, None)?.status, 412, "{version:?}");
    }
    Ok(())
}

#[test]
fn an_upload_is_made_for_what_an_envelope_of_the_caller_names_and_for_nothing_else() -> Result<()> {
    let awaited = Awaited::with(&[100])?;
    let door = awaited.door(0);
    let length = awaited.pages[0].bytes.len().to_string();
    let other = Digest::of(b"another");
    let table: [(&str, &str, &str, &str); 9] = [
        (&door, "", "400", "malformed-request"),
        (&door, "-1", "400", "malformed-request"),
        (&door, "12", "400", "malformed-request"),
        (&door, "999999999", "413", "too-large"),
        (UPLOADS, &length, "400", "malformed-request"),
        (&format!("{door}&blob={other}"), &length, "400", "malformed-request"),
        (&format!("{UPLOADS}?envelope={}&blob={other}", awaited.id), &length, "404", "not-found"),
        (&door.replace(&awaited.id.to_string(), "../../etc"), &length, "400", "malformed-request"),
        (&door.replacen("envelope=0", "envelope=1", 1), &length, "404", "not-found"),
    ];
    for (path, length, status, code) in table {
        let answer = awaited.call("POST", path, &[("upload-length", length)], Some(b""))?;
        assert_eq!(
            (answer.status.to_string().as_str(), answer.problem()?.as_str()),
            (status, code),
            "{path} {length}"
        );
    }
    // An empty list of metadata is what some clients send, and any other says nothing here.
    for metadata in ["", "filename d29ybGQ=", "a,b,c"] {
        let headers = [("upload-length", &*length), ("upload-metadata", metadata)];
        assert_eq!(awaited.call("POST", &door, &headers, Some(b""))?.status, 201, "{metadata:?}");
    }
    // Another terminal neither begins nor sees it; nobody does without a signature.
    let address = awaited.begin(0)?;
    let stranger = Device::enrol(&awaited.server, 2)?;
    let calls = [("POST", door.as_str()), ("HEAD", &address), ("PATCH", &address), ("DELETE", &address)];
    for call in calls {
        let headers = [TUS, OCTETS, ("upload-length", &*length), (UPLOAD_OFFSET, "0")];
        assert_eq!(
            stranger.signed_call(&awaited.server.terminals, call, &headers, Some(b""))?.status,
            404,
            "{call:?}"
        );
        let unsigned = http::call(&awaited.server.terminals, call.0, call.1, &headers, Some(b""))?;
        assert_eq!(unsigned.status, 401, "{call:?}");
        let stolen = awaited.device.signature("GET", call.1)?;
        let terminal = awaited.device.enrolled.terminal.to_string();
        let forged = [("jinban-terminal", &*terminal), ("jinban-signature", &*stolen)];
        let answer = http::call(
            &awaited.server.terminals,
            call.0,
            call.1,
            &[&headers[..], &forged].concat(),
            Some(b""),
        )?;
        assert_eq!(answer.status, 401, "the signature of another method: {call:?}");
    }
    Ok(())
}

#[test]
fn bytes_are_added_at_the_end_of_what_is_there_and_nowhere_else() -> Result<()> {
    let awaited = Awaited::with(&[1_000])?;
    let address = awaited.begin(0)?;
    let bytes = &awaited.pages[0].bytes;
    assert_eq!(awaited.add(&address, 0, &bytes[..400])?.status, 204);
    for offset in [0, 399, 401, bytes.len(), 1_000_000] {
        let answer = awaited.add(&address, offset, b"x")?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (409, "upload-offset"), "{offset}");
    }
    let too_much = awaited.add(&address, 400, &[&bytes[400..], b"!"].concat())?;
    assert_eq!((too_much.status, too_much.problem()?.as_str()), (413, "too-large"));
    // Nor more than the length, when the caller does not say how much comes.
    let host = awaited.server.terminals.strip_prefix("http://").context("an address")?;
    let signature = awaited.device.signature("PATCH", &address)?;
    let head = format!(
        "PATCH {address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntus-resumable: 1.0.0\r\nupload-offset: 400\r\n\
         content-type: application/offset+octet-stream\r\njinban-terminal: {}\r\njinban-signature: {signature}\r\n\
         transfer-encoding: chunked\r\n\r\n400\r\n",
        awaited.device.enrolled.terminal
    );
    let chunked = [head.as_bytes(), &[7; 0x400], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(http::raw(host, &chunked)?.problem()?, "too-large");
    let kinds = [("content-type", "application/octet-stream"), ("content-type", "text/html")];
    for kind in kinds {
        let headers = [kind, (UPLOAD_OFFSET, "400")];
        assert_eq!(awaited.call("PATCH", &address, &headers, Some(b"x"))?.status, 415);
    }
    assert_eq!(awaited.call("PATCH", &address, &[OCTETS], Some(b"x"))?.status, 400, "no offset");
    assert_eq!(awaited.offset(&address)?, 400, "nothing of all that was taken");
    awaited.send_rest(0, &address)?;
    awaited.assert_complete()
}

#[test]
fn bytes_with_a_wrong_checksum_are_thrown_away_and_said_so() -> Result<()> {
    let awaited = Awaited::with(&[1_000])?;
    let address = awaited.begin(0)?;
    let bytes = &awaited.pages[0].bytes;
    let add = |checksum: &str, offset: usize, bytes: &[u8]| {
        let offset = offset.to_string();
        let headers = [OCTETS, (UPLOAD_OFFSET, &*offset), ("upload-checksum", checksum)];
        awaited.call("PATCH", &address, &headers, Some(bytes))
    };
    let sum = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Digest::of(bytes).as_bytes()));
    assert_eq!(add(&sum(&bytes[..100]), 0, &bytes[..100])?.status, 204);
    let wrong = add(&sum(b"others"), 100, &bytes[100..200])?;
    assert_eq!((wrong.status, wrong.problem()?.as_str()), (460, "checksum-mismatch"));
    assert_eq!(awaited.offset(&address)?, 100, "what came before is kept");
    for unknown in ["sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha256", "sha256 !"] {
        assert_eq!(add(unknown, 100, &bytes[100..200])?.status, 400, "{unknown}");
    }
    assert_eq!(add(&sum(&bytes[100..]), 100, &bytes[100..])?.status, 204);
    awaited.assert_complete()
}

#[test]
fn a_whole_upload_of_other_bytes_is_refused_at_its_end_and_the_right_ones_still_come() -> Result<()> {
    let awaited = Awaited::with(&[1_000])?;
    let address = awaited.begin(0)?;
    let mut lie = awaited.pages[0].bytes.clone();
    lie[500] ^= 1;
    let told = awaited.add(&address, 0, &lie)?;
    assert_eq!((told.status, told.problem()?.as_str()), (422, "blob-mismatch"));
    assert_eq!(awaited.call("HEAD", &address, &[], None)?.status, 404, "it is forgotten");
    assert!(awaited.kept(0).is_err(), "nothing lies under its name");
    let (_, missing, receipt) = awaited.send()?;
    assert_eq!((missing, receipt.complete), (1, false));
    let again = awaited.begin(0)?;
    assert_ne!(again, address);
    awaited.send_rest(0, &again)?;
    awaited.assert_complete()
}

#[test]
fn an_upload_that_was_given_up_or_is_too_old_is_gone_and_begins_anew() -> Result<()> {
    let mut awaited = Awaited::with(&[1_000])?;
    let given_up = awaited.begin(0)?;
    awaited.add(&given_up, 0, &awaited.pages[0].bytes[..100])?;
    assert_eq!(awaited.call("DELETE", &given_up, &[], None)?.status, 204);
    for method in ["HEAD", "DELETE"] {
        assert_eq!(awaited.call(method, &given_up, &[], None)?.status, 404, "{method}");
    }
    let old = awaited.begin(0)?;
    awaited.add(&old, 0, &awaited.pages[0].bytes[..100])?;
    let mut store = awaited.server.database()?.open()?;
    store.execute("UPDATE upload SET expires_at_ms = $1", &[1_i64.into()])?;
    drop(store);
    let gone = awaited.add(&old, 100, &awaited.pages[0].bytes[100..])?;
    assert_eq!((gone.status, gone.problem()?.as_str()), (410, "upload-gone"));
    assert_eq!(awaited.call("HEAD", &old, &[], None)?.status, 410);
    let fresh = awaited.begin(0)?;
    assert_eq!(awaited.offset(&fresh)?, 0);
    // A file that nobody asks after is removed at the next start, one that is on its way is not.
    awaited.add(&fresh, 0, &awaited.pages[0].bytes[..100])?;
    let folder = awaited.server.data().join("uploads");
    std::fs::write(folder.join("0".repeat(32)), b"left behind")?;
    awaited.server = awaited.server.kill_and_restart()?;
    assert!(!folder.join("0".repeat(32)).exists());
    assert_eq!(awaited.offset(&fresh)?, 100);
    awaited.send_rest(0, &fresh)?;
    awaited.assert_complete()
}

#[test]
fn manifests_beyond_their_limits_are_no_envelopes() -> Result<()> {
    use domain::wire::v1::{BlobEntry, BlobKind};
    let mut awaited = Awaited::with(&[100])?;
    let blob = |n: u16, length: u64| BlobEntry {
        digest: Digest::of(&n.to_be_bytes()),
        length,
        kind: BlobKind::Page,
        page: n,
    };
    let odd = BlobEntry { kind: BlobKind::Other("A Kind".into()), ..blob(1, 5) };
    let table = [
        (vec![blob(1, MAX_BLOB_BYTES + 1)], "envelope-too-large"),
        (vec![blob(1, 0)], "envelope-malformed"),
        (vec![blob(1, 5), blob(1, 5)], "envelope-malformed"),
        (vec![blob(1, 5), BlobEntry { page: 1, ..blob(2, 5) }], "envelope-malformed"),
        (vec![odd], "envelope-malformed"),
        ((1..=101).map(|n| blob(n, 5)).collect(), "envelope-too-large"),
    ];
    for (blobs, code) in table {
        let upload = awaited.device.seal_with(b"{}", |h| h.blobs = blobs)?;
        let result = awaited.device.send(&awaited.server, &[upload])?.results.remove(0);
        assert_eq!(result.problem.context("a problem")?.code, code);
    }
    let good = vec![blob(1, MAX_BLOB_BYTES), blob(2, 1)];
    let upload = awaited.device.seal_with(b"{}", |h| h.blobs = good)?;
    let result = awaited.device.send(&awaited.server, &[upload])?.results.remove(0);
    assert_eq!((result.outcome, result.missing_blobs.len()), (Outcome::Accepted, 2));
    Ok(())
}
