//! The EKS types against an emulator of EKS, EC2 and IAM, when SGP_TEST_AWS_ENDPOINT names one that serves all three
//! (`sgp-world` does; moto's EKS knows neither add-ons nor updates).
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use sgp_contract::{
    Found, ReadOutcome,
    eks::{AddonChange, Eks},
};
use sgp_model::{Type, Value, state::Operation};
use world::{World, find_data, find_type, tags};

fn text(object: &Value, name: &str) -> String {
    object.get(name).unwrap().as_str().unwrap().to_owned()
}

fn set(texts: &[String]) -> Value {
    Value::set(Type::String, texts.iter().map(|t| t.as_str().into()))
}

/// A nested block of at most one, as it is planned: unknown where the provider decides.
fn block(kind: &dyn sgp_contract::ResourceType, name: &str, fields: &[(&str, Value)]) -> Value {
    let nested = &kind.schema().block.blocks[name].block;
    let open = nested.attributes.iter().fold(nested.empty(), |object, (name, attribute)| {
        let open = attribute.is_computed().then(|| Value::unknown(attribute.ty.clone()));
        attribute.default.clone().or(open).map_or(object.clone(), |value| object.with_attr(name, value))
    });
    let object = fields.iter().fold(open, |object, (name, value)| object.with_attr(name, value.clone()));
    Value::list(nested.ty(), vec![object])
}

/// The object with one field of a block changed.
fn inside(object: &Value, name: &str, field: &str, value: Value) -> Value {
    let old = object.get(name).unwrap();
    let inner = old.elements().unwrap()[0].with_attr(field, value);
    object.with_attr(name, Value::list(inner.ty(), vec![inner]))
}

/// What the planner makes of new tags.
fn with_tags(object: &Value, own: &[(&str, &str)]) -> Value {
    let all: Vec<_> = [("env", "test")].into_iter().chain(own.iter().copied()).collect();
    object.with_attr("tags", tags(own)).with_attr("tags_all", tags(&all))
}

async fn role(world: &World, service: &str, policies: &[&str]) -> String {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let name = world.name(service.split('.').next().unwrap());
    let arguments = [("name", name.clone().into()), ("assume_role_policy", trust.into())];
    let made = world.create(find_type("aws_iam_role"), &arguments).await;
    for policy in policies {
        let arguments =
            [("role", name.clone().into()), ("policy_arn", format!("arn:aws:iam::aws:policy/{policy}").into())];
        world.create(find_type("aws_iam_role_policy_attachment"), &arguments).await;
    }
    text(&made, "arn")
}

async fn subnets(world: &World) -> Vec<String> {
    let filter = Value::object([("name", Value::from("vpc-id")), ("values", set(&[world.vpc().await]))]);
    let filters = Value::set(filter.ty(), [filter]);
    let found = world.data(find_data("aws_subnets"), &[("filter", filters)]).await.unwrap();
    found.get("ids").unwrap().str_elements().into_iter().map(str::to_owned).take(2).collect()
}

#[tokio::test]
async fn a_cluster_its_nodes_and_addons_live() {
    let Some(world) = World::open_in("us-east-1").await else { return };
    let (cluster, group, addon) =
        (find_type("aws_eks_cluster"), find_type("aws_eks_node_group"), find_type("aws_eks_addon"));
    let subnets = subnets(&world).await;
    let control =
        role(&world, "eks.amazonaws.com", &["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"]).await;
    let name = world.name("cluster");
    let vpc = block(cluster, "vpc_config", &[("subnet_ids", set(&subnets))]);
    let arguments = [
        ("name", name.clone().into()),
        ("role_arn", control.into()),
        ("vpc_config", vpc),
        ("tags", tags(&[("team", "net")])),
    ];
    let applied = world.try_create(cluster, &arguments).await;
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    let made = applied.object.unwrap();
    assert!(made.is_wholly_known());
    assert_eq!(text(&made, "status"), "ACTIVE");
    assert_eq!(made.ty(), cluster.schema().ty());
    assert_eq!(world.read(cluster, &made).await.unwrap(), made);

    // Every kind of change, in one update.
    let mut wanted = with_tags(&made, &[("x", "y")])
        .with_attr("enabled_cluster_log_types", set(&["api".into(), "audit".into()]))
        .with_attr("deletion_protection", true.into());
    wanted = inside(&wanted, "vpc_config", "endpoint_private_access", true.into());
    wanted = inside(&wanted, "vpc_config", "public_access_cidrs", set(&["192.0.2.0/24".into()]));
    let updated = world.update(cluster, &made, &wanted).await;
    for name in ["enabled_cluster_log_types", "deletion_protection", "vpc_config", "tags_all"] {
        assert_eq!(updated.get(name), wanted.get(name), "{name}");
    }
    assert_eq!(world.read(cluster, &updated).await.unwrap(), updated);
    let refused = world.try_delete(cluster, &updated).await;
    assert!(refused.diagnostics.has_errors() && refused.object.is_some());
    let wanted = updated.with_attr("deletion_protection", false.into());
    let updated = world.update(cluster, &updated, &wanted).await;

    let planned = world.planned(cluster, &arguments);
    assert!(matches!(world.find(cluster, planned.clone(), Operation::Create).await, Found::Ours(_)));
    let nobody = planned.with_attr("name", world.name("nobody").into());
    assert!(matches!(world.find(cluster, nobody, Operation::Create).await, Found::Nothing));
    let imported = world.import(cluster, &name).await.unwrap();
    assert_eq!(imported.get("vpc_config"), updated.get("vpc_config"));
    let data = world.data(find_data("aws_eks_cluster"), &[("name", name.clone().into())]).await.unwrap();
    assert_eq!(data.get("identity"), updated.get("identity"));

    nodes_live(&world, group, &name, &subnets).await;
    addon_lives(&world, addon, &name, &text(&updated, "version")).await;
    cluster_is_reached(&std::env::var("SGP_TEST_AWS_ENDPOINT").unwrap(), &name, &world.vpc().await).await;

    world.delete(cluster, &updated).await;
    assert!(matches!(world.outcome(cluster, &updated).await, ReadOutcome::Gone));
    world.delete(cluster, &updated).await;
}

async fn nodes_live(world: &World, kind: &dyn sgp_contract::ResourceType, cluster: &str, subnets: &[String]) {
    let policies = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];
    let node = role(world, "ec2.amazonaws.com", &policies).await;
    let sizes = |desired: i64| {
        let fields = [("desired_size", Value::int(desired)), ("max_size", Value::int(3)), ("min_size", Value::int(1))];
        block(kind, "scaling_config", &fields)
    };
    let taint = |effect: &str| {
        let taint = Value::object([("key", Value::from("k")), ("value", "v".into()), ("effect", effect.into())]);
        Value::set(taint.ty(), [taint])
    };
    let arguments = [
        ("cluster_name", cluster.into()),
        ("node_group_name", "nodes".into()),
        ("node_role_arn", node.into()),
        ("subnet_ids", set(subnets)),
        ("scaling_config", sizes(1)),
        ("instance_types", Value::strings(["m5.large"])),
        ("labels", tags(&[("a", "1"), ("b", "2")])),
        ("taint", taint("NO_SCHEDULE")),
    ];
    let made = world.create(kind, &arguments).await;
    assert_eq!(text(&made, "id"), format!("{cluster}:nodes"));
    assert_eq!(text(&made, "status"), "ACTIVE");
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let wanted = with_tags(&made, &[("x", "y")])
        .with_attr("scaling_config", sizes(2))
        .with_attr("labels", tags(&[("a", "2"), ("c", "3")]))
        .with_attr("taint", taint("NO_EXECUTE"));
    let updated = world.update(kind, &made, &wanted).await;
    for name in ["scaling_config", "labels", "taint", "tags_all"] {
        assert_eq!(updated.get(name), wanted.get(name), "{name}");
    }
    assert_eq!(world.read(kind, &updated).await.unwrap(), updated);
    let planned = world.planned(kind, &arguments);
    assert!(matches!(world.find(kind, planned, Operation::Create).await, Found::Ours(_)));
    assert_eq!(world.import(kind, &text(&made, "id")).await.unwrap().get("labels"), wanted.get("labels"));
    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

async fn addon_lives(world: &World, kind: &dyn sgp_contract::ResourceType, cluster: &str, version: &str) {
    let arguments = [("addon_name", "vpc-cni".into()), ("kubernetes_version", version.into())];
    let default = world.data(find_data("aws_eks_addon_version"), &arguments).await.unwrap();
    let newest = [arguments[0].clone(), arguments[1].clone(), ("most_recent", true.into())];
    let newest = world.data(find_data("aws_eks_addon_version"), &newest).await.unwrap();
    assert!(text(&default, "version").starts_with('v') && text(&newest, "version").starts_with('v'));

    let arguments = [
        ("cluster_name", cluster.into()),
        ("addon_name", "vpc-cni".into()),
        ("addon_version", text(&default, "version").into()),
        ("configuration_values", r#"{ "env": { "ENABLE_POD_ENI": "true" } }"#.into()),
        ("resolve_conflicts_on_create", "OVERWRITE".into()),
    ];
    let made = world.create(kind, &arguments).await;
    assert_eq!(text(&made, "id"), format!("{cluster}:vpc-cni"));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let wanted = with_tags(&made, &[("x", "y")])
        .with_attr("addon_version", text(&newest, "version").into())
        .with_attr("configuration_values", r#"{"env":{"ENABLE_POD_ENI":"false"}}"#.into())
        .with_attr("resolve_conflicts_on_update", "OVERWRITE".into());
    let updated = world.update(kind, &made, &wanted).await;
    for name in ["addon_version", "configuration_values", "tags_all", "resolve_conflicts_on_update"] {
        assert_eq!(updated.get(name), wanted.get(name), "{name}");
    }
    assert_eq!(world.read(kind, &updated).await.unwrap(), updated);
    let planned = world.planned(kind, &arguments);
    assert!(matches!(world.find(kind, planned, Operation::Create).await, Found::Ours(_)));
    assert_eq!(world.import(kind, &text(&made, "id")).await.unwrap().get("arn"), made.get("arn"));
    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn audiences_of_an_openid_connect_provider_change_in_place() {
    let Some(world) = World::open_in("us-east-1").await else { return };
    let kind = find_type("aws_iam_openid_connect_provider");
    let audiences = |ids: &[&str]| set(&ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    let url = format!("oidc.example.com/id/{}", world.name("audiences"));
    let arguments = [("url", url.into()), ("client_id_list", audiences(&["sts.amazonaws.com", "old"]))];
    let made = world.create(kind, &arguments).await;
    let wanted = made.with_attr("client_id_list", audiences(&["sts.amazonaws.com", "new"]));
    let updated = world.update(kind, &made, &wanted).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), wanted);
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn a_token_names_the_sts_that_the_cluster_calls() {
    let Ok(endpoint) = std::env::var("SGP_TEST_AWS_ENDPOINT") else { return };
    let eks = sgp_aws::AwsEks::default();
    eks.use_client(world::client(&[("endpoints", world::endpoints(&endpoint))]).await.unwrap());
    let token = eks.token("demo").await.unwrap().token;
    let encoded = token.strip_prefix("k8s-aws-v1.").unwrap();
    let url = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, encoded).unwrap();
    let url = url::Url::parse(std::str::from_utf8(&url).unwrap()).unwrap();
    assert_eq!(url.host_str(), Some("sts.eu-central-1.amazonaws.com"));

    assert!(eks.cluster("nobody").await.unwrap().is_none());
    assert!(eks.addon("nobody", "vpc-cni").await.unwrap().is_none());
    eks.delete_addon("nobody", "vpc-cni", false).await.unwrap();
}

/// What the Kubernetes provider does with a cluster.
async fn cluster_is_reached(endpoint: &str, cluster: &str, vpc: &str) {
    let eks = sgp_aws::AwsEks::default();
    let fields = [("endpoints", world::endpoints(endpoint)), ("region", "us-east-1".into())];
    eks.use_client(world::client(&fields).await.unwrap());
    let access = eks.cluster(cluster).await.unwrap().unwrap();
    assert_eq!((access.name.as_str(), access.status.as_str()), (cluster, "ACTIVE"));
    assert!(access.endpoint.starts_with("https://") && !access.ca_pem.is_empty(), "{access:?}");
    assert_eq!(eks.security_group_ids(cluster, vpc, &["default".into()]).await.unwrap().len(), 1);
    let missing = eks.security_group_ids(cluster, vpc, &["nobody".into()]).await.unwrap_err();
    assert_eq!(missing.summary, "Security group name does not resolve");

    let change = |values: &str, token: &str| AddonChange {
        configuration_values: values.into(),
        token: token.into(),
        ..AddonChange::default()
    };
    for (values, token) in
        [(r#"{"env":{"ENABLE_POD_ENI":"true"}}"#, "one"), (r#"{"env":{"ENABLE_POD_ENI":"false"}}"#, "two")]
    {
        eks.put_addon(cluster, "vpc-cni", change(values, &format!("{token}-{cluster}"))).await.unwrap();
        assert_eq!(eks.addon(cluster, "vpc-cni").await.unwrap().unwrap().configuration_values, values);
    }
    eks.delete_addon(cluster, "vpc-cni", false).await.unwrap();
    while eks.addon(cluster, "vpc-cni").await.unwrap().is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
