//! Objects of clusters, and the built-in type.

use serde_json::Value;
use sgp_tests::world::World;

use crate::case::{Case, Edit, add, edit, id, text};

/// Deletes an object and waits until it is gone.
fn delete(world: &World, path: &str) {
    world.kubernetes("DELETE", path, None).unwrap();
    for _ in 0..600 {
        if world.kubernetes("GET", path, None).is_err() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{path} is still there");
}

fn path(object: &Value, list: &str) -> String {
    let metadata = &object["metadata"][0];
    list.replace("NS", metadata["namespace"].as_str().unwrap_or_default()) + "/" + text(metadata, "name")
}

/// Labels and annotations; the object has `name = "one"`.
fn metadata_updates() -> Vec<Edit> {
    vec![
        edit("metadata.labels", "name = \"one\"", "name = \"one\"\n  labels = { a = \"1\" }"),
        edit("metadata.labels", "{ a = \"1\" }", "{ b = \"2\" }"),
        edit("metadata.annotations", "name = \"one\"", "name = \"one\"\n  annotations = { \"example.com/a\" = \"1\" }"),
        edit("metadata.annotations", "\"example.com/a\" = \"1\"", "\"example.com/a\" = \"2\""),
        edit("metadata.annotations", "\n  annotations = { \"example.com/a\" = \"2\" }", ""),
    ]
}

fn moves() -> Vec<Edit> {
    vec![
        edit("metadata.name", "name = \"one\"", "name = \"two\""),
        edit("cluster_name", "\"home\"", "\"away\""),
        edit("metadata.generate_name metadata.name", "name = \"two\"", "generate_name = \"made-\""),
    ]
}

fn namespaced_moves() -> Vec<Edit> {
    let mut moves = moves();
    moves.push(edit("metadata.namespace", "namespace = \"elsewhere\"", "namespace = \"more\""));
    moves
}

fn with(mut edits: Vec<Edit>, more: Vec<Edit>) -> Vec<Edit> {
    edits.extend(more);
    edits
}

pub fn namespace() -> Case {
    Case {
        name: "kubernetes_namespace_v1",
        around: "",
        body: "cluster_name = \"home\"\nmetadata {\n  name = \"one\"\n}",
        updates: with(
            metadata_updates(),
            vec![add("wait_for_default_service_account", "wait_for_default_service_account = true")],
        ),
        replacements: moves(),
        import: Some(id),
        untold: &["wait_for_default_service_account"],
        vanish: Some(|world, object| delete(world, &path(object, "/api/v1/namespaces"))),
        beside: &[],
    }
}

pub fn service_account() -> Case {
    Case {
        name: "kubernetes_service_account_v1",
        around: "",
        body: "cluster_name = \"home\"\nmetadata {\n  name = \"one\"\n  namespace = \"elsewhere\"\n}",
        updates: with(
            metadata_updates(),
            vec![
                add("automount_service_account_token", "automount_service_account_token = false"),
                add("image_pull_secret.name", "image_pull_secret {\n  name = \"registry\"\n}"),
                edit("image_pull_secret.name", "\"registry\"", "\"mirror\""),
                add("secret.name", "secret {\n  name = \"password\"\n}"),
                edit("secret.name", "\"password\"", "\"key\""),
            ],
        ),
        replacements: namespaced_moves(),
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| delete(world, &path(object, "/api/v1/namespaces/NS/serviceaccounts"))),
        beside: &[],
    }
}

pub fn network_policy() -> Case {
    Case {
        name: "kubernetes_network_policy_v1",
        around: "",
        body: r#"
cluster_name = "home"
metadata {
  name = "one"
  namespace = "elsewhere"
}
spec {
  policy_types = ["Ingress"]
  pod_selector {}
}
"#,
        updates: with(
            metadata_updates(),
            vec![
                edit("spec.policy_types", r#"["Ingress"]"#, r#"["Ingress", "Egress"]"#),
                edit(
                    "spec.pod_selector.match_labels",
                    "pod_selector {}",
                    "pod_selector {\n    match_labels = { app = \"a\" }\n  }",
                ),
                edit(
                    "spec.pod_selector.match_expressions.key spec.pod_selector.match_expressions.operator spec.pod_selector.match_expressions.values",
                    "match_labels = { app = \"a\" }",
                    "match_expressions {\n      key = \"app\"\n      operator = \"In\"\n      values = [\"a\", \"b\"]\n    }",
                ),
                edit(
                    "spec.ingress.ports.port spec.ingress.ports.protocol spec.ingress.from.ip_block.cidr",
                    "  pod_selector {",
                    "  ingress {\n    ports {\n      port = \"80\"\n    }\n    from {\n      ip_block {\n        cidr = \"10.0.0.0/8\"\n      }\n    }\n  }\n  pod_selector {",
                ),
                edit("spec.ingress.ports.protocol", "port = \"80\"", "port = \"80\"\n      protocol = \"UDP\""),
                edit("spec.ingress.ports.end_port", "port = \"80\"", "port = \"80\"\n      end_port = 90"),
                edit(
                    "spec.ingress.from.ip_block.except",
                    "\"10.0.0.0/8\"",
                    "\"10.0.0.0/8\"\n        except = [\"10.1.0.0/16\"]",
                ),
                edit(
                    "spec.ingress.from.pod_selector.match_labels spec.ingress.from.namespace_selector.match_labels",
                    "    from {\n      ip_block",
                    "    from {\n      pod_selector {\n        match_labels = { app = \"c\" }\n      }\n      namespace_selector {\n        match_labels = { team = \"x\" }\n      }\n    }\n    from {\n      ip_block",
                ),
                edit(
                    "spec.egress.ports.port spec.egress.to.pod_selector.match_labels",
                    "  pod_selector {\n    match_expressions",
                    "  egress {\n    ports {\n      port = \"dns\"\n    }\n    to {\n      pod_selector {\n        match_labels = { app = \"dns\" }\n      }\n    }\n  }\n  pod_selector {\n    match_expressions",
                ),
            ],
        ),
        replacements: namespaced_moves(),
        import: Some(id),
        untold: &[],
        vanish: Some(|world, object| {
            delete(world, &path(object, "/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies"));
        }),
        beside: &[
            ("spec.egress", "ingress and egress are one code; the arguments are edited in ingress"),
            (
                "spec.ingress.from.pod_selector.match_expressions",
                "selectors are one code, edited in `spec.pod_selector`",
            ),
            (
                "spec.ingress.from.namespace_selector.match_expressions",
                "selectors are one code, edited in `spec.pod_selector`",
            ),
        ],
    }
}

pub fn manifest() -> Case {
    Case {
        name: "kubernetes_manifest",
        around: "",
        body: r#"
cluster_name = "home"
manifest = {
  apiVersion = "v1"
  kind       = "ConfigMap"
  metadata = {
    name      = "settings"
    namespace = "elsewhere"
  }
  data = { level = "debug" }
}
"#,
        updates: vec![
            edit("manifest", "\"debug\"", "\"info\""),
            edit("manifest", "level = \"info\"", "level = \"info\", more = \"1\""),
            edit("manifest", ", more = \"1\"", ""),
            edit("manifest", "    name      =", "    labels = { a = \"1\" }\n    name      ="),
            add("computed_fields", r#"computed_fields = ["metadata.annotations"]"#),
            add("field_manager.force_conflicts", "field_manager {\n  force_conflicts = true\n}"),
            edit("field_manager.name", "force_conflicts = true", "force_conflicts = true\n  name = \"another\""),
            add("wait.fields", "wait {\n  fields = { \"data.level\" = \"info\" }\n}"),
        ],
        replacements: vec![
            edit("manifest", "\"settings\"", "\"others\""),
            edit("manifest", "\"elsewhere\"", "\"more\""),
            edit("cluster_name", "\"home\"", "\"away\""),
            edit("manifest", "kind       = \"ConfigMap\"", "kind       = \"Secret\""),
        ],
        import: Some(|object| {
            let of = |value: &Value| value.as_str().unwrap().to_owned();
            let (manifest, metadata) = (&object["manifest"], &object["manifest"]["metadata"]);
            let parts = [("apiVersion", &manifest["apiVersion"]), ("kind", &manifest["kind"])];
            let named = [("namespace", &metadata["namespace"]), ("name", &metadata["name"])];
            parts.into_iter().chain(named).map(|(k, v)| format!("{k}={}", of(v))).collect::<Vec<_>>().join(",")
        }),
        untold: &["computed_fields", "field_manager", "wait"],
        vanish: Some(|world, object| {
            let metadata = &object["manifest"]["metadata"];
            let (namespace, name) = (text(metadata, "namespace"), text(metadata, "name"));
            delete(world, &format!("/api/v1/namespaces/{namespace}/configmaps/{name}"));
        }),
        beside: &[
            ("wait_for", "deprecated for `wait`"),
            ("wait.rollout", "nothing rolls out in this world, which has no kubelet"),
            ("wait.condition", "no object of this world has conditions that come by themselves"),
        ],
    }
}

pub fn terraform_data() -> Case {
    Case {
        name: "terraform_data",
        around: "",
        body: "input = \"one\"",
        updates: vec![edit("input", "\"one\"", "{ two = [1, true] }")],
        replacements: vec![add("triggers_replace", "triggers_replace = 1"), edit("triggers_replace", "= 1", "= 2")],
        import: None,
        untold: &[],
        vanish: None,
        beside: &[],
    }
}
