package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// mirror keeps what an informer told, to compare with a list.
type mirror struct {
	mutex sync.Mutex
	names map[string]string
}

func (m *mirror) handler() cache.ResourceEventHandler {
	put := func(object any) {
		one := object.(metav1.Object)
		m.mutex.Lock()
		defer m.mutex.Unlock()
		m.names[one.GetName()] = one.GetResourceVersion()
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    put,
		UpdateFunc: func(_, object any) { put(object) },
		DeleteFunc: func(object any) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			delete(m.names, object.(metav1.Object).GetName())
		},
	}
}

// equals waits until the mirror shows what a list has.
func (m *mirror) equals(l *lab) error {
	return eventually("the mirror", func() (bool, error) {
		list, err := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		m.mutex.Lock()
		defer m.mutex.Unlock()
		for _, item := range list.Items {
			if m.names[item.Name] != item.ResourceVersion {
				return false, fmt.Errorf("%s is at %s, mirrored at %s", item.Name, item.ResourceVersion, m.names[item.Name])
			}
		}
		return len(list.Items) == len(m.names), fmt.Errorf("%d of %d", len(m.names), len(list.Items))
	})
}

// mirrored starts an informer, changes config maps while it runs, and compares.
func mirrored(start func(*lab, context.Context) (cache.SharedIndexInformer, func())) func(*lab) error {
	return func(l *lab) error {
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		informer, run := start(l, ctx)
		m := &mirror{names: map[string]string{}}
		if _, err := informer.AddEventHandler(m.handler()); err != nil {
			return err
		}
		if err := create(l, "before", nil); err != nil {
			return err
		}
		run()
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return fmt.Errorf("it did not synchronise")
		}
		if err := m.equals(l); err != nil {
			return err
		}
		for number := range 20 {
			name := fmt.Sprintf("i%02d", number)
			if err := first(create(l, name, nil), set(l, name, "number", fmt.Sprint(number))); err != nil {
				return err
			}
			if number%3 == 0 {
				if err := remove(l, name); err != nil {
					return err
				}
			}
		}
		err := m.equals(l)
		clean := l.json.CoreV1().ConfigMaps(l.namespace).DeleteCollection(l.ctx, metav1.DeleteOptions{}, others)
		return first(err, clean, m.equals(l))
	}
}

var informerChecks = []check{
	{"a shared informer mirrors the cluster", mirrored(func(l *lab, ctx context.Context) (cache.SharedIndexInformer, func()) {
		factory := informers.NewSharedInformerFactoryWithOptions(l.proto, 0, informers.WithNamespace(l.namespace))
		return factory.Core().V1().ConfigMaps().Informer(), func() { factory.Start(ctx.Done()) }
	})},
	{"in JSON too", mirrored(func(l *lab, ctx context.Context) (cache.SharedIndexInformer, func()) {
		factory := informers.NewSharedInformerFactoryWithOptions(l.json, 0, informers.WithNamespace(l.namespace))
		return factory.Core().V1().ConfigMaps().Informer(), func() { factory.Start(ctx.Done()) }
	})},
	{"a dynamic one", mirrored(func(l *lab, ctx context.Context) (cache.SharedIndexInformer, func()) {
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(l.dynamic, 0, l.namespace, nil)
		return factory.ForResource(configMaps).Informer(), func() { factory.Start(ctx.Done()) }
	})},
	{"one of metadata", mirrored(func(l *lab, ctx context.Context) (cache.SharedIndexInformer, func()) {
		factory := metadatainformer.NewFilteredSharedInformerFactory(l.metadata, 0, l.namespace, nil)
		return factory.ForResource(configMaps).Informer(), func() { factory.Start(ctx.Done()) }
	})},
	{"informers of everything that there is synchronise", func(l *lab) error {
		ctx, cancel := context.WithTimeout(l.ctx, patience)
		defer cancel()
		factory := informers.NewSharedInformerFactory(l.proto, 0)
		factory.Core().V1().Pods().Informer()
		factory.Core().V1().Nodes().Informer()
		factory.Core().V1().Namespaces().Informer()
		factory.Core().V1().Services().Informer()
		factory.Core().V1().Secrets().Informer()
		factory.Core().V1().ServiceAccounts().Informer()
		factory.Core().V1().PersistentVolumes().Informer()
		factory.Core().V1().Events().Informer()
		factory.Apps().V1().Deployments().Informer()
		factory.Apps().V1().DaemonSets().Informer()
		factory.Apps().V1().StatefulSets().Informer()
		factory.Apps().V1().ControllerRevisions().Informer()
		factory.Batch().V1().Jobs().Informer()
		factory.Batch().V1().CronJobs().Informer()
		factory.Rbac().V1().ClusterRoles().Informer()
		factory.Rbac().V1().RoleBindings().Informer()
		factory.Networking().V1().Ingresses().Informer()
		factory.Networking().V1().NetworkPolicies().Informer()
		factory.Discovery().V1().EndpointSlices().Informer()
		factory.Policy().V1().PodDisruptionBudgets().Informer()
		factory.Coordination().V1().Leases().Informer()
		factory.Storage().V1().StorageClasses().Informer()
		factory.Storage().V1().CSINodes().Informer()
		factory.Autoscaling().V2().HorizontalPodAutoscalers().Informer()
		factory.Start(ctx.Done())
		for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
			if !ok {
				return fmt.Errorf("%v did not", kind)
			}
		}
		roles, err := factory.Rbac().V1().ClusterRoles().Lister().List(labels.Everything())
		return first(err, expect(len(roles) > 20, "%d", len(roles)))
	}},
	{"an informer of custom resources", func(l *lab) error {
		if _, err := l.dynamic.Resource(definitions).Create(l.ctx, newDefinition(), metav1.CreateOptions{}); err != nil {
			return err
		}
		client := l.dynamic.Resource(gadgets).Namespace(l.namespace)
		err := eventually("the resource", func() (bool, error) {
			_, err := client.Create(l.ctx, newGadget("one"), metav1.CreateOptions{})
			return err == nil, err
		})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(l.ctx, patience)
		defer cancel()
		factory := dynamicinformer.NewDynamicSharedInformerFactory(l.dynamic, 0)
		informer := factory.ForResource(gadgets)
		var added, deleted atomic.Int32
		_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { added.Add(1) },
			DeleteFunc: func(any) { deleted.Add(1) },
		})
		if err != nil {
			return err
		}
		factory.Start(ctx.Done())
		factory.WaitForCacheSync(ctx.Done())
		_, createErr := client.Create(l.ctx, newGadget("two"), metav1.CreateOptions{})
		deleteErr := client.Delete(l.ctx, "one", metav1.DeleteOptions{})
		return first(createErr, deleteErr, eventually("its events", func() (bool, error) {
			found, err := informer.Lister().ByNamespace(l.namespace).Get("two")
			if err != nil {
				return false, err
			}
			_, ok := found.(*unstructured.Unstructured)
			return ok && added.Load() == 2 && deleted.Load() == 1, nil
		}), l.dynamic.Resource(definitions).Delete(l.ctx, "gadgets.go.example.com", metav1.DeleteOptions{}))
	}},
}

var controllerChecks = []check{
	{"a controller with a queue brings about what is wanted", labeller},
	{"one of two candidates leads, the other takes over", elections},
	{"events are recorded and counted", func(l *lab) error {
		broadcaster := record.NewBroadcaster()
		defer broadcaster.Shutdown()
		broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: l.proto.CoreV1().Events(l.namespace)})
		recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "lab"})
		object := &corev1.ObjectReference{Kind: "ConfigMap", APIVersion: "v1", Namespace: l.namespace, Name: "told", UID: "u"}
		for range 3 {
			recorder.Event(object, corev1.EventTypeWarning, "Odd", "something is odd")
		}
		return eventually("the event", func() (bool, error) {
			list, err := l.json.CoreV1().Events(l.namespace).List(l.ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=told,reason=Odd,type=Warning"})
			if err != nil || len(list.Items) != 1 {
				return false, fmt.Errorf("%d events (%v)", len(list.Items), err)
			}
			return list.Items[0].Count == 3, fmt.Errorf("count %d", list.Items[0].Count)
		})
	}},
	{"events of the newer group", func(l *lab) error {
		broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: l.proto.EventsV1()})
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
			return err
		}
		recorder := broadcaster.NewRecorder(scheme.Scheme, "lab.example.com/lab")
		object := &corev1.ObjectReference{Kind: "ConfigMap", APIVersion: "v1", Namespace: l.namespace, Name: "newer", UID: "u"}
		recorder.Eventf(object, nil, corev1.EventTypeNormal, "Seen", "Seeing", "seen %d", 1)
		return eventually("the event", func() (bool, error) {
			list, err := l.proto.EventsV1().Events(l.namespace).List(l.ctx, metav1.ListOptions{FieldSelector: "regarding.name=newer"})
			if err != nil {
				return false, err
			}
			old, err := l.json.CoreV1().Events(l.namespace).List(l.ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=newer"})
			return err == nil && len(list.Items) == 1 && list.Items[0].Note == "seen 1" && len(old.Items) == 1 && old.Items[0].Message == "seen 1", err
		})
	}},
	{"an event of the newer group needs its fields", func(l *lab) error {
		event := &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Name: "bare", Namespace: l.namespace}}
		_, err := l.json.EventsV1().Events(l.namespace).Create(l.ctx, event, metav1.CreateOptions{})
		return refused(err, apierrors.IsInvalid, "eventTime")
	}},
}

// labeller runs a controller that labels every config map with its own name, and fails at each the first time.
func labeller(l *lab) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Millisecond, time.Second))
	defer queue.ShutDown()
	factory := informers.NewSharedInformerFactoryWithOptions(l.proto, 0, informers.WithNamespace(l.namespace))
	informer := factory.Core().V1().ConfigMaps()
	enqueue := func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			queue.Add(key)
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) }}
	if _, err := informer.Informer().AddEventHandler(handler); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	var failed sync.Map
	for range 4 {
		go func() {
			for {
				key, down := queue.Get()
				if down {
					return
				}
				_, again := failed.LoadOrStore(key, true)
				namespace, name, _ := cache.SplitMetaNamespaceKey(key)
				found, err := informer.Lister().ConfigMaps(namespace).Get(name)
				if err == nil && again && found.Labels["name"] != name {
					changed := found.DeepCopy()
					changed.Labels = map[string]string{"name": name}
					_, err = l.proto.CoreV1().ConfigMaps(namespace).Update(ctx, changed, metav1.UpdateOptions{})
				}
				if err != nil || !again {
					queue.AddRateLimited(key)
				} else {
					queue.Forget(key)
				}
				queue.Done(key)
			}
		}()
	}
	for number := range 20 {
		if err := create(l, fmt.Sprintf("c%02d", number), nil); err != nil {
			return err
		}
	}
	return eventually("labels", func() (bool, error) {
		list, err := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{LabelSelector: "name"})
		return err == nil && len(list.Items) >= 20, err
	})
}

// elections lets two candidates run for one Lease; the first to lead steps down.
func elections(l *lab) error {
	leads := make(chan string, 10)
	stop := map[string]context.CancelFunc{}
	for _, name := range []string{"a", "b"} {
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		stop[name] = cancel
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, l.namespace, "leader", l.proto.CoreV1(), l.proto.CoordinationV1(),
			resourcelock.ResourceLockConfig{Identity: name})
		if err != nil {
			return err
		}
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, Name: "leader",
			LeaseDuration: 6 * time.Second, RenewDeadline: 4 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leads <- name },
				OnStoppedLeading: func() {},
			},
		})
		if err != nil {
			return err
		}
		go elector.Run(ctx)
	}
	one := func() (string, error) {
		select {
		case name := <-leads:
			return name, nil
		case <-time.After(patience):
			return "", fmt.Errorf("nobody leads")
		}
	}
	former, err := one()
	if err != nil {
		return err
	}
	select {
	case other := <-leads:
		return fmt.Errorf("%s and %s lead", former, other)
	case <-time.After(time.Second):
	}
	stop[former]()
	latter, err := one()
	if err != nil {
		return err
	}
	lease, err := l.json.CoordinationV1().Leases(l.namespace).Get(l.ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect(latter != former && *lease.Spec.HolderIdentity == latter && *lease.Spec.LeaseTransitions >= 1, "%s after %s: %+v", latter, former, lease.Spec)
}
