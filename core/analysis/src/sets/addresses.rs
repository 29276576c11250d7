//! Sets of addresses of both families.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

use ipnet::IpNet;
use range_set_blaze::RangeSetBlaze;

/// A family of addresses. Nothing passes from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The family of a block.
    pub fn of_block(block: &IpNet) -> Self {
        Self::of(block.addr())
    }
}

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    v4: RangeSetBlaze<Ipv4Addr>,
    v6: RangeSetBlaze<Ipv6Addr>,
}

/// What is neither routed on the internet nor anybody's there: RFC 6890's registries, less what AWS may use in a VPC as public.
pub(crate) const NOT_PUBLIC: [&str; 14] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/8",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

impl AddressSet {
    /// No address.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every address of both families.
    pub fn all() -> Self {
        Self {
            v4: RangeSetBlaze::from_iter([Ipv4Addr::UNSPECIFIED..=Ipv4Addr::BROADCAST]),
            v6: RangeSetBlaze::from_iter([Ipv6Addr::UNSPECIFIED..=Ipv6Addr::from_bits(u128::MAX)]),
        }
    }

    /// The addresses that the internet routes.
    pub fn internet() -> Self {
        let private = NOT_PUBLIC.iter().filter_map(|block| block.parse::<IpNet>().ok()).collect();
        Self::all().without(&private)
    }

    /// The addresses of one family.
    #[must_use]
    pub fn of_family(&self, family: Family) -> Self {
        match family {
            Family::V4 => Self { v4: self.v4.clone(), v6: RangeSetBlaze::new() },
            Family::V6 => Self { v4: RangeSetBlaze::new(), v6: self.v6.clone() },
        }
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether it holds an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address),
            IpAddr::V6(address) => self.v6.contains(address),
        }
    }

    /// Whether every address of `other` is in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.v4.is_subset(&self.v4) && other.v6.is_subset(&self.v6)
    }

    /// Whether they have an address in common.
    pub fn meets(&self, other: &Self) -> bool {
        !self.v4.is_disjoint(&other.v4) || !self.v6.is_disjoint(&other.v6)
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self { v4: &self.v4 | &other.v4, v6: &self.v6 | &other.v6 }
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { v4: &self.v4 & &other.v4, v6: &self.v6 & &other.v6 }
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self { v4: &self.v4 - &other.v4, v6: &self.v6 - &other.v6 }
    }

    /// Whether a block holds all of its addresses, or none; `None` when it holds a part of them.
    pub fn is_within(&self, block: &IpNet) -> Option<bool> {
        let has_others = match block {
            IpNet::V4(_) => !self.v6.is_empty(),
            IpNet::V6(_) => !self.v4.is_empty(),
        };
        self.part_within(block).filter(|is_in| !(*is_in && has_others))
    }

    /// Whether there are addresses of a family in it.
    pub fn has_family(&self, family: Family) -> bool {
        match family {
            Family::V4 => !self.v4.is_empty(),
            Family::V6 => !self.v6.is_empty(),
        }
    }

    /// The only address of a family, when there is exactly one.
    pub fn single_of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => only(self.v4.ranges()).map(IpAddr::V4),
            Family::V6 => only(self.v6.ranges()).map(IpAddr::V6),
        }
    }

    /// Whether a block holds all of the addresses of its family, or none; `None` when it holds a part of them.
    pub fn part_within(&self, block: &IpNet) -> Option<bool> {
        match block {
            IpNet::V4(net) => part(self.v4.ranges(), &net.network(), &net.broadcast()),
            IpNet::V6(net) => part(self.v6.ranges(), &net.network(), &net.broadcast()),
        }
    }

    /// Whether a set holds all of the addresses of a family, or none; `None` when it holds a part of them.
    pub fn part_in(&self, set: &Self, family: Family) -> Option<bool> {
        let (is_whole, is_apart) = match family {
            Family::V4 => (self.v4.is_subset(&set.v4), self.v4.is_disjoint(&set.v4)),
            Family::V6 => (self.v6.is_subset(&set.v6), self.v6.is_disjoint(&set.v6)),
        };
        match (is_whole, is_apart) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => None,
        }
    }

    /// Its ranges, both ends included.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<IpAddr>> {
        let v4 = self.v4.ranges().map(|it| IpAddr::V4(*it.start())..=IpAddr::V4(*it.end()));
        let v6 = self.v6.ranges().map(|it| IpAddr::V6(*it.start())..=IpAddr::V6(*it.end()));
        v4.chain(v6)
    }

    /// Its addresses, when each stands alone and there are few of them.
    pub fn few(&self) -> Option<Vec<IpAddr>> {
        const FEW: usize = 4;
        let alone = |it: RangeInclusive<IpAddr>| (it.start() == it.end()).then_some(*it.start());
        let few: Vec<IpAddr> = self.ranges().take(FEW + 1).map(alone).collect::<Option<_>>()?;
        (1..=FEW).contains(&few.len()).then_some(few)
    }

    /// The only address, when there is exactly one.
    pub fn single(&self) -> Option<IpAddr> {
        match (self.v4.is_empty(), self.v6.is_empty()) {
            (false, true) => self.single_of(Family::V4),
            (true, false) => self.single_of(Family::V6),
            _ => None,
        }
    }
}

fn only<T: Copy + PartialEq>(mut ranges: impl Iterator<Item = RangeInclusive<T>>) -> Option<T> {
    let first = ranges.next()?;
    (first.start() == first.end() && ranges.next().is_none()).then_some(*first.start())
}

/// Whether ranges lie between two addresses, all of them or none.
fn part<T: PartialOrd>(ranges: impl Iterator<Item = RangeInclusive<T>>, first: &T, last: &T) -> Option<bool> {
    let mut known = None;
    for range in ranges {
        let meets = range.start() <= last && range.end() >= first;
        let is_in = meets && range.start() >= first && range.end() <= last;
        if meets != is_in || known.is_some_and(|known| known != is_in) {
            return None;
        }
        known = Some(is_in);
    }
    Some(known.unwrap_or(false))
}

impl From<IpNet> for AddressSet {
    fn from(block: IpNet) -> Self {
        match block {
            IpNet::V4(net) => {
                Self { v4: RangeSetBlaze::from_iter([net.network()..=net.broadcast()]), v6: RangeSetBlaze::new() }
            }
            IpNet::V6(net) => {
                Self { v4: RangeSetBlaze::new(), v6: RangeSetBlaze::from_iter([net.network()..=net.broadcast()]) }
            }
        }
    }
}

impl From<IpAddr> for AddressSet {
    fn from(address: IpAddr) -> Self {
        IpNet::from(address).into()
    }
}

impl FromIterator<IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(blocks: I) -> Self {
        let mut all = Self::none();
        for block in blocks {
            match block {
                IpNet::V4(net) => {
                    all.v4.ranges_insert(net.network()..=net.broadcast());
                }
                IpNet::V6(net) => {
                    all.v6.ranges_insert(net.network()..=net.broadcast());
                }
            }
        }
        all
    }
}

impl<'a> FromIterator<&'a IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = &'a IpNet>>(blocks: I) -> Self {
        blocks.into_iter().copied().collect()
    }
}

/// Ranges, joined by commas; a block as a block.
impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v4 = self.v4.ranges().map(|range| (IpAddr::V4(*range.start()), IpAddr::V4(*range.end())));
        let v6 = self.v6.ranges().map(|range| (IpAddr::V6(*range.start()), IpAddr::V6(*range.end())));
        for (i, (first, last)) in v4.chain(v6).enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match as_block(first, last) {
                Some(block) if first == last => write!(f, "{}", block.addr())?,
                Some(block) => write!(f, "{block}")?,
                None => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The block that a range is, when it is one.
fn as_block(first: IpAddr, last: IpAddr) -> Option<IpNet> {
    let shared = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
        _ => return None,
    };
    let block = IpNet::new(first, u8::try_from(shared).ok()?).ok()?;
    (block.network() == first && block.broadcast() == last).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(blocks: &[&str]) -> AddressSet {
        blocks.iter().map(|block| block.parse::<IpNet>().unwrap()).collect()
    }

    #[test]
    fn sets_are_what_their_blocks_are() {
        let vpc = set(&["10.0.0.0/16"]);
        assert!(vpc.covers(&set(&["10.0.1.0/24", "10.0.255.0/24"])));
        assert!(!vpc.covers(&set(&["10.0.0.0/15"])));
        assert!(vpc.meets(&set(&["10.0.0.0/8"])));
        assert!(!vpc.meets(&set(&["fc00::/7", "10.1.0.0/16"])));
        assert_eq!(set(&["10.0.0.0/25", "10.0.0.128/25"]), set(&["10.0.0.0/24"]));
    }

    #[test]
    fn a_block_holds_all_a_part_or_none() {
        let sets = [
            &["10.0.1.0/24"][..],
            &["10.0.1.4/32"],
            &["10.0.1.4/32", "10.0.9.0/24"],
            &["10.0.0.0/8"],
            &["fd00::/64"],
            &["10.0.1.4/32", "fd00::1/128"],
        ];
        let blocks = ["10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/25", "10.0.1.128/25", "0.0.0.0/0", "fd00::/8", "::/0"];
        for addresses in sets.map(set) {
            for block in blocks {
                let whole = set(&[block]);
                let wanted = match (whole.covers(&addresses), whole.meets(&addresses)) {
                    (true, _) => Some(true),
                    (false, true) => None,
                    (false, false) => Some(false),
                };
                assert_eq!(addresses.is_within(&block.parse().unwrap()), wanted, "{addresses} in {block}");
            }
        }
    }

    #[test]
    fn the_internet_has_no_private_address() {
        let internet = AddressSet::internet();
        for (address, is_there) in [
            ("203.0.113.1", true),
            ("8.8.8.8", true),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.63.255.255", true),
            ("172.32.0.0", true),
            ("2001:db8::1", true),
            ("fd00::1", false),
        ] {
            assert_eq!(internet.contains(address.parse().unwrap()), is_there, "{address}");
        }
    }

    #[test]
    fn they_read_as_blocks() {
        for (blocks, text) in [
            (vec!["10.0.0.0/16"], "10.0.0.0/16"),
            (vec!["10.0.0.1/32"], "10.0.0.1"),
            (vec!["10.0.0.0/24", "10.0.1.0/25"], "10.0.0.0-10.0.1.127"),
            (vec!["0.0.0.0/0", "::/0"], "0.0.0.0/0, ::/0"),
        ] {
            assert_eq!(set(&blocks).to_string(), text);
        }
    }

    #[test]
    fn one_address_is_told_from_many() {
        assert_eq!(set(&["10.0.0.1/32"]).single(), "10.0.0.1".parse().ok());
        assert_eq!(set(&["fd00::1/128"]).single(), "fd00::1".parse().ok());
        assert_eq!(set(&["10.0.0.0/31"]).single(), None);
        assert_eq!(set(&["10.0.0.1/32", "fd00::1/128"]).single(), None);
        assert_eq!(AddressSet::none().single(), None);
    }
}
