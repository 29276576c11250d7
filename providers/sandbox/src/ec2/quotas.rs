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
