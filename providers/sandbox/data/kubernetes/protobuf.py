"""Writes protobuf.txt: how Kubernetes' types look in protobuf, out of their Go sources.

    python3 protobuf.py MODULES > protobuf.txt

MODULES is the folder `k8s.io` of a Go module cache that has api, apimachinery, apiextensions-apiserver and kube-aggregator v0.36.3.
"""
import pathlib
import re
import sys

MODULES = pathlib.Path(sys.argv[1])
VERSION = "v0.36.3"
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
FOLDERS = [(f"k8s.io/api/{group}", "api") for group in (
    "admissionregistration/v1 apps/v1 authentication/v1 authorization/v1 autoscaling/v1 autoscaling/v2 batch/v1 "
    "certificates/v1 coordination/v1 core/v1 discovery/v1 events/v1 flowcontrol/v1 networking/v1 node/v1 policy/v1 "
    "rbac/v1 resource/v1 scheduling/v1 storage/v1").split()]
FOLDERS += [
    (META, "apimachinery"),
    ("k8s.io/apimachinery/pkg/types", "apimachinery"),
    ("k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "apiextensions-apiserver"),
    ("k8s.io/kube-aggregator/pkg/apis/apiregistration/v1", "kube-aggregator"),
]
EXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
# What is written otherwise in JSON than its fields are.
SPECIAL = {
    f"{META}.Time": "T", f"{META}.MicroTime": "M", f"{META}.Duration": "D", f"{META}.FieldsV1": "R",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "Q",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "I",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "R",
    f"{EXTENSIONS}.JSON": "R", f"{EXTENSIONS}.JSONSchemaPropsOrBool": "X", f"{EXTENSIONS}.JSONSchemaPropsOrArray": "Y",
    f"{EXTENSIONS}.JSONSchemaPropsOrStringArray": "Z",
}
SCALARS = {"string": "s", "bool": "b", "int": "i", "int32": "i", "int64": "i", "uint32": "i", "uint64": "i", "uint8": "i", "float64": "d"}

structs, aliases, groups = {}, {}, {}


def read(package, module):
    folder = MODULES / package.removeprefix("k8s.io/").replace(module, f"{module}@{VERSION}", 1)
    for file in sorted(folder.glob("*.go")):
        if file.name.endswith("_test.go") or file.name.startswith(("generated", "zz_")):
            continue
        text = file.read_text()
        if found := re.search(r'const GroupName = "([^"]*)"', text):
            groups[package] = found[1]
        imports = {}
        for name, path in re.findall(r'^\s*(?:import\s+)?(\w+)?\s*"([^"]+)"$', text, re.M):
            imports[name or path.rsplit("/", 1)[-1]] = path
        for name, equals, target in re.findall(r"^type (\w+) (= )?(\[?[\w.\[\]*]+)(?: *//.*)?$", text, re.M):
            aliases[f"{package}.{name}"] = (target, package, imports)
        for name, body in re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S):
            structs[f"{package}.{name}"] = (body, package, imports)
        for name in re.findall(r"^type (\w+) struct *\{\}", text, re.M):
            structs[f"{package}.{name}"] = ("", package, imports)


def full(name, package, imports):
    if "." in name:
        prefix, name = name.split(".", 1)
        return f"{imports.get(prefix, prefix)}.{name}"
    return f"{package}.{name}"


def kind(type_, package, imports):
    """Flags and type of a Go type."""
    if type_.startswith("*"):
        flags, code = kind(type_[1:], package, imports)
        return flags + "*", code
    if type_ == "[]byte":
        return "", "y"
    if type_.startswith("[]"):
        _, code = kind(type_[2:], package, imports)
        return "r", code
    if found := re.fullmatch(r"map\[[\w.]+\](.+)", type_):
        return "", "m:" + kind(found[1], package, imports)[1]
    if type_ in SCALARS:
        return "", SCALARS[type_]
    name = full(type_, package, imports)
    if name in SPECIAL:
        return "", SPECIAL[name]
    if name in aliases:
        target, *where = aliases[name]
        # A named slice is a message with the items.
        return ("", "L") if target.startswith("[]") and target != "[]byte" else kind(target, *where)
    if name in structs:
        return "", name
    raise SystemExit(f"unknown type {type_} in {package}")


def fields(name):
    body, package, imports = structs[name]
    for line in body.splitlines():
        found = re.match(r"\s*(?:(\w+)\s+)?([\w.\[\]*]+)\s+`([^`]*)`", line)
        if not found or 'protobuf:"' not in found[3] or 'json:"-"' in found[3]:
            continue
        number = re.search(r'protobuf:"\w+,(\d+)', found[3])
        json = (re.search(r'json:"([^"]*)"', found[3]) or re.search(r'name=([^",]*)', found[3]))[1].split(",")
        if not number:
            continue
        flags, code = kind(found[2], package, imports)
        if "omitempty" in json or "omitzero" in json:
            flags += "o"
        if "inline" in json or not json[0]:
            flags += "i"
        yield int(number[1]), json[0] or "-", flags or "-", code


for package, module in FOLDERS:
    read(package, module)
short = {name: name.removeprefix("k8s.io/").replace("apimachinery/pkg/apis/", "").replace("apiextensions-apiserver/pkg/apis/", "")
         .replace("kube-aggregator/pkg/apis/", "").removeprefix("api/") for name in structs}
wanted = [name for name in structs if name not in SPECIAL and (not structs[name][0] or 'protobuf:"' in structs[name][0])]
for package, group in groups.items():
    version = package.rsplit("/", 1)[-1]
    prefix = short.get(next(name for name in structs if name.startswith(package + ".")), "").rsplit(".", 1)[0]
    print(f"@{group + '/' if group else ''}{version} {prefix}")
for name in sorted(wanted):
    print(f"={short[name]}")
    for number, json, flags, code in fields(name):
        code = ":".join(short.get(part, part) for part in code.split(":"))
        print(number, json, flags, code)
