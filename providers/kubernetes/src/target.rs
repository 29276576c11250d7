//! Kinds of objects, and one object by kind, namespace and name.

use std::{borrow::Cow, fmt};

use crate::errors::Failure;

/// A kind that the API serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiKind {
    /// `v1`, `apps/v1`.
    pub api_version: Cow<'static, str>,
    /// `NetworkPolicy`.
    pub kind: Cow<'static, str>,
    /// `networkpolicies`: its name in paths.
    pub plural: Cow<'static, str>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl ApiKind {
    pub(crate) const fn fixed(
        api_version: &'static str,
        kind: &'static str,
        plural: &'static str,
        namespaced: bool,
    ) -> Self {
        Self {
            api_version: Cow::Borrowed(api_version),
            kind: Cow::Borrowed(kind),
            plural: Cow::Borrowed(plural),
            namespaced,
        }
    }

    /// The path of the collection, in one namespace when there are namespaces and one is given.
    pub(crate) fn collection(&self, namespace: Option<&str>) -> Result<String, Failure> {
        let root = group_path(&self.api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(ns) => Ok(format!("{root}/namespaces/{}/{}", segment(ns)?, self.plural)),
            None => Ok(format!("{root}/{}", self.plural)),
        }
    }
}

/// `/api/v1` for the core group, `/apis/group/version` for others.
pub(crate) fn group_path(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub kind: ApiKind,
    pub namespace: Option<String>,
    pub name: String,
}

impl Target {
    pub(crate) fn new(kind: &ApiKind, namespace: Option<&str>, name: &str) -> Self {
        Self {
            kind: kind.clone(),
            namespace: namespace.filter(|_| kind.namespaced).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> Result<String, Failure> {
        Ok(format!("{}/{}", self.kind.collection(self.namespace.as_deref())?, segment(&self.name)?))
    }

    /// The id that Terraform gives: `namespace/name`, or the name alone.
    pub(crate) fn id(&self) -> String {
        self.namespace.as_ref().map_or_else(|| self.name.clone(), |ns| format!("{ns}/{}", self.name))
    }
}

/// Shows `NetworkPolicy app/backend`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.kind, self.id())
    }
}

/// A name as one segment of a path; Kubernetes itself refuses names that are none.
fn segment(name: &str) -> Result<&str, Failure> {
    let fits = |c: char| {
        c.is_ascii_graphic()
            && !matches!(c, '/' | '%' | '?' | '#' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    if !name.is_empty() && name != "." && name != ".." && name.chars().all(fits) {
        Ok(name)
    } else {
        Err(Failure::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths() {
        let pods = ApiKind::fixed("v1", "Pod", "pods", true);
        let roles = ApiKind::fixed("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false);
        for (target, path, shown) in [
            (Target::new(&pods, Some("app"), "a"), "/api/v1/namespaces/app/pods/a", "Pod app/a"),
            (
                Target::new(&roles, Some("ignored"), "system:x"),
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:x",
                "ClusterRole system:x",
            ),
        ] {
            assert_eq!(target.path().unwrap(), path);
            assert_eq!(target.to_string(), shown);
        }
        assert_eq!(pods.collection(None).unwrap(), "/api/v1/pods");
        for name in ["", "..", "a/b", "a?x", "a%2f", "a b", "é"] {
            assert!(Target::new(&pods, Some("app"), name).path().is_err(), "{name}");
        }
    }
}
