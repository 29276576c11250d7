"""Signatures and policies through boto3, against a sandbox at AWS_ENDPOINT_URL started with -verify-signatures and -enforce-iam.

AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are those of the sandbox's administrator. Exits with 1 when a check failed.
"""

import datetime
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1})
calls = passed = failed = 0


def check(name, condition):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}")


def counted(**_):
    global calls
    calls += 1


def client(service, keys=None, secret=None, token=None):
    made = {} if keys is None else {"aws_access_key_id": keys, "aws_secret_access_key": secret, "aws_session_token": token}
    it = boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1", config=CONFIG, **made)
    it.meta.events.register("before-send", counted)
    return it


def outcome(call, **parameters):
    """Code and message of a refusal; empty when the call was served."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", ""


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def signatures():
    check("the administrator's signature", client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sandbox")
    key = os.environ["AWS_ACCESS_KEY_ID"]
    for service, call, wrong, unknown in [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("iam", "list_roles", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure", "AuthFailure"),
        ("eks", "list_clusters", "InvalidSignatureException", "UnrecognizedClientException"),
    ]:
        check(f"{service}: right", outcome(getattr(client(service), call))[0] == "")
        code = outcome(getattr(client(service, key, "wrong"), call))[0]
        check(f"{service}: wrong secret: {code}", code == wrong)
        code = outcome(getattr(client(service, "AKIAUNKNOWN000000000", "x"), call))[0]
        check(f"{service}: unknown key: {code}", code == unknown)
    real = botocore.auth.get_current_datetime
    for minutes, word in [(-6, "Signature expired"), (6, "Signature not yet current")]:
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: real(remove_tzinfo) + datetime.timedelta(minutes=minutes)
        code, message = outcome(client("sts").get_caller_identity)
        check(f"{minutes} minutes: {code} {message}", code == "SignatureDoesNotMatch" and word in message)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: real(remove_tzinfo) - datetime.timedelta(minutes=6)
    code = outcome(client("ec2").describe_vpcs)[0]
    check(f"ec2, six minutes ago: {code}", code == "RequestExpired")
    botocore.auth.get_current_datetime = real
    url = client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    check("presigned", b"user/sandbox" in urllib.request.urlopen(url).read())
    try:
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))
        check("presigned and changed", False)
    except urllib.error.HTTPError as error:
        check("presigned and changed", error.code == 403 and b"SignatureDoesNotMatch" in error.read())
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/?Action=GetCallerIdentity&Version=2011-06-15")
        check("unsigned", False)
    except urllib.error.HTTPError as error:
        check("unsigned", error.code == 403 and b"MissingAuthenticationToken" in error.read())


def enforcement():
    iam = client("iam")
    iam.create_user(UserName="carol")
    key = iam.create_access_key(UserName="carol")["AccessKey"]
    mine = lambda service: client(service, key["AccessKeyId"], key["SecretAccessKey"])
    ec2, eks, own = mine("ec2"), mine("eks"), mine("iam")
    check("identity is free", mine("sts").get_caller_identity()["Arn"].endswith("user/carol"))
    code, message = outcome(ec2.describe_vpcs)
    check("no policy, ec2", code == "UnauthorizedOperation" and "because no identity-based policy allows the ec2:DescribeVpcs action" in message)
    encoded = message.rsplit(" ", 1)[1]
    decoded = json.loads(client("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    check("decoded", decoded["context"]["action"] == "ec2:DescribeVpcs" and not decoded["allowed"])
    code, message = outcome(eks.list_clusters)
    check("no policy, eks", code == "AccessDeniedException" and "is not authorized to perform: eks:ListClusters" in message)
    code, message = outcome(own.get_user, UserName="carol")
    check("no policy, iam", code == "AccessDenied" and f"on resource: arn:aws:iam::{ACCOUNT}:user/carol because" in message)

    tagged = {"StringEquals": {"aws:RequestTag/team": "net"}}
    network = policy(
        allow("ec2:Describe*"),
        allow("ec2:CreateVpc", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*", Condition=tagged),
        allow("ec2:CreateTags", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*", Condition={"StringEquals": {"ec2:CreateAction": "CreateVpc"}}),
        allow("ec2:DeleteVpc", Condition={"StringEquals": {"ec2:ResourceTag/team": "net"}}),
    )
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=network)
    tags = lambda value: [{"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": value}]}]
    check("describe", outcome(ec2.describe_vpcs)[0] == "")
    check("create without tags", outcome(ec2.create_vpc, CidrBlock="10.9.0.0/16")[0] == "UnauthorizedOperation")
    check("create with another tag", outcome(ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=tags("app"))[0] == "UnauthorizedOperation")
    check("dry run", outcome(ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=tags("net"), DryRun=True)[0] == "DryRunOperation")
    check("refused dry run", outcome(ec2.create_vpc, CidrBlock="10.9.0.0/16", DryRun=True)[0] == "UnauthorizedOperation")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags("net"))["Vpc"]["VpcId"]
    check("tags later", outcome(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])[0] == "UnauthorizedOperation")
    other = client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    check("delete what has no tag", outcome(ec2.delete_vpc, VpcId=other)[0] == "UnauthorizedOperation")
    check("delete what has it", outcome(ec2.delete_vpc, VpcId=vpc)[0] == "")
    client("ec2").delete_vpc(VpcId=other)

    iam.put_user_permissions_boundary(UserName="carol", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    code, message = outcome(ec2.delete_vpc, VpcId="vpc-00000000000000000")
    check("boundary", code == "UnauthorizedOperation" and "identity-based policy" in message)
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("*")))
    code, message = outcome(ec2.delete_vpc, VpcId="vpc-00000000000000000")
    check(f"boundary alone: {message[:200]}", code == "UnauthorizedOperation" and "because no permissions boundary allows the ec2:DeleteVpc action" in message)
    iam.delete_user_permissions_boundary(UserName="carol")
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("*"), {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"}))
    code, message = outcome(ec2.delete_vpc, VpcId="vpc-00000000000000000")
    check("explicit deny", "with an explicit deny in an identity-based policy" in message)
    return iam, key


def roles(iam, key):
    mine = lambda service: client(service, key["AccessKeyId"], key["SecretAccessKey"])
    trust = lambda principal: policy({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})
    by_account = iam.create_role(RoleName="by-account", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]["Arn"]
    by_name = iam.create_role(RoleName="by-name", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:user/carol"))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="by-name", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("eks:*")))
    sts = mine("sts")
    check("the account is trusted, the user has no policy", outcome(sts.assume_role, RoleArn=by_account, RoleSessionName="s1")[0] == "AccessDenied")
    session = sts.assume_role(RoleArn=by_name, RoleSessionName="s1", Policy=policy(allow("ec2:DescribeVpcs")))["Credentials"]
    keys = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    ec2 = client("ec2", *keys)
    check("session", outcome(ec2.describe_vpcs)[0] == "")
    code, message = outcome(ec2.describe_subnets)
    check("session policy", code == "UnauthorizedOperation" and "because no session policy allows" in message)
    check("session without its token", outcome(client("sts", keys[0], keys[1]).get_caller_identity)[0] == "InvalidClientTokenId")
    check("session with another token", outcome(client("sts", keys[0], keys[1], "other").get_caller_identity)[0] == "InvalidClientTokenId")
    check("session with another secret", outcome(client("sts", keys[0], "other", keys[2]).get_caller_identity)[0] == "SignatureDoesNotMatch")
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("sts:AssumeRole", by_account)))
    check("the account is trusted, the user has a policy", outcome(sts.assume_role, RoleArn=by_account, RoleSessionName="s1")[0] == "")

    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("eks:*")))
    eks = mine("eks")
    create = {"name": "demo", "roleArn": by_account, "resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}}
    code, message = outcome(eks.create_cluster, **create)
    check(f"pass role: {message}", code == "AccessDeniedException" and f"perform: iam:PassRole on resource: {by_account} because" in message)
    passing = allow("iam:PassRole", by_account, Condition={"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}})
    iam.put_user_policy(UserName="carol", PolicyName="network", PolicyDocument=policy(allow("eks:*"), passing))
    code, message = outcome(eks.create_cluster, **create)
    check(f"role is passed: {code} {message}", "PassRole" not in message and code != "AccessDeniedException")
    iam.update_access_key(UserName="carol", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    check("inactive key", outcome(mine("ec2").describe_vpcs)[0] == "AuthFailure")
    for name in ["by-account", "by-name"]:
        for it in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=it["PolicyArn"])
        iam.delete_role(RoleName=name)
    iam.delete_access_key(UserName="carol", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="carol", PolicyName="network")
    iam.delete_user(UserName="carol")


signatures()
roles(*enforcement())
print(f"{calls} calls, {passed} checks passed" + (f", {failed} failed" if failed else ""))
sys.exit(1 if failed else 0)
