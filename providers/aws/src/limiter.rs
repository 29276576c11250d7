//! A token bucket for each service endpoint that adapts to throttling.
//!
//! Until the endpoint throttles, nothing is held back. Then the rate of calls is cut to a part of what was being sent, and grows
//! again while calls are answered; after a quiet minute the bucket is gone. The SDK's own adaptive mode is not used: it starts from
//! two calls a second or fewer and charges five for a retry, so that one throttled call in a small apply costs half a minute.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        interceptors::{Intercept, context::FinalizerInterceptorContextRef, dyn_dispatch_hint},
        orchestrator::HttpRequest,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::errors::THROTTLED;

/// Calls a second that are always allowed.
const FLOOR: f64 = 5.0;
/// What remains of the rate after a throttled call.
const CUT: f64 = 0.7;
/// Calls under way when the first one is throttled are throttled too; they count once.
const SAME_WAVE: f64 = 0.5;
/// How fast the rate grows: by this part of itself each second.
const GROWTH: f64 = 0.2;
/// After so many seconds without throttling nothing is held back any more.
const FORGOTTEN: f64 = 60.0;

/// The bucket as plain data; times are seconds since its making.
#[derive(Debug, Default)]
struct Bucket {
    /// Calls a second; `None` while nothing is held back.
    rate: Option<f64>,
    /// What is left; below zero what is promised to calls that wait already.
    tokens: f64,
    refilled: f64,
    cut: f64,
    second: f64,
    in_second: f64,
    /// Calls a second, lately.
    measured: f64,
}

impl Bucket {
    /// Takes a token; how long to wait before the call, in seconds.
    fn take(&mut self, now: f64) -> f64 {
        self.count(now);
        let Some(rate) = self.rate else { return 0.0 };
        if now - self.cut > FORGOTTEN {
            self.rate = None;
            return 0.0;
        }
        let elapsed = now - self.refilled;
        let rate = rate * (1.0 + GROWTH * elapsed);
        self.rate = Some(rate);
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * rate).min(rate) - 1.0;
        (-self.tokens / rate).max(0.0)
    }

    fn count(&mut self, now: f64) {
        if now - self.second >= 1.0 {
            self.measured = self.in_second / (now - self.second);
            self.second = now;
            self.in_second = 0.0;
        }
        self.in_second += 1.0;
    }

    /// The endpoint refused a call because there are too many.
    fn throttled(&mut self, now: f64) {
        if self.rate.is_some() && now - self.cut < SAME_WAVE {
            return;
        }
        let sent = self.measured.max(self.in_second);
        let before = self.rate.map_or(sent, |rate| rate.min(sent.max(FLOOR)));
        self.rate = Some((before * CUT).max(FLOOR));
        self.tokens = self.tokens.min(0.0);
        self.refilled = now;
        self.cut = now;
    }
}

/// One endpoint's bucket, shared by the HTTP client (which waits) and the interceptor (which learns).
#[derive(Clone)]
pub struct Limiter {
    start: Instant,
    bucket: Arc<Mutex<Bucket>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { start: Instant::now(), bucket: Arc::default() }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limiter")
    }
}

impl Limiter {
    fn with<T>(&self, f: impl FnOnce(&mut Bucket, f64) -> T) -> T {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut bucket, self.start.elapsed().as_secs_f64())
    }

    /// The HTTP client that waits for the bucket before each request.
    pub fn http_client(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Limited { inner, limiter: self.clone() })
    }
}

#[dyn_dispatch_hint]
impl Intercept for Limiter {
    fn name(&self) -> &'static str {
        "Limiter"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(response) = context.response()
            && is_throttling(response.status().as_u16(), response.body().bytes().unwrap_or_default())
        {
            self.with(Bucket::throttled);
        }
        Ok(())
    }
}

/// Whether an answer says "too many": by its status, or by the code in its body (XML or JSON).
fn is_throttling(status: u16, body: &[u8]) -> bool {
    if status == 429 {
        return true;
    }
    let text = String::from_utf8_lossy(body);
    status >= 400 && THROTTLED.iter().any(|code| text.contains(code))
}

#[derive(Debug)]
struct Limited {
    inner: SharedHttpClient,
    limiter: Limiter,
}

impl HttpClient for Limited {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Waiting { inner, limiter: self.limiter.clone() })
    }
}

#[derive(Debug)]
struct Waiting {
    inner: SharedHttpConnector,
    limiter: Limiter,
}

impl HttpConnector for Waiting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wait = self.limiter.with(Bucket::take);
        if wait <= 0.0 {
            return self.inner.call(request);
        }
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(Duration::from_secs_f64(wait)).await;
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `calls` calls, each as soon as the one before was allowed, and answers the time at the end.
    fn send(bucket: &mut Bucket, start: f64, calls: u32) -> f64 {
        (0..calls).fold(start, |now, _| now + bucket.take(now))
    }

    #[test]
    fn nothing_is_held_back_before_throttling() {
        let mut bucket = Bucket::default();
        assert!(send(&mut bucket, 0.0, 1000).abs() < f64::EPSILON);
    }

    #[test]
    fn throttling_cuts_the_rate_once_a_wave() {
        let mut bucket = Bucket::default();
        send(&mut bucket, 0.0, 100);
        bucket.throttled(0.9);
        assert_eq!(bucket.rate, Some(70.0));
        bucket.throttled(1.0);
        assert_eq!(bucket.rate, Some(70.0));
        bucket.throttled(1.5);
        assert_eq!(bucket.rate, Some(49.0));
    }

    #[test]
    fn a_lone_caller_is_hardly_slowed() {
        let mut bucket = Bucket::default();
        bucket.take(0.0);
        bucket.throttled(0.1);
        assert_eq!(bucket.rate, Some(FLOOR));
        assert!(send(&mut bucket, 0.1, 10) < 2.5);
    }

    #[test]
    fn the_rate_grows_and_is_forgotten() {
        let mut bucket = Bucket::default();
        send(&mut bucket, 0.0, 100);
        bucket.throttled(0.9);
        bucket.take(6.0);
        assert!(bucket.rate.is_some_and(|rate| rate > 120.0), "{:?}", bucket.rate);
        bucket.take(62.0);
        assert_eq!(bucket.rate, None);
    }

    #[test]
    fn waiting_calls_queue_up() {
        let mut bucket = Bucket::default();
        bucket.take(0.0);
        bucket.throttled(0.0);
        let waits: Vec<f64> = (0..20).map(|_| bucket.take(0.0)).collect();
        assert!(waits.is_sorted());
        assert!((waits[19] - 4.0).abs() < 0.01, "20 calls at 5 a second: {waits:?}");
    }

    #[test]
    fn throttling_is_read_from_status_and_body() {
        for (status, body, expected) in [
            (503, "<Code>RequestLimitExceeded</Code>", true),
            (400, "<Code>Throttling</Code>", true),
            (429, "", true),
            (400, "{\"__type\":\"ThrottlingException\"}", true),
            (503, "<Code>ServiceUnavailable</Code>", false),
            (200, "Throttling", false),
        ] {
            assert_eq!(is_throttling(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
