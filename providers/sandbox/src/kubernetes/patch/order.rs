//! The order of a merged list: items that the patch names come in the patch's order, the others keep theirs.

use serde_json::Value;

/// What tells an item of a list apart: its merge key's value, or the item itself.
pub(super) fn place<'a>(item: &'a Value, key: Option<&str>) -> Option<&'a Value> {
    match key {
        Some(key) => item.get(key),
        None => Some(item),
    }
}

/// The merge keys' values, in order.
pub(super) fn keys(items: &[Value], key: &str) -> Vec<Value> {
    items.iter().filter_map(|item| item.get(key).cloned()).collect()
}

/// Drops repeated items; the first stays.
pub(super) fn dedup(items: &mut Vec<Value>) {
    let mut seen: Vec<Value> = Vec::with_capacity(items.len());
    items.retain(|item| {
        let is_new = !seen.contains(item);
        if is_new {
            seen.push(item.clone());
        }
        is_new
    });
}

/// Puts the items of a merged list in order. `server` holds the places (see [`place`]) of the list before the merge.
pub(super) fn arrange<V: std::borrow::Borrow<Value>>(
    merged: Vec<Value>,
    patch: &[V],
    server: &[Value],
    key: Option<&str>,
) -> Vec<Value> {
    let in_patch = |item: &Value| patch.iter().position(|other| place(other.borrow(), key) == place(item, key));
    let on_server = |item: &Value| place(item, key).and_then(|place| server.iter().position(|other| other == place));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| in_patch(item).is_some());
    named.sort_by_key(in_patch);
    others.sort_by_key(on_server);
    let mut arranged = Vec::with_capacity(named.len() + others.len());
    let mut named = named.into_iter().peekable();
    // An item that the patch does not name goes before the next named one only where it was before it already.
    for other in others {
        while let Some(next) = named.peek() {
            let is_before = matches!((on_server(&other), on_server(next)), (Some(one), Some(two)) if one < two);
            if is_before {
                break;
            }
            arranged.extend(named.next());
        }
        arranged.push(other);
    }
    arranged.extend(named);
    arranged
}
