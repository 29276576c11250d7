//! `random_uuid`, `random_uuid4` and `random_uuid7`: one type but for what is drawn.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::Context;
use sgp_model::{Attribute, Diagnostic, Schema, Value};
use uuid::{Builder, Uuid};

use crate::{attrs, dice, in_state::Logical};

/// One of the three types.
pub(crate) struct RandomUuid {
    schema: &'static LazyLock<Schema>,
    /// Draws one; milliseconds since the epoch are given.
    draw: fn(u64) -> Uuid,
    /// The version that an imported one must have, where any one does not do.
    version: Option<usize>,
}

/// `random_uuid`.
pub(crate) const UUID: RandomUuid = RandomUuid { schema: &ANY, draw: version_4, version: None };
/// `random_uuid4`.
pub(crate) const UUID4: RandomUuid = RandomUuid { schema: &FOUR, draw: version_4, version: Some(4) };
/// `random_uuid7`.
pub(crate) const UUID7: RandomUuid = RandomUuid { schema: &SEVEN, draw: version_7, version: Some(7) };

static ANY: LazyLock<Schema> = LazyLock::new(|| {
    schema("random_uuid", "A random UUID (version 4).").example("resource \"random_uuid\" \"run\" {}\n")
});
static FOUR: LazyLock<Schema> = LazyLock::new(|| {
    schema("random_uuid4", "A random UUID of version 4.").example("resource \"random_uuid4\" \"run\" {}\n")
});
static SEVEN: LazyLock<Schema> = LazyLock::new(|| {
    schema(
        "random_uuid7",
        "A UUID of version 7: the time, then randomness, so that later ones sort after earlier ones.",
    )
    .example("resource \"random_uuid7\" \"run\" {}\n")
});

fn schema(name: &'static str, doc: &'static str) -> Schema {
    Schema::new(name, doc)
        .attr("keepers", super::keepers())
        .attr("id", Attribute::string().computed().doc("The UUID."))
        .attr("result", Attribute::string().computed().doc("The UUID."))
}

fn version_4(_: u64) -> Uuid {
    Builder::from_random_bytes(dice::array()).into_uuid()
}

fn version_7(millis: u64) -> Uuid {
    Builder::from_unix_timestamp_millis(millis, &dice::array()).into_uuid()
}

#[async_trait]
impl Logical for RandomUuid {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    async fn make(&self, cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        let seconds = u64::try_from(cx.clock.now()).unwrap_or_default();
        let drawn = Value::from((self.draw)(seconds.saturating_mul(1000)).to_string());
        Ok(attrs::with(planned, [("id", drawn.clone()), ("result", drawn)]))
    }

    /// The id is the UUID.
    fn import(&self, id: &str) -> Result<Value, Diagnostic> {
        let fits = |uuid: &Uuid| self.version.is_none_or(|version| uuid.get_version_num() == version);
        let uuid = Uuid::try_parse(id).ok().filter(fits).ok_or_else(|| {
            let form = self.version.map_or("a UUID".to_owned(), |version| format!("a UUID of version {version}"));
            attrs::wrong_id(self.schema.name, id, &form)
        })?;
        let uuid = Value::from(uuid.to_string());
        Ok(attrs::object(&self.schema.block, [("id", uuid.clone()), ("result", uuid)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, made};

    #[tokio::test]
    async fn versions() {
        for (ty, version) in [(UUID, 4), (UUID4, 4), (UUID7, 7)] {
            let object = made(&ty, &[]).await;
            let uuid = Uuid::try_parse(attrs::text(&object, "result").unwrap_or_default()).expect("a UUID");
            assert_eq!(uuid.get_version_num(), version);
            assert_eq!(object.get("id"), object.get("result"));
            assert_eq!(ty.import(&uuid.to_string()).expect("its own id"), object);
            if let Some(time) = uuid.get_timestamp() {
                assert_eq!(i64::try_from(time.to_unix().0), Ok(NOW));
            }
        }
    }

    #[test]
    fn imports_are_uuids() {
        let seven = "0197ad85-fe6e-7e92-a2f5-7550daa83030";
        assert!(UUID7.import(seven).is_ok() && UUID.import(seven).is_ok() && UUID4.import(seven).is_err());
        assert!(UUID.import("0197ad85").is_err());
    }
}
