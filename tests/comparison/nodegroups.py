"""Managed node groups and Fargate profiles."""

from clusters import Stage


def play(player):
    stage = Stage(player, "groups")
    stage.create(version="1.33")
    eks, name = stage.eks, stage.name
    plain = {"clusterName": name, "subnets": stage.subnets, "nodeRole": stage.node_role}
    sized = {"scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2}}
    refused(eks, plain, sized)
    given = {**plain, **sized, "nodegroupName": "workers", "instanceTypes": ["m5.large"], "labels": {"pool": "a"}, "tags": {"team": "x"},
             "taints": [{"key": "dedicated", "value": "db", "effect": "NO_SCHEDULE"}], "updateConfig": {"maxUnavailable": 1},
             "clientRequestToken": "comparison-nodegroup", "diskSize": 30, "amiType": "AL2023_x86_64_STANDARD"}
    eks("CreateNodegroup", "plain", **given)
    eks("CreateNodegroup", "same token", **given)
    eks("CreateNodegroup", "same name", **plain, **sized, nodegroupName="workers")
    of = {"clusterName": name, "nodegroupName": "workers"}
    active(player, of)
    eks("DescribeNodegroup", "active", **of)
    eks("DescribeNodegroup", "unknown", clusterName=name, nodegroupName="nobody")
    eks("DescribeNodegroup", "of an unknown cluster", clusterName="nobody", nodegroupName="nobody")
    eks("ListNodegroups", "plain", clusterName=name)
    eks("ListNodegroups", "unknown", clusterName="nobody")
    changes(stage, of)
    versions(stage, of)
    fargate(stage, player)
    eks("DeleteCluster", "has node groups", name=name)
    eks("DeleteNodegroup", "plain", **of)
    player.until("eks", "DescribeNodegroup", lambda it: it["Error"] == "ResourceNotFoundException", **of)
    eks("DeleteNodegroup", "again", **of)
    eks("DeleteNodegroup", "of an unknown cluster", clusterName="nobody", nodegroupName="nobody")
    stage.close()


def active(player, of):
    player.until("eks", "DescribeNodegroup", lambda it: it["nodegroup"]["status"] == "ACTIVE", **of)


def refused(eks, plain, sized):
    eks("CreateNodegroup", "unknown cluster", **{**plain, "clusterName": "nobody"}, nodegroupName="refused-1")
    eks("CreateNodegroup", "unknown subnet", **{**plain, "subnets": ["subnet-0123456789abcdef0"]}, nodegroupName="refused-2")
    eks("CreateNodegroup", "unknown role", **{**plain, "nodeRole": "arn:aws:iam::123456789012:role/nobody"}, nodegroupName="refused-3")
    eks("CreateNodegroup", "minimum above maximum", **plain, nodegroupName="refused-4", scalingConfig={"minSize": 3, "maxSize": 1, "desiredSize": 3})
    eks("CreateNodegroup", "wanted above maximum", **plain, nodegroupName="refused-5", scalingConfig={"minSize": 1, "maxSize": 2, "desiredSize": 3})
    eks("CreateNodegroup", "unknown instance type", **plain, **sized, nodegroupName="refused-6", instanceTypes=["x9.huge"])
    eks("CreateNodegroup", "unknown image type", **plain, **sized, nodegroupName="refused-7", amiType="NONSENSE")
    eks("CreateNodegroup", "unknown capacity type", **plain, **sized, nodegroupName="refused-8", capacityType="NONSENSE")
    eks("CreateNodegroup", "older than allowed", **plain, **sized, nodegroupName="refused-9", version="1.20")
    eks("CreateNodegroup", "newer than the cluster", **plain, **sized, nodegroupName="refused-10", version="1.34")
    eks("CreateNodegroup", "unknown taint effect", **plain, **sized, nodegroupName="refused-11", taints=[{"key": "a", "effect": "NONSENSE"}])
    eks("CreateNodegroup", "unknown launch template", **plain, **sized, nodegroupName="refused-12", launchTemplate={"id": "lt-0123456789abcdef0", "version": "1"})
    eks("CreateNodegroup", "bad name", **plain, **sized, nodegroupName="-a b")
    eks("CreateNodegroup", "reserved label", **plain, **sized, nodegroupName="refused-13", labels={"kubernetes.io/x": "y", "eks.amazonaws.com/z": "y"})


def changes(stage, of):
    eks, player = stage.eks, stage.player
    first = eks("UpdateNodegroupConfig", "size", **of, scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 3})["update"]["id"]
    eks("UpdateNodegroupConfig", "while another runs", **of, labels={"addOrUpdateLabels": {"zone": "b"}})
    eks("DescribeUpdate", "of a node group, running", name=stage.name, nodegroupName=of["nodegroupName"], updateId=first)
    stage.updated(first, nodegroupName=of["nodegroupName"])
    active(player, of)
    eks("DescribeUpdate", "of a node group, finished", name=stage.name, nodegroupName=of["nodegroupName"], updateId=first)
    second = eks("UpdateNodegroupConfig", "labels and taints", **of, labels={"addOrUpdateLabels": {"zone": "b"}, "removeLabels": ["pool"]},
                 taints={"removeTaints": [{"key": "dedicated", "value": "db", "effect": "NO_SCHEDULE"}]})["update"]["id"]
    stage.updated(second, nodegroupName=of["nodegroupName"])
    active(player, of)
    eks("DescribeNodegroup", "changed", **of)
    eks("UpdateNodegroupConfig", "minimum above maximum", **of, scalingConfig={"minSize": 5, "maxSize": 1, "desiredSize": 1})
    eks("UpdateNodegroupConfig", "nothing", **of)
    eks("UpdateNodegroupConfig", "unknown", clusterName=stage.name, nodegroupName="nobody", labels={"addOrUpdateLabels": {"a": "b"}})
    eks("UpdateNodegroupConfig", "of an unknown cluster", clusterName="nobody", nodegroupName="nobody", labels={"addOrUpdateLabels": {"a": "b"}})
    eks("ListUpdates", "of a node group", name=stage.name, nodegroupName=of["nodegroupName"])
    eks("TagResource", "a node group", resourceArn=f"arn:aws:eks:us-east-1:123456789012:nodegroup/{stage.name}/workers/nobody", tags={"a": "b"})


def versions(stage, of):
    eks = stage.eks
    eks("UpdateNodegroupVersion", "newer than the cluster", **of, version="1.34")
    eks("UpdateNodegroupVersion", "backwards", **of, version="1.32")
    eks("UpdateNodegroupVersion", "unknown", clusterName=stage.name, nodegroupName="nobody")
    eks("UpdateClusterVersion", "under a node group", name=stage.name, version="1.34")
    stage.active()
    update = eks("UpdateNodegroupVersion", "plain", **of, version="1.34")["update"]["id"]
    stage.updated(update, nodegroupName=of["nodegroupName"])
    active(stage.player, of)
    eks("DescribeNodegroup", "of the next version", **of)


def fargate(stage, player):
    eks = stage.eks
    role = stage.iam("CreateRole", "for Fargate", RoleName="groups-fargate", AssumeRolePolicyDocument=(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks-fargate-pods.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    ))["Role"]["Arn"]
    of = {"clusterName": stage.name, "fargateProfileName": "serverless"}
    given = {**of, "podExecutionRoleArn": role, "subnets": stage.subnets, "selectors": [{"namespace": "batch", "labels": {"a": "b"}}],
             "clientRequestToken": "comparison-fargate", "tags": {"team": "x"}}
    eks("CreateFargateProfile", "plain", **given)
    eks("CreateFargateProfile", "unknown subnet", **{**given, "subnets": ["subnet-0123456789abcdef0"], "clientRequestToken": "x", "fargateProfileName": "refused-x"})
    eks("CreateFargateProfile", "unknown role", **{**given, "podExecutionRoleArn": "arn:aws:iam::123456789012:role/nobody", "clientRequestToken": "y", "fargateProfileName": "refused-y"})
    eks("CreateFargateProfile", "without selectors", **{**given, "selectors": [], "clientRequestToken": "z", "fargateProfileName": "refused-z"})
    eks("CreateFargateProfile", "unknown cluster", **{**given, "clusterName": "nobody", "clientRequestToken": "w", "fargateProfileName": "refused-w"})
    player.until("eks", "DescribeFargateProfile", lambda it: it["fargateProfile"]["status"] == "ACTIVE", **of)
    eks("DescribeFargateProfile", "active", **of)
    eks("DescribeFargateProfile", "unknown", clusterName=stage.name, fargateProfileName="nobody")
    eks("ListFargateProfiles", "plain", clusterName=stage.name)
    eks("ListFargateProfiles", "unknown cluster", clusterName="nobody")
    eks("DeleteFargateProfile", "plain", **of)
    player.until("eks", "DescribeFargateProfile", lambda it: it["Error"] == "ResourceNotFoundException", **of)
    eks("DeleteFargateProfile", "again", **of)
