//! The floor of `ingest`: axum and one SQLite writer that commits in groups, nothing else. 201 only after COMMIT.
//!
//! Usage: `floor-ingest DATABASE --ready-file FILE`. It keeps 4 KiB of each body as they came. Refuses to check
//! anything: it is what the machine allows, not what the product needs.
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// Rows that share one COMMIT, at most.
const MAX_GROUP: usize = 256;
/// Requests that may wait for the writer.
const MAX_WAITING: usize = 1_024;
/// Bytes of a body that are kept.
const KEPT_BYTES: usize = 4_096;

type Work = (Bytes, oneshot::Sender<bool>);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [database, _, ready] = arguments.as_slice() else { anyhow::bail!("DATABASE --ready-file FILE") };
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE row_ (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let (queue, work) = sync_channel(MAX_WAITING);
    std::thread::Builder::new().name("writer".into()).spawn(move || write(&connection, &work))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let temporary = ready.with_extension("tmp");
    std::fs::write(&temporary, format!("{{\"terminals\":\"http://{address}\"}}"))?;
    std::fs::rename(&temporary, ready).context("the ready file")?;
    let router = Router::new().route("/api/v1/envelopes", post(take)).with_state(queue);
    let listener = listener.tap_io(|stream| {
        // As the server does: small answers do not wait for more to be sent with them.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.map_err(Into::into)
}

async fn take(State(queue): State<SyncSender<Work>>, body: Bytes) -> StatusCode {
    let (answer, answered) = oneshot::channel();
    if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send((body, answer)) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if answered.await == Ok(true) { StatusCode::CREATED } else { StatusCode::INTERNAL_SERVER_ERROR }
}

fn write(connection: &Connection, work: &Receiver<Work>) {
    while let Ok(first) = work.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(next) = work.try_recv()
        {
            group.push(next);
        }
        let committed = commit(connection, &group).is_ok();
        for (_, answer) in group {
            // A client that went away hears nothing.
            let _ = answer.send(committed);
        }
    }
}

fn commit(connection: &Connection, group: &[Work]) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut insert = connection.prepare_cached("INSERT INTO row_ (body) VALUES (?1)")?;
    for (body, _) in group {
        insert.execute([&body[..body.len().min(KEPT_BYTES)]])?;
    }
    connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}
