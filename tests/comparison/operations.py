"""Prints the operations that the Rust sources of a folder call: those of botocore's models whose builder or IAM action occurs there."""

import json
import pathlib
import re
import sys

import botocore.session
from botocore import xform_name

session = botocore.session.get_session()
sources = "\n".join(file.read_text() for file in pathlib.Path(sys.argv[1]).rglob("*.rs"))
print(
    json.dumps([
        f"{service}:{operation}"
        for service in ("ec2", "eks", "iam", "sts")
        for operation in session.get_service_model(service).operation_names
        if re.search(rf"\.\s*{xform_name(operation)}\(\)", sources) or f'"{service}:{operation}"' in sources
    ])
)
