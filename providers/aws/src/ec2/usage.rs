//! Who still uses a security group, for the person who waits for its deletion.

use aws_sdk_ec2::types::NetworkInterface;

use crate::{
    client::AwsClient,
    ec2::{filter, network_interfaces, security_groups},
    errors::ApiError,
};

/// A sentence that names the network interfaces and the groups whose rules refer to the group.
///
/// # Errors
/// What EC2 answers to `DescribeNetworkInterfaces`; that rules cannot be listed is passed over.
pub async fn holders(client: &AwsClient, group_id: &str) -> Result<String, ApiError> {
    let interfaces = network_interfaces(client, vec![filter("group-id", [group_id])]).await?;
    let mut referring = Vec::new();
    for side in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let groups = security_groups(client, vec![filter(side, [group_id])]).await.unwrap_or_default();
        referring.extend(groups.into_iter().filter_map(|g| g.group_id).filter(|id| id != group_id));
    }
    referring.sort();
    referring.dedup();
    Ok(sentence(&interfaces, &referring))
}

/// So many names are given; the rest are counted.
const NAMED: usize = 3;

/// Who that is, as a sentence.
pub fn sentence(interfaces: &[NetworkInterface], referring: &[String]) -> String {
    let mut parts = Vec::new();
    if !interfaces.is_empty() {
        let names: Vec<String> = interfaces.iter().map(name).collect();
        parts.push(format!("{} ({})", counted(names.len(), "network interface"), shortened(&names)));
    }
    if !referring.is_empty() {
        parts.push(format!("rules of {} ({})", counted(referring.len(), "security group"), shortened(referring)));
    }
    if parts.is_empty() {
        return "in use, EC2 does not say by what".to_owned();
    }
    format!("in use by {}", parts.join(" and "))
}

fn name(interface: &NetworkInterface) -> String {
    let id = interface.network_interface_id().unwrap_or("?");
    match interface.description().unwrap_or_default() {
        "" => id.to_owned(),
        description => format!("{id} {description:?}"),
    }
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn shortened(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(", ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_counted_and_named() {
        let eni = |id: &str, text: &str| NetworkInterface::builder().network_interface_id(id).description(text).build();
        let some = [eni("eni-1", "aws-k8s-branch-eni"), eni("eni-2", "")];
        assert_eq!(
            sentence(&some, &["sg-9".into()]),
            "in use by 2 network interfaces (eni-1 \"aws-k8s-branch-eni\", eni-2) and rules of 1 security group (sg-9)"
        );
        let many: Vec<_> = (0..5).map(|i| eni(&format!("eni-{i}"), "")).collect();
        assert_eq!(sentence(&many, &[]), "in use by 5 network interfaces (eni-0, eni-1, eni-2, ...)");
        assert_eq!(sentence(&[], &[]), "in use, EC2 does not say by what");
    }
}
