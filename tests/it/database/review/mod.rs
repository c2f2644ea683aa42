//! What departments and the clock do to a case, on both databases: one life of many cases on each.
mod approval;
mod bundles;
mod clicks;
mod clock;
mod content;
mod failing;
mod hand;
mod messages;
mod money;
mod parcels;
mod payments;
mod progress;
mod results;
mod secrets;
pub mod stage;
mod statistics;
mod statistics_odd;

use anyhow::{Context as _, Result};
use sync_server::store::Driver;

pub use self::stage::person;
use self::stage::{Stage, TUESDAY_MS};
use super::driver::both_empty;

/// A story on an empty store of each kind.
pub fn on_both(story: impl Fn(&mut Stage<'_>) -> Result<()>) -> Result<()> {
    let (_folder, stores) = both_empty()?;
    for store in stores {
        let mut driver = store.open()?;
        let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
        story(&mut stage).with_context(|| format!("on {}", store.kind()))?;
        stage.is_sound().with_context(|| format!("afterwards on {}", store.kind()))?;
    }
    Ok(())
}

/// The part of the conformance suite about departments and the clock.
pub fn live(driver: &mut dyn Driver, now_ms: i64) -> Result<()> {
    let mut stage = Stage::on(driver, now_ms)?;
    clicks::one_click_is_one_action(&mut stage)?;
    clicks::inbox(&mut stage)?;
    secrets::words_go_with_the_key(&mut stage)?;
    clock::every_statement(&mut stage)?;
    results::certificates(&mut stage)?;
    parcels::every_statement(&mut stage)?;
    super::window::every_statement(&mut stage)?;
    approval::approvals(&mut stage)?;
    money::every_statement(&mut stage)?;
    statistics::every_statement(&mut stage)?;
    messages::messages(&mut stage)?;
    super::region::every_statement(&mut stage)
}
