//! What a step costs, as the catalogue says it.
use super::Fen;
use crate::bundle::StepKind;
use crate::case::PlannedStep;
use crate::catalogue::{Catalogue, Entry};
use crate::item::Item;

/// The fee of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// So much, for everybody: nobody types it.
    Fixed(Fen),
    /// The catalogue says that there is one and not how much: whoever asks for it types it, with a reason.
    Computed,
}

impl Fee {
    /// The fee of a step of a case; none where nothing is to be paid.
    ///
    /// A step of the kind `pay` is worked out by departments (taxes). Of an item, the amount of its guide counts; where
    /// that has only words about an amount that is not sure, it is worked out.
    pub fn of(catalogue: &Catalogue, entry: Entry<'_>, step: &PlannedStep) -> Option<Self> {
        if step.kind == StepKind::Pay {
            return Some(Self::Computed);
        }
        match (&step.item, entry) {
            (Some(code), _) => catalogue.items.get(code).and_then(Self::of_item),
            (None, Entry::Item(item)) => Self::of_item(item),
            (None, Entry::Bundle(_)) => None,
        }
    }

    fn of_item(item: &Item) -> Option<Self> {
        match Fen::new(item.guide.fee_fen) {
            Ok(fen) if !fen.is_nothing() => Some(Self::Fixed(fen)),
            _ => (item.guide.fee_unsure && item.guide.fee_note.is_some()).then_some(Self::Computed),
        }
    }
}

/// The legal bases of what a step of a case decides: those of its item, or of the item or bundle that was applied for.
pub fn bases(
    catalogue: Option<&Catalogue>,
    entry: Option<Entry<'_>>,
    step: Option<&PlannedStep>,
) -> Vec<String> {
    let code = step.and_then(|planned| planned.item.as_ref());
    match (code.and_then(|code| catalogue.and_then(|c| c.items.get(code))), entry) {
        (Some(item), _) | (None, Some(Entry::Item(item))) => {
            item.legal_basis.iter().map(|basis| basis.name.clone()).collect()
        }
        (None, Some(Entry::Bundle(bundle))) => vec![bundle.basis.clone()],
        (None, None) => Vec::new(),
    }
}
