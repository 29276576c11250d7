use serde_json::json;

use super::super::catalog;
use super::*;

/// What a list of rows becomes: group, object, path, value there.
fn check(group: &str, mut object: Value, expected: &[(&str, Value)]) {
    let (_, version) =
        object["apiVersion"].as_str().unwrap().rsplit_once('/').unwrap_or(("", object["apiVersion"].as_str().unwrap()));
    let schema = catalog::schema(group, version, object["kind"].as_str().unwrap()).unwrap();
    default(&mut object, &schema);
    for (path, value) in expected {
        assert_eq!(object.pointer(path).unwrap_or(&Value::Null), value, "{path} of {object}");
    }
    let once = object.clone();
    default(&mut object, &schema);
    assert_eq!(object, once);
}

#[test]
fn pods_get_what_is_left_out() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {
            "serviceAccountName": "web",
            "containers": [
                {"name": "a", "image": "nginx", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": 80}}, "resources": {"limits": {"cpu": "1"}}},
                {"name": "b", "image": "registry:5000/x:1.2", "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
                {"name": "c", "image": "x@sha256:00"},
                {"name": "d", "image": "registry:5000/x:latest"},
            ],
            "volumes": [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}, {"name": "c", "hostPath": {"path": "/x"}}],
        },
    });
    check(
        "",
        pod,
        &[
            ("/spec/restartPolicy", json!("Always")),
            ("/spec/dnsPolicy", json!("ClusterFirst")),
            ("/spec/terminationGracePeriodSeconds", json!(30)),
            ("/spec/schedulerName", json!("default-scheduler")),
            ("/spec/securityContext", json!({})),
            ("/spec/enableServiceLinks", json!(true)),
            ("/spec/serviceAccount", json!("web")),
            ("/spec/containers/0/imagePullPolicy", json!("Always")),
            ("/spec/containers/1/imagePullPolicy", json!("IfNotPresent")),
            ("/spec/containers/2/imagePullPolicy", json!("IfNotPresent")),
            ("/spec/containers/3/imagePullPolicy", json!("Always")),
            ("/spec/containers/0/terminationMessagePath", json!("/dev/termination-log")),
            ("/spec/containers/0/terminationMessagePolicy", json!("File")),
            ("/spec/containers/0/ports/0/protocol", json!("TCP")),
            ("/spec/containers/0/resources", json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}})),
            ("/spec/containers/1/resources", json!({})),
            (
                "/spec/containers/0/livenessProbe",
                json!({"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
            ),
            ("/spec/containers/1/env/0/valueFrom/fieldRef/apiVersion", json!("v1")),
            ("/spec/volumes/0", json!({"name": "a", "emptyDir": {}})),
            ("/spec/volumes/1/configMap", json!({"name": "c", "defaultMode": 420})),
            ("/spec/volumes/2/hostPath", json!({"path": "/x", "type": ""})),
            ("/status", json!({})),
        ],
    );
}

#[test]
fn workloads_get_what_is_left_out() {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "x:1"}]}});
    let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
    let object = |version: &str, kind: &str, spec: &Value| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "w"}, "spec": spec});
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    check(
        "apps",
        object("apps/v1", "Deployment", &spec),
        &[
            ("/spec/replicas", json!(1)),
            ("/spec/strategy", rolling),
            ("/spec/revisionHistoryLimit", json!(10)),
            ("/spec/progressDeadlineSeconds", json!(600)),
            ("/spec/template/spec/restartPolicy", json!("Always")),
            ("/spec/template/spec/enableServiceLinks", Value::Null),
            ("/spec/template/spec/containers/0/imagePullPolicy", json!("IfNotPresent")),
        ],
    );
    let mut recreated = spec.clone();
    recreated["strategy"] = json!({"type": "Recreate"});
    recreated["replicas"] = json!(0);
    check(
        "apps",
        object("apps/v1", "Deployment", &recreated),
        &[("/spec/strategy", json!({"type": "Recreate"})), ("/spec/replicas", json!(0))],
    );
    check(
        "apps",
        object("apps/v1", "DaemonSet", &spec),
        &[(
            "/spec/updateStrategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        )],
    );
    check(
        "apps",
        object("apps/v1", "StatefulSet", &spec),
        &[
            ("/spec/podManagementPolicy", json!("OrderedReady")),
            ("/spec/updateStrategy/rollingUpdate/partition", json!(0)),
            ("/spec/persistentVolumeClaimRetentionPolicy", json!({"whenDeleted": "Retain", "whenScaled": "Retain"})),
        ],
    );
    check(
        "batch",
        object("batch/v1", "Job", &json!({"template": template})),
        &[
            ("/spec/completions", json!(1)),
            ("/spec/parallelism", json!(1)),
            ("/spec/backoffLimit", json!(6)),
            ("/spec/completionMode", json!("NonIndexed")),
            ("/spec/suspend", json!(false)),
            ("/spec/podReplacementPolicy", json!("TerminatingOrFailed")),
            ("/metadata/labels", json!({"a": "b"})),
        ],
    );
}

#[test]
fn the_rest_gets_what_is_left_out() {
    check(
        "",
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}, {"port": 443, "targetPort": "https"}]}}),
        &[
            ("/spec/ports/0", json!({"port": 80, "protocol": "TCP", "targetPort": 80})),
            ("/spec/ports/1/targetPort", json!("https")),
            ("/spec/type", json!("ClusterIP")),
            ("/spec/sessionAffinity", json!("None")),
            ("/spec/internalTrafficPolicy", json!("Cluster")),
            ("/spec/externalTrafficPolicy", Value::Null),
            ("/status", json!({"loadBalancer": {}})),
        ],
    );
    check(
        "",
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer"}}),
        &[("/spec/externalTrafficPolicy", json!("Cluster")), ("/spec/allocateLoadBalancerNodePorts", json!(true))],
    );
    check(
        "",
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
        &[("/metadata/labels", json!({"kubernetes.io/metadata.name": "n"})), ("/status/phase", json!("Active"))],
    );
    check("", json!({"apiVersion": "v1", "kind": "Secret"}), &[("/type", json!("Opaque"))]);
    check(
        "networking.k8s.io",
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {}, "egress": [{"ports": [{"port": 1}]}]}}),
        &[("/spec/policyTypes", json!(["Ingress", "Egress"])), ("/spec/egress/0/ports/0/protocol", json!("TCP"))],
    );
    check(
        "rbac.authorization.k8s.io",
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]}),
        &[
            ("/roleRef/apiGroup", json!("rbac.authorization.k8s.io")),
            ("/subjects/0/apiGroup", json!("rbac.authorization.k8s.io")),
            ("/subjects/1/apiGroup", Value::Null),
        ],
    );
    let webhook = json!({"name": "a.b.c", "clientConfig": {"service": {"name": "s", "namespace": "n"}}, "rules": [{"operations": ["*"]}]});
    check(
        "admissionregistration.k8s.io",
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "webhooks": [webhook]}),
        &[
            ("/webhooks/0/failurePolicy", json!("Fail")),
            ("/webhooks/0/matchPolicy", json!("Equivalent")),
            ("/webhooks/0/timeoutSeconds", json!(10)),
            ("/webhooks/0/reinvocationPolicy", json!("Never")),
            ("/webhooks/0/objectSelector", json!({})),
            ("/webhooks/0/clientConfig/service/port", json!(443)),
            ("/webhooks/0/rules/0/scope", json!("*")),
        ],
    );
}

#[test]
fn custom_resources_get_what_their_definition_says() {
    let spec = json!({"type": "object", "default": {}, "properties": {
        "a": {"type": "integer", "default": 1},
        "nullable": {"type": "integer", "default": 2, "nullable": true},
        "plain": {"type": "integer"},
        "inner": {"type": "object", "properties": {"b": {"type": "string", "default": "x"}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"c": {"type": "boolean", "default": false}}}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"d": {"type": "integer", "default": 4}}}},
    }});
    let schema = Schema::structural(&json!({"type": "object", "properties": {"spec": spec}})).unwrap();
    let rows = [
        (json!({}), json!({"spec": {"a": 1, "nullable": 2}})),
        (json!({"spec": {"a": 3, "nullable": null, "plain": null}}), json!({"spec": {"a": 3, "nullable": null}})),
        (
            json!({"spec": {"a": null, "nullable": 1, "inner": {}}}),
            json!({"spec": {"a": 1, "nullable": 1, "inner": {"b": "x"}}}),
        ),
        (
            json!({"spec": {"a": 1, "nullable": 1, "list": [{}, {"c": true}], "map": {"k": {}}}}),
            json!({"spec": {"a": 1, "nullable": 1, "list": [{"c": false}, {"c": true}], "map": {"k": {"d": 4}}}}),
        ),
    ];
    for (mut object, expected) in rows {
        default(&mut object, &schema);
        assert_eq!(object, expected);
    }
}
