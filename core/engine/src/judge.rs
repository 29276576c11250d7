//! What the preflight rules say of a plan, and what people decided about it.

use std::collections::{BTreeMap, BTreeSet};

use sgp_analysis::{
    build::{Object, build},
    topology::Topology,
};
use sgp_checks::{Edges, Finding, Input, Suppressed, Suppression, Suppressions};
use sgp_lang::Config;
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, Plan, Value,
    plan::{Action, Op, PlanMode, Preflight, ResourceChange, Running},
};

use crate::{
    blocks::resource_block,
    running::{self, Sides},
    survey::Around,
};

/// What stands before a decision in a comment above a block.
const MARK: &str = "sgp:ignore";

/// What was found, and what of it does not count.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Findings that count, the worst first.
    pub findings: Vec<Finding>,
    /// Findings that somebody decided to live with.
    pub suppressed: Vec<Suppressed>,
    /// Decisions of the command line that no finding asked for.
    pub idle: Vec<Suppression>,
}

/// Judges a plan. `skipped` are decisions of the command line; those in the configuration are found beside its blocks. With `around`
/// the rules see what was gathered, too. Answers what a plan records of what runs beside.
pub(crate) fn judge(
    plan: &Plan,
    config: &Config,
    skipped: &[Suppression],
    around: Option<&Around>,
) -> (Judged, Running) {
    let is_ours = |name: &str| ["aws_", "kubernetes_", "sgp_"].iter().any(|it| name.starts_with(it));
    if plan.mode == PlanMode::RefreshOnly || !plan.changes.iter().any(|it| is_ours(&it.addr.resource.type_name)) {
        return (Judged::default(), Running::default());
    }
    let sides = Sides::of(plan, around.map(|it| &it.sources));
    let (topology_before, topology) = (build(&sides.before), build(&sides.after));
    let running = around.map(|it| running::recorded(plan, it, &topology_before, &topology)).unwrap_or_default();
    // Rules are told of each thing once: by the configuration, where it is the configuration's.
    let (before, after) = (sides.told(&sides.before), sides.told(&sides.after));
    let changes = plan.changes.iter().filter(|it| it.deposed.is_none());
    let actions: BTreeMap<InstanceAddr, Action> = changes.map(|it| (it.addr.clone(), it.action)).collect();
    let said = plan.changes.iter().filter(|it| it.deposed.is_none() && !it.config.is_null());
    let configs = said.map(|it| (it.addr.clone(), it.config.clone().unmark_deep().0)).collect();
    let found = sgp_checks::check(&Input {
        objects: &after,
        before: &before,
        topology: &topology,
        topology_before: &topology_before,
        configs: &configs,
        actions: &actions,
        edges: &edges(plan),
        partition: of_data(plan, "aws_partition", "partition"),
        region: of_data(plan, "aws_region", "name"),
        is_live: around.is_some(),
    });
    let found = unless_already_so(found, &before, &topology_before, around.is_some());
    let mut decisions = skipped.to_vec();
    decisions.extend(found.iter().filter_map(|it| it.addr.as_ref()).flat_map(|addr| beside(config, addr)));
    let decisions = Suppressions(decisions);
    let idle = decisions.idle(&found).filter(|it| skipped.contains(it)).cloned().collect();
    let (findings, suppressed) = decisions.apply(found);
    (Judged { findings, suppressed, idle }, running)
}

/// A plan is refused for what it would break, not for what is so already: whoever adopts a stack that does not work is warned, and can
/// mend it step by step.
fn unless_already_so(mut found: Vec<Finding>, before: &[Object], topology: &Topology, is_live: bool) -> Vec<Finding> {
    use sgp_checks::Severity;
    if before.is_empty() || !found.iter().any(|it| it.severity == Severity::Error) {
        return found;
    }
    let known = sgp_checks::check(&Input {
        objects: before,
        before,
        topology,
        topology_before: topology,
        configs: &BTreeMap::new(),
        actions: &BTreeMap::new(),
        edges: &Edges::new(),
        partition: None,
        region: None,
        is_live,
    });
    for finding in found.iter_mut().filter(|it| it.severity == Severity::Error) {
        if known.iter().any(|it| (it.rule, &it.addr, &it.what) == (finding.rule, &finding.addr, &finding.what)) {
            finding.severity = Severity::Warning;
            finding.detail.push_str(" It is so already, so that the plan is not refused.");
        }
    }
    found
}

/// What a data source that was read answered.
fn of_data<'a>(plan: &'a Plan, kind: &str, attribute: &str) -> Option<&'a str> {
    let read = plan.data.iter().find(|(addr, _)| &*addr.resource.type_name == kind);
    read.and_then(|(_, value)| value.get(attribute)).and_then(Value::as_str)
}

impl Judged {
    /// As diagnostics, with places in the configuration. Notes are for `sgp check` alone.
    pub fn diagnostics(&self, config: &Config) -> Diagnostics {
        let told = self.findings.iter().filter(|it| it.severity > sgp_checks::Severity::Note);
        let mut all: Vec<Diagnostic> = told.map(|it| diagnostic(config, it)).collect();
        for decision in &self.idle {
            let detail = format!("-skip-check={} has no effect: the rule finds nothing here.", decision.rule);
            all.push(Diagnostic::warning("Check skipped for nothing", detail));
        }
        Diagnostics(all)
    }

    /// As a plan records them.
    pub fn recorded(&self) -> Vec<Preflight> {
        let counting = self.findings.iter().map(|it| recorded(it, None));
        counting.chain(self.suppressed.iter().map(|it| recorded(&it.finding, Some(it.reason.clone())))).collect()
    }
}

fn recorded(finding: &Finding, skipped: Option<String>) -> Preflight {
    Preflight {
        rule: finding.rule.to_owned(),
        severity: finding.severity.to_string(),
        addr: finding.addr.clone(),
        attribute: finding.attribute.as_ref().map(ToString::to_string),
        summary: finding.summary.to_owned(),
        detail: readable(&finding.detail),
        skipped,
    }
}

/// A finding with its place.
pub fn diagnostic(config: &Config, finding: &Finding) -> Diagnostic {
    let summary = format!("{} ({})", finding.summary, finding.rule);
    let detail = readable(&finding.detail);
    let mut told = match finding.severity {
        sgp_checks::Severity::Error => Diagnostic::error(summary, detail),
        sgp_checks::Severity::Warning | sgp_checks::Severity::Note => Diagnostic::warning(summary, detail),
    };
    let Some(addr) = &finding.addr else { return told };
    told = told.on(addr);
    if let Some(block) = resource_block(config, &addr.resource) {
        let at = finding.attribute.as_ref().and_then(|path| block.span_of(path));
        told = told.at(at.unwrap_or_else(|| block.span.clone()));
    }
    if let Some(path) = &finding.attribute {
        told = told.attribute(path.clone());
    }
    told
}

fn readable(text: &str) -> String {
    sgp_model::symbol::readable(text).into_owned()
}

/// Decisions in comments right above the block of an object.
fn beside(config: &Config, addr: &InstanceAddr) -> Vec<Suppression> {
    let Some(block) = resource_block(config, &addr.resource) else { return Vec::new() };
    let Some(before) = config.sources.text(&block.span.file).and_then(|text| text.get(..block.span.range.start)) else {
        return Vec::new();
    };
    let comments =
        before.lines().rev().map(str::trim).take_while(|line| line.starts_with('#') || line.starts_with("//"));
    let texts = comments.filter_map(|line| line.split_once(MARK).map(|(_, text)| text));
    // A decision is for the block, and so for all instances that it makes.
    let of_block = addr.resource.without_keys().instance(None);
    texts.filter_map(|text| Suppression::read(text, Some(of_block.clone()))).collect()
}

/// What is waited for: policies, what turns pod ENI on, nodes, clusters, permissions, and namespaces.
const AWAITED: [&str; 8] = [
    "sgp_security_group_policy",
    "sgp_pod_eni",
    "aws_eks_addon",
    "aws_eks_cluster",
    "aws_eks_node_group",
    "aws_iam_role_policy_attachment",
    "kubernetes_namespace_v1",
    "kubernetes_service_account_v1",
];

/// Which steps of clusters and in clusters wait for which of those that are [`AWAITED`], however long the way: a bit for each, carried
/// from step to step.
fn edges(plan: &Plan) -> Edges {
    let makes = |op: Op| matches!(op, Op::Create | Op::Update | Op::Record | Op::Join | Op::Read);
    let change = |at: usize| plan.steps[at].change.and_then(|it| plan.changes.get(it as usize));
    let awaited: Vec<usize> = (0..plan.steps.len())
        .filter(|at| {
            let judged = |it: &ResourceChange| is_awaited(&it.addr, plan.symbolic.get(&it.addr).unwrap_or(&it.after));
            makes(plan.steps[*at].op) && change(*at).is_some_and(judged)
        })
        .collect();
    let places: BTreeMap<usize, usize> = awaited.iter().enumerate().map(|(bit, step)| (*step, bit)).collect();
    let words = awaited.len().div_ceil(64);
    let mut reached: Vec<Vec<u64>> = vec![vec![0; words]; plan.steps.len()];
    let mut edges = Edges::new();
    // Steps stand in an order that can be walked.
    for (at, step) in plan.steps.iter().enumerate() {
        let mut own = std::mem::take(&mut reached[at]);
        for before in step.after.iter().map(|it| it.0 as usize).filter(|it| *it < at && makes(plan.steps[*it].op)) {
            own.iter_mut().zip(&reached[before]).for_each(|(word, other)| *word |= other);
            if let Some(bit) = places.get(&before) {
                own[bit / 64] |= 1 << (bit % 64);
            }
        }
        if let Some(it) = change(at).filter(|it| makes(step.op) && is_waiting(&it.addr)) {
            let bits = (0..awaited.len()).filter(|bit| own[bit / 64] & (1 << (bit % 64)) != 0);
            let waits: BTreeSet<InstanceAddr> =
                bits.filter_map(|bit| Some(change(awaited[bit])?.addr.clone())).collect();
            edges.entry(it.addr.clone()).or_default().extend(waits);
        }
        reached[at] = own;
    }
    edges
}

fn is_awaited(addr: &InstanceAddr, after: &Value) -> bool {
    let kind = &*addr.resource.type_name;
    // A manifest that is known later, out of a template for example, may be one.
    let may_be_policy = || {
        let kind = after.get("manifest").and_then(|it| it.get("kind")).and_then(Value::as_str);
        kind.is_none_or(|kind| kind == "SecurityGroupPolicy")
    };
    AWAITED.contains(&kind) || kind == "kubernetes_manifest" && may_be_policy()
}

fn is_waiting(addr: &InstanceAddr) -> bool {
    ["kubernetes_", "sgp_", "aws_eks_"].iter().any(|it| addr.resource.type_name.starts_with(it))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{Type, address::parse_instance};

    use super::*;

    #[test]
    fn a_manifest_that_is_known_later_may_be_a_policy() {
        let kind = |kind: &str| Value::object([("kind", Value::from(kind))]);
        for (address, manifest, expected) in [
            ("kubernetes_manifest.a", kind("SecurityGroupPolicy"), true),
            ("kubernetes_manifest.a", kind("ConfigMap"), false),
            ("kubernetes_manifest.a", Value::unknown(Type::Dynamic), true),
            ("sgp_security_group_policy.a", Value::dynamic_null(), true),
            ("aws_security_group.a", Value::dynamic_null(), false),
        ] {
            let after = Value::object([("manifest", manifest.clone())]);
            assert_eq!(is_awaited(&parse_instance(address).unwrap(), &after), expected, "{address} {manifest:?}");
        }
    }
}
