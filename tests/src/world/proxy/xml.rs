//! Reading the emulators' XML.

/// The texts of all elements of this name, in the order of the document.
pub fn texts(document: &str, name: &str) -> Vec<String> {
    let Ok(parsed) = roxmltree::Document::parse(document) else { return Vec::new() };
    let named = parsed.descendants().filter(|node| node.tag_name().name() == name);
    named.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// The text of the first element of this name.
pub(super) fn text(document: &str, name: &str) -> Option<String> {
    texts(document, name).into_iter().next()
}
