//! The modules in the binary come with tests, which pass without an account.

use std::{fs, path::Path};

use sgp_tests::{binary, world::World};

pub fn test(world: &mut World) {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    let mut tested = Vec::new();
    for module in fs::read_dir(&modules).unwrap().map(|entry| entry.unwrap().path()) {
        if !module.join("tests").is_dir() {
            continue;
        }
        let state = tempfile::tempdir().unwrap();
        let mut command = world.command(binary::sgp().unwrap());
        let ran = command.arg("test").current_dir(&module).env("SGP_DATA_DIR", state.path()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success() && out.contains("Success!"), "{}:\n{out}\n{err}", module.display());
        tested.push(module);
    }
    assert!(!tested.is_empty(), "no module has tests");
    assert!(!world.calls().iter().any(|call| call.is_mutating), "mocks call nobody");
}
