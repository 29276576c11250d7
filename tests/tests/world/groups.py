"""Security groups, rules and launch templates through the proxy; prints what was seen."""
import json
import os

import boto3
from botocore.exceptions import ClientError

ec2 = boto3.client("ec2")
vpc = os.environ["SGP_VPC_ID"]
subnet = json.loads(os.environ["TF_VAR_subnet_ids"])[0]


def group(name):
    return ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


a, b, carried = group("a"), group("b"), group("carried")
source = {"GroupId": a, "Description": "from a"}
permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [source]}
made = ec2.authorize_security_group_ingress(GroupId=b, IpPermissions=[permission])["SecurityGroupRules"][0]
rule = ec2.describe_security_group_rules(SecurityGroupRuleIds=[made["SecurityGroupRuleId"]])["SecurityGroupRules"][0]
ec2.create_network_interface(SubnetId=subnet, Groups=[carried])
default = ec2.describe_security_groups(
    Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
)["SecurityGroups"][0]["GroupId"]
backwards = {"IpProtocol": "tcp", "FromPort": 2, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
refusals = {
    "unknown vpc": refusal(ec2.create_security_group, GroupName="c", Description="c", VpcId="vpc-0123456789abcdef0"),
    "a rule names the group": refusal(ec2.delete_security_group, GroupId=a),
    "an interface carries the group": refusal(ec2.delete_security_group, GroupId=carried),
    "the default group": refusal(ec2.delete_security_group, GroupId=default),
    "ports the wrong way round": refusal(ec2.authorize_security_group_ingress, GroupId=b, IpPermissions=[backwards]),
    "an unknown rule": refusal(
        ec2.revoke_security_group_ingress, GroupId=b, SecurityGroupRuleIds=["sgr-0123456789abcdef0"]
    ),
}
for number in range(8):
    group(f"more-{number}")
pages = ec2.get_paginator("describe_security_groups").paginate(
    Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}
)
for _ in range(2):
    ec2.create_launch_template(
        LaunchTemplateName="nodes", ClientToken="token", LaunchTemplateData={"InstanceType": "m5.large"}
    )
print(
    json.dumps(
        {
            "refusals": refusals,
            "pages": [len(page["SecurityGroups"]) for page in pages],
            "description of a rule that names a group": rule["Description"],
            "templates made with one token": len(ec2.describe_launch_templates()["LaunchTemplates"]),
        }
    )
)
