"""Add-ons and pod identity associations."""

import json

from clusters import Stage


def play(player):
    stage = Stage(player, "addons")
    stage.create(version="1.33")
    eks, name = stage.eks, stage.name
    offered(eks)
    addon = {"clusterName": name, "addonName": "vpc-cni"}
    settings = json.dumps({"env": {"ENABLE_POD_ENI": "true"}})
    given = {**addon, "configurationValues": settings, "resolveConflicts": "OVERWRITE", "clientRequestToken": "comparison-addon", "tags": {"team": "x"}}
    eks("CreateAddon", "unknown cluster", clusterName="nobody", addonName="vpc-cni")
    eks("CreateAddon", "unknown add-on", clusterName=name, addonName="nobody")
    eks("CreateAddon", "unknown version", **addon, addonVersion="v0.0.1")
    eks("CreateAddon", "settings against the schema", **addon, configurationValues=json.dumps({"nonsense": True}))
    eks("CreateAddon", "settings that are no JSON", **addon, configurationValues="{nonsense")
    eks("CreateAddon", "unknown resolution", **addon, resolveConflicts="NONSENSE")
    eks("CreateAddon", "unknown role", **addon, serviceAccountRoleArn="arn:aws:iam::123456789012:role/nobody")
    eks("CreateAddon", "plain", **given)
    eks("CreateAddon", "same token", **given)
    eks("CreateAddon", "same name", **addon)
    active(player, addon)
    eks("DescribeAddon", "active", **addon)
    eks("DescribeAddon", "unknown", clusterName=name, addonName="nobody")
    eks("DescribeAddon", "of an unknown cluster", clusterName="nobody", addonName="vpc-cni")
    eks("ListAddons", "plain", clusterName=name)
    eks("ListAddons", "unknown", clusterName="nobody")
    changes(stage, addon)
    eks("DeleteAddon", "plain", **addon)
    player.until("eks", "DescribeAddon", lambda it: it["Error"] == "ResourceNotFoundException", **addon)
    eks("DeleteAddon", "again", **addon)
    eks("DeleteAddon", "of an unknown cluster", clusterName="nobody", addonName="vpc-cni")
    pod_identity(stage)
    stage.close()


def active(player, addon):
    player.until("eks", "DescribeAddon", lambda it: it["addon"]["status"] in ("ACTIVE", "DEGRADED"), **addon)


def offered(eks):
    eks("DescribeAddonVersions", "one", addonName="vpc-cni", kubernetesVersion="1.33", maxResults=1)
    eks("DescribeAddonVersions", "unknown", addonName="nobody")
    eks("DescribeAddonVersions", "unknown Kubernetes version", addonName="vpc-cni", kubernetesVersion="9.99")
    eks("DescribeAddonConfiguration", "unknown add-on", addonName="nobody", addonVersion="v1.0.0-eksbuild.1")
    eks("DescribeAddonConfiguration", "unknown version", addonName="vpc-cni", addonVersion="v0.0.1")


def changes(stage, addon):
    eks = stage.eks
    update = eks("UpdateAddon", "settings", **addon, resolveConflicts="PRESERVE",
                 configurationValues=json.dumps({"env": {"ENABLE_POD_ENI": "false"}}))["update"]["id"]
    eks("DescribeUpdate", "of an add-on, running", name=stage.name, addonName="vpc-cni", updateId=update)
    stage.updated(update, addonName="vpc-cni")
    active(stage.player, addon)
    eks("DescribeUpdate", "of an add-on, finished", name=stage.name, addonName="vpc-cni", updateId=update)
    eks("DescribeAddon", "changed", **addon)
    eks("UpdateAddon", "unknown version", **addon, addonVersion="v0.0.1")
    eks("UpdateAddon", "settings against the schema", **addon, configurationValues=json.dumps({"nonsense": True}))
    eks("UpdateAddon", "unknown", clusterName=stage.name, addonName="coredns")
    eks("UpdateAddon", "of an unknown cluster", clusterName="nobody", addonName="vpc-cni")
    eks("ListUpdates", "of an add-on", name=stage.name, addonName="vpc-cni")


def pod_identity(stage):
    eks, name = stage.eks, stage.name
    trust = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},'
             '"Action":["sts:AssumeRole","sts:TagSession"]}]}')
    role = stage.iam("CreateRole", "for pods", RoleName="addons-pod", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    given = {"clusterName": name, "namespace": "app", "serviceAccount": "web", "roleArn": role, "clientRequestToken": "comparison-pod",
             "tags": {"team": "x"}}
    made = eks("CreatePodIdentityAssociation", "plain", **given)["association"]["associationId"]
    eks("CreatePodIdentityAssociation", "same token", **given)
    eks("CreatePodIdentityAssociation", "same account", **{**given, "clientRequestToken": "other"})
    eks("CreatePodIdentityAssociation", "unknown cluster", **{**given, "clusterName": "nobody", "clientRequestToken": "a"})
    eks("CreatePodIdentityAssociation", "unknown role", **{
        **given, "roleArn": "arn:aws:iam::123456789012:role/nobody", "serviceAccount": "x", "clientRequestToken": "b"})
    of = {"clusterName": name, "associationId": made}
    unknown = {"clusterName": name, "associationId": "a-0123456789abcdef0"}
    eks("DescribePodIdentityAssociation", "plain", **of)
    eks("DescribePodIdentityAssociation", "unknown", **unknown)
    eks("DescribePodIdentityAssociation", "of an unknown cluster", clusterName="nobody", associationId="a-0123456789abcdef0")
    eks("ListPodIdentityAssociations", "plain", clusterName=name)
    eks("ListPodIdentityAssociations", "of an unknown cluster", clusterName="nobody")
    eks("ListPodIdentityAssociations", "by namespace", clusterName=name, namespace="other")
    eks("ListPodIdentityAssociations", "by account", clusterName=name, namespace="app", serviceAccount="web")
    eks("UpdatePodIdentityAssociation", "plain", **of, roleArn=role)
    eks("UpdatePodIdentityAssociation", "unknown", **unknown, roleArn=role)
    eks("DeletePodIdentityAssociation", "plain", **of)
    eks("DeletePodIdentityAssociation", "again", **of)
