"""What a network is made of beside VPCs, subnets and routes: blocks, addresses, ACLs, peering, endpoints, entries of prefix lists."""

from player import named, tags


def play(player):
    ec2 = player.service("ec2")
    vpc = ec2("CreateVpc", "of paths", CidrBlock="10.24.0.0/16")["Vpc"]["VpcId"]
    other = ec2("CreateVpc", "the other of paths", CidrBlock="10.25.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2("CreateSubnet", "of paths", VpcId=vpc, CidrBlock="10.24.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    blocks(player, ec2, other)
    addresses(ec2, vpc, subnet)
    acls(ec2, vpc, subnet)
    tables(ec2, vpc, subnet)
    peering(player, ec2, vpc, other)
    endpoints(player, ec2, vpc, subnet)
    entries(player, ec2)
    ec2("DeleteSubnet", "of paths", SubnetId=subnet)
    for name, it in (("of paths", vpc), ("the other of paths", other)):
        ec2("DeleteVpc", name, VpcId=it)


def blocks(player, ec2, vpc):
    """An IPv6 block of a VPC and of a subnet, and hardware of one's own."""
    ec2("AssociateVpcCidrBlock", "IPv6", only=["VpcId"], VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    ec2("AssociateVpcCidrBlock", "unknown VPC", VpcId="vpc-0123456789abcdef0", AmazonProvidedIpv6CidrBlock=True)
    found = player.quietly("ec2", "DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]
    block = found["Ipv6CidrBlock"]
    subnet = ec2("CreateSubnet", "of blocks", only=["Subnet.CidrBlock"], VpcId=vpc, CidrBlock="10.25.1.0/24",
                 AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    part = block[:block.index("/") - 4] + "00::/64" if isinstance(block, str) else block
    made = ec2("AssociateSubnetCidrBlock", "plain", only=["SubnetId"], SubnetId=subnet, Ipv6CidrBlock=part)
    made = made["Ipv6CidrBlockAssociation"]["AssociationId"]
    ec2("AssociateSubnetCidrBlock", "unknown subnet", SubnetId="subnet-0123456789abcdef0", Ipv6CidrBlock="2001:db8::/64")
    ec2("DisassociateSubnetCidrBlock", "plain", only=["SubnetId"], AssociationId=made)
    ec2("DisassociateSubnetCidrBlock", "again", AssociationId=made)
    ec2("DeleteSubnet", "of blocks", SubnetId=subnet)
    ec2("DisassociateVpcCidrBlock", "IPv6", only=["VpcId"], AssociationId=found["AssociationId"])
    ec2("DisassociateVpcCidrBlock", "unknown", AssociationId="vpc-cidr-assoc-0123456789abcdef0")
    owned = ec2("CreateVpc", "on hardware of its own", only=["Vpc.InstanceTenancy"], CidrBlock="10.26.0.0/16", InstanceTenancy="dedicated")["Vpc"]["VpcId"]
    ec2("ModifyVpcTenancy", "plain", VpcId=owned, InstanceTenancy="default")
    ec2("ModifyVpcTenancy", "unknown VPC", VpcId="vpc-0123456789abcdef0", InstanceTenancy="default")
    ec2("DeleteVpc", "on hardware of its own", VpcId=owned)


def addresses(ec2, vpc, subnet):
    ec2("AllocateAddress", "unknown domain", Domain="nonsense")
    ec2("CreateInternetGateway", "dry run", DryRun=True)
    gateway = ec2("CreateInternetGateway", "for addresses")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", "for addresses", InternetGatewayId=gateway, VpcId=vpc)
    address = ec2("AllocateAddress", "of paths", only=["Domain"], Domain="vpc", TagSpecifications=tags("elastic-ip", Name="a"))["AllocationId"]
    interface = ec2("CreateNetworkInterface", "for addresses", only=["NetworkInterface.Status"], SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    shown = ["Addresses[]", "Addresses[].AllocationId", "Addresses[].Domain", "Addresses[].AssociationId", "Addresses[].NetworkInterfaceId"]
    ec2("DescribeAddresses", "by id", only=shown, AllocationIds=[address])
    ec2("DescribeAddresses", "unknown", AllocationIds=["eipalloc-0123456789abcdef0"])
    ec2("DescribeAddresses", "by filter", only=shown, Filters=[named("allocation-id", address)])
    association = ec2("AssociateAddress", "plain", AllocationId=address, NetworkInterfaceId=interface)["AssociationId"]
    ec2("AssociateAddress", "unknown address", AllocationId="eipalloc-0123456789abcdef0", NetworkInterfaceId=interface)
    ec2("DescribeAddresses", "associated", only=shown, Filters=[named("allocation-id", address)])
    ec2("DisassociateAddress", "plain", AssociationId=association)
    ec2("DisassociateAddress", "again", AssociationId=association)
    ec2("DeleteNetworkInterface", "for addresses", NetworkInterfaceId=interface)
    ec2("ReleaseAddress", "of paths", AllocationId=address)
    ec2("DetachInternetGateway", "for addresses", InternetGatewayId=gateway, VpcId=vpc)
    ec2("DeleteInternetGateway", "for addresses", InternetGatewayId=gateway)


def acls(ec2, vpc, subnet):
    acl = ec2("CreateNetworkAcl", "plain", only=["NetworkAcl.IsDefault", "NetworkAcl.VpcId"], VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2("CreateNetworkAcl", "unknown VPC", VpcId="vpc-0123456789abcdef0")
    entry = {"NetworkAclId": acl, "RuleNumber": 100, "Egress": False, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8",
             "PortRange": {"From": 443, "To": 443}}
    ec2("CreateNetworkAclEntry", "plain", **entry)
    ec2("CreateNetworkAclEntry", "again", **entry)
    ec2("CreateNetworkAclEntry", "unknown ACL", **{**entry, "NetworkAclId": "acl-0123456789abcdef0"})
    ec2("ReplaceNetworkAclEntry", "plain", **{**entry, "RuleAction": "deny"})
    ec2("ReplaceNetworkAclEntry", "unknown number", **{**entry, "RuleNumber": 200})
    shown = [f"NetworkAcls[].Entries[].{name}" for name in ("RuleAction", "Protocol", "PortRange.From", "CidrBlock")]
    ec2("DescribeNetworkAcls", "with entries", only=shown, NetworkAclIds=[acl])
    ec2("DeleteNetworkAclEntry", "plain", NetworkAclId=acl, RuleNumber=100, Egress=False)
    ec2("DeleteNetworkAclEntry", "again", NetworkAclId=acl, RuleNumber=100, Egress=False)
    # The answer holds the default ACL of the VPC, whose associations follow it.
    has = [it for it in (ec2("DescribeNetworkAcls", "of a subnet", only=["NetworkAcls[]"], Filters=[named("association.subnet-id", subnet)])["NetworkAcls"][0]["Associations"].value or [])]
    first = next((it["NetworkAclAssociationId"] for it in has if it.get("SubnetId") == subnet), None)
    ec2("ReplaceNetworkAclAssociation", "plain", only=["NewAssociationId"], AssociationId=first, NetworkAclId=acl)
    ec2("ReplaceNetworkAclAssociation", "unknown association", AssociationId="aclassoc-0123456789abcdef0", NetworkAclId=acl)
    ec2("DeleteNetworkAcl", "has a subnet", NetworkAclId=acl)
    back(ec2, vpc, subnet)
    ec2("DeleteNetworkAcl", "plain", NetworkAclId=acl)
    ec2("DeleteNetworkAcl", "again", NetworkAclId=acl)


def back(ec2, vpc, subnet):
    """Gives a subnet back to the default ACL."""
    default = ec2("DescribeNetworkAcls", "default", only=["NetworkAcls[]"], Filters=[named("vpc-id", vpc), named("default", "true")])["NetworkAcls"][0]["NetworkAclId"]
    has = ec2("DescribeNetworkAcls", "of a subnet, again", only=["NetworkAcls[]"], Filters=[named("association.subnet-id", subnet)])["NetworkAcls"][0]["Associations"].value or []
    now = next((it["NetworkAclAssociationId"] for it in has if it.get("SubnetId") == subnet), None)
    ec2("ReplaceNetworkAclAssociation", "back", only=["NewAssociationId"], AssociationId=now, NetworkAclId=default)


def tables(ec2, vpc, subnet):
    one, two = (ec2("CreateRouteTable", f"{name} of paths", only=["RouteTable.VpcId"], VpcId=vpc)["RouteTable"]["RouteTableId"] for name in ("one", "two"))
    made = ec2("AssociateRouteTable", "of paths", only=["AssociationId"], RouteTableId=one, SubnetId=subnet)["AssociationId"]
    moved = ec2("ReplaceRouteTableAssociation", "plain", only=["NewAssociationId"], AssociationId=made, RouteTableId=two)["NewAssociationId"]
    ec2("ReplaceRouteTableAssociation", "unknown", AssociationId="rtbassoc-0123456789abcdef0", RouteTableId=two)
    ec2("DisassociateRouteTable", "of paths", AssociationId=moved)
    for name, table in (("one", one), ("two", two)):
        ec2("DeleteRouteTable", f"{name} of paths", RouteTableId=table)


def peering(player, ec2, vpc, other):
    for it in (vpc, other):
        player.quietly("ec2", "ModifyVpcAttribute", VpcId=it, EnableDnsHostnames={"Value": True})
    made = ec2("CreateVpcPeeringConnection", "to be accepted", only=["VpcPeeringConnection.AccepterVpcInfo.VpcId"], VpcId=vpc, PeerVpcId=other)
    made = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2("CreateVpcPeeringConnection", "unknown VPC", VpcId="vpc-0123456789abcdef0", PeerVpcId=other)
    ec2("AcceptVpcPeeringConnection", "plain", only=["VpcPeeringConnection.RequesterVpcInfo.VpcId"], VpcPeeringConnectionId=made)
    ec2("AcceptVpcPeeringConnection", "unknown", VpcPeeringConnectionId="pcx-0123456789abcdef0")
    player.until("ec2", "DescribeVpcPeeringConnections", lambda it: it["VpcPeeringConnections"][0]["Status"]["Code"] == "active",
                 VpcPeeringConnectionIds=[made])
    resolves = {"AllowDnsResolutionFromRemoteVpc": True}
    ec2("ModifyVpcPeeringConnectionOptions", "plain", only=["AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc"],
        VpcPeeringConnectionId=made, AccepterPeeringConnectionOptions=resolves)
    ec2("ModifyVpcPeeringConnectionOptions", "unknown", VpcPeeringConnectionId="pcx-0123456789abcdef0", AccepterPeeringConnectionOptions=resolves)
    ec2("DeleteVpcPeeringConnection", "accepted", VpcPeeringConnectionId=made)
    ec2("DeleteVpcPeeringConnection", "unknown", VpcPeeringConnectionId="pcx-0123456789abcdef0")


def endpoints(player, ec2, vpc, subnet):
    table = ec2("CreateRouteTable", "for endpoints", only=["RouteTable.VpcId"], VpcId=vpc)["RouteTable"]["RouteTableId"]
    shown = ["VpcEndpoint.VpcEndpointType", "VpcEndpoint.ServiceName", "VpcEndpoint.RouteTableIds[]"]
    made = ec2("CreateVpcEndpoint", "gateway", only=shown, VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table])
    made = made["VpcEndpoint"]["VpcEndpointId"]
    ec2("CreateVpcEndpoint", "unknown VPC", VpcId="vpc-0123456789abcdef0", ServiceName="com.amazonaws.us-east-1.s3")
    shown = [f"VpcEndpoints[].{name}" for name in ("VpcEndpointType", "ServiceName", "RouteTableIds[]", "State")]
    ec2("DescribeVpcEndpoints", "by id", only=shown, VpcEndpointIds=[made])
    ec2("DescribeVpcEndpoints", "by filter", only=shown, Filters=[named("vpc-endpoint-id", made)])
    ec2("DescribeVpcEndpoints", "unknown", VpcEndpointIds=["vpce-0123456789abcdef0"])
    ec2("ModifyVpcEndpoint", "plain", VpcEndpointId=made, RemoveRouteTableIds=[table])
    ec2("ModifyVpcEndpoint", "unknown", VpcEndpointId="vpce-0123456789abcdef0", RemoveRouteTableIds=[table])
    ec2("DeleteVpcEndpoints", "plain", only=["Unsuccessful[]"], VpcEndpointIds=[made])
    ec2("DeleteVpcEndpoints", "without ids")
    player.until("ec2", "DescribeVpcEndpoints", lambda it: it["Error"] == "InvalidVpcEndpointId.NotFound", VpcEndpointIds=[made])
    ec2("DeleteRouteTable", "for endpoints", RouteTableId=table)


def entries(player, ec2):
    plain = {"PrefixListName": "paths", "MaxEntries": 5, "AddressFamily": "IPv4"}
    made = ec2("CreateManagedPrefixList", "of paths", only=["PrefixList.PrefixListName"], **plain)["PrefixList"]["PrefixListId"]
    player.until("ec2", "DescribeManagedPrefixLists", lambda it: it["PrefixLists"][0]["State"] == "create-complete", PrefixListIds=[made])
    added = [{"Cidr": "10.60.0.0/16", "Description": "offices"}]
    ec2("ModifyManagedPrefixList", "an entry", only=["PrefixList.PrefixListName"], PrefixListId=made, CurrentVersion=1, AddEntries=added)
    ec2("ModifyManagedPrefixList", "unknown", PrefixListId="pl-0123456789abcdef0", PrefixListName="x")
    player.until("ec2", "DescribeManagedPrefixLists", lambda it: it["PrefixLists"][0]["State"] != "modify-in-progress", PrefixListIds=[made])
    ec2("GetManagedPrefixListEntries", "of paths", PrefixListId=made)
    ec2("DeleteManagedPrefixList", "of paths", only=["PrefixList.PrefixListName"], PrefixListId=made)
