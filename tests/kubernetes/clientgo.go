package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long a check waits for what comes by and by.
const patience = 60 * time.Second

// lab is what a check works with: clients of one cluster, and a namespace of its section's own.
type lab struct {
	ctx       context.Context
	config    *rest.Config
	json      kubernetes.Interface
	proto     kubernetes.Interface
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	namespace string
}

// check is one row: what is tried, and how. Rows of a section run in their order, in one namespace.
type check struct {
	name string
	run  func(*lab) error
}

type section struct {
	name   string
	checks []check
}

// clientGo runs tables of client-go's verbs against a cluster and says how many checks there were and how many failed.
func clientGo() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "the cluster's administrator")
	only := flag.String("only", "", "the section to run, all by default")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fail(err.Error())
	}
	// The limits on the client's side would only make it slow.
	config.QPS, config.Burst = 1000, 1000
	sections := []section{
		{"discovery", discoveryChecks},
		{"typed-json", typedChecks(func(l *lab) kubernetes.Interface { return l.json })},
		{"typed-protobuf", typedChecks(func(l *lab) kubernetes.Interface { return l.proto })},
		{"apply", applyChecks},
		{"dynamic", dynamicChecks},
		{"metadata", metadataChecks},
		{"pods", podChecks},
		{"reviews", reviewChecks},
		{"watch", watchChecks},
		{"informers", informerChecks},
		{"controllers", controllerChecks},
	}
	ran, failed := 0, 0
	for _, section := range sections {
		if *only != "" && *only != section.name {
			continue
		}
		l, err := newLab(config, section.name)
		if err != nil {
			fail(section.name + ": " + err.Error())
		}
		for _, check := range section.checks {
			ran++
			if err := check.run(l); err != nil {
				failed++
				fmt.Printf("FAILED %s: %s: %v\n", section.name, check.name, err)
			}
		}
	}
	fmt.Printf("%d checks, %d failed\n", ran, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func newLab(config *rest.Config, name string) (*lab, error) {
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = "application/vnd.kubernetes.protobuf"
	protobuf.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	plain := rest.CopyConfig(config)
	plain.ContentType, plain.AcceptContentTypes = "application/json", "application/json"
	l := &lab{ctx: context.Background(), config: config, namespace: "go-" + name}
	var err error
	if l.json, err = kubernetes.NewForConfig(plain); err != nil {
		return nil, err
	}
	if l.proto, err = kubernetes.NewForConfig(protobuf); err != nil {
		return nil, err
	}
	if l.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	if l.metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, err
	}
	if _, err = l.json.CoreV1().Namespaces().Create(l.ctx, newNamespace(l.namespace), metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	return l, eventually("the namespace's own objects", func() (bool, error) {
		_, mapErr := l.json.CoreV1().ConfigMaps(l.namespace).Get(l.ctx, "kube-root-ca.crt", metav1.GetOptions{})
		_, accountErr := l.json.CoreV1().ServiceAccounts(l.namespace).Get(l.ctx, "default", metav1.GetOptions{})
		err := first(mapErr, accountErr)
		return err == nil, err
	})
}

// expect turns a condition into an error that says what was found.
func expect(condition bool, format string, found ...any) error {
	if condition {
		return nil
	}
	return fmt.Errorf("found "+format, found...)
}

// refused wants an error of a kind, with a text in it.
func refused(err error, is func(error) bool, text string) error {
	if err == nil {
		return fmt.Errorf("it was not refused")
	}
	if !is(err) || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("refused otherwise: %w", err)
	}
	return nil
}

// eventually polls until the condition holds.
func eventually(what string, holds func() (bool, error)) error {
	end := time.Now().Add(patience)
	for {
		ok, err := holds()
		if ok {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("gave up waiting for %s (%v)", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// first answers the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
