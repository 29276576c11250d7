//! The stack that is walked: the example and, beside it, an object of each type that the example does not have.

use std::time::Duration;

use sgp_tests::{
    inventory::inventory,
    workdir::{Workdir, start},
    world::{Options, World},
};

/// A world with the stack's folders made in it, one after the other.
pub struct Walk {
    pub world: World,
    /// What the endpoints hold before anything is made, and when everything is there.
    pub empty: Vec<String>,
    pub whole: Vec<String>,
}

impl Walk {
    /// Starts a world and learns from an undisturbed run what must be there after each other one.
    pub fn start(pending_describes: u32) -> Option<Self> {
        let mut world = start(&Options { pending_describes, ..Options::default() })?;
        let empty = inventory(&world);
        let folder = folder();
        folder.must(&world, &["apply", "-auto-approve"]);
        folder.must_be_settled(&world, "undisturbed");
        let whole = inventory(&world);
        world.reset().unwrap();
        Some(Self { world, empty, whole })
    }

    /// Empties the world and makes a folder with an empty state.
    pub fn anew(&mut self) -> Workdir {
        self.world.reset().unwrap();
        folder()
    }

    /// The next run must go on to the end, and find that each object is there once.
    pub fn must_recover(&self, folder: &Workdir, when: &str) {
        let ran = folder.sgp(&self.world, &["apply", "-auto-approve"]);
        assert_eq!(ran.code, Some(0), "{when}: the next apply fails: {ran}");
        similar(&inventory(&self.world), &self.whole, when);
        folder.must_be_settled(&self.world, when);
    }

    /// The next destroy must leave nothing.
    pub fn must_vanish(&self, folder: &Workdir, when: &str) {
        let ran = folder.sgp(&self.world, &["destroy", "-auto-approve"]);
        assert_eq!(ran.code, Some(0), "{when}: the next destroy fails: {ran}");
        similar(&inventory(&self.world), &self.empty, when);
        let listed = folder.must(&self.world, &["state", "list"]);
        assert_eq!(listed.stdout, "", "{when}: the state is not empty");
    }
}

fn folder() -> Workdir {
    let folder = Workdir::example("backend-to-rds");
    folder.write("extra.tf", include_str!("extra.tf"));
    folder
}

/// Says what is missing and what is too much. Made names end in digits that differ.
pub fn similar(found: &[String], expected: &[String], when: &str) {
    let (found, expected) = (made_names(found), made_names(expected));
    if found == expected {
        return;
    }
    let mut missing = expected.clone();
    let mut extra = Vec::new();
    for line in &found {
        match missing.iter().position(|m| m == line) {
            Some(at) => drop(missing.remove(at)),
            None => extra.push(line),
        }
    }
    panic!("{when}: missing {missing:#?}, too much {extra:#?}");
}

fn made_names(lines: &[String]) -> Vec<String> {
    let word = |word: &str| match word.split_once("-made-") {
        Some((stem, _)) => format!("{stem}-made-"),
        None => word.to_owned(),
    };
    let mut lines: Vec<String> =
        lines.iter().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

/// Calls that were on their way when the process died are served by then.
pub fn let_calls_land() {
    std::thread::sleep(Duration::from_millis(100));
}
