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

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn written(dir: &std::path::Path) -> (TlsConfig, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let config = TlsConfig { cert: dir.join("cert.pem"), key: dir.join("key.pem") };
        std::fs::write(&config.cert, made.cert.pem()).unwrap();
        std::fs::write(&config.key, made.signing_key.serialize_pem()).unwrap();
        (config, made.cert.der().clone())
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_certificate_gets_http2() {
        let dir = tempfile::tempdir().unwrap();
        let (config, cert) = written(dir.path());
        let acceptor = acceptor(&config).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(cert).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider);
        let client = client.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut client = client.with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec()];
        let (here, there) = tokio::io::duplex(4096);
        let server = tokio::spawn(async move {
            let mut stream = acceptor.accept(there).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
            stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
        });
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
        let mut stream = connector.connect(name, here).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!((said.as_str(), server.await.unwrap()), ("hello", Some(b"h2".to_vec())));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (config, _) = written(dir.path());
        let error = |config: TlsConfig| acceptor(&config).err().unwrap();
        let swapped = TlsConfig { cert: config.key.clone(), key: config.cert.clone() };
        assert!(error(swapped).contains("holds no certificate"));
        let no_key = TlsConfig { key: config.cert.clone(), ..config.clone() };
        assert!(error(no_key).contains("the private key"));
        let elsewhere = tempfile::tempdir().unwrap();
        let (other, _) = written(elsewhere.path());
        let mixed = TlsConfig { key: other.key, ..config };
        assert!(error(mixed).contains("do not fit"));
    }
}
