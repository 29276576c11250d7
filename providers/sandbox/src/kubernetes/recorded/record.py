"""Records what a real Kubernetes API server answers, for `recorded.rs`.

    python3 record.py https://127.0.0.1:6443 TOKEN > answers.json

Each story is an object and the requests that are made of it, in order: (what, manager, body). `create` posts, `update` puts,
`apply` and `force` are server-side apply, `json`, `merge` and `strategic` are patches; `/status` after the manager means that
subresource. A story's name begins with the path of its resource.
"""
import json, ssl, sys, urllib.error, urllib.request

server, token = sys.argv[1:3]
context = ssl._create_unverified_context()
TYPES = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
         "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml",
         "force": "application/apply-patch+yaml"}
CORE, APPS, NS = "/api/v1", "/apis/apps/v1", "/namespaces/default"
C = {"name": "a", "image": "nginx"}
T = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [C]}}
def cm(**more): return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, **more}
def pod(spec, **meta): return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", **meta}, "spec": {"serviceAccountName": "default", "automountServiceAccountToken": False, **spec}}
def dep(spec, **meta): return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x", **meta}, "spec": spec}
def full(**more): return dep({"selector": {"matchLabels": {"app": "web"}}, "template": T, **more})
def obj(v, k, **more): return {"apiVersion": v, "kind": k, "metadata": {"name": "x"}, **more}
def env(*names): return [{"name": n, "value": n} for n in names]
def one(**c): return {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", **c}]}}}

RBAC, NET = "rbac.authorization.k8s.io/v1", "networking.k8s.io/v1"
STORIES = [
 (CORE + NS + "/configmaps", [("create", "c", cm(data={"a": "1"})), ("apply", "s", cm(data={"b": "1"})), ("apply", "s", cm(data={"a": "2"})), ("force", "s", cm(data={"a": "2"})),
   ("apply", "t", cm(data={"a": "2", "c": "3"})), ("apply", "s", cm()), ("apply", "t", cm()), ("merge", "m", {"data": {"z": "1"}, "metadata": {"labels": {"l": "1"}}}),
   ("json", "j", [{"op": "add", "path": "/data/y", "value": "1"}, {"op": "remove", "path": "/metadata/labels/l"}]), ("json", "j", [{"op": "test", "path": "/data/y", "value": "2"}]),
   ("strategic", "p", {"data": {"y": None, "w": "1"}, "metadata": {"finalizers": ["example.com/a"]}}), ("strategic", "p", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}),
   ("apply", "s", cm(data={"w": "1"})), ("apply", "s", cm(spam=1)), ("apply", "s", cm(data={"w": None})), ("merge", "m", {"metadata": {"managedFields": [{}]}}), ("merge", "m", {"data": {"v": "1"}}), ("apply", "s", cm(data={"v": "1"})), ("apply", "s", cm(data={"v": "2"}))]),
 (CORE + NS + "/configmaps", [("apply", "a", cm(data={"a": "1"}, metadata={"name": "x", "labels": {"l": "1"}, "annotations": {"n": "1"}})), ("apply", "a", cm(data={"a": "1"}, metadata={"name": "x", "labels": {"l": "1"}, "annotations": {"n": "1"}})),
   ("apply", "b", cm(data={"a": "1"})), ("update", "u", cm(data={"a": "9"})), ("apply", "a", cm(data={"a": "1"})), ("force", "a", cm()), ("apply", "b", cm())]),
 (CORE + NS + "/secrets", [("create", "c", obj("v1", "Secret", stringData={"a": "b"})), ("apply", "s", obj("v1", "Secret", data={"c": "ZA=="})), ("merge", "m", {"type": "x"})]),
 (CORE + NS + "/pods", [("create", "c", pod({"containers": [C, {"name": "b", "image": "b:1", "ports": [{"containerPort": 80}, {"containerPort": 81, "protocol": "UDP", "name": "u"}],
      "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}], "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}, "requests": {"cpu": 0.1}},
      "livenessProbe": {"httpGet": {"port": 80}}, "readinessProbe": {"tcpSocket": {"port": "u"}}, "startupProbe": {"grpc": {"port": 80}}, "volumeMounts": [{"name": "c", "mountPath": "/c"}], "lifecycle": {"preStop": {"httpGet": {"port": 80}}}}],
      "volumes": [{"name": "e"}, {"name": "c", "configMap": {"name": "c"}}, {"name": "s", "secret": {"secretName": "s"}}, {"name": "h", "hostPath": {"path": "/x"}}, {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}, {"name": "d", "downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}, labels={"app": "web"})),
   ("strategic", "p", {"spec": {"containers": [{"name": "a", "image": "nginx:2"}]}, "metadata": {"annotations": {"k": "v"}}}), ("strategic", "p", {"spec": {"containers": [{"image": "nginx:2"}]}}),
   ("strategic", "k/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running", "podIP": "10.0.0.1"}}), ("strategic", "k/status", {"status": {"conditions": [{"type": "X", "status": "False"}]}}),
   ("apply", "s", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"more": "1"}}}), ("merge", "m", {"spec": {"containers": []}}), ("json", "j", [{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:3"}]), ("strategic", "p", {"spec": {"terminationGracePeriodSeconds": 5}})]),
 (CORE + NS + "/pods", [("create", "c", pod({"containers": []})), ("create", "c", pod({"containers": [{"name": "A_", "image": ""}]})), ("create", "c", pod({"containers": [C, C], "restartPolicy": "Often"})), ("create", "c", pod({"containers": [dict(C, ports=[{"containerPort": 99999}])]})),
   ("create", "c", pod({"containers": [dict(C, resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}})]})), ("create", "c", pod({"containers": [dict(C, volumeMounts=[{"name": "x", "mountPath": "/x"}])]})), ("create", "c", pod({"containers": [dict(C, livenessProbe={"successThreshold": 2, "exec": {"command": ["x"]}})]})),
   ("create", "c", pod({"containers": [dict(C, env=[{"name": ""}, {"name": "a=b"}])]})), ("create", "c", pod({"containers": [C], "volumes": [{"name": "v"}, {"name": "v"}]})), ("create", "c", pod({"containers": [C], "tolerations": [{"operator": "Equal"}]})),
   ("create", "c", pod({"containers": [C]}, labels={"-x": "y"})), ("create", "c", pod({"containers": [C]}, name="X_")), ("create", "c", pod({"containers": [C], "hostNetwork": True, "initContainers": [dict(C, name="i", restartPolicy="Always", readinessProbe={"exec": {"command": ["x"]}})]}))]),
 (APPS + NS + "/deployments", [("create", "kubectl-create", full(replicas=2)), ("apply", "s", dep({"replicas": 3})), ("force", "s", dep({"replicas": 3})), ("apply", "s", dep({})),
   ("apply", "e", dep(one(env=env("A", "B")))), ("apply", "f", dep(one(env=env("C")))), ("apply", "e", dep(one(env=env("B", "A", "D")))), ("apply", "e", dep(one(env=env("D")))), ("strategic", "p", {"spec": {"template": {"spec": {"containers": [{"name": "a", "env": [{"name": "E", "value": "1"}]}]}}}}),
   ("strategic", "p", {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "z"}, {"name": "a"}], "containers": [{"name": "z", "image": "z:1"}]}}}}), ("strategic", "p", {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
   ("strategic", "p", {"spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "z"}]}}}}), ("merge", "m", {"spec": {"selector": {"matchLabels": {"app": "x"}}}}), ("strategic", "d/status", {"status": {"replicas": 3, "conditions": [{"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "lastUpdateTime": "2026-01-01T00:00:00Z", "reason": "r", "message": "m"}]}}),
   ("apply", "f", dep(one(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]))), ("apply", "f", dep(one(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]))), ("apply", "f", dep({})), ("apply", "e", dep({})), ("apply", "e", dep({"spam": 1, "replicas": "x"})), ("apply", "q", dep(one(resources={"limits": {"cpu": "0.5"}}))), ("apply", "q", dep(one(resources={"limits": {"cpu": "500m"}}))), ("apply", "r", dep(one(resources={"limits": {"cpu": "0.5"}})))]),
 (APPS + NS + "/deployments", [("apply", "s", full()), ("apply", "s", full()), ("apply", "s", full(replicas=1)), ("apply", "t", dep({"replicas": 1})), ("apply", "s", full(replicas=2)), ("apply", "s/status", dict(dep({}), status={"replicas": 1})), ("apply", "s", dict(full(replicas=1), status={"replicas": 5}))]),
 (APPS + NS + "/deployments", [("create", "c", dep({"template": T})), ("create", "c", full(selector={"matchLabels": {"a": "b"}})), ("create", "c", full(replicas=-1)), ("create", "c", full(strategy={"type": "X"})), ("create", "c", full(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}})), ("create", "c", full(progressDeadlineSeconds=0)), ("create", "c", full(selector={}))]),
 (APPS + NS + "/daemonsets", [("create", "c", obj("apps/v1", "DaemonSet", spec={"selector": {"matchLabels": {"app": "web"}}, "template": T}))]),
 (APPS + NS + "/statefulsets", [("create", "c", obj("apps/v1", "StatefulSet", spec={"serviceName": "s", "selector": {"matchLabels": {"app": "web"}}, "template": T, "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}}]})), ("merge", "m", {"spec": {"serviceName": "t"}})]),
 (APPS + NS + "/replicasets", [("create", "c", obj("apps/v1", "ReplicaSet", spec={"selector": {"matchLabels": {"app": "web"}}, "template": T}))]),
 ("/apis/batch/v1" + NS + "/jobs", [("create", "c", obj("batch/v1", "Job", spec={"template": T})), ("create", "c", obj("batch/v1", "Job", spec={"suspend": True, "manualSelector": True, "selector": {"matchLabels": {"app": "web"}}, "template": dict(T, spec=dict(T["spec"], restartPolicy="Never"))})), ("merge", "m", {"spec": {"completions": 3}})]),
 ("/apis/batch/v1" + NS + "/cronjobs", [("create", "c", obj("batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": dict(T, spec=dict(T["spec"], restartPolicy="Never"))}}})), ("merge", "m", {"spec": {"schedule": "x"}})]),
 (CORE + NS + "/services", [("create", "c", obj("v1", "Service", spec={"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 80}]})), ("strategic", "p", {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443, "name": "https", "targetPort": "tls"}]}}), ("apply", "s", obj("v1", "Service", spec={"ports": [{"port": 8080, "name": "x", "protocol": "TCP"}]})), ("apply", "s", obj("v1", "Service")),
   ("merge", "m", {"spec": {"ports": [{"port": 80}, {"port": 81}]}}), ("merge", "m", {"spec": {"ports": [{"port": 0}]}}), ("merge", "m", {"spec": {"type": "X"}}), ("merge", "m", {"spec": {"sessionAffinity": "ClientIP"}})]),
 (CORE + "/namespaces", [("create", "c", obj("v1", "Namespace")), ("apply", "s", obj("v1", "Namespace", metadata={"name": "x", "labels": {"a": "b"}})), ("apply", "s", obj("v1", "Namespace"))]),
 (CORE + "/nodes", [("create", "c", obj("v1", "Node", spec={"providerID": "aws:///a/i"})), ("strategic", "k/status", {"status": {"capacity": {"cpu": "2000m", "memory": "8388608Ki"}, "conditions": [{"type": "Ready", "status": "True"}]}}), ("strategic", "k/status", {"status": {"capacity": {"vpc.amazonaws.com/pod-eni": "9"}}}), ("strategic", "t", {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}, "metadata": {"labels": {"a": "b"}}})]),
 (CORE + NS + "/serviceaccounts", [("create", "c", obj("v1", "ServiceAccount", metadata={"name": "x", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}})), ("apply", "s", obj("v1", "ServiceAccount", imagePullSecrets=[{"name": "y"}]))]),
 (f"/apis/{NET}{NS}/networkpolicies", [("create", "c", obj(NET, "NetworkPolicy", spec={"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 53}]}]})), ("apply", "s", obj(NET, "NetworkPolicy", spec={"ingress": [{"from": [{"podSelector": {"matchLabels": {"a": "b"}}}]}]})),
   ("merge", "m", {"spec": {"ingress": [{"from": [{}]}]}}), ("merge", "m", {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "x"}}]}]}}), ("merge", "m", {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}], "ports": [{"port": 9, "endPort": 3}]}]}}), ("merge", "m", {"spec": {"policyTypes": ["X"]}})]),
 (f"/apis/{RBAC}/clusterroles", [("create", "c", obj(RBAC, "ClusterRole", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])), ("apply", "s", obj(RBAC, "ClusterRole", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])), ("merge", "m", {"rules": [{"verbs": []}]}), ("merge", "m", {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["a"]}]})]),
 (f"/apis/{RBAC}{NS}/rolebindings", [("create", "c", obj(RBAC, "RoleBinding", roleRef={"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}, subjects=[{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}])), ("merge", "m", {"roleRef": {"name": "edit"}}), ("merge", "m", {"subjects": [{"kind": "X", "name": ""}]}), ("apply", "s", obj(RBAC, "RoleBinding", subjects=[{"kind": "Group", "name": "g"}]))]),
 ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", [("create", "c", obj("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", webhooks=[{"name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore", "clientConfig": {"service": {"name": "s", "namespace": "n"}}, "rules": [{"operations": ["CREATE"], "apiGroups": ["none.example.com"], "apiVersions": ["v1"], "resources": ["nones"]}]}])), ("merge", "m", {"webhooks": [{"name": "x", "clientConfig": {}}]})]),
 ("/apis/autoscaling/v2" + NS + "/horizontalpodautoscalers", [("create", "c", obj("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}))]),
 ("/apis/policy/v1" + NS + "/poddisruptionbudgets", [("create", "c", obj("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}})), ("apply", "s", obj("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": "50%"}))]),
 ("/apis/storage.k8s.io/v1/storageclasses", [("create", "c", obj("storage.k8s.io/v1", "StorageClass", provisioner="ebs.csi.aws.com"))]),
 ("/apis/scheduling.k8s.io/v1/priorityclasses", [("create", "c", obj("scheduling.k8s.io/v1", "PriorityClass", value=5))]),
]

def call(method, path, body=None, kind="application/json"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, {"Authorization": "Bearer " + token, "Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)

def run(path, what, manager, body):
    name, _, subresource = manager.partition("/")
    query = "?fieldManager=" + name + ("&force=true" if what == "force" else "")
    target = path + "/x" + ("/" + subresource if subresource else "")
    if what == "create":
        return call("POST", path + query, body)
    if what == "update":
        return call("PUT", target + query, body)
    return call("PATCH", target + query, body, TYPES[what])

stories = []
for path, steps in STORIES:
    call("PATCH", path + "/x", {"metadata": {"finalizers": None}}, TYPES["merge"])
    call("DELETE", path + "/x?gracePeriodSeconds=0")
    recorded = []
    for what, manager, body in steps:
        code, answer = run(path, what, manager, body)
        recorded.append({"what": what, "manager": manager, "body": body, "code": code, "answer": answer})
    call("PATCH", path + "/x", {"metadata": {"finalizers": None}}, TYPES["merge"])
    call("DELETE", path + "/x?gracePeriodSeconds=0")
    stories.append({"path": path, "steps": recorded})
json.dump(stories, sys.stdout, separators=(",", ":"), sort_keys=True)
