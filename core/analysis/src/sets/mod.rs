//! Sets that are never enumerated: of addresses, of traffic, and what is certain and possible of it.

mod addresses;
mod certainty;
mod traffic;

pub(crate) use addresses::NOT_PUBLIC;
pub use addresses::{AddressSet, Family};
pub use certainty::Passage;
pub use traffic::{Protocol, Traffic};
