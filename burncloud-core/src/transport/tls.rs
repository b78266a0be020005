//! TLS towards providers: rustls with the public certificate authorities, plus those the embedder trusts.

use super::connect::ConnectError;
use super::stream::Stream;
use std::sync::{Arc, OnceLock, RwLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

static EXTRA: RwLock<Vec<CertificateDer<'static>>> = RwLock::new(Vec::new());
static CONNECTOR: OnceLock<Result<TlsConnector, String>> = OnceLock::new();

/// Trusts a certificate authority (DER) beside the public ones, for every connection of this process that
/// is opened later. Returns `false` when it came too late: a TLS connection was already opened.
pub fn trust(authority: Vec<u8>) -> bool {
    if CONNECTOR.get().is_some() {
        return false;
    }
    EXTRA.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(authority.into());
    true
}

fn connector() -> Result<&'static TlsConnector, ConnectError> {
    let made = CONNECTOR.get_or_init(|| {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for extra in EXTRA.read().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            roots.add(extra.clone()).map_err(|e| e.to_string())?;
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    });
    made.as_ref().map_err(|why| ConnectError::Tls(why.clone()))
}

pub(super) async fn handshake(host: &str, tcp: TcpStream) -> Result<Stream, ConnectError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|e| ConnectError::Tls(e.to_string()))?;
    let stream = connector()?.connect(name, tcp).await.map_err(|e| ConnectError::Tls(e.to_string()))?;
    Ok(Stream::Tls(Box::new(stream)))
}
