//! The clusters' listeners: one port each, opened when a cluster appears and closed when it goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::{api, backing};
use crate::sandbox::Sandbox;
use crate::world::World;

/// The listeners by cluster.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    open: Mutex<BTreeMap<String, Listener>>,
}

#[derive(Debug)]
struct Listener {
    port: u16,
    task: AbortHandle,
}

impl Listeners {
    /// Opens and closes so that the listeners are those of the world's clusters. A cluster whose port was taken meanwhile gets
    /// another one, which `DescribeCluster` then tells.
    pub(crate) fn follow(&self, sandbox: &Sandbox, world: &mut World) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = world.kubernetes.ports();
        if open.len() == wanted.len() && open.iter().all(|(name, it)| wanted.get(name) == Some(&it.port)) {
            return;
        }
        open.retain(|name, listener| {
            let stays = wanted.get(name) == Some(&listener.port);
            if !stays {
                listener.task.abort();
            }
            stays
        });
        for name in wanted.into_keys() {
            if !open.contains_key(&name)
                && let Some(cluster) = world.kubernetes.clusters.get(&name).cloned()
            {
                match listen(sandbox, &cluster) {
                    Ok(listener) => {
                        let port = listener.port;
                        open.insert(name.clone(), listener);
                        if port != cluster.port {
                            world.kubernetes.clusters.update(&name, |cluster| cluster.port = port);
                        }
                    }
                    Err(error) => tracing::error!("cluster {name} cannot listen: {error}"),
                }
            }
        }
    }
}

fn listen(sandbox: &Sandbox, cluster: &Cluster) -> Result<Listener, Box<dyn std::error::Error>> {
    let acceptor = TlsAcceptor::from(Arc::new(tls(cluster)?));
    let bound = std::net::TcpListener::bind(("127.0.0.1", cluster.port));
    let listener = bound.or_else(|_| std::net::TcpListener::bind(("127.0.0.1", 0)))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let listener = TcpListener::from_std(listener)?;
    if let Some(proxy) = sandbox.backing() {
        tokio::spawn(backing::install(proxy.clone(), sandbox.clone(), cluster.name.clone()));
    }
    let task = tokio::spawn(accept(listener, acceptor, sandbox.clone(), cluster.name.clone()));
    Ok(Listener { port, task: task.abort_handle() })
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, sandbox: Sandbox, cluster: String) {
    // Connections belong to the cluster and end with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (acceptor, sandbox, cluster) = (acceptor.clone(), sandbox.clone(), cluster.clone());
        connections.spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                super::connection(stream, move |request| {
                    let (sandbox, cluster) = (sandbox.clone(), cluster.clone());
                    async move {
                        let seen = super::observed::cluster_call(&cluster, &request);
                        let serving = async {
                            let sandbox = sandbox.clone();
                            Ok(match sandbox.backing().cloned() {
                                Some(proxy) => backing::serve(proxy, sandbox, cluster, request).await,
                                None => api::serve(sandbox, cluster, request).await,
                            })
                        };
                        super::observed::serve(sandbox.clone(), seen, serving).await
                    }
                })
                .await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

fn tls(cluster: &Cluster) -> Result<rustls::ServerConfig, Box<dyn std::error::Error>> {
    let certificate = CertificateDer::from_pem_slice(cluster.certificate_pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(cluster.key_pem.as_bytes())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
