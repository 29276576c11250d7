"""Access entries, access policies and identity providers of clusters."""

from clusters import Stage

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def play(player):
    stage = Stage(player, "access")
    stage.create(version="1.33", accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False})
    eks, name = stage.eks, stage.name
    principal = {"clusterName": name, "principalArn": stage.node_role}
    unknown = {"clusterName": name, "principalArn": "arn:aws:iam::123456789012:role/nobody"}
    eks("ListAccessEntries", "none", clusterName=name)
    eks("ListAccessEntries", "unknown", clusterName="nobody")
    entries(eks, principal, unknown)
    access_policies(eks, principal, unknown)
    eks("DeleteAccessEntry", "plain", **principal)
    eks("DeleteAccessEntry", "again", **principal)
    identity_providers(stage)
    stage.close()


def entries(eks, principal, unknown):
    given = {**principal, "kubernetesGroups": ["developers"], "username": "dev", "clientRequestToken": "comparison-entry", "tags": {"team": "x"}}
    eks("CreateAccessEntry", "plain", **given)
    eks("CreateAccessEntry", "same token", **given)
    eks("CreateAccessEntry", "same principal", **{**given, "clientRequestToken": "other"})
    eks("CreateAccessEntry", "unknown principal", **unknown)
    eks("CreateAccessEntry", "group of the system", **{**unknown, "principalArn": "arn:aws:iam::123456789012:role/access-cluster"},
        kubernetesGroups=["system:masters"])
    eks("CreateAccessEntry", "unknown type", **{**unknown, "principalArn": "arn:aws:iam::123456789012:role/access-cluster"}, type="NONSENSE")
    eks("CreateAccessEntry", "unknown cluster", **{**principal, "clusterName": "nobody"})
    eks("DescribeAccessEntry", "plain", **principal)
    eks("DescribeAccessEntry", "unknown", **unknown)
    eks("ListAccessEntries", "plain", clusterName=principal["clusterName"])
    eks("UpdateAccessEntry", "plain", **principal, kubernetesGroups=["operators"])
    eks("UpdateAccessEntry", "unknown", **unknown, kubernetesGroups=["operators"])
    eks("DescribeAccessEntry", "changed", **principal)


def access_policies(eks, principal, unknown):
    eks("ListAccessPolicies", "page", maxResults=1)
    everywhere = {"policyArn": ADMIN, "accessScope": {"type": "cluster"}}
    eks("AssociateAccessPolicy", "plain", **principal, **everywhere)
    eks("AssociateAccessPolicy", "again, in a namespace", **principal, policyArn=ADMIN, accessScope={"type": "namespace", "namespaces": ["app"]})
    eks("AssociateAccessPolicy", "unknown policy", **principal, policyArn=ADMIN + "Nobody", accessScope={"type": "cluster"})
    eks("AssociateAccessPolicy", "unknown principal", **unknown, **everywhere)
    eks("ListAssociatedAccessPolicies", "plain", **principal)
    eks("ListAssociatedAccessPolicies", "unknown", **unknown)
    eks("ListAccessEntries", "by policy", clusterName=principal["clusterName"], associatedPolicyArn=ADMIN)
    eks("DisassociateAccessPolicy", "plain", **principal, policyArn=ADMIN)
    eks("DisassociateAccessPolicy", "again", **principal, policyArn=ADMIN)
    eks("DisassociateAccessPolicy", "unknown principal", **unknown, policyArn=ADMIN)


def identity_providers(stage):
    eks, name = stage.eks, stage.name
    oidc = {"identityProviderConfigName": "corp", "issuerUrl": "https://corp.example.com", "clientId": "kubernetes"}
    of = {"clusterName": name, "identityProviderConfig": {"type": "oidc", "name": "corp"}}
    eks("AssociateIdentityProviderConfig", "plain", clusterName=name, oidc=oidc, tags={"team": "x"})
    eks("AssociateIdentityProviderConfig", "unknown cluster", clusterName="nobody", oidc=oidc)
    eks("DescribeIdentityProviderConfig", "unknown", clusterName=name, identityProviderConfig={"type": "oidc", "name": "nobody"})
    stage.player.until("eks", "DescribeIdentityProviderConfig", lambda it: it["identityProviderConfig"]["oidc"]["status"] == "ACTIVE", **of)
    eks("DescribeIdentityProviderConfig", "active", **of)
    eks("ListIdentityProviderConfigs", "plain", clusterName=name)
    eks("DisassociateIdentityProviderConfig", "plain", **of)
    eks("DisassociateIdentityProviderConfig", "unknown", clusterName=name, identityProviderConfig={"type": "oidc", "name": "nobody"})
    stage.player.until("eks", "DescribeIdentityProviderConfig", lambda it: it["Error"] == "ResourceNotFoundException", **of)
