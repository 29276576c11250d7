//! `format` and `formatlist`: text with verbs such as `%s` and `%05d`.

use sgp_model::{Kind, Number, Type, Value, convert::convert, json};
use unicode_segmentation::UnicodeSegmentation;

use super::spec::{Args, Fail, Function, Outcome, Ty, arg_error, error, param, text, unknown_of};

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
    let template = a.str(0);
    if a.values[1..].iter().any(|v| !v.is_wholly_known()) {
        // What stands before the first verb is certain.
        let prefix = template.split('%').next().filter(|p| !p.is_empty()).map(Into::into);
        let unknown = sgp_model::value::Unknown { ty: Type::String, not_null: true, prefix };
        return Ok(Kind::Unknown(std::sync::Arc::new(unknown)).into());
    }
    render(template, &a.values[1..]).map(|s| text(&s))
}

/// Each argument is a sequence or one value for all rounds; sequences have one length.
fn format_list(a: &Args) -> Outcome {
    let template = a.str(0);
    let mut rounds: Option<(usize, usize)> = None;
    for (place, arg) in a.values.iter().enumerate().skip(1) {
        if !arg.is_known() && !matches!(arg.ty(), Type::Tuple(_)) {
            return Ok(unknown_of(Type::list(Type::String)));
        }
        let Some(length) = arg.elements().map(|es| es.len()) else { continue };
        if matches!(arg.kind(), Kind::Set(..)) && !arg.is_wholly_known() {
            return Ok(unknown_of(Type::list(Type::String)));
        }
        match rounds {
            Some((first, expected)) if length != expected => {
                return Err(arg_error(
                    place,
                    format!(
                        "argument {place} has length {length}, which is inconsistent with argument {first} of length {expected}"
                    ),
                ));
            }
            Some(_) => {}
            None => rounds = Some((place, length)),
        }
    }
    let round = |i: usize| {
        let args: Vec<Value> =
            a.values[1..].iter().map(|arg| arg.elements().map_or_else(|| arg.clone(), |es| es[i].clone())).collect();
        if args.iter().any(|v| !v.is_wholly_known()) {
            return Ok(unknown_of(Type::String));
        }
        render(template, &args)
            .map(|s| text(&s))
            .map_err(|e| Fail { message: format!("error on format iteration {i}: {}", e.message), ..e })
    };
    Ok(Value::list(Type::String, (0..rounds.map_or(1, |(_, n)| n)).map(round).collect::<Result<_, _>>()?))
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

fn render(template: &str, args: &[Value]) -> Result<String, Fail> {
    let mut out = String::new();
    let (mut at, mut next, mut used) = (0, 0, 0);
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
        out.push_str(&verb.apply(arg)?);
    }
    out.push_str(&template[at..]);
    if used < args.len() {
        let reason = match used {
            0 => "too many arguments; no verbs in format string".to_owned(),
            n => format!("too many arguments; only {n} used by format string"),
        };
        return Err(arg_error(used + 1, reason));
    }
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
                Self { plus: false, space: false, precision: None, ..*self }.float(n, 'g')
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
