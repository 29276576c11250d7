// Command sgp-test-cluster is a Kubernetes control plane (etcd inside the API server's process, and the controller manager) and kubectl in one
// program, each started by a subcommand with the flags of the original; and a table of client-go's verbs to try on a cluster.
//
//	sgp-test-cluster kube-apiserver --etcd-dir DIR FLAG…
//	sgp-test-cluster kube-controller-manager FLAG…
//	sgp-test-cluster kubectl ARG…
//	sgp-test-cluster client-go [-kubeconfig FILE] [-only SECTION]
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: sgp-test-cluster kube-apiserver|kube-controller-manager|kubectl|client-go ARG…")
	}
	// Each command reads its own flags, as though it had been started under its own name.
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "kube-apiserver":
		run(apiServer())
	case "kube-controller-manager":
		run(controllers.NewControllerManagerCommand())
	case "kubectl":
		kubectl()
	case "client-go":
		clientGo()
	default:
		fail("unknown subcommand " + name)
	}
}

func run(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
