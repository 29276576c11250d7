//! What a sandbox is started with.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::faults::Faults;

/// How long the things take that are not done at once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A cluster from CREATING to ACTIVE.
    pub cluster: Duration,
    /// A node group or Fargate profile from CREATING to ACTIVE.
    pub nodegroup: Duration,
    /// An add-on from CREATING to ACTIVE.
    pub addon: Duration,
    /// An update of any of them from InProgress to Successful.
    pub update: Duration,
    /// Any of them from DELETING to gone.
    pub deletion: Duration,
    /// A NAT gateway, peering connection or instance to its next state.
    pub network: Duration,
}

impl Pace {
    /// Everything takes this long.
    pub fn uniform(time: Duration) -> Self {
        Self { cluster: time, nodegroup: time, addon: time, update: time, deletion: time, network: time }
    }
}

impl Default for Pace {
    /// Long enough to be seen, short enough not to wait: one second for clusters and node groups, less for the rest.
    fn default() -> Self {
        let (second, half) = (Duration::from_secs(1), Duration::from_millis(500));
        Self { cluster: second, nodegroup: second, addon: half, update: half, deletion: half, network: half }
    }
}

/// What a sandbox is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its state is kept; `None` keeps it in memory.
    pub folder: Option<PathBuf>,
    /// The port of the AWS endpoint on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The account, 12 digits.
    pub account: String,
    /// The region that calls without one mean.
    pub region: String,
    /// How long things take.
    pub pace: Pace,
    /// Ids, addresses and keys follow from it; `None` takes them from the operating system.
    pub seed: Option<u64>,
    /// Check the signature of each call.
    pub verify_signatures: bool,
    /// Refuse what the caller's policies do not allow.
    pub enforce_iam: bool,
    /// Simulated controllers that are off, by name (`pod-eni`, `scheduler`, ...).
    pub without: BTreeSet<String>,
    /// Time stands still until it is advanced.
    pub stopped_clock: bool,
    /// Which calls fail, and how.
    pub faults: Faults,
    /// A real API server behind the clusters' endpoints.
    pub backing: Option<Backing>,
}

/// A real API server.
#[derive(Clone, Debug)]
pub struct Backing {
    /// `https://127.0.0.1:6443`.
    pub url: String,
    /// The certificates of its authority.
    pub authority_pem: String,
    /// The token of somebody who may do everything, impersonating included.
    pub token: String,
}

impl Default for Settings {
    /// In memory, on a free port, account 123456789012 in us-east-1, nothing checked, everything on.
    fn default() -> Self {
        Self {
            folder: None,
            port: 0,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            pace: Pace::default(),
            seed: None,
            verify_signatures: false,
            enforce_iam: false,
            without: BTreeSet::new(),
            stopped_clock: false,
            faults: Faults::default(),
            backing: None,
        }
    }
}
