//! The words of an expression (`cel-spec/doc/langdef.md`, "Syntax").

use std::sync::Arc;

use super::syntax::{Issue, Literal};

/// A word and the offset in characters at which it stands.
#[derive(Clone, Debug)]
pub struct Token {
    pub at: usize,
    pub word: Word,
}

/// A word.
#[derive(Clone, Debug)]
pub enum Word {
    Name(Arc<str>),
    Literal(Literal),
    Sign(&'static str),
    End,
}

impl Word {
    /// As messages show it.
    pub fn shown(&self) -> String {
        match self {
            Self::Name(name) => name.to_string(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::End => "<EOF>".to_owned(),
            Self::Literal(literal) => match literal {
                Literal::Null => "null".to_owned(),
                Literal::Bool(value) => value.to_string(),
                Literal::Int(value) => value.to_string(),
                Literal::Uint(value) => format!("{value}u"),
                Literal::Double(value) => value.to_string(),
                Literal::Text(text) => format!("'{text}'"),
                Literal::Bytes(_) => "bytes".to_owned(),
            },
        }
    }
}

/// Longer signs first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}",
];

/// Words that are no names.
pub const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads all words; the last one is the end.
pub fn read(source: &str) -> Result<Vec<Token>, Issue> {
    let mut reader = Reader { text: source.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip_space();
        let at = reader.at;
        let word = reader.word()?;
        let is_end = matches!(word, Word::End);
        tokens.push(Token { at, word });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

fn issue(at: usize, message: impl Into<String>) -> Issue {
    Issue { at, message: message.into() }
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts_with(&self, sign: &str) -> bool {
        sign.chars().enumerate().all(|(index, c)| self.peek(index) == Some(c))
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek(0) {
            if matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}') {
                self.at += 1;
            } else if self.starts_with("//") {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else {
                return;
            }
        }
    }

    fn word(&mut self) -> Result<Word, Issue> {
        let Some(c) = self.peek(0) else { return Ok(Word::End) };
        if let Some(literal) = self.text_literal()? {
            return Ok(Word::Literal(literal));
        }
        if c.is_ascii_alphabetic() || c == '_' {
            return Ok(self.name());
        }
        if c.is_ascii_digit() || (c == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit())) {
            return self.number().map(Word::Literal);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| self.starts_with(sign)) {
            self.at += sign.len();
            return Ok(Word::Sign(sign));
        }
        Err(issue(self.at, format!("Syntax error: token recognition error at: '{c}'")))
    }

    fn name(&mut self) -> Word {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let name: String = self.text[start..self.at].iter().collect();
        match name.as_str() {
            "true" => Word::Literal(Literal::Bool(true)),
            "false" => Word::Literal(Literal::Bool(false)),
            "null" => Word::Literal(Literal::Null),
            "in" => Word::Sign("in"),
            _ => Word::Name(name.into()),
        }
    }

    fn digits(&mut self, is_digit: fn(&char) -> bool) {
        while self.peek(0).as_ref().is_some_and(is_digit) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Literal, Issue> {
        let start = self.at;
        if self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X')) {
            self.at += 2;
            self.digits(char::is_ascii_hexdigit);
            let digits: String = self.text[start + 2..self.at].iter().collect();
            return self.whole(start, &digits, 16);
        }
        self.digits(char::is_ascii_digit);
        let mut is_double = false;
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            is_double = true;
            self.at += 1;
            self.digits(char::is_ascii_digit);
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if self.peek(1 + sign).is_some_and(|c| c.is_ascii_digit()) {
                is_double = true;
                self.at += 1 + sign;
                self.digits(char::is_ascii_digit);
            }
        }
        let digits: String = self.text[start..self.at].iter().collect();
        if is_double {
            return digits
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
                .map(Literal::Double)
                .ok_or_else(|| issue(start, "invalid double literal"));
        }
        self.whole(start, &digits, 10)
    }

    fn whole(&mut self, start: usize, digits: &str, radix: u32) -> Result<Literal, Issue> {
        if matches!(self.peek(0), Some('u' | 'U')) {
            self.at += 1;
            return u64::from_str_radix(digits, radix)
                .map(Literal::Uint)
                .map_err(|_| issue(start, "invalid uint literal"));
        }
        // The smallest number is written with a sign in front of what is one too large.
        let is_negative = start > 0 && self.text[start - 1] == '-';
        match i128::from_str_radix(digits, radix) {
            Ok(value) if is_negative && value == -i128::from(i64::MIN) => Ok(Literal::Int(i64::MIN)),
            Ok(value) => i64::try_from(value).map(Literal::Int).map_err(|_| issue(start, "invalid int literal")),
            Err(_) => Err(issue(start, "invalid int literal")),
        }
    }

    /// A text or bytes, if there is one: `'a'`, `r"a"`, `b'''a'''`.
    fn text_literal(&mut self) -> Result<Option<Literal>, Issue> {
        let start = self.at;
        let (mut is_raw, mut is_bytes, mut length) = (false, false, 0);
        while let Some(c) = self.peek(length) {
            match c {
                'r' | 'R' if !is_raw => is_raw = true,
                'b' | 'B' if !is_bytes => is_bytes = true,
                _ => break,
            }
            length += 1;
        }
        let Some(quote) = self.peek(length).filter(|c| matches!(c, '\'' | '"')) else { return Ok(None) };
        self.at += length;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let end = if self.starts_with(&triple) { triple } else { quote.to_string() };
        self.at += end.len();
        let mut content = Content { is_bytes, bytes: Vec::new() };
        while !self.starts_with(&end) {
            match self.peek(0) {
                Some('\n' | '\r') if end.len() == 1 => return Err(unclosed(start, quote)),
                None => return Err(unclosed(start, quote)),
                Some('\\') if is_raw => {
                    content.add('\\');
                    self.at += 1;
                    if let Some(next) = self.peek(0) {
                        content.add(next);
                        self.at += 1;
                    }
                }
                Some('\\') => self.escape(&mut content)?,
                Some(c) => {
                    content.add(c);
                    self.at += 1;
                }
            }
        }
        self.at += end.len();
        Ok(Some(content.literal()))
    }

    fn escape(&mut self, content: &mut Content) -> Result<(), Issue> {
        let start = self.at;
        let wrong = || issue(start, "Syntax error: token recognition error at: invalid escape sequence");
        let escaped = self.peek(1).ok_or_else(wrong)?;
        self.at += 2;
        let plain = match escaped {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' | '`' | '?' => escaped,
            'x' | 'X' => return self.code(content, 2, 16).ok_or_else(wrong),
            'u' if !content.is_bytes => return self.code(content, 4, 16).ok_or_else(wrong),
            'U' if !content.is_bytes => return self.code(content, 8, 16).ok_or_else(wrong),
            '0'..='3' => {
                self.at -= 1;
                return self.code(content, 3, 8).ok_or_else(wrong);
            }
            _ => return Err(wrong()),
        };
        content.add(plain);
        Ok(())
    }

    fn code(&mut self, content: &mut Content, length: usize, radix: u32) -> Option<()> {
        let digits: String = self.text.get(self.at..self.at + length)?.iter().collect();
        let code = u32::from_str_radix(&digits, radix).ok()?;
        self.at += length;
        if content.is_bytes && length < 4 {
            content.bytes.push(u8::try_from(code).ok()?);
        } else {
            content.add(char::from_u32(code)?);
        }
        Some(())
    }
}

fn unclosed(at: usize, quote: char) -> Issue {
    issue(at, format!("Syntax error: token recognition error at: '{quote}'"))
}

struct Content {
    is_bytes: bool,
    bytes: Vec<u8>,
}

impl Content {
    fn add(&mut self, c: char) {
        self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn literal(self) -> Literal {
        if self.is_bytes {
            return Literal::Bytes(self.bytes.into());
        }
        Literal::Text(String::from_utf8_lossy(&self.bytes).into())
    }
}
