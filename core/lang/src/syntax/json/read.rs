//! JSON text to nodes: every property in its place, numbers with all their digits.

use std::{str::FromStr, sync::Arc};

use sgp_model::{Diagnostic, Number, Span};

use super::{Kind, Node, Property, Text};
use crate::syntax::cursor::{MAX_STRUCTURE, Parsed, too_deep};

pub(super) fn document(file: &Arc<str>, text: &str) -> Parsed<Node> {
    let at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut reader = Reader { file, text, at, depth: 0 };
    let node = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => {
            Err(reader
                .error("Extra characters after the JSON value", "A file holds one JSON value; more follows here."))
        }
    }
}

/// `at` is always the start of a character.
struct Reader<'t> {
    file: &'t Arc<str>,
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(self.file.clone(), start..self.at)
    }

    fn error(&self, summary: &str, detail: impl Into<String>) -> Diagnostic {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        let start = if end > self.at { self.at } else { self.text.char_indices().next_back().map_or(0, |(i, _)| i) };
        Diagnostic::error(summary, detail).at(Span::new(self.file.clone(), start..end))
    }

    fn found(&self) -> String {
        self.peek().map_or_else(|| "the end of the text".to_owned(), |c| format!("{:?}", c.to_string()))
    }

    fn value(&mut self) -> Parsed<Node> {
        self.space();
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"') => Kind::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => self.word()?,
            _ => {
                let detail = format!(
                    "A JSON value is expected here: an object, an array, a string in double quotes, a number, true, false or null; found {}.",
                    self.found()
                );
                return Err(self.error("Invalid JSON", detail));
            }
        };
        Ok(Node { kind, span: self.span_from(start) })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<Kind>) -> Parsed<Kind> {
        if self.depth == MAX_STRUCTURE {
            return Err(too_deep(MAX_STRUCTURE, Span::new(self.file.clone(), self.at..self.at + 1)));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(64 * 1024, 1024 * 1024, || inner(self));
        self.depth -= 1;
        result
    }

    fn object(&mut self) -> Parsed<Kind> {
        let open = self.at;
        self.at += 1;
        let mut properties = Vec::new();
        loop {
            self.space();
            if properties.is_empty() && self.eat('}') {
                break;
            }
            if self.peek() != Some('"') {
                let detail = format!(
                    "A property name in double quotes is expected here, found {}.{}",
                    self.found(),
                    self.comma_hint('}')
                );
                return Err(self.unclosed(open).unwrap_or_else(|| self.error("Invalid JSON", detail)));
            }
            let name = self.string()?;
            self.space();
            if !self.eat(':') {
                let detail = format!(
                    "A colon and a value are expected after the property name {:?}, found {}.",
                    &*name.decoded,
                    self.found()
                );
                return Err(self.error("Invalid JSON", detail));
            }
            let value = self.value()?;
            properties.push(Arc::new(Property { name, value }));
            self.space();
            if !self.eat(',') {
                self.close('}', open)?;
                break;
            }
        }
        Ok(Kind::Object(properties))
    }

    fn array(&mut self) -> Parsed<Kind> {
        let open = self.at;
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.space();
            if elements.is_empty() && self.eat(']') {
                break;
            }
            if self.peek() == Some(']') {
                let detail = format!("A value is expected after the comma.{}", self.comma_hint(']'));
                return Err(self.error("Invalid JSON", detail));
            }
            elements.push(self.value()?);
            self.space();
            if !self.eat(',') {
                self.close(']', open)?;
                break;
            }
        }
        Ok(Kind::Array(elements))
    }

    fn comma_hint(&self, close: char) -> &'static str {
        let trailing = self.peek() == Some(close) && self.text[..self.at].trim_end().ends_with(',');
        if trailing { " JSON has no comma after the last one." } else { "" }
    }

    fn close(&mut self, bracket: char, open: usize) -> Parsed<()> {
        if self.eat(bracket) {
            return Ok(());
        }
        let detail = format!("A comma or {:?} is expected here, found {}.", bracket.to_string(), self.found());
        Err(self.unclosed(open).unwrap_or_else(|| self.error("Invalid JSON", detail)))
    }

    /// The error of a bracket that nothing closes, at the end of the text.
    fn unclosed(&self, open: usize) -> Option<Diagnostic> {
        let at = Span::new(self.file.clone(), open..open + 1);
        let error =
            || Diagnostic::error("Invalid JSON", "Nothing closes this bracket before the end of the text.").at(at);
        self.peek().is_none().then(error)
    }

    fn word(&mut self) -> Parsed<Kind> {
        let start = self.at;
        let rest = &self.text[start..];
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            "true" => Ok(Kind::Bool(true)),
            "false" => Ok(Kind::Bool(false)),
            "null" => Ok(Kind::Null),
            _ => {
                let detail = format!(
                    "{word:?} is no JSON value: text and references stand in double quotes, a reference as \"${{...}}\"."
                );
                Err(Diagnostic::error("Invalid JSON", detail).at(self.span_from(start)))
            }
        }
    }

    /// JSON's numbers: no sign but a minus, no zero before other digits, digits on both sides of a point.
    fn number(&mut self) -> Parsed<Kind> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = start + usize::from(bytes[start] == b'-');
        let whole = end;
        end = digits(end);
        let mut valid = end > whole && (end == whole + 1 || bytes[whole] != b'0');
        if bytes.get(end) == Some(&b'.') {
            let from = end + 1;
            end = digits(from);
            valid &= end > from;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let from = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(from);
            valid &= end > from;
        }
        self.at = end;
        let number = if valid { Number::from_str(&self.text[start..end]).ok() } else { None };
        number.map(Kind::Number).ok_or_else(|| {
            Diagnostic::error("Invalid JSON number", "This is no number that JSON writes and that can be represented.")
                .at(self.span_from(start))
        })
    }

    fn string(&mut self) -> Parsed<Text> {
        let start = self.at;
        self.at += 1;
        let (mut text, mut escapes) = (String::new(), Vec::new());
        loop {
            let rest = &self.text[self.at..];
            let run = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            text.push_str(&rest[..run]);
            self.at += run;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(Text { decoded: text.into(), span: self.span_from(start), escapes });
                }
                Some('\\') => {
                    text.push(self.escape()?);
                    escapes.push((text.len(), self.at));
                }
                Some('\n' | '\r') => {
                    let detail = "A string ends on its own line; a line break in it is written \\n.";
                    return Err(Diagnostic::error("Invalid JSON string", detail)
                        .at(Span::new(self.file.clone(), start..self.at)));
                }
                Some(_) => {
                    let detail = "Control characters in a string are written as escapes: \\t, \\u001b.";
                    return Err(self.error("Invalid JSON string", detail));
                }
                None => {
                    let detail = "There is no closing quote for this string.";
                    return Err(Diagnostic::error("Invalid JSON string", detail)
                        .at(Span::new(self.file.clone(), start..start + 1)));
                }
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        self.at += 1;
        let c = self.peek();
        self.at += c.map_or(0, char::len_utf8);
        let found = match c {
            Some('"' | '\\' | '/') => c,
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        found.ok_or_else(|| {
            let detail = "JSON's escapes are \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\uNNNN with hexadecimal digits; characters beyond are two of those, a surrogate pair.";
            Diagnostic::error("Invalid JSON string", detail).at(self.span_from(start))
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = if self.eat('\\') && self.eat('u') { self.hex()? } else { return None };
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        self.at += if all { 4 } else { 0 };
        if all { u32::from_str_radix(digits, 16).ok() } else { None }
    }
}
