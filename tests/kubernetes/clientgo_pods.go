package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

var metadataChecks = []check{
	{"list has metadata only", func(l *lab) error {
		_, err := l.proto.CoreV1().ConfigMaps(l.namespace).Create(l.ctx, newConfigMap("one", map[string]string{"a": "b"}), metav1.CreateOptions{})
		list, listErr := l.metadata.Resource(configMaps).Namespace(l.namespace).List(l.ctx, metav1.ListOptions{LabelSelector: "a=b"})
		if err := first(err, listErr); err != nil {
			return err
		}
		return expect(len(list.Items) == 1 && list.Items[0].UID != "", "%+v", list)
	}},
	{"get", func(l *lab) error {
		found, err := l.metadata.Resource(configMaps).Namespace(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		return first(err, expect(found.Labels["a"] == "b", "%+v", found))
	}},
	{"patch", func(l *lab) error {
		body := []byte(`{"metadata":{"annotations":{"x":"y"}}}`)
		made, err := l.metadata.Resource(configMaps).Namespace(l.namespace).Patch(l.ctx, "one", types.MergePatchType, body, metav1.PatchOptions{})
		return first(err, expect(made.Annotations["x"] == "y", "%+v", made))
	}},
	{"watch", func(l *lab) error {
		watcher, err := l.metadata.Resource(configMaps).Namespace(l.namespace).Watch(l.ctx, metav1.ListOptions{LabelSelector: "a=b"})
		if err != nil {
			return err
		}
		defer watcher.Stop()
		event, err := next(watcher)
		if err != nil {
			return err
		}
		found, ok := event.Object.(*metav1.PartialObjectMetadata)
		return expect(ok && found.Name == "one", "%+v", event)
	}},
	{"delete", func(l *lab) error {
		client := l.metadata.Resource(configMaps).Namespace(l.namespace)
		err := client.Delete(l.ctx, "one", metav1.DeleteOptions{})
		_, gone := client.Get(l.ctx, "one", metav1.GetOptions{})
		return first(err, refused(gone, apierrors.IsNotFound, "one"))
	}},
}

// runningPod makes a pod and waits for it.
func runningPod(l *lab, name string) error {
	if _, err := l.proto.CoreV1().Pods(l.namespace).Create(l.ctx, newPod(name), metav1.CreateOptions{}); err != nil {
		return err
	}
	return eventually(name+" to run", func() (bool, error) {
		found, err := l.proto.CoreV1().Pods(l.namespace).Get(l.ctx, name, metav1.GetOptions{})
		return found.Status.Phase == corev1.PodRunning && found.Status.PodIP != "", err
	})
}

var podChecks = []check{
	{"a pod runs", func(l *lab) error { return runningPod(l, "one") }},
	{"by node, with a field selector", func(l *lab) error {
		pod, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		selector := "spec.nodeName=" + pod.Spec.NodeName + ",status.phase=Running"
		list, err := l.json.CoreV1().Pods(metav1.NamespaceAll).List(l.ctx, metav1.ListOptions{FieldSelector: selector})
		return first(err, expect(len(list.Items) > 1, "%d", len(list.Items)))
	}},
	{"binding", func(l *lab) error {
		pod := newPod("bound")
		pod.Spec.SchedulerName = "nobody"
		nodes, err := l.json.CoreV1().Nodes().List(l.ctx, metav1.ListOptions{})
		_, createErr := l.json.CoreV1().Pods(l.namespace).Create(l.ctx, pod, metav1.CreateOptions{})
		if err := first(err, createErr); err != nil {
			return err
		}
		target := corev1.ObjectReference{Kind: "Node", Name: nodes.Items[0].Name}
		binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "bound"}, Target: target}
		err = l.proto.CoreV1().Pods(l.namespace).Bind(l.ctx, binding, metav1.CreateOptions{})
		again := l.json.CoreV1().Pods(l.namespace).Bind(l.ctx, binding, metav1.CreateOptions{})
		return first(err, refused(again, apierrors.IsConflict, "is already assigned to node"), eventually("bound to run", func() (bool, error) {
			found, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "bound", metav1.GetOptions{})
			return err == nil && found.Status.Phase == corev1.PodRunning, err
		}))
	}},
	{"ephemeral containers", func(l *lab) error {
		pod, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		common := corev1.EphemeralContainerCommon{Name: "debugger", Image: "busybox"}
		pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, corev1.EphemeralContainer{EphemeralContainerCommon: common})
		pod.ResourceVersion = ""
		made, err := l.proto.CoreV1().Pods(l.namespace).UpdateEphemeralContainers(l.ctx, "one", pod, metav1.UpdateOptions{})
		return first(err, expect(len(made.Spec.EphemeralContainers) == 1, "%+v", made.Spec))
	}},
	{"ephemeral containers stay", func(l *lab) error {
		pod, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		pod.ResourceVersion = ""
		pod.Spec.EphemeralContainers = nil
		_, err = l.json.CoreV1().Pods(l.namespace).UpdateEphemeralContainers(l.ctx, "one", pod, metav1.UpdateOptions{})
		return refused(err, apierrors.IsInvalid, "may not be removed")
	}},
	{"resources are resized in place", func(l *lab) error {
		pod := newPod("sized")
		pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: *quantity("10m")}
		if _, err := l.json.CoreV1().Pods(l.namespace).Create(l.ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
		found, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "sized", metav1.GetOptions{})
		if err != nil {
			return err
		}
		found.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = *quantity("20m")
		made, err := l.json.CoreV1().Pods(l.namespace).UpdateResize(l.ctx, "sized", found, metav1.UpdateOptions{})
		if apierrors.IsConflict(err) {
			found.ResourceVersion = ""
			made, err = l.json.CoreV1().Pods(l.namespace).UpdateResize(l.ctx, "sized", found, metav1.UpdateOptions{})
		}
		return first(err, expect(made.Spec.Containers[0].Resources.Requests.Cpu().String() == "20m", "%+v", made.Spec))
	}},
	{"most of a pod does not change", func(l *lab) error {
		pod, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		pod.ResourceVersion = ""
		pod.Spec.HostNetwork = true
		_, err = l.proto.CoreV1().Pods(l.namespace).Update(l.ctx, pod, metav1.UpdateOptions{})
		return refused(err, apierrors.IsInvalid, "pod updates may not change fields other than")
	}},
	{"an eviction that a budget forbids is tried later", func(l *lab) error {
		one := intstr.FromInt32(1)
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
		budget.Spec = policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "one"}}}
		if _, err := l.proto.PolicyV1().PodDisruptionBudgets(l.namespace).Create(l.ctx, budget, metav1.CreateOptions{}); err != nil {
			return err
		}
		eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: l.namespace}}
		err := eventually("the budget", func() (bool, error) {
			found, err := l.json.PolicyV1().PodDisruptionBudgets(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			return err == nil && found.Status.CurrentHealthy == 1, err
		})
		evicted := l.proto.PolicyV1().Evictions(l.namespace).Evict(l.ctx, eviction)
		return first(err, refused(evicted, apierrors.IsTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget."))
	}},
	{"eviction", func(l *lab) error {
		if err := l.json.PolicyV1().PodDisruptionBudgets(l.namespace).Delete(l.ctx, "one", metav1.DeleteOptions{}); err != nil {
			return err
		}
		eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: l.namespace}}
		err := l.proto.PolicyV1().Evictions(l.namespace).Evict(l.ctx, eviction)
		return first(err, eventually("the pod to go", func() (bool, error) {
			_, err := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			return apierrors.IsNotFound(err), err
		}))
	}},
	{"a deletion without grace is at once", func(l *lab) error {
		if err := runningPod(l, "quick"); err != nil {
			return err
		}
		now := int64(0)
		err := l.proto.CoreV1().Pods(l.namespace).Delete(l.ctx, "quick", metav1.DeleteOptions{GracePeriodSeconds: &now})
		_, gone := l.json.CoreV1().Pods(l.namespace).Get(l.ctx, "quick", metav1.GetOptions{})
		return first(err, refused(gone, apierrors.IsNotFound, "quick"))
	}},
	{"there are no logs", func(l *lab) error {
		stream, err := l.json.CoreV1().Pods(l.namespace).GetLogs("bound", &corev1.PodLogOptions{}).Stream(l.ctx)
		if err == nil {
			_, _ = io.Copy(io.Discard, stream)
		}
		return refused(err, func(error) bool { return true }, "does not simulate")
	}},
	{"there is nothing to execute", func(l *lab) error {
		request := l.json.CoreV1().RESTClient().Post().Resource("pods").Namespace(l.namespace).Name("bound").SubResource("exec").
			Param("command", "ls").Param("stdout", "true")
		ctx, cancel := context.WithTimeout(l.ctx, 20*time.Second)
		defer cancel()
		socket, err := remotecommand.NewWebSocketExecutor(l.config, "GET", request.URL().String())
		spdy, spdyErr := remotecommand.NewSPDYExecutor(l.config, "POST", request.URL())
		if err := first(err, spdyErr); err != nil {
			return err
		}
		options := remotecommand.StreamOptions{Stdout: io.Discard}
		is := func(error) bool { return true }
		return first(refused(socket.StreamWithContext(ctx, options), is, ""), refused(spdy.StreamWithContext(ctx, options), is, "does not simulate"))
	}},
}

// as is a client with another identity, in JSON.
func as(l *lab, change func(*rest.Config)) (kubernetes.Interface, error) {
	config := rest.CopyConfig(l.config)
	change(config)
	return kubernetes.NewForConfig(config)
}

var reviewChecks = []check{
	{"a token of a service account", func(l *lab) error {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}
		_, err := l.proto.CoreV1().ServiceAccounts(l.namespace).Create(l.ctx, account, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		token, err := l.proto.CoreV1().ServiceAccounts(l.namespace).CreateToken(l.ctx, "robot", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		client, err := as(l, func(config *rest.Config) { config.BearerToken = token.Status.Token })
		if err != nil {
			return err
		}
		self, err := client.AuthenticationV1().SelfSubjectReviews().Create(l.ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		wanted := "system:serviceaccount:" + l.namespace + ":robot"
		_, forbidden := client.CoreV1().Secrets(l.namespace).List(l.ctx, metav1.ListOptions{})
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}
		reviewed, reviewErr := l.proto.AuthenticationV1().TokenReviews().Create(l.ctx, review, metav1.CreateOptions{})
		return first(err, expect(self.Status.UserInfo.Username == wanted, "%+v", self.Status),
			refused(forbidden, apierrors.IsForbidden, `User "`+wanted+`" cannot list resource "secrets"`),
			reviewErr, expect(reviewed.Status.Authenticated && reviewed.Status.User.Username == wanted, "%+v", reviewed.Status))
	}},
	{"a token that is none", func(l *lab) error {
		client, err := as(l, func(config *rest.Config) { config.BearerToken = "none" })
		if err != nil {
			return err
		}
		_, unauthorized := client.CoreV1().Pods(l.namespace).List(l.ctx, metav1.ListOptions{})
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: "none"}}
		reviewed, err := l.json.AuthenticationV1().TokenReviews().Create(l.ctx, review, metav1.CreateOptions{})
		return first(err, refused(unauthorized, apierrors.IsUnauthorized, ""), expect(!reviewed.Status.Authenticated, "%+v", reviewed.Status))
	}},
	{"access, for oneself and for others", func(l *lab) error {
		attributes := &authorizationv1.ResourceAttributes{Namespace: l.namespace, Verb: "delete", Resource: "pods"}
		self := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
		mine, err := l.proto.AuthorizationV1().SelfSubjectAccessReviews().Create(l.ctx, self, metav1.CreateOptions{})
		other := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: attributes, User: "eve"}}
		hers, otherErr := l.proto.AuthorizationV1().SubjectAccessReviews().Create(l.ctx, other, metav1.CreateOptions{})
		local := &authorizationv1.LocalSubjectAccessReview{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace}, Spec: other.Spec}
		locally, localErr := l.json.AuthorizationV1().LocalSubjectAccessReviews(l.namespace).Create(l.ctx, local, metav1.CreateOptions{})
		return first(err, otherErr, localErr, expect(mine.Status.Allowed && !hers.Status.Allowed && !locally.Status.Allowed, "%+v %+v", mine.Status, hers.Status))
	}},
	{"the rules that hold", func(l *lab) error {
		review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: l.namespace}}
		rules, err := l.proto.AuthorizationV1().SelfSubjectRulesReviews().Create(l.ctx, review, metav1.CreateOptions{})
		return first(err, expect(len(rules.Status.ResourceRules) > 0, "%+v", rules.Status))
	}},
	{"impersonation", func(l *lab) error {
		client, err := as(l, func(config *rest.Config) {
			config.Impersonate = rest.ImpersonationConfig{UserName: "eve", Groups: []string{"system:authenticated", "g"}}
		})
		if err != nil {
			return err
		}
		self, err := client.AuthenticationV1().SelfSubjectReviews().Create(l.ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		groups := strings.Join(self.Status.UserInfo.Groups, ",")
		return first(err, expect(self.Status.UserInfo.Username == "eve" && strings.Contains(groups, "g"), "%+v", self.Status))
	}},
	{"a cluster that nobody answers for is unreachable, not a panic", func(l *lab) error {
		client, err := as(l, func(config *rest.Config) { config.Host = "https://127.0.0.1:1" })
		if err != nil {
			return err
		}
		_, err = client.CoreV1().Pods("x").List(l.ctx, metav1.ListOptions{})
		return refused(err, func(err error) bool { return !apierrors.IsNotFound(err) }, "connection refused")
	}},
	{"an authority that is another one is not trusted", func(l *lab) error {
		client, err := as(l, func(config *rest.Config) { config.CAData = nil })
		if err != nil {
			return err
		}
		_, err = client.CoreV1().Pods("x").List(l.ctx, metav1.ListOptions{})
		return refused(err, func(error) bool { return true }, "x509")
	}},
	{"a table, as kubectl asks for it", func(l *lab) error {
		accept := "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
		raw, err := l.json.CoreV1().RESTClient().Get().Resource("namespaces").SetHeader("Accept", accept).DoRaw(l.ctx)
		return first(err, expect(strings.Contains(string(raw), `"kind":"Table"`), "%s", fmt.Sprint(len(raw))))
	}},
}
