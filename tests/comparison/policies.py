"""Managed policies and their versions."""

import json

from roles import POLICY, TRUST

UNKNOWN = "arn:aws:iam::123456789012:policy/nobody"


def play(player):
    iam = player.service("iam")
    arn = creation(iam)
    versions(iam, arn)
    iam("CreateRole", "for policies", RoleName="holder", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam("AttachRolePolicy", "own policy", RoleName="holder", PolicyArn=arn)
    iam("ListEntitiesForPolicy", "plain", PolicyArn=arn)
    iam("ListEntitiesForPolicy", "filter that is none", PolicyArn=arn, EntityFilter="Nonsense")
    iam("GetPolicy", "attached", PolicyArn=arn)
    iam("SimulatePrincipalPolicy", "allowed and denied", PolicySourceArn=f"arn:aws:iam::123456789012:role/holder",
        ActionNames=["s3:GetObject", "s3:PutObject"])
    iam("SimulatePrincipalPolicy", "unknown principal", PolicySourceArn="arn:aws:iam::123456789012:role/nobody", ActionNames=["s3:GetObject"])
    iam("GetAccountAuthorizationDetails", "local policies", Filter=["LocalManagedPolicy"], MaxItems=1000)
    iam("GetAccountAuthorizationDetails", "unknown filter", Filter=["Nonsense"])
    iam("DeletePolicy", "attached", PolicyArn=arn)
    iam("DetachRolePolicy", "own policy", RoleName="holder", PolicyArn=arn)
    iam("DeletePolicy", "has another version", PolicyArn=arn)
    iam("TagPolicy", "reserved", PolicyArn=arn, Tags=[{"Key": "aws:x", "Value": "y"}])
    iam("DeletePolicyVersion", "the other version", PolicyArn=arn, VersionId="v1")
    iam("DeletePolicy", "plain", PolicyArn=arn)
    iam("DeletePolicy", "again", PolicyArn=arn)
    iam("DeletePolicy", "AWS managed", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam("DeleteRole", "for policies", RoleName="holder")


def creation(iam):
    document = json.dumps(POLICY)
    made = iam("CreatePolicy", "with everything", PolicyName="read", Path="/team/", Description="d", PolicyDocument=document,
               Tags=[{"Key": "team", "Value": "x"}])["Policy"]["Arn"]
    iam("CreatePolicy", "same name", PolicyName="read", Path="/team/", PolicyDocument=document)
    iam("CreatePolicy", "same name at another path", PolicyName="read", PolicyDocument=document)
    iam("CreatePolicy", "no JSON", PolicyName="bad-1", PolicyDocument="nonsense")
    iam("CreatePolicy", "without a resource", PolicyName="bad-2", PolicyDocument=document.replace('"Resource": "*"', '"Sid": "a"'))
    iam("CreatePolicy", "two statements with one id", PolicyName="bad-3", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{**POLICY["Statement"][0], "Sid": "a"}] * 2}))
    iam("CreatePolicy", "too long", PolicyName="bad-4", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [f"s3:Get{'x' * 100}{n}" for n in range(70)], "Resource": "*"}]}))
    iam("CreatePolicy", "name with odd characters", PolicyName="a b", PolicyDocument=document)
    iam("CreatePolicy", "bad path", PolicyName="bad-5", Path="team", PolicyDocument=document)
    iam("GetPolicy", "plain", PolicyArn=made)
    iam("GetPolicy", "AWS managed", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSVPCResourceController")
    iam("GetPolicy", "unknown", PolicyArn=UNKNOWN)
    iam("GetPolicy", "no ARN", PolicyArn="nonsense")
    iam("ListPolicies", "local by path", Scope="Local", PathPrefix="/team/")
    iam("ListPolicies", "unknown scope", Scope="Nonsense")
    iam("ListPolicies", "page", only=("Policies[]", "IsTruncated", "Marker"), Scope="AWS", MaxItems=1)
    iam("TagPolicy", "plain", PolicyArn=made, Tags=[{"Key": "env", "Value": "y"}])
    iam("TagPolicy", "unknown", PolicyArn=UNKNOWN, Tags=[{"Key": "env", "Value": "y"}])
    iam("ListPolicyTags", "plain", PolicyArn=made)
    iam("ListPolicyTags", "unknown", PolicyArn=UNKNOWN)
    iam("UntagPolicy", "plain", PolicyArn=made, TagKeys=["env"])
    iam("UntagPolicy", "unknown", PolicyArn=UNKNOWN, TagKeys=["env"])
    iam("ListPolicyTags", "untagged", PolicyArn=made)
    return made


def versions(iam, arn):
    other = json.dumps(POLICY).replace("GetObject", "*")
    iam("CreatePolicyVersion", "plain", PolicyArn=arn, PolicyDocument=other)
    iam("CreatePolicyVersion", "as default", PolicyArn=arn, PolicyDocument=json.dumps(POLICY), SetAsDefault=True)
    iam("CreatePolicyVersion", "no JSON", PolicyArn=arn, PolicyDocument="nonsense")
    iam("CreatePolicyVersion", "unknown", PolicyArn=UNKNOWN, PolicyDocument=other)
    iam("CreatePolicyVersion", "fourth", PolicyArn=arn, PolicyDocument=other)
    iam("CreatePolicyVersion", "fifth", PolicyArn=arn, PolicyDocument=other)
    iam("CreatePolicyVersion", "sixth", PolicyArn=arn, PolicyDocument=other)
    iam("GetPolicyVersion", "plain", PolicyArn=arn, VersionId="v1")
    iam("GetPolicyVersion", "unknown", PolicyArn=arn, VersionId="v99")
    iam("GetPolicyVersion", "no version", PolicyArn=arn, VersionId="nonsense")
    iam("GetPolicyVersion", "AWS managed", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSVPCResourceController", VersionId="v1")
    iam("ListPolicyVersions", "plain", PolicyArn=arn)
    iam("ListPolicyVersions", "unknown", PolicyArn=UNKNOWN)
    iam("DeletePolicyVersion", "default", PolicyArn=arn, VersionId="v3")
    iam("DeletePolicyVersion", "plain", PolicyArn=arn, VersionId="v4")
    iam("DeletePolicyVersion", "again", PolicyArn=arn, VersionId="v4")
    iam("DeletePolicyVersion", "unknown policy", PolicyArn=UNKNOWN, VersionId="v1")
    iam("SetDefaultPolicyVersion", "plain", PolicyArn=arn, VersionId="v2")
    iam("SetDefaultPolicyVersion", "unknown version", PolicyArn=arn, VersionId="v99")
    iam("DeletePolicyVersion", "no longer default", PolicyArn=arn, VersionId="v3")
    iam("DeletePolicyVersion", "fifth", PolicyArn=arn, VersionId="v5")
