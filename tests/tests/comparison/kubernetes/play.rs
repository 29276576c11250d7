//! Plays the requests against one side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sgp_tests::world::{Answer, Asked, Question};

use super::normal::{self, Seen};
use super::rows::{Row, Subject};

/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// A request and what was answered, without what is random in it.
#[derive(Debug)]
pub struct Step {
    pub subject: String,
    pub name: String,
    pub seen: Seen,
}

/// Plays a subject in its namespace, which has what controllers put in each.
pub fn play(asked: &Asked, subject: &Subject) -> Vec<Step> {
    let namespace = format!("c-{}", subject.name);
    let mut play = Play { asked, bound: BTreeMap::from([("ns".to_owned(), namespace.clone())]) };
    let made = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    let made = play.ask(&question("POST", "/api/v1/namespaces", &made));
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    for made in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
        let made = format!("/api/v1/namespaces/{namespace}/{made}");
        play.until(&question("GET", &made, &Value::Null), |answer| answer.status == 200);
    }
    let mut step = |row: &Row| Step { subject: subject.name.clone(), name: row.name.clone(), seen: play.row(row) };
    subject.rows.iter().map(&mut step).collect()
}

fn question(method: &str, path: &str, body: &Value) -> Question {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Question { method: method.to_owned(), path: path.to_owned(), headers, body, lines: 0 }
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

struct Play<'a> {
    asked: &'a Asked,
    bound: BTreeMap<String, String>,
}

impl Play<'_> {
    fn row(&mut self, row: &Row) -> Seen {
        let question = self.question(row);
        let answer = match (row.until, &row.until_there) {
            (Some(status), _) => self.until(&question, |answer| answer.status == status),
            (None, Some(pointer)) => self.until(&question, |answer| body(answer).pointer(pointer).is_some()),
            (None, None) => self.ask(&question),
        };
        self.bind(row, &answer);
        normal::seen(row, &answer)
    }

    fn question(&self, row: &Row) -> Question {
        let (method, path) = row.ask.split_once(' ').unwrap();
        let mut headers: Vec<(String, String)> =
            row.headers.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect();
        headers.push(("content-type".to_owned(), row.media_type().to_owned()));
        headers.extend(row.accept.iter().map(|accept| ("accept".to_owned(), accept.clone())));
        let body = match &row.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let path = self.filled(path).replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
        Question { method: method.to_owned(), path, headers, body: self.filled(&body), lines: row.lines }
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
        self.bound.iter().fold(text.to_owned(), fill)
    }

    /// A value that is not there is empty.
    fn bind(&mut self, row: &Row, answer: &Answer) {
        let body = body(answer);
        for (name, pointer) in &row.bind {
            let value = match body.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            };
            self.bound.insert(name.clone(), value);
        }
    }

    /// A connection that is cut is an answer of status 0. For a moment after a definition changed a server may be away (503).
    fn ask(&self, question: &Question) -> Answer {
        let cut = |_| Answer { status: 0, headers: Vec::new(), body: Vec::new() };
        let start = Instant::now();
        loop {
            let answer = self.asked.ask(question).unwrap_or_else(cut);
            if answer.status != 503 || start.elapsed() > PATIENCE {
                return answer;
            }
            std::thread::sleep(POLL);
        }
    }

    /// The last answer, when the wanted one does not come.
    fn until(&self, question: &Question, is_it: impl Fn(&Answer) -> bool) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.ask(question);
            if is_it(&answer) || start.elapsed() > PATIENCE {
                return answer;
            }
            std::thread::sleep(POLL);
        }
    }
}
