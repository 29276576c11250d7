//! How wide a text is, where nothing can measure it.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Thousandths of the font's size. Measured over DejaVu Sans, the widest of the fonts that the page asks for, and rounded up.
fn advance(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | 'I' | ' ' | '!' => 350,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' | 'J' | '\u{b7}' => 420,
        'm' | 'w' | 'M' | 'W' | 'Q' | 'O' | '@' | '%' | '\u{2026}' | '\u{2192}' => 1000,
        '0'..='9' | 'a'..='z' | '_' | '"' | '#' | '*' | '?' => 650,
        _ if c.is_ascii() => 850,
        _ => 500 * i32::try_from(c.width().unwrap_or(0)).unwrap_or(2).max(1) + 150,
    }
}

/// The width of a text in pixels, at most.
pub fn width(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(advance).sum();
    (thousandths * size + 999) / 1000
}

/// The text, shortened in its middle when it is wider than `room`: names are told apart by how they begin and how they end.
pub fn fitted(text: &str, size: i32, room: i32) -> Cow<'_, str> {
    if width(text, size) <= room {
        return Cow::Borrowed(text);
    }
    let all: Vec<char> = text.chars().collect();
    let with = |left: usize| -> String {
        let (head, tail) = (left - left / 3, left / 3);
        all[..head].iter().chain(&['\u{2026}']).chain(&all[all.len() - tail..]).collect()
    };
    let fits = |left: &usize| width(&with(*left), size) <= room;
    // The width grows with what is left, but for single letters; a few dozen tries at most.
    let left = (0..all.len().min(400)).rev().find(fits).unwrap_or(0);
    Cow::Owned(if left == 0 && width("\u{2026}", size) > room { String::new() } else { with(left) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_keeps_its_beginning_and_its_end() {
        assert_eq!(fitted("orders-db", 13, 200), "orders-db");
        assert_eq!(
            fitted("module.network.aws_subnet.private[\"eu-central-1a\"]", 13, 200),
            "module.network.a\u{2026}ral-1a\"]"
        );
        assert_eq!(fitted("orders-db", 13, 5), "");
    }

    proptest! {
        #[test]
        fn what_was_fitted_fits(text in "\\PC{0,60}", size in 9_i32..16, room in 0_i32..300) {
            prop_assert!(width(&fitted(&text, size, room), size) <= room);
        }
    }
}
