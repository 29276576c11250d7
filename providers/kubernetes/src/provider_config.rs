//! The `provider "kubernetes"` block: Terraform's arguments, and `cluster_name`.

use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value as Json, json};
use sgp_model::{AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Value};

use crate::attrs;

/// Arguments, defaults and where each environment variable counts.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let exec = Block::default()
        .attr(
            "api_version",
            Attribute::string().required().doc("The version of ExecCredential that the command speaks."),
        )
        .attr("command", Attribute::string().required().doc("The command; `aws eks get-token` is answered without it."))
        .attr("args", Attribute::strings().doc("Its arguments."))
        .attr("env", Attribute::string_map().doc("Further environment variables for it."));
    Schema::new("kubernetes", "How clusters are reached. A resource's `cluster_name` wins over all of this.")
        .attr("client_certificate", Attribute::string().doc("PEM of a client certificate. KUBE_CLIENT_CERT_DATA."))
        .attr("client_key", Attribute::string().sensitive().doc("PEM of its key. KUBE_CLIENT_KEY_DATA."))
        .attr(
            "cluster_ca_certificate",
            Attribute::string().doc("PEM of the API server's CA. KUBE_CLUSTER_CA_CERT_DATA."),
        )
        .attr(
            "cluster_name",
            Attribute::string()
                .doc("An EKS cluster, by name or ARN: endpoint and CA from DescribeCluster, tokens made in this process. A name is looked for with the default `provider \"aws\"` first, then with the aliased ones."),
        )
        .attr("config_context", Attribute::string().doc("The context of the kubeconfig. KUBE_CTX."))
        .attr(
            "config_context_auth_info",
            Attribute::string().doc("Another user than the context's. KUBE_CTX_AUTH_INFO."),
        )
        .attr(
            "config_context_cluster",
            Attribute::string().doc("Another cluster than the context's. KUBE_CTX_CLUSTER."),
        )
        .attr("config_path", Attribute::string().doc("A kubeconfig file. KUBE_CONFIG_PATH."))
        .attr("config_paths", Attribute::strings().doc("Several, merged as kubectl does. KUBE_CONFIG_PATHS."))
        .attr("host", Attribute::string().doc("The API server: a URL, or a host name for https. KUBE_HOST."))
        .attr("insecure", Attribute::bool().doc("Takes any server certificate. KUBE_INSECURE."))
        .attr("password", Attribute::string().sensitive().doc("For basic authentication. KUBE_PASSWORD."))
        .attr("proxy_url", Attribute::string().doc("A proxy: http, https or socks5. KUBE_PROXY_URL."))
        .attr(
            "tls_server_name",
            Attribute::string().doc("The name that the server's certificate carries. KUBE_TLS_SERVER_NAME."),
        )
        .attr("token", Attribute::string().sensitive().doc("A bearer token. KUBE_TOKEN."))
        .attr("username", Attribute::string().doc("For basic authentication. KUBE_USER."))
        .block("exec", NestedBlock::list_of_one(exec).doc("A command that makes credentials."))
        .unsupported(&["experiments", "ignore_annotations", "ignore_labels"])
        .example(
            r#"provider "kubernetes" {
  cluster_name = aws_eks_cluster.this.name
}
"#,
        )
});

/// A command that makes credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    pub api_version: String,
    pub command: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
}

/// An evaluated provider block, environment variables included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub cluster_name: Option<String>,
    pub host: Option<String>,
    pub username: Option<String>,
    pub password: Option<String>,
    pub token: Option<String>,
    pub insecure: Option<bool>,
    pub tls_server_name: Option<String>,
    pub client_certificate: Option<String>,
    pub client_key: Option<String>,
    pub cluster_ca_certificate: Option<String>,
    pub config_paths: Vec<PathBuf>,
    pub config_context: Option<String>,
    pub config_context_auth_info: Option<String>,
    pub config_context_cluster: Option<String>,
    pub proxy_url: Option<String>,
    pub exec: Option<Exec>,
}

impl Settings {
    /// Reads an evaluated block; `env` answers for environment variables.
    pub(crate) fn new(config: &Value, env: impl Fn(&str) -> Option<String>) -> Result<Self, Diagnostics> {
        // An empty text says nothing, as with Terraform.
        let text = |name: &str| attrs::text(config, name).filter(|t| !t.is_empty()).map(str::to_owned);
        // A cluster of EKS is found by its name: a server and credentials that lie in the environment for other tools must not
        // be mixed in. Only the way to it may be told there.
        let is_named = text("cluster_name").is_some();
        let counts = |name: &str| !is_named || matches!(name, "KUBE_PROXY_URL" | "HOME");
        let env = |name: &str| env(name).filter(|v| !v.is_empty() && counts(name));
        let said = |name: &str, variable: &str| text(name).or_else(|| env(variable));
        let mut settings = Self {
            cluster_name: text("cluster_name"),
            host: said("host", "KUBE_HOST"),
            username: said("username", "KUBE_USER"),
            password: said("password", "KUBE_PASSWORD"),
            token: said("token", "KUBE_TOKEN"),
            insecure: attrs::flag(config, "insecure").or_else(|| env("KUBE_INSECURE").map(|v| v == "true" || v == "1")),
            tls_server_name: said("tls_server_name", "KUBE_TLS_SERVER_NAME"),
            client_certificate: said("client_certificate", "KUBE_CLIENT_CERT_DATA"),
            client_key: said("client_key", "KUBE_CLIENT_KEY_DATA"),
            cluster_ca_certificate: said("cluster_ca_certificate", "KUBE_CLUSTER_CA_CERT_DATA"),
            config_context: said("config_context", "KUBE_CTX"),
            config_context_auth_info: said("config_context_auth_info", "KUBE_CTX_AUTH_INFO"),
            config_context_cluster: said("config_context_cluster", "KUBE_CTX_CLUSTER"),
            proxy_url: said("proxy_url", "KUBE_PROXY_URL"),
            exec: attrs::block(config, "exec").map(|exec| Exec {
                api_version: attrs::text(exec, "api_version").unwrap_or_default().to_owned(),
                command: attrs::text(exec, "command").unwrap_or_default().to_owned(),
                args: attrs::texts(exec, "args"),
                env: attrs::string_map(exec, "env"),
            }),
            config_paths: Vec::new(),
        };
        let one = text("config_path");
        let several = attrs::texts(config, "config_paths");
        if one.is_some() && !several.is_empty() {
            let detail = "`config_path` names one file and `config_paths` several: give one of the two.";
            return Err(Diagnostic::error("Conflicting arguments", detail)
                .attribute(AttrPath::attr("config_path"))
                .into());
        }
        let paths = match (one, several) {
            (Some(path), _) => vec![path],
            (None, paths) if !paths.is_empty() => paths,
            _ => env("KUBE_CONFIG_PATH")
                .map(|p| vec![p])
                .or_else(|| env("KUBE_CONFIG_PATHS").map(|p| p.split(':').map(str::to_owned).collect()))
                .unwrap_or_default(),
        };
        not_pem(&settings)?;
        let home = env("HOME");
        settings.config_paths = paths.iter().map(|p| expand(p, home.as_deref())).collect();
        Ok(settings)
    }

    /// Whether a server is named here, so that objects without `cluster_name` have a place.
    pub(crate) fn names_a_server(&self) -> bool {
        self.host.is_some() || !self.config_paths.is_empty()
    }

    /// Whether credentials are named here beside an `exec` block.
    fn has_credentials(&self) -> bool {
        self.token.is_some() || self.client_certificate.is_some() || self.username.is_some()
    }

    /// The server and user that these settings lead to. Reads kubeconfig files.
    pub(crate) fn entry(&self) -> Result<Entry, Diagnostic> {
        Ok(self.laid_over(if self.config_paths.is_empty() { Entry::default() } else { self.read_files()? }))
    }

    /// What counts for every cluster, whoever names it: the way out of here.
    pub(crate) fn way(&self) -> Self {
        Self { proxy_url: self.proxy_url.clone(), ..Self::default() }
    }

    /// An entry with everything that is said here in the place of what it says.
    pub(crate) fn laid_over(&self, mut entry: Entry) -> Entry {
        let pem = |text: &String| Json::from(STANDARD.encode(text));
        let server =
            |host: &String| Json::from(if host.contains("://") { host.clone() } else { format!("https://{host}") });
        entry.set_cluster("server", self.host.as_ref().map(server));
        entry.set_cluster("certificate-authority-data", self.cluster_ca_certificate.as_ref().map(pem));
        entry.set_cluster("insecure-skip-tls-verify", self.insecure.map(Json::from));
        entry.set_cluster("tls-server-name", self.tls_server_name.clone().map(Json::from));
        entry.set_cluster("proxy-url", self.proxy_url.clone().map(Json::from));
        if self.has_credentials() || self.exec.is_some() {
            // What the block says about credentials takes the place of the file's, whole.
            entry.user = json!({});
        }
        entry.set_user("username", self.username.clone().map(Json::from));
        entry.set_user("password", self.password.clone().map(Json::from));
        entry.set_user("token", self.token.clone().map(Json::from));
        entry.set_user("client-certificate-data", self.client_certificate.as_ref().map(pem));
        entry.set_user("client-key-data", self.client_key.as_ref().map(pem));
        entry.set_user("exec", self.exec.as_ref().filter(|_| !self.has_credentials()).map(exec_json));
        entry
    }

    fn read_files(&self) -> Result<Entry, Diagnostic> {
        let unreadable = |e: kube::config::KubeconfigError| {
            let files = self.config_paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
            Diagnostic::error("Unreadable kubeconfig", format!("The kubeconfig {files} cannot be used: {e}."))
        };
        let mut merged = Kubeconfig::default();
        for path in &self.config_paths {
            let next = Kubeconfig::read_from(path).map_err(unreadable)?;
            merged = merged.merge(next).map_err(unreadable)?;
        }
        let chosen = self.options();
        let name = chosen.context.or_else(|| merged.current_context.clone());
        let context = name.as_ref().and_then(|n| merged.contexts.iter().find(|c| &c.name == n)?.context.clone());
        let (cluster, user) = (
            chosen.cluster.or_else(|| context.as_ref().map(|c| c.cluster.clone())),
            chosen.user.or_else(|| context.as_ref().and_then(|c| c.user.clone())),
        );
        let cluster =
            merged.clusters.iter().find(|c| Some(&c.name) == cluster.as_ref()).and_then(|c| c.cluster.clone());
        let Some(cluster) = cluster else {
            let known: Vec<&str> = merged.contexts.iter().map(|c| c.name.as_str()).collect();
            return Err(Diagnostic::error(
                "No such kubeconfig context",
                format!(
                    "The kubeconfig has no {}. Its contexts: {}.",
                    name.map_or_else(|| "current context".to_owned(), |n| format!("usable context {n:?}")),
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                ),
            )
            .attribute(AttrPath::attr("config_context")));
        };
        let user = merged.auth_infos.iter().find(|u| Some(&u.name) == user.as_ref()).and_then(|u| u.auth_info.clone());
        let json = |v: Result<Json, serde_json::Error>| v.unwrap_or_else(|_| json!({}));
        Ok(Entry {
            cluster: json(serde_json::to_value(cluster)),
            user: json(serde_json::to_value(user.unwrap_or_default())),
        })
    }

    fn options(&self) -> KubeConfigOptions {
        KubeConfigOptions {
            context: self.config_context.clone(),
            cluster: self.config_context_cluster.clone(),
            user: self.config_context_auth_info.clone(),
        }
    }
}

/// Certificates are text in PEM; what EKS answers is that text in base64.
fn not_pem(settings: &Settings) -> Result<(), Diagnostic> {
    let given = [
        ("cluster_ca_certificate", &settings.cluster_ca_certificate),
        ("client_certificate", &settings.client_certificate),
        ("client_key", &settings.client_key),
    ];
    for (name, text) in given {
        let Some(text) = text.as_ref().filter(|t| !t.contains("-----BEGIN ")) else { continue };
        let is_encoded = STANDARD.decode(text.trim()).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN "));
        let hint = if is_encoded { " It is PEM in base64: wrap it in `base64decode(...)`." } else { "" };
        let detail = format!("`{name}` must be PEM, a text that begins with `-----BEGIN`.{hint}");
        return Err(Diagnostic::error("Not a certificate", detail).attribute(AttrPath::attr(name)));
    }
    Ok(())
}

fn expand(path: &str, home: Option<&str>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn exec_json(exec: &Exec) -> Json {
    let env: Vec<Json> = exec.env.iter().map(|(k, v)| json!({"name": k, "value": v})).collect();
    json!({
        "apiVersion": exec.api_version, "command": exec.command, "args": exec.args, "env": env,
        "interactiveMode": "Never",
    })
}

/// A server and a user, as a kubeconfig says them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub cluster: Json,
    pub user: Json,
}

impl Default for Entry {
    fn default() -> Self {
        Self { cluster: json!({}), user: json!({}) }
    }
}

impl Entry {
    /// An EKS cluster, without credentials.
    pub(crate) fn of_eks(endpoint: &str, ca_pem: &[u8]) -> Self {
        let mut entry = Self { cluster: json!({"server": endpoint}), user: json!({}) };
        entry.set_cluster("certificate-authority-data", (!ca_pem.is_empty()).then(|| STANDARD.encode(ca_pem).into()));
        entry
    }

    fn set_cluster(&mut self, name: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.cluster[name] = value;
        }
    }

    fn set_user(&mut self, name: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.user[name] = value;
        }
    }

    /// The same with a bearer token as the only credential.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.user = json!({"token": token});
        self
    }

    /// The URL of the server.
    pub(crate) fn server(&self) -> Option<&str> {
        self.cluster.get("server")?.as_str()
    }

    /// Whether there is any credential.
    pub(crate) fn has_credentials(&self) -> bool {
        self.user.as_object().is_some_and(|user| !user.is_empty())
    }

    /// The cluster whose token the `exec` command would fetch, when this process can make the same one: `aws eks
    /// get-token` as the identity of this run (no other role or profile).
    pub(crate) fn eks_token_of(&self) -> Option<String> {
        let exec = self.user.get("exec")?;
        let command = exec.get("command")?.as_str()?;
        let args: Vec<&str> =
            exec.get("args").and_then(Json::as_array).map(|a| a.iter().filter_map(Json::as_str).collect())?;
        let foreign_env = exec.get("env").and_then(Json::as_array).is_some_and(|env| {
            env.iter().filter_map(|e| e.get("name")?.as_str()).any(|n| n.starts_with("AWS_") && !n.ends_with("REGION"))
        });
        let base = command.rsplit(['/', '\\']).next()?;
        (matches!(base, "aws" | "aws.exe") && !foreign_env).then_some(())?;
        get_token_cluster(&args)
    }

    /// As a whole kubeconfig, which is what the client library reads.
    pub(crate) fn kubeconfig(&self) -> Result<Kubeconfig, serde_json::Error> {
        serde_json::from_value(json!({
            "clusters": [{"name": "this", "cluster": self.cluster}],
            "users": [{"name": "this", "user": self.user}],
            "contexts": [{"name": "this", "context": {"cluster": "this", "user": "this"}}],
            "current-context": "this",
        }))
    }
}

/// The cluster in the arguments of `aws … eks get-token --cluster-name X …`; `None` when they ask for more than that.
fn get_token_cluster(args: &[&str]) -> Option<String> {
    let (mut words, mut cluster) = (Vec::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, inline) = arg.split_once('=').map_or((*arg, None), |(n, v)| (n, Some(v)));
        match name {
            "--cluster-name" | "--cluster-id" => cluster = inline.or_else(|| args.next().copied()).map(str::to_owned),
            "--region" | "--output" => {
                inline.or_else(|| args.next().copied())?;
            }
            word if word.starts_with('-') => return None,
            word => words.push(word),
        }
    }
    cluster.filter(|_| words == ["eks", "get-token"])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::Type;

    use super::*;

    fn config(fields: &[(&'static str, Value)]) -> Value {
        fields.iter().fold(SCHEMA.block.empty(), |v, (k, x)| v.with_attr(k, x.clone()))
    }

    fn exec(command: &str, args: &[&str]) -> Value {
        let block = &SCHEMA.block.blocks["exec"].block;
        let object = attrs::object(
            block,
            [
                ("api_version", "client.authentication.k8s.io/v1beta1".into()),
                ("command", command.into()),
                ("args", Value::strings(args.iter().copied())),
            ],
        );
        Value::list(block.ty(), vec![object])
    }

    #[test]
    fn get_token_is_answered_here_only_for_the_same_identity() {
        for (command, args, expected) in [
            ("aws", &["eks", "get-token", "--cluster-name", "main"][..], Some("main")),
            ("/usr/local/bin/aws", &["--region", "eu-west-1", "eks", "get-token", "--cluster-name=main"], Some("main")),
            ("aws", &["eks", "get-token", "--cluster-name", "main", "--role-arn", "arn"], None),
            ("aws", &["eks", "get-token", "--cluster-name", "main", "--profile", "p"], None),
            ("aws", &["eks", "describe-cluster", "--cluster-name", "main"], None),
            ("aws-iam-authenticator", &["token", "-i", "main"], None),
        ] {
            let settings = Settings::new(&config(&[("exec", exec(command, args))]), |_| None).unwrap();
            assert_eq!(settings.entry().unwrap().eks_token_of().as_deref(), expected, "{command} {args:?}");
        }
    }

    #[test]
    fn the_environment_fills_what_the_block_leaves_open() {
        let env = |name: &str| match name {
            "KUBE_HOST" => Some("https://env".to_owned()),
            "KUBE_TOKEN" => Some("secret".to_owned()),
            _ => None,
        };
        let entry = Settings::new(&config(&[("host", "api.example".into())]), env).unwrap().entry().unwrap();
        assert_eq!(entry.server(), Some("https://api.example"));
        assert_eq!(entry.user, json!({"token": "secret"}));
    }

    #[test]
    fn a_named_cluster_takes_nothing_from_the_environment_but_the_way() {
        let env = |name: &str| Some(if name == "KUBE_PROXY_URL" { "http://proxy:3128" } else { "x" }.to_owned());
        let settings = Settings::new(&config(&[("cluster_name", "main".into())]), env).unwrap();
        let expected = Settings {
            cluster_name: Some("main".into()),
            proxy_url: Some("http://proxy:3128".into()),
            ..Settings::default()
        };
        assert_eq!(settings, expected);
        assert!(!settings.names_a_server());
        let entry = settings.laid_over(Entry::of_eks("https://eks", b"pem"));
        assert_eq!((entry.server(), &entry.cluster["proxy-url"]), (Some("https://eks"), &json!("http://proxy:3128")));
        let token = config(&[("cluster_name", "main".into()), ("token", "t".into())]);
        let entry = Settings::new(&token, |_| None).unwrap().laid_over(Entry::of_eks("https://eks", b"pem"));
        assert_eq!(entry.user, json!({"token": "t"}));
    }

    #[test]
    fn the_block_wins_over_the_kubeconfig() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let text = "clusters: [{name: c, cluster: {server: 'https://file'}}]\nusers: [{name: u, user: {token: t}}]\n\
                    contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n";
        std::fs::write(&path, text).unwrap();
        let file = ("config_path", Value::from(path.to_str().unwrap()));
        let of = |more: &[(&'static str, Value)]| {
            Settings::new(&config(&[std::slice::from_ref(&file), more].concat()), |_| None).unwrap().entry()
        };
        assert_eq!(of(&[]).unwrap().user["token"], json!("t"));
        let entry = of(&[("username", "a".into()), ("password", "b".into())]).unwrap();
        assert_eq!(
            (entry.server(), entry.user.clone()),
            (Some("https://file"), json!({"username": "a", "password": "b"}))
        );
        insta::assert_snapshot!(of(&[("config_context", "y".into())]).unwrap_err().detail, @r#"The kubeconfig has no usable context "y". Its contexts: x."#);
    }

    #[test]
    fn certificates_are_pem() {
        let pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
        for (text, detail) in [
            (pem.to_owned(), None),
            (String::new(), None),
            ("x".into(), Some("`cluster_ca_certificate` must be PEM, a text that begins with `-----BEGIN`.")),
            (
                STANDARD.encode(pem),
                Some(
                    "`cluster_ca_certificate` must be PEM, a text that begins with `-----BEGIN`. It is PEM in base64: wrap it in `base64decode(...)`.",
                ),
            ),
        ] {
            let settings = Settings::new(&config(&[("cluster_ca_certificate", text.into())]), |_| None);
            assert_eq!(settings.err().map(|d| d.0[0].detail.clone()).as_deref(), detail);
        }
    }

    #[test]
    fn one_kubeconfig_or_several() {
        let both =
            config(&[("config_path", "a".into()), ("config_paths", Value::list(Type::String, vec!["b".into()]))]);
        assert!(Settings::new(&both, |_| None).is_err());
    }
}
