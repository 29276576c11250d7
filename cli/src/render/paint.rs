//! Colour, where the person wants it, and how wide a line may be.

use anstyle::{AnsiColor, Style};

/// How text for people is written: coloured or not, wrapped or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    /// Whether escape sequences are written.
    pub colour: bool,
    /// Columns to wrap prose to; `None` leaves lines whole, so that logs can be searched.
    pub width: Option<usize>,
    /// Whether drawings keep to ASCII, for terminals that show nothing else.
    pub ascii: bool,
}

impl Paint {
    /// No colour, no wrapping: for files, pipes and tests.
    pub fn plain() -> Self {
        Self::default()
    }

    fn styled(self, text: &str, style: Style) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn coloured(self, text: &str, colour: AnsiColor) -> String {
        self.styled(text, Style::new().fg_color(Some(colour.into())))
    }

    /// Emphasis.
    pub fn bold(self, text: &str) -> String {
        self.styled(text, Style::new().bold())
    }

    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.coloured(text, AnsiColor::BrightBlack)
    }

    /// Creation, success.
    pub fn green(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Green)
    }

    /// Deletion, failure.
    pub fn red(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Red)
    }

    /// Change, warning.
    pub fn yellow(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Yellow)
    }

    /// Reading.
    pub fn cyan(self, text: &str) -> String {
        self.coloured(text, AnsiColor::Cyan)
    }

    /// Breaks prose at spaces so that each line fits into `width - taken` columns. Lines that begin with a space (lists,
    /// code) are left alone; a word longer than a line stays whole.
    pub fn wrap(self, text: &str, taken: usize) -> Vec<String> {
        let limit = self.width.map(|w| w.saturating_sub(taken).max(20));
        text.lines().flat_map(|line| wrap_line(line, limit)).collect()
    }
}

fn wrap_line(line: &str, limit: Option<usize>) -> Vec<String> {
    use unicode_width::UnicodeWidthStr as _;
    let Some(limit) = limit.filter(|_| !line.starts_with(char::is_whitespace)) else { return vec![line.to_owned()] };
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if !last.is_empty() && last.width() + 1 + word.width() > limit {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}

/// `1 object`, `3 objects`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_code_is_not() {
        let paint = Paint { width: Some(24), ..Paint::plain() };
        let text = "one two three four five six seven\n  let this line be as long as it is\nhttps://example.com/a/very/long/address end";
        assert_eq!(
            paint.wrap(text, 2),
            [
                "one two three four",
                "five six seven",
                "  let this line be as long as it is",
                "https://example.com/a/very/long/address",
                "end"
            ]
        );
        assert_eq!(Paint::plain().wrap("a b\n\nc", 2), ["a b", "", "c"]);
    }

    #[test]
    fn colour_only_when_asked_for() {
        assert_eq!(Paint::plain().red("x"), "x");
        assert_eq!(Paint { colour: true, ..Paint::plain() }.red("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
