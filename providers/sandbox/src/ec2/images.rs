//! Machine images: those of Amazon's that nodes and instances are run from. Their ids follow from their names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::describe::{listing, paging};
use super::tags::Tags;
use crate::aws::filter::Filters;
use crate::aws::page;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[Operation { name: "DescribeImages", run: describe_images }];

/// A machine image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `ami-...`.
    pub id: String,
    /// `amazon-eks-node-al2023-x86_64-standard-1.36-v20261105`.
    pub name: String,
    /// For people.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: &'static str,
    /// The account that owns it; all belong to Amazon.
    pub owner: &'static str,
    /// When it was made.
    pub created: String,
    /// The device of its root volume.
    pub root_device: &'static str,
}

/// Accounts of Amazon that own images: of EKS's nodes (Amazon Linux), of Bottlerocket, of Amazon Linux itself.
const EKS_OWNER: &str = "602401143452";
const BOTTLEROCKET_OWNER: &str = "092701018921";
const LINUX_OWNER: &str = "137112412989";

/// An id of the usual form that follows from a name.
fn id_of(name: &str) -> String {
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ami-0{}", &hash[..16])
}

/// The image of EKS's nodes for a node group's `amiType`, or `None` for a type that has none here (`CUSTOM`, Windows).
///
/// `version` is the cluster's (`1.36`), `release` the image's release version (`1.36.3-20261105`; for Bottlerocket its own).
pub fn for_nodes(version: &str, release: &str, ami_type: &str) -> Option<Image> {
    let date = release.rsplit('-').next().unwrap_or(release);
    let architecture = if ami_type.contains("ARM_64") { "arm64" } else { "x86_64" };
    let variant = |kind: &str| format!("amazon-eks-node-{kind}-{version}-v{date}");
    let bottlerocket = |kind: &str| format!("bottlerocket-aws-k8s-{version}{kind}-{architecture}-v{release}");
    let (name, owner) = match ami_type {
        "AL2023_x86_64_STANDARD" => (variant("al2023-x86_64-standard"), EKS_OWNER),
        "AL2023_ARM_64_STANDARD" => (variant("al2023-arm64-standard"), EKS_OWNER),
        "AL2023_x86_64_NVIDIA" => (variant("al2023-x86_64-nvidia"), EKS_OWNER),
        "AL2023_ARM_64_NVIDIA" => (variant("al2023-arm64-nvidia"), EKS_OWNER),
        "AL2023_x86_64_NEURON" => (variant("al2023-x86_64-neuron"), EKS_OWNER),
        "AL2_x86_64" => (format!("amazon-eks-node-{version}-v{date}"), EKS_OWNER),
        "AL2_x86_64_GPU" => (format!("amazon-eks-gpu-node-{version}-v{date}"), EKS_OWNER),
        "AL2_ARM_64" => (format!("amazon-eks-arm64-node-{version}-v{date}"), EKS_OWNER),
        "BOTTLEROCKET_x86_64" | "BOTTLEROCKET_ARM_64" => (bottlerocket(""), BOTTLEROCKET_OWNER),
        "BOTTLEROCKET_x86_64_NVIDIA" | "BOTTLEROCKET_ARM_64_NVIDIA" => (bottlerocket("-nvidia"), BOTTLEROCKET_OWNER),
        "BOTTLEROCKET_x86_64_FIPS" | "BOTTLEROCKET_ARM_64_FIPS" => (bottlerocket("-fips"), BOTTLEROCKET_OWNER),
        _ => return None,
    };
    let description = format!("EKS-optimized Kubernetes node image for Kubernetes {version}, release {release}");
    Some(image(name, description, architecture, owner, date))
}

fn image(name: String, description: String, architecture: &'static str, owner: &'static str, date: &str) -> Image {
    let digits = if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) { date } else { "20260101" };
    let created = format!("{}-{}-{}T00:00:00.000Z", &digits[..4], &digits[4..6], &digits[6..]);
    Image { id: id_of(&name), name, description, architecture, owner, created, root_device: "/dev/xvda" }
}

/// The types of node images that are offered for each release.
const NODE_TYPES: &[&str] = &[
    "AL2023_x86_64_STANDARD",
    "AL2023_ARM_64_STANDARD",
    "AL2023_x86_64_NVIDIA",
    "AL2023_ARM_64_NVIDIA",
    "AL2023_x86_64_NEURON",
    "BOTTLEROCKET_x86_64",
    "BOTTLEROCKET_ARM_64",
    "BOTTLEROCKET_x86_64_NVIDIA",
    "BOTTLEROCKET_ARM_64_NVIDIA",
    "BOTTLEROCKET_x86_64_FIPS",
    "BOTTLEROCKET_ARM_64_FIPS",
];

/// All images by id.
static IMAGES: LazyLock<BTreeMap<String, Image>> = LazyLock::new(|| {
    let mut images: Vec<Image> = Vec::new();
    for (version, release) in crate::eks::releases() {
        images.extend(NODE_TYPES.iter().filter_map(|kind| for_nodes(version, release, kind)));
    }
    for architecture in ["x86_64", "arm64"] {
        let name = format!("al2023-ami-2023.9.20260105.0-kernel-6.12-{architecture}");
        let description = format!("Amazon Linux 2023 AMI 2023.9.20260105.0 {architecture} HVM kernel-6.12");
        images.push(image(name, description, architecture, LINUX_OWNER, "20260105"));
    }
    images.into_iter().map(|image| (image.id.clone(), image)).collect()
});

/// The image of this id.
pub fn find(id: &str) -> Option<&'static Image> {
    IMAGES.get(id)
}

/// What an image runs on.
pub fn architecture(id: &str) -> Option<&'static str> {
    find(id).map(|image| image.architecture)
}

/// Checks that images are there.
///
/// # Errors
/// `InvalidAMIID.Malformed`, `InvalidAMIID.NotFound`.
pub(super) fn check(ids: &[String]) -> Result<(), ApiError> {
    for id in ids {
        let digits = id.strip_prefix("ami-").unwrap_or("");
        if !matches!(digits.len(), 8 | 17) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
            return Err(ApiError::new("InvalidAMIID.Malformed", message));
        }
    }
    let missing: Vec<&str> = ids.iter().map(String::as_str).filter(|id| find(id).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (noun, verb) = if missing.len() == 1 { ("id", "does") } else { ("ids", "do") };
    let message = format!("The image {noun} '[{}]' {verb} not exist", missing.join(", "));
    Err(ApiError::new("InvalidAMIID.NotFound", message))
}

fn render(image: &Image) -> Value {
    json!({
        "imageId": image.id, "name": image.name, "description": image.description, "architecture": image.architecture,
        "imageOwnerId": image.owner, "imageOwnerAlias": "amazon", "imageLocation": format!("amazon/{}", image.name),
        "imageState": "available", "isPublic": true, "imageType": "machine", "creationDate": image.created,
        "rootDeviceName": image.root_device, "rootDeviceType": "ebs", "virtualizationType": "hvm", "hypervisor": "xen",
        "enaSupport": true, "sriovNetSupport": "simple", "platformDetails": "Linux/UNIX", "usageOperation": "RunInstances",
        "bootMode": if image.architecture == "arm64" { "uefi" } else { "uefi-preferred" }, "imdsSupport": "v2.0",
        "blockDeviceMapping": [{
            "deviceName": image.root_device,
            "ebs": {
                "deleteOnTermination": true, "volumeSize": 20, "volumeType": "gp3", "encrypted": false,
                "snapshotId": format!("snap-{}", &image.id[4..]),
            },
        }],
    })
}

const FILTERS: &[&str] = &[
    "architecture",
    "creation-date",
    "description",
    "ena-support",
    "hypervisor",
    "image-id",
    "image-type",
    "is-public",
    "name",
    "owner-alias",
    "owner-id",
    "platform-details",
    "root-device-name",
    "root-device-type",
    "state",
    "virtualization-type",
];

fn values(image: &Image, filter: &str) -> Vec<String> {
    let text = match filter {
        "architecture" => image.architecture,
        "creation-date" => &image.created,
        "description" => &image.description,
        "ena-support" | "is-public" => "true",
        "hypervisor" => "xen",
        "image-id" => &image.id,
        "image-type" => "machine",
        "name" => &image.name,
        "owner-alias" => "amazon",
        "owner-id" => image.owner,
        "platform-details" => "Linux/UNIX",
        "root-device-name" => image.root_device,
        "root-device-type" => "ebs",
        "state" => "available",
        _ => "hvm",
    };
    vec![text.to_owned()]
}

fn describe_images(_: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, FILTERS)?;
    let (asked, owners) = (call.texts("ImageId"), call.texts("Owner"));
    check(&asked)?;
    let (limit, after) = paging(call, (1, 1000))?;
    // `self` has none, and nobody but Amazon has any.
    let is_owned =
        |image: &Image| owners.is_empty() || owners.iter().any(|owner| owner == "amazon" || owner == image.owner);
    let images = IMAGES.iter().filter(|(id, image)| {
        (asked.is_empty() || asked.contains(id))
            && after.as_deref().is_none_or(|after| id.as_str() > after)
            && is_owned(image)
            && filters.accept(&Tags::new(), |filter| values(image, filter))
    });
    let page = page::rest(images.map(|(id, image)| (id.as_str(), render(image))), limit);
    Ok(listing("imagesSet", page))
}
