//! Serves the connections of a listener over HTTP/1.1, with a limit on the head of a request in bytes, lines and
//! time, and stops in order.
//!
//! Refuses a head that does not end: it is the time of the whole head that counts, so that a caller who sends a byte
//! now and then is let go like one who sends none. Bodies and answers are bounded by the guard.
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::bare::Dressed;
use super::tls::{Link, Tls};

/// Time for a whole head, and for the wait before it on a connection that is kept.
pub const HEAD_TIME: Duration = Duration::from_secs(30);
/// Bytes of a head, its first line included.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Lines of a head.
pub const MAX_HEADERS: usize = 100;

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// How long a head may take, and whether TLS lies below it.
#[derive(Clone)]
pub struct Terms {
    /// Time for a whole head, a handshake before it included.
    pub head_time: Duration,
    /// TLS, if it is spoken.
    pub tls: Option<Tls>,
}

impl Terms {
    /// Plain HTTP with the usual times.
    pub const PLAIN: Self = Self { head_time: HEAD_TIME, tls: None };
}

/// Serves until `until` is ready; requests in hand are finished then.
pub async fn serve<L>(listener: L, router: Router, terms: Terms, until: impl Future<Output = ()>)
where
    L: Listener<Addr = SocketAddr>,
{
    let mut listener = listener;
    let mut until = pin!(until);
    let connections = GracefulShutdown::new();
    // Nobody says anything on it: it ends when no more connections are taken.
    let (taking, taken) = watch::channel(());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(terms.head_time)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut until => break,
        };
        let served =
            Served { http: http.clone(), router: router.clone(), peer, watcher: connections.watcher() };
        let Some(tls) = terms.tls.clone() else {
            tokio::spawn(served.speak(stream, Link::Plain));
            continue;
        };
        let (mut ended, head_time) = (taken.clone(), terms.head_time);
        tokio::spawn(async move {
            let met = tokio::select! {
                met = tokio::time::timeout(head_time, tls.meet(stream)) => met,
                _ = ended.changed() => return,
            };
            match met {
                Ok(Ok((stream, link))) => served.speak(stream, link).await,
                Ok(Err(e)) => {
                    tracing::info!(error = &e as &dyn std::error::Error, "a caller was not met: TLS");
                }
                Err(_) => tracing::debug!("a caller was too slow for TLS"),
            }
        });
    }
    drop((listener, taking));
    connections.shutdown().await;
}

/// What a connection is served with.
struct Served {
    http: http1::Builder,
    router: Router,
    peer: SocketAddr,
    watcher: Watcher,
}

impl Served {
    async fn speak<S>(self, stream: S, link: Link)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { http, router, peer, watcher } = self;
        let service = router.map_request(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(link.clone());
            request
        });
        let stream = TokioIo::new(Dressed::new(stream));
        let connection = http.serve_connection(stream, TowerToHyperService::new(service));
        // A caller that breaks off or is too slow is no concern of ours.
        if let Err(e) = watcher.watch(connection).await {
            tracing::debug!(error = &e as &dyn std::error::Error, "a connection ended badly");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::super::listener::CappedListener;
    use super::*;

    const HEAD_TIME_OF_TESTS: Duration = Duration::from_millis(400);

    async fn started() -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = CappedListener::bind(address).await.expect("bound");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().route("/", get(async || "here"));
        let terms = Terms { head_time: HEAD_TIME_OF_TESTS, tls: None };
        let serving = tokio::spawn(serve(listener, router, terms, async {
            let _ = stopped.await;
        }));
        (address, stop, serving)
    }

    async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let _ = stream.write_all(bytes).await;
        let mut answer = vec![];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        let _ = read.expect("no hang");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_cut_although_bytes_come() {
        let (address, stop, serving) = started().await;
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let began = tokio::time::Instant::now();
        let drip = async {
            let mut ticks = tokio::time::interval(HEAD_TIME_OF_TESTS / 8);
            while stream.write_all(b"a").await.is_ok() {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), drip).await.expect("the connection is closed");
        assert!(began.elapsed() >= HEAD_TIME_OF_TESTS, "not before its time");
        drop(stop);
        serving.await.expect("it stops");
    }

    #[tokio::test]
    async fn heads_beyond_their_limits_are_answered_with_problems() {
        let (address, stop, serving) = started().await;
        let good = exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("here"), "{good}");
        let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(10_000));
        let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(MAX_HEAD_BYTES));
        let table = [
            (many.as_bytes(), "headers-too-large"),
            (long.as_bytes(), "headers-too-large"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "malformed-request"),
            (b"GET / HTTP/9.9\r\n\r\n", "malformed-request"),
            (b"GET / HTTP/1.1\r\nhost: \x00\r\n\r\n", "malformed-request"),
        ];
        for (bytes, code) in table {
            let answer = exchange(address, bytes).await;
            assert!(answer.contains(code) && answer.contains("application/problem+json"), "{code}: {answer}");
        }
        drop(stop);
        serving.await.expect("it stops");
    }
}
