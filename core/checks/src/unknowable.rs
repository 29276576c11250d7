//! Numbers that have no rule.

/// Numbers without a rule, with the reason.
pub fn unknowable() -> &'static [(&'static str, &'static str)] {
    &[
        ("SGP019", "Every version of Kubernetes that EKS runs today has the CNINode CRD."),
        ("SGP026", "Neither a plan nor AWS says how long the kernels of nodes keep ARP entries."),
        ("SGP117", "Nodes of every image that EKS offers today have a kernel that knows the setting."),
        (
            "SGP118",
            "It counts if most pods have groups of their own, and a configuration does not tell the other ones.",
        ),
        ("SGP204", "It needs the account's quotas as they were raised; SGP203 and SGP205 look at the two of them."),
        ("SGP321", "What a policy engine forbids is said by its own programs, which nothing here runs."),
        ("SGP410", "A configuration does not say whether pods use S3 or DynamoDB."),
        (
            "SGP424",
            "Two groups that name each other in blocks of theirs are a cycle, which the language refuses by itself.",
        ),
        (
            "SGP429",
            "A configuration does not say which callers without a policy connect to which port; sgp trace answers it for two ends.",
        ),
        ("SGP503", "Every platform version that EKS runs today gives Fargate pods their groups."),
        ("SGP508", "A configuration does not say whether pods are to have addresses of both families."),
        ("SGP609", "sgp_pod_eni and node groups wait in the right order by themselves."),
    ]
}
