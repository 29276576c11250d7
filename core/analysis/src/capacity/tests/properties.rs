//! What holds for every cluster.

use proptest::prelude::*;

use super::scenes::Scene;
use crate::capacity::Verdict;

const TYPES: [&str; 7] = ["m5.large", "m5.xlarge", "c5.xlarge", "t3.medium", "a1.medium", "c5.4xlarge", "m5.enormous"];

fn types() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(&TYPES[..]), 1..3)
}

/// Two groups of nodes and some pods, in a subnet with room for all of them.
fn scene(types: &[&str], nodes: u32, others: u32, backends: u32, shared: u32) -> Scene {
    let scene = Scene::new().subnet("subnet-a", "10.0.0.0/12", None);
    let scene = scene.group("workers", types, nodes).group("others", &["m5.large"], others);
    scene.pods("backend", backends, backends.div_ceil(4)).pods_on("web", shared, 0, &[("pool", "workers")])
}

proptest! {
    #[test]
    fn more_nodes_are_never_less_room(
        types in types(), nodes in 0_u32..20, others in 0_u32..5, backends in 0_u32..80, shared in 0_u32..80
    ) {
        let [fewer, more] = [nodes, nodes + 1].map(|nodes| scene(&types, nodes, others, backends, shared));
        let [fewer_row, more_row] = [&fewer, &more].map(|it| it.row("workers"));
        for (fewer, more) in [
            (&fewer_row.branches.capacity, &more_row.branches.capacity),
            (&fewer_row.pods.capacity, &more_row.pods.capacity),
            (&fewer_row.addresses.capacity, &more_row.addresses.capacity),
            (&fewer.report().branches.more, &more.report().branches.more),
            (&fewer.report().branches.takes, &more.report().branches.takes),
            (&more.report().branches.pending, &fewer.report().branches.pending),
        ] {
            prop_assert!(fewer.least() <= more.least(), "{fewer} and {more}");
            prop_assert!(more.most().is_none_or(|more| fewer.most().is_some_and(|fewer| fewer <= more)), "{fewer} and {more}");
        }
    }

    #[test]
    fn what_if_says_what_the_table_says(
        types in types(), nodes in 0_u32..20, others in 0_u32..5, backends in 0_u32..80, shared in 0_u32..80,
        asked in 0_u64..200
    ) {
        let scene = scene(&types, nodes, others, backends, shared);
        let room = scene.report().branches;
        let answer = scene.what_if(asked, "backend");
        prop_assert_eq!(&answer.room, &room.more);
        let expected = match (asked <= room.more.least(), room.more.most().is_none_or(|most| asked <= most)) {
            (true, _) => Verdict::Fits,
            (_, false) => Verdict::DoesNotFit,
            _ => Verdict::Depends,
        };
        prop_assert_eq!(answer.verdict, expected);
        // The pods that fit can be added, and leave the room that is left.
        let added = u32::try_from(asked.min(room.more.least())).unwrap();
        let after = self::scene(&types, nodes, others, backends + added, shared).report().branches;
        prop_assert_eq!(after.more.least(), room.more.least() - u64::from(added));
        prop_assert_eq!(after.pending.least(), room.pending.least());
    }

    #[test]
    fn one_group_is_what_its_rows_say(nodes in 0_u32..20, backends in 0_u32..200, shared in 0_u32..200) {
        let scene = Scene::new().subnet("subnet-a", "10.0.0.0/12", None);
        let scene = scene.group("workers", &["m5.large"], nodes).pods("backend", backends, 0).pods("web", shared, 0);
        let row = scene.row("workers");
        let left = |it: &crate::capacity::Use| it.capacity.least().saturating_sub(it.wanted.least());
        let is_pending = row.room.pending.least() > 0;
        if !is_pending {
            prop_assert_eq!(row.room.more.least(), left(&row.branches).min(left(&row.pods)));
        }
        let fits = |it: &crate::capacity::Use| it.capacity.least() >= it.wanted.least();
        prop_assert_eq!(!is_pending, (fits(&row.branches) && fits(&row.addresses) && fits(&row.pods)) || backends + shared == 0);
    }
}
