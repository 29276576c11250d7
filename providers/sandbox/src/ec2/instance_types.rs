//! Instance types, from `data/instance-types.csv`, and where they are offered.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::describe::{listing, paging, truth};
use super::tags::Tags;
use super::zones;
use crate::aws::filter::Filters;
use crate::aws::page;
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeInstanceTypes", run: describe_instance_types },
    Operation { name: "DescribeInstanceTypeOfferings", run: describe_instance_type_offerings },
];

/// An instance type.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a row of the file, which has them")]
pub struct InstanceType {
    /// `m5.large`.
    pub name: &'static str,
    /// Virtual processors.
    pub vcpus: u32,
    cores: u32,
    threads_per_core: u32,
    /// Mebibytes of memory.
    pub memory_mib: u64,
    /// `x86_64`, `arm64`, ...
    pub architectures: Vec<&'static str>,
    manufacturer: &'static str,
    is_current: bool,
    is_burstable: bool,
    is_bare_metal: bool,
    /// `nitro` or `xen`; empty for bare metal.
    pub hypervisor: &'static str,
    /// Interfaces of one instance, the trunk among them, branches not.
    pub interfaces_max: usize,
    /// IPv4 addresses and prefixes of one interface.
    pub ipv4_per_interface: usize,
    /// IPv6 addresses of one interface; 0 without IPv6.
    pub ipv6_per_interface: usize,
    default_card: usize,
    /// Interfaces of each network card.
    pub cards: Vec<usize>,
    network_performance: &'static str,
    ena_support: &'static str,
    has_efa: bool,
    storage_gb: u64,
    /// `NVIDIA:A100:8:40960`: manufacturer, name, count, MiB of memory each.
    gpus: Vec<&'static str>,
    usage_classes: Vec<&'static str>,
    /// Whether EKS's controller makes trunks on it.
    pub is_trunk_compatible: bool,
    /// Branch interfaces of its trunk; 0 without one.
    pub branches_max: usize,
}

static TYPES: LazyLock<BTreeMap<&'static str, InstanceType>> = LazyLock::new(|| {
    let rows = include_str!("../../data/instance-types.csv").lines().skip(1);
    rows.map(|row| read(row).expect("the file is part of the program and a test reads it"))
        .map(|one| (one.name, one))
        .collect()
});

/// Reads a row of the file.
fn read(row: &'static str) -> Option<InstanceType> {
    let fields: Vec<&'static str> = row.split(',').collect();
    let [
        name,
        vcpus,
        cores,
        threads,
        memory,
        architectures,
        manufacturer,
        current,
        burstable,
        bare_metal,
        hypervisor,
        interfaces,
        ipv4,
        ipv6,
        default_card,
        cards,
        performance,
        ena,
        efa,
        storage,
        gpus,
        usage,
        trunk,
        branches,
    ] = fields.as_slice()
    else {
        return None;
    };
    let list = |text: &'static str| text.split(';').filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let cards = cards.split(';').map(|card| card.split_once(':')?.1.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some(InstanceType {
        name,
        vcpus: vcpus.parse().ok()?,
        cores: cores.parse().unwrap_or(0),
        threads_per_core: threads.parse().unwrap_or(0),
        memory_mib: memory.parse().ok()?,
        architectures: list(architectures),
        manufacturer,
        is_current: *current == "true",
        is_burstable: *burstable == "true",
        is_bare_metal: *bare_metal == "true",
        hypervisor,
        interfaces_max: interfaces.parse().ok()?,
        ipv4_per_interface: ipv4.parse().ok()?,
        ipv6_per_interface: ipv6.parse().ok()?,
        default_card: default_card.parse().ok()?,
        cards,
        network_performance: performance,
        ena_support: ena,
        has_efa: *efa == "true",
        storage_gb: storage.parse().ok()?,
        gpus: list(gpus),
        usage_classes: list(usage),
        is_trunk_compatible: *trunk == "true",
        branches_max: branches.parse().unwrap_or(0),
    })
}

impl InstanceType {
    /// Interfaces of the default network card.
    pub fn default_card_max(&self) -> usize {
        self.cards.get(self.default_card).copied().unwrap_or(self.interfaces_max)
    }
}

/// The type of this name.
pub fn find(name: &str) -> Option<&'static InstanceType> {
    TYPES.get(name)
}

/// All types, by name.
pub fn all() -> impl Iterator<Item = &'static InstanceType> {
    TYPES.values()
}

fn render(one: &InstanceType) -> Value {
    let cards: Vec<Value> = one
        .cards
        .iter()
        .enumerate()
        .map(|(at, most)| {
            json!({
                "networkCardIndex": at, "networkPerformance": one.network_performance, "maximumNetworkInterfaces": most,
            })
        })
        .collect();
    let hypervisor = (!one.hypervisor.is_empty()).then_some(one.hypervisor);
    let storage = (one.storage_gb > 0).then(|| json!({ "totalSizeInGB": one.storage_gb }));
    json!({
        "instanceType": one.name, "currentGeneration": one.is_current, "freeTierEligible": is_free(one),
        "supportedUsageClasses": one.usage_classes, "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"], "bareMetal": one.is_bare_metal, "hypervisor": hypervisor,
        "processorInfo": { "supportedArchitectures": one.architectures, "manufacturer": one.manufacturer },
        "vCpuInfo": {
            "defaultVCpus": one.vcpus, "defaultCores": known(one.cores), "defaultThreadsPerCore": known(one.threads_per_core),
        },
        "memoryInfo": { "sizeInMiB": one.memory_mib }, "instanceStorageSupported": one.storage_gb > 0,
        "instanceStorageInfo": storage, "gpuInfo": gpu_info(one),
        "networkInfo": {
            "networkPerformance": one.network_performance, "maximumNetworkInterfaces": one.interfaces_max,
            "maximumNetworkCards": one.cards.len(), "defaultNetworkCardIndex": one.default_card, "networkCards": cards,
            "ipv4AddressesPerInterface": one.ipv4_per_interface, "ipv6AddressesPerInterface": one.ipv6_per_interface,
            "ipv6Supported": one.ipv6_per_interface > 0, "enaSupport": one.ena_support, "efaSupported": one.has_efa,
        },
        "burstablePerformanceSupported": one.is_burstable, "supportedInRegion": true,
    })
}

fn known(count: u32) -> Option<u32> {
    (count > 0).then_some(count)
}

/// The types of AWS's free tier.
fn is_free(one: &InstanceType) -> bool {
    matches!(
        one.name,
        "t2.micro" | "t3.micro" | "t3.small" | "t4g.micro" | "t4g.small" | "c7i-flex.large" | "m7i-flex.large"
    )
}

fn gpu_info(one: &InstanceType) -> Option<Value> {
    let read = |gpu: &&str| {
        let mut parts = gpu.split(':');
        let (manufacturer, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (count, memory): (u64, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some((
            json!({ "manufacturer": manufacturer, "name": name, "count": count, "memoryInfo": { "sizeInMiB": memory } }),
            count * memory,
        ))
    };
    let gpus: Vec<(Value, u64)> = one.gpus.iter().filter_map(read).collect();
    let total: u64 = gpus.iter().map(|(_, memory)| memory).sum();
    let gpus: Vec<Value> = gpus.into_iter().map(|(gpu, _)| gpu).collect();
    (!gpus.is_empty()).then(|| json!({ "gpus": gpus, "totalGpuMemoryInMiB": total }))
}

/// The filters of the reference that the table has figures for; another one is refused by its name.
const FILTERS: &[&str] = &[
    "bare-metal",
    "burstable-performance-supported",
    "current-generation",
    "free-tier-eligible",
    "hypervisor",
    "instance-storage-info.total-size-in-gb",
    "instance-storage-supported",
    "instance-type",
    "memory-info.size-in-mib",
    "network-info.efa-supported",
    "network-info.ena-support",
    "network-info.ipv4-addresses-per-interface",
    "network-info.ipv6-addresses-per-interface",
    "network-info.ipv6-supported",
    "network-info.maximum-network-cards",
    "network-info.maximum-network-interfaces",
    "network-info.network-performance",
    "processor-info.supported-architecture",
    "supported-root-device-type",
    "supported-usage-class",
    "supported-virtualization-type",
    "vcpu-info.default-cores",
    "vcpu-info.default-threads-per-core",
    "vcpu-info.default-vcpus",
];

fn values(one: &InstanceType, filter: &str) -> Vec<String> {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    match filter {
        "bare-metal" => truth(one.is_bare_metal),
        "burstable-performance-supported" => truth(one.is_burstable),
        "current-generation" => truth(one.is_current),
        "free-tier-eligible" => truth(is_free(one)),
        "hypervisor" => texts(&[one.hypervisor]),
        "instance-storage-info.total-size-in-gb" => vec![one.storage_gb.to_string()],
        "instance-storage-supported" => truth(one.storage_gb > 0),
        "instance-type" => texts(&[one.name]),
        "memory-info.size-in-mib" => vec![one.memory_mib.to_string()],
        "network-info.efa-supported" => truth(one.has_efa),
        "network-info.ena-support" => texts(&[one.ena_support]),
        "network-info.ipv4-addresses-per-interface" => vec![one.ipv4_per_interface.to_string()],
        "network-info.ipv6-addresses-per-interface" => vec![one.ipv6_per_interface.to_string()],
        "network-info.ipv6-supported" => truth(one.ipv6_per_interface > 0),
        "network-info.maximum-network-cards" => vec![one.cards.len().to_string()],
        "network-info.maximum-network-interfaces" => vec![one.interfaces_max.to_string()],
        "network-info.network-performance" => texts(&[one.network_performance]),
        "processor-info.supported-architecture" => texts(&one.architectures),
        "supported-root-device-type" => texts(&["ebs"]),
        "supported-usage-class" => texts(&one.usage_classes),
        "supported-virtualization-type" => texts(&["hvm"]),
        "vcpu-info.default-cores" => vec![one.cores.to_string()],
        "vcpu-info.default-threads-per-core" => vec![one.threads_per_core.to_string()],
        _ => vec![one.vcpus.to_string()],
    }
}

/// The refusal of types that EC2 does not have.
pub(super) fn unknown(names: &[&str]) -> ApiError {
    let message = format!("The following supplied instance types do not exist: [{}]", names.join(", "));
    ApiError::new("InvalidInstanceType", message)
}

fn describe_instance_types(_: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, FILTERS)?;
    let asked = call.texts("InstanceType");
    if asked.len() > 100 {
        let message = "The maximum number of instance types that can be specified is 100";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    if !asked.is_empty() && call.has("MaxResults") {
        let message = "The parameter instanceTypes cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let missing: Vec<&str> = asked.iter().map(String::as_str).filter(|name| find(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(unknown(&missing));
    }
    let (limit, after) = paging(call, (5, 100))?;
    let types = all().filter(|one| {
        (asked.is_empty() || asked.iter().any(|name| name == one.name))
            && after.as_deref().is_none_or(|after| one.name > after)
            && filters.accept(&Tags::new(), |filter| values(one, filter))
    });
    // A page has 100 types also when nothing was said about it.
    let page = page::rest(types.map(|one| (one.name, render(one))), Some(limit.unwrap_or(100)));
    Ok(listing("instanceTypeSet", page))
}

fn describe_instance_type_offerings(world: &mut World, call: &Call) -> Answer {
    let filters = Filters::read(call, &["instance-type", "location"])?;
    let (limit, after) = paging(call, (5, 1000))?;
    let region = &world.settings.region;
    let kind = call.text("LocationType").unwrap_or_else(|| "region".to_owned());
    let locations: Vec<String> = match kind.as_str() {
        "region" => vec![region.clone()],
        "availability-zone" => zones::names(region),
        "availability-zone-id" => zones::names(region).iter().filter_map(|zone| zones::id(zone)).collect(),
        other => {
            let why = "Expected one of: region, availability-zone, availability-zone-id";
            return Err(super::describe::invalid("locationType", other, why));
        }
    };
    let rows: Vec<(String, Value)> = all()
        .flat_map(|one| locations.iter().map(move |location| (one.name, location)))
        .filter(|(name, location)| {
            let values_of =
                |filter: &str| vec![if filter == "location" { (*location).clone() } else { (*name).to_owned() }];
            filters.accept(&Tags::new(), values_of)
        })
        .map(|(name, location)| {
            (format!("{name}/{location}"), json!({ "instanceType": name, "locationType": kind, "location": location }))
        })
        .collect();
    let mut rows: Vec<(&str, &Value)> = rows.iter().map(|(id, row)| (id.as_str(), row)).collect();
    rows.sort_unstable_by_key(|(id, _)| *id);
    let rest = rows.into_iter().filter(|(id, _)| after.as_deref().is_none_or(|after| *id > after));
    let page = page::rest(rest.map(|(id, row)| (id, row.clone())), Some(limit.unwrap_or(1000)));
    Ok(listing("instanceTypeOfferingSet", page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn the_file_reads() {
        let one = find("m5.large").unwrap();
        assert_eq!((one.vcpus, one.memory_mib, one.interfaces_max, one.branches_max), (2, 8192, 3, 9));
        assert!(!find("t3.medium").unwrap().is_trunk_compatible);
        assert_eq!(find("p4d.24xlarge").unwrap().cards, [15, 15, 15, 15]);
        assert!(all().all(|one| !one.cards.is_empty() && !one.architectures.is_empty()));
    }

    #[test]
    fn types_are_found_by_name_filter_and_page() {
        let mut world = world();
        let mut names = |pairs: &[(&str, &str)]| {
            let answer = ec2(&mut world, "DescribeInstanceTypes", pairs);
            let items = answer["instanceTypeSet"].as_array().unwrap().clone();
            (items.len(), answer["nextToken"].as_str().map(str::to_owned))
        };
        assert_eq!(names(&[("InstanceType.1", "m5.large"), ("InstanceType.2", "t3.micro")]), (2, None));
        let (first, token) = names(&[]);
        assert_eq!(first, 100);
        let (second, _) = names(&[("NextToken", &token.unwrap()), ("MaxResults", "5")]);
        assert_eq!(second, 5);
        let filter = [("Filter.1.Name", "instance-type"), ("Filter.1.Value.1", "m5.*large")];
        assert!(names(&filter).0 > 4);
    }

    #[test]
    fn unknown_types_and_filters_are_refused() {
        let mut world = world();
        for (pairs, code) in [
            (vec![("InstanceType.1", "m5.huge")], "InvalidInstanceType"),
            (vec![("InstanceType.1", "m5.large"), ("MaxResults", "5")], "InvalidParameterCombination"),
            (vec![("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")], "InvalidParameterValue"),
            (vec![("MaxResults", "101")], "InvalidParameterValue"),
            (vec![("NextToken", "?")], "InvalidPaginationToken"),
        ] {
            assert_eq!(refusal(query(&mut world, Service::Ec2, "DescribeInstanceTypes", &pairs)), code);
        }
    }

    #[test]
    fn offerings_are_by_location() {
        let mut world = world();
        let filter =
            |kind| vec![("LocationType", kind), ("Filter.1.Name", "instance-type"), ("Filter.1.Value.1", "m5.large")];
        for (kind, count) in [("region", 1), ("availability-zone", 3), ("availability-zone-id", 3)] {
            let answer = ec2(&mut world, "DescribeInstanceTypeOfferings", &filter(kind));
            assert_eq!(answer["instanceTypeOfferingSet"].as_array().unwrap().len(), count, "{kind}");
        }
    }
}
