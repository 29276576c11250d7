//! How many pods a node is for, and what it keeps for itself.
//!
//! Sources: EKS AMI `nodeadm` and `max-pods-calculator.sh` (awslabs/amazon-eks-ami), EKS User Guide "Choose an optimal EC2 node instance type".

use crate::ec2::instance_types::InstanceType;

/// How the VPC CNI gives addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addressing {
    /// `/28` prefixes in the place of addresses.
    pub has_prefixes: bool,
}

/// The most pods that get addresses: each interface's addresses but its first, and two on the host's network; managed node groups
/// go no higher than 110, or 250 from 30 processors on.
pub(crate) fn max_pods(kind: &InstanceType, addressing: Addressing) -> usize {
    let slots = kind.interfaces_max * kind.ipv4_per_interface.saturating_sub(1);
    let addresses = if addressing.has_prefixes { slots * 16 } else { slots };
    let most = if kind.vcpus < 30 { 110 } else { 250 };
    (addresses + 2).min(most)
}

/// Thousandths of processors that are kept: 6 % of the first, 1 % of the second, 0.5 % of the next two, 0.25 % of the others.
pub(crate) fn reserved_cpu(vcpus: u32) -> u32 {
    let per_mille_and_quarter = |core: u32| match core {
        0 => 6_000,
        1 => 1_000,
        2 | 3 => 500,
        _ => 250,
    };
    (0..vcpus).map(per_mille_and_quarter).sum::<u32>() / 100
}

/// Mebibytes that are kept for kubelet and the system: 255 and 11 for each pod, and 100 before pods are evicted.
pub(crate) fn reserved_memory_mib(max_pods: usize) -> u64 {
    255 + 11 * u64::try_from(max_pods).unwrap_or(0) + 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::instance_types;

    #[test]
    fn as_eks_calculates() {
        for (name, has_prefixes, pods, cpu) in [
            ("m5.large", false, 29, 70),
            ("m5.large", true, 110, 70),
            ("c5.xlarge", false, 58, 80),
            ("t3.medium", false, 17, 70),
            ("m5.24xlarge", false, 250, 310),
        ] {
            let kind = instance_types::find(name).unwrap();
            assert_eq!((max_pods(kind, Addressing { has_prefixes }), reserved_cpu(kind.vcpus)), (pods, cpu), "{name}");
        }
        assert_eq!(reserved_memory_mib(29), 674);
    }
}
