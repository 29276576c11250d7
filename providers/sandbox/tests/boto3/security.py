"""EC2's security side against a sandbox: groups, rules, interfaces, trunks, launch templates, instances.

Takes the endpoint from AWS_ENDPOINT_URL. Prints how many calls were made and how many checks passed; exits 1 when one failed.
"""

import os
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

os.environ.setdefault("AWS_ACCESS_KEY_ID", "x")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "y")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

ec2 = boto3.client("ec2", config=Config(retries={"max_attempts": 0}, parameter_validation=False))
calls = 0
passed = 0
failed = 0


def count(**_):
    global calls
    calls += 1


ec2.meta.events.register("before-call.ec2", count)


def check(name, condition):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("FAIL", name)


def refused(name, code, function, **parameters):
    """The call must be refused with this code; answers the message."""
    try:
        function(**parameters)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        check(f"{name}: {found} in place of {code}", found == code)
        return error.response["Error"]["Message"]
    check(f"{name}: done in place of {code}", False)
    return ""


def until(name, probe, seconds=20):
    """Waits until the probe holds."""
    end = time.time() + seconds
    while time.time() < end:
        if probe():
            return check(name, True)
        time.sleep(0.1)
    return check(name, False)


def tags(kind, **values):
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in values.items()]}]


def named(name, *values):
    return {"Name": name, "Values": list(values)}


def make_network(block="10.0.0.0/16"):
    vpc = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    base = block.split("/")[0].rsplit(".", 2)[0]
    a = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{base}.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    b = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{base}.2.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    return vpc, a, b


def group(vpc, name, **more):
    return ec2.create_security_group(GroupName=name, Description=f"{name} group", VpcId=vpc, **more)["GroupId"]


def tcp(port, last=None, **peers):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": last or port, **peers}


def groups_and_names(vpc):
    answer = ec2.create_security_group(
        GroupName="web", Description="web (a-z) #1", VpcId=vpc, TagSpecifications=tags("security-group", team="a")
    )
    web = answer["GroupId"]
    check("the answer has the tags", answer["Tags"] == [{"Key": "team", "Value": "a"}])
    check("the answer has the ARN", answer["SecurityGroupArn"].endswith(f":security-group/{web}"))
    message = refused(
        "same name", "InvalidGroup.Duplicate", ec2.create_security_group, GroupName="web", Description="d", VpcId=vpc
    )
    check("duplicate names the VPC", message == f"The security group 'web' already exists for VPC '{vpc}'")
    create = ec2.create_security_group
    refused("same name in capitals", "InvalidGroup.Duplicate", create, GroupName="WEB", Description="d", VpcId=vpc)
    refused("sg- name", "InvalidParameterValue", create, GroupName="sg-web", Description="d", VpcId=vpc)
    refused("name default", "InvalidParameterValue", create, GroupName="default", Description="d", VpcId=vpc)
    refused("letters of names", "InvalidParameterValue", create, GroupName="web^", Description="d", VpcId=vpc)
    refused("long name", "InvalidParameterValue", create, GroupName="n" * 256, Description="d", VpcId=vpc)
    refused("letters of descriptions", "InvalidParameterValue", create, GroupName="w2", Description="ü", VpcId=vpc)
    refused("'s of descriptions", "InvalidParameterValue", create, GroupName="w2", Description="a'b", VpcId=vpc)
    refused("unknown VPC", "InvalidVpcID.NotFound", create, GroupName="w2", Description="d", VpcId="vpc-00000000000000000")
    refused(
        "reserved tag", "InvalidParameterValue", create, GroupName="w2", Description="d", VpcId=vpc,
        TagSpecifications=tags("security-group", **{"aws:x": "1"}),
    )  # fmt: skip
    refused("dry run", "DryRunOperation", create, GroupName="w2", Description="d", VpcId=vpc, DryRun=True)
    found = ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"][0]
    check("a group lets everything out", found["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}])
    check("all protocols have no ports", "FromPort" not in found["IpPermissionsEgress"][0])
    check("fields", found["VpcId"] == vpc and found["Description"] == "web (a-z) #1" and found["OwnerId"].isdigit())
    return web


def rules(vpc, web, db):
    ingress, egress = ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress
    answer = ingress(
        GroupId=web,
        IpPermissions=[
            tcp(443, IpRanges=[{"CidrIp": "10.1.2.3/16", "Description": "office"}, {"CidrIp": "192.168.0.0/24"}]),
            tcp(443, Ipv6Ranges=[{"CidrIpv6": "2001:db8::1/32"}]),
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": web, "Description": "itself"}]},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ],
        TagSpecifications=tags("security-group-rule", rule="1"),
    )
    made = answer["SecurityGroupRules"]
    check("one rule for each peer", answer["Return"] and len(made) == 6)
    check("host bits are dropped", made[0]["CidrIpv4"] == "10.1.0.0/16" and made[2]["CidrIpv6"] == "2001:db8::/32")
    check("descriptions and tags", made[0]["Description"] == "office" and made[0]["Tags"][0]["Key"] == "rule")
    check("ARN and owner", made[0]["SecurityGroupRuleArn"].endswith(made[0]["SecurityGroupRuleId"]) and made[0]["GroupOwnerId"])
    check("a group as peer", made[3]["ReferencedGroupInfo"]["GroupId"] == web and made[3]["FromPort"] == -1)
    check("protocols without ports", made[5]["IpProtocol"] == "50" and made[5]["ToPort"] == -1)
    found = ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"][0]["IpPermissions"]
    https = [p for p in found if p.get("FromPort") == 443]
    check("rules of a port are one permission", len(https) == 1 and len(https[0]["IpRanges"]) == 2)
    check("IPv6 stands beside IPv4", https[0]["Ipv6Ranges"] == [{"CidrIpv6": "2001:db8::/32"}])

    message = refused(
        "duplicate", "InvalidPermission.Duplicate", ingress, GroupId=web,
        IpPermissions=[tcp(443, IpRanges=[{"CidrIp": "10.1.255.1/16"}])],
    )  # fmt: skip
    check(
        "duplicate tells the rule",
        message == 'the specified rule "peer: 10.1.0.0/16, TCP, from port: 443, to port: 443, ALLOW" already exists',
    )
    message = refused(
        "duplicate egress", "InvalidPermission.Duplicate", egress, GroupId=web,
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )  # fmt: skip
    check("all is ALL", message == 'the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists')

    anywhere = [{"CidrIp": "0.0.0.0/0"}]
    for name, permission in [
        ("from > to", {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 80, "IpRanges": anywhere}),
        ("port range", tcp(80, 70000, IpRanges=anywhere)),
        ("no ports", {"IpProtocol": "tcp", "IpRanges": anywhere}),
        ("protocol", {"IpProtocol": "all", "IpRanges": anywhere}),
        ("protocol number", {"IpProtocol": "256", "IpRanges": anywhere}),
        ("ICMP type", {"IpProtocol": "icmp", "FromPort": 256, "ToPort": -1, "IpRanges": anywhere}),
        ("ICMP all types, one code", {"IpProtocol": "icmp", "FromPort": -1, "ToPort": 0, "IpRanges": anywhere}),
        ("CIDR", tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/33"}])),
        ("CIDR without length", tcp(80, IpRanges=[{"CidrIp": "10.0.0.1"}])),
        ("IPv6 CIDR", tcp(80, Ipv6Ranges=[{"CidrIpv6": "10.0.0.0/8"}])),
        ("twice", tcp(80, IpRanges=[{"CidrIp": "10.0.0.1/8"}, {"CidrIp": "10.0.0.2/8"}])),
        ("description", tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "a'b"}])),
    ]:
        refused(name, "InvalidParameterValue", ingress, GroupId=web, IpPermissions=[permission])
    refused("no peer", "MissingParameter", ingress, GroupId=web, IpPermissions=[tcp(80)])
    refused("no permission", "MissingParameter", ingress, GroupId=web)
    none = "sg-00000000000000000"
    refused("unknown group", "InvalidGroup.NotFound", ingress, GroupId=none, IpPermissions=[tcp(80, IpRanges=anywhere)])
    refused("malformed group", "InvalidGroupId.Malformed", ingress, GroupId="web", IpPermissions=[tcp(80, IpRanges=anywhere)])
    pair = [{"GroupId": none}]
    refused("unknown peer", "InvalidGroup.NotFound", ingress, GroupId=web, IpPermissions=[tcp(80, UserIdGroupPairs=pair)])
    lists = [{"PrefixListId": "pl-00000000000000000"}]
    refused(
        "unknown prefix list", "InvalidPrefixListID.NotFound", ingress, GroupId=web,
        IpPermissions=[tcp(80, PrefixListIds=lists)],
    )  # fmt: skip

    flat = ingress(GroupId=web, IpProtocol="6", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")["SecurityGroupRules"][0]
    check("protocol numbers get names", flat["IpProtocol"] == "tcp" and flat["FromPort"] == 22)
    answer = ec2.revoke_security_group_ingress(GroupId=web, IpProtocol="TCP", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")
    check("revoked by what it allows", answer["RevokedSecurityGroupRules"][0]["SecurityGroupRuleId"] == flat["SecurityGroupRuleId"])
    icmpv6 = {"IpProtocol": "icmpv6", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    six = ingress(GroupId=web, IpPermissions=[icmpv6])["SecurityGroupRules"][0]
    check("ICMPv6 needs no type", six["FromPort"] == -1 and six["IpProtocol"] == "icmpv6")
    answer = ec2.revoke_security_group_ingress(GroupId=web, SecurityGroupRuleIds=[six["SecurityGroupRuleId"]])
    check("revoked by id", answer["RevokedSecurityGroupRules"][0]["CidrIpv6"] == "::/0")
    revoke = ec2.revoke_security_group_ingress
    gone = [tcp(22, IpRanges=[{"CidrIp": "10.0.0.0/8"}])]
    refused("not there", "InvalidPermission.NotFound", revoke, GroupId=web, IpPermissions=gone)
    refused(
        "id not there", "InvalidSecurityGroupRuleId.NotFound", revoke, GroupId=web,
        SecurityGroupRuleIds=[six["SecurityGroupRuleId"]],
    )  # fmt: skip
    refused(
        "another group's id", "InvalidSecurityGroupRuleId.NotFound", revoke, GroupId=db,
        SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]],
    )  # fmt: skip
    refused("egress not there", "InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=web, IpPermissions=gone)
    return made


def rule_changes(web, db, made):
    first = made[0]["SecurityGroupRuleId"]

    def read(rule):
        return ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]

    modify = ec2.modify_security_group_rules
    new = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIpv4": "10.2.3.4/16", "Description": "dns"}
    answer = modify(GroupId=web, SecurityGroupRules=[{"SecurityGroupRuleId": first, "SecurityGroupRule": new}])
    now = read(first)
    check("modified", answer["Return"] and now["IpProtocol"] == "udp" and now["CidrIpv4"] == "10.2.0.0/16")
    check("modified keeps its tags", now["Tags"] == [{"Key": "rule", "Value": "1"}] and now["Description"] == "dns")

    def change(rule, **members):
        return dict(GroupId=web, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": members}])

    refused("another type of peer", "InvalidParameterValue", modify, **change(first, IpProtocol="tcp", FromPort=1, ToPort=1, CidrIpv6="::/0"))
    refused("all protocols and ports", "InvalidParameterValue", modify, **change(first, IpProtocol="-1", FromPort=1, ToPort=1, CidrIpv4="10.0.0.0/8"))
    refused("no peer", "MissingParameter", modify, **change(first, IpProtocol="tcp", FromPort=1, ToPort=1))
    second = made[1]["SecurityGroupRuleId"]
    refused("becomes another's", "InvalidPermission.Duplicate", modify, **change(second, IpProtocol="udp", FromPort=53, ToPort=53, CidrIpv4="10.2.0.0/16"))
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=web, IpPermissions=[{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "10.2.0.0/16", "Description": "names"}]}]
    )
    check("described anew", read(first)["Description"] == "names")
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=web, SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": first, "Description": "again"}]
    )
    check("described anew by id", read(first)["Description"] == "again")
    update = ec2.update_security_group_rule_descriptions_egress
    refused("describe what is not there", "InvalidPermission.NotFound", update, GroupId=web, IpPermissions=[tcp(9, IpRanges=[{"CidrIp": "0.0.0.0/0"}])])
    for port in (1000, 1001):
        blocks = [{"CidrIp": f"10.30.{n}.0/24"} for n in range(30)]
        ec2.authorize_security_group_ingress(GroupId=db, IpPermissions=[tcp(port, IpRanges=blocks)])
    refused(
        "61 rules", "RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress, GroupId=db,
        IpPermissions=[tcp(9, IpRanges=[{"CidrIp": "0.0.0.0/0"}])],
    )  # fmt: skip
    answer = ec2.authorize_security_group_ingress(GroupId=db, IpPermissions=[tcp(9, Ipv6Ranges=[{"CidrIpv6": "::/0"}])])
    check("IPv6 is counted apart", answer["Return"])
    pages = list(ec2.get_paginator("describe_security_group_rules").paginate(Filters=[named("group-id", db)], PaginationConfig={"PageSize": 25}))
    ids = [rule["SecurityGroupRuleId"] for page in pages for rule in page["SecurityGroupRules"]]
    check("pages have every rule once", len(pages) == 3 and len(ids) == len(set(ids)) == 62)
    found = ec2.describe_security_group_rules(Filters=[named("tag:rule", "1")])["SecurityGroupRules"]
    check("rules by tag", {rule["GroupId"] for rule in found} == {web})
    refused("unknown rule", "InvalidSecurityGroupRuleId.NotFound", ec2.describe_security_group_rules, SecurityGroupRuleIds=["sgr-00000000000000000"])


def group_queries(vpc, web, db):
    def ids(*filters, **more):
        return {g["GroupId"] for g in ec2.describe_security_groups(Filters=list(filters), **more)["SecurityGroups"]}

    here = named("vpc-id", vpc)
    check("by name", ids(here, named("group-name", "web")) == {web})
    check("by wildcard", ids(here, named("group-name", "w?b", "d*b")) == {web, db})
    check("by description", ids(named("description", "web (a-z) #1")) == {web})
    check("by tag", ids(named("tag:team", "a")) == {web} and ids(named("tag-key", "team"), here) == {web})
    check("by rule: cidr", ids(here, named("ip-permission.cidr", "192.168.0.0/24")) == {web})
    check("by rule: port", ids(here, named("ip-permission.from-port", "1000")) == {db})
    check("by rule: protocol", ids(here, named("ip-permission.protocol", "udp")) == {web})
    check("by rule: group", ids(named("ip-permission.group-id", web)) == {web})
    check("by rule: group name", ids(here, named("ip-permission.group-name", "web")) == {web})
    check("by rule: IPv6", ids(here, named("ip-permission.ipv6-cidr", "::/0")) == {db})
    check("by egress rule", web in ids(here, named("egress.ip-permission.cidr", "0.0.0.0/0")))
    check("by user", ids(here, named("ip-permission.user-id", "*")) >= {web})
    refused("unknown filter", "InvalidParameterValue", ec2.describe_security_groups, Filters=[named("colour", "red")])
    refused("unknown id", "InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-00000000000000000"])
    refused("MaxResults", "InvalidParameterValue", ec2.describe_security_groups, MaxResults=4)
    refused("token", "InvalidPaginationToken", ec2.describe_security_groups, NextToken="x", MaxResults=5)
    default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]
    check("names are of the default VPC", default["GroupName"] == "default" and default["VpcId"] != vpc)
    refused("unknown name", "InvalidGroup.NotFound", ec2.describe_security_groups, GroupNames=["web"])
    lenient = ec2.revoke_security_group_ingress(GroupId=default["GroupId"], IpPermissions=[tcp(1, IpRanges=[{"CidrIp": "10.0.0.0/8"}])])
    check("the default VPC answers what is unknown", lenient["UnknownIpPermissions"][0]["FromPort"] == 1)
    for_vpc = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    check("groups for a VPC", {web, db} < {g["GroupId"] for g in for_vpc} and for_vpc[0]["PrimaryVpcId"] == vpc)


def group_ends(vpc, web, db, subnet):
    delete = ec2.delete_security_group
    ec2.authorize_security_group_egress(GroupId=db, IpPermissions=[tcp(5432, UserIdGroupPairs=[{"GroupId": web}])])
    message = refused("named by a rule", "DependencyViolation", delete, GroupId=web)
    check("dependency names the group", message == f"resource {web} has a dependent object")
    ec2.revoke_security_group_egress(GroupId=db, IpPermissions=[tcp(5432, UserIdGroupPairs=[{"GroupId": web}])])
    eni = ec2.create_network_interface(SubnetId=subnet, Groups=[web])["NetworkInterface"]["NetworkInterfaceId"]
    refused("carried by an interface", "DependencyViolation", delete, GroupId=web)
    refused("subnet with an interface", "DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    default = ec2.describe_security_groups(Filters=[named("vpc-id", vpc), named("group-name", "default")])["SecurityGroups"][0]
    check("the default group lets itself in", default["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == default["GroupId"])
    refused("default", "CannotDelete", delete, GroupId=default["GroupId"])
    refused("deleted", "InvalidGroup.NotFound", delete, GroupId="sg-00000000000000000")
    refused("VPC with groups", "DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    answer = delete(GroupId=web)
    check("deletion answers", answer["Return"] and answer["GroupId"] == web)
    refused("gone", "InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[web])
    check("its rules are gone", not ec2.describe_security_group_rules(Filters=[named("group-id", web)])["SecurityGroupRules"])


def associations(vpc, db):
    other, subnet, _ = make_network("10.9.0.0/16")
    create = ec2.create_network_interface
    refused("another VPC's group", "InvalidParameter", create, SubnetId=subnet, Groups=[db])
    check("associating", ec2.associate_security_group_vpc(GroupId=db, VpcId=other)["State"] == "associating")

    def state():
        found = ec2.describe_security_group_vpc_associations(Filters=[named("group-id", db)])
        return [one["State"] for one in found["SecurityGroupVpcAssociations"]]

    until("associated", lambda: state() == ["associated"])
    refused("associated group", "DependencyViolation", ec2.delete_security_group, GroupId=db)
    eni = create(SubnetId=subnet, Groups=[db])["NetworkInterface"]["NetworkInterfaceId"]
    refused("used there", "DependencyViolation", ec2.disassociate_security_group_vpc, GroupId=db, VpcId=other)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    check("disassociating", ec2.disassociate_security_group_vpc(GroupId=db, VpcId=other)["State"] == "disassociating")
    until("disassociated", lambda: state() == [])
    check("nothing stale", not ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"])
    check("no references", not ec2.describe_security_group_references(GroupId=[db])["SecurityGroupReferenceSet"])


def prefix_lists(vpc):
    create = ec2.create_managed_prefix_list
    entries = [{"Cidr": "10.0.0.0/8"}]
    pl = create(PrefixListName="offices", MaxEntries=58, AddressFamily="IPv4", Entries=entries)["PrefixList"]["PrefixListId"]
    until("made", lambda: ec2.describe_managed_prefix_lists(PrefixListIds=[pl])["PrefixLists"][0]["State"] == "create-complete")
    id_ = group(vpc, "listed")
    ingress = ec2.authorize_security_group_ingress
    rule = ingress(GroupId=id_, IpPermissions=[tcp(443, PrefixListIds=[{"PrefixListId": pl, "Description": "offices"}])])["SecurityGroupRules"][0]
    check("a prefix list as peer", rule["PrefixListId"] == pl and rule["Description"] == "offices")
    blocks = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(3)]
    refused("a list counts by its entries", "RulesPerSecurityGroupLimitExceeded", ingress, GroupId=id_, IpPermissions=[tcp(1, IpRanges=blocks)])
    six = [{"CidrIpv6": f"2001:db8:{n}::/48"} for n in range(3)]
    check("but not for IPv6", ingress(GroupId=id_, IpPermissions=[tcp(1, Ipv6Ranges=six)])["Return"])
    found = ec2.describe_security_groups(Filters=[named("ip-permission.prefix-list-id", pl)])["SecurityGroups"]
    check("by prefix list", [one["GroupId"] for one in found] == [id_])
    ec2.delete_security_group(GroupId=id_)


def peering(vpc):
    other, _, _ = make_network("10.8.0.0/16")
    near, far = group(vpc, "near"), group(other, "far")
    ingress = ec2.authorize_security_group_ingress
    permission = [tcp(5432, UserIdGroupPairs=[{"GroupId": far}])]
    refused("a group of another network", "InvalidGroup.NotFound", ingress, GroupId=near, IpPermissions=permission)
    pcx = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]["VpcPeeringConnectionId"]

    def state():
        return ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[pcx])["VpcPeeringConnections"][0]["Status"]["Code"]

    until("asked", lambda: state() == "pending-acceptance")
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    until("peered", lambda: state() == "active")
    rule = ingress(GroupId=near, IpPermissions=permission)["SecurityGroupRules"][0]
    info = rule["ReferencedGroupInfo"]
    check("a peered group", info["VpcPeeringConnectionId"] == pcx and info["VpcId"] == other and info["PeeringStatus"] == "active")
    found = ec2.describe_security_group_references(GroupId=[far])["SecurityGroupReferenceSet"]
    check("references", [(one["ReferencingVpcId"], one["VpcPeeringConnectionId"]) for one in found] == [(vpc, pcx)])
    check("not stale", not ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"])
    ec2.delete_security_group(GroupId=far)
    stale = ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"]
    check("stale", [one["GroupId"] for one in stale] == [near] and stale[0]["StaleIpPermissions"][0]["FromPort"] == 5432)
    ec2.revoke_security_group_ingress(GroupId=near, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    ec2.delete_security_group(GroupId=near)
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=pcx)


def elastic_addresses(subnet, vpc):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    eip = ec2.allocate_address(Domain="vpc")
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=eip["AllocationId"], NetworkInterfaceId=eni)
    found = ec2.describe_network_interfaces(Filters=[named("association.public-ip", eip["PublicIp"])])["NetworkInterfaces"]
    check("by public address", [one["NetworkInterfaceId"] for one in found] == [eni])
    check("association", found[0]["Association"]["AllocationId"] == eip["AllocationId"] and found[0]["Association"]["PublicDnsName"])
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    check("free again", "AssociationId" not in ec2.describe_addresses(AllocationIds=[eip["AllocationId"]])["Addresses"][0])
    ec2.release_address(AllocationId=eip["AllocationId"])


def interfaces(subnet, db):
    create = ec2.create_network_interface
    before = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
    answer = create(
        SubnetId=subnet, Groups=[db], Description="mine", SecondaryPrivateIpAddressCount=2,
        TagSpecifications=tags("network-interface", role="pod"), ClientToken="one",
    )  # fmt: skip
    eni = answer["NetworkInterface"]
    again = create(
        SubnetId=subnet, Groups=[db], Description="mine", SecondaryPrivateIpAddressCount=2,
        TagSpecifications=tags("network-interface", role="pod"), ClientToken="one",
    )  # fmt: skip
    check("the same token makes it once", again["NetworkInterface"]["NetworkInterfaceId"] == eni["NetworkInterfaceId"])
    refused("the same token otherwise", "IdempotentParameterMismatch", create, SubnetId=subnet, ClientToken="one")
    check("fields", eni["Status"] == "available" and eni["InterfaceType"] == "interface" and eni["SourceDestCheck"])
    check("addresses", len(eni["PrivateIpAddresses"]) == 3 and eni["PrivateIpAddresses"][0]["Primary"])
    check("DNS name", eni["PrivateDnsName"] == f"ip-{eni['PrivateIpAddress'].replace('.', '-')}.ec2.internal")
    check("tags", eni["TagSet"] == [{"Key": "role", "Value": "pod"}] and eni["RequesterManaged"] is False)
    after = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
    check("addresses are taken", before - after == 3)
    refused("taken address", "InvalidIPAddress.InUse", create, SubnetId=subnet, PrivateIpAddress=eni["PrivateIpAddress"])
    refused("unknown subnet", "InvalidSubnetID.NotFound", create, SubnetId="subnet-00000000000000000")
    refused("unknown group", "InvalidSecurityGroupID.NotFound", create, SubnetId=subnet, Groups=["sg-00000000000000000"])
    vpc = eni["VpcId"]
    many = [group(vpc, f"g{n}") for n in range(6)]
    message = refused("six groups", "InvalidParameterValue", create, SubnetId=subnet, Groups=many)
    check("six groups are told", message.endswith("exceeded limit 5 on the number of interface security group memberships"))
    modify = ec2.modify_network_interface_attribute
    id_ = eni["NetworkInterfaceId"]
    refused("six groups at once", "SecurityGroupsPerInterfaceLimitExceeded", modify, NetworkInterfaceId=id_, Groups=many)
    modify(NetworkInterfaceId=id_, Groups=many[:2])
    modify(NetworkInterfaceId=id_, SourceDestCheck={"Value": False})
    modify(NetworkInterfaceId=id_, Description={"Value": "yours"})
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[id_])["NetworkInterfaces"][0]
    check("modified", [g["GroupId"] for g in found["Groups"]] == many[:2] and found["Groups"][0]["GroupName"] == "g0")
    check("modified too", found["SourceDestCheck"] is False and found["Description"] == "yours")
    refused(
        "two attributes", "InvalidParameterCombination", modify, NetworkInterfaceId=id_, SourceDestCheck={"Value": True},
        Description={"Value": "x"},
    )  # fmt: skip
    value = ec2.describe_network_interface_attribute(NetworkInterfaceId=id_, Attribute="description")
    check("one attribute", value["Description"]["Value"] == "yours")
    for filter_ in [
        named("group-id", many[0]), named("description", "yours"), named("tag:role", "pod"), named("private-ip-address", eni["PrivateIpAddress"]),
        named("mac-address", eni["MacAddress"]), named("group-name", "g1"), named("network-interface-id", id_), named("source-dest-check", "false"),
    ]:  # fmt: skip
        found = ec2.describe_network_interfaces(Filters=[filter_, named("vpc-id", vpc), named("status", "available")])
        check(f"by {filter_['Name']}", [one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]] == [id_])
    refused("unknown interface", "InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-00000000000000000"])
    refused("malformed interface", "InvalidNetworkInterfaceId.Malformed", ec2.describe_network_interfaces, NetworkInterfaceIds=["eni"])

    more = ec2.assign_private_ip_addresses(NetworkInterfaceId=id_, SecondaryPrivateIpAddressCount=1)
    address = more["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
    prefix = ec2.assign_private_ip_addresses(NetworkInterfaceId=id_, Ipv4PrefixCount=1)["AssignedIpv4Prefixes"][0]["Ipv4Prefix"]
    check("a prefix", prefix.endswith("/28"))
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=id_, PrivateIpAddresses=[address])
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=id_, Ipv4Prefixes=[prefix])
    refused("primary address", "InvalidParameterValue", ec2.unassign_private_ip_addresses, NetworkInterfaceId=id_, PrivateIpAddresses=[eni["PrivateIpAddress"]])
    ec2.delete_network_interface(NetworkInterfaceId=id_)
    refused("deleted", "InvalidNetworkInterfaceID.NotFound", ec2.delete_network_interface, NetworkInterfaceId=id_)
    end = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
    check("addresses are given back", end == before)
    for one in many:
        ec2.delete_security_group(GroupId=one)


def image():
    images = ec2.describe_images(Owners=["amazon"], Filters=[named("architecture", "x86_64"), named("name", "al2023-ami-*")])["Images"]
    check("images", images and images[0]["State"] == "available")
    refused("unknown image", "InvalidAMIID.NotFound", ec2.describe_images, ImageIds=["ami-00000000000000000"])
    return images[0]["ImageId"]


def run(image_id, subnet, **more):
    parameters = dict(ImageId=image_id, InstanceType="m5.large", SubnetId=subnet, MinCount=1, MaxCount=1)
    parameters.update(more)
    return ec2.run_instances(**parameters)


def instance(id_):
    return ec2.describe_instances(InstanceIds=[id_])["Reservations"][0]["Instances"][0]


def instances(image_id, subnet, db):
    answer = run(
        image_id, subnet, SecurityGroupIds=[db], MaxCount=2, ClientToken="run",
        TagSpecifications=tags("instance", Name="node") + tags("network-interface", of="node"),
    )  # fmt: skip
    one, two = answer["Instances"]
    check("pending", one["State"] == {"Code": 0, "Name": "pending"} and one["AmiLaunchIndex"] == 0)
    check("one reservation", len(answer["Instances"]) == 2 and answer["ReservationId"].startswith("r-"))
    again = run(
        image_id, subnet, SecurityGroupIds=[db], MaxCount=2, ClientToken="run",
        TagSpecifications=tags("instance", Name="node") + tags("network-interface", of="node"),
    )  # fmt: skip
    check("the same token runs once", {i["InstanceId"] for i in again["Instances"]} == {one["InstanceId"], two["InstanceId"]})
    id_ = one["InstanceId"]
    until("running", lambda: instance(id_)["State"]["Name"] == "running")
    now = instance(id_)
    primary = now["NetworkInterfaces"][0]
    check("primary interface", primary["Attachment"]["DeviceIndex"] == 0 and primary["Status"] == "in-use")
    check("address and group", now["PrivateIpAddress"] == primary["PrivateIpAddress"] and now["SecurityGroups"][0]["GroupId"] == db)
    check("zone", now["Placement"]["AvailabilityZone"] == "us-east-1a" and now["Architecture"] == "x86_64")
    status = ec2.describe_instance_status(InstanceIds=[id_])["InstanceStatuses"][0]
    check("status", status["InstanceStatus"]["Status"] == "ok")
    both = ec2.describe_instances(Filters=[named("tag:Name", "node"), named("instance-state-name", "pending", "running")])["Reservations"]
    check("by tag and state", len(both) == 1 and len(both[0]["Instances"]) == 2)
    check("by interface", ec2.describe_instances(Filters=[named("network-interface.network-interface-id", primary["NetworkInterfaceId"])])["Reservations"])
    refused("unknown instance", "InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-00000000000000000"])
    refused("malformed instance", "InvalidInstanceID.Malformed", ec2.describe_instances, InstanceIds=["node"])
    refused("unknown type", "InvalidParameterValue", run, image_id=image_id, subnet=subnet, InstanceType="m5.huge")
    refused("other architecture", "InvalidParameterValue", run, image_id=image_id, subnet=subnet, InstanceType="m6g.large")
    refused("unknown profile", "InvalidParameterValue", run, image_id=image_id, subnet=subnet, IamInstanceProfile={"Name": "none"})
    refused("unknown key", "InvalidKeyPair.NotFound", run, image_id=image_id, subnet=subnet, KeyName="none")
    refused("counts", "InvalidParameterValue", run, image_id=image_id, subnet=subnet, MinCount=2, MaxCount=1)
    refused("primary interface stays", "OperationNotPermitted", ec2.detach_network_interface, AttachmentId=primary["Attachment"]["AttachmentId"])
    refused("attached interface stays", "InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=primary["NetworkInterfaceId"])
    other = two["InstanceId"]
    until("the other runs", lambda: instance(other)["State"]["Name"] == "running")
    change = ec2.stop_instances(InstanceIds=[other])["StoppingInstances"][0]
    check("stopping", change["CurrentState"]["Name"] == "stopping" and change["PreviousState"]["Name"] == "running")
    until("stopped", lambda: instance(other)["State"]["Name"] == "stopped")
    check("keeps its address", instance(other)["PrivateIpAddress"] == two["PrivateIpAddress"])
    check("starting", ec2.start_instances(InstanceIds=[other])["StartingInstances"][0]["CurrentState"]["Name"] == "pending")
    ec2.modify_instance_attribute(InstanceId=other, DisableApiTermination={"Value": True})
    refused("protected", "OperationNotPermitted", ec2.terminate_instances, InstanceIds=[other])
    ec2.modify_instance_attribute(InstanceId=other, DisableApiTermination={"Value": False})
    check("shutting down", ec2.terminate_instances(InstanceIds=[other])["TerminatingInstances"][0]["CurrentState"]["Code"] == 32)
    until("terminated", lambda: instance(other)["State"]["Name"] == "terminated")
    check("no interfaces", not instance(other)["NetworkInterfaces"])
    return id_, db


def trunks(subnet, id_, db):
    create = ec2.create_network_interface
    trunk = create(SubnetId=subnet, Groups=[db], InterfaceType="trunk", Description="aws-k8s-trunk-eni")["NetworkInterface"]["NetworkInterfaceId"]
    account = ec2.describe_security_groups(GroupIds=[db])["SecurityGroups"][0]["OwnerId"]
    permit = ec2.create_network_interface_permission
    permission = permit(NetworkInterfaceId=trunk, AwsAccountId=account, Permission="INSTANCE-ATTACH")["InterfacePermission"]
    check("permission", permission["PermissionState"]["State"] == "granted")
    branch = create(SubnetId=subnet, Groups=[db], Description="aws-k8s-branch-eni")["NetworkInterface"]["NetworkInterfaceId"]
    attach = ec2.attach_network_interface
    attachment = attach(NetworkInterfaceId=trunk, InstanceId=id_, DeviceIndex=2)["AttachmentId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=trunk, Attachment={"AttachmentId": attachment, "DeleteOnTermination": True})

    def read(eni):
        return ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]

    until("attached", lambda: read(trunk)["Attachment"]["Status"] == "attached")
    check("it ends with the instance", read(trunk)["Attachment"]["DeleteOnTermination"] and read(trunk)["InterfaceType"] == "trunk")
    associate = ec2.associate_trunk_interface
    association = associate(BranchInterfaceId=branch, TrunkInterfaceId=trunk, VlanId=1)["InterfaceAssociation"]
    check("associated", association["InterfaceProtocol"] == "VLAN" and association["VlanId"] == 1)
    check("a branch is in use", read(branch)["Status"] == "in-use" and read(branch)["InterfaceType"] == "branch")
    spare = create(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    refused("VLAN id twice", "InvalidParameterValue", associate, BranchInterfaceId=spare, TrunkInterfaceId=trunk, VlanId=1)
    refused("VLAN id", "InvalidParameterValue", associate, BranchInterfaceId=spare, TrunkInterfaceId=trunk, VlanId=4095)
    refused("no trunk", "InvalidParameterValue", associate, BranchInterfaceId=spare, TrunkInterfaceId=branch, VlanId=2)
    found = ec2.describe_trunk_interface_associations(Filters=[named("trunk-interface-association.trunk-interface-id", trunk)])
    check("associations of a trunk", [a["BranchInterfaceId"] for a in found["InterfaceAssociations"]] == [branch])
    refused("taken index", "InvalidParameterValue", attach, NetworkInterfaceId=spare, InstanceId=id_, DeviceIndex=2)
    second = attach(NetworkInterfaceId=spare, InstanceId=id_, DeviceIndex=1)["AttachmentId"]
    third = create(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    refused("full", "AttachmentLimitExceeded", attach, NetworkInterfaceId=third, InstanceId=id_, DeviceIndex=3)
    until("attached too", lambda: read(spare)["Attachment"]["Status"] == "attached")
    ec2.detach_network_interface(AttachmentId=second)
    check("detaching", read(spare)["Attachment"]["Status"] == "detaching")
    message = refused("still in use", "InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=spare)
    check("in use is told", message == f"Network interface '{spare}' is currently in use.")
    until("free", lambda: read(spare)["Status"] == "available")
    refused("gone attachment", "InvalidAttachmentID.NotFound", ec2.detach_network_interface, AttachmentId=second)
    ec2.disassociate_trunk_interface(AssociationId=association["AssociationId"])
    refused("gone association", "InvalidAssociationID.NotFound", ec2.disassociate_trunk_interface, AssociationId=association["AssociationId"])
    check("a branch is free", read(branch)["Status"] == "available")
    for vlan, eni in enumerate([branch, spare, third] + [create(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(6)], 1):
        associate(BranchInterfaceId=eni, TrunkInterfaceId=trunk, VlanId=vlan)
    tenth = create(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    refused("ten branches of an m5.large", "AttachmentLimitExceeded", associate, BranchInterfaceId=tenth, TrunkInterfaceId=trunk, VlanId=10)
    ec2.delete_network_interface(NetworkInterfaceId=branch)
    refused("deleted with its association", "InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=[branch])
    ec2.terminate_instances(InstanceIds=[id_])
    until("terminated", lambda: instance(id_)["State"]["Name"] == "terminated")
    refused("the trunk is gone", "InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=[trunk])
    check("branches are free", read(spare)["Status"] == "available")
    for eni in ec2.describe_network_interfaces(Filters=[named("subnet-id", subnet)])["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])


def templates(image_id, subnet, db):
    create = ec2.create_launch_template
    data = {
        "ImageId": image_id, "InstanceType": "m5.large", "SecurityGroupIds": [db], "UserData": "aGVsbG8=",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 40, "VolumeType": "gp3", "Encrypted": True}}],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "TagSpecifications": tags("instance", from_template="yes"),
    }  # fmt: skip
    first = create(LaunchTemplateName="nodes", LaunchTemplateData=data, ClientToken="t", TagSpecifications=tags("launch-template", a="b"))["LaunchTemplate"]
    id_ = first["LaunchTemplateId"]
    check("made", first["DefaultVersionNumber"] == first["LatestVersionNumber"] == 1 and first["Tags"] == [{"Key": "a", "Value": "b"}])
    again = create(LaunchTemplateName="nodes", LaunchTemplateData=data, ClientToken="t", TagSpecifications=tags("launch-template", a="b"))
    check("the same token makes it once", again["LaunchTemplate"]["LaunchTemplateId"] == id_)
    refused("same name", "InvalidLaunchTemplateName.AlreadyExistsException", create, LaunchTemplateName="nodes", LaunchTemplateData=data)
    refused("bad name", "InvalidLaunchTemplateName.MalformedException", create, LaunchTemplateName="no des", LaunchTemplateData=data)
    refused("bad user data", "InvalidUserData.Malformed", create, LaunchTemplateName="other", LaunchTemplateData={"UserData": "#!"})
    version = ec2.create_launch_template_version(LaunchTemplateId=id_, SourceVersion="1", VersionDescription="bigger", LaunchTemplateData={"InstanceType": "m5.xlarge"})["LaunchTemplateVersion"]
    merged = version["LaunchTemplateData"]
    check("based on another", merged["InstanceType"] == "m5.xlarge" and merged["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 40)
    check("numbered", version["VersionNumber"] == 2 and not version["DefaultVersion"] and version["VersionDescription"] == "bigger")
    ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData={"InstanceType": "c5.large"})

    def versions(**parameters):
        found = ec2.describe_launch_template_versions(**parameters)["LaunchTemplateVersions"]
        return [one["VersionNumber"] for one in found]

    check("newest first", versions(LaunchTemplateId=id_) == [3, 2, 1])
    check("by alias", versions(LaunchTemplateId=id_, Versions=["$Latest", "$Default"]) == [3, 1])
    check("within bounds", versions(LaunchTemplateName="nodes", MinVersion="2") == [3, 2])
    check("by filter", versions(LaunchTemplateId=id_, Filters=[named("instance-type", "m5.*")]) == [2, 1])
    check("of all", 3 in versions(Versions=["$Latest"]))
    pages = list(ec2.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=id_, PaginationConfig={"PageSize": 2}))
    check("pages", [len(page["LaunchTemplateVersions"]) for page in pages] == [2, 1])
    refused("unknown version", "InvalidLaunchTemplateId.VersionNotFound", ec2.describe_launch_template_versions, LaunchTemplateId=id_, Versions=["9"])
    check("another default", ec2.modify_launch_template(LaunchTemplateId=id_, DefaultVersion="2")["LaunchTemplate"]["DefaultVersionNumber"] == 2)
    answer = ec2.delete_launch_template_versions(LaunchTemplateId=id_, Versions=["1", "2", "7"])
    check("deleted version", [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [1])
    codes = [one["ResponseError"]["Code"] for one in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]]
    check("versions that stay", codes == ["unexpectedError", "launchTemplateVersionDoesNotExist"])
    found = ec2.describe_launch_templates(LaunchTemplateNames=["nodes"])["LaunchTemplates"][0]
    check("by name", found["LatestVersionNumber"] == 3)
    check("by tag", ec2.describe_launch_templates(Filters=[named("tag:a", "b")])["LaunchTemplates"][0]["LaunchTemplateId"] == id_)
    describe = ec2.describe_launch_templates
    refused("unknown template", "InvalidLaunchTemplateId.NotFound", describe, LaunchTemplateIds=["lt-00000000000000000"])
    refused("malformed template", "InvalidLaunchTemplateId.Malformed", describe, LaunchTemplateIds=["nodes"])
    refused("unknown name", "InvalidLaunchTemplateName.NotFoundException", describe, LaunchTemplateNames=["none"])
    launched = ec2.run_instances(LaunchTemplate={"LaunchTemplateId": id_, "Version": "2"}, SubnetId=subnet, MinCount=1, MaxCount=1)["Instances"][0]
    check("run from a template", launched["InstanceType"] == "m5.xlarge" and launched["SecurityGroups"][0]["GroupId"] == db)
    check("its tags", launched["Tags"] == [{"Key": "from_template", "Value": "yes"}])
    user_data = ec2.describe_instance_attribute(InstanceId=launched["InstanceId"], Attribute="userData")
    check("its user data", user_data["UserData"]["Value"] == "aGVsbG8=")
    refused("no such template", "InvalidLaunchTemplateId.NotFound", ec2.run_instances, LaunchTemplate={"LaunchTemplateId": "lt-00000000000000000"}, MinCount=1, MaxCount=1)
    ec2.delete_launch_template(LaunchTemplateName="nodes")
    refused("deleted", "InvalidLaunchTemplateName.NotFoundException", ec2.delete_launch_template, LaunchTemplateName="nodes")
    ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
    until("terminated", lambda: instance(launched["InstanceId"])["State"]["Name"] == "terminated")


def types():
    found = ec2.describe_instance_types(InstanceTypes=["m5.large"])["InstanceTypes"][0]
    check("memory and processors", found["MemoryInfo"]["SizeInMiB"] == 8192 and found["VCpuInfo"]["DefaultVCpus"] == 2)
    check("network", found["NetworkInfo"]["MaximumNetworkInterfaces"] == 3 and found["NetworkInfo"]["Ipv4AddressesPerInterface"] == 10)
    refused("unknown type", "InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["m5.huge"])
    arm = ec2.get_paginator("describe_instance_types").paginate(Filters=[named("processor-info.supported-architecture", "arm64")])
    arm = [one for page in arm for one in page["InstanceTypes"]]
    check("by architecture", len(arm) > 100 and all("arm64" in one["ProcessorInfo"]["SupportedArchitectures"] for one in arm))
    offers = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[named("instance-type", "m5.large")])
    check("offers", len(offers["InstanceTypeOfferings"]) == 3)


def main():
    vpc, subnet, _ = make_network()
    web = groups_and_names(vpc)
    db = group(vpc, "db")
    made = rules(vpc, web, db)
    rule_changes(web, db, made)
    group_queries(vpc, web, db)
    group_ends(vpc, web, db, subnet)
    associations(vpc, db)
    prefix_lists(vpc)
    peering(vpc)
    elastic_addresses(subnet, vpc)
    interfaces(subnet, db)
    image_id = image()
    node, _ = instances(image_id, subnet, db)
    trunks(subnet, node, db)
    templates(image_id, subnet, db)
    types()
    print(f"{calls} calls, {passed} checks passed")
    sys.exit(1 if failed else 0)


main()
