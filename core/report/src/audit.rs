//! What of the rules and policies does nothing or too much.

use maud::{Markup, html};

/// An audit's findings in words, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// Titles with their lines; a part without lines says that there are none.
    pub parts: Vec<(String, Vec<String>)>,
}

/// The section's content.
pub fn list(audited: &Audited) -> Markup {
    html! {
        @for (title, lines) in &audited.parts {
            h3 { (title) }
            @if lines.is_empty() { p class="none" { "None." } }
            @else { ul class="lines" { @for line in lines { li data-item { (line) } } } }
        }
    }
}
