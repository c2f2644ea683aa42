//! The description of the API: recorded in the repository, served, printed, and true.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use domain::envelope::SignedDocument;
use domain::wire::v1::{
    BatchResponse, CaseList, CaseResource, CertificateRequest, CertificateResponse, ChangesResponse,
    CitizenRequest, CitizenResponse, EnrolRequest, EnrolResponse, EnvelopeBatch, HeartbeatRequest,
    HeartbeatResponse, OfferRequest, OfferResponse, PartnerAnswer, PartnerRequest,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sync_server::error::ProblemCode;
use tests::http;
use tests::server::Server;

use super::same_as_file;

/// Kinds that no described call answers: what is at no address, what an address does not take, the console's, and those
/// of uploads, which are described by tus and in `docs/api/README.md`.
const OUTSIDE: [ProblemCode; 13] = [
    ProblemCode::MethodNotAllowed,
    ProblemCode::CaseChanged,
    ProblemCode::SignInNeeded,
    ProblemCode::RoleNeeded,
    ProblemCode::UnitNeeded,
    ProblemCode::TooEarly,
    ProblemCode::CrossSite,
    ProblemCode::UploadOffset,
    ProblemCode::UploadGone,
    ProblemCode::UploadLocked,
    ProblemCode::TusVersion,
    ProblemCode::BlobMismatch,
    ProblemCode::ChecksumMismatch,
];

fn document() -> Result<Value> {
    Ok(serde_json::from_str(sync_server::openapi::document())?)
}

/// Path, method and description of every call.
fn operations(document: &Value) -> Result<Vec<(String, String, Value)>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for (method, operation) in item.as_object().context("item")? {
            found.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    Ok(found)
}

#[test]
fn the_description_is_the_recorded_one() -> Result<()> {
    same_as_file("docs/api/openapi.json", sync_server::openapi::document())
}

#[test]
fn the_description_is_served_and_printed_as_it_is() -> Result<()> {
    let server = Server::start()?;
    for base in [&server.terminals, &server.people] {
        let answer = http::get(base, "/openapi.json", &[])?;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.text(), sync_server::openapi::document());
    }
    let printed =
        std::process::Command::new(tests::binaries::binary("sync-server")).arg("openapi").output()?;
    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout)?.trim_end(), sync_server::openapi::document().trim_end());
    Ok(())
}

#[test]
fn every_described_call_is_routed_and_takes_no_other_method() -> Result<()> {
    let server = Server::start()?;
    let document = document()?;
    let calls = operations(&document)?;
    assert!(calls.len() >= 9, "{}", calls.len());
    for (path, method, _) in &calls {
        let address = path
            .replace("{envelope_id}", "019ab2c3-d4e5-7000-8000-000000000001")
            .replace("{version}", "1")
            .replace("{code}", "hrss.flex-enroll");
        let answer = http::call(&server.terminals, method, &address, &[], None)?;
        // Without a register of other regions nothing is taken from them.
        let unset = path.starts_with("/api/v1/partner/") && answer.status == 404;
        assert!(unset || [200, 401, 415].contains(&answer.status), "{method} {path}: {}", answer.status);
        for other in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            let answer = http::call(&server.terminals, other, &address, &[], None)?;
            assert_eq!(
                (answer.status, answer.problem()?.as_str()),
                (405, "method-not-allowed"),
                "{other} {path}"
            );
            let allow = answer.header("allow").context("Allow")?;
            assert!(allow.split(',').any(|m| m.trim() == method), "{path}: {allow}");
        }
    }
    Ok(())
}

#[test]
fn every_problem_code_is_described() -> Result<()> {
    let document = document()?;
    let mut described = BTreeSet::new();
    for (path, method, operation) in operations(&document)? {
        let text = operation["responses"].to_string();
        for code in ProblemCode::ALL {
            if text.contains(&format!("`{}`", code.as_str())) {
                described.insert(code.as_str());
            }
        }
        for status in ["400", "408", "429", "431", "500", "503"] {
            assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
        }
        for status in ["429", "503"] {
            assert!(operation["responses"][status]["headers"]["Retry-After"].is_object(), "{method} {path}");
        }
    }
    let missing: Vec<_> =
        ProblemCode::ALL.iter().filter(|c| !described.contains(c.as_str()) && !OUTSIDE.contains(c)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array();
    assert_eq!(listed.map(Vec::len), Some(ProblemCode::ALL.len()));
    Ok(())
}

#[test]
fn the_examples_are_what_the_types_take() -> Result<()> {
    fn takes<T: DeserializeOwned>(example: &Value) -> Result<()> {
        serde_json::from_value::<T>(example.clone()).map(|_| ()).with_context(|| example.to_string())
    }
    let document = document()?;
    let mut checked = 0;
    for (_, _, operation) in operations(&document)? {
        let request = &operation["requestBody"]["content"]["application/json"]["example"];
        let response = &operation["responses"]["200"]["content"]["application/json"]["example"];
        match operation["operationId"].as_str().context("id")? {
            "enrol" => takes::<EnrolRequest>(request).and_then(|()| takes::<EnrolResponse>(response))?,
            "renew_certificate" => {
                takes::<CertificateRequest>(request).and_then(|()| takes::<CertificateResponse>(response))?
            }
            "send_envelopes" => {
                takes::<EnvelopeBatch>(request).and_then(|()| takes::<BatchResponse>(response))?
            }
            "changes" => takes::<ChangesResponse>(response)?,
            "heartbeat" => {
                takes::<HeartbeatRequest>(request).and_then(|()| takes::<HeartbeatResponse>(response))?
            }
            "offer_receipts" => {
                takes::<OfferRequest>(request).and_then(|()| takes::<OfferResponse>(response))?
            }
            "list_citizen_cases" => {
                takes::<CitizenRequest>(request).and_then(|()| takes::<CitizenResponse>(response))?
            }
            "list_cases" => takes::<CaseList>(response)?,
            "read_case" => takes::<CaseResource>(response)?,
            "list_revoked_certificates" => takes::<SignedDocument>(response)?,
            "send_partner_message" => {
                takes::<PartnerRequest>(request).and_then(|()| takes::<PartnerAnswer>(response))?
            }
            "list_partner_items" | "read_partner_item" => takes::<SignedDocument>(response)?,
            "health" | "describe" | "read_catalogue" | "read_catalogue_version" => takes::<Value>(response)?,
            other => anyhow::bail!("{other} has no type here"),
        }
        checked += 1;
    }
    assert_eq!(checked, 17);
    Ok(())
}
