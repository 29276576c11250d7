"""EC2's networks and tags through boto3: fields and error codes, one check a line.

Runs against the endpoint in AWS_ENDPOINT_URL, which must be a sandbox that settles within seconds. Exits 1 when a check fails.
"""

import os
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

calls = 0
passed = 0
failed = 0


def check(name, condition):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}")


def count(**_):
    global calls
    calls += 1


session = boto3.Session(
    aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "x"),
    aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "y"),
    region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
)
ec2 = session.client("ec2", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(retries={"max_attempts": 1}, parameter_validation=False))
ec2.meta.events.register("before-send.ec2.*", count)


def refused(code, call, **arguments):
    """Checks that a call is refused with a code."""
    name = f"{call.__name__} {arguments} is {code}"
    try:
        call(**arguments)
        check(f"{name} (was accepted)", False)
    except ClientError as error:
        check(f"{name} (was {error.response['Error']['Code']})", error.response["Error"]["Code"] == code)
        return error
    return None


def until(condition, seconds=20):
    """Waits for a status to settle."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def tag(resource_type, **tags):
    return [{"ResourceType": resource_type, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]


def only(**filters):
    return [{"Name": k.replace("_", "-"), "Values": v if isinstance(v, list) else [v]} for k, v in filters.items()]


# Zones, regions, account.
zones = ec2.describe_availability_zones()["AvailabilityZones"]
check("three zones", len(zones) >= 3)
check("zones have ids", all(zone["ZoneId"] and zone["OptInStatus"] for zone in zones))
refused("InvalidParameterValue", ec2.describe_availability_zones, ZoneNames=["us-east-1z"])
regions = ec2.describe_regions(RegionNames=["us-east-1", "eu-west-1"])["Regions"]
check("regions by name", sorted(r["RegionName"] for r in regions) == ["eu-west-1", "us-east-1"])
attributes = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"]

# The default VPC.
default = ec2.describe_vpcs(Filters=only(is_default="true"))["Vpcs"]
check("one default VPC", len(default) == 1 and default[0]["CidrBlock"] == "172.31.0.0/16")
default_id = default[0]["VpcId"]
check("the account's attribute names it", attributes[0]["AttributeValues"][0]["AttributeValue"] == default_id)
subnets = ec2.describe_subnets(Filters=only(vpc_id=default_id, default_for_az="true"))["Subnets"]
check("a public default subnet in each zone", len(subnets) == len(zones) and all(s["MapPublicIpOnLaunch"] for s in subnets))
main = ec2.describe_route_tables(Filters=[*only(vpc_id=default_id), {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
check("its main table leads to the internet", any(r.get("GatewayId", "").startswith("igw-") and r["State"] == "active" for r in main[0]["Routes"]))
refused("DefaultVpcAlreadyExists", ec2.create_default_vpc)
refused("DefaultSubnetAlreadyExistsInAvailabilityZone", ec2.create_default_subnet, AvailabilityZone=zones[0]["ZoneName"])

# VPCs.
refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8")
refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/29")
refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.0.0.0")
refused("MissingParameter", ec2.create_vpc)
dry = refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
check("a dry run answers 412", dry is not None and dry.response["ResponseMetadata"]["HTTPStatusCode"] == 412)
refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8", DryRun=True)
refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=tag("subnet", a="b"))
refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "aws:x", "Value": "1"}]}])
check("what was refused made nothing", len(ec2.describe_vpcs(Filters=only(is_default="false", cidr="10.9.0.0/16"))["Vpcs"]) == 0)
vpc = ec2.create_vpc(CidrBlock="10.0.5.0/16", TagSpecifications=tag("vpc", Name="net", team="a"))["Vpc"]
vpc_id = vpc["VpcId"]
check("host bits are taken off", vpc["CidrBlock"] == "10.0.0.0/16")
check("a new VPC is pending", vpc["State"] == "pending" and not vpc["IsDefault"])
check("tags in the answer", {t["Key"]: t["Value"] for t in vpc["Tags"]} == {"Name": "net", "team": "a"})
ec2.get_waiter("vpc_available").wait(VpcIds=[vpc_id])
found = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["ne*"]}])["Vpcs"]
check("found by a tag with a wildcard", vpc_id in [v["VpcId"] for v in found])
refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"])
refused("InvalidVpcID.Malformed", ec2.describe_vpcs, VpcIds=["vpc"])
refused("InvalidParameterValue", ec2.describe_vpcs, Filters=only(nonsense="x"))
refused("InvalidParameterValue", ec2.describe_vpcs, MaxResults=4)
refused("InvalidPaginationToken", ec2.describe_vpcs, NextToken="nonsense")
ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
check("attribute is stored", ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"])
refused("InvalidParameterCombination", ec2.modify_vpc_attribute, VpcId=vpc_id, EnableDnsHostnames={"Value": True}, EnableDnsSupport={"Value": True})
second = ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
check("a second block", second["CidrBlockState"]["State"] == "associating")
refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc_id, CidrBlock="192.168.0.0/16")
refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc_id, CidrBlock="10.1.128.0/17")
v6 = ec2.associate_vpc_cidr_block(VpcId=vpc_id, AmazonProvidedIpv6CidrBlock=True)["Ipv6CidrBlockAssociation"]
check("an IPv6 block is a /56", v6["Ipv6CidrBlock"].endswith("::/56"))
refused("OperationNotPermitted", ec2.disassociate_vpc_cidr_block, AssociationId=vpc["CidrBlockAssociationSet"][0]["AssociationId"])

# Subnets.
def subnet(cidr, zone=0, **more):
    return ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zones[zone]["ZoneName"], **more)["Subnet"]


public = subnet("10.0.0.0/24", TagSpecifications=tag("subnet", Name="public"))
check("251 addresses are free", public["AvailableIpAddressCount"] == 251)
check("a subnet has an ARN and its zone's id", public["SubnetArn"].endswith(f"subnet/{public['SubnetId']}") and public["AvailabilityZoneId"] == zones[0]["ZoneId"])
refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.0.0.128/25")
refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.5.0.0/24")
refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.0.9.0/29")
refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1z")
refused("InvalidVpcID.NotFound", ec2.create_subnet, VpcId="vpc-0123456789abcdef0", CidrBlock="10.0.9.0/24")
private = [subnet(f"10.0.{n + 10}.0/24", n % 3) for n in range(6)]
in_second = subnet("10.1.0.0/24")
refused("DependencyViolation", ec2.disassociate_vpc_cidr_block, AssociationId=second["AssociationId"])
page = ec2.describe_subnets(Filters=only(vpc_id=vpc_id), MaxResults=5)
rest = ec2.describe_subnets(Filters=only(vpc_id=vpc_id), MaxResults=5, NextToken=page["NextToken"])
ids = [s["SubnetId"] for s in page["Subnets"] + rest["Subnets"]]
check("two pages have each subnet once", len(page["Subnets"]) == 5 and len(ids) == 8 and len(set(ids)) == 8 and "NextToken" not in rest)
paged = [s for p in ec2.get_paginator("describe_subnets").paginate(Filters=only(vpc_id=vpc_id), PaginationConfig={"PageSize": 5}) for s in p["Subnets"]]
check("boto3's paginator reads them all", len(paged) == 8)
ec2.modify_subnet_attribute(SubnetId=public["SubnetId"], MapPublicIpOnLaunch={"Value": True})
check("found by an attribute", [s["SubnetId"] for s in ec2.describe_subnets(Filters=only(vpc_id=vpc_id, map_public_ip_on_launch="true"))["Subnets"]] == [public["SubnetId"]])
own_v6 = v6["Ipv6CidrBlock"].replace("00::/56", "01::/64")
association = ec2.associate_subnet_cidr_block(SubnetId=public["SubnetId"], Ipv6CidrBlock=own_v6)["Ipv6CidrBlockAssociation"]
check("a subnet's IPv6 block", association["Ipv6CidrBlock"] == own_v6)
refused("InvalidSubnet.Conflict", ec2.associate_subnet_cidr_block, SubnetId=private[0]["SubnetId"], Ipv6CidrBlock=own_v6)

# An interface takes an address.
eni = ec2.create_network_interface(SubnetId=private[0]["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
check("an interface takes an address", ec2.describe_subnets(SubnetIds=[private[0]["SubnetId"]])["Subnets"][0]["AvailableIpAddressCount"] == 250)
refused("DependencyViolation", ec2.delete_subnet, SubnetId=private[0]["SubnetId"])
refused("InvalidParameterValue", ec2.create_network_interface, SubnetId=private[0]["SubnetId"], PrivateIpAddress="10.0.10.2")
refused("InvalidParameterValue", ec2.create_network_interface, SubnetId=private[0]["SubnetId"], PrivateIpAddress="10.0.11.20")

# Internet gateways.
igw = ec2.create_internet_gateway(TagSpecifications=tag("internet-gateway", Name="g"))["InternetGateway"]["InternetGatewayId"]
refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=igw, VpcId=vpc_id)
ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc_id)
refused("Resource.AlreadyAssociated", ec2.attach_internet_gateway, InternetGatewayId=igw, VpcId=vpc_id)
refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=igw)
refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc_id)
attached = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_id]}])["InternetGateways"]
check("found by its VPC", [g["InternetGatewayId"] for g in attached] == [igw] and attached[0]["Attachments"][0]["State"] == "available")
refused("InvalidInternetGatewayID.NotFound", ec2.describe_internet_gateways, InternetGatewayIds=["igw-0123456789abcdef0"])
eigw = ec2.create_egress_only_internet_gateway(VpcId=vpc_id)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]

# Elastic IP addresses.
eip = ec2.allocate_address(Domain="vpc", TagSpecifications=tag("elastic-ip", Name="nat"))
other = ec2.allocate_address(Domain="vpc")
check("addresses differ", eip["PublicIp"] != other["PublicIp"])
associated = ec2.associate_address(AllocationId=other["AllocationId"], NetworkInterfaceId=eni)["AssociationId"]
shown = ec2.describe_addresses(AllocationIds=[other["AllocationId"]])["Addresses"][0]
check("an address stands for the interface", shown["NetworkInterfaceId"] == eni and shown["AssociationId"] == associated and shown["PrivateIpAddress"].startswith("10.0.10."))
check("the interface shows it", ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]["Association"]["PublicIp"] == other["PublicIp"])
refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=other["AllocationId"])
refused("Resource.AlreadyAssociated", ec2.associate_address, AllocationId=eip["AllocationId"], NetworkInterfaceId=eni)
refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=igw, VpcId=vpc_id)
ec2.disassociate_address(AssociationId=associated)
refused("InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=associated)
ec2.release_address(AllocationId=other["AllocationId"])
refused("InvalidAllocationID.NotFound", ec2.release_address, AllocationId=other["AllocationId"])
refused("InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=[other["PublicIp"]])

# NAT gateways.
refused("MissingParameter", ec2.create_nat_gateway, SubnetId=public["SubnetId"])
refused("InvalidAllocationID.NotFound", ec2.create_nat_gateway, SubnetId=public["SubnetId"], AllocationId="eipalloc-0123456789abcdef0")
nat = ec2.create_nat_gateway(SubnetId=public["SubnetId"], AllocationId=eip["AllocationId"], ClientToken="one", TagSpecifications=tag("natgateway", Name="n"))["NatGateway"]
nat_id = nat["NatGatewayId"]
check("a NAT gateway begins pending", nat["State"] == "pending" and nat["ConnectivityType"] == "public")
again = ec2.create_nat_gateway(SubnetId=public["SubnetId"], AllocationId=eip["AllocationId"], ClientToken="one", TagSpecifications=tag("natgateway", Name="n"))["NatGateway"]
check("the same token answers the same gateway", again["NatGatewayId"] == nat_id)
refused("IdempotentParameterMismatch", ec2.create_nat_gateway, SubnetId=private[1]["SubnetId"], AllocationId=eip["AllocationId"], ClientToken="one")
refused("Resource.AlreadyAssociated", ec2.create_nat_gateway, SubnetId=public["SubnetId"], AllocationId=eip["AllocationId"])
ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat_id], WaiterConfig={"Delay": 1})
address = ec2.describe_nat_gateways(Filters=only(subnet_id=public["SubnetId"]))["NatGateways"][0]["NatGatewayAddresses"][0]
check("its address is public", address["PublicIp"] == eip["PublicIp"] and address["NetworkInterfaceId"].startswith("eni-") and address["AssociationId"])
refused("AuthFailure", ec2.disassociate_address, AssociationId=address["AssociationId"])
refused("NatGatewayNotFound", ec2.describe_nat_gateways, NatGatewayIds=["nat-0123456789abcdef0"])

# Route tables.
table = ec2.create_route_table(VpcId=vpc_id, TagSpecifications=tag("route-table", Name="private"))["RouteTable"]["RouteTableId"]
public_table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
ec2.create_route(RouteTableId=public_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
ec2.create_route(RouteTableId=public_table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=eigw)
ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat_id)
refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat_id)
refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", NatGatewayId=nat_id)
refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="1.0.0.0/8")
refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table, DestinationCidrBlock="1.0.0.0/8", NatGatewayId=nat_id)
refused("InvalidParameterValue", ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")
refused("InvalidRouteTableID.NotFound", ec2.create_route, RouteTableId="rtb-0123456789abcdef0", DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
answer = ec2.associate_route_table(RouteTableId=table, SubnetId=private[0]["SubnetId"])
check("an association has a state", answer["AssociationState"]["State"] == "associated" and answer["AssociationId"].startswith("rtbassoc-"))
refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=public_table, SubnetId=private[0]["SubnetId"])
refused("DependencyViolation", ec2.delete_route_table, RouteTableId=table)
moved = ec2.replace_route_table_association(AssociationId=answer["AssociationId"], RouteTableId=public_table)
refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table, AssociationId=answer["AssociationId"])
ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
main = ec2.describe_route_tables(Filters=[*only(vpc_id=vpc_id), {"Name": "association.main", "Values": ["true"]}])["RouteTables"][0]
check("each block of the VPC is local", sum(r.get("GatewayId") == "local" for r in main["Routes"]) == 3)
refused("InvalidParameterValue", ec2.disassociate_route_table, AssociationId=main["Associations"][0]["RouteTableAssociationId"])
refused("DependencyViolation", ec2.delete_route_table, RouteTableId=main["RouteTableId"])

# Network ACLs.
acls = ec2.describe_network_acls(Filters=[*only(vpc_id=vpc_id), {"Name": "association.subnet-id", "Values": [public["SubnetId"]]}])["NetworkAcls"]
check("a new subnet has the default ACL", len(acls) == 1 and acls[0]["IsDefault"] and len(acls[0]["Associations"]) == 8)
check("the default ACL allows, then denies", [(e["RuleNumber"], e["RuleAction"]) for e in acls[0]["Entries"] if not e["Egress"] and "CidrBlock" in e] == [(100, "allow"), (32767, "deny")])
acl = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
entry = {"NetworkAclId": acl, "RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
refused("MissingParameter", ec2.create_network_acl_entry, **entry)
ec2.create_network_acl_entry(**entry, PortRange={"From": 443, "To": 443})
refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, **entry, PortRange={"From": 80, "To": 80})
ec2.replace_network_acl_entry(**entry, PortRange={"From": 80, "To": 80})
entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
check("an entry is replaced", [e["PortRange"] for e in entries if e["RuleNumber"] == 100] == [{"From": 80, "To": 80}])
ours = [a for a in acls[0]["Associations"] if a["SubnetId"] == public["SubnetId"]][0]
new = ec2.replace_network_acl_association(AssociationId=ours["NetworkAclAssociationId"], NetworkAclId=acl)["NewAssociationId"]
refused("DependencyViolation", ec2.delete_network_acl, NetworkAclId=acl)
ec2.replace_network_acl_association(AssociationId=new, NetworkAclId=acls[0]["NetworkAclId"])
ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, NetworkAclId=acl, RuleNumber=100, Egress=False)
ec2.delete_network_acl(NetworkAclId=acl)

# Prefix lists.
prefix_list = ec2.create_managed_prefix_list(PrefixListName="l", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "192.168.0.0/24", "Description": "d"}])["PrefixList"]
pl = prefix_list["PrefixListId"]
check("a list begins with version 1", prefix_list["Version"] == 1 and prefix_list["State"] == "create-in-progress")
state = lambda: ec2.describe_managed_prefix_lists(PrefixListIds=[pl])["PrefixLists"][0]
check("it is complete", until(lambda: state()["State"] == "create-complete"))
refused("PrefixListVersionMismatch", ec2.modify_managed_prefix_list, PrefixListId=pl, CurrentVersion=9, AddEntries=[{"Cidr": "192.168.1.0/24"}])
refused("PrefixListMaxEntriesExceeded", ec2.modify_managed_prefix_list, PrefixListId=pl, CurrentVersion=1, AddEntries=[{"Cidr": "192.168.1.0/24"}, {"Cidr": "192.168.2.0/24"}])
ec2.modify_managed_prefix_list(PrefixListId=pl, CurrentVersion=1, AddEntries=[{"Cidr": "192.168.1.0/24"}])
check("a change is a version", until(lambda: state()["State"] == "modify-complete") and state()["Version"] == 2)
check("entries", [e["Cidr"] for e in ec2.get_managed_prefix_list_entries(PrefixListId=pl)["Entries"]] == ["192.168.0.0/24", "192.168.1.0/24"])
check("entries of before", ec2.get_managed_prefix_list_entries(PrefixListId=pl, TargetVersion=1)["Entries"] == [{"Cidr": "192.168.0.0/24", "Description": "d"}])
ec2.create_route(RouteTableId=table, DestinationPrefixListId=pl, NatGatewayId=nat_id)
check("what refers to it", [a["ResourceId"] for a in ec2.get_managed_prefix_list_associations(PrefixListId=pl)["PrefixListAssociations"]] == [table])
refused("DependencyViolation", ec2.delete_managed_prefix_list, PrefixListId=pl)
ec2.delete_route(RouteTableId=table, DestinationPrefixListId=pl)
ec2.delete_managed_prefix_list(PrefixListId=pl)
check("AWS's lists are there", "s3" in [p["PrefixListName"].rsplit(".")[-1] for p in ec2.describe_prefix_lists()["PrefixLists"]])

# Peering.
peer = ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]
pcx = ec2.create_vpc_peering_connection(VpcId=vpc_id, PeerVpcId=peer)["VpcPeeringConnection"]
pcx_id = pcx["VpcPeeringConnectionId"]
check("a request", pcx["Status"]["Code"] == "initiating-request" and pcx["AccepterVpcInfo"]["VpcId"] == peer)
refused("VpcPeeringConnectionAlreadyExists", ec2.create_vpc_peering_connection, VpcId=peer, PeerVpcId=vpc_id)
ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.200.0.0/16", VpcPeeringConnectionId=pcx_id)
peer_route = lambda: [r for r in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"] if r.get("VpcPeeringConnectionId") == pcx_id][0]["State"]
check("its route is a black hole", peer_route() == "blackhole")
ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx_id)
check("it becomes active", until(lambda: ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[pcx_id])["VpcPeeringConnections"][0]["Status"]["Code"] == "active"))
check("its route works", peer_route() == "active")
refused("InvalidStateTransition", ec2.reject_vpc_peering_connection, VpcPeeringConnectionId=pcx_id)
ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=pcx_id)
check("its route is a black hole again", peer_route() == "blackhole")
ec2.delete_vpc(VpcId=peer)

# Endpoints.
gateway = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table])["VpcEndpoint"]
check("a gateway endpoint is available", gateway["State"] == "available" and gateway["RouteTableIds"] == [table])
check("it is a route", any(r.get("GatewayId") == gateway["VpcEndpointId"] and r["DestinationPrefixListId"].startswith("pl-") for r in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]))
interface = ec2.create_vpc_endpoint(VpcId=vpc_id, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.ec2", SubnetIds=[private[0]["SubnetId"]])["VpcEndpoint"]
check("an interface endpoint has interfaces", len(interface["NetworkInterfaceIds"]) == 1 and len(interface["Groups"]) == 1)
refused("DuplicateSubnetsInSameZone", ec2.modify_vpc_endpoint, VpcEndpointId=interface["VpcEndpointId"], AddSubnetIds=[private[3]["SubnetId"]])
ec2.modify_vpc_endpoint(VpcEndpointId=interface["VpcEndpointId"], AddSubnetIds=[private[1]["SubnetId"]])
check("a second interface", len(ec2.describe_vpc_endpoints(VpcEndpointIds=[interface["VpcEndpointId"]])["VpcEndpoints"][0]["SubnetIds"]) == 2)
refused("InvalidServiceName", ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName="com.amazonaws.us-east-1.nothing")
gone = ec2.delete_vpc_endpoints(VpcEndpointIds=[gateway["VpcEndpointId"], interface["VpcEndpointId"], "vpce-0123456789abcdef0"])
check("one was not there", [u["Error"]["Code"] for u in gone["Unsuccessful"]] == ["InvalidVpcEndpoint.NotFound"])
check("both go", until(lambda: not ec2.describe_vpc_endpoints(Filters=only(vpc_id=vpc_id))["VpcEndpoints"]))

# Tags.
ec2.create_tags(Resources=[vpc_id, table, nat_id], Tags=[{"Key": "k", "Value": "v"}, {"Key": "k2", "Value": "v2"}])
of_vpc = lambda: {t["Key"]: t["Value"] for t in ec2.describe_tags(Filters=only(resource_id=vpc_id))["Tags"]}
check("tags are added", of_vpc() == {"Name": "net", "team": "a", "k": "v", "k2": "v2"})
check("a NAT gateway's type", ec2.describe_tags(Filters=only(resource_id=nat_id, key="k"))["Tags"][0]["ResourceType"] == "natgateway")
check("tags by type", [t["ResourceId"] for t in ec2.describe_tags(Filters=only(resource_type="route-table", key="k", value="v"))["Tags"]] == [table])
ec2.delete_tags(Resources=[vpc_id], Tags=[{"Key": "k", "Value": "other"}, {"Key": "k2"}])
check("a tag goes by its value, or by its key", of_vpc() == {"Name": "net", "team": "a", "k": "v"})
refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc_id], Tags=[{"Key": "aws:k", "Value": "v"}])
refused("InvalidVpcID.NotFound", ec2.create_tags, Resources=["vpc-0123456789abcdef0"], Tags=[{"Key": "k", "Value": "v"}])
refused("InvalidID", ec2.create_tags, Resources=["nothing"], Tags=[{"Key": "k", "Value": "v"}])
refused("TagLimitExceeded", ec2.create_tags, Resources=[vpc_id], Tags=[{"Key": f"t{n}", "Value": ""} for n in range(48)])

# DHCP options.
options = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}])["DhcpOptions"]["DhcpOptionsId"]
ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc_id)
refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=options)
ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc_id)
ec2.delete_dhcp_options(DhcpOptionsId=options)

# Everything goes again.
ec2.delete_nat_gateway(NatGatewayId=nat_id)
check("a NAT gateway is deleting", ec2.describe_nat_gateways(NatGatewayIds=[nat_id])["NatGateways"][0]["State"] == "deleting")
ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat_id], WaiterConfig={"Delay": 1})
check("its route is a black hole", [r["State"] for r in ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"] if "NatGatewayId" in r] == ["blackhole"])
ec2.release_address(AllocationId=eip["AllocationId"])
ec2.delete_network_interface(NetworkInterfaceId=eni)
for one in [public, in_second, *private]:
    ec2.delete_subnet(SubnetId=one["SubnetId"])
for one in [table, public_table]:
    ec2.delete_route_table(RouteTableId=one)
refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc_id)
ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=eigw)
ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc_id)
ec2.delete_internet_gateway(InternetGatewayId=igw)
ec2.delete_vpc(VpcId=vpc_id)
refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId=vpc_id)
check("nothing of it is left", not ec2.describe_network_acls(Filters=only(vpc_id=vpc_id))["NetworkAcls"] and not ec2.describe_route_tables(Filters=only(vpc_id=vpc_id))["RouteTables"] and not ec2.describe_security_groups(Filters=only(vpc_id=vpc_id))["SecurityGroups"])

print(f"{calls} calls, {passed} checks passed" + (f", {failed} failed" if failed else ""))
sys.exit(1 if failed or calls < 60 else 0)
