//! The steps of a case as lanes: what runs side by side stands in one column.
use domain::bundle::stages;
use domain::case::StepView;

use super::gathered::Gathered;
use super::state_badge;
use crate::pages::view::{self, Badge};

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
    pub state: Badge,
    /// Who has it, and since when it stands there.
    pub about: String,
    /// The page is about it.
    pub current: bool,
}

/// The columns of a case; `current` is the step that the page is about.
pub fn lanes(of: &Gathered, current: Option<&str>) -> Vec<Lane> {
    let view = of.view();
    let steps = view.plan.steps().iter().zip(&view.steps);
    let stages = stages(
        steps.map(|(planned, step)| (planned.id.as_str(), planned.depends.iter().map(String::as_str), step)),
    );
    let lane = |steps: Vec<&StepView>| {
        let steps = steps.into_iter().map(|step| {
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
    stages.into_iter().map(lane).collect()
}
