//! A cluster whose sandbox is killed again and again: objects that were acknowledged are there, watches miss nothing, what was
//! begun at EKS ends, and pods have the interfaces that their annotations say.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]
#![expect(clippy::print_stdout, reason = "the server says where it listens")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use sgp_sandbox::aws::Service;
use sgp_sandbox::{Pace, Settings};
use sgp_tests::cluster::{Cluster, NAME};
use sgp_tests::world::texts;

/// The folder that the child serves.
const FOLDER: &str = "SANDBOX_CRASH_FOLDER";
/// So often it is killed.
const ROUNDS: u64 = 12;
/// Pods that get interfaces; two nodes have room for nine each.
const PODS_MAX: usize = 12;
const PATIENCE: Duration = Duration::from_secs(60);

/// What was acknowledged; what got no answer is not in it.
#[derive(Default)]
struct Known {
    /// Config maps: whether they are there.
    maps: BTreeMap<String, bool>,
    pods: BTreeSet<String>,
    roles: BTreeSet<String>,
    clusters: BTreeSet<String>,
}

#[test]
fn acknowledged_changes_survive() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut known, mut mirror) = (Known::default(), Mirror::default());
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        runtime.block_on(play(server, folder.path(), round, &mut known, &mut mirror));
    }
    let server = Server::start(folder.path());
    runtime.block_on(async {
        let client = client(folder.path()).await;
        check(&client, server.address, &known).await;
        mirror.go_on(&client, ROUNDS).await;
        end_well(&client, server.address, &known).await;
    });
    let (maps, pods) = (known.maps.len(), known.pods.len());
    let (roles, clusters) = (known.roles.len(), known.clusters.len());
    let Mirror { resumed, gone, seen, .. } = mirror;
    println!("{maps} maps, {pods} pods, {roles} roles, {clusters} clusters");
    println!("{seen} events seen, watches went on {resumed} times and listed again {gone} times");
    assert!(maps >= 20 && pods >= 4 && roles >= 10 && clusters >= 1 && seen >= 20, "too little was tried");
}

/// Checks what is known, and goes on with it until the server is gone.
async fn play(mut server: Server, folder: &Path, round: u64, known: &mut Known, mirror: &mut Mirror) {
    let client = client(folder).await;
    let row: Value = serde_json::from_slice(&std::fs::read(folder.join("cluster.json")).unwrap()).unwrap();
    if round == 0 {
        policy(&client, &row).await;
    }
    check(&client, server.address, known).await;
    mirror.go_on(&client, round).await;
    let address = server.address;
    // Not the same moment of the work twice.
    let pause = Duration::from_millis(60 + round * 131 % 400) + Duration::from_micros(round * 337);
    let killing = tokio::task::spawn_blocking(move || {
        std::thread::sleep(pause);
        server.kill();
    });
    let Known { maps, pods, roles, clusters } = known;
    tokio::join!(
        mirror.watch(&client),
        write_maps(&client, round, maps),
        write_pods(&client, round, pods),
        write_roles(address, round, roles),
        write_clusters(address, round, &row, clusters),
    );
    killing.await.unwrap();
}

async fn client(folder: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(folder.join("kubeconfig")).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Pods that say so get the cluster's own group.
async fn policy(client: &Client, row: &Value) {
    let kind = GroupVersionKind::gvk("vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy");
    let resource = ApiResource::from_gvk_with_plural(&kind, "securitygrouppolicies");
    let groups = [row["resourcesVpcConfig"]["clusterSecurityGroupId"].clone()];
    let spec =
        json!({ "podSelector": { "matchLabels": { "app": "grouped" } }, "securityGroups": { "groupIds": groups } });
    let policy = DynamicObject::new("all", &resource).data(json!({ "spec": spec }));
    let api: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &resource);
    api.create(&PostParams::default(), &policy).await.unwrap();
}

/// Makes config maps, changes them, and deletes every third.
async fn write_maps(client: &Client, round: u64, maps: &mut BTreeMap<String, bool>) {
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    for number in 0.. {
        let name = format!("m-{round}-{number}");
        let object = serde_json::from_value(json!({ "metadata": { "name": name }, "data": { "a": "1" } })).unwrap();
        if api.create(&PostParams::default(), &object).await.is_err() {
            return;
        }
        maps.insert(name.clone(), true);
        if number % 3 == 2 {
            maps.remove(&name);
            if api.delete(&name, &DeleteParams::default()).await.is_err() {
                return;
            }
            maps.insert(name, false);
        }
    }
}

async fn write_pods(client: &Client, round: u64, pods: &mut BTreeSet<String>) {
    let api: Api<Pod> = Api::default_namespaced(client.clone());
    for number in 0..2 {
        if pods.len() >= PODS_MAX {
            return;
        }
        let name = format!("p-{round}-{number}");
        let object = json!({
            "metadata": { "name": name, "labels": { "app": "grouped" } },
            "spec": { "containers": [{ "name": "main", "image": "nginx" }] },
        });
        if api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.is_err() {
            return;
        }
        pods.insert(name);
    }
}

async fn write_roles(address: SocketAddr, round: u64, roles: &mut BTreeSet<String>) {
    for number in 0.. {
        let name = format!("r-{round}-{number}");
        let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        let sent = format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={document}&Version=2010-05-08");
        if call(address, "POST", "/", sent).await.is_none() {
            return;
        }
        roles.insert(name);
    }
}

/// Begins one more cluster in every third round; the sandbox is gone long before it is ACTIVE.
async fn write_clusters(address: SocketAddr, round: u64, row: &Value, clusters: &mut BTreeSet<String>) {
    if !round.is_multiple_of(3) {
        return;
    }
    let name = format!("k-{round}");
    let network = json!({ "subnetIds": row["resourcesVpcConfig"]["subnetIds"] });
    let sent = json!({ "name": name, "roleArn": row["roleArn"], "resourcesVpcConfig": network });
    if call(address, "POST", "/clusters", sent.to_string()).await.is_some() {
        clusters.insert(name);
    }
}

/// The names of all roles. A page has 1,000 at most, and a fast machine makes more.
async fn roles(address: SocketAddr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut marker = String::new();
    loop {
        let sent = format!("Action=ListRoles&MaxItems=1000{marker}&Version=2010-05-08");
        let answer = call(address, "POST", "/", sent).await.unwrap();
        names.extend(texts(&answer, "RoleName"));
        let Some(more) = texts(&answer, "Marker").pop() else { return names };
        let more = percent_encoding::utf8_percent_encode(&more, percent_encoding::NON_ALPHANUMERIC);
        marker = format!("&Marker={more}");
    }
}

/// Holds what is there against what is known.
async fn check(client: &Client, address: SocketAddr, known: &Known) {
    let maps = Api::<ConfigMap>::default_namespaced(client.clone()).list(&ListParams::default()).await.unwrap();
    let maps: BTreeSet<String> = maps.iter().map(ResourceExt::name_any).collect();
    for (name, is_there) in &known.maps {
        assert_eq!(maps.contains(name), *is_there, "{name}");
    }
    let pods = Api::<Pod>::default_namespaced(client.clone()).list(&ListParams::default()).await.unwrap();
    let pods: BTreeSet<String> = pods.iter().map(ResourceExt::name_any).collect();
    assert!(known.pods.is_subset(&pods), "{:?} of {pods:?}", known.pods);
    let roles = roles(address).await;
    assert!(known.roles.is_subset(&roles), "{:?}", known.roles.difference(&roles));
    for name in &known.clusters {
        let answer = call(address, "GET", &format!("/clusters/{name}"), String::new()).await;
        assert!(answer.unwrap().contains("\"status\""), "{name}");
    }
}

/// What was begun ends: clusters are ACTIVE, pods run, and each has the interface that its annotation says.
async fn end_well(client: &Client, address: SocketAddr, known: &Known) {
    for name in &known.clusters {
        until(&format!("{name} ACTIVE"), async || {
            let answer = call(address, "GET", &format!("/clusters/{name}"), String::new()).await.unwrap();
            serde_json::from_str::<Value>(&answer).unwrap()["cluster"]["status"] == "ACTIVE"
        })
        .await;
    }
    let api: Api<Pod> = Api::default_namespaced(client.clone());
    until("all pods Running, with an interface each and none more", async || {
        let pods = api.list(&ListParams::default()).await.unwrap().items;
        let is_running = |pod: &Pod| pod.status.as_ref().is_some_and(|it| it.phase.as_deref() == Some("Running"));
        let query =
            "Action=DescribeNetworkInterfaces&Filter.1.Name=interface-type&Filter.1.Value.1=branch&Version=2016-11-15";
        let answer = call(address, "POST", "/", query.to_owned()).await.unwrap();
        let there: BTreeSet<String> = texts(&answer, "networkInterfaceId").into_iter().collect();
        let told: BTreeSet<String> =
            pods.iter().filter_map(|pod| interface(pod)?["eniId"].as_str().map(str::to_owned)).collect();
        pods.iter().all(is_running) && told.len() == pods.len() && told == there
    })
    .await;
    let pods = api.list(&ListParams::default()).await.unwrap().items;
    let (mut addresses, mut vlans) = (BTreeSet::new(), BTreeSet::new());
    for pod in &pods {
        let interface = interface(pod).unwrap();
        let address = pod.status.as_ref().unwrap().pod_ip.clone().unwrap();
        assert_eq!(interface["privateIp"], address.as_str(), "{}", pod.name_any());
        assert!(addresses.insert(address.clone()), "{address} twice");
        let node = pod.spec.as_ref().unwrap().node_name.clone().unwrap();
        assert!(vlans.insert((node, interface["vlanId"].as_i64().unwrap())), "{interface} twice");
    }
}

/// The branch interface that a pod's annotation says it has.
fn interface(pod: &Pod) -> Option<Value> {
    let text = pod.annotations().get("vpc.amazonaws.com/pod-eni")?;
    serde_json::from_str::<Value>(text).ok()?.get(0).cloned()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "gave up waiting for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a watch shows of the config maps.
#[derive(Default)]
struct Mirror {
    objects: BTreeMap<String, String>,
    /// The revision up to which it was told.
    position: u64,
    seen: usize,
    resumed: usize,
    gone: usize,
}

impl Mirror {
    /// Goes on after a crash: with the watch, or with a list when the server says that it must. Nothing may be missing then.
    async fn go_on(&mut self, client: &Client, round: u64) {
        let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
        let list = api.list(&ListParams::default()).await.unwrap();
        let revision: u64 = list.metadata.resource_version.clone().unwrap().parse().unwrap();
        assert!(revision >= self.position, "told of {} and now at {revision}", self.position);
        let marker = format!("marker-{round}");
        let object = serde_json::from_value(json!({ "metadata": { "name": marker } })).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
        if self.position > 0 && self.watch_until(&api, Some(&marker)).await {
            self.resumed += 1;
            let list = api.list(&ListParams::default()).await.unwrap();
            assert_eq!(self.objects, objects(&list.items));
            return;
        }
        self.gone += usize::from(self.position > 0);
        let list = api.list(&ListParams::default()).await.unwrap();
        self.objects = objects(&list.items);
        self.position = list.metadata.resource_version.unwrap().parse().unwrap();
    }

    /// Watches until the server is gone.
    async fn watch(&mut self, client: &Client) {
        self.watch_until(&Api::default_namespaced(client.clone()), None).await;
    }

    /// Watches until an object is there, or to the end; whether the server knew where to go on.
    async fn watch_until(&mut self, api: &Api<ConfigMap>, name: Option<&str>) -> bool {
        let Ok(events) = api.watch(&WatchParams::default(), &self.position.to_string()).await else { return false };
        let mut events = std::pin::pin!(events);
        while let Ok(Some(Ok(event))) = tokio::time::timeout(PATIENCE, events.next()).await {
            let object = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.objects.insert(object.name_any(), object.resource_version().unwrap());
                    object
                }
                WatchEvent::Deleted(object) => {
                    self.objects.remove(&object.name_any());
                    object
                }
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(status) => {
                    assert_eq!(status.code, 410, "{status:?}");
                    return false;
                }
            };
            self.seen += 1;
            self.position = object.resource_version().unwrap().parse().unwrap();
            if name.is_some_and(|name| name == object.name_any()) {
                return true;
            }
        }
        assert!(name.is_none(), "the watch ended before {name:?}");
        true
    }
}

fn objects(items: &[ConfigMap]) -> BTreeMap<String, String> {
    items.iter().map(|it| (it.name_any(), it.resource_version().unwrap())).collect()
}

/// The answer of AWS; `None` when the server went before it was complete.
async fn call(address: SocketAddr, method: &'static str, path: &str, body: String) -> Option<String> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || exchange(address, method, &path, &body)).await.unwrap()
}

fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    if body.len() < length.parse().unwrap() {
        return None;
    }
    assert!(head.starts_with("HTTP/1.1 200 "), "{path} {request}: {answer}");
    Some(body.to_owned())
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts this program once more, as a server.
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_server_for_the_other_test", "--nocapture"]).env(FOLDER, folder);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.split_once("listens at ")?.1.parse().ok());
        Self { child, address: address.expect("the server says where it listens") }
    }

    fn kill(&mut self) {
        // SIGKILL on Unix.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_for_the_other_test() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let pace = Pace::uniform(Duration::from_millis(700));
    let cluster = Cluster::start_with(Settings { folder: Some(folder.join("state")), pace, ..Settings::default() });
    let row = cluster.aws(Service::Eks, "DescribeCluster", &json!({ "name": NAME }))["cluster"].clone();
    std::fs::write(folder.join("cluster.json"), row.to_string()).unwrap();
    std::fs::copy(cluster.kubeconfig(), folder.join("kubeconfig")).unwrap();
    println!("listens at {}", cluster.sandbox().address());
    cluster.block_on(cluster.sandbox().stopped());
}
