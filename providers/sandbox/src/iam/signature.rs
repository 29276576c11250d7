//! Signature Version 4: read from a request, and verified.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests" (elements, create a signed request, troubleshooting).

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// A request as it was received, nothing decoded.
#[derive(Clone, Debug)]
pub struct Parts {
    /// `POST`.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without `?`.
    pub query: String,
    /// Headers in the order received, names in lower case; `host` is among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: bytes::Bytes,
}

impl Parts {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Decoded names and values of the query.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
    }
}

/// What a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The access key.
    pub access_key: String,
    /// `20260101`, of the credential's scope.
    pub date: String,
    /// The region of the scope.
    pub region: String,
    /// The service of the scope.
    pub service: String,
    /// The names of the headers that are signed, sorted.
    pub headers: Vec<String>,
    /// The signature, 64 hexadecimal digits.
    pub signature: String,
    /// `X-Amz-Date` as sent: `20260101T000000Z`.
    pub timestamp: String,
    /// The session token, when there is one.
    pub token: Option<String>,
    /// For a presigned URL: how many seconds it is good for.
    pub expires_secs: Option<i64>,
}

/// What is wrong with a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is none.
    Missing,
    /// Parts of it are missing or cannot be read; AWS's sentences about them.
    Incomplete(String),
    /// It was made too long ago, or a presigned URL is over; AWS's sentence.
    Expired(String),
    /// It is dated in the future; AWS's sentence.
    Early(String),
    /// It is another request's, or made with another secret.
    Mismatch,
}

/// How far apart the clocks may be.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same with `/` left alone.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

impl Signed {
    /// Reads the `Authorization` header, or the query of a presigned URL.
    ///
    /// # Errors
    /// [`Fault::Missing`] and [`Fault::Incomplete`].
    pub fn read(parts: &Parts) -> Result<Self, Fault> {
        if let Some(header) = parts.header("authorization") {
            return Self::of_header(header, parts);
        }
        if parts.query.contains("X-Amz-") { Self::of_query(parts) } else { Err(Fault::Missing) }
    }

    fn of_header(header: &str, parts: &Parts) -> Result<Self, Fault> {
        let Some(rest) = header.strip_prefix("AWS4-HMAC-SHA256") else {
            return Err(Fault::Incomplete("Unsupported AWS 'algorithm'.".to_owned()));
        };
        let member = |name: &str| {
            let mut members = rest.split([',', ' ']).filter_map(|member| member.trim().split_once('='));
            members.find(|(n, _)| *n == name).map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty())
        };
        let (credential, headers, signature) = (member("Credential"), member("SignedHeaders"), member("Signature"));
        let timestamp = parts.header("x-amz-date").or_else(|| parts.header("date")).map(str::to_owned);
        let mut wrong = String::new();
        for (name, is_there) in [
            ("Credential", credential.is_some()),
            ("Signature", signature.is_some()),
            ("SignedHeaders", headers.is_some()),
        ] {
            if !is_there {
                wrong += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        if timestamp.is_none() {
            wrong += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        let token = parts.header("x-amz-security-token").map(str::to_owned);
        match (credential, headers, signature, timestamp) {
            (Some(credential), Some(headers), Some(signature), Some(timestamp)) => {
                Self::of(&credential, &headers, signature, timestamp, token, None)
            }
            _ => Err(Fault::Incomplete(format!("{wrong}Authorization={header}"))),
        }
    }

    fn of_query(parts: &Parts) -> Result<Self, Fault> {
        let pairs = parts.query_pairs();
        let member = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        if member("X-Amz-Algorithm").as_deref() != Some("AWS4-HMAC-SHA256") {
            return Err(Fault::Incomplete("Unsupported AWS 'algorithm'.".to_owned()));
        }
        let names = ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
        let missing = names.iter().filter(|name| member(name).is_none());
        let wrong: String =
            missing.map(|name| format!("AWS query-string parameters must include '{name}'. ")).collect();
        if !wrong.is_empty() {
            return Err(Fault::Incomplete(wrong.trim_end().to_owned()));
        }
        let [credential, signature, headers, timestamp] = names.map(|name| member(name).unwrap_or_default());
        let expires =
            match member("X-Amz-Expires") {
                None => 900,
                Some(text) => text.parse().ok().filter(|secs| (0..=604_800).contains(secs)).ok_or_else(|| {
                    Fault::Incomplete("X-Amz-Expires must be a number between 0 and 604800".to_owned())
                })?,
            };
        Self::of(&credential, &headers, signature, timestamp, member("X-Amz-Security-Token"), Some(expires))
    }

    fn of(
        credential: &str,
        headers: &str,
        signature: String,
        timestamp: String,
        token: Option<String>,
        expires_secs: Option<i64>,
    ) -> Result<Self, Fault> {
        // A key may have slashes in it; the scope has four parts from the end.
        let parts: Vec<&str> = credential.rsplitn(5, '/').collect();
        let [terminator, service, region, date, access_key] = parts[..] else {
            return Err(Fault::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        if terminator != "aws4_request" {
            let why =
                format!("Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.");
            return Err(Fault::Incomplete(why));
        }
        Ok(Self {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            headers: headers.to_lowercase().split(';').map(str::to_owned).collect(),
            signature,
            timestamp,
            token,
            expires_secs,
        })
    }

    /// When it was made.
    ///
    /// # Errors
    /// [`Fault::Incomplete`] when the date cannot be read or is not that of the scope.
    pub fn time(&self) -> Result<Timestamp, Fault> {
        let time = instant(&self.timestamp).ok_or_else(|| {
            let why = "Date must be in ISO-8601 'basic format'. Got";
            Fault::Incomplete(format!("{why} '{}'.", self.timestamp))
        })?;
        if basic(time)[..8] == self.date {
            return Ok(time);
        }
        Err(Fault::Incomplete(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'.",
            self.date,
            &basic(time)[..8],
            basic(time)
        )))
    }

    /// Whether it is of now: five minutes to both sides, or as long as a presigned URL says.
    ///
    /// # Errors
    /// [`Fault::Expired`], [`Fault::Early`], and those of [`Signed::time`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), Fault> {
        let time = self.time()?;
        let good_for = self.expires_secs.map_or(SKEW, SignedDuration::from_secs);
        let (earliest, latest) = (now.saturating_sub(good_for), now.saturating_add(SKEW));
        let (earliest, latest) = (earliest.unwrap_or(now), latest.unwrap_or(now));
        let (sent, here) = (basic(time), basic(now));
        if time < earliest {
            let limit = format!("{here} - {} min.", good_for.as_mins());
            return Err(Fault::Expired(format!(
                "Signature expired: {sent} is now earlier than {} ({limit})",
                basic(earliest)
            )));
        }
        if time > latest {
            let limit = format!("{here} + {} min.", SKEW.as_mins());
            return Err(Fault::Early(format!(
                "Signature not yet current: {sent} is still later than {} ({limit})",
                basic(latest)
            )));
        }
        Ok(())
    }

    /// Whether it was made of this request with this secret.
    ///
    /// # Errors
    /// [`Fault::Mismatch`]; [`Fault::Incomplete`] when `Host` is not signed or a signed header is not there.
    pub fn check(&self, parts: &Parts, secret: &str) -> Result<(), Fault> {
        if !self.headers.iter().any(|name| name == "host" || name == ":authority") {
            let why = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Fault::Incomplete(why.to_owned()));
        }
        let expected = self.mac(&self.string_to_sign(parts), secret)?;
        let same = expected.len() == self.signature.len()
            && expected.bytes().zip(self.signature.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
        if same { Ok(()) } else { Err(Fault::Mismatch) }
    }

    fn mac(&self, text: &str, secret: &str) -> Result<String, Fault> {
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [&self.date, &self.region, &self.service, "aws4_request"] {
            key = hmac(&key, part.as_bytes()).ok_or(Fault::Mismatch)?;
        }
        hmac(&key, text.as_bytes()).map(|bytes| hex(&bytes)).ok_or(Fault::Mismatch)
    }

    fn string_to_sign(&self, parts: &Parts) -> String {
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let timestamp = instant(&self.timestamp).map(basic).unwrap_or_default();
        format!("AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{}", hex(&Sha256::digest(self.canonical(parts))))
    }

    /// The canonical request.
    fn canonical(&self, parts: &Parts) -> String {
        let headers: String =
            self.headers.iter().map(|name| format!("{name}:{}\n", header_value(parts, name))).collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            parts.method,
            canonical_path(&parts.path),
            canonical_query(parts),
            self.headers.join(";"),
            hex(&Sha256::digest(&parts.body))
        )
    }
}

/// All values of a header with single spaces, joined by commas.
fn header_value(parts: &Parts, name: &str) -> String {
    let values = parts.headers.iter().filter(|(n, _)| n == name);
    let values: Vec<String> =
        values.map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect();
    values.join(",")
}

/// The path without dot segments and doubled slashes, encoded once more than it was sent.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let joined = segments.join("/");
    let end = if !joined.is_empty() && (path.ends_with('/') || path.ends_with("/.")) { "/" } else { "" };
    utf8_percent_encode(&format!("/{joined}{end}"), ENCODED_IN_PATH).to_string()
}

/// The query's pairs but the signature, encoded and sorted.
fn canonical_query(parts: &Parts) -> String {
    let pairs = parts.query_pairs().into_iter().filter(|(name, _)| name != "X-Amz-Signature");
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn hmac(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time in ISO 8601's basic format, `20260101T000000Z`, or the form of a `Date` header.
fn instant(text: &str) -> Option<Timestamp> {
    let basic = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok();
    match basic {
        Some(time) => jiff::tz::Offset::UTC.to_timestamp(time).ok(),
        None => jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp()),
    }
}

fn basic(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
