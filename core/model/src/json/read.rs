//! A JSON reader that keeps every digit of a number.

use std::{collections::BTreeMap, sync::Arc};

use super::{JsonError, nfc};
use crate::{Kind, Number, Value};

/// Deeper nesting is refused rather than overflowing the stack.
const DEPTH_LIMIT: usize = 256;

/// The value that a JSON text holds: arrays are tuples, objects are objects, null has no type, of a repeated name the
/// last counts, strings are composed (NFC).
///
/// # Errors
/// [`JsonError::Syntax`] with the place.
pub fn from_json_text(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let result = reader.value(0).and_then(|value| {
        reader.space();
        if reader.at < text.len() { Err("extraneous data after the JSON value") } else { Ok(value) }
    });
    result.map_err(|message| {
        let before = &text[..reader.at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        JsonError::Syntax {
            message,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    })
}

/// `at` is always a character boundary: it moves past ASCII bytes and past whole runs of text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > DEPTH_LIMIT {
            return Err("too many nested levels");
        }
        self.space();
        match self.peek() {
            None => Err("unexpected end of JSON text"),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::string(nfc(&self.string()?))),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("true") => Ok(true.into()),
            _ if self.take("false") => Ok(false.into()),
            _ if self.take("null") => Ok(Value::dynamic_null()),
            _ => Err("a JSON value is required"),
        }
    }

    /// After an element: whether another one follows, or the closing bracket was there.
    fn more(&mut self, close: &str, missing: &'static str) -> Read<bool> {
        self.space();
        if self.take(close) {
            Ok(false)
        } else if self.take(",") {
            Ok(true)
        } else if self.peek().is_none() {
            Err("unexpected end of JSON text")
        } else {
            Err(missing)
        }
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut elements = Vec::new();
        self.space();
        if !self.take("]") {
            loop {
                elements.push(self.value(depth + 1)?);
                if !self.more("]", "a comma or a closing bracket is required")? {
                    break;
                }
            }
        }
        Ok(Value::tuple(elements))
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut fields = BTreeMap::new();
        self.space();
        if !self.take("}") {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return Err("a property name in quotes is required");
                }
                let name = nfc(&self.string()?);
                self.space();
                if !self.take(":") {
                    return Err("a colon is required after a property name");
                }
                fields.insert(name, self.value(depth + 1)?);
                if !self.more("}", "a comma or a closing brace is required")? {
                    break;
                }
            }
        }
        Ok(Kind::Object(Arc::new(fields)).into())
    }

    fn number(&mut self) -> Read<Value> {
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let rest = self.rest();
        let mut length = usize::from(rest.starts_with('-'));
        let whole = digits(&rest[length..]);
        if whole == 0 || (whole > 1 && rest[length..].starts_with('0')) {
            return Err("invalid number");
        }
        length += whole;
        if rest[length..].starts_with('.') {
            let fraction = digits(&rest[length + 1..]);
            if fraction == 0 {
                return Err("invalid number");
            }
            length += 1 + fraction;
        }
        if rest[length..].starts_with(['e', 'E']) {
            let signed = usize::from(rest[length + 1..].starts_with(['+', '-']));
            let exponent = digits(&rest[length + 1 + signed..]);
            if exponent == 0 {
                return Err("invalid number");
            }
            length += 1 + signed + exponent;
        }
        let number: Number = rest[..length].parse().map_err(|_| "number too large")?;
        self.at += length;
        Ok(number.into())
    }

    fn string(&mut self) -> Read<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < b' ') else {
                return Err("unterminated string");
            };
            text.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => text.push(self.escape()?),
                _ => return Err("control character in a string"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escaped = self.rest().as_bytes().get(1).copied();
        let c = match escaped {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err("invalid escape sequence"),
        };
        self.at += 2;
        Ok(c)
    }

    fn code_unit(&mut self) -> Read<u32> {
        let unit = self.rest().get(2..6).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = unit.and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or("invalid escape sequence")?;
        self.at += 6;
        Ok(unit)
    }

    /// A surrogate without its other half becomes the replacement character.
    fn code_point(&mut self) -> Read<char> {
        let unit = self.code_unit()?;
        if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
            let before = self.at;
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}
