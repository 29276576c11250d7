//! `tls`: keys, certificates and requests for them, and what certificates servers show.

mod cert_request;
mod certificate_data;
mod ephemeral_private_key;
mod ephemeral_public_key;
mod issue;
mod key;
mod key_argument;
#[cfg(test)]
mod key_tests;
mod locally_signed_cert;
mod openssh;
mod other_keys;
mod private_key;
mod proxy;
mod public_key_data;
mod seen;
mod self_signed_cert;
#[cfg(test)]
mod server_tests;
mod subject;
mod uses;

use std::sync::LazyLock;

use sgp_model::Schema;

use crate::{in_run::InRun, in_state::InState, provider::Kit};

pub(crate) static KIT: Kit = Kit {
    name: "tls",
    source: "registry.terraform.io/hashicorp/tls",
    config: || &CONFIG,
    resources: &[
        &InState(cert_request::TlsCertRequest),
        &InState(locally_signed_cert::TlsLocallySignedCert),
        &InState(private_key::TlsPrivateKey),
        &InState(self_signed_cert::TlsSelfSignedCert),
    ],
    data: &[&certificate_data::TlsCertificate, &public_key_data::TlsPublicKey],
    ephemeral: &[&InRun(ephemeral_private_key::EphemeralPrivateKey), &InRun(ephemeral_public_key::EphemeralPublicKey)],
};

static CONFIG: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("tls", "Keys and certificates, and those that servers show.").block("proxy", proxy::block())
});
