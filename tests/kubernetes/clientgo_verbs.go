package main

import (
	"fmt"
	"sync"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// patient tries for longer than client-go's own backoffs, which are for few writers.
var patient = wait.Backoff{Steps: 100, Duration: 5 * time.Millisecond, Jitter: 1}

// typedChecks are the verbs of the generated clients, in JSON or in protobuf.
func typedChecks(of func(*lab) kubernetes.Interface) []check {
	patch := func(kind types.PatchType, body, key, value string) func(*lab) error {
		return func(l *lab) error {
			made, err := of(l).CoreV1().ConfigMaps(l.namespace).Patch(l.ctx, "one", kind, []byte(body), metav1.PatchOptions{})
			if err != nil {
				return err
			}
			return expect(made.Data[key] == value, "%v", made.Data)
		}
	}
	return []check{
		{"create answers what was filled in", func(l *lab) error {
			made, err := of(l).CoreV1().ConfigMaps(l.namespace).Create(l.ctx, newConfigMap("one", nil), metav1.CreateOptions{})
			if err != nil {
				return err
			}
			full := made.UID != "" && made.ResourceVersion != "" && !made.CreationTimestamp.IsZero() && made.Namespace == l.namespace
			return expect(full && made.Data["a"] == "1", "%+v", made)
		}},
		{"a second of that name exists already", func(l *lab) error {
			_, err := of(l).CoreV1().ConfigMaps(l.namespace).Create(l.ctx, newConfigMap("one", nil), metav1.CreateOptions{})
			return refused(err, apierrors.IsAlreadyExists, `configmaps "one" already exists`)
		}},
		{"names are generated", func(l *lab) error {
			object := newConfigMap("", nil)
			object.GenerateName = "made-"
			made, err := of(l).CoreV1().ConfigMaps(l.namespace).Create(l.ctx, object, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			return expect(len(made.Name) == len("made-")+5, "%s", made.Name)
		}},
		{"a rehearsal leaves nothing", func(l *lab) error {
			dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
			_, err := of(l).CoreV1().ConfigMaps(l.namespace).Create(l.ctx, newConfigMap("dry", nil), dry)
			_, gone := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "dry", metav1.GetOptions{})
			return first(err, refused(gone, apierrors.IsNotFound, `configmaps "dry" not found`))
		}},
		{"what is wrong is told by its fields", func(l *lab) error {
			object := newDeployment("wrong", 1)
			object.Spec.Selector.MatchLabels = map[string]string{"app": "other"}
			object.Spec.Template.Spec.Containers[0].Name = "A"
			_, err := of(l).AppsV1().Deployments(l.namespace).Create(l.ctx, object, metav1.CreateOptions{})
			status, ok := err.(apierrors.APIStatus)
			if !ok || !apierrors.IsInvalid(err) {
				return fmt.Errorf("refused otherwise: %v", err)
			}
			return expect(len(status.Status().Details.Causes) == 2, "%v", status.Status().Details.Causes)
		}},
		{"get", func(l *lab) error {
			found, err := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			return first(err, expect(found.Name == "one" && len(found.ManagedFields) == 1, "%+v", found))
		}},
		{"update", func(l *lab) error {
			found, err := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			if err != nil {
				return err
			}
			found.Data["b"] = "2"
			made, err := of(l).CoreV1().ConfigMaps(l.namespace).Update(l.ctx, found, metav1.UpdateOptions{})
			return first(err, expect(made.Data["b"] == "2" && made.ResourceVersion != found.ResourceVersion, "%+v", made))
		}},
		{"an update without a change keeps its revision", func(l *lab) error {
			found, err := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			if err != nil {
				return err
			}
			made, err := of(l).CoreV1().ConfigMaps(l.namespace).Update(l.ctx, found, metav1.UpdateOptions{})
			return first(err, expect(made.ResourceVersion == found.ResourceVersion, "%s", made.ResourceVersion))
		}},
		{"an update of what has changed meanwhile conflicts", func(l *lab) error {
			found, err := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
			if err != nil {
				return err
			}
			found.ResourceVersion = "1"
			_, err = of(l).CoreV1().ConfigMaps(l.namespace).Update(l.ctx, found, metav1.UpdateOptions{})
			return refused(err, apierrors.IsConflict, "the object has been modified")
		}},
		{"eight writers who try again lose nothing", func(l *lab) error {
			return together(8, func(number int) error {
				return retry.RetryOnConflict(patient, func() error { return count(l, of(l)) })
			}, func() error {
				found, err := of(l).CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
				return first(err, expect(len(found.Data["n"]) == 8, "%v", found.Data))
			})
		}},
		{"a hundred at once get a hundred revisions", func(l *lab) error {
			var mutex sync.Mutex
			seen := map[string]bool{}
			return together(100, func(number int) error {
				object := newConfigMap(fmt.Sprintf("many-%03d", number), map[string]string{"many": "yes"})
				made, err := of(l).CoreV1().ConfigMaps(l.namespace).Create(l.ctx, object, metav1.CreateOptions{})
				mutex.Lock()
				defer mutex.Unlock()
				seen[made.ResourceVersion] = true
				return err
			}, func() error { return expect(len(seen) == 100, "%d", len(seen)) })
		}},
		{"pages have everything once, as it was at the first", func(l *lab) error { return pages(l, of(l)) }},
		{"labels and fields select", func(l *lab) error {
			options := metav1.ListOptions{LabelSelector: "many=yes", FieldSelector: "metadata.name!=many-001"}
			list, err := of(l).CoreV1().ConfigMaps(l.namespace).List(l.ctx, options)
			return first(err, expect(len(list.Items) == 99, "%d", len(list.Items)))
		}},
		{"a field that is no index is refused", func(l *lab) error {
			_, err := of(l).CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{FieldSelector: "data.a=1"})
			return refused(err, apierrors.IsBadRequest, `"data.a" is not a known field selector`)
		}},
		{"JSON patch", patch(types.JSONPatchType, `[{"op":"add","path":"/data/json","value":"yes"}]`, "json", "yes")},
		{"merge patch", patch(types.MergePatchType, `{"data":{"merge":"yes","a":null}}`, "merge", "yes")},
		{"strategic merge patch", patch(types.StrategicMergePatchType, `{"data":{"strategic":"yes"}}`, "strategic", "yes")},
		{"a patch can ask for a revision", func(l *lab) error {
			body := []byte(`{"metadata":{"resourceVersion":"1"},"data":{"x":"y"}}`)
			_, err := of(l).CoreV1().ConfigMaps(l.namespace).Patch(l.ctx, "one", types.MergePatchType, body, metav1.PatchOptions{})
			return refused(err, apierrors.IsConflict, "the object has been modified")
		}},
		{"status is a door of its own", func(l *lab) error { return statusOnly(l, of(l)) }},
		{"scale", func(l *lab) error {
			deployments := of(l).AppsV1().Deployments(l.namespace)
			if _, err := deployments.Create(l.ctx, newDeployment("scaled", 1), metav1.CreateOptions{}); err != nil {
				return err
			}
			// The controller writes to a new deployment, too.
			return retry.RetryOnConflict(patient, func() error {
				scale, err := deployments.GetScale(l.ctx, "scaled", metav1.GetOptions{})
				if err != nil {
					return err
				}
				scale.Spec.Replicas = 2
				scale, err = deployments.UpdateScale(l.ctx, "scaled", scale, metav1.UpdateOptions{})
				return first(err, expect(scale.Spec.Replicas == 2 && scale.Status.Selector == "app=scaled", "%+v", scale))
			})
		}},
		{"a deployment becomes available", func(l *lab) error {
			return eventually("replicas", func() (bool, error) {
				found, err := of(l).AppsV1().Deployments(l.namespace).Get(l.ctx, "scaled", metav1.GetOptions{})
				return err == nil && found.Status.AvailableReplicas == 2 && found.Status.ObservedGeneration == found.Generation, err
			})
		}},
		{"a deletion can ask for the object", func(l *lab) error {
			uid := types.UID("other")
			options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
			err := of(l).CoreV1().ConfigMaps(l.namespace).Delete(l.ctx, "one", options)
			return refused(err, apierrors.IsConflict, "the UID in the precondition (other) does not match the UID in record")
		}},
		{"delete", func(l *lab) error {
			err := of(l).CoreV1().ConfigMaps(l.namespace).Delete(l.ctx, "one", metav1.DeleteOptions{})
			again := of(l).CoreV1().ConfigMaps(l.namespace).Delete(l.ctx, "one", metav1.DeleteOptions{})
			return first(err, refused(again, apierrors.IsNotFound, `configmaps "one" not found`))
		}},
		{"delete a collection", func(l *lab) error {
			many := metav1.ListOptions{LabelSelector: "many=yes"}
			if err := of(l).CoreV1().ConfigMaps(l.namespace).DeleteCollection(l.ctx, metav1.DeleteOptions{}, many); err != nil {
				return err
			}
			list, err := of(l).CoreV1().ConfigMaps(l.namespace).List(l.ctx, many)
			return first(err, expect(len(list.Items) == 0, "%d", len(list.Items)))
		}},
		{"foreground: dependents go first", func(l *lab) error {
			foreground := metav1.DeletePropagationForeground
			err := of(l).AppsV1().Deployments(l.namespace).Delete(l.ctx, "scaled", metav1.DeleteOptions{PropagationPolicy: &foreground})
			return first(err, eventually("the end of pods", func() (bool, error) {
				pods, err := of(l).CoreV1().Pods(l.namespace).List(l.ctx, metav1.ListOptions{LabelSelector: "app=scaled"})
				_, gone := of(l).AppsV1().Deployments(l.namespace).Get(l.ctx, "scaled", metav1.GetOptions{})
				return err == nil && len(pods.Items) == 0 && apierrors.IsNotFound(gone), err
			}))
		}},
		{"a namespace goes with what is in it", func(l *lab) error {
			name := l.namespace + "-gone"
			if _, err := of(l).CoreV1().Namespaces().Create(l.ctx, newNamespace(name), metav1.CreateOptions{}); err != nil {
				return err
			}
			if _, err := of(l).CoreV1().ConfigMaps(name).Create(l.ctx, newConfigMap("in", nil), metav1.CreateOptions{}); err != nil {
				return err
			}
			err := of(l).CoreV1().Namespaces().Delete(l.ctx, name, metav1.DeleteOptions{})
			return first(err, eventually("the end of the namespace", func() (bool, error) {
				_, err := of(l).CoreV1().Namespaces().Get(l.ctx, name, metav1.GetOptions{})
				return apierrors.IsNotFound(err), err
			}))
		}},
	}
}

// together runs work in as many goroutines, then the check.
func together(number int, work func(int) error, then func() error) error {
	errs := make(chan error, number)
	for one := range number {
		go func() { errs <- work(one) }()
	}
	for range number {
		if err := <-errs; err != nil {
			return err
		}
	}
	return then()
}

func count(l *lab, client kubernetes.Interface) error {
	found, err := client.CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
	if err != nil {
		return err
	}
	found.Data["n"] += "x"
	_, err = client.CoreV1().ConfigMaps(l.namespace).Update(l.ctx, found, metav1.UpdateOptions{})
	return err
}

func pages(l *lab, client kubernetes.Interface) error {
	seen := map[string]int{}
	options := metav1.ListOptions{LabelSelector: "many=yes", Limit: 30}
	rounds, version := 0, ""
	for {
		list, err := client.CoreV1().ConfigMaps(l.namespace).List(l.ctx, options)
		if err != nil {
			return err
		}
		rounds++
		for _, item := range list.Items {
			seen[item.Name]++
		}
		if version != "" && list.ResourceVersion != version {
			return fmt.Errorf("the revision went from %s to %s", version, list.ResourceVersion)
		}
		version = list.ResourceVersion
		if rounds == 1 {
			late := newConfigMap("many-zzz", map[string]string{"many": "yes", "late": "yes"})
			if _, err := client.CoreV1().ConfigMaps(l.namespace).Create(l.ctx, late, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	err := client.CoreV1().ConfigMaps(l.namespace).Delete(l.ctx, "many-zzz", metav1.DeleteOptions{})
	return first(err, expect(rounds == 4 && len(seen) == 100 && seen["many-000"] == 1, "%d in %d pages", len(seen), rounds))
}

func statusOnly(l *lab, client kubernetes.Interface) error {
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "door"}}
	ingress.Spec.Rules = []networkingv1.IngressRule{{Host: "example.com"}}
	ingresses := client.NetworkingV1().Ingresses(l.namespace)
	made, err := ingresses.Create(l.ctx, ingress, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Labels = map[string]string{"not": "taken"}
	made.Spec.Rules[0].Host = "not.taken"
	made.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{Hostname: "a.example.com"}}
	changed, err := ingresses.UpdateStatus(l.ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	host := func() string { return changed.Status.LoadBalancer.Ingress[0].Hostname }
	if err := expect(host() == "a.example.com" && changed.Spec.Rules[0].Host == "example.com", "%+v", changed); err != nil {
		return err
	}
	changed.Status.LoadBalancer.Ingress[0].Hostname = "b.example.com"
	changed.Labels = map[string]string{"is": "taken"}
	changed, err = ingresses.Update(l.ctx, changed, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect(host() == "a.example.com" && changed.Labels["is"] == "taken", "%+v", changed)
}
