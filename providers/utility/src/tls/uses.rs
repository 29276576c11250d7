//! What a certificate may be used for, by the names that arguments have for it.

use pkcs8::ObjectIdentifier;
use x509_cert::ext::pkix::{
    KeyUsages,
    KeyUsages::{
        CRLSign, DataEncipherment, DecipherOnly, DigitalSignature, EncipherOnly, KeyAgreement, KeyCertSign,
        KeyEncipherment, NonRepudiation,
    },
};

const KEY_USES: [(&str, KeyUsages); 9] = [
    ("cert_signing", KeyCertSign),
    ("content_commitment", NonRepudiation),
    ("crl_signing", CRLSign),
    ("data_encipherment", DataEncipherment),
    ("decipher_only", DecipherOnly),
    ("digital_signature", DigitalSignature),
    ("encipher_only", EncipherOnly),
    ("key_agreement", KeyAgreement),
    ("key_encipherment", KeyEncipherment),
];

const EXTENDED_USES: [(&str, &str); 14] = [
    ("any_extended", "2.5.29.37.0"),
    ("client_auth", "1.3.6.1.5.5.7.3.2"),
    ("code_signing", "1.3.6.1.5.5.7.3.3"),
    ("email_protection", "1.3.6.1.5.5.7.3.4"),
    ("ipsec_end_system", "1.3.6.1.5.5.7.3.5"),
    ("ipsec_tunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsec_user", "1.3.6.1.5.5.7.3.7"),
    ("microsoft_commercial_code_signing", "1.3.6.1.4.1.311.2.1.22"),
    ("microsoft_kernel_code_signing", "1.3.6.1.4.1.311.61.1.1"),
    ("microsoft_server_gated_crypto", "1.3.6.1.4.1.311.10.3.3"),
    ("netscape_server_gated_crypto", "2.16.840.1.113730.4.1"),
    ("ocsp_signing", "1.3.6.1.5.5.7.3.9"),
    ("server_auth", "1.3.6.1.5.5.7.3.1"),
    ("timestamping", "1.3.6.1.5.5.7.3.8"),
];

/// Every name.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        KEY_USES.iter().map(|(name, _)| *name).chain(EXTENDED_USES.iter().map(|(name, _)| *name)).collect();
    names.sort_unstable();
    names
}

/// The use of the key that a name stands for.
pub(super) fn key_use(name: &str) -> Option<KeyUsages> {
    KEY_USES.iter().find(|(known, _)| *known == name).map(|(_, usage)| *usage)
}

/// The extended use that a name stands for.
pub(super) fn extended_use(name: &str) -> Option<ObjectIdentifier> {
    let found = EXTENDED_USES.iter().find(|(known, _)| *known == name);
    found.map(|(_, oid)| ObjectIdentifier::new_unwrap(oid))
}
