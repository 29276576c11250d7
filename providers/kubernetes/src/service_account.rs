//! `kubernetes_service_account_v1`.

use std::sync::LazyLock;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Value};

use crate::{
    attrs,
    json::string,
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
        .block("secret", named("Secrets that pods of this account may use. Those that controllers add are not shown."))
        .unsupported(&["default_secret_name"])
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
        // Controllers may add secrets of their own: a list that was left out stays out.
        let adopting = !attrs::is_set(prior, "id");
        let secrets_are_ours = adopting || !attrs::blocks(prior, "secret").is_empty();
        let nothing = Json::Null;
        let secrets = if secrets_are_ours { &live["secrets"] } else { &nothing };
        vec![
            ("automount_service_account_token", live["automountServiceAccountToken"].as_bool().unwrap_or(true).into()),
            ("image_pull_secret", references(&live["imagePullSecrets"])),
            ("secret", references(secrets)),
        ]
    }
}

fn references(list: &Json) -> Value {
    let block = reference();
    let named = |item: &Json| Some(attrs::object(&block, [("name", string(item["name"].as_str()?))]));
    Value::set(block.ty(), list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Value {
        references(&names.iter().map(|n| json!({"name": n})).collect())
    }

    #[test]
    fn secrets_of_controllers_are_passed_over() {
        let live = json!({"secrets": [{"name": "default-token"}], "imagePullSecrets": [{"name": "pull"}]});
        for (prior, expected) in [(set(&[]), set(&[])), (set(&["mine"]), set(&["default-token"]))] {
            let fields = ServiceAccount.fields(&live, &Value::object([("id", "app/a".into()), ("secret", prior)]));
            assert_eq!(fields[0].1, Value::from(true));
            assert_eq!(fields[1].1, set(&["pull"]));
            assert_eq!(fields[2].1, expected);
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
