//! The values that an expression refers to, for messages; never a sensitive one in clear.

use std::collections::BTreeSet;

use sgp_model::{Kind, Marks, Type, Value};

use super::{CellKey, Env, Evaluator, Repetition, State, Stored, World};
use crate::{
    config::reference,
    syntax::{Expr, ExprKind},
};

/// Longer texts are cut.
const MAX_TEXT: usize = 60;

impl<W: World> Evaluator<W> {
    /// Each reference in the expression with what is known of its value. Nothing is evaluated for it.
    pub(super) fn explain(&self, expr: &Expr, env: &Env<'_>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        expr.walk(&mut |e| {
            if !matches!(&*e.kind, ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Index(..)) {
                return true;
            }
            let Some((text, value)) = self.known(e, env) else { return true };
            if seen.insert(text.clone()) {
                found.push((text, describe(&value)));
            }
            false
        });
        found
    }

    /// The source text and the value of a reference, when it is at hand.
    pub(super) fn known(&self, expr: &Expr, env: &Env<'_>) -> Option<(String, Value)> {
        let (root, path) = reference::steps(expr)?;
        let text = self.config.sources.text(&expr.span.file)?.get(expr.span.range.clone())?.to_owned();
        let attr = |i: usize| match path.get(i) {
            Some(sgp_model::PathStep::Attr(name)) => Some(name.clone()),
            _ => None,
        };
        let mut scope = env.scope;
        while let Some(s) = scope {
            if *s.name == root {
                return follow(&s.value, &path).map(|v| (text, v));
            }
            scope = s.outer;
        }
        let module = env.module.path.clone();
        let (value, used) = match (&*root, env.repetition) {
            ("var", _) => match env.own.filter(|(own, _)| attr(0).as_ref() == Some(own)) {
                Some((_, value)) => (value.clone(), 1),
                None => (self.remembered(&CellKey::Variable(module, attr(0)?))?, 1),
            },
            ("local", _) => (self.remembered(&CellKey::Local(module, attr(0)?))?, 1),
            ("module", _) => {
                let child = module.child(attr(0)?, None);
                (self.remembered(&CellKey::Output(child, attr(1)?))?, 2)
            }
            ("each", Repetition::Each { key, value }) => {
                (if &*attr(0)? == "key" { key.clone() } else { value.clone() }, 1)
            }
            ("count", Repetition::Count(index)) => (index.clone(), 1),
            _ => match reference::target(expr)? {
                reference::Target::Resource { mode, type_name, name, key } => {
                    let used = usize::from(mode != sgp_model::Mode::Managed) + 1 + usize::from(key.is_some());
                    let addr = sgp_model::ResourceAddr { module, mode, type_name, name };
                    (self.remembered(&CellKey::Instance(addr.instance(key)))?, used)
                }
                _ => return None,
            },
        };
        follow(&value, path.get(used..)?).map(|v| (text, v))
    }

    fn remembered(&self, key: &CellKey) -> Option<Value> {
        let id = self.graph.id(key)?;
        match self.states.get(id.index())? {
            State::Done(Stored::Value(v)) | State::Provisional(_, Stored::Value(v)) => Some(v.clone()),
            _ => None,
        }
    }
}

fn follow(value: &Value, path: &[sgp_model::PathStep]) -> Option<Value> {
    use sgp_model::PathStep;
    path.iter().try_fold(value.clone(), |value, step| {
        match step {
            PathStep::Attr(name) => super::ops::attr(&value, name),
            PathStep::Key(key) => super::ops::index(&value, &Value::string(key.clone())),
            PathStep::Index(n) => super::ops::index(&value, &Value::int(i64::try_from(*n).ok()?)),
            PathStep::Element(_) => return None,
        }
        .ok()
    })
}

/// `is "x"`, `is a list of string with 2 elements`, `is a sensitive value`.
fn describe(value: &Value) -> String {
    if value.is_sensitive() {
        return "has a sensitive value".into();
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return "has an ephemeral value".into();
    }
    let counted =
        |what: String, n: usize, thing: &str| format!("is {what} with {n} {thing}{}", if n == 1 { "" } else { "s" });
    match value.kind() {
        Kind::Null(_) => "is null".into(),
        Kind::Unknown(u) if u.ty == Type::Dynamic => "will be known only after apply".into(),
        Kind::Unknown(u) => {
            let article = if matches!(u.ty, Type::Object(_)) { "an" } else { "a" };
            format!("is {article} {}, known only after apply", u.ty.friendly_name())
        }
        Kind::Bool(b) => format!("is {b}"),
        Kind::Number(n) => format!("is {n}"),
        Kind::String(s) => {
            let short: String = s.chars().take(MAX_TEXT).collect();
            let more = if short.len() < s.len() { "..." } else { "" };
            format!("is {short:?}{more}")
        }
        Kind::List(t, vs) => counted(format!("a list of {}", t.friendly_name()), vs.len(), "element"),
        Kind::Set(t, vs) => counted(format!("a set of {}", t.friendly_name()), vs.len(), "element"),
        Kind::Map(t, fs) => counted(format!("a map of {}", t.friendly_name()), fs.len(), "element"),
        Kind::Tuple(vs) => counted("a tuple".into(), vs.len(), "element"),
        Kind::Object(fs) => counted("an object".into(), fs.len(), "attribute"),
    }
}
