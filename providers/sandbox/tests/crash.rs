//! Whatever was acknowledged is there after `kill -9`, round after round.
#![expect(clippy::unwrap_used, reason = "a test stops where it stands")]
#![expect(clippy::print_stdout, reason = "the server says where it listens")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sgp_sandbox::{Sandbox, Settings};

/// The folder that the child serves.
const FOLDER: &str = "SANDBOX_CRASH_FOLDER";
/// So long are servers killed.
const TIME: Duration = Duration::from_secs(7);
const WRITERS: usize = 3;
/// So many servers are asked by so many at the same time.
const SERVERS: usize = 30;
const AT_ONCE: usize = 9;

/// What is known of a group, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// It was made.
    There { id: String, has_tag: bool },
    /// It was deleted.
    Gone,
    /// A call about it got no answer: it may be there or not.
    Open,
}

type Names = Arc<Mutex<BTreeMap<String, Known>>>;

#[test]
fn acknowledged_changes_survive() {
    let folder = tempfile::tempdir().unwrap();
    let names = Names::default();
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        let mut server = Server::start(folder.path());
        check(server.address, &names.lock().unwrap());
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (names, address) = (names.clone(), server.address);
                thread::spawn(move || write(address, &format!("{rounds}-{writer}"), &names))
            })
            .collect();
        // Not the same moment of the work twice.
        thread::sleep(Duration::from_micros(3_000 + u64::from(start.elapsed().subsec_nanos()) % 150_000));
        server.kill();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        rounds += 1;
    }
    let server = Server::start(folder.path());
    let names = names.lock().unwrap();
    check(server.address, &names);
    let count = |wanted: fn(&Known) -> bool| names.values().filter(|known| wanted(known)).count();
    let (there, gone) = (count(|known| matches!(known, Known::There { .. })), count(|known| *known == Known::Gone));
    println!("{rounds} rounds, {there} groups there, {gone} gone");
    assert!(rounds >= 5 && there >= 20 && gone >= 5, "{rounds} rounds, {there} groups there, {gone} gone");
}

/// Many that write at the same time wait for the disk, and not for each other for ever. The first moments of a server count, in which
/// few threads write for all.
#[test]
fn many_writers_all_get_their_answers() {
    for _ in 0..SERVERS {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path());
        let address = server.address;
        let (done, finished) = std::sync::mpsc::channel();
        let start = Arc::new(std::sync::Barrier::new(AT_ONCE));
        for writer in 0..AT_ONCE {
            let (done, start) = (done.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                for number in 0..60 {
                    let sent = format!("Action=CreateSecurityGroup&GroupName=m-{writer}-{number}&GroupDescription=x");
                    // The server ends before its answer when the test has failed.
                    if call(address, &sent).is_none() {
                        return;
                    }
                }
                let _ = done.send(writer);
            });
        }
        for _ in 0..AT_ONCE {
            finished.recv_timeout(Duration::from_secs(60)).expect("nobody waits for ever");
        }
    }
}

/// Makes groups, tags them, and deletes every third, until the server is gone.
fn write(address: SocketAddr, writer: &str, names: &Names) {
    for number in 0.. {
        let name = format!("g-{writer}-{number}");
        let set = |known| drop(names.lock().unwrap().insert(name.clone(), known));
        set(Known::Open);
        let sent = format!("Action=CreateSecurityGroup&GroupName={name}&GroupDescription=x");
        let Some(answer) = call(address, &sent) else { return };
        let id = elements(&answer, "groupId").remove(0);
        set(Known::There { id: id.clone(), has_tag: false });
        let sent = format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=b");
        if call(address, &sent).is_none() {
            return;
        }
        set(Known::There { id: id.clone(), has_tag: true });
        if number % 3 == 2 {
            set(Known::Open);
            if call(address, &format!("Action=DeleteSecurityGroup&GroupId={id}")).is_none() {
                return;
            }
            set(Known::Gone);
        }
    }
}

/// Holds what is there against what is known.
fn check(address: SocketAddr, names: &BTreeMap<String, Known>) {
    let groups = "Action=DescribeSecurityGroups&MaxResults=1000&Filter.1.Name=description&Filter.1.Value.1=x";
    let (ids, found) = (all(address, groups, "groupId"), all(address, groups, "groupName"));
    assert_eq!(ids.len(), found.len());
    let found: BTreeMap<String, String> = found.into_iter().zip(ids).collect();
    let tags = "Action=DescribeTags&MaxResults=1000&Filter.1.Name=key&Filter.1.Value.1=a";
    let tagged: BTreeSet<String> = all(address, tags, "resourceId").into_iter().collect();
    for (name, known) in names {
        match (known, found.get(name)) {
            (Known::Open, _) | (Known::Gone, None) => {}
            (Known::There { id, has_tag }, Some(found)) => {
                assert_eq!(id, found, "{name}");
                assert!(!has_tag || tagged.contains(id), "{name} lost its tag");
            }
            (known, found) => panic!("{name} is known as {known:?} and found as {found:?}"),
        }
    }
}

/// All values of an element, of all pages.
fn all(address: SocketAddr, sent: &str, element: &str) -> Vec<String> {
    let (mut values, mut token) = (Vec::new(), String::new());
    loop {
        let answer = call(address, &format!("{sent}{token}")).expect("a server that nobody kills answers");
        values.extend(elements(&answer, element));
        match elements(&answer, "nextToken").first() {
            Some(next) => token = format!("&NextToken={next}"),
            None => return values,
        }
    }
}

fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let after = xml.split(&open).skip(1);
    after.map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

/// The answer of EC2; `None` when the server went before it was complete.
fn call(address: SocketAddr, sent: &str) -> Option<String> {
    let (head, body) = exchange(address, sent)?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{sent}: {head}\n{body}");
    Some(body)
}

/// Head and body of the answer.
fn exchange(address: SocketAddr, sent: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let body = format!("{sent}&Version=2016-11-15");
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
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
    Some((head.to_owned(), body.to_owned()))
}

/// The disk is full, here by a limit on how large files may be: what was acknowledged is kept, and the rest is refused with the
/// reason, reading too, because what is in memory is not what is kept.
#[cfg(unix)]
#[test]
fn a_full_disk_refuses_and_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let names = Names::default();
    let server = Server::start_limited(folder.path(), "4096");
    // Some ten thousand bytes in one call.
    let tags: String =
        (1..=40).map(|tag| format!("&Tag.{tag}.Key=k{tag}&Tag.{tag}.Value={}", "v".repeat(250))).collect();
    let mut refused = None;
    for number in 0..5_000 {
        let name = format!("g-{number}");
        let sent = format!("Action=CreateSecurityGroup&GroupName={name}&GroupDescription=x");
        let (head, answer) = exchange(server.address, &sent).expect("it answers");
        if !head.starts_with("HTTP/1.1 200 ") {
            refused = Some((head, answer));
            break;
        }
        let id = elements(&answer, "groupId").remove(0);
        names.lock().unwrap().insert(name, Known::There { id: id.clone(), has_tag: false });
        let sent = format!("Action=CreateTags&ResourceId.1={id}{tags}");
        let (head, answer) = exchange(server.address, &sent).expect("it answers");
        if !head.starts_with("HTTP/1.1 200 ") {
            refused = Some((head, answer));
            break;
        }
    }
    let (head, answer) = refused.expect("the disk is full at some time");
    assert!(head.starts_with("HTTP/1.1 500 ") && answer.contains("cannot write its folder"), "{head}\n{answer}");
    let (head, _) = exchange(server.address, "Action=DescribeSecurityGroups").expect("it answers");
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    drop(server);
    let names = names.lock().unwrap();
    assert!(names.len() > 10, "{}", names.len());
    check(Server::start(folder.path()).address, &names);
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts this program once more, as a server.
    fn start(folder: &Path) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()), folder)
    }

    /// The same with files of at most so many blocks.
    #[cfg(unix)]
    fn start_limited(folder: &Path, blocks: &str) -> Self {
        let mut command = Command::new("sh");
        // A file that would be too large is an error, and not a signal.
        command.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", blocks]);
        command.arg(std::env::current_exe().unwrap());
        Self::run(command, folder)
    }

    fn run(mut command: Command, folder: &Path) -> Self {
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
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = Settings { folder: Some(folder.into()), ..Settings::default() };
        let sandbox = Sandbox::start(settings).await.unwrap();
        println!("listens at {}", sandbox.address());
        sandbox.stopped().await;
    });
}
