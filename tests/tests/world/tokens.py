"""EKS tokens at the endpoint that DescribeCluster tells; prints the status of each request."""
import base64
import json
import ssl
import urllib.error
import urllib.request

import boto3
from botocore.signers import RequestSigner
from common import cluster, role

URL = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"


def token(session, name, seconds=60):
    signer = RequestSigner(
        session.client("sts").meta.service_model.service_id, "us-east-1", "sts", "v4", session.get_credentials(), session.events
    )
    request = {"method": "GET", "url": URL, "body": {}, "headers": {"x-k8s-aws-id": name}, "context": {}}
    url = signer.generate_presigned_url(request, region_name="us-east-1", expires_in=seconds, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


arn = role("cluster")
found = cluster("demo", arn)
trust = ssl.create_default_context(cadata=base64.b64decode(found["certificateAuthority"]["data"]).decode())


def ask(bearer, body=None):
    request = urllib.request.Request(found["endpoint"] + "/api/v1/namespaces", data=body)
    request.add_header("Content-Type", "application/json")
    if bearer:
        request.add_header("Authorization", "Bearer " + bearer)
    try:
        return urllib.request.urlopen(request, context=trust).status
    except urllib.error.HTTPError as error:
        return error.code


own = boto3.Session()
lent = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="lent")["Credentials"]
assumed = boto3.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
stranger = boto3.Session(aws_access_key_id="123456789012", aws_secret_access_key="guessed")
namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app"}}
print(
    json.dumps(
        {
            "own token": ask(token(own, "demo")),
            "token of an assumed role": ask(token(assumed, "demo")),
            "token for another cluster": ask(token(own, "other")),
            "token with another secret": ask(token(stranger, "demo")),
            "token for ten minutes": ask(token(own, "demo", 600)),
            "no token": ask(None),
            "namespace": ask(token(own, "demo"), json.dumps(namespace).encode()),
        }
    )
)
