//! A place in the text and what can be read there: trivia, names, numbers, punctuation.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{Arc, LazyLock},
};

use regex::Regex;
use sgp_model::{Diagnostic, Diagnostics, Span};

/// How deep expressions may nest: far beyond what programs write. Where they do, the stack grows.
pub(super) const MAX_DEPTH: usize = 1000;

/// How many steps of the parser a level takes at most: into quotes, into a sequence, into its expression.
const STEPS: usize = 3;

/// How deep blocks, template directives and JSON may nest: far beyond what people write, well within the stack.
pub(super) const MAX_STRUCTURE: usize = 200;

/// How many operators or steps of a reference may follow each other: each makes the tree one deeper.
pub(super) const MAX_CHAIN: usize = 1000;

/// How high the tree of one expression may be, by nesting and by chains together.
pub(super) const MAX_HEIGHT: usize = 2 * MAX_CHAIN;

/// After how many mistakes a file is left at that. What is read again after a mistake may be inside of what was read before,
/// so each can cost as much as the whole.
const MAX_RECOVERIES: usize = 100;

pub(super) struct Cursor<'t> {
    pub(super) file: Arc<str>,
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Whether a line break ends the current construct (arguments of bodies and objects) or is only space (in brackets).
    pub(super) newlines_end: bool,
    pub(super) diagnostics: Diagnostics,
    /// The start of a comment that nothing ends: the rest of the text belongs to it.
    pub(super) unclosed_comment: Option<usize>,
    depth: usize,
    /// How often reading went on after a mistake.
    recoveries: usize,
    /// The names so far: most of them come again and again.
    names: HashSet<Arc<str>>,
    /// Where the lines begin, once somebody has asked.
    line_starts: Vec<usize>,
}

pub(super) type Parsed<T> = Result<T, Diagnostic>;

pub(super) fn is_name_start(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() || c == '_' } else { has(&ID_START, c) }
}

/// Scripts that write vowels as marks, and letters that are decomposed, need the marks too.
pub(super) fn is_name_continue(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' || c == '-' } else { has(&ID_CONTINUE, c) }
}

/// Unicode's own properties for identifiers, which HCL names too.
static ID_START: LazyLock<Regex> = LazyLock::new(|| property("ID_Start"));
static ID_CONTINUE: LazyLock<Regex> = LazyLock::new(|| property("ID_Continue"));

fn property(name: &str) -> Regex {
    Regex::new(&format!(r"\A\p{{{name}}}\z")).expect("a property of Unicode")
}

fn has(property: &Regex, c: char) -> bool {
    property.is_match(c.encode_utf8(&mut [0; 4]))
}

/// What people who write this character in an expression usually mean.
fn meant(c: char) -> Option<&'static str> {
    Some(match c {
        '\'' => "Text stands between double quotes (\"), not between single ones.",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{2018}' | '\u{2019}' => {
            "Text stands between straight double quotes (\"); these are typographic ones, as word processors write them."
        }
        '`' => "Text of several lines is written as a heredoc: <<EOT, the lines, EOT.",
        '&' => "The operator for \"and\" is &&.",
        '|' => "The operator for \"or\" is ||.",
        ';' => "Nothing is ended with a semicolon: a line break ends an argument.",
        '\u{a0}' | '\u{2007}' | '\u{202f}' => "This is a no-break space, which looks like a space but is none.",
        '\u{feff}' => "This is a byte order mark; it stands only at the very start of a file, where it is skipped.",
        '\r' => "This is a carriage return without a line feed; lines end with a line feed, or with both.",
        _ => return None,
    })
}

impl<'t> Cursor<'t> {
    pub(super) fn new(file: Arc<str>, text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            file,
            text,
            at,
            newlines_end: true,
            diagnostics: Diagnostics::new(),
            unclosed_comment: None,
            depth: 0,
            recoveries: 0,
            names: HashSet::new(),
            line_starts: Vec::new(),
        }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn looking_at(&self, s: &str) -> bool {
        self.rest().starts_with(s)
    }

    /// Moves past `s` if it is next.
    pub(super) fn eat(&mut self, s: &str) -> bool {
        let found = self.looking_at(s);
        if found {
            self.at += s.len();
        }
        found
    }

    /// Moves past one character.
    pub(super) fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    pub(super) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file.clone(), range)
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        self.span(start..self.at)
    }

    /// The next character; at the end of a line or of the text the last one before, so that there is something to see.
    pub(super) fn span_here(&self) -> Span {
        if let Some(c) = self.peek().filter(|_| !self.at_line_end()) {
            return self.span(self.at..self.at + c.len_utf8());
        }
        let end = self.text[..self.at].trim_end().len();
        let start = self.text[..end].char_indices().next_back().map_or(0, |(i, _)| i);
        self.span(start..end)
    }

    /// Whether reading may go on after one more mistake.
    pub(super) fn may_go_on(&mut self) -> bool {
        self.recoveries += 1;
        self.recoveries <= MAX_RECOVERIES
    }

    /// The line that a place is on, from 1.
    pub(super) fn line(&mut self, at: usize) -> usize {
        if self.line_starts.is_empty() {
            self.line_starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        }
        self.line_starts.partition_point(|start| *start <= at)
    }

    pub(super) fn error_here(&self, summary: &str, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::error(summary, detail).at(self.span_here())
    }

    /// What stands here, for messages: a word, a character, the end.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the text".into(),
            Some(_) if self.at_line_end() => "the end of the line".into(),
            Some(c) if is_name_start(c) => {
                let word: String = self.rest().chars().take_while(|c| is_name_continue(*c)).take(40).collect();
                format!("{word:?}")
            }
            Some(c) => format!("{:?}", c.to_string()),
        }
    }

    /// ` Text stands between double quotes.` with the space before, where the character here is a usual slip.
    pub(super) fn slip(&self) -> String {
        self.peek().and_then(meant).map(|advice| format!(" {advice}")).unwrap_or_default()
    }

    /// The error of a comment without an end, once.
    pub(super) fn unclosed_comment(&mut self) -> Option<Diagnostic> {
        let start = self.unclosed_comment.take()?;
        Some(
            Diagnostic::error(
                "Unclosed comment",
                "This comment is not closed with */ before the end of the text, so everything after it would be ignored.",
            )
            .at(self.span(start..start + 2)),
        )
    }

    /// Skips spaces and comments, and line breaks where they mean nothing.
    pub(super) fn skip(&mut self) {
        self.skip_trivia(!self.newlines_end);
    }

    /// Skips spaces, comments and line breaks.
    pub(super) fn skip_lines(&mut self) {
        self.skip_trivia(true);
    }

    fn skip_trivia(&mut self, newlines: bool) {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let to_line_end = || rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let skipped = match rest {
                [b' ' | b'\t', ..] => 1,
                [b'\r', b'\n', ..] if newlines => 2,
                [b'\n', ..] if newlines => 1,
                [b'#', ..] | [b'/', b'/', ..] => to_line_end(),
                [b'/', b'*', ..] => match self.rest()[2..].find("*/") {
                    Some(end) => end + 4,
                    None => {
                        self.unclosed_comment = Some(self.at);
                        rest.len()
                    }
                },
                _ => return,
            };
            self.at += skipped;
        }
    }

    /// Whether a line break (or the end) is next, after [`Self::skip`].
    pub(super) fn at_line_end(&self) -> bool {
        self.rest().is_empty() || self.looking_at("\n") || self.looking_at("\r\n")
    }

    /// Reads a name.
    pub(super) fn name(&mut self) -> Option<(Arc<str>, Span)> {
        if !is_name_start(self.peek()?) {
            return None;
        }
        let start = self.at;
        let rest = self.rest();
        let ascii =
            rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'-')).unwrap_or(rest.len());
        let more = rest[ascii..].find(|c| !is_name_continue(c)).unwrap_or(rest.len() - ascii);
        let len = ascii + more;
        self.at += len;
        Some((self.interned(&rest[..len]), self.span_from(start)))
    }

    fn interned(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.names.insert(new.clone());
        new
    }

    /// Whether the word is next, as a whole.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|after| !after.starts_with(is_name_continue))
    }

    /// Moves past the word if it is next, as a whole.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// The text of a number literal: from the digit that is next everything that numbers are made of, so that what looks
    /// like one and is none (`1.2.3`) is told as a whole.
    pub(super) fn number_text(&mut self) -> &'t str {
        let bytes = self.rest().as_bytes();
        let (mut len, mut next) = (0, 0);
        loop {
            let exponent = || match bytes.get(next + 1..) {
                Some([b'+' | b'-', b'0'..=b'9', ..]) => Some(3),
                Some([b'0'..=b'9', ..]) => Some(2),
                _ => None,
            };
            match bytes.get(next) {
                Some(b'0'..=b'9') => next += 1,
                Some(b'.') => {
                    next += 1;
                    continue;
                }
                Some(b'e' | b'E') if let Some(more) = exponent() => next += more,
                _ => break,
            }
            len = next;
        }
        let text = &self.rest()[..len];
        self.at += len;
        text
    }

    /// Whether there are as many blocks around here as there may be.
    pub(super) fn in_too_many_blocks(&self) -> bool {
        self.depth >= MAX_STRUCTURE
    }

    pub(super) fn too_deep(&self, limit: usize) -> Diagnostic {
        too_deep(limit, self.span_here())
    }

    /// Runs `inner` with line breaks meaning something or nothing, one level deeper.
    pub(super) fn nested<T>(&mut self, newlines_end: bool, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == STEPS * MAX_DEPTH {
            return Err(self.too_deep(MAX_DEPTH));
        }
        let before = std::mem::replace(&mut self.newlines_end, newlines_end);
        self.depth += 1;
        let result = stacker::maybe_grow(64 * 1024, 1024 * 1024, || inner(self));
        self.depth -= 1;
        self.newlines_end = before;
        result
    }
}

/// Nesting that would not fit onto the stack.
pub(super) fn too_deep(limit: usize, at: Span) -> Diagnostic {
    Diagnostic::error(
        "Nested too deeply",
        format!("More than {limit} levels are not read. Give parts of this a name of their own, as local values."),
    )
    .at(at)
}
