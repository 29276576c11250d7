//! What IAM's operations have in common: names, paths, tags, pages, refusals.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::rows::Tags;
use crate::aws::page::page;
use crate::aws::{Answer, ApiError, Call, Params, Service};

/// RFC 3986's unreserved characters stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as IAM answers it: percent-encoded.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// A time as IAM answers it, to the second.
pub(crate) fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn no_such(message: impl Into<String>) -> ApiError {
    ApiError::new("NoSuchEntity", message).with_status(404)
}

pub(super) fn exists(message: impl Into<String>) -> ApiError {
    ApiError::new("EntityAlreadyExists", message).with_status(409)
}

pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new("DeleteConflict", message).with_status(409)
}

pub(super) fn limit(message: impl Into<String>) -> ApiError {
    ApiError::new("LimitExceeded", message).with_status(409)
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

pub(super) fn input(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Text of 1 to `longest` characters.
pub(super) fn sized(params: &Params, parameter: &str, longest: usize) -> Result<String, ApiError> {
    match params.text(parameter) {
        None => Err(ApiError::missing(Service::Iam, parameter)),
        Some(text) if text.is_empty() => {
            Err(ApiError::invalid(Service::Iam, parameter, "", "Member must have length greater than or equal to 1"))
        }
        Some(text) if text.chars().count() > longest => Err(ApiError::invalid(
            Service::Iam,
            parameter,
            &text,
            &format!("Member must have length less than or equal to {longest}"),
        )),
        Some(text) => Ok(text),
    }
}

/// A name of letters, digits and `_+=,.@-`.
pub(super) fn name(params: &Params, parameter: &str, longest: usize) -> Result<String, ApiError> {
    let name = sized(params, parameter, longest)?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if name.chars().all(allowed) {
        return Ok(name);
    }
    Err(validation(format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        lower_first(parameter)
    )))
}

/// The path of a new object: `/`, or up to 512 characters between two of them.
pub(super) fn path(call: &Call, parameter: &str) -> Result<String, ApiError> {
    let Some(path) = call.text(parameter) else { return Ok("/".to_owned()) };
    let is_good = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if is_good {
        return Ok(path);
    }
    Err(validation(format!(
        "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        lower_first(parameter)
    )))
}

/// The prefix that a list's paths must have.
pub(super) fn path_prefix(call: &Call) -> Result<String, ApiError> {
    let prefix = call.text("PathPrefix").unwrap_or_else(|| "/".to_owned());
    if prefix.starts_with('/') && prefix.len() <= 512 {
        return Ok(prefix);
    }
    Err(validation(
        "The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// A description of at most 1,000 characters.
pub(super) fn description(call: &Call) -> Result<Option<String>, ApiError> {
    match call.text("Description") {
        Some(text) if text.chars().count() > 1000 => Err(ApiError::invalid(
            Service::Iam,
            "Description",
            &text,
            "Member must have length less than or equal to 1000",
        )),
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}

/// A number between two others.
pub(super) fn between(call: &Call, parameter: &str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
    let Some(number) = call.integer(parameter)? else { return Ok(None) };
    let why = if number < least {
        format!("Member must have value greater than or equal to {least}")
    } else if number > most {
        format!("Member must have value less than or equal to {most}")
    } else {
        return Ok(Some(number));
    };
    Err(ApiError::invalid(Service::Iam, parameter, &number.to_string(), &why))
}

/// The tags that a call brings.
pub(crate) fn tags(params: &Params) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    let sent = params.structures("Tags");
    if sent.len() > MOST_TAGS {
        return Err(ApiError::invalid(
            Service::Iam,
            "Tags",
            "[...]",
            "Member must have length less than or equal to 50",
        ));
    }
    for (number, tag) in sent.iter().enumerate() {
        let key = tag.text("Key").unwrap_or_default();
        let value = tag.text("Value").unwrap_or_default();
        check_tag(number, &key, &value)?;
        if tags.keys().any(|known: &String| known.to_lowercase() == key.to_lowercase()) {
            return Err(input("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

const MOST_TAGS: usize = 50;

fn check_tag(number: usize, key: &str, value: &str) -> Result<(), ApiError> {
    let at = |member: &str| format!("tags.{}.member.{member}", number + 1);
    let invalid = |member: &str, value: &str, why: &str| Err(ApiError::invalid(Service::Iam, &at(member), value, why));
    let allowed = |letter: char| letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter);
    let pattern = "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]";
    match () {
        () if key.is_empty() => invalid("key", key, "Member must have length greater than or equal to 1"),
        () if key.chars().count() > 128 => invalid("key", key, "Member must have length less than or equal to 128"),
        () if value.chars().count() > 256 => {
            invalid("value", value, "Member must have length less than or equal to 256")
        }
        () if !key.chars().all(allowed) => invalid("key", key, &format!("{pattern}+")),
        () if !value.chars().all(allowed) => invalid("value", value, &format!("{pattern}*")),
        () if key.to_lowercase().starts_with("aws:") => {
            Err(input("aws: prefixed tag key names are not allowed for external use."))
        }
        () => Ok(()),
    }
}

/// Adds tags to those that are there. A key in another case takes the place of the old one.
pub(super) fn add_tags(tags: &mut Tags, more: Tags) -> Result<(), ApiError> {
    for (key, value) in more {
        tags.retain(|known, _| known.to_lowercase() != key.to_lowercase());
        tags.insert(key, value);
    }
    if tags.len() > MOST_TAGS {
        return Err(limit("The number of tags has reached the maximum limit."));
    }
    Ok(())
}

/// Tags as IAM answers them; `null` when there are none.
pub(super) fn tag_list(tags: &Tags) -> Value {
    if tags.is_empty() { Value::Null } else { all_tags(tags) }
}

/// Tags as IAM answers them, an empty list when there are none.
pub(super) fn all_tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// One page of a list under `member`, with `IsTruncated` and `Marker`. Rows come in the order of their ids.
pub(super) fn listed<'a>(call: &Call, member: &str, rows: impl Iterator<Item = (&'a str, Value)>) -> Answer {
    let limit = between(call, "MaxItems", 1, 1000)?.unwrap_or(100);
    let marker = call.text("Marker");
    let page = page(rows, marker.as_deref(), usize::try_from(limit).ok());
    let page = page.map_err(|_| validation(format!("Invalid Marker: {}", marker.unwrap_or_default())))?;
    let mut answer = Map::new();
    answer.insert(member.to_owned(), Value::Array(page.items));
    answer.insert("IsTruncated".to_owned(), page.next.is_some().into());
    if let Some(next) = page.next {
        answer.insert("Marker".to_owned(), next.into());
    }
    Ok(Value::Object(answer))
}

/// `{ PermissionsBoundaryType, PermissionsBoundaryArn }`, or `null`.
pub(super) fn boundary(arn: Option<&String>) -> Value {
    arn.map_or(Value::Null, |arn| json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn }))
}
