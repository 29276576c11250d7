//! What exists in the networks of clusters, whoever manages it: for judging who reaches whom.
//!
//! Pages of Describe calls by VPC, each answer in the shape of the resource type of its name. What the caller may not describe is
//! left out with a warning, and stays unknown.

mod clusters;
mod groups;
mod instance_types;
mod interfaces;
mod networks;
mod roles;

use futures::join;
use sgp_contract::{Area, Sighting};
use sgp_model::{Diagnostic, Diagnostics, Value};

use crate::{client::AwsClient, errors::ApiError};

/// What was found, and what could not be looked at.
#[derive(Default)]
struct Found {
    sightings: Vec<Sighting>,
    diagnostics: Diagnostics,
}

impl Found {
    /// Takes in what one call answered.
    fn take<T>(&mut self, answer: Result<Vec<T>, ApiError>, shape: impl Fn(&T) -> Sighting) -> Vec<T> {
        match answer {
            Ok(items) => {
                self.sightings.extend(items.iter().map(shape));
                items
            }
            Err(error) => {
                self.fails(error);
                Vec::new()
            }
        }
    }

    /// Takes in the sightings of one part, and answers them.
    fn all(&mut self, part: Result<Vec<Sighting>, ApiError>) -> Vec<Sighting> {
        match part {
            Ok(sightings) => {
                self.sightings.extend(sightings.iter().cloned());
                sightings
            }
            Err(error) => {
                self.fails(error);
                Vec::new()
            }
        }
    }

    fn fails(&mut self, error: ApiError) {
        let told: Diagnostic = error.into();
        let detail = format!("{} What depends on it stays unknown.", told.detail);
        self.diagnostics.push(Diagnostic::warning(told.summary.clone(), detail));
    }
}

/// Looks at everything in an area.
pub async fn survey(client: &AwsClient, area: &mut Area) -> (Vec<Sighting>, Diagnostics) {
    let mut found = Found::default();
    clusters::survey(client, area, &mut found).await;
    networks::peers(client, area, &mut found).await;
    if !area.instance_types.is_empty() {
        instance_types::survey(client, &area.instance_types, &mut found).await;
    }
    if !area.vpc_ids.is_empty() {
        let vpcs = area.vpc_ids.clone();
        let (networks, groups, interfaces) =
            join!(networks::survey(client, &vpcs), groups::survey(client, &vpcs), interfaces::survey(client, &vpcs));
        if interfaces.diagnostics.0.is_empty() {
            area.whole_vpcs.extend(vpcs.iter().cloned());
        }
        for part in [networks, groups, interfaces] {
            found.sightings.extend(part.sightings);
            found.diagnostics.extend(part.diagnostics);
        }
    }
    (found.sightings, found.diagnostics)
}

/// A sighting with these attributes.
fn sighting<const N: usize>(kind: &str, attributes: [(&'static str, Value); N]) -> Sighting {
    Sighting { kind: kind.to_owned(), attributes: Value::object(attributes) }
}

/// A list of objects.
fn objects(items: Vec<Value>) -> Value {
    Value::tuple(items)
}

/// A list of texts.
fn texts<S: Into<std::sync::Arc<str>>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::strings(items)
}
