//! Which groups a pod gets, and why.
//!
//! The rules are those of AWS's controller and its webhook (github.com/aws/amazon-vpc-resource-controller-k8s,
//! `webhooks/core/pod_webhook.go` and `pkg/utils/helper.go`): they count when a pod is made, and running pods keep what they got.

use std::fmt;

use crate::{
    selector::Selector,
    topology::{
        Cluster, Fact, FargateSelector, Id, Labels, PodTemplate, SecurityGroupPolicy, in_namespace,
        is_unknown_namespace,
    },
};

/// The label that EKS puts on pods for Fargate.
const FARGATE_LABEL: &str = "eks.amazonaws.com/fargate-profile";

/// What a pod's network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// Its node's, groups included.
    Host,
    /// An address of one of its node's interfaces, with the node's groups.
    Shared(NoBranch),
    /// A branch interface with groups of its own.
    Branch(Fact<Vec<Id>>),
    /// A branch interface that has the node's groups: the pod asked for one, and no policy matches.
    BranchOfNode,
    /// Fargate's interface with groups of its own.
    Fargate(Fact<Vec<Id>>),
    /// The pod is not admitted.
    Denied(String),
    /// Depends on something that is not known.
    Unknown(String),
}

/// Why a pod shares its node's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBranch {
    /// No policy of its namespace matches.
    NoPolicy,
    /// It is for Windows.
    Windows,
}

/// What one policy says of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The policy's name, in the pod's namespace.
    pub policy: String,
    /// What it says.
    pub says: Says,
}

/// Whether a policy matches, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// It matches.
    Matches,
    /// It is ignored: it has neither selector.
    NoSelector,
    /// It is ignored: it names no group.
    NoGroups,
    /// A selector cannot be converted, and so matches nothing.
    Broken {
        /// `podSelector` or `serviceAccountSelector`.
        selector: &'static str,
        /// Why.
        problem: String,
    },
    /// A requirement is not met.
    Differs {
        /// `podSelector` or `serviceAccountSelector`.
        selector: &'static str,
        /// The requirement.
        requirement: String,
    },
    /// Depends on labels that are not known.
    Unknown,
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches => f.write_str("matches"),
            Self::NoSelector => f.write_str("is ignored: it has neither podSelector nor serviceAccountSelector"),
            Self::NoGroups => f.write_str("is ignored: it names no security group"),
            Self::Broken { selector, problem } => {
                write!(f, "matches nothing: its {selector} cannot be read ({problem})")
            }
            Self::Differs { selector, requirement } => write!(f, "does not match: {selector} wants {requirement}"),
            Self::Unknown => f.write_str("may match: its labels or what it asks for are not known yet"),
        }
    }
}

/// What a pod gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its network and its groups.
    pub attachment: Attachment,
    /// What each policy of its namespace says, by name.
    pub opinions: Vec<Opinion>,
}

impl Membership {
    /// The policies that match.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.opinions.iter().filter(|it| it.says == Says::Matches).map(|it| it.policy.as_str())
    }
}

/// Says what a pod of this template gets when it is made in a namespace now.
pub fn membership(cluster: &Cluster, namespace: &str, template: &PodTemplate) -> Membership {
    let alone = |attachment| Membership { attachment, opinions: Vec::new() };
    if template.is_host_network {
        return alone(Attachment::Host);
    }
    let on_fargate = is_fargate(cluster, namespace, template);
    if template.is_windows && on_fargate != Fact::Known(true) {
        return alone(Attachment::Shared(NoBranch::Windows));
    }
    let account = match service_account(cluster, namespace, template) {
        Ok(labels) => labels,
        Err(denied) => return alone(Attachment::Denied(denied)),
    };
    let opinions = opinions(cluster, namespace, template, &account);
    let attachment = match on_fargate {
        Fact::Unknown => Attachment::Unknown("whether it runs on Fargate is not known".to_owned()),
        Fact::Known(on_fargate) => decide(cluster, namespace, template, &opinions, on_fargate),
    };
    Membership { attachment, opinions }
}

fn decide(
    cluster: &Cluster,
    namespace: &str,
    template: &PodTemplate,
    opinions: &[Opinion],
    on_fargate: bool,
) -> Attachment {
    let is_open = opinions.iter().any(|it| it.says == Says::Unknown);
    let is_matched = opinions.iter().any(|it| it.says == Says::Matches);
    if !is_matched && is_open {
        return Attachment::Unknown("whether a policy matches is not known yet".to_owned());
    }
    if !is_matched {
        return match (on_fargate, template.asks_for_pod_eni) {
            // Without a policy Fargate's pods have the cluster's own group (EKS user guide, "Security groups for Pods").
            (true, _) => Attachment::Fargate(cluster.group.clone().map(|group| vec![group])),
            (false, true) => Attachment::BranchOfNode,
            (false, false) => Attachment::Shared(NoBranch::NoPolicy),
        };
    }
    let matching = opinions.iter().filter(|it| it.says == Says::Matches);
    let policies = matching.filter_map(|it| cluster.policies.get(&(namespace.to_owned(), it.policy.clone())));
    let groups = if is_open { Fact::Unknown } else { union(policies) };
    if on_fargate { Attachment::Fargate(groups) } else { Attachment::Branch(groups) }
}

/// The groups of several policies: concatenated, the first occurrence kept.
pub fn union<'a>(policies: impl Iterator<Item = &'a SecurityGroupPolicy>) -> Fact<Vec<Id>> {
    let mut all: Vec<Id> = Vec::new();
    for policy in policies {
        let Fact::Known(groups) = &policy.groups else { return Fact::Unknown };
        for group in groups {
            if !all.contains(group) {
                all.push(group.clone());
            }
        }
    }
    Fact::Known(all)
}

/// The labels of a pod's service account, or why the pod is denied.
fn service_account(cluster: &Cluster, namespace: &str, template: &PodTemplate) -> Result<Fact<Labels>, String> {
    let Fact::Known(name) = &template.service_account else { return Ok(Fact::Unknown) };
    if is_unknown_namespace(namespace) {
        return Ok(Fact::Unknown);
    }
    match cluster.service_accounts.get(&(namespace.to_owned(), name.clone())) {
        Some(account) => Ok(account.labels.clone()),
        // Every namespace has it, without labels, unless somebody told otherwise.
        None if name == "default" => Ok(Fact::Known(Labels::new())),
        None if cluster.is_complete => {
            Err(format!("service account {namespace}/{name} does not exist, and the webhook rejects the pod"))
        }
        None => Ok(Fact::Unknown),
    }
}

fn opinions(cluster: &Cluster, namespace: &str, template: &PodTemplate, account: &Fact<Labels>) -> Vec<Opinion> {
    let opinion = |(name, policy, is_here): (&str, &SecurityGroupPolicy, bool)| {
        let says = match says(policy, &template.labels, account) {
            Says::Matches if !is_here => Says::Unknown,
            says => says,
        };
        Opinion { policy: name.to_owned(), says }
    };
    in_namespace(&cluster.policies, namespace).map(opinion).collect()
}

/// What a policy says of labels.
pub fn says(policy: &SecurityGroupPolicy, pod: &Fact<Labels>, account: &Fact<Labels>) -> Says {
    if policy.pods.is_none() && policy.service_accounts.is_none() {
        return Says::NoSelector;
    }
    if policy.groups.known().is_some_and(Vec::is_empty) {
        return Says::NoGroups;
    }
    let sides = [("podSelector", &policy.pods, pod), ("serviceAccountSelector", &policy.service_accounts, account)];
    let mut is_open = false;
    for (name, selector, labels) in sides {
        match selector.as_ref().map(|selector| judge(name, selector, labels)) {
            None | Some(Says::Matches) => {}
            Some(Says::Unknown) => is_open = true,
            Some(no) => return no,
        }
    }
    if is_open { Says::Unknown } else { Says::Matches }
}

fn judge(name: &'static str, selector: &Selector, labels: &Fact<Labels>) -> Says {
    if let Some(problem) = selector.problem() {
        return Says::Broken { selector: name, problem: problem.to_owned() };
    }
    if selector.is_everything() {
        return Says::Matches;
    }
    let Fact::Known(labels) = labels else { return Says::Unknown };
    match selector.unmet(labels) {
        None if selector.is_open() => Says::Unknown,
        None => Says::Matches,
        Some(requirement) => Says::Differs { selector: name, requirement: requirement.to_string() },
    }
}

/// Whether a Fargate profile takes the pod.
fn is_fargate(cluster: &Cluster, namespace: &str, template: &PodTemplate) -> Fact<bool> {
    if template.labels.known().is_some_and(|labels| labels.contains_key(FARGATE_LABEL)) {
        return Fact::Known(true);
    }
    if is_unknown_namespace(namespace) {
        return if cluster.fargate_profiles.is_empty() { Fact::Known(false) } else { Fact::Unknown };
    }
    let selectors = || cluster.fargate_profiles.values().flat_map(|profile| &profile.selectors);
    let candidates: Vec<&FargateSelector> = selectors().filter(|it| is_like(&it.namespace, namespace)).collect();
    if candidates.is_empty() {
        return Fact::Known(false);
    }
    if candidates.iter().any(|it| it.labels.is_empty()) {
        return Fact::Known(true);
    }
    let Fact::Known(labels) = &template.labels else { return Fact::Unknown };
    let has = |key: &String, wanted: &String| labels.get(key).is_some_and(|value| is_like(wanted, value));
    Fact::Known(candidates.iter().any(|it| it.labels.iter().all(|(key, wanted)| has(key, wanted))))
}

/// Whether a text is like a pattern of a Fargate profile: `*` is any characters, `?` is one
/// (docs.aws.amazon.com/eks/latest/userguide/fargate-profile.html).
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            // The last star takes one character more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
