//! A packet on its way.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP echo, of the packet's address family.
    Icmp,
}

impl Protocol {
    /// `tcp`, `udp`, `icmp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }

    /// The number in the IP header of that family.
    pub fn number(self, is_ipv6: bool) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Icmp if is_ipv6 => 58,
            Self::Icmp => 1,
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "icmp" => Ok(Self::Icmp),
            _ => Err(format!("{text} is not a protocol; tcp, udp and icmp are")),
        }
    }
}

/// The port that clients send from here: one of Linux's ephemeral ports.
pub const CLIENT_PORT: u16 = 40_000;

/// One packet. ICMP has no ports; its type is echo request on the way there and echo reply on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// What it carries.
    pub protocol: Protocol,
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
}

impl Packet {
    /// The answer to it.
    pub fn answer(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            protocol: self.protocol,
            source_port: self.destination_port,
            destination_port: self.source_port,
        }
    }

    /// ICMP's type: echo request goes to port 0 here, echo reply comes from it.
    pub fn icmp_type(self) -> u8 {
        match (self.source.is_ipv6(), self.destination_port == 0) {
            (false, true) => 8,
            (false, false) => 0,
            (true, true) => 128,
            (true, false) => 129,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, protocol, destination_port, .. } = self;
        match protocol {
            Protocol::Icmp => write!(f, "icmp {source} -> {destination}"),
            _ => write!(f, "{} {source} -> {destination} port {destination_port}", protocol.name()),
        }
    }
}
