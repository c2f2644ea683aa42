//! 缴费 at the centre: bills, what is paid on them and what goes back, each written in the transaction of the action that it
//! belongs to.
//!
//! A bill is the fold of its stored events (`domain::money`); its row and those of its refunds are projections. Refuses to
//! know the gateway: `jobs::payments` speaks with it and tells what came of it. Holds no card number and no payer.
mod arrivals;
mod asking;
mod check;
mod list;
mod notices;
mod people;
mod reconcile;
mod rows;
mod work;

pub use arrivals::{Arrival, Taken, Way, take};
pub use asking::{follow, prepare};
pub use check::{of_case as check_case, strays as check_strays};
pub use list::{Counts, Listed, PAGE, Query, Shown, counts, named_by, needs, of_case, page, refunds_of};
pub use notices::{Notice, tell};
pub use people::{give_back, retry};
pub use reconcile::{Difference, FileLine, MAX_FILE_BYTES, Side, compare, read_file};
pub use rows::{BillRow, find};
pub use work::{
    BillDue, GRACE_MS, LONGEST_WAIT_MS, RefundDue, closed, due_bills, due_refunds, lapse, next_question,
    ordered, overdue_bills, put_off, put_off_refund, refund_done, refund_failed,
};

/// The only currency of bills.
pub const CURRENCY: &str = "CNY";
