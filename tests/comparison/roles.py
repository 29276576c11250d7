"""Roles, their policies and instance profiles."""

import json

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
# The order is the endpoint's own.
PAGE = ("Roles[]", "IsTruncated", "Marker")
CNI = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"


def play(player):
    iam = player.service("iam")
    creation(iam)
    reading(iam)
    changing(iam)
    inline(iam)
    attached(iam)
    profiles(iam)
    iam("DetachRolePolicy", "left over", RoleName="app", PolicyArn=CNI)
    iam("DeleteRole", "plain", RoleName="app")
    iam("DeleteRole", "again", RoleName="app")
    refused(iam)
    linked(player, iam)


def creation(iam):
    trust = json.dumps(TRUST)
    iam("CreateRole", "with everything", RoleName="app", Path="/team/", Description="of the comparison", MaxSessionDuration=7200,
        AssumeRolePolicyDocument=trust, Tags=[{"Key": "team", "Value": "x"}])
    iam("CreateRole", "same name", RoleName="app", AssumeRolePolicyDocument=trust)
    iam("CreateRole", "no JSON", RoleName="bad-1", AssumeRolePolicyDocument="nonsense")
    iam("CreateRole", "without a principal", RoleName="bad-2", AssumeRolePolicyDocument=json.dumps(POLICY))
    iam("CreateRole", "unknown element", RoleName="bad-3", AssumeRolePolicyDocument=json.dumps({**TRUST, "Nonsense": 1}))
    iam("CreateRole", "unknown principal", RoleName="bad-4", AssumeRolePolicyDocument=trust.replace(
        '"Service": "ec2.amazonaws.com"', '"AWS": "arn:aws:iam::123456789012:role/nobody"'))
    iam("CreateRole", "name with odd characters", RoleName="a b", AssumeRolePolicyDocument=trust)
    iam("CreateRole", "name too long", RoleName="n" * 65, AssumeRolePolicyDocument=trust)
    iam("CreateRole", "path without slashes", RoleName="bad-5", Path="team", AssumeRolePolicyDocument=trust)
    iam("CreateRole", "session too short", RoleName="bad-6", MaxSessionDuration=60, AssumeRolePolicyDocument=trust)
    iam("CreateRole", "session too long", RoleName="bad-7", MaxSessionDuration=50000, AssumeRolePolicyDocument=trust)
    iam("CreateRole", "description too long", RoleName="bad-8", Description="d" * 1001, AssumeRolePolicyDocument=trust)
    iam("CreateRole", "unknown boundary", RoleName="bad-9", AssumeRolePolicyDocument=trust, PermissionsBoundary="arn:aws:iam::123456789012:policy/nobody")
    iam("CreateRole", "reserved tag", RoleName="bad-10", AssumeRolePolicyDocument=trust, Tags=[{"Key": "aws:x", "Value": "y"}])
    iam("CreateRole", "same tag twice", RoleName="bad-11", AssumeRolePolicyDocument=trust, Tags=[{"Key": "a", "Value": "y"}, {"Key": "A", "Value": "y"}])
    iam("CreateRole", "too many tags", RoleName="bad-12", AssumeRolePolicyDocument=trust, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
    iam("CreateRole", "without a trust policy", RoleName="bad-13")


def reading(iam):
    iam("GetRole", "plain", RoleName="app")
    iam("GetRole", "unknown", RoleName="nobody")
    iam("GetRole", "name with odd characters", RoleName="a b")
    iam("ListRoles", "by path", PathPrefix="/team/")
    iam("ListRoles", "by an unknown path", PathPrefix="/nobody/")
    iam("ListRoles", "bad path", PathPrefix="nonsense")
    iam("ListRoles", "page too small", MaxItems=0)
    iam("ListRoles", "page too large", MaxItems=1001)
    iam("ListRoleTags", "plain", RoleName="app")
    iam("ListRoleTags", "unknown", RoleName="nobody")
    for n in range(3):
        iam("CreateRole", f"one of many {n}", RoleName=f"many-{n}", Path="/many/", AssumeRolePolicyDocument=json.dumps(TRUST))
    page = iam("ListRoles", "first page", only=PAGE, PathPrefix="/many/", MaxItems=2)
    iam("ListRoles", "second page", only=PAGE, PathPrefix="/many/", MaxItems=2, Marker=page["Marker"])
    iam("ListRoles", "broken marker", Marker="nonsense", PathPrefix="/many/")
    for n in range(3):
        iam("DeleteRole", f"one of many {n}", RoleName=f"many-{n}")


def changing(iam):
    iam("UpdateRole", "plain", RoleName="app", Description="changed", MaxSessionDuration=3600)
    iam("UpdateRole", "unknown", RoleName="nobody", Description="changed")
    other = json.dumps(TRUST).replace("ec2.amazonaws.com", "pods.eks.amazonaws.com")
    iam("UpdateAssumeRolePolicy", "plain", RoleName="app", PolicyDocument=other)
    iam("UpdateAssumeRolePolicy", "unknown", RoleName="nobody", PolicyDocument=other)
    iam("TagRole", "plain", RoleName="app", Tags=[{"Key": "env", "Value": "y"}])
    iam("TagRole", "overwrites", RoleName="app", Tags=[{"Key": "env", "Value": "z"}])
    iam("TagRole", "unknown", RoleName="nobody", Tags=[{"Key": "env", "Value": "y"}])
    iam("UntagRole", "plain", RoleName="app", TagKeys=["env"])
    iam("UntagRole", "not there", RoleName="app", TagKeys=["env"])
    iam("UntagRole", "unknown", RoleName="nobody", TagKeys=["env"])
    iam("GetRole", "changed", RoleName="app")
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam("PutRolePermissionsBoundary", "plain", RoleName="app", PermissionsBoundary=boundary)
    iam("PutRolePermissionsBoundary", "unknown role", RoleName="nobody", PermissionsBoundary=boundary)
    iam("GetRole", "with a boundary", RoleName="app")
    iam("DeleteRolePermissionsBoundary", "plain", RoleName="app")
    iam("DeleteRolePermissionsBoundary", "again", RoleName="app")
    iam("DeleteRolePermissionsBoundary", "unknown", RoleName="nobody")


def inline(iam):
    policy = {"RoleName": "app", "PolicyName": "inline"}
    iam("PutRolePolicy", "plain", PolicyDocument=json.dumps(POLICY), **policy)
    iam("PutRolePolicy", "unknown role", RoleName="nobody", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    iam("GetRolePolicy", "plain", **policy)
    iam("GetRolePolicy", "unknown policy", RoleName="app", PolicyName="nobody")
    iam("GetRolePolicy", "unknown role", RoleName="nobody", PolicyName="inline")
    iam("ListRolePolicies", "plain", RoleName="app")
    iam("ListRolePolicies", "unknown", RoleName="nobody")
    iam("DeleteRole", "has an inline policy", RoleName="app")
    iam("DeleteRolePolicy", "plain", **policy)
    iam("DeleteRolePolicy", "again", **policy)
    iam("DeleteRolePolicy", "unknown role", RoleName="nobody", PolicyName="inline")


def attached(iam):
    iam("AttachRolePolicy", "AWS managed", RoleName="app", PolicyArn=CNI)
    iam("AttachRolePolicy", "again", RoleName="app", PolicyArn=CNI)
    iam("AttachRolePolicy", "unknown role", RoleName="nobody", PolicyArn=CNI)
    iam("AttachRolePolicy", "unknown policy", RoleName="app", PolicyArn="arn:aws:iam::123456789012:policy/nobody")
    iam("AttachRolePolicy", "unknown managed policy", RoleName="app", PolicyArn="arn:aws:iam::aws:policy/Nobody")
    iam("AttachRolePolicy", "no ARN", RoleName="app", PolicyArn="nonsense")
    iam("ListAttachedRolePolicies", "plain", RoleName="app")
    iam("ListAttachedRolePolicies", "by path", RoleName="app", PathPrefix="/team/")
    iam("ListAttachedRolePolicies", "unknown", RoleName="nobody")
    iam("ListEntitiesForPolicy", "AWS managed", PolicyArn=CNI, EntityFilter="Role", PathPrefix="/team/")
    iam("ListEntitiesForPolicy", "unknown", PolicyArn="arn:aws:iam::123456789012:policy/nobody")
    iam("DeleteRole", "has an attached policy", RoleName="app")
    iam("DetachRolePolicy", "plain", RoleName="app", PolicyArn=CNI)
    iam("DetachRolePolicy", "again", RoleName="app", PolicyArn=CNI)
    iam("DetachRolePolicy", "unknown role", RoleName="nobody", PolicyArn=CNI)


def profiles(iam):
    profile = {"InstanceProfileName": "app"}
    iam("CreateInstanceProfile", "plain", **profile)
    iam("CreateInstanceProfile", "again", **profile)
    iam("AddRoleToInstanceProfile", "plain", RoleName="app", **profile)
    iam("AddRoleToInstanceProfile", "a second role", RoleName="app", **profile)
    iam("AddRoleToInstanceProfile", "unknown role", RoleName="nobody", **profile)
    iam("AddRoleToInstanceProfile", "unknown profile", RoleName="app", InstanceProfileName="nobody")
    iam("GetInstanceProfile", "plain", **profile)
    iam("GetInstanceProfile", "unknown", InstanceProfileName="nobody")
    iam("ListInstanceProfilesForRole", "plain", RoleName="app")
    iam("ListInstanceProfilesForRole", "unknown", RoleName="nobody")
    iam("DeleteRole", "in a profile", RoleName="app")
    iam("DeleteInstanceProfile", "has a role", **profile)
    iam("RemoveRoleFromInstanceProfile", "plain", RoleName="app", **profile)
    iam("RemoveRoleFromInstanceProfile", "again", RoleName="app", **profile)
    iam("RemoveRoleFromInstanceProfile", "unknown profile", RoleName="app", InstanceProfileName="nobody")
    iam("DeleteInstanceProfile", "plain", **profile)
    iam("DeleteInstanceProfile", "again", **profile)


def refused(iam):
    """Changes that an endpoint must refuse, of a role that nothing else reads: one that does them anyway spoils it."""
    iam("CreateRole", "to be spoilt", RoleName="spoilt", AssumeRolePolicyDocument=json.dumps(TRUST))
    of = {"RoleName": "spoilt"}
    iam("UpdateRole", "session too long", MaxSessionDuration=50000, **of)
    iam("TagRole", "reserved", Tags=[{"Key": "aws:env", "Value": "y"}], **of)
    iam("TagRole", "too many", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)], **of)
    iam("PutRolePermissionsBoundary", "unknown policy", PermissionsBoundary="arn:aws:iam::123456789012:policy/nobody", **of)
    iam("PutRolePermissionsBoundary", "no ARN", PermissionsBoundary="nonsense", **of)
    iam("UpdateAssumeRolePolicy", "no JSON", PolicyDocument="nonsense", **of)
    iam("UpdateAssumeRolePolicy", "with a resource", PolicyDocument=json.dumps(POLICY), **of)
    refused_inline(iam, of)


def refused_inline(iam, of):
    policy = {"PolicyName": "inline", **of}
    iam("PutRolePolicy", "no JSON", PolicyDocument="nonsense", **policy)
    iam("PutRolePolicy", "with a principal", PolicyDocument=json.dumps(TRUST), **policy)
    iam("PutRolePolicy", "without statements", PolicyDocument=json.dumps({"Version": "2012-10-17"}), **policy)
    iam("PutRolePolicy", "unknown version", PolicyDocument=json.dumps({**POLICY, "Version": "2020-01-01"}), **policy)
    iam("PutRolePolicy", "action without a service", PolicyDocument=json.dumps(POLICY).replace("s3:GetObject", "GetObject"), **policy)
    iam("PutRolePolicy", "bad resource", PolicyDocument=json.dumps(POLICY).replace('"*"', '"nonsense"'), **policy)
    iam("PutRolePolicy", "name with odd characters", PolicyName="a b", PolicyDocument=json.dumps(POLICY), **of)
    iam("PutRolePolicy", "too long", PolicyName="long", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [f"s3:Get{'x' * 100}{n}" for n in range(110)], "Resource": "*"}]}), **of)


def linked(player, iam):
    made = iam("CreateServiceLinkedRole", "of node groups", AWSServiceName="eks-nodegroup.amazonaws.com")["Role"]["RoleName"]
    iam("CreateServiceLinkedRole", "again", AWSServiceName="eks-nodegroup.amazonaws.com")
    iam("CreateServiceLinkedRole", "unknown service", AWSServiceName="nonsense.amazonaws.com")
    iam("DeleteRole", "service-linked", RoleName=made)
    task = iam("DeleteServiceLinkedRole", "plain", RoleName=made)["DeletionTaskId"]
    iam("DeleteServiceLinkedRole", "unknown", RoleName="AWSServiceRoleForNobody")
    player.until("iam", "GetServiceLinkedRoleDeletionStatus", lambda it: it["Status"] == "SUCCEEDED", DeletionTaskId=task)
    iam("GetServiceLinkedRoleDeletionStatus", "plain", DeletionTaskId=task)
    iam("GetServiceLinkedRoleDeletionStatus", "unknown", DeletionTaskId="task/nonsense")
