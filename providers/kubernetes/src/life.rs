//! The life of one object, whatever its kind: created, read (many at once), changed, deleted, found again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use kube::core::{Request, params::ListParams};
use serde_json::Value as Json;
use sgp_contract::{Applied, Client, Context, Found, ReadOutcome, ReadRequest, ReadScope};
use sgp_model::{Diagnostic, Value, state::Intent};
use tokio::sync::OnceCell;

use crate::{
    apply::{self, Manager},
    attrs,
    connect::{Access, Cluster, KubeClient},
    errors::Failure,
    json::at,
    owned,
    target::Target,
    wait::Waiter,
};

/// A custom type may come this much later than its definition.
const TYPE_SERVED: Duration = Duration::from_mins(1);
/// Objects a page.
const PAGE: u32 = 500;
/// Calls of one refresh that run at the same time.
const READERS: usize = 8;

/// The provider's own client.
pub(crate) fn client(client: &dyn Client) -> &KubeClient {
    client.as_any().downcast_ref().expect("the engine gives each provider the clients that it made")
}

/// Makes what is known durable before a wait.
pub(crate) async fn checkpoint(cx: &Context, object: &Value) -> Result<(), Diagnostic> {
    cx.checkpoint(object).await.map_err(|e| Diagnostic::error("Cannot write the state", e.to_string()))
}

/// Why something was not done.
pub(crate) struct Failed {
    pub diagnostic: Diagnostic,
    /// Whether it may have been done all the same.
    pub maybe_done: bool,
}

impl From<Diagnostic> for Failed {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, maybe_done: false }
    }
}

impl Failed {
    /// The end of a creation: nothing left behind, or perhaps something.
    pub(crate) fn creating(self, planned: &Value) -> Applied {
        if self.maybe_done {
            Applied::partly(attrs::known(planned), self.diagnostic)
        } else {
            Applied::failed(self.diagnostic)
        }
    }
}

/// Creates an object that must not be there yet. Waits for an old one of that name to go, and for a custom type to come.
pub(crate) async fn create(
    cluster: &Cluster,
    cx: &Context,
    target: &Target,
    body: &Json,
    manager: &Manager,
) -> Result<Json, Failed> {
    // Nothing was sent yet: a failure here leaves nothing behind.
    let found = apply::get(cluster, target).await.map_err(|f| f.diagnostic("create", target, &cluster.label))?;
    match found {
        Some(live) if is_terminating(&live) => gone(cluster, cx, target, uid(&live)).await?,
        Some(_) => return Err(exists(target, cluster).into()),
        None => {}
    }
    let mut waiter =
        Waiter::new(cx, TYPE_SERVED.min(cx.timeout), format!("the type {} to be served", target.kind.kind));
    loop {
        match apply::apply(cluster, target, body, manager).await {
            Ok(live) => return Ok(live),
            Err(failure) if failure.is_type_missing() && !waiter.left().is_zero() => {
                waiter.pause(&format!("{} is not served yet", target.kind.kind)).await?;
            }
            Err(failure) => return made_after_all(cluster, target, manager, &failure).await,
        }
    }
}

/// A creation that failed: whether it took place all the same, as far as the server tells.
async fn made_after_all(
    cluster: &Cluster,
    target: &Target,
    manager: &Manager,
    failure: &Failure,
) -> Result<Json, Failed> {
    let failed = |maybe_done| Failed { diagnostic: failure.diagnostic("create", target, &cluster.label), maybe_done };
    if !failure.is_ambiguous() {
        return Err(failed(false));
    }
    match apply::get(cluster, target).await {
        Ok(Some(live)) if is_made_by(&live, &manager.name) => Ok(live),
        // Somebody else's.
        Ok(Some(_)) => Err(failed(false)),
        // A call that was cut off may still be on its way.
        Ok(None) => Err(failed(failure.is_unanswered())),
        Err(_) => Err(failed(true)),
    }
}

fn exists(target: &Target, cluster: &Cluster) -> Diagnostic {
    Diagnostic::error(
        "The object exists already",
        format!(
            "{} has a {target} that this state does not know. Import it (its id is {}), or choose another name.",
            cluster.label,
            target.id()
        ),
    )
}

/// Changes an object that is there.
pub(crate) async fn update(
    cluster: &Cluster,
    target: &Target,
    old: &Json,
    new: &Json,
    manager: &Manager,
) -> Result<Json, Diagnostic> {
    apply::change(cluster, target, old, new, manager)
        .await
        .map_err(|failure| failure.diagnostic("change", target, &cluster.label))
}

/// Deletes the object with this uid and waits until it is gone; one that is gone already is success.
pub(crate) async fn delete(
    cluster: &Cluster,
    cx: &Context,
    target: &Target,
    uid: Option<&str>,
) -> Result<(), Diagnostic> {
    match apply::delete(cluster, target, uid).await {
        Ok(_) => {}
        Err(failure) if failure.is_not_found() => return Ok(()),
        // The object of that name is another one by now, or it is being deleted already: looking tells.
        Err(failure) if failure.is_conflict() => {}
        Err(failure) => return Err(failure.diagnostic("delete", target, &cluster.label)),
    }
    gone(cluster, cx, target, uid).await
}

async fn gone(cluster: &Cluster, cx: &Context, target: &Target, old: Option<&str>) -> Result<(), Diagnostic> {
    let mut waiter = Waiter::new(cx, cx.timeout, format!("{target} to go"));
    loop {
        match apply::get(cluster, target).await {
            Ok(None) => return Ok(()),
            Ok(Some(live)) if old.is_some() && uid(&live) != old => return Ok(()),
            Ok(Some(live)) => waiter.pause(&remaining(&live)).await?,
            Err(failure) => return Err(failure.diagnostic("delete", target, &cluster.label)),
        }
    }
}

/// What keeps a deleted object: conditions that say so (a namespace's), and finalizers.
fn remaining(live: &Json) -> String {
    let conditions =
        at(live, &["status", "conditions"]).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let holding = conditions.iter().filter(|c| c["status"] == "True").filter_map(|c| c["message"].as_str());
    let lists = [at(live, &["metadata", "finalizers"]), at(live, &["spec", "finalizers"])];
    let finalizers: Vec<&str> =
        lists.into_iter().flatten().filter_map(Json::as_array).flatten().filter_map(Json::as_str).collect();
    let mut parts: Vec<String> = holding.map(str::to_owned).collect();
    if !finalizers.is_empty() {
        parts.push(format!("finalizers: {}", finalizers.join(", ")));
    }
    if parts.is_empty() { "terminating".to_owned() } else { parts.join("; ") }
}

pub(crate) fn uid(live: &Json) -> Option<&str> {
    at(live, &["metadata", "uid"])?.as_str()
}

fn is_terminating(live: &Json) -> bool {
    at(live, &["metadata", "deletionTimestamp"]).is_some_and(|t| !t.is_null())
}

/// What an object's record tells of its identity.
#[derive(Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Its uid; `None` when nobody knows which object it is: it was never read.
    pub uid: Option<&'a str>,
    /// Whether the record tells of a creation whose outcome nobody knows. Then an object of that name is meant only when
    /// `manager` applied it: it may be somebody else's.
    pub is_unproven: bool,
    /// The field manager that makes it.
    pub manager: &'a str,
}

impl Identity<'_> {
    fn means(self, live: &Json) -> bool {
        !self.is_unproven || is_made_by(live, self.manager)
    }
}

/// The deletion of an object by its record: nothing to do when the cluster itself is gone.
pub(crate) async fn delete_recorded(
    client: &KubeClient,
    cx: &Context,
    prior: &Value,
    target: &Target,
    identity: Identity<'_>,
) -> Applied {
    let deleted = async {
        let cluster = match client.reach(client.cluster_of(prior)).await? {
            Access::Absent { .. } => return Ok(()),
            Access::Ready(cluster) => cluster,
        };
        if !identity.is_unproven {
            return delete(&cluster, cx, target, identity.uid).await;
        }
        match apply::get(&cluster, target).await.map_err(|f| f.diagnostic("delete", target, &cluster.label))? {
            Some(live) if identity.means(&live) => delete(&cluster, cx, target, uid(&live)).await,
            Some(_) | None => Ok(()),
        }
    };
    match deleted.await {
        Ok(()) => Applied::gone(),
        Err(diagnostic) => Applied::partly(prior.clone(), diagnostic),
    }
}

/// An object as reading found it.
pub(crate) enum Live {
    Present(Arc<Cluster>, Json),
    Gone,
    Failed(Diagnostic),
}

impl Live {
    /// The same, unless it is not the object that a record means.
    pub(crate) fn meant(self, identity: Identity<'_>) -> Self {
        match self {
            Self::Present(_, json) if !identity.means(&json) => Self::Gone,
            other => other,
        }
    }
}

/// Lists of this refresh, by cluster (its place in memory: clients outlive a refresh) and path.
#[derive(Default)]
pub(crate) struct Lists(Mutex<HashMap<(usize, String), Listed>>);

type Listed = Arc<OnceCell<Arc<Vec<Json>>>>;

impl Lists {
    /// Every object at a path, asked for once a refresh.
    pub(crate) async fn get(&self, cluster: &Arc<Cluster>, path: &str) -> Result<Arc<Vec<Json>>, Failure> {
        let cell = {
            let key = (Arc::as_ptr(cluster) as usize, path.to_owned());
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).entry(key).or_default().clone()
        };
        cell.get_or_try_init(async || Ok(Arc::new(list(cluster, path).await?))).await.cloned()
    }
}

/// Every object at a path, page by page.
pub(crate) async fn list(cluster: &Cluster, path: &str) -> Result<Vec<Json>, Failure> {
    let mut params = ListParams::default().limit(PAGE);
    let mut items = Vec::new();
    loop {
        let request = Request::new(path).list(&params).map_err(kube::Error::BuildRequest)?;
        let mut page = match cluster.get(request.uri().to_string()).await {
            Err(failure) if failure.is_expired() && params.continue_token.is_some() => {
                // The pages have grown too old to go on: take everything at once.
                items.clear();
                params = ListParams::default();
                continue;
            }
            other => other?,
        };
        if let Json::Array(more) = page["items"].take() {
            items.extend(more);
        }
        match at(&page, &["metadata", "continue"]).and_then(Json::as_str).filter(|t| !t.is_empty()) {
            Some(token) => params.continue_token = Some(token.to_owned()),
            None => return Ok(items),
        }
    }
}

/// Reads many objects of one kind: those that share a cluster and a namespace by one list.
pub(crate) async fn read_many(
    client: &KubeClient,
    scope: &ReadScope,
    wanted: Vec<(Option<String>, Target)>,
) -> Vec<Live> {
    let lists = scope.get::<Lists>();
    let mut groups: HashMap<(Option<String>, String, Option<String>), Vec<usize>> = HashMap::new();
    for (i, (cluster, target)) in wanted.iter().enumerate() {
        let kind = format!("{}/{}", target.kind.api_version, target.kind.plural);
        groups.entry((cluster.clone(), kind, target.namespace.clone())).or_default().push(i);
    }
    let (wanted, lists) = (&wanted, &lists);
    let reads = groups.into_iter().map(|((cluster, _, _), members)| async move {
        let targets: Vec<&Target> = members.iter().map(|i| &wanted[*i].1).collect();
        let live = read_group(client, lists, cluster.as_deref(), &targets).await;
        members.into_iter().zip(live).collect::<Vec<_>>()
    });
    let mut by_index: Vec<(usize, Live)> = in_order(reads.collect()).await.into_iter().flatten().collect();
    by_index.sort_by_key(|(i, _)| *i);
    by_index.into_iter().map(|(_, live)| live).collect()
}

/// Objects of one kind in one namespace of one cluster.
async fn read_group(client: &KubeClient, lists: &Lists, cluster: Option<&str>, targets: &[&Target]) -> Vec<Live> {
    let cluster = match client.reach(cluster).await {
        Ok(Access::Ready(cluster)) => cluster,
        Ok(Access::Absent { .. }) => return targets.iter().map(|_| Live::Gone).collect(),
        Err(diagnostic) => return targets.iter().map(|_| Live::Failed(diagnostic.clone())).collect(),
    };
    if let [_, second, ..] = targets
        && let Some(live) = by_list(lists, &cluster, second, targets).await
    {
        return live;
    }
    let reads = targets.iter().map(|target| read_one(cluster.clone(), target)).collect();
    in_order(reads).await
}

async fn read_one(cluster: Arc<Cluster>, target: &Target) -> Live {
    match apply::get(&cluster, target).await {
        Ok(Some(live)) => Live::Present(cluster, live),
        Ok(None) => Live::Gone,
        Err(failure) => Live::Failed(failure.diagnostic("read", target, &cluster.label)),
    }
}

/// Runs some at a time, and answers in the order of the futures.
pub(crate) async fn in_order<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    stream::iter(futures).buffered(READERS).collect().await
}

/// Reads by one list; `None` when we may not list, so that single reads are left.
async fn by_list(lists: &Lists, cluster: &Arc<Cluster>, one: &Target, targets: &[&Target]) -> Option<Vec<Live>> {
    let listed = match one.kind.collection(one.namespace.as_deref()) {
        Ok(path) => lists.get(cluster, &path).await,
        Err(_) => return None,
    };
    let items = match listed {
        Ok(items) => items,
        Err(failure) if failure.is_forbidden() => return None,
        Err(failure) if failure.is_not_found() => return Some(targets.iter().map(|_| Live::Gone).collect()),
        Err(failure) => {
            return Some(targets.iter().map(|t| Live::Failed(failure.diagnostic("read", t, &cluster.label))).collect());
        }
    };
    let by_name: HashMap<&str, &Json> =
        items.iter().filter_map(|item| Some((at(item, &["metadata", "name"])?.as_str()?, item))).collect();
    let live = |target: &&Target| {
        by_name.get(target.name.as_str()).map_or(Live::Gone, |item| Live::Present(cluster.clone(), (*item).clone()))
    };
    Some(targets.iter().map(live).collect())
}

/// Answers read requests of one kind: finds each object and turns it into a value.
pub(crate) async fn read_as(
    client: &KubeClient,
    scope: &ReadScope,
    requests: &[ReadRequest],
    target: impl Fn(&Value) -> Target,
    identity: impl Fn(&Value) -> Identity<'_>,
    value: impl Fn(&Json, &Value) -> Value,
) -> Vec<ReadOutcome> {
    let wanted = requests.iter().map(|r| (client.cluster_of(&r.prior).map(str::to_owned), target(&r.prior))).collect();
    let live = read_many(client, scope, wanted).await;
    live.into_iter()
        .zip(requests)
        .map(|(live, request)| match live.meant(identity(&request.prior)) {
            Live::Present(_, json) => ReadOutcome::Present(value(&json, &request.prior)),
            Live::Gone => ReadOutcome::Gone,
            Live::Failed(diagnostic) => ReadOutcome::Failed(diagnostic),
        })
        .collect()
}

/// Looks for an object that a lost creation may have made: ours when our manager applied it and it is not older than the
/// intent.
pub(crate) async fn find(
    client: &KubeClient,
    intent: &Intent,
    target: &Target,
    manager: &str,
) -> Result<Option<Result<Json, Diagnostic>>, Diagnostic> {
    let cluster = match client.reach(client.cluster_of(&intent.attributes)).await? {
        Access::Ready(cluster) => cluster,
        Access::Absent { .. } => return Ok(None),
    };
    let live = apply::get(&cluster, target).await.map_err(|f| f.diagnostic("look for", target, &cluster.label))?;
    Ok(live.map(|live| if is_ours(&live, intent, manager) { Ok(live) } else { Err(doubtful(target)) }))
}

/// [`find`] for kinds whose attributes come out of the object alone.
pub(crate) async fn find_as(
    client: &KubeClient,
    intent: &Intent,
    target: &Target,
    value: impl Fn(&Json, &Value) -> Value,
) -> Result<Found, Diagnostic> {
    Ok(match find(client, intent, target, owned::MANAGER).await? {
        None => Found::Nothing,
        Some(Ok(live)) => Found::Ours(value(&live, &intent.attributes)),
        Some(Err(diagnostic)) => Found::Doubtful(diagnostic),
    })
}

/// Clocks may differ by this much.
pub(crate) const SKEW_SECS: i64 = 60;

fn is_ours(live: &Json, intent: &Intent, manager: &str) -> bool {
    let created = at(live, &["metadata", "creationTimestamp"])
        .and_then(Json::as_str)
        .and_then(|t| t.parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_second);
    is_made_by(live, manager) && created.is_some_and(|at| at >= intent.at - SKEW_SECS)
}

/// Whether a manager applied an object.
fn is_made_by(live: &Json, manager: &str) -> bool {
    // A manager that applied no field of its own, such as a namespace with nothing but its name, is not on record.
    let unclaimed = at(live, &["metadata", "managedFields"]).and_then(Json::as_array).is_none_or(Vec::is_empty);
    unclaimed || owned::applied_by(live, manager).is_some()
}

fn doubtful(target: &Target) -> Diagnostic {
    Diagnostic::error(
        "An object of this name is there already",
        format!(
            "A run ended while it created {target}. There is such an object, but another manager made it or it is older than \
             that run. Import it, or delete it."
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn what_holds_up_a_deletion_is_said() {
        for (live, said) in [
            (json!({"metadata": {}}), "terminating"),
            (
                json!({"metadata": {"finalizers": ["a/b", "c"]}, "spec": {"finalizers": ["kubernetes"]}}),
                "finalizers: a/b, c, kubernetes",
            ),
            (
                json!({"status": {"conditions": [
                    {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 2 resource instances"},
                    {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"}]}}),
                "Some resources are remaining: pods. has 2 resource instances",
            ),
        ] {
            assert_eq!(remaining(&live), said);
        }
    }

    #[test]
    fn a_found_object_is_ours_by_manager_and_age() {
        let intent = testing::intent(&Value::object([("name", Value::from("a"))]), 1_700_000_000);
        let live = |manager: &str, created: &str| {
            json!({"metadata": {"creationTimestamp": created, "managedFields": [
                {"manager": manager, "operation": "Apply", "fieldsV1": {}}]}})
        };
        for (live, expected) in [
            (live("sgp", "2023-11-14T22:13:20Z"), true),
            (live("sgp", "2023-11-14T22:12:30Z"), true),
            (live("sgp", "2023-11-14T22:12:00Z"), false),
            (live("kubectl", "2023-11-14T22:13:20Z"), false),
            (json!({"metadata": {"creationTimestamp": "2023-11-14T22:13:20Z"}}), true),
            (json!({"metadata": {"creationTimestamp": "2023-11-14T22:12:00Z"}}), false),
            (json!({}), false),
        ] {
            assert_eq!(is_ours(&live, &intent, "sgp"), expected, "{live}");
        }
    }
}
