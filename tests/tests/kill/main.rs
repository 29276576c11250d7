//! A process that dies anywhere loses nothing: killed before and after every mutating call and every write of the state, the next run
//! finds what was made, goes on, and the endpoints hold exactly what is declared, each object once.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops where it stands, and says how far a walk went"
)]

mod faults;
mod stack;
mod walk;
