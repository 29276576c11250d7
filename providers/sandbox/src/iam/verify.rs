//! Who signed a request, with all that is checked about it, worded as each service does.

use super::identify::identify;
use super::signature::{Fault, Parts, Signed};
use crate::aws::{ApiError, Caller, Service};
use crate::world::World;

/// Who signed; with `verify_signatures` also whether key, secret and session token are right. Times are the caller's business.
///
/// # Errors
/// `InvalidClientTokenId`, `ExpiredToken`, `SignatureDoesNotMatch`, `IncompleteSignature`, in the words of STS.
pub(super) fn authenticate(world: &World, signed: &Signed, parts: &Parts) -> Result<Caller, ApiError> {
    let caller = identify(world, &signed.access_key)?;
    if world.settings.verify_signatures {
        let secret = secret(world, signed).ok_or_else(super::identify::invalid)?;
        signed.check(parts, secret).map_err(|fault| worded(Service::Sts, &fault))?;
    }
    Ok(caller)
}

/// The secret of the key that signed; `None` when there is no such key, or the session token is not the session's.
fn secret<'a>(world: &'a World, signed: &Signed) -> Option<&'a str> {
    if let Some(key) = world.iam.access_keys.get(&signed.access_key) {
        return Some(&key.secret);
    }
    let session = world.iam.sessions.get(&signed.access_key)?;
    (signed.token.as_ref() == Some(&session.token)).then_some(session.secret.as_str())
}

/// Operations of STS that need no signature: the token in them is the proof.
const UNSIGNED: [&str; 2] = ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];

/// Nobody.
fn anonymous() -> Caller {
    Caller { arn: "*".to_owned(), user_id: String::new(), account: "anonymous".to_owned(), access_key: String::new() }
}

/// Who sends a request to a service.
///
/// # Errors
/// With `verify_signatures`, everything about the signature; without, only keys and sessions that are known to be no good.
pub fn caller(world: &World, service: Service, operation: &str, parts: &Parts) -> Result<Caller, ApiError> {
    if UNSIGNED.contains(&operation) {
        return Ok(anonymous());
    }
    let signed = match Signed::read(parts) {
        Ok(signed) => signed,
        Err(fault) if world.settings.verify_signatures => return Err(worded(service, &fault)),
        Err(_) => return identify(world, "").map_err(|error| translated(service, error)),
    };
    if world.settings.verify_signatures {
        signed.check_time(world.now).map_err(|fault| worded(service, &fault))?;
        if signed.service != service.name() {
            let why = format!("Credential should be scoped to correct service: '{}'. ", service.name());
            return Err(translated(service, ApiError::new("SignatureDoesNotMatch", why).with_status(403)));
        }
    }
    authenticate(world, &signed, parts).map_err(|error| translated(service, error))
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                        Access Key and signing method. Consult the service documentation for details.";

/// What a service says to a bad signature.
fn worded(service: Service, fault: &Fault) -> ApiError {
    let error = match fault {
        Fault::Missing if service == Service::Eks => {
            ApiError::new("MissingAuthenticationToken", "Missing Authentication Token")
        }
        Fault::Missing => ApiError::new("MissingAuthenticationToken", "Request is missing Authentication Token"),
        Fault::Incomplete(why) => return translated(service, ApiError::new("IncompleteSignature", why.as_str())),
        Fault::Expired(_) if service == Service::Ec2 => return ApiError::new("RequestExpired", "Request has expired."),
        Fault::Expired(why) | Fault::Early(why) => ApiError::new("SignatureDoesNotMatch", why.as_str()),
        Fault::Mismatch => ApiError::new("SignatureDoesNotMatch", MISMATCH),
    };
    translated(service, error.with_status(403))
}

/// A refusal in STS's words as another service words it: EC2 says AuthFailure to anybody whom it does not know, EKS has names that
/// end in `Exception`.
fn translated(service: Service, error: ApiError) -> ApiError {
    let ApiError { code, message, status, .. } = error;
    match (service, code.as_str()) {
        (Service::Ec2, "InvalidClientTokenId" | "SignatureDoesNotMatch") => {
            ApiError::new("AuthFailure", "AWS was not able to validate the provided access credentials")
                .with_status(401)
        }
        (Service::Ec2, "ExpiredToken") => ApiError::new("RequestExpired", "Request has expired."),
        (Service::Eks, "InvalidClientTokenId") => {
            ApiError::new("UnrecognizedClientException", message).with_status(403)
        }
        (Service::Eks, "SignatureDoesNotMatch") => ApiError::new("InvalidSignatureException", message).with_status(403),
        (Service::Eks, code) => ApiError::new(format!("{code}Exception"), message).with_status(status),
        _ => ApiError::new(code, message).with_status(status),
    }
}
