//! The operations that change instances.

use serde_json::{Map, Value, json};

use super::describe::{done, invalid};
use super::instances::{self, Instance, KIND, State};
use super::interface_calls;
use super::launch_template_data::check_user_data;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "TerminateInstances", run: terminate_instances },
    Operation { name: "StopInstances", run: stop_instances },
    Operation { name: "StartInstances", run: start_instances },
    Operation { name: "RebootInstances", run: reboot_instances },
    Operation { name: "ModifyInstanceAttribute", run: modify_instance_attribute },
    Operation { name: "DescribeInstanceAttribute", run: describe_instance_attribute },
    Operation { name: "ModifyInstanceMetadataOptions", run: modify_instance_metadata_options },
];

/// The instances that a call names, all of which must be there.
fn named(world: &World, call: &Call) -> Result<Vec<String>, ApiError> {
    let ids = call.texts("InstanceId");
    if ids.is_empty() {
        return Err(ApiError::missing(call.service, "InstanceId"));
    }
    ids.iter().try_for_each(|id| KIND.well_formed(id))?;
    let missing: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !world.ec2.instances.contains(id)).collect();
    if missing.is_empty() { Ok(ids) } else { Err(KIND.missing(&missing)) }
}

fn render_state(state: State) -> Value {
    json!({ "code": state.code(), "name": state.as_str() })
}

/// Does something to all named instances and tells how their states changed.
fn change(
    world: &mut World,
    call: &Call,
    check: impl Fn(&Instance) -> Result<(), ApiError>,
    act: fn(&mut World, &str) -> Result<(), ApiError>,
) -> Answer {
    let ids = named(world, call)?;
    for id in &ids {
        check(instances::find(world, id)?)?;
    }
    let mut changes = Vec::new();
    for id in ids {
        let before = instances::find(world, &id)?.state;
        act(world, &id)?;
        let now = instances::find(world, &id)?.state;
        changes.push(json!({
            "instanceId": id, "currentState": render_state(now), "previousState": render_state(before),
        }));
    }
    Ok(json!({ "instancesSet": changes }))
}

/// Refuses what an instance's attribute protects it from.
fn allowed(instance: &Instance, is_disabled: bool, what: &str, attribute: &str) -> Result<(), ApiError> {
    if !is_disabled {
        return Ok(());
    }
    let message = format!(
        "The instance '{}' may not be {what}. Modify its '{attribute}' instance attribute and try again.",
        instance.id
    );
    Err(ApiError::new("OperationNotPermitted", message))
}

fn terminate_instances(world: &mut World, call: &Call) -> Answer {
    let check = |instance: &Instance| {
        let is_disabled = instance.options.is_termination_disabled;
        allowed(instance, is_disabled, "terminated", "disableApiTermination")
    };
    change(world, call, check, instances::terminate)
}

fn stop_instances(world: &mut World, call: &Call) -> Answer {
    for name in ["Force", "Hibernate"] {
        call.boolean(name)?;
    }
    let check = |instance: &Instance| allowed(instance, instance.options.is_stop_disabled, "stopped", "disableApiStop");
    change(world, call, check, instances::stop)
}

fn start_instances(world: &mut World, call: &Call) -> Answer {
    change(world, call, |_| Ok(()), instances::start)
}

fn reboot_instances(world: &mut World, call: &Call) -> Answer {
    for id in named(world, call)? {
        let state = instances::find(world, &id)?.state;
        if state != State::Running {
            let message = format!("The instance '{id}' is not running: it is {}.", state.as_str());
            return Err(ApiError::new("IncorrectState", message));
        }
    }
    Ok(done())
}

/// The one attribute that a call changes, as `Name.Value` or as `Attribute` and `Value`.
fn attribute(call: &Call) -> Result<(String, Value), ApiError> {
    const NAMES: &[&str] = &[
        "DisableApiStop",
        "DisableApiTermination",
        "EbsOptimized",
        "GroupId",
        "InstanceInitiatedShutdownBehavior",
        "InstanceType",
        "SourceDestCheck",
        "UserData",
    ];
    for name in ["BlockDeviceMapping", "EnaSupport", "EnclaveOptions", "Kernel", "Ramdisk", "SriovNetSupport"] {
        if call.has(name) {
            return Err(ApiError::new("UnsupportedOperation", format!("The sandbox cannot change {name}.")));
        }
    }
    if let Some(name) = call.text("Attribute") {
        let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
        let known = known.ok_or_else(|| invalid("attribute", &name, "Expected an attribute that can be modified."))?;
        return Ok(((*known).to_owned(), call.value("Value").cloned().unwrap_or(Value::Null)));
    }
    let given: Vec<&str> = NAMES.iter().copied().filter(|name| call.has(name)).collect();
    match given.as_slice() {
        [name] => {
            let value = call.value(name).cloned().unwrap_or(Value::Null);
            let value = value.get("Value").cloned().unwrap_or(value);
            Ok(((*name).to_owned(), value))
        }
        [] => Err(ApiError::new("InvalidParameterCombination", "No attributes specified.")),
        _ => Err(ApiError::new("InvalidParameterCombination", "Fields for multiple attribute types specified")),
    }
}

fn truth_of(name: &str, value: &Value) -> Result<bool, ApiError> {
    match value.as_str().map(str::to_lowercase).as_deref() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        other => Err(invalid(name, other.unwrap_or(""), "Must be true or false")),
    }
}

fn modify_instance_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("InstanceId")?;
    let mut instance = instances::find(world, &id)?.clone();
    let (name, value) = attribute(call)?;
    let text = value.as_str().unwrap_or("").to_owned();
    let needs_stop = matches!(name.as_str(), "InstanceType" | "UserData" | "EbsOptimized");
    if needs_stop && instance.state != State::Stopped {
        let message = format!("The instance '{id}' is not in the 'stopped' state.");
        return Err(ApiError::new("IncorrectInstanceState", message));
    }
    match name.as_str() {
        "GroupId" => return set_groups(world, call, &instance),
        "SourceDestCheck" => {
            let check = truth_of(&name, &value)?;
            world.ec2.interfaces.update(&instance.interface_id, |row| row.source_dest_check = check);
            return Ok(done());
        }
        "InstanceType" => {
            super::instance_types::find(&text).ok_or_else(|| super::instance_types::unknown(&[&text]))?;
            instance.instance_type = text;
        }
        "UserData" => {
            check_user_data(&text)?;
            instance.options.user_data = Some(text);
        }
        "InstanceInitiatedShutdownBehavior" if !matches!(text.as_str(), "stop" | "terminate") => {
            return Err(invalid("instanceInitiatedShutdownBehavior", &text, "Expected one of: stop, terminate"));
        }
        "InstanceInitiatedShutdownBehavior" => instance.options.shutdown_behavior = text,
        "DisableApiTermination" => instance.options.is_termination_disabled = truth_of(&name, &value)?,
        "DisableApiStop" => instance.options.is_stop_disabled = truth_of(&name, &value)?,
        _ => instance.options.is_ebs_optimized = truth_of(&name, &value)?,
    }
    world.ec2.instances.insert(id, instance);
    Ok(done())
}

/// The groups of an instance are those of its primary interface.
fn set_groups(world: &mut World, call: &Call, instance: &Instance) -> Answer {
    let wanted = call.texts("GroupId");
    let interface = super::interfaces::find(world, &instance.interface_id)?;
    let groups = interface_calls::set_groups(world, interface, wanted)?;
    world.ec2.interfaces.update(&instance.interface_id, |interface| interface.groups = groups);
    Ok(done())
}

fn describe_instance_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.required("InstanceId")?;
    let instance = instances::find(world, &id)?;
    let name = call.required("Attribute")?;
    let interface = world.ec2.interfaces.get(&instance.interface_id);
    let options = &instance.options;
    let value = match name.as_str() {
        "instanceType" => json!({ "value": instance.instance_type }),
        "userData" => options.user_data.as_ref().map_or(json!({}), |data| json!({ "value": data })),
        "disableApiTermination" => json!({ "value": options.is_termination_disabled }),
        "disableApiStop" => json!({ "value": options.is_stop_disabled }),
        "instanceInitiatedShutdownBehavior" => json!({ "value": options.shutdown_behavior }),
        "ebsOptimized" => json!({ "value": options.is_ebs_optimized }),
        "rootDeviceName" => json!({ "value": "/dev/xvda" }),
        "sourceDestCheck" => json!({ "value": interface.is_some_and(|interface| interface.source_dest_check) }),
        "groupSet" => {
            let groups = interface.map(|interface| interface.groups.clone()).unwrap_or_default();
            super::interface_describe::group_set(world, &groups)
        }
        "enaSupport" => json!({ "value": true }),
        "enclaveOptions" => json!({ "enabled": false }),
        "kernel" | "ramdisk" | "sriovNetSupport" => json!({}),
        "blockDeviceMapping" | "productCodes" => json!([]),
        other => return Err(invalid("attribute", other, "Expected an attribute of instances.")),
    };
    let mut answer = Map::new();
    answer.insert("instanceId".to_owned(), json!(id));
    answer.insert(name, value);
    Ok(Value::Object(answer))
}

fn modify_instance_metadata_options(world: &mut World, call: &Call) -> Answer {
    let id = call.required("InstanceId")?;
    let mut instance = instances::find(world, &id)?.clone();
    super::run_instances::read_metadata(call, &mut instance.options)?;
    let options = super::instance_describe::metadata_options(&instance);
    world.ec2.instances.insert(&id, instance);
    Ok(json!({ "instanceId": id, "instanceMetadataOptions": options }))
}
