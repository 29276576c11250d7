//! The sandbox's own endpoint, under `/_sandbox/`: what the `sgp sandbox` commands and tests speak to.

pub(crate) mod kubeconfig;
mod network;
mod pods;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};

use super::body::{Body, json as json_body, typed};
use crate::faults::Faults;
use crate::iam;
use crate::probe;
use crate::sandbox::{Error, Sandbox};
use crate::world::World;

/// Why a request is refused: the status and a sentence.
type Refused = (u16, String);

/// Serves one request.
pub(crate) async fn serve(sandbox: Sandbox, request: Request<Bytes>) -> Response<Body> {
    if !is_local(&request) {
        let message = "the sandbox takes commands only for 127.0.0.1 or localhost";
        return json_body(403, &json!({ "message": message }));
    }
    let command = request.uri().path().trim_start_matches("/_sandbox/").to_owned();
    let query = super::aws::pairs(request.uri().query().unwrap_or("").as_bytes());
    let query: BTreeMap<String, String> = query.into_iter().collect();
    let answer = match (request.method().as_str(), command.as_str()) {
        ("GET", "kubeconfig") => match sandbox.kubeconfig(query.get("cluster").map(String::as_str)).await {
            Some(text) => return typed(200, "application/yaml", text),
            None => Err((404, "there is no such cluster".to_owned())),
        },
        ("GET", _) => show(&sandbox, &command, &query).await,
        ("POST", _) => change(&sandbox, &command, request.body()).await,
        _ => Err((405, "GET and POST are what the sandbox's commands take".to_owned())),
    };
    match answer {
        Ok(value) => json_body(200, &value),
        Err((status, message)) => json_body(status, &json!({ "message": message })),
    }
}

/// Whether the request names this machine, and no page of another site sent it.
fn is_local(request: &Request<Bytes>) -> bool {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(named);
    let origin = request.headers().get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or(""));
    let origin = origin.map(|origin| origin.split_once("://").map_or("", |(_, host)| host));
    host.is_some_and(is_loopback) && origin.is_none_or(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    let is_port = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .filter_map(|name| host.strip_prefix(name))
        .any(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

async fn show(sandbox: &Sandbox, command: &str, query: &BTreeMap<String, String>) -> Result<Value, Refused> {
    match command {
        "status" => Ok(status(sandbox).await),
        "clock" => Ok(clock(sandbox)),
        "probe" => walk(sandbox, query).await,
        "pods" => read(sandbox, |world| pods::all(world, query.get("cluster").map(String::as_str))).await,
        "access" => read(sandbox, access).await,
        "faults" => Ok(json!(sandbox.faults().rules())),
        "faults/fired" => Ok(json!({ "fired": sandbox.faults().fired() })),
        "calls" => calls(sandbox, query),
        _ => Err(unknown(command)),
    }
}

/// Walks a packet: `?from=app/a&to=app/b&port=5432[&protocol=tcp]`.
async fn walk(sandbox: &Sandbox, query: &BTreeMap<String, String>) -> Result<Value, Refused> {
    let sent = |name: &str| query.get(name).cloned().ok_or_else(|| (400, format!("{name} is missing")));
    let port = query.get("port").map(|port| port.parse().map_err(|_| (400, format!("{port} is not a port"))));
    let question = probe::Question {
        from: sent("from")?,
        to: sent("to")?,
        protocol: query.get("protocol").map_or("tcp", String::as_str).parse().map_err(|why| (400, why))?,
        port: port.transpose()?,
    };
    let trace = read(sandbox, |world| probe::probe(world, &question).map_err(|why| (404, why))).await?;
    Ok(json!(trace))
}

async fn change(sandbox: &Sandbox, command: &str, body: &Bytes) -> Result<Value, Refused> {
    match command {
        "reset" => {
            let reset = |world: &mut World| {
                world.reset();
                Ok::<_, Error>(())
            };
            sandbox.with(reset).await.map_err(|error| (500, error.to_string()))?;
        }
        "stop" => sandbox.stop(),
        "clock" => {
            let sent: Value = serde_json::from_slice(body).unwrap_or_default();
            let seconds = sent["advance_seconds"].as_f64().filter(|seconds| (0.0..=1e9).contains(seconds));
            let wanted = "send {\"advance_seconds\": N}; time does not go back";
            sandbox.advance(Duration::from_secs_f64(seconds.ok_or((400, wanted.to_owned()))?)).await;
            return Ok(clock(sandbox));
        }
        "faults" => {
            let text = String::from_utf8_lossy(body);
            sandbox.set_faults(Faults::read(&text).map_err(|why| (400, why))?);
        }
        "network" => return read(sandbox, network::ready).await,
        "faults/clear" => sandbox.set_faults(Faults::default()),
        _ => return Err(unknown(command)),
    }
    Ok(json!({}))
}

fn unknown(command: &str) -> Refused {
    (404, format!("the sandbox has no command {command}"))
}

async fn read<T>(sandbox: &Sandbox, work: impl FnOnce(&mut World) -> Result<T, Refused>) -> Result<T, Refused> {
    sandbox.with(work).await
}

async fn status(sandbox: &Sandbox) -> Value {
    let of_world = |world: &mut World| {
        let clusters: Vec<Value> = world
            .kubernetes
            .clusters
            .values()
            .map(|cluster| json!({ "name": cluster.name, "endpoint": cluster.endpoint() }))
            .collect();
        let settings = world.settings.clone();
        let objects: BTreeMap<&str, usize> =
            world.tables().iter().map(|table| (table.name(), table.rows())).filter(|(_, rows)| *rows > 0).collect();
        Ok::<_, Error>((clusters, objects, settings))
    };
    let Ok((clusters, objects, settings)) = sandbox.with(of_world).await else { return Value::Null };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "address": sandbox.address().to_string(),
        "pid": std::process::id(),
        "uptime_seconds": sandbox.uptime().as_secs(),
        "folder": settings.folder,
        "account": settings.account,
        "region": settings.region,
        "seed": settings.seed,
        "verify_signatures": settings.verify_signatures,
        "enforce_iam": settings.enforce_iam,
        "without": settings.without,
        "time": sandbox.clock().now().to_string(),
        "clock_offset_seconds": sandbox.clock().offset().as_secs_f64(),
        "calls": sandbox.calls().count(),
        "clusters": clusters,
        "objects": objects,
    })
}

fn clock(sandbox: &Sandbox) -> Value {
    let clock = sandbox.clock();
    json!({ "time": clock.now().to_string(), "offset_seconds": clock.offset().as_secs_f64() })
}

/// The administrator's key, and the region to use it in.
fn access(world: &mut World) -> Result<Value, Refused> {
    let key = world.iam.access_keys.get(iam::ADMINISTRATOR_KEY);
    let key = key.ok_or((409, "the administrator's key was deleted".to_owned()))?;
    Ok(json!({ "access_key_id": key.id, "secret_access_key": key.secret, "region": world.settings.region }))
}

/// The last calls, by `after` (a number), `service`, `operation` and `status`.
fn calls(sandbox: &Sandbox, query: &BTreeMap<String, String>) -> Result<Value, Refused> {
    let after = query.get("after").map(|number| number.parse()).transpose();
    let after = after.map_err(|_| (400, "after is the number of a call".to_owned()))?.unwrap_or(0);
    let fits =
        |name: &str, value: &str| query.get(name).is_none_or(|pattern| crate::aws::filter::matches(pattern, value));
    let calls = sandbox.calls().after(after, |call| {
        let status = call.status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
        fits("service", &call.seen.service) && fits("operation", &call.seen.operation) && fits("status", &status)
    });
    Ok(json!({ "calls": calls, "last": sandbox.calls().count() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_gives_commands() {
        for (host, origin, expected) in [
            (Some("127.0.0.1:4567"), None, true),
            (Some("localhost"), None, true),
            (Some("[::1]:80"), None, true),
            (Some("127.0.0.1:4567"), Some("http://localhost:3000"), true),
            (Some("127.0.0.1:4567"), Some("https://example.com"), false),
            (Some("127.0.0.1:4567"), Some("null"), false),
            (Some("127.0.0.1.example.com"), None, false),
            (Some("localhost:x"), None, false),
            (Some("rebound.example.com:4567"), None, false),
            (None, None, false),
        ] {
            let mut request = Request::builder().uri("/_sandbox/status");
            for (name, value) in [("host", host), ("origin", origin)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            assert_eq!(is_local(&request.body(Bytes::new()).unwrap()), expected, "{host:?} {origin:?}");
        }
    }
}
