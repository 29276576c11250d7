//! Trunk and branch interfaces: the operations of the VPC resource controller that moto lacks.

use super::{AwsRequest, Refusal, Shared, answered, filter, list, xml};
use bytes::Bytes;
use http::Response;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Mutex;

/// Which branch interfaces sit on which trunk, and which interfaces are trunks.
#[derive(Debug, Default)]
pub(in crate::world::proxy) struct Trunks {
    associations: Mutex<Vec<Association>>,
    types: Mutex<HashMap<String, String>>,
}

#[derive(Clone, Debug)]
struct Association {
    id: String,
    branch: String,
    trunk: String,
    vlan: String,
}

impl Trunks {
    pub(in crate::world::proxy) fn clear(&self) {
        self.associations.lock().unwrap().clear();
        self.types.lock().unwrap().clear();
    }
}

impl Association {
    fn xml(&self) -> String {
        let Self { id, branch, trunk, vlan } = self;
        format!(
            "<associationId>{id}</associationId><branchInterfaceId>{branch}</branchInterfaceId><trunkInterfaceId>{trunk}</trunkInterfaceId>\
             <interfaceProtocol>VLAN</interfaceProtocol><vlanId>{vlan}</vlanId>"
        )
    }
}

pub(super) fn permit(request: &AwsRequest) -> Response<Bytes> {
    let interface = request.param("NetworkInterfaceId").unwrap_or_default();
    let account = request.param("AwsAccountId").unwrap_or_default();
    let permission = request.param("Permission").unwrap_or_default();
    answered(
        request,
        &format!(
            "<interfacePermission><networkInterfacePermissionId>eni-perm-{}</networkInterfacePermissionId>\
             <networkInterfaceId>{interface}</networkInterfaceId><awsAccountId>{account}</awsAccountId>\
             <permission>{permission}</permission><permissionState><state>GRANTED</state></permissionState></interfacePermission>",
            interface.trim_start_matches("eni-")
        ),
    )
}

pub(super) fn associate(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let needed = |name: &str| {
        let missing =
            || Refusal::new(400, "MissingParameter", format!("The request must contain the parameter {name}"));
        request.param(name).map(str::to_owned).ok_or_else(missing)
    };
    let (branch, trunk, vlan) = (needed("BranchInterfaceId")?, needed("TrunkInterfaceId")?, needed("VlanId")?);
    let mut associations = shared.trunks.associations.lock().unwrap();
    let association = Association { id: branch.replacen("eni-", "trunk-assoc-", 1), branch, trunk, vlan };
    associations.retain(|found| found.branch != association.branch);
    associations.push(association.clone());
    Ok(answered(request, &format!("<interfaceAssociation>{}</interfaceAssociation>", association.xml())))
}

pub(super) fn disassociate(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let id = request.param("AssociationId").unwrap_or_default();
    let mut associations = shared.trunks.associations.lock().unwrap();
    let before = associations.len();
    associations.retain(|found| found.id != id);
    if associations.len() == before {
        let message = format!("The association ID '{id}' does not exist");
        return Err(Refusal::new(400, "InvalidAssociationID.NotFound", message));
    }
    Ok(answered(request, "<return>true</return>"))
}

pub(super) fn describe(shared: &Shared, request: &AwsRequest) -> Response<Bytes> {
    let ids = list(request, "AssociationId");
    let trunks = filter(request, "gre-key.trunk-interface-id")
        .or_else(|| filter(request, "trunk-interface-association.trunk-interface-id"));
    let associations = shared.trunks.associations.lock().unwrap();
    let mut items = String::new();
    for found in associations.iter() {
        let is_asked = (ids.is_empty() || ids.contains(&found.id.as_str()))
            && trunks.as_ref().is_none_or(|trunks| trunks.contains(&found.trunk.as_str()));
        if is_asked {
            let _ = write!(items, "<item>{}</item>", found.xml());
        }
    }
    answered(request, &format!("<interfaceAssociationSet>{items}</interfaceAssociationSet>"))
}

/// Remembers the type that an interface was asked for: moto calls each of them `interface`.
pub(super) async fn create_interface(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let response = shared.upstream.forward(request).await?;
    let Some(kind) = request.param("InterfaceType") else { return Ok(response) };
    let body = String::from_utf8_lossy(response.body()).into_owned();
    if let Some(id) = xml::text(&body, "networkInterfaceId") {
        shared.trunks.types.lock().unwrap().insert(id, kind.to_owned());
    }
    Ok(response.map(|body| with_interface_types(shared, body)))
}

/// Writes the types that interfaces were asked for into an answer.
pub(super) fn with_interface_types(shared: &Shared, body: Bytes) -> Bytes {
    let types = shared.trunks.types.lock().unwrap();
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    let Ok(document) = roxmltree::Document::parse(text) else { return body };
    if types.is_empty() {
        return body;
    }
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.children().find(|child| child.tag_name().name() == name).map(|child| child.id())
    };
    let mut changes = Vec::new();
    for node in document.descendants() {
        let (Some(id), Some(kind)) = (child(node, "networkInterfaceId"), child(node, "interfaceType")) else {
            continue;
        };
        let id = document.get_node(id).and_then(|node| node.text()).unwrap_or_default();
        let range = document.get_node(kind).unwrap().range();
        changes.extend(types.get(id).map(|kind| (range, format!("<interfaceType>{kind}</interfaceType>"))));
    }
    let mut answer = text.to_owned();
    for (range, kind) in changes.into_iter().rev() {
        answer.replace_range(range, &kind);
    }
    Bytes::from(answer)
}
