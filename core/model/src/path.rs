//! Paths into a value: `vpc_config[0].subnet_ids`.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Value, address::quote};

/// One step of an [`AttrPath`].
#[derive(Clone, Debug, PartialEq, PartialOrd, Eq, Ord, Serialize, Deserialize)]
pub enum PathStep {
    /// An attribute of an object.
    Attr(Arc<str>),
    /// A place in a list or tuple.
    Index(usize),
    /// A key of a map.
    Key(Arc<str>),
    /// An element of a set, which has no other name than itself.
    Element(Box<Value>),
}

/// Where in a value something is; empty for the value itself.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd, Eq, Ord, Serialize, Deserialize)]
pub struct AttrPath(pub Vec<PathStep>);

impl AttrPath {
    /// The path of the value itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of one attribute of an object.
    pub fn attr(name: impl Into<Arc<str>>) -> Self {
        Self(vec![PathStep::Attr(name.into())])
    }

    /// This path and one step more.
    #[must_use]
    pub fn with(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether this path is `other` or lies above it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attr(name) if i == 0 => f.write_str(name)?,
                PathStep::Attr(name) => write!(f, ".{name}")?,
                PathStep::Index(n) => write!(f, "[{n}]")?,
                PathStep::Key(key) => write!(f, "[{}]", quote(key))?,
                PathStep::Element(_) => f.write_str("[...]")?,
            }
        }
        Ok(())
    }
}
