//! Keeps what is sensitive out of messages: a reason often quotes the argument that it is about.

use std::collections::BTreeSet;

use sgp_model::{Kind, Marks, Value};

use super::spec::Fail;

/// What stands in place of a sensitive text.
const REDACTED: &str = "(sensitive value)";

/// The texts of the sensitive parts of the arguments of a call.
pub(super) struct Secrets(BTreeSet<String>);

impl Secrets {
    pub(super) fn of(args: &[Value]) -> Self {
        let mut texts = BTreeSet::new();
        for arg in args {
            collect(arg, false, &mut texts);
        }
        Self(texts)
    }

    /// The failure without any of them: neither a whole one as a word of its own, nor a quoted piece of one.
    pub(super) fn redact(&self, mut fail: Fail) -> Fail {
        if !self.0.is_empty() {
            fail.message = self.without_quotes(&fail.message);
            for secret in &self.0 {
                fail.message = without_word(&fail.message, secret);
            }
        }
        fail
    }

    fn without_quotes(&self, message: &str) -> String {
        let mut out = String::with_capacity(message.len());
        let mut rest = message;
        while let Some(quoted) = next_quoted(rest) {
            let (start, end) = quoted;
            out.push_str(&rest[..start]);
            let inner = &rest[start + 1..end - 1];
            if self.hold(inner) {
                out.push_str(REDACTED);
            } else {
                out.push_str(&rest[start..end]);
            }
            rest = &rest[end..];
        }
        out + rest
    }

    /// Whether the text is in a secret, as it is or with its escapes.
    fn hold(&self, piece: &str) -> bool {
        !piece.is_empty() && self.0.iter().any(|s| s.contains(piece) || format!("{s:?}").contains(piece))
    }
}

/// The texts of a value: all of them when it is sensitive, else those of its sensitive parts.
fn collect(value: &Value, inside: bool, texts: &mut BTreeSet<String>) {
    let sensitive = inside || value.marks().contains(Marks::SENSITIVE);
    if !sensitive && !value.deep_marks().contains(Marks::SENSITIVE) {
        return;
    }
    match value.kind() {
        Kind::String(text) if sensitive && !text.is_empty() => drop(texts.insert(text.to_string())),
        Kind::Number(number) if sensitive => drop(texts.insert(number.to_string())),
        Kind::List(_, vs) | Kind::Tuple(vs) => vs.iter().for_each(|v| collect(v, sensitive, texts)),
        Kind::Set(_, vs) => vs.iter().for_each(|v| collect(v, sensitive, texts)),
        Kind::Map(_, fields) | Kind::Object(fields) => fields.iter().for_each(|(key, v)| {
            if sensitive {
                texts.insert(key.to_string());
            }
            collect(v, sensitive, texts);
        }),
        _ => {}
    }
}

/// Where the next text in double quotes begins and ends, both quotes included.
fn next_quoted(text: &str) -> Option<(usize, usize)> {
    let start = text.find('"')?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at <= start) {
        match c {
            '"' if !escaped => return Some((start, at + 1)),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}

/// The text without the secret wherever it stands as a word of its own: a short one is part of many words.
fn without_word(text: &str, secret: &str) -> String {
    let part_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        let inside = part_of_word(text[..at].chars().next_back()) && part_of_word(secret.chars().next())
            || part_of_word(text[end..].chars().next()) && part_of_word(secret.chars().next_back());
        if !inside {
            out.push_str(&text[done..at]);
            out.push_str(REDACTED);
            done = end;
        }
    }
    out + &text[done..]
}
