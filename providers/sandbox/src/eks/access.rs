//! Who a caller is inside a cluster, and which access policies it has.
//!
//! Sources: EKS User Guide "Grant IAM users access to Kubernetes with EKS access entries", "Create access entries"; aws-iam-authenticator's
//! README for `aws-auth`.

use serde_json::Value;

use super::model::{AccessEntry, AuthenticationMode, Cluster};
use crate::aws::Caller;
use crate::kubernetes::admission::User;
use crate::kubernetes::objects::Key;
use crate::world::World;

/// Who the caller is in the cluster; `None` when nothing lets it in.
///
/// Access entries come first, then `kube-system/aws-auth`, as the cluster's authentication mode says. The groups include
/// `system:authenticated`.
pub fn user(world: &World, cluster: &str, caller: &Caller) -> Option<User> {
    let row = world.eks.clusters.get(cluster)?;
    let principal = Principal::read(&caller.arn)?;
    let by_entry = || {
        (row.authentication_mode != AuthenticationMode::ConfigMap)
            .then(|| entry_user(world, row, caller, &principal))?
    };
    let by_map = || {
        let reads_map = row.authentication_mode != AuthenticationMode::Api;
        reads_map.then(|| creator(row, &principal).or_else(|| mapped(world, cluster, caller, &principal)))?
    };
    let mut user = by_entry().or_else(by_map)?;
    user.groups.push("system:authenticated".to_owned());
    Some(user)
}

/// The access policies of a principal: their ARNs, and the namespaces in which each holds; no namespaces are the whole cluster, a `*`
/// at the end is a wildcard. A session's ARN means its role.
pub fn policies(world: &World, cluster: &str, principal_arn: &str) -> Vec<(String, Vec<String>)> {
    let uses_entries =
        world.eks.clusters.get(cluster).is_some_and(|row| row.authentication_mode != AuthenticationMode::ConfigMap);
    let entry = Principal::read(principal_arn).filter(|_| uses_entries).and_then(|p| entry(world, cluster, &p));
    let policies = entry.into_iter().flat_map(|entry| &entry.policies);
    policies.map(|(arn, policy)| (arn.clone(), policy.namespaces.clone())).collect()
}

/// An IAM principal: a user, a role or a role's session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Principal {
    pub account: String,
    /// `user`, `role`; `root`, of which a name is missing.
    pub kind: &'static str,
    /// The name without its path: unique among the account's users or roles.
    pub name: String,
    /// The session's name.
    pub session: Option<String>,
}

impl Principal {
    /// Reads `arn:aws:iam::A:user/path/NAME`, `arn:aws:iam::A:role/path/NAME`, `arn:aws:sts::A:assumed-role/NAME/SESSION`, `arn:aws:iam::A:root`.
    pub(super) fn read(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, service, _, account, resource] = parts[..] else { return None };
        let account = account.to_owned();
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = || rest.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        match (service, kind) {
            ("iam", "user") => Some(Self { account, kind: "user", name: last()?, session: None }),
            ("iam", "role") => Some(Self { account, kind: "role", name: last()?, session: None }),
            ("iam", "root") => Some(Self { account, kind: "root", name: String::new(), session: None }),
            ("sts", "assumed-role") => {
                let (name, session) = rest.split_once('/')?;
                Some(Self { account, kind: "role", name: name.to_owned(), session: Some(session.to_owned()) })
            }
            _ => None,
        }
    }

    /// What access entries are found by.
    pub(super) fn index(&self, cluster: &str) -> String {
        format!("principal={cluster}/{}/{}/{}", self.account, self.kind, self.name)
    }
}

fn entry<'a>(world: &'a World, cluster: &str, principal: &Principal) -> Option<&'a AccessEntry> {
    world.eks.access_entries.with(&principal.index(cluster)).next().map(|(_, entry)| entry)
}

fn entry_user(world: &World, cluster: &Cluster, caller: &Caller, principal: &Principal) -> Option<User> {
    let entry = entry(world, &cluster.name, principal)?;
    let id = caller.user_id.split(':').next().unwrap_or_default();
    // A principal that was deleted and made again is another one, although its ARN is the same.
    if entry.principal_id.as_deref().is_some_and(|known| known != id) {
        return None;
    }
    Some(User { name: fill(world, &entry.username, caller, principal), groups: entry.groups.clone() })
}

/// In a cluster that reads `aws-auth` alone, its creator is an administrator of whom no list tells.
fn creator(cluster: &Cluster, principal: &Principal) -> Option<User> {
    let made_it = Principal::read(&cluster.creator_arn).is_some_and(|creator| {
        (&creator.account, creator.kind, &creator.name) == (&principal.account, principal.kind, &principal.name)
    });
    let is_let_in = cluster.authentication_mode == AuthenticationMode::ConfigMap && cluster.creator_is_admin;
    (is_let_in && made_it)
        .then(|| User { name: "kubernetes-admin".to_owned(), groups: vec!["system:masters".to_owned()] })
}

/// What `kube-system/aws-auth` says: `mapRoles`, then `mapUsers`, then `mapAccounts`. ARNs there have no path.
fn mapped(world: &World, cluster: &str, caller: &Caller, principal: &Principal) -> Option<User> {
    let map = world.kubernetes.objects.get(&Key::new(cluster, "configmaps", "kube-system", "aws-auth"))?;
    let list = |name: &str| -> Vec<Value> {
        map["data"][name].as_str().and_then(|text| serde_norway::from_str(text).ok()).unwrap_or_default()
    };
    let plain = format!("arn:aws:iam::{}:{}/{}", principal.account, principal.kind, principal.name);
    let (section, member) = if principal.kind == "role" { ("mapRoles", "rolearn") } else { ("mapUsers", "userarn") };
    let row = list(section).into_iter().find(|row| {
        row[member]
            .as_str()
            .is_some_and(|arn| arn.eq_ignore_ascii_case(&plain) || arn.eq_ignore_ascii_case(&caller.arn))
    });
    if let Some(row) = row {
        let groups = row["groups"].as_array().into_iter().flatten();
        return Some(User {
            name: fill(world, row["username"].as_str().unwrap_or(&plain), caller, principal),
            groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
        });
    }
    // YAML takes an account without quotes for a number.
    let text = |account: &Value| account.as_str().map_or_else(|| account.to_string(), str::to_owned);
    let is_listed = list("mapAccounts").iter().any(|account| text(account) == principal.account);
    is_listed.then(|| User { name: caller.arn.clone(), groups: Vec::new() })
}

/// Fills in `{{AccountID}}`, `{{SessionName}}` (with `-` for `@`), `{{SessionNameRaw}}`, `{{AccessKeyID}}` and `{{EC2PrivateDNSName}}`.
fn fill(world: &World, template: &str, caller: &Caller, principal: &Principal) -> String {
    if !template.contains("{{") {
        return template.to_owned();
    }
    let session = principal.session.as_deref().unwrap_or_default();
    template
        .replace("{{AccountID}}", &principal.account)
        .replace("{{SessionName}}", &session.replace('@', "-"))
        .replace("{{SessionNameRaw}}", session)
        .replace("{{AccessKeyID}}", &caller.access_key)
        .replace("{{EC2PrivateDNSName}}", &private_dns_name(world, session))
}

/// A node's session is named by its instance; the instance's own name in the VPC is the node's.
fn private_dns_name(world: &World, instance: &str) -> String {
    let address = world.ec2.instances.get(instance).and_then(|row| row.private_address);
    address.map_or_else(
        || instance.to_owned(),
        |address| crate::ec2::interface_describe::private_dns_name(&world.settings.region, address),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::eks::model::{AssociatedPolicy, key};
    use crate::eks::samples::cluster;
    use crate::kubernetes::life;
    use crate::testing::world;

    fn caller(arn: &str, user_id: &str) -> Caller {
        Caller {
            arn: arn.to_owned(),
            user_id: user_id.to_owned(),
            account: "123456789012".to_owned(),
            access_key: "AKIA1".to_owned(),
        }
    }

    fn let_in(world: &mut World, principal: &str, kind: &str, username: &str, groups: &[&str]) {
        let now = world.now;
        let entry = AccessEntry {
            cluster: "c".to_owned(),
            arn: String::new(),
            principal_arn: principal.to_owned(),
            principal_id: Some("AROA1".to_owned()),
            kind: kind.to_owned(),
            username: username.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            created_at: now,
            modified_at: now,
            tags: BTreeMap::new(),
            policies: BTreeMap::from([(
                "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy".to_owned(),
                AssociatedPolicy { namespaces: vec!["a".to_owned()], associated_at: now, modified_at: now },
            )]),
        };
        world.eks.access_entries.insert(key("c", principal), entry);
    }

    fn map(world: &mut World, data: serde_json::Value) {
        let key = Key::new("c", "configmaps", "kube-system", "aws-auth");
        life::create(world, &key, json!({ "data": data }));
    }

    fn with_mode(mode: AuthenticationMode) -> World {
        let mut world = world();
        let mut row = cluster(&world, "c");
        row.authentication_mode = mode;
        world.eks.clusters.insert("c", row);
        world
    }

    const ROLE: &str = "arn:aws:iam::123456789012:role/team/dev";
    const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/dev/ann@example.com";

    #[test]
    fn entries_name_principals_and_their_sessions() {
        let name = "arn:aws:sts::123456789012:assumed-role/dev/{{SessionName}}";
        let mut world = with_mode(AuthenticationMode::Api);
        let_in(&mut world, ROLE, "STANDARD", name, &["devs"]);
        let user = user(&world, "c", &caller(SESSION, "AROA1:ann@example.com")).unwrap();
        assert_eq!(user.name, "arn:aws:sts::123456789012:assumed-role/dev/ann-example.com");
        assert_eq!(user.groups, ["devs", "system:authenticated"]);
        assert_eq!(
            policies(&world, "c", SESSION),
            [("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy".to_owned(), vec!["a".to_owned()])]
        );
    }

    #[test]
    fn nodes_are_named_by_their_instances() {
        let (mut world, subnets) = crate::eks::samples::with_cluster();
        let role = crate::eks::samples::role("node");
        let group = json!({ "clusterName": "c", "nodegroupName": "g", "nodeRole": role, "subnets": subnets });
        crate::testing::eks(&mut world, "CreateNodegroup", group).unwrap();
        let instance = world.eks.nodegroups.get("c/g").unwrap().nodes[0].instance_id.clone();
        let id = world.iam.roles.get("node").unwrap().id.clone();
        let session = format!("arn:aws:sts::123456789012:assumed-role/node/{instance}");
        let node = user(&world, "c", &caller(&session, &format!("{id}:{instance}"))).unwrap();
        let address = world.ec2.instances.get(&instance).unwrap().private_address.unwrap().to_string();
        assert_eq!(node.name, format!("system:node:ip-{}.ec2.internal", address.replace('.', "-")));
        assert_eq!(node.groups, ["system:nodes", "system:authenticated"]);
    }

    #[test]
    fn who_is_in_no_entry_stays_out() {
        let mut world = with_mode(AuthenticationMode::Api);
        let_in(&mut world, ROLE, "STANDARD", "dev", &[]);
        map(&mut world, json!({ "mapUsers": "- {userarn: 'arn:aws:iam::123456789012:user/bob', username: bob}" }));
        for (arn, id, why) in [
            ("arn:aws:sts::123456789012:assumed-role/other/s", "AROA1:s", "another role"),
            ("arn:aws:sts::999999999999:assumed-role/dev/s", "AROA1:s", "another account"),
            ("arn:aws:iam::123456789012:user/dev", "AROA1", "a user of that name"),
            (SESSION, "AROA2:s", "a role that was made again"),
            ("arn:aws:iam::123456789012:user/bob", "AIDA1", "the map is not read"),
            ("arn:aws:iam::123456789012:user/creator", "AIDA2", "the creator has no entry"),
        ] {
            assert_eq!(user(&world, "c", &caller(arn, id)), None, "{why}");
        }
        assert_eq!(user(&world, "other", &caller(SESSION, "AROA1:s")), None, "no such cluster");
    }

    #[test]
    fn the_map_is_read_in_its_modes() {
        for mode in [AuthenticationMode::ConfigMap, AuthenticationMode::ApiAndConfigMap] {
            let mut world = with_mode(mode);
            map(
                &mut world,
                json!({
                    "mapRoles": "- rolearn: arn:aws:iam::123456789012:role/dev\n  username: dev:{{SessionName}}\n  groups: [a, b]\n",
                    "mapUsers": "- {userarn: 'arn:aws:iam::123456789012:user/bob', username: bob}",
                    "mapAccounts": "- \"222222222222\"",
                }),
            );
            for (arn, expected) in [
                (SESSION, Some(("dev:ann-example.com", vec!["a", "b", "system:authenticated"]))),
                ("arn:aws:iam::123456789012:user/bob", Some(("bob", vec!["system:authenticated"]))),
                (
                    "arn:aws:iam::222222222222:user/eve",
                    Some(("arn:aws:iam::222222222222:user/eve", vec!["system:authenticated"])),
                ),
                ("arn:aws:iam::123456789012:user/eve", None),
            ] {
                let found = user(&world, "c", &caller(arn, "x"));
                let found = found.as_ref().map(|it| (it.name.as_str(), it.groups.iter().map(String::as_str).collect()));
                assert_eq!(found, expected, "{arn} {mode:?}");
            }
        }
    }

    #[test]
    fn the_creator_of_a_cluster_with_a_map_alone_is_its_administrator() {
        let creator = caller("arn:aws:iam::123456789012:user/creator", "AIDA1");
        let groups = |mode| user(&with_mode(mode), "c", &creator).map(|user| user.groups);
        let expected = ["system:masters", "system:authenticated"].map(str::to_owned).to_vec();
        assert_eq!(groups(AuthenticationMode::ConfigMap), Some(expected));
        assert_eq!(groups(AuthenticationMode::ApiAndConfigMap), None);
    }
}
