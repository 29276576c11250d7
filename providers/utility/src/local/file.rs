//! `local_file` and `local_sensitive_file`: one type but for what may be seen.

use std::sync::LazyLock;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, ReadOutcome, ReadRequest, ReadScope,
    ResourceType, UpdateRequest,
};
use sgp_model::{Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use super::disk::{self, Modes};
use crate::{
    attrs::{self, text},
    digests,
};

/// One of the two types.
pub(crate) struct LocalFile {
    schema: &'static LazyLock<Schema>,
    /// The arguments of which exactly one says what is in the file.
    contents: &'static [&'static str],
}

/// `local_file`.
pub(crate) static FILE: LocalFile =
    LocalFile { schema: &PLAIN, contents: &["content", "sensitive_content", "content_base64", "source"] };
/// `local_sensitive_file`.
pub(crate) static SENSITIVE_FILE: LocalFile =
    LocalFile { schema: &SENSITIVE, contents: &["content", "content_base64", "source"] };

static PLAIN: LazyLock<Schema> = LazyLock::new(|| {
    arguments(Schema::new("local_file", "A file of the machine that runs this. On another machine it is made anew."), "0777", |a| a)
        .attr(
            "sensitive_content",
            Attribute::string()
                .sensitive()
                .force_new()
                .deprecated("Use a `local_sensitive_file`.")
                .doc("What is in it, as a text that is not shown."),
        )
        .example(
            "resource \"local_file\" \"hosts\" {\n  filename = \"${path.module}/hosts.txt\"\n  content  = join(\"\\n\", var.hosts)\n}\n",
        )
});

static SENSITIVE: LazyLock<Schema> = LazyLock::new(|| {
    let doc = "A file of the machine that runs this, whose content is not shown. It is in the state in clear.";
    arguments(Schema::new("local_sensitive_file", doc), "0700", Attribute::sensitive).example(
        "resource \"local_sensitive_file\" \"key\" {\n  filename = \"${path.module}/key.pem\"\n  content  = tls_private_key.this.private_key_pem\n}\n",
    )
});

fn arguments(schema: Schema, mode: &'static str, hidden: fn(Attribute) -> Attribute) -> Schema {
    let content = |doc| hidden(Attribute::string().force_new().doc(doc));
    let permission = |doc| Attribute::string().default(mode).force_new().doc(doc);
    digests::attributes(schema)
        .attr("filename", Attribute::string().required().force_new().doc("Its path; folders above it are made."))
        .attr("content", content("What is in it, as a text. Exactly one argument says what is in it."))
        .attr("content_base64", content("What is in it, as bytes in base64."))
        .attr("source", Attribute::string().force_new().doc("The path of a file that it is a copy of, taken once."))
        .attr("file_permission", permission("Its permissions as octal digits, before the umask."))
        .attr("directory_permission", permission("Permissions of folders that are made for it, likewise."))
}

/// Permission bits of three or four octal digits.
fn mode(digits: &str) -> Option<u32> {
    let fits = matches!(digits.len(), 3 | 4) && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    fits.then(|| u32::from_str_radix(digits, 8).ok()).flatten()
}

fn wrong_mode(name: &str, digits: &str) -> Diagnostic {
    attrs::wrong(name, format!("`{name}` must be three or four octal digits, such as 0644, not {digits:?}."))
}

impl LocalFile {
    fn modes(planned: &Value) -> Result<Modes, Diagnostic> {
        let of = |name: &str| {
            let digits = text(planned, name).unwrap_or("0777");
            mode(digits).ok_or_else(|| wrong_mode(name, digits))
        };
        Ok(Modes { file: of("file_permission")?, folder: of("directory_permission")? })
    }

    /// What the file shall hold.
    async fn content(&self, planned: &Value) -> Result<Vec<u8>, Diagnostic> {
        if let Some(source) = text(planned, "source") {
            let found = disk::read(source).await?;
            return found.ok_or_else(|| attrs::wrong("source", format!("There is no file {source}.")));
        }
        if let Some(coded) = text(planned, "content_base64") {
            return STANDARD
                .decode(coded)
                .map_err(|_| attrs::wrong("content_base64", "`content_base64` is not base64."));
        }
        let said = text(planned, "content").or_else(|| text(planned, "sensitive_content"));
        Ok(said.unwrap_or_default().into())
    }

    async fn make(&self, planned: &Value) -> Result<Value, Diagnostic> {
        let (content, modes) = (self.content(planned).await?, Self::modes(planned)?);
        let digests = digests::of(&content);
        disk::write(text(planned, "filename").unwrap_or_default(), content, modes).await?;
        Ok(attrs::with(planned, digests))
    }
}

/// A file that somebody changed or took away is made again.
async fn look(recorded: &Value) -> ReadOutcome {
    match disk::read(text(recorded, "filename").unwrap_or_default()).await {
        Ok(Some(content)) if text(recorded, "id") == Some(&digests::sha1(&content)) => {
            // Records of older versions have the id alone.
            ReadOutcome::Present(attrs::with(recorded, digests::of(&content)))
        }
        Ok(_) => ReadOutcome::Gone,
        Err(problem) => ReadOutcome::Failed(problem),
    }
}

#[async_trait]
impl ResourceType for LocalFile {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// An interrupted creation is done again; it needs no journal.
    fn endpoint(&self) -> &'static str {
        ""
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut problems = attrs::exclusive(config, self.contents, true);
        for name in ["file_permission", "directory_permission"] {
            if let Some(digits) = text(config, name).filter(|digits| mode(digits).is_none()) {
                problems.push(wrong_mode(name, digits));
            }
        }
        if text(config, "content_base64").is_some_and(|coded| STANDARD.decode(coded).is_err()) {
            problems.push(attrs::wrong("content_base64", "`content_base64` is not base64."));
        }
        problems
    }

    async fn read(&self, _client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        join_all(requests.iter().map(|request| look(&request.prior))).await
    }

    async fn create(&self, _client: &dyn Client, _cx: &Context, request: CreateRequest<'_>) -> Applied {
        self.make(request.planned).await.map_or_else(Applied::failed, Applied::done)
    }

    async fn update(&self, _client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        Applied::done(request.planned.clone())
    }

    async fn delete(&self, _client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        match disk::delete(text(request.prior, "filename").unwrap_or_default()).await {
            Ok(()) => Applied::gone(),
            Err(problem) => Applied::partly(request.prior.clone(), problem),
        }
    }

    fn import(&self, _request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        let detail =
            format!("A {} is not imported: an apply writes the file, over one that is there.", self.schema.name);
        Err(Diagnostic::error("Import is not supported", detail))
    }

    async fn find(&self, _client: &dyn Client, _intent: &Intent) -> Result<Found, Diagnostic> {
        Ok(Found::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn made(ty: &LocalFile, fields: &[(&'static str, Value)]) -> Result<Value, Diagnostic> {
        let defaults = ty.schema.block.attributes.iter().filter_map(|(name, a)| Some((*name, a.default.clone()?)));
        ty.make(&attrs::object(&ty.schema.block, defaults.chain(fields.iter().cloned()))).await
    }

    #[tokio::test]
    async fn contents_and_digests() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("source"), b"foo!").expect("a file");
        for (ty, name, said) in [
            (&FILE, "content", "foo!".to_owned()),
            (&FILE, "sensitive_content", "foo!".to_owned()),
            (&FILE, "content_base64", "Zm9vIQ==".to_owned()),
            (&SENSITIVE_FILE, "content", "foo!".to_owned()),
            (&SENSITIVE_FILE, "source", path("source")),
        ] {
            let filename = path(&format!("{}/deep/{name}", ty.schema.name));
            let object = made(ty, &[("filename", filename.clone().into()), (name, said.into())]).await.expect(name);
            assert_eq!(std::fs::read(&filename).expect("it is there"), b"foo!");
            // printf 'foo!' | md5sum, sha1sum, sha256sum
            assert_eq!(text(&object, "content_md5"), Some("35af8b7a9490467f75f19c1e5459f7e7"));
            assert_eq!(text(&object, "id"), Some("4bf3e335199107182c6f7638efaad377acc7f452"));
            assert_eq!(text(&object, "content_base64sha256").map(str::len), Some(44));
            assert!(matches!(look(&object).await, ReadOutcome::Present(seen) if seen == object));
            std::fs::write(&filename, b"bar").expect("somebody changes it");
            assert!(matches!(look(&object).await, ReadOutcome::Gone));
            disk::delete(&filename).await.expect("it goes");
            assert!(matches!(look(&object).await, ReadOutcome::Gone));
            disk::delete(&filename).await.expect("it is gone already");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let filename = folder.path().join("private/key").to_string_lossy().into_owned();
        let fields =
            [("filename", filename.clone().into()), ("content", "k".into()), ("file_permission", "0600".into())];
        made(&SENSITIVE_FILE, &fields).await.expect("it is made");
        let mode = |path: &str| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&filename), mode(&format!("{}/private", folder.path().display()))), (0o600, 0o700));
    }

    #[tokio::test]
    async fn what_cannot_be_done_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), b"").expect("a file");
        let below = folder.path().join("a/b").to_string_lossy().into_owned();
        let fields = [("filename", below.clone().into()), ("content", "k".into())];
        let problem = made(&FILE, &fields).await.expect_err("a file is no folder");
        assert!(problem.detail.starts_with(&below), "{}", problem.detail);
        let fields = [("filename", below.into()), ("source", "/no/such/file".into())];
        assert!(made(&FILE, &fields).await.expect_err("no source").detail.contains("/no/such/file"));
    }

    #[test]
    fn arguments_are_judged() {
        for (fields, expected) in [
            (vec![], "must be set"),
            (vec![("content", "a".into()), ("source", "b".into())], "Only one"),
            (vec![("content", Value::from("a"))], ""),
            (vec![("content", "a".into()), ("file_permission", "0844".into())], "octal digits"),
            (vec![("content", "a".into()), ("directory_permission", "rwx".into())], "octal digits"),
            (vec![("content_base64", "%".into())], "not base64"),
        ] {
            let found = FILE.validate(&attrs::object(&PLAIN.block, fields.clone()));
            let said = found.iter().map(|d| d.detail.as_str()).collect::<String>();
            assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{fields:?}: {said}");
        }
    }
}
