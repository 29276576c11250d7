//! Whole runs of `sgp`, measured from outside: wall and processor time, peak memory, calls. Prints the tables of `docs/benchmarks.md`.
//!
//! Each figure is the median of several runs in fresh folders. Compare within one run of this command: machines differ.

use sgp_tests::{
    binary,
    workdir::Workdir,
    world::{Error, Options, World},
};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use wait4::Wait4;

/// How often each command is run.
const RUNS: usize = 3;
/// Pairs of `terraform_data`, of which `b[k]` refers to `a[k]`.
const PAIRS: &str = include_str!("../../../../core/engine/benches/pairs.tf");
const SIZES: [usize; 5] = [500, 1_000, 2_500, 10_000, 50_000];
/// 200 groups with 10 rules each, 50 roles, 500 policies and their attachments.
const BULK: &str = include_str!("../../../tests/conformance/bulk.tf");

/// What one run of a command cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// Peak resident memory in MiB.
    memory: u64,
}

/// Runs everything and prints it.
pub fn run() -> Result<(), Error> {
    let bench = Bench { sgp: binary::sgp()? };
    println!("{}, medians of {RUNS} runs\n", bench.sgp.display());
    bench.pairs()?;
    bench.validate()?;
    bench.refresh()
}

struct Bench {
    sgp: PathBuf,
}

impl Bench {
    fn pairs(&self) -> Result<(), Error> {
        println!("| pairs | plan | memory | a instance | apply | memory | second plan |");
        println!("|---|---|---|---|---|---|---|");
        for pairs in SIZES {
            let size = format!("locals {{\n  pairs = {pairs}\n}}\n");
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                let folder = Workdir::new(&[("main.tf", PAIRS), ("size.tf", &size)]);
                let plan = self.cost(&folder, None, &["plan"])?;
                let apply = self.cost(&folder, None, &["apply", "-auto-approve"])?;
                let again = self.cost(&folder, None, &["plan", "-detailed-exitcode"])?;
                runs.push([plan, apply, again]);
            }
            let [plan, apply, again] = [0, 1, 2].map(|i| median(runs.iter().map(|run| run[i])));
            let instances = u32::try_from(2 * pairs).unwrap_or(u32::MAX);
            println!(
                "| 2 x {pairs} | {:.2?} | {} MB | {:.1?} | {:.2?} | {} MB | {:.2?} |",
                plan.wall,
                plan.memory,
                plan.wall / instances,
                apply.wall,
                apply.memory,
                again.wall,
            );
        }
        println!();
        Ok(())
    }

    fn validate(&self) -> Result<(), Error> {
        let folder = Workdir::example("backend-to-rds");
        let runs: Result<Vec<Cost>, Error> = (0..2 * RUNS).map(|_| self.cost(&folder, None, &["validate"])).collect();
        let cost = median(runs?);
        println!("`sgp validate` of examples/backend-to-rds: {:.1?}, {} MB\n", cost.wall, cost.memory);
        Ok(())
    }

    /// The apply is bound by the emulator, so it is run once.
    fn refresh(&self) -> Result<(), Error> {
        let world = World::start(&Options { kubernetes: false, ..Options::default() })?;
        let folder = Workdir::new(&[("main.tf", BULK)]);
        println!("| 3,250 objects | calls | time | sgp's own processor time | memory |");
        println!("|---|---|---|---|---|");
        let apply = self.cost(&folder, Some(&world), &["apply", "-auto-approve", "-parallelism=30"])?;
        row("apply, `-parallelism=30`", world.calls().len(), apply);
        for (what, latency) in [("plan", 0), ("plan, 20 ms a call", 20)] {
            world.set_latency(Duration::from_millis(latency));
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                world.clear_calls();
                runs.push(self.cost(&folder, Some(&world), &["plan", "-detailed-exitcode"])?);
            }
            row(what, world.calls().len(), median(runs));
        }
        Ok(())
    }

    /// Runs `sgp` once; it must end with 0.
    fn cost(&self, folder: &Workdir, world: Option<&World>, args: &[&str]) -> Result<Cost, Error> {
        let mut command = world.map_or_else(|| Command::new(&self.sgp), |world| world.command(&self.sgp));
        command.args(args).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let what = format!("run sgp {}", args.join(" "));
        let start = Instant::now();
        let used = command.spawn().and_then(Wait4::wait4);
        let used = used.map_err(|source| Error::Io { what: what.clone(), source })?;
        if !used.status.success() {
            return Err(Error::Failed { what, detail: used.status.to_string() });
        }
        let usage = used.rusage;
        Ok(Cost { wall: start.elapsed(), cpu: usage.utime + usage.stime, memory: usage.maxrss >> 20 })
    }
}

fn row(what: &str, calls: usize, cost: Cost) {
    println!("| {what} | {calls} | {:.1?} | {:.2?} | {} MB |", cost.wall, cost.cpu, cost.memory);
}

/// Each figure for itself.
fn median(runs: impl IntoIterator<Item = Cost>) -> Cost {
    let runs: Vec<Cost> = runs.into_iter().collect();
    Cost {
        wall: middle(runs.iter().map(|run| run.wall)),
        cpu: middle(runs.iter().map(|run| run.cpu)),
        memory: middle(runs.iter().map(|run| run.memory)),
    }
}

fn middle<T: Ord + Copy>(figures: impl Iterator<Item = T>) -> T {
    let mut figures: Vec<T> = figures.collect();
    figures.sort_unstable();
    figures[figures.len() / 2]
}
