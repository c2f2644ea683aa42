//! What a technician asks: `doctor` and `print-test` of the real program.
use std::process::{Command as Process, Output};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::binaries::{binary, repository};
use tests::printers::{Condition, ReceiptSimulator};

use super::code_of;

fn run(job: &str, receipt: &str, page: &str) -> Result<Output> {
    let folder = tempfile::tempdir()?;
    Ok(Process::new(binary("terminal"))
        .current_dir(folder.path())
        .args([job, "--json", "--reader", "none", "--receipt-printer", receipt, "--page-printer", page])
        .arg("--assets")
        .arg(repository().join("assets"))
        .output()?)
}

#[test]
fn the_doctor_says_how_the_printers_are_and_what_to_do() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let finding = |subject: &str| -> Result<(String, String)> {
        let output = run("doctor", &simulator.place(), "ipp://127.0.0.1:9/ipp/print")?;
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        let found = findings.into_iter().find(|f| f["subject"] == subject).context("a finding")?;
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        Ok((text("level"), format!("{} | {}", text("found"), text("remedy"))))
    };
    let (level, said) = finding("receipt_printer")?;
    assert!(level == "ok" && said.contains("ready"), "{level} {said}");
    simulator.set(Condition::NoPaper);
    let (level, said) = finding("receipt_printer")?;
    assert!(level == "warn" && said.contains("no paper") && said.contains("put paper in"), "{said}");
    let (level, said) = finding("page_printer")?;
    assert!(level == "warn" && said.contains("not found") && said.contains("cable"), "{said}");
    assert!(simulator.strips().is_empty(), "a doctor prints nothing");
    Ok(())
}

#[test]
fn a_test_page_comes_out_or_the_reason_is_told() -> Result<()> {
    let simulator = ReceiptSimulator::start()?;
    let output = run("print-test", &simulator.place(), "none")?;
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((output.status.code(), &said[0]["printed"]), (Some(0), &Value::Bool(true)), "{said}");
    let strips = simulator.strips();
    assert!(strips.len() == 1 && code_of(&strips[0])?.contains("TEST1234567890AB"));
    simulator.set(Condition::Jammed);
    let output = run("print-test", &simulator.place(), "none")?;
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((output.status.code(), said[0]["trouble"].as_str()), (Some(1), Some("jammed")), "{said}");
    assert_eq!(run("print-test", "none", "none")?.status.code(), Some(1), "none is named");
    Ok(())
}
