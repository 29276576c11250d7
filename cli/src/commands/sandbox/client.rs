//! Speaks to the endpoint of a sandbox under `/_sandbox/`.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use sgp_model::Diagnostic;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Moving the clock far may take a while; everything else is quick.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for something.
///
/// # Errors
/// The sandbox does not answer, or refuses; in its words.
pub async fn get(address: SocketAddr, command: &str) -> Result<Value, Diagnostic> {
    parsed(&text(address, "GET", command, "").await?)
}

/// Tells it to do something.
///
/// # Errors
/// The sandbox does not answer, or refuses; in its words.
pub async fn post(address: SocketAddr, command: &str, body: &Value) -> Result<Value, Diagnostic> {
    parsed(&text(address, "POST", command, &body.to_string()).await?)
}

/// Answers the body as it is.
///
/// # Errors
/// The sandbox does not answer, or refuses; in its words.
pub async fn text(address: SocketAddr, method: &str, command: &str, body: &str) -> Result<String, Diagnostic> {
    let failed = |why: String| {
        Diagnostic::error(
            "The sandbox does not answer",
            format!("The sandbox at http://{address} does not answer: {why}."),
        )
    };
    let answer = timeout(PATIENCE, exchange(address, method, command, body)).await;
    let answer = answer.map_err(|_| failed("it takes too long".into()))?.map_err(|error| failed(error.to_string()))?;
    let (status, body) = split(&answer).ok_or_else(|| failed("what it says is not HTTP".into()))?;
    if status == 200 {
        return Ok(body.to_owned());
    }
    let said: Value = serde_json::from_str(body).unwrap_or_default();
    let message = said["message"].as_str().unwrap_or("it does not say why");
    Err(Diagnostic::error("The sandbox refuses", format!("It says: {message}.")))
}

async fn exchange(address: SocketAddr, method: &str, command: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{method} /_sandbox/{command} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Status and body of an answer that ends with its connection.
fn split(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    Some((status, body))
}

fn parsed(text: &str) -> Result<Value, Diagnostic> {
    serde_json::from_str(text).map_err(|error| {
        Diagnostic::error("The sandbox cannot be understood", format!("Its answer is not JSON: {error}."))
    })
}
