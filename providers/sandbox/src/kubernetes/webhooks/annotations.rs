//! `vpod.vpc.k8s.aws`: only the controller says which interface a pod has.
//!
//! Source: `webhooks/core/annotation_validation_webhook.go` of the VPC resource controller v1.8.2.

use serde_json::Value;

use crate::kubernetes::admission::{Operation, Request};

const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";
const FARGATE_GROUPS: &str = "fargate.amazonaws.com/pod-sg";

/// The controller's own names, today's and former ones.
const CONTROLLERS: [&str; 3] = [
    "system:serviceaccount:kube-system:vpc-resource-controller",
    "system:serviceaccount:kube-system:eks-vpc-resource-controller",
    "eks:vpc-resource-controller",
];

/// Looks at a new or changed pod.
///
/// # Errors
/// Somebody else wrote what only the controller may.
pub(super) fn check(request: &Request<'_>, pod: &Value) -> Result<(), String> {
    let annotation = |pod: &Value, name: &str| pod["metadata"]["annotations"][name].clone();
    if request.operation == Operation::Create {
        return match annotation(pod, POD_ENI) {
            Value::Null => Ok(()),
            _ => Err(format!("pod cannot be created with {POD_ENI} annotation")),
        };
    }
    let Some(old) = request.old else { return Ok(()) };
    // A missing annotation and an empty one are the same to the controller.
    let differs = |name: &str| {
        let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
        text(annotation(pod, name)) != text(annotation(old, name))
    };
    if differs(FARGATE_GROUPS) {
        return Err("annotation is not set by mutating webhook".to_owned());
    }
    if differs(POD_ENI) && !CONTROLLERS.contains(&request.user.name.as_str()) {
        return Err("annotation is not set by vpc-resource-controller".to_owned());
    }
    Ok(())
}
