"""VPCs, subnets, gateways, routes, prefix lists, tags."""

from player import named, tags


def play(player):
    ec2 = player.service("ec2")
    vpc = ec2("CreateVpc", "with tags", CidrBlock="10.20.0.0/16", TagSpecifications=tags("vpc", Name="net"))["Vpc"]["VpcId"]
    vpcs(ec2, vpc)
    a, b = subnets(ec2, vpc)
    gateways(player, ec2, vpc, a)
    routes(ec2, vpc, a)
    surveyed(ec2, vpc)
    prefix_lists(player, ec2)
    zones(ec2)
    tagging(ec2, vpc)
    ec2("DeleteVpc", "has subnets", VpcId=vpc)
    ec2("DeleteSubnet", "plain", SubnetId=b)
    ec2("DeleteSubnet", "again", SubnetId=b)
    ec2("DeleteSubnet", "malformed", SubnetId="subnet-xyz")
    ec2("DeleteSubnet", "the other", SubnetId=a)
    ec2("DeleteVpc", "plain", VpcId=vpc)
    ec2("DeleteVpc", "again", VpcId=vpc)


def vpcs(ec2, vpc):
    ec2("CreateVpc", "too large", CidrBlock="10.0.0.0/8")
    ec2("CreateVpc", "too small", CidrBlock="10.0.0.0/29")
    ec2("CreateVpc", "no CIDR", CidrBlock="none")
    ec2("CreateVpc", "without a block")
    ec2("CreateVpc", "dry run", CidrBlock="10.21.0.0/16", DryRun=True)
    ec2("CreateVpc", "tags of another type", CidrBlock="10.21.0.0/16", TagSpecifications=tags("subnet", Name="x"))
    ec2("DescribeVpcs", "by id", VpcIds=[vpc])
    ec2("DescribeVpcs", "unknown", VpcIds=["vpc-0123456789abcdef0"])
    ec2("DescribeVpcs", "malformed", VpcIds=["nonsense"])
    ec2("DescribeVpcs", "by tag", Filters=[named("tag:Name", "net")])
    ec2("DescribeVpcs", "by tag with a wildcard", Filters=[named("tag:Name", "n*t")])
    ec2("DescribeVpcs", "by tag key", Filters=[named("tag-key", "Name"), named("vpc-id", vpc)])
    ec2("DescribeVpcs", "by CIDR", Filters=[named("cidr", "10.20.0.0/16")])
    ec2("DescribeVpcs", "by associated CIDR", Filters=[named("cidr-block-association.cidr-block", "10.20.0.0/16")])
    ec2("DescribeVpcs", "by state", Filters=[named("state", "available"), named("vpc-id", vpc)])
    ec2("DescribeVpcs", "by default", Filters=[named("is-default", "false"), named("vpc-id", vpc)])
    ec2("DescribeVpcs", "nothing matches", Filters=[named("tag:Name", "other")])
    ec2("DescribeVpcs", "unknown filter", Filters=[named("nonsense", "x")])
    ec2("DescribeVpcs", "dry run", DryRun=True)
    ec2("DescribeVpcs", "ids and pages", VpcIds=[vpc], MaxResults=5)
    ec2("DescribeVpcs", "page too small", MaxResults=1)
    ec2("DescribeVpcs", "broken token", NextToken="nonsense", MaxResults=5)
    for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
        ec2("DescribeVpcAttribute", name, VpcId=vpc, Attribute=name)
    ec2("DescribeVpcAttribute", "unknown attribute", VpcId=vpc, Attribute="nonsense")
    ec2("DescribeVpcAttribute", "unknown VPC", VpcId="vpc-0123456789abcdef0", Attribute="enableDnsSupport")
    ec2("ModifyVpcAttribute", "host names", VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2("DescribeVpcAttribute", "modified", VpcId=vpc, Attribute="enableDnsHostnames")
    ec2("ModifyVpcAttribute", "unknown VPC", VpcId="vpc-0123456789abcdef0", EnableDnsSupport={"Value": True})
    ec2("ModifyVpcAttribute", "nothing", VpcId=vpc)


def subnets(ec2, vpc):
    a = ec2(
        "CreateSubnet", "with tags", VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone="us-east-1a",
        TagSpecifications=tags("subnet", Name="a"),
    )["Subnet"]["SubnetId"]
    b = ec2("CreateSubnet", "plain", VpcId=vpc, CidrBlock="10.20.2.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    ec2("CreateSubnet", "overlaps", VpcId=vpc, CidrBlock="10.20.1.128/25", AvailabilityZone="us-east-1a")
    ec2("CreateSubnet", "outside", VpcId=vpc, CidrBlock="10.99.1.0/24", AvailabilityZone="us-east-1a")
    ec2("CreateSubnet", "too small", VpcId=vpc, CidrBlock="10.20.8.0/29", AvailabilityZone="us-east-1a")
    ec2("CreateSubnet", "no CIDR", VpcId=vpc, CidrBlock="none", AvailabilityZone="us-east-1a")
    ec2("CreateSubnet", "unknown zone", VpcId=vpc, CidrBlock="10.20.10.0/24", AvailabilityZone="us-east-1z")
    ec2("CreateSubnet", "unknown VPC", VpcId="vpc-0123456789abcdef0", CidrBlock="10.20.9.0/24", AvailabilityZone="us-east-1a")
    ec2("CreateSubnet", "dry run", VpcId=vpc, CidrBlock="10.20.9.0/24", AvailabilityZone="us-east-1a", DryRun=True)
    ec2("DescribeSubnets", "by id", SubnetIds=[a])
    ec2("DescribeSubnets", "by VPC", Filters=[named("vpc-id", vpc)])
    ec2("DescribeSubnets", "by zone", Filters=[named("vpc-id", vpc), named("availability-zone", "us-east-1b")])
    ec2("DescribeSubnets", "by CIDR", Filters=[named("vpc-id", vpc), named("cidr-block", "10.20.1.0/24")])
    ec2("DescribeSubnets", "by tag", Filters=[named("vpc-id", vpc), named("tag:Name", "a")])
    ec2("DescribeSubnets", "by id and filter", SubnetIds=[a], Filters=[named("availability-zone", "us-east-1b")])
    ec2("DescribeSubnets", "by free addresses", Filters=[named("vpc-id", vpc), named("available-ip-address-count", "251")])
    ec2("DescribeSubnets", "unknown", SubnetIds=["subnet-0123456789abcdef0"])
    ec2("DescribeSubnets", "malformed", SubnetIds=["nonsense"])
    ec2("DescribeSubnets", "unknown filter", Filters=[named("nonsense", "x")])
    ec2("DescribeSubnets", "dry run", DryRun=True)
    ec2("DescribeSubnets", "page too small", MaxResults=1)
    ec2("ModifySubnetAttribute", "public addresses", SubnetId=a, MapPublicIpOnLaunch={"Value": True})
    ec2("ModifySubnetAttribute", "unknown", SubnetId="subnet-0123456789abcdef0", MapPublicIpOnLaunch={"Value": True})
    ec2("DescribeSubnets", "modified", SubnetIds=[a])
    many = [f"10.20.{100 + n}.0/24" for n in range(6)]
    made = [ec2("CreateSubnet", f"one of many {n}", VpcId=vpc, CidrBlock=block, AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"] for n, block in enumerate(many)]
    page = ec2("DescribeSubnets", "first page", Filters=[named("vpc-id", vpc)], MaxResults=5)
    ec2("DescribeSubnets", "second page", Filters=[named("vpc-id", vpc)], MaxResults=5, NextToken=page["NextToken"])
    for n, subnet in enumerate(made):
        ec2("DeleteSubnet", f"one of many {n}", SubnetId=subnet)
    return a, b


def gateways(player, ec2, vpc, subnet):
    gateway = ec2("CreateInternetGateway", "plain")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", "plain", InternetGatewayId=gateway, VpcId=vpc)
    ec2("AttachInternetGateway", "again", InternetGatewayId=gateway, VpcId=vpc)
    other = ec2("CreateInternetGateway", "another")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", "unknown gateway", InternetGatewayId="igw-0123456789abcdef0", VpcId=vpc)
    ec2("AttachInternetGateway", "unknown VPC", InternetGatewayId=other, VpcId="vpc-0123456789abcdef0")
    ec2("DescribeInternetGateways", "by id", InternetGatewayIds=[gateway])
    ec2("DescribeInternetGateways", "by VPC", Filters=[named("attachment.vpc-id", vpc)])
    ec2("DescribeInternetGateways", "unknown", InternetGatewayIds=["igw-0123456789abcdef0"])
    ec2("DeleteInternetGateway", "another", InternetGatewayId=other)
    ec2("DeleteInternetGateway", "attached", InternetGatewayId=gateway)
    address = ec2("AllocateAddress", "plain", Domain="vpc")["AllocationId"]
    token = {"ClientToken": "comparison-nat"}
    made = ec2("CreateNatGateway", "plain", SubnetId=subnet, AllocationId=address, **token)["NatGateway"]["NatGatewayId"]
    ec2("CreateNatGateway", "same token", SubnetId=subnet, AllocationId=address, **token)
    ec2("CreateNatGateway", "unknown subnet", SubnetId="subnet-0123456789abcdef0", AllocationId=address)
    ec2("CreateNatGateway", "unknown address", SubnetId=subnet, AllocationId="eipalloc-0123456789abcdef0")
    ec2("CreateNatGateway", "public without an address", SubnetId=subnet)
    player.until("ec2", "DescribeNatGateways", lambda it: it["NatGateways"][0]["State"] == "available", NatGatewayIds=[made])
    ec2("DescribeNatGateways", "by id", NatGatewayIds=[made])
    ec2("DescribeNatGateways", "by VPC", Filters=[named("vpc-id", vpc)])
    ec2("DescribeNatGateways", "unknown", NatGatewayIds=["nat-0123456789abcdef0"])
    ec2("ReleaseAddress", "in use", AllocationId=address)
    ec2("DetachInternetGateway", "has mapped addresses", InternetGatewayId=gateway, VpcId=vpc)
    ec2("DeleteNatGateway", "plain", NatGatewayId=made)
    player.until("ec2", "DescribeNatGateways", lambda it: it["NatGateways"][0]["State"] in ("deleted", None), NatGatewayIds=[made])
    ec2("DescribeNatGateways", "deleted", NatGatewayIds=[made])
    ec2("DeleteNatGateway", "unknown", NatGatewayId="nat-0123456789abcdef0")
    ec2("ReleaseAddress", "plain", AllocationId=address)
    ec2("ReleaseAddress", "again", AllocationId=address)
    ec2("DetachInternetGateway", "plain", InternetGatewayId=gateway, VpcId=vpc)
    ec2("DetachInternetGateway", "again", InternetGatewayId=gateway, VpcId=vpc)
    ec2("DeleteInternetGateway", "plain", InternetGatewayId=gateway)
    ec2("DeleteInternetGateway", "again", InternetGatewayId=gateway)


def surveyed(ec2, vpc):
    """What trace -live looks at beside all of this."""
    ec2("DescribeNetworkAcls", "by VPC", Filters=[named("vpc-id", vpc)])
    ec2("DescribeNetworkAcls", "unknown", NetworkAclIds=["acl-0123456789abcdef0"])
    ec2("DescribeEgressOnlyInternetGateways", "none")
    ec2("DescribeEgressOnlyInternetGateways", "unknown", EgressOnlyInternetGatewayIds=["eigw-0123456789abcdef0"])
    other = ec2("CreateVpc", "a peer", CidrBlock="10.29.0.0/16")["Vpc"]["VpcId"]
    peering = ec2("CreateVpcPeeringConnection", "plain", VpcId=vpc, PeerVpcId=other)
    peering = peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2("DescribeVpcPeeringConnections", "by requester", Filters=[named("requester-vpc-info.vpc-id", vpc)])
    ec2("DescribeVpcPeeringConnections", "by accepter", Filters=[named("accepter-vpc-info.vpc-id", other)])
    ec2("DescribeVpcPeeringConnections", "unknown", VpcPeeringConnectionIds=["pcx-0123456789abcdef0"])
    ec2("DeleteVpcPeeringConnection", "plain", VpcPeeringConnectionId=peering)
    ec2("DeleteVpc", "a peer", VpcId=other)


def routes(ec2, vpc, subnet):
    gateway = ec2("CreateInternetGateway", "for routes")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", "for routes", InternetGatewayId=gateway, VpcId=vpc)
    table = ec2("CreateRouteTable", "with tags", VpcId=vpc, TagSpecifications=tags("route-table", Name="r"))["RouteTable"]["RouteTableId"]
    ec2("CreateRouteTable", "unknown VPC", VpcId="vpc-0123456789abcdef0")
    everywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2("CreateRoute", "plain", GatewayId=gateway, **everywhere)
    ec2("CreateRoute", "again", GatewayId=gateway, **everywhere)
    ec2("CreateRoute", "no CIDR", RouteTableId=table, DestinationCidrBlock="nonsense", GatewayId=gateway)
    ec2("CreateRoute", "unknown gateway", RouteTableId=table, DestinationCidrBlock="1.0.0.0/8", GatewayId="igw-0123456789abcdef0")
    ec2("CreateRoute", "unknown table", RouteTableId="rtb-0123456789abcdef0", DestinationCidrBlock="1.0.0.0/8", GatewayId=gateway)
    ec2("ReplaceRoute", "plain", GatewayId=gateway, **everywhere)
    ec2("ReplaceRoute", "no such route", RouteTableId=table, DestinationCidrBlock="9.9.9.0/24", GatewayId=gateway)
    association = ec2("AssociateRouteTable", "plain", RouteTableId=table, SubnetId=subnet)["AssociationId"]
    ec2("AssociateRouteTable", "unknown subnet", RouteTableId=table, SubnetId="subnet-0123456789abcdef0")
    ec2("AssociateRouteTable", "unknown table", RouteTableId="rtb-0123456789abcdef0", SubnetId=subnet)
    ec2("DescribeRouteTables", "by id", RouteTableIds=[table])
    ec2("DescribeRouteTables", "main", Filters=[named("vpc-id", vpc), named("association.main", "true")])
    ec2("DescribeRouteTables", "by subnet", Filters=[named("association.subnet-id", subnet)])
    ec2("DescribeRouteTables", "by tag", Filters=[named("tag:Name", "r"), named("vpc-id", vpc)])
    ec2("DescribeRouteTables", "by route", Filters=[named("route.gateway-id", gateway)])
    ec2("DescribeRouteTables", "unknown", RouteTableIds=["rtb-0123456789abcdef0"])
    ec2("DescribeRouteTables", "malformed", RouteTableIds=["nonsense"])
    ec2("DescribeRouteTables", "unknown filter", Filters=[named("nonsense", "x")])
    ec2("DescribeRouteTables", "page too small", MaxResults=1)
    ec2("DeleteRouteTable", "associated", RouteTableId=table)
    ec2("DisassociateRouteTable", "plain", AssociationId=association)
    ec2("DisassociateRouteTable", "again", AssociationId=association)
    ec2("DeleteRoute", "plain", **everywhere)
    ec2("DeleteRoute", "again", **everywhere)
    ec2("DeleteRouteTable", "plain", RouteTableId=table)
    ec2("DeleteRouteTable", "again", RouteTableId=table)
    ec2("DetachInternetGateway", "for routes", InternetGatewayId=gateway, VpcId=vpc)
    ec2("DeleteInternetGateway", "for routes", InternetGatewayId=gateway)


def prefix_lists(player, ec2):
    entries = [{"Cidr": "10.50.0.0/16", "Description": "offices"}]
    plain = {"PrefixListName": "comparison", "MaxEntries": 5, "AddressFamily": "IPv4"}
    made = ec2("CreateManagedPrefixList", "with an entry", Entries=entries, **plain)["PrefixList"]["PrefixListId"]
    ec2("CreateManagedPrefixList", "unknown family", PrefixListName="x", MaxEntries=5, AddressFamily="IPv5")
    ec2("CreateManagedPrefixList", "more entries than allowed", PrefixListName="x", MaxEntries=1, AddressFamily="IPv4",
        Entries=[{"Cidr": "10.1.0.0/16"}, {"Cidr": "10.2.0.0/16"}])
    ec2("DescribeManagedPrefixLists", "unknown", PrefixListIds=["pl-0123456789abcdef0"])
    ec2("GetManagedPrefixListEntries", "plain", PrefixListId=made)
    ec2("GetManagedPrefixListEntries", "unknown", PrefixListId="pl-0123456789abcdef0")
    player.until("ec2", "DescribeManagedPrefixLists", lambda it: it["PrefixLists"][0]["State"] == "create-complete", PrefixListIds=[made])
    ec2("DescribeManagedPrefixLists", "by id", PrefixListIds=[made])
    ec2("DescribeManagedPrefixLists", "by name", Filters=[named("prefix-list-name", "comparison")])
    ec2("DeleteManagedPrefixList", "plain", PrefixListId=made)
    ec2("DeleteManagedPrefixList", "unknown", PrefixListId="pl-0123456789abcdef0")


def zones(ec2):
    ec2("DescribeAvailabilityZones", "by name", ZoneNames=["us-east-1a"])
    ec2("DescribeAvailabilityZones", "by filter", Filters=[named("zone-name", "us-east-1b")])
    ec2("DescribeAvailabilityZones", "by zone id", ZoneIds=["use1-az1"])
    ec2("DescribeAvailabilityZones", "unknown", ZoneNames=["us-east-1z"])
    ec2("DescribeInstanceTypes", "one", InstanceTypes=["m5.large"])
    ec2("DescribeInstanceTypes", "of another family", InstanceTypes=["c6g.xlarge"])
    ec2("DescribeInstanceTypes", "unknown", InstanceTypes=["x9.huge"])
    ec2("DescribeInstanceTypes", "by architecture", InstanceTypes=["m5.large", "m6g.large"], Filters=[
        named("processor-info.supported-architecture", "arm64")])
    ec2("DescribeInstanceTypes", "page", MaxResults=5, Filters=[named("instance-type", "m5.l*", "m5.x*")])
    ec2("DescribeInstanceTypes", "page too large", MaxResults=1000)
    ec2("DescribeInstanceTypeOfferings", "by zone", LocationType="availability-zone", Filters=[
        named("instance-type", "m5.large"), named("location", "us-east-1a")])
    ec2("DescribeInstanceTypeOfferings", "by region", LocationType="region", Filters=[named("instance-type", "m5.large")])


def tagging(ec2, vpc):
    spoilt = ec2("CreateVpc", "to be spoilt", CidrBlock="10.29.0.0/16")["Vpc"]["VpcId"]
    ec2("CreateTags", "plain", Resources=[vpc], Tags=[{"Key": "team", "Value": "a"}, {"Key": "env", "Value": "b"}])
    ec2("CreateTags", "overwrites", Resources=[vpc], Tags=[{"Key": "team", "Value": "c"}])
    ec2("CreateTags", "reserved prefix", Resources=[spoilt], Tags=[{"Key": "aws:x", "Value": "c"}])
    ec2("CreateTags", "key too long", Resources=[spoilt], Tags=[{"Key": "k" * 129, "Value": "c"}])
    ec2("CreateTags", "value too long", Resources=[spoilt], Tags=[{"Key": "k", "Value": "v" * 257}])
    ec2("CreateTags", "too many", Resources=[spoilt], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
    ec2("CreateTags", "unknown VPC", Resources=["vpc-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}])
    ec2("CreateTags", "unknown group", Resources=["sg-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}])
    ec2("CreateTags", "malformed", Resources=["nonsense"], Tags=[{"Key": "a", "Value": "b"}])
    ec2("CreateTags", "dry run", Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}], DryRun=True)
    ec2("DescribeTags", "by resource", Filters=[named("resource-id", vpc)])
    ec2("DescribeTags", "by key", Filters=[named("resource-id", vpc), named("key", "team")])
    ec2("DescribeTags", "by type", Filters=[named("resource-id", vpc), named("resource-type", "vpc"), named("value", "b")])
    ec2("DeleteTags", "another value", Resources=[vpc], Tags=[{"Key": "team", "Value": "other"}])
    ec2("DescribeTags", "another value was kept", Filters=[named("resource-id", vpc), named("key", "team")])
    ec2("DeleteTags", "by key", Resources=[vpc], Tags=[{"Key": "team"}])
    ec2("DeleteTags", "not there", Resources=[vpc], Tags=[{"Key": "not-there"}])
    ec2("DeleteTags", "unknown VPC", Resources=["vpc-0123456789abcdef0"], Tags=[{"Key": "a"}])
    ec2("DeleteVpc", "spoilt", VpcId=spoilt)
    ec2("DescribeTags", "left", Filters=[named("resource-id", vpc)])
