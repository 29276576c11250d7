//! What stands for a text that is known after apply, where a plan is judged before it.
//!
//! An id that AWS will give is nobody's to guess, but two references to it are one id. A symbol is a text that cannot occur
//! otherwise; it survives sets, joins and templates, which an unknown value does not.

use std::borrow::Cow;

/// Begins a symbol: of the private use area, so no text of a person or of AWS holds it.
const OPEN: char = '\u{f8f0}';
/// Ends a symbol.
const CLOSE: char = '\u{f8f1}';

/// The symbol for a reference such as `aws_security_group.backend.id`.
pub fn symbol(reference: &str) -> String {
    format!("{OPEN}{reference}{CLOSE}")
}

/// Whether a text is or holds a symbol.
pub fn is_in(text: &str) -> bool {
    text.contains(OPEN)
}

/// The reference that a text stands for, when it is a symbol and nothing else.
pub fn reference(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    (!inner.contains([OPEN, CLOSE])).then_some(inner)
}

/// A text for people: symbols read as the references that they stand for.
pub fn readable(text: &str) -> Cow<'_, str> {
    if is_in(text) { Cow::Owned(text.replace([OPEN, CLOSE], "")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_told_from_texts() {
        let id = symbol("aws_security_group.a.id");
        assert_eq!(reference(&id), Some("aws_security_group.a.id"));
        assert_eq!(reference("sg-1"), None);
        assert_eq!(reference(&format!("{id},{id}")), None);
        assert!(is_in(&format!("arn:{id}")));
        assert_eq!(readable(&format!("arn:{id}")), "arn:aws_security_group.a.id");
    }
}
