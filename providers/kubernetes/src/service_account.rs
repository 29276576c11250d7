//! `kubernetes_service_account_v1`.

use std::sync::LazyLock;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Value};

use crate::{
    attrs,
    json::{at, string},
    metadata,
    object::{Kind, Object},
    target::ApiKind,
};

/// The resource type.
pub(crate) static TYPE: Object<ServiceAccount> = Object(ServiceAccount);

static KIND: ApiKind = ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true);

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let named = |doc| NestedBlock::set(reference()).doc(doc);
    Schema::new("kubernetes_service_account_v1", "A service account: what the pods of a workload are to the cluster.")
        .attr("id", metadata::id())
        .attr("cluster_name", metadata::cluster_name())
        .attr(
            "automount_service_account_token",
            Attribute::bool().default(true).doc("Whether pods get the token mounted unless they say otherwise."),
        )
        .block("metadata", metadata::block(true))
        .block("image_pull_secret", named("Secrets for pulling images."))
        .attr(
            "default_secret_name",
            Attribute::string()
                .computed()
                .doc("The token secret that clusters before Kubernetes 1.24 made for the account; empty where there is none."),
        )
        .block("secret", named("Secrets that pods of this account may use. Those that controllers add are not shown."))
        .timeouts(&[("create", 30)])
        .lives_in("cluster_name")
        .example(
            r#"resource "kubernetes_service_account_v1" "backend" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name        = "backend"
    namespace   = kubernetes_namespace_v1.app.metadata[0].name
    annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.backend.arn }
  }
}
"#,
        )
});

fn reference() -> Block {
    Block::default().attr("name", Attribute::string().doc("The secret's name."))
}

pub(crate) struct ServiceAccount;

#[async_trait]
impl Kind for ServiceAccount {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn kind(&self) -> &'static ApiKind {
        &KIND
    }

    fn content(&self, object: &Value) -> Json {
        let mut body = json!({});
        if let Some(automount) = attrs::flag(object, "automount_service_account_token") {
            body["automountServiceAccountToken"] = automount.into();
        }
        for (name, field) in [("image_pull_secret", "imagePullSecrets"), ("secret", "secrets")] {
            let references = attrs::blocks(object, name);
            let names: Vec<Json> =
                references.into_iter().filter_map(|r| attrs::text(r, "name")).map(|n| json!({"name": n})).collect();
            if !names.is_empty() {
                body[field] = names.into();
            }
        }
        body
    }

    fn fields(&self, live: &Json, prior: &Value) -> Vec<(&'static str, Value)> {
        // Controllers may add secrets of their own: a list that was left out stays out, and generated names are theirs.
        let adopting = !attrs::is_set(prior, "id");
        let said: Vec<&str> =
            attrs::blocks(prior, "secret").into_iter().filter_map(|s| attrs::text(s, "name")).collect();
        let account = at(live, &["metadata", "name"]).and_then(Json::as_str).unwrap_or_default();
        let generated = |name: &str| {
            let rest = name.strip_prefix(account).and_then(|rest| rest.strip_prefix('-'));
            !said.contains(&name) && rest.is_some_and(|r| r.starts_with("token-") || r.starts_with("dockercfg-"))
        };
        let all = names(&live["secrets"]);
        let token = all.iter().find(|name| generated(name)).copied().unwrap_or_default();
        let shown = all.iter().filter(|name| (adopting || !said.is_empty()) && !generated(name)).copied();
        vec![
            ("automount_service_account_token", live["automountServiceAccountToken"].as_bool().unwrap_or(true).into()),
            ("default_secret_name", string(token)),
            ("image_pull_secret", references(names(&live["imagePullSecrets"]))),
            ("secret", references(shown)),
        ]
    }
}

fn names(list: &Json) -> Vec<&str> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(|item| item["name"].as_str()).collect()
}

fn references<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let block = reference();
    Value::set(block.ty(), names.into_iter().map(|name| attrs::object(&block, [("name", string(name))])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(names: &[&str]) -> Value {
        references(names.iter().copied())
    }

    #[test]
    fn secrets_of_controllers_are_passed_over() {
        let secrets = json!([{"name": "mine"}, {"name": "a-token-x7zvq"}, {"name": "theirs"}]);
        let live = json!({"metadata": {"name": "a"}, "secrets": secrets, "imagePullSecrets": [{"name": "pull"}]});
        for (prior, token, expected) in [
            (set(&[]), "a-token-x7zvq", set(&[])),
            (set(&["mine"]), "a-token-x7zvq", set(&["mine", "theirs"])),
            (set(&["mine", "a-token-x7zvq"]), "", set(&["mine", "theirs", "a-token-x7zvq"])),
        ] {
            let fields = ServiceAccount.fields(&live, &Value::object([("id", "app/a".into()), ("secret", prior)]));
            let of = |name: &str| fields.iter().find(|(n, _)| *n == name).unwrap().1.clone();
            assert_eq!(of("automount_service_account_token"), true.into());
            assert_eq!(of("image_pull_secret"), set(&["pull"]));
            assert_eq!((of("default_secret_name"), of("secret")), (token.into(), expected));
        }
    }

    #[test]
    fn the_body_says_what_the_blocks_say() {
        let object = Value::object([
            ("automount_service_account_token", Value::from(false)),
            ("image_pull_secret", set(&["b", "a"])),
            ("secret", set(&[])),
        ]);
        let expected =
            json!({"automountServiceAccountToken": false, "imagePullSecrets": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(ServiceAccount.content(&object), expected);
    }
}
