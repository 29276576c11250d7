//! Pages: moto answers everything at once, AWS at most `MaxResults`.

use super::AwsRequest;
use bytes::Bytes;
use http::Response;

/// Cuts the answer of a Describe call to the page that was asked for. A token is the number of items before the page.
pub(super) fn page(request: &AwsRequest, response: Response<Bytes>) -> Response<Bytes> {
    let size = request.param("MaxResults").and_then(|size| size.parse::<usize>().ok());
    match size {
        Some(size) if response.status().is_success() => {
            response.map(|body| cut(&body, size, offset(request)).unwrap_or(body))
        }
        _ => response,
    }
}

fn offset(request: &AwsRequest) -> usize {
    request.param("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0)
}

/// The items are the `<item>`s of the answer's first `<...Set>`, the page is those from `offset` on.
fn cut(body: &[u8], size: usize, offset: usize) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    let is_list = |name: &str| name.ends_with("Set") || name.ends_with("Info") || name.ends_with('s');
    let list = root.children().find(|node| node.is_element() && is_list(node.tag_name().name()))?;
    let items: Vec<_> = list.children().filter(|node| node.tag_name().name() == "item").collect();
    let end = items.len().min(offset + size);
    if offset == 0 && end == items.len() {
        return None;
    }
    let name = list.tag_name().name();
    let kept: String = items.get(offset..end)?.iter().map(|item| &text[item.range()]).collect();
    let token = if end < items.len() { format!("<nextToken>{end}</nextToken>") } else { String::new() };
    let mut page = text.to_owned();
    page.replace_range(list.range(), &format!("<{name}>{kept}</{name}>{token}"));
    Some(Bytes::from(page))
}
