//! OIDC identity providers of clusters: one at most of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster_changes::{Change, check_active};
use super::model::{Status, key};
use super::request::{
    arn, cluster_of, in_use, invalid, limit, listing, not_found, status, tags, text_map, told, without_nulls,
};
use super::updates::{self, Effect, New, Target};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::ec2::tags::Tags;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "AssociateIdentityProviderConfig", run: associate },
    Operation { name: "DescribeIdentityProviderConfig", run: describe },
    Operation { name: "ListIdentityProviderConfigs", run: list },
    Operation { name: "DisassociateIdentityProviderConfig", run: disassociate },
];

/// An OIDC identity provider of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// The cluster's name.
    pub cluster: String,
    /// Its own name.
    pub name: String,
    /// `arn:aws:eks:REGION:ACCOUNT:identityproviderconfig/CLUSTER/oidc/NAME/UUID`.
    pub arn: String,
    /// `CREATING`, `ACTIVE` or `DELETING`.
    pub status: Status,
    /// `https://...`.
    pub issuer_url: String,
    /// The audience of its tokens.
    pub client_id: String,
    /// `usernameClaim`, `usernamePrefix`, `groupsClaim`, `groupsPrefix`, as far as they were said.
    pub claims: BTreeMap<String, String>,
    /// Claims that tokens must have.
    pub required_claims: BTreeMap<String, String>,
    /// Its tags.
    pub tags: Tags,
}

const CLAIMS: [&str; 4] = ["usernameClaim", "usernamePrefix", "groupsClaim", "groupsPrefix"];

/// An association is done.
pub(super) fn appear(world: &mut World, cluster: &str, name: &str) {
    world.eks.identity_providers.update(&key(cluster, name), |row| row.status = Status::Active);
}

/// A disassociation is done.
pub(super) fn disappear(world: &mut World, cluster: &str, name: &str) {
    world.eks.identity_providers.remove(&key(cluster, name));
}

fn associate(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(mut update) = updates::started_before(world, call)? {
            update["tags"] = json!(tags(call)?);
            return Ok(update);
        }
        let cluster = cluster_of(world, call)?.clone();
        let row = read(world, call, &cluster.name)?;
        updates::check_none_runs(world, &cluster.name, "AssociateIdentityProviderConfig")?;
        check_active(&cluster, "AssociateIdentityProviderConfig")?;
        let told = json!([{ "type": "oidc", "name": row.name }]).to_string();
        let new = New {
            target: Target::Cluster(cluster.name.clone()),
            kind: "AssociateIdentityProviderConfig",
            params: vec![("IdentityProviderConfig", told)],
            effect: Effect::Cluster(Box::new(Change::IdentityProvider(row.name.clone()))),
        };
        let tags = row.tags.clone();
        world.eks.identity_providers.insert(key(&cluster.name, &row.name), row);
        let mut answer = updates::start(world, call, new)?;
        answer["tags"] = json!(tags);
        Ok(answer)
    })
}

fn read(world: &mut World, call: &Call, cluster: &str) -> Result<IdentityProvider, ApiError> {
    let oidc = call.structure("oidc").ok_or_else(|| invalid("oidc is required."))?;
    let name = oidc.required("identityProviderConfigName")?;
    let issuer_url = oidc.required("issuerUrl")?;
    if !issuer_url.starts_with("https://") {
        return Err(invalid("issuerUrl must be a valid URL that starts with https"));
    }
    let client_id = oidc.required("clientId")?;
    if world.eks.identity_providers.contains(&key(cluster, &name)) {
        return Err(in_use(format!("Identity provider config {name} is already associated with cluster {cluster}")));
    }
    if world.eks.identity_providers.starting_with(format!("{cluster}/")).next().is_some() {
        return Err(limit("Only one OIDC identity provider config can be associated with a cluster"));
    }
    let claims: BTreeMap<String, String> =
        CLAIMS.iter().filter_map(|name| Some(((*name).to_owned(), oidc.text(name)?))).collect();
    if let Some((name, _)) =
        claims.iter().find(|(name, value)| name.ends_with("Prefix") && value.starts_with("system:"))
    {
        return Err(invalid(format!("{name} cannot start with system:")));
    }
    let tags = tags(call)?;
    let id = world.ids.uuid();
    Ok(IdentityProvider {
        cluster: cluster.to_owned(),
        arn: arn(world, &format!("identityproviderconfig/{cluster}/oidc/{name}/{id}")),
        status: Status::Creating,
        issuer_url,
        client_id,
        claims,
        required_claims: text_map(&oidc, "requiredClaims"),
        tags,
        name,
    })
}

fn find<'a>(world: &'a World, call: &Call) -> Result<&'a IdentityProvider, ApiError> {
    let cluster = cluster_of(world, call)?;
    let config =
        call.structure("identityProviderConfig").ok_or_else(|| invalid("identityProviderConfig is required."))?;
    let (kind, name) = (config.required("type")?, config.required("name")?);
    if kind != "oidc" {
        return Err(invalid(format!("Identity provider config type {kind} is not supported: it must be oidc")));
    }
    let row = world.eks.identity_providers.get(&key(&cluster.name, &name));
    row.ok_or_else(|| not_found("Identity provider config is not associated with cluster"))
}

fn view(row: &IdentityProvider) -> Value {
    let mut oidc = json!({
        "identityProviderConfigName": row.name, "identityProviderConfigArn": row.arn, "clusterName": row.cluster,
        "issuerUrl": row.issuer_url, "clientId": row.client_id, "requiredClaims": row.required_claims, "tags": row.tags,
        "status": status(row.status),
    });
    for (name, value) in &row.claims {
        oidc[name] = json!(value);
    }
    without_nulls(json!({ "identityProviderConfig": { "oidc": oidc } }))
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || Ok(view(find(world, call)?)))
}

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let rows = world.eks.identity_providers.starting_with(format!("{}/", cluster_of(world, call)?.name));
        let view = |(id, row): (_, &IdentityProvider)| (id, json!({ "type": "oidc", "name": row.name }));
        listing(call as &Params, "identityProviderConfigs", rows.map(view))
    })
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        if let Some(update) = updates::started_before(world, call)? {
            return Ok(update);
        }
        let row = find(world, call)?.clone();
        updates::check_none_runs(world, &row.cluster, "DisassociateIdentityProviderConfig")?;
        let id = key(&row.cluster, &row.name);
        world.eks.identity_providers.update(&id, |row| row.status = Status::Deleting);
        let told = json!([{ "type": "oidc", "name": row.name }]).to_string();
        let new = New {
            target: Target::Cluster(row.cluster.clone()),
            kind: "DisassociateIdentityProviderConfig",
            params: vec![("IdentityProviderConfig", told)],
            effect: Effect::Cluster(Box::new(Change::NoIdentityProvider(row.name))),
        };
        updates::start(world, call, new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eks::samples::with_cluster;
    use crate::testing::{eks, pass, refusal};

    #[test]
    fn a_cluster_has_one_provider() {
        let (mut world, _) = with_cluster();
        let oidc = |name: &str, url: &str| json!({ "clusterName": "c", "oidc": { "identityProviderConfigName": name, "issuerUrl": url, "clientId": "k" } });
        assert_eq!(
            refusal(eks(&mut world, "AssociateIdentityProviderConfig", oidc("p", "http://x"))),
            "InvalidParameterException"
        );
        let update = eks(&mut world, "AssociateIdentityProviderConfig", oidc("p", "https://x")).unwrap();
        assert_eq!(update["update"]["type"], "AssociateIdentityProviderConfig");
        let one = json!({ "clusterName": "c", "identityProviderConfig": { "type": "oidc", "name": "p" } });
        let status = |world: &mut World| {
            let answer = eks(world, "DescribeIdentityProviderConfig", one.clone());
            answer.map(|it| it["identityProviderConfig"]["oidc"]["status"].as_str().unwrap().to_owned())
        };
        assert_eq!(status(&mut world).unwrap(), "CREATING");
        pass(&mut world, 10);
        assert_eq!(status(&mut world).unwrap(), "ACTIVE");
        assert_eq!(
            refusal(eks(&mut world, "AssociateIdentityProviderConfig", oidc("q", "https://x"))),
            "ResourceLimitExceededException"
        );
        eks(&mut world, "DisassociateIdentityProviderConfig", one.clone()).unwrap();
        assert_eq!(status(&mut world).unwrap(), "DELETING");
        pass(&mut world, 10);
        assert_eq!(status(&mut world).unwrap_err().code, "ResourceNotFoundException");
    }
}
