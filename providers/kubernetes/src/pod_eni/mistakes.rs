//! Mistakes in the configuration of `sgp_pod_eni`, told before any call.

use sgp_model::{AttrPath, Diagnostic, Diagnostics, PathStep, Value};

use super::{
    is_addon,
    values::{DEMUX, ENABLE, MODE, SNAT},
};
use crate::attrs;

/// All of them. Unknown values pass.
pub(super) fn of(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.extend(mode_mistakes(config));
    found.extend(variable_mistakes(config));
    found.extend(cooldown_mistake(config));
    found
}

fn mode_mistakes(config: &Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, choices) in [("via", ["addon", "daemonset"]), ("enforcing_mode", ["strict", "standard"])] {
        if let Some(text) = attrs::text(config, name)
            && !choices.contains(&text)
        {
            let detail = format!("`{name}` is {text:?}; it must be {:?} or {:?}.", choices[0], choices[1]);
            found.push(Diagnostic::error("Invalid value", detail).attribute(AttrPath::attr(name)));
        }
    }
    if !is_addon(config) {
        for name in ["addon_version", "network_policy", "service_account_role_arn"] {
            if attrs::is_set(config, name) {
                let detail =
                    format!("`{name}` is an argument of the managed add-on; with `via = \"daemonset\"` there is none.");
                found.push(Diagnostic::error("Conflicting arguments", detail).attribute(AttrPath::attr(name)));
            }
        }
    }
    let strict = config.get("enforcing_mode").is_none_or(|m| m.is_null() || m.as_str() == Some("strict"));
    if strict && attrs::flag(config, "disable_tcp_early_demux") == Some(false) {
        found.push(
            Diagnostic::warning(
                "TCP and HTTP probes will fail",
                "In strict mode the kubelet reaches pods with branch ENIs only with `disable_tcp_early_demux = true`: their TCP, \
                 HTTP and gRPC probes fail without it.",
            )
            .attribute(AttrPath::attr("disable_tcp_early_demux")),
        );
    }
    found
}

fn variable_mistakes(config: &Value) -> Vec<Diagnostic> {
    let own = [
        ("env", ENABLE, "It is what the resource is for; leave it out."),
        ("env", MODE, "Use `enforcing_mode`."),
        ("env", SNAT, "Use `external_snat`."),
        ("env", DEMUX, "It belongs to the init container: use `disable_tcp_early_demux`."),
        ("init_env", DEMUX, "Use `disable_tcp_early_demux`."),
    ];
    own.into_iter()
        .filter(|(map, key, _)| config.get(map).and_then(Value::as_fields).is_some_and(|m| m.contains_key(*key)))
        .map(|(map, key, hint)| {
            let path = AttrPath::attr(map).with(PathStep::Key(key.into()));
            Diagnostic::error("Variable with an argument of its own", format!("`{map}` must not hold {key}. {hint}"))
                .attribute(path)
        })
        .collect()
}

fn cooldown_mistake(config: &Value) -> Option<Diagnostic> {
    let number = config.get("branch_eni_cooldown")?.as_number()?;
    let path = AttrPath::attr("branch_eni_cooldown");
    match number.to_i64() {
        Some(30..) => None,
        Some(seconds @ 0..30) => Some(
            Diagnostic::warning(
                "The cool-down will be raised",
                format!("The controller takes no branch ENI cool-down below 30 seconds: {seconds} counts as 30."),
            )
            .attribute(path),
        ),
        _ => Some(
            Diagnostic::error("Invalid value", "`branch_eni_cooldown` is a whole number of seconds.").attribute(path),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SCHEMA, *};

    fn config(fields: &[(&'static str, Value)]) -> Value {
        attrs::object(&SCHEMA.block, fields.iter().cloned())
    }

    fn map(key: &str) -> Value {
        attrs::map_value([(key.to_owned(), "true".to_owned())])
    }

    #[test]
    fn mistakes() {
        for (fields, expected) in [
            (vec![], &[][..]),
            (vec![("enforcing_mode", "Strict".into())], &["Invalid value"]),
            (vec![("via", "helm".into())], &["Invalid value"]),
            (vec![("via", "daemonset".into()), ("addon_version", "v1".into())], &["Conflicting arguments"]),
            (vec![("via", "daemonset".into()), ("network_policy", true.into())], &["Conflicting arguments"]),
            (vec![("disable_tcp_early_demux", false.into())], &["TCP and HTTP probes will fail"]),
            (vec![("disable_tcp_early_demux", false.into()), ("enforcing_mode", "standard".into())], &[]),
            (vec![("env", map(DEMUX))], &["Variable with an argument of its own"]),
            (vec![("env", map("WARM_ENI_TARGET"))], &[]),
            (vec![("branch_eni_cooldown", Value::int(10))], &["The cool-down will be raised"]),
            (vec![("branch_eni_cooldown", Value::int(60))], &[]),
            (vec![("branch_eni_cooldown", Value::int(-1))], &["Invalid value"]),
        ] {
            let found: Vec<String> = of(&config(&fields)).0.into_iter().map(|d| d.summary).collect();
            assert_eq!(found, expected, "{fields:?}");
        }
    }
}
