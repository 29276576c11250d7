//! What a provider may do beside its own calls while it works on one object.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sgp_model::{InstanceAddr, Value};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::{Clock, StoreError};

/// Where a provider's reports about one object go.
#[async_trait]
pub trait ContextEvents: Send + Sync {
    /// Makes the object's attributes durable before the operation is complete: call it as soon as the id is known,
    /// before waiting. A run that dies later finds the object by them (and taints it).
    async fn checkpoint(&self, addr: &InstanceAddr, attributes: &Value) -> Result<(), StoreError>;

    /// Tells the person what is being waited for: `CREATING`, `2 of 3 nodes ready`.
    fn progress(&self, addr: &InstanceAddr, status: &str);
}

/// A place among the steps that may call one endpoint at the same time; given back before a long wait.
#[derive(Debug, Default)]
pub struct Slot(Mutex<Option<OwnedSemaphorePermit>>);

impl Slot {
    /// Holds a permit until it is released or dropped.
    pub fn holding(permit: OwnedSemaphorePermit) -> Self {
        Self(Mutex::new(Some(permit)))
    }

    /// Gives the place to the next step; calling it again does nothing.
    pub fn release(&self) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }
}

/// Given to every operation on one object.
#[derive(Clone)]
pub struct Context {
    /// The object.
    pub addr: InstanceAddr,
    /// Unique for this operation and already in the journal: give it to the API as client token.
    pub token: String,
    /// How long the operation may take: `timeouts {}` or the schema's default.
    pub timeout: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where reports go.
    pub events: Arc<dyn ContextEvents>,
    /// The place among the mutating steps.
    pub slot: Arc<Slot>,
    /// True once the person asked to stop at once; waiters end with an error then. A first Ctrl-C does not set it.
    pub cancelled: watch::Receiver<bool>,
}

impl Context {
    /// Records attributes so far, durably. See [`ContextEvents::checkpoint`].
    ///
    /// # Errors
    /// The store's, when it could not write.
    pub async fn checkpoint(&self, attributes: &Value) -> Result<(), StoreError> {
        self.events.checkpoint(&self.addr, attributes).await
    }

    /// Tells the person what is being waited for.
    pub fn progress(&self, status: &str) {
        self.events.progress(&self.addr, status);
    }

    /// Whether the person asked to stop at once.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }
}
