//! JSONPath, as far as printer columns use it: members, indices, `[*]`, filters by equality.

use serde_json::Value;

/// What a path finds, in order; nothing where a member is missing.
pub(super) fn find<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    let mut rest = path.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('[') {
            Some(inner) => match close(inner) {
                Some((inside, after)) => (bracket(inside), after),
                None => return Vec::new(),
            },
            None => {
                let name = rest.trim_start_matches('.');
                // A dot in a name is written `\.`.
                let end = name.char_indices().scan(' ', |before, (at, letter)| {
                    let is_end = matches!(letter, '.' | '[') && *before != '\\';
                    *before = letter;
                    Some((at, is_end))
                });
                let end = end.into_iter().find(|(_, is_end)| *is_end).map_or(name.len(), |(at, _)| at);
                let member = name[..end].replace("\\.", ".");
                let step = if member == "*" { Step::All } else { Step::Member(member) };
                (step, &name[end..])
            }
        };
        found = found.into_iter().flat_map(|value| step.take(value)).collect();
        rest = after;
    }
    found
}

/// What is between the brackets, and what follows.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, ']') => return Some((&text[..at], &text[at + 1..])),
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

enum Step {
    Member(String),
    Index(i64),
    All,
    /// Items of which something, found by a path, equals a value.
    Where(String, String, bool),
    Nothing,
}

fn bracket(inside: &str) -> Step {
    let inside = inside.trim();
    let unquoted = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    if inside == "*" {
        return Step::All;
    }
    if let Some(condition) = inside.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        for (operator, is_equal) in [("==", true), ("!=", false)] {
            if let Some((path, value)) = condition.split_once(operator) {
                let path = path.trim().trim_start_matches('@').to_owned();
                return Step::Where(path, unquoted(value), is_equal);
            }
        }
        return Step::Nothing;
    }
    match inside.parse() {
        Ok(index) => Step::Index(index),
        Err(_) if inside.starts_with(['\'', '"']) => Step::Member(unquoted(inside)),
        Err(_) => Step::Nothing,
    }
}

impl Step {
    fn take<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let items = || value.as_array().into_iter().flatten();
        match self {
            Self::Member(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => {
                let length = i64::try_from(items().count()).unwrap_or(0);
                let at = if *index < 0 { length + index } else { *index };
                usize::try_from(at).ok().and_then(|at| value.get(at)).into_iter().collect()
            }
            Self::All => match value {
                Value::Object(members) => members.values().collect(),
                _ => items().collect(),
            },
            Self::Where(path, wanted, is_equal) => {
                let fits = |item: &&Value| find(item, path).into_iter().any(|it| (text(it) == *wanted) == *is_equal);
                items().filter(fits).collect()
            }
            Self::Nothing => Vec::new(),
        }
    }
}

/// A value as a cell shows it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_find_what_columns_show() {
        let object = json!({
            "spec": { "a": "x", "list": ["p", "q"], "m": { "a.b/c": 1 } },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }, { "type": "Other", "status": "False" }] },
        });
        let rows = [
            (".spec.a", "x"),
            ("{.spec.a}", "x"),
            (".spec.list[1]", "q"),
            (".spec.list[-1]", "q"),
            (".spec.list[*]", "p q"),
            (".spec.m['a.b/c']", "1"),
            (".spec.m.a\\.b/c", "1"),
            (".status.conditions[?(@.type==\"Ready\")].status", "True"),
            (".status.conditions[?(@.type!='Ready')].status", "False"),
            (".spec.nothing.at.all", ""),
        ];
        for (path, expected) in rows {
            let found: Vec<String> = find(&object, path).into_iter().map(text).collect();
            assert_eq!(found.join(" "), expected, "{path}");
        }
    }
}
