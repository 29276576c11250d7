//! IAM policy documents: building, merging, rendering in Terraform's exact form, and telling whether two mean the same.
//!
//! Pure. The rendered text is what Terraform's `aws_iam_policy_document` renders, byte for byte: two spaces of indentation,
//! sets in descending order, a list of one as a string, `<`, `>` and `&` escaped. Moving a configuration over changes no
//! stored document.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

/// The version that allows policy variables.
pub const CURRENT_VERSION: &str = "2012-10-17";

/// The version before that, in which `${aws:username}` is plain text.
pub const OLD_VERSION: &str = "2008-10-17";

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not JSON or not a policy.
    #[error("{0}")]
    NotAPolicy(String),
    /// Two statements of the same source carry one Sid.
    #[error("the Sid {0:?} is there twice; remove it from one of the statements or make it unique")]
    DuplicateSid(String),
    /// `&{...}` stands for a policy variable, which the old version does not have.
    #[error("found &{{ in {0:?}: policy variables need version {CURRENT_VERSION:?}, not {OLD_VERSION:?}")]
    VariableInOldVersion(String),
}

/// One text, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Texts {
    /// Rendered as a string.
    One(String),
    /// Rendered as a list.
    Many(Vec<String>),
}

impl Texts {
    /// A set of texts in the form that Terraform writes; `None` for an empty one.
    pub fn from_set(texts: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut texts: Vec<String> = texts.into_iter().collect::<BTreeSet<_>>().into_iter().rev().collect();
        match texts.len() {
            0 => None,
            1 => texts.pop().map(Self::One),
            _ => Some(Self::Many(texts)),
        }
    }

    /// A list of texts whose order counts.
    pub fn from_list(mut texts: Vec<String>) -> Self {
        match texts.len() {
            1 => Self::One(texts.remove(0)),
            _ => Self::Many(texts),
        }
    }

    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// Whom a statement concerns: identifiers by type (`AWS`, `Service`, `Federated`, `*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principals(BTreeMap<String, Texts>);

impl Principals {
    /// Adds identifiers of a type, after those that are there.
    pub fn add(&mut self, kind: String, identifiers: Texts) {
        let joined = match self.0.remove(&kind) {
            None => identifiers,
            Some(before) => Texts::Many(before.into_vec().into_iter().chain(identifiers.into_vec()).collect()),
        };
        self.0.insert(kind, joined);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_anybody(&self) -> bool {
        self.0.len() == 1 && self.0.get("*").is_some_and(|ids| ids.clone().into_vec() == ["*"])
    }
}

/// `*` of type `*` is written `"*"`; every other form keeps its type, because a trust policy accepts `{"AWS": "*"}` only.
impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_anybody() { serializer.serialize_str("*") } else { self.0.serialize(serializer) }
    }
}

/// Operators to condition keys to values. A list of one value is written as a string, wherever it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Conditions(BTreeMap<String, BTreeMap<String, Texts>>);

impl Conditions {
    /// Adds values of one key under one operator, after those that are there; their order is kept.
    pub fn add(&mut self, operator: String, key: String, values: Texts) {
        let keys = self.0.entry(operator).or_default();
        let before = keys.remove(&key).map(Texts::into_vec).unwrap_or_default();
        keys.insert(key, Texts::from_list(before.into_iter().chain(values.into_vec()).collect()));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One statement. The order of the fields is the order in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its name within the document; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sid: String,
    /// `Allow` or `Deny`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub effect: String,
    /// The actions it concerns.
    #[serde(rename = "Action", skip_serializing_if = "Option::is_none")]
    pub actions: Option<Texts>,
    /// The actions it does not concern.
    #[serde(rename = "NotAction", skip_serializing_if = "Option::is_none")]
    pub not_actions: Option<Texts>,
    /// The resources it concerns.
    #[serde(rename = "Resource", skip_serializing_if = "Option::is_none")]
    pub resources: Option<Texts>,
    /// The resources it does not concern.
    #[serde(rename = "NotResource", skip_serializing_if = "Option::is_none")]
    pub not_resources: Option<Texts>,
    /// Whom it concerns.
    #[serde(rename = "Principal", skip_serializing_if = "Principals::is_empty")]
    pub principals: Principals,
    /// Whom it does not concern.
    #[serde(rename = "NotPrincipal", skip_serializing_if = "Principals::is_empty")]
    pub not_principals: Principals,
    /// When it counts.
    #[serde(rename = "Condition", skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    /// The version of the language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The document's name; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// In order.
    #[serde(rename = "Statement", skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
}

impl PolicyDocument {
    /// Reads a document out of JSON.
    ///
    /// # Errors
    /// [`PolicyError::NotAPolicy`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let json: Json = serde_json::from_str(text).map_err(|e| PolicyError::NotAPolicy(format!("not JSON: {e}")))?;
        let fields = json.as_object().ok_or_else(|| PolicyError::NotAPolicy("a policy is a JSON object".into()))?;
        let statements = match fields.get("Statement") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(statements)) => statements.iter().map(statement).collect::<Result<_, _>>()?,
            Some(one) => vec![statement(one)?],
        };
        let text_of = |name| fields.get(name).and_then(Json::as_str).unwrap_or_default().to_string();
        Ok(Self { version: text_of("Version"), id: text_of("Id"), statements })
    }

    /// Takes over the other's id, version (when higher) and statements; a statement with a Sid that is there already takes
    /// that one's place.
    pub fn merge(&mut self, other: Self) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if other.version > self.version {
            self.version = other.version;
        }
        for new in other.statements {
            match self.statements.iter_mut().find(|old| !new.sid.is_empty() && old.sid == new.sid) {
                Some(old) => *old = new,
                None => self.statements.push(new),
            }
        }
    }

    /// The first Sid that two statements carry.
    ///
    /// # Errors
    /// [`PolicyError::DuplicateSid`].
    pub fn check_sids(&self) -> Result<(), PolicyError> {
        let mut seen = BTreeSet::new();
        match self.statements.iter().find(|s| !s.sid.is_empty() && !seen.insert(&s.sid)) {
            Some(twice) => Err(PolicyError::DuplicateSid(twice.sid.clone())),
            None => Ok(()),
        }
    }

    /// The document over many lines, as Terraform writes it.
    pub fn to_json(&self) -> String {
        escape_html(&serde_json::to_string_pretty(self).expect("maps with string keys are JSON"))
    }

    /// The document on one line, as Terraform writes it.
    pub fn to_minified_json(&self) -> String {
        escape_html(&serde_json::to_string(self).expect("maps with string keys are JSON"))
    }
}

/// Replaces `&{` by `${`, which HCL would take for its own.
///
/// # Errors
/// [`PolicyError::VariableInOldVersion`].
pub fn policy_variables(text: &str, version: &str) -> Result<String, PolicyError> {
    if version == OLD_VERSION && text.contains("&{") {
        return Err(PolicyError::VariableInOldVersion(text.to_string()));
    }
    Ok(text.replace("&{", "${"))
}

/// Whether two documents mean the same: order of keys and lists does not count, a string is a list of one, a principal
/// account is its root user. Texts that are no JSON mean the same when they are equal.
pub fn same_policy(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (serde_json::from_str::<Json>(a), serde_json::from_str::<Json>(b)) {
        (Ok(a), Ok(b)) => canonical(&a) == canonical(&b),
        _ => false,
    }
}

/// The recorded text where it still means what is really there, else what is there: AWS stores documents in a form of its
/// own, and a different spelling is no drift.
pub fn keep_spelling(recorded: Option<&str>, actual: &str) -> String {
    match recorded {
        Some(recorded) if same_policy(recorded, actual) => recorded.to_string(),
        _ => actual.to_string(),
    }
}

/// The text of a document as IAM answers it: percent-encoded (RFC 3986). A text that is no such encoding is answered as it is.
pub fn decode_document(encoded: &str) -> String {
    percent_encoding::percent_decode_str(encoded).decode_utf8().map_or_else(|_| encoded.to_string(), Into::into)
}

/// CRC-32 (IEEE 802.3) of a text as a decimal number: the `id` that Terraform gives a document.
pub fn hash_code(text: &str) -> String {
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    (!crc).to_string()
}

/// Escapes what Go's encoder escapes. These characters occur within JSON strings only.
fn escape_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

fn statement(json: &Json) -> Result<Statement, PolicyError> {
    let fields = json.as_object().ok_or_else(|| PolicyError::NotAPolicy("a statement is a JSON object".into()))?;
    let text_of = |name| fields.get(name).and_then(Json::as_str).unwrap_or_default().to_string();
    let texts_of = |name| fields.get(name).map(texts).transpose();
    Ok(Statement {
        sid: text_of("Sid"),
        effect: text_of("Effect"),
        actions: texts_of("Action")?,
        not_actions: texts_of("NotAction")?,
        resources: texts_of("Resource")?,
        not_resources: texts_of("NotResource")?,
        principals: fields.get("Principal").map(principals).transpose()?.unwrap_or_default(),
        not_principals: fields.get("NotPrincipal").map(principals).transpose()?.unwrap_or_default(),
        conditions: fields.get("Condition").map(conditions).transpose()?.unwrap_or_default(),
    })
}

fn texts(json: &Json) -> Result<Texts, PolicyError> {
    match json {
        Json::Array(items) => Ok(Texts::Many(items.iter().map(scalar).collect::<Result<_, _>>()?)),
        other => scalar(other).map(Texts::One),
    }
}

/// IAM reads numbers and bools in conditions as their text.
fn scalar(json: &Json) -> Result<String, PolicyError> {
    match json {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(_) | Json::Number(_) => Ok(json.to_string()),
        _ => Err(PolicyError::NotAPolicy(format!("a string or a list of strings is needed in place of {json}"))),
    }
}

fn principals(json: &Json) -> Result<Principals, PolicyError> {
    let mut found = Principals::default();
    match json {
        Json::String(anybody) => found.add("*".into(), Texts::One(anybody.clone())),
        Json::Object(kinds) => {
            for (kind, identifiers) in kinds {
                let identifiers = match texts(identifiers)? {
                    Texts::Many(many) => {
                        Texts::Many(many.into_iter().collect::<BTreeSet<_>>().into_iter().rev().collect())
                    }
                    one @ Texts::One(_) => one,
                };
                found.add(kind.clone(), identifiers);
            }
        }
        _ => return Err(PolicyError::NotAPolicy(format!("{json} is no principal"))),
    }
    Ok(found)
}

fn conditions(json: &Json) -> Result<Conditions, PolicyError> {
    let operators = json.as_object().ok_or_else(|| PolicyError::NotAPolicy("a condition is a JSON object".into()))?;
    let mut found = Conditions::default();
    for (operator, keys) in operators {
        let keys = keys.as_object().ok_or_else(|| PolicyError::NotAPolicy(format!("{operator} holds no object")))?;
        for (key, values) in keys {
            found.add(operator.clone(), key.clone(), texts(values)?);
        }
    }
    Ok(found)
}

/// A form in which documents that mean the same are equal.
fn canonical(json: &Json) -> Json {
    match json {
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .filter(|(name, value)| !(name.as_str() == "Sid" && value.as_str() == Some("")))
                .map(|(name, value)| (name.clone(), canonical_field(name, value)))
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect(),
        ),
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(canonical).collect();
            items.sort_by_cached_key(Json::to_string);
            items.dedup();
            Json::Array(items)
        }
        Json::Bool(_) | Json::Number(_) => Json::String(json.to_string()),
        other => other.clone(),
    }
}

fn canonical_field(name: &str, value: &Json) -> Json {
    // The one part of a document that is a scalar and never a list.
    if matches!(name, "Version" | "Id" | "Sid" | "Effect") {
        return value.clone();
    }
    let value = match value {
        Json::Object(_) => match name {
            "Statement" => Json::Array(vec![value.clone()]),
            _ => return canonical(value),
        },
        Json::Array(_) => value.clone(),
        scalar => Json::Array(vec![scalar.clone()]),
    };
    let value = if name == "AWS" { accounts_as_roots(&value) } else { value };
    canonical(&value)
}

/// `123456789012` and `arn:aws:iam::123456789012:root` are one principal; AWS stores the second.
fn accounts_as_roots(identifiers: &Json) -> Json {
    let account = |text: &str| match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "iam", "", id, "root"] => Some((*id).to_string()),
        _ => None,
    };
    match identifiers {
        Json::Array(items) => Json::Array(
            items.iter().map(|i| i.as_str().and_then(account).map_or_else(|| i.clone(), Json::String)).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn set(texts: &[&str]) -> Option<Texts> {
        Texts::from_set(texts.iter().map(ToString::to_string))
    }

    fn allow(actions: &[&str], resources: &[&str]) -> Statement {
        Statement { effect: "Allow".into(), actions: set(actions), resources: set(resources), ..Statement::default() }
    }

    fn document(statements: Vec<Statement>) -> PolicyDocument {
        PolicyDocument { version: CURRENT_VERSION.into(), id: String::new(), statements }
    }

    #[test]
    fn a_document_is_written_as_terraform_writes_it() {
        let mut conditioned = allow(&["s3:ListBucket"], &["arn:aws:s3:::foo"]);
        conditioned.sid = "1".into();
        conditioned.not_principals.add("AWS".into(), Texts::One("arn:blahblah:example".into()));
        let prefixes = ["home/", "", "home/&{aws:username}/"];
        let prefixes = prefixes.iter().map(|p| policy_variables(p, CURRENT_VERSION).unwrap()).collect();
        conditioned.conditions.add("StringLike".into(), "s3:prefix".into(), Texts::from_list(prefixes));
        conditioned.conditions.add("Bool".into(), "aws:SecureTransport".into(), Texts::from_list(vec!["true".into()]));
        let mut anybody = allow(&["firehose:*"], &[]);
        anybody.principals.add("*".into(), Texts::One("*".into()));
        let mut any_account = allow(&["kinesis:*"], &[]);
        any_account.principals.add("AWS".into(), Texts::One("*".into()));
        let mut doc = document(vec![
            allow(&["s3:GetBucketLocation", "s3:ListAllMyBuckets"], &["arn:aws:s3:::*"]),
            conditioned,
            anybody,
            any_account,
        ]);
        doc.id = "a<b & c>".into();
        let expected = r#"{
  "Version": "2012-10-17",
  "Id": "a\u003cb \u0026 c\u003e",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:ListAllMyBuckets",
        "s3:GetBucketLocation"
      ],
      "Resource": "arn:aws:s3:::*"
    },
    {
      "Sid": "1",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::foo",
      "NotPrincipal": {
        "AWS": "arn:blahblah:example"
      },
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "true"
        },
        "StringLike": {
          "s3:prefix": [
            "home/",
            "",
            "home/${aws:username}/"
          ]
        }
      }
    },
    {
      "Effect": "Allow",
      "Action": "firehose:*",
      "Principal": "*"
    },
    {
      "Effect": "Allow",
      "Action": "kinesis:*",
      "Principal": {
        "AWS": "*"
      }
    }
  ]
}"#;
        assert_eq!(doc.to_json(), expected);
        assert_eq!(PolicyDocument::parse(expected).unwrap(), doc);
    }

    #[test]
    fn an_empty_document_has_a_version_only() {
        assert_eq!(document(vec![]).to_json(), "{\n  \"Version\": \"2012-10-17\"\n}");
        assert_eq!(document(vec![]).to_minified_json(), r#"{"Version":"2012-10-17"}"#);
    }

    #[test]
    fn principals_of_one_type_are_joined() {
        let mut principals = Principals::default();
        principals.add("AWS".into(), set(&["arn:a", "arn:b"]).unwrap());
        principals.add("AWS".into(), Texts::One("arn:c".into()));
        principals.add("Service".into(), Texts::One("ec2.amazonaws.com".into()));
        let json = serde_json::to_string(&principals).unwrap();
        assert_eq!(json, r#"{"AWS":["arn:b","arn:a","arn:c"],"Service":"ec2.amazonaws.com"}"#);
    }

    #[test]
    fn a_list_of_one_value_in_a_condition_is_a_string() {
        let text = r#"{"Statement":[{"Condition":{"StringEquals":{"a":["x"],"b":["x","y"],"c":"x"}}}]}"#;
        let written = PolicyDocument::parse(text).unwrap().to_minified_json();
        assert_eq!(written, r#"{"Statement":[{"Condition":{"StringEquals":{"a":"x","b":["x","y"],"c":"x"}}}]}"#);
    }

    #[test]
    fn merging_replaces_by_sid_in_place_and_appends_the_rest() {
        let named = |sid: &str, action: &str| Statement { sid: sid.into(), ..allow(&[action], &["*"]) };
        let rows: &[(&str, Vec<Vec<Statement>>, &[&str])] = &[
            ("no sid is never replaced", vec![vec![named("", "a")], vec![named("", "b")]], &["a", "b"]),
            ("same sid", vec![vec![named("x", "a"), named("y", "b")], vec![named("x", "c")]], &["c", "b"]),
            ("new sid", vec![vec![named("x", "a")], vec![named("z", "b"), named("", "c")]], &["a", "b", "c"]),
            (
                "twice",
                vec![
                    vec![named("p2", "*")],
                    vec![named("p1", "s3:*")],
                    vec![named("", "ec2:*"), named("p2", "iam:*")],
                    vec![named("p1", "logs:*")],
                ],
                &["iam:*", "logs:*", "ec2:*"],
            ),
        ];
        for (what, documents, expected) in rows {
            let mut merged = PolicyDocument::default();
            documents.iter().for_each(|d| merged.merge(document(d.clone())));
            let actions: Vec<_> = merged.statements.into_iter().flat_map(|s| s.actions.unwrap().into_vec()).collect();
            assert_eq!(&actions, expected, "{what}");
        }
    }

    #[test]
    fn merging_takes_the_id_and_the_higher_version() {
        let mut merged = PolicyDocument::parse(r#"{"Version":"2008-10-17","Id":"one"}"#).unwrap();
        merged.merge(PolicyDocument::parse(r#"{"Version":"2012-10-17"}"#).unwrap());
        assert_eq!((merged.version.as_str(), merged.id.as_str()), ("2012-10-17", "one"));
        merged.merge(PolicyDocument::parse(r#"{"Version":"2008-10-17","Id":"two"}"#).unwrap());
        assert_eq!((merged.version.as_str(), merged.id.as_str()), ("2012-10-17", "two"));
    }

    #[test]
    fn a_sid_may_be_there_once() {
        let named = |sid: &str| Statement { sid: sid.into(), ..allow(&["a"], &["*"]) };
        assert_eq!(document(vec![named(""), named(""), named("a")]).check_sids(), Ok(()));
        assert_eq!(document(vec![named("a"), named("a")]).check_sids(), Err(PolicyError::DuplicateSid("a".into())));
    }

    #[test]
    fn variables_are_for_the_current_version() {
        assert_eq!(policy_variables("a/&{aws:username}", CURRENT_VERSION), Ok("a/${aws:username}".into()));
        assert_eq!(policy_variables("a & b", OLD_VERSION), Ok("a & b".into()));
        assert!(policy_variables("&{x}", OLD_VERSION).is_err());
    }

    #[test]
    fn what_is_no_policy_is_said() {
        for (text, expected) in [
            ("", "not JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", "a policy is a JSON object"),
            (r#"{"Statement":["x"]}"#, "a statement is a JSON object"),
            (r#"{"Statement":[{"Action":{"a":1}}]}"#, r#"a string or a list of strings is needed in place of {"a":1}"#),
            (r#"{"Statement":[{"Principal":7}]}"#, "7 is no principal"),
            (r#"{"Statement":[{"Condition":{"Bool":true}}]}"#, "Bool holds no object"),
        ] {
            assert_eq!(PolicyDocument::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn spelling_does_not_count() {
        let same = [
            (r#"{"Statement":[{"Action":"a"}]}"#, r#"{"Statement":{"Action":["a"]}}"#),
            (r#"{"Statement":[{"Action":["a","b"]}]}"#, r#"{ "Statement": [ {"Action":["b","a"]} ] }"#),
            (r#"{"Statement":[{"Sid":"","Effect":"Allow"}]}"#, r#"{"Statement":[{"Effect":"Allow"}]}"#),
            (
                r#"{"Statement":[{"Principal":{"AWS":"123456789012"}}]}"#,
                r#"{"Statement":[{"Principal":{"AWS":["arn:aws:iam::123456789012:root"]}}]}"#,
            ),
            (
                r#"{"Statement":[{"Condition":{"Bool":{"aws:SecureTransport":true}}}]}"#,
                r#"{"Statement":[{"Condition":{"Bool":{"aws:SecureTransport":["true"]}}}]}"#,
            ),
            (r#"{"Statement":[{"Sid":"a"},{"Sid":"b"}]}"#, r#"{"Statement":[{"Sid":"b"},{"Sid":"a"}]}"#),
        ];
        for (a, b) in same {
            assert!(same_policy(a, b), "{a} {b}");
            assert_eq!(keep_spelling(Some(a), b), a);
        }
        let different = [
            (r#"{"Statement":[{"Action":"a"}]}"#, r#"{"Statement":[{"Action":"b"}]}"#),
            (r#"{"Statement":[{"Effect":"Allow"}]}"#, r#"{"Statement":[{"Effect":"Deny"}]}"#),
            (r#"{"Statement":[{"Principal":"*"}]}"#, r#"{"Statement":[{"Principal":{"AWS":"*"}}]}"#),
            ("not json", "{}"),
        ];
        for (a, b) in different {
            assert!(!same_policy(a, b), "{a} {b}");
            assert_eq!(keep_spelling(Some(a), b), b);
        }
    }

    #[test]
    fn documents_from_iam_are_decoded() {
        assert_eq!(decode_document("%7B%22a%22%3A%20%22b%2Bc%22%7D"), r#"{"a": "b+c"}"#);
        assert_eq!(decode_document(r#"{"plain":1}"#), r#"{"plain":1}"#);
    }

    #[test]
    fn the_hash_is_crc32() {
        assert_eq!(hash_code("123456789"), "3421780262");
        assert_eq!(hash_code(""), "0");
    }
}
