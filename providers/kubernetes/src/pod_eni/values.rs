//! The settings that `sgp_pod_eni` owns, and how they merge into what is there: pure.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sgp_model::{Type, Value};

use crate::{attrs, json::at};

pub(super) const ENABLE: &str = "ENABLE_POD_ENI";
pub(super) const MODE: &str = "POD_SECURITY_GROUP_ENFORCING_MODE";
pub(super) const SNAT: &str = "AWS_VPC_K8S_CNI_EXTERNALSNAT";
pub(super) const DEMUX: &str = "DISABLE_TCP_EARLY_DEMUX";

/// Variables by name.
pub(super) type Vars = BTreeMap<String, String>;

/// The add-on's key for NetworkPolicies; the value is a string, too.
const POLICIES: &str = "enableNetworkPolicy";

/// Variables of aws-node and of its init container, and whether the network policy agent works. All are strings, also the booleans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Env {
    pub main: Vars,
    pub init: Vars,
    pub network_policy: Option<bool>,
}

impl Env {
    /// What an object's arguments ask for: exactly the keys that it owns.
    pub(super) fn wanted(object: &Value) -> Self {
        let mut main = attrs::string_map(object, "env");
        let mut init = attrs::string_map(object, "init_env");
        main.insert(ENABLE.into(), "true".into());
        if let Some(mode) = attrs::text(object, "enforcing_mode") {
            main.insert(MODE.into(), mode.into());
        }
        if let Some(snat) = attrs::flag(object, "external_snat") {
            main.insert(SNAT.into(), snat.to_string());
        }
        if let Some(demux) = attrs::flag(object, "disable_tcp_early_demux") {
            init.insert(DEMUX.into(), demux.to_string());
        }
        Self { main, init, network_policy: attrs::flag(object, "network_policy") }
    }

    /// The keys of this that `other` does not have.
    pub(super) fn without(&self, other: &Self) -> Self {
        let less = |a: &Vars, b: &Vars| {
            a.iter().filter(|(k, _)| !b.contains_key(*k)).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        Self {
            main: less(&self.main, &other.main),
            init: less(&self.init, &other.init),
            network_policy: self.network_policy.filter(|_| other.network_policy.is_none()),
        }
    }

    /// Whether every setting of `other` is here with that value.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let all = |a: &Vars, b: &Vars| b.iter().all(|(k, v)| a.get(k) == Some(v));
        let policies = other.network_policy.is_none_or(|it| self.network_policy == Some(it));
        all(&self.main, &other.main) && all(&self.init, &other.init) && policies
    }

    /// Whether something of `other` is set here, to whatever value.
    pub(super) fn holds_any_of(&self, other: &Self) -> bool {
        let any = |a: &Vars, b: &Vars| b.keys().any(|k| a.contains_key(k));
        let policies = self.network_policy.is_some() && other.network_policy.is_some();
        any(&self.main, &other.main) || any(&self.init, &other.init) || policies
    }

    /// Variables in an add-on's configuration values.
    pub(super) fn of_configuration(values: &Json) -> Self {
        Self {
            main: vars(values.get("env")),
            init: vars(at(values, &["init", "env"])),
            network_policy: values.get(POLICIES).map(|it| it.as_str() == Some("true") || *it == true),
        }
    }

    /// Variables of the containers of a `DaemonSet` `aws-node`.
    pub(super) fn of_daemonset(live: &Json) -> Self {
        let pods = at(live, &["spec", "template", "spec"]).unwrap_or(&Json::Null);
        let main = container_vars(&pods["containers"], MAIN);
        Self { main, init: container_vars(&pods["initContainers"], INIT), network_policy: None }
    }

    /// A strategic merge patch that takes those of these variables out of a `DaemonSet` that are left there without a value: who
    /// named them before still does, but their value was ours. `None` when there are none.
    pub(super) fn without_value(&self, live: &Json) -> Option<Json> {
        let pods = at(live, &["spec", "template", "spec"])?;
        let mut patch = json!({});
        for (list, name, ours) in [("containers", MAIN, &self.main), ("initContainers", INIT, &self.init)] {
            let is_left = |e: &&Json| {
                e.get("value").is_none()
                    && e.get("valueFrom").is_none()
                    && e["name"].as_str().is_some_and(|name| ours.contains_key(name))
            };
            let left: Vec<Json> = container_env(&pods[list], name)
                .iter()
                .filter(is_left)
                .map(|e| json!({"name": e["name"], "$patch": "delete"}))
                .collect();
            if !left.is_empty() {
                patch[list] = json!([{"name": name, "env": left}]);
            }
        }
        patch.as_object().is_some_and(|p| !p.is_empty()).then(|| json!({"spec": {"template": {"spec": patch}}}))
    }

    /// The part of a `DaemonSet` that says these variables and nothing else.
    pub(super) fn daemonset_content(&self) -> Json {
        let container = |name: &str, vars: &Vars| {
            let env: Vec<Json> = vars.iter().map(|(k, v)| json!({"name": k, "value": v})).collect();
            json!([{"name": name, "env": env}])
        };
        let mut pods = json!({});
        if !self.main.is_empty() {
            pods["containers"] = container(MAIN, &self.main);
        }
        if !self.init.is_empty() {
            pods["initContainers"] = container(INIT, &self.init);
        }
        json!({"spec": {"template": {"spec": pods}}})
    }
}

const MAIN: &str = "aws-node";
const INIT: &str = "aws-vpc-cni-init";

fn vars(json: Option<&Json>) -> Vars {
    let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    json.and_then(Json::as_object).map(|m| m.iter().map(|(k, v)| (k.clone(), text(v))).collect()).unwrap_or_default()
}

fn container_vars(containers: &Json, name: &str) -> Vars {
    let entry = |e: &Json| Some((e["name"].as_str()?.to_owned(), e["value"].as_str()?.to_owned()));
    container_env(containers, name).iter().filter_map(entry).collect()
}

fn container_env<'a>(containers: &'a Json, name: &str) -> &'a [Json] {
    let listed = containers.as_array().map(Vec::as_slice).unwrap_or_default();
    let env = listed.iter().find(|c| c["name"] == name).and_then(|c| c["env"].as_array());
    env.map(Vec::as_slice).unwrap_or_default()
}

/// Reads configuration values, JSON or YAML; empty text is an empty object.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    match serde_norway::from_str::<Json>(text) {
        Ok(Json::Null) => Ok(json!({})),
        Ok(values) if values.is_object() => Ok(values),
        Ok(_) => Err("they are not an object".to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// Configuration values with the wanted settings made and the dropped ones taken away; everything else stays.
pub(super) fn merge(values: &Json, wanted: &Env, dropped: &Env) -> Json {
    let mut merged = values.clone();
    match (wanted.network_policy, dropped.network_policy) {
        (Some(is_on), _) => merged[POLICIES] = is_on.to_string().into(),
        (None, Some(_)) => drop(merged.as_object_mut().and_then(|it| it.remove(POLICIES))),
        (None, None) => {}
    }
    edit(&mut merged, &["env"], &wanted.main, &dropped.main);
    edit(&mut merged, &["init", "env"], &wanted.init, &dropped.init);
    merged
}

/// Edits the map at a path; maps that become empty go.
fn edit(values: &mut Json, path: &[&str], set: &Vars, drop: &Vars) {
    let Some((name, rest)) = path.split_first() else {
        if !values.is_object() {
            *values = json!({});
        }
        if let Some(map) = values.as_object_mut() {
            map.retain(|k, _| !drop.contains_key(k));
            map.extend(set.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
        }
        return;
    };
    if set.is_empty() && values.get(*name).is_none() {
        return;
    }
    if !values.get(*name).is_some_and(Json::is_object) {
        values[*name] = json!({});
    }
    edit(&mut values[*name], rest, set, drop);
    if values[*name].as_object().is_some_and(serde_json::Map::is_empty)
        && let Some(map) = values.as_object_mut()
    {
        map.remove(*name);
    }
}

/// The arguments as the live variables hold them. Variables that `prior` does not own are passed over; `importing` takes
/// what it finds.
pub(super) fn arguments(live: &Env, prior: &Value, importing: bool) -> Vec<(&'static str, Value)> {
    let is_on = |value: &String| value == "true";
    let owned_flag = |name: &str, now: Option<&String>| match attrs::flag(prior, name) {
        None => Value::null(Type::Bool),
        Some(_) => now.map_or_else(|| Value::null(Type::Bool), |v| is_on(v).into()),
    };
    let demux = match (attrs::flag(prior, "disable_tcp_early_demux"), live.init.get(DEMUX)) {
        (None, Some(now)) if importing => is_on(now).into(),
        (None, _) => Value::null(Type::Bool),
        // The variable that is not there is off.
        (Some(_), now) => now.is_some_and(is_on).into(),
    };
    let owned_vars = |name: &str, now: &Vars| {
        let before = attrs::string_map(prior, name);
        let held = now.iter().filter(|(k, _)| before.contains_key(*k)).map(|(k, v)| (k.clone(), v.clone()));
        let nothing = Value::null(Type::map(Type::String));
        attrs::align(attrs::map_value(held), prior.get(name).unwrap_or(&nothing))
    };
    vec![
        ("enforcing_mode", live.main.get(MODE).cloned().into()),
        ("external_snat", owned_flag("external_snat", live.main.get(SNAT))),
        (
            "network_policy",
            // What is not set is off.
            attrs::flag(prior, "network_policy")
                .map_or_else(|| Value::null(Type::Bool), |_| live.network_policy.unwrap_or(false).into()),
        ),
        ("disable_tcp_early_demux", demux),
        ("env", owned_vars("env", &live.main)),
        ("init_env", owned_vars("init_env", &live.init)),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn vars_of(pairs: &[(&str, &str)]) -> Vars {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn merging_keeps_everything_that_is_not_owned() {
        let wanted = Env {
            main: vars_of(&[(ENABLE, "true"), (MODE, "strict")]),
            init: vars_of(&[(DEMUX, "true")]),
            network_policy: None,
        };
        let none = Env::default();
        for (before, dropped, expected) in [
            ("", &none, json!({"env": {ENABLE: "true", MODE: "strict"}, "init": {"env": {DEMUX: "true"}}})),
            (
                r#"{"enableNetworkPolicy":"true","env":{"WARM_ENI_TARGET":"1","ENABLE_POD_ENI":"false"},"init":{"resources":{}}}"#,
                &none,
                json!({"enableNetworkPolicy": "true", "env": {"WARM_ENI_TARGET": "1", ENABLE: "true", MODE: "strict"},
                       "init": {"resources": {}, "env": {DEMUX: "true"}}}),
            ),
            (
                "env:\n  OLD: x\n  KEPT: y\n",
                &Env { main: vars_of(&[("OLD", "x")]), ..Env::default() },
                json!({"env": {"KEPT": "y", ENABLE: "true", MODE: "strict"}, "init": {"env": {DEMUX: "true"}}}),
            ),
        ] {
            assert_eq!(merge(&parse(before).unwrap(), &wanted, dropped), expected, "{before}");
        }
    }

    #[test]
    fn taking_keys_away_leaves_no_empty_maps() {
        let ours =
            Env { main: vars_of(&[(ENABLE, "true")]), init: vars_of(&[(DEMUX, "true")]), network_policy: Some(true) };
        for (before, expected) in [
            (json!({POLICIES: "true", "env": {ENABLE: "true"}}), json!({})),
            (json!({"env": {ENABLE: "true"}, "init": {"env": {DEMUX: "true"}}}), json!({})),
            (json!({"env": {ENABLE: "true", "A": "b"}, "x": 1}), json!({"env": {"A": "b"}, "x": 1})),
        ] {
            assert_eq!(merge(&before, &Env::default(), &ours), expected);
        }
    }

    #[test]
    fn other_values_are_refused_with_the_reason() {
        assert_eq!(parse("[]").unwrap_err(), "they are not an object");
        assert!(parse("{").is_err());
        assert_eq!(parse("  ").unwrap(), json!({}));
    }

    #[test]
    fn only_owned_keys_drift() {
        let prior = Value::object([
            ("enforcing_mode", Value::from("strict")),
            ("external_snat", Value::null(Type::Bool)),
            ("network_policy", Value::null(Type::Bool)),
            ("disable_tcp_early_demux", true.into()),
            ("env", attrs::map_value([("WARM_ENI_TARGET".to_owned(), "1".to_owned())])),
            ("init_env", Value::null(Type::map(Type::String))),
        ]);
        let of = |main: &[(&str, &str)], init: &[(&str, &str)]| {
            let live = Env { main: vars_of(main), init: vars_of(init), network_policy: Some(true) };
            arguments(&live, &prior, false).into_iter().fold(prior.clone(), |v, (k, x)| v.with_attr(k, x))
        };
        let same = [(ENABLE, "true"), (MODE, "strict"), ("WARM_ENI_TARGET", "1")];
        assert_eq!(of(&same, &[(DEMUX, "true")]), prior);
        assert_eq!(of(&[&same[..], &[(SNAT, "true"), ("OTHER", "x")]].concat(), &[(DEMUX, "true"), ("X", "y")]), prior);
        let drifted = of(&[(ENABLE, "true"), (MODE, "standard"), ("WARM_ENI_TARGET", "2")], &[]);
        assert_eq!(drifted.get("enforcing_mode"), Some(&"standard".into()));
        assert_eq!(drifted.get("disable_tcp_early_demux"), Some(&false.into()));
        assert_eq!(attrs::string_map(&drifted, "env"), vars_of(&[("WARM_ENI_TARGET", "2")]));
    }

    #[test]
    fn variables_without_a_value_are_taken_out() {
        let main = vars_of(&[("A", "1"), ("B", "2"), ("C", "3")]);
        let ours = Env { main, init: vars_of(&[(DEMUX, "true")]), network_policy: None };
        let live = |main: Json, init: Json| {
            json!({"spec": {"template": {"spec": {
                "containers": [{"name": "other"}, {"name": MAIN, "env": main}], "initContainers": [{"name": INIT, "env": init}]}}}})
        };
        let left =
            json!([{"name": "A"}, {"name": "B", "value": "theirs"}, {"name": "C", "valueFrom": {}}, {"name": "D"}]);
        assert_eq!(
            ours.without_value(&live(left, json!([{"name": DEMUX, "value": "false"}]))),
            Some(json!({"spec": {"template": {"spec": {
                "containers": [{"name": MAIN, "env": [{"name": "A", "$patch": "delete"}]}]}}}}))
        );
        assert_eq!(ours.without_value(&live(json!([]), Json::Null)), None);
    }

    #[test]
    fn daemonset_variables_go_there_and_back() {
        let main = vars_of(&[(ENABLE, "true"), ("A", "b")]);
        let env = Env { main, init: vars_of(&[(DEMUX, "false")]), network_policy: None };
        assert_eq!(Env::of_daemonset(&env.daemonset_content()), env);
        assert_eq!(Env::default().daemonset_content(), json!({"spec": {"template": {"spec": {}}}}));
        assert!(env.covers(&Env { main: vars_of(&[("A", "b")]), ..Env::default() }));
        assert!(!env.covers(&Env { main: vars_of(&[("A", "c")]), ..Env::default() }));
    }

    #[test]
    fn network_policies_are_set_kept_and_given_back() {
        let env = |network_policy| Env { network_policy, ..Env::default() };
        for (before, wanted, dropped, expected) in [
            (json!({}), Some(true), None, json!({POLICIES: "true"})),
            (json!({POLICIES: "true"}), Some(false), None, json!({POLICIES: "false"})),
            (json!({POLICIES: "true"}), None, None, json!({POLICIES: "true"})),
            (json!({POLICIES: "true"}), None, Some(true), json!({})),
        ] {
            assert_eq!(merge(&before, &env(wanted), &env(dropped)), expected, "{before} {wanted:?} {dropped:?}");
        }
        let prior = |is_on: Option<bool>| {
            let flag = is_on.map_or_else(|| Value::null(Type::Bool), Value::from);
            Value::object([("network_policy", flag)])
        };
        let read = |values: Json, owned| {
            let fields = arguments(&Env::of_configuration(&values), &prior(owned), false);
            fields.into_iter().find(|(name, _)| *name == "network_policy").unwrap().1
        };
        // Somebody switched it off; somebody else's setting is none of ours.
        assert_eq!(read(json!({}), Some(true)), false.into());
        assert_eq!(read(json!({POLICIES: "true"}), Some(true)), true.into());
        assert_eq!(read(json!({POLICIES: "true"}), None), Value::null(Type::Bool));
        assert_eq!(env(Some(true)).without(&env(None)), env(Some(true)));
        assert_eq!(env(Some(true)).without(&env(Some(false))), env(None));
        assert!(!env(None).covers(&env(Some(true))) && env(Some(true)).covers(&env(None)));
        assert!(env(Some(false)).holds_any_of(&env(Some(true))) && !env(None).holds_any_of(&env(Some(true))));
    }
}
