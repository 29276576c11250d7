//! `sgp_security_group_policy`: which pods of a namespace get which security groups.

mod mistakes;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, NestedBlock, Schema, Type, Value, state::Intent};

use crate::{
    apply::{self, Manager},
    attrs,
    connect::{Cluster, KubeClient},
    json::{at, string, string_at},
    life::{self, Failed, Identity, Lists, Live},
    matching::{self, Policy},
    metadata,
    owned::MANAGER,
    selector,
    target::{ApiKind, Target},
};

/// The resource type.
pub(crate) static TYPE: SecurityGroupPolicy = SecurityGroupPolicy;

static KIND: ApiKind =
    ApiKind::fixed("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", "securitygrouppolicies", true);

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let selector = |doc| NestedBlock::single(selector::content()).doc(doc);
    Schema::new(
        "sgp_security_group_policy",
        "Gives the pods that it selects their own security groups. Counts when a pod is created: running pods keep theirs.",
    )
    .attr("id", Attribute::string().computed().doc("`namespace/name`."))
    .attr("cluster_name", metadata::cluster_name())
    .attr("name", Attribute::string().required().force_new().doc("The policy's name."))
    .attr("namespace", Attribute::string().default("default").force_new().doc("The namespace of the pods."))
    .attr("labels", metadata::string_map("Labels of the policy object."))
    .attr("annotations", metadata::string_map("Annotations of the policy object."))
    .attr("security_group_ids", Attribute::string_set().doc("Security groups by id."))
    .attr("security_group_names", Attribute::string_set().doc("Security groups by name, looked up in the cluster's VPC."))
    .attr(
        "resolved_security_group_ids",
        Attribute::strings()
            .computed()
            .follows(&["security_group_ids", "security_group_names"])
            .doc("All groups by id, as the policy object holds them."),
    )
    .attr("uid", Attribute::string().computed().doc("The policy object's uid."))
    .attr(
        "matching_pods",
        Attribute::strings()
            .computed()
            .follows(&["*"])
            .doc("Names of the pods that the policy selects now, sorted; null when pods may not be listed."),
    )
    .block("pod_selector", selector("Selects by the labels of pods; `{}` is every pod of the namespace."))
    .block("service_account_selector", selector("Selects by the labels of the pods' service accounts."))
    .timeouts(&[("create", 120), ("delete", 120)])
    .lives_in("cluster_name")
    .example(
        r#"resource "sgp_security_group_policy" "backend" {
  cluster_name       = aws_eks_cluster.this.name
  name               = "backend"
  namespace          = "app"
  security_group_ids = [aws_security_group.backend.id]

  pod_selector {
    match_labels = { app = "backend" }
  }
}
"#,
    )
});

pub(crate) struct SecurityGroupPolicy;

fn target(object: &Value) -> Target {
    let namespace = attrs::text(object, "namespace").unwrap_or("default");
    Target::new(&KIND, Some(namespace), attrs::text(object, "name").unwrap_or_default())
}

/// A record with an id and no uid is what a creation without an answer left; one without an id is being imported.
fn identity(object: &Value) -> Identity<'_> {
    let uid = attrs::text(object, "uid");
    Identity { uid, is_unproven: uid.is_none() && attrs::is_set(object, "id"), manager: MANAGER }
}

fn body(object: &Value, groups: &[String]) -> Json {
    let mut spec = Map::new();
    for (name, field) in [("pod_selector", "podSelector"), ("service_account_selector", "serviceAccountSelector")] {
        if let Some(block) = attrs::block(object, name) {
            spec.insert(field.into(), selector::to_json(block));
        }
    }
    spec.insert("securityGroups".into(), json!({"groupIds": groups}));
    apply::body(&target(object), json!({"metadata": metadata::labels_json(object), "spec": spec}))
}

/// Ids first, then those of names; each once.
fn union(ids: Vec<String>, named: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.into_iter().chain(named).filter(|id| seen.insert(id.clone())).collect()
}

fn live_groups(live: &Json) -> Vec<String> {
    let ids = at(live, &["spec", "securityGroups", "groupIds"]).and_then(Json::as_array);
    ids.map(Vec::as_slice).unwrap_or_default().iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// What names mean: ids by name, for one cluster. A name that means nothing (any more) is left out.
type Names = BTreeMap<String, String>;

/// The arguments `security_group_ids` and `security_group_names` as the live object holds them: as said, when together
/// they are what is there; else so that the difference shows.
fn groups_said(live: &[String], prior: &Value, names: &Names) -> (Value, Value) {
    let (ids, said) = (attrs::texts(prior, "security_group_ids"), attrs::texts(prior, "security_group_names"));
    let there: BTreeSet<&String> = live.iter().collect();
    let expected: BTreeSet<&String> = ids.iter().chain(said.iter().filter_map(|n| names.get(n))).collect();
    let keep = |name: &str| prior.get(name).cloned().unwrap_or_else(|| Value::null(Type::set(Type::String)));
    if there == expected && said.iter().all(|n| names.contains_key(n)) {
        return (keep("security_group_ids"), keep("security_group_names"));
    }
    let held: Vec<&String> = said.iter().filter(|n| names.get(*n).is_some_and(|id| there.contains(id))).collect();
    let by_name: BTreeSet<&String> = held.iter().filter_map(|n| names.get(*n)).collect();
    let by_id = live.iter().filter(|id| !by_name.contains(id) || ids.contains(id));
    let set = |items: Vec<Value>, name: &str| attrs::align(Value::set(Type::String, items), &keep(name));
    (
        set(by_id.map(|id| string(id)).collect(), "security_group_ids"),
        set(held.into_iter().map(|n| string(n)).collect(), "security_group_names"),
    )
}

fn value(live: &Json, prior: &Value, names: &Names, pods: Option<Vec<String>>) -> Value {
    let block = &SCHEMA.block;
    let adopting = !attrs::is_set(prior, "uid");
    let map = |name| metadata::owned_map(live, name, prior.get(name), adopting);
    let groups = live_groups(live);
    let (ids, by_name) = groups_said(&groups, prior, names);
    let strings = |items: Vec<String>| Value::strings(items);
    let mut fields = metadata::carried(block, prior, &["cluster_name", "timeouts"]);
    fields.extend([
        ("name", string_at(live, &["metadata", "name"])),
        ("namespace", string_at(live, &["metadata", "namespace"])),
        ("labels", map("labels")),
        ("annotations", map("annotations")),
        ("security_group_ids", ids),
        ("security_group_names", by_name),
        ("resolved_security_group_ids", strings(groups)),
        ("uid", string_at(live, &["metadata", "uid"])),
        ("matching_pods", pods.map_or_else(|| Value::null(Type::list(Type::String)), strings)),
    ]);
    for (name, field) in [("pod_selector", "podSelector"), ("service_account_selector", "serviceAccountSelector")] {
        if let Some(json) = at(live, &["spec", field]).filter(|v| v.is_object()) {
            fields.push((name, selector::from_json(json)));
        }
    }
    let object = attrs::object(block, fields);
    let id = target(&object).id();
    attrs::align(object.with_attr("id", id.into()), prior)
}

/// Pods that the policy selects now; `None` when they may not be listed or the API does not answer.
async fn matching_pods(lists: &Lists, cluster: &Arc<Cluster>, live: &Json) -> Option<Vec<String>> {
    let namespace = at(live, &["metadata", "namespace"])?.as_str()?;
    let policy = Policy::of(live.get("spec")?);
    let core = |plural: &str| format!("/api/v1/namespaces/{namespace}/{plural}");
    let pods = lists.get(cluster, &core("pods")).await.ok()?;
    let accounts = if policy.looks_at_accounts() {
        lists.get(cluster, &core("serviceaccounts")).await.ok()?
    } else {
        Arc::default()
    };
    Some(policy.matching(&pods, &matching::account_labels(&accounts)))
}

/// The ids of the names that policies of one cluster use. One call for all; single ones only when that fails.
async fn resolve_known(
    client: &KubeClient,
    cluster: Option<&str>,
    names: &BTreeSet<String>,
) -> Result<Names, Diagnostic> {
    if names.is_empty() {
        return Ok(Names::new());
    }
    let (cluster, vpc) = vpc_of(client, cluster).await?;
    let all: Vec<String> = names.iter().cloned().collect();
    if let Ok(ids) = client.eks.security_group_ids(&cluster, &vpc, &all).await {
        return Ok(all.into_iter().zip(ids).collect());
    }
    let mut found = Names::new();
    for name in all {
        if let Ok(ids) = client.eks.security_group_ids(&cluster, &vpc, std::slice::from_ref(&name)).await {
            found.extend(ids.into_iter().next().map(|id| (name, id)));
        }
    }
    Ok(found)
}

/// A cluster and its VPC.
async fn vpc_of(client: &KubeClient, cluster: Option<&str>) -> Result<(String, String), Diagnostic> {
    let Some(name) = cluster else {
        return Err(Diagnostic::error(
            "Names of security groups need a cluster of EKS",
            "`security_group_names` are looked up in the cluster's VPC, so `cluster_name` must be set on the policy or on the \
             provider. Use `security_group_ids` otherwise.",
        )
        .attribute(AttrPath::attr("security_group_names")));
    };
    let access = client.eks.cluster(name).await?;
    access.map(|a| (name.to_owned(), a.vpc_id)).ok_or_else(|| {
        Diagnostic::error(
            "No such EKS cluster",
            format!("There is no EKS cluster {name:?} to look up security groups for."),
        )
    })
}

fn at_names(mut problem: Diagnostic) -> Diagnostic {
    if problem.detail.contains("no security group") {
        problem.detail.push_str(
            " One that this configuration makes is found when it is referred to, as in `aws_security_group.backend.name`.",
        );
    }
    problem.attribute(AttrPath::attr("security_group_names"))
}

/// What the names of one configuration mean, in their order; `None` when its cluster is not there yet.
async fn meant(client: &KubeClient, config: &Value) -> Result<Option<Value>, Diagnostic> {
    let said = attrs::texts(config, "security_group_names");
    let Some(cluster) = client.cluster_of(config) else { return vpc_of(client, None).await.map(|_| None) };
    let Some(access) = client.eks.cluster(cluster).await? else { return Ok(None) };
    let found = client.eks.security_group_ids(cluster, &access.vpc_id, &said).await.map_err(at_names)?;
    Ok(Some(Value::strings(found)))
}

/// The groups to write, and what the names meant. A name that means nothing or several groups is an error here.
async fn resolve(client: &KubeClient, object: &Value) -> Result<(Vec<String>, Names), Diagnostic> {
    let ids = attrs::texts(object, "security_group_ids");
    let said = attrs::texts(object, "security_group_names");
    if said.is_empty() {
        return Ok((union(ids, Vec::new()), Names::new()));
    }
    let (cluster, vpc) = vpc_of(client, client.cluster_of(object)).await?;
    let found = client.eks.security_group_ids(&cluster, &vpc, &said).await.map_err(at_names)?;
    let names = said.into_iter().zip(found.iter().cloned()).collect();
    Ok((union(ids, found), names))
}

impl SecurityGroupPolicy {
    async fn make(&self, client: &KubeClient, cx: &Context, planned: &Value) -> Result<Value, Failed> {
        let cluster = client.reach_for_write(cx, client.cluster_of(planned)).await?;
        let (groups, names) = resolve(client, planned).await?;
        let body = body(planned, &groups);
        let live = life::create(&cluster, cx, &target(planned), &body, &Manager::default()).await?;
        let pods = matching_pods(&Lists::default(), &cluster, &live).await;
        Ok(value(&live, planned, &names, pods))
    }

    async fn change(
        &self,
        client: &KubeClient,
        cx: &Context,
        prior: &Value,
        planned: &Value,
    ) -> Result<Value, Diagnostic> {
        let cluster = client.reach_for_write(cx, client.cluster_of(prior)).await?;
        let (groups, names) = resolve(client, planned).await?;
        let old = body(prior, &attrs::texts(prior, "resolved_security_group_ids"));
        let mut new = body(planned, &groups);
        if let Some(uid) = attrs::text(prior, "uid") {
            new["metadata"]["uid"] = uid.into();
        }
        let live = life::update(&cluster, &target(prior), &old, &new, &Manager::default()).await?;
        let pods = matching_pods(&Lists::default(), &cluster, &live).await;
        Ok(value(&live, planned, &names, pods))
    }
}

/// What the names of all policies mean, by cluster.
async fn names_by_cluster(
    client: &KubeClient,
    requests: &[ReadRequest],
) -> HashMap<Option<String>, Result<Names, Diagnostic>> {
    let mut wanted: HashMap<Option<String>, BTreeSet<String>> = HashMap::new();
    for request in requests {
        let cluster = client.cluster_of(&request.prior).map(str::to_owned);
        wanted.entry(cluster).or_default().extend(attrs::texts(&request.prior, "security_group_names"));
    }
    let lookups = wanted.into_iter().map(|(cluster, names)| async move {
        let found = resolve_known(client, cluster.as_deref(), &names).await;
        (cluster, found)
    });
    life::in_order(lookups.collect()).await.into_iter().collect()
}

#[async_trait]
impl ResourceType for SecurityGroupPolicy {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "kubernetes"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut planned = request.proposed.clone();
        let open = |name: &str| request.proposed.get(name).is_some_and(|v| !v.is_known());
        let target = target(request.proposed);
        if open("id") && !target.name.is_empty() && !open("namespace") {
            planned = planned.with_attr("id", target.id().into());
        }
        let known = request.proposed.get("security_group_ids").is_some_and(Value::is_wholly_known);
        let no_names =
            !open("security_group_names") && attrs::blocks(request.proposed, "security_group_names").is_empty();
        if open("resolved_security_group_ids") && known && no_names {
            let ids = union(attrs::texts(request.proposed, "security_group_ids"), Vec::new());
            planned = planned.with_attr("resolved_security_group_ids", Value::strings(ids));
        }
        PlanResponse { planned: Some(planned), ..PlanResponse::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        mistakes::of(config)
    }

    /// Names that are new, or that stand beside ids that are.
    fn wants_look_up(&self, prior: &Value, config: &Value) -> bool {
        let names = config.get("security_group_names").filter(|n| n.is_wholly_known());
        let cluster = config.get("cluster_name").is_none_or(Value::is_known);
        let same = |name: &str| prior.get(name).is_some_and(|before| Some(before) == config.get(name));
        let unchanged = ["security_group_ids", "security_group_names", "cluster_name"].into_iter().all(same);
        cluster && !unchanged && names.and_then(Value::elements).is_some_and(|names| !names.is_empty())
    }

    async fn look_up(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        configs: &[Value],
    ) -> Vec<Result<Option<Value>, Diagnostic>> {
        let client = life::client(client);
        life::in_order(configs.iter().map(|config| meant(client, config)).collect()).await
    }

    fn plan_with(&self, request: &PlanRequest<'_>, found: &Value) -> PlanResponse {
        let response = self.plan(request);
        let planned = response.planned.as_ref().unwrap_or(request.proposed);
        let open = planned.get("resolved_security_group_ids").is_some_and(|v| !v.is_known());
        if !open || !planned.get("security_group_ids").is_some_and(Value::is_wholly_known) {
            return response;
        }
        let ids = union(
            attrs::texts(planned, "security_group_ids"),
            found.str_elements().into_iter().map(str::to_owned).collect(),
        );
        let planned = planned.with_attr("resolved_security_group_ids", Value::strings(ids));
        PlanResponse { planned: Some(planned), ..response }
    }

    async fn read(&self, client: &dyn Client, scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = life::client(client);
        let wanted = requests.iter().map(|r| (client.cluster_of(&r.prior).map(str::to_owned), target(&r.prior)));
        let live = life::read_many(client, scope, wanted.collect()).await;
        let names = names_by_cluster(client, requests).await;
        let lists = scope.get::<Lists>();
        let (names, lists) = (&names, &lists);
        let outcomes = live.into_iter().zip(requests).map(|(live, request)| async move {
            let (cluster, json) = match live.meant(identity(&request.prior)) {
                Live::Present(cluster, json) => (cluster, json),
                Live::Gone => return ReadOutcome::Gone,
                Live::Failed(diagnostic) => return ReadOutcome::Failed(diagnostic),
            };
            let names = match names.get(&client.cluster_of(&request.prior).map(str::to_owned)) {
                Some(Ok(names)) => names.clone(),
                Some(Err(diagnostic)) => return ReadOutcome::Failed(diagnostic.clone()),
                None => Names::new(),
            };
            let pods = matching_pods(lists, &cluster, &json).await;
            ReadOutcome::Present(value(&json, &request.prior, &names, pods))
        });
        life::in_order(outcomes.collect()).await
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        match self.make(life::client(client), cx, request.planned).await {
            Ok(object) => Applied::done(object),
            Err(failed) => failed.creating(request.planned),
        }
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        match self.change(life::client(client), cx, request.prior, request.planned).await {
            Ok(object) => Applied::done(object),
            Err(diagnostic) => Applied::partly(request.prior.clone(), diagnostic),
        }
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let (target, identity) = (target(request.prior), identity(request.prior));
        life::delete_recorded(life::client(client), cx, request.prior, &target, identity).await
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let parts: Vec<&str> = request.id.split('/').collect();
        let (cluster, namespace, name) = match parts[..] {
            [namespace, name] => (None, namespace, name),
            [cluster, namespace, name] => (Some(cluster), namespace, name),
            _ => (None, "", ""),
        };
        if namespace.is_empty() || name.is_empty() {
            let text = format!(
                "{:?} does not name a policy: give `namespace/name` or `cluster/namespace/name`, such as `app/backend`.",
                request.id
            );
            return Err(Diagnostic::error("Invalid import id", text));
        }
        let configured = request.config.get("cluster_name").filter(|c| c.is_known()).cloned();
        let cluster = cluster.map(Value::from).or(configured).unwrap_or_else(|| Value::null(Type::String));
        let fields = [("cluster_name", cluster), ("namespace", namespace.into()), ("name", name.into())];
        Ok(attrs::object(&SCHEMA.block, fields))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let names = Names::new();
        let target = target(&intent.attributes);
        let client = life::client(client);
        let found = life::find_as(client, intent, &target, |live, prior| {
            // What the names meant is read next; until then the arguments stand as they were sent.
            let object = value(live, prior, &names, None);
            metadata::carried(&SCHEMA.block, prior, &["security_group_ids", "security_group_names"])
                .into_iter()
                .fold(object, |object, (name, said)| object.with_attr(name, said))
        });
        found.await
    }

    fn created_after(&self) -> &'static [&'static str] {
        &["sgp_pod_eni"]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config(fields: &[(&'static str, Value)]) -> Value {
        let selector = attrs::object(&selector::content(), [("match_labels", labels())]);
        let base = [
            ("name", Value::from("backend")),
            ("namespace", "app".into()),
            ("pod_selector", selector),
            ("security_group_ids", ids(&["sg-0123456789abcdef0"])),
        ];
        attrs::object(&SCHEMA.block, base.into_iter().chain(fields.iter().cloned()))
    }

    fn labels() -> Value {
        attrs::map_value([("app".to_owned(), "backend".to_owned())])
    }

    fn ids(items: &[&str]) -> Value {
        Value::set(Type::String, items.iter().map(|i| (*i).into()))
    }

    #[test]
    fn the_body_holds_selectors_and_groups() {
        assert_eq!(
            body(&config(&[("labels", labels())]), &["sg-1".into()]),
            json!({"apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy",
                "metadata": {"name": "backend", "namespace": "app", "labels": {"app": "backend"}},
                "spec": {"podSelector": {"matchLabels": {"app": "backend"}}, "securityGroups": {"groupIds": ["sg-1"]}}})
        );
    }

    #[test]
    fn drift_of_groups_shows_where_it_was_said() {
        let names: Names = [("db".to_owned(), "sg-d".to_owned())].into();
        let prior =
            |i: &[&str], n: &[&str]| config(&[("security_group_ids", ids(i)), ("security_group_names", ids(n))]);
        for (live, prior, expected) in [
            (&["sg-a", "sg-d"][..], prior(&["sg-a"], &["db"]), (ids(&["sg-a"]), ids(&["db"]))),
            (&["sg-d"], prior(&["sg-d"], &["db"]), (ids(&["sg-d"]), ids(&["db"]))),
            (&["sg-a", "sg-d", "sg-x"], prior(&["sg-a"], &["db"]), (ids(&["sg-a", "sg-x"]), ids(&["db"]))),
            (&["sg-a"], prior(&["sg-a"], &["db"]), (ids(&["sg-a"]), ids(&[]))),
            (&["sg-a", "sg-d"], prior(&["sg-a"], &["db", "gone"]), (ids(&["sg-a"]), ids(&["db"]))),
        ] {
            let live: Vec<String> = live.iter().map(|s| (*s).to_owned()).collect();
            assert_eq!(groups_said(&live, &prior, &names), expected, "{live:?}");
        }
    }

    #[test]
    fn a_live_policy_is_the_value_that_made_it() {
        let planned = config(&[]);
        let mut live = body(&planned, &["sg-0123456789abcdef0".into()]);
        live["metadata"]["uid"] = "u".into();
        let object = value(&live, &planned, &Names::new(), Some(vec!["pod-1".into()]));
        assert_eq!(object.ty(), SCHEMA.ty());
        for name in [
            "name",
            "namespace",
            "labels",
            "pod_selector",
            "service_account_selector",
            "security_group_ids",
            "security_group_names",
        ] {
            assert_eq!(object.get(name), planned.get(name), "{name}");
        }
        assert_eq!(object.get("id"), Some(&Value::from("app/backend")));
    }

    #[test]
    fn import_ids() {
        let config = SCHEMA.block.empty();
        let import = |id| SecurityGroupPolicy.import(&ImportRequest { id, config: &config });
        let three = import("main/app/backend").unwrap();
        assert_eq!(three.get("cluster_name"), Some(&Value::from("main")));
        assert_eq!(target(&import("app/backend").unwrap()).id(), "app/backend");
        for id in ["backend", "a/b/c/d", "/backend"] {
            assert!(import(id).is_err(), "{id}");
        }
    }
}
