"""A cluster with pod ENI on and a group for the pods, through the proxy; prints the group."""
import json
import os

from common import cluster, ec2, eks, role

cluster("demo", role("cluster"))
values = json.dumps({"env": {"ENABLE_POD_ENI": "true"}})
eks.create_addon(clusterName="demo", addonName="vpc-cni", configurationValues=values)
group = ec2.create_security_group(GroupName="backend", Description="backend", VpcId=os.environ["SGP_VPC_ID"])
print(json.dumps({"backend": group["GroupId"]}))
