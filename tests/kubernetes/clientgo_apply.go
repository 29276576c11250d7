package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

func quantity(text string) *resource.Quantity {
	parsed := resource.MustParse(text)
	return &parsed
}

var discoveryChecks = []check{
	{"the server's version", func(l *lab) error {
		version, err := l.json.Discovery().ServerVersion()
		return first(err, expect(version.Major == "1" && version.GitVersion != "", "%+v", version))
	}},
	{"groups and resources", func(l *lab) error {
		groups, resources, err := l.json.Discovery().ServerGroupsAndResources()
		return first(err, expect(len(groups) > 15 && len(resources) > 20, "%d, %d", len(groups), len(resources)))
	}},
	{"the older form says the same", func(l *lab) error {
		client, err := discovery.NewDiscoveryClientForConfig(l.config)
		if err != nil {
			return err
		}
		_, resources, err := l.json.Discovery().ServerGroupsAndResources()
		client.UseLegacyDiscovery = true
		_, old, oldErr := client.ServerGroupsAndResources()
		names := func(lists []*metav1.APIResourceList) (all map[string]bool) {
			all = map[string]bool{}
			for _, list := range lists {
				for _, one := range list.APIResources {
					all[fmt.Sprint(list.GroupVersion, one.Name, one.Kind, one.Namespaced, one.ShortNames, one.Verbs, one.Categories)] = true
				}
			}
			return all
		}
		now, then := names(resources), names(old)
		for name := range now {
			if !then[name] {
				return fmt.Errorf("only the newer form has %s", name)
			}
		}
		return first(err, oldErr, expect(len(now) == len(then), "%d and %d", len(now), len(then)))
	}},
	{"preferred resources", func(l *lab) error {
		lists, err := l.json.Discovery().ServerPreferredNamespacedResources()
		return first(err, expect(len(lists) > 8, "%d", len(lists)))
	}},
	{"resources of a group", func(l *lab) error {
		list, err := l.json.Discovery().ServerResourcesForGroupVersion("apps/v1")
		_, none := l.json.Discovery().ServerResourcesForGroupVersion("nothing/v1")
		return first(err, expect(len(list.APIResources) > 8, "%d", len(list.APIResources)), refused(none, apierrors.IsNotFound, ""))
	}},
	{"OpenAPI 3, by group", func(l *lab) error {
		paths, err := l.json.Discovery().OpenAPIV3().Paths()
		if err != nil {
			return err
		}
		text, err := paths["apis/apps/v1"].Schema("application/json")
		return first(err, expect(len(text) > 10000, "%d", len(text)))
	}},
	{"OpenAPI 2 in protobuf", func(l *lab) error {
		document, err := l.json.Discovery().OpenAPISchema()
		return first(err, expect(len(document.GetDefinitions().GetAdditionalProperties()) > 100, "few definitions"))
	}},
	{"kinds are mapped", func(l *lab) error {
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(l.json.Discovery()))
		mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "vpcresources.k8s.aws", Kind: "SecurityGroupPolicy"})
		if err != nil {
			return err
		}
		short := restmapper.NewShortcutExpander(mapper, memory.NewMemCacheClient(l.json.Discovery()), nil)
		found, err := short.ResourceFor(schema.GroupVersionResource{Resource: "sgp"})
		_, none := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Nothing"})
		return first(err, expect(mapping.Scope.Name() == meta.RESTScopeNameNamespace && found.Resource == "securitygrouppolicies", "%v", found),
			refused(none, meta.IsNoMatchError, "Nothing"))
	}},
}

var applyChecks = []check{
	{"a typed apply makes and owns", func(l *lab) error {
		made, err := l.json.AppsV1().Deployments(l.namespace).Apply(l.ctx, deploymentApply(l, 1), metav1.ApplyOptions{FieldManager: "go"})
		if err != nil {
			return err
		}
		owned, err := appsapply.ExtractDeployment(made, "go")
		return first(err, expect(*owned.Spec.Replicas == 1 && owned.Spec.Strategy == nil, "%+v", owned.Spec))
	}},
	{"it conflicts with another manager", func(l *lab) error {
		_, err := l.json.AppsV1().Deployments(l.namespace).Apply(l.ctx, deploymentApply(l, 3), metav1.ApplyOptions{FieldManager: "other"})
		return refused(err, apierrors.IsConflict, `Apply failed with 1 conflict: conflict with "go": .spec.replicas`)
	}},
	{"force takes the field", func(l *lab) error {
		options := metav1.ApplyOptions{FieldManager: "other", Force: true}
		made, err := l.proto.AppsV1().Deployments(l.namespace).Apply(l.ctx, deploymentApply(l, 3), options)
		if err != nil {
			return err
		}
		owned, err := appsapply.ExtractDeployment(made, "go")
		return first(err, expect(*made.Spec.Replicas == 3 && owned.Spec.Replicas == nil, "%+v", owned.Spec))
	}},
	{"status is applied apart", func(l *lab) error {
		status := appsapply.DeploymentStatus().WithConditions(appsapply.DeploymentCondition().WithType("Odd").WithStatus("True"))
		applied := appsapply.Deployment("web", l.namespace).WithStatus(status)
		made, err := l.json.AppsV1().Deployments(l.namespace).ApplyStatus(l.ctx, applied, metav1.ApplyOptions{FieldManager: "status", Force: true})
		if err != nil {
			return err
		}
		owned, err := appsapply.ExtractDeploymentStatus(made, "status")
		return first(err, expect(len(owned.Status.Conditions) == 1 && owned.Spec == nil, "%+v", owned))
	}},
	{"scale is applied", func(l *lab) error {
		body := []byte(`{"apiVersion":"autoscaling/v1","kind":"Scale","spec":{"replicas":2}}`)
		force := true
		made, err := l.json.AppsV1().Deployments(l.namespace).Patch(l.ctx, "web", types.ApplyPatchType, body,
			metav1.PatchOptions{FieldManager: "scaler", Force: &force}, "scale")
		return first(err, expect(made != nil, "nothing"))
	}},
	{"an empty apply gives fields back", func(l *lab) error {
		set := func(data map[string]string) error {
			applied := coreapply.ConfigMap("owned", l.namespace).WithData(data)
			_, err := l.json.CoreV1().ConfigMaps(l.namespace).Apply(l.ctx, applied, metav1.ApplyOptions{FieldManager: "go"})
			return err
		}
		err := first(set(map[string]string{"a": "1", "b": "2"}), set(map[string]string{"a": "1"}))
		found, readErr := l.json.CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "owned", metav1.GetOptions{})
		return first(err, readErr, expect(len(found.Data) == 1, "%v", found.Data))
	}},
	{"an apply needs a manager", func(l *lab) error {
		applied := coreapply.ConfigMap("owned", l.namespace)
		_, err := l.json.CoreV1().ConfigMaps(l.namespace).Apply(l.ctx, applied, metav1.ApplyOptions{})
		return refused(err, func(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) }, "fieldManager")
	}},
}

func deploymentApply(l *lab, replicas int32) *appsapply.DeploymentApplyConfiguration {
	labels := map[string]string{"app": "web"}
	container := coreapply.Container().WithName("main").WithImage("nginx:1.27")
	template := coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))
	spec := appsapply.DeploymentSpec().WithReplicas(replicas).WithTemplate(template).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels))
	return appsapply.Deployment("web", l.namespace).WithSpec(spec)
}

var dynamicChecks = []check{
	{"a definition is established and served", func(l *lab) error {
		if _, err := l.dynamic.Resource(definitions).Create(l.ctx, newDefinition(), metav1.CreateOptions{}); err != nil {
			return err
		}
		return eventually("the definition", func() (bool, error) {
			found, err := l.dynamic.Resource(definitions).Get(l.ctx, "gadgets.go.example.com", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			conditions, _, _ := unstructured.NestedSlice(found.Object, "status", "conditions")
			for _, one := range conditions {
				if condition := one.(map[string]any); condition["type"] == "Established" && condition["status"] == "True" {
					return true, nil
				}
			}
			return false, nil
		})
	}},
	{"create fills in defaults", func(l *lab) error {
		made, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).Create(l.ctx, newGadget("one"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		size, _, _ := unstructured.NestedInt64(made.Object, "spec", "size")
		return expect(size == 1 && made.GetGeneration() == 1, "%v", made.Object)
	}},
	{"unknown fields are refused when asked", func(l *lab) error {
		odd := newGadget("odd")
		_ = unstructured.SetNestedField(odd.Object, "rose", "spec", "smell")
		strict := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
		_, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).Create(l.ctx, odd, strict)
		return refused(err, apierrors.IsBadRequest, `unknown field "spec.smell"`)
	}},
	{"apply, with a conflict", func(l *lab) error {
		object := newGadget("one")
		_, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).Apply(l.ctx, "one", object, metav1.ApplyOptions{FieldManager: "a", Force: true})
		_ = unstructured.SetNestedField(object.Object, "blue", "spec", "colour")
		_, conflict := l.dynamic.Resource(gadgets).Namespace(l.namespace).Apply(l.ctx, "one", object, metav1.ApplyOptions{FieldManager: "b"})
		return first(err, refused(conflict, apierrors.IsConflict, ".spec.colour"))
	}},
	{"status leaves the generation", func(l *lab) error {
		found, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).Get(l.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		_ = unstructured.SetNestedField(found.Object, "Good", "status", "phase")
		made, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).UpdateStatus(l.ctx, found, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		phase, _, _ := unstructured.NestedString(made.Object, "status", "phase")
		return expect(phase == "Good" && made.GetGeneration() == found.GetGeneration(), "%v", made.Object)
	}},
	{"strategic merge is not for custom resources", func(l *lab) error {
		_, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).Patch(l.ctx, "one", types.StrategicMergePatchType, []byte("{}"), metav1.PatchOptions{})
		return refused(err, apierrors.IsUnsupportedMediaType, "")
	}},
	{"a polymorphic scale", func(l *lab) error {
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(l.json.Discovery()))
		client, err := scale.NewForConfig(l.config, mapper, dynamicPaths, scale.NewDiscoveryScaleKindResolver(l.json.Discovery()))
		if err != nil {
			return err
		}
		found, err := client.Scales(l.namespace).Get(context.Background(), gadgets.GroupResource(), "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		found.Spec.Replicas = 4
		found, err = client.Scales(l.namespace).Update(context.Background(), gadgets.GroupResource(), found, metav1.UpdateOptions{})
		return first(err, expect(found.Spec.Replicas == 4, "%+v", found))
	}},
	{"built-in kinds too", func(l *lab) error {
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "one"}, "data": map[string]any{"a": "b"},
		}}
		_, err := l.dynamic.Resource(configMaps).Namespace(l.namespace).Create(l.ctx, object, metav1.CreateOptions{})
		list, listErr := l.dynamic.Resource(configMaps).Namespace(l.namespace).List(l.ctx, metav1.ListOptions{})
		return first(err, listErr, expect(list.GetKind() == "ConfigMapList" && list.Items[0].GetKind() == "ConfigMap", "%v", list.Object))
	}},
	{"a finalizer holds an object", func(l *lab) error {
		client := l.dynamic.Resource(gadgets).Namespace(l.namespace)
		held := newGadget("held")
		held.SetFinalizers([]string{"example.com/held"})
		_, err := client.Create(l.ctx, held, metav1.CreateOptions{})
		deleteErr := client.Delete(l.ctx, "held", metav1.DeleteOptions{})
		found, readErr := client.Get(l.ctx, "held", metav1.GetOptions{})
		if err := first(err, deleteErr, readErr); err != nil {
			return err
		}
		if err := expect(found.GetDeletionTimestamp() != nil, "%v", found.Object); err != nil {
			return err
		}
		found.SetFinalizers(nil)
		_, err = client.Update(l.ctx, found, metav1.UpdateOptions{})
		_, gone := client.Get(l.ctx, "held", metav1.GetOptions{})
		return first(err, refused(gone, apierrors.IsNotFound, "held"))
	}},
	{"objects go with their definition", func(l *lab) error {
		err := l.dynamic.Resource(definitions).Delete(l.ctx, "gadgets.go.example.com", metav1.DeleteOptions{})
		return first(err, eventually("the end of the resource", func() (bool, error) {
			_, err := l.dynamic.Resource(gadgets).Namespace(l.namespace).List(l.ctx, metav1.ListOptions{})
			return apierrors.IsNotFound(err), err
		}))
	}},
}

// dynamicPaths is the path of a group's version, as the dynamic client has it.
func dynamicPaths(kind schema.GroupVersionKind) string {
	if kind.Group == "" {
		return "/api"
	}
	return "/apis"
}
