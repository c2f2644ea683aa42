//! What the print button of a slip says, and the line that tells where the paper is.
//!
//! Refuses to say "printed" before the printer said so, and never offers a second paper without saying that the first
//! may lie there.
use domain::ids::EnvelopeId;
use egui::Color32;

use crate::model::{PrintKind, PrintStep};
use crate::widgets::Cx;

/// Label of the button: a key.
pub fn label(step: Option<PrintStep>) -> &'static str {
    match step {
        None => "slip.print.print",
        Some(PrintStep::Printing) => "slip.print.under_way",
        Some(PrintStep::Waiting(_)) => "slip.print.waits",
        Some(PrintStep::Printed | PrintStep::Doubtful(_)) => "slip.print.again",
        Some(PrintStep::Failed(_)) => "slip.print.retry",
    }
}

/// Where the paper of a slip is, in words, with its colour and icon; none if nobody asked for one.
pub fn line(cx: &Cx<'_>, id: EnvelopeId) -> Option<(String, Color32, &'static str)> {
    let step = cx.model.print_of(id)?;
    let colors = &cx.theme.colors;
    let trouble = step.trouble().map(|trouble| cx.tf(&format!("print.trouble.{}", trouble.name()), &[]));
    let (key, ink, name) = match step {
        PrintStep::Printing => ("printing", colors.ink, "printer"),
        PrintStep::Waiting(_) => ("waiting", colors.warn, "warn"),
        PrintStep::Printed if cx.model.printed_on() == Some(PrintKind::Page) => {
            ("page_printed", colors.ok, "check")
        }
        PrintStep::Printed => ("printed", colors.ok, "check"),
        PrintStep::Failed(Some(_)) => ("failed", colors.error, "warn"),
        PrintStep::Failed(None) => ("not_printed", colors.error, "warn"),
        PrintStep::Doubtful(Some(_)) => ("doubtful", colors.warn, "warn"),
        PrintStep::Doubtful(None) => ("interrupted", colors.warn, "warn"),
    };
    let words = cx.tf(&format!("slip.print.{key}"), &[("trouble", trouble.as_deref().unwrap_or_default())]);
    Some((words, ink, name))
}
