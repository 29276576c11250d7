//! What an account may have in a region.

/// Quotas, each with AWS's default. They are per account and region, and can be raised: what Service Quotas says counts.
///
/// Source: docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Network interfaces per region, `L-DF5E4CA3`.
    pub interfaces: u64,
    /// Security groups per region, `L-E79EC296`.
    pub groups: u64,
    /// Rules of a group one way, counted apart for IPv4 and IPv6, `L-0EA8095F`.
    pub rules_per_group: u64,
    /// Groups of an interface, `L-2AFB9258`; never more than 16.
    pub groups_per_interface: u64,
    /// `rules_per_group` times `groups_per_interface`, whatever they are raised to.
    pub rules_per_interface: u64,
    /// Network address usage of a VPC; never more than 256,000.
    pub address_usage: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            interfaces: 5_000,
            groups: 2_500,
            rules_per_group: 60,
            groups_per_interface: 5,
            rules_per_interface: 1_000,
            address_usage: 64_000,
        }
    }
}

/// The quota that something counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// Network interfaces per region.
    Interfaces,
    /// Security groups per region.
    Groups,
    /// Rules of a group, one way and of one family.
    RulesPerGroup,
    /// Groups of an interface.
    GroupsPerInterface,
    /// Rules that count at an interface.
    RulesPerInterface,
    /// Network address usage of a VPC.
    AddressUsage,
}

impl Quota {
    /// Its code in Service Quotas.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Interfaces => Some("L-DF5E4CA3"),
            Self::Groups => Some("L-E79EC296"),
            Self::RulesPerGroup => Some("L-0EA8095F"),
            Self::GroupsPerInterface => Some("L-2AFB9258"),
            Self::RulesPerInterface | Self::AddressUsage => None,
        }
    }
}

/// As the pages of the VPC's quotas call it.
impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interfaces => "network interfaces per region",
            Self::Groups => "security groups per region",
            Self::RulesPerGroup => "rules per security group",
            Self::GroupsPerInterface => "security groups per network interface",
            Self::RulesPerInterface => "rules per network interface",
            Self::AddressUsage => "network address usage per VPC",
        })
    }
}
