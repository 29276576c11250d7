//! What is for eyes is written to a terminal only.

use crate::stage::Live;
use sgp_tests::{script::Stage, world::World};
use std::fs;

/// Runs a command on a terminal and copies what it writes.
const ON_A_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// The same plan on a terminal and into a pipe.
pub fn test(world: &mut World) {
    let folder = Live::new(world);
    fs::write(folder.folder().join("main.tf"), "resource \"terraform_data\" \"a\" {\n  input = \"x\"\n}\n").unwrap();
    let python = world.python().unwrap();
    let mut command = folder.command(&python.to_string_lossy());
    command.args(["-c", ON_A_TERMINAL, "sgp", "apply", "-auto-approve"]).current_dir(folder.folder());
    let output = command.env_remove("NO_COLOR").env("TERM", "xterm-256color").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("\u{1b}["), "no colour on a terminal: {text:?}");
    assert!(text.contains("Apply complete!"), "{text:?}");
    let piped = folder.sgp(&["plan", "-destroy"]);
    assert!(!piped.contains('\u{1b}'), "colour in a pipe: {piped:?}");
}
