//! One connection to PostgreSQL, driven from a thread: every call has an end, whether the other side speaks or not.
//!
//! The client library is asynchronous. Each connection has a small runtime of its own on the thread that uses it, so
//! that a call can be given up: a database that accepts and then says nothing is as good as none.
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, Error, NoTls, Row, Statement};

use super::address::Address;
use super::errors::{failed, not_connected, silent};
use super::tls;
use crate::store::StoreError;

/// Time for saying goodbye.
const END_TIME: Duration = Duration::from_millis(500);

/// A connection. Unusable after an error that says [`StoreError::Unreachable`].
pub(super) struct Session {
    client: Client,
    carrier: JoinHandle<()>,
    runtime: Runtime,
}

impl Session {
    /// Makes a connection: name, network, TLS and sign-in together within the time of the address.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] if nobody answers there, [`StoreError::Open`] if this server is not let in or
    /// cannot trust who answers.
    pub(super) fn connect(address: &Address) -> Result<Self, StoreError> {
        let tls = if address.wants_tls() { Some(tls::connector(address.root.as_deref())?) } else { None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| StoreError::Failed(Box::new(e)))?;
        let config = &address.config;
        let joined = runtime.block_on(async {
            let join = async {
                Ok::<_, Error>(match tls {
                    Some(tls) => carried(config.connect(tls).await?),
                    None => carried(config.connect(NoTls).await?),
                })
            };
            timeout(address.connect, join).await
        });
        let (client, carrier) = joined.map_err(|_| silent(address.connect))?.map_err(not_connected)?;
        Ok(Self { client, carrier, runtime })
    }

    /// Whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    /// [`StoreError`] as the database says, or that it says nothing; so do all below.
    pub(super) fn batch(&self, sql: &str, limit: Duration) -> Result<(), StoreError> {
        self.within(limit, self.client.batch_execute(sql))
    }

    /// Prepares a statement.
    pub(super) fn prepare(&self, sql: &str, limit: Duration) -> Result<Statement, StoreError> {
        self.within(limit, self.client.prepare(sql))
    }

    /// Runs a prepared statement; gives the number of rows it changed.
    pub(super) fn execute(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        limit: Duration,
    ) -> Result<u64, StoreError> {
        self.within(limit, self.client.execute(statement, parameters))
    }

    /// Runs a prepared query.
    pub(super) fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        limit: Duration,
    ) -> Result<Vec<Row>, StoreError> {
        self.within(limit, self.client.query(statement, parameters))
    }

    /// Ends the connection in order, so that the database need not find out by itself.
    pub(super) fn close(self) {
        let Self { client, carrier, runtime } = self;
        drop(client);
        let _ = runtime.block_on(async { timeout(END_TIME, carrier).await });
    }

    fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        match self.runtime.block_on(async { timeout(limit, work).await }) {
            Ok(done) => done.map_err(failed),
            Err(_) => Err(silent(limit)),
        }
    }
}

/// Leaves the carrying of messages to the runtime, which does it whenever a call runs.
fn carried<S, T>((client, connection): (Client, Connection<S, T>)) -> (Client, JoinHandle<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let carrier = tokio::spawn(async move {
        if let Err(e) = connection.await {
            tracing::debug!(error = &e as &dyn std::error::Error, "a connection to the database ended");
        }
    });
    (client, carrier)
}
