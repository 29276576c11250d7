package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// apiServer is kube-apiserver's own command with one flag more: --etcd-dir starts etcd in this process and points --etcd-servers at it.
func apiServer() *cobra.Command {
	command := app.NewAPIServerCommand()
	folder := command.Flags().String("etcd-dir", "", "run etcd in this process, with its data in this folder")
	serve := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		if *folder == "" {
			return serve(command, args)
		}
		store, err := startEtcd(*folder)
		if err != nil {
			return fmt.Errorf("etcd: %w", err)
		}
		defer store.Close()
		endpoint := "http://" + store.Clients[0].Addr().String()
		if err := command.Flags().Set("etcd-servers", endpoint); err != nil {
			return err
		}
		return serve(command, args)
	}
	return command
}

// startEtcd returns once etcd serves clients on a free loopback port. A crash of the machine may lose data: tests do not outlive one.
func startEtcd(folder string) (*embed.Etcd, error) {
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	config.EnableGRPCGateway = false
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = strings.Join([]string{config.Name, anyPort[0].String()}, "=")
	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-store.Server.ReadyNotify():
		return store, nil
	case err := <-store.Err():
		return nil, err
	case <-time.After(time.Minute):
		store.Close()
		return nil, fmt.Errorf("not ready after a minute")
	}
}
