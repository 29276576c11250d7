//! A session over these providers, with a state in memory and a clock that tests move.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, dead_code)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sgp_contract::{Clock, StateStore};
use sgp_engine::{ApplyOptions, Event, Interrupt, PlanOptions, Registry, Session};
use sgp_lang::{Inputs, source::MemoryFiles};
use sgp_model::{Plan, State, Value, address::parse_instance, plan::Action, state::RecordKey};
use sgp_state::MemoryStore;
use tokio::sync::watch;

/// A clock that sleeps in no time.
pub struct Jumping(AtomicI64);

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.now().try_into().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        // What the engine waits for beside an operation comes after it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.0.fetch_add(duration.as_secs().try_into().unwrap(), Ordering::SeqCst);
    }
}

/// A configuration and its state.
pub struct World {
    pub hcl: String,
    pub clock: Arc<Jumping>,
    pub store: Arc<MemoryStore>,
    interrupt: watch::Sender<Interrupt>,
}

impl World {
    pub fn new(hcl: &str) -> Self {
        Self {
            hcl: hcl.to_owned(),
            clock: Arc::new(Jumping(AtomicI64::new(1_700_000_000))),
            store: Arc::new(MemoryStore::new(State::default())),
            interrupt: watch::channel(Interrupt::None).0,
        }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn edit(&mut self, from: &str, to: &str) {
        assert!(self.hcl.contains(from), "{from}");
        self.hcl = self.hcl.replace(from, to);
    }

    fn session(&self) -> Session {
        let files = Arc::new(MemoryFiles::new(BTreeMap::from([("main.tf".to_owned(), self.hcl.clone())])));
        let loaded = sgp_lang::load(".", &*files);
        assert!(!loaded.diagnostics.has_errors(), "{:#?}", loaded.diagnostics);
        let clock: Arc<dyn Clock> = self.clock.clone();
        Session {
            registry: Arc::new(Registry::new(sgp_utility::providers(&clock))),
            config: loaded.config,
            inputs: Inputs::default(),
            files,
            store: self.store.clone() as Arc<dyn StateStore>,
            clock,
            events: Arc::new(|_: Event| {}),
            interrupt: self.interrupt.subscribe(),
            version: "0.0.0".into(),
        }
    }

    /// What a plan would do, a sign and an address for each change.
    pub async fn plan(&self) -> String {
        shown(&self.planned().await)
    }

    pub async fn planned(&self) -> Plan {
        let planned = sgp_engine::plan(&self.session(), &PlanOptions::default()).await;
        planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics))
    }

    /// The details of the errors of a plan that must fail.
    pub async fn plan_errors(&self) -> Vec<String> {
        let planned = sgp_engine::plan(&self.session(), &PlanOptions::default()).await;
        planned.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.detail.clone()).collect()
    }

    /// Plans and applies, without a word of anybody; then there is nothing more to do. Answers the outputs.
    pub async fn apply(&self) -> BTreeMap<String, Value> {
        let outputs = self.apply_once().await;
        let plan = self.planned().await;
        assert!(plan.is_empty(), "{}", shown(&plan));
        outputs
    }

    /// The same for what is never settled.
    pub async fn apply_once(&self) -> BTreeMap<String, Value> {
        let plan = self.planned().await;
        let outcome = sgp_engine::apply(&self.session(), &plan, &ApplyOptions::default()).await;
        assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
        outcome.outputs.into_iter().map(|(name, output)| (name.clone(), output.value)).collect()
    }

    /// A recorded attribute.
    pub async fn attribute(&self, address: &str, name: &str) -> Value {
        let state = self.store.load().await.unwrap();
        let record = &state.instances[&RecordKey::current(parse_instance(address).unwrap())];
        record.attributes.get(name).unwrap().clone()
    }
}

pub fn shown(plan: &Plan) -> String {
    let rows = plan.changes.iter().filter_map(|c| {
        let sign = match c.action {
            Action::NoOp => return None,
            Action::Create => "+",
            Action::Read => "<=",
            Action::Update => "~",
            Action::DeleteThenCreate => "-/+",
            Action::CreateThenDelete => "+/-",
            Action::Delete => "-",
            Action::ForgetThenCreate => "./+",
            Action::Forget => ".",
        };
        Some(format!("{sign} {}", c.addr))
    });
    rows.collect::<Vec<_>>().join(", ")
}
