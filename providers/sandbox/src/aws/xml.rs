//! Answers as XML, the way EC2, IAM and STS write it.

use serde_json::Value;

/// What the elements of a list are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// EC2's `item`.
    Item,
    /// `member`, of IAM and STS.
    Member,
}

/// Writes the members of an object as elements; `null` members are left out.
pub fn members(out: &mut String, value: &Value, lists: Lists) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            element(out, name, value, lists);
        }
    }
}

/// Writes one element.
pub fn element(out: &mut String, name: &str, value: &Value, lists: Lists) {
    match value {
        Value::Null => return,
        Value::Array(items) if items.is_empty() => {
            out.push_str(&format!("<{name}/>"));
            return;
        }
        // A map of the query protocol: its entries stand side by side, with no list around them.
        Value::Array(entries) if name == "entry" && lists == Lists::Member => {
            entries.iter().for_each(|value| element(out, name, value, lists));
            return;
        }
        _ => {}
    }
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Null => {}
        Value::Bool(truth) => out.push_str(&truth.to_string()),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => escape(out, text),
        Value::Array(items) => {
            let item = if lists == Lists::Item { "item" } else { "member" };
            items.iter().for_each(|value| element(out, item, value, lists));
        }
        Value::Object(_) => members(out, value, lists),
    }
    out.push_str(&format!("</{name}>"));
}

/// Writes text. Control characters that XML 1.0 cannot hold become U+FFFD.
pub fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(letter),
            '\r' => out.push_str("&#13;"),
            _ if letter.is_control() && u32::from(letter) < 0x20 => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_elements() {
        let value = serde_json::json!({
            "name": "a<b>&\"c\"", "count": 3, "open": true, "gone": null,
            "tagSet": [{ "key": "k", "value": "" }], "groupSet": [],
        });
        let mut out = String::new();
        members(&mut out, &value, Lists::Item);
        for part in [
            "<name>a&lt;b&gt;&amp;&quot;c&quot;</name>",
            "<count>3</count>",
            "<open>true</open>",
            "<tagSet><item><key>k</key><value></value></item></tagSet>",
            "<groupSet/>",
        ] {
            assert!(out.contains(part), "{part} in {out}");
        }
        assert!(!out.contains("gone"));
    }

    #[test]
    fn maps_are_entries() {
        let mut out = String::new();
        members(
            &mut out,
            &serde_json::json!({ "Map": { "entry": [{ "key": "a", "value": 1 }, { "key": "b", "value": 2 }] } }),
            Lists::Member,
        );
        let entry = |key, value| format!("<entry><key>{key}</key><value>{value}</value></entry>");
        assert_eq!(out, format!("<Map>{}{}</Map>", entry("a", 1), entry("b", 2)));
    }
}
