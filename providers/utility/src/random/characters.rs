//! Texts of random characters: what `random_password` and `random_string` share.

use rand::seq::{IndexedRandom, SliceRandom};
use sgp_contract::{PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{
    attrs::{self, flag, int, text, wrong},
    dice,
};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";

/// Adds the arguments of what is kept: what it is drawn by, and `keepers`.
pub(super) fn arguments(schema: Schema) -> Schema {
    let numeric = |doc| Attribute::bool().optional_computed().force_new().doc(doc);
    recipe(schema, Attribute::force_new)
        .attr("keepers", super::keepers())
        .attr("numeric", numeric("Whether it may have `0` to `9`; true without it."))
        .attr("number", numeric("The old name of `numeric`.").deprecated("Use `numeric`."))
}

/// Adds the arguments that say what is drawn, less `numeric`; `each` is done to every one of them.
pub(super) fn recipe(schema: Schema, each: fn(Attribute) -> Attribute) -> Schema {
    let class = |doc| each(Attribute::bool().default(true).doc(doc));
    let least = |doc| each(Attribute::number().default(Value::int(0)).doc(doc));
    let length =
        Attribute::number().required().doc("How many characters; at least 1, and at least the sum of all `min_*`.");
    let own = Attribute::string()
        .doc("The special characters to choose from, instead of the usual ones; `special` must be true.");
    schema
        .attr("length", each(length))
        .attr("upper", class("Whether it may have `A` to `Z`."))
        .attr("lower", class("Whether it may have `a` to `z`."))
        .attr("special", class("Whether it may have special characters: `!@#$%&*()-_=+[]{}<>:?`."))
        .attr("min_upper", least("How many capital letters there are at least."))
        .attr("min_lower", least("How many small letters there are at least."))
        .attr("min_numeric", least("How many digits there are at least."))
        .attr("min_special", least("How many special characters there are at least."))
        .attr("override_special", each(own))
}

/// Says what is wrong with the arguments.
pub(super) fn validate(config: &Value) -> Diagnostics {
    const LEAST: [&str; 4] = ["min_upper", "min_lower", "min_numeric", "min_special"];
    let mut problems =
        attrs::whole_numbers(config, &[("length", 1)].into_iter().chain(LEAST.map(|n| (n, 0))).collect::<Vec<_>>());
    let sum = LEAST.iter().filter_map(|name| int(config, name)).fold(0_i64, i64::saturating_add);
    if int(config, "length").is_some_and(|length| length >= 1 && length < sum) {
        let detail = format!(
            "`length` must be at least {sum}, the sum of `min_upper`, `min_lower`, `min_numeric` and `min_special`."
        );
        problems.push(wrong("length", detail));
    }
    if let (Some(numeric), Some(number)) = (flag(config, "numeric"), flag(config, "number"))
        && numeric != number
    {
        problems.push(wrong(
            "number",
            "`number` is the old name of `numeric`: the two must be the same. Take `number` away.",
        ));
    }
    let is_off = |name: &str| flag(config, name) == Some(false);
    if is_off("upper") && is_off("lower") && is_off("special") && (is_off("numeric") || is_off("number")) {
        let detail = "There is nothing to choose from: one of `upper`, `lower`, `numeric` and `special` must be true.";
        problems.push(Diagnostic::error("Invalid argument", detail));
    }
    problems
}

/// `numeric` and its old name say the same.
pub(super) fn plan(request: &PlanRequest<'_>) -> PlanResponse {
    let said = ["numeric", "number"].iter().find_map(|name| request.config.get(name).filter(|v| !v.is_null()));
    let numeric = said.cloned().unwrap_or_else(|| true.into());
    let planned = attrs::with(request.proposed, [("numeric", numeric.clone()), ("number", numeric)]);
    PlanResponse { planned: Some(planned), ..PlanResponse::default() }
}

/// Draws a text as the arguments say.
pub(super) fn draw(planned: &Value) -> String {
    let special = text(planned, "override_special").filter(|own| !own.is_empty()).unwrap_or(SPECIAL);
    let classes = [
        (UPPER, flag(planned, "upper"), int(planned, "min_upper")),
        (LOWER, flag(planned, "lower"), int(planned, "min_lower")),
        (DIGITS, flag(planned, "numeric"), int(planned, "min_numeric")),
        (special, flag(planned, "special"), int(planned, "min_special")),
    ];
    let mut random = dice::system();
    let mut drawn: Vec<char> = Vec::new();
    let mut choose =
        |from: &[char], count: i64| (0..count).filter_map(|_| from.choose(&mut random).copied()).collect::<Vec<char>>();
    for (characters, _, least) in classes {
        drawn.extend(choose(&characters.chars().collect::<Vec<_>>(), least.unwrap_or(0)));
    }
    let all: Vec<char> =
        classes.iter().filter(|(_, is_on, _)| *is_on == Some(true)).flat_map(|c| c.0.chars()).collect();
    let rest = int(planned, "length").unwrap_or(0) - i64::try_from(drawn.len()).unwrap_or(i64::MAX);
    drawn.extend(choose(&all, rest));
    drawn.shuffle(&mut random);
    drawn.into_iter().collect()
}

/// The arguments that an imported text stands for: its length, and defaults.
pub(super) fn imported(schema: &Schema, text: &str) -> Value {
    let defaults = schema.block.attributes.iter().filter_map(|(name, a)| Some((*name, a.default.clone()?)));
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let own = [("length", Value::int(length)), ("numeric", true.into()), ("number", true.into())];
    attrs::object(&schema.block, defaults.chain(own))
}

/// Brings older records to the present form: they have `number` alone, and imported ones nothing but the text.
pub(super) fn upgraded(schema: &Schema, attributes: &Value) -> Value {
    let lacks = |name: &str| !attrs::is_set(attributes, name);
    let whole = imported(schema, text(attributes, "result").unwrap_or_default());
    let defaults = whole.as_fields().into_iter().flatten();
    let missing = defaults.filter(|(name, value)| !value.is_null() && lacks(name));
    let object = missing.fold(attributes.clone(), |object, (name, value)| object.with_attr(name, value.clone()));
    let number = flag(attributes, "number").filter(|_| lacks("numeric"));
    number.into_iter().fold(object, |object, number| object.with_attr("numeric", number.into()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sgp_model::Type;

    use super::*;

    fn recipe(arguments: &[(&'static str, Value)]) -> Value {
        let schema = arguments_of();
        let defaults = schema.block.attributes.iter().filter_map(|(name, a)| Some((*name, a.default.clone()?)));
        let object = attrs::object(&schema.block, defaults.chain([("numeric", true.into())]));
        attrs::with(&object, arguments.iter().cloned())
    }

    fn arguments_of() -> Schema {
        super::arguments(Schema::new("random_string", "A text."))
    }

    fn count(text: &str, of: &str) -> usize {
        text.chars().filter(|c| of.contains(*c)).count()
    }

    #[test]
    fn what_is_drawn_is_what_is_asked_for() {
        let off = || Value::from(false);
        let rows: Vec<(&str, Vec<(&str, Value)>, String)> = vec![
            ("everything", vec![], format!("{UPPER}{LOWER}{DIGITS}{SPECIAL}")),
            ("digits", vec![("upper", off()), ("lower", off()), ("special", off())], DIGITS.into()),
            ("no digits", vec![("numeric", off()), ("special", off())], format!("{UPPER}{LOWER}")),
            (
                "own",
                vec![("upper", off()), ("lower", off()), ("numeric", off()), ("override_special", "é£".into())],
                "é£".into(),
            ),
            (
                "empty own",
                vec![("upper", off()), ("lower", off()), ("numeric", off()), ("override_special", "".into())],
                SPECIAL.into(),
            ),
        ];
        for (what, arguments, from) in rows {
            // So many that each character of the largest set is there but once in 10^17 runs.
            let arguments: Vec<_> = arguments.into_iter().chain([("length", Value::int(4000))]).collect();
            let drawn = draw(&recipe(&arguments));
            assert_eq!(drawn.chars().count(), 4000, "{what}");
            assert_eq!(drawn.chars().collect::<BTreeSet<_>>(), from.chars().collect(), "{what}");
        }
    }

    #[test]
    fn there_are_as_many_of_a_class_as_are_asked_for() {
        let arguments = [
            ("length", Value::int(10)),
            ("upper", false.into()),
            ("min_upper", Value::int(2)),
            ("min_lower", Value::int(1)),
            ("min_numeric", Value::int(3)),
            ("min_special", Value::int(4)),
        ];
        let drawn: BTreeSet<String> = (0..50).map(|_| draw(&recipe(&arguments))).collect();
        for text in &drawn {
            let counts = [UPPER, LOWER, DIGITS, SPECIAL].map(|class| count(text, class));
            assert_eq!(counts, [2, 1, 3, 4], "{text}");
        }
        assert_eq!(drawn.len(), 50);
        assert!(drawn.iter().any(|text| !text.starts_with(|c| UPPER.contains(c))), "they are mixed");
    }

    #[test]
    fn arguments_are_judged() {
        let off = || Value::from(false);
        let rows: [(Vec<(&str, Value)>, &str); 8] = [
            (vec![("length", Value::int(8))], ""),
            (vec![("length", Value::int(0))], "`length` must be at least 1, not 0."),
            (
                vec![("length", Value::int(3)), ("min_upper", Value::int(2)), ("min_lower", Value::int(2))],
                "at least 4, the sum",
            ),
            (vec![("length", Value::int(3)), ("min_upper", Value::int(-1))], "`min_upper` must be at least 0, not -1."),
            (vec![("length", Value::unknown(Type::Number)), ("min_upper", Value::int(9))], ""),
            (vec![("numeric", true.into()), ("number", false.into())], "the two must be the same"),
            (
                vec![("upper", off()), ("lower", off()), ("special", off()), ("numeric", off())],
                "nothing to choose from",
            ),
            (vec![("upper", off()), ("lower", off()), ("special", off())], ""),
        ];
        for (arguments, expected) in rows {
            let found = validate(&attrs::object(&arguments_of().block, arguments.clone()));
            let text = found.iter().map(|d| d.detail.as_str()).collect::<Vec<_>>().join("; ");
            assert!(
                if expected.is_empty() { text.is_empty() } else { text.contains(expected) },
                "{arguments:?}: {text}"
            );
        }
    }

    #[test]
    fn the_old_name_of_numeric_says_the_same() {
        let none = Value::dynamic_null();
        for (config, expected) in
            [(vec![], true), (vec![("number", false.into())], false), (vec![("numeric", false.into())], false)]
        {
            let config = attrs::object(&arguments_of().block, config);
            let request = PlanRequest { prior: &none, config: &config, proposed: &config, provider_config: &none };
            let planned = plan(&request).planned.unwrap_or_else(Value::dynamic_null);
            assert_eq!([flag(&planned, "numeric"), flag(&planned, "number")], [Some(expected); 2], "{config:?}");
        }
    }
}
