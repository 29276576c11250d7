"""EKS by boto3: clusters, node groups, Fargate profiles, add-ons, access entries, updates.

Needs AWS_ENDPOINT_URL (a sandbox), and keys in the environment. Exits 1 when a check fails.
"""

import base64
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(region_name="us-east-1", retries={"max_attempts": 1})
eks, ec2, iam = (boto3.client(name, config=config) for name in ("eks", "ec2", "iam"))
calls, passed, failed = 0, 0, []


def count(**_):
    global calls
    calls += 1


for client in (eks, ec2, iam):
    client.meta.events.register("after-call.*", count)


def check(name, condition):
    global passed
    if condition:
        passed += 1
    else:
        failed.append(name)
        print("FAILED", name)


def refusal(call, **arguments):
    """The code, message and answer of a call that must be refused."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"], error.response
    return "none", str(answer), {}


def wait(what, ready, seconds=60):
    """Polls until `ready` answers something true."""
    end = time.time() + seconds
    while time.time() < end:
        answer = ready()
        if answer:
            return answer
        time.sleep(0.1)
    print("gave up waiting for", what)
    failed.append(what)
    return None


def trust(service, *actions):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions or ["sts:AssumeRole"])}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(name, service, *actions):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service, *actions))["Role"]["Arn"]


def of(update, **target):
    """Waits for the end of an update and answers it."""
    look = lambda: eks.describe_update(name="boto", updateId=update["id"], **target)["update"]
    return wait(update["type"], lambda: (lambda it: it if it["status"] != "InProgress" else None)(look()))


# What a cluster needs.
cluster_role = role("boto-cluster", "eks.amazonaws.com")
node_role = role("boto-node", "ec2.amazonaws.com")
fargate_role = role("boto-fargate", "eks-fargate-pods.amazonaws.com")
pod_role = role("boto-pod", "pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
subnets = [
    ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"us-east-1{letter}")["Subnet"]["SubnetId"]
    for number, letter in enumerate("abc")
]

# What is on offer.
versions = eks.describe_cluster_versions()["clusterVersions"]
check("versions are listed", {"1.34", "1.35", "1.36"} <= {it["clusterVersion"] for it in versions})
check("one version is the default", [it["defaultVersion"] for it in versions].count(True) == 1)
check("a version has dates", versions[0]["endOfStandardSupportDate"] < versions[0]["endOfExtendedSupportDate"])
check("versions are filtered", [it["clusterVersion"] for it in eks.describe_cluster_versions(clusterVersions=["1.35"])["clusterVersions"]] == ["1.35"])
addons = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.35")["addons"][0]["addonVersions"]
check("add-on versions fit", all(c["clusterVersion"] == "1.35" for a in addons for c in a["compatibilities"]))
check("one is the default", sum(c["defaultVersion"] for a in addons for c in a["compatibilities"]) == 1)
newest = addons[0]["addonVersion"]
schema = json.loads(eks.describe_addon_configuration(addonName="vpc-cni", addonVersion=newest)["configurationSchema"])
check("the schema is draft-06", "draft-06" in schema["$schema"] and schema["definitions"]["Env"]["additionalProperties"] is False)
policies = [it["name"] for page in eks.get_paginator("list_access_policies").paginate(PaginationConfig={"PageSize": 5}) for it in page["accessPolicies"]]
check("access policies come in pages", "AmazonEKSClusterAdminPolicy" in policies and len(policies) == len(set(policies)) > 10)

# A cluster.
asked = dict(
    name="boto",
    version="1.35",
    roleArn=cluster_role,
    resourcesVpcConfig={"subnetIds": subnets},
    accessConfig={"authenticationMode": "API"},
    tags={"team": "a"},
    clientRequestToken="boto-cluster",
)
for change, said in [
    ({"name": "-boto"}, "invalid characters"),
    ({"version": "1.2"}, "unsupported Kubernetes version"),
    ({"roleArn": cluster_role + "x"}, "could not be assumed"),
    ({"roleArn": node_role}, "trusted entity is not correct"),
    ({"resourcesVpcConfig": {"subnetIds": ["subnet-0123456789abcdef0"]}}, "does not exist"),
    ({"resourcesVpcConfig": {"subnetIds": subnets[:1]}}, "two different AZs"),
    ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.20.0.0/20"}}, "overlap"),
]:
    code, message, answer = refusal(eks.create_cluster, **{**asked, **change, "clientRequestToken": "x" + said})
    check(f"a cluster with {change} is refused", code == "InvalidParameterException" and said in message)
    check("the refusal names the cluster", answer.get("clusterName") == {**asked, **change}["name"])
made = eks.create_cluster(**asked)["cluster"]
check("it is being made", made["status"] == "CREATING" and "endpoint" not in made)
check("it is where its subnets are", made["resourcesVpcConfig"]["vpcId"] == vpc)
check("the token answers the same cluster", eks.create_cluster(**asked)["cluster"]["arn"] == made["arn"])
code, message, _ = refusal(eks.create_cluster, **{**asked, "clientRequestToken": "other"})
check("a second of that name is refused", (code, message) == ("ResourceInUseException", "Cluster already exists with name: boto"))
group_asked = dict(
    clusterName="boto",
    nodegroupName="nodes",
    nodeRole=node_role,
    subnets=subnets,
    instanceTypes=["m5.large"],
    scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2},
    labels={"a": "b"},
    clientRequestToken="boto-group",
)
code, message, _ = refusal(eks.create_nodegroup, **group_asked)
check("a cluster that is being made has no nodes", code == "InvalidRequestException" and "not in ACTIVE status" in message)
eks.get_waiter("cluster_active").wait(name="boto", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
there = eks.describe_cluster(name="boto")["cluster"]
pem = base64.b64decode(there["certificateAuthority"]["data"])
check("its authority is a certificate", pem.startswith(b"-----BEGIN CERTIFICATE-----"))
check("it has an endpoint and an issuer", there["endpoint"].startswith("https://") and "/id/" in there["identity"]["oidc"]["issuer"])
check("nothing is wrong with it", there["health"]["issues"] == [] and there["platformVersion"].startswith("eks."))
check("its settings are told", there["upgradePolicy"]["supportType"] == "EXTENDED" and there["deletionProtection"] is False)
cluster_group = there["resourcesVpcConfig"]["clusterSecurityGroupId"]
group = ec2.describe_security_groups(GroupIds=[cluster_group])["SecurityGroups"][0]
check("its group is tagged", {"Key": "kubernetes.io/cluster/boto", "Value": "owned"} in group["Tags"])
check("its group lets itself in", group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == cluster_group)
interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["Amazon EKS boto"]}])["NetworkInterfaces"]
check("its interfaces are there", len(interfaces) >= 2 and all(it["Groups"][0]["GroupId"] == cluster_group for it in interfaces))
check("clusters are listed", "boto" in eks.list_clusters()["clusters"])
code, message, answer = refusal(eks.describe_cluster, name="none")
check("an unknown cluster is not found", (code, message) == ("ResourceNotFoundException", "No cluster found for name: none."))
check("with status 404", answer["ResponseMetadata"]["HTTPStatusCode"] == 404)

# Its configuration.
for change, said in [
    ({}, "No changes needed"),
    ({"logging": {"clusterLogging": [{"types": ["api"], "enabled": False}]}}, "No changes needed for the logging config"),
    ({"deletionProtection": True, "zonalShiftConfig": {"enabled": True}}, "Only one type of update can be allowed."),
    ({"resourcesVpcConfig": {"endpointPublicAccess": True}}, "Cluster is already at the desired configuration"),
    ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "Unsupported authentication mode update"),
]:
    code, message, _ = refusal(eks.update_cluster_config, name="boto", **change)
    check(f"{change} is refused", code == "InvalidParameterException" and said in message)
for change, kind in [
    ({"logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]}}, "LoggingUpdate"),
    ({"resourcesVpcConfig": {"endpointPrivateAccess": True}}, "EndpointAccessUpdate"),
    ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate"),
    ({"deletionProtection": True}, "DeletionProtectionUpdate"),
]:
    update = eks.update_cluster_config(name="boto", **change)["update"]
    check(f"{kind} runs", (update["type"], update["status"]) == (kind, "InProgress"))
    code, message, _ = refusal(eks.update_cluster_config, name="boto", zonalShiftConfig={"enabled": True})
    check("a second one is refused", code == "ResourceInUseException" and update["id"] in message)
    check(f"{kind} ends", of(update)["status"] == "Successful")
there = eks.describe_cluster(name="boto")["cluster"]
check("logging is merged", there["logging"]["clusterLogging"][0] == {"types": ["api", "audit"], "enabled": True})
check("access is both", there["resourcesVpcConfig"]["endpointPrivateAccess"] and there["resourcesVpcConfig"]["endpointPublicAccess"])
check("protection is on", refusal(eks.delete_cluster, name="boto")[0] == "InvalidRequestException")
of(eks.update_cluster_config(name="boto", deletionProtection=False)["update"])
check("updates are listed", len(eks.list_updates(name="boto")["updateIds"]) == 5)
page = eks.list_updates(name="boto", maxResults=2)
check("in pages", len(page["updateIds"]) == 2 and len(eks.list_updates(name="boto", nextToken=page["nextToken"])["updateIds"]) == 3)
check("a bad token is refused", refusal(eks.list_updates, name="boto", nextToken="?")[0] == "InvalidParameterException")

# A node group.
for change, said in [
    ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}}, "minSize can't be greater than maxSize"),
    ({"nodeRole": node_role + "x"}, "does not exist"),
    ({"nodeRole": cluster_role}, "ec2.amazonaws.com"),
    ({"version": "1.34"}, "1.35"),
    ({"instanceTypes": ["m5.huge"]}, "do not exist: [m5.huge]"),
    ({"labels": {"kubernetes.io/a": "b"}}, "reserved prefixes"),
]:
    code, message, _ = refusal(eks.create_nodegroup, **{**group_asked, **change, "clientRequestToken": "x" + said})
    check(f"a node group with {change} is refused", code == "InvalidParameterException" and said in message)
made = eks.create_nodegroup(**group_asked)["nodegroup"]
check("a node group is being made", made["status"] == "CREATING" and made["version"] == "1.35")
check("its defaults are told", made["updateConfig"]["maxUnavailable"] == 1 and made["capacityType"] == "ON_DEMAND" and made["diskSize"] == 20)
check("the token answers the same group", eks.create_nodegroup(**group_asked)["nodegroup"]["nodegroupArn"] == made["nodegroupArn"])
eks.get_waiter("nodegroup_active").wait(clusterName="boto", nodegroupName="nodes", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
there = eks.describe_nodegroup(clusterName="boto", nodegroupName="nodes")["nodegroup"]
check("it has an Auto Scaling group", there["resources"]["autoScalingGroups"][0]["name"].startswith("eks-nodes-"))


def nodes():
    filters = [{"Name": "tag:eks:nodegroup-name", "Values": ["nodes"]}, {"Name": "instance-state-name", "Values": ["pending", "running"]}]
    return [it for page in ec2.describe_instances(Filters=filters)["Reservations"] for it in page["Instances"]]


check("its nodes are instances", len(nodes()) == 2 and {it["SubnetId"] for it in nodes()} == set(subnets[:2]))
check("in the cluster's group", all(it["SecurityGroups"][0]["GroupId"] == cluster_group for it in nodes()))
entry = eks.describe_access_entry(clusterName="boto", principalArn=node_role)["accessEntry"]
check("its role has an entry", entry["type"] == "EC2_LINUX" and entry["username"] == "system:node:{{EC2PrivateDNSName}}")
code, message, _ = refusal(eks.delete_cluster, name="boto")
check("a cluster with nodes stays", (code, message) == ("ResourceInUseException", "Cluster has nodegroups attached"))
code, message, _ = refusal(eks.update_nodegroup_config, clusterName="boto", nodegroupName="nodes", scalingConfig={"minSize": 3})
check("sizes are checked", "Minimum capacity 3 can't be greater than desired size 2" in message)
update = eks.update_nodegroup_config(
    clusterName="boto",
    nodegroupName="nodes",
    scalingConfig={"desiredSize": 3},
    labels={"addOrUpdateLabels": {"c": "d"}, "removeLabels": ["a"]},
    taints={"addOrUpdateTaints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}]},
)["update"]
check("its configuration is an update", update["type"] == "ConfigUpdate" and {"type": "DesiredSize", "value": "3"} in update["params"])
check("a second one is refused", refusal(eks.update_nodegroup_config, clusterName="boto", nodegroupName="nodes", labels={"removeLabels": ["c"]})[0] == "ResourceInUseException")
check("it ends", of(update, nodegroupName="nodes")["status"] == "Successful")
there = eks.describe_nodegroup(clusterName="boto", nodegroupName="nodes")["nodegroup"]
check("labels and taints are as asked", there["labels"] == {"c": "d"} and there["taints"][0]["effect"] == "NO_SCHEDULE")
check("there is one node more", len(nodes()) == 3)

# Versions.
for version, said in [("1.37", "unsupported"), ("1.34", "Unsupported Kubernetes minor version update")]:
    code, message, _ = refusal(eks.update_cluster_version, name="boto", version=version)
    check(f"1.35 to {version} is refused", code == "InvalidParameterException" and said in message)
check("nodes are not newer", refusal(eks.update_nodegroup_version, clusterName="boto", nodegroupName="nodes", version="1.36")[0] == "InvalidParameterException")
check("the cluster rises", of(eks.update_cluster_version(name="boto", version="1.36")["update"])["status"] == "Successful")
check("to its version", eks.describe_cluster(name="boto")["cluster"]["version"] == "1.36")
before = {it["InstanceId"] for it in nodes()}
update = eks.update_nodegroup_version(clusterName="boto", nodegroupName="nodes", version="1.36")["update"]
check("its nodes rise", update["type"] == "VersionUpdate" and of(update, nodegroupName="nodes")["status"] == "Successful")
there = eks.describe_nodegroup(clusterName="boto", nodegroupName="nodes")["nodegroup"]
check("to its version", there["version"] == "1.36" and there["releaseVersion"].startswith("1.36."))
check("they are other machines", len(nodes()) == 3 and not before & {it["InstanceId"] for it in nodes()})

# Add-ons.
values = json.dumps({"env": {"ENABLE_POD_ENI": "true"}, "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}})
for change, said in [
    ({"addonName": "nope"}, "Addon specified is not supported"),
    ({"addonVersion": "v0.0.0-eksbuild.1"}, "Addon version specified is not supported"),
    ({"configurationValues": '{"InitEnv":{}}'}, "[$.InitEnv: is not defined in the schema and the schema does not allow additional properties]"),
    ({"configurationValues": '{"env":{"ENABLE_POD_ENI":true}}'}, "[$.env.ENABLE_POD_ENI: boolean found, string expected]"),
]:
    code, message, answer = refusal(eks.create_addon, **{"clusterName": "boto", "addonName": "vpc-cni", **change})
    check(f"an add-on with {change} is refused", code == "InvalidParameterException" and said in message)
asked = dict(clusterName="boto", addonName="vpc-cni", configurationValues=values, clientRequestToken="boto-addon")
made = eks.create_addon(**asked)["addon"]
check("an add-on is being made", made["status"] == "CREATING" and made["configurationValues"] == values)
check("the token answers the same", eks.create_addon(**asked)["addon"]["addonArn"] == made["addonArn"])
check("a second is refused", refusal(eks.create_addon, clusterName="boto", addonName="vpc-cni")[:2] == ("ResourceInUseException", "Addon already exists."))
eks.get_waiter("addon_active").wait(clusterName="boto", addonName="vpc-cni", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
update = eks.update_addon(clusterName="boto", addonName="vpc-cni", addonVersion=newest, resolveConflicts="PRESERVE")["update"]
check("its update tells its params", {"type": "AddonVersion", "value": newest} in update["params"])
check("it ends", of(update, addonName="vpc-cni")["status"] == "Successful")
there = eks.describe_addon(clusterName="boto", addonName="vpc-cni")["addon"]
check("values are preserved", there["addonVersion"] == newest and there["configurationValues"] == values)
check("add-ons are listed", eks.list_addons(clusterName="boto")["addons"] == ["vpc-cni"])

# Who may come in.
for change, said in [
    ({"principalArn": pod_role + "x"}, "invalid principal"),
    ({"kubernetesGroups": ["system:masters"]}, "cannot start with system:"),
    ({"type": "EC2_LINUX", "username": "x"}, "can't be specified"),
]:
    code, message, _ = refusal(eks.create_access_entry, **{"clusterName": "boto", "principalArn": pod_role, **change})
    check(f"an entry with {change} is refused", code == "InvalidParameterException" and said in message)
entry = eks.create_access_entry(clusterName="boto", principalArn=pod_role, kubernetesGroups=["devs"])["accessEntry"]
check("an entry has a name", entry["username"].endswith("assumed-role/boto-pod/{{SessionName}}"))
view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
scope = {"type": "namespace", "namespaces": ["a"]}
check("an unknown policy is refused", refusal(eks.associate_access_policy, clusterName="boto", principalArn=pod_role, policyArn=view + "x", accessScope=scope)[0] == "InvalidParameterException")
eks.associate_access_policy(clusterName="boto", principalArn=pod_role, policyArn=view, accessScope=scope)
found = eks.list_associated_access_policies(clusterName="boto", principalArn=pod_role)["associatedAccessPolicies"]
check("a policy is associated", found[0]["policyArn"] == view and found[0]["accessScope"]["namespaces"] == ["a"])
check("entries are found by policy", eks.list_access_entries(clusterName="boto", associatedPolicyArn=view)["accessEntries"] == [pod_role])
eks.disassociate_access_policy(clusterName="boto", principalArn=pod_role, policyArn=view)
check("and dissociated", eks.list_associated_access_policies(clusterName="boto", principalArn=pod_role)["associatedAccessPolicies"] == [])
eks.update_access_entry(clusterName="boto", principalArn=pod_role, kubernetesGroups=["ops"])
check("groups change", eks.describe_access_entry(clusterName="boto", principalArn=pod_role)["accessEntry"]["kubernetesGroups"] == ["ops"])
eks.delete_access_entry(clusterName="boto", principalArn=pod_role)
check("an entry goes", refusal(eks.describe_access_entry, clusterName="boto", principalArn=pod_role)[0] == "ResourceNotFoundException")
asked = dict(clusterName="boto", namespace="default", serviceAccount="app", roleArn=pod_role)
check("pods need a role of theirs", "Trust policy" in refusal(eks.create_pod_identity_association, **{**asked, "roleArn": node_role})[1])
association = eks.create_pod_identity_association(**asked)["association"]
check("an account has one role", refusal(eks.create_pod_identity_association, **asked)[1] == f"Association already exists: {association['associationId']}")
check("associations are listed", eks.list_pod_identity_associations(clusterName="boto", serviceAccount="app")["associations"][0]["associationArn"] == association["associationArn"])

# Fargate.
asked = dict(clusterName="boto", podExecutionRoleArn=fargate_role, subnets=subnets, selectors=[{"namespace": "serverless"}])
check("Fargate's role must be Fargate's", "Misconfigured PodExecutionRole Trust Policy" in refusal(eks.create_fargate_profile, fargateProfileName="p", **{**asked, "podExecutionRoleArn": node_role})[1])
made = eks.create_fargate_profile(fargateProfileName="p", **asked)["fargateProfile"]
code, message, _ = refusal(eks.create_fargate_profile, fargateProfileName="q", **asked)
check("one profile at a time", code == "ResourceInUseException" and "currently has Fargate profile p in status CREATING" in message)
eks.get_waiter("fargate_profile_active").wait(clusterName="boto", fargateProfileName="p", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
check("its role has an entry", eks.describe_access_entry(clusterName="boto", principalArn=fargate_role)["accessEntry"]["type"] == "FARGATE_LINUX")
check("profiles are listed", eks.list_fargate_profiles(clusterName="boto")["fargateProfileNames"] == ["p"])

# Tags, encryption, identity providers, insights.
arn = eks.describe_cluster(name="boto")["cluster"]["arn"]
eks.tag_resource(resourceArn=arn, tags={"x": "y"})
eks.untag_resource(resourceArn=arn, tagKeys=["team"])
check("tags are as asked", eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"x": "y"})
check("an unknown resource has none", refusal(eks.tag_resource, resourceArn=arn + "x", tags={"a": "b"})[0] == "NotFoundException")
key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
update = eks.associate_encryption_config(clusterName="boto", encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key}}])["update"]
check("encryption is an update", update["type"] == "AssociateEncryptionConfig" and of(update)["status"] == "Successful")
check("its key is told", eks.describe_cluster(name="boto")["cluster"]["encryptionConfig"][0]["provider"]["keyArn"] == key)
oidc = {"identityProviderConfigName": "idp", "issuerUrl": "https://example.com", "clientId": "k"}
of(eks.associate_identity_provider_config(clusterName="boto", oidc=oidc)["update"])
provider = {"type": "oidc", "name": "idp"}
check("a provider is there", eks.describe_identity_provider_config(clusterName="boto", identityProviderConfig=provider)["identityProviderConfig"]["oidc"]["status"] == "ACTIVE")
of(eks.disassociate_identity_provider_config(clusterName="boto", identityProviderConfig=provider)["update"])
check("and gone", eks.list_identity_provider_configs(clusterName="boto")["identityProviderConfigs"] == [])
check("there are no insights", eks.list_insights(clusterName="boto")["insights"] == [])

# The end.
check("a deletion shows", eks.delete_addon(clusterName="boto", addonName="vpc-cni")["addon"]["status"] == "DELETING")
eks.get_waiter("addon_deleted").wait(clusterName="boto", addonName="vpc-cni", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
eks.delete_fargate_profile(clusterName="boto", fargateProfileName="p")
eks.get_waiter("fargate_profile_deleted").wait(clusterName="boto", fargateProfileName="p", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
eks.delete_nodegroup(clusterName="boto", nodegroupName="nodes")
eks.get_waiter("nodegroup_deleted").wait(clusterName="boto", nodegroupName="nodes", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
check("its nodes are gone", nodes() == [])
check("a cluster is being removed", eks.delete_cluster(name="boto")["cluster"]["status"] == "DELETING")
eks.get_waiter("cluster_deleted").wait(name="boto", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
check("its interfaces are gone", ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["Amazon EKS boto"]}])["NetworkInterfaces"] == [])
check("its group is gone", refusal(ec2.describe_security_groups, GroupIds=[cluster_group])[0] == "InvalidGroup.NotFound")
free = lambda: all(refusal(ec2.delete_subnet, SubnetId=subnet)[0] in ("none", "InvalidSubnetID.NotFound") for subnet in subnets)
check("its subnets can go", wait("subnets", free))
check("and the VPC", refusal(ec2.delete_vpc, VpcId=vpc)[0] == "none")
for name in ("boto-cluster", "boto-node", "boto-fargate", "boto-pod"):
    iam.delete_role(RoleName=name)

print(f"{calls} calls, {passed} checks passed")
sys.exit(1 if failed else 0)
