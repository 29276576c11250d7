//! The IAM types against an emulator of IAM, when SGP_TEST_AWS_ENDPOINT names one (moto serves it).
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use sgp_contract::{Found, ReadOutcome};
use sgp_model::{Value, state::Operation};
use world::{World, find_type, strings, tags};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const OTHER_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn allowing(action: &str) -> Value {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#)
        .into()
}

fn text(object: &Value, name: &str) -> String {
    object.get(name).unwrap().as_str().unwrap().to_owned()
}

/// What the planner makes of new tags.
fn with_tags(object: &Value, own: &[(&str, &str)]) -> Value {
    let all: Vec<_> = [("env", "test")].into_iter().chain(own.iter().copied()).collect();
    object.with_attr("tags", tags(own)).with_attr("tags_all", tags(&all))
}

#[tokio::test]
async fn a_role_lives() {
    let Some(world) = World::open().await else { return };
    let kind = find_type("aws_iam_role");
    let name = world.name("role");
    let arguments = [
        ("name", name.clone().into()),
        ("assume_role_policy", TRUST.into()),
        ("description", "of the cluster".into()),
        ("path", "/app/".into()),
        ("max_session_duration", Value::int(7200)),
        ("tags", tags(&[("team", "net")])),
    ];
    let made = world.create(kind, &arguments).await;
    assert!(text(&made, "arn").ends_with(&format!(":role/app/{name}")));
    assert_eq!(text(&made, "id"), name);
    assert_eq!(made.get("tags_all").unwrap(), &tags(&[("env", "test"), ("team", "net")]));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);

    let boundary = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    let wanted = with_tags(&made, &[("x", "y")])
        .with_attr("assume_role_policy", OTHER_TRUST.into())
        .with_attr("description", "of the nodes".into())
        .with_attr("max_session_duration", Value::int(3600))
        .with_attr("permissions_boundary", boundary.into());
    let updated = world.update(kind, &made, &wanted).await;
    assert_eq!(updated, wanted);
    assert_eq!(world.read(kind, &updated).await.unwrap(), wanted);
    let wanted = updated.with_attr("permissions_boundary", Value::null(sgp_model::Type::String));
    let updated = world.update(kind, &updated, &wanted).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), wanted);

    let imported = world.import(kind, &name).await.unwrap();
    assert_eq!(text(&imported, "arn"), text(&made, "arn"));
    let planned = world.planned(kind, &arguments);
    assert!(matches!(world.find(kind, planned.clone(), Operation::Create).await, Found::Ours(_)));
    let nobody = planned.with_attr("name", world.name("nobody").into());
    assert!(matches!(world.find(kind, nobody, Operation::Create).await, Found::Nothing));

    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn a_role_goes_with_its_policies_only_when_told() {
    let Some(world) = World::open().await else { return };
    let (role, inline, attachment) =
        (find_type("aws_iam_role"), find_type("aws_iam_role_policy"), find_type("aws_iam_role_policy_attachment"));
    let made = world.create(role, &[("name_prefix", "role-".into()), ("assume_role_policy", TRUST.into())]).await;
    let name = text(&made, "name");
    assert!(name.starts_with("role-"));
    let arn = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController";
    let attached = world.create(attachment, &[("role", name.clone().into()), ("policy_arn", arn.into())]).await;
    assert_eq!(text(&attached, "id"), format!("{name}/{arn}"));
    let policy = world
        .create(inline, &[("role", name.clone().into()), ("name", "own".into()), ("policy", allowing("s3:GetObject"))])
        .await;
    assert_eq!(text(&policy, "id"), format!("{name}:own"));

    let refused = world.try_delete(role, &made).await;
    let said = &refused.diagnostics.0[0];
    assert_eq!(said.summary, "IAM role still has policies");
    assert!(said.detail.contains(arn) && said.detail.contains("inline policies: own"), "{}", said.detail);
    assert_eq!(refused.object.as_ref(), Some(&made));

    let forced = made.with_attr("force_detach_policies", true.into());
    world.delete(role, &forced).await;
    for (kind, object) in [(role, &made), (attachment, &attached), (inline, &policy)] {
        assert!(matches!(world.outcome(kind, object).await, ReadOutcome::Gone));
        world.delete(kind, object).await;
    }
}

#[tokio::test]
async fn an_inline_policy_lives() {
    let Some(world) = World::open().await else { return };
    let (role, kind) = (find_type("aws_iam_role"), find_type("aws_iam_role_policy"));
    let owner =
        world.create(role, &[("name", world.name("inline").into()), ("assume_role_policy", TRUST.into())]).await;
    let arguments = [("role", text(&owner, "name").into()), ("policy", allowing("s3:GetObject"))];
    let made = world.create(kind, &arguments).await;
    assert!(text(&made, "name").starts_with("terraform-"));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let wanted = made.with_attr("policy", allowing("s3:PutObject"));
    let updated = world.update(kind, &made, &wanted).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), wanted);
    assert_eq!(world.import(kind, &text(&made, "id")).await.unwrap().get("policy"), wanted.get("policy"));
    assert!(matches!(world.find(kind, wanted.clone(), Operation::Create).await, Found::Ours(_)));
    assert!(matches!(world.find(kind, made, Operation::Create).await, Found::Doubtful(_)));
    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(role, &owner).await;
}

#[tokio::test]
async fn a_managed_policy_lives() {
    let Some(world) = World::open().await else { return };
    let (role, attachment, kind) =
        (find_type("aws_iam_role"), find_type("aws_iam_role_policy_attachment"), find_type("aws_iam_policy"));
    let name = world.name("policy");
    let arguments = [
        ("name", name.clone().into()),
        ("policy", allowing("s3:GetObject")),
        ("description", "reads".into()),
        ("tags", tags(&[("team", "net")])),
    ];
    let made = world.create(kind, &arguments).await;
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let arn = text(&made, "arn");

    // More versions than IAM keeps: the oldest ones make room.
    let mut now = made.clone();
    for i in 0..7 {
        let wanted = with_tags(&now.with_attr("policy", allowing(&format!("s3:Get{i}"))), &[("n", &i.to_string())]);
        now = world.update(kind, &now, &wanted).await;
        assert_eq!(world.read(kind, &now).await.unwrap(), wanted);
    }
    assert_eq!(text(&world.import(kind, &arn).await.unwrap(), "description"), "reads");
    let planned = world.planned(kind, &arguments);
    assert!(matches!(world.find(kind, planned.clone(), Operation::Create).await, Found::Ours(_)));
    let nobody = planned.with_attr("name", world.name("nobody").into());
    assert!(matches!(world.find(kind, nobody, Operation::Create).await, Found::Nothing));

    let owner = world.create(role, &[("name", world.name("user").into()), ("assume_role_policy", TRUST.into())]).await;
    let attached = [("role", text(&owner, "name").into()), ("policy_arn", arn.clone().into())];
    let attached = world.create(attachment, &attached).await;
    assert_eq!(world.read(attachment, &attached).await.unwrap(), attached);
    assert!(matches!(world.find(attachment, attached.clone(), Operation::Create).await, Found::Ours(_)));
    let imported = world.import(attachment, &text(&attached, "id")).await.unwrap();
    assert_eq!(imported, attached);
    world.delete(attachment, &attached).await;
    assert!(matches!(world.find(attachment, attached, Operation::Create).await, Found::Nothing));
    world.delete(role, &owner).await;

    world.delete(kind, &now).await;
    assert!(matches!(world.outcome(kind, &now).await, ReadOutcome::Gone));
    world.delete(kind, &now).await;
}

#[tokio::test]
async fn an_openid_connect_provider_lives() {
    let Some(world) = World::open().await else { return };
    let kind = find_type("aws_iam_openid_connect_provider");
    let url = format!("oidc.example.com/id/{}", world.name("x"));
    let thumbprints = strings(&["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]);
    let arguments = [
        ("url", url.clone().into()),
        ("client_id_list", Value::set(sgp_model::Type::String, ["sts.amazonaws.com".into()])),
        ("thumbprint_list", thumbprints),
        ("tags", tags(&[("team", "net")])),
    ];
    let made = world.create(kind, &arguments).await;
    assert!(text(&made, "arn").ends_with(&format!(":oidc-provider/{url}")));
    assert_eq!(world.read(kind, &made).await.unwrap(), made);
    let wanted = with_tags(&made, &[("x", "y")])
        .with_attr("thumbprint_list", strings(&["0000a48a9960b14926bb7f3b02e22da2b0ab7280"]));
    let updated = world.update(kind, &made, &wanted).await;
    assert_eq!(world.read(kind, &updated).await.unwrap(), wanted);
    assert_eq!(world.import(kind, &text(&made, "arn")).await.unwrap().get("tags_all"), wanted.get("tags_all"));
    let planned = world.planned(kind, &[("url", format!("https://{url}").into())]);
    assert_eq!(text(&planned, "url"), url);
    assert!(matches!(world.find(kind, planned, Operation::Create).await, Found::Ours(_)));
    world.delete(kind, &updated).await;
    assert!(matches!(world.outcome(kind, &updated).await, ReadOutcome::Gone));
    world.delete(kind, &updated).await;
}

#[tokio::test]
async fn many_objects_are_read_in_a_few_calls() {
    let Some((world, proxy)) = World::behind_proxy().await else { return };
    let [role, policy, inline, attachment] =
        ["aws_iam_role", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment"].map(find_type);
    let [mut roles, mut policies, mut inlines, mut attachments] = [const { Vec::new() }; 4];
    for i in 0..6 {
        let own = [
            ("name", world.name(&format!("many{i}")).into()),
            ("assume_role_policy", TRUST.into()),
            ("description", format!("number {i}").into()),
            ("max_session_duration", Value::int(3600 + i)),
        ];
        roles.push(world.create(role, &own).await);
        let name = text(&roles[roles.len() - 1], "name");
        let own = [
            ("name", world.name(&format!("many{i}")).into()),
            ("policy", allowing("s3:GetObject")),
            ("description", format!("number {i}").into()),
        ];
        // One of them has tags of its own; the listing knows no tags of policies, so they are asked for those that have some.
        policies.push(world.create(policy, &own).await);
        let arn = text(&policies[policies.len() - 1], "arn");
        attachments.push(world.create(attachment, &[("role", name.clone().into()), ("policy_arn", arn.into())]).await);
        let own = [("role", name.into()), ("name", "own".into()), ("policy", allowing("s3:List*"))];
        inlines.push(world.create(inline, &own).await);
    }
    let before = proxy.total();
    let read = world.read_many(&[(role, &roles), (inline, &inlines), (attachment, &attachments)]).await;
    for (objects, read) in [&roles, &inlines, &attachments].into_iter().zip(read) {
        assert_eq!(&read, objects);
    }
    assert_eq!(proxy.total() - before, 2, "the details of all roles, and their descriptions");
    let before = proxy.total();
    for (made, read) in policies.iter().zip(world.read_many(&[(policy, &policies)]).await.remove(0)) {
        assert_eq!(&read, &made.with_attr("attachment_count", Value::int(1)));
    }
    assert_eq!(
        proxy.total() - before,
        1 + policies.len(),
        "the listing, and the tags of each (all have the default ones)"
    );

    // Of what is imported nothing is recorded, so that the listing is not enough.
    let bare = |made: &Value| policy.schema().block.empty().with_attr("arn", made.get("arn").unwrap().clone());
    let imported = world.read_all(policy, &policies.iter().map(bare).collect::<Vec<_>>()).await;
    for (made, outcome) in policies.iter().zip(imported) {
        let ReadOutcome::Present(imported) = outcome else { panic!("{outcome:?}") };
        for name in ["description", "name", "tags_all"] {
            assert_eq!(imported.get(name), made.get(name), "{name}");
        }
    }

    // What the listing does not hold is asked by name before it counts as gone.
    for (kind, objects) in [(inline, &inlines), (attachment, &attachments), (role, &roles), (policy, &policies)] {
        for object in objects {
            world.delete(kind, object).await;
        }
        assert!(world.read_all(kind, objects).await.iter().all(|o| matches!(o, ReadOutcome::Gone)));
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_made_once() {
    let Some((world, proxy)) = World::behind_proxy().await else { return };
    let role = find_type("aws_iam_role");
    proxy.lose("CreateRole");
    let made = world.create(role, &[("name", world.name("lost").into()), ("assume_role_policy", TRUST.into())]).await;
    assert!(proxy.calls("CreateRole") >= 2);
    world.delete(role, &made).await;
    let policy = find_type("aws_iam_policy");
    proxy.lose("CreatePolicy");
    let made = world.create(policy, &[("name", world.name("lost").into()), ("policy", allowing("s3:GetObject"))]).await;
    assert!(proxy.calls("CreatePolicy") >= 2);
    world.delete(policy, &made).await;
}
