"""Makes `openapi-v3.zip` again.

    python3 make.py MODULE OUT        from the folder of the Go module k8s.io/kubernetes (go mod download -json k8s.io/kubernetes@VERSION)
    python3 make.py check MODULE      says whether the file beside this one holds the same, byte for byte

White space is removed, members keep their order, and every time is the same, so that the same module gives the same bytes wherever zlib
compresses alike; `check` says which document differs where the bytes do.
"""
import io, json, pathlib, sys, zipfile

HERE = pathlib.Path(__file__).parent / "openapi-v3.zip"

def documents(module):
    specification = pathlib.Path(module, "api")
    for path in sorted(specification.glob("openapi-spec/v3/[!.]*_openapi.json")):
        yield path.name, path
    yield "discovery.json", specification / "discovery" / "aggregated_v2.json"

def compact(path):
    return json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode()

def make(module):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, path in documents(module):
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            out.writestr(entry, compact(path), zipfile.ZIP_DEFLATED, 6)
    return archive.getvalue()

def check(module):
    with zipfile.ZipFile(HERE) as there:
        names = there.namelist()
        wanted = dict(documents(module))
        wrong = sorted(set(names) ^ set(wanted))
        wrong += [name for name in names if name in wanted and there.read(name) != compact(wanted[name])]
    if wrong:
        sys.exit("other documents: " + ", ".join(wrong))
    print("the same bytes" if HERE.read_bytes() == make(module) else "the same documents, compressed otherwise")

if sys.argv[1] == "check":
    check(sys.argv[2])
else:
    pathlib.Path(sys.argv[2]).write_bytes(make(sys.argv[1]))
