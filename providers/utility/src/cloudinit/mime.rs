//! The multi-part message, byte for byte as Terraform's provider writes it: another byte would be another user data, and with it
//! another machine.

/// One part.
pub(super) struct Part<'a> {
    /// `text/cloud-config`.
    pub(super) content_type: &'a str,
    /// The body.
    pub(super) content: &'a str,
    /// The name in `Content-Disposition`.
    pub(super) filename: Option<&'a str>,
    /// `X-Merge-Type`.
    pub(super) merge_type: Option<&'a str>,
}

/// Whether a text may separate parts (RFC 2046, 5.1.1).
pub(super) fn may_separate(boundary: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "'()+_,-./:=? ".contains(c);
    (1..=70).contains(&boundary.len()) && boundary.chars().all(is_allowed) && !boundary.ends_with(' ')
}

/// The message. The first line ends in a line feed alone; so it has always been.
pub(super) fn message(boundary: &str, parts: &[Part<'_>]) -> String {
    let mut out = format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\nMIME-Version: 1.0\r\n\r\n");
    for (at, part) in parts.iter().enumerate() {
        let before = if at == 0 { "" } else { "\r\n" };
        out.push_str(&format!("{before}--{boundary}\r\n"));
        let disposition = part.filename.map(|name| format!("attachment; filename=\"{name}\""));
        let headers = [
            ("Content-Disposition", disposition.as_deref()),
            ("Content-Transfer-Encoding", Some("7bit")),
            ("Content-Type", Some(part.content_type)),
            ("Mime-Version", Some("1.0")),
            ("X-Merge-Type", part.merge_type),
        ];
        for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        out.push_str(part.content);
    }
    out.push_str(&format!("\r\n--{boundary}--\r\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        for (boundary, may) in [
            ("MIMEBOUNDARY", true),
            ("//", true),
            ("a b", true),
            ("a ", false),
            ("", false),
            ("ü", false),
            ("a\"b", false),
        ] {
            assert_eq!(may_separate(boundary), may, "{boundary:?}");
        }
        assert!(may_separate(&"a".repeat(70)) && !may_separate(&"a".repeat(71)));
    }

    #[test]
    fn every_header() {
        let plain = Part { content_type: "text/plain", content: "a\n", filename: None, merge_type: None };
        let full = Part {
            content_type: "text/x-shellscript",
            content: "#!/bin/sh",
            filename: Some("run.sh"),
            merge_type: Some("list()+dict()+str()"),
        };
        let expected = [
            "Content-Type: multipart/mixed; boundary=\"MIMEBOUNDARY\"\n",
            "MIME-Version: 1.0\r\n",
            "\r\n",
            "--MIMEBOUNDARY\r\n",
            "Content-Disposition: attachment; filename=\"run.sh\"\r\n",
            "Content-Transfer-Encoding: 7bit\r\n",
            "Content-Type: text/x-shellscript\r\n",
            "Mime-Version: 1.0\r\n",
            "X-Merge-Type: list()+dict()+str()\r\n",
            "\r\n",
            "#!/bin/sh\r\n",
            "--MIMEBOUNDARY\r\n",
            "Content-Transfer-Encoding: 7bit\r\n",
            "Content-Type: text/plain\r\n",
            "Mime-Version: 1.0\r\n",
            "\r\n",
            "a\n",
            "\r\n",
            "--MIMEBOUNDARY--\r\n",
        ];
        assert_eq!(message("MIMEBOUNDARY", &[full, plain]), expected.concat());
    }
}
