//! Test files (`*.tftest.hcl`): what their blocks say, before anything is evaluated.
//!
//! Read [`TestFile`] first. [`crate::testing`] finds and reads the files.

mod decode;
mod doubles;

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{InstanceAddr, Mode, Span, address::ParsedAddr};

pub use self::decode::decode;
pub(crate) use self::doubles::mock_source;
use super::{Check, Config, ProviderRef};
use crate::syntax::{Attr, Body, Expr};

/// One test file.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// Its path, relative to the working directory.
    pub path: Arc<str>,
    /// `variables`: values for all runs of the file.
    pub variables: BTreeMap<Arc<str>, Attr>,
    /// `provider` and `mock_provider` blocks.
    pub providers: Vec<TestProvider>,
    /// `override_resource`, `override_data` and `override_module` blocks for all runs.
    pub overrides: Vec<Override>,
    /// `run` blocks, in source order.
    pub runs: Vec<Run>,
}

/// A `provider` or `mock_provider` block.
#[derive(Clone, Debug)]
pub struct TestProvider {
    /// The label.
    pub name: Arc<str>,
    /// `alias`.
    pub alias: Option<Arc<str>>,
    /// The header of the block.
    pub span: Span,
    /// Which of the two it is.
    pub kind: TestProviderKind,
}

/// What stands behind a provider of a test file.
#[derive(Clone, Debug)]
pub enum TestProviderKind {
    /// The provider itself, with these arguments.
    Real(Body),
    /// Nobody: computed attributes are made up.
    Mock(Mock),
}

/// A `mock_provider` block.
#[derive(Clone, Debug, Default)]
pub struct Mock {
    /// `mock_resource` and `mock_data` blocks.
    pub types: Vec<MockedType>,
    /// Overrides that hold for objects of this provider.
    pub overrides: Vec<Override>,
    /// `override_during = plan`: made-up values are there while planning already.
    pub during_plan: bool,
    /// `source`: a folder of files with more `mock_resource`, `mock_data` and override blocks.
    pub source: Option<(Arc<str>, Span)>,
}

/// A `mock_resource` or `mock_data` block.
#[derive(Clone, Debug)]
pub struct MockedType {
    /// Which of the two.
    pub mode: Mode,
    /// The label.
    pub type_name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// `defaults`: an object with values for computed attributes.
    pub defaults: Option<Expr>,
    /// `override_during`, where it is said.
    pub during_plan: Option<bool>,
}

/// An `override_resource`, `override_data` or `override_module` block.
#[derive(Clone, Debug)]
pub struct Override {
    /// What is not made or read.
    pub target: ParsedAddr,
    /// The place of `target`.
    pub target_span: Span,
    /// `values` (of a module: `outputs`): an object.
    pub values: Option<Expr>,
    /// `override_during`, where it is said.
    pub during_plan: Option<bool>,
    /// The header of the block.
    pub span: Span,
}

/// What a run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Command {
    /// Plans.
    Plan,
    /// Plans and applies.
    #[default]
    Apply,
}

/// `plan_options`.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// `mode = refresh-only`.
    pub refresh_only: bool,
    /// `refresh`.
    pub refresh: bool,
    /// `replace`.
    pub replace: Vec<InstanceAddr>,
    /// `target`.
    pub targets: Vec<ParsedAddr>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { refresh_only: false, refresh: true, replace: Vec::new(), targets: Vec::new() }
    }
}

/// A `run` block.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its label.
    pub name: Arc<str>,
    /// The header of the block.
    pub span: Span,
    /// `command`.
    pub command: Command,
    /// `plan_options`.
    pub options: RunOptions,
    /// `variables`.
    pub variables: BTreeMap<Arc<str>, Attr>,
    /// `module`: what is run instead of the configuration itself.
    pub module: Option<RunModule>,
    /// `providers`: name in the configuration to name in the test file.
    pub providers: Vec<(ProviderRef, ProviderRef)>,
    /// `assert` blocks.
    pub asserts: Vec<Check>,
    /// `expect_failures`.
    pub expected: Vec<Expected>,
    /// `state_key`.
    pub state_key: Option<Arc<str>>,
    /// Overrides for this run.
    pub overrides: Vec<Override>,
}

/// The `module` block of a run.
#[derive(Clone, Debug)]
pub struct RunModule {
    /// `source` as written.
    pub source: Arc<str>,
    /// Its place.
    pub span: Span,
    /// What it leads to; absent when that could not be read.
    pub config: Option<Arc<Config>>,
}

/// An entry of `expect_failures`: something whose own conditions must not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What it is.
    pub subject: Subject,
    /// As written.
    pub span: Span,
}

/// What has conditions of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `var.name`: its `validation` blocks.
    Variable(Arc<str>),
    /// `output.name`: its `precondition` blocks.
    Output(Arc<str>),
    /// `check.name`: its `assert` blocks.
    Check(Arc<str>),
    /// A resource or data source of the root module, or one instance: its pre- and postconditions.
    Object(ParsedAddr),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Output(name) => write!(f, "output.{name}"),
            Self::Check(name) => write!(f, "check.{name}"),
            Self::Object(ParsedAddr::Module(m)) => write!(f, "{m}"),
            Self::Object(ParsedAddr::Resource(r)) => write!(f, "{r}"),
            Self::Object(ParsedAddr::Instance(i)) => write!(f, "{i}"),
        }
    }
}

#[cfg(test)]
mod tests;
