//! Ids by what they are: what is random or of one side becomes a name.

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What ids stand for.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"Encoded authorization failure message: \S+", "Encoded authorization failure message: ENCODED"),
        (r"eks-cluster-sg-pair-\d+", "eks-cluster-sg-pair"),
        (r"RequestID: [0-9a-f-]{36}", "RequestID: REQUEST"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
        (r"trunk-assoc-[0-9a-f]{17}", "trunk-assoc-ID"),
        (r"eni-attach-[0-9a-f]{17}", "eni-attach-ID"),
        (r"eni-[0-9a-f]{17}", "eni-ID"),
        (r"ip-10-0-\d+-\d+\.ec2\.internal", "NAME"),
    ];
    rules.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).into()
});
/// An address, and the rest of a range when it is one.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b10\.0\.\d+\.\d+(/\d+)?").unwrap());

impl Names {
    /// Notes what an id stands for.
    pub fn note(&mut self, id: &str, name: &str) {
        self.0.insert(id.to_owned(), name.to_owned());
    }

    /// The id of a name.
    pub fn id(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(_, known)| *known == name).map(|(id, _)| id.as_str())
    }

    /// A value with names for ids, and without times.
    pub fn told(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.tell(text)),
            Value::Array(list) => list.iter().map(|it| self.told(it)).collect(),
            Value::Object(members) => {
                let told = members.iter().filter(|(name, _)| *name != "attachTime");
                told.map(|(name, it)| (self.tell(name), self.told(it))).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }

    /// A text with names for ids.
    pub fn tell(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for (id, name) in &self.0 {
            told = told.replace(id, name);
        }
        for (rule, name) in RULES.iter() {
            told = rule.replace_all(&told, *name).into_owned();
        }
        let range = |found: &Captures<'_>| found.get(1).map_or("ADDRESS".to_owned(), |_| found[0].to_owned());
        ADDRESS.replace_all(&told, range).into_owned()
    }
}
