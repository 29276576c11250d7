use super::*;

/// Operator, values of the policy, values sent (none: the key is missing), whether it holds.
type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], bool);

const ROWS: &[Row] = &[
    ("StringEquals", &["a"], &["a"], true),
    ("StringEquals", &["a"], &["A"], false),
    ("StringEquals", &["a", "b"], &["b"], true),
    ("StringEquals", &["a*"], &["ab"], false),
    ("StringEquals", &["a"], &[], false),
    ("stringequals", &["a"], &["a"], true),
    ("StringNotEquals", &["a", "b"], &["b"], false),
    ("StringNotEquals", &["a", "b"], &["c"], true),
    ("StringNotEquals", &["a"], &[], true),
    ("StringEqualsIgnoreCase", &["Ab"], &["aB"], true),
    ("StringNotEqualsIgnoreCase", &["Ab"], &["aB"], false),
    ("StringLike", &["a*c"], &["abc"], true),
    ("StringLike", &["a?c"], &["ac"], false),
    ("StringLike", &["system:serviceaccount:*:app"], &["system:serviceaccount:x:app"], true),
    ("StringNotLike", &["a*"], &["ab"], false),
    ("StringEqualsIfExists", &["a"], &[], true),
    ("StringEqualsIfExists", &["a"], &["b"], false),
    ("StringEquals", &["${aws:username}"], &["alice"], true),
    ("StringLike", &["${aws:username}-*"], &["alice-1"], true),
    ("StringEquals", &["${aws:nobody}"], &["alice"], false),
    ("StringNotEquals", &["${aws:nobody}"], &["alice"], true),
    ("NumericEquals", &["10"], &["10.0"], true),
    ("NumericNotEquals", &["10"], &["11"], true),
    ("NumericNotEquals", &["10"], &[], true),
    ("NumericLessThan", &["10"], &["9"], true),
    ("NumericLessThan", &["10"], &["10"], false),
    ("NumericLessThanEquals", &["10"], &["10"], true),
    ("NumericGreaterThan", &["10"], &["9"], false),
    ("NumericGreaterThanEquals", &["10"], &["10"], true),
    ("NumericLessThan", &["10"], &["many"], false),
    ("DateGreaterThan", &["2026-01-01T00:00:00Z"], &["2026-01-02T00:00:00Z"], true),
    ("DateLessThan", &["2026-01-01"], &["2025-12-31T23:59:59Z"], true),
    ("DateEquals", &["2026-01-01T00:00:00Z"], &["1767225600"], true),
    ("DateNotEquals", &["2026-01-01T00:00:00Z"], &["1767225600"], false),
    ("DateLessThanEquals", &["1767225600"], &["2026-01-01T00:00:00Z"], true),
    ("DateGreaterThanEquals", &["1767225601"], &["2026-01-01T00:00:00Z"], false),
    ("Bool", &["true"], &["True"], true),
    ("Bool", &["false"], &["true"], false),
    ("Bool", &["false"], &[], false),
    ("BoolIfExists", &["true"], &[], true),
    ("BinaryEquals", &["QmluYXJ5"], &["QmluYXJ5"], true),
    ("IpAddress", &["203.0.113.0/24"], &["203.0.113.9"], true),
    ("IpAddress", &["203.0.113.0/24", "2001:db8::/32"], &["2001:db8::1"], true),
    ("IpAddress", &["203.0.113.9"], &["203.0.113.9"], true),
    ("NotIpAddress", &["203.0.113.0/24"], &["203.0.114.9"], true),
    ("NotIpAddress", &["203.0.113.0/24"], &["203.0.113.9"], false),
    ("IpAddress", &["10.0.0.0/8"], &["nothing"], false),
    ("ArnEquals", &["arn:aws:iam::*:role/a*"], &["arn:aws:iam::1:role/ab"], true),
    ("ArnLike", &["arn:aws:iam::1:role/*"], &["arn:aws:iam::1:role/x:y"], true),
    ("ArnLike", &["arn:aws:*:1:role/*"], &["arn:aws:iam::1:role/x"], false),
    ("ArnLike", &["arn:aws:iam::1:user/${aws:username}"], &["arn:aws:iam::1:user/alice"], true),
    ("ArnNotLike", &["arn:aws:iam::1:role/*"], &["arn:aws:iam::2:role/x"], true),
    ("ArnNotEquals", &["arn:aws:iam::1:role/*"], &[], true),
    ("Null", &["true"], &[], true),
    ("Null", &["true"], &["a"], false),
    ("Null", &["false"], &["a"], true),
    ("Null", &["false"], &[], false),
    ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], true),
    ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false),
    ("ForAllValues:StringEquals", &["a"], &[], true),
    ("ForAnyValue:StringEquals", &["a", "b"], &["c", "b"], true),
    ("ForAnyValue:StringEquals", &["a"], &["c", "d"], false),
    ("ForAnyValue:StringEquals", &["a"], &[], false),
    ("ForAnyValue:StringLike", &["team-*"], &["team-a", "x"], true),
    ("ForAllValues:StringNotEquals", &["a"], &["b", "c"], true),
    ("ForAllValues:StringNotEquals", &["a"], &["a", "c"], false),
    ("ForAnyValue:StringNotEquals", &["a"], &["a", "c"], true),
    ("ForAnyValue:StringNotEquals", &["a"], &["a"], false),
    ("ForAnyValue:StringNotEquals", &["a"], &[], false),
    ("ForAnyValue:StringEqualsIfExists", &["a"], &[], true),
    ("ForAllValues:StringEqualsIgnoreCase", &["A"], &["a"], true),
    ("ForAnyValue:ArnLike", &["arn:aws:iam::1:*"], &["arn:aws:iam::1:user/a"], true),
];

#[test]
fn operators() {
    for (operator, values, sent, expected) in ROWS {
        let mut context = Context::default();
        context.set("aws:username", "alice");
        sent.iter().for_each(|value| context.add("x:Key", *value));
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let condition = Condition::new(operator, "X:key", values).unwrap();
        assert_eq!(condition.holds(&context, true), *expected, "{condition:?} {sent:?}");
    }
}

#[test]
fn operators_that_are_none() {
    for operator in ["StringIs", "ForSomeValues:StringEquals", "NullIfExists", "ForAllValues:Null", "", "DateLike"] {
        assert_eq!(Condition::new(operator, "a", Vec::new()), None, "{operator}");
    }
}
