use serde_json::json;

use super::super::{catalog, default, prune};
use super::*;

/// Decodes, defaults and validates; what is wrong, as text.
fn wrong(mut object: Value, old: Option<Value>) -> Vec<String> {
    let (group, version) =
        object["apiVersion"].as_str().unwrap().split_once('/').unwrap_or(("", object["apiVersion"].as_str().unwrap()));
    let schema = catalog::schema(group, version, object["kind"].as_str().unwrap()).unwrap();
    let prepare = |object: &mut Value| {
        prune(object, &schema);
        default(object, &schema);
    };
    prepare(&mut object);
    let old = old.map(|mut old| {
        prepare(&mut old);
        old
    });
    validate(&object, old.as_ref(), &schema).iter().map(Cause::text).collect()
}

/// An object with one member changed.
fn with(object: &Value, path: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    object
}

fn rows(object: &Value, rows: Vec<(&str, Value, &[&str])>) {
    assert_eq!(wrong(object.clone(), None), [""; 0]);
    for (path, value, expected) in rows {
        assert_eq!(wrong(with(object, path, value.clone()), None), expected, "{path} {value}");
    }
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}], "volumeMounts": [{"name": "v", "mountPath": "/v"}], "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}, "livenessProbe": {"httpGet": {"port": "http"}}}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    })
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

#[test]
fn pods_are_held_against_their_rules() {
    rows(
        &pod(),
        vec![
            ("/metadata/name", json!(""), &["metadata.name: Required value: name or generateName is required"]),
            ("/metadata/name", json!("Web"), &[&format!("metadata.name: Invalid value: \"Web\": {SUBDOMAIN}")]),
            ("/metadata/labels", json!({"a": "b"}), &[]),
            (
                "/metadata/labels",
                json!({"-": "b"}),
                &[
                    "metadata.labels: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                ],
            ),
            ("/spec/containers", json!([]), &["spec.containers: Required value"]),
            (
                "/spec/containers/0/name",
                json!("A"),
                &[&format!("spec.containers[0].name: Invalid value: \"A\": {LABEL}")],
            ),
            ("/spec/containers/0/image", json!(""), &["spec.containers[0].image: Required value"]),
            (
                "/spec/containers/0/imagePullPolicy",
                json!("Often"),
                &[
                    "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
                ],
            ),
            (
                "/spec/containers/0/ports/0/containerPort",
                json!(70000),
                &[
                    "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                ],
            ),
            (
                "/spec/containers/0/ports/0/protocol",
                json!("tcp"),
                &[
                    "spec.containers[0].ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                ],
            ),
            (
                "/spec/containers/0/ports/0/name",
                json!("a-name-much-too-long"),
                &[
                    "spec.containers[0].ports[0].name: Invalid value: \"a-name-much-too-long\": must be no more than 15 characters",
                ],
            ),
            (
                "/spec/containers/0/env/0/name",
                json!("a=b"),
                &[
                    "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
                ],
            ),
            (
                "/spec/containers/0/env/0/valueFrom",
                json!({"fieldRef": {"fieldPath": "metadata.name"}}),
                &[
                    "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
                ],
            ),
            (
                "/spec/containers/0/volumeMounts/0/name",
                json!("w"),
                &["spec.containers[0].volumeMounts[0].name: Not found: \"w\""],
            ),
            (
                "/spec/containers/0/resources/requests/cpu",
                json!("3"),
                &[
                    "spec.containers[0].resources.requests: Invalid value: \"3\": must be less than or equal to cpu limit of 2",
                ],
            ),
            (
                "/spec/containers/0/livenessProbe",
                json!({}),
                &["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
            ),
            (
                "/spec/containers/0/livenessProbe/successThreshold",
                json!(2),
                &["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
            ),
            (
                "/spec/volumes",
                json!([{"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}]),
                &["spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type"],
            ),
            ("/spec/volumes", json!([{"name": "v"}, {"name": "v"}]), &["spec.volumes[1].name: Duplicate value: \"v\""]),
            (
                "/spec/restartPolicy",
                json!("Sometimes"),
                &[
                    "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
                ],
            ),
            (
                "/spec/tolerations",
                json!([{"operator": "Equal"}]),
                &[
                    "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                ],
            ),
        ],
    );
    let twice = with(&pod(), "/spec/containers", json!([{"name": "a", "image": "x"}, {"name": "a", "image": "x"}]));
    assert_eq!(wrong(twice, None), ["spec.containers[1].name: Duplicate value: \"a\""]);
}

#[test]
fn pods_stay_as_they_are() {
    let (old, rows) = (
        pod(),
        [
            ("/spec/containers/0/image", json!("httpd"), true),
            ("/spec/tolerations", json!([{"operator": "Exists"}]), true),
            ("/spec/activeDeadlineSeconds", json!(5), true),
            ("/spec/containers/0/env/0/value", json!("2"), false),
            ("/spec/hostNetwork", json!(true), false),
            ("/spec/containers", json!([]), false),
        ],
    );
    for (path, value, may) in rows {
        let causes = wrong(with(&old, path, value), Some(old.clone()));
        assert_eq!(causes.is_empty(), may, "{path}: {causes:?}");
    }
}

#[test]
fn workloads_are_held_against_their_rules() {
    let template =
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    });
    rows(
        &deployment,
        vec![
            (
                "/spec/selector",
                json!({"matchLabels": {"app": "x"}}),
                &[
                    "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`",
                ],
            ),
            (
                "/spec/selector",
                json!({}),
                &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
            ),
            ("/spec/replicas", json!(-1), &["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
            (
                "/spec/strategy",
                json!({"type": "Fast"}),
                &[
                    "spec.strategy: Unsupported value: {\"Type\":\"Fast\",\"RollingUpdate\":null}: supported values: \"Recreate\", \"RollingUpdate\"",
                ],
            ),
            (
                "/spec/strategy",
                json!({"type": "Recreate", "rollingUpdate": {}}),
                &["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
            ),
            (
                "/spec/template/spec/restartPolicy",
                json!("Never"),
                &["spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""],
            ),
        ],
    );
    let moved = with(
        &with(&deployment, "/spec/selector/matchLabels", json!({"app": "b"})),
        "/spec/template/metadata/labels",
        json!({"app": "b"}),
    );
    assert_eq!(
        wrong(moved, Some(deployment)),
        ["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable"]
    );
    let job =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}});
    assert_eq!(
        wrong(job, None),
        ["spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""]
    );
}

#[test]
fn services_policies_and_roles_are_held_against_their_rules() {
    let service =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    rows(
        &service,
        vec![
            ("/spec/ports", json!([]), &["spec.ports: Required value"]),
            (
                "/spec/ports",
                json!([{"port": 80}, {"port": 81}]),
                &["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
            ),
            (
                "/spec/ports/0/port",
                json!(0),
                &[
                    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
                ],
            ),
            (
                "/spec/type",
                json!("Public"),
                &[
                    "spec.type: Unsupported value: \"Public\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
                ],
            ),
        ],
    );
    let policy = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.1.0/24"]}}], "ports": [{"port": 80, "endPort": 90}]}]},
    });
    rows(
        &policy,
        vec![
            ("/spec/ingress/0/from/0", json!({}), &["spec.ingress[0].from[0]: Required value: must specify a peer"]),
            (
                "/spec/ingress/0/from/0/podSelector",
                json!({}),
                &["spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"],
            ),
            (
                "/spec/ingress/0/from/0/ipBlock/cidr",
                json!("10.0.0.0"),
                &[
                    "spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.0\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                ],
            ),
            (
                "/spec/ingress/0/from/0/ipBlock/except/0",
                json!("10.1.0.0/24"),
                &[
                    "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"10.1.0.0/24\": must be a strict subset of `cidr`",
                ],
            ),
            (
                "/spec/ingress/0/ports/0/endPort",
                json!(70),
                &["spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"],
            ),
            (
                "/spec/policyTypes",
                json!(["Both"]),
                &["spec.policyTypes[0]: Unsupported value: \"Both\": supported values: \"Ingress\", \"Egress\""],
            ),
        ],
    );
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r:x"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]});
    rows(
        &role,
        vec![
            ("/metadata/name", json!("a/b"), &["metadata.name: Invalid value: \"a/b\": may not contain '/'"]),
            (
                "/rules/0",
                json!({"verbs": ["get"]}),
                &[
                    "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                    "rules[0].resources: Required value: resource rules must supply at least one resource",
                ],
            ),
            ("/rules/0/verbs", json!([]), &["rules[0].verbs: Required value: verbs must contain at least one value"]),
        ],
    );
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]});
    rows(
        &binding,
        vec![
            (
                "/roleRef/kind",
                json!("X"),
                &["roleRef.kind: Unsupported value: \"X\": supported values: \"Role\", \"ClusterRole\""],
            ),
            ("/subjects/0/name", json!(""), &["subjects[0].name: Required value"]),
        ],
    );
    let changed = with(&binding, "/roleRef/name", json!("s"));
    assert_eq!(wrong(changed, Some(binding)).len(), 1);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.b": "1"}});
    rows(&map, vec![("/data", json!({"..": ""}), &["data[..]: Invalid value: \"..\": must not be '..'"])]);
    let big = with(&map, "/data", json!({"a": "x".repeat(1024 * 1024 + 1)}));
    assert_eq!(wrong(big, None), ["[]: Too long: may not be more than 1048576 bytes"]);
}

fn custom() -> std::sync::Arc<Schema> {
    let spec = json!({"type": "object", "required": ["n"], "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
        "s": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
        "e": {"type": "string", "enum": ["A", "B"]},
        "t": {"type": "string", "format": "date-time"},
        "b": {"type": "boolean"},
        "p": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "l": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "k": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
        "m": {"type": "object", "maxProperties": 1, "minProperties": 1, "additionalProperties": {"type": "integer"}},
        "null": {"type": "string", "nullable": true},
        "o": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    }});
    Schema::structural(&json!({"type": "object", "required": ["spec"], "properties": {"spec": spec}})).unwrap()
}

#[test]
fn custom_resources_are_held_against_their_schema() {
    let schema = custom();
    let object = json!({"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "w"}, "spec": {"n": 2}});
    let rows: Vec<(Value, &[&str])> = vec![
        (
            json!({"n": 2, "s": "ab", "e": "A", "t": "2026-01-01T00:00:00Z", "p": "x", "l": ["a", "b"], "m": {"a": 1}, "null": null, "o": {"a": 1}}),
            &[],
        ),
        (json!({}), &["spec.n: Required value"]),
        (json!({"n": 0}), &["spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"]),
        (json!({"n": 10}), &["spec.n: Invalid value: 10: spec.n in body should be less than or equal to 9"]),
        (json!({"n": 3}), &["spec.n: Invalid value: 3: spec.n in body should be a multiple of 2"]),
        (json!({"n": "x"}), &["spec.n: Invalid value: \"string\": spec.n in body must be of type integer: \"string\""]),
        (json!({"n": 2, "s": "a"}), &["spec.s: Invalid value: \"a\": spec.s in body should be at least 2 chars long"]),
        (json!({"n": 2, "s": "abcd"}), &["spec.s: Too long: may not be more than 3 bytes"]),
        (json!({"n": 2, "s": "AB"}), &["spec.s: Invalid value: \"AB\": spec.s in body should match '^[a-z]+$'"]),
        (json!({"n": 2, "e": "C"}), &["spec.e: Unsupported value: \"C\": supported values: \"A\", \"B\""]),
        (
            json!({"n": 2, "t": "today"}),
            &["spec.t: Invalid value: \"today\": spec.t in body must be of type date-time: \"today\""],
        ),
        (
            json!({"n": 2, "b": 1}),
            &["spec.b: Invalid value: \"integer\": spec.b in body must be of type boolean: \"integer\""],
        ),
        (
            json!({"n": 2, "p": true}),
            &["spec.p: Invalid value: \"boolean\": spec.p in body must be of type integer,string: \"boolean\""],
        ),
        (json!({"n": 2, "l": []}), &["spec.l: Invalid value: 0: spec.l in body should have at least 1 items"]),
        (json!({"n": 2, "l": ["a", "b", "c"]}), &["spec.l: Too many: 3: must have at most 2 items"]),
        (json!({"n": 2, "l": ["a", "a"]}), &["spec.l[1]: Duplicate value: \"a\""]),
        (json!({"n": 2, "k": [{}]}), &["spec.k[0].name: Required value"]),
        (json!({"n": 2, "k": [{"name": "a"}, {"name": "a"}]}), &["spec.k[1]: Duplicate value: {\"name\":\"a\"}"]),
        (
            json!({"n": 2, "m": {"a": "x"}}),
            &["spec.m.a: Invalid value: \"string\": spec.m.a in body must be of type integer: \"string\""],
        ),
        (json!({"n": 2, "m": {"a": 1, "b": 1}}), &["spec.m: Too many: 2: must have at most 1 item"]),
        (json!({"n": 2, "m": {}}), &["spec.m: Invalid value: 0: spec.m in body should have at least 1 properties"]),
        (
            json!({"n": 2, "s": null}),
            &["spec.s: Invalid value: \"null\": spec.s in body must be of type string: \"null\""],
        ),
        (
            json!({"n": 2, "o": {}}),
            &["<nil>: Invalid value: \"\": \"spec.o\" must validate one and only one schema (oneOf). Found none valid"],
        ),
        (
            json!({"n": 2, "o": {"a": 1, "b": 1}}),
            &[
                "<nil>: Invalid value: \"\": \"spec.o\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
            ],
        ),
    ];
    for (spec, expected) in rows {
        let causes: Vec<String> =
            validate(&with(&object, "/spec", spec.clone()), None, &schema).iter().map(Cause::text).collect();
        assert_eq!(causes, expected, "{spec}");
    }
}

#[test]
fn what_was_wrong_before_may_stay_so() {
    let schema = custom();
    let of = |spec: &Value| json!({"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "w"}, "spec": spec});
    let rows: Vec<(Value, Value, &[&str])> = vec![
        (json!({"n": 0}), json!({"n": 0, "s": "ab"}), &[]),
        (
            json!({"n": 0}),
            json!({"n": 12, "s": "ab"}),
            &["spec.n: Invalid value: 12: spec.n in body should be less than or equal to 9"],
        ),
        (json!({"n": 2, "l": []}), json!({"n": 4, "l": []}), &[]),
        (json!({"n": 2, "o": {}}), json!({"n": 4, "o": {}}), &[]),
        (json!({"n": 2, "k": [{"name": 1}]}), json!({"n": 4, "k": [{"name": 1}, {"name": "b"}]}), &[]),
        (json!({}), json!({"s": "ab"}), &["spec.n: Required value"]),
    ];
    for (old, new, expected) in rows {
        let causes: Vec<String> = validate(&of(&new), Some(&of(&old)), &schema).iter().map(Cause::text).collect();
        assert_eq!(causes, expected, "{old} -> {new}");
    }
}

#[test]
fn a_wrong_form_keeps_rules_from_being_checked() {
    let spec = json!({"type": "object", "required": ["n"], "x-kubernetes-validations": [{"rule": "self.n > 5"}], "properties": {
        "n": {"type": "integer", "minimum": 3},
    }});
    let schema = Schema::structural(&json!({"type": "object", "properties": {"spec": spec}})).unwrap();
    let not_checked = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    let rows: Vec<(Value, Vec<&str>)> = vec![
        (json!({}), vec!["spec.n: Required value", not_checked]),
        (
            json!({"n": "x"}),
            vec!["spec.n: Invalid value: \"string\": spec.n in body must be of type integer: \"string\"", not_checked],
        ),
        // A value that is only out of bounds is one that rules can work with.
        (
            json!({"n": 1}),
            vec![
                "spec.n: Invalid value: 1: spec.n in body should be greater than or equal to 3",
                "spec: Invalid value: failed rule: self.n > 5",
            ],
        ),
        (json!({"n": 4}), vec!["spec: Invalid value: failed rule: self.n > 5"]),
        (json!({"n": 6}), vec![]),
    ];
    for (spec, expected) in rows {
        let object = json!({"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "w"}, "spec": spec});
        let causes: Vec<String> = validate(&object, None, &schema).iter().map(Cause::text).collect();
        assert_eq!(causes, expected, "{object}");
    }
}

#[test]
fn definitions_are_held_against_their_rules() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let list = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/list";
    let path = "spec.validation.openAPIV3Schema";
    let list_path = format!("{path}.properties[spec].properties[list]");
    rows(
        &definition,
        vec![
            (
                "/metadata/name",
                json!("x.example.com"),
                &["metadata.name: Invalid value: \"x.example.com\": must be spec.names.plural+\".\"+spec.group"],
            ),
            (
                "/spec/scope",
                json!("Global"),
                &["spec.scope: Unsupported value: \"Global\": supported values: \"Cluster\", \"Namespaced\""],
            ),
            (
                "/spec/versions/0/storage",
                json!(false),
                &[
                    r#"spec.versions: Invalid value: [{"AdditionalPrinterColumns":null,"Deprecated":false,"DeprecationWarning":null,"Name":"v1","Schema":null,"SelectableFields":null,"Served":true,"Storage":false,"Subresources":null}]: must have exactly one version marked as storage version"#,
                    "status.storedVersions: Invalid value: null: must have at least one stored version",
                ],
            ),
            ("/spec/versions/0/schema", json!({}), &["spec.versions[0].schema.openAPIV3Schema: Required value"]),
            (
                "/spec/versions/0/schema/openAPIV3Schema/type",
                json!("string"),
                &[&format!("{path}.type: Invalid value: \"string\": must be object at the root")],
            ),
            (
                "/spec/versions/0/schema/openAPIV3Schema/properties/spec/type",
                json!(""),
                &[&format!(
                    "{path}.properties[spec].type: Required value: must not be empty for specified object fields"
                )],
            ),
            (list, json!({"type": "array"}), &[&format!("{list_path}.items: Required value: must be specified")]),
            (
                list,
                json!({"type": "array", "items": {}}),
                &[&format!("{list_path}.items.type: Required value: must not be empty for specified array items")],
            ),
            (
                list,
                json!({"type": "string", "uniqueItems": true}),
                &[&format!(
                    "{list_path}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
                )],
            ),
            (
                list,
                json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object", "properties": {"name": {"type": "string"}}}}),
                &[&format!(
                    "{list_path}.items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                )],
            ),
            (
                list,
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"a": {"type": "string"}}}]}),
                &[&format!("{list_path}.anyOf[0].properties[a].type: Forbidden: must be empty to be structural")],
            ),
            (
                list,
                json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
                &[],
            ),
            (list, json!({"x-kubernetes-preserve-unknown-fields": true}), &[]),
            (
                list,
                json!({"type": "null"}),
                &[&format!("{list_path}.type: Forbidden: type cannot be set to null, use nullable as an alternative")],
            ),
        ],
    );
}

#[test]
fn messages_name_the_object_and_every_cause_once() {
    let cause = |field: &str| Cause {
        field: field.to_owned(),
        reason: "FieldValueRequired",
        message: "Required value".to_owned(),
    };
    assert_eq!(message("Pod", "", "p", &[cause("a")]), "Pod \"p\" is invalid: a: Required value");
    assert_eq!(
        message("W", "e.com", "w", &[cause("a"), cause("b"), cause("a")]),
        "W.e.com \"w\" is invalid: [a: Required value, b: Required value]"
    );
}
