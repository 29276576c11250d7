//! A plan as JSON for programs: Terraform's plan representation, format 1.2.

use sgp_model::{
    AttrPath, ModulePath, PathStep, Plan,
    plan::{Action, DeferredChange, DeferredReason, OutputChange, Preflight, Reason, ResourceChange},
};

use super::{
    checks_json,
    json::Json,
    reachability, running,
    state_json::{self, Facts, object},
    tree,
};

/// The version of the format.
pub const FORMAT: &str = "1.2";

/// `show -json` of a plan. `configuration` is its `configuration` member, made from the loaded configuration.
pub fn plan(plan: &Plan, configuration: Option<Json>, facts: Facts<'_>) -> Json {
    let mut json =
        Json::object([("format_version", Json::from(FORMAT)), ("terraform_version", plan.version.as_str().into())]);
    if !plan.variables.is_empty() {
        let variables = plan.variables.iter().map(|(k, v)| (k.clone(), Json::object([("value", Json::of_value(v))])));
        json.push("variables", Json::object(variables));
    }
    json.push("planned_values", planned_values(plan, facts));
    if !plan.drift.is_empty() {
        json.push("resource_drift", Json::array(plan.drift.iter().map(|c| resource_change(c, facts))));
    }
    json.push("resource_changes", Json::array(plan.changes.iter().map(|c| resource_change(c, facts))));
    if !plan.deferred.is_empty() {
        json.push("deferred_changes", Json::array(plan.deferred.iter().map(|it| deferred(it, facts))));
    }
    if !plan.outputs.is_empty() {
        json.push("output_changes", Json::object(plan.outputs.iter().map(|(k, o)| (k.clone(), output_change(o)))));
    }
    if !plan.preflight.is_empty() {
        json.push("preflight", Json::array(plan.preflight.iter().map(preflight)));
    }
    json.push("reachability", reachability::json(&reachability::of_plan(plan)));
    if plan.running.asked {
        json.push("running_pods", running::json(&plan.running));
    }
    let before = &plan.refreshed;
    if !(before.instances.is_empty() && before.outputs.is_empty() && plan.data.is_empty()) {
        json.push("prior_state", state_json::state(before, plan.data.iter(), facts));
    }
    if let Some(configuration) = configuration {
        json.push("configuration", configuration);
    }
    if !plan.checks.is_empty() {
        json.push("checks", checks_json::checks(&plan.checks));
    }
    json.push("timestamp", timestamp(plan.timestamp));
    json.push("applyable", !plan.errored && !plan.is_empty());
    json.push("complete", plan.targets.is_empty() && plan.deferred.is_empty() && !plan.errored);
    json.push("errored", plan.errored);
    json
}

/// The reason as Terraform's formats spell it.
pub fn deferred_reason(reason: DeferredReason) -> &'static str {
    match reason {
        DeferredReason::InstanceCountUnknown => "instance_count_unknown",
    }
}

/// A block whose instances are planned during apply; what decides their keys is ours to say.
fn deferred(it: &DeferredChange, facts: Facts<'_>) -> Json {
    let texts = |texts: Vec<String>| Json::array(texts.into_iter().map(|text| Json::from(text.as_str())));
    Json::object([
        ("reason", Json::from(deferred_reason(it.reason))),
        ("resource_change", resource_change(&it.change, facts)),
        ("waits_for", texts(it.waits_for.clone())),
        ("existing", texts(it.existing.iter().map(ToString::to_string).collect())),
    ])
}

/// What a preflight rule found.
fn preflight(found: &Preflight) -> Json {
    let text = |text: &Option<String>| text.as_deref().map_or(Json::Null, Json::from);
    Json::object([
        ("rule", Json::from(found.rule.as_str())),
        ("severity", found.severity.as_str().into()),
        ("address", text(&found.addr.as_ref().map(ToString::to_string))),
        ("attribute", text(&found.attribute)),
        ("summary", found.summary.as_str().into()),
        ("detail", found.detail.as_str().into()),
        ("skipped", text(&found.skipped)),
    ])
}

/// Seconds since the epoch as RFC 3339, in UTC.
pub fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

/// What will exist after apply, unknown parts left out.
fn planned_values(plan: &Plan, facts: Facts<'_>) -> Json {
    let mut json = Json::object::<&str>([]);
    let kept = plan.outputs.iter().filter(|(_, o)| o.action != Action::Delete);
    let outputs: Vec<_> = kept.map(|(name, output)| (name.clone(), planned_output(output))).collect();
    if !outputs.is_empty() {
        json.push("outputs", Json::object(outputs));
    }
    let stays = |c: &&ResourceChange| c.deposed.is_none() && !c.after.is_null() && c.action != Action::Forget;
    let resources: Vec<(ModulePath, Json)> = plan
        .changes
        .iter()
        .filter(stays)
        .map(|c| {
            let version = (facts.schema_version)(c.addr.resource.mode, &c.addr.resource.type_name);
            (c.addr.resource.module.clone(), object(&c.addr, &c.provider.name, version, &c.after, facts))
        })
        .collect();
    json.with("root_module", tree::modules(resources))
}

fn planned_output(output: &OutputChange) -> Json {
    let json = Json::object([("sensitive", Json::from(output.sensitive))]);
    // Part of a value would look like the value.
    if !output.after.is_wholly_known() {
        return json;
    }
    json.with("type", &output.after.ty().to_json()).with("value", Json::of_value(&output.after))
}

fn resource_change(change: &ResourceChange, facts: Facts<'_>) -> Json {
    let mut json = tree::identity(&change.addr);
    if let Json::Object(members) = &mut json {
        let place = 1;
        if let Some(previous) = &change.previous_addr {
            members.insert(place, ("previous_address".into(), previous.to_string().into()));
        }
        if !change.addr.resource.module.is_root() {
            members.insert(place, ("module_address".into(), change.addr.resource.module.to_string().into()));
        }
    }
    json.push("provider_name", (facts.source)(&change.provider.name));
    if let Some(deposed) = &change.deposed {
        json.push("deposed", &*deposed.0);
    }
    json.push("change", difference(change, facts));
    if let Some(reason) = change.reason.as_ref().and_then(reason_name) {
        json.push("action_reason", reason);
    }
    json
}

fn difference(change: &ResourceChange, facts: Facts<'_>) -> Json {
    let schema = (facts.schemas)(change.addr.resource.mode, &change.addr.resource.type_name);
    let unknown = if change.after.is_wholly_known() { Json::object::<&str>([]) } else { tree::unknown(&change.after) };
    let mut json = Json::object([
        ("actions", actions(change.action)),
        ("before", Json::of_value(&change.before)),
        ("after", Json::of_value(&change.after)),
        ("after_unknown", unknown),
        ("before_sensitive", tree::sensitive(&change.before, schema)),
        ("after_sensitive", tree::sensitive(&change.after, schema)),
    ]);
    if !change.replace_paths.is_empty() {
        json.push("replace_paths", Json::array(change.replace_paths.iter().map(path)));
    }
    if let Some(id) = &change.importing {
        json.push("importing", Json::object([("id", id.as_str())].map(|(k, v)| (k, Json::from(v)))));
    }
    json
}

fn output_change(output: &OutputChange) -> Json {
    // Whoever shows one side beside the other discloses both.
    let sensitive = output.sensitive || output.before.is_sensitive();
    let mut json = Json::object([("actions", actions(output.action)), ("before", Json::of_value(&output.before))]);
    if output.after.is_known() {
        json.push("after", Json::of_value(&output.after));
    }
    let unknown = if output.after.is_wholly_known() { false.into() } else { tree::unknown(&output.after) };
    json.with("after_unknown", unknown).with("before_sensitive", sensitive).with("after_sensitive", sensitive)
}

fn actions(action: Action) -> Json {
    let words: &[&str] = match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Read => &["read"],
        Action::Update => &["update"],
        Action::DeleteThenCreate => &["delete", "create"],
        Action::CreateThenDelete => &["create", "delete"],
        Action::ForgetThenCreate => &["forget", "create"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    };
    Json::array(words.iter().map(|w| Json::from(*w)))
}

fn path(path: &AttrPath) -> Json {
    Json::array(path.0.iter().map(|step| match step {
        PathStep::Attr(name) | PathStep::Key(name) => Json::from(&**name),
        PathStep::Index(n) => (*n).into(),
        PathStep::Element(value) => Json::of_value(value),
    }))
}

/// The reason as Terraform's formats spell it; a deposed object needs none, its key says it.
pub fn reason_name(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
        Reason::ReplaceBecauseTainted => "replace_because_tainted",
        Reason::ReplaceByRequest => "replace_by_request",
        Reason::ReplaceBecauseClusterIsReplaced { .. } => "replace_because_cluster_is_replaced",
        Reason::ReplaceByTriggers { .. } => "replace_by_triggers",
        Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
        Reason::DeleteBecauseNoModule => "delete_because_no_module",
        Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
        Reason::DeleteBecauseCountIndex => "delete_because_count_index",
        Reason::DeleteBecauseEachKey => "delete_because_each_key",
        Reason::DeleteBecauseEnabledFalse => "delete_because_enabled_false",
        Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
        Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
        Reason::DeleteBecauseDeposed => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use sgp_model::{
        InstanceRecord, ProviderAddr, State, Type, Value,
        address::parse_instance,
        state::{ObjectStatus, RecordKey},
    };

    use super::*;
    use crate::render::plan::tests::{change, plan as plan_of, schema};

    #[test]
    fn a_plan_in_terraforms_format() {
        let before = Value::object([
            ("id", "sg-1".into()),
            ("name", "a".into()),
            ("password", "hunter1".into()),
            ("tags", Value::map(Type::String, [("k", Value::from("v"))])),
        ]);
        let after = before
            .with_attr("id", Value::unknown(Type::String))
            .with_attr("name", Value::from("b").sensitive())
            .with_attr("tags", Value::map(Type::String, [("k", Value::unknown(Type::String))]));
        let addr = parse_instance("module.m[0].aws_example.a[\"k\"]").unwrap();
        let mut first = change(&addr.to_string(), Action::DeleteThenCreate, Some(before.clone()), Some(after));
        first.replace_paths = vec![AttrPath::attr("name")];
        first.reason = Some(Reason::ReplaceBecauseCannotUpdate);
        let gone = change("aws_example.gone", Action::Delete, Some(before.clone()), None);
        let mut p = plan_of(vec![gone, first]);
        p.variables.insert("v".into(), Value::int(1));
        p.outputs.insert(
            "o".into(),
            OutputChange {
                action: Action::Create,
                before: Value::dynamic_null(),
                after: Value::unknown(Type::String),
                sensitive: false,
            },
        );
        let mut state = State::default();
        let record = InstanceRecord {
            provider: ProviderAddr::root("aws"),
            schema_version: 2,
            attributes: before,
            sensitive_paths: vec![AttrPath::attr("name")],
            status: ObjectStatus::Tainted,
            dependencies: vec![parse_instance("aws_example.gone").unwrap().resource],
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        state.instances.insert(RecordKey::current(addr), record);
        p.refreshed = Arc::new(state);
        p.data.insert(parse_instance("data.aws_example.d").unwrap(), Value::object([("id", Value::from("d"))]));
        let source = |name: &str| format!("registry.terraform.io/hashicorp/{name}");
        let facts = Facts { schemas: &schema, schema_version: &|_, _| 2, source: &source, version: "0.1.0" };
        insta::assert_snapshot!(plan(&p, None, facts).pretty());
    }

    #[test]
    fn what_is_deferred_is_told_apart() {
        let mut p = plan_of(Vec::new());
        p.deferred = vec![crate::render::plan::tests::deferred()];
        let source = |name: &str| name.to_owned();
        let facts = Facts { schemas: &schema, schema_version: &|_, _| 0, source: &source, version: "0.1.0" };
        let json = plan(&p, None, facts).to_string();
        for part in [
            r#""deferred_changes":[{"reason":"instance_count_unknown","resource_change":{"address":"aws_example.b[*]""#,
            r#""index_unknown":true"#,
            r#""waits_for":["aws_example.a.id"]"#,
            r#""complete":false"#,
        ] {
            assert!(json.contains(part), "{part}\n{json}");
        }
    }

    #[test]
    fn what_is_known_has_no_unknown_parts() {
        let value = Value::object([("list", Value::tuple(vec![Value::int(1)]))]);
        let known = change("aws_example.a", Action::Update, Some(value.clone()), Some(value));
        let source = |name: &str| name.to_owned();
        let facts = Facts { schemas: &schema, schema_version: &|_, _| 0, source: &source, version: "0.1.0" };
        let json = resource_change(&known, facts).to_string();
        assert!(json.contains(r#""after_unknown":{},"#), "{json}");
    }
}
