//! Graphs as text: DOT for Graphviz, and mermaid for pages.

use std::fmt::Write as _;

use sgp_model::{
    Plan,
    plan::{Op, Step},
};

/// A graph to be written: labels, and edges from what waits to what it waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// By number; `None` for a node that only joins edges.
    pub nodes: Vec<Option<String>>,
    /// Numbers of nodes.
    pub edges: Vec<(usize, usize)>,
}

impl Graph {
    /// The steps of a plan.
    pub fn of_plan(plan: &Plan) -> Self {
        let label = |step: &Step| {
            let change = plan.changes.get(usize::try_from(step.change?).ok()?)?;
            let deposed = change.deposed.as_ref().map_or_else(String::new, |key| format!(" (deposed {key})"));
            Some(format!("{}{deposed} ({})", change.addr, op(step.op)))
        };
        let edge = |(i, step): (usize, &Step)| step.after.iter().map(move |a| (i, a.0 as usize)).collect::<Vec<_>>();
        Self {
            nodes: plan.steps.iter().map(label).collect(),
            edges: plan.steps.iter().enumerate().flat_map(edge).collect(),
        }
    }

    /// For Graphviz: `sgp graph | dot -Tsvg`.
    pub fn dot(&self) -> String {
        let name = |i: usize| self.nodes[i].clone().unwrap_or_else(|| format!("join {i}"));
        let mut out =
            "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n".to_owned();
        for (i, node) in self.nodes.iter().enumerate() {
            let _ = match node {
                Some(label) => writeln!(out, "  {0} [label={0}];", dot_quote(label)),
                None => writeln!(out, "  {} [shape=point];", dot_quote(&name(i))),
            };
        }
        for (from, to) in &self.edges {
            let _ = writeln!(out, "  {} -> {};", dot_quote(&name(*from)), dot_quote(&name(*to)));
        }
        out + "}\n"
    }

    /// For mermaid, as GitHub and GitLab show it.
    pub fn mermaid(&self) -> String {
        let mut out = "flowchart RL\n".to_owned();
        for (i, node) in self.nodes.iter().enumerate() {
            let _ = match node {
                Some(label) => writeln!(out, "  n{i}[\"{}\"]", label.replace('"', "#quot;")),
                None => writeln!(out, "  n{i}(( ))"),
            };
        }
        for (from, to) in &self.edges {
            let _ = writeln!(out, "  n{from} --> n{to}");
        }
        out
    }
}

fn dot_quote(text: &str) -> String {
    // DOT knows no other escapes in a quoted name than these two.
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn op(op: Op) -> &'static str {
    match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "destroy",
        Op::Read => "read",
        Op::Record => "record",
        Op::Forget => "forget",
        Op::Join => "join",
    }
}

#[cfg(test)]
mod tests {
    use sgp_model::plan::{Action, StepId};

    use super::*;
    use crate::render::plan::tests::{change, plan};

    #[test]
    fn steps_and_what_they_wait_for() {
        let mut p = plan(vec![
            change("aws_example.a[\"k\"]", Action::Create, None, None),
            change("aws_example.b", Action::Delete, None, None),
        ]);
        p.steps = vec![
            Step { change: Some(0), op: Op::Create, after: vec![] },
            Step { change: None, op: Op::Join, after: vec![StepId(0)] },
            Step { change: Some(1), op: Op::Delete, after: vec![StepId(1)] },
        ];
        let graph = Graph::of_plan(&p);
        insta::assert_snapshot!(format!("{}{}", graph.dot(), graph.mermaid()));
    }
}
