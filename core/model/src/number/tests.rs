#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn n(text: &str) -> Number {
    text.parse().unwrap()
}

#[test]
fn decimals_are_read_and_written_without_loss() {
    for (text, written) in [
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("1.0", "1"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.5e3", "1500"),
        ("1E-3", "0.001"),
        ("0.1", "0.1"),
        ("-0.1", "-0.1"),
        ("1e-30", "0.000000000000000000000000000001"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("123456789012345678901234567890.123", "123456789012345678901234567890.123"),
        ("3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"),
    ] {
        assert_eq!(n(text).to_string(), written, "{text}");
    }
    assert_eq!(n("1e400").to_string(), format!("1{}", "0".repeat(400)));
    assert_eq!(n("1e-400").to_string(), format!("0.{}1", "0".repeat(399)));
}

#[test]
fn what_is_no_decimal_number_is_refused() {
    for text in
        ["", " 1", "1 ", "a", "1a", "0x10", "1_0", ".", "-", "e5", "1e", "1e1.5", "--1", "+-1", "inf", "NaN", "1.2.3"]
    {
        assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text:?}");
    }
    assert_eq!("1e99999999999".parse::<Number>(), Err(NotANumber));
    assert_eq!(format!("1e{}", i64::MAX).parse::<Number>(), Err(NotANumber));
}

#[test]
fn a_third_has_all_digits_of_the_precision() {
    let third = n("1").div(&n("3")).unwrap();
    let sixes = n("2").div(&n("3")).unwrap();
    assert_eq!(third.to_string(), format!("0.{}5", "3".repeat(154)));
    assert_eq!(sixes.to_string(), format!("0.{}7", "6".repeat(153)));
    let scaled = n("1").div(&n("0.3")).unwrap();
    assert_eq!(scaled.to_string(), format!("3.{}2", "3".repeat(153)));
}

#[test]
fn arithmetic_rounds_as_the_reference_does() {
    assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
    assert_eq!(n("-7").rem(&n("3")).unwrap(), n("-1"));
    assert_eq!(n("7").rem(&n("-3")).unwrap(), n("1"));
    let cancelled = n("10.5").rem(&n("3.2")).unwrap();
    assert_eq!(cancelled.to_string(), format!("0.8{}5", "9".repeat(152)));
    assert_eq!(n("9223372036854775807").add(&n("1")).unwrap(), n("9223372036854775808"));
    assert_eq!(n("-9223372036854775808").neg(), n("9223372036854775808"));
    assert_eq!(n("9223372036854775808").neg().to_i64(), Some(i64::MIN));
    assert_eq!(n("-9223372036854775808").rem(&n("-1")).unwrap(), n("0"));
    assert_eq!(n("-9223372036854775808").div(&n("-1")).unwrap(), n("9223372036854775808"));
}

#[test]
fn what_cannot_be_computed_is_an_error() {
    assert_eq!(n("1").div(&n("0")), Err(ArithmeticError::DivisionByZero));
    assert_eq!(n("1.5").rem(&n("0")), Err(ArithmeticError::DivisionByZero));
    let mut huge = n("1e400000");
    let overflow = loop {
        match huge.mul(&huge) {
            Ok(square) => huge = square,
            Err(e) => break e,
        }
    };
    assert_eq!(overflow, ArithmeticError::Overflow);
}

#[test]
fn rounding_to_whole_numbers() {
    for (text, floor, ceil, trunc) in [
        ("1.5", "1", "2", "1"),
        ("-1.5", "-2", "-1", "-1"),
        ("3", "3", "3", "3"),
        ("-0.2", "-1", "0", "0"),
        ("1e400", "1e400", "1e400", "1e400"),
        ("12345678901234567890.5", "12345678901234567890", "12345678901234567891", "12345678901234567890"),
    ] {
        assert_eq!((n(text).floor(), n(text).ceil(), n(text).trunc()), (n(floor), n(ceil), n(trunc)), "{text}");
    }
}

#[test]
fn a_distant_summand_only_breaks_ties() {
    let (huge, tiny) = (n("1e2000"), n("1e-2000"));
    assert_eq!(huge.add(&tiny).unwrap(), huge);
    assert_eq!(huge.sub(&tiny).unwrap(), huge);
    assert_eq!(tiny.add(&huge).unwrap(), huge);
    // 2^512 + 1/2 of its last place lies exactly between two numbers; a crumb decides.
    let two = |power: u32| (0..power).fold(n("1"), |acc, _| acc.add(&acc).unwrap());
    let between = two(512).add(&two(600)).unwrap();
    assert!(between > two(600));
}

#[test]
fn doubles_keep_their_shortest_text() {
    for float in [0.1, 1.698_970_004_336_018_5, 1e300, 5e-324, -2.5, 0.0] {
        let number = Number::from_f64(float).unwrap();
        assert_eq!(number.to_f64().to_bits(), float.to_bits(), "{float}");
    }
    assert_eq!(Number::from_f64(7.178_979_876_918_526e23).unwrap().to_string(), "717897987691852600000000");
    assert_eq!(Number::from_f64(f64::INFINITY), None);
    assert_eq!(Number::from_f64(f64::NAN), None);
}

#[test]
fn other_bases_and_notations() {
    assert_eq!(Number::from_radix("ff", 16).unwrap(), n("255"));
    assert_eq!(Number::from_radix("-1011", 2).unwrap(), n("-11"));
    assert_eq!(Number::from_radix("12", 2), Err(NotANumber));
    assert_eq!(Number::from_radix("", 10), Err(NotANumber));
    assert_eq!(n("-255").to_radix(16).as_deref(), Some("-ff"));
    assert_eq!(n("0").to_radix(2).as_deref(), Some("0"));
    assert_eq!(n("1.5").to_radix(2), None);
    assert_eq!(n("3.14159").to_fixed(2), "3.14");
    assert_eq!(n("2.5").to_fixed(0), "2");
    assert_eq!(n("0.004").to_fixed(2), "0.00");
    assert_eq!(n("0.006").to_fixed(2), "0.01");
    assert_eq!(n("99.999").to_fixed(2), "100.00");
    assert_eq!(n("-1").to_fixed(3), "-1.000");
    assert_eq!(n("12345.678").to_scientific(Some(3), 'e'), "1.235e+04");
    assert_eq!(n("0").to_scientific(Some(2), 'E'), "0.00E+00");
    assert_eq!(n("0.00012").to_scientific(None, 'e'), "1.2e-04");
}

#[test]
fn numbers_are_written_as_text_in_serde() {
    let json = serde_json::to_string(&n("0.1")).unwrap();
    assert_eq!(json, "\"0.1\"");
    assert_eq!(serde_json::from_str::<Number>(&json).unwrap(), n("0.1"));
}

fn decimal_text() -> impl Strategy<Value = String> {
    ("-?[0-9]{1,60}", proptest::option::of("[0-9]{1,60}"), proptest::option::of(-80i32..80)).prop_map(|(w, f, e)| {
        let fraction = f.map(|f| format!(".{f}")).unwrap_or_default();
        let exponent = e.map(|e| format!("e{e}")).unwrap_or_default();
        format!("{w}{fraction}{exponent}")
    })
}

proptest! {
    #[test]
    fn text_reads_back_as_the_same_number(a in decimal_text(), b in decimal_text()) {
        let (a, b) = (n(&a), n(&b));
        prop_assert_eq!(n(&a.to_string()), a.clone());
        if let Ok(quotient) = a.div(&b) {
            prop_assert_eq!(n(&quotient.to_string()), quotient);
        }
    }

    #[test]
    fn up_to_150_digits_are_kept_to_the_letter(whole in "[1-9][0-9]{0,70}", fraction in "[0-9]{0,70}[1-9]") {
        let text = format!("{whole}.{fraction}");
        prop_assert_eq!(n(&text).to_string(), text);
    }

    #[test]
    fn whole_numbers_agree_with_machine_arithmetic(a in any::<i64>(), b in any::<i64>()) {
        let (x, y) = (Number::from(a), Number::from(b));
        let (a, b) = (i128::from(a), i128::from(b));
        prop_assert_eq!(x.add(&y).unwrap().to_string(), (a + b).to_string());
        prop_assert_eq!(x.sub(&y).unwrap().to_string(), (a - b).to_string());
        prop_assert_eq!(x.mul(&y).unwrap().to_string(), (a * b).to_string());
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        if b != 0 {
            prop_assert_eq!(x.rem(&y).unwrap().to_string(), (a % b).to_string());
            prop_assert_eq!(x.div(&y).unwrap().trunc().to_string(), (a / b).to_string());
        }
    }

    #[test]
    fn wide_whole_numbers_are_exact_and_associative(a in any::<i128>(), b in any::<i64>(), c in any::<i64>()) {
        let (x, y, z) = (n(&a.to_string()), Number::from(b), Number::from(c));
        let left = x.add(&y).unwrap().add(&z).unwrap();
        prop_assert_eq!(&left, &x.add(&y.add(&z).unwrap()).unwrap());
        prop_assert_eq!(x.mul(&y).unwrap().mul(&z).unwrap(), x.mul(&y.mul(&z).unwrap()).unwrap());
        prop_assert_eq!(left.sub(&z).unwrap().sub(&y).unwrap(), x);
    }

    #[test]
    fn order_is_that_of_the_difference(a in decimal_text(), b in decimal_text()) {
        let (a, b) = (n(&a), n(&b));
        prop_assert_eq!(a.cmp(&b), a.sub(&b).unwrap().signum().cmp(&0));
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
        prop_assert!(a.floor() <= a && a <= a.ceil());
    }

    #[test]
    fn doubles_round_trip(float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
        prop_assert_eq!(Number::from_f64(float).unwrap().to_f64().to_bits(), float.to_bits());
    }
}
