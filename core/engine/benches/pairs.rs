//! `terraform_data` in pairs: `b[k]` refers to `a[k]`. Planned and applied at several sizes, so that growth can be seen.
//!
//! `cargo bench -p sgp-engine`. Throughput is instances per second: it must stay the same from size to size.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sgp_contract::{Clock, StateStore};
use sgp_engine::{ApplyOptions, Event, Interrupt, PlanOptions, Registry, Session};
use sgp_lang::{Inputs, source::MemoryFiles};
use sgp_model::State;
use sgp_state::MemoryStore;
use tokio::sync::watch;

struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {
        std::future::pending::<()>().await;
    }
}

fn session(pairs: usize) -> Session {
    let size = format!("locals {{\n  pairs = {pairs}\n}}\n");
    let files = Arc::new(MemoryFiles::new([("main.tf", include_str!("pairs.tf").to_owned()), ("size.tf", size)]));
    let loaded = sgp_lang::load(".", &*files);
    let interrupt = watch::channel(Interrupt::None).1;
    Session {
        registry: Arc::new(Registry::new(Vec::new())),
        config: loaded.config,
        inputs: Inputs::default(),
        files,
        store: Arc::new(MemoryStore::new(State::default())) as Arc<dyn StateStore>,
        clock: Arc::new(Still),
        events: Arc::new(|_: Event| {}),
        interrupt,
        version: "0.0.0".into(),
    }
}

fn pairs(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut group = c.benchmark_group("pairs");
    group.sample_size(10);
    for size in [500, 2_500, 10_000, 50_000] {
        group.throughput(Throughput::Elements(2 * size as u64));
        let session = session(size);
        group.bench_function(BenchmarkId::new("plan", size), |b| {
            b.iter(|| runtime.block_on(sgp_engine::plan(&session, &PlanOptions::default())).plan.unwrap());
        });
    }
    for size in [500, 2_500, 10_000] {
        group.throughput(Throughput::Elements(2 * size as u64));
        let fresh = || {
            let session = session(size);
            let plan = runtime.block_on(sgp_engine::plan(&session, &PlanOptions::default())).plan.unwrap();
            (session, plan)
        };
        group.bench_function(BenchmarkId::new("apply", size), |b| {
            b.iter_batched(
                fresh,
                |(session, plan)| runtime.block_on(sgp_engine::apply(&session, &plan, &ApplyOptions::default())),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, pairs);
criterion_main!(benches);
