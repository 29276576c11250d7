"""Who calls, and as whom."""

import base64
import json
import time

from roles import TRUST

ROOT = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}


def play(player):
    iam, sts = player.service("iam"), player.service("sts")
    sts("GetCallerIdentity", "plain")
    arn = iam("CreateRole", "to be assumed", RoleName="assumed", AssumeRolePolicyDocument=json.dumps(ROOT))["Role"]["Arn"]
    closed = iam("CreateRole", "not to be assumed", RoleName="closed", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    sts("AssumeRole", "plain", RoleArn=arn, RoleSessionName="session")
    sts("AssumeRole", "with a duration", RoleArn=arn, RoleSessionName="session", DurationSeconds=900)
    sts("AssumeRole", "duration too short", RoleArn=arn, RoleSessionName="session", DurationSeconds=60)
    sts("AssumeRole", "duration too long", RoleArn=arn, RoleSessionName="session", DurationSeconds=40000)
    sts("AssumeRole", "session name with odd characters", RoleArn=arn, RoleSessionName="a b")
    sts("AssumeRole", "session name too short", RoleArn=arn, RoleSessionName="a")
    sts("AssumeRole", "unknown role", RoleArn="arn:aws:iam::123456789012:role/nobody", RoleSessionName="session")
    sts("AssumeRole", "a role that trusts another", RoleArn=closed, RoleSessionName="session")
    sts("AssumeRole", "no ARN", RoleArn="nonsense", RoleSessionName="session")
    sts("AssumeRole", "bad session policy", RoleArn=arn, RoleSessionName="session", Policy="nonsense")
    sts("AssumeRole", "without a session name", RoleArn=arn)
    sts("AssumeRoleWithWebIdentity", "no token", RoleArn=arn, RoleSessionName="session", WebIdentityToken="nonsense")
    sts("AssumeRoleWithWebIdentity", "unknown role", RoleArn="arn:aws:iam::123456789012:role/nobody", RoleSessionName="session",
        WebIdentityToken="a.b.c")
    web_identity(iam, sts)
    for name in ("assumed", "closed"):
        iam("DeleteRole", f"{name}", RoleName=name)


def web_identity(iam, sts):
    """A token of an issuer that is a provider. Nobody but AWS can fetch the issuer's keys: a signature is not what is compared."""
    url = "https://oidc.example.com/id/WEB"
    provider = iam("CreateOpenIDConnectProvider", "of the tokens", Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    condition = {"StringEquals": {f"{url[8:]}:sub": "system:serviceaccount:default:app"}}
    arn = provider["OpenIDConnectProviderArn"]
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": arn or "nobody"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]}
    role = iam("CreateRole", "for tokens", RoleName="web", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    good = {"iss": url, "aud": ["sts.amazonaws.com"], "sub": "system:serviceaccount:default:app", "exp": int(time.time()) + 600}

    def assume(case, **changes):
        sts("AssumeRoleWithWebIdentity", case, RoleArn=role, RoleSessionName="pod", WebIdentityToken=token({**good, **changes}))

    assume("plain")
    assume("another service account", sub="system:serviceaccount:default:other")
    assume("another audience", aud="other")
    assume("another issuer", iss="https://issuer.example.com")
    assume("over", exp=1)
    iam("DeleteRole", "for tokens", RoleName="web")
    iam("DeleteOpenIDConnectProvider", "of the tokens", OpenIDConnectProviderArn=arn)


def token(claims):
    parts = ({"alg": "RS256", "kid": "1"}, claims, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
