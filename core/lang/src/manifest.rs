//! Where fetched modules lie: `modules.json`, as `sgp init` and Terraform write it.

use sgp_model::{Kind, Value, json};

use crate::{module_source::ModuleSource, source::Files};

/// One module that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The calls that lead to it, from the root, with dots between them: `network.subnets`.
    pub key: String,
    /// Its source, as it was when it was fetched.
    pub source: String,
    /// The version of a registry's module, or the commit of a repository; empty when there is neither.
    pub version: String,
    /// Its folder, counted from the working directory.
    pub dir: String,
}

/// The modules of all manifests; the first that knows a call counts.
#[derive(Clone, Debug, Default)]
pub struct Manifest(pub Vec<Installed>);

impl Manifest {
    /// Reads the manifests that there are. Answers with the paths of those that cannot be read, too, and why.
    pub fn read(files: &dyn Files) -> (Self, Vec<(String, String)>) {
        let mut found = Self::default();
        let mut problems = Vec::new();
        for path in files.module_manifests() {
            let content = match files.read(&path) {
                Ok(content) => content,
                Err(problem) => {
                    if !problem.not_found {
                        problems.push((path, problem.to_string()));
                    }
                    continue;
                }
            };
            match parse(&content) {
                Some(entries) => found.0.extend(entries),
                None => problems.push((path, "it is not a list of modules".into())),
            }
        }
        (found, problems)
    }

    /// The module behind a call, when it was fetched from this source.
    pub fn find(&self, key: &str, source: &str) -> Option<&Installed> {
        self.0.iter().find(|it| it.key == key && ModuleSource::same(&it.source, source))
    }

    /// Whether the call is known with another source.
    pub fn other(&self, key: &str) -> Option<&Installed> {
        self.0.iter().find(|it| it.key == key)
    }
}

/// The entries of one `modules.json`.
pub fn parse(content: &[u8]) -> Option<Vec<Installed>> {
    let text = std::str::from_utf8(content).ok()?;
    let value = json::from_json_text(text).ok()?;
    let Kind::Tuple(entries) = value.get("Modules")?.kind().clone() else { return None };
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let one = |entry: &Value| {
        Some(Installed {
            key: text(entry, "Key")?,
            source: text(entry, "Source")?,
            version: text(entry, "Version").unwrap_or_default(),
            dir: text(entry, "Dir")?,
        })
    };
    entries.iter().map(one).collect()
}

/// Writes a `modules.json`, entries in the order of their keys.
pub fn write(entries: &[Installed]) -> String {
    let mut entries: Vec<&Installed> = entries.iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let one = |it: &Installed| {
        Value::object([
            ("Key", Value::from(&*it.key)),
            ("Source", Value::from(&*it.source)),
            ("Version", Value::from(&*it.version)),
            ("Dir", Value::from(&*it.dir)),
        ])
    };
    let modules = Value::tuple(entries.into_iter().map(one).collect());
    json::to_plain_json_text(&Value::object([("Modules", modules)])).expect("a manifest holds text alone")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::MemoryFiles;

    fn entry(key: &str, source: &str, version: &str, dir: &str) -> Installed {
        Installed { key: key.into(), source: source.into(), version: version.into(), dir: dir.into() }
    }

    #[test]
    fn what_is_written_is_read() {
        let entries = vec![entry("a", "git::https://e.com/<x>", "c0ffee", ".sgp/modules/a"), entry("", "", "", ".")];
        let text = write(&entries);
        assert!(text.starts_with("{\"Modules\":[{\"Dir\":\".\",\"Key\":\"\""), "{text}");
        let mut read = parse(text.as_bytes()).unwrap();
        read.reverse();
        assert_eq!(read, entries);
        for bad in ["", "{}", "[]", "{\"Modules\":{}}", "{\"Modules\":[{\"Key\":\"a\"}]}"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn terraforms_manifest_is_read_beside_ours() {
        let theirs = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/terraform-aws-modules/vpc/aws","Version":"5.1.0","Dir":".terraform/modules/vpc"}]}"#;
        let files =
            MemoryFiles::new([(".terraform/modules/modules.json", theirs), (".sgp/modules/modules.json", "nonsense")]);
        let (manifest, problems) = Manifest::read(&files);
        assert_eq!(problems.len(), 1);
        let found = manifest.find("vpc", "terraform-aws-modules/vpc/aws").unwrap();
        assert_eq!((&*found.version, &*found.dir), ("5.1.0", ".terraform/modules/vpc"));
        assert!(manifest.find("vpc", "terraform-aws-modules/eks/aws").is_none() && manifest.other("vpc").is_some());
    }
}
