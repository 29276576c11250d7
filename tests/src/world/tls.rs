//! One certificate authority for everything in the world that speaks TLS.

use super::error::{Error, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// The world's certificate authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate for 127.0.0.1 and localhost, with its key.
pub(crate) struct Identity {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "sgp-tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(|error| Error::failed("make a key", error))?;
        let issuer =
            CertifiedIssuer::self_signed(params, key).map_err(|error| Error::failed("make an authority", error))?;
        Ok(Self { issuer })
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Makes a certificate for loopback.
    pub(crate) fn issue(&self) -> Result<Identity> {
        let failed = |error| Error::failed("make a certificate", error);
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let key = KeyPair::generate().map_err(failed)?;
        let params = CertificateParams::new(names).map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// What a client needs in order to trust this authority and nothing else.
    pub(crate) fn trust(&self) -> Result<rustls::ClientConfig> {
        trust(&self.pem())
    }
}

impl Identity {
    /// What a server needs in order to show this certificate.
    pub(crate) fn server(&self) -> Result<Arc<rustls::ServerConfig>> {
        let failed = |error: rustls::Error| Error::failed("make a TLS server", error);
        let certificate = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        let builder = rustls::ServerConfig::builder_with_provider(provider());
        let builder = builder.with_safe_default_protocol_versions().map_err(failed)?.with_no_client_auth();
        Ok(Arc::new(builder.with_single_cert(vec![certificate], key).map_err(failed)?))
    }
}

/// What a client needs in order to trust an authority and nothing else.
pub(crate) fn trust(authority_pem: &str) -> Result<rustls::ClientConfig> {
    let failed = |error: rustls::Error| Error::failed("make a TLS client", error);
    let certificate = CertificateDer::from_pem_slice(authority_pem.as_bytes())
        .map_err(|error| Error::failed("read an authority's certificate", error))?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).map_err(failed)?;
    let builder = rustls::ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
