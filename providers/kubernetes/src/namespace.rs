//! `kubernetes_namespace_v1`.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Schema, Value};

use crate::{
    apply, attrs,
    connect::Cluster,
    metadata,
    object::{Kind, Object},
    target::{ApiKind, Target},
    wait::Waiter,
};

/// The resource type.
pub(crate) static TYPE: Object<Namespace> = Object(Namespace);

static KIND: ApiKind = ApiKind::fixed("v1", "Namespace", "namespaces", false);
static SERVICE_ACCOUNT: ApiKind = ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true);

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("kubernetes_namespace_v1", "A namespace of a cluster.")
        .attr("id", metadata::id())
        .attr("cluster_name", metadata::cluster_name())
        .attr(
            "wait_for_default_service_account",
            Attribute::bool().default(false).doc(
                "Waits until the namespace has its service account `default`, which pods without another one need.",
            ),
        )
        .block("metadata", metadata::block(false))
        .timeouts(&[("delete", 300)])
        .lives_in("cluster_name")
        .example(
            r#"resource "kubernetes_namespace_v1" "app" {
  cluster_name = aws_eks_cluster.this.name

  metadata {
    name   = "app"
    labels = { team = "orders" }
  }
}
"#,
        )
});

/// How long the controller may take to make the service account `default`.
const SERVICE_ACCOUNT_COMES: Duration = Duration::from_mins(1);

pub(crate) struct Namespace;

#[async_trait]
impl Kind for Namespace {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn kind(&self) -> &'static ApiKind {
        &KIND
    }

    fn content(&self, _object: &Value) -> Json {
        json!({})
    }

    fn fields(&self, _live: &Json, prior: &Value) -> Vec<(&'static str, Value)> {
        let wait = attrs::flag(prior, "wait_for_default_service_account").unwrap_or(false);
        vec![("wait_for_default_service_account", wait.into())]
    }

    fn must_settle(&self, planned: &Value) -> bool {
        attrs::flag(planned, "wait_for_default_service_account") == Some(true)
    }

    async fn settle(&self, cluster: &Cluster, cx: &Context, planned: &Value) -> Result<(), Diagnostic> {
        let namespace = metadata::target(&KIND, planned).name;
        let target = Target::new(&SERVICE_ACCOUNT, Some(&namespace), "default");
        let mut waiter = Waiter::new(cx, SERVICE_ACCOUNT_COMES.min(cx.timeout), format!("{target} to come"));
        loop {
            match apply::get(cluster, &target).await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => waiter.pause("waiting for the service account default").await?,
                Err(failure) => return Err(failure.diagnostic("read", &target, &cluster.label)),
            }
        }
    }
}
