//! Everything asynchronous that is not a handler: listeners, limits, the one shape of errors, start and stop.
mod accept;
mod bare;
mod bells;
pub mod budget;
mod connections;
pub mod cookie;
pub mod device_gate;
pub mod etag;
mod figures;
pub mod gate;
mod guard;
mod listener;
pub mod memory;
pub mod problem;
mod serve;
pub mod tls;
mod turns;

use std::sync::Arc;

pub use bells::{Bells, Woken};
pub use budget::{Budgets, Callers};
pub use connections::{MAX_HEAD_BYTES, MAX_HEADERS};
pub use guard::{Side, guard};
pub use serve::{ServeError, ServeOptions, serve};
pub use turns::{NoTurn, Turn, Turns};

use publishing::repository::Repository;
use tokio::sync::Semaphore;

use crate::bank_mark::BankMark;
use crate::carriers::Carriers;
use crate::centre::Centre;
use crate::typefaces::Typefaces;
use crate::uploads::Uploads;

/// Supplements that are taken from phones at once: each is a body in memory, and pictures that are decoded.
pub const PHONES: usize = 4;

/// What handlers share.
#[derive(Clone)]
pub struct App {
    /// The centre.
    pub centre: Arc<Centre>,
    /// Who waits for news.
    pub bells: Arc<Bells>,
    /// Who has called how often.
    pub callers: Arc<Callers>,
    /// What the gate and the sign-in page share.
    pub door: Arc<gate::Door>,
    /// The signed catalogues.
    pub signed: Repository,
    /// Pages and photos, whole ones and those on their way.
    pub uploads: Arc<Uploads>,
    /// Whose turn it is to send bytes of them.
    pub turns: Arc<Turns>,
    /// Whose photos are taken from phones now.
    pub phones: Arc<Semaphore>,
    /// The bank's picture, if it gave one.
    pub mark: Option<Arc<BankMark>>,
    /// The file with the settings of the payment gateway.
    pub gateway: Arc<std::path::Path>,
    /// Where the register of other regions lies.
    pub partners: crate::partners::Place,
    /// Fonts of the pages that are made as PDF.
    pub typefaces: Arc<Typefaces>,
    /// Who carries parcels.
    pub carriers: Arc<Carriers>,
}
