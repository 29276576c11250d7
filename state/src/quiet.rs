//! Panics of the database library as errors.
//!
//! It asserts its way through damaged files. Such a panic is caught here, told as damage, and not printed: the person gets
//! one message, ours.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use sgp_contract::StoreError;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The names that the database library gives its threads.
const LIBRARY_THREADS: [&str; 2] = ["sled-", "log flusher"];

/// Runs something that calls the database; a panic in it becomes [`StoreError::Damaged`].
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    install_hook();
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.unwrap_or_else(|panic| Err(StoreError::Damaged(describe(&*panic))))
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the database library stopped: {}", text.unwrap_or("no reason given").lines().next().unwrap_or_default())
}

/// Passes panics on to the hook that was there, except those that are being told as errors.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default();
            if !QUIET.get() && !LIBRARY_THREADS.iter().any(|library| name.starts_with(library)) {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_damage() {
        type Run = fn() -> Result<(), StoreError>;
        let rows: [(Run, &str); 3] = [
            (|| -> Result<(), StoreError> { panic!("x {}\nmore", 1) }, "x 1"),
            (|| -> Result<(), StoreError> { panic!("y") }, "y"),
            (|| -> Result<(), StoreError> { std::panic::panic_any(1) }, "no reason given"),
        ];
        for (run, expected) in rows {
            let Err(StoreError::Damaged(text)) = guarded(run) else { panic!("not damage") };
            assert_eq!(text, format!("the database library stopped: {expected}"));
        }
        assert!(matches!(guarded(|| Ok(1)), Ok(1)));
    }
}
