//! `expect_failures`: conditions of the configuration that must not hold.

use std::{collections::BTreeSet, sync::Arc};

use sgp_lang::{
    Config,
    config::{Check, ResourceBlock},
    suggest::did_you_mean,
    testing::{Command, Expected, Run, Subject},
};
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, Mode, ModulePath, ResourceAddr, Span,
    address::{ParsedAddr, parse_instance},
};

use super::{
    Status,
    run::{Attempt, Made},
};

/// What a run expects to fail, and what of it did.
pub(super) struct Expectations<'r> {
    expected: Vec<Expectation<'r>>,
    met: BTreeSet<usize>,
    /// The messages of conditions that failed as they should.
    heard: Diagnostics,
}

/// Something that is to fail.
struct Expectation<'r> {
    entry: &'r Expected,
    /// Where its conditions stand.
    places: Vec<Span>,
    /// The data sources in a `check` block, which fails when one of them cannot be read.
    scoped: Vec<ResourceAddr>,
}

impl<'r> Expectations<'r> {
    /// Finds the conditions of what is named.
    ///
    /// # Errors
    /// When something is not in the configuration, or has no conditions.
    pub(super) fn of(run: &'r Run, config: &Config) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut expected = Vec::new();
        for entry in &run.expected {
            match conditions(config, &entry.subject) {
                Ok(places) => {
                    expected.push(Expectation { entry, places, scoped: scoped_in(config, &entry.subject) });
                }
                Err(why) => {
                    problems.push(Diagnostic::error("Invalid expectation", why).at(entry.span.clone()));
                }
            }
        }
        if problems.has_errors() {
            Err(problems)
        } else {
            Ok(Self { expected, met: BTreeSet::new(), heard: Diagnostics::new() })
        }
    }

    /// Takes out the failures that are expected. A check that fails is a warning elsewhere; in a test it counts.
    pub(super) fn take(&mut self, told: Diagnostics) -> Diagnostics {
        let mut rest = Diagnostics::new();
        for diagnostic in told {
            let met: Vec<usize> = (0..self.expected.len()).filter(|i| self.is_about(*i, &diagnostic)).collect();
            if met.is_empty() {
                rest.push(diagnostic);
            } else {
                self.met.extend(met);
                self.heard.push(diagnostic);
            }
        }
        rest
    }

    fn is_about(&self, at: usize, diagnostic: &Diagnostic) -> bool {
        let Expectation { entry, places, scoped } = &self.expected[at];
        if about_data(diagnostic).is_some_and(|data| scoped.contains(&data.resource)) {
            return true;
        }
        let its_condition = diagnostic.span.as_ref().is_some_and(|span| places.contains(span));
        let its_instance = match &entry.subject {
            Subject::Object(ParsedAddr::Instance(addr)) => diagnostic.address.as_deref() == Some(&*addr.to_string()),
            _ => true,
        };
        its_condition && its_instance
    }

    /// Whether nothing failed that stops a run: checks alone do not.
    pub(super) fn lets_go_on(&self) -> bool {
        !self.heard.has_errors()
    }

    /// What was expected and did not happen.
    pub(super) fn missing(&self) -> Diagnostics {
        let unmet = self.expected.iter().enumerate().filter(|(i, _)| !self.met.contains(i));
        let told = unmet.map(|(_, Expectation { entry, .. })| {
            let detail = format!("{} was expected to fail its conditions, and they all hold.", entry.subject);
            Diagnostic::error("Missing expected failure", detail).at(entry.span.clone())
        });
        Diagnostics(told.collect())
    }

    /// A run whose plan ended with expected failures.
    pub(super) fn without_a_plan(self, run: &Run, mut diagnostics: Diagnostics) -> Attempt {
        let missing = self.missing();
        let mut status = if missing.is_empty() { Status::Pass } else { Status::Error };
        diagnostics.extend(missing);
        if run.command == Command::Apply {
            status = Status::Error;
            let detail = "The failure is expected, but it came while planning, so that the run could not apply. Write command = plan if that is meant.";
            diagnostics.push(Diagnostic::error("Expected failure while planning", detail).at(run.span.clone()));
            diagnostics.extend(self.heard);
        }
        Attempt { status, diagnostics, made: Made::Nothing }
    }
}

/// The data source that a warning is about. Reading one that stands in a `check` block warns when it fails; others end a run.
pub(super) fn about_data(diagnostic: &Diagnostic) -> Option<InstanceAddr> {
    let address = diagnostic.address.as_deref().filter(|_| !diagnostic.is_error())?;
    parse_instance(address).ok().filter(|addr| addr.resource.mode == Mode::Data)
}

/// The data sources in a `check` block of the root module.
fn scoped_in(config: &Config, subject: &Subject) -> Vec<ResourceAddr> {
    let Subject::Check(name) = subject else { return Vec::new() };
    let inside = config.root.resources.iter().filter(|block| block.check.as_ref() == Some(name));
    let addr = |block: &Arc<ResourceBlock>| ResourceAddr {
        module: ModulePath::root(),
        mode: block.mode,
        type_name: block.type_name.clone(),
        name: block.name.clone(),
    };
    inside.map(addr).collect()
}

/// The places of the conditions that something has.
fn conditions(config: &Config, subject: &Subject) -> Result<Vec<Span>, String> {
    let root = &config.root;
    let places = |checks: &[Check]| checks.iter().map(|c| c.condition.span.clone()).collect::<Vec<_>>();
    let absent = |name: &str, known: Vec<&str>| {
        let hint = did_you_mean(name, known);
        format!("{subject} is not in the root module of what is tested.{hint}")
    };
    let (found, kind) = match subject {
        Subject::Variable(name) => match root.variables.get(name) {
            Some(variable) => (places(&variable.validations), "validation block"),
            None => return Err(absent(name, root.variables.keys().map(|k| &**k).collect())),
        },
        Subject::Output(name) => match root.outputs.get(name) {
            Some(output) => (places(&output.preconditions), "precondition"),
            None => return Err(absent(name, root.outputs.keys().map(|k| &**k).collect())),
        },
        Subject::Check(name) => match root.checks.get(name) {
            Some(check) => (places(&check.asserts), "assert block"),
            None => return Err(absent(name, root.checks.keys().map(|k| &**k).collect())),
        },
        Subject::Object(addr) => {
            let resource: &ResourceAddr = match addr {
                ParsedAddr::Resource(r) => r,
                ParsedAddr::Instance(i) => &i.resource,
                ParsedAddr::Module(_) => return Err(format!("{subject} has no conditions of its own.")),
            };
            match root.resource(resource.mode, &resource.type_name, &resource.name) {
                Some(block) => {
                    let mut all = places(&block.lifecycle.preconditions);
                    all.extend(places(&block.lifecycle.postconditions));
                    (all, "precondition or postcondition")
                }
                None => {
                    let same = root.resources.iter().filter(|b| b.type_name == resource.type_name);
                    return Err(absent(&resource.name, same.map(|b| &*b.name).collect()));
                }
            }
        }
    };
    if found.is_empty() { Err(format!("{subject} has no {kind}, so that it cannot fail.")) } else { Ok(found) }
}
