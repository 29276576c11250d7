//! What became of conditions, as `checks` in a plan's JSON.

use sgp_model::{
    Mode,
    checks::{CheckResult, CheckStatus, Checkable, CheckedInstance},
};

use super::{json::Json, tree};

/// The `checks` member: each block that has conditions, with its instances.
pub fn checks(results: &[CheckResult]) -> Json {
    Json::array(results.iter().map(|result| {
        Json::object([
            ("address", block(&result.block)),
            ("status", status(result.status)),
            ("instances", Json::array(result.instances.iter().map(instance))),
        ])
    }))
}

fn status(status: CheckStatus) -> Json {
    Json::from(match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Unknown => "unknown",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
    })
}

fn block(block: &Checkable) -> Json {
    let kind = match block {
        Checkable::Resource(_) => "resource",
        Checkable::OutputValue(..) => "output_value",
        Checkable::Check(..) => "check",
        Checkable::Var(..) => "var",
    };
    let mut json = Json::object([("kind", Json::from(kind))]);
    if !block.module().is_root() {
        json.push("module", block.module().to_string());
    }
    match block {
        Checkable::Resource(addr) => {
            json.push("mode", if addr.mode == Mode::Data { "data" } else { "managed" });
            json.push("type", &*addr.type_name);
            json.push("name", &*addr.name);
        }
        Checkable::OutputValue(_, name) | Checkable::Check(_, name) | Checkable::Var(_, name) => {
            json.push("name", &**name);
        }
    }
    json.with("to_display", block.to_string())
}

fn instance(instance: &CheckedInstance) -> Json {
    let mut address = Json::object([("to_display", Json::from(instance.to_string()))]);
    if !instance.object.module().is_root() {
        address.push("module", instance.object.module().to_string());
    }
    if let Some(key) = &instance.key {
        address.push("instance_key", tree::index(key));
    }
    let mut json = Json::object([("address", address), ("status", status(instance.status))]);
    if !instance.problems.is_empty() {
        let problem = |text: &String| Json::object([("message", Json::from(text.as_str()))]);
        json.push("problems", Json::array(instance.problems.iter().map(problem)));
    }
    json
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{ModulePath, address::parse_instance};

    use super::*;

    #[test]
    fn checks_in_terraforms_format() {
        let addr = parse_instance("module.m[0].aws_example.a[\"k\"]").unwrap();
        let of_resource = CheckedInstance {
            object: Checkable::Resource(addr.resource.clone()),
            key: addr.key.clone(),
            status: CheckStatus::Pass,
            problems: Vec::new(),
        };
        let health = Checkable::Check(ModulePath::root(), "health".into());
        let of_check = CheckedInstance {
            object: health.clone(),
            key: None,
            status: CheckStatus::Fail,
            problems: vec!["It is down.".into()],
        };
        let results = [
            CheckResult {
                block: Checkable::Resource(addr.resource.without_keys()),
                status: CheckStatus::Pass,
                instances: vec![of_resource],
            },
            CheckResult { block: health, status: CheckStatus::Fail, instances: vec![of_check] },
        ];
        assert_eq!(
            checks(&results).to_string(),
            r#"[{"address":{"kind":"resource","module":"module.m","mode":"managed","type":"aws_example","name":"a","to_display":"module.m.aws_example.a"},"status":"pass","instances":[{"address":{"to_display":"module.m[0].aws_example.a[\"k\"]","module":"module.m[0]","instance_key":"k"},"status":"pass"}]},{"address":{"kind":"check","name":"health","to_display":"check.health"},"status":"fail","instances":[{"address":{"to_display":"check.health"},"status":"fail","problems":[{"message":"It is down."}]}]}]"#
        );
    }
}
