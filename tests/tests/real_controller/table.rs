//! The rows of the table.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One row: a namespace with its policies, and a pod in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What is tried, in a few words.
    #[serde(rename = "row")]
    pub title: String,
    /// When the pod is made.
    #[serde(default)]
    pub stage: Stage,
    /// The node group whose node the pod is on; `none` leaves it without one.
    #[serde(default = "main_group")]
    pub node: String,
    /// The pod's service account; `default` without labels when there is none.
    #[serde(default)]
    pub account: Account,
    /// Policies by name; `groups` are names of the region's groups, or ids.
    #[serde(default)]
    pub policies: BTreeMap<String, Map<String, Value>>,
    /// Policies in another namespace.
    #[serde(default)]
    pub elsewhere: BTreeMap<String, Map<String, Value>>,
    /// Labels, annotations and members of the spec.
    #[serde(default)]
    pub pod: Pod,
    /// Its pods are those of a Deployment with this template.
    #[serde(default)]
    pub deployment: bool,
    /// So many pods like this.
    #[serde(default = "one")]
    pub copies: usize,
    /// So many of its pods are deleted in the end; all of them, when it is not said.
    #[serde(default)]
    pub deleted: Option<usize>,
    /// What it gets, see [`Gets`].
    pub gets: Gets,
    /// What happens then.
    #[serde(default)]
    pub later: Option<Later>,
}

/// When a row's pod is made.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Before the VPC CNI asks for trunks.
    Early,
    /// When the trunks are there.
    #[default]
    Main,
    /// When the cluster's role has lost its policy.
    Unauthorized,
    /// When everything else is over; its node then ends with it.
    Last,
}

/// A service account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    #[serde(default = "default_account")]
    pub name: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Not made at all.
    #[serde(default)]
    pub missing: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self { name: default_account(), labels: BTreeMap::new(), missing: false }
    }
}

/// What a pod has beside one container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pod {
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub spec: Map<String, Value>,
}

/// What a pod gets.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gets {
    /// A branch interface with these groups.
    Groups(Vec<String>),
    /// So many branch interfaces, each with these groups.
    Several(usize, Vec<String>),
    /// A branch interface with the instance's groups.
    Instance,
    /// Groups in the annotation of Fargate pods.
    Fargate(Vec<String>),
    /// None.
    Nothing,
    /// None: it asks, and the controller does not get to it.
    Unheard,
    /// None for now: all are in use, or cooling down.
    Waiting,
    /// None: the controller says why, six times.
    Failure(String),
    /// It is not let in; the message has this.
    Refused(String),
    /// A policy of the row is not let in; the message has this.
    Invalid(String),
}

/// What happens to a row when all pods have what they get.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// Policies that are changed or made.
    #[serde(default)]
    pub policies: BTreeMap<String, Map<String, Value>>,
    /// A policy that is deleted.
    #[serde(default)]
    pub without: Option<String>,
    /// New labels of the pod.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// New labels of its service account.
    #[serde(default)]
    pub account: BTreeMap<String, String>,
    /// An annotation that somebody else writes.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The phase that the pod's kubelet reports.
    #[serde(default)]
    pub phase: Option<String>,
    /// The pod is deleted.
    #[serde(default)]
    pub deleted: bool,
    /// A second pod like the first is made.
    #[serde(default)]
    pub another: bool,
    /// What the second pod gets, or the first one has by now.
    pub gets: Gets,
}

impl Row {
    /// The namespace of the row.
    pub fn namespace(&self) -> String {
        let name: String =
            self.title.to_lowercase().chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
        let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
        let mut name = parts.join("-");
        name.truncate(60);
        name.trim_end_matches('-').to_owned()
    }

    /// The namespace of its policies elsewhere.
    pub fn other_namespace(&self) -> String {
        format!("x-{}", self.namespace().chars().take(58).collect::<String>())
    }

    /// How many pods it makes.
    pub fn pods(&self) -> usize {
        if matches!(self.gets, Gets::Invalid(_)) {
            return 0;
        }
        self.copies + usize::from(self.later.as_ref().is_some_and(|later| later.another))
    }

    /// The names of its first pods that are deleted in the end.
    pub fn deleted_names(&self) -> Vec<String> {
        let mut names = self.names();
        names.truncate(self.deleted.unwrap_or(self.copies));
        names
    }

    /// The names of its first pods.
    pub fn names(&self) -> Vec<String> {
        (0..self.copies).map(|number| if number == 0 { "pod".to_owned() } else { format!("pod-{number}") }).collect()
    }
}

fn main_group() -> String {
    "main".to_owned()
}

fn default_account() -> String {
    "default".to_owned()
}

fn one() -> usize {
    1
}

/// The table.
pub fn rows() -> Vec<Row> {
    let rows: Vec<Row> = serde_norway::from_str(include_str!("rows.yaml")).unwrap();
    let mut names: Vec<String> = rows.iter().map(Row::namespace).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    rows
}
