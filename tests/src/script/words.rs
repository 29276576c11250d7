//! The words of a line.

use std::collections::BTreeMap;

/// Splits words at blanks; quotes of either kind keep words together, a backslash outside of single quotes keeps a quote.
pub(super) fn split(text: &str) -> Vec<String> {
    let words = split_marked(text).into_iter();
    words.map(|(word, _)| word).collect()
}

/// A command and its filters: words between bare bars.
pub(super) fn pipeline(text: &str) -> Vec<Vec<String>> {
    let words = split_marked(text);
    let parts = words.split(|(word, is_quoted)| word == "|" && !is_quoted);
    parts.map(|part| part.iter().map(|(word, _)| word.clone()).collect()).collect()
}

/// Words, and whether any of it was in quotes.
fn split_marked(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quote, mut any) = (None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                let next = chars.next().unwrap_or('\\');
                word.push(if next == 'n' { '\n' } else { next });
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                any = true;
            }
            (' ', None) => {
                if any || !word.is_empty() {
                    words.push((std::mem::take(&mut word), any));
                }
                any = false;
            }
            (c, _) => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push((word, any));
    }
    words
}

/// Puts what was kept in the place of `${NAME}`; other `${...}` stay, they are HCL.
pub(super) fn expand(text: &str, kept: &BTreeMap<String, String>) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        assert_eq!(split(r#"edit a.tf "x y" "z \"q\"""#), ["edit", "a.tf", "x y", "z \"q\""]);
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
        assert_eq!(split(r#"a.b["c"] 'a.b["c"]'"#), ["a.b[c]", r#"a.b["c"]"#]);
    }

    #[test]
    fn bars_in_quotes_are_words() {
        assert_eq!(pipeline(r#"sh -c "a | b" | only "|""#), [vec!["sh", "-c", "a | b"], vec!["only", "|"]]);
    }
}
