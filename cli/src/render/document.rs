//! Documents inside string attributes: JSON and texts of several lines, compared line by line.

use similar::{ChangeTag, TextDiff};

/// How many unchanged lines stay visible around a change.
const CONTEXT: usize = 3;

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// On both sides.
    Same(String),
    /// Only before.
    Removed(String),
    /// Only after.
    Added(String),
    /// So many unchanged lines are left out.
    Hidden(usize),
}

/// A JSON document with one member or element a line, when the text is one; plain scalars do not count as documents.
/// Member order and digits of numbers stay as they are written.
pub fn pretty_json(text: &str) -> Option<String> {
    let trimmed = text.trim_start();
    if !trimmed.starts_with(['{', '[']) {
        return None;
    }
    let valid: serde_json::Value = serde_json::from_str(text).ok()?;
    let empty = valid.as_object().is_some_and(serde_json::Map::is_empty) || valid.as_array().is_some_and(Vec::is_empty);
    (!empty).then(|| reindent(text))
}

/// Lays out a valid JSON text anew without reading its values, so that nothing of them is lost.
fn reindent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut chars = text.chars().filter(|c| !c.is_control() || *c == '\n').peekable();
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => copy_string(&mut out, &mut chars),
            '{' | '[' => {
                out.push(c);
                while chars.peek().is_some_and(|c| c.is_whitespace()) {
                    chars.next();
                }
                if let Some(close) = chars.next_if(|next| matches!((c, next), ('{', '}') | ('[', ']'))) {
                    out.push(close);
                } else {
                    depth += 1;
                    newline(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn copy_string(out: &mut String, chars: &mut impl Iterator<Item = char>) {
    out.push('"');
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

/// Compares two texts line by line; unchanged lines far from any change are counted, not shown.
pub fn compare(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let all: Vec<(ChangeTag, &str)> =
        diff.iter_all_changes().map(|c| (c.tag(), c.value().trim_end_matches(['\n', '\r']))).collect();
    let near = |i: usize| {
        let window = i.saturating_sub(CONTEXT)..(i + CONTEXT + 1).min(all.len());
        all[window].iter().any(|(tag, _)| *tag != ChangeTag::Equal)
    };
    let mut lines = Vec::new();
    for (i, (tag, text)) in all.iter().enumerate() {
        match tag {
            ChangeTag::Delete => lines.push(Line::Removed((*text).to_owned())),
            ChangeTag::Insert => lines.push(Line::Added((*text).to_owned())),
            ChangeTag::Equal if near(i) => lines.push(Line::Same((*text).to_owned())),
            ChangeTag::Equal => match lines.last_mut() {
                Some(Line::Hidden(n)) => *n += 1,
                _ => lines.push(Line::Hidden(1)),
            },
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_keeps_order_and_digits() {
        let text = r#"{"b":[1.10,{"a":"x,\"{}"},[ ], {}],"a":12345678901234567890123}"#;
        insta::assert_snapshot!(pretty_json(text).unwrap_or_default(), @r#"
        {
          "b": [
            1.10,
            {
              "a": "x,\"{}"
            },
            [],
            {}
          ],
          "a": 12345678901234567890123
        }
        "#);
    }

    #[test]
    fn only_documents_count_as_json() {
        for text in ["", "1", "\"x\"", "{", "[a]", "{}", "[]", "[INFO] started", "{\"a\":1} x"] {
            assert_eq!(pretty_json(text), None, "{text}");
        }
    }

    #[test]
    fn far_lines_are_counted() {
        let before = (0..20).map(|i| i.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        let after = before.replace("\n10\n", "\nten\n");
        let lines = compare(&before, &after);
        assert_eq!(lines[0], Line::Hidden(7));
        assert_eq!(lines[4], Line::Removed("10".into()));
        assert_eq!(lines[5], Line::Added("ten".into()));
        assert_eq!(lines.last(), Some(&Line::Hidden(6)));
        assert_eq!(compare("a\n", "a\n"), [Line::Hidden(1)]);
    }
}
