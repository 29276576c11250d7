//! A cluster between EKS and the model: schema parts, the object that DescribeCluster answers, and the changes that
//! UpdateClusterConfig takes one by one.

use std::collections::BTreeSet;

use aws_sdk_eks::types::{
    Cluster, ControlPlaneScalingConfig, LogSetup, LogType, Logging, RemoteNetworkConfigRequest, VpcConfigRequest,
};
use sgp_model::{Attribute, Block, NestedBlock, Schema, Type, Value};

use crate::{
    adoption::rfc3339,
    client::AwsClient,
    eks::{
        self, Issue,
        cluster_parts::{self, AutoMode},
        one, set_or_null,
    },
    errors::{ApiError, Call},
    tags,
    values::{self, ObjectBuilder, changed},
};

/// The control plane's logs.
pub const LOG_TYPES: &[&str] = &["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// How people and roles are let in, in the order in which a cluster can move.
pub const AUTHENTICATION_MODES: &[&str] = &["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];

/// The type of `certificate_authority`.
pub fn certificate_type() -> Type {
    Type::list(Type::object([("data", Type::String)]))
}

/// The type of `identity`.
pub fn identity_type() -> Type {
    Type::list(Type::object([("oidc", Type::list(Type::object([("issuer", Type::String)])))]))
}

/// `vpc_config`.
pub fn vpc_config() -> NestedBlock {
    let block = Block::default()
        .attr(
            "cluster_security_group_id",
            Attribute::string().computed().doc("The security group that EKS makes for the cluster."),
        )
        .attr(
            "endpoint_private_access",
            Attribute::bool().optional().default(false).doc("Whether the API server is reached from within the VPC."),
        )
        .attr(
            "endpoint_public_access",
            Attribute::bool().optional().default(true).doc("Whether the API server is reached from the internet."),
        )
        .attr(
            "public_access_cidrs",
            Attribute::string_set()
                .optional_computed()
                .follows(&["endpoint_public_access"])
                .doc("From where the public endpoint is reached; anywhere by default. Without a public endpoint it has no effect."),
        )
        .attr(
            "security_group_ids",
            Attribute::string_set().optional().doc("Further security groups of the control plane's interfaces."),
        )
        .attr(
            "subnet_ids",
            Attribute::string_set()
                .required()
                .doc("Subnets for the control plane's interfaces, in two availability zones or more."),
        )
        .attr("vpc_id", Attribute::string().computed().doc("The VPC."));
    NestedBlock::list_of_one(block).required().doc("Where the cluster lives.")
}

/// `access_config`.
pub fn access_config() -> NestedBlock {
    let block = Block::default()
        .attr(
            "authentication_mode",
            Attribute::string()
                .optional_computed()
                .doc("`CONFIG_MAP`, `API_AND_CONFIG_MAP` or `API`; it moves in this direction only."),
        )
        .attr(
            "bootstrap_cluster_creator_admin_permissions",
            Attribute::bool()
                .optional_computed()
                .doc("Whether who creates the cluster becomes its administrator, as is the default; a change replaces the cluster."),
        );
    NestedBlock::list_of_one(block).computed().doc("How people and roles are let in.")
}

/// `encryption_config`.
pub fn encryption_config() -> NestedBlock {
    let provider = Block::default()
        .attr("key_arn", Attribute::string().required().doc("The ARN of a symmetric KMS key in the cluster's region."));
    let block = Block::default()
        .attr("resources", Attribute::string_set().required().doc("What is encrypted: `secrets`."))
        .block("provider", NestedBlock::list_of_one(provider).required().doc("The key."));
    NestedBlock::list_of_one(block)
        .doc("Envelope encryption of Secrets; it can be added, and never be taken away or changed.")
}

/// `kubernetes_network_config`.
pub fn network_config() -> NestedBlock {
    let block = Block::default()
        .attr("ip_family", Attribute::string().optional_computed().force_new().doc("`ipv4` or `ipv6`."))
        .attr(
            "service_ipv4_cidr",
            Attribute::string().optional_computed().force_new().doc("The addresses of Services, between /24 and /12."),
        )
        .attr("service_ipv6_cidr", Attribute::string().computed().doc("The addresses of Services of an IPv6 cluster."))
        .block("elastic_load_balancing", cluster_parts::elastic_load_balancing());
    NestedBlock::list_of_one(block).computed().doc("Addresses inside the cluster.")
}

/// `upgrade_policy`.
pub fn upgrade_policy() -> NestedBlock {
    let block =
        Block::default().attr("support_type", Attribute::string().optional_computed().doc("`EXTENDED` or `STANDARD`."));
    NestedBlock::list_of_one(block).computed().doc("What happens when the Kubernetes version leaves standard support.")
}

/// `zonal_shift_config`.
pub fn zonal_shift_config() -> NestedBlock {
    let block = Block::default()
        .attr("enabled", Attribute::bool().optional().doc("Whether traffic may be shifted away from a zone."));
    NestedBlock::list_of_one(block).computed().doc("Zonal shift of the control plane.")
}

/// DescribeCluster; `None` when there is no such cluster.
///
/// # Errors
/// What DescribeCluster answers.
pub async fn describe(client: &AwsClient, name: &str) -> Result<Option<Cluster>, ApiError> {
    match client.eks.describe_cluster().name(name).send().await.call("eks:DescribeCluster") {
        Ok(answer) => Ok(answer.cluster),
        Err(error) if eks::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What EKS says is wrong with a cluster.
pub fn issues(cluster: &Cluster) -> impl Iterator<Item = Issue<'_>> {
    cluster.health().map(|h| h.issues()).unwrap_or_default().iter().map(|issue| Issue {
        code: issue.code().map_or("", |c| c.as_str()),
        message: issue.message().unwrap_or_default(),
        resources: issue.resource_ids(),
    })
}

/// The cluster as EKS has it. What EKS does not tell stays as `prior` (the planned object, after a creation) has it.
pub fn object(schema: &Schema, client: &AwsClient, prior: &Value, cluster: &Cluster) -> Value {
    let builder = described(ObjectBuilder::carrying(schema, prior), cluster)
        .set("access_config", access(schema, prior, cluster))
        .set("enabled_cluster_log_types", set_or_null(log_types(cluster), prior.get("enabled_cluster_log_types")))
        .set("encryption_config", encryption(schema, cluster))
        .set("kubernetes_network_config", network(schema, prior, cluster))
        .set("upgrade_policy", support(schema, prior, cluster))
        .set("vpc_config", vpc(schema, prior, cluster))
        .set("zonal_shift_config", zonal_shift(schema, prior, cluster));
    let builder = cluster_parts::show(builder, schema, prior, cluster);
    tags::fill(builder, client, prior, &eks::from_tags(cluster.tags())).build()
}

/// Everything flat that a cluster has, for the resource and the data source alike.
pub fn described(builder: ObjectBuilder, cluster: &Cluster) -> ObjectBuilder {
    builder
        .set("arn", values::opt_str(cluster.arn()))
        .set("certificate_authority", certificate(cluster))
        .set("cluster_id", values::opt_str(cluster.outpost_config().and(cluster.id())))
        .set("created_at", values::opt_str(cluster.created_at().map(rfc3339).as_deref()))
        .set("endpoint", values::opt_str(cluster.endpoint()))
        .set("id", values::opt_str(cluster.name()))
        .set("identity", identity(cluster))
        .set("name", values::opt_str(cluster.name()))
        .set("platform_version", values::opt_str(cluster.platform_version()))
        .set("role_arn", values::opt_str(cluster.role_arn()))
        .set("status", values::opt_str(cluster.status().map(|s| s.as_str())))
        .set("version", values::opt_str(cluster.version()))
}

fn certificate(cluster: &Cluster) -> Value {
    let ty = Type::object([("data", Type::String)]);
    let data = cluster.certificate_authority().and_then(|c| c.data());
    Value::list(ty, vec![Value::object([("data", values::opt_str(data))])])
}

fn identity(cluster: &Cluster) -> Value {
    let issuer = cluster.identity().and_then(|i| i.oidc()).and_then(|o| o.issuer());
    let oidc_ty = Type::object([("issuer", Type::String)]);
    let oidc = issuer.map(|issuer| Value::object([("issuer", issuer.into())])).into_iter().collect();
    let ty = Type::object([("oidc", Type::list(oidc_ty.clone()))]);
    Value::list(ty, vec![Value::object([("oidc", Value::list(oidc_ty, oidc))])])
}

/// The control plane logs that are on.
pub fn log_types(cluster: &Cluster) -> Vec<&str> {
    let setups = cluster.logging().map(|l| l.cluster_logging()).unwrap_or_default();
    setups.iter().filter(|s| s.enabled() == Some(true)).flat_map(|s| s.types()).map(|t| t.as_str()).collect()
}

fn inner<'a>(schema: &'a Schema, name: &str) -> &'a Block {
    &schema.block.blocks[name].block
}

fn access(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let recorded = values::block(prior, "access_config");
    let answered = cluster.access_config();
    let mode = answered.and_then(|a| a.authentication_mode()).map(|m| m.as_str());
    let mode = mode.or_else(|| recorded.and_then(|r| values::str_opt(r, "authentication_mode")));
    // EKS does not always tell how the cluster was bootstrapped; what was asked for stays.
    let told = answered.and_then(|a| a.bootstrap_cluster_creator_admin_permissions());
    let asked = recorded.and_then(|r| r.get("bootstrap_cluster_creator_admin_permissions"));
    let bootstrap = match asked {
        // A creation that said nothing got EKS's default.
        Some(open) if !open.is_known() => told.or(Some(true)),
        Some(asked) => asked.as_bool(),
        None => told,
    };
    let block = inner(schema, "access_config");
    if mode.is_none() && bootstrap.is_none() {
        return Value::list(block.ty(), Vec::new());
    }
    let object = ObjectBuilder::of_block(block)
        .set("authentication_mode", values::opt_str(mode))
        .set("bootstrap_cluster_creator_admin_permissions", values::opt_bool(bootstrap));
    one(block, object.build())
}

#[expect(deprecated, reason = "EKS ignores `resources` by now and still answers them, and so does Terraform's type")]
fn encryption(schema: &Schema, cluster: &Cluster) -> Value {
    let block = inner(schema, "encryption_config");
    let provider = &block.blocks["provider"].block;
    let objects = cluster.encryption_config().iter().filter_map(|config| {
        let key = config.provider()?.key_arn()?;
        let key = ObjectBuilder::of_block(provider).set("key_arn", key).build();
        let object = ObjectBuilder::of_block(block)
            .set("resources", values::string_set(config.resources().iter().map(String::as_str)))
            .set("provider", one(provider, key));
        Some(object.build())
    });
    Value::list(block.ty(), objects.collect())
}

fn network(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let block = inner(schema, "kubernetes_network_config");
    let Some(network) = cluster.kubernetes_network_config() else {
        return carried(schema, prior, "kubernetes_network_config");
    };
    let recorded = values::block(prior, "kubernetes_network_config");
    let or_recorded = |answered: Option<&str>, name| match answered {
        Some(text) => Value::from(text),
        None => values::opt_str(recorded.and_then(|r| values::str_opt(r, name))),
    };
    let object = ObjectBuilder::of_block(block)
        .set("ip_family", or_recorded(network.ip_family().map(|f| f.as_str()), "ip_family"))
        .set("service_ipv4_cidr", or_recorded(network.service_ipv4_cidr(), "service_ipv4_cidr"))
        .set("service_ipv6_cidr", or_recorded(network.service_ipv6_cidr(), "service_ipv6_cidr"))
        .set("elastic_load_balancing", cluster_parts::balancing(block, recorded, network.elastic_load_balancing()));
    one(block, object.build())
}

fn support(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    match cluster.upgrade_policy().and_then(|p| p.support_type()) {
        Some(support) => {
            let block = inner(schema, "upgrade_policy");
            one(block, ObjectBuilder::of_block(block).set("support_type", support.as_str()).build())
        }
        None => carried(schema, prior, "upgrade_policy"),
    }
}

fn zonal_shift(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    match cluster.zonal_shift_config().and_then(|z| z.enabled()) {
        Some(enabled) => {
            let block = inner(schema, "zonal_shift_config");
            one(block, ObjectBuilder::of_block(block).set("enabled", enabled).build())
        }
        None => carried(schema, prior, "zonal_shift_config"),
    }
}

/// The recorded block; nothing when it is not known.
fn carried(schema: &Schema, prior: &Value, name: &str) -> Value {
    let block = inner(schema, name);
    match values::block(prior, name) {
        Some(recorded) => {
            let known = |name: &&str| recorded.get(name).is_some_and(Value::is_wholly_known);
            let fields = block.names().filter(known);
            let object = fields
                .fold(ObjectBuilder::of_block(block), |object, name| object.set_opt(name, recorded.get(name).cloned()));
            one(block, object.build())
        }
        None => Value::list(block.ty(), Vec::new()),
    }
}

fn vpc(schema: &Schema, prior: &Value, cluster: &Cluster) -> Value {
    let block = inner(schema, "vpc_config");
    let Some(vpc) = cluster.resources_vpc_config() else { return carried(schema, prior, "vpc_config") };
    let recorded = |name| values::block(prior, "vpc_config").and_then(|r| r.get(name));
    let groups = vpc.security_group_ids().iter().map(String::as_str);
    // Without a public endpoint the addresses have no effect: what is configured waits for it and is no difference.
    let waiting = recorded("public_access_cidrs").filter(|it| it.is_known() && !it.is_null());
    let cidrs = match waiting {
        Some(waiting) if !vpc.endpoint_public_access() => waiting.clone(),
        _ => values::string_set(vpc.public_access_cidrs().iter().map(String::as_str)),
    };
    let object = ObjectBuilder::of_block(block)
        .set("cluster_security_group_id", values::opt_str(vpc.cluster_security_group_id()))
        .set("endpoint_private_access", vpc.endpoint_private_access())
        .set("endpoint_public_access", vpc.endpoint_public_access())
        .set("public_access_cidrs", cidrs)
        .set("security_group_ids", set_or_null(groups, recorded("security_group_ids")))
        .set("subnet_ids", values::string_set(vpc.subnet_ids().iter().map(String::as_str)))
        .set("vpc_id", values::opt_str(vpc.vpc_id()));
    one(block, object.build())
}

/// One change that UpdateClusterConfig takes. EKS refuses two kinds in one call.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigChange {
    /// `access_config.authentication_mode`.
    AuthenticationMode(String),
    /// Log types to be turned on, and off.
    Logging(BTreeSet<String>, BTreeSet<String>),
    /// `upgrade_policy.support_type`.
    SupportType(String),
    /// `zonal_shift_config.enabled`.
    ZonalShift(bool),
    /// Who reaches the API server: private, public, from where.
    EndpointAccess(bool, bool, Option<Vec<String>>),
    /// Subnets and security groups of the control plane's interfaces.
    Network(Vec<String>, Vec<String>),
    /// `deletion_protection`.
    DeletionProtection(bool),
    /// `compute_config`, `storage_config` and `elastic_load_balancing`.
    AutoMode(AutoMode),
    /// `control_plane_scaling_config`.
    Scaling(ControlPlaneScalingConfig),
    /// `remote_network_config`; none of its networks when it goes.
    RemoteNetworks(RemoteNetworkConfigRequest),
}

impl ConfigChange {
    /// What must be called, in order, to get from one object to another.
    pub fn between(prior: &Value, planned: &Value) -> Vec<Self> {
        let inside = |name: &'static str| (values::block(prior, name), values::block(planned, name));
        let differs = |(old, new): (Option<&Value>, Option<&Value>), names: &[&str]| match (old, new) {
            (Some(old), Some(new)) => values::any_changed(old, new, names),
            (None, Some(_)) => true,
            _ => false,
        };
        let mut changes = Vec::new();
        let access = inside("access_config");
        if differs(access, &["authentication_mode"]) {
            changes.extend(access.1.and_then(|a| values::text(a, "authentication_mode")).map(Self::AuthenticationMode));
        }
        changes.extend(AutoMode::change(prior, planned).map(Self::AutoMode));
        if changed(prior, planned, "enabled_cluster_log_types") {
            let set = |object| values::strs(object, "enabled_cluster_log_types").into_iter().collect::<BTreeSet<_>>();
            let (old, new) = (set(prior), set(planned));
            let (on, off): (BTreeSet<_>, BTreeSet<_>) = (&new - &old, &old - &new);
            changes.extend((!on.is_empty() || !off.is_empty()).then_some(Self::Logging(on, off)));
        }
        let policy = inside("upgrade_policy");
        if differs(policy, &["support_type"]) {
            changes.extend(policy.1.and_then(|p| values::text(p, "support_type")).map(Self::SupportType));
        }
        let shift = inside("zonal_shift_config");
        if differs(shift, &["enabled"]) {
            changes.extend(shift.1.and_then(|s| values::bool_opt(s, "enabled")).map(Self::ZonalShift));
        }
        if let (Some(old), Some(new)) = inside("vpc_config") {
            if values::any_changed(
                old,
                new,
                &["endpoint_private_access", "endpoint_public_access", "public_access_cidrs"],
            ) {
                let (private, public) =
                    (values::flag(new, "endpoint_private_access"), values::flag(new, "endpoint_public_access"));
                changes.push(Self::EndpointAccess(private, public, values::strs_opt(new, "public_access_cidrs")));
            }
            if values::any_changed(old, new, &["subnet_ids", "security_group_ids"]) {
                changes.push(Self::Network(values::strs(new, "subnet_ids"), values::strs(new, "security_group_ids")));
            }
        }
        if differs(inside("control_plane_scaling_config"), &["tier"]) {
            changes.extend(cluster_parts::scaling_request(planned).map(Self::Scaling));
        }
        if changed(prior, planned, "remote_network_config") {
            let none = || RemoteNetworkConfigRequest::builder().set_remote_node_networks(Some(Vec::new())).build();
            changes.push(Self::RemoteNetworks(cluster_parts::remote_request(planned).unwrap_or_else(none)));
        }
        if values::flag(prior, "deletion_protection") != values::flag(planned, "deletion_protection") {
            changes.push(Self::DeletionProtection(values::flag(planned, "deletion_protection")));
        }
        changes
    }

    /// A short name, for client tokens.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AuthenticationMode(_) => "access",
            Self::Logging(..) => "logging",
            Self::SupportType(_) => "support",
            Self::ZonalShift(_) => "zonal",
            Self::EndpointAccess(..) => "endpoint",
            Self::Network(..) => "network",
            Self::DeletionProtection(_) => "protect",
            Self::AutoMode(_) => "auto",
            Self::Scaling(_) => "scaling",
            Self::RemoteNetworks(_) => "remote",
        }
    }
}

/// Which logs are to be on, and off, as the API takes it.
pub fn logging(on: &BTreeSet<String>, off: &BTreeSet<String>) -> Logging {
    let setup = |types: &BTreeSet<String>, enabled| {
        let types: Vec<LogType> = types.iter().map(|t| LogType::from(t.as_str())).collect();
        (!types.is_empty()).then(|| LogSetup::builder().set_types(Some(types)).enabled(enabled).build())
    };
    let setups = [setup(on, true), setup(off, false)].into_iter().flatten().collect();
    Logging::builder().set_cluster_logging(Some(setups)).build()
}

/// `vpc_config` as CreateCluster takes it.
pub fn vpc_request(planned: &Value) -> VpcConfigRequest {
    let Some(vpc) = values::block(planned, "vpc_config") else { return VpcConfigRequest::builder().build() };
    let is_public = values::flag(vpc, "endpoint_public_access");
    VpcConfigRequest::builder()
        .set_subnet_ids(values::strs_opt(vpc, "subnet_ids"))
        .set_security_group_ids(values::strs_opt(vpc, "security_group_ids"))
        .set_endpoint_private_access(values::bool_opt(vpc, "endpoint_private_access"))
        .set_endpoint_public_access(values::bool_opt(vpc, "endpoint_public_access"))
        .set_public_access_cidrs(values::strs_opt(vpc, "public_access_cidrs").filter(|_| is_public))
        .build()
}
