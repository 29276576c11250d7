//! The play: what happens on each side, in this order.

use super::nodes;
use super::pods::{self, enis, path};
use super::region::{self, Region};
use super::seen::{Picture, Seen, branches};
use super::table::{Gets, Later, Row, Stage};
use serde_json::{Value, json};
use sgp_tests::world::side::Side;
use sgp_tests::world::{Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// The cool-down that is set, the shortest one.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// The node groups that are there from the beginning: name, type, subnet.
const NODES: [(&str, &str, &str); 5] = [
    ("main", "m5.4xlarge", "nodes"),
    ("full", "m5.large", "nodes"),
    ("crowded", "m5.large", "crowded"),
    ("plain", "t3.medium", "nodes"),
    ("last", "m5.large", "second"),
];

/// Plays the table on a side and answers what was seen.
pub fn play(side: Side, rows: &[Row]) -> Result<Seen> {
    let mut play =
        Play { region: region::make(side)?, rows, refusals: BTreeMap::new(), had: BTreeMap::new(), seen: Seen::new() };
    play.begin()?;
    play.trunks()?;
    play.make(Stage::Main)?;
    play.look(|row| row.stage == Stage::Main, "at first")?;
    let changed = play.region.side.now();
    play.later()?;
    play.unauthorized()?;
    play.delete()?;
    play.cool_down(changed)?;
    play.last()?;
    Ok(play.seen)
}

struct Play<'a> {
    region: Region,
    rows: &'a [Row],
    /// Why pods and policies were not let in, by row.
    refusals: BTreeMap<String, Value>,
    /// Branch interfaces by row.
    had: BTreeMap<String, Vec<String>>,
    seen: Seen,
}

impl Play<'_> {
    /// Nodes without trunks, policies, and the pods that are early.
    fn begin(&mut self) -> Result<()> {
        for (group, kind, subnet) in NODES {
            self.region.add_group(group, kind, subnet)?;
        }
        for (group, ..) in NODES {
            nodes::appear(&mut self.region, group)?;
        }
        self.refusals = pods::prepare(&self.region, self.rows)?;
        self.make(Stage::Early)?;
        self.look(|row| row.stage == Stage::Early, "before trunks")
    }

    /// The VPC CNI is told to use branch interfaces.
    fn trunks(&mut self) -> Result<()> {
        nodes::enable_pod_eni(&self.region)?;
        for (group, ..) in NODES {
            nodes::ask_for_trunk(&self.region, group)?;
        }
        for (group, ..) in NODES.iter().filter(|(group, ..)| *group != "plain") {
            nodes::wait_for_capacity(&self.region, group)?;
        }
        let region = &self.region;
        let plain = nodes::id(region, "node", "plain");
        self.wait_for_event(&plain, "Unsupported")?;
        let settings = json!({ "data": { "branch-eni-cooldown": COOL_DOWN.as_secs().to_string() } });
        let path = "/api/v1/namespaces/kube-system/configmaps/amazon-vpc-cni";
        self.region.side.kubernetes("PATCH", path, Some(&settings))?;
        self.wait_for_event(&plain, "BranchENICoolDownPeriodUpdated")?;
        nodes::fill(&self.region)?;
        self.settle(|row| row.stage == Stage::Early)
    }

    fn wait_for_event(&self, node: &str, reason: &str) -> Result<()> {
        let side = &self.region.side;
        side.wait_for(reason, || {
            let events = side.kubernetes("GET", "/api/v1/events", None)?;
            let mut events = events["items"].as_array().into_iter().flatten();
            Ok(events.any(|it| it["involvedObject"]["name"] == node && it["reason"] == reason).then_some(()))
        })
    }

    /// Makes the pods of a stage, each when the one before has what it gets.
    fn make(&mut self, stage: Stage) -> Result<()> {
        for row in self.rows.iter().filter(|row| row.stage == stage && !matches!(row.gets, Gets::Invalid(_))) {
            for name in row.names() {
                if let Some(refusal) = pods::make(&self.region, row, &name)? {
                    self.refusals.insert(row.title.clone(), refusal);
                } else if stage != Stage::Early {
                    pods::settle(&self.region, row, &name, &row.gets)?;
                }
            }
        }
        Ok(())
    }

    fn settle(&self, is_meant: impl Fn(&Row) -> bool) -> Result<()> {
        for row in self.rows.iter().filter(|row| is_meant(row)) {
            pods::settle(&self.region, row, "pod", &row.gets)?;
        }
        Ok(())
    }

    /// Notes what is seen of rows.
    fn look(&mut self, is_meant: impl Fn(&Row) -> bool, when: &str) -> Result<()> {
        let picture = Picture::take(&self.region)?;
        for row in self.rows.iter().filter(|row| is_meant(row)) {
            let mut seen = json!({});
            for name in row.names() {
                let pod = pods::get(&self.region, row, &name).unwrap_or_default();
                let refusal = self.refusals.get(&row.title);
                if pod.is_object() {
                    seen[&name] = picture.pod(&pod, row.policies.len() <= 1);
                    if row.deleted_names().contains(&name) {
                        self.had.entry(row.title.clone()).or_default().extend(enis(&pod));
                    }
                }
                let gets = if when == "before trunks" { &Gets::Unheard } else { &row.gets };
                if let Some(problem) = pods::problem(&picture, row, &name, gets, &pod, refusal) {
                    seen["problem"] = json!(problem);
                }
            }
            if let Some(refusal) = self.refusals.get(&row.title) {
                seen["refusal"] = json!(refusal);
            }
            self.seen.insert(format!("{} ({when})", row.title), seen);
        }
        Ok(())
    }

    /// What happens to rows later.
    fn later(&mut self) -> Result<()> {
        self.look(|row| row.stage == Stage::Early, "with trunks")?;
        for row in self.rows {
            let Some(later) = &row.later else { continue };
            for (name, policy) in &later.policies {
                pods::put_policy(&self.region, &row.namespace(), name, policy)?;
            }
            if let Some(name) = &later.without {
                let policies = path("securitygrouppolicies", &row.namespace());
                self.region.side.kubernetes("DELETE", &format!("{policies}/{name}"), None)?;
            }
            if !later.account.is_empty() {
                let account = format!("{}/{}", path("serviceaccounts", &row.namespace()), row.account.name);
                let patch = json!({ "metadata": { "labels": later.account } });
                self.region.side.kubernetes("PATCH", &account, Some(&patch))?;
            }
        }
        pods::wait_until_known(&self.region, "canary-later")?;
        // Those that get something come before those that give something back, so that VLANs are given in one order.
        for row in self.rows.iter().filter(|row| row.later.as_ref().is_some_and(|later| later.another)) {
            pods::make(&self.region, row, "later")?;
            if let Some(later) = &row.later {
                pods::settle(&self.region, row, "later", &later.gets)?;
            }
        }
        self.rows.iter().try_for_each(|row| self.change_pod(row))?;
        self.look_at_changed(|row, later| !later.deleted && !matches!(row.gets, Gets::Waiting), "changed")
    }

    /// Notes what is seen of the pods to which something happened.
    fn look_at_changed(&mut self, is_meant: impl Fn(&Row, &Later) -> bool, when: &str) -> Result<()> {
        let picture = Picture::take(&self.region)?;
        for row in self.rows {
            let Some(later) = row.later.as_ref().filter(|later| is_meant(row, later)) else { continue };
            let name = if later.another { "later" } else { "pod" };
            let pod = pods::get(&self.region, row, name).unwrap_or_default();
            let mut seen = json!({});
            if pod.is_object() {
                seen = picture.pod(&pod, row.policies.len() <= 1);
                if later.another {
                    self.had.entry(row.title.clone()).or_default().extend(enis(&pod));
                }
            }
            if let Some(problem) = pods::problem(&picture, row, name, &later.gets, &pod, None) {
                seen["problem"] = json!(problem);
            }
            if matches!(row.gets, Gets::Waiting) {
                // How often it is tried until the cool-down is over depends on when that began.
                uncount(&mut seen["events"]);
            }
            self.seen.insert(format!("{} ({when})", row.title), seen);
        }
        Ok(())
    }

    fn change_pod(&mut self, row: &Row) -> Result<()> {
        let Some(later) = &row.later else { return Ok(()) };
        let pod = format!("{}/pod", path("pods", &row.namespace()));
        let side = &self.region.side;
        if !later.labels.is_empty() {
            side.kubernetes("PATCH", &pod, Some(&json!({ "metadata": { "labels": later.labels } })))?;
        }
        if !later.annotations.is_empty() {
            let patch = json!({ "metadata": { "annotations": later.annotations } });
            let refused = match side.kubernetes("PATCH", &pod, Some(&patch)) {
                Err(Error::Failed { detail, .. }) => pods::status(&self.region, &detail),
                patched => patched.map(|_| json!("let in"))?,
            };
            self.seen.insert(format!("{} (annotated)", row.title), json!(refused));
        }
        if let Some(phase) = &later.phase {
            side.kubernetes("PATCH", &format!("{pod}/status"), Some(&json!({ "status": { "phase": phase } })))?;
        }
        if later.deleted {
            side.kubernetes("DELETE", &pod, None)?;
        }
        Ok(())
    }

    /// The cluster's role has lost its policy: pods and nodes say so, and go on when it is back.
    fn unauthorized(&mut self) -> Result<()> {
        self.region.authorize(false)?;
        self.make(Stage::Unauthorized)?;
        self.look(|row| row.stage == Stage::Unauthorized, "without its policy")?;
        self.region.add_group("late", "m5.large", "nodes")?;
        nodes::appear(&mut self.region, "late")?;
        nodes::ask_for_trunk(&self.region, "late")?;
        self.wait_for_event(&nodes::id(&self.region, "node", "late"), "NodeTrunkFailedInit")?;
        self.look_at_node("late", "without its policy")?;
        self.region.authorize(true)?;
        nodes::poke(&self.region, "late")?;
        nodes::wait_for_capacity(&self.region, "late")
    }

    /// Deletes the pods of all rows but those that have ended and those that are not over.
    fn delete(&self) -> Result<()> {
        for row in self.rows.iter().filter(|row| row.stage != Stage::Last) {
            let later = row.later.as_ref();
            let is_kept =
                later.is_some_and(|later| later.phase.is_some() || later.deleted || matches!(row.gets, Gets::Waiting));
            for name in
                row.deleted_names().iter().map(String::as_str).chain(later.filter(|it| it.another).map(|_| "later"))
            {
                if !is_kept {
                    pods::delete(&self.region, row, name)?;
                }
            }
        }
        Ok(())
    }

    /// All that was given back is deleted, not before the cool-down is over.
    fn cool_down(&mut self, changed: Duration) -> Result<()> {
        let side = &self.region.side;
        let waiting: Vec<&Row> = self.rows.iter().filter(|row| matches!(row.gets, Gets::Waiting)).collect();
        let mut first = None;
        let had: Vec<&String> = self.had.values().flatten().collect();
        side.wait_for("the end of the branch interfaces", || {
            let left = branches(&self.region)?;
            let is_left = had.iter().filter(|id| left.contains(id)).count();
            if is_left < had.len() && first.is_none() {
                first = Some(side.now());
            }
            Ok((is_left == 0).then_some(()))
        })?;
        let waited = first.unwrap_or_default().saturating_sub(changed);
        self.seen.insert("cool-down".to_owned(), json!({ "is kept": waited >= COOL_DOWN }));
        for row in waiting {
            if let Some(later) = &row.later {
                pods::settle(&self.region, row, "pod", &later.gets)?;
            }
        }
        self.look_later()?;
        for group in NODES.iter().map(|(group, ..)| *group).chain(["late"]) {
            self.look_at_node(group, "in the end")?;
        }
        Ok(())
    }

    /// What is left of all rows.
    fn look_later(&mut self) -> Result<()> {
        self.look_at_changed(|row, _| matches!(row.gets, Gets::Waiting), "after the cool-down")?;
        let picture = Picture::take(&self.region)?;
        for (title, had) in &self.had {
            let left: Vec<Value> = had.iter().map(|id| picture.interface(id, true)).collect();
            self.seen.insert(format!("{title} (in the end)"), json!({ "left": left }));
        }
        Ok(())
    }

    fn look_at_node(&mut self, group: &str, when: &str) -> Result<()> {
        let picture = Picture::take(&self.region)?;
        let mut seen = nodes::look(&self.region, group);
        let (name, instance) = (nodes::id(&self.region, "node", group), nodes::id(&self.region, "instance", group));
        seen["events"] = picture.events("Node", "", &name, true);
        let seen = picture.told(&seen);
        let mut seen = seen.clone();
        seen["trunk"] = picture.trunk(&instance);
        self.seen.insert(format!("node {group} ({when})"), seen);
        Ok(())
    }

    /// A node ends with its pods.
    fn last(&mut self) -> Result<()> {
        self.make(Stage::Last)?;
        self.look(|row| row.stage == Stage::Last, "at first")?;
        nodes::end(&self.region, "last")?;
        let picture = Picture::take(&self.region)?;
        for row in self.rows.iter().filter(|row| row.stage == Stage::Last) {
            let left: Vec<Value> =
                self.had.get(&row.title).into_iter().flatten().map(|id| picture.interface(id, true)).collect();
            self.seen.insert(format!("{} (without its node)", row.title), json!({ "left": left }));
        }
        Ok(())
    }
}

/// Lets it be open how often an event was told.
fn uncount(events: &mut Value) {
    events.as_object_mut().into_iter().flatten().for_each(|(_, count)| *count = json!("several"));
}
