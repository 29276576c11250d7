//! A proxy that counts EC2 calls and can lose the answer of one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Default)]
struct Book {
    calls: HashMap<String, usize>,
    lose: Option<String>,
    throttle: Option<(String, usize)>,
}

pub struct Proxy {
    pub url: String,
    book: Arc<Mutex<Book>>,
}

impl Proxy {
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let book = Arc::new(Mutex::new(Book::default()));
        let kept = book.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, upstream.clone(), kept.clone()));
            }
        });
        Self { url, book }
    }

    /// The next call of this operation is served, and its answer is not given.
    pub fn lose(&self, operation: &str) {
        self.book.lock().unwrap().lose = Some(operation.to_owned());
    }

    pub fn total(&self) -> usize {
        self.book.lock().unwrap().calls.values().sum()
    }

    /// The next calls of this operation are refused because there are too many.
    pub fn throttle(&self, operation: &str, times: usize) {
        self.book.lock().unwrap().throttle = Some((operation.to_owned(), times));
    }

    pub fn calls(&self, operation: &str) -> usize {
        self.book.lock().unwrap().calls.get(operation).copied().unwrap_or_default()
    }
}

/// One request for each connection.
async fn serve(mut stream: TcpStream, upstream: String, book: Arc<Mutex<Book>>) -> Option<()> {
    let request = read_request(&mut stream).await?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let operation = text.split("Action=").nth(1)?.split('&').next()?.to_owned();
    let (lost, throttled) = {
        let mut book = book.lock().unwrap();
        *book.calls.entry(operation.clone()).or_default() += 1;
        let throttled =
            book.throttle.as_mut().filter(|(o, left)| *o == operation && *left > 0).map(|(_, left)| *left -= 1);
        (book.lose.take_if(|o| *o == operation).is_some(), throttled.is_some())
    };
    if throttled {
        let body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error>\
                    </Errors><RequestID>r-1</RequestID></Response>";
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
        return Some(());
    }
    let mut server = TcpStream::connect(upstream).await.ok()?;
    server.write_all(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    if !lost {
        stream.write_all(&answer).await.ok()?;
    }
    Some(())
}

async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut page = vec![0; 16384];
    loop {
        let n = stream.read(&mut page).await.ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&page[..n]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length:").nth(1).and_then(|t| t.lines().next()?.trim().parse::<usize>().ok());
        if body.len() >= length.unwrap_or_default() {
            return Some(request);
        }
    }
}
