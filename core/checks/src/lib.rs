//! Preflight rules: what AWS and Kubernetes accept and what then does not work.
//!
//! A [`Rule`] looks at the objects of a plan, before and after, at the topology made of them and at what was gathered live; it
//! answers [`Finding`]s. There is one file a rule, and [`rules`] lists them; [`unknowable`] lists the numbers that have no rule,
//! with the reason. Nothing here reads or calls anything.
//!
//! What is not known gives no finding, or a lower one: a rule that is wrong once is switched off for ever. Start with
//! [`check`], then read `rules/sgp301.rs` for the shape of a rule.

mod facts;
mod finding;
mod input;
mod page;
mod rule;
mod rules;
mod suppress;
#[cfg(test)]
mod testing;
mod unknowable;

use std::borrow::Cow;

use sgp_analysis::build::Object;
use sgp_model::{AttrPath, Marks, Value};

pub use facts::Facts;
pub use finding::Finding;
pub use input::{Edges, Input};
pub use page::{explain, page};
pub use rule::{Examples, Live, Rule, Severity};
pub use rules::rules;
pub use suppress::{Suppressed, Suppression, Suppressions};
pub use unknowable::unknowable;

/// Objects with what is sensitive as unknown. Make topologies for rules of these: what a rule does not see it does not tell.
pub fn hide_secrets(objects: &[Object]) -> Cow<'_, [Object]> {
    if !objects.iter().any(|it| it.attributes.deep_marks().contains(Marks::SENSITIVE)) {
        return Cow::Borrowed(objects);
    }
    let hide = |_: &AttrPath, value: Value| if value.is_sensitive() { Value::unknown(value.ty()) } else { value };
    let hidden = |it: &Object| Object { attributes: it.attributes.map_deep(&mut hide.clone()), ..it.clone() };
    objects.iter().map(hidden).collect()
}

/// Asks every rule. The worst findings come first, then by rule and address; nothing is told twice.
pub fn check(input: &Input<'_>) -> Vec<Finding> {
    let (objects, before) = (hide_secrets(input.objects), hide_secrets(input.before));
    let input = Input { objects: &objects, before: &before, ..*input };
    let facts = Facts::new(&input);
    let found = rules().iter().flat_map(|rule| (rule.check)(&facts));
    // What is nobody's here refuses no plan.
    let mut found: Vec<Finding> =
        found.map(|it| if it.addr.is_none() { it.at_most(Severity::Warning) } else { it }).collect();
    found.sort_by_cached_key(Finding::order);
    found.dedup();
    found
}
