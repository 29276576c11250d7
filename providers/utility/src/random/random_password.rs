//! `random_password`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Context, PlanRequest, PlanResponse};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value};

use super::characters;
use crate::{attrs, dice, in_state::Logical};

/// What `bcrypt_hash` is.
pub(super) const HASH: &str = "Its bcrypt hash, that of the first 72 bytes of a longer one.";

/// What Go's bcrypt takes when nothing is said.
const COST: u32 = 10;

pub(crate) struct RandomPassword;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("random_password", "A random text that nobody may see. It is in the state in clear.");
    characters::arguments(schema)
        .version(3)
        .attr("id", Attribute::string().computed().doc("Always `none`."))
        .attr("result", Attribute::string().computed().sensitive().doc("The text."))
        .attr("bcrypt_hash", Attribute::string().computed().sensitive().doc(HASH))
        .example("resource \"random_password\" \"db\" {\n  length           = 24\n  override_special = \"!#$%&*()-_=+[]{}<>:?\"\n}\n")
});

/// The bcrypt hash of a password.
pub(super) fn hashed(password: &str) -> Result<String, Diagnostic> {
    let hash = bcrypt::hash_with_salt(password, COST, dice::array())
        .map_err(|e| Diagnostic::error("Password cannot be hashed", format!("bcrypt: {e}.")))?;
    Ok(hash.format_for_version(bcrypt::Version::TwoA))
}

/// The texts that are kept of a password.
fn of(object: &Value, password: &str) -> Result<Value, Diagnostic> {
    let hash = hashed(password)?;
    Ok(attrs::with(object, [("id", "none".into()), ("result", password.into()), ("bcrypt_hash", hash.into())]))
}

#[async_trait]
impl Logical for RandomPassword {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        characters::validate(config)
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        characters::plan(request)
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        of(planned, &characters::draw(planned))
    }

    /// The id is the password.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        of(&characters::imported(&SCHEMA, id), id)
    }

    /// Version 1 brought the hash, version 2 `numeric`; version 3 made hashes anew that were not those of the password.
    fn upgrade(&self, _from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        let attributes = characters::upgraded(&SCHEMA, &attributes);
        let password = attrs::text(&attributes, "result").unwrap_or_default().to_owned();
        let fits = |hash: &str| bcrypt::verify(&password, hash).unwrap_or(false);
        if attrs::text(&attributes, "bcrypt_hash").is_some_and(fits) {
            Ok(attributes)
        } else {
            of(&attributes, &password)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made;

    fn fits(object: &Value) -> bool {
        let (password, hash) = (attrs::text(object, "result"), attrs::text(object, "bcrypt_hash"));
        let (password, hash) = (password.unwrap_or_default(), hash.unwrap_or_default());
        hash.starts_with("$2a$10$") && bcrypt::verify(password, hash).unwrap_or(false)
    }

    #[tokio::test]
    async fn the_hash_is_that_of_the_password() {
        for length in [12_u8, 100] {
            let object = made(&RandomPassword, &[("length", Value::int(length.into())), ("lower", true.into())]).await;
            assert_eq!(attrs::text(&object, "result").map(str::len), Some(length.into()));
            assert!(fits(&object), "{length}");
            assert_eq!(attrs::text(&object, "id"), Some("none"));
        }
    }

    #[test]
    fn an_imported_one_is_whole() {
        let object = RandomPassword.import("correct horse").expect("every text is one");
        assert_eq!(attrs::int(&object, "length"), Some(13));
        assert!(fits(&object));
    }

    #[test]
    fn older_records_get_what_they_lack() {
        let old = |hash: Value| {
            let fields = [("number", Value::from(false)), ("result", "hunter2".into()), ("bcrypt_hash", hash)];
            Value::object(fields)
        };
        for hash in [Value::null(sgp_model::Type::String), "$2a$10$wrongwrongwrongwrongwO".into()] {
            let upgraded = RandomPassword.upgrade(1, old(hash)).expect("a password can be hashed");
            assert_eq!(attrs::flag(&upgraded, "numeric"), Some(false));
            assert_eq!((attrs::int(&upgraded, "length"), attrs::flag(&upgraded, "upper")), (Some(7), Some(true)));
            assert!(fits(&upgraded));
            let again = RandomPassword.upgrade(2, upgraded.clone()).expect("a password can be hashed");
            assert_eq!(again, upgraded, "a hash that fits stays");
        }
    }
}
