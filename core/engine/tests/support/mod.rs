//! A small cloud in memory and a session over it, so that the engine's behaviour can be told in HCL and events.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, dead_code)]

pub mod cloud;
pub mod death;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use cloud::{Cloud, FakeProvider, Way};
use death::Mortal;
use sgp_contract::{Clock, StateStore};
use sgp_engine::{ApplyOptions, Event, Interrupt, Outcome, PlanOptions, Planned, Registry, Session};
use sgp_lang::{Given, Inputs, VariableInput, source::MemoryFiles};
use sgp_model::{Plan, plan::Action};
use sgp_state::MemoryStore;
use tokio::sync::watch;

/// Two objects, of which `b` refers to `a`.
pub const CHAIN: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name   = "b"
  parent = fake_thing.a.id
}
output "b" { value = fake_thing.b.id }
"#;

/// The first of them alone.
pub const CHAIN_A: &str = "resource \"fake_thing\" \"a\" { name = \"a\" }";

/// Time that stands still, so that nothing in a test waits.
pub struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> i64 {
        1_700_000_000
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {
        std::future::pending::<()>().await;
    }
}

/// A configuration, a state and a cloud.
pub struct World {
    pub cloud: Arc<Cloud>,
    pub store: Arc<Mortal>,
    pub files: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
    pub events: Arc<Mutex<Vec<Event>>>,
    pub interrupt: watch::Sender<Interrupt>,
    pub parallelism: usize,
}

impl World {
    pub fn new(hcl: &str) -> Self {
        let cloud: Arc<Cloud> = Arc::default();
        Self {
            store: Arc::new(Mortal {
                inner: MemoryStore::new(sgp_model::State::default()),
                death: cloud.death.clone(),
            }),
            cloud,
            files: BTreeMap::from([("main.tf".to_owned(), hcl.to_owned())]),
            variables: BTreeMap::new(),
            events: Arc::default(),
            interrupt: watch::channel(Interrupt::None).0,
            parallelism: 10,
        }
    }

    pub fn write(&mut self, hcl: &str) -> &mut Self {
        self.files.insert("main.tf".into(), hcl.into());
        self
    }

    pub fn session(&self) -> Session {
        let files = Arc::new(MemoryFiles::new(self.files.clone()));
        let loaded = sgp_lang::load(".", &*files);
        assert!(!loaded.diagnostics.has_errors(), "{:#?}", loaded.diagnostics);
        let events = self.events.clone();
        let variables = self.variables.iter().map(|(k, v)| {
            (k.clone(), VariableInput { given: Given::Text(v.clone()), from: "a test".into(), span: None })
        });
        Session {
            registry: Arc::new(Registry::new(vec![
                Arc::new(FakeProvider::new(self.cloud.clone())),
                Arc::new(Way::new(self.cloud.clone())),
            ])),
            config: loaded.config,
            inputs: Inputs { variables: variables.collect(), ..Inputs::default() },
            files,
            store: self.store.clone() as Arc<dyn StateStore>,
            clock: Arc::new(Still),
            events: Arc::new(move |e: Event| events.lock().unwrap().push(e)),
            interrupt: self.interrupt.subscribe(),
            version: "0.0.0".into(),
        }
    }

    pub async fn plan_with(&self, options: &PlanOptions) -> Planned {
        sgp_engine::plan(&self.session(), options).await
    }

    pub async fn plan(&self) -> Plan {
        let planned = self.plan_with(&PlanOptions::default()).await;
        planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics))
    }

    /// The summaries of the errors of a plan that must fail.
    pub async fn plan_errors(&self) -> Vec<String> {
        let planned = self.plan_with(&PlanOptions::default()).await;
        planned.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.summary.clone()).collect()
    }

    pub async fn apply_plan(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions { parallelism: self.parallelism, ..ApplyOptions::default() };
        sgp_engine::apply(&self.session(), plan, &options).await
    }

    /// Plans and applies; everything must work.
    pub async fn apply(&self) -> Outcome {
        let outcome = self.try_apply().await;
        assert!(!outcome.diagnostics.has_errors(), "{:#?}", outcome.diagnostics);
        outcome
    }

    pub async fn try_apply(&self) -> Outcome {
        let plan = self.plan().await;
        self.apply_plan(&plan).await
    }

    /// The second plan after an apply must be empty.
    pub async fn assert_converged(&self) {
        let plan = self.plan().await;
        assert!(plan.is_empty(), "{}", shown(&plan));
    }

    /// What the state has, as addresses, tainted ones with an exclamation mark.
    pub async fn state(&self) -> Vec<String> {
        let state = self.store.load().await.unwrap();
        let tainted = sgp_model::state::ObjectStatus::Tainted;
        let name = |(k, r): (&sgp_model::state::RecordKey, &sgp_model::InstanceRecord)| {
            let deposed = k.deposed.as_ref().map(|_| " (deposed)").unwrap_or_default();
            format!("{}{deposed}{}", k.addr, if r.status == tainted { "!" } else { "" })
        };
        state.instances.iter().map(name).collect()
    }
}

/// A plan in short: a sign and an address for each change.
pub fn shown(plan: &Plan) -> String {
    let rows = plan.changes.iter().filter_map(|c| {
        let sign = match c.action {
            Action::NoOp if c.importing.is_some() => "=",
            Action::NoOp => return None,
            Action::Create => "+",
            Action::Read => "<=",
            Action::Update => "~",
            Action::DeleteThenCreate => "-/+",
            Action::CreateThenDelete => "+/-",
            Action::ForgetThenCreate => "./+",
            Action::Delete => "-",
            Action::Forget => ".",
        };
        Some(format!("{sign} {}", c.addr))
    });
    rows.collect::<Vec<_>>().join("\n")
}
