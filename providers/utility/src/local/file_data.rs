//! `data "local_file"` and `data "local_sensitive_file"`: one data source but for what may be seen.

use std::sync::LazyLock;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};
use unicode_normalization::UnicodeNormalization;

use super::disk;
use crate::{attrs, digests};

/// One of the two.
pub(crate) struct LocalFileData(&'static LazyLock<Schema>);

/// `data "local_file"`.
pub(crate) static FILE: LocalFileData = LocalFileData(&PLAIN);
/// `data "local_sensitive_file"`.
pub(crate) static SENSITIVE_FILE: LocalFileData = LocalFileData(&SENSITIVE);

static PLAIN: LazyLock<Schema> = LazyLock::new(|| {
    arguments(Schema::new("local_file", "A file of the machine that runs this."), |a| a)
        .example("data \"local_file\" \"policy\" {\n  filename = \"${path.module}/policy.json\"\n}\n")
});
static SENSITIVE: LazyLock<Schema> = LazyLock::new(|| {
    let doc = "A file of the machine that runs this, whose content is not shown.";
    arguments(Schema::new("local_sensitive_file", doc), Attribute::sensitive)
        .example("data \"local_sensitive_file\" \"key\" {\n  filename = \"${path.module}/key.pem\"\n}\n")
});

fn arguments(schema: Schema, hidden: fn(Attribute) -> Attribute) -> Schema {
    let content = |doc| hidden(Attribute::string().computed().doc(doc));
    digests::attributes(schema)
        .attr("filename", Attribute::string().required().doc("Its path."))
        .attr("content", content("What is in it, as a text; what is no UTF-8 is replaced by `\u{fffd}`."))
        .attr("content_base64", content("What is in it, as bytes in base64."))
}

async fn look(config: &Value) -> Result<Value, Diagnostics> {
    let path = attrs::text(config, "filename").unwrap_or_default();
    let found = disk::read(path).await.map_err(|problem| problem.attribute(sgp_model::AttrPath::attr("filename")))?;
    let content = found.ok_or_else(|| attrs::wrong("filename", format!("There is no file {path}.")))?;
    let text: String = String::from_utf8_lossy(&content).nfc().collect();
    let own = [("content", text.into()), ("content_base64", STANDARD.encode(&content).into())];
    Ok(attrs::with(config, digests::of(&content).into_iter().chain(own)))
}

#[async_trait]
impl DataSource for LocalFileData {
    fn schema(&self) -> &'static Schema {
        self.0
    }

    async fn read(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        join_all(requests.iter().map(|request| look(request.config))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_that_are_no_text_survive_in_base64() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, b"a\xffe\xcc\x81").expect("a file");
        let config = attrs::object(&PLAIN.block, [("filename", path.to_string_lossy().into_owned().into())]);
        let read = look(&config).await.expect("it is there");
        assert_eq!(attrs::text(&read, "content"), Some("a\u{fffd}\u{e9}"));
        assert_eq!(attrs::text(&read, "content_base64"), Some("Yf9lzIE="));
        let problems = look(&config.with_attr("filename", "/no/such/file".into())).await.expect_err("it is not there");
        assert!(problems.0[0].detail.contains("/no/such/file"));
    }
}
