//! HTTP/1.1 to an object store, without TLS, bounded in time and size. Follows no redirect and knows no proxy.
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use domain::wire::v1::uploads::MAX_BLOB_BYTES;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};

/// One exchange.
const EXCHANGE_TIME: Duration = Duration::from_secs(15);
/// An answer: a blob, or a page of XML.
const MAX_ANSWER_BYTES: usize = MAX_BLOB_BYTES as usize + 64 * 1024;

/// Makes clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainHttp;

impl HttpConnector for PlainHttp {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Caller(Client::builder(TokioExecutor::new()).build_http())))
    }
}

#[derive(Debug)]
struct Caller(Client<TcpConnector, HttpRequestBody>);

#[async_trait::async_trait]
impl HttpService for Caller {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = async {
            let answer = self.0.request(request).await;
            let answer = answer.map_err(|e| {
                let kind = if e.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
                HttpError::new(kind, e)
            })?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|e| HttpError::new_boxed(HttpErrorKind::Interrupted, e))?;
            Ok::<_, HttpError>((head, body.to_bytes()))
        };
        let exchanged = tokio::time::timeout(EXCHANGE_TIME, exchange).await;
        let (head, body) = exchanged.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))??;
        Ok(HttpResponse::from_parts(head, whole(body)))
    }
}

fn whole(bytes: Bytes) -> HttpResponseBody {
    HttpResponseBody::new(Full::new(bytes).map_err(|never: Infallible| match never {}))
}
