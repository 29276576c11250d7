//! Text with a terminal's colours, as HTML.
//!
//! A diff is written once, for the terminal, by what also redacts it. A page shows that text: its escape sequences become spans.

use maud::{Markup, html};

/// A stretch of text with a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The class in the style sheet; none for plain text.
    pub class: Option<&'static str>,
    /// The text.
    pub text: String,
}

/// The stretches of a text. Escape sequences that set no known colour end the one before; other control characters but line breaks
/// and tabs become the sign that stands for them.
pub fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut class = None;
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((code, after)) = sequence(rest) {
            class = class_of(code);
            rest = after;
            continue;
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '\u{1b}').map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        let piece: String = piece.chars().map(visible).collect();
        match runs.last_mut().filter(|it| it.class == class) {
            Some(last) => last.text.push_str(&piece),
            None => runs.push(Run { class, text: piece }),
        }
        rest = after;
    }
    runs
}

/// The text as HTML.
pub fn html(text: &str) -> Markup {
    html! {
        @for run in runs(text) {
            @match run.class { Some(class) => span class=(class) { (run.text) }, None => (run.text) }
        }
    }
}

/// The code of a `CSI ... m` sequence at the beginning of a text, and what comes after it.
fn sequence(text: &str) -> Option<(&str, &str)> {
    let (code, after) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    code.chars().all(|c| c.is_ascii_digit() || c == ';').then_some((code, after))
}

fn class_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "1" => "b",
        "31" => "d",
        "32" => "a",
        "33" => "c",
        "36" => "i",
        "90" => "m",
        _ => return None,
    })
}

/// Control characters have pictures in Unicode's block of that name.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // What turns the direction of writing around could make a diff read as another one.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_everything_is_escaped() {
        let text = "  \u{1b}[32m+\u{1b}[0m name = \"<script>&\"\n\u{1b}[31m-\u{1b}[0m";
        assert_eq!(
            html(text).into_string(),
            "  <span class=\"a\">+</span> name = &quot;&lt;script&gt;&amp;&quot;\n<span class=\"d\">-</span>"
        );
    }

    #[test]
    fn a_value_cannot_end_or_begin_what_is_not_its_own() {
        for (text, shown) in [
            ("\u{1b}[31mred", "red"),
            ("\u{1b}]0;title\u{7}", "\u{241b}]0;title\u{2407}"),
            ("\u{1b}[2Jgone\u{1b}[0m", "\u{241b}[2Jgone"),
            ("a\u{202e}b\rc", "a\u{fffd}b\u{240d}c"),
            ("", ""),
        ] {
            let all: String = runs(text).into_iter().map(|it| it.text).collect();
            assert_eq!(all, shown, "{text:?}");
        }
    }
}
