//! The life that every object goes through.

use serde_json::Value;
use sgp_tests::{
    workdir::Workdir,
    world::{Backing, World},
};

use crate::{
    case::{BEYOND_EMULATORS, Case, Edit},
    setting::setting,
};

/// An object on its way through the suite.
struct Object<'a> {
    case: &'a Case,
    world: &'a World,
    folder: Workdir,
    address: String,
    body: String,
}

/// Takes the case through the suite.
pub fn run(case: &Case) {
    let Some(setting) = setting() else { return };
    let is_emulated = setting.world.backing() == Backing::Emulators;
    if let Some((name, why)) = BEYOND_EMULATORS.iter().find(|(name, _)| is_emulated && *name == case.name) {
        return told(&format!("{name} is not shown: {why}"));
    }
    let folder = Workdir::new(&[("common.tf", &setting.common), ("around.tf", case.around)]);
    let address = format!("{}.this", case.name);
    let mut object = Object { case, world: &setting.world, folder, address, body: case.body.to_owned() };
    object.must_plan("create", "created");
    object.import("after its creation");
    let is_shown = |edit: &&Edit| edit.beyond.is_none() || !is_emulated;
    for edit in case.updates.iter().filter(is_shown) {
        object.edit(edit, "update");
    }
    object.import("after its updates");
    object.vanish();
    for edit in case.replacements.iter().filter(is_shown) {
        object.edit(edit, "replace");
    }
    // A made name must be read off the object.
    if ["name_prefix", "generate_name"].iter().any(|argument| object.body.contains(argument)) {
        object.import("after its replacements");
    }
    object.delete();
}

#[expect(clippy::print_stderr, reason = "a person must see what was not tested")]
fn told(line: &str) {
    eprintln!("{line}");
}

impl Object<'_> {
    fn attributes(&self) -> Value {
        self.folder.attributes(self.world, &self.address)
    }

    fn write(&self) {
        let indented: String = self.body.trim_matches('\n').lines().map(|line| format!("  {line}\n")).collect();
        self.folder.write("object.tf", &format!("resource {:?} \"this\" {{\n{indented}}}\n", self.case.name));
    }

    /// What an apply does to the object must be this, and then there is nothing more to do.
    fn must_plan(&self, action: &str, when: &str) {
        self.write();
        let when = format!("{} {when}", self.address);
        let ran = self.folder.sgp(self.world, &["apply", "-auto-approve", "-json"]);
        assert_eq!(ran.code, Some(0), "{when}: {ran}");
        let planned = ran.planned();
        let of_it: Vec<&str> = planned.iter().filter(|(a, _)| *a == self.address).map(|(_, a)| a.as_str()).collect();
        assert_eq!(of_it, [action], "{when}: {}\n{planned:?}", self.body);
        self.folder.must_be_settled(self.world, &when);
    }

    fn edit(&mut self, edit: &Edit, action: &str) {
        self.body = edit.of(&self.body);
        self.must_plan(action, &format!("with another {}", edit.what));
    }

    /// Forgotten and imported, it is as it was: the plan is empty but for what the service does not tell.
    fn import(&self, when: &str) {
        let Some(id) = self.case.import else { return };
        let id = id(&self.attributes());
        self.folder.must(self.world, &["state", "rm", &self.address]);
        self.folder.must(self.world, &["import", &self.address, &id]);
        let ran = self.folder.sgp(self.world, &["plan", "-detailed-exitcode"]);
        let untold = self.case.untold.iter().any(|argument| self.body.contains(argument));
        let allowed = ran.code == Some(2) && untold && !ran.stdout.contains("forces replacement");
        assert!(ran.code == Some(0) || allowed, "{} imported {when} as {id}: {ran}", self.address);
        if allowed {
            self.folder.must(self.world, &["apply", "-auto-approve"]);
            self.folder.must_be_settled(self.world, "imported and applied");
        }
    }

    /// Deleted by somebody else, it is planned again.
    fn vanish(&self) {
        let Some(vanish) = self.case.vanish else { return };
        vanish(self.world, &self.attributes());
        self.must_plan("create", "that is gone");
    }

    /// Afterwards nothing is left, neither in the state nor outside.
    fn delete(&self) {
        let id = self.case.import.map(|id| id(&self.attributes()));
        let ran = self.folder.sgp(self.world, &["destroy", "-auto-approve"]);
        assert_eq!(ran.code, Some(0), "{}: {ran}", self.address);
        assert_eq!(self.folder.must(self.world, &["state", "list"]).stdout, "");
        if let Some(id) = id {
            let ran = self.folder.sgp(self.world, &["import", &self.address, &id]);
            assert_eq!(ran.code, Some(1), "{} is still there as {id}: {ran}", self.address);
        }
    }
}
