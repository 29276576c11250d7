//! `sgp_pod_eni`: pod ENI on the VPC CNI of a cluster.

mod addon;
mod daemonset;
mod mistakes;
mod nodes;
mod takeover;
mod values;

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{
    Applied, Claim, ClaimRequest, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest,
    PlanResponse, ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Type, Value, state::Intent};

use self::values::{ENABLE, Env};
use crate::{
    attrs,
    connect::{Access, KubeClient},
    life, metadata,
};

/// The resource type.
pub(crate) static TYPE: PodEni = PodEni;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "sgp_pod_eni",
        "Turns pod ENI on in the VPC CNI. Owns the settings that it names and keeps all others; when it goes, those that it \
         named go and the VPC CNI's defaults hold.",
    )
    .attr("id", Attribute::string().computed().doc("The cluster's name."))
    .attr("cluster_name", Attribute::string().force_new().doc("The EKS cluster, by name or ARN; without it the provider's."))
    .attr(
        "via",
        Attribute::string()
            .default("addon")
            .force_new()
            .doc("`addon`: the managed add-on `vpc-cni`, created when it is not there. `daemonset`: a self-managed VPC CNI."),
    )
    .attr("addon_version", Attribute::string().optional_computed().doc("The add-on's version; null keeps what runs, or takes the default."))
    .attr(
        "enforcing_mode",
        Attribute::string().default("strict").doc("`strict` or `standard`: POD_SECURITY_GROUP_ENFORCING_MODE. Counts for new pods."),
    )
    .attr(
        "disable_tcp_early_demux",
        Attribute::bool()
            .optional_computed()
            .doc("DISABLE_TCP_EARLY_DEMUX of the init container: TCP and HTTP probes need it in strict mode, where it is on by default."),
    )
    .attr("external_snat", Attribute::bool().doc("AWS_VPC_K8S_CNI_EXTERNALSNAT; null leaves it alone."))
    .attr(
        "network_policy",
        Attribute::bool().doc("Whether the VPC CNI enforces NetworkPolicies: `enableNetworkPolicy` of the add-on; null leaves it alone."),
    )
    .attr(
        "branch_eni_cooldown",
        Attribute::number().doc("Seconds before a branch ENI of a deleted pod goes, at least 30; null leaves it alone."),
    )
    .attr("env", Attribute::string_map().doc("More variables of aws-node."))
    .attr("init_env", Attribute::string_map().doc("More variables of the init container."))
    .attr("service_account_role_arn", Attribute::string().doc("The IRSA role of aws-node, with the add-on."))
    .attr("effective_env", Attribute::string_map().computed().follows(&["*"]).doc("All variables of aws-node that are configured."))
    .attr(
        "effective_init_env",
        Attribute::string_map().computed().follows(&["*"]).doc("All variables of the init container that are configured."),
    )
    .attr("addon_arn", Attribute::string().computed().doc("The add-on's ARN; null with `daemonset`."))
    .attr(
        "created_addon",
        Attribute::bool().computed().doc("Whether the add-on was created here: then destroying this deletes it; where nodes need it, what it installed stays."),
    )
    .attr(
        "trunk_nodes",
        Attribute::number().computed().follows(&["*"]).doc("Nodes with a trunk ENI; null when the cluster's API does not tell."),
    )
    .timeouts(&[("create", 1200), ("update", 1200), ("delete", 1200)])
    .lives_in("cluster_name")
    .iam_actions(&["eks:CreateAddon", "eks:DeleteAddon", "eks:DescribeAddon", "eks:DescribeCluster", "eks:UpdateAddon"])
    .example(
        r#"resource "sgp_pod_eni" "this" {
  cluster_name   = aws_eks_cluster.this.name
  enforcing_mode = "strict"
}
"#,
    )
});

pub(crate) struct PodEni;

fn is_addon(object: &Value) -> bool {
    attrs::text(object, "via") != Some("daemonset")
}

fn cooldown(object: &Value) -> Option<i64> {
    object.get("branch_eni_cooldown")?.as_i64()
}

/// Both computed maps and the arguments, out of live variables.
fn fields(env: &Env, prior: &Value, importing: bool) -> Vec<(&'static str, Value)> {
    let map = |vars: &values::Vars| attrs::map_value(vars.clone());
    let mut fields = values::arguments(env, prior, importing);
    fields.extend([("effective_env", map(&env.main)), ("effective_init_env", map(&env.init))]);
    fields
}

/// The object as it is; `None` when there is no VPC CNI of this kind (or no cluster).
async fn observe(client: &KubeClient, prior: &Value) -> Result<Option<Value>, Diagnostic> {
    let cluster = client.cluster_of(prior);
    let importing = attrs::text(prior, "id").is_none();
    let mut known = metadata::carried(&SCHEMA.block, prior, &["cluster_name", "via", "timeouts"]);
    known.push(("id", cluster.unwrap_or_default().into()));
    if is_addon(prior) {
        let Some((addon, env)) = addon::read(client, named(cluster)?).await? else { return Ok(None) };
        known.extend(fields(&env, prior, importing));
        let role = attrs::text(prior, "service_account_role_arn").and(addon.service_account_role_arn);
        known.extend([
            ("service_account_role_arn", role.into()),
            ("addon_version", addon.version.into()),
            ("addon_arn", addon.arn.into()),
            ("created_addon", attrs::flag(prior, "created_addon").unwrap_or(false).into()),
        ]);
    } else {
        let Access::Ready(reached) = client.reach(cluster).await? else { return Ok(None) };
        let Some(env) = daemonset::read(&reached).await? else { return Ok(None) };
        known.extend(fields(&env, prior, importing));
        known.push(("created_addon", false.into()));
    }
    if cooldown(prior).is_some()
        && let Access::Ready(reached) = client.reach(cluster).await?
    {
        known.push(("branch_eni_cooldown", daemonset::read_cooldown(&reached).await?));
    }
    let trunks = nodes::trunks(client, cluster).await.and_then(|n| i64::try_from(n).ok());
    known.push(("trunk_nodes", trunks.map_or_else(|| Value::null(Type::Number), Value::int)));
    Ok(Some(attrs::align(attrs::object(&SCHEMA.block, known), prior)))
}

fn named(cluster: Option<&str>) -> Result<&str, Diagnostic> {
    cluster.ok_or_else(|| {
        Diagnostic::error(
            "No EKS cluster is named",
            "`via = \"addon\"` needs the name of the cluster: set `cluster_name` on the resource or in `provider \"kubernetes\"`.",
        )
        .attribute(AttrPath::attr("cluster_name"))
    })
}

/// Makes the VPC CNI as `planned` says. `prior` is null for a creation.
async fn put(
    client: &KubeClient,
    cx: &Context,
    prior: &Value,
    planned: &Value,
) -> Result<Value, (Option<Value>, Diagnostic)> {
    let cluster = client.cluster_of(planned);
    let wanted = Env::wanted(planned);
    let dropped = if prior.is_null() { Env::default() } else { Env::wanted(prior).without(&wanted) };
    let mut held = attrs::known(planned).with_attr("id", cluster.unwrap_or_default().into());
    if is_addon(planned) {
        let name = named(cluster).map_err(|d| (None, d))?;
        let asked = version_asked(prior, planned);
        let role = addon::role_asked(prior, planned);
        let created = addon::put(client, cx, name, &asked, role, &wanted, &dropped).await.map_err(|d| (None, d))?;
        let created = created || attrs::flag(prior, "created_addon") == Some(true);
        held = held.with_attr("created_addon", created.into());
        if prior.is_null() {
            life::checkpoint(cx, &held).await.map_err(|d| (Some(held.clone()), d))?;
        }
        addon::settle(client, cx, name).await.map_err(|d| (Some(held.clone()), d))?;
    } else {
        let reached = client.reach_for_write(cx, cluster).await.map_err(|d| (None, d))?;
        held = held.with_attr("created_addon", false.into());
        if prior.is_null() {
            self_managed(client, cluster).await.map_err(|d| (None, d))?;
        }
        daemonset::put(&reached, cx, &wanted, &dropped).await.map_err(|d| (Some(held.clone()), d))?;
    }
    put_cooldown(client, cx, prior, planned).await.map_err(|d| (Some(held.clone()), d))?;
    match observe(client, &held).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err((Some(held), vanished())),
        Err(diagnostic) => Err((Some(held), diagnostic)),
    }
}

/// A VPC CNI that EKS manages is not ours to edit behind its back: the next change of the add-on would undo it.
async fn self_managed(client: &KubeClient, cluster: Option<&str>) -> Result<(), Diagnostic> {
    let Some(name) = cluster else { return Ok(()) };
    match client.eks.addon(name, addon::NAME).await? {
        None => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "The VPC CNI is a managed add-on",
            format!(
                "The cluster {name:?} has the add-on {}, and its next change would undo what is written into the DaemonSet: use \
                 `via = \"addon\"`.",
                addon::NAME
            ),
        )
        .attribute(AttrPath::attr("via"))),
    }
}

/// The planned object with a version only where the configuration asks for another one than runs.
fn version_asked(prior: &Value, planned: &Value) -> Value {
    let same = attrs::text(prior, "addon_version").is_some_and(|v| Some(v) == attrs::text(planned, "addon_version"));
    if same { planned.with_attr("addon_version", Value::null(Type::String)) } else { planned.clone() }
}

/// Whether the add-on came with an interrupted creation: then it goes with this object.
async fn made_then(client: &KubeClient, intent: &Intent) -> Result<bool, Diagnostic> {
    let Some(cluster) = client.cluster_of(&intent.attributes).filter(|_| is_addon(&intent.attributes)) else {
        return Ok(false);
    };
    let addon = client.eks.addon(cluster, addon::NAME).await?;
    Ok(addon.and_then(|a| a.created_at).is_some_and(|at| at >= intent.at - life::SKEW_SECS))
}

fn vanished() -> Diagnostic {
    Diagnostic::error("The VPC CNI is gone", "It was deleted by someone else while it was configured.")
}

async fn put_cooldown(client: &KubeClient, cx: &Context, prior: &Value, planned: &Value) -> Result<(), Diagnostic> {
    let (before, now) = (cooldown(prior), cooldown(planned));
    if before.is_none() && now.is_none() {
        return Ok(());
    }
    let reached = client.reach_for_write(cx, client.cluster_of(planned)).await?;
    match now {
        Some(seconds) => daemonset::put_cooldown(&reached, seconds).await,
        None => daemonset::clear_cooldown(&reached).await,
    }
}

/// The end of a write; says so when the nodes could not be counted.
fn written(result: Result<Value, (Option<Value>, Diagnostic)>, before: &Value) -> Applied {
    match result {
        Ok(object) => {
            let untold = object.get("trunk_nodes").is_some_and(Value::is_null);
            let mut applied = Applied::done(object);
            if untold {
                applied.diagnostics.push(Diagnostic::warning(
                    "Nodes with a trunk ENI could not be counted",
                    "Pod ENI is configured, but the API server of the cluster did not answer, so `trunk_nodes` is null.",
                ));
            }
            applied
        }
        Err((Some(object), diagnostic)) => Applied::partly(object, diagnostic),
        Err((None, diagnostic)) if before.is_null() => Applied::failed(diagnostic),
        Err((None, diagnostic)) => Applied::partly(before.clone(), diagnostic),
    }
}

/// Takes what is ours away. The answer holds warnings.
async fn take_away(client: &KubeClient, cx: &Context, prior: &Value) -> Result<Diagnostics, Diagnostic> {
    let nothing_said = Diagnostics::new();
    let cluster = client.cluster_of(prior);
    let reached = match client.reach(cluster).await {
        Ok(Access::Ready(reached)) => Some(reached),
        Err(diagnostic) if !is_addon(prior) || cooldown(prior).is_some() => return Err(diagnostic),
        // Taking variables out of an add-on needs no API server.
        Ok(Access::Absent { .. }) | Err(_) => None,
    };
    if let (Some(reached), Some(_)) = (&reached, cooldown(prior)) {
        daemonset::clear_cooldown(reached).await?;
    }
    if !is_addon(prior) {
        if let Some(reached) = reached {
            daemonset::clear(&reached, &Env::wanted(prior)).await?;
        }
        return Ok(nothing_said);
    }
    let name = named(cluster)?;
    let Some((_, env)) = addon::read(client, name).await? else { return Ok(nothing_said) };
    let created = attrs::flag(prior, "created_addon") == Some(true);
    // Without the VPC CNI no pod starts on a node; where nodes cannot be counted, there may be some.
    let is_needed = nodes::count(client, cluster).await != Some(0);
    if created && !is_needed {
        return addon::delete(client, cx, name, false).await.map(|()| nothing_said);
    }
    let ours = Env::wanted(prior);
    let role = addon::role_asked(prior, &SCHEMA.block.empty());
    if env.holds_any_of(&ours) || role.is_some() {
        let nothing = SCHEMA.block.empty();
        addon::put(client, cx, name, &nothing, role.filter(|_| !created), &Env::default(), &ours).await?;
        addon::settle(client, cx, name).await?;
    }
    if !created {
        return Ok(nothing_said);
    }
    addon::delete(client, cx, name, true).await?;
    Ok(Diagnostic::warning(
        "The VPC CNI stays in the cluster",
        format!(
            "The add-on {} of {name} was created here and is deleted, but the cluster has nodes, which need the VPC CNI: its \
             objects stay, without the settings of this resource and without EKS to keep them. Nodes keep their trunk \
             interface until they are replaced.",
            addon::NAME
        ),
    )
    .into())
}

#[async_trait]
impl ResourceType for PodEni {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "kubernetes"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut planned = request.proposed.clone();
        let is_null = |name: &str| request.config.get(name).is_none_or(Value::is_null);
        if is_null("disable_tcp_early_demux") {
            let mode = request.proposed.get("enforcing_mode");
            let demux = match mode.map(|m| (m.is_known(), m.as_str())) {
                Some((false, _)) => Value::unknown(Type::Bool),
                Some((true, Some("strict"))) => true.into(),
                _ => Value::null(Type::Bool),
            };
            planned = planned.with_attr("disable_tcp_early_demux", demux);
        }
        if planned.get("id").is_some_and(|id| !id.is_known())
            && let Some(cluster) = attrs::text(&planned, "cluster_name").map(str::to_owned)
        {
            planned = planned.with_attr("id", cluster.into());
        }
        // Two changes that the arguments alone do not show: somebody switched it off, and the default of a variable.
        let is_off = attrs::string_map(request.prior, "effective_env").get(ENABLE).is_none_or(|v| v != "true");
        let moved = planned.get("disable_tcp_early_demux") != request.prior.get("disable_tcp_early_demux");
        if !request.prior.is_null() && (is_off || moved) {
            for (name, ty) in [
                ("effective_env", Type::map(Type::String)),
                ("effective_init_env", Type::map(Type::String)),
                ("trunk_nodes", Type::Number),
            ] {
                planned = planned.with_attr(name, Value::unknown(ty));
            }
        }
        PlanResponse { planned: Some(planned), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        mistakes::of(config)
    }

    fn wants_look_up(&self, prior: &Value, config: &Value) -> bool {
        takeover::concerns(prior, config)
    }

    async fn look_up(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        configs: &[Value],
    ) -> Vec<Result<Option<Value>, Diagnostic>> {
        let client = life::client(client);
        let looks = configs.iter().map(|config| async { Ok(takeover::look(client, config).await) });
        life::in_order(looks.collect()).await
    }

    fn plan_with(&self, request: &PlanRequest<'_>, found: &Value) -> PlanResponse {
        let mut response = self.plan(request);
        response.diagnostics.push(takeover::warning(found));
        response
    }

    fn claims(&self, request: &ClaimRequest<'_>) -> Option<Claim> {
        let named = |it| attrs::text(it, "cluster_name");
        let cluster = named(request.object).or_else(|| named(request.provider_config))?;
        Some(Claim {
            thing: format!("the add-on {} of the cluster {cluster:?}", addon::NAME),
            advice: "Keep sgp_pod_eni: it creates the add-on where there is none and keeps settings that it does not name, and \
                     `addon_version`, `service_account_role_arn`, `env` and `init_env` say what aws_eks_addon says. Take the other \
                     one out of the configuration, and out of the state with `sgp state rm` before the next apply where it was \
                     applied already, so that the add-on is not deleted.",
            is_part: false,
        })
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = life::client(client);
        let reads = requests.iter().map(|request| observe(client, &request.prior)).collect();
        let outcome = |observed| match observed {
            Ok(Some(object)) => ReadOutcome::Present(object),
            Ok(None) => ReadOutcome::Gone,
            Err(diagnostic) => ReadOutcome::Failed(diagnostic),
        };
        life::in_order(reads).await.into_iter().map(outcome).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        let nothing = Value::null(SCHEMA.ty());
        written(put(life::client(client), cx, &nothing, request.planned).await, &nothing)
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        written(put(life::client(client), cx, request.prior, request.planned).await, request.prior)
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        match take_away(life::client(client), cx, request.prior).await {
            Ok(diagnostics) => Applied { diagnostics, ..Applied::gone() },
            Err(diagnostic) => Applied::partly(request.prior.clone(), diagnostic),
        }
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let (cluster, via) = request.id.split_once('/').unwrap_or((request.id, "addon"));
        if cluster.is_empty() || !matches!(via, "addon" | "daemonset") {
            let text = format!(
                "{:?} does not name a cluster: give its name, or `name/daemonset` for a self-managed VPC CNI.",
                request.id
            );
            return Err(Diagnostic::error("Invalid import id", text));
        }
        Ok(attrs::object(&SCHEMA.block, [("cluster_name", cluster.into()), ("via", via.into())]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = life::client(client);
        let cluster = client.cluster_of(&intent.attributes).unwrap_or_default().to_owned();
        let asked = intent.attributes.with_attr("id", cluster.into());
        let Some(object) = observe(client, &asked).await? else { return Ok(Found::Nothing) };
        let object = object.with_attr("created_addon", made_then(client, intent).await?.into());
        let live = Env {
            main: attrs::string_map(&object, "effective_env"),
            init: attrs::string_map(&object, "effective_init_env"),
            network_policy: attrs::flag(&object, "network_policy"),
        };
        let done = live.covers(&Env::wanted(&intent.attributes)) && cooldown(&object) == cooldown(&intent.attributes);
        Ok(if done { Found::Ours(object) } else { Found::Nothing })
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, _planned: &Value, object: Value) -> Applied {
        let client = life::client(client);
        let settled = async {
            if is_addon(&object) {
                addon::settle(client, cx, named(client.cluster_of(&object))?).await?;
            }
            Ok(observe(client, &object).await?.unwrap_or_else(|| object.clone()))
        };
        match settled.await {
            Ok(object) => Applied::done(object),
            Err(diagnostic) => Applied::partly(object.clone(), diagnostic),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config(fields: &[(&'static str, Value)]) -> Value {
        attrs::object(&SCHEMA.block, fields.iter().cloned())
    }

    fn plan(prior: &Value, config: &Value, proposed: &Value) -> Value {
        let request = PlanRequest { prior, config, proposed, provider_config: &Value::dynamic_null() };
        PodEni.plan(&request).planned.unwrap()
    }

    #[test]
    fn early_demux_follows_the_mode() {
        let nothing = Value::null(SCHEMA.ty());
        for (mode, expected) in [
            (Value::from("strict"), Value::from(true)),
            ("standard".into(), Value::null(Type::Bool)),
            (Value::unknown(Type::String), Value::unknown(Type::Bool)),
        ] {
            let config = config(&[("enforcing_mode", mode)]);
            assert_eq!(plan(&nothing, &config, &config).get("disable_tcp_early_demux"), Some(&expected));
        }
        let said = config(&[("disable_tcp_early_demux", false.into()), ("enforcing_mode", "strict".into())]);
        assert_eq!(plan(&nothing, &said, &said).get("disable_tcp_early_demux"), Some(&false.into()));
    }

    #[test]
    fn pod_eni_that_was_switched_off_is_planned_again() {
        for (value, demux, changes) in [("true", true, false), ("false", true, true), ("true", false, true)] {
            let env = attrs::map_value([(ENABLE.to_owned(), value.to_owned())]);
            let said = config(&[("enforcing_mode", "strict".into())]);
            let prior = said.with_attr("effective_env", env).with_attr("disable_tcp_early_demux", demux.into());
            let planned = plan(&prior, &said, &prior);
            assert_eq!(planned.get("disable_tcp_early_demux"), Some(&true.into()));
            assert_eq!(planned.get("effective_env").is_some_and(|v| !v.is_known()), changes);
        }
    }

    #[test]
    fn the_running_version_is_not_asked_for_again() {
        let (old, new) = (config(&[("addon_version", "v1".into())]), config(&[("addon_version", "v2".into())]));
        assert_eq!(attrs::text(&version_asked(&old, &old), "addon_version"), None);
        assert_eq!(attrs::text(&version_asked(&old, &new), "addon_version"), Some("v2"));
    }
}
