//! Watches: what is there, then what happens, as lines of JSON.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt;
use hyper::body::Frame;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::ask::Ask;
use super::read::Filter;
use super::reply::{Content, Reply, Shape, partial, present};
use super::resources::Resource;
use super::status::{Cause, Status};
use super::table;
use crate::kubernetes::objects::{Event, Gone, Kind};
use crate::sandbox::Sandbox;
use crate::server::body::Body;
use crate::world::World;

/// A watch without `timeoutSeconds` ends after this; clients then watch again.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// So often a bookmark tells how far the watch is, where the client allows them.
const BOOKMARKS: Duration = Duration::from_secs(60);

/// What a watch shows.
#[derive(Debug)]
pub(super) struct Plan {
    resource: Arc<Resource>,
    filter: Filter,
    /// What is there, for watches that begin with it.
    initial: Vec<Arc<Value>>,
    /// Whether the client waits for the end of what is there.
    marks_initial_end: bool,
    allows_bookmarks: bool,
    /// Changes after this revision are shown.
    from: u64,
    life: Duration,
    now: Timestamp,
}

/// Reads what a watch asks for.
pub(super) fn plan(world: &World, ask: &Ask<'_>) -> Result<Reply, Status> {
    let mut filter = Filter::read(ask)?;
    if !ask.place.name.is_empty() {
        let name = format!("metadata.name={}", ask.place.name);
        filter.fields = super::fields::Selector::read(&name, &ask.resource)?;
    }
    let objects = &world.kubernetes.objects;
    let version = ask.query.get("resourceVersion").unwrap_or("");
    let number = match version {
        "" => 0,
        text => super::read::number(text).map_err(|why| Status::new(500, "", why))?,
    };
    let allows_bookmarks = ask.query.is_on("allowWatchBookmarks");
    let sends_initial = ask.query.get("sendInitialEvents").map(|value| value != "false" && value != "0");
    check_initial(ask, sends_initial)?;
    let current = objects.revision(ask.cluster);
    // Without a revision, or with 0, a watch begins with what is there, as it does when that is asked for.
    let begins_with_all = sends_initial.unwrap_or(number == 0);
    let initial = if begins_with_all { filter.objects(objects, ask.cluster).cloned().collect() } else { Vec::new() };
    let from = if begins_with_all || number == 0 { current } else { number };
    let seconds = ask.query.get("timeoutSeconds").and_then(|text| text.parse::<u64>().ok()).filter(|it| *it > 0);
    let life = seconds.map_or(LIFE, Duration::from_secs);
    let plan = Plan {
        resource: Arc::clone(&ask.resource),
        filter,
        initial,
        marks_initial_end: sends_initial == Some(true) && allows_bookmarks,
        allows_bookmarks,
        from,
        life,
        now: world.now,
    };
    Ok(Reply::new(200, Content::Watch(Box::new(plan))))
}

fn wants_match() -> Cause {
    let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    Cause::forbidden("resourceVersionMatch", why)
}

fn check_initial(ask: &Ask<'_>, sends_initial: Option<bool>) -> Result<(), Status> {
    let how = ask.query.get("resourceVersionMatch");
    let cause = match (sends_initial, how) {
        (None, Some(_)) => Some(Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )),
        (Some(_), None) => Some(wants_match()),
        (Some(_), Some(how)) if how != "NotOlderThan" => {
            let unsupported = format!("Unsupported value: \"{how}\": supported values: \"NotOlderThan\"");
            return Err(Status::options(&[
                wants_match(),
                Cause::new("FieldValueNotSupported", "resourceVersionMatch", unsupported),
            ]));
        }
        _ => None,
    };
    let Some(cause) = cause else { return Ok(()) };
    Err(Status::options(&[cause]))
}

/// Answers with a stream that goes on until its time is over, the client goes, or the cluster does.
pub(super) fn stream(sandbox: Sandbox, cluster: String, plan: Plan, shape: Shape) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let writer = Writer { resource: Arc::clone(&plan.resource), shape, has_told_columns: false, now: plan.now };
        // The client goes: nobody is there to be told.
        let _ = follow(&sandbox, &cluster, plan, writer, &sender).await;
    });
    let mut response = Response::new(Lines(receiver).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn follow(
    sandbox: &Sandbox,
    cluster: &str,
    mut plan: Plan,
    mut writer: Writer,
    sender: &mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    let end = tokio::time::Instant::now() + plan.life;
    let mut lines = Vec::new();
    for object in std::mem::take(&mut plan.initial) {
        writer.line(&mut lines, "ADDED", &object);
    }
    if plan.marks_initial_end {
        writer.bookmark(&mut lines, plan.from, true);
    }
    let mut position = plan.from;
    let mut next_bookmark = tokio::time::Instant::now() + BOOKMARKS;
    loop {
        if !lines.is_empty() {
            sender.send(Bytes::from(std::mem::take(&mut lines))).await?;
        }
        let changed = sandbox.changed();
        match sandbox.read(|world| changes(world, cluster, &plan.filter, position)).await {
            Changes::Cluster => return Ok(()),
            Changes::Gone(current) => {
                let message = format!("too old resource version: {position} ({current})");
                let event = json!({ "type": "ERROR", "object": Status::expired(message).body() });
                return sender.send(Bytes::from(format!("{event}\n"))).await;
            }
            Changes::Some(events, now, current) => {
                if sandbox.failure().is_some() {
                    return Ok(());
                }
                writer.now = now;
                for event in &events {
                    if let Some((kind, object)) = seen(&plan.filter, event) {
                        writer.line(&mut lines, kind, &object);
                    }
                }
                position = current;
            }
        }
        if plan.allows_bookmarks && tokio::time::Instant::now() >= next_bookmark {
            writer.bookmark(&mut lines, position, false);
            next_bookmark += BOOKMARKS;
        }
        if !lines.is_empty() {
            continue;
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep_until(next_bookmark), if plan.allows_bookmarks => {}
            () = tokio::time::sleep_until(end) => return Ok(()),
            () = sender.closed() => return Ok(()),
        }
    }
}

enum Changes {
    /// These, at this time, up to this revision.
    Some(Vec<Event>, Timestamp, u64),
    /// They are not kept any more; the revision is now this.
    Gone(u64),
    /// The cluster is no more.
    Cluster,
}

fn changes(world: &World, cluster: &str, filter: &Filter, after: u64) -> Changes {
    if !world.kubernetes.clusters.contains(cluster) {
        return Changes::Cluster;
    }
    let objects = &world.kubernetes.objects;
    let current = objects.revision(cluster);
    match objects.changes_after(cluster, after) {
        Err(Gone) => Changes::Gone(current),
        Ok(events) => {
            let events = events.filter(|event| filter.holds(&event.key.resource, &event.key.namespace));
            Changes::Some(events.cloned().collect(), world.now, current.max(after))
        }
    }
}

/// What a watch with a selector sees of a change: an object that comes into its view was added, one that leaves it was deleted.
/// One that leaves is shown as it was last seen, at the version of the change.
fn seen(filter: &Filter, event: &Event) -> Option<(&'static str, Arc<Value>)> {
    let was = event.before.as_ref().is_some_and(|before| filter.fits(before));
    let is = event.kind != Kind::Deleted && filter.fits(&event.object);
    match (was, is) {
        (false, true) => Some(("ADDED", Arc::clone(&event.object))),
        (true, true) => Some(("MODIFIED", Arc::clone(&event.object))),
        (true, false) if event.kind == Kind::Deleted => Some(("DELETED", Arc::clone(&event.object))),
        (true, false) => {
            let mut last = event.before.as_deref().cloned().unwrap_or_default();
            last["metadata"]["resourceVersion"] = event.object["metadata"]["resourceVersion"].clone();
            Some(("DELETED", Arc::new(last)))
        }
        (false, false) => None,
    }
}

/// Writes the lines of one watch.
struct Writer {
    resource: Arc<Resource>,
    shape: Shape,
    has_told_columns: bool,
    now: Timestamp,
}

impl Writer {
    fn line(&mut self, lines: &mut Vec<u8>, kind: &str, object: &Arc<Value>) {
        let head = format!("{{\"type\":\"{kind}\",\"object\":");
        lines.extend_from_slice(head.as_bytes());
        let written = match self.shape {
            Shape::Plain | Shape::Yaml => serde_json::to_writer(&mut *lines, &present(&self.resource, object)),
            Shape::Partial => serde_json::to_writer(&mut *lines, &partial(object)),
            Shape::Table(include) => {
                let mut table = table::of(&self.resource, std::slice::from_ref(object), self.now, include);
                table["metadata"] = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                if std::mem::replace(&mut self.has_told_columns, true) {
                    table["columnDefinitions"] = Value::Null;
                }
                serde_json::to_writer(&mut *lines, &table)
            }
        };
        written.expect("JSON values are always written to memory");
        lines.extend_from_slice(b"}\n");
    }

    fn bookmark(&self, lines: &mut Vec<u8>, revision: u64, is_initial_end: bool) {
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if is_initial_end {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let (mut kind, mut api_version) = (self.resource.kind.clone(), self.resource.api_version());
        if self.shape == Shape::Partial {
            (kind, api_version) = ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned());
        }
        let mut object = json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata });
        if let Shape::Table(include) = self.shape {
            object["metadata"]["name"] = json!("");
            object = table::of(&self.resource, &[Arc::new(object)], self.now, include);
            object["metadata"] = json!({ "resourceVersion": revision.to_string() });
            object["columnDefinitions"] = Value::Null;
            if let Some(metadata) = object["rows"][0]["object"]["metadata"].as_object_mut() {
                metadata.remove("name");
            }
        }
        lines.extend_from_slice(format!("{}\n", json!({ "type": "BOOKMARK", "object": object })).as_bytes());
    }
}

/// A body out of pieces that come.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
