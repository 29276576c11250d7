//! The branch interfaces of a cluster's pods, which must not outlive the cluster.
//!
//! An interface cools down after its pod is gone, and what deletes it then is part of the control plane: when the cluster goes
//! first the interface stays for ever, and with it the security groups that it carries.

use std::time::Duration;

use aws_sdk_ec2::types::NetworkInterface;
use sgp_contract::Context;
use sgp_model::{Diagnostic, Diagnostics};

use crate::{
    client::AwsClient,
    ec2::{filter, network_interfaces},
    wait::{self, Pace, Poll},
};

/// The cool-down (60 s by default) and some rounds of the controller, which looks every 30 s.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until the controller has taken the cluster's branch interfaces away, and warns of those that stay: their pods run on, or
/// nobody is left who would delete them.
///
/// # Errors
/// Only when the person asked to stop at once.
pub async fn gone(client: &AwsClient, cx: &Context, cluster: &str) -> Result<Diagnostics, Diagnostic> {
    let patient = Context { timeout: PATIENCE.min(cx.timeout), ..cx.clone() };
    let look = || async {
        let tag = filter(&format!("tag:kubernetes.io/cluster/{cluster}"), ["owned"]);
        let found = network_interfaces(client, vec![filter("description", ["aws-k8s-branch-eni"]), tag]).await?;
        Ok(if found.is_empty() { Poll::Ready(()) } else { Poll::Pending(cooling_down(&found)) })
    };
    let what = format!("the branch interfaces of cluster {cluster:?} to go");
    match wait::until(&patient, &what, Pace::SLOW, look).await {
        Ok(()) => Ok(Diagnostics::new()),
        Err(stopped) if cx.is_cancelled() => Err(stopped),
        // Whether the cluster may go does not hang on this: the interfaces are what is left to do.
        Err(late) => Ok(left_behind(cluster, &late.detail).into()),
    }
}

fn cooling_down(found: &[NetworkInterface]) -> String {
    let ids: Vec<&str> = found.iter().filter_map(NetworkInterface::network_interface_id).take(3).collect();
    let more = if found.len() > ids.len() { ", ..." } else { "" };
    let (s, verb) = if found.len() == 1 { ("", "cools") } else { ("s", "cool") };
    format!("{} branch interface{s} of pods {verb} down ({}{more})", found.len(), ids.join(", "))
}

fn left_behind(cluster: &str, why: &str) -> Diagnostic {
    Diagnostic::warning(
        "Branch interfaces may be left behind",
        format!(
            "{why}\n\nThe cluster {cluster:?} is deleted nevertheless, and after that nobody deletes the interfaces of its pods: find them by the \
             description aws-k8s-branch-eni and the tag kubernetes.io/cluster/{cluster}."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cools_down_is_named_and_counted() {
        let found = |count: usize| -> Vec<NetworkInterface> {
            (0..count).map(|i| NetworkInterface::builder().network_interface_id(format!("eni-{i}")).build()).collect()
        };
        assert_eq!(cooling_down(&found(1)), "1 branch interface of pods cools down (eni-0)");
        assert_eq!(cooling_down(&found(4)), "4 branch interfaces of pods cool down (eni-0, eni-1, eni-2, ...)");
    }
}
