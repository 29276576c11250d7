//! What an instance type can have: interfaces, addresses, branch interfaces.
//!
//! The figures are those of AWS's VPC resource controller, which decides by a table that is compiled into it: a type that the
//! controller of a cluster does not know has no branch interfaces there, whatever the newest table says. So the data file beside
//! this one has a table for each release that changed it, and [`Table::of_controller`] finds that of a release.
//!
//! The file is made by `instance_limits` of `sgp-tests` and says where it comes from.

use std::{collections::BTreeMap, sync::LazyLock};

const FILE: &str = include_str!("instance-limits.csv");

/// Where the newest table comes from.
pub const SOURCE: Source = Source {
    name: "github.com/aws/amazon-vpc-resource-controller-k8s, pkg/aws/vpc/limits.go",
    version: "v1.8.2",
    date: "2026-09-02",
};

/// Where data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The repository and the file.
    pub name: &'static str,
    /// The release.
    pub version: &'static str,
    /// When AWS generated it.
    pub date: &'static str,
}

/// What an instance type can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Network interfaces, on all cards.
    pub max_enis: u32,
    /// IPv4 addresses of an interface, its first one too.
    pub ipv4_per_eni: u32,
    /// Whether it can have a trunk: whether pods on it can have security groups.
    pub trunk_compatible: bool,
    /// Branch interfaces of its trunk: `vpc.amazonaws.com/pod-eni` of the node.
    pub branch_enis: u32,
    /// What it runs on; `None` is the bare metal.
    pub hypervisor: Option<Hypervisor>,
    /// Whether it is bare metal.
    pub bare_metal: bool,
    /// The index of the card that the first interface, the trunk and pods' interfaces are on.
    pub default_network_card: u32,
    /// Its cards.
    pub network_cards: Vec<NetworkCard>,
}

/// What an instance runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// Nitro.
    Nitro,
    /// Xen.
    Xen,
}

/// A network card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkCard {
    /// Its index.
    pub index: u32,
    /// Interfaces on it.
    pub max_enis: u32,
}

impl Limits {
    /// The interfaces that a node has for pods, the first one and the trunk too: those on the default card, because neither the
    /// VPC CNI nor the controller uses another one for that.
    pub fn usable_enis(&self) -> u32 {
        let card = self.network_cards.iter().find(|card| card.index == self.default_network_card);
        card.map_or(self.max_enis, |card| card.max_enis.min(self.max_enis))
    }
}

/// What EC2 says of an instance type (`DescribeInstanceTypes`), which knows nothing of trunks and branches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Network interfaces, on all cards.
    pub max_enis: u32,
    /// IPv4 addresses of an interface, its first one too.
    pub ipv4_per_eni: u32,
    /// What it runs on; `None` is the bare metal.
    pub hypervisor: Option<Hypervisor>,
}

impl Described {
    /// As far as it goes: whether AWS's controller gives it a trunk is not in it. Xen has none.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_enis: self.max_enis,
            ipv4_per_eni: self.ipv4_per_eni,
            trunk_compatible: self.hypervisor != Some(Hypervisor::Xen),
            branch_enis: 0,
            hypervisor: self.hypervisor,
            bare_metal: self.hypervisor.is_none(),
            default_network_card: 0,
            network_cards: Vec::new(),
        }
    }
}

/// A table, as one or more releases of the controller have it.
#[derive(Debug)]
pub struct Table {
    number: usize,
    /// The releases: `v1.7.23`.
    pub controllers: Vec<&'static str>,
    /// When AWS generated it, as RFC 3339.
    pub generated: &'static str,
}

impl Table {
    /// The newest one that this program has.
    pub fn newest() -> Option<&'static Self> {
        CATALOG.tables.last()
    }

    /// The table that a controller (`v1.7.15`) has, or surely has all types of when nobody looked into that release: that of the
    /// nearest earlier one. `None` for releases before all others.
    pub fn of_controller(version: &str) -> Option<&'static Self> {
        let wanted = numbers(version)?;
        let releases = CATALOG.tables.iter().flat_map(|table| table.controllers.iter().map(move |it| (*it, table)));
        let earlier = releases.filter_map(|(it, table)| Some((numbers(it)?, table))).filter(|(it, _)| *it <= wanted);
        earlier.max_by_key(|(it, _)| *it).map(|(_, table)| table)
    }

    /// Whether a release has exactly this one.
    pub fn is_of(&self, version: &str) -> bool {
        self.controllers.iter().any(|it| numbers(it) == numbers(version))
    }

    /// What it says of a type; `None` when it does not know it.
    pub fn of(&self, instance_type: &str) -> Option<&'static Limits> {
        let rows = CATALOG.rows.get(instance_type)?;
        rows.iter().rev().find(|(since, _)| *since <= self.number).map(|(_, limits)| limits)
    }
}

/// What the newest table says of a type; `None` when it does not know it, which does not mean that there is no such type.
pub fn of(instance_type: &str) -> Option<&'static Limits> {
    Table::newest()?.of(instance_type)
}

/// The types of the newest table, by name.
pub fn types() -> impl Iterator<Item = (&'static str, &'static Limits)> {
    CATALOG.rows.iter().filter_map(|(name, rows)| Some((*name, &rows.last()?.1)))
}

/// The first table that knows a type.
pub fn since(instance_type: &str) -> Option<&'static Table> {
    let (first, _) = CATALOG.rows.get(instance_type)?.first()?;
    CATALOG.tables.iter().find(|table| table.number == *first)
}

/// The tables, each with what is in the earlier ones, the newest last.
pub fn tables() -> &'static [Table] {
    &CATALOG.tables
}

struct Catalog {
    tables: Vec<Table>,
    /// By type: what holds from a table on.
    rows: BTreeMap<&'static str, Vec<(usize, Limits)>>,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let (head, rows) = FILE.split_once("\ninstance_type,").unwrap_or((FILE, ""));
    let mut catalog = Catalog { tables: head.lines().filter_map(table).collect(), rows: BTreeMap::new() };
    for (name, since, limits) in rows.lines().skip(1).filter_map(row) {
        catalog.rows.entry(name).or_default().push((since, limits));
    }
    catalog
});

/// `# table 5: v1.7.23 v1.8.0 generated 2026-05-18T17:08:55Z`.
fn table(line: &'static str) -> Option<Table> {
    let (number, text) = line.strip_prefix("# table ")?.split_once(": ")?;
    let (controllers, generated) = text.split_once(" generated ")?;
    Some(Table { number: number.parse().ok()?, controllers: controllers.split(' ').collect(), generated })
}

fn row(line: &'static str) -> Option<(&'static str, usize, Limits)> {
    let fields: Vec<&'static str> = line.split(',').collect();
    let [name, since, max_enis, ipv4, trunk, branch, hypervisor, metal, card, cards] = fields[..] else { return None };
    let limits = Limits {
        max_enis: max_enis.parse().ok()?,
        ipv4_per_eni: ipv4.parse().ok()?,
        trunk_compatible: trunk.parse().ok()?,
        branch_enis: branch.parse().ok()?,
        hypervisor: match hypervisor {
            "" => None,
            "nitro" => Some(Hypervisor::Nitro),
            "xen" => Some(Hypervisor::Xen),
            _ => return None,
        },
        bare_metal: metal.parse().ok()?,
        default_network_card: card.parse().ok()?,
        network_cards: cards.split(';').map(network_card).collect::<Option<_>>()?,
    };
    Some((name, since.parse().ok()?, limits))
}

/// `0:15`.
fn network_card(text: &str) -> Option<NetworkCard> {
    let (index, max_enis) = text.split_once(':')?;
    Some(NetworkCard { index: index.parse().ok()?, max_enis: max_enis.parse().ok()? })
}

/// `v1.7.15`, with or without something after it.
pub(crate) fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.trim().trim_start_matches('v').split(['.', '-', '+']).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_controller() {
        for (name, enis, usable, ipv4, trunk, branches) in [
            ("m5.large", 3, 3, 10, true, 9),
            ("m5.xlarge", 4, 4, 15, true, 18),
            ("c5.xlarge", 4, 4, 15, true, 18),
            ("c5.4xlarge", 8, 8, 30, true, 54),
            ("m6i.large", 3, 3, 10, true, 9),
            ("t3.medium", 3, 3, 6, false, 0),
            ("a1.medium", 2, 2, 4, true, 10),
            ("p4d.24xlarge", 60, 15, 50, true, 62),
        ] {
            let it = of(name).unwrap();
            let found = (it.max_enis, it.usable_enis(), it.ipv4_per_eni, it.trunk_compatible, it.branch_enis);
            assert_eq!(found, (enis, usable, ipv4, trunk, branches), "{name}");
        }
        assert_eq!(of("m5.metal").map(|it| (it.hypervisor, it.bare_metal)), Some((None, true)));
        assert_eq!(of("t2.micro").map(|it| it.hypervisor), Some(Some(Hypervisor::Xen)));
        assert_eq!(of("m5.enormous"), None);
    }

    #[test]
    fn every_line_of_the_file_is_read() {
        let is_comment = |line: &&str| line.starts_with('#');
        let lines = FILE.lines().filter(|line| !is_comment(line)).count() - 1;
        assert_eq!(CATALOG.rows.values().map(Vec::len).sum::<usize>(), lines);
        assert_eq!(tables().len(), FILE.lines().filter(|line| line.starts_with("# table")).count());
        let newest = Table::newest().unwrap();
        assert!(newest.is_of(SOURCE.version) && newest.generated.starts_with(SOURCE.date), "{newest:?}");
        let source = format!("# source: {}", SOURCE.name);
        assert!(FILE.lines().any(|line| line == source));
    }

    #[test]
    fn a_type_without_trunk_has_no_branches_and_none_has_more_than_the_vlans() {
        for (name, rows) in &CATALOG.rows {
            for (_, limits) in rows {
                assert_eq!(limits.branch_enis > 0, limits.trunk_compatible, "{name}");
                // VLANs of a trunk: 1 to 120 (pkg/provider/branch/trunk/trunk.go).
                assert!(limits.branch_enis <= 120, "{name}");
                assert!(limits.usable_enis() > 0, "{name}");
            }
        }
    }

    #[test]
    fn a_controller_knows_what_its_table_has() {
        for (controller, name, branches) in [
            // KARP #8981: a node of this type had no trunk with v1.7.15.
            ("v1.7.15", "r8a.xlarge", None),
            ("v1.7.18", "r8a.xlarge", Some(18)),
            ("v1.7.15", "m5.large", Some(9)),
            // The newer line had it later.
            ("v1.7.24", "r9g.2xlarge", Some(38)),
            ("v1.8.1", "r9g.2xlarge", None),
            // Known, and only later with a trunk.
            ("v1.8.0", "i4i.large", Some(0)),
            ("v1.8.1", "i4i.large", Some(9)),
            // Not looked into: what the one before has.
            ("v1.7.17", "r8a.xlarge", Some(18)),
            ("v1.9.0-rc1", "r9g.2xlarge", Some(38)),
        ] {
            let table = Table::of_controller(controller).unwrap();
            assert_eq!(table.of(name).map(|it| it.branch_enis), branches, "{name} of {controller}");
        }
        assert!(Table::of_controller("v1.6.0").is_none());
        assert!(Table::of_controller("latest").is_none());
        assert!(Table::of_controller("v1.7.16").is_some_and(|it| it.is_of("v1.7.16") && !it.is_of("v1.7.17")));
    }

    #[test]
    fn a_type_is_known_since_a_release() {
        for (name, controllers) in
            [("m5.large", &["v1.7.15"][..]), ("r8a.xlarge", &["v1.7.16"]), ("c7g-flex.large", &["v1.7.23", "v1.8.0"])]
        {
            assert_eq!(since(name).unwrap().controllers, controllers, "{name}");
        }
        assert!(since("m5.enormous").is_none());
    }
}
