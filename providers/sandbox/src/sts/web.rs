//! AssumeRoleWithWebIdentity: a token of a registered OpenID Connect provider in place of a signature.
//!
//! Source: AWS STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "Available keys for AWS OIDC federation".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::session::{New, assumed, denied, packed_size, policies, role, role_secs, session_name, start};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::iam::context::Context;
use crate::iam::rows::{OidcProvider, Role, Tags};
use crate::iam::trust::{Trust, Who, trust};
use crate::kubernetes::api::tokens;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "AssumeRoleWithWebIdentity", run: assume_role_with_web_identity }];

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// What a token claims.
struct Claims {
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    all: Map<String, Value>,
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidIdentityToken", message)
}

fn assume_role_with_web_identity(world: &mut World, call: &Call) -> Answer {
    let (_, role) = role(world, call)?;
    let name = session_name(call, "RoleSessionName")?;
    super::session::duration(call, 43_200)?;
    let token = call.required("WebIdentityToken")?;
    let claims = claims(&token)?;
    let provider = provider(world, &claims)?;
    let audience = audience(provider, &claims)?;
    check_times(world, &claims)?;
    check_signature(world, &claims, &token)?;
    let refused = || denied(format!("Not authorized to perform {ACTION}"));
    let role = role.ok_or_else(refused)?;
    check_trust(world, call, role, provider, &claims, &audience, &name)?;
    let secs = role_secs(call, role)?;
    let policies = policies(world, call)?;
    let (user, arn, user_id) = assumed(world, role, &name);
    let mut answer = Map::new();
    packed_size(&mut answer, &policies, &Tags::new());
    answer.insert("AssumedRoleUser".to_owned(), user);
    answer.insert("SubjectFromWebIdentityToken".to_owned(), claims.subject.into());
    answer.insert("Provider".to_owned(), provider.arn.clone().into());
    answer.insert("Audience".to_owned(), audience.into());
    let federated = Some(provider.arn.clone());
    let new = New { arn, user_id, role: Some(role.name.clone()), policies, federated, secs, ..New::default() };
    answer.insert("Credentials".to_owned(), start(world, new));
    Ok(Value::Object(answer))
}

/// Reads the token's claims; whether they are true is asked later.
fn claims(token: &str) -> Result<Claims, ApiError> {
    let no_token =
        || invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, _] = parts[..] else { return Err(no_token()) };
    let object = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    };
    let (Some(_), Some(all)) = (object(header), object(payload)) else { return Err(no_token()) };
    let text = |name: &str| {
        let value = all.get(name).and_then(Value::as_str).map(str::to_owned);
        value.ok_or_else(|| invalid(format!("Missing a required claim: {name}")))
    };
    let audiences = match all.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return Err(invalid("Missing a required claim: aud")),
    };
    let (issuer, subject) = (text("iss")?, text("sub")?);
    Ok(Claims { issuer, subject, audiences, all })
}

fn provider<'a>(world: &'a World, claims: &Claims) -> Result<&'a OidcProvider, ApiError> {
    let provider = claims
        .issuer
        .starts_with("https://")
        .then(|| world.iam.oidc_provider_of_issuer(&world.settings.account, &claims.issuer));
    provider
        .flatten()
        .ok_or_else(|| invalid(format!("No OpenIDConnect provider found in your account for {}", claims.issuer)))
}

/// The audience that both token and provider know.
fn audience(provider: &OidcProvider, claims: &Claims) -> Result<String, ApiError> {
    let known = claims.audiences.iter().find(|audience| provider.client_ids.contains(audience));
    known.cloned().ok_or_else(|| invalid("Incorrect token audience"))
}

fn check_times(world: &World, claims: &Claims) -> Result<(), ApiError> {
    let time = |name: &str| claims.all.get(name).and_then(Value::as_i64);
    let now = world.now.as_second();
    let Some(expires) = time("exp") else { return Err(invalid("Missing a required claim: exp")) };
    if expires <= now {
        let why = format!("Token expired: current date/time {now} must be before the expiration date/time {expires}");
        return Err(ApiError::new("ExpiredTokenException", why));
    }
    match time("nbf") {
        Some(from) if from > now + 300 => Err(invalid("The ID token is not valid yet (nbf)")),
        _ => Ok(()),
    }
}

fn check_trust(
    world: &World,
    call: &Call,
    role: &Role,
    provider: &OidcProvider,
    claims: &Claims,
    audience: &str,
    name: &str,
) -> Result<(), ApiError> {
    let mut context = Context::default();
    context.set(&format!("{}:aud", provider.url), audience);
    context.set(&format!("{}:sub", provider.url), claims.subject.clone());
    for claim in ["amr", "azp", "email"] {
        if let Some(value) = claims.all.get(claim).and_then(Value::as_str) {
            context.set(&format!("{}:{claim}", provider.url), value);
        }
    }
    context.set("sts:RoleSessionName", name);
    context.set("aws:FederatedProvider", provider.arn.clone());
    context.set(
        "aws:RequestedRegion",
        if call.region.is_empty() { &world.settings.region } else { &call.region }.as_str(),
    );
    context.set("aws:CurrentTime", world.now.to_string());
    context.set("aws:EpochTime", world.now.as_second().to_string());
    context.set("aws:SecureTransport", "true");
    context.set("aws:SourceIp", "127.0.0.1");
    match trust(role, &Who::Federated(&provider.arn), ACTION, &context) {
        Trust::Caller | Trust::Account => Ok(()),
        Trust::Denied | Trust::Nothing => Err(denied(format!("Not authorized to perform {ACTION}"))),
    }
}

/// Tokens of the sandbox's own clusters are checked with the cluster's key. Other issuers' keys lie beyond loopback: their tokens
/// are taken as they are.
fn check_signature(world: &World, claims: &Claims, token: &str) -> Result<(), ApiError> {
    let cluster = world.eks.clusters.iter().find(|(_, cluster)| cluster.issuer == claims.issuer);
    match cluster {
        Some((name, _)) if tokens::verify(world, name, token).is_none() => {
            Err(invalid("The ID Token provided is not signed with a key of its issuer."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::Service;
    use crate::kubernetes::cluster::Cluster;
    use crate::testing::{query, world};

    const ISSUER: &str = "oidc.eks.us-east-1.amazonaws.com/id/A";

    /// A world with a cluster, its provider, and a role for one service account.
    fn with_cluster() -> World {
        let mut world = world();
        let mut row = crate::eks::samples::cluster(&world, "demo");
        row.issuer = format!("https://{ISSUER}");
        world.eks.clusters.insert("demo", row);
        world.kubernetes.clusters.insert("demo", Cluster::new("demo").unwrap());
        let (url, provider) =
            (format!("https://{ISSUER}"), format!("arn:aws:iam::123456789012:oidc-provider/{ISSUER}"));
        let trust = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": { "Federated": provider }, "Action": ACTION,
            "Condition": {
                "StringEquals": { (format!("{ISSUER}:aud")): "sts.amazonaws.com" },
                "StringLike": { (format!("{ISSUER}:sub")): "system:serviceaccount:apps:*" },
            },
        } });
        let mut iam =
            |operation: &str, pairs: &[(&str, &str)]| query(&mut world, Service::Iam, operation, pairs).unwrap();
        iam("CreateOpenIDConnectProvider", &[("Url", &url), ("ClientIDList.member.1", "sts.amazonaws.com")]);
        iam("CreateRole", &[("RoleName", "pod"), ("AssumeRolePolicyDocument", &trust.to_string())]);
        world
    }

    #[test]
    fn tokens_of_clusters() {
        let mut world = with_cluster();
        let now = world.now.as_second();
        let claims = |subject: &str, expires: i64| json!({ "iss": format!("https://{ISSUER}"), "aud": ["sts.amazonaws.com"], "sub": subject, "exp": expires });
        let (app, other) = ("system:serviceaccount:apps:web", "system:serviceaccount:default:web");
        let mut sign = |claims: &Value| tokens::sign(&mut world, "demo", claims).unwrap();
        let good = sign(&claims(app, now + 600));
        let forged = format!("{}.AAAA", good.rsplit_once('.').unwrap().0);
        let rows = [
            (sign(&claims(other, now + 600)), "AccessDenied"),
            (sign(&claims(app, now)), "ExpiredTokenException"),
            (forged, "InvalidIdentityToken"),
        ];
        let role = "arn:aws:iam::123456789012:role/pod";
        let mut assume = |token: &str| {
            let pairs = [("RoleArn", role), ("RoleSessionName", "s1"), ("WebIdentityToken", token)];
            query(&mut world, Service::Sts, "AssumeRoleWithWebIdentity", &pairs)
        };
        let answer = assume(&good).unwrap();
        assert_eq!(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::123456789012:assumed-role/pod/s1");
        assert_eq!(answer["SubjectFromWebIdentityToken"], app);
        for (token, code) in rows {
            assert_eq!(assume(&token).unwrap_err().code, code);
        }
    }
}
