//! A payment gateway that is none: a SIMULATOR on a loopback port that speaks the protocol of `sync_server::gateway`. No money
//! moves, and its pages say so in big letters.
//!
//! Stories (and whoever shows the product) pay, pay short, over, twice and late, let it answer nonsense, go away, or lose its
//! call-backs. It calls back until it is answered with success, a bounded number of times.
mod calls;
mod pages;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use domain::money::Fen;
use serde_json::json;
use sync_server::gateway::{Order, RefundOrder, Told};

use crate::device::now_ms;

/// The key that it shares with the server.
pub const KEY: [u8; 32] = [0x5a; 32];
/// As whom it knows the server.
const MERCHANT: &str = "JINBAN-SAMPLE";
/// Between two tries of a call-back.
const AGAIN: Duration = Duration::from_millis(100);
/// Tries of one call-back.
const MOST_TRIES: u32 = 200;
/// Whatever a story waits for comes sooner.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It works.
    #[default]
    Honest,
    /// It closes every connection.
    Away,
    /// It answers with a page that means nothing.
    Nonsense,
    /// It signs with another key.
    OtherKey,
    /// It refuses refunds.
    NoRefunds,
    /// It works, and its call-backs are lost.
    NoCalls,
}

/// An order that it has.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// What was ordered.
    pub order: Order,
    /// Nobody should pay any more.
    pub closed: bool,
    /// What was paid.
    pub paid: Vec<Told>,
}

/// A call-back under way.
#[derive(Debug, Clone)]
struct Call {
    told: Told,
    url: String,
    tries: u32,
}

/// What became of a try of a call-back: the transaction, status and answer.
pub type Called = (String, u16, String);

#[derive(Default)]
struct State {
    orders: BTreeMap<String, Ordered>,
    refunds: BTreeMap<String, (RefundOrder, i64)>,
    manner: Manner,
    /// Where all call-backs go, instead of where their orders say: a server that was restarted has another port.
    calls_go_to: Option<String>,
    waiting: VecDeque<Call>,
    called: Vec<Called>,
    count: u64,
    ends: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    address: SocketAddr,
}

/// A running gateway.
pub struct PaymentGateway {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PaymentGateway {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// If it has no port.
    pub fn start() -> Result<Self> {
        Self::start_on("127.0.0.1:0")
    }

    /// Starts it on an address of this machine.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn start_on(address: &str) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        ensure!(address.ip().is_loopback(), "a simulator listens on loopback only");
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), address });
        let (answering, calling) = (shared.clone(), shared.clone());
        let threads = vec![
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if answering.state().ends {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let shared = answering.clone();
                    std::thread::spawn(move || drop(wire::serve(&shared, stream)));
                }
            }),
            std::thread::spawn(move || calls::call_back(&calling)),
        ];
        Ok(Self { shared, threads })
    }

    /// Its address, without a path.
    pub fn address(&self) -> String {
        self.shared.address.to_string()
    }

    /// Lets a server with this data folder use it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn serve_for(&self, data: &Path) -> Result<()> {
        let key: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        let (address, merchant) = (self.address(), MERCHANT);
        let settings = json!({ "address": address, "merchant": merchant, "key": key, "simulated": true });
        let (path, new) = (data.join(sync_server::gateway::FILE), data.join("payments.json.new"));
        std::fs::write(&new, settings.to_string())?;
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&new, &path)?;
        Ok(())
    }

    /// Does this from now on.
    pub fn set(&self, manner: Manner) {
        self.shared.state().manner = manner;
        self.shared.changed.notify_all();
    }

    /// All call-backs go to this server.
    pub fn calls_go_to(&self, base: &str) {
        self.shared.state().calls_go_to = Some(base.to_owned());
        self.shared.changed.notify_all();
    }

    /// Waits until something is so, or fails.
    ///
    /// # Errors
    /// After a minute.
    fn wait<T>(&self, what: &str, mut is: impl FnMut(&State) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shared.state();
        loop {
            if let Some(found) = is(&state) {
                return Ok(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last = state.called.last().map(|(transaction, status, _)| (transaction, status));
                bail!("the gateway waits for {what}; its last call was answered {last:?}");
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the server made so many orders; gives them.
    ///
    /// # Errors
    /// If it does not.
    pub fn orders(&self, count: usize) -> Result<Vec<Ordered>> {
        self.wait("an order", |state| {
            (state.orders.len() >= count).then(|| state.orders.values().cloned().collect())
        })
    }

    /// Somebody pays so much for an order, whatever it asks for; gives the number of the transaction.
    ///
    /// # Errors
    /// If there is no such order, or that is no amount.
    pub fn pay(&self, order: &str, fen: i64) -> Result<String> {
        let told = self.shared.state().paid(order, Fen::new(fen)?, "CNY")?;
        self.shared.changed.notify_all();
        Ok(told.transaction)
    }

    /// A payment that no order asked for, in a currency.
    ///
    /// # Errors
    /// If that is no amount.
    pub fn pay_astray(&self, order: &str, (fen, currency): (i64, &str), base: &str) -> Result<String> {
        let fen = Fen::new(fen)?;
        let mut state = self.shared.state();
        let told = state.told(order, fen, currency);
        let url = format!("{base}/payments/notify");
        state.waiting.push_back(Call { told: told.clone(), url, tries: 0 });
        drop(state);
        self.shared.changed.notify_all();
        Ok(told.transaction)
    }

    /// Calls back once more for a transaction that was told before, as gateways do.
    ///
    /// # Errors
    /// If there is no such transaction.
    pub fn call_again(&self, transaction: &str) -> Result<()> {
        let mut state = self.shared.state();
        let found = state.orders.values().find_map(|ordered| {
            let told = ordered.paid.iter().find(|told| told.transaction == transaction)?;
            Some((told.clone(), ordered.order.notify_url.clone()))
        });
        let Some((told, url)) = found else { bail!("no transaction {transaction}") };
        state.waiting.push_back(Call { told, url, tries: 0 });
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Waits until a call-back for a transaction was answered so often with success.
    ///
    /// # Errors
    /// If it was not.
    pub fn answered(&self, transaction: &str, times: usize) -> Result<()> {
        self.wait(transaction, |state| {
            let with = |called: &&Called| called.0 == transaction && called.1 == 200;
            (state.called.iter().filter(with).count() >= times).then_some(())
        })
    }

    /// Waits until a call-back for a transaction was answered with this status.
    ///
    /// # Errors
    /// If it was not.
    pub fn refused(&self, transaction: &str, status: u16) -> Result<String> {
        self.wait(transaction, |state| {
            let found = state.called.iter().find(|called| called.0 == transaction && called.1 == status);
            found.map(|called| called.2.clone())
        })
    }

    /// Waits until so many refunds are done; gives them by their numbers.
    ///
    /// # Errors
    /// If they are not.
    pub fn refunds(&self, count: usize) -> Result<BTreeMap<String, RefundOrder>> {
        self.wait("a refund", |state| {
            let all = || state.refunds.iter().map(|(number, (refund, _))| (number.clone(), refund.clone()));
            (state.refunds.len() >= count).then(|| all().collect())
        })
    }

    /// The file of a day, as it would send it at night: all that it did.
    pub fn file(&self) -> String {
        let state = self.shared.state();
        let mut text = "kind,number,order,fen,currency,paid_at_ms\n".to_owned();
        let mut by_transaction = BTreeMap::new();
        for told in state.orders.values().flat_map(|ordered| &ordered.paid) {
            let Told { transaction, order, fen, currency, paid_at_ms } = told;
            text.push_str(&format!("payment,{transaction},{order},{},{currency},{paid_at_ms}\n", fen.get()));
            by_transaction.insert(transaction.clone(), order.clone());
        }
        for (number, (refund, at_ms)) in &state.refunds {
            let order = by_transaction.get(&refund.transaction).cloned().unwrap_or_default();
            text.push_str(&format!("refund,{number},{order},{},CNY,{at_ms}\n", refund.fen.get()));
        }
        text
    }
}

impl Drop for PaymentGateway {
    fn drop(&mut self) {
        self.shared.state().ends = true;
        self.shared.changed.notify_all();
        // Wakes whoever waits for a connection.
        drop(TcpStream::connect(self.shared.address));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl State {
    fn told(&mut self, order: &str, fen: Fen, currency: &str) -> Told {
        self.count += 1;
        let at_ms = now_ms();
        // As long as those of real ones, and different in each run.
        let transaction = format!("SIM{at_ms}{:04}", self.count);
        Told { transaction, order: order.to_owned(), fen, currency: currency.to_owned(), paid_at_ms: at_ms }
    }

    fn paid(&mut self, order: &str, fen: Fen, currency: &str) -> Result<Told> {
        let told = self.told(order, fen, currency);
        let Some(ordered) = self.orders.get_mut(order) else { bail!("no order {order}") };
        ordered.paid.push(told.clone());
        let url = ordered.order.notify_url.clone();
        self.waiting.push_back(Call { told: told.clone(), url, tries: 0 });
        Ok(told)
    }
}
