//! The formatter: one way to write a file, the one that Terraform's users know.
//!
//! It works on tokens, so comments and blank lines stay where they are: two spaces for each line that opened a bracket,
//! single spaces around operators, equals signs and trailing comments of neighbouring lines aligned, nothing changed
//! inside quotes and heredocs but the sequences. Text that is legacy syntax is brought up to date: labels without quotes,
//! arguments that are nothing but `"${...}"`, type names in quotes. Formatting twice changes nothing.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use sgp_model::Diagnostic;

use self::tokens::{Kind, Token};
use crate::syntax::{self, Block, Body};

mod layout;
mod tokens;

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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (body, diagnostics) = syntax::parse_body(file, text);
    if let Some(error) = diagnostics.into_iter().find(Diagnostic::is_error) {
        return Err(error);
    }
    let mut edits = Edits::default();
    let tokens = tokens::scan(text);
    edits.body(&body, &tokens, None);
    let mut tokens = edits.apply(tokens);
    layout::arrange(&mut tokens);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for token in &tokens {
        out.extend(std::iter::repeat_n(' ', token.spaces));
        out.push_str(&token.text);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
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

    fn labels(&mut self, block: &Block, tokens: &[Token<'a>]) {
        for label in &block.labels {
            let range = covering(tokens, &label.span.range);
            if let [bare] = &tokens[range.clone()]
                && bare.kind == Kind::Ident
            {
                let quote = |kind| Token::new(kind, "\"", bare.at);
                let text = Token { kind: Kind::QuotedLit, ..bare.clone() };
                self.replace(range, vec![quote(Kind::OpenQuote), text, quote(Kind::CloseQuote)]);
            }
        }
    }

    /// `"string"` as a type is `string`; `"list"` and `"map"` meant strings inside.
    fn type_name(&mut self, tokens: &[Token<'a>], range: Range<usize>) {
        let [_, name, _] = &tokens[range.clone()] else { return };
        let word = |text| Token::new(Kind::Ident, text, name.at);
        let of_strings = |text| {
            let (open, close) = (Token::new(Kind::OpenParen, "(", name.at), Token::new(Kind::CloseParen, ")", name.at));
            vec![word(text), open, word("string"), close]
        };
        let with = match (name.kind, &*name.text) {
            (Kind::QuotedLit, "string") => vec![word("string")],
            (Kind::QuotedLit, "list") => of_strings("list"),
            (Kind::QuotedLit, "map") => of_strings("map"),
            _ => return,
        };
        self.replace(range, with);
    }

    /// `"${x}"` is `x`, in parentheses if it goes over several lines.
    fn unwrapped(&mut self, tokens: &[Token<'a>], range: Range<usize>) {
        let mut inner = range.clone();
        while let Some(sequence) = only_sequence(&tokens[inner.clone()]) {
            inner = inner.start + sequence.start..inner.start + sequence.end;
        }
        if inner == range {
            return;
        }
        let mut with = tokens[inner.clone()].to_vec();
        // Brackets of any kind let an expression go over several lines, but what opens on one of them must close it.
        if with.iter().any(Token::ends_line) {
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

/// The tokens of `x`, without line breaks around them, if all of these are `"${x}"`.
fn only_sequence(tokens: &[Token]) -> Option<Range<usize>> {
    let [open, start, inner @ .., end, close] = tokens else { return None };
    let kinds = [open.kind, start.kind, end.kind, close.kind];
    if kinds != [Kind::OpenQuote, Kind::OpenSequence, Kind::CloseSequence, Kind::CloseQuote]
        || start.text.starts_with('%')
    {
        return None;
    }
    // The sequence that ends last must be the one that began first.
    let mut depth = 1;
    for token in inner {
        match token.kind {
            Kind::OpenSequence => depth += 1,
            Kind::CloseSequence => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    let first = inner.iter().position(|t| t.kind != Kind::Newline)?;
    let last = inner.iter().rposition(|t| t.kind != Kind::Newline)?;
    Some(2 + first..3 + last)
}

#[cfg(test)]
mod tests;
