//! Two judges of one packet: the sandbox's probe, which walks it over what is there, and the analysis, which computes with sets.
//! They share no code, and agree on thousands of random accounts.
//!
//! `SGP_REACHABILITY_TOPOLOGIES` is how many (10,000), `SGP_REACHABILITY_SEED` from which seed (1), and `SGP_REACHABILITY_ONLY`
//! (`FAMILY/TOPOLOGY`) makes one of them again.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod account;
mod count;
mod facts;
mod judges;
mod mutation;
mod random;
mod skeleton;

use std::{
    env,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use sgp_analysis::build::{Sources, build};
use sgp_sandbox::{Pace, Sandbox, Settings, world::World};

use count::Count;
use random::Random;
use skeleton::Skeleton;

/// How many topologies share networks, clusters, nodes and pods.
const FAMILY: usize = 250;

/// What is to be done.
struct Plan {
    seed: u64,
    topologies: usize,
    only: Option<(usize, usize)>,
}

impl Plan {
    fn read() -> Self {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<usize>().unwrap());
        let only = env::var("SGP_REACHABILITY_ONLY").ok().map(|text| {
            let (family, topology) = text.split_once('/').expect("FAMILY/TOPOLOGY");
            (family.parse().unwrap(), topology.parse().unwrap())
        });
        Self {
            seed: u64::try_from(number("SGP_REACHABILITY_SEED").unwrap_or(1)).unwrap(),
            topologies: number("SGP_REACHABILITY_TOPOLOGIES").unwrap_or(10_000),
            only,
        }
    }

    fn families(&self) -> usize {
        self.topologies.div_ceil(FAMILY)
    }

    fn of_family(&self, family: usize) -> std::ops::Range<usize> {
        match self.only {
            Some((only, topology)) if only == family => topology..topology + 1,
            Some(_) => 0..0,
            None => 0..FAMILY.min(self.topologies - family * FAMILY),
        }
    }
}

/// Walks all topologies of a family in a sandbox of its own; every one is a transaction that is undone.
async fn family(plan: &Plan, family: usize) -> Count {
    let mut count = Count::default();
    let topologies = plan.of_family(family);
    if topologies.is_empty() {
        return count;
    }
    let settings = Settings {
        seed: Some(plan.seed),
        pace: Pace::uniform(std::time::Duration::from_secs(1)),
        stopped_clock: true,
        without: sgp_sandbox::kubernetes::controllers::switches().into_iter().map(str::to_owned).collect(),
        ..Settings::default()
    };
    let sandbox = Sandbox::start(settings).await.unwrap();
    let number = u64::try_from(family).unwrap();
    let mut random = Random::new(plan.seed, &[number]);
    let make = |world: &mut World| {
        let all = Skeleton::make(world, &mut random);
        let sources = Sources {
            objects: facts::fixed(world, &all),
            complete_clusters: all.clusters.iter().map(|it| it.name.clone()).collect(),
            complete_vpcs: world.ec2.vpcs.iter().map(|(id, _)| id.to_owned()).collect(),
            ..Sources::default()
        };
        Ok::<_, std::convert::Infallible>((all, sources))
    };
    let Ok((all, mut sources)) = sandbox.with(make).await;
    let fixed = sources.objects.len();
    for topology in topologies {
        let mut random = Random::new(plan.seed, &[number, u64::try_from(topology).unwrap() + 1]);
        let judged = sandbox.with(|world| {
            let changed = mutation::mutate(world, &all, &mut random);
            sources.objects.extend(facts::changed(world, &all, &changed));
            // An error undoes what was changed.
            Err::<(), _>(judges::compare(world, &all, &changed, &build(&sources), &mut random))
        });
        let judged = judged.await.unwrap_err();
        sources.objects.truncate(fixed);
        count.add(judged, &format!("seed {}, topology {family}/{topology}", plan.seed));
    }
    count
}

#[test]
fn the_analysis_agrees_with_the_probe() {
    let plan = Plan::read();
    let started = Instant::now();
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Count::default()));
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.families() {
                return;
            }
            let count = runtime.block_on(family(&plan, number));
            total.lock().unwrap().join(count);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    let total = total.into_inner().unwrap();
    eprintln!("seed {}, {:.1} s: {total}", plan.seed, started.elapsed().as_secs_f64());
    assert!(total.disagreements.is_empty(), "{}", total.told());
    // That nobody can say agrees with everything, and must stay rare.
    let [unknown, open] = total.unknown();
    assert!(
        plan.only.is_some() || unknown <= 120 && open <= 20,
        "of 1000 questions {unknown} are unknown, {open} open"
    );
}
