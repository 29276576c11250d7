"""Rules of security groups."""

from player import cidr_rule, named, tags

UNKNOWN = "sgr-0123456789abcdef0"


def play(player):
    ec2 = player.service("ec2")
    vpc = ec2("CreateVpc", "for rules", CidrBlock="10.22.0.0/16")["Vpc"]["VpcId"]
    group = ec2("CreateSecurityGroup", "for rules", GroupName="app", VpcId=vpc, Description="d")["GroupId"]
    other = ec2("CreateSecurityGroup", "for rules, too", GroupName="db", VpcId=vpc, Description="d")["GroupId"]
    rule = ingress(ec2, group, other)
    egress(ec2, group)
    reading(ec2, group, rule)
    changing(ec2, group, rule)
    revoking(ec2, group, other, rule)
    limits(ec2, vpc)
    for name, made in (("for rules", group), ("for rules, too", other)):
        ec2("DeleteSecurityGroup", name, GroupId=made)
    ec2("DeleteVpc", "for rules", VpcId=vpc)


def ingress(ec2, group, other):
    def authorize(case, permissions, **more):
        return ec2("AuthorizeSecurityGroupIngress", case, GroupId=group, IpPermissions=permissions, **more)

    made = authorize("from a block, with tags", cidr_rule(443, "10.0.0.0/8", description="web"),
                     TagSpecifications=tags("security-group-rule", Name="web"))
    authorize("two blocks", cidr_rule(80, "10.1.0.0/16", "10.2.0.0/16"))
    authorize("ICMP", [{"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    authorize("all protocols", [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}])
    authorize("protocol by number", [{"IpProtocol": "6", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}])
    authorize("protocol 50", [{"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}])
    authorize("IPv6", [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}])
    pair = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": other, "Description": "db"}]}
    authorize("from a group", [pair])
    authorize("from itself", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
    authorize("again", cidr_rule(443, "10.0.0.0/8"))
    authorize("again, from a group", [pair])
    authorize("one of two again", cidr_rule(443, "10.0.0.0/8", "10.77.0.0/16"))
    authorize("twice in one call", cidr_rule(4433, "10.0.0.0/8", "10.0.0.0/8"))
    authorize("host bits set", cidr_rule(4434, "10.0.0.1/8"))
    authorize("no CIDR", cidr_rule(443, "nonsense"))
    authorize("CIDR without a length", cidr_rule(443, "10.0.0.1"))
    authorize("no IPv6 CIDR", [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "10.0.0.0/8"}]}])
    authorize("ports reversed", cidr_rule(90, "10.0.0.0/8", to=80))
    authorize("port too large", cidr_rule(70000, "10.0.0.0/8"))
    authorize("without ports", [{"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    authorize("unknown protocol", cidr_rule(80, "10.0.0.0/8", protocol="nonsense"))
    authorize("protocol 300", [{"IpProtocol": "300", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    authorize("without a source", [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}])
    authorize("from an unknown group", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}])
    authorize("from a malformed group", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "nonsense"}]}])
    authorize("from an unknown prefix list", [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}])
    authorize("description with odd characters", cidr_rule(81, "10.0.0.0/8", description="<odd>"))
    authorize("description too long", cidr_rule(81, "10.0.0.0/8", description="d" * 256))
    authorize("dry run", cidr_rule(82, "10.0.0.0/8"), DryRun=True)
    authorize("nothing", [])
    ec2("AuthorizeSecurityGroupIngress", "unknown group", GroupId="sg-0123456789abcdef0", IpPermissions=cidr_rule(1, "10.0.0.0/8"))
    ec2("AuthorizeSecurityGroupIngress", "malformed group", GroupId="nonsense", IpPermissions=cidr_rule(1, "10.0.0.0/8"))
    ec2("AuthorizeSecurityGroupIngress", "flat parameters", GroupId=group, IpProtocol="udp", FromPort=53, ToPort=53, CidrIp="10.0.0.0/8")
    return made["SecurityGroupRules"][0]["SecurityGroupRuleId"]


def egress(ec2, group):
    def authorize(case, permissions, **more):
        return ec2("AuthorizeSecurityGroupEgress", case, GroupId=group, IpPermissions=permissions, **more)

    authorize("to a block", cidr_rule(443, "10.0.0.0/8", description="out"))
    authorize("again", cidr_rule(443, "10.0.0.0/8"))
    authorize("to everywhere, as the default one", [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    authorize("no CIDR", cidr_rule(443, "nonsense"))
    authorize("ports reversed", cidr_rule(90, "10.0.0.0/8", to=80))
    authorize("to an unknown group", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}])
    authorize("dry run", cidr_rule(82, "10.0.0.0/8"), DryRun=True)
    ec2("AuthorizeSecurityGroupEgress", "unknown group", GroupId="sg-0123456789abcdef0", IpPermissions=cidr_rule(1, "10.0.0.0/8"))


def reading(ec2, group, rule):
    of = named("group-id", group)
    ec2("DescribeSecurityGroups", "with rules", GroupIds=[group])
    ec2("DescribeSecurityGroups", "by rule's port", Filters=[of, named("ip-permission.from-port", "443")])
    ec2("DescribeSecurityGroups", "by rule's block", Filters=[of, named("ip-permission.cidr", "10.0.0.0/8")])
    ec2("DescribeSecurityGroupRules", "of a group", Filters=[of])
    ec2("DescribeSecurityGroupRules", "by id", SecurityGroupRuleIds=[rule])
    ec2("DescribeSecurityGroupRules", "by filter of id", Filters=[named("security-group-rule-id", rule)])
    ec2("DescribeSecurityGroupRules", "by tag", Filters=[of, named("tag:Name", "web")])
    ec2("DescribeSecurityGroupRules", "unknown", SecurityGroupRuleIds=[UNKNOWN])
    ec2("DescribeSecurityGroupRules", "malformed", SecurityGroupRuleIds=["nonsense"])
    ec2("DescribeSecurityGroupRules", "of an unknown group", Filters=[named("group-id", "sg-0123456789abcdef0")])
    ec2("DescribeSecurityGroupRules", "unknown filter", Filters=[named("nonsense", "x")])
    ec2("DescribeSecurityGroupRules", "dry run", DryRun=True)
    ec2("DescribeSecurityGroupRules", "page too small", MaxResults=1)
    page = ec2("DescribeSecurityGroupRules", "first page", Filters=[of], MaxResults=5)
    ec2("DescribeSecurityGroupRules", "second page", Filters=[of], MaxResults=5, NextToken=page["NextToken"])


def changing(ec2, group, rule):
    def modify(case, rule, **request):
        return ec2("ModifySecurityGroupRules", case, GroupId=group, SecurityGroupRules=[
            {"SecurityGroupRuleId": rule, "SecurityGroupRule": request}])

    block = {"IpProtocol": "tcp", "FromPort": 444, "ToPort": 445, "CidrIpv4": "10.0.0.0/8"}
    modify("plain", rule, Description="modified", **block)
    ec2("DescribeSecurityGroupRules", "modified", SecurityGroupRuleIds=[rule])
    modify("unknown rule", UNKNOWN, **block)
    modify("malformed rule", "nonsense", **block)
    modify("into one that exists", rule, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIpv4="10.1.0.0/16")
    modify("ports reversed", rule, IpProtocol="tcp", FromPort=9, ToPort=8, CidrIpv4="10.1.0.0/16")
    modify("into another kind of source", rule, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIpv6="2001:db8::/32")
    modify("without a source", rule, IpProtocol="tcp", FromPort=80, ToPort=80)
    ec2("ModifySecurityGroupRules", "unknown group", GroupId="sg-0123456789abcdef0", SecurityGroupRules=[
        {"SecurityGroupRuleId": rule, "SecurityGroupRule": block}])
    ec2("UpdateSecurityGroupRuleDescriptionsIngress", "by permission", GroupId=group,
        IpPermissions=cidr_rule(80, "10.1.0.0/16", description="new"))
    ec2("UpdateSecurityGroupRuleDescriptionsIngress", "by id", GroupId=group, SecurityGroupRuleDescriptions=[
        {"SecurityGroupRuleId": rule, "Description": "newer"}])
    ec2("DescribeSecurityGroupRules", "described", SecurityGroupRuleIds=[rule])
    ec2("UpdateSecurityGroupRuleDescriptionsIngress", "no such rule", GroupId=group,
        IpPermissions=cidr_rule(12345, "10.1.0.0/16", description="new"))
    ec2("UpdateSecurityGroupRuleDescriptionsEgress", "by permission", GroupId=group,
        IpPermissions=cidr_rule(443, "10.0.0.0/8", description="new"))


def revoking(ec2, group, other, rule):
    revoke = "RevokeSecurityGroupIngress"
    ec2(revoke, "unknown rule", GroupId=group, SecurityGroupRuleIds=[UNKNOWN])
    ec2(revoke, "malformed rule", GroupId=group, SecurityGroupRuleIds=["nonsense"])
    ec2(revoke, "dry run", GroupId=group, SecurityGroupRuleIds=[rule], DryRun=True)
    ec2(revoke, "rule of another group", GroupId=other, SecurityGroupRuleIds=[rule])
    ec2(revoke, "by id", GroupId=group, SecurityGroupRuleIds=[rule])
    ec2(revoke, "by id, again", GroupId=group, SecurityGroupRuleIds=[rule])
    ec2(revoke, "by permission", GroupId=group, IpPermissions=cidr_rule(80, "10.1.0.0/16"))
    ec2(revoke, "by permission, again", GroupId=group, IpPermissions=cidr_rule(80, "10.1.0.0/16"))
    ec2(revoke, "by permission, one of two", GroupId=group, IpPermissions=cidr_rule(80, "10.2.0.0/16", "10.3.0.0/16"))
    ec2(revoke, "unknown group", GroupId="sg-0123456789abcdef0", IpPermissions=cidr_rule(80, "10.2.0.0/16"))
    ec2(revoke, "nothing", GroupId=group)
    revoke = "RevokeSecurityGroupEgress"
    ec2(revoke, "dry run", GroupId=group, IpPermissions=cidr_rule(443, "10.0.0.0/8"), DryRun=True)
    ec2(revoke, "by permission", GroupId=group, IpPermissions=cidr_rule(443, "10.0.0.0/8"))
    ec2(revoke, "by permission, again", GroupId=group, IpPermissions=cidr_rule(443, "10.0.0.0/8"))
    ec2(revoke, "unknown rule", GroupId=group, SecurityGroupRuleIds=[UNKNOWN])
    default = ec2("DescribeSecurityGroupRules", "egress left", Filters=[named("group-id", other)])
    ec2(revoke, "by id", GroupId=other, SecurityGroupRuleIds=[default["SecurityGroupRules"][0]["SecurityGroupRuleId"]])
    ec2("DescribeSecurityGroupRules", "nothing left", Filters=[named("group-id", other)])
    ec2(revoke, "unknown group", GroupId="sg-0123456789abcdef0", IpPermissions=cidr_rule(80, "10.2.0.0/16"))
    ec2("DescribeSecurityGroups", "after revoking", GroupIds=[group])


def limits(ec2, vpc):
    full = ec2("CreateSecurityGroup", "for limits", GroupName="full", VpcId=vpc, Description="d")["GroupId"]
    ec2("AuthorizeSecurityGroupIngress", "as many as allowed", GroupId=full,
        IpPermissions=cidr_rule(1, *[f"10.0.{n}.0/24" for n in range(60)]))
    ec2("AuthorizeSecurityGroupIngress", "one too many", GroupId=full, IpPermissions=cidr_rule(1, "10.1.0.0/24"))
    ec2("DeleteSecurityGroup", "for limits", GroupId=full)
