//! Doubles out of what a test file says, checked against the schemas.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    suggest::did_you_mean,
    syntax::{Expr, ExprKind},
    testing::{Mock, MockedType, Override},
};
use sgp_model::{Block, Diagnostic, Diagnostics, Mode, Schema, Span, Value, address::ParsedAddr};

use super::{Doubles, Mocked, Overridden, Random8, StandIn, made_up};
use crate::Registry;

/// Evaluates an expression of the test file.
pub(crate) type Evaluate<'e> = dyn FnMut(&Expr) -> Result<Value, Diagnostics> + 'e;

/// Makes the doubles of a run: mocks by the provider's own name and alias, overrides with the later ones winning.
pub(crate) fn build<'m>(
    registry: &Registry,
    mocks: impl IntoIterator<Item = ((Arc<str>, Option<Arc<str>>), &'m Mock)>,
    overrides: impl IntoIterator<Item = &'m Override>,
    random: Random8,
    evaluate: &mut Evaluate<'_>,
) -> (Doubles, Diagnostics) {
    let mut builder = Builder { registry, evaluate, diagnostics: Diagnostics::new() };
    let mocks = mocks.into_iter().map(|(key, mock)| (key, builder.mocked(mock))).collect();
    let overrides = builder.overrides(overrides, false);
    (Doubles { mocks, overrides, random }, builder.diagnostics)
}

struct Builder<'b, 'e> {
    registry: &'b Registry,
    evaluate: &'b mut Evaluate<'e>,
    diagnostics: Diagnostics,
}

impl Builder<'_, '_> {
    fn mocked(&mut self, mock: &Mock) -> Mocked {
        let mut types = BTreeMap::new();
        for mocked in &mock.types {
            if let Some(stand_in) = self.mocked_type(mocked, mock.during_plan) {
                types.insert((mocked.mode, mocked.type_name.clone()), stand_in);
            }
        }
        Mocked { types, overrides: self.overrides(&mock.overrides, mock.during_plan), during_plan: mock.during_plan }
    }

    fn mocked_type(&mut self, mocked: &MockedType, during_plan: bool) -> Option<StandIn> {
        let schema = self.schema(mocked.mode, &mocked.type_name, &mocked.span)?;
        let values = self.values(schema, mocked.defaults.as_ref())?;
        Some(StandIn { values, during_plan: mocked.during_plan.unwrap_or(during_plan) })
    }

    /// Overrides of objects; those of modules are the configuration's.
    fn overrides<'m>(&mut self, given: impl IntoIterator<Item = &'m Override>, during_plan: bool) -> Vec<Overridden> {
        let mut found = Vec::new();
        for block in given {
            let resource = match &block.target {
                ParsedAddr::Module(_) => continue,
                ParsedAddr::Resource(r) => r,
                ParsedAddr::Instance(i) => &i.resource,
            };
            let Some(schema) = self.schema(resource.mode, &resource.type_name, &block.target_span) else { continue };
            let Some(values) = self.values(schema, block.values.as_ref()) else { continue };
            let stand_in = StandIn { values, during_plan: block.during_plan.unwrap_or(during_plan) };
            found.push(Overridden { target: block.target.clone(), stand_in });
        }
        found
    }

    fn schema(&mut self, mode: Mode, type_name: &str, at: &Span) -> Option<&'static Schema> {
        let schema = sgp_lang::Schemas::resource(self.registry, mode, type_name);
        if schema.is_none() {
            let what = match mode {
                Mode::Managed => "resource type",
                Mode::Data => "data source",
                Mode::Ephemeral => "ephemeral resource",
            };
            let names = sgp_lang::Schemas::resource_names(self.registry, mode);
            let hint = did_you_mean(type_name, names);
            let detail = format!("sgp has no {what} {type_name:?}.{hint}");
            self.diagnostics.push(Diagnostic::error(format!("Unknown {what}"), detail).at(at.clone()));
        }
        schema
    }

    /// The evaluated object, once it fits the schema.
    fn values(&mut self, schema: &Schema, expr: Option<&Expr>) -> Option<Value> {
        let Some(expr) = expr else { return Some(Value::dynamic_null()) };
        let values = match (self.evaluate)(expr) {
            Ok(values) => values,
            Err(problems) => {
                self.diagnostics.extend(problems);
                return None;
            }
        };
        let problems = misfits(schema.name, &schema.block, &values, expr);
        let fits = !problems.has_errors();
        self.diagnostics.extend(problems);
        fits.then_some(values)
    }
}

/// What is wrong with made-up values for a block.
fn misfits(name: &str, block: &Block, values: &Value, expr: &Expr) -> Diagnostics {
    let mut found = Diagnostics::new();
    if values.is_null() {
        return found;
    }
    let Some(fields) = values.as_fields() else {
        let detail = format!("Values for {name} are an object: {{ arn = \"...\" }}.");
        return Diagnostic::error("Invalid made-up value", detail).at(expr.span.clone()).into();
    };
    for (field, value) in fields {
        let place = part(expr, field);
        if let Some(attribute) = block.attributes.get(&**field) {
            if !attribute.is_computed() {
                let detail = format!(
                    "{name}: only the configuration sets {field:?}, so the value here is not used. Values can be made up for what the provider computes."
                );
                found.push(Diagnostic::warning("Made-up value without effect", detail).at(place.span.clone()));
            } else if let Err(e) = made_up::shaped(&attribute.ty, value, &mut String::new) {
                let detail = format!("{name}: {field:?} cannot have this value: {e}.");
                found.push(Diagnostic::error("Invalid made-up value", detail).at(place.span.clone()));
            }
        } else if let Some(nested) = block.blocks.get(&**field) {
            let elements = value.elements().unwrap_or_else(|| vec![value]);
            for element in elements {
                found.extend(misfits(&format!("{name}.{field}"), &nested.block, element, place));
            }
        } else {
            let hint = did_you_mean(field, block.names());
            let detail = format!("{name} has no attribute or nested block named {field:?}.{hint}");
            found.push(Diagnostic::error("Invalid made-up value", detail).at(place.span.clone()));
        }
    }
    found
}

/// Where a field of an object is written, when the object is written out.
fn part<'e>(expr: &'e Expr, field: &str) -> &'e Expr {
    let ExprKind::Object(items) = &*expr.kind else { return expr };
    let named = |key: &Expr| key.as_literal_str() == Some(field);
    items.iter().find(|(key, _)| named(key)).map_or(expr, |(_, value)| value)
}
