//! Partitions of AWS.

/// A partition of AWS: regions with one set of ARNs and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As in ARNs: `aws`.
    pub id: &'static str,
    /// The end of host names: `amazonaws.com`.
    pub dns_suffix: &'static str,
    /// The same, turned round, as in VPC endpoint service names: `com.amazonaws`.
    pub reverse_dns_prefix: &'static str,
}

impl Partition {
    /// The partition that a region lies in, by its name (AWS SDKs' partitions.json).
    pub fn of(region: &str) -> Self {
        let known = [
            ("cn-", "aws-cn", "amazonaws.com.cn", "cn.com.amazonaws"),
            ("us-gov-", "aws-us-gov", "amazonaws.com", "com.amazonaws"),
            ("us-iso-", "aws-iso", "c2s.ic.gov", "gov.ic.c2s"),
            ("us-isob-", "aws-iso-b", "sc2s.sgov.gov", "gov.sgov.sc2s"),
            ("us-isof-", "aws-iso-f", "csp.hci.ic.gov", "gov.ic.hci.csp"),
            ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "uk.adc-e.cloud"),
            ("eusc-", "aws-eusc", "amazonaws.eu", "eu.amazonaws"),
        ];
        let (_, id, dns_suffix, reverse_dns_prefix) = known
            .into_iter()
            .find(|(prefix, ..)| region.starts_with(prefix))
            .unwrap_or(("", "aws", "amazonaws.com", "com.amazonaws"));
        Self { id, dns_suffix, reverse_dns_prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_tell_their_partition() {
        for (region, id) in [
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(Partition::of(region).id, id, "{region}");
        }
    }
}
