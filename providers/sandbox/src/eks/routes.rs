//! Which operation a method and a path mean.

use serde_json::{Map, Value};

/// The operation of a REST call, with what its path says.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// `DescribeCluster`.
    pub operation: &'static str,
    /// Members from the path, by their names in the reference.
    pub members: Map<String, Value>,
}

/// Method, path with `{members}`, operation; as the reference's "Request Syntax" has them.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/access-policies", "ListAccessPolicies"),
    ("GET", "/addons/configuration-schemas", "DescribeAddonConfiguration"),
    ("GET", "/addons/supported-versions", "DescribeAddonVersions"),
    ("GET", "/cluster-versions", "DescribeClusterVersions"),
    ("GET", "/clusters", "ListClusters"),
    ("POST", "/clusters", "CreateCluster"),
    ("GET", "/clusters/{clusterName}/access-entries", "ListAccessEntries"),
    ("POST", "/clusters/{clusterName}/access-entries", "CreateAccessEntry"),
    ("DELETE", "/clusters/{clusterName}/access-entries/{principalArn}", "DeleteAccessEntry"),
    ("GET", "/clusters/{clusterName}/access-entries/{principalArn}", "DescribeAccessEntry"),
    ("POST", "/clusters/{clusterName}/access-entries/{principalArn}", "UpdateAccessEntry"),
    ("GET", "/clusters/{clusterName}/access-entries/{principalArn}/access-policies", "ListAssociatedAccessPolicies"),
    ("POST", "/clusters/{clusterName}/access-entries/{principalArn}/access-policies", "AssociateAccessPolicy"),
    (
        "DELETE",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies/{policyArn}",
        "DisassociateAccessPolicy",
    ),
    ("GET", "/clusters/{clusterName}/addons", "ListAddons"),
    ("POST", "/clusters/{clusterName}/addons", "CreateAddon"),
    ("DELETE", "/clusters/{clusterName}/addons/{addonName}", "DeleteAddon"),
    ("GET", "/clusters/{clusterName}/addons/{addonName}", "DescribeAddon"),
    ("POST", "/clusters/{clusterName}/addons/{addonName}/update", "UpdateAddon"),
    ("POST", "/clusters/{clusterName}/encryption-config/associate", "AssociateEncryptionConfig"),
    ("GET", "/clusters/{clusterName}/fargate-profiles", "ListFargateProfiles"),
    ("POST", "/clusters/{clusterName}/fargate-profiles", "CreateFargateProfile"),
    ("DELETE", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DeleteFargateProfile"),
    ("GET", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DescribeFargateProfile"),
    ("GET", "/clusters/{clusterName}/identity-provider-configs", "ListIdentityProviderConfigs"),
    ("POST", "/clusters/{clusterName}/identity-provider-configs/associate", "AssociateIdentityProviderConfig"),
    ("POST", "/clusters/{clusterName}/identity-provider-configs/describe", "DescribeIdentityProviderConfig"),
    ("POST", "/clusters/{clusterName}/identity-provider-configs/disassociate", "DisassociateIdentityProviderConfig"),
    ("POST", "/clusters/{clusterName}/insights", "ListInsights"),
    ("GET", "/clusters/{clusterName}/insights-refresh", "DescribeInsightsRefresh"),
    ("POST", "/clusters/{clusterName}/insights-refresh", "StartInsightsRefresh"),
    ("GET", "/clusters/{clusterName}/insights/{id}", "DescribeInsight"),
    ("GET", "/clusters/{clusterName}/node-groups", "ListNodegroups"),
    ("POST", "/clusters/{clusterName}/node-groups", "CreateNodegroup"),
    ("DELETE", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DeleteNodegroup"),
    ("GET", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DescribeNodegroup"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-config", "UpdateNodegroupConfig"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-version", "UpdateNodegroupVersion"),
    ("GET", "/clusters/{clusterName}/pod-identity-associations", "ListPodIdentityAssociations"),
    ("POST", "/clusters/{clusterName}/pod-identity-associations", "CreatePodIdentityAssociation"),
    ("DELETE", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "DeletePodIdentityAssociation"),
    ("GET", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "DescribePodIdentityAssociation"),
    ("POST", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "UpdatePodIdentityAssociation"),
    ("DELETE", "/clusters/{name}", "DeleteCluster"),
    ("GET", "/clusters/{name}", "DescribeCluster"),
    ("POST", "/clusters/{name}/update-config", "UpdateClusterConfig"),
    ("GET", "/clusters/{name}/updates", "ListUpdates"),
    ("POST", "/clusters/{name}/updates", "UpdateClusterVersion"),
    ("GET", "/clusters/{name}/updates/{updateId}", "DescribeUpdate"),
    ("POST", "/clusters/{name}/updates/{updateId}/cancel-update", "CancelUpdate"),
    ("DELETE", "/tags/{resourceArn+}", "UntagResource"),
    ("GET", "/tags/{resourceArn+}", "ListTagsForResource"),
    ("POST", "/tags/{resourceArn+}", "TagResource"),
];

/// Finds the route of a request. Path segments come percent-decoded here; a path ends in a greedy `{member+}` where an ARN is
/// part of it.
pub fn find(method: &str, path: &str) -> Option<Route> {
    ROUTES.iter().filter(|(m, _, _)| *m == method).find_map(|(_, pattern, operation)| {
        let members = fit(pattern, path)?;
        Some(Route { operation, members })
    })
}

fn fit(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut members = Map::new();
    let mut segments = path.trim_end_matches('/').split('/');
    for part in pattern.split('/') {
        let name = part.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match name.map(|name| (name, name.strip_suffix('+'))) {
            Some((_, Some(greedy))) => {
                let rest: Vec<&str> = segments.by_ref().collect();
                if rest.is_empty() {
                    return None;
                }
                members.insert(greedy.to_owned(), Value::String(decode(&rest.join("/"))));
                return Some(members);
            }
            Some((name, None)) => {
                members.insert(name.to_owned(), Value::String(decode(segments.next().filter(|s| !s.is_empty())?)));
            }
            None if segments.next() != Some(part) => return None,
            None => {}
        }
    }
    segments.next().is_none().then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        let route = find("GET", "/clusters/a%20b").unwrap();
        assert_eq!((route.operation, route.members["name"].as_str()), ("DescribeCluster", Some("a b")));
        assert_eq!(find("GET", "/clusters/a/nothing"), None);
        assert_eq!(find("PATCH", "/clusters/a"), None);
        let members = fit("/tags/{arn+}", "/tags/arn:aws:eks:r:1:cluster%2Fa/b").unwrap();
        assert_eq!(members["arn"], "arn:aws:eks:r:1:cluster/a/b");
    }
}
