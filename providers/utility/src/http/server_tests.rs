//! Against servers: Python's, which is not ours, and one that says what it is told to say.

use std::{process::Stdio, sync::Arc, time::Duration};

use sgp_contract::Clock;
use sgp_model::{Type, Value};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::Mutex,
};

use super::http_data::read_with;
use crate::{
    attrs::{int, text},
    testing::Jumping,
};

/// Serves each answer once, in order, the last one again and again; keeps what was asked.
async fn server(answers: Vec<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut seen = seen.lock().await;
            let answer = answers[seen.len().min(answers.len() - 1)];
            let mut request = vec![0; 65536];
            let n = stream.read(&mut request).await.unwrap_or(0);
            seen.push(String::from_utf8_lossy(&request[..n]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

fn url(base: &str, path: &str) -> (&'static str, Value) {
    ("url", format!("{base}{path}").into())
}

fn retry(attempts: i64) -> (&'static str, Value) {
    let null = || Value::null(Type::Number);
    let block = [("attempts", Value::int(attempts)), ("min_delay_ms", Value::int(2000)), ("max_delay_ms", null())];
    ("retry", Value::object(block))
}

const OK: &str = "HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 5\r\n\r\nhello";

#[tokio::test]
async fn what_is_sent_and_what_is_answered() {
    let (base, asked) = server(vec![OK]).await;
    let headers = Value::map(Type::String, [("X-Api-Key", Value::from("k")), ("Host", "other.example".into())]);
    let fields = vec![
        url(&base, "/a?b=c#d"),
        ("method", "POST".into()),
        ("request_body", "body".into()),
        ("request_headers", headers),
    ];
    let read = read_with(fields, &Jumping::default()).await.expect("an answer");
    assert_eq!((text(&read, "response_body"), int(&read, "status_code")), (Some("hello"), Some(200)));
    assert_eq!(text(&read, "response_body_base64"), Some("aGVsbG8="));
    assert_eq!(text(read.get("response_headers").expect("headers"), "X-Two"), Some("a, b"));
    assert_eq!(text(&read, "id"), Some(format!("{base}/a?b=c#d").as_str()));
    let asked = asked.lock().await[0].clone();
    assert!(asked.starts_with("POST /a?b=c HTTP/1.1\r\n") && asked.ends_with("\r\n\r\nbody"), "{asked}");
    assert!(asked.contains("X-Api-Key: k\r\n") && asked.contains("Host: other.example\r\n"), "{asked}");
}

#[tokio::test]
async fn it_tries_as_often_as_it_is_told() {
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    for (answers, attempts, expected) in [
        (vec![BUSY, BUSY, OK], Some(2), Ok(6)),
        (vec![BUSY], Some(1), Err("503 Service Unavailable (tried 2 times)")),
        (vec![BUSY], None, Err("503 Service Unavailable (tried once)")),
        (vec!["", OK], Some(1), Ok(2)),
        (vec!["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], Some(5), Ok(0)),
    ] {
        let (base, _) = server(answers).await;
        let clock = Jumping::default();
        let fields = [url(&base, "/")].into_iter().chain(attempts.map(retry)).collect();
        let read = read_with(fields, &clock).await.map_err(|problems| problems.0[0].detail.clone());
        match expected {
            Ok(seconds) => assert_eq!(read.map(|_| clock.monotonic().as_secs()), Ok(seconds)),
            Err(why) => assert!(read.as_ref().is_err_and(|problem| problem.contains(why)), "{read:?}"),
        }
    }
}

#[tokio::test]
async fn redirections_are_followed_and_end() {
    let (base, asked) = server(vec!["HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n", OK]).await;
    let read = read_with(vec![url(&base, "/here")], &Jumping::default()).await.expect("an answer");
    assert_eq!(text(&read, "response_body"), Some("hello"));
    assert!(asked.lock().await[1].starts_with("GET /there HTTP/1.1\r\n"));
    let (base, asked) = server(vec!["HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"]).await;
    let problems = read_with(vec![url(&base, "/")], &Jumping::default()).await.expect_err("it never ends");
    assert!(problems.0[0].detail.contains("stopped after 10 redirects"), "{problems:?}");
    assert_eq!(asked.lock().await.len(), 11);
}

#[tokio::test]
async fn a_server_that_is_slow_or_not_there() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://u:secret@{}", silent.local_addr().expect("an address"));
    let fields = vec![url(&base, "/"), ("request_timeout_ms", Value::int(50))];
    let problem = read_with(fields, &Jumping::default()).await.expect_err("nobody answers").0.remove(0).detail;
    assert!(problem.contains("timeout of 50 ms") && !problem.contains("secret"), "{problem}");
    drop(silent);
    let problem =
        read_with(vec![url(&base, "/")], &Jumping::default()).await.expect_err("nobody is there").0.remove(0).detail;
    assert!(problem.contains("refused") && !problem.contains("secret"), "{problem}");
}

#[tokio::test]
async fn arguments_are_judged() {
    for (fields, expected) in [
        (vec![("url", Value::from("ftp://a.example"))], "must be an http or https URL"),
        (vec![("url", Value::from("nonsense"))], "is no URL"),
        (vec![("url", "http://127.0.0.1".into()), ("method", "PUT".into())], "GET, HEAD or POST"),
        (vec![("url", "http://127.0.0.1".into()), ("request_timeout_ms", Value::int(0))], "at least 1"),
        (vec![("url", "http://127.0.0.1".into()), ("ca_cert_pem", "x".into()), ("insecure", true.into())], "Only one"),
        (vec![("url", "http://127.0.0.1".into()), ("ca_cert_pem", "x".into())], "no certificate in PEM"),
        (vec![("url", "http://127.0.0.1".into()), ("client_key_pem", "x".into())], "go together"),
    ] {
        let problems = read_with(fields.clone(), &Jumping::default()).await.expect_err("it is wrong");
        assert!(problems.0[0].detail.contains(expected), "{fields:?}: {problems:?}");
    }
}

/// Python's server over a folder; none where there is no Python.
async fn python(folder: &std::path::Path) -> Option<(Child, String)> {
    let mut command = Command::new("python3");
    command.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]).current_dir(folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().ok()?;
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take()?);
    tokio::time::timeout(Duration::from_secs(30), out.read_line(&mut line)).await.ok()?.ok()?;
    let port = line.split_once(" port ")?.1.split_whitespace().next()?.to_owned();
    Some((child, format!("http://127.0.0.1:{port}")))
}

#[tokio::test]
async fn a_server_that_is_not_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("sub")).expect("a folder");
    std::fs::write(folder.path().join("sub/index.html"), "tüv\n").expect("a file");
    let Some((_server, base)) = python(folder.path()).await else {
        assert!(std::env::var_os("CI").is_none(), "this test needs python3");
        return;
    };
    // It redirects to the folder with its slash.
    let read = read_with(vec![url(&base, "/sub")], &Jumping::default()).await.expect("an answer");
    assert_eq!((text(&read, "response_body"), int(&read, "status_code")), (Some("tüv\n"), Some(200)));
    let headers = read.get("response_headers").expect("headers");
    assert_eq!(text(headers, "Content-Type"), Some("text/html"));
    let head =
        read_with(vec![url(&base, "/sub/"), ("method", "HEAD".into())], &Jumping::default()).await.expect("an answer");
    assert_eq!(text(&head, "response_body"), Some(""));
    let missing = read_with(vec![url(&base, "/nothing")], &Jumping::default()).await.expect("an answer");
    assert_eq!(int(&missing, "status_code"), Some(404));
}
