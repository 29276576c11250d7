//! What AWS's services have in common: the call, its errors, its wire formats, pages and filters.

pub mod call;
pub mod error;
pub mod filter;
pub mod idempotency;
pub mod page;
pub mod params;
pub mod xml;

pub use call::{Answer, Call, Caller, Operation, Service};
pub use error::ApiError;
pub use params::Params;
