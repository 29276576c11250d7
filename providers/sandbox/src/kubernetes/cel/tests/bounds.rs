//! Whatever a rule says, and whatever it is given: it ends, and nothing breaks.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Program;
use super::super::meter::{Meter, PER_CALL};
use super::super::types::Type;
use super::super::value::{Failure, Value as Cel};
use super::{Rows, rows, said};
use crate::kubernetes::schema::{Schema, rules, validate};

/// A macro around an expression, so many times.
fn nested(count: usize, around: &str, inner: &str) -> String {
    (0..count).fold(inner.to_owned(), |inner, depth| around.replace("$X", &format!("v{depth}")).replace("$E", &inner))
}

#[test]
fn rules_end() {
    let exceeded = "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit";
    let chained = |start: &str, step: &str, count: usize| format!("{start}{}", step.repeat(count));
    let rows_of_rules = [
        nested(25, "self.li.all($X, $E)", "true"),
        nested(25, "self.li.map($X, $E)", "[1]") + ".size() == 2",
        format!("{}.size() > 0", chained("[self.s]", ".map(x, x + x)", 60)),
        format!("{}.size() > 0", chained("[self.l]", ".map(x, x + x)", 60)),
        format!("{0} == {0}", chained("[self.l]", ".map(x, [x, x])", 60)),
        format!("'%s'.format([{}]) == ''", chained("[self.l]", ".map(x, [x, x])", 60)),
        format!("{}.size() == 3", chained("self.s", ".replace('', 'aaaaaaaaaaaaaaaa')", 40)),
        format!("{}.size() == 3", chained("[self.s]", ".map(x, [x, x].join(x))", 40)),
        "lists.range(9223372036854775807).size() > 0".to_owned(),
        "lists.range(100000).all(x, lists.range(100000).all(y, true))".to_owned(),
        "lists.range(10000).distinct().size() == 1".to_owned(),
        "lists.range(10000).exists(x, self.s.matches(string(x) + '(a{1,99}){1,9}'))".to_owned(),
        "sets.contains(lists.range(2000), lists.range(2000))".to_owned(),
    ];
    for rule in rows_of_rules {
        let begun = Instant::now();
        assert_eq!(said(&rule, rows()), exceeded, "{rule}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{rule} took {:?}", begun.elapsed());
    }
}

#[test]
fn all_rules_of_an_object_share_what_they_may_cost() {
    let item =
        json!({ "type": "integer", "x-kubernetes-validations": [{ "rule": "lists.range(60000).all(x, x >= 0)" }] });
    let spec = json!({ "type": "array", "items": item });
    let schema = Schema::structural(&json!({ "type": "object", "properties": { "spec": spec } })).unwrap();
    let object = json!({ "apiVersion": "e.com/v1", "kind": "W", "metadata": { "name": "w" }, "spec": vec![1; 100] });
    let causes: Vec<String> = validate(&object, None, &schema).iter().map(|cause| cause.text()).collect();
    let [cause] = causes.as_slice() else { panic!("{causes:?}") };
    let expected = "Invalid value: \"integer\": validation failed due to running out of cost budget, no further validation rules will be run";
    assert!(cause.starts_with("spec[") && cause.ends_with(expected), "{cause}");
}

/// Requests are served on threads with a stack of two megabytes.
#[test]
fn deep_expressions_are_refused_or_evaluated() {
    let rows_of_rules = [
        format!("{}true{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("1{} > 0", " + 1".repeat(20_000)),
        format!("{}true", "!".repeat(99_000)),
        format!("{}1 > 0", "-".repeat(99_000)),
        format!("{}true", "!-".repeat(40_000)),
        format!("true{}", " && true".repeat(12_000)),
        format!("self{} == 1", ".a".repeat(40_000)),
        format!("{}1{}.size() == 1", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{}1{} == 1", "{1: ".repeat(20_000), "}".repeat(20_000)),
        format!("true ? {}true", "true ? true : ".repeat(7_000)),
        format!("{}true{}", "(".repeat(240), ")".repeat(240)),
        format!("1{} > 0", " + 1".repeat(240)),
        format!("{}1{}.size() == 1", "[".repeat(240), "]".repeat(240)),
        nested(120, "self.li.exists($X, $E)", "true"),
        format!("'{}' == ''", "a".repeat(100_001)),
    ];
    let serve = move || {
        for rule in rows_of_rules {
            said(&rule, rows());
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(serve).unwrap().join().unwrap();
}

/// Words of the language, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "self",
        "oldSelf",
        ".",
        ".?",
        "[",
        "]",
        "[?",
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "?",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "==",
        "<",
        ">=",
        "&&",
        "||",
        "in",
        "true",
        "null",
        "1",
        "2u",
        "1.5",
        "'a'",
        "b'a'",
        "r'\\d'",
        "i",
        "l",
        "m",
        "ios",
        "x",
        "all",
        "exists",
        "map",
        "filter",
        "has",
        "size",
        "format",
        "'%s'",
        "optMap",
        "sum",
        "-9223372036854775808",
        "\\",
        "é",
        "'",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// Expressions that are likely to compile.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "self.i",
        "self.s",
        "self.n",
        "self.b",
        "self.ios",
        "self.ios2",
        "self.l",
        "self.li",
        "self.set",
        "self.ml",
        "self.m",
        "self.o",
        "self.t",
        "self.d",
        "self.by",
        "self.u",
        "self.e",
        "dyn(self.i)",
        "dyn(self.l)",
        "dyn(null)",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615u",
        "1.5",
        "1e300",
        "''",
        "'é'",
        "'[0-9]+'",
        "b'\\xff'",
        "[]",
        "{}",
        "true",
        "null",
        "duration('1h')",
        "timestamp('9999-12-31T23:59:59Z')",
        "quantity('1E')",
        "optional.none()",
        "oldSelf.i",
    ])
    .prop_map(str::to_owned);
    let function = prop::sample::select(vec![
        "size",
        "string",
        "int",
        "uint",
        "double",
        "bytes",
        "duration",
        "timestamp",
        "type",
        "quantity",
        "ip",
        "cidr",
        "url",
        "semver",
        "isSemver",
        "isURL",
        "isCIDR",
        "lists.range",
        "strings.quote",
        "optional.of",
        "sign",
        "dyn",
    ]);
    let method = prop::sample::select(vec![
        "charAt",
        "indexOf",
        "lastIndexOf",
        "substring",
        "split",
        "replace",
        "join",
        "find",
        "findAll",
        "matches",
        "contains",
        "slice",
        "flatten",
        "getHours",
        "getFullYear",
        "add",
        "sub",
        "compareTo",
        "orValue",
        "or",
        "trim",
        "sort",
        "distinct",
        "reverse",
        "sum",
        "min",
        "first",
        "containsIP",
        "masked",
        "format",
        "value",
    ]);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"]);
        let walk = prop::sample::select(vec!["all", "exists", "exists_one", "map", "filter", "sortBy", "optMap"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            (function.clone(), inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (inner.clone(), method.clone(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(a, name, arguments)| format!("{a}.{name}({})", arguments.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[?{b}]")),
            (inner.clone(), walk, inner.clone()).prop_map(|(a, name, b)| format!("{a}.{name}(x, {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
        ]
    })
}

/// Any JSON.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop::sample::select(vec!["i", "s", "l", "m", "o", "t", "d", "k", "x", "é"]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// Evaluates whatever type the expression has.
fn evaluated(source: &str, rows: &Rows, object: &Value) {
    let spec = json!({ "type": "object", "properties": rows.schema });
    let schema = Schema::structural(&json!({ "type": "object", "properties": { "spec": spec } })).unwrap();
    let schema = schema.property("spec").unwrap();
    let of = Type::of(schema, false).unwrap();
    let Ok((program, _)) = Program::compile(source, &of, false) else { return };
    let Ok(it) = Cel::held(object, schema, false) else { return };
    let mut meter = Meter::default();
    let result = program.evaluate(&it, Some(&it), &mut meter);
    assert!(meter.cost <= PER_CALL || matches!(result, Err(Failure::Cost)), "{source}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nonsense_is_refused(source in words()) {
        evaluated(&source, rows(), &json!({}));
    }

    #[test]
    fn any_text_is_read(source in ".{0,40}") {
        evaluated(&source, rows(), &json!({}));
    }

    #[test]
    fn anything_is_evaluated(source in expressions()) {
        let rows = rows();
        evaluated(&source, rows, &Value::Object(rows.object.clone()));
    }

    #[test]
    fn any_object_is_held_against_rules(source in expressions(), object in json(), old in json()) {
        let rows = rows();
        let spec = json!({ "type": "object", "properties": rows.schema, "x-kubernetes-validations": [
            { "rule": format!("{source} == oldSelf.i"), "messageExpression": source, "fieldPath": ".i" },
        ] });
        let schema = Schema::structural(&json!({ "type": "object", "properties": { "spec": spec } })).unwrap();
        rules::check(&schema);
        let of = |spec: &Value| json!({ "apiVersion": "e.com/v1", "kind": "W", "metadata": { "name": "w" }, "spec": spec });
        validate(&of(&object), Some(&of(&old)), &schema);
    }
}
