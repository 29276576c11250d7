//! Digests as texts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Md5;
use sgp_model::{Attribute, Schema, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// Hexadecimal digits, two for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-1 of bytes in hexadecimal digits.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}

/// Adds what a type of a file tells of its content.
pub(crate) fn attributes(schema: Schema) -> Schema {
    let digest = |doc| Attribute::string().computed().doc(doc);
    schema
        .attr("id", digest("The SHA-1 of the content in hexadecimal digits."))
        .attr("content_md5", digest("The MD5 of the content in hexadecimal digits."))
        .attr("content_sha1", digest("The SHA-1 of the content in hexadecimal digits."))
        .attr("content_sha256", digest("The SHA-256 of the content in hexadecimal digits."))
        .attr("content_base64sha256", digest("The SHA-256 of the content in base64."))
        .attr("content_sha512", digest("The SHA-512 of the content in hexadecimal digits."))
        .attr("content_base64sha512", digest("The SHA-512 of the content in base64."))
}

/// Values of [`attributes`].
pub(crate) fn of(content: &[u8]) -> [(&'static str, Value); 7] {
    let (sha256, sha512) = (Sha256::digest(content), Sha512::digest(content));
    [
        ("id", sha1(content).into()),
        ("content_md5", hex(&Md5::digest(content)).into()),
        ("content_sha1", sha1(content).into()),
        ("content_sha256", hex(&sha256).into()),
        ("content_base64sha256", STANDARD.encode(sha256).into()),
        ("content_sha512", hex(&sha512).into()),
        ("content_base64sha512", STANDARD.encode(sha512).into()),
    ]
}
