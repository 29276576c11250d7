//! Connections to servers: directly or through a proxy, with TLS, and requests over them.

pub(crate) mod connect;
pub(crate) mod fetch;
pub(crate) mod trust;

use std::error::Error;

/// An error with its causes, as one text.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
