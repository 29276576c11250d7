//! How many of each thing an account may have.
//!
//! Source: Amazon VPC User Guide, "Amazon VPC quotas": the numbers are AWS's defaults, except where a comment says otherwise.

use crate::aws::ApiError;

/// A quota: the code of the refusal, what is counted, and how many there may be.
#[derive(Debug)]
pub struct Quota {
    code: &'static str,
    what: &'static str,
    most: usize,
}

impl Quota {
    /// Checks that one more is allowed.
    ///
    /// # Errors
    /// The quota's code.
    pub fn allow(&self, has: usize) -> Result<(), ApiError> {
        self.allow_in_all(has + 1)
    }

    /// Checks that so many are allowed.
    ///
    /// # Errors
    /// The quota's code.
    pub fn allow_in_all(&self, wanted: usize) -> Result<(), ApiError> {
        if wanted <= self.most {
            return Ok(());
        }
        Err(ApiError::new(self.code, format!("The maximum number of {} has been reached: {}.", self.what, self.most)))
    }
}

/// VPCs. AWS begins with 5 and goes to hundreds on request; a sandbox is one account for many tests at a time.
pub const VPCS: Quota = Quota { code: "VpcLimitExceeded", what: "VPCs", most: 500 };
/// Subnets in a VPC.
pub const SUBNETS: Quota = Quota { code: "SubnetLimitExceeded", what: "subnets in this VPC", most: 200 };
/// IPv4 blocks of a VPC.
pub const VPC_BLOCKS: Quota = Quota { code: "CidrLimitExceeded", what: "IPv4 CIDR blocks of this VPC", most: 5 };
/// Internet gateways. AWS allows as many as VPCs.
pub const INTERNET_GATEWAYS: Quota =
    Quota { code: "InternetGatewayLimitExceeded", what: "internet gateways", most: 500 };
/// Route tables of a VPC.
pub const ROUTE_TABLES: Quota = Quota { code: "RouteTableLimitExceeded", what: "route tables of this VPC", most: 200 };
/// Routes of a route table that were made.
pub const ROUTES: Quota = Quota { code: "RouteLimitExceeded", what: "routes of this route table", most: 500 };
/// Network ACLs of a VPC.
pub const NETWORK_ACLS: Quota = Quota { code: "NetworkAclLimitExceeded", what: "network ACLs of this VPC", most: 200 };
/// Entries of a network ACL in one direction.
pub const NETWORK_ACL_ENTRIES: Quota =
    Quota { code: "NetworkAclEntryLimitExceeded", what: "entries of this network ACL in this direction", most: 20 };
/// Elastic IP addresses. AWS begins with 5 and goes on by request.
pub const ADDRESSES: Quota = Quota { code: "AddressLimitExceeded", what: "addresses", most: 500 };
/// NAT gateways of a zone. AWS begins with 5 and goes on by request.
pub const NAT_GATEWAYS: Quota =
    Quota { code: "NatGatewayLimitExceeded", what: "NAT gateways in this availability zone", most: 100 };
/// Prefix lists.
pub const PREFIX_LISTS: Quota = Quota { code: "PrefixListLimitExceeded", what: "prefix lists", most: 100 };
/// Peering connections of a VPC that are alive.
pub const PEERINGS: Quota =
    Quota { code: "OutstandingVpcPeeringConnectionLimitExceeded", what: "peering connections of this VPC", most: 50 };
/// Endpoints of a VPC: AWS allows 20 gateways in a region and 50 interfaces in a VPC.
pub const VPC_ENDPOINTS: Quota = Quota { code: "VpcEndpointLimitExceeded", what: "VPC endpoints", most: 50 };
