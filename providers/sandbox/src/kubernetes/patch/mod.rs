//! The three kinds of patch that a Kubernetes API takes, as functions over JSON. Server-side apply is [`super::apply`].

mod json;
mod merge;
mod order;
mod strategic;

pub use json::json;
pub use merge::merge;
pub use strategic::strategic;

/// Why a patch is refused, as the API server answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatchError {
    /// The HTTP status: 400, 413, 422 or 500.
    pub code: u16,
    /// `BadRequest`, `RequestEntityTooLarge`, `Invalid`, `InternalError`, or empty.
    pub reason: &'static str,
    /// The message of the answer.
    pub message: String,
    /// What is wrong in particular. The API server keeps it to itself.
    pub detail: String,
}

impl PatchError {
    /// The patch itself cannot be read.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code: 400, reason: "BadRequest", detail: message.clone(), message }
    }

    /// The patch can be read and does not fit the object.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        let message = "the server rejected our request due to an error in our request".to_owned();
        Self { code: 422, reason: "Invalid", message, detail: detail.into() }
    }
}
