//! What launch templates hold: `LaunchTemplateData`, read by the names that calls use and written by those that answers use.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::aws::ApiError;

/// Members by the names of calls (`BlockDeviceMapping`): the name in answers as `to`, and `members` of a structure, `item` of a
/// list, or `type` with `enum`. Made from the service's model; see `data/README.md`.
static SHAPE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/launch-template-data.json"))
        .expect("the file is part of the program and a test reads it")
});

/// User data before its encoding, in bytes (EC2 user guide, "Run commands when you launch an EC2 instance").
const USER_DATA_MAX: usize = 16 * 1024;

/// Reads `LaunchTemplateData` as it was sent: lists become arrays, numbers and truth values lose their quotes.
///
/// # Errors
/// `UnknownParameter`, `InvalidParameterValue` for a value of another type or outside an enumeration, `InvalidUserData.Malformed`.
pub fn read(sent: &Value) -> Result<Value, ApiError> {
    let data = read_members(&SHAPE, sent, "LaunchTemplateData")?;
    if let Some(user_data) = data.get("UserData").and_then(Value::as_str) {
        check_user_data(user_data)?;
    }
    Ok(data)
}

/// Checks that user data is Base64 of at most 16 KB.
///
/// # Errors
/// `InvalidUserData.Malformed`, `InvalidParameterValue`.
pub(super) fn check_user_data(text: &str) -> Result<(), ApiError> {
    let malformed = || ApiError::new("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
    let bytes = STANDARD.decode(text.split_whitespace().collect::<String>()).map_err(|_| malformed())?;
    if bytes.len() > USER_DATA_MAX {
        return Err(ApiError::new("InvalidParameterValue", "User data is limited to 16384 bytes"));
    }
    Ok(())
}

fn read_members(shape: &Value, sent: &Value, path: &str) -> Result<Value, ApiError> {
    let Value::Object(sent) = sent else {
        return Err(ApiError::new("InvalidParameterValue", format!("The parameter {path} must be a structure")));
    };
    let mut members = Map::new();
    for (name, value) in sent {
        let path = format!("{path}.{name}");
        let Some(member) = shape.get(name) else {
            return Err(ApiError::new("UnknownParameter", format!("The parameter {path} is not recognized")));
        };
        if !value.is_null() {
            members.insert(name.clone(), read_value(member, value, &path)?);
        }
    }
    Ok(Value::Object(members))
}

fn read_value(shape: &Value, sent: &Value, path: &str) -> Result<Value, ApiError> {
    if let Some(members) = shape.get("members") {
        return read_members(members, sent, path);
    }
    if let Some(item) = shape.get("item") {
        return items(sent).into_iter().map(|sent| read_value(item, sent, path)).collect();
    }
    let text = match sent {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => sent.to_string(),
        _ => return Err(wrong(path, "...", "It must be a single value")),
    };
    match shape["type"].as_str() {
        Some("integer") => {
            text.parse::<i64>().map(Value::from).map_err(|_| wrong(path, &text, "It must be an integer"))
        }
        Some("number") => text.parse::<f64>().map(Value::from).map_err(|_| wrong(path, &text, "It must be a number")),
        Some("boolean") => match text.to_lowercase().as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(wrong(path, &text, "It must be true or false")),
        },
        _ => match shape["enum"].as_array() {
            Some(allowed) if !allowed.contains(&Value::from(text.as_str())) => {
                let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
                Err(wrong(path, &text, &format!("Expected one of: {}", allowed.join(", "))))
            }
            _ => Ok(Value::String(text)),
        },
    }
}

/// The items of a list: `Name.1`, `Name.2` in the order of their numbers, or an array.
fn items(sent: &Value) -> Vec<&Value> {
    match sent {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => {
            let mut numbered: Vec<(u64, &Value)> =
                members.iter().filter_map(|(number, item)| Some((number.parse().ok()?, item))).collect();
            numbered.sort_by_key(|(number, _)| *number);
            numbered.into_iter().map(|(_, item)| item).collect()
        }
        single => vec![single],
    }
}

fn wrong(path: &str, value: &str, why: &str) -> ApiError {
    super::describe::invalid(path, value, why)
}

/// Data that was read, by the names of answers.
pub fn render(data: &Value) -> Value {
    render_members(&SHAPE, data)
}

fn render_members(shape: &Value, data: &Value) -> Value {
    let members = data.as_object().into_iter().flatten();
    let named = members.filter_map(|(name, value)| {
        let member = shape.get(name)?;
        Some((member["to"].as_str()?.to_owned(), render_value(member, value)))
    });
    Value::Object(named.collect())
}

fn render_value(shape: &Value, value: &Value) -> Value {
    match (shape.get("members"), shape.get("item"), value) {
        (Some(members), _, _) => render_members(members, value),
        (_, Some(item), Value::Array(items)) => items.iter().map(|value| render_value(item, value)).collect(),
        _ => value.clone(),
    }
}

/// The first with the second over it, member by member: what a version based on another has, and what a launch with a template.
pub fn over(base: &Value, more: &Value) -> Value {
    let mut merged = base.as_object().cloned().unwrap_or_default();
    merged.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_goes_in_and_comes_out() {
        let sent = json!({
            "InstanceType": "m5.large", "EbsOptimized": "true", "SecurityGroupId": { "1": "sg-1", "2": "sg-2" },
            "BlockDeviceMapping": { "1": { "DeviceName": "/dev/xvda", "Ebs": { "VolumeSize": "40" } } },
            "TagSpecification": { "1": { "ResourceType": "instance", "Tag": { "1": { "Key": "a", "Value": "b" } } } },
        });
        let data = read(&sent).unwrap();
        assert_eq!(data["SecurityGroupId"], json!(["sg-1", "sg-2"]));
        let answer = render(&data);
        assert_eq!(answer["blockDeviceMappingSet"][0]["ebs"]["volumeSize"], 40);
        assert_eq!(answer["ebsOptimized"], true);
        assert_eq!(answer["securityGroupIdSet"], json!(["sg-1", "sg-2"]));
        assert_eq!(answer["tagSpecificationSet"][0]["tagSet"][0], json!({ "key": "a", "value": "b" }));
    }

    #[test]
    fn what_is_not_data_is_refused() {
        for (sent, code) in [
            (json!({ "Colour": "red" }), "UnknownParameter"),
            (json!({ "MetadataOptions": { "HttpTokens": "maybe" } }), "InvalidParameterValue"),
            (json!({ "EbsOptimized": "perhaps" }), "InvalidParameterValue"),
            (json!({ "BlockDeviceMapping": { "1": { "Ebs": { "VolumeSize": "big" } } } }), "InvalidParameterValue"),
            (json!({ "UserData": "#!" }), "InvalidUserData.Malformed"),
            (json!({ "Monitoring": "on" }), "InvalidParameterValue"),
        ] {
            assert_eq!(read(&sent).unwrap_err().code, code, "{sent}");
        }
    }
}
