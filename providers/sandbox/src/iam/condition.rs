//! Conditions: operators over the request context.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context keys".

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::context::Context;
use super::pattern::Pattern;

/// One operator over one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    quantifier: Quantifier,
    if_exists: bool,
    is_negated: bool,
    test: Test,
    /// The key, as written.
    pub key: String,
    /// The operator, as written.
    pub operator: String,
    /// The values of the policy.
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    One,
    All,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Compare),
    Date(Compare),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equals,
    Less,
    LessOrEquals,
    Greater,
    GreaterOrEquals,
}

impl Condition {
    /// A condition with an operator of the reference, in any case; `None` when there is no such operator.
    pub fn new(operator: &str, key: &str, values: Vec<String>) -> Option<Self> {
        let lower = operator.to_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            Some(_) => return None,
            None => (Quantifier::One, lower.as_str()),
        };
        let (if_exists, name) = match rest.strip_suffix("ifexists") {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let (test, is_negated) = test(name)?;
        // `Null` asks about the key itself.
        if test == Test::Null && (if_exists || quantifier != Quantifier::One) {
            return None;
        }
        let (key, operator) = (key.to_owned(), operator.to_owned());
        Some(Self { quantifier, if_exists, is_negated, test, key, operator, values })
    }

    /// Whether it holds. `has_variables` tells whether `${...}` in the values are variables.
    pub fn holds(&self, context: &Context, has_variables: bool) -> bool {
        let sent = context.values(&self.key);
        if self.test == Test::Null {
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == sent.is_empty());
        }
        if sent.is_empty() {
            return match self.quantifier {
                _ if self.if_exists => true,
                Quantifier::All => true,
                Quantifier::Any => false,
                Quantifier::One => self.is_negated,
            };
        }
        let variables = has_variables.then_some(context);
        let one =
            |value: &String| self.values.iter().any(|wanted| self.meets(wanted, value, variables)) != self.is_negated;
        match self.quantifier {
            Quantifier::All => sent.iter().all(one),
            // A negated operator is a NOR over all values.
            Quantifier::One if self.is_negated => sent.iter().all(one),
            Quantifier::Any | Quantifier::One => sent.iter().any(one),
        }
    }

    fn meets(&self, wanted: &str, sent: &str, variables: Option<&Context>) -> bool {
        let literal = || expand(wanted, variables);
        match self.test {
            Test::StringEquals | Test::Binary => literal().is_some_and(|wanted| wanted == sent),
            Test::StringEqualsIgnoreCase | Test::Bool => {
                literal().is_some_and(|wanted| wanted.to_lowercase() == sent.to_lowercase())
            }
            Test::StringLike => Pattern::new(wanted, variables).is_some_and(|pattern| pattern.fits(sent)),
            Test::Numeric(compare) => {
                let pair = literal().and_then(|wanted| Some((sent.parse().ok()?, wanted.parse().ok()?)));
                pair.is_some_and(|(sent, wanted): (f64, f64)| compare.holds(sent.partial_cmp(&wanted)))
            }
            Test::Date(compare) => {
                let pair = literal().and_then(|wanted| Some((instant(sent)?, instant(&wanted)?)));
                pair.is_some_and(|(sent, wanted)| compare.holds(Some(sent.cmp(&wanted))))
            }
            Test::Ip => literal().is_some_and(|wanted| lies_in(sent, &wanted)),
            Test::Arn => arn_fits(wanted, sent, variables),
            Test::Null => false,
        }
    }
}

/// The operator of a name in lower case without quantifier and `IfExists`, and whether it is negated.
fn test(name: &str) -> Option<(Test, bool)> {
    use Compare::{Equals, Greater, GreaterOrEquals, Less, LessOrEquals};
    let compared = |name: &str| {
        Some(match name {
            "equals" => (Equals, false),
            "notequals" => (Equals, true),
            "lessthan" => (Less, false),
            "lessthanequals" => (LessOrEquals, false),
            "greaterthan" => (Greater, false),
            "greaterthanequals" => (GreaterOrEquals, false),
            _ => return None,
        })
    };
    if let Some((compare, is_negated)) = name.strip_prefix("numeric").and_then(compared) {
        return Some((Test::Numeric(compare), is_negated));
    }
    if let Some((compare, is_negated)) = name.strip_prefix("date").and_then(compared) {
        return Some((Test::Date(compare), is_negated));
    }
    Some(match name {
        "stringequals" => (Test::StringEquals, false),
        "stringnotequals" => (Test::StringEquals, true),
        "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
        "stringlike" => (Test::StringLike, false),
        "stringnotlike" => (Test::StringLike, true),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::Ip, false),
        "notipaddress" => (Test::Ip, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "null" => (Test::Null, false),
        _ => return None,
    })
}

impl Compare {
    fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equals => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEquals => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEquals => order.is_ge(),
        })
    }
}

/// The value with its variables put in, wildcards left as they are.
fn expand(wanted: &str, variables: Option<&Context>) -> Option<String> {
    let Some(context) = variables else { return Some(wanted.to_owned()) };
    let (mut out, mut rest) = (String::new(), wanted);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&super::pattern::variable(name, context)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// A date of ISO 8601, or seconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    text.parse().ok()
}

fn lies_in(sent: &str, wanted: &str) -> bool {
    let Ok(sent) = sent.parse::<IpAddr>() else { return false };
    match wanted.parse::<IpNet>() {
        Ok(net) => net.contains(&sent),
        Err(_) => wanted.parse::<IpAddr>().is_ok_and(|wanted| wanted == sent),
    }
}

/// Six segments, each compared for itself.
fn arn_fits(wanted: &str, sent: &str, variables: Option<&Context>) -> bool {
    if wanted == "*" {
        return true;
    }
    let (wanted, sent) = (segments(wanted), segments(sent));
    wanted.len() == 6
        && sent.len() == 6
        && wanted
            .iter()
            .zip(&sent)
            .all(|(wanted, sent)| Pattern::new(wanted, variables).is_some_and(|it| it.fits(sent)))
}

/// The segments of an ARN; colons in braces belong to variables.
fn segments(arn: &str) -> Vec<&str> {
    let (mut segments, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, letter) in arn.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ':' if depth == 0 && segments.len() < 5 => {
                segments.push(&arn[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    segments.push(&arn[from..]);
    segments
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
