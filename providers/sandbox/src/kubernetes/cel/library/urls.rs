//! URLs, as Go's `net/url` reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::super::meter::Meter;
use super::super::value::{Evaluated, Key, Value, failure};
use super::{Answer, at_once, over_text};

/// The parts of a URL.
#[derive(Debug, PartialEq, Eq)]
pub struct Url {
    pub text: String,
    scheme: String,
    /// Name and port.
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// A URL with a scheme, or a path that begins at the root (`url.ParseRequestURI`).
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("parse {text:?}: {why}");
        if text.is_empty() {
            return Err(wrong("empty url"));
        }
        if text.chars().any(|c| c.is_ascii_control()) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = scheme(text).map_err(wrong)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if scheme.is_empty() && !rest.starts_with('/') {
            return Err(wrong("invalid URI for request"));
        }
        let (host, path) = match rest.strip_prefix("//") {
            // What a scheme takes that knows no paths (`mailto:`).
            None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
            Some(rest) if !scheme.is_empty() => rest.find('/').map_or((rest, ""), |at| rest.split_at(at)),
            _ => ("", rest),
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        check_host(host).map_err(|why| wrong(&why))?;
        if let Some(escape) = bad_escape(path) {
            return Err(wrong(&format!("invalid URL escape {escape:?}")));
        }
        Ok(Self {
            text: text.to_owned(),
            scheme: scheme.to_lowercase(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }

    fn hostname(&self) -> &str {
        self.split_host().0
    }

    fn split_host(&self) -> (&str, &str) {
        if let Some(rest) = self.host.strip_prefix('[')
            && let Some((name, port)) = rest.split_once(']')
        {
            return (name, port.trim_start_matches(':'));
        }
        self.host.rsplit_once(':').unwrap_or((&self.host, ""))
    }

    fn query(&self) -> Value<'static> {
        let mut values: BTreeMap<Key, (Value<'static>, Vec<Value<'static>>)> = BTreeMap::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            let name: Arc<str> = decoded(name).into();
            let entry = values.entry(Key::Text(Arc::clone(&name))).or_insert_with(|| (Value::Text(name), Vec::new()));
            entry.1.push(Value::text(decoded(value)));
        }
        let values = values.into_iter().map(|(key, (name, values))| (key, (name, Value::list(values))));
        Value::Map(Arc::new(values.collect()))
    }
}

/// The scheme and what follows it; no scheme where there is none.
fn scheme(text: &str) -> Result<(&str, &str), &'static str> {
    let Some(end) = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.')) else {
        return Ok(("", text));
    };
    if !text[end..].starts_with(':') {
        return Ok(("", text));
    }
    if end == 0 {
        return Err("missing protocol scheme");
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err("first path segment in URL cannot contain colon");
    }
    Ok((&text[..end], &text[end + 1..]))
}

fn check_host(host: &str) -> Result<(), String> {
    if let Some(c) = host.chars().find(|c| matches!(c, ' ' | '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}')) {
        return Err(format!("invalid character {:?} in host name", c.to_string()));
    }
    let port = if host.starts_with('[') {
        let (_, port) = host.rsplit_once(']').ok_or("missing ']' in host")?;
        port
    } else {
        host.rfind(':').map_or("", |at| &host[at..])
    };
    let digits = port.strip_prefix(':').unwrap_or("");
    if !port.is_empty() && (!port.starts_with(':') || !digits.chars().all(|c| c.is_ascii_digit())) {
        return Err(format!("invalid port {port:?} after host"));
    }
    Ok(())
}

fn bad_escape(path: &str) -> Option<&str> {
    path.match_indices('%').find_map(|(at, _)| {
        let digits = path.get(at + 1..at + 3).unwrap_or("");
        let is_escape = digits.len() == 2 && digits.chars().all(|c| c.is_ascii_hexdigit());
        (!is_escape).then(|| path.get(at..at + 3).unwrap_or(&path[at..]))
    })
}

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("url", [Value::Text(text)]) => over_text(text, 1, meter, || url(text)),
        ("isURL", [Value::Text(text)]) => at_once(meter, || Ok(Value::Bool(Url::parse(text).is_ok()))),
        (_, [Value::Url(url)]) => {
            let value = match function {
                "getScheme" => Value::text(url.scheme.as_str()),
                "getHost" => Value::text(url.host.as_str()),
                "getHostname" => Value::text(url.hostname()),
                "getPort" => Value::text(url.split_host().1),
                "getEscapedPath" => Value::text(url.path.as_str()),
                "getQuery" => url.query(),
                _ => return None,
            };
            at_once(meter, || Ok(value))
        }
        _ => None,
    }
}

fn url<'a>(text: &str) -> Evaluated<'a> {
    match Url::parse(text) {
        Ok(url) => Ok(Value::Url(Arc::new(url))),
        Err(why) => Err(failure(format!("URL parse error during conversion from string: {why}"))),
    }
}

/// Whether a text is a URL; what is wrong with it otherwise.
pub fn check(text: &str) -> Result<(), String> {
    Url::parse(text).map(drop)
}
