//! `cloudinit_config`, as a data source, and as the resource type that it was before.

use std::{io::Write, sync::LazyLock};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, Crc, GzBuilder};
use sgp_contract::{Client, Context, DataRequest, DataSource, PlanRequest, PlanResponse, ReadScope};
use sgp_model::{Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Value};

use super::mime::{self, Part};
use crate::{
    attrs::{self, flag, text, wrong},
    in_state::Logical,
};

/// The resource type.
pub(crate) struct CloudinitConfig;
/// The data source.
pub(crate) struct CloudinitConfigData;

static RESOURCE: LazyLock<Schema> = LazyLock::new(|| {
    schema("The same as the data source of this name, which is to be preferred.", true)
        .example("resource \"cloudinit_config\" \"node\" {\n  part {\n    content_type = \"text/cloud-config\"\n    content      = yamlencode({ packages = [\"jq\"] })\n  }\n}\n")
});
static DATA: LazyLock<Schema> = LazyLock::new(|| {
    schema("User data of several parts for cloud-init, as launch templates take it. Needs no call.", false)
        .example("data \"cloudinit_config\" \"node\" {\n  part {\n    filename     = \"10-limits.sh\"\n    content_type = \"text/x-shellscript\"\n    content      = \"#!/bin/sh\\nulimit -n 65536\\n\"\n  }\n}\n")
});

fn schema(doc: &'static str, replaces: bool) -> Schema {
    let forced = |attribute: Attribute| if replaces { attribute.force_new() } else { attribute };
    let part = Block::default()
        .attr("content", Attribute::string().required().doc("What is in it."))
        .attr(
            "content_type",
            Attribute::string()
                .doc("What kind of content it is: `text/cloud-config`, `text/x-shellscript`; `text/plain` without it."),
        )
        .attr("filename", Attribute::string().doc("The name that cloud-init gives it."))
        .attr(
            "merge_type",
            Attribute::string()
                .doc("How cloud-init merges it with other parts: `list(append)+dict(no_replace, recurse_list)+str()`."),
        );
    let part = NestedBlock::list(part).required().doc("One part of the user data, in this order.");
    Schema::new("cloudinit_config", doc)
        .attr("gzip", forced(Attribute::bool().default(true)).doc("Whether it is compressed."))
        .attr(
            "base64_encode",
            forced(Attribute::bool().default(true))
                .doc("Whether it is written in base64; it must be when it is compressed."),
        )
        .attr("boundary", forced(Attribute::string().default("MIMEBOUNDARY")).doc("What stands between the parts."))
        .attr("id", Attribute::string().computed().doc("The CRC-32 of `rendered`."))
        .attr("rendered", Attribute::string().computed().doc("The user data."))
        .block("part", if replaces { part.force_new() } else { part })
}

fn mistakes(config: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let may_be_on = |name: &str| flag(config, name).unwrap_or(attrs::is_known(config, name));
    if attrs::is_known(config, "gzip") && may_be_on("gzip") && flag(config, "base64_encode") == Some(false) {
        let detail = "`base64_encode` must be true when `gzip` is, which it is unless it is set to false.";
        problems.push(wrong("base64_encode", detail));
    }
    if let Some(boundary) = text(config, "boundary").filter(|boundary| !mime::may_separate(boundary)) {
        let detail = format!(
            "`boundary` has 1 to 70 letters, digits and characters of '()+_,-./:=? and no blank at the end; {boundary:?} has not."
        );
        problems.push(wrong("boundary", detail));
    }
    problems
}

/// The object with its user data.
fn rendered(config: &Value) -> Result<Value, Diagnostics> {
    let problems = mistakes(config);
    if problems.has_errors() {
        return Err(problems);
    }
    let said = |part: &Value, name: &str| text(part, name).filter(|said| !said.is_empty()).map(str::to_owned);
    let blocks = config.get("part").and_then(Value::elements).unwrap_or_default();
    let texts: Vec<_> = blocks
        .iter()
        .map(|p| ["content", "content_type", "filename", "merge_type"].map(|name| said(p, name)))
        .collect();
    let parts: Vec<Part<'_>> = texts
        .iter()
        .map(|[content, content_type, filename, merge_type]| Part {
            content: content.as_deref().unwrap_or_default(),
            content_type: content_type.as_deref().unwrap_or("text/plain"),
            filename: filename.as_deref(),
            merge_type: merge_type.as_deref(),
        })
        .collect();
    let (gzip, base64) = (flag(config, "gzip").unwrap_or(true), flag(config, "base64_encode").unwrap_or(true));
    let boundary = text(config, "boundary").unwrap_or("MIMEBOUNDARY").to_owned();
    let message = mime::message(&boundary, &parts);
    let bytes = if gzip { compressed(&message)? } else { message.into_bytes() };
    let written = if base64 { STANDARD.encode(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
    let mut crc = Crc::new();
    crc.update(written.as_bytes());
    let fields = [
        ("gzip", gzip.into()),
        ("base64_encode", base64.into()),
        ("boundary", boundary.into()),
        ("id", crc.sum().to_string().into()),
        ("rendered", Value::from(written)),
    ];
    Ok(attrs::with(config, fields))
}

/// Without a time and a name in the header, so that the same content gives the same bytes.
fn compressed(message: &str) -> Result<Vec<u8>, Diagnostic> {
    let mut writer = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::default());
    let written = writer.write_all(message.as_bytes()).and_then(|()| writer.finish());
    written.map_err(|e| Diagnostic::error("User data cannot be compressed", format!("gzip: {e}.")))
}

#[async_trait]
impl DataSource for CloudinitConfigData {
    fn schema(&self) -> &'static Schema {
        &DATA
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn compute(&self, request: &DataRequest<'_>) -> Result<Value, Diagnostics> {
        rendered(request.config)
    }

    async fn read(
        &self,
        _client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        requests.iter().map(|request| self.compute(request)).collect()
    }
}

#[async_trait]
impl Logical for CloudinitConfig {
    fn schema(&self) -> &'static Schema {
        &RESOURCE
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        mistakes(config)
    }

    /// What is known is rendered in the plan.
    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let arguments = ["gzip", "base64_encode", "boundary", "part"];
        if arguments.iter().any(|name| !attrs::is_known(request.proposed, name)) {
            return PlanResponse::default();
        }
        let (bare, _) = request.proposed.clone().unmark_deep();
        let secret = request.proposed.get("part").is_some_and(|part| !part.sensitive_paths().is_empty());
        match rendered(&bare) {
            Ok(object) => {
                let computed = ["id", "rendered"].map(|name| {
                    let value = object.get(name).cloned().unwrap_or_else(Value::dynamic_null);
                    (name, if secret { value.sensitive() } else { value })
                });
                PlanResponse { planned: Some(attrs::with(request.proposed, computed)), ..PlanResponse::default() }
            }
            Err(diagnostics) => PlanResponse { diagnostics, ..PlanResponse::default() },
        }
    }

    async fn make(&self, _cx: &Context, planned: &Value) -> Result<Value, Diagnostic> {
        rendered(planned).map_err(|mut problems| problems.0.swap_remove(0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn config(fields: Vec<(&'static str, Value)>, parts: &[&[(&'static str, &str)]]) -> Value {
        let block = &DATA.block.blocks["part"].block;
        let parts = parts.iter().map(|p| attrs::object(block, p.iter().map(|(k, v)| (*k, Value::from(*v)))));
        let parts = Value::list(block.ty(), parts.collect());
        attrs::object(&DATA.block, fields.into_iter().chain([("part", parts)]))
    }

    fn plain(parts: &[&[(&'static str, &str)]]) -> String {
        let fields = vec![("gzip", false.into()), ("base64_encode", false.into())];
        let object = rendered(&config(fields, parts)).expect("it is sound");
        text(&object, "rendered").unwrap_or_default().to_owned()
    }

    #[test]
    fn bytes_as_they_have_always_been() {
        let head = "Content-Type: multipart/mixed; boundary=\"MIMEBOUNDARY\"\nMIME-Version: 1.0\r\n\r\n";
        let part = |ty: &str, body: &str| {
            format!(
                "--MIMEBOUNDARY\r\nContent-Transfer-Encoding: 7bit\r\nContent-Type: {ty}\r\nMime-Version: 1.0\r\n\r\n{body}\r\n"
            )
        };
        let script = ("content_type", "text/x-shellscript");
        assert_eq!(
            plain(&[&[script, ("content", "baz")]]),
            format!("{head}{}--MIMEBOUNDARY--\r\n", part("text/x-shellscript", "baz"))
        );
        assert_eq!(plain(&[&[("content", "baz")]]), format!("{head}{}--MIMEBOUNDARY--\r\n", part("text/plain", "baz")));
        let two = plain(&[&[script, ("content", "baz")], &[("content", "")]]);
        assert_eq!(
            two,
            format!("{head}{}{}--MIMEBOUNDARY--\r\n", part("text/x-shellscript", "baz"), part("text/plain", ""))
        );
    }

    #[test]
    fn base64_of_the_message() {
        let fields = vec![("gzip", false.into())];
        let object = rendered(&config(fields, &[&[("content_type", "text/x-shellscript"), ("content", "heythere")]]))
            .expect("it is sound");
        let coded = text(&object, "rendered").unwrap_or_default();
        let message = String::from_utf8(STANDARD.decode(coded).expect("base64")).expect("a text");
        assert!(message.ends_with("\r\nheythere\r\n--MIMEBOUNDARY--\r\n"), "{message}");
        // crc32 of the text
        assert_eq!(text(&object, "id").and_then(|id| id.parse::<u32>().ok()), Some(crc(coded)));
    }

    fn crc(text: &str) -> u32 {
        let mut crc = Crc::new();
        crc.update(text.as_bytes());
        crc.sum()
    }

    #[test]
    fn compressed_it_is_the_same_message_each_time() {
        let parts: &[&[(&'static str, &str)]] = &[&[("content", "heythere")]];
        let [one, two] = [0, 1].map(|_| rendered(&config(vec![], parts)).expect("it is sound"));
        assert_eq!(one, two);
        let bytes = STANDARD.decode(text(&one, "rendered").unwrap_or_default()).expect("base64");
        let mut message = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut message).expect("gzip");
        assert_eq!(message, plain(parts));
        assert_eq!(&bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn arguments_are_judged() {
        for (fields, is_wrong) in [
            (vec![], false),
            (vec![("base64_encode", false.into())], true),
            (vec![("base64_encode", false.into()), ("gzip", true.into())], true),
            (vec![("base64_encode", false.into()), ("gzip", false.into())], false),
            (vec![("base64_encode", false.into()), ("gzip", Value::unknown(sgp_model::Type::Bool))], false),
            (vec![("boundary", "a\nb".into())], true),
        ] {
            assert_eq!(mistakes(&config(fields.clone(), &[])).has_errors(), is_wrong, "{fields:?}");
        }
    }
}
