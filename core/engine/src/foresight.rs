//! What a plan and a state mean for who reaches whom: the objects that `sgp-analysis` makes a topology of.

use std::collections::BTreeMap;

use sgp_analysis::build::{Object, Sources};
use sgp_model::{
    AttrPath, InstanceAddr, InstanceRecord, Plan, State, Value,
    plan::{Action, ResourceChange},
};

/// The objects of a state.
pub fn of_state(state: &State) -> Sources {
    let current = state.instances.iter().filter(|(key, _)| key.deposed.is_none());
    let objects = current.map(|(key, record)| recorded(&key.addr, record)).collect();
    Sources { objects, ..Sources::default() }
}

/// What there is before a plan is applied.
pub fn before(plan: &Plan) -> Sources {
    let mut sources = of_state(&plan.refreshed);
    sources.objects.extend(read(&plan.data));
    sources
}

/// What there will be after it.
pub fn after(plan: &Plan) -> Sources {
    let mut sources = Sources { is_planned: true, ..Sources::default() };
    for change in plan.changes.iter().filter(|it| it.deposed.is_none()) {
        if !change.after.is_null() && change.action != Action::Forget {
            let attributes = plan.symbolic.get(&change.addr).unwrap_or(&change.after);
            sources.objects.push(object(&change.addr, hidden(attributes)));
        }
        if is_gone(change) {
            sources.gone.push(object(&change.addr, hidden(&change.before)));
        }
    }
    // Objects that no change speaks of (targets) stay as they are.
    for (key, record) in plan.refreshed.instances.iter().filter(|(key, _)| key.deposed.is_none()) {
        if !plan.changes.iter().any(|it| it.addr == key.addr && it.deposed.is_none()) {
            sources.objects.push(recorded(&key.addr, record));
        }
    }
    sources.objects.extend(read(&plan.data));
    sources
}

/// Whether what the object was before is not there any more.
fn is_gone(change: &ResourceChange) -> bool {
    use Action::{Forget, ForgetThenCreate, NoOp, Read};
    !change.before.is_null() && !matches!(change.action, NoOp | Forget | ForgetThenCreate | Read)
}

fn read(data: &BTreeMap<InstanceAddr, Value>) -> impl Iterator<Item = Object> {
    data.iter().map(|(addr, value)| object(addr, hidden(value)))
}

fn recorded(addr: &InstanceAddr, record: &InstanceRecord) -> Object {
    object(addr, hidden(&record.attributes.clone().mark_paths(&record.sensitive_paths)))
}

fn object(addr: &InstanceAddr, attributes: Value) -> Object {
    Object { kind: addr.resource.type_name.to_string(), addr: Some(addr.clone()), attributes }
}

/// A value in which what is sensitive is unknown, so that nothing that is told can hold it.
fn hidden(value: &Value) -> Value {
    if value.deep_marks().is_empty() {
        return value.clone();
    }
    let hide = |_: &AttrPath, it: Value| if it.is_sensitive() { Value::unknown(it.ty()) } else { it };
    value.map_deep(&mut hide.clone()).unmark_deep().0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_analysis::build::build;
    use sgp_model::{
        ProviderAddr,
        address::parse_instance,
        state::{ObjectStatus, RecordKey},
    };

    use super::*;

    #[test]
    fn what_is_sensitive_in_the_state_is_no_name() {
        let record = |sensitive_paths| InstanceRecord {
            provider: ProviderAddr::root("aws"),
            schema_version: 0,
            attributes: Value::object([
                ("id", Value::from("sg-1")),
                ("name", "hunter2".into()),
                ("vpc_id", "vpc-1".into()),
            ]),
            sensitive_paths,
            status: ObjectStatus::Ready,
            dependencies: Vec::new(),
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        let name = |sensitive_paths| {
            let addr = parse_instance("aws_security_group.a").unwrap();
            let instances = [(RecordKey::current(addr), record(sensitive_paths))].into();
            let topology = build(&of_state(&State { instances, ..State::default() }));
            topology.groups.values().next().unwrap().name.clone()
        };
        assert_eq!(name(Vec::new()), "hunter2");
        assert_ne!(name(vec![AttrPath::attr("name")]), "hunter2");
    }
}
