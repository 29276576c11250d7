//! The questions, put to both.

use std::{collections::BTreeMap, fmt};

use sgp_analysis::{
    reach::{self, Answer, End, Question, ends},
    sets::{Protocol, Traffic},
    topology::Topology,
};
use sgp_sandbox::{probe, world::World};

use crate::{
    mutation::PORTS,
    random::Random,
    skeleton::{Service, Skeleton},
};

/// The port that the probe's clients send from (see `sgp_sandbox::probe`).
const CLIENT_PORT: u16 = 40_000;
/// The address that stands for the internet in the probe.
const INTERNET: &str = "203.0.113.1";

/// What both may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// There and back.
    Reachable,
    /// Not.
    Blocked,
    /// Nobody can say.
    Unknown,
}

/// One packet.
#[derive(Clone, Debug)]
struct Packet {
    from: String,
    to: String,
    protocol: probe::Protocol,
    port: Option<u16>,
}

/// What was found in one topology.
#[derive(Debug, Default)]
pub struct Judged {
    words: BTreeMap<Word, usize>,
    disagreements: Vec<String>,
}

/// What was found in all.
#[derive(Debug, Default)]
pub struct Count {
    topologies: usize,
    words: BTreeMap<Word, usize>,
    /// Each with the way to make it again.
    pub disagreements: Vec<String>,
}

impl Count {
    /// One topology more.
    pub fn add(&mut self, judged: Judged, at: &str) {
        self.topologies += 1;
        for (word, number) in judged.words {
            *self.words.entry(word).or_default() += number;
        }
        self.disagreements.extend(judged.disagreements.into_iter().map(|text| format!("{at}: {text}")));
    }

    /// Both together.
    pub fn join(&mut self, other: Self) {
        self.topologies += other.topologies;
        for (word, number) in other.words {
            *self.words.entry(word).or_default() += number;
        }
        self.disagreements.extend(other.disagreements);
    }

    /// The disagreements, the first ones in full.
    pub fn told(&self) -> String {
        let heads = self.disagreements.iter().skip(3).take(60).filter_map(|text| text.lines().next());
        let whole = self.disagreements.iter().take(3).map(String::as_str);
        whole.chain(heads).collect::<Vec<_>>().join("\n")
    }
}

/// `10000 topologies, 105000 questions (Reachable 20000, ...), 0 disagreements`.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let questions: usize = self.words.values().sum();
        let words: Vec<String> = self.words.iter().map(|(word, number)| format!("{word:?} {number}")).collect();
        let (topologies, wrong) = (self.topologies, self.disagreements.len());
        write!(f, "{topologies} topologies, {questions} questions ({}), {wrong} disagreements", words.join(", "))
    }
}

/// Puts some questions to both.
pub fn compare(world: &World, all: &Skeleton, topology: &Topology, random: &mut Random) -> Judged {
    let mut judged = Judged::default();
    for _ in 0..random.between(1, 20) {
        let packet = packet(all, random);
        if random.percent(10) && !all.services.is_empty() {
            let service = random.pick(&all.services);
            judged.note(of_service(world, topology, &packet, service));
        } else {
            judged.note(of_packet(world, topology, &packet));
        }
    }
    judged
}

impl Judged {
    fn note(&mut self, (word, disagreement): (Word, Option<String>)) {
        *self.words.entry(word).or_default() += 1;
        self.disagreements.extend(disagreement);
    }
}

fn packet(all: &Skeleton, random: &mut Random) -> Packet {
    let (from, to) = (random.pick(&all.ends).clone(), random.pick(&all.ends).clone());
    let protocol = match random.below(10) {
        0 => probe::Protocol::Icmp,
        1 | 2 => probe::Protocol::Udp,
        _ => probe::Protocol::Tcp,
    };
    let port = (protocol != probe::Protocol::Icmp).then(|| *random.pick(&PORTS));
    Packet { from, to, protocol, port }
}

fn walked(world: &World, packet: &Packet) -> Result<(Word, probe::Trace), String> {
    let Packet { from, to, protocol, port } = packet.clone();
    let trace = probe::probe(world, &probe::Question { from, to, protocol, port })?;
    let word = match trace.verdict {
        probe::Verdict::Reachable => Word::Reachable,
        probe::Verdict::Blocked => Word::Blocked,
        probe::Verdict::Unknown => Word::Unknown,
    };
    Ok((word, trace))
}

fn traffic(packet: &Packet) -> Traffic {
    match packet.protocol {
        probe::Protocol::Tcp => Traffic::port(Protocol::TCP, packet.port.unwrap_or_default()),
        probe::Protocol::Udp => Traffic::port(Protocol::UDP, packet.port.unwrap_or_default()),
        probe::Protocol::Icmp => Traffic::icmp(Protocol::ICMP, Some(8), Some(0)),
    }
}

fn in_a_word(answer: &Answer, wanted: &Traffic) -> Word {
    match answer.verdict(wanted) {
        reach::Verdict::Reachable => Word::Reachable,
        reach::Verdict::Unreachable => Word::Blocked,
        reach::Verdict::Depends => Word::Unknown,
    }
}

/// An end by its name.
fn end(topology: &Topology, name: &str) -> Result<End, String> {
    let name = if name == "internet" { INTERNET } else { name };
    let mut found = ends::find(topology, name)?.ends;
    if found.len() == 1 { Ok(found.remove(0)) } else { Err(format!("{name} is {} ends", found.len())) }
}

/// The analysis, for one packet between two ends.
fn asked(topology: &Topology, from: &End, to: &End, wanted: &Traffic, is_told: bool) -> Answer {
    let mut question = Question::new(from, to);
    question.client_ports = CLIENT_PORT..=CLIENT_PORT;
    question.wanted = wanted.clone();
    question.is_told = is_told;
    reach::ask(topology, &question)
}

fn computed(topology: &Topology, packet: &Packet, is_told: bool) -> Result<(Word, Answer), String> {
    let (from, to) = (end(topology, &packet.from)?, end(topology, &packet.to)?);
    let wanted = traffic(packet);
    let answer = asked(topology, &from, &to, &wanted, is_told);
    Ok((in_a_word(&answer, &wanted), answer))
}

fn of_packet(world: &World, topology: &Topology, packet: &Packet) -> (Word, Option<String>) {
    let (word, trace) = match walked(world, packet) {
        Ok(walked) => walked,
        Err(error) => return (Word::Unknown, Some(format!("{packet}: the probe refuses: {error}"))),
    };
    let (other, _) = match computed(topology, packet, false) {
        Ok(computed) => computed,
        Err(error) => return (word, Some(format!("{packet}: the analysis refuses: {error}"))),
    };
    if word == other {
        return (word, None);
    }
    let answer = computed(topology, packet, true).map(|(_, answer)| answer.hops).unwrap_or_default();
    let lines = format!("the probe:\n{}{}the analysis:\n{}", hops(&trace.hops), hops(&trace.reply), hops(&answer));
    (word, Some(format!("{packet}: the probe says {word:?}, the analysis {other:?}\n{lines}")))
}

/// A way, a line a hop.
fn hops(hops: &[impl fmt::Debug]) -> String {
    hops.iter().map(|hop| format!("    {hop:?}\n")).collect()
}

/// A Service is as good as the pods behind it: kube-proxy takes any of them.
fn of_service(world: &World, topology: &Topology, packet: &Packet, service: &Service) -> (Word, Option<String>) {
    let to_pod = |(pod, port): &(String, u16)| Packet {
        to: pod.clone(),
        protocol: probe::Protocol::Tcp,
        port: Some(*port),
        from: packet.from.clone(),
    };
    let walked: Result<Vec<Word>, String> =
        service.pods.iter().map(|pod| walked(world, &to_pod(pod)).map(|(word, _)| word)).collect();
    let word = walked.and_then(agreed);
    let other = behind(topology, packet, service);
    let text = format!("{} -> {}: the probe says {word:?}, the analysis {other:?}", packet.from, service.name);
    let is_wrong = word != other || word.is_err();
    (word.unwrap_or(Word::Unknown), is_wrong.then_some(text))
}

/// What the analysis says of the pods that it finds behind a Service.
fn behind(topology: &Topology, packet: &Packet, service: &Service) -> Result<Word, String> {
    let (from, to) = (end(topology, &packet.from)?, ends::find(topology, &service.name)?);
    let forward = to.ports.iter().find(|it| it.from == service.port).and_then(|it| it.to);
    let wanted = Traffic::port(Protocol::TCP, forward.ok_or("no port")?);
    let words = to.ends.iter().map(|pod| in_a_word(&asked(topology, &from, pod, &wanted, false), &wanted));
    agreed(words.collect())
}

/// One word for all, or that nobody can say.
fn agreed(mut words: Vec<Word>) -> Result<Word, String> {
    words.sort_unstable();
    words.dedup();
    match words.as_slice() {
        [] => Err("nothing is behind it".to_owned()),
        [word] => Ok(*word),
        _ => Ok(Word::Unknown),
    }
}

/// `c0:app/p7 -> internet tcp/443`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, protocol, port } = self;
        write!(f, "{from} -> {to} {}", protocol.name())?;
        port.map_or(Ok(()), |port| write!(f, "/{port}"))
    }
}
