use super::check;

#[rustfmt::skip]
pub(super) const ROWS: &[(&str, &str)] = &[
    ("max()", r#"error: Call to function "max" failed: must pass at least one number."#),
    (r#"max(1,"2",3.5)"#, "3.5"),
    (r#"min("a")"#, r#"error: Invalid value for "numbers" parameter: a number is required."#),
    ("min(3,1)", "1"),
    ("abs(-1.5)", "1.5"),
    ("ceil(-1.2)", "-1"),
    ("floor(-1.2)", "-2"),
    ("floor(1e30)", "1000000000000000000000000000000"),
    ("log(8,2)", "3"),
    ("log(0,10)", r#"error: Call to function "log" failed: the result is not a finite number."#),
    ("log(-1,10)", r#"error: Call to function "log" failed: the result is not a finite number."#),
    ("log(8,0)", "0"),
    ("log(16,1)", r#"error: Call to function "log" failed: the result is not a finite number."#),
    (r#"log("x",2)"#, r#"error: Invalid value for "num" parameter: a number is required."#),
    ("pow(2,0.5)", "1.4142135623730951"),
    ("pow(0,-1)", r#"error: Call to function "pow" failed: the result is not a finite number."#),
    ("pow(-8,1/3)", r#"error: Call to function "pow" failed: the result is not a finite number."#),
    ("pow(10,30)", "1000000000000000000000000000000"),
    ("pow(10,400)", r#"error: Call to function "pow" failed: the result is not a finite number."#),
    ("signum(-3)", "-1"),
    ("signum(0.5)", r#"error: Call to function "signum" failed: value must be a whole number, between -9223372036854775808 and 9223372036854775807."#),
    (r#"parseint("ff",16)"#, "255"),
    (r#"parseint("-zZ",62)"#, "-2231"),
    (r#"parseint("12",2)"#, r#"error: Invalid value for "number" parameter: cannot parse "12" as a base 2 integer."#),
    (r#"parseint("1",1)"#, r#"error: Invalid value for "base" parameter: base must be a whole number between 2 and 62 inclusive."#),
    (r#"parseint("1",63)"#, r#"error: Invalid value for "base" parameter: base must be a whole number between 2 and 62 inclusive."#),
    ("parseint(10,2)", r#"error: Invalid value for "number" parameter: first argument must be a string, not number."#),
    (r#"parseint("",10)"#, r#"error: Invalid value for "number" parameter: cannot parse "" as a base 10 integer."#),
    (r#"parseint("+5",10)"#, "5"),
    (r#"parseint("1_0",10)"#, r#"error: Invalid value for "number" parameter: cannot parse "1_0" as a base 10 integer."#),
    (r#"parseint("FF",16)"#, "255"),
    (r#"parseint("99999999999999999999999",10)"#, "99999999999999999999999"),
    ("parseint(null,10)", r#"error: Invalid value for "number" parameter: argument must not be null."#),
    ("parseint([],10)", r#"error: Invalid value for "number" parameter: first argument must be a string, not tuple."#),
    (r#"parseint("a",10.5)"#, r#"error: Invalid value for "base" parameter: value must be a whole number, between -9223372036854775808 and 9223372036854775807."#),
    (r#"parseint("7F",16)"#, "127"),
];

#[test]
fn rows() {
    check(ROWS);
}
