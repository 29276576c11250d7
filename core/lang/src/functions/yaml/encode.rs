//! The writer: block style, every string in double quotes or as a literal block, sequences in mappings not indented.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use sgp_model::{Kind, Value};

/// Lines of quoted text are folded at the first space after this column.
const WIDTH: usize = 80;
/// A longer key is written after a question mark.
const SIMPLE_KEY: usize = 128;

/// The value, which is wholly known, as a YAML document with a line break at the end.
pub(crate) fn encode(value: &Value) -> String {
    let mut writer = Writer { out: String::new() };
    writer.inline(value, 0, 0);
    writer.end_line();
    if matches!(value.kind(), Kind::Null(_) | Kind::Bool(_) | Kind::Number(_)) {
        // The end of a plain scalar that stands alone is not certain without a mark.
        writer.out.push_str("...\n");
    }
    writer.out
}

struct Writer {
    out: String,
}

type Fields = BTreeMap<Arc<str>, Value>;

impl Writer {
    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.end_line();
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Where a mapping or sequence may begin on the line that is being written: its own indentation is `column`, and
    /// that of what it is in `indent`.
    fn inline(&mut self, value: &Value, indent: usize, column: usize) {
        match value.kind() {
            Kind::Map(_, fields) | Kind::Object(fields) if !fields.is_empty() => self.mapping(fields, column),
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => match value.elements().unwrap_or_default().as_slice() {
                [] => self.out.push_str("[]"),
                elements => self.sequence(elements, column),
            },
            _ => self.scalar(value, indent),
        }
    }

    fn mapping(&mut self, fields: &Fields, indent: usize) {
        for (i, (key, value)) in fields.iter().enumerate() {
            if i > 0 {
                self.new_line(indent);
            }
            if key.len() > SIMPLE_KEY || key.contains(is_break) {
                self.out.push_str("? ");
                self.string(key, indent);
                self.new_line(indent);
                self.out.push_str(": ");
                self.inline(value, indent, indent + 2);
            } else {
                self.quoted(key, None);
                self.out.push(':');
                self.after_key(value, indent);
            }
        }
    }

    fn after_key(&mut self, value: &Value, indent: usize) {
        match value.kind() {
            Kind::Map(_, fields) | Kind::Object(fields) if !fields.is_empty() => {
                self.new_line(indent + 2);
                self.mapping(fields, indent + 2);
            }
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) if value.elements().is_some_and(|es| !es.is_empty()) => {
                self.new_line(indent);
                self.sequence(&value.elements().unwrap_or_default(), indent);
            }
            _ => {
                self.out.push(' ');
                self.inline(value, indent, indent);
            }
        }
    }

    fn sequence(&mut self, elements: &[&Value], indent: usize) {
        for (i, element) in elements.iter().enumerate() {
            if i > 0 {
                self.new_line(indent);
            }
            self.out.push_str("- ");
            self.inline(element, indent, indent + 2);
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value.kind() {
            Kind::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => self.out.push_str(&n.to_string()),
            Kind::String(s) => self.string(s, indent),
            Kind::Map(..) | Kind::Object(_) => self.out.push_str("{}"),
            _ => self.out.push_str("null"),
        }
    }

    fn string(&mut self, text: &str, indent: usize) {
        if text.contains('\n') && literal_allowed(text) {
            self.literal(text, indent + 2);
        } else {
            self.quoted(text, Some(indent + 2));
        }
    }

    /// A block after `|`, with the marks that its first and last characters need.
    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.out.push('2');
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.out.push('-'),
            (true, None) => self.out.push('+'),
            (true, Some(before)) if is_break(before) => self.out.push('+'),
            (true, Some(_)) => {}
        }
        self.out.push('\n');
        let mut line_start = true;
        for c in text.chars() {
            if line_start && !is_break(c) {
                self.out.extend(std::iter::repeat_n(' ', indent));
            }
            line_start = is_break(c);
            self.out.push(c);
        }
    }

    /// Text in double quotes, folded to lines with this indentation if there is one.
    fn quoted(&mut self, text: &str, fold: Option<usize>) {
        let start = self.out.rfind('\n').map_or(0, |i| i + 1);
        let mut column = self.out[start..].chars().count() + 1;
        self.out.push('"');
        let mut after_space = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let last = chars.peek().is_none();
            if c == ' '
                && let Some(indent) = fold
                && !after_space
                && column > WIDTH
                && at > 0
                && !last
            {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
                if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                    self.out.push('\\');
                    column += 1;
                }
            } else {
                let before = self.out.len();
                self.character(c);
                column += self.out[before..].chars().count();
            }
            after_space = c == ' ';
        }
        self.out.push('"');
    }

    fn character(&mut self, c: char) {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            c if is_printable(c) => {
                self.out.push(c);
                return;
            }
            _ => "",
        };
        self.out.push_str(short);
        if short.is_empty() {
            let code = u32::from(c);
            // Writing to a string cannot fail.
            let _ = match code {
                0..=0xff => write!(self.out, "\\x{code:02X}"),
                0x100..=0xffff => write!(self.out, "\\u{code:04X}"),
                _ => write!(self.out, "\\U{code:08X}"),
            };
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether the text can stand as it is: nothing that needs an escape, and no space that would be lost or is hard to see
/// at the end of a line.
fn literal_allowed(text: &str) -> bool {
    let mut after_space = false;
    for c in text.chars() {
        if !is_printable(c) || (is_break(c) && after_space) {
            return false;
        }
        after_space = c == ' ';
    }
    !after_space
}
