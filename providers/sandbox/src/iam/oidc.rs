//! OpenID Connect providers.

use serde_json::{Value, json};

use super::common::{date, exists, input, limit, no_such, sized, tag_list, tags};
use super::rows::OidcProvider;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateOpenIDConnectProvider", run: create_provider },
    Operation { name: "GetOpenIDConnectProvider", run: get_provider },
    Operation { name: "ListOpenIDConnectProviders", run: list_providers },
    Operation { name: "DeleteOpenIDConnectProvider", run: delete_provider },
    Operation { name: "UpdateOpenIDConnectProviderThumbprint", run: update_thumbprint },
    Operation { name: "AddClientIDToOpenIDConnectProvider", run: add_client_id },
    Operation { name: "RemoveClientIDFromOpenIDConnectProvider", run: remove_client_id },
];

const MOST_PROVIDERS: usize = 100;
const MOST_CLIENT_IDS: usize = 100;
const MOST_THUMBPRINTS: usize = 5;

/// When no thumbprint was sent, IAM stores that of the authority behind the issuer's certificate; a simulated issuer has none, so
/// this is Amazon Root CA 1's.
const DEFAULT_THUMBPRINT: &str = "8da7f965ec5efc37910f1c6e59fdc1cc6a6ede16";

/// The provider that a call names.
pub(super) fn named<'a>(world: &'a World, call: &Call) -> Result<&'a OidcProvider, ApiError> {
    let arn = sized(call, "OpenIDConnectProviderArn", 2048)?;
    if !arn.contains(":oidc-provider/") {
        return Err(input(format!("Invalid ARN: {arn}")));
    }
    let provider = world.iam.oidc_providers.get(&arn);
    provider.ok_or_else(|| no_such(format!("OpenIDConnect Provider not found for arn {arn}")))
}

/// The issuer without `https://`. A query and a port are not allowed, a host is needed.
fn url(call: &Call) -> Result<String, ApiError> {
    let url = sized(call, "Url", 255)?;
    let rest = url.strip_prefix("https://").ok_or_else(|| input("Invalid Open ID Connect Provider URL"))?;
    let host = rest.split('/').next().unwrap_or_default();
    // A simulated cluster's issuer may be on loopback, with a port.
    let is_loopback = host.starts_with("127.0.0.1") || host.starts_with("localhost");
    if host.is_empty() || rest.contains(['?', '#', ' ']) || (host.contains(':') && !is_loopback) {
        return Err(input("Invalid Open ID Connect Provider URL"));
    }
    Ok(rest.trim_end_matches('/').to_owned())
}

fn thumbprints(call: &Call) -> Result<Vec<String>, ApiError> {
    let thumbprints = call.texts("ThumbprintList");
    if thumbprints.len() > MOST_THUMBPRINTS {
        return Err(input(format!("Thumbprint list must contain fewer than {MOST_THUMBPRINTS} entries.")));
    }
    for thumbprint in &thumbprints {
        if thumbprint.len() != 40 || !thumbprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let why = "Member must have length greater than or equal to 40";
            return Err(ApiError::invalid(call.service, "ThumbprintList", &format!("[{thumbprint}]"), why));
        }
    }
    Ok(thumbprints)
}

fn check_client_id(id: &str) -> Result<(), ApiError> {
    if id.is_empty() || id.len() > 255 { Err(input(format!("Invalid client ID: {id}"))) } else { Ok(()) }
}

fn create_provider(world: &mut World, call: &Call) -> Answer {
    let (url, mut thumbprints, tags) = (url(call)?, thumbprints(call)?, tags(call)?);
    let mut client_ids = call.texts("ClientIDList");
    client_ids.iter().try_for_each(|id| check_client_id(id))?;
    client_ids.dedup();
    if client_ids.len() > MOST_CLIENT_IDS {
        return Err(limit(format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENT_IDS}")));
    }
    let arn = format!("arn:aws:iam::{}:oidc-provider/{url}", world.settings.account);
    if world.iam.oidc_providers.contains(&arn) {
        return Err(exists(format!("Provider with url https://{url} already exists.")));
    }
    if world.iam.oidc_providers.len() >= MOST_PROVIDERS {
        return Err(limit(format!("Cannot exceed quota for OpenIdConnectProvidersPerAccount: {MOST_PROVIDERS}")));
    }
    if thumbprints.is_empty() {
        thumbprints.push(DEFAULT_THUMBPRINT.to_owned());
    }
    let answer = json!({ "OpenIDConnectProviderArn": arn, "Tags": tag_list(&tags) });
    let provider = OidcProvider { arn: arn.clone(), url, client_ids, thumbprints, created: world.now, tags };
    world.iam.oidc_providers.insert(arn, provider);
    Ok(answer)
}

fn get_provider(world: &mut World, call: &Call) -> Answer {
    let provider = named(world, call)?;
    Ok(json!({
        "Url": provider.url,
        "ClientIDList": provider.client_ids,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": date(provider.created),
        "Tags": tag_list(&provider.tags),
    }))
}

fn list_providers(world: &mut World, _call: &Call) -> Answer {
    let arns: Vec<Value> = world.iam.oidc_providers.iter().map(|(arn, _)| json!({ "Arn": arn })).collect();
    Ok(json!({ "OpenIDConnectProviderList": arns }))
}

/// Deleting one that is not there is no error (API reference: "idempotent").
fn delete_provider(world: &mut World, call: &Call) -> Answer {
    let arn = sized(call, "OpenIDConnectProviderArn", 2048)?;
    if !arn.contains(":oidc-provider/") {
        return Err(input(format!("Invalid ARN: {arn}")));
    }
    world.iam.oidc_providers.remove(&arn);
    Ok(Value::Null)
}

fn update_thumbprint(world: &mut World, call: &Call) -> Answer {
    let (arn, thumbprints) = (named(world, call)?.arn.clone(), thumbprints(call)?);
    if thumbprints.is_empty() {
        return Err(ApiError::missing(call.service, "ThumbprintList"));
    }
    world.iam.oidc_providers.update(&arn, |provider| provider.thumbprints = thumbprints);
    Ok(Value::Null)
}

fn add_client_id(world: &mut World, call: &Call) -> Answer {
    let provider = named(world, call)?;
    let (arn, id) = (provider.arn.clone(), sized(call, "ClientID", 255)?);
    if provider.client_ids.contains(&id) {
        return Ok(Value::Null);
    }
    if provider.client_ids.len() >= MOST_CLIENT_IDS {
        return Err(limit(format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENT_IDS}")));
    }
    world.iam.oidc_providers.update(&arn, |provider| provider.client_ids.push(id));
    Ok(Value::Null)
}

/// Removing one that is not there is no error (API reference: "idempotent").
fn remove_client_id(world: &mut World, call: &Call) -> Answer {
    let (arn, id) = (named(world, call)?.arn.clone(), sized(call, "ClientID", 255)?);
    world.iam.oidc_providers.update(&arn, |provider| provider.client_ids.retain(|known| *known != id));
    Ok(Value::Null)
}
