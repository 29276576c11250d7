//! Versions of software.

use sgp_analysis::topology::Cluster;

/// The version of a cluster's VPC CNI, where it is known.
pub(crate) fn cni_version(cluster: &Cluster) -> Option<(u32, u32, u32)> {
    version(cluster.cni.version.known()?)
}

/// Major, minor and patch of `v1.20.0-eksbuild.1`; `None` for what is no version.
pub(crate) fn version(text: &str) -> Option<(u32, u32, u32)> {
    let plain = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|it| it.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?))
}

#[test]
fn versions_are_read() {
    for (text, expected) in [
        ("v1.20.0-eksbuild.1", Some((1, 20, 0))),
        ("1.34", Some((1, 34, 0))),
        ("v1.7.5", Some((1, 7, 5))),
        ("latest", None),
        ("", None),
    ] {
        assert_eq!(version(text), expected, "{text}");
    }
}
