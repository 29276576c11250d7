"""Clusters and their updates."""

import json

from roles import TRUST

EKS_TRUST = json.dumps(TRUST).replace("ec2.amazonaws.com", "eks.amazonaws.com")
UNKNOWN_CLUSTER = {"clusterName": "nobody"}


class Stage:
    """A cluster that is active, with what a node group needs."""

    def __init__(self, player, name):
        self.player, self.name = player, name
        self.ec2, self.iam, self.eks = (player.service(service) for service in ("ec2", "iam", "eks"))
        block = {"comparison": 30, "groups": 31, "addons": 32, "access": 33}[name]
        self.vpc = self.ec2("CreateVpc", f"of {name}, for clusters", CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2("CreateSubnet", f"for {name} in {zone}", VpcId=self.vpc, CidrBlock=f"10.{block}.{n}.0/24",
                     AvailabilityZone=f"us-east-1{zone}")["Subnet"]["SubnetId"]
            for n, zone in enumerate("ab")
        ]
        self.role = self.iam("CreateRole", f"for {name}", RoleName=f"{name}-cluster", AssumeRolePolicyDocument=EKS_TRUST)["Role"]["Arn"]
        self.iam("AttachRolePolicy", f"for {name}", RoleName=f"{name}-cluster", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
        self.node_role = self.iam("CreateRole", f"for nodes of {name}", RoleName=f"{name}-node", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"):
            self.iam("AttachRolePolicy", f"{policy} for {name}", RoleName=f"{name}-node", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")

    def cluster(self, **more):
        return {"name": self.name, "roleArn": self.role, "resourcesVpcConfig": {"subnetIds": self.subnets}, **more}

    def create(self, **more):
        self.eks("CreateCluster", f"for {self.name}", **self.cluster(**more))
        self.active()

    def active(self):
        self.player.until("eks", "DescribeCluster", lambda it: it["cluster"]["status"] == "ACTIVE", name=self.name)

    def updated(self, update, **of):
        """Waits until an update ends."""
        where = {"name": self.name, "updateId": update, **of}
        self.player.until("eks", "DescribeUpdate", lambda it: it["update"]["status"] != "InProgress", **where)

    def close(self):
        self.eks("DeleteCluster", f"of {self.name}", name=self.name)
        self.player.until("eks", "DescribeCluster", lambda it: it["Error"] == "ResourceNotFoundException", name=self.name)
        for subnet, zone in zip(self.subnets, "ab"):
            self.ec2("DeleteSubnet", f"of {self.name} in {zone}", SubnetId=subnet)
        self.ec2("DeleteVpc", f"of {self.name}", VpcId=self.vpc)


def play(player):
    stage = Stage(player, "comparison")
    eks = stage.eks
    eks("DescribeClusterVersions", "one", clusterVersions=["1.33"])
    refused(stage)
    life(stage)
    updates(stage)
    tagging(stage)
    eks("DeleteCluster", "unknown", name="nobody")
    eks("UpdateClusterConfig", "deletion protection", name=stage.name, deletionProtection=True)
    stage.active()
    eks("DeleteCluster", "protected", name=stage.name)
    eks("UpdateClusterConfig", "no deletion protection", name=stage.name, deletionProtection=False)
    stage.active()
    stage.close()
    eks("DescribeCluster", "deleted", name=stage.name)


def refused(stage):
    eks = stage.eks
    vpc = {"subnetIds": stage.subnets}
    eks("CreateCluster", "unknown subnets", **stage.cluster(name="refused-1", resourcesVpcConfig={
        "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}))
    eks("CreateCluster", "subnets in one zone", **stage.cluster(name="refused-2", resourcesVpcConfig={"subnetIds": stage.subnets[:1]}))
    eks("CreateCluster", "unknown group", **stage.cluster(name="refused-3", resourcesVpcConfig={**vpc, "securityGroupIds": ["sg-0123456789abcdef0"]}))
    eks("CreateCluster", "unknown role", **{**stage.cluster(name="refused-11"), "roleArn": "arn:aws:iam::123456789012:role/nobody"})
    eks("CreateCluster", "role that trusts another", **{**stage.cluster(name="refused-12"), "roleArn": stage.node_role})
    eks("CreateCluster", "role that is no ARN", **{**stage.cluster(name="refused-13"), "roleArn": "nonsense"})
    eks("CreateCluster", "unknown version", **stage.cluster(name="refused-4", version="9.99"))
    eks("CreateCluster", "bad name", **{**stage.cluster(), "name": "-a b"})
    eks("CreateCluster", "name too long", **{**stage.cluster(), "name": "n" * 101})
    eks("CreateCluster", "without subnets", name="x", roleArn=stage.role, resourcesVpcConfig={})
    eks("CreateCluster", "no endpoint at all", **stage.cluster(name="refused-5", resourcesVpcConfig={
        **vpc, "endpointPublicAccess": False, "endpointPrivateAccess": False}))
    eks("CreateCluster", "bad CIDR", **stage.cluster(name="refused-6", resourcesVpcConfig={**vpc, "publicAccessCidrs": ["nonsense"]}))
    eks("CreateCluster", "service block of another kind", **stage.cluster(name="refused-7", kubernetesNetworkConfig={"serviceIpv4Cidr": "8.8.0.0/16"}))
    eks("CreateCluster", "unknown log type", **stage.cluster(name="refused-8", logging={"clusterLogging": [{"types": ["nonsense"], "enabled": True}]}))
    eks("CreateCluster", "unknown authentication mode", **stage.cluster(name="refused-9", accessConfig={"authenticationMode": "NONSENSE"}))
    eks("CreateCluster", "reserved tag", **stage.cluster(name="refused-10", tags={"aws:x": "y"}))


def life(stage):
    eks = stage.eks
    given = stage.cluster(
        version="1.33", clientRequestToken="comparison-cluster", tags={"team": "x"},
        logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
        accessConfig={"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True},
        kubernetesNetworkConfig={"serviceIpv4Cidr": "172.20.0.0/16"},
    )
    eks("CreateCluster", "plain", **given)
    eks("CreateNodegroup", "of a cluster that is being made", clusterName=stage.name, nodegroupName="early", subnets=stage.subnets, nodeRole=stage.node_role)
    eks("CreateCluster", "same token", **given)
    eks("CreateCluster", "same name", **stage.cluster())
    stage.active()
    eks("DescribeCluster", "active", name=stage.name)
    eks("DescribeCluster", "unknown", name="nobody")
    eks("ListClusters", "plain")
    eks("ListClusters", "page too large", maxResults=101)
    eks("ListClusters", "broken token", nextToken="nonsense")


def updates(stage):
    eks, name = stage.eks, stage.name

    def change(case, **what):
        update = eks("UpdateClusterConfig", case, name=name, **what)["update"]["id"]
        return update

    def finished(update):
        stage.updated(update)
        stage.active()

    first = change("logging", logging={"clusterLogging": [{"types": ["scheduler"], "enabled": True}]})
    change("while another runs", logging={"clusterLogging": [{"types": ["authenticator"], "enabled": True}]})
    eks("DescribeUpdate", "running", name=name, updateId=first)
    finished(first)
    eks("DescribeUpdate", "finished", name=name, updateId=first)
    eks("DescribeUpdate", "unknown", name=name, updateId="2f5b7c0e-1111-2222-3333-444455556666")
    eks("DescribeUpdate", "of an unknown cluster", name="nobody", updateId="2f5b7c0e-1111-2222-3333-444455556666")
    eks("DescribeCluster", "log types are merged", name=name)
    change("no changes", logging={"clusterLogging": [{"types": ["scheduler"], "enabled": True}]})
    change("two kinds in one call", logging={"clusterLogging": [{"types": ["api"], "enabled": False}]},
           resourcesVpcConfig={"endpointPrivateAccess": True})
    change("nothing")
    finished(change("endpoints", resourcesVpcConfig={"endpointPrivateAccess": True, "publicAccessCidrs": ["10.0.0.0/8"]}))
    eks("DescribeCluster", "endpoints changed", name=name)
    change("no endpoint at all", resourcesVpcConfig={"endpointPrivateAccess": False, "endpointPublicAccess": False})
    finished(change("authentication mode", accessConfig={"authenticationMode": "API"}))
    change("authentication mode backwards", accessConfig={"authenticationMode": "CONFIG_MAP"})
    eks("UpdateClusterConfig", "unknown", name="nobody", deletionProtection=True)
    eks("UpdateClusterVersion", "unknown cluster", name="nobody", version="1.34")
    eks("UpdateClusterVersion", "backwards", name=name, version="1.32")
    eks("UpdateClusterVersion", "two at once", name=name, version="1.35")
    eks("UpdateClusterVersion", "unknown version", name=name, version="9.99")
    finished(eks("UpdateClusterVersion", "plain", name=name, version="1.34")["update"]["id"])
    eks("DescribeCluster", "of the next version", name=name)
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    given = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    finished(eks("AssociateEncryptionConfig", "plain", clusterName=name, encryptionConfig=given)["update"]["id"])
    eks("AssociateEncryptionConfig", "again", clusterName=name, encryptionConfig=given)
    eks("AssociateEncryptionConfig", "unknown resource", clusterName=name, encryptionConfig=[{"resources": ["pods"], "provider": {"keyArn": key}}])
    eks("AssociateEncryptionConfig", "unknown", clusterName="nobody", encryptionConfig=given)
    eks("ListUpdates", "of the cluster", name=name)
    eks("ListUpdates", "unknown", name="nobody")


def tagging(stage):
    eks = stage.eks
    arn = f"arn:aws:eks:us-east-1:123456789012:cluster/{stage.name}"
    unknown = "arn:aws:eks:us-east-1:123456789012:cluster/nobody"
    eks("TagResource", "plain", resourceArn=arn, tags={"env": "y"})
    eks("TagResource", "unknown", resourceArn=unknown, tags={"env": "y"})
    eks("TagResource", "no ARN", resourceArn="nonsense", tags={"env": "y"})
    eks("ListTagsForResource", "plain", resourceArn=arn)
    eks("ListTagsForResource", "unknown", resourceArn=unknown)
    eks("UntagResource", "plain", resourceArn=arn, tagKeys=["env"])
    eks("UntagResource", "not there", resourceArn=arn, tagKeys=["env"])
    eks("UntagResource", "unknown", resourceArn=unknown, tagKeys=["env"])
    eks("ListTagsForResource", "untagged", resourceArn=arn)
    eks("TagResource", "reserved", resourceArn=arn, tags={"aws:x": "y"})
    eks("TagResource", "too many", resourceArn=arn, tags={f"k{n}": "" for n in range(51)})
