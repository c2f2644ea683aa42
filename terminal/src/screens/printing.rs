//! What can be asked of the printers at a slip, and the line that tells where the paper is.
//!
//! Refuses to offer what a tap would not do: while a paper is on its way there is no button for it. Refuses to say
//! "printed" before the printer said so, and never offers a second paper without saying that the first may lie there.
use domain::ids::EnvelopeId;
use egui::Color32;

use crate::command::Command;
use crate::model::{PrintKind, PrintStep};
use crate::widgets::Cx;

/// A paper that can be asked for now.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Words of the button: a key.
    pub label: &'static str,
    /// What it asks for.
    pub command: Command,
}

/// What can be asked for at this slip: first the paper that is usual or that was asked for before, none while it is on its
/// way; then the other printer's, if there are two, none while a paper is being printed.
pub fn offers(cx: &Cx<'_>, id: EnvelopeId) -> (Option<Offer>, Option<Offer>) {
    let model = cx.model;
    let Some(kind) = model.printed_on(id) else { return (None, None) };
    let command = |kind| match kind {
        PrintKind::Page if model.page_beside().is_some() => Command::PrintPage,
        _ => Command::Print,
    };
    let step = model.print_of(id);
    let label = match step {
        None => Some("slip.print.print"),
        Some(PrintStep::Printing | PrintStep::Waiting(_)) => None,
        Some(PrintStep::Printed | PrintStep::Doubtful(_)) => Some("slip.print.again"),
        Some(PrintStep::Failed(_)) => Some("slip.print.retry"),
    };
    let own = label.map(|label| Offer { label, command: command(kind) });
    let beside = model.page_beside().filter(|_| step != Some(PrintStep::Printing)).map(|page| match kind {
        PrintKind::Slip => Offer { label: "slip.print.page", command: command(page) },
        PrintKind::Page => Offer { label: "slip.print.print", command: command(PrintKind::Slip) },
    });
    (own, beside)
}

/// In place of the button at one of the own cases, while a tap on it would do nothing: that it is being printed, or what
/// its printer waits for; with colour and icon.
pub fn instead_of_button(cx: &Cx<'_>, id: EnvelopeId) -> Option<(String, Color32, &'static str)> {
    let step = cx.model.case_on_its_way(id)?;
    match step.trouble() {
        None => line(cx, id),
        Some(trouble) => {
            let words = cx.tf(&format!("print.trouble.{}", trouble.name()), &[]);
            Some((words, cx.theme.colors.warn, "warn"))
        }
    }
}

/// Where the paper of a slip is and which one it is, in words, with its colour and icon; none if nobody asked for one.
pub fn line(cx: &Cx<'_>, id: EnvelopeId) -> Option<(String, Color32, &'static str)> {
    let step = cx.model.print_of(id)?;
    let page = cx.model.printed_on(id) == Some(PrintKind::Page);
    let colors = &cx.theme.colors;
    let trouble = step.trouble().map(|trouble| cx.tf(&format!("print.trouble.{}", trouble.name()), &[]));
    let (key, ink, name) = match step {
        PrintStep::Printing if page => ("page_printing", colors.ink, "printer"),
        PrintStep::Printing => ("printing", colors.ink, "printer"),
        PrintStep::Waiting(_) => ("waiting", colors.warn, "warn"),
        PrintStep::Printed if page => ("page_printed", colors.ok, "check"),
        PrintStep::Printed => ("printed", colors.ok, "check"),
        PrintStep::Failed(Some(_)) => ("failed", colors.error, "warn"),
        PrintStep::Failed(None) => ("not_printed", colors.error, "warn"),
        PrintStep::Doubtful(Some(_)) => ("doubtful", colors.warn, "warn"),
        PrintStep::Doubtful(None) => ("interrupted", colors.warn, "warn"),
    };
    let words = cx.tf(&format!("slip.print.{key}"), &[("trouble", trouble.as_deref().unwrap_or_default())]);
    Some((words, ink, name))
}
