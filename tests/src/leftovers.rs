//! What a run left behind in a world, asked past the proxy.

use crate::world::{Error, World, texts};

/// Every object that a fresh world does not hold: its kind and its name.
///
/// # Errors
/// When the world does not answer.
pub fn of(world: &World) -> Result<Vec<String>, Error> {
    let asked = |service, action, params: &[(&str, &str)], element| -> Result<Vec<String>, Error> {
        let mut names = texts(&world.aws(service, action, params)?, element);
        names.sort();
        Ok(names)
    };
    let mut groups = asked("ec2", "DescribeSecurityGroups", &[], "groupName")?;
    groups.retain(|name| name != "default");
    let mut namespaces = objects(world, "/api/v1/namespaces")?;
    namespaces.retain(|name| name != "default" && !name.starts_with("kube-"));
    let kinds = [
        ("role", asked("iam", "ListRoles", &[], "RoleName")?),
        ("policy", asked("iam", "ListPolicies", &[("Scope", "Local")], "PolicyName")?),
        ("OIDC provider", asked("iam", "ListOpenIDConnectProviders", &[], "Arn")?),
        ("security group", groups),
        ("launch template", asked("ec2", "DescribeLaunchTemplates", &[], "launchTemplateName")?),
        ("cluster", world.cluster_names()),
        ("namespace", namespaces),
        ("SecurityGroupPolicy", objects(world, "/apis/vpcresources.k8s.aws/v1beta1/securitygrouppolicies")?),
    ];
    let named =
        |(kind, names): (&'static str, Vec<String>)| names.into_iter().map(move |name| format!("{kind} {name}"));
    Ok(kinds.into_iter().flat_map(named).collect())
}

/// The names of the objects in a list; none in a world without Kubernetes.
fn objects(world: &World, path: &str) -> Result<Vec<String>, Error> {
    if world.kubeconfig().is_none() {
        return Ok(Vec::new());
    }
    let list = world.kubernetes("GET", path, None)?;
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().filter_map(|item| item["metadata"]["name"].as_str()).map(str::to_owned).collect())
}
