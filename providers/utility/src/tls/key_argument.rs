//! A private key as an argument: one that is recorded, or one that is written only.

use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::key::Key;
use crate::attrs::{self, text, wrong};

/// The arguments that a key comes in.
pub(super) struct KeyArgument {
    /// In the state in clear.
    pub(super) recorded: &'static str,
    /// Written nowhere.
    pub(super) written: &'static str,
    /// What tells that another one is written.
    version: &'static str,
    docs: [&'static str; 3],
}

/// The key of what is certified.
pub(super) const OWN: KeyArgument = KeyArgument {
    recorded: "private_key_pem",
    written: "private_key_pem_wo",
    version: "private_key_pem_wo_version",
    docs: [
        "The private key in PEM. It is in the state in clear. This or `private_key_pem_wo` must be set.",
        "The private key in PEM, which is written nowhere. `private_key_pem_wo_version` must be set with it.",
        "Any text; a change takes the key of `private_key_pem_wo` as it is then.",
    ],
};

/// The key of the authority that signs.
pub(super) const AUTHORITY: KeyArgument = KeyArgument {
    recorded: "ca_private_key_pem",
    written: "ca_private_key_pem_wo",
    version: "ca_private_key_pem_wo_version",
    docs: [
        "The authority's private key in PEM. It is in the state in clear. This or `ca_private_key_pem_wo` must be set.",
        "The authority's private key in PEM, which is written nowhere. `ca_private_key_pem_wo_version` must be set with it.",
        "Any text; a change takes the key of `ca_private_key_pem_wo` as it is then.",
    ],
};

impl KeyArgument {
    /// Adds them.
    pub(super) fn add_to(&self, schema: Schema) -> Schema {
        let [recorded, written, version] = self.docs;
        schema
            .attr(self.recorded, Attribute::string().sensitive().force_new().doc(recorded))
            .attr(self.written, Attribute::string().sensitive().write_only().doc(written))
            .attr(self.version, Attribute::string().force_new().doc(version))
    }

    /// Says what is wrong with them.
    pub(super) fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = attrs::exclusive(config, &[self.recorded, self.written], true);
        if attrs::is_set(config, self.written) && !attrs::is_set(config, self.version) {
            let detail = format!(
                "`{0}` must be set with `{1}`: it is what tells a later plan that `{1}` is another one.",
                self.version, self.written
            );
            problems.push(wrong(self.version, detail));
        }
        problems
    }

    /// The key that is said, with the name of the argument that says it.
    pub(super) fn key(&self, object: &Value) -> Result<(Key, &'static str), Diagnostic> {
        let name = if attrs::is_set(object, self.written) { self.written } else { self.recorded };
        let key = Key::from_pem(text(object, name).unwrap_or_default());
        key.map(|key| (key, name)).map_err(|problem| wrong(name, format!("`{name}`: {problem}.")))
    }
}

#[cfg(test)]
mod tests {
    use sgp_model::Type;

    use super::*;

    #[test]
    fn one_key_is_said_and_a_written_one_has_a_version() {
        let block = OWN.add_to(Schema::new("t", "A thing.")).block;
        let unknown = || Value::unknown(Type::String);
        for (fields, expected) in [
            (vec![], "must be set"),
            (vec![("private_key_pem", Value::from("a"))], ""),
            (vec![("private_key_pem", unknown())], ""),
            (vec![("private_key_pem", "a".into()), ("private_key_pem_wo", "a".into())], "Only one"),
            (vec![("private_key_pem_wo", Value::from("a"))], "`private_key_pem_wo_version` must be set"),
            (vec![("private_key_pem_wo", unknown()), ("private_key_pem_wo_version", "1".into())], ""),
            (vec![("private_key_pem_wo", "a".into()), ("private_key_pem_wo_version", unknown())], ""),
        ] {
            let found = OWN.validate(&attrs::object(&block, fields.clone()));
            let said = found.iter().map(|d| d.detail.as_str()).collect::<String>();
            assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{fields:?}: {said}");
        }
    }
}
