//! Certificates for tests.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Creates a certificate authority (`ca.pem`), and certificates signed by it: for a server on this machine (`server.pem`, with its
/// key) and for its clients (`client.pem`, `client.key`).
pub(crate) fn certificates(directory: &Path) -> anyhow::Result<()> {
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text);
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "test authority");
    let authority_key = KeyPair::generate()?;
    write("ca.pem", authority.self_signed(&authority_key)?.pem())?;
    let issuer = Issuer::new(authority, authority_key);
    for name in ["server", "client"] {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;
        let key = key.serialize_pem();
        if name == "server" {
            // In one file, as Kafka requires.
            write("server.pem", format!("{key}{}", certificate.pem()))?;
        } else {
            write("client.pem", certificate.pem())?;
            write("client.key", key)?;
        }
    }
    Ok(())
}
