//! Whose certificates count.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

/// Whom a client trusts.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// The authorities of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` are looked at).
    System,
    /// These authorities, in PEM.
    These(String),
    /// Whoever answers.
    Anybody,
}

/// A certificate that the client shows, with its chain, and the key, both in PEM.
pub(crate) struct Identity<'a> {
    /// The certificates.
    pub(crate) certificates: &'a str,
    /// The key.
    pub(crate) key: &'a str,
}

/// Settings of a client that trusts so and shows this.
///
/// # Errors
/// What is wrong with the certificates or the key, as the end of a sentence.
pub(crate) fn client(trust: &Trust, identity: Option<&Identity<'_>>) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let builder = match trust {
        Trust::System => builder.with_root_certificates(system_roots()),
        Trust::These(pem) => builder.with_root_certificates(roots(pem)?),
        Trust::Anybody => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    let Some(identity) = identity else { return Ok(builder.with_no_client_auth()) };
    let certificates = certificates(identity.certificates)?;
    let key =
        PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|e| format!("the key is unreadable ({e})"))?;
    builder.with_client_auth_cert(certificates, key).map_err(|e| format!("certificate and key do not fit ({e})"))
}

/// The certificates of a text; there must be one.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let all = all.map_err(|e| format!("a certificate is unreadable ({e})"))?;
    if all.is_empty() { Err("there is no certificate in PEM in it".into()) } else { Ok(all) }
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|e| format!("a certificate is unreadable ({e})"))?;
    }
    Ok(roots)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Without any, each server is refused, which says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Accepts every certificate; the handshake itself must hold.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
