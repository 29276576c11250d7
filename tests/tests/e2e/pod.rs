//! The end of it all: AWS's own controller gives a pod the groups that sgp's policy names.

use crate::stage::Live;
use sgp_tests::{
    leftovers,
    script::Stage,
    world::{Backing, Pod, World},
};
use std::{fs, time::Duration};

/// The example with the shortest cool-down, up to a pod with its branch interface, and away again while the interface cools down.
pub fn test(world: &mut World) {
    world.start_controller("orders").unwrap();
    let world = &*world;
    let stack = Live::example(world, "backend-to-rds");
    let main = stack.folder().join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let with_cooldown =
        text.replace("enforcing_mode          = \"strict\"", "enforcing_mode = \"strict\"\n  branch_eni_cooldown = 30");
    assert_ne!(text, with_cooldown);
    fs::write(&main, with_cooldown).unwrap();
    stack.sgp(&["apply", "-auto-approve"]);

    let group = stack.sgp(&["output", "-raw", "backend_security_group_id"]);
    let node = world.add_node("m5.large").unwrap();
    for (name, account) in [("backend", "backend"), ("other", "default")] {
        let pod = Pod { namespace: "app", name, labels: &[("app", name)], service_account: account };
        world.add_pod(&pod, &node).unwrap();
    }
    let branch = world.branch_interface("app", "backend").unwrap().expect("the policy selects the pod");
    assert_eq!(branch.security_group_ids, [group.as_str()]);
    assert!(world.branch_interface("app", "other").unwrap().is_none(), "no policy selects it");
    let plan = stack.sgp(&["plan", "-detailed-exitcode"]);
    assert!(plan.contains("No changes"), "a pod is no change: {plan}");

    world.remove_pod("app", "backend").unwrap();
    world.remove_pod("app", "other").unwrap();
    if world.backing() == Backing::Sandbox {
        // The cool-down and the round of the queue after it.
        world.pass(Duration::from_secs(61));
    }
    stack.sgp(&["destroy", "-auto-approve"]);
    assert_eq!(leftovers::of(world).unwrap(), Vec::<String>::new());
    assert!(world.groups_of_interface(&branch.eni_id).is_err(), "the interface is gone with its pod");
}
