//! Regular expressions in the syntax that Terraform's users write, which is RE2's.
//!
//! The engine's syntax is nearly the same. What differs is translated: classes such as `\d` are ASCII only, brackets and
//! `&&` inside a class and braces that are no repetition stand for themselves, `\Q...\E` quotes. What only the engine
//! knows is refused, so that an expression that works here works elsewhere.

use std::collections::BTreeSet;

use regex::Regex;
use sgp_model::{Type, Value};

use super::spec::{Args, Outcome, arg_error, error, text, unknown_of};

/// Compiles an expression; the error is the engine's reason in one line.
pub(super) fn compile(expression: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(&translate(expression)?).octal(true).size_limit(1 << 24).build();
    built.map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => "expression is too large".to_owned(),
        other => {
            let text = other.to_string();
            text.lines()
                .rfind(|l| !l.trim().is_empty())
                .map_or(text.clone(), |l| l.trim().trim_start_matches("error: ").to_owned())
        }
    })
}

fn translate(expression: &str) -> Result<String, String> {
    let chars: Vec<char> = expression.chars().collect();
    let mut out = String::with_capacity(expression.len() + 8);
    let mut at = 0;
    let mut class = false;
    // Where the repetition begins that ends just before `at`.
    let mut repeated: Option<usize> = None;
    while at < chars.len() {
        if let Some(length) = repetition(&chars[at..]).filter(|_| !class) {
            let start = repeated.unwrap_or(at);
            if start < at {
                let both: String = chars[start..at + length].iter().collect();
                return Err(format!("invalid nested repetition operator in {both}"));
            }
            check_counts(&chars[at..at + length])?;
            out.extend(&chars[at..at + length]);
            repeated = Some(at);
            at += length;
            continue;
        }
        repeated = None;
        let (c, rest) = (chars[at], &chars[at + 1..]);
        at += 1;
        match c {
            '\\' => at += escape(&mut out, rest, class)?,
            '(' if !class => {
                check_group(rest)?;
                out.push('(');
            }
            '[' if class => {
                // Only `[:name:]` is more than a bracket inside a class.
                let named = rest.first() == Some(&':') && rest.windows(2).any(|w| w == [':', ']']);
                out.push_str(if named { "[" } else { "\\[" });
                if named {
                    let length = rest.windows(2).position(|w| w == [':', ']']).unwrap_or(0) + 2;
                    out.extend(&rest[..length]);
                    at += length;
                }
            }
            '[' => {
                class = true;
                out.push('[');
                if rest.first() == Some(&'^') {
                    out.push('^');
                    at += 1;
                }
                // A closing bracket that comes first is a member.
                if chars.get(at) == Some(&']') {
                    out.push_str("\\]");
                    at += 1;
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            '-' if class && rest.first() == Some(&'-') => out.push_str("\\-"),
            '{' if !class => out.push_str("\\{"),
            other => out.push(other),
        }
    }
    Ok(out)
}

/// How long the repetition is that stands here, with the question mark that makes it take as little as possible.
fn repetition(here: &[char]) -> Option<usize> {
    let length = match here.first()? {
        '*' | '+' | '?' => 1,
        '{' => {
            let end = here.iter().position(|c| *c == '}')?;
            let inner: String = here[1..end].iter().collect();
            let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            let counts = match inner.split_once(',') {
                None => digits(&inner),
                Some((low, high)) => digits(low) && (high.is_empty() || digits(high)),
            };
            counts.then_some(end + 1)?
        }
        _ => return None,
    };
    Some(length + usize::from(here.get(length) == Some(&'?')))
}

/// The most that RE2 repeats.
const REPEAT_LIMIT: u32 = 1000;

fn check_counts(repetition: &[char]) -> Result<(), String> {
    let text: String = repetition.iter().collect();
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
    let counts: Vec<u32> = numbers.map(|n| n.parse().unwrap_or(u32::MAX)).collect();
    let ordered = counts.windows(2).all(|pair| pair[0] <= pair[1]);
    if ordered && counts.iter().all(|n| *n <= REPEAT_LIMIT) {
        return Ok(());
    }
    Err(format!("invalid repeat count in {}", text.trim_end_matches('?')))
}

/// After an opening parenthesis: a group with a name or flags may be only what RE2 knows.
fn check_group(rest: &[char]) -> Result<(), String> {
    let Some(('?', rest)) = rest.split_first().map(|(c, rest)| (*c, rest)) else { return Ok(()) };
    // The engine itself says best why it does not look around.
    if matches!(rest, ['P', '<', ..] | ['<' | '=' | '!', ..]) {
        return Ok(());
    }
    let end = rest.iter().position(|c| matches!(c, ')' | ':')).unwrap_or(rest.len());
    match rest[..end].iter().position(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
        None => Ok(()),
        Some(bad) => {
            Err(format!("invalid or unsupported Perl syntax in (?{}", rest[..=bad].iter().collect::<String>()))
        }
    }
}

/// Writes what follows a backslash and says how many characters that was.
fn escape(out: &mut String, rest: &[char], class: bool) -> Result<usize, String> {
    let Some(&c) = rest.first() else { return Err("trailing backslash at end of expression".into()) };
    let ascii = match (c, class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('b', false) => "(?-u:\\b)",
        _ => "",
    };
    if !ascii.is_empty() {
        out.push_str(ascii);
        return Ok(1);
    }
    if c == 'Q' {
        let quoted: String = rest[1..].iter().collect();
        let end = quoted.find("\\E");
        let literal = &quoted[..end.unwrap_or(quoted.len())];
        out.push_str(&regex::escape(literal));
        return Ok(1 + literal.chars().count() + if end.is_some() { 2 } else { 0 });
    }
    if c == 'p' || c == 'P' {
        return Ok(property(out, c, &rest[1..]));
    }
    if c == 'x' && rest.get(1) == Some(&'{') {
        let end = rest.iter().position(|c| *c == '}').ok_or("invalid escape sequence in \\x{")?;
        out.push('\\');
        out.extend(&rest[..=end]);
        return Ok(end + 1);
    }
    // One digit would be a reference to a group, which does not exist here; several are an octal number.
    let reference = matches!(c, '1'..='7') && !matches!(rest.get(1), Some('0'..='7'));
    let known = matches!(c, '0'..='7' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'A' | 'B' | 'b' | 'z');
    if c.is_ascii_alphanumeric() && (reference || !known) {
        return Err(format!("invalid escape sequence in \\{c}"));
    }
    if c.is_ascii_alphanumeric() {
        out.push('\\');
        out.push(c);
    } else {
        let mut buffer = [0; 4];
        out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
    }
    Ok(1)
}

/// `\pL`, `\p{Greek}` or `\p{^Greek}`, which is the opposite.
fn property(out: &mut String, letter: char, rest: &[char]) -> usize {
    let Some(end) = rest.iter().position(|c| *c == '}').filter(|_| rest.first() == Some(&'{')) else {
        out.extend(['\\', letter]);
        return 1;
    };
    let negated = rest.get(1) == Some(&'^');
    let opposite = if letter == 'p' { 'P' } else { 'p' };
    out.extend(['\\', if negated { opposite } else { letter }, '{']);
    out.extend(&rest[if negated { 2 } else { 1 }..=end]);
    end + 2
}

/// What a match gives: the whole text, a tuple of groups, or an object of named groups.
enum Shape {
    Whole,
    Groups(usize),
    Named(BTreeSet<String>),
}

impl Shape {
    fn of(regex: &Regex) -> Result<Self, &'static str> {
        let groups = regex.captures_len() - 1;
        let named: BTreeSet<String> = regex.capture_names().flatten().map(str::to_owned).collect();
        match (groups, named.len()) {
            (0, _) => Ok(Self::Whole),
            (groups, 0) => Ok(Self::Groups(groups)),
            (all, with_name) if all == with_name => Ok(Self::Named(named)),
            _ => Err("cannot mix both named and unnamed capture groups"),
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::Whole => Type::String,
            Self::Groups(n) => Type::tuple((0..*n).map(|_| Type::String)),
            Self::Named(names) => Type::object(names.iter().map(|n| (n.as_str(), Type::String))),
        }
    }

    fn value(&self, found: &regex::Captures) -> Value {
        let group = |m: Option<regex::Match>| m.map_or_else(|| Value::null(Type::String), |m| text(m.as_str()));
        match self {
            Self::Whole => group(found.get(0)),
            Self::Groups(n) => Value::tuple((1..=*n).map(|i| group(found.get(i))).collect()),
            Self::Named(names) => Value::object(names.iter().map(|n| (n.as_str(), group(found.name(n))))),
        }
    }
}

fn prepare(a: &Args) -> Result<(Regex, Shape), super::Fail> {
    let invalid = |reason: &str| arg_error(0, format!("invalid regexp pattern: {reason}"));
    let regex = compile(a.str(0)).map_err(|reason| invalid(&reason))?;
    let shape = Shape::of(&regex).map_err(invalid)?;
    Ok((regex, shape))
}

/// The first match.
pub(super) fn regex(a: &Args) -> Outcome {
    let (regex, shape) = prepare(a)?;
    if !a.value(1).is_known() {
        return Ok(unknown_of(shape.ty()));
    }
    let found = regex.captures(a.str(1));
    found.map(|f| shape.value(&f)).ok_or_else(|| error("pattern did not match any part of the given string"))
}

/// All matches that do not overlap.
pub(super) fn regexall(a: &Args) -> Outcome {
    let (regex, shape) = prepare(a)?;
    if !a.value(1).is_known() {
        return Ok(unknown_of(Type::list(shape.ty())));
    }
    Ok(Value::list(shape.ty(), regex.captures_iter(a.str(1)).map(|f| shape.value(&f)).collect()))
}
