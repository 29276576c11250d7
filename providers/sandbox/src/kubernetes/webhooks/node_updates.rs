//! `vnode.vpc.k8s.aws`: `aws-node` changes nothing of a node but two labels.
//!
//! Source: `webhooks/core/node_update_webhook.go` of the VPC resource controller v1.8.2.

use serde_json::Value;

use crate::kubernetes::admission::Request;

/// What `aws-node` may change.
const LABELS: [&str; 2] = ["vpc.amazonaws.com/has-trunk-attached", "vpc.amazonaws.com/eniConfig"];

/// Looks at a changed node.
///
/// # Errors
/// `aws-node` changed something else.
pub(super) fn check(request: &Request<'_>, node: &Value) -> Result<(), String> {
    if request.user.name != "system:serviceaccount:kube-system:aws-node" {
        return Ok(());
    }
    if request.old.is_some_and(|old| rest(old) != rest(node)) {
        return Err("aws-node can only update limited fields on the Node Object".to_owned());
    }
    Ok(())
}

/// A node without what may change, and without what the API server changes.
fn rest(node: &Value) -> Value {
    let mut node = node.clone();
    if let Some(metadata) = node["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.remove("selfLink");
    }
    if let Some(labels) = node["metadata"]["labels"].as_object_mut() {
        labels.retain(|name, _| !LABELS.contains(&name.as_str()));
    }
    node
}
