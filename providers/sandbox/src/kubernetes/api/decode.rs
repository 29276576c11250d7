//! Bodies of requests.

use serde_json::Value;

use super::ask::Ask;
use super::resources::Resource;
use super::resources::{api_version as version_of, builtins};
use super::status::{Cause, Status};

/// The media types of a body that is an object.
const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Reads the object in a request's body.
///
/// # Errors
/// `UnsupportedMediaType`, and `BadRequest` for what is no object.
pub(super) fn object(ask: &Ask<'_>) -> Result<Value, Status> {
    let value = match ask.content_type() {
        "" | "application/json" | "*/*" => json(ask.body).map_err(|why| unrecognized(ask, &parse_error(&why)))?,
        "application/yaml" => yaml(ask.body).map_err(|why| unrecognized(ask, &why))?,
        // Custom resources have no form in protobuf.
        "application/vnd.kubernetes.protobuf" if ask.resource.definition.is_none() => {
            let told = |refused: Status| unrecognized(ask, &refused.message);
            super::protobuf::object(ask.body).map_err(told)?
        }
        _ => return Err(Status::unsupported_media_type(ACCEPTED)),
    };
    if value.is_object() { Ok(value) } else { Err(unrecognized(ask, &parse_error(&no_object(&value)))) }
}

/// What is said of a body that is no object.
pub(super) fn no_object(value: &Value) -> String {
    let form = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
    format!("json: cannot unmarshal {} into Go value of type {form}", super::types::named(value))
}

/// What stands before the words of a parser that looks for an object's kind.
pub(super) fn parse_error(why: &str) -> String {
    format!("couldn't get version/kind; json parse error: {why}")
}

/// The refusal of a body whose kind cannot be found, with its beginning: as text where that is an object, else in hexadecimal digits.
pub(super) fn unrecognized(ask: &Ask<'_>, why: &str) -> Status {
    const SHOWN: usize = 30;
    let body = &ask.body[..];
    let shown = &body[..body.len().min(SHOWN)];
    let dots = if body.len() > SHOWN { " ..." } else { "" };
    let shown = match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(shown).into_owned(),
        Some(_) => shown.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let kind = &ask.resource.kind;
    Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown}{dots})"))
}

/// Reads JSON.
///
/// # Errors
/// What Go says of it.
pub(super) fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| go_json(&error.to_string(), bytes))
}

/// The words of Go's decoder for what `serde_json` says.
pub(super) fn go_json(said: &str, bytes: &[u8]) -> String {
    let what = [
        ("key must be a string", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
        ("trailing characters", "after top-level value"),
        ("trailing comma", "looking for beginning of object key string"),
    ];
    if said.starts_with("EOF") || bytes.is_empty() {
        return "unexpected end of JSON input".to_owned();
    }
    let what =
        what.iter().find(|(begin, _)| said.starts_with(begin)).map_or("looking for beginning of value", |it| it.1);
    let number = |word: &str| {
        let after = said.rsplit_once(word)?.1;
        after.split(' ').next()?.parse::<usize>().ok()
    };
    let (line, column) = (number(" line ").unwrap_or(1), number(" column ").unwrap_or(1));
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    let letter = line.chars().nth(column.saturating_sub(1)).unwrap_or('\n');
    format!("invalid character {letter:?} {what}")
}

/// Reads YAML.
///
/// # Errors
/// What Go says of it.
pub(super) fn yaml(bytes: &[u8]) -> Result<Value, String> {
    serde_norway::from_slice(bytes).map_err(|error| go_yaml(&error.to_string()))
}

/// The words of Go's parser: they count lines from zero, and name that of the context where that is not the first.
fn go_yaml(said: &str) -> String {
    let what = said.split(" at line ").next().unwrap_or(said);
    let lines: Vec<usize> = said
        .split(" at line ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok())
        .map(|line| line.saturating_sub(1))
        .collect();
    let line = lines.iter().rev().find(|line| **line > 0);
    line.map_or_else(|| format!("yaml: {what}"), |line| format!("yaml: line {line}: {what}"))
}

/// Sets `apiVersion` and `kind` where they are missing, and refuses others.
pub(super) fn identify(object: &mut Value, api_version: &str, kind: &str, resource: &Resource) -> Result<(), Status> {
    if resource.definition.is_none()
        && let Some(why) = other_kind(object, api_version, kind, resource)
    {
        return Err(Status::bad_request(why));
    }
    let is_custom = resource.definition.is_some();
    for (member, expected) in [("kind", kind), ("apiVersion", api_version)] {
        match object[member].as_str().filter(|it| !it.is_empty()) {
            None if is_custom && member == "kind" => {
                return Err(Status::bad_request(format!("Object 'Kind' is missing in '{object}'")));
            }
            None if is_custom => {}
            None => object[member] = expected.into(),
            Some(_) => {}
        }
    }
    let (sent_version, sent_kind) =
        (object["apiVersion"].as_str().unwrap_or(""), object["kind"].as_str().unwrap_or(""));
    if sent_version != api_version {
        return Err(Status::bad_request(format!(
            "the API version in the data ({sent_version}) does not match the expected API version ({api_version})"
        )));
    }
    if sent_kind != kind {
        let mut sent = Resource::clone(resource);
        sent_kind.clone_into(&mut sent.kind);
        let cause = Cause::invalid("kind", &object["kind"], &format!("must be {kind}"));
        return Err(Status::invalid(&sent, object["metadata"]["name"].as_str().unwrap_or(""), &[cause]));
    }
    let metadata = &object["metadata"];
    if !metadata.is_null() && !metadata.is_object() {
        return Err(Status::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal metadata into Go struct field",
            resource.version
        )));
    }
    Ok(())
}

/// Why an object of another kind is no object of one of Kubernetes' own: it is known and cannot be converted, or nobody knows it.
fn other_kind(object: &Value, api_version: &str, kind: &str, resource: &Resource) -> Option<String> {
    let text =
        |member: &str, default: &str| object[member].as_str().filter(|it| !it.is_empty()).unwrap_or(default).to_owned();
    let (sent_version, sent_kind) = (text("apiVersion", api_version), text("kind", kind));
    if (sent_version.as_str(), sent_kind.as_str()) == (api_version, kind) {
        return None;
    }
    let is_known =
        |it: &std::sync::Arc<Resource>| it.kind == sent_kind && version_of(&it.group, &it.version) == sent_version;
    let version = sent_version.rsplit('/').next().unwrap_or("");
    let why = if builtins().iter().any(is_known) {
        let own = resource.group.split('.').next().filter(|it| !it.is_empty()).unwrap_or("core");
        format!("converting ({version}.{sent_kind}) to ({own}.{kind}): unknown conversion")
    } else {
        format!(
            "no kind \"{sent_kind}\" is registered for version \"{sent_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    Some(format!("{sent_kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
}
