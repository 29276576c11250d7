//! `format` and `formatlist`: text with verbs such as `%s` and `%05d`.

use sgp_model::{Kind, Number, Type, Value, convert::convert, json, value::Lengths};
use unicode_segmentation::UnicodeSegmentation;

use super::spec::{
    Args, Fail, Function, Outcome, Ty, arg_error, error, lengths, param, text, unknown_text, unknown_with,
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "format",
        params: &[param("format", Ty::String)],
        rest: Some(param("args", Ty::Any).null().unknown()),
        returns: Ty::String,
        run: format,
    },
    Function {
        name: "formatlist",
        params: &[param("format", Ty::String)],
        rest: Some(param("args", Ty::Any).null().unknown()),
        returns: Ty::ListOfString,
        run: format_list,
    },
];

fn format(a: &Args) -> Outcome {
    rendered(a.str(0), &a.values[1..])
}

/// The text, or what is certain of it: what stands before the first verb whose argument is not known.
fn rendered(template: &str, args: &[Value]) -> Outcome {
    let known = args.iter().all(Value::is_wholly_known);
    let result = render(template, args)?;
    Ok(if known { text(&result) } else { unknown_text(&result) })
}

/// Each argument is a sequence or one value for all rounds; sequences have one length.
fn format_list(a: &Args) -> Outcome {
    let (template, args) = (a.str(0), &a.values[1..]);
    let rounds = same_length(args)?;
    if args.iter().any(is_open) {
        let count = match rounds {
            // Elements of a set that are not known may turn out to be one.
            Some(n) if args.iter().any(|arg| matches!(arg.kind(), Kind::Set(..)) && is_open(arg)) => {
                Lengths { min: n.min(1), max: Some(n) }
            }
            // A tuple that turns out to be null counts as one value.
            Some(_) if args.iter().any(|arg| matches!(arg.ty(), Type::Tuple(_)) && !arg.is_never_null()) => {
                Lengths::default()
            }
            Some(n) => Lengths::exactly(n),
            None => {
                args.iter().filter(|arg| is_open(arg) && arg.is_never_null()).map(lengths).next().unwrap_or_default()
            }
        };
        return Ok(unknown_with(Type::list(Type::String), count));
    }
    let sequences: Vec<Option<Vec<&Value>>> = args.iter().map(Value::elements).collect();
    let round = |i: usize| {
        let each = args.iter().zip(&sequences);
        let args: Vec<Value> = each.map(|(one, all)| all.as_ref().map_or(one, |es| es[i]).clone()).collect();
        let failed = |e: Fail| Fail { message: format!("error on format iteration {i}: {}", e.message), ..e };
        rendered(template, &args).map_err(failed)
    };
    Ok(Value::list(Type::String, (0..rounds.unwrap_or(1)).map(round).collect::<Result<_, _>>()?))
}

/// Whether it is a sequence whose elements cannot be gone through yet.
fn is_open(arg: &Value) -> bool {
    match arg.kind() {
        Kind::Unknown(u) => matches!(u.ty, Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic),
        Kind::Set(..) => !arg.is_wholly_known(),
        _ => false,
    }
}

/// The length of the sequences among the arguments, as far as it is known; all have the same.
fn same_length(args: &[Value]) -> Result<Option<usize>, Fail> {
    let mut first: Option<(usize, usize)> = None;
    for (place, arg) in (1..).zip(args) {
        let length = match arg.kind() {
            // How many elements an unknown tuple has is part of its type.
            Kind::Unknown(unknown) => match &unknown.ty {
                Type::Tuple(ts) => Some(ts.len()),
                _ => None,
            },
            _ => arg.elements().map(|es| es.len()),
        };
        match (length, first) {
            (Some(length), Some((first, expected))) if length != expected => {
                let reason = format!(
                    "argument {place} has length {length}, which is inconsistent with argument {first} of length {expected}"
                );
                return Err(arg_error(place, reason));
            }
            (Some(length), None) => first = Some((place, length)),
            _ => {}
        }
    }
    Ok(first.map(|(_, length)| length))
}

/// A verb: `%[2]-05.1f` and where it begins.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person writes on its own")]
struct Verb<'a> {
    source: &'a str,
    at: usize,
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    index: usize,
    letter: char,
}

/// Wide enough for any table and small enough not to be an attack on memory.
const WIDTH_LIMIT: usize = 10_000;

/// The text up to the first verb whose argument is not known, but all of the template is checked.
fn render(template: &str, args: &[Value]) -> Result<String, Fail> {
    let mut out = String::new();
    let (mut at, mut next, mut used) = (0, 0, 0);
    let mut certain = None;
    while let Some(found) = template[at..].find('%') {
        out.push_str(&template[at..at + found]);
        at += found;
        if template[at + 1..].starts_with('%') {
            out.push('%');
            at += 2;
            continue;
        }
        let verb = parse(template, at, next)?;
        at += verb.source.len();
        next = verb.index + 1;
        used = used.max(next);
        let Some(arg) = args.get(verb.index) else {
            return Err(error(format!(
                "not enough arguments for {:?} at {}: need index {} but have {} total",
                verb.source,
                verb.at,
                verb.index + 1,
                args.len()
            )));
        };
        if arg.is_wholly_known() {
            out.push_str(&verb.apply(arg)?);
        } else {
            certain.get_or_insert(out.len());
        }
    }
    out.push_str(&template[at..]);
    if used < args.len() {
        let reason = match used {
            0 => "too many arguments; no verbs in format string".to_owned(),
            n => format!("too many arguments; only {n} used by format string"),
        };
        return Err(arg_error(used + 1, reason));
    }
    out.truncate(certain.unwrap_or(out.len()));
    Ok(out)
}

fn parse(template: &str, start: usize, next: usize) -> Result<Verb<'_>, Fail> {
    let bytes = template.as_bytes();
    let mut verb = Verb { at: start, index: next, ..Verb::default() };
    let mut at = start + 1;
    let unrecognized = |at: usize| match template.get(at..).and_then(|rest| rest.chars().next()) {
        Some(c) => error(format!("unrecognized format character {c:?} at offset {at}")),
        None => error(format!("invalid format string starting at offset {at}")),
    };
    let number = |at: &mut usize| {
        let from = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        template[from..*at].parse::<usize>().unwrap_or(0)
    };
    let indexed = |at: &mut usize, verb: &mut Verb| {
        if bytes.get(*at) != Some(&b'[') {
            return Ok(());
        }
        *at += 1;
        let first = *at;
        if !matches!(bytes.get(first), Some(b'1'..=b'9')) {
            return Err(unrecognized(first));
        }
        verb.index = number(at) - 1;
        if bytes.get(*at) != Some(&b']') {
            return Err(unrecognized(*at));
        }
        *at += 1;
        Ok(())
    };
    indexed(&mut at, &mut verb)?;
    while let Some(flag) = bytes.get(at) {
        match flag {
            b'0' => verb.zero = true,
            b'#' => verb.sharp = true,
            b'-' => verb.minus = true,
            b' ' => verb.space = true,
            b'+' => verb.plus = true,
            _ => break,
        }
        at += 1;
    }
    indexed(&mut at, &mut verb)?;
    verb.width = number(&mut at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        // Without digits it is zero.
        verb.precision = Some(number(&mut at));
    }
    indexed(&mut at, &mut verb)?;
    if verb.width > WIDTH_LIMIT || verb.precision.is_some_and(|p| p > WIDTH_LIMIT) {
        return Err(error(format!("width or precision above {WIDTH_LIMIT} at offset {start}")));
    }
    match template[at..].chars().next() {
        Some(letter) if letter.is_ascii_alphabetic() => {
            verb.letter = letter;
            verb.source = &template[start..=at];
            Ok(verb)
        }
        _ => Err(unrecognized(at)),
    }
}

impl Verb<'_> {
    fn apply(&self, arg: &Value) -> Result<String, Fail> {
        match self.letter {
            'v' => Ok(self.any(arg)),
            't' => self.typed(arg, &Type::Bool).map(|v| v.as_bool().unwrap_or_default().to_string()),
            'b' | 'd' | 'o' | 'x' | 'X' => self.whole(arg),
            'e' | 'E' | 'f' | 'g' | 'G' => {
                let value = self.typed(arg, &Type::Number)?;
                Ok(value.as_number().map(|n| self.float(n, self.letter)).unwrap_or_default())
            }
            's' => Ok(self.pad(self.cut(self.string(arg)?.as_str().unwrap_or_default()))),
            'q' => {
                let cut = self.cut(self.string(arg)?.as_str().unwrap_or_default());
                Ok(self.pad(json_text(&cut.into())))
            }
            other => {
                Err(error(format!("unsupported format verb {other:?} in {:?} at offset {}", self.source, self.at)))
            }
        }
    }

    fn unsupported(&self, reason: impl std::fmt::Display) -> Fail {
        error(format!("unsupported value for {:?} at {}: {reason}", self.source, self.at))
    }

    fn typed(&self, arg: &Value, ty: &Type) -> Result<Value, Fail> {
        if arg.is_null() {
            return Err(self.unsupported("null value cannot be formatted"));
        }
        convert(arg, ty).map_err(|e| self.unsupported(e))
    }

    fn string(&self, arg: &Value) -> Result<Value, Fail> {
        self.typed(arg, &Type::String)
    }

    /// Whatever it is, in its plainest form: of the flags only those count that say where it stands in its width.
    fn any(&self, arg: &Value) -> String {
        match arg.kind() {
            Kind::String(s) if !self.sharp => self.pad(s.to_string()),
            Kind::Number(n) if !self.sharp => {
                let plain = Self { plus: false, space: false, zero: false, width: 0, precision: None, ..*self };
                self.pad(plain.float(n, 'g'))
            }
            _ => self.pad(json_text(arg)),
        }
    }

    fn whole(&self, arg: &Value) -> Result<String, Fail> {
        let value = self.typed(arg, &Type::Number)?;
        let number =
            value.as_number().filter(|n| n.is_whole()).ok_or_else(|| self.unsupported("an integer is required"))?;
        if self.precision == Some(0) && number.is_zero() {
            // No digit is asked for and none is needed; the width does not count then.
            return Ok(String::new());
        }
        let (radix, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = number.abs().to_radix(radix).unwrap_or_default();
        if self.letter == 'X' {
            digits.make_ascii_uppercase();
        }
        if let Some(precision) = self.precision {
            digits = format!("{digits:0>precision$}");
        }
        let prefix = if self.sharp { prefix } else { "" };
        // The precision says already how many zeros there are.
        let padding = Self { zero: self.zero && self.precision.is_none(), ..*self };
        Ok(padding.signed(number, prefix, &digits))
    }

    fn float(&self, number: &Number, letter: char) -> String {
        let magnitude = number.abs();
        let digits = match letter {
            'f' => magnitude.to_fixed(self.precision.unwrap_or(6)),
            'e' | 'E' => magnitude.to_scientific(Some(self.precision.unwrap_or(6)), letter),
            _ => self.general(&magnitude, if letter == 'G' { 'E' } else { 'e' }),
        };
        self.signed(number, "", &digits)
    }

    /// `%g`: plain notation where the exponent is small, and no zeros at the end.
    fn general(&self, magnitude: &Number, mark: char) -> String {
        let Some(precision) = self.precision else {
            let exponent = magnitude.decimal_exponent();
            let plain = magnitude.to_string();
            // Without a precision six places decide.
            return if (-4..6).contains(&exponent) { plain } else { magnitude.to_scientific(None, mark) };
        };
        let places = precision.max(1);
        let scientific = magnitude.to_scientific(Some(places - 1), mark);
        let (mantissa, exponent) = scientific.split_once(mark).unwrap_or((&scientific, "0"));
        let exponent: i64 = exponent.parse().unwrap_or(0);
        let significant = mantissa.trim_end_matches('0').bytes().filter(u8::is_ascii_digit).count().max(1);
        let whole_digits = i64::try_from(places).unwrap_or(i64::MAX);
        if exponent < -4 || exponent >= whole_digits {
            let mantissa =
                if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            let sign = if exponent < 0 { '-' } else { '+' };
            return format!("{mantissa}{mark}{sign}{:02}", exponent.unsigned_abs());
        }
        let fraction = i64::try_from(significant).unwrap_or(i64::MAX) - 1 - exponent;
        let rounded = magnitude.to_fixed(usize::try_from(fraction.max(0)).unwrap_or(0));
        if fraction >= 0 { rounded } else { scaled(mantissa, exponent) }
    }

    fn signed(&self, number: &Number, prefix: &str, magnitude: &str) -> String {
        let sign = match (number.is_negative(), self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        let length = sign.len() + prefix.len() + magnitude.len();
        if self.zero && !self.minus && length < self.width {
            return format!("{sign}{prefix}{}{magnitude}", "0".repeat(self.width - length));
        }
        Self { zero: false, ..*self }.pad(format!("{sign}{prefix}{magnitude}"))
    }

    /// As many characters as the precision says; all of them without one, and where it is zero.
    fn cut(&self, s: &str) -> String {
        match self.precision {
            Some(precision) if precision > 0 => s.graphemes(true).take(precision).collect(),
            _ => s.to_owned(),
        }
    }

    fn pad(&self, s: String) -> String {
        let missing = self.width.saturating_sub(s.graphemes(true).count());
        let fill = if self.zero { "0" } else { " " }.repeat(missing);
        if self.minus { s + &fill } else { fill + &s }
    }
}

/// The digits of a scientific mantissa as a whole number of so many more places.
fn scaled(mantissa: &str, exponent: i64) -> String {
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let places = usize::try_from(exponent).unwrap_or(0) + 1;
    format!("{digits:0<places$}").chars().take(places).collect()
}

fn json_text(value: &Value) -> String {
    json::to_json_text(value).expect("unknown arguments make the result unknown before they are formatted")
}
