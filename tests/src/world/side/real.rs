//! The real API server and the real controller of a side.

use crate::world::api_server::ApiServer;
use crate::world::controller::{self, Controller, Credentials};
use crate::world::error::{Attempt, Error, Result};
use crate::world::http::Client;
use crate::world::kubernetes::{self, ControlPlane};
use crate::world::tls::Authority;
use crate::world::{kubelet, texts};
use serde_json::{Value, json};
use sgp_sandbox::Backing;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The name that EKS's control plane gives the controller. Its webhook lets nobody else write the annotations of pods.
const USER: &str = "eks:vpc-resource-controller";

/// The running programs. Dropping it ends them, the controller first.
pub(super) struct Real {
    controller: Option<Controller>,
    control_plane: ControlPlane,
    server: ApiServer,
    authority: Authority,
    folder: TempDir,
}

/// What the controller is started from.
pub(super) struct Start<'a> {
    pub(super) cluster: &'a str,
    pub(super) vpc: &'a str,
    pub(super) aws: &'a str,
    /// The answer of `AssumeRole`.
    pub(super) session: &'a str,
    pub(super) logs: &'a Path,
}

impl Real {
    /// Starts the API server, with a kubelet that ends deleted pods.
    pub(super) fn start(logs: &Path, runtime: &Runtime) -> Result<Self> {
        let folder = tempfile::tempdir().attempt(|| "make a temporary folder".to_owned())?;
        let authority = Authority::new()?;
        let settings = kubernetes::Settings {
            authority: &authority,
            client: Client::new(authority.trust()?),
            // The sandbox before it checks tokens; it comes with the administrator's own.
            token_review: "http://127.0.0.1:1".to_owned(),
            told_endpoint: String::new(),
            controllers: kubernetes::CONTROLLERS,
            folder: folder.path(),
            logs,
        };
        let (control_plane, server) = kubernetes::start(&settings, |server| runtime.block_on(server.is_ready()))?;
        runtime.spawn(kubelet::run(server.clone()));
        Ok(Self { controller: None, control_plane, server, authority, folder })
    }

    /// How a sandbox puts it behind its clusters.
    pub(super) fn backing(&self) -> Backing {
        Backing {
            url: self.server.endpoint.clone(),
            authority_pem: self.server.authority_pem.clone(),
            token: self.server.admin_token.clone(),
        }
    }

    /// Starts the controller, with its webhooks.
    pub(super) fn start_controller(&mut self, runtime: &Runtime, start: &Start<'_>) -> Result<()> {
        let part = |name: &str| {
            let found = texts(start.session, name).into_iter().next();
            found.ok_or_else(|| Error::failed("assume the cluster's role", start.session))
        };
        let (key, secret, token) = (part("AccessKeyId")?, part("SecretAccessKey")?, part("SessionToken")?);
        let metadata = runtime.block_on(controller::metadata_stub())?;
        let kubeconfig = self.kubeconfig()?;
        let settings = controller::Settings {
            cluster: start.cluster,
            vpc: start.vpc,
            aws: start.aws,
            credentials: Credentials { key: &key, secret: &secret, session_token: Some(&token) },
            metadata: &metadata,
            kubeconfig: &kubeconfig,
            authority: &self.authority,
            folder: self.folder.path(),
            logs: start.logs,
        };
        self.controller = Some(controller::start(&settings)?);
        runtime.block_on(async {
            controller::register(&self.server).await?;
            controller::register_validating(&self.server).await
        })
    }

    /// The administrator's kubeconfig, under the controller's name.
    fn kubeconfig(&self) -> Result<PathBuf> {
        let at = &self.control_plane.kubeconfig;
        let text = std::fs::read_to_string(at).attempt(|| format!("read {}", at.display()))?;
        let mut config: Value =
            serde_json::from_str(&text).map_err(|error| Error::failed("read a kubeconfig", error))?;
        config["users"][0]["user"]["as"] = json!(USER);
        config["users"][0]["user"]["as-groups"] = json!(["system:masters"]);
        let file = self.folder.path().join("controller.kubeconfig");
        std::fs::write(&file, config.to_string()).attempt(|| format!("write {}", file.display()))?;
        Ok(file)
    }
}
