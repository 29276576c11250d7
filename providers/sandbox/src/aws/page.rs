//! Pages of long answers, with tokens that stay valid while rows come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One page, and the token of the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as asked for, in the order of their ids.
    pub items: Vec<T>,
    /// Where to go on, when there is more.
    pub next: Option<String>,
}

/// A token that is not one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct BadToken;

/// Takes a page out of rows that come in the order of their ids. The token names the last id of the page before, so that rows
/// added or removed between two pages make no row appear twice or be left out.
///
/// # Errors
/// [`BadToken`] when the token is not one that this function made.
pub fn page<'a, T>(
    rows: impl Iterator<Item = (&'a str, T)>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<Page<T>, BadToken> {
    let after = token.map(after).transpose()?;
    Ok(rest(rows.skip_while(|(id, _)| after.as_deref().is_some_and(|after| *id <= after)), limit))
}

/// The page of rows that begin where the page before ended; see [`after`].
pub fn rest<K: AsRef<str>, T>(rows: impl Iterator<Item = (K, T)>, limit: Option<usize>) -> Page<T> {
    let mut rows = rows.peekable();
    let (mut items, mut last) = (Vec::new(), None);
    while limit.is_none_or(|limit| items.len() < limit)
        && let Some((id, row)) = rows.next()
    {
        items.push(row);
        last = Some(id);
    }
    let last = last.as_ref().map_or("", AsRef::as_ref);
    let next = rows.peek().is_some().then(|| URL_SAFE_NO_PAD.encode(format!("after:{last}")));
    Page { items, next }
}

/// The last id of the page before.
///
/// # Errors
/// [`BadToken`] when the token is not one of ours.
pub fn after(token: &str) -> Result<String, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
    text.strip_prefix("after:").map(str::to_owned).ok_or(BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let rows = ["a", "b", "c", "d", "e"];
        let (mut seen, mut token) = (Vec::new(), None);
        loop {
            let page = page(rows.iter().map(|id| (*id, *id)), token.as_deref(), Some(2)).unwrap();
            seen.push(page.items);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert_eq!(page(rows.iter().map(|id| (*id, *id)), Some("!"), None), Err(BadToken));
    }
}
