//! Heights of fields, measured once for each plan and look: a page may have a thousand fields with hundreds of choices,
//! and a frame asks for the height of each.
//!
//! Refuses to keep anything but numbers: no word of a form or an answer is in it.
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use domain::form::RenderPlan;
use egui::{Id, Ui};

use super::cell::Cell;
use crate::model::Look;
use crate::widgets::Cx;

/// What was measured.
#[derive(Clone, Default)]
struct Heights {
    /// The plan and look that it was measured for. The plan itself may be gone, its place is not used again.
    of: Option<(Weak<RenderPlan>, Look)>,
    heights: HashMap<Measured, f32>,
}

/// A field by its place in the plan that it was measured for, and what else its height depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Measured {
    field: usize,
    width_bits: u32,
    single: bool,
    roomy: bool,
    titled: bool,
}

/// The height of a field; measured if it was not yet. Errors come and go without a new plan: a field with one is
/// measured each time.
pub fn height(ui: &Ui, cx: &Cx<'_>, cell: &Cell<'_>, width: f32, measure: impl FnOnce() -> f32) -> f32 {
    if cell.error.is_some() {
        return measure();
    }
    let Some(plan) = cx.model.session.as_ref().map(|session| &session.plan) else { return measure() };
    let look = cx.model.look;
    let field = std::ptr::from_ref(cell.field).addr();
    let Cell { single, roomy, titled, .. } = *cell;
    let key = Measured { field, width_bits: width.to_bits(), single, roomy, titled };
    let id = Id::unique("heights of fields");
    let known = ui.data_mut(|data| {
        let kept = data.get_temp_mut_or_default::<Heights>(id);
        let same = |(of, then): &(Weak<RenderPlan>, Look)| of.as_ptr() == Arc::as_ptr(plan) && *then == look;
        if !kept.of.as_ref().is_some_and(same) {
            *kept = Heights { of: Some((Arc::downgrade(plan), look)), heights: HashMap::new() };
        }
        kept.heights.get(&key).copied()
    });
    known.unwrap_or_else(|| {
        let measured = measure();
        ui.data_mut(|data| data.get_temp_mut_or_default::<Heights>(id).heights.insert(key, measured));
        measured
    })
}
