#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::convert::without_optional;

fn num(s: &str) -> Value {
    s.parse::<Number>().unwrap().into()
}

#[test]
fn text_is_compact_sorted_and_escaped_like_jsonencode() {
    let value = Value::object([
        ("b", Value::tuple(vec![num("1e30"), Value::dynamic_null(), true.into(), num("0.1")])),
        ("a", Value::string("<>&\u{2028}\u{1}\"\\/é\n\t\u{7f}")),
        ("s", Value::set(Type::String, ["y".into(), "x".into()])),
    ]);
    assert_eq!(
        to_json_text(&value).unwrap(),
        "{\"a\":\"\\u003c\\u003e\\u0026\\u2028\\u0001\\\"\\\\/é\\n\\t\u{7f}\",\
         \"b\":[1000000000000000000000000000000,null,true,0.1],\"s\":[\"x\",\"y\"]}"
    );
    assert_eq!(to_plain_json_text(&"<a> & b".into()).unwrap(), "\"<a> & b\"");
}

#[test]
fn unknown_values_have_no_text_and_are_named() {
    let value = Value::object([("a", Value::tuple(vec!["x".into(), Value::unknown(Type::String)]))]);
    let Err(JsonError::Unknown(path)) = to_json_text(&value) else { panic!("must be refused") };
    assert_eq!(path.to_string(), "a[1]");
}

#[test]
fn text_is_read_with_all_digits() {
    for (text, value) in [
        ("null", Value::dynamic_null()),
        (" [ ] ", Value::tuple(vec![])),
        ("12345678901234567890.125", num("12345678901234567890.125")),
        ("-0.5e-3", num("-0.0005")),
        ("{\"a\":1,\"a\":\"x\"}", Value::object([("a", Value::from("x"))])),
        ("\"\\u00e9\\ud83d\\ude00\\n\\/\"", "é😀\n/".into()),
        ("\"\\ud83dx\"", "\u{fffd}x".into()),
        ("\"\\ud83d\\u0041\"", "\u{fffd}A".into()),
        ("\"e\u{301}\"", "é".into()),
        ("[true,false,{\"a\":[1]}]", {
            let inner = Value::object([("a", Value::tuple(vec![Value::int(1)]))]);
            Value::tuple(vec![true.into(), false.into(), inner])
        }),
    ] {
        assert_eq!(from_json_text(text), Ok(value), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for (text, message) in [
        ("", "unexpected end of JSON text at line 1, column 1"),
        ("[1,2", "unexpected end of JSON text at line 1, column 5"),
        ("[1 2]", "a comma or a closing bracket is required at line 1, column 4"),
        ("{\"a\" 1}", "a colon is required after a property name at line 1, column 6"),
        ("{a: 1}", "a property name in quotes is required at line 1, column 2"),
        ("[\n  é\n]", "a JSON value is required at line 2, column 3"),
        ("1 2", "extraneous data after the JSON value at line 1, column 3"),
        ("01", "invalid number at line 1, column 1"),
        ("1.", "invalid number at line 1, column 1"),
        ("1e", "invalid number at line 1, column 1"),
        ("-", "invalid number at line 1, column 1"),
        ("\"abc", "unterminated string at line 1, column 2"),
        ("\"a\nb\"", "control character in a string at line 1, column 3"),
        ("\"\\x\"", "invalid escape sequence at line 1, column 2"),
        ("\"\\u12é\"", "invalid escape sequence at line 1, column 2"),
        ("[1,]", "a JSON value is required at line 1, column 4"),
    ] {
        assert_eq!(from_json_text(text).unwrap_err().to_string(), message, "{text:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(from_json_text(&deep).unwrap_err().to_string().starts_with("too many nested levels"));
}

#[test]
fn documents_hold_numbers_where_they_fit() {
    for (value, json) in [
        (num("1"), json!(1)),
        (num("18446744073709551615"), json!(u64::MAX)),
        (num("0.1"), json!(0.1)),
        (num("1e300"), json!(1e300)),
        (num("36893488147419103233"), json!("36893488147419103233")),
        (num("0.1234567890123456789"), json!("0.1234567890123456789")),
    ] {
        assert_eq!(to_serde(&value), json);
        assert_eq!(from_serde_typed(&json, &Type::Number), Ok(value));
    }
}

#[test]
fn typed_documents_restore_the_value() {
    let ty = Type::object([
        ("list", Type::list(Type::String)),
        ("set", Type::set(Type::Number)),
        ("map", Type::map(Type::Bool)),
        ("any", Type::Dynamic),
        ("anys", Type::list(Type::Dynamic)),
        ("tuple", Type::tuple([Type::String, Type::Bool])),
        ("gone", Type::String),
    ]);
    let value = Value::object([
        ("list", Value::strings(["a"])),
        ("set", Value::set(Type::Number, [Value::int(2), Value::int(1)])),
        ("map", Value::map(Type::Bool, [("k", Value::from(true))])),
        ("any", Value::object([("type", Value::from("x")), ("n", Value::strings(["y"]))])),
        ("anys", Value::strings(["z"])),
        ("tuple", Value::tuple(vec!["a".into(), false.into()])),
        ("gone", Value::null(Type::String)),
    ]);
    let json = to_serde_typed(&value, &ty);
    assert_eq!(json["any"]["type"], json!(["object", { "n": ["list", "string"], "type": "string" }]));
    assert_eq!(from_serde_typed(&json, &ty), Ok(value));
    let error = from_serde_typed(&json!({ "list": ["a", []] }), &ty).unwrap_err();
    assert_eq!(error.to_string(), "attribute \"list\": element 1: string required");
    let sparse = from_serde_typed(&json!({ "other": 1 }), &ty).unwrap();
    assert_eq!(sparse.get("map"), Some(&Value::null(Type::map(Type::Bool))));
}

#[test]
fn masks_name_what_is_unknown_or_sensitive() {
    let value = Value::object([
        ("id", Value::unknown(Type::String)),
        ("name", Value::from("x")),
        ("secret", Value::from("y").sensitive()),
        ("list", Value::tuple(vec![Value::from("a"), Value::unknown(Type::String)])),
        ("nested", Value::object([("a", Value::from("b"))])),
    ]);
    assert_eq!(unknown_mask(&value), json!({ "id": true, "list": [false, true], "nested": {} }));
    assert_eq!(sensitive_mask(&value), json!({ "secret": true, "list": [false, false], "nested": {} }));
    assert_eq!(known_part(&value), json!({ "name": "x", "secret": "y", "list": ["a", null], "nested": { "a": "b" } }));
    assert_eq!(unknown_mask(&"x".into()), json!(false));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::dynamic_null()),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::int),
        "-?[0-9]{1,30}\\.[0-9]{1,30}".prop_map(|s| num(&s)),
        any::<String>().prop_map(|s| Value::string(nfc(&s))),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::tuple),
            prop::collection::btree_map("[a-zé\"]{0,5}", inner, 0..5)
                .prop_map(|m| Value::object(m.into_iter().map(|(k, v)| (nfc(&k), v)))),
        ]
    })
}

proptest! {
    #[test]
    fn text_round_trips(value in any_value()) {
        prop_assert_eq!(from_json_text(&to_json_text(&value).unwrap()), Ok(value.clone()));
        prop_assert_eq!(from_json_text(&to_plain_json_text(&value).unwrap()), Ok(value));
    }

    #[test]
    fn typed_documents_round_trip(value in any_value()) {
        let ty = without_optional(&value.ty());
        prop_assert_eq!(from_serde_typed(&to_serde_typed(&value, &ty), &ty), Ok(value));
    }

    #[test]
    fn any_text_is_read_or_refused_but_never_panics(text in "[\\[\\]{}:,\"\\\\u0-9a-fé \n.eE+-]{0,40}") {
        let _ = from_json_text(&text);
    }
}
