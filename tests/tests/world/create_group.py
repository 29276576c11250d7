"""Creates a security group of the given name; with --once it asks only once. Prints what came of it."""
import json
import os
import sys

import boto3
from botocore.config import Config

attempts = 1 if "--once" in sys.argv else 5
ec2 = boto3.client("ec2", config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}))
try:
    ec2.create_security_group(GroupName=sys.argv[1], Description="test", VpcId=os.environ["SGP_VPC_ID"])
    print(json.dumps({"created": True}))
except Exception as error:  # pylint: disable=broad-except
    print(json.dumps({"created": False, "error": type(error).__name__}))
