use serde_json::Value;

use super::*;
use crate::iam::rows::AccessKey;
use crate::testing::world;

fn token() -> String {
    let file: Value = serde_json::from_str(include_str!("../../tests/sigv4/botocore.json")).unwrap();
    file["token"].as_str().unwrap().to_owned()
}

fn url() -> String {
    let token = token();
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX).unwrap()).unwrap()).unwrap()
}

/// A world that knows the key with which botocore signed.
fn with_key(secret: &str) -> World {
    let mut world = world();
    let mut key = world.iam.access_keys.values().next().cloned().unwrap();
    key = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: secret.to_owned(), ..key };
    world.iam.access_keys.insert(key.id.clone(), key);
    world.settings.verify_signatures = true;
    world
}

#[test]
fn a_token_of_botocore_proves_its_caller() {
    let world = with_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let caller = verify_token(&world, &token(), "demo").unwrap();
    assert_eq!(
        (caller.arn.as_str(), caller.access_key.as_str()),
        ("arn:aws:iam::123456789012:user/sandbox", "AKIAIOSFODNN7EXAMPLE")
    );
    assert!(verify_token(&world, &token(), "another").unwrap_err().message.contains("does not match"));
    let world = with_key("another");
    assert!(verify_token(&world, &token(), "demo").unwrap_err().message.contains("does not match"));
}

#[test]
fn forms_are_checked_also_without_signatures() {
    let world = world();
    let url = url();
    assert!(verify(&world, &url, "demo").is_ok(), "{url}");
    for (url, word) in [
        (url.replace("http://127.0.0.1:5140/", "http://sts.amazonaws.com/"), "scheme"),
        (url.replace("http://127.0.0.1:5140/", "https://sts.example.com/"), "hostname"),
        (url.replace("5140/", "5140/path"), "path"),
        (url.replace("GetCallerIdentity", "AssumeRole"), "action"),
        (url.replace("%3Bx-k8s-aws-id", ""), "x-k8s-aws-id"),
        (format!("{url}&More=1"), "non-whitelisted"),
        (format!("{url}&Action=GetCallerIdentity"), "multiple values"),
        (url.replace("X-Amz-Expires=60", "X-Amz-Expires=901"), "X-Amz-Expires"),
        (url.replace("%2Fsts%2F", "%2Fec2%2F"), "sts"),
    ] {
        let refusal = verify(&world, &url, "demo").unwrap_err();
        assert!(refusal.message.contains(word), "{word}: {}", refusal.message);
    }
}

#[test]
fn a_token_is_good_for_a_quarter_of_an_hour() {
    let mut world = world();
    for (seconds, good) in [(0, true), (900, true), (901, false), (-301, false)] {
        world.now = jiff::Timestamp::from_second(1_767_225_600 + seconds).unwrap();
        assert_eq!(verify_token(&world, &token(), "demo").is_ok(), good, "{seconds}");
    }
    for (token, word) in [("abc", "prefix"), ("k8s-aws-v1.***", "base64"), (&"k".repeat(5000), "too large")] {
        assert!(verify_token(&world, token, "demo").unwrap_err().message.contains(word));
    }
}
