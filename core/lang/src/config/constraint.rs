//! Type constraints: `object({ name = string, tags = optional(map(string), {}) })`.

use std::{collections::BTreeMap, sync::Arc};

use sgp_model::{Diagnostic, Kind, Type, Value, types::Field};

use crate::{
    suggest::did_you_mean,
    syntax::{Expr, ExprKind},
};

/// A type with the defaults of its optional attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeConstraint {
    /// The type.
    pub ty: Type,
    /// What takes the place of absent and null attributes.
    pub defaults: Defaults,
    /// Whether a value from the command line or the environment is the text itself and no expression: so it is for
    /// primitive types, and where no type is said (`any` says one).
    pub literal_text: bool,
}

impl TypeConstraint {
    fn new(ty: Type, defaults: Defaults) -> Self {
        Self { literal_text: ty.is_primitive(), ty, defaults }
    }
}

impl Default for TypeConstraint {
    fn default() -> Self {
        Self::new(Type::Dynamic, Defaults::default())
    }
}

/// Defaults of optional attributes, by the way to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Of attributes of this object.
    attrs: BTreeMap<Arc<str>, Value>,
    /// Further in: by attribute, or by [`ELEMENT`] for every element of a collection, or by number for a tuple.
    inner: BTreeMap<Arc<str>, Defaults>,
}

const ELEMENT: &str = "*";

impl Defaults {
    fn is_empty(&self) -> bool {
        self.attrs.is_empty() && self.inner.is_empty()
    }

    /// Puts defaults where the value has nothing or null. What cannot hold them is left for the conversion to refuse.
    pub fn apply(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        let marks = value.marks();
        let each = |v: &Value| self.inner.get(ELEMENT).map_or_else(|| v.clone(), |d| d.apply(v.clone()));
        let applied: Value = match value.kind() {
            Kind::Object(fields) | Kind::Map(_, fields) if self.inner.contains_key(ELEMENT) => {
                Value::object(fields.iter().map(|(k, v)| (k.clone(), each(v))))
            }
            Kind::Object(fields) | Kind::Map(_, fields) => self.apply_fields(fields),
            Kind::List(_, elements) | Kind::Tuple(elements) => Value::tuple(
                elements
                    .iter()
                    .enumerate()
                    .map(|(i, v)| self.inner.get(&*i.to_string()).map_or_else(|| each(v), |d| d.apply(v.clone())))
                    .collect(),
            ),
            Kind::Set(_, elements) => Value::tuple(elements.iter().map(each).collect()),
            _ => return value,
        };
        applied.mark(marks)
    }

    fn apply_fields(&self, fields: &BTreeMap<Arc<str>, Value>) -> Value {
        let mut out = fields.clone();
        for (name, default) in &self.attrs {
            if out.get(name).is_none_or(Value::is_null) {
                out.insert(name.clone(), default.clone());
            }
        }
        for (name, defaults) in &self.inner {
            if let Some(v) = out.get_mut(name) {
                *v = defaults.apply(v.clone());
            }
        }
        Kind::Object(Arc::new(out)).into()
    }
}

/// Reads the `type` of a variable: a type constraint, or the words `list` and `map`, which older configurations write for
/// lists and maps of any type.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn of_variable(
    expr: &Expr,
    literal: &dyn Fn(&Expr) -> Result<Value, Diagnostic>,
) -> Result<TypeConstraint, Diagnostic> {
    match expr.as_name().map(|n| &**n) {
        Some("list") => Ok(plain(Type::list(Type::Dynamic))),
        Some("map") => Ok(plain(Type::map(Type::Dynamic))),
        _ => parse(expr, literal),
    }
}

/// Reads a type constraint. `literal` evaluates the default of an optional attribute, which may refer to nothing.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn parse(expr: &Expr, literal: &dyn Fn(&Expr) -> Result<Value, Diagnostic>) -> Result<TypeConstraint, Diagnostic> {
    match &*expr.kind {
        ExprKind::Name(name) => keyword(name, expr).map(plain),
        ExprKind::Call { name, args, expand: false, .. } => call(expr, name, args, literal),
        ExprKind::Literal(v) => match v.as_str() {
            // Configurations of old write "string" and "list".
            Some("list") => Ok(plain(Type::list(Type::String))),
            Some("map") => Ok(plain(Type::map(Type::String))),
            Some(name) => Ok(plain(keyword(name, expr)?)),
            None => Err(invalid(expr, "")),
        },
        _ => Err(invalid(expr, "")),
    }
}

fn plain(ty: Type) -> TypeConstraint {
    TypeConstraint::new(ty, Defaults::default())
}

fn keyword(name: &str, expr: &Expr) -> Result<Type, Diagnostic> {
    Ok(match name {
        "string" => Type::String,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "any" => Type::Dynamic,
        "list" | "map" | "set" => {
            return Err(invalid(expr, &format!(" The {name} type needs an element type: {name}(string).")));
        }
        "object" => return Err(invalid(expr, " The object type needs its attributes: object({ name = string }).")),
        "tuple" => return Err(invalid(expr, " The tuple type needs its element types: tuple([string, number]).")),
        other => {
            let known = ["string", "number", "bool", "any", "list", "map", "set", "object", "tuple"];
            return Err(invalid(expr, &did_you_mean(other, known)));
        }
    })
}

fn invalid(expr: &Expr, hint: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid type specification",
        format!(
            "A type is one of string, number, bool, any, list(T), set(T), map(T), object({{ name = T }}) and tuple([T]).{hint}"
        ),
    )
    .at(expr.span.clone())
}

fn call(
    expr: &Expr,
    name: &str,
    args: &[Expr],
    literal: &dyn Fn(&Expr) -> Result<Value, Diagnostic>,
) -> Result<TypeConstraint, Diagnostic> {
    let [arg] = args else {
        let hint = if name == "optional" {
            " optional(...) stands only for attributes of object types."
        } else {
            " It takes one argument."
        };
        return Err(invalid(expr, hint));
    };
    match (name, &*arg.kind) {
        ("list" | "set" | "map", _) => {
            let element = parse(arg, literal)?;
            let ty = match name {
                "list" => Type::list(element.ty),
                "set" => Type::set(element.ty),
                _ => Type::map(element.ty),
            };
            let mut defaults = Defaults::default();
            if !element.defaults.is_empty() {
                defaults.inner.insert(ELEMENT.into(), element.defaults);
            }
            Ok(TypeConstraint::new(ty, defaults))
        }
        ("tuple", ExprKind::Tuple(elements)) => {
            let mut defaults = Defaults::default();
            let mut types = Vec::new();
            for (i, element) in elements.iter().enumerate() {
                let element = parse(element, literal)?;
                types.push(element.ty);
                if !element.defaults.is_empty() {
                    defaults.inner.insert(i.to_string().into(), element.defaults);
                }
            }
            Ok(TypeConstraint::new(Type::tuple(types), defaults))
        }
        ("object", ExprKind::Object(items)) => object(items, literal),
        ("optional", _) => Err(invalid(expr, " optional(...) stands only for attributes of object types.")),
        ("object", _) => Err(invalid(expr, " The object type takes attributes in braces.")),
        ("tuple", _) => Err(invalid(expr, " The tuple type takes element types in brackets.")),
        (other, _) => Err(invalid(expr, &did_you_mean(other, ["list", "map", "set", "object", "tuple", "optional"]))),
    }
}

fn object(
    items: &[(Expr, Expr)],
    literal: &dyn Fn(&Expr) -> Result<Value, Diagnostic>,
) -> Result<TypeConstraint, Diagnostic> {
    let mut fields: BTreeMap<Arc<str>, Field> = BTreeMap::new();
    let mut defaults = Defaults::default();
    for (key, item) in items {
        let Some(name) = key.as_literal_str() else { return Err(invalid(key, " Attribute names are fixed.")) };
        let name: Arc<str> = name.into();
        let (ty, optional, default) = match &*item.kind {
            ExprKind::Call { name: f, args, .. } if &**f == "optional" => match args.as_slice() {
                [ty] => (ty, true, None),
                [ty, default] => (ty, true, Some(default)),
                _ => return Err(invalid(item, " optional(...) takes a type and perhaps a default.")),
            },
            _ => (item, false, None),
        };
        let inner = parse(ty, literal)?;
        if let Some(default) = default {
            let value = literal(default)?;
            let value = sgp_model::convert::convert(&inner.defaults.apply(value), &inner.ty).map_err(|e| {
                Diagnostic::error(
                    "Invalid default value for optional attribute",
                    format!("The default does not fit the type {}: {e}.", inner.ty),
                )
                .at(default.span.clone())
            })?;
            // Null has the right type here, which a null that is given may not have.
            defaults.attrs.insert(name.clone(), value);
        }
        if !inner.defaults.is_empty() {
            defaults.inner.insert(name.clone(), inner.defaults);
        }
        if fields.insert(name.clone(), Field { ty: inner.ty, optional }).is_some() {
            return Err(invalid(key, &format!(" The attribute {:?} is defined twice.", &*name)));
        }
    }
    Ok(TypeConstraint::new(Type::Object(Arc::new(fields)), defaults))
}
