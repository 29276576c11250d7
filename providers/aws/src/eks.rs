//! What the EKS types have in common: new roles that EKS does not see yet, updates that run one at a time, and health.

pub mod access;
pub mod addon;
pub mod branches;
pub mod cluster;
pub mod cluster_parts;
pub mod nodegroup;

use std::collections::HashMap;

use aws_sdk_eks::types::{Update, UpdateStatus};
use sgp_contract::Context;
use sgp_model::{Block, Diagnostic, Value};

use crate::{
    client::AwsClient,
    errors::{ApiError, Call},
    tags::{TagChange, Tags},
    values,
    wait::{self, Pace, Poll},
};

/// EKS's map of tags as ours.
pub fn from_tags(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Our map of tags as EKS's; `None` without any.
pub fn to_tags(tags: &Tags) -> Option<HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
}

/// Brings the tags of an object to what is planned.
///
/// # Errors
/// What TagResource or UntagResource answers.
pub async fn update_tags(client: &AwsClient, arn: &str, change: &TagChange) -> Result<(), ApiError> {
    if !change.remove.is_empty() {
        let request = client.eks.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone()));
        request.send().await.call("eks:UntagResource")?;
    }
    if let Some(tags) = to_tags(&change.set) {
        client.eks.tag_resource().resource_arn(arn).set_tags(Some(tags)).send().await.call("eks:TagResource")?;
    }
    Ok(())
}

/// Whether the object is not there.
pub fn is_gone(error: &ApiError) -> bool {
    error.is(&["ResourceNotFoundException", "NotFoundException"])
        || (error.is(&["ClientException"]) && error.message.contains("No cluster found for name"))
}

/// Whether an object of that name is there already.
pub fn is_taken(error: &ApiError) -> bool {
    error.is(&["ResourceInUseException"]) && error.message.contains("already exists")
}

/// Whether another update runs, after which this one can be made.
pub fn is_busy(error: &ApiError) -> bool {
    let said = error.message.to_ascii_lowercase();
    let is_moving = ["creating", "updating"].iter().any(|state| said.contains(&format!("currently in {state}")));
    // Fargate profiles of a cluster are made and removed one at a time.
    let has_moving = ["creating", "deleting"].iter().any(|state| said.contains(&format!("in status {state}")));
    (error.is(&["ResourceInUseException"]) && (said.contains("in progress") || has_moving))
        || (error.is(&["ResourceInUseException", "InvalidRequestException"])
            && (said.contains("currently not in active") || is_moving))
}

/// Whether the object is already as it was asked to be.
fn is_unchanged(error: &ApiError) -> bool {
    let said = error.message.to_ascii_lowercase();
    error.is(&["InvalidParameterException", "InvalidRequestException"])
        && (said.contains("no changes needed") || said.contains("already at the desired configuration"))
}

/// Whether EKS does not see a role yet that was created, or given its policies, moments ago.
pub fn is_role_lagging(error: &ApiError) -> bool {
    const SAID: &[&str] = &[
        "assume",
        "assumed",
        "does not exist",
        "doesn't have",
        "error in role params",
        "is invalid",
        "must include",
        "not authorized",
        "not correct",
        "trust policy",
        "trusted entity",
    ];
    if error.is(&["ResourcePropagationDelayException"]) {
        return true;
    }
    let said = error.message.to_ascii_lowercase();
    error.is(&["InvalidParameterException", "InvalidRequestException"])
        && said.contains("role")
        && SAID.iter().any(|words| said.contains(words))
}

/// Repeats a creation while its role cannot be used yet or the cluster is being updated.
///
/// # Errors
/// The creation's.
pub async fn with_new_roles<T, F: Future<Output = Result<T, ApiError>>>(
    cx: &Context,
    call: impl FnMut() -> F,
) -> Result<T, ApiError> {
    let start = cx.clock.monotonic();
    // A role is visible within minutes; another update of the cluster may take most of an hour.
    let is_early = || cx.clock.monotonic().saturating_sub(start) < wait::CONSISTENCY;
    wait::settle(cx, cx.timeout, |e| is_busy(e) || (is_role_lagging(e) && is_early()), call).await
}

/// What an update concerns.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// A node group of it.
    pub nodegroup: Option<&'a str>,
    /// An add-on of it.
    pub addon: Option<&'a str>,
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.nodegroup, self.addon) {
            (Some(name), _) => write!(f, "node group {:?}", format!("{}:{name}", self.cluster)),
            (_, Some(name)) => write!(f, "add-on {:?}", format!("{}:{name}", self.cluster)),
            _ => write!(f, "cluster {:?}", self.cluster),
        }
    }
}

/// Starts an update and waits until it is done. EKS runs one update of a cluster at a time: while another one runs, this one
/// waits for its turn. An update that would change nothing is done at once.
///
/// # Errors
/// What EKS refuses, a failed update with its reasons, a timeout.
pub async fn update<F: Future<Output = Result<Option<Update>, ApiError>>>(
    client: &AwsClient,
    cx: &Context,
    target: Target<'_>,
    mut start: impl FnMut() -> F,
) -> Result<(), Diagnostic> {
    let turn = || {
        let call = start();
        async {
            match call.await {
                Ok(update) => Ok(Poll::Ready(update)),
                Err(error) if is_unchanged(&error) => Ok(Poll::Ready(None)),
                Err(error) if is_busy(&error) => Ok(Poll::Pending("another update is running".into())),
                Err(error) => Err(error),
            }
        }
    };
    let update = wait::until(cx, &format!("the {target} to be free for an update"), Pace::SLOW, turn).await?;
    let Some(update) = update else { return Ok(()) };
    match judge(target, update.clone()) {
        Poll::Ready(()) => Ok(()),
        Poll::Broken(diagnostic) => Err(diagnostic),
        Poll::Pending(_) => finish(client, cx, target, update.id().unwrap_or_default()).await,
    }
}

async fn finish(client: &AwsClient, cx: &Context, target: Target<'_>, id: &str) -> Result<(), Diagnostic> {
    let look = || async {
        let request = client
            .eks
            .describe_update()
            .name(target.cluster)
            .update_id(id)
            .set_nodegroup_name(target.nodegroup.map(Into::into))
            .set_addon_name(target.addon.map(Into::into));
        let answer = request.send().await.call("eks:DescribeUpdate")?;
        Ok(answer.update.map_or_else(|| Poll::Pending("InProgress".into()), |update| judge(target, update)))
    };
    wait::until(cx, &format!("update {id} of {target}"), Pace::SLOW, look).await
}

fn judge(target: Target<'_>, update: Update) -> Poll<()> {
    match update.status() {
        Some(UpdateStatus::Successful) => Poll::Ready(()),
        Some(status @ (UpdateStatus::Failed | UpdateStatus::Cancelled)) => {
            let issues = update.errors().iter().map(|e| Issue {
                code: e.error_code().map_or("", |c| c.as_str()),
                message: e.error_message().unwrap_or_default(),
                resources: e.resource_ids(),
            });
            let kind = update.r#type().map_or("update", |t| t.as_str());
            let what = format!("The {kind} of {target} ended as {}", status.as_str());
            Poll::Broken(Diagnostic::error("EKS update failed", told(&what, issues)))
        }
        Some(status) => Poll::Pending(status.as_str().to_owned()),
        None => Poll::Pending("InProgress".into()),
    }
}

/// What EKS says is wrong with an object.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// A code such as `NodeCreationFailure`.
    pub code: &'a str,
    /// A sentence.
    pub message: &'a str,
    /// Ids of what it concerns.
    pub resources: &'a [String],
}

impl std::fmt::Display for Issue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if !self.resources.is_empty() {
            write!(f, " ({})", self.resources.join(", "))?;
        }
        Ok(())
    }
}

/// A sentence and the issues, one a line.
pub fn told<'a>(what: &str, issues: impl IntoIterator<Item = Issue<'a>>) -> String {
    let lines: Vec<String> = issues.into_iter().map(|issue| format!("- {issue}")).collect();
    if lines.is_empty() { format!("{what}; AWS gives no reason.") } else { format!("{what}:\n{}", lines.join("\n")) }
}

/// A status for people, with the first issue when there is one.
pub fn status_with(status: &str, mut issues: impl Iterator<Item = String>) -> String {
    issues.next().map_or_else(|| status.to_owned(), |issue| format!("{status}, {issue}"))
}

/// A list of one object, as nested blocks of at most one are kept.
pub fn one(block: &Block, object: Value) -> Value {
    Value::list(block.ty(), vec![object])
}

/// A set of strings; null when there is none and none was recorded.
pub fn set_or_null<'a>(actual: impl IntoIterator<Item = &'a str>, prior: Option<&Value>) -> Value {
    let set = values::string_set(actual);
    match prior {
        Some(prior) if prior.is_known() && !prior.is_null() => set,
        _ if set.elements().is_none_or(|e| e.is_empty()) => Value::null(set.ty()),
        _ => set,
    }
}

/// Keeps what is known of a new object before waiting for it.
///
/// # Errors
/// When the store could not write; the object is left behind.
pub async fn checkpoint(cx: &Context, object: &Value) -> Result<(), crate::errors::Failure> {
    crate::iam::checkpoint(cx, object).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_eks::types::{ErrorCode, ErrorDetail, UpdateType};

    use super::*;
    use crate::errors::tests::service_error;

    fn said(code: &str, message: &str) -> ApiError {
        ApiError { message: message.into(), ..service_error("eks:X", code) }
    }

    #[test]
    fn refusals_are_told_apart() {
        let lag = |code, message| is_role_lagging(&said(code, message));
        for message in [
            "Role with arn: arn:aws:iam::1:role/x, could not be assumed because the trusted entity is not correct",
            "roleArn, arn:aws:iam::1:role/x, does not exist",
            "The provided role doesn't have the Amazon EKS Managed Policies associated with it.",
            "IAM role's policy must include the `ec2:DescribeSubnets` action",
            "Error in role params",
            "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal",
        ] {
            assert!(lag("InvalidParameterException", message), "{message}");
        }
        assert!(lag("ResourcePropagationDelayException", "try later"));
        assert!(!lag("InvalidParameterException", "The subnet ID 'subnet-1' does not exist"));
        assert!(!lag("ResourceInUseException", "Cluster already exists with name: role"));

        let busy =
            said("ResourceInUseException", "Cannot LoggingUpdate because cluster a currently has update 1 in progress");
        assert!(is_busy(&busy) && !is_taken(&busy) && !is_unchanged(&busy));
        let profile =
            "Cannot create Fargate Profile b because cluster a currently has Fargate profile c in status DELETING";
        assert!(is_busy(&said("ResourceInUseException", profile)));
        for message in [
            "Nodegroup cannot be updated as it is currently not in Active State",
            "Addon cannot be updated as it is currently in CREATING state",
        ] {
            assert!(is_busy(&said("InvalidRequestException", message)), "{message}");
        }
        assert!(!is_busy(&said("InvalidRequestException", "The cluster is currently in FAILED state")));
        assert!(is_gone(&said("ClientException", "No cluster found for name: a.")));
        let taken = said("ResourceInUseException", "Cluster already exists with name: a");
        assert!(is_taken(&taken) && !is_busy(&taken));
        assert!(is_unchanged(&said("InvalidParameterException", "No changes needed for the logging config provided")));
        assert!(is_unchanged(&said(
            "InvalidParameterException",
            "Cluster is already at the desired configuration with..."
        )));
    }

    #[test]
    fn a_failed_update_says_why() {
        let update = Update::builder()
            .status(UpdateStatus::Failed)
            .r#type(UpdateType::VersionUpdate)
            .errors(
                ErrorDetail::builder()
                    .error_code(ErrorCode::PodEvictionFailure)
                    .error_message("Reached max retries while trying to evict pods")
                    .resource_ids("ip-10-0-0-1")
                    .build(),
            )
            .build();
        let target = Target { cluster: "a", nodegroup: Some("b"), addon: None };
        let Poll::Broken(diagnostic) = judge(target, update) else { panic!("a failed update is broken") };
        assert_eq!(
            diagnostic.detail,
            "The VersionUpdate of node group \"a:b\" ended as Failed:\n- PodEvictionFailure: Reached max retries while trying \
             to evict pods (ip-10-0-0-1)"
        );
    }

    #[test]
    fn an_empty_set_is_null_unless_it_was_recorded() {
        let null = Value::null(sgp_model::Type::set(sgp_model::Type::String));
        let empty = values::string_set::<&str>([]);
        assert_eq!(set_or_null([], None), null);
        assert_eq!(set_or_null([], Some(&null)), null);
        assert_eq!(set_or_null([], Some(&empty)), empty);
        assert_eq!(set_or_null(["a"], Some(&null)), values::string_set(["a"]));
    }
}
