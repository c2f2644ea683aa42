//! Which terminal is in which ring: pilots first, then by an order that another version shuffles anew, so that it is
//! not always the same branch that goes first.
use domain::catalogue::{Ring, RingSize};
use domain::envelope::Digest;
use domain::ids::TerminalId;

/// Gives each terminal its ring, from 0. The same call always gives the same.
pub(super) fn assign(
    rings: &[Ring],
    version: u64,
    mut terminals: Vec<TerminalId>,
    pilots: &[TerminalId],
) -> Vec<(TerminalId, usize)> {
    let place = |id: &TerminalId| {
        let pilot = pilots.iter().position(|p| p == id).unwrap_or(usize::MAX);
        (pilot, Digest::of(format!("jinban/ring/1 {version} {id}").as_bytes()).to_string())
    };
    terminals.sort_by_cached_key(place);
    let last = rings.len().saturating_sub(1);
    let ring_of = |place: usize| {
        let holds = |ring: &Ring| match ring.size {
            RingSize::Terminals(size) => (place as u64) < u64::from(size),
            RingSize::All(_) => true,
        };
        rings.iter().position(holds).unwrap_or(last)
    };
    terminals.into_iter().enumerate().map(|(place, id)| (id, ring_of(place))).collect()
}
