//! Checking a presigned request: Signature Version 4 with the signature in the query.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use url::Url;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Says whether a GET of this URL is signed with this secret, given the signed headers besides `host`.
pub(crate) fn is_signed(call: &Url, headers: &[(&str, &str)], secret: &str) -> bool {
    let param = |name: &str| call.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    let (Some(credential), Some(date), Some(signature)) =
        (param("X-Amz-Credential"), param("X-Amz-Date"), param("X-Amz-Signature"))
    else {
        return false;
    };
    let Some((_, scope)) = credential.split_once('/') else { return false };
    let signed = param("X-Amz-SignedHeaders").unwrap_or_default();
    let Some(request) = canonical(call, headers, &signed) else { return false };
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(request)));
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    hex(&hmac(&key, &text)) == signature
}

/// The canonical request; none when a signed header's value is not known.
fn canonical(call: &Url, headers: &[(&str, &str)], signed: &str) -> Option<String> {
    let host = call.host_str()?;
    let mut query: Vec<(String, String)> = call
        .query_pairs()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut lines = String::new();
    for name in signed.split(';') {
        let known = headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let value = if name == "host" { Some(host) } else { known };
        let _ = writeln!(lines, "{name}:{}", value?);
    }
    let nothing = hex(&Sha256::digest(b""));
    Some(format!("GET\n{}\n{}\n{lines}\n{signed}\n{nothing}", call.path(), query.join("&")))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
