//! What a path and a query mean.

use percent_encoding::percent_decode_str;

/// A path under `/api` or `/apis` that names a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// Empty where none is named.
    pub namespace: String,
    /// `pods`.
    pub resource: String,
    /// Empty for a collection.
    pub name: String,
    /// `status`; empty for the object itself.
    pub subresource: String,
    /// The old `/watch/` form of the path.
    pub is_watch: bool,
}

/// Reads a path; `None` when it names no resource (discovery, health, ...).
pub fn read(path: &str) -> Option<Place> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let mut segments = path.trim_matches('/').split('/').map(decode);
    let (group, version) = match segments.next()?.as_str() {
        "api" => (String::new(), segments.next()?),
        "apis" => (segments.next()?, segments.next()?),
        _ => return None,
    };
    let mut rest: Vec<String> = segments.collect();
    let is_watch = rest.first().is_some_and(|it| it == "watch");
    if is_watch {
        rest.remove(0);
    }
    let mut place = Place { group, version, is_watch, ..Place::default() };
    // `namespaces/NS/pods` is in a namespace; `namespaces/NS/status` is a part of the namespace itself.
    let is_scoped = rest.len() > 2 && rest[0] == "namespaces" && !matches!(rest[2].as_str(), "status" | "finalize");
    if is_scoped {
        place.namespace.clone_from(&rest[1]);
        rest.drain(..2);
    }
    let mut rest = rest.into_iter();
    place.resource = rest.next().filter(|it| !it.is_empty())?;
    place.name = rest.next().unwrap_or_default();
    place.subresource = rest.collect::<Vec<_>>().join("/");
    if !is_scoped && place.resource == "namespaces" && place.group.is_empty() {
        place.namespace.clone_from(&place.name);
    }
    Some(place)
}

/// The parameters of a query.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query.
    pub fn read(query: &str) -> Self {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// The first value of a parameter; an empty one counts as missing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on: `true`, `1`, or there without a value.
    pub fn is_on(&self, name: &str) -> bool {
        self.all(name).next().is_some_and(|value| !matches!(value, "false" | "0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_places() {
        let rows = [
            ("/api/v1/pods", ["", "v1", "", "pods", "", ""]),
            ("/api/v1/namespaces/a/pods/b", ["", "v1", "a", "pods", "b", ""]),
            ("/api/v1/namespaces/a/pods/b/log", ["", "v1", "a", "pods", "b", "log"]),
            ("/api/v1/namespaces", ["", "v1", "", "namespaces", "", ""]),
            ("/api/v1/namespaces/a", ["", "v1", "a", "namespaces", "a", ""]),
            ("/api/v1/namespaces/a/finalize", ["", "v1", "a", "namespaces", "a", "finalize"]),
            ("/apis/apps/v1/namespaces/a/deployments/b/scale", ["apps", "v1", "a", "deployments", "b", "scale"]),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                ["rbac.authorization.k8s.io", "v1", "", "clusterroles", "system:node", ""],
            ),
        ];
        for (path, [group, version, namespace, resource, name, subresource]) in rows {
            let place = read(path).unwrap();
            let read =
                [&place.group, &place.version, &place.namespace, &place.resource, &place.name, &place.subresource];
            assert_eq!(read, [group, version, namespace, resource, name, subresource], "{path}");
        }
        for path in ["/", "/api", "/api/v1", "/apis/apps/v1", "/healthz"] {
            assert_eq!(read(path), None, "{path}");
        }
        assert!(read("/api/v1/watch/namespaces/a/pods").unwrap().is_watch);
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::read("labelSelector=a%20in+%28b%29&watch=1&x=false&dryRun=All&empty=");
        assert_eq!(query.get("labelSelector"), Some("a in (b)"));
        assert!(query.is_on("watch") && !query.is_on("x") && query.get("empty").is_none());
    }
}
