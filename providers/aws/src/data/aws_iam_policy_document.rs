//! `data "aws_iam_policy_document"`: a policy document out of blocks. Calls nobody.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, PathStep, Schema, Value};

use crate::policy_document::{
    CURRENT_VERSION, OLD_VERSION, PolicyDocument, PolicyError, Principals, Statement, Texts, hash_code,
    policy_variables,
};

/// The data source.
pub struct IamPolicyDocument;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_iam_policy_document", "Makes an IAM policy document in JSON out of blocks; needs no call.")
        .attr("id", Attribute::string().computed().doc("CRC-32 of `json`, as Terraform has it."))
        .attr("json", Attribute::string().computed().doc("The document over many lines."))
        .attr("minified_json", Attribute::string().computed().doc("The document on one line."))
        .attr("policy_id", Attribute::string().optional().doc("The document's `Id`."))
        .attr(
            "version",
            Attribute::string().optional().default(CURRENT_VERSION).doc(
                "The version of the policy language: `2012-10-17` or `2008-10-17`. Policy variables need the first.",
            ),
        )
        .attr(
            "source_policy_documents",
            Attribute::strings().optional().doc(
                "Documents (JSON) to start from. Among them every Sid is unique; a statement here takes the place of theirs.",
            ),
        )
        .attr(
            "override_policy_documents",
            Attribute::strings()
                .optional()
                .doc("Documents (JSON) whose statements take the place of those with the same Sid, in order."),
        )
        .block("statement", NestedBlock::list(statement_block()).doc("A statement."))
        .unsupported(&["max_policy_size", "override_json", "source_json"])
        .example(
            r#"data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}
"#,
        )
});

fn statement_block() -> Block {
    let principals = || {
        Block::default()
            .attr("type", Attribute::string().required().doc("`AWS`, `Service`, `Federated`, `CanonicalUser` or `*`."))
            .attr("identifiers", Attribute::string_set().required().doc("ARNs, account ids, service names, or `*`."))
    };
    let condition = Block::default()
        .attr("test", Attribute::string().required().doc("The operator: `StringEquals`, `ForAnyValue:StringLike` ..."))
        .attr("variable", Attribute::string().required().doc("The condition key: `aws:PrincipalOrgID`."))
        .attr("values", Attribute::strings().required().doc("The values; one of them must hold. Their order is kept."));
    Block::default()
        .attr("sid", Attribute::string().optional().doc("The statement's name within the document."))
        .attr("effect", Attribute::string().optional().default("Allow").doc("`Allow` or `Deny`."))
        .attr("actions", Attribute::string_set().optional().doc("The actions it concerns: `s3:GetObject`, `ec2:*`."))
        .attr("not_actions", Attribute::string_set().optional().doc("It concerns all actions but these."))
        .attr(
            "resources",
            Attribute::string_set().optional().doc("The ARNs it concerns; `&{...}` is a policy variable."),
        )
        .attr("not_resources", Attribute::string_set().optional().doc("It concerns all resources but these."))
        .block("principals", NestedBlock::set(principals()).doc("Whom it concerns."))
        .block("not_principals", NestedBlock::set(principals()).doc("Whom it does not concern."))
        .block("condition", NestedBlock::set(condition).doc("When it counts; all conditions must hold."))
}

#[async_trait]
impl DataSource for IamPolicyDocument {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn compute(&self, request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        compute(request.config)
    }

    async fn read(
        &self,
        _: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        requests.iter().map(|request| compute(request.config)).collect()
    }
}

/// The whole object out of the arguments.
fn compute(config: &Value) -> Result<Value, Diagnostics> {
    let version = text(config, "version").unwrap_or(CURRENT_VERSION);
    let mut problems = Diagnostics::new();
    if !matches!(version, CURRENT_VERSION | OLD_VERSION) {
        problems.push(problem(
            AttrPath::attr("version"),
            format!("version is {version:?}; it must be {CURRENT_VERSION:?} or {OLD_VERSION:?}."),
        ));
    }
    let mut sources = documents(config, "source_policy_documents", &mut problems);
    let own = own_document(config, version, &mut problems);
    let overrides = documents(config, "override_policy_documents", &mut problems);

    let all_sources = PolicyDocument {
        statements: sources.iter().flat_map(|d| d.statements.clone()).collect(),
        ..Default::default()
    };
    for (attribute, document) in [("source_policy_documents", &all_sources), ("statement", &own)] {
        if let Err(error) = document.check_sids() {
            problems.push(problem(AttrPath::attr(attribute), sentence(&error)));
        }
    }
    if problems.has_errors() {
        return Err(problems);
    }
    let mut merged = PolicyDocument::default();
    sources.drain(..).chain([own]).chain(overrides).for_each(|document| merged.merge(document));
    let json = merged.to_json();
    Ok(config
        .with_attr("version", version.into())
        .with_attr("id", hash_code(&json).into())
        .with_attr("minified_json", merged.to_minified_json().into())
        .with_attr("json", json.into()))
}

/// The documents of a list; empty and absent texts are passed over.
fn documents(config: &Value, attribute: &'static str, problems: &mut Diagnostics) -> Vec<PolicyDocument> {
    let texts = config.get(attribute).and_then(Value::elements).unwrap_or_default();
    let mut found = Vec::new();
    for (place, text) in texts.into_iter().enumerate() {
        match text.as_str().filter(|t| !t.is_empty()).map(PolicyDocument::parse) {
            Some(Ok(document)) => found.push(document),
            Some(Err(error)) => {
                problems.push(problem(AttrPath::attr(attribute).with(PathStep::Index(place)), sentence(&error)));
            }
            None => {}
        }
    }
    found
}

fn own_document(config: &Value, version: &str, problems: &mut Diagnostics) -> PolicyDocument {
    let blocks = config.get("statement").and_then(Value::elements).unwrap_or_default();
    let mut statements = Vec::new();
    for (place, block) in blocks.into_iter().enumerate() {
        match statement(block, version) {
            Ok(statement) => statements.push(statement),
            Err(error) => {
                problems.push(problem(AttrPath::attr("statement").with(PathStep::Index(place)), sentence(&error)));
            }
        }
    }
    PolicyDocument {
        version: version.to_string(),
        id: text(config, "policy_id").unwrap_or_default().to_string(),
        statements,
    }
}

fn statement(block: &Value, version: &str) -> Result<Statement, PolicyError> {
    check_words(block)?;
    let variables = |texts: Vec<&str>| -> Result<Vec<String>, PolicyError> {
        texts.into_iter().map(|t| policy_variables(t, version)).collect()
    };
    let set = |name: &str| {
        let texts = block.get(name).map(Value::str_elements).unwrap_or_default();
        Texts::from_set(texts.into_iter().map(String::from))
    };
    // Sorted as they are written, and only then are variables put in.
    let sorted = |name: &str, block: &Value| {
        let texts = block.get(name).map(Value::str_elements).unwrap_or_default();
        variables(texts.into_iter().collect::<BTreeSet<_>>().into_iter().rev().collect())
    };
    let set_with_variables =
        |name: &str| Ok(Some(sorted(name, block)?).filter(|texts| !texts.is_empty()).map(Texts::from_list));
    let principals = |name: &str| -> Result<Principals, PolicyError> {
        let mut found = Principals::default();
        for block in block.get(name).and_then(Value::elements).unwrap_or_default() {
            let identifiers = Texts::from_list(sorted("identifiers", block)?);
            found.add(text(block, "type").unwrap_or_default().to_string(), identifiers);
        }
        Ok(found)
    };
    let mut statement = Statement {
        sid: text(block, "sid").unwrap_or_default().to_string(),
        effect: text(block, "effect").unwrap_or("Allow").to_string(),
        actions: set("actions"),
        not_actions: set("not_actions"),
        resources: set_with_variables("resources")?,
        not_resources: set_with_variables("not_resources")?,
        principals: principals("principals")?,
        not_principals: principals("not_principals")?,
        ..Statement::default()
    };
    for block in block.get("condition").and_then(Value::elements).unwrap_or_default() {
        let values = variables(block.get("values").map(Value::str_elements).unwrap_or_default())?;
        let of = |name| text(block, name).unwrap_or_default().to_string();
        statement.conditions.add(of("test"), of("variable"), Texts::from_list(values));
    }
    Ok(statement)
}

/// An effect is one of two words, and a Sid has letters and digits only: IAM refuses the document otherwise.
fn check_words(block: &Value) -> Result<(), PolicyError> {
    let effect = text(block, "effect").unwrap_or("Allow");
    if !matches!(effect, "Allow" | "Deny") {
        return Err(PolicyError::NotAPolicy(format!("the effect is {effect:?}; it must be \"Allow\" or \"Deny\"")));
    }
    let sid = text(block, "sid").unwrap_or_default();
    if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(PolicyError::NotAPolicy(format!("the Sid {sid:?} has other characters than letters and digits")));
    }
    Ok(())
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn problem(path: AttrPath, detail: String) -> Diagnostic {
    Diagnostic::error("Invalid policy document", detail).attribute(path)
}

fn sentence(error: &PolicyError) -> String {
    format!("The policy document cannot be made: {error}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::Type;

    use super::*;

    fn set(texts: &[&str]) -> Value {
        Value::set(Type::String, texts.iter().map(|t| Value::from(*t)))
    }

    /// The attributes of `fields` in an object that is empty otherwise.
    fn object(block: &Block, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        fields.into_iter().fold(block.empty(), |object, (name, value)| object.with_attr(name, value))
    }

    fn statement_of(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        object(&statement_block(), fields)
    }

    fn config(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        object(&SCHEMA.block, fields)
    }

    fn statements(statements: Vec<Value>) -> (&'static str, Value) {
        ("statement", Value::list(statement_block().ty(), statements))
    }

    fn principals(kind: &str, identifiers: &[&str]) -> Value {
        Value::object([("type", kind.into()), ("identifiers", set(identifiers))])
    }

    fn blocks(name: &str, values: Vec<Value>) -> Value {
        Value::set(statement_block().blocks[name].block.ty(), values)
    }

    fn minified(config: &Value) -> String {
        compute(config).unwrap().get("minified_json").unwrap().as_str().unwrap().to_string()
    }

    fn errors(config: &Value) -> Vec<String> {
        compute(config).unwrap_err().into_iter().map(|d| format!("{}: {}", d.attribute.unwrap(), d.detail)).collect()
    }

    #[test]
    fn a_trust_policy() {
        let condition = Value::object([
            ("test", "StringEquals".into()),
            ("variable", "oidc.example.com/id/1:sub".into()),
            ("values", Value::strings(["system:serviceaccount:app:backend"])),
        ]);
        let config = config([statements(vec![statement_of([
            ("actions", set(&["sts:AssumeRoleWithWebIdentity"])),
            ("principals", blocks("principals", vec![principals("Federated", &["arn:aws:iam::1:oidc-provider/x"])])),
            ("condition", blocks("condition", vec![condition])),
        ])])]);
        let answer = compute(&config).unwrap();
        let json = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Principal": {
        "Federated": "arn:aws:iam::1:oidc-provider/x"
      },
      "Condition": {
        "StringEquals": {
          "oidc.example.com/id/1:sub": "system:serviceaccount:app:backend"
        }
      }
    }
  ]
}"#;
        assert_eq!(answer.get("json").unwrap().as_str(), Some(json));
        assert_eq!(answer.get("id").unwrap().as_str().unwrap(), hash_code(json));
        assert_eq!(answer.ty(), SCHEMA.ty());
    }

    #[test]
    fn each_argument_has_its_place() {
        let rows: Vec<(Vec<(&'static str, Value)>, &str)> = vec![
            (vec![("sid", "s".into())], r#"{"Sid":"s","Effect":"Allow"}"#),
            (vec![("effect", "Deny".into())], r#"{"Effect":"Deny"}"#),
            (vec![("actions", set(&["a:1", "b:2", "a:3"]))], r#"{"Effect":"Allow","Action":["b:2","a:3","a:1"]}"#),
            (vec![("actions", set(&[]))], r#"{"Effect":"Allow"}"#),
            (vec![("not_actions", set(&["a:1"]))], r#"{"Effect":"Allow","NotAction":"a:1"}"#),
            (vec![("resources", set(&["x/&{aws:username}"]))], r#"{"Effect":"Allow","Resource":"x/${aws:username}"}"#),
            (vec![("not_resources", set(&["x", "y"]))], r#"{"Effect":"Allow","NotResource":["y","x"]}"#),
            (
                vec![("principals", blocks("principals", vec![principals("*", &["*"])]))],
                r#"{"Effect":"Allow","Principal":"*"}"#,
            ),
            (
                vec![("principals", blocks("principals", vec![principals("AWS", &["*"])]))],
                r#"{"Effect":"Allow","Principal":{"AWS":"*"}}"#,
            ),
            (
                vec![(
                    "principals",
                    blocks("principals", vec![principals("Service", &["b.com", "a.com"]), principals("AWS", &["1"])]),
                )],
                r#"{"Effect":"Allow","Principal":{"AWS":"1","Service":["b.com","a.com"]}}"#,
            ),
            (
                vec![("not_principals", blocks("not_principals", vec![principals("AWS", &["1"])]))],
                r#"{"Effect":"Allow","NotPrincipal":{"AWS":"1"}}"#,
            ),
        ];
        for (fields, expected) in rows {
            let config = config([statements(vec![statement_of(fields)])]);
            assert_eq!(minified(&config), format!(r#"{{"Version":"2012-10-17","Statement":[{expected}]}}"#));
        }
    }

    #[test]
    fn sources_own_statements_and_overrides_are_merged_in_this_order() {
        let named = |sid: &str, action: &str| statement_of([("sid", sid.into()), ("actions", set(&[action]))]);
        let json = |values| minified(&config([statements(values)]));
        let merged = config([
            (
                "source_policy_documents",
                Value::strings([json(vec![named("a", "s:1"), named("", "s:2")]), String::new()]),
            ),
            statements(vec![named("a", "own:1"), named("b", "own:2")]),
            (
                "override_policy_documents",
                Value::strings([json(vec![named("b", "o:1")]), json(vec![named("b", "o:2")])]),
            ),
        ]);
        let expected = [r#"{"Sid":"a","Effect":"Allow","Action":"own:1"}"#, r#"{"Effect":"Allow","Action":"s:2"}"#, {
            r#"{"Sid":"b","Effect":"Allow","Action":"o:2"}"#
        }];
        assert_eq!(minified(&merged), format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, expected.join(",")));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let named = |sid: &str| statement_of([("sid", sid.into())]);
        let config = config([
            ("version", "2008-10-17".into()),
            ("source_policy_documents", Value::strings(["{}", "{"])),
            statements(vec![named("a"), named("a"), statement_of([("resources", set(&["&{x}"]))])]),
        ]);
        assert_eq!(
            errors(&config),
            [
                "source_policy_documents[1]: The policy document cannot be made: not JSON: EOF while parsing an object at \
             line 1 column 1.",
                "statement[2]: The policy document cannot be made: found &{ in \"&{x}\": policy variables need version \
             \"2012-10-17\", not \"2008-10-17\".",
                "statement: The policy document cannot be made: the Sid \"a\" is there twice; remove it from one of the \
             statements or make it unique.",
            ]
        );
    }

    #[test]
    fn effects_and_sids_have_a_form() {
        let wrong = |name: &'static str, value: &str| {
            errors(&config([statements(vec![statement_of([(name, value.into())])])])).join("")
        };
        assert!(wrong("effect", "allow").contains("the effect is \"allow\""));
        assert!(wrong("sid", "a-b").contains("the Sid \"a-b\" has other characters"));
    }

    #[test]
    fn a_version_is_one_of_two() {
        let config = config([("version", "2020-01-01".into())]);
        assert_eq!(
            errors(&config),
            ["version: version is \"2020-01-01\"; it must be \"2012-10-17\" or \"2008-10-17\"."]
        );
    }
}
