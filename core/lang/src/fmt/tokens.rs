//! Source text as tokens. The text was parsed before, so what is not understood here is passed on as it is.

use std::borrow::Cow;

/// What a token is, as far as its neighbours' spacing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Newline,
    /// With its line break, unless it stands between `/*` and `*/`.
    Comment,
    Ident,
    Number,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    OpenQuote,
    CloseQuote,
    QuotedLit,
    /// With its line break.
    OpenHeredoc,
    HeredocLit,
    /// The marker with the spaces around it.
    CloseHeredoc,
    /// `${` or `%{`, with a strip marker.
    OpenSequence,
    CloseSequence,
    Dot,
    Comma,
    Ellipsis,
    DoubleColon,
    Colon,
    Question,
    Equal,
    Bang,
    Minus,
    /// An operator with two operands.
    Operator,
    /// `=>` and what has no meaning of its own.
    Other,
}

/// A piece of the text, and how many spaces stand before it.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    /// Where it began in the source.
    pub(super) at: usize,
    pub(super) spaces: usize,
}

impl<'a> Token<'a> {
    pub(super) fn new(kind: Kind, text: &'a str, at: usize) -> Self {
        Self { kind, text: Cow::Borrowed(text), at, spaces: 0 }
    }

    /// How many brackets it opens, or closes if negative.
    pub(super) fn brackets(&self) -> isize {
        match self.kind {
            Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen | Kind::OpenSequence => 1,
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::CloseSequence => -1,
            _ => 0,
        }
    }

    pub(super) fn ends_line(&self) -> bool {
        self.kind == Kind::Newline || (self.kind == Kind::Comment && self.text.ends_with('\n'))
    }
}

pub(super) fn scan(text: &str) -> Vec<Token<'_>> {
    // A byte order mark is no part of any token.
    let at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut scanner = Scanner { text, at, tokens: Vec::new() };
    while scanner.at < text.len() {
        scanner.code(false);
        if scanner.at < text.len() {
            // A bracket without its partner; the parser has refused such text.
            scanner.push(Kind::Other, 1);
        }
    }
    scanner.tokens
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
}

const OPERATORS: [(&str, Kind); 31] = [
    ("...", Kind::Ellipsis),
    ("::", Kind::DoubleColon),
    ("=>", Kind::Other),
    ("==", Kind::Operator),
    ("!=", Kind::Operator),
    ("<=", Kind::Operator),
    (">=", Kind::Operator),
    ("&&", Kind::Operator),
    ("||", Kind::Operator),
    ("{", Kind::OpenBrace),
    ("}", Kind::CloseBrace),
    ("[", Kind::OpenBracket),
    ("]", Kind::CloseBracket),
    ("(", Kind::OpenParen),
    (")", Kind::CloseParen),
    (".", Kind::Dot),
    (",", Kind::Comma),
    (":", Kind::Colon),
    ("?", Kind::Question),
    ("=", Kind::Equal),
    ("!", Kind::Bang),
    ("-", Kind::Minus),
    ("+", Kind::Operator),
    ("*", Kind::Operator),
    ("/", Kind::Operator),
    ("%", Kind::Operator),
    ("<", Kind::Operator),
    (">", Kind::Operator),
    ("\r\n", Kind::Newline),
    ("\n", Kind::Newline),
    ("~", Kind::Other),
];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next so many bytes as a token; nothing for no bytes.
    fn push(&mut self, kind: Kind, length: usize) {
        let end = (self.at + length..=self.text.len()).find(|i| self.text.is_char_boundary(*i));
        let end = end.unwrap_or(self.text.len());
        if end > self.at {
            self.tokens.push(Token::new(kind, &self.text[self.at..end], self.at));
        }
        self.at = end;
    }

    /// Tokens to the end of the text, or of the template sequence that this is in.
    fn code(&mut self, sequence: bool) {
        let mut braces = 0usize;
        while let Some(first) = self.rest().chars().next() {
            let rest = self.rest();
            match first {
                ' ' | '\t' => self.at += 1,
                '}' if sequence && braces == 0 => return self.push(Kind::CloseSequence, 1),
                '~' if sequence && braces == 0 && rest.starts_with("~}") => return self.push(Kind::CloseSequence, 2),
                '#' => self.line_comment(),
                '/' if rest.starts_with("//") => self.line_comment(),
                '/' if rest.starts_with("/*") => {
                    self.push(Kind::Comment, rest[2..].find("*/").map_or(rest.len(), |end| end + 4));
                }
                '"' => self.quoted(),
                '<' if self.heredoc() => {}
                c if c.is_ascii_digit() => self.number(),
                c if is_word(c) => {
                    let end = rest.find(|c: char| !(is_word(c) || c == '-')).unwrap_or(rest.len());
                    self.push(Kind::Ident, end);
                }
                _ => {
                    let (text, kind) =
                        OPERATORS.into_iter().find(|(op, _)| rest.starts_with(op)).unwrap_or(("?", Kind::Other));
                    match kind {
                        Kind::OpenBrace => braces += 1,
                        Kind::CloseBrace => braces = braces.saturating_sub(1),
                        _ => {}
                    }
                    self.push(kind, text.len());
                }
            }
        }
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        self.push(Kind::Comment, rest.find('\n').map_or(rest.len(), |end| end + 1));
    }

    fn number(&mut self) {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(0);
        if rest[end..].starts_with('.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            end += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        self.push(Kind::Number, end);
    }

    fn quoted(&mut self) {
        self.push(Kind::OpenQuote, 1);
        self.template(Kind::QuotedLit);
        if self.rest().starts_with('"') {
            self.push(Kind::CloseQuote, 1);
        }
    }

    /// Text and sequences up to the closing quote, or to the end of a heredoc's line with its break.
    fn template(&mut self, literal: Kind) {
        let mut length = 0;
        loop {
            let (text, rest) = self.rest().split_at(length);
            if rest.is_empty() || (literal == Kind::HeredocLit && text.ends_with('\n')) {
                break;
            }
            if rest.starts_with("$${") || rest.starts_with("%%{") {
                length += 3;
                continue;
            }
            if rest.starts_with("${") || rest.starts_with("%{") {
                let strip = rest[2..].starts_with('~');
                self.push(literal, length);
                self.push(Kind::OpenSequence, if strip { 3 } else { 2 });
                self.code(true);
                length = 0;
                continue;
            }
            let mut chars = rest.chars();
            length += match (literal, chars.next()) {
                (Kind::QuotedLit, Some('"' | '\n')) => break,
                (Kind::QuotedLit, Some('\\')) => 1 + chars.next().map_or(0, char::len_utf8),
                (_, first) => first.map_or(0, char::len_utf8),
            };
        }
        self.push(literal, length);
    }

    /// Whether a heredoc begins here; it is read to its end then.
    fn heredoc(&mut self) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix("<<") else { return false };
        let after = after.strip_prefix('-').unwrap_or(after);
        let Some((line, _)) = after.split_once('\n') else { return false };
        let marker = line.trim_end_matches('\r');
        if marker.is_empty() || !marker.chars().all(|c| is_word(c) || c == '-') {
            return false;
        }
        self.push(Kind::OpenHeredoc, rest.len() - after.len() + line.len() + 1);
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return true;
            }
            let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
            if self.text[..self.at].ends_with('\n') && line.trim() == marker {
                // With the spaces around it, which stay as they are.
                self.push(Kind::CloseHeredoc, line.strip_suffix('\r').unwrap_or(line).len());
                return true;
            }
            // To the end of the line, its break included; a sequence in it may go on for more lines.
            let start = self.at;
            self.template(Kind::HeredocLit);
            if self.at == start {
                return true;
            }
        }
    }
}
