//! 运行策略: times, limits and shares that central IT sets as data (`policies.json`), each with the value that holds
//! where a file or a version says nothing, and the range in which it may lie.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::parse::Report;
use crate::ids::ItemCode;

/// All policies of a catalogue version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// When nobody is there any more.
    pub idle: IdlePolicy,
    /// Hours that a draft is kept on its terminal.
    pub draft_hours: u16,
    /// How long things are kept.
    pub retention: RetentionPolicy,
    /// How much of something may be given.
    pub limits: LimitPolicy,
    /// Within how many working days a bad rating is dealt with.
    pub rectification: RectificationPolicy,
    /// Rings of a rollout, in order.
    pub rollout: Vec<Ring>,
    /// A rollout that stops by itself goes back by itself, where a way back was signed; without it a person says so.
    #[serde(skip_serializing_if = "is_off")]
    pub back_by_itself: bool,
    /// What an old catalogue still allows.
    pub stale: StalePolicy,
    /// Days for which what was begun of a withdrawn item may still be finished.
    pub grace_days: u16,
    /// How departments ask for what is missing.
    #[serde(skip_serializing_if = "ReviewPolicy::is_default")]
    pub review: ReviewPolicy,
    /// How long a machine waits, and keeps names.
    #[serde(skip_serializing_if = "ApprovalPolicy::is_default")]
    pub approval: ApprovalPolicy,
}

/// Seconds without a touch before a countdown, and of the countdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdlePolicy {
    /// Before the countdown.
    pub wait_seconds: u16,
    /// The countdown.
    pub countdown_seconds: u16,
    /// Before the countdown where a slip is shown.
    pub slip_wait_seconds: u16,
    /// Before the countdown in the elder version.
    pub elder_wait_seconds: u16,
    /// The countdown in the elder version.
    pub elder_countdown_seconds: u16,
    /// Minutes of the longest visit.
    pub longest_visit_minutes: u16,
}

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionPolicy {
    /// Receipts on a terminal, so that a restored centre can be offered what it lost.
    pub receipt_days: u16,
    /// Closed cases at the centre.
    pub closed_case_days: u16,
}

/// How much may be given with one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitPolicy {
    /// Pages of scanned material.
    pub scan_pages: u16,
    /// KiB of one page after compression.
    pub scan_page_kib: u16,
    /// KiB of a photo.
    pub photo_kib: u16,
}

/// Working days to deal with a bad rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RectificationPolicy {
    /// Until the first contact.
    pub contact_days: u16,
    /// A simple matter.
    pub simple_days: u16,
    /// A complex matter.
    pub complex_days: u16,
}

/// How departments ask for what is missing (一次性告知).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewPolicy {
    /// Minutes after the first department asked in which the others are waited for, so that one notice says it all; 0
    /// for a notice at once.
    pub merge_minutes: u16,
    /// Working days that a citizen has for a supplement where the department says nothing else.
    pub supplement_days: u16,
}

/// What a machine that approves waits for, and for how long (自动审批).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalPolicy {
    /// Minutes for which a source that does not answer is asked again before a person decides; 0 for a person at once.
    pub wait_minutes: u16,
    /// Minutes for which a name of a company is kept for whoever asked for it.
    pub reservation_minutes: u16,
    /// Region code of the authority at which names of companies are unique.
    pub name_authority: u32,
}

/// A ring of a rollout: so many terminals get a version before it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Its name.
    pub id: String,
    /// How many terminals have the version when the ring is done, counted from the first ring.
    pub size: RingSize,
    /// With this share of good reports the ring is done, in percent.
    pub success_percent: u8,
    /// With this share of failures, silence being one, the rollout stops, in percent.
    pub failure_percent: u8,
    /// Minutes after which a terminal that said nothing has failed.
    pub deadline_minutes: u32,
    /// Minutes for which a ring is watched after it reached its share of good reports, before it is done; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub watch_minutes: u32,
}

/// Size of a [`Ring`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RingSize {
    /// So many terminals.
    Terminals(u32),
    /// Every terminal.
    All(AllTerminals),
}

/// The word `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum AllTerminals {
    All,
}

/// What may be started while the catalogue is old, item by item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StalePolicy {
    /// Hours since the last verified news after which a catalogue is old.
    pub after_hours: u16,
    /// What an old one allows where nothing is said of an item.
    pub otherwise: StaleAction,
    /// What it allows of an item or bundle.
    pub items: BTreeMap<ItemCode, StaleAction>,
}

/// What an old catalogue allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleAction {
    /// Everything, and it says since when it is old.
    #[default]
    Warn,
    /// The matter is registered only: what it says of time and fee is to be confirmed.
    RegisterOnly,
    /// Nothing new may be started.
    Block,
}

impl Default for Policies {
    fn default() -> Self {
        let ring = |id: &str, size, deadline_minutes| Ring {
            id: id.to_owned(),
            size,
            success_percent: 100,
            failure_percent: 10,
            deadline_minutes,
            watch_minutes: 0,
        };
        Self {
            idle: IdlePolicy::default(),
            draft_hours: 24,
            retention: RetentionPolicy::default(),
            limits: LimitPolicy::default(),
            rectification: RectificationPolicy::default(),
            rollout: vec![
                ring("first", RingSize::Terminals(1), 30),
                ring("ten", RingSize::Terminals(10), 60),
                Ring { success_percent: 95, ..ring("all", RingSize::All(AllTerminals::All), 1_440) },
            ],
            back_by_itself: false,
            stale: StalePolicy::default(),
            grace_days: 7,
            review: ReviewPolicy::default(),
            approval: ApprovalPolicy::default(),
        }
    }
}

/// What is off is not written: versions that were published without it keep their digest.
#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde asks for
fn is_off(switch: &bool) -> bool {
    !*switch
}

/// As [`is_off`], of a number.
#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde asks for
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for IdlePolicy {
    fn default() -> Self {
        Self {
            wait_seconds: 60,
            countdown_seconds: 20,
            slip_wait_seconds: 30,
            elder_wait_seconds: 180,
            elder_countdown_seconds: 45,
            longest_visit_minutes: 30,
        }
    }
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self { receipt_days: 90, closed_case_days: 3_650 }
    }
}

impl Default for LimitPolicy {
    fn default() -> Self {
        Self { scan_pages: 10, scan_page_kib: 2_048, photo_kib: 500 }
    }
}

impl Default for RectificationPolicy {
    fn default() -> Self {
        Self { contact_days: 1, simple_days: 5, complex_days: 15 }
    }
}

impl Default for ReviewPolicy {
    fn default() -> Self {
        Self { merge_minutes: 30, supplement_days: 10 }
    }
}

impl ReviewPolicy {
    // What says nothing new is not written, as `is_off`.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self { wait_minutes: 60, reservation_minutes: 30, name_authority: 630_100 }
    }
}

impl ApprovalPolicy {
    // As `ReviewPolicy::is_default`.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for StalePolicy {
    fn default() -> Self {
        Self { after_hours: 72, otherwise: StaleAction::Warn, items: BTreeMap::new() }
    }
}

impl StalePolicy {
    /// What an old catalogue allows of an item or bundle.
    pub fn action(&self, code: &ItemCode) -> StaleAction {
        self.items.get(code).copied().unwrap_or(self.otherwise)
    }
}

/// Each number in its range, and the rings in an order in which each is larger than the one before.
pub(super) fn check(policies: &Policies, report: &mut Report) {
    let Policies { idle, retention, limits, rectification, .. } = policies;
    let numbers: [(&str, u16, (u16, u16)); 21] = [
        ("idle.wait_seconds", idle.wait_seconds, (15, 600)),
        ("idle.countdown_seconds", idle.countdown_seconds, (10, 120)),
        ("idle.slip_wait_seconds", idle.slip_wait_seconds, (15, 600)),
        ("idle.elder_wait_seconds", idle.elder_wait_seconds, (60, 900)),
        ("idle.elder_countdown_seconds", idle.elder_countdown_seconds, (20, 120)),
        ("idle.longest_visit_minutes", idle.longest_visit_minutes, (10, 120)),
        ("draft_hours", policies.draft_hours, (1, 72)),
        ("retention.receipt_days", retention.receipt_days, (30, 730)),
        ("retention.closed_case_days", retention.closed_case_days, (30, 36_500)),
        ("limits.scan_pages", limits.scan_pages, (1, 50)),
        ("limits.scan_page_kib", limits.scan_page_kib, (64, 8_192)),
        ("limits.photo_kib", limits.photo_kib, (16, 4_096)),
        ("rectification.contact_days", rectification.contact_days, (1, 30)),
        ("rectification.simple_days", rectification.simple_days, (1, 60)),
        ("rectification.complex_days", rectification.complex_days, (1, 120)),
        ("stale.after_hours", policies.stale.after_hours, (1, 2_160)),
        ("grace_days", policies.grace_days, (0, 90)),
        ("review.merge_minutes", policies.review.merge_minutes, (0, 1_440)),
        ("review.supplement_days", policies.review.supplement_days, (1, 60)),
        ("approval.wait_minutes", policies.approval.wait_minutes, (0, 1_440)),
        ("approval.reservation_minutes", policies.approval.reservation_minutes, (1, 1_440)),
    ];
    for (field, value, (least, most)) in numbers {
        if !(least..=most).contains(&value) {
            report.wrong(field, format!("{value} is not from {least} to {most}"));
        }
    }
    let region = (100_000..=999_999).contains(&policies.approval.name_authority);
    report.expect(region, "approval.name_authority", "a region code of six digits");
    rings(&policies.rollout, report);
}

fn rings(rings: &[Ring], report: &mut Report) {
    report.expect((1..=10).contains(&rings.len()), "rollout", "1 to 10 rings");
    let mut before = Some(0);
    for (at, ring) in rings.iter().enumerate() {
        let field = |name: &str| format!("rollout[{at}].{name}");
        let repeated = rings[..at].iter().any(|other| other.id == ring.id);
        let good_id = (1..=20).contains(&ring.id.chars().count()) && !repeated;
        report.expect(good_id, &field("id"), "1 to 20 characters, each ring another");
        let size = match ring.size {
            RingSize::Terminals(size) => Some(size),
            RingSize::All(_) => None,
        };
        let larger = match (before, size) {
            (Some(before), Some(size)) => size > before,
            (Some(_), None) => true,
            (None, _) => false,
        };
        report.expect(larger, &field("size"), "must be larger than the ring before");
        before = size;
        let share = 1..=100;
        report.expect(share.contains(&ring.success_percent), &field("success_percent"), "1 to 100");
        report.expect(share.contains(&ring.failure_percent), &field("failure_percent"), "1 to 100");
        let deadline = (1..=43_200).contains(&ring.deadline_minutes);
        report.expect(deadline, &field("deadline_minutes"), "1 to 43200, which is 30 days");
        let watched = ring.watch_minutes <= 10_080;
        report.expect(watched, &field("watch_minutes"), "0 to 10080, which is 7 days");
    }
    report.expect(before.is_none(), "rollout", "the last ring must be `all`");
}
