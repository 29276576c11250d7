"""OpenID Connect providers."""

UNKNOWN = "arn:aws:iam::123456789012:oidc-provider/nobody.example.com"


def play(player):
    iam = player.service("iam")
    url = "https://oidc.example.com/id/COMPARISON"
    thumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"
    made = iam("CreateOpenIDConnectProvider", "with everything", Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[thumbprint],
               Tags=[{"Key": "team", "Value": "x"}])["OpenIDConnectProviderArn"]
    make = "CreateOpenIDConnectProvider"
    iam(make, "same URL", Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[thumbprint])
    iam(make, "http", Url="http://oidc.example.com/x", ThumbprintList=[thumbprint])
    iam(make, "no URL", Url="nonsense", ThumbprintList=[thumbprint])
    iam(make, "thumbprint too short", Url="https://oidc.example.com/short", ThumbprintList=["abc"])
    iam(make, "too many thumbprints", Url="https://oidc.example.com/six", ThumbprintList=[f"{n}" * 40 for n in range(6)])
    iam("GetOpenIDConnectProvider", "plain", OpenIDConnectProviderArn=made)
    iam("GetOpenIDConnectProvider", "unknown", OpenIDConnectProviderArn=UNKNOWN)
    iam("GetOpenIDConnectProvider", "no ARN", OpenIDConnectProviderArn="nonsense")
    iam("ListOpenIDConnectProviders", "plain")
    clients(iam, made, thumbprint)
    iam("DeleteOpenIDConnectProvider", "plain", OpenIDConnectProviderArn=made)
    iam("DeleteOpenIDConnectProvider", "again", OpenIDConnectProviderArn=made)
    iam("DeleteOpenIDConnectProvider", "no ARN", OpenIDConnectProviderArn="nonsense")


def clients(iam, made, thumbprint):
    provider = {"OpenIDConnectProviderArn": made}
    unknown = {"OpenIDConnectProviderArn": UNKNOWN}
    iam("AddClientIDToOpenIDConnectProvider", "plain", ClientID="other", **provider)
    iam("AddClientIDToOpenIDConnectProvider", "again", ClientID="other", **provider)
    iam("AddClientIDToOpenIDConnectProvider", "unknown", ClientID="other", **unknown)
    iam("RemoveClientIDFromOpenIDConnectProvider", "plain", ClientID="other", **provider)
    iam("RemoveClientIDFromOpenIDConnectProvider", "again", ClientID="other", **provider)
    iam("RemoveClientIDFromOpenIDConnectProvider", "unknown", ClientID="other", **unknown)
    iam("UpdateOpenIDConnectProviderThumbprint", "plain", ThumbprintList=["f" * 40], **provider)
    iam("UpdateOpenIDConnectProviderThumbprint", "too short", ThumbprintList=["f"], **provider)
    iam("UpdateOpenIDConnectProviderThumbprint", "unknown", ThumbprintList=[thumbprint], **unknown)
    iam("TagOpenIDConnectProvider", "plain", Tags=[{"Key": "env", "Value": "y"}], **provider)
    iam("TagOpenIDConnectProvider", "unknown", Tags=[{"Key": "env", "Value": "y"}], **unknown)
    iam("ListOpenIDConnectProviderTags", "plain", **provider)
    iam("ListOpenIDConnectProviderTags", "unknown", **unknown)
    iam("UntagOpenIDConnectProvider", "plain", TagKeys=["env"], **provider)
    iam("UntagOpenIDConnectProvider", "unknown", TagKeys=["env"], **unknown)
    iam("GetOpenIDConnectProvider", "changed", **provider)
