//! The way to a provider that is really used: TLS, and TLS through an HTTP proxy.

#![cfg(feature = "tls")]
#![allow(
    clippy::unwrap_used,
    reason = "in a test an unwrap is the assertion; clippy exempts only functions marked as tests"
)]

use burncloud_core::Body;
use burncloud_core::transport::{Origin, SendError, Upstream, trust};
use http::Request;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A provider with a certificate for `localhost` that this process trusts, and one that it does not.
async fn provider(trusted: bool) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    if trusted {
        assert!(trust(certificate.to_vec()), "no TLS connection was opened yet");
    }
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                let mut bytes = [0; 4096];
                while matches!(stream.read(&mut bytes).await, Ok(n) if n > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
                }
            });
        }
    });
    port
}

/// An HTTP proxy that knows `CONNECT` and counts it.
async fn proxy() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(tcp.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap();
                let mut onward = TcpStream::connect(target).await.unwrap();
                counted.fetch_add(1, SeqCst);
                tcp.write_all(b"HTTP/1.1 200 Connection established\r\nx: y\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut tcp, &mut onward).await;
            });
        }
    });
    (port, count)
}

async fn ask(port: u16, proxy: Option<u16>) -> Result<String, SendError> {
    let base = format!("https://localhost:{port}").parse().unwrap();
    let proxy = proxy.map(|port| format!("http://127.0.0.1:{port}"));
    let upstream = Upstream::new(Origin::new(&base, proxy.as_deref()).unwrap());
    for _ in 0..2 {
        let mut request = Request::post("/v1/x").body(Body::from("{}")).unwrap();
        request.headers_mut().insert("host", upstream.origin().authority().parse().unwrap());
        let response = upstream.send(request, Duration::from_secs(5)).await?;
        let body = Body::from(response.into_body()).collect().await.unwrap().to_bytes();
        assert_eq!(body, "secret");
        assert_eq!(upstream.idle(), 1, "the connection is kept");
    }
    Ok("secret".to_owned())
}

/// One test, because what is trusted is settled with the first connection of a process.
#[tokio::test]
async fn providers_are_reached_over_tls_and_through_a_proxy_and_never_without_a_certificate() {
    let (known, stranger) = (provider(true).await, provider(false).await);
    assert_eq!(ask(known, None).await.unwrap(), "secret");
    let (proxy, tunnels) = proxy().await;
    assert_eq!(ask(known, Some(proxy)).await.unwrap(), "secret");
    assert_eq!(tunnels.load(SeqCst), 1);
    let refused = ask(stranger, None).await.unwrap_err();
    assert!(refused.to_string().starts_with("tls: "), "{refused}");
}
