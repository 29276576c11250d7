"""Security groups."""

from player import cidr_rule, named, tags

UNKNOWN = "sg-0123456789abcdef0"


def play(player):
    ec2 = player.service("ec2")
    vpc = ec2("CreateVpc", "for groups", CidrBlock="10.21.0.0/16")["Vpc"]["VpcId"]
    plain = {"VpcId": vpc, "Description": "of the comparison"}
    group = ec2("CreateSecurityGroup", "with tags", GroupName="app", **plain, TagSpecifications=tags("security-group", Name="app", team="x"))["GroupId"]
    other = ec2("CreateSecurityGroup", "plain", GroupName="db", **plain)["GroupId"]
    creation(ec2, vpc, plain)
    reading(ec2, vpc, group, other)
    pages(ec2, vpc, plain)
    named_one = ec2("CreateSecurityGroup", "to be named", GroupName="named", **plain)["GroupId"]
    ec2("AuthorizeSecurityGroupIngress", "names the other group", GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": named_one}]}])
    ec2("DeleteSecurityGroup", "named by a rule", GroupId=named_one)
    default = ec2("DescribeSecurityGroups", "the default one", Filters=[named("vpc-id", vpc), named("group-name", "default")])
    ec2("DeleteSecurityGroup", "default", GroupId=default["SecurityGroups"][0]["GroupId"])
    ec2("DeleteSecurityGroup", "dry run", GroupId=group, DryRun=True)
    ec2("DeleteSecurityGroup", "names another", GroupId=group)
    ec2("DeleteSecurityGroup", "again", GroupId=group)
    ec2("DeleteSecurityGroup", "plain", GroupId=other)
    ec2("DeleteSecurityGroup", "no longer named", GroupId=named_one)
    ec2("DeleteSecurityGroup", "malformed", GroupId="nonsense")
    ec2("DeleteSecurityGroup", "without a group")
    ec2("DeleteVpc", "for groups", VpcId=vpc)


def creation(ec2, vpc, plain):
    ec2("CreateSecurityGroup", "same name", GroupName="app", **plain)
    ec2("CreateSecurityGroup", "name of an id", GroupName="sg-mine", **plain)
    ec2("CreateSecurityGroup", "name default", GroupName="default", **plain)
    ec2("CreateSecurityGroup", "name too long", GroupName="n" * 256, **plain)
    ec2("CreateSecurityGroup", "name with odd characters", GroupName="näme", **plain)
    ec2("CreateSecurityGroup", "description with odd characters", GroupName="odd-1", VpcId=vpc, Description="a <b> 'c'")
    ec2("CreateSecurityGroup", "description too long", GroupName="odd-2", VpcId=vpc, Description="d" * 256)
    ec2("CreateSecurityGroup", "without a description", GroupName="odd-3", VpcId=vpc)
    ec2("CreateSecurityGroup", "without a name", **plain)
    ec2("CreateSecurityGroup", "unknown VPC", GroupName="odd-4", VpcId="vpc-0123456789abcdef0", Description="d")
    ec2("CreateSecurityGroup", "malformed VPC", GroupName="odd-5", VpcId="nonsense", Description="d")
    ec2("CreateSecurityGroup", "dry run", GroupName="dry", **plain, DryRun=True)
    ec2("CreateSecurityGroup", "reserved tag", GroupName="odd-6", **plain, TagSpecifications=tags("security-group", **{"aws:x": "y"}))
    ec2("CreateSecurityGroup", "tags of another type", GroupName="odd-7", **plain, TagSpecifications=tags("vpc", Name="y"))


def reading(ec2, vpc, group, other):
    ec2("DescribeSecurityGroups", "by id", GroupIds=[group])
    ec2("DescribeSecurityGroups", "by two ids", GroupIds=[group, other])
    mine = named("vpc-id", vpc)
    ec2("DescribeSecurityGroups", "by name", Filters=[mine, named("group-name", "app")])
    ec2("DescribeSecurityGroups", "by two names", Filters=[mine, named("group-name", "app", "db")])
    ec2("DescribeSecurityGroups", "by name with a wildcard", Filters=[mine, named("group-name", "a*")])
    ec2("DescribeSecurityGroups", "by filter of id", Filters=[mine, named("group-id", group)])
    ec2("DescribeSecurityGroups", "by description", Filters=[mine, named("description", "of the comparison")])
    ec2("DescribeSecurityGroups", "by owner", Filters=[mine, named("owner-id", "123456789012"), named("group-name", "app")])
    ec2("DescribeSecurityGroups", "by tag", Filters=[mine, named("tag:team", "x")])
    ec2("DescribeSecurityGroups", "by tag key", Filters=[mine, named("tag-key", "team")])
    ec2("DescribeSecurityGroups", "by egress CIDR", Filters=[mine, named("egress.ip-permission.cidr", "0.0.0.0/0"), named("group-name", "db")])
    ec2("DescribeSecurityGroups", "nothing matches", Filters=[mine, named("group-name", "nobody")])
    ec2("DescribeSecurityGroups", "unknown", GroupIds=[UNKNOWN])
    ec2("DescribeSecurityGroups", "one of two unknown", GroupIds=[group, UNKNOWN])
    ec2("DescribeSecurityGroups", "malformed", GroupIds=["nonsense"])
    ec2("DescribeSecurityGroups", "unknown name", GroupNames=["nobody"])
    ec2("DescribeSecurityGroups", "unknown filter", Filters=[named("nonsense", "x")])
    ec2("DescribeSecurityGroups", "dry run", DryRun=True)
    ec2("DescribeSecurityGroups", "page too small", MaxResults=1)
    ec2("DescribeSecurityGroups", "page too large", MaxResults=1001)
    ec2("DescribeSecurityGroups", "broken token", MaxResults=5, NextToken="nonsense")


def pages(ec2, vpc, plain):
    made = [ec2("CreateSecurityGroup", f"one of many {n}", GroupName=f"many-{n}", **plain)["GroupId"] for n in range(6)]
    many = [named("vpc-id", vpc), named("group-name", "many-*")]
    page = ec2("DescribeSecurityGroups", "first page", Filters=many, MaxResults=5)
    ec2("DescribeSecurityGroups", "second page", Filters=many, MaxResults=5, NextToken=page["NextToken"])
    for n, group in enumerate(made):
        ec2("DeleteSecurityGroup", f"one of many {n}", GroupId=group)
