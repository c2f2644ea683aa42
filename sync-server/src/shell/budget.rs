//! How many calls an address may make: a budget a window, told in `RateLimit` headers before it is used up.
//!
//! Not a defence of the data (signatures are that) but of the machine, and of enrolment codes against guessing.
//! The table of callers is bounded: addresses beyond its end share one budget. Refuses to judge who is behind an
//! address: 49 terminals may share one, so that the budgets leave them fifty times what they need.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callers that are counted one by one, at most.
const MAX_CALLERS: usize = 20_000;

/// So many calls in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Calls in a window.
    pub calls: u32,
    /// Length of a window.
    pub window: Duration,
}

/// All budgets. How much they are is a setting (`calls_per_minute`, `enrolments_per_minute`): 60,000 calls are 1,000 a
/// second, and 49 busy terminals behind one address make fewer than 20; 120 enrolments let 49 terminals be set up in one
/// go, and are no help against the 60 random bits of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Enrolments from one address, refused ones included.
    pub enrolments: Budget,
    /// All calls from one address.
    pub calls: Budget,
    /// All calls from this machine itself, which are the operator's own: a proxy that all others come through,
    /// monitoring, benches.
    pub calls_from_here: Budget,
}

/// So many times as many calls may come from this machine itself.
const FROM_HERE: u32 = 50;

impl Budgets {
    /// So many calls and enrolments a minute.
    pub fn per_minute(calls: u32, enrolments: u32) -> Self {
        let a_minute = |calls| Budget { calls, window: Duration::from_secs(60) };
        Self {
            enrolments: a_minute(enrolments),
            calls: a_minute(calls),
            calls_from_here: a_minute(calls.saturating_mul(FROM_HERE)),
        }
    }
}

/// What a call is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Policy {
    Enrolments,
    Calls,
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Enrolments => "enrolments",
            Self::Calls => "calls",
        }
    }
}

/// How a caller stands after a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `RateLimit-Policy`, as structured field (draft-ietf-httpapi-ratelimit-headers-10).
    pub policy: String,
    /// `RateLimit`, likewise.
    pub limit: String,
    /// Seconds to wait if the call is refused.
    pub refused_for_secs: Option<u64>,
}

/// The callers and what they have used.
#[derive(Debug)]
pub struct Callers {
    budgets: Budgets,
    used: Mutex<HashMap<(IpAddr, Policy), Used>>,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    since: Instant,
    calls: u32,
}

impl Callers {
    /// Nobody has called yet.
    pub fn new(budgets: Budgets) -> Self {
        Self { budgets, used: Mutex::default() }
    }

    /// Counts a call of an address; an enrolment counts under both budgets.
    pub fn count(&self, who: IpAddr, enrolment: bool, now: Instant) -> Standing {
        let calls = if who.is_loopback() { self.budgets.calls_from_here } else { self.budgets.calls };
        let all = [(Policy::Enrolments, self.budgets.enrolments), (Policy::Calls, calls)];
        let counted = if enrolment { &all[..] } else { &all[1..] };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut standing = Standing { policy: String::new(), limit: String::new(), refused_for_secs: None };
        for (policy, budget) in counted {
            let (left, reset_secs) = take(&mut used, (counted_as(who), *policy), budget, now);
            let (name, window) = (policy.name(), budget.window.as_secs());
            let comma = if standing.policy.is_empty() { "" } else { ", " };
            standing.policy.push_str(&format!("{comma}\"{name}\";q={};w={window}", budget.calls));
            let shown = left.unwrap_or(0);
            standing.limit.push_str(&format!("{comma}\"{name}\";r={shown};t={reset_secs}"));
            if left.is_none() {
                standing.refused_for_secs = standing.refused_for_secs.max(Some(reset_secs.max(1)));
            }
        }
        standing
    }
}

/// An IPv6 caller has a whole /64 to itself, so that is what is counted.
pub fn counted_as(who: IpAddr) -> IpAddr {
    match who.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

/// Takes one call; gives what is left, or nothing if nothing was, and the seconds to the next window.
fn take(
    table: &mut HashMap<(IpAddr, Policy), Used>,
    key: (IpAddr, Policy),
    budget: &Budget,
    now: Instant,
) -> (Option<u32>, u64) {
    let over = |u: &Used| now.saturating_duration_since(u.since) >= budget.window;
    if table.len() >= MAX_CALLERS && !table.contains_key(&key) {
        table.retain(|_, u| !over(u));
    }
    let full = table.len() >= MAX_CALLERS && !table.contains_key(&key);
    let key = if full { (IpAddr::V6(Ipv6Addr::UNSPECIFIED), key.1) } else { key };
    let used = table.entry(key).or_insert(Used { since: now, calls: 0 });
    if over(used) {
        *used = Used { since: now, calls: 0 };
    }
    let reset = budget.window.saturating_sub(now.saturating_duration_since(used.since));
    let reset_secs = reset.as_millis().div_ceil(1_000);
    let left = budget.calls.checked_sub(used.calls + 1);
    if left.is_some() {
        used.calls += 1;
    }
    (left, u64::try_from(reset_secs).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let a_minute = |calls| Budget { calls, window: Duration::from_secs(60) };
        Callers::new(Budgets { enrolments: a_minute(2), calls: a_minute(5), calls_from_here: a_minute(9) })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_budget_is_used_up_told_and_given_again() {
        let (callers, start, who) = (callers(), Instant::now(), address("192.0.2.1"));
        let first = callers.count(who, true, start);
        assert_eq!(first.policy, "\"enrolments\";q=2;w=60, \"calls\";q=5;w=60");
        assert_eq!(first.limit, "\"enrolments\";r=1;t=60, \"calls\";r=4;t=60");
        assert_eq!(callers.count(who, true, start).refused_for_secs, None);
        let later = start + Duration::from_millis(10_500);
        assert_eq!(callers.count(who, true, later).refused_for_secs, Some(50));
        assert_eq!(
            callers.count(who, false, later).limit,
            "\"calls\";r=1;t=50",
            "only enrolments are refused"
        );
        assert_eq!(callers.count(address("192.0.2.2"), true, later).refused_for_secs, None, "another caller");
        let next_window = start + Duration::from_secs(60);
        assert_eq!(callers.count(who, true, next_window), first);
    }

    #[test]
    fn this_machine_has_its_own_budget_and_a_network_counts_once() {
        let (callers, now) = (callers(), Instant::now());
        assert!(callers.count(address("127.0.0.9"), false, now).policy.contains("q=9"));
        callers.count(address("2001:db8:1:2:aaaa::1"), false, now);
        let neighbour = callers.count(address("2001:db8:1:2:bbbb::2"), false, now);
        assert!(neighbour.limit.contains("r=3"), "{neighbour:?}");
        let mapped = callers.count(address("::ffff:192.0.2.7"), false, now);
        assert!(
            mapped.limit.contains("r=4")
                && callers.count(address("192.0.2.7"), false, now).limit.contains("r=3")
        );
    }

    #[test]
    fn the_table_of_callers_has_an_end() {
        let (callers, now) = (callers(), Instant::now());
        for n in 0..MAX_CALLERS as u32 + 3 {
            callers.count(IpAddr::V4(n.into()), false, now);
        }
        let size = || callers.used.lock().expect("table").len();
        assert!(size() <= MAX_CALLERS + 1, "{}", size());
        let stranger = callers.count(address("198.51.100.1"), false, now);
        assert!(stranger.limit.contains("r=1"), "strangers share one budget: {stranger:?}");
        callers.count(address("198.51.100.1"), false, now + Duration::from_secs(61));
        assert_eq!(size(), 1, "what is over is forgotten");
    }
}
