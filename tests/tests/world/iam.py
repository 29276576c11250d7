"""Roles in bulk and the client ids of an OpenID Connect provider; prints what was seen."""
import json

from common import iam, role

role("cluster")
iam.attach_role_policy(RoleName="cluster", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
iam.put_role_policy(RoleName="cluster", PolicyName="inline", PolicyDocument=document)
details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"][0]
provider = iam.create_open_id_connect_provider(
    Url="https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF", ClientIDList=["first"], ThumbprintList=["0" * 40]
)["OpenIDConnectProviderArn"]
iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="second")
iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="first")
ids = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"]
print(
    json.dumps(
        {
            "client ids": ids,
            "attached": [policy["PolicyName"] for policy in details["AttachedManagedPolicies"]],
            "inline": [policy["PolicyName"] for policy in details["RolePolicyList"]],
        }
    )
)
