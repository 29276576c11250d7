//! What of a network must be there before something in it starts.

use sgp_contract::CommonGround;

const fn of_vpc(first: &'static str) -> CommonGround {
    CommonGround { first, ground: "aws_vpc" }
}

/// Ways out of a VPC, and what closes them, for what starts in the VPC. A subnet may be of a VPC that is not the configuration's;
/// its table is known by the subnet then.
pub const IN_A_VPC: &[CommonGround] = &[
    of_vpc("aws_nat_gateway"),
    of_vpc("aws_network_acl"),
    of_vpc("aws_network_acl_rule"),
    of_vpc("aws_route"),
    of_vpc("aws_route_table"),
    of_vpc("aws_route_table_association"),
    of_vpc("aws_vpc_endpoint"),
    CommonGround { first: "aws_route_table_association", ground: "aws_subnet" },
];
