"""Plays calls against one endpoint and writes down what it answers, without what is random in it."""

import datetime
import json
import os
import re
import time
import urllib.request

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

UNTIL_MAX = 30

# Of these only whether they are there is compared.
SECRET = ("NextToken", "nextToken", "Marker", "SecretAccessKey", "SessionToken", "InstanceProfileId", "PolicyId", "RoleId")

IDS = (
    "vpc-cidr-assoc|vpc|subnet-cidr-assoc|subnet|sgr|sg|eni-attach|eni|igw|nat|rtbassoc|rtb|eipalloc|eipassoc|aclassoc|acl|lt|pl|"
    "i|r|ami|dopt|trunk-assoc|eni-perm|vol|pcx|tgw|vpce|a"
)
PATTERNS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\ba-[a-z0-9]{16,17}\b"), "<a>"),
    (re.compile(rf"\b({IDS})-(?:[0-9a-f]{{17}}|[0-9a-f]{{8}})\b"), r"<\1>"),
    (re.compile(r"\b(AROA|ANPA|AIPA|ASIA|AKIA|AIDA|AGPA)[A-Z0-9]{8,}"), r"<\1>"),
    (re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"), "<mac>"),
    (re.compile(r"\b[0-9a-fA-F]{40}\b"), "<sha1>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"), "<time>"),
    (re.compile(r"ip-\d+-\d+-\d+-\d+"), "ip-<address>"),
    (re.compile(r"ec2-\d+-\d+-\d+-\d+"), "ec2-<address>"),
    (re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d./])"), "<address>"),
    (re.compile(r"https://[A-Za-z0-9.:-]+\.eks\.amazonaws\.com|https?://(?:127\.0\.0\.1|<address>|localhost)(?::\d+)?"), "<endpoint>"),
    (re.compile(r"\bid/[0-9A-F]{28,32}\b"), "id/<hex>"),
    (re.compile(r"\beks\.\d+\b"), "eks.<n>"),
    (re.compile(r"([/-])[0-9a-f]{8}$"), r"\1<hex>"),
    (re.compile(r"\bid/[A-Za-z0-9]{10}$"), "id/<text>"),
    (re.compile(r"\bsg-[a-z0-9]{15,20}\b"), "<odd sg>"),
]


def normal(text):
    """The text without the ids, times and addresses that differ from endpoint to endpoint."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    if len(text) > 200:
        return "<long>"
    return text


class Absent:
    """What an earlier answer should have had; a call that needs it cannot be made."""

    def __getitem__(self, _):
        return self

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False


ABSENT = Absent()


class Answer:
    """A part of an answer; what is not in it is absent, never an exception."""

    def __init__(self, value):
        self.value = value

    def __getitem__(self, key):
        try:
            value = self.value[key]
        except (KeyError, IndexError, TypeError):
            return ABSENT
        return Answer(value) if isinstance(value, (dict, list)) else value


def has_absent(value):
    if isinstance(value, dict):
        return any(map(has_absent, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_absent, value))
    return value is ABSENT or value is None


def flatten(value, path, found):
    """The fields of an answer: their path, and all the values that they have."""
    if isinstance(value, dict):
        if not value and path:
            found.setdefault(path, set()).add("{}")
        for key, inner in value.items():
            flatten(inner, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        found.setdefault(f"{path}[]", set()).add(str(len(value)))
        for inner in value:
            flatten(inner, f"{path}[]", found)
    elif isinstance(value, datetime.datetime):
        found.setdefault(path, set()).add("<time>")
    elif isinstance(value, str) and path.rsplit(".", 1)[-1] in SECRET:
        found.setdefault(path, set()).add("<text>" if value else "<empty>")
    elif isinstance(value, str):
        found.setdefault(path, set()).add(json.dumps(normal(value)))
    elif isinstance(value, bytes):
        found.setdefault(path, set()).add("<bytes>")
    else:
        found.setdefault(path, set()).add(json.dumps(value))


class Player:
    """One endpoint, and what was played against it."""

    def __init__(self, endpoint, key, secret):
        self.endpoint = endpoint
        self.credentials = (key, secret)
        self.steps = []
        self.clients = {}

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = self.new_client(service)
        return self.clients[service]

    def new_client(self, service):
        config = Config(retries={"max_attempts": 0}, parameter_validation=False, read_timeout=60, user_agent_extra="comparison")
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.credentials[0],
            aws_secret_access_key=self.credentials[1],
            config=config,
        )

    def service(self, name):
        """A function that makes a call of this service and writes the answer, or `only` these fields, down under the name of its case."""
        client = self.client(name)

        def call(operation, case, only=None, **parameters):
            step = {"operation": f"{name}:{operation}", "case": case}
            self.steps.append(step)
            if has_absent(parameters):
                step["outcome"] = "not reached"
                return ABSENT
            answer = self.record(step, client, operation, parameters)
            if only and "fields" in step:
                step["fields"] = {path: values for path, values in step["fields"].items() if path in only}
            return answer

        return call

    @staticmethod
    def record(step, client, operation, parameters):
        try:
            answer = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            step["outcome"] = f"{status} {error.response['Error'].get('Code', '')}".strip()
            step["message"] = error.response["Error"].get("Message", "")
            return ABSENT
        except Exception as error:  # an answer that is none
            step["outcome"] = f"unreadable: {type(error).__name__}"
            step["message"] = str(error)[:300]
            return ABSENT
        status = answer.pop("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        step["outcome"] = "done" if status == 200 else f"done {status}"
        fields = {}
        flatten(answer, "", fields)
        step["fields"] = {path: sorted(values) for path, values in fields.items()}
        return Answer(answer)

    def until(self, service, operation, reached, **parameters):
        """Asks until `reached` holds for the answer, and writes nothing down. The emulators' states change at once or never."""
        client = self.client(service)
        for _ in range(UNTIL_MAX):
            if has_absent(parameters):
                return
            try:
                answer = Answer(getattr(client, xform_name(operation))(**parameters))
            except ClientError as error:
                answer = Answer({"Error": error.response["Error"]["Code"]})
            except Exception:  # an endpoint that cannot be read will not be in a minute
                return
            if reached(answer):
                return
            self.pass_time()

    def quietly(self, service, operation, **parameters):
        """Asks and writes nothing down."""
        try:
            return Answer(getattr(self.client(service), xform_name(operation))(**parameters))
        except Exception:
            return ABSENT

    def pass_time(self):
        """A second: the sandbox's own, where time stands still by itself."""
        if "SANDBOX_CLOCK" in os.environ:
            body = json.dumps({"advance_seconds": 1}).encode()
            urllib.request.urlopen(urllib.request.Request(os.environ["SANDBOX_CLOCK"], data=body)).read()
        else:
            time.sleep(0.02)


def tags(kind, **values):
    """A TagSpecifications parameter."""
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in values.items()]}]


def named(name, *values):
    """A filter."""
    return {"Name": name, "Values": list(values)}


def cidr_rule(port, *blocks, to=None, protocol="tcp", description=None):
    """A permission from CIDR blocks."""
    ranges = [{"CidrIp": block, **({"Description": description} if description else {})} for block in blocks]
    return [{"IpProtocol": protocol, "FromPort": port, "ToPort": to or port, "IpRanges": ranges}]
