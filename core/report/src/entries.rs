//! Objects with their diffs.

use maud::{Markup, html};

use crate::styled;

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing: it is shown as it is.
    Same,
    /// It comes.
    Create,
    /// It changes in place.
    Update,
    /// It is made anew.
    Replace,
    /// It goes.
    Delete,
    /// It is read.
    Read,
    /// It leaves the state, or moves in it.
    Other,
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Other => "other",
        }
    }
}

/// An object, or an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happens to it.
    pub mark: Mark,
    /// The sign of that, as in the terminal: `+`, `-/+`; empty for none.
    pub sign: String,
    /// Its address.
    pub address: String,
    /// What happens, in words: `will be created`.
    pub what: String,
    /// Why, a line each.
    pub remarks: Vec<String>,
    /// The diff, with a terminal's colours; redacted already.
    pub diff: String,
}

/// Entries, folded each.
pub fn list(entries: &[Entry]) -> Markup {
    html! {
        div class="entries" {
            @for entry in entries { (one(entry)) }
        }
    }
}

fn one(entry: &Entry) -> Markup {
    let head = html! {
        @if !entry.sign.is_empty() { span class="sign" aria-hidden="true" { (entry.sign) } " " }
        span class="address" { (styled::html(&entry.address)) }
        @if !entry.what.is_empty() { " " span class="what" { (entry.what) } }
    };
    let class = format!("entry {}", entry.mark.class());
    html! {
        details class=(class) data-item {
            summary { (head) }
            @for remark in &entry.remarks { p class="remark" { (styled::html(remark)) } }
            @if !entry.diff.is_empty() { pre { code { (styled::html(&entry.diff)) } } }
        }
    }
}
