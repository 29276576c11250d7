//! `aws_eks_cluster`.

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_eks::{
    operation::update_cluster_config::builders::UpdateClusterConfigFluentBuilder,
    types::{
        AuthenticationMode, Cluster, ClusterStatus, CreateAccessConfigRequest, EncryptionConfig, IpFamily,
        KubernetesNetworkConfigRequest, Provider, SupportType, UpdateAccessConfigRequest, UpgradePolicyRequest,
        VpcConfigRequest, ZonalShiftConfigRequest,
    },
};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, PathStep, Schema, Type, Value, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    eks::{
        self, Target, branches,
        cluster::{self, AUTHENTICATION_MODES, ConfigChange, LOG_TYPES, describe, issues},
        cluster_parts::{self, AutoMode},
        status_with, told,
    },
    errors::{Call, Failure, Leaving, applied},
    iam::{self, Checks},
    tags::{self, TagChange},
    values::{self, ObjectBuilder, changed},
    wait::{self, Pace, Poll},
};

/// The type.
pub struct EksCluster;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new("aws_eks_cluster", "An EKS cluster: the control plane.")
        .attr("arn", Attribute::string().computed().doc("The ARN."))
        .attr(
            "bootstrap_self_managed_addons",
            Attribute::bool().optional().default(true).doc(
                "Whether EKS installs VPC CNI, CoreDNS and kube-proxy that it does not manage; a change replaces the cluster. EKS does not \
                 tell it later, so that it is not known of a cluster that was imported.",
            ),
        )
        .attr(
            "certificate_authority",
            Attribute::of(cluster::certificate_type()).computed().doc("`[0].data`: the API server's CA certificate, PEM in base64."),
        )
        .attr("cluster_id", Attribute::string().computed().doc("The id of a cluster on an Outpost."))
        .attr("created_at", Attribute::string().computed().doc("When it was created, RFC 3339."))
        .attr(
            "deletion_protection",
            Attribute::bool().optional().default(false).doc("Whether deleting it is refused until this is turned off."),
        )
        .attr("enabled_cluster_log_types", Attribute::string_set().optional().doc("Control plane logs: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`."))
        .attr("endpoint", Attribute::string().computed().doc("The URL of the API server."))
        .attr("force_update_version", Attribute::bool().optional().doc("Whether a new version is forced although EKS's upgrade insights object."))
        .attr("id", Attribute::string().computed().doc("The name."))
        .attr("identity", Attribute::of(cluster::identity_type()).computed().doc("`[0].oidc[0].issuer`: the issuer of service account tokens."))
        .attr("name", Attribute::string().required().force_new().doc("The name: up to 100 letters, digits, `-` and `_`."))
        .attr("platform_version", Attribute::string().computed().follows(&["version"]).doc("EKS's own version within the Kubernetes version: `eks.4`."))
        .attr("role_arn", Attribute::string().required().force_new().doc("The ARN of the role that the control plane assumes."))
        .attr("status", Attribute::string().computed().doc("`ACTIVE`, `CREATING`, `UPDATING`, `DELETING` or `FAILED`."))
        .attr("version", Attribute::string().optional_computed().doc("The Kubernetes version, `1.36`; EKS's default otherwise. It rises by one minor version at a time."))
        .block("access_config", cluster::access_config())
        .block("encryption_config", cluster::encryption_config())
        .block("kubernetes_network_config", cluster::network_config())
        .block("upgrade_policy", cluster::upgrade_policy())
        .block("vpc_config", cluster::vpc_config())
        .block("zonal_shift_config", cluster::zonal_shift_config());
    let schema = cluster_parts::blocks(schema)
        .timeouts(&[("create", 1800), ("update", 3600), ("delete", 900)])
        .unsupported(&[
            "default_addons_to_remove",
            "kube_api_server_config",
            "kube_controller_manager_config",
            "kube_scheduler_config",
            "region",
        ])
        .iam_actions(&[
            "ec2:DescribeNetworkInterfaces",
            "eks:AssociateEncryptionConfig",
            "eks:CreateCluster",
            "eks:DeleteCluster",
            "eks:DescribeCluster",
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateClusterConfig",
            "eks:UpdateClusterVersion",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:PassRole",
        ])
        .example(
            r#"resource "aws_eks_cluster" "example" {
  name     = "example"
  role_arn = aws_iam_role.cluster.arn
  vpc_config {
    subnet_ids = data.aws_subnets.private.ids
  }
  depends_on = [aws_iam_role_policy_attachment.cluster]
}
"#,
        );
    let mut schema = tags::attributes(schema);
    // Terraform's first version did not record `bootstrap_self_managed_addons`.
    schema.version = 1;
    schema
});

#[async_trait]
impl ResourceType for EksCluster {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "eks"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        if !request.prior.is_null() {
            judge(request.prior, request.proposed, &mut response);
            // What EKS does not tell of an imported cluster is no change as long as nobody says it.
            if !values::is_set(request.prior, ADDONS)
                && request.config.get(ADDONS).is_none_or(Value::is_null)
                && let Some(planned) = response.planned.take()
            {
                response.planned = Some(planned.with_attr(ADDONS, Value::null(Type::Bool)));
            }
        }
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate(config)
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            Ok(describe(client, &name_of(&prior)).await?.map(|found| object(client, &prior, &found)))
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), cx, request.prior, request.planned).await.map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let (client, name) = (AwsClient::of(client), name_of(request.prior));
        let left_behind = match branches::gone(client, cx, &name).await {
            Ok(warnings) => warnings,
            Err(stopped) => return Applied::partly(request.prior.clone(), stopped),
        };
        let mut done = applied(delete(client, cx, &name).await.map(|()| None).leaving(request.prior));
        done.diagnostics.extend(left_behind);
        done
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        Ok(values::identity([("id", request.id), ("name", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let name = name_of(&intent.attributes);
        let Some(found) = describe(AwsClient::of(client), &name).await? else { return Ok(Found::Nothing) };
        let object = intent.attributes.with_attr("id", name.as_str().into());
        if found.client_request_token() == Some(&intent.token) {
            return Ok(Found::Ours(object));
        }
        Ok(by_age(intent, &format!("The EKS cluster {name:?}"), found.created_at(), object))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, _planned: &Value, object: Value) -> Applied {
        let client = AwsClient::of(client);
        let active = active(client, cx, &name_of(&object)).await.leaving(&object);
        applied(active.map(|found| Some(self::object(client, &object, &found))))
    }

    fn upgrade(&self, from: u64, attributes: Value) -> Result<Value, Diagnostic> {
        let is_missing = !values::is_set(&attributes, "bootstrap_self_managed_addons");
        Ok(if from == 0 && is_missing {
            attributes.with_attr("bootstrap_self_managed_addons", true.into())
        } else {
            attributes
        })
    }
}

/// Says how the cluster was made, and EKS forgets it.
const ADDONS: &str = "bootstrap_self_managed_addons";

fn name_of(object: &Value) -> String {
    values::text(object, "name").unwrap_or_else(|| values::string(object, "id"))
}

fn object(client: &AwsClient, prior: &Value, found: &Cluster) -> Value {
    let object = cluster::object(&SCHEMA, client, prior, found);
    let protection = found.deletion_protection().unwrap_or_else(|| values::flag(prior, "deletion_protection"));
    ObjectBuilder::carrying(&SCHEMA, &object)
        .set(ADDONS, values::opt_bool(values::bool_opt(prior, ADDONS)))
        .set("deletion_protection", protection)
        .build()
}

fn validate(config: &Value) -> Diagnostics {
    let is_name = |t: &str| {
        t.len() <= 100
            && t.starts_with(|c: char| c.is_ascii_alphanumeric())
            && t.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let mut checks = Checks::of(config)
        .text("name", is_name, "begin with a letter or digit and have at most 100 letters, digits, `-` and `_`")
        .text("role_arn", |t| t.starts_with("arn:"), "be the ARN of a role")
        .text(
            "version",
            |t| t.split('.').count() == 2 && t.split('.').all(|p| p.parse::<u16>().is_ok()),
            "be a version such as \"1.36\"",
        );
    for unknown in values::strs(config, "enabled_cluster_log_types").iter().filter(|t| !LOG_TYPES.contains(&t.as_str()))
    {
        checks.wrong(
            "enabled_cluster_log_types",
            format!("There is no log type {unknown:?}; there are {}.", LOG_TYPES.join(", ")),
        );
    }
    let mut one_of = |block: &'static str, attribute: &str, allowed: &[&str]| {
        let text = values::block(config, block).and_then(|b| values::str_opt(b, attribute));
        if let Some(text) = text.filter(|t| !allowed.contains(t)) {
            checks.wrong(block, format!("`{attribute}` is {text:?}; it must be one of {}.", allowed.join(", ")));
        }
    };
    one_of("access_config", "authentication_mode", AUTHENTICATION_MODES);
    one_of("upgrade_policy", "support_type", &["EXTENDED", "STANDARD"]);
    one_of("kubernetes_network_config", "ip_family", &["ipv4", "ipv6"]);
    if AutoMode::of(config).is_mixed() {
        let detail = "EKS Auto Mode is on or off as a whole: `compute_config.enabled`, `storage_config.block_storage.enabled` and \
                      `kubernetes_network_config.elastic_load_balancing.enabled` must be the same.";
        checks.wrong("compute_config", detail);
    }
    checks.done()
}

/// What cannot be changed in place, and what cannot be changed at all.
fn judge(prior: &Value, proposed: &Value, response: &mut PlanResponse) {
    let inside = |name: &'static str| (values::block(prior, name), values::block(proposed, name));
    let nested = |block: &'static str, attribute: &'static str| {
        AttrPath::attr(block).with(PathStep::Index(0)).with(PathStep::Attr(attribute.into()))
    };
    let bootstrap = "bootstrap_cluster_creator_admin_permissions";
    if let (Some(old), Some(new)) = inside("access_config") {
        // What is not recorded (after an import) is taken as it is said.
        if values::is_set(old, bootstrap) && values::is_set(new, bootstrap) && changed(old, new, bootstrap) {
            response.requires_replace.push(nested("access_config", bootstrap));
        }
        let rank =
            |block| AUTHENTICATION_MODES.iter().position(|m| Some(*m) == values::str_opt(block, "authentication_mode"));
        if let (Some(before), Some(after)) = (rank(old), rank(new))
            && after < before
        {
            let detail = format!(
                "The cluster uses {}, and EKS never goes back to {}. Keep the mode, or replace the cluster (`-replace`).",
                AUTHENTICATION_MODES[before], AUTHENTICATION_MODES[after]
            );
            let path = nested("access_config", "authentication_mode");
            response.diagnostics.push(Diagnostic::error("Authentication mode cannot go back", detail).attribute(path));
        }
    }
    if values::is_set(prior, ADDONS) && changed(prior, proposed, ADDONS) {
        response.requires_replace.push(AttrPath::attr(ADDONS));
    }
    if let (Some(old), Some(new)) = inside("compute_config")
        && values::text(old, "node_role_arn").is_some()
        && changed(old, new, "node_role_arn")
    {
        response.requires_replace.push(nested("compute_config", "node_role_arn"));
    }
    let is_encrypted = !values::blocks(prior, "encryption_config").is_empty();
    if is_encrypted && changed(prior, proposed, "encryption_config") {
        response.requires_replace.push(AttrPath::attr("encryption_config"));
    }
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let name = name_of(planned);
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let answer = eks::with_new_roles(cx, || async {
        let request = create_request(client, planned).client_request_token(&cx.token);
        request.customize().interceptor(attempts.clone()).send().await.call("eks:CreateCluster")
    });
    let made = match answer.await {
        Ok(answer) => answer.cluster,
        Err(error) if eks::is_taken(&error) && attempts.repeated() => {
            // An attempt before the one that was refused may have made it.
            let fresh = |c: &Cluster| c.created_at().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS);
            Some(describe(client, &name).await?.filter(fresh).ok_or(error)?)
        }
        Err(error) => return Err(error.into()),
    };
    let made = made.ok_or_else(|| Diagnostic::error("eks:CreateCluster failed", "AWS answered no cluster."))?;
    let begun = object(client, planned, &made);
    eks::checkpoint(cx, &begun).await?;
    let active = active(client, cx, &name).await.leaving(&begun)?;
    Ok(object(client, planned, &active))
}

fn create_request(
    client: &AwsClient,
    planned: &Value,
) -> aws_sdk_eks::operation::create_cluster::builders::CreateClusterFluentBuilder {
    let on = values::strs(planned, "enabled_cluster_log_types").into_iter().collect();
    let logs =
        values::strs_opt(planned, "enabled_cluster_log_types").map(|_| cluster::logging(&on, &Default::default()));
    let auto = AutoMode::of(planned);
    let network = values::block(planned, "kubernetes_network_config").map(|block| {
        KubernetesNetworkConfigRequest::builder()
            .set_elastic_load_balancing(auto.balancing_request())
            .set_ip_family(values::str_opt(block, "ip_family").map(IpFamily::from))
            .set_service_ipv4_cidr(values::text(block, "service_ipv4_cidr"))
            .build()
    });
    let access = values::block(planned, "access_config").map(|block| {
        CreateAccessConfigRequest::builder()
            .set_authentication_mode(values::str_opt(block, "authentication_mode").map(AuthenticationMode::from))
            .set_bootstrap_cluster_creator_admin_permissions(values::bool_opt(
                block,
                "bootstrap_cluster_creator_admin_permissions",
            ))
            .build()
    });
    let policy = values::block(planned, "upgrade_policy")
        .and_then(|block| values::str_opt(block, "support_type"))
        .map(|support| UpgradePolicyRequest::builder().support_type(support.into()).build());
    let shift = values::block(planned, "zonal_shift_config")
        .and_then(|block| values::bool_opt(block, "enabled"))
        .map(|enabled| ZonalShiftConfigRequest::builder().enabled(enabled).build());
    client
        .eks
        .create_cluster()
        .name(name_of(planned))
        .role_arn(values::string(planned, "role_arn"))
        .set_version(values::text(planned, "version"))
        .resources_vpc_config(cluster::vpc_request(planned))
        .set_kubernetes_network_config(network)
        .set_logging(logs)
        .set_access_config(access)
        .set_upgrade_policy(policy)
        .set_zonal_shift_config(shift)
        .set_encryption_config(encryption(planned))
        .set_compute_config(auto.compute_request())
        .set_storage_config(auto.storage_request())
        .set_control_plane_scaling_config(cluster_parts::scaling_request(planned))
        .set_remote_network_config(cluster_parts::remote_request(planned))
        .set_outpost_config(cluster_parts::outpost_request(planned))
        .set_bootstrap_self_managed_addons(values::bool_opt(planned, "bootstrap_self_managed_addons"))
        .set_deletion_protection(values::bool_opt(planned, "deletion_protection").filter(|on| *on))
        .set_tags(eks::to_tags(&tags::wanted(client, planned)))
}

#[expect(deprecated, reason = "EKS ignores `resources` by now and still takes them, and so does Terraform's type")]
fn encryption(planned: &Value) -> Option<Vec<EncryptionConfig>> {
    let configs: Vec<_> = values::blocks(planned, "encryption_config")
        .into_iter()
        .map(|block| {
            let key = values::block(block, "provider").map(|p| values::string(p, "key_arn")).unwrap_or_default();
            EncryptionConfig::builder()
                .set_resources(Some(values::strs(block, "resources")))
                .provider(Provider::builder().key_arn(key).build())
                .build()
        })
        .collect();
    (!configs.is_empty()).then_some(configs)
}

/// Waits until the cluster is ACTIVE.
async fn active(client: &AwsClient, cx: &Context, name: &str) -> Result<Cluster, Diagnostic> {
    let look = || async {
        let Some(found) = describe(client, name).await? else { return Ok(Poll::Pending("not visible yet".into())) };
        Ok(match found.status() {
            Some(ClusterStatus::Active) => Poll::Ready(found),
            Some(status @ (ClusterStatus::Failed | ClusterStatus::Deleting)) => {
                Poll::Broken(broken(name, status.as_str(), &found))
            }
            status => Poll::Pending(status_with(
                status.map_or("CREATING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    wait::until(cx, &format!("EKS cluster {name:?} to become ACTIVE"), Pace::SLOW, look).await
}

fn broken(name: &str, status: &str, found: &Cluster) -> Diagnostic {
    Diagnostic::error("EKS cluster failed", told(&format!("The cluster {name:?} is {status}"), issues(found)))
}

async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let name = name_of(prior);
    // What was done before a failure is read back, so that the next plan starts from the truth.
    match change(client, cx, &name, prior, planned).await {
        Ok(()) => {
            let found = describe(client, &name).await.leaving(prior)?;
            let gone = || {
                Diagnostic::error(
                    "EKS cluster is gone",
                    format!("The cluster {name:?} went away while it was updated."),
                )
            };
            Ok(object(client, planned, &found.ok_or_else(gone)?))
        }
        Err(failure) => {
            let now = describe(client, &name).await.ok().flatten().map(|found| object(client, prior, &found));
            Err(Failure { object: Some(now.unwrap_or_else(|| prior.clone())), ..failure })
        }
    }
}

async fn change(client: &AwsClient, cx: &Context, name: &str, prior: &Value, planned: &Value) -> Result<(), Failure> {
    let target = Target { cluster: name, nodegroup: None, addon: None };
    if changed(prior, planned, "version")
        && let Some(version) = values::text(planned, "version")
    {
        let start = || async {
            let request = client
                .eks
                .update_cluster_version()
                .name(name)
                .version(&version)
                .set_force(values::bool_opt(planned, "force_update_version").filter(|on| *on))
                .client_request_token(format!("{}-version", cx.token));
            request.send().await.call("eks:UpdateClusterVersion").map(|answer| answer.update)
        };
        eks::update(client, cx, target, start).await?;
    }
    if values::blocks(prior, "encryption_config").is_empty()
        && let Some(configs) = encryption(planned)
    {
        let start = || async {
            let request = client
                .eks
                .associate_encryption_config()
                .cluster_name(name)
                .set_encryption_config(Some(configs.clone()))
                .client_request_token(format!("{}-encrypt", cx.token));
            request.send().await.call("eks:AssociateEncryptionConfig").map(|answer| answer.update)
        };
        eks::update(client, cx, target, start).await?;
    }
    for change in ConfigChange::between(prior, planned) {
        let start = || async {
            let token = format!("{}-{}", cx.token, change.kind());
            let request =
                config_request(client.eks.update_cluster_config(), &change).name(name).client_request_token(token);
            request.send().await.call("eks:UpdateClusterConfig").map(|answer| answer.update)
        };
        eks::update(client, cx, target, start).await?;
    }
    let arn = values::string(prior, "arn");
    Ok(eks::update_tags(client, &arn, &TagChange::planned(client, prior, planned)).await?)
}

fn config_request(
    request: UpdateClusterConfigFluentBuilder,
    change: &ConfigChange,
) -> UpdateClusterConfigFluentBuilder {
    let vpc = VpcConfigRequest::builder();
    match change {
        ConfigChange::AuthenticationMode(mode) => request
            .access_config(UpdateAccessConfigRequest::builder().authentication_mode(mode.as_str().into()).build()),
        ConfigChange::Logging(on, off) => request.logging(cluster::logging(on, off)),
        ConfigChange::SupportType(support) => request
            .upgrade_policy(UpgradePolicyRequest::builder().support_type(SupportType::from(support.as_str())).build()),
        ConfigChange::ZonalShift(enabled) => {
            request.zonal_shift_config(ZonalShiftConfigRequest::builder().enabled(*enabled).build())
        }
        ConfigChange::EndpointAccess(private, public, cidrs) => request.resources_vpc_config(
            vpc.endpoint_private_access(*private)
                .endpoint_public_access(*public)
                .set_public_access_cidrs(cidrs.clone().filter(|_| *public))
                .build(),
        ),
        ConfigChange::Network(subnets, groups) => request.resources_vpc_config(
            vpc.set_subnet_ids(Some(subnets.clone())).set_security_group_ids(Some(groups.clone())).build(),
        ),
        ConfigChange::DeletionProtection(on) => request.deletion_protection(*on),
        ConfigChange::AutoMode(mode) => request
            .set_compute_config(mode.compute_request())
            .set_storage_config(mode.storage_request())
            .set_kubernetes_network_config(mode.network_request()),
        ConfigChange::Scaling(config) => request.control_plane_scaling_config(config.clone()),
        ConfigChange::RemoteNetworks(networks) => request.remote_network_config(networks.clone()),
    }
}

async fn delete(client: &AwsClient, cx: &Context, name: &str) -> Result<(), Failure> {
    let start = || async {
        match client.eks.delete_cluster().name(name).send().await.call("eks:DeleteCluster") {
            Err(error) if eks::is_gone(&error) => Ok(Poll::Ready(false)),
            Err(error) if eks::is_busy(&error) => Ok(Poll::Pending("an update is still running".into())),
            answer => answer.map(|_| Poll::Ready(true)),
        }
    };
    let is_there =
        wait::until(cx, &format!("EKS cluster {name:?} to be free for its deletion"), Pace::SLOW, start).await?;
    if !is_there {
        return Ok(());
    }
    let look = || async {
        let Some(found) = describe(client, name).await? else { return Ok(Poll::Ready(())) };
        Ok(match found.status() {
            Some(status @ ClusterStatus::Failed) => Poll::Broken(broken(name, status.as_str(), &found)),
            status => Poll::Pending(status_with(
                status.map_or("DELETING", |s| s.as_str()),
                issues(&found).map(|i| i.to_string()),
            )),
        })
    };
    Ok(wait::until(cx, &format!("EKS cluster {name:?} to be deleted"), Pace::SLOW, look).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn block(name: &str, fields: &[(&'static str, Value)]) -> Value {
        let block = &SCHEMA.block.blocks[name].block;
        let object = fields.iter().fold(ObjectBuilder::of_block(block), |b, (k, v)| b.set(k, v.clone()));
        eks::one(block, object.build())
    }

    fn cluster_with(fields: &[(&'static str, Value)]) -> Value {
        let vpc = block(
            "vpc_config",
            &[
                ("subnet_ids", values::string_set(["subnet-1", "subnet-2"])),
                ("endpoint_private_access", false.into()),
                ("endpoint_public_access", true.into()),
                ("public_access_cidrs", values::string_set(["0.0.0.0/0"])),
            ],
        );
        let base = ObjectBuilder::new(&SCHEMA).set("name", "a").set("version", "1.35").set("vpc_config", vpc);
        fields.iter().fold(base, |b, (k, v)| b.set(k, v.clone())).build()
    }

    fn encrypted(key: &str) -> Value {
        let provider = &SCHEMA.block.blocks["encryption_config"].block.blocks["provider"].block;
        let key = eks::one(provider, ObjectBuilder::of_block(provider).set("key_arn", key).build());
        block("encryption_config", &[("resources", values::string_set(["secrets"])), ("provider", key)])
    }

    fn judged(prior: &[(&'static str, Value)], proposed: &[(&'static str, Value)]) -> (Vec<String>, Vec<String>) {
        let (prior, proposed) = (cluster_with(prior), cluster_with(proposed));
        let provider = Value::object::<&str>([]);
        let request = PlanRequest { prior: &prior, config: &proposed, proposed: &proposed, provider_config: &provider };
        let response = EksCluster.plan(&request);
        let errors = response.diagnostics.into_iter().map(|d| d.summary).collect();
        (response.requires_replace.iter().map(ToString::to_string).collect(), errors)
    }

    #[test]
    fn what_cannot_change_in_place_replaces() {
        let access = |mode: &str, admin: Option<bool>| {
            let fields = [
                ("authentication_mode", mode.into()),
                ("bootstrap_cluster_creator_admin_permissions", values::opt_bool(admin)),
            ];
            [("access_config", block("access_config", &fields))]
        };
        let none: &[&str] = &[];
        let path = "access_config[0].bootstrap_cluster_creator_admin_permissions";
        assert_eq!(judged(&access("API", Some(true)), &access("API", Some(false))), (vec![path.into()], vec![]));
        assert_eq!(judged(&access("API", None), &access("API", Some(true))).0, none);
        assert_eq!(judged(&access("CONFIG_MAP", None), &access("API_AND_CONFIG_MAP", None)), (vec![], vec![]));
        assert_eq!(
            judged(&access("API", None), &access("API_AND_CONFIG_MAP", None)).1,
            ["Authentication mode cannot go back"]
        );
        let addons = |on: bool| [(ADDONS, on.into())];
        assert_eq!(judged(&addons(true), &addons(false)).0, [ADDONS]);
        assert_eq!(judged(&[], &addons(false)).0, none, "it is not known of an imported cluster");
        assert_eq!(judged(&[], &[("encryption_config", encrypted("arn:1"))]).0, none);
        assert_eq!(
            judged(&[("encryption_config", encrypted("arn:1"))], &[("encryption_config", encrypted("arn:1"))]).0,
            none
        );
        let replaced =
            judged(&[("encryption_config", encrypted("arn:1"))], &[("encryption_config", encrypted("arn:2"))]);
        assert_eq!(replaced.0, ["encryption_config"]);
        assert_eq!(judged(&[("encryption_config", encrypted("arn:1"))], &[]).0, ["encryption_config"]);
    }

    #[test]
    fn each_kind_of_change_is_a_call_of_its_own() {
        let set = |texts: &[&str]| values::string_set(texts.to_vec());
        let names = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let vpc = |private: bool, subnets: &[&str], groups: &[&str]| {
            block(
                "vpc_config",
                &[
                    ("subnet_ids", set(subnets)),
                    ("security_group_ids", set(groups)),
                    ("endpoint_private_access", private.into()),
                    ("endpoint_public_access", true.into()),
                    ("public_access_cidrs", set(&["0.0.0.0/0"])),
                ],
            )
        };
        let rows = [
            (vec![], vec![], vec![]),
            (
                vec![("enabled_cluster_log_types", set(&["api", "audit"]))],
                vec![("enabled_cluster_log_types", set(&["audit", "scheduler"]))],
                vec![ConfigChange::Logging(["scheduler".into()].into(), ["api".into()].into())],
            ),
            (vec![], vec![("enabled_cluster_log_types", set(&[]))], vec![]),
            (
                vec![("access_config", block("access_config", &[("authentication_mode", "CONFIG_MAP".into())]))],
                vec![("access_config", block("access_config", &[("authentication_mode", "API".into())]))],
                vec![ConfigChange::AuthenticationMode("API".into())],
            ),
            (
                vec![],
                vec![
                    ("upgrade_policy", block("upgrade_policy", &[("support_type", "STANDARD".into())])),
                    ("zonal_shift_config", block("zonal_shift_config", &[("enabled", true.into())])),
                    ("deletion_protection", true.into()),
                ],
                vec![
                    ConfigChange::SupportType("STANDARD".into()),
                    ConfigChange::ZonalShift(true),
                    ConfigChange::DeletionProtection(true),
                ],
            ),
            (
                vec![("vpc_config", vpc(false, &["subnet-1", "subnet-2"], &["sg-1"]))],
                vec![("vpc_config", vpc(true, &["subnet-1", "subnet-3"], &[]))],
                vec![
                    ConfigChange::EndpointAccess(true, true, Some(names(&["0.0.0.0/0"]))),
                    ConfigChange::Network(names(&["subnet-1", "subnet-3"]), vec![]),
                ],
            ),
        ];
        for (prior, planned, expected) in rows {
            assert_eq!(ConfigChange::between(&cluster_with(&prior), &cluster_with(&planned)), expected);
        }
    }

    #[test]
    fn arguments_are_checked() {
        let wrong = |fields: &[(&'static str, Value)]| {
            EksCluster.validate(&cluster_with(fields)).into_iter().map(|d| d.detail).collect::<Vec<_>>()
        };
        assert!(wrong(&[]).is_empty());
        assert!(wrong(&[("name", Value::unknown(Type::String))]).is_empty());
        assert_eq!(
            wrong(&[("version", "1.35.2".into())]),
            ["`version` is \"1.35.2\"; it must be a version such as \"1.36\"."]
        );
        assert_eq!(
            wrong(&[("enabled_cluster_log_types", values::string_set(["apis"]))]),
            ["There is no log type \"apis\"; there are api, audit, authenticator, controllerManager, scheduler."]
        );
        let access = block("access_config", &[("authentication_mode", "MAP".into())]);
        assert_eq!(
            wrong(&[("access_config", access)]),
            ["`authentication_mode` is \"MAP\"; it must be one of CONFIG_MAP, API_AND_CONFIG_MAP, API."]
        );
    }

    #[test]
    fn an_older_record_is_taken_over() {
        let old = Value::object([("name", Value::from("a"))]);
        let new = EksCluster.upgrade(0, old).unwrap();
        assert_eq!(values::bool_opt(&new, "bootstrap_self_managed_addons"), Some(true));
    }

    #[tokio::test]
    async fn what_eks_does_not_tell_stays_as_planned() {
        let client = crate::client::tests::offline(&[]).await;
        let planned = cluster_with(&[
            ("access_config", block("access_config", &[("authentication_mode", Value::unknown(Type::String))])),
            ("kubernetes_network_config", Value::unknown(SCHEMA.block.blocks["kubernetes_network_config"].ty())),
            ("bootstrap_self_managed_addons", false.into()),
            ("deletion_protection", true.into()),
        ]);
        let found = Cluster::builder().name("a").arn("arn:a").status(ClusterStatus::Active).version("1.35").build();
        let object = object(&client, &planned, &found);
        assert!(object.is_wholly_known(), "{object:?}");
        assert_eq!(object.ty(), SCHEMA.ty());
        assert_eq!(values::bool_opt(&object, "bootstrap_self_managed_addons"), Some(false));
        assert_eq!(values::bool_opt(&object, "deletion_protection"), Some(true));
        let vpc = values::block(&object, "vpc_config").unwrap();
        assert_eq!(values::strs(vpc, "subnet_ids"), ["subnet-1", "subnet-2"]);
    }
}
