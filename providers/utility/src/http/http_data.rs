//! `data "http"`.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::RETRY_AFTER};
use sgp_contract::{Client, Clock, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Type, Value};
use unicode_normalization::UnicodeNormalization;
use url::Url;

use crate::{
    attrs::{self, flag, int, text, wrong},
    net::{
        connect::Proxies,
        fetch::{self, Answer, Request, Ways},
        trust::{self, Identity, Trust},
    },
    tools::Tools,
};

pub(crate) struct Http;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let answered = |doc| Attribute::string().computed().doc(doc);
    let retry = Block::default()
        .attr("attempts", Attribute::number().doc("How often to try again: with 2 it is tried three times at most."))
        .attr("min_delay_ms", Attribute::number().doc("How long to wait before the first repetition, in milliseconds; 1000 without it. Each wait is twice the one before."))
        .attr("max_delay_ms", Attribute::number().doc("How long to wait at most, in milliseconds; 30000 without it."));
    Schema::new("http", "What a server answers to a request. An answer of the 5xx range (except 501) is an error.")
        .attr("url", Attribute::string().required().doc("The URL, `http` or `https`."))
        .attr(
            "method",
            Attribute::string()
                .doc("`GET`, which it is without it, `HEAD` or `POST`, for requests that change nothing."),
        )
        .attr("request_headers", Attribute::string_map().doc("Headers to send."))
        .attr("request_body", Attribute::string().doc("The body to send."))
        .attr("request_timeout_ms", Attribute::number().doc("How long one try may take, in milliseconds; at least 1."))
        .attr("insecure", Attribute::bool().doc("Whether any certificate of the server will do."))
        .attr(
            "ca_cert_pem",
            Attribute::string().doc("Authorities that count instead of those of this machine, in PEM."),
        )
        .attr(
            "client_cert_pem",
            Attribute::string().doc("The certificate to show, in PEM; `client_key_pem` goes with it."),
        )
        .attr("client_key_pem", Attribute::string().sensitive().doc("The key of that certificate, in PEM."))
        .attr("id", answered("The URL."))
        .attr("response_body", answered("The body as a text; what is no UTF-8 is replaced by `\u{fffd}`."))
        .attr("body", answered("The old name of `response_body`.").deprecated("Use `response_body`."))
        .attr("response_body_base64", answered("The body as bytes in base64."))
        .attr(
            "response_headers",
            Attribute::string_map()
                .computed()
                .doc("The headers, as `Content-Type`; those of one name are joined by `, `."),
        )
        .attr("status_code", Attribute::number().computed().doc("The status."))
        .block(
            "retry",
            NestedBlock::single(retry)
                .doc("Tries again when there is no answer, or one of the 5xx range (except 501) or 429."),
        )
        .example("data \"http\" \"me\" {\n  url = \"https://checkip.amazonaws.com\"\n}\n")
});

/// How often and how soon to try again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    attempts: i64,
    least: Duration,
    most: Duration,
}

impl Retry {
    fn of(config: &Value) -> Result<Self, Diagnostics> {
        let said = config.get("retry").filter(|block| !block.is_null()).cloned().unwrap_or_else(Value::dynamic_null);
        let mut problems = attrs::whole_numbers(&said, &[("attempts", 0), ("min_delay_ms", 0), ("max_delay_ms", 0)]);
        let least = int(&said, "min_delay_ms");
        let most = int(&said, "max_delay_ms");
        if most.zip(least).is_some_and(|(most, least)| most < least) {
            problems.push(wrong("retry", "`max_delay_ms` must not be less than `min_delay_ms`."));
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let millis =
            |n: Option<i64>, default: u64| Duration::from_millis(n.and_then(|n| n.try_into().ok()).unwrap_or(default));
        Ok(Self {
            attempts: int(&said, "attempts").unwrap_or(0),
            least: millis(least, 1000),
            most: millis(most, 30_000),
        })
    }

    /// How long to wait after so many tries, unless the server said.
    fn delay(&self, tries: u32, answer: Option<&Answer>) -> Duration {
        let busy = |a: &&Answer| matches!(a.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let said = answer.filter(busy).and_then(|a| a.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok());
        let doubled = || self.least.saturating_mul(2_u32.saturating_pow(tries)).min(self.most);
        said.map_or_else(doubled, Duration::from_secs)
    }
}

/// What one data source asks for.
struct Question {
    request: Request,
    ways: Ways,
    timeout: Option<Duration>,
    retry: Retry,
}

impl Question {
    fn of(config: &Value) -> Result<Self, Diagnostics> {
        let said = text(config, "url").unwrap_or_default();
        let url: Url = said.parse().map_err(|e| wrong("url", format!("{said:?} is no URL: {e}.")))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(wrong("url", format!("`url` must be an http or https URL, not {said:?}.")).into());
        }
        let method = text(config, "method").unwrap_or("GET");
        let method = match method {
            "GET" | "" => Method::GET,
            "HEAD" => Method::HEAD,
            "POST" => Method::POST,
            other => return Err(wrong("method", format!("`method` must be GET, HEAD or POST, not {other:?}.")).into()),
        };
        let problems = attrs::whole_numbers(config, &[("request_timeout_ms", 1)]);
        if problems.has_errors() {
            return Err(problems);
        }
        let body = Bytes::from(text(config, "request_body").unwrap_or_default().to_owned());
        let timeout = int(config, "request_timeout_ms").and_then(|n| n.try_into().ok()).map(Duration::from_millis);
        let request = Request { method, url, headers: headers(config)?, body };
        Ok(Self { request, ways: ways(config)?, timeout, retry: Retry::of(config)? })
    }

    /// Asks until there is an answer that counts.
    async fn ask(&self, clock: &dyn Clock) -> Result<Answer, String> {
        let mut tries = 0;
        loop {
            let outcome = self.try_once().await;
            let problem = match &outcome {
                Ok(answer) if !is_passing(answer.status) => return outcome,
                Ok(answer) => format!("the server answered {}", answer.status),
                Err(problem) => problem.clone(),
            };
            if i64::from(tries) >= self.retry.attempts {
                return Err(format!(
                    "{problem} (tried {})",
                    if tries == 0 { "once".to_owned() } else { format!("{} times", tries + 1) }
                ));
            }
            clock.sleep(self.retry.delay(tries, outcome.as_ref().ok())).await;
            tries += 1;
        }
    }

    async fn try_once(&self) -> Result<Answer, String> {
        let fetched = fetch::fetch(self.request.clone(), &self.ways);
        let Some(timeout) = self.timeout else { return fetched.await };
        let late = |_| Err(format!("the request exceeded the timeout of {} ms", timeout.as_millis()));
        tokio::time::timeout(timeout, fetched).await.unwrap_or_else(late)
    }
}

/// Whether a server may answer otherwise the next time.
fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
}

fn headers(config: &Value) -> Result<HeaderMap, Diagnostics> {
    let mut headers = HeaderMap::new();
    for (name, value) in config.get("request_headers").and_then(Value::as_fields).into_iter().flatten() {
        let Some(value) = value.as_str() else { continue };
        let wrong = || wrong("request_headers", format!("{name:?} cannot be sent as a header with this value."));
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    Ok(headers)
}

fn ways(config: &Value) -> Result<Ways, Diagnostics> {
    let trust = match (text(config, "ca_cert_pem"), flag(config, "insecure")) {
        (_, Some(true)) => Trust::Anybody,
        (Some(pem), _) => Trust::These(pem.to_owned()),
        (None, _) => Trust::System,
    };
    let identity = text(config, "client_cert_pem").zip(text(config, "client_key_pem"));
    let identity = identity.map(|(certificates, key)| Identity { certificates, key });
    let tls = trust::client(&trust, identity.as_ref());
    let tls =
        tls.map_err(|problem| Diagnostic::error("Invalid certificates", format!("TLS cannot be set up: {problem}.")))?;
    Ok(Ways { tls: Arc::new(tls), proxies: Proxies::from_env() })
}

/// The mistakes of a configuration that the schema does not see.
fn mistakes(config: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    if attrs::is_set(config, "ca_cert_pem") && attrs::is_set(config, "insecure") {
        problems.push(wrong("ca_cert_pem", "Only one of `ca_cert_pem` and `insecure` can be set."));
    }
    if attrs::is_set(config, "client_cert_pem") != attrs::is_set(config, "client_key_pem") {
        problems.push(wrong("client_cert_pem", "`client_cert_pem` and `client_key_pem` go together."));
    }
    problems
}

/// The object for an answer.
fn answered(config: &Value, answer: &Answer) -> Value {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(canonical(name.as_str())).or_default().push(value);
    }
    let headers = headers.into_iter().map(|(name, values)| (name, Value::from(values.join(", "))));
    let body: String = String::from_utf8_lossy(&answer.body).nfc().collect();
    let fields = [
        ("id", text(config, "url").unwrap_or_default().into()),
        ("response_body", Value::from(body.clone())),
        ("body", body.into()),
        ("response_body_base64", STANDARD.encode(&answer.body).into()),
        ("response_headers", Value::map(Type::String, headers)),
        ("status_code", Value::int(answer.status.as_u16().into())),
    ];
    attrs::with(config, fields)
}

/// A header's name as Go writes it: `content-type` is `Content-Type`.
fn canonical(name: &str) -> String {
    let mut starts = true;
    let letter = |c: char| {
        let c = if starts { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        starts = c == '-';
        c
    };
    name.chars().map(letter).collect()
}

async fn read(config: &Value, clock: &dyn Clock) -> Result<Value, Diagnostics> {
    let problems = mistakes(config);
    if problems.has_errors() {
        return Err(problems);
    }
    let question = Question::of(config)?;
    let answer = question.ask(clock).await.map_err(|problem| {
        // A password in the URL is nobody's to read.
        let mut url = question.request.url.clone();
        if url.password().is_some() {
            let _ = url.set_password(Some("REDACTED"));
        }
        let detail = format!("{} {url}: {problem}.", question.request.method);
        Diagnostic::error("Request failed", detail).attribute(sgp_model::AttrPath::attr("url"))
    })?;
    Ok(answered(config, &answer))
}

#[async_trait]
impl DataSource for Http {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let clock = &*Tools::of(client).clock;
        join_all(requests.iter().map(|request| read(request.config, clock))).await
    }
}

/// [`read`] for tests, of arguments.
#[cfg(test)]
pub(super) async fn read_with(fields: Vec<(&'static str, Value)>, clock: &dyn Clock) -> Result<Value, Diagnostics> {
    read(&attrs::object(&SCHEMA.block, fields), clock).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_unless_the_server_says() {
        let retry = Retry { attempts: 9, least: Duration::from_millis(100), most: Duration::from_millis(500) };
        let waits: Vec<u128> = (0..4).map(|tries| retry.delay(tries, None).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 500]);
        assert_eq!(retry.delay(u32::MAX, None), retry.most);
        let headers = [(RETRY_AFTER, HeaderValue::from_static("7"))].into_iter().collect();
        let mut answer = Answer { status: StatusCode::SERVICE_UNAVAILABLE, headers, body: Bytes::new() };
        assert_eq!(retry.delay(0, Some(&answer)), Duration::from_secs(7));
        answer.status = StatusCode::BAD_GATEWAY;
        assert_eq!(retry.delay(0, Some(&answer)), retry.least);
    }

    #[test]
    fn header_names() {
        for (name, expected) in
            [("content-type", "Content-Type"), ("ETAG", "Etag"), ("x-amzn-requestid", "X-Amzn-Requestid")]
        {
            assert_eq!(canonical(name), expected);
        }
    }

    #[test]
    fn statuses_that_may_pass() {
        for (status, passes) in [(200, false), (404, false), (429, true), (500, true), (501, false), (503, true)] {
            assert_eq!(is_passing(StatusCode::from_u16(status).expect("a status")), passes, "{status}");
        }
    }
}
