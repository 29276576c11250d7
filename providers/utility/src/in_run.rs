//! Types whose objects exist for one run only: made anew each time that one is opened, recorded nowhere, ended by being dropped.

use async_trait::async_trait;
use sgp_contract::{Client, EphemeralType, OpenRequest, Opened};
use sgp_model::{Diagnostics, Schema, Value};

use crate::attrs;

/// Such a type. Nothing has to be renewed or closed.
#[async_trait]
pub(crate) trait Passing: Send + Sync {
    /// What it accepts and answers.
    fn schema(&self) -> &'static Schema;

    /// Judges the arguments beyond what the schema says.
    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// The object with every attribute known; `config` has the defaults in it.
    async fn make(&self, config: &Value) -> Result<Value, Diagnostics>;
}

/// A [`Passing`] type as the engine knows it.
pub(crate) struct InRun<T>(pub(crate) T);

#[async_trait]
impl<T: Passing> EphemeralType for InRun<T> {
    fn schema(&self) -> &'static Schema {
        self.0.schema()
    }

    async fn open(&self, _client: &dyn Client, request: &OpenRequest<'_>) -> Result<Opened, Diagnostics> {
        let problems = self.0.validate(request.config);
        if problems.has_errors() {
            return Err(problems);
        }
        let config = attrs::with_defaults(&self.schema().block, request.config);
        self.0.make(&config).await.map(Opened::lasting)
    }
}
