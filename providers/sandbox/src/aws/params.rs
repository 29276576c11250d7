//! What a call was sent: a tree of parameters.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::{ApiError, Service};

/// A tree of parameters, of a whole call or of a structure in it.
///
/// The query protocols write lists as `Name.1`, `Name.2` (EC2) or `Name.member.1` (IAM, STS), structures as `Name.Member`;
/// EKS sends JSON. All of them are read alike here. Text `"5"` and number `5` are the same.
#[derive(Clone, Debug)]
pub struct Params {
    service: Service,
    tree: Value,
}

impl Params {
    /// Parameters of a query protocol, from decoded pairs.
    pub fn from_query(service: Service, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut tree = Value::Object(Map::new());
        for (name, value) in pairs {
            place(&mut tree, name.split('.'), value);
        }
        Self { service, tree }
    }

    /// Parameters of a JSON protocol.
    pub fn from_json(service: Service, tree: Value) -> Self {
        Self { service, tree }
    }

    /// The tree as it is.
    pub fn raw(&self) -> &Value {
        &self.tree
    }

    /// Whether the parameter was sent; `null` was not.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value as it is.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.tree.get(name).filter(|value| !value.is_null())
    }

    /// Text, or a number or truth value as text.
    pub fn text(&self, name: &str) -> Option<String> {
        scalar(self.value(name)?)
    }

    /// Text that must be there and not be empty.
    ///
    /// # Errors
    /// The service's refusal of a missing parameter.
    pub fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| ApiError::missing(self.service, name))
    }

    /// A value that reads from text: a number, an address.
    ///
    /// # Errors
    /// The service's refusal of a wrong value.
    pub fn parsed<T: FromStr>(&self, name: &str, why: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::invalid(self.service, name, &text, why))
    }

    /// An integer.
    ///
    /// # Errors
    /// The service's refusal of a wrong value.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.parsed(name, "Must be an integer")
    }

    /// A truth value.
    ///
    /// # Errors
    /// The service's refusal of a wrong value.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.to_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(ApiError::invalid(self.service, name, &text, "Must be true or false")),
        }
    }

    /// A list of texts; empty when nothing was sent.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.items(name).iter().filter_map(|item| scalar(item)).collect()
    }

    /// A list of structures; empty when nothing was sent.
    pub fn structures(&self, name: &str) -> Vec<Params> {
        self.items(name).into_iter().map(|tree| Params { service: self.service, tree: tree.clone() }).collect()
    }

    /// A structure.
    pub fn structure(&self, name: &str) -> Option<Params> {
        self.value(name).map(|tree| Params { service: self.service, tree: tree.clone() })
    }

    /// The members of a structure of which every value is text (labels, JSON tags).
    pub fn map(&self, name: &str) -> Vec<(String, String)> {
        let members = self.value(name).and_then(Value::as_object).into_iter().flatten();
        members.filter_map(|(key, value)| Some((key.clone(), scalar(value)?))).collect()
    }

    fn items(&self, name: &str) -> Vec<&Value> {
        match self.value(name) {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(Value::Object(members)) => {
                let list =
                    members.get("member").or_else(|| members.get("item")).and_then(Value::as_object).unwrap_or(members);
                let mut numbered: Vec<(u64, &Value)> =
                    list.iter().filter_map(|(number, item)| Some((number.parse().ok()?, item))).collect();
                numbered.sort_by_key(|(number, _)| *number);
                numbered.into_iter().map(|(_, item)| item).collect()
            }
            // IAM's and STS's protocol writes an empty list as `Name=`.
            Some(Value::String(text)) if text.is_empty() && self.service != Service::Ec2 => Vec::new(),
            Some(text) => vec![text],
            None => Vec::new(),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Puts a value where its dotted name says.
fn place<'a>(tree: &mut Value, mut names: impl Iterator<Item = &'a str>, value: String) {
    let Some(name) = names.next() else {
        *tree = Value::String(value);
        return;
    };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    if let Value::Object(members) = tree {
        place(members.entry(name).or_insert(Value::Null), names, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(service: Service, pairs: &[(&str, &str)]) -> Params {
        Params::from_query(service, pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn lists_read_alike_in_all_protocols() {
        let ec2 = query(Service::Ec2, &[("GroupId.2", "b"), ("GroupId.10", "c"), ("GroupId.1", "a")]);
        let iam =
            query(Service::Iam, &[("GroupId.member.1", "a"), ("GroupId.member.2", "b"), ("GroupId.member.3", "c")]);
        let eks = Params::from_json(Service::Eks, serde_json::json!({ "GroupId": ["a", "b", "c"] }));
        for params in [ec2, iam, eks] {
            assert_eq!(params.texts("GroupId"), ["a", "b", "c"]);
        }
    }

    #[test]
    fn an_empty_list_has_a_name_of_its_own() {
        assert!(query(Service::Iam, &[("Tags", "")]).structures("Tags").is_empty());
    }

    #[test]
    fn structures_nest() {
        let call = query(
            Service::Ec2,
            &[
                ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"),
                ("IpPermissions.1.FromPort", "443"),
                ("IpPermissions.1.IpProtocol", "tcp"),
            ],
        );
        let permission = call.structures("IpPermissions").remove(0);
        assert_eq!(permission.integer("FromPort"), Ok(Some(443)));
        assert_eq!(permission.structures("IpRanges")[0].text("CidrIp").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(call.required("VpcId").unwrap_err().code, "MissingParameter");
    }
}
