//! Required affinity between pods, and anti-affinity.
//!
//! Source: `pkg/scheduler/framework/plugins/interpodaffinity`.

use std::collections::HashSet;

use serde_json::Value;

use super::cache::list;
use super::filter::Refusal;
use crate::kubernetes::controllers::context::{Context, meta};
use crate::kubernetes::controllers::workloads::pods::is_finished;
use crate::kubernetes::selectors::Selector;

/// What other pods demand of where a pod goes: sets of values of a topology key.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    /// For each term: the key, the values at which there is a pod that it wants, and whether none is needed because the pod fits
    /// its own term and there is no other.
    near: Vec<(String, HashSet<String>, bool)>,
    /// Keys and values at which there is a pod that it does not want.
    away: Vec<(String, HashSet<String>)>,
    /// Keys and values at which there is a pod that does not want it.
    unwanted: Vec<(String, HashSet<String>)>,
}

impl Demands {
    /// Reads a pod's terms, and those of others that repel it where there are any. Costs a look at all pods only when there are terms.
    pub fn of(ctx: &Context<'_>, pod: &Value) -> Self {
        let affinity = &pod["spec"]["affinity"];
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let near: Vec<&Value> = list(&affinity["podAffinity"][required]).collect();
        let away: Vec<&Value> = list(&affinity["podAntiAffinity"][required]).collect();
        if near.is_empty() && away.is_empty() && ctx.caches.scheduler.repelling == 0 {
            return Self::default();
        }
        let mut demands = Self::default();
        let others: Vec<_> = ctx
            .list("pods", None)
            .into_iter()
            .filter(|other| other["spec"]["nodeName"].is_string() && !is_finished(other))
            .collect();
        let values = |key: &str, wanted: &dyn Fn(&Value) -> bool| -> HashSet<String> {
            let there = others.iter().filter(|other| wanted(other));
            there.filter_map(|other| topology(ctx, other["spec"]["nodeName"].as_str()?, key)).collect()
        };
        for term in near {
            let key = term["topologyKey"].as_str().unwrap_or_default();
            let found = values(key, &|other| fits(term, pod, other));
            let is_first = found.is_empty() && fits(term, pod, pod);
            demands.near.push((key.to_owned(), found, is_first));
        }
        for term in away {
            let key = term["topologyKey"].as_str().unwrap_or_default();
            demands.away.push((key.to_owned(), values(key, &|other| fits(term, pod, other))));
        }
        for other in &others {
            for term in list(&other["spec"]["affinity"]["podAntiAffinity"][required]) {
                let key = term["topologyKey"].as_str().unwrap_or_default();
                if fits(term, other, pod)
                    && let Some(value) = topology(ctx, other["spec"]["nodeName"].as_str().unwrap_or_default(), key)
                {
                    demands.unwanted.push((key.to_owned(), HashSet::from([value])));
                }
            }
        }
        demands
    }

    /// Whether a node is where the pod may go.
    ///
    /// # Errors
    /// The plugin's words.
    pub fn allow(&self, node: &Value) -> Result<(), Refusal> {
        let refuse = |reason: &str, is_final| Err(Refusal { reasons: vec![reason.to_owned()], is_final });
        let at = |key: &str| node["metadata"]["labels"][key].as_str();
        let is_near = |(key, values, is_first): &(String, HashSet<String>, bool)| {
            at(key).is_some_and(|value| *is_first || values.contains(value))
        };
        if !self.near.iter().all(is_near) {
            return refuse("node(s) didn't match pod affinity rules", true);
        }
        let is_at = |(key, values): &(String, HashSet<String>)| at(key).is_some_and(|value| values.contains(value));
        if self.away.iter().any(is_at) {
            return refuse("node(s) didn't match pod anti-affinity rules", false);
        }
        if self.unwanted.iter().any(is_at) {
            return refuse("node(s) didn't satisfy existing pods anti-affinity rules", false);
        }
        Ok(())
    }
}

fn topology(ctx: &Context<'_>, node: &str, key: &str) -> Option<String> {
    let object = ctx.caches.scheduler.nodes.get(node)?.object.as_ref()?;
    object["metadata"]["labels"][key].as_str().map(str::to_owned)
}

/// Whether `other` is one of those that a term of `pod` speaks of. A namespace selector is taken to select all namespaces.
fn fits(term: &Value, pod: &Value, other: &Value) -> bool {
    let namespace = meta(other, "namespace");
    let is_named = list(&term["namespaces"]).any(|it| it == namespace);
    let is_any = !term["namespaceSelector"].is_null();
    let is_own = list(&term["namespaces"]).next().is_none() && !is_any && meta(pod, "namespace") == namespace;
    (is_named || is_any || is_own)
        && Selector::read(&term["labelSelector"]).is_ok_and(|selector| selector.matches(&other["metadata"]["labels"]))
}
