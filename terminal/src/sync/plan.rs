//! What to do next, and when: pure, so that every decision can be tested as a table.
use rand_core::Rng;

/// What is known when the next step is planned. Instants are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// Now.
    pub now_ms: i64,
    /// The terminal is enrolled.
    pub enrolled: bool,
    /// No contact before this time: back-off, or the server asked for it.
    pub not_before_ms: i64,
    /// Receipts are to be shown to a centre that was restored.
    pub offers: bool,
    /// When the next queued row becomes due; `None` if nothing is queued.
    pub next_row_ms: Option<i64>,
    /// When the next page of a submission that was receipted becomes due; `None` if none waits.
    pub next_page_ms: Option<i64>,
    /// When the centre is asked for news next.
    pub next_news_ms: i64,
    /// When the centre is told next how this terminal is.
    pub next_beat_ms: i64,
    /// The longest wait between two looks, so that a changed clock does no harm.
    pub longest_wait_ms: i64,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Show receipts to a centre that was restored.
    Offer,
    /// Send the rows that are due.
    SendBatch,
    /// Ask for news.
    AskChanges,
    /// Say how this terminal is.
    Beat,
    /// Send a piece of a page.
    SendPage,
    /// Do nothing for this long, milliseconds; a new row ends the wait early.
    Wait(u64),
}

/// The next action. Offers come before rows, rows come before news, news before a heartbeat, and that before pages, of
/// which each piece is an action of its own; nothing happens before `not_before_ms`.
pub fn plan(s: Situation) -> Action {
    if !s.enrolled {
        return wait(&s, i64::MAX);
    }
    if s.not_before_ms > s.now_ms {
        return wait(&s, s.not_before_ms);
    }
    if s.offers {
        return Action::Offer;
    }
    if s.next_row_ms.is_some_and(|t| t <= s.now_ms) {
        return Action::SendBatch;
    }
    if s.next_news_ms <= s.now_ms {
        return Action::AskChanges;
    }
    if s.next_beat_ms <= s.now_ms {
        return Action::Beat;
    }
    if s.next_page_ms.is_some_and(|t| t <= s.now_ms) {
        return Action::SendPage;
    }
    let next_ms = s.next_news_ms.min(s.next_beat_ms);
    let of_work = [s.next_row_ms, s.next_page_ms].into_iter().flatten();
    wait(&s, of_work.fold(next_ms, i64::min))
}

fn wait(s: &Situation, until_ms: i64) -> Action {
    let ms = until_ms.saturating_sub(s.now_ms).clamp(1, s.longest_wait_ms.max(1));
    Action::Wait(u64::try_from(ms).unwrap_or(1))
}

/// Full jitter: a random time between 0 and `base * 2^failures`, capped. (After the "exponential backoff and
/// jitter" article of the AWS architecture blog.)
pub fn full_jitter_ms<R: Rng + ?Sized>(failures: u32, base_ms: u64, cap_ms: u64, rng: &mut R) -> u64 {
    let ceiling = base_ms.saturating_mul(1u64 << failures.min(20)).min(cap_ms).max(1);
    rng.next_u64() % ceiling + 1
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn the_plan_table() {
        let s = Situation {
            now_ms: 1_000,
            enrolled: true,
            not_before_ms: 0,
            offers: false,
            next_row_ms: None,
            next_page_ms: None,
            next_news_ms: 3_000,
            next_beat_ms: 4_000,
            longest_wait_ms: 5_000,
        };
        let table = [
            (Situation { next_page_ms: Some(0), ..s }, Action::SendPage),
            (Situation { next_page_ms: Some(0), next_beat_ms: 0, ..s }, Action::Beat),
            (Situation { next_page_ms: Some(0), next_row_ms: Some(0), ..s }, Action::SendBatch),
            (Situation { next_page_ms: Some(1_200), next_row_ms: Some(1_700), ..s }, Action::Wait(200)),
            (Situation { enrolled: false, next_row_ms: Some(0), ..s }, Action::Wait(5_000)),
            (s, Action::Wait(2_000)),
            (Situation { next_row_ms: Some(1_000), ..s }, Action::SendBatch),
            (Situation { next_row_ms: Some(1_500), ..s }, Action::Wait(500)),
            (Situation { next_news_ms: 1_000, ..s }, Action::AskChanges),
            (Situation { next_news_ms: 0, next_row_ms: Some(0), ..s }, Action::SendBatch),
            (Situation { offers: true, next_row_ms: Some(0), next_news_ms: 0, ..s }, Action::Offer),
            (Situation { offers: true, not_before_ms: 1_200, ..s }, Action::Wait(200)),
            (Situation { next_beat_ms: 1_000, ..s }, Action::Beat),
            (Situation { next_beat_ms: 1_700, ..s }, Action::Wait(700)),
            (Situation { next_beat_ms: 0, next_news_ms: 0, ..s }, Action::AskChanges),
            (Situation { not_before_ms: 1_200, next_row_ms: Some(0), ..s }, Action::Wait(200)),
            (Situation { not_before_ms: 900_000, next_row_ms: Some(0), ..s }, Action::Wait(5_000)),
            (Situation { not_before_ms: 900_000, longest_wait_ms: 600_000, ..s }, Action::Wait(600_000)),
            (
                Situation { now_ms: i64::MAX - 5_000, next_news_ms: i64::MAX, next_beat_ms: i64::MAX, ..s },
                Action::Wait(5_000),
            ),
        ];
        for (situation, action) in table {
            assert_eq!(plan(situation), action, "{situation:?}");
        }
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_spreads() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        for failures in [0, 1, 5, 20, 63, u32::MAX] {
            let waits: Vec<u64> =
                (0..200).map(|_| full_jitter_ms(failures, 1_000, 60_000, &mut rng)).collect();
            let ceiling = if failures == 0 { 1_000 } else { 60_000 };
            assert!(waits.iter().all(|w| (1..=ceiling).contains(w)), "{failures}");
            let (least, most) = (waits.iter().min(), waits.iter().max());
            assert!(most.zip(least).is_some_and(|(m, l)| m - l > 500), "no spread at {failures}");
        }
    }
}
