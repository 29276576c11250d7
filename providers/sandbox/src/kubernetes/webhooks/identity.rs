//! `pod-identity-webhook`: roles for pods, by the service account's annotation (IRSA) or by an EKS Pod Identity association.
//!
//! Source: `aws/amazon-eks-pod-identity-webhook` (`pkg/handler`, README).

use serde_json::{Value, json};

use crate::kubernetes::admission::Request;
use crate::kubernetes::objects::Key;
use crate::world::World;

/// Gives a new pod's containers what AWS's SDKs look for.
pub(super) fn change(world: &World, request: &Request<'_>, pod: &mut Value) {
    if !pod["metadata"]["labels"]["eks.amazonaws.com/skip-pod-identity-webhook"].is_null() {
        return;
    }
    let name = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default").to_owned();
    let key = Key::new(request.cluster, "serviceaccounts", request.namespace, &name);
    let Some(account) = world.kubernetes.objects.get(&key) else { return };
    let annotation = |name: &str| {
        let own = pod["metadata"]["annotations"][name].as_str();
        own.or_else(|| account["metadata"]["annotations"][name].as_str()).map(str::to_owned)
    };
    let skipped = annotation("eks.amazonaws.com/skip-containers").unwrap_or_default();
    let expiration = annotation("eks.amazonaws.com/token-expiration").and_then(|text| text.parse::<i64>().ok());
    let expiration = expiration.unwrap_or(86_400).clamp(3_600, 86_400);
    let region = world.settings.region.clone();
    let association = format!("account={}/{}/{name}", request.cluster, request.namespace);
    let is_associated = world.eks.pod_identity_associations.with(&association).next().is_some();
    let is_fargate = !pod["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"].is_null();
    if is_associated && !is_fargate {
        let token = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token";
        let environment = [
            ("AWS_STS_REGIONAL_ENDPOINTS", "regional".to_owned()),
            ("AWS_DEFAULT_REGION", region.clone()),
            ("AWS_REGION", region),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials".to_owned()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_owned()),
        ];
        let grant = Grant {
            environment: &environment,
            volume: "eks-pod-identity-token",
            path: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
            file: "eks-pod-identity-token",
            audience: "pods.eks.amazonaws.com",
            expiration,
        };
        grant.give(pod, &skipped);
    } else if let Some(role) = account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].as_str() {
        let path = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
        let is_regional = annotation("eks.amazonaws.com/sts-regional-endpoints").is_none_or(|text| text != "false");
        let mut environment = Vec::new();
        if is_regional {
            environment.push(("AWS_STS_REGIONAL_ENDPOINTS", "regional".to_owned()));
        }
        environment.extend([
            ("AWS_DEFAULT_REGION", region.clone()),
            ("AWS_REGION", region),
            ("AWS_ROLE_ARN", role.to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{path}/token")),
        ]);
        let audience = annotation("eks.amazonaws.com/audience").unwrap_or_else(|| "sts.amazonaws.com".to_owned());
        let grant = Grant {
            environment: &environment,
            volume: "aws-iam-token",
            path,
            file: "token",
            audience: &audience,
            expiration,
        };
        grant.give(pod, &skipped);
    }
}

struct Grant<'a> {
    environment: &'a [(&'static str, String)],
    volume: &'a str,
    path: &'a str,
    file: &'a str,
    audience: &'a str,
    expiration: i64,
}

impl Grant<'_> {
    /// Writes it into a pod; variables that a container has stay as they are.
    fn give(&self, pod: &mut Value, skipped: &str) {
        for kind in ["initContainers", "containers"] {
            let containers = pod["spec"].get_mut(kind).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default();
                if !skipped.split(',').any(|it| it.trim() == name) {
                    self.give_container(container);
                }
            }
        }
        let token = json!({ "audience": self.audience, "expirationSeconds": self.expiration, "path": self.file });
        let volume = json!({
            "name": self.volume,
            "projected": { "defaultMode": 420, "sources": [{ "serviceAccountToken": token }] },
        });
        let volumes = list(&mut pod["spec"]["volumes"]);
        if !volumes.iter().any(|it| it["name"] == self.volume) {
            volumes.insert(0, volume);
        }
    }

    fn give_container(&self, container: &mut Value) {
        let variables = list(&mut container["env"]);
        for (name, value) in self.environment {
            if !variables.iter().any(|it| it["name"] == *name) {
                variables.push(json!({ "name": name, "value": value }));
            }
        }
        let mounts = list(&mut container["volumeMounts"]);
        if !mounts.iter().any(|it| it["name"] == self.volume) {
            mounts.push(json!({ "name": self.volume, "readOnly": true, "mountPath": self.path }));
        }
    }
}

/// A list, made when there is none.
fn list(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = json!([]);
    }
    value.as_array_mut().expect("it was just made a list")
}
