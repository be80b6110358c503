//! TLS: the certificate and its key, from PEM files.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, crypto};

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM file.
    #[error("reading {0}: {1}")]
    File(String, pem::Error),
    /// The certificate and the key do not fit together.
    #[error("the certificate and its key cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
}

/// TLS as it is offered.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate chain as PEM. Clients bind their password's proof to it, so that nobody can stand between.
    pub(crate) certificate: Arc<[u8]>,
}

/// Offers TLS with this certificate chain and key.
pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |error| TlsError::File(path, error)
    };
    let pem = std::fs::read(certificate)
        .map_err(pem::Error::Io)
        .map_err(unreadable(certificate))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
    // For clients that begin with TLS instead of asking for it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        certificate: pem.into(),
    })
}
