//! Add-ons as they are offered: DescribeAddonVersions, DescribeAddonConfiguration; and ListAccessPolicies.

use serde_json::{Value, json};

use super::catalog::{self, Offer, OfferVersion};
use super::request::{invalid, listing, not_found};
use crate::aws::{Answer, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeAddonVersions", run: describe_addon_versions },
    Operation { name: "DescribeAddonConfiguration", run: describe_addon_configuration },
    Operation { name: "ListAccessPolicies", run: list_access_policies },
];

fn describe_addon_versions(_world: &mut World, call: &Call) -> Answer {
    let name = call.text("addonName");
    if name.as_deref().is_some_and(|name| catalog::addon(name).is_none()) {
        return Err(not_found("Addon specified is not supported"));
    }
    let version = call.text("kubernetesVersion");
    if version.as_deref().is_some_and(|version| catalog::version(version).is_none()) {
        return Err(invalid("unsupported Kubernetes version"));
    }
    let (types, publishers, owners) = (call.texts("types"), call.texts("publishers"), call.texts("owners"));
    let is_asked = |asked: &[String], value: &str| asked.is_empty() || asked.iter().any(|it| it == value);
    let mut rows: Vec<(&str, Value)> = catalog::addons()
        .iter()
        .filter(|offer| name.as_ref().is_none_or(|name| *name == offer.name))
        .filter(|offer| is_asked(&types, &offer.kind) && is_asked(&publishers, "eks") && is_asked(&owners, "aws"))
        .map(|offer| (offer.name.as_str(), view(offer, version.as_deref())))
        .filter(|(_, view)| view["addonVersions"].as_array().is_some_and(|versions| !versions.is_empty()))
        .collect();
    rows.sort_by_key(|(name, _)| *name);
    listing(call, "addons", rows.into_iter())
}

fn view(offer: &Offer, cluster_version: Option<&str>) -> Value {
    let versions = offer.versions.iter().filter_map(|version| version_view(offer, version, cluster_version));
    json!({
        "addonName": offer.name, "type": offer.kind, "publisher": "eks", "owner": "aws", "defaultNamespace": offer.namespace,
        "addonVersions": versions.collect::<Vec<_>>(),
    })
}

fn version_view(offer: &Offer, version: &OfferVersion, cluster_version: Option<&str>) -> Option<Value> {
    let clusters = version.clusters.iter().rev().filter(|cluster| cluster_version.is_none_or(|it| it == **cluster));
    let compatibilities: Vec<Value> = clusters
        .map(|cluster| {
            json!({
                "clusterVersion": cluster, "platformVersions": ["*"], "defaultVersion": version.default.contains(cluster),
            })
        })
        .collect();
    if compatibilities.is_empty() {
        return None;
    }
    Some(json!({
        "addonVersion": version.version, "architecture": ["amd64", "arm64"], "computeTypes": ["ec2", "auto", "hybrid"],
        "compatibilities": compatibilities, "requiresConfiguration": false,
        "requiresIamPermissions": offer.requires_iam_permissions,
    }))
}

fn describe_addon_configuration(_world: &mut World, call: &Call) -> Answer {
    let (name, version) = (call.required("addonName")?, call.required("addonVersion")?);
    let offer = catalog::addon(&name).ok_or_else(|| not_found("Addon specified is not supported"))?;
    let found = offer.version(&version).ok_or_else(|| not_found("Addon version specified is not supported"))?;
    let mut answer = json!({
        "addonName": name, "addonVersion": version, "configurationSchema": offer.schema(found).to_string(),
    });
    if let Some(account) = &offer.service_account {
        answer["podIdentityConfiguration"] =
            json!([{ "serviceAccount": account, "recommendedManagedPolicies": offer.policies }]);
    }
    Ok(answer)
}

fn list_access_policies(_world: &mut World, call: &Call) -> Answer {
    let rows = catalog::access_policies().iter();
    let rows = rows.map(|name| (name.as_str(), json!({ "name": name, "arn": catalog::access_policy_arn(name) })));
    listing(call, "accessPolicies", rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{eks, refusal, world};

    #[test]
    fn addons_are_filtered_by_what_fits() {
        let mut world = world();
        let mut ask = |members: Value| eks(&mut world, "DescribeAddonVersions", members);
        let all = ask(json!({})).unwrap();
        let names: Vec<&str> =
            all["addons"].as_array().unwrap().iter().filter_map(|it| it["addonName"].as_str()).collect();
        assert_eq!(names, ["aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"]);
        let one = ask(json!({ "addonName": "kube-proxy", "kubernetesVersion": "1.30" })).unwrap();
        let versions = one["addons"][0]["addonVersions"].as_array().unwrap();
        assert_eq!(versions.len(), 1);
        assert_eq!(
            versions[0]["compatibilities"],
            json!([{ "clusterVersion": "1.30", "platformVersions": ["*"], "defaultVersion": true }])
        );
        assert_eq!(ask(json!({ "publishers": ["red-hat"] })).unwrap()["addons"], json!([]));
        assert_eq!(ask(json!({ "types": ["security"] })).unwrap()["addons"][0]["addonName"], "eks-pod-identity-agent");
        assert_eq!(refusal(ask(json!({ "addonName": "nope" }))), "ResourceNotFoundException");
        assert_eq!(refusal(ask(json!({ "kubernetesVersion": "1.2" }))), "InvalidParameterException");
    }

    #[test]
    fn schemas_and_policies_are_told() {
        let mut world = world();
        let asked = json!({ "addonName": "vpc-cni", "addonVersion": "v1.23.1-eksbuild.1" });
        let answer = eks(&mut world, "DescribeAddonConfiguration", asked).unwrap();
        let schema: Value = serde_json::from_str(answer["configurationSchema"].as_str().unwrap()).unwrap();
        assert_eq!(schema["definitions"]["Env"]["properties"]["ENABLE_POD_ENI"]["type"], "string");
        assert_eq!(answer["podIdentityConfiguration"][0]["serviceAccount"], "aws-node");
        let wrong = json!({ "addonName": "vpc-cni", "addonVersion": "v0" });
        assert_eq!(refusal(eks(&mut world, "DescribeAddonConfiguration", wrong)), "ResourceNotFoundException");
        let page = eks(&mut world, "ListAccessPolicies", json!({ "maxResults": 3 })).unwrap();
        assert_eq!(page["accessPolicies"].as_array().unwrap().len(), 3);
        let rest = eks(&mut world, "ListAccessPolicies", json!({ "nextToken": page["nextToken"] })).unwrap();
        let total = catalog::access_policies().len();
        assert_eq!(rest["accessPolicies"].as_array().unwrap().len(), total - 3);
        assert_eq!(rest["nextToken"], Value::Null);
    }
}
