//! A cluster's endpoint: its port, its certificate authority, its keys.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};

/// Where a cluster answers, and what it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name at EKS.
    pub name: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The certificate of its authority, as `certificateAuthority.data` has it before base64.
    pub authority_pem: String,
    /// The authority's key.
    pub authority_key_pem: String,
    /// The server's certificate.
    pub certificate_pem: String,
    /// The server's key.
    pub key_pem: String,
}

impl Cluster {
    /// A cluster with an authority of its own and a certificate for 127.0.0.1 and localhost, on a port that is free now.
    ///
    /// # Errors
    /// No port is free, or a key cannot be made.
    pub fn new(name: &str) -> Result<Self, String> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let Certificates { authority_pem, authority_key_pem, certificate_pem, key_pem } =
            certificates().map_err(|error| error.to_string())?;
        Ok(Self { name: name.to_owned(), port, authority_pem, authority_key_pem, certificate_pem, key_pem })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

#[expect(clippy::struct_field_names, reason = "all of them are PEM")]
struct Certificates {
    authority_pem: String,
    authority_key_pem: String,
    certificate_pem: String,
    key_pem: String,
}

fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kubernetes");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate()?;
    let authority_key_pem = authority_key.serialize_pem();
    let issuer = CertifiedIssuer::self_signed(params, authority_key)?;
    let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let mut params = CertificateParams::new(names.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Certificates {
        authority_pem: issuer.pem(),
        authority_key_pem,
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}
