//! What steps and wanted things are called: the names of a catalogue, or the words for their kind.
use domain::case::PlannedStep;
use domain::catalogue::{Catalogue, Entry};
use domain::ids::ItemCode;
use domain::situation;

use crate::words::Words;

/// The name of a step: that of the bundle's graph, or the kind of its work.
pub fn step(w: Words, of: (Option<&Catalogue>, Option<&ItemCode>), planned: &PlannedStep) -> String {
    let (catalogue, item) = of;
    let entry = catalogue.zip(item).and_then(|(catalogue, code)| catalogue.entry(code));
    let name = match entry {
        Some(Entry::Bundle(bundle)) => {
            bundle.steps.iter().find(|step| step.id == planned.id).map(|step| step.name.get(w.0).to_owned())
        }
        _ => None,
    };
    let kind = serde_json::to_value(planned.kind).ok();
    name.unwrap_or_else(|| w.of("step_kind", kind.as_ref().and_then(|k| k.as_str()).unwrap_or_default()))
}

/// What a key of a notice stands for: a material or a field.
pub fn want(w: Words, entry: Option<Entry<'_>>, key: &str) -> String {
    let material = key.strip_prefix("material.").and_then(|n| n.parse::<usize>().ok());
    let material = material.and_then(|n| entry.and_then(|entry| entry.materials().get(n)));
    if let Some(material) = material {
        return material.name.get(w.0).to_owned();
    }
    let label = entry.and_then(|entry| entry.form().label(key));
    let plain = key.strip_prefix(situation::PATH_PREFIX).unwrap_or(key);
    label.map_or_else(|| plain.to_owned(), |label| label.get(w.0).to_owned())
}
