package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// next is the watch's next event.
func next(watcher watch.Interface) (watch.Event, error) {
	select {
	case event, open := <-watcher.ResultChan():
		if !open {
			return event, fmt.Errorf("the watch ended")
		}
		return event, nil
	case <-time.After(patience):
		return watch.Event{}, fmt.Errorf("nothing happened")
	}
}

// told wants the events of a watch to be these: "ADDED one", "BOOKMARK".
func told(watcher watch.Interface, wanted ...string) error {
	for _, one := range wanted {
		event, err := next(watcher)
		if err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
		found := string(event.Type)
		if event.Type != watch.Bookmark {
			if object, ok := event.Object.(metav1.Object); ok {
				found += " " + object.GetName()
			} else {
				found += fmt.Sprintf(" %v", event.Object)
			}
		}
		if found != one {
			return fmt.Errorf("%q came in place of %q", found, one)
		}
	}
	return nil
}

// set labels a config map.
func set(l *lab, name, key, value string) error {
	body := []byte(fmt.Sprintf(`{"metadata":{"labels":{"%s":"%s"}}}`, key, value))
	_, err := l.json.CoreV1().ConfigMaps(l.namespace).Patch(l.ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
	return err
}

func create(l *lab, name string, labels map[string]string) error {
	_, err := l.proto.CoreV1().ConfigMaps(l.namespace).Create(l.ctx, newConfigMap(name, labels), metav1.CreateOptions{})
	return err
}

func remove(l *lab, name string) error {
	return l.proto.CoreV1().ConfigMaps(l.namespace).Delete(l.ctx, name, metav1.DeleteOptions{})
}

// revision is that of the list of config maps now.
func revision(l *lab) string {
	list, err := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	return list.ResourceVersion
}

// watching runs steps with a watch in JSON, and then with one in protobuf.
func watching(options func(*lab) metav1.ListOptions, steps func(*lab, watch.Interface) error) func(*lab) error {
	return func(l *lab) error {
		for _, client := range []kubernetes.Interface{l.json, l.proto} {
			if err := l.json.CoreV1().ConfigMaps(l.namespace).DeleteCollection(l.ctx, metav1.DeleteOptions{}, others); err != nil {
				return err
			}
			watcher, err := client.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, options(l))
			if err != nil {
				return err
			}
			err = steps(l, watcher)
			watcher.Stop()
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func fromNow(l *lab) metav1.ListOptions { return metav1.ListOptions{ResourceVersion: revision(l)} }

// others are all config maps but the one that every namespace gets.
var others = metav1.ListOptions{FieldSelector: "metadata.name!=kube-root-ca.crt"}

var watchChecks = []check{
	{"changes come in their order", watching(fromNow, func(l *lab, watcher watch.Interface) error {
		err := first(create(l, "a", nil), set(l, "a", "x", "y"), create(l, "b", nil), remove(l, "a"))
		return first(err, told(watcher, "ADDED a", "MODIFIED a", "ADDED b", "DELETED a"))
	})},
	{"a selector sees what comes and goes", watching(func(l *lab) metav1.ListOptions {
		return metav1.ListOptions{ResourceVersion: revision(l), LabelSelector: "in=view"}
	}, func(l *lab, watcher watch.Interface) error {
		err := first(create(l, "a", nil), set(l, "a", "in", "view"), set(l, "a", "other", "x"), set(l, "a", "in", "sight"), remove(l, "a"))
		return first(err, create(l, "b", map[string]string{"in": "view"}), told(watcher, "ADDED a", "MODIFIED a", "DELETED a", "ADDED b"))
	})},
	{"by name", watching(func(l *lab) metav1.ListOptions {
		return metav1.ListOptions{ResourceVersion: revision(l), FieldSelector: "metadata.name=b"}
	}, func(l *lab, watcher watch.Interface) error {
		return first(create(l, "a", nil), create(l, "b", nil), told(watcher, "ADDED b"))
	})},
	{"without a revision it begins with what is there", func(l *lab) error {
		watcher, err := l.proto.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, metav1.ListOptions{FieldSelector: "metadata.name=b"})
		if err != nil {
			return err
		}
		defer watcher.Stop()
		return first(told(watcher, "ADDED b"), set(l, "b", "x", "z"), told(watcher, "MODIFIED b"))
	}},
	{"a list by watching ends with its bookmark", watching(func(l *lab) metav1.ListOptions {
		_ = first(create(l, "a", nil), create(l, "b", nil))
		all := true
		return metav1.ListOptions{SendInitialEvents: &all, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
			FieldSelector: others.FieldSelector}
	}, func(l *lab, watcher watch.Interface) error {
		if err := told(watcher, "ADDED a", "ADDED b"); err != nil {
			return err
		}
		event, err := next(watcher)
		if err != nil {
			return err
		}
		object, ok := event.Object.(metav1.Object)
		if event.Type != watch.Bookmark || !ok || object.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
			return fmt.Errorf("found %+v", event)
		}
		return first(remove(l, "a"), told(watcher, "DELETED a"))
	})},
	{"it goes on where another one ended", func(l *lab) error {
		from := revision(l)
		err := first(create(l, "r1", nil), create(l, "r2", nil))
		for _, version := range []string{from, from} {
			watcher, watchErr := l.proto.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, metav1.ListOptions{ResourceVersion: version})
			if watchErr != nil {
				return watchErr
			}
			err = first(err, told(watcher, "ADDED r1", "ADDED r2"))
			watcher.Stop()
		}
		return first(err, remove(l, "r1"), remove(l, "r2"))
	}},
	{"a revision that is yet to come is too large", func(l *lab) error {
		options := metav1.ListOptions{ResourceVersion: "999999999", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
		_, err := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, options)
		return refused(err, apierrors.IsTimeout, "Too large resource version")
	}},
	{"it ends when its time is over", func(l *lab) error {
		seconds := int64(1)
		watcher, err := l.json.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, metav1.ListOptions{ResourceVersion: revision(l), TimeoutSeconds: &seconds})
		if err != nil {
			return err
		}
		defer watcher.Stop()
		_, err = next(watcher)
		return refused(err, func(error) bool { return true }, "the watch ended")
	}},
	{"a watch that is renewed misses nothing", func(l *lab) error {
		lister := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			seconds := int64(1)
			options.TimeoutSeconds = &seconds
			return l.proto.CoreV1().ConfigMaps(l.namespace).Watch(ctx, options)
		}}
		watcher, err := watchtools.NewRetryWatcherWithContext(l.ctx, revision(l), lister)
		if err != nil {
			return err
		}
		defer watcher.Stop()
		var wanted []string
		for number := range 30 {
			name := fmt.Sprintf("n%02d", number)
			wanted = append(wanted, "ADDED "+name)
			if err := create(l, name, nil); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
		return told(watcher, wanted...)
	}},
	{"waiting until a condition holds", func(l *lab) error {
		if _, err := l.proto.CoreV1().Pods(l.namespace).Create(l.ctx, newPod("awaited"), metav1.CreateOptions{}); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(l.ctx, patience)
		defer cancel()
		only := "metadata.name=awaited"
		lister := &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				options.FieldSelector = only
				return l.proto.CoreV1().Pods(l.namespace).List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				options.FieldSelector = only
				return l.proto.CoreV1().Pods(l.namespace).Watch(ctx, options)
			},
		}
		_, err := watchtools.UntilWithSync(ctx, lister, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
			pod, ok := event.Object.(*corev1.Pod)
			return ok && pod.Status.Phase == corev1.PodRunning, nil
		})
		return err
	}},
	{"many watches at once see the same", func(l *lab) error {
		from := revision(l)
		watchers := make([]watch.Interface, 50)
		for at := range watchers {
			watcher, err := l.proto.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, metav1.ListOptions{ResourceVersion: from})
			if err != nil {
				return err
			}
			defer watcher.Stop()
			watchers[at] = watcher
		}
		if err := first(create(l, "seen", nil), remove(l, "seen")); err != nil {
			return err
		}
		for _, watcher := range watchers {
			if err := told(watcher, "ADDED seen", "DELETED seen"); err != nil {
				return err
			}
		}
		return nil
	}},
	{"options that contradict are refused", func(l *lab) error {
		all := true
		_, err := l.json.CoreV1().ConfigMaps(l.namespace).Watch(l.ctx, metav1.ListOptions{SendInitialEvents: &all})
		_, listErr := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{ResourceVersionMatch: "Sometimes", ResourceVersion: "1"})
		_, tokenErr := l.json.CoreV1().ConfigMaps(l.namespace).List(l.ctx, metav1.ListOptions{Continue: strings.Repeat("x", 10)})
		return first(refused(err, apierrors.IsInvalid, "sendInitialEvents"), refused(listErr, apierrors.IsInvalid, "resourceVersionMatch"),
			refused(tokenErr, apierrors.IsBadRequest, "continue"))
	}},
}
