//! Which faults a seed has, how often, and when.
//!
//! Each seed has some kinds and not others: a run with everything at once hides what two faults do to each other.
use rand_core::Rng as _;

use super::faults::Fault;
use super::world::{CALM_MS, Event, HOUR_MS, World};

impl World {
    /// Chooses the faults of the seed: which kinds, how often, and the weather. If kinds are named, those it has.
    pub fn choose_faults(&mut self) -> Vec<Fault> {
        let set_back_centre = self.rng.next_u32().is_multiple_of(2);
        let mut chosen: Vec<Fault> = Vec::new();
        for fault in Fault::ALL {
            let fits = match fault {
                f if f.sets_centre_back() => set_back_centre,
                f if f.sets_terminal_back() => !set_back_centre,
                _ => true,
            };
            let drawn = self.rng.next_u32() % 10 < 6 && fits;
            let only = &self.options.only;
            let has = if only.is_empty() { drawn } else { only.contains(fault) };
            if has {
                chosen.push(*fault);
            }
        }
        let harshness = [20, 100, 400][self.rng.next_u32() as usize % 3];
        for fault in chosen.iter().filter(|f| f.a_day().is_none()) {
            let chance = match fault {
                Fault::DoublePress | Fault::BadContent | Fault::CardPulled => 400,
                _ => harshness,
            };
            self.weather.0.push((*fault, chance));
        }
        chosen
    }

    /// When the chosen faults of a day come.
    pub fn plan_faults(&mut self, chosen: &[Fault]) {
        for fault in chosen {
            let most = fault.a_day().unwrap_or(0);
            for _ in 0..most {
                let at_ms = self.below(CALM_MS - HOUR_MS / 2);
                self.after(at_ms, Event::Fault(*fault));
            }
        }
    }
}
