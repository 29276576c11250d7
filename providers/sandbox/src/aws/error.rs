//! Refusals, as AWS words them.

use serde_json::{Map, Value};

use super::Service;

/// A refusal: code and message of AWS's reference, and the HTTP status that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// `InvalidGroup.NotFound`, `ResourceInUseException`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// More members of a JSON error (`clusterName`, `nodegroupName`, ...).
    pub members: Map<String, Value>,
}

impl ApiError {
    /// A refusal with status 400, which EC2 uses for all of a client's mistakes.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, members: Map::new() }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// What the service says when a parameter is missing.
    pub fn missing(service: Service, parameter: &str) -> Self {
        match service {
            Service::Ec2 => {
                Self::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
            }
            Service::Iam | Service::Sts => Self::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                    lower_first(parameter)
                ),
            ),
            Service::Eks => Self::new("InvalidParameterException", format!("{parameter} is required.")),
        }
    }

    /// What the service says when a parameter's value is wrong.
    pub fn invalid(service: Service, parameter: &str, value: &str, why: &str) -> Self {
        match service {
            Service::Ec2 => Self::new(
                "InvalidParameterValue",
                format!("Value ({value}) for parameter {parameter} is invalid. {why}").trim_end().to_owned(),
            ),
            Service::Iam | Service::Sts => Self::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {why}",
                    lower_first(parameter)
                ),
            ),
            Service::Eks => Self::new("InvalidParameterException", format!("{parameter}: {why}")),
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
