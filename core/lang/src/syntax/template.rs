//! Templates: quoted strings, heredocs and the text of template files.

use std::sync::Arc;

use sgp_model::{Diagnostic, Span, Value, json::nfc};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    ast::{Expr, ExprKind, Part},
    cursor::{Cursor, MAX_STRUCTURE, Parsed, too_deep},
};

/// A template as a flat list, before `if` and `for` are matched with their ends. In heredocs and files every line is a
/// text of its own, because strip markers and indentation work by line.
enum Token {
    Text(String),
    Interpolation(Expr),
    If(Expr, Span),
    Else(Span),
    EndIf(Span),
    For { key: Option<Arc<str>>, value: Arc<str>, collection: Expr, span: Span },
    EndFor(Span),
}

/// Where a template ends and what its text looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style<'m> {
    /// Between quotes.
    Quoted,
    /// Up to a line that is the marker. Lines inside of sequences do not count.
    Heredoc(&'m str),
    /// The rest of the text.
    Bare,
}

impl Cursor<'_> {
    /// A string in quotes, and its place.
    pub(super) fn quoted(&mut self) -> Parsed<(Expr, Span)> {
        let start = self.at;
        self.at += 1;
        let tokens = self.nested(false, |c| c.tokens(Style::Quoted, start))?;
        if !self.eat("\"") {
            return Err(unterminated(self.span(start..start + 1)));
        }
        let span = self.span_from(start);
        Ok((template(tokens, span.clone())?, span))
    }

    /// The rest of the text.
    pub(super) fn bare_template(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let tokens = self.tokens(Style::Bare, start)?;
        template(tokens, self.span_from(start))
    }

    /// `<<MARKER` and the lines up to the marker.
    pub(super) fn heredoc(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 2;
        let flush = self.eat("-");
        let Some((marker, _)) = self.name() else {
            return Err(self.error_here("Invalid heredoc", "A marker such as EOT is expected after <<."));
        };
        if !(self.eat("\n") || self.eat("\r\n")) {
            return Err(self.error_here(
                "Invalid heredoc",
                format!("A line break is expected directly after the marker {marker:?}."),
            ));
        }
        let mut tokens = self.nested(false, |c| c.tokens(Style::Heredoc(&marker), start))?;
        if flush {
            dedent(&mut tokens);
        }
        template(tokens, self.span_from(start))
    }

    fn tokens(&mut self, style: Style<'_>, start: usize) -> Parsed<Vec<Token>> {
        let mut tokens: Vec<Token> = Vec::new();
        // Whether the sequence before asked to strip what follows.
        let mut strip_next = false;
        let mut line_start = true;
        loop {
            if let Style::Heredoc(marker) = style {
                if std::mem::replace(&mut line_start, false) && self.heredoc_ends(marker) {
                    return Ok(tokens);
                }
                if self.peek().is_none() {
                    return Err(self.unterminated_heredoc(marker, start));
                }
            }
            match self.peek() {
                None if style == Style::Quoted => return Err(unterminated(self.span(start..start + 1))),
                None => return Ok(tokens),
                Some('"') if style == Style::Quoted => return Ok(tokens),
                Some('\n' | '\r') if style == Style::Quoted => {
                    return Err(Diagnostic::error(
                        "Invalid multi-line string",
                        "A quoted string must end on its own line. For text of several lines use a heredoc (<<EOT) or the \\n escape.",
                    )
                    .at(self.span(start..self.at)));
                }
                _ => {}
            }
            let interpolation = self.looking_at("${");
            if interpolation || self.looking_at("%{") {
                let open = self.at;
                self.at += 2;
                if self.eat("~")
                    && let Some(Token::Text(before)) = tokens.last_mut()
                {
                    before.truncate(before.trim_end().len());
                }
                let token = self.nested(false, |c| {
                    let token = if interpolation { Token::Interpolation(c.expression()?) } else { c.directive(open)? };
                    c.skip();
                    strip_next = c.eat("~");
                    if c.eat("}") { Ok(token) } else { Err(c.unclosed_sequence(open)) }
                })?;
                tokens.push(with_span(token, self.span_from(open)));
                continue;
            }
            let mut text = self.text_run(style)?;
            line_start = text.ends_with('\n');
            if std::mem::take(&mut strip_next) {
                text.drain(..text.len() - text.trim_start().len());
            }
            tokens.push(Token::Text(text));
        }
    }

    /// Whether the line that starts here is the marker, which a line break must follow. Moves past it, up to the line break.
    fn heredoc_ends(&mut self, marker: &str) -> bool {
        let Some(end) = self.rest().find('\n') else { return false };
        let line = &self.rest()[..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let ends = line.trim() == marker && !line.contains('\r');
        if ends {
            self.at += line.len();
        }
        ends
    }

    fn unterminated_heredoc(&self, marker: &str, start: usize) -> Diagnostic {
        let last = self.text.rfind('\n').map_or(0, |i| i + 1);
        let detail = if self.text[last..].trim() == marker {
            format!("The line with {marker:?} is the last one and has no line break, which must follow the marker.")
        } else {
            format!("There is no line with only {marker:?} before the end of the text.")
        };
        let end = self.text[start..].find('\n').map_or(self.text.len(), |i| start + i);
        Diagnostic::error("Unterminated heredoc", detail).at(self.span(start..end))
    }

    fn unclosed_sequence(&self, open: usize) -> Diagnostic {
        if self.peek().is_none_or(|c| c == '"') {
            return Diagnostic::error(
                "Unclosed template sequence",
                "There is no closing brace for this sequence before the end of the string.",
            )
            .at(self.span(open..open + 2));
        }
        self.error_here(
            "Extra characters in template sequence",
            format!(
                "A closing brace is expected here, found {}. If the text is meant for another language, write $${{ instead of ${{.",
                self.found()
            ),
        )
    }

    /// Text up to the next sequence, the end of the string or the end of the line, escapes resolved.
    fn text_run(&mut self, style: Style<'_>) -> Parsed<String> {
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['$', '%', '"', '\\', '\n', '\r']).unwrap_or(rest.len());
            text.push_str(&rest[..plain]);
            self.at += plain;
            let Some(c) = self.peek() else { return Ok(text) };
            if self.eat("$${") {
                text.push_str("${");
                continue;
            }
            if self.eat("%%{") {
                text.push_str("%{");
                continue;
            }
            match c {
                '$' | '%' if self.rest()[1..].starts_with('{') => return Ok(text),
                '"' | '\n' | '\r' if style == Style::Quoted => return Ok(text),
                '\\' if style == Style::Quoted => text.push(self.escape()?),
                '\r' if matches!(style, Style::Heredoc(_)) && !self.looking_at("\r\n") => {
                    return Err(self.error_here("Invalid character", self.slip().trim_start()));
                }
                _ => {
                    self.bump();
                    text.push(c);
                    if c == '\n' {
                        return Ok(text);
                    }
                }
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        self.at += 1;
        let c = self.peek();
        self.bump();
        let digits = match c {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some('"') => return Ok('"'),
            Some('\\') => return Ok('\\'),
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let hex = self.rest().get(..digits).filter(|h| digits > 0 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        let decoded = hex.and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32);
        match decoded {
            Some(decoded) => {
                self.at += digits;
                Ok(decoded)
            }
            None => Err(Diagnostic::error(
                "Invalid escape sequence",
                "Known escapes are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN with hexadecimal digits. Write \\\\ for a backslash.",
            )
            .at(self.span_from(start))),
        }
    }

    fn directive(&mut self, open: usize) -> Parsed<Token> {
        self.skip();
        let Some((keyword, keyword_span)) = self.name() else {
            return Err(self.error_here(
                "Invalid template directive",
                "A keyword (if, else, endif, for, endfor) is expected after %{.",
            ));
        };
        let span = self.span_from(open);
        match &*keyword {
            "if" => Ok(Token::If(self.expression()?, span)),
            "else" => Ok(Token::Else(span)),
            "endif" => Ok(Token::EndIf(span)),
            "endfor" => Ok(Token::EndFor(span)),
            "for" => {
                let first = self.directive_name()?;
                self.skip();
                let (key, value) = if self.eat(",") { (Some(first), self.directive_name()?) } else { (None, first) };
                self.skip();
                if !self.eat_word("in") {
                    return Err(self.error_here(
                        "Invalid 'for' directive",
                        "The keyword 'in' and a collection are expected after the names.",
                    ));
                }
                Ok(Token::For { key, value, collection: self.expression()?, span })
            }
            other => Err(Diagnostic::error(
                "Invalid template control keyword",
                format!("{other:?} is not a template keyword; they are if, else, endif, for and endfor."),
            )
            .at(keyword_span)),
        }
    }

    fn directive_name(&mut self) -> Parsed<Arc<str>> {
        self.skip();
        match self.name() {
            Some((name, _)) => Ok(name),
            None => Err(self.error_here("Invalid 'for' directive", "A name for the element is expected here.")),
        }
    }
}

fn with_span(token: Token, span: Span) -> Token {
    match token {
        Token::If(e, _) => Token::If(e, span),
        Token::Else(_) => Token::Else(span),
        Token::EndIf(_) => Token::EndIf(span),
        Token::For { key, value, collection, .. } => Token::For { key, value, collection, span },
        Token::EndFor(_) => Token::EndFor(span),
        other => other,
    }
}

fn unterminated(span: Span) -> Diagnostic {
    Diagnostic::error("Unterminated template string", "There is no closing quote for this string.").at(span)
}

/// Removes the indentation that all lines share (`<<-`). Lines of space only do not count; a line that starts with a
/// sequence has none.
fn dedent(tokens: &mut [Token]) {
    let mut shared: Option<usize> = None;
    let mut starts: Vec<usize> = Vec::new();
    let mut line_start = true;
    for (i, token) in tokens.iter().enumerate() {
        if std::mem::replace(&mut line_start, false) {
            let indent = match token {
                Token::Text(text) if text.trim_start().is_empty() && text.ends_with('\n') => None,
                Token::Text(text) => {
                    starts.push(i);
                    Some(text[..text.len() - text.trim_start().len()].graphemes(true).count())
                }
                _ => Some(0),
            };
            shared = match (shared, indent) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        line_start = matches!(token, Token::Text(text) if text.ends_with('\n'));
    }
    for i in starts {
        if let Token::Text(text) = &mut tokens[i] {
            let cut: usize = text.graphemes(true).take(shared.unwrap_or(0)).map(str::len).sum();
            text.drain(..cut);
        }
    }
}

/// Builds the expression: plain text becomes a literal, a lone interpolation keeps its type.
fn template(tokens: Vec<Token>, span: Span) -> Parsed<Expr> {
    // Text that was stripped away still makes the whole a text.
    let lone = tokens.len() == 1;
    let mut tokens = tokens.into_iter();
    let mut parts = parts(&mut tokens, 0, &mut |token| match token {
        None => Ok(true),
        Some(token) => Err(unexpected_end(token)),
    })?;
    if parts.is_empty() {
        return Ok(Expr::new(ExprKind::Literal(Value::from("")), span));
    }
    if parts.len() == 1 {
        match parts.remove(0) {
            Part::Text(text) => return Ok(Expr::new(ExprKind::Literal(Value::string(text)), span)),
            Part::Interpolation(inner) if lone => return Ok(Expr::new(ExprKind::Paren(inner), span)),
            part => parts.push(part),
        }
    }
    Ok(Expr::new(ExprKind::Template(parts), span))
}

fn unexpected_end(token: &Token) -> Diagnostic {
    let (word, span) = match token {
        Token::Else(span) => ("else", span),
        Token::EndIf(span) => ("endif", span),
        Token::EndFor(span) => ("endfor", span),
        _ => unreachable!("only ends are passed here"),
    };
    Diagnostic::error(
        "Unexpected template directive",
        format!("There is no open directive that this {word:?} belongs to."),
    )
    .at(span.clone())
}

/// Reads parts until `ends` accepts an ending token (or `None` at the end of the template).
fn parts(
    tokens: &mut std::vec::IntoIter<Token>,
    depth: usize,
    ends: &mut dyn FnMut(Option<&Token>) -> Parsed<bool>,
) -> Parsed<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, parts: &mut Vec<Part>| {
        if !text.is_empty() {
            parts.push(Part::Text(nfc(text)));
            text.clear();
        }
    };
    loop {
        let token = tokens.next();
        match token {
            Some(Token::Text(t)) => {
                text.push_str(&t);
                continue;
            }
            _ => flush(&mut text, &mut parts),
        }
        match token {
            Some(Token::If(_, span) | Token::For { span, .. }) if depth == MAX_STRUCTURE => {
                return Err(too_deep(MAX_STRUCTURE, span));
            }
            Some(Token::Text(_)) => {}
            Some(Token::Interpolation(e)) => parts.push(Part::Interpolation(e)),
            Some(Token::If(condition, span)) => parts.push(if_part(tokens, depth, condition, &span)?),
            Some(Token::For { key, value, collection, span }) => {
                let body = self::parts(tokens, depth + 1, &mut |token| match token {
                    Some(Token::EndFor(_)) => Ok(true),
                    Some(other) => Err(unexpected_end(other)),
                    None => Err(unclosed("for", "endfor", &span)),
                })?;
                parts.push(Part::For { key, value, collection, body });
            }
            end => {
                ends(end.as_ref())?;
                return Ok(parts);
            }
        }
    }
}

fn if_part(tokens: &mut std::vec::IntoIter<Token>, depth: usize, condition: Expr, span: &Span) -> Parsed<Part> {
    let mut has_else = false;
    let then = parts(tokens, depth + 1, &mut |token| match token {
        Some(Token::EndIf(_)) => Ok(true),
        Some(Token::Else(_)) => {
            has_else = true;
            Ok(true)
        }
        Some(other) => Err(unexpected_end(other)),
        None => Err(unclosed("if", "endif", span)),
    })?;
    let otherwise = if has_else {
        parts(tokens, depth + 1, &mut |token| match token {
            Some(Token::EndIf(_)) => Ok(true),
            Some(other) => Err(unexpected_end(other)),
            None => Err(unclosed("else", "endif", span)),
        })?
    } else {
        Vec::new()
    };
    Ok(Part::If { condition, then, otherwise })
}

fn unclosed(word: &str, end: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("Unclosed template directive", format!("The {word:?} directive needs an {end:?} after it."))
        .at(span.clone())
}
