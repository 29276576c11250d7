//! The reader: one document, plain scalars resolved as YAML 1.1 and 1.2 tools commonly do, numbers with all their digits.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use sgp_model::{Kind, Number, Type, Value, convert::convert, json::nfc};

use crate::functions::{encoding, time};

/// Deeper nesting is refused rather than overflowing the stack.
const DEPTH_LIMIT: usize = 200;
/// Aliases let a short text stand for a huge value.
const NODE_LIMIT: usize = 1_000_000;

/// The value of the only document in the text; the error says where and why.
pub(crate) fn decode(text: &str) -> Result<Value, String> {
    // Comments would be events like any other wherever some other crate asks the parser for them; a block of text that
    // the document ends within has no more line breaks than are there.
    let options = granit_parser::options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { events, anchors: HashMap::new(), nodes: 0 };
    reader.document()
}

struct Reader<E> {
    events: E,
    /// Finished nodes by anchor with their size; `None` inside of their own definition.
    anchors: HashMap<usize, Option<(Value, usize)>>,
    nodes: usize,
}

fn at(span: &Span, message: impl std::fmt::Display) -> String {
    format!("on line {}, column {}: {message}", span.start.line(), span.start.col() + 1)
}

impl<'a, E: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Reader<E> {
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(e)) => {
                let mark = e.marker();
                Err(format!("on line {}, column {}: {}", mark.line(), mark.col() + 1, e.info()))
            }
            None => Err("unexpected end of document".into()),
        }
    }

    fn document(&mut self) -> Result<Value, String> {
        loop {
            match self.next()? {
                (Event::StreamStart, _) => {}
                (Event::DocumentStart(..), _) => break,
                (_, span) => return Err(at(&span, "missing start of document")),
            }
        }
        let (event, span) = self.next()?;
        let value = self.node(event, &span, 0)?;
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(value),
                (_, span) => return Err(at(&span, "unexpected extra content after value")),
            }
        }
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > NODE_LIMIT { Err(at(span, "the document is too large with its aliases")) } else { Ok(()) }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Value, String> {
        if depth > DEPTH_LIMIT {
            return Err(at(span, "too many nested levels"));
        }
        let before = self.nodes;
        self.count(1, span)?;
        let anchor = match &event {
            Event::Scalar(_, _, id, _) | Event::SequenceStart(_, id, _) | Event::MappingStart(_, id, _) => *id,
            _ => 0,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        let value = match event {
            Event::Alias(id) => return self.alias(id, span),
            Event::Scalar(text, style, _, tag) => scalar(&text, style, tag.as_deref()).map_err(|e| at(span, e))?,
            Event::SequenceStart(_, _, tag) => {
                expect_tag(tag.as_ref(), "seq", "sequence").map_err(|e| at(span, e))?;
                self.sequence(depth)?
            }
            Event::MappingStart(_, _, tag) => {
                expect_tag(tag.as_ref(), "map", "mapping").map_err(|e| at(span, e))?;
                self.mapping(depth)?
            }
            _ => return Err(at(span, "a value is required")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, Some((value.clone(), self.nodes - before)));
        }
        Ok(value)
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Value, String> {
        match self.anchors.get(&id) {
            Some(Some((value, size))) => {
                let (value, size) = (value.clone(), *size);
                self.count(size, span)?;
                Ok(value)
            }
            Some(None) => Err(at(span, "cannot refer to an anchor from inside its own definition")),
            None => Err(at(span, "reference to undefined anchor")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, String> {
        let mut elements = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::tuple(elements)),
                (event, span) => elements.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Kind::Object(Arc::new(fields)).into());
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, &span, depth + 1)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, &value_span, depth + 1)?;
            if merge {
                merge_into(&mut fields, &value).map_err(|e| at(&value_span, e))?;
                continue;
            }
            if key.is_null() {
                return Err(at(&span, "mapping key cannot be null"));
            }
            let key =
                convert(&key, &Type::String).map_err(|_| at(&span, "only strings are allowed as mapping keys"))?;
            fields.insert(key.as_str().unwrap_or_default().into(), value);
        }
    }
}

/// A mapping, or a sequence of mappings. Whatever comes later wins, merged or not, as everywhere in the language; YAML's own
/// recommendation is another one.
fn merge_into(fields: &mut BTreeMap<Arc<str>, Value>, value: &Value) -> Result<(), String> {
    let sources = value.elements().unwrap_or_else(|| vec![value]);
    for source in sources {
        let Kind::Object(merged) = source.kind() else {
            return Err(format!("cannot merge {} into mapping", source.ty().friendly_name()));
        };
        fields.extend(merged.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(())
}

/// The name of a tag of YAML's own, such as `int`.
fn core_name(tag: &Tag) -> Result<String, String> {
    let full = tag.to_string();
    let expanded = full.strip_prefix("!!").or_else(|| full.strip_prefix("tag:yaml.org,2002:"));
    expanded.map(str::to_owned).ok_or_else(|| format!("unsupported tag {full:?}"))
}

fn expect_tag(tag: Option<&Cow<Tag>>, name: &str, kind: &str) -> Result<(), String> {
    match tag.map(|t| core_name(t)).transpose()? {
        Some(other) if other != name => Err(format!("can't interpret {kind} as tag:yaml.org,2002:{other}")),
        _ => Ok(()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::string(nfc(text));
    let Some(tag) = tag.map(core_name).transpose()? else {
        return if style == ScalarStyle::Plain { plain(text) } else { Ok(string()) };
    };
    let wrong = || format!("cannot parse {text:?} as tag:yaml.org,2002:{tag}");
    match tag.as_str() {
        "str" => Ok(string()),
        "binary" => {
            encoding::from_base64(text).map(|_| string()).ok_or_else(|| format!("{}: not valid base64", wrong()))
        }
        "int" | "float" | "bool" | "null" | "timestamp" if style != ScalarStyle::Plain && may_resolve(text) => {
            Ok(string())
        }
        "int" => integer(text).map(Value::from).ok_or_else(wrong),
        "float" => number(text).map(Value::from).ok_or_else(wrong),
        "bool" => boolean(text).map(Value::from).ok_or_else(wrong),
        "null" => Ok(Value::dynamic_null()),
        "timestamp" => time::loose_timestamp(text).map(Value::from).ok_or_else(wrong),
        _ => Err(format!("unsupported tag {:?}", format!("tag:yaml.org,2002:{tag}"))),
    }
}

/// Whether a text begins as one that stands for something other than a string without a tag. Between quotes such a text is a
/// string whatever its tag says.
fn may_resolve(text: &str) -> bool {
    text.chars().next().is_none_or(|c| "0123456789+-.~yYnNtTfFoO".contains(c))
}

fn plain(text: &str) -> Result<Value, String> {
    if is_null(text) {
        return Ok(Value::dynamic_null());
    }
    if let Some(b) = boolean(text) {
        return Ok(b.into());
    }
    if let Some(n) = integer(text).or_else(|| number(text)) {
        return Ok(n.into());
    }
    if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(format!("{text} is not a finite number"));
    }
    Ok(time::loose_timestamp(text).map_or_else(|| Value::string(nfc(text)), Value::from))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| {
        // A sign after the prefix is no digit.
        digits.starts_with(|c: char| c.is_digit(radix)).then(|| Number::from_radix(digits, radix).ok()).flatten()
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// What looks like a decimal number and nothing else: no words such as `e3`.
fn number(text: &str) -> Option<Number> {
    text.contains(|c: char| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
