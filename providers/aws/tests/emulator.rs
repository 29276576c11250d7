//! The EC2 types against an emulator of EC2, when `SGP_TEST_AWS_ENDPOINT` names one (moto serves it).
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use sgp_contract::{Found, ReadOutcome};
use sgp_model::{Type, Value, state::Operation};
use world::{World, find_data, find_type, object, strings, tags};

#[tokio::test]
async fn a_security_group_lives() {
    let Some(world) = World::open().await else { return };
    let kind = find_type("aws_security_group");
    let vpc = world.vpc().await;
    let name = world.name("group");
    let arguments = [("name", name.clone().into()), ("vpc_id", vpc.clone().into()), ("tags", tags(&[("team", "net")]))];
    let made = world.create(kind, &arguments).await;
    let id = made.get("id").unwrap().as_str().unwrap().to_owned();
    assert!(id.starts_with("sg-"));
    assert_eq!(made.get("egress").unwrap().elements().unwrap().len(), 0, "the default rule is taken away");
    assert_eq!(made.get("description").unwrap().as_str(), Some("Managed by Terraform"));
    assert_eq!(made.get("tags_all").unwrap(), &tags(&[("env", "test"), ("team", "net")]));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);

    // Inline rules: two sources in one block, then one of them, another description, and a new rule.
    let rule = |cidrs: &[&str], description: &str| {
        object(
            kind.schema().block.blocks["ingress"].block.empty(),
            &[
                ("protocol", "TCP".into()),
                ("from_port", Value::int(443)),
                ("to_port", Value::int(443)),
                ("cidr_blocks", strings(cidrs)),
                ("ipv6_cidr_blocks", strings(&[])),
                ("prefix_list_ids", strings(&[])),
                ("security_groups", Value::set(Type::String, [])),
                ("self", false.into()),
                ("description", description.into()),
            ],
        )
    };
    let rules = |list: Vec<Value>| Value::set(list[0].ty(), list);
    let with_rules = made.with_attr("ingress", rules(vec![rule(&["10.0.0.0/16", "10.1.0.0/16"], "a")]));
    let updated = world.update(kind, &made, &with_rules).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), with_rules);
    let fewer = updated
        .with_attr("ingress", rules(vec![rule(&["10.0.0.0/16"], "b")]))
        .with_attr("tags", tags(&[("team", "db"), ("x", "y")]))
        .with_attr("tags_all", tags(&[("env", "test"), ("team", "db"), ("x", "y")]));
    let updated = world.update(kind, &updated, &fewer).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), fewer);

    // The same name again is refused, with the id of the one that is there.
    let refused = world.try_create(kind, &arguments).await;
    let said = &refused.diagnostics.0[0];
    assert_eq!(said.summary, "Security group already exists");
    assert!(said.detail.contains(&id), "{}", said.detail);

    // Import reads the same; the search for a lost creation finds it, and doubts another description.
    let imported = world.import(kind, &id).await.unwrap();
    assert_eq!(imported.get("name").unwrap().as_str(), Some(name.as_str()));
    let attributes = world.planned(
        kind,
        &[("name", name.clone().into()), ("vpc_id", vpc.into()), ("tags", tags(&[("team", "db"), ("x", "y")]))],
    );
    assert!(matches!(world.find(kind, attributes.clone(), Operation::Create).await, Found::Ours(_)));
    let other = attributes.with_attr("description", "another".into());
    assert!(matches!(world.find(kind, other, Operation::Create).await, Found::Doubtful(_)));
    let unknown = attributes.with_attr("name", world.name("nobody").into());
    assert!(matches!(world.find(kind, unknown, Operation::Create).await, Found::Nothing));

    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn a_group_without_name_gets_one() {
    let Some(world) = World::open().await else { return };
    let kind = find_type("aws_security_group");
    let vpc = world.vpc().await;
    let made = world.create(kind, &[("name_prefix", "web-".into()), ("vpc_id", vpc.into())]).await;
    assert!(made.get("name").unwrap().as_str().unwrap().starts_with("web-"), "{made:?}");
    let again = made.with_attr("revoke_rules_on_delete", true.into());
    world.delete(kind, &again).await;
}

#[tokio::test]
async fn rules_live() {
    let Some(world) = World::open().await else { return };
    let vpc = world.vpc().await;
    let group_type = find_type("aws_security_group");
    let [a, b] = [
        world.create(group_type, &[("name", world.name("a").into()), ("vpc_id", vpc.clone().into())]).await,
        world.create(group_type, &[("name", world.name("b").into()), ("vpc_id", vpc.clone().into())]).await,
    ];
    let id = |group: &Value| group.get("id").unwrap().clone();
    for name in ["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"] {
        let kind = find_type(name);
        for other_side in [
            vec![("cidr_ipv4", Value::from("10.0.0.0/16"))],
            vec![("cidr_ipv6", "2001:db8::/32".into())],
            vec![("referenced_security_group_id", id(&b))],
            vec![("referenced_security_group_id", id(&a)), ("description", "own".into())],
        ] {
            let mut arguments = vec![
                ("security_group_id", id(&a)),
                ("ip_protocol", "6".into()),
                ("from_port", Value::int(80)),
                ("to_port", Value::int(81)),
                ("tags", tags(&[("k", "v")])),
            ];
            arguments.extend(other_side);
            let made = world.create(kind, &arguments).await;
            assert_eq!(world.read(kind, &made).await.unwrap(), made, "{name}");
            let refused = world.try_create(kind, &arguments).await;
            assert_eq!(refused.diagnostics.0[0].summary, "Rule already exists");
            let found = world.find(kind, world.planned(kind, &arguments), Operation::Create).await;
            assert!(matches!(found, Found::Ours(v) if v.get("id") == made.get("id")));
            let changed = made
                .with_attr("from_port", Value::int(443))
                .with_attr("to_port", Value::int(443))
                .with_attr("description", "changed".into())
                .with_attr("tags", tags(&[("k", "w")]))
                .with_attr("tags_all", tags(&[("env", "test"), ("k", "w")]));
            let updated = world.update(kind, &made, &changed).await;
            assert_eq!(world.read(kind, &updated).await.unwrap(), changed, "{name}");
            let imported = world.import(kind, made.get("id").unwrap().as_str().unwrap()).await.unwrap();
            assert_eq!(imported.with_attr("ip_protocol", "6".into()), changed, "{name}");
            world.delete(kind, &updated).await;
            assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
            world.delete(kind, &updated).await;
        }
        let all = [("security_group_id", id(&a)), ("ip_protocol", "-1".into()), ("cidr_ipv4", "10.9.0.0/16".into())];
        let made = world.create(kind, &all).await;
        assert_eq!(world.read(kind, &made).await.unwrap(), made, "{name}");
        let made = world.update(kind, &made, &made.with_attr("description", "all".into())).await;
        assert_eq!(world.read(kind, &made).await.unwrap(), made, "{name}");
        world.delete(kind, &made).await;
    }
    world.delete(group_type, &a).await;
    world.delete(group_type, &b).await;
}

#[tokio::test]
async fn many_rules_are_read_in_a_few_pages() {
    let Some(world) = World::open().await else { return };
    let vpc = world.vpc().await;
    let group_type = find_type("aws_security_group");
    let group = world.create(group_type, &[("name", world.name("many").into()), ("vpc_id", vpc.into())]).await;
    let kind = find_type("aws_vpc_security_group_ingress_rule");
    let mut made = Vec::new();
    for port in 1..=30 {
        let arguments = [
            ("security_group_id", group.get("id").unwrap().clone()),
            ("ip_protocol", "tcp".into()),
            ("from_port", Value::int(port)),
            ("to_port", Value::int(port)),
            ("cidr_ipv4", "10.0.0.0/8".into()),
        ];
        made.push(world.create(kind, &arguments).await);
    }
    // More than fit a filter, so that they are asked for by group; one of them is not there.
    let mut wanted: Vec<Value> = made.iter().cycle().take(300).cloned().collect();
    wanted.push(made[0].with_attr("id", "sgr-00000000000000000".into()));
    let outcomes = world.read_all(kind, &wanted).await;
    for (outcome, prior) in outcomes.iter().zip(&wanted).take(300) {
        assert!(matches!(outcome, ReadOutcome::Present(v) if v == prior));
    }
    assert!(matches!(outcomes[300], ReadOutcome::Gone));
    world.delete(group_type, &group.with_attr("revoke_rules_on_delete", true.into())).await;
}

#[tokio::test]
async fn a_launch_template_lives() {
    let Some(world) = World::open().await else { return };
    let kind = find_type("aws_launch_template");
    let block = |name: &str, fields: &[(&str, Value)]| {
        let inner = object(kind.schema().block.blocks[name].block.empty(), fields);
        Value::list(inner.ty(), vec![inner])
    };
    let arguments = [
        ("name_prefix", world.name("nodes-").into()),
        ("instance_type", "m5.large".into()),
        ("update_default_version", true.into()),
        (
            "metadata_options",
            block(
                "metadata_options",
                &[("http_tokens", "required".into()), ("http_put_response_hop_limit", Value::int(2))],
            ),
        ),
        (
            "tag_specifications",
            block("tag_specifications", &[("resource_type", "instance".into()), ("tags", tags(&[("a", "b")]))]),
        ),
        ("tags", tags(&[("k", "v")])),
    ];
    let made = world.create(kind, &arguments).await;
    assert_eq!(made.get("latest_version").unwrap().as_i64(), Some(1));
    assert_eq!(made.get("default_version").unwrap().as_i64(), Some(1));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let changed = made
        .with_attr("instance_type", "m5.xlarge".into())
        .with_attr("latest_version", Value::unknown(Type::Number))
        .with_attr("default_version", Value::unknown(Type::Number));
    let updated = world.update(kind, &made, &changed).await;
    assert_eq!(updated.get("latest_version").unwrap().as_i64(), Some(2));
    assert_eq!(updated.get("default_version").unwrap().as_i64(), Some(2));
    assert_eq!(world.read(kind, &updated).await.unwrap(), updated);
    let imported = world.import(kind, made.get("id").unwrap().as_str().unwrap()).await.unwrap();
    assert_eq!(imported.get("instance_type").unwrap().as_str(), Some("m5.xlarge"));
    let mut named = arguments.to_vec();
    named[0] = ("name", made.get("name").unwrap().clone());
    assert!(matches!(world.find(kind, world.planned(kind, &named), Operation::Create).await, Found::Ours(_)));
    assert_eq!(world.try_create(kind, &named).await.diagnostics.0[0].summary, "Launch template already exists");
    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn data_sources_answer() {
    let Some(world) = World::open().await else { return };
    let vpc = world.vpc().await;
    let read = async |name: &str, arguments: &[(&str, Value)]| world.data(find_data(name), arguments).await;
    let found = read("aws_vpc", &[("id", vpc.clone().into())]).await.unwrap();
    assert_eq!(found.get("enable_dns_support").unwrap().as_bool(), Some(true));
    assert!(found.get("main_route_table_id").unwrap().as_str().is_some());
    assert_eq!(read("aws_vpc", &[("id", "vpc-00000000".into())]).await.unwrap_err().0[0].summary, "No matching VPC");
    let filter = Value::object([("name", "vpc-id".into()), ("values", Value::set(Type::String, [vpc.clone().into()]))]);
    let filter = Value::set(filter.ty(), [filter]);
    let listed = read("aws_subnets", &[("filter", filter.clone())]).await.unwrap();
    let ids = listed.get("ids").unwrap().str_elements().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert!(ids.len() > 1, "{listed:?}");
    let subnet = read("aws_subnet", &[("id", ids[0].clone().into())]).await.unwrap();
    assert_eq!(subnet.get("vpc_id").unwrap().as_str(), Some(vpc.as_str()));
    let several = read("aws_subnet", &[("filter", filter)]).await.unwrap_err();
    assert_eq!(several.0[0].summary, "Several matching subnets");
    let group =
        read("aws_security_group", &[("name", "default".into()), ("vpc_id", vpc.clone().into())]).await.unwrap();
    assert!(group.get("arn").unwrap().as_str().unwrap().starts_with("arn:aws:ec2:"));
    let who = read("aws_caller_identity", &[]).await.unwrap();
    assert_eq!(who.get("account_id").unwrap().as_str().unwrap().len(), 12);
    assert_eq!(read("aws_region", &[]).await.unwrap().get("description").unwrap().as_str(), Some("Europe (Frankfurt)"));
    assert_eq!(read("aws_partition", &[]).await.unwrap().get("partition").unwrap().as_str(), Some("aws"));
}

/// The call is served and its answer lost; the SDK repeats it and is told that the name is taken.
#[tokio::test]
async fn a_lost_answer_makes_no_second_object() {
    let Some((world, proxy)) = World::behind_proxy().await else { return };
    let vpc = world.vpc().await;
    let group_type = find_type("aws_security_group");
    proxy.lose("CreateSecurityGroup");
    let group = world.create(group_type, &[("name", world.name("lost").into()), ("vpc_id", vpc.into())]).await;
    assert_eq!(proxy.calls("CreateSecurityGroup"), 2);
    let rule_type = find_type("aws_vpc_security_group_ingress_rule");
    proxy.lose("AuthorizeSecurityGroupIngress");
    let arguments = [
        ("security_group_id", group.get("id").unwrap().clone()),
        ("ip_protocol", "-1".into()),
        ("referenced_security_group_id", group.get("id").unwrap().clone()),
    ];
    let rule = world.create(rule_type, &arguments).await;
    assert_eq!(world.read(rule_type, &rule).await.unwrap(), rule);
    let template_type = find_type("aws_launch_template");
    proxy.lose("CreateLaunchTemplate");
    let template = world.create(template_type, &[("name", world.name("lost").into())]).await;
    assert_eq!(world.read(template_type, &template).await.unwrap(), template);
    for (kind, object) in [(rule_type, rule), (template_type, template), (group_type, group)] {
        world.delete(kind, &object).await;
    }
}

#[tokio::test]
async fn throttling_is_waited_for() {
    let Some((world, proxy)) = World::behind_proxy().await else { return };
    let vpc = world.vpc().await;
    let kind = find_type("aws_security_group");
    proxy.throttle("CreateSecurityGroup", 2);
    let start = std::time::Instant::now();
    let group = world.create(kind, &[("name", world.name("busy").into()), ("vpc_id", vpc.into())]).await;
    assert_eq!(proxy.calls("CreateSecurityGroup"), 3);
    let created = start.elapsed();
    for _ in 0..20 {
        world.read(kind, &group).await.unwrap();
    }
    assert!(
        start.elapsed() < std::time::Duration::from_secs(30),
        "created in {created:?}, all in {:?}",
        start.elapsed()
    );
    world.delete(kind, &group).await;
}

#[tokio::test]
async fn a_refresh_costs_pages() {
    let Some((world, proxy)) = World::behind_proxy().await else { return };
    let vpc = world.vpc().await;
    let group_type = find_type("aws_security_group");
    let group = world.create(group_type, &[("name", world.name("pages").into()), ("vpc_id", vpc.into())]).await;
    let before = proxy.calls("DescribeSecurityGroups");
    let groups: Vec<Value> =
        (0..300).map(|i| group.with_attr("id", format!("sg-{i:017x}").into())).chain([group.clone()]).collect();
    let outcomes = world.read_all(group_type, &groups).await;
    assert_eq!(outcomes.iter().filter(|o| matches!(o, ReadOutcome::Present(_))).count(), 1);
    assert_eq!(proxy.calls("DescribeSecurityGroups") - before, 2);
    let rule_type = find_type("aws_vpc_security_group_egress_rule");
    let rules: Vec<Value> = (0..2000)
        .map(|i| {
            Value::object([
                ("id", Value::from(format!("sgr-{i:017x}"))),
                ("security_group_id", format!("sg-{:017x}", i / 10).into()),
            ])
        })
        .collect();
    assert_eq!(world.read_all(rule_type, &rules).await.len(), 2000);
    assert_eq!(proxy.calls("DescribeSecurityGroupRules"), 1);
    world.delete(group_type, &group).await;
}

#[tokio::test]
async fn an_unreachable_endpoint_is_told_soon() {
    let client = world::client(&[("endpoints", world::endpoints("http://127.0.0.1:9"))]).await.unwrap();
    let start = std::time::Instant::now();
    let outcome = world::data(&*client, find_data("aws_caller_identity"), &[]).await.unwrap_err();
    assert_eq!(outcome.0[0].summary, "sts:GetCallerIdentity did not reach AWS");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
