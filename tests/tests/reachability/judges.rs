//! The questions, put to both.

use std::{cell::OnceCell, fmt, net::IpAddr};

use sgp_analysis::{
    reach::{self, End, Hop, Question, ends},
    sets::{AddressSet, Family, Protocol, Traffic},
    topology::{Namespace, Topology},
};
use sgp_sandbox::{kubernetes::objects::Key, probe, world::World};

use crate::{
    count::{Judged, Stand, Word},
    mutation::{Changed, PORTS},
    random::Random,
    skeleton::Skeleton,
};

/// The port that the probe's clients send from (see `sgp_sandbox::probe`).
const CLIENT_PORT: u16 = 40_000;
/// The addresses that stand for the internet in the probe.
const INTERNET: [&str; 2] = ["203.0.113.1", "2001:db8::1"];

/// One packet.
#[derive(Clone, Debug)]
struct Packet {
    from: String,
    to: String,
    is_to_service: bool,
    protocol: probe::Protocol,
    port: Option<u16>,
}

/// Puts some questions to both.
pub fn compare(world: &World, all: &Skeleton, changed: &Changed, topology: &Topology, random: &mut Random) -> Judged {
    let mut judged = Judged::default();
    let both = Both { world, all, topology, whole: OnceCell::new() };
    for _ in 0..random.between(1, 20) {
        let packet = if random.percent(30) { to_service(all, changed, random) } else { packet(all, random) };
        let (word, stand) = both.ask(&packet);
        judged.note(packet.is_to_service, word, stand);
    }
    judged
}

fn packet(all: &Skeleton, random: &mut Random) -> Packet {
    let ends = &all.ends[usize::from(random.percent(40))];
    let (from, to) = (random.pick(ends).clone(), random.pick(ends).clone());
    let protocol = match random.below(10) {
        0 => probe::Protocol::Icmp,
        1 | 2 => probe::Protocol::Udp,
        _ => probe::Protocol::Tcp,
    };
    let port = (protocol != probe::Protocol::Icmp).then(|| *random.pick(&PORTS));
    Packet { from, to, is_to_service: false, protocol, port }
}

/// By the name of a Service, or by its address for whoever is in its cluster.
fn to_service(all: &Skeleton, changed: &Changed, random: &mut Random) -> Packet {
    let front = random.pick(&changed.fronts);
    let cluster = all.clusters.iter().find(|it| it.name == front.cluster).expect("it has a cluster");
    let ends = &all.ends[usize::from(cluster.is_ipv6)];
    let prefix = format!("{}:", cluster.name);
    let inside: Vec<&String> = ends.iter().filter(|it| it.starts_with(&prefix)).collect();
    let is_inside = random.percent(75);
    let from = if is_inside { (*random.pick(&inside)).clone() } else { random.pick(ends).clone() };
    let by_address = front.address.clone().filter(|_| is_inside && random.percent(20));
    let protocol = if front.protocol == "UDP" { probe::Protocol::Udp } else { probe::Protocol::Tcp };
    let port = Some(*random.pick(&front.ports));
    Packet { from, to: by_address.unwrap_or_else(|| front.name.clone()), is_to_service: true, protocol, port }
}

fn walked(world: &World, packet: &Packet) -> Result<(Word, probe::Trace), String> {
    let Packet { from, to, protocol, port, .. } = packet.clone();
    let trace = probe::probe(world, &probe::Question { from, to, protocol, port })?;
    let word = match trace.verdict {
        probe::Verdict::Reachable => Word::Reachable,
        probe::Verdict::Blocked => Word::Blocked,
        probe::Verdict::Unknown => Word::Unknown,
    };
    Ok((word, trace))
}

fn traffic(packet: &Packet, family: Family) -> Traffic {
    match (packet.protocol, family) {
        (probe::Protocol::Tcp, _) => Traffic::port(Protocol::TCP, packet.port.unwrap_or_default()),
        (probe::Protocol::Udp, _) => Traffic::port(Protocol::UDP, packet.port.unwrap_or_default()),
        (probe::Protocol::Icmp, Family::V4) => Traffic::icmp(Protocol::ICMP, Some(8), Some(0)),
        (probe::Protocol::Icmp, Family::V6) => Traffic::icmp(Protocol::ICMPV6, Some(128), Some(0)),
    }
}

fn in_a_word(verdict: reach::Verdict) -> Word {
    match verdict {
        reach::Verdict::Reachable => Word::Reachable,
        reach::Verdict::Unreachable => Word::Blocked,
        reach::Verdict::Depends => Word::Unknown,
    }
}

/// What the analysis says, with the way where it is wanted.
fn computed(topology: &Topology, packet: &Packet, is_told: bool) -> Result<(Word, Vec<Hop>), String> {
    if packet.is_to_service {
        let (mut from, to) = (ends::find(topology, &packet.from)?, ends::find(topology, &packet.to)?);
        from.ends = vec![end(topology, &packet.from)?];
        let (wanted, ports) = (traffic(packet, Family::V4), CLIENT_PORT..=CLIENT_PORT);
        let trace = reach::trace_from_ports(topology, &from, &to, &wanted, ports);
        return Ok((in_a_word(trace.verdict), trace.hops));
    }
    let (from, to) = (end(topology, &packet.from)?, end(topology, &packet.to)?);
    let of = |end: &End, family| End { addresses: end.addresses.of_family(family), ..end.clone() };
    let both_speak = |family| !of(&from, family).addresses.is_empty() && !of(&to, family).addresses.is_empty();
    // An echo is another protocol in each family; all else is one question.
    if packet.protocol != probe::Protocol::Icmp || !both_speak(Family::V6) {
        return Ok(asked(topology, &from, &to, &traffic(packet, Family::V4), is_told));
    }
    let families = [Family::V4, Family::V6].into_iter().filter(|family| both_speak(*family));
    let answers =
        families.map(|family| asked(topology, &of(&from, family), &of(&to, family), &traffic(packet, family), is_told));
    let rank = |word: &Word| [Word::Blocked, Word::Unknown, Word::Reachable].iter().position(|it| it == word);
    answers.max_by_key(|(word, _)| rank(word)).ok_or_else(|| "no family".to_owned())
}

/// An end by its name.
fn end(topology: &Topology, name: &str) -> Result<End, String> {
    if name == "internet" {
        let [one, other] = INTERNET.map(|address| AddressSet::from(address.parse::<IpAddr>().expect("an address")));
        return Ok(End::outside(name, one.or(&other)));
    }
    let mut found = ends::find(topology, name)?.ends;
    if found.len() == 1 { Ok(found.remove(0)) } else { Err(format!("{name} is {} ends", found.len())) }
}

/// The analysis, for one packet between two ends.
fn asked(topology: &Topology, from: &End, to: &End, wanted: &Traffic, is_told: bool) -> (Word, Vec<Hop>) {
    let mut question = Question::new(from, to);
    question.client_ports = CLIENT_PORT..=CLIENT_PORT;
    question.wanted = wanted.clone();
    question.is_told = is_told;
    let answer = reach::ask(topology, &question);
    (in_a_word(answer.verdict(wanted)), answer.hops)
}

/// Both of one account.
struct Both<'a> {
    world: &'a World,
    all: &'a Skeleton,
    topology: &'a Topology,
    /// The topology with what nobody told.
    whole: OnceCell<Topology>,
}

impl Both<'_> {
    fn ask(&self, packet: &Packet) -> (Word, Stand) {
        let (word, trace) = match walked(self.world, packet).map(|(word, trace)| (word, Some(trace))) {
            Ok(walked) => walked,
            Err(error) if error.ends_with("are of different families") => (Word::Blocked, None),
            Err(error) => return (Word::Unknown, Stand::Disagreed(format!("{packet}: the probe refuses: {error}"))),
        };
        let other = match computed(self.topology, packet, false) {
            Ok((other, _)) => other,
            Err(error) => return (word, Stand::Disagreed(format!("{packet}: the analysis refuses: {error}"))),
        };
        if word == other {
            return (word, Stand::Agreed);
        }
        if other == Word::Unknown && !self.all.untold.is_empty() {
            let whole = self.whole.get_or_init(|| self.told());
            if computed(whole, packet, false).is_ok_and(|(it, _)| it == word) {
                return (word, Stand::Open);
            }
        }
        let answer = computed(self.topology, packet, true).map(|(_, hops)| hops).unwrap_or_default();
        let walked = trace.map(|it| hops(&it.hops) + &hops(&it.reply)).unwrap_or_default();
        let lines = format!("the probe:\n{walked}the analysis:\n{}", hops(&answer));
        (word, Stand::Disagreed(format!("{packet}: the probe says {word:?}, the analysis {other:?}\n{lines}")))
    }

    /// The same topology, with the labels of all namespaces.
    fn told(&self) -> Topology {
        let mut topology = self.topology.clone();
        for (cluster, name) in &self.all.untold {
            let row = self.world.kubernetes.objects.get(&Key::new(cluster, "namespaces", "", name));
            let labels = row.and_then(|it| it["metadata"]["labels"].as_object().cloned()).unwrap_or_default();
            let text = |(key, value): (String, serde_json::Value)| Some((key, value.as_str()?.to_owned()));
            let namespace = Namespace { labels: labels.into_iter().filter_map(text).collect() };
            let cluster = topology.clusters.get_mut(cluster.as_str()).expect("it was told");
            cluster.namespaces.insert(name.clone(), namespace);
        }
        topology
    }
}

/// A way, a line a hop.
fn hops(hops: &[impl fmt::Debug]) -> String {
    hops.iter().map(|hop| format!("    {hop:?}\n")).collect()
}

/// `c0:app/p7 -> internet tcp/443`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, protocol, port, .. } = self;
        write!(f, "{from} -> {to} {}", protocol.name())?;
        port.map_or(Ok(()), |port| write!(f, "/{port}"))
    }
}
