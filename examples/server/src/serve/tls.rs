//! TLS of the listener: certificate and key from PEM files.

use crate::config::TlsConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// An acceptor that offers HTTP/2 and HTTP/1.1.
///
/// # Errors
/// Which file is at fault and why; holds nothing of its contents.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, String> {
    let cert = config.cert.display();
    let certs: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(&config.cert).and_then(Iterator::collect);
    let certs = certs.map_err(|e| format!("the certificate {cert} cannot be read: {e}"))?;
    if certs.is_empty() {
        return Err(format!("the file {cert} holds no certificate in PEM form"));
    }
    let key = config.key.display();
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|e| format!("the private key {key} cannot be read: {e}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .map_err(|e| format!("certificate and key do not fit: {e}"))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}
