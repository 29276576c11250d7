//! A large plan: 1,000 resources and a cluster with 5,000 pods of 500 workloads. How long its page takes, and how large it is.
//! `cargo bench -p sgp-report`.
#![allow(clippy::print_stderr)]

#[path = "../tests/pages/account.rs"]
mod account;

use account::{change, group, network, rule, workload};
use criterion::{Criterion, criterion_group, criterion_main};
use sgp_report::{
    Entry, Mark,
    page::{Page, render},
};

const WORKLOADS: usize = 500;

fn large() -> Vec<account::Made> {
    let mut all = network();
    for at in 0..WORKLOADS {
        let (id, namespace) = (format!("sg-{at}"), format!("team-{}", at % 20));
        all.push(group(&id, &format!("group-{at}")));
        all.extend(workload(&namespace, &format!("app-{at}"), 10, &id));
    }
    for at in 0..WORKLOADS {
        for port in 1..5 {
            let (one, other) = (format!("sg-{at}"), format!("sg-{}", (at * 7 + port * 131) % WORKLOADS));
            let port = 1000 + i64::try_from(port).unwrap_or(0);
            all.push(rule(true, &one, port, ("referenced_security_group_id", &other)));
            all.push(rule(false, &other, port, ("referenced_security_group_id", &one)));
        }
    }
    all
}

fn a_large_plan(c: &mut Criterion) {
    let before = large();
    let mut after = before.clone();
    after.push(rule(false, "sg-1", 5432, ("cidr_ipv4", "0.0.0.0/0")));
    let line = "      \u{1b}[32m+\u{1b}[0m description                  = \"a rule that lets the pods of a team in\"\n";
    let object = |at: usize| Entry {
        mark: Mark::Create,
        sign: "+".to_owned(),
        address: format!("module.network.aws_vpc_security_group_ingress_rule.database[\"{at}\"]"),
        what: "will be created".to_owned(),
        remarks: Vec::new(),
        diff: line.repeat(15),
    };
    let page = Page {
        title: "Plan".to_owned(),
        reach: Some(change(&before, &after)),
        objects: Some((0..1000).map(object).collect()),
        ..Page::default()
    };
    eprintln!("{} bytes", render(&page).len());
    let mut group = c.benchmark_group("page");
    group.sample_size(10);
    group.bench_function("1,000 resources, 5,000 pods: the page", |b| b.iter(|| render(&page).len()));
    group.bench_function("1,000 resources, 5,000 pods: the change, too", |b| {
        b.iter(|| change(&before, &after).scene.nets.len());
    });
    group.finish();
}

criterion_group!(benches, a_large_plan);
criterion_main!(benches);
