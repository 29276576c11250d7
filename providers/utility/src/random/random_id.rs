//! `random_id`.

use std::sync::LazyLock;

use async_trait::async_trait;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use dashu_int::UBig;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use crate::{attrs, dice, digests, in_state::Logical};

/// More would be no id: a megabyte.
const MOST: i64 = 1 << 20;

pub(crate) struct RandomId;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let written = |doc| Attribute::string().computed().doc(doc);
    Schema::new("random_id", "Random bytes as an id: for names that must not meet.")
        .attr("keepers", super::keepers())
        .attr("byte_length", Attribute::number().required().force_new().doc("How many bytes; at least 1."))
        .attr("prefix", Attribute::string().force_new().doc("A text before each of the forms but `id`."))
        .attr("id", written("The bytes in base64 of the URL's alphabet, without padding and without the prefix."))
        .attr("b64_url", written("The bytes in base64 of the URL's alphabet, without padding."))
        .attr("b64_std", written("The bytes in base64."))
        .attr("hex", written("The bytes in hexadecimal digits, two for each."))
        .attr("dec", written("The bytes as one number in decimal digits."))
        .example(
            "resource \"random_id\" \"group\" {\n  byte_length = 4\n  prefix      = \"orders-\"\n\n  keepers = {\n    vpc_id = aws_vpc.main.id\n  }\n}\n",
        )
});

/// The bytes in all their forms.
fn forms(object: &Value, bytes: &[u8], prefix: &str) -> Value {
    let url = URL_SAFE_NO_PAD.encode(bytes);
    let written = |form: String| Value::from(format!("{prefix}{form}"));
    let fields = [
        ("b64_url", written(url.clone())),
        ("b64_std", written(STANDARD.encode(bytes))),
        ("hex", written(digests::hex(bytes))),
        ("dec", written(UBig::from_be_bytes(bytes).to_string())),
        ("id", url.into()),
    ];
    attrs::with(object, fields)
}

#[async_trait]
impl Logical for RandomId {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = attrs::whole_numbers(config, &[("byte_length", 1)]);
        if attrs::int(config, "byte_length").is_some_and(|length| length > MOST) {
            problems.push(attrs::wrong("byte_length", format!("`byte_length` must be at most {MOST}.")));
        }
        problems
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let length = attrs::int(planned, "byte_length").and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        Ok(forms(planned, &dice::bytes(length), attrs::text(planned, "prefix").unwrap_or_default()))
    }

    /// `b64_url`, after a prefix and a comma where there is one.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let (prefix, written) = id.rsplit_once(',').map_or((None, id), |(prefix, written)| (Some(prefix), written));
        let bytes = URL_SAFE_NO_PAD.decode(written).map_err(|_| {
            attrs::wrong_id("random_id", id, "`b64_url`, or a prefix and `b64_url` with a comma between")
        })?;
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let fields = [("byte_length", Value::int(length)), ("prefix", prefix.map(str::to_owned).into())];
        Ok(forms(&attrs::object(&SCHEMA.block, fields), &bytes, prefix.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    #[test]
    fn forms_of_the_same_bytes() {
        // The id of the documentation of Terraform's type.
        for (id, expected) in [
            ("p-9hUg", ["p-9hUg", "p-9hUg", "p+9hUg==", "a7ef6152", "2817483090"]),
            ("web-,p-9hUg", ["p-9hUg", "web-p-9hUg", "web-p+9hUg==", "web-a7ef6152", "web-2817483090"]),
            ("a,b,AAE", ["AAE", "a,bAAE", "a,bAAE=", "a,b0001", "a,b1"]),
        ] {
            let object = RandomId.import(id).expect(id);
            let found = ["id", "b64_url", "b64_std", "hex", "dec"].map(|name| attrs::text(&object, name).unwrap_or(""));
            assert_eq!(found, expected, "{id}");
        }
        assert!(RandomId.import("p+9hUg==").is_err());
    }

    #[tokio::test]
    async fn as_many_bytes_as_are_asked_for() {
        let object = made(&RandomId, &[("byte_length", Value::int(16)), ("prefix", "x-".into())]).await;
        let hex = attrs::text(&object, "hex").unwrap_or_default();
        assert!(hex.starts_with("x-") && hex.len() == 2 + 32, "{hex}");
        let other = made(&RandomId, &[("byte_length", Value::int(16))]).await;
        assert_ne!(object.get("id"), other.get("id"));
    }
}
