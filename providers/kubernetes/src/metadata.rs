//! The `metadata` block that Terraform's Kubernetes types share, and `cluster_name` beside it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use sgp_contract::{PlanRequest, PlanResponse};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, PathStep, Type, Value};

use crate::{
    attrs,
    json::{at, from_json, string_at},
    owned::{self, MANAGER},
    target::{ApiKind, Target},
};

/// `cluster_name`, which every type of this provider has.
pub(crate) fn cluster_name() -> Attribute {
    Attribute::string()
        .force_new()
        .doc("The EKS cluster that the object lives in, by name or ARN; without it the provider's.")
}

/// `id`: `namespace/name`, or the name of an object without namespace.
pub(crate) fn id() -> Attribute {
    Attribute::string().computed().doc("`namespace/name`, or the name where there is no namespace.")
}

/// `labels` or `annotations`.
pub(crate) fn string_map(doc: &'static str) -> Attribute {
    Attribute::string_map().doc(doc)
}

/// The content of a `metadata` block.
pub(crate) fn content(namespaced: bool) -> Block {
    let block = Block::default()
        .attr("annotations", string_map("Annotations. Those that others add stay and are not shown."))
        .attr("generate_name", Attribute::string().force_new().doc("A prefix for a name that is made up."))
        .attr("generation", Attribute::number().computed().doc("Grows with each change of the specification."))
        .attr("labels", string_map("Labels. Those that others add stay and are not shown."))
        .attr("name", Attribute::string().optional_computed().force_new().doc("The name."))
        .attr("resource_version", Attribute::string().computed().doc("Changes with each change of the object."))
        .attr("uid", Attribute::string().computed().doc("Unique in space and time."));
    if !namespaced {
        return block;
    }
    block.attr("namespace", Attribute::string().force_new().default("default").doc("The namespace."))
}

/// The `metadata` block.
pub(crate) fn block(namespaced: bool) -> NestedBlock {
    NestedBlock::list_of_one(content(namespaced)).required().doc("What identifies the object, labels and annotations.")
}

/// The object that a value with a `metadata` block names; with empty names where they are not known.
pub(crate) fn target(kind: &ApiKind, object: &Value) -> Target {
    let metadata = attrs::block(object, "metadata");
    let text = |name| metadata.and_then(|m| attrs::text(m, name));
    Target::new(kind, Some(text("namespace").unwrap_or("default")), text("name").unwrap_or_default())
}

/// The recorded uid.
pub(crate) fn uid(object: &Value) -> Option<&str> {
    attrs::text(attrs::block(object, "metadata")?, "uid")
}

/// Labels and annotations as the body says them.
pub(crate) fn labels_json(from: &Value) -> Json {
    let mut metadata = Map::new();
    for name in ["annotations", "labels"] {
        let entries = attrs::string_map(from, name);
        if !entries.is_empty() {
            metadata.insert(name.to_owned(), json!(entries));
        }
    }
    Json::Object(metadata)
}

/// The content of a body: labels and annotations of the `metadata` block.
pub(crate) fn body_content(object: &Value) -> Json {
    json!({"metadata": attrs::block(object, "metadata").map_or_else(|| json!({}), labels_json)})
}

/// Labels or annotations as a value: the keys that are ours, with what they hold now. Keys of others are passed over.
///
/// Ours is what `prior` names. An object that is being adopted has no prior: then what our manager applied, or all that
/// a person may have written when we never applied anything.
pub(crate) fn owned_map(live: &Json, name: &str, prior: Option<&Value>, adopting: bool) -> Value {
    let all: BTreeMap<String, String> = at(live, &["metadata", name])
        .and_then(Json::as_object)
        .map(|m| m.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
        .unwrap_or_default();
    let applied = owned::applied_by(live, MANAGER);
    let is_ours = |key: &str| match (adopting, applied) {
        (false, _) => prior.and_then(Value::as_fields).is_some_and(|p| p.contains_key(key)),
        (true, Some(fields)) => at(fields, &["f:metadata", &format!("f:{name}"), &format!("f:{key}")]).is_some(),
        (true, None) => !is_internal(key),
    };
    let ours = attrs::map_value(all.into_iter().filter(|(k, _)| is_ours(k)));
    let nothing = Value::null(Type::map(Type::String));
    if ours.as_fields().is_some_and(BTreeMap::is_empty) {
        return attrs::align(nothing.clone(), prior.unwrap_or(&nothing));
    }
    ours
}

/// Keys that Kubernetes itself writes.
fn is_internal(key: &str) -> bool {
    key.split_once('/').is_some_and(|(domain, _)| {
        let of = |root: &str| domain == root || domain.ends_with(&format!(".{root}"));
        (of("kubernetes.io") || of("k8s.io")) && domain != "app.kubernetes.io"
    })
}

/// The `metadata` block of an object as it is.
pub(crate) fn value(live: &Json, prior: &Value, namespaced: bool) -> Value {
    let block = content(namespaced);
    let before = attrs::block(prior, "metadata");
    let adopting = before.is_none_or(|m| !attrs::is_set(m, "uid"));
    let map = |name| owned_map(live, name, before.and_then(|m| m.get(name)), adopting);
    let number = at(live, &["metadata", "generation"]).map_or_else(|| Value::int(0), from_json);
    let mut object = attrs::object(
        &block,
        [
            ("annotations", map("annotations")),
            ("labels", map("labels")),
            ("generation", number),
            ("name", string_at(live, &["metadata", "name"])),
            ("resource_version", string_at(live, &["metadata", "resourceVersion"])),
            ("uid", string_at(live, &["metadata", "uid"])),
        ],
    );
    if let Some(generate_name) = before.and_then(|m| m.get("generate_name")) {
        object = object.with_attr("generate_name", generate_name.clone());
    }
    if namespaced {
        object = object.with_attr("namespace", string_at(live, &["metadata", "namespace"]));
    }
    Value::list(block.ty(), vec![object])
}

/// Exactly one of `name` and `generate_name` must be there, and the name must be possible.
pub(crate) fn validate(config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let Some(metadata) = attrs::block(config, "metadata") else { return diagnostics };
    let path = |name: &str| AttrPath::attr("metadata").with(PathStep::Index(0)).with(PathStep::Attr(name.into()));
    match (attrs::is_set(metadata, "name"), attrs::is_set(metadata, "generate_name")) {
        (true, true) => diagnostics.push(
            Diagnostic::error(
                "Conflicting arguments",
                "`name` and `generate_name` exclude each other: give one of the two.",
            )
            .attribute(path("generate_name")),
        ),
        (false, false) if metadata.is_known() => diagnostics.push(
            Diagnostic::error("Missing argument", "The `metadata` block needs a `name` or a `generate_name`.")
                .attribute(path("name")),
        ),
        _ => {}
    }
    for name in ["name", "namespace"] {
        if let Some(text) = attrs::text(metadata, name)
            && let Some(diagnostic) = name_mistake(text)
        {
            diagnostics.push(diagnostic.attribute(path(name)));
        }
    }
    diagnostics
}

/// What is wrong with a name, by RFC 1123 as Kubernetes takes it for most objects.
pub(crate) fn name_mistake(name: &str) -> Option<Diagnostic> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (1..=253).contains(&name.len())
        && name.chars().all(inner)
        && name.split('.').all(|part| part.starts_with(edge) && part.ends_with(edge));
    (!good).then(|| {
        Diagnostic::error(
            "Invalid Kubernetes name",
            format!(
                "{name:?} is not a name that Kubernetes accepts: lower-case letters, digits, `-` and `.`, beginning and ending \
                 with a letter or digit, at most 253 characters."
            ),
        )
    })
}

/// Fills `id` as soon as the name is known, so that what refers to it is planned in full, and opens what any change of an
/// object moves on.
pub(crate) fn plan(request: &PlanRequest<'_>, kind: &ApiKind) -> PlanResponse {
    let mut planned = request.proposed.clone();
    let target = target(kind, request.proposed);
    let open = request.proposed.get("id").is_some_and(|id| !id.is_known());
    let namespace = attrs::block(request.proposed, "metadata").and_then(|m| m.get("namespace"));
    if open && !target.name.is_empty() && namespace.is_none_or(Value::is_known) {
        planned = planned.with_attr("id", target.id().into());
    }
    if !request.prior.is_null() && !request.proposed.same(request.prior) {
        planned = with_metadata(&planned, |metadata| {
            let version = metadata.with_attr("resource_version", Value::unknown(Type::String));
            version.with_attr("generation", Value::unknown(Type::Number))
        });
    }
    PlanResponse { planned: Some(planned), ..PlanResponse::default() }
}

/// The same object with another `metadata` block; unchanged when that block is not known.
fn with_metadata(object: &Value, change: impl FnOnce(&Value) -> Value) -> Value {
    let (Some(metadata), Some(Type::List(element))) =
        (attrs::block(object, "metadata").filter(|m| m.as_fields().is_some()), object.get("metadata").map(Value::ty))
    else {
        return object.clone();
    };
    object.with_attr("metadata", Value::list((*element).clone(), vec![change(metadata)]))
}

/// Makes the name up where only its beginning was given: the same token gives the same name.
pub(crate) fn prepare(planned: Value, token: &str) -> Value {
    let Some(metadata) = attrs::block(&planned, "metadata") else { return planned };
    if attrs::text(metadata, "name").is_some() {
        return planned;
    }
    let prefix = attrs::text(metadata, "generate_name").unwrap_or_default();
    let name = format!("{prefix}{}", suffix(token));
    with_metadata(&planned, |metadata| metadata.with_attr("name", name.into()))
}

/// Eight characters that Kubernetes uses for generated names (no vowels, nothing that looks alike), from FNV-1a.
fn suffix(token: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hash =
        token.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut text = String::with_capacity(8);
    for _ in 0..8 {
        let index = usize::try_from(hash % 27).expect("less than 27");
        text.push(char::from(ALPHABET[index]));
        hash /= 27;
    }
    text
}

/// Both parts of an import id `namespace/name`.
pub(crate) fn parse_id<'a>(id: &'a str, kind: &str) -> Result<(&'a str, &'a str), Diagnostic> {
    match id.split('/').collect::<Vec<_>>()[..] {
        [namespace, name] if !namespace.is_empty() && !name.is_empty() => Ok((namespace, name)),
        _ => Err(Diagnostic::error(
            "Invalid import id",
            format!("{id:?} does not name a {kind}: give `namespace/name`, such as `app/backend`."),
        )),
    }
}

/// The attributes that identify an imported object, and the beginning of its name where the configuration gives that: an object
/// that was made with it is not replaced for it.
pub(crate) fn imported(block: &Block, namespace: Option<&str>, name: &str, config: &Value) -> Value {
    let content = content(namespace.is_some());
    let mut metadata = attrs::object(&content, [("name", name.into())]);
    if let Some(namespace) = namespace {
        metadata = metadata.with_attr("namespace", namespace.into());
    }
    let beginning = attrs::block(config, "metadata").and_then(|m| attrs::text(m, "generate_name"));
    if let Some(beginning) = beginning.filter(|beginning| name.starts_with(*beginning)) {
        metadata = metadata.with_attr("generate_name", beginning.into());
    }
    let cluster = config.get("cluster_name").filter(|c| c.is_known());
    let cluster = cluster.cloned().unwrap_or_else(|| Value::null(Type::String));
    attrs::object(block, [("metadata", Value::list(content.ty(), vec![metadata])), ("cluster_name", cluster)])
}

/// `cluster_name` and `timeouts`, which no object tells.
pub(crate) fn carried<'a>(block: &Block, prior: &Value, names: &[&'a str]) -> Vec<(&'a str, Value)> {
    names
        .iter()
        .filter(|name| block.has(name))
        .filter_map(|name| Some((*name, prior.get(name).filter(|v| v.is_known())?.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn object(metadata: &[(&'static str, Value)]) -> Value {
        let block = content(true);
        let m = attrs::object(&block, metadata.iter().cloned());
        Value::object([("metadata", Value::list(block.ty(), vec![m]))])
    }

    #[test]
    fn labels_of_others_are_never_shown() {
        let labels =
            |pairs: &[(&str, &str)]| attrs::map_value(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let live = |fields: Json| {
            json!({"metadata": {"labels": {"a": "1", "b": "2", "kubernetes.io/metadata.name": "x"}, "managedFields": [
                {"manager": "sgp", "operation": "Apply", "fieldsV1": fields}]}})
        };
        let ours = json!({"f:metadata": {"f:labels": {"f:a": {}}}});
        let bare = json!({"metadata": {"labels": {"a": "1", "kubernetes.io/metadata.name": "x", "app.kubernetes.io/name": "n"}}});
        let null = Value::null(Type::map(Type::String));
        for (live, prior, adopting, expected) in [
            (live(ours.clone()), Some(labels(&[("a", "0")])), false, labels(&[("a", "1")])),
            (live(ours.clone()), Some(labels(&[("gone", "0")])), false, null.clone()),
            (live(ours.clone()), Some(null.clone()), false, null.clone()),
            (live(ours), Some(null.clone()), true, labels(&[("a", "1")])),
            (bare, None, true, labels(&[("a", "1"), ("app.kubernetes.io/name", "n")])),
        ] {
            assert_eq!(owned_map(&live, "labels", prior.as_ref(), adopting), expected);
        }
    }

    #[test]
    fn names_are_given_or_generated() {
        for (metadata, expected) in [
            (vec![("name", Value::from("a"))], None),
            (vec![("generate_name", "a-".into())], None),
            (vec![("name", Value::unknown(Type::String))], None),
            (vec![], Some("Missing argument")),
            (vec![("name", "a".into()), ("generate_name", "a-".into())], Some("Conflicting arguments")),
            (vec![("name", "A_b".into())], Some("Invalid Kubernetes name")),
            (vec![("name", "a".into()), ("namespace", "-x".into())], Some("Invalid Kubernetes name")),
        ] {
            let found = validate(&object(&metadata)).0.first().map(|d| d.summary.clone());
            assert_eq!(found.as_deref(), expected, "{metadata:?}");
        }
    }

    #[test]
    fn a_change_moves_the_version_on() {
        let kind = ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true);
        let with = |label: &str| {
            object(&[
                ("name", "a".into()),
                ("namespace", "app".into()),
                ("labels", attrs::map_value([("x".to_owned(), label.to_owned())])),
                ("resource_version", "7".into()),
                ("generation", Value::int(1)),
            ])
            .with_attr("id", Value::unknown(Type::String))
        };
        let prior = with("1");
        for (proposed, changes) in [(with("1"), false), (with("2"), true)] {
            let request = PlanRequest {
                prior: &prior,
                config: &proposed,
                proposed: &proposed,
                provider_config: &Value::dynamic_null(),
            };
            let planned = plan(&request, &kind).planned.unwrap();
            let metadata = attrs::block(&planned, "metadata").unwrap();
            for name in ["resource_version", "generation"] {
                assert_eq!(metadata.get(name).unwrap().is_known(), !changes, "{name}");
            }
            assert_eq!(attrs::text(&planned, "id"), Some("app/a"));
        }
    }

    #[test]
    fn an_imported_object_has_the_beginning_of_its_name() {
        for (configured, name, expected) in [("made-", "made-k7", Some("made-")), ("other-", "made-k7", None)] {
            let config = object(&[("generate_name", configured.into())]);
            let found = imported(&Block::default().block("metadata", block(true)), Some("app"), name, &config);
            let metadata = attrs::block(&found, "metadata").unwrap();
            assert_eq!(attrs::text(metadata, "generate_name"), expected, "{configured}");
            assert_eq!(attrs::text(metadata, "name"), Some(name));
        }
    }

    #[test]
    fn a_generated_name_is_fixed_by_its_token() {
        let planned = object(&[("generate_name", "a-".into()), ("name", Value::unknown(Type::String))]);
        let name = |token| {
            let prepared = prepare(planned.clone(), token);
            assert_eq!(prepared.get("metadata").unwrap().ty(), planned.get("metadata").unwrap().ty());
            target(&ApiKind::fixed("v1", "ServiceAccount", "serviceaccounts", true), &prepared).name
        };
        assert_eq!(name("token-1"), name("token-1"));
        assert_ne!(name("token-1"), name("token-2"));
        assert!(name_mistake(&name("token-1")).is_none() && name("token-1").len() == 10);
    }
}
