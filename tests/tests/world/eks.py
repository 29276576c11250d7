"""The life of a cluster, a node group and an add-on through the proxy; prints what was seen."""
import json

from botocore.exceptions import ClientError
from common import ec2, eks, role, subnets

seen = {"cluster": [], "refusals": {}}


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def status(times):
    for _ in range(times):
        try:
            seen["cluster"].append(eks.describe_cluster(name="demo")["cluster"]["status"])
        except ClientError as error:
            seen["cluster"].append(error.response["Error"]["Code"])


refusals = seen["refusals"]
arn, network = role("cluster"), {"subnetIds": subnets()}
nobody, nowhere = "arn:aws:iam::123456789012:role/nobody", {"subnetIds": ["subnet-0123456789abcdef0"]}
refusals["unknown role"] = refusal(eks.create_cluster, name="demo", roleArn=nobody, resourcesVpcConfig=network)
refusals["unknown subnet"] = refusal(eks.create_cluster, name="demo", roleArn=arn, resourcesVpcConfig=nowhere)
for _ in range(2):
    made = eks.create_cluster(
        name="demo", roleArn=arn, version="1.34", resourcesVpcConfig=network, tags={"old": "1"}, clientRequestToken="token"
    )["cluster"]
group = {"clusterName": "demo", "nodegroupName": "nodes", "subnets": subnets(), "nodeRole": arn}
refusals["a node group of a cluster in creation"] = refusal(eks.create_nodegroup, **group)
status(3)
found = eks.describe_cluster(name="demo")["cluster"]
seen["cluster's vpc"] = found["resourcesVpcConfig"]["vpcId"]
own = ec2.describe_security_groups(GroupIds=[found["resourcesVpcConfig"]["clusterSecurityGroupId"]])
seen["cluster group is in the vpc"] = own["SecurityGroups"][0]["VpcId"] == seen["cluster's vpc"]
eks.tag_resource(resourceArn=found["arn"], tags={"new": "1"})
eks.untag_resource(resourceArn=found["arn"], tagKeys=["old"])
seen["tags"] = eks.describe_cluster(name="demo")["cluster"]["tags"]
logging = {"clusterLogging": [{"types": ["api"], "enabled": True}]}
eks.update_cluster_config(name="demo", logging=logging)
refusals["an update during an update"] = refusal(eks.update_cluster_version, name="demo", version="1.35")
status(3)
refusals["an update of nothing"] = refusal(eks.update_cluster_config, name="demo", logging=logging)
refusals["two versions at once"] = refusal(eks.update_cluster_version, name="demo", version="1.36")
update = eks.update_cluster_version(name="demo", version="1.35")["update"]
seen["update"] = [eks.describe_update(name="demo", updateId=update["id"])["update"]["status"] for _ in range(3)]

ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData={"InstanceType": "m5.large"})
eks.create_nodegroup(**group, labels={"a": "b"}, launchTemplate={"name": "nodes"})
eks.get_waiter("nodegroup_active").wait(clusterName="demo", nodegroupName="nodes", WaiterConfig={"Delay": 0})
labels = {"removeLabels": ["a"], "addOrUpdateLabels": {"c": "d"}}
eks.update_nodegroup_config(clusterName="demo", nodegroupName="nodes", labels=labels)
nodes = eks.describe_nodegroup(clusterName="demo", nodegroupName="nodes")["nodegroup"]
template = nodes["launchTemplate"]
seen["node group"] = {"labels": nodes["labels"], "launch template": [template["name"], template["version"]]}

wrong = json.dumps({"env": {"ENABLE_POD_ENI": True}})
addon = {"clusterName": "demo", "addonName": "vpc-cni"}
refusals["a value outside of the schema"] = refusal(eks.create_addon, **addon, configurationValues=wrong)
eks.create_addon(**addon, configurationValues=json.dumps({"env": {"ENABLE_POD_ENI": "true"}}))
eks.delete_addon(**addon)

refusals["a cluster with node groups"] = refusal(eks.delete_cluster, name="demo")
eks.delete_nodegroup(clusterName="demo", nodegroupName="nodes")
eks.get_waiter("nodegroup_deleted").wait(clusterName="demo", nodegroupName="nodes", WaiterConfig={"Delay": 0})
eks.delete_cluster(name="demo")
status(3)
print(json.dumps(seen))
