//! Names: those that are made out of a prefix, and when an object of a name is ours.

use sgp_model::{Diagnostic, Value};

use crate::values::{self, ObjectBuilder};

/// Fixes `name` before the intent is journaled: the one that is planned, or `name_prefix` (or `fallback`) and 26 characters that
/// come from the operation's token, so that the same operation always makes the same name.
#[must_use]
pub fn prepare(planned: Value, token: &str, fallback: &str) -> Value {
    if values::text(&planned, "name").is_some() {
        return planned;
    }
    let prefix = values::text(&planned, "name_prefix").unwrap_or_else(|| fallback.to_owned());
    let name = format!("{prefix}{}", suffix(token));
    planned.with_attr("name", name.into()).with_attr("name_prefix", prefix.into())
}

/// Sets what a name was made with, when nothing is recorded of it: an object that was imported would be replaced otherwise as soon
/// as its configuration gives the prefix.
#[must_use]
pub fn with_prefix(object: ObjectBuilder, attribute: &str, prior: &Value, name: Option<&str>) -> ObjectBuilder {
    if values::text(prior, attribute).is_some() {
        return object;
    }
    object.set_opt(attribute, name.and_then(prefix_of))
}

/// What a made name begins with: all but the 26 hexadecimal digits that Terraform, and `prepare` here, put at its end.
fn prefix_of(name: &str) -> Option<&str> {
    let (prefix, made) = name.split_at_checked(name.len().checked_sub(26)?)?;
    (!prefix.is_empty() && made.chars().all(|c| c.is_ascii_hexdigit())).then_some(prefix)
}

/// 26 lower-case letters and digits out of a token, which is unique.
pub fn suffix(token: &str) -> String {
    let mut state = [0x6c62_272e_07bb_0142_u64, 0x62b8_2175_6295_c58d];
    let clean: String = token.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if clean.len() >= 26 {
        return clean[..26].to_owned();
    }
    // A short token is stretched with FNV-1a; nothing depends on secrecy, only on being the same again.
    let mut out = clean.clone();
    while out.len() < 26 {
        for (i, byte) in token.bytes().chain([u8::try_from(out.len()).unwrap_or(u8::MAX)]).enumerate() {
            let lane = &mut state[i % 2];
            *lane = (*lane ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let digit = u32::try_from((state[0] ^ state[1].rotate_left(17)) % 36).unwrap_or_default();
        out.push(char::from_digit(digit, 36).unwrap_or('0'));
    }
    out
}

/// The two names of an id that a person gave on import. `what` is the thing with its article, `form` how its id is written:
/// `CLUSTER:NODEGROUP`.
///
/// # Errors
/// A sentence with the id and its form.
pub fn two_names<'a>(id: &'a str, what: &str, form: &str) -> Result<(&'a str, &'a str), Diagnostic> {
    let names = id.split_once(':').filter(|(one, other)| !one.is_empty() && !other.is_empty());
    names.ok_or_else(|| {
        let detail = format!("{id:?} does not name {what}. Give {form}, the two names with a colon between.");
        Diagnostic::error("Invalid import id", detail)
    })
}

/// Whether an id that a person gave on import begins as it must.
///
/// # Errors
/// A sentence with the id and what it should begin with.
pub fn check_id(what: &str, prefix: &str, id: &str) -> Result<(), Diagnostic> {
    if id.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "Invalid import id",
        format!("{id:?} is not the id of a {what}, which begins with {prefix:?}."),
    ))
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    fn planned(name: Value, prefix: Value) -> Value {
        Value::object([("name", name), ("name_prefix", prefix)])
    }

    #[test]
    fn a_given_name_stays() {
        let object = planned("web".into(), Value::null(Type::String));
        assert_eq!(prepare(object.clone(), "t", "terraform-"), object);
    }

    #[test]
    fn a_prefix_and_a_token_make_a_name() {
        let token = "0b0e1a44-3a5e-4c27-9d5f-7a1c2b3d4e5f";
        let open = Value::unknown(Type::String);
        let named = prepare(planned(open.clone(), "web-".into()), token, "terraform-");
        assert_eq!(values::str_opt(&named, "name"), Some("web-0b0e1a443a5e4c279d5f7a1c2b"));
        let unnamed = prepare(planned(open.clone(), open), token, "terraform-");
        assert_eq!(values::str_opt(&unnamed, "name"), Some("terraform-0b0e1a443a5e4c279d5f7a1c2b"));
        assert_eq!(values::str_opt(&unnamed, "name_prefix"), Some("terraform-"));
    }

    #[test]
    fn a_made_name_tells_its_prefix() {
        for (name, prefix) in [
            ("web-0b0e1a443a5e4c279d5f7a1c2b", Some("web-")),
            ("terraform-20261129140648123400000001", Some("terraform-")),
            ("0b0e1a443a5e4c279d5f7a1c2b", None),
            ("web-0b0e1a443a5e4c279d5f7a1c2", None),
            ("web-0b0e1a443a5e4c279d5f7a1c2x", None),
            ("ü", None),
        ] {
            assert_eq!(prefix_of(name), prefix, "{name}");
        }
    }

    #[test]
    fn an_import_id_is_checked() {
        assert!(check_id("security group", "sg-", "sg-1").is_ok());
        let said = check_id("security group", "sg-", "web").err().map(|d| d.detail);
        assert_eq!(said.as_deref(), Some("\"web\" is not the id of a security group, which begins with \"sg-\"."));
    }

    #[test]
    fn short_tokens_differ_too() {
        assert_eq!(suffix("a").len(), 26);
        assert_eq!(suffix("a"), suffix("a"));
        assert_ne!(suffix("a"), suffix("b"));
    }
}
