//! Permissions of other accounts and of services to attach an interface.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Describe, done, invalid};
use super::interfaces;
use super::kinds::Kind;
use super::tags::Tags;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::store::table::Table;
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateNetworkInterfacePermission", run: create_network_interface_permission },
    Operation { name: "DeleteNetworkInterfacePermission", run: delete_network_interface_permission },
    Operation { name: "DescribeNetworkInterfacePermissions", run: describe_network_interface_permissions },
];

/// Permissions as a kind. They have no tags.
pub static KIND: Kind = Kind {
    prefix: "eni-perm",
    resource_type: "network-interface-permission",
    noun: "network interface permission",
    not_found: "InvalidPermissionID.NotFound",
    malformed: "InvalidPermissionID.Malformed",
    tags: |_, _| None,
    set_tags: |_, _, _| {},
    all_from: |_, _| Box::new(std::iter::empty()),
};

/// A permission.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InterfacePermission {
    /// `eni-perm-...`.
    pub id: String,
    /// The interface.
    pub interface_id: String,
    /// The account that may.
    pub account: Option<String>,
    /// The service that may.
    pub service: Option<String>,
    /// `INSTANCE-ATTACH` or `EIP-ASSOCIATE`.
    pub permission: String,
    /// Always empty.
    pub tags: Tags,
}

/// A table of permissions, by `network-interface-permission.network-interface-id=`.
pub fn table() -> Table<InterfacePermission> {
    Table::indexed("ec2.network-interface-permissions", |row| {
        vec![format!("network-interface-permission.network-interface-id={}", row.interface_id)]
    })
}

fn of(world: &World, interface_id: &str) -> Vec<InterfacePermission> {
    let key = format!("network-interface-permission.network-interface-id={interface_id}");
    world.ec2.interface_permissions.with(&key).map(|(_, row)| row.clone()).collect()
}

/// The interface is gone.
pub(super) fn forget(world: &mut World, interface_id: &str) {
    for row in of(world, interface_id) {
        world.ec2.interface_permissions.remove(&row.id);
    }
}

fn render(_: &World, row: &InterfacePermission) -> Value {
    json!({
        "networkInterfacePermissionId": row.id, "networkInterfaceId": row.interface_id, "awsAccountId": row.account,
        "awsService": row.service, "permission": row.permission, "permissionState": { "state": "granted" },
    })
}

fn create_network_interface_permission(world: &mut World, call: &Call) -> Answer {
    let interface_id = call.required("NetworkInterfaceId")?;
    interfaces::find(world, &interface_id)?;
    let permission = call.required("Permission")?;
    if !matches!(permission.as_str(), "INSTANCE-ATTACH" | "EIP-ASSOCIATE") {
        return Err(invalid("permission", &permission, "Expected one of: INSTANCE-ATTACH, EIP-ASSOCIATE"));
    }
    let (account, service) = (call.text("AwsAccountId"), call.text("AwsService"));
    if account.is_none() && service.is_none() {
        return Err(ApiError::missing(call.service, "awsAccountId"));
    }
    let is_same =
        |row: &InterfacePermission| row.account == account && row.service == service && row.permission == permission;
    let row = match of(world, &interface_id).into_iter().find(is_same) {
        Some(row) => row,
        None => {
            let id = world.ids.ec2(KIND.prefix);
            let row =
                InterfacePermission { id: id.clone(), interface_id, account, service, permission, tags: Tags::new() };
            world.ec2.interface_permissions.insert(id, row.clone());
            row
        }
    };
    Ok(json!({ "interfacePermission": render(world, &row) }))
}

fn delete_network_interface_permission(world: &mut World, call: &Call) -> Answer {
    let id = call.required("NetworkInterfacePermissionId")?;
    let row = KIND.found(&id, world.ec2.interface_permissions.get(&id))?;
    let is_attached = world.ec2.interfaces.get(&row.interface_id).is_some_and(|one| one.attachment.is_some());
    if is_attached && !call.boolean("Force")?.unwrap_or(false) {
        let message = format!("Network interface '{}' is currently in use.", row.interface_id);
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    world.ec2.interface_permissions.remove(&id);
    Ok(done())
}

static DESCRIBE: Describe<InterfacePermission> = Describe {
    kind: &KIND,
    ids: "NetworkInterfacePermissionId",
    set: "networkInterfacePermissions",
    filters: &[
        ("network-interface-permission.network-interface-permission-id", |_, row| vec![row.id.clone()]),
        ("network-interface-permission.network-interface-id", |_, row| vec![row.interface_id.clone()]),
        ("network-interface-permission.aws-account-id", |_, row| row.account.iter().cloned().collect()),
        ("network-interface-permission.aws-service", |_, row| row.service.iter().cloned().collect()),
        ("network-interface-permission.permission", |_, row| vec![row.permission.clone()]),
    ],
    indexed: &["network-interface-permission.network-interface-id"],
    limits: (5, 255),
    tags: |row| &row.tags,
    render,
};

fn describe_network_interface_permissions(world: &mut World, call: &Call) -> Answer {
    DESCRIBE.answer(world, &world.ec2.interface_permissions, call)
}
