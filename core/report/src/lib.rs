//! Pages for people: a plan, a state or an audit as one HTML file that needs nothing else.
//!
//! [`page::render`] makes a page of a [`page::Page`]. [`picture`] draws who reaches whom. Everything is a function of its
//! arguments; whoever calls writes the file. What is sensitive must be redacted before: texts are escaped here and shown.

pub mod page;
pub mod picture;
pub mod styled;

mod audit;
mod checks;
mod entries;
mod reach;

pub use audit::Audited;
pub use checks::Check;
pub use entries::{Entry, Mark};
pub use reach::Reach;
