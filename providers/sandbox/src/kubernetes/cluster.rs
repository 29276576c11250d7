//! A cluster's endpoint: its port, its certificate authority, its keys.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::tokens::TokenKey;

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
    /// The bearer token of the sandbox's own kubeconfig, which may do everything.
    pub admin_token: String,
    /// The key that signs tokens of service accounts, once there was need of one.
    #[serde(default)]
    pub token_key: Option<TokenKey>,
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
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| error.to_string())?;
        let admin_token = URL_SAFE_NO_PAD.encode(secret);
        let name = name.to_owned();
        Ok(Self {
            name,
            port,
            authority_pem,
            authority_key_pem,
            certificate_pem,
            key_pem,
            admin_token,
            token_key: None,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// A kubeconfig that lets in as administrator, in JSON, which is YAML too.
    pub fn kubeconfig(&self) -> String {
        let authority = STANDARD.encode(&self.authority_pem);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": self.name,
                "cluster": { "server": self.endpoint(), "certificate-authority-data": authority },
            }],
            "users": [{ "name": self.name, "user": { "token": self.admin_token } }],
            "contexts": [{ "name": self.name, "context": { "cluster": self.name, "user": self.name } }],
            "current-context": self.name,
        });
        format!("{config:#}\n")
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
