"""Writes botocore.json: requests of several services and an EKS token, signed by botocore at a time that stands still."""

import base64
import datetime
import json
import pathlib

import botocore.auth
import botocore.session

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2026, 1, 1, 0, 0, 0, tzinfo=datetime.timezone.utc)
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW


def client(service, token=None):
    session = botocore.session.get_session()
    return session.create_client(
        service, region_name="us-east-1", endpoint_url="http://127.0.0.1:5140",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key=SECRET, aws_session_token=token,
    )


class Sent(Exception):
    pass


def signed(service, operation, token=None, **parameters):
    rows = []

    def before_send(request, **_):
        rows.append(request)
        raise Sent

    it = client(service, token)
    it.meta.events.register("before-send", before_send)
    try:
        getattr(it, operation)(**parameters)
    except Sent:
        pass
    request = rows[0]
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    headers = [[name, text(value)] for name, value in request.headers.items() if name != "User-Agent"] + [["Host", "127.0.0.1:5140"]]
    return {"method": request.method, "url": request.url, "headers": headers, "body": text(request.body or "")}


def token(cluster):
    sts = client("sts")
    def add(params, context, **_):
        context["cluster"] = params.pop("ClusterName")
    def header(request, **_):
        request.headers["x-k8s-aws-id"] = request.context["cluster"]
    sts.meta.events.register("provide-client-params.sts.GetCallerIdentity", add)
    sts.meta.events.register("before-sign.sts.GetCallerIdentity", header)
    url = sts.generate_presigned_url("get_caller_identity", Params={"ClusterName": cluster}, ExpiresIn=60, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


out = {
    "secret": SECRET,
    "requests": [
        signed("ec2", "describe_vpcs", Filters=[{"Name": "tag:a b", "Values": ["é*", "x/y?z"]}]),
        signed("iam", "create_role", RoleName="a", Path="/x/", AssumeRolePolicyDocument='{"a": "+ %/~"}'),
        signed("sts", "get_caller_identity", token="a/session+token=="),
        signed("eks", "list_tags_for_resource", resourceArn="arn:aws:eks:us-east-1:1:cluster/a b"),
        signed("eks", "list_clusters", maxResults=5, include=["all", "a+b c"]),
        signed("eks", "update_cluster_config", name="a", resourcesVpcConfig={"subnetIds": ["subnet-1"]}),
    ],
    "token": token("demo"),
}
pathlib.Path(__file__).with_name("botocore.json").write_text(json.dumps(out, indent=1) + "\n")
