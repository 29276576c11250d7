"""Network interfaces and instances."""

from player import named, tags

UNKNOWN = "eni-0123456789abcdef0"


def play(player):
    ec2 = player.service("ec2")
    vpc = ec2("CreateVpc", "for interfaces", CidrBlock="10.23.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2("CreateSubnet", "for interfaces", VpcId=vpc, CidrBlock="10.23.1.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    group = ec2("CreateSecurityGroup", "for interfaces", GroupName="eni", VpcId=vpc, Description="d")["GroupId"]
    creation(ec2, subnet, group)
    made = ec2("CreateNetworkInterface", "with tags", SubnetId=subnet, Groups=[group], Description="branch",
               PrivateIpAddress="10.23.1.50", TagSpecifications=tags("network-interface", Name="b"))["NetworkInterface"]["NetworkInterfaceId"]
    ec2("CreateNetworkInterface", "address in use", SubnetId=subnet, PrivateIpAddress="10.23.1.50")
    reading(ec2, made, subnet, group, vpc)
    ec2("ModifyNetworkInterfaceAttribute", "description", NetworkInterfaceId=made, Description={"Value": "new"})
    ec2("ModifyNetworkInterfaceAttribute", "unknown group", NetworkInterfaceId=made, Groups=["sg-0123456789abcdef0"])
    ec2("ModifyNetworkInterfaceAttribute", "unknown", NetworkInterfaceId=UNKNOWN, Description={"Value": "new"})
    ec2("DescribeNetworkInterfaces", "modified", NetworkInterfaceIds=[made])
    ec2("DeleteNetworkInterface", "dry run", NetworkInterfaceId=made, DryRun=True)
    ec2("DeleteNetworkInterface", "plain", NetworkInterfaceId=made)
    ec2("DeleteNetworkInterface", "again", NetworkInterfaceId=made)
    ec2("DeleteNetworkInterface", "malformed", NetworkInterfaceId="nonsense")
    ec2("DescribeSubnets", "addresses are free again", SubnetIds=[subnet])
    instances(player, ec2, subnet, group)
    used(ec2, subnet, group)
    ec2("DeleteSecurityGroup", "for interfaces", GroupId=group)
    ec2("DeleteSubnet", "for interfaces", SubnetId=subnet)
    ec2("DeleteVpc", "for interfaces", VpcId=vpc)


def creation(ec2, subnet, group):
    ec2("CreateNetworkInterface", "unknown subnet", SubnetId="subnet-0123456789abcdef0")
    ec2("CreateNetworkInterface", "unknown group", SubnetId=subnet, Groups=["sg-0123456789abcdef0"])
    ec2("CreateNetworkInterface", "malformed group", SubnetId=subnet, Groups=["nonsense"])
    ec2("CreateNetworkInterface", "address outside of the subnet", SubnetId=subnet, PrivateIpAddress="10.99.1.50")
    ec2("CreateNetworkInterface", "dry run", SubnetId=subnet, DryRun=True)


def reading(ec2, made, subnet, group, vpc):
    read = "DescribeNetworkInterfaces"
    ec2(read, "by id", NetworkInterfaceIds=[made])
    ec2(read, "by group", Filters=[named("group-id", group)])
    ec2(read, "by description", Filters=[named("description", "branch"), named("vpc-id", vpc)])
    ec2(read, "by status", Filters=[named("status", "available"), named("vpc-id", vpc)])
    ec2(read, "by another status", Filters=[named("status", "in-use"), named("vpc-id", vpc)])
    ec2(read, "by subnet", Filters=[named("subnet-id", subnet)])
    ec2(read, "by address", Filters=[named("addresses.private-ip-address", "10.23.1.50"), named("vpc-id", vpc)])
    ec2(read, "by tag", Filters=[named("tag:Name", "b"), named("vpc-id", vpc)])
    ec2(read, "by type", Filters=[named("interface-type", "interface"), named("vpc-id", vpc)])
    ec2(read, "nothing matches", Filters=[named("description", "nobody"), named("vpc-id", vpc)])
    ec2(read, "unknown", NetworkInterfaceIds=[UNKNOWN])
    ec2(read, "malformed", NetworkInterfaceIds=["nonsense"])
    ec2(read, "unknown filter", Filters=[named("nonsense", "x")])
    ec2(read, "dry run", DryRun=True)
    ec2(read, "page too small", MaxResults=1)
    ec2("DescribeSubnets", "an address is taken", SubnetIds=[subnet])


def used(ec2, subnet, group):
    """What an interface uses cannot be deleted."""
    made = ec2("CreateNetworkInterface", "uses group and subnet", SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    ec2("DeleteSecurityGroup", "used by an interface", GroupId=group)
    ec2("DeleteSubnet", "has an interface", SubnetId=subnet)
    ec2("DeleteNetworkInterface", "uses group and subnet", NetworkInterfaceId=made)


def instances(player, ec2, subnet, group):
    ami = player.quietly("ec2", "DescribeImages", Owners=["amazon"], Filters=[
        named("architecture", "x86_64"), named("platform-details", "Linux/UNIX")])["Images"][0]["ImageId"]
    one = {"MinCount": 1, "MaxCount": 1}
    ec2("RunInstances", "unknown subnet", ImageId=ami, InstanceType="m5.large", SubnetId="subnet-0123456789abcdef0", **one)
    ec2("RunInstances", "unknown type", ImageId=ami, InstanceType="x9.huge", SubnetId=subnet, **one)
    ec2("RunInstances", "unknown group", ImageId=ami, InstanceType="m5.large", SubnetId=subnet, SecurityGroupIds=["sg-0123456789abcdef0"], **one)
    ec2("RunInstances", "dry run", ImageId=ami, InstanceType="m5.large", SubnetId=subnet, DryRun=True, **one)
    ec2("RunInstances", "unknown image", ImageId="ami-0123456789abcdef0", InstanceType="m5.large", SubnetId=subnet, **one)
    made = ec2("RunInstances", "plain", ImageId=ami, InstanceType="m5.large", SubnetId=subnet, SecurityGroupIds=[group], **one)
    made = made["Instances"][0]["InstanceId"]
    player.until("ec2", "DescribeInstances", lambda it: it["Reservations"][0]["Instances"][0]["State"]["Name"] == "running", InstanceIds=[made])
    ec2("DescribeInstances", "by id", InstanceIds=[made])
    ec2("DescribeNetworkInterfaces", "of an instance", Filters=[named("attachment.instance-id", made)])
    ec2("TerminateInstances", "plain", InstanceIds=[made])
    player.until("ec2", "DescribeInstances", lambda it: it["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated", InstanceIds=[made])
    ec2("DescribeNetworkInterfaces", "of an instance that ended", Filters=[named("subnet-id", subnet)])
    ec2("DescribeInstances", "unknown", InstanceIds=["i-0123456789abcdef0"])
    ec2("DescribeInstances", "malformed", InstanceIds=["nonsense"])
    ec2("TerminateInstances", "unknown", InstanceIds=["i-0123456789abcdef0"])
