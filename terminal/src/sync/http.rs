//! The real transport: HTTP over TLS with zstd in both directions. The only file that names `reqwest`.
//!
//! Plain HTTP is spoken with this machine only, and never by a terminal that has a certificate. No redirect is followed
//! and no proxy of the environment is used.
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::wire::v1::uploads::{OFFSET_OCTETS, TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_OFFSET};
use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Url};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::tls::{self, Trouble, Trust};
use super::transport::{
    HangUp, Head, MAX_RESPONSE_BYTES, Method, Request, Response, Sink, Transport, TransportError,
    UploadAnswer, UploadCall, UploadStep,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Bodies under this size are not worth compressing.
const COMPRESS_FROM_BYTES: usize = 512;

/// HTTP to one server, on a runtime of its own that only this thread drives.
pub struct HttpTransport {
    base: Url,
    client: Client,
    runtime: Runtime,
    trust: Trust,
    /// How often the certificate had been renewed when the client was made.
    renewals: u64,
    gone: Arc<watch::Sender<bool>>,
}

impl HttpTransport {
    /// A transport to the server's terminal listener, such as `https://127.0.0.1:8470`, which trusts whom it is told.
    ///
    /// # Errors
    /// [`TransportError::BadAddress`] if the address is no http(s) URL or has a path; [`TransportError::NotSecure`] if
    /// it is plain HTTP and must not be, or TLS and nobody is trusted; [`TransportError::Unreachable`] if no client can
    /// be made on this machine.
    pub fn new(base_url: &str, trust: &Trust) -> Result<Self, TransportError> {
        let base = server_address(base_url).ok_or(TransportError::BadAddress)?;
        let plain = base.scheme() == "http";
        if plain && (matches!(trust, Trust::Pinned(_)) || !is_this_machine(&base)) {
            return Err(TransportError::NotSecure);
        }
        if !plain && matches!(trust, Trust::Nobody) {
            return Err(TransportError::NotSecure);
        }
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|_| TransportError::Unreachable)?;
        let renewals = renewals(trust);
        Ok(Self {
            base,
            client: client(trust)?,
            runtime,
            trust: trust.clone(),
            renewals,
            gone: Arc::default(),
        })
    }
}

fn client(trust: &Trust) -> Result<Client, TransportError> {
    let config = tls::client_config(trust).map_err(|_| TransportError::Unreachable)?;
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(config)
        .user_agent(concat!("jinban-terminal/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| TransportError::Unreachable)
}

fn renewals(trust: &Trust) -> u64 {
    if let Trust::Pinned(credentials) = trust { credentials.renewals() } else { 0 }
}

/// Whether a text names a server: a host, no path and no query; https, or http on this machine.
pub fn is_server_address(text: &str) -> bool {
    server_address(text).is_some_and(|base| base.scheme() == "https" || is_this_machine(&base))
}

fn is_this_machine(base: &Url) -> bool {
    let Some(host) = base.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

fn server_address(text: &str) -> Option<Url> {
    let base = Url::parse(text).ok()?;
    let fits = matches!(base.scheme(), "http" | "https")
        && base.host_str().is_some()
        && base.path() == "/"
        && base.query().is_none()
        && base.fragment().is_none();
    fits.then_some(base)
}

impl HttpTransport {
    /// An address of this server and of no other; over connections that show the certificate in force.
    fn address(&mut self, path_and_query: &str) -> Result<Url, TransportError> {
        let renewals = renewals(&self.trust);
        if renewals != self.renewals {
            // Connections that are open show the certificate from before, or none.
            self.client = client(&self.trust)?;
            self.renewals = renewals;
        }
        let url = self.base.join(path_and_query).map_err(|_| TransportError::BadAddress)?;
        if url.origin() == self.base.origin() { Ok(url) } else { Err(TransportError::BadAddress) }
    }

    fn prepare(&mut self, request: &Request) -> Result<RequestBuilder, TransportError> {
        let url = self.address(&request.path_and_query)?;
        let mut builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json");
            builder = match compressed(body) {
                Some(small) => builder.header(CONTENT_ENCODING, "zstd").body(small),
                None => builder.body(body.clone()),
            };
        }
        Ok(builder)
    }
}

impl Transport for HttpTransport {
    fn hang_up(&self) -> Option<HangUp> {
        let gone = Arc::clone(&self.gone);
        Some(Arc::new(move || {
            gone.send_replace(true);
        }))
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        let builder = self.prepare(request)?;
        let mut gone = self.gone.subscribe();
        let answer = self.runtime.block_on(async {
            tokio::select! {
                _ = gone.wait_for(|gone| *gone) => Err(TransportError::Unreachable),
                answer = receive(builder) => answer,
            }
        });
        self.note(&answer);
        answer
    }

    fn upload(&mut self, call: &UploadCall) -> Result<UploadAnswer, TransportError> {
        let url = self.address(&call.path_and_query)?;
        let mut builder = match &call.step {
            UploadStep::Begin { length } => self.client.post(url).header(UPLOAD_LENGTH, *length),
            UploadStep::Ask => self.client.head(url),
            UploadStep::Add { offset, bytes } => self
                .client
                .patch(url)
                .header(UPLOAD_OFFSET, *offset)
                .header(CONTENT_TYPE, OFFSET_OCTETS)
                .body(bytes.clone()),
        };
        builder = builder.header(TUS_RESUMABLE, TUS_VERSION);
        for (name, value) in &call.headers {
            builder = builder.header(*name, value);
        }
        let answered = self.runtime.block_on(async {
            let answer = builder.send().await.map_err(|e| transport_error(&e))?;
            let text =
                |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            let content_type = text(CONTENT_TYPE.as_str()).unwrap_or_default();
            Ok(UploadAnswer {
                status: answer.status().as_u16(),
                content_type: content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
                version: text(TUS_RESUMABLE),
                retry_after_secs: text(RETRY_AFTER.as_str()).and_then(|v| v.trim().parse().ok()),
                location: text("location"),
                offset: text(UPLOAD_OFFSET).and_then(|v| v.parse().ok()),
            })
        });
        self.note(&answered);
        answered
    }

    fn download(&mut self, request: &Request, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let builder = self.prepare(request)?;
        let poured = self.runtime.block_on(pour(builder, sink));
        self.note(&poured);
        poured
    }
}

impl HttpTransport {
    /// What the centre says of this terminal's certificate holds for all its links.
    fn note<T>(&self, answer: &Result<T, TransportError>) {
        if let (Err(TransportError::Untrusted(Trouble::OwnExpired)), Trust::Pinned(credentials)) =
            (answer, &self.trust)
        {
            credentials.note_ended();
        }
    }
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < COMPRESS_FROM_BYTES {
        return None;
    }
    zstd::bulk::compress(body, 3).ok().filter(|small| small.len() < body.len())
}

async fn receive(builder: RequestBuilder) -> Result<Response, TransportError> {
    let mut answer = builder.send().await.map_err(|e| transport_error(&e))?;
    let text = |name| answer.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let content_type = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default();
    let mut response = Response {
        status: answer.status().as_u16(),
        content_type: content_type.trim().to_ascii_lowercase(),
        retry_after_secs: text(RETRY_AFTER).and_then(|v| v.trim().parse().ok()),
        body: Vec::new(),
    };
    while let Some(chunk) = answer.chunk().await.map_err(|e| transport_error(&e))? {
        if response.body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(TransportError::TooLarge);
        }
        response.body.extend_from_slice(&chunk);
    }
    Ok(response)
}

async fn pour(builder: RequestBuilder, sink: &mut dyn Sink) -> Result<(), TransportError> {
    let mut answer = builder.send().await.map_err(|e| transport_error(&e))?;
    let range = answer.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok());
    let head = Head { status: answer.status().as_u16(), content_range: range.map(str::to_owned) };
    if !sink.head(&head) {
        return Ok(());
    }
    while let Some(chunk) = answer.chunk().await.map_err(|e| transport_error(&e))? {
        if !sink.piece(&chunk) {
            break;
        }
    }
    Ok(())
}

fn transport_error(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    tls::trouble(error).map_or(TransportError::Unreachable, TransportError::Untrusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_addresses_are_refused() {
        for bad in
            ["", "127.0.0.1:8470", "ftp://127.0.0.1", "http://", "file:///etc/passwd", "http://127.0.0.1/b?c"]
        {
            assert_eq!(
                HttpTransport::new(bad, &Trust::Nobody).err(),
                Some(TransportError::BadAddress),
                "{bad}"
            );
        }
        for here in ["http://127.0.0.1:8470", "http://[::1]:8470", "http://localhost:1"] {
            assert!(HttpTransport::new(here, &Trust::Nobody).is_ok() && is_server_address(here), "{here}");
        }
        let elsewhere =
            ["http://192.0.2.1", "http://centre.example", "http://127.0.0.1.example", "http://0.0.0.0"];
        for plain in elsewhere {
            assert_eq!(
                HttpTransport::new(plain, &Trust::Nobody).err(),
                Some(TransportError::NotSecure),
                "{plain}"
            );
            assert!(!is_server_address(plain), "{plain}");
        }
        assert!(is_server_address("https://centre.example:8470"));
        let nobody = HttpTransport::new("https://centre.example", &Trust::Nobody);
        assert_eq!(nobody.err(), Some(TransportError::NotSecure), "who trusts nobody sends nothing");
    }

    #[test]
    fn a_long_wait_is_broken_off() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let mut t = HttpTransport::new(&address, &Trust::Nobody).expect("transport");
        let hang_up = t.hang_up().expect("it can");
        let request =
            Request { method: Method::Get, path_and_query: "/x".to_owned(), headers: Vec::new(), body: None };
        let began = std::time::Instant::now();
        let waiting = std::thread::spawn(move || (t.exchange(&request), t.exchange(&request)));
        // Somebody who takes the call and never answers.
        let taken = listener.accept().expect("a call");
        hang_up();
        let gone = Err(TransportError::Unreachable);
        assert_eq!(waiting.join().expect("ends"), (gone.clone(), gone), "now and from now on");
        assert!(began.elapsed() < TOTAL_TIMEOUT / 2);
        drop(taken);
    }

    #[test]
    fn a_path_cannot_lead_to_another_server() {
        let mut t = HttpTransport::new("http://127.0.0.1:9", &Trust::Nobody).expect("transport");
        let request = Request {
            method: Method::Get,
            path_and_query: "//198.51.100.1/x".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        assert_eq!(t.exchange(&request), Err(TransportError::BadAddress));
    }
}
