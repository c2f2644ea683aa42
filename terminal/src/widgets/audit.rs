//! What a test wants to know about the drawing: which words did not fit where they were put.
//!
//! Refuses to work in a real window: it is off unless a test switches it on, and then holds at most
//! [`MAX_FINDINGS`] findings.
use std::cell::{Cell, RefCell};

/// The most findings kept.
pub const MAX_FINDINGS: usize = 200;

/// Findings of one or more frames.
#[derive(Debug, Default)]
pub struct Audit {
    on: Cell<bool>,
    findings: RefCell<Vec<String>>,
}

impl Audit {
    /// Starts to collect.
    pub fn switch_on(&self) {
        self.on.set(true);
    }

    /// Notes a finding.
    pub fn note(&self, finding: impl FnOnce() -> String) {
        if self.on.get() {
            let mut findings = self.findings.borrow_mut();
            if findings.len() < MAX_FINDINGS {
                findings.push(finding());
            }
        }
    }

    /// Takes all findings.
    pub fn take(&self) -> Vec<String> {
        self.findings.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_collected_before_it_is_switched_on_and_never_too_much() {
        let audit = Audit::default();
        audit.note(|| "early".to_owned());
        assert!(audit.take().is_empty());
        audit.switch_on();
        for i in 0..2 * MAX_FINDINGS {
            audit.note(|| i.to_string());
        }
        assert_eq!(audit.take().len(), MAX_FINDINGS);
        assert!(audit.take().is_empty());
    }
}
