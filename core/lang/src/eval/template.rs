//! Templates to strings.

use std::sync::Arc;

use sgp_model::{Diagnostic, Kind, Marks, Type, Value, convert::convert};

use super::{Env, Eval, Evaluator, Gather, Scope, World, ops};
use crate::syntax::{Expr, Part};

/// The text so far. Once something unknown is met, only the text before it counts.
#[derive(Default)]
struct Rendered {
    text: String,
    unknown: bool,
    marks: Marks,
}

impl Rendered {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.text.push_str(text);
        }
    }
}

impl<W: World> Evaluator<W> {
    pub(super) fn template(&mut self, parts: &[Part], env: &Env<'_>) -> Eval {
        let (mut text, mut gather) = (Rendered::default(), Gather::default());
        self.parts(parts, env, &mut text, &mut gather);
        let value = if text.unknown { ops::unknown_text(&text.text) } else { nfc(&text.text) };
        gather.finish(value.mark(text.marks))
    }

    fn parts(&mut self, parts: &[Part], env: &Env<'_>, text: &mut Rendered, gather: &mut Gather) {
        for part in parts {
            match part {
                Part::Text(t) => text.push(t),
                Part::Interpolation(expr) => {
                    if let Some(value) = gather.take(self.interpolated(expr, env)) {
                        let (value, marks) = value.unmark();
                        text.marks = text.marks.union(marks);
                        match value.kind() {
                            Kind::String(t) => text.push(t),
                            Kind::Unknown(unknown) => {
                                text.push(unknown.prefix.as_deref().unwrap_or_default());
                                text.unknown = true;
                            }
                            _ => text.unknown = true,
                        }
                    }
                }
                Part::If { condition, then, otherwise } => {
                    let Some(value) = gather.take(self.condition(condition, env)) else { continue };
                    text.marks = text.marks.union(value.marks());
                    match value.as_bool() {
                        Some(true) => self.parts(then, env, text, gather),
                        Some(false) => self.parts(otherwise, env, text, gather),
                        None => text.unknown = true,
                    }
                }
                Part::For { key, value, collection, body } => {
                    let names = (key.as_ref(), value);
                    let done = self.template_for(names, collection, body, env, text, gather);
                    gather.take(done);
                }
            }
        }
    }

    fn template_for(
        &mut self,
        names: (Option<&Arc<str>>, &Arc<str>),
        collection: &Expr,
        body: &[Part],
        env: &Env<'_>,
        text: &mut Rendered,
        gather: &mut Gather,
    ) -> Eval<()> {
        let (value, marks) = self.value(collection, env)?.unmark();
        self.check_iterable(&value, collection, "a 'for' directive", env)?;
        text.marks = text.marks.union(marks);
        let Some(pairs) = ops::pairs(&value) else {
            text.unknown = true;
            return Ok(());
        };
        for (key, value) in pairs {
            let outer = names.0.map(|name| Scope { name, value: key, outer: env.scope });
            let scope = Scope { name: names.1, value, outer: outer.as_ref().or(env.scope) };
            self.parts(body, &env.with(&scope), text, gather);
        }
        Ok(())
    }

    fn interpolated(&mut self, expr: &Expr, env: &Env<'_>) -> Eval {
        let value = self.value(expr, env)?;
        if value.is_null() {
            let d = Diagnostic::error(
                "Invalid template interpolation value",
                "The expression result is null. A null value cannot be included in a string.",
            );
            return Err(self.error(d, expr, env));
        }
        convert(&value, &Type::String).map_err(|e| {
            let d = Diagnostic::error(
                "Invalid template interpolation value",
                format!("This value cannot be included in a string: {e}."),
            );
            self.error(d, expr, env)
        })
    }
}

/// Joined text may need normalising where the parts meet.
fn nfc(text: &str) -> Value {
    use unicode_normalization::{UnicodeNormalization, is_nfc};
    if is_nfc(text) { Value::string(text) } else { Value::string(text.nfc().collect::<String>()) }
}
