//! What holds for any configuration.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A part of a widget, by chance.
fn part() -> impl Strategy<Value = Value> {
    let maybe =
        |name: &'static str, value: BoxedStrategy<Value>| prop::option::of(value).prop_map(move |it| (name, it));
    let letters = || prop::collection::btree_set("[a-d]", 0..4);
    let map = letters().prop_flat_map(move |names| {
        let count = names.len();
        prop::collection::vec("[xy]", count).prop_map(move |values| {
            json!(names.iter().cloned().zip(values).collect::<std::collections::BTreeMap<_, _>>())
        })
    });
    let keyed = letters().prop_flat_map(move |names| {
        let count = names.len();
        prop::collection::vec((prop::option::of(0..3), prop::option::of(0..3), letters()), count).prop_map(
            move |values| {
                let item = |(name, (value, other, tags)): (
                    &String,
                    (Option<i32>, Option<i32>, std::collections::BTreeSet<String>),
                )| {
                    let mut item = json!({"name": name});
                    if let Some(value) = value {
                        item["value"] = json!(value);
                    }
                    if let Some(other) = other {
                        item["other"] = json!(other);
                    }
                    if !tags.is_empty() {
                        item["tags"] = json!(tags);
                    }
                    item
                };
                Value::Array(names.iter().zip(values).map(item).collect())
            },
        )
    });
    let members = (
        maybe("n", (0..3).prop_map(|it| json!(it)).boxed()),
        maybe("map", map.clone().boxed()),
        maybe("atomicMap", map.boxed()),
        maybe("list", prop::collection::vec("[a-c]", 0..3).prop_map(|it| json!(it)).boxed()),
        maybe("set", letters().prop_map(|it| json!(it)).boxed()),
        maybe("keyed", keyed.boxed()),
    );
    members.prop_map(|(a, b, c, d, e, f)| {
        let members = [a, b, c, d, e, f].into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        json!({ "spec": Value::Object(members.collect()) })
    })
}

proptest! {
    #[test]
    fn applying_twice_is_applying_once(first in part(), second in part()) {
        let mut story = Story::widgets();
        story.step(&json!(["apply", "a", first])).unwrap();
        story.step(&json!(["force", "b", second])).unwrap();
        let once = story.live.clone();
        story.step(&json!(["apply", "b", second])).unwrap();
        prop_assert_eq!(story.live, once);
    }

    #[test]
    fn what_is_applied_is_there(first in part(), second in part()) {
        let mut story = Story::widgets();
        story.step(&json!(["apply", "a", first])).unwrap();
        story.step(&json!(["force", "b", second])).unwrap();
        let config = story.whole(&second);
        let owned = compare::fields(&config, &story.schema);
        let there = merge::with_named(&compare::fields(story.live.as_ref().unwrap(), &story.schema), &story.schema);
        prop_assert!(merge::with_named(&owned, &story.schema).difference(&there).is_empty());
    }

    #[test]
    fn who_withdraws_everything_leaves_what_is_others(first in part(), second in part()) {
        // An object that becomes empty goes, also where somebody wants it empty.
        prop_assume!(!second.to_string().contains("{}"));
        let mut story = Story::widgets();
        story.step(&json!(["apply", "a", first])).unwrap();
        story.step(&json!(["force", "b", second])).unwrap();
        story.step(&json!(["apply", "a", {}])).unwrap();
        let owners = story.owners();
        prop_assert!(owners.get("a").is_none());
        let mut alone = Story::widgets();
        alone.step(&json!(["apply", "b", second])).unwrap();
        let fields = |story: &Story| compare::fields(&story.object(), &story.schema);
        prop_assert_eq!(fields(&story), fields(&alone));
    }

    #[test]
    fn sets_are_read_as_they_are_written(first in part(), second in part()) {
        let schema = widget();
        let (one, two) = (compare::fields(&first, &schema), compare::fields(&second, &schema));
        prop_assert_eq!(decode(&encode(&one)), Some(one.clone()));
        // The laws that ownership rests on.
        let both = one.intersection(&two);
        prop_assert_eq!(one.difference(&two).union(&both), one.clone());
        prop_assert!(one.difference(&two).intersection(&two).is_empty());
        prop_assert!(one.clone().union(&two).difference(&two).difference(&one).is_empty());
    }

    #[test]
    fn an_update_owns_what_it_changed(first in part(), second in part()) {
        let mut story = Story::widgets();
        story.step(&json!(["update", "u", first])).unwrap();
        story.step(&json!(["update", "v", second])).unwrap();
        let owners = Managers::read(story.live.as_ref().unwrap()).unwrap();
        let (before, after) = (story.whole(&first), story.whole(&second));
        let written = compare::compare(&before, &after, &story.schema).written();
        let v = owners.0.iter().find(|(id, _)| id.manager == "v").map(|(_, owned)| owned.set.clone()).unwrap_or_default();
        prop_assert_eq!(v, written);
    }
}
