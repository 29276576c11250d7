//! Ids of AWS's objects, and what stands for the ids of those that do not exist yet.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sgp_model::symbol;

/// The id (or, for a cluster, the name) of an object: `sg-0123456789abcdef0`, or a symbol while there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Arc<str>);

impl Id {
    /// The text, which for a symbol is not for people: see [`fmt::Display`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for an id that is not known yet.
    pub fn is_symbolic(&self) -> bool {
        symbol::is_in(&self.0)
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl std::borrow::Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A symbol reads as the reference that it stands for.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&symbol::readable(&self.0))
    }
}
