//! The steps of a case as lanes: what runs side by side stands in one column.
use super::gathered::Gathered;
use super::{StateBadge, state_badge};
use crate::pages::view;

/// A column: steps of which none waits for another.
pub struct Lane {
    /// Its steps.
    pub steps: Vec<LaneStep>,
}

/// A step in its column.
pub struct LaneStep {
    /// Its name.
    pub name: String,
    /// Who does it.
    pub unit: String,
    /// Where it stands.
    pub state: StateBadge,
    /// Who has it, and since when it stands there.
    pub about: String,
    /// The page is about it.
    pub current: bool,
}

/// The columns of a case; `current` is the step that the page is about.
pub fn lanes(of: &Gathered, current: Option<&str>) -> Vec<Lane> {
    let view = of.view();
    let mut depths: Vec<(&str, usize)> = Vec::new();
    for planned in view.plan.steps() {
        let before = depths.iter().filter(|(id, _)| planned.depends.iter().any(|on| on == id));
        let depth = before.map(|(_, depth)| depth + 1).max().unwrap_or(0);
        depths.push((&planned.id, depth));
    }
    let last = depths.iter().map(|(_, depth)| *depth).max();
    let column = |depth: usize| {
        let here =
            view.steps.iter().filter(|step| depths.iter().any(|(id, at)| *id == step.id && *at == depth));
        let steps = here.map(|step| {
            let holder = step.holder.as_deref().map(|id| of.story.name(id).to_owned());
            let asked = step.consulted.as_ref().map(ToString::to_string);
            let since = (step.version > 0).then(|| view::time(step.since_ms, of.now_ms));
            let about: Vec<String> = holder.into_iter().chain(asked).chain(since).collect();
            LaneStep {
                name: of.step_name(&step.id),
                unit: step.unit.to_string(),
                state: state_badge(step.state),
                about: about.join(" · "),
                current: Some(step.id.as_str()) == current,
            }
        });
        Lane { steps: steps.collect() }
    };
    last.map_or_else(Vec::new, |last| (0..=last).map(column).collect())
}
