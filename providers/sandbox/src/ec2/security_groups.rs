//! Security groups: the rows, and what makes, finds and deletes them. Rules are in [`super::rules`].

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, invalid};
use super::kinds::{Kind, kind};
use super::rules::{self, Peer, Rule, Spec};
use super::tags::{self, Tags};
use super::{arn, vpcs};
use crate::aws::{Answer, ApiError, Call, Operation, Params};
use crate::store::table::Table;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateSecurityGroup", run: create_security_group },
    Operation { name: "DeleteSecurityGroup", run: delete_security_group },
    Operation { name: "DescribeSecurityGroups", run: describe_security_groups },
];

/// Security groups as a kind.
pub static KIND: Kind = kind!(
    security_groups,
    "sg",
    "security-group",
    "security group",
    "InvalidGroup.NotFound",
    "InvalidGroupId.Malformed"
);

/// Groups in a region. AWS's default is 2,500 and it raises it on request (VPC user guide, "Amazon VPC quotas").
const GROUPS_MAX: usize = 10_000;

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `sg-...`.
    pub id: String,
    /// Unique in its VPC, whatever the case.
    pub name: String,
    /// For people.
    pub description: String,
    /// The VPC it was made in.
    pub vpc_id: String,
    /// Its tags.
    pub tags: Tags,
}

impl SecurityGroup {
    /// Whether it came with its VPC.
    pub fn is_default(&self) -> bool {
        self.name == "default"
    }
}

/// A table of groups, by `group-id=`, `vpc-id=`, `group-name=`, `description=`, `name=VPC/NAME` and `tag:KEY=`.
pub fn table() -> Table<SecurityGroup> {
    Table::indexed("ec2.security-groups", |group| {
        let mut keys = vec![
            format!("group-id={}", group.id),
            format!("vpc-id={}", group.vpc_id),
            format!("group-name={}", group.name),
            format!("description={}", group.description),
            name_key(&group.vpc_id, &group.name),
        ];
        keys.extend(group.tags.iter().map(|(key, value)| format!("tag:{key}={value}")));
        keys
    })
}

fn name_key(vpc_id: &str, name: &str) -> String {
    format!("name={vpc_id}/{}", name.to_lowercase())
}

/// What a new group is made from.
#[derive(Clone, Debug, Default)]
pub struct New {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its tags.
    pub tags: Tags,
}

/// Makes a group with the rule that lets everything out, and answers its id.
///
/// # Errors
/// `InvalidVpcID.NotFound`, `InvalidParameterValue` for a name or description that is not one, `InvalidGroup.Duplicate`,
/// `SecurityGroupLimitExceeded`.
pub fn create(world: &mut World, new: New) -> Result<String, ApiError> {
    check_name(&new.name)?;
    check_description(&new.description)?;
    vpcs::find(world, &new.vpc_id)?;
    let New { name, vpc_id, .. } = &new;
    if name.eq_ignore_ascii_case("default") {
        let why = "Cannot use reserved security group name: default";
        return Err(ApiError::new("InvalidParameterValue", why));
    }
    if world.ec2.security_groups.count(&name_key(vpc_id, name)) > 0 {
        let message = format!("The security group '{name}' already exists for VPC '{vpc_id}'");
        return Err(ApiError::new("InvalidGroup.Duplicate", message));
    }
    if world.ec2.security_groups.len() >= GROUPS_MAX {
        let message = "The maximum number of security groups has been reached.";
        return Err(ApiError::new("SecurityGroupLimitExceeded", message));
    }
    Ok(insert(world, new))
}

/// Makes the group that a new VPC has: everything in from itself, everything out.
pub fn create_default(world: &mut World, vpc_id: &str) -> String {
    let new = New {
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc_id: vpc_id.to_owned(),
        tags: Tags::new(),
    };
    let id = insert(world, new);
    let user_id = world.settings.account.clone();
    let itself = Peer::Group { group_id: id.clone(), user_id, vpc_id: vpc_id.to_owned(), peering_id: None };
    rules::insert(world, &id, false, Spec::everything(itself), None, Tags::new());
    id
}

/// The default group of a VPC.
pub fn default_of<'a>(world: &'a World, vpc_id: &str) -> Option<&'a SecurityGroup> {
    world.ec2.security_groups.with(&name_key(vpc_id, "default")).map(|(_, group)| group).next()
}

/// Removes the default group with its VPC, its rules too.
pub fn delete_default(world: &mut World, vpc_id: &str) {
    if let Some(id) = default_of(world, vpc_id).map(|group| group.id.clone()) {
        remove(world, &id);
    }
}

/// Whether the VPC has groups besides its default one, which keep it from being deleted.
pub fn any_besides_default(world: &World, vpc_id: &str) -> bool {
    world.ec2.security_groups.with(&format!("vpc-id={vpc_id}")).any(|(_, group)| !group.is_default())
}

fn insert(world: &mut World, new: New) -> String {
    let New { name, description, vpc_id, tags } = new;
    let id = world.ids.ec2("sg");
    let has_ipv6 = world.ec2.vpcs.get(&vpc_id).is_some_and(|vpc| !vpc.ipv6_blocks.is_empty());
    world.ec2.security_groups.insert(&id, SecurityGroup { id: id.clone(), name, description, vpc_id, tags });
    rules::insert(world, &id, true, Spec::everything(Peer::anywhere_ipv4()), None, Tags::new());
    if has_ipv6 {
        rules::insert(world, &id, true, Spec::everything(Peer::anywhere_ipv6()), None, Tags::new());
    }
    id
}

/// Deletes a group and its rules.
///
/// # Errors
/// `InvalidGroup.NotFound`, `CannotDelete` for a default group, `DependencyViolation` when an interface has it, a rule of
/// another group of its VPC names it, or it is associated with another VPC.
pub fn delete(world: &mut World, id: &str) -> Result<(), ApiError> {
    let group = find(world, id)?;
    if group.is_default() {
        let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(ApiError::new("CannotDelete", message));
    }
    let vpc_of = |other: &str| world.ec2.security_groups.get(other).map(|other| other.vpc_id.as_str());
    let is_named = world
        .ec2
        .rules
        .with(&format!("referenced-group-id={id}"))
        .any(|(_, rule)| rule.group_id != id && vpc_of(&rule.group_id) == Some(&group.vpc_id));
    let is_carried = world.ec2.interfaces.count(&format!("group-id={id}")) > 0;
    let is_associated = world.ec2.group_associations.count(&format!("group-id={id}")) > 0;
    if is_named || is_carried || is_associated {
        return Err(ApiError::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    remove(world, id);
    Ok(())
}

fn remove(world: &mut World, id: &str) {
    let rules: Vec<String> = world.ec2.rules.with(&format!("group-id={id}")).map(|(rule, _)| rule.to_owned()).collect();
    for rule in rules {
        world.ec2.rules.remove(&rule);
    }
    world.ec2.security_groups.remove(id);
}

/// A group.
///
/// # Errors
/// `InvalidGroupId.Malformed`, `InvalidGroup.NotFound`.
pub fn find<'a>(world: &'a World, id: &str) -> Result<&'a SecurityGroup, ApiError> {
    KIND.found(id, world.ec2.security_groups.get(id))
}

/// The group that `GroupId` names, or `GroupName` in the default VPC.
///
/// # Errors
/// `MissingParameter`, and what [`find`] and [`named`] refuse.
pub fn of_call<'a>(world: &'a World, call: &Params) -> Result<&'a SecurityGroup, ApiError> {
    match (call.text("GroupId").filter(|id| !id.is_empty()), call.text("GroupName").filter(|name| !name.is_empty())) {
        (Some(id), _) => find(world, &id),
        (None, Some(name)) => named(world, &name),
        (None, None) => {
            Err(ApiError::new("MissingParameter", "The request must contain the parameter groupName or groupId"))
        }
    }
}

/// The group of this name in the default VPC; an id is as good as a name.
///
/// # Errors
/// `InvalidGroup.NotFound`, `VPCIdNotSpecified` when there is no default VPC.
pub fn named<'a>(world: &'a World, name: &str) -> Result<&'a SecurityGroup, ApiError> {
    if let Some(group) = world.ec2.security_groups.get(name) {
        return Ok(group);
    }
    let vpc_id = default_vpc(world)?;
    let mut found = world.ec2.security_groups.with(&name_key(&vpc_id, name));
    found.next().map(|(_, group)| group).ok_or_else(|| {
        let message = format!("The security group '{name}' does not exist in default VPC '{vpc_id}'");
        ApiError::new("InvalidGroup.NotFound", message)
    })
}

fn default_vpc(world: &World) -> Result<String, ApiError> {
    vpcs::default_vpc(world)
        .map(|vpc| vpc.vpc_id.clone())
        .ok_or_else(|| ApiError::new("VPCIdNotSpecified", "No default VPC for this user"))
}

/// Whether text has only the letters that AWS allows in names and descriptions of groups and rules.
pub(super) fn is_plain(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter);
    text.len() <= 255 && text.chars().all(allowed)
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let parameter = "groupName";
    if name.is_empty() {
        return Err(ApiError::new("MissingParameter", "The request must contain the parameter GroupName"));
    }
    if name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("sg-")) {
        return Err(invalid(parameter, name, "Group names may not be in the format sg-*."));
    }
    if !name.is_ascii() {
        return Err(invalid(parameter, name, "Character sets beyond ASCII are not supported."));
    }
    if !is_plain(name) {
        let why = "Invalid security group name. Valid names are strings up to 255 characters from the following set: \
                   a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        return Err(invalid(parameter, name, why));
    }
    Ok(())
}

fn check_description(description: &str) -> Result<(), ApiError> {
    if description.is_empty() {
        return Err(ApiError::new("MissingParameter", "The request must contain the parameter GroupDescription"));
    }
    if !description.is_ascii() {
        let why = "Character sets beyond ASCII are not supported.";
        return Err(invalid("GroupDescription", description, why));
    }
    if !is_plain(description) {
        let message = "Invalid security group description. Valid descriptions are strings less than 256 characters from \
                       the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(())
}

fn create_security_group(world: &mut World, call: &Call) -> Answer {
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let vpc_id = match call.text("VpcId").filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => default_vpc(world)?,
    };
    // Spaces at the end of a name are dropped (EC2 user guide, "Create a security group").
    let name = call.text("GroupName").unwrap_or_default().trim_end().to_owned();
    let description = call.text("GroupDescription").unwrap_or_default();
    let tag_set = tags::tag_set(&tags);
    let id = create(world, New { name, description, vpc_id, tags })?;
    let arn = arn(world, KIND.resource_type, &id);
    Ok(json!({ "return": true, "groupId": id, "tagSet": tag_set, "securityGroupArn": arn }))
}

fn delete_security_group(world: &mut World, call: &Call) -> Answer {
    let id = of_call(world, call)?.id.clone();
    delete(world, &id)?;
    Ok(json!({ "return": true, "groupId": id }))
}

static DESCRIBE: Describe<SecurityGroup> = Describe {
    kind: &KIND,
    ids: "GroupId",
    set: "securityGroupInfo",
    filters: &[
        ("description", |_, group| vec![group.description.clone()]),
        ("group-id", |_, group| vec![group.id.clone()]),
        ("group-name", |_, group| vec![group.name.clone()]),
        ("owner-id", |world, _| vec![world.settings.account.clone()]),
        ("vpc-id", |_, group| vec![group.vpc_id.clone()]),
        ("ip-permission.cidr", |world, group| of_rules(world, group, false, Rule::cidr)),
        ("ip-permission.from-port", |world, group| of_rules(world, group, false, Rule::first_port_text)),
        ("ip-permission.group-id", |world, group| of_rules(world, group, false, Rule::named_group)),
        ("ip-permission.group-name", |world, group| names_in_rules(world, group, false)),
        ("ip-permission.ipv6-cidr", |world, group| of_rules(world, group, false, Rule::ipv6_cidr)),
        ("ip-permission.prefix-list-id", |world, group| of_rules(world, group, false, Rule::prefix_list)),
        ("ip-permission.protocol", |world, group| of_rules(world, group, false, Rule::protocol_text)),
        ("ip-permission.to-port", |world, group| of_rules(world, group, false, Rule::last_port_text)),
        ("ip-permission.user-id", |world, group| of_rules(world, group, false, Rule::named_user)),
        ("egress.ip-permission.cidr", |world, group| of_rules(world, group, true, Rule::cidr)),
        ("egress.ip-permission.from-port", |world, group| of_rules(world, group, true, Rule::first_port_text)),
        ("egress.ip-permission.group-id", |world, group| of_rules(world, group, true, Rule::named_group)),
        ("egress.ip-permission.group-name", |world, group| names_in_rules(world, group, true)),
        ("egress.ip-permission.ipv6-cidr", |world, group| of_rules(world, group, true, Rule::ipv6_cidr)),
        ("egress.ip-permission.prefix-list-id", |world, group| of_rules(world, group, true, Rule::prefix_list)),
        ("egress.ip-permission.protocol", |world, group| of_rules(world, group, true, Rule::protocol_text)),
        ("egress.ip-permission.to-port", |world, group| of_rules(world, group, true, Rule::last_port_text)),
        ("egress.ip-permission.user-id", |world, group| of_rules(world, group, true, Rule::named_user)),
    ],
    indexed: &["group-id", "vpc-id", "group-name", "description", "tag"],
    limits: (5, 1000),
    tags: |group| &group.tags,
    render,
};

fn of_rules(world: &World, group: &SecurityGroup, is_egress: bool, value: fn(&Rule) -> Option<String>) -> Vec<String> {
    rules::of(world, &group.id, is_egress).filter_map(value).collect()
}

fn names_in_rules(world: &World, group: &SecurityGroup, is_egress: bool) -> Vec<String> {
    let ids = of_rules(world, group, is_egress, Rule::named_group);
    ids.iter().filter_map(|id| world.ec2.security_groups.get(id)).map(|group| group.name.clone()).collect()
}

fn render(world: &World, group: &SecurityGroup) -> Value {
    json!({
        "groupId": group.id, "groupName": group.name, "groupDescription": group.description, "vpcId": group.vpc_id,
        "ownerId": world.settings.account, "tagSet": tags::tag_set(&group.tags),
        "securityGroupArn": arn(world, "security-group", &group.id),
        "ipPermissions": rules::permissions(rules::of(world, &group.id, false)),
        "ipPermissionsEgress": rules::permissions(rules::of(world, &group.id, true)),
    })
}

fn describe_security_groups(world: &mut World, call: &Call) -> Answer {
    let names = call.texts("GroupName");
    if names.is_empty() {
        return DESCRIBE.answer(world, &world.ec2.security_groups, call);
    }
    let mut ids = call.texts("GroupId");
    for name in names {
        ids.push(named(world, &name)?.id.clone());
    }
    DESCRIBE.answer_for(world, &world.ec2.security_groups, call, &ids)
}
