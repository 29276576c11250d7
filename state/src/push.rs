//! Whether one state may replace another (`state push`): the rule of every store.

use sgp_contract::StoreError;
use sgp_model::{InstanceRecord, Mode, ResourceAddr, State, Value, json::to_plain_json_text, state::RecordKey};

/// What a push does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// Nothing: that is what is stored.
    Nothing,
    /// It replaces what is stored.
    Replace,
}

/// Judges a push; without `force` it refuses a state that does not follow the stored one.
pub(crate) fn judge(stored: &State, pushed: &State, force: bool) -> Result<Push, StoreError> {
    let same_standing = pushed.lineage == stored.lineage && pushed.serial == stored.serial;
    if same_standing && same_content(stored, pushed) {
        return Ok(Push::Nothing);
    }
    let fresh = stored.serial == 0 && stored.instances.is_empty() && stored.outputs.is_empty();
    if force || fresh {
        return Ok(Push::Replace);
    }
    let reason = if pushed.lineage != stored.lineage {
        format!(
            "the pushed state has lineage {}, the stored one {}: they describe different things",
            pushed.lineage, stored.lineage
        )
    } else if pushed.serial < stored.serial {
        format!(
            "the pushed state has serial {}, the stored one {}: the stored one is newer",
            pushed.serial, stored.serial
        )
    } else if same_standing {
        format!(
            "both states have serial {} and different content: raise the serial of the pushed one if it is right",
            stored.serial
        )
    } else {
        return Ok(Push::Replace);
    };
    Err(StoreError::Conflict(reason))
}

/// Whether two states say the same in Terraform's JSON, so that a state that was pulled and is pushed again is no change
/// although its values have lost their types on the way.
fn same_content(a: &State, b: &State) -> bool {
    fn managed(state: &State) -> impl Iterator<Item = (&RecordKey, &InstanceRecord)> {
        state.instances.iter().filter(|(key, _)| key.addr.resource.mode == Mode::Managed)
    }
    let same_outputs = a.outputs.len() == b.outputs.len()
        && a.outputs.iter().zip(&b.outputs).all(|((name_a, a), (name_b, b))| {
            name_a == name_b && a.sensitive == b.sensitive && same_json(&a.value, &b.value)
        });
    same_outputs && managed(a).count() == managed(b).count() && managed(a).zip(managed(b)).all(same_record)
}

type Entry<'a> = (&'a RecordKey, &'a InstanceRecord);

fn same_record(((key_a, a), (key_b, b)): (Entry<'_>, Entry<'_>)) -> bool {
    let dependencies =
        |record: &InstanceRecord| record.dependencies.iter().map(ResourceAddr::without_keys).collect::<Vec<_>>();
    key_a == key_b
        && (&a.provider, a.schema_version, a.status, a.create_before_destroy, &a.private)
            == (&b.provider, b.schema_version, b.status, b.create_before_destroy, &b.private)
        && dependencies(a) == dependencies(b)
        && same_json(&a.attributes, &b.attributes)
}

fn same_json(a: &Value, b: &Value) -> bool {
    a == b || matches!((to_plain_json_text(a), to_plain_json_text(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use sgp_model::{Type, json::from_json_text, state::OutputRecord};

    use super::*;
    use crate::testing;

    fn state(lineage: &str, serial: u64, output: &str) -> State {
        let output = OutputRecord { value: output.into(), ty: Type::String, sensitive: false };
        State { lineage: lineage.into(), serial, outputs: [("o".to_owned(), output)].into(), ..State::default() }
    }

    #[test]
    fn the_rule() {
        let stored = state("a", 5, "x");
        let rows = [
            (state("a", 5, "x"), Ok(Push::Nothing)),
            (state("a", 6, "x"), Ok(Push::Replace)),
            (state("a", 5, "y"), Err("both states have serial 5")),
            (state("a", 4, "x"), Err("the stored one is newer")),
            (state("b", 9, "x"), Err("they describe different things")),
        ];
        for (pushed, expected) in rows {
            match (judge(&stored, &pushed, false), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{e}"),
                (found, expected) => panic!("{found:?}, not {expected:?}"),
            }
            let forced = if pushed == stored { Push::Nothing } else { Push::Replace };
            assert_eq!(judge(&stored, &pushed, true).unwrap(), forced);
        }
        let fresh = State { lineage: "mine".into(), ..State::default() };
        assert_eq!(judge(&fresh, &state("b", 1, "x"), false).unwrap(), Push::Replace);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_state_without_its_types_is_the_same(stored in testing::state()) {
            let mut pushed = stored.clone();
            for record in pushed.instances.values_mut() {
                record.dependencies = record.dependencies.iter().map(ResourceAddr::without_keys).collect();
                if let Ok(json) = to_plain_json_text(&record.attributes) {
                    record.attributes = from_json_text(&json).unwrap();
                }
            }
            prop_assert_eq!(judge(&stored, &pushed, false).unwrap(), Push::Nothing);
            if let Some(record) = pushed.instances.values_mut().next() {
                record.attributes = record.attributes.with_attr("id", "another".into());
                prop_assert!(judge(&stored, &pushed, false).is_err());
            }
        }
    }
}
