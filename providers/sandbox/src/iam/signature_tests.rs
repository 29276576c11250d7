use serde_json::Value;

use super::*;

/// A request as in the test suite: request line, headers (a line that begins with a space goes on with the one before), body.
fn read(text: &str) -> Parts {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let target = rest.rsplit_once(' ').unwrap().0;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => headers.last_mut().unwrap().1 += line,
        }
    }
    Parts {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.to_owned().into(),
    }
}

#[test]
fn the_published_test_suite() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../../tests/sigv4/vectors.json")).unwrap();
    assert!(rows.len() > 25, "{}", rows.len());
    for row in rows {
        for form in ["header", "query"] {
            let mut parts = read(row[form].as_str().unwrap());
            let signed = Signed::read(&parts).unwrap();
            let secret = row["secret"].as_str().unwrap();
            // The token was added after signing, as S3's clients once did; nobody else takes that.
            if row["name"] == "post-sts-header-after" && form == "query" {
                parts.query = parts
                    .query
                    .split('&')
                    .filter(|it| !it.starts_with("X-Amz-Security-Token"))
                    .collect::<Vec<_>>()
                    .join("&");
            }
            assert_eq!(signed.check(&parts, secret), Ok(()), "{} {form}: {}", row["name"], signed.canonical(&parts));
            assert_eq!(signed.check(&parts, "another"), Err(Fault::Mismatch), "{}", row["name"]);
        }
    }
}

/// A request that botocore signed.
fn sent(row: &Value) -> Parts {
    let uri: http::Uri = row["url"].as_str().unwrap().parse().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = row["headers"].as_array().unwrap();
    Parts {
        method: text(&row["method"]),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or("").to_owned(),
        headers: headers.iter().map(|pair| (text(&pair[0]).to_lowercase(), text(&pair[1]))).collect(),
        body: text(&row["body"]).into(),
    }
}

#[test]
fn requests_of_botocore() {
    let file: Value = serde_json::from_str(include_str!("../../tests/sigv4/botocore.json")).unwrap();
    let secret = file["secret"].as_str().unwrap();
    for row in file["requests"].as_array().unwrap() {
        let parts = sent(row);
        let signed = Signed::read(&parts).unwrap();
        assert_eq!(signed.check(&parts, secret), Ok(()), "{}", signed.canonical(&parts));
        let mut other = parts.clone();
        other.body = format!("{}x", row["body"].as_str().unwrap()).into();
        assert_eq!(signed.check(&other, secret), Err(Fault::Mismatch));
        let mut other = parts.clone();
        other.path += "x";
        assert_eq!(signed.check(&other, secret), Err(Fault::Mismatch));
    }
}

#[test]
fn times() {
    let header = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
    let parts = |date: &str| Parts {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: vec![("authorization".to_owned(), header.to_owned()), ("x-amz-date".to_owned(), date.to_owned())],
        body: bytes::Bytes::new(),
    };
    let now = Timestamp::from_second(1_767_225_600 + 3600).unwrap();
    for (date, expected) in [
        ("20260101T010000Z", Ok(())),
        ("20260101T005500Z", Ok(())),
        ("20260101T010500Z", Ok(())),
        (
            "20260101T005459Z",
            Err("Signature expired: 20260101T005459Z is now earlier than 20260101T005500Z (20260101T010000Z - 5 min.)"),
        ),
        (
            "20260101T010501Z",
            Err(
                "Signature not yet current: 20260101T010501Z is still later than 20260101T010500Z (20260101T010000Z + 5 min.)",
            ),
        ),
    ] {
        let checked = Signed::read(&parts(date)).unwrap().check_time(now);
        let told = checked.map_err(|fault| match fault {
            Fault::Expired(why) | Fault::Early(why) => why,
            other => panic!("{other:?}"),
        });
        assert_eq!(told, expected.map_err(str::to_owned), "{date}");
    }
    let other_day = Signed::read(&parts("20260102T000000Z")).unwrap();
    assert!(matches!(other_day.time(), Err(Fault::Incomplete(_))));
}

#[test]
fn incomplete_ones() {
    let with = |header: &str| Parts {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: vec![("authorization".to_owned(), header.to_owned())],
        body: bytes::Bytes::new(),
    };
    for (header, word) in [
        ("Basic abc", "algorithm"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", "'Signature' parameter"),
        ("AWS4-HMAC-SHA256 Signature=a", "'X-Amz-Date'"),
    ] {
        match Signed::read(&with(header)) {
            Err(Fault::Incomplete(why)) => assert!(why.contains(word), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    let mut none = with("");
    none.headers.clear();
    assert_eq!(Signed::read(&none), Err(Fault::Missing));
}
