//! Interfaces and pods with the ways by which they are found. An account has thousands of them, and every group, pod and node asks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    ops::Deref,
};

use super::{Id, Interface, InterfaceKind, Pod, PodKey};

/// Network interfaces by id, as a map to read.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    all: BTreeMap<Id, Interface>,
    by_address: HashMap<IpAddr, BTreeSet<Id>>,
    by_group: HashMap<Id, BTreeSet<Id>>,
    by_instance: HashMap<Id, BTreeSet<Id>>,
    /// Those that prefixes were delegated to.
    prefixed: BTreeSet<Id>,
}

impl Interfaces {
    /// Puts one in, in place of what had its id.
    pub fn insert(&mut self, id: Id, interface: Interface) {
        if let Some(old) = self.all.remove(&id) {
            forget(&mut self.by_address, &old.addresses, &id);
            forget(&mut self.by_group, &old.groups, &id);
            forget(&mut self.by_instance, &old.instance, &id);
            self.prefixed.remove(&id);
        }
        remember(&mut self.by_address, &interface.addresses, &id);
        remember(&mut self.by_group, &interface.groups, &id);
        remember(&mut self.by_instance, &interface.instance, &id);
        if !interface.prefixes.is_empty() {
            self.prefixed.insert(id.clone());
        }
        self.all.insert(id, interface);
    }

    /// Those that carry a group, by id.
    pub fn with_group(&self, group: &Id) -> impl Iterator<Item = (&Id, &Interface)> {
        self.known(self.by_group.get(group))
    }

    /// Those that have an address, themselves or in a delegated prefix: two VPCs may have it.
    pub fn with_address(&self, address: IpAddr) -> impl Iterator<Item = (&Id, &Interface)> {
        let has = move |(_, it): &(&Id, &Interface)| {
            !it.addresses.contains(&address) && it.prefixes.iter().any(|net| net.contains(&address))
        };
        self.known(self.by_address.get(&address)).chain(self.known(Some(&self.prefixed)).filter(has))
    }

    /// An instance's first one.
    pub fn first_of(&self, instance: &Id) -> Option<(&Id, &Interface)> {
        let mut all = self.known(self.by_instance.get(instance));
        all.find(|(_, it)| it.device_index == Some(0) && it.kind != InterfaceKind::Branch)
    }

    fn known<'a>(&'a self, ids: Option<&'a BTreeSet<Id>>) -> impl Iterator<Item = (&'a Id, &'a Interface)> {
        ids.into_iter().flatten().filter_map(|id| self.all.get_key_value(id))
    }
}

impl Deref for Interfaces {
    type Target = BTreeMap<Id, Interface>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

/// Pods that run by their names, as a map to read.
#[derive(Clone, Debug, Default)]
pub struct Pods {
    all: BTreeMap<PodKey, Pod>,
    by_address: HashMap<IpAddr, BTreeSet<PodKey>>,
    by_branch: HashMap<Id, BTreeSet<PodKey>>,
    /// By namespace, kind and name of what made them: a ReplicaSet, and the Deployment that made that.
    by_maker: HashMap<(String, String, String), BTreeSet<PodKey>>,
}

impl Pods {
    /// Puts one in, in place of what had its name.
    pub fn insert(&mut self, key: PodKey, pod: Pod) {
        if let Some(old) = self.all.remove(&key) {
            forget(&mut self.by_address, &old.addresses, &key);
            forget(&mut self.by_branch, &old.branch, &key);
            forget(&mut self.by_maker, &makers_of(&key, &old), &key);
        }
        remember(&mut self.by_address, &pod.addresses, &key);
        remember(&mut self.by_branch, &pod.branch, &key);
        remember(&mut self.by_maker, &makers_of(&key, &pod), &key);
        self.all.insert(key, pod);
    }

    /// Those that have an address.
    pub fn with_address(&self, address: IpAddr) -> impl Iterator<Item = (&PodKey, &Pod)> {
        self.known(self.by_address.get(&address))
    }

    /// Those that a branch interface was made for.
    pub fn with_branch(&self, interface: &Id) -> impl Iterator<Item = (&PodKey, &Pod)> {
        self.known(self.by_branch.get(interface))
    }

    /// Those of a workload.
    pub fn made_by(&self, namespace: &str, kind: &str, name: &str) -> impl Iterator<Item = (&PodKey, &Pod)> {
        self.known(self.by_maker.get(&(namespace.to_owned(), kind.to_owned(), name.to_owned())))
    }

    fn known<'a>(&'a self, keys: Option<&'a BTreeSet<PodKey>>) -> impl Iterator<Item = (&'a PodKey, &'a Pod)> {
        keys.into_iter().flatten().filter_map(|key| self.all.get_key_value(key))
    }
}

impl Deref for Pods {
    type Target = BTreeMap<PodKey, Pod>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<'a> IntoIterator for &'a Pods {
    type Item = (&'a PodKey, &'a Pod);
    type IntoIter = std::collections::btree_map::Iter<'a, PodKey, Pod>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

/// What may have made something that has this owner: the owner, and what makes such owners under its own name and a suffix (ReplicaSet
/// `backend-5d4f` of Deployment `backend`).
pub(crate) fn makers<'a>(kind: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let above = match kind {
        "ReplicaSet" => Some("Deployment"),
        "Job" => Some("CronJob"),
        _ => None,
    };
    let base = name.rsplit_once('-').map(|(base, _)| base);
    [(kind, name)].into_iter().chain(above.zip(base))
}

fn makers_of(key: &PodKey, pod: &Pod) -> Vec<(String, String, String)> {
    let owner = pod.owner.iter().flat_map(|(kind, name)| makers(kind, name));
    owner.map(|(kind, name)| (key.namespace.clone(), kind.to_owned(), name.to_owned())).collect()
}

fn remember<'a, K, V>(index: &mut HashMap<K, BTreeSet<V>>, keys: impl IntoIterator<Item = &'a K>, value: &V)
where
    K: Clone + Eq + std::hash::Hash + 'a,
    V: Clone + Ord,
{
    for key in keys {
        index.entry(key.clone()).or_default().insert(value.clone());
    }
}

fn forget<'a, K, V>(index: &mut HashMap<K, BTreeSet<V>>, keys: impl IntoIterator<Item = &'a K>, value: &V)
where
    K: Eq + std::hash::Hash + 'a,
    V: Ord,
{
    for key in keys {
        if let Some(all) = index.get_mut(key) {
            all.remove(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(address: &str, branch: &str, owner: (&str, &str)) -> Pod {
        Pod {
            addresses: vec![address.parse().unwrap()],
            branch: Some(branch.into()),
            owner: Some((owner.0.to_owned(), owner.1.to_owned())),
            ..Pod::default()
        }
    }

    fn names<'a>(pods: impl Iterator<Item = (&'a PodKey, &'a Pod)>) -> Vec<&'a str> {
        pods.map(|(key, _)| key.name.as_str()).collect()
    }

    #[test]
    fn what_is_put_in_again_is_found_by_what_it_has_now() {
        let key = |name: &str| PodKey { namespace: "app".into(), name: name.into() };
        let mut pods = Pods::default();
        pods.insert(key("one"), pod("10.0.0.1", "eni-1", ("ReplicaSet", "backend-5d4f")));
        pods.insert(key("two"), pod("10.0.0.2", "eni-2", ("Job", "nightly-29")));
        pods.insert(key("one"), pod("10.0.0.3", "eni-3", ("ReplicaSet", "backend-api-6e7a")));
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(names(pods.with_address(at("10.0.0.1"))), [""; 0]);
        assert_eq!(names(pods.with_address(at("10.0.0.3"))), ["one"]);
        assert_eq!(names(pods.with_branch(&"eni-1".into())), [""; 0]);
        assert_eq!(names(pods.with_branch(&"eni-3".into())), ["one"]);
        assert_eq!(names(pods.made_by("app", "Deployment", "backend")), [""; 0]);
        assert_eq!(names(pods.made_by("app", "Deployment", "backend-api")), ["one"]);
        assert_eq!(names(pods.made_by("app", "ReplicaSet", "backend-api-6e7a")), ["one"]);
        assert_eq!(names(pods.made_by("app", "CronJob", "nightly")), ["two"]);
        assert_eq!(names(pods.made_by("other", "CronJob", "nightly")), [""; 0]);
    }

    #[test]
    fn interfaces_are_found_by_address_prefix_group_and_instance() {
        let interface = |address: &str, prefix: Option<&str>, group: &str| Interface {
            kind: InterfaceKind::Node,
            vpc: "vpc-1".into(),
            subnet: "subnet-1".into(),
            addresses: vec![address.parse().unwrap()],
            prefixes: prefix.into_iter().map(|it| it.parse().unwrap()).collect(),
            public: Vec::new(),
            groups: vec![group.into()],
            instance: Some("i-1".into()),
            device_index: Some(0),
            is_in_use: true,
            description: String::new(),
        };
        let ids = |address: &str, all: &Interfaces| -> Vec<String> {
            all.with_address(address.parse().unwrap()).map(|(id, _)| id.to_string()).collect()
        };
        let mut all = Interfaces::default();
        all.insert("eni-1".into(), interface("10.0.0.1", Some("10.0.1.0/28"), "sg-1"));
        assert_eq!(ids("10.0.1.5", &all), ["eni-1"]);
        assert_eq!(all.first_of(&"i-1".into()).unwrap().0.as_str(), "eni-1");
        all.insert("eni-1".into(), interface("10.0.0.2", None, "sg-2"));
        assert_eq!((ids("10.0.0.1", &all).len(), ids("10.0.1.5", &all).len(), ids("10.0.0.2", &all).len()), (0, 0, 1));
        assert_eq!((all.with_group(&"sg-1".into()).count(), all.with_group(&"sg-2".into()).count()), (0, 1));
    }
}
