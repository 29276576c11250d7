//! What the `source` of a module names: a folder, a module in the binary, a Git repository, a registry.

use std::fmt;

/// Where a module comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleSource {
    /// A folder, counted from the folder of the file that names it: `./network`.
    Local(String),
    /// A module in the binary: `sgp//irsa-role`.
    Bundled(String),
    /// A Git repository.
    Git(GitSource),
    /// An address in a module registry, the host left out where it is the public one: `terraform-aws-modules/vpc/aws`. The
    /// folder inside of the module comes apart.
    Registry {
        /// `HOST/NAMESPACE/NAME/SYSTEM`, without a host that is the public registry.
        address: String,
        /// The folder inside of it, without slashes at its ends; empty for the module itself.
        folder: String,
    },
    /// Something else that Terraform fetches: archives over HTTP, buckets, Mercurial.
    Other(String),
}

/// A Git repository and what is meant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSource {
    /// What `git clone` takes: `https://...`, `ssh://...`, `file:///...`, `git@host:path`.
    pub url: String,
    /// The folder inside of the repository, without slashes at its ends; empty for the whole.
    pub folder: String,
    /// The branch, tag or commit; the default branch when there is none.
    pub reference: Option<String>,
    /// How much history is fetched; all of it when there is no number.
    pub depth: Option<u32>,
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git::{}", self.url)?;
        if !self.folder.is_empty() {
            write!(f, "//{}", self.folder)?;
        }
        if let Some(reference) = &self.reference {
            write!(f, "?ref={reference}")?;
        }
        Ok(())
    }
}

/// The hosts of the public registries; an address without host means the same.
const PUBLIC: [&str; 2] = ["registry.terraform.io/", "registry.opentofu.org/"];

impl ModuleSource {
    /// Reads a `source`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        if let Some(name) = source.strip_prefix(crate::source::BUNDLED) {
            return Ok(Self::Bundled(name.to_owned()));
        }
        if source == "." || source == ".." || source.starts_with("./") || source.starts_with("../") {
            return Ok(Self::Local(source.to_owned()));
        }
        if let Some(rest) = source.strip_prefix("git::") {
            return git(rest).map(Self::Git);
        }
        // Shorthands that Terraform reads as Git.
        if let Some(rest) = ["github.com/", "bitbucket.org/"].iter().find_map(|host| source.strip_prefix(host)) {
            let host = &source[..source.len() - rest.len()];
            return git(&format!("https://{host}{}", with_suffix(rest))).map(Self::Git);
        }
        if source.starts_with("git@") {
            return git(source).map(Self::Git);
        }
        if source.contains("::") || source.contains("://") || source.starts_with('/') || source.contains('@') {
            return Ok(Self::Other(source.to_owned()));
        }
        let (address, folder) = source.split_once("//").unwrap_or((source, ""));
        let address = PUBLIC.iter().find_map(|host| address.strip_prefix(host)).unwrap_or(address);
        let parts: Vec<&str> = address.split('/').collect();
        let is_registry = match parts.as_slice() {
            [_, _, _] => !parts[0].contains('.'),
            [host, _, _, _] => host.contains('.') || host.contains(':'),
            _ => false,
        };
        let is_word =
            |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
        if is_registry && parts.iter().all(is_word) {
            return Ok(Self::Registry { address: address.to_owned(), folder: inside(folder)? });
        }
        Ok(Self::Other(source.to_owned()))
    }

    /// Whether both name the same, however they are written.
    pub fn same(a: &str, b: &str) -> bool {
        match (Self::parse(a), Self::parse(b)) {
            (Ok(Self::Git(a)), Ok(Self::Git(b))) => GitSource { depth: None, ..a } == GitSource { depth: None, ..b },
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        }
    }
}

/// `owner/repo//folder?ref=x` with the `.git` that those hosts take.
fn with_suffix(rest: &str) -> String {
    let mut parts = rest.splitn(3, '/');
    let (owner, repository, more) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let (name, query) = repository.split_once('?').map_or((repository, None), |(name, query)| (name, Some(query)));
    let name = name.strip_suffix(".git").unwrap_or(name);
    let more = more.map(|more| format!("/{more}")).unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{owner}/{name}.git{more}{query}")
}

/// What stands behind `git::`.
fn git(text: &str) -> Result<GitSource, String> {
    let (place, query) = text.split_once('?').map_or((text, ""), |(place, query)| (place, query));
    let from = place.find("://").map_or(0, |at| at + 3);
    let (url, folder) = match place[from..].find("//") {
        Some(at) => (&place[..from + at], &place[from + at + 2..]),
        None => (place, ""),
    };
    let is_scp = || from == 0 && url.split_once(':').is_some_and(|(host, path)| host.contains('@') && !path.is_empty());
    let known =
        ["https://", "ssh://", "file://"].iter().any(|scheme| url.starts_with(scheme) && url.len() > scheme.len());
    if url.starts_with('-') || !(known || is_scp()) {
        return Err(format!(
            "{url:?} is not an address of a Git repository: it begins with https://, ssh:// or file://, or is written user@host:path."
        ));
    }
    let mut source = GitSource { url: url.to_owned(), folder: inside(folder)?, reference: None, depth: None };
    for (name, value) in query.split('&').filter(|part| !part.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")))
    {
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "ref" if value.starts_with('-') || value.is_empty() => {
                return Err(format!("ref={value} is no branch, tag or commit."));
            }
            "ref" => source.reference = Some(value),
            "depth" => match value.parse() {
                Ok(depth) if depth > 0 => source.depth = Some(depth),
                _ => return Err(format!("depth={value} is not a number of commits.")),
            },
            _ => return Err(format!("A Git source takes ref and depth, and {name:?} is neither.")),
        }
    }
    Ok(source)
}

/// A folder inside of what was fetched.
fn inside(folder: &str) -> Result<String, String> {
    let folder = folder.trim_matches('/');
    if folder.split('/').any(|part| part == "..") {
        return Err(format!("The folder {folder:?} leads out of the repository."));
    }
    Ok(if folder.is_empty() { String::new() } else { crate::source::clean(folder) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(source: &str) -> String {
        match ModuleSource::parse(source) {
            Ok(ModuleSource::Local(path)) => format!("local {path}"),
            Ok(ModuleSource::Bundled(name)) => format!("bundled {name}"),
            Ok(ModuleSource::Git(git)) => {
                let depth = git.depth.map(|depth| format!(" depth {depth}")).unwrap_or_default();
                format!("{git}{depth}")
            }
            Ok(ModuleSource::Registry { address, folder }) => format!("registry {address} [{folder}]"),
            Ok(ModuleSource::Other(text)) => format!("other {text}"),
            Err(problem) => problem,
        }
    }

    #[test]
    fn sources() {
        for (source, expected) in [
            ("./a", "local ./a"),
            ("..", "local .."),
            ("sgp//irsa-role", "bundled irsa-role"),
            ("git::https://example.com/x.git", "git::https://example.com/x.git"),
            ("git::https://example.com/x.git//a/b/?ref=v1.2", "git::https://example.com/x.git//a/b?ref=v1.2"),
            ("git::ssh://git@example.com/x.git?depth=1&ref=a%2Fb", "git::ssh://git@example.com/x.git?ref=a/b depth 1"),
            ("git::git@example.com:team/x.git//m", "git::git@example.com:team/x.git//m"),
            ("git::file:///srv/x//m?ref=main", "git::file:///srv/x//m?ref=main"),
            ("git@github.com:team/x.git", "git::git@github.com:team/x.git"),
            ("github.com/team/x", "git::https://github.com/team/x.git"),
            ("github.com/team/x//m/n?ref=v1", "git::https://github.com/team/x.git//m/n?ref=v1"),
            ("github.com/team/x?ref=v1", "git::https://github.com/team/x.git?ref=v1"),
            ("terraform-aws-modules/vpc/aws", "registry terraform-aws-modules/vpc/aws []"),
            ("registry.terraform.io/a/vpc/aws//modules/x", "registry a/vpc/aws [modules/x]"),
            ("app.terraform.io/a/vpc/aws", "registry app.terraform.io/a/vpc/aws []"),
            ("https://example.com/x.zip", "other https://example.com/x.zip"),
            ("s3::https://bucket/x.zip", "other s3::https://bucket/x.zip"),
            ("network", "other network"),
            ("/srv/modules/a", "other /srv/modules/a"),
        ] {
            assert_eq!(shown(source), expected, "{source}");
        }
    }

    #[test]
    fn bad_git_sources_are_told() {
        for (source, part) in [
            ("git::ext::sh -c id", "not an address"),
            ("git::--upload-pack=x", "not an address"),
            ("git::https://", "not an address"),
            ("git::https://e.com/x//../y", "leads out"),
            ("git::https://e.com/x?ref=--x", "no branch"),
            ("git::https://e.com/x?ref=", "no branch"),
            ("git::https://e.com/x?depth=0", "not a number"),
            ("git::https://e.com/x?sshkey=x", "takes ref and depth"),
        ] {
            assert!(shown(source).contains(part), "{source}: {}", shown(source));
        }
    }

    #[test]
    fn the_same_source_has_many_spellings() {
        for (a, b, expected) in [
            ("a/vpc/aws", "registry.terraform.io/a/vpc/aws", true),
            ("github.com/team/x?ref=v1", "git::https://github.com/team/x.git?ref=v1", true),
            ("git::https://e.com/x?ref=v1", "git::https://e.com/x?ref=v2", false),
            ("git::https://e.com/x?ref=v1&depth=1", "git::https://e.com/x?ref=v1", true),
        ] {
            assert_eq!(ModuleSource::same(a, b), expected, "{a} {b}");
        }
    }
}
