//! What each figure should be, and whether it is. The same targets stand with their reasons in `docs/performance.md`.
use super::row::Row;

/// A bound on a row.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// The value, in the row's own unit.
    AtMost(f64),
    /// The ratio to the floor.
    RatioAtLeast(f64),
    /// The ratio to the floor.
    RatioAtMost(f64),
}

use Bound::{AtMost, RatioAtLeast, RatioAtMost};

/// Rows with a target; the others explain.
const TARGETS: &[(&str, Bound)] = &[
    ("search.characters", AtMost(30.0)),
    ("search.initials", AtMost(30.0)),
    ("search.pinyin", AtMost(30.0)),
    ("search.typo", AtMost(200.0)),
    ("search.characters_3000", AtMost(500.0)),
    ("search.initials_3000", AtMost(500.0)),
    ("search.pinyin_3000", AtMost(500.0)),
    ("search.typo_3000", AtMost(5_000.0)),
    ("submit.p50", RatioAtMost(2.0)),
    ("submit.p99", AtMost(300.0)),
    ("ingest.throughput", RatioAtLeast(0.5)),
    ("ingest.p50_1_client", RatioAtMost(2.0)),
    ("ingest.p99_32_clients", RatioAtMost(2.0)),
    ("ingest.cpu", AtMost(0.25)),
    ("ingest.memory_idle", AtMost(16.0)),
    ("ingest.memory_64_clients", AtMost(32.0)),
    ("ingest.push_49_of_20", AtMost(0.4)),
    ("ingest.disk_per_submission", AtMost(5_300.0)),
    ("ingest.not_2xx", AtMost(0.0)),
    ("publish.applied_1", AtMost(1.0)),
    ("publish.applied_49", AtMost(5.0)),
    ("publish.download_49_of_1000_items", AtMost(2.0)),
    ("publish.no_news_requests_49", AtMost(49.0)),
    ("publish.no_news_server_49", AtMost(50.0)),
    ("publish.activation_95", AtMost(50.0)),
    ("publish.activation_3000", AtMost(500.0)),
    ("start.first_pixel", AtMost(0.3)),
    ("start.memory", AtMost(160.0)),
    ("frame.press_to_pixel_p50", AtMost(15.0)),
    ("frame.press_to_pixel_p95", AtMost(25.0)),
    ("frame.idle_cpu", AtMost(0.3)),
    ("frame.largest_form_normal", AtMost(2.0)),
    ("frame.largest_form_elder", AtMost(2.0)),
    ("card.insert_to_event_p95", AtMost(50.0)),
    ("card.read_beyond_device_p95", AtMost(2.0)),
    ("pages.photo_12mp", AtMost(400.0)),
    ("pages.photo_12mp_searched", AtMost(400.0)),
    ("pages.memory", AtMost(128.0)),
    ("paper.receipt_80mm", AtMost(30.0)),
    ("paper.receipt_58mm", AtMost(30.0)),
    ("desk.decision_p99", AtMost(50.0)),
    ("desk.inbox_p99", AtMost(100.0)),
    ("desk.inbox_second_p99", AtMost(100.0)),
    ("desk.inbox_state_p99", AtMost(100.0)),
    ("desk.inbox_over_p99", AtMost(100.0)),
    ("desk.cases_p99", AtMost(100.0)),
    ("desk.cases_closed_p99", AtMost(100.0)),
    ("desk.cases_older_p99", AtMost(100.0)),
    ("desk.cases_station_p99", AtMost(100.0)),
    ("desk.cases_words_p99", AtMost(100.0)),
    ("desk.cases_end_p99", AtMost(100.0)),
    ("desk.cases_day_p99", AtMost(100.0)),
    ("desk.cases_number_p99", AtMost(100.0)),
    ("desk.case_page_p99", AtMost(150.0)),
    ("desk.case_history_p99", AtMost(150.0)),
    ("desk.statistics_p99", AtMost(1_000.0)),
    ("desk.action_p99", AtMost(50.0)),
    ("desk.certificate_p99", AtMost(300.0)),
    ("desk.inbox_p99_postgresql", AtMost(100.0)),
    ("desk.inbox_second_p99_postgresql", AtMost(100.0)),
    ("desk.inbox_state_p99_postgresql", AtMost(100.0)),
    ("desk.inbox_over_p99_postgresql", AtMost(100.0)),
    ("desk.cases_p99_postgresql", AtMost(100.0)),
    ("desk.cases_closed_p99_postgresql", AtMost(100.0)),
    ("desk.cases_older_p99_postgresql", AtMost(100.0)),
    ("desk.cases_station_p99_postgresql", AtMost(100.0)),
    ("desk.cases_words_p99_postgresql", AtMost(100.0)),
    ("desk.cases_end_p99_postgresql", AtMost(100.0)),
    ("desk.cases_day_p99_postgresql", AtMost(100.0)),
    ("desk.cases_number_p99_postgresql", AtMost(100.0)),
    ("desk.case_page_p99_postgresql", AtMost(150.0)),
    ("desk.case_history_p99_postgresql", AtMost(150.0)),
    ("desk.statistics_p99_postgresql", AtMost(1_000.0)),
    ("desk.action_p99_postgresql", AtMost(50.0)),
    ("desk.certificate_p99_postgresql", AtMost(300.0)),
];

/// The bound of a row, if it has one.
pub fn bound(name: &str) -> Option<Bound> {
    TARGETS.iter().find(|(row, _)| *row == name).map(|(_, bound)| *bound)
}

impl Bound {
    /// Whether a row keeps it; one without the ratio that is asked for does not.
    pub fn is_met(self, row: &Row) -> bool {
        match self {
            AtMost(most) => row.value <= most,
            RatioAtLeast(least) => row.ratio_to_floor.is_some_and(|r| r >= least),
            RatioAtMost(most) => row.ratio_to_floor.is_some_and(|r| r <= most),
        }
    }

    /// As a person reads it.
    pub fn words(self, unit: &str) -> String {
        match self {
            AtMost(most) => format!("<= {most} {unit}").trim_end().to_owned(),
            RatioAtLeast(least) => format!(">= {least} of the floor"),
            RatioAtMost(most) => format!("<= {most} x the floor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, ratio: Option<f64>) -> Row {
        Row { name: "x".into(), value, unit: "ms".into(), floor: ratio, ratio_to_floor: ratio }
    }

    #[test]
    fn bounds_hold_or_do_not() {
        assert!(AtMost(5.0).is_met(&row(5.0, None)) && !AtMost(5.0).is_met(&row(5.1, Some(0.1))));
        assert!(
            RatioAtLeast(0.5).is_met(&row(0.0, Some(0.5))) && !RatioAtLeast(0.5).is_met(&row(9.0, Some(0.4)))
        );
        assert!(
            RatioAtMost(2.0).is_met(&row(9.0, Some(2.0))) && !RatioAtMost(2.0).is_met(&row(0.0, Some(2.1)))
        );
        assert!(!RatioAtMost(2.0).is_met(&row(0.0, None)) && !RatioAtLeast(0.5).is_met(&row(9.0, None)));
        assert!(bound("ingest.throughput").is_some() && bound("ingest.opened").is_none());
    }
}
