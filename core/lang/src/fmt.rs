//! The formatter: one way to write a file, the one that Terraform's users know.
//!
//! It works on tokens, so comments and blank lines stay where they are: two spaces for each line that opened a bracket,
//! single spaces around operators, equals signs and trailing comments of neighbouring lines aligned, nothing changed
//! inside quotes and heredocs but the sequences. Text that is legacy syntax is brought up to date: labels without quotes,
//! arguments that are nothing but `"${...}"`, type names in quotes and collection types without what is in them.
//!
//! The reference is HCL's `hclwrite` (format.go) with what OpenTofu's fmt command does beside; the result is the same byte
//! for byte, oddities included: an end of file without a line break stays without, and `"${"${x}"}"` becomes `"${x}"`.
//! One difference is meant: labels that hold `$` or `%`, which the reference loses.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    ops::Range,
    sync::{Arc, LazyLock},
};

use regex::Regex;
use sgp_model::Diagnostic;

use self::tokens::{Kind, Token};
use crate::syntax::{self, Block, Body};

mod layout;
mod tokens;

/// What the end of a text stands in, innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Nothing is open.
    Nothing,
    /// Brackets of any kind, a template's sequence included.
    Bracket,
    /// Quotes.
    Quote,
    /// A heredoc.
    Heredoc,
}

/// What the end of a text stands in; the text need not be right.
pub(crate) fn inside(text: &str) -> Inside {
    let mut open = Vec::new();
    for token in tokens::scan(text) {
        match token.kind {
            Kind::OpenQuote => open.push(Inside::Quote),
            Kind::OpenHeredoc => open.push(Inside::Heredoc),
            Kind::CloseQuote | Kind::CloseHeredoc => drop(open.pop()),
            _ if token.brackets() > 0 => open.push(Inside::Bracket),
            _ if token.brackets() < 0 => drop(open.pop()),
            _ => {}
        }
    }
    open.pop().unwrap_or(Inside::Nothing)
}

/// The text in canonical form.
///
/// # Errors
/// The first syntax error; its span has an empty file name, see [`format_file`].
pub fn format(text: &str) -> Result<String, Diagnostic> {
    format_file(&Arc::from(""), text)
}

/// The text of a file in canonical form.
///
/// # Errors
/// The first syntax error.
pub fn format_file(file: &Arc<str>, text: &str) -> Result<String, Diagnostic> {
    let (body, diagnostics) = syntax::parse_body(file, text);
    if let Some(error) = diagnostics.into_iter().find(Diagnostic::is_error) {
        return Err(error);
    }
    let mut edits = Edits::default();
    let tokens = tokens::scan(text);
    // What stands between the last token and the end stays, counted in bytes as the reference does.
    let end = text.len() - tokens.last().map_or(0, |t| t.at + t.text.len());
    edits.body(&body, &tokens, None);
    let mut tokens = edits.apply(tokens);
    layout::arrange(&mut tokens);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for token in &tokens {
        out.extend(std::iter::repeat_n(' ', token.spaces));
        out.push_str(&token.text);
    }
    out.extend(std::iter::repeat_n(' ', end));
    Ok(out)
}

/// Tokens to write in place of others.
#[derive(Default)]
struct Edits<'a>(BTreeMap<usize, (Range<usize>, Vec<Token<'a>>)>);

impl<'a> Edits<'a> {
    fn body(&mut self, body: &Body, tokens: &[Token<'a>], inside: Option<&str>) {
        for attr in &body.attrs {
            let range = covering(tokens, &attr.expr.span.range);
            if inside == Some("variable") && &*attr.name == "type" {
                self.type_name(tokens, range);
            } else {
                self.unwrapped(tokens, range);
            }
        }
        for block in &body.blocks {
            self.labels(block, tokens);
            let kind = if inside.is_none() { &*block.ty } else { "" };
            self.body(&block.body, tokens, Some(kind));
        }
    }

    fn replace(&mut self, range: Range<usize>, with: Vec<Token<'a>>) {
        self.0.insert(range.start, (range, with));
    }

    /// Labels stand between quotes, with nothing but spaces before them.
    fn labels(&mut self, block: &Block, tokens: &[Token<'a>]) {
        let mut end = block.ty_span.range.end;
        for label in &block.labels {
            let comments = covering(tokens, &(end..label.span.range.start));
            end = label.span.range.end;
            let range = covering(tokens, &label.span.range);
            let at = tokens[range.start].at;
            let mut with = vec![Token::new(Kind::OpenQuote, "\"", at)];
            if !label.text.is_empty() {
                with.push(Token { text: escaped(&label.text).into(), ..Token::new(Kind::QuotedLit, "", at) });
            }
            with.push(Token::new(Kind::CloseQuote, "\"", at));
            self.replace(comments.start..range.end, with);
        }
    }

    /// `"string"` as a type is `string`, `"list"` and `"map"` meant strings inside; `list` alone means any type inside.
    fn type_name(&mut self, tokens: &[Token<'a>], range: Range<usize>) {
        let (name, inner) = match &tokens[range.clone()] {
            [name] if name.kind == Kind::Ident => (name, "any"),
            [_, name, _] if name.kind == Kind::QuotedLit => (name, "string"),
            _ => return,
        };
        let word = |text| Token::new(Kind::Ident, text, name.at);
        let ty = match (&*name.text, inner) {
            ("string", "string") => return self.replace(range, vec![word("string")]),
            ("list", _) => "list",
            ("map", _) => "map",
            ("set", "any") => "set",
            _ => return,
        };
        let bracket = |kind, text| Token::new(kind, text, name.at);
        let (open, close) = (bracket(Kind::OpenParen, "("), bracket(Kind::CloseParen, ")"));
        self.replace(range, vec![word(ty), open, word(inner), close]);
    }

    /// `"${x}"` is `x`, in parentheses if it goes over several lines.
    fn unwrapped(&mut self, tokens: &[Token<'a>], range: Range<usize>) {
        let Some(inner) = only_sequence(&tokens[range.clone()]) else { return };
        let mut with = tokens[range.start + inner.start..range.start + inner.end].to_vec();
        let parenthesised = matches!(with.as_slice(), [first, .., last] if first.kind == Kind::OpenParen && last.kind == Kind::CloseParen);
        if with.iter().any(|t| t.kind == Kind::Newline) && !parenthesised {
            with.insert(0, Token::new(Kind::OpenParen, "(", tokens[range.start].at));
            with.push(Token::new(Kind::CloseParen, ")", tokens[range.start].at));
        }
        self.replace(range, with);
    }

    fn apply(mut self, tokens: Vec<Token<'a>>) -> Vec<Token<'a>> {
        if self.0.is_empty() {
            return tokens;
        }
        let mut out = Vec::with_capacity(tokens.len());
        let mut skip_to = 0;
        for (i, token) in tokens.into_iter().enumerate() {
            if let Some((range, with)) = self.0.remove(&i) {
                skip_to = range.end;
                out.extend(with);
            }
            if i >= skip_to {
                out.push(token);
            }
        }
        out
    }
}

/// The tokens within these bytes.
fn covering(tokens: &[Token], bytes: &Range<usize>) -> Range<usize> {
    let start = tokens.partition_point(|t| t.at < bytes.start);
    let end = tokens.partition_point(|t| t.at < bytes.end);
    start..end.max(start)
}

/// The tokens of `x`, without line breaks around them, if all of these are `"${x}"`. Sequences within `x` are looked for
/// only between quotes: what stands in a heredoc there is left as it is.
fn only_sequence(tokens: &[Token]) -> Option<Range<usize>> {
    let [open, start, inner @ .., end, close] = tokens else { return None };
    let kinds = [open.kind, start.kind, end.kind, close.kind];
    if kinds != [Kind::OpenQuote, Kind::OpenSequence, Kind::CloseSequence, Kind::CloseQuote]
        || start.text.starts_with('%')
    {
        return None;
    }
    let mut quotes = 0;
    for token in inner {
        match token.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes -= 1,
            Kind::OpenSequence | Kind::CloseSequence | Kind::QuotedLit if quotes <= 0 => return None,
            _ => {}
        }
    }
    let first = inner.iter().position(|t| t.kind != Kind::Newline)?;
    let last = inner.iter().rposition(|t| t.kind != Kind::Newline)?;
    Some(2 + first..3 + last)
}

/// What is written as it is; of spaces only the usual one.
static VISIBLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$").expect("the pattern is fixed"));

/// Text as it stands between the quotes of a label.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if !VISIBLE.is_match(c.encode_utf8(&mut [0; 4])) => {
                let code = u32::from(c);
                let _ = if code < 0x1_0000 { write!(out, "\\u{code:04x}") } else { write!(out, "\\U{code:08x}") };
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
