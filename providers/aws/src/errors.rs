//! What AWS answers when it refuses, and what a person is told then.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::{client::result::SdkError, http::Response};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use sgp_contract::Applied;
use sgp_model::{Diagnostic, Diagnostics, Value};

/// Where on its way a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service answered with an error.
    Service,
    /// No answer in time; the request may have been served.
    Timeout,
    /// The endpoint could not be reached or hung up; the request may have been served.
    Connection,
    /// There are no credentials that work.
    Credentials,
    /// The answer could not be understood; the request may have been served.
    Answer,
    /// Somebody who is not AWS (a proxy) refused the request.
    Stranger,
    /// The request was never sent: an argument is missing or malformed.
    Request,
}

/// A failed API call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation}: {}{message}", code.as_deref().map(|c| format!("{c}: ")).unwrap_or_default())]
pub struct ApiError {
    /// The call as an IAM action: `ec2:CreateSecurityGroup`.
    pub operation: &'static str,
    /// Where it failed.
    pub kind: ErrorKind,
    /// The service's error code: `InvalidGroup.NotFound`.
    pub code: Option<String>,
    /// What the service or the transport said.
    pub message: String,
    /// For AWS support.
    pub request_id: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
}

/// Turns the SDK's results into ours: `client.describe_vpcs().send().await.call("ec2:DescribeVpcs")?`.
pub trait Call<T> {
    /// Names the call that failed, as an IAM action.
    fn call(self, operation: &'static str) -> Result<T, ApiError>;
}

impl<T, E> Call<T> for Result<T, SdkError<E, Response>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn call(self, operation: &'static str) -> Result<T, ApiError> {
        self.map_err(|error| ApiError::new(operation, &error))
    }
}

pub(crate) const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "Client.UnauthorizedOperation",
];

const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

const UNTRUSTED: &[&str] = &[
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl ApiError {
    /// Reads everything of use out of an SDK error.
    pub fn new<E>(operation: &'static str, error: &SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let credentials = find_source::<CredentialsError>(error);
        let service = error.as_service_error();
        let kind = match error {
            _ if credentials.is_some() => ErrorKind::Credentials,
            SdkError::ServiceError(_) if service.is_some_and(|e| e.code().is_none()) => unworded(error.raw_response()),
            SdkError::ConstructionFailure(_) => ErrorKind::Request,
            SdkError::TimeoutError(_) => ErrorKind::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => ErrorKind::Timeout,
            SdkError::DispatchFailure(_) => ErrorKind::Connection,
            SdkError::ServiceError(_) => ErrorKind::Service,
            _ => ErrorKind::Answer,
        };
        let status = error.raw_response().map(|r| r.status().as_u16());
        let message = match (service.and_then(|e| e.message()), credentials) {
            (Some(said), _) => said.to_owned(),
            (None, Some(credentials)) => causes(credentials),
            (None, None) if kind != ErrorKind::Connection && status.is_some_and(|s| s >= 300) => format!(
                "The answer (HTTP status {}) is none of AWS's: {}",
                status.map_or_else(|| "unknown".to_owned(), |s| s.to_string()),
                beginning(error.raw_response().and_then(|r| r.body().bytes()).unwrap_or_default())
            ),
            (None, None) => {
                causes(error).trim_start_matches("dispatch failure: ").trim_start_matches("user error: ").into()
            }
        };
        Self {
            operation,
            kind,
            code: service.and_then(|e| e.code().map(str::to_owned)),
            message,
            request_id: error.request_id().or_else(|| service?.meta().request_id()).map(str::to_owned),
            status,
        }
    }

    /// The service's code, or an empty text.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Whether the service answered with one of these codes.
    pub fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code())
    }

    /// Whether the object (or something it was looked up by) does not exist.
    pub fn is_not_found(&self) -> bool {
        let code = self.code();
        code.ends_with(".NotFound")
            || code.ends_with(".NotFoundException")
            || matches!(
                code,
                "NoSuchEntity" | "NoSuchEntityException" | "ResourceNotFoundException" | "NotFoundException"
            )
    }

    /// Whether the service asked to slow down.
    pub fn is_throttled(&self) -> bool {
        self.is(THROTTLED) || self.status == Some(429)
    }

    /// Whether the caller may not do this, which waiting does not change.
    pub fn is_denied(&self) -> bool {
        self.is(DENIED)
    }

    /// Whether the same call may well work a little later: no answer, a cut connection, a server's fault, throttling.
    pub fn is_transient(&self) -> bool {
        self.may_have_been_served() || self.is_throttled()
    }

    /// Whether the request may have taken effect although it failed: no answer, half an answer, a server's fault.
    pub fn may_have_been_served(&self) -> bool {
        match self.kind {
            ErrorKind::Timeout | ErrorKind::Connection | ErrorKind::Answer => true,
            ErrorKind::Service => self.status.is_some_and(|s| s >= 500) && !self.is_throttled(),
            ErrorKind::Credentials | ErrorKind::Request | ErrorKind::Stranger => false,
        }
    }

    /// What the person can do about it, in a sentence or two; empty when AWS's own words say it all.
    fn hint(&self) -> String {
        match self.kind {
            ErrorKind::Credentials => crate::client::CREDENTIALS_HINT.to_owned(),
            ErrorKind::Timeout => "The endpoint did not answer in time. Check the network, the proxy settings (HTTPS_PROXY) and the \
                 region; the next run finds out whether the request was served."
                .to_owned(),
            ErrorKind::Connection => "The endpoint could not be reached. Check the region, the `endpoints` of the provider, \
                 AWS_ENDPOINT_URL and the network; in a private subnet an interface endpoint or a NAT gateway is needed."
                .to_owned(),
            ErrorKind::Answer | ErrorKind::Stranger => "The endpoint answered something that is not what this API answers. A proxy or a wrong endpoint \
                 does that."
                .to_owned(),
            ErrorKind::Request => String::new(),
            ErrorKind::Service => self.service_hint(),
        }
    }

    fn service_hint(&self) -> String {
        if self.is(DENIED) {
            let mut hint = format!("The credentials in use need the IAM action `{}`.", self.operation);
            if self.message.contains("Encoded authorization failure") {
                hint.push_str(" `aws sts decode-authorization-message` says which statement refused it.");
            }
            hint
        } else if self.is(EXPIRED) {
            "The session's credentials have expired. Renew them (`aws sso login`, or a new role session) and run again; what was \
             done so far is recorded."
                .to_owned()
        } else if self.is(UNTRUSTED) {
            "AWS does not know or trust these credentials. Check the access key, the session token, the profile, and that this \
             machine's clock is right."
                .to_owned()
        } else if self.is_throttled() {
            "AWS still throttled this call after all retries. Lower -parallelism or raise `max_retries` of the provider.".to_owned()
        } else if self.is(&["OptInRequired", "SubscriptionRequiredException"]) {
            "The account is not enabled for this service or region.".to_owned()
        } else {
            String::new()
        }
    }

    fn summary(&self) -> String {
        match self.kind {
            ErrorKind::Credentials => "No AWS credentials".to_owned(),
            ErrorKind::Timeout => format!("{} timed out", self.operation),
            ErrorKind::Connection => format!("{} did not reach AWS", self.operation),
            ErrorKind::Service if self.is(DENIED) => format!("{} is not allowed", self.operation),
            _ => format!("{} failed", self.operation),
        }
    }
}

impl From<ApiError> for Diagnostic {
    fn from(error: ApiError) -> Self {
        let said = match &error.code {
            Some(code) if error.message.is_empty() => code.clone(),
            Some(code) => format!("{code}: {}", error.message),
            None if error.message.is_empty() => "AWS gave no reason.".to_owned(),
            None => error.message.clone(),
        };
        let hint = error.hint();
        let id = error.request_id.as_ref().map(|id| format!("\n\nRequest id: {id}")).unwrap_or_default();
        let gap = if hint.is_empty() { "" } else { "\n\n" };
        Self::error(error.summary(), format!("{said}{gap}{hint}{id}"))
    }
}

impl From<ApiError> for Diagnostics {
    fn from(error: ApiError) -> Self {
        Diagnostic::from(error).into()
    }
}

/// What an error without a code is: a page of somebody else's, or an answer that was cut off before its words.
fn unworded(response: Option<&Response>) -> ErrorKind {
    let is_page = |r: &Response| r.status().is_client_error() && r.body().bytes().is_some_and(|body| !body.is_empty());
    if response.is_some_and(is_page) { ErrorKind::Stranger } else { ErrorKind::Answer }
}

/// The beginning of a body for people; says so when there is none.
fn beginning(body: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        _ if text.is_empty() => "it is empty.".to_owned(),
        Some((end, _)) => format!("{:?} ...", &text[..end]),
        None => format!("{text:?}."),
    }
}

/// The first error of a type in the chain of causes.
pub fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(found) = e.downcast_ref::<T>() {
            return Some(found);
        }
        next = e.source();
    }
    None
}

/// What STS said when it refused a role, which the SDK prints as its own insides.
fn refusal(error: &(dyn Error + 'static)) -> Option<String> {
    use aws_sdk_sts::operation::{
        assume_role::AssumeRoleError, assume_role_with_web_identity::AssumeRoleWithWebIdentityError,
    };
    let meta = error
        .downcast_ref::<AssumeRoleError>()
        .map(ProvideErrorMetadata::meta)
        .or_else(|| error.downcast_ref::<AssumeRoleWithWebIdentityError>().map(ProvideErrorMetadata::meta))?;
    Some(format!("{}: {}", meta.code()?, meta.message()?))
}

/// The chain of causes in one line, without repeating a message that contains the next one.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(e) = next {
        let text = refusal(e).unwrap_or_else(|| e.to_string());
        if !text.is_empty() && !said.iter().any(|s| s.contains(&text)) {
            said.push(text);
        }
        next = e.source();
    }
    said.join(": ")
}

/// Why an operation on an object failed, and what of the object is left.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The object as it is now; `None` when nothing exists.
    pub object: Option<Value>,
    /// Why.
    pub diagnostics: Diagnostics,
    /// Whether the call that failed may have been served.
    pub in_doubt: bool,
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { object: None, diagnostics: diagnostic.into(), in_doubt: false }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let in_doubt = error.may_have_been_served();
        Self { in_doubt, ..Diagnostic::from(error).into() }
    }
}

/// Says what is left behind when the next step of an operation fails.
pub trait Leaving<T> {
    /// On failure the object is there, as given (unless an earlier step already said so).
    fn leaving(self, object: &Value) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Leaving<T> for Result<T, E> {
    fn leaving(self, object: &Value) -> Result<T, Failure> {
        self.map_err(|error| {
            let failure = error.into();
            Failure { object: failure.object.or_else(|| Some(object.clone())), ..failure }
        })
    }
}

/// The answer of an operation: the object (`None` after a deletion), or the failure.
pub fn applied(result: Result<Option<Value>, Failure>) -> Applied {
    match result {
        Ok(object) => Applied { object, diagnostics: Diagnostics::new(), in_doubt: false },
        Err(failure) => {
            Applied { object: failure.object, diagnostics: failure.diagnostics, in_doubt: failure.in_doubt }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An answer of a service with this code.
    pub(crate) fn service_error(operation: &'static str, code: &str) -> ApiError {
        ApiError {
            operation,
            kind: ErrorKind::Service,
            code: Some(code.into()),
            message: "said so".into(),
            request_id: Some("r-1".into()),
            status: Some(400),
        }
    }

    #[test]
    fn codes_are_understood() {
        let is = |code: &str| service_error("ec2:X", code);
        for code in [
            "InvalidGroup.NotFound",
            "NoSuchEntity",
            "ResourceNotFoundException",
            "InvalidLaunchTemplateName.NotFoundException",
        ] {
            assert!(is(code).is_not_found(), "{code}");
        }
        for code in ["RequestLimitExceeded", "Throttling", "ThrottlingException"] {
            assert!(is(code).is_throttled() && is(code).is_transient(), "{code}");
        }
        for code in ["UnauthorizedOperation", "InvalidGroup.Duplicate"] {
            assert!(!is(code).is_not_found() && !is(code).is_transient(), "{code}");
        }
    }

    #[test]
    fn a_call_without_a_clear_answer_may_have_been_served() {
        let error = |kind, status| ApiError { kind, status, ..service_error("ec2:X", "InternalError") };
        for (kind, status, expected) in [
            (ErrorKind::Timeout, None, true),
            (ErrorKind::Connection, None, true),
            (ErrorKind::Answer, Some(200), true),
            (ErrorKind::Answer, Some(409), true),
            (ErrorKind::Stranger, Some(403), false),
            (ErrorKind::Service, Some(500), true),
            (ErrorKind::Service, Some(400), false),
            (ErrorKind::Credentials, None, false),
        ] {
            let error = error(kind, status);
            assert_eq!(error.may_have_been_served(), expected, "{error:?}");
            assert_eq!(Failure::from(error).in_doubt, expected);
        }
        let throttled = ApiError { status: Some(503), ..service_error("ec2:X", "RequestLimitExceeded") };
        assert!(!throttled.may_have_been_served() && throttled.is_transient());
    }

    #[test]
    fn a_body_that_is_none_of_awss_is_quoted() {
        for (body, said) in [
            ("", "it is empty."),
            ("<html>\n  no", "\"<html> no\"."),
            (&"x".repeat(200), &*format!("{:?} ...", "x".repeat(120))),
        ] {
            assert_eq!(beginning(body.as_bytes()), said);
        }
    }

    #[test]
    fn a_refusal_names_the_action() {
        let d = Diagnostic::from(service_error("ec2:CreateSecurityGroup", "UnauthorizedOperation"));
        assert_eq!(d.summary, "ec2:CreateSecurityGroup is not allowed");
        assert_eq!(
            d.detail,
            "UnauthorizedOperation: said so\n\nThe credentials in use need the IAM action `ec2:CreateSecurityGroup`.\n\nRequest id: r-1"
        );
    }

    #[test]
    fn the_first_word_on_what_is_left_counts() {
        let inner: Result<(), Failure> = Err(Failure::from(Diagnostic::error("a", "b"))).leaving(&"first".into());
        let outer = inner.leaving(&"second".into()).unwrap_err();
        assert_eq!(outer.object, Some("first".into()));
    }
}
