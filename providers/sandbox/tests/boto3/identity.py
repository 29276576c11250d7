"""IAM and STS through boto3, against a sandbox at AWS_ENDPOINT_URL that checks neither signatures nor policies.

Prints how many calls were made and how many checks passed; exits with 1 when one failed.
"""

import base64
import json
import os
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
# The sandbox must refuse what is wrong, not botocore.
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


def client(service, **keys):
    it = boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1", config=CONFIG, **keys)
    it.meta.events.register("before-send", counted)
    return it


def refused(name, code, status, call, **parameters):
    """A call that must be refused with this code and status; answers the message."""
    try:
        call(**parameters)
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        check(f"{name}: {found}", found == (code, status))
        return error.response["Error"]["Message"]
    check(f"{name}: not refused", False)
    return ""


def trust(**principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions, resource="*", **more):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


iam, sts = client("iam"), client("sts")


def roles():
    name = "ClusterRole"
    role = iam.create_role(
        RoleName=name, Path="/eks/", AssumeRolePolicyDocument=trust(Service="eks.amazonaws.com"), Description="a < b",
        MaxSessionDuration=7200, Tags=[{"Key": "Team", "Value": "net"}],
    )["Role"]
    check("arn has the path", role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/eks/{name}")
    check("role id", role["RoleId"].startswith("AROA") and len(role["RoleId"]) == 21)
    check("document comes decoded", role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "eks.amazonaws.com"})
    check("create answers tags", role["Tags"] == [{"Key": "Team", "Value": "net"}])
    got = iam.get_role(RoleName=name)["Role"]
    check("get is create", all(got[key] == role[key] for key in ["Arn", "RoleId", "CreateDate", "Description", "Path", "MaxSessionDuration"]))
    check("never used", got["RoleLastUsed"] == {})
    refused("taken in another case", "EntityAlreadyExists", 409, iam.create_role, RoleName=name.lower(), AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    refused("no json", "MalformedPolicyDocument", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument="{")
    refused("resource in trust", "MalformedPolicyDocument", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument=allow("sts:AssumeRole"))
    message = refused("unknown principal", "MalformedPolicyDocument", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{ACCOUNT}:user/nobody"))
    check("principal is named", message == f'Invalid principal in policy: "AWS":"arn:aws:iam::{ACCOUNT}:user/nobody"')
    refused("bad name", "ValidationError", 400, iam.create_role, RoleName="a b", AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    refused("long name", "ValidationError", 400, iam.create_role, RoleName="a" * 65, AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    refused("bad path", "ValidationError", 400, iam.create_role, RoleName="x", Path="eks", AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    refused("short session", "ValidationError", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument=trust(AWS=ACCOUNT), MaxSessionDuration=60)
    refused("boundary is not there", "NoSuchEntity", 404, iam.create_role, RoleName="x", AssumeRolePolicyDocument=trust(AWS=ACCOUNT), PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none")
    refused("twice the same tag", "InvalidInput", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument=trust(AWS=ACCOUNT), Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
    message = refused("no role", "NoSuchEntity", 404, iam.get_role, RoleName="none")
    check("says which role", message == "The role with name none cannot be found.")
    iam.update_role(RoleName=name, Description="new", MaxSessionDuration=3600)
    check("updated", iam.get_role(RoleName=name)["Role"]["Description"] == "new")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(Service=["eks.amazonaws.com", "ec2.amazonaws.com"]))
    refused("update with a bad trust", "MalformedPolicyDocument", 400, iam.update_assume_role_policy, RoleName=name, PolicyDocument=trust(Service="eks"))
    iam.tag_role(RoleName=name, Tags=[{"Key": "team", "Value": "core"}, {"Key": "b", "Value": ""}])
    check("tag in another case replaces", iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "b", "Value": ""}, {"Key": "team", "Value": "core"}])
    iam.untag_role(RoleName=name, TagKeys=["b"])
    check("untagged", [tag["Key"] for tag in iam.get_role(RoleName=name)["Role"]["Tags"]] == ["team"])
    return name


def policies(role):
    arn = iam.create_policy(PolicyName="Read", PolicyDocument=allow("ec2:Describe*"), Description="reads")["Policy"]["Arn"]
    refused("name is taken", "EntityAlreadyExists", 409, iam.create_policy, PolicyName="read", PolicyDocument=allow("ec2:*"))
    refused("no resource", "MalformedPolicyDocument", 400, iam.create_policy, PolicyName="x", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*"}}))
    long = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [f"ec2:{'a' * 60}{i}" for i in range(120)], "Resource": "*"}]})
    refused("too long", "LimitExceeded", 409, iam.create_policy, PolicyName="x", PolicyDocument=long)
    for number in range(2, 6):
        made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow(f"ec2:Describe{number}*"), SetAsDefault=number == 3)["PolicyVersion"]
        check(f"version {number}", made["VersionId"] == f"v{number}" and made["IsDefaultVersion"] == (number == 3))
    refused("sixth version", "LimitExceeded", 409, iam.create_policy_version, PolicyArn=arn, PolicyDocument=allow("ec2:*"))
    check("newest first", [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v5", "v4", "v3", "v2", "v1"])
    refused("default version stays", "DeleteConflict", 409, iam.delete_policy_version, PolicyArn=arn, VersionId="v3")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    refused("deleted version", "NoSuchEntity", 404, iam.get_policy_version, PolicyArn=arn, VersionId="v1")
    check("numbers go on", iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("ec2:Get*"))["PolicyVersion"]["VersionId"] == "v6")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v6")
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v6")["PolicyVersion"]["Document"]
    check("document", document["Statement"][0]["Action"] == ["ec2:Get*"])

    managed = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"
    iam.attach_role_policy(RoleName=role, PolicyArn=managed)
    iam.attach_role_policy(RoleName=role, PolicyArn=managed)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    check("attached once", len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) == 2)
    check("count", iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1)
    check("entities", [it["RoleName"] for it in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]] == [role])
    refused("no policy", "NoSuchEntity", 404, iam.attach_role_policy, RoleName=role, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/none")
    refused("no arn", "InvalidInput", 400, iam.attach_role_policy, RoleName=role, PolicyArn="AmazonEKSClusterPolicyOfOurs")
    refused("attached policy stays", "DeleteConflict", 409, iam.delete_policy, PolicyArn=arn)
    refused("aws's policy stays", "AccessDenied", 403, iam.delete_policy, PolicyArn=managed)
    refused("service role policy", "PolicyNotAttachable", 400, iam.attach_role_policy, RoleName=role, PolicyArn="arn:aws:iam::aws:policy/aws-service-role/AmazonEKSServiceRolePolicy")
    statement = iam.get_policy_version(PolicyArn=managed, VersionId="v1")["PolicyVersion"]["Document"]["Statement"]
    check("aws's document", any("ec2:CreateNetworkInterface" in it["Action"] or it["Action"] == "ec2:CreateNetworkInterfacePermission" for it in statement))

    iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=allow("s3:Get*", resource="arn:aws:s3:::b/*"))
    check("inline", iam.get_role_policy(RoleName=role, PolicyName="inline")["PolicyDocument"]["Statement"][0]["Resource"] == "arn:aws:s3:::b/*")
    check("inline names", iam.list_role_policies(RoleName=role)["PolicyNames"] == ["inline"])
    refused("no inline", "NoSuchEntity", 404, iam.get_role_policy, RoleName=role, PolicyName="none")
    refused("bad inline", "MalformedPolicyDocument", 400, iam.put_role_policy, RoleName=role, PolicyName="x", PolicyDocument=allow("nothing"))
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn)
    check("boundary", iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn)
    check("boundary is counted", iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1)
    iam.delete_role_permissions_boundary(RoleName=role)
    return arn


def profiles(role):
    made = iam.create_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]
    check("profile has no role", made["Roles"] == [])
    iam.add_role_to_instance_profile(InstanceProfileName="nodes", RoleName=role)
    refused("second role", "LimitExceeded", 409, iam.add_role_to_instance_profile, InstanceProfileName="nodes", RoleName=role)
    check("profile's role", iam.get_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]["Roles"][0]["RoleName"] == role)
    check("role's profiles", len(iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]) == 1)
    refused("profile with a role stays", "DeleteConflict", 409, iam.delete_instance_profile, InstanceProfileName="nodes")
    refused("profile is taken", "EntityAlreadyExists", 409, iam.create_instance_profile, InstanceProfileName="nodes")


def deletion(role, arn):
    refused("role with policies stays", "DeleteConflict", 409, iam.delete_role, RoleName=role)
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
    refused("detached already", "NoSuchEntity", 404, iam.detach_role_policy, RoleName=role, PolicyArn=arn)
    message = refused("role with inline stays", "DeleteConflict", 409, iam.delete_role, RoleName=role)
    check("says what to do", message == "Cannot delete entity, must delete policies first.")
    iam.delete_role_policy(RoleName=role, PolicyName="inline")
    refused("role in a profile stays", "DeleteConflict", 409, iam.delete_role, RoleName=role)
    iam.remove_role_from_instance_profile(InstanceProfileName="nodes", RoleName=role)
    iam.delete_instance_profile(InstanceProfileName="nodes")
    iam.delete_role(RoleName=role)
    refused("role is gone", "NoSuchEntity", 404, iam.delete_role, RoleName=role)
    refused("policy with versions stays", "DeleteConflict", 409, iam.delete_policy, PolicyArn=arn)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)
    refused("policy is gone", "NoSuchEntity", 404, iam.get_policy, PolicyArn=arn)


def users():
    iam.create_user(UserName="alice", Tags=[{"Key": "a", "Value": "b"}])
    refused("user is taken", "EntityAlreadyExists", 409, iam.create_user, UserName="Alice")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="alice")
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=allow("ec2:Describe*"))
    check("group's users", [it["UserName"] for it in iam.get_group(GroupName="readers")["Users"]] == ["alice"])
    check("user's groups", [it["GroupName"] for it in iam.list_groups_for_user(UserName="alice")["Groups"]] == ["readers"])
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    check("key", key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40)
    iam.create_access_key(UserName="alice")
    refused("third key", "LimitExceeded", 409, iam.create_access_key, UserName="alice")
    alice = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    check("key means alice", alice.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice")
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    check("key was used", used["UserName"] == "alice" and used["AccessKeyLastUsed"]["ServiceName"] == "sts")
    iam.update_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused("inactive key", "InvalidClientTokenId", 403, alice.get_caller_identity)
    refused("user with groups stays", "DeleteConflict", 409, iam.delete_user, UserName="alice")
    refused("group with users stays", "DeleteConflict", 409, iam.delete_group, GroupName="readers")
    result = iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/alice", ActionNames=["ec2:DescribeVpcs", "ec2:CreateVpc"])
    check("simulated", [it["EvalDecision"] for it in result["EvaluationResults"]] == ["allowed", "implicitDeny"])
    check("what matched", result["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "read")
    iam.remove_user_from_group(GroupName="readers", UserName="alice")
    iam.delete_group_policy(GroupName="readers", PolicyName="read")
    iam.delete_group(GroupName="readers")
    refused("user with keys stays", "DeleteConflict", 409, iam.delete_user, UserName="alice")
    for it in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="alice", AccessKeyId=it["AccessKeyId"])
    iam.update_user(UserName="alice", NewUserName="bob", NewPath="/team/")
    check("renamed", iam.get_user(UserName="bob")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/bob")
    iam.delete_user(UserName="bob")


def simulation():
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestTag/team": "net"}}},
        {"Sid": "No", "Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
    ]})
    def decide(action, **context):
        entries = [{"ContextKeyName": "aws:RequestTag/" + key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in context.items()]
        return iam.simulate_custom_policy(PolicyInputList=[policy], ActionNames=[action], ContextEntries=entries)["EvaluationResults"][0]
    check("condition holds", decide("ec2:CreateVpc", team="net")["EvalDecision"] == "allowed")
    check("condition does not hold", decide("ec2:CreateVpc", team="x")["EvalDecision"] == "implicitDeny")
    check("missing key", decide("ec2:CreateVpc")["MissingContextValues"] == ["aws:RequestTag/team"])
    denied = decide("ec2:DeleteVpc", team="net")
    check("deny wins", denied["EvalDecision"] == "explicitDeny" and len(denied["MatchedStatements"]) == 2)
    limited = iam.simulate_custom_policy(PolicyInputList=[allow("*")], PermissionsBoundaryPolicyInputList=[allow("s3:*")], ActionNames=["ec2:CreateVpc"])["EvaluationResults"][0]
    check("boundary limits", limited["EvalDecision"] == "implicitDeny" and limited["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False})
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    check("context keys", keys == ["aws:RequestTag/team"])
    refused("no action", "InvalidInput", 400, iam.simulate_custom_policy, PolicyInputList=[policy], ActionNames=["vpc"])


def providers():
    url = "https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF"
    made = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"], Tags=[{"Key": "a", "Value": "b"}])
    arn = made["OpenIDConnectProviderArn"]
    check("provider's arn", arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF")
    check("tags in the answer", made["Tags"] == [{"Key": "a", "Value": "b"}])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    check("url without scheme", got["Url"] == url[8:])
    check("thumbprint", len(got["ThumbprintList"][0]) == 40)
    refused("provider is taken", "EntityAlreadyExists", 409, iam.create_open_id_connect_provider, Url=url)
    refused("http issuer", "InvalidInput", 400, iam.create_open_id_connect_provider, Url=url.replace("https", "http"))
    refused("bad thumbprint", "ValidationError", 400, iam.create_open_id_connect_provider, Url=url + "0", ThumbprintList=["abc"])
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["a" * 40])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    check("client ids and thumbprint", got["ClientIDList"] == ["sts.amazonaws.com"] and got["ThumbprintList"] == ["a" * 40])
    check("listed", arn in [it["Arn"] for it in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]])
    return url, arn


def jwt(**claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"{part({'alg': 'RS256', 'kid': '1'})}.{part(claims)}.{part('signature')}"


def web_identity(url, arn):
    issuer = url[8:]
    document = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": "system:serviceaccount:default:app"}},
    }]})
    role = iam.create_role(RoleName="pod", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    good = {"iss": url, "aud": ["sts.amazonaws.com"], "sub": "system:serviceaccount:default:app", "exp": int(time.time()) + 600}
    def assume(session="pod", **changes):
        claims = {key: value for key, value in {**good, **changes}.items() if value is not None}
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=session, WebIdentityToken=jwt(**claims))
    answer = assume()
    check("web identity", answer["SubjectFromWebIdentityToken"] == good["sub"] and answer["Provider"] == arn and answer["Audience"] == "sts.amazonaws.com")
    keys = answer["Credentials"]
    session = client("sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    check("session's arn", session.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/pod/pod")
    refused("another service account", "AccessDenied", 403, assume, sub="system:serviceaccount:default:other")
    refused("another audience", "InvalidIdentityToken", 400, assume, aud="other")
    refused("another issuer", "InvalidIdentityToken", 400, assume, iss="https://issuer.example.com")
    refused("over", "ExpiredTokenException", 400, assume, exp=1)
    refused("no subject", "InvalidIdentityToken", 400, assume, sub=None)
    refused("no token", "InvalidIdentityToken", 400, sts.assume_role_with_web_identity, RoleArn=role, RoleSessionName="pod", WebIdentityToken="abcd")
    refused("bad session name", "ValidationError", 400, assume, session="a b")
    iam.delete_role(RoleName="pod")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    refused("provider is gone", "NoSuchEntity", 404, iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def sessions():
    me = sts.get_caller_identity()
    check("administrator", me["Account"] == ACCOUNT and me["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/"))
    role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{ACCOUNT}:root"))["Role"]
    answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="s1", DurationSeconds=900, Tags=[{"Key": "team", "Value": "net"}])
    check("assumed role", answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role['RoleId']}:s1", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/s1"})
    left = answer["Credentials"]["Expiration"].timestamp() - time.time()
    check("a quarter of an hour", 880 < left <= 901)
    keys = answer["Credentials"]
    inside = client("sts", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    check("session's id", inside.get_caller_identity()["UserId"] == f"{role['RoleId']}:s1")
    check("role was used", "LastUsedDate" in iam.get_role(RoleName="admin")["Role"]["RoleLastUsed"])
    refused("no token from a session", "AccessDenied", 403, inside.get_session_token)
    refused("too long", "ValidationError", 400, sts.assume_role, RoleArn=role["Arn"], RoleSessionName="s1", DurationSeconds=7200)
    refused("too short", "ValidationError", 400, sts.assume_role, RoleArn=role["Arn"], RoleSessionName="s1", DurationSeconds=899)
    refused("bad name", "ValidationError", 400, sts.assume_role, RoleArn=role["Arn"], RoleSessionName="a/b")
    refused("no role", "AccessDenied", 403, sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="s1")
    iam.create_role(RoleName="eks", AssumeRolePolicyDocument=trust(Service="eks.amazonaws.com"))
    message = refused("trust is for a service", "AccessDenied", 403, sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/eks", RoleSessionName="s1")
    check("says who and what", message == f"User: {me['Arn']} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/eks")
    document = json.loads(trust(AWS="*"))
    document["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "secret"}}
    iam.create_role(RoleName="external", AssumeRolePolicyDocument=json.dumps(document))
    external = f"arn:aws:iam::{ACCOUNT}:role/external"
    refused("no external id", "AccessDenied", 403, sts.assume_role, RoleArn=external, RoleSessionName="s1")
    check("external id", "Credentials" in sts.assume_role(RoleArn=external, RoleSessionName="s1", ExternalId="secret"))
    check("session token", sts.get_session_token(DurationSeconds=3600)["Credentials"]["AccessKeyId"].startswith("ASIA"))
    check("key's account", sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")["Account"] == ACCOUNT)
    for name in ["admin", "eks", "external"]:
        iam.delete_role(RoleName=name)


def linked():
    role = iam.create_service_linked_role(AWSServiceName="eks-nodegroup.amazonaws.com")["Role"]
    check("linked role", role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup")
    message = refused("taken", "InvalidInput", 400, iam.create_service_linked_role, AWSServiceName="eks-nodegroup.amazonaws.com")
    check("taken is said", "has been taken in this account" in message)
    refused("protected", "UnmodifiableEntity", 400, iam.delete_role, RoleName=role["RoleName"])
    refused("protected from tags", "UnmodifiableEntity", 400, iam.tag_role, RoleName=role["RoleName"], Tags=[{"Key": "a", "Value": "b"}])
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    check("deleted", iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED")
    refused("unknown service", "InvalidInput", 400, iam.create_service_linked_role, AWSServiceName="nothing.amazonaws.com")


def account():
    for number in range(5):
        iam.create_role(RoleName=f"page{number}", Path="/pages/", AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2}))
    check("three pages", [len(page["Roles"]) for page in pages] == [2, 2, 1] and [page["IsTruncated"] for page in pages] == [True, True, False])
    refused("bad marker", "ValidationError", 400, iam.list_roles, Marker="nothing")
    refused("bad MaxItems", "ValidationError", 400, iam.list_roles, MaxItems=1001)
    local = iam.list_policies(Scope="Local")["Policies"]
    aws = [it["PolicyName"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for it in page["Policies"]]
    check("aws's policies", local == [] and {"AmazonEKSClusterPolicy", "AmazonEKS_CNI_Policy", "ReadOnlyAccess"} <= set(aws) and len(aws) > 100)
    summary = iam.get_account_summary()["SummaryMap"]
    check("summary", summary["Roles"] >= 5 and summary["PolicySizeQuota"] == 6144)
    details = list(iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role", "User"], PaginationConfig={"PageSize": 3}))
    roles = [it["RoleName"] for page in details for it in page["RoleDetailList"]]
    check("details", {f"page{number}" for number in range(5)} <= set(roles) and len(roles) == len(set(roles)))
    iam.create_account_alias(AccountAlias="sandbox-1")
    check("alias", iam.list_account_aliases()["AccountAliases"] == ["sandbox-1"])
    iam.delete_account_alias(AccountAlias="sandbox-1")
    for number in range(5):
        iam.delete_role(RoleName=f"page{number}")


role = roles()
arn = policies(role)
profiles(role)
deletion(role, arn)
users()
simulation()
web_identity(*providers())
sessions()
linked()
account()
print(f"{calls} calls, {passed} checks passed" + (f", {failed} failed" if failed else ""))
sys.exit(1 if failed else 0)
